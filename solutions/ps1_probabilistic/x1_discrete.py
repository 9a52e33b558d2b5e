# %% [markdown] role="text"
# ## x1. Discrete data (8 points)
#
# A pixel of a file is one of 256 integers, a word one of 50,000. For such data a model may simply be a **table of
# probabilities**, and that shows more plainly than any density what a model can and cannot do. Here you fit three
# of them by maximum likelihood, two by stochastic gradient descent on the negative log-likelihood (NLL) and the third
# by counting:
#
# 1. a *histogram*: one free probability per value, anything can be represented;
# 2. a *discretised logistic*: two parameters, a smooth bump on the integers (PixelCNN++, Salimans et al., 2017, eq.
#    2);
# 3. a *Markov chain*: a table per pair of neighbours, for several variables at once.
#
# The losses stay per example and in nats, as everywhere in this course.

# %% [markdown] role="text"
# ### x1a. A histogram by its logits (code, 2 points)
#
# Probabilities must be positive and sum to one, which gradient descent does not know. So the free parameters are
# *logits* $\theta \in \mathbb{R}^K$, and
#
# $$ p_\theta(x = k) = \frac{e^{\theta_k}}{\sum_j e^{\theta_j}}, \qquad
# \text{NLL}(x) = \log \sum_j e^{\theta_j} - \theta_x . $$
#
# Return the NLL of each example. Logits may be large: $e^{800}$ is infinite in double precision, its logarithm is
# not.

# %% role="answer" part="x1a"
def histogram_nll(logits: Tensor, x: Tensor) -> Tensor:
    """Negative log-likelihood (B,) in nats of the integers x (B,) in {0..K-1} under softmax(logits), logits (K,)."""
    ### BEGIN SOLUTION
    return logits.logsumexp(0) - logits[x]
    ### END SOLUTION


# %% role="check" part="x1a"
with check("x1a") as c:
    nll = histogram_nll(torch.zeros(4, dtype=torch.float64), torch.tensor([0, 3, 3]))
    c.shape(nll, (3,), "nll")
    c.close(nll, [math.log(4)] * 3, "equal logits are a uniform distribution: log K nats for every value")
    c.close(
        histogram_nll(torch.tensor([800.0, 0.0]), torch.tensor([0, 1])), [0.0, 800.0], "logits of 800 do not overflow"
    )

# %% [markdown] role="text"
# ### x1b. The discretised logistic (code, 2 points)
#
# A histogram does not know that grey value 101 lies beside 102. A smooth density does. The logistic distribution
# with mean $\mu$ and scale $s$ has the distribution function $\sigma\!\left((x-\mu)/s\right)$, with $\sigma$ the
# sigmoid. Give every integer the mass of its bin of width one, and leave the two outer bins **open**, so that no
# mass is lost:
#
# $$ P(x) = \sigma(a) - \sigma(b), \qquad a = \frac{x + \frac12 - \mu}{s}, \quad b = \frac{x - \frac12 - \mu}{s}, $$
#
# with $a = +\infty$ for $x = K-1$ and $b = -\infty$ for $x = 0$.
#
# Computed like this, a value 40 scales above the mean has probability $1 - 1 = 0$: the loss is infinite and its
# gradient is gone, just where it is needed most. Show for yourself that
#
# $$ \sigma(a) - \sigma(b) = \sigma(a)\,\sigma(-b)\,\bigl(1 - e^{\,b-a}\bigr), $$
#
# a product, whose logarithm is a sum of harmless terms, and note what becomes of each factor in the two open bins. (For
# $1-e^{\,b-a}$, where $b-a=-1/s$, there is `torch.expm1`.)
# `torch.where` picks values, but **both** of its branches take part in the gradient, and $0 \cdot \infty$ there is
# NaN: keep both branches finite.


# %% role="answer" part="x1b"
def discretized_logistic_logprob(x: Tensor, mu: Tensor, log_s: Tensor, K: int) -> Tensor:
    """Log-probability of the integers x in {0..K-1} under a logistic with mean mu and scale exp(log_s); all broadcast.

    Bins have width one around the integers; the first and the last one are open. Returned in the dtype of mu.
    """
    ### BEGIN SOLUTION
    inverse_s = torch.exp(-log_s)
    log_below = torch.nn.functional.logsigmoid((x + 0.5 - mu) * inverse_s)  # log sigma(a)
    log_above = torch.nn.functional.logsigmoid(-(x - 0.5 - mu) * inverse_s)  # log sigma(-b)
    log_width = torch.log(-torch.expm1(-inverse_s))  # log(1 - exp(b - a))
    first, last = x == 0, x == K - 1
    inside = log_below + log_above + log_width
    return torch.where(first, log_below, torch.where(last, log_above, inside))
    ### END SOLUTION


# %% role="check" part="x1b"
with check("x1b") as c:
    x, mu, log_s = torch.arange(5), torch.tensor(2.0, dtype=torch.float64), torch.tensor(0.0, dtype=torch.float64)
    logp = discretized_logistic_logprob(x, mu, log_s, 5)
    c.shape(logp, (5,), "logp")
    c.close(logp.exp().sum(), 1.0, "the open edge bins make the sum one")
    c.close(logp[2].exp(), 2 / (1 + math.exp(-0.5)) - 1, "the middle bin of a logistic around 2 with scale 1")
    c.close(logp, logp.flip(0), "symmetric around its mean")
    far = discretized_logistic_logprob(torch.tensor([300]), mu, log_s, 1000)
    c.finite(far, "the log-probability 300 scales from the mean")
    moved = mu.clone().requires_grad_()
    discretized_logistic_logprob(torch.tensor([0, 300, 999]), moved, log_s, 1000).sum().backward()
    c.finite(moved.grad, "its gradient, open bins included")

# %% [markdown] role="text"
# **Which distribution does it fit?** Grey values of a photograph with a bright sky and a dark wood have two peaks.
# The cell below draws such values and fits both models by SGD on mini-batches. Watch three things: where the
# histogram's loss ends, the gap between the two models, and where the single bump of the logistic goes. For
# comparison it also minimises the *other* direction, $\mathrm{KL}(q_\theta \,\|\, p)$, which is possible here only
# because the data's distribution is known. It takes a few seconds on two CPU cores.

# %% role="run"
with experiment("x1: two models of two peaks, by SGD"):
    K, generator = 64, torch.Generator().manual_seed(1)
    levels = torch.arange(K)
    peaks = [discretized_logistic_logprob(levels, torch.tensor(m), torch.tensor(0.7), K) for m in (22.0, 44.0)]
    p = 0.35 * peaks[0].exp() + 0.65 * peaks[1].exp()
    entropy = -(p * p.log()).sum().item()

    def logistic_logq(theta: Tensor) -> Tensor:
        """All K log-probabilities of the logistic with mean 10 theta[0] and log-scale theta[1]."""
        return discretized_logistic_logprob(levels, 10 * theta[0], theta[1], K)

    losses = {
        "histogram": lambda theta, x: histogram_nll(theta, x).mean(),
        "logistic": lambda theta, x: -logistic_logq(theta)[x].mean(),
        "logistic, KL(q || p)": lambda theta, x: (logistic_logq(theta).exp() * (logistic_logq(theta) - p.log())).sum(),
    }
    fitted, curves = {}, {}
    for name, loss in losses.items():
        theta = (torch.zeros(K) if name == "histogram" else torch.tensor([3.5, 1.5])).requires_grad_()
        optimizer = torch.optim.SGD([theta], lr=5.0 if name == "histogram" else 0.01)
        curves[name] = []
        for _ in range(1500):
            x = torch.multinomial(p, 256, replacement=True, generator=generator)
            value = loss(theta, x)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            curves[name].append(value.item())
        logq = theta.log_softmax(0) if name == "histogram" else logistic_logq(theta)
        fitted[name] = logq.detach().exp()
        print(f"{name:22s} KL(p || q) = {(p * (p.log() - logq.detach())).sum():.3f} nats")

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.5), layout="constrained")
    for name in ("histogram", "logistic"):
        left.plot(curves[name], lw=0.7, label=name)
    left.axhline(entropy, color="black", ls="--", label="entropy of the data")
    left.set(xlabel="SGD step", ylabel="NLL (nats)", title="the loss cannot go below the entropy")
    right.bar(levels, p, color="lightgray", label="data $p$")
    for (name, q), dash in zip(fitted.items(), figures.DASHES, strict=False):
        right.plot(levels, q, dash, label=name)
    right.set(xlabel="value", title="one bump for two peaks: cover both, or choose one")
    left.legend()
    right.legend()
    figures.show(
        figure, "Losses above the entropy; a histogram that follows two peaks, a bump over both, a bump on one."
    )

# %% [markdown] role="text"
# ![What to expect: the histogram follows both peaks; one bump covers them, the other chooses](figures/two_peaks.png)
#
# ### x1c. Several variables: a Markov chain (code, 2 points)
#
# A histogram over $D$ variables has $K^D$ cells. For a row of $16$ binary pixels that is 65,536, for a small binary
# image more than there are atoms. The chain rule $p(x) = \prod_d p(x_d \mid x_1, \dots, x_{d-1})$ alone does not
# help, since its last factor is as large as the whole table. A **Markov chain** keeps one neighbour of each
# context:
#
# $$ p(x) = p(x_1) \prod_{d=2}^{D} p(x_d \mid x_{d-1}) . $$
#
# `logits0` holds the logits of the first variable. Row `logits[d, i]` holds those of variable `d + 1` (counted from
# 0) given that variable `d` has the value `i`.


# %% role="answer" part="x1c"
def markov_nll(logits0: Tensor, logits: Tensor, x: Tensor) -> Tensor:
    """Negative log-likelihood (B,) in nats of the sequences x (B, D) of integers in {0..K-1}.

    logits0 (K,) belong to the first variable, logits (D-1, K, K) to each next one, in the row of the value before it.
    """
    ### BEGIN SOLUTION
    nll = histogram_nll(logits0, x[:, 0])
    rows = logits.log_softmax(-1)
    steps = torch.arange(len(logits))
    return nll - rows[steps, x[:, :-1], x[:, 1:]].sum(1)  # indices (D-1,), (B, D-1), (B, D-1) pick (B, D-1)
    ### END SOLUTION


# %% role="check" part="x1c"
with check("x1c") as c:
    x = torch.tensor([[0, 0, 0], [0, 1, 0]])
    stay = torch.tensor([[0.75, 0.25], [0.25, 0.75]]).log().expand(2, 2, 2)
    nll = markov_nll(torch.zeros(2), stay, x)
    c.shape(nll, (2,), "nll")
    c.close(
        nll.exp(),
        [2 / 0.75**2, 2 / 0.25**2],
        "1/2 for the first, 3/4 for each repeat, 1/4 for each change",
    )

# %% [markdown] role="text"
# **How many examples does a table need?** The next cell takes short rows of pixels of small digits, black or white,
# and fits the three models to more and more of them. For these models the maximum of the likelihood is a count, so
# nothing needs to be trained; every count starts at 1/2, which keeps unseen values possible. The held-out NLL is
# computed with your functions.
#
# Before you run it, write down what you expect: which model wins at 20 examples, which one at 1,000?

# %% role="run"
with experiment("x1: tables of three sizes on rows of pixels"):
    from sklearn.datasets import load_digits

    D = 8
    images = torch.from_numpy(load_digits().images)  # (1797, 8, 8), the digits that come with scikit-learn
    rows = (images[:, 3] > 7).long()  # the fourth row of each image, black or white
    rows = rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(2))]
    train, test = rows[:1200], rows[1200:]
    code = 2 ** torch.arange(D)  # a row of D bits as one integer

    def counts(x: Tensor, K: int) -> Tensor:
        """Logits of the smoothed frequencies of the integers x in {0..K-1}."""
        return (torch.bincount(x, minlength=K) + 0.5).double().log()

    def heldout(n: int) -> dict[str, float]:
        """Mean held-out NLL of the three models after n examples."""
        x = train[:n]
        pairs = 2 * x[:, :-1] + x[:, 1:]
        chain = torch.stack([counts(pair, 4).reshape(2, 2) for pair in pairs.T])
        single = sum(histogram_nll(counts(x[:, d], 2), test[:, d]) for d in range(D))
        joint = histogram_nll(counts(x @ code, 2**D), test @ code)
        return {
            "independent": single.mean().item(),
            "Markov chain": markov_nll(counts(x[:, 0], 2), chain, test).mean().item(),
            "full histogram": joint.mean().item(),
        }

    sizes = [5, 10, 20, 50, 100, 200, 400, 800, 1200]
    scores = [heldout(n) for n in sizes]
    figure, axis = plt.subplots(figsize=(6, 3.5), layout="constrained")
    marks = ["o-", "s--", "^-."]
    for name in scores[0]:
        axis.semilogx(sizes, [score[name] for score in scores], marks.pop(0), label=name)
    axis.set(xlabel="training examples", ylabel="held-out NLL (nats per row)", title=f"{D} binary pixels")
    axis.legend()
    last = ", ".join(f"{name} {score:.2f}" for name, score in scores[-1].items())
    figures.show(figure, f"Held-out NLL falls with the number of examples, at the end {last} nats per row.")

# %% [markdown] role="text"
# ![What to expect: small tables lead at the left, and cross with the large one at the right](figures/tables.png)
#
# ### x1d. What SGD on the NLL minimises, and what it costs (written, 2 points)
#
# 1. Let $p$ be the distribution that the mini-batches come from. Show that the expected NLL is $H(p) +
#    \mathrm{KL}(p \,\|\, q_\theta)$, and say why SGD on mini-batches therefore descends the forward KL. Use this to
#    explain both the dashed line and where the single bump went in the first figure.
# 2. How many free parameters do the full histogram, the independent model and the Markov chain have for $D$
#    variables with $K$ values? Insert the numbers of the second figure ($K = 2$, $D = 8$), and explain with them
#    the order of the curves at the left and at the right end.

# %% [markdown] role="written" part="x1d"
# ### BEGIN SOLUTION
# 1. $\mathbb{E}_p[-\log q_\theta(x)] = -\sum_x p(x) \log p(x) + \sum_x p(x) \log \frac{p(x)}{q_\theta(x)} = H(p) +
#    \mathrm{KL}(p \| q_\theta)$. The entropy does not depend on $\theta$. A mini-batch's mean NLL is an unbiased
#    estimate of the expectation, and so is its gradient (the sum over $x$ is finite, so gradient and expectation
#    may be exchanged): SGD takes noisy steps down the gradient of the forward KL. As KL is never negative, the
#    expected loss never goes below $H(p)$ (the dashed line; a single mini-batch may), and the histogram, which can
#    represent $p$, reaches it. The logistic cannot. Where $p(x) > 0$ and $q(x) \to 0$ the term $p \log (p/q)$ grows
#    without bound, so the forward KL puts a wide bump over both peaks. The reverse KL is punished where $q > 0$ and
#    $p \approx 0$, so it chooses one peak.
# 2. Full histogram: $K^D - 1$. Independent: $D(K-1)$. Markov chain: $(K-1) + (D-1)K(K-1)$. For $K = 2$, $D = 8$: 255, 8
#    and 15. With few examples the full histogram has seen almost none of its 256 cells and is nearly uniform, about $8
#    \log 2 = 5.5$ nats; the small tables are already well estimated, so they lead. With many examples what counts is
#    what a model can represent: the independent model ignores all correlations and its loss stays on a plateau above
#    the others, the chain keeps those of neighbours, and the full histogram catches up with it and passes it when its
#    cells are filled.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 0.5 points: the decomposition into entropy and KL, in the right direction
# - 0.5 points: an unbiased gradient; the entropy as lower bound; the forward KL covers both peaks
# - 0.5 points: the three counts, with their numbers 255, 8 and 15
# - 0.5 points: estimation error decides on the left, what can be represented on the right
# ### END MARK SCHEME

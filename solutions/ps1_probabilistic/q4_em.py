# %% [markdown] role="text"
# ## 4. Expectation-maximisation (18 points)
#
# In 3c you found a deadlock. Given the responsibilities, the parameters have a closed form; given the parameters, so
# do the responsibilities; but each needs the other. **EM** (Dempster, Laird and Rubin, 1977) cuts the knot by taking
# turns:
#
# * **E-step**: with the parameters fixed, compute $r_{nk} = p(k \mid x_n)$. You have it already.
# * **M-step**: with the responsibilities fixed, fit every component to *its share* of each example.
#
# That this hill-climbs the likelihood, without a step size, is no accident. For any distributions $q_n(k)$ over the
# hidden side of the die, define
#
# $$
# \mathcal F(q,\theta) = \sum_n\sum_k q_n(k)\,\log\frac{p(x_n, k\mid\theta)}{q_n(k)}.
# $$
#
# EM climbs $\mathcal F$, one argument at a time (Neal and Hinton, 1998). You prove it in 4c. Keep the formula in
# mind: it is the evidence lower bound, and variational autoencoders climb the same hill with a neural network for
# $q$.
#
# ### 4a. The M-step (code, 8 points)
#
# Write `m_step`. With $r_{nk}=e^{\texttt{log\_resp}[n,k]}$ and $N_k=\sum_n r_{nk}$, the number of examples that
# component $k$ effectively owns,
#
# $$
# \log\pi_k = \log\frac{N_k}{N}, \quad
# \mu_k = \frac1{N_k}\sum_n r_{nk}\,x_n, \quad
# \Sigma_k = \frac1{N_k}\sum_n r_{nk}\,(x_n-\mu_k)(x_n-\mu_k)^\top + \lambda I
# \quad\text{(PRML eq. 9.24 to 9.26)}.
# $$
#
# Three details:
#
# * $\Sigma_k$ is taken around the **new** mean, and the ridge $\lambda$ is added once.
# * `zero_mean=True` fixes every $\mu_k$ at zero and takes $\Sigma_k$ around zero. For patches without their mean,
#   that is a sensible prior: a photograph and its negative are equally likely, and it lets components differ in shape
#   alone.
# * **Empty components.** If nobody is assigned to component $k$, all its responsibilities underflow ($r_{nk}=0$ in
#   float64, `log_resp` at $-800$ or even $-\infty$), and $N_k=0$ asks for $0/0$. Its weight must then be zero
#   (`log_pi[k].exp()`), its mean and covariance must be *finite* numbers (any will do, as nobody owns them), and the
#   other components must not notice.
#
# A loop over $K$ is fine. Avoid an (N, K, D) or (N, D, D) tensor, though: with 60,000 patches and 20 components that
# is more than half a gigabyte, or nearly two. Expect about 8 lines.


# %% role="answer" part="4a"
def m_step(X: Tensor, log_resp: Tensor, ridge: float = 0.0, zero_mean: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """Mixture log_pi (K,), mus (K, D), Sigmas (K, D, D) that fits the rows of X (N, D) weighted by log_resp (N, K)."""
    ### BEGIN SOLUTION
    log_resp = log_resp.clamp(min=-1e4)  # finite: a component that nobody owns falls back to the mean of all data
    log_N = log_resp.logsumexp(dim=0)
    weights = (
        (log_resp - log_N).exp().T.contiguous()
    )  # (K, N), rows sum to 1 even where every responsibility underflows
    mus = torch.zeros_like(weights @ X) if zero_mean else weights @ X
    Sigmas = torch.stack([weighted_covariance(X, w, mu) for w, mu in zip(weights, mus, strict=True)])
    return log_N - math.log(len(X)), mus, Sigmas + ridge * torch.eye(X.shape[1], dtype=X.dtype)


def weighted_covariance(X: Tensor, weights: Tensor, mu: Tensor) -> Tensor:
    """Covariance (D, D) around mu (D,) of the rows of X (N, D), with weights (N,) that sum to 1."""
    rows = (weights > 1e-9 / len(X)).nonzero()[:, 0]  # all others together weigh less than a billionth
    even = (0, len(rows) % 2)  # one row more, of weight 0: each block has two halves, one for each core
    roots = torch.nn.functional.pad(weights[rows].sqrt(), even)[:, None]
    rows = torch.nn.functional.pad(rows, even)
    halves = torch.zeros(2, X.shape[1], X.shape[1], dtype=X.dtype)
    for block, root in zip(rows.split(4096), roots.split(4096), strict=True):  # blocks that fit the cache
        scaled = X.index_select(0, block).sub_(mu).mul_(root).reshape(2, -1, X.shape[1])
        halves.baddbmm_(scaled.mT, scaled)
    return halves.sum(dim=0)
    ### END SOLUTION


# %% role="check" part="4a"
with check("4a") as c:
    X = torch.tensor([[0.0], [2.0], [10.0]], dtype=torch.float64)
    resp = torch.tensor([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]], dtype=torch.float64)
    log_pi, mus, Sigmas = m_step(X, resp.log())
    c.shape(log_pi, (2,), "log_pi")
    c.shape(mus, (2, 1), "mus")
    c.shape(Sigmas, (2, 1, 1), "Sigmas")
    c.close(log_pi.exp(), [0.5, 0.5], "each component owns one and a half of three examples")
    c.close(mus, [[2 / 3], [22 / 3]], "the example in the middle counts half for both means")
    c.close(Sigmas[0], [[8 / 9]], "(4/9 + 0.5 * 16/9) / 1.5")
    c.close(m_step(X, resp.log(), ridge=0.25)[2], Sigmas + 0.25, "the ridge is added to each variance")
    c.close(m_step(X, resp.log(), zero_mean=True)[2][0], [[4 / 3]], "around zero: (0 + 0.5 * 4) / 1.5")
    empty = m_step(X, torch.tensor([[0.0, -800.0]] * 3, dtype=torch.float64))
    c.finite(torch.cat([empty[1].flatten(), empty[2].flatten()]), "an empty component's mean and covariance")

# %% [markdown] role="text"
# ### 4b. The loop (code, 5 points)
#
# Write `em_fit`. It starts from responsibilities, not from parameters, because "who belongs to whom" is easy to guess
# (at random, by k-means, by contrast) and covariances are not. Each of the `n_iter` rounds is an M-step, then an
# E-step:
#
# `log_resp0` → **M → E → M → E → … → M → E**.
#
# Return `(params, trace)`: `params = (log_pi, mus, Sigmas)` of the last M-step, and `trace` of shape (n_iter,), whose
# entry $i$ is the **mean log-likelihood per example after the $i$-th M-step**. It comes for free from the E-step that
# follows it, so that the last entry belongs to the parameters that you return. Run all the rounds, do not stop early,
# and do not change `log_resp0` in place. `ridge` and `zero_mean` are passed on to each M-step.


# %% role="answer" part="4b"
def em_fit(
    X: Tensor, log_resp0: Tensor, n_iter: int, ridge: float = 0.0, zero_mean: bool = False
) -> tuple[tuple[Tensor, Tensor, Tensor], Tensor]:
    """Mixture (log_pi (K,), mus (K, D), Sigmas (K, D, D)) of X (N, D) after n_iter rounds of EM from log_resp0 (N, K).

    Also the trace (n_iter,): entry i is the mean log-likelihood of the rows of X after the i-th M-step.
    """
    ### BEGIN SOLUTION
    log_resp, trace = log_resp0, []
    for _ in range(n_iter):
        params = m_step(X, log_resp, ridge, zero_mean)
        log_resp, loglik = e_step(X, *params)
        trace.append(loglik.mean())
    return params, torch.stack(trace)
    ### END SOLUTION


# %% role="check" part="4b"
with check("4b") as c:
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(60, 2, generator=generator, dtype=torch.float64) + torch.tensor([[-2.0, 0.0], [2.0, 0.0]]).repeat(
        30, 1
    )
    start = torch.randn(60, 3, generator=generator, dtype=torch.float64).log_softmax(dim=1)
    (log_pi, mus, Sigmas), trace = em_fit(X, start, 12)
    c.shape(trace, (12,), "trace")
    c.shape(mus, (3, 2), "mus")
    c.true((trace.diff() > -1e-9).all(), "the log-likelihood never falls")
    c.close(trace[-1], e_step(X, log_pi, mus, Sigmas)[1].mean(), "the last entry belongs to the parameters returned")
    single = em_fit(X, torch.zeros(60, 1, dtype=torch.float64), 2)[0]
    c.close(single[1][0], X.mean(dim=0), "with K = 1, EM is the maximum likelihood fit of one Gaussian")

# %% [markdown] role="text"
# ### Look: EM at work
#
# A film of your `em_fit` on data from three clusters, from a poor start: responsibilities that are nearly equal for
# all components. Ellipses are drawn at one and two standard deviations.

# %% role="run"
with experiment("a film of EM"):
    generator = torch.Generator().manual_seed(2)
    centres = torch.tensor([[-3.0, 0.0], [2.0, 2.0], [2.0, -2.0]], dtype=torch.float64)
    shapes = torch.tensor([[[0.5, 0.0], [0.0, 1.5]], [[1.2, 0.6], [0.0, 0.3]], [[1.2, -0.6], [0.0, 0.3]]]).double()
    sides = torch.arange(450) % 3
    X_toy = centres[sides] + torch.einsum(
        "nij,nj->ni", shapes[sides], torch.randn(450, 2, generator=generator, dtype=torch.float64)
    )
    start = (0.2 * torch.randn(450, 3, generator=generator, dtype=torch.float64)).log_softmax(dim=1)
    moments = (1, 15, 20, 25, 40)
    fig, axes = plt.subplots(1, len(moments), figsize=(16, 3.4), sharex=True, sharey=True, layout="constrained")
    for ax, rounds in zip(axes, moments, strict=True):
        (log_pi_toy, mus_toy, Sigmas_toy), trace_toy = em_fit(X_toy, start, rounds)
        owners = e_step(X_toy, log_pi_toy, mus_toy, Sigmas_toy)[0].exp()
        ax.scatter(*X_toy.T, c=figures.blend(owners).numpy(), s=4)
        figures.ellipses(ax, mus_toy, Sigmas_toy, log_pi_toy.exp())
        ax.set_title(f"round {rounds}: {trace_toy[-1]:.3f} nats")
    figures.show(
        fig, "EM after " + ", ".join(map(str, moments)) + " rounds: three ellipses move apart onto three clusters."
    )
    figures.curves({"EM": trace_toy}, xlabel="round", ylabel="mean log-likelihood in nats", title="the film's trace")

# %% [markdown] role="text"
# ![What to expect: three ellipses on top of each other move apart onto three clusters](figures/film.png)
#
# **Think about it** (no points). The curve has a long plateau before it jumps. What do the components look like on
# the plateau? If the start were *exactly* equal responsibilities, what would every later round look like, and why is
# that a saddle of the likelihood rather than a maximum?
#
# ### Look: a mixture of photographs
#
# Now the real thing: EM on image patches, as the 63 coefficients without the mean. We start from **contrast**: the
# patches are sorted by their norm into $K$ equal groups; nine tenths of each patch belong to its own group, and one
# tenth to all $K$ groups alike.
# The fit goes on in blocks of 5 rounds. It shows its progress and saves a checkpoint, so that you may interrupt it or
# lose the connection, run the cell again, and go on where it stopped.
#
# *Time box.* With `QUICK`: 10,000 patches, $K=5$, 15 rounds, a few seconds. In full: 60,000 patches, $K=20$, 50
# rounds, 1 GB (an estimate). On two idle cores of an AMD EPYC the reference took 6 s for 30 such rounds, and
# scikit-learn's mixture, which loops over the components, 29 s.
#
# The ridge of $10^{-6}$ is no more than what the camera adds anyway: grey values come in steps of $1/255$, and
# rounding to them has variance $\frac1{12\cdot255^2}\approx 1.3\cdot10^{-6}$.


# %% role="run"
def groups_by_contrast(X: Tensor, K: int) -> Tensor:
    """Log-responsibilities (N, K): nine tenths of each row of X (N, D) go to its quantile of the norm."""
    rank = X.norm(dim=1).argsort().argsort()
    group = torch.nn.functional.one_hot(rank * K // len(X), K).to(X.dtype)
    return (0.9 * group + 0.1 / K).log()


with experiment("EM on image patches", smaller="X_em = X_train[:20_000]"):
    K, blocks = (5, 3) if QUICK else (20, 10)
    X_em = X_train[:10_000] if QUICK else X_train
    names = ("log_pi", "mus", "Sigmas")
    fit = resumable(
        f"checkpoints/em_{K}.safetensors",
        dict(zip(names, m_step(X_em, groups_by_contrast(X_em, K), ridge=1e-6), strict=True)),
        made_by=(gmm_log_joint, e_step, m_step, em_fit),
        settings={"K": K, "N": len(X_em)},
    )
    for _ in fit.steps(blocks, f"EM, K = {K}, blocks of 5 rounds"):
        log_resp = e_step(X_em, *(fit.state[name] for name in names))[0]
        params, trace = em_fit(X_em, log_resp, 5, ridge=1e-6)
        fit.state = dict(zip(names, params, strict=True))
        for value in trace:
            fit.log(nats=float(value))
    log_pi, mus, Sigmas = (fit.state[name] for name in names)  # questions 5 to 8 use these three
    figures.curves(
        {"training patches": fit.history["nats"]}, xlabel="round", ylabel="nats per patch", title=f"EM, K = {K}"
    )

# %% [markdown] role="text"
# ![What to expect in full mode: from 147.8 to 157.6 nats, most of it in the first ten rounds](figures/climb.png)
#
# What did it find? Each row of the next figure is one component: the three patterns along which its patches vary the
# most (the leading eigenvectors of its covariance), and then samples from it. Components are sorted by their
# contrast; their weights are printed below the figure.

# %% role="run"
with experiment("what the components have learnt"):
    values, vectors = torch.linalg.eigh(Sigmas)
    contrast = values.sum(dim=1)
    shown = contrast.argsort()[torch.linspace(0, len(log_pi) - 1, 5).long()]
    generator = torch.Generator().manual_seed(0)
    rows = []
    for k in shown:
        directions = vectors[k].flip(1)[:, :3].T
        z = torch.randn(12, 63, generator=generator, dtype=torch.float64)
        samples = mus[k] + z @ torch.linalg.cholesky(Sigmas[k]).T
        rows += [directions / directions.norm(dim=1, keepdim=True), samples / samples.norm(dim=1, keepdim=True)]
    sheet = torch.cat(rows) @ basis.T
    figures.patches(sheet, "3 eigen-patches and 12 samples of five components, each scaled to norm 1", 15, scale=0.4)
    for k in shown:
        deviation = (contrast[k] / 63).sqrt()
        print(f"component {k}: weight {log_pi[k].exp():.3f}, standard deviation {deviation:.4f} per coefficient")

# %% [markdown] role="text"
# ![What to expect in full mode: ramps, edges and a bar; the samples are noisier](figures/components.png)
#
# ### Look: contrast, or shape?
#
# A mixture differs from one Gaussian in two ways: its components may have different **contrast** (the same
# covariance, scaled: flat, textured, edge), and different **shape** (edges in this or that direction). Which of the
# two buys the likelihood? A *scale mixture* has only the first, $p(x)=\sum_k\pi_k\,\mathcal N(x\mid 0,
# s_k^2\,\Sigma)$. The cell fits one with ten levels, by EM as well: the M-step for a scale is $s_k^2=\frac{1}{D
# N_k}\sum_n r_{nk}\,x_n^\top\Sigma^{-1}x_n$. All numbers are nats per patch on photographs that none of the models
# has seen.


# %% role="run"
def scale_mixture(X: Tensor, levels: int, rounds: int) -> tuple[Tensor, Tensor, Tensor]:
    """A mixture (log_pi, mus, Sigmas) of zero-mean Gaussians whose covariances are multiples of that of X (N, D)."""
    Sigma = X.T @ X / len(X)
    squares = (X * torch.linalg.solve(Sigma, X.T).T).sum(dim=1) / X.shape[1] + 1e-4  # (N,); never quite flat
    scales = squares.quantile((torch.arange(levels, dtype=X.dtype) + 0.5) / levels)
    log_pi = torch.full((levels,), -math.log(levels), dtype=X.dtype)
    for _ in range(rounds):
        log_resp = (log_pi - X.shape[1] / 2 * (squares[:, None] / scales + scales.log())).log_softmax(dim=1)
        log_pi = log_resp.logsumexp(dim=0) - math.log(len(X))
        scales = (log_resp.exp() * squares[:, None]).sum(dim=0) / log_resp.exp().sum(dim=0)
    return log_pi, torch.zeros(levels, X.shape[1], dtype=X.dtype), scales[:, None, None] * Sigma


with experiment("a ladder of models"):
    ladder = {"one Gaussian": gaussian_logpdf(X_test, *fit_gaussian(X_em)).mean().item()}
    ladder["ten scales of one Gaussian"] = e_step(X_test, *scale_mixture(X_em, 10, 100))[1].mean().item()
    ladder[f"your mixture, K = {len(log_pi)}"] = e_step(X_test, log_pi, mus, Sigmas)[1].mean().item()
    figures.ladder(ladder, xlabel="nats per test patch")

# %% [markdown] role="text"
# With the Berkeley photographs (60,000 patches, $K=20$, 50 rounds) the reference measures 97.3 nats for the Gaussian,
# 149.8 for the ten scales and 155.1 for the mixture. In `QUICK` mode, with $K=5$, the ten scales may well come out
# ahead.
#
# ### 4c. Why EM climbs, and where it may fall (written, 5 points)
#
# 1. *Coordinate ascent.* Show that $\mathcal F(q,\theta)=\sum_n\big[\log
#    p(x_n\mid\theta)-\mathrm{KL}\big(q_n\,\|\,p(\cdot\mid x_n,\theta)\big)\big]$. Conclude that the E-step maximises
#    $\mathcal F$ over $q$ and makes it equal to the log-likelihood, that the M-step maximises it over $\theta$, and
#    that therefore the log-likelihood never falls. (2 points)
# 2. *No maximum.* Take $K\ge2$ and put the mean of one component exactly on one example. Show that the likelihood of
#    the mixture is unbounded, and say why this cannot happen to a single Gaussian if $N>D$ examples in general
#    position are given. What does the ridge do about it, and why may `trace` fall by a little once there is one? (2
#    points)
# 3. *Contrast or shape.* In the ladder above, ten levels of contrast explain most of what the mixture gains over one
#    Gaussian. What property of natural images do they capture, and what do the remaining nats buy that no scale
#    mixture can have? Use your figures. (1 point)

# %% [markdown] role="written" part="4c"
# ### BEGIN SOLUTION
# **1.** Insert $p(x_n,k\mid\theta)=p(x_n\mid\theta)\,p(k\mid x_n,\theta)$ and use $\sum_kq_n(k)=1$:
#
# $$
# \mathcal F = \sum_n\sum_kq_n(k)\Big[\log p(x_n\mid\theta)+\log\frac{p(k\mid x_n,\theta)}{q_n(k)}\Big]
#   = \sum_n\Big[\log p(x_n\mid\theta)-\mathrm{KL}\big(q_n\,\|\,p(\cdot\mid x_n,\theta)\big)\Big].
# $$
#
# The first term does not depend on $q$, and the KL divergence is at least 0 with equality only for $q_n=p(\cdot\mid
# x_n,\theta)$. So the maximum over $q$ at fixed $\theta$ is at the posterior, which is what the E-step computes, and
# there $\mathcal F=\ell(\theta)=\sum_n\log p(x_n\mid\theta)$. At fixed $q$, $\mathcal F=\sum_{n,k}q_n(k)\log
# p(x_n,k\mid\theta)+\text{entropy of }q$, and the entropy does not depend on $\theta$. The rest is a sum of weighted
# Gaussian log-likelihoods and of $\sum_kN_k\log\pi_k$; question 1c with weights, and a Lagrange multiplier for
# $\sum_k\pi_k=1$, give the M-step as its maximum. With $q^{t}$ the posterior under $\theta^{t}$,
#
# $$
# \ell(\theta^{t+1})\;\ge\;\mathcal F(q^{t},\theta^{t+1})\;\ge\;\mathcal F(q^{t},\theta^{t})\;=\;\ell(\theta^{t}):
# $$
#
# the KL divergence is not negative, the M-step maximises, the E-step closed the gap.
#
# **2.** Let $\mu_1=x_1$ and $\Sigma_1=\varepsilon I$, and keep $\pi_k>0$ and all else fixed, with $\Sigma_2$ positive
# definite. Then $p(x_1)\ge\pi_1(2\pi\varepsilon)^{-D/2}\to\infty$ as $\varepsilon\to0$, while every other example
# keeps $p(x_n)\ge\pi_2\,\mathcal N(x_n\mid\mu_2,\Sigma_2)>0$. The sum of the logarithms is unbounded. A single
# Gaussian must explain all the examples: shrinking it along a direction $u$ in which they vary costs
# $\frac{1}{2\varepsilon}\sum_n(u^\top(x_n-\mu))^2$, which beats the gain of $\frac N2\log\frac1\varepsilon$. With
# $N>D$ examples in general position they vary in every direction. In a mixture, the second component pays for the
# others.
#
# With the ridge, all eigenvalues of $\Sigma_k$ are at least $\lambda$, so that each density is at most
# $(2\pi\lambda)^{-D/2}$ and the likelihood is bounded: components can no longer collapse onto single examples. But
# $\Sigma_k+\lambda I$ is not the maximiser of $\mathcal F(q,\cdot)$ any more (at $\lambda>0$ the M-step does not
# maximise the likelihood), so the middle inequality of part 1 may fail by a little, above all near convergence, where
# a true M-step would gain next to nothing.
#
# **3.** They capture that the contrast of photographs varies from place to place: most patches are nearly flat, few
# have large variance, and the pixels of a patch share that contrast even where they are uncorrelated. The marginals
# get heavy tails and a sharp peak, which one Gaussian cannot have (the histogram of question 3). In a scale mixture
# all the levels share one set of eigenvectors and one ratio of variances, so its samples are the same blurred clouds,
# louder or quieter. The remaining nats buy shape: components whose eigen-patches are edges and bars of one
# orientation, with little variance across the others. Structure is a small part of the likelihood and a large part of
# what we see.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: the decomposition of F into log-likelihood and KL divergence
# - 1 point: E-step closes the gap, M-step maximises F over the parameters, and the chain of inequalities
# - 1 point: a component that shrinks onto an example makes the likelihood infinite; a single Gaussian has to pay for
#   all
# - 1 point: the ridge bounds eigenvalues and density, and is not the maximiser of F, so the trace may fall slightly
# - 1 point: contrast that varies between places (heavy tails) against orientation and shape of components
# ### END MARK SCHEME

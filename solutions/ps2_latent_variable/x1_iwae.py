# %% [markdown] role="text"
# ## x1. Importance weighted bounds (6 points)
#
# How good *is* your autoencoder of question 2? Its ELBO is a lower bound of $\log p_\theta(x)$, and you do not know how
# far below it lies: part of the missing nats is the model's fault, part of it the encoder's. Importance sampling closes
# the gap. For any $q$ that is positive wherever $p_\theta(x, z)$ is, the weight $w = p_\theta(x, z)/q(z \mid x)$ has
# mean $p_\theta(x)$ under $z \sim q$, so the average of $K$ weights is an unbiased estimate of $p_\theta(x)$, and its
# logarithm is, by Jensen, a lower bound on average:
#
# $$
# \mathcal L_K(x) = \mathbb E_{z_1, \dots, z_K \sim q}\Big[\log \frac1K \sum_{k=1}^K
#     \frac{p_\theta(x\mid z_k)\,p(z_k)}{q_\phi(z_k \mid x)}\Big] \;\le\; \log p_\theta(x)
# \qquad\text{(Burda, Grosse and Salakhutdinov, ICLR 2016, eq. 8).}
# $$
#
# $\mathcal L_1$ is the ELBO. With more samples the bound can only get tighter (x1c), so papers *evaluate* models with
# $K$ in the thousands; one can also *train* on $\mathcal L_K$, which is the importance weighted autoencoder.
#
# ### x1a. The weights (code, 2 points)
#
# Write `log_weights`: for every image and each of its $K$ samples $z_{kb} = \mu_b + e^{\ell_b/2}\odot
# \varepsilon_{kb}$,
#
# $$ \log w_{bk} = \log p_\theta(x_b\mid z_{kb}) + \log p(z_{kb}) - \log q_\phi(z_{kb}\mid x_b), $$
#
# all three **at the sample** (no closed-form divergence this time), with the standard normal prior, and with all
# constants. `vae` has `encode`, `decode`
# and `logprob` as in question 2a; each of them takes a plain batch, `decode` codes (M, L) and `logprob` a row of $x$
# for each of them. `eps` is (K, B, L), and row $b$ of the result (B, K) belongs to image $b$: take care when you
# reshape.


# %% role="answer" part="x1a"
def log_weights(vae: nn.Module, x: Tensor, eps: Tensor) -> Tensor:
    """log p(x, z) - log q(z | x), (B, K), of images x (B, D) at the K samples of q(z | x) that eps (K, B, L) makes."""
    ### BEGIN SOLUTION
    mu, logvar = vae.encode(x)
    z = reparameterize(mu, logvar, eps)  # (K, B, L)
    K, B, _ = z.shape
    outputs = vae.decode(z.flatten(0, 1))  # (K * B, D): all images of the first sample, then of the second
    log_likelihood = vae.logprob(x.repeat(K, 1), outputs).reshape(K, B)
    log_ratio = 0.5 * (eps.square() + logvar - z.square()).sum(dim=2)  # log p(z) - log q(z | x): log 2 pi cancels
    return (log_likelihood + log_ratio).T
    ### END SOLUTION


# %% role="check" part="x1a"
with check("x1a") as c:

    class Known(nn.Module):
        """z is N(0, 1), x is N(z, 1), and the encoder is the exact posterior, N(x / 2, 1 / 2)."""

        def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
            """Mean and log-variance of the posterior."""
            return x / 2, torch.full_like(x, -math.log(2))

        def decode(self, z: Tensor) -> Tensor:
            """The mean of x."""
            return z

        def logprob(self, x: Tensor, mean: Tensor) -> Tensor:
            """log N(x; mean, 1)."""
            return gaussian_logprob(x, mean, torch.zeros_like(x))

    x = torch.tensor([[0.0], [2.0]], dtype=torch.float64)
    eps = torch.tensor([[[0.0], [0.0]], [[1.0], [-1.0]], [[-3.0], [2.0]]], dtype=torch.float64)
    log_w = log_weights(Known(), x, eps)
    c.shape(log_w, (2, 3), "log_w")
    evidence = gaussian_logprob(x, torch.zeros_like(x), torch.full_like(x, math.log(2)))  # x is N(0, 2)
    c.close(log_w, evidence[:, None].expand(2, 3), "with the exact posterior every weight is p(x)")

# %% [markdown] role="text"
# ### x1b. The bound (code, 2 points)
#
# Write `iwae_bound`: the logarithm of the *mean* of the weights of each image, given their logarithms. They are numbers
# like $-90$ or $-2000$: never leave the logarithms. The gradient must flow through the result.


# %% role="answer" part="x1b"
def iwae_bound(log_w: Tensor) -> Tensor:
    """The logarithm (B,) of the mean over K of the weights whose logarithms are log_w (B, K)."""
    ### BEGIN SOLUTION
    return log_w.logsumexp(dim=1) - math.log(log_w.shape[1])
    ### END SOLUTION


# %% role="check" part="x1b"
with check("x1b") as c:
    log_w = torch.tensor([[0.0, 0.0, 0.0, 0.0], [0.0, -2000.0, -2000.0, -2000.0]], dtype=torch.float64)
    c.close(iwae_bound(log_w), [0.0, -math.log(4)], "four equal weights, and one that has it all")
    c.close(iwae_bound(log_w - 5000), [-5000.0, -5000 - math.log(4)], "moved by 5000 nats")
    c.close(iwae_bound(log_w[:, :1]), [0.0, 0.0], "one sample: its own weight")

# %% [markdown] role="text"
# ### Look: how far below the truth was the ELBO?
#
# The bound on test digits for the autoencoder of question 2, with 1 to 500 samples (50 digits in `QUICK`, 500 in full;
# a few seconds on a CPU). The right picture has the log-weights of three digits: how unequal they are.

# %% role="run"
with experiment("the bound with more and more samples"), torch.no_grad():
    x = B_test[: 50 if QUICK else 500].to(here.device)
    generator = torch.Generator().manual_seed(0)
    log_w = torch.cat(
        [log_weights(vae, x, torch.randn(50, len(x), vae.L, generator=generator).to(x)) for _ in range(10)], dim=1
    ).cpu()
    counts = [1, 2, 5, 10, 20, 50, 100, 250, 500]
    bounds = [iwae_bound(log_w.reshape(-1, K)).mean().item() for K in counts]  # all groups of K, averaged
    fig, (left, right) = plt.subplots(1, 2, figsize=(11, 3.8), layout="constrained")
    left.plot(counts, bounds, "o-")
    left.set(xscale="log", xlabel="samples K", ylabel="bound in nats", title="test digits")
    for row, style in zip(log_w[:3], ("-", "--", ":"), strict=True):
        share = row.softmax(0)
        label = f"worth {1 / share.square().sum():.1f} of 500 samples"
        right.hist(row, bins=30, histtype="step", linestyle=style, label=label)
    right.set(xlabel="log-weight in nats", ylabel="samples", title="three digits")
    right.margins(y=0.4)  # room for the legend
    right.legend()
    figures.show(fig, f"The bound rises from {bounds[0]:.1f} to {bounds[-1]:.1f} nats; weights differ by many nats.")
    print(f"K = 1: {bounds[0]:.2f} nats, K = 500: {bounds[-1]:.2f} nats")

# %% [markdown] role="text"
# **Look.** The curve has not ended at 500. From the effective number of samples on the right, why would even 500 be
# too few for some digits? What would the left curve look like if the encoder were exact?
#
# ### x1c. Tighter, and better? (written, 2 points)
#
# 1. Show that $\mathcal L_K \le \log p_\theta(x)$ and that $\mathcal L_{K+1} \ge \mathcal L_K$. (Write the mean of
#    $K+1$ weights as a mean over subsets of size $K$.) What is the limit for $K\to\infty$, if the weights are bounded?
#    (1 point)
# 2. Let $\hat L_K$ be the estimate from one draw of $K$ samples. Show that $\nabla_\theta \hat L_K = \sum_k \tilde
#    w_k\, \nabla_\theta \log w_k$ with normalised weights $\tilde w_k$. For large $K$, the gradient with respect to
#    the *encoder's* parameters $\phi$ becomes pure noise (Rainforth et al., ICML 2018). Why must its expected value
#    vanish, and which conclusion would you draw about training with large $K$, and about evaluating? (1 point)

# %% [markdown] role="written" part="x1c"
# ### BEGIN SOLUTION
# **1.** $\mathbb E[w_k] = \int q\,\frac{p(x, z)}{q}\,dz = p(x)$, so by Jensen $\mathcal L_K = \mathbb E\log\frac1K\sum
# w_k \le \log\mathbb E\frac1K\sum w_k = \log p(x)$. Let $S$ run over the $K+1$ subsets of $\{1,\dots,K+1\}$ of size
# $K$. Each $w_k$ is in $K$ of them, so
#
# $$
# \log \frac1{K+1}\sum_{k=1}^{K+1} w_k = \log\Big(\frac1{K+1}\sum_S \frac1K\sum_{k\in S} w_k\Big)
#   \ge \frac1{K+1}\sum_S \log\frac1K\sum_{k\in S}w_k,
# $$
#
# by Jensen for the uniform distribution over $S$. The expectation of every term on the right is $\mathcal L_K$, as the
# samples are exchangeable. Bounded weights: the mean converges to $p(x)$ almost surely (law of large numbers), and
# $\mathcal L_K\to\log p(x)$.
#
# **2.** $\nabla\log\sum_k w_k = \sum_k \nabla w_k/\sum_j w_j = \sum_k \tilde w_k\nabla\log w_k$ since $\nabla w_k = w_k
# \nabla\log w_k$. For $K\to\infty$ the bound tends to $\log p_\theta(x)$ whatever $\phi$ is: it becomes flat in $\phi$,
# and the expected gradient goes to zero (like $1/K$), while the standard deviation of its estimate falls only like
# $1/\sqrt K$. So the ratio of signal to noise falls like $1/\sqrt K$ (for $\theta$ it *grows* like $\sqrt K$). A
# tighter bound is better for the decoder and for evaluation, where more samples only help; for training, a moderate
# $K$ is a compromise, or the encoder is given another objective or estimator (for example the doubly reparametrised
# gradient).
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: unbiased weights and Jensen; the subsets argument; the limit log p(x)
# - 1 point: normalised weights in the gradient; a bound that does not depend on phi has no gradient; train and evaluate
# ### END MARK SCHEME

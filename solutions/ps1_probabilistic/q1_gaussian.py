# %% [markdown] role="text"
# ## 1. The Gaussian (12 points)
#
# A generative model is a probability density that we can **evaluate**, **fit** and **sample**. The Gaussian is the
# only density on $\mathbb{R}^D$ for which all three, and marginals and conditionals besides, are a few lines of
# linear algebra. Everything else in this problem set is assembled from it: a classifier is one Gaussian per class
# (question 2), a mixture is several Gaussians and a die (questions 3 and 4), and a denoiser is a Gaussian conditioned
# on a noisy observation (questions 5 and 6).
#
# For $x \in \mathbb{R}^D$, a mean $\mu$ and a symmetric positive definite covariance $\Sigma$,
#
# $$
# \log \mathcal{N}(x \mid \mu, \Sigma) = -\tfrac{1}{2}\Big[\,
#     \underbrace{(x-\mu)^\top \Sigma^{-1} (x-\mu)}_{\text{how far, in standard deviations, squared}}
#     + \underbrace{\log |\Sigma|}_{\text{how large a volume}}
#     + D \log 2\pi \,\Big]
# \qquad \text{(Bishop, PRML, eq. 2.43).}
# $$
#
# The first two terms pull against each other. Widening $\Sigma$ makes every point look closer, and costs volume.
# Fitting is the balance between the two.

# %% [markdown] role="text"
# ### 1a. Maximum likelihood (code, 4 points)
#
# Write `fit_gaussian`: the mean and covariance under which the rows of $X$ are most likely,
#
# $$
# \hat\mu = \frac{1}{N}\sum_{n=1}^N x_n, \qquad
# \hat\Sigma = \frac{1}{N}\sum_{n=1}^N (x_n-\hat\mu)(x_n-\hat\mu)^\top + \lambda I
# \qquad \text{(PRML eq. 2.121 and 2.122, with a ridge).}
# $$
#
# You derive both in 1c. Note the $1/N$: this is the maximum of the likelihood, not the unbiased estimate that
# `torch.cov` returns when you do not tell it otherwise.
#
# The **ridge** $\lambda \ge 0$ is added to the diagonal, once. It keeps $\hat\Sigma$ invertible when there are fewer
# examples than dimensions or when a direction has no variance. It is *not* part of the maximum likelihood estimate,
# so its default is 0.
#
# *Conventions of this set: examples are rows, tensors are float64 unless the input says otherwise (return the dtype
# that you were given), $\log$ is the natural logarithm.* Expect about 3 lines.


# %% role="answer" part="1a"
def fit_gaussian(X: Tensor, ridge: float = 0.0) -> tuple[Tensor, Tensor]:
    """Maximum-likelihood mean (D,) and covariance (D, D) of the rows of X (N, D); ridge is added to the diagonal."""
    ### BEGIN SOLUTION
    mu = X.mean(dim=0)
    centred = X - mu
    return mu, centred.T @ centred / len(X) + ridge * torch.eye(X.shape[1], dtype=X.dtype)
    ### END SOLUTION


# %% role="check" part="1a"
with check("1a") as c:
    two_points = torch.tensor([[0.0, 0.0], [2.0, 4.0]], dtype=torch.float64)
    mu, Sigma = fit_gaussian(two_points)
    c.shape(mu, (2,), "mu")
    c.shape(Sigma, (2, 2), "Sigma")
    c.close(mu, [1.0, 2.0], "the mean of two points is their midpoint")
    c.close(Sigma, [[1.0, 2.0], [2.0, 4.0]], "their covariance is the outer product of half their difference")
    c.close(fit_gaussian(two_points + 5.0)[1], Sigma, "shifting the data does not change the covariance")

# %% [markdown] role="text"
# **Look.** Why does the *whole* covariance matter? Each dot below is a pair of neighbouring pixels of a photograph,
# the ellipses are one and two standard deviations of a Gaussian. Each grey value alone says little; a pixel almost
# tells the value of its neighbour. How much of the plane does the model on the right consider that the one on the left
# rules out?

# %% role="run"
with experiment("neighbouring pixels, and the Gaussian that fits them"):
    pairs = torch.stack([photo[:, :-1].reshape(-1), photo[:, 1:].reshape(-1)], dim=1)  # (number of pairs, 2)
    pairs = pairs[torch.randperm(len(pairs), generator=torch.Generator().manual_seed(0))[:3000]]
    mu, Sigma = fit_gaussian(pairs)  # your answer to 1a
    fig, axes = plt.subplots(1, 2, figsize=(9, 4.2), sharex=True, sharey=True, layout="constrained")
    shapes = {"the whole covariance": Sigma, "its diagonal only": torch.diag(Sigma.diagonal())}
    for ax, (title, cov) in zip(axes, shapes.items(), strict=True):
        ax.scatter(pairs[:, 0], pairs[:, 1], s=2, alpha=0.3, color="grey")
        figures.ellipses(ax, mu[None], cov[None])
        ax.set(title=title, xlabel="a pixel", ylabel="its right neighbour", aspect="equal")
    figures.show(fig, "Pairs of neighbouring pixels lie along the diagonal; the full covariance follows them.")

# %% [markdown] role="text"
# ### 1b. The log-density (code, 5 points)
#
# Write `gaussian_logpdf`: $\log \mathcal{N}(x_n \mid \mu, \Sigma)$ of every row of $X$, in nats.
#
# Two temptations lead to wrong numbers in high dimension:
#
# * **`log(det(Sigma))`.** A determinant is a product of $D$ eigenvalues. With $D = 100$ and $\Sigma = 10^{-4} I$ it
#   is $10^{-400}$, which float64 rounds to 0. The sum of logarithms is harmless: $-921.03$.
# * **`inv(Sigma)`.** A linear system is all that is needed, and solving it is more accurate.
#
# Both are solved by one factorisation. With the Cholesky factor $\Sigma = LL^\top$ ($L$ lower triangular),
#
# $$
# (x-\mu)^\top\Sigma^{-1}(x-\mu) = \lVert L^{-1}(x-\mu)\rVert^2, \qquad \log|\Sigma| = 2\sum_d \log L_{dd}.
# $$
#
# The vector $z = L^{-1}(x-\mu)$ is the *whitened* example: under the model, its coordinates are independent and
# standard normal. Read backwards, $x = \mu + Lz$ draws a sample.
# `torch.linalg.cholesky` and `torch.linalg.solve_triangular` are all you need; an eigendecomposition is fine too.
# Expect about 4 lines, and no loop over examples.


# %% role="answer" part="1b"
def gaussian_logpdf(X: Tensor, mu: Tensor, Sigma: Tensor) -> Tensor:
    """Log-density (N,) of each row of X (N, D) under the Gaussian with mean mu (D,) and covariance Sigma (D, D)."""
    ### BEGIN SOLUTION
    L = torch.linalg.cholesky(Sigma)
    Z = torch.linalg.solve_triangular(L, (X - mu).T, upper=False)  # (D, N), the whitened examples
    log_det = 2 * L.diagonal().log().sum()
    return -0.5 * (Z.square().sum(dim=0) + log_det + X.shape[1] * math.log(2 * math.pi))
    ### END SOLUTION


# %% role="check" part="1b"
with check("1b") as c:
    X = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 3.0]], dtype=torch.float64)
    zero, eye = torch.zeros(2, dtype=torch.float64), torch.eye(2, dtype=torch.float64)
    got = gaussian_logpdf(X, zero, eye)
    c.shape(got, (3,), "one number per row")
    c.close(got, [-math.log(2 * math.pi) - half_square for half_square in (0.0, 0.5, 4.5)], "a standard normal in 2-D")
    stretched = gaussian_logpdf(2 * X, zero, 4 * eye)
    c.close(stretched, got - 2 * math.log(2), "data twice as wide in each of two dimensions: log 2 less per dimension")

# %% [markdown] role="text"
# ### Look: what one Gaussian knows about photographs
#
# Now three Gaussians are fitted to the 63 coefficients of 8 x 8 patches: an *isotropic* one (a single variance), one
# with a variance *per pixel*, and one with the *whole* covariance. We print the mean log-density of patches from
# **other** photographs, and draw samples $x = \mu + Lz$ from each.
#
# (The first two are written in the same 63 dimensions as the third, because only then may their nats be compared.)

# %% role="run"
with experiment("three Gaussians on patches: nats and samples"):
    mu, Sigma = fit_gaussian(X_train)
    pixel_variances = (basis @ Sigma @ basis.T).diagonal()
    models = {
        "isotropic": Sigma.diagonal().mean() * torch.eye(63, dtype=torch.float64),
        "a variance per pixel": basis.T @ torch.diag(pixel_variances) @ basis,
        "the whole covariance": Sigma,
    }
    figures.patches(X_test[:48] @ basis.T, "real patches, without their mean", columns=24, scale=0.3)
    z = torch.randn(48, 63, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for name, cov in models.items():
        nats = gaussian_logpdf(X_test, mu, cov).mean()
        samples = mu + z @ torch.linalg.cholesky(cov).T
        figures.patches(samples @ basis.T, f"samples, {name}: {nats:.1f} nats", columns=24, scale=0.3)

# %% [markdown] role="text"
# **Think about it** (no points; question 3 answers it). The whole covariance gains many nats, and its samples have
# the smooth shading of real patches. Yet nobody would take them for photographs: what do you see in the real patches
# that none of the samples has? Look at how contrast is spread over the real ones: many are almost flat, and a few
# hold a strong edge. Can *any* Gaussian do that?
#
# ### 1c. Where the estimator comes from (written, 3 points)
#
# Let $x_1, \dots, x_N \in \mathbb{R}^D$ be independent draws from $\mathcal{N}(\mu, \Sigma)$, and write
# $\Lambda = \Sigma^{-1}$.
#
# 1. Write down the log-likelihood $\ell(\mu, \Lambda)$ of all $N$ examples, and show that it is largest in $\mu$ at
#    $\hat\mu = \frac1N\sum_n x_n$, whatever $\Lambda$ is.
# 2. Maximise over $\Lambda$ to find $\hat\Sigma$. You may use
#    $\frac{\partial}{\partial \Lambda}\log|\Lambda| = \Lambda^{-\top}$ and
#    $\frac{\partial}{\partial \Lambda}\operatorname{tr}(\Lambda S) = S^\top$. Say why the stationary point is a
#    maximum.
# 3. Suppose $N \le D$. Show that the likelihood has no maximum: find covariances along which it grows without bound.
#    What does the ridge do about that?

# %% [markdown] role="written" part="1c"
# ### BEGIN SOLUTION
# **1.** With $S(\mu) = \frac1N\sum_n (x_n-\mu)(x_n-\mu)^\top$ and $a^\top\Lambda a = \operatorname{tr}(\Lambda
# aa^\top)$,
#
# $$
# \ell(\mu,\Lambda) = \sum_n \log\mathcal{N}(x_n\mid\mu,\Lambda^{-1})
#   = \frac N2\Big[\log|\Lambda| - \operatorname{tr}\big(\Lambda S(\mu)\big) - D\log 2\pi\Big].
# $$
#
# Its gradient is $\nabla_\mu \ell = \Lambda\sum_n (x_n - \mu)$. As $\Lambda$ is invertible, it vanishes only at
# $\hat\mu=\frac1N\sum_n x_n$, and as the Hessian $-N\Lambda$ is negative definite, this is the maximum for every
# $\Lambda$.
#
# **2.** Put $S = S(\hat\mu)$, which is symmetric. Then $\nabla_\Lambda \ell = \frac N2(\Lambda^{-1} - S)$, which
# vanishes at $\Lambda^{-1} = S$ if $S$ is invertible:
#
# $$\hat\Sigma = \frac1N\sum_n (x_n-\hat\mu)(x_n-\hat\mu)^\top.$$
#
# It is the global maximum because $\ell(\hat\mu,\Lambda)$ is concave in $\Lambda$: $\log|\Lambda|$ is concave on the
# positive definite matrices and the trace is linear. (Or: $\log|\Lambda|-\operatorname{tr}(\Lambda S)$ is, up to a
# constant, $\sum_d(\log\lambda_d-\lambda_d)$ in the eigenvalues $\lambda_d>0$ of $S^{1/2}\Lambda S^{1/2}$, and each
# term is largest at $\lambda_d=1$.)
#
# **3.** $S$ is a sum of $N$ outer products of vectors that sum to zero, so its rank is at most $N-1 < D$. Take a unit
# vector $u$ with $Su=0$, that is $u^\top(x_n-\hat\mu)=0$ for all $n$, and $\Sigma_\varepsilon = I -
# (1-\varepsilon)uu^\top$: variance $\varepsilon$ along $u$ and 1 across it. At $\mu=\hat\mu$ the quadratic term does
# not depend on $\varepsilon$ because the data have no extent along $u$, and $-\frac N2\log|\Sigma_\varepsilon| =
# -\frac N2\log\varepsilon \to \infty$ as $\varepsilon\to0$. The density collapses onto the hyperplane that holds all
# the data, and no maximum exists. With the ridge every eigenvalue of $\hat\Sigma=S+\lambda I$ is at least $\lambda$,
# so that $\hat\Sigma$ is invertible and the log-density is bounded by $-\frac D2\log(2\pi\lambda)$; the price is that
# the estimate is no longer the one of maximum likelihood.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: the log-likelihood of N examples; its gradient in the mean vanishes at the sample mean for every Lambda
# - 1 point: the gradient in Lambda set to zero gives the covariance with 1/N, with a reason why it is a maximum
# - 1 point: shrinking the variance along a direction without data is unbounded; the ridge bounds it from below
# ### END MARK SCHEME

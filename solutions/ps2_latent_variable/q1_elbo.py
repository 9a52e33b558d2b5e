# %% [markdown] role="text"
# ## 1. The evidence lower bound (10 points)
#
# A **latent variable model** tells how an image $x$ came about: first something hidden, $z \sim p(z) = \mathcal N(0,
# I)$ in a few dimensions, then the image, $x \sim p_\theta(x \mid z)$, whose parameters a neural network computes from
# $z$. Sampling is two lines. Evaluating is not:
#
# $$ p_\theta(x) = \int p(z)\, p_\theta(x \mid z)\, dz $$
#
# has no closed form, and averaging $p_\theta(x \mid z)$ over draws of the prior is hopeless: of a million random codes
# hardly one explains *this* image. We would have to draw $z$ from the posterior $p_\theta(z \mid x)$, which needs
# the very integral that we cannot do.
#
# Problem set 1 had a way out (its question 7): pick a density $q(z)$ that you *can* sample, and climb the **evidence
# lower bound**. There, each observation had its own $q$, fitted by its own optimisation. With 60,000 images that is too
# slow. The idea of Kingma and Welling (*Auto-encoding variational Bayes*, ICLR 2014) is to let a second network, the
# **encoder**, look at $x$ and name the parameters of $q_\phi(z \mid x)$ at once. Then
#
# $$
# \log p_\theta(x) \;\ge\; \text{ELBO}(x) \;=\;
#     \underbrace{\mathbb E_{q_\phi(z\mid x)}\big[\log p_\theta(x \mid z)\big]}_{\text{reconstruction}}
#     \;-\; \underbrace{\mathrm{KL}\big(q_\phi(z \mid x)\,\|\,p(z)\big)}_{\text{what the code costs}}
# \qquad\text{(Kingma and Welling, eq. 3),}
# $$
#
# and both networks climb it together. You derive the bound and its gap in 1d. First its four pieces, each a function of
# one or two lines, each with a classical mistake. All of them work on a batch: the first dimension of a result is the
# example, and nothing is averaged.
#
# ### 1a. Samples that can be differentiated (code, 2 points)
#
# The encoder returns `mu` and `logvar`, the mean and the logarithm of the **variance** of a diagonal Gaussian.
# Write `reparameterize`: with standard normal numbers $\varepsilon$,
#
# $$ z = \mu + \sigma \odot \varepsilon, \qquad \sigma = e^{\texttt{logvar}/2} . $$
#
# The noise is an argument, so $z$ is a smooth function of $\mu$ and `logvar`, and the gradient of whatever you compute
# from $z$ flows back into the encoder. `eps` has the shape of `mu`, or more dimensions in front: (K, B, L) gives $K$
# samples for each example.


# %% role="answer" part="1a"
def reparameterize(mu: Tensor, logvar: Tensor, eps: Tensor) -> Tensor:
    """Samples of N(mu, exp(logvar)), both (B, L), made from standard normal eps (..., B, L); the result is like eps."""
    ### BEGIN SOLUTION
    return mu + torch.exp(0.5 * logvar) * eps
    ### END SOLUTION


# %% role="check" part="1a"
with check("1a") as c:
    mu = torch.tensor([[1.0, -1.0], [0.0, 5.0]], dtype=torch.float64)
    logvar = torch.tensor([[0.0, math.log(9)], [math.log(4), 0.0]], dtype=torch.float64)
    eps = torch.tensor([[2.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
    got = reparameterize(mu, logvar, eps)
    c.shape(got, (2, 2), "z")
    c.close(got, [[3.0, 2.0], [-2.0, 5.0]], "standard deviations 1, 3, 2 and 1, times eps, beside the mean")
    many = reparameterize(mu, logvar, torch.zeros(7, 2, 2, dtype=torch.float64))
    c.shape(many, (7, 2, 2), "z, with seven samples of each example,")
    c.true(reparameterize(mu.clone().requires_grad_(), logvar, eps).requires_grad, "a gradient flows back into mu")
    c.true(reparameterize(mu, logvar.clone().requires_grad_(), eps).requires_grad, "and into logvar")

# %% [markdown] role="text"
# ### 1b. The price of a code (code, 2 points)
#
# Write `kl_diag`: $\mathrm{KL}(q\,\|\,p)$ between $q = \mathcal N(\mu_1, \operatorname{diag} e^{\ell_1})$ and
# $p = \mathcal N(\mu_2, \operatorname{diag} e^{\ell_2})$, with $\ell$ for `logvar`. It is a sum over latent dimensions,
#
# $$
# \mathrm{KL}(q\,\|\,p) = \frac12 \sum_{l} \Big[ \ell_{2l} - \ell_{1l}
#     + \frac{e^{\ell_{1l}} + (\mu_{1l}-\mu_{2l})^2}{e^{\ell_{2l}}} - 1 \Big],
# $$
#
# one number per example. Where `mu2` or `logvar2` is `None`, it is that of the standard normal: zero. (The standard
# normal alone would do for question 2; the general form is what you check and what ladder models need.) Note the
# order: the divergence is not symmetric.


# %% role="answer" part="1b"
def kl_diag(mu1: Tensor, logvar1: Tensor, mu2: Tensor | None = None, logvar2: Tensor | None = None) -> Tensor:
    """KL(N(mu1, exp(logvar1)) || N(mu2, exp(logvar2))), (B,), of diagonal Gaussians (B, L); None stands for zeros."""
    ### BEGIN SOLUTION
    mu2 = torch.zeros_like(mu1) if mu2 is None else mu2
    logvar2 = torch.zeros_like(logvar1) if logvar2 is None else logvar2
    squares = (logvar1 - logvar2).exp() + (mu1 - mu2).square() * (-logvar2).exp()
    return 0.5 * (logvar2 - logvar1 + squares - 1).sum(dim=1)
    ### END SOLUTION


# %% role="check" part="1b"
with check("1b") as c:
    mu = torch.tensor([[0.0, 0.0], [3.0, -4.0]], dtype=torch.float64)
    zero = torch.zeros_like(mu)
    got = kl_diag(mu, zero)
    c.shape(got, (2,), "the divergence")
    c.close(got, [0.0, 12.5], "unit variances: half the squared length of the mean")
    c.close(kl_diag(mu, zero + 0.3, mu, zero + 0.3), [0.0, 0.0], "a distribution does not differ from itself")
    wide = zero + math.log(4)
    c.close(kl_diag(zero, wide), [3 - 2 * math.log(2)] * 2, "variance 4 in two dimensions, against the standard normal")
    c.close(kl_diag(zero, zero, zero, wide), [2 * math.log(2) - 0.75] * 2, "and the other way round")

# %% [markdown] role="text"
# ### 1c. The likelihood of an image (code, 3 points)
#
# The decoder's output parametrises $p_\theta(x \mid z)$, in which all pixels are independent *given* $z$. Two choices:
#
# - **`bernoulli_logprob`**: each pixel is a coin. The decoder returns a *logit* $a_d$, any real number, and the
#   probability of ink is $\sigma(a_d) = 1/(1+e^{-a_d})$:
#   $$ \log p(x \mid z) = \sum_d \big[x_d \log \sigma(a_d) + (1 - x_d) \log(1 - \sigma(a_d))\big]. $$
#   Do not compute $\sigma$ first. At $a = 200$ it rounds to 1, and $\log(1-1) = -\infty$ although the true value is
#   $-200$; one such pixel ends a training run. Simplify on paper until only harmless functions are left (or know the
#   library). Pixels in between, $0 < x_d < 1$, are allowed; the formula is the same.
# - **`gaussian_logprob`**: each value is normal, $\mathcal N(x_d; m_d, e^{\ell_d})$, with all constants. `logvar` may
#   be one number for all values, or one per value: anything that broadcasts to the shape of `x`.
#
# All dimensions of `x` but the first are features, be they (B, D) or (B, C, H, W): **sum over all of them**. A mean
# over 784 pixels in place of the sum is the commonest mistake of all: it makes the reconstruction 784 times too cheap,
# and the divergence wins.


# %% role="answer" part="1c"
def bernoulli_logprob(x: Tensor, logits: Tensor) -> Tensor:
    """log p(x), (B,), of pixels x (B, ...) in [0, 1] under independent coins with these logits (B, ...)."""
    ### BEGIN SOLUTION
    return (x * logits - F.softplus(logits)).flatten(1).sum(dim=1)
    ### END SOLUTION


def gaussian_logprob(x: Tensor, mean: Tensor, logvar: Tensor) -> Tensor:
    """log p(x), (B,), of values x (B, ...) under independent N(mean, exp(logvar)); logvar broadcasts to x."""
    ### BEGIN SOLUTION
    squares = (x - mean).square() * torch.exp(-logvar)
    return -0.5 * (squares + logvar + math.log(2 * math.pi)).flatten(1).sum(dim=1)
    ### END SOLUTION


# %% role="check" part="1c"
with check("1c") as c:
    x = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
    zero = torch.zeros_like(x)
    got = bernoulli_logprob(x, zero)
    c.shape(got, (2,), "bernoulli_logprob")
    c.close(got, [-3 * math.log(2)] * 2, "three fair coins")
    sure = torch.tensor([[200.0, -200.0, 200.0]] * 2, dtype=torch.float64)
    c.close(bernoulli_logprob(x, sure), [0.0, -200.0], "sure and right costs nothing; sure and wrong costs 200 nats")
    c.close(gaussian_logprob(x, x, zero), [-1.5 * math.log(2 * math.pi)] * 2, "three standard normals at their mean")
    away = gaussian_logprob(x, x - 2, torch.tensor(math.log(9), dtype=torch.float64))
    c.close(away, [-1.5 * (4 / 9 + math.log(9) + math.log(2 * math.pi))] * 2, "all 2 from the mean, with variance 9")
    image = x.reshape(2, 1, 3, 1)
    c.shape(bernoulli_logprob(image, image), (2,), "bernoulli_logprob of images")
    c.shape(gaussian_logprob(image, image, image), (2,), "gaussian_logprob of images")

# %% [markdown] role="text"
# ### Look: a bound over all q
#
# A model small enough to know everything about it: $z \sim \mathcal N(0, 1)$ and $x \sim \mathcal N(z^2, 0.6^2)$. We
# have seen $x = 1.5$. The left picture has the exact posterior, by summing over a grid. The right one has *your* ELBO
# for every Gaussian $q = \mathcal N(\mu, \sigma^2)$: the exact log-evidence minus it is the gap in nats. The dashed
# curve on the left is the best $q$.

# %% role="run"
with experiment("the ELBO of every Gaussian q"):
    x_seen, noise_logvar = 1.5, torch.tensor(2 * math.log(0.6), dtype=torch.float64)

    def toy_logprob(z: Tensor) -> Tensor:
        """log p(x = 1.5 | z), (N,), for codes z (N,)."""
        return gaussian_logprob(torch.full_like(z, x_seen)[:, None], z[:, None] ** 2, noise_logvar)

    grid = torch.linspace(-4, 4, 2001, dtype=torch.float64)
    zero = torch.zeros(1, dtype=torch.float64)
    log_joint = toy_logprob(grid) + gaussian_logprob(grid[:, None], zero, zero)
    log_evidence = log_joint.logsumexp(0) + math.log(grid[1] - grid[0])

    means, stds = torch.linspace(-2, 2, 81, dtype=torch.float64), torch.linspace(0.05, 1.2, 60, dtype=torch.float64)
    mu, std = (t.reshape(-1, 1) for t in torch.meshgrid(means, stds, indexing="ij"))  # (81 * 60, 1)
    eps = torch.special.ndtri((torch.arange(200, dtype=torch.float64) + 0.5) / 200)[:, None, None]  # an even spread
    z = reparameterize(mu, 2 * std.log(), eps)  # (200, 81 * 60, 1)
    reconstruction = toy_logprob(z.reshape(-1)).reshape(200, -1).mean(0)
    elbo = reconstruction - kl_diag(mu, 2 * std.log())
    best = elbo.argmax()

    fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    left.plot(grid, (log_joint - log_evidence).exp(), label="posterior p(z | x = 1.5)")
    left.plot(grid, torch.distributions.Normal(mu[best], std[best]).log_prob(grid).exp(), "--", label="the best q")
    left.set(xlabel="z", ylabel="density")
    left.legend()
    gap = (log_evidence - elbo).reshape(81, 60).T
    contours = right.contour(means, stds, gap, levels=[0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 20], colors="black")
    right.clabel(contours)
    right.plot(mu[best], std[best], "o")
    right.set(xlabel="mean of q", ylabel="standard deviation of q", title=f"log p(x) = {log_evidence:.3f}; gap in nats")
    figures.show(fig, f"The posterior has two modes, the best q sits on one; the smallest gap is {gap.min():.3f} nats.")
    print(f"log p(x) = {log_evidence:.4f}, best ELBO = {elbo.max():.4f}")

# %% [markdown] role="text"
# **Look.** The gap is smallest at one mode and, by symmetry, at the other. It is a little more than $\log 2$: what do
# the two parts stand for? What happens to the gap if $q$ is made wide enough to cover both modes, and which of the
# two terms of the ELBO objects?
#
# ### 1d. The bound, its gap, and whom it favours (written, 3 points)
#
# 1. Derive $\log p_\theta(x) \ge \text{ELBO}(x)$ by Jensen's inequality. Then derive it again as an *equality*, with
#    the gap written as a divergence. When is the bound tight? Bring the ELBO into the form reconstruction minus
#    $\mathrm{KL}(q_\phi(z\mid x)\,\|\,p(z))$. (1 point)
# 2. Derive the formula of 1b from $\mathrm{KL}(q\,\|\,p) = \mathbb E_q[\log q - \log p]$, in one dimension first, and
#    say why dimensions add. Show from your formula that it is never negative. (1 point)
# 3. Training climbs $\sum_n \text{ELBO}(x_n)$ in $\theta$ and $\phi$ together. Why is the $\theta$ that it finds in
#    general *not* the one of maximum likelihood, even with a perfect optimiser and endless data? Which models does the
#    bound favour? Name the two different reasons for which $q_\phi(z\mid x)$ misses the posterior. (1 point)

# %% [markdown] role="written" part="1d"
# ### BEGIN SOLUTION
# **1.** For any density $q$ with $q > 0$ wherever $p_\theta(x, z) > 0$, the logarithm is concave, so
#
# $$
# \log p_\theta(x) = \log \int q(z)\,\frac{p_\theta(x, z)}{q(z)}\,dz
#   \ge \int q(z) \log \frac{p_\theta(x, z)}{q(z)}\,dz = \text{ELBO}(x).
# $$
#
# As an equality: $p_\theta(x,z) = p_\theta(x)\,p_\theta(z\mid x)$ and $\int q = 1$ give
#
# $$
# \text{ELBO}(x) = \mathbb E_q\Big[\log p_\theta(x) + \log\frac{p_\theta(z\mid x)}{q(z)}\Big]
#   = \log p_\theta(x) - \mathrm{KL}\big(q(z)\,\|\,p_\theta(z\mid x)\big).
# $$
#
# The gap is a divergence, so it is at least zero, and zero exactly if $q(z) = p_\theta(z \mid x)$ (almost everywhere).
# Splitting the joint the other way, $p_\theta(x, z) = p(z)\,p_\theta(x\mid z)$,
#
# $$
# \text{ELBO}(x) = \mathbb E_q[\log p_\theta(x\mid z)] + \mathbb E_q\Big[\log\frac{p(z)}{q(z)}\Big]
#   = \mathbb E_q[\log p_\theta(x \mid z)] - \mathrm{KL}(q\,\|\,p(z)).
# $$
#
# **2.** In one dimension, with variances $v_1 = e^{\ell_1}$ and $v_2 = e^{\ell_2}$, the constants $\log 2\pi$ cancel:
#
# $$
# \mathbb E_q[\log q - \log p]
#   = \tfrac12\Big[\log v_2 - \log v_1 - \frac{\mathbb E_q(z-\mu_1)^2}{v_1} + \frac{\mathbb E_q(z-\mu_2)^2}{v_2}\Big].
# $$
#
# $\mathbb E_q(z-\mu_1)^2 = v_1$, and $\mathbb E_q(z - \mu_2)^2 = v_1 + (\mu_1-\mu_2)^2$ because the cross term
# $2(\mu_1-\mu_2)\,\mathbb E_q(z-\mu_1)$ vanishes. That is the formula. With diagonal covariances both log-densities are
# sums over dimensions, so their difference is, and expectations add. Not negative: with $r = v_1/v_2 > 0$ each term is
# $\frac12[r - 1 - \log r + (\mu_1-\mu_2)^2/v_2]$, and $\log r \le r - 1$.
#
# **3.** By 1, $\sum_n \text{ELBO}(x_n) = \sum_n \log p_\theta(x_n) - \sum_n \mathrm{KL}\big(q_\phi(z\mid
# x_n)\,\|\,p_\theta(z\mid x_n)\big)$. The second sum depends on $\theta$ as well. Where it cannot be made zero, its
# gradient in $\theta$ is in general not zero at the maximum of the first sum, so the optimum moves: away from the
# largest likelihood, toward models whose *posteriors are easy for $q$*, that is, close to diagonal Gaussians (in the
# picture above: with one mode).
# The posterior is missed because (a) the family is too small: no diagonal Gaussian equals it (approximation gap); and
# (b) the encoder does not find the best member of the family for each $x$, since one network of limited capacity
# serves all images (amortisation gap).
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: Jensen, and the identity with gap KL(q || p(z|x)), tight exactly at the posterior, and the two-term form
# - 1 point: the expectation of both quadratic terms, the sum over dimensions, and log r <= r - 1 (or equivalent)
# - 1 point: the gap depends on theta too and favours models with simple posteriors; family and amortisation as reasons
# ### END MARK SCHEME

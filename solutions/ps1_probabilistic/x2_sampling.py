# %% [markdown] role="text"
# ## x2. Drawing samples (8 points)
#
# A model that can only be evaluated is half a model: we also want to draw from it, or to average over it. This
# extension goes from the easiest case to the hardest:
#
# | what you have | method | price |
# | --- | --- | --- |
# | a generative story | ancestral sampling | none, samples are exact and independent |
# | an unnormalised density, a proposal and a bound | rejection | most proposals are thrown away |
# | an unnormalised density and a proposal | importance weights | few samples carry all the weight |
# | an unnormalised density and a local proposal | Metropolis-Hastings | samples depend on one another |
#
# As everywhere in the course, **randomness is an argument**: your functions get uniform numbers `u` and standard
# normal numbers `eps` and are deterministic, so they can be tested exactly and every figure can be drawn again.

# %% [markdown] role="text"
# ### x2a. Ancestral sampling of a mixture (code, 2 points)
#
# A mixture tells how its data came about: first a component, $k \sim \pi$, then a point, $x \sim N(\mu_k, \Sigma_k)$.
#
# - *The component* by the inverse distribution function: the first $k$ with $u < \pi_1 + \dots + \pi_k$. Rounding may
#   leave the last sum a little below one; the last component then takes what is left.
# - *The point* as $x = \mu_k + L_k \varepsilon$ with the lower Cholesky factor, $\Sigma_k = L_k L_k^\top$.

# %% role="answer" part="x2a"
def sample_mixture(log_pi: Tensor, mus: Tensor, Sigmas: Tensor, u: Tensor, eps: Tensor) -> Tensor:
    """Samples (N, D) of a mixture log_pi (K,), mus (K, D), Sigmas (K, D, D), from uniform u (N,) and normal eps (N, D).

    Sample n is of the first component whose cumulative weight exceeds u[n], and has eps[n] times its Cholesky factor.
    """
    ### BEGIN SOLUTION
    k = torch.searchsorted(log_pi.exp().cumsum(0), u, right=True).clamp(max=len(log_pi) - 1)  # (N,)
    L = torch.linalg.cholesky(Sigmas)  # (K, D, D)
    return mus[k] + torch.einsum("nij,nj->ni", L[k], eps)
    ### END SOLUTION


# %% role="check" part="x2a"
with check("x2a") as c:
    toy_log_pi = torch.tensor([0.25, 0.75], dtype=torch.float64).log()
    toy_mus = torch.tensor([[0.0, 0.0], [10.0, 20.0]], dtype=torch.float64)
    toy_Sigmas = torch.tensor([[[1.0, 0.0], [0.0, 1.0]], [[4.0, 2.0], [2.0, 2.0]]], dtype=torch.float64)
    u, eps = torch.tensor([0.1, 0.4, 0.9], dtype=torch.float64), torch.ones(3, 2, dtype=torch.float64)
    toy_X = sample_mixture(toy_log_pi, toy_mus, toy_Sigmas, u, eps)
    c.shape(toy_X, (3, 2), "toy_X")
    c.close(toy_X[0], [1.0, 1.0], "u = 0.1 falls into the first quarter: component 0, whose covariance is the identity")
    c.close(toy_X[1], [12.0, 22.0], "u = 0.4 is component 1; its Cholesky factor is [[2, 0], [1, 1]]")

# %% [markdown] role="text"
# ### x2b. Rejection (code, 1 point)
#
# Now suppose that you can only evaluate $f(x) = Z p(x)$, without knowing $Z$. Draw $x$ from a proposal $q$ with
# $f(x) \le M q(x)$ everywhere, and keep it with probability $f(x) / (M q(x))$, that is, where $u$ is below this
# ratio. Densities in many dimensions underflow, so the function gets logarithms and must stay with them.


# %% role="answer" part="x2b"
def rejection_accept(log_f: Tensor, log_q: Tensor, log_M: float, u: Tensor) -> Tensor:
    """Which proposals are kept: bool (N,), from log f (N,), log q (N,), the bound's logarithm and uniform u (N,)."""
    ### BEGIN SOLUTION
    return u.log() < log_f - log_q - log_M
    ### END SOLUTION


# %% role="check" part="x2b"
with check("x2b") as c:
    log_f, log_q = torch.tensor([0.5, 0.5, 0.1]).log(), torch.tensor([0.5, 0.25, 0.25]).log()
    kept = rejection_accept(log_f, log_q, math.log(2.0), torch.tensor([0.7, 0.7, 0.15]))
    c.equal(kept.tolist(), [False, True, True], "the ratios are 1/2, 1 and 1/5; u is 0.7, 0.7 and 0.15")

# %% [markdown] role="text"
# ### x2c. Importance weights (code, 1 point)
#
# Instead of throwing proposals away, weigh them. With $w_n \propto f(x_n)/q(x_n)$, normalised to sum to one,
#
# $$ \mathbb{E}_p[h(x)] \approx \sum_n w_n h(x_n), \qquad Z \approx \frac1N \sum_n \frac{f(x_n)}{q(x_n)}, \qquad
# \text{ESS} = \frac{1}{\sum_n w_n^2} . $$
#
# The *effective sample size* tells how many equally weighted samples these are worth: $N$ if all weights are equal,
# 1 if one sample has all of it (Kong, 1992). It is the first thing to look at, and it is easily too
# optimistic: places where $f$ is large but $q$ never goes are not seen.


# %% role="answer" part="x2c"
def importance_weights(log_f: Tensor, log_q: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Normalised weights (N,), effective sample size () and log Z () from log f (N,) and log q (N,) of samples of q."""
    ### BEGIN SOLUTION
    log_ratio = log_f - log_q
    log_total = log_ratio.logsumexp(0)
    w = (log_ratio - log_total).exp()
    return w, 1 / (w**2).sum(), log_total - math.log(len(w))
    ### END SOLUTION


# %% role="check" part="x2c"
with check("x2c") as c:
    f, q = torch.tensor([3.0, 1.0], dtype=torch.float64), torch.tensor([0.5, 0.5], dtype=torch.float64)
    w, ess, log_Z = importance_weights(f.log() - 2000, q.log())
    c.close(w, [0.75, 0.25], "the first sample has three times the weight of the second, even far below the underflow")
    c.close(ess, 1.6, "1 / (9/16 + 1/16)")
    c.close(log_Z, math.log(4.0) - 2000, "the mean of 6 and 2 is 4; the factor exp(-2000) stays in the logarithm")

# %% [markdown] role="text"
# **One dimension is not ten.** The cell takes $p = N(0, I)$ and the seemingly harmless proposal $q = N(0, 1.5^2
# I)$, and measures how many of 20,000 samples survive rejection and what the weighted ones are worth. Question x2e
# asks you to derive the two lines.

# %% role="run"
with experiment("x2: rejection and importance weights in more and more dimensions"):
    generator, N, s = torch.Generator().manual_seed(3), 20_000, 1.5
    dimensions, kept_share, ess_share = [1, 2, 4, 8, 12, 16, 20, 24], [], []
    for D in dimensions:
        X = s * torch.randn(N, D, generator=generator, dtype=torch.float64)
        log_f = -(X**2).sum(1) / 2  # unnormalised
        log_q = -(X**2).sum(1) / (2 * s**2) - D * math.log(s)  # the same constant is missing
        u = torch.rand(N, generator=generator, dtype=torch.float64)
        kept_share.append(rejection_accept(log_f, log_q, D * math.log(s), u).double().mean().item())
        ess_share.append(importance_weights(log_f, log_q)[1].item() / N)
    figure, axis = plt.subplots(figsize=(6, 3.5), layout="constrained")
    axis.semilogy(dimensions, kept_share, "o", label="share kept by rejection")
    axis.semilogy(dimensions, ess_share, "s", label="effective sample size / N")
    axis.semilogy(dimensions, [s**-D for D in dimensions], "C0--", lw=1)
    axis.semilogy(dimensions, [(s**2 / math.sqrt(2 * s**2 - 1)) ** -D for D in dimensions], "C1--", lw=1)
    axis.set(xlabel="dimension", ylabel="share of N", title="a proposal 1.5 times too wide")
    axis.legend()
    figures.show(figure, "Both shares fall along straight lines on a log axis, rejection's much faster.")

# %% [markdown] role="text"
# ![What to expect: two straight lines on a log axis](figures/dimensions.png)
#
# ### x2d. Metropolis-Hastings (code, 2 points)
#
# Where no global proposal is good enough, propose a *local* step from where you are. From $x$ propose
# $x' \sim q(x' \mid x)$ and move there with probability
#
# $$ \alpha(x, x') = \min\!\left(1,\ \frac{f(x')\, q(x \mid x')}{f(x)\, q(x' \mid x)}\right), $$
#
# else **stay, and count the old state again**. The unknown $Z$ cancels. Move where $\log u < \log$ of the ratio.
#
# Your function runs $C$ chains side by side for $T$ steps. `propose(x, eps)` returns proposals $(C, D)$ and
# `log_q(new, old)` returns $\log q(\text{new} \mid \text{old})$, up to a constant, as $(C,)$; `log_f(x)` returns
# $(C,)$. Step `t` uses `eps[t]` and `u[t]`. A proposal where $f$ is zero has `log_f` equal to $-\infty$ and is
# refused; chains start where $f$ is positive.


# %% role="given"
from collections.abc import Callable


# %% role="answer" part="x2d"
def metropolis_hastings(
    log_f: Callable[[Tensor], Tensor],
    x0: Tensor,
    propose: Callable[[Tensor, Tensor], Tensor],
    log_q: Callable[[Tensor, Tensor], Tensor],
    eps: Tensor,
    u: Tensor,
) -> tuple[Tensor, Tensor]:
    """Chains (T, C, D), entry t being the states after step t, and which proposals were accepted, bool (T, C).

    C chains start at x0 (C, D); step t uses the noise eps[t], of eps (T, C, D), and the uniform u[t], of u (T, C).
    """
    ### BEGIN SOLUTION
    x, log_fx = x0, log_f(x0)
    chain, accepted = [], []
    for eps_t, u_t in zip(eps, u, strict=True):
        new = propose(x, eps_t)
        log_fnew = log_f(new)
        accept = u_t.log() < log_fnew + log_q(x, new) - log_fx - log_q(new, x)  # (C,)
        x, log_fx = torch.where(accept[:, None], new, x), torch.where(accept, log_fnew, log_fx)
        chain.append(x)
        accepted.append(accept)
    return torch.stack(chain), torch.stack(accepted)
    ### END SOLUTION


# %% role="check" part="x2d"
with check("x2d") as c:
    chain, accepted = metropolis_hastings(
        lambda x: -x[:, 0].abs(),
        torch.zeros(2, 1),
        lambda x, eps: x + eps,
        lambda new, old: torch.zeros(len(new)),
        eps=torch.tensor([[[1.0], [1.0]], [[-1.0], [2.0]]]),
        u=torch.tensor([[0.3, 0.5], [0.9, 0.1]]),
    )
    c.shape(chain, (2, 2, 1), "chain")
    c.equal(accepted.tolist(), [[True, False], [True, True]], "exp(-1) = 0.37 accepts u = 0.3 and refuses 0.5")
    c.close(chain[:, :, 0], [[1.0, 0.0], [0.0, 2.0]], "a refused chain stays where it was")

# %% [markdown] role="text"
# **Three ways to the same mixture.** The cell draws from a mixture of three Gaussians in the plane: ancestrally, by
# rejection from a wide Gaussian, and with a random walk of three step lengths. Look at the acceptance rate, at the
# path of a single chain, and at the share of time that it spends in each component (the weights are 0.5, 0.3 and
# 0.2). It takes a few seconds on two CPU cores.

# %% role="run"
with experiment("x2: three ways to the same mixture"):
    generator = torch.Generator().manual_seed(4)
    log_pi_2d = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64).log()
    mus_2d = torch.tensor([[-3.0, 0.0], [3.0, 1.0], [0.0, 4.0]], dtype=torch.float64)
    Sigmas_2d = torch.tensor([[[1.0, 0.8], [0.8, 1.0]], [[0.3, 0.0], [0.0, 2.0]], [[1.5, -0.7], [-0.7, 0.6]]]).double()
    components = torch.distributions.MultivariateNormal(mus_2d, Sigmas_2d)

    def log_mixture(x: Tensor) -> Tensor:
        """Log-density (C,) of the mixture at x (C, 2)."""
        return (log_pi_2d + components.log_prob(x[:, None])).logsumexp(1)

    def walk(step: float, T: int = 2500) -> tuple[Tensor, Tensor]:
        """One chain (T, 1, 2) of a random walk with steps of this length, and its accepted proposals (T, 1)."""
        eps = torch.randn(T, 1, 2, generator=generator, dtype=torch.float64)
        u = torch.rand(T, 1, generator=generator, dtype=torch.float64)
        start = torch.tensor([[-3.0, 0.0]], dtype=torch.float64)
        return metropolis_hastings(
            log_mixture, start, lambda x, eps: x + step * eps, lambda new, old: torch.zeros(len(new)).double(), eps, u
        )

    def shares(X: Tensor) -> str:
        """The share of the points X (N, 2) that lies nearest to each component."""
        nearest = components.log_prob(X[:, None]).argmax(1)
        return ", ".join(f"{share:.2f}" for share in torch.bincount(nearest, minlength=3) / len(X))

    N = 4000
    u, eps = torch.rand(N, generator=generator).double(), torch.randn(N, 2, generator=generator).double()
    wide = torch.distributions.MultivariateNormal(torch.tensor([0.0, 1.5]).double(), 12 * torch.eye(2).double())
    proposals = torch.tensor([0.0, 1.5]).double() + math.sqrt(12) * torch.randn(N, 2, generator=generator).double()
    log_ratio = log_mixture(proposals) - wide.log_prob(proposals)
    log_M = log_ratio.max().item() + 0.2  # no proof of a bound, only the largest ratio seen and a little more
    kept = rejection_accept(log_mixture(proposals), wide.log_prob(proposals), log_M, u)
    pictures = {
        "ancestral": sample_mixture(log_pi_2d, mus_2d, Sigmas_2d, u, eps),
        f"rejection, {kept.sum()} kept": proposals[kept],
    }
    for step in (0.2, 1.5, 20.0):
        chain, accepted = walk(step)
        pictures[f"walk, step {step}, {accepted.double().mean():.0%} accepted"] = chain[:, 0]
    figure, axes = plt.subplots(1, 5, figsize=(15, 3.3), sharex=True, sharey=True)
    for axis, (name, X) in zip(axes, pictures.items(), strict=True):
        axis.plot(*X.T, "-" if "walk" in name else ".", lw=0.3, ms=1.5)
        axis.set_title(f"{name}\n{shares(X)}", fontsize=8)
    figures.show(figure, f"Samples of one mixture by five ways: {', '.join(pictures)}.")

# %% [markdown] role="text"
# ![What to expect: two clouds of samples, then a walk too timid, one that works, one too bold](figures/five_ways.png)
#
# ### x2e. Why it works, and when it does not (written, 2 points)
#
# 1. Show that the Metropolis-Hastings step satisfies *detailed balance*, $p(x)\,T(x' \mid x) = p(x')\,T(x \mid x')$
#    for $x \ne x'$, and that $p$ is therefore left unchanged by it. Why must a refused proposal repeat the old
#    state?
# 2. For $p = N(0, I)$ and $q = N(0, s^2 I)$ in $D$ dimensions, derive the acceptance rate of rejection with the
#    best $M$ ($s \ge 1$) and the limit of $\text{ESS}/N$ for many samples. What happens to the weights for $s^2 \le
#    1/2$? Compare with the figure, and say, with the numbers for $s = 1.5$, why patches of 63 dimensions are out of
#    reach for both.

# %% [markdown] role="written" part="x2e"
# ### BEGIN SOLUTION
# 1. For $x \ne x'$ the chain moves by proposing and accepting: $T(x' \mid x) = q(x' \mid x)\,\alpha(x, x')$. Then
#    $p(x)\,q(x' \mid x)\,\alpha(x, x') = \min\bigl(p(x)\,q(x' \mid x),\ p(x')\,q(x \mid x')\bigr)$, which does not
#    change when $x$ and $x'$ are exchanged; $Z$ cancels inside $\alpha$. Integrating over $x$ (the
#    stay-where-you-are part of $T$ satisfies the equation trivially): $\int p(x)\,T(x' \mid x)\,dx = p(x') \int T(x
#    \mid x')\,dx = p(x')$. The last step needs $T(\cdot \mid x')$ to integrate to one, and it only does if the
#    refused mass stays at $x'$. Dropping refused steps would give too little time to exactly those states from
#    which most proposals lead downhill, the peaks.
# 2. The smallest bound is $M = \max_x p/q = s^D$, reached at $x = 0$ for $s \ge 1$. A proposal is kept with
#    probability $\mathbb{E}_q[p/(Mq)] = 1/M = s^{-D}$. By the law of large numbers $\text{ESS}/N \to
#    (\mathbb{E}_q[p/q])^2 / \mathbb{E}_q[(p/q)^2] = 1 / \int p^2/q$. Dimensions factor, and in one of them $\int
#    \frac{p^2}{q} = \frac{s}{\sqrt{2\pi}} \int e^{-x^2 (1 - 1/(2s^2))}\,dx = \frac{s^2}{\sqrt{2s^2 - 1}}$, so the
#    limit is $(s^2/\sqrt{2s^2-1})^{-D}$. For $s^2 \le 1/2$ the integral diverges: the weights have infinite
#    variance, and the ESS of a finite sample is only an accident. At $s = 1.5$ the bases are 1.5 and 1.203, the two
#    lines of the figure. At $D = 63$ that is $8 \cdot 10^{-12}$ and $9 \cdot 10^{-6}$: both fall exponentially with
#    the dimension, although the proposal is only 1.5 times too wide in each direction.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 0.5 points: detailed balance from the symmetric minimum
# - 0.5 points: invariance by integration, and the refused mass that makes the kernel integrate to one
# - 0.5 points: the acceptance rate of rejection, and the limit of the effective sample size
# - 0.5 points: infinite variance for a narrow proposal; exponential decay, with a number for 63 dimensions
# ### END MARK SCHEME

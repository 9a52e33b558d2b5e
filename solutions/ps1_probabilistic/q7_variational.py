# %% [markdown] role="text"
# ## 7. Variational inference and its gradients (10 points)
#
# In questions 3 to 5 Bayes' rule was an exact computation: the evidence was a sum over $K$ components. Change one thing
# in the model (a nonlinearity, a decoder network) and the integral $p(x) = \int p(x, z)\, dz$ has no closed form, and
# neither has $p(z \mid x) = p(x, z) / p(x)$. The joint $\log p(x, z)$ is still easy: multiply prior and likelihood.
#
# *Variational inference* turns the integral into an optimisation. Choose a family of densities $q(z)$ that you can
# sample and evaluate, and note that for **any** $q$
#
# $$\log p(x)
# = \underbrace{\mathbb E_{q}\bigl[\log p(x, z) - \log q(z)\bigr]}_{\text{ELBO}(q)}
# + \underbrace{\mathbb E_q\bigl[\log q(z) - \log p(z \mid x)\bigr]}_{\mathrm{KL}(q \Vert p(\cdot \mid x))\ \ge\ 0} .$$
#
# (Check it: put the two expectations together and use $p(x, z) = p(z \mid x)\, p(x)$.) The left side does not depend on
# $q$, so raising the ELBO, the *evidence lower bound*, lowers the KL divergence to the posterior without ever computing
# the posterior. EM was the special case in which $q$ could be made exact at every step.
#
# Throughout, $q$ is a Gaussian with diagonal covariance: $q(z) = \prod_d \mathcal N(z_d; \mu_d, e^{\ell_d})$, with
# parameters `q_mu` $= \mu$ and `q_logvar` $= \ell$, both (D,). The logarithm of the *variance* is a free real number,
# so that an optimiser cannot make a variance negative. The observation $x$ is fixed and hidden inside `log_joint`, a
# function that you are given: it takes $z$ of shape (S, D) to $\log p(x, z)$ of shape (S,), each row for itself.

# %% role="given"
from collections.abc import Callable

# %% [markdown] role="text"
# ### 7a. The ELBO by sampling (code, 3 points)
#
# The expectation needs samples. All randomness comes in as an argument: `eps` (S, D) holds standard normal numbers, and
# $z_s = \mu + e^{\ell/2} \odot \varepsilon_s$ is then a sample of $q$. Return, for every $s$,
#
# $$ f_s = \log p(x, z_s) - \log q(z_s), $$
#
# with $\log q$ evaluated *at the sample* (do not replace it by its expectation) and with all its constants. The mean of
# $f_s$ estimates the ELBO.


# %% role="answer" part="7a"
def elbo_mc(log_joint: Callable[[Tensor], Tensor], q_mu: Tensor, q_logvar: Tensor, eps: Tensor) -> Tensor:
    """ELBO samples (S,) of q = N(q_mu (D,), diag exp(q_logvar (D,))) at z = q_mu + std * eps (S, D)."""
    ### BEGIN SOLUTION
    z = q_mu + torch.exp(q_logvar / 2) * eps
    log_q = -0.5 * (eps**2 + q_logvar + math.log(2 * math.pi)).sum(1)
    return log_joint(z) - log_q
    ### END SOLUTION


# %% role="check" part="7a"
with check("7a") as c:
    # p(x, z) = 5 N(z; 1, 4): the evidence is 5, whatever z.
    def toy(z: Tensor) -> Tensor:
        return math.log(5) + torch.distributions.Normal(1.0, 2.0).log_prob(z).sum(-1)

    exact = (torch.tensor([1.0], dtype=torch.float64), torch.tensor([math.log(4)], dtype=torch.float64))
    got = elbo_mc(toy, *exact, torch.tensor([[0.0], [1.0], [-3.0]], dtype=torch.float64))
    c.shape(got, (3,), "one value per sample")
    c.close(got, [math.log(5)] * 3, "when q is the posterior every sample is exactly the log-evidence")

# %% [markdown] role="text"
# The check shows something worth a pause. When $q$ is the posterior, $p(x, z) / q(z) = p(x)$ for every $z$: the
# estimate has *no variance at all*. Noise in the ELBO measures how far $q$ is from the truth.
#
# To climb the ELBO we need its gradient with respect to $\mu$ and $\ell$. The expectation is taken under $q$, which
# moves with them, so the gradient does not simply slip inside. There are two ways out.

# %% [markdown] role="text"
# ### 7b. Move the samples: the reparametrised gradient (code, 3 points)
#
# Written as a function of $\varepsilon$, whose distribution does not depend on anything, the expectation stands still
# and the gradient slips inside (Kingma and Welling, *Auto-encoding variational Bayes*, 2014; Rezende, Mohamed and
# Wierstra, *Stochastic backpropagation and approximate inference in deep generative models*, 2014):
#
# $$ \nabla_{\mu, \ell}\; \mathbb E_\varepsilon\bigl[f(\mu + e^{\ell/2} \odot \varepsilon;\, \mu, \ell)\bigr]
# = \mathbb E_\varepsilon\bigl[\nabla_{\mu, \ell}\, f(\mu + e^{\ell/2} \odot \varepsilon;\, \mu, \ell)\bigr] . $$
#
# Return the gradient *of every sample*, not their mean: row $s$ of the first result is $\nabla_\mu f_s$, row $s$ of the
# second is $\nabla_\ell f_s$, with $\varepsilon_s$ held fixed. It is the total derivative of 7a: through $z_s$ into
# both terms, and through $\mu$ and $\ell$ where $\log q$ mentions them. You may use autograd or the chain rule.
# `log_joint` is made of torch operations.
#
# *Hint for autograd:* rows do not mix, so the gradient of $\sum_s f_s$ with respect to an (S, D) copy of the
# parameters, one row per sample, holds all the gradients at once.


# %% role="answer" part="7b"
def reparam_grad(
    log_joint: Callable[[Tensor], Tensor], q_mu: Tensor, q_logvar: Tensor, eps: Tensor
) -> tuple[Tensor, Tensor]:
    """Gradients (S, D), (S, D) of each ELBO sample with respect to q_mu and q_logvar, with eps (S, D) held fixed."""
    ### BEGIN SOLUTION
    copies = [parameter.expand_as(eps).requires_grad_() for parameter in (q_mu, q_logvar)]
    return torch.autograd.grad(elbo_mc(log_joint, *copies, eps).sum(), copies)
    ### END SOLUTION


# %% role="check" part="7b"
with check("7b") as c:
    # log p(x, z) = -z^2 / 2 at mu = 3, variance 4, eps = 1: z = 5.
    by_mu, by_logvar = reparam_grad(
        lambda z: -0.5 * (z**2).sum(-1),
        torch.tensor([3.0], dtype=torch.float64),
        torch.tensor([math.log(4)], dtype=torch.float64),
        torch.tensor([[1.0], [0.0]], dtype=torch.float64),
    )
    c.shape(by_mu, (2, 1), "one gradient per sample")
    c.close(by_mu, [[-5.0], [-3.0]], "moving the mean moves the sample: -z")
    c.close(by_logvar, [[-4.5], [0.5]], "-z * std * eps / 2, and 1/2 from the entropy")

# %% [markdown] role="text"
# ### 7c. Reweigh the samples: the score-function gradient (code, 2 points)
#
# What if $z$ is discrete, or $\log p(x, z)$ comes out of a simulator that cannot be differentiated? Then leave the
# samples where they are and ask how their *probability* changes. With $\nabla q = q\, \nabla \log q$,
#
# $$ \nabla_{\mu,\ell}\, \mathbb E_q[f(z)] = \mathbb E_q\bigl[ (f(z) - b)\, \nabla_{\mu,\ell} \log q(z) \bigr],
# \qquad f(z) = \log p(x, z) - \log q(z), $$
#
# for any constant $b$, the *baseline*. Two facts are used, and you should see why both hold: $\mathbb E_q[\nabla \log
# q] = 0$, hence $b$ changes nothing on average; and for the same reason the dependence of $f$ itself on $\mu$ and
# $\ell$ contributes nothing. This is REINFORCE (Williams, *Simple statistical gradient-following algorithms for
# connectionist reinforcement learning*, 1992); for variational inference see Ranganath, Gerrish and Blei (*Black box
# variational inference*, 2014).
#
# Return $(f_s - b)\, \nabla_\mu \log q(z_s)$ and $(f_s - b)\, \nabla_\ell \log q(z_s)$ for every sample, where the
# gradient of $\log q$ is taken with $z_s$ *held fixed*. Use only the values of `log_joint`: it may not be
# differentiable. The gradients of $\log q$ are short enough for paper.


# %% role="answer" part="7c"
def score_function_grad(
    log_joint: Callable[[Tensor], Tensor], q_mu: Tensor, q_logvar: Tensor, eps: Tensor, baseline: float = 0.0
) -> tuple[Tensor, Tensor]:
    """(ELBO sample - baseline) times the gradient of log q at the fixed sample, for q_mu and q_logvar, each (S, D)."""
    ### BEGIN SOLUTION
    reward = (elbo_mc(log_joint, q_mu, q_logvar, eps) - baseline)[:, None]
    return reward * eps * torch.exp(-q_logvar / 2), reward * (eps**2 - 1) / 2
    ### END SOLUTION


# %% role="check" part="7c"
with check("7c") as c:
    # Where log p(x, z) - log q(z) equals the baseline, a sample says nothing.
    quiet = score_function_grad(toy, *exact, torch.tensor([[0.5], [-2.0]], dtype=torch.float64), baseline=math.log(5))
    c.shape(quiet[0], (2, 1), "one gradient per sample")
    c.close(quiet[0], [[0.0], [0.0]], "the posterior, with its log-evidence as baseline: no signal, no noise")
    loud = score_function_grad(toy, *exact, torch.tensor([[1.0], [0.0]], dtype=torch.float64))
    c.close(loud[0], [[math.log(5) / 2], [0.0]], "the log-evidence times eps / std")

# %% [markdown] role="text"
# ### Look: climbing the ELBO
#
# The target has two modes, one twice as heavy as the other. Your `reparam_grad` climbs from two starts; next to it
# stands the Gaussian with the target's own mean and covariance, which is what *maximum likelihood* on samples of the
# target would give.

# %% role="run"
with experiment("a Gaussian for two modes"):
    two_pi = torch.tensor([2 / 3, 1 / 3], dtype=torch.float64).log()
    two_centres = torch.tensor([[-2.5, -0.5], [2.5, 1.0]], dtype=torch.float64)
    two_shapes = torch.tensor([[[0.6, 0.5], [0.5, 0.8]], [[0.5, -0.2], [-0.2, 0.4]]], dtype=torch.float64)

    def two_modes(z: Tensor) -> Tensor:
        return gmm_log_joint(z, two_pi, two_centres, two_shapes).logsumexp(1)

    def climb(q_mu: Tensor, q_logvar: Tensor, steps: int = 300, S: int = 20, rate: float = 0.05) -> list[Tensor]:
        """Stochastic gradient ascent on the ELBO; returns the last q_mu, q_logvar and an estimate of the ELBO."""
        generator = torch.Generator().manual_seed(7)
        for step in range(steps):
            eps = torch.randn(S, len(q_mu), generator=generator, dtype=torch.float64)
            by_mu, by_logvar = reparam_grad(two_modes, q_mu, q_logvar, eps)
            now = rate * (1 - step / steps)
            q_mu, q_logvar = q_mu + now * by_mu.mean(0), q_logvar + now * by_logvar.mean(0)
        eps = torch.randn(4000, len(q_mu), generator=generator, dtype=torch.float64)
        return [q_mu, q_logvar, elbo_mc(two_modes, q_mu, q_logvar, eps).mean()]

    starts = torch.tensor([[-1.0, -3.0], [4.0, -1.0]], dtype=torch.float64)
    ends = [climb(start, torch.zeros(2, dtype=torch.float64)) for start in starts]
    ticks = torch.linspace(-5, 5, 121, dtype=torch.float64)
    plane = two_modes(torch.cartesian_prod(ticks, ticks)).reshape(121, 121).T.exp()
    mean = two_pi.exp() @ two_centres
    spread = torch.einsum(
        "k,kij->ij", two_pi.exp(), two_shapes + torch.einsum("ki,kj->kij", two_centres - mean, two_centres - mean)
    )
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.5), sharex=True, sharey=True, layout="constrained")
    for ax in axes:
        ax.contour(ticks, ticks, plane, levels=8, colors="gray", linewidths=0.7)
        ax.set_aspect("equal")
    axes[0].plot(*starts.T, "k.", label="starts")
    figures.ellipses(axes[0], torch.stack([end[0] for end in ends]), torch.stack([end[1].exp().diag() for end in ends]))
    figures.ellipses(axes[1], mean[None], spread[None])
    axes[0].set_title("highest ELBO: " + ", ".join(f"{end[2]:.2f}" for end in ends))
    axes[1].set_title("maximum likelihood")
    figures.show(
        figure, "Left: each start ends on one mode, with an upright ellipse. Right: one ellipse over both modes."
    )

# %% [markdown] role="text"
# ![What to expect: one mode each on the left, both on the right](figures/two_modes.png)
#
# **Look.** The log-evidence is 0 here. What would the ELBO be if $q$ could match the heavy mode exactly, and what is
# the rest of the gap? (Compare the shapes.) Why are the ellipses on the left *smaller* than the mode that they sit on?
#
# ### Look: the noise of two gradients
#
# One coordinate of the gradient in $\mu$, in more and more dimensions: $q$ is a standard normal and the posterior is
# off by $\delta_d = 0.1$ in each of $D$ coordinates, with a log-evidence of $-1.5\,D$. Marks are the variance of 20,000
# of your single-sample gradients.

# %% role="run"
with experiment("the variance of two gradients"):
    dimensions, marks = [1, 3, 10, 30, 100], {"reparametrised": [], "score, b = 0": [], "score, b = ELBO": []}
    for D in dimensions:
        generator = torch.Generator().manual_seed(D)
        eps = torch.randn(20_000, D, generator=generator, dtype=torch.float64)
        zero, off = torch.zeros(D, dtype=torch.float64), torch.full((D,), 0.1, dtype=torch.float64)

        def shifted(z: Tensor, off: Tensor = off) -> Tensor:
            return -1.5 * z.shape[1] + torch.distributions.Normal(off, 1.0).log_prob(z).sum(-1)

        elbo = -1.5 * D - 0.5 * (off**2).sum().item()
        gradients = [
            reparam_grad(shifted, zero, zero, eps),
            score_function_grad(shifted, zero, zero, eps),
            score_function_grad(shifted, zero, zero, eps, baseline=elbo),
        ]
        for name, (by_mu, _) in zip(marks, gradients, strict=True):
            marks[name].append(by_mu[:, 0].var().item())
    figure, ax = plt.subplots(figsize=(6, 4))
    for (name, variances), style in zip(marks.items(), ("o-", "s--", "^-."), strict=True):
        ax.loglog(dimensions, variances, style, label=name)
    ax.set(xlabel="dimensions D", ylabel="variance of one coordinate")
    ax.legend()
    figures.show(
        figure, "Without baseline the variance grows quadratically, with it linearly; reparametrised it stays 1."
    )

# %% [markdown] role="text"
# ![What to expect: a flat line, a steep one above it, and one that rises to it from below](figures/variance.png)
#
# **Look.** In low dimension the score-function gradient with a good baseline *beats* the reparametrised one. Where do
# the two lines cross? Predict it from your formula in 7d before you read it off. Variational autoencoders (problem set
# 2) have hundreds of dimensions; language models fine-tuned by reinforcement (problem set 4) cannot differentiate their
# reward. Which estimator does each of them use?

# %% [markdown] role="text"
# ### 7d. Which divergence, which gradient? (written, 2 points)
#
# 1. Maximising the ELBO minimises $\mathrm{KL}(q \Vert p)$ where maximum likelihood (question 1) minimised
#    $\mathrm{KL}(p \Vert q)$. Let $p(z \mid x)$ have two well separated modes of equal weight and $q$ be one Gaussian.
#    What does each divergence choose, and which integrand forces it to? (1 point)
# 2. Let the posterior be $\mathcal N(m, I)$ in $D$ dimensions and $q = \mathcal N(\mu, I)$, off by $\delta = \mu - m$.
#    Give the variance of coordinate $d$ of both gradients with respect to $\mu$, the second for any baseline $b$.
#    (Write $f$ in terms of $\varepsilon$ and $\delta$ first.) Which of the two variances grows with $D$ when all
#    $\delta_d$ are equal, which one vanishes at the optimum, and what is the best $b$? (1 point)

# %% [markdown] role="written" part="7d"
# ### BEGIN SOLUTION
# **1.** $\mathrm{KL}(q \Vert p) = \int q \log (q/p)$ is huge wherever $q$ has mass and $p$ has none, so $q$ must avoid
# the gap between the modes: it settles on *one* of them and ignores the other, which costs only $\log 2$.
# $\mathrm{KL}(p \Vert q) = \int p \log (p/q)$ is huge wherever $p$ has mass and $q$ has none, so $q$ must cover *both*:
# it takes the mean and variance of $p$ and puts most of its mass into the gap.
#
# **2.** With $z = \mu + \varepsilon$ and $z - m = \varepsilon + \delta$,
# $f = \log p(x) - \frac12 \lVert \varepsilon + \delta \rVert^2 + \frac12 \lVert \varepsilon \rVert^2
# = \bar f - \varepsilon^\top \delta$ with $\bar f = \log p(x) - \frac12 \lVert \delta \rVert^2$, the ELBO.
#
# Reparametrised: $\nabla_\mu f = -(\varepsilon + \delta)$ (as $\log q$ at the sample does not depend on $\mu$). Its
# variance is 1 per coordinate, in any dimension and at the optimum too.
#
# Score function: $g_d = (\bar f - b - \varepsilon^\top\delta)\, \varepsilon_d$ has the mean $-\delta_d$ and, because
# odd moments vanish, the second moment $(\bar f - b)^2 + \lVert\delta\rVert^2 + 2 \delta_d^2$. Hence
# $\operatorname{Var} g_d = (\bar f - b)^2 + \lVert \delta \rVert^2 + \delta_d^2$.
#
# The best baseline is $b = \bar f$, the ELBO itself. What is left, $\lVert\delta\rVert^2 + \delta_d^2$, grows with $D$:
# each coordinate hears the noise of all the others. It vanishes at the optimum, where the reparametrised gradient stays
# noisy.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: KL(q||p) picks one mode, KL(p||q) covers both and the gap, each with the integrand as the reason
# - 1 point: variances 1 and (f_bar - b)^2 + |delta|^2 + delta_d^2, the best b, and what grows and what vanishes
# ### END MARK SCHEME

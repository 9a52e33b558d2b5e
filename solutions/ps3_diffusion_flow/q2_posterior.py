# %% [markdown] role="text"
# ## 2. One step back, and four names for it (12 points)
#
# The way back starts at pure noise and needs $q(x_{t-1}\mid x_t)$: where may this noisy point have been one step ago?
# That depends on what the data looks like, so it has to be learnt. But suppose that a fairy told us the clean example
# $x_0$. Then there is nothing left to learn: $x_{t-1}$ given $x_0$ is Gaussian (that was the jump), $x_t$ given
# $x_{t-1}$ is Gaussian (that was the step), and by the rule of Bayes
#
# $$
# q(x_{t-1}\mid x_t, x_0) \;\propto\; q(x_t\mid x_{t-1})\; q(x_{t-1}\mid x_0)
#   \;=\; \mathcal N\big(x_{t-1}\,\big|\,\tilde\mu_t(x_t, x_0),\ \tilde\beta_t I\big),
# $$
#
# $$
# \tilde\mu_t = \frac{\sqrt{\bar\alpha_{t-1}}\,\beta_t}{1-\bar\alpha_t}\,x_0
#   + \frac{\sqrt{1-\beta_t}\,(1-\bar\alpha_{t-1})}{1-\bar\alpha_t}\,x_t,
# \qquad
# \tilde\beta_t = \frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}\,\beta_t
# \qquad\text{(Ho et al., 2020, eq. 6 and 7).}
# $$
#
# The mean is a compromise between two opinions, "go to $x_0$" and "stay near $x_t$", each with a weight that you derive
# in 2c. All of diffusion is this step, with the network in the part of the fairy.
#
# ### 2a. The step, if the clean example were known (code, 4 points)
#
# Write `q_posterior`. It returns the mean (B, ...) and the variance (B, 1, ..., 1) of $x_{t-1}$. A schedule says
# everything: $\beta_t = 1-\bar\alpha_t/\bar\alpha_{t-1}$. At $t=0$ the step back leads to clean data,
# $\bar\alpha_{-1}=1$, and nothing is uncertain: the mean must be $x_0$ and the variance 0, not NaN. (With
# `alpha_bar_at`, which knows time $-1$, you need no special case.)


# %% role="answer" part="2a"
def q_posterior(x0: Tensor, xt: Tensor, t: Tensor, alpha_bar: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (B, ...) and variance (B, 1, ..., 1) of x one step before t (B,), given x0 and xt (B, ...)."""
    ### BEGIN SOLUTION
    share, earlier = alpha_bar_at(alpha_bar, t, xt), alpha_bar_at(alpha_bar, t - 1, xt)
    beta = 1 - share / earlier
    to_x0 = earlier.sqrt() * beta / (1 - share)
    to_xt = (1 - beta).sqrt() * (1 - earlier) / (1 - share)
    return to_x0 * x0 + to_xt * xt, beta * (1 - earlier) / (1 - share)
    ### END SOLUTION


# %% role="check" part="2a"
with check("2a") as c:
    shares, t = torch.tensor([0.5, 0.25], dtype=torch.float64), torch.tensor([1, 0])
    one, zero = torch.ones(2, 3, dtype=torch.float64), torch.zeros(2, 3, dtype=torch.float64)
    mean, var = q_posterior(one, zero, t, shares)
    c.shape(mean, (2, 3), "the mean")
    c.shape(var, (2, 1), "the variance")
    c.close(var.flatten(), [1 / 3, 0.0], "beta is 1/2, times (1 - 1/2) / (1 - 1/4); and nothing is uncertain at t = 0")
    c.close(mean, [[0.5**0.5 * 0.5 / 0.75] * 3, [1.0] * 3], "from xt = 0 towards x0 = 1, and all the way at t = 0")
    mean, _ = q_posterior(zero, one, t, shares)
    c.close(mean, [[0.5**0.5 * 0.5 / 0.75] * 3, [0.0] * 3], "from xt = 1 towards x0 = 0")

# %% [markdown] role="text"
# ### 2b. Four names for one prediction (code, 4 points)
#
# A network has to stand in for the fairy. What should it predict? Given $x_t$, each of these determines the others:
#
# | predict | which is | |
# | --- | --- | --- |
# | the clean example | $x_0$ | solve $x_t=\sqrt{\bar\alpha_t}\,x_0+\sqrt{1-\bar\alpha_t}\,\epsilon$ for it |
# | the noise | $\epsilon$ | solve the same equation for it; Ho et al. (2020) |
# | a mixture of both | $v=\sqrt{\bar\alpha_t}\,\epsilon-\sqrt{1-\bar\alpha_t}\,x_0$ | Salimans and Ho (2022) |
# | the score | $\nabla_{x_t}\log q_t(x_t)$ | see below; Song et al. (2021) |
#
# The last one deserves a derivation. Let $q_t$ be the density of noisy data. The gradient of its logarithm, the
# **score**, points to where data gets denser. Tweedie's formula, which you proved in problem set 1, is here $\mathbb
# E[\sqrt{\bar\alpha_t}\,x_0\mid x_t] = x_t + (1-\bar\alpha_t)\,\nabla\log q_t(x_t)$. Insert
# $\sqrt{\bar\alpha_t}\,x_0=x_t-\sqrt{1-\bar\alpha_t}\,\epsilon$ on the left, and you have the score of the *expected*
# noise. A network that predicts noise has learnt the gradient of a log-density, up to a factor. Mind its sign: the
# noise is what led *away* from the data.
#
# Write the four conversions, a line or two each. They are meant for exact values and for a network's guesses alike, so
# they contain nothing but the formulas.


# %% role="answer" part="2b"
def x0_from_eps(xt: Tensor, t: Tensor, eps: Tensor, alpha_bar: Tensor) -> Tensor:
    """The clean examples (B, ...) of xt (B, ...) at times t (B,), if its noise is eps (B, ...)."""
    ### BEGIN SOLUTION
    share = alpha_bar_at(alpha_bar, t, xt)
    return (xt - (1 - share).sqrt() * eps) / share.sqrt()
    ### END SOLUTION


def eps_from_x0(xt: Tensor, t: Tensor, x0: Tensor, alpha_bar: Tensor) -> Tensor:
    """The noise (B, ...) in xt (B, ...) at times t (B,), if the clean examples are x0 (B, ...)."""
    ### BEGIN SOLUTION
    share = alpha_bar_at(alpha_bar, t, xt)
    return (xt - share.sqrt() * x0) / (1 - share).sqrt()
    ### END SOLUTION


def v_from(x0: Tensor, eps: Tensor, t: Tensor, alpha_bar: Tensor) -> Tensor:
    """v (B, ...) of the clean examples x0 (B, ...) and their noise eps (B, ...) at times t (B,)."""
    ### BEGIN SOLUTION
    share = alpha_bar_at(alpha_bar, t, x0)
    return share.sqrt() * eps - (1 - share).sqrt() * x0
    ### END SOLUTION


def score_from_eps(eps: Tensor, t: Tensor, alpha_bar: Tensor) -> Tensor:
    """The score (B, ...) of noisy data at times t (B,), if the expected noise is eps (B, ...)."""
    ### BEGIN SOLUTION
    return -eps / (1 - alpha_bar_at(alpha_bar, t, eps)).sqrt()
    ### END SOLUTION


# %% role="check" part="2b"
with check("2b") as c:
    shares, t = torch.tensor([0.36], dtype=torch.float64), torch.tensor([0])
    xt = torch.tensor([[1.4, 5.0]], dtype=torch.float64)
    one = torch.ones(1, 2, dtype=torch.float64)
    c.close(x0_from_eps(xt, t, one, shares), [[1.0, 7.0]], "(1.4 - 0.8) / 0.6 and (5 - 0.8) / 0.6")
    c.close(eps_from_x0(xt, t, one, shares), [[1.0, 5.5]], "(1.4 - 0.6) / 0.8 and (5 - 0.6) / 0.8")
    c.close(v_from(2 * one, one, t, shares), [[-1.0, -1.0]], "0.6 * 1 - 0.8 * 2")
    c.close(score_from_eps(one, t, shares), [[-1.25, -1.25]], "the score leads back, against the noise")

# %% [markdown] role="text"
# ### Look: what the best network would answer
#
# Above: the score of the noisy pinwheel, from the exact noise and your conversion. Below: noisy points in grey, and for
# each of them the best guess $\mathbb E[x_0\mid x_t]$ in black.

# %% role="run"
with experiment("what the best network would answer"):
    eps_model, moments = exact_eps(mixture, alpha_bar), [5, 40, 80, 120, 180]
    line = torch.linspace(-2.3, 2.3, 15, dtype=torch.float64)
    grid = torch.stack(torch.meshgrid(line, line, indexing="xy"), dim=2).reshape(-1, 2)
    fig, axes = plt.subplots(2, len(moments), figsize=(2.6 * len(moments), 5.4), layout="constrained")
    for s, above, below in zip(moments, *axes, strict=True):
        t_grid, t_data = torch.full((len(grid),), s), torch.full((2000,), s)
        score = score_from_eps(eps_model(grid, t_grid), t_grid, alpha_bar)
        score = score / (1 + score.norm(dim=1, keepdim=True))  # long arrows are shortened, directions are kept
        noisy = q_sample(X_2d, t_data, noise_2d, alpha_bar)
        guess = x0_from_eps(noisy, t_data, eps_model(noisy, t_data), alpha_bar)
        plane(above, mixture)
        plane(below, mixture)
        above.quiver(*grid.T, *score.T, angles="xy", width=0.006, color=figures.COLOURS[0])
        below.scatter(*noisy.T, s=1, color="#BBBBBB")
        below.scatter(*guess.T, s=2, color="black")
        above.set_title(f"t = {s}")
    figures.show(fig, "Scores point to the arms early, to the centre late. Guesses leave the arms for the centre.")

# %% [markdown] role="text"
# **Look.** At small times every arrow points to the nearest arm; at large times all point to the centre, and there is
# only one blurred cloud. Now the guesses: at $t=80$ many lie *between* the arms, where no data is. Is that a
# mistake of the network? (It is the exact answer. What does a mean of several possible examples look like, and what
# does it look like for digits?) Why, then, can sampling not simply output the guess at $t=199$?
#
# ### Look: four names, four sensitivities
#
# The four predictions are equivalent, as long as they are exact. Suppose that the network's output is wrong by 1. How
# wrong is then the guess of $x_0$? (From $v$ one gets $x_0=\sqrt{\bar\alpha_t}\,x_t-\sqrt{1-\bar\alpha_t}\,v$.)

# %% role="run"
with experiment("four sensitivities"):
    everywhere = torch.arange(T)
    zero, one = torch.zeros(T, 1, dtype=torch.float64), torch.ones(T, 1, dtype=torch.float64)
    costs = {
        "of x0": one,
        "of the noise": x0_from_eps(zero, everywhere, one, alpha_bar).abs(),
        "of v": v_from(one, zero, everywhere, alpha_bar).abs(),
    }
    fig, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
    for (name, cost), dash in zip(costs.items(), figures.DASHES, strict=False):
        ax.semilogy(cost.flatten(), dash, label=f"prediction {name}")
    ax.set(xlabel="t", ylabel="error in $x_0$ per error in the output", ylim=(1e-2, 1e3))
    ax.legend()
    figures.show(fig, "Errors of the noise grow without bound at large t; those of v and x0 never exceed 1.")

# %% [markdown] role="text"
# **Look.** At $t=199$ a noise prediction that is wrong by 1 % moves the guess of a digit by more than all its contrast.
# At $t=0$ the same prediction is more than fifty times *better* than a direct one. That is one reason to predict $v$,
# and a reason why samplers clip their guesses (question 4).
#
# ### 2c. Completing the square (written, 2 points)
#
# 1. Derive $\tilde\beta_t$ and $\tilde\mu_t$ by completing the square in $x_{t-1}$. It helps to work with *precisions*:
#    what is the precision of each of the two factors, as functions of $x_{t-1}$, and what happens to precisions when
#    densities are multiplied? (1 point)
# 2. Without the fairy, $q(x_{t-1}\mid x_t)$ is *not* Gaussian. Give a simple example. But $\beta_t$ is small, and it
#    almost is: expand $\log q_{t-1}$ around $x_t$ to first order, and show that $q(x_{t-1}\mid x_t)\approx\mathcal
#    N\big(\tfrac{1}{\sqrt{1-\beta_t}}(x_t+\beta_t\nabla\log q_t(x_t)),\,\beta_tI\big)$, where you may neglect what is
#    of higher order in $\beta_t$. What is therefore the price of few steps? (1 point)

# %% [markdown] role="written" part="2c"
# ### BEGIN SOLUTION
# **1.** As functions of $x_{t-1}$, the step $\mathcal N(x_t\mid\sqrt{1-\beta_t}\,x_{t-1},\beta_tI)$ has the exponent
# $-\tfrac{1}{2\beta_t}\lVert x_t-\sqrt{1-\beta_t}\,x_{t-1}\rVert^2$, that is precision $(1-\beta_t)/\beta_t$; the jump
# has precision $1/(1-\bar\alpha_{t-1})$ around $\sqrt{\bar\alpha_{t-1}}\,x_0$. Exponents add, so precisions add:
#
# $$
# \frac1{\tilde\beta_t}=\frac{1-\beta_t}{\beta_t}+\frac1{1-\bar\alpha_{t-1}}
#  =\frac{(1-\beta_t)(1-\bar\alpha_{t-1})+\beta_t}{\beta_t(1-\bar\alpha_{t-1})}
#  =\frac{1-\bar\alpha_t}{\beta_t(1-\bar\alpha_{t-1})},
# $$
#
# with $(1-\beta_t)\bar\alpha_{t-1}=\bar\alpha_t$ in the numerator. The terms that are linear in $x_{t-1}$ are
# $x_{t-1}^\top\big(\tfrac{\sqrt{1-\beta_t}}{\beta_t}x_t+\tfrac{\sqrt{\bar\alpha_{t-1}}}{1-\bar\alpha_{t-1}}x_0\big)$.
# Completing the square, the mean is $\tilde\beta_t$ times that bracket:
#
# $$
# \tilde\mu_t=\frac{\sqrt{1-\beta_t}\,(1-\bar\alpha_{t-1})}{1-\bar\alpha_t}\,x_t
#   +\frac{\sqrt{\bar\alpha_{t-1}}\,\beta_t}{1-\bar\alpha_t}\,x_0 .
# $$
#
# **2.** Data that is $+1$ or $-1$ with equal probability: $x_{t-1}$ has two bumps, and for large $\beta_t$ the factor
# $q(x_t\mid x_{t-1})$ is so wide that both survive. In general $q(x_{t-1}\mid x_t)\propto q(x_t\mid
# x_{t-1})\,q_{t-1}(x_{t-1})$ with $\log q_{t-1}(x)\approx\text{const}+x^\top g$, where $g=\nabla\log
# q_{t-1}(x_t)\approx\nabla\log q_t(x_t)$ up to terms of order $\beta_t$. A linear term in the exponent does not change
# the precision, $(1-\beta_t)/\beta_t$, and shifts the mean from $x_t/\sqrt{1-\beta_t}$ by variance times $g$: variance
# $\beta_t/(1-\beta_t)\approx\beta_t$, mean $\tfrac{x_t}{\sqrt{1-\beta_t}}+\beta_t
# g\approx\tfrac1{\sqrt{1-\beta_t}}\,(x_t+\beta_t g)$. (With $g=\nabla\log q_t(x_t)$ this mean is even exact, for any
# $\beta_t$: it is Tweedie's formula for one step. The approximation is in the shape and the variance.) The first-order
# expansion is good if $q_{t-1}$ changes little over a distance of $\sqrt{\beta_t}$. Few steps mean large $\beta_t$, and
# then a Gaussian step cannot have the several bumps that the truth has: the chain needs many steps, or another way
# back.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: both precisions, their sum simplified, and the mean from the linear terms
# - 1 point: a posterior with two bumps; linear log-density gives the Gaussian with the score; large steps break it
# ### END MARK SCHEME

# %% [markdown] role="text"
# ### 2d. A variational autoencoder in disguise (written, 2 points)
#
# Take $x_1,\dots,x_T$ as *latent variables* of $x_0$ (in this part, as in the papers, clean data is $x_0$ and the noisy
# times are $1,\dots,T$). The encoder $q(x_{1:T}\mid x_0)$ is the chain of question 1, the decoder is a chain
# $p_\theta(x_{0:T})=p(x_T)\prod_{t=1}^Tp_\theta(x_{t-1}\mid x_t)$.
#
# 1. Start from the evidence lower bound of problem set 2, and show that
#    $$-\log p_\theta(x_0)\le\underbrace{\mathrm{KL}(q(x_T\mid x_0)\,\|\,p(x_T))}_{L_T}
#    +\sum_{t=2}^T\mathbb E_q\underbrace{\mathrm{KL}(q(x_{t-1}\mid x_t,x_0)\,\|\,p_\theta(x_{t-1}\mid x_t))}_{L_{t-1}}
#    -\mathbb E_q\log p_\theta(x_0\mid x_1).$$
#    Hint: for $t\ge2$, write $q(x_t\mid x_{t-1})=q(x_{t-1}\mid x_t,x_0)\,q(x_t\mid x_0)/q(x_{t-1}\mid x_0)$. (1 point)
# 2. Compare with the autoencoder that you built in problem set 2: which parts of it are missing, fixed or shared here?
#    Which term can be ignored in training, and which mishap of variational autoencoders cannot occur? What does a
#    diffusion model pay for that? (1 point)

# %% [markdown] role="written" part="2d"
# ### BEGIN SOLUTION
# **1.** The bound is $-\log p_\theta(x_0)\le\mathbb E_q\Big[-\log p(x_T)-\sum_{t=1}^T\log\frac{p_\theta(x_{t-1}\mid
# x_t)}{q(x_t\mid x_{t-1})}\Big]$. Since $x_t$ depends on $x_{t-1}$ alone, $q(x_t\mid x_{t-1})=q(x_t\mid x_{t-1},x_0)$,
# and Bayes gives the hint. Insert it for $t\ge2$; the ratios $q(x_{t-1}\mid x_0)/q(x_t\mid x_0)$ form a telescope, of
# which $\log q(x_1\mid x_0)-\log q(x_T\mid x_0)$ is left, and the first cancels against the $t=1$ term's $q(x_1\mid
# x_0)$:
#
# $$
# \mathbb E_q\Big[\log\frac{q(x_T\mid x_0)}{p(x_T)}
#  +\sum_{t=2}^T\log\frac{q(x_{t-1}\mid x_t,x_0)}{p_\theta(x_{t-1}\mid x_t)}-\log p_\theta(x_0\mid x_1)\Big].
# $$
#
# The expectation over $x_{t-1}$ given $x_t$ and $x_0$ turns each logarithm into a KL divergence (Ho et al., 2020, eq.
# 5).
#
# **2.** The encoder has no parameters: it is *fixed*. Its "codes" have as many dimensions as the image, and there are
# $T$ layers of them. The decoder is one network, *shared* by all layers, told the layer by $t$. $L_T$ contains no
# parameter and is almost 0, since $q(x_T\mid x_0)\approx\mathcal N(0,I)$: ignore it. **Posterior collapse** cannot
# occur, for the encoder cannot be talked into forgetting the input, and the aggregate of the codes fits the prior by
# construction, so samples from the prior are never codes that the decoder has not seen. (The terms can also be trained
# one at a time, from a single jump.) The price: no small code of an image (and no compression into few numbers), and
# sampling takes $T$ evaluations of the network instead of one.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: the hint inserted, the telescope, and the KL divergences
# - 1 point: fixed encoder, shared decoder, full-size codes; L_T is constant; no posterior collapse; many evaluations
# ### END MARK SCHEME

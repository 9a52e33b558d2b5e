# %% [markdown] role="text"
# ## x1. Scores, energies and Langevin (8 points)
#
# Before diffusion there were energies. Any function $E$ with a finite $Z=\int e^{-E(x)}dx$ defines a density,
#
# $$ p(x)=\frac{e^{-E(x)}}Z , $$
#
# and a network with one output is such a function, with no masks, no triangular Jacobians and no bottleneck. The price
# is $Z$, an integral over all images. Two ideas do without it. The **score** $s(x)=\nabla_x\log p(x)=-\nabla_xE(x)$
# does not contain $Z$, for a constant has no gradient. And the score is all that is needed to sample: **Langevin
# dynamics** walks uphill and shakes,
#
# $$ x\leftarrow x+\frac\eta2\,s(x)+\sqrt\eta\,\xi,\qquad\xi\sim\mathcal N(0,I), $$
#
# and for small $\eta$ its states are spread like $p$ (Roberts and Tweedie, 1996). Diffusion (question 4) is what became
# of this when one learnt, the hard way, where it fails. You see that below.
#
# ### x1a. The score of a mixture (code, 2 points)
#
# For a mixture of Gaussians, $\nabla\log p=\frac{\nabla p}p$ becomes a mean over components, with the responsibilities
# $r_k(x)=p(k\mid x)$ of problem set 1,
#
# $$ s(x)=-\sum_kr_k(x)\,\Sigma_k^{-1}(x-\mu_k). $$
#
# Write `gmm_score`. Points may be far from all components, where every density underflows: responsibilities are a
# softmax of logarithms.


# %% role="answer" part="x1a"
def gmm_score(x: Tensor, log_pi: Tensor, mus: Tensor, Sigmas: Tensor) -> Tensor:
    """The gradient (B, D) of the log-density of a mixture log_pi (K,), mus (K, D), Sigmas (K, D, D) at x (B, D)."""
    ### BEGIN SOLUTION
    away = x[:, None] - mus  # (B, K, D)
    white = torch.linalg.solve(Sigmas, away[..., None])[..., 0]  # (B, K, D)
    log_joint = log_pi - 0.5 * ((away * white).sum(-1) + torch.linalg.slogdet(Sigmas).logabsdet)
    return -(log_joint.softmax(1)[..., None] * white).sum(1)
    ### END SOLUTION


# %% role="check" part="x1a"
with check("x1a") as c:
    one = torch.ones(1, dtype=torch.float64)
    x = torch.tensor([[3.0, 1.0], [1.0, 1.0]], dtype=torch.float64)
    Sigma = torch.tensor([[[2.0, 0.0], [0.0, 0.5]]], dtype=torch.float64)
    c.close(gmm_score(x, 0 * one, torch.ones(1, 2).double(), Sigma), [[-1.0, 0.0], [0.0, 0.0]], "one Gaussian: a line")
    halves = torch.tensor([0.5, 0.5], dtype=torch.float64).log()
    pair = torch.tensor([[-2.0], [2.0]], dtype=torch.float64)
    points = torch.tensor([[0.0], [1e4]], dtype=torch.float64)
    score = gmm_score(points, halves, pair, torch.ones(2, 1, 1).double())
    c.close(score, [[0.0], [2 - 1e4]], "in the middle both pull alike; far out the nearer one is alone")

# %% [markdown] role="text"
# ### x1b. Learning a score (code, 1 point)
#
# From samples, the score is learnt by *adding noise* (Vincent, *A connection between score matching and denoising
# autoencoders*, 2011). With $\tilde x=x+\sigma\epsilon$, the score of $q(\tilde x\mid x)$ is $-\epsilon/\sigma$,
# and its mean given $\tilde x$ is the score of the noisy data. So regress on it. The factor $\sigma^2$ makes all noise
# levels count alike,
#
# $$ \ell=\sigma^2\,\Big\lVert s(\tilde x,\sigma)+\frac\epsilon\sigma\Big\rVert^2\Big/D . $$
#
# Write `dsm_loss`, per example; like all regression losses of this set it is a *mean* over the D features.


# %% role="answer" part="x1b"
def dsm_loss(score: Callable[[Tensor, Tensor], Tensor], x: Tensor, sigma: Tensor, noise: Tensor) -> Tensor:
    """Denoising score matching loss (B,) of score(x, sigma) at data x (B, ...) with noise levels sigma (B,)."""
    ### BEGIN SOLUTION
    level = sigma.reshape(-1, *[1] * (x.ndim - 1))
    return (level * score(x + level * noise, sigma) + noise).square().flatten(1).mean(1)
    ### END SOLUTION


# %% role="check" part="x1b"
with check("x1b") as c:
    x, noise = torch.tensor([[1.0, 2.0], [0.0, 0.0]]), torch.tensor([[1.0, -1.0], [2.0, 0.0]])
    sigma = torch.tensor([0.5, 2.0])
    c.close(dsm_loss(lambda x, s: 0 * x, x, sigma, noise), [1.0, 2.0], "a score of zero misses the noise itself")
    c.close(dsm_loss(lambda x, s: -x, x, sigma, noise), [1.5625, 18.0], "asked at the noisy point, times sigma")

# %% [markdown] role="text"
# ### x1c. Langevin (code, 1 point)
#
# Write `langevin`: as many steps of the dynamics above as there are noises. Return all states. As `ode_solve` in 8b, it
# leaves the graph alone.


# %% role="answer" part="x1c"
def langevin(score: Callable[[Tensor], Tensor], x: Tensor, eta: float, noises: Tensor) -> Tensor:
    """States (S + 1, B, ...) of x + eta/2 score + sqrt(eta) noise from x (B, ...), for noises (S, B, ...)."""
    ### BEGIN SOLUTION
    states = [x]
    for noise in noises:
        x = states[-1]
        states.append(x + eta / 2 * score(x) + math.sqrt(eta) * noise)
    return torch.stack(states)
    ### END SOLUTION


# %% role="check" part="x1c"
with check("x1c") as c:
    x, noises = torch.tensor([[1.0], [3.0]]), torch.tensor([[[1.0], [0.0]], [[0.0], [-1.0]]])
    states = langevin(lambda x: -x, x, 0.25, noises)
    c.shape(states, (3, 2, 1), "the states")
    c.close(states[1], [[1.375], [2.625]], "an eighth of the way to 0, and half of the noise")
    c.close(states[2], [[1.203125], [1.796875]], "the second step uses the second noise")

# %% [markdown] role="text"
# **Look: two ways to be wrong.** The first figure has the pinwheel: 300 walkers start far out, and Langevin with the
# exact score takes them in. It seems to work. The second has two bumps far apart, of which the left one holds 20 % of
# the mass. Where do walkers end that started anywhere (plain), and what if the noise level falls slowly from 3 to 0,
# with the score of the *noisy* data at each level (annealed; Song and Ermon, 2019)?

# %% role="run"
with experiment("Langevin, plain and annealed"):
    generator = torch.Generator().manual_seed(0)
    draw = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)  # noqa: E731
    start = 2 * draw(300, 2)
    pinwheel_score = lambda x: gmm_score(x, mixture.log_pi, mixture.mus, mixture.Sigmas)  # noqa: E731
    path = langevin(pinwheel_score, start, 2e-3, draw(600, 300, 2))
    show_points(
        {f"{n} steps": path[n] for n in (0, 5, 20, 100, 600)},
        "Walkers from far out fall onto the arms within a hundred steps.",
        mixture=mixture,
    )
    bumps = (
        torch.tensor([0.2, 0.8]).double().log(),
        torch.tensor([[-4.0], [4.0]]).double(),
        torch.ones(2, 1, 1).double(),
    )
    begin = 3 * draw(2000, 1)
    plain = langevin(lambda x: gmm_score(x, *bumps), begin, 0.1, draw(400, 2000, 1))[-1]
    x = begin
    for level in torch.linspace(3, 0, 40, dtype=torch.float64):
        wide = (bumps[0], bumps[1], bumps[2] * (1 + level**2))
        x = langevin(lambda x, wide=wide: gmm_score(x, *wide), x, 0.1 * (1 + level.item() ** 2), draw(10, 2000, 1))[-1]
    line = torch.linspace(-8, 8, 300, dtype=torch.float64)
    density = sum(w * torch.exp(-0.5 * (line - m) ** 2) / math.sqrt(2 * math.pi) for w, m in ((0.2, -4), (0.8, 4)))
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.2), sharey=True, layout="constrained")
    for ax, (name, end) in zip(axes, {"plain": plain, "annealed": x}.items(), strict=True):
        ax.hist(end[:, 0], bins=60, range=(-8, 8), density=True, color=figures.COLOURS[4])
        ax.plot(line, density, color="black", linewidth=1)
        ax.set(title=f"{name}, 400 steps: {(end < 0).double().mean():.0%} on the left", xlabel="x")
    figures.show(
        figure,
        "Plain Langevin keeps half of the walkers on either side; annealed about a quarter, near the true fifth.",
    )

# %% [markdown] role="text"
# **Look.** How long would the plain walkers have to wait until their shares are correct? Where in the formula of
# x1a do the weights $\pi$ enter, and what is left of them close to a bump? Why does a *high* noise level know the
# weights?
#
# **Look: the price of a step.** On $\mathcal N(0,1)$ the dynamics is $x\leftarrow(1-\frac\eta2)x+\sqrt\eta\,\xi$, and
# its variance settles at $v$ with $v=(1-\frac\eta2)^2v+\eta$.

# %% role="run"
with experiment("the variance that Langevin settles at"):
    generator = torch.Generator().manual_seed(1)
    steps, settled = (0.1, 0.5, 1.0, 2.0, 3.0), []
    for eta in steps:
        noises = torch.randn(200, 20_000, 1, generator=generator, dtype=torch.float64)
        settled.append(langevin(lambda x: -x, torch.zeros(20_000, 1).double(), eta, noises)[-1].var().item())
    for eta, variance in zip(steps, settled, strict=True):
        print(f"eta = {eta:3.1f}: variance {variance:.3f}, the formula says {1 / (1 - eta / 4):.3f}")

# %% [markdown] role="text"
# ### x1d. Training an energy (code, 2 points)
#
# Maximum likelihood pulls the energy down at the data and up at the model's own samples (x1e). Samples are expensive,
# and **contrastive divergence** (Hinton, 2002) takes cheap ones: start the chain *at the data* and make a few steps
# only. The loss of an example is
#
# $$ E_\theta(x)-E_\theta(\bar x),\qquad\bar x=\text{the end of a Langevin chain from }x\text{, held constant}. $$
#
# Write `ebm_cd_loss`. The chain's score is $-\nabla_xE$, by autograd. No gradient flows through the chain: $\bar x$
# is data.


# %% role="answer" part="x1d"
def ebm_cd_loss(energy: Callable[[Tensor], Tensor], x: Tensor, eta: float, noises: Tensor) -> Tensor:
    """Contrastive divergence (B,) for energy(x (B, ...)) -> (B,) at data x, with noises (S, B, ...) for the chain."""
    ### BEGIN SOLUTION

    def score(x: Tensor) -> Tensor:
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            (slope,) = torch.autograd.grad(energy(x).sum(), x)
            return -slope

    negative = langevin(score, x, eta, noises)[-1]  # without a graph, as its score has none
    return energy(x) - energy(negative)
    ### END SOLUTION


# %% role="check" part="x1d"
with check("x1d") as c:
    stiff = torch.tensor(2.0, requires_grad=True)
    x = torch.tensor([[1.0], [2.0]])
    loss = ebm_cd_loss(lambda x: stiff * x.square().sum(1) / 2, x, 0.5, torch.zeros(1, 2, 1))
    c.shape(loss, (2,), "loss")
    c.close(loss, [0.75, 3.0], "one step without noise halves x; the energy is x squared")
    c.close(torch.autograd.grad(loss.sum(), stiff)[0], 1.875, "the chain is held constant")

# %% [markdown] role="text"
# **Look: an energy for the pinwheel.** (`QUICK` takes 7 s of one core of an Intel Xeon, measured; ten times as many
# steps in full take ten times as long there, and a GPU does not help with networks this small.)


# %% role="run"
class Energy(nn.Module):
    """A small network with one output: energies (B,) of points (B, 2)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, 96), nn.SiLU(), nn.Linear(96, 96), nn.SiLU(), nn.Linear(96, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Energies, with a weak bowl so that Z is finite."""
        return self.layers(x)[:, 0] + 0.05 * x.square().sum(1)


with experiment("an energy for the pinwheel", smaller="128 points in a batch"):
    torch.manual_seed(0)
    landscape = Energy()
    adam = torch.optim.Adam(landscape.parameters())
    steps = 600 if QUICK else 6000
    training = resumable(
        "checkpoints/energy.safetensors",
        pack(energy=landscape, adam=adam),
        made_by=(ebm_cd_loss, langevin, Energy),
        settings={"steps": steps},
    )
    unpack(training.state, energy=landscape, adam=adam)
    for step in training.steps(steps, "contrastive divergence"):
        adam.param_groups[0]["lr"] = 3e-3 * (1 - step / steps)
        generator = torch.Generator().manual_seed(step)
        x = mixture.sample(256, generator)[0].float() + 0.05 * torch.randn(256, 2, generator=generator)
        loss = ebm_cd_loss(landscape, x, 0.02, torch.randn(15, 256, 2, generator=generator))
        penalty = 1e-3 * landscape(x).square().mean()  # energies are defined up to a constant; keep them near 0
        adam.zero_grad()
        (loss.mean() + penalty).backward()
        nn.utils.clip_grad_norm_(landscape.parameters(), 1.0)
        adam.step()
        training.state = pack(energy=landscape, adam=adam)
        training.log(difference=loss.mean().item())
    line = torch.linspace(-2.6, 2.6, 120)
    grid = torch.stack(torch.meshgrid(line, line, indexing="xy"), dim=2).reshape(-1, 2)
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.7), layout="constrained")
    with torch.no_grad():
        height = landscape(grid).reshape(120, 120)
    axes[0].contourf(line, line, height.clamp(max=height.min() + 8), levels=20, cmap="viridis")
    axes[0].set(title="energy", aspect="equal")
    axes[1].pcolormesh(line, line, (-height).flatten().softmax(0).reshape(120, 120), cmap="Greys", shading="nearest")
    axes[1].set(title="density, with Z summed on a grid", aspect="equal")
    generator = torch.Generator().manual_seed(3)
    walkers = 2 * torch.randn(800, 2, generator=generator)

    def downhill(x: Tensor) -> Tensor:
        """The score of the energy, by autograd."""
        x = x.detach().requires_grad_()
        return -torch.autograd.grad(landscape(x).sum(), x)[0]

    ends = langevin(downhill, walkers, 0.02, torch.randn(400, 800, 2, generator=generator))[-1]
    plane(axes[2], mixture)
    axes[2].scatter(*ends.detach().T, s=4, color=figures.COLOURS[0], linewidths=0)
    axes[2].set_title("Langevin samples")
    figures.show(figure, "An energy with three valleys, its density, and the ends of 800 chains from noise.")

# %% [markdown] role="text"
# **Look.** Does the loss tell how good the model is? (What is it, when model and data agree?) Are there valleys where
# no data are, and why might chains of 15 steps, started at the data, never find and fill them?
#
# ### x1e. Where Z went (written, 2 points)
#
# 1. Show that $\nabla_\theta\big(-\log p_\theta(x)\big)=\nabla_\theta E_\theta(x)-\mathbb E_{p_\theta}[\nabla_\theta
#    E_\theta]$, and say where $Z$ has gone. What is the gradient of `ebm_cd_loss` in expectation, and in which limit is
#    it that of maximum likelihood? Why is it zero when $p_\theta=p_\text{data}$, for any number of steps (for exact
#    transitions)? (1 point)
# 2. Show that the minimiser of the denoising loss at one $\sigma$ is $\nabla\log q_\sigma$, with $q_\sigma$ the density
#    of $x+\sigma\epsilon$, and for it Tweedie's formula $\mathbb E[x\mid\tilde x]=\tilde x+\sigma^2\nabla\log
#    q_\sigma(\tilde x)$. For two far bumps with weights $\pi$ and $1-\pi$, show that the score near one of them hardly
#    depends on $\pi$, and conclude why plain Langevin, and a score learnt from data alone, get the shares wrong. Derive
#    the settled variance $1/(1-\eta/4)$. For which $\eta$ does it exist? (1 point)

# %% [markdown] role="written" part="x1e"
# ### BEGIN SOLUTION
# **1.** $-\log p_\theta(x)=E_\theta(x)+\log Z_\theta$, and $\nabla_\theta\log Z_\theta=\frac1Z\int-\nabla_\theta
# E_\theta(x) e^{-E_\theta(x)}dx=-\mathbb E_{p_\theta}[\nabla_\theta E_\theta]$. The integral has become an expectation
# under the model, which samples can estimate: $Z$ itself is never needed. The loss's gradient is $\mathbb
# E_{p_\text{data}}[\nabla_\theta E_\theta(x)]-\mathbb E[\nabla_\theta E_\theta(\bar x)]$, where $\bar x$ is spread as
# data after S steps of the chain. For $S\to\infty$ (and $\eta\to0$) the chain forgets its start, $\bar x\sim p_\theta$,
# and it is the gradient of maximum likelihood. For finite S it is biased: regions that the chain does not reach from
# the data are never pushed up. If $p_\theta=p_\text{data}$, exact transitions leave $p_\theta$ unchanged, so $\bar x$
# has the distribution of $x$ after any number of steps, and the two expectations cancel.
#
# **2.** For a squared error the best function of $\tilde x$ is the conditional mean of the target, $-\mathbb
# E[\epsilon\mid\tilde x]/\sigma$. And $\nabla q_\sigma(\tilde x)=\int p(x)\nabla_{\tilde x}\mathcal N(\tilde
# x;x,\sigma^2I)dx=\int p(x)\frac{x-\tilde x}{\sigma^2}\mathcal N(\tilde x;x,\sigma^2I)dx$; divided by $q_\sigma$ this
# is $\mathbb E[x-\tilde x\mid\tilde x]/\sigma^2=-\mathbb E[\epsilon\mid\tilde x]/\sigma$. Solved for the mean of $x$
# it is Tweedie's formula. For two bumps the score is $-r_1(x)(x-\mu_1)-r_2(x)(x-\mu_2)$ (unit variances), and
# $r_2/r_1=\frac{1-\pi}\pi e^{\log\text{-ratio}}$ is of the order $e^{-|\mu_1-\mu_2|^2/2}$ near $\mu_1$: there $r_1=1$
# up to this, whatever $\pi$. A walker at one bump feels no $\pi$; shares change only by crossings, whose rate is
# exponentially small. A learnt score sees the region between the bumps, the only one where $\pi$ matters, in almost no
# example. With noise as wide as the distance there is no gap, and the shares are set there. Variance:
# $v=(1-\frac\eta2)^2v+\eta$ gives $v(\eta-\frac{\eta^2}4)=\eta$, $v=1/(1-\eta/4)$, if $|1-\frac\eta2|<1$, that is
# $0<\eta<4$; beyond, the walk blows up.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 0.5 points: the gradient of log Z as an expectation under the model
# - 0.5 points: the limit of long chains, the bias of short ones, and the zero at agreement by stationarity
# - 0.5 points: the minimiser as a conditional mean, its identity with the noisy score, Tweedie's formula
# - 0.5 points: responsibilities near one bump forget the weights; the settled variance with its condition
# ### END MARK SCHEME

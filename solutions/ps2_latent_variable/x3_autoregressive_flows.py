# %% [markdown] role="text"
# ## x3. Autoregressive flows (8 points)
#
# A coupling layer has a triangular Jacobian because it is modest: half of the coordinates do nothing. The chain rule of
# probability, $p(x) = \prod_d p(x_d \mid x_1, \dots, x_{d-1})$, suggests the most that a triangle allows: *every*
# coordinate is scaled and shifted by a function of *all earlier ones*,
#
# $$ z_d = \big( x_d - \mu_d(x_{<d}) \big)\, e^{-\alpha_d(x_{<d})} , \qquad x_d = \mu_d + e^{\alpha_d} z_d , $$
#
# which is to say that $x_d$ is Gaussian, given the earlier coordinates, with mean $\mu_d$ and log standard deviation
# $\alpha_d$. Written naively this takes $D$ networks. Germain, Gregor, Murray and Larochelle (*MADE*, 2015) do it with
# one, by cutting connections.

# %% [markdown] role="text"
# ### x3a. The masks (code, 2 points)
#
# Give every unit a number $m$, its *degree*: it may depend on the inputs $1, \dots, m$ and no others. Input $d$ has the
# degree $d$, for $d = 1, \dots, D$. A hidden unit may have any degree from 1 to $D - 1$; let hidden unit $k = 0, 1,
# \dots$ of every layer have the degree $1 + (k \bmod (D - 1))$. Then a connection is allowed
#
# - from an input or a hidden unit to a hidden unit if the degree does not fall: $m_\text{to} \ge m_\text{from}$,
# - from the last hidden layer to output $d$ if $d > m_\text{from}$ (MADE, eq. 12 and 13).
#
# `made_masks` returns one mask of zeros and ones for each layer of weights, each of the shape of that layer's weight
# matrix, (units after, units before). There is one hidden layer or more, and $D \ge 2$. Why is the inequality strict at
# the end, and at the end only? You may number the degrees in another way, as long as every output sees all inputs
# before it wherever the layers have at least $D - 1$ units.


# %% role="answer" part="x3a"
def made_masks(D: int, hidden: list[int]) -> list[Tensor]:
    """Zeros and ones, float32: (hidden[0], D), (hidden[1], hidden[0]), ..., and (D, hidden[-1]) for the outputs."""
    ### BEGIN SOLUTION
    inputs = torch.arange(1, D + 1)
    degrees = [inputs, *(1 + torch.arange(width) % (D - 1) for width in hidden)]
    masks = [degrees[k + 1][:, None] >= degrees[k] for k in range(len(hidden))]
    return [mask.float() for mask in [*masks, inputs[:, None] > degrees[-1]]]
    ### END SOLUTION


# %% role="check" part="x3a"
with check("x3a") as c:
    masks = made_masks(3, [4, 2])
    c.equal([tuple(mask.shape) for mask in masks], [(4, 3), (2, 4), (3, 2)], "shapes of three layers of weights")
    paths = masks[2] @ masks[1] @ masks[0]
    c.close((paths > 0).float(), [[0, 0, 0], [1, 0, 0], [1, 1, 0]], "paths lead from earlier inputs to later outputs")

# %% [markdown] role="text"
# **Look.** The masks of a network for $D = 8$, and the number of paths from each input to each output. Who has the most
# paths, and is that a reason to choose the order of the pixels with care?

# %% role="run"
with experiment("masks and paths"):
    masks = made_masks(8, [24, 24])
    paths = masks[2] @ masks[1] @ masks[0]
    figure, axes = plt.subplots(1, 4, figsize=(12, 3.4), layout="constrained")
    for ax, picture, name in zip(axes, [*masks, paths], ["first mask", "second", "last", "paths"], strict=True):
        ax.imshow(picture, cmap="gray")
        ax.set(title=name, xlabel="from", ylabel="to")
    figures.show(figure, "Three masks with staircases, and a strictly lower triangular table of paths.")

# %% [markdown] role="text"
# ### x3b. MADE (code, 2 points)
#
# A layer with a mask is given. Build the network: masked layers with a nonlinearity between them, two outputs for every
# coordinate. `forward` returns $\mu$ (B, D) and $\alpha$ (B, D), the log standard deviations. The first coordinate
# depends on nothing: there $\mu_1$ and $\alpha_1$ are learnt constants (which parameters hold them?).
#
# Note that the mask is applied *in every pass*. Weights that are set to zero only once come back with the first step of
# the optimizer.


# %% role="given"
class MaskedLinear(nn.Linear):
    """A linear layer whose weights (out, in) are multiplied by a mask of the same shape."""

    mask: Tensor

    def __init__(self, mask: Tensor) -> None:
        super().__init__(mask.shape[1], mask.shape[0])
        self.register_buffer("mask", mask)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in) to (B, out)."""
        return F.linear(x, self.mask * self.weight, self.bias)


# %% role="answer" part="x3b"
class MADE(nn.Module):
    """Means and log standard deviations of each coordinate given the earlier ones, by one masked network."""

    def __init__(self, D: int, hidden: list[int]) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        *masks, last = made_masks(D, hidden)
        body = [module for mask in masks for module in (MaskedLinear(mask), nn.SiLU())]
        self.layers = nn.Sequential(*body, MaskedLinear(torch.cat([last, last])))
        ### END SOLUTION

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """mu (B, D) and alpha (B, D), the log standard deviations, of x (B, D)."""
        ### BEGIN SOLUTION
        mu, alpha = self.layers(x).chunk(2, dim=1)
        return mu, alpha
        ### END SOLUTION


# %% role="check" part="x3b"
with check("x3b") as c:
    torch.manual_seed(0)
    made = MADE(3, [8, 8])
    x = torch.randn(2, 3)
    mu, alpha = made(x)
    c.shape(mu, (2, 3), "mu")
    c.shape(alpha, (2, 3), "alpha")
    changed = x.clone()
    changed[:, 1] += 1
    c.close(made(changed)[0][:, :2], mu[:, :2], "the second input does not reach the first two outputs")
    c.true((made(changed)[0][:, 2] - mu[:, 2]).abs().min() > 1e-6, "the second input reaches the third output")

# %% [markdown] role="text"
# ### x3c. Two flows from one network (code, 2 points)
#
# The same network makes two flows, which are each other's mirror image. `made` is any function or module from a batch
# (B, D) to $\mu$ and $\alpha$, each (B, D), where coordinate $d$ depends on earlier inputs only. **Both functions call
# it once.**
#
# - **Masked autoregressive flow** (Papamakarios, Pavlakou and Murray, 2017, eq. 3 to 5): $\mu$ and $\alpha$ come from
#   the *data*. `maf_forward(made, x)` returns $z$ and $\log\lvert\det \partial z / \partial x\rvert$ (B,): all of $x$
#   is there, so all conditionals are evaluated at once.
# - **Inverse autoregressive flow** (Kingma, Salimans, Jozefowicz, Chen, Sutskever and Welling, 2016): they come from
#   the *noise*. `iaf_sample(made, z)` returns $x_d = \mu_d(z_{<d}) + e^{\alpha_d(z_{<d})} z_d$ and the log-density
#   $\log q(x)$ (B,) of each sample, for standard normal $z$.


# %% role="answer" part="x3c"
def maf_forward(made: Callable[[Tensor], tuple[Tensor, Tensor]], x: Tensor) -> tuple[Tensor, Tensor]:
    """z (B, D) and log |det dz/dx| (B,) of data x (B, D), with mu and alpha from x, in one call of made."""
    ### BEGIN SOLUTION
    mu, alpha = made(x)
    return (x - mu) * (-alpha).exp(), -alpha.sum(1)
    ### END SOLUTION


def iaf_sample(made: Callable[[Tensor], tuple[Tensor, Tensor]], z: Tensor) -> tuple[Tensor, Tensor]:
    """Samples x (B, D) and their log-densities (B,) in nats, with mu and alpha from z (B, D), in one call of made."""
    ### BEGIN SOLUTION
    mu, alpha = made(z)
    log_base = -0.5 * (z.square() + math.log(2 * math.pi)).sum(1)
    return mu + alpha.exp() * z, log_base - alpha.sum(1)
    ### END SOLUTION


# %% role="check" part="x3c"
with check("x3c") as c:

    def doubling(x: Tensor) -> tuple[Tensor, Tensor]:
        """The second coordinate has the first as its mean; both have standard deviation 2."""
        mu = torch.stack([torch.zeros_like(x[:, 0]), x[:, 0]], dim=1)
        return mu, torch.full_like(x, math.log(2))

    x = torch.tensor([[2.0, 6.0], [0.0, 0.0]], dtype=torch.float64)
    z, logdet = maf_forward(doubling, x)
    c.close(z, [[1.0, 2.0], [0.0, 0.0]], "(6 - 2) / 2 = 2")
    c.close(logdet, [-2 * math.log(2)] * 2, "two coordinates are halved")
    x, log_q = iaf_sample(doubling, torch.tensor([[1.0, 2.0], [0.0, 0.0]], dtype=torch.float64))
    c.close(x, [[2.0, 5.0], [0.0, 0.0]], "1 + 2 * 2 = 5: the mean comes from the noise")
    c.close(log_q, [-math.log(2 * math.pi) - 2 * math.log(2) - 2.5, -math.log(2 * math.pi) - 2 * math.log(2)], "log q")

# %% [markdown] role="text"
# ### Look: one MADE, and several
#
# One MADE makes each *conditional* Gaussian, and its first coordinate is Gaussian whatever happens. Several of them,
# with the order of the coordinates reversed in between, do better. Below: one and six on the moons of question 4,
# with the truth for comparison.
#
# > **Time.** `QUICK` (300 steps each): 3 s on one core of a busy AMD EPYC (measured). Full (2,000 steps): about 20 s
# > there or on a T4 (estimates). Memory is negligible.


# %% role="given"
def bounded(made: nn.Module) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """The same network with alpha within +-2, which keeps training from running away."""

    def calm(x: Tensor) -> tuple[Tensor, Tensor]:
        mu, alpha = made(x)
        return mu, 2 * torch.tanh(alpha / 2)

    return calm


def maf_log_prob(mades: nn.ModuleList, x: Tensor) -> Tensor:
    """Log-density (B,) of x (B, D) under a stack, whose coordinates are reversed after every MADE."""
    total = torch.zeros_like(x[:, 0])
    for made in mades:
        z, logdet = maf_forward(bounded(made), x)
        x, total = z.flip(1), total + logdet
    return total - 0.5 * (x.square() + math.log(2 * math.pi)).sum(1)


@torch.no_grad()
def maf_sample(made: nn.Module, z: Tensor) -> Tensor:
    """x (B, D) with maf_forward(made, x) = z: coordinate by coordinate, D calls of made."""
    x = torch.zeros_like(z)
    for d in range(z.shape[1]):
        mu, alpha = made(x)
        x[:, d] = mu[:, d] + alpha[:, d].exp() * z[:, d]
    return x


# %% role="run"
with experiment("one MADE, and several", smaller="128 points in a batch"):
    maf_steps, maf_rate = 300 if QUICK else 2000, 2e-2
    X_maf, X_maf_test = moons(20_000, seed=11), moons(2000, seed=12)
    plane_ticks = torch.linspace(-2, 2, 121)
    maf_plane = torch.cartesian_prod(plane_ticks, 0.7 * plane_ticks)
    stacks = {}
    for depth in (1, 6):
        torch.manual_seed(0)
        mades = nn.ModuleList(MADE(2, [64, 64]) for _ in range(depth))
        adam = torch.optim.Adam(mades.parameters(), betas=(0.9, 0.99))
        training = resumable(
            f"checkpoints/maf_{depth}.safetensors",
            pack(mades=mades, adam=adam),
            made_by=(MADE, maf_log_prob, moons),
            settings={"steps": maf_steps, "rate": maf_rate},
        )
        unpack(training.state, mades=mades, adam=adam)
        for step in training.steps(maf_steps, f"{depth} MADE"):
            adam.param_groups[0]["lr"] = maf_rate * (1 - step / maf_steps)
            batch = torch.randint(len(X_maf), (256,), generator=torch.Generator().manual_seed(step))
            loss = -maf_log_prob(mades, X_maf[batch]).mean()
            adam.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(mades.parameters(), 1.0)
            adam.step()
            training.state = pack(mades=mades, adam=adam)
            training.log(nats=loss.item())
        stacks[f"{depth} MADE" + "s" * (depth > 1)] = mades
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    with torch.no_grad():
        for ax, (name, mades) in zip(axes, stacks.items(), strict=True):
            picture = maf_log_prob(mades, maf_plane).exp().reshape(121, 121).T
            ax.contourf(plane_ticks, 0.7 * plane_ticks, picture, levels=15, cmap="Greys")
            ax.set(title=f"{name}: {-maf_log_prob(mades, X_maf_test).mean():.3f} nats", aspect="equal")
    print(f"The true density has {-moons_log_prob(X_maf_test.double()).mean():.3f} nats.")
    figures.show(figure, "One MADE gives a wide smear; six begin to part into two moons.")

# %% [markdown] role="text"
# ![What to expect in full mode: one MADE gives a wide smear, a stack of six follows the two moons](figures/mades.png)
#
# **Look.** Along which direction are the slices of the first picture Gaussian, and why is it that one? Which property
# of the data can no choice of weights give to a single MADE?
#
# ### Look: fast one way, slow the other
#
# The time to evaluate the density of 256 examples, and to draw 256 samples, against the number of dimensions.

# %% role="run"
with experiment("fast one way, slow the other"):
    import time

    widths, seconds = [4, 16, 64, 256], {"density (one call)": [], "samples (D calls)": []}
    for D in widths:
        torch.manual_seed(0)
        made, z = MADE(D, [256, 256]), torch.randn(256, D)
        for name, work in zip(seconds, (maf_forward, maf_sample), strict=True):
            start = time.perf_counter()
            with torch.no_grad():
                work(made, z)
            seconds[name].append(time.perf_counter() - start)
    figure, ax = plt.subplots(figsize=(6, 4))
    for (name, values), style in zip(seconds.items(), ("o-", "s--"), strict=True):
        ax.loglog(widths, values, style, label=name)
    ax.set(xlabel="dimensions D", ylabel="seconds")
    ax.legend()
    figures.show(figure, "The time for densities hardly grows; the time for samples grows in proportion to D.")

# %% [markdown] role="text"
# ### x3d. Which way is fast (written, 2 points)
#
# 1. Show that one MADE gives a triangular Jacobian, and that the density of an MAF takes one call of the network where
#    drawing a sample takes $D$ calls. What is it for an IAF, of which x can it still evaluate the density in one call,
#    and why is that enough for the approximate posterior $q(z \mid x)$ of question 2 but not for maximum likelihood? (1
#    point)
# 2. Show that the coupling layer of question 4 is an autoregressive layer with some of its connections cut, in a
#    suitable order of the coordinates. What does it gain from that? Then show that under a single MADE the marginal of
#    $x_1$ is Gaussian, and give a two-dimensional density that it can therefore never fit. (1 point)

# %% [markdown] role="written" part="x3d"
# ### BEGIN SOLUTION
# **1.** $z_d$ depends on $x_1, \dots, x_d$ only, so $\partial z_d / \partial x_j = 0$ for $j > d$ and $\partial z_d /
# \partial x_d = e^{-\alpha_d(x_{<d})}$: the Jacobian is lower triangular and $\log\lvert\det\rvert = -\sum_d \alpha_d$.
# Given $x$, one call of the network returns all $\mu_d(x_{<d})$ and $\alpha_d(x_{<d})$, hence $z$ and the density.
# Given $z$, $x_1$ has to be known before $\mu_2(x_1)$ can be computed, and so on: each coordinate waits for the one
# before, $D$ calls. The IAF has $\mu(z_{<d})$ and $\alpha(z_{<d})$: given $z$, one call gives the sample. The density
# of a *foreign* $x$ needs its $z$, which is found one coordinate at a time, $D$ calls. The density of its *own* samples
# is free, because their $z$ is known. The ELBO is an average of $\log p(x, z) - \log q(z \mid x)$ over samples of $q$
# itself, so nothing else is ever evaluated; maximum likelihood evaluates the density of data, which are foreign.
#
# **2.** Order the coordinates so that those left alone, $a$, come first. The coupling layer has $\mu_d = 0$, $\alpha_d
# = 0$ for $d \in a$, and for $d \in b$ it lets $\mu_d$ and $\alpha_d$ depend on $x_a$ only, not on the earlier members
# of $b$. Every $x_d$ with $d \in b$ can thus be computed at the same time from $x_a = z_a$: both directions take one
# call. (The price is expressiveness: more layers for the same density.) For a single MADE, $\mu_1$ and $\alpha_1$
# depend on nothing, and $x_1 = \mu_1 + e^{\alpha_1} z_1$ with $z_1 \sim \mathcal N(0, 1)$ is Gaussian. So it cannot fit
# any density whose first marginal is not Gaussian, for instance two narrow Gaussians at $x_1 = \pm 3$, whatever $x_2$
# does.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: triangular; one call against D calls for both flows; IAF evaluates its own samples, which the ELBO needs
# - 1 point: the coupling layer's cut connections and one call in both directions; a Gaussian first marginal, an example
# ### END MARK SCHEME

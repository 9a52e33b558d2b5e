# %% [markdown] role="text"
# ## 4. Coupling flows (18 points)
#
# Question 3 turned a density around a bend: if $z = f(x)$ is invertible and $z$ has a density that we know, then
#
# $$ \log p(x) = \log \mathcal N\big(f(x); 0, I\big) + \log \left| \det \frac{\partial f(x)}{\partial x} \right| . $$
#
# So any invertible network is a generative model: train it by maximum likelihood, *exactly*, with no bound and no
# critic, and sample it by $x = f^{-1}(z)$. Two things stand in the way. An ordinary network is not invertible. And
# the determinant of a $D \times D$ matrix costs of the order of $D^3$ operations, for every example and every step;
# for an image with $D = 784$ the Jacobian alone has 600,000 entries.
#
# **The idea.** Leave some coordinates alone, and use them to decide what to do with the others (Dinh, Krueger and
# Bengio, 2014; Dinh, Sohl-Dickstein and Bengio, *Density estimation using Real NVP*, 2017, eq. 4 to 9). Take a mask
# $m \in \{0, 1\}^D$, where 1 means *left alone*, and any network that maps $m \odot x$ to log-scales $s$ and shifts
# $t$:
#
# $$ z = m \odot x + (1 - m) \odot \big( x \odot e^{s(m \odot x)} + t(m \odot x) \big). $$
#
# On paper, before you write code: put the coordinates that are left alone first. What does $\partial z / \partial x$
# look like, and what is its determinant? Given $z$, how do you get $x$ back, and does the network have to be invertible
# for that? You write the answers down in 4d.

# %% [markdown] role="text"
# ### 4a. Masks for images (code, 3 points)
#
# For vectors, a mask may leave the first half alone. For images there are better ones. A **checkerboard** leaves every
# other pixel, and the neighbours of a pixel say a lot about it. Later, when fine detail has been modelled, an image is
# **squeezed**: each 2 x 2 block of pixels becomes four channels at one place (Real NVP, figure 3), and the mask leaves
# some *channels* alone. Nothing is computed and nothing is lost: a permutation of the coordinates has
# $\lvert\det\rvert = 1$.
#
# - `checkerboard_mask(H, W)`: 1 where the row's and the column's number have an even sum, else 0 (float32). The
#   opposite board is `1 - checkerboard_mask(H, W)`.
# - `squeeze(x)`: channel $4c + 2i + j$ of the result holds the pixels $(2h + i, 2w + j)$ of channel $c$.
# - `unsqueeze(y)`: its inverse.
#
# A `reshape` reads memory in order, so a `reshape` alone cannot do this: first split H and W into (H/2, 2) and
# (W/2, 2), then move the two small dimensions to the channels with `permute`.


# %% role="answer" part="4a"
def checkerboard_mask(H: int, W: int) -> Tensor:
    """Ones and zeros (H, W), float32: 1 where row + column is even."""
    ### BEGIN SOLUTION
    return ((torch.arange(H)[:, None] + torch.arange(W)) % 2 == 0).float()
    ### END SOLUTION


def squeeze(x: Tensor) -> Tensor:
    """Each 2 x 2 block of x (B, C, H, W), H and W even, as four neighbouring channels: (B, 4C, H/2, W/2)."""
    ### BEGIN SOLUTION
    B, C, H, W = x.shape
    blocks = x.reshape(B, C, H // 2, 2, W // 2, 2)
    return blocks.permute(0, 1, 3, 5, 2, 4).reshape(B, 4 * C, H // 2, W // 2)
    ### END SOLUTION


def unsqueeze(y: Tensor) -> Tensor:
    """The inverse of squeeze: (B, 4C, H, W) to (B, C, 2H, 2W)."""
    ### BEGIN SOLUTION
    B, C, H, W = y.shape
    blocks = y.reshape(B, C // 4, 2, 2, H, W)
    return blocks.permute(0, 1, 4, 2, 5, 3).reshape(B, C // 4, 2 * H, 2 * W)
    ### END SOLUTION


# %% role="check" part="4a"
with check("4a") as c:
    c.close(checkerboard_mask(2, 3), [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]], "neighbours differ, the corner is left alone")
    four_by_four = torch.arange(16.0).reshape(1, 1, 4, 4)
    c.shape(squeeze(four_by_four), (1, 4, 2, 2), "squeezed")
    c.close(squeeze(four_by_four)[0, 1], [[1.0, 3.0], [9.0, 11.0]], "channel 1: even rows, odd columns")
    c.close(unsqueeze(squeeze(four_by_four)), four_by_four, "unsqueeze undoes squeeze")

# %% [markdown] role="text"
# **Look.** One digit: what the network sees under the checkerboard, and the four channels after a squeeze. Could you
# fill in the missing pixels of the second picture? And in the third to sixth: given one channel, how much is left to
# say about the other three?

# %% role="run"
with experiment("a digit under the checkerboard, and squeezed"):
    digit = digits_test[:1, None].float() / 255  # (1, 1, 28, 28)
    pictures = [digit[0, 0], (digit * checkerboard_mask(28, 28))[0, 0], *squeeze(digit)[0]]
    names = ["the digit", "left alone", *(f"channel {k}" for k in range(4))]
    figure, axes = plt.subplots(1, 6, figsize=(11, 2.2), layout="constrained")
    for ax, picture, name in zip(axes, pictures, names, strict=True):
        ax.imshow(picture, cmap="gray", vmin=0, vmax=1)
        ax.set_title(name)
        ax.axis("off")
    figures.show(figure, "A digit, the same with every other pixel black, and four small copies that differ slightly.")

# %% [markdown] role="text"
# ### 4b. One coupling layer (code, 6 points)
#
# Write `forward` and `inverse` of the layer above.
#
# - `mask` is a tensor of zeros and ones whose shape *broadcasts* against one example: (D,) for vectors of D numbers,
#   and for images (C, H, W) for instance (H, W), a checkerboard, or (C, 1, 1), whole channels.
# - `net` takes the masked batch, of the shape of x, and returns one tensor with twice as many entries along dimension
#   1: first the log-scales $s$, then the shifts $t$ (split it with `.chunk(2, dim=1)`).
# - `forward(x)` returns $z$ and $\log\lvert\det \partial z/\partial x\rvert$, one number per example, whatever the
#   shape of an example is. Only what is *transformed* counts.
# - `inverse(z)` returns $x$. What does the network need in order to compute the same $s$ and $t$, and is it there?
#
# Nothing here knows the number of dimensions: the layer works for D = 2, for odd D and for images. About four lines
# each; both need $s$ and $t$, so there is a helper, which you may drop. The mask is *registered as a buffer*: it moves
# to the GPU with the layer, and no optimizer trains it.


# %% role="answer" part="4b"
class AffineCoupling(nn.Module):
    """An invertible layer: what the mask leaves alone decides how the rest is scaled and shifted."""

    mask: Tensor

    def __init__(self, mask: Tensor, net: nn.Module) -> None:
        super().__init__()
        self.register_buffer("mask", mask)
        self.net = net

    def scale_and_shift(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Log-scales and shifts of the shape of x (B, ...), a helper of the other two; the grader does not call it."""
        ### BEGIN SOLUTION
        log_scale, shift = self.net(self.mask * x).chunk(2, dim=1)
        return (1 - self.mask) * log_scale, (1 - self.mask) * shift
        ### END SOLUTION

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """z, of the shape of x (B, ...), and log |det dz/dx| (B,)."""
        ### BEGIN SOLUTION
        log_scale, shift = self.scale_and_shift(x)
        return x * log_scale.exp() + shift, log_scale.flatten(1).sum(1)
        ### END SOLUTION

    def inverse(self, z: Tensor) -> Tensor:
        """The x, of the shape of z (B, ...), that forward maps to z."""
        ### BEGIN SOLUTION
        log_scale, shift = self.scale_and_shift(z)
        return (z - shift) * (-log_scale).exp()
        ### END SOLUTION


# %% [markdown] role="text"
# The networks inside the layers are given. Both bound the log-scale by a hyperbolic tangent, which keeps one bad step
# from multiplying a coordinate by $e^{20}$, and both start at zero, so that a new flow is the identity.


# %% role="given"
class CouplingMLP(nn.Module):
    """(B, D) to (B, 2 D): log-scales within +-2, then shifts."""

    def __init__(self, D: int, hidden: int = 64) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(D, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, 2 * D)
        )
        nn.init.zeros_(self.layers[-1].weight)
        nn.init.zeros_(self.layers[-1].bias)

    def forward(self, x: Tensor) -> Tensor:
        """Log-scales and shifts side by side."""
        log_scale, shift = self.layers(x).chunk(2, dim=1)
        return torch.cat([2 * torch.tanh(log_scale / 2), shift], dim=1)


class CouplingCNN(CouplingMLP):
    """(B, C, H, W) to (B, 2 C, H, W): the same with convolutions."""

    def __init__(self, C: int, hidden: int = 32) -> None:
        super().__init__(1)
        self.layers = nn.Sequential(
            nn.Conv2d(C, hidden, 3, padding=1), nn.SiLU(), nn.Conv2d(hidden, hidden, 3, padding=1), nn.SiLU(),
            nn.Conv2d(hidden, 2 * C, 3, padding=1),
        )  # fmt: skip
        nn.init.zeros_(self.layers[-1].weight)
        nn.init.zeros_(self.layers[-1].bias)


# %% role="check" part="4b"
with check("4b") as c:

    class Known(nn.Module):
        """s = log 2 and t = the sum of what it sees, everywhere."""

        def forward(self, x: Tensor) -> Tensor:
            """Log-scales and shifts, as a network of a layer returns them."""
            t = x.sum(1, keepdim=True).expand_as(x)
            return torch.cat([torch.full_like(x, math.log(2)), t], dim=1)

    layer = AffineCoupling(torch.tensor([1.0, 0.0, 1.0]), Known())
    x = torch.tensor([[1.0, 5.0, 2.0], [0.0, -1.0, 0.5]], dtype=torch.float64)
    z, logdet = layer(x)
    c.close(z, [[1.0, 13.0, 2.0], [0.0, -1.5, 0.5]], "the middle is doubled, then shifted by the sum of its neighbours")
    c.shape(logdet, (2,), "the log-determinant")
    c.close(logdet, [math.log(2)] * 2, "one coordinate is doubled: log 2")
    c.close(layer.inverse(z), x, "inverse undoes forward")
    images = torch.ones(2, 3, 4, 4, dtype=torch.float64)
    c.close(AffineCoupling(checkerboard_mask(4, 4), Known())(images)[1], [24 * math.log(2)] * 2, "3 x 8 pixels double")

# %% [markdown] role="text"
# **Look.** One layer with random weights bends the plane; the mask leaves the horizontal coordinate alone. Which lines
# stay straight? Which areas grow, and where does the density of samples have to fall? Note that each vertical line is
# mapped onto itself, by a straight scale and a shift: all the bending comes from how these change from one line to the
# next.

# %% role="run"
with experiment("one layer bends the plane"):
    torch.manual_seed(4)
    bend = CouplingMLP(2)
    nn.init.normal_(bend.layers[-1].weight, std=0.6)
    layer = AffineCoupling(torch.tensor([1.0, 0.0]), bend)
    ticks = torch.linspace(-2, 2, 17)
    sheet = torch.stack(torch.meshgrid(ticks, ticks, indexing="ij"), dim=-1)  # (17, 17, 2)
    with torch.no_grad():
        bent, logdet = layer(sheet.reshape(-1, 2))
    figure, axes = plt.subplots(1, 2, figsize=(9, 4.2), layout="constrained")
    for ax, points, title in zip(axes, (sheet, bent.reshape(17, 17, 2)), ("x", "z, shaded by log-det"), strict=True):
        ax.plot(points[..., 0], points[..., 1], color="black", linewidth=0.5)
        ax.plot(points[..., 0].T, points[..., 1].T, color=figures.COLOURS[0], linewidth=0.8)
        ax.set(title=title, aspect="equal")
    shades = axes[1].scatter(*bent.T, c=logdet, cmap="coolwarm", s=14, zorder=3)
    figure.colorbar(shades, ax=axes[1])
    figures.show(figure, "A square grid; and the same with its vertical lines kept and its horizontal lines bent.")

# %% [markdown] role="text"
# ### 4c. RealNVP (code, 5 points)
#
# One layer leaves half of the coordinates as they were. The next one must leave the *others* alone. Write a flow of
# `len(nets)` coupling layers: layer 0 uses `mask`, layer 1 uses `1 - mask`, layer 2 `mask` again, and so on; layer
# $k$ has the network `nets[k]`.
#
# - `forward(x)`: the composition, and its log-determinant (what does the chain rule say about determinants?).
# - `log_prob(x)`: the log-density (B,) of each example in nats, under a standard normal $z$ of the shape of x.
# - `sample(z)`: the x that belong to draws `z` of the standard normal (randomness is an argument). The layer that came
#   last must be undone first.
#
# Use your `AffineCoupling`, through `AffineCoupling(mask, net)`, its `forward` and its `inverse` only. A plain Python
# list hides its modules from the optimizer; `nn.ModuleList` does not.


# %% role="answer" part="4c"
class RealNVP(nn.Module):
    """Coupling layers with alternating masks, from data x to standard normal z."""

    def __init__(self, mask: Tensor, nets: list[nn.Module]) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        masks = [mask if k % 2 == 0 else 1 - mask for k in range(len(nets))]
        self.layers = nn.ModuleList(AffineCoupling(own, net) for own, net in zip(masks, nets, strict=True))
        ### END SOLUTION

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """z, of the shape of x (B, ...), and log |det dz/dx| (B,)."""
        ### BEGIN SOLUTION
        total = torch.zeros(len(x), dtype=x.dtype, device=x.device)
        for layer in self.layers:
            x, logdet = layer(x)
            total = total + logdet
        return x, total
        ### END SOLUTION

    def log_prob(self, x: Tensor) -> Tensor:
        """Log-density (B,) of each example of x (B, ...), in nats."""
        ### BEGIN SOLUTION
        z, logdet = self(x)
        base = -0.5 * (z.square() + math.log(2 * math.pi))
        return base.flatten(1).sum(1) + logdet
        ### END SOLUTION

    def sample(self, z: Tensor) -> Tensor:
        """The examples (B, ...) that the standard normal draws z (B, ...) stand for."""
        ### BEGIN SOLUTION
        for layer in reversed(self.layers):
            z = layer.inverse(z)
        return z
        ### END SOLUTION


# %% role="check" part="4c"
with check("4c") as c:
    x = torch.tensor([[0.3, -1.0, 2.0], [0.0, 0.0, 0.0]])
    fresh = RealNVP(torch.tensor([1.0, 0.0, 0.0]), [CouplingMLP(3) for _ in range(4)])
    normal = -0.5 * (x.square().sum(1) + 3 * math.log(2 * math.pi))
    c.shape(fresh.log_prob(x), (2,), "log_prob")
    c.close(fresh.log_prob(x), normal, "a new flow is the identity: its density is the standard normal")
    c.equal(len(list(fresh.parameters())), 24, "the optimizer finds the six parameter tensors of each network")
    torch.manual_seed(1)
    for parameter in fresh.parameters():
        nn.init.normal_(parameter, std=0.2)
    c.close(fresh.sample(fresh(x)[0]), x, "sample undoes forward, with random weights", atol=1e-4)
    first = torch.autograd.functional.jacobian(lambda row: fresh(row[None])[0][0], x[0])
    c.close(fresh(x[:1])[1], torch.linalg.slogdet(first).logabsdet[None], "the log-determinant is the Jacobian's")

# %% [markdown] role="text"
# ### Look: who talks to whom
#
# The Jacobian of flows of one, two, three and four layers in six dimensions, for random weights. Black is zero: this
# output does not depend on that input. The mask leaves the first three coordinates alone. After how many layers does
# everything depend on everything? Is that the answer you gave on paper for 4d?

# %% role="run"
with experiment("who talks to whom"):
    figure, axes = plt.subplots(1, 4, figsize=(11, 3), layout="constrained")
    for depth, ax in enumerate(axes, start=1):
        torch.manual_seed(depth)
        web = RealNVP(torch.tensor([1.0, 1.0, 1.0, 0.0, 0.0, 0.0]), [CouplingMLP(6) for _ in range(depth)])
        for parameter in web.parameters():
            nn.init.normal_(parameter, std=0.3)
        J = torch.autograd.functional.jacobian(lambda row, web=web: web(row[None])[0][0], torch.randn(6))
        ax.imshow(J.abs().clamp_min(1e-6).log10(), cmap="magma", vmin=-4, vmax=0.5)
        ax.set(title=f"{depth} layer" + "s" * (depth > 1), xlabel="input", ylabel="output")
    figures.show(figure, "Jacobians: half a diagonal block at first, and full from three layers on.")

# %% [markdown] role="text"
# ### Two moons
#
# Now a density that no Gaussian can have. The data are two half circles with a little noise, drawn from a known
# density, so that for once we can compare with the *truth*: `moons_log_prob` integrates over the angle on a fine grid.
# No model can have a higher mean log-likelihood on new data than that (why? think of a Kullback-Leibler divergence).


# %% role="given"
MOON_CENTRES = torch.tensor([[-0.5, -0.25], [0.5, 0.25]])
MOON_NOISE = 0.1


def moon_arcs(angle: Tensor) -> Tensor:
    """The noiseless points (2, N, 2) of both moons at these angles (N,) in [0, pi]."""
    arc = torch.stack([angle.cos(), angle.sin()], dim=-1)
    return torch.stack([arc + MOON_CENTRES[0].to(arc), MOON_CENTRES[1].to(arc) - arc])


def moons(n: int, seed: int) -> Tensor:
    """Points (n, 2) of two interleaved half circles."""
    generator = torch.Generator().manual_seed(seed)
    arcs = moon_arcs(math.pi * torch.rand(n, generator=generator))
    which = torch.randint(2, (n,), generator=generator)
    return arcs[which, torch.arange(n)] + MOON_NOISE * torch.randn(n, 2, generator=generator)


def moons_log_prob(x: Tensor, angles: int = 400) -> Tensor:
    """The true log-density (N,) of points x (N, 2), by the midpoint rule over the angle."""
    grid = math.pi * (torch.arange(angles, dtype=x.dtype, device=x.device) + 0.5) / angles
    centres = moon_arcs(grid).reshape(-1, 2)
    log_kernel = -torch.cdist(x, centres).square() / (2 * MOON_NOISE**2) - math.log(2 * math.pi * MOON_NOISE**2)
    return log_kernel.logsumexp(1) - math.log(len(centres))


def moons_flow(layers: int = 6, hidden: int = 64) -> nn.Module:
    """A new RealNVP for the plane."""
    return RealNVP(torch.tensor([1.0, 0.0]), [CouplingMLP(2, hidden) for _ in range(layers)])


# %% [markdown] role="text"
# Training is maximum likelihood and nothing else: the loss is the mean of `-log_prob`.
#
# > **Time.** `QUICK` (400 steps): 4 s on one core of a busy AMD EPYC (measured). Full (4,000 steps): under a minute
# > there, and about as long on a T4, which such small networks leave idle (estimates). Memory is negligible.


# %% role="run"
def train_moons(flow: nn.Module, X: Tensor, steps: int, name: str) -> dict[str, list[float]]:
    """Maximum likelihood on points X (N, 2), with a learning rate that falls to zero; the nats of every step."""
    adam = torch.optim.Adam(flow.parameters(), betas=(0.9, 0.99))
    run = resumable(
        f"checkpoints/{name}.safetensors",
        pack(flow=flow, adam=adam),
        made_by=(AffineCoupling.forward, RealNVP.forward, RealNVP.log_prob, moons_flow, moons),
        settings={"steps": steps},
    )
    unpack(run.state, flow=flow, adam=adam)
    for step in run.steps(steps, name):
        adam.param_groups[0]["lr"] = 1e-2 * (1 - step / steps)
        batch = torch.randint(len(X), (512,), generator=torch.Generator().manual_seed(step)).to(X.device)
        loss = -flow.log_prob(X[batch]).mean()
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(flow.parameters(), 5.0)
        adam.step()
        run.state = pack(flow=flow, adam=adam)
        run.log(nats=loss.item())
    return run.history


with experiment("RealNVP on two moons"):
    torch.manual_seed(0)
    X_moons, X_moons_test = moons(20_000, seed=1).to(here.device), moons(4000, seed=2).to(here.device)
    new = moons_flow().to(here.device)
    history = train_moons(new, X_moons, 400 if QUICK else 4000, "moons_flow")
    flow = new  # trained; question 8 hands it in
    with torch.no_grad():
        moons_nll = -flow.log_prob(X_moons_test).mean().item()
    truth = -moons_log_prob(X_moons_test.double()).mean().item()
    figures.curves({"RealNVP": history["nats"]}, ylabel="nats per point", xlabel="step", title="two moons")
    print(f"Negative log-likelihood of new points: {moons_nll:.3f} nats. The true density has {truth:.3f} nats.")

# %% [markdown] role="text"
# The gap between the two numbers is an estimate of $\mathrm{KL}(p_\text{data} \Vert p_\text{flow})$: how many nats per
# point you would lose if you coded the moons with your flow. Now look at it from three sides.

# %% role="run"
with experiment("the flow from three sides"), torch.no_grad():
    on_cpu = copy.deepcopy(flow).cpu()
    ticks = torch.linspace(-2, 2, 141)
    plane = torch.cartesian_prod(ticks, 0.7 * ticks)
    density = on_cpu.log_prob(plane).exp().reshape(141, 141).T
    generator = torch.Generator().manual_seed(3)
    sampled = on_cpu.sample(torch.randn(1500, 2, generator=generator))
    lines = torch.linspace(-2.4, 2.4, 25)
    fine = torch.linspace(-2.4, 2.4, 400)
    figure, axes = plt.subplots(1, 3, figsize=(14, 4), layout="constrained")
    for line in lines:  # the lines of a grid in z, mapped back to x
        for fixed in (0, 1):
            thread = torch.stack([fine, fine], dim=1)
            thread[:, fixed] = line
            axes[0].plot(*on_cpu.sample(thread).T, linewidth=0.6, color=figures.COLOURS[fixed])
    axes[1].contourf(ticks, 0.7 * ticks, density, levels=20, cmap="Greys")
    axes[2].scatter(*sampled.T, s=3, color=figures.COLOURS[0])
    for ax, title in zip(axes, ("a square grid of z, seen from x", "density", "samples"), strict=True):
        ax.set(title=title, xlim=(-2, 2), ylim=(-1.4, 1.4), aspect="equal")
    figures.show(figure, "A grid pulled into two moons, the density with a thin bridge between them, and samples.")

# %% [markdown] role="text"
# ![What to expect in full mode: a grid pulled into two moons, their density, and samples](figures/moons.png)
#
# **Look.** Is there a bridge between the moons, of density that the data do not have? Train longer and it gets thinner,
# but it never goes: $f$ is continuous with a continuous inverse, and the plane under a standard normal is in one piece.
# Where in $z$ are the points of the bridge? What would you change about the *base* density (question 2 of problem set 1
# has an idea) so that the bridge can go?
#
# ### The same on images
#
# Four layers with checkerboards, a squeeze, and four layers that mask channels: enough to see what a likelihood on
# images buys. Pixels pass through the logit of question 3, and the result is in bits per dimension, so a uniform model
# has 8. On 8-bit MNIST a simple flow that is trained for long reaches about 1.1. In `QUICK` mode you see where the
# training starts, and no digits yet.
#
# > **Time.** `QUICK` (100 steps): 9 s on one core of a busy AMD EPYC (measured). Full (6,000 steps): about 5 minutes on
# > a T4 (estimate), 2 GB.


# %% role="given"
class DigitFlow(nn.Module):
    """Checkerboards at 28 x 28, then channels at 14 x 14."""

    def __init__(self, hidden: int = 32) -> None:
        super().__init__()
        self.fine = RealNVP(checkerboard_mask(28, 28), [CouplingCNN(1, hidden) for _ in range(4)])
        channels = torch.tensor([1.0, 0.0, 0.0, 1.0]).reshape(4, 1, 1)
        self.coarse = RealNVP(channels, [CouplingCNN(4, hidden) for _ in range(4)])

    def log_prob(self, y: Tensor) -> Tensor:
        """Log-density (B,) of logit images y (B, 1, 28, 28)."""
        middle, logdet = self.fine(y)
        return self.coarse.log_prob(squeeze(middle)) + logdet

    def sample(self, z: Tensor) -> Tensor:
        """Logit images (B, 1, 28, 28) from standard normal z (B, 4, 14, 14)."""
        return self.fine.sample(unsqueeze(self.coarse.sample(z)))


# %% role="run"
def digit_bits(flow: nn.Module, images: Tensor, seed: int) -> Tensor:
    """Bits per dimension (B,) of images (B, 28, 28) uint8."""
    u = torch.rand(len(images), 784, generator=torch.Generator().manual_seed(seed)).to(here.device)
    y, logdet = logit_preprocess(images.flatten(1).to(here.device), u)
    return bits_per_dim(flow.log_prob(y.reshape(-1, 1, 28, 28)) + logdet, 784)


with experiment("RealNVP on digits"):
    torch.manual_seed(0)
    new = DigitFlow(16 if QUICK else 48).to(here.device)
    adam = torch.optim.Adam(new.parameters(), lr=1e-3)
    steps = 100 if QUICK else 6000
    training = resumable(
        "checkpoints/digit_flow.safetensors",
        pack(flow=new, adam=adam),
        made_by=(AffineCoupling.forward, RealNVP.forward, RealNVP.log_prob, DigitFlow.__init__, digit_bits),
        settings={"steps": steps},
    )
    unpack(training.state, flow=new, adam=adam)
    for step in training.steps(steps, "digits"):
        batch = torch.randint(len(digits_train), (32 if QUICK else 64,), generator=torch.Generator().manual_seed(step))
        loss = digit_bits(new, digits_train[batch], step).mean()
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(new.parameters(), 1.0)
        adam.step()
        training.state = pack(flow=new, adam=adam)
        training.log(bits=loss.item())
    pixel_flow = new
    with torch.no_grad():
        test_bits = digit_bits(pixel_flow, digits_test[:200], seed=0).mean().item()
        noise = torch.randn(40, 4, 14, 14, generator=torch.Generator().manual_seed(5))
        drawn = pixel_flow.sample(noise.to(here.device)).sigmoid().flatten(1).cpu()
    figures.curves({"RealNVP": training.history["bits"]}, ylabel="bits per dimension", xlabel="step", title="digits")
    figures.patches(drawn, f"samples of the flow: {test_bits:.2f} bits per dimension", columns=20)

# %% [markdown] role="text"
# **Look.** A flow that is far better than 8 bits may still draw poor digits. Where do the bits come from? (How many
# bits does it cost to say that a corner is black?) Compare with the samples of your autoencoder in question 2: which
# model do you think has learnt more about digits, and what does your number say about that?
#
# ### 4d. Triangles, masks and what is out of reach (written, 4 points)
#
# 1. Order the coordinates so that those left alone, $x_a$, come first. Write down the Jacobian $\partial z/\partial x$
#    of a coupling layer in blocks, and derive its log-determinant. What does it cost to compute, compared to that of a
#    general map? (1 point)
# 2. Derive the inverse. Why may the network be anything at all, and at which input is it evaluated on the way back?
#    (1 point)
# 3. Show that a flow whose masks never alternate gives $x_a$ a standard normal density, whatever its networks are and
#    whatever the data. With alternating masks, after how many layers can every output depend on every input, for $D =
#    2$, and when both halves have two coordinates or more? (1 point)
# 4. Let $s = 0$ in all layers (NICE, Dinh et al., 2014, without its last scaling). Show that no such flow, however
#    deep, can model a standard normal that is scaled by $1/10$, and give the largest density that it can have anywhere.
#    (1 point)

# %% [markdown] role="written" part="4d"
# ### BEGIN SOLUTION
# **1.** With $z_a = x_a$ and $z_b = x_b \odot e^{s(x_a)} + t(x_a)$,
#
# $$ \frac{\partial z}{\partial x} = \begin{pmatrix}
# I & 0 \\ \partial z_b / \partial x_a & \operatorname{diag} e^{s(x_a)} \end{pmatrix} . $$
#
# It is lower triangular, so its determinant is the product of the diagonal, $\prod_{d \in b} e^{s_d}$, and
# $\log\lvert\det\rvert = \sum_{d \in b} s_d(x_a)$. The block $\partial z_b / \partial x_a$, which holds the derivatives
# of the network, does not enter and need not be computed. The cost is one pass of the network and a sum, of order $D$,
# where a general determinant costs of the order of $D^3$ (and the Jacobian $D$ backward passes).
#
# **2.** From the first block $x_a = z_a$. Then $s(x_a) = s(z_a)$ and $t(x_a) = t(z_a)$ can be computed, and $x_b =
# (z_b - t(z_a)) \odot e^{-s(z_a)}$. The network is evaluated *forward* in both directions, at the same input, the
# coordinates left alone; it is never inverted. It need not be injective, nor have as many outputs as inputs; the
# layer is invertible because $e^s > 0$.
#
# **3.** If all layers leave $x_a$ alone, $z_a = x_a$. Under the model $z \sim \mathcal N(0, I)$, hence $x_a = z_a \sim
# \mathcal N(0, I)$; only $p(x_b \mid x_a)$ is learnt. With alternation, layer 1 makes each output in $b$ depend on
# itself and on all of $a$. Layer 2 makes each output in $a$ depend on itself and on all of the new $b$, hence on every
# input. If $b$ is a single coordinate, as for $D = 2$, it depends on everything already, and *two* layers are enough.
# If $b$ has two coordinates or more, an output in $b$ does not yet depend on the other inputs in $b$; the *third* layer
# brings them in, through $a$, which by then depends on all of them. So three layers, for any number of coordinates.
#
# **4.** With $s = 0$ every layer has $\lvert\det\rvert = 1$, and so has the flow. Then $p(x) = \mathcal N(f(x); 0, I)
# \le (2\pi)^{-D/2}$ for every $x$: the density of the standard normal at its mode is the largest that can occur. The
# normal with standard deviation $1/10$ has the density $(2\pi)^{-D/2}\, 10^D$ at its mode, $10^D$ times too much.
# Shifts move volume and never compress it; NICE ends with a learnt diagonal scaling for this reason.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: block triangular Jacobian, sum of the transformed log-scales, order D against order D^3
# - 1 point: the inverse, and that the network is evaluated forward at the coordinates left alone, which are known
# - 1 point: without alternation x_a is standard normal; two layers for D = 2, three for larger halves, with the reason
# - 1 point: volume is preserved, so the density is at most (2 pi)^(-D/2), and the scaled normal exceeds it by 10^D
# ### END MARK SCHEME

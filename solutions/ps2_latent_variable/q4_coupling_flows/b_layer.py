# %% [markdown] role="text"
# ### 4b. One coupling layer (code, 6 points)
#
# Write `forward` and `inverse` of the layer above.
#
# - `mask` is a tensor of zeros and ones whose shape *broadcasts* against one example: (D,) for vectors of D numbers,
#   and for images (C, H, W), for instance, (H, W), a checkerboard, or (C, 1, 1), which masks whole channels.
# - `net` takes the masked batch, of the shape of x, and returns one tensor with twice as many entries along dimension
#   1: first the log-scales $s$, then the shifts $t$ (split it with `.chunk(2, dim=1)`).
# - `forward(x)` returns $z$ and $\log\lvert\det \partial z/\partial x\rvert$, one number per example, whatever the
#   shape of an example is. Only what is *transformed* counts.
# - `inverse(z)` returns $x$. What does the network need in order to compute the same $s$ and $t$, and is it there?
# - The mask and x may differ in dtype: masks here are float32, and the check also has x in float64. A product takes the
#   wider one by itself; give a tensor that you make yourself the dtype of x.
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

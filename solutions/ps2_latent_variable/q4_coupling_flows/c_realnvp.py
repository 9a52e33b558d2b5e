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
    mask, nets = torch.tensor([1.0, 0.0, 0.0]), [CouplingMLP(3) for _ in range(4)]
    fresh = RealNVP(mask, nets)
    normal = -0.5 * (x.square().sum(1) + 3 * math.log(2 * math.pi))
    c.shape(fresh.log_prob(x), (2,), "log_prob")
    c.close(fresh.log_prob(x), normal, "a new flow is the identity: its density is the standard normal")
    c.equal(len(list(fresh.parameters())), 24, "the optimizer finds the six parameter tensors of each network")
    torch.manual_seed(1)
    for parameter in nn.ModuleList(nets).parameters():
        nn.init.normal_(parameter, std=0.2)
    c.close(fresh.sample(fresh(x)[0]), x, "sample undoes forward, with random weights", atol=1e-4)
    after_one, after_two = (RealNVP(mask, nets[:depth])(x)[0] for depth in (1, 2))
    c.close(after_one[:, 0], x[:, 0], "layer 0 leaves the first coordinate alone, as its mask says")
    c.close(after_two[:, 1:], after_one[:, 1:], "layer 1 leaves the others alone")
    c.true((after_two - x)[:, 0].abs().min() > 1e-3, "and moves the first one: its mask is the opposite")
    z, logdet = fresh(x)
    base = -0.5 * (z.square().sum(1) + 3 * math.log(2 * math.pi))
    c.close(fresh.log_prob(x), base + logdet, "log_prob is that of the standard normal at z, plus the log-determinant")
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

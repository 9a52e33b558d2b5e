# %% [markdown] role="text"
# ### 8e. A likelihood (code, 4 points)
#
# Problem set 2 paid for a likelihood with architecture: coupling layers, whose Jacobians are triangular. A flow in
# continuous time pays nothing, because only the *trace* of the Jacobian enters. Along a trajectory
#
# $$ \frac{d}{dt}\log p_t(x_t)=-\nabla\!\cdot v(x_t,t)=-\sum_i\frac{\partial v_i}{\partial x_i} $$
#
# (Chen, Rubanova, Bettencourt and Duvenaud, 2018, theorem 1): where the flow spreads, density thins. Start at $x_1$, go
# *back* to the noise, and collect the divergence on the way,
#
# $$ \log p_1(x_1)=\log\mathcal N(x_0;0,I)-\int_0^1\nabla\!\cdot v(x_t,t)\,dt . $$
#
# - `divergence(v, x, t)`: the sum for each example, (B,), by autograd, one backward pass per coordinate. With random
#   directions `eps` (B, ...) of mean 0 and covariance $I$, a single pass estimates it: $\epsilon^\top J\epsilon$
#   has the mean $\operatorname{tr}J$ (Hutchinson, 1989; FFJORD, Grathwohl et al., 2019). Sum over the features of each
#   example, not over the batch. It has to work inside `torch.no_grad()` too, which `torch.enable_grad()` lifts.
# - `log_density(v, x1, n, method, eps)`: the formula above, per example, (B,), in nats. Your solver can do both
#   integrals at once, by the same `method`: give it the state $(x, a)$ with $\dot a=\nabla\!\cdot v$, one column more
#   than $x$ has features. `eps`, when given, goes to every `divergence` of the way, the same in all steps.
#
# Both are numbers to look at, not to train on: no graph has to be kept.


# %% role="answer" part="8e"
def divergence(v: Callable[[Tensor, Tensor], Tensor], x: Tensor, t: Tensor, eps: Tensor | None = None) -> Tensor:
    """Divergence (B,) of v(x, t) at x (B, ...) and t (B,): exactly, or its estimate from directions eps (B, ...)."""
    ### BEGIN SOLUTION
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        out = v(x, t)
        if eps is not None:
            (pulled,) = torch.autograd.grad((out * eps).sum(), x)
            return (pulled * eps).flatten(1).sum(1)
        total = 0
        for i, column in enumerate(out.flatten(1).unbind(1)):  # one output of all examples at a time
            (row,) = torch.autograd.grad(column.sum(), x, retain_graph=True)
            total = total + row.flatten(1)[:, i]
        return total
    ### END SOLUTION


def log_density(
    v: Callable[[Tensor, Tensor], Tensor], x1: Tensor, n: int, method: str = "rk4", eps: Tensor | None = None
) -> Tensor:
    """Log-density (B,) in nats of data x1 (B, ...) under the flow of v, integrated in n steps back from t = 1 to 0."""

    ### BEGIN SOLUTION
    def joint(state: Tensor, t: Tensor) -> Tensor:
        x = state[:, :-1].reshape(x1.shape)
        return torch.cat([v(x, t).flatten(1), divergence(v, x, t, eps)[:, None]], dim=1)

    begin = torch.cat([x1.flatten(1), x1.new_zeros(len(x1), 1)], dim=1)
    last = ode_solve(joint, begin, n, method, start=1.0, end=0.0)[-1]
    x0, collected = last[:, :-1], last[:, -1]  # collected from 1 to 0: minus the integral from 0 to 1
    return -0.5 * (x0.square() + math.log(2 * math.pi)).sum(1) + collected
    ### END SOLUTION


# %% role="check" part="8e"
with check("8e") as c:
    x, t = torch.tensor([[1.0, 2.0], [3.0, -1.0]], dtype=torch.float64), torch.tensor([0.5, 0.1], dtype=torch.float64)

    def bend(x: Tensor, t: Tensor) -> Tensor:
        """A field (x y, 5 x + y^2), whose divergence is 3 y."""
        return torch.stack([x[:, 0] * x[:, 1], 5 * x[:, 0] + x[:, 1] ** 2], dim=1)

    c.close(divergence(bend, x, t), [6.0, -3.0], "y + 2y at each point; 5 and x do not enter")
    directions = torch.tensor([[1.0, 1.0], [1.0, -1.0]], dtype=torch.float64)
    c.close(divergence(bend, x, t, directions), [12.0, -11.0], "all four entries of the Jacobian enter an estimate")
    grown = log_density(lambda x, t: x, math.e * x, 50)
    c.close(grown, [-math.log(2 * math.pi) - 2.5 - 2, -math.log(2 * math.pi) - 5 - 2], "dx/dt = x spreads by e, twice")
    image, when = torch.tensor([[[[1.0, 2.0]]], [[[3.0, -1.0]]]]), torch.zeros(2)
    c.close(divergence(lambda x, t: x**2 / 2, image, when), [3.0, 2.0], "images, too: the sum of x over the pixels")
    grown = log_density(lambda x, t: x, 0 * image, 50)
    c.close(grown, [-math.log(2 * math.pi) - 2] * 2, "and the log-density of images")

# %% [markdown] role="text"
# **Look: density on its way.** The exact field, and a network that learns from samples alone: three layers, `cfm_loss`,
# Adam. Above the densities of the exact flow, below those of the network, both from your `log_density`. (`QUICK` trains
# 7 s on one core of an Intel Xeon, in full half a minute; a T4 would idle. Memory is negligible.)


# %% role="given"
class PlaneNet(nn.Module):
    """A small network for fields in the plane: x (B, 2), t (B,) to (B, 2)."""

    def __init__(self, hidden: int = 128) -> None:
        super().__init__()
        self.register_buffer("waves", math.pi * torch.arange(1.0, 5.0))
        self.layers = nn.Sequential(
            nn.Linear(11, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, 2)
        )

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """The field at x and t; time enters as itself and as four sines and cosines."""
        angle = t[:, None] * self.waves
        return self.layers(torch.cat([x, t[:, None], angle.sin(), angle.cos()], dim=1))


# %% role="run"
with experiment("a flow learnt from samples", smaller="128 points in a batch"):
    torch.manual_seed(0)
    plane_net = PlaneNet().to(here.device)
    adam = torch.optim.Adam(plane_net.parameters(), betas=(0.9, 0.99))
    steps = 4000 if QUICK else 20_000
    training = resumable(
        "checkpoints/plane_flow.safetensors",
        pack(plane=plane_net, adam=adam),
        made_by=(fm_pair, cfm_loss, PlaneNet),
        settings={"steps": steps},
    )
    unpack(training.state, plane=plane_net, adam=adam)
    for step in training.steps(steps, "flow matching in the plane"):
        adam.param_groups[0]["lr"] = 1e-2 * (1 - step / steps)
        generator = torch.Generator().manual_seed(step)
        x1 = mixture.sample(256, generator)[0].float().to(here.device)
        x0 = torch.randn(256, 2, generator=generator).to(here.device)
        t = torch.rand(256, generator=generator).to(here.device)
        loss = cfm_loss(plane_net, x0, x1, t).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        training.state = pack(plane=plane_net, adam=adam)
        training.log(loss=loss.item())
    generator = torch.Generator().manual_seed(7)
    x0, (x1, _) = torch.randn(20_000, 2, generator=generator).double(), mixture.sample(20_000, generator)
    t = torch.rand(20_000, generator=generator).double()
    floor = cfm_loss(field, x0, x1, t).mean().item()
    smooth = [part.mean() for part in torch.tensor(training.history["loss"]).chunk(50)]
    figures.curves(
        {"network": smooth, "the exact field": [floor] * len(smooth)},
        xlabel=f"{steps // 50} steps",
        ylabel="mean squared error",
        title="the loss that nobody can beat",
    )

# %% role="run"
with experiment("densities on their way"), torch.no_grad():
    ticks = torch.linspace(-2.2, 2.2, 56 if QUICK else 111, dtype=torch.float64)
    plane_points = torch.cartesian_prod(ticks, ticks)
    plane_net = plane_net.cpu()
    fields = {"exact": field, "network": lambda x, t: plane_net(x.float(), t.float()).double()}

    def density_at(v: Callable[[Tensor, Tensor], Tensor], moment: float) -> Tensor:
        """p_t on the grid: the flow from 0 to this moment, on a clock that runs from 0 to 1."""
        part = log_density(lambda x, t: moment * v(x, moment * t), plane_points, 10 if QUICK else 40, "rk4")
        return part.exp().reshape(len(ticks), -1).T

    figure, axes = plt.subplots(2, 4, figsize=(12, 6.2), sharex=True, sharey=True, layout="constrained")
    for row, (name, v) in zip(axes, fields.items(), strict=True):
        for ax, moment in zip(row, (0.3, 0.7, 0.9, 1.0), strict=True):
            ax.pcolormesh(ticks, ticks, density_at(v, moment), cmap="Greys", shading="nearest")
            ax.set(title=f"{name}, t = {moment}", aspect="equal")
    figures.show(figure, "A round cloud shrinks, then parts into three bent arms; the network's arms are less sharp.")
    held_out, _ = mixture.sample(500, torch.Generator().manual_seed(11))
    for name, v in fields.items():
        print(f"{name}: {log_density(v, held_out, 30, 'rk4').mean():.3f} nats per new point")
    print(f"the mixture itself: {mixture.logpdf(held_out).mean():.3f} nats")
    plane_net = plane_net.to(here.device)

# %% [markdown] role="text"
# **Look.** The loss of the network comes to rest far above zero, on the loss of the exact field. What is left there,
# and can you tell from it alone how good the samples are? The density of your network is computed from the network
# alone, by an integral along trajectories; the mixture's by a formula. By how many nats do they differ, and which
# Kullback-Leibler divergence is that?

# %% [markdown] role="text"
# ### 8d. Straighter: reflow (code, 1 point)
#
# Trajectories bend because partners are strangers: the lines cross, and where they cross the field takes a mean. But a
# trained flow defines new couples, each noise with *its own* end. Their lines cross far less. Train a second flow on
# them, and it is nearly straight, so that a few steps are enough; in the limit, one (**reflow**, Liu, Gong and Liu,
# 2023, section 2.2; you train it in extension x2).
#
# Write `reflow_pairs`: the given noises and the ends of their trajectories. They are data for the next training, and
# carry no graph.


# %% role="answer" part="8d"
def reflow_pairs(
    v: Callable[[Tensor, Tensor], Tensor], x0: Tensor, n: int, method: str = "heun"
) -> tuple[Tensor, Tensor]:
    """The noises x0 (B, ...) and where the flow of v takes them, (B, ...), in n steps from t = 0 to 1; no graph."""
    ### BEGIN SOLUTION
    with torch.no_grad():
        return x0, ode_solve(v, x0, n, method)[-1]
    ### END SOLUTION


# %% role="check" part="8d"
with check("8d") as c:
    x0 = torch.tensor([[1.0, 2.0], [3.0, -1.0]])
    weight = torch.ones((), requires_grad=True)
    start, end = reflow_pairs(lambda x, t: weight * x, x0, 2, "euler")
    c.close(start, x0, "the first of the pair is the noise")
    c.close(end, 2.25 * x0, "two steps of Euler for dx/dt = x: one and a half, twice")
    c.true(not end.requires_grad, "no graph is left")

# %% [markdown] role="text"
# **Look: one crossing.** One dimension, and data at $-2$ and $2$: the smallest example that has everything. On the left
# lines from each noise to both, in the middle the trajectories of the best field, on the right the lines of the new
# couples.

# %% role="run"
with experiment("a crossing, and what reflow makes of it"):
    two = Mixture(
        torch.tensor([0.5, 0.5]).double().log(),
        torch.tensor([[-2.0, 0.0], [2.0, 0.0]]).double(),
        torch.diag_embed(torch.tensor([[0.02, 1.0], [0.02, 1.0]]).double()),
        torch.tensor([0, 1]),
    )  # the first coordinate is the example; the second one only keeps it company
    pair_field = exact_velocity(two)
    noises = torch.stack([torch.linspace(-2, 2, 40), torch.zeros(40)], dim=1).double()
    path = ode_solve(pair_field, noises, 100, "rk4")[:, :, 0]
    start, end = reflow_pairs(pair_field, noises, 100, "rk4")
    clock = torch.linspace(0, 1, 101)
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.6), sharey=True, layout="constrained")
    for i, noise in enumerate(noises[:, 0].tolist()):
        for side in (-2.0, 2.0):
            colour = figures.COLOURS[0 if side < 0 else 1]
            axes[0].plot([0, 1], [noise, side], color=colour, linewidth=0.6)
        colour = figures.COLOURS[0 if path[-1, i] < 0 else 1]
        axes[1].plot(clock, path[:, i], color=colour, linewidth=0.9)
        axes[2].plot([0, 1], [start[i, 0], end[i, 0]], color=colour, linewidth=0.9)
    for ax, title in zip(axes, ("lines of random couples", "the flow", "lines of the new couples"), strict=True):
        ax.set(title=title, xlabel="t")
    axes[0].set_ylabel("x")
    figures.show(figure, "Lines cross; trajectories turn back at the middle; the lines of the new couples are apart.")
    landed = ode_solve(pair_field, noises, 1, "euler")[-1, :, 0]
    print(f"One Euler step takes the noises from -2 to 2 to values between {landed.min():.3f} and {landed.max():.3f}.")

# %% [markdown] role="text"
# **Look.** Every noise has as many lines upward as downward. Follow the lowest trajectory: why does it go up at first,
# and what makes it turn? If $v$ were trained on the right picture, where would one Euler step from $-1$ land?

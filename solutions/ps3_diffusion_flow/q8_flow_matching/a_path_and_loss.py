# %% [markdown] role="text"
# ## 8. Flow matching (20 points)
#
# Diffusion came to sampling by a long road: a chain of noise, a bound on the likelihood, a posterior for every step,
# and at the end DDIM, which throws the noise away again. Is there a direct road? Put a noise and a datum on a line,
#
# $$ x_t=(1-t)\,x_0+t\,x_1,\qquad x_0\sim\mathcal N(0,I),\quad x_1\sim p_\text{data},\quad t\in[0,1], $$
#
# and let a network learn the *velocity* with which points move along such lines. Then sample by following the
# velocity, $\dot x=v(x,t)$, from noise to data. That is **flow matching** (Lipman, Chen, Ben-Hamu, Nickel and Le,
# 2023), found at the same time as **rectified flow** (Liu, Gong and Liu, 2023) and **stochastic interpolants** (Albergo
# and Vanden-Eijnden, 2023). No schedule, no $\bar\alpha$, no posterior; a regression, and a solver for ordinary
# differential equations.
#
# **Watch the clock.** Here $t=0$ is *noise* and $t=1$ is *data*, and $t$ is a real number. Diffusion's $t$ counted the
# other way, in whole numbers. The letter $x_0$ changes sides as well: it is the noise now. Mixing the two up raises no
# error and trains without complaint.
#
# ### 8a. The line and the loss (code, 4 points)
#
# - `fm_pair(x0, x1, t)`: the point $x_t$ on the line and the velocity $u=\dot x_t$ with which it moves. Each example
#   has its own time, `t` is (B,), and an example may be a vector or an image.
# - `cfm_loss(v, x0, x1, t)`: for a field `v(x, t)`, each example's squared error between $v(x_t,t)$ and $u$, as a
#   *mean* over its features, (B,).
#
# Two lines each.


# %% role="answer" part="8a"
def fm_pair(x0: Tensor, x1: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """Points x_t and velocities, both (B, ...), at times t (B,) on the lines from noise x0 to data x1 (B, ...)."""
    ### BEGIN SOLUTION
    s = t.reshape(-1, *[1] * (x0.ndim - 1))
    return (1 - s) * x0 + s * x1, x1 - x0
    ### END SOLUTION


def cfm_loss(v: Callable[[Tensor, Tensor], Tensor], x0: Tensor, x1: Tensor, t: Tensor) -> Tensor:
    """Mean squared error (B,) of the field v(x (B, ...), t (B,)) on the lines from noise x0 to data x1 (B, ...)."""
    ### BEGIN SOLUTION
    xt, u = fm_pair(x0, x1, t)
    return (v(xt, t) - u).square().flatten(1).mean(1)
    ### END SOLUTION


# %% role="check" part="8a"
with check("8a") as c:
    x0, x1 = torch.tensor([[0.0, 0.0], [1.0, 1.0]]), torch.tensor([[4.0, 8.0], [5.0, -1.0]])
    xt, u = fm_pair(x0, x1, torch.tensor([0.25, 0.5]))
    c.close(xt, [[1.0, 2.0], [3.0, 0.0]], "a quarter of the way, and half of it: each example at its own time")
    c.close(u, [[4.0, 8.0], [4.0, -2.0]], "the velocity is the same all along the line")
    xt, u = fm_pair(torch.zeros(3, 1, 2, 3), torch.ones(3, 1, 2, 3), torch.tensor([0.0, 0.5, 1.0]))
    c.close(xt.flatten(1).mean(1), [0.0, 0.5, 1.0], "images too, even where B equals their width")
    loss = cfm_loss(lambda x, t: 0 * x, x0, x1, torch.tensor([0.25, 0.5]))
    c.shape(loss, (2,), "loss")
    c.close(loss, [40.0, 10.0], "a field that stands still: the mean of 16 and 64, and of 16 and 4")
    loss = cfm_loss(lambda x, t: x + t[:, None], x0, x1, torch.tensor([0.25, 0.5]))
    c.close(loss, [20.3125, 3.25], "a field that answers x_t + t: 1.25 and 2.25 against 4 and 8")

# %% [markdown] role="text"
# **A field for a crowd.** The regression has a catch that makes the method. Through a point $x$ at time $t$ pass many
# lines, with different velocities; a function $v(x,t)$ can have one value there. The best it can do under a squared
# error is the mean,
#
# $$ v^\star(x,t)=\mathbb E[\,x_1-x_0\mid x_t=x\,], $$
#
# the **marginal velocity**. The points of the lines meet at one place and time with different velocities; those of a
# crowd that follows $v^\star$ never do (drawn in the plane, their paths may still cross at different times). But at
# each moment the two crowds are spread in the same way. That is the theorem (Lipman et al., theorem 1), you prove it in
# 8f, and here it is to be seen: on the left 60 lines, on the right what happens to the same noises when they follow
# $v^\star$, which is known in closed form for a mixture of Gaussians.

# %% role="run"
with experiment("lines of pairs, and the flow"):
    generator = torch.Generator().manual_seed(0)
    field = exact_velocity(mixture)
    start = torch.randn(1500, 2, generator=generator, dtype=torch.float64)
    partner, _ = mixture.sample(1500, generator)  # an independent partner for each noise
    moments = torch.linspace(0, 1, 51, dtype=torch.float64)
    lines = torch.stack([fm_pair(start, partner, m.expand(1500))[0] for m in moments])  # (51, 1500, 2)
    walked = [start]
    for m in moments[:-1]:  # 50 little steps along the field; 8b does this properly
        walked.append(walked[-1] + 0.02 * field(walked[-1], m.expand(1500)))
    walked = torch.stack(walked)
    figure, axes = plt.subplots(1, 2, figsize=(9.5, 4.6), layout="constrained")
    for ax, paths, title in zip(axes, (lines, walked), ("lines of random pairs", "the flow"), strict=True):
        for path in paths[:, :60].unbind(1):
            ax.plot(*path.T, color="#999999", linewidth=0.7)
        ax.scatter(*paths[0, :60].T, s=10, color=figures.COLOURS[0], label="t = 0, noise")
        ax.scatter(*paths[-1, :60].T, s=14, marker="s", color=figures.COLOURS[1], label="t = 1, data")
        ax.set(title=title, xlim=(-2.6, 2.6), ylim=(-2.6, 2.6), aspect="equal")
    axes[0].legend(loc="upper left")
    figures.show(figure, "Lines between random pairs cross everywhere; the flow's bend and cross far less.")
    for name, paths in (("lines", lines), ("flow", walked)):
        shown = {f"{name}, t = {moments[i]:.1f}": paths[i] for i in (0, 15, 30, 40, 45, 50)}
        show_points(shown, alt=f"The crowd of the {name} at six moments: a cloud contracts, then parts into the arms.")

# %% [markdown] role="text"
# **Look.** The two films are made of different trajectories, and frame by frame they show the same density. Up to which
# time does the crowd move as a whole, and towards what? (What is $v^\star(x,0)$, for any $x$?) When is it decided which
# arm a point goes to, and where would you spend your steps, if you had only ten?

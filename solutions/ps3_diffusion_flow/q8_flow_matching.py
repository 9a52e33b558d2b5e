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

# %% [markdown] role="text"
# **A field for a crowd.** The regression has a catch that makes the method. Through a point $x$ at time $t$ pass many
# lines, with different velocities; a function $v(x,t)$ can have one value there. The best it can do under a squared
# error is the mean,
#
# $$ v^\star(x,t)=\mathbb E[\,x_1-x_0\mid x_t=x\,], $$
#
# the **marginal velocity**. The points of the lines cross each other's ways; a crowd that follows $v^\star$ does
# not. But at each moment the two crowds are spread in the same way. That is the theorem (Lipman et al., theorem 1),
# you prove it in 8f, and here it is to be seen: on the left 60 lines, on the right what happens to the same noises when
# they follow $v^\star$, which is known in closed form for a mixture of Gaussians.

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
    figures.show(figure, "Lines between random pairs cross everywhere; the flow's trajectories bend and never cross.")
    for name, paths in (("lines", lines), ("flow", walked)):
        shown = {f"{name}, t = {moments[i]:.1f}": paths[i] for i in (0, 15, 30, 40, 45, 50)}
        show_points(shown, alt=f"The crowd of the {name} at six moments: a cloud contracts, then parts into the arms.")

# %% [markdown] role="text"
# **Look.** The two films are made of different trajectories, and frame by frame they show the same density. Up to which
# time does the crowd move as a whole, and towards what? (What is $v^\star(x,0)$, for any $x$?) When is it decided which
# arm a point goes to, and where would you spend your steps, if you had only ten?
#
# ### 8b. Solving the equation (code, 4 points)
#
# Write `ode_solve`. It takes `n` equal steps from time `start` to time `end` and returns all n + 1 states. With
# $h=(\text{end}-\text{start})/n$, which is negative when time runs backward, one step from $(x,t)$ is
#
# | method | next $x$, with $k_1=v(x,t)$ | evaluations |
# | --- | --- | --- |
# | `"euler"` | $x+hk_1$ | 1 |
# | `"heun"` | $x+\frac h2(k_1+k_2)$ with $k_2=v(x+hk_1,\,t+h)$ | 2 |
# | `"rk4"` | $x+\frac h6(k_1+2k_2+2k_3+k_4)$ | 4 |
#
# where for `"rk4"`, the method of Kutta (1901), $k_2=v(x+\frac h2k_1,\,t+\frac h2)$,
# $k_3=v(x+\frac h2k_2,\,t+\frac h2)$ and $k_4=v(x+hk_3,\,t+h)$.
#
# A network expects a time for each example, so `v` gets `t` as a tensor (B,) in the dtype and on the device of `x`.
# Twice as many steps divide the error by 2, 4 and 16. An evaluation of $v$ is a pass through the network, and it is
# the only thing that costs.


# %% role="answer" part="8b"
def ode_solve(
    v: Callable[[Tensor, Tensor], Tensor],
    x: Tensor,
    n: int,
    method: str = "euler",
    start: float = 0.0,
    end: float = 1.0,
) -> Tensor:
    """States (n + 1, B, ...) of dx/dt = v(x, t) from x (B, ...), in n equal steps of time from start to end.

    v takes x (B, ...) and t (B,); method is "euler", "heun" or "rk4".
    """
    ### BEGIN SOLUTION
    h, states = (end - start) / n, [x]
    for i in range(n):
        t = x.new_full((len(x),), start + i * h)
        k1 = v(x, t)
        if method == "euler":
            x = x + h * k1
        elif method == "heun":
            x = x + h / 2 * (k1 + v(x + h * k1, t + h))
        else:
            k2 = v(x + h / 2 * k1, t + h / 2)
            k3 = v(x + h / 2 * k2, t + h / 2)
            x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + v(x + h * k3, t + h))
        states.append(x)
    return torch.stack(states)
    ### END SOLUTION


# %% role="check" part="8b"
with check("8b") as c:
    x = torch.tensor([[1.0, 2.0]], dtype=torch.float64)
    for method, factor in (("euler", 1.5), ("heun", 1.625), ("rk4", 1.6484375)):
        states = ode_solve(lambda x, t: x, x, 2, method)
        c.shape(states, (3, 1, 2), f"the states of {method}")
        c.close(states[1], factor * x, f"{method}: one step of 1/2 of dx/dt = x")
    for method, area in (("euler", 0.0), ("heun", 0.5), ("rk4", 0.25)):
        states = ode_solve(lambda x, t: t[:, None] ** 3 * torch.ones_like(x), x, 1, method)
        c.close(states[1], x + area, f"{method}: one step of dx/dt = t^3")
    back = ode_solve(lambda x, t: 0 * x + 3, x, 4, "euler", start=1.0, end=0.5)
    c.close(back[-1], x - 1.5, "time may run backward")

# %% [markdown] role="text"
# **Look: how many steps?** First the error as mathematicians see it, the distance between the end of each method and
# the end of a very fine solution, against the number of *evaluations*. Then what a sampler cares about, the samples.

# %% role="run"
with experiment("evaluations and errors"):
    noises = torch.randn(600, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    fine = ode_solve(field, noises, 400, "rk4")[-1]
    figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
    for method, each, dash in (("euler", 1, "-o"), ("heun", 2, "--s"), ("rk4", 4, "-.D")):
        budgets = [each * n for n in (1, 2, 4, 8, 16, 32, 64, 128) if each * n <= 256]
        errors = [(ode_solve(field, noises, b // each, method)[-1] - fine).norm(dim=1).mean() for b in budgets]
        ax.loglog(budgets, errors, dash, label=f"{method}, {each} a step", markersize=4)
    ax.set(xlabel="evaluations of v", ylabel="mean distance to the exact end", title="the price of an order")
    ax.legend()
    figures.show(figure, "Errors on a double logarithmic scale: lines with slopes of about 1, 2 and 4, which cross.")
    frames = {f"Euler, {n}": ode_solve(field, noises, n, "euler")[-1] for n in (1, 2, 4, 8, 32)}
    frames["Heun, 8 (4 steps)"] = ode_solve(field, noises, 4, "heun")[-1]
    show_points(frames, alt="One Euler step lands on a single point, four on a blur, 32 on three arms.")

# %% [markdown] role="text"
# **Look.** Where do all noises land with one Euler step, and why exactly there? With 8 evaluations Heun has the smaller
# error, and yet Euler's samples lie closer to the arms. How can that be? (Euler's last step goes from $t=1-h$ to
# $x+h\,v=\mathbb E[x_1\mid x_t]$, a mean of data; where does Heun's last step take its second slope?) Are
# Euler's samples *right*, then? Compare the width of the arms.
#
# ### 8c. Velocity and score (code, 2 points)
#
# Diffusion learnt the noise, or the score $\nabla\log p_t$; we learn a velocity. It is the same knowledge. From
# $x_t=(1-t)x_0+tx_1$ and $u=x_1-x_0$ follow both ends of the line, $x_0=x_t-t\,u$ and $x_1=x_t+(1-t)\,u$, and, since
# everything is linear, their means given $x_t$ from the mean of $u$. And in question 2 you have seen that the score is
# the mean of the noise, divided by minus its standard deviation. Write `score_from_velocity`: the score of $p_t$ at `x`
# from the velocity `v` there, for $t<1$. One line.


# %% role="answer" part="8c"
def score_from_velocity(x: Tensor, t: Tensor, v: Tensor) -> Tensor:
    """The score of p_t at x (B, ...), for times t (B,) below 1, from the marginal velocity v (B, ...) there."""
    ### BEGIN SOLUTION
    s = t.reshape(-1, *[1] * (x.ndim - 1))
    return (s * v - x) / (1 - s)
    ### END SOLUTION


# %% role="check" part="8c"
with check("8c") as c:
    x, t = torch.tensor([[1.0, -2.0], [0.5, 3.0]], dtype=torch.float64), torch.tensor([0.0, 0.5], dtype=torch.float64)
    standard = (2 * t - 1)[:, None] * x / ((1 - t) ** 2 + t**2)[:, None]  # the velocity, if data are N(0, I) as well
    score = score_from_velocity(x, t, standard)
    c.close(score[0], -x[0], "at t = 0 the score is that of the standard normal")
    c.close(score[1], -2 * x[1], "at t = 1/2, x_t has variance 1/2 when both ends have variance 1")

# %% [markdown] role="text"
# **What it buys: noise at will.** Add to the flow a drift along the score, and just as much noise as that drift takes
# out,
#
# $$ dx=\Big(v(x,t)+\tfrac{g(t)^2}2\,\nabla\log p_t(x)\Big)dt+g(t)\,dW, $$
#
# and the density at every moment is the same as before, for any $g$ (Song et al., 2021, for diffusion; Albergo and
# Vanden-Eijnden for interpolants). Below $g(t)^2=2c\,(1-t)$, with $c=0$, $1$ and $5$, from the *same four noises*.

# %% role="run"
with experiment("the same densities with more and less noise"):
    generator, n = torch.Generator().manual_seed(2), 400
    four = torch.tensor([[-1.5, 0.5], [0.3, 1.2], [0.2, -0.4], [1.2, -1.0]], dtype=torch.float64)
    figure, axes = plt.subplots(2, 3, figsize=(11, 7.4), layout="constrained")
    for (above, below), level in zip(axes.T, (0.0, 1.0, 5.0), strict=True):
        x = torch.cat([four.repeat_interleave(5, 0), torch.randn(1000, 2, generator=generator, dtype=torch.float64)])
        path = [x]
        for i in range(n):
            t = torch.full((len(x),), i / n, dtype=torch.float64)
            velocity = field(x, t)
            spread = 2 * level * (1 - i / n)  # g squared
            drift = velocity + spread / 2 * score_from_velocity(x, t, velocity)
            x = x + drift / n + (spread / n) ** 0.5 * torch.randn(x.shape, generator=generator, dtype=torch.float64)
            path.append(x)
        path = torch.stack(path)
        for i in range(20):
            above.plot(*path[:, i].T, linewidth=0.5, color=figures.COLOURS[i // 5])
        above.scatter(*four.T, s=30, color="black", zorder=3)
        below.scatter(*path[-1, 20:].T, s=3, color="#444444")
        above.set(title=f"c = {level:g}: five runs from each of four noises")
        for ax in (above, below):
            ax.set(xlim=(-2.6, 2.6), ylim=(-2.6, 2.6), aspect="equal", xticks=[], yticks=[])
    figures.show(figure, "Without noise, five runs are one; with noise they part; the samples below look the same.")

# %% [markdown] role="text"
# **Look.** For $c=0$ five runs are one line. For $c=5$ a noise says nothing about where it ends. Yet the three clouds
# below agree. What does the ODE have that the other two lack (think of editing), and which of them forgives an
# error that was made early on the way?
#
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
    start, end = reflow_pairs(lambda x, t: x, x0, 1, "heun")
    c.close(start, x0, "the first of the pair is the noise")
    c.close(end, 2.5 * x0, "one step of Heun for dx/dt = x: 1 + 1 + 1/2")

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
#
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
#   directions `eps` (B, ...) of mean 0 and covariance $I$, a single pass estimates it: $\varepsilon^\top J\varepsilon$
#   has the mean $\operatorname{tr}J$ (Hutchinson, 1989; FFJORD, Grathwohl et al., 2019). Examples must not mix. It has
#   to work inside `torch.no_grad()` too, which `torch.enable_grad()` lifts.
# - `log_density(v, x1, n, method, eps)`: the formula above, per example, (B,), in nats. Your solver can do both
#   integrals at once: give it the state $(x, a)$ with $\dot a=\nabla\!\cdot v$, one column more than $x$ has
#   features. `eps`, when given, is the same in all steps.


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
    grown = log_density(lambda x, t: x, torch.zeros(3, 2, dtype=torch.float64), 50)
    c.close(grown, [-math.log(2 * math.pi) - 2.0] * 3, "dx/dt = x spreads by e in each of two directions")

# %% [markdown] role="text"
# **Look: density on its way.** The exact field, and a network that learns from samples alone: three layers, `cfm_loss`,
# Adam. Above the densities of the exact flow, below those of the network, both from your `log_density`. (`QUICK` trains
# 6 s on one core of an AMD EPYC, in full half a minute; a T4 would idle. Memory is negligible.)


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
with experiment("a flow learnt from samples"):
    torch.manual_seed(0)
    plane_net = PlaneNet().to(here.device)
    adam = torch.optim.Adam(plane_net.parameters(), betas=(0.9, 0.99))
    steps = 4000 if QUICK else 20_000
    training = resumable(
        "checkpoints/plane_flow.safetensors",
        pack(plane=plane_net, adam=adam),
        made_by=(fm_pair, cfm_loss, PlaneNet.forward),
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
    smooth = torch.tensor(training.history["loss"]).unfold(0, 100, 100).mean(1)
    figures.curves(
        {"network": smooth, "the exact field": [floor] * len(smooth)},
        xlabel="100 steps",
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
#
# ### Look: digits, without training anything
#
# 8c said that noise, score and velocity are the same knowledge. So the network that came with this notebook, which was
# trained to find the noise of a *diffusion*, is a flow already. Divide $x_t=(1-t)x_0+tx_1$ by
# $c_t=\sqrt{(1-t)^2+t^2}$, and it is a noisy image of diffusion with $arlpha=t^2/c_t^2$: look up the step at which
# the schedule has this $arlpha$, ask the network there for the noise $\hatarepsilon$, and
#
# $$ v(x,t)=\hat x_1-\hat x_0=rac{x-(1-t)\,\hatarepsilon}{t}-\hatarepsilon=rac{x-\hatarepsilon}{t}. $$
#
# The schedule ends at a $arlpha$ that is not quite zero, so the flow starts a little after $t=0$.


# %% role="given"
def flow_from_ddpm(model: Callable[..., Tensor], alpha_bar: Tensor, y: Tensor | None = None) -> Callable[..., Tensor]:
    """The velocity v(x, t) of the flow that a noise predictor model(x, t, y) with this schedule stands for.

    Use it from first_time(alpha_bar) on. y (B,) are labels, or None.
    """
    ratio = (alpha_bar / (1 - alpha_bar)).sqrt().flip(0)  # t / (1 - t) of each step, ascending

    def v(x: Tensor, t: Tensor) -> Tensor:
        """The velocity at x (B, ...) and t (B,); the step between two whole ones is interpolated."""
        wanted = (t / (1 - t).clamp_min(1e-6)).double().cpu().clamp(ratio[0].item(), ratio[-1].item())
        above = torch.searchsorted(ratio, wanted).clamp(1, len(ratio) - 1)
        low, high = ratio[above - 1].log(), ratio[above].log()
        step = len(ratio) - 1 - (above - 1 + (wanted.log() - low) / (high - low))
        shape = (-1, *[1] * (x.ndim - 1))
        s = t.clamp_min(1e-3).reshape(shape)
        scaled = x / ((1 - s).square() + s.square()).sqrt()
        return (x - model(scaled, step.to(x), y)) / s

    return v


def first_time(alpha_bar: Tensor) -> float:
    """The flow-matching time t at which t / (1 - t) has the schedule's last, smallest ratio of signal to noise."""
    ratio = (alpha_bar[-1] / (1 - alpha_bar[-1])).sqrt().item()
    return ratio / (1 + ratio)


# %% role="run"
with experiment("a diffusion network, followed as a flow"), torch.no_grad():
    labels = torch.arange(10, device=here.device)
    noises = torch.randn(10, 1, 28, 28, generator=torch.Generator().manual_seed(3)).to(here.device)
    v = flow_from_ddpm(unet, alpha_bar, labels)
    begin = first_time(alpha_bar)
    states = ode_solve(v, noises, 16, "heun", start=begin)
    shown = (0, 4, 6, 8, 9, 10, 11, 12, 14, 16)
    clock = ", ".join(f"{begin + (1 - begin) * i / 16:.2f}" for i in shown)
    show_digit_film([states[i] for i in shown], f"the flow of the provided network at t = {clock}")
    for method, n in (("euler", 4), ("heun", 2), ("euler", 8), ("heun", 4)):
        used = n * (2 if method == "heun" else 1)
        show_digits(ode_solve(v, noises, n, method, start=begin)[-1], f"{method}, {used} evaluations", columns=10)

# %% [markdown] role="text"
# **Look.** At which time can you tell the digit? Compare the rows with 4 evaluations, and those with 8. In question 9
# you train a network on `cfm_loss` itself, with the same architecture and the same budget, and measure which of the two
# needs fewer evaluations.
#
# ### 8f. From pairs to a field (written, 3 points)
#
# 1. Let $p_t$ be the density of $x_t$ and $v^\star(x,t)=\mathbb E[x_1-x_0\mid x_t=x]$. For any smooth test function
#    $\phi$ that vanishes far away, differentiate $\mathbb E[\phi(x_t)]$ with respect to $t$, and derive the continuity
#    equation $\partial_tp_t+\nabla\cdot(p_tv^\star)=0$. Why does it follow that the flow of $v^\star$ carries
#    $\mathcal N(0,I)$ to $p_\text{data}$? (1 point)
# 2. Show that $\mathbb E\lVert v(x_t,t)-(x_1-x_0)\rVert^2=\mathbb E\lVert v(x_t,t)-v^\star(x_t,t)\rVert^2+C$ with a
#    $C$ that does not depend on $v$. What is $C$, when is it zero, and what follows for what you can read off a
#    training curve? (1 point)
# 3. Let the data be $\mathcal N(m,S)$. Derive $v^\star(x,t)=m+\big(tS-(1-t)I\big)\big((1-t)^2I+t^2S\big)^{-1}(x-tm)$.
#    For $S=s^2I$, show that the trajectory from $x_0$ is $tm+\sqrt{(1-t)^2+t^2s^2}\;x_0$. Where does it end, is it
#    straight, and where does a single Euler step end? (1 point)

# %% [markdown] role="written" part="8f"
# ### BEGIN SOLUTION
# **1.** With $\dot x_t=x_1-x_0$ the chain rule gives
#
# $$ \frac{d}{dt}\int\phi\,p_t\,dx=\frac{d}{dt}\mathbb E[\phi(x_t)]=\mathbb E[\nabla\phi(x_t)^\top(x_1-x_0)]
# =\mathbb E\big[\nabla\phi(x_t)^\top\,\mathbb E[x_1-x_0\mid x_t]\big]=\int\nabla\phi^\top v^\star p_t\,dx
# =-\int\phi\,\nabla\cdot(p_tv^\star)\,dx. $$
#
# The third step is the tower property, the last one integration by parts. As this holds for every $\phi$,
# $\partial_tp_t=-\nabla\cdot(p_tv^\star)$. The density $q_t$ of a crowd that follows $v^\star$ satisfies the same
# equation (the same computation with $\dot x=v^\star(x,t)$) and starts from the same $q_0=p_0=\mathcal N(0,I)$. The
# equation has one solution for a given start if $v^\star$ is regular enough (Lipschitz in $x$), so $q_t=p_t$ at all
# times, and $q_1=p_1=p_\text{data}$.
#
# **2.** Write $u=x_1-x_0$ and insert $v^\star$: $\lVert v-u\rVert^2=\lVert v-v^\star\rVert^2+2(v-v^\star)^\top
# (v^\star-u)+\lVert v^\star-u\rVert^2$, all at $(x_t,t)$. Given $x_t$ and $t$, $v-v^\star$ is fixed and
# $\mathbb E[v^\star-u\mid x_t]=0$, so the middle term has mean zero. Hence $C=\mathbb E\lVert u-v^\star\rVert^2$, the
# mean of the conditional variance of the velocity. It is zero only if $x_t$ determines $u$: when almost no two lines
# meet. For independent couples that is never so (at $t=0$ alone it is the whole variance of the data). So the curve
# levels off at an unknown positive number; its height says nothing about the error $\lVert v-v^\star\rVert^2$, a fall
# by little may be a large part of the excess, and losses of different couplings cannot be compared.
#
# **3.** $(u,x_t)$ is jointly normal with $\mathbb E u=m$, $\mathbb E x_t=tm$, $\operatorname{Cov}(u,x_t)=
# \operatorname{Cov}(x_1-x_0,(1-t)x_0+tx_1)=tS-(1-t)I$ and $\operatorname{Cov}(x_t)=(1-t)^2I+t^2S$. The mean of one
# part of a normal vector given the other is the formula. For $S=s^2I$ let $\sigma_t^2=(1-t)^2+t^2s^2$; then
# $\dot\sigma_t=(ts^2-(1-t))/\sigma_t$, so $v^\star=m+\frac{\dot\sigma_t}{\sigma_t}(x-tm)$. For
# $x_t=tm+\sigma_tx_0$: $\dot x_t=m+\dot\sigma_tx_0=v^\star(x_t,t)$, and $x_t=x_0$ at $t=0$. It ends at $m+sx_0$. The
# ray is straight as a set when $m=0$, but it is not run through at constant speed; for $m\ne0$ it is bent, as
# $\sigma_t$ is not linear in $t$. A single Euler step from $t=0$ has $v=m-x_0$ and ends at $m$, for every $x_0$: all
# samples are the mean.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 0.5 points: the continuity equation from a test function, with the tower property and integration by parts
# - 0.5 points: same start, same equation, unique solution, hence the data's density at t = 1
# - 0.5 points: the cross term vanishes, so the two losses differ by a constant
# - 0.5 points: C is the mean conditional variance, positive where lines meet; the level of the loss is no measure
# - 0.5 points: the velocity from the joint normal distribution, with the covariance of u and x_t
# - 0.5 points: the trajectory solves the equation and ends at m + s x0, not at constant speed; Euler lands on m
# ### END MARK SCHEME

# %% [markdown] role="text"
# ### 8g. Crossing, coupling and the way back to diffusion (written, 2 points)
#
# 1. Lines of pairs cross, trajectories of a (Lipschitz) field cannot: why? In one dimension, for any data with a
#    density, conclude what map the flow from $t=0$ to $1$ is, whatever the coupling. Then show that reflow does
#    not increase the mean squared distance of the couples: with $(x_0,z_1)$ the end of $x_0$'s trajectory,
#    $\mathbb E\lVert z_1-x_0\rVert^2\le\mathbb E\lVert x_1-x_0\rVert^2$. (1 point)
# 2. Let $\tilde x_\tau=\alpha_\tau x_1+\sigma_\tau x_0$ be another path between the same noise and data, such as
#    diffusion's with $\alpha=\sqrt{\bar\alpha}$, $\sigma=\sqrt{1-\bar\alpha}$. Find $c_\tau$ and $t(\tau)$ with
#    $\tilde x_\tau=c_\tau\,x_{t(\tau)}$. Conclude that DDIM's equation (its limit of many steps) and flow
#    matching have the same trajectories up to this scaling and clock, and the same map from noise to data. What,
#    then, can differ between a diffusion and a flow-matching model? Name three things. (1 point)

# %% [markdown] role="written" part="8g"
# ### BEGIN SOLUTION
# **1.** If two trajectories met at $(x,t)$, both would solve the same equation from the same point, forward and
# backward, and a Lipschitz field has only one solution. Lines of pairs belong to no field: at a crossing there are two
# velocities. In one dimension, curves that do not cross keep their order, so the map is increasing; and it carries
# $\mathcal N(0,1)$ to $p_\text{data}$. There is only one increasing map that does: $F^{-1}_\text{data}\circ\Phi$, the
# quantile function, whatever the coupling was. For the distance: $z_1-x_0=\int_0^1v^\star(z_t,t)\,dt$, so by Jensen's
# inequality (over the time), since $z_t$ has the density $p_t$, and by Jensen again (over $u$ given $x_t$),
#
# $$ \mathbb E\lVert z_1-x_0\rVert^2\le\int_0^1\mathbb E\lVert v^\star(z_t,t)\rVert^2dt=\int_0^1\mathbb E\big\lVert
# \mathbb E[x_1-x_0\mid x_t]\big\rVert^2dt\le\int_0^1\mathbb E\lVert x_1-x_0\rVert^2dt
# =\mathbb E\lVert x_1-x_0\rVert^2 . $$
#
# (The same holds for every convex cost; Liu, Gong and Liu, theorem 3.5.)
#
# **2.** $\tilde x_\tau=(\alpha_\tau+\sigma_\tau)\big(\frac{\alpha_\tau}{\alpha_\tau+\sigma_\tau}x_1+
# \frac{\sigma_\tau}{\alpha_\tau+\sigma_\tau}x_0\big)$, so $c_\tau=\alpha_\tau+\sigma_\tau$ and
# $t=\alpha_\tau/(\alpha_\tau+\sigma_\tau)$: $t/(1-t)$ is the ratio of signal to noise. The marginal velocity of
# $\tilde x$ is $\mathbb E[\dot{\tilde x}\mid\tilde x]=\dot c\,x_t+c\,\dot t\,v^\star(x_t,t)$ with $x_t=\tilde x/c$,
# because $\dot{\tilde x}=\dot cx_t+c\,\dot t\,(x_1-x_0)$ and conditioning on $\tilde x$ is conditioning on $x_t$. A
# trajectory $x_t$ of flow matching, run at time $t(\tau)$ and scaled by $c_\tau$, therefore solves the equation of the
# other path. At the ends $c=1$ (for diffusion $\alpha+\sigma=1$ at both), so noise and datum are the same couple. What
# can differ: which time steps are trained on and how often (the weight of each noise level in the loss); what the
# network is asked to predict (noise, data or velocity), hence the weight again and the error at both ends; where a
# solver puts its steps and what it holds constant within one, hence the error of few steps. (Also: the coupling, as
# after reflow, which diffusion has no counterpart to; the source need not be Gaussian.)
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 0.5 points: uniqueness of solutions; in one dimension the increasing map, that is, the quantile function
# - 0.5 points: the inequality, by Jensen over time and Jensen over the conditional mean
# - 0.5 points: the scaling and the clock, and that velocities, hence trajectories, correspond
# - 0.5 points: three differences, such as weights over time, what is predicted, and the solver's grid
# ### END MARK SCHEME

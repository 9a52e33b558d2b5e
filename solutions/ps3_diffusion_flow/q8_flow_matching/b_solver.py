# %% [markdown] role="text"
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
# A network expects a time for each example, so `v` gets `t` as a tensor (B,) in the dtype and on the device of `x`. Who
# needs no graph calls the solver under `torch.no_grad()`; the solver itself leaves that alone.
#
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
    kinds, x = set(), torch.cat([x, x, x])
    told = lambda x, t: kinds.add((tuple(t.shape), t.dtype)) or 2 * t[:, None] * torch.ones_like(x)  # noqa: E731
    back = ode_solve(told, x, 4, "heun", start=1.0, end=0.5)
    c.close(back[-1], x - 0.75, "time may run backward: dx/dt = 2t from t = 1 to 1/2")
    c.equal(kinds, {((3,), torch.float64)}, "v gets a time for each of three examples, in the dtype of x")

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

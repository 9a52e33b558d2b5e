# %% [markdown] role="text"
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

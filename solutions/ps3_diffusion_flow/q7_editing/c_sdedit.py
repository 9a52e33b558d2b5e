# %% [markdown] role="text"
# ### 7c. From a scribble (code, 1 point)
#
# Noise hides small things first. Add noise to a crude drawing, until it could just as well be a noisy photograph, and
# let the sampler go on from there: it ends at an image that is plausible and resembles the drawing (**SDEdit**, Meng et
# al., 2022). How much noise is the one choice. `strength` 1 is all of it, the drawing is forgotten; 0 is none.
#
# Write `sdedit_start`. The share `strength` of the T steps of the walk, rounded to the nearest whole number (a half to
# either side), is walked; return the drawing, noised to the time where this walk *begins*, and that time, an int. A
# walk of all T steps begins at T - 1. A walk of no steps begins, and ends, at $-1$.


# %% role="answer" part="7c"
def sdedit_start(x: Tensor, strength: float, noise: Tensor, alpha_bar: Tensor) -> tuple[Tensor, int]:
    """The image x (B, ...) noised to where a walk of strength * T steps begins, and that time (-1 to T - 1)."""
    ### BEGIN SOLUTION
    t = round(strength * len(alpha_bar)) - 1
    share = alpha_bar_at(alpha_bar, x.new_full((len(x),), t, dtype=torch.int64), x)
    return share.sqrt() * x + (1 - share).sqrt() * noise, t
    ### END SOLUTION


# %% role="check" part="7c"
with check("7c") as c:
    shares = torch.tensor([0.81, 0.64, 0.36, 0.01], dtype=torch.float64)
    x, noise = torch.ones(1, 2), torch.zeros(1, 2)
    for strength, time, left in ((1.0, 3, 0.1), (0.7, 2, 0.6), (0.5, 1, 0.8), (0.3, 0, 0.9), (0.0, -1, 1.0)):
        start, t = sdedit_start(x, strength, noise, shares)
        c.equal(t, time, f"strength {strength} of 4 steps begins at time {time}")
        c.close(start, [[left, left]], "with the noise of that time")

# %% [markdown] role="text"
# **Look.** In the plane: twelve points on a circle, where no data is, and where they end with more and more strength
# (exact model, DDIM, three noises each). Then scribbles, made of bars and a ring, with the network.

# %% role="run"
with experiment("SDEdit in the plane and on scribbles"), torch.no_grad():
    angle = torch.arange(12, dtype=torch.float64) * math.pi / 6
    ring = 1.5 * torch.stack([angle.cos(), angle.sin()], dim=1).repeat(3, 1)
    noise = torch.randn(36, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    figure, axes = plt.subplots(1, 4, figsize=(14, 3.7), layout="constrained")
    for ax, strength in zip(axes, (0.1, 0.3, 0.5, 0.9), strict=True):
        x, begin = sdedit_start(ring, strength, noise, alpha_bar)
        for i in reversed(range(begin + 1)):
            t = torch.full((36,), i)
            x = ddim_step(x, t, t - 1, exact(x, t), alpha_bar)
        plane(ax, mixture)
        for n in range(36):
            ax.plot([ring[n, 0], x[n, 0]], [ring[n, 1], x[n, 1]], color=figures.COLOURS[n % 6], linewidth=0.7)
        ax.scatter(*ring[:12].T, s=16, facecolors="white", edgecolors="black", zorder=3)
        ax.scatter(*x.T, s=10, color="black", zorder=3)
        ax.set_title(f"strength {strength}: moved by {(x - ring).norm(dim=1).mean():.2f}")
    figures.show(figure, "Points on a circle move to the nearest arm at low strength and anywhere at high strength.")

    scribbles = torch.full((4, 1, 28, 28), -1.0)
    scribbles[0, 0, 6:9, 8:20] = scribbles[0, 0, 9:23, 16:19] = 1  # two bars: a seven
    scribbles[1, 0, 5:23, 13:16] = 1  # one bar: a one
    rows, columns = torch.meshgrid(torch.arange(28.0), torch.arange(28.0), indexing="ij")
    radius = ((rows - 13.5) ** 2 + (columns - 13.5) ** 2).sqrt()
    scribbles[2, 0, (radius > 5) & (radius < 8)] = 1  # a ring: a zero
    scribbles[3, 0, 5:14, 8:11] = scribbles[3, 0, 12:15, 8:19] = scribbles[3, 0, 5:23, 17:20] = 1  # a four
    scribbles = scribbles.to(here.device)
    noise = torch.randn(scribbles.shape, generator=torch.Generator().manual_seed(4)).to(here.device)
    frames, steady = [scribbles], clipped(few, few_shares)
    for strength in (0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0):
        x, begin = sdedit_start(scribbles, strength, noise, few_shares)
        for i in reversed(range(begin + 1)):
            t = torch.full((4,), i, device=here.device)
            x = ddim_step(x, t, t - 1, steady(x, t), few_shares)
        frames.append(x)
    show_digit_film(frames, "scribbles, and strengths 0.2, 0.4, 0.5, 0.6, 0.7, 0.8 and 1")

# %% [markdown] role="text"
# ![What to expect in full mode: bars and a ring become handwriting, and at last other digits](figures/scribbles.png)
#
# **Look.** At which strength does a scribble first look handwritten, and at which is it no longer the same digit? Is
# there a range between the two for each of them? In the plane, why do points move to the *nearest* arm at small
# strength, but not at large strength?

# %% [markdown] role="text"
# ## 7. Editing without training (10 points)
#
# A model of digits knows more than how to draw one from nothing. It knows what the other half of a digit looks like,
# what a scribble was meant to be, and what sixteen pixels stand for. None of this needs another training: the sampler
# is a long walk, and one may lean on the walker at each step.
#
# ### 7a. Known pixels at every noise level (code, 2 points)
#
# Part of an image is known, `mask` says which pixels. At each time of the walk we know what the known part should look
# like: the known pixels, *noised to that time's level*. So after each step, paste them in (Song et al., 2021, appendix
# I; Lugmayr et al., *RePaint*, 2022, eq. 8),
#
# $$
# x_t\leftarrow m\odot\big(\sqrt{\bar\alpha_t}\,x^\text{known}+\sqrt{1-\bar\alpha_t}\,\varepsilon\big)+(1-m)\odot x_t .
# $$
#
# Write `inpaint_step`. It gets the state $x$ and *its* time $t$, which may be $-1$: then the known part is clean. The
# mask is 1 or True where pixels are known, bool or float, and of any shape that broadcasts against `x`.


# %% role="answer" part="7a"
def inpaint_step(x: Tensor, t: Tensor, known: Tensor, mask: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
    """The state x (B, ...) at times t (B,), -1 allowed, with the known pixels at its noise level where mask is 1."""
    ### BEGIN SOLUTION
    share = alpha_bar_at(alpha_bar, t, x)
    return torch.where(mask.bool(), share.sqrt() * known + (1 - share).sqrt() * noise, x)
    ### END SOLUTION


# %% role="check" part="7a"
with check("7a") as c:
    shares = torch.tensor([0.64, 0.36], dtype=torch.float64)
    x, known, noise = torch.zeros(2, 3), torch.ones(2, 3), torch.full((2, 3), 10.0)
    mask = torch.tensor([True, False, True])
    pasted = inpaint_step(x, torch.tensor([0, 1]), known, mask, noise, shares)
    c.close(pasted, [[6.8, 0.0, 6.8], [8.6, 0.0, 8.6]], "each example at its level: 0.8 + 0.6 * 10, and 0.6 + 0.8 * 10")
    pasted = inpaint_step(x, torch.tensor([-1, -1]), known, mask.float(), noise, shares)
    c.close(pasted, [[1.0, 0.0, 1.0]] * 2, "at time -1 the known pixels are clean")

# %% [markdown] role="text"
# ### 7b. The walk, and walking it twice (code, 3 points)
#
# Write `inpaint`: ancestral sampling, from time T - 1 down to 0, with a paste after each step. What was pasted has
# *new* noise, which does not fit what the unknown pixels have become; at the next step the model sees two halves that
# do not quite belong together. RePaint's remedy is to give them time: **go back** one step by adding noise, as the
# forward process does,
#
# $$ x_t=\sqrt{1-\beta_t}\;x_{t-1}+\sqrt{\beta_t}\;\varepsilon,\qquad 1-\beta_t=\bar\alpha_t/\bar\alpha_{t-1}, $$
#
# and step down again, `resample` times at each level (without going back after the last time). Now the noise of the
# known part went through the model together with the unknown one.
#
# For `r` in 0, ..., `resample` - 1 at time `t`, use the three noises `noises[t, r]`: the first for `ddpm_step`, the
# second for `inpaint_step` (at which time?), the third for the way back. The walk starts at `xT` as given; `clip` is
# passed on to `ddpm_step`.


# %% role="answer" part="7b"
def inpaint(
    model: Callable[..., Tensor],
    xT: Tensor,
    known: Tensor,
    mask: Tensor,
    noises: Tensor,
    alpha_bar: Tensor,
    resample: int = 1,
    clip: bool = False,
) -> Tensor:
    """Samples (B, ...) that equal known (B, ...) where mask is 1, from xT (B, ...); noises (T, resample, 3, B, ...)."""
    ### BEGIN SOLUTION
    x = xT
    for i in reversed(range(len(alpha_bar))):
        t = x.new_full((len(x),), i, dtype=torch.int64)
        keep = alpha_bar_at(alpha_bar, t, x) / alpha_bar_at(alpha_bar, t - 1, x)
        for r in range(resample):
            down, paste, back = noises[i, r]
            x = ddpm_step(x, t, model(x, t), down, alpha_bar, clip=clip)
            x = inpaint_step(x, t - 1, known, mask, paste, alpha_bar)
            if r < resample - 1:
                x = keep.sqrt() * x + (1 - keep).sqrt() * back
    return x
    ### END SOLUTION


# %% role="check" part="7b"
with check("7b") as c:
    generator = torch.Generator().manual_seed(0)
    draw = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)  # noqa: E731
    shares, known, mask = torch.tensor([0.9, 0.5, 0.1]).double(), draw(2, 4), torch.tensor([1.0, 0.0, 0.0, 1.0])
    calls = []
    listens = lambda x, t: calls.append(t[0].item()) or 0.1 * x  # noqa: E731
    filled = inpaint(listens, draw(2, 4), known, mask, draw(3, 2, 3, 2, 4), shares, resample=2)
    c.shape(filled, (2, 4), "the samples")
    c.close(filled[:, [0, 3]], known[:, [0, 3]], "known pixels end as they are")
    c.equal(calls, [2, 2, 1, 1, 0, 0], "two calls at each time, from the noisiest on")

# %% [markdown] role="text"
# **Look: half a point.** In the plane, "half of the image" is one of two coordinates. Let $x_1=0.4$ be known. Then
# $p(x_2\mid x_1)$ is known as well: the arms, cut by a line, with one peak for each cut. The exact model samples it,
# once without and then with resampling.

# %% role="run"
with experiment("inpainting in the plane"):
    exact = exact_eps(mixture, alpha_bar)
    cut, n = 0.4, 600
    known = torch.tensor([[cut, 0.0]], dtype=torch.float64).expand(n, 2)
    mask = torch.tensor([True, False])
    heights = torch.linspace(-2.6, 2.6, 400, dtype=torch.float64)
    truth = mixture.logpdf(torch.stack([torch.full_like(heights, cut), heights], dim=1)).softmax(0)
    truth = truth / (heights[1] - heights[0])
    figure, axes = plt.subplots(1, 4, figsize=(14, 3.3), layout="constrained")
    plane(axes[0], mixture)
    axes[0].axvline(cut, color=figures.COLOURS[1])
    axes[0].set_title("known: the first coordinate")
    for ax, resample in zip(axes[1:], (1, 3, 10), strict=True):
        generator = torch.Generator().manual_seed(5)
        noises = torch.randn(T, resample, 3, n, 2, generator=generator, dtype=torch.float64)
        xT = torch.randn(n, 2, generator=generator, dtype=torch.float64)
        x = inpaint(exact, xT, known, mask, noises, alpha_bar, resample)
        ax.hist(x[:, 1].clamp(-2.6, 2.6), bins=70, range=(-2.6, 2.6), density=True, color=figures.COLOURS[4])
        ax.plot(heights, truth, color="black", linewidth=1)
        bin_of_each = ((x[:, 1].clamp(-2.6, 2.6) + 2.6) / 5.2 * 399).round().long()
        between = (truth[bin_of_each] < 0.02).double().mean().item()
        ax.set(title=f"resample = {resample}: {between:.0%} where nothing is", xlabel="second coordinate")
    figures.show(figure, "Histograms of the unknown coordinate: with resampling they come close to the exact density.")

# %% [markdown] role="text"
# **Look.** Without resampling, the right peaks are found, but not in the right shares, and some samples lie where
# nothing should be. When was it decided which peak a sample goes to, and what did the pasted coordinate look like then?
# Does resampling make the histogram exact?
#
# **Look: digits with a hole.** The network saw 200 levels; to save time we walk on fewer, evenly spaced ones. That is
# only a shorter schedule, with each level's own $\bar\alpha$ (Nichol and Dhariwal, 2021).


# %% role="given"
def respaced(model: Callable[..., Tensor], alpha_bar: Tensor, S: int) -> tuple[Callable[..., Tensor], Tensor]:
    """The model and its schedule on S of the T levels: the new time s is the old time times[s]."""
    times = torch.linspace(0, len(alpha_bar) - 1, S).round().long()

    def on_fewer_levels(x: Tensor, t: Tensor, *labels: Tensor) -> Tensor:
        """The model, told the old time."""
        return model(x, times.to(t.device)[t], *labels)

    return on_fewer_levels, alpha_bar[times]


# %% role="run"
with experiment("digits with holes"), torch.no_grad():
    few, few_shares = respaced(unet, alpha_bar, 25 if QUICK else 100)
    originals = D_test[[i for i in range(40) if y_test[i] in (2, 3, 5, 7, 8)][:6]]
    hole = torch.ones(28, 28, dtype=torch.bool, device=here.device)
    hole[14:] = False  # the lower half is unknown
    rows = [originals, torch.where(hole, originals, torch.full_like(originals, -0.3))]
    for resample in (1, 4):
        for seed in (0, 1):
            generator = torch.Generator().manual_seed(seed)
            noises = torch.randn(len(few_shares), resample, 3, *originals.shape, generator=generator).to(here.device)
            xT = torch.randn(originals.shape, generator=generator).to(here.device)
            rows.append(inpaint(few, xT, originals, hole, noises, few_shares, resample, clip=True))
    show_digits(torch.cat(rows), "originals, what is known, two fillings without and two with resampling", columns=6)

# %% [markdown] role="text"
# **Look.** Where does a stroke end at the border of the hole, and where does it go on? Which digits could be completed
# to another digit than they were, and did that happen?
#
# ### 7c. From a scribble (code, 1 point)
#
# Noise hides small things first. Add noise to a crude drawing, until it could just as well be a noisy photograph, and
# let the sampler go on from there: it ends at an image that is plausible and resembles the drawing (**SDEdit**, Meng et
# al., 2022). How much noise is the one choice. `strength` 1 is all of it, the drawing is forgotten; 0 is none.
#
# Write `sdedit_start`. The share `strength` of the T steps of the walk, rounded to the nearest whole number, is walked;
# return the drawing, noised to the time where this walk *begins*, and that time, an int. All T steps begin at T - 1. No
# step at all begins, and ends, at $-1$.


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
    for strength, time, left in ((1.0, 3, 0.1), (0.5, 1, 0.8), (0.25, 0, 0.9), (0.0, -1, 1.0)):
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
# **Look.** At which strength does a scribble first look handwritten, and at which is it no longer the same digit? Is
# there a range between the two for each of them? In the plane, why do points move to the *nearest* arm at small
# strength, but not at large strength?
#
# ### 7d. Anything linear (code, 2 points)
#
# Half an image is a special case. A small image (super-resolution), a grey one (colourisation), its middle
# (uncropping): each is a *linear* measurement, $y=Ax$. A guess $\hat x_0$ of the clean image can be made to agree with
# it, at the least cost,
#
# $$ \hat x_0\leftarrow\hat x_0+A^+\big(y-A\hat x_0\big), $$
#
# where $A^+$ is the pseudo-inverse. Do that to $\hat x_0$ at every step of the sampler, recompute the noise that
# belongs to it, and go on (**DDNM**, Wang, Yu and Zhang, 2023, for measurements without noise): what $A$ sees comes
# from $y$, what $A$ does not see comes from the model.
#
# Write `consistent`, one line. `A` and `A_plus` are functions; what they return need not have the shape of `x0`.


# %% role="answer" part="7d"
def consistent(x0: Tensor, y: Tensor, A: Callable[[Tensor], Tensor], A_plus: Callable[[Tensor], Tensor]) -> Tensor:
    """The nearest images to x0 (B, ...) with A(x) = y, for a linear A and its pseudo-inverse A_plus."""
    ### BEGIN SOLUTION
    return x0 + A_plus(y - A(x0))
    ### END SOLUTION


# %% role="check" part="7d"
with check("7d") as c:
    mean, spread = lambda x: x.mean(1, keepdim=True), lambda y: y.expand(-1, 2)
    x0, y = torch.tensor([[1.0, 3.0], [0.0, 0.0]]), torch.tensor([[5.0], [-1.0]])
    c.close(consistent(x0, y, mean, spread), [[4.0, 6.0], [-1.0, -1.0]], "the mean is as measured, differences stay")
    c.close(consistent(x0, mean(x0), mean, spread), x0, "what agrees already is not changed")

# %% [markdown] role="text"
# The sampler around it uses your functions of questions 2 and 5.


# %% role="given"
def restore(
    model: Callable[..., Tensor],
    xT: Tensor,
    y: Tensor,
    A: Callable[[Tensor], Tensor],
    A_plus: Callable[[Tensor], Tensor],
    alpha_bar: Tensor,
    generator: torch.Generator,
) -> Tensor:
    """Samples (B, ...) of the model with A(x) = y, from xT (B, ...), with one new noise at each time."""
    x = xT
    for i in reversed(range(len(alpha_bar))):
        t = torch.full((len(x),), i, device=x.device)
        x0 = x0_from_eps(x, t, model(x, t), alpha_bar).clamp(-1, 1)
        x0 = consistent(x0, y, A, A_plus)
        noise = torch.randn(x.shape, generator=generator).to(x)
        x = ddim_step(x, t, t - 1, eps_from_x0(x, t, x0, alpha_bar), alpha_bar, 0.85, noise)
    return x


# %% role="run"
with experiment("super-resolution and uncropping"), torch.no_grad():
    middle = torch.zeros(28, 28, device=here.device)
    middle[6:22, 6:22] = 1
    tasks = {
        "super-resolution, 7 x 7 to 28 x 28": (
            lambda x: F.avg_pool2d(x, 4),
            lambda y: y.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3),
        ),
        "uncropping, the middle 16 x 16": (lambda x: x * middle, lambda y: y * middle),
    }
    originals = D_test[:10]
    for name, (A, A_plus) in tasks.items():
        measured = A(originals)
        rows = [originals, A_plus(measured)]
        for seed in (0, 1):
            generator = torch.Generator().manual_seed(seed)
            xT = torch.randn(originals.shape, generator=generator).to(here.device)
            rows.append(restore(few, xT, measured, A, A_plus, few_shares, generator))
        misfit = (A(rows[-1]) - measured).abs().max().item()
        show_digits(torch.cat(rows), f"{name}: originals, measured, two answers (misfit {misfit:.0e})", columns=10)

# %% [markdown] role="text"
# **Look.** The answers agree with the measurement to rounding. Do they agree with the originals, and with each other?
# Where they differ, could you tell from the second row which one is right? A restoration that shows *one* sharp
# answer hides that question.
#
# ### 7e. What is exact, and what is not (written, 2 points)
#
# 1. Let the data be two numbers, $(a,b)$, of which $a$ is known. Argue with $T=1$ and $\bar\alpha_0$ near 0 that
#    pasting without resampling draws $b$ from $p(b)$, although the model is exact. Then let every level change little
#    ($\beta_t$ small) and `resample` be large. Why does $b$ then move towards $p_t(b\mid a_t)$ at each level? (Which
#    gradient does $b$ feel while $a_t$ is held near its place? Compare $\partial_b\log p(a,b)$ with $\partial_b\log
#    p(b\mid a)$.) (1 point)
# 2. Derive $A^+=A^\top(AA^\top)^{-1}$ for averages over $k\times k$ blocks, for a mask, and for the grey value
#    $y=w^\top(r,g,b)$ of a pixel. Show that `consistent` satisfies $Ax=y$ and returns the nearest such point. What does
#    it do to a *noisy* $y$? For SDEdit, compute $\mathrm{KL}\big(q(x_t\mid x)\,\Vert\,q(x_t\mid x')\big)$ for a drawing
#    $x$ and an image $x'$, and say how it guides the choice of the strength. (1 point)

# %% [markdown] role="written" part="7e"
# ### BEGIN SOLUTION
# **1.** With one step from $\bar\alpha_0\approx0$, the state $x_0=(a_0,b_0)$ is pure noise in both coordinates,
# whatever was known: the exact step draws $(a,b)$ from $p(a,b\mid x_0)=p(a,b)$. Then $a$ is replaced by the known
# value, and $b$ stays: a draw from the marginal $p(b)$. The step conditions on the noisy $a_t$, never on $a$ itself,
# and what is pasted afterwards has no way to influence the $b$ that was drawn with another $a$. In general, the first
# steps decide the coarse shape of $b$ when $a_t$ says almost nothing, and each new paste has independent noise. Going
# back and down at one level is a pair of kernels: add a little noise to $(a,b)$, and draw from $p(x_{t-1}\mid x_t)$.
# Together they leave $p_{t-1}(a,b)$ unchanged, and for small $\beta_t$ they are a step of Langevin dynamics for it.
# Resetting $a$ to a noised known value after each pair leaves $b$ with the drift $\partial_b\log p_{t-1}(a_{t-1},b)$.
# As $\log p(a,b)=\log p(b\mid a)+\log p(a)$, and the last term does not depend on $b$, this is $\partial_b\log
# p_{t-1}(b\mid a_{t-1})$: many repetitions draw $b$ from the conditional of that level. It is exact only in the limit
# of small steps and many repetitions (and conditions on noised values of $a$, whose noise is renewed).
#
# **2.** Averages: each row of $A$ has $k^2$ entries $1/k^2$, rows do not overlap, so $AA^\top=I/k^2$ and
# $A^+=k^2A^\top$: every pixel of a block gets the block's value. Mask: $A$ is a diagonal of zeros and ones (or its rows
# with ones), $A^+=A$ (put the values in their places, zero elsewhere). Grey: $AA^\top=\lVert w\rVert^2$ and
# $A^+=w/\lVert w\rVert^2$, so that the correction is along $w$; equal parts only if the weights are equal. With $x=\hat
# x_0+A^+(y-A\hat x_0)$ and $AA^+=I$: $Ax=A\hat x_0+y-A\hat x_0=y$. The change $A^+(\dots)$ lies in the row space of
# $A$; any other solution differs from $x$ by a vector $n$ with $An=0$, orthogonal to the row space, so its distance is
# $\lVert x-\hat x_0\rVert^2+\lVert n\rVert^2$, not less. Noise in $y$ is copied: $A^+\eta$ is added to each image and
# the model has no say in it (for averages not even weakened). For SDEdit, two Gaussians with the same covariance:
# $\mathrm{KL}=\frac{\bar\alpha_t}{2(1-\bar\alpha_t)}\lVert x-x'\rVert^2$, half the signal-to-noise ratio times the
# squared distance. While it is large, the noisy drawing is clearly not a noisy image and the model meets what it has
# never seen; when it is of the order of 1, drawing and image cannot be told apart and the sampler makes the one from
# the other. The strength should be the smallest for which the difference to the *nearest* plausible image is hidden:
# more only forgets what the drawing said.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 0.5 points: with one step the known value never influences b, which is drawn from its marginal
# - 0.5 points: going back and down is Langevin dynamics of the joint density, whose slope in b is the conditional's
# - 0.5 points: the three pseudo-inverses, Ax = y and the nearest point by orthogonality, and that noise is copied
# - 0.5 points: the divergence is half the signal-to-noise ratio times the squared distance, and how to use it
# ### END MARK SCHEME

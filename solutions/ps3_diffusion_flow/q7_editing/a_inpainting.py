# %% [markdown] role="text"
# ## 7. Editing without training (10 points)
#
# A model of digits knows more than how to draw one from nothing. It knows what the other half of a digit looks like,
# what a scribble was meant to be, and what forty-nine coarse pixels stand for. None of this needs another training: the
# sampler is a long walk, and one may lean on the walker at each step.
#
# ### 7a. Known pixels at every noise level (code, 2 points)
#
# Part of an image is known, `mask` says which pixels. At each time of the walk we know what the known part should look
# like: the known pixels, *noised to that time's level*. So after each step, paste them in (Song et al., 2021, appendix
# I; Lugmayr et al., *RePaint*, 2022, eq. 8),
#
# $$
# x_t\leftarrow m\odot\big(\sqrt{\bar\alpha_t}\,x^\text{known}+\sqrt{1-\bar\alpha_t}\,\epsilon\big)+(1-m)\odot x_t .
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
    image, corner = torch.zeros(1, 1, 2, 3), torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    pasted = inpaint_step(image, torch.tensor([-1]), image + 1, corner, image, shares)
    c.close(pasted, corner[None, None], "a mask of rows and columns, for images")

# %% [markdown] role="text"
# ### 7b. The walk, and walking it twice (code, 3 points)
#
# Write `inpaint`: ancestral sampling, from time T - 1 down to 0, with a paste after each step. What was pasted has
# *new* noise, which does not fit what the unknown pixels have become; at the next step the model sees two halves that
# do not quite belong together. RePaint's remedy is to give them time: **go back** one step by adding noise, as the
# forward process does,
#
# $$ x_t=\sqrt{1-\beta_t}\;x_{t-1}+\sqrt{\beta_t}\;\epsilon,\qquad 1-\beta_t=\bar\alpha_t/\bar\alpha_{t-1}, $$
#
# and step down again, so that each level is walked down `resample` times. (After the last of these rounds there is no
# way back: the walk goes on at the next level.) Now the noise of the known part went through the model together with
# the unknown one.
#
# For `r` in 0, ..., `resample` - 1 at time `t`, use the three noises `noises[t, r]`: the first for `ddpm_step` with
# `var="beta"`, the second for `inpaint_step` (at which time?), the third for the way back. The walk starts at `xT` as
# given; `clip` is passed on to `ddpm_step`.


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
    nothing, ones, unused = lambda x, t: 0 * x, torch.ones(1, 1).double(), torch.zeros(3, 2, 3, 1, 1).double()
    unused[:, :, 1], unused[:, 1, 2] = 7, 7  # for pasting, and for a way back after the last round
    walk = lambda **how: inpaint(nothing, ones, ones, 0 * ones, unused, shares, resample=2, **how)  # noqa: E731
    c.close(walk(), 0.1**-0.5 * ones, "all unknown, without noise: down, back and down again is down")
    c.close(walk(clip=True), ones, "clip is passed on: the last guess is cut")

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
# ![What to expect in full mode: six digits, their upper halves, and four ways to go on](figures/holes.png)
#
# **Look.** Where does a stroke end at the border of the hole, and where does it go on? Which digits could be completed
# to another digit than they were, and did that happen?

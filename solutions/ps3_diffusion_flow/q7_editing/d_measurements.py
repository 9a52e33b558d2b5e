# %% [markdown] role="text"
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
# The sampler around it uses your functions of questions 2 and 5, with $\eta=0.85$ as in the code of that paper: fresh
# noise lets a step forget what did not fit. First in the plane, with the exact model: of each point one number is
# measured, the mean $y=\tfrac12(x_1+x_2)$ of its coordinates. All points with one $y$ lie on a line. On it the guesses
# are put at every step; the states, which carry noise, are not.


# %% role="given"
def restore(
    model: Callable[..., Tensor],
    xT: Tensor,
    y: Tensor,
    A: Callable[[Tensor], Tensor],
    A_plus: Callable[[Tensor], Tensor],
    alpha_bar: Tensor,
    generator: torch.Generator,
    reach: float = 1.0,
) -> Tensor:
    """Samples (B, ...) of the model with A(x) = y, from xT (B, ...), with one new noise at each time.

    Guesses are cut to the range from -reach to reach.
    """
    x = xT
    for i in reversed(range(len(alpha_bar))):
        t = torch.full((len(x),), i, device=x.device)
        x0 = x0_from_eps(x, t, model(x, t), alpha_bar).clamp(-reach, reach)
        x0 = consistent(x0, y, A, A_plus)
        noise = torch.randn(x.shape, generator=generator).to(x)
        x = ddim_step(x, t, t - 1, eps_from_x0(x, t, x0, alpha_bar), alpha_bar, 0.85, noise)
    return x


# %% role="run"
with experiment("a measurement in the plane"), torch.no_grad():
    figure, axes = plt.subplots(1, 3, figsize=(12, 4.2), layout="constrained")
    for ax, y in zip(axes, (-0.5, 0.0, 0.6), strict=True):
        generator, film = torch.Generator().manual_seed(6), []
        measured = torch.full((300, 1), y, dtype=torch.float64)
        watched = lambda x, t, film=film: film.append(x) or exact(x, t)  # noqa: E731
        xT = torch.randn(300, 2, generator=generator, dtype=torch.float64)
        mean, spread = lambda x: x.mean(1, keepdim=True), lambda y: y.expand(-1, 2)
        x = restore(watched, xT, measured, mean, spread, alpha_bar, generator, reach=3.0)
        plane(ax, mixture)
        ax.axline((y, y), slope=-1, color="#999999", linewidth=0.8)
        for n in range(4):
            ax.plot(*torch.stack([*film, x])[:, n].T, color=figures.COLOURS[n], linewidth=0.7)
        ax.scatter(*x.T, s=8, color="black", zorder=3)
        ax.set_title(f"y = {y}: misfit {(mean(x) - y).abs().max():.0e}")
    figures.show(figure, "On each line, samples gather where it cuts an arm; four jagged paths lead there from noise.")

# %% [markdown] role="text"
# **Look.** Each line cuts several arms. Are all the cuts found, and in the shares that the density asks for? (Question
# 7e says which part of this is exact.)
#
# Then digits, with the network.

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
# ![What to expect in full mode: from 7 x 7 pixels two sharp answers, which differ](figures/superresolution.png)
#
# ![What to expect in full mode: the middle is kept, strokes go on to both sides of it](figures/uncropping.png)
#
# **Look.** The answers agree with the measurement to rounding. Do they agree with the originals, and with each other?
# Where they differ, could you tell from the second row which one is right? A restoration that shows *one* sharp
# answer hides that question.
#
# **Look: colours.** A grey photograph is a linear measurement of one in colour: of the three numbers of a pixel, one is
# known, $y=w^\top(r,g,b)$. Our network knows nothing but digits, so an exact model takes its place, the kind that
# denoised photographs in problem set 1: a mixture of Gaussians, here twelve of them, for patches of 4 x 4 pixels in
# colour. It has only seen the *left half* of this photograph (by Rachel Michetti, CC0). The right half is made grey,
# and gets its colours back patch by patch, with your functions. (2 s of one core, measured.)

# %% role="run"
with experiment("colours for a grey photograph"), torch.no_grad():
    photo, p, K = 2 * data.colour_photograph() - 1, 4, 12
    left, right = photo[:, :72], photo[:, 72:]  # (96, 72, 3)
    patches_of = lambda x, by: x.unfold(0, p, by).unfold(1, p, by).permute(0, 1, 3, 4, 2).reshape(-1, 3 * p * p)  # noqa: E731
    picture = lambda P: P.reshape(96 // p, 72 // p, p, p, 3).transpose(1, 2).reshape(96, 72, 3)  # noqa: E731
    seen, generator = patches_of(left, 1), torch.Generator().manual_seed(0)
    centres = seen[torch.randperm(len(seen), generator=generator)[:K]]
    for _ in range(15):  # k-means; each cluster becomes a Gaussian
        own = torch.cdist(seen, centres).argmin(1)
        centres = torch.stack([seen[own == k].mean(0) for k in range(K)])
    spreads = torch.stack([seen[own == k].T.cov() + 1e-3 * torch.eye(3 * p * p).double() for k in range(K)])
    colours = Mixture(torch.bincount(own).div(len(own)).double().log(), centres, spreads, torch.arange(K))
    w = torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64)
    grey = lambda x: x.reshape(len(x), -1, 3) @ w  # noqa: E731
    coloured = lambda y: (y[..., None] * w / w.square().sum()).flatten(1)  # noqa: E731
    truth = patches_of(right, p)
    fifty, fifty_shares = respaced(exact_eps(colours, alpha_bar), alpha_bar, 50)
    answers = []
    for seed in range(4):
        generator = torch.Generator().manual_seed(seed)
        xT = torch.randn(truth.shape, generator=generator, dtype=torch.float64)
        answers.append(restore(fifty, xT, grey(truth), grey, coloured, fifty_shares, generator))
    only_grey = grey(truth)[..., None].expand(-1, -1, 3).flatten(1)
    shown = {"learnt from": None, "truth": truth, "known": only_grey}
    shown |= {"one answer": answers[0], "another": answers[1], "mean of four": torch.stack(answers).mean(0)}
    figure, axes = plt.subplots(1, 6, figsize=(14, 3.6), layout="constrained")
    for ax, (name, P) in zip(axes, shown.items(), strict=True):
        ax.imshow(((left if P is None else picture(P)).clamp(-1, 1) + 1) / 2)
        error = "" if P is None or P is truth else f": error {(P - truth).square().mean().sqrt():.2f}"
        ax.set_title(name + error)
        ax.axis("off")
    figures.show(
        figure, "A cup on a red saucer: from the grey half, answers with brown wood, a white cup, a red saucer."
    )

# %% [markdown] role="text"
# **Look.** The cup stays white, the wood becomes brown, the saucer red: colour follows from brightness and texture,
# most of the time. Where do the two answers disagree, and are they *wrong* there? The mean of four has the smaller
# error; why, and what does it lose? A model of whole photographs would not colour each patch for itself. Which mistakes
# could it avoid?

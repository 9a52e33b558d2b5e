# %% [markdown] role="text"
# ## 5. The way back, without chance (10 points)
#
# Two hundred evaluations of a network for one batch of digits: can we skip some? And does every step need chance?
# **DDIM** (Song, Meng and Ermon, *Denoising diffusion implicit models*, 2021) steps over any number of times, with as
# much chance as one likes, and with the *same* network. The idea is an observation from question 1: the network has
# only ever seen pairs $(x_0,x_t)$ at one time. Any process with the same distribution *of these pairs* has the same
# best network, and in question 1 you saw two such processes, one jagged and one smooth. So choose the smooth one. If
# $\hat x_0$ is the guess and $\hat\epsilon$ its noise, then the point on the same arc at another time is
#
# $$
# x_{t'} = \sqrt{\bar\alpha_{t'}}\;\hat x_0 + \sqrt{1-\bar\alpha_{t'}-\sigma^2}\;\hat\epsilon + \sigma z,
# \qquad
# \sigma = \eta\,\sqrt{\frac{1-\bar\alpha_{t'}}{1-\bar\alpha_t}}\,\sqrt{1-\frac{\bar\alpha_t}{\bar\alpha_{t'}}}
# \qquad\text{(eq. 12 and 16)}.
# $$
#
# With $\eta=0$ there is no chance in it at all. With $\eta=1$ and $t'=t-1$ it is the step of question 4 with
# `var="posterior"`. And nothing says that $t'$ has to be $t-1$: it may be any earlier time, and in the end it is $-1$.
#
# ### 5a. Which times (code, 2 points)
#
# Write `ddim_timesteps`. It chooses $S$ of the $T$ times, $1\le S\le T$, as an int64 tensor (S,):
#
# - strictly **descending**, for that is the direction of sampling;
# - the first is **T - 1**, for that is the time at which $x$ is pure noise;
# - evenly spaced, up to rounding: two gaps between neighbours differ by at most 2, and the last time is below $T/S$.
#
# Whether the last one is 0 or a little above is up to you. From there, the final step goes to $-1$.


# %% role="answer" part="5a"
def ddim_timesteps(T: int, S: int) -> Tensor:
    """S of the times 0..T-1, evenly spaced and descending from T - 1: (S,), int64."""
    ### BEGIN SOLUTION
    return T - 1 - torch.arange(S) * T // S
    ### END SOLUTION


# %% role="check" part="5a"
with check("5a") as c:
    for S in (1, 3, 6, 10):
        times = ddim_timesteps(10, S)
        c.shape(times, (S,), f"{S} of 10 times")
        c.equal(times[0].item(), 9, "the first is T - 1")
        c.true((times.diff() < 0).all() and times[-1] >= 0, "descending, and none is negative")
        c.true(times[-1] < 10 / S, "the last is below T / S")
    c.dtype(times, torch.int64, "times")

# %% [markdown] role="text"
# ### 5b. A step (code, 4 points)
#
# Write `ddim_step`, from time `t` (B,) to time `t_prev` (B,). Three remarks:
#
# - `t_prev` may be **-1**. Then $\bar\alpha_{t'}=1$ and the result is **exactly $\hat x_0$**. The best-known bug of
#   DDIM code uses $\bar\alpha_0$ in the last step. Nothing breaks: the samples keep a trace of noise that no eye can
#   see, and in 5d you compute how small it is. It takes a test to find it.
# - With `eta=0`, `noise` may be `None`, and nothing random is added even if it is not.
# - With `eta=0` the formula also works *upwards*, for `t_prev > t`, and from `t = -1`, where $\hat x_0=x_t$. You need
#   that in 5c. Take care that a $\sigma$ of zero does not become $0\cdot\infty$. (With `eta > 0`, all examples go down:
#   `t_prev < t`.)


# %% role="answer" part="5b"
def ddim_step(
    xt: Tensor,
    t: Tensor,
    t_prev: Tensor,
    eps_hat: Tensor,
    alpha_bar: Tensor,
    eta: float = 0.0,
    noise: Tensor | None = None,
) -> Tensor:
    """The examples xt (B, ...) of times t (B,) at times t_prev (B,), given guesses of their noise eps_hat (B, ...)."""
    ### BEGIN SOLUTION
    now, then = alpha_bar_at(alpha_bar, t, xt), alpha_bar_at(alpha_bar, t_prev, xt)
    x0 = x0_from_eps(xt, t, eps_hat, alpha_bar)
    if eta == 0:
        return then.sqrt() * x0 + (1 - then).sqrt() * eps_hat
    variance = eta**2 * (1 - then) / (1 - now) * (1 - now / then)
    return then.sqrt() * x0 + (1 - then - variance).sqrt() * eps_hat + variance.sqrt() * noise
    ### END SOLUTION


# %% role="check" part="5b"
with check("5b") as c:
    shares = torch.tensor([0.64, 0.36], dtype=torch.float64)
    x0, eps = torch.tensor([[2.0, 0.0]]).double(), torch.tensor([[1.0, -1.0]]).double()
    t, before, clean = torch.tensor([1]), torch.tensor([0]), torch.tensor([-1])
    xt = q_sample(x0, t, eps, shares)
    arc = q_sample(x0, before, eps, shares)
    c.close(ddim_step(xt, t, before, eps, shares), arc, "the same arc, at an earlier time")
    c.close(ddim_step(xt, t, clean, eps, shares), x0, "at the end of the arc is the guess")
    c.close(ddim_step(x0, clean, t, eps, shares), xt, "and from clean data, the arc leads back up")
    noisy = ddim_step(xt, t, before, eps, shares, eta=1.0, noise=torch.zeros_like(x0))
    c.close(noisy, q_posterior(x0, xt, t, shares)[0], "with eta = 1, the mean is that of the ancestral step")
    some = [ddim_step(xt, t, before, eps, shares, eta=0.5, noise=k * torch.ones_like(x0)) for k in (0, 1)]
    c.close(some[1] - some[0], [[0.5 * 0.75 * 0.4375**0.5] * 2], "and with eta = 1/2, fresh noise has the scale sigma")

# %% [markdown] role="text"
# ### 5c. Backwards again (code, 2 points)
#
# A deterministic way from noise to data can be followed in the other direction: which noise leads to *this* digit?
# Write `ddim_invert`. It gets the `timesteps` of 5a, descending, and walks them **upwards** from clean data at time
# $-1$ to the first, largest one. For a step that leads *to* time $s$, the model is asked at the point where you are,
# with the time $s$ (there is no time $-1$ for a network): `eps = model(x, s)`. Then it is a `ddim_step` with `eta=0`.
# Return $x_{T-1}$, without a graph.


# %% role="answer" part="5c"
def ddim_invert(model: Callable[[Tensor, Tensor], Tensor], x0: Tensor, alpha_bar: Tensor, timesteps: Tensor) -> Tensor:
    """The noise (B, ...) from which deterministic steps at the descending timesteps (S,) lead to x0 (B, ...)."""
    ### BEGIN SOLUTION
    x, t = x0, torch.full((len(x0),), -1, device=x0.device)
    with torch.no_grad():
        for s in timesteps.flip(0):
            later = torch.full_like(t, s)
            x = ddim_step(x, t, later, model(x, later), alpha_bar)
            t = later
    return x
    ### END SOLUTION


# %% role="given" id="ddim-sample"
def ddim_sample(
    model: Callable[[Tensor, Tensor], Tensor],
    xT: Tensor,
    alpha_bar: Tensor,
    timesteps: Tensor,
    eta: float = 0.0,
    noises: Tensor | None = None,
) -> list[Tensor]:
    """A film (S + 1 frames) from pure noise xT (B, ...) over timesteps (S,) to clean data; noises are (S, B, ...)."""
    film, ends = [xT], [*timesteps.tolist()[1:], -1]
    with torch.no_grad():
        for i, (s, end) in enumerate(zip(timesteps.tolist(), ends, strict=True)):
            t, t_prev = (torch.full((len(xT),), each, device=xT.device) for each in (s, end))
            noise = None if noises is None else noises[i]
            film.append(ddim_step(film[-1], t, t_prev, model(film[-1], t), alpha_bar, eta, noise))
    return film


# %% role="check" part="5c"
with check("5c") as c:
    shares, told = torch.tensor([0.9, 0.6, 0.2], dtype=torch.float64), []

    def noise_by_time(x: Tensor, t: Tensor) -> Tensor:
        """A model whose answer depends on the time alone."""
        told.append(t.tolist())
        return weight * (1.0 + t.double())[:, None].expand_as(x)

    weight = torch.ones((), dtype=torch.float64, requires_grad=True)

    x0, times = torch.tensor([[1.0, -2.0]], dtype=torch.float64), torch.tensor([2, 0])
    xT = ddim_invert(noise_by_time, x0, shares, times)
    c.shape(xT, (1, 2), "the noise")
    c.true(not xT.requires_grad, "no graph is left")
    c.equal(told, [[0], [2]], "the model is asked at the times to which the steps lead, upwards")
    c.close(ddim_sample(noise_by_time, xT, shares, times)[-1], x0, "and from there, the way back leads to x0 again")

# %% [markdown] role="text"
# ### Look: ten steps
#
# The same eight starting points, the exact model, and three ways back: 200 ancestral steps, 200 DDIM steps, and 10.

# %% role="run"
with experiment("ten steps"):
    generator = torch.Generator().manual_seed(8)
    xT_2d = torch.randn(1500, 2, generator=generator, dtype=torch.float64)
    walk = ddpm_film(eps_model, xT_2d[:8], torch.randn(T, 8, 2, generator=generator, dtype=torch.float64))
    films = {S: ddim_sample(eps_model, xT_2d, alpha_bar, ddim_timesteps(T, S)) for S in (200, 50, 20, 10, 5)}
    trails = {"ancestral, 200": torch.stack(walk)}
    trails |= {f"DDIM, {S}": torch.stack(films[S])[:, :8] for S in (200, 10)}
    show_trails(trails, "Jagged paths; smooth arcs; the same arcs with corners, to nearly the same ends.", mixture)
    frames = {f"DDIM, {S} steps": film[-1] for S, film in films.items()}
    show_points(
        frames, "The pinwheel stays sharp down to 10 steps; with 5, many points lie between its arms.", mixture=mixture
    )

# %% [markdown] role="text"
# **Look.** With DDIM, the starting point decides everything: compare where each particle ends in the middle and on the
# right. Different particles never meet *at one time* (drawn in the plane, their paths may cross at different times).
# Why can they not? (What would two paths through one point at one time have to do from there on?) And in which part of
# their way are the paths bent the most?
#
# ### Look: chance against steps
#
# $\eta$ goes from no chance to the ancestral step. The first judge is the exact log-density again. It knows only where
# samples are *likely*. The second one compares the cloud of samples $x$ with one of new data $y$: the **energy
# distance** (Székely and Rizzo, 2013), $2\,\mathbb E\lVert x-y\rVert-\mathbb E\lVert x-x'\rVert-\mathbb E\lVert
# y-y'\rVert$, is zero only if both are spread in the same way. The black lines are those of other data.

# %% role="run"
with experiment("chance against steps"):
    counts = (5, 10, 20, 50, 100, 200)
    new_data, _ = mixture.sample(1500, torch.Generator().manual_seed(10))

    def energy_distance(x: Tensor, y: Tensor) -> float:
        """How unlike two clouds (N, D) and (M, D) are spread; about 0 for two draws of the same data."""
        return (2 * torch.cdist(x, y).mean() - torch.cdist(x, x).mean() - torch.cdist(y, y).mean()).item()

    fig, (left, right) = plt.subplots(1, 2, figsize=(11, 3.4), layout="constrained")
    left.axhline(mixture.logpdf(X_2d).mean().item(), color="black", linewidth=0.8, label="real data")
    right.axhline(energy_distance(X_2d[:1500], new_data), color="black", linewidth=0.8)
    for eta, dash in zip((0.0, 0.5, 1.0), figures.DASHES, strict=False):
        heights, distances = [], []
        for S in counts:
            fresh = torch.randn(S, 1500, 2, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
            x = ddim_sample(eps_model, xT_2d, alpha_bar, ddim_timesteps(T, S), eta, fresh)[-1]
            heights.append(mixture.logpdf(x).mean().item())
            distances.append(energy_distance(x, new_data))
        left.semilogx(counts, heights, dash, marker="o", label=rf"$\eta$ = {eta}")
        right.loglog(counts, distances, dash, marker="o")
    left.set(xlabel="steps", ylabel="mean log-density in nats", xticks=counts, xticklabels=counts)
    right.set(xlabel="steps", ylabel="energy distance to data", xticks=counts, xticklabels=counts)
    left.legend()
    figures.show(fig, "Three log-densities that are close; by distance, less chance is better up to 20 steps.")

# %% [markdown] role="text"
# **Look.** With 200 steps all three agree with the data. Which one loses least when the steps become few, and which
# judge can tell? (A log-density that is higher than the data's is no success: such samples crowd where the density is
# high. What the noise of a large step lacks at $\eta=1$ is computed in 4c.)
#
# ### Digits in ten steps, and between digits
#
# At $t=199$ an error in the noise is magnified some four thousand times in the guess (question 2). The exact model
# makes none; a network does, so its guesses are clipped as in question 4, and the noise is made to agree with them:
# `clipped`.
#
# Each row of the first sheet starts from the same noise; the columns are 5, 10, 20, 50 and 200 steps. Below, a walk
# between two noises, each decoded in 20 steps. The walk is along a circle, because noise in 784 dimensions lies on a
# sphere: halfway on the straight line its length would be too small by a factor of $\sqrt2$, and the network has never
# seen such an $x_{T-1}$.


# %% role="given" id="clipped"
def clipped(model: Callable[..., Tensor], alpha_bar: Tensor) -> Callable[..., Tensor]:
    """The model with its noise changed so that the guess of x0 lies in [-1, 1]."""

    def guarded(x: Tensor, t: Tensor, *labels: Tensor) -> Tensor:
        return eps_from_x0(x, t, x0_from_eps(x, t, model(x, t, *labels), alpha_bar).clamp(-1, 1), alpha_bar)

    return guarded


# %% role="run"
with experiment("digits in few steps"):
    finals = [
        ddim_sample(clipped(unet, alpha_bar), xT_digits[:6], alpha_bar, ddim_timesteps(T, S))[-1]
        for S in (5, 10, 20, 50, 200)
    ]
    show_digit_film(finals, "the same noise in 5, 10, 20, 50 and 200 steps")
    angle = torch.linspace(0, math.pi / 2, 12, device=here.device).reshape(-1, 1, 1, 1)
    between = angle.cos() * xT_digits[0] + angle.sin() * xT_digits[1]
    show_digits(
        ddim_sample(clipped(unet, alpha_bar), between, alpha_bar, ddim_timesteps(T, 20))[-1],
        "rows: from one digit to another, between two noises",
        columns=12,
    )

# %% [markdown] role="text"
# **Look.** What do the columns share, and what is missing in the left ones? Where on the walk does one digit become
# another, and are the images on the way digits?
#
# ### Look: there and back again
#
# Inversion, with the exact model first. The pinwheel's points climb to their noise and come down again, with 200 steps
# each way and with 10. Marks tell the arms apart.

# %% role="run"
with experiment("there and back in the plane"):
    for S in (200, 10):
        times, climb = ddim_timesteps(T, S), X_2d[:800]
        found = ddim_invert(eps_model, climb, alpha_bar, times)
        film = ddim_sample(eps_model, found, alpha_bar, times)
        frames = {"data": climb, f"noise found in {S} steps": found, "halfway back": film[S // 2], "returned": film[-1]}
        show_points(
            frames, "Three arms; a round cloud in three sectors; blurred arms; the arms again.", y_2d[:800], mixture
        )
        error = (film[-1] - climb).norm(dim=1).mean()
        print(f"{S} steps: returned {error:.3f} from where they were; the noise has std {found.std():.3f}")

# %% [markdown] role="text"
# **Look.** The noise knows the arm: where is the border between two labels in it? A flow without chance moves a
# density as a whole, so that neighbours stay neighbours. And is the cloud round with 10 steps as well?
#
# Now test digits, with 10, 20, 50 and 200 steps each way. The first column is the digit.

# %% role="run"
with experiment("there and back again"):
    originals = D_test[:4]
    returned = [originals]
    for S in (10, 20, 50, 200):
        times = ddim_timesteps(T, S)
        found = ddim_invert(unet, originals, alpha_bar, times)
        returned.append(ddim_sample(clipped(unet, alpha_bar), found, alpha_bar, times)[-1])
        error = (returned[-1] - originals).square().mean().sqrt()
        print(f"{S} steps: error {error:.3f} per pixel; the noise has mean {found.mean():.3f}, std {found.std():.3f}")
    show_digit_film(returned, "digits, and back again in 10, 20, 50 and 200 steps")

# %% [markdown] role="text"
# **Look.** Two errors are at work. Inversion asks the network for the noise at a point where it is *not yet*, which is
# only right for small steps; and the first steps back are clipped, which throws away a part of the noise that was
# found. Which of the two shrinks with more steps, and which one grows when the steps near $t=199$ become many? Is the
# noise that was found standard normal?
#
# ### 5d. The same network, another process (written, 2 points)
#
# 1. Let $x_t=\sqrt{\bar\alpha_t}\,x_0+\sqrt{1-\bar\alpha_t}\,\epsilon$, and let $x_{t'}$ be made of $x_0$, $\epsilon$
#    and a fresh $z$ by the DDIM step, for *any* $0\le\sigma^2\le1-\bar\alpha_{t'}$. Show that $x_{t'}$ given $x_0$ has
#    the distribution of a jump to $t'$. Conclude why the network need not be trained again, whatever $\sigma$ is and
#    however many times a step skips. What, then, is wrong with a large step of a sampler, even with the best network?
#    Then let $x_0\sim\mathcal N(0,s^2)$ with the exact predictor, and show that a deterministic step multiplies $x_t$
#    by a number that depends on $\bar\alpha_t$, $\bar\alpha_{t'}$ and $s$ alone. For which $s$ is every step exact, of
#    any size? (1 point)
# 2. *A bug of one digit.* Someone uses $\bar\alpha_0$ instead of 1 in the last step, which here starts at time 0. For
#    the cosine schedule with $T=200$, $1-\bar\alpha_0\approx2.55\cdot10^{-4}$. What is returned instead of $\hat x_0$?
#    For data from $\mathcal N(0,\tfrac14)$ that has been sampled exactly up to time 0, compute the variance of the
#    final samples with and without the bug to four digits. Which of our tests could see it, and which figure? (1 point)

# %% [markdown] role="written" part="5d"
# ### BEGIN SOLUTION
# **1.** With the true $x_0$ and $\epsilon$,
# $x_{t'}=\sqrt{\bar\alpha_{t'}}\,x_0+\sqrt{1-\bar\alpha_{t'}-\sigma^2}\,\epsilon+\sigma z$. Given $x_0$, the last two
# terms are independent Gaussians with variances that add up to $1-\bar\alpha_{t'}$: a jump to $t'$, for every $\sigma$.
# So at each time the process has the marginals of question 1, and the loss, which only sees pairs $(x_0,x_t)$ at one
# time, has the same minimiser. That holds for any two times, and for $\eta=1$, the ancestral step, as for $\eta=0$. But
# it takes the true $x_0$ and $\epsilon$, and a sampler has guesses: for one $x_t$ many $x_0$ are possible, and the best
# guess is their *mean*, which may lie where no data is. A large step goes along the arc of that mean, or draws noise
# around it, in place of $q(x_{t'}\mid x_t)$ with all its bumps (2c). Small steps trust the guess only a little, and ask
# again.
#
# For $\mathcal N(0,s^2)$: $c_t=\bar\alpha_ts^2+1-\bar\alpha_t$ is the variance of $x_t$, and
# $\hat\epsilon=\sqrt{1-\bar\alpha_t}\,x_t/c_t$, $\hat x_0=\sqrt{\bar\alpha_t}\,s^2x_t/c_t$, so the factor is
# $k=\big(\sqrt{\bar\alpha_{t'}\bar\alpha_t}\,s^2+\sqrt{(1-\bar\alpha_{t'})(1-\bar\alpha_t)}\big)/c_t$. Exact would be
# $\sqrt{c_{t'}/c_t}$. With the vectors $u=(\sqrt{\bar\alpha_t}\,s,\sqrt{1-\bar\alpha_t})$ and $u'$ likewise, $k=u\cdot
# u'/\lVert u\rVert^2$ and the exact factor is $\lVert u'\rVert/\lVert u\rVert$: by Cauchy and Schwarz $k$ is too small,
# unless $u$ and $u'$ are parallel. They are for $s=0$, a single point: every step is exact, of any size. (For $s=1$,
# all $u$ have length 1 and $k$ is the cosine of the angle between them.)
#
# **2.** Returned is $\sqrt{\bar\alpha_0}\,\hat x_0+\sqrt{1-\bar\alpha_0}\,\hat\epsilon = x_{t=0}$, the input of the
# last step, as the step goes from time 0 to time 0. With $s^2=\tfrac14$: $x_{t=0}$ has variance
# $c_0=\tfrac14\bar\alpha_0+1-\bar\alpha_0=0.25+0.75\cdot2.55\cdot10^{-4}=0.25019\approx0.2502$. Without the bug, $\hat
# x_0=\sqrt{\bar\alpha_0}\,s^2x/c_0$ has variance $\bar\alpha_0s^4/c_0=0.999745\cdot0.0625/0.25019=0.249745
# \approx0.2497$. No picture and no statistic of a few thousand samples shows a difference of 0.0004. Only an exact
# test finds it: that of a single step in 5b (with `t_prev = -1`, the result is exactly $\hat x_0$), or the round trip
# in the check of 5c.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 0.5 points: variances add to those of a jump, and the loss sees one time only; but a guess is a mean, not a draw
# - 0.5 points: the factor of the deterministic step, which is exact for a single point
# - 1 point: the last step returns its input; 0.2502 against 0.2497; only an exact test of the step or of the round trip
#   sees it
# ### END MARK SCHEME

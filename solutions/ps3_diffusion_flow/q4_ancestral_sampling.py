# %% [markdown] role="text"
# ## 4. The way back, at random (10 points)
#
# Everything is there. Start from $x_{T-1}\sim\mathcal N(0,I)$. At each time, ask the network for the noise, turn its
# answer into a guess of $x_0$, and take the step of question 2 as if the guess were the truth:
#
# $$
# x_{t-1} = \tilde\mu_t(x_t,\hat x_0) + \sigma_t\,z, \qquad z\sim\mathcal N(0,I), \qquad
# \hat x_0 = \frac{x_t-\sqrt{1-\bar\alpha_t}\;\hat\epsilon}{\sqrt{\bar\alpha_t}} .
# $$
#
# This is algorithm 2 of Ho et al. (2020), who write the mean as
# $\tfrac1{\sqrt{1-\beta_t}}\big(x_t-\tfrac{\beta_t}{\sqrt{1-\bar\alpha_t}}\hat\epsilon\big)$; check that it is the
# same. The guess is poor at first, but a step trusts it only a little, and then it is asked again.
#
# ### 4a. One step (code, 5 points)
#
# Write `ddpm_step`.
#
# - `var="beta"` takes $\sigma_t^2=\beta_t$, `var="posterior"` takes $\sigma_t^2=\tilde\beta_t$. Both are used; 4c asks
#   when each one is exact.
# - `clip=True` restricts the guess $\hat x_0$ to $[-1,1]$, where pixels live, **before** it enters the mean. Clipping
#   the result instead would cut off noise that belongs there.
# - At $t=0$ **no noise is added**, whatever `var` says: the last step leads to clean data. (The samples of those who
#   forget it have a grain that is hard to see and easy to measure.)
#
# Times may differ within the batch, and some of them may be 0.


# %% role="answer" part="4a"
def ddpm_step(
    xt: Tensor,
    t: Tensor,
    eps_hat: Tensor,
    noise: Tensor,
    alpha_bar: Tensor,
    var: str = "beta",
    clip: bool = False,
) -> Tensor:
    """xt (B, ...) of times t (B,) one step earlier, from guesses of its noise and with fresh noise, both (B, ...)."""
    ### BEGIN SOLUTION
    x0 = x0_from_eps(xt, t, eps_hat, alpha_bar)
    mean, variance = q_posterior(x0.clamp(-1, 1) if clip else x0, xt, t, alpha_bar)
    if var == "beta":
        beta = 1 - alpha_bar_at(alpha_bar, t, xt) / alpha_bar_at(alpha_bar, t - 1, xt)
        variance = beta * (t > 0).reshape(beta.shape)  # nothing is added at t = 0
    return mean + variance.sqrt() * noise
    ### END SOLUTION


# %% role="check" part="4a"
with check("4a") as c:
    shares, t = torch.tensor([0.5, 0.25], dtype=torch.float64), torch.tensor([1, 0])
    xt, zero, one = torch.ones(2, 3), torch.zeros(2, 3), torch.ones(2, 3)
    c.shape(ddpm_step(xt, t, zero, zero, shares), (2, 3), "a step")
    c.close(ddpm_step(xt, t, zero, zero, shares)[1], [2**0.5] * 3, "at t = 0, without any noise, x0 = 1 / sqrt(0.5)")
    c.close(ddpm_step(xt, t, zero, zero, shares)[0], [2**0.5] * 3, "the mean at t = 1: 1 / sqrt(1 - beta)")
    added = ddpm_step(xt, t, zero, one, shares) - ddpm_step(xt, t, zero, zero, shares)
    c.close(added, [[0.5**0.5] * 3, [0.0] * 3], "noise of variance beta at t = 1, and none at t = 0")
    added = ddpm_step(xt, t, zero, one, shares, var="posterior") - ddpm_step(xt, t, zero, zero, shares)
    c.close(added, [[3**-0.5] * 3, [0.0] * 3], "or noise of the posterior's variance")
    clipped_step = ddpm_step(xt, t, zero, one, shares, clip=True)
    c.close(clipped_step[1], [1.0] * 3, "clipped, the guess is 1")
    c.close(clipped_step[0], [8**0.5 / 3 + 0.5**0.5] * 3, "only the guess is clipped: noise may lead beyond 1")

# %% [markdown] role="text"
# ### 4b. All steps (code, 3 points)
#
# Write `ddpm_sample`. It starts from `xT` (B, ...), which is $x_{T-1}$, and takes $T$ steps, from $t=T-1$ **down to**
# $t=0$. The noise of the step at time $t$ is `noises[t]`, of the (T, B, ...) that are given. `model(x, t)` is called
# once per step, with the time as an int64 tensor (B,). No graph is built (200 evaluations of a U-Net would not fit into
# memory), `xT` is not changed, and `var` and `clip` are passed on.


# %% role="answer" part="4b"
def ddpm_sample(
    model: Callable[[Tensor, Tensor], Tensor],
    xT: Tensor,
    noises: Tensor,
    alpha_bar: Tensor,
    var: str = "beta",
    clip: bool = False,
) -> Tensor:
    """Clean examples (B, ...) from pure noise xT (B, ...), with fresh noises (T, B, ...), noises[t] for time t."""
    ### BEGIN SOLUTION
    x = xT
    with torch.no_grad():
        for s in reversed(range(len(alpha_bar))):
            t = torch.full((len(x),), s, device=x.device)
            x = ddpm_step(x, t, model(x, t), noises[s], alpha_bar, var, clip)
    return x
    ### END SOLUTION


# %% role="check" part="4b"
with check("4b") as c:
    shares, told = torch.tensor([0.8, 0.5, 0.2], dtype=torch.float64), []

    weight = torch.ones((), dtype=torch.float64, requires_grad=True)

    def noise_of_a_point(x: Tensor, t: Tensor) -> Tensor:
        """The exact answer if all data is the point (1, 1)."""
        told.append(t.tolist())
        share = shares[t][:, None]
        return weight * (x - share.sqrt()) / (1 - share).sqrt()

    draws = torch.randn(4, 5, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    points = ddpm_sample(noise_of_a_point, draws[3], draws[:3], shares)
    c.shape(points, (5, 2), "samples")
    c.close(points, torch.ones(5, 2), "data that is one point is found exactly")
    c.equal(told, [[2] * 5, [1] * 5, [0] * 5], "the model is asked at t = 2, 1, 0, each time for the whole batch")
    c.true(not points.requires_grad, "no graph is left")
    nothing, ones, once = lambda x, t: 0 * x, torch.ones(1, 2, dtype=torch.float64), torch.zeros(3, 1, 2).double()
    once[0] = 1
    c.close(ddpm_sample(nothing, 0 * ones, once, shares), 0 * ones, "noises[0] is that of t = 0, where none is added")
    c.close(ddpm_sample(nothing, ones, 0 * once, shares, clip=True), ones, "clip is passed on: the last guess is cut")
    less = ddpm_sample(nothing, 0 * ones, once.roll(1, 0), shares, var="posterior")
    c.close(less, (0.15 / 0.8) ** 0.5 * ones, "var is passed on: at t = 1, beta is 0.375 and the posterior's is 0.15")

# %% [markdown] role="text"
# ### Look: a film of the way back
#
# Your sampler, with the exact model of the pinwheel. Above, 1,500 particles at six moments; below, the paths of five.


# %% role="run"
def ddpm_film(model: Callable[[Tensor, Tensor], Tensor], xT: Tensor, noises: Tensor, **how: object) -> list[Tensor]:
    """What ddpm_sample passes through: x at times T - 1, ..., 0, -1."""
    film = [xT]
    with torch.no_grad():
        for s in reversed(range(len(noises))):
            t = torch.full((len(xT),), s, device=xT.device)
            film.append(ddpm_step(film[-1], t, model(film[-1], t), noises[s], alpha_bar, **how))
    return film


with experiment("a film of the way back"):
    draws = torch.randn(T + 1, 1500, 2, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    film = ddpm_film(eps_model, draws[T], draws[:T])
    frames = {f"t = {s}": film[T - 1 - s] for s in (199, 150, 100, 60, 20, -1)}
    show_points(frames, "A round cloud contracts, grows three arms, and ends as the pinwheel.", mixture=mixture)
    means = ddpm_film(eps_model, draws[T], 0 * draws[:T])
    trails = {"ancestral": torch.stack(film)[:, :5], "without the noise": torch.stack(means)[:, :5]}
    show_trails(trails, "Left: jagged paths into the arms. Right: smooth paths that all end in one point.", mixture)
    ends = {"ancestral": film[-1], "without the noise": means[-1]}
    show_points(ends, "Without noise, all particles end in one point near the centre.", mixture=mixture)

# %% [markdown] role="text"
# **Look.** On the right, the noise $\sigma_tz$ was left out: every step goes to the *most probable* earlier point. It
# looks sensible, and it is wrong: where have all the particles gone, compared with the data? A sampler must not
# maximise. (Question 5 does leave out the noise, but changes the mean as well.)
#
# ### Look: how many steps?
#
# The exact model again, but with fewer steps: a schedule with $T=5, 10, 20, 50, 100$ and 200. The judge is exact, too:
# the mean log-density of the samples under the pinwheel's. The black line is that of real data.

# %% role="run"
with experiment("how many steps"):
    judged: dict[str, list[float]] = {"beta": [], "posterior": []}
    counts, few = (5, 10, 20, 50, 100, 200), {}
    for count in counts:
        shares = make_schedule("cosine", count)[1]
        draws = torch.randn(count + 1, 1500, 2, generator=torch.Generator().manual_seed(6), dtype=torch.float64)
        for var, line in judged.items():
            x = ddpm_sample(exact_eps(mixture, shares), draws[count], draws[:count], shares, var=var)
            line.append(mixture.logpdf(x).mean().item())
            if count in (5, 20):
                few[f'{count} steps, "{var}"'] = x
    show_points(few, "With 5 steps many points lie between the arms; with 20, posterior is too thin.", mixture=mixture)
    fig, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
    ax.axhline(mixture.logpdf(X_2d).mean().item(), color="black", linewidth=0.8, label="real data")
    for (var, line), dash in zip(judged.items(), figures.DASHES, strict=False):
        ax.semilogx(counts, line, dash, marker="o", label=f'var="{var}"')
    ax.set(xlabel="steps", ylabel="mean log-density in nats", xticks=counts, xticklabels=counts)
    ax.legend()
    figures.show(fig, "From 10 steps on, beta stays just below the data's log-density; posterior comes down to it.")

# %% [markdown] role="text"
# **Look.** The model is perfect, and still five steps are bad: the *steps* are Gaussian, and the truth is not (2c). Can
# a log-density that is *higher* than that of real data be a good sign? Compare with the pictures.
#
# ### Digits
#
# First your own network of question 3, then one that we have trained for you: the same architecture at `width=64`,
# trained on all 60,000 digits *with* labels, of which one in ten was replaced by `null`. Called without labels, as
# here, it draws any digit; questions 6 and 7 use its labels.


# %% role="given" id="provided"
def provided_unet() -> UNet:
    """The network that comes with the problem set: it guesses noise, with or without a label, on 200 cosine steps."""
    unet = UNet(width=64, T=200)
    unet.load_state_dict(data.weights("ps3_unet"))
    return unet.to(here.device).eval().requires_grad_(False)


# %% role="run"
with experiment("digits from noise"):
    unet, number = provided_unet(), 12 if QUICK else 40
    generator = torch.Generator().manual_seed(7)
    xT_digits = torch.randn(number, 1, 28, 28, generator=generator).to(here.device)
    noises_digits = torch.randn(T, number, 1, 28, 28, generator=generator).to(here.device)
    for name, net in {"your network": own_unet, "the provided network": unet}.items():
        film = ddpm_film(net, xT_digits, noises_digits, clip=True)
        show_digits(film[-1], f"{name}: {number} samples", columns=min(number, 20))
    columns = [T - 1 - s for s in (199, 170, 140, 110, 80, 50, 20, -1)]
    show_digit_film([film[i][:4] for i in columns], "the way back of four digits: t = 199, 170, ..., 20, -1")
    with torch.no_grad():
        times = [torch.full((4,), s, device=here.device) for s in (199, 170, 140, 110, 80, 50, 20, 0)]
        seen = [film[T - 1 - int(t[0])][:4] for t in times]
        guesses = [x0_from_eps(x, t, unet(x, t), alpha_bar) for x, t in zip(seen, times, strict=True)]
    show_digit_film(guesses, "what the network believed it would become, at the same times")

# %% [markdown] role="text"
# **Look.** In the last two strips, when is it decided which digit it will be? When is the slant decided, and when the
# edge of the stroke? Is there a digit that changed its mind? And run the cell again without `clip=True`: which samples
# suffer, and at which times is the guess outside of [-1, 1]? (Remember the sensitivities.)
#
# ### 4c. Which variance? (written, 2 points)
#
# 1. Show that for data from $\mathcal N(0,I)$ and the exact predictor, `var="beta"` is exact: if $x_t\sim\mathcal
#    N(0,I)$, then $x_{t-1}\sim\mathcal N(0,I)$, for $t\ge1$. What is the variance after the last step, and why is it
#    not 1? Then show that for data that is a single point, `var="posterior"` is exact. (1 point)
# 2. Let $V=\operatorname{Var}(x_0\mid x_t)$ in one dimension. Show that the true variance of one step back is
#    $\operatorname{Var}(x_{t-1}\mid x_t)=\tilde\beta_t+\frac{\bar\alpha_{t-1}\beta_t^2}{(1-\bar\alpha_t)^2}\,V$, and
#    use it to say for which data each choice is too small or too large. Which of your pictures shows it, and why does
#    the difference vanish for many steps? (1 point)

# %% [markdown] role="written" part="4c"
# ### BEGIN SOLUTION
# **1.** For $\mathcal N(0,I)$ the exact predictor is $\hat\epsilon=\sqrt{1-\bar\alpha_t}\,x_t$ (3c). The mean of the
# step is
# $\tfrac1{\sqrt{1-\beta_t}}\big(x_t-\tfrac{\beta_t}{\sqrt{1-\bar\alpha_t}}\hat\epsilon\big)=\sqrt{1-\beta_t}\,x_t$.
# So $x_{t-1}$ has mean 0 and variance $(1-\beta_t)\cdot1+\beta_t=1$. The last step, at $t=0$, adds no noise: variance
# $1-\beta_0$. It returns the *mean* $\mathbb E[x_0\mid x_{t=0}]$, which has less variance than the data; with a small
# $\beta_0$ nobody can see it. For data that is one point $m$, the guess $\hat x_0=m$ is always right, so the step draws
# from $q(x_{t-1}\mid x_t,x_0=m)$, which is the true $q(x_{t-1}\mid x_t)$. Its variance is $\tilde\beta_t$.
#
# **2.** By the law of total variance over $x_0$ given $x_t$: $\operatorname{Var}(x_{t-1}\mid x_t)=\mathbb
# E[\tilde\beta_t]+\operatorname{Var}(\tilde\mu_t(x_t,x_0)\mid x_t)$, and $\tilde\mu_t$ contains $x_0$ with the factor
# $\sqrt{\bar\alpha_{t-1}}\beta_t/(1-\bar\alpha_t)$. So $\tilde\beta_t$ is a lower bound, reached where $x_0$ is known
# from $x_t$: for all other data `"posterior"` adds too little noise. For $\mathcal N(0,I)$, $V=1-\bar\alpha_t$ and the
# sum is $\beta_t$. For data that is concentrated (points, thin arms) $V$ is smaller on average, and `"beta"` adds too
# much. For wider data, such as $\mathcal N(0,s^2)$ with $s>1$, and at an $x_t$ that leaves far apart possibilities
# open, $V>1-\bar\alpha_t$, and `"beta"` adds too little. In the pictures with 20 steps, `"beta"` is blurred and
# `"posterior"` is too thin, with a log-density above that of data. With many steps $\beta_t\to0$, while
# $1-\bar\alpha_{t-1}$ stays, so $\tilde\beta_t/\beta_t=(1-\bar\alpha_{t-1})/(1-\bar\alpha_t)\to1$ at almost all times,
# and both choices meet.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: mean sqrt(1 - beta) x_t and variance 1; final variance 1 - beta_0; the point's posterior is exact
# - 1 point: law of total variance; posterior a lower bound; beta too large for concentrated data, too small for wider
#   data; the ratio goes to 1
# ### END MARK SCHEME

# %% [markdown] role="text"
# ## 1. The way to noise (10 points)
#
# A variational autoencoder *learns* how to encode. A diffusion model does not: its encoder is fixed once and for all,
# and it only adds noise, in $T$ small steps. Step $t$ keeps most of what it gets and mixes in a share $\beta_t$ of
# fresh Gaussian noise,
#
# $$
# q(x_t\mid x_{t-1}) = \mathcal N\big(x_t \,\big|\, \sqrt{1-\beta_t}\;x_{t-1},\ \beta_t I\big),
# \qquad t = 0, 1, \dots, T-1,
# $$
#
# starting from clean data, which we call $x_{-1}$ in the code and, as the papers do, $x_0$ in the mathematics where no
# confusion can arise. Why the factor $\sqrt{1-\beta_t}$, and not 1? With it, data of variance 1 keeps variance 1 all
# the way, and the end of the chain is $\mathcal N(0, I)$, whatever the data was. That is the one distribution from
# which we can sample without having learnt anything.
#
# Training needs examples at random times, and nobody wants to walk there step by step. Fortunately, one may *jump*.
# With $\bar\alpha_t=\prod_{s\le t}(1-\beta_s)$,
#
# $$
# q(x_t\mid x_0) = \mathcal N\big(x_t \,\big|\, \sqrt{\bar\alpha_t}\;x_0,\ (1-\bar\alpha_t)\, I\big)
# \qquad\text{(Ho et al., 2020, eq. 4; you derive it in 1d).}
# $$
#
# So $\bar\alpha_t$ is the share of the variance that still comes from the data. It is all that anybody needs to know
# about a schedule.
#
# ### 1a. Schedules (code, 3 points)
#
# Write `make_schedule`. It returns `betas` and `alpha_bar`, each (T,), in float64. There are two kinds:
#
# - `"linear"` (Ho et al., 2020, section 4): for $T=1000$, the $\beta_t$ grow evenly from $10^{-4}$ to $0.02$, both
#   included. For another $T$, take $T$ evenly spaced numbers from $10^{-4}$ to $0.02$, both included, and *multiply
#   them by $1000/T$*, so that fewer steps destroy as much.
# - `"cosine"` (Nichol and Dhariwal, 2021, eq. 17): the share of the data falls along a cosine, $\bar\alpha_t =
#   f(\tfrac{t+1}{T})/f(0)$ with $f(u)=\cos^2\big(\tfrac{u+0.008}{1.008}\cdot\tfrac\pi2\big)$, hence $\beta_t = 1 -
#   f(\tfrac{t+1}{T})\,/\,f(\tfrac tT)$.
#
# In both kinds, no $\beta_t$ is larger than **0.999**: what is above is set to 0.999 (the last cosine step would
# otherwise destroy everything and divide by zero later). `alpha_bar` belongs to the `betas` that are returned. Mind the
# word *share*: steps that each keep 90 % keep 81 % after two, not 80 %.


# %% role="answer" part="1a"
def make_schedule(kind: str, T: int) -> tuple[Tensor, Tensor]:
    """The schedule "linear" or "cosine" of T steps: betas (T,) and alpha_bar (T,), float64."""
    ### BEGIN SOLUTION
    match kind:
        case "linear":
            betas = torch.linspace(1e-4, 0.02, T, dtype=torch.float64) * 1000 / T
        case "cosine":
            u = torch.arange(T + 1, dtype=torch.float64) / T
            f = torch.cos((u + 0.008) / 1.008 * math.pi / 2) ** 2
            betas = 1 - f[1:] / f[:-1]
    betas = betas.clamp(max=0.999)
    return betas, (1 - betas).cumprod(dim=0)
    ### END SOLUTION


# %% role="check" part="1a"
with check("1a") as c:
    betas, alpha_bar = make_schedule("linear", 1000)
    c.shape(betas, (1000,), "betas")
    c.shape(alpha_bar, (1000,), "alpha_bar")
    c.dtype(alpha_bar, torch.float64, "alpha_bar")
    c.close(betas[[0, -1]], [1e-4, 0.02], "the first and the last step of the DDPM paper")
    c.close(alpha_bar[0], 0.9999, "after one step, a share of 1 - beta is left")
    c.close(alpha_bar[1], 0.9999 * (1 - betas[1]), "after two steps, a share of that share")
    c.true(alpha_bar[-1] < 1e-4, "in the end, nothing is left of the data")
    c.close(make_schedule("linear", 500)[0][0], 2e-4, "half as many steps are twice as large")
    betas, alpha_bar = make_schedule("cosine", 4)
    c.close(alpha_bar[1], 0.49384, "half of the way along the cosine, almost half of the data is left", rtol=1e-4)
    c.close(betas[-1], 0.999, "no step is larger than 0.999")
    c.close(alpha_bar[-1], 0.001 * alpha_bar[-2], "and alpha_bar knows that step, too")
    c.close(make_schedule("linear", 10)[0][-1], 0.999, "in the linear schedule as well, where steps are few")

# %% [markdown] role="text"
# ### 1b. The jump (code, 3 points)
#
# Each example of a batch has a time of its own. So a formula such as $\sqrt{\bar\alpha_t}\,x_0$ means: look up
# $\bar\alpha$ at each example's time, and multiply that *example* by it, all its channels, rows and columns. For images
# (B, C, H, W), a tensor of shape (B,) would be broadcast along the **width**. If B and W differ, you get an error and
# are lucky. If they are equal, or B is 1, you get a wrong result and no error at all.
#
# Everything that follows looks up $\bar\alpha$, so we do it right once. Write `alpha_bar_at`, which returns
# $\bar\alpha$ at the times `t` (B,) in the shape (B, 1, ..., 1), with as many dimensions as `x` has, and in the dtype
# and on the device of `x` (`.to(x)` does both; `alpha_bar` itself is on the CPU). And where a time is **-1**, which is
# clean data, the answer is **1**. Python disagrees: `alpha_bar[-1]` is the *last* entry, almost pure noise, and it says
# nothing.
#
# Then write `q_sample`, which jumps (from time -1: stays where it is) to
# $x_t=\sqrt{\bar\alpha_t}\,x_0+\sqrt{1-\bar\alpha_t}\;\epsilon$ for given noise $\epsilon$. Expect 2 lines each.


# %% role="answer" part="1b"
def alpha_bar_at(alpha_bar: Tensor, t: Tensor, x: Tensor) -> Tensor:
    """alpha_bar (T,) at the times t (B,) of the examples x (B, ...), 1 at time -1: (B, 1, ..., 1), like x."""
    ### BEGIN SOLUTION
    padded = torch.cat([alpha_bar, alpha_bar.new_ones(1)])  # so that index -1 is time -1
    return padded[t.to(padded.device)].reshape(-1, *[1] * (x.ndim - 1)).to(x)
    ### END SOLUTION


def q_sample(x0: Tensor, t: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
    """The examples x0 (B, ...) at the times t (B,), made with the noise (B, ...)."""
    ### BEGIN SOLUTION
    share = alpha_bar_at(alpha_bar, t, x0)
    return share.sqrt() * x0 + (1 - share).sqrt() * noise
    ### END SOLUTION


# %% role="check" part="1b"
with check("1b") as c:
    shares = torch.tensor([0.64, 0.36], dtype=torch.float64)
    t, x0 = torch.tensor([1, 0, -1]), torch.full((3, 1, 2, 3), 10.0)
    at = alpha_bar_at(shares, t, x0)
    c.shape(at, (3, 1, 1, 1), "alpha_bar_at")
    c.dtype(at, torch.float32, "alpha_bar_at")
    c.close(at.flatten(), [0.36, 0.64, 1.0], "each example has its time; at time -1, all of the data is left")
    noisy = q_sample(x0, t, torch.ones_like(x0), shares)
    c.shape(noisy, (3, 1, 2, 3), "q_sample")
    c.close(noisy[0, 0], [[6.8] * 3] * 2, "0.6 * 10 + 0.8 * 1, in every pixel of the first example")
    c.close(noisy[:, 0, 1, 1], [6.8, 8.6, 10.0], "less noise in the second, none in the third")

# %% [markdown] role="text"
# ### 1c. Signal and noise (code, 1 point)
#
# Schedules are best compared by their **signal-to-noise ratio** $\mathrm{SNR}(t)=\bar\alpha_t/(1-\bar\alpha_t)$, the
# variance of the signal over that of the noise when data has variance 1. Write `snr` for times `t` (B,) in 0..T-1; it
# returns (B,) in float64.


# %% role="answer" part="1c"
def snr(t: Tensor, alpha_bar: Tensor) -> Tensor:
    """The signal-to-noise ratio (B,) at the times t (B,) for the schedule alpha_bar (T,)."""
    ### BEGIN SOLUTION
    return alpha_bar[t] / (1 - alpha_bar[t])
    ### END SOLUTION


# %% role="check" part="1c"
with check("1c") as c:
    c.close(snr(torch.tensor([1, 0]), torch.tensor([0.8, 0.5]).double()), [1.0, 4.0], "4 to 1, then 1 to 1")

# %% [markdown] role="text"
# ### Look: the way to noise
#
# From now on the notebook uses 200 cosine steps.

# %% role="run"
with experiment("the way to noise"):
    T = 200
    betas, alpha_bar = make_schedule("cosine", T)
    noise_2d = torch.randn(X_2d.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    moments = [-1, 20, 60, 100, 140, 199]
    frames = {f"t = {s}": q_sample(X_2d, torch.full((2000,), s), noise_2d, alpha_bar) for s in moments}
    show_points(frames, "Three arms blur, melt into one cloud and become a round Gaussian.", y_2d)

# %% [markdown] role="text"
# **Look.** At which frame can you no longer tell the arms apart near the centre, and at which not even at their tips?
# Whatever you can still see at time $t$ is what the way back has already decided by then: the *large* structure is
# decided first, by the steps from noise, and the sharp edges last.
#
# The formula and the chain agree on where a particle is at *one* time. Do they agree on its path? Below, the same four
# particles go to noise twice: by 200 small steps with fresh noise each, and by `q_sample` with one noise for all times.

# %% role="run"
with experiment("two ways to the same place"):
    generator, x = torch.Generator().manual_seed(2), X_2d[:4]
    walk = [x]
    for s in range(T):
        fresh = torch.randn(x.shape, generator=generator, dtype=torch.float64)
        x = (1 - betas[s]).sqrt() * x + betas[s].sqrt() * fresh
        walk.append(x)
    jumps = [q_sample(X_2d[:4], torch.full((4,), s), noise_2d[:4], alpha_bar) for s in range(-1, T)]
    trails = {"200 small steps": torch.stack(walk), "q_sample, one noise": torch.stack(jumps)}
    show_trails(trails, "Left: jagged random walks. Right: four smooth arcs. Hollow dots are data.", mixture)

# %% [markdown] role="text"
# **Look.** On the left is a random walk, on the right a smooth arc from data to noise. At every single time the
# *distribution* of the points is the same. What training sees are pairs $(x_0, x_t)$ at one time, so it cannot tell the
# two apart. Remember this when question 5 replaces the random way back by a smooth one, without training again.
#
# And the same for digits, with both schedules. The curves show $\log_{10}\mathrm{SNR}$.

# %% role="run"
with experiment("two schedules"):
    schedules = {kind: make_schedule(kind, T)[1] for kind in ("linear", "cosine")}
    fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.2), layout="constrained")
    for (kind, shares), dash in zip(schedules.items(), figures.DASHES, strict=False):
        left.plot(shares, dash, label=kind)
        right.plot(snr(torch.arange(T), shares).log10(), dash, label=kind)
    left.set(xlabel="t", ylabel=r"$\bar\alpha_t$")
    right.set(xlabel="t", ylabel=r"$\log_{10}$ SNR")
    left.legend()
    figures.show(fig, "The linear schedule's share of data falls fast and is near zero from t = 140 on.")
    digit_noise = torch.randn(2, 1, 28, 28, generator=torch.Generator().manual_seed(3)).to(here.device)
    for kind, shares in schedules.items():
        times = [torch.full((2,), s, device=here.device) for s in range(-1, T, 20)]
        show_digit_film(
            [q_sample(D_test[:2], s, digit_noise, shares) for s in times], f"{kind}: t = -1, 19, 39, ..., 199"
        )

# %% [markdown] role="text"
# **Look.** In how many of the eleven columns of each schedule could you still say which digit it is? A network can
# learn nothing about digits from a column of pure noise. Which schedule spends more of its steps there?
#
# ### 1d. Why one may jump (written, 3 points)
#
# 1. Derive $q(x_t\mid x_0)=\mathcal N(\sqrt{\bar\alpha_t}\,x_0,\,(1-\bar\alpha_t)I)$ from the steps, by induction. Say
#    where you use that the noises are independent. (1 point)
# 2. Data has mean 0 and covariance $S$. What is the covariance of $x_t$? Conclude for which data it stays what it was,
#    and what the chain does in the limit. Now leave the factor $\sqrt{1-\beta_t}$ out of the step. What are mean and
#    covariance of $x_t$ given $x_0$, and what would you have to change about the *start* of sampling? (1 point)
# 3. Two schedules are given as curves of SNR over time, and both fall from the same large to the same small value. Show
#    that they contain the same noisy distributions, only at other times. So what does a schedule choose? Then average
#    squares of 2 x 2 pixels in a noisy image whose neighbouring pixels would be nearly equal without the noise: by
#    which factor does the SNR change? What follows for the schedule of large images? (1 point)

# %% [markdown] role="written" part="1d"
# ### BEGIN SOLUTION
# **1.** Write a step as $x_t=\sqrt{1-\beta_t}\,x_{t-1}+\sqrt{\beta_t}\,\epsilon_t$ with independent
# $\epsilon_t\sim\mathcal N(0,I)$. Before any step, $\bar\alpha=1$ and $x=x_0$: the claim holds. Assume
# $x_{t-1}=\sqrt{\bar\alpha_{t-1}}\,x_0+\sqrt{1-\bar\alpha_{t-1}}\,\epsilon$ with $\epsilon\sim\mathcal N(0,I)$. Then
#
# $$
# x_t=\sqrt{(1-\beta_t)\bar\alpha_{t-1}}\;x_0+\sqrt{(1-\beta_t)(1-\bar\alpha_{t-1})}\;\epsilon
#   +\sqrt{\beta_t}\;\epsilon_t.
# $$
#
# $\epsilon$ is made of earlier noises, so it is **independent** of $\epsilon_t$; the sum of two independent Gaussians
# is Gaussian, and their variances add: $(1-\beta_t)(1-\bar\alpha_{t-1})+\beta_t =
# 1-(1-\beta_t)\bar\alpha_{t-1}=1-\bar\alpha_t$. With $(1-\beta_t)\bar\alpha_{t-1}=\bar\alpha_t$ in the mean, that is
# the claim at $t$.
#
# **2.** $\operatorname{Cov}x_t=\bar\alpha_tS+(1-\bar\alpha_t)I = I+\bar\alpha_t(S-I)$. It stays what it was exactly if
# $S=I$ (that is why data is scaled to a variance of about 1), and it tends to $I$ for every $S$ as $\bar\alpha_t\to0$;
# the mean tends to 0. Without the factor, $x_t\mid x_0\sim\mathcal N(x_0,\ \sum_{s\le t}\beta_s I)$: the mean stays,
# the variance grows without bound. Sampling has to start from $\mathcal N(0,\sigma^2_{\max}I)$ with a variance so large
# that the data's own does not matter (the "variance exploding" process of Song et al., 2021).
#
# **3.** $x_t/\sqrt{\bar\alpha_t}=x_0+\sqrt{(1-\bar\alpha_t)/\bar\alpha_t}\;\epsilon =
# x_0+\mathrm{SNR}(t)^{-1/2}\epsilon$. Up to a known scale the noisy distribution depends on the SNR alone. Both curves
# are continuous and take every value between the same ends, so each distribution of one appears in the other, at the
# time with the same SNR. A schedule chooses how the steps (and the examples of training) are *distributed over noise
# levels*, nothing else. Averaging four nearly equal pixels keeps the signal, and divides the noise's variance by 4, so
# the SNR is **4 times** larger. Seen at the same coarse scale, a large image is less noisy at the same $t$: its
# schedule must be shifted to more noise, or the large structure is never destroyed and nothing learns to create it
# (Hoogeboom, Heek and Salimans, *Simple diffusion*, 2023).
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: the induction, with the variances of independent Gaussians added
# - 1 point: I + alpha_bar (S - I), constant for S = I, tends to I; without the factor variance grows, start accordingly
# - 1 point: only the SNR matters up to scale, so a schedule distributes steps over noise levels; 4 times, more noise
# ### END MARK SCHEME

# %% [markdown] role="text"
# ## 3. The loss (8 points)
#
# The bound of 2d compares two Gaussians at every step: $q(x_{t-1}\mid x_t,x_0)$, which knows $x_0$, and
# $p_\theta(x_{t-1}\mid x_t)$, which has the network's guess of $x_0$ in its place. With equal variances, the divergence
# between them is a squared distance of means, and that is a weight times the squared error of the guess. Ho et al.
# found that samples get better when the weight is simply *left out*, and when the network guesses the noise:
#
# $$
# L_{\text{simple}} = \mathbb E_{t,\,x_0,\,\epsilon}
#   \big\lVert \epsilon - \epsilon_\theta(\sqrt{\bar\alpha_t}\,x_0+\sqrt{1-\bar\alpha_t}\,\epsilon,\ t)\big\rVert^2
# \qquad\text{(Ho et al., 2020, eq. 14).}
# $$
#
# That is all of training: take an example, a time and some noise; mix; ask what the noise was. You find out in 3c what
# leaving out the weight means.
#
# ### 3a. Guess what was added (code, 3 points)
#
# Write `ddpm_loss`. It mixes `xt`, calls `model(xt, t)` **once**, and returns for every example the squared error,
# **averaged over its features** (all dimensions but the first): (B,). `target` says what the model guesses: `"eps"`,
# `"x0"` or `"v"` (question 2b).


# %% role="answer" part="3a"
def ddpm_loss(
    model: Callable[[Tensor, Tensor], Tensor],
    x0: Tensor,
    t: Tensor,
    noise: Tensor,
    alpha_bar: Tensor,
    target: str = "eps",
) -> Tensor:
    """Mean squared errors (B,) of what model(xt, t) guesses of x0 (B, ...), made noisy at times t (B,)."""
    ### BEGIN SOLUTION
    truth = {"eps": noise, "x0": x0, "v": v_from(x0, noise, t, alpha_bar)}[target]
    guess = model(q_sample(x0, t, noise, alpha_bar), t)
    return (guess - truth).square().flatten(1).mean(dim=1)
    ### END SOLUTION


# %% role="check" part="3a"
with check("3a") as c:
    x0, noise = torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[3.0, 1.0], [2.0, 2.0]])
    shares, t = torch.tensor([0.64, 0.36], dtype=torch.float64), torch.tensor([0, 1])
    told = []
    loss = ddpm_loss(lambda xt, t: told.append(t.tolist()) or torch.zeros_like(xt), x0, t, noise, shares)
    c.shape(loss, (2,), "the loss, one number per example")
    c.equal(told, [[0, 1]], "the model is called once, and told each example's time")
    c.close(loss, [5.0, 4.0], "a model that always says 0 pays the mean square of the noise")
    guess_x0 = ddpm_loss(lambda xt, t: torch.zeros_like(xt), x0, t, noise, shares, target="x0")
    c.close(guess_x0, [0.5, 2.0], "or of the clean example")
    identity = ddpm_loss(lambda xt, t: xt, x0, t, noise, shares)
    c.close(identity[0], ((2.6 - 3) ** 2 + (0.6 - 1) ** 2) / 2, "the model sees the noisy example")
    identity = ddpm_loss(lambda xt, t: xt, x0, t, noise, shares, target="v")
    c.close(identity[0], ((2.6 - 1.8) ** 2 + (0.6 - 0.8) ** 2) / 2, "v is (1.8, 0.8) for the first example")

# %% [markdown] role="text"
# ### 3b. An average over time (code, 2 points)
#
# The loss is noisy: every batch has other times and other noise, and the weights jitter around where they should be. So
# one keeps a second network whose weights are an **exponential moving average** of those of the first, and samples from
# that one. Write `ema_update`, which changes `ema` **in place**, and nothing else:
#
# - every parameter, trainable or not, becomes `decay` times itself plus `1 - decay` times the parameter of `model`;
# - every buffer (`ema.buffers()`, for example running means or counters) becomes a copy of that of `model`;
# - no graph is built, and the parameters of `ema` stay the same tensor objects.
#
# With `decay = 0.995` the average looks back about 200 steps. Swapped, it looks back at one.


# %% role="answer" part="3b"
def ema_update(ema: nn.Module, model: nn.Module, decay: float) -> None:
    """Move the parameters of ema towards those of model, a network of the same kind; buffers are copied."""
    ### BEGIN SOLUTION
    with torch.no_grad():
        for average, latest in zip(ema.parameters(), model.parameters(), strict=True):
            average.mul_(decay).add_(latest, alpha=1 - decay)
        for average, latest in zip(ema.buffers(), model.buffers(), strict=True):
            average.copy_(latest)
    ### END SOLUTION


# %% role="check" part="3b"
with check("3b") as c:
    model, average = nn.BatchNorm1d(1), nn.BatchNorm1d(1)  # weight 1, bias 0; buffers: running_mean 0, running_var 1
    with torch.no_grad():
        model.weight.fill_(2.0)
        model.bias.fill_(5.0)
        model.running_mean.fill_(3.0)
    ema_update(average, model, 0.9)
    c.close(average.weight, [1.1], "0.9 * 1 + 0.1 * 2")
    c.close(average.bias, [0.5], "every parameter moves: 0.9 * 0 + 0.1 * 5")
    c.close(average.running_mean, [3.0], "buffers are copied")
    c.close(model.weight, [2.0], "the model itself stays as it is")
    c.true(average.weight.grad_fn is None, "no graph is built")

# %% [markdown] role="text"
# ### Look: what the best network pays
#
# The exact model of the pinwheel is the best there is. Yet its loss is not zero. Here it is by time, next to that of a
# model that always says 0.

# %% role="run"
with experiment("what the best network pays"):
    exact = {
        "eps": eps_model,
        "x0": lambda x, t: x0_from_eps(x, t, eps_model(x, t), alpha_bar),
        "v": lambda x, t: v_from(x0_from_eps(x, t, eps_model(x, t), alpha_bar), eps_model(x, t), t, alpha_bar),
    }
    fig, axes = plt.subplots(1, 3, figsize=(11, 3), layout="constrained")
    for ax, (target, model) in zip(axes, exact.items(), strict=True):
        paid: dict[str, list[float]] = {"best": [], "always 0": []}
        for s in range(0, T, 5):
            t = torch.full((2000,), s)
            for name, guess in {"best": model, "always 0": lambda x, t: 0 * x}.items():
                paid[name].append(ddpm_loss(guess, X_2d, t, noise_2d, alpha_bar, target).mean().item())
        for (name, line), dash in zip(paid.items(), figures.DASHES, strict=False):
            ax.plot(range(0, T, 5), line, dash, label=name)
        ax.set(xlabel="t", title=f'target "{target}"', ylim=(0, None))
    axes[0].set_ylabel("mean loss")
    axes[0].legend()
    figures.show(
        fig, "The best loss on the noise falls, with one rise; that on x0 grows; that on v dips, then has a hump."
    )

# %% [markdown] role="text"
# **Look.** At small $t$, the noise is hidden: even the best guess pays nearly as much as no guess at all. At large $t$,
# the noisy example *is* the noise, and guessing it is trivial. A training loss that "looks converged" after a minute is
# an average over these two. Where, on the axis of $t$, is something to be learnt about the data?
#
# ### The network
#
# Digits need a network that sees coarse and fine structure at once. The **U-Net** (Ronneberger, Fischer and Brox, 2015)
# halves the resolution on its way down and doubles it on its way up, with shortcuts between equal sizes. Ours folds 2 x
# 2 pixels into channels first, works at 14 x 14 and 7 x 7, has attention at the coarse level, and is told the time and
# perhaps a label in every block. The weights of its last layers start at zero, so that at first each block adds no more
# than a constant to its shortcut. Read it, you will train it twice; it has 1.6 million parameters at `width=64`.


# %% role="given" id="unet"
class Block(nn.Module):
    """Two convolutions with a shortcut; in between, each channel is scaled and shifted as the embedding says."""

    def __init__(self, c_in: int, c_out: int, c_emb: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(8, c_in), nn.Conv2d(c_in, c_out, 3, padding=1)
        self.norm2, self.conv2 = nn.GroupNorm(8, c_out), nn.Conv2d(c_out, c_out, 3, padding=1)
        self.modulation = nn.Linear(c_emb, 2 * c_out)
        self.shortcut = nn.Conv2d(c_in, c_out, 1) if c_in != c_out else nn.Identity()
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        """A map (B, c_out, H, W) from x (B, c_in, H, W) and embeddings (B, c_emb)."""
        scale, shift = self.modulation(emb)[:, :, None, None].chunk(2, dim=1)
        h = self.conv1(F.silu(self.norm1(x)))
        h = F.silu(self.norm2(h) * (1 + scale) + shift)
        return self.shortcut(x) + self.conv2(h)


class Attention(nn.Module):
    """Every place of a small map (B, C, H, W) looks at every other one, with four heads."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.norm, self.qkv, self.out = nn.GroupNorm(8, c), nn.Conv2d(c, 3 * c, 1), nn.Conv2d(c, c, 1)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor) -> Tensor:
        """A map like x (B, C, H, W)."""
        B, C, H, W = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(B, 3, 4, C // 4, H * W).transpose(-1, -2).unbind(1)
        return x + self.out(F.scaled_dot_product_attention(q, k, v).transpose(-1, -2).reshape(B, C, H, W))


class UNet(nn.Module):
    """From images (B, 1, 28, 28) at times t (B,) in 0..T, with labels y (B,) or none, to tensors like them."""

    def __init__(self, width: int = 64, T: float = 1.0, n_labels: int = 10) -> None:
        super().__init__()
        a, b, e = width, 2 * width, width
        self.T, self.null = T, n_labels  # the label `null` says "none"
        self.waves = nn.Linear(1, e)
        nn.init.uniform_(self.waves.weight, 0, 60)
        nn.init.uniform_(self.waves.bias, 0, 2 * math.pi)
        self.time = nn.Sequential(nn.Linear(e, e), nn.SiLU(), nn.Linear(e, e))
        self.labels = nn.Embedding(n_labels + 1, e)
        self.first = nn.Conv2d(4, a, 3, padding=1)
        self.down = nn.ModuleList([Block(a, a, e), Block(a, a, e), Block(a, b, e)])
        self.middle = nn.ModuleList([Block(b, b, e), Attention(b), Block(b, b, e)])
        self.up = nn.ModuleList([Block(b + b, a, e), Block(a + a, a, e), Block(a + a, a, e)])
        self.last = nn.Sequential(nn.GroupNorm(8, a), nn.SiLU(), nn.Conv2d(a, 4, 3, padding=1))
        nn.init.zeros_(self.last[2].weight)

    def forward(self, x: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
        """The noise in x (B, 1, 28, 28) at times t (B,) with labels y (B,), or whatever it was trained to guess."""
        y = torch.full_like(t, self.null, dtype=torch.long) if y is None else y
        phase = t[:, None].to(x) / self.T * self.waves.weight[:, 0] + self.waves.bias  # never in half precision
        emb = F.silu(self.time(torch.sin(phase)) + self.labels(y))
        h, skips = self.first(F.pixel_unshuffle(x, 2)), []  # (B, 4, 14, 14) to (B, a, 14, 14)
        for i, block in enumerate(self.down):
            h = block(F.avg_pool2d(h, 2) if i == 2 else h, emb)  # the third works at 7 x 7
            skips.append(h)
        h = self.middle[2](self.middle[1](self.middle[0](h, emb)), emb)
        for i, block in enumerate(self.up):
            h = block(torch.cat([h, skips.pop()], dim=1), emb)
            h = F.interpolate(h, scale_factor=2) if i == 0 else h
        return F.pixel_shuffle(self.last(h), 2)


# %% role="given" id="training"
def train_network(
    net: nn.Module,
    batch_loss: Callable[[nn.Module, torch.Generator], Tensor],
    blocks: int,
    name: str,
    rate: float = 1e-3,
    steps: int = 25,
    made_by: tuple[Callable, ...] = (),
) -> tuple[nn.Module, dict[str, list[float]]]:
    """Adam on batch_loss(net, generator), a scalar, for blocks of steps; the moving average of net, and the history."""
    ema = copy.deepcopy(net).requires_grad_(False).eval()
    parts = {"net": net, "ema": ema, "optimizer": torch.optim.Adam(net.parameters(), lr=rate)}
    settings = {"blocks": blocks, "steps": steps, "rate": rate}
    by = (*made_by, train_network, batch_loss, type(net))
    run = resumable(f"checkpoints/{name}.safetensors", pack(**parts), made_by=by, settings=settings)
    unpack(run.state, **parts)
    for block in run.steps(blocks, f"{name}, blocks of {steps} steps"):
        generator, total = torch.Generator().manual_seed(block), 0.0
        for step in range(block * steps, (block + 1) * steps):
            for group in parts["optimizer"].param_groups:
                group["lr"] = rate * min(1, (step + 1) / 100, 1.03 - step / (blocks * steps))
            loss = batch_loss(net, generator)
            parts["optimizer"].zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            parts["optimizer"].step()
            ema_update(ema, net, min(0.995, (step + 1) / (step + 10)))
            total += loss.item() / steps
        run.state = pack(**parts)
        run.log(loss=total)
    return ema, run.history


# %% [markdown] role="text"
# ### Training
#
# Your loss, on digits without labels. The steps count, not the epochs: in `QUICK` mode the network sees the same 1,000
# digits again and again.
#
# > **Time.** `QUICK` (width 24, 0.23 million parameters, 400 steps of 64 digits): 62 s of one core of an Intel Xeon.
# > Full (width 64, 4,700 steps of 128, ten epochs): 8 to 12 minutes on a T4 (an estimate). Memory: under 1 GB.

# %% role="run"
with experiment("training on digits", smaller="size = 32"):
    width, size, blocks, steps = (24, 64, 16, 25) if QUICK else (64, 128, 47, 100)
    torch.manual_seed(0)
    own_net = UNet(width=width, T=T).to(here.device)
    print(f"{sum(p.numel() for p in own_net.parameters()):,} parameters")

    def digits_loss(net: nn.Module, generator: torch.Generator) -> Tensor:
        """The mean loss of a batch."""
        x0 = D_train[torch.randint(len(D_train), (size,), generator=generator).to(here.device)]
        t = torch.randint(T, (size,), generator=generator).to(here.device)
        noise = torch.randn(x0.shape, generator=generator).to(here.device)
        return ddpm_loss(net, x0, t, noise, alpha_bar).mean()

    own_unet, history = train_network(own_net, digits_loss, blocks, f"ddpm_{width}", 2e-3, steps)
    figures.curves({"training": history["loss"]}, xlabel=f"{steps} steps", ylabel="mean squared error of the noise")

# %% [markdown] role="text"
# What has it learnt? For test digits: the noisy input, the guess $\hat x_0$ from the predicted noise, and the truth.
# Columns are times.

# %% role="run"
with experiment("guesses of digits"):
    moments = [10, 40, 80, 110, 140, 160, 180, 195]
    t = torch.tensor(moments, device=here.device)
    rows = []
    for digit in D_test[2:4]:
        x0 = digit.expand(len(moments), 1, 28, 28)
        noise = torch.randn(x0.shape, generator=torch.Generator().manual_seed(4)).to(here.device)
        xt = q_sample(x0, t, noise, alpha_bar)
        with torch.no_grad():
            guess = x0_from_eps(xt, t, own_unet(xt, t), alpha_bar)
        rows += [xt, guess, x0]
    show_digits(torch.cat(rows), "noisy, guessed, true: t = 10, 40, 80, 110, 140, 160, 180, 195", columns=len(moments))

# %% [markdown] role="text"
# **Look.** Up to about $t=110$ the guess is the digit, with its details smoothed. Then it becomes a blur that could be
# several digits, and in the end the average of all of them (or, where an error in the noise is magnified thirtyfold, as
# at $t=195$, worse than that: see the sensitivities in question 2). A single guess is no sample. Many small steps will
# be.
#
# ### 3c. Weights (written, 3 points)
#
# 1. Let $p_\theta(x_{t-1}\mid x_t)=\mathcal N(\tilde\mu_t(x_t,\hat x_0),\tilde\beta_tI)$ with a guess $\hat
#    x_0(x_t,t)$. Here $t$ is the code's time again, from 0 to $T-1$, and $L_{t-1}$ is the divergence of 2d for the step
#    from $t\ge1$ to $t-1$. Show that $L_{t-1}=\tfrac12\big(\mathrm{SNR}(t-1)-\mathrm{SNR}(t)\big)\lVert x_0-\hat
#    x_0\rVert^2$, and write it as a weight $w_t$ times $\lVert\epsilon-\hat\epsilon\rVert^2$. So which weight turns the
#    bound into the simple loss, and do the early or the late times gain influence by it, compared with the bound? (Look
#    at $w_t$ for the cosine schedule.) (1 point)
# 2. Express the three simple losses (targets $x_0$, $\epsilon$, $v$) by each other: which function of the SNR relates
#    them? Why does it nevertheless matter which of them the *network* outputs? (1 point)
# 3. Show that the loss is smallest for $\hat\epsilon=\mathbb E[\epsilon\mid x_t]$. For data from $\mathcal N(0,I)$,
#    compute that predictor and its loss at time $t$. What does your answer say about reading a training curve? (1
#    point)

# %% [markdown] role="written" part="3c"
# ### BEGIN SOLUTION
# **1.** For equal variances $\mathrm{KL}=\lVert\tilde\mu_t(x_t,x_0)-\tilde\mu_t(x_t,\hat
# x_0)\rVert^2/(2\tilde\beta_t)$, and the $x_t$ part of the means cancels:
#
# $$
# L_{t-1}=\frac1{2\tilde\beta_t}\,\frac{\bar\alpha_{t-1}\beta_t^2}{(1-\bar\alpha_t)^2}\,\lVert x_0-\hat x_0\rVert^2
#  =\frac{\bar\alpha_{t-1}\beta_t}{2(1-\bar\alpha_{t-1})(1-\bar\alpha_t)}\,\lVert x_0-\hat x_0\rVert^2 .
# $$
#
# Since $\bar\alpha_{t-1}\beta_t=\bar\alpha_{t-1}-\bar\alpha_t$, the fraction is
# $\tfrac12\big(\tfrac{\bar\alpha_{t-1}}{1-\bar\alpha_{t-1}}-\tfrac{\bar\alpha_t}{1-\bar\alpha_t}\big)$ (Kingma et al.,
# *Variational diffusion models*, 2021). With $x_0-\hat x_0=-\mathrm{SNR}(t)^{-1/2}(\epsilon-\hat\epsilon)$,
#
# $$
# L_{t-1}=w_t\lVert\epsilon-\hat\epsilon\rVert^2,\qquad
# w_t=\frac12\Big(\frac{\mathrm{SNR}(t-1)}{\mathrm{SNR}(t)}-1\Big)=\frac{\beta_t}{2(1-\beta_t)(1-\bar\alpha_{t-1})} .
# $$
#
# The simple loss multiplies each term by $1/w_t$. For small $t$, $w_t$ is large (it is of order $1$, for
# $1-\bar\alpha_{t-1}$ is as small as $\beta_t$), in the middle it is of order $\beta_t$. (At the very last steps of a
# cosine schedule, where $\beta_t$ is near 1, it is larger still: 1.5 and 500.) Compared with the bound, the simple loss
# takes influence from the least noisy times, which are about imperceptible detail, and gives it to the times at which
# digits take shape.
#
# **2.** $\lVert\epsilon-\hat\epsilon\rVert^2=\mathrm{SNR}\,\lVert x_0-\hat x_0\rVert^2$. With
# $x_0=\sqrt{\bar\alpha}\,x_t-\sqrt{1-\bar\alpha}\,v$, $\lVert v-\hat v\rVert^2=\lVert x_0-\hat
# x_0\rVert^2/(1-\bar\alpha) =(1+\mathrm{SNR})\lVert x_0-\hat x_0\rVert^2$. So the three losses are weighted versions of
# one another, and their minimisers are equal. But a network's *errors* are of about the same size in whatever it
# outputs, and the outputs are turned into $\hat x_0$ with different factors: an error of the noise is divided by
# $\sqrt{\mathrm{SNR}}$, without bound at large $t$; an error of $x_0$ makes the implied noise wrong by
# $\sqrt{\mathrm{SNR}}$, without bound at small $t$; $v$ has neither problem.
#
# **3.** $\mathbb E\lVert\epsilon-f(x_t)\rVert^2=\mathbb E\lVert\epsilon-\mathbb E[\epsilon\mid x_t]\rVert^2 +\mathbb
# E\lVert\mathbb E[\epsilon\mid x_t]-f(x_t)\rVert^2$, as the mixed term vanishes when one conditions on $x_t$; only the
# second term depends on $f$. For $x_0\sim\mathcal N(0,I)$, $x_t\sim\mathcal N(0,I)$ and
# $\operatorname{Cov}(\epsilon,x_t)=\sqrt{1-\bar\alpha_t}\,I$, so $\hat\epsilon=\sqrt{1-\bar\alpha_t}\,x_t$, with loss
# $1-(1-\bar\alpha_t)=\bar\alpha_t$ per dimension. The smallest possible loss is not 0, is unknown for real data, and
# differs between times; a curve that is flat may be at its floor at most times and still improve at those that decide
# about the samples. Compare losses at *fixed times*, and only between models with one schedule.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: the weight by SNR differences, the weight on the noise, and that the simple loss moves influence away from
#   the least noisy times (to the middle; the last few cosine steps lose it as well)
# - 1 point: factors SNR and 1 + SNR; equal minimisers, but errors of outputs are magnified differently
# - 1 point: conditional mean is optimal; the predictor sqrt(1 - alpha_bar) x_t with loss alpha_bar; floors are not zero
# ### END MARK SCHEME

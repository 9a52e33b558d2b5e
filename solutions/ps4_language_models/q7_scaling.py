# %% [markdown] role="text"
# ## 7. Scaling laws (8 points)
#
# You have a budget of computation and one attempt. How large should the model be? Too small, and it stops learning
# while there is still text; too large, and it has hardly begun when the money is gone. The surprise of this question is
# that the answer can be read off runs that cost a millionth of the real one: over many orders of magnitude the loss of
# a well trained transformer follows a power law (Kaplan et al., *Scaling laws for neural language models*, 2020), and
# more exactly one with a floor (Hoffmann et al., *Training compute-optimal large language models*, 2022),
#
# $$ L(N)=E+A\,N^{-\alpha} . $$
#
# $N$ is the number of parameters, and $E$ is what no model can take away: the entropy of the text, as far as this
# amount of training text shows it.
#
# ### 7a. Counting (code, 2 points)
#
# - `count_params(cfg)`: the parameters of the GPT of question 3, from its configuration. An embedding, the same number
#   for the head (which has a matrix of its own), and for each layer four square matrices of attention, the two of the
#   MLP and two gains; then one last gain. No map has a bias, and rotary positions are computed, not learnt.
# - `train_flops(n_params, n_tokens)`: the floating-point operations of training. A parameter is one multiplication and
#   one addition per token on the way forward, and twice that on the way back: once for the gradient of its input, once
#   for its own. (What this leaves out are the products of queries with keys and of weights with values, which are few
#   where the context is much shorter than $12\,C$; and the embedding is looked up, not multiplied. Everybody counts
#   like this.)


# %% role="answer" part="7a"
def count_params(cfg: GPTConfig) -> int:
    """How many numbers GPT(cfg) learns."""
    ### BEGIN SOLUTION
    C = cfg.n_embd
    return 2 * cfg.vocab_size * C + cfg.n_layer * (12 * C * C + 2 * C) + C
    ### END SOLUTION


def train_flops(n_params: int, n_tokens: int) -> float:
    """Floating-point operations to train a model of n_params on n_tokens."""
    ### BEGIN SOLUTION
    return 6.0 * n_params * n_tokens
    ### END SOLUTION


# %% role="check" part="7a"
with check("7a") as c:
    c.equal(count_params(GPTConfig(10, 8, n_layer=1, n_head=1, n_embd=2)), 2 * 20 + 48 + 4 + 2, "a tiny GPT, by hand")
    cfg = GPTConfig(65, 64, n_layer=3, n_head=4, n_embd=96)
    c.equal(count_params(cfg), sum(p.numel() for p in GPT(cfg).parameters()), "as many as your GPT has")
    c.close(train_flops(70_000_000_000, 1_400_000_000_000), 5.88e23, "Chinchilla, 70 billion parameters")

# %% [markdown] role="text"
# ### 7b. The fit (code, 3 points)
#
# Write `fit_power_law`. It finds $E$, $A$ and $\alpha$ for which $E+AN_i^{-\alpha}$ is nearest to the losses $L_i$, in
# the sense of least squares (of the losses or of their logarithms; without noise both are exact). $N$ may come in any
# order, from thousands to billions; there are at least four different ones. $\alpha$ lies between 0.02 and 2. An
# entropy is not negative: where the best floor would be below zero, find the best law with $E=0$.
#
# It is tempting to take logarithms and fit a line. With a floor there is no line: $\log(L-E)$ is linear in $\log N$,
# but $\log L$ bends. One way that always works: *for a fixed* $\alpha$ the law is linear in $E$ and $A$, so that the
# best two are a regression of $L$ on $N^{-\alpha}$ with an intercept; then only one number is left to search for, on a
# grid which is made finer around its best point. (Divide $N$ by its geometric mean first, so that the powers stay near
# 1.) `scipy.optimize.curve_fit` or a minimiser will do as well, if you start it well.


# %% role="answer" part="7b"
def fit_power_law(N: Tensor, L: Tensor) -> tuple[float, float, float]:
    """E, A, alpha of the law E + A N ** -alpha that is nearest to the losses L (K,) of models of sizes N (K,)."""
    ### BEGIN SOLUTION
    N, L = N.double(), L.double()
    middle, low, high = N.log().mean().exp(), 0.02, 2.0
    for _ in range(7):
        alphas = torch.linspace(low, high, 101, dtype=torch.float64, device=N.device)
        x = (N / middle) ** -alphas[:, None]  # (101, K), one regression in each row
        dx = x - x.mean(1, keepdim=True)
        a = (dx * L).sum(1) / dx.square().sum(1)
        E = L.mean() - a * x.mean(1)
        a = torch.where(E < 0, (x * L).sum(1) / x.square().sum(1), a)  # then without an intercept
        E = E.clamp(min=0)
        best = (E[:, None] + a[:, None] * x - L).square().sum(1).argmin()
        width, alpha = (high - low) / 50, alphas[best].item()
        low, high = max(alpha - width, 0.01), alpha + width
    return E[best].item(), (a[best] * middle**alpha).item(), alpha
    ### END SOLUTION


# %% role="check" part="7b"
with check("7b") as c:
    sizes = torch.tensor([1e4, 1e5, 1e6, 1e7, 1e8], dtype=torch.float64)
    E, A, alpha = fit_power_law(sizes, 1.5 + 20 * sizes**-0.25)
    c.close(E, 1.5, "the floor", rtol=0.01)
    c.close(A, 20.0, "the factor", rtol=0.01)
    c.close(alpha, 0.25, "the exponent", rtol=0.01)
    E, A, alpha = fit_power_law(sizes, 20 * sizes**-0.25 - 0.1)
    c.true(0 <= E < 0.01, "losses that bend the other way: no floor is left, and none below zero")

# %% [markdown] role="text"
# **Five runs.** The cell below trains five models with widths from 8 to 128 on the same windows of text, one after the
# other, with one progress bar. The rate is constant after its warm-up, so that every point of a curve is the end of a
# run that could have stopped there.
#
# > **Time.** QUICK (200 updates of 16 x 64 characters each): about 25 s of one core of an Intel Xeon. Full (3,000
# > updates of 32 x 128): about 5 minutes on a T4 (an estimate: such small networks wait for the launches of their
# > kernels, about 20 ms per update). Memory: 1 GB.


# %% role="given" id="five-runs"
WIDTHS = (8, 16, 32, 64, 128)


def scaling_config(width: int, T: int) -> GPTConfig:
    """Two layers, heads of 16 channels at most."""
    return GPTConfig(len(chars), T, n_layer=2, n_head=max(1, width // 16), n_embd=width)


def train_sizes(T: int, B: int, steps: int, name: str, per_block: int = 20, seed: int = 0) -> tuple[list[GPT], Tensor]:
    """Five trained models, and their validation losses (5, steps / per_block) after each block of updates."""
    torch.manual_seed(seed)
    models = [GPT(scaling_config(width, T)).to(here.device) for width in WIDTHS]
    opts = [AdamW(model.parameters()) for model in models]
    parts = {f"{kind}{i}": each for kind, all_ in (("model", models), ("opt", opts)) for i, each in enumerate(all_)}
    scaler = torch.amp.GradScaler(here.device.type, enabled=sixteen_bits(here.device) is torch.float16)
    run = resumable(
        f"checkpoints/{name}.safetensors",
        pack(**parts),
        made_by=(get_batch, lm_loss, lr_at, clip_grad_, adamw_step, GPT),
        settings={"T": T, "B": B, "steps": steps, "N": len(ids_train), "seed": seed},
    )
    unpack(run.state, **parts)
    blocks = steps // per_block
    for number in run.steps(blocks * len(models), f"{name}, five models, blocks of {per_block} updates"):
        i, block = divmod(number, blocks)
        generator = torch.Generator().manual_seed(1_000_003 * seed + block)  # the same windows for all five
        for step in range(per_block * block, per_block * (block + 1)):
            for group in opts[i].param_groups:
                rate = min(1e-2, 0.3 / WIDTHS[i])
                group["lr"] = lr_at(step, rate, rate, steps // 20, steps)
            starts = window_starts(len(ids_train), T, torch.rand(B, generator=generator))
            x, y = get_batch(ids_train, B, T, starts)
            update(models[i], opts[i], scaler, x.to(here.device), y.to(here.device), 1.0)
        run.state = pack(**parts)
        run.log(val=evaluate(models[i], ids_val, T, 32))
    return models, torch.tensor(run.history["val"], dtype=torch.float64).reshape(len(models), -1)


@torch.no_grad()
def window_losses(model: GPT, ids: Tensor, T: int, windows: int) -> Tensor:
    """The mean surprise (windows,) in each of so many windows of ids (N,), evenly apart."""
    starts = window_starts(len(ids), T, (torch.arange(windows) + 0.5) / windows)
    x, y = get_batch(ids, windows, T, starts)
    rows = zip(x.to(here.device).split(16), y.to(here.device).split(16), strict=True)
    log_p = torch.cat(
        [F.log_softmax(model(some).float(), -1).gather(2, then[..., None])[..., 0] for some, then in rows]
    )
    return -log_p.mean(1).double().cpu()


# %% role="run"
with experiment("five sizes", smaller="B_scaling = 8"):
    T_scaling, B_scaling, steps_scaling = (64, 16, 200) if QUICK else (128, 32, 3000)
    scaling_models, scaling_val = train_sizes(T_scaling, B_scaling, steps_scaling, "scaling")
    sizes = torch.tensor([float(count_params(model.cfg)) for model in scaling_models], dtype=torch.float64)
    per_window = torch.stack([window_losses(model, ids_val, T_scaling, 128) for model in scaling_models])  # (5, 128)
    final = per_window.mean(1)
    E, A, alpha = fit_power_law(sizes, final)
    for size, loss in zip(sizes.tolist(), final.tolist(), strict=True):
        print(f"{size:9,.0f} parameters   {loss:.3f} nats per character")
    print(f"L(N) = {E:.3f} + {A:.3g} N^-{alpha:.3f}")

# %% [markdown] role="text"
# **How sure is the fit?** Five points, three unknowns. One source of doubt can be measured without another run: the
# losses are means over 128 windows of validation text, and another 128 would give others. The *bootstrap* (Efron, 1979)
# imitates that: draw 128 of the windows with replacement, the same ones for all models, fit again, 300 times, and draw
# the band that holds nine tenths of the laws. Another source is the law itself: leave one run out, and see where the
# fit goes.

# %% role="run"
with experiment("the law and its uncertainty"):
    generator = torch.Generator().manual_seed(0)
    grid = torch.logspace(sizes[0].log10() - 0.2, sizes[-1].log10() + 2, 120, dtype=torch.float64)
    laws, exponents = [], []
    for _ in range(300):
        chosen = torch.randint(per_window.shape[1], (per_window.shape[1],), generator=generator)
        E_b, A_b, alpha_b = fit_power_law(sizes, per_window[:, chosen].mean(1))
        laws.append(E_b + A_b * grid**-alpha_b)
        exponents.append(alpha_b)
    low, high = torch.quantile(torch.stack(laws), torch.tensor([0.05, 0.95], dtype=torch.float64), dim=0)
    few, many = np.quantile(exponents, [0.05, 0.95])
    figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
    ax.fill_between(grid, low, high, alpha=0.35, color=figures.COLOURS[4], label="90 % of bootstrap fits")
    for left_out in range(5):
        kept = [i for i in range(5) if i != left_out]
        E_k, A_k, alpha_k = fit_power_law(sizes[kept], final[kept])
        label = "one run left out" if left_out == 0 else None
        ax.plot(grid, E_k + A_k * grid**-alpha_k, ":", color="#777777", linewidth=1, label=label)
    ax.plot(grid, E + A * grid**-alpha, "-", color=figures.COLOURS[0], label=f"{E:.2f} + {A:.3g} N^-{alpha:.2f}")
    ax.plot(sizes, final, "o", color=figures.COLOURS[1], label="five runs")
    ax.axhline(E, linestyle="--", color="black", linewidth=0.8, label="the floor E")
    ax.set(
        xscale="log", xlabel="parameters N", ylabel="nats per character", ylim=(final.min() - 0.5, final.max() + 0.3)
    )
    ax.legend(fontsize=8)
    figures.show(figure, "Five losses on a falling curve with a floor; the band widens beyond the largest run.")
    print(f"alpha is {alpha:.3f}; nine of ten bootstrap fits lie between {few:.3f} and {many:.3f}")

# %% [markdown] role="text"
# ![What to expect: five losses on one falling curve, and a band that widens to the right](figures/scaling.png)
#
# These five runs read 0.6 million characters each, on a CPU; yours read twenty times as many in full mode.
#
# **Look.** Inside the range of the five runs all laws agree. How far beyond it would you trust them? Which of the two
# kinds of doubt is larger, and which run moves the fit most when it is left out? Neither band knows about a third
# doubt, that of the seed, which would need each run again.
#
# **Compute-optimal size.** The same five runs answer another question. A budget of $C=6ND$ operations buys a small
# model with much text, or a large one with little. Below, each curve is a run; at each budget the lowest curve wins.

# %% role="run"
with experiment("which size for which budget"):
    blocks = torch.arange(1, scaling_val.shape[1] + 1, dtype=torch.float64)
    tokens = blocks * (steps_scaling / scaling_val.shape[1]) * B_scaling * T_scaling  # read so far
    budgets = [train_flops(1, 1) * size * tokens for size in sizes]
    figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
    marks = zip(budgets, scaling_val, sizes.tolist(), "os^Dv", strict=True)
    for budget, losses, size, mark in marks:
        ax.plot(budget, losses, f"-{mark}", markersize=3, linewidth=1, label=f"{size:,.0f} parameters")
    ax.set(xscale="log", xlabel="operations 6 N D", ylabel="validation, nats per character", ylim=(None, 3.4))
    ax.legend(fontsize=8)
    figures.show(
        figure, "Five falling curves, the smaller model's further left; in long runs they cross, and the larger wins."
    )
    for exponent in torch.arange(budgets[1][0].log10().ceil().item(), budgets[-1][-1].log10().item(), 0.5):
        runs = zip(budgets, scaling_val, sizes.tolist(), strict=True)
        reached = [(losses[budget <= 10**exponent], size) for budget, losses, size in runs]
        loss, size = min((losses.min().item(), size) for losses, size in reached if len(losses))
        print(f"10^{exponent:.1f} operations: best with {size:9,.0f} parameters, {loss:.2f} nats")

# %% [markdown] role="text"
# ![What to expect: five falling curves; short runs end just before they cross](figures/budgets.png)
#
# These are the same short runs. Those of full mode go on to the right: there the curves cross, and a larger model
# wins at a larger budget.
#
# **Look.** Draw the lower envelope of all curves in your mind. How does the winning size grow when the budget grows a
# hundredfold? Hoffmann et al. found $N\propto C^{0.5}$, so that text and parameters should grow alike. Why does the
# largest model look so bad on the left, and why would this picture be unfair to a run that is stopped early, if its
# rate fell along a cosine?
#
# ### 7c. The law of a budget (written, 3 points)
#
# Let the loss depend on parameters and tokens as $L(N,D)=E+A\,N^{-\alpha}+B\,D^{-\beta}$, with a budget $C=6ND$.
#
# 1. Find the size $N^\star(C)$ that minimises the loss, and the exponents with which $N^\star$ and $D^\star$ grow.
#    Evaluate them for $\alpha=0.34$ and $\beta=0.28$ (Hoffmann et al., section 3.3). In which ratio do the two
#    avoidable parts of the loss stand at the optimum? (1.5 points)
# 2. Somebody fits a line to $\log L$ against $\log N$. Which slope does the law have at $N$, in terms of $\alpha$, $E$
#    and $L$? So does the line's slope over- or underestimate $\alpha$, and does it promise too much or too little far
#    beyond the data? (0.75 points)
# 3. Your five runs read the same number of tokens. What is the floor of your fit, in terms of the law above? What would
#    happen to it if the runs were longer? And if the largest model had read the text forty times? (0.75 points)

# %% [markdown] role="written" part="7c"
# ### BEGIN SOLUTION
# **1.** With $D=C/(6N)$ the loss is $E+AN^{-\alpha}+B(6N/C)^\beta$. The derivative vanishes where
# $\alpha AN^{-\alpha}=\beta B(6N/C)^\beta$, that is
#
# $$ N^\star=\Big(\frac{\alpha A}{\beta B}\Big)^{\frac1{\alpha+\beta}}
# \Big(\frac C6\Big)^{\frac\beta{\alpha+\beta}},\qquad
# D^\star=\frac C{6N^\star}\propto C^{\frac\alpha{\alpha+\beta}} . $$
#
# It is the minimum, since the first term falls and the second rises with $N$ and both are convex in $\log N$. The
# exponents are $0.28/0.62\approx0.45$ for $N$ and $0.34/0.62\approx0.55$ for $D$: nearly equal, a little more for the
# text. The condition says that the parts stand in the ratio $AN^{-\alpha}:BD^{-\beta}=\beta:\alpha$, at every budget.
#
# **2.** $\frac{d\log L}{d\log N}=\frac{-\alpha AN^{-\alpha}}L=-\alpha\,\frac{L-E}L=-\alpha\big(1-\frac EL\big)$. Its
# size is smaller than $\alpha$ and falls to 0 as $L$ approaches $E$: the line underestimates $\alpha$. Yet far beyond
# the data it promises too much: it goes on to zero loss, while the law stays above $E$. The curve is convex in the
# logarithms and leaves the line upwards.
#
# **3.** At a fixed $D$ the floor is $E+BD^{-\beta}$: the entropy of the text plus what a model of any size cannot learn
# from so few tokens. Longer runs on new text lower it towards $E$. Reading the same text again is not new text: after a
# few readings $D$ does not grow any more in the sense of the law, and the large model learns the text by heart, so that
# its validation loss rises and the points leave the law altogether.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 0.5 points: the condition for the minimum under the budget
# - 0.5 points: the optimal size with both exponents
# - 0.5 points: 0.45 and 0.55, and the constant ratio beta to alpha
# - 0.5 points: the local slope -alpha (1 - E / L)
# - 0.25 points: underestimates the exponent and yet promises too much far out
# - 0.5 points: the floor is E + B D ** -beta, which longer runs on new text lower
# - 0.25 points: repeated text is not new text: overfitting takes the points off the law
# ### END MARK SCHEME

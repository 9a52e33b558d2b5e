# %% [markdown] role="text"
# ## 5. Training (14 points)
#
# A transformer that has not been trained is an expensive way to draw letters at random. What turns it into a model of
# English is a loop of five lines: take windows of text, predict each next token, measure the surprise, follow the
# gradient, repeat. You write each line's function yourself, down to the optimizer, and then you let the loop run on
# your own GPT.
#
# Nothing here is deep, and everything here can be wrong without a message. Targets that are shifted twice, a loss that
# counts padding, a clip that rescales every gradient, a decay inside the adaptive step: each of them trains, the curve
# falls, and the model is worse than it could be.
#
# ### 5a. Windows of text (code, 2 points)
#
# Training data is one long sequence of tokens $x_0,\dots,x_{N-1}$. An example is a *window* of $T$ tokens together with
# its targets, the same window one token further: the target at each place is the token that comes next. So one window
# asks $T$ questions at once, with contexts of lengths 1 to $T$, and a causal model answers them in one pass.
#
# - `window_starts(N, T, u)`: where windows begin. For uniform numbers $u\in[0,1)$ it returns whole numbers such that
#   every place at which a window *and its last target* fit has the same share of $[0,1)$, in their order: $u=0$ gives
#   the first place, and $u$ just below 1 the last (mind the rounding of single precision, where N is large). How many
#   places are there? For $N=5$, $T=3$ there are two.
# - `get_batch(ids, B, T, starts)`: the B windows `x` and targets `y`, both (B, T), that begin at `starts` (B,).
#
# One or two lines each.


# %% role="answer" part="5a"
def window_starts(N: int, T: int, u: Tensor) -> Tensor:
    """Starts (B,) int64 of windows of T tokens with their targets in N tokens, from uniform numbers u (B,)."""
    ### BEGIN SOLUTION
    return (u * (N - T)).long()
    ### END SOLUTION


def get_batch(ids: Tensor, B: int, T: int, starts: Tensor) -> tuple[Tensor, Tensor]:
    """Windows x and next tokens y, both (B, T) int64, of the tokens ids (N,) from the places starts (B,) on."""
    ### BEGIN SOLUTION
    windows = ids[starts[:, None] + torch.arange(T + 1, device=ids.device)]  # (B, T + 1)
    return windows[:, :-1], windows[:, 1:]
    ### END SOLUTION


# %% role="check" part="5a"
with check("5a") as c:
    x, y = get_batch(torch.tensor([10, 11, 12, 13, 14, 15]), 2, 3, torch.tensor([2, 0]))
    c.shape(x, (2, 3), "x")
    c.equal(x.tolist(), [[12, 13, 14], [10, 11, 12]], "the windows that begin at places 2 and 0")
    c.equal(y.tolist(), [[13, 14, 15], [11, 12, 13]], "the targets are one token further")
    starts = window_starts(5, 3, torch.tensor([0.0, 0.49, 0.51, 0.99]))
    c.dtype(starts, torch.int64, "starts")
    c.equal(starts.tolist(), [0, 0, 1, 1], "in five tokens, a window of three with its targets fits in two places")

# %% [markdown] role="text"
# ### 5b. The loss (code, 3 points)
#
# The surprise at a token is $-\log p_\theta(x_{t+1}\mid x_{\le t})$ in nats. The loss of a batch is the mean over *all*
# its tokens. Not all of them always count: in a batch of texts of different lengths the short ones are padded, and in a
# dialogue only the answers should be learnt. Targets that do not count carry a mark, the number `ignore_index`,
# whatever it is (also a number below V, such as that of a padding token), and the mean is over the others. (At least
# one counts.)
#
# Write `lm_loss`. The targets come from `get_batch` and are shifted already. Logits may be large: use `log_softmax`,
# `logsumexp` or `cross_entropy`, and never the logarithm of a softmax. A few lines, or one.


# %% role="answer" part="5b"
def lm_loss(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
    """Mean surprise in nats, a scalar, of targets (B, T) under logits (B, T, V); those of ignore_index do not count."""
    ### BEGIN SOLUTION
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=ignore_index)
    ### END SOLUTION


# %% role="check" part="5b"
with check("5b") as c:
    three_to_one = torch.tensor([3.0, 1.0]).log().expand(1, 4, 2)  # probabilities 3/4 and 1/4 at each of four places
    c.close(lm_loss(three_to_one, torch.tensor([[0, 0, 0, 0]])), math.log(4 / 3), "four tokens of probability 3/4")
    c.close(lm_loss(three_to_one, torch.tensor([[1, 0, 1, 0]])), math.log(16 / 3) / 2, "two of them, and two of 1/4")
    ignored = lm_loss(three_to_one, torch.tensor([[1, -100, -100, -100]]))
    c.close(ignored, math.log(4), "three targets that do not count: the mean over the one that does")
    c.close(lm_loss(torch.zeros(2, 3, 65), torch.ones(2, 3).long()), math.log(65), "a model that knows nothing: ln V")

# %% [markdown] role="text"
# ### 5c. The learning rate (code, 2 points)
#
# Large steps are good in the middle. At the start they are not: the optimizer's statistics are those of a few batches,
# and the network is in a steep place. At the end they are not either: steps of one length cannot settle. The usual
# schedule goes up linearly and down along half a cosine (Loshchilov and Hutter, *SGDR*, 2017). Let $n$ be the number of
# the update, counted from 1, with $w$ updates of warm-up out of $S$:
#
# $$ \eta_n=\begin{cases}\eta_\text{max}\,n/w & n\le w\\[2pt] \eta_\text{min}+\tfrac12(\eta_\text{max}-\eta_\text{min})
# \big(1+\cos\pi\,\tfrac{n-w}{S-w}\big) & w<n\le S\\[2pt] \eta_\text{min} & n>S .\end{cases} $$
#
# So update $w$ is the first with the full rate, and update $S$ the first with the least. Write `lr_at(step, ...)`,
# where `step` counts from 0 as a `for` loop does: $n=\text{step}+1$. The warm-up may be empty, $w=0$.


# %% role="answer" part="5c"
def lr_at(step: int, max_lr: float, min_lr: float, warmup: int, total: int) -> float:
    """Learning rate of the update with the number step, counted from 0: linear warm-up, then half a cosine."""
    ### BEGIN SOLUTION
    n = step + 1
    if n <= warmup:
        return max_lr * n / warmup
    if n >= total:
        return min_lr
    return min_lr + 0.5 * (max_lr - min_lr) * (1 + math.cos(math.pi * (n - warmup) / (total - warmup)))
    ### END SOLUTION


# %% role="check" part="5c"
with check("5c") as c:
    rates = torch.tensor([lr_at(step, 1.0, 0.1, 4, 12) for step in range(15)])
    c.close(rates[:4], [0.25, 0.5, 0.75, 1.0], "four updates of warm-up, and the fourth has the full rate")
    c.close(rates[7], 0.55, "half way down the cosine")
    c.close(rates[11:], [0.1] * 4, "the last update has the least rate, and it stays")
    c.close(lr_at(0, 1.0, 0.0, 0, 2), 0.5, "without warm-up the cosine begins at once")

# %% [markdown] role="text"
# ### 5d. Clipping (code, 2 points)
#
# Now and then a batch has a gradient a hundred times larger than usual, and one step along it undoes the work of many.
# The remedy (Pascanu, Mikolov and Bengio, 2013) limits the length of the *whole* gradient, all parameters taken as one
# vector $g$: if $\lVert g\rVert_2>c$, it becomes $g\cdot c/\lVert g\rVert_2$. Its direction does not change. If it is
# not too long, *nothing* happens, not even a rounding error.
#
# Write `clip_grad_`. It changes the gradients `p.grad` in place (hence the underscore) and returns the norm that
# there was before. `params` is any iterable, also one that can be walked through only once, as `model.parameters()` is;
# parameters that took no part have `p.grad is None`. At least one took part, and gradients are finite.


# %% role="answer" part="5d"
def clip_grad_(params: Iterable[Tensor], max_norm: float) -> float:
    """Shorten the gradients of params in place so that together their norm is at most max_norm; the norm before."""
    ### BEGIN SOLUTION
    grads = [p.grad for p in params if p.grad is not None]
    total_norm = torch.stack([g.norm() for g in grads]).norm().item()
    if total_norm > max_norm:
        for g in grads:
            g.mul_(max_norm / total_norm)
    return total_norm
    ### END SOLUTION


# %% role="check" part="5d"
with check("5d") as c:
    a, b, unused = (torch.zeros(size, requires_grad=True) for size in (2, 1, 3))
    a.grad, b.grad = torch.tensor([2.0, 4.0]), torch.tensor([4.0])
    c.close(clip_grad_([a, b, unused], 10.0), 6.0, "the norm of (2, 4, 4)")
    c.equal([*a.grad.tolist(), *b.grad.tolist()], [2.0, 4.0, 4.0], "below the limit nothing changes")
    c.close(clip_grad_([a, b, unused], 3.0), 6.0, "the norm that is returned is the one before")
    c.close(torch.cat([a.grad, b.grad]), [1.0, 2.0, 2.0], "above the limit all shrink by one factor")

# %% [markdown] role="text"
# ### 5e. AdamW (code, 3 points)
#
# Gradients of different parameters have different sizes; those of a rare token's embedding are zero most of the time.
# **Adam** (Kingma and Ba, 2015) gives each parameter its own step, from running means of the gradient and of its
# square. **AdamW** (Loshchilov and Hutter, 2019) lets parameters decay *beside* that, not through it. With $m=v=0$
# before the first step, and $t$ counted from 1,
#
# $$ m\leftarrow\beta_1m+(1-\beta_1)\,g,\qquad v\leftarrow\beta_2v+(1-\beta_2)\,g^2, $$
#
# $$ p\leftarrow p-\eta\,\lambda\,p-\eta\,\frac{m/(1-\beta_1^t)}{\sqrt{v/(1-\beta_2^t)}+\epsilon} , $$
#
# where the $p$ on the right is the old one, both times. All operations are element by element.
#
# Write `adamw_step` for one parameter. It changes `p`, `m` and `v` **in place**, as a training loop holds on to these
# tensors, and leaves `g` alone. `p` may require gradients, but a step is not to be differentiated: the function is
# under `torch.no_grad()`.


# %% role="answer" part="5e"
@torch.no_grad()
def adamw_step(
    p: Tensor,
    g: Tensor,
    m: Tensor,
    v: Tensor,
    t: int,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.95),
    eps: float = 1e-8,
    weight_decay: float = 0.1,
) -> None:
    """Step t (counted from 1) of AdamW with gradient g: p and its moments m and v, of one shape, change in place."""
    ### BEGIN SOLUTION
    m.lerp_(g, 1 - betas[0])
    v.mul_(betas[1]).addcmul_(g, g, value=1 - betas[1])
    p.mul_(1 - lr * weight_decay)
    p.addcdiv_(m, v.div(1 - betas[1] ** t).sqrt_().add_(eps), value=-lr / (1 - betas[0] ** t))
    ### END SOLUTION


# %% role="check" part="5e"
with check("5e") as c:
    p, m, v = torch.tensor([1.0, -2.0], dtype=torch.float64), *torch.zeros(2, 2, dtype=torch.float64)
    adamw_step(p, torch.tensor([0.5, 0.001], dtype=torch.float64), m, v, 1, 0.1, weight_decay=0.0)
    c.close(p, [0.9, -2.1], "a first step has the length lr, whatever the size of the gradient", atol=1e-5)
    c.close(m, [0.05, 0.0001], "m is a tenth of the gradient")
    c.close(v, [0.0125, 5e-8], "v is a twentieth of its square")
    p = torch.tensor([1.0, -2.0], dtype=torch.float64)
    adamw_step(p, torch.zeros_like(p), torch.zeros_like(p), torch.zeros_like(p), 1, 0.1, weight_decay=0.5)
    c.close(p, [0.95, -1.9], "without a gradient, only the decay: p loses the share lr times weight_decay")

# %% [markdown] role="text"
# **Look: steps on a long valley.** The function $\frac12(x^2+100\,y^2)$ is a hundred times steeper across than along.
# Plain gradient steps must be small enough for the steep direction, and crawl in the other. AdamW steps with the
# same learning rate for both.

# %% role="run"
with experiment("a valley"):
    scales = torch.tensor([1.0, 100.0], dtype=torch.float64)
    paths = {"gradient steps of 0.019": [torch.tensor([-3.0, 1.0], dtype=torch.float64)]}
    for _ in range(60):
        x = paths["gradient steps of 0.019"][-1]
        paths["gradient steps of 0.019"].append(x - 0.019 * scales * x)
    for title, decay in (("AdamW, lr 0.1", 0.0), ("AdamW, lr 0.1, weight decay 1", 1.0)):
        x, m, v = torch.tensor([-3.0, 1.0], dtype=torch.float64), *torch.zeros(2, 2, dtype=torch.float64)
        paths[title] = [x.clone()]
        for t in range(1, 61):
            adamw_step(x, scales * x, m, v, t, 0.1, weight_decay=decay)
            paths[title].append(x.clone())
    figure, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
    along, across = torch.linspace(-3.3, 0.8, 100), torch.linspace(-1.2, 1.2, 60)
    ax.contour(
        along, across, (0.5 * (along**2 + 100 * across[:, None] ** 2)).sqrt(), 12, colors="#bbbbbb", linewidths=0.8
    )
    for (title, path), mark in zip(paths.items(), ("-o", "--s", "-.^"), strict=True):
        ax.plot(*torch.stack(path).T, mark, markersize=3, linewidth=1, label=title)
    ax.legend(loc="lower right", fontsize=8)
    ax.set(xlabel="x", ylabel="y")
    figures.show(figure, "Gradient steps zigzag along the valley; AdamW goes diagonally down and reaches the end.")

# %% [markdown] role="text"
# **Look.** Adam's first steps go along the diagonal, $(\pm1,\pm1)$: why? It overshoots the valley's floor, gently. What
# has the weight decay done to the path, and where would it end if the valley's floor were not at zero?
#
# ### 5f. Two questions on AdamW (written, 2 points)
#
# 1. *Bias correction.* Let the gradient be the same number $g\ne0$ at every step, and neglect $\epsilon$ and the decay.
#    Show that every step of Adam is then $-\eta\,\mathrm{sign}(g)$. What is the first step without the two denominators
#    $1-\beta^t$, for $\beta=(0.9,0.95)$ and for $(0.9,0.999)$? What would a warm-up do about it? (1 point)
# 2. *Decoupling.* Adding $\frac\lambda2\lVert p\rVert^2$ to the loss adds $\lambda p$ to the gradient, and for plain
#    gradient steps that is weight decay. For Adam it is not. Let $p$ have gradients that are noise with standard
#    deviation $\sigma$ and mean zero, with $\lambda|p|\ll\sigma$, long after the start. By which factor does $p$ shrink
#    per step, on average, with $\lambda p$ inside the gradient, and with decoupled decay? Which parameters are
#    regularised less in the first case, and after how many steps of decoupled decay has a parameter without gradient
#    lost half of its size, for $\eta=10^{-3}$ and $\lambda=0.1$? (1 point)

# %% [markdown] role="written" part="5f"
# ### BEGIN SOLUTION
# **1.** With a constant gradient $m_t=(1-\beta_1)g\sum_{i<t}\beta_1^i=(1-\beta_1^t)g$ and $v_t=(1-\beta_2^t)g^2$. The
# denominators cancel exactly: the step is $-\eta g/\sqrt{g^2}=-\eta\,\mathrm{sign}(g)$ at every $t$. Without them the
# first step is
# $-\eta\frac{(1-\beta_1)g}{\sqrt{(1-\beta_2)g^2}}=-\eta\frac{1-\beta_1}{\sqrt{1-\beta_2}}\mathrm{sign}(g)$: a factor of
# $0.1/\sqrt{0.05}\approx0.45$ for 0.95, but $0.1/\sqrt{0.001}\approx3.2$ for 0.999. With 0.999 the squares' mean is so
# much slower to rise than the gradients' mean that early steps are several times too long; with 0.95 the first few are
# too short, and later ones at most a tenth too long. A warm-up makes the first rates small and hides the long steps,
# which is a reason why the mistake is not noticed.
#
# **2.** Inside the gradient: $m$ has the mean $\lambda p$ (the noise has none), and $\sqrt v\approx\sigma$, so on
# average $p\leftarrow p-\eta\lambda p/\sigma$, a factor of $1-\eta\lambda/\sigma$. Decoupled: $1-\eta\lambda$, whatever
# the gradients are. With the penalty inside, parameters with large gradients shrink less, those with small gradients
# shrink more: the adaptive denominator, made to give all parameters steps of one size, takes the regularisation of the
# busiest ones away. Half: $(1-10^{-4})^n=\frac12$ gives $n=\ln2\cdot10^4\approx6{,}900$ steps.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 0.5 points: both running means of a constant gradient, and that their corrections give a step of length lr
# - 0.5 points: the two factors, about 0.45 and 3.2, and that small first rates hide the long steps
# - 0.5 points: the factors 1 - lr lambda / sigma and 1 - lr lambda, with the reason
# - 0.5 points: parameters with large gradients are regularised less; about 6,900 steps
# ### END MARK SCHEME

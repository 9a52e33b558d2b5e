# %% [markdown] role="text"
# ## 7. Lipschitz critics (12 points)
#
# In 5c two numbers stood still while the generator was far away: JSD and TV do not care *how* far apart two
# distributions are. The **Wasserstein distance** does. It is the least work that turns $q$ into $p$, mass times
# distance, and by Kantorovich and Rubinstein's duality it is also the best score that a *slow* function can reach:
#
# $$
# W_1(p,q)=\inf_{\pi}\;\mathbb E_{(x,y)\sim\pi}\lVert x-y\rVert
# =\sup_{\lvert f(x)-f(y)\rvert\le\lVert x-y\rVert}\;\mathbb E_{x\sim p}f(x)-\mathbb E_{y\sim q}f(y),
# $$
#
# where $\pi$ runs over all joint distributions with marginals $p$ and $q$. Up to the sign, the supremum is the minimum
# of your loss `"wasserstein"`, with one condition: the critic must be **1-Lipschitz**. Without it the loss has no
# minimum (multiply the critic by 10). How do you keep a network slow? Arjovsky, Chintala and Bottou (2017) clipped
# every weight to $[-c,c]$ after every step and called it "a clearly terrible way". You build the two ways that replaced
# it.

# %% [markdown] role="text"
# ### 7a. The gradient penalty (code, 4 points)
#
# The best critic has a gradient of length one along the way from fakes to data (you prove it in 7d). Gulrajani et al.
# (NeurIPS 2017, eq. 3) ask for just that, at random points on the way: for each pair of examples
#
# $$
# \hat x_n=\alpha_nx_n+(1-\alpha_n)\tilde x_n,\qquad
# \text{penalty}_n=\big(\lVert\nabla_{\hat x}D(\hat x_n)\rVert-1\big)^2,
# $$
#
# with $x_n$ real, $\tilde x_n$ fake and $\alpha_n\in[0,1]$. Write `gradient_penalty`, one number per example; the
# training cell adds up to 10 times its mean to $D$'s loss. Four things go wrong here, and all four still train:
#
# * `alpha` is (B,), **one number per example**: every pixel of an image moves the same part of the way. Examples are
#   vectors (B, D) or images (B, C, H, W); give `alpha` the dimensions that it needs.
# * The **norm** is over *all* numbers of an example: channels, rows and columns together.
# * The penalty is trained, so it needs the *derivative of a derivative*: `create_graph=True`.
# * You want the gradient with respect to $\hat x$ only. `torch.autograd.grad` returns it; `.backward()` would leave
#   gradients in $D$'s parameters.
#
# $D$ returns (B,) or (B, 1), and each example's logit depends on that example alone, so that one call of
# `torch.autograd.grad` for the sum gives all gradients. Where a critic is flat, its gradient is 0 and so is its norm,
# and $\sqrt{\cdot}$ has no derivative there: make sure that $D$'s gradient does not become NaN. Expect about 5 lines.


# %% role="answer" part="7a"
def gradient_penalty(D: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, alpha: Tensor) -> Tensor:
    """(|gradient of D| - 1)^2, (B,), at alpha * real + (1 - alpha) * fake; real, fake (B, ...), alpha (B,)."""
    ### BEGIN SOLUTION
    alpha = alpha.reshape(-1, *[1] * (real.ndim - 1))
    between = (alpha * real + (1 - alpha) * fake).requires_grad_()
    (slope,) = torch.autograd.grad(D(between).sum(), between, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square()
    ### END SOLUTION


# %% role="check" part="7a"
with check("7a") as c:
    w = torch.tensor([3.0, 4.0], dtype=torch.float64, requires_grad=True)
    real = torch.tensor([[1.0, 1.0], [2.0, 0.0], [0.0, 0.0]], dtype=torch.float64)
    alpha = torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64)
    penalty = gradient_penalty(lambda x: x @ w, real, 0 * real, alpha)
    c.shape(penalty, (3,), "the penalty")
    c.close(penalty.detach(), [16.0] * 3, "a linear critic has the slope |w| everywhere: (5 - 1)^2")
    c.close(torch.autograd.grad(penalty.mean(), w)[0], [4.8, 6.4], "and its derivative by w is 2 (|w| - 1) w / |w|")
    bowl = gradient_penalty(lambda x: x.square().sum(dim=1) / 2, 0 * real + 3, 0 * real - 2, alpha)
    ends_and_middle = [(0.5**0.5 - 1) ** 2, (8**0.5 - 1) ** 2, (18**0.5 - 1) ** 2]
    c.close(bowl.sort().values, ends_and_middle, "a bowl, at both ends and half way")
    flat = gradient_penalty(lambda x: (0 * x) @ w, real, real, alpha)
    c.finite(torch.autograd.grad(flat.mean(), w)[0], "the derivative for a flat critic")
    c.true(w.grad is None, "no gradient is left behind in the critic")
    images = torch.zeros(2, 3, 4, 5)
    c.close(gradient_penalty(lambda x: x.sum(dim=(1, 2, 3)), images, images, torch.rand(2)), [(60**0.5 - 1) ** 2] * 2,
            "the norm is over channels, rows and columns")  # fmt: skip

# %% [markdown] role="text"
# ### 7b. The largest singular value (code, 2 points)
#
# The second way needs no data. A linear layer $x\mapsto Wx+b$ stretches no vector by more than $\sigma(W)$, its largest
# singular value. Divide $W$ by it, and the layer is 1-Lipschitz; a chain of such layers with ReLUs between them is, too
# (**spectral normalisation**, Miyato et al., ICLR 2018).
#
# An SVD in every step is too slow. **Power iteration** needs two products per round: starting from a vector $u$, repeat
#
# $$
# v\leftarrow\frac{W^\top u}{\lVert W^\top u\rVert},\qquad u\leftarrow\frac{Wv}{\lVert Wv\rVert},
# \qquad\text{and finally}\quad\sigma=u^\top Wv .
# $$
#
# Write `power_iteration` for $W$ (M, N) and $u$ (M,). Do `n_steps` $\ge1$ rounds in this order. Return `(sigma, u, v)`.
# The vectors are treated as **constants**: $u$ and $v$ carry no graph, but $\sigma$ is differentiable in $W$. (Its
# gradient is then $uv^\top$, which at the fixed point is the true gradient of the singular value. Do not change `u`
# in place.)


# %% role="answer" part="7b"
def power_iteration(W: Tensor, u: Tensor, n_steps: int) -> tuple[Tensor, Tensor, Tensor]:
    """The largest singular value of W (M, N) and its vectors u (M,), v (N,), after n_steps rounds from u (M,)."""
    ### BEGIN SOLUTION
    with torch.no_grad():
        for _ in range(n_steps):
            v = F.normalize(W.T @ u, dim=0)
            u = F.normalize(W @ v, dim=0)
    return u @ W @ v, u, v
    ### END SOLUTION


# %% role="check" part="7b"
with check("7b") as c:
    W = torch.tensor([[3.0, 0.0, 0.0], [0.0, 1.0, 0.0]], dtype=torch.float64, requires_grad=True)
    start = torch.tensor([1.0, 1.0], dtype=torch.float64)
    sigma, u, v = power_iteration(W, start, 1)
    c.shape(u, (2,), "u")
    c.shape(v, (3,), "v")
    c.close(v, [3 / 10**0.5, 1 / 10**0.5, 0.0], "v after one round")
    c.close(sigma.detach(), (82 / 10) ** 0.5, "sigma after one round: not yet 3")
    c.close(power_iteration(W, start, 30)[0].detach(), 3.0, "sigma after 30 rounds")
    c.close(start, [1.0, 1.0], "the start is left as it was")
    c.true(not u.requires_grad and not v.requires_grad, "the vectors carry no graph")
    if c.true(sigma.requires_grad, "sigma can be differentiated by W"):
        c.close(torch.autograd.grad(sigma, W)[0], torch.outer(u, v), "and its derivative is u v^T")

# %% [markdown] role="text"
# ### 7c. A spectrally normalised layer (code, 3 points)
#
# Between two steps of training $W$ changes little, so the $u$ of the last step is an excellent start for the next one:
# **one round per forward pass** suffices. The layer remembers $u$ and $v$ as *buffers*
# (`self.register_buffer`): they are saved with the layer and move to the GPU with it, but no optimizer touches them.
#
# Write `class SNLinear(nn.Module)`:
#
# * `SNLinear(in_features, out_features)` has exactly two parameters, `weight` (out, in) and `bias` (out,), initialised
#   as you like (as in `nn.Linear`, for instance), and two buffers, `u` (out,) and `v` (in,): what 10 rounds of
#   your `power_iteration` make of a random start.
# * `forward(x)` returns $x\,(W/\sigma)^\top+b$. The bias is not divided.
# * In **training mode**, each forward pass does one round of power iteration from the stored $u$, stores the new $u$
#   and $v$, and uses the new $\sigma$.
# * In **evaluation mode** (`self.training` is False) nothing is stored: $\sigma=u^\top Wv$ with the stored vectors.
#   A layer that changes while you evaluate it gives two answers to one question.
# * In both modes the gradient flows through $\sigma$ as well: multiplying $W$ by a number changes nothing, and the
#   gradient has to know it.


# %% role="answer" part="7c"
class SNLinear(nn.Module):
    """x (B, in_features) to (B, out_features), by a weight whose largest singular value is 1, and a bias."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        layer = nn.Linear(in_features, out_features)
        self.weight, self.bias = layer.weight, layer.bias
        _, u, v = power_iteration(self.weight, torch.randn(out_features), 10)
        self.register_buffer("u", u)
        self.register_buffer("v", v)
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """The layer's outputs (B, out_features); in training mode, u and v take one round of power iteration."""
        ### BEGIN SOLUTION
        if self.training:
            sigma, u, v = power_iteration(self.weight, self.u, 1)
            self.u.copy_(u)
            self.v.copy_(v)
        else:
            sigma = self.u @ self.weight @ self.v
        return F.linear(x, self.weight / sigma, self.bias)
        ### END SOLUTION


# %% role="check" part="7c"
with check("7c") as c:
    torch.manual_seed(0)
    layer = SNLinear(3, 2)
    c.equal(sorted(name for name, _ in layer.named_parameters()), ["bias", "weight"], "two parameters")
    c.equal(sorted(name for name, _ in layer.named_buffers()), ["u", "v"], "two buffers")
    for _ in range(50):
        layer(torch.zeros(1, 3))
    layer.eval()
    stretched = (layer(torch.eye(3)) - layer(torch.zeros(1, 3))).detach()
    c.close(torch.linalg.svdvals(stretched)[0], 1.0, "the largest stretch is exactly 1", rtol=1e-3)
    with torch.no_grad():  # a weight that is new to the layer
        layer.weight.copy_(torch.tensor([[3.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
        layer.bias.fill_(2.0)
        layer.u.copy_(torch.tensor([0.6, 0.8]))
    _, u, v = power_iteration(layer.weight, torch.tensor([0.6, 0.8]), 1)
    layer.train()(torch.zeros(1, 3))
    c.close(layer.u, u, "a pass in training is one round, and stores u")
    c.close(layer.v, v, "and v")
    c.close(layer.eval()(torch.zeros(1, 3)), [[2.0, 2.0]], "the bias is not divided")
    c.close(layer.u, u, "a pass in evaluation changes nothing")
    for word, mode in (("training", layer.train), ("evaluation", layer.eval)):
        (slope,) = torch.autograd.grad(mode()(torch.ones(1, 3)).sum(), layer.weight)
        along = (slope * layer.weight).sum()  # the derivative by a number that multiplies the weight
        c.close(along, 0.0, f"{word}: the gradient knows that the weight's length does not count", atol=1e-5)

# %% [markdown] role="text"
# ### Look: three critics against the truth
#
# On the line the best critic is known. The cheapest transport moves mass over a point $x$ to the right or to the left
# depending on which cumulative distribution is ahead, and the critic's slope is $+1$ or $-1$ accordingly:
# $f'(x)=\operatorname{sign}(Q(x)-P(x))$, and $W_1=\int\lvert P(x)-Q(x)\rvert\,dx$. Data sit in two heaps, fakes in one
# between them. Below are a clipped critic, one with your gradient penalty and one of your `SNLinear` layers, the same
# size and number of steps, all trained with your `d_loss`. (The weight of the penalty grows from 0 to 10 in the first
# half of the steps. A slope of -1 that should be +1 has to pass through 0 on its way, where the penalty is largest;
# with the full weight from the start, the critic on a line often keeps the wrong sign. Try it.)
#
# > **Time.** `QUICK` (three critics of 400 steps): 2 s on one core of a busy AMD EPYC (measured). Full (3,000 steps):
# > about 15 s there or on a T4 (estimates). Memory is negligible.


# %% role="run"
def heaps(n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Real points (n, 1) around -2 and 1.5, fakes (n, 1) around 0."""
    side = torch.rand(n, 1, generator=generator) < 0.4
    real = torch.where(side, -2.0, 1.5) + 0.25 * torch.randn(n, 1, generator=generator)
    return real, 0.25 * torch.randn(n, 1, generator=generator)


def train_critic(way: str, steps: int, width: int = 32) -> nn.Module:
    """A critic of three linear layers on the heaps, kept slow in one of three ways."""
    torch.manual_seed(0)
    linear = SNLinear if way == "spectral" else nn.Linear
    D = nn.Sequential(linear(1, width), nn.LeakyReLU(0.2), linear(width, width), nn.LeakyReLU(0.2), linear(width, 1))
    optimizer, generator = torch.optim.Adam(D.parameters(), lr=2e-3, betas=(0.5, 0.9)), torch.Generator().manual_seed(0)
    for i in range(steps):
        real, fake = heaps(128, generator)
        loss = d_loss(D(real), D(fake), "wasserstein")
        if way == "penalty":
            strength = 10 * min(1.0, 2 * i / steps) ** 2
            loss = loss + strength * gradient_penalty(D, real, fake, torch.rand(128, generator=generator)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if way == "clipping":
            with torch.no_grad():
                for parameter in D.parameters():
                    parameter.clamp_(-0.05, 0.05)
    return D.eval()


with experiment("three critics on the line"):
    x = torch.linspace(-3.5, 3, 400)[:, None]
    normal = torch.distributions.Normal(0.0, 0.25)
    P, Q = 0.4 * normal.cdf(x + 2) + 0.6 * normal.cdf(x - 1.5), normal.cdf(x)
    step = float(x[1] - x[0])
    truth = ((Q - P).sign() * step).cumsum(0)
    print(f"the Wasserstein distance is {float((P - Q).abs().sum() * step):.3f}")
    fig, axes = plt.subplots(1, 3, figsize=(13, 3.6), layout="constrained")
    real, fake = heaps(20_000, torch.Generator().manual_seed(1))
    for ax, way in zip(axes, ("clipping", "penalty", "spectral"), strict=True):
        D = train_critic(way, 400 if QUICK else 3000)
        with torch.no_grad():
            f, distance = D(x), float(D(real).mean() - D(fake).mean())
        slope = (f.diff(dim=0) / step).abs()
        ax.plot(x, f - f.mean(), label="critic")
        ax.plot(x, truth - truth.mean(), "--", label="the best critic")
        ax.set(title=f"{way}: distance {distance:.3f}, slopes up to {slope.max():.2g}", xlabel="x")
        ax.legend()
    figures.show(
        fig, "The clipped critic is almost flat, the penalised one follows the truth, the spectral one on one side."
    )

# %% [markdown] role="text"
# ![What to expect in full mode: a clipped critic is almost flat, a penalised one follows the best](figures/critics.png)
#
# **Look.** Which critic's number is closest to the Wasserstein distance? All three know *where* data and fakes are; a
# generator follows $\nabla_xD$: which of the three would you let it follow? The spectral critic never exceeds slope 1,
# but where does it reach it? What does each leaky ReLU, whose slope is 0.2 on one side, cost on the way?
#
# ### Look: how fast is one round?
#
# After $n$ rounds the vectors have forgotten their start up to $(\sigma_2/\sigma_1)^{2n}$, and the error of $\sigma$ is
# of the order of the square of that. Here are random matrices of the size of a real layer, and the relative error of
# $\sigma$ by the number of rounds.

# %% role="run"
with experiment("rounds of power iteration"):
    generator = torch.Generator().manual_seed(0)
    errors = {}
    for M, N in ((64, 64), (64, 256), (10, 1000)):
        W, u = torch.randn(M, N, generator=generator), torch.randn(M, generator=generator)
        exact = torch.linalg.svdvals(W)[0]
        errors[f"{M} x {N}"] = [float((1 - power_iteration(W, u, n)[0] / exact).clamp(min=1e-7)) for n in range(1, 41)]
    fig, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
    for (name, error), dash in zip(errors.items(), figures.DASHES, strict=False):
        ax.semilogy(range(1, 41), error, dash, label=name)
    ax.set(xlabel="rounds", ylabel="relative error of sigma")
    ax.legend()
    figures.show(fig, "Errors of the largest singular value fall below one percent after five to thirty rounds.")

# %% [markdown] role="text"
# **Look.** Is the error ever negative, that is, can $\sigma$ be overestimated? What does that mean for the layer's
# Lipschitz constant in the first steps of training?
#
# ### 7d. Why slope one, and what clipping breaks (written, 3 points)
#
# 1. Let $f^\star$ be 1-Lipschitz and reach the supremum, and let $\pi^\star$ reach the infimum in the duality above.
#    Show that $f^\star(x)-f^\star(y)=\lVert x-y\rVert$ for $\pi^\star$-almost all pairs $(x,y)$. Conclude that
#    $f^\star$ is linear on the segment between such $x$ and $y$, and that where it is differentiable on the open
#    segment, its gradient there is $(x-y)/\lVert x-y\rVert$ (Gulrajani et al., proposition 1). (1 point)
# 2. Take a linear critic $f(x)=w^\top x$ in $D$ dimensions, and let $m=\mathbb E_px-\mathbb E_qx$. Which $w$ is best
#    with clipping, $\lvert w_d\rvert\le c$, and which one among 1-Lipschitz functions? In which direction does each
#    push a fake? Take $m=(1,\epsilon,\dots,\epsilon)$ to show how wrong the first may be. What happens to the slope of
#    a clipped network with $L$ layers of width $h$ as $L$ grows? (1 point)
# 3. Compare the gradient penalty and spectral normalisation: *where* (for which $x$) does each one constrain the
#    critic, and is what it enforces necessary, sufficient or neither for being 1-Lipschitz? Why may the critic
#    of 7a contain no batch normalisation? (1 point)

# %% [markdown] role="written" part="7d"
# ### BEGIN SOLUTION
# **1.** Since the marginals of $\pi^\star$ are $p$ and $q$, $\mathbb E_pf^\star-\mathbb E_qf^\star=\mathbb
# E_{\pi^\star}[f^\star(x)-f^\star(y)]$, and by duality this equals $\mathbb E_{\pi^\star}\lVert x-y\rVert$. So
# $\mathbb E_{\pi^\star}\big[\lVert x-y\rVert-(f^\star(x)-f^\star(y))\big]=0$, and the bracket is never negative because
# $f^\star$ is 1-Lipschitz: it is 0 almost surely.
#
# For such a pair let $x_t=y+t(x-y)$. Then $f^\star(x_t)-f^\star(y)\le t\lVert x-y\rVert$ and
# $f^\star(x)-f^\star(x_t)\le(1-t)\lVert x-y\rVert$. The two add up to an equality, so each is one:
# $f^\star(x_t)=f^\star(y)+t\lVert x-y\rVert$. Hence the derivative along the unit vector $e=(x-y)/\lVert x-y\rVert$ is
# 1. Where the gradient exists, $1=e^\top\nabla f^\star\le\lVert\nabla f^\star\rVert\le1$, and equality in
# Cauchy and Schwarz's inequality gives $\nabla f^\star=e$: length one, from the fake towards its data.
#
# **2.** $\mathbb E_pf-\mathbb E_qf=w^\top m$. With clipping the best $w$ is $c\operatorname{sign}(m)$, a corner of the
# cube; the linear function is 1-Lipschitz for $\lVert w\rVert\le1$, and the best is $m/\lVert m\rVert$. A fake is
# pushed along $w$. For $m=(1,\epsilon,\dots,\epsilon)$ the right direction is almost the first axis, but the clipped
# critic pushes equally along all $D$ axes; the cosine of the angle tends to $1/\sqrt D$ as $\epsilon\to0$. The weight
# matrix of a layer has norm at most $c\,h$, so that the bound on the slope scales like $(ch)^L$: with $ch<1$ they
# vanish as $L$ grows, with $ch$ well above 1 they may explode, and only a carefully chosen $c$ does neither. (Also: the
# optimum drives weights to $\pm c$, and such networks are very simple functions.)
#
# **3.** The penalty looks at random points between data and fakes only, and asks there for slope exactly one. That is
# not sufficient (it says nothing elsewhere, and holds only as far as the penalty is met), and not necessary (a
# 1-Lipschitz function may be flatter; only the *optimal* one has slope one, and only on the segments of
# $\pi^\star$, while the penalty couples real and fake points at random). Spectral normalisation bounds the
# slope at *every* $x$ through the product of the layers' norms: sufficient, but not necessary, as the product may be
# far larger than the true slope, so the critic is flatter than it need be. With batch normalisation an example's logit
# depends on the whole batch: the gradient of the *sum* of logits by $\hat x_n$ is no longer that of $D(\hat x_n)$,
# and a penalty per example has no meaning.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: equality almost surely from duality; linear on the segment; gradient e by Cauchy and Schwarz
# - 1 point: c sign(m) against m / |m|, the wrong direction, and slopes that vanish or explode with depth
# - 1 point: where each constrains, neither against sufficient but not necessary, and why examples must not mix
# ### END MARK SCHEME

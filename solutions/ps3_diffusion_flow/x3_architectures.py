# %% [markdown] role="text"
# ## x3. Architectures (8 points)
#
# So far the network was given. What is inside those that draw the large images of today? Mostly a **diffusion
# transformer** (DiT, Peebles and Xie, 2023): the image is cut into patches, the patches become words, and a transformer
# without causal mask reads them all. You build its parts: patches, a code for the time, and a block in which time and
# label turn the knobs.
#
# ### x3a. Patches (code, 2 points)
#
# `patchify` cuts images (B, C, H, W) into a grid of patches of p x p pixels, H and W multiples of p. Patches are read
# line by line, from the top left; inside a patch the order is channel, row, column. So token $n=i\,\frac Wp+j$ holds
# the pixels of rows $ip,\dots,ip+p-1$ and columns $jp,\dots,jp+p-1$. `unpatchify` undoes it; it needs H and W, because
# eight tokens might be a grid of 2 x 4 or of 4 x 2. As for `squeeze` in problem set 2, a `reshape` alone cannot do it.


# %% role="answer" part="x3a"
def patchify(x: Tensor, p: int) -> Tensor:
    """Tokens (B, N, C * p * p) of images (B, C, H, W): patches line by line, each as channel, row, column."""
    ### BEGIN SOLUTION
    B, C, H, W = x.shape
    blocks = x.reshape(B, C, H // p, p, W // p, p).permute(0, 2, 4, 1, 3, 5)  # (B, H/p, W/p, C, p, p)
    return blocks.reshape(B, (H // p) * (W // p), C * p * p)
    ### END SOLUTION


def unpatchify(tokens: Tensor, p: int, H: int, W: int) -> Tensor:
    """Images (B, C, H, W) of tokens (B, N, C * p * p), the inverse of patchify."""
    ### BEGIN SOLUTION
    B, _, width = tokens.shape
    C = width // (p * p)
    blocks = tokens.reshape(B, H // p, W // p, C, p, p).permute(0, 3, 1, 4, 2, 5)  # (B, C, H/p, p, W/p, p)
    return blocks.reshape(B, C, H, W)
    ### END SOLUTION


# %% role="check" part="x3a"
with check("x3a") as c:
    image = torch.arange(8.0).reshape(1, 1, 2, 4)
    c.shape(patchify(image, 2), (1, 2, 4), "the tokens")
    c.close(patchify(image, 2)[0], [[0.0, 1.0, 4.0, 5.0], [2.0, 3.0, 6.0, 7.0]], "two patches, side by side")
    c.close(unpatchify(patchify(image, 2), 2, 2, 4), image, "unpatchify undoes patchify")
    colours = torch.arange(2 * 3 * 4 * 6.0).reshape(2, 3, 4, 6)
    c.close(unpatchify(patchify(colours, 2), 2, 4, 6), colours, "also for colours, and where H is not W")

# %% [markdown] role="text"
# ### x3b. A code for the time (code, 1 point)
#
# A network that sees $t$ as one number can hardly do both, tell 10 from 11 and keep 10 far from 900. So $t$ is written
# as the hands of many clocks (Vaswani et al., 2017, section 3.5). With width $D=2F$, the $i$-th clock, $i=0,\dots,F-1$,
# has the frequency $\omega_i=10000^{-i/F}$, and the code is $[\cos\omega_0t,\dots,\cos\omega_{F-1}t,
# \sin\omega_0t,\dots,\sin\omega_{F-1}t]$. (Sines first is accepted too.) Times may be whole or real numbers; the code
# is float32 for whole ones, and has the dtype of real ones.


# %% role="answer" part="x3b"
def timestep_embedding(t: Tensor, D: int) -> Tensor:
    """Cosines and sines (B, D), D even, of the times t (B,) at D/2 frequencies from 1 down to about 1/10000."""
    ### BEGIN SOLUTION
    half = D // 2
    exponents = torch.arange(half, dtype=t.dtype, device=t.device) / half  # float32 where t is whole
    angle = t[:, None] * 10000**-exponents  # (B, D/2)
    return torch.cat([angle.cos(), angle.sin()], dim=1)
    ### END SOLUTION


# %% role="check" part="x3b"
with check("x3b") as c:
    codes = timestep_embedding(torch.tensor([0.0, 3.0], dtype=torch.float64), 4)
    c.shape(codes, (2, 4), "the code")
    c.close(codes.square().sum(1), [2.0, 2.0], "each of the two clocks has a hand of length 1")
    c.close(codes[1].sort().values, sorted([math.cos(3), math.sin(3), math.cos(0.03), math.sin(0.03)]), "1 and 1/100")
    c.dtype(timestep_embedding(torch.tensor([7]), 6), torch.float32, "the code of a whole number")

# %% role="run"
with experiment("codes of times"):
    codes = timestep_embedding(torch.arange(200), 64)
    figure, axes = plt.subplots(1, 2, figsize=(11, 3.4), layout="constrained")
    axes[0].imshow(codes.T, aspect="auto", cmap="PuOr", vmin=-1, vmax=1)
    axes[0].set(xlabel="t", ylabel="entry", title="the code of t")
    for t in (20, 100):
        axes[1].plot(codes @ codes[t] / 32, label=f"with t = {t}")
    axes[1].set(xlabel="t", title="inner product of two codes")
    axes[1].legend()
    figures.show(figure, "Stripes that get slower from top to bottom; inner products that peak at equal times.")

# %% [markdown] role="text"
# **Look.** The two curves on the right have the same shape, moved. Show that the inner product of two codes depends on
# the difference of the times alone. Flow matching has $t\in[0,1]$. What would this code tell a network about it, and
# what would you multiply $t$ by?
#
# ### x3c. Knobs (code, 3 points)
#
# How does time act on a block? DiT's answer, **adaLN-Zero**: a linear map of the condition $c$ gives six vectors per
# example, *shift*, *scale* and *gate* for each of the block's two halves,
#
# $$ h\leftarrow h+g_1\odot\text{attention}\big((1+s_1)\odot\text{norm}(h)+b_1\big),\qquad
# h\leftarrow h+g_2\odot\text{mlp}\big((1+s_2)\odot\text{norm}(h)+b_2\big), $$
#
# and this map starts at *zero*. Then all gates are shut and the block is the identity: a deep stack begins as no
# network at all, and opens where it helps.
#
# - `modulate(x, shift, scale)`: for tokens x (B, N, D), shift and scale (B, D), the same for all tokens of an example.
#   The scale counts from 1.
# - `DiTBlock(width, heads, condition)`: a module with the parts `norm1`, `attention`, `norm2`, `mlp` and `ada`. The
#   norms are layer norms *without* parameters (modulation has them), `attention` is the class below, `mlp` widens by 4
#   with a GELU between two linear layers, and `ada` is one linear layer to $6\cdot$`width`, which is applied to
#   `F.silu(c)` and whose six parts are, in this order, $b_1,s_1,g_1,b_2,s_2,g_2$. (An epsilon of $10^{-5}$ or
#   $10^{-6}$, a GELU exact or by tanh: published code has both.)


# %% role="given"
class SelfAttention(nn.Module):
    """Every token (B, N, D) looks at every other one, with several heads."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Tokens (B, N, D) to tokens."""
        B, N, D = x.shape
        q, k, v = self.qkv(x).reshape(B, N, 3, self.heads, D // self.heads).permute(2, 0, 3, 1, 4)
        return self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(B, N, D))


# %% role="answer" part="x3c"
def modulate(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """(1 + scale) x + shift for tokens x (B, N, D) with shift and scale (B, D)."""
    ### BEGIN SOLUTION
    return (1 + scale[:, None]) * x + shift[:, None]
    ### END SOLUTION


class DiTBlock(nn.Module):
    """A transformer block whose norms and branches are steered by a condition; it starts as the identity."""

    def __init__(self, width: int, heads: int, condition: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.norm1 = nn.LayerNorm(width, elementwise_affine=False)
        self.norm2 = nn.LayerNorm(width, elementwise_affine=False)
        self.attention = SelfAttention(width, heads)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.ada = nn.Linear(condition, 6 * width)
        nn.init.zeros_(self.ada.weight)
        nn.init.zeros_(self.ada.bias)
        ### END SOLUTION

    def forward(self, h: Tensor, c: Tensor) -> Tensor:
        """Tokens (B, N, D) from tokens h (B, N, D) and conditions c (B, condition)."""
        ### BEGIN SOLUTION
        b1, s1, g1, b2, s2, g2 = self.ada(F.silu(c)).chunk(6, dim=1)
        h = h + g1[:, None] * self.attention(modulate(self.norm1(h), b1, s1))
        return h + g2[:, None] * self.mlp(modulate(self.norm2(h), b2, s2))
        ### END SOLUTION


# %% role="check" part="x3c"
with check("x3c") as c:
    x = torch.ones(2, 3, 4)
    shift, scale = torch.tensor([[0.0] * 4, [5.0] * 4]), torch.tensor([[1.0] * 4, [0.0] * 4])
    c.close(modulate(x, shift, scale)[:, 0, 0], [2.0, 6.0], "a scale of zero changes nothing, and examples differ")
    block = DiTBlock(8, 2, 5)
    h, condition = torch.randn(2, 3, 8), torch.randn(2, 5)
    c.close(block(h, condition), h, "a new block is the identity")
    c.equal(block.ada.weight.shape[0], 48, "six vectors of the width")
    nn.init.normal_(block.ada.weight)
    c.true((block(h, condition) - h).abs().mean() > 1e-3, "with other weights it is not")

# %% [markdown] role="text"
# **Look: a transformer that learns digits.** The same loss as for the U-Net, with about as many parameters in the full
# run. (`QUICK` takes 20 s of one core of an Intel Xeon, measured, for a tiny one that will not draw digits yet; in full
# about 10 minutes on a T4, an estimate.)


# %% role="given"
class DiT(nn.Module):
    """A diffusion transformer for digits (B, 1, 28, 28), with patches of p x p."""

    def __init__(self, width: int = 128, depth: int = 6, p: int = 4, heads: int = 4, n_labels: int = 10) -> None:
        super().__init__()
        self.p, self.width, self.null = p, width, n_labels
        self.into, self.out = nn.Linear(p * p, width), nn.Linear(width, p * p)
        self.places = nn.Parameter(0.02 * torch.randn((28 // p) ** 2, width))
        self.time = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.labels = nn.Embedding(n_labels + 1, width)
        self.blocks = nn.ModuleList([DiTBlock(width, heads, width) for _ in range(depth)])
        self.last = nn.LayerNorm(width)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
        """Predictions (B, 1, 28, 28) at times t (B,) with labels y (B,), or without."""
        y = torch.full((len(x),), self.null, device=x.device) if y is None else y
        c = self.time(timestep_embedding(t, self.width).to(x)) + self.labels(y)
        h = self.into(patchify(x, self.p)) + self.places
        for block in self.blocks:
            h = block(h, c)
        return unpatchify(self.out(self.last(h)), self.p, 28, 28)


# %% role="run"
with experiment("a diffusion transformer", smaller="32 digits in a batch"):
    torch.manual_seed(0)
    dit = (DiT(48, 3) if QUICK else DiT()).to(here.device)
    adam = torch.optim.Adam(dit.parameters())
    steps = 300 if QUICK else 8000
    training = resumable(
        "checkpoints/dit.safetensors",
        pack(dit=dit, adam=adam),
        made_by=(DiT, ddpm_loss),
        settings={"steps": steps},
    )
    unpack(training.state, dit=dit, adam=adam)
    for step in training.steps(steps, "DiT"):
        adam.param_groups[0]["lr"] = 2e-3 * min(1, (step + 1) / 100) * (1 - step / steps)
        generator = torch.Generator().manual_seed(step)
        batch = torch.randint(len(D_train), (64,), generator=generator)
        t = torch.randint(T, (64,), generator=generator).to(here.device)
        noise = torch.randn(64, 1, 28, 28, generator=generator).to(here.device)
        y = drop_labels(y_train[batch], dit.null, 0.1, torch.rand(64, generator=generator).to(here.device))
        loss = ddpm_loss(lambda x, t, y=y: dit(x, t, y), D_train[batch], t, noise, alpha_bar).mean()
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(dit.parameters(), 1.0)
        adam.step()
        training.state = pack(dit=dit, adam=adam)
        training.log(loss=loss.item())
    gates = torch.stack([block.ada.weight.detach().cpu().chunk(6)[k].norm() for block in dit.blocks for k in (2, 5)])
    print("strength of the gates, attention and mlp of each block: " + ", ".join(f"{g:.2f}" for g in gates))
    smooth = [part.mean() for part in torch.tensor(training.history["loss"]).chunk(50)]
    figures.curves(
        {"DiT": smooth}, xlabel=f"{steps // 50} steps", ylabel="mean squared error", title="a transformer guesses noise"
    )
    labels = torch.arange(10, device=here.device)
    noises = torch.randn(10, 1, 28, 28, generator=torch.Generator().manual_seed(0)).to(here.device)
    guided = clipped(lambda x, t: cfg(dit, x, t, labels, dit.null, 2.0), alpha_bar)
    with torch.no_grad():
        drawn = ddim_sample(guided, noises, alpha_bar, ddim_timesteps(T, 20))[-1]
    show_digits(drawn, "0 to 9 by the transformer, w = 2", columns=10)

# %% [markdown] role="text"
# **Look.** All gates began at 0. Which opened most? What is the first thing that the images show, and what comes only
# with training: edges between patches, strokes, digits?
#
# ### x3d. Sizes and scales (written, 2 points)
#
# 1. A block of width D works on $N=HW/p^2$ tokens. Count the multiplications of its linear layers and of its attention
#    (leading terms). By which factor does each grow when $p$ is halved, and from which $N$ on does attention cost more
#    than the rest? Compare $p=2$, $4$ and $7$ for $28\times28$ and $D=128$, and say what is lost with a large $p$. Show
#    that a stack of new DiT blocks is the identity, and find which parameters of a block get a gradient in the very
#    first step, and which only in the second, if the gradient that arrives behind the stack is not zero. (In `DiT`
#    above, the last layer starts at zero as well, which delays all of it by a step.) (1 point)
# 2. *Latent diffusion* (Rombach et al., 2022) runs all of this on the codes $z$ of an autoencoder, after dividing
#    them by their standard deviation $\hat\sigma$ over a batch (the *scale factor* is $1/\hat\sigma$). Let $z$ have
#    variance $s^2$ and use a fixed schedule. Show that leaving out the division is the same as dividing and using
#    another schedule, with signal-to-noise ratios that are $s^2$ times as large. What goes wrong in sampling for $s=5$,
#    and for $s=0.2$? Where else must the factor be undone? (1 point)

# %% [markdown] role="written" part="x3d"
# ### BEGIN SOLUTION
# **1.** Per token, q, k, v and the output take $4D^2$, the two layers of the MLP $8D^2$: $12ND^2$ together. The
# products $QK^\top$ and with $V$ take $N^2D$ each: $2N^2D$. (`ada` costs $6D\cdot D$ once per example, which does not
# depend on N.) Halving $p$ makes N four times as large: linear layers cost 4 times, attention 16 times as much. They
# are equal at $2N^2D=12ND^2$, $N=6D$. For 28 x 28: $p=2$ has 196 tokens, $p=4$ has 49, $p=7$ has 16; with $D=128$,
# $6D=768$, so linear layers dominate in all of them, and cost is roughly proportional to $1/p^2$: 12 : 3 : 1 for the
# linear layers, 15 : 3.2 : 1 with attention. A large $p$ asks one linear map of $p^2$ numbers to hold all detail of a
# patch; edges of patches become visible and fine strokes suffer. With `ada` zero all gates are zero, so
# $h+0\cdot(\dots)=h$ in both halves, and a composition of identities is the identity. First step: the derivative in a
# gate is the branch's output (not zero) times the incoming gradient, so the rows of `ada` for $g_1$ and $g_2$ (weights
# and biases) get a gradient. Everything inside a branch, attention, MLP, shifts and scales, has the gate as a factor of
# its derivative: zero. From the second step on gates are not zero and all of these get gradients. (If what follows the
# stack is zero as well, as the output layer of `DiT`, one more step is needed.)
#
# **2.** $z_t=\sqrt{\bar\alpha}\,z+\sqrt{1-\bar\alpha}\,\epsilon$ with $z=su$, $u$ of variance 1. It is a multiple of
# $\sqrt{\bar\alpha'}u+\sqrt{1-\bar\alpha'}\epsilon$ with $\frac{\bar\alpha'}{1-\bar\alpha'}=s^2\frac{\bar\alpha}{1-
# \bar\alpha}$: the same data with all ratios of signal to noise multiplied by $s^2$. For $s=5$ they are 25 times too
# large: at the last time there is still visible signal, although sampling starts from pure noise, which the network has
# never seen there; coarse structure is decided by nobody, and too few steps have useful noise. For $s=0.2$ they are 25
# times too small: most times are spent where nothing can be seen, and the last step, from the level of time 0, has to
# remove noise that is large compared to the code: detail stays noisy. Samples must be multiplied by $\hat\sigma$ before
# the decoder sees them, and images to be edited divided after the encoder; with the value of training, not one of each
# batch.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 0.5 points: 12 N D^2 and 2 N^2 D, factors 4 and 16, equal at N = 6 D, and the comparison of the three sizes
# - 0.5 points: the identity, and that only the gates' part of `ada` gets a gradient in the first step
# - 0.5 points: the ratio of signal to noise is multiplied by s squared
# - 0.5 points: what fails for large and for small s, and that the factor is undone before the decoder
# ### END MARK SCHEME

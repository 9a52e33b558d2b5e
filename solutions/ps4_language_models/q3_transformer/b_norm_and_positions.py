# %% [markdown] role="text"
# ### The configuration, and maps without bias
#
# A `GPTConfig` holds the sizes of a model. `linear` makes a map without bias whose weights start as $\mathcal
# N(0,\text{std}^2)$. Maps that write into the residual stream (3e) start smaller, with `cfg.residual_std`: the stream
# is a sum of $2L$ contributions, and for its variance not to grow with the depth, each starts smaller by $\sqrt{2L}$
# (Radford et al., *Language models are unsupervised multitask learners*, 2019, section 2.3).


# %% role="given" id="gpt-config"
@dataclass
class GPTConfig:
    """The sizes of a GPT: tokens, longest context, layers, heads, width of the residual stream; dropout."""

    vocab_size: int
    block_size: int
    n_layer: int
    n_head: int
    n_embd: int
    dropout: float = 0.0

    @property
    def residual_std(self) -> float:
        """Standard deviation of initial weights that write into the residual stream."""
        return 0.02 / math.sqrt(2 * self.n_layer)


def linear(n_in: int, n_out: int, std: float = 0.02) -> nn.Linear:
    """A linear map without bias, whose weights are drawn from a normal distribution of this standard deviation."""
    layer = nn.Linear(n_in, n_out, bias=False)
    nn.init.normal_(layer.weight, std=std)
    return layer


# %% [markdown] role="text"
# ### 3b. Normalisation (code, 2 points)
#
# A deep stack of layers works if numbers keep their size on the way. Layer normalisation subtracts a token's mean over
# its C channels and divides by the standard deviation. Zhang and Sennrich (*Root mean square layer normalization*,
# 2019, equation 4) noticed that the mean is not needed, the length is what matters:
#
# $$ y_c=\frac{x_c}{\sqrt{\frac1C\sum_{c'}x_{c'}^2+\epsilon}}\;g_c . $$
#
# The gain $g$ is learnt and starts at 1. The small $\epsilon$ stands **inside** the root, so that a token of zeros
# stays zero, with a finite gradient. Each token is normalised by itself: whoever averages over other tokens or other
# examples lets a token see its neighbours.
#
# Autograd would find the gradient of this formula by going back through each of its operations. By hand it is shorter.
# With $r=1/\sqrt{\text{mean}(x^2)+\epsilon}$ and a gradient $\dot y$ that arrives,
#
# $$ \dot g=\sum_{\text{tokens}}r\,x\odot\dot y,\qquad
# \dot x=r\Big(g\odot\dot y-x\;\frac{r^2}{C}\,\langle x,\,g\odot\dot y\rangle\Big) . $$
#
# The second term takes away what points along $x$: a multiple of $x$ has the same normalised value (but for
# $\epsilon$), so there is nothing to learn in that direction. The class below tells autograd so. It gives the same
# numbers as `F.rms_norm`, and, as torch has one kernel for all of this on a GPU but none on a CPU, it is quicker there.


# %% role="given" id="rms-norm-by-hand"
class RMSNormByHand(torch.autograd.Function):
    """x (..., C) over its root mean square, times gain (C,); `apply(x, gain, eps)`, with the gradient of the text."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor, gain: Tensor, eps: float) -> Tensor:
        """The normalised x, times gain."""
        mean_square = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square() / x.shape[-1]
        r = (mean_square + eps).rsqrt()  # (..., 1)
        ctx.save_for_backward(x, gain, r)
        return (x * r).mul_(gain)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, dy: Tensor) -> tuple[Tensor, Tensor, None]:
        """Gradients of x and of gain, from the gradient dy of the result."""
        x, gain, r = ctx.saved_tensors
        product = dy * x
        along = (product @ gain)[..., None] * r.square() / x.shape[-1]  # (..., 1)
        d_gain = r.reshape(1, -1) @ product.reshape(-1, len(gain))
        return torch.addcmul(dy * gain, x, along, value=-1).mul_(r), d_gain[0], None


# %% [markdown] role="text"
# Write `RMSNorm`. Expect 3 lines. Write the formula once; when the check passes, you may call `F.rms_norm` or
# `RMSNormByHand.apply` in its place.


# %% role="answer" part="3b"
class RMSNorm(nn.Module):
    """x (..., C) divided by its root mean square over the last dimension, times a learnt gain (C,) that starts at 1."""

    def __init__(self, C: int, eps: float = 1e-6) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.eps = eps
        self.gain = nn.Parameter(torch.ones(C))
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """The normalised x (..., C)."""
        ### BEGIN SOLUTION
        if x.is_cuda:
            return F.rms_norm(x, self.gain.shape, self.gain, self.eps)
        return RMSNormByHand.apply(x, self.gain, self.eps)
        ### END SOLUTION


# %% role="check" part="3b"
with check("3b") as c:
    norm = RMSNorm(4)
    c.close(norm(torch.tensor([[3.0, 3.0, 3.0, 3.0], [2.0, 0.0, 0.0, 0.0]])), [[1.0] * 4, [2.0, 0, 0, 0]], "by hand")
    c.close(norm(torch.zeros(2, 4)), torch.zeros(2, 4), "a token of zeros stays zero")
    c.equal([tuple(p.shape) for p in norm.parameters()], [(4,)], "one parameter: a gain for each channel")
    x = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(5))
    c.close(norm(x), F.rms_norm(x, (4,), eps=1e-6), "torch's norm agrees")

# %% [markdown] role="text"
# ### 3c. Rotary positions (code, 3 points)
#
# Look at the formula of attention again: if the tokens before $t$ change places, the sum stays the same. Attention
# reads a bag of words. Somebody has to say where each word stands, and what should count is not the place but the
# *distance*: "the adjective just before the noun" is the same thing at the beginning and at the end of a page.
#
# So we ask for a function that moves a vector $x$ to its position $m$, such that inner products depend on the distance
# only: $\langle f(q,m),f(k,n)\rangle=g(q,k,m-n)$. For two numbers, read as a complex number, that is easy: turn it by
# an angle proportional to the position.
#
# $$ f(x,m)=x\,e^{im\theta}\qquad\Rightarrow\qquad
# \operatorname{Re}\big(q\,e^{im\theta}\;\overline{k\,e^{in\theta}}\big)
# =\operatorname{Re}\big(q\,\bar k\;e^{i(m-n)\theta}\big) . $$
#
# A vector of D numbers is D/2 such pairs, and each pair turns at a speed of its own (Su et al., *RoFormer*, 2021,
# section 3.2): pair $i=0,\dots,D/2-1$ consists of the numbers $i$ and $i+D/2$, and at position $m$ it is turned by
#
# $$ m\,\theta_i,\qquad\theta_i=10000^{-2i/D} . $$
#
# The first pair turns by a radian a step and tells neighbours apart; the last one has hardly moved after a thousand
# steps and tells a page's beginning from its end, like the hands of a clock.
#
# Write `rotate`. It gets `x` (..., T, D), with any leading dimensions, and the `positions` (T,) of its T rows, whole
# numbers that need not be 0, 1, 2, ... (question 4 continues a text at position 57). Position 0 is not turned. The
# result has the dtype of `x`, but compute the *angles* in single precision at least: bfloat16 has no number
# 257, and float16 no 2049. Expect 4 to 6 lines. (The paper pairs the numbers $2i$ and $2i+1$ instead, and some codes
# turn the other way around. The weights before are learnt, so that all of these are the same model; the grader accepts
# each.)


# %% role="answer" part="3c"
def rotate(x: Tensor, positions: Tensor) -> Tensor:
    """x (..., T, D), each pair (i, i + D/2) of a row turned by its position (T,) times 10000 ** (-2 i / D)."""
    ### BEGIN SOLUTION
    D, dtype = x.shape[-1], torch.promote_types(x.dtype, torch.float32)
    angles = positions[:, None] * 10000.0 ** (-torch.arange(0, D, 2, dtype=dtype, device=x.device) / D)  # (T, D/2)
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    a, b = x.chunk(2, dim=-1)
    # (a cos - b sin, b cos + a sin), with as few passes over memory as possible
    return torch.addcmul(x * torch.cat([cos, cos], dim=-1), torch.cat([b, a], dim=-1), torch.cat([-sin, sin], dim=-1))
    ### END SOLUTION


# %% role="check" part="3c"
with check("3c") as c:
    x = torch.randn(2, 5, 6, generator=torch.Generator().manual_seed(4))
    turned = rotate(x, torch.arange(5))
    c.shape(turned, (2, 5, 6), "what rotate returns")
    c.close(turned[:, 0], x[:, 0], "position 0 is not turned")
    c.close(turned.norm(dim=-1), x.norm(dim=-1), "lengths stay")
    q, k = x[0, :1], x[1, :1]
    at = lambda m, n: (rotate(q, torch.tensor([m])) * rotate(k, torch.tensor([n]))).sum()  # noqa: E731
    c.close(at(7, 4), at(23, 20), "7 and 4 are as far apart as 23 and 20: the same inner product", atol=1e-4)
    c.true(abs(at(7, 4) - at(7, 5)) > 1e-3, "another distance gives another inner product")
    c.equal(str(rotate(x.bfloat16(), torch.arange(5)).dtype), "torch.bfloat16", "half precision stays half precision")

# %% [markdown] role="text"
# **Look: the clock.** Left: the cosine of each pair's angle, for positions 0 to 127 and D = 32. Right: a query meets
# keys equal to itself at growing distances. The grey lines are 20 random vectors; the black one is their mean.

# %% role="run"
with experiment("the clock of positions"):
    D, positions = 32, torch.arange(128)
    clock = rotate(torch.cat([torch.ones(D // 2), torch.zeros(D // 2)]).expand(128, D), positions)  # (T, D)
    x = F.normalize(torch.randn(20, 1, D, generator=torch.Generator().manual_seed(2)), dim=-1)
    meets = (rotate(x, positions[:1]) * rotate(x.expand(20, 128, D), positions)).sum(dim=-1)  # (20, T)
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.6), layout="constrained")
    image = left.imshow(clock[:, : D // 2].T, cmap="PuOr", vmin=-1, vmax=1, aspect="auto", interpolation="nearest")
    figure.colorbar(image, ax=left, label="cosine of the angle")
    left.set(xlabel="position", ylabel="pair")
    right.plot(positions, meets.T, color="#AAAAAA", linewidth=0.7)
    right.plot(positions, meets.mean(dim=0), color="black")
    right.set(xlabel="distance", ylabel="inner product of a vector with itself", ylim=(-1, 1.05))
    figures.show(figure, "Pairs turn from fast to slow; a vector agrees less with itself the farther away it is.")

# %% [markdown] role="text"
# **Look.** Which pairs change between two neighbours, and which between two paragraphs? The right picture falls off
# with the distance although nobody asked for that: where does it come from? A head that wants to look exactly three
# tokens back, whatever stands there: which pairs must its queries and keys use, and what must they be?

# %% [markdown] role="text"
# ## 3. The transformer (18 points)
#
# A table of pairs sees one token back. A table of triples sees two, and most of its cells stay empty for ever: to look
# further back, a model has to *compute* what matters instead of looking it up. The Markov network of question 2 does
# so with a fixed window, and each place in the window has weights of its own: what it learns about "the third token
# back" says nothing about the fourth. The transformer (Vaswani et al., *Attention is all you need*, 2017) has no such
# places. Every token asks a question, every earlier token offers an answer, and the same weights do it everywhere:
#
# - a **query** $q_t$: what token $t$ looks for,
# - a **key** $k_s$: what token $s$ can be found by,
# - a **value** $v_s$: what token $s$ says when it is found.
#
# You build it from the inside to the outside: attention, normalisation, positions, heads, and the whole model. It is
# the model of the rest of this problem set: you cache it (4), train it (5), sample from it (6) and scale it (7).
#
# ### 3a. Attention (code, 4 points)
#
# The similarity of a query and a key is their inner product, and the answer is the average of the values, weighted by
# the softmax of the similarities:
#
# $$ y_t=\sum_s a_{ts}v_s,\qquad a_{ts}=\frac{e^{z_{ts}}}{\sum_{s'}e^{z_{ts'}}},\qquad
# z_{ts}=\frac{q_t^\top k_s}{\sqrt D} . $$
#
# Why $\sqrt D$? Let the $D$ entries of a query and a key be independent, with mean 0 and variance 1. Then each product
# has mean 0 and variance 1, and their sum has variance $D$: without the division, similarities grow like $\sqrt D$, the
# softmax puts nearly all weight on one key, and its gradient vanishes. Division by $D$ would err on the other side: the
# weights become all alike.
#
# What may a query look at? A mask (True: may look) decides **before** the softmax: a similarity that is not allowed
# becomes $-\infty$, its weight is exactly 0, and the other weights still sum to 1. If weights were set to zero *after*
# the softmax, they would no longer sum to 1, and, worse, what is left would still know how similar the forbidden keys
# were, through the denominator.
#
# Write `sdpa`. Expect 4 lines. Leading dimensions (batch, heads) may be any, T queries may look at S keys with
# $S\ne T$, and the mask broadcasts. Torch's own `scaled_dot_product_attention` is what you compare with.


# %% role="answer" part="3a"
def sdpa(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """Attention (..., T, E) of q (..., T, D) to k (..., S, D), v (..., S, E); mask (..., T, S): True may be seen."""
    ### BEGIN SOLUTION
    scores = q @ k.mT / math.sqrt(q.shape[-1])  # (..., T, S)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return scores.softmax(dim=-1) @ v
    ### END SOLUTION


# %% role="check" part="3a"
with check("3a") as c:
    draw = torch.Generator().manual_seed(3)
    q, k, v = (torch.randn(2, 3, n, d, generator=draw) for n, d in ((4, 6), (5, 6), (5, 7)))
    mask = torch.ones(4, 5, dtype=torch.bool).tril(1)
    c.shape(sdpa(q, k, v), (2, 3, 4, 7), "an answer for each query, as long as a value")
    c.close(sdpa(0 * q, k, v)[..., 0, :], v.mean(dim=-2), "a query of zeros likes all keys alike")
    c.close(sdpa(q, k, v), F.scaled_dot_product_attention(q, k, v), "torch's attention agrees")
    c.close(sdpa(q, k, v, mask), F.scaled_dot_product_attention(q, k, v, attn_mask=mask), "with a mask, too")

# %% [markdown] role="text"
# ### The configuration and a helper
#
# A `GPTConfig` holds the sizes. `linear` makes a map without bias whose weights start as $\mathcal N(0,\text{std}^2)$.
# The maps that write into the residual stream (3e) start smaller, with `cfg.residual_std`: the stream is a sum of
# $2L$ answers, and so that its variance does not grow with the depth, each of them starts smaller by $\sqrt{2L}$
# (Radford et al., *GPT-2*, 2019, section 2.3).


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
# Write `RMSNorm`.


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
        return F.rms_norm(x, self.gain.shape, self.gain, self.eps)
        ### END SOLUTION


# %% role="check" part="3b"
with check("3b") as c:
    norm = RMSNorm(4)
    c.close(norm(torch.tensor([[3.0, 3.0, 3.0, 3.0], [2.0, 0.0, 0.0, 0.0]])), [[1.0] * 4, [2.0, 0, 0, 0]], "by hand")
    c.equal([tuple(p.shape) for p in norm.parameters()], [(4,)], "one parameter: a gain for each channel")

# %% [markdown] role="text"
# ### 3c. Rotary positions (code, 3 points)
#
# Write `rotate`.


# %% role="answer" part="3c"
def rotate(x: Tensor, positions: Tensor) -> Tensor:
    """x (..., T, D), each pair (i, i + D/2) of a row turned by its position (T,) times 10000 ** (-2 i / D)."""
    ### BEGIN SOLUTION
    D, dtype = x.shape[-1], torch.promote_types(x.dtype, torch.float32)
    frequencies = 10000.0 ** (-torch.arange(0, D, 2, dtype=dtype, device=x.device) / D)
    angles = positions[:, None] * frequencies  # (T, D/2)
    cos, sin = angles.cos(), angles.sin()
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1).to(x.dtype)
    ### END SOLUTION


# %% role="check" part="3c"
with check("3c") as c:
    x = torch.randn(2, 5, 6, generator=torch.Generator().manual_seed(4))
    turned = rotate(x, torch.arange(5))
    c.shape(turned, (2, 5, 6), "what rotate returns")
    c.close(turned[:, 0], x[:, 0], "position 0 is not turned")
    c.close(turned.norm(dim=-1), x.norm(dim=-1), "lengths stay")

# %% [markdown] role="text"
# ### 3d. Heads (code, 3 points)
#
# Write `CausalSelfAttention`.


# %% role="answer" part="3d"
class CausalSelfAttention(nn.Module):
    """Every token attends to itself and to earlier ones, in n_head heads, with rotary positions."""

    def __init__(self, cfg: GPTConfig) -> None:
        super().__init__()
        self.cfg = cfg
        ### BEGIN SOLUTION
        self.qkv = linear(cfg.n_embd, 3 * cfg.n_embd)
        self.out = linear(cfg.n_embd, cfg.n_embd, cfg.residual_std)
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """The answers (B, T, C) to the tokens x (B, T, C)."""
        ### BEGIN SOLUTION
        B, T, C = x.shape
        q, k, v = self.qkv(x).view(B, T, 3, self.cfg.n_head, -1).permute(2, 0, 3, 1, 4)  # each (B, H, T, D)
        positions = torch.arange(T, device=x.device)
        y = F.scaled_dot_product_attention(rotate(q, positions), rotate(k, positions), v, is_causal=True)
        return self.out(y.transpose(1, 2).reshape(B, T, C))
        ### END SOLUTION


# %% role="given" id="block"
class MLP(nn.Module):
    """The same small network for every token: C -> 4C -> C."""

    def __init__(self, cfg: GPTConfig) -> None:
        super().__init__()
        self.up = linear(cfg.n_embd, 4 * cfg.n_embd)
        self.down = linear(4 * cfg.n_embd, cfg.n_embd, cfg.residual_std)

    def forward(self, x: Tensor) -> Tensor:
        """The answers (B, T, C) to the tokens x (B, T, C)."""
        return self.down(F.gelu(self.up(x)))


class Block(nn.Module):
    """One layer: attention and a network, each reads a normalised copy of the residual stream and adds to it."""

    def __init__(self, cfg: GPTConfig) -> None:
        super().__init__()
        self.norm1, self.attn = RMSNorm(cfg.n_embd), CausalSelfAttention(cfg)
        self.norm2, self.mlp = RMSNorm(cfg.n_embd), MLP(cfg)
        self.drop = nn.Dropout(cfg.dropout)

    def forward(self, x: Tensor, *cache: object) -> Tensor:
        """The stream (B, T, C) after this layer; a cache, which question 4 invents, is handed to the attention."""
        x = x + self.drop(self.attn(self.norm1(x), *cache))
        return x + self.drop(self.mlp(self.norm2(x)))


# %% role="answer" part="3e"
class GPT(nn.Module):
    """A decoder-only transformer: embedding, n_layer blocks, a last RMSNorm, and a head that is a map of its own."""

    def __init__(self, cfg: GPTConfig) -> None:
        super().__init__()
        self.cfg = cfg
        ### BEGIN SOLUTION
        self.embedding = nn.Embedding(cfg.vocab_size, cfg.n_embd)
        nn.init.normal_(self.embedding.weight, std=0.02)
        self.blocks = nn.ModuleList(Block(cfg) for _ in range(cfg.n_layer))
        self.norm = RMSNorm(cfg.n_embd)
        self.head = linear(cfg.n_embd, cfg.vocab_size)
        ### END SOLUTION

    def forward(self, idx: Tensor) -> Tensor:
        """Logits (B, T, V) of the token after each prefix of idx (B, T)."""
        ### BEGIN SOLUTION
        x = self.embedding(idx)  # (B, T, C)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))
        ### END SOLUTION

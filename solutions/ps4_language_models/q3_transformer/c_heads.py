# %% [markdown] role="text"
# ### 3d. Heads (code, 3 points)
#
# One softmax is one question. A token has several (whose line is this? is a quotation open? which noun does "it"
# mean?), so the C channels are cut into H **heads** of $D=C/H$ channels, each with queries, keys and values of its own,
# and all attend at the same time. Their answers, side by side again, are mixed by one more map:
#
# $$ (B,T,C)\;\xrightarrow{W_q,W_k,W_v}\;3\times(B,T,C)\;\to\;3\times(B,H,T,D)\;\xrightarrow{\text{rotate, attend}}\;
# (B,H,T,D)\;\to\;(B,T,C)\;\xrightarrow{W_o}\;(B,T,C) . $$
#
# The arrows without a name only rearrange numbers, and are where most mistakes of this question are made. `view` reads
# memory in order: (B, T, C) viewed as (B, T, H, D) cuts each token's channels into heads; to get H in front of T you
# must *transpose*. Viewed directly as (B, H, T, D), a head would get the channels of other tokens; it runs, it even
# trains, and it sees the future. The way back is the same: transpose first, then view.
#
# Write `CausalSelfAttention`.
#
# - Four maps made by `linear`, without biases: $W_q,W_k,W_v$ with the usual spread, $W_o$ with `cfg.residual_std`. How
#   they are called is up to you, and the first three may be one map to 3C numbers (one large product is faster than
#   three small ones).
# - Queries and keys are rotated by their positions $0,\dots,T-1$. Values are not: what a token says does not depend on
#   where it stands.
# - Token $t$ attends to tokens $0,\dots,t$: the **causal** mask, with the diagonal.
# - You may call your `sdpa` with a mask, or torch's `F.scaled_dot_product_attention(q, k, v, is_causal=True)`, which
#   computes the same without ever writing a table of T times T similarities to memory (Dao et al., *FlashAttention*,
#   2022). You know now what it computes.
# - No dropout here; the block below has it.


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
        heads = self.qkv(x).view(B, T, 3 * self.cfg.n_head, -1).transpose(1, 2)  # (B, 3H, T, D)
        qk, v = heads.split([2 * self.cfg.n_head, self.cfg.n_head], dim=1)
        q, k = rotate(qk, torch.arange(T, device=x.device)).chunk(2, dim=1)  # both turned in one go
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(y.transpose(1, 2).reshape(B, T, C))
        ### END SOLUTION


# %% role="check" part="3d"
with check("3d") as c:
    torch.manual_seed(0)
    attention = CausalSelfAttention(GPTConfig(vocab_size=9, block_size=8, n_layer=2, n_head=3, n_embd=12))
    for parameter in attention.parameters():
        nn.init.normal_(parameter, std=0.5)
    x = torch.randn(2, 6, 12)
    y = attention(x)
    c.shape(y, (2, 6, 12), "the answers")
    c.equal(sum(p.numel() for p in attention.parameters()), 4 * 12 * 12, "four maps of 12 x 12 numbers")
    later = torch.cat([x[:, :4], torch.randn(2, 2, 12)], dim=1)
    c.true(torch.equal(attention(later)[:, :4], y[:, :4]), "other tokens at 4 and 5 change nothing before, bit by bit")
    earlier = torch.cat([torch.randn(2, 1, 12), x[:, 1:]], dim=1)
    c.true((attention(earlier) - y).abs().amin() > 0, "another token at 0 changes every answer")
    swapped = torch.cat([x[:, 1:2], x[:, :1], x[:, 2:]], dim=1)
    c.true(not torch.allclose(attention(swapped)[:, 2], y[:, 2]), "the order of earlier tokens matters: positions")

# %% [markdown] role="text"
# **Look: what a fused kernel saves.** Your `sdpa` against torch's, forward and backward, for growing T. Both compute
# the same answers; yours also writes and reads the tables of $T\times T$ numbers.

# %% role="run"
with experiment("fused attention"):

    def seconds(attend: Callable[..., Tensor], T: int) -> float:
        """The best time of a few for attention of 8 heads over T tokens, with its gradient."""
        q, k, v = torch.randn(3, 1, 8, T, 32, device=here.device, requires_grad=True).unbind()
        best = math.inf
        for _ in range(4):
            start = time.perf_counter()
            float(torch.autograd.grad(attend(q, k, v).sum(), q)[0].sum())  # a number: waits for a GPU
            best = min(best, time.perf_counter() - start)
        return best

    print(f"{'T':>6}{'your sdpa':>14}{'fused':>12}")
    for T in (64, 256, 512) if QUICK else (64, 256, 1024, 2048):
        mask = torch.ones(T, T, dtype=torch.bool, device=here.device).tril()
        written = seconds(lambda q, k, v, mask=mask: sdpa(q, k, v, mask), T)
        fused = seconds(lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True), T)
        print(f"{T:>6}{1000 * written:>11.2f} ms{1000 * fused:>9.2f} ms")

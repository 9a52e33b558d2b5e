# %% [markdown] role="text"
# ## 4. The cache (10 points)
#
# Your model writes one token at a time. For each it reads the whole text so far, computes queries, keys and values of
# every token in every layer, and then uses the logits of the *last* position only. For the next token it does all of it
# again, for a text that is one token longer. To write $n$ tokens it reads $1+2+\dots+n\approx n^2/2$.
#
# Nearly all of this is repetition, and causality says so. No token knows what comes later, so the stream of token 5 is
# the same after 6 tokens as after 600, in every layer, and so are its key and its value. Of old tokens a new one needs
# just these two: its query meets their keys and averages their values. Their queries nobody asks for again. So keep
# **keys and values**, and compute only what is new:
#
# $$ \text{cache}\leftarrow(k_1,v_1),\dots,(k_{t-1},v_{t-1});\qquad
# x_t\;\to\;q_t,k_t,v_t;\qquad y_t=\sum_{s\le t}a_{ts}v_s . $$
#
# The cache changes nothing but time. That makes it pleasant to test: the logits have to be those of question 3, however
# the text was cut into pieces.
#
# ### 4a. How large is it? (code, 1 point)
#
# The price is memory. Write `cache_bytes`, the size of all keys and values of B sequences of T tokens each, as a whole
# number of bytes. One line.


# %% role="answer" part="4a"
def cache_bytes(cfg: GPTConfig, B: int, T: int, bytes_per_number: int = 4) -> int:
    """Bytes of the keys and values of B sequences of T tokens in all layers of a model."""
    ### BEGIN SOLUTION
    return 2 * cfg.n_layer * B * T * cfg.n_embd * bytes_per_number
    ### END SOLUTION


# %% role="check" part="4a"
with check("4a") as c:
    cfg = GPTConfig(vocab_size=65, block_size=256, n_layer=6, n_head=6, n_embd=384)
    c.equal(cache_bytes(cfg, 1, 1, 1), 4608, "one token leaves 4608 numbers in this model")
    c.equal(cache_bytes(cfg, 2, 10), 80 * cache_bytes(cfg, 1, 1, 1), "20 tokens of 4 bytes a number")

# %% [markdown] role="text"
# ### 4b. Attention with a memory (code, 4 points)
#
# Write `CachedAttention`. It inherits from your `CausalSelfAttention`, with the same weights under the same names, so
# that a trained model can be given a cache afterwards; only `forward` is new.
#
# - Without a cache it does what it did.
# - `cache` is a dict, one for each layer and conversation, empty at first. What you keep in it, under which names, is
#   up to you: two tensors that grow, a list of pieces, buffers of `block_size` tokens that fill up. Nothing of a
#   conversation may be kept in the module: the next call may belong to another one.
# - `x` (B, T, C) are **new** tokens. They may be one or several (the beginning of a text is read in one go, which is
#   called *prefill*), and there may be old ones already. They join the cache.
# - Return the answers to the new tokens, (B, T, C). Only new tokens are multiplied by weights.
#
# Three things go wrong easily. **Positions** go on: the first new token after 57 stands at position 57. **The mask** of
# T new tokens after P old ones is (T, P + T): new token $i$ sees all old ones and the new ones up to itself. Torch's
# `is_causal=True` means something else when there are more keys than queries: its triangle starts in the *upper left*
# corner, as if the queries were the first tokens. And keys may be kept before or after their rotation, but must be
# rotated once. (A single new token needs no mask: it sees everything. That is why a wrong mask often stays unnoticed
# until somebody prefills in two pieces.) Expect 10 to 14 lines.


# %% role="answer" part="4b"
class CachedAttention(CausalSelfAttention):
    """Your attention, with the same weights, that may keep keys and values in a dict."""

    def forward(self, x: Tensor, cache: dict | None = None) -> Tensor:
        """The answers (B, T, C) to the tokens x (B, T, C), which follow those in the cache; they join it."""
        ### BEGIN SOLUTION
        if cache is None:
            return super().forward(x)
        B, T, C = x.shape
        past = cache["v"].shape[2] if cache else 0
        heads = self.qkv(x).view(B, T, 3 * self.cfg.n_head, -1).transpose(1, 2)  # (B, 3H, T, D)
        qk, v = heads.split([2 * self.cfg.n_head, self.cfg.n_head], dim=1)
        q, k = rotate(qk, torch.arange(past, past + T, device=x.device)).chunk(2, dim=1)
        if past:
            k, v = torch.cat([cache["k"], k], dim=2), torch.cat([cache["v"], v], dim=2)  # (B, H, past + T, D)
        cache["k"], cache["v"] = k, v
        mask = torch.ones(T, past + T, dtype=torch.bool, device=x.device).tril(past)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out(y.transpose(1, 2).reshape(B, T, C))
        ### END SOLUTION


# %% role="check" part="4b"
with check("4b") as c:
    torch.manual_seed(0)
    attention = CachedAttention(GPTConfig(vocab_size=9, block_size=16, n_layer=1, n_head=2, n_embd=8))
    for parameter in attention.parameters():
        nn.init.normal_(parameter, std=0.6)
    x, memory = torch.randn(2, 7, 8), {}
    whole, pieces = attention(x), [attention(piece, memory) for piece in x.split([4, 2, 1], dim=1)]
    c.shape(pieces[1], (2, 2, 8), "answers to two new tokens")
    c.close(pieces[0], whole[:, :4], "the first four tokens at once", atol=1e-5)
    c.close(pieces[1], whole[:, 4:6], "then two, which see four old ones and, the second, the first", atol=1e-5)
    c.close(pieces[2], whole[:, 6:], "then one", atol=1e-5)

# %% [markdown] role="text"
# ### 4c. The model (code, 3 points)
#
# Write `CachedGPT`, which inherits from your `GPT`: its blocks get a `CachedAttention` in the place of their `attn`,
# and `forward(idx, cache)` takes a list of dicts, one for each layer, and hands each block its own (a `Block` passes on
# what it gets besides `x`). It returns the logits of the new tokens only. Parameters keep their names. Expect 2 lines
# and 5.


# %% role="answer" part="4c"
class CachedGPT(GPT):
    """Your GPT with CachedAttention in its blocks; parameters have the same names, so weights can be loaded."""

    def __init__(self, cfg: GPTConfig) -> None:
        super().__init__(cfg)
        ### BEGIN SOLUTION
        for block in self.blocks:
            block.attn = CachedAttention(cfg)
        ### END SOLUTION

    def forward(self, idx: Tensor, cache: list[dict] | None = None) -> Tensor:
        """Logits (B, T, V) of the tokens idx (B, T), which follow those in the cache (a dict for each layer)."""
        ### BEGIN SOLUTION
        if cache is None:
            return super().forward(idx)
        x = self.embedding(idx)
        for block, own in zip(self.blocks, cache, strict=True):
            x = block(x, own)
        return self.head(self.norm(x))
        ### END SOLUTION


# %% role="given" id="new-cache"
def new_cache(model: CachedGPT) -> list[dict]:
    """An empty cache: a dict for each layer."""
    return [{} for _ in range(model.cfg.n_layer)]


def with_cache(model: GPT) -> CachedGPT:
    """A CachedGPT with a copy of the model's weights, on its device, in evaluation mode."""
    cached = CachedGPT(model.cfg).to(next(model.parameters()).device)
    cached.load_state_dict(model.state_dict())
    return cached.eval()


# %% role="check" part="4c"
with check("4c") as c, torch.no_grad():
    torch.manual_seed(0)
    plain = GPT(GPTConfig(vocab_size=9, block_size=16, n_layer=3, n_head=2, n_embd=8)).eval()
    for parameter in plain.parameters():
        nn.init.normal_(parameter, std=0.6)
    cached = with_cache(plain)
    idx, memory = torch.randint(9, (2, 9)), new_cache(cached)
    c.close(cached(idx), plain(idx), "without a cache, your GPT", atol=1e-5)
    pieces = [cached(piece, memory) for piece in idx.split([3, 5, 1], dim=1)]
    c.shape(pieces[1], (2, 5, 9), "logits of five new tokens")
    c.close(torch.cat(pieces, dim=1), plain(idx), "pieces of 3, 5 and 1 give the logits of the whole", atol=1e-5)

# %% [markdown] role="text"
# **Look: what it buys, and what it costs.** Left: the time for one more token after a text of growing length, computed
# from the whole text and with the cache. Right: the memory of the cache for one text, in single precision, beside the
# memory of the weights.
#
# > **Time.** `QUICK`: 4 s on a busy core of an Intel Xeon (measured). Full: about 20 s there, less on a GPU
# > (estimates).


# %% role="run"
def seconds_per_token(model: CachedGPT, T: int, cached: bool, n: int = 6) -> float:
    """The best time of n for the logits after T + 1 tokens, with a cache of T of them or with nothing."""
    idx, cache, best = torch.randint(model.cfg.vocab_size, (1, T + 1), device=here.device), new_cache(model), math.inf
    if cached:
        model(idx[:, :T], cache)
    for _ in range(n):
        start = time.perf_counter()
        logits = model(idx[:, -1:], cache) if cached else model(idx)
        logits[0, -1].argmax().item()  # a number: waits for a GPU
        best = min(best, time.perf_counter() - start)
    return best


with experiment("what the cache buys"), torch.no_grad():
    lengths = [32, 64, 128, 256, 512] if QUICK else [32, 64, 128, 256, 512, 1024, 2048]
    cfg = GPTConfig(len(chars), lengths[-1] + 8, n_layer=4, n_head=4, n_embd=128)
    reader = CachedGPT(cfg).to(here.device).eval()
    seconds_per_token(reader, 32, cached=False)  # the first call is slow
    times = {name: [seconds_per_token(reader, T, name == "with the cache") for T in lengths]
             for name in ("from the whole text", "with the cache")}  # fmt: skip
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.8), layout="constrained")
    for (name, seconds), dash in zip(times.items(), figures.DASHES, strict=False):
        left.plot(lengths, [1000 * each for each in seconds], dash + "o", label=name)
    left.set(xscale="log", yscale="log", xlabel="tokens before", ylabel="ms for one more token")
    weights = 4 * sum(p.numel() for p in reader.parameters()) / 2**20
    held = [cache_bytes(cfg, 1, T) / 2**20 for T in lengths]
    right.plot(lengths, held, "-o", label="cache of one text")
    right.axhline(weights, color="black", linestyle="--", label="weights")
    right.set(xscale="log", yscale="log", xlabel="tokens before", ylabel="MiB")
    right.set_yticks(held)
    for ax in (left, right):
        ax.set_xticks(lengths, lengths)
        ax.minorticks_off()
        ax.yaxis.set_major_formatter("{x:g}")
        ax.legend()
    gain = [slow / fast for slow, fast in zip(*times.values(), strict=True)]
    print(", ".join(f"{T} tokens: {g:.1f} times as fast" for T, g in zip(lengths, gain, strict=True)))
    figures.show(figure, "The time from the whole text grows with its length; with the cache it hardly does.")

# %% [markdown] role="text"
# **Look.** Where would the two curves meet, and why does a short text cost hardly more than a single token? The lower
# curve is not quite flat at its end: which of the operations of 3f still grow with T? At which length would the cache
# be as large as the weights?
#
# ### 4d. What a token costs (written, 2 points)
#
# 1. A model with N weights in its maps, L layers and width C continues an empty text to n tokens. How many operations
#    does that take without and with a cache (count attention, too)? Evaluate the ratio for question 3's model
#    ($N=10.6\cdot10^6$, L = 6, C = 384) and n = 256. Why may old keys be kept after their rotation, and what would go
#    wrong if a model without masks, in which every token sees all others, used a cache? (1 point)
# 2. A model has L = 32 layers of width C = 4096 and $7\cdot10^9$ weights, with 2 bytes per number. How much memory does
#    its cache take per token, and for 16 conversations of 8192 tokens? To write one token, all weights and the
#    conversation's cache have to be read from memory once. How long does that take at $2\cdot10^{12}$ bytes per second
#    for one conversation, and what do 16 conversations at a time change about each of the two parts? What becomes of
#    the cache if 8 query heads share one head of keys and values (*grouped queries*, Ainslie et al., 2023)? (1 point)

# %% [markdown] role="written" part="4d"
# ### BEGIN SOLUTION
# **1.** A pass over t tokens costs $2Nt$ for the maps and, if all pairs are multiplied, $4LCt^2$ for attention. Without
# a cache the passes are over $t=1,\dots,n$: $\sum_t(2Nt+4LCt^2)\approx Nn^2+\tfrac43LCn^3$. With a cache, step t costs
# $2N$ and $4LCt$: together $2Nn+2LCn^2$. For the numbers: without, $10.6\cdot10^6\cdot65{,}536\approx6.9\cdot10^{11}$
# plus $\tfrac43\cdot2304\cdot1.68\cdot10^7\approx5\cdot10^{10}$; with, $5.4\cdot10^9$ plus $3\cdot10^8$: a ratio of
# about $7.5\cdot10^{11}/5.7\cdot10^9\approx130$, that is, about $n/2$.
#
# A key's rotation depends on its own position only, which never changes; the distance comes in through the query.
# Without masks, a new token changes the answers of all old ones, hence their streams, and, from the second layer on,
# their keys and values: what was kept is no longer true, and everything has to be computed again. Only causality makes
# the cache exact.
#
# **2.** Per token $2\cdot32\cdot4096\cdot2=524{,}288$ bytes, half a MiB; for one conversation of 8192 tokens 4 GiB, for
# 16 of them 64 GiB, nearly five times the weights' 14 GB. One token of one conversation: $14\cdot10^9+4.3\cdot10^9$
# bytes, about 9 ms (7 for the weights, 2 for the cache). Sixteen conversations at a time read the weights once for all,
# but sixteen caches: $14\cdot10^9+69\cdot10^9$ bytes, 41 ms for 16 tokens, 2.6 ms per token; the weights' part is
# shared, the cache's is not, and it is now the larger one. With 8 query heads to one of keys and values the cache is an
# eighth, 8 GiB for all, and the step takes $14\cdot10^9+8.6\cdot10^9$ bytes, 11 ms.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 0.5 points: N n^2 (and n^3 for attention) against 2 N n (and n^2), and a ratio of about n / 2, 100 to 150
# - 0.5 points: a key's rotation is its own position's; without masks old keys and values change with each new token
# - 0.5 points: half a MiB per token, 64 GiB for all
# - 0.5 points: about 9 ms, weights are shared by conversations and caches are not, an eighth with grouped queries
# ### END MARK SCHEME

# %% [markdown] role="text"
# ### 3e. The model (code, 3 points)
#
# A transformer is a **residual stream**: C numbers per token, which every layer reads, and to which it *adds*.
# Attention moves information between tokens, the small network below (`MLP`, the same for every token) computes with
# it. Each reads a normalised copy and writes into the stream itself (*pre-norm*, Xiong et al., *On layer normalization
# in the transformer architecture*, 2020), so that the way from the loss back to the embedding is a sum, along which
# gradients neither vanish nor explode.


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

    def forward(self, x: Tensor, *cache: dict) -> Tensor:
        """The stream (B, T, C) after this layer; a cache, which question 4 invents, is handed to the attention."""
        x = x + self.drop(self.attn(self.norm1(x), *cache))
        return x + self.drop(self.mlp(self.norm2(x)))


# %% [markdown] role="text"
# Write `GPT`. A table gives each token its first C numbers (`nn.Embedding`, started with standard deviation 0.02); then
# come the `n_layer` blocks, in an `nn.ModuleList`; a last `RMSNorm`; and a head, a `linear` map to V logits, which is a
# map of its own (in GPT-2 it shares its numbers with the table). There is no table of positions, since attention knows
# them, and no softmax, since the loss has one. The logits at position $t$ say what comes *after* token $t$: nothing is
# shifted here.
#
# How do you know that a model that was never trained is right? One number tells a lot: small weights make small logits,
# all V tokens are about equally probable, and the loss is about $\log V$. Much more means that something starts too
# large. Less means that it can see the answer.


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


# %% role="check" part="3e"
with check("3e") as c:
    torch.manual_seed(0)
    tiny = GPT(GPTConfig(vocab_size=50, block_size=16, n_layer=3, n_head=2, n_embd=16))
    idx = torch.randint(50, (4, 12))
    logits = tiny(idx)
    c.shape(logits, (4, 12, 50), "the logits")
    loss = F.cross_entropy(logits.flatten(0, 1), torch.randint(50, (48,)))
    c.close(loss, math.log(50), "before training the loss is about log V", atol=0.2)
    c.equal(sum(p.numel() for p in tiny.parameters()), 10928, "the number of parameters is that of the text's model")
    changed = torch.cat([idx[:, :7], (idx[:, 7:] + 1) % 50], dim=1)
    c.true(torch.equal(tiny(changed)[:, :7], logits[:, :7]), "tokens 7 to 11 are unknown to logits 0 to 6, bit by bit")
    loss.backward()
    c.true(all(p.grad is not None and p.grad.any() for p in tiny.parameters()), "every parameter gets a gradient")

# %% [markdown] role="text"
# **Look: who knows of whom.** An untrained model with large random weights reads 24 characters of Shakespeare. Then one
# of them is exchanged, each in turn, and the picture shows by how much each position's logits change. White is exactly
# zero, not small.

# %% role="run"
with experiment("who knows of whom"), torch.no_grad():
    torch.manual_seed(1)
    wild = GPT(GPTConfig(vocab_size=len(chars), block_size=24, n_layer=2, n_head=4, n_embd=32)).eval()
    for parameter in wild.parameters():
        nn.init.normal_(parameter, mean=float(parameter.ndim == 1), std=0.15)
    line = encode_chars("To be, or not to be, tha")
    others = line.repeat(24, 1)
    others[torch.arange(24), torch.arange(24)] = (line + 7) % len(chars)  # row j: character j is another one
    change = (wild(others) - wild(line[None])).abs().amax(dim=2)  # (changed, position)
    figure, ax = plt.subplots(figsize=(6.4, 5), layout="constrained")
    shown = change.log10().masked_fill(change == 0, math.nan)
    image = ax.imshow(shown, cmap="viridis", interpolation="nearest")
    figure.colorbar(image, ax=ax, label="log10 of the largest change of a logit")
    letters = [ch if ch != " " else "␣" for ch in decode_chars(line)]
    ax.set_xticks(range(24), letters)
    ax.set_yticks(range(24), letters)
    ax.set(xlabel="logits after this character", ylabel="this character is another one")
    figures.show(figure, "Changes reach later positions only: below the diagonal nothing changes at all.")

# %% [markdown] role="text"
# **Look.** Why are the diagonal and the upper left corner brightest? In the row of the first character, does its
# influence die out? Which picture would the mistake "viewed as (B, H, T, D) without a transpose" give?
#
# ### 3f. Parameters and operations (written, 3 points)
#
# Let V, L, H, C be the sizes of vocabulary, layers, heads and width, and T the length of the context.
#
# 1. Count the parameters of your GPT exactly, part by part, and evaluate for V = 65, L = 6, H = 6, C = 384. What share
#    do the maps of attention have, and the networks? Why does H not matter, nor T? (1 point)
# 2. A product of an (n, m) and an (m, p) matrix costs $2nmp$ operations. How many does a forward pass cost **per
#    token** for the maps (with the head; looking up the table costs nothing), and how many for the similarities and
#    averages of attention if all T keys are multiplied? The backward pass costs twice the forward pass: why? At which T
#    does attention cost as much as the maps of the blocks? For the sizes above and T = 256, how many operations does a
#    training step with 64 sequences take, and how long does it last at $2\cdot10^{13}$ operations per second? (1 point)
# 3. How many numbers does your `sdpa` keep for the backward pass, per layer, for the same step, and how many bytes is
#    that at 2 bytes each? A fused kernel keeps one number per query and head besides q, k, v and the output. Which
#    number lets it recompute the weights block by block, and why is doing work twice faster? (1 point)

# %% [markdown] role="written" part="3f"
# ### BEGIN SOLUTION
# **1.** The table has $VC$ numbers, the head $VC$. A block has $4C^2$ in attention, $4C^2+4C^2=8C^2$ in the network,
# and $2C$ gains; the last norm has $C$. Together
#
# $$ N=2VC+C+L\,(12C^2+2C) . $$
#
# For the sizes given: $2\cdot65\cdot384=49{,}920$; $384$;
# $6\cdot(12\cdot147{,}456+768)=6\cdot1{,}770{,}240=10{,}621{,}440$; so $N=10{,}671{,}744$. Attention has
# $4\cdot6\cdot147{,}456=3{,}538{,}944$ (33.2 %), the networks twice that (66.3 %); the rest is half a percent. H only
# says how the C channels are cut, $H\cdot D=C$; T does not occur since every position uses the same weights, and rotary
# positions are computed, not stored.
#
# **2.** Each weight of a map is used once per token, in one multiplication and one addition: $2(12LC^2+VC)$ operations
# per token, that is, twice the number of weights in maps. Similarities: for each of H heads, T inner products of D
# numbers, $2HTD=2TC$; the averages of values cost the same; in L layers $4LTC$. In the backward pass, each product
# $y=xW$ gives rise to two products of the same size, one for the gradient of $x$ and one for that of $W$ (for attention
# likewise one for either factor). Equal cost: $24LC^2=4LTC$ at $T=6C$, here 2304 tokens. (If the kernel skips what the
# mask hides, about half of the products remain, and it is $T=12C$.) Per token and forward pass:
# $2(12\cdot6\cdot147{,}456+24{,}960)=21{,}283{,}584$, and $4\cdot6\cdot256\cdot384=2{,}359{,}296$ for attention,
# together $23.6\cdot10^6$. Three times that for forward and backward, times $64\cdot256=16{,}384$ tokens:
# $1.16\cdot10^{12}$ operations, or 0.058 s.
#
# **3.** The weights after the softmax, $B\cdot H\cdot T^2=64\cdot6\cdot65{,}536=25{,}165{,}824$ numbers per layer, 50
# MB at 2 bytes, 302 MB in six layers (and as many for every further table that autograd keeps, such as the masked
# similarities; softmax needs only its output). The fused kernel keeps the logarithm of each query's sum of
# exponentials, $\log\sum_se^{z_{ts}}$: with it $a_{ts}=e^{z_{ts}-\text{lse}_t}$ can be computed for any block of keys
# by itself, from $q$ and $k$. The arithmetic is cheap; what takes time is moving the tables between the processor and
# its memory. A kernel that recomputes them in a fast memory of $M$ numbers near the processor moves
# $O(T^2D^2/M)$ numbers, a small share of the $O(T^2)$ of the written one as $D^2\ll M$, and keeps only $O(TD)$.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 0.5 points: the formula with both tables, 12 C^2 per block and the gains
# - 0.5 points: the number (10.67 million), the shares of a third and two thirds, why H and T do not occur
# - 0.5 points: two operations per weight and token, 4 L T C for attention, and why backward is twice forward
# - 0.5 points: T = 6 C (or 12 C with a kernel that skips), about 1.2e12 operations and 0.06 s
# - 0.5 points: B H T^2 numbers per layer, 50 MB
# - 0.5 points: the log of the sum of exponentials, and that memory traffic is what costs time
# ### END MARK SCHEME

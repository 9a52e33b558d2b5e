# %% [markdown] role="text"
# ## x1. Masked diffusion (10 points)
#
# A GPT writes from left to right, one token at a time, and never changes what it has written. None of this is a law of
# nature. Problem set 3 made images out of noise, all pixels at the same time and in any number of steps. What is noise
# for text? The simplest answer works best: a token is either there or it is *masked* (Austin et al., *Structured
# denoising diffusion models in discrete state-spaces*, 2021; Sahoo et al., *Simple and effective masked diffusion
# language models*, 2024; Shi et al., *Simplified and generalized masked diffusion for discrete data*, 2024).
#
# - **Forward.** At time $t\in[0,1]$ every token has been replaced, by itself, by the mask with probability $t$. At
#   $t=0$ the text is whole, at $t=1$ nothing is left.
# - **The network** reads a text $z$ with masks and gives, for *every* position at once, logits over the $V$ real
#   tokens. The mask is token number $V$: an input of the network, never an output. There is no causal mask: positions
#   on both sides are seen.
# - **Backward.** A token that is there stays. A masked one becomes, sooner or later, a token that is drawn from what
#   the network says.
#
# ### x1a. Noise and loss (code, 3 points)
#
# Which loss belongs to this? The bound on $-\log p(x)$ that you derived for Gaussian noise in problem set 3 can be
# derived here, too, and all its terms but one cancel: between the times $t$ and $t-dt$ a masked token is uncovered with
# probability $dt/t$, and at that moment the network must name it. So
#
# $$ \mathcal L(x)=\int_0^1\frac1t\;\mathbb E_{z\sim q_t(z\mid x)}\Big[\sum_{i:\,z_i=\text{mask}}-\log
# p_\theta(x_i\mid z)\Big]\,dt\;\ge\;-\log p_\theta(x) . $$
#
# It is a cross-entropy over the masked positions (what is there needs no guess), divided by the share of positions that
# one expects to be masked. This is the loss of BERT, with a mask rate that is drawn anew for each example and the right
# weight in front: with it, guessing words becomes a likelihood.
#
# Write both functions. The time `t` is (B,), one for each example, in $(0,1]$.
#
# - `mask_tokens`: position $i$ of example $b$ is masked exactly if its uniform number is *below* its example's time,
#   $u_{bi}<t_b$.
# - `mdlm_loss`: the integrand for one draw of $t$ and $u$, that is, the sum over the masked positions of each example,
#   times $1/t_b$. In nats, (B,). Expect 3 lines.


# %% role="answer" part="x1a"
def mask_tokens(x: Tensor, t: Tensor, u: Tensor, mask: int) -> Tensor:
    """The text x (B, T) with the token `mask` wherever the uniform number u (B, T) is below the time t (B,)."""
    ### BEGIN SOLUTION
    return torch.where(u < t[:, None], mask, x)
    ### END SOLUTION


def mdlm_loss(model: Callable[[Tensor], Tensor], x: Tensor, t: Tensor, u: Tensor, mask: int) -> Tensor:
    """Nats (B,) of the masked tokens of x (B, T), weighted by 1 / t; model maps (B, T) to logits (B, T, mask)."""
    ### BEGIN SOLUTION
    z = mask_tokens(x, t, u, mask)
    surprise = F.cross_entropy(model(z).mT, x, reduction="none")  # (B, T)
    return torch.where(z == mask, surprise, 0.0).sum(dim=1) / t
    ### END SOLUTION


# %% role="check" part="x1a"
with check("x1a") as c:
    x, u = torch.tensor([[0, 1, 2], [2, 1, 0]]), torch.tensor([[0.1, 0.6, 0.4], [0.9, 0.7, 0.3]])
    z = mask_tokens(x, torch.tensor([0.5, 0.25]), u, 3)
    c.equal(z.tolist(), [[3, 1, 3], [2, 1, 0]], "masked where u is below the time of the example")
    blind = lambda z: torch.zeros(*z.shape, 3)  # noqa: E731
    loss = mdlm_loss(blind, x, torch.tensor([0.5, 0.25]), u, 3)
    c.shape(loss, (2,), "the loss")
    c.close(loss, [2 * math.log(3) / 0.5, 0.0], "two masked tokens cost log 3 each, times 1 / t; none costs nothing")

# %% [markdown] role="text"
# ### x1b. One step back (code, 3 points)
#
# From time $t$ to an earlier time $s<t$. A token that is masked at $t$ was masked at $s$ already with probability
# $s/t$ (it is masked at $s$ exactly if $u<s$, and that $u<t$ is known). So each masked position, by itself, is
# uncovered with probability $1-s/t$, and gets a token from the network's distribution at this position.
#
# Write `unmask_step`. A masked position is uncovered exactly if its number $u^\text{when}_{bi}<1-s/t$; its token is the
# one on which $u^\text{what}_{bi}$ falls, by your `sample_from` of question 6 (which takes rows, so flatten). With
# $s=0$ nothing may stay masked. Expect 4 lines.


# %% role="answer" part="x1b"
@torch.no_grad()
def unmask_step(
    model: Callable[[Tensor], Tensor], z: Tensor, t: float, s: float, u_when: Tensor, u_what: Tensor, mask: int
) -> Tensor:
    """The text (B, T) at time s < t, from z (B, T) at time t and uniform numbers u_when, u_what (B, T)."""
    ### BEGIN SOLUTION
    probs = model(z).softmax(dim=-1)  # (B, T, V)
    drawn = sample_from(probs.flatten(0, 1), u_what.flatten()).reshape(z.shape)
    return torch.where((z == mask) & (u_when < 1 - s / t), drawn, z)
    ### END SOLUTION


# %% role="check" part="x1b"
with check("x1b") as c:
    even = lambda z: torch.zeros(*z.shape, 4)  # noqa: E731
    z = torch.tensor([[4, 4, 1, 4]])
    when, what = torch.tensor([[0.1, 0.7, 0.1, 0.4]]), torch.tensor([[0.6, 0.1, 0.9, 0.8]])
    c.equal(unmask_step(even, z, 0.8, 0.4, when, what, 4).tolist(), [[2, 4, 1, 3]], "chance 1/2: two of three")
    c.equal(unmask_step(even, z, 0.8, 0.0, when, what, 4).tolist(), [[2, 0, 1, 3]], "at s = 0 all of them")

# %% [markdown] role="text"
# ### x1c. The surest first (code, 2 points)
#
# Which positions a step uncovers was left to chance. A common rule for using such models (Chang et al., *MaskGIT*,
# 2022) lets the network decide: ask it, take the most probable token of each masked position, and keep those of which
# it is surest.
#
# Write `confidence_decode`. While anything is masked: ask the model once for all rows; in each row, find the `k`
# masked positions whose most probable token has the highest probability (all of them, if `k` or fewer are left), and
# put these tokens there. So k = 1 asks the model once for each token, and a large k asks it once. Tokens that are there
# never change. (Among equals, any.) Expect 6 lines.


# %% role="answer" part="x1c"
@torch.no_grad()
def confidence_decode(model: Callable[[Tensor], Tensor], z: Tensor, k: int, mask: int) -> Tensor:
    """The text z (B, T) without masks: in each round, the k surest masked positions of a row get their best token."""
    ### BEGIN SOLUTION
    while (z == mask).any():
        surest, token = model(z).softmax(dim=-1).max(dim=-1)  # (B, T) each
        surest = surest.masked_fill(z != mask, -1.0)
        rank = surest.argsort(descending=True).argsort()  # 0 for the surest of a row
        z = torch.where((z == mask) & (rank < k), token, z)
    return z
    ### END SOLUTION


# %% role="check" part="x1c"
with check("x1c") as c:
    asked = []

    def left_is_surer(z: Tensor) -> Tensor:
        """A model that copies: token 0 or 1 as the left neighbour, and the surer the further left."""
        asked.append(z.tolist())
        left = torch.cat([torch.zeros_like(z[:, :1]), z[:, :-1]], dim=1)
        likes = torch.where(left == 2, 0, left)
        return (8.0 - torch.arange(z.shape[1]))[:, None] * F.one_hot(likes, 2)

    z = torch.tensor([[1, 2, 2, 2]])
    c.equal(
        confidence_decode(left_is_surer, z, 1, 2).tolist(), [[1, 1, 1, 1]], "one at a time, each sees the one before"
    )
    c.equal(len(asked), 3, "three masks, three calls of the model")
    c.equal(confidence_decode(left_is_surer, z, 3, 2).tolist(), [[1, 1, 0, 0]], "all at once, two of them see a mask")

# %% [markdown] role="text"
# ### What parallel decoding costs
#
# A GPT needs one call for each token. This model may uncover many tokens with one call; but those are drawn *each by
# itself*, and tokens that belong together may not fit. How much does it cost? To see this cost alone, without the
# mistakes of a network, we need a network that makes none. For one language there is one: text from your bigram table
# of question 2. In a Markov chain, a masked token depends on the nearest known token on either side only, and what it
# is, given both, is a product of two powers of the table.


# %% role="given" id="perfect-denoiser"
class PerfectDenoiser:
    """The exact distribution of each masked token of a Markov chain, given all that are not masked."""

    def __init__(self, log_P: Tensor, T: int) -> None:
        P = log_P.exp()
        self.mask = len(P)
        self.start = torch.linalg.matrix_power(P, 1000)[0]  # (V,), far from any beginning
        self.powers = torch.stack(list(accumulate([P] * T, torch.matmul, initial=torch.eye(len(P)).to(P))))

    def __call__(self, z: Tensor) -> Tensor:
        """Log-probabilities (B, T, V), not normalised, of z (B, T)."""
        T, place, known = z.shape[1], torch.arange(z.shape[1]), z != self.mask
        left = torch.where(known, place, -1).cummax(dim=1).values  # the nearest known position at or before each
        right = torch.where(known, place, T).flip(1).cummin(dim=1).values.flip(1)
        before = self.powers[place - left.clamp(min=0), z.gather(1, left.clamp(min=0)) % self.mask]
        before = torch.where((left < 0)[..., None], self.start, before)
        after = self.powers.mT[right.clamp(max=T - 1) - place, z.gather(1, right.clamp(max=T - 1)) % self.mask]
        return (before * torch.where((right == T)[..., None], 1.0, after)).log()


# %% role="run"
with experiment("the cost of parallel decoding"):
    log_P = bigram_mle(ids_train, len(chars), 0.003)
    T, B, draw = 64, 100 if QUICK else 400, torch.Generator().manual_seed(0)
    perfect = PerfectDenoiser(log_P, T)
    stationary = perfect.start
    rate = float(-(stationary[:, None] * log_P.exp() * log_P).sum())
    nothing = torch.full((B, T), perfect.mask)
    calls, surprise, wrote = [1, 2, 4, 8, 16, 32, 64, 128], [], {}
    for n in calls:
        z, times = nothing, torch.linspace(1, 0, n + 1).tolist()
        for t, s in pairwise(times):
            z = unmask_step(perfect, z, t, s, *torch.rand(2, B, T, generator=draw).double(), perfect.mask)
        surprise.append(float(torch.stack([nll(log_P, row) for row in z]).mean()))
        wrote[n] = decode_chars(z[0]).replace("\n", "⏎")
    figure, ax = plt.subplots(figsize=(7, 3.8), layout="constrained")
    ax.semilogx(calls, surprise, marker="o", base=2, label="text of the perfect denoiser")
    ax.axhline(rate, color="black", linestyle="--", label="text of the chain itself")
    ax.set(xlabel="calls of the model for 64 characters", ylabel="nats per character, under the chain")
    ax.set_xticks(calls, calls)
    ax.legend()
    figures.show(
        figure,
        f"The surprise of the written text falls from {surprise[0]:.2f} with one call to {surprise[-1]:.2f} with "
        f"{calls[-1]}; the chain's own text has {rate:.2f}.",
    )
    for n in (1, 4, 16, 128):
        print(f"{n:4} calls: {wrote[n]}")

# %% [markdown] role="text"
# **Look.** Every single distribution that was drawn from was exact. What, then, is wrong with the text of one call, and
# what is right about it (count its spaces)? From where on is another doubling of the calls hardly worth it, and why is
# there still a gap with 64 calls for 64 characters?
#
# ### A network that fills in
#
# Now a real one. The network below has the parts of your GPT (its attention sees both sides), and your loss trains it
# on Shakespeare. In a batch the times are spread evenly, which makes the loss less noisy and is still right on average.
#
# | | steps | time |
# | --- | --- | --- |
# | QUICK, two CPU cores | 500 | about 40 s (an estimate) |
# | full, T4 | 10,000 | about 10 min (an estimate) |


# %% role="given" id="denoiser"
class TwoWayAttention(nn.Module):
    """Attention of every token to all tokens, with rotary positions."""

    def __init__(self, cfg: GPTConfig) -> None:
        super().__init__()
        self.n_head = cfg.n_head
        self.qkv, self.out = linear(cfg.n_embd, 3 * cfg.n_embd), linear(cfg.n_embd, cfg.n_embd, cfg.residual_std)

    def forward(self, x: Tensor) -> Tensor:
        """The answers (B, T, C) to the tokens x (B, T, C)."""
        q, k, v = self.qkv(x).unflatten(2, (3, self.n_head, -1)).permute(2, 0, 3, 1, 4)  # (B, H, T, D) each
        place = torch.arange(x.shape[1], device=x.device)
        y = F.scaled_dot_product_attention(rotate(q, place), rotate(k, place), v)
        return self.out(y.transpose(1, 2).flatten(2))


class Denoiser(nn.Module):
    """Logits of the V = cfg.vocab_size real tokens at every position of a text in which token V is the mask."""

    def __init__(self, cfg: GPTConfig) -> None:
        super().__init__()
        self.cfg = cfg
        self.embedding = nn.Embedding(cfg.vocab_size + 1, cfg.n_embd)
        nn.init.normal_(self.embedding.weight, std=0.02)
        self.attention = nn.ModuleList(TwoWayAttention(cfg) for _ in range(cfg.n_layer))
        self.mlp = nn.ModuleList(MLP(cfg) for _ in range(cfg.n_layer))
        self.norms = nn.ModuleList(RMSNorm(cfg.n_embd) for _ in range(2 * cfg.n_layer + 1))
        self.head = linear(cfg.n_embd, cfg.vocab_size)

    def forward(self, z: Tensor) -> Tensor:
        """Logits (B, T, V) for the text z (B, T)."""
        x = self.embedding(z)
        for i, (attention, mlp) in enumerate(zip(self.attention, self.mlp, strict=True)):
            x = x + attention(self.norms[2 * i](x))
            x = x + mlp(self.norms[2 * i + 1](x))
        return self.head(self.norms[-1](x))


def spread_times(B: int, draw: torch.Generator) -> Tensor:
    """Times (B,) in (0, 1], each uniform by itself, and together evenly spread."""
    return 1 - (torch.rand(1, generator=draw) + torch.arange(B) / B) % 1


def train_denoiser(ids: Tensor, steps: int, cfg: GPTConfig, batch: int = 32) -> Denoiser:
    """A Denoiser trained on windows of ids (N,); resumes from its checkpoint."""
    torch.manual_seed(0)
    model, T = Denoiser(cfg).to(here.device), cfg.block_size
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.95), weight_decay=0.1)
    settings = {"steps": steps, "batch": batch, "cfg": str(cfg)}
    by = (train_denoiser, Denoiser)
    run = resumable("checkpoints/denoiser.safetensors", {}, made_by=by, settings=settings)
    if run.state:
        unpack(run.state, model=model, optimizer=optimizer)
    for step in run.steps(steps, "denoiser"):
        draw = torch.Generator().manual_seed(step)
        optimizer.param_groups[0]["lr"] = 3e-3 * min((step + 1) / 20, 1.02 - step / steps)
        starts = torch.randint(len(ids) - T, (batch, 1), generator=draw)
        x, u = ids[starts + torch.arange(T)], torch.rand(batch, T, generator=draw)
        parts = [each.to(here.device) for each in (x, spread_times(batch, draw), u)]
        loss = mdlm_loss(model, *parts, cfg.vocab_size).mean() / T
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        run.state = pack(model=model, optimizer=optimizer)
        if step % 10 == 0:
            run.log(nats=loss.item())
    return model.eval()


# %% role="run"
with experiment("a network that fills in", smaller="batch = 16"):
    width, layers, steps, batch = (96, 2, 500, 32) if QUICK else (384, 6, 10000, 64)
    denoiser = train_denoiser(ids_train, steps, GPTConfig(len(chars), 64, layers, 4, width), batch)
    windows = ids_val[: len(ids_val) // 64 * 64].reshape(-1, 64)[: 60 if QUICK else 150]
    holes = torch.rand(windows.shape, generator=torch.Generator().manual_seed(5)) < 0.5  # half of the characters
    torn = torch.where(holes, perfect.mask, windows)
    fillers = {"your network": lambda z: denoiser(z.to(here.device)).cpu(), "bigrams, exact": perfect}
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.6), layout="constrained")
    ks, sign = [1, 2, 4, 8, 16, 64], lambda row: decode_chars(row).replace("\n", "⏎")
    for (name, model), mark in zip(fillers.items(), ("-o", "--s"), strict=True):
        filled = [confidence_decode(model, torn, k, perfect.mask) for k in ks]
        restored = [100 * float((each == windows)[holes].float().mean()) for each in filled]
        left.semilogx(ks, restored, mark, base=2, label=name)
        nats = [float(torch.stack([nll(log_P, row) for row in each]).mean()) for each in filled]
        right.semilogx(ks, nats, mark, base=2, label=name)
        print(f"{name}\n   1 in each call: {sign(filled[0][3])}\n  64 in each call: {sign(filled[-1][3])}")
    wiped = "".join("_" if hole else ch for ch, hole in zip(sign(windows[3]), holes[3].tolist(), strict=True))
    print(f"torn:              {wiped}\ntrue:              {sign(windows[3])}")
    true = float(torch.stack([nll(log_P, row) for row in windows]).mean())
    right.axhline(true, color="black", linestyle=":", label="the true text")
    for ax, name in ((left, "masked characters restored, in percent"), (right, "nats per character, under bigrams")):
        ax.set(xlabel="characters in each call", ylabel=name)
        ax.set_xticks(ks, ks)
        ax.legend()
    figures.show(figure, "Characters restored, and the surprise of the filled text, by the characters in each call.")

# %% [markdown] role="text"
# **Look.** Your GPT could not fill these holes at all: why not? By the left measure, filling everything with one call
# is no worse, or even the best: what does the most probable token of each position, by itself, maximise? And what does
# the right measure see that the left one does not? Find the place in the printed lines.
#
# ### x1d. Orders, and what parallel steps lose (written, 2 points)
#
# 1. Let $p_\theta(x_i\mid z)$ be any network. Show that the integral of x1a is the average, over all orders of the
#    positions, of the negative log-likelihood in that order: $\mathcal L(x)=\mathbb E_\sigma\big[\sum_{k=1}^T-\log
#    p_\theta(x_{\sigma(k)}\mid x_{\sigma(1)},\dots, x_{\sigma(k-1)})\big]$. (First sum over how many tokens are masked;
#    $\int_0^1t^{m-1}(1-t)^{T-m}dt=\frac{(m-1)!\,(T-m)!}{T!}$.) So of which distribution does it bound $-\log
#    p_\theta(x)$, and when is the bound tight? A GPT of the same size has the lower loss on the same text. Why does
#    that not surprise? (1 point)
# 2. A perfect network uncovers all T tokens of a fully masked text in one step. Show that the divergence of the true
#    distribution from that of the result is $\sum_iH(x_i)-H(x)$, and compute it for a language of two equally probable
#    texts, 00 and 11. With K equal steps instead, how probable is it that the result is 01 or 10? What does
#    `confidence_decode` with k = 1 draw from a fully masked text, however often it is run, and what would have to be
#    changed for it to be a fair sampler? (1 point)

# %% [markdown] role="written" part="x1d"
# ### BEGIN SOLUTION
# **1.** A mask $M$ with $m$ positions has the probability $t^m(1-t)^{T-m}$, so
#
# $$ \mathcal L=\sum_{M}\int_0^1t^{m-1}(1-t)^{T-m}dt\sum_{i\in M}-\log p_\theta(x_i\mid x_{\bar M})
# =\sum_M\frac{(m-1)!\,(T-m)!}{T!}\sum_{i\in M}-\log p_\theta(x_i\mid x_{\bar M}) . $$
#
# In a uniformly random order $\sigma$, take the step $k=T-m+1$. The set of the first $T-m$ positions is $\bar M$ with
# probability $\frac{(T-m)!\,m!}{T!}$, and the next position is a given $i\in M$ with probability $\frac1m$: together
# $\frac{(T-m)!\,(m-1)!}{T!}$, the same weight. Hence the average over orders. The model that is bounded draws an order
# at random and then one token after another, $p_\theta(x)=\mathbb E_\sigma[p_\theta^\sigma(x)]$; by Jensen's inequality
# $-\log\mathbb E_\sigma[p_\theta^\sigma]\le\mathbb E_\sigma[-\log p_\theta^\sigma]$, with equality if all orders give
# the text the same probability, as they do for exact conditional distributions. A GPT learns the T conditionals of one
# order, and of an order in which text was made; this network has to learn those of all $2^T$ sets with the same number
# of weights, and pays the average over them.
#
# **2.** The result has the distribution $\prod_ip(x_i)$, as each token is drawn from its marginal. So
# $\mathrm{KL}=\sum_xp(x)\log\frac{p(x)}{\prod_ip(x_i)}=-H(x)+\sum_iH(x_i)$. For 00 and 11: $2\log2-\log2=\log2$. With K
# steps, each token's step is uniform and independent of the other's (it is uncovered in step $k$ where its $u$ lies in
# an interval of length $1/K$). They fall into the same step with probability $1/K$; then both are drawn by themselves,
# and differ with probability $\frac12$. Otherwise the second one is certain. Together $\frac1{2K}$. The decoder of x1c
# has no randomness: it gives one and the same text, built from tokens that were most probable, which is no sample at
# all (nor, in general, the most probable text). A fair sampler draws the token from the distribution instead of taking
# the largest; the order may depend on the network's confidence if one token at a time is drawn, as choosing a position
# by what is known already changes no conditional distribution (for an exact network).
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 0.5 points: the sum over masks, the integral, and the weight of a set and a position in a random order
# - 0.5 points: random-order sampling and Jensen, tight for exact conditionals; many orders are harder than one
# - 0.5 points: the divergence, log 2, and 1 / (2 K)
# - 0.5 points: the decoder is deterministic, and draws instead of maxima would make it fair
# ### END MARK SCHEME

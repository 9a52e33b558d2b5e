# %% [markdown] role="text"
# ## x5. Provenance (6 points)
#
# Who wrote this? Models that write like people can be asked to write homework, reviews and letters to the editor, in
# any number. Telling by the style gets harder with each model, and accuses people who write plainly. Kirchenbauer et
# al. (*A watermark for large language models*, 2023) turn the question around: let the model leave a trace that no
# reader sees, and that anybody with the key can count.
#
# The token before picks a **green list**, a share $\gamma$ of the vocabulary that looks random and depends on a secret
# key. While writing, the model gets a slight preference for green tokens, $\delta$ on their logits. A person does not
# know the lists: about $\gamma$ of their tokens are green. The model's text has more.
#
# ### x5a. Writing with a preference (code, 2 points)
#
# Below, `secret_lists` makes the lists of a key: `green[a, b]` says whether token $b$ is green after token $a$. Write
#
# - `favour`: logits (B, V) with $\delta$ added to the tokens that are green after `prev` (B,), in the logits' dtype;
# - `write_marked`: the loop of question 6, with it. In each step the model gets the last `model.cfg.block_size` tokens
#   of the text so far, the last of which is `prev`; the next one is drawn by `sample_from`, with `us[:, t]`. Expect 6
#   lines.


# %% role="given" id="secret-lists"
def secret_lists(key: int, V: int, n_green: int) -> Tensor:
    """The green lists (V, V) bool of a key: after each token, n_green of the V tokens."""
    order = torch.rand(V, V, generator=torch.Generator().manual_seed(key)).argsort(dim=1)
    return order < n_green


# %% role="answer" part="x5a"
def favour(logits: Tensor, prev: Tensor, green: Tensor, delta: float) -> Tensor:
    """Logits (B, V) with delta more for the tokens that are green (V, V) after the tokens prev (B,)."""
    ### BEGIN SOLUTION
    return logits + delta * green[prev].to(logits.dtype)
    ### END SOLUTION


@torch.no_grad()
def write_marked(
    model: Callable[[Tensor], Tensor], idx: Tensor, n: int, us: Tensor, green: Tensor, delta: float
) -> Tensor:
    """idx (B, T) followed by n tokens, (B, T + n), which prefer green ones by delta; us (B, n) draw them."""
    ### BEGIN SOLUTION
    for u in us[:, :n].T:
        logits = model(idx[:, -model.cfg.block_size :])[:, -1]  # (B, V)
        probs = favour(logits, idx[:, -1], green, delta).softmax(dim=-1)
        idx = torch.cat([idx, sample_from(probs, u)[:, None]], dim=1)
    return idx
    ### END SOLUTION


# %% role="check" part="x5a"
with check("x5a") as c:
    green = torch.tensor([[True, False, False], [False, True, True], [False, False, True]])
    got = favour(torch.zeros(2, 3), torch.tensor([1, 0]), green, 2.0)
    c.close(got, [[0.0, 2.0, 2.0], [2.0, 0.0, 0.0]], "the lists after tokens 1 and 0")
    flat = lambda idx: torch.zeros(*idx.shape, 3)  # noqa: E731
    flat.cfg = GPTConfig(3, 8, n_layer=0, n_head=1, n_embd=0)
    got = write_marked(flat, torch.tensor([[0], [1]]), 3, torch.tensor([[0.3, 0.9, 0.5], [0.6, 0.3, 0.9]]), green, 50.0)
    c.equal(got.tolist(), [[0, 0, 0, 0], [1, 2, 2, 2]], "a strong preference leaves green tokens only")

# %% [markdown] role="text"
# ### x5b. Counting (code, 2 points)
#
# Under the hypothesis that the writer did not know the key, each token is green with probability $\gamma$, and among
# $n$ of them $\gamma n$ are expected, with the variance of a binomial. The evidence is how many standard deviations
# more there are:
#
# $$ z=\frac{\text{hits}-\gamma n}{\sqrt{n\,\gamma(1-\gamma)}} . $$
#
# One trap: tosses of *different* coins are independent, and a repeated pair of tokens is the same coin. "th" is green
# or not, once and for all, and English is full of it. So count each **distinct** pair (token before, token) once; $n$
# is the number of distinct pairs. (Even they are not quite independent: all lists have the same size, so that after one
# token every green one leaves less room for others. The true spread is a little below 1, in favour of the innocent.)
#
# Write `count_green`, which gives the number of distinct pairs that are green, and of all distinct pairs, in `ids`; and
# `z_score` (0 for n = 0).


# %% role="answer" part="x5b"
def count_green(ids: Tensor, green: Tensor) -> tuple[int, int]:
    """Of the distinct pairs of neighbours in ids (N,): how many are green (V, V), and how many there are."""
    ### BEGIN SOLUTION
    pairs = torch.stack([ids[:-1], ids[1:]]).unique(dim=1)
    return int(green[pairs[0], pairs[1]].sum()), pairs.shape[1]
    ### END SOLUTION


def z_score(hits: int, n: int, gamma: float) -> float:
    """Standard deviations by which the hits among n exceed the share gamma; 0 if n = 0."""
    ### BEGIN SOLUTION
    return (hits - gamma * n) / math.sqrt(n * gamma * (1 - gamma)) if n else 0.0
    ### END SOLUTION


# %% role="check" part="x5b"
with check("x5b") as c:
    green = torch.tensor([[True, False, False], [False, True, True], [False, False, True]])
    c.equal(count_green(torch.tensor([0, 0, 1, 2, 0, 0, 1, 2]), green), (2, 4), "00, 01, 12, 20: two of four are green")
    c.close(z_score(60, 100, 0.5), 2.0, "ten more than fifty, with a standard deviation of five")
    c.close(z_score(10, 100, 0.25), -(12**0.5), "too few count as well, downwards")

# %% [markdown] role="text"
# **Look: the innocent and the marked.** Pages of Shakespeare, tested with keys that nobody used; then text of your GPT,
# with four strengths of the preference; and what is left of the strongest mark when letters are exchanged at random.
# The line at $z=4.75$ accuses one innocent text in a million.

# %% role="run"
with experiment("who wrote this?"), torch.no_grad():
    V, n_green, n_new = len(chars), 32, 250 if QUICK else 1000
    gamma = n_green / V
    z_of = lambda ids, green: z_score(*count_green(ids, green), gamma)  # noqa: E731
    page, keys = ids_val[:2000], range(200)
    every = [
        z_score(int(g[page[:-1], page[1:]].sum()), 1999, gamma) for g in (secret_lists(key, V, n_green) for key in keys)
    ]
    once = [z_of(page, secret_lists(key, V, n_green)) for key in keys]
    print(f"standard deviation of z: {np.std(every):.1f} if every pair counts, {np.std(once):.2f} if distinct ones do")

    green = secret_lists(2027, V, n_green)
    begin = encode_chars("ROMEO:\n").repeat(4, 1).to(here.device)
    us = torch.rand(4, n_new, generator=torch.Generator().manual_seed(0)).to(here.device)
    texts = {d: write_marked(gpt.eval(), begin, n_new, us, green.to(here.device), d).cpu() for d in (0, 1, 2, 4)}
    lengths = list(range(20, n_new + 1, n_new // 10))
    figure, (left, middle, last) = plt.subplots(1, 3, figsize=(15, 4), layout="constrained")
    for values, name, style in ((every, "every pair", "-"), (once, "distinct pairs", "--")):
        left.hist(values, bins=np.arange(-14, 15), histtype="step", linewidth=2, linestyle=style, label=name)
    left.set(xlabel="z of Shakespeare", ylabel="keys", title="false alarms")
    for (delta, rows), mark in zip(texts.items(), "os^D", strict=True):
        zs = [np.mean([z_of(row[6 : 7 + n], green) for row in rows]) for n in lengths]
        x = rows[:, -gpt.cfg.block_size :].to(here.device)
        price = float(F.cross_entropy(gpt(x)[:, :-1].mT, x[:, 1:]))
        middle.plot(lengths, zs, mark + "-", label=f"delta = {delta}: {price:.2f} nats a character")
    middle.set(xlabel="characters read", ylabel="z", ylim=(-2, 18), title="text of your GPT")
    shares, draw = [0.0, 0.05, 0.1, 0.2, 0.3, 0.5], torch.Generator().manual_seed(1)
    kept = []
    for share in shares:
        rows = texts[4][:, 6:]
        other = torch.randint(V, rows.shape, generator=draw)
        torn = torch.where(torch.rand(rows.shape, generator=draw) < share, other, rows)
        kept.append(np.mean([z_of(row, green) for row in torn]))
    last.plot(shares, kept, "o-", label="delta = 4")
    last.set(xlabel="share of characters exchanged", ylabel="z", title="after an attack")
    for ax in (middle, last):
        ax.axhline(4.75, color="black", linestyle=":")
    for ax in (left, middle, last):
        ax.legend()
    figures.show(
        figure, "Counting every pair spreads z of innocent text widely; z of marked text grows with length and delta."
    )
    for delta in (0, 2, 4):
        print(f"--- delta = {delta}\n{decode_chars(texts[delta][0][:160])}")

# %% [markdown] role="text"
# **Look.** What would a test that counts every pair do to Shakespeare? In the middle, z grows like a square root at
# first, and then more slowly: what becomes rare as a text of characters gets longer, and would tokens of a large
# vocabulary have the trouble? Is there a strength that is found after a few lines and that you cannot see?
#
# ### x5c. What a mark can do (written, 2 points)
#
# 1. At some place the green tokens have the mass $G$ under the model. What mass do they have with the preference? For
#    $G=\gamma=\frac12$ and $\delta=2$: after how many distinct pairs is z expected to reach 4.75? What happens where
#    the model is sure, and which texts can therefore not be marked? (1 point)
# 2. In a text each distinct pair occurs $r$ times, and a test counts every occurrence; take distinct pairs to be
#    independent. What is the standard deviation
#    of its z for an innocent writer, and how often does it accuse at 4.75 if $r=4$? In a marked text, each token is
#    exchanged for a random one with probability $\epsilon$: what is left of z? Is a marked text, averaged over all
#    keys, distributed as the model's own? Try two tokens with $p=(0.9,0.1)$, one of them green, $\delta=2$. (1 point)

# %% [markdown] role="written" part="x5c"
# ### BEGIN SOLUTION
# **1.** Green weights are multiplied by $e^\delta$: $G'=\frac{Ge^\delta}{Ge^\delta+1-G}$. For $G=\frac12$, $\delta=2$:
# $G'=\frac{7.389}{8.389}=0.881$, and after $n$ pairs z is expected to be
# $\frac{(0.881-0.5)n}{\sqrt{n/4}}=0.762\sqrt n$; 4.75 is reached at $\sqrt n=6.24$, about $n=39$. Where the model is
# sure, $G$ is near 0 or 1, and so is $G'$: for $G=0.001$ it is 0.007. Nothing is gained at such places, and what is
# green there is chance. Text without surprise cannot be marked: a poem known by heart, a quotation, a number, a table,
# much of a program. The mark lives on the entropy of the text.
#
# **2.** The count is $r$ times the count of distinct pairs. With $m$ distinct ones and $n=rm$, its variance is
# $r^2m\gamma(1-\gamma)=r\cdot n\gamma(1-\gamma)$, so z has the standard deviation $\sqrt r$. For $r=4$ the line at 4.75
# is 2.37 standard deviations: 0.9 % of the innocent, instead of one in a million. A pair counts as written only if
# neither of its tokens was exchanged, with probability $(1-\epsilon)^2$; other pairs are green with probability
# $\gamma$ on average. So z is expected to be $(1-\epsilon)^2$ of what it was: half at $\epsilon=0.29$. Averaged over
# keys, the text is not the model's: with the first token green it has the probability
# $\frac{0.9e^2}{0.9e^2+0.1}=0.985$, with the second $\frac{0.9}{0.9+0.1e^2}=0.549$, on average 0.767 instead of 0.9.
# Averaged over keys, the preference flattens distributions.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 0.5 points: the mass with the preference, and about 39 pairs
# - 0.5 points: certain tokens cannot be moved, so text without entropy cannot be marked
# - 0.5 points: the root of r, and about one in a hundred; (1 - epsilon) squared
# - 0.5 points: 0.767 against 0.9, the average over keys is not the model
# ### END MARK SCHEME

# %% [markdown] role="text"
# ## 2. Likelihood (8 points)
#
# The chain rule of the first page makes a language model out of any table or network that gives probabilities of the
# *next* token. The simplest one looks at the last token only. It is more than 110 years old: Markov counted vowels and
# consonants in *Eugene Onegin* in 1913, and Shannon drew English from such tables in 1948. Everything that will be said
# about models with a billion parameters can be said, and computed, here: how they are fitted, what they are measured
# by, and what such a measure means.
#
# ### 2a. Counting is maximum likelihood (code, 2 points)
#
# A bigram model is a matrix with $P_{ab}=p(x_{t+1}=b\mid x_t=a)$. Let $n_{ab}$ be the number of places where $b$
# follows $a$, and $n_a=\sum_bn_{ab}$. Write `bigram_mle`, which gives the logarithms of
#
# $$ P_{ab}=\frac{n_{ab}+\alpha}{n_a+\alpha V} . $$
#
# With $\alpha=0$ this is the maximum of the likelihood (question 2c); a larger $\alpha$ pretends to have seen each pair
# another $\alpha$ times. For $\alpha=0$, a pair that does not occur has $\log0=-\infty$, and a token that nothing
# follows has the uniform distribution, as for every $\alpha>0$. Expect 5 lines without a loop; float64.


# %% role="answer" part="2a"
def bigram_mle(ids: Tensor, V: int, alpha: float) -> Tensor:
    """log_P (V, V) float64: the log-probability of token b after token a, counted in ids (N,), with alpha added."""
    ### BEGIN SOLUTION
    number = torch.bincount(ids[:-1] * V + ids[1:], minlength=V * V).reshape(V, V).double() + alpha
    total = number.sum(dim=1, keepdim=True)
    return torch.where(total > 0, number / total, 1 / V).log()
    ### END SOLUTION


# %% role="check" part="2a"
with check("2a") as c:
    log_P = bigram_mle(torch.tensor([0, 1, 1, 0, 1, 2]), 4, 0.0)
    c.shape(log_P, (4, 4), "log_P")
    c.dtype(log_P, torch.float64, "log_P")
    c.close(log_P[:2].exp(), [[0, 1, 0, 0], [1 / 3, 1 / 3, 1 / 3, 0]], "after 0 comes always 1, after 1 anything seen")
    c.close(log_P[2:].exp(), [[1 / 4] * 4] * 2, "nothing is known about what follows 2 and 3")
    smooth = bigram_mle(torch.tensor([0, 1, 1, 0, 1, 2]), 4, 0.5)
    c.close(smooth[0].exp(), [0.125, 0.625, 0.125, 0.125], "half a pair more for every token")

# %% [markdown] role="text"
# ### 2b. Three numbers for one thing (code, 3 points)
#
# - `nll` gives, for each token but the first, $-\log p(x_{t+1}\mid x_t)$ in nats: how much it surprised the model.
# - **Perplexity** is $\exp$ of the mean surprise. A model that chooses blindly among 50 tokens has perplexity 50. Of a
#   corpus of several documents the mean goes over all *tokens*, long documents having more of them. Both functions
#   below take the surprises of a corpus as a list, one tensor for each document.
# - **Bits per byte** divides the sum of all surprises, in bits, by the number of bytes of the text. A bit is $\log2$
#   nats.
#
# One line each.


# %% role="answer" part="2b"
def nll(log_P: Tensor, ids: Tensor) -> Tensor:
    """The surprise (N - 1,) in nats of each token of ids (N,) after the one before it; log_P is (V, V)."""
    ### BEGIN SOLUTION
    return -log_P[ids[:-1], ids[1:]]
    ### END SOLUTION


# %% role="answer" part="2b"
def perplexity(nlls: list[Tensor]) -> Tensor:
    """The perplexity of a corpus, a scalar; nlls holds the surprises (T_i,) of each document, in nats."""
    ### BEGIN SOLUTION
    return torch.cat(nlls).mean().exp()
    ### END SOLUTION


# %% role="answer" part="2b"
def bits_per_byte(nlls: list[Tensor], n_bytes: int) -> Tensor:
    """Bits per byte of a corpus of n_bytes bytes, a scalar; nlls as in perplexity."""
    ### BEGIN SOLUTION
    return torch.cat(nlls).sum() / (n_bytes * math.log(2))
    ### END SOLUTION


# %% role="check" part="2b"
with check("2b") as c:
    log_P = torch.tensor([[0.5, 0.5], [0.25, 0.75]], dtype=torch.float64).log()
    surprises = nll(log_P, torch.tensor([0, 1, 0]))
    c.close(surprises, [math.log(2), math.log(4)], "1 after 0, then 0 after 1")
    c.close(perplexity([surprises]), math.sqrt(8), "the geometric mean of 2 and 4")
    c.close(perplexity([surprises, surprises[:1]]), 16 ** (1 / 3), "three tokens in two documents count alike")
    c.close(bits_per_byte([surprises], 6), 0.5, "one bit and two bits for six bytes")

# %% [markdown] role="text"
# **Look: one table, and how much to pretend.** The bigram model of characters, for several $\alpha$.

# %% role="run"
with experiment("bigrams of characters"):
    alphas = [0.001, 0.01, 0.1, 1.0, 10.0, 100.0]
    tables = [bigram_mle(ids_train, len(chars), alpha) for alpha in alphas]
    means = {
        name: [float(nll(t, ids).mean()) for t in tables]
        for name, ids in (("training", ids_train), ("validation", ids_val))
    }
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.4), layout="constrained", width_ratios=[1.1, 1])
    for (name, values), marker in zip(means.items(), "os", strict=True):
        left.semilogx(alphas, values, marker=marker, label=name)
    left.set(xlabel="alpha", ylabel="nats per character", title="how much to pretend")
    left.legend()
    often = torch.bincount(ids_train, minlength=len(chars)).argsort(descending=True)[:28].sort().values
    shown = right.imshow(tables[1].exp()[often][:, often], cmap="Blues", vmin=0, vmax=0.5)
    signs = [repr(chars[i])[1:-1].replace(" ", "␣") for i in often]
    right.set(xticks=range(28), yticks=range(28), xticklabels=signs, yticklabels=signs, title="P, frequent characters")
    right.set(xlabel="next character", ylabel="character")
    right.tick_params(labelsize=7)
    figure.colorbar(shown, ax=right)
    best = min(means["validation"])
    figures.show(
        figure, f"Nats per character over alpha, at best {best:.3f} in validation; and the table as a picture."
    )

# %% [markdown] role="text"
# **Look.** Which letter is most certain of its successor? Why does the training curve only rise, and the validation
# curve not?
#
# **Look: perplexity and the tokenizer.** The same text, the same kind of model, five vocabularies of question 1. Which
# of these models is the best one?

# %% role="run"
with experiment("bigrams of tokens"):
    rows = []
    for k in (0, 60, 200, 500, 1000):
        smaller = Tokenizer(bpe_vocab, bpe_merges[:k], ["<|endoftext|>"])
        tokens, tokens_val = (torch.tensor(smaller.encode(part)) for part in (text_train, text_val))
        surprises = [nll(bigram_mle(tokens, len(bpe_vocab), 0.003), tokens_val)]
        rows.append((257 + k, float(perplexity(surprises)), float(bits_per_byte(surprises, len(text_val.encode())))))
    print(f"{'tokens':>8}{'perplexity':>12}{'bits per byte':>15}")
    for row in rows:
        print("{:8}{:12.1f}{:15.3f}".format(*row))
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    sizes, *measures = zip(*rows, strict=True)
    for ax, values, name, marker in zip(axes, measures, ("perplexity", "bits per byte"), "os", strict=True):
        ax.plot(sizes, values, marker=marker)
        ax.set(xlabel="tokens in the vocabulary", ylabel=name, ylim=(0, None))
    figures.show(figure, "Over the size of the vocabulary, perplexity rises steeply while bits per byte fall.")

# %% [markdown] role="text"
# ### Between bigrams and GPT: a Markov model with a network
#
# A table of what follows the last $k$ characters has $V^{k+1}$ entries, and the text soon holds none of them twice. A
# *network* that reads the last $k$ characters shares what it learns among similar contexts (Bengio et al., *A neural
# probabilistic language model*, 2003). Here each character becomes a vector, the $k$ vectors one long vector, and two
# layers give the logits. It is a Markov model as the table is: what lies more than $k$ characters back does not exist.


# %% role="given"
def table_nll(train: str, val: str, k: int, alpha: float = 0.01) -> tuple[float, float]:
    """Mean nats per character, in training and validation, of a table of what follows k characters."""
    seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for i in range(k, len(train)):
        seen[train[i - k : i]][train[i]] += 1

    def surprise(s: str, i: int) -> float:
        row = seen.get(s[i - k : i], Counter())
        return math.log(sum(row.values()) + alpha * len(chars)) - math.log(row[s[i]] + alpha)

    return tuple(float(np.mean([surprise(s, i) for i in range(k, len(s))])) for s in (train[-20_000:], val[:20_000]))


class MarkovMLP(nn.Module):
    """Logits (B, V) of the next character from the last k, given as idx (B, k)."""

    def __init__(self, V: int, k: int, width: int = 24, hidden: int = 256) -> None:
        super().__init__()
        self.vectors = nn.Embedding(V, width)
        self.layers = nn.Sequential(nn.Linear(k * width, hidden), nn.GELU(), nn.Linear(hidden, V))

    def forward(self, idx: Tensor) -> Tensor:
        """From the characters' numbers to logits."""
        return self.layers(self.vectors(idx).flatten(1))


def train_markov(k: int, steps: int, seed: int = 0) -> tuple[float, float]:
    """Mean nats per character, in training and validation, of a MarkovMLP that was trained on ids_train."""
    torch.manual_seed(seed)
    model = MarkovMLP(len(chars), k).to(here.device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.1)
    windows = {name: ids.unfold(0, k + 1, 1).to(here.device) for name, ids in (("t", ids_train), ("v", ids_val))}
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 3e-3 * (1 - step / steps)
        batch = windows["t"][torch.randint(len(windows["t"]), (512,), device=here.device)]
        loss = F.cross_entropy(model(batch[:, :-1]), batch[:, -1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        ends = [windows["t"][-20_000:], windows["v"][:20_000]]
        return tuple(float(F.cross_entropy(model(w[:, :-1]), w[:, -1])) for w in ends)


# %% role="run"
with experiment("how far back to look"):
    ks, ks_mlp = range(7), (1, 2, 4, 8)
    by_table = [table_nll(text_train, text_val, k) for k in ks]
    by_network = [train_markov(k, 500 if QUICK else 4000) for k in ks_mlp]
    figure, ax = plt.subplots(figsize=(7.5, 4.2), layout="constrained")
    for x, results, name, marker in ((ks, by_table, "table", "o"), (ks_mlp, by_network, "network", "s")):
        colour = figures.COLOURS["os".index(marker)]
        ax.plot(
            x,
            [t for t, _ in results],
            "--",
            marker=marker,
            markerfacecolor="white",
            color=colour,
            label=f"{name}, training",
        )
        ax.plot(x, [v for _, v in results], marker=marker, color=colour, label=f"{name}, validation")
    ax.set(xlabel="characters of context", ylabel="nats per character", ylim=(0, None))
    ax.legend(ncols=2)
    best_table, best_network = min(v for _, v in by_table), min(v for _, v in by_network)
    figures.show(
        figure,
        f"Nats per character over the context. The table's training curve falls to {by_table[-1][0]:.2f} while its "
        f"validation curve turns up after {best_table:.2f}; the network goes down to {best_network:.2f}.",
    )

# %% [markdown] role="text"
# **Look.** Up to which context is the table as good as the network? What does the table do with a context that it has
# never seen, and what does the network do? (With the whole text, the table is best with four characters of context, at
# 1.68 nats, and the network reaches 1.73 with eight.) You will come back to this figure with a GPT, which looks
# hundreds of characters back. For comparison: readers who guessed English letter by letter needed between 0.6 and 1.3
# bits for each (Shannon, *Prediction and entropy of printed English*, 1951), in an alphabet of 27.
#
# ### 2c. What the numbers mean (written, 3 points)
#
# 1. Write the log-likelihood of `ids` under a bigram model with the counts $n_{ab}$, maximise it over all matrices with
#    rows that sum to 1, and show that the maximum is, but for a factor, minus the conditional entropy of the
#    *empirical* pairs. Which prior makes $\alpha>0$ the mode of the posterior? (1 point)
# 2. A tokenizer writes a text of $n$ bytes in $T$ tokens, and a model gives the text the probability $p$ (of these
#    tokens). Express perplexity and bits per byte by $p$, $n$ and $T$, and each by the other. Which of two models with
#    different tokenizers is better if the first has the lower perplexity? Check your formula with one row of the table
#    above. Why is $-\log p$ of the tokens that `encode` writes only an upper bound of what the model says about the
#    *text*? (1 point)
# 3. Somebody reports the mean of the perplexities of all documents of a corpus. Show that this is never below the
#    perplexity of the corpus if all documents have the same length, and give two documents of different length for
#    which it is below. Then: a table over $k$ characters of context and a network over the same $k$ can represent the
#    same distributions, more or less. Use the last figure to say why they end so differently, and what both lack that
#    no $k$ repairs. (1 point)

# %% [markdown] role="written" part="2c"
# ### BEGIN SOLUTION
# **1.** By the chain rule (given the first token) $\ell=\sum_{ab}n_{ab}\log P_{ab}$. Rows are independent; with a
# multiplier for $\sum_bP_{ab}=1$, $n_{ab}/P_{ab}=\lambda_a$, so $P_{ab}=n_{ab}/n_a$, and $\ell$ is concave, so this is
# the maximum. (Or: $\ell=\sum_an_a\big(-H(\hat P_a)-\mathrm{KL}(\hat P_a\,\|\,P_a)\big)$.) Its value is
# $\sum_{ab}n_{ab}\log\frac{n_{ab}}{n_a}=-(N-1)\,\hat H(x_{t+1}\mid x_t)$ with the $N-1$ pairs. A prior
# $\prod_bP_{ab}^{\alpha}$ for each row, the Dirichlet distribution with all parameters $\alpha+1$, adds
# $\alpha\sum_{ab}\log P_{ab}$, which is as if each pair were seen $\alpha$ times more: the same maximisation gives the
# formula of 2a.
#
# **2.** $\text{ppl}=p^{-1/T}$ and $\text{bpb}=-\frac1n\log_2p$, so that $\text{bpb}=\frac Tn\log_2\text{ppl}$ and
# $\text{ppl}=2^{\,\text{bpb}\,n/T}$. Perplexity is per token, and a token may be anything: the first model may be
# better or merely have more tokens per byte. Joining bytes to longer tokens raises perplexity even if $p$ stays as it
# is. Only $p$ of the whole text, or bits per byte, can be compared. (A row, whole text: 1,257 tokens have perplexity
# 73.2 and 2.35 bytes each, and $\log_2(73.2)/2.35=2.64$ bits per byte, as the table says up to rounding.) The text has
# many tokenizations: `th` may be the token `th` or `t`, `h`. The model gives probability to each, and the text's
# probability is the sum over all sequences of tokens that decode to it; `encode` writes one of them, so $-\log p$ of it
# is at least $-\log p$ of the text.
#
# **3.** With equal lengths and mean surprises $s_i$, the corpus has the mean $\bar s$, and $e^{\bar s}\le\frac1m\sum_i
# e^{s_i}$ as $\exp$ is convex (Jensen). With different lengths: one token with $s=0$ and 99 tokens with $s=2$ have the
# corpus perplexity $e^{1.98}\approx7.2$, and the mean of their perplexities is $(1+e^2)/2\approx4.2$. *Table and
# network*: the table learns each context by itself. Its training curve keeps falling, as ever more contexts occur only
# a few times and what follows them is known by heart; in validation ever more contexts are new, and there it says the
# uniform distribution. It turns up where contexts become rare. The network has $Vd+kdh+hV$ numbers, which grow with $k$
# only linearly, and it puts similar characters and contexts near each other: what it learns from one helps with the
# others, also with new ones. *Both lack*: whatever is more than $k$ characters back does not exist for them, such as
# who is speaking, or that a bracket is open; and each position in the context has its own weights, so that a word
# learnt at one distance must be learnt again at the next.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 0.5 points: the likelihood by pairs, its maximum with the constraint, and the conditional entropy
# - 0.5 points: the prior, Dirichlet with parameters alpha + 1, or pseudo-counts derived from it
# - 0.5 points: both formulas, their relation checked with a row, and that perplexities of two tokenizers do not compare
# - 0.5 points: several sequences of tokens decode to one text, and the text's probability is their sum
# - 0.5 points: Jensen for equal lengths, and a counterexample
# - 0.5 points: rare contexts against shared weights, and a fixed k, both read off the figure
# ### END MARK SCHEME

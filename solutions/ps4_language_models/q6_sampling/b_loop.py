# %% [markdown] role="text"
# **Look.** How many letters does top-k keep after "th" that hardly ever follow, and how many good ones does it lose
# after "the "? The nucleus keeps few where the text is sure and many where it is not. Temperature 2 rules nothing out:
# what happens to the letters in the tail, and how often would one of them be drawn in a line of 40 letters? If top-k
# leaves six letters for k = 5, look at the last two: why?
#
# ### 6d. The loop (code, 3 points)
#
# Write `generate`. It continues each row of `idx` (B, T) by n tokens; token number t of row b is drawn with the uniform
# number `us[b, t]`, so that the same numbers give the same text. In each step:
#
# 1. Ask the model. Without a cache it gets the last `model.cfg.block_size` tokens of the text so far. With a cache (one
#    of question 4, empty at first) it gets **only tokens that it has not seen**: the whole of `idx` once, then each new
#    token by itself; the text stays within `block_size` then.
# 2. Take the logits of the last position, and apply the temperature, then top-k (if k is given), then top-p (if p is
#    given), **in this order**: the nucleus is that of the distribution from which would be drawn.
# 3. Draw, and let the token join the text.
#
# Expect 8 to 10 lines.


# %% role="answer" part="6d"
@torch.no_grad()
def generate(
    model: Callable[..., Tensor],
    idx: Tensor,
    n: int,
    us: Tensor,
    tau: float = 1.0,
    k: int | None = None,
    p: float | None = None,
    cache: list[dict] | None = None,
) -> Tensor:
    """idx (B, T) followed by n tokens, (B, T + n): token t of row b is drawn by us (B, n) at [b, t]."""
    ### BEGIN SOLUTION
    new = idx
    for u in us[:, :n].T:
        logits = model(idx[:, -model.cfg.block_size :]) if cache is None else model(new, cache)
        logits = apply_temperature(logits[:, -1], tau)  # (B, V)
        logits = logits if k is None else top_k(logits, k)
        logits = logits if p is None else top_p(logits, p)
        new = sample_from(logits.softmax(dim=-1), u)[:, None]
        idx = torch.cat([idx, new], dim=1)
    return idx
    ### END SOLUTION


# %% role="given" id="shannon"
class Shannon:
    """A model made of counts: what followed the last few characters in a text (Shannon, 1948, section 3).

    The distribution after a long context is mixed with that after a shorter one, as if the shorter one had given two
    more examples.
    """

    def __init__(self, ids: Tensor, order: int) -> None:
        self.ids, self.cfg = ids, GPTConfig(len(chars), order, n_layer=0, n_head=1, n_embd=0)

    def __call__(self, idx: Tensor) -> Tensor:
        """Log-probabilities (B, 1, V) of the character after idx (B, T)."""
        return torch.stack([self.after(row) for row in idx])[:, None].log()

    def after(self, row: Tensor) -> Tensor:
        """Probabilities (V,) of the character after row (T,)."""
        V, fits = self.cfg.vocab_size, torch.arange(self.cfg.block_size, len(self.ids))  # what follows fitting contexts
        p = torch.full((V,), 1 / V)
        for back in range(min(len(row), self.cfg.block_size) + 1):
            fits = fits[self.ids[fits - back] == row[-back]] if back else fits
            p = (torch.bincount(self.ids[fits], minlength=V) + 2 * p) / (len(fits) + 2)
        return p


# %% role="check" part="6d"
with check("6d") as c:

    class NextLetter:
        """A model that is sure: after each letter comes the next one of the alphabet, after z comes a."""

        cfg = GPTConfig(26, 4, n_layer=0, n_head=1, n_embd=0)

        def __call__(self, idx: Tensor, cache: list | None = None) -> Tensor:
            """Logits (B, T, 26); a cache counts the tokens that it was given."""
            if cache is not None:
                cache.append(idx.shape[1])
            return 50.0 * F.one_hot((idx + 1) % 26, 26)

    spell = lambda ids: "".join(chr(97 + i) for i in ids.tolist())  # noqa: E731
    start, dice = torch.tensor([[0], [22]]), torch.rand(2, 6, generator=torch.Generator().manual_seed(0))
    got = generate(NextLetter(), start, 6, dice)
    c.shape(got, (2, 7), "the beginning and six letters")
    c.equal([spell(row) for row in got], ["abcdefg", "wxyzabc"], "a model that is sure is followed")
    counted: list[int] = []
    c.equal(spell(generate(NextLetter(), start, 3, dice, cache=counted)[1]), "wxyz", "with a cache, too")
    c.equal(counted, [1, 1, 1], "with a cache the model gets only tokens it has not seen, also while it is empty")
    flat = lambda idx: torch.zeros(*idx.shape, 4)  # noqa: E731
    flat.cfg = NextLetter.cfg
    numbers = torch.tensor([[0.1, 0.9, 0.3, 0.6]])
    c.equal(generate(flat, torch.tensor([[0]]), 4, numbers).tolist(), [[0, 0, 3, 1, 2]], "each step has its own u")

# %% [markdown] role="text"
# **Look: a model without a brain.** The oldest language model needs no training: look up what followed the last few
# characters, and throw the dice. Five characters back, with the same dice for each temperature.

# %% role="run"
with experiment("Shannon's text"):
    counted = Shannon(ids_train, order=5)
    dice = torch.rand(1, 160 if QUICK else 400, generator=torch.Generator().manual_seed(3))
    for settings in ({"tau": 0.0}, {"tau": 0.6}, {"tau": 1.0}, {"tau": 1.0, "p": 0.9}, {"tau": 2.0}):
        written = generate(counted, encode_chars("ROMEO:\n")[None], dice.shape[1], dice, **settings)
        print(f"--- {settings}\n{decode_chars(written[0])}\n")

# %% [markdown] role="text"
# **Look.** At temperature 0 the text goes around in a circle: must it, with a model that sees five characters? At 2,
# one bad letter is followed by others: why does a single step off the path cost more than its own probability says?
#
# Now your own GPT from question 5, with its cache from question 4.

# %% role="run"
with experiment("your GPT writes"):
    writer = with_cache(gpt)
    begin = encode_chars("ROMEO:\n")[None].to(here.device)
    n = gpt.cfg.block_size - begin.shape[1]
    dice = torch.rand(1, n, generator=torch.Generator().manual_seed(4)).to(here.device)
    for settings in ({"tau": 0.0}, {"tau": 0.7}, {"tau": 1.0}, {"tau": 1.0, "k": 5}, {"tau": 1.0, "p": 0.9}):
        written = generate(writer, begin, n, dice, **settings, cache=new_cache(writer))
        same = generate(gpt.eval(), begin, n, dice, **settings)
        print(
            f"--- {settings}; the cache changed {int((same != written).sum())} characters\n{decode_chars(written[0])}\n"
        )

# %% [markdown] role="text"
# **Look.** Compare with Shannon's text at the same temperature. Which of the two keeps to the form of a play, which
# spells better, and what did your model learn that no table of five characters can hold? A trained model of this size
# is good enough that temperature 1 is readable. Large models are usually sampled below 1: what does that say about
# their tails?
#
# ### 6e. What is sampled from (written, 3 points)
#
# 1. Let p be a model over sequences, $p(x_{1:T})=\prod_tp(x_t\mid x_{<t})$. Sampling at temperature $\tau$ token by
#    token is not sampling from $p(x_{1:T})^{1/\tau}$, normalised over sequences. Show this on two tokens from {A, B}:
#    $p(A)=0.6$, after A both are equally probable, after B it is B for certain. Compute the most probable sequence,
#    what greedy decoding ($\tau\to0$) gives, and for $\tau=\tfrac12$ the probability of BB in either sense. What does
#    the sequence's temperature take into account that the token's cannot? (1 point)
# 2. A tail of bad tokens has, in each step, probability $\delta$ together. What is the probability that a text of n
#    tokens has none of them, and how large is it for $\delta=0.01$ and n = 200? Compare what top-k and top-p do to a
#    tail where the good tokens are 2 and where they are 200. How does truncation change the model's average surprise of
#    real text, and so why are perplexities always reported without? (1 point)
# 3. Prove that `sample_from` is right: for uniform $U$ on [0, 1), token i is drawn with probability $p_i$. Then two
#    models p and q are sampled with the **same** u. Show that the tokens differ with probability at least
#    $\tfrac12\sum_i|p_i-q_i|$, and give an example with three tokens in which it is more. (1 point)

# %% [markdown] role="written" part="6e"
# ### BEGIN SOLUTION
# **1.** The sequences have the probabilities AA 0.3, AB 0.3, BA 0, BB 0.4. The most probable one is BB. Greedy decoding
# takes A (0.6 against 0.4), and then A or B: probability 0.3, not the largest. At $\tau=\tfrac12$ probabilities are
# squared. Token by token: $p(B)=0.4^2/(0.6^2+0.4^2)=0.16/0.52\approx0.308$, then B for certain: BB has 0.308. For the
# sequence: $0.4^2/(0.3^2+0.3^2+0.4^2)=0.16/0.34\approx0.471$. The difference is the future: a token's temperature does
# not know that after A the probability is split between two continuations, each of which is then squared (a factor
# $0.5^2+0.5^2=\tfrac12$), and after B it is not (factor 1). In general, under $p(x_{1:T})^{1/\tau}$, normalised, the
# first token has the marginal distribution $\propto p(x_1)^{1/\tau}\sum_{x_{2:T}}p(x_{2:T}\mid x_1)^{1/\tau}$, and the
# second factor is missing.
#
# **2.** $(1-\delta)^n$; $0.99^{200}=0.134$: seven of eight texts contain a bad token, and since what follows is
# conditioned on it, they seldom recover. Where 2 tokens are good, top-k with k = 40 keeps 38 bad ones, while the
# nucleus stops when its mass is reached, after the two; where 200 are good, top-k loses 160 of them, and the nucleus
# keeps nearly all. Both cut off a tail that is too heavy in models trained on finite text; top-k by rank, whatever the
# probabilities are, the nucleus by mass. A truncated model gives probability 0 to some tokens of real text, and one
# such token makes the average surprise infinite; the kept ones become less surprising. It is a distribution to draw
# from, not a model of the text. Perplexity measures the model, so it is computed from untruncated logits at temperature
# 1.
#
# **3.** Token i is drawn exactly if $U\in[c_{i-1},c_i)$ with $c_i=\sum_{j\le i}p_j$, an interval of length
# $c_i-c_{i-1}=p_i$; the intervals do not overlap and cover [0, 1), and the probability that a uniform number lies in an
# interval is its length. With the same u, both models draw i exactly if u lies in both intervals of i, whose common
# part is no longer than $\min(p_i,q_i)$. So they agree with probability at most
# $\sum_i\min(p_i,q_i)=1-\tfrac12\sum_i|p_i-q_i|$ (since $\min(a,b)=\tfrac12(a+b-|a-b|)$). It can be less: for
# $p=(0.5,0.5,0)$ and $q=(0,0.5,0.5)$ half the sum is 0.5, but the intervals of token 1, [0.5, 1) and [0, 0.5), do not
# meet: the tokens always differ.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 0.5 points: BB is the most probable sequence and greedy decoding starts with A
# - 0.5 points: 0.308 against 0.471, and that the token's temperature ignores how probability splits later
# - 0.5 points: (1 - delta)^n, 0.13, and top-k against top-p for 2 and for 200 good tokens
# - 0.5 points: truncation gives real tokens probability 0, an infinite surprise; perplexity describes the model
# - 0.5 points: intervals of length p_i that cover [0, 1)
# - 0.5 points: agreement is at most the sum of minima, and an example in which intervals of one token do not meet
# ### END MARK SCHEME

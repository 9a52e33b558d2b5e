# %% [markdown] role="text"
# ## x2. Speculative decoding (8 points)
#
# A large model that writes is idle most of the time. For each token its weights travel from memory to the processor,
# all of them, for one multiplication each; five tokens at a time would cost hardly more. But they come one after the
# other, and the fifth cannot be asked for before the fourth is known.
#
# Unless somebody guesses. Let a small, fast model, the **draft** $q$, write $n$ tokens ahead. Then the large one, the
# **target** $p$, reads all of them in *one* call, which gives its own distribution at each of the $n+1$ places. Keep
# the tokens that the target agrees with. What does "agrees" mean, if the text is to be distributed *exactly* as if the
# target had written it? Leviathan, Kalman and Matias (*Fast inference from transformers via speculative decoding*,
# 2023) and Chen et al. (*Accelerating large language model decoding with speculative sampling*, 2023) found the answer
# in a method of von Neumann's, rejection sampling, with one change: what is rejected is not thrown away, but repaired.
#
# ### x2a. Accept or repair (code, 3 points)
#
# The draft has drawn $x\sim q$. Accept it with probability
#
# $$ a(x)=\min\Big(1,\frac{p(x)}{q(x)}\Big) . $$
#
# A token that the draft likes more than the target does is accepted only sometimes, one that the draft likes less
# always. Tokens of the second kind then come too seldom, and the **residual** supplies exactly what is missing: if $x$
# is rejected, draw from
#
# $$ r(y)=\frac{\max(p(y)-q(y),0)}{\sum_{y'}\max(p(y')-q(y'),0)} . $$
#
# Write both. All are probabilities, not logits. `residual` works on any leading dimensions. Where $p=q$, nothing is
# ever rejected and the residual has no mass: return $p$ there, so that no NaN comes out. One to four lines each.


# %% role="answer" part="x2a"
def accept_prob(p: Tensor, q: Tensor, x: Tensor) -> Tensor:
    """The probability (B,) that token x (B,), drawn from q (B, V) with q(x) > 0, is accepted for p (B, V)."""
    ### BEGIN SOLUTION
    own_p, own_q = (each.gather(1, x[:, None])[:, 0] for each in (p, q))
    return (own_p / own_q).clamp(max=1)
    ### END SOLUTION


def residual(p: Tensor, q: Tensor) -> Tensor:
    """What is drawn from after a rejection, (..., V), for the target's p (..., V) and the draft's q (..., V)."""
    ### BEGIN SOLUTION
    missing = (p - q).clamp(min=0)
    total = missing.sum(dim=-1, keepdim=True)
    return torch.where(total > 0, missing / total, p)
    ### END SOLUTION


# %% role="check" part="x2a"
with check("x2a") as c:
    p, q = torch.tensor([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]]), torch.tensor([[0.25, 0.75, 0.0], [0.2, 0.3, 0.5]])
    c.close(accept_prob(p, q, torch.tensor([0, 2])), [1.0, 0.4], "0.5 against 0.25: always; 0.2 against 0.5: 0.4")
    c.close(accept_prob(p, q, torch.tensor([1, 1])), [0.4, 1.0], "0.3 against 0.75: 0.4; equal: always")
    c.close(residual(p, q), [[5 / 9, 0, 4 / 9], [1, 0, 0]], "what the draft gives too little of")
    c.close(residual(p, p), p, "without a difference: p, and no NaN")

# %% [markdown] role="text"
# ### x2b. One round (code, 3 points)
#
# The draft wrote $d_1,\dots,d_n$, and the target's call gave $p_1,\dots,p_{n+1}$ (row $i$ is its distribution given
# the text and $d_1,\dots,d_{i-1}$; the last row is for the token *after* the draft). Go from left to right. Token $d_i$
# is accepted if $u_i<a(d_i)$. At the first rejection, draw one token from the residual of this place, and stop: the
# rest of the draft answered to a text that is no longer there. If all are accepted, draw one more from $p_{n+1}$, which
# costs no further call. So each call of the target yields between 1 and $n+1$ tokens.
#
# Write `speculative_step`. The last token is drawn with `u_last` by your `sample_from` of question 6. Expect 5 to 8
# lines.


# %% role="answer" part="x2b"
def speculative_step(p: Tensor, q: Tensor, draft: Tensor, us: Tensor, u_last: Tensor) -> Tensor:
    """The tokens (m + 1,), 0 <= m <= n, of one round: the first m of draft (n,), and one that is drawn with u_last ().

    p (n + 1, V) holds the target's distributions, q (n, V) the draft's; us (n,) decide what is accepted; n > 0.
    """
    ### BEGIN SOLUTION
    accepted = us < accept_prob(p[:-1], q, draft)
    m = int(accepted.cumprod(dim=0).sum())
    last = p[-1] if m == len(draft) else residual(p[m], q[m])
    return torch.cat([draft[:m], sample_from(last[None], u_last[None])])
    ### END SOLUTION


# %% role="check" part="x2b"
with check("x2b") as c:
    p = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.0, 0.0, 1.0]])
    q = torch.tensor([[0.25, 0.75, 0.0], [0.2, 0.3, 0.5]])
    step = lambda draft, us, last: speculative_step(p, q, torch.tensor(draft), torch.tensor(us), torch.tensor(last))  # noqa: E731
    c.equal(step([0, 1], [0.9, 0.9], 0.5).tolist(), [0, 1, 2], "both accepted, and one from the target's last row")
    c.equal(step([1, 1], [0.5, 0.1], 0.1).tolist(), [0], "0.5 is not below 0.3 / 0.75: the first is rejected")
    c.equal(step([1, 0], [0.3, 0.7], 0.9).tolist(), [1, 1], "0.7 is not below 0.1 / 0.2: the second is rejected")

# %% [markdown] role="text"
# ### Does it pay?
#
# The target is your GPT of question 5. Three drafts, none of which costs anything beside it: a coin with 65 sides, your
# bigram table of question 2, and Shannon's table of question 6 with three characters. How many tokens does a call of
# the target yield?
#
# If each guess is accepted with probability $\alpha$, whatever happened before, the expected number of tokens of a
# round is $1+\alpha+\dots+\alpha^n=\frac{1-\alpha^{n+1}}{1-\alpha}$. You can measure $\alpha$ before you build
# anything: it is the average of $\sum_y\min(p(y),q(y))$ (x2c).


# %% role="given" id="speculative-loop"
@torch.no_grad()
def speculative(
    target: GPT, guess: Callable[[Tensor], Tensor], idx: Tensor, n_new: int, n: int, draw: torch.Generator
) -> tuple[Tensor, list[int]]:
    """idx (T,) continued by at least n_new tokens, and how many tokens each call of the target gave.

    guess maps a text (T,) to the draft's distribution (V,) of the next token; n tokens are guessed at a time.
    """
    rounds = []
    while sum(rounds) < n_new:
        text, q = idx, []
        for _ in range(n):
            q.append(guess(text))
            text = torch.cat([text, sample_from(q[-1][None], torch.rand(1, generator=draw))])
        seen = text[-target.cfg.block_size :].to(here.device)
        p = target(seen[None])[0, -n - 1 :].softmax(dim=-1).cpu()
        us = torch.rand(n + 1, generator=draw)
        new = speculative_step(p, torch.stack(q), text[len(idx) :], us[:n], us[n])
        idx, rounds = torch.cat([idx, new]), [*rounds, len(new)]
    return idx, rounds


# %% role="run"
with experiment("does guessing pay?"), torch.no_grad():
    gpt.eval()
    pairs, triples = bigram_mle(ids_train, len(chars), 0.01).exp().float(), Shannon(ids_train, order=3)
    drafts = {
        "a coin": lambda text: torch.full((len(chars),), 1 / len(chars)),
        "pairs": lambda text: pairs[text[-1]],
        "three characters": lambda text: triples.after(text),
    }
    begin, n_new, guesses = encode_chars("ROMEO:\n"), 200 if QUICK else 1000, [1, 2, 4, 8]
    seen = ids_val[: gpt.cfg.block_size]
    p = gpt(seen[None].to(here.device))[0].softmax(dim=-1).cpu()  # after each prefix of real text
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4), layout="constrained")
    for (name, guess), mark in zip(drafts.items(), "os^", strict=True):
        q = torch.stack([guess(seen[: t + 1]) for t in range(len(seen))])
        overlap = torch.minimum(p, q).sum(dim=1)
        alpha = float(overlap.mean())
        left.hist(overlap.numpy(), bins=20, range=(0, 1), histtype="step", linewidth=2, label=f"{name}: {alpha:.2f}")
        draw = torch.Generator().manual_seed(0)
        runs = [speculative(gpt, guess, begin, n_new, n, draw) for n in guesses]
        (line,) = right.plot(guesses, [np.mean(rounds) for _, rounds in runs], mark, label=name)
        theory = [(1 - alpha ** (n + 1)) / (1 - alpha) for n in guesses]
        right.plot(guesses, theory, "--", color=line.get_color())
    left.set(xlabel="probability that the guess is accepted", ylabel="places in real text", title="one guess")
    right.set(xlabel="guesses in a round", ylabel="tokens for each call of the target", title="a round")
    right.axhline(1, color="black", linewidth=0.8)
    left.legend()
    right.legend()
    figures.show(
        figure,
        "Drafts like the target are accepted more often; tokens per call level off near the dashed formula.",
    )
    print(decode_chars(runs[-1][0]))

# %% [markdown] role="text"
# **Look.** Which draft is accepted most often, and is it the one that predicts Shakespeare best? (With `QUICK` your GPT
# has hardly been trained. Whom is it like?) What exactly does $\alpha$ measure? In the right picture, the dashed curves
# take one $\alpha$ for all places: what changes if easy places come in a row? A guess of the draft costs the share $c$
# of a call of the target; which $n$ is best for $\alpha=0.5$ and $c=0.1$?
#
# The last lines were written by the target with the last draft. Nothing in them tells: that is the point. (Beyond
# `block_size` tokens the target sees up to n old ones fewer here than if it wrote alone, because the guesses take their
# places; what is exact is the draw from the distributions that it is asked for.)
#
# ### x2c. Why nothing is lost (written, 2 points)
#
# 1. Prove that a token that is drafted from $q$, and accepted with $a$ or else replaced by a draw from $r$, has the
#    distribution $p$. What is the probability of acceptance, and what has it to do with the total variation distance
#    $\frac12\sum_y|p(y)-q(y)|$? Can any rule that ends in $p$ keep the draft's token more often? Why does the whole
#    text have the target's distribution, although a rejection throws the rest of the draft away? (1 point)
# 2. Somebody keeps a draft's token exactly if it is the target's *most probable* one, and otherwise takes the latter.
#    What is that distributed like? Somebody else draws from $p$ itself after a rejection. What distribution comes out?
#    Give it as a formula, and as numbers for $p=(0.5,0.5)$, $q=(0.9,0.1)$. (1 point)

# %% [markdown] role="written" part="x2c"
# ### BEGIN SOLUTION
# **1.** A token $y$ comes out in two ways: drafted and accepted, with probability
# $q(y)\min(1,p(y)/q(y))=\min(p(y),q(y))$, or after a rejection. The probability of a rejection is
# $1-\sum_x\min(p(x),q(x))=\sum_x(p(x)-\min(p(x),q(x)))= \sum_x\max(p(x)-q(x),0)=:Z$, which is just the normaliser of
# $r$. So the second way has probability $Z\,r(y)=\max(p(y)-q(y),0)$, and $\min(p,q)+\max(p-q,0)=p$. Acceptance has
# probability $1-Z=1-\frac12\sum_y|p(y)-q(y)|$, one minus the total variation distance, as positive and negative parts
# of $p-q$ have the same sum. No rule can do better: if the token kept, $X\sim q$, and the token given out, $Y\sim p$,
# are equal, then $P(X=Y=y)\le\min(p(y),q(y))$, and the sum of that is $1-Z$.
#
# The whole text: by induction over places. Given the text before place $i$ (all of it accepted or repaired), the token
# at place $i$ is drawn as above from $q_i$ and $p_i$, both for this very text, with a number $u_i$ of its own: it has
# the distribution $p_i$. A later token of the draft is looked at only if all before it were accepted, so that its $q_i$
# and $p_i$ belong to the text that stands. After a rejection the next place is drafted anew, and the argument applies
# to it again. (The extra token is drawn from $p_{n+1}$ directly.) Which tokens were looked at depends on the past only,
# and never on the token to come.
#
# **2.** Whatever the draft says, the result is the most probable token of $p$: greedy decoding, with probability 1, not
# a sample. With $p$ itself after a rejection, $y$ comes out with probability $\min(p(y),q(y))+Z\,p(y)$. It is $p(y)$
# for all $y$ only if $q$ is a multiple of $p$ wherever $p>0$ (equal, or disjoint, for example). For the numbers:
# $\min=(0.5,0.1)$, $Z=0.4$: $(0.5+0.2,\,0.1+0.2)=(0.7,0.3)$, drawn towards the draft.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 0.5 points: the two ways and their sum, with the rejection's probability as the residual's normaliser
# - 0.5 points: one minus total variation, that no coupling beats it, and the induction over places
# - 0.5 points: the first rule is greedy decoding
# - 0.5 points: min(p, q) + Z p, and (0.7, 0.3)
# ### END MARK SCHEME

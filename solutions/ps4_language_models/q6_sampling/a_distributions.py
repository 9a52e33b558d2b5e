# %% [markdown] role="text"
# ## 6. Sampling (14 points)
#
# A trained model is a machine that turns a beginning into a distribution over the next token. Text comes out when
# somebody throws the dice. That sounds like the least interesting step, and it decides more about what people think of
# a model than a month of training: the most probable continuation is dull and soon goes around in circles (Holtzman et
# al., *The curious case of neural text degeneration*, 2020), and honest samples stumble, since at every step there is
# a little probability on each of thousands of tokens that make no sense, and over a page one of them comes up. All
# practical sampling lies between the two. You write the three usual compromises, and the loop around them.
#
# Everything here works on `logits` (..., V) and returns logits of the same shape: a token that is ruled out gets
# $-\infty$, so that its probability is exactly 0 after the softmax and the others share its mass in proportion.
#
# ### 6a. Temperature and top-k (code, 3 points)
#
# **Temperature** divides the logits by $\tau$, which raises the probabilities to the power $1/\tau$:
#
# $$ p_\tau(v)\;\propto\;e^{z_v/\tau}\;\propto\;p(v)^{1/\tau} . $$
#
# With $\tau=1$ nothing happens, with $\tau\to\infty$ all tokens become equally probable, and with $\tau\to0$ all mass
# goes to the most probable token. (The name is Boltzmann's: $-z$ is an energy.) `apply_temperature` divides; for
# `tau = 0`, where division fails, it returns the limit: logit 0 for the largest logit and $-\infty$ for all others. (Of
# several largest ones, you may keep one or all.)
#
# **Top-k** (Fan et al., *Hierarchical neural story generation*, 2018) keeps the k largest logits of each row as they
# are and rules out the others; $k\ge1$, and $k\ge V$ rules out nothing. Logits that equal the k-th may be kept or not.


# %% role="answer" part="6a"
def apply_temperature(logits: Tensor, tau: float) -> Tensor:
    """Logits (..., V) at temperature tau >= 0; tau = 0 is the limit, in which only the largest logit is left."""
    ### BEGIN SOLUTION
    if tau == 0:
        return torch.where(logits == logits.amax(dim=-1, keepdim=True), 0.0, -math.inf).to(logits)
    return logits / tau
    ### END SOLUTION


def top_k(logits: Tensor, k: int) -> Tensor:
    """Logits (..., V) with all but the k largest of each row replaced by minus infinity."""
    ### BEGIN SOLUTION
    smallest = logits.topk(min(k, logits.shape[-1]), dim=-1).values[..., -1:]
    return logits.masked_fill(logits < smallest, -math.inf)
    ### END SOLUTION


# %% role="check" part="6a"
with check("6a") as c:
    logits = torch.tensor([[1.0, 3.0, 2.0, 0.0], [0.0, -1.0, 5.0, 4.0]])
    never = -math.inf
    c.close(apply_temperature(logits, 2.0), logits / 2, "temperature 2 halves the logits")
    c.close(apply_temperature(logits, 0.0), [[never, 0, never, never], [never, never, 0, never]], "temperature 0")
    c.close(top_k(logits, 2), [[never, 3, 2, never], [never, never, 5, 4]], "the two largest of each row stay")
    c.close(top_k(logits, 9), logits, "k may be larger than the vocabulary")

# %% [markdown] role="text"
# ### 6b. The nucleus (code, 3 points)
#
# Top-k keeps as many tokens where the model is sure as where it is not. **Nucleus sampling**, or top-p (Holtzman et
# al., 2020, section 3.1), lets the model decide: keep the *smallest* set of most probable tokens whose probability is
# *at least* p. Sort the probabilities, largest first, and add them up; the token whose addition reaches p is the last
# one that is kept. So the most probable token is kept for every p, p = 0 included. (With p = 1 all tokens stay, but for
# those whose probability vanishes by rounding.)
#
# Write `top_p`. The result has the logits at *their own places*: what was found in the sorted order must go back to
# the order of the vocabulary. Expect 4 lines.


# %% role="answer" part="6b"
def top_p(logits: Tensor, p: float) -> Tensor:
    """Logits (..., V) with minus infinity outside the smallest set of most probable tokens of mass at least p."""
    ### BEGIN SOLUTION
    probs, order = logits.softmax(dim=-1).sort(dim=-1, descending=True)
    outside = probs.cumsum(dim=-1) - probs >= p  # the tokens before this one suffice
    outside[..., 0] = False
    return logits.masked_fill(outside.scatter(-1, order, outside), -math.inf)
    ### END SOLUTION


# %% role="check" part="6b"
with check("6b") as c:
    logits = torch.tensor([[0.1, 0.4, 0.2, 0.3], [0.97, 0.01, 0.01, 0.01]]).log()
    kept = top_p(logits, 0.6).softmax(dim=-1)
    c.shape(kept, (2, 4), "what top_p returns")
    c.close(
        kept, [[0, 4 / 7, 0, 3 / 7], [1, 0, 0, 0]], "0.4 + 0.3 reaches 0.6; where one token has 0.97, it stays alone"
    )
    c.close(top_p(logits, 0.35).softmax(dim=-1)[0], [0, 1, 0, 0], "0.4 alone reaches 0.35")
    c.close(top_p(logits, 0.75).softmax(dim=-1)[0], [0, 4 / 9, 2 / 9, 3 / 9], "0.75 needs three tokens")

# %% [markdown] role="text"
# ### 6c. One draw (code, 2 points)
#
# How do probabilities become a token? Lay the tokens side by side on the line from 0 to 1, each as long as it is
# probable. A uniform number $u$ in $[0,1)$ falls onto one of them: token $i$ where
#
# $$ \sum_{j<i}p_j\;\le\;u\;<\;\sum_{j\le i}p_j . $$
#
# Write `sample_from`. Two traps lie at the ends. A token of probability 0 has no length and must never be drawn, not
# even by $u=0$. And sums of floating-point numbers may end a little below 1: if $u$ lies beyond the last sum, the last
# token *of positive probability* is meant.


# %% role="answer" part="6c"
def sample_from(probs: Tensor, u: Tensor) -> Tensor:
    """Tokens (B,) int64 drawn from the rows of probs (B, V) by the uniform numbers u (B,)."""
    ### BEGIN SOLUTION
    ends = probs.cumsum(dim=-1)  # (B, V)
    last = (ends < ends[:, -1:]).sum(dim=-1)  # the first token that reaches the whole sum
    return torch.minimum((ends <= u[:, None]).sum(dim=-1), last)
    ### END SOLUTION


# %% role="check" part="6c"
with check("6c") as c:
    probs = torch.tensor([[0.25, 0.5, 0.25]]).expand(4, 3)
    c.equal(sample_from(probs, torch.tensor([0.1, 0.3, 0.7, 0.8])).tolist(), [0, 1, 1, 2], "where u falls")
    c.equal(sample_from(torch.tensor([[0.0, 1.0, 0.0]]), torch.zeros(1)).tolist(), [1], "probability 0 is never drawn")

# %% [markdown] role="text"
# **Look: four ways to draw a letter.** After "th" Shakespeare leaves little choice, after "the " a lot. The bars are
# the letters that follow in the text, most frequent first; what a method rules out is grey.

# %% role="run"
with experiment("four ways to draw a letter"):

    def what_follows(context: str) -> Tensor:
        """The logarithms (V,) of how often each character follows the context in the training text, in shares."""
        ends = [match.end() for match in re.finditer(f"(?={re.escape(context)})", text_train)]
        after = "".join(text_train[end + len(context)] for end in ends if end + len(context) < len(text_train))
        return (torch.bincount(encode_chars(after), minlength=len(chars)) / len(after)).log()

    ways = {
        "as counted": lambda z: z,
        "temperature 0.5": lambda z: apply_temperature(z, 0.5),
        "temperature 2": lambda z: apply_temperature(z, 2.0),
        "top-k, k = 5": lambda z: top_k(z, 5),
        "top-p, p = 0.8": lambda z: top_p(z, 0.8),
    }
    figure, axes = plt.subplots(2, 5, figsize=(15, 5), sharey="row", layout="constrained")
    for row, context in zip(axes, ("th", "the "), strict=True):
        z = what_follows(context)
        order = z.argsort(descending=True)[:20]
        letters = [repr(chars[int(v)])[1:-1].replace(" ", "␣") for v in order]
        for ax, (name, way) in zip(row, ways.items(), strict=True):
            p = way(z[None])[0].softmax(0)
            ax.bar(range(20), z[order].exp(), color="#CCCCCC")
            ax.bar(range(20), p[order], color=figures.COLOURS[0], width=0.5)
            ax.set_xticks(range(20), letters, fontsize=8)
            ax.set_title(f'"{context}": {name}, {int((p > 0).sum())} left')
    axes[0, 0].set_ylabel("probability")
    axes[1, 0].set_ylabel("probability")
    figures.show(figure, "Top-k keeps five letters after both; the nucleus few after th and many after the.")

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
# $S\ne T$, and the mask broadcasts; each query may look at one key at least. Torch's own `scaled_dot_product_attention`
# is what you compare with.


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
# **Look: why the root.** Random queries and keys, a softmax over 64 keys, for vectors of growing size D. The left
# picture shows how much weight the favourite key gets, the right one how much of the gradient gets through: the
# softmax's derivative of a weight by its own similarity is $a(1-a)$, which is 0 where a weight is 0 or 1.

# %% role="run"
with experiment("the scale of similarities"):
    draw, sizes = torch.Generator().manual_seed(0), [4, 16, 64, 256, 1024]
    scales = {"not divided": lambda D: 1.0, "divided by the root of D": lambda D: D**0.5, "divided by D": lambda D: D}
    figure, axes = plt.subplots(1, 2, figsize=(11, 3.6), layout="constrained")
    for (name, scale), dash in zip(scales.items(), figures.DASHES, strict=False):
        largest, slopes = [], []
        for D in sizes:
            q, k = torch.randn(200, 1, D, generator=draw), torch.randn(200, 64, D, generator=draw)
            a = sdpa(q * D**0.5 / scale(D), k, torch.eye(64).expand(200, 64, 64))[:, 0]  # values that show the weights
            largest.append(float(a.amax(dim=1).mean()))
            slopes.append(float((a * (1 - a)).sum(dim=1).mean()))
        axes[0].plot(sizes, largest, dash + "o", label=name)
        axes[1].plot(sizes, slopes, dash + "o", label=name)
    axes[0].set(xscale="log", xlabel="D", ylabel="weight of the favourite key", ylim=(0, 1.05))
    axes[1].set(xscale="log", xlabel="D", ylabel="sum of a (1 - a)", ylim=(0, 1.05))
    axes[0].axhline(1 / 64, color="#999999", linewidth=1, label="all keys alike")
    axes[0].legend()
    figures.show(figure, "Without division one key gets all weight as D grows; with the root nothing changes with D.")

# %% [markdown] role="text"
# **Look.** With the root, both curves are flat: attention starts equally undecided whatever the size of a head. Which
# curve would you be on if you forgot the root in a model with D = 64, and why would training be slow rather than
# broken? What could a model with "divided by D" do about it, and why does that take time?

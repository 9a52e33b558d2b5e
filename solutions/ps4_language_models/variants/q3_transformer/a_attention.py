"""Right and wrong answers to question 3a: attention."""

import math

import torch
import torch.nn.functional as F

from autograder.verify.variants import right, wrong


def similarities(q, k):
    """Scaled inner products (..., T, S)."""
    return q @ k.mT / math.sqrt(q.shape[-1])


@wrong("sdpa")
def without_the_mask(q, k, v, mask=None):
    return similarities(q, k).softmax(-1) @ v


@wrong("sdpa")
def mask_after_the_softmax(q, k, v, mask=None):
    weights = similarities(q, k).softmax(-1)
    return (weights if mask is None else weights * mask) @ v


@wrong("sdpa")
def mask_multiplies_the_scores(q, k, v, mask=None):
    scores = similarities(q, k)
    return (scores if mask is None else scores * mask).softmax(-1) @ v


@wrong("sdpa")
def mask_the_other_way_around(q, k, v, mask=None):
    scores = similarities(q, k)
    return (scores if mask is None else scores.masked_fill(mask, -1e4)).softmax(-1) @ v


@wrong("sdpa")
def mask_that_only_dampens(q, k, v, mask=None):
    scores = similarities(q, k)
    return (scores if mask is None else scores - 10.0 * ~mask).softmax(-1) @ v


@wrong("sdpa")
def diagonal_masked(q, k, v, mask=None):
    scores = similarities(q, k)
    if mask is not None:
        own = torch.eye(*scores.shape[-2:], dtype=torch.bool)
        scores = scores.masked_fill(~mask | (own & (mask.sum(-1, keepdim=True) > 1)), -math.inf)
    return scores.softmax(-1) @ v


@wrong("sdpa")
def always_causal(q, k, v, mask=None):
    seen = torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool).tril()
    return sdpa(q, k, v, seen if mask is None else seen & mask)


@wrong("sdpa")
def mask_of_the_first_example_for_all(q, k, v, mask=None):
    while mask is not None and mask.ndim > 2:
        mask = mask[0]
    return sdpa(q, k, v, mask)


@wrong("sdpa")
def values_masked_instead_of_similarities(q, k, v, mask=None):
    weights = similarities(q, k).softmax(-1)
    if mask is None:
        return weights @ v
    return (weights[..., None] * mask[..., None] * v.unsqueeze(-3)).sum(-2)


@wrong("sdpa")
def weights_normalised_again_after_the_mask_in_the_exponent(q, k, v, mask=None):
    weights = similarities(q, k).softmax(-1)
    weights = weights if mask is None else weights.masked_fill(~mask, -math.inf).softmax(-1)
    return weights @ v


@wrong("sdpa")
def divided_by_d(q, k, v, mask=None):
    return sdpa(q / math.sqrt(q.shape[-1]), k, v, mask)


@wrong("sdpa")
def not_divided(q, k, v, mask=None):
    return sdpa(q * math.sqrt(q.shape[-1]), k, v, mask)


@wrong("sdpa")
def divided_by_the_root_of_the_number_of_keys(q, k, v, mask=None):
    return sdpa(q * math.sqrt(q.shape[-1] / k.shape[-2]), k, v, mask)


@wrong("sdpa")
def divided_by_the_root_of_the_size_of_a_value(q, k, v, mask=None):
    return sdpa(q * math.sqrt(q.shape[-1] / v.shape[-1]), k, v, mask)


@wrong("sdpa")
def softmax_over_queries(q, k, v, mask=None):
    scores = similarities(q, k)
    scores = scores if mask is None else scores.masked_fill(~mask, -1e4)
    return scores.softmax(-2) @ v


@wrong("sdpa")
def softmax_over_everything(q, k, v, mask=None):
    scores = similarities(q, k)
    scores = scores if mask is None else scores.masked_fill(~mask, -math.inf)
    return scores.flatten(-2).softmax(-1).reshape(scores.shape) @ v


@wrong("sdpa")
def softmax_over_the_first_dimension(q, k, v, mask=None):
    scores = similarities(q, k)
    scores = scores if mask is None else scores.masked_fill(~mask, -1e4)
    return scores.softmax(0) @ v


@wrong("sdpa")
def softmax_that_overflows(q, k, v, mask=None):
    weights = similarities(q, k).exp()
    weights = weights if mask is None else weights * mask
    return weights / weights.sum(-1, keepdim=True) @ v


@wrong("sdpa")
def scores_clamped(q, k, v, mask=None):
    scores = similarities(q, k).clamp(-20, 20)
    scores = scores if mask is None else scores.masked_fill(~mask, -math.inf)
    return scores.softmax(-1) @ v


@wrong("sdpa")
def weights_detached(q, k, v, mask=None):
    scores = similarities(q, k)
    scores = scores if mask is None else scores.masked_fill(~mask, -math.inf)
    return scores.softmax(-1).detach() @ v


@wrong("sdpa")
def hidden_keys_smeared_over_the_rest(q, k, v, mask=None):
    scores = similarities(q, k)
    if mask is None:
        return scores.softmax(-1) @ v
    return scores.masked_fill(~mask, scores.detach().mean()).softmax(-1) @ v


@wrong("sdpa")
def largest_similarity_of_hidden_keys_too(q, k, v, mask=None):
    scores = similarities(q, k)
    weights = (scores - scores.detach().amax(-1, keepdim=True)).exp()
    weights = weights if mask is None else weights * mask
    return weights / (weights.sum(-1, keepdim=True) + 1e-9) @ v


@wrong("sdpa")
def the_best_key_alone(q, k, v, mask=None):
    scores = similarities(q, k)
    scores = scores if mask is None else scores.masked_fill(~mask, -math.inf)
    return F.one_hot(scores.argmax(-1), k.shape[-2]).to(v) @ v


@wrong("sdpa")
def cosine_similarity(q, k, v, mask=None):
    return sdpa(F.normalize(q, dim=-1) * q.shape[-1] ** 0.5, F.normalize(k, dim=-1), v, mask)


@wrong("sdpa")
def heads_put_together(q, k, v, mask=None):
    return sdpa(q, k, v, mask).transpose(-2, -1).contiguous().reshape(*q.shape[:-1], v.shape[-1])


@wrong("sdpa")
def causal_by_columns(q, k, v, mask=None):
    if mask is not None and mask.shape[-1] == mask.shape[-2]:
        mask = mask.mT
    return sdpa(q, k, v, mask)


@right("sdpa")
def by_torch(q, k, v, mask=None):
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


@right("sdpa")
def with_minus_ten_thousand(q, k, v, mask=None):
    scores = torch.einsum("...td,...sd->...ts", q, k) * q.shape[-1] ** -0.5
    if mask is not None:
        scores = torch.where(mask, scores, torch.tensor(-1e4, dtype=scores.dtype))
    return torch.einsum("...ts,...se->...te", scores.softmax(-1), v)


@right("sdpa")
def exponentials_by_hand(q, k, v, mask=None):
    scores = similarities(q, k)
    if mask is not None:
        scores = scores + torch.zeros_like(mask, dtype=scores.dtype).masked_fill(~mask, -math.inf)
    weights = torch.exp(scores - scores.amax(-1, keepdim=True))
    return weights @ v / weights.sum(-1, keepdim=True)

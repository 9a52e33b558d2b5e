"""Right and wrong answers to questions 6a and 6b: temperature, top-k and the nucleus."""

import math

import torch

from autograder.verify.variants import right, wrong


@wrong("apply_temperature")
def temperature_multiplies(logits, tau):
    return logits * tau if tau else apply_temperature(logits, tau)


@wrong("apply_temperature")
def temperature_of_the_probabilities(logits, tau):
    return logits.softmax(-1) / tau if tau else apply_temperature(logits, tau)


@wrong("apply_temperature")
def squared_temperature(logits, tau):
    return logits / tau**2 if tau else apply_temperature(logits, tau)


@wrong("apply_temperature")
def zero_means_no_change(logits, tau):
    return logits / tau if tau else logits


@wrong("apply_temperature")
def zero_becomes_a_small_number(logits, tau):
    return logits / max(tau, 1e-5)


@wrong("apply_temperature")
def divides_by_zero(logits, tau):
    return logits / tau


@wrong("apply_temperature")
def zero_keeps_the_largest_of_all_rows(logits, tau):
    return logits / tau if tau else torch.where(logits == logits.max(), 0.0, -math.inf).to(logits)


@wrong("apply_temperature")
def zero_keeps_the_logit_itself(logits, tau):
    return logits / tau if tau else logits.masked_fill(logits < logits.amax(-1, keepdim=True), -math.inf)


@wrong("apply_temperature")
def zero_gives_probabilities(logits, tau):
    return logits / tau if tau else torch.zeros_like(logits).scatter(-1, logits.argmax(-1, keepdim=True), 1.0)


@wrong("apply_temperature")
def returns_log_probabilities(logits, tau):
    return apply_temperature(logits, tau).log_softmax(-1)


@wrong("apply_temperature")
def temperature_at_least_one(logits, tau):
    return apply_temperature(logits, max(tau, 1.0) if tau else tau)


@wrong("top_k")
def keeps_one_too_many(logits, k):
    return top_k(logits, k + 1)


@wrong("top_k")
def keeps_one_too_few(logits, k):
    return top_k(logits, max(k - 1, 1))


@wrong("top_k")
def above_the_kth_only(logits, k):
    kth = logits.topk(min(k, logits.shape[-1])).values[..., -1:]
    return logits.masked_fill(logits <= kth, -math.inf)


@wrong("top_k")
def keeps_the_smallest(logits, k):
    return -top_k(-logits, k) if k < logits.shape[-1] else logits


@wrong("top_k")
def threshold_of_the_first_row(logits, k):
    if logits.ndim == 1:
        return top_k(logits, k)
    kth = logits.flatten(0, -2)[0].topk(min(k, logits.shape[-1])).values[-1]
    return logits.masked_fill(logits < kth, -math.inf)


@wrong("top_k")
def k_of_the_whole_batch(logits, k):
    kth = logits.flatten().topk(min(k, logits.numel())).values[-1]
    return logits.masked_fill(logits < kth, -math.inf)


@wrong("top_k")
def returns_the_k_values_only(logits, k):
    return logits.topk(min(k, logits.shape[-1])).values


@wrong("top_k")
def in_sorted_order(logits, k):
    values = logits.sort(-1, descending=True).values.clone()
    values[..., k:] = -math.inf
    return values


@wrong("top_k")
def zero_for_the_others(logits, k):
    return top_k(logits, k).masked_fill(top_k(logits, k) == -math.inf, 0.0)


@wrong("top_k")
def a_large_negative_number_for_the_others(logits, k):
    return top_k(logits, k).clamp_min(-20.0)


@wrong("top_k")
def fails_for_a_large_k(logits, k):
    return logits.masked_fill(logits < logits.topk(k).values[..., -1:], -math.inf)


@wrong("top_k")
def top_k_in_place(logits, k):
    logits[logits < logits.topk(min(k, logits.shape[-1])).values[..., -1:]] = -math.inf
    return logits


@wrong("top_k")
def keeps_the_first_k(logits, k):
    out = logits.clone()
    out[..., k:] = -math.inf
    return out


# 6b


def sorted_probabilities(logits):
    """Probabilities in falling order, and whose they are."""
    return logits.softmax(-1).sort(-1, descending=True)


def only(logits, order, kept):
    """Logits where kept, a mask in sorted order, says so."""
    return logits.masked_fill(~torch.zeros_like(kept).scatter(-1, order, kept), -math.inf)


@wrong("top_p")
def drops_the_crossing_token(logits, p):
    probs, order = sorted_probabilities(logits)
    return only(logits, order, probs.cumsum(-1) <= p)


@wrong("top_p")
def drops_the_crossing_token_but_never_all(logits, p):
    probs, order = sorted_probabilities(logits)
    kept = probs.cumsum(-1) <= p
    kept[..., 0] = True
    return only(logits, order, kept)


@wrong("top_p")
def one_token_too_many(logits, p):
    probs, order = sorted_probabilities(logits)
    kept = probs.cumsum(-1) - probs < p
    kept[..., 1:] = kept[..., :-1].clone()
    return only(logits, order, kept)


@wrong("top_p")
def not_scattered_back(logits, p):
    probs, _ = sorted_probabilities(logits)
    return logits.masked_fill(probs.cumsum(-1) - probs >= p, -math.inf)


@wrong("top_p")
def gathered_instead_of_scattered(logits, p):
    probs, order = sorted_probabilities(logits)
    return logits.masked_fill((probs.cumsum(-1) - probs >= p).gather(-1, order), -math.inf)


@wrong("top_p")
def returns_sorted_logits(logits, p):
    probs, order = sorted_probabilities(logits)
    return logits.gather(-1, order).masked_fill(probs.cumsum(-1) - probs >= p, -math.inf)


@wrong("top_p")
def smallest_probabilities_first(logits, p):
    probs, order = logits.softmax(-1).sort(-1)
    return only(logits, order, probs.cumsum(-1) - probs < p)


@wrong("top_p")
def tokens_more_probable_than_p(logits, p):
    return logits.masked_fill(logits.softmax(-1) < p, -math.inf)


@wrong("top_p")
def tokens_more_probable_than_a_share_of_the_best(logits, p):
    probs = logits.softmax(-1)
    return logits.masked_fill(probs < (1 - p) * probs.amax(-1, keepdim=True), -math.inf)


@wrong("top_p")
def mass_one_minus_p(logits, p):
    return top_p(logits, 1 - p)


@wrong("top_p")
def without_the_softmax(logits, p):
    values, order = logits.sort(-1, descending=True)
    return only(logits, order, values.cumsum(-1) - values < p)


@wrong("top_p")
def sorted_over_the_batch(logits, p):
    if logits.ndim == 1:
        return top_p(logits, p)
    probs, order = logits.softmax(-1).sort(0, descending=True)
    kept = torch.zeros_like(order, dtype=torch.bool).scatter(0, order, probs.cumsum(0) - probs < p)
    return logits.masked_fill(~kept, -math.inf)


@wrong("top_p")
def nucleus_of_the_first_row(logits, p):
    if logits.ndim == 1:
        return top_p(logits, p)
    first = top_p(logits.flatten(0, -2)[0], p)
    return logits.masked_fill(first == -math.inf, -math.inf)


@wrong("top_p")
def log_probabilities_for_logits(logits, p):
    return top_p(logits, p).log_softmax(-1)


@wrong("top_p")
def returns_probabilities(logits, p):
    return top_p(logits, p).softmax(-1)


@wrong("top_p")
def in_place(logits, p):
    logits.copy_(top_p(logits, p))
    return logits


@wrong("top_p")
def at_least_two_tokens(logits, p):
    probs, order = sorted_probabilities(logits)
    kept = probs.cumsum(-1) - probs < p
    kept[..., :2] = True
    return only(logits, order, kept)


@right("apply_temperature")
def zero_keeps_one_of_the_largest(logits, tau):
    if tau > 0:
        return logits.div(tau)
    limit = torch.full_like(logits, -math.inf)
    return limit.scatter(-1, logits.argmax(dim=-1, keepdim=True), 0.0)


@right("top_k")
def by_scattering_the_k(logits, k):
    values, places = torch.topk(logits, min(k, logits.size(-1)), dim=-1)
    return torch.full_like(logits, -math.inf).scatter(-1, places, values)


@right("top_k")
def by_ranks(logits, k):
    ranks = logits.argsort(dim=-1, descending=True).argsort(dim=-1)
    return torch.where(ranks < k, logits, -math.inf)


@right("top_p")
def by_a_loop(logits, p):
    rows = logits.reshape(-1, logits.shape[-1])
    out = torch.full_like(rows, -math.inf)
    for row, kept in zip(rows, out, strict=True):
        mass = 0.0
        for v in row.argsort(descending=True).tolist():
            kept[v] = row[v]
            mass += row.softmax(0)[v].item()
            if mass >= p:
                break
    return out.reshape(logits.shape)


@right("top_p")
def by_shifting_the_mask(logits, p):
    values, order = torch.sort(logits, descending=True, dim=-1)
    remove = values.softmax(-1).cumsum(-1) > p
    remove = torch.cat([torch.zeros_like(remove[..., :1]), remove[..., :-1]], dim=-1)
    return torch.full_like(logits, -math.inf).scatter(-1, order, values.masked_fill(remove, -math.inf))


@right("top_p")
def by_the_smallest_kept_probability(logits, p):
    probs = logits.softmax(-1)
    ordered = probs.sort(-1, descending=True).values
    count = (ordered.cumsum(-1) - ordered < p).sum(-1, keepdim=True).clamp_min(1)
    return torch.where(probs >= ordered.gather(-1, count - 1), logits, -math.inf)

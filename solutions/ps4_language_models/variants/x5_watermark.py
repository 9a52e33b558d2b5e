"""Right and wrong answers to question x5."""

import math
from collections import Counter

import torch

from autograder.verify.variants import right, wrong

# x5a


@wrong("favour")
def lists_read_by_column(logits, prev, green, delta):
    return logits + delta * green.T[prev]


@wrong("favour")
def favours_red_tokens(logits, prev, green, delta):
    return logits + delta * ~green[prev]


@wrong("favour")
def one_list_for_all_rows(logits, prev, green, delta):
    return logits + delta * green[prev[0]]


@wrong("favour")
def multiplies_the_logits(logits, prev, green, delta):
    return torch.where(green[prev], logits * (1 + delta), logits)


@wrong("favour")
def adds_to_probabilities(logits, prev, green, delta):
    return (logits.softmax(dim=-1) + delta * green[prev]).clamp(min=1e-9).log()


@wrong("favour")
def only_green_tokens_are_left(logits, prev, green, delta):
    return logits.masked_fill(~green[prev], -torch.inf)


@wrong("favour")
def punishes_red_tokens_too(logits, prev, green, delta):
    return logits + delta * (2.0 * green[prev] - 1)


@wrong("favour")
def red_tokens_lose_instead(logits, prev, green, delta):
    return logits - delta * ~green[prev]


@wrong("favour")
def in_place(logits, prev, green, delta):
    logits[green[prev]] += delta
    return logits


@wrong("favour")
def result_is_normalised(logits, prev, green, delta):
    return (logits + delta * green[prev]).log_softmax(dim=-1)


@right("favour")
def by_where(logits, prev, green, delta):
    return torch.where(green[prev], logits + delta, logits)


@right("favour")
def by_index_select(logits, prev, green, delta):
    return logits.add(green.index_select(0, prev).to(logits), alpha=delta)


def step(model, idx, u, prev, green, delta):
    """The text with one more token, which prefers what is green after prev."""
    logits = model(idx[:, -model.cfg.block_size :])[:, -1]
    probs = favour(logits, prev, green, delta).softmax(dim=-1)
    return torch.cat([idx, sample_from(probs, u)[:, None]], dim=1)


@wrong("write_marked")
@torch.no_grad()
def list_of_the_first_token(model, idx, n, us, green, delta):
    for u in us[:, :n].T:
        idx = step(model, idx, u, idx[:, 0], green, delta)
    return idx


@wrong("write_marked")
@torch.no_grad()
def list_of_the_prompts_end_for_all(model, idx, n, us, green, delta):
    prev = idx[:, -1]
    for u in us[:, :n].T:
        idx = step(model, idx, u, prev, green, delta)
    return idx


@wrong("write_marked")
@torch.no_grad()
def list_of_the_most_probable_token(model, idx, n, us, green, delta):
    for u in us[:, :n].T:
        likely = model(idx[:, -model.cfg.block_size :])[:, -1].argmax(dim=-1)
        logits = model(idx[:, -model.cfg.block_size :])[:, -1]
        probs = favour(logits, likely, green, delta).softmax(dim=-1)
        idx = torch.cat([idx, sample_from(probs, u)[:, None]], dim=1)
    return idx


@wrong("write_marked")
@torch.no_grad()
def without_the_preference(model, idx, n, us, green, delta):
    for u in us[:, :n].T:
        idx = step(model, idx, u, idx[:, -1], green, 0.0)
    return idx


@wrong("write_marked")
@torch.no_grad()
def takes_the_most_probable(model, idx, n, us, green, delta):
    for _ in range(n):
        logits = favour(model(idx[:, -model.cfg.block_size :])[:, -1], idx[:, -1], green, delta)
        idx = torch.cat([idx, logits.argmax(dim=-1, keepdim=True)], dim=1)
    return idx


@wrong("write_marked")
@torch.no_grad()
def one_number_for_all_steps(model, idx, n, us, green, delta):
    for _ in range(n):
        idx = step(model, idx, us[:, 0], idx[:, -1], green, delta)
    return idx


@wrong("write_marked")
@torch.no_grad()
def whole_text_beyond_the_block(model, idx, n, us, green, delta):
    for u in us[:, :n].T:
        probs = favour(model(idx)[:, -1], idx[:, -1], green, delta).softmax(dim=-1)
        idx = torch.cat([idx, sample_from(probs, u)[:, None]], dim=1)
    return idx


@wrong("write_marked")
@torch.no_grad()
def returns_only_what_is_new(model, idx, n, us, green, delta):
    return write_marked(model, idx, n, us, green, delta)[:, idx.shape[1] :]


@wrong("write_marked")
def with_gradients(model, idx, n, us, green, delta):
    with torch.enable_grad():
        for u in us[:, :n].T:
            idx = step(model, idx, u, idx[:, -1], green, delta)
    return idx


@wrong("write_marked")
@torch.no_grad()
def first_logits_for_last(model, idx, n, us, green, delta):
    for u in us[:, :n].T:
        logits = model(idx[:, -model.cfg.block_size :])[:, 0]
        probs = favour(logits, idx[:, -1], green, delta).softmax(dim=-1)
        idx = torch.cat([idx, sample_from(probs, u)[:, None]], dim=1)
    return idx


@right("write_marked")
def into_a_tensor_made_before(model, idx, n, us, green, delta):
    T = idx.shape[1]
    text = torch.cat([idx, idx.new_zeros(len(idx), n)], dim=1)
    with torch.no_grad():
        for t in range(n):
            seen = text[:, max(0, T + t - model.cfg.block_size) : T + t]
            logits = favour(model(seen)[:, -1, :], text[:, T + t - 1], green, delta)
            text[:, T + t] = sample_from(torch.softmax(logits, -1), us[:, t])
    return text


@right("write_marked")
@torch.no_grad()
def a_token_for_each_column(model, idx, n, us, green, delta):
    for u in us.T:
        idx = step(model, idx, u, idx[:, -1], green, delta)
    return idx


@right("write_marked")
@torch.inference_mode()
def with_the_preference_as_a_factor(model, idx, n, us, green, delta):
    for t in range(n):
        p = model(idx[:, -model.cfg.block_size :])[:, -1].softmax(dim=-1)
        p = torch.where(green[idx[:, -1]], p * math.exp(delta), p)
        idx = torch.cat([idx, sample_from(p / p.sum(dim=1, keepdim=True), us[:, t]).unsqueeze(1)], dim=1)
    return idx


# x5b


@wrong("count_green")
def every_occurrence(ids, green):
    return int(green[ids[:-1], ids[1:]].sum()), len(ids) - 1


@wrong("count_green")
def hits_distinct_and_pairs_not(ids, green):
    return count_green(ids, green)[0], len(ids) - 1


@wrong("count_green")
def pairs_distinct_and_hits_not(ids, green):
    return int(green[ids[:-1], ids[1:]].sum()), count_green(ids, green)[1]


@wrong("count_green")
def distinct_tokens(ids, green):
    seen = ids.unique()
    return int(green[seen[:-1], seen[1:]].sum()), len(seen) - 1


@wrong("count_green")
def pairs_without_an_order(ids, green):
    pairs = {tuple(sorted(pair)) for pair in zip(ids.tolist(), ids.tolist()[1:], strict=False)}
    return sum(bool(green[pair]) for pair in pairs), len(pairs)


@wrong("count_green")
def runs_counted_once(ids, green):
    ids = ids.unique_consecutive()
    return count_green(ids, green)


@wrong("count_green")
def lists_read_by_column_in_counting(ids, green):
    return count_green(ids, green.T)


@wrong("count_green")
def without_overlap(ids, green):
    ids = ids[: len(ids) // 2 * 2]
    pairs = set(zip(ids[::2].tolist(), ids[1::2].tolist(), strict=True))
    return sum(bool(green[pair]) for pair in pairs), len(pairs)


@wrong("count_green")
def pairs_that_occur_only_once(ids, green):
    number = Counter(zip(ids.tolist(), ids.tolist()[1:], strict=False))
    pairs = [pair for pair, times in number.items() if times == 1]
    return sum(bool(green[pair]) for pair in pairs), len(pairs)


@right("count_green")
def by_a_set(ids, green):
    tokens = ids.tolist()
    pairs = {(tokens[i], tokens[i + 1]) for i in range(len(tokens) - 1)}
    return len([1 for a, b in pairs if green[a, b]]), len(pairs)


@right("count_green")
def by_a_table(ids, green):
    seen = torch.zeros_like(green)
    seen[ids[:-1], ids[1:]] = True
    return (seen & green).sum(), seen.sum()


@wrong("z_score")
def divided_by_the_variance(hits, n, gamma):
    return (hits - gamma * n) / (n * gamma * (1 - gamma)) if n else 0.0


@wrong("z_score")
def without_one_minus_gamma(hits, n, gamma):
    return (hits - gamma * n) / math.sqrt(n * gamma) if n else 0.0


@wrong("z_score")
def half_for_every_gamma(hits, n, gamma):
    return (hits - n / 2) / math.sqrt(n / 4) if n else 0.0


@wrong("z_score")
def of_the_share(hits, n, gamma):
    return (hits / n - gamma) / math.sqrt(gamma * (1 - gamma)) if n else 0.0


@wrong("z_score")
def spread_of_what_was_seen(hits, n, gamma):
    share = hits / n if n else 0.0
    spread = math.sqrt(n * share * (1 - share))
    return (hits - gamma * n) / spread if spread else 0.0


@wrong("z_score")
def divides_by_zero(hits, n, gamma):
    return (hits - gamma * n) / math.sqrt(n * gamma * (1 - gamma))


@wrong("z_score")
def without_a_sign(hits, n, gamma):
    return abs(hits - gamma * n) / math.sqrt(n * gamma * (1 - gamma)) if n else 0.0


@wrong("z_score")
def too_few_hits_are_zero(hits, n, gamma):
    return max(0.0, (hits - gamma * n) / math.sqrt(n * gamma * (1 - gamma))) if n else 0.0


@wrong("z_score")
def sign_swapped(hits, n, gamma):
    return (gamma * n - hits) / math.sqrt(n * gamma * (1 - gamma)) if n else 0.0


@wrong("z_score")
def corrected_for_continuity(hits, n, gamma):
    return (hits - 0.5 - gamma * n) / math.sqrt(n * gamma * (1 - gamma)) if n else 0.0


@right("z_score")
def in_steps(hits, n, gamma):
    if n == 0:
        return 0.0
    mean, variance = n * gamma, n * gamma * (1 - gamma)
    return float((hits - mean) * variance**-0.5)


@right("z_score")
def as_a_tensor(hits, n, gamma):
    share = torch.tensor(hits / max(n, 1), dtype=torch.float64)
    return (share - gamma) * (n / (gamma * (1 - gamma))) ** 0.5 if n else torch.zeros((), dtype=torch.float64)

"""Right and wrong answers to question x2c: running means and perplexity."""

import torch

from autograder.verify.variants import right, wrong


# x2c


def of_batch(counts, vectors, index):
    """Counts (K,) and sums (K, D) of a batch."""
    chosen = torch.nn.functional.one_hot(index, len(counts)).to(vectors.dtype)
    return chosen.sum(0), chosen.T @ vectors


@wrong("ema_update")
def gamma_on_the_batch(counts, sums, vectors, index, gamma):
    n, m = of_batch(counts, vectors, index)
    counts, sums = (1 - gamma) * counts + gamma * n, (1 - gamma) * sums + gamma * m
    return counts, sums, sums / counts[:, None]


@wrong("ema_update")
def batch_means_for_sums(counts, sums, vectors, index, gamma):
    n, m = of_batch(counts, vectors, index)
    counts, sums = gamma * counts + (1 - gamma) * n, gamma * sums + (1 - gamma) * m / n.clamp_min(1)[:, None]
    return counts, sums, sums / counts[:, None]


@wrong("ema_update")
def counts_not_averaged(counts, sums, vectors, index, gamma):
    n, m = of_batch(counts, vectors, index)
    counts, sums = counts + n, gamma * sums + (1 - gamma) * m
    return counts, sums, sums / counts[:, None]


@wrong("ema_update")
def divided_by_the_old_counts(counts, sums, vectors, index, gamma):
    n, m = of_batch(counts, vectors, index)
    sums = gamma * sums + (1 - gamma) * m
    return gamma * counts + (1 - gamma) * n, sums, sums / counts[:, None]


@wrong("ema_update")
def sums_as_codes(counts, sums, vectors, index, gamma):
    n, m = of_batch(counts, vectors, index)
    sums = gamma * sums + (1 - gamma) * m
    return gamma * counts + (1 - gamma) * n, sums, sums


@wrong("ema_update")
def shares_for_counts(counts, sums, vectors, index, gamma):
    n, m = of_batch(counts, vectors, index)
    counts, sums = gamma * counts + (1 - gamma) * n / len(index), gamma * sums + (1 - gamma) * m
    return counts, sums, sums / counts[:, None]


@wrong("ema_update")
def only_the_last_of_each_code(counts, sums, vectors, index, gamma):
    n, m = torch.zeros_like(counts), torch.zeros_like(sums)
    n[index] += 1
    m[index] += vectors
    counts, sums = gamma * counts + (1 - gamma) * n, gamma * sums + (1 - gamma) * m
    return counts, sums, sums / counts[:, None]


@wrong("ema_update")
def unused_codes_set_to_zero(counts, sums, vectors, index, gamma):
    n, m = of_batch(counts, vectors, index)
    counts, sums = gamma * counts + (1 - gamma) * n, gamma * sums + (1 - gamma) * m
    return counts, sums, sums / counts[:, None] * (n > 0)[:, None]


@right("ema_update")
def by_index_add(counts, sums, vectors, index, gamma):
    counts, sums = counts * gamma, sums * gamma
    counts = counts.index_add(0, index, torch.full_like(vectors[:, 0], 1 - gamma))
    sums = sums.index_add(0, index, (1 - gamma) * vectors)
    return counts, sums, sums / counts.unsqueeze(1)


@right("ema_update")
def code_by_code(counts, sums, vectors, index, gamma):
    counts, sums = counts.clone(), sums.clone()
    for k in range(len(counts)):
        mine = vectors[index == k]
        counts[k] = gamma * counts[k] + (1 - gamma) * len(mine)
        sums[k] = gamma * sums[k] + (1 - gamma) * mine.sum(0)
    return counts, sums, sums / counts[:, None]


def shares_of(index, K):
    """Shares (K,) in float64."""
    return torch.bincount(index.flatten(), minlength=K).double() / index.numel()


@wrong("code_perplexity")
def entropy_in_bits_exponentiated(index, K):
    p = shares_of(index, K)
    p = p[p > 0]
    return (-(p * p.log2()).sum()).exp()


@wrong("code_perplexity")
def entropy_itself(index, K):
    return torch.special.entr(shares_of(index, K)).sum()


@wrong("code_perplexity")
def unused_codes_are_nan(index, K):
    p = shares_of(index, K)
    return (-(p * p.log()).sum()).exp()


@wrong("code_perplexity")
def number_of_codes_in_use(index, K):
    return (shares_of(index, K) > 0).double().sum()


@wrong("code_perplexity")
def sign_forgotten(index, K):
    return (-torch.special.entr(shares_of(index, K)).sum()).exp()


@wrong("code_perplexity")
def shares_of_the_batch_dimension(index, K):
    p = torch.bincount(index.flatten(), minlength=K).double() / len(index)
    return torch.special.entr(p).sum().exp()


@wrong("code_perplexity")
def smoothed_by_a_small_number(index, K):
    p = shares_of(index, K) + 1e-3
    return (-(p * p.log()).sum()).exp()


@wrong("code_perplexity")
def mean_in_the_place_of_sum(index, K):
    return torch.special.entr(shares_of(index, K)).mean().exp()


@right("code_perplexity")
def over_the_codes_in_use(index, K):
    counts = index.flatten().unique(return_counts=True)[1].double()
    p = counts / counts.sum()
    return torch.exp(-(p * p.log()).sum())


@right("code_perplexity")
def by_a_small_number_in_the_logarithm(index, K):
    p = shares_of(index, K)
    return torch.exp(-torch.sum(p * torch.log(p + 1e-10)))


@wrong("ema_update")
def counts_with_a_floor(counts, sums, vectors, index, gamma):
    counts, sums, _ = ema_update(counts, sums, vectors, index, gamma)
    return counts, sums, sums / counts.clamp(min=1e-2)[:, None]


@right("ema_update")
def by_what_the_batch_weighs(counts, sums, vectors, index, gamma):
    chosen = torch.nn.functional.one_hot(index, len(counts)).to(vectors.dtype)
    weight = (1 - gamma) / gamma
    counts, sums = counts + weight * chosen.sum(0), sums + weight * chosen.T @ vectors
    return gamma * counts, gamma * sums, sums / counts[:, None]

"""Right and wrong answers to question 2."""

import math

import torch
import torch.nn.functional as F

from autograder.verify.variants import right, wrong

# 2a


def pairs(ids, V):
    """The numbers (V, V) float64 of pairs."""
    return torch.bincount(ids[:-1] * V + ids[1:], minlength=V * V).reshape(V, V).double()


def rows(number):
    """Logarithms of rows that sum to 1; rows without counts are uniform."""
    total = number.sum(dim=1, keepdim=True)
    return torch.where(total > 0, number / total, 1 / len(number)).log()


@wrong("bigram_mle")
def counts_what_comes_before(ids, V, alpha):
    return rows(pairs(ids, V).T + alpha)


@wrong("bigram_mle")
def columns_sum_to_one(ids, V, alpha):
    return rows(pairs(ids, V).T + alpha).T


@wrong("bigram_mle")
def joint_probabilities(ids, V, alpha):
    number = pairs(ids, V) + alpha
    return (number / number.sum()).log()


@wrong("bigram_mle")
def alpha_above_the_line_only(ids, V, alpha):
    number = pairs(ids, V)
    return ((number + alpha) / number.sum(dim=1, keepdim=True).clamp(min=1)).log()


@wrong("bigram_mle")
def alpha_below_without_V(ids, V, alpha):
    number = pairs(ids, V)
    return ((number + alpha) / (number.sum(dim=1, keepdim=True) + alpha)).log()


@wrong("bigram_mle")
def always_adds_one(ids, V, alpha):
    return rows(pairs(ids, V) + 1)


@wrong("bigram_mle")
def ignores_alpha(ids, V, alpha):
    return rows(pairs(ids, V))


@wrong("bigram_mle")
def adds_alpha_to_the_shares(ids, V, alpha):
    return rows(rows(pairs(ids, V)).exp() + alpha)


@wrong("bigram_mle")
def adds_alpha_only_where_nothing_was_seen(ids, V, alpha):
    number = pairs(ids, V)
    return rows(torch.where(number == 0, alpha, number))


@wrong("bigram_mle")
def forgets_the_logarithm(ids, V, alpha):
    return rows(pairs(ids, V) + alpha).exp()


@wrong("bigram_mle")
def last_token_is_followed_by_the_first(ids, V, alpha):
    return rows(pairs(torch.cat([ids, ids[:1]]), V) + alpha)


@wrong("bigram_mle")
def counts_pairs_that_do_not_overlap(ids, V, alpha):
    even = ids[: len(ids) // 2 * 2].reshape(-1, 2)
    return rows(torch.bincount(even[:, 0] * V + even[:, 1], minlength=V * V).reshape(V, V).double() + alpha)


@wrong("bigram_mle")
def each_pair_is_counted_once(ids, V, alpha):
    number = torch.zeros(V, V, dtype=torch.float64)
    number[ids[:-1], ids[1:]] += 1
    return rows(number + alpha)


@wrong("bigram_mle")
def divides_by_all_occurrences(ids, V, alpha):
    number = pairs(ids, V)
    total = torch.bincount(ids, minlength=V)[:, None] + alpha * V
    return torch.where(total > 0, (number + alpha) / total, 1 / V).log()


@wrong("bigram_mle")
def a_table_of_the_seen_tokens_only(ids, V, alpha):
    V = int(ids.max()) + 1
    return rows(pairs(ids, V) + alpha)


@wrong("bigram_mle")
def zero_over_zero(ids, V, alpha):
    number = pairs(ids, V) + alpha
    return (number / number.sum(dim=1, keepdim=True)).log()


@wrong("bigram_mle")
def no_minus_infinity(ids, V, alpha):
    return rows(pairs(ids, V) + alpha).clamp(min=-30)


@wrong("bigram_mle")
def smooths_a_little_even_without_alpha(ids, V, alpha):
    return rows(pairs(ids, V) + max(alpha, 1e-3))


@wrong("bigram_mle")
def softmax_of_the_counts(ids, V, alpha):
    return torch.log_softmax(pairs(ids, V) + alpha, dim=1)


@wrong("bigram_mle")
def in_single_precision(ids, V, alpha):
    return rows(pairs(ids, V) + alpha).float()


@right("bigram_mle")
def by_a_loop(ids, V, alpha):
    number = torch.full((V, V), float(alpha), dtype=torch.float64)
    for a, b in zip(ids[:-1].tolist(), ids[1:].tolist(), strict=True):
        number[a, b] += 1
    return rows(number)


@right("bigram_mle")
def by_one_hot_vectors(ids, V, alpha):
    one_hot = F.one_hot(ids, V).double()
    number = one_hot[:-1].T @ one_hot[1:] + alpha
    log_P = number.log() - number.sum(dim=1, keepdim=True).log()
    return torch.nan_to_num(log_P, nan=-math.log(V), neginf=-math.inf)


@right("bigram_mle")
def by_accumulating_in_place(ids, V, alpha):
    number = torch.zeros(V, V, dtype=torch.float64)
    number.index_put_((ids[:-1], ids[1:]), torch.ones(len(ids) - 1, dtype=torch.float64), accumulate=True)
    return rows(number + alpha)


# 2b


@wrong("nll")
def asks_for_the_token_before(log_P, ids):
    return -log_P[ids[1:], ids[:-1]]


@wrong("nll")
def sign_of_the_log_likelihood(log_P, ids):
    return log_P[ids[:-1], ids[1:]]


@wrong("nll")
def mean_of_the_surprises(log_P, ids):
    return -log_P[ids[:-1], ids[1:]].mean()


@wrong("nll")
def sum_of_the_surprises(log_P, ids):
    return -log_P[ids[:-1], ids[1:]].sum()


@wrong("nll")
def surprises_in_bits(log_P, ids):
    return -log_P[ids[:-1], ids[1:]] / math.log(2)


@wrong("nll")
def takes_the_logarithm_again(log_P, ids):
    return -torch.log_softmax(log_P.exp(), dim=1)[ids[:-1], ids[1:]]


@wrong("nll")
def probability_of_staying(log_P, ids):
    return -log_P[ids[1:], ids[1:]]


@wrong("nll")
def first_token_counts_too(log_P, ids):
    V = log_P.new_tensor(float(len(log_P)))
    return torch.cat([V.log()[None], -log_P[ids[:-1], ids[1:]]])


@wrong("nll")
def two_tokens_back(log_P, ids):
    return -log_P[ids[:-2], ids[2:]]


@right("nll")
def by_gather(log_P, ids):
    return -log_P[ids[:-1]].gather(1, ids[1:, None])[:, 0]


@right("nll")
def by_cross_entropy(log_P, ids):
    return F.cross_entropy(log_P[ids[:-1]], ids[1:], reduction="none")


@wrong("perplexity")
def mean_of_the_documents_perplexities(nlls):
    return torch.stack([each.mean().exp() for each in nlls]).mean()


@wrong("perplexity")
def mean_of_the_documents_means(nlls):
    return torch.stack([each.mean() for each in nlls]).mean().exp()


@wrong("perplexity")
def mean_of_the_tokens_perplexities(nlls):
    return torch.cat(nlls).exp().mean()


@wrong("perplexity")
def two_to_the_nats(nlls):
    return 2 ** torch.cat(nlls).mean()


@wrong("perplexity")
def forgets_to_exponentiate(nlls):
    return torch.cat(nlls).mean()


@wrong("perplexity")
def of_the_whole_text(nlls):
    return torch.cat(nlls).sum().exp()


@wrong("perplexity")
def inverse_of_it(nlls):
    return (-torch.cat(nlls).mean()).exp()


@wrong("perplexity")
def divides_by_the_number_of_documents(nlls):
    return (torch.cat(nlls).sum() / len(nlls)).exp()


@right("perplexity")
def by_sums(nlls):
    return math.exp(sum(float(each.sum()) for each in nlls) / sum(len(each) for each in nlls))


@right("perplexity")
def by_the_geometric_mean(nlls):
    every = torch.cat(nlls)
    return (every / len(every)).exp().prod()


@wrong("bits_per_byte")
def bits_per_token(nlls, n_bytes):
    return torch.cat(nlls).mean() / math.log(2)


@wrong("bits_per_byte")
def nats_per_byte(nlls, n_bytes):
    return torch.cat(nlls).sum() / n_bytes


@wrong("bits_per_byte")
def multiplies_by_log_2(nlls, n_bytes):
    return torch.cat(nlls).sum() * math.log(2) / n_bytes


@wrong("bits_per_byte")
def mean_over_tokens_and_bytes(nlls, n_bytes):
    return torch.cat(nlls).mean() / math.log(2) / n_bytes


@wrong("bits_per_byte")
def mean_over_the_documents(nlls, n_bytes):
    return torch.stack([each.sum() for each in nlls]).mean() / math.log(2) / n_bytes


@wrong("bits_per_byte")
def logarithm_of_the_perplexity(nlls, n_bytes):
    return torch.cat(nlls).mean().exp().log2()


@wrong("bits_per_byte")
def bytes_per_bit(nlls, n_bytes):
    return n_bytes * math.log(2) / torch.cat(nlls).sum()


@wrong("bits_per_byte")
def decimal_digits(nlls, n_bytes):
    return torch.cat(nlls).sum() / math.log(10) / n_bytes


@right("bits_per_byte")
def from_the_perplexity(nlls, n_bytes):
    every = torch.cat(nlls)
    return len(every) / n_bytes * every.mean().exp().log2()


@right("bits_per_byte")
def document_by_document(nlls, n_bytes):
    return sum(float(each.sum()) / math.log(2) for each in nlls) / n_bytes

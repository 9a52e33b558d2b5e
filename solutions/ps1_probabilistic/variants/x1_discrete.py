"""Right and wrong answers to x1."""

import torch

from autograder.verify.variants import right, wrong

logsigmoid = torch.nn.functional.logsigmoid


def logistic_edges(x, mu, log_s):
    """The arguments a and b of the two sigmoids."""
    s = log_s.exp()
    return (x + 0.5 - mu) / s, (x - 0.5 - mu) / s


# x1a


@wrong("histogram_nll")
def positive_log_likelihood(logits, x):
    return logits.log_softmax(0)[x]


@wrong("histogram_nll")
def mean_over_the_batch(logits, x):
    return -logits.log_softmax(0)[x].mean()


@wrong("histogram_nll")
def logits_taken_for_log_probabilities(logits, x):
    return -logits[x]


@wrong("histogram_nll")
def in_bits(logits, x):
    return -logits.log_softmax(0)[x] / math.log(2)


@wrong("histogram_nll")
def log_of_softmax(logits, x):
    return -torch.log(logits.softmax(0)[x])


@wrong("histogram_nll")
def exp_without_a_shift(logits, x):
    return logits.exp().sum().log() - logits[x]


@wrong("histogram_nll")
def log_with_an_epsilon(logits, x):
    return -torch.log(logits.softmax(0)[x] + 1e-12)


@wrong("histogram_nll")
def normalised_over_the_batch(logits, x):
    return -logits[x].log_softmax(0)


@wrong("histogram_nll")
def sigmoid_of_each_logit(logits, x):
    return -logsigmoid(logits)[x]


@wrong("histogram_nll")
def normaliser_detached(logits, x):
    return logits.detach().logsumexp(0) - logits[x]


@wrong("histogram_nll")
def computed_in_numpy(logits, x):
    values = logits.detach().numpy()
    return torch.from_numpy(np.logaddexp.reduce(values) - values[x.numpy()])


@wrong("histogram_nll")
def shifts_the_given_logits(logits, x):
    with torch.no_grad():
        logits -= logits.max()
    return logits.exp().sum().log() - logits[x]


@right("histogram_nll")
def cross_entropy(logits, x):
    return torch.nn.functional.cross_entropy(logits.expand(len(x), -1), x, reduction="none")


@right("histogram_nll")
def shifted_by_the_maximum_by_hand(logits, x):
    shifted = logits - logits.max()
    return shifted.exp().sum().log() - shifted[x]


@right("histogram_nll")
def with_a_distribution_object(logits, x):
    return -torch.distributions.Categorical(logits=logits).log_prob(x)


@right("histogram_nll")
def one_hot_product(logits, x):
    one_hot = torch.nn.functional.one_hot(x, len(logits)).to(logits.dtype)
    return -one_hot @ logits.log_softmax(0)


# x1b


@wrong("discretized_logistic_logprob")
def density_at_the_centre(x, mu, log_s, K):
    z = (x - mu) / log_s.exp()
    return -z - log_s - 2 * torch.nn.functional.softplus(-z)


@wrong("discretized_logistic_logprob")
def closed_edge_bins(x, mu, log_s, K):
    a, b = logistic_edges(x, mu, log_s)
    return logsigmoid(a) + logsigmoid(-b) + torch.log(-torch.expm1(b - a))


@wrong("discretized_logistic_logprob")
def only_the_first_bin_open(x, mu, log_s, K):
    a, b = logistic_edges(x, mu, log_s)
    inside = logsigmoid(a) + logsigmoid(-b) + torch.log(-torch.expm1(b - a))
    return torch.where(x == 0, logsigmoid(a), inside)


@wrong("discretized_logistic_logprob")
def last_bin_is_K(x, mu, log_s, K):
    a, b = logistic_edges(x, mu, log_s)
    inside = logsigmoid(a) + logsigmoid(-b) + torch.log(-torch.expm1(b - a))
    return torch.where(x == 0, logsigmoid(a), torch.where(x == K, logsigmoid(-b), inside))


@wrong("discretized_logistic_logprob")
def open_bins_swapped(x, mu, log_s, K):
    a, b = logistic_edges(x, mu, log_s)
    inside = logsigmoid(a) + logsigmoid(-b) + torch.log(-torch.expm1(b - a))
    return torch.where(x == 0, logsigmoid(-b), torch.where(x == K - 1, logsigmoid(a), inside))


@wrong("discretized_logistic_logprob")
def log_s_taken_for_s(x, mu, log_s, K):
    a, b = (x + 0.5 - mu) / log_s, (x - 0.5 - mu) / log_s
    inside = logsigmoid(a) + logsigmoid(-b) + torch.log(-torch.expm1(b - a))
    return torch.where(x == 0, logsigmoid(a), torch.where(x == K - 1, logsigmoid(-b), inside))


@wrong("discretized_logistic_logprob")
def scale_is_half_of_log_variance(x, mu, log_s, K):
    a, b = logistic_edges(x, mu, log_s / 2)
    inside = logsigmoid(a) + logsigmoid(-b) + torch.log(-torch.expm1(b - a))
    return torch.where(x == 0, logsigmoid(a), torch.where(x == K - 1, logsigmoid(-b), inside))


@wrong("discretized_logistic_logprob")
def gaussian_instead_of_logistic(x, mu, log_s, K):
    a, b = logistic_edges(x, mu, log_s)
    ndtr = torch.special.ndtr
    inside = torch.log((ndtr(a) - ndtr(b)).clamp_min(1e-300))
    return torch.where(x == 0, torch.special.log_ndtr(a), torch.where(x == K - 1, torch.special.log_ndtr(-b), inside))


@wrong("discretized_logistic_logprob")
def bins_from_k_to_k_plus_1(x, mu, log_s, K):
    a, b = logistic_edges(x + 0.5, mu, log_s)
    inside = logsigmoid(a) + logsigmoid(-b) + torch.log(-torch.expm1(b - a))
    return torch.where(x == 0, logsigmoid(a), torch.where(x == K - 1, logsigmoid(-b), inside))


@wrong("discretized_logistic_logprob")
def difference_of_sigmoids_clamped(x, mu, log_s, K):
    a, b = logistic_edges(x, mu, log_s)
    inside = torch.log((torch.sigmoid(a) - torch.sigmoid(b)).clamp_min(1e-12))
    return torch.where(x == 0, logsigmoid(a), torch.where(x == K - 1, logsigmoid(-b), inside))


@wrong("discretized_logistic_logprob")
def density_where_the_difference_vanishes(x, mu, log_s, K):
    # As in published code: below 1e-5 the bin's mass is replaced by the density at its centre.
    a, b = logistic_edges(x, mu, log_s)
    mass, z = torch.sigmoid(a) - torch.sigmoid(b), (x - mu) / log_s.exp()
    density = -z - log_s - 2 * torch.nn.functional.softplus(-z)
    inside = torch.where(mass > 1e-5, torch.log(mass.clamp_min(1e-12)), density)
    return torch.where(x == 0, logsigmoid(a), torch.where(x == K - 1, logsigmoid(-b), inside))


@wrong("discretized_logistic_logprob")
def unused_branch_has_infinite_gradient(x, mu, log_s, K):
    a, b = logistic_edges(x, mu, log_s)
    mass = torch.sigmoid(a) - torch.sigmoid(b)
    factored = logsigmoid(a) + logsigmoid(-b) + torch.log(-torch.expm1(b - a))
    inside = torch.where(mass > 1e-6, torch.log(mass), factored)
    return torch.where(x == 0, logsigmoid(a), torch.where(x == K - 1, logsigmoid(-b), inside))


@wrong("discretized_logistic_logprob")
def log_of_difference_of_logs_reversed(x, mu, log_s, K):
    a, b = logistic_edges(x, mu, log_s)
    inside = logsigmoid(-a) + logsigmoid(b) + torch.log(-torch.expm1(b - a))
    return torch.where(x == 0, logsigmoid(a), torch.where(x == K - 1, logsigmoid(-b), inside))


@wrong("discretized_logistic_logprob")
def summed_over_the_last_dimension(x, mu, log_s, K):
    a, b = logistic_edges(x, mu, log_s)
    inside = logsigmoid(a) + logsigmoid(-b) + torch.log(-torch.expm1(b - a))
    return torch.where(x == 0, logsigmoid(a), torch.where(x == K - 1, logsigmoid(-b), inside)).sum(-1)


@wrong("discretized_logistic_logprob")
def always_in_double_precision(x, mu, log_s, K):
    a, b = logistic_edges(x.double(), mu, log_s)
    inside = logsigmoid(a) + logsigmoid(-b) + torch.log(-torch.expm1(b - a))
    return torch.where(x == 0, logsigmoid(a), torch.where(x == K - 1, logsigmoid(-b), inside))


@wrong("discretized_logistic_logprob")
def flattened(x, mu, log_s, K):
    x, mu, log_s = (t.flatten() for t in torch.broadcast_tensors(x, mu, log_s))
    a, b = logistic_edges(x, mu, log_s)
    inside = logsigmoid(a) + logsigmoid(-b) + torch.log(-torch.expm1(b - a))
    return torch.where(x == 0, logsigmoid(a), torch.where(x == K - 1, logsigmoid(-b), inside))


@wrong("discretized_logistic_logprob")
def scale_kept_above_a_floor(x, mu, log_s, K):
    return discretized_logistic_logprob(x, mu, log_s.clamp(min=-7.0), K)  # as in published code


@wrong("discretized_logistic_logprob")
def scale_kept_below_a_ceiling(x, mu, log_s, K):
    return discretized_logistic_logprob(x, mu, log_s.clamp(max=7.0), K)


@wrong("discretized_logistic_logprob")
def scale_detached(x, mu, log_s, K):
    return discretized_logistic_logprob(x, mu, log_s.detach(), K)


@wrong("discretized_logistic_logprob")
def width_detached(x, mu, log_s, K):
    a, b = logistic_edges(x, mu, log_s)
    inside = logsigmoid(a) + logsigmoid(-b) + torch.log(-torch.expm1(b - a)).detach()
    return torch.where(x == 0, logsigmoid(a), torch.where(x == K - 1, logsigmoid(-b), inside))


@right("discretized_logistic_logprob")
def log_difference_of_log_sigmoids(x, mu, log_s, K):
    # The smaller tail on each side, so that nothing cancels.
    a, b = logistic_edges(x, mu, log_s)
    big, small = torch.where(x > mu, -b, a), torch.where(x > mu, -a, b)
    inside = logsigmoid(big) + torch.log1p(-torch.exp(logsigmoid(small) - logsigmoid(big)))
    return torch.where(x == 0, logsigmoid(a), torch.where(x == K - 1, logsigmoid(-b), inside))


@right("discretized_logistic_logprob")
def with_softplus(x, mu, log_s, K):
    softplus = torch.nn.functional.softplus
    a, b = logistic_edges(x, mu, log_s)
    below, above = -softplus(-a), -softplus(b)
    logp = below + above + torch.log1p(-torch.exp(-torch.exp(-log_s)))
    logp = torch.where(x == 0, below, logp)
    return torch.where(x == K - 1, above, logp)


@right("discretized_logistic_logprob")
def infinite_outer_edges(x, mu, log_s, K):
    a, b = logistic_edges(x, mu, log_s)
    a, b = a.masked_fill(x == K - 1, torch.inf), b.masked_fill(x == 0, -torch.inf)
    return logsigmoid(a) + logsigmoid(-b) + torch.log(-torch.expm1(b - a))


@right("discretized_logistic_logprob")
def edges_by_masks(x, mu, log_s, K):
    a, b = logistic_edges(x, mu, log_s)
    first, last = (x == 0), (x == K - 1)
    width = torch.log(-torch.expm1(b - a))
    return logsigmoid(a) * ~last + logsigmoid(-b) * ~first + width * ~(first | last)


# x1c


@wrong("markov_nll")
def first_variable_forgotten(logits0, logits, x):
    steps = torch.arange(len(logits))
    return -logits.log_softmax(-1)[steps, x[:, :-1], x[:, 1:]].sum(1)


@wrong("markov_nll")
def rows_and_columns_swapped(logits0, logits, x):
    steps = torch.arange(len(logits))
    return histogram_nll(logits0, x[:, 0]) - logits.log_softmax(-1)[steps, x[:, 1:], x[:, :-1]].sum(1)


@wrong("markov_nll")
def normalised_over_the_previous_value(logits0, logits, x):
    steps = torch.arange(len(logits))
    return histogram_nll(logits0, x[:, 0]) - logits.log_softmax(-2)[steps, x[:, :-1], x[:, 1:]].sum(1)


@wrong("markov_nll")
def normalised_over_the_whole_table(logits0, logits, x):
    steps, K = torch.arange(len(logits)), len(logits0)
    table = logits.flatten(1).log_softmax(-1).reshape(-1, K, K)
    return histogram_nll(logits0, x[:, 0]) - table[steps, x[:, :-1], x[:, 1:]].sum(1)


@wrong("markov_nll")
def one_table_for_all_steps(logits0, logits, x):
    if not len(logits):
        return histogram_nll(logits0, x[:, 0])
    return histogram_nll(logits0, x[:, 0]) - logits[0].log_softmax(-1)[x[:, :-1], x[:, 1:]].sum(1)


@wrong("markov_nll")
def mean_over_the_steps(logits0, logits, x):
    nll = histogram_nll(logits0, x[:, 0])
    for d in range(len(logits)):
        nll = nll - logits[d].log_softmax(-1)[x[:, d], x[:, d + 1]] / len(logits)
    return nll


@wrong("markov_nll")
def last_transition_forgotten(logits0, logits, x):
    nll = histogram_nll(logits0, x[:, 0])
    for d in range(len(logits) - 1):
        nll = nll - logits[d].log_softmax(-1)[x[:, d], x[:, d + 1]]
    return nll


@wrong("markov_nll")
def mean_over_sequences(logits0, logits, x):
    nll = histogram_nll(logits0, x[:, 0])
    for d in range(len(logits)):
        nll = nll - logits[d].log_softmax(-1)[x[:, d], x[:, d + 1]]
    return nll.mean()


@wrong("markov_nll")
def first_step_needed(logits0, logits, x):
    nll = histogram_nll(logits0, x[:, 0]) - logits[0].log_softmax(-1)[x[:, 0], x[:, 1]]
    for d in range(1, len(logits)):
        nll = nll - logits[d].log_softmax(-1)[x[:, d], x[:, d + 1]]
    return nll


@wrong("markov_nll")
def tables_detached(logits0, logits, x):
    nll = histogram_nll(logits0, x[:, 0])
    for d in range(len(logits)):
        nll = nll - logits[d].detach().log_softmax(-1)[x[:, d], x[:, d + 1]]
    return nll


@wrong("markov_nll")
def squeezed(logits0, logits, x):
    nll = histogram_nll(logits0, x[:, 0])
    for d in range(len(logits)):
        nll = nll - logits[d].log_softmax(-1)[x[:, d], x[:, d + 1]]
    return nll.squeeze()


@wrong("markov_nll")
def logarithm_of_a_softmax(logits0, logits, x):
    steps = torch.arange(len(logits))
    return histogram_nll(logits0, x[:, 0]) - logits.softmax(-1)[steps, x[:, :-1], x[:, 1:]].log().sum(1)


@right("markov_nll")
def loop_over_steps(logits0, logits, x):
    nll = histogram_nll(logits0, x[:, 0])
    for d, table in enumerate(logits):
        nll = nll - table.log_softmax(-1)[x[:, d], x[:, d + 1]]
    return nll


@right("markov_nll")
def with_gather(logits0, logits, x):
    K, rows = len(logits0), logits.log_softmax(-1)
    context = rows.gather(1, x[:, :-1].T[:, :, None].expand(-1, -1, K))  # (D-1, B, K)
    picked = context.gather(2, x[:, 1:].T[:, :, None])[..., 0]
    return -logits0.log_softmax(0)[x[:, 0]] - picked.sum(0)


@right("markov_nll")
def one_hot_einsum(logits0, logits, x):
    one_hot = torch.nn.functional.one_hot(x, len(logits0)).to(logits0.dtype)
    first = one_hot[:, 0] @ logits0.log_softmax(0)
    return -first - torch.einsum("bdi,dij,bdj->b", one_hot[:, :-1], logits.log_softmax(-1), one_hot[:, 1:])

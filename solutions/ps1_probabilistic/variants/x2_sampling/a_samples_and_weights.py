"""Right and wrong answers to x2a, x2b and x2c."""

import torch

from autograder.verify.variants import right, wrong


def component(log_pi, u):
    """The first component whose cumulative weight exceeds u."""
    return torch.searchsorted(log_pi.exp().cumsum(0), u, right=True).clamp(max=len(log_pi) - 1)


def coloured(L, eps):
    """Each row of eps (N, D) times its own matrix of L (N, D, D)."""
    return (L @ eps[:, :, None])[:, :, 0]


def walk(log_f, x0, propose, eps, u, log_ratio):
    """Chains that accept where log u is below log_ratio(x, new)."""
    x, chain, accepted = x0, [], []
    for eps_t, u_t in zip(eps, u, strict=True):
        new = propose(x, eps_t)
        accept = u_t.log() < log_ratio(x, new)
        x = torch.where(accept[:, None], new, x)
        chain.append(x)
        accepted.append(accept)
    return torch.stack(chain), torch.stack(accepted)


@wrong("sample_mixture")
def log_weights_cumulated(log_pi, mus, Sigmas, u, eps):
    k = torch.searchsorted(log_pi.cumsum(0).exp(), u, right=True).clamp(max=len(log_pi) - 1)
    return mus[k] + coloured(torch.linalg.cholesky(Sigmas)[k], eps)


@wrong("sample_mixture")
def cumulative_weight_reached_instead_of_exceeded(log_pi, mus, Sigmas, u, eps):
    k = torch.searchsorted(log_pi.exp().cumsum(0), u).clamp(max=len(log_pi) - 1)
    return mus[k] + coloured(torch.linalg.cholesky(Sigmas)[k], eps)


@wrong("sample_mixture")
def last_component_not_clamped(log_pi, mus, Sigmas, u, eps):
    k = torch.searchsorted(log_pi.exp().cumsum(0), u, right=True)
    return mus[k] + coloured(torch.linalg.cholesky(Sigmas)[k], eps)


@wrong("sample_mixture")
def components_equally_likely(log_pi, mus, Sigmas, u, eps):
    k = (u * len(log_pi)).long()
    return mus[k] + coloured(torch.linalg.cholesky(Sigmas)[k], eps)


@wrong("sample_mixture")
def one_component_for_all_samples(log_pi, mus, Sigmas, u, eps):
    k = component(log_pi, u[:1]).expand(len(u))
    return mus[k] + coloured(torch.linalg.cholesky(Sigmas)[k], eps)


@wrong("sample_mixture")
def covariance_for_its_factor(log_pi, mus, Sigmas, u, eps):
    k = component(log_pi, u)
    return mus[k] + coloured(Sigmas[k], eps)


@wrong("sample_mixture")
def transposed_factor(log_pi, mus, Sigmas, u, eps):
    k = component(log_pi, u)
    return mus[k] + coloured(torch.linalg.cholesky(Sigmas).mT[k], eps)


@wrong("sample_mixture")
def only_the_diagonal(log_pi, mus, Sigmas, u, eps):
    k = component(log_pi, u)
    return mus[k] + Sigmas.diagonal(dim1=-2, dim2=-1).sqrt()[k] * eps


@wrong("sample_mixture")
def mean_of_the_mixture_plus_noise(log_pi, mus, Sigmas, u, eps):
    k = component(log_pi, u)
    return log_pi.exp() @ mus + coloured(torch.linalg.cholesky(Sigmas)[k], eps)


@wrong("sample_mixture")
def average_of_all_components(log_pi, mus, Sigmas, u, eps):
    L = torch.linalg.cholesky(Sigmas)
    return torch.einsum("k,nki->ni", log_pi.exp(), mus + torch.einsum("kij,nj->nki", L, eps))


@wrong("sample_mixture")
def symmetric_root(log_pi, mus, Sigmas, u, eps):
    values, vectors = torch.linalg.eigh(Sigmas)
    k = component(log_pi, u)
    return mus[k] + coloured(((vectors * values.sqrt()[:, None]) @ vectors.mT)[k], eps)


@wrong("sample_mixture")
def own_random_component(log_pi, mus, Sigmas, u, eps):
    k = torch.multinomial(log_pi.exp(), len(u), replacement=True, generator=torch.Generator().manual_seed(0))
    return mus[k] + coloured(torch.linalg.cholesky(Sigmas)[k], eps)


@right("sample_mixture")
def sample_by_sample(log_pi, mus, Sigmas, u, eps):
    edges, rows = log_pi.exp().cumsum(0), []
    for v, e in zip(u, eps, strict=True):
        k = min(int((edges <= v).sum()), len(edges) - 1)
        rows.append(mus[k] + torch.linalg.cholesky(Sigmas[k]) @ e)
    return torch.stack(rows)


@right("sample_mixture")
def counting_edges_and_all_components_at_once(log_pi, mus, Sigmas, u, eps):
    edges = log_pi.logcumsumexp(0).exp()[:-1]
    k = (u[:, None] >= edges).sum(1)
    everything = mus[:, None] + eps @ torch.linalg.cholesky(Sigmas).mT  # (K, N, D)
    return everything[k, torch.arange(len(u))]


@wrong("rejection_accept")
def densities_exponentiated(log_f, log_q, log_M, u):
    return u < log_f.exp() / (math.exp(log_M) * log_q.exp())


@wrong("rejection_accept")
def product_of_densities_exponentiated(log_f, log_q, log_M, u):
    return u * (log_q + log_M).exp() < log_f.exp()


@wrong("rejection_accept")
def bound_forgotten(log_f, log_q, log_M, u):
    return u.log() < log_f - log_q


@wrong("rejection_accept")
def rejected_instead_of_accepted(log_f, log_q, log_M, u):
    return u.log() >= log_f - log_q - log_M


@wrong("rejection_accept")
def ratio_upside_down(log_f, log_q, log_M, u):
    return u.log() < log_q + log_M - log_f


@wrong("rejection_accept")
def logarithm_of_u_forgotten(log_f, log_q, log_M, u):
    return u < log_f - log_q - log_M


@wrong("rejection_accept")
def proposal_forgotten(log_f, log_q, log_M, u):
    return u.log() < log_f - log_M


@wrong("rejection_accept")
def bound_multiplied_into_log(log_f, log_q, log_M, u):
    return u.log() < log_f - log_q * log_M


@wrong("rejection_accept")
def bound_taken_for_its_logarithm(log_f, log_q, log_M, u):
    return u.log() < log_f - log_q - math.log(max(log_M, 1e-9))


@wrong("rejection_accept")
def zero_density_kept_at_u_zero(log_f, log_q, log_M, u):
    return u.log() <= log_f - log_q - log_M


@wrong("rejection_accept")
def as_numbers_instead_of_bool(log_f, log_q, log_M, u):
    return (u.log() < log_f - log_q - log_M).to(u.dtype)


@right("rejection_accept")
def exponential_of_the_whole_log_ratio(log_f, log_q, log_M, u):
    return u < torch.exp(log_f - log_q - log_M)


@right("rejection_accept")
def difference_of_logs(log_f, log_q, log_M, u):
    return torch.log(u) + log_M + log_q - log_f < 0


@wrong("importance_weights")
def ratios_exponentiated_first(log_f, log_q):
    ratio = (log_f - log_q).exp()
    w = ratio / ratio.sum()
    return w, 1 / (w**2).sum(), ratio.mean().log()


@wrong("importance_weights")
def densities_divided(log_f, log_q):
    ratio = log_f.exp() / log_q.exp()
    w = ratio / ratio.sum()
    return w, ratio.sum() ** 2 / (ratio**2).sum(), ratio.mean().log()


@wrong("importance_weights")
def clamped_exponentials(log_f, log_q):
    ratio = (log_f - log_q).clamp(-80, 80).exp()
    w = ratio / ratio.sum()
    return w, 1 / (w**2).sum(), ratio.mean().log()


@wrong("importance_weights")
def weights_not_normalised(log_f, log_q):
    w = (log_f - log_q).exp()
    return w, w.sum() ** 2 / (w**2).sum(), w.mean().log()


@wrong("importance_weights")
def proposal_density_forgotten(log_f, log_q):
    w = log_f.softmax(0)
    return w, 1 / (w**2).sum(), log_f.logsumexp(0) - math.log(len(w))


@wrong("importance_weights")
def proposal_added(log_f, log_q):
    w = (log_f + log_q).softmax(0)
    return w, 1 / (w**2).sum(), (log_f + log_q).logsumexp(0) - math.log(len(w))


@wrong("importance_weights")
def effective_size_as_a_share(log_f, log_q):
    w = (log_f - log_q).softmax(0)
    return w, 1 / (len(w) * (w**2).sum()), (log_f - log_q).logsumexp(0) - math.log(len(w))


@wrong("importance_weights")
def effective_size_from_the_largest_weight(log_f, log_q):
    w = (log_f - log_q).softmax(0)
    return w, 1 / w.max(), (log_f - log_q).logsumexp(0) - math.log(len(w))


@wrong("importance_weights")
def effective_size_from_the_entropy(log_f, log_q):
    w = (log_f - log_q).softmax(0)
    return w, torch.exp(-(w * w.log()).sum()), (log_f - log_q).logsumexp(0) - math.log(len(w))


@wrong("importance_weights")
def evidence_is_the_sum_of_ratios(log_f, log_q):
    w = (log_f - log_q).softmax(0)
    return w, 1 / (w**2).sum(), (log_f - log_q).logsumexp(0)


@wrong("importance_weights")
def evidence_is_the_mean_of_logs(log_f, log_q):
    w = (log_f - log_q).softmax(0)
    return w, 1 / (w**2).sum(), (log_f - log_q).mean()


@wrong("importance_weights")
def shift_not_put_back(log_f, log_q):
    log_ratio = log_f - log_q
    ratio = (log_ratio - log_ratio.max()).exp()
    w = ratio / ratio.sum()
    return w, 1 / (w**2).sum(), ratio.mean().log()


@wrong("importance_weights")
def evidence_not_as_logarithm(log_f, log_q):
    w = (log_f - log_q).softmax(0)
    return w, 1 / (w**2).sum(), (log_f - log_q).exp().mean()


@right("importance_weights")
def softmax_and_shift_by_hand(log_f, log_q):
    log_ratio = log_f - log_q
    top = log_ratio.max()
    ratio = (log_ratio - top).exp()
    return log_ratio.softmax(0), ratio.sum() ** 2 / (ratio**2).sum(), ratio.mean().log() + top


@right("importance_weights")
def effective_size_in_logarithms(log_f, log_q):
    log_w = (log_f - log_q).log_softmax(0)
    log_Z = torch.logsumexp(log_f - log_q, dim=0) - torch.tensor(float(len(log_w)), dtype=log_f.dtype).log()
    return log_w.exp(), (-(2 * log_w).logsumexp(0)).exp(), log_Z

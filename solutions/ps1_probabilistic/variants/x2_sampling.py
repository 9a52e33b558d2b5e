"""Right and wrong answers to x2."""

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


# x2a


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


# x2b


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


# x2c


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


# x2d


@wrong("metropolis_hastings")
def hastings_correction_forgotten(log_f, x0, propose, log_q, eps, u):
    return walk(log_f, x0, propose, eps, u, lambda x, new: log_f(new) - log_f(x))


@wrong("metropolis_hastings")
def hastings_correction_upside_down(log_f, x0, propose, log_q, eps, u):
    return walk(log_f, x0, propose, eps, u, lambda x, new: log_f(new) + log_q(new, x) - log_f(x) - log_q(x, new))


@wrong("metropolis_hastings")
def only_the_backward_proposal(log_f, x0, propose, log_q, eps, u):
    return walk(log_f, x0, propose, eps, u, lambda x, new: log_f(new) + log_q(x, new) - log_f(x))


@wrong("metropolis_hastings")
def accepts_everything(log_f, x0, propose, log_q, eps, u):
    return walk(log_f, x0, propose, eps, u, lambda x, new: torch.full_like(log_f(x), torch.inf))


@wrong("metropolis_hastings")
def accepts_only_uphill(log_f, x0, propose, log_q, eps, u):
    ratio = lambda x, new: log_f(new) + log_q(x, new) - log_f(x) - log_q(new, x)  # noqa: E731
    return walk(log_f, x0, propose, eps, torch.ones_like(u), ratio)


@wrong("metropolis_hastings")
def refuses_what_it_should_accept(log_f, x0, propose, log_q, eps, u):
    ratio = lambda x, new: log_f(new) + log_q(x, new) - log_f(x) - log_q(new, x)  # noqa: E731
    x, chain, accepted = x0, [], []
    for eps_t, u_t in zip(eps, u, strict=True):
        new = propose(x, eps_t)
        accept = u_t.log() >= ratio(x, new)
        x = torch.where(accept[:, None], new, x)
        chain.append(x)
        accepted.append(accept)
    return torch.stack(chain), torch.stack(accepted)


@wrong("metropolis_hastings")
def proposals_recorded_instead_of_states(log_f, x0, propose, log_q, eps, u):
    x, chain, accepted = x0, [], []
    for eps_t, u_t in zip(eps, u, strict=True):
        new = propose(x, eps_t)
        accept = u_t.log() < log_f(new) + log_q(x, new) - log_f(x) - log_q(new, x)
        x = torch.where(accept[:, None], new, x)
        chain.append(new)
        accepted.append(accept)
    return torch.stack(chain), torch.stack(accepted)


@wrong("metropolis_hastings")
def old_density_never_updated(log_f, x0, propose, log_q, eps, u):
    start = log_f(x0)
    return walk(log_f, x0, propose, eps, u, lambda x, new: log_f(new) + log_q(x, new) - start - log_q(new, x))


@wrong("metropolis_hastings")
def always_proposes_from_the_start(log_f, x0, propose, log_q, eps, u):
    x, chain, accepted = x0, [], []
    for eps_t, u_t in zip(eps, u, strict=True):
        new = propose(x0, eps_t)
        accept = u_t.log() < log_f(new) + log_q(x, new) - log_f(x) - log_q(new, x)
        x = torch.where(accept[:, None], new, x)
        chain.append(x)
        accepted.append(accept)
    return torch.stack(chain), torch.stack(accepted)


@wrong("metropolis_hastings")
def all_chains_accept_together(log_f, x0, propose, log_q, eps, u):
    def log_ratio(x, new):
        each = log_f(new) + log_q(x, new) - log_f(x) - log_q(new, x)
        return each.mean().expand(len(each))

    return walk(log_f, x0, propose, eps, u, log_ratio)


@wrong("metropolis_hastings")
def starts_with_x0(log_f, x0, propose, log_q, eps, u):
    chain, accepted = metropolis_hastings_steps(log_f, x0, propose, log_q, eps, u)
    return torch.cat([x0[None], chain[:-1]]), accepted


def metropolis_hastings_steps(log_f, x0, propose, log_q, eps, u):
    """The correct chain, for the variants that spoil what is recorded of it."""
    return walk(log_f, x0, propose, eps, u, lambda x, new: log_f(new) + log_q(x, new) - log_f(x) - log_q(new, x))


@wrong("metropolis_hastings")
def only_accepted_states_are_kept(log_f, x0, propose, log_q, eps, u):
    chain, accepted = metropolis_hastings_steps(log_f, x0, propose, log_q, eps, u)
    return chain[accepted.all(1)], accepted[accepted.all(1)]


@wrong("metropolis_hastings")
def one_state_overwritten_in_place(log_f, x0, propose, log_q, eps, u):
    x, chain, accepted = x0.clone(), [], []
    for eps_t, u_t in zip(eps, u, strict=True):
        new = propose(x, eps_t)
        accept = u_t.log() < log_f(new) + log_q(x, new) - log_f(x) - log_q(new, x)
        x[accept] = new[accept]
        chain.append(x)
        accepted.append(accept)
    return torch.stack(chain), torch.stack(accepted)


@wrong("metropolis_hastings")
def accepted_as_a_rate(log_f, x0, propose, log_q, eps, u):
    chain, accepted = metropolis_hastings_steps(log_f, x0, propose, log_q, eps, u)
    return chain, accepted.double().mean()


@right("metropolis_hastings")
def into_arrays_that_were_made_before(log_f, x0, propose, log_q, eps, u):
    chain, accepted = torch.empty_like(eps), torch.zeros(u.shape, dtype=torch.bool)
    x = x0.clone()
    for t in range(len(eps)):
        new = propose(x, eps[t])
        ratio = (log_f(new) + log_q(x, new) - log_f(x) - log_q(new, x)).exp()
        accepted[t] = u[t] < ratio.clamp(max=1)
        x[accepted[t]] = new[accepted[t]]
        chain[t] = x
    return chain, accepted


@right("metropolis_hastings")
def with_a_mask_by_arithmetic(log_f, x0, propose, log_q, eps, u):
    states, masks = [x0], []
    for noise, uniform in zip(eps, u, strict=True):
        old, new = states[-1], propose(states[-1], noise)
        forward, backward = log_f(old) + log_q(new, old), log_f(new) + log_q(old, new)
        masks.append(uniform.log() < backward - forward)
        move = masks[-1][:, None].to(old.dtype)
        states.append(move * new + (1 - move) * old)
    return torch.stack(states[1:]), torch.stack(masks)

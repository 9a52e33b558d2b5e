"""Right and wrong answers to question 4b: rounds of EM."""

import torch

from autograder.verify.variants import right, wrong


def rounds_of_em(X, log_resp, n_iter, ridge, zero_mean):
    """Parameters, log-responsibilities and log-likelihoods (N,) of every round of correct EM."""
    for _ in range(n_iter):
        params = m_step(X, log_resp, ridge, zero_mean)
        log_resp, loglik = e_step(X, *params)
        yield params, log_resp, loglik


@wrong("em_fit")
def records_the_likelihood_before_each_m_step(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    rounds = list(rounds_of_em(X, log_resp0, n_iter, ridge, zero_mean))
    trace = torch.stack([loglik.mean() for _, _, loglik in rounds])
    return rounds[-1][0], torch.cat([trace[:1] - 1, trace[:-1]])


@wrong("em_fit")
def sums_the_log_likelihood(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    rounds = list(rounds_of_em(X, log_resp0, n_iter, ridge, zero_mean))
    return rounds[-1][0], torch.stack([loglik.sum() for _, _, loglik in rounds])


@wrong("em_fit")
def takes_the_logarithm_of_the_mean_likelihood(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    rounds = list(rounds_of_em(X, log_resp0, n_iter, ridge, zero_mean))
    return rounds[-1][0], torch.stack([loglik.exp().mean().log() for _, _, loglik in rounds])


@wrong("em_fit")
def records_the_negative_log_likelihood(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    rounds = list(rounds_of_em(X, log_resp0, n_iter, ridge, zero_mean))
    return rounds[-1][0], -torch.stack([loglik.mean() for _, _, loglik in rounds])


@wrong("em_fit")
def records_one_number_at_the_end(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    params, _, loglik = list(rounds_of_em(X, log_resp0, n_iter, ridge, zero_mean))[-1]
    return params, loglik.mean()


@wrong("em_fit")
def returns_a_list(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    rounds = list(rounds_of_em(X, log_resp0, n_iter, ridge, zero_mean))
    return rounds[-1][0], [loglik.mean().item() for _, _, loglik in rounds]


@wrong("em_fit")
def keeps_every_examples_likelihood(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    rounds = list(rounds_of_em(X, log_resp0, n_iter, ridge, zero_mean))
    return rounds[-1][0], torch.stack([loglik for _, _, loglik in rounds])


@wrong("em_fit")
def does_one_m_step_too_many(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    rounds = list(rounds_of_em(X, log_resp0, n_iter, ridge, zero_mean))
    return m_step(X, rounds[-1][1], ridge, zero_mean), torch.stack([loglik.mean() for _, _, loglik in rounds])


@wrong("em_fit")
def does_one_round_too_few(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    rounds = list(rounds_of_em(X, log_resp0, max(n_iter - 1, 1), ridge, zero_mean))
    trace = [loglik.mean() for _, _, loglik in rounds]
    return rounds[-1][0], torch.stack((trace + trace[-1:])[:n_iter])


@wrong("em_fit")
def returns_the_first_parameters(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    rounds = list(rounds_of_em(X, log_resp0, n_iter, ridge, zero_mean))
    return rounds[0][0], torch.stack([loglik.mean() for _, _, loglik in rounds])


@wrong("em_fit")
def never_updates_the_responsibilities(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    params = m_step(X, log_resp0, ridge, zero_mean)
    return params, e_step(X, *params)[1].mean().repeat(n_iter)


@wrong("em_fit")
def forgets_the_ridge(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    rounds = list(rounds_of_em(X, log_resp0, n_iter, 0.0, zero_mean))
    return rounds[-1][0], torch.stack([loglik.mean() for _, _, loglik in rounds])


@wrong("em_fit")
def lets_the_ridge_compound(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    log_resp, trace = log_resp0, []
    for i in range(n_iter):
        params = m_step(X, log_resp, ridge * (i + 1), zero_mean)
        log_resp, loglik = e_step(X, *params)
        trace.append(loglik.mean())
    return params, torch.stack(trace)


@wrong("em_fit")
def adds_a_second_ridge_after_the_m_step(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    rounds = list(rounds_of_em(X, log_resp0, n_iter, 2 * ridge, zero_mean))
    return rounds[-1][0], torch.stack([loglik.mean() for _, _, loglik in rounds])


@wrong("em_fit")
def forgets_zero_mean(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    rounds = list(rounds_of_em(X, log_resp0, n_iter, ridge, False))
    return rounds[-1][0], torch.stack([loglik.mean() for _, _, loglik in rounds])


@wrong("em_fit")
def starts_from_random_responsibilities(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(log_resp0.shape, generator=generator, dtype=X.dtype).log_softmax(1)
    rounds = list(rounds_of_em(X, start, n_iter, ridge, zero_mean))
    return rounds[-1][0], torch.stack([loglik.mean() for _, _, loglik in rounds])


@wrong("em_fit")
def hardens_the_responsibilities(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    log_resp, trace = log_resp0, []
    for _ in range(n_iter):
        params = m_step(X, log_resp, ridge, zero_mean)
        log_resp, loglik = e_step(X, *params)
        log_resp = torch.nn.functional.one_hot(log_resp.argmax(1), log_resp.shape[1]).to(X.dtype).log()
        trace.append(loglik.mean())
    return params, torch.stack(trace)


@wrong("em_fit")
def passes_responsibilities_without_logarithm(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    log_resp, trace = log_resp0, []
    for _ in range(n_iter):
        params = m_step(X, log_resp, ridge, zero_mean)
        log_resp, loglik = e_step(X, *params)
        log_resp = log_resp.exp()
        trace.append(loglik.mean())
    return params, torch.stack(trace)


@wrong("em_fit")
def ignores_weights_in_the_e_step(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    log_resp, trace = log_resp0, []
    for _ in range(n_iter):
        params = m_step(X, log_resp, ridge, zero_mean)
        log_resp = e_step(X, 0 * params[0], params[1], params[2])[0]
        trace.append(e_step(X, *params)[1].mean())
    return params, torch.stack(trace)


@wrong("em_fit")
def stops_early_and_repeats_the_last_value(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    trace, log_resp = [], log_resp0
    while len(trace) < n_iter and not (len(trace) > 1 and trace[-1] - trace[-2] < 0.1):
        params = m_step(X, log_resp, ridge, zero_mean)
        log_resp, loglik = e_step(X, *params)
        trace.append(loglik.mean())
    return params, torch.stack(trace + trace[-1:] * (n_iter - len(trace)))


@wrong("em_fit")
def uses_the_covariances_of_the_round_before(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    log_resp, trace, Sigmas = log_resp0, [], None
    for _ in range(n_iter):
        log_pi, mus, new = m_step(X, log_resp, ridge, zero_mean)
        Sigmas = new if Sigmas is None else Sigmas
        log_resp, loglik = e_step(X, log_pi, mus, Sigmas)
        params, Sigmas = (log_pi, mus, Sigmas), new
        trace.append(loglik.mean())
    return params, torch.stack(trace)


@wrong("em_fit")
def overwrites_the_start(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    trace = []
    for _ in range(n_iter):
        params = m_step(X, log_resp0, ridge, zero_mean)
        log_resp, loglik = e_step(X, *params)
        log_resp0.copy_(log_resp)
        trace.append(loglik.mean())
    return params, torch.stack(trace)


@wrong("em_fit")
def never_goes_without_a_ridge(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    return em_fit(X, log_resp0, n_iter, max(ridge, 1e-6), zero_mean)


@wrong("em_fit")
def keeps_the_best_round(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    rounds = list(rounds_of_em(X, log_resp0, n_iter, ridge, zero_mean))
    trace = torch.stack([loglik.mean() for _, _, loglik in rounds])
    return rounds[int(trace.argmax())][0], trace


@wrong("em_fit")
def reports_the_best_so_far(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    params, trace = em_fit(X, log_resp0, n_iter, ridge, zero_mean)
    return params, trace.cummax(0).values


@wrong("em_fit")
def keeps_the_trace_in_float64(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    params, trace = em_fit(X, log_resp0, n_iter, ridge, zero_mean)
    return params, trace.double()


@right("em_fit")
def with_a_preallocated_trace(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    trace, log_resp = torch.zeros(n_iter, dtype=X.dtype), log_resp0.clone()
    for i in range(n_iter):
        log_pi, mus, Sigmas = m_step(X, log_resp, ridge=ridge, zero_mean=zero_mean)
        log_resp, loglik = e_step(X, log_pi, mus, Sigmas)
        trace[i] = loglik.sum() / len(X)
    return (log_pi, mus, Sigmas), trace


@right("em_fit")
def by_recursion(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    params = m_step(X, log_resp0, ridge, zero_mean)
    log_resp, loglik = e_step(X, *params)
    if n_iter == 1:
        return params, loglik.mean(0, keepdim=True)
    last, trace = em_fit(X, log_resp, n_iter - 1, ridge, zero_mean)
    return last, torch.cat([loglik.mean(0, keepdim=True), trace])


@right("em_fit")
def with_a_separate_pass_for_the_trace(X, log_resp0, n_iter, ridge=0.0, zero_mean=False):
    params, values = [m_step(X, log_resp0, ridge, zero_mean)], []
    while len(params) < n_iter:
        params.append(m_step(X, gmm_log_joint(X, *params[-1]).log_softmax(1), ridge, zero_mean))
    for log_pi, mus, Sigmas in params:
        values.append(float(gmm_log_joint(X, log_pi, mus, Sigmas).logsumexp(1).mean()))
    return params[-1], torch.tensor(values, dtype=X.dtype)

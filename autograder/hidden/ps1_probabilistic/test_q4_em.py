"""Question 4: the M-step and EM. Oracles: weighted sums over single examples, scipy's densities, identities of EM."""

import numpy as np
import torch

from autograder.hidden.ps1_probabilistic import known_good, oracle
from autograder.testing import (
    expect_close,
    expect_finite,
    expect_shape,
    expect_true,
    non_contiguous,
    normal,
    points,
    spd,
    untouched,
)


def weighted(rng, N, K, D):
    """Correlated examples (N, D) away from the origin, and log-responsibilities (N, K) that prefer some components."""
    X = normal(rng, N, D) @ spd(rng, D) + 2 * normal(rng, D)
    return X, (1.5 * normal(rng, N, K) + normal(rng, K)).log_softmax(1)


def falling(rng):
    """Two tight clusters and a start that knows them: with a ridge of 1, the first likelihood is the highest."""
    side = torch.tensor([1.0, -1.0], dtype=torch.float64).repeat(6)
    X = torch.stack([side, torch.zeros(12, dtype=torch.float64)], dim=1) + 0.1 * normal(rng, 12, 2)
    return X, torch.stack([4 * side, -4 * side], dim=1).log_softmax(1)


def provide_steps(ps):
    """Known-good functions of 1b, 3 and 4a: a mistake there costs nothing in 4b."""
    names = ("gaussian_logpdf", "gmm_log_joint", "e_step", "m_step")
    ps.provide(**{name: getattr(known_good, name) for name in names})


@points(2, "4a", hint="each example counts in a component as much as its responsibility says, and N_k is their sum")
def test_weights_and_means_are_weighted_by_responsibilities(ps, rng):
    """The weights are the log of N_k / N, and the means are the means of the examples weighted by responsibility."""
    for N, K, D in ((11, 4, 3), (5, 3, 2), (1, 2, 3)):
        X, log_resp = weighted(rng, N, K, D)
        shares, mus, _ = oracle.weighted_gaussians(X, log_resp.exp())
        log_pi, got_mus, _ = ps.m_step(non_contiguous(X), log_resp, ridge=0.1)
        expect_close(
            log_pi, np.log(shares), "the weight is the share of all N examples that a component owns, as a log"
        )
        expect_close(got_mus, mus)


@points(
    2, "4a", hint="weigh outer products by responsibility, divide by N_k, and subtract the new mean of the component"
)
def test_covariances_are_weighted_and_centred_at_the_new_means(ps, rng):
    """Each covariance is the responsibility-weighted average of outer products around the component's new mean."""
    for N, K, D in ((12, 4, 3), (9, 1, 2)):
        X, log_resp = weighted(rng, N, K, D)
        Sigmas = ps.m_step(X, non_contiguous(log_resp))[2]
        expect_shape(Sigmas, K, D, D)
        want = oracle.weighted_gaussians(X, log_resp.exp())[2]
        expect_close(Sigmas, want)
        expect_close(
            Sigmas,
            want,
            "float64 all the way: a float32 tensor inside loses half of the digits",
            rtol=1e-10,
            atol=1e-11,
        )
    X, faint = weighted(rng, 12, 3, 2)
    faint = (faint - 11 * torch.eye(3, dtype=torch.float64)[0]).log_softmax(1)
    want = oracle.weighted_gaussians(X, faint.exp())[2]
    expect_close(ps.m_step(X, faint)[2], want, "divide by N_k itself, however small it is", rtol=1e-4, atol=1e-6)


@points(
    1, "4a", hint="the ridge is added to the diagonal of every covariance, once and undivided; the dtype is that of X"
)
def test_ridge_is_added_once_to_every_component(ps, rng):
    """The ridge adds ridge * I to each covariance, however little a component owns, in float64 and in float32."""
    (X, log_resp), ridge = weighted(rng, 4, 3, 5), 0.2 + rng.random()
    shares, mus, Sigmas = oracle.weighted_gaussians(X, log_resp.exp())
    for i in range(5):
        Sigmas[:, i, i] += ridge
    expect_close(ps.m_step(X, log_resp, ridge=ridge)[2], Sigmas)
    single = ps.m_step(X.float(), log_resp.float(), ridge=ridge)
    for got, want in zip(single, (np.log(shares), mus, Sigmas), strict=True):
        expect_close(got, torch.from_numpy(want).float())


@points(
    1, "4a", hint="with zero_mean the means are fixed at zero, and covariances are taken around zero, not around means"
)
def test_zero_mean_fixes_means_and_centres_covariances_at_zero(ps, rng):
    """With zero_mean, all means are exactly zero and the covariances are weighted second moments around zero."""
    X, log_resp = weighted(rng, 8, 3, 2)
    log_pi, mus, Sigmas = ps.m_step(X, log_resp, ridge=0.3, zero_mean=True)
    shares, zeros, want = oracle.weighted_gaussians(X, log_resp.exp(), ridge=0.3, zero_mean=True)
    expect_close(log_pi, np.log(shares))
    expect_close(mus, zeros)
    expect_close(Sigmas, want)


@points(1, "4a", hint="nobody owns this component: 0/0 must not happen, and the others must not notice")
def test_empty_component_stays_finite(ps, rng):
    """A component whose responsibilities all underflow has weight zero and finite parameters; the others are exact."""
    X, log_resp = weighted(rng, 9, 3, 2)
    shares, mus, Sigmas = oracle.weighted_gaussians(X, log_resp.exp(), ridge=0.1)
    for nothing in (-800.0, -float("inf")):
        empty = torch.full((9, 1), nothing, dtype=torch.float64)
        log_pi, got_mus, got_Sigmas = ps.m_step(X, torch.cat([log_resp, empty], dim=1), ridge=0.1)
        expect_shape(log_pi, 4)
        expect_shape(got_mus, 4, 2)
        expect_shape(got_Sigmas, 4, 2, 2)
        expect_finite(torch.cat([got_mus.flatten(), got_Sigmas.flatten()]), "an empty component divides zero by zero")
        expect_close(log_pi.exp(), np.append(shares, 0.0))
        expect_close(got_mus[:3], mus)
        expect_close(got_Sigmas[:3], Sigmas)


@points(1, "4a", hint="only shares count: certain labels give the classes of question 2, and copies change nothing")
def test_certain_labels_give_class_estimates_and_copies_change_nothing(ps, rng):
    """Responsibilities of 0 and 1 give each class's own estimates, and seeing every example twice changes nothing."""
    X, y = 2 * normal(rng, 10, 3), torch.from_numpy(rng.permutation([0, 0, 0, 0, 0, 0, 1, 1, 1, 1]))
    certain = torch.nn.functional.one_hot(y, 2).double().log()
    for rows, labels in ((X, certain), (torch.cat([X, X]), torch.cat([certain, certain]))):
        log_pi, mus, Sigmas = untouched(ps, "m_step", rows, labels)
        expect_close(log_pi, np.log([0.6, 0.4]))
        expect_close(mus, np.stack([X[y == c].numpy().mean(axis=0) for c in (0, 1)]))
        own = [np.cov(X[y == c].numpy(), rowvar=False, bias=True) for c in (0, 1)]
        expect_close(Sigmas, np.stack(own))


@points(2, "4b", hint="entry i is the average over the examples of log p(x) under the parameters of the i-th M-step")
def test_trace_is_the_mean_log_likelihood_after_each_m_step(ps, rng):
    """The trace has one entry per round: the mean log-likelihood under the parameters that this round's M-step gave."""
    provide_steps(ps)
    for n_iter in (1, 4):
        X, log_resp = weighted(rng, 14, 3, 2)
        _, trace = ps.em_fit(X, log_resp, n_iter, ridge=0.2)
        expect_shape(trace, n_iter)
        expect_close(trace, np.array(oracle.em(X, log_resp.exp(), n_iter, ridge=0.2)[1]))
    X, start = falling(rng)
    want = np.array(oracle.em(X, start.exp(), 3, ridge=1.0)[1])
    expect_close(ps.em_fit(X, start, 3, ridge=1.0)[1], want, "with a ridge the trace may fall: report what it is")
    single = ps.em_fit(X.float(), start.float(), 1, ridge=1.0)[1]
    expect_close(single, torch.from_numpy(want[:1]).float())


@points(2, "4b", hint="n_iter M-steps, each with the same ridge and zero_mean; return what the last one gave")
def test_parameters_are_those_of_the_last_m_step(ps, rng):
    """The parameters are those of the last of exactly n_iter M-steps, every one with the given ridge and zero_mean."""
    provide_steps(ps)
    X, log_resp = weighted(rng, 15, 3, 2)
    for n_iter, zero_mean in ((3, False), (2, True), (1, False)):
        params, _ = ps.em_fit(X, log_resp, n_iter, ridge=0.15, zero_mean=zero_mean)
        (shares, mus, Sigmas), _ = oracle.em(X, log_resp.exp(), n_iter, 0.15, zero_mean)
        for got, want in zip(params, (np.log(shares), mus, Sigmas), strict=True):
            expect_close(got, want)
    X, start = falling(rng)
    means = ps.em_fit(X, start, 3, ridge=1.0)[0][1]
    expect_close(
        means, oracle.em(X, start.exp(), 3, ridge=1.0)[0][1], "the last round's, even where an earlier one was better"
    )


@points(1, "4b", hint="no round may lower the likelihood, and the last entry belongs to the parameters you return")
def test_likelihood_climbs_to_that_of_the_result(ps, rng):
    """Without a ridge the trace never falls, from the first M-step to the mean log-likelihood of the result."""
    provide_steps(ps)
    clusters = torch.tensor([[-3.0, 0.0], [3.0, 1.0]], dtype=torch.float64).repeat(25, 1)
    X, start = 1e-3 * (normal(rng, 50, 2) + clusters), (0.5 * normal(rng, 50, 3)).log_softmax(1)
    (log_pi, mus, Sigmas), trace = untouched(ps, "em_fit", X, start, 12)
    expect_shape(trace, 12)
    expect_true(bool((trace.diff() >= -1e-9).all()), "the log-likelihood fell from one round to the next")
    expect_close(trace[0], oracle.em(X, start.exp(), 1)[1][0], "the first entry comes after the first M-step")
    expect_close(trace[-1], oracle.mixture_logpdf(X, log_pi, mus, Sigmas).mean())

"""Right and wrong answers to x1."""

import math

import torch

from autograder.verify.variants import right, wrong

# x1a


def parts(x, log_pi, mus, Sigmas):
    """Distances (B, K, D), whitened distances (B, K, D), log-joint (B, K) up to a constant."""
    away = x[:, None] - mus
    white = torch.linalg.solve(Sigmas, away[..., None])[..., 0]
    return away, white, log_pi - 0.5 * ((away * white).sum(-1) + torch.linalg.slogdet(Sigmas).logabsdet)


def pull(weights, white):
    """Minus the weighted mean."""
    return -(weights[..., None] * white).sum(1)


@wrong("gmm_score")
def score_with_the_wrong_sign(x, log_pi, mus, Sigmas):
    return -gmm_score(x, log_pi, mus, Sigmas)


@wrong("gmm_score")
def weighted_by_pi_alone(x, log_pi, mus, Sigmas):
    _, white, _ = parts(x, log_pi, mus, Sigmas)
    return pull(log_pi.exp().expand(len(x), -1), white)


@wrong("gmm_score")
def weights_without_pi(x, log_pi, mus, Sigmas):
    _, white, log_joint = parts(x, log_pi, mus, Sigmas)
    return pull((log_joint - log_pi).softmax(1), white)


@wrong("gmm_score")
def weights_without_determinants(x, log_pi, mus, Sigmas):
    away, white, _ = parts(x, log_pi, mus, Sigmas)
    return pull((log_pi - 0.5 * (away * white).sum(-1)).softmax(1), white)


@wrong("gmm_score")
def nearest_component_alone(x, log_pi, mus, Sigmas):
    _, white, log_joint = parts(x, log_pi, mus, Sigmas)
    return -white[torch.arange(len(x)), log_joint.argmax(1)]


@wrong("gmm_score")
def without_the_covariance(x, log_pi, mus, Sigmas):
    away, _, log_joint = parts(x, log_pi, mus, Sigmas)
    return pull(log_joint.softmax(1), away)


@wrong("gmm_score")
def covariance_times_distance(x, log_pi, mus, Sigmas):
    away, _, log_joint = parts(x, log_pi, mus, Sigmas)
    return pull(log_joint.softmax(1), (Sigmas @ away[..., None])[..., 0])


@wrong("gmm_score")
def gradient_of_the_density(x, log_pi, mus, Sigmas):
    _, white, log_joint = parts(x, log_pi, mus, Sigmas)
    return pull((log_joint - 0.5 * x.shape[1] * math.log(2 * math.pi)).exp(), white)


@wrong("gmm_score")
def softmax_over_the_batch(x, log_pi, mus, Sigmas):
    _, white, log_joint = parts(x, log_pi, mus, Sigmas)
    return pull(log_joint.softmax(0), white)


@wrong("gmm_score")
def divides_densities_that_underflow(x, log_pi, mus, Sigmas):
    _, white, log_joint = parts(x, log_pi, mus, Sigmas)
    joint = log_joint.exp()
    return pull(joint / joint.sum(1, keepdim=True), white)


@wrong("gmm_score")
def guards_the_density_with_an_epsilon(x, log_pi, mus, Sigmas):
    _, white, log_joint = parts(x, log_pi, mus, Sigmas)
    joint = log_joint.exp()
    return pull(joint / (joint.sum(1, keepdim=True) + 1e-12), white)


@wrong("gmm_score")
def diagonal_covariances(x, log_pi, mus, Sigmas):
    return gmm_score(x, log_pi, mus, torch.diag_embed(Sigmas.diagonal(dim1=1, dim2=2)))


# x1b


def level_of(sigma, x):
    """sigma with trailing dimensions."""
    return sigma.reshape(-1, *[1] * (x.ndim - 1))


def mean_square(error):
    """Mean over features."""
    return error.square().flatten(1).mean(1)


@wrong("dsm_loss")
def noise_with_the_wrong_sign(score, x, sigma, noise):
    s = level_of(sigma, x)
    return mean_square(s * score(x + s * noise, sigma) - noise)


@wrong("dsm_loss")
def asks_at_the_clean_point(score, x, sigma, noise):
    return mean_square(level_of(sigma, x) * score(x, sigma) + noise)


@wrong("dsm_loss")
def without_the_weight(score, x, sigma, noise):
    s = level_of(sigma, x)
    return mean_square(score(x + s * noise, sigma) + noise / s)


@wrong("dsm_loss")
def weight_without_the_square(score, x, sigma, noise):
    return dsm_loss(score, x, sigma, noise) / sigma


@wrong("dsm_loss")
def noise_not_scaled(score, x, sigma, noise):
    return mean_square(level_of(sigma, x) * score(x + noise, sigma) + noise)


@wrong("dsm_loss")
def target_divided_by_the_variance(score, x, sigma, noise):
    s = level_of(sigma, x)
    return mean_square(s * (score(x + s * noise, sigma) + noise / s**2))


@wrong("dsm_loss")
def sums_over_the_features(score, x, sigma, noise):
    return dsm_loss(score, x, sigma, noise) * x[0].numel()


@wrong("dsm_loss")
def averages_over_the_batch(score, x, sigma, noise):
    return dsm_loss(score, x, sigma, noise).mean()


@wrong("dsm_loss")
def sigma_broadcast_along_the_width(score, x, sigma, noise):
    return mean_square(sigma * score(x + sigma * noise, sigma) + noise)


@wrong("dsm_loss")
def target_is_the_data(score, x, sigma, noise):
    s = level_of(sigma, x)
    return mean_square(s * score(x + s * noise, sigma) + x)


@wrong("dsm_loss")
def loss_without_a_graph(score, x, sigma, noise):
    return dsm_loss(score, x, sigma, noise).detach()


# x1c


def chain_of(score, x, eta, noises, drift, spread):
    """All states with other factors."""
    states = [x]
    for noise in noises:
        states.append(states[-1] + drift * score(states[-1]) + spread * noise)
    return torch.stack(states)


@wrong("langevin")
def whole_step_of_drift(score, x, eta, noises):
    return chain_of(score, x, eta, noises, eta, math.sqrt(eta))


@wrong("langevin")
def noise_without_the_root(score, x, eta, noises):
    return chain_of(score, x, eta, noises, eta / 2, eta)


@wrong("langevin")
def twice_the_noise_variance(score, x, eta, noises):
    return chain_of(score, x, eta, noises, eta / 2, math.sqrt(2 * eta))


@wrong("langevin")
def walks_downhill(score, x, eta, noises):
    return chain_of(score, x, eta, noises, -eta / 2, math.sqrt(eta))


@wrong("langevin")
def without_noise(score, x, eta, noises):
    return chain_of(score, x, eta, noises, eta / 2, 0.0)


@wrong("langevin")
def same_noise_in_every_step(score, x, eta, noises):
    return chain_of(score, x, eta, noises[:1].expand_as(noises), eta / 2, math.sqrt(eta))


@wrong("langevin")
def last_step_without_noise(score, x, eta, noises):
    states = langevin(score, x, eta, noises).clone()
    states[-1] = states[-1] - math.sqrt(eta) * noises[-1]
    return states


@wrong("langevin")
def one_langevin_step_too_few(score, x, eta, noises):
    return langevin(score, x, eta, noises)[:-1]


@wrong("langevin")
def last_state_alone(score, x, eta, noises):
    return langevin(score, x, eta, noises)[-1]


@wrong("langevin")
def score_of_the_start_throughout(score, x, eta, noises):
    slope = score(x)
    return chain_of(lambda y: slope, x, eta, noises, eta / 2, math.sqrt(eta))


@wrong("langevin")
def noise_before_the_score(score, x, eta, noises):
    states = [x]
    for noise in noises:
        y = states[-1] + math.sqrt(eta) * noise
        states.append(y + eta / 2 * score(y))
    return torch.stack(states)


# x1d


def score_of(energy, sign=-1.0):
    """The slope of the energy, with a sign."""

    def score(x):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            return sign * torch.autograd.grad(energy(x).sum(), x)[0]

    return score


@wrong("ebm_cd_loss")
def signs_swapped(energy, x, eta, noises):
    return -ebm_cd_loss(energy, x, eta, noises)


@wrong("ebm_cd_loss")
def chain_climbs_the_energy(energy, x, eta, noises):
    return energy(x) - energy(langevin(score_of(energy, 1.0), x, eta, noises)[-1].detach())


@wrong("ebm_cd_loss")
def chain_starts_from_noise(energy, x, eta, noises):
    return energy(x) - energy(langevin(score_of(energy), noises[0], eta, noises)[-1].detach())


@wrong("ebm_cd_loss")
def gradient_through_the_chain(energy, x, eta, noises):
    y = x.detach().requires_grad_()
    for noise in noises:
        (slope,) = torch.autograd.grad(energy(y).sum(), y, create_graph=True)
        y = y - eta / 2 * slope + math.sqrt(eta) * noise
    return energy(x) - energy(y)


@wrong("ebm_cd_loss")
def data_term_alone(energy, x, eta, noises):
    negative = langevin(score_of(energy), x, eta, noises)[-1].detach()
    return energy(x) - energy(negative).detach()


@wrong("ebm_cd_loss")
def negative_term_alone(energy, x, eta, noises):
    negative = langevin(score_of(energy), x, eta, noises)[-1].detach()
    return energy(x).detach() - energy(negative)


@wrong("ebm_cd_loss")
def loss_averaged_over_the_batch(energy, x, eta, noises):
    return ebm_cd_loss(energy, x, eta, noises).mean()


@wrong("ebm_cd_loss")
def negatives_are_the_first_state(energy, x, eta, noises):
    return energy(x) - energy(langevin(score_of(energy), x, eta, noises)[0].detach())


@wrong("ebm_cd_loss")
def one_step_of_the_chain_only(energy, x, eta, noises):
    return energy(x) - energy(langevin(score_of(energy), x, eta, noises[:1])[-1].detach())


@wrong("ebm_cd_loss")
def squares_the_difference(energy, x, eta, noises):
    return ebm_cd_loss(energy, x, eta, noises).square()


@wrong("ebm_cd_loss")
def adds_both_energies(energy, x, eta, noises):
    return energy(x) + energy(langevin(score_of(energy), x, eta, noises)[-1].detach())


@wrong("ebm_cd_loss")
def chain_without_its_noise(energy, x, eta, noises):
    return energy(x) - energy(langevin(score_of(energy), x, eta, 0 * noises)[-1].detach())


@wrong("ebm_cd_loss")
def marks_the_given_data(energy, x, eta, noises):
    x.requires_grad_()
    return ebm_cd_loss(energy, x, eta, noises)


# right


@right("gmm_score")
def by_autograd(x, log_pi, mus, Sigmas):
    with torch.enable_grad():
        x = x.detach().clone().requires_grad_()
        components = torch.distributions.MultivariateNormal(mus, Sigmas)
        total = (log_pi + components.log_prob(x[:, None])).logsumexp(1).sum()
        return torch.autograd.grad(total, x)[0]


@right("gmm_score")
def by_cholesky_and_a_loop(x, log_pi, mus, Sigmas):
    logs, pulls = [], []
    for weight, m, S in zip(log_pi, mus, Sigmas, strict=True):
        L = torch.linalg.cholesky(S)
        white = torch.cholesky_solve((x - m).T, L).T
        logs.append(weight - 0.5 * ((x - m) * white).sum(1) - L.diagonal().log().sum())
        pulls.append(white)
    resp = torch.stack(logs, 1).softmax(1)
    return -torch.einsum("bk,kbd->bd", resp, torch.stack(pulls))


@right("dsm_loss")
def by_the_weighted_formula(score, x, sigma, noise):
    s = level_of(sigma, x)
    return sigma**2 * mean_square(score(x + s * noise, sigma) - (-noise / s))


@right("dsm_loss")
def by_a_loop_over_dimensions(score, x, sigma, noise):
    s = sigma
    while s.ndim < x.ndim:
        s = s[..., None]
    error = s * score(x + s * noise, sigma) + noise
    return (error * error).mean(dim=tuple(range(1, x.ndim)))


@right("langevin")
def into_one_tensor(score, x, eta, noises):
    states = torch.zeros(len(noises) + 1, *x.shape, dtype=x.dtype)
    states[0] = x
    for i, noise in enumerate(noises):
        states[i + 1] = states[i] + 0.5 * eta * score(states[i]) + eta**0.5 * noise
    return states


@right("langevin")
def by_recursion(score, x, eta, noises):
    if len(noises) == 0:
        return x[None]
    return torch.cat([x[None], langevin(score, x + eta / 2 * score(x) + math.sqrt(eta) * noises[0], eta, noises[1:])])


@right("ebm_cd_loss")
def with_a_loop_of_its_own(energy, x, eta, noises):
    y = x.clone()
    for noise in noises:
        y = (y + eta / 2 * score_of(energy)(y) + math.sqrt(eta) * noise).detach()
    return energy(x) - energy(y)


@right("ebm_cd_loss")
def in_one_batch(energy, x, eta, noises):
    negative = langevin(score_of(energy), x.detach(), eta, noises)[-1].detach()
    low, high = energy(torch.cat([x, negative])).chunk(2)
    return low - high

"""Right and wrong answers to question 7."""

import math

import torch

from autograder.verify.variants import right, wrong


def log_q(z, mu, logvar):
    return torch.distributions.Normal(mu, (logvar / 2).exp()).log_prob(z).sum(-1)


def sample(mu, logvar, eps):
    return mu + (logvar / 2).exp() * eps


def samplewise(function, *parameters, eps):
    """Gradients (S, D) of the S values of a function of one row of parameters per sample."""
    rows = [p.detach().expand_as(eps).clone().requires_grad_() for p in parameters]
    return torch.autograd.grad(function(*rows).sum(), rows)


def score(mu, logvar, eps):
    return eps * (-logvar / 2).exp(), (eps**2 - 1) / 2


# 7a


@wrong("elbo_mc")
def std_is_exp_of_logvar(log_joint, q_mu, q_logvar, eps):
    z = q_mu + q_logvar.exp() * eps
    return log_joint(z) - log_q(z, q_mu, q_logvar)


@wrong("elbo_mc")
def std_is_exp_of_logvar_throughout(log_joint, q_mu, q_logvar, eps):
    z = sample(q_mu, 2 * q_logvar, eps)
    return log_joint(z) - log_q(z, q_mu, 2 * q_logvar)


@wrong("elbo_mc")
def divergence_reversed(log_joint, q_mu, q_logvar, eps):
    z = sample(q_mu, q_logvar, eps)
    return log_q(z, q_mu, q_logvar) - log_joint(z)


@wrong("elbo_mc")
def entropy_missing(log_joint, q_mu, q_logvar, eps):
    return log_joint(sample(q_mu, q_logvar, eps))


@wrong("elbo_mc")
def entropy_added_in_closed_form(log_joint, q_mu, q_logvar, eps):
    entropy = 0.5 * (q_logvar + math.log(2 * math.pi) + 1).sum()
    return log_joint(sample(q_mu, q_logvar, eps)) + entropy


@wrong("elbo_mc")
def entropy_subtracted(log_joint, q_mu, q_logvar, eps):
    z = sample(q_mu, q_logvar, eps)
    return log_joint(z) + log_q(z, q_mu, q_logvar)


@wrong("elbo_mc")
def log_two_pi_missing(log_joint, q_mu, q_logvar, eps):
    return log_joint(sample(q_mu, q_logvar, eps)) + 0.5 * (eps**2 + q_logvar).sum(-1)


@wrong("elbo_mc")
def averaged_over_samples(log_joint, q_mu, q_logvar, eps):
    z = sample(q_mu, q_logvar, eps)
    return (log_joint(z) - log_q(z, q_mu, q_logvar)).mean()


@wrong("elbo_mc")
def log_q_averaged_over_features(log_joint, q_mu, q_logvar, eps):
    z = sample(q_mu, q_logvar, eps)
    return log_joint(z) - log_q(z, q_mu, q_logvar) / len(q_mu)


@wrong("elbo_mc")
def log_q_at_eps(log_joint, q_mu, q_logvar, eps):
    return log_joint(sample(q_mu, q_logvar, eps)) + 0.5 * (eps**2 + math.log(2 * math.pi)).sum(-1)


@wrong("elbo_mc")
def mean_forgotten_in_the_sample(log_joint, q_mu, q_logvar, eps):
    z = sample(0 * q_mu, q_logvar, eps)
    return log_joint(z) - log_q(z, q_mu, q_logvar)


@wrong("elbo_mc")
def own_noise_instead_of_eps(log_joint, q_mu, q_logvar, eps):
    z = sample(q_mu, q_logvar, torch.randn_like(eps))
    return log_joint(z) - log_q(z, q_mu, q_logvar)


@wrong("elbo_mc")
def turns_eps_into_the_sample(log_joint, q_mu, q_logvar, eps):
    z = eps.mul_((q_logvar / 2).exp()).add_(q_mu)
    return log_joint(z) - log_q(z, q_mu, q_logvar)


@wrong("elbo_mc")
def log_variance_clamped(log_joint, q_mu, q_logvar, eps):
    return elbo_mc(log_joint, q_mu, q_logvar.clamp(-10, 10), eps)


@wrong("elbo_mc")
def loss_with_its_own_epsilon(log_joint, q_mu, q_logvar, eps):
    z = sample(q_mu, q_logvar, eps)
    parts = (q_mu.expand_as(z), z, q_logvar.exp().expand_as(z))
    return log_joint(z) + torch.nn.functional.gaussian_nll_loss(*parts, full=True, reduction="none").sum(-1)


@right("elbo_mc")
def by_a_multivariate_normal(log_joint, q_mu, q_logvar, eps):
    z = q_mu + q_logvar.exp().sqrt() * eps
    q = torch.distributions.MultivariateNormal(q_mu, torch.diag_embed(q_logvar.exp()))
    return log_joint(z) - q.log_prob(z)


@right("elbo_mc")
def sample_after_sample(log_joint, q_mu, q_logvar, eps):
    values = []
    for row in eps:
        z = q_mu + torch.exp(0.5 * q_logvar) * row
        squares = (z - q_mu) ** 2 / torch.exp(q_logvar)
        values.append(log_joint(z[None])[0] + 0.5 * torch.sum(squares + q_logvar + math.log(2 * math.pi)))
    return torch.stack(values)


# 7b


@wrong("reparam_grad")
def sample_detached(log_joint, q_mu, q_logvar, eps):
    def elbo(mu, logvar):
        z = sample(mu, logvar, eps).detach()
        return log_joint(z) - log_q(z, mu, logvar)

    return samplewise(elbo, q_mu, q_logvar, eps=eps)


@wrong("reparam_grad")
def score_term_dropped(log_joint, q_mu, q_logvar, eps):
    def elbo(mu, logvar):
        z = sample(mu, logvar, eps)
        return log_joint(z) - log_q(z, mu.detach(), logvar.detach())

    return samplewise(elbo, q_mu, q_logvar, eps=eps)


@wrong("reparam_grad")
def entropy_gradient_missing(log_joint, q_mu, q_logvar, eps):
    return samplewise(lambda mu, logvar: log_joint(sample(mu, logvar, eps)), q_mu, q_logvar, eps=eps)


@wrong("reparam_grad")
def gradient_of_the_joint_scaled_by_std_twice(log_joint, q_mu, q_logvar, eps):
    by_mu, by_logvar = reparametrised_by_the_chain_rule(log_joint, q_mu, q_logvar, eps)
    return by_mu, 2 * (by_logvar - 0.5) + 0.5


@wrong("reparam_grad")
def gradient_for_std_instead_of_logvar(log_joint, q_mu, q_logvar, eps):
    by_mu, by_logvar = reparametrised_by_the_chain_rule(log_joint, q_mu, q_logvar, eps)
    return by_mu, 2 * by_logvar * (-q_logvar / 2).exp()


@wrong("reparam_grad")
def mean_instead_of_a_row_per_sample(log_joint, q_mu, q_logvar, eps):
    return tuple(g.mean(0) for g in reparametrised_by_the_chain_rule(log_joint, q_mu, q_logvar, eps))


@wrong("reparam_grad")
def every_row_is_the_sum(log_joint, q_mu, q_logvar, eps):
    return tuple(g.sum(0).expand_as(eps) for g in reparametrised_by_the_chain_rule(log_joint, q_mu, q_logvar, eps))


@wrong("reparam_grad")
def rows_divided_by_the_number_of_samples(log_joint, q_mu, q_logvar, eps):
    return tuple(g / len(eps) for g in reparametrised_by_the_chain_rule(log_joint, q_mu, q_logvar, eps))


@wrong("reparam_grad")
def gradient_of_the_loss(log_joint, q_mu, q_logvar, eps):
    return tuple(-g for g in reparametrised_by_the_chain_rule(log_joint, q_mu, q_logvar, eps))


@wrong("reparam_grad")
def the_two_gradients_swapped(log_joint, q_mu, q_logvar, eps):
    return reparametrised_by_the_chain_rule(log_joint, q_mu, q_logvar, eps)[::-1]


@wrong("reparam_grad")
def a_single_sample_loses_its_row(log_joint, q_mu, q_logvar, eps):
    return tuple(g.squeeze(0) for g in reparametrised_by_the_chain_rule(log_joint, q_mu, q_logvar, eps))


@wrong("reparam_grad")
def only_the_first_of_two(log_joint, q_mu, q_logvar, eps):
    return reparametrised_by_the_chain_rule(log_joint, q_mu, q_logvar, eps)[0]


@wrong("reparam_grad")
def marks_its_arguments(log_joint, q_mu, q_logvar, eps):
    parameters = (q_mu.requires_grad_(), q_logvar.requires_grad_())
    rows = [torch.autograd.grad(f, parameters, retain_graph=True) for f in elbo_mc(log_joint, *parameters, eps)]
    return tuple(torch.stack(column) for column in zip(*rows, strict=True))


@wrong("reparam_grad")
def gradients_clipped(log_joint, q_mu, q_logvar, eps):
    return tuple(g.clamp(-100, 100) for g in reparametrised_by_the_chain_rule(log_joint, q_mu, q_logvar, eps))


@right("reparam_grad")
def reparametrised_by_the_chain_rule(log_joint, q_mu, q_logvar, eps):
    std = torch.exp(0.5 * q_logvar)
    z = (q_mu + std * eps).detach().requires_grad_()
    (pull,) = torch.autograd.grad(log_joint(z).sum(), z)
    return pull, 0.5 * std * eps * pull + 0.5


@right("reparam_grad")
def one_backward_pass_per_sample(log_joint, q_mu, q_logvar, eps):
    rows = []
    for row in eps:
        mu, logvar = q_mu.clone().requires_grad_(), q_logvar.clone().requires_grad_()
        rows.append(torch.autograd.grad(elbo_mc(log_joint, mu, logvar, row[None])[0], (mu, logvar)))
    return tuple(torch.stack(column) for column in zip(*rows, strict=True))


@right("reparam_grad")
def by_mapping_a_gradient(log_joint, q_mu, q_logvar, eps):
    def sample_of(mu, logvar, row):
        return elbo_mc(log_joint, mu, logvar, row[None])[0]

    return torch.func.vmap(torch.func.grad(sample_of, argnums=(0, 1)), in_dims=(None, None, 0))(q_mu, q_logvar, eps)


@right("reparam_grad")
def by_the_jacobian(log_joint, q_mu, q_logvar, eps):
    def elbo(mu, logvar):
        z = sample(mu, logvar, eps)
        return log_joint(z) - log_q(z, mu, logvar)

    return torch.autograd.functional.jacobian(elbo, (q_mu, q_logvar))


# 7c


@wrong("score_function_grad")
def baseline_ignored(log_joint, q_mu, q_logvar, eps, baseline=0.0):
    return score_weighted(log_joint, q_mu, q_logvar, eps, 0.0)


@wrong("score_function_grad")
def baseline_added(log_joint, q_mu, q_logvar, eps, baseline=0.0):
    return score_weighted(log_joint, q_mu, q_logvar, eps, -baseline)


@wrong("score_function_grad")
def baseline_subtracted_from_the_gradient(log_joint, q_mu, q_logvar, eps, baseline=0.0):
    return tuple(g - baseline for g in score_weighted(log_joint, q_mu, q_logvar, eps))


@wrong("score_function_grad")
def baseline_inside_the_logarithm(log_joint, q_mu, q_logvar, eps, baseline=0.0):
    f = elbo_mc(log_joint, q_mu, q_logvar, eps)[:, None]
    return tuple(f * (s - baseline) for s in score(q_mu, q_logvar, eps))


@wrong("score_function_grad")
def score_of_the_wrong_sign(log_joint, q_mu, q_logvar, eps, baseline=0.0):
    return tuple(-g for g in score_weighted(log_joint, q_mu, q_logvar, eps, baseline))


@wrong("score_function_grad")
def joint_alone_is_the_reward(log_joint, q_mu, q_logvar, eps, baseline=0.0):
    reward = (log_joint(sample(q_mu, q_logvar, eps)) - baseline)[:, None]
    return tuple(reward * s for s in score(q_mu, q_logvar, eps))


@wrong("score_function_grad")
def score_without_std(log_joint, q_mu, q_logvar, eps, baseline=0.0):
    by_mu, by_logvar = score_weighted(log_joint, q_mu, q_logvar, eps, baseline)
    return by_mu * (q_logvar / 2).exp(), by_logvar


@wrong("score_function_grad")
def score_divided_by_the_variance(log_joint, q_mu, q_logvar, eps, baseline=0.0):
    by_mu, by_logvar = score_weighted(log_joint, q_mu, q_logvar, eps, baseline)
    return by_mu * (-q_logvar / 2).exp(), by_logvar


@wrong("score_function_grad")
def normaliser_missing_in_the_score_of_logvar(log_joint, q_mu, q_logvar, eps, baseline=0.0):
    reward = (elbo_mc(log_joint, q_mu, q_logvar, eps) - baseline)[:, None]
    return reward * score(q_mu, q_logvar, eps)[0], reward * eps**2 / 2


@wrong("score_function_grad")
def score_of_std_instead_of_logvar(log_joint, q_mu, q_logvar, eps, baseline=0.0):
    by_mu, by_logvar = score_weighted(log_joint, q_mu, q_logvar, eps, baseline)
    return by_mu, 2 * by_logvar


@wrong("score_function_grad")
def sample_moves_in_the_score(log_joint, q_mu, q_logvar, eps, baseline=0.0):
    reward = (elbo_mc(log_joint, q_mu, q_logvar, eps) - baseline)[:, None]
    moving = samplewise(lambda mu, lv: log_q(sample(mu, lv, eps), mu, lv), q_mu, q_logvar, eps=eps)
    return tuple(reward * g for g in moving)


@wrong("score_function_grad")
def needs_a_differentiable_joint(log_joint, q_mu, q_logvar, eps, baseline=0.0):
    z = sample(q_mu, q_logvar, eps).requires_grad_()
    torch.autograd.grad(log_joint(z).sum(), z)
    return score_weighted(log_joint, q_mu, q_logvar, eps, baseline)


@wrong("score_function_grad")
def reward_averaged_over_samples(log_joint, q_mu, q_logvar, eps, baseline=0.0):
    reward = elbo_mc(log_joint, q_mu, q_logvar, eps).mean() - baseline
    return tuple(reward * s for s in score(q_mu, q_logvar, eps))


@wrong("score_function_grad")
def average_over_samples_returned(log_joint, q_mu, q_logvar, eps, baseline=0.0):
    return tuple(g.mean(0) for g in score_weighted(log_joint, q_mu, q_logvar, eps, baseline))


@wrong("score_function_grad")
def mean_of_the_batch_as_a_second_baseline(log_joint, q_mu, q_logvar, eps, baseline=0.0):
    f = elbo_mc(log_joint, q_mu, q_logvar, eps)
    return score_weighted(log_joint, q_mu, q_logvar, eps, baseline + f.mean())


@wrong("score_function_grad")
def an_epsilon_beside_the_variance(log_joint, q_mu, q_logvar, eps, baseline=0.0):
    by_mu, by_logvar = score_weighted(log_joint, q_mu, q_logvar, eps, baseline)
    return by_mu * q_logvar.exp() / (q_logvar.exp() + 1e-6), by_logvar


@wrong("score_function_grad")
def comes_back_in_float64(log_joint, q_mu, q_logvar, eps, baseline=0.0):
    return tuple(g.double() for g in score_weighted(log_joint, q_mu, q_logvar, eps, baseline))


@right("score_function_grad")
def score_weighted(log_joint, q_mu, q_logvar, eps, baseline=0.0):
    f = elbo_mc(log_joint, q_mu, q_logvar, eps)
    return tuple((f - baseline)[:, None] * s for s in score(q_mu, q_logvar, eps))


@right("score_function_grad")
def score_by_autograd(log_joint, q_mu, q_logvar, eps, baseline=0.0):
    with torch.no_grad():
        z = sample(q_mu, q_logvar, eps)
        advantage = log_joint(z) - log_q(z, q_mu, q_logvar) - baseline
    return samplewise(lambda mu, logvar: advantage * log_q(z, mu, logvar), q_mu, q_logvar, eps=eps)

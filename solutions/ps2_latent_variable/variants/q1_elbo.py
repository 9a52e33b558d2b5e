"""Right and wrong answers to question 1."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from autograder.verify.variants import right, wrong


def total(values):
    return values.flatten(1).sum(1)


def kl_terms(mu1, logvar1, mu2, logvar2):
    mu2 = torch.zeros_like(mu1) if mu2 is None else mu2
    logvar2 = torch.zeros_like(mu1) if logvar2 is None else logvar2
    return logvar2 - logvar1 + (logvar1.exp() + (mu1 - mu2) ** 2) / logvar2.exp() - 1


def normal_terms(x, mean, logvar):
    return (x - mean) ** 2 / logvar.exp() + logvar + math.log(2 * math.pi)


# 1a


@wrong("reparameterize")
def standard_deviation_is_exp_of_logvar(mu, logvar, eps):
    return mu + logvar.exp() * eps


@wrong("reparameterize")
def logvar_used_as_standard_deviation(mu, logvar, eps):
    return mu + logvar * eps


@wrong("reparameterize")
def square_root_of_logvar(mu, logvar, eps):
    return mu + logvar.abs().sqrt() * eps


@wrong("reparameterize")
def one_eps_for_the_batch(mu, logvar, eps):
    return mu + (logvar / 2).exp() * eps[..., :1, :]


@wrong("reparameterize")
def one_eps_for_all_dimensions(mu, logvar, eps):
    return mu + (logvar / 2).exp() * eps[..., :1]


@wrong("reparameterize")
def draws_its_own_noise(mu, logvar, eps):
    return mu + (logvar / 2).exp() * torch.randn_like(eps)


@wrong("reparameterize")
def returns_the_mean(mu, logvar, eps):
    return mu.expand_as(eps)


@wrong("reparameterize")
def forgets_the_mean(mu, logvar, eps):
    return (logvar / 2).exp() * eps


@wrong("reparameterize")
def detached_standard_deviation(mu, logvar, eps):
    return mu + (logvar / 2).exp().detach() * eps


@wrong("reparameterize")
def sampled_by_a_distribution_without_gradient(mu, logvar, eps):
    with torch.no_grad():
        return mu + (logvar / 2).exp() * eps


@wrong("reparameterize")
def keeps_the_first_of_several_samples(mu, logvar, eps):
    z = mu + (logvar / 2).exp() * eps
    return z if z.dim() == 2 else z[0]


@right("reparameterize")
def root_of_the_variance(mu, logvar, eps):
    return torch.addcmul(mu, logvar.exp().sqrt(), eps)


@right("reparameterize")
def by_the_inverse_of_standardising(mu, logvar, eps):
    return (eps + mu * torch.exp(-logvar / 2)) * torch.exp(logvar / 2)


# 1b


@wrong("kl_diag")
def sign_flipped(mu1, logvar1, mu2=None, logvar2=None):
    return -0.5 * kl_terms(mu1, logvar1, mu2, logvar2).sum(1)


@wrong("kl_diag")
def mean_over_latents(mu1, logvar1, mu2=None, logvar2=None):
    return 0.5 * kl_terms(mu1, logvar1, mu2, logvar2).mean(1)


@wrong("kl_diag")
def sum_without_dim(mu1, logvar1, mu2=None, logvar2=None):
    return 0.5 * kl_terms(mu1, logvar1, mu2, logvar2).sum()


@wrong("kl_diag")
def sum_over_the_batch(mu1, logvar1, mu2=None, logvar2=None):
    return 0.5 * kl_terms(mu1, logvar1, mu2, logvar2).sum(0)


@wrong("kl_diag")
def no_half(mu1, logvar1, mu2=None, logvar2=None):
    return kl_terms(mu1, logvar1, mu2, logvar2).sum(1)


@wrong("kl_diag")
def one_is_subtracted_once(mu1, logvar1, mu2=None, logvar2=None):
    return 0.5 * ((kl_terms(mu1, logvar1, mu2, logvar2) + 1).sum(1) - 1)


@wrong("kl_diag")
def divergence_reversed(mu1, logvar1, mu2=None, logvar2=None):
    mu2 = torch.zeros_like(mu1) if mu2 is None else mu2
    logvar2 = torch.zeros_like(mu1) if logvar2 is None else logvar2
    return 0.5 * kl_terms(mu2, logvar2, mu1, logvar1).sum(1)


@wrong("kl_diag")
def second_gaussian_ignored(mu1, logvar1, mu2=None, logvar2=None):
    return 0.5 * kl_terms(mu1, logvar1, None, None).sum(1)


@wrong("kl_diag")
def distance_not_scaled(mu1, logvar1, mu2=None, logvar2=None):
    mu2 = torch.zeros_like(mu1) if mu2 is None else mu2
    logvar2 = torch.zeros_like(mu1) if logvar2 is None else logvar2
    return 0.5 * (logvar2 - logvar1 + (logvar1 - logvar2).exp() + (mu1 - mu2) ** 2 - 1).sum(1)


@wrong("kl_diag")
def defaults_only_together(mu1, logvar1, mu2=None, logvar2=None):
    if mu2 is None or logvar2 is None:
        mu2, logvar2 = torch.zeros_like(mu1), torch.zeros_like(mu1)
    return 0.5 * kl_terms(mu1, logvar1, mu2, logvar2).sum(1)


@wrong("kl_diag")
def missing_logvar_means_zero_variance(mu1, logvar1, mu2=None, logvar2=None):
    logvar2 = torch.full_like(mu1, -20.0) if logvar2 is None else logvar2
    return 0.5 * kl_terms(mu1, logvar1, mu2, logvar2).sum(1)


@wrong("kl_diag")
def squeezes_a_batch_of_one(mu1, logvar1, mu2=None, logvar2=None):
    return 0.5 * kl_terms(mu1, logvar1, mu2, logvar2).sum(1).squeeze()


@wrong("kl_diag")
def standard_deviations_for_variances(mu1, logvar1, mu2=None, logvar2=None):
    return 0.5 * kl_terms(mu1, logvar1 / 2, mu2, None if logvar2 is None else logvar2 / 2).sum(1)


@right("kl_diag")
def by_torch_distributions(mu1, logvar1, mu2=None, logvar2=None):
    mu2 = torch.zeros_like(mu1) if mu2 is None else mu2
    logvar2 = torch.zeros_like(mu1) if logvar2 is None else logvar2
    q, p = (torch.distributions.Normal(m, (v / 2).exp()) for m, v in ((mu1, logvar1), (mu2, logvar2)))
    return torch.distributions.kl_divergence(q, p).sum(-1)


@right("kl_diag")
def terms_summed_one_by_one(mu1, logvar1, mu2=0.0, logvar2=None):
    mu2 = 0.0 if mu2 is None else mu2
    logvar2 = mu1.new_zeros(()) if logvar2 is None else logvar2
    ratio = torch.exp(logvar1 - logvar2)
    return 0.5 * (ratio - torch.log(ratio)).sum(-1) + 0.5 * ((mu1 - mu2) ** 2 / logvar2.exp()).sum(-1) - len(mu1[0]) / 2


# 1c


@wrong("bernoulli_logprob")
def sigmoid_then_log(x, logits):
    p = torch.sigmoid(logits)
    return total(x * p.log() + (1 - x) * (1 - p).log())


@wrong("bernoulli_logprob")
def probabilities_clamped(x, logits):
    p = torch.sigmoid(logits).clamp(1e-7, 1 - 1e-7)
    return total(x * p.log() + (1 - x) * (1 - p).log())


@wrong("bernoulli_logprob")
def small_number_added_in_the_log(x, logits):
    p = torch.sigmoid(logits)
    return total(x * (p + 1e-10).log() + (1 - x) * (1 - p + 1e-10).log())


@wrong("bernoulli_logprob")
def logits_clamped(x, logits):
    logits = logits.clamp(-20, 20)
    return total(x * logits - F.softplus(logits))


@wrong("bernoulli_logprob")
def softplus_by_hand(x, logits):
    return total(x * logits - torch.log(1 + torch.exp(logits)))


@wrong("bernoulli_logprob")
def averaging_over_pixels(x, logits):
    return (x * logits - F.softplus(logits)).flatten(1).mean(1)


@wrong("bernoulli_logprob")
def averaging_over_the_batch(x, logits):
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)


@wrong("bernoulli_logprob")
def returns_the_loss(x, logits):
    return total(F.binary_cross_entropy_with_logits(logits, x, reduction="none"))


@wrong("bernoulli_logprob")
def sums_over_the_last_dimension_only(x, logits):
    return (x * logits - F.softplus(logits)).sum(-1)


@wrong("bernoulli_logprob")
def black_pixels_are_free(x, logits):
    return total(x * F.logsigmoid(logits))


@wrong("bernoulli_logprob")
def logits_taken_for_probabilities(x, logits):
    p = logits.clamp(1e-6, 1 - 1e-6)
    return total(x * p.log() + (1 - x) * (1 - p).log())


@wrong("bernoulli_logprob")
def rounds_grey_pixels(x, logits):
    return total(x.round() * logits - F.softplus(logits))


@right("bernoulli_logprob")
def library_loss_with_its_sign(x, logits):
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(1)


@right("bernoulli_logprob")
def two_log_sigmoids(x, logits):
    pixels = x * F.logsigmoid(logits) + (1 - x) * F.logsigmoid(-logits)
    return torch.einsum("bd->b", pixels.reshape(len(x), -1))


@right("bernoulli_logprob")
def shifted_by_hand(x, logits):
    pixels = logits.clamp(min=0) - x * logits + torch.log1p(torch.exp(-logits.abs()))
    return -sum(pixels.reshape(len(x), -1).unbind(1))


@wrong("gaussian_logprob")
def log_two_pi_once(x, mean, logvar):
    return -0.5 * (total((x - mean) ** 2 / logvar.exp() + logvar) + math.log(2 * math.pi))


@wrong("gaussian_logprob")
def no_log_two_pi(x, mean, logvar):
    return -0.5 * total((x - mean) ** 2 / logvar.exp() + logvar)


@wrong("gaussian_logprob")
def log_variance_not_broadcast_before_the_sum(x, mean, logvar):
    squares = total((x - mean) ** 2 / logvar.exp() + math.log(2 * math.pi))
    return -0.5 * (squares + (total(logvar) if logvar.dim() == x.dim() else logvar.sum()))


@wrong("gaussian_logprob")
def squared_error_only(x, mean, logvar):
    return -0.5 * total((x - mean) ** 2)


@wrong("gaussian_logprob")
def log_variance_not_halved(x, mean, logvar):
    return total(-0.5 * (x - mean) ** 2 / logvar.exp() - logvar - 0.5 * math.log(2 * math.pi))


@wrong("gaussian_logprob")
def divides_by_the_standard_deviation(x, mean, logvar):
    return -0.5 * total((x - mean) ** 2 / (logvar / 2).exp() + logvar + math.log(2 * math.pi))


@wrong("gaussian_logprob")
def averages_over_values(x, mean, logvar):
    return -0.5 * normal_terms(x, mean, logvar).flatten(1).mean(1)


@wrong("gaussian_logprob")
def images_keep_their_rows(x, mean, logvar):
    return -0.5 * normal_terms(x, mean, logvar).sum(-1)


@right("gaussian_logprob")
def distribution_of_torch(x, mean, logvar):
    return total(torch.distributions.Normal(mean, (logvar / 2).exp()).log_prob(x))


@right("gaussian_logprob")
def library_loss_in_full(x, mean, logvar):
    variance = logvar.exp().expand_as(x)
    return -total(F.gaussian_nll_loss(mean, x, variance, full=True, eps=0.0, reduction="none"))


@right("gaussian_logprob")
def constants_counted(x, mean, logvar):
    logvar = torch.broadcast_to(logvar, x.shape)
    squares = total(((x - mean) * (-logvar / 2).exp()) ** 2)
    return -0.5 * squares - 0.5 * total(logvar) - 0.5 * np.log(2 * np.pi) * x[0].numel()


@wrong("reparameterize")
def clamps_the_log_variance(mu, logvar, eps):
    return reparameterize(mu, logvar.clamp(-10, 10), eps)


@wrong("reparameterize")
def writes_into_the_noise(mu, logvar, eps):
    return eps.mul_((logvar / 2).exp()).add_(mu)


@right("reparameterize")
def added_and_multiplied_at_once(mu, logvar, eps):
    return torch.addcmul(mu, eps, (logvar * 0.5).exp())


@wrong("kl_diag")
@torch.no_grad()
def price_without_gradient(mu1, logvar1, mu2=None, logvar2=None):
    return kl_diag(mu1, logvar1, mu2, logvar2)


@wrong("kl_diag")
def second_gaussian_held_constant(mu1, logvar1, mu2=None, logvar2=None):
    mu2, logvar2 = (each if each is None else each.detach() for each in (mu2, logvar2))
    return kl_diag(mu1, logvar1, mu2, logvar2)


@wrong("kl_diag")
def first_variance_with_a_floor(mu1, logvar1, mu2=None, logvar2=None):
    return kl_diag(mu1, logvar1.clamp(min=-10), mu2, logvar2)


@right("kl_diag")
def never_below_zero(mu1, logvar1, mu2=None, logvar2=None):
    return kl_diag(mu1, logvar1, mu2, logvar2).clamp(min=0)


@wrong("gaussian_logprob")
@torch.no_grad()
def likelihood_without_gradient(x, mean, logvar):
    return gaussian_logprob(x, mean, logvar)


@wrong("gaussian_logprob")
def noise_is_not_learnt(x, mean, logvar):
    return gaussian_logprob(x, mean, logvar.detach())


@wrong("gaussian_logprob")
def variance_with_a_floor(x, mean, logvar):
    return gaussian_logprob(x, mean, logvar.exp().clamp(min=1e-3).log())


@wrong("gaussian_logprob")
def log_variance_per_channel_averaged(x, mean, logvar):
    whole = logvar.dim() in (0, x.dim()) and logvar.numel() in (1, x.numel())
    return gaussian_logprob(x, mean, logvar if whole or logvar.dim() == 1 else logvar.mean())


@right("gaussian_logprob")
def independent_values(x, mean, logvar):
    each = torch.distributions.Normal(mean, (logvar.expand_as(x) / 2).exp())
    return torch.distributions.Independent(each, x.dim() - 1).log_prob(x)

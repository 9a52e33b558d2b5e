"""Right and wrong answers to extension 1."""

import math

import numpy as np
import torch

from autograder.verify.variants import right, wrong


def normal_logpdf(z, mu, logvar):
    return -0.5 * ((z - mu) ** 2 / logvar.exp() + logvar + math.log(2 * math.pi)).sum(-1)


def likelihoods(vae, x, z):
    """log p(x | z), (K, B), sample by sample."""
    return torch.stack([vae.logprob(x, vae.decode(each)) for each in z])


def sampled(vae, x, eps):
    mu, logvar = vae.encode(x)
    return mu, logvar, mu + (logvar / 2).exp() * eps


# x1a


@wrong("log_weights")
def prior_forgotten(vae, x, eps):
    mu, logvar, z = sampled(vae, x, eps)
    return (likelihoods(vae, x, z) - normal_logpdf(z, mu, logvar)).T


@wrong("log_weights")
def proposal_forgotten(vae, x, eps):
    _, _, z = sampled(vae, x, eps)
    return (likelihoods(vae, x, z) + normal_logpdf(z, 0 * z, 0 * z)).T


@wrong("log_weights")
def closed_form_divergence(vae, x, eps):
    mu, logvar, z = sampled(vae, x, eps)
    return (likelihoods(vae, x, z) - 0.5 * (mu**2 + logvar.exp() - logvar - 1).sum(1)).T


@wrong("log_weights")
def ratio_upside_down(vae, x, eps):
    mu, logvar, z = sampled(vae, x, eps)
    return (likelihoods(vae, x, z) + normal_logpdf(z, mu, logvar) - normal_logpdf(z, 0 * z, 0 * z)).T


@wrong("log_weights")
def prior_at_the_mean(vae, x, eps):
    mu, logvar, z = sampled(vae, x, eps)
    return (likelihoods(vae, x, z) + normal_logpdf(mu, 0 * mu, 0 * mu) - normal_logpdf(z, mu, logvar)).T


@wrong("log_weights")
def volume_of_the_proposal_forgotten(vae, x, eps):
    _, _, z = sampled(vae, x, eps)
    return (likelihoods(vae, x, z) + 0.5 * (eps**2 - z**2).sum(-1)).T


@wrong("log_weights")
def constant_of_the_prior_only(vae, x, eps):
    _, logvar, z = sampled(vae, x, eps)
    return (likelihoods(vae, x, z) + normal_logpdf(z, 0 * z, 0 * z) + 0.5 * (eps**2 + logvar).sum(-1)).T


@wrong("log_weights")
def standard_deviation_is_exp_of_logvar(vae, x, eps):
    mu, logvar = vae.encode(x)
    z = mu + logvar.exp() * eps
    return (likelihoods(vae, x, z) + normal_logpdf(z, 0 * z, 0 * z) - normal_logpdf(z, mu, logvar)).T


@wrong("log_weights")
def reshape_without_permute(vae, x, eps):
    mu, logvar, z = sampled(vae, x, eps)
    log_w = likelihoods(vae, x, z) + normal_logpdf(z, 0 * z, 0 * z) - normal_logpdf(z, mu, logvar)
    return log_w.reshape(len(x), len(eps))


@wrong("log_weights")
def images_repeated_in_the_other_order(vae, x, eps):
    mu, logvar, z = sampled(vae, x, eps)
    K, B, L = z.shape
    rows = vae.logprob(x.repeat_interleave(K, 0), vae.decode(z.reshape(K * B, L))).reshape(K, B)
    return (rows + normal_logpdf(z, 0 * z, 0 * z) - normal_logpdf(z, mu, logvar)).T


@wrong("log_weights")
def samples_before_images(vae, x, eps):
    mu, logvar, z = sampled(vae, x, eps)
    return likelihoods(vae, x, z) + normal_logpdf(z, 0 * z, 0 * z) - normal_logpdf(z, mu, logvar)


@wrong("log_weights")
def one_sample_for_all(vae, x, eps):
    mu, logvar, z = sampled(vae, x, eps[:1].expand_as(eps))
    return (likelihoods(vae, x, z) + normal_logpdf(z, 0 * z, 0 * z) - normal_logpdf(z, mu, logvar)).T


@wrong("log_weights")
def image_and_output_exchanged(vae, x, eps):
    mu, logvar, z = sampled(vae, x, eps)
    rec = torch.stack([vae.logprob(vae.decode(each), x) for each in z])
    return (rec + normal_logpdf(z, 0 * z, 0 * z) - normal_logpdf(z, mu, logvar)).T


@right("log_weights")
def sample_by_sample(vae, x, eps):
    mu, logvar, z = sampled(vae, x, eps)
    prior = torch.distributions.Normal(torch.zeros_like(mu), 1.0)
    q = torch.distributions.Normal(mu, (logvar / 2).exp())
    columns = [vae.logprob(x, vae.decode(one)) + (prior.log_prob(one) - q.log_prob(one)).sum(1) for one in z]
    return torch.stack(columns, dim=1)


@right("log_weights")
def image_by_image(vae, x, eps):
    rows = []
    for b in range(len(x)):
        mu, logvar = vae.encode(x[b : b + 1])
        z = mu + (logvar / 2).exp() * eps[:, b]
        rec = vae.logprob(x[b].expand(len(z), -1), vae.decode(z))
        rows.append(rec + normal_logpdf(z, 0 * z, 0 * z) - normal_logpdf(z, mu, logvar))
    return torch.stack(rows)


@right("log_weights")
def images_first(vae, x, eps):
    mu, logvar = vae.encode(x)
    K = len(eps)
    z = reparameterize(mu[:, None], logvar[:, None], eps.permute(1, 0, 2))
    rec = vae.logprob(x.repeat_interleave(K, dim=0), vae.decode(z.reshape(-1, z.shape[2]))).view(len(x), K)
    return rec + normal_logpdf(z, 0 * z, 0 * z) - normal_logpdf(z, mu[:, None], logvar[:, None])


# x1b


@wrong("iwae_bound")
def log_k_forgotten(log_w):
    return log_w.logsumexp(1)


@wrong("iwae_bound")
def mean_of_logs(log_w):
    return log_w.mean(1)


@wrong("iwae_bound")
def exponentiates_first(log_w):
    return log_w.exp().mean(1).log()


@wrong("iwae_bound")
def divides_the_logarithm_by_k(log_w):
    return log_w.logsumexp(1) / log_w.shape[1]


@wrong("iwae_bound")
def largest_weight(log_w):
    return log_w.amax(1)


@wrong("iwae_bound")
def mean_over_images(log_w):
    return log_w.logsumexp(0) - math.log(len(log_w))


@wrong("iwae_bound")
def subtracts_log_of_the_batch(log_w):
    return log_w.logsumexp(1) - math.log(len(log_w))


@wrong("iwae_bound")
def weighted_mean_of_logs(log_w):
    return (log_w.softmax(1).detach() * log_w).sum(1)


@wrong("iwae_bound")
def without_gradient(log_w):
    return torch.from_numpy(np.logaddexp.reduce(log_w.detach().numpy(), axis=1) - math.log(log_w.shape[1]))


@wrong("iwae_bound")
def averages_over_the_batch(log_w):
    return (log_w.logsumexp(1) - math.log(log_w.shape[1])).mean()


@right("iwae_bound")
def largest_taken_out_by_hand(log_w):
    top = log_w.max(dim=1, keepdim=True).values.detach()
    return (log_w - top).exp().mean(dim=1).log() + top[:, 0]


@right("iwae_bound")
def divided_inside(log_w):
    return torch.logsumexp(log_w - np.log(log_w.size(-1)), dim=-1)


@right("iwae_bound")
def added_one_by_one(log_w):
    total = log_w[:, 0]
    for column in log_w.unbind(1)[1:]:
        total = torch.logaddexp(total, column)
    return total - math.log(log_w.shape[1])


@wrong("iwae_bound")
def mean_taken_out_by_hand(log_w):
    middle = log_w.mean(1, keepdim=True)
    return (log_w - middle).exp().mean(1).log() + middle.squeeze(1)

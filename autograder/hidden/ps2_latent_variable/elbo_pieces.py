"""Known-good pieces of the ELBO, for `ps.provide`: a mistake in question 1 costs question 1 only.

Each function is self-contained, for only its source travels to the worker. They do not judge.
"""

from torch import Tensor


def reparameterize(mu: Tensor, logvar: Tensor, eps: Tensor) -> Tensor:
    """Samples of N(mu, exp(logvar))."""
    return mu + logvar.exp().sqrt() * eps


def kl_diag(mu1: Tensor, logvar1: Tensor, mu2: Tensor | None = None, logvar2: Tensor | None = None) -> Tensor:
    """KL of diagonal Gaussians (B, L), (B,)."""
    from torch.distributions import Normal, kl_divergence

    mu2 = 0 * mu1 if mu2 is None else mu2
    logvar2 = 0 * logvar1 if logvar2 is None else logvar2
    return kl_divergence(Normal(mu1, (logvar1 / 2).exp()), Normal(mu2, (logvar2 / 2).exp())).sum(1)


def bernoulli_logprob(x: Tensor, logits: Tensor) -> Tensor:
    """Log-likelihoods (B,) of coins."""
    from torch.nn.functional import logsigmoid

    return (x * logsigmoid(logits) + (1 - x) * logsigmoid(-logits)).flatten(1).sum(1)


def gaussian_logprob(x: Tensor, mean: Tensor, logvar: Tensor) -> Tensor:
    """Log-likelihoods (B,) of independent normal values."""
    from torch.distributions import Normal

    return Normal(mean, (logvar / 2).exp()).log_prob(x).flatten(1).sum(1)

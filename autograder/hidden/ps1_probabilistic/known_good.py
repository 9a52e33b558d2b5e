"""Known-good versions of the set's earlier functions, for `ps.provide`: one mistake costs one question.

Plain and slow on purpose. Each function is self-contained, for only its source travels to the worker.
They do not judge: no test compares a student's result with theirs.
"""

from torch import Tensor


def fit_gaussian(X: Tensor, ridge: float = 0.0) -> tuple[Tensor, Tensor]:
    """Mean (D,) and covariance (D, D) of the rows of X (N, D), divided by N; ridge is added to the diagonal."""
    import torch

    second_moment = torch.einsum("ni,nj->ij", X - X.mean(0), X - X.mean(0)) / X.shape[0]
    return X.mean(0), second_moment + ridge * torch.eye(X.shape[1], dtype=X.dtype)


def gaussian_logpdf(X: Tensor, mu: Tensor, Sigma: Tensor) -> Tensor:
    """log N(x; mu (D,), Sigma (D, D)) of the rows of X (N, D), (N,)."""
    import torch

    return torch.distributions.MultivariateNormal(mu, Sigma).log_prob(X)


def gmm_log_joint(X: Tensor, log_pi: Tensor, mus: Tensor, Sigmas: Tensor) -> Tensor:
    """log pi_k + log N(x_n; mu_k, Sigma_k), (N, K)."""
    import torch

    components = torch.distributions.MultivariateNormal(mus, Sigmas)
    return log_pi + components.log_prob(X[:, None, :])


def e_step(X: Tensor, log_pi: Tensor, mus: Tensor, Sigmas: Tensor) -> tuple[Tensor, Tensor]:
    """Log-responsibilities (N, K) and log-likelihoods (N,)."""
    import torch

    log_joint = log_pi + torch.distributions.MultivariateNormal(mus, Sigmas).log_prob(X[:, None, :])
    return log_joint.log_softmax(1), log_joint.logsumexp(1)


def m_step(X: Tensor, log_resp: Tensor, ridge: float = 0.0, zero_mean: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """log_pi (K,), mus (K, D) and Sigmas (K, D, D) of the rows of X (N, D) under log_resp (N, K)."""
    import math

    import torch

    total = log_resp.logsumexp(0)
    share = (log_resp - total).exp()
    mus = share.mT @ X * (0.0 if zero_mean else 1.0)
    deviations = X[:, None, :] - mus
    Sigmas = torch.einsum("nk,nki,nkj->kij", share, deviations, deviations)
    return total - math.log(len(X)), mus, Sigmas + ridge * torch.eye(X.shape[1], dtype=X.dtype)


def wiener_denoise(Y: Tensor, mu: Tensor, Sigma: Tensor, sigma: float) -> Tensor:
    """Posterior means (N, D) under one Gaussian."""
    import torch

    noisy = Sigma + sigma**2 * torch.eye(len(mu), dtype=Y.dtype)
    return mu + torch.linalg.solve(noisy, (Y - mu).mT).mT @ Sigma


def gmm_denoise(Y: Tensor, log_pi: Tensor, mus: Tensor, Sigmas: Tensor, sigma: float, mode: str = "mmse") -> Tensor:
    """Posterior means (N, D) under a mixture, or those of the most probable component."""
    import torch

    noisy = Sigmas + sigma**2 * torch.eye(Y.shape[1], dtype=Y.dtype)
    log_joint = log_pi + torch.distributions.MultivariateNormal(mus, noisy).log_prob(Y[:, None, :])
    weight = log_joint.softmax(1)
    if mode == "map_component":
        weight = (weight == weight.amax(1, keepdim=True)).to(Y.dtype)
    deviation = Y[:, None, :] - mus
    filtered = mus + torch.einsum("kde,kef,nkf->nkd", Sigmas, torch.linalg.inv(noisy), deviation)
    return (weight[..., None] * filtered).sum(1)


def extract_patches(img: Tensor, p: int) -> Tensor:
    """All overlapping patches of img (H, W) in raster order, (number, p * p)."""
    import torch

    H, W = img.shape
    corners = [(i, j) for i in range(H - p + 1) for j in range(W - p + 1)]
    return torch.stack([img[i : i + p, j : j + p].reshape(-1) for i, j in corners])


def aggregate_patches(P: Tensor, H: int, W: int, p: int) -> Tensor:
    """The mean (H, W) of the overlapping patches (number, p * p)."""
    import torch

    total, count = torch.zeros(H, W, dtype=P.dtype), torch.zeros(H, W, dtype=P.dtype)
    corners = [(i, j) for i in range(H - p + 1) for j in range(W - p + 1)]
    for patch, (i, j) in zip(P, corners, strict=True):
        total[i : i + p, j : j + p] += patch.reshape(p, p)
        count[i : i + p, j : j + p] += 1
    return total / count


def elbo_mc(log_joint, q_mu: Tensor, q_logvar: Tensor, eps: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
    """One-sample ELBOs (S,) of a diagonal Gaussian."""
    import torch

    z = q_mu + (q_logvar / 2).exp() * eps
    q = torch.distributions.Normal(q_mu, (q_logvar / 2).exp())
    return log_joint(z) - q.log_prob(z).sum(-1)

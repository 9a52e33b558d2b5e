"""Right and wrong answers to x3."""

import torch

from autograder.verify.variants import right, wrong


def log_components(X, mus, L):
    """log N(x_n; mu_k, L_k L_k^T) as (N, K)."""
    return torch.distributions.MultivariateNormal(mus, scale_tril=L).log_prob(X[:, None])


def leaves(*tensors):
    """Copies that gradients flow to."""
    return [t.detach().clone().requires_grad_() for t in tensors]


# x3a


@wrong("mixture_from_free")
def softmax_without_the_logarithm(a, R):
    return a.softmax(0), R.tril(-1) + torch.diag_embed(R.diagonal(dim1=-2, dim2=-1).exp())


@wrong("mixture_from_free")
def logarithm_of_the_softmax(a, R):
    return a.softmax(0).log(), R.tril(-1) + torch.diag_embed(R.diagonal(dim1=-2, dim2=-1).exp())


@wrong("mixture_from_free")
def weights_not_normalised(a, R):
    return a, R.tril(-1) + torch.diag_embed(R.diagonal(dim1=-2, dim2=-1).exp())


@wrong("mixture_from_free")
def exponential_of_everything(a, R):
    return a.log_softmax(0), R.exp().tril()


@wrong("mixture_from_free")
def diagonal_not_exponentiated(a, R):
    return a.log_softmax(0), R.tril()


@wrong("mixture_from_free")
def absolute_diagonal(a, R):
    return a.log_softmax(0), R.tril(-1) + torch.diag_embed(R.diagonal(dim1=-2, dim2=-1).abs())


@wrong("mixture_from_free")
def softplus_diagonal(a, R):
    return a.log_softmax(0), R.tril(-1) + torch.diag_embed(torch.nn.functional.softplus(R.diagonal(dim1=-2, dim2=-1)))


@wrong("mixture_from_free")
def upper_triangular(a, R):
    return a.log_softmax(0), R.triu(1) + torch.diag_embed(R.diagonal(dim1=-2, dim2=-1).exp())


@wrong("mixture_from_free")
def upper_triangle_kept(a, R):
    diagonal = R.diagonal(dim1=-2, dim2=-1)
    return a.log_softmax(0), R + torch.diag_embed(diagonal.exp() - diagonal)


@wrong("mixture_from_free")
def diagonal_added_twice(a, R):
    return a.log_softmax(0), R.tril() + torch.diag_embed(R.diagonal(dim1=-2, dim2=-1).exp())


@wrong("mixture_from_free")
def scales_kept_above_a_floor(a, R):
    diagonal = R.diagonal(dim1=-2, dim2=-1).exp().clamp_min(1e-6)
    return a.log_softmax(0), R.tril(-1) + torch.diag_embed(diagonal)


@wrong("mixture_from_free")
def covariance_for_its_factor(a, R):
    L = R.tril(-1) + torch.diag_embed(R.diagonal(dim1=-2, dim2=-1).exp())
    return a.log_softmax(0), L @ L.mT


@wrong("mixture_from_free")
def diagonal_written_in_place(a, R):
    R.diagonal(dim1=-2, dim2=-1).exp_()
    return a.log_softmax(0), R.tril()


@wrong("mixture_from_free")
def without_gradients(a, R):
    return tuple(t.detach() for t in mixture_from_free(a, R))


@wrong("mixture_from_free")
def scales_kept_below_a_ceiling(a, R):
    diagonal = R.diagonal(dim1=-2, dim2=-1).clamp(max=10).exp()
    return a.log_softmax(0), R.tril(-1) + torch.diag_embed(diagonal)


@right("mixture_from_free")
def with_torch_where(a, R):
    eye = torch.eye(R.shape[-1], dtype=torch.bool)
    return a - a.logsumexp(0), torch.where(eye, R.exp().nan_to_num(posinf=0.0), R).tril()


@right("mixture_from_free")
def matrix_by_matrix(a, R):
    shifted = a - a.max()
    L = [matrix.tril(-1) + matrix.diagonal().exp().diag() for matrix in R]
    return shifted - shifted.exp().sum().log(), torch.stack(L)


# x3b


@wrong("free_loglik")
def log_determinant_forgotten(X, a, mus, R):
    log_pi, L = mixture_from_free(a, R)
    log_det = L.diagonal(dim1=-2, dim2=-1).log().sum(1)
    return (log_pi + log_components(X, mus, L) + log_det).logsumexp(1)


@wrong("free_loglik")
def log_determinant_of_the_covariance(X, a, mus, R):
    log_pi, L = mixture_from_free(a, R)
    log_det = L.diagonal(dim1=-2, dim2=-1).log().sum(1)
    return (log_pi + log_components(X, mus, L) - log_det).logsumexp(1)


@wrong("free_loglik")
def half_log_determinant(X, a, mus, R):
    log_pi, L = mixture_from_free(a, R)
    log_det = L.diagonal(dim1=-2, dim2=-1).log().sum(1)
    return (log_pi + log_components(X, mus, L) + log_det / 2).logsumexp(1)


@wrong("free_loglik")
def constant_forgotten(X, a, mus, R):
    log_pi, L = mixture_from_free(a, R)
    return (log_pi + log_components(X, mus, L)).logsumexp(1) + X.shape[1] / 2 * math.log(2 * math.pi)


@wrong("free_loglik")
def weights_forgotten(X, a, mus, R):
    return log_components(X, mus, mixture_from_free(a, R)[1]).logsumexp(1)


@wrong("free_loglik")
def free_weights_not_normalised(X, a, mus, R):
    return (a + log_components(X, mus, mixture_from_free(a, R)[1])).logsumexp(1)


@wrong("free_loglik")
def expected_log_density(X, a, mus, R):
    log_pi, L = mixture_from_free(a, R)
    return log_components(X, mus, L) @ log_pi.exp()


@wrong("free_loglik")
def best_component_only(X, a, mus, R):
    log_pi, L = mixture_from_free(a, R)
    return (log_pi + log_components(X, mus, L)).max(1).values


@wrong("free_loglik")
def densities_added(X, a, mus, R):
    log_pi, L = mixture_from_free(a, R)
    return (log_components(X, mus, L).exp() @ log_pi.exp()).log()


@wrong("free_loglik")
def determinant_underflows(X, a, mus, R):
    log_pi, L = mixture_from_free(a, R)
    Z = torch.linalg.solve_triangular(L, (X - mus[:, None]).mT, upper=False)
    log_norm = torch.linalg.det(L @ L.mT).log() / 2 + X.shape[1] / 2 * math.log(2 * math.pi)
    return ((log_pi - log_norm)[:, None] - (Z**2).sum(1) / 2).logsumexp(0)


@wrong("free_loglik")
def product_of_the_diagonal_underflows(X, a, mus, R):
    log_pi, L = mixture_from_free(a, R)
    Z = torch.linalg.solve_triangular(L, (X - mus[:, None]).mT, upper=False)
    log_norm = L.diagonal(dim1=-2, dim2=-1).prod(1).log() + X.shape[1] / 2 * math.log(2 * math.pi)
    return ((log_pi - log_norm)[:, None] - (Z**2).sum(1) / 2).logsumexp(0)


@wrong("free_loglik")
def solved_with_the_transposed_factor(X, a, mus, R):
    log_pi, L = mixture_from_free(a, R)
    Z = torch.linalg.solve_triangular(L.mT, (X - mus[:, None]).mT, upper=True)
    log_norm = L.diagonal(dim1=-2, dim2=-1).log().sum(1) + X.shape[1] / 2 * math.log(2 * math.pi)
    return ((log_pi - log_norm)[:, None] - (Z**2).sum(1) / 2).logsumexp(0)


@wrong("free_loglik")
def factor_taken_for_the_covariance(X, a, mus, R):
    log_pi, L = mixture_from_free(a, R)
    return (log_pi + log_components(X, mus, torch.linalg.cholesky(L @ L.mT @ L @ L.mT))).logsumexp(1)


@wrong("free_loglik")
def only_the_diagonal(X, a, mus, R):
    log_pi, L = mixture_from_free(a, R)
    return (log_pi + log_components(X, mus, torch.diag_embed(L.diagonal(dim1=-2, dim2=-1)))).logsumexp(1)


@wrong("free_loglik")
def mean_over_the_examples(X, a, mus, R):
    log_pi, L = mixture_from_free(a, R)
    return (log_pi + log_components(X, mus, L)).logsumexp(1).mean()


@wrong("free_loglik")
def scales_detached(X, a, mus, R):
    log_pi, L = mixture_from_free(a, R)
    return (log_pi + log_components(X, mus, L.detach())).logsumexp(1)


@wrong("free_loglik")
def weights_detached(X, a, mus, R):
    log_pi, L = mixture_from_free(a, R)
    return (log_pi.detach() + log_components(X, mus, L)).logsumexp(1)


@right("free_loglik")
def by_torch_distributions(X, a, mus, R):
    log_pi, L = mixture_from_free(a, R)
    components = torch.distributions.MultivariateNormal(mus, scale_tril=L)
    return torch.distributions.MixtureSameFamily(torch.distributions.Categorical(logits=log_pi), components).log_prob(X)


@right("free_loglik")
def by_the_inverse_factor(X, a, mus, R):
    log_pi, L = mixture_from_free(a, R)
    W = torch.linalg.solve_triangular(L, torch.eye(X.shape[1], dtype=X.dtype), upper=False)
    Z = torch.einsum("kij,nkj->nki", W, X[:, None] - mus)
    log_det = R.diagonal(dim1=-2, dim2=-1).sum(1)
    log_joint = log_pi - log_det - 0.5 * (Z**2).sum(2) - 0.5 * X.shape[1] * math.log(2 * math.pi)
    return torch.logsumexp(log_joint, dim=1)


@right("free_loglik")
def component_by_component(X, a, mus, R):
    log_pi, L = mixture_from_free(a, R)
    columns = []
    for k in range(len(mus)):
        Z = torch.linalg.solve_triangular(L[k], (X - mus[k]).T, upper=False)
        constant = X.shape[1] * math.log(2 * math.pi) + 2 * L[k].diagonal().log().sum()
        columns.append(log_pi[k] - ((Z * Z).sum(0) + constant) / 2)
    return torch.stack(columns).logsumexp(0)


# x3c


@wrong("gradient_step")
def uphill_on_the_loss(X, a, mus, R, lr):
    free = leaves(a, mus, R)
    grads = torch.autograd.grad(-free_loglik(X, *free).mean(), free)
    return tuple((t + lr * grad).detach() for t, grad in zip(free, grads, strict=True))


@wrong("gradient_step")
def sum_instead_of_mean(X, a, mus, R, lr):
    free = leaves(a, mus, R)
    grads = torch.autograd.grad(-free_loglik(X, *free).sum(), free)
    return tuple((t - lr * grad).detach() for t, grad in zip(free, grads, strict=True))


@wrong("gradient_step")
def weights_never_move(X, a, mus, R, lr):
    free = leaves(a, mus, R)
    grads = torch.autograd.grad(-free_loglik(X, *free).mean(), free)
    return a.detach(), *((t - lr * grad).detach() for t, grad in zip(free[1:], grads[1:], strict=True))


@wrong("gradient_step")
def one_after_the_other(X, a, mus, R, lr):
    free = [a.detach(), mus.detach(), R.detach()]
    for i in range(3):
        leaf = free[i].clone().requires_grad_()
        loss = -free_loglik(X, *free[:i], leaf, *free[i + 1 :]).mean()
        free[i] = (leaf - lr * torch.autograd.grad(loss, leaf)[0]).detach()
    return tuple(free)


@wrong("gradient_step")
def gradient_scaled_to_length_one(X, a, mus, R, lr):
    free = leaves(a, mus, R)
    grads = torch.autograd.grad(-free_loglik(X, *free).mean(), free)
    norm = torch.cat([grad.flatten() for grad in grads]).norm()
    return tuple((t - lr * grad / norm).detach() for t, grad in zip(free, grads, strict=True))


@wrong("gradient_step")
def learning_rate_forgotten(X, a, mus, R, lr):
    free = leaves(a, mus, R)
    grads = torch.autograd.grad(-free_loglik(X, *free).mean(), free)
    return tuple((t - grad).detach() for t, grad in zip(free, grads, strict=True))


@wrong("gradient_step")
def adam_for_plain_descent(X, a, mus, R, lr):
    free = leaves(a, mus, R)
    optimizer = torch.optim.Adam(free, lr)
    (-free_loglik(X, *free).mean()).backward()
    optimizer.step()
    return tuple(t.detach() for t in free)


@wrong("gradient_step")
def graph_kept(X, a, mus, R, lr):
    free = leaves(a, mus, R)
    grads = torch.autograd.grad(-free_loglik(X, *free).mean(), free)
    return tuple(t - lr * grad for t, grad in zip(free, grads, strict=True))


@wrong("gradient_step")
def arguments_changed_in_place(X, a, mus, R, lr):
    free = leaves(a, mus, R)
    grads = torch.autograd.grad(-free_loglik(X, *free).mean(), free)
    with torch.no_grad():
        for t, grad in zip((a, mus, R), grads, strict=True):
            t -= lr * grad
    return a.detach(), mus.detach(), R.detach()


@wrong("gradient_step")
def gradients_accumulate_in_the_arguments(X, a, mus, R, lr):
    free = [t.requires_grad_() for t in (a, mus, R)]
    (-free_loglik(X, *free).mean()).backward()
    return tuple((t - lr * t.grad).detach() for t in free)


@wrong("gradient_step")
def gradients_left_behind(X, a, mus, R, lr):
    new = gradient_step(X, a, mus, R, lr)
    for old, stepped in zip((a, mus, R), new, strict=True):
        old.grad = (old.detach() - stepped) / lr
    return new


@right("gradient_step")
def with_an_optimizer(X, a, mus, R, lr):
    free = leaves(a, mus, R)
    optimizer = torch.optim.SGD(free, lr)
    (-free_loglik(X, *free).mean()).backward()
    optimizer.step()
    return tuple(t.detach() for t in free)


@right("gradient_step")
def with_functional_gradients(X, a, mus, R, lr):
    free = tuple(t.detach() for t in (a, mus, R))
    grads = torch.func.grad(lambda *free: free_loglik(X, *free).mean(), argnums=(0, 1, 2))(*free)
    return tuple(t + lr * grad for t, grad in zip(free, grads, strict=True))

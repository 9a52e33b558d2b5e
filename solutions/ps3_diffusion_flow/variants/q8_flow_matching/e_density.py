"""Right and wrong answers to question 8e: divergence and density."""

import math

import torch

from autograder.verify.variants import right, wrong


def jacobian(v, x, t):
    """Jacobians (B, D, D), one example at a time."""
    D = x[0].numel()
    with torch.enable_grad():
        rows = [
            torch.autograd.functional.jacobian(lambda one, i=i: v(one[None], t[i : i + 1])[0], x[i].detach())
            for i in range(len(x))
        ]
    return torch.stack([row.reshape(D, D) for row in rows]).detach()


@wrong("divergence")
def sum_of_all_entries(v, x, t, eps=None):
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        (pulled,) = torch.autograd.grad(v(x, t).sum(), x)
    return pulled.flatten(1).sum(1) if eps is None else divergence(v, x, t, eps)


@wrong("divergence")
def determinant_for_the_trace(v, x, t, eps=None):
    return torch.linalg.slogdet(jacobian(v, x, t)).logabsdet if eps is None else divergence(v, x, t, eps)


@wrong("divergence")
def negative_divergence(v, x, t, eps=None):
    return -divergence(v, x, t, eps)


@wrong("divergence")
def mean_for_the_sum(v, x, t, eps=None):
    return divergence(v, x, t, eps) / x[0].numel()


@wrong("divergence")
def one_number_for_the_batch(v, x, t, eps=None):
    return divergence(v, x, t, eps).sum()


@wrong("divergence")
def needs_gradients_switched_on(v, x, t, eps=None):
    x = x.detach().requires_grad_()
    out = v(x, t).flatten(1)
    if eps is not None:
        return (torch.autograd.grad((out * eps.flatten(1)).sum(), x)[0] * eps).flatten(1).sum(1)
    return sum(
        torch.autograd.grad(out[:, i].sum(), x, retain_graph=True)[0].flatten(1)[:, i] for i in range(out.shape[1])
    )


@wrong("divergence")
def marks_the_given_points(v, x, t, eps=None):
    x.requires_grad_()
    return divergence(v, x, t, eps)


@wrong("divergence")
def derivative_by_the_first_input_alone(v, x, t, eps=None):
    return jacobian(v, x, t)[:, 0].sum(-1) if eps is None else divergence(v, x, t, eps)


@wrong("divergence")
def always_with_directions_of_ones(v, x, t, eps=None):
    return divergence(v, x, t, torch.ones_like(x) if eps is None else eps)


@wrong("divergence")
def directions_are_ignored(v, x, t, eps=None):
    return divergence(v, x, t)


@wrong("divergence")
def directions_on_one_side_only(v, x, t, eps=None):
    if eps is None:
        return divergence(v, x, t)
    return torch.einsum("bi,bij->b", eps.flatten(1), jacobian(v, x, t))


@wrong("divergence")
def directions_squared(v, x, t, eps=None):
    if eps is None:
        return divergence(v, x, t)
    return (jacobian(v, x, t).diagonal(dim1=1, dim2=2) * eps.flatten(1) ** 2).sum(1)


@wrong("divergence")
def directions_scaled_to_length_one(v, x, t, eps=None):
    return divergence(v, x, t, None if eps is None else eps / like(eps.flatten(1).norm(dim=1), eps))


@wrong("divergence")
def estimate_with_the_transpose_missing_the_second_factor(v, x, t, eps=None):
    if eps is None:
        return divergence(v, x, t)
    return torch.einsum("bij,bj->b", jacobian(v, x, t), eps.flatten(1))


def both_ways(v, x1, n, method, eps, start=1.0, end=0.0):
    """Where the trajectory of x1 leads, and what was collected of the divergence."""

    def joint(state, t):
        x = state[:, :-1].reshape(x1.shape)
        return torch.cat([v(x, t).flatten(1), divergence(v, x, t, eps)[:, None]], dim=1)

    state = torch.cat([x1.flatten(1), torch.zeros(len(x1), 1, dtype=x1.dtype)], dim=1)
    last = ode_solve(joint, state, n, method, start, end)[-1]
    return last[:, :-1], last[:, -1]


def log_normal(x):
    """Log-density (B,) of the standard normal."""
    return -0.5 * (x.square() + math.log(2 * math.pi)).sum(1)


@wrong("log_density")
def sign_of_the_divergence(v, x1, n, method="rk4", eps=None):
    x0, collected = both_ways(v, x1, n, method, eps)
    return log_normal(x0) - collected


@wrong("log_density")
def without_the_divergence(v, x1, n, method="rk4", eps=None):
    return log_normal(both_ways(v, x1, n, method, eps)[0])


@wrong("log_density")
def noise_density_at_the_data(v, x1, n, method="rk4", eps=None):
    return log_normal(x1.flatten(1)) + both_ways(v, x1, n, method, eps)[1]


@wrong("log_density")
def integrates_forward(v, x1, n, method="rk4", eps=None):
    x0, collected = both_ways(v, x1, n, method, eps, 0.0, 1.0)
    return log_normal(x0) - collected


@wrong("log_density")
def divergence_at_the_end_alone(v, x1, n, method="rk4", eps=None):
    x0, _ = both_ways(v, x1, n, method, eps)
    return log_normal(x0) - divergence(v, x1, torch.ones(len(x1), dtype=x1.dtype), eps)


@wrong("log_density")
def divergence_at_the_noise_alone(v, x1, n, method="rk4", eps=None):
    x0, _ = both_ways(v, x1, n, method, eps)
    return log_normal(x0) - divergence(v, x0.reshape(x1.shape), torch.zeros(len(x1), dtype=x1.dtype), eps)


@wrong("log_density")
def without_the_normal_constant(v, x1, n, method="rk4", eps=None):
    x0, collected = both_ways(v, x1, n, method, eps)
    return -0.5 * x0.square().sum(1) + collected


@wrong("log_density")
def averages_over_features(v, x1, n, method="rk4", eps=None):
    x0, collected = both_ways(v, x1, n, method, eps)
    return log_normal(x0) / x0.shape[1] + collected


@wrong("log_density")
def sums_over_the_batch(v, x1, n, method="rk4", eps=None):
    return log_density(v, x1, n, method, eps).sum()


@wrong("log_density")
def in_bits(v, x1, n, method="rk4", eps=None):
    return log_density(v, x1, n, method, eps) / math.log(2)


@wrong("log_density")
def returns_the_density(v, x1, n, method="rk4", eps=None):
    return log_density(v, x1, n, method, eps).exp()


@wrong("log_density")
def divergence_frozen_at_the_time_of_the_data(v, x1, n, method="rk4", eps=None):
    def joint(state, t):
        x = state[:, :-1].reshape(x1.shape)
        return torch.cat([v(x, t).flatten(1), divergence(v, x, torch.ones_like(t), eps)[:, None]], dim=1)

    state = torch.cat([x1.flatten(1), torch.zeros(len(x1), 1, dtype=x1.dtype)], dim=1)
    last = ode_solve(joint, state, n, method, 1.0, 0.0)[-1]
    return log_normal(last[:, :-1]) + last[:, -1]


@wrong("log_density")
def takes_an_estimate_along_ones(v, x1, n, method="rk4", eps=None):
    return log_density(v, x1, n, method, torch.ones_like(x1))


@wrong("log_density")
def forgets_to_pass_the_directions_on(v, x1, n, method="rk4", eps=None):
    return log_density(v, x1, n, method)


@wrong("log_density")
def draws_directions_of_its_own(v, x1, n, method="rk4", eps=None):
    return log_density(v, x1, n, method, None if eps is None else torch.randn_like(eps))


@wrong("log_density")
def flattens_the_examples_for_the_field(v, x1, n, method="rk4", eps=None):
    return log_density(v, x1.flatten(1), n, method, None if eps is None else eps.flatten(1))


@wrong("log_density")
def always_by_euler(v, x1, n, method="rk4", eps=None):
    return log_density(v, x1, n, "euler", eps)


@wrong("log_density")
def always_by_rk4(v, x1, n, method="rk4", eps=None):
    return log_density(v, x1, n, "rk4", eps)


@wrong("log_density")
def takes_twice_as_many_steps(v, x1, n, method="rk4", eps=None):
    return log_density(v, x1, 2 * n, method, eps)


@wrong("log_density")
def divides_the_divergence_by_the_steps(v, x1, n, method="rk4", eps=None):
    x0, collected = both_ways(v, x1, n, method, eps)
    return log_normal(x0) + collected / n


@right("divergence")
def by_full_jacobians(v, x, t, eps=None):
    J = jacobian(v, x, t)
    if eps is None:
        return J.diagonal(dim1=1, dim2=2).sum(1)
    return torch.einsum("bi,bij,bj->b", eps.flatten(1), J, eps.flatten(1))


@right("divergence")
def by_unit_directions(v, x, t, eps=None):
    def quadratic(direction):
        with torch.enable_grad():
            y = x.detach().clone().requires_grad_()
            (pulled,) = torch.autograd.grad(v(y, t), y, grad_outputs=direction)
        return (pulled * direction).reshape(len(x), -1).sum(1)

    if eps is not None:
        return quadratic(eps)
    units = torch.eye(x[0].numel(), dtype=x.dtype).reshape(-1, *x.shape[1:])
    return sum(quadratic(unit.expand_as(x)) for unit in units)


@right("divergence")
def by_forward_mode(v, x, t, eps=None):
    def along(direction):
        return (torch.func.jvp(lambda y: v(y, t), (x,), (direction,))[1] * direction).flatten(1).sum(1)

    if eps is not None:
        return along(eps)
    units = torch.eye(x[0].numel(), dtype=x.dtype).reshape(-1, *x.shape[1:])
    return sum(along(unit.expand_as(x).contiguous()) for unit in units)


@right("log_density")
def by_the_sum_of_both(v, x1, n, method="rk4", eps=None):
    x0, collected = both_ways(v, x1, n, method, eps)
    base = torch.distributions.Normal(0.0, 1.0).log_prob(x0).sum(1)
    return base + collected


@right("log_density")
def with_time_counted_from_the_data(v, x1, n, method="rk4", eps=None):
    def joint(state, tau):
        x = state[:, 1:].reshape(x1.shape)
        return torch.cat([-divergence(v, x, 1 - tau, eps)[:, None], -v(x, 1 - tau).flatten(1)], dim=1)

    state = torch.cat([x1.new_zeros(len(x1), 1), x1.flatten(1)], dim=1)
    last = ode_solve(joint, state, n, method)[-1]
    return last[:, 0] - 0.5 * last[:, 1:].square().sum(1) - 0.5 * x1[0].numel() * math.log(2 * math.pi)

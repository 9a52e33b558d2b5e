"""Right and wrong answers to question 8."""

import math

import torch

from autograder.verify.variants import right, wrong


def like(t, x):
    """t (B,) with a trailing dimension of one for each feature of x."""
    return t.reshape(-1, *[1] * (x.ndim - 1))


def squared(error):
    """The mean over features, (B,)."""
    return error.square().flatten(1).mean(1)


# 8a


@wrong("fm_pair")
def time_reversed(x0, x1, t):
    s = like(t, x0)
    return s * x0 + (1 - s) * x1, x0 - x1


@wrong("fm_pair")
def time_reversed_in_the_point_alone(x0, x1, t):
    s = like(t, x0)
    return s * x0 + (1 - s) * x1, x1 - x0


@wrong("fm_pair")
def velocity_from_data_to_noise(x0, x1, t):
    s = like(t, x0)
    return (1 - s) * x0 + s * x1, x0 - x1


@wrong("fm_pair")
def time_not_reshaped(x0, x1, t):
    return (1 - t) * x0 + t * x1, x1 - x0


@wrong("fm_pair")
def time_reshaped_for_vectors_only(x0, x1, t):
    return (1 - t[:, None]) * x0 + t[:, None] * x1, x1 - x0


@wrong("fm_pair")
def time_reshaped_for_images_only(x0, x1, t):
    s = t[:, None, None, None]
    return ((1 - s) * x0 + s * x1).reshape(-1, *x0.shape[1:])[: len(x0)], x1 - x0


@wrong("fm_pair")
def one_time_for_the_whole_batch(x0, x1, t):
    return (1 - t[0]) * x0 + t[0] * x1, x1 - x0


@wrong("fm_pair")
def mean_time_of_the_batch(x0, x1, t):
    return torch.lerp(x0, x1, t.mean()), x1 - x0


@wrong("fm_pair")
def path_of_diffusion(x0, x1, t):
    s = like(t, x0)
    return (1 - s).sqrt() * x0 + s.sqrt() * x1, x1 - x0


@wrong("fm_pair")
def path_on_a_circle(x0, x1, t):
    angle = like(t, x0) * math.pi / 2
    return angle.cos() * x0 + angle.sin() * x1, x1 - x0


@wrong("fm_pair")
def velocity_of_the_remaining_way(x0, x1, t):
    s = like(t, x0)
    xt = (1 - s) * x0 + s * x1
    return xt, x1 - xt


@wrong("fm_pair")
def velocity_times_the_time(x0, x1, t):
    s = like(t, x0)
    return (1 - s) * x0 + s * x1, s * (x1 - x0)


@wrong("fm_pair")
def velocity_first(x0, x1, t):
    xt, u = fm_pair(x0, x1, t)
    return u, xt


@wrong("fm_pair")
def noise_as_the_target(x0, x1, t):
    return fm_pair(x0, x1, t)[0], x0.clone()


@wrong("cfm_loss")
def target_is_noise_minus_data(v, x0, x1, t):
    xt, _ = fm_pair(x0, x1, t)
    return squared(v(xt, t) - (x0 - x1))


@wrong("cfm_loss")
def target_is_the_data(v, x0, x1, t):
    xt, _ = fm_pair(x0, x1, t)
    return squared(v(xt, t) - x1)


@wrong("cfm_loss")
def target_is_the_noise(v, x0, x1, t):
    xt, _ = fm_pair(x0, x1, t)
    return squared(v(xt, t) - x0)


@wrong("cfm_loss")
def asks_at_the_data(v, x0, x1, t):
    return squared(v(x1, t) - (x1 - x0))


@wrong("cfm_loss")
def asks_at_the_noise(v, x0, x1, t):
    return squared(v(x0, t) - (x1 - x0))


@wrong("cfm_loss")
def asks_at_the_reversed_time(v, x0, x1, t):
    xt, u = fm_pair(x0, x1, t)
    return squared(v(xt, 1 - t) - u)


@wrong("cfm_loss")
def adds_up_the_features(v, x0, x1, t):
    xt, u = fm_pair(x0, x1, t)
    return (v(xt, t) - u).square().flatten(1).sum(1)


@wrong("cfm_loss")
def averages_the_batch(v, x0, x1, t):
    xt, u = fm_pair(x0, x1, t)
    return (v(xt, t) - u).square().mean()


@wrong("cfm_loss")
def averages_the_last_dimension_alone(v, x0, x1, t):
    xt, u = fm_pair(x0, x1, t)
    return (v(xt, t) - u).square().mean(-1)


@wrong("cfm_loss")
def forgets_the_square(v, x0, x1, t):
    xt, u = fm_pair(x0, x1, t)
    return (v(xt, t) - u).abs().flatten(1).mean(1)


@wrong("cfm_loss")
def takes_the_root(v, x0, x1, t):
    return cfm_loss(v, x0, x1, t).sqrt()


@wrong("cfm_loss")
def halves_the_loss(v, x0, x1, t):
    return cfm_loss(v, x0, x1, t) / 2


@wrong("cfm_loss")
def without_a_gradient(v, x0, x1, t):
    with torch.no_grad():
        return cfm_loss(v, x0, x1, t)


@wrong("cfm_loss")
def swaps_noise_and_data(v, x0, x1, t):
    return cfm_loss(v, x1, x0, t)


# 8b


def slopes(v, x, t, h, method):
    """The increment of one step, per unit of time."""
    k1 = v(x, t)
    if method == "euler":
        return k1
    if method == "heun":
        return (k1 + v(x + h * k1, t + h)) / 2
    k2 = v(x + h / 2 * k1, t + h / 2)
    k3 = v(x + h / 2 * k2, t + h / 2)
    return (k1 + 2 * k2 + 2 * k3 + v(x + h * k3, t + h)) / 6


def times(x, value):
    """A time for each example."""
    return torch.full((len(x),), value, dtype=x.dtype)


def walk(v, x, n, method, start, end, increment=slopes, shift=0.0):
    """All states, with a step that may be another one, asked at times that may be shifted."""
    h, states = (end - start) / n, [x]
    for i in range(n):
        states.append(states[-1] + h * increment(v, states[-1], times(x, start + (i + shift) * h), h, method))
    return torch.stack(states)


@wrong("ode_solve")
def heun_with_one_slope(v, x, n, method="euler", start=0.0, end=1.0):
    def step(v, x, t, h, method):
        return v(x + h * v(x, t), t + h) if method == "heun" else slopes(v, x, t, h, method)

    return walk(v, x, n, method, start, end, step)


@wrong("ode_solve")
def heun_by_the_midpoint(v, x, n, method="euler", start=0.0, end=1.0):
    def step(v, x, t, h, method):
        return v(x + h / 2 * v(x, t), t + h / 2) if method == "heun" else slopes(v, x, t, h, method)

    return walk(v, x, n, method, start, end, step)


@wrong("ode_solve")
def heun_without_the_half(v, x, n, method="euler", start=0.0, end=1.0):
    def step(v, x, t, h, method):
        return (2 if method == "heun" else 1) * slopes(v, x, t, h, method)

    return walk(v, x, n, method, start, end, step)


@wrong("ode_solve")
def second_slope_at_the_old_time(v, x, n, method="euler", start=0.0, end=1.0):
    def step(v, x, t, h, method):
        k1 = v(x, t)
        return (k1 + v(x + h * k1, t)) / 2 if method == "heun" else slopes(v, x, t, h, method)

    return walk(v, x, n, method, start, end, step)


@wrong("ode_solve")
def second_slope_at_the_old_place(v, x, n, method="euler", start=0.0, end=1.0):
    def step(v, x, t, h, method):
        return (v(x, t) + v(x, t + h)) / 2 if method == "heun" else slopes(v, x, t, h, method)

    return walk(v, x, n, method, start, end, step)


@wrong("ode_solve")
def rk4_with_equal_weights(v, x, n, method="euler", start=0.0, end=1.0):
    def step(v, x, t, h, method):
        if method != "rk4":
            return slopes(v, x, t, h, method)
        k1 = v(x, t)
        k2 = v(x + h / 2 * k1, t + h / 2)
        k3 = v(x + h / 2 * k2, t + h / 2)
        return (k1 + k2 + k3 + v(x + h * k3, t + h)) / 4

    return walk(v, x, n, method, start, end, step)


@wrong("ode_solve")
def rk4_with_the_third_slope_from_the_first(v, x, n, method="euler", start=0.0, end=1.0):
    def step(v, x, t, h, method):
        if method != "rk4":
            return slopes(v, x, t, h, method)
        k1 = v(x, t)
        k2 = v(x + h / 2 * k1, t + h / 2)
        k3 = v(x + h / 2 * k1, t + h / 2)
        return (k1 + 2 * k2 + 2 * k3 + v(x + h * k3, t + h)) / 6

    return walk(v, x, n, method, start, end, step)


@wrong("ode_solve")
def rk4_with_the_last_slope_half_way(v, x, n, method="euler", start=0.0, end=1.0):
    def step(v, x, t, h, method):
        if method != "rk4":
            return slopes(v, x, t, h, method)
        k1 = v(x, t)
        k2 = v(x + h / 2 * k1, t + h / 2)
        k3 = v(x + h / 2 * k2, t + h / 2)
        return (k1 + 2 * k2 + 2 * k3 + v(x + h / 2 * k3, t + h / 2)) / 6

    return walk(v, x, n, method, start, end, step)


@wrong("ode_solve")
def every_method_is_euler(v, x, n, method="euler", start=0.0, end=1.0):
    return walk(v, x, n, "euler", start, end)


@wrong("ode_solve")
def rk4_is_heun(v, x, n, method="euler", start=0.0, end=1.0):
    return walk(v, x, n, "heun" if method == "rk4" else method, start, end)


@wrong("ode_solve")
def rk4_when_euler_is_asked(v, x, n, method="euler", start=0.0, end=1.0):
    return walk(v, x, n, "rk4", start, end)


@wrong("ode_solve")
def one_step_too_few(v, x, n, method="euler", start=0.0, end=1.0):
    states = walk(v, x, n, method, start, end)
    return torch.cat([states[:-1], states[-2:-1]])


@wrong("ode_solve")
def n_points_instead_of_n_steps(v, x, n, method="euler", start=0.0, end=1.0):
    return walk(v, x, max(n - 1, 1), method, start, end)


@wrong("ode_solve")
def drops_the_first_state(v, x, n, method="euler", start=0.0, end=1.0):
    return walk(v, x, n, method, start, end)[1:]


@wrong("ode_solve")
def returns_the_last_state(v, x, n, method="euler", start=0.0, end=1.0):
    return walk(v, x, n, method, start, end)[-1]


@wrong("ode_solve")
def returns_a_list_of_states(v, x, n, method="euler", start=0.0, end=1.0):
    return list(walk(v, x, n, method, start, end))


@wrong("ode_solve")
def batch_before_time(v, x, n, method="euler", start=0.0, end=1.0):
    return walk(v, x, n, method, start, end).transpose(0, 1)


@wrong("ode_solve")
def asks_at_the_end_of_the_step(v, x, n, method="euler", start=0.0, end=1.0):
    return walk(v, x, n, method, start, end, shift=1.0)


@wrong("ode_solve")
def ignores_start_and_end(v, x, n, method="euler", start=0.0, end=1.0):
    return walk(v, x, n, method, 0.0, 1.0)


@wrong("ode_solve")
def never_runs_backward(v, x, n, method="euler", start=0.0, end=1.0):
    return walk(v, x, n, method, min(start, end), max(start, end))


@wrong("ode_solve")
def backward_in_time_and_forward_in_space(v, x, n, method="euler", start=0.0, end=1.0):
    h, states = (end - start) / n, [x]
    for i in range(n):
        increment = slopes(v, states[-1], times(x, start + i * h), h, method)
        states.append(states[-1] + abs(h) * increment)
    return torch.stack(states)


@wrong("ode_solve")
def steps_of_one_nth_whatever_the_ends(v, x, n, method="euler", start=0.0, end=1.0):
    h, states = math.copysign(1 / n, end - start), [x]
    for i in range(n):
        states.append(states[-1] + h * slopes(v, states[-1], times(x, start + i * h), h, method))
    return torch.stack(states)


@wrong("ode_solve")
def time_as_a_number(v, x, n, method="euler", start=0.0, end=1.0):
    return walk(lambda y, t: v(y, t[0]), x, n, method, start, end)


@wrong("ode_solve")
def time_as_a_column(v, x, n, method="euler", start=0.0, end=1.0):
    return walk(lambda y, t: v(y, t[:, None]), x, n, method, start, end)


@wrong("ode_solve")
def evaluates_the_first_slope_again(v, x, n, method="euler", start=0.0, end=1.0):
    def step(v, x, t, h, method):
        return (v(x, t) + v(x + h * v(x, t), t + h)) / 2 if method == "heun" else slopes(v, x, t, h, method)

    return walk(v, x, n, method, start, end, step)


@wrong("ode_solve")
def always_at_time_zero(v, x, n, method="euler", start=0.0, end=1.0):
    return walk(lambda y, t: v(y, 0 * t), x, n, method, start, end)


@wrong("ode_solve")
def clock_at_half_speed(v, x, n, method="euler", start=0.0, end=1.0):
    return walk(lambda y, t: v(y, start + (t - start) / 2), x, n, method, start, end)


# 8c


@wrong("score_from_velocity")
def sign_of_the_score(x, t, v):
    return -score_from_velocity(x, t, v)


@wrong("score_from_velocity")
def divides_by_the_variance(x, t, v):
    s = like(t, x)
    return (s * v - x) / (1 - s) ** 2


@wrong("score_from_velocity")
def divides_by_the_time(x, t, v):
    s = like(t, x)
    return (s * v - x) / s.clamp_min(1e-3)


@wrong("score_from_velocity")
def does_not_divide(x, t, v):
    return like(t, x) * v - x


@wrong("score_from_velocity")
def score_with_the_data_for_the_noise(x, t, v):
    s = like(t, x)
    return -(x + (1 - s) * v) / (1 - s)


@wrong("score_from_velocity")
def score_with_time_reversed(x, t, v):
    s = 1 - like(t, x)
    return (s * v - x) / (1 - s).clamp_min(1e-3)


@wrong("score_from_velocity")
def score_with_time_not_reshaped(x, t, v):
    return (t * v - x) / (1 - t)


@wrong("score_from_velocity")
def score_for_vectors_only(x, t, v):
    return (t[:, None] * v - x) / (1 - t[:, None])


@wrong("score_from_velocity")
def score_at_one_time_for_all(x, t, v):
    return (t[0] * v - x) / (1 - t[0])


@wrong("score_from_velocity")
def velocity_taken_for_the_score(x, t, v):
    return v.clone()


@wrong("score_from_velocity")
def forgets_the_point(x, t, v):
    s = like(t, x)
    return s * v / (1 - s)


@wrong("score_from_velocity")
def guards_with_a_large_epsilon(x, t, v):
    s = like(t, x)
    return (s * v - x) / (1 - s + 1e-2)


# 8d


@wrong("reflow_pairs")
def pairs_the_wrong_way_round(v, x0, n, method="heun"):
    start, end = reflow_pairs(v, x0, n, method)
    return end, start


@wrong("reflow_pairs")
def runs_from_data_to_noise(v, x0, n, method="heun"):
    return x0, ode_solve(v, x0, n, method, start=1.0, end=0.0)[-1].detach()


@wrong("reflow_pairs")
def keeps_the_graph(v, x0, n, method="heun"):
    return x0, ode_solve(v, x0, n, method)[-1]


@wrong("reflow_pairs")
def returns_the_whole_trajectory(v, x0, n, method="heun"):
    return x0, ode_solve(v, x0, n, method).detach()


@wrong("reflow_pairs")
def always_one_step(v, x0, n, method="heun"):
    return x0, ode_solve(v, x0, 1, method)[-1].detach()


@wrong("reflow_pairs")
def always_heun(v, x0, n, method="heun"):
    return x0, ode_solve(v, x0, n, "heun")[-1].detach()


@wrong("reflow_pairs")
def shuffles_the_ends(v, x0, n, method="heun"):
    start, end = reflow_pairs(v, x0, n, method)
    return start, end.flip(0)


@wrong("reflow_pairs")
def stops_before_the_end(v, x0, n, method="heun"):
    return x0, ode_solve(v, x0, n, method)[-2].detach()


@wrong("reflow_pairs")
def ends_at_what_the_first_step_promises(v, x0, n, method="heun"):
    return x0, (x0 + v(x0, torch.zeros(len(x0), dtype=x0.dtype))).detach()


@wrong("reflow_pairs")
def returns_the_displacement(v, x0, n, method="heun"):
    start, end = reflow_pairs(v, x0, n, method)
    return start, end - start


# 8e


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
def flattens_the_examples_for_the_field(v, x1, n, method="rk4", eps=None):
    return log_density(v, x1.flatten(1), n, method, None if eps is None else eps.flatten(1))


@wrong("log_density")
def always_by_euler(v, x1, n, method="rk4", eps=None):
    return log_density(v, x1, n, "euler", eps)


@wrong("log_density")
def divides_the_divergence_by_the_steps(v, x1, n, method="rk4", eps=None):
    x0, collected = both_ways(v, x1, n, method, eps)
    return log_normal(x0) + collected / n


# right


@right("fm_pair")
def by_interpolation_from_the_noise(x0, x1, t):
    while t.ndim < x0.ndim:
        t = t.unsqueeze(-1)
    u = x1 - x0
    return x0 + t * u, u


@right("fm_pair")
def by_lerp(x0, x1, t):
    return torch.lerp(x0, x1, t.view(len(t), *([1] * (x0.dim() - 1))).expand_as(x0)), x1 - x0


@right("fm_pair")
def by_a_loop_over_the_batch(x0, x1, t):
    return torch.stack([a * (1 - s) + b * s for a, b, s in zip(x0, x1, t, strict=True)]), x1.sub(x0)


@right("cfm_loss")
def by_mse_loss_without_reduction(v, x0, x1, t):
    xt, u = fm_pair(x0, x1, t)
    return torch.nn.functional.mse_loss(v(xt, t), u, reduction="none").mean(dim=tuple(range(1, x0.ndim)))


@right("cfm_loss")
def as_a_list_of_examples(v, x0, x1, t):
    xt, u = fm_pair(x0, x1, t)
    return torch.stack([((a - b) ** 2).mean() for a, b in zip(v(xt, t), u, strict=True)])


@right("ode_solve")
def by_a_table_of_coefficients(v, x, n, method="euler", start=0.0, end=1.0):
    nodes, inner, weights = {
        "euler": ([0.0], [[]], [1.0]),
        "heun": ([0.0, 1.0], [[], [1.0]], [0.5, 0.5]),
        "rk4": ([0, 0.5, 0.5, 1.0], [[], [0.5], [0, 0.5], [0, 0, 1.0]], [1 / 6, 1 / 3, 1 / 3, 1 / 6]),
    }[method]
    h, out = (end - start) / n, [x.clone()]
    for i in range(n):
        k = []
        for node, row in zip(nodes, inner, strict=True):
            place = out[-1] + h * sum((a * slope for a, slope in zip(row, k, strict=True)), torch.zeros_like(x))
            k.append(v(place, torch.ones(len(x), dtype=x.dtype) * (start + (i + node) * h)))
        out.append(out[-1] + h * sum(w * slope for w, slope in zip(weights, k, strict=True)))
    return torch.stack(out, dim=0)


@right("ode_solve")
def into_a_filled_tensor(v, x, n, method="euler", start=0.0, end=1.0):
    grid = torch.linspace(start, end, n + 1, dtype=torch.float64)
    states = torch.zeros(n + 1, *x.shape, dtype=x.dtype)
    states[0] = x
    for i, (a, b) in enumerate(zip(grid[:-1].tolist(), grid[1:].tolist(), strict=True)):
        states[i + 1] = states[i] + (b - a) * slopes(v, states[i], times(x, a), b - a, method)
    return states


@right("score_from_velocity")
def by_the_mean_of_the_noise(x, t, v):
    s = like(t, x)
    noise = x - s * v
    return -noise / (1 - s)


@right("score_from_velocity")
def by_a_loop(x, t, v):
    return torch.stack([(float(s) * b - a) / (1 - float(s)) for a, b, s in zip(x, v, t, strict=True)])


@right("reflow_pairs")
def with_copies(v, x0, n, method="heun"):
    return x0.clone(), ode_solve(v, x0, n, method)[-1].detach().clone()


@right("reflow_pairs")
def as_a_list(v, x0, n, method="heun"):
    with torch.no_grad():
        states = ode_solve(v, x0, n, method)
    return [states[0], states[n]]


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

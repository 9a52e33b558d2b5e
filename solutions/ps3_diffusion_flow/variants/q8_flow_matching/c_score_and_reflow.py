"""Right and wrong answers to questions 8c and 8d."""

import torch

from autograder.verify.variants import right, wrong


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

"""Right and wrong answers to question 8b: the solver."""

import math

import torch

from autograder.verify.variants import right, wrong


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
def time_in_single_precision(v, x, n, method="euler", start=0.0, end=1.0):
    return walk(lambda y, t: v(y, t.float()), x, n, method, start, end)


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


@wrong("ode_solve")
def writes_into_the_given_start(v, x, n, method="euler", start=0.0, end=1.0):
    states = walk(v, x.clone(), n, method, start, end)
    x.copy_(states[-1])
    return states


@wrong("ode_solve")
def solves_without_a_graph(v, x, n, method="euler", start=0.0, end=1.0):
    with torch.no_grad():
        return walk(v, x, n, method, start, end)


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

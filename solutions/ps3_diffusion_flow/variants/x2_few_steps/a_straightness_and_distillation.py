"""Right and wrong answers to x2a and x2b."""

import torch

from autograder.verify.variants import right, wrong


def like(t, x):
    """t (B,) with trailing dimensions."""
    return t.reshape(-1, *[1] * (x.ndim - 1))


def when(x, i, n):
    """The time i / n for each example."""
    return torch.full((len(x),), i / n, dtype=x.dtype)


def along(v, x0, n, method, way=None, first=0):
    """Squared errors (n, B, ...) of velocities against the whole way."""
    states = ode_solve(v, x0, n, method)
    way = states[-1] - x0 if way is None else way(states)
    return torch.stack([v(states[i], when(x0, i, n)) - way for i in range(first, n + first)]).square()


@wrong("straightness")
def velocities_at_the_ends_of_the_steps(v, x0, n, method="heun"):
    return along(v, x0, n, method, first=1).flatten(2).mean((0, 2))


@wrong("straightness")
def compared_with_the_first_velocity(v, x0, n, method="heun"):
    return along(v, x0, n, method, way=lambda s: v(x0, when(x0, 0, n))).flatten(2).mean((0, 2))


@wrong("straightness")
def compared_with_the_end(v, x0, n, method="heun"):
    return along(v, x0, n, method, way=lambda s: s[-1]).flatten(2).mean((0, 2))


@wrong("straightness")
def way_reversed(v, x0, n, method="heun"):
    return along(v, x0, n, method, way=lambda s: x0 - s[-1]).flatten(2).mean((0, 2))


@wrong("straightness")
def added_up_over_features(v, x0, n, method="heun"):
    return along(v, x0, n, method).flatten(2).sum(2).mean(0)


@wrong("straightness")
def added_up_over_steps(v, x0, n, method="heun"):
    return along(v, x0, n, method).flatten(2).mean(2).sum(0)


@wrong("straightness")
def one_number_for_all(v, x0, n, method="heun"):
    return along(v, x0, n, method).mean()


@wrong("straightness")
def measured_on_lines(v, x0, n, method="heun"):
    end = ode_solve(v, x0, n, method)[-1]
    errors = [v(x0 + i / n * (end - x0), when(x0, i, n)) - (end - x0) for i in range(n)]
    return torch.stack(errors).square().flatten(2).mean((0, 2))


@wrong("straightness")
def always_at_time_zero(v, x0, n, method="heun"):
    states = ode_solve(v, x0, n, method)
    errors = [v(states[i], when(x0, 0, n)) - (states[-1] - x0) for i in range(n)]
    return torch.stack(errors).square().flatten(2).mean((0, 2))


@wrong("straightness")
def method_not_passed_on(v, x0, n, method="heun"):
    return along(v, x0, n, "euler").flatten(2).mean((0, 2))


@wrong("straightness")
def length_of_the_way(v, x0, n, method="heun"):
    return (ode_solve(v, x0, n, method)[-1] - x0).square().flatten(1).mean(1)


@wrong("straightness")
def root_of_the_mean(v, x0, n, method="heun"):
    return along(v, x0, n, method).flatten(2).mean((0, 2)).sqrt()


@wrong("two_in_one")
def second_step_from_the_old_place(v, x, t, h):
    with torch.no_grad():
        return (v(x, t) + v(x, t + h / 2)) / 2


@wrong("two_in_one")
def second_step_at_the_old_time(v, x, t, h):
    with torch.no_grad():
        first = v(x, t)
        return (first + v(x + h / 2 * first, t)) / 2


@wrong("two_in_one")
def two_whole_steps(v, x, t, h):
    with torch.no_grad():
        first = v(x, t)
        return (first + v(x + h * first, t + h)) / 2


@wrong("two_in_one")
def sum_of_both_velocities(v, x, t, h):
    return 2 * two_in_one(v, x, t, h)


@wrong("two_in_one")
def returns_the_place(v, x, t, h):
    return x + h * two_in_one(v, x, t, h)


@wrong("two_in_one")
def returns_the_way(v, x, t, h):
    return h * two_in_one(v, x, t, h)


@wrong("two_in_one")
def divides_by_half_the_step(v, x, t, h):
    with torch.no_grad():
        half = x + h / 2 * v(x, t)
        return (half + h / 2 * v(half, t + h / 2) - x) / (h / 2)


@wrong("two_in_one")
def midpoint_alone(v, x, t, h):
    with torch.no_grad():
        return v(x + h / 2 * v(x, t), t + h / 2)


@wrong("two_in_one")
def one_step_of_the_teacher(v, x, t, h):
    with torch.no_grad():
        return v(x, t)


@wrong("two_in_one")
def keeps_the_graph(v, x, t, h):
    first = v(x, t)
    return (first + v(x + h / 2 * first, t + h / 2)) / 2


@wrong("two_in_one")
def time_of_the_first_example(v, x, t, h):
    return two_in_one(v, x, t[:1].expand(len(t)), h)


@wrong("two_in_one")
def second_step_detached_alone(v, x, t, h):
    first = v(x, t)
    return (first + v(x + h / 2 * first, t + h / 2).detach()) / 2


@right("straightness")
def by_the_mean_speed(v, x0, n, method="heun"):
    states, total = ode_solve(v, x0, n, method), torch.zeros(len(x0), dtype=x0.dtype)
    for i, state in enumerate(states[:-1]):
        total = total + (states[n] - states[0] - v(state, when(x0, i, n))).flatten(1).pow(2).mean(1) / n
    return total


@right("straightness")
def in_one_batch(v, x0, n, method="heun"):
    states = ode_solve(v, x0, n, method)
    t = (torch.arange(n, dtype=x0.dtype) / n).repeat_interleave(len(x0))
    speed = v(states[:-1].reshape(-1, *x0.shape[1:]), t).reshape(n, len(x0), -1)
    return (speed - (states[-1] - x0).reshape(1, len(x0), -1)).square().mean(2).mean(0)


@right("two_in_one")
def by_places(v, x, t, h):
    half = x + h / 2 * v(x, t)
    return ((half + h / 2 * v(half, t + h / 2) - x) / h).detach()


@right("two_in_one")
def by_an_average(v, x, t, h):
    first = v(x, t).detach()
    return torch.lerp(first, v(x + 0.5 * h * first, t + 0.5 * h).detach(), 0.5)

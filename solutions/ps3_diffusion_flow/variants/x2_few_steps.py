"""Right and wrong answers to x2."""

import torch

from autograder.verify.variants import right, wrong


def like(t, x):
    """t (B,) with trailing dimensions."""
    return t.reshape(-1, *[1] * (x.ndim - 1))


def when(x, i, n):
    """The time i / n for each example."""
    return torch.full((len(x),), i / n, dtype=x.dtype)


# x2a


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


# x2b


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


# x2c


@wrong("to_end")
def rest_not_scaled(net, x, t):
    return x + net(x, t)


@wrong("to_end")
def scaled_by_the_time_gone(net, x, t):
    return x + like(t, x) * net(x, t)


@wrong("to_end")
def network_is_the_end(net, x, t):
    return net(x, t)


@wrong("to_end")
def mixed_with_the_end(net, x, t):
    return like(t, x) * x + like(1 - t, x) * net(x, t)


@wrong("to_end")
def end_time_not_reshaped(net, x, t):
    return x + (1 - t) * net(x, t) if x.shape[-1] == len(t) else to_end(net, x, t)


@wrong("to_end")
def end_at_one_time_for_all(net, x, t):
    return x + (1 - t[0]) * net(x, t)


@wrong("to_end")
def asks_for_the_rest(net, x, t):
    return x + like(1 - t, x) * net(x, 1 - t)


@wrong("to_end")
def end_detached(net, x, t):
    return to_end(net, x, t).detach()


def goal_of(target, v, x, t, step):
    """Where the target ends after a step of the teacher."""
    return to_end(target, x + like(step, x) * v(x, t), t + step)


def gap(net, x, t, goal):
    """Mean square of the difference."""
    return (to_end(net, x, t) - goal).square().flatten(1).mean(1)


@wrong("consistency_loss")
def step_beyond_the_end(net, target, v, x, t, h):
    return gap(net, x, t, goal_of(target, v, x, t, torch.full_like(t, h)).detach())


@wrong("consistency_loss")
def gradient_into_the_goal(net, target, v, x, t, h):
    return gap(net, x, t, goal_of(target, v, x, t, (1 - t).clamp(max=h)))


@wrong("consistency_loss")
def student_as_its_own_target(net, target, v, x, t, h):
    return gap(net, x, t, goal_of(net, v, x, t, (1 - t).clamp(max=h)).detach())


@wrong("consistency_loss")
def roles_of_student_and_target_swapped(net, target, v, x, t, h):
    return consistency_loss(target, net, v, x, t, h)


@wrong("consistency_loss")
def goal_at_the_old_time(net, target, v, x, t, h):
    step = (1 - t).clamp(max=h)
    return gap(net, x, t, to_end(target, x + like(step, x) * v(x, t), t).detach())


@wrong("consistency_loss")
def goal_at_the_old_place(net, target, v, x, t, h):
    step = (1 - t).clamp(max=h)
    return gap(net, x, t, to_end(target, x, t + step).detach())


@wrong("consistency_loss")
def step_of_the_student(net, target, v, x, t, h):
    return gap(net, x, t, goal_of(target, net, x, t, (1 - t).clamp(max=h)).detach())


@wrong("consistency_loss")
def compares_networks_instead_of_ends(net, target, v, x, t, h):
    step = (1 - t).clamp(max=h)
    goal = target(x + like(step, x) * v(x, t), t + step).detach()
    return (net(x, t) - goal).square().flatten(1).mean(1)


@wrong("consistency_loss")
def steps_backward(net, target, v, x, t, h):
    step = -(1 - t).clamp(max=h)
    return gap(net, x, t, goal_of(target, v, x, t, step).detach())


@wrong("consistency_loss")
def goal_clipped_in_time_only(net, target, v, x, t, h):
    goal = to_end(target, x + h * v(x, t), (t + h).clamp(max=1.0)).detach()
    return gap(net, x, t, goal)


@wrong("consistency_loss")
def summed_over_features(net, target, v, x, t, h):
    return consistency_loss(net, target, v, x, t, h) * x[0].numel()


@wrong("consistency_loss")
def everything_detached(net, target, v, x, t, h):
    return consistency_loss(net, target, v, x, t, h).detach()


# x2d


@wrong("sliced_distance")
def not_sorted(x, y, directions):
    return ((x - y) @ directions.T).square().mean().sqrt()


@wrong("sliced_distance")
def only_one_sorted(x, y, directions):
    return ((x @ directions.T).sort(0).values - y @ directions.T).square().mean().sqrt()


@wrong("sliced_distance")
def sorted_over_the_directions(x, y, directions):
    return ((x @ directions.T).sort(1).values - (y @ directions.T).sort(1).values).square().mean().sqrt()


@wrong("sliced_distance")
def sorted_the_other_way(x, y, directions):
    a, b = (x @ directions.T).sort(0).values, (y @ directions.T).sort(0, descending=True).values
    return (a - b).square().mean().sqrt()


@wrong("sliced_distance")
def without_the_root(x, y, directions):
    return sliced_distance(x, y, directions).square()


@wrong("sliced_distance")
def absolute_differences(x, y, directions):
    return ((x @ directions.T).sort(0).values - (y @ directions.T).sort(0).values).abs().mean()


@wrong("sliced_distance")
def distance_of_the_means(x, y, directions):
    return ((x - y).mean(0) @ directions.T).square().mean().sqrt()


@wrong("sliced_distance")
def added_up_over_directions(x, y, directions):
    return sliced_distance(x, y, directions) * len(directions) ** 0.5


@wrong("sliced_distance")
def mean_of_roots(x, y, directions):
    gaps = (x @ directions.T).sort(0).values - (y @ directions.T).sort(0).values
    return gaps.square().mean(0).sqrt().mean()


@wrong("sliced_distance")
def one_for_each_direction(x, y, directions):
    return ((x @ directions.T).sort(0).values - (y @ directions.T).sort(0).values).square().mean(0).sqrt()


@wrong("sliced_distance")
def coordinates_for_directions(x, y, directions):
    return (x.sort(0).values - y.sort(0).values).square().mean().sqrt()


# right


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


@right("to_end")
def by_addcmul(net, x, t):
    return torch.addcmul(x, like(1 - t, x).expand_as(x), net(x, t))


@right("to_end")
def by_a_loop(net, x, t):
    F = net(x, t)
    return torch.stack([x[i] + (1 - t[i]) * F[i] for i in range(len(x))])


@right("consistency_loss")
def with_detach(net, target, v, x, t, h):
    end = torch.minimum(t + h, torch.ones_like(t))
    further = (x + like(end - t, x) * v(x, t)).detach()
    return gap(net, x, t, to_end(target, further, end).detach())


@right("consistency_loss")
def by_mse_loss(net, target, v, x, t, h):
    step = torch.where(t + h > 1, 1 - t, torch.full_like(t, h))
    goal = goal_of(target, v, x, t, step).detach()
    each = torch.nn.functional.mse_loss(to_end(net, x, t), goal, reduction="none")
    return each.reshape(len(x), -1).mean(1)


@right("sliced_distance")
def by_a_loop_over_directions(x, y, directions):
    total = 0
    for d in directions:
        total = total + ((x @ d).sort().values - (y @ d).sort().values).square().mean()
    return (total / len(directions)) ** 0.5


@right("sliced_distance")
def by_ranks(x, y, directions):
    a, b = directions @ x.T, directions @ y.T
    return (a.gather(1, a.argsort(1)) - b.gather(1, b.argsort(1))).pow(2).mean().sqrt()

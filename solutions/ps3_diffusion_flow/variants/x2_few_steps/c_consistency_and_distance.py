"""Right and wrong answers to x2c and x2d."""

import torch

from autograder.verify.variants import right, wrong


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

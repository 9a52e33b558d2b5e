"""Question 3: the loss of a known model, its slope, and a moving average. Oracles: NumPy, example by example."""

import numpy as np
import torch

from autograder.hidden.ps3_diffusion_flow import closed_forms, known_good
from autograder.testing import expect_close, expect_equal, expect_true, non_contiguous, normal, points, uniform

SHAPES = (((5, 2), 7), ((4, 1, 3, 4), 6), ((3, 2, 3, 3), 5), ((1, 4), 3))
ONE_FEATURE = (((5, 1), 7), ((4, 1, 1, 1), 6), ((3, 1, 1, 1), 5), ((1, 1), 3))  # where the mean is the sum


def probe_loss(ns, slope, offset, x0, t, noise, alpha_bar, *target):
    """The loss of the model slope * x + offset * t, its gradient by the slope, and what the model was shown."""
    import torch

    slope, calls = slope.clone().requires_grad_(), []

    def model(x, t):
        calls.append((x.detach().clone(), t))
        time = t.reshape(-1, *[1] * (x.ndim - 1)).to(x) if isinstance(t, torch.Tensor) else t
        return slope * x + offset * time

    loss = ns.ddpm_loss(model, x0, t, noise, alpha_bar, *target)
    if not isinstance(loss, torch.Tensor):
        return [loss, calls, None]
    slopes = torch.autograd.grad(loss.sum(), slope)[0] if loss.requires_grad else None
    return [loss.detach(), calls, slopes]


def probe_average(ns, averages, latest, decays, frozen):
    """Parameters, buffers and flags of both networks after a round of updates; a frozen ema is not trainable."""
    import torch
    from torch import nn

    def network(weight, bias, running, counter):
        inner = nn.Sequential(nn.Linear(weight.shape[1], weight.shape[0]), nn.BatchNorm1d(weight.shape[0]))
        net = nn.Sequential(inner).double()
        net.places = nn.Parameter(2 * bias)  # of no layer
        with torch.no_grad():
            inner[0].weight.copy_(weight)
            inner[0].bias.copy_(bias)
            inner[1].running_mean.copy_(running)
            inner[1].num_batches_tracked.fill_(counter)
        return net

    ema, model = network(*averages).eval().requires_grad_(not frozen), network(*latest)
    before = [id(p) for p in ema.parameters()]
    for decay in decays:
        ns.ema_update(ema, model, decay)
    kept = model[0][1].running_mean.clone()
    with torch.no_grad():
        model[0][1].running_mean.add_(1)
    plain = all(p.is_leaf and p.grad is None for p in [*ema.parameters(), *model.parameters()])
    return [
        [ema[0][0].weight.detach(), ema[0][0].bias.detach(), ema.places.detach()],
        [ema[0][1].running_mean.clone(), int(ema[0][1].num_batches_tracked)],
        [model[0][0].weight.detach(), model[0][0].bias.detach(), kept],
        before == [id(p) for p in ema.parameters()],
        plain and {p.requires_grad for p in ema.parameters()} == {not frozen},
        all(p.requires_grad for p in model.parameters()) and model.training and not ema.training,
    ]


def probe_constant(ns, guess, x0, t, noise, alpha_bar, *target):
    """The loss of a model that answers the same whatever it is shown and told."""
    return ns.ddpm_loss(lambda x, t: guess.expand(x.shape), x0, t, noise, alpha_bar, *target)


def trial(ps, rng, shape, T):
    """A model, examples, times, noise and a schedule, and the noisy examples in NumPy."""
    names = ("alpha_bar_at", "q_sample", "v_from")
    ps.provide(**{name: getattr(known_good, name) for name in names})
    alpha_bar = closed_forms.draw_alpha_bar(rng, T)
    t = torch.from_numpy(np.concatenate([rng.permutation(T), rng.permutation(T)])[: shape[0]])
    slope, offset = normal(rng, *shape[1:]), float(0.3 + rng.random())
    x0, noise = normal(rng, *shape) + 1, normal(rng, *shape)
    share = closed_forms.per_example(alpha_bar.numpy()[t.numpy()], x0)
    noisy = np.sqrt(share) * x0.numpy() + np.sqrt(1 - share) * noise.numpy()
    return (slope, offset, x0, t, noise, alpha_bar), share, noisy


def aim(given, share, target):
    """What the model should have guessed, in NumPy."""
    _, _, x0, _, noise, _ = given
    speed = np.sqrt(share) * noise.numpy() - np.sqrt(1 - share) * x0.numpy()
    return {"eps": noise.numpy(), "x0": x0.numpy(), "v": speed}[target]


def mean_square(error):
    """One number per example: the mean of its squares, by a loop."""
    return np.array([np.mean(example**2) for example in error])


@points(1, part="3a", hint="the squared error against the noise, averaged over all features of each example: (B,)")
def test_loss_is_the_mean_square_of_each_example(ps, rng):
    """By default the loss compares with the noise: a mean square over features for each example."""
    for shape, T in SHAPES:
        given, share, _ = trial(ps, rng, shape, T)
        guess, _, x0, t, noise, alpha_bar = given
        want = mean_square(guess.numpy() - aim(given, share, "eps"))
        for target in ((), ("eps",)):
            expect_close(ps.run(probe_constant, guess, x0, t, noise, alpha_bar, *target), want)
        single = (guess.float(), non_contiguous(x0.float()), t, non_contiguous(noise.float()), alpha_bar)
        expect_close(ps.run(probe_constant, *single), torch.from_numpy(want).float())


@points(1, part="3a", hint="what the model should have said: the clean example for x0, the speed along the arc for v")
def test_targets_are_the_clean_example_or_v(ps, rng):
    """With the targets "x0" and "v" the guess is compared with the clean example and with v."""
    for shape, T in ONE_FEATURE:
        given, share, _ = trial(ps, rng, shape, T)
        guess, _, x0, t, noise, alpha_bar = given
        for target in ("x0", "v"):
            want = mean_square(guess.numpy() - aim(given, share, target))
            got = ps.run(probe_constant, guess, x0, t, noise, alpha_bar, target)
            expect_close(got, want, f"compare with the definition of {target}, its signs and its roots")


@points(1, part="3a", hint="one call, on x_t made of the given noise, with the times as given; keep the graph")
def test_model_sees_the_noisy_examples_once_and_learns_from_them(ps, rng):
    """The model is called once, on noisy examples and their times, and the loss's gradient reaches it."""
    for shape, T in SHAPES:
        given, _, noisy = trial(ps, rng, shape, T)
        for target in ("eps", "x0", "v"):
            _, calls, slopes = ps.run(probe_loss, *given, target)
            expect_true(len(calls) == 1, "one evaluation of the network per loss: it is the expensive part")
            expect_close(calls[0][0], noisy, "the model sees x_t, made of x_0 and of the noise that it has to guess")
            expect_close(calls[0][1], given[3], "the model is told each example's time t, as it was given")
            expect_true(slopes is not None, "the loss must hang on the model's output: no detach, no no_grad")


def draw_network(rng):
    """Weight, bias, running mean and counter of a small network."""
    return [normal(rng, 3, 2), normal(rng, 3), normal(rng, 3), int(rng.integers(2, 50))]


FROZEN = "every parameter of ema is averaged, also where it is not trainable, as in train_network"


@points(1, part="3b", hint="decay says how much of the average stays; the rest comes from the model")
def test_average_keeps_its_share_of_every_parameter(ps, rng):
    """Each update keeps decay of the average and takes 1 - decay of the model, for every parameter."""
    for i, decays in enumerate(([0.9], [0.25, 0.7, 0.99], [0.0], [1.0, 0.8], [float(0.1 + 0.3 * uniform(rng, 1))] * 4)):
        averages, latest = draw_network(rng), draw_network(rng)
        weight, bias = averages[0].numpy().copy(), averages[1].numpy().copy()
        for decay in decays:
            weight += (1 - decay) * (latest[0].numpy() - weight)
            bias += (1 - decay) * (latest[1].numpy() - bias)
        got = ps.run(probe_average, averages, latest, decays, i % 2 == 1)[0]
        expect_close(got[0], weight, FROZEN if i % 2 else None)
        expect_close(got[1], bias, "every parameter is averaged, the biases too")
        expect_close(got[2], 2 * bias, "every parameter is averaged, at any depth, also those that belong to no layer")


@points(1, part="3b", hint="in place and without a graph; buffers are copied, and the model itself is left alone")
def test_average_is_taken_in_place_and_the_model_is_left_alone(ps, rng):
    """Buffers are copied, the model does not change, and ema's parameters stay the same leaves, frozen or not."""
    for frozen in (False, True):
        averages, latest = draw_network(rng), draw_network(rng)
        averages[3], latest[3] = 3, 8
        got = ps.run(probe_average, averages, latest, [0.6, 0.5], frozen)
        weights, buffers, model, same, leaves, alone = got
        expect_true(not torch.equal(weights[0], averages[0]), "the update changes the parameters that ema has")
        expect_close(buffers[0], latest[2], "buffers are copied: not averaged, and not shared with the model")
        expect_equal(buffers[1], 8, "counters are buffers, too")
        for result, want in zip(model, latest, strict=False):
            expect_close(result, want, "the model itself must not change")
        expect_true(same, "change ema's parameters in place: whoever holds them must see the new values")
        expect_true(leaves, "no graph may be built, and what was trainable stays trainable, what was frozen frozen")
        expect_true(alone, "the model stays trainable, and each network in the mode (train or eval) that it was in")

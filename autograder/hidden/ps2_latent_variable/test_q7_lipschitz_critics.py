"""Question 7: penalties of critics whose slope is known, power iteration by the SVD, one layer by hand."""

import numpy as np
import torch

from autograder.testing import (
    expect_close,
    expect_equal,
    expect_finite,
    expect_true,
    expect_untouched,
    non_contiguous,
    normal,
    points,
    uniform,
)

SHAPES = ((5, 3), (1, 4), (4, 4), (3, 2, 4, 5))


def probe_penalty(ns, critic, weight, real, fake, alpha, column=False):
    """The penalty, the gradient by the weight of the sum of n * penalty_n, and whether the weight's .grad is empty."""
    import torch

    weight = weight.clone().requires_grad_()

    def D(x):
        flat = x.flatten(1)
        logits = {
            "linear": lambda: (flat * weight).sum(1),
            "square": lambda: weight * flat.square().sum(1) / 2,
            "bent": lambda: torch.tanh(flat * weight).sum(1),
        }[critic]()
        return logits[:, None] if column else logits

    penalty = ns.gradient_penalty(D, real, fake, alpha)
    factors = 1 + torch.arange(penalty.numel(), dtype=penalty.dtype).reshape(penalty.shape)
    slope = None
    if penalty.requires_grad:
        (slope,) = torch.autograd.grad((factors * penalty).sum(), weight, allow_unused=True)
    return [penalty.detach(), torch.zeros_like(weight) if slope is None else slope, weight.grad is None]


def probe_pair(ns, real, fake, alpha):
    """Real and fake examples and alpha after a penalty, and whether one of them asks for a gradient now."""
    ns.gradient_penalty(lambda x: x.square().flatten(1).sum(1), real, fake, alpha)
    given = (real, fake, alpha)
    return [each.detach() for each in given], any(each.requires_grad for each in given)


def probe_singular(ns, W, u, n_steps):
    """What power iteration returns, the gradient of sigma, whether u or v carry a graph, and u as it is afterwards."""
    import torch

    W, start = W.clone().requires_grad_(), u.clone()
    sigma, u, v = ns.power_iteration(W, start, n_steps)
    slope = torch.autograd.grad(sigma, W)[0]
    return [sigma.detach(), u.detach(), v.detach(), slope, u.requires_grad or v.requires_grad, start]


def probe_layer(ns, W, b, u, xs, modes, pull):
    """Of a layer with these weights and this u, after each pass: outputs, both gradients, both buffers, the mode."""
    import torch

    layer = ns.SNLinear(W.shape[1], W.shape[0]).double()
    with torch.no_grad():
        layer.weight.copy_(W)
        layer.bias.copy_(b)
        layer.u.copy_(u)
    seen = []
    for x, training in zip(xs, modes, strict=True):
        layer.train(training)
        out = layer(x)
        learnt = [layer.weight, layer.bias]
        slopes = torch.autograd.grad((pull[: len(x)] * out).sum(), learnt, allow_unused=True)
        slopes = [torch.zeros_like(p) if s is None else s for s, p in zip(slopes, learnt, strict=True)]
        seen.append([out.detach(), *slopes, layer.u.detach().clone(), layer.v.detach().clone(), layer.training])
    return seen


def probe_two_passes(ns, W, b, u, first, second):
    """The gradient by the weight of the sum of two passes' outputs, or the error's name; do u and v carry a graph?"""
    import torch

    layer = ns.SNLinear(W.shape[1], W.shape[0]).double()
    with torch.no_grad():
        layer.weight.copy_(W)
        layer.bias.copy_(b)
        layer.u.copy_(u)
    total = layer(first).sum() + layer(second).sum()
    graph = layer.u.requires_grad or layer.v.requires_grad
    try:
        return torch.autograd.grad(total, layer.weight)[0], graph
    except RuntimeError:
        return None, graph


def probe_names(ns):
    """Names of parameters and of what is saved, with shapes, and the two buffers of a fresh layer with its weight."""
    layer = ns.SNLinear(4, 3)
    parameters = {name: list(p.shape) for name, p in layer.named_parameters()}
    saved = {name: list(p.shape) for name, p in layer.state_dict().items()}
    return [parameters, saved, layer.u.detach().clone(), layer.v.detach().clone(), layer.weight.detach().clone()]


def good_power_iteration(W, u, n_steps):
    """For `ps.provide`: a mistake in 7b costs nothing in 7c."""
    import torch

    with torch.no_grad():
        for _ in range(n_steps):
            v = W.T @ u / torch.linalg.vector_norm(W.T @ u)
            u = W @ v / torch.linalg.vector_norm(W @ v)
    return (u[:, None] * W * v).sum(), u, v


def pairs(rng, shape):
    """Real and fake examples that differ much, and where between them to look."""
    return 2 * normal(rng, *shape) + 1, 2 * normal(rng, *shape) - 1, uniform(rng, shape[0])


def lengths(real, fake, alpha):
    """|x| (B,) of the points between, one example at a time."""
    rows = [float(a) * x + (1 - float(a)) * y for x, y, a in zip(real, fake, alpha, strict=True)]
    return np.array([np.sqrt((row.numpy() ** 2).sum()) for row in rows])


def either_way(got, want):
    """The one of the two oracles that is closer: alpha may weigh the real or the fake examples."""
    distances = [float(np.abs(got.numpy() - w).max()) if tuple(got.shape) == w.shape else 0.0 for w in want]
    return want[int(np.argmin(distances))]


@points(1, part="7a", hint="a linear critic has the same slope everywhere: the norm of all its weights")
def test_linear_critics_pay_for_the_norm_of_their_weights(ps, rng):
    """The critic w.x pays (|w| - 1)^2 at every example: vectors or images, logits (B,) or (B, 1), steep or shallow."""
    for shape in SHAPES:
        size = int(np.prod(shape[1:]))
        for scale in (2.0, 0.3):
            w = scale * normal(rng, size) / size**0.5
            want = torch.full((shape[0],), (float(np.sqrt((w.numpy() ** 2).sum())) - 1) ** 2, dtype=torch.float64)
            for column in (False, True):
                got = ps.run(probe_penalty, "linear", w, *pairs(rng, shape), column)[0]
                expect_close(
                    got, want, "the norm is over all numbers of an example, the difference is to 1, then squared"
                )
            single = [each.float() for each in pairs(rng, shape)]
            expect_close(ps.run(probe_penalty, "linear", w.float(), *single)[0], want.float())


@points(1, part="7a", hint="each example has its own alpha, and all of its numbers move the same part of the way")
def test_slopes_are_taken_between_the_pair(ps, rng):
    """The critic |x|^2 / 2 has the slope |x|: it shows that each penalty is taken at its own point between the pair."""
    for shape in SHAPES:
        real, fake, alpha = pairs(rng, shape)
        got = ps.run(probe_penalty, "square", torch.ones(()).double(), non_contiguous(real), fake, alpha)[0]
        want = [(lengths(*ends, alpha) - 1) ** 2 for ends in ((real, fake), (fake, real))]
        expect_close(got, either_way(got, want), "the point lies on the segment, at this example's alpha")
        after, marked = ps.run(probe_pair, real, fake, alpha)
        expect_untouched(after, (real, fake, alpha), marked)


@points(1, part="7a", hint="the penalty is a function of D's parameters: keep the graph of the gradient")
def test_penalty_can_be_trained(ps, rng):
    """The derivative of the penalties by the critic's weights is exact: the second derivative is there."""
    for shape in ((5, 3), (1, 4), (3, 2, 4, 5)):
        B, size = shape[0], int(np.prod(shape[1:]))
        w, factors = normal(rng, size), B * (B + 1) / 2
        norm = float(np.sqrt((w.numpy() ** 2).sum()))
        got = ps.run(probe_penalty, "linear", w, *pairs(rng, shape))[1]
        expect_close(got, factors * 2 * (norm - 1) * w / norm)
        (real, fake, alpha), s = pairs(rng, shape), 0.4
        _, got, _ = ps.run(probe_penalty, "square", torch.tensor(s, dtype=torch.float64), real, fake, alpha)
        wants = []
        for ends in ((real, fake), (fake, real)):
            away = lengths(*ends, alpha)
            wants.append(float((np.arange(1, B + 1) * 2 * (s * away - 1) * away).sum()))
        expect_close(got, min(wants, key=lambda want: abs(want - float(got))))
    bent = ps.run(probe_penalty, "bent", 0.5 + uniform(rng, 3), *pairs(rng, (4, 3)))
    expect_finite(bent[1], "the second derivative of a curved critic")


@points(1, part="7a", hint="a flat critic has norm 0, where a square root has no slope; and nobody asked for .grad")
def test_flat_critics_pay_one_and_nothing_is_left_behind(ps, rng):
    """A critic without slope pays 1 and its weights get finite gradients; no .grad is written on the way."""
    for shape in ((4, 3), (2, 3, 2, 5)):
        zero = torch.zeros(int(np.prod(shape[1:])), dtype=torch.float64)
        penalty, slope, clean = ps.run(probe_penalty, "linear", zero, *pairs(rng, shape))
        # sqrt(0 + 1e-8), the largest guard in use, is 1e-4
        expect_close(penalty, torch.ones(shape[0], dtype=torch.float64), rtol=1e-3)
        expect_finite(slope, "where the slope is zero, the square root of a sum of squares has no derivative")
        expect_true(clean, "the penalty wrote into .grad of D's parameters: ask autograd for the gradient by x alone")


def rounds(W, u, n):
    """sigma, u and v after n rounds, from the SVD: each round multiplies the coefficients of u by squares."""
    U, S, Vt = np.linalg.svd(W.numpy(), full_matrices=False)
    start = U.T @ u.numpy()
    v, u = Vt.T @ (S ** (2 * n - 1) * start), U @ (S ** (2 * n) * start)
    v, u = v / np.sqrt((v**2).sum()), u / np.sqrt((u**2).sum())
    return float(u @ W.numpy() @ v), u, v


@points(1, part="7b", hint="first v from u, then u from v, each of length one; after n rounds take u.Wv")
def test_rounds_of_power_iteration_are_exact(ps, rng):
    """After 1, 2 and 5 rounds sigma, u and v are exact, for tall, wide and flat matrices and any length of u."""
    for M, N in ((4, 3), (2, 5), (1, 3)):
        W = normal(rng, M, N)
        for n in (1, 2, 5):
            u = 7 * normal(rng, M)
            got, want = ps.power_iteration(non_contiguous(W), u, n), rounds(W, u, n)
            expect_true(isinstance(got, (tuple, list)) and len(got) == 3, "three results: sigma, u, v")
            for mine, right in zip(got, want, strict=True):
                expect_close(mine, right)
    single = ps.power_iteration(W.float(), u.float(), 2)
    expect_close(single[1], torch.from_numpy(rounds(W, u, 2)[1]).float())


@points(
    1, part="7b", hint="the vectors are constants, the matrix is not: sigma's gradient is the outer product of u and v"
)
def test_sigma_is_the_largest_singular_value_and_differentiable(ps, rng):
    """After many rounds sigma is the SVD's; its gradient by W is u v', u and v carry no graph, the given u is kept."""
    U, V = (torch.linalg.qr(normal(rng, n, 3))[0] for n in (5, 4))
    W, start = (U * torch.tensor([3.0, 1.5, 0.5]).double()) @ V.T, normal(rng, 5)
    sigma = ps.run(probe_singular, W, start, 60)[0]
    expect_close(sigma, float(torch.linalg.svdvals(W)[0]))
    _, _, _, slope, graph, kept = ps.run(probe_singular, W, start, 2)
    _, want_u, want_v = rounds(W, start, 2)
    expect_close(slope, np.outer(want_u, want_v))
    expect_true(not graph, "u and v are constants: they carry no graph")
    expect_close(kept, start, "the u that was given must not be changed in place")


def expect_registered(ps):
    """Parameters and buffers are the layer's own, so that they move, train and are saved with it."""
    saved = ps.run(probe_names)[1]
    lost = "weight and bias must be registered as nn.Parameter, u and v by register_buffer, under these names"
    expect_true(isinstance(saved, dict) and {"weight", "bias", "u", "v"} <= set(saved), lost)


def layer_oracle(W, b, u, v, x, pull):
    """Outputs and gradients of x (W / sigma)' + b with sigma = u.Wv and constant u, v."""
    W, b, x, pull = (each.numpy() for each in (W, b, x, pull[: len(x)]))
    sigma, by_normalised = u @ W @ v, pull.T @ x
    by_weight = by_normalised / sigma - (by_normalised * W).sum() / sigma**2 * np.outer(u, v)
    return x @ W.T / sigma + b, by_weight, pull.sum(0)


def expect_two_passes(ps, W, b, u, xs):
    """A critic looks at real and at fake examples before its one step: two passes, one gradient."""
    got, graph = ps.run(probe_two_passes, W, b, u, *xs[:2])
    expect_true(not graph, "u and v are constants: what is stored carries no graph")
    expect_true(
        got is not None, "two passes, then backward: the second one wrote into what the first one's sigma needs"
    )
    want = sum(
        layer_oracle(W, b, *rounds(W, u, n)[1:], x, torch.ones(len(x), 4).double())[1]
        for n, x in enumerate(xs[:2], start=1)
    )
    expect_close(got, want, "each pass has its own sigma, and its gradient")


def layer_draws(rng, size=2.0):
    """A layer from 3 to 4 dimensions, batches of several sizes, and weights of its outputs."""
    W, b, u = size * normal(rng, 4, 3), normal(rng, 4), normal(rng, 4)
    return W, b, u / u.norm(), [normal(rng, B, 3) for B in (5, 1, 2)], normal(rng, 5, 4)


@points(1, part="7c", hint="in training, each pass does one round from the stored u, stores both vectors and uses them")
def test_training_passes_take_one_round_each(ps, rng):
    """Three passes in training mode are normalised by one, two and three rounds from the first u; the bias is added."""
    ps.provide(power_iteration=good_power_iteration)
    expect_registered(ps)
    for size in (2.0, 0.1):  # a weight is stretched, too
        W, b, u, xs, pull = layer_draws(rng, size)
        seen = ps.run(probe_layer, W, b, u, xs, [True] * 3, pull)
        for n, ((out, _, _, new_u, new_v, _), x) in enumerate(zip(seen, xs, strict=True), start=1):
            _, want_u, want_v = rounds(W, u, n)
            want = layer_oracle(W, b, want_u, want_v, x, pull)[0]
            expect_close(out, want, "one round per pass; the bias is not divided, a small weight is enlarged")
            expect_close(new_u, want_u, "the new u is stored")
            expect_close(new_v, want_v, "the new v is stored")


@points(1, part="7c", hint="evaluating must not change the layer: sigma comes from the stored vectors as they are")
def test_evaluation_changes_nothing(ps, rng):
    """In evaluation mode the stored u and v are used and kept, and training goes on from them."""
    ps.provide(power_iteration=good_power_iteration)
    expect_registered(ps)
    W, b, u, xs, pull = layer_draws(rng)
    seen = ps.run(probe_layer, W, b, u, [xs[0], xs[0], xs[1], xs[2]], [True, False, False, True], pull)
    _, want_u, want_v = rounds(W, u, 1)
    for (out, _, _, new_u, new_v, training), x in zip(seen[1:3], (xs[0], xs[1]), strict=True):
        expect_equal(training, False, "forward left evaluation mode: only the training loop calls train()")
        expect_close(out, layer_oracle(W, b, want_u, want_v, x, pull)[0], "sigma is that of the stored vectors")
        expect_close(new_u, want_u, "u must not move while the layer is evaluated")
        expect_close(new_v, want_v, "v must not move while the layer is evaluated")
    expect_close(seen[3][3], rounds(W, u, 2)[1], "training goes on from the stored u")


@points(
    1, part="7c", hint="weight and bias are learnt, through sigma too; u and v are saved with the layer, not learnt"
)
def test_gradients_flow_through_sigma_into_two_parameters(ps, rng):
    """Weight and bias are the only parameters, with exact gradients through sigma; u and v are saved unit vectors."""
    ps.provide(power_iteration=good_power_iteration)
    expect_registered(ps)
    W, b, u, xs, pull = layer_draws(rng)
    seen = ps.run(probe_layer, W, b, u, [xs[0], xs[2]], [True, False], pull)
    _, want_u, want_v = rounds(W, u, 1)
    for (_, by_weight, by_bias, *_), x in zip(seen, (xs[0], xs[2]), strict=True):
        want = layer_oracle(W, b, want_u, want_v, x, pull)
        expect_close(
            by_weight, want[1], "sigma depends on the weight: its gradient belongs to the layer's, in both modes"
        )
        expect_close(by_bias, want[2])
    expect_two_passes(ps, W, b, u, xs)
    parameters, saved, u, v, weight = ps.run(probe_names)
    expect_equal(parameters, {"weight": [3, 4], "bias": [3]}, "exactly two parameters, weight and bias, are learnt")
    expect_equal(dict(sorted(saved.items())), {"bias": [3], "u": [3], "v": [4], "weight": [3, 4]}, "buffers are saved")
    image = weight @ v  # the last round of power iteration, however many there were, made u of this v
    expect_close(u, image / image.norm(), "a fresh layer's u and v come out of power iteration", rtol=1e-3, atol=1e-4)

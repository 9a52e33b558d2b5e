"""Hidden tests of x3. Oracles: paths through masks, autograd's Jacobians, conditionals one coordinate at a time."""

import numpy as np
import torch
from scipy.stats import norm

from autograder.hidden.ps2_latent_variable.made_networks import (
    conditionals,
    good_made_masks,
    triangular_network,
    triangular_weights,
)
from autograder.hidden.ps2_latent_variable.network_checks import strangers
from autograder.testing import expect_close, expect_equal, expect_shape, expect_true, non_contiguous, normal, points

SIZES = ((5, [8, 11]), (2, [3]), (4, [7, 3, 6]), (6, [5]))


def paths(masks, D, hidden):
    """The number of paths (D, D) from each input to each output; the masks' shapes are looked at first."""
    expect_true(isinstance(masks, (list, tuple)), "a list of masks, one for each layer of weights")
    expect_equal(len(masks), len(hidden) + 1, "one mask for each layer of weights, the output layer included")
    total = torch.eye(D, dtype=torch.float64)
    for mask, after, before in zip(masks, [*hidden, D], [D, *hidden], strict=True):
        expect_shape(mask, after, before)
        expect_true(mask.dtype == torch.float32, "masks are float32")
        expect_true(bool(((mask == 0) | (mask == 1)).all()), "masks hold zeros and ones")
        total = mask.double() @ total
    return total


@points(
    1, "x3a", hint="output d may depend on the inputs before d, not on input d: where must an inequality be strict?"
)
def test_no_output_sees_its_own_input_or_later_ones(ps):
    """No path of allowed connections leads from an input to its own output or to an earlier one."""
    for D, hidden in SIZES:
        total = paths(ps.made_masks(D, hidden), D, hidden)
        expect_true(not bool(torch.triu(total).any()), "a path leads to an output that must not see this input")


@points(
    1, "x3a", hint="degrees from 1 to D - 1, all of them in use; equal degrees may be connected between hidden units"
)
def test_every_output_sees_all_earlier_inputs(ps):
    """Where the layers are wide enough, a path leads from every input to every later output."""
    for D, hidden in SIZES:
        if min(hidden) >= D - 1:
            total = paths(ps.made_masks(D, hidden), D, hidden)
            lower = torch.tril(torch.ones(D, D), -1) == 1
            expect_true(bool((total[lower] > 0).all()), "no path from an input to a later output")
            expect_all_allowed(ps.made_masks(D, hidden), D)


def expect_all_allowed(masks, D):
    """All connections that the degrees allow are there; a unit's degree is read off as the largest that it sees."""
    before = torch.arange(1, D + 1)
    for mask in masks[:-1]:
        degrees = (mask * before).amax(1)
        allowed = degrees[:, None] >= before
        expect_true(torch.equal(mask == 1, allowed), "a connection that the degrees allow is missing")
        before = degrees
    allowed = torch.arange(1, D + 1)[:, None] > before
    expect_true(torch.equal(masks[-1] == 1, allowed), "a connection that the degrees allow is missing")
    expect_true(bool(allowed.any(0).all()), "a hidden unit that sees all inputs is of no use to any output")


def probe_made_outputs(ns, D, hidden, x):
    """mu and alpha of two new networks, the second with the state of the first."""
    torch.manual_seed(1)
    first = ns.MADE(D, hidden).to(x.dtype)
    torch.manual_seed(2)
    second = ns.MADE(D, hidden).to(x.dtype)
    second.load_state_dict(first.state_dict())
    return first(x), second(x)


def probe_strangers(ns, D, hidden, x):
    """How many trainable tensors mu and alpha depend on that are no parameters of the network."""
    net = ns.MADE(D, hidden)
    outputs = net(x)
    return ns.strangers(net, outputs if isinstance(outputs, (tuple, list)) else [outputs])


def expect_two_outputs(ps, D, hidden, x):
    """mu and alpha have the shape of x; all layers are registered; networks with the same state give the same."""
    ps.provide(strangers=strangers)
    lost = "layers are no parameters of the network: make them attributes, an nn.Sequential or an nn.ModuleList"
    expect_equal(ps.run(probe_strangers, D, hidden, x.float()), 0, lost)
    first, second = ps.run(probe_made_outputs, D, hidden, x)
    for both in (first, second):
        expect_true(isinstance(both, (tuple, list)) and len(both) == 2, "forward returns two things: mu and alpha")
        for each in both:
            expect_shape(each, *x.shape)
    for one, other in zip(first, second, strict=True):
        expect_close(one, other.detach(), "all layers are registered: a saved network that is loaded gives the same")


def probe_made(ns, D, hidden, seed, x):
    """mu and alpha, and their Jacobians (B, D, D), of a new network whose parameters are all random."""
    net = ns.MADE(D, hidden).to(x.dtype)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(0.7 * torch.randn(p.shape, generator=generator, dtype=torch.float64))
    both = net(x)
    jacobians = [torch.autograd.functional.jacobian(lambda row: tuple(o[0] for o in net(row[None])), row) for row in x]
    return both, [torch.stack([pair[i].detach() for pair in jacobians]) for i in (0, 1)]


def probe_signs(ns, D, hidden, seed, x):
    """The smallest and the largest of mu and of alpha, over a dozen networks whose parameters are all random."""
    generator, seen = torch.Generator().manual_seed(seed), []
    for _ in range(12):
        net = ns.MADE(D, hidden).to(x.dtype)
        with torch.no_grad():
            for p in net.parameters():
                p.copy_(0.7 * torch.randn(p.shape, generator=generator, dtype=torch.float64))
            seen.append(torch.stack(tuple(net(x))))
    flat = torch.cat(seen, dim=1).flatten(1)
    return flat.amin(1), flat.amax(1)


def expect_autoregressive(jacobians, B, D):
    """Strictly lower triangular, with every entry in use somewhere, and not the same everywhere.

    A network of ReLUs is linear in pieces, and some of its units sleep in each: hence many inputs and wide layers.
    """
    lower = torch.tril(torch.ones(D, D), -1) == 1
    for J in jacobians:
        expect_shape(J, B, D, D)
        expect_true(not bool(J[:, ~lower].any()), "each output depends on earlier inputs only, with any weights")
        used = (J[:, lower].abs() > 1e-12).any(0)
        expect_true(bool(used.all()), "each output depends on all earlier inputs")
        expect_true(not torch.allclose(J, J[:1]), "the network bends: put a nonlinearity between its layers")


@points(1, "x3b", hint="the masks hold in every pass, whatever the weights have become; mu and alpha use the same ones")
def test_outputs_depend_on_all_earlier_inputs_and_no_others(ps, rng):
    """For random weights both outputs have strictly lower triangular Jacobians, with no other entry zero everywhere."""
    ps.provide(made_masks=good_made_masks)
    for B, D, hidden in ((20, 4, [33, 36]), (24, 2, [16]), (20, 3, [24, 26, 22])):
        seed, x = int(rng.integers(2**31)), 3 * normal(rng, B, D)
        expect_two_outputs(ps, D, hidden, x)
        both, jacobians = ps.run(probe_made, D, hidden, seed, non_contiguous(x))
        for each in both:
            expect_close(each[:, 0], each[:1, 0].expand(B), "the first coordinate depends on nothing")
        expect_true(not torch.allclose(both[0], both[1]), "mu and alpha are two outputs, not one")
        expect_autoregressive(jacobians, B, D)
    lowest, highest = ps.run(probe_signs, 3, [6], seed, x)
    both = "mu and alpha, the logarithm of a standard deviation, may be negative: nothing behind the last layer"
    expect_true(bool((lowest < 0).all()) and bool((highest > 0).all()), both)


def probe_made_training(ns, D, hidden, seed, x):
    """mu and alpha before and after a few steps of maximum likelihood, and mu, alpha for changed last inputs after."""
    torch.manual_seed(seed)
    net = ns.MADE(D, hidden).to(x.dtype)
    before = [o.detach().clone() for o in net(x)]
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    for _ in range(5):
        mu, alpha = net(x)
        loss = (alpha + 0.5 * ((x - mu) * (-alpha).exp()) ** 2).sum(1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    changed = x.clone()
    changed[:, -1] += 3.0
    return before, list(net(x)), list(net(changed))


@points(
    1, "x3b", hint="all layers are registered modules, constants can be learnt, and a step leaves the masks in force"
)
def test_training_moves_everything_and_keeps_the_order(ps, rng):
    """Steps of an optimizer change mu and alpha of every coordinate, and no output sees the last input after them."""
    ps.provide(made_masks=good_made_masks)
    for D, hidden in ((4, [9, 12]), (3, [8])):
        seed, x = int(rng.integers(2**31)), 1 + 2 * normal(rng, 6, D)
        expect_two_outputs(ps, D, hidden, x)
        before, after, changed = ps.run(probe_made_training, D, hidden, seed, x)
        for old, new, other in zip(before, after, changed, strict=True):
            expect_shape(new, 6, D)
            expect_true(bool(((new - old).abs().amax(0) > 1e-9).all()), "each mu_d and alpha_d can be learnt")
            expect_close(other, new.detach(), "after training, too, no output depends on the last input")


def probe_flow(ns, name, weights, x):
    """The student's function on a network that notes its calls, and the calls."""
    calls = []
    return getattr(ns, name)(ns.course_network(*weights, calls), x), calls


def run_flow(ps, name, weights, x):
    """Both results of a flow on a triangular network, which must be called once."""
    ps.provide(course_network=triangular_network)
    both, calls = ps.run(probe_flow, name, weights, x)
    expect_true(isinstance(both, (tuple, list)) and len(both) == 2, "two results are asked for")
    expect_shape(both[0], *x.shape)
    expect_shape(both[1], len(x))
    expect_equal(calls, [len(x)], "the network is called once, for the whole batch")
    return both


def probe_likelihood(ns, weights, x):
    """The gradients by b and c of the log-density of x, None where there is no path."""
    W, b, V, c = (w.clone().requires_grad_() for w in weights)
    z, logdet = ns.maf_forward(ns.course_network(W, b, V, c, []), x)
    log_p = (logdet - z.square().sum(1) / 2).sum()
    return list(torch.autograd.grad(log_p, (b, c), allow_unused=True)) if log_p.requires_grad else [None, None]


@points(1, "x3c", hint="standardise each coordinate by its own conditional; the Jacobian's diagonal is 1 / std")
def test_masked_flow_standardises_with_what_the_data_say(ps, rng):
    """One call turns x into z, whose density times |det dz/dx| is the product of the conditionals of x."""
    for B, D in ((5, 3), (1, 4), (3, 1)):
        weights, x = triangular_weights(rng, D), 2 * normal(rng, B, D)
        z, logdet = run_flow(ps, "maf_forward", weights, non_contiguous(x))
        mu, alpha = conditionals(weights, x)
        expect_close(z, (x.numpy() - mu) / np.exp(alpha))
        product = norm(mu, np.exp(alpha)).logpdf(x.numpy()).sum(1)
        expect_close(logdet, product - norm.logpdf(z.numpy()).sum(1), "the log-determinant is that of dz/dx")
        learns = "the network learns through z and through the log-determinant: no detach, no no_grad"
        for got, want in zip(ps.run(probe_likelihood, weights, x), (z / np.exp(alpha), z.square() - 1), strict=True):
            expect_true(got is not None, learns)
            expect_close(got, want.sum(0), learns)
        single = run_flow(ps, "maf_forward", [w.float() for w in weights], x.float())
        expect_close(single[1], torch.from_numpy(-alpha.sum(1)).float())


@points(1, "x3c", hint="mean and scale come from the noise; stretching lowers the density of a sample")
def test_inverse_flow_samples_and_knows_their_density(ps, rng):
    """One call turns z into samples and their log-density, that of z divided by |det dx/dz|."""
    for B, D in ((5, 3), (1, 4), (3, 1)):
        weights, z = triangular_weights(rng, D), normal(rng, B, D)
        x, log_q = run_flow(ps, "iaf_sample", weights, non_contiguous(z))
        mu, alpha = conditionals(weights, z)
        expect_close(x, mu + np.exp(alpha) * z.numpy())
        want = norm(mu, np.exp(alpha)).logpdf(x.numpy()).sum(1)
        expect_close(log_q, want, "each coordinate is Gaussian, given the noise of the earlier ones")
        single = run_flow(ps, "iaf_sample", [w.float() for w in weights], z.float())
        expect_close(single[1], torch.from_numpy(want).float())

"""Hidden tests of question 4. Oracles: index by index loops, slogdet of autograd's Jacobians, sums over a grid.

All layers get dense networks with random weights, so that no entry of a Jacobian is zero by chance. Nothing here
depends on how a layer combines scale and shift, only on what every affine coupling layer must do.
"""

import numpy as np
import torch
from scipy.stats import norm

from autograder.hidden.ps2_latent_variable.elbo_pieces import gaussian_logprob
from autograder.hidden.ps2_latent_variable.flow_probes import affine_coupling, coupling_net, log_abs_det, two, weights
from autograder.testing import (
    expect_close,
    expect_equal,
    expect_finite,
    expect_shape,
    expect_true,
    non_contiguous,
    normal,
    points,
)

PAIR = "forward returns two things: z and the log-determinants"


@points(1, "4a", hint="1 where the sum of the two indices is even, whatever the width is")
def test_checkerboard_separates_neighbours(ps):
    """The checkerboard is 1 where row + column is even and 0 elsewhere, for even and odd sizes."""
    for H, W in ((3, 4), (4, 5), (2, 6), (5, 1)):
        want = [[1.0 if (i + j) % 2 == 0 else 0.0 for j in range(W)] for i in range(H)]
        expect_close(ps.checkerboard_mask(H, W), torch.tensor(want))


def squeezed(x):
    """Pixel by pixel: channel 4c + 2i + j at (h, w) is channel c at (2h + i, 2w + j)."""
    B, C, H, W = x.shape
    y = torch.zeros(B, 4 * C, H // 2, W // 2, dtype=x.dtype)
    for c, h, w in np.ndindex(C, H, W):
        y[:, 4 * c + 2 * (h % 2) + w % 2, h // 2, w // 2] = x[:, c, h, w]
    return y


@points(1, "4a", hint="the two rows and columns of a block become the slow and the fast part of the channel's number")
def test_squeeze_turns_blocks_into_channels(ps, rng):
    """Channel 4c + 2i + j of the squeezed image holds the pixels (2h + i, 2w + j) of channel c."""
    for B, C, H, W in ((2, 3, 4, 6), (1, 1, 2, 2), (3, 2, 6, 2)):
        x = normal(rng, B, C, H, W)
        expect_close(ps.squeeze(x), squeezed(x))
        expect_close(ps.squeeze(non_contiguous(x.float())), squeezed(x).float())


@points(1, "4a", hint="put every channel back to the row and column of its block")
def test_unsqueeze_puts_channels_back_into_blocks(ps, rng):
    """Unsqueezing gives the image back from which the channels were made."""
    for B, C, H, W in ((2, 3, 4, 6), (1, 1, 2, 2), (3, 2, 6, 2)):
        x = normal(rng, B, C, H, W)
        expect_close(ps.unsqueeze(squeezed(x)), x)
        expect_close(ps.unsqueeze(non_contiguous(squeezed(x).float())), x.float())


def probe_layer(ns, mask, weights, x):
    """forward(x) of a new layer."""
    return ns.AffineCoupling(mask, ns.coupling_net(*weights))(x)


def probe_kept(ns, mask, weights, x):
    """x after a new layer's forward, and after its inverse."""
    layer = ns.AffineCoupling(mask, ns.coupling_net(*weights))
    first, second = x.clone(), x.clone()
    layer(first), layer.inverse(second)
    return first.detach(), second.detach()


def probe_inverse(ns, mask, weights, x):
    """inverse(x), and inverse(forward(x))."""
    layer = ns.AffineCoupling(mask, ns.coupling_net(*weights))
    return layer.inverse(x), layer.inverse(layer(x)[0])


def probe_layer_jacobians(ns, mask, weights, x):
    """dz/dx (B, D, D) of each example."""
    layer = ns.AffineCoupling(mask, ns.coupling_net(*weights))
    D = x[0].numel()
    return torch.stack(
        [
            torch.autograd.functional.jacobian(lambda row: layer(row[None])[0][0], row).reshape(D, D).detach()
            for row in x
        ]
    )


def vector_masks(rng):
    """Masks of 2, 3 and 5 coordinates, not in order."""
    return [torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0, 1.0]), torch.from_numpy(rng.permutation(5) % 2).float()]


def forward(ps, probe, *args):
    """z and the log-determinants; shapes are looked at here, so that tests may compute with them."""
    z, logdet = two(ps.run(probe, *args), PAIR)
    expect_shape(z, *args[-1].shape)
    expect_shape(logdet, len(args[-1]))
    return z, logdet


@points(1, "4b", hint="where the mask is 1, x passes; elsewhere it is scaled and shifted by what is seen there alone")
def test_mask_decides_who_passes_and_who_is_scaled(ps, rng):
    """Masked coordinates pass and decide the scales and shifts of the others; a network of zeros changes nothing."""
    ps.provide(coupling_net=coupling_net)
    for mask in vector_masks(rng):
        D, kept = len(mask), mask == 1
        x, net = normal(rng, 2, D), weights(rng, D)
        x[1, kept] = x[0, kept]
        z, _ = forward(ps, probe_layer, mask, net, x)
        expect_close(z[:, kept], x[:, kept], "what the mask leaves alone passes unchanged")
        for after in ps.run(probe_kept, mask, net, x):
            expect_close(after, x, "what a layer is given is needed again: do not write into it")
        still, logdet = forward(ps, probe_layer, mask, [0 * w for w in net], x)
        expect_close(still, x, "log-scales and shifts of zero change nothing")
        expect_close(logdet, torch.zeros(2, dtype=torch.float64), "log-scales and shifts of zero change nothing")
        expect_triangular(ps.run(probe_layer_jacobians, mask, net, x), kept)


def expect_triangular(J, kept):
    """The blocks of the Jacobians (2, D, D) of two examples that agree where the mask is one."""
    D = len(kept)
    expect_shape(J, 2, D, D)
    free = ~kept
    block = J[:, free][:, :, free]
    scale = block.diagonal(dim1=1, dim2=2)
    expect_close(J[:, kept], torch.eye(D, dtype=torch.float64)[kept].expand(2, -1, -1))
    expect_close(block, torch.diag_embed(scale), "each transformed coordinate is scaled on its own")
    expect_true(bool((scale > 0).all()), "scales are exponentials, hence positive")
    expect_true(bool(((scale - 1).abs() > 1e-9).all()), "what is transformed is scaled, not only shifted")
    expect_close(scale[1], scale[0], "the scale depends on the coordinates that pass, on no others")
    expect_true(bool((J[:, free][:, :, kept].abs() > 1e-12).all()), "scale and shift depend on all that passes")


@points(2, "4b", hint="one number per example: log-scales, added up over exactly what is transformed")
def test_logdet_is_that_of_the_jacobian(ps, rng):
    """The log-determinant of each example is log |det| of the Jacobian that autograd finds, for even and odd D."""
    ps.provide(coupling_net=coupling_net)
    for B, mask in zip((3, 1, 4), vector_masks(rng), strict=True):
        D = len(mask)
        net, x = weights(rng, D, size=1.5), 2 * normal(rng, B, D)
        _, logdet = forward(ps, probe_layer, mask, net, x)
        J = ps.run(probe_layer_jacobians, mask, net, x)
        expect_shape(J, B, D, D)
        expect_true(bool(torch.linalg.matrix_rank(J).eq(D).all()), "the layer must be invertible")
        expect_close(logdet, log_abs_det(J))


@points(1, "4b", hint="undo the shift, then the scale, with the network at the coordinates that did not change")
def test_inverse_undoes_forward(ps, rng):
    """Inverse after forward, and forward after inverse, give back what went in, in float64 and float32."""
    ps.provide(coupling_net=coupling_net)
    for B, mask in zip((1, 3, 6), vector_masks(rng), strict=True):
        D = len(mask)
        net, x = weights(rng, D), 2 * normal(rng, B, D)
        x[-1] = 0  # zeros are data like any other
        inverse, back = ps.run(probe_inverse, mask, net, non_contiguous(x))
        expect_close(back, x)
        expect_shape(inverse, B, D)
        expect_close(forward(ps, probe_layer, mask, net, inverse)[0], x)
        expect_true(not torch.allclose(inverse, x), "the inverse is not the identity")
        single = [w.float() for w in net]
        expect_close(ps.run(probe_inverse, mask, single, x.float())[1], x.float(), rtol=1e-3, atol=1e-4)


@points(1, "4b", hint="masks broadcast over images: add up over all of an example's dimensions, after broadcasting")
def test_images_are_coupled_with_boards_and_channels(ps, rng):
    """Masks of pixels, (H, W), and of channels, (C, 1, 1), work on images, with the Jacobian's log-determinant."""
    ps.provide(coupling_net=coupling_net)
    board = torch.tensor([[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]])
    for B, C, mask in ((2, 3, board), (1, 1, board), (3, 3, torch.tensor([1.0, 0.0, 0.0]).reshape(3, 1, 1))):
        net, x = weights(rng, C, 2, 4), normal(rng, B, C, 2, 4)
        z, logdet = forward(ps, probe_layer, mask, net, x)
        kept = mask.expand(C, 2, 4) == 1
        expect_close(z[:, kept], x[:, kept], "pixels under the mask pass unchanged")
        J = ps.run(probe_layer_jacobians, mask, net, x)
        expect_shape(J, B, 8 * C, 8 * C)
        expect_close(logdet, log_abs_det(J))
        expect_close(ps.run(probe_inverse, mask, net, x)[1], x)


def probe_layer_gradients(ns, mask, weights, x, pull, directions, h):
    """Gradients of sum(pull * z) + sum(logdet) in the weights; forward with weights moved by +-h; after a step."""
    net = ns.coupling_net(*weights)
    layer = ns.AffineCoupling(mask, net)
    z, logdet = layer(x.clone())
    loss = (pull * z).sum() + logdet.sum()
    grads = torch.autograd.grad(loss, list(net.parameters()), allow_unused=True) if loss.requires_grad else [None] * 4
    moved = []
    for sign in (1, -1):
        far = [w + sign * h * d for w, d in zip(weights, directions, strict=True)]
        moved.append(ns.AffineCoupling(mask, ns.coupling_net(*far))(x.clone()))
    known = {id(p) for p in layer.parameters()}
    registered = all(id(p) in known for p in net.parameters())
    optimizer = torch.optim.SGD(layer.parameters() if known else [torch.zeros(1)], lr=0.3)
    z, logdet = layer(x.clone())
    if loss.requires_grad:
        (z.square().mean() - logdet.mean()).backward()
        optimizer.step()
    return list(grads), moved, registered, layer(x.clone())[0]


@points(1, "4b", hint="gradients flow through scales, shifts and log-determinants to the network, not to the mask")
def test_training_reaches_the_network_and_not_the_mask(ps, rng):
    """Gradients of z and of the log-determinant reach all weights, an optimizer finds them, and the mask stays."""
    ps.provide(coupling_net=coupling_net)
    mask, h = torch.tensor([0.0, 1.0, 0.0, 1.0, 1.0]), 1e-5
    net, x, pull = weights(rng, 5), normal(rng, 3, 5), normal(rng, 3, 5)
    directions = [normal(rng, *w.shape) for w in net]
    grads, moved, registered, after = ps.run(probe_layer_gradients, mask, net, x, pull, directions, h)
    expect_equal(registered, True, "the layer's parameters() include the network's: keep it as an attribute")
    for grad, weight in zip(grads, net, strict=True):
        expect_shape(grad, *weight.shape)
    ends = []
    for pair in moved:
        z, logdet = two(pair, PAIR)
        expect_shape(z, 3, 5)
        expect_shape(logdet, 3)
        expect_finite(logdet, "log-determinants that are NaN or infinite give no gradient")
        ends.append(float((pull * z).sum() + logdet.sum()))
    slope = sum(float((grad * d).sum()) for grad, d in zip(grads, directions, strict=True))
    expect_close(slope, (ends[0] - ends[1]) / (2 * h), rtol=1e-5, atol=1e-6)
    expect_shape(after, 3, 5)
    expect_close(after[:, mask == 1], x[:, mask == 1], "a step of the optimizer must not change the mask")


def probe_flow(ns, mask, nets, x):
    """forward(x) of a new flow."""
    return ns.RealNVP(mask, [ns.coupling_net(*weights) for weights in nets])(x)


def probe_log_prob(ns, mask, nets, x):
    """log_prob(x) of a new flow."""
    return ns.RealNVP(mask, [ns.coupling_net(*weights) for weights in nets]).log_prob(x)


def probe_sample(ns, mask, nets, z):
    """sample(z), and forward of it."""
    flow = ns.RealNVP(mask, [ns.coupling_net(*weights) for weights in nets])
    x = flow.sample(z)
    return x, flow(x)[0]


def probe_flow_jacobians(ns, mask, nets, x):
    """dz/dx (B, D, D) of each example."""
    flow = ns.RealNVP(mask, [ns.coupling_net(*weights) for weights in nets])
    D = x[0].numel()
    return torch.stack(
        [torch.autograd.functional.jacobian(lambda row: flow(row[None])[0][0], row).reshape(D, D).detach() for row in x]
    )


def lend(ps):
    """A known-good layer, a network and a density: a mistake in 1c or 4b costs nothing in 4c."""
    ps.provide(coupling_net=coupling_net, AffineCoupling=affine_coupling, gaussian_logprob=gaussian_logprob)


@points(1, "4c", hint="the determinant of a composition is a product: its logarithms add up, over all layers")
def test_log_determinants_add_up(ps, rng):
    """The flow's log-determinant is log |det| of the whole flow's Jacobian, for one layer and for several."""
    lend(ps)
    for B, D, depth in ((3, 3, 1), (1, 2, 2), (2, 5, 4)):
        mask = (torch.arange(D) % 2 == 0).float()
        nets, x = [weights(rng, D) for _ in range(depth)], normal(rng, B, D)
        _, logdet = forward(ps, probe_flow, mask, nets, x)
        J = ps.run(probe_flow_jacobians, mask, nets, x)
        expect_shape(J, B, D, D)
        expect_close(logdet, log_abs_det(J))


@points(1, "4c", hint="the density of z under D standard normals, times |det dz/dx|: it integrates to one")
def test_density_follows_the_change_of_variables(ps, rng):
    """log_prob is that of z plus the log-determinant, for every D; its exponential integrates to 1 over the plane."""
    lend(ps)
    for B, D in ((3, 3), (1, 4)):
        mask = (torch.arange(D) < D // 2).float()
        nets, x = [weights(rng, D) for _ in range(3)], 12 * normal(rng, B, D)  # some of them hundreds of nats away
        z, _ = forward(ps, probe_flow, mask, nets, x)
        J = ps.run(probe_flow_jacobians, mask, nets, x)
        expect_shape(J, B, D, D)
        expect_close(ps.run(probe_log_prob, mask, nets, x), norm.logpdf(z.numpy()).sum(1) + log_abs_det(J))
    ticks = torch.linspace(-15, 15, 251, dtype=torch.float64)
    nets = [weights(rng, 2, size=0.3) for _ in range(3)]
    log_density = ps.run(probe_log_prob, torch.tensor([0.0, 1.0]), nets, torch.cartesian_prod(ticks, ticks))
    expect_shape(log_density, 251**2)
    expect_close(log_density.exp().sum() * (ticks[1] - ticks[0]) ** 2, 1.0, rtol=1e-4)


@points(1, "4c", hint="layer 0 uses the mask, layer 1 its opposite, and so on, each with its own network")
def test_masks_alternate_and_everything_reaches_everything(ps, rng):
    """One layer leaves the mask's coordinates, two change all, and after three every input reaches every output."""
    lend(ps)
    mask = torch.tensor([1.0, 0.0, 0.0, 1.0, 0.0])
    kept, x = mask == 1, normal(rng, 1, 5)
    a, b = torch.nonzero(kept)[:, 0], torch.nonzero(~kept)[:, 0]
    nets = [weights(rng, 5) for _ in range(3)]
    J = [ps.run(probe_flow_jacobians, mask, nets[:depth], x) for depth in (1, 2, 3)]
    for each in J:
        expect_shape(each, 1, 5, 5)
    reaches = [each[0].abs() > 1e-12 for each in J]
    expect_close(J[0][0, a], torch.eye(5, dtype=torch.float64)[a], "the first layer leaves the mask's coordinates")
    expect_true(bool(reaches[1][a].all()), "the second layer changes what the first one left alone")
    expect_true(torch.equal(reaches[1][b][:, b], torch.eye(3).bool()), "the second layer leaves what the first changed")
    expect_true(bool(reaches[2].all()), "after three layers every input reaches every output")


@points(1, "4c", hint="undo the layers in reverse order, starting from the z that is given")
def test_sample_runs_the_flow_backwards(ps, rng):
    """Forward of the samples gives back the z that they were made of, and the samples of z = f(x) are x."""
    lend(ps)
    for B, D, depth in ((1, 3, 3), (4, 2, 2), (2, 5, 4)):
        mask = (torch.arange(D) % 2 == 0).float()
        nets, x = [weights(rng, D) for _ in range(depth)], normal(rng, B, D)
        made, again = ps.run(probe_sample, mask, nets, non_contiguous(x))
        expect_shape(made, B, D)
        expect_close(again, x)
        z, _ = forward(ps, probe_flow, mask, nets, x)
        expect_close(ps.run(probe_sample, mask, nets, z)[0], x)


def probe_flow_training(ns, mask, nets, x):
    """log_prob (B,) of images, whether the flow's parameters are the nets', and the gradient of its sum by each."""
    modules = [ns.coupling_net(*weights) for weights in nets]
    flow = ns.RealNVP(mask, modules)
    log_prob = flow.log_prob(x)
    wanted = [p for net in modules for p in net.parameters()]
    known = {id(p) for p in flow.parameters()}
    if log_prob.requires_grad:
        log_prob.sum().backward()
    slopes = [torch.zeros_like(p) if p.grad is None else p.grad for p in wanted]
    return log_prob, all(id(p) in known for p in wanted), slopes


def expect_slope(ps, mask, nets, x, slopes, directions, h=1e-5):
    """The gradient of the log-densities is what they do when all weights move a little."""
    ends = []
    for sign in (1, -1):
        far = [
            [w + sign * h * d for w, d in zip(net, way, strict=True)] for net, way in zip(nets, directions, strict=True)
        ]
        ends.append(float(ps.run(probe_log_prob, mask, far, x).sum()))
    along = [d for way in directions for d in way]
    slope = sum(float((got * d).sum()) for got, d in zip(slopes, along, strict=True))
    both = "the gradient of the likelihood goes through z and through the log-determinant: detach neither"
    expect_close(slope, (ends[0] - ends[1]) / (2 * h), both, rtol=1e-5, atol=1e-6)


@points(1, "4c", hint="every dimension of an example counts, and every layer's network is a registered module")
def test_images_are_modelled_and_all_layers_learn(ps, rng):
    """Images have one log-density each, in the dtype of the input, and all networks are found and get gradients."""
    lend(ps)
    board = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    nets, x = [weights(rng, 2, 2, 3) for _ in range(3)], normal(rng, 4, 2, 2, 3)
    z, _ = forward(ps, probe_flow, board, nets, x)
    J = ps.run(probe_flow_jacobians, board, nets, x)
    expect_shape(J, 4, 12, 12)
    want = norm.logpdf(z.numpy()).sum((1, 2, 3)) + log_abs_det(J)
    log_prob, registered, slopes = ps.run(probe_flow_training, board, nets, x)
    expect_close(log_prob, want)
    expect_equal(registered, True, "flow.parameters() must hold the networks of all layers")
    moved = all(bool((slope != 0).any()) for slope in slopes)
    expect_true(moved, "the likelihood has a gradient in every layer's network")
    expect_slope(ps, board, nets, x, slopes, [[normal(rng, *w.shape) for w in net] for net in nets])
    single = [[w.float() for w in net] for net in nets]
    expect_close(ps.run(probe_log_prob, board, single, x.float()), torch.from_numpy(want).float())

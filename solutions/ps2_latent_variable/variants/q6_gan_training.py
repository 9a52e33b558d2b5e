import torch
import torch.nn.functional as F

from autograder.verify.variants import right, wrong


def called(network, x, y):
    """A player with or without labels."""
    return network(x) if y is None else network(x, y)


def descend(loss, optimizer):
    """One clean step on a loss."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def d_part(G, D, real, z, kind, y):
    """The discriminator's loss on detached fakes."""
    return d_loss(called(D, real, y), called(D, called(G, z, y).detach(), y), kind)


def g_part(G, D, z, kind, y):
    """The generator's loss."""
    return g_loss(called(D, called(G, z, y), y), kind)


@wrong("gan_train_step")
def does_not_detach_the_fakes(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    loss_D = d_loss(called(D, real, y), called(D, called(G, z_d, y), y), kind)
    descend(loss_D, opt_D)
    loss_G = g_part(G, D, z_g, kind, y)
    descend(loss_G, opt_G)
    return loss_D.detach(), loss_G.detach()


@wrong("gan_train_step")
def does_not_detach_and_zeroes_too_early(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    opt_G.zero_grad()
    loss_D = d_loss(called(D, real, y), called(D, called(G, z_d, y), y), kind)
    descend(loss_D, opt_D)
    loss_G = g_part(G, D, z_g, kind, y)
    loss_G.backward()
    opt_G.step()
    return loss_D.detach(), loss_G.detach()


@wrong("gan_train_step")
def detaches_the_real_examples_instead(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    loss_D = d_loss(called(D, real.detach(), y), called(D, called(G, z_d, y), y), kind)
    descend(loss_D, opt_D)
    loss_G = g_part(G, D, z_g, kind, y)
    descend(loss_G, opt_G)
    return loss_D.detach(), loss_G.detach()


@wrong("gan_train_step")
def keeps_the_graph_and_adds_both_losses(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    loss_D = d_loss(called(D, real, y), called(D, called(G, z_d, y), y), kind)
    loss_G = g_part(G, D, z_g, kind, y)
    opt_D.zero_grad()
    opt_G.zero_grad()
    (loss_D + loss_G).backward()
    opt_D.step()
    opt_G.step()
    return loss_D.detach(), loss_G.detach()


@wrong("gan_train_step")
def trains_the_generator_first(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    loss_G = g_part(G, D, z_g, kind, y)
    descend(loss_G, opt_G)
    loss_D = d_part(G, D, real, z_d, kind, y)
    descend(loss_D, opt_D)
    return loss_D.detach(), loss_G.detach()


@wrong("gan_train_step")
def trains_both_against_the_old_opponent(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    loss_G = g_part(G, D, z_g, kind, y)
    opt_G.zero_grad()
    loss_G.backward()
    loss_D = d_part(G, D, real, z_d, kind, y)
    descend(loss_D, opt_D)
    opt_G.step()
    return loss_D.detach(), loss_G.detach()


@wrong("gan_train_step")
def swaps_the_codes(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    z_d, z_g = z_g, z_d
    loss_D = d_part(G, D, real, z_d, kind, y)
    descend(loss_D, opt_D)
    loss_G = g_part(G, D, z_g, kind, y)
    descend(loss_G, opt_G)
    return loss_D.detach(), loss_G.detach()


@wrong("gan_train_step")
def uses_the_same_codes_twice(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    loss_D = d_part(G, D, real, z_d, kind, y)
    descend(loss_D, opt_D)
    loss_G = g_part(G, D, z_d, kind, y)
    descend(loss_G, opt_G)
    return loss_D.detach(), loss_G.detach()


@wrong("gan_train_step")
def draws_its_own_codes(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    loss_D = d_part(G, D, real, torch.randn_like(z_d), kind, y)
    descend(loss_D, opt_D)
    loss_G = g_part(G, D, torch.randn_like(z_g), kind, y)
    descend(loss_G, opt_G)
    return loss_D.detach(), loss_G.detach()


@wrong("gan_train_step")
def updates_the_discriminator_in_the_generators_step(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    loss_D = d_part(G, D, real, z_d, kind, y)
    descend(loss_D, opt_D)
    loss_G = g_part(G, D, z_g, kind, y)
    opt_D.zero_grad()
    descend(loss_G, opt_G)
    opt_D.step()
    return loss_D.detach(), loss_G.detach()


@wrong("gan_train_step")
def detaches_the_fakes_in_the_generators_step(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    loss_D = d_part(G, D, real, z_d, kind, y)
    descend(loss_D, opt_D)
    loss_G = g_loss(called(D, called(G, z_g, y).detach(), y), kind)
    descend(loss_G, opt_G)
    return loss_D.detach(), loss_G.detach()


@wrong("gan_train_step")
def never_zeroes_gradients(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    loss_D = d_part(G, D, real, z_d, kind, y)
    loss_D.backward()
    opt_D.step()
    loss_G = g_part(G, D, z_g, kind, y)
    loss_G.backward()
    opt_G.step()
    return loss_D.detach(), loss_G.detach()


@wrong("gan_train_step")
def does_not_zero_the_discriminator(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    loss_D = d_part(G, D, real, z_d, kind, y)
    loss_D.backward()
    opt_D.step()
    loss_G = g_part(G, D, z_g, kind, y)
    descend(loss_G, opt_G)
    return loss_D.detach(), loss_G.detach()


@wrong("gan_train_step")
def does_not_zero_the_generator(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    loss_D = d_part(G, D, real, z_d, kind, y)
    descend(loss_D, opt_D)
    loss_G = g_part(G, D, z_g, kind, y)
    loss_G.backward()
    opt_G.step()
    return loss_D.detach(), loss_G.detach()


@wrong("gan_train_step")
def zeroes_the_discriminator_before_the_generators_step_only(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    loss_D = d_part(G, D, real, z_d, kind, y)
    loss_D.backward()
    opt_D.step()
    opt_D.zero_grad()
    loss_G = g_part(G, D, z_g, kind, y)
    descend(loss_G, opt_G)
    return loss_D.detach(), loss_G.detach()


@wrong("gan_train_step")
def zeroes_gradients_after_backward(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    loss_D = d_part(G, D, real, z_d, kind, y)
    loss_D.backward()
    opt_D.zero_grad()
    opt_D.step()
    loss_G = g_part(G, D, z_g, kind, y)
    loss_G.backward()
    opt_G.zero_grad()
    opt_G.step()
    return loss_D.detach(), loss_G.detach()


@wrong("gan_train_step")
def freezes_the_discriminator_for_good(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    loss_D = d_part(G, D, real, z_d, kind, y)
    if loss_D.requires_grad:
        descend(loss_D, opt_D)
    D.requires_grad_(False)
    loss_G = g_part(G, D, z_g, kind, y)
    descend(loss_G, opt_G)
    return loss_D.detach(), loss_G.detach()


@wrong("gan_train_step")
def plays_non_saturating_whatever_kind_says(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    loss_D = d_part(G, D, real, z_d, "non_saturating", y)
    descend(loss_D, opt_D)
    loss_G = g_part(G, D, z_g, "non_saturating", y)
    descend(loss_G, opt_G)
    return loss_D.detach(), loss_G.detach()


@wrong("gan_train_step")
def swaps_real_and_fake(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    loss_D = d_loss(called(D, called(G, z_d, y).detach(), y), called(D, real, y), kind)
    descend(loss_D, opt_D)
    loss_G = g_part(G, D, z_g, kind, y)
    descend(loss_G, opt_G)
    return loss_D.detach(), loss_G.detach()


@wrong("gan_train_step")
def does_not_show_labels_to_the_discriminator(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    loss_D = d_loss(D(real), D(called(G, z_d, y).detach()), kind)
    descend(loss_D, opt_D)
    loss_G = g_loss(D(called(G, z_g, y)), kind)
    descend(loss_G, opt_G)
    return loss_D.detach(), loss_G.detach()


@wrong("gan_train_step")
def shows_labels_only_with_real_examples(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    loss_D = d_loss(called(D, real, y), D(called(G, z_d, y).detach()), kind)
    descend(loss_D, opt_D)
    loss_G = g_loss(D(called(G, z_g, y)), kind)
    descend(loss_G, opt_G)
    return loss_D.detach(), loss_G.detach()


@wrong("gan_train_step")
def ignores_labels(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    loss_D = d_part(G, D, real, z_d, kind, None)
    descend(loss_D, opt_D)
    loss_G = g_part(G, D, z_g, kind, None)
    descend(loss_G, opt_G)
    return loss_D.detach(), loss_G.detach()


@wrong("gan_train_step")
def returns_losses_with_their_graphs(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    loss_D = d_part(G, D, real, z_d, kind, y)
    descend(loss_D, opt_D)
    loss_G = g_part(G, D, z_g, kind, y)
    descend(loss_G, opt_G)
    return loss_D, loss_G


@wrong("gan_train_step")
def returns_losses_after_the_updates(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    descend(d_part(G, D, real, z_d, kind, y), opt_D)
    descend(g_part(G, D, z_g, kind, y), opt_G)
    return d_part(G, D, real, z_d, kind, y).detach(), g_part(G, D, z_g, kind, y).detach()


@wrong("gan_train_step")
def returns_the_generators_loss_first(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    loss_D = d_part(G, D, real, z_d, kind, y)
    descend(loss_D, opt_D)
    loss_G = g_part(G, D, z_g, kind, y)
    descend(loss_G, opt_G)
    return loss_G.detach(), loss_D.detach()


@wrong("append_label")
def prepends_the_label(x, y, n_labels):
    planes = F.one_hot(y, n_labels).to(x)
    planes = planes.reshape(*planes.shape, *[1] * (x.ndim - 2)).expand(-1, -1, *x.shape[2:])
    return torch.cat([planes, x], dim=1)


@wrong("append_label")
def appends_the_number(x, y, n_labels):
    number = y.to(x).reshape(-1, *[1] * (x.ndim - 1)).expand(-1, n_labels, *x.shape[2:])
    return torch.cat([x, number], dim=1)


@wrong("append_label")
def counts_only_the_labels_of_the_batch(x, y, n_labels):
    planes = F.one_hot(y).to(x)
    planes = planes.reshape(*planes.shape, *[1] * (x.ndim - 2)).expand(-1, -1, *x.shape[2:])
    return torch.cat([x, planes], dim=1)


@wrong("append_label")
def makes_float64_of_everything(x, y, n_labels):
    planes = F.one_hot(y, n_labels).double()
    planes = planes.reshape(*planes.shape, *[1] * (x.ndim - 2)).expand(-1, -1, *x.shape[2:])
    return torch.cat([x, planes], dim=1)


@wrong("append_label")
def reshapes_repeated_labels_into_planes(x, y, n_labels):
    hot = F.one_hot(y, n_labels).to(x)
    if x.ndim == 4:
        hot = hot.repeat(1, x.shape[2] * x.shape[3]).reshape(len(x), n_labels, *x.shape[2:])
    return torch.cat([x, hot], dim=1)


@wrong("append_label")
def marks_one_pixel_of_the_plane(x, y, n_labels):
    hot = F.one_hot(y, n_labels).to(x)
    if x.ndim == 4:
        planes = torch.zeros(len(x), n_labels, *x.shape[2:]).to(x)
        planes[:, :, 0, 0] = hot
        return torch.cat([x, planes], dim=1)
    return torch.cat([x, hot], dim=1)


@wrong("append_label")
def appends_to_the_last_dimension(x, y, n_labels):
    hot = F.one_hot(y, n_labels).to(x)
    if x.ndim == 4:
        hot = hot[:, None, None, :].expand(-1, x.shape[1], x.shape[2], -1)
    return torch.cat([x, hot], dim=-1)


@wrong("append_label")
def counts_labels_from_one(x, y, n_labels):
    planes = F.one_hot((y - 1) % n_labels, n_labels).to(x)
    planes = planes.reshape(*planes.shape, *[1] * (x.ndim - 2)).expand(-1, -1, *x.shape[2:])
    return torch.cat([x, planes], dim=1)


def coverage(distance, r):
    """Covered modes and share of good samples, from distances (N, K)."""
    low, nearest = distance.min(1)
    return len(nearest[low <= r].unique()), (low <= r).double().mean().item()


@wrong("mode_coverage")
def compares_squared_distances(samples, centers, r):
    return coverage((samples[:, None] - centers).square().sum(2), r)


@wrong("mode_coverage")
def measures_along_the_axes(samples, centers, r):
    return coverage((samples[:, None] - centers).abs().amax(2), r)


@wrong("mode_coverage")
def adds_up_coordinates(samples, centers, r):
    return coverage((samples[:, None] - centers).abs().sum(2), r)


@wrong("mode_coverage")
def excludes_the_edge(samples, centers, r):
    return coverage(torch.cdist(samples, centers), r * (1 - 1e-6))


@wrong("mode_coverage")
def covers_every_mode_within_reach(samples, centers, r):
    near = torch.linalg.vector_norm(samples[:, None] - centers, dim=2) <= r
    return int(near.any(0).sum()), near.any(1).double().mean().item()


@wrong("mode_coverage")
def counts_a_sample_once_per_circle(samples, centers, r):
    distance = torch.linalg.vector_norm(samples[:, None] - centers, dim=2)
    return coverage(distance, r)[0], (distance <= r).double().sum(1).mean().item()


@wrong("mode_coverage")
def covers_the_nearest_mode_from_any_distance(samples, centers, r):
    distance = torch.linalg.vector_norm(samples[:, None] - centers, dim=2)
    return len(distance.argmin(1).unique()), coverage(distance, r)[1]


@wrong("mode_coverage")
def gives_the_share_of_modes(samples, centers, r):
    covered, good = coverage(torch.linalg.vector_norm(samples[:, None] - centers, dim=2), r)
    return covered / len(centers), good


@wrong("mode_coverage")
def counts_good_samples(samples, centers, r):
    covered, good = coverage(torch.linalg.vector_norm(samples[:, None] - centers, dim=2), r)
    return covered, good * len(samples)


@wrong("mode_coverage")
def returns_the_share_first(samples, centers, r):
    return coverage(torch.linalg.vector_norm(samples[:, None] - centers, dim=2), r)[::-1]


@wrong("mode_coverage")
def wants_two_samples_in_a_mode(samples, centers, r):
    distance, nearest = torch.linalg.vector_norm(samples[:, None] - centers, dim=2).min(1)
    counts = torch.bincount(nearest[distance <= r], minlength=len(centers))
    return int((counts > 1).sum()), (distance <= r).double().mean().item()


@right("gan_train_step")
def detaches_fakes(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    opt_D.zero_grad()
    loss_D = d_part(G, D, real, z_d, kind, y)
    loss_D.backward()
    opt_D.step()
    opt_G.zero_grad()
    loss_G = g_part(G, D, z_g, kind, y)
    loss_G.backward()
    opt_G.step()
    return loss_D.item(), loss_G.item()


@right("gan_train_step")
def freezes_the_discriminator_in_the_generators_step(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    loss_D = d_part(G, D, real, z_d, kind, y)
    descend(loss_D, opt_D)
    D.requires_grad_(False)
    loss_G = g_part(G, D, z_g, kind, y)
    descend(loss_G, opt_G)
    D.requires_grad_(True)
    return loss_D.detach(), loss_G.detach()


@right("gan_train_step")
def differentiates_by_hand(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    losses = []
    for network, optimizer in ((D, opt_D), (G, opt_G)):
        loss = d_part(G, D, real, z_d, kind, y) if network is D else g_part(G, D, z_g, kind, y)
        parameters = list(network.parameters())
        for parameter, slope in zip(parameters, torch.autograd.grad(loss, parameters, allow_unused=True), strict=True):
            parameter.grad = slope
        optimizer.step()
        losses.append(loss.detach())
    return tuple(losses)


@right("gan_train_step")
def zeroes_whole_networks_and_shows_one_batch(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    with torch.no_grad():
        fakes = called(G, z_d, y)
    both = torch.cat([real, fakes])
    logits = called(D, both, None if y is None else torch.cat([y, y]))
    loss_D = d_loss(logits[: len(real)].squeeze(1), logits[len(real) :].squeeze(1), kind)
    D.zero_grad()
    loss_D.backward()
    opt_D.step()
    loss_G = g_part(G, D, z_g, kind, y)
    G.zero_grad()
    loss_G.backward()
    opt_G.step()
    return loss_D.detach(), loss_G.detach()


@right("append_label")
def by_scatter(x, y, n_labels):
    planes = torch.zeros(len(x), n_labels, *x.shape[2:], dtype=x.dtype)
    planes[torch.arange(len(x)), y] = 1
    return torch.cat((x, planes), 1)


@right("append_label")
def by_comparison(x, y, n_labels):
    hot = (y[:, None] == torch.arange(n_labels)).type_as(x)
    return torch.cat([x, hot], 1) if x.ndim == 2 else torch.cat([x, hot[:, :, None, None] + 0 * x[:, :1]], 1)


@right("mode_coverage")
def by_cdist_and_a_set(samples, centers, r):
    distance, nearest = torch.cdist(
        samples.double(), centers.double(), compute_mode="donot_use_mm_for_euclid_dist"
    ).min(1)
    good = distance <= r
    return len(set(nearest[good].tolist())), int(good.sum()) / len(samples)


@right("mode_coverage")
def by_a_loop_over_modes(samples, centers, r):
    distance = (samples.unsqueeze(1) - centers.unsqueeze(0)).pow(2).sum(-1).sqrt()
    mine = distance.argmin(1)
    hits = torch.stack([((mine == k) & (distance[:, k] <= r)).sum() for k in range(len(centers))])
    return (hits > 0).sum(), hits.sum() / len(samples)

"""Right and wrong answers to question 6a: one step of the game."""

import torch

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


@wrong("gan_train_step")
def leaves_the_discriminator_in_evaluation(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    D.train()
    descend(loss_D := d_part(G, D, real, z_d, kind, y), opt_D)
    D.eval()
    descend(loss_G := g_part(G, D, z_g, kind, y), opt_G)
    return loss_D.detach(), loss_G.detach()


@wrong("gan_train_step")
def thaws_at_the_start_and_freezes_at_the_end(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    D.requires_grad_(True)
    descend(loss_D := d_part(G, D, real, z_d, kind, y), opt_D)
    D.requires_grad_(False)
    descend(loss_G := g_part(G, D, z_g, kind, y), opt_G)
    return loss_D.detach(), loss_G.detach()


@right("gan_train_step")
def both_in_training_and_by_closures(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    G.train()
    D.train()

    def descent(optimizer, loss_of):
        def again():
            optimizer.zero_grad()
            (loss := loss_of()).backward()
            return loss

        return optimizer.step(again).detach()

    loss_D = descent(opt_D, lambda: d_part(G, D, real, z_d, kind, y))
    return loss_D, descent(opt_G, lambda: g_part(G, D, z_g, kind, y))

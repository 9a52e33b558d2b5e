import torch
import torch.nn.functional as F

from autograder.verify.variants import right, wrong


def table_d(r, f, kind):
    """A correct discriminator's loss, of which a mistake replaces a row."""
    if kind == "least_squares":
        return ((r - 1) ** 2).mean() / 2 + (f**2).mean() / 2
    if kind == "wasserstein":
        return f.mean() - r.mean()
    if kind == "hinge":
        return (1 - r).clamp(min=0).mean() + (1 + f).clamp(min=0).mean()
    return -F.logsigmoid(r).mean() - F.logsigmoid(-f).mean()


def table_g(f, kind):
    """A correct generator's loss, of which a mistake replaces a row."""
    if kind == "least_squares":
        return ((f - 1) ** 2).mean() / 2
    if kind == "minimax":
        return F.logsigmoid(-f).mean()
    return -F.logsigmoid(f).mean() if kind == "non_saturating" else -f.mean()


@wrong("d_loss")
def swaps_the_labels(real_logits, fake_logits, kind):
    return table_d(fake_logits, real_logits, kind)


@wrong("d_loss")
def takes_the_sigmoid_twice(real_logits, fake_logits, kind):
    if kind in ("minimax", "non_saturating"):
        return table_d(torch.sigmoid(real_logits), torch.sigmoid(fake_logits), kind)
    return table_d(real_logits, fake_logits, kind)


@wrong("d_loss")
def takes_the_logarithm_of_the_sigmoid(real_logits, fake_logits, kind):
    if kind in ("minimax", "non_saturating"):
        real, fake = torch.sigmoid(real_logits), torch.sigmoid(fake_logits)
        return -real.log().mean() - (1 - fake).log().mean()
    return table_d(real_logits, fake_logits, kind)


@wrong("d_loss")
def guards_the_logarithm_with_an_epsilon(real_logits, fake_logits, kind):
    if kind in ("minimax", "non_saturating"):
        real, fake = torch.sigmoid(real_logits), torch.sigmoid(fake_logits)
        return -(real + 1e-12).log().mean() - (1 - fake + 1e-12).log().mean()
    return table_d(real_logits, fake_logits, kind)


@wrong("d_loss")
def uses_bce_of_probabilities(real_logits, fake_logits, kind):
    if kind in ("minimax", "non_saturating"):
        real, fake, bce = torch.sigmoid(real_logits), torch.sigmoid(fake_logits), F.binary_cross_entropy
        return bce(real, torch.ones_like(real)) + bce(fake, torch.zeros_like(fake))
    return table_d(real_logits, fake_logits, kind)


@wrong("d_loss")
def clamps_the_logits(real_logits, fake_logits, kind):
    if kind in ("minimax", "non_saturating"):
        return table_d(real_logits.clamp(-30, 30), fake_logits.clamp(-30, 30), kind)
    return table_d(real_logits, fake_logits, kind)


@wrong("d_loss")
def exponentiates_logits(real_logits, fake_logits, kind):
    if kind in ("minimax", "non_saturating"):
        return torch.log(1 + torch.exp(-real_logits)).mean() + torch.log(1 + torch.exp(fake_logits)).mean()
    return table_d(real_logits, fake_logits, kind)


@wrong("d_loss")
def averages_the_two_expectations(real_logits, fake_logits, kind):
    return table_d(real_logits, fake_logits, kind) / 2


@wrong("d_loss")
def averages_over_both_batches_together(real_logits, fake_logits, kind):
    if kind in ("minimax", "non_saturating"):
        terms = torch.cat([F.softplus(-real_logits).flatten(), F.softplus(fake_logits).flatten()])
        return 2 * terms.mean()
    return table_d(real_logits, fake_logits, kind)


@wrong("d_loss")
def maximises_instead_of_minimising(real_logits, fake_logits, kind):
    return -table_d(real_logits, fake_logits, kind)


@wrong("d_loss")
def forgets_the_halves_of_least_squares(real_logits, fake_logits, kind):
    return table_d(real_logits, fake_logits, kind) * (2 if kind == "least_squares" else 1)


@wrong("d_loss")
def squashes_least_squares_scores(real_logits, fake_logits, kind):
    if kind == "least_squares":
        return table_d(torch.sigmoid(real_logits), torch.sigmoid(fake_logits), kind)
    return table_d(real_logits, fake_logits, kind)


@wrong("d_loss")
def labels_fakes_minus_one_in_least_squares(real_logits, fake_logits, kind):
    return table_d(real_logits, fake_logits + (kind == "least_squares"), kind)


@wrong("d_loss")
def turns_the_critic_around(real_logits, fake_logits, kind):
    if kind == "wasserstein":
        return real_logits.mean() - fake_logits.mean()
    return table_d(real_logits, fake_logits, kind)


@wrong("d_loss")
def takes_the_absolute_distance_of_scores(real_logits, fake_logits, kind):
    if kind == "wasserstein":
        return -(real_logits.mean() - fake_logits.mean()).abs()
    return table_d(real_logits, fake_logits, kind)


@wrong("d_loss")
def forgets_the_hinge(real_logits, fake_logits, kind):
    if kind == "hinge":
        return (1 - real_logits).mean() + (1 + fake_logits).mean()
    return table_d(real_logits, fake_logits, kind)


@wrong("d_loss")
def has_the_hinge_at_zero(real_logits, fake_logits, kind):
    if kind == "hinge":
        return F.relu(-real_logits).mean() + F.relu(fake_logits).mean()
    return table_d(real_logits, fake_logits, kind)


@wrong("d_loss")
def hinges_fakes_like_real_examples(real_logits, fake_logits, kind):
    return table_d(real_logits, -fake_logits if kind == "hinge" else fake_logits, kind)


@wrong("d_loss")
def hinges_the_mean(real_logits, fake_logits, kind):
    if kind == "hinge":
        return F.relu(1 - real_logits.mean()) + F.relu(1 + fake_logits.mean())
    return table_d(real_logits, fake_logits, kind)


@wrong("d_loss")
def sums_over_the_batch(real_logits, fake_logits, kind):
    n, m = real_logits.numel(), fake_logits.numel()
    zero_real, zero_fake = torch.ones_like(real_logits), torch.zeros_like(fake_logits)
    base = table_d(zero_real, zero_fake, kind)
    by_real = table_d(real_logits, zero_fake, kind) - base
    return n * by_real + m * (table_d(zero_real, fake_logits, kind) - base) + base


@wrong("d_loss")
def subtracts_scores_pair_by_pair(real_logits, fake_logits, kind):
    if kind == "wasserstein":
        return (fake_logits - real_logits).mean()
    return table_d(real_logits, fake_logits, kind)


@wrong("d_loss")
def averages_only_over_the_first_dimension(real_logits, fake_logits, kind):
    if kind == "least_squares":
        return 0.5 * ((real_logits - 1) ** 2).mean(0) + 0.5 * (fake_logits**2).mean(0)
    return table_d(real_logits, fake_logits, kind)


@wrong("d_loss")
def smooths_the_labels(real_logits, fake_logits, kind):
    if kind in ("minimax", "non_saturating"):
        return F.binary_cross_entropy_with_logits(
            real_logits, torch.full_like(real_logits, 0.9)
        ) + F.binary_cross_entropy_with_logits(fake_logits, torch.zeros_like(fake_logits))
    return table_d(real_logits, fake_logits, kind)


@wrong("d_loss")
def returns_a_vector_of_one(real_logits, fake_logits, kind):
    return table_d(real_logits, fake_logits, kind)[None]


@wrong("g_loss")
def minimax_with_the_wrong_sign(fake_logits, kind):
    return -table_g(fake_logits, kind) if kind == "minimax" else table_g(fake_logits, kind)


@wrong("g_loss")
def confuses_minimax_and_non_saturating(fake_logits, kind):
    other = {"minimax": "non_saturating", "non_saturating": "minimax"}
    return table_g(fake_logits, other.get(kind, kind))


@wrong("g_loss")
def plays_non_saturating_in_both(fake_logits, kind):
    return table_g(fake_logits, "non_saturating" if kind == "minimax" else kind)


@wrong("g_loss")
def takes_the_logarithm_of_one_minus_the_sigmoid(fake_logits, kind):
    if kind == "minimax":
        return torch.log(1 - torch.sigmoid(fake_logits)).mean()
    return table_g(fake_logits, kind)


@wrong("g_loss")
def takes_the_logarithm_of_the_probability(fake_logits, kind):
    if kind == "non_saturating":
        return -torch.log(torch.sigmoid(fake_logits)).mean()
    return table_g(fake_logits, kind)


@wrong("g_loss")
def guards_the_generators_logarithm(fake_logits, kind):
    if kind in ("minimax", "non_saturating"):
        probability = torch.sigmoid(fake_logits)
        return (1 - probability + 1e-8).log().mean() if kind == "minimax" else -(probability + 1e-8).log().mean()
    return table_g(fake_logits, kind)


@wrong("g_loss")
def takes_the_sigmoid_twice_in_the_generator(fake_logits, kind):
    return table_g(torch.sigmoid(fake_logits) if kind in ("minimax", "non_saturating") else fake_logits, kind)


@wrong("g_loss")
def wants_its_fakes_called_fake(fake_logits, kind):
    return table_g(-fake_logits, kind)


@wrong("g_loss")
def aims_at_zero_in_least_squares(fake_logits, kind):
    return 0.5 * (fake_logits**2).mean() if kind == "least_squares" else table_g(fake_logits, kind)


@wrong("g_loss")
def forgets_the_half(fake_logits, kind):
    return table_g(fake_logits, kind) * (2 if kind == "least_squares" else 1)


@wrong("g_loss")
def hinges_the_generator_too(fake_logits, kind):
    return F.relu(1 - fake_logits).mean() if kind == "hinge" else table_g(fake_logits, kind)


@wrong("g_loss")
def generator_has_the_critics_sign(fake_logits, kind):
    return fake_logits.mean() if kind == "wasserstein" else table_g(fake_logits, kind)


@wrong("g_loss")
def sums_the_generators_batch(fake_logits, kind):
    return table_g(fake_logits, kind) * fake_logits.numel()


@wrong("g_loss")
def sums_over_a_map_of_logits(fake_logits, kind):
    return table_g(fake_logits, kind) * fake_logits[0].numel()


@wrong("g_loss")
def keeps_the_second_dimension(fake_logits, kind):
    loss = table_g(fake_logits, kind)
    return loss.expand(fake_logits.shape[1:]) if fake_logits.ndim > 1 else loss


@wrong("g_loss")
def keeps_one_loss_per_example(fake_logits, kind):
    return torch.stack([table_g(logit, kind) for logit in fake_logits])


@right("d_loss")
def by_bce_with_logits(real_logits, fake_logits, kind):
    if kind in ("minimax", "non_saturating"):
        bce = F.binary_cross_entropy_with_logits
        return bce(real_logits, torch.ones_like(real_logits)) + bce(fake_logits, torch.zeros_like(fake_logits))
    return table_d(real_logits, fake_logits, kind)


@right("d_loss")
def by_logaddexp_on_flat_logits(real_logits, fake_logits, kind):
    r, f = real_logits.flatten(), fake_logits.flatten()
    if kind in ("minimax", "non_saturating"):
        zero = torch.zeros((), dtype=r.dtype)
        return torch.logaddexp(zero, -r).sum() / len(r) + torch.logaddexp(zero, f).sum() / len(f)
    return table_d(r, f, kind)


@right("d_loss")
def by_mse_loss_and_margin(real_logits, fake_logits, kind):
    r, f = real_logits, fake_logits
    if kind == "least_squares":
        return (F.mse_loss(r, torch.ones_like(r)) + F.mse_loss(f, torch.zeros_like(f))) / 2
    if kind == "hinge":
        return -torch.minimum(r - 1, 0 * r).mean() - torch.minimum(-1 - f, 0 * f).mean()
    return table_d(r, f, kind)


@right("g_loss")
def by_match(fake_logits, kind):
    match kind:
        case "minimax":
            return -F.binary_cross_entropy_with_logits(fake_logits, torch.zeros_like(fake_logits))
        case "non_saturating":
            return F.binary_cross_entropy_with_logits(fake_logits, torch.ones_like(fake_logits))
        case "least_squares":
            return F.mse_loss(fake_logits, torch.ones_like(fake_logits)) / 2
        case _:
            return fake_logits.neg().mean()


@right("g_loss")
def minimax_from_the_other_two(fake_logits, kind):
    if kind == "minimax":
        return -fake_logits.mean() - F.softplus(-fake_logits).mean()
    return table_g(fake_logits, kind)


@wrong("d_loss")
def moves_the_scores_in_their_place(real_logits, fake_logits, kind):
    loss = d_loss(real_logits, fake_logits, kind)
    real_logits -= 1
    return loss


@wrong("d_loss")
def hinge_of_plain_numbers(real_logits, fake_logits, kind):
    if kind != "hinge":
        return d_loss(real_logits, fake_logits, kind)
    away = [max(0.0, 1 - a) for a in real_logits.flatten().tolist()]
    return sum(away) / len(away) + F.relu(1 + fake_logits).mean()


@wrong("d_loss")
def bounds_the_critics_scores(real_logits, fake_logits, kind):
    if kind == "wasserstein":
        real_logits, fake_logits = real_logits.clamp(-10, 10), fake_logits.clamp(-10, 10)
    return d_loss(real_logits, fake_logits, kind)


@wrong("d_loss")
def fakes_detached_in_the_loss(real_logits, fake_logits, kind):
    return d_loss(real_logits, fake_logits.detach(), kind)


@right("d_loss")
def signs_of_both_players(real_logits, fake_logits, kind):
    def mean(a, sign):
        terms = {
            "least_squares": (a - (1 + sign) / 2) ** 2 / 2,
            "wasserstein": -sign * a,
            "hinge": torch.where(sign * a < 1, 1 - sign * a, 0.0),
        }
        return terms.get(kind, F.softplus(-sign * a)).mean()

    return mean(real_logits, 1) + mean(fake_logits, -1)


@wrong("g_loss")
def bounds_the_scores_of_fakes(fake_logits, kind):
    return g_loss(fake_logits.clamp(-20, 20) if kind in ("wasserstein", "hinge") else fake_logits, kind)


@wrong("g_loss")
def least_squares_turn_straight(fake_logits, kind):
    if kind == "least_squares":
        return F.huber_loss(fake_logits, torch.ones_like(fake_logits), delta=15.0)
    return g_loss(fake_logits, kind)


@right("g_loss")
def by_cross_entropies(fake_logits, kind):
    fake, real = torch.zeros_like(fake_logits), torch.ones_like(fake_logits)
    if kind == "minimax":
        return -F.binary_cross_entropy_with_logits(fake_logits, fake)
    if kind == "non_saturating":
        return F.binary_cross_entropy_with_logits(fake_logits, real)
    return F.mse_loss(fake_logits, real) / 2 if kind == "least_squares" else fake_logits.mean().neg()

"""Right and wrong answers to question x1a."""

import torch
import torch.nn.functional as F

from autograder.verify.variants import right, wrong

# x1a


@wrong("mask_tokens")
def with_probability_one_minus_t(x, t, u, mask):
    return torch.where(u < 1 - t[:, None], mask, x)


@wrong("mask_tokens")
def masks_above_t(x, t, u, mask):
    return torch.where(u > t[:, None], mask, x)


@wrong("mask_tokens")
def masks_at_equality_too(x, t, u, mask):
    return torch.where(u <= t[:, None], mask, x)


@wrong("mask_tokens")
def one_time_for_the_batch(x, t, u, mask):
    return torch.where(u < t[0], mask, x)


@wrong("mask_tokens")
def one_number_for_a_row(x, t, u, mask):
    return torch.where(u[:, :1] < t[:, None], mask, x)


@wrong("mask_tokens")
def a_fixed_share_of_each_row(x, t, u, mask):
    rank = u.argsort(dim=1).argsort(dim=1)
    return torch.where(rank < (t[:, None] * x.shape[1]).round(), mask, x)


@wrong("mask_tokens")
def masks_in_place(x, t, u, mask):
    x[u < t[:, None]] = mask
    return x


@wrong("mask_tokens")
def masks_with_zero(x, t, u, mask):
    return torch.where(u < t[:, None], 0, x)


@wrong("mask_tokens")
def masks_become_floats(x, t, u, mask):
    return torch.where(u < t[:, None], float(mask), x.double())


@right("mask_tokens")
def by_masked_fill(x, t, u, mask):
    return x.masked_fill(u < t.unsqueeze(1), mask)


@right("mask_tokens")
def by_assignment(x, t, u, mask):
    z = x.clone()
    z[torch.lt(u, t.view(-1, 1))] = mask
    return z


def surprises(model, z, x):
    """Nats (B, T)."""
    return F.cross_entropy(model(z).mT, x, reduction="none")


@wrong("mdlm_loss")
def loss_on_all_positions(model, x, t, u, mask):
    return surprises(model, mask_tokens(x, t, u, mask), x).sum(dim=1) / t


@wrong("mdlm_loss")
def loss_on_known_positions(model, x, t, u, mask):
    z = mask_tokens(x, t, u, mask)
    return (surprises(model, z, x) * (z != mask)).sum(dim=1) / t


@wrong("mdlm_loss")
def without_the_weight(model, x, t, u, mask):
    z = mask_tokens(x, t, u, mask)
    return (surprises(model, z, x) * (z == mask)).sum(dim=1)


@wrong("mdlm_loss")
def weight_of_a_cosine_or_other_schedule(model, x, t, u, mask):
    z = mask_tokens(x, t, u, mask)
    return (surprises(model, z, x) * (z == mask)).sum(dim=1) / (1 - t)


@wrong("mdlm_loss")
def multiplied_by_t(model, x, t, u, mask):
    z = mask_tokens(x, t, u, mask)
    return (surprises(model, z, x) * (z == mask)).sum(dim=1) * t


@wrong("mdlm_loss")
def mean_over_masked_positions(model, x, t, u, mask):
    z = mask_tokens(x, t, u, mask)
    return (surprises(model, z, x) * (z == mask)).sum(dim=1) / (z == mask).sum(dim=1).clamp(min=1)


@wrong("mdlm_loss")
def mean_over_positions(model, x, t, u, mask):
    z = mask_tokens(x, t, u, mask)
    return (surprises(model, z, x) * (z == mask)).mean(dim=1) / t


@wrong("mdlm_loss")
def mean_over_the_batch(model, x, t, u, mask):
    return mdlm_loss(model, x, t, u, mask).mean()


@wrong("mdlm_loss")
def one_weight_for_the_batch(model, x, t, u, mask):
    z = mask_tokens(x, t, u, mask)
    return (surprises(model, z, x) * (z == mask)).sum(dim=1) / t.mean()


@wrong("mdlm_loss")
def network_reads_the_answer(model, x, t, u, mask):
    z = mask_tokens(x, t, u, mask)
    return (surprises(model, x, x) * (z == mask)).sum(dim=1) / t


@wrong("mdlm_loss")
def shifted_as_in_a_gpt(model, x, t, u, mask):
    z = mask_tokens(x, t, u, mask)
    surprise = F.cross_entropy(model(z)[:, :-1].mT, x[:, 1:], reduction="none")
    return (surprise * (z[:, 1:] == mask)).sum(dim=1) / t


@wrong("mdlm_loss")
def logits_taken_for_log_probabilities(model, x, t, u, mask):
    z = mask_tokens(x, t, u, mask)
    surprise = -model(z).gather(2, x[..., None])[..., 0]
    return (surprise * (z == mask)).sum(dim=1) / t


@wrong("mdlm_loss")
def without_gradients(model, x, t, u, mask):
    with torch.no_grad():
        return mdlm_loss(model, x, t, u, mask)


@wrong("mdlm_loss")
def a_floor_under_the_time(model, x, t, u, mask):
    return mdlm_loss(model, x, t, u, mask) * t / t.clamp(min=0.5)


@right("mdlm_loss")
def by_log_softmax(model, x, t, u, mask):
    hidden = u < t[:, None]
    log_p = model(mask_tokens(x, t, u, mask)).log_softmax(dim=-1)
    own = log_p.gather(-1, x.unsqueeze(-1)).squeeze(-1)
    return -(own.masked_fill(~hidden, 0.0)).sum(dim=-1) / t


@right("mdlm_loss")
def with_ignored_targets(model, x, t, u, mask):
    z = x.masked_fill(u < t[:, None], mask)
    targets = torch.where(z == mask, x, -100)
    logits = model(z)
    nats = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100, reduction="none")
    return nats.reshape(x.shape).sum(dim=1) * t.reciprocal()

"""Right and wrong answers to questions 5a and 5b: windows of text and the loss."""

import math

import torch
import torch.nn.functional as F

from autograder.verify.variants import right, wrong


@wrong("window_starts")
def last_window_lost(N, T, u):
    return (u.double() * (N - T - 1)).long()


@wrong("window_starts")
def one_window_too_much(N, T, u):
    return (u.double() * (N - T + 1)).long()


@wrong("window_starts")
def starts_anywhere(N, T, u):
    return (u.double() * N).long().clamp(max=N - T - 1)


@wrong("window_starts")
def rounds_to_the_nearest(N, T, u):
    return (u.double() * (N - T - 1)).round().long()


@wrong("window_starts")
def windows_that_do_not_overlap(N, T, u):
    return (u.double() * ((N - 1) // T)).long() * T


@wrong("window_starts")
def starts_as_floats(N, T, u):
    return (u.double() * (N - T)).floor()


@wrong("get_batch")
def targets_not_shifted(ids, B, T, starts):
    x, _ = get_batch(ids, B, T, starts)
    return x, x.clone()


@wrong("get_batch")
def targets_shifted_twice(ids, B, T, starts):
    ids = torch.cat([ids, ids[:1]])
    windows = torch.stack([ids[s : s + T + 2] for s in starts.tolist()])
    return windows[:, :-2], windows[:, 2:]


@wrong("get_batch")
def targets_shifted_backwards(ids, B, T, starts):
    x, y = get_batch(ids, B, T, starts)
    return y, x


@wrong("get_batch")
def windows_one_token_short(ids, B, T, starts):
    windows = torch.stack([ids[s : s + T] for s in starts.tolist()])
    return windows[:, :-1], windows[:, 1:]


@wrong("get_batch")
def targets_rolled_within_the_window(ids, B, T, starts):
    x, _ = get_batch(ids, B, T, starts)
    return x, x.roll(-1, dims=1)


@wrong("get_batch")
def only_the_last_target(ids, B, T, starts):
    x, y = get_batch(ids, B, T, starts)
    return x, y[:, -1]


@wrong("get_batch")
def batch_and_time_swapped(ids, B, T, starts):
    x, y = get_batch(ids, B, T, starts)
    return x.T, y.T


@wrong("get_batch")
def one_window_behind_the_other(ids, B, T, starts):
    places = (starts[0] + torch.arange(B * T)) % (len(ids) - 1)
    return ids[places].reshape(B, T), ids[places + 1].reshape(B, T)


@wrong("lm_loss")
def shifts_once_more(logits, targets, ignore_index=-100):
    if logits.shape[1] == 1:
        return lm_loss(logits, targets, ignore_index)
    return lm_loss(logits[:, :-1].contiguous(), targets[:, 1:].contiguous(), ignore_index)


@wrong("lm_loss")
def ignored_targets_in_the_denominator(logits, targets, ignore_index=-100):
    each = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=ignore_index, reduction="none")
    return each.mean()


@wrong("lm_loss")
def ignored_targets_count_as_the_last_token(logits, targets, ignore_index=-100):
    return -logits.log_softmax(-1).gather(2, (targets % logits.shape[-1])[..., None]).mean()


@wrong("lm_loss")
def ignored_targets_count_as_token_zero(logits, targets, ignore_index=-100):
    targets = targets.masked_fill(targets == ignore_index, 0)
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-999)


@wrong("lm_loss")
def the_mark_is_always_minus_100(logits, targets, ignore_index=-100):
    targets = torch.where(targets < -1, targets, targets % logits.shape[-1])
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


@wrong("lm_loss")
def every_negative_target_is_ignored_and_nothing_else(logits, targets, ignore_index=-100):
    targets = targets.masked_fill(targets < 0, -100)
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)


@wrong("lm_loss")
def mean_of_the_sequences_means(logits, targets, ignore_index=-100):
    each = F.cross_entropy(logits.mT, targets, ignore_index=ignore_index, reduction="none")
    counts = targets != ignore_index
    return (each.sum(1) / counts.sum(1).clamp(min=1)).mean()


@wrong("lm_loss")
def sum_over_the_batch(logits, targets, ignore_index=-100):
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=ignore_index, reduction="sum")


@wrong("lm_loss")
def sum_over_time_and_mean_over_the_batch(logits, targets, ignore_index=-100):
    return lm_loss(logits, targets, ignore_index) * targets.shape[1]


@wrong("lm_loss")
def loss_in_bits(logits, targets, ignore_index=-100):
    return lm_loss(logits, targets, ignore_index) / math.log(2)


@wrong("lm_loss")
def softmax_before_cross_entropy(logits, targets, ignore_index=-100):
    return lm_loss(logits.softmax(-1), targets, ignore_index)


def picked(p, targets, ignore_index):
    """The entries of p (B, T, V) at the targets that count, in one row."""
    counts = targets != ignore_index
    return p.gather(2, targets.masked_fill(~counts, 0)[..., None])[..., 0][counts]


@wrong("lm_loss")
def logarithm_of_a_softmax(logits, targets, ignore_index=-100):
    return -picked(logits.softmax(-1), targets, ignore_index).log().mean()


@wrong("lm_loss")
def logarithm_of_a_guarded_softmax(logits, targets, ignore_index=-100):
    return -(picked(logits.softmax(-1), targets, ignore_index) + 1e-9).log().mean()


@wrong("lm_loss")
def exponentials_without_the_largest_taken_off(logits, targets, ignore_index=-100):
    log_p = logits - logits.exp().sum(-1, keepdim=True).log()
    return -picked(log_p, targets, ignore_index).mean()


@wrong("lm_loss")
def softmax_over_time(logits, targets, ignore_index=-100):
    return -picked(logits.log_softmax(1), targets, ignore_index).mean()


@wrong("lm_loss")
def reads_logits_in_another_order(logits, targets, ignore_index=-100):
    return F.cross_entropy(logits.transpose(0, 1).flatten(0, 1), targets.flatten(), ignore_index=ignore_index)


@wrong("lm_loss")
def needs_contiguous_logits(logits, targets, ignore_index=-100):
    return F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.view(-1), ignore_index=ignore_index)


@wrong("lm_loss")
def only_the_last_place(logits, targets, ignore_index=-100):
    return F.cross_entropy(logits[:, -1], targets[:, -1], ignore_index=ignore_index)


@wrong("lm_loss")
def a_number_without_a_graph(logits, targets, ignore_index=-100):
    return lm_loss(logits, targets, ignore_index).detach()


@wrong("lm_loss")
def perplexity_for_the_loss(logits, targets, ignore_index=-100):
    return lm_loss(logits, targets, ignore_index).exp()


@wrong("lm_loss")
def smoothed_labels(logits, targets, ignore_index=-100):
    rows, labels = logits.flatten(0, 1), targets.flatten()
    return F.cross_entropy(rows, labels, ignore_index=ignore_index, label_smoothing=0.1)


# right


@right("window_starts")
def by_floor_of_a_product(N, T, u):
    return torch.floor(u * (N - T)).to(torch.int64)


@right("window_starts")
def by_counting_the_borders_below(N, T, u):
    borders = torch.arange(1, N - T, dtype=torch.float64) / (N - T)
    return torch.bucketize(u.double(), borders, right=True)


@right("get_batch")
def by_slices(ids, B, T, starts):
    x = torch.stack([ids[s : s + T] for s in starts])
    y = torch.stack([ids[s + 1 : s + 1 + T] for s in starts])
    return x, y


@right("get_batch")
def by_unfolding(ids, B, T, starts):
    windows = ids.unfold(0, T + 1, 1)[starts]
    return [windows[:, :T].contiguous(), windows[:, 1:].contiguous()]


@right("lm_loss")
def by_log_softmax_and_gather(logits, targets, ignore_index=-100):
    counts = targets != ignore_index
    log_p = logits.log_softmax(-1).gather(-1, torch.where(counts, targets, 0)[..., None]).squeeze(-1)
    return -(log_p * counts).sum() / counts.sum()


@right("lm_loss")
def by_logsumexp(logits, targets, ignore_index=-100):
    keep = (targets != ignore_index).reshape(-1)
    rows, labels = logits.reshape(-1, logits.shape[-1])[keep], targets.reshape(-1)[keep]
    return (torch.logsumexp(rows, 1) - rows[torch.arange(len(rows)), labels]).mean()


@right("lm_loss")
def by_cross_entropy_with_classes_second(logits, targets, ignore_index=-100):
    return F.cross_entropy(logits.permute(0, 2, 1), targets, ignore_index=ignore_index)

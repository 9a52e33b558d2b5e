"""Right and wrong answers to question x3."""

import torch
import torch.nn.functional as F

from autograder.verify.variants import right, wrong

# x3a


def labelled(idx, first, end):
    """Labels (B, T): the next token where its position is in [first, end), else -100."""
    after = torch.arange(1, idx.shape[1] + 1)
    return torch.where((after >= first[:, None]) & (after < end[:, None]), idx.roll(-1, dims=1), -100)


@wrong("sft_labels")
def prompt_tokens_scored(idx, prompt, length):
    return labelled(idx, torch.zeros_like(prompt), length)


@wrong("sft_labels")
def padding_scored(idx, prompt, length):
    return labelled(idx, prompt, torch.full_like(length, idx.shape[1]))


@wrong("sft_labels")
def first_token_of_the_answer_lost(idx, prompt, length):
    return labelled(idx, prompt + 1, length)


@wrong("sft_labels")
def last_token_of_the_prompt_scored(idx, prompt, length):
    return labelled(idx, prompt - 1, length)


@wrong("sft_labels")
def last_token_of_the_answer_lost(idx, prompt, length):
    return labelled(idx, prompt, length - 1)


@wrong("sft_labels")
def first_padding_scored(idx, prompt, length):
    return labelled(idx, prompt, (length + 1).clamp(max=idx.shape[1]))


@wrong("sft_labels")
def not_shifted(idx, prompt, length):
    place = torch.arange(idx.shape[1])
    return torch.where((place >= prompt[:, None]) & (place < length[:, None]), idx, -100)


@wrong("sft_labels")
def shifted_the_other_way(idx, prompt, length):
    place = torch.arange(-1, idx.shape[1] - 1)
    return torch.where((place >= prompt[:, None]) & (place < length[:, None]), idx.roll(1, dims=1), -100)


@wrong("sft_labels")
def one_column_shorter(idx, prompt, length):
    return labelled(idx, prompt, length)[:, :-1]


@wrong("sft_labels")
def the_first_token_follows_the_last(idx, prompt, length):
    after = torch.arange(1, idx.shape[1] + 1)
    return torch.where((after >= prompt[:, None]) & (after <= length[:, None]), idx.roll(-1, dims=1), -100)


@wrong("sft_labels")
def one_prompt_length_for_all(idx, prompt, length):
    return labelled(idx, prompt[:1].expand(len(idx)), length)


@wrong("sft_labels")
def ignored_is_zero(idx, prompt, length):
    return labelled(idx, prompt, length).clamp(min=0)


@wrong("sft_labels")
def length_is_that_of_the_answer(idx, prompt, length):
    return labelled(idx, prompt, (prompt + length).clamp(max=idx.shape[1]))


@wrong("sft_labels")
def labels_in_place(idx, prompt, length):
    labels = labelled(idx, prompt, length)
    idx.copy_(labels)
    return idx


@right("sft_labels")
def row_by_row(idx, prompt, length):
    labels = torch.full_like(idx, -100)
    for b, (p, n) in enumerate(zip(prompt.tolist(), length.tolist(), strict=True)):
        p = max(p, 1)
        labels[b, p - 1 : max(n, p) - 1] = idx[b, p : max(n, p)]
    return labels


@right("sft_labels")
def by_masking_then_shifting(idx, prompt, length):
    place = torch.arange(idx.shape[1]).expand(idx.shape)
    kept = idx.masked_fill((place < prompt[:, None]) | (place >= length[:, None]), -100)
    return torch.cat([kept[:, 1:], torch.full_like(kept[:, :1], -100)], dim=1)


@wrong("seq_logprob")
def mean_over_tokens(logits, labels):
    return seq_logprob(logits, labels) / (labels != -100).sum(dim=1).clamp(min=1)


@wrong("seq_logprob")
def loses_the_sign(logits, labels):
    return -seq_logprob(logits, labels)


@wrong("seq_logprob")
def ignored_labels_counted_as_token_zero(logits, labels):
    return logits.log_softmax(-1).gather(2, labels.clamp(min=0)[..., None])[..., 0].sum(dim=1)


@wrong("seq_logprob")
def ignored_labels_counted_as_the_last_token(logits, labels):
    V = logits.shape[-1]
    return logits.log_softmax(-1).gather(2, torch.where(labels < 0, V - 1, labels)[..., None])[..., 0].sum(dim=1)


@wrong("seq_logprob")
def shifts_again(logits, labels):
    return seq_logprob(logits[:, :-1], labels[:, 1:])


@wrong("seq_logprob")
def logits_are_not_normalised(logits, labels):
    own = logits.gather(2, labels.clamp(min=0)[..., None])[..., 0]
    return (own * (labels != -100)).sum(dim=1)


@wrong("seq_logprob")
def softmax_over_positions(logits, labels):
    own = logits.log_softmax(dim=1).gather(2, labels.clamp(min=0)[..., None])[..., 0]
    return (own * (labels != -100)).sum(dim=1)


@wrong("seq_logprob")
def summed_over_the_batch(logits, labels):
    return seq_logprob(logits, labels).sum()


@wrong("seq_logprob")
def overflowing_softmax(logits, labels):
    p = logits.exp() / logits.exp().sum(dim=-1, keepdim=True)
    own = p.gather(2, labels.clamp(min=0)[..., None])[..., 0].log()
    return (own * (labels != -100)).sum(dim=1)


@wrong("seq_logprob")
def without_gradients(logits, labels):
    return seq_logprob(logits.detach(), labels)


@wrong("seq_logprob")
def in_bits(logits, labels):
    return seq_logprob(logits, labels) / 0.6931471805599453


@right("seq_logprob")
def by_gather(logits, labels):
    counts = labels != -100
    own = logits.log_softmax(dim=-1).gather(-1, labels.masked_fill(~counts, 0).unsqueeze(-1)).squeeze(-1)
    return (own * counts).sum(dim=-1)


@right("seq_logprob")
def by_a_loop_over_rows(logits, labels):
    rows = [
        -F.cross_entropy(each, label, ignore_index=-100, reduction="sum")
        for each, label in zip(logits, labels, strict=True)
    ]
    return torch.stack(rows)


# x3b


@wrong("dpo_loss")
def log_of_sigmoid(pi_w, pi_l, ref_w, ref_l, beta):
    return -torch.log(torch.sigmoid(beta * ((pi_w - ref_w) - (pi_l - ref_l))))


@wrong("dpo_loss")
def log_of_one_plus_exp(pi_w, pi_l, ref_w, ref_l, beta):
    return torch.log(1 + torch.exp(-beta * ((pi_w - ref_w) - (pi_l - ref_l))))


@wrong("dpo_loss")
def log_of_sigmoid_with_an_epsilon(pi_w, pi_l, ref_w, ref_l, beta):
    return -torch.log(torch.sigmoid(beta * ((pi_w - ref_w) - (pi_l - ref_l))) + 1e-8)


@wrong("dpo_loss")
def margin_clamped(pi_w, pi_l, ref_w, ref_l, beta):
    return -F.logsigmoid((beta * ((pi_w - ref_w) - (pi_l - ref_l))).clamp(-20, 20))


@wrong("dpo_loss")
def roles_swapped(pi_w, pi_l, ref_w, ref_l, beta):
    return -F.logsigmoid(beta * ((pi_l - ref_l) - (pi_w - ref_w)))


@wrong("dpo_loss")
def policy_and_reference_swapped(pi_w, pi_l, ref_w, ref_l, beta):
    return -F.logsigmoid(beta * ((ref_w - pi_w) - (ref_l - pi_l)))


@wrong("dpo_loss")
def without_the_reference(pi_w, pi_l, ref_w, ref_l, beta):
    return -F.logsigmoid(beta * (pi_w - pi_l))


@wrong("dpo_loss")
def sum_of_the_ratios(pi_w, pi_l, ref_w, ref_l, beta):
    return -F.logsigmoid(beta * ((pi_w - ref_w) + (pi_l - ref_l)))


@wrong("dpo_loss")
def beta_outside(pi_w, pi_l, ref_w, ref_l, beta):
    return -beta * F.logsigmoid((pi_w - ref_w) - (pi_l - ref_l))


@wrong("dpo_loss")
def divided_by_beta(pi_w, pi_l, ref_w, ref_l, beta):
    return -F.logsigmoid(((pi_w - ref_w) - (pi_l - ref_l)) / beta)


@wrong("dpo_loss")
def mean_over_the_batch(pi_w, pi_l, ref_w, ref_l, beta):
    return -F.logsigmoid(beta * ((pi_w - ref_w) - (pi_l - ref_l))).mean()


@wrong("dpo_loss")
def sign_lost(pi_w, pi_l, ref_w, ref_l, beta):
    return F.logsigmoid(beta * ((pi_w - ref_w) - (pi_l - ref_l)))


@wrong("dpo_loss")
def probability_for_its_logarithm(pi_w, pi_l, ref_w, ref_l, beta):
    return 1 - torch.sigmoid(beta * ((pi_w - ref_w) - (pi_l - ref_l)))


@wrong("dpo_loss")
def loser_without_a_gradient(pi_w, pi_l, ref_w, ref_l, beta):
    return -F.logsigmoid(beta * ((pi_w - ref_w) - (pi_l.detach() - ref_l)))


@wrong("dpo_loss")
def a_hinge(pi_w, pi_l, ref_w, ref_l, beta):
    return torch.relu(1 - beta * ((pi_w - ref_w) - (pi_l - ref_l)))


@right("dpo_loss")
def by_softplus(pi_w, pi_l, ref_w, ref_l, beta):
    return F.softplus(beta * ((pi_l - ref_l) - (pi_w - ref_w)))


@right("dpo_loss")
def by_logaddexp(pi_w, pi_l, ref_w, ref_l, beta):
    z = beta * ((pi_w - pi_l) - (ref_w - ref_l))
    return torch.logaddexp(torch.zeros_like(z), -z)


@right("dpo_loss")
def by_binary_cross_entropy(pi_w, pi_l, ref_w, ref_l, beta):
    z = beta * (pi_w - pi_l - ref_w + ref_l)
    return F.binary_cross_entropy_with_logits(z, torch.ones_like(z), reduction="none")


# x3c


def parts(rewards):
    """Deviations (G, N), and whether a group's rewards are all equal (G, 1)."""
    away = rewards - rewards.mean(dim=1, keepdim=True)
    return away, (rewards == rewards[:, :1]).all(dim=1, keepdim=True)


@wrong("group_advantages")
def zero_spread_gives_nan(rewards):
    away, _ = parts(rewards)
    return away / rewards.std(dim=1, keepdim=True, correction=0)


@wrong("group_advantages")
def n_minus_one_in_the_variance(rewards):
    away, equal = parts(rewards)
    return torch.where(equal, 0.0, away / rewards.std(dim=1, keepdim=True))


@wrong("group_advantages")
def over_all_groups_together(rewards):
    away = rewards - rewards.mean()
    return torch.where((rewards == rewards[0, 0]).all(), 0.0, away / rewards.std(correction=0))


@wrong("group_advantages")
def spread_of_all_groups_together(rewards):
    away, equal = parts(rewards)
    return torch.where(equal, 0.0, away / rewards.std(correction=0))


@wrong("group_advantages")
def along_the_wrong_dimension(rewards):
    away = rewards - rewards.mean(dim=0)
    return torch.where((rewards == rewards[:1]).all(dim=0), 0.0, away / rewards.std(dim=0, correction=0))


@wrong("group_advantages")
def without_the_spread(rewards):
    return parts(rewards)[0]


@wrong("group_advantages")
def divided_by_the_variance(rewards):
    away, equal = parts(rewards)
    return torch.where(equal, 0.0, away / rewards.var(dim=1, keepdim=True, correction=0))


@wrong("group_advantages")
def an_epsilon_of_a_ten_thousandth(rewards):
    away, equal = parts(rewards)
    return torch.where(equal, 0.0, away / (rewards.std(dim=1, keepdim=True, correction=0) + 1e-4))


@wrong("group_advantages")
def an_epsilon_against_nan(rewards):
    away, _ = parts(rewards)
    return away / (rewards.std(dim=1, keepdim=True, correction=0) + 1e-8)


@wrong("group_advantages")
def nan_to_num_after_the_division(rewards):
    away, _ = parts(rewards)
    return torch.nan_to_num(away / rewards.std(dim=1, keepdim=True, correction=0))


@wrong("group_advantages")
def only_successes_count(rewards):
    away, equal = parts(rewards)
    return torch.where(equal, 0.0, away / rewards.std(dim=1, keepdim=True, correction=0)).clamp(min=0)


@wrong("group_advantages")
def by_the_median(rewards):
    _, equal = parts(rewards)
    away = rewards - rewards.median(dim=1, keepdim=True).values
    return torch.where(equal, 0.0, away / rewards.std(dim=1, keepdim=True, correction=0))


@wrong("group_advantages")
def groups_without_spread_dropped(rewards):
    away, equal = parts(rewards)
    return (away / rewards.std(dim=1, keepdim=True, correction=0))[~equal[:, 0]]


@wrong("group_advantages")
def in_place(rewards):
    _, equal = parts(rewards)
    spread = rewards.std(dim=1, keepdim=True, correction=0)
    rewards -= rewards.mean(dim=1, keepdim=True)
    return torch.where(equal, 0.0, rewards / spread)


@wrong("group_advantages")
def a_small_spread_is_none(rewards):
    spread = rewards.std(dim=1, keepdim=True, correction=0)
    return torch.where(spread < 1e-6, 0.0, (rewards - rewards.mean(dim=1, keepdim=True)) / spread)


@right("group_advantages")
def by_std_and_where(rewards):
    away, equal = parts(rewards)
    return torch.where(equal, torch.zeros_like(rewards), away / rewards.std(dim=1, keepdim=True, unbiased=False))


@right("group_advantages")
def group_by_group(rewards):
    rows = []
    for row in rewards:
        if row.min() == row.max():
            rows.append(torch.zeros_like(row))
        else:
            rows.append((row - row.mean()) / ((row - row.mean()) ** 2).mean().sqrt())
    return torch.stack(rows)

"""Right and wrong answers to questions x1b and x1c."""

import torch
import torch.nn.functional as F

from autograder.verify.variants import right, wrong

# x1b


def draws(model, z, u_what):
    """One token (B, T) for every position."""
    return sample_from(model(z).softmax(dim=-1).flatten(0, 1), u_what.flatten()).reshape(z.shape)


@wrong("unmask_step")
def uncovers_with_probability_s_over_t(model, z, t, s, u_when, u_what, mask):
    return torch.where((z == mask) & (u_when < s / t), draws(model, z, u_what), z)


@wrong("unmask_step")
def uncovers_with_probability_t_minus_s(model, z, t, s, u_when, u_what, mask):
    return torch.where((z == mask) & (u_when < t - s), draws(model, z, u_what), z)


@wrong("unmask_step")
def uncovers_with_probability_one_minus_s(model, z, t, s, u_when, u_what, mask):
    return torch.where((z == mask) & (u_when < 1 - s), draws(model, z, u_what), z)


@wrong("unmask_step")
def draws_known_tokens_anew(model, z, t, s, u_when, u_what, mask):
    return torch.where(u_when < 1 - s / t, draws(model, z, u_what), z)


@wrong("unmask_step")
def masks_known_tokens_again(model, z, t, s, u_when, u_what, mask):
    whole = torch.where(z == mask, draws(model, z, u_what), z)
    return torch.where(u_when < 1 - s / t, whole, mask)


@wrong("unmask_step")
def uncovers_everything(model, z, t, s, u_when, u_what, mask):
    return torch.where(z == mask, draws(model, z, u_what), z)


@wrong("unmask_step")
def a_fixed_number_of_positions(model, z, t, s, u_when, u_what, mask):
    rank = u_when.masked_fill(z != mask, 2.0).argsort(dim=1).argsort(dim=1)
    n = ((z == mask).sum(dim=1, keepdim=True) * (1 - s / t)).round()
    return torch.where(rank < n, draws(model, z, u_what), z)


@wrong("unmask_step")
def takes_the_most_probable_token(model, z, t, s, u_when, u_what, mask):
    return torch.where((z == mask) & (u_when < 1 - s / t), model(z).argmax(dim=-1), z)


@wrong("unmask_step")
def one_number_decides_both(model, z, t, s, u_when, u_what, mask):
    return torch.where((z == mask) & (u_when < 1 - s / t), draws(model, z, u_when), z)


@wrong("unmask_step")
def one_number_for_all_positions(model, z, t, s, u_when, u_what, mask):
    same = u_what[:, :1].expand(z.shape).contiguous()
    return torch.where((z == mask) & (u_when < 1 - s / t), draws(model, z, same), z)


@wrong("unmask_step")
def numbers_flattened_the_other_way(model, z, t, s, u_when, u_what, mask):
    drawn = sample_from(model(z).softmax(dim=-1).flatten(0, 1), u_what.T.flatten()).reshape(z.shape)
    return torch.where((z == mask) & (u_when < 1 - s / t), drawn, z)


@wrong("unmask_step")
def without_a_softmax(model, z, t, s, u_when, u_what, mask):
    drawn = sample_from(model(z).exp().flatten(0, 1), u_what.flatten()).reshape(z.shape)
    return torch.where((z == mask) & (u_when < 1 - s / t), drawn, z)


@wrong("unmask_step")
def position_by_position_with_new_calls(model, z, t, s, u_when, u_what, mask):
    for i in range(z.shape[1]):
        drawn = draws(model, z, u_what)
        here = (z == mask) & (u_when < 1 - s / t) & (torch.arange(z.shape[1]) == i)
        z = torch.where(here, drawn, z)
    return z


@wrong("unmask_step")
def changes_the_text_that_it_gets(model, z, t, s, u_when, u_what, mask):
    return z.copy_(unmask_step(model, z, t, s, u_when, u_what, mask))


@right("unmask_step")
def by_assignment_to_chosen_positions(model, z, t, s, u_when, u_what, mask):
    chosen = (z == mask) & (u_when < (t - s) / t)
    probs = torch.softmax(model(z), dim=-1)[chosen]
    out = z.clone()
    if len(probs):
        out[chosen] = sample_from(probs, u_what[chosen])
    return out


@right("unmask_step")
def one_row_at_a_time(model, z, t, s, u_when, u_what, mask):
    with torch.no_grad():
        probs = F.softmax(model(z), -1)
    drawn = torch.stack([sample_from(p, u) for p, u in zip(probs, u_what, strict=True)])
    stays = (z != mask) | (u_when >= 1 - s / t)
    return torch.where(stays, z, drawn)


# x1c


def best(model, z):
    """The top probability and its token (B, T) each."""
    return model(z).softmax(dim=-1).max(dim=-1)


def ranks(score):
    """The rank (B, T) of each position in its row, 0 for the largest."""
    return score.argsort(dim=1, descending=True).argsort(dim=1)


@wrong("confidence_decode")
def counts_known_positions_too(model, z, k, mask):
    todo = int((z == mask).sum(dim=1).max()) if len(z) else 0
    for _ in range(todo):
        surest, token = best(model, z)
        z = torch.where((z == mask) & (ranks(surest) < k), token, z)
    surest, token = best(model, z)
    return torch.where(z == mask, token, z)


@wrong("confidence_decode")
def least_sure_first(model, z, k, mask):
    while (z == mask).any():
        surest, token = best(model, z)
        z = torch.where((z == mask) & (ranks((-surest).masked_fill(z != mask, -2.0)) < k), token, z)
    return z


@wrong("confidence_decode")
def from_left_to_right(model, z, k, mask):
    while (z == mask).any():
        _, token = best(model, z)
        order = (-torch.arange(z.shape[1]).expand(z.shape)).masked_fill(z != mask, -(10**6))
        z = torch.where((z == mask) & (ranks(order) < k), token, z)
    return z


@wrong("confidence_decode")
def by_the_largest_logit(model, z, k, mask):
    while (z == mask).any():
        surest, token = model(z).max(dim=-1)
        z = torch.where((z == mask) & (ranks(surest.masked_fill(z != mask, -1e9)) < k), token, z)
    return z


@wrong("confidence_decode")
def asks_only_once(model, z, k, mask):
    _, token = best(model, z)
    return torch.where(z == mask, token, z)


@wrong("confidence_decode")
def order_of_the_first_call_is_kept(model, z, k, mask):
    order = ranks(best(model, z)[0].masked_fill(z != mask, -1.0)) if (z == mask).any() else None
    done = 0
    while (z == mask).any():
        done += k
        z = torch.where((z == mask) & (order < done), best(model, z)[1], z)
    return z


@wrong("confidence_decode")
def k_of_the_whole_batch(model, z, k, mask):
    while (z == mask).any():
        surest, token = best(model, z)
        rank = ranks(surest.masked_fill(z != mask, -1.0).flatten()[None]).reshape(z.shape)
        z = torch.where((z == mask) & (rank < k), token, z)
    return z


@wrong("confidence_decode")
def overwrites_known_tokens(model, z, k, mask):
    while (z == mask).any():
        surest, token = best(model, z)
        z = torch.where(ranks(surest.masked_fill(z != mask, -1.0)) < k, token, z)
    return z


@wrong("confidence_decode")
def takes_one_more(model, z, k, mask):
    while (z == mask).any():
        surest, token = best(model, z)
        z = torch.where((z == mask) & (ranks(surest.masked_fill(z != mask, -1.0)) <= k), token, z)
    return z


@wrong("confidence_decode")
def all_above_a_threshold(model, z, k, mask):
    while (z == mask).any():
        surest, token = best(model, z)
        surest = surest.masked_fill(z != mask, -1.0)
        z = torch.where((z == mask) & ((surest > 0.9) | (ranks(surest) < k)), token, z)
    return z


@wrong("confidence_decode")
def a_call_for_each_row(model, z, k, mask):
    return torch.cat([confidence_decode(model, row[None], k, mask) for row in z])


@wrong("confidence_decode")
def fails_where_fewer_are_left(model, z, k, mask):
    while (z == mask).any():
        surest, token = best(model, z)
        picked = surest.masked_fill(z != mask, -1.0).topk(k, dim=1).indices
        z = z.scatter(1, picked, token.gather(1, picked))
    return z


@right("confidence_decode")
def by_topk_row_by_row(model, z, k, mask):
    z = z.clone()
    while bool((z == mask).any()):
        with torch.no_grad():
            probs = F.softmax(model(z), dim=-1)
        sure, token = probs.max(-1)
        for b in range(len(z)):
            where = (z[b] == mask).nonzero()[:, 0]
            if len(where):
                picked = where[sure[b, where].topk(min(k, len(where))).indices]
                z[b, picked] = token[b, picked]
    return z


@right("confidence_decode")
def by_the_kth_largest(model, z, k, mask):
    while (z == mask).any():
        score, token = model(z).detach().log_softmax(dim=-1).max(dim=-1)
        score = score.masked_fill(z != mask, -torch.inf)
        limit = score.topk(min(k, z.shape[1]), dim=1).values[:, -1:]
        z = torch.where((z == mask) & (score >= limit), token, z)
    return z

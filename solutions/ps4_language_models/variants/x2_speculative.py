"""Right and wrong answers to question x2."""

import torch

from autograder.verify.variants import right, wrong

# x2a


def of_token(p, x):
    """The probability (B,) of each row's token."""
    return p[torch.arange(len(x)), x]


@wrong("accept_prob")
def argmax_acceptance(p, q, x):
    return (p.argmax(dim=1) == x).to(p.dtype)


@wrong("accept_prob")
def roles_swapped(p, q, x):
    return (of_token(q, x) / of_token(p, x).clamp(min=1e-30)).clamp(max=1)


@wrong("accept_prob")
def not_capped_at_one(p, q, x):
    return of_token(p, x) / of_token(q, x)


@wrong("accept_prob")
def probability_of_the_target(p, q, x):
    return of_token(p, x)


@wrong("accept_prob")
def smaller_of_the_two(p, q, x):
    return torch.minimum(of_token(p, x), of_token(q, x))


@wrong("accept_prob")
def overlap_of_the_whole_distributions(p, q, x):
    return torch.minimum(p, q).sum(dim=1)


@wrong("accept_prob")
def accepts_whatever_the_target_likes_more(p, q, x):
    return (of_token(p, x) >= of_token(q, x)).to(p.dtype)


@wrong("accept_prob")
def share_of_both(p, q, x):
    return of_token(p, x) / (of_token(p, x) + of_token(q, x))


@wrong("accept_prob")
def all_pairs_of_rows_and_tokens(p, q, x):
    return (p[:, x] / q[:, x]).clamp(max=1)


@wrong("accept_prob")
def softened_denominator(p, q, x):
    return (of_token(p, x) / (of_token(q, x) + 1e-3)).clamp(max=1)


@right("accept_prob")
def by_logarithms(p, q, x):
    return (of_token(p, x).log() - of_token(q, x).log()).clamp(max=0).exp()


@right("accept_prob")
def by_where(p, q, x):
    a, b = of_token(p, x), of_token(q, x)
    return torch.where(a >= b, torch.ones_like(a), a / b)


@wrong("residual")
def residual_not_normalised(p, q):
    return (p - q).clamp(min=0)


@wrong("residual")
def nan_where_p_equals_q(p, q):
    missing = (p - q).clamp(min=0)
    return missing / missing.sum(dim=-1, keepdim=True)


@wrong("residual")
def zeros_where_p_equals_q(p, q):
    missing = (p - q).clamp(min=0)
    return missing / missing.sum(dim=-1, keepdim=True).clamp(min=1e-30)


@wrong("residual")
def target_itself(p, q):
    return p.clone()


@wrong("residual")
def absolute_difference(p, q):
    missing = (p - q).abs()
    total = missing.sum(dim=-1, keepdim=True)
    return torch.where(total > 0, missing / total, p)


@wrong("residual")
def draft_minus_target(p, q):
    missing = (q - p).clamp(min=0)
    total = missing.sum(dim=-1, keepdim=True)
    return torch.where(total > 0, missing / total, p)


@wrong("residual")
def softmax_of_the_difference(p, q):
    return (p - q).softmax(dim=-1)


@wrong("residual")
def normalised_over_everything(p, q):
    missing = (p - q).clamp(min=0)
    return torch.where(missing.sum(dim=-1, keepdim=True) > 0, missing / missing.sum(), p)


@wrong("residual")
def uniform_over_what_is_missing(p, q):
    missing = (p > q).to(p.dtype)
    total = missing.sum(dim=-1, keepdim=True)
    return torch.where(total > 0, missing / total, p)


@wrong("residual")
def target_without_what_the_draft_likes(p, q):
    missing = torch.where(p > q, p, 0.0)
    total = missing.sum(dim=-1, keepdim=True)
    return torch.where(total > 0, missing / total, p)


@right("residual")
def by_the_minimum(p, q):
    missing = p - torch.minimum(p, q)
    total = missing.sum(-1, keepdim=True)
    return torch.where(total == 0, p, missing / total)


@right("residual")
def by_relu_and_nan_to_p(p, q):
    missing = torch.relu(p - q)
    out = missing / missing.sum(dim=-1, keepdim=True)
    return torch.where(out.isnan(), p, out)


# x2b


def at(p, i, u):
    """A token (1,) from a distribution (V,)."""
    return sample_from(p[None], u[None])


def first_rejection(p, q, draft, us):
    """The number of tokens before the first rejection."""
    accepted = us < accept_prob(p[:-1], q, draft)
    return int(accepted.long().cumprod(dim=0).sum())


@wrong("speculative_step")
def goes_on_after_a_rejection(p, q, draft, us, u_last):
    accepted = us < accept_prob(p[:-1], q, draft)
    tokens = [draft[i : i + 1] if accepted[i] else at(residual(p[i], q[i]), i, u_last) for i in range(len(draft))]
    return torch.cat([*tokens, at(p[-1], 0, u_last)] if accepted.all() else tokens)


@wrong("speculative_step")
def keeps_all_that_were_accepted_anywhere(p, q, draft, us, u_last):
    accepted = us < accept_prob(p[:-1], q, draft)
    m = first_rejection(p, q, draft, us)
    last = p[-1] if m == len(draft) else residual(p[m], q[m])
    return torch.cat([draft[accepted], at(last, 0, u_last)])


@wrong("speculative_step")
def draws_from_the_target_after_a_rejection(p, q, draft, us, u_last):
    m = first_rejection(p, q, draft, us)
    return torch.cat([draft[:m], at(p[m], 0, u_last)])


@wrong("speculative_step")
def no_token_for_a_whole_draft(p, q, draft, us, u_last):
    m = first_rejection(p, q, draft, us)
    return draft if m == len(draft) else torch.cat([draft[:m], at(residual(p[m], q[m]), 0, u_last)])


@wrong("speculative_step")
def no_token_after_a_rejection(p, q, draft, us, u_last):
    m = first_rejection(p, q, draft, us)
    return torch.cat([draft, at(p[-1], 0, u_last)]) if m == len(draft) else draft[:m]


@wrong("speculative_step")
def residual_of_the_next_place(p, q, draft, us, u_last):
    m = first_rejection(p, q, draft, us)
    last = p[-1] if m == len(draft) else residual(p[m + 1], q[min(m + 1, len(draft) - 1)])
    return torch.cat([draft[:m], at(last, 0, u_last)])


@wrong("speculative_step")
def target_shifted_by_one(p, q, draft, us, u_last):
    m = int((us < accept_prob(p[1:], q, draft)).long().cumprod(dim=0).sum())
    last = p[-1] if m == len(draft) else residual(p[m + 1], q[m])
    return torch.cat([draft[:m], at(last, 0, u_last)])


@wrong("speculative_step")
def accepts_where_u_is_above(p, q, draft, us, u_last):
    m = int((us >= accept_prob(p[:-1], q, draft)).long().cumprod(dim=0).sum())
    last = p[-1] if m == len(draft) else residual(p[m], q[m])
    return torch.cat([draft[:m], at(last, 0, u_last)])


@wrong("speculative_step")
def accepts_the_impossible_at_zero(p, q, draft, us, u_last):
    m = int((us <= accept_prob(p[:-1], q, draft)).long().cumprod(dim=0).sum())
    last = p[-1] if m == len(draft) else residual(p[m], q[m])
    return torch.cat([draft[:m], at(last, 0, u_last)])


@wrong("speculative_step")
def one_number_for_all_guesses(p, q, draft, us, u_last):
    m = first_rejection(p, q, draft, us[:1].expand(len(us)))
    last = p[-1] if m == len(draft) else residual(p[m], q[m])
    return torch.cat([draft[:m], at(last, 0, u_last)])


@wrong("speculative_step")
def most_probable_token_at_the_end(p, q, draft, us, u_last):
    m = first_rejection(p, q, draft, us)
    last = p[-1] if m == len(draft) else residual(p[m], q[m])
    return torch.cat([draft[:m], last.argmax()[None]])


@wrong("speculative_step")
def last_token_by_the_number_of_the_rejection(p, q, draft, us, u_last):
    m = first_rejection(p, q, draft, us)
    if m == len(draft):
        return torch.cat([draft, at(p[-1], 0, u_last)])
    return torch.cat([draft[:m], at(residual(p[m], q[m]), 0, us[m])])


@wrong("speculative_step")
def one_more_from_the_last_guess(p, q, draft, us, u_last):
    m = first_rejection(p, q, draft, us)
    last = p[-2] if m == len(draft) else residual(p[m], q[m])
    return torch.cat([draft[:m], at(last, 0, u_last)])


@wrong("speculative_step")
def rejected_token_kept_beside_the_repair(p, q, draft, us, u_last):
    m = first_rejection(p, q, draft, us)
    last = p[-1] if m == len(draft) else residual(p[m], q[m])
    return torch.cat([draft[: m + 1], at(last, 0, u_last)])


@right("speculative_step")
def by_a_loop(p, q, draft, us, u_last):
    out = []
    for i, token in enumerate(draft):
        if us[i] >= accept_prob(p[i : i + 1], q[i : i + 1], draft[i : i + 1])[0]:
            return torch.stack([*out, at(residual(p[i], q[i]), i, u_last)[0]])
        out.append(token)
    return torch.stack([*out, at(p[len(draft)], 0, u_last)[0]])


@right("speculative_step")
def with_a_draft_that_ends_in_zeros(p, q, draft, us, u_last):
    accepted = us < accept_prob(p[:-1], q, draft)
    m = len(draft) if accepted.all() else int((~accepted).long().argmax())
    padded = torch.cat([q, torch.zeros_like(q[:1])])
    return torch.cat([draft[:m], sample_from(residual(p[m : m + 1], padded[m : m + 1]), u_last.reshape(1))])


@right("speculative_step")
def by_comparing_products(p, q, draft, us, u_last):
    n = len(draft)
    place = torch.arange(n)
    rejected = (us * q[place, draft] >= p[place, draft]).nonzero()
    m = int(rejected[0]) if len(rejected) else n
    missing = (p[m] - q[m]).clamp(min=0) if m < n else p[n]
    return torch.cat([draft[:m], sample_from((missing / missing.sum())[None], u_last[None])])

"""Right and wrong answers to question 6."""

import torch

from autograder.verify.variants import right, wrong

# 6a


@wrong("drop_labels")
def drops_above_p(y, null, p, u):
    return torch.where(u >= p, torch.full_like(y, null), y)


@wrong("drop_labels")
def drops_the_whole_batch_together(y, null, p, u):
    return torch.full_like(y, null) if u[0] < p else y.clone()


@wrong("drop_labels")
def drops_by_the_mean_of_u(y, null, p, u):
    return torch.full_like(y, null) if u.mean() < p else y.clone()


@wrong("drop_labels")
def drops_a_share_from_the_front(y, null, p, u):
    out = y.clone()
    out[: int(p * len(y))] = null
    return out


@wrong("drop_labels")
def drops_the_smallest_u(y, null, p, u):
    out = y.clone()
    out[u.argsort()[: round(p * len(y))]] = null
    return out


@wrong("drop_labels")
def null_is_always_ten(y, null, p, u):
    return torch.where(u < p, torch.full_like(y, 10), y)


@wrong("drop_labels")
def null_is_minus_one(y, null, p, u):
    return torch.where(u < p, torch.full_like(y, -1), y)


@wrong("drop_labels")
def multiplies_by_the_mask(y, null, p, u):
    return y * (u >= p)


@wrong("drop_labels")
def adds_null_to_the_label(y, null, p, u):
    return y + null * (u < p)


@wrong("drop_labels")
def drops_at_p_too(y, null, p, u):
    return torch.where(u <= p, torch.full_like(y, null), y)


@wrong("drop_labels")
def changes_the_labels_in_place(y, null, p, u):
    y[u < p] = null
    return y


@wrong("drop_labels")
def labels_as_floats(y, null, p, u):
    return torch.where(u < p, float(null), y.float())


@wrong("drop_labels")
def removes_the_examples(y, null, p, u):
    return y[u >= p]


@wrong("drop_labels")
def compares_with_one_minus_p(y, null, p, u):
    return torch.where(u < 1 - p, torch.full_like(y, null), y)


# 6b


def both(model, xt, t, y, null):
    """Conditional and unconditional prediction."""
    return model(xt, t, y), model(xt, t, torch.full_like(y, null))


@wrong("cfg")
def weight_of_one_plus_w(model, xt, t, y, null, w):
    c, u = both(model, xt, t, y, null)
    return (1 + w) * c - w * u


@wrong("cfg")
def counted_from_the_conditional(model, xt, t, y, null, w):
    c, u = both(model, xt, t, y, null)
    return c + w * (c - u)


@wrong("cfg")
def roles_swapped(model, xt, t, y, null, w):
    c, u = both(model, xt, t, y, null)
    return c + w * (u - c)


@wrong("cfg")
def sign_of_the_difference(model, xt, t, y, null, w):
    c, u = both(model, xt, t, y, null)
    return u + w * (u - c)


@wrong("cfg")
def adds_both_without_a_balance(model, xt, t, y, null, w):
    c, u = both(model, xt, t, y, null)
    return u + w * c


@wrong("cfg")
def scales_the_conditional(model, xt, t, y, null, w):
    return w * model(xt, t, y)


@wrong("cfg")
def ignores_the_weight(model, xt, t, y, null, w):
    return model(xt, t, y)


@wrong("cfg")
def averages_by_w_over_one_plus_w(model, xt, t, y, null, w):
    c, u = both(model, xt, t, y, null)
    return (u + w * c) / (1 + w) if w != -1 else c


@wrong("cfg")
def clips_the_weight_to_one(model, xt, t, y, null, w):
    c, u = both(model, xt, t, y, null)
    return u + min(max(w, 0.0), 1.0) * (c - u)


@wrong("cfg")
def halves_in_the_wrong_order(model, xt, t, y, null, w):
    u, c = model(torch.cat([xt, xt]), torch.cat([t, t]), torch.cat([y, torch.full_like(y, null)])).chunk(2)
    return u + w * (c - u)


@wrong("cfg")
def interleaves_and_chunks(model, xt, t, y, null, w):
    labels = torch.stack([y, torch.full_like(y, null)], 1).flatten()
    c, u = model(xt.repeat_interleave(2, 0), t.repeat_interleave(2, 0), labels).chunk(2)
    return u + w * (c - u)


@wrong("cfg")
def images_interleaved_and_labels_not(model, xt, t, y, null, w):
    labels = torch.cat([y, torch.full_like(y, null)])
    c, u = model(xt.repeat_interleave(2, 0), t.repeat_interleave(2, 0), labels).chunk(2)
    return u + w * (c - u)


@wrong("cfg")
def times_interleaved(model, xt, t, y, null, w):
    labels = torch.cat([y, torch.full_like(y, null)])
    c, u = model(torch.cat([xt, xt]), t.repeat_interleave(2), labels).chunk(2)
    return u + w * (c - u)


@wrong("cfg")
def one_time_for_all(model, xt, t, y, null, w):
    c, u = both(model, xt, t[:1].expand(len(t)), y, null)
    return u + w * (c - u)


@wrong("cfg")
def one_label_for_all(model, xt, t, y, null, w):
    c, u = both(model, xt, t, y[:1].expand(len(y)), null)
    return u + w * (c - u)


@wrong("cfg")
def null_is_ten(model, xt, t, y, null, w):
    c, u = both(model, xt, t, y, 10)
    return u + w * (c - u)


@wrong("cfg")
def null_is_zero(model, xt, t, y, null, w):
    c, u = both(model, xt, t, y, 0)
    return u + w * (c - u)


@wrong("cfg")
def next_label_for_null(model, xt, t, y, null, w):
    c, u = model(xt, t, y), model(xt, t, y + 1)
    return u + w * (c - u)


@wrong("cfg")
def three_calls(model, xt, t, y, null, w):
    u = model(xt, t, torch.full_like(y, null))
    return u + w * (model(xt, t, y) - model(xt, t, torch.full_like(y, null)))


@wrong("cfg")
def a_call_for_each_example(model, xt, t, y, null, w):
    rows = []
    for i in range(len(xt)):
        c, u = both(model, xt[i : i + 1], t[i : i + 1], y[i : i + 1], null)
        rows.append(u + w * (c - u))
    return torch.cat(rows)


@wrong("cfg")
def without_a_graph(model, xt, t, y, null, w):
    with torch.no_grad():
        return cfg(model, xt, t, y, null, w)


@wrong("cfg")
def unconditional_detached(model, xt, t, y, null, w):
    c, u = both(model, xt, t, y, null)
    return u.detach() + w * (c - u.detach())


@wrong("cfg")
def normalised_to_the_length_of_the_conditional(model, xt, t, y, null, w):
    c, u = both(model, xt, t, y, null)
    guided = u + w * (c - u)
    return guided * c.norm() / guided.norm().clamp_min(1e-9)


@wrong("cfg")
def three_channels_alone_are_guided(model, xt, t, y, null, w):
    c, u = both(model, xt, t, y, null)
    return torch.cat([u[:, :3] + w * (c - u)[:, :3], c[:, 3:]], dim=1)


@wrong("cfg")
def writes_null_into_the_labels(model, xt, t, y, null, w):
    c, u = model(xt, t, y.clone()), model(xt, t, y.fill_(null))
    return u + w * (c - u)


@wrong("cfg")
def returns_both_halves(model, xt, t, y, null, w):
    guided = cfg(model, xt, t, y, null, w)
    return torch.cat([guided, guided])


# right


@right("drop_labels")
def by_indexing(y, null, p, u):
    out = y.clone()
    out[u < p] = null
    return out


@right("drop_labels")
def by_masked_fill(y, null, p, u):
    return y.masked_fill(torch.lt(u, p), null)


@right("drop_labels")
def by_arithmetic(y, null, p, u):
    drop = (u < p).long()
    return y * (1 - drop) + null * drop


@right("cfg")
def by_two_calls(model, xt, t, y, null, w):
    c, u = both(model, xt, t, y, null)
    return torch.lerp(u, c, w)


@right("cfg")
def with_the_unconditional_half_first(model, xt, t, y, null, w):
    B = len(xt)
    out = model(xt.repeat(2, *[1] * (xt.ndim - 1)), t.repeat(2), torch.cat([torch.full_like(y, null), y]))
    return (1 - w) * out[:B] + w * out[B:]


@right("cfg")
def in_pairs(model, xt, t, y, null, w):
    labels = torch.stack([y, torch.full_like(y, null)], 1).flatten()
    out = model(xt.repeat_interleave(2, 0), t.repeat_interleave(2, 0), labels).reshape(len(xt), 2, *xt.shape[1:])
    return out[:, 1] + w * (out[:, 0] - out[:, 1])

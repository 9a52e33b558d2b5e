"""Right and wrong answers to question x4."""

import torch
import torch.nn.functional as F

from autograder.verify.variants import right, wrong

# x4a


@wrong("quantise")
def overflows(images, K):
    return (images * K // 256).flatten(1).long()


@wrong("quantise")
def rounds(images, K):
    return (images.double() * (K - 1) / 255).round().long().flatten(1)


@wrong("quantise")
def divides_by_255(images, K):
    return (images.long() * K // 255).flatten(1)


@wrong("quantise")
def column_by_column(images, K):
    return (images.long() * K // 256).mT.flatten(1)


@wrong("quantise")
def levels_stay_bytes(images, K):
    return (images.long() * K // 256).flatten(1).to(torch.uint8)


@wrong("quantise")
def snake_order(images, K):
    levels = images.long() * K // 256
    levels[:, 1::2] = levels[:, 1::2].flip(2)
    return levels.flatten(1)


@wrong("quantise")
def images_in_one_sequence(images, K):
    return (images.long() * K // 256).flatten()


@wrong("quantise")
def levels_of_a_whole_number_of_greys(images, K):
    return (images.long() // (256 // K)).clamp(max=K - 1).flatten(1)


@right("quantise")
def by_bucketize(images, K):
    edges = torch.tensor([-(-256 * level // K) for level in range(1, K)])
    return torch.bucketize(images.long(), edges, right=True).reshape(len(images), -1)


@right("quantise")
def in_floating_point(images, K):
    return (images.double() / 256 * K).floor().long().reshape(images.shape[0], -1)


@wrong("dequantise")
def white_is_not_one(idx, K, H):
    return idx.reshape(len(idx), H, -1).float() / K


@wrong("dequantise")
def middle_of_the_level(idx, K, H):
    return (idx.reshape(len(idx), H, -1).float() + 0.5) / K


@wrong("dequantise")
def rows_are_columns(idx, K, H):
    return (idx.reshape(len(idx), -1, H).float() / (K - 1)).mT


@wrong("dequantise")
def width_for_height(idx, K, H):
    return idx.reshape(len(idx), -1, H).float() / (K - 1)


@wrong("dequantise")
def from_0_to_255(idx, K, H):
    return idx.reshape(len(idx), H, -1).float() * 255 / (K - 1)


@wrong("dequantise")
def from_minus_one_to_one(idx, K, H):
    return 2 * idx.reshape(len(idx), H, -1).float() / (K - 1) - 1


@right("dequantise")
def by_a_table(idx, K, H):
    return (torch.arange(K) / (K - 1))[idx].unflatten(1, (H, -1))


# x4b


def asked(model, idx, K):
    """Logits of all pixels."""
    return model(torch.cat([torch.full_like(idx[:, :1], K), idx[:, :-1]], dim=1))


@wrong("image_nll")
def without_a_start_token(model, idx, K):
    return F.cross_entropy(model(idx[:, :-1]).mT, idx[:, 1:], reduction="none").sum(dim=1)


@wrong("image_nll")
def pixels_predict_themselves(model, idx, K):
    return F.cross_entropy(model(idx).mT, idx, reduction="none").sum(dim=1)


@wrong("image_nll")
def start_token_is_zero(model, idx, K):
    return F.cross_entropy(asked(model, idx, 0).mT, idx, reduction="none").sum(dim=1)


@wrong("image_nll")
def mean_over_pixels(model, idx, K):
    return F.cross_entropy(asked(model, idx, K).mT, idx, reduction="none").mean(dim=1)


@wrong("image_nll")
def sum_over_the_batch(model, idx, K):
    return F.cross_entropy(asked(model, idx, K).mT, idx, reduction="sum")


@wrong("image_nll")
def reads_the_last_pixel(model, idx, K):
    tokens = torch.cat([torch.full_like(idx[:, :1], K), idx], dim=1)
    return F.cross_entropy(model(tokens)[:, 1:].mT, idx, reduction="none").sum(dim=1)


@wrong("image_nll")
def classes_and_pixels_swapped(model, idx, K):
    logits = asked(model, idx, K)
    return -logits.log_softmax(dim=1).gather(2, idx[..., None])[..., 0].sum(dim=1)


@wrong("image_nll")
def first_pixel_is_free(model, idx, K):
    return F.cross_entropy(asked(model, idx, K).mT, idx, reduction="none")[:, 1:].sum(dim=1)


@wrong("image_nll")
def one_call_for_each_pixel(model, idx, K):
    tokens = torch.cat([torch.full_like(idx[:, :1], K), idx[:, :-1]], dim=1)
    logits = torch.stack([model(tokens[:, : t + 1])[:, -1] for t in range(idx.shape[1])], dim=1)
    return F.cross_entropy(logits.mT, idx, reduction="none").sum(dim=1)


@wrong("image_nll")
def bits_instead_of_nats(model, idx, K):
    return F.cross_entropy(asked(model, idx, K).mT, idx, reduction="none").sum(dim=1) / 0.6931471805599453


@right("image_nll")
def by_gathering(model, idx, K):
    log_p = asked(model, idx, K).log_softmax(dim=-1)
    return -log_p.gather(-1, idx.unsqueeze(-1)).squeeze(-1).sum(dim=-1)


@right("image_nll")
def with_padding(model, idx, K):
    logits = model(F.pad(idx, (1, 0), value=K)[:, :-1])
    return F.cross_entropy(logits.flatten(0, 1), idx.flatten(), reduction="none").reshape(idx.shape).sum(1)


# x4c


def drawing(model, given, us, K, probabilities=lambda logits, K: logits[:, :K].softmax(dim=-1), start=None):
    """complete with one part replaced."""
    idx = torch.cat([given.new_full((len(given), 1), K if start is None else start), given], dim=1)
    for u in us.T:
        idx = torch.cat([idx, sample_from(probabilities(model(idx)[:, -1], K), u)[:, None]], dim=1)
    return idx[:, 1:]


@wrong("complete")
def start_token_may_be_drawn(model, given, us, K):
    return drawing(model, given, us, K, lambda logits, K: logits.softmax(dim=-1))


@wrong("complete")
def start_token_becomes_white(model, given, us, K):
    return drawing(model, given, us, K, lambda logits, K: logits.softmax(dim=-1)).clamp(max=K - 1)


@wrong("complete")
def leaves_it_out_after_the_softmax(model, given, us, K):
    return drawing(model, given, us, K, lambda logits, K: logits.softmax(dim=-1)[:, :K])


@wrong("complete")
def takes_the_most_probable(model, given, us, K):
    return drawing(model, given, us, K, lambda logits, K: F.one_hot(logits[:, :K].argmax(dim=-1), K).double())


@wrong("complete")
def begins_with_zero(model, given, us, K):
    return drawing(model, given, us, K, start=0)


@wrong("complete")
def begins_without_a_start_token(model, given, us, K):
    idx = given
    for u in us.T:
        idx = torch.cat([idx, sample_from(model(idx)[:, -1, :K].softmax(dim=-1), u)[:, None]], dim=1)
    return idx


@wrong("complete")
def start_token_stays_in_front(model, given, us, K):
    return F.pad(drawing(model, given, us, K), (1, 0), value=K)


@wrong("complete")
def only_the_new_pixels(model, given, us, K):
    return drawing(model, given, us, K)[:, given.shape[1] :]


@wrong("complete")
def forgets_what_it_has_drawn(model, given, us, K):
    idx = torch.cat([given.new_full((len(given), 1), K), given], dim=1)
    probs = model(idx)[:, -1, :K].softmax(dim=-1)
    return torch.cat([given, *[sample_from(probs, u)[:, None] for u in us.T]], dim=1)


@wrong("complete")
def new_pixel_at_the_front(model, given, us, K):
    idx = torch.cat([given.new_full((len(given), 1), K), given], dim=1)
    for u in us.T:
        new = sample_from(model(idx)[:, -1, :K].softmax(dim=-1), u)[:, None]
        idx = torch.cat([idx[:, :1], new, idx[:, 1:]], dim=1)
    return idx[:, 1:]


@wrong("complete")
def numbers_of_the_first_row_for_all(model, given, us, K):
    return drawing(model, given, us[:1].expand_as(us), K)


@wrong("complete")
def one_pixel_too_few(model, given, us, K):
    return drawing(model, given, us[:, :-1], K)


@wrong("complete")
def given_pixels_are_drawn_again(model, given, us, K):
    whole = drawing(model, given[:, : given.shape[1] // 2], torch.cat([us, us], dim=1), K)
    return whole[:, : given.shape[1] + us.shape[1]]


@right("complete")
def with_minus_infinity(model, given, us, K):
    def without_start(logits, K):
        return torch.cat([logits[:, :K], torch.full_like(logits[:, K:], -torch.inf)], dim=1).softmax(dim=-1)

    return drawing(model, given, us, K, without_start)


@right("complete")
def in_a_table_made_before(model, given, us, K):
    B, T0 = given.shape
    idx = torch.full((B, 1 + T0 + us.shape[1]), K, dtype=given.dtype, device=given.device)
    idx[:, 1 : T0 + 1] = given
    for i in range(us.shape[1]):
        probs = model(idx[:, : T0 + 1 + i])[:, -1].softmax(dim=-1)[:, :K]
        idx[:, T0 + 1 + i] = sample_from(probs / probs.sum(dim=-1, keepdim=True), us[:, i])
    return idx[:, 1:]

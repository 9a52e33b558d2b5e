"""Right and wrong answers to questions x2a and x2b: codes and their gradients."""

import torch

from autograder.verify.variants import right, wrong


# x2a


def squared_distances(vectors, codebook):
    """Squared distances (..., K) of vectors (..., D) to codes (K, D)."""
    return (vectors[..., None, :] - codebook).square().sum(-1)


@wrong("vq_nearest")
def reshaped_without_permute(z, codebook):
    B, D, H, W = z.shape
    index = squared_distances(z.reshape(-1, D), codebook).argmin(1)
    return index.reshape(B, H, W), codebook[index].reshape(B, D, H, W)


@wrong("vq_nearest")
def codes_reshaped_without_permute(z, codebook):
    index = squared_distances(z.permute(0, 2, 3, 1), codebook).argmin(-1)
    return index, codebook[index].reshape(z.shape)


@wrong("vq_nearest")
def lengths_of_codes_forgotten(z, codebook):
    index = (-2 * z.permute(0, 2, 3, 1) @ codebook.T).argmin(-1)
    return index, codebook[index].permute(0, 3, 1, 2)


@wrong("vq_nearest")
def cross_term_once(z, codebook):
    index = (codebook.square().sum(1) - z.permute(0, 2, 3, 1) @ codebook.T).argmin(-1)
    return index, codebook[index].permute(0, 3, 1, 2)


@wrong("vq_nearest")
def cross_term_added(z, codebook):
    index = (codebook.square().sum(1) + 2 * z.permute(0, 2, 3, 1) @ codebook.T).argmin(-1)
    return index, codebook[index].permute(0, 3, 1, 2)


@wrong("vq_nearest")
def farthest_code(z, codebook):
    index = squared_distances(z.permute(0, 2, 3, 1), codebook).argmax(-1)
    return index, codebook[index].permute(0, 3, 1, 2)


@wrong("vq_nearest")
def absolute_distance(z, codebook):
    index = (z.permute(0, 2, 3, 1)[..., None, :] - codebook).abs().sum(-1).argmin(-1)
    return index, codebook[index].permute(0, 3, 1, 2)


@wrong("vq_nearest")
def height_and_width_swapped(z, codebook):
    index = squared_distances(z.permute(0, 3, 2, 1), codebook).argmin(-1)
    return index, codebook[index].permute(0, 3, 2, 1)


@wrong("vq_nearest")
def codes_detached(z, codebook):
    index, z_q = vq_nearest(z, codebook)
    return index, z_q.detach()


@wrong("vq_nearest")
def codes_with_their_dimension_last(z, codebook):
    index = squared_distances(z.permute(0, 2, 3, 1), codebook).argmin(-1)
    return index, codebook[index]


@wrong("vq_nearest")
def soft_assignment(z, codebook):
    distance = squared_distances(z.permute(0, 2, 3, 1), codebook)
    return distance.argmin(-1), ((-distance).softmax(-1) @ codebook).permute(0, 3, 1, 2)


@right("vq_nearest")
def by_cdist(z, codebook):
    B, D, H, W = z.shape
    index = torch.cdist(z.movedim(1, -1).reshape(-1, D), codebook).argmin(1).reshape(B, H, W)
    return index, torch.nn.functional.embedding(index, codebook).movedim(-1, 1)


@right("vq_nearest")
def by_one_hot_products(z, codebook):
    distance = (z.unsqueeze(1) - codebook[None, :, :, None, None]).pow(2).sum(2)
    index = distance.argmin(1)
    chosen = torch.nn.functional.one_hot(index, len(codebook)).to(codebook.dtype)
    return index, torch.einsum("bhwk,kd->bdhw", chosen, codebook)


# x2b


@wrong("straight_through")
def nothing_detached(z_e, z_q):
    return z_e + (z_q - z_e)


@wrong("straight_through")
def the_code_itself(z_e, z_q):
    return z_q


@wrong("straight_through")
def gradient_to_the_code(z_e, z_q):
    return z_q + (z_e - z_q).detach()


@wrong("straight_through")
def encoder_passed_on(z_e, z_q):
    return z_e


@wrong("straight_through")
def all_detached(z_e, z_q):
    return z_q.detach()


@wrong("straight_through")
def gradient_to_both(z_e, z_q):
    return z_q + z_e - z_e.detach()


@right("straight_through")
def around_the_encoder(z_e, z_q):
    return z_q.detach() + (z_e - z_e.detach())


class Through(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z_e, z_q):
        return z_q.clone()

    @staticmethod
    def backward(ctx, grad):
        return grad, None


@right("straight_through")
def as_an_autograd_function(z_e, z_q):
    return Through.apply(z_e, z_q)


def per_example(a, b):
    """Squared distances (B,)."""
    return (a - b).square().flatten(1).sum(1)


@wrong("vq_losses")
def beta_on_the_codebook_loss(z_e, z_q, beta=0.25):
    return beta * per_example(z_e.detach(), z_q), per_example(z_e, z_q.detach())


@wrong("vq_losses")
def detached_the_other_way_round(z_e, z_q, beta=0.25):
    return per_example(z_e, z_q.detach()), beta * per_example(z_e.detach(), z_q)


@wrong("vq_losses")
def losses_without_detach(z_e, z_q, beta=0.25):
    return per_example(z_e, z_q), beta * per_example(z_e, z_q)


@wrong("vq_losses")
def beta_forgotten(z_e, z_q, beta=0.25):
    return per_example(z_e.detach(), z_q), per_example(z_e, z_q.detach())


@wrong("vq_losses")
def means_over_features(z_e, z_q, beta=0.25):
    follow = (z_e.detach() - z_q).square().flatten(1).mean(1)
    return follow, beta * (z_e - z_q.detach()).square().flatten(1).mean(1)


@wrong("vq_losses")
def means_over_the_batch(z_e, z_q, beta=0.25):
    return per_example(z_e.detach(), z_q).mean(), beta * per_example(z_e, z_q.detach()).mean()


@wrong("vq_losses")
def summed_over_vectors_only(z_e, z_q, beta=0.25):
    return (z_e.detach() - z_q).square().sum(1), beta * (z_e - z_q.detach()).square().sum(1)


@wrong("vq_losses")
def distances_without_the_square(z_e, z_q, beta=0.25):
    return per_example(z_e.detach(), z_q).sqrt(), beta * per_example(z_e, z_q.detach()).sqrt()


@right("vq_losses")
def losses_by_mse(z_e, z_q, beta=0.25):
    def total(a, b):
        return torch.nn.functional.mse_loss(a, b, reduction="none").sum(dim=tuple(range(1, a.ndim)))

    return total(z_q, z_e.detach()), beta * total(z_e, z_q.detach())


@wrong("quantise")
def losses_after_straight_through(z, codebook, beta=0.25):
    index, z_q = vq_nearest(z, codebook)
    z_q = straight_through(z, z_q)
    follow, commit = vq_losses(z, z_q, beta)
    return z_q, follow + commit, index


@wrong("quantise")
def no_straight_through(z, codebook, beta=0.25):
    index, z_q = vq_nearest(z, codebook)
    follow, commit = vq_losses(z, z_q, beta)
    return z_q, follow + commit, index


@wrong("quantise")
def commitment_only(z, codebook, beta=0.25):
    index, z_q = vq_nearest(z, codebook)
    return straight_through(z, z_q), vq_losses(z, z_q, beta)[1], index


@wrong("quantise")
def codebook_loss_only(z, codebook, beta=0.25):
    index, z_q = vq_nearest(z, codebook)
    return straight_through(z, z_q), vq_losses(z, z_q, beta)[0], index


@wrong("quantise")
def beta_not_passed_on(z, codebook, beta=0.25):
    index, z_q = vq_nearest(z, codebook)
    follow, commit = vq_losses(z, z_q)
    return straight_through(z, z_q), follow + commit, index


@wrong("quantise")
def beta_twice(z, codebook, beta=0.25):
    index, z_q = vq_nearest(z, codebook)
    follow, commit = vq_losses(z, z_q, beta)
    return straight_through(z, z_q), follow + beta * commit, index


@wrong("quantise")
def encoder_and_code_swapped(z, codebook, beta=0.25):
    index, z_q = vq_nearest(z, codebook)
    follow, commit = vq_losses(z_q, z, beta)
    return straight_through(z, z_q), follow + commit, index


@right("quantise")
def losses_written_out(z, codebook, beta=0.25):
    index, z_q = vq_nearest(z, codebook)
    loss = sum(vq_losses(z, z_q, beta))
    return z + (z_q - z).detach(), loss, index


@wrong("vq_losses")
def images_only(z_e, z_q, beta=0.25):
    codebook = (z_e.detach() - z_q).square().sum((1, 2, 3))
    return codebook, beta * (z_e - z_q.detach()).square().sum((1, 2, 3))


@wrong("vq_losses")
def no_beta_is_the_default(z_e, z_q, beta=0.25):
    return vq_losses(z_e, z_q, beta or 0.25)

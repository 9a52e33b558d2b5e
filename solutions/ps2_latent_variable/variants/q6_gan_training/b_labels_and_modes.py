"""Right and wrong answers to questions 6b and 6c: labels and modes."""

import numpy as np
import torch
import torch.nn.functional as F

from autograder.verify.variants import right, wrong


@wrong("append_label")
def prepends_the_label(x, y, n_labels):
    planes = F.one_hot(y, n_labels).to(x)
    planes = planes.reshape(*planes.shape, *[1] * (x.ndim - 2)).expand(-1, -1, *x.shape[2:])
    return torch.cat([planes, x], dim=1)


@wrong("append_label")
def appends_the_number(x, y, n_labels):
    number = y.to(x).reshape(-1, *[1] * (x.ndim - 1)).expand(-1, n_labels, *x.shape[2:])
    return torch.cat([x, number], dim=1)


@wrong("append_label")
def counts_only_the_labels_of_the_batch(x, y, n_labels):
    planes = F.one_hot(y).to(x)
    planes = planes.reshape(*planes.shape, *[1] * (x.ndim - 2)).expand(-1, -1, *x.shape[2:])
    return torch.cat([x, planes], dim=1)


@wrong("append_label")
def makes_float64_of_everything(x, y, n_labels):
    planes = F.one_hot(y, n_labels).double()
    planes = planes.reshape(*planes.shape, *[1] * (x.ndim - 2)).expand(-1, -1, *x.shape[2:])
    return torch.cat([x, planes], dim=1)


@wrong("append_label")
def reshapes_repeated_labels_into_planes(x, y, n_labels):
    hot = F.one_hot(y, n_labels).to(x)
    if x.ndim == 4:
        hot = hot.repeat(1, x.shape[2] * x.shape[3]).reshape(len(x), n_labels, *x.shape[2:])
    return torch.cat([x, hot], dim=1)


@wrong("append_label")
def marks_one_pixel_of_the_plane(x, y, n_labels):
    hot = F.one_hot(y, n_labels).to(x)
    if x.ndim == 4:
        planes = torch.zeros(len(x), n_labels, *x.shape[2:]).to(x)
        planes[:, :, 0, 0] = hot
        return torch.cat([x, planes], dim=1)
    return torch.cat([x, hot], dim=1)


@wrong("append_label")
def appends_to_the_last_dimension(x, y, n_labels):
    hot = F.one_hot(y, n_labels).to(x)
    if x.ndim == 4:
        hot = hot[:, None, None, :].expand(-1, x.shape[1], x.shape[2], -1)
    return torch.cat([x, hot], dim=-1)


@wrong("append_label")
def counts_labels_from_one(x, y, n_labels):
    planes = F.one_hot((y - 1) % n_labels, n_labels).to(x)
    planes = planes.reshape(*planes.shape, *[1] * (x.ndim - 2)).expand(-1, -1, *x.shape[2:])
    return torch.cat([x, planes], dim=1)


def coverage(distance, r):
    """Covered modes and share of good samples, from distances (N, K)."""
    low, nearest = distance.min(1)
    return len(nearest[low <= r].unique()), (low <= r).double().mean().item()


@wrong("mode_coverage")
def compares_squared_distances(samples, centers, r):
    return coverage((samples[:, None] - centers).square().sum(2), r)


@wrong("mode_coverage")
def measures_along_the_axes(samples, centers, r):
    return coverage((samples[:, None] - centers).abs().amax(2), r)


@wrong("mode_coverage")
def adds_up_coordinates(samples, centers, r):
    return coverage((samples[:, None] - centers).abs().sum(2), r)


@wrong("mode_coverage")
def excludes_the_edge(samples, centers, r):
    return coverage(torch.cdist(samples, centers), r * (1 - 1e-6))


@wrong("mode_coverage")
def covers_every_mode_within_reach(samples, centers, r):
    near = torch.linalg.vector_norm(samples[:, None] - centers, dim=2) <= r
    return int(near.any(0).sum()), near.any(1).double().mean().item()


@wrong("mode_coverage")
def counts_a_sample_once_per_circle(samples, centers, r):
    distance = torch.linalg.vector_norm(samples[:, None] - centers, dim=2)
    return coverage(distance, r)[0], (distance <= r).double().sum(1).mean().item()


@wrong("mode_coverage")
def covers_the_nearest_mode_from_any_distance(samples, centers, r):
    distance = torch.linalg.vector_norm(samples[:, None] - centers, dim=2)
    return len(distance.argmin(1).unique()), coverage(distance, r)[1]


@wrong("mode_coverage")
def gives_the_share_of_modes(samples, centers, r):
    covered, good = coverage(torch.linalg.vector_norm(samples[:, None] - centers, dim=2), r)
    return covered / len(centers), good


@wrong("mode_coverage")
def counts_good_samples(samples, centers, r):
    covered, good = coverage(torch.linalg.vector_norm(samples[:, None] - centers, dim=2), r)
    return covered, good * len(samples)


@wrong("mode_coverage")
def returns_the_share_first(samples, centers, r):
    return coverage(torch.linalg.vector_norm(samples[:, None] - centers, dim=2), r)[::-1]


@wrong("mode_coverage")
def wants_two_samples_in_a_mode(samples, centers, r):
    distance, nearest = torch.linalg.vector_norm(samples[:, None] - centers, dim=2).min(1)
    counts = torch.bincount(nearest[distance <= r], minlength=len(centers))
    return int((counts > 1).sum()), (distance <= r).double().mean().item()


@right("append_label")
def by_scatter(x, y, n_labels):
    planes = torch.zeros(len(x), n_labels, *x.shape[2:], dtype=x.dtype)
    planes[torch.arange(len(x)), y] = 1
    return torch.cat((x, planes), 1)


@right("append_label")
def by_comparison(x, y, n_labels):
    hot = (y[:, None] == torch.arange(n_labels)).type_as(x)
    return torch.cat([x, hot], 1) if x.ndim == 2 else torch.cat([x, hot[:, :, None, None] + 0 * x[:, :1]], 1)


@right("mode_coverage")
def by_cdist_and_a_set(samples, centers, r):
    distance, nearest = torch.cdist(
        samples.double(), centers.double(), compute_mode="donot_use_mm_for_euclid_dist"
    ).min(1)
    good = distance <= r
    return len(set(nearest[good].tolist())), int(good.sum()) / len(samples)


@right("mode_coverage")
def by_a_loop_over_modes(samples, centers, r):
    distance = (samples.unsqueeze(1) - centers.unsqueeze(0)).pow(2).sum(-1).sqrt()
    mine = distance.argmin(1)
    hits = torch.stack([((mine == k) & (distance[:, k] <= r)).sum() for k in range(len(centers))])
    return (hits > 0).sum(), hits.sum() / len(samples)


@wrong("append_label")
@torch.no_grad()
def labels_without_gradient(x, y, n_labels):
    return append_label(x, y, n_labels)


@wrong("append_label")
def labels_by_numpy(x, y, n_labels):
    hot = np.eye(n_labels)[y.numpy()].reshape(len(x), n_labels, *[1] * (x.ndim - 2))
    hot = np.broadcast_to(hot, (len(x), n_labels, *x.shape[2:]))
    return torch.from_numpy(np.concatenate([x.detach().numpy(), hot], axis=1)).to(x.dtype)


@wrong("append_label")
def the_last_label_for_the_one_before(x, y, n_labels):
    return append_label(x, y.clamp(max=n_labels - 2), n_labels)


@right("append_label")
def rows_of_the_identity(x, y, n_labels):
    hot = torch.eye(n_labels, dtype=x.dtype, device=x.device)[y]
    if x.ndim == 4:
        hot = hot[:, :, None, None] * torch.ones_like(x[:, :1])
    return torch.hstack([x, hot])

"""Hidden tests of question 6: patches of an image and back, and one exact step of half-quadratic splitting."""

import numpy as np
import torch
from scipy.fft import idctn
from scipy.stats import multivariate_normal

from autograder.hidden.ps1_probabilistic import known_good
from autograder.testing import expect_close, non_contiguous, normal, points, simplex, spd, untouched

EARLIER = ("gaussian_logpdf", "gmm_log_joint", "e_step", "wiener_denoise", "gmm_denoise")
TOOLS = ("extract_patches", "aggregate_patches")


def provide_earlier(ps):
    """Known-good functions of questions 1, 3, 5 and 6a: a mistake there costs nothing in 6b."""
    ps.provide(**{name: getattr(known_good, name) for name in (*EARLIER, *TOOLS)})


def corners(H, W, p):
    """Upper left corners of all patches in raster order."""
    return [(i, j) for i in range(H - p + 1) for j in range(W - p + 1)]


def selection(i, j, H, W, p):
    """The 0-1 matrix (p * p, H * W) that cuts the patch at (i, j) out of a flattened image."""
    pixels = np.arange(H * W).reshape(H, W)[i : i + p, j : j + p].ravel()
    return np.eye(H * W)[pixels]


def basis(p):
    """The orthonormal 2-D cosines without the constant, (p * p - 1, p * p), by scipy."""
    return np.stack([idctn(e.reshape(p, p), norm="ortho").ravel() for e in np.eye(p * p)[1:]])


def mixture(rng, K, D):
    """Components of different scales whose choice depends on the patch."""
    scale = torch.linspace(0.05, 1.5, K, dtype=torch.float64)[:, None, None]
    return simplex(rng, K).log(), 0.3 * normal(rng, K, D), scale * spd(rng, D, K)


def most_probable_patch(patch, log_pi, mus, Sigmas, variance, p):
    """One step for z by loops: mean off, best component of the noisy coefficients, posterior mean, mean back on."""
    B, eye = basis(p), np.eye(p * p - 1)
    v = B @ patch
    scores = [
        l + multivariate_normal(m, S + variance * eye).logpdf(v) for l, m, S in zip(log_pi, mus, Sigmas, strict=True)
    ]
    m, S = mus[np.argmax(scores)], Sigmas[np.argmax(scores)]
    precision = np.linalg.inv(S) + eye / variance
    return B.T @ np.linalg.solve(precision, np.linalg.solve(S, m) + v / variance) + patch.mean()


def splitting(y, gmm, sigma, betas, p):
    """Half-quadratic splitting whose step for x solves the dense normal equations of the whole image."""
    (H, W), gmm = y.shape, [a.numpy() for a in gmm]
    cuts = [selection(i, j, H, W, p) for i, j in corners(H, W, p)]
    counts, x = sum(cut.T @ cut for cut in cuts), y.numpy().ravel()
    for beta in betas:
        pulls = [cut.T @ most_probable_patch(cut @ x, *gmm, 1 / beta, p) for cut in cuts]
        camera = counts @ y.numpy().ravel() / sigma**2
        x = np.linalg.solve((1 / sigma**2 + beta) * counts, camera + beta * sum(pulls))
    return x.reshape(H, W)


@points(2, part="6a", hint="corners run along a row before they go down; every corner at which a patch fits counts")
def test_all_patches_come_in_raster_order(ps, rng):
    """Every overlapping patch is there once, in raster order, flattened in raster order."""
    img = normal(rng, 5, 7)
    want = torch.stack([img[i : i + 3, j : j + 3].flatten() for i, j in corners(5, 7, 3)])
    expect_close(ps.extract_patches(non_contiguous(img), 3), want)
    expect_close(ps.extract_patches(img.T.float(), 2)[1], img.T.float()[:2, 1:3].flatten())


@points(1, part="6a", hint="the patch may be as small as a pixel and as large as the image")
def test_smallest_and_largest_patches_fit(ps, rng):
    """Patches of one pixel list the image; a patch as high as the image slides along its width only."""
    img = normal(rng, 3, 4)
    expect_close(ps.extract_patches(img, 1), img.reshape(12, 1), "patches of one pixel are the image's pixels")
    want = torch.stack([img[:, :3].flatten(), img[:, 1:].flatten()])
    expect_close(
        untouched(ps, "extract_patches", img, 3), want, "a patch as high as the image has one row of positions"
    )
    expect_close(ps.aggregate_patches(want, 3, 4, 3), img, "two wide overlaps give the image back")


@points(2, part="6a", hint="a pixel is the mean of what all patches that hold it say, and corners lie in fewer patches")
def test_overlapping_patches_are_averaged(ps, rng):
    """Patches that disagree are averaged pixel by pixel, each pixel over the patches that contain it."""
    H, W, p = 6, 4, 3
    P = normal(rng, 8, 9)
    cuts = [selection(i, j, H, W, p) for i, j in corners(H, W, p)]
    total = sum(cut.T @ patch for cut, patch in zip(cuts, P.numpy(), strict=True))
    want = torch.from_numpy((total / sum(cut.sum(0) for cut in cuts)).reshape(H, W))
    expect_close(ps.aggregate_patches(non_contiguous(P), H, W, p), want)
    expect_close(ps.aggregate_patches(P.float(), H, W, p), want.float(), "the image has the dtype of the patches")


@points(1, part="6a", hint="patches that agree have only one image: the one they were cut from")
def test_patches_of_an_image_give_the_image_back(ps, rng):
    """Patches that were cut from an image are put together to exactly that image, high or wide."""
    for H, W, p in ((5, 9, 2), (9, 5, 4)):
        img = normal(rng, H, W)
        P = torch.stack([img[i : i + p, j : j + p].flatten() for i, j in corners(H, W, p)])
        expect_close(untouched(ps, "aggregate_patches", P, H, W, p), img)


@points(
    2, part="6b", hint="one step for all patches, then the image that balances camera and patches, borders included"
)
def test_one_step_solves_both_halves(ps, rng):
    """With one beta the result is the exact minimum over the image, given each patch's most probable clean version."""
    provide_earlier(ps)
    img, gmm = normal(rng, 6, 5), mixture(rng, 3, 8)
    want = torch.from_numpy(splitting(img, gmm, 0.7, [1.6], 3))
    expect_close(ps.epll_denoise(non_contiguous(img), gmm, 0.7, [1.6]), want)


@points(1, part="6b", hint="the next step starts from the last image, but the camera still saw the first")
def test_steps_follow_each_other_in_the_given_order(ps, rng):
    """Each beta starts from the image before it, in the order given, and is tied to the camera's image."""
    provide_earlier(ps)
    img, gmm = 0.1 * normal(rng, 4, 6), mixture(rng, 4, 3)  # so faint that the result leaves its range: nothing clips
    want = torch.from_numpy(splitting(img, gmm, 0.5, [3.0, 11.0, 5.0], 2))
    expect_close(untouched(ps, "epll_denoise", img, gmm, 0.5, [3.0, 11.0, 5.0]), want)


@points(1, part="6b", hint="the model does not know how bright a patch is: whatever comes off must be put back")
def test_brighter_photographs_come_out_brighter(ps, rng):
    """Adding a constant to the photograph adds the same constant to the result, far outside [0, 1] too."""
    provide_earlier(ps)
    img, gmm = normal(rng, 5, 4), mixture(rng, 2, 3)
    want = torch.from_numpy(splitting(img, gmm, 0.6, [2.0, 8.0], 2)) + 37.0
    expect_close(ps.epll_denoise(img + 37.0, gmm, 0.6, [2.0, 8.0]), want)

# %% [markdown] role="text"
# ## 6. Denoising a photograph (10 points)
#
# Your model knows 8 x 8 pixels. A photograph has hundreds of thousands. Nobody can fit a mixture to whole photographs,
# so how does a prior on patches become a prior on images? Cutting the image into disjoint tiles and denoising each is
# the naive answer, and you would see the tiles. Two better ideas:
#
# 1. **Average.** Denoise *all* overlapping patches; every pixel gets up to 64 opinions; take their mean.
# 2. **Make them agree.** After averaging, the patches of the result are no longer what any denoiser said, and need not
#    be probable under the model. Ask for an image *all of whose patches* are probable: this is the *expected patch
#    log-likelihood* (EPLL) of Zoran and Weiss (*From learning models of natural image patches to whole image
#    restoration*, ICCV 2011).
#
# Both need two tools.

# %% role="given"
from collections.abc import Callable

# %% [markdown] role="text"
# ### 6a. Taking an image apart and putting it together (code, 6 points)
#
# `extract_patches` returns every overlapping $p \times p$ patch of an image with $H$ rows and $W$ columns: there are
# $(H-p+1)(W-p+1)$. They come in **raster order** of their upper left corners (left to right along the top row, then the
# next row), and each is flattened in raster order too, so that row 0 is `img[:p, :p].reshape(-1)` and row 1 is
# `img[:p, 1:p+1].reshape(-1)`.
#
# `aggregate_patches` goes back: pixel by pixel it returns the mean over all patches that contain the pixel. A corner
# pixel lies in one patch, a pixel of the interior in $p^2$; the divisor is the true count everywhere. If the patches
# were extracted from an image, you get the image back; after a denoiser has changed them they disagree, and you get the
# compromise. Photographs are not square: keep $H$ and $W$ apart.
#
# A loop over the $p^2$ positions within a patch is fast; a loop over patches is not.


# %% role="answer" part="6a"
def extract_patches(img: Tensor, p: int) -> Tensor:
    """All overlapping p x p patches of img (H, W) in raster order, ((H - p + 1) * (W - p + 1), p * p)."""
    ### BEGIN SOLUTION
    return img.unfold(0, p, 1).unfold(1, p, 1).reshape(-1, p * p)
    ### END SOLUTION


def aggregate_patches(P: Tensor, H: int, W: int, p: int) -> Tensor:
    """The image (H, W) of pixel-wise means over the overlapping patches P ((H - p + 1) * (W - p + 1), p * p)."""
    ### BEGIN SOLUTION
    rows, columns = H - p + 1, W - p + 1
    grid, (total, count) = P.reshape(rows, columns, p, p), P.new_zeros(2, H, W)
    for i in range(p):
        for j in range(p):
            total[i : i + rows, j : j + columns] += grid[:, :, i, j]
            count[i : i + rows, j : j + columns] += 1
    return total / count
    ### END SOLUTION


# %% role="check" part="6a"
with check("6a") as c:
    small = torch.arange(6, dtype=torch.float64).reshape(2, 3)
    cut = extract_patches(small, 2)
    c.shape(cut, (2, 4), "the patches of a 2 x 3 image")
    c.close(cut, [[0, 1, 3, 4], [1, 2, 4, 5]], "two patches, side by side, each in raster order")
    paste = aggregate_patches(torch.tensor([[1.0, 1, 1, 1], [3.0, 3, 3, 3]], dtype=torch.float64), 2, 3, 2)
    c.close(paste, [[1, 2, 3], [1, 2, 3]], "both patches hold the middle column: it gets their mean")

# %% [markdown] role="text"
# ### 6b. Expected patch log-likelihood (code, 4 points)
#
# Averaging asks each patch once and mixes the answers. Ask for more: one image $x$, all of whose patches are probable
# and near those of the noisy image $y$. With $P_i x$ the $i$-th patch of $x$, minimise over images
#
# $$ \sum_i \Bigl( \frac{1}{2\sigma^2} \lVert P_i x - P_i y \rVert^2 - \log p(P_i x) \Bigr). $$
#
# (Zoran and Weiss write the first term as $\frac{\lambda}{2} \lVert x - y \rVert^2$ with $\lambda = p^2 / \sigma^2$,
# since a pixel is counted in $p^2$ patches. Ours differs only within $p$ pixels of the border, where there are fewer.)
#
# All patches share pixels, so this is one enormous coupled problem. *Half-quadratic splitting* decouples it: give every
# patch its own copy $z_i$ and tie it to the image by a spring of strength $\beta$,
#
# $$ \sum_i \Bigl( \frac{1}{2\sigma^2} \lVert P_i x - P_i y \rVert^2
# + \frac{\beta}{2} \lVert P_i x - z_i \rVert^2 - \log p(z_i) \Bigr). $$
#
# With $x$ fixed, each $z_i$ is the most probable patch given that $P_i x$ is $z_i$ plus noise of variance $1/\beta$.
# Under a mixture it has no closed form, but within the most probable component it has: that is `"map_component"` of 5b.
# With all $z_i$ fixed, the problem is quadratic in $x$, and its matrix is *diagonal*. Set the gradient to zero, pixel
# by pixel, on paper. You should find, with $\bar z$ the mean of what all the $z_i$ that hold the pixel say about it,
#
# $$ x = \frac{y / \sigma^2 + \beta\, \bar z}{1 / \sigma^2 + \beta} . $$
#
# As $\beta$ grows the springs stiffen until image and patches agree.
#
# **Exactly:** start from $x = y$. For each $\beta$ of `betas`, in the given order, do one step for all $z_i$, then one
# for $x$.
#
# - `img` is $y$, of shape (H, W). `gmm` is the triple `(log_pi, mus, Sigmas)` over the $D = p^2 - 1$ coefficients of
#   patches in `dct_basis(p)`, a matrix $B$ of shape ($p^2$, D) whose columns are orthonormal and orthogonal to the
#   constant patch. Find $p$ from $D$.
# - *The step for $z$.* The model knows nothing of a patch's mean brightness (its "DC"), so take it off and put it back:
#   with the patches as rows and $m$ the mean of each row's $p^2$ pixels, the coefficients are `patches @ B`. Denoise
#   them with `gmm_denoise` in mode `"map_component"` and noise of standard deviation $1/\sqrt\beta$. Then $z =$
#   `denoised @ B.T` $+\, m$. (`to_ac` and `from_ac` do the first and the last of these.) Do not use the variable
#   `basis`: it is made for $p = 8$ only.
# - *The step for $x$.* The formula above, with the $y$ that you were given, not the last $x$.
# - Do not clip. Return the last $x$.


# %% role="answer" part="6b"
def epll_denoise(img: Tensor, gmm: tuple[Tensor, Tensor, Tensor], sigma: float, betas: list[float]) -> Tensor:
    """The image (H, W) after one splitting step for each beta, from the noisy img (H, W) and noise sigma.

    gmm is (log_pi (K,), mus (K, D), Sigmas (K, D, D)) over the D = p * p - 1 coefficients in dct_basis(p).
    """
    ### BEGIN SOLUTION
    (H, W), p = img.shape, math.isqrt(gmm[1].shape[1] + 1)
    x = img
    for beta in betas:
        coefficients, means = to_ac(extract_patches(x, p))
        Z = from_ac(gmm_denoise(coefficients, *gmm, beta**-0.5, mode="map_component"), means)
        x = (img / sigma**2 + beta * aggregate_patches(Z, H, W, p)) / (1 / sigma**2 + beta)
    return x
    ### END SOLUTION


# %% role="check" part="6b"
with check("6b") as c:
    # One broad component and hardly any noise: patches and image already agree, so nothing may change.
    scene = torch.arange(20, dtype=torch.float64).reshape(4, 5)
    broad = (
        torch.zeros(1, dtype=torch.float64),
        torch.zeros(1, 3, dtype=torch.float64),
        1e12 * torch.eye(3, dtype=torch.float64)[None],
    )
    still = epll_denoise(scene, broad, 1.0, [1.0, 4.0])
    c.shape(still, (4, 5), "the image")
    c.close(still, scene, "a prior that allows everything changes nothing")
    # One component without variance: every patch is flat, so one step averages brightness locally.
    flat = (broad[0], broad[1], 1e-12 * torch.eye(3, dtype=torch.float64)[None])
    smooth = epll_denoise(scene, flat, 1.0, [4.0])
    c.close(smooth[0, 0], 2.4, "corner: (0 / 1 + 4 * 3) / (1 / 1 + 4), for its only patch has the mean 3")

# %% [markdown] role="text"
# ### Look: your photograph
#
# Everything meets here: Gaussians, EM, the posterior mean, patches. The cell adds noise to the test photograph and
# cleans it in three ways. The first two average the denoised overlapping patches, the third makes them agree.
#
# | | image | time on two busy cores of an AMD EPYC | memory (estimate) |
# | --- | --- | --- | --- |
# | QUICK | 128 x 160 pixels, 5 components | 4 s | 0.5 GB |
# | full | all of it, 20 components | 2 minutes | 1 GB |

# %% role="run"
with experiment("cleaning a photograph"):
    clean = photo[100:228, 180:340] if QUICK else photo
    generator = torch.Generator().manual_seed(6)
    noisy = clean + sigma * torch.randn(clean.shape, generator=generator, dtype=torch.float64)

    def overlap_denoise(img: Tensor, denoise: Callable[[Tensor], Tensor]) -> Tensor:
        """The mean (H, W) of the overlapping 8 x 8 patches of img (H, W), the 63 coefficients of each denoised."""
        coefficients, means = to_ac(extract_patches(img, 8))
        return aggregate_patches(from_ac(denoise(coefficients), means), *img.shape, 8)

    betas = [factor / sigma**2 for factor in (1, 4, 8, 16, 32)]
    cleaned = {
        "noisy": noisy,
        "one Gaussian": overlap_denoise(noisy, lambda Y: wiener_denoise(Y, *fit_gaussian(X_em), sigma)),
        "mixture": overlap_denoise(noisy, lambda Y: gmm_denoise(Y, log_pi, mus, Sigmas, sigma)),
        "EPLL": epll_denoise(noisy, (log_pi, mus, Sigmas), sigma, betas),
    }
    figures.photographs(cleaned, clean=clean)

# %% [markdown] role="text"
# ![What to expect in full mode: 20.2, 27.0, 29.8 and 30.0 dB](figures/photograph.png)
#
# **Look** closely at a smooth region (the sky, a wall), then at a fine texture, and compare with the noisy image. Where
# does one Gaussian leave noise, where does the mixture wipe out texture that was there? The next cell measures what
# EPLL is about: how probable the patches of each image are under your mixture, on average.

# %% role="run"
with experiment("how probable are the patches?"):
    nats = {
        name: e_step(to_ac(extract_patches(image, 8))[0], log_pi, mus, Sigmas)[1].mean().item()
        for name, image in {"clean": clean, **cleaned}.items()
    }
    print("  ".join(f"{name}: {value:.0f} nats per patch" for name, value in nats.items()))

# %% [markdown] role="text"
# **Think about it** (no points). EPLL has the most probable patches and the highest PSNR, as it should. But the *clean*
# photograph is *less* probable than what you made of the noisy one. Is that a defect of the model, of the denoiser, or
# of neither? (Think of a thousand throws of a die that shows six slightly more often than one: what is the most
# probable sequence, and how often would you see it?)

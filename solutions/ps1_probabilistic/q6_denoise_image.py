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
#    log-likelihood* (EPLL) of Zoran and Weiss (2011), and it wins.
#
# Both need two tools.

# %% [markdown] role="text"
# ### 6a. Taking an image apart and putting it together (code, 6 points)
#
# `extract_patches` returns every overlapping $p \times p$ patch of an image with $H$ rows and $W$ columns: there are
# $(H-p+1)(W-p+1)$. They come in **raster order** of their upper left corners (left to right along the top row, then the
# next row), and each is flattened in raster order too, so that row 0 is `img[:p, :p].reshape(-1)`, row 1 is `img[:p,
# 1:p+1].reshape(-1)`.
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
# Zoran and Weiss minimise, over images $x$,
#
# $$ \frac{\lambda}{2} \lVert x - y \rVert^2 - \sum_i \log p(P_i x), \qquad \lambda = \frac{p^2}{\sigma^2}, $$
#
# where $P_i x$ is the $i$-th patch of $x$ and $\lambda$ makes up for every pixel being counted in $p^2$ patches. All
# patches share pixels, so this is one enormous coupled problem. *Half-quadratic splitting* decouples it: give every
# patch its own copy $z_i$ and tie it to the image by a spring of strength $\beta$,
#
# $$ \frac{\lambda}{2} \lVert x - y \rVert^2
# + \sum_i \Bigl( \frac{\beta}{2} \lVert P_i x - z_i \rVert^2 - \log p(z_i) \Bigr). $$
#
# With $x$ fixed, each $z_i$ is the most probable patch given that $P_i x$ is $z_i$ plus noise of variance $1/\beta$:
# you have a denoiser for that. With all $z_i$ fixed, $x$ solves a quadratic problem that is *diagonal*. Set its
# gradient to zero, on paper: pixel by pixel, with $c$ the number of patches that contain the pixel and $\bar z$ the
# mean of what their $z_i$ say about it,
#
# $$ x = \frac{\lambda\, y + \beta\, c\, \bar z}{\lambda + \beta\, c}. $$
#
# As $\beta$ grows the springs stiffen until image and patches agree.
#
# **Exactly:** start from $x = y$. For each $\beta$ of `betas`, in the given order, do one step for all $z_i$, then one
# for $x$.
#
# - `img` is $y$, of shape (H, W). `gmm` is the triple `(log_pi, mus, Sigmas)` over the $D = p^2 - 1$ coefficients
#   of patches in the basis `dct_basis(p)`, whose rows are orthonormal and orthogonal to the constant patch. Find $p$
#   from $D$.
# - *The step for $z$.* The model knows nothing of a patch's mean brightness (its "DC"), so take it off and put it back:
#   with $m$ the mean of the $p^2$ pixels of $P_i x$ and $B$ the basis, (D, $p^2$), the coefficients are $B (P_i x)$;
#   denoise them with `gmm_denoise` in mode `"map_component"` and noise of standard deviation $1/\sqrt\beta$; then
#   $z_i = B^\top (\text{denoised}) + m$.
# - *The step for $x$.* The formula above, with the $y$ that you were given, not the last $x$. For $c$, count first in
#   one dimension: how many windows of length $p$ contain row $r$ of $H$? Then multiply rows by columns.
# - Do not clip. Return the last $x$.


# %% role="given"
def dct_basis(p: int) -> Tensor:
    """Orthonormal 2-D cosines on p x p pixels without the constant one: rows (p * p - 1, p * p), raster order."""
    t = torch.arange(p, dtype=torch.float64)
    waves = torch.cos(math.pi / p * t[:, None] * (t + 0.5)) * (2 / p) ** 0.5
    waves[0] = (1 / p) ** 0.5
    return torch.einsum("ui,vj->uvij", waves, waves).reshape(p * p, p * p)[1:]


# %% role="answer" part="6b"
def epll_denoise(img: Tensor, gmm: tuple[Tensor, Tensor, Tensor], sigma: float, betas: list[float]) -> Tensor:
    """The image (H, W) after one splitting step for each beta, from the noisy img (H, W) and noise sigma.

    gmm is (log_pi (K,), mus (K, D), Sigmas (K, D, D)) over the D = p * p - 1 coefficients in dct_basis(p).
    """
    ### BEGIN SOLUTION
    (H, W), p = img.shape, math.isqrt(gmm[1].shape[1] + 1)
    basis, strength = dct_basis(p).to(img.dtype), p**2 / sigma**2
    windows, window = img.new_ones(1, 1, H - p + 1, W - p + 1), img.new_ones(1, 1, p, p)
    count = torch.nn.functional.conv_transpose2d(windows, window)[0, 0]  # patches over each pixel
    x = img
    for beta in betas:
        patches = extract_patches(x, p)
        denoised = gmm_denoise(patches @ basis.T, *gmm, beta**-0.5, mode="map_component")
        Z = denoised @ basis + patches.mean(1, keepdim=True)
        x = (strength * img + beta * count * aggregate_patches(Z, H, W, p)) / (strength + beta * count)
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
    c.close(smooth[0, 0], 1.5, "corner: (4 * 0 + 4 * 1 * 3) / (4 + 4 * 1), for its only patch has the mean 3")

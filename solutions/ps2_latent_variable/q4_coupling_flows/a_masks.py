# %% [markdown] role="text"
# ## 4. Coupling flows (18 points)
#
# Question 3 turned a density around a bend: if $z = f(x)$ is invertible and $z$ has a density that we know, then
#
# $$ \log p(x) = \log \mathcal N\big(f(x); 0, I\big) + \log \left| \det \frac{\partial f(x)}{\partial x} \right| . $$
#
# So any invertible network is a generative model: train it by maximum likelihood, *exactly*, with no bound and no
# critic, and sample it by $x = f^{-1}(z)$. Two things stand in the way. An ordinary network is not invertible. And
# the determinant of a $D \times D$ matrix costs of the order of $D^3$ operations, for every example and every step;
# for an image with $D = 784$ the Jacobian alone has 600,000 entries.
#
# **The idea.** Leave some coordinates alone, and use them to decide what to do with the others (Dinh, Krueger and
# Bengio, 2014; Dinh, Sohl-Dickstein and Bengio, *Density estimation using Real NVP*, 2017, eq. 4 to 9). Take a mask
# $m \in \{0, 1\}^D$, where 1 means *left alone*, and any network that maps $m \odot x$ to log-scales $s$ and shifts
# $t$:
#
# $$ z = m \odot x + (1 - m) \odot \big( x \odot e^{s(m \odot x)} + t(m \odot x) \big). $$
#
# On paper, before you write code: put the coordinates that are left alone first. What does $\partial z / \partial x$
# look like, and what is its determinant? Given $z$, how do you get $x$ back, and does the network have to be invertible
# for that? You write the answers down in 4d.

# %% [markdown] role="text"
# ### 4a. Masks for images (code, 3 points)
#
# For vectors, a mask may leave the first half alone. For images there are better ones. A **checkerboard** leaves every
# other pixel, and the neighbours of a pixel say a lot about it. Later, when fine detail has been modelled, an image is
# **squeezed**: each 2 x 2 block of pixels becomes four channels at one place (Real NVP, figure 3), and the mask leaves
# some *channels* alone. Nothing is computed and nothing is lost: a permutation of the coordinates has
# $\lvert\det\rvert = 1$.
#
# - `checkerboard_mask(H, W)`: 1 where the row's and the column's number have an even sum, else 0 (float32). The
#   opposite board is `1 - checkerboard_mask(H, W)`.
# - `squeeze(x)`: channel $4c + 2i + j$ of the result holds the pixels $(2h + i, 2w + j)$ of channel $c$.
# - `unsqueeze(y)`: its inverse.
#
# A `reshape` reads memory in order, so a `reshape` alone cannot do this: first split H and W into (H/2, 2) and
# (W/2, 2), then move the two small dimensions to the channels with `permute`.


# %% role="answer" part="4a"
def checkerboard_mask(H: int, W: int) -> Tensor:
    """Ones and zeros (H, W), float32: 1 where row + column is even."""
    ### BEGIN SOLUTION
    return ((torch.arange(H)[:, None] + torch.arange(W)) % 2 == 0).float()
    ### END SOLUTION


def squeeze(x: Tensor) -> Tensor:
    """Each 2 x 2 block of x (B, C, H, W), H and W even, as four neighbouring channels: (B, 4C, H/2, W/2)."""
    ### BEGIN SOLUTION
    B, C, H, W = x.shape
    blocks = x.reshape(B, C, H // 2, 2, W // 2, 2)
    return blocks.permute(0, 1, 3, 5, 2, 4).reshape(B, 4 * C, H // 2, W // 2)
    ### END SOLUTION


def unsqueeze(y: Tensor) -> Tensor:
    """The inverse of squeeze: (B, 4C, H, W) to (B, C, 2H, 2W)."""
    ### BEGIN SOLUTION
    B, C, H, W = y.shape
    blocks = y.reshape(B, C // 4, 2, 2, H, W)
    return blocks.permute(0, 1, 4, 2, 5, 3).reshape(B, C // 4, 2 * H, 2 * W)
    ### END SOLUTION


# %% role="check" part="4a"
with check("4a") as c:
    c.close(checkerboard_mask(2, 3), [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]], "neighbours differ, the corner is left alone")
    four_by_four = torch.arange(16.0).reshape(1, 1, 4, 4)
    c.shape(squeeze(four_by_four), (1, 4, 2, 2), "a squeezed image")
    c.close(squeeze(four_by_four)[0, 1], [[1.0, 3.0], [9.0, 11.0]], "channel 1: even rows, odd columns")
    two = torch.cat([four_by_four, 100 + four_by_four], dim=1)  # two channels, the second one is 100 more
    c.close(squeeze(two)[0, 5], [[101.0, 103.0], [109.0, 111.0]], "channel 5: the same, of the second channel")
    c.close(unsqueeze(squeeze(two)), two, "unsqueeze undoes squeeze")

# %% [markdown] role="text"
# **Look.** One digit: what the network sees under the checkerboard, and the four channels after a squeeze. Could you
# fill in the missing pixels of the second picture? And in the third to sixth: given one channel, how much is left to
# say about the other three?

# %% role="run"
with experiment("a digit under the checkerboard, and squeezed"):
    digit = digits_test[:1, None].float() / 255  # (1, 1, 28, 28)
    pictures = [digit[0, 0], (digit * checkerboard_mask(28, 28))[0, 0], *squeeze(digit)[0]]
    names = ["the digit", "left alone", *(f"channel {k}" for k in range(4))]
    figure, axes = plt.subplots(1, 6, figsize=(11, 2.2), layout="constrained")
    for ax, picture, name in zip(axes, pictures, names, strict=True):
        ax.imshow(picture, cmap="gray", vmin=0, vmax=1)
        ax.set_title(name)
        ax.axis("off")
    figures.show(figure, "A digit, the same with every other pixel black, and four small copies that differ slightly.")

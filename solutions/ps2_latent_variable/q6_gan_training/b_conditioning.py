# %% [markdown] role="text"
# ### 6b. Conditioning (code, 2 points)
#
# A **conditional** GAN (Mirza and Osindero, 2014) models $p(x\mid y)$: both players see the label. The plainest way to
# show a label to a network is to append it to its input. Write `append_label`:
#
# * a vector (B, D) gets $K$ further entries, all 0 except a 1 at position $y$: the result is (B, D + K);
# * an image (B, C, H, W) gets $K$ further channels *behind* its own, each constant: channel $C + k$ is 1 everywhere if
#   $y=k$, else 0 everywhere. The result is (B, C + K, H, W).
#
# The result has the dtype and device of `x`. Mind that a batch need not contain every label.


# %% role="answer" part="6b"
def append_label(x: Tensor, y: Tensor, n_labels: int) -> Tensor:
    """x (B, D) or (B, C, H, W) with the labels y (B,), all below n_labels, as n_labels more columns or planes."""
    ### BEGIN SOLUTION
    planes = F.one_hot(y, n_labels).to(x)  # (B, K)
    planes = planes.reshape(*planes.shape, *[1] * (x.ndim - 2)).expand(-1, -1, *x.shape[2:])
    return torch.cat([x, planes], dim=1)
    ### END SOLUTION


# %% role="check" part="6b"
with check("6b") as c:
    y = torch.tensor([2, 0])
    c.close(
        append_label(torch.tensor([[5.0, 6.0], [7.0, 8.0]]), y, 3),
        [[5.0, 6.0, 0.0, 0.0, 1.0], [7.0, 8.0, 1.0, 0.0, 0.0]],
        "a vector and its label",
    )
    images = append_label(torch.zeros(2, 1, 5, 6), y, 4)
    c.shape(images, (2, 5, 5, 6), "a batch of images with four labels, one of them unused,")
    planes = [[0.0, 0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0, 0.0]]
    c.close(images.mean(dim=(2, 3)), planes, "constant planes behind the image")

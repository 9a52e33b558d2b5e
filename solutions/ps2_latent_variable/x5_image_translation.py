# %% [markdown] role="text"
# ## x5. Image translation (6 points)
#
# A generator need not start from noise. **pix2pix** (Isola et al., CVPR 2017) starts from an image, a sketch for
# instance, and returns another one of the same size, a photograph. If every sketch $x$ comes with its photograph $y$,
# why not regress, $\min_G\mathbb E\lVert y-G(x)\rVert_1$? Because many photographs fit one sketch. The best answer
# under an absolute error is the *median* of all of them, pixel by pixel, and the median of many sharp images is
# blurred, or has lost its details. The mean is no better. An adversarial loss asks a different question, whether the
# answer *looks like* a photograph, and a blurred image does not. So pix2pix adds the two: the absolute error says what
# is where, the discriminator how it should look.
#
# ### x5a. What one logit sees (code, 2 points)
#
# Since the absolute error takes care of the composition, the discriminator may be short-sighted. A **PatchGAN** is a
# stack of convolutions without a dense layer at the end: its output is a *map* of logits, and each of them sees only a
# patch of the image, its **receptive field**. How large is that patch, and how far apart are the patches of two
# neighbouring logits?
#
# Write `receptive_field` for a stack of convolutions, each given as (kernel, stride), the first one nearest to the
# image. Go through it once: an output of the first layer sees `kernel` pixels, and its neighbour stands `stride`
# pixels further. An output of the next layer sees several of *those*. Padding changes neither number. Count
# from the first pixel to the last, also where a stride that is wider than its kernel leaves holes.


# %% role="answer" part="x5a"
def receptive_field(layers: list[tuple[int, int]]) -> tuple[int, int]:
    """Pixels (along one axis) that an output of a stack of (kernel, stride) sees, and pixels between two neighbours."""
    ### BEGIN SOLUTION
    size, jump = 1, 1
    for kernel, stride in layers:
        size += (kernel - 1) * jump
        jump *= stride
    return size, jump
    ### END SOLUTION


# %% role="check" part="x5a"
with check("x5a") as c:
    c.equal(tuple(receptive_field([(3, 1)])), (3, 1), "one convolution of width 3")
    c.equal(tuple(receptive_field([(3, 1), (3, 1)])), (5, 1), "two of them see 5 pixels")
    c.equal(tuple(receptive_field([(4, 2), (4, 1)])), (10, 2), "stride 2 doubles what the next layer's kernel spans")

# %% [markdown] role="text"
# pix2pix uses kernels of width 4 with strides 2, 2, 2, 1, 1 on images of 256 x 256. Below, one output of such a
# stack with random weights is differentiated with respect to an image; what is not black is what it sees.

# %% role="run"
with experiment("the patch of one logit"):
    torch.manual_seed(0)
    plans = {
        "4/2, 4/1": [(4, 2), (4, 1)],
        "4/2, 4/2, 4/1": [(4, 2), (4, 2), (4, 1)],
        "pix2pix": [(4, 2)] * 3 + [(4, 1)] * 2,
    }
    fig, axes = plt.subplots(1, 3, figsize=(10, 3.6), layout="constrained")
    for ax, (name, plan) in zip(axes, plans.items(), strict=True):
        stack = nn.Sequential(*[nn.Conv2d(1, 1, kernel, stride, padding=1) for kernel, stride in plan])
        image = torch.zeros(1, 1, 128, 128, requires_grad=True)
        logits = stack(image)[0, 0]
        middle = len(logits) // 2
        (slope,) = torch.autograd.grad(logits[middle, middle], image)
        size, jump = receptive_field(plan)
        ax.imshow(slope[0, 0].abs() ** 0.3, cmap="gray")
        ax.set(
            title=f"{name}: {len(logits)} x {len(logits)} logits\neach sees {size}, jump {jump}", xticks=[], yticks=[]
        )
    figures.show(fig, "The square that one logit sees grows from 10 to 22 to 70 pixels.")

# %% [markdown] role="text"
# **Look.** The square is evenly lit in none of the three pictures. Which pixels count most, and why? (How many paths
# lead from a pixel at the rim to the logit?)
#
# ### x5b. The loss of pix2pix (code, 1 point)
#
# Write `pix2pix_loss`, which the generator minimises:
#
# $$ \overline{-\log\sigma\big(D(x,G(x))\big)}+\lambda\,\overline{\lvert y-G(x)\rvert}. $$
#
# The first mean runs over *all* logits of the map and all examples (question 5, non-saturating), the second one over
# all pixels. The discriminator is conditional: it sees the input $x$ beside the output. Run $G$ once.


# %% role="answer" part="x5b"
def pix2pix_loss(
    G: Callable[[Tensor], Tensor], D: Callable[[Tensor, Tensor], Tensor], x: Tensor, y: Tensor, weight: float
) -> Tensor:
    """The generator's loss, a scalar, for inputs x and targets y (B, C, H, W); D(x, image) is a map of logits."""
    ### BEGIN SOLUTION
    fake = G(x)
    return g_loss(D(x, fake), "non_saturating") + weight * (y - fake).abs().mean()
    ### END SOLUTION


# %% role="check" part="x5b"
with check("x5b") as c:
    x, y = torch.zeros(2, 1, 4, 4), torch.ones(2, 1, 4, 4)
    loss = pix2pix_loss(lambda x: x + 0.25, lambda x, image: 0 * image[:, :, ::2, ::2], x, y, 100.0)
    c.shape(loss, (), "the loss")
    c.close(loss, math.log(2) + 75.0, "an undecided discriminator, and an error of 0.75 per pixel")

# %% [markdown] role="text"
# ### x5c. There and back again (code, 1 point)
#
# Nobody has photographs of horses with the same scene as zebras. Without pairs there is no absolute error. **CycleGAN**
# (Zhu et al., ICCV 2017, eq. 2) trains two generators, $G:X\to Y$ and $H:Y\to X$, each against a discriminator of its
# target, and asks that a round trip ends where it began (the paper calls our $H$ $F$, a name that is taken here):
#
# $$ \overline{\lvert H(G(x))-x\rvert}+\overline{\lvert G(H(y))-y\rvert}. $$
#
# Write `cycle_loss`, the sum of these two means over all numbers. The batches `x` and `y` are unpaired and may differ
# in size.


# %% role="answer" part="x5c"
def cycle_loss(G: Callable[[Tensor], Tensor], H: Callable[[Tensor], Tensor], x: Tensor, y: Tensor) -> Tensor:
    """The mean absolute errors of both round trips, a scalar; G maps x (B, ...) to the other domain, H maps y back."""
    ### BEGIN SOLUTION
    return (H(G(x)) - x).abs().mean() + (G(H(y)) - y).abs().mean()
    ### END SOLUTION


# %% role="check" part="x5c"
with check("x5c") as c:
    x, y = torch.tensor([[1.0], [2.0]]), torch.tensor([[4.0], [6.0], [8.0]])
    c.close(cycle_loss(lambda x: 2 * x, lambda y: y / 2, x, y), 0.0, "two maps that undo each other")
    c.close(cycle_loss(lambda x: 2 * x, lambda y: y, x, y), 1.5 + 6.0, "x comes back as 2x, y as 2y")

# %% [markdown] role="text"
# ### Look: round trips that prove nothing
#
# Two domains, both the ring of question 6. The *right* translation is the identity. Here are other ones: turn the ring
# by $k$ eighths, or shrink it, with the inverse as $H$.

# %% role="run"
with experiment("round trips on the ring"):
    points_x, points_y = (ring(500, torch.Generator().manual_seed(seed))[0] for seed in (0, 1))
    trips = {}
    for name, angle, scale in (("identity", 0, 1.0), ("1/8 turn", 1, 1.0), ("3/8 turn", 3, 1.0), ("shrunk", 0, 0.5)):
        cos, sin = math.cos(angle * math.pi / 4), math.sin(angle * math.pi / 4)
        A = scale * torch.tensor([[cos, -sin], [sin, cos]])
        there, back = (lambda x, A=A: x @ A.T), (lambda y, A=A: y @ torch.linalg.inv(A).T)
        trips[name] = (cycle_loss(there, back, points_x, points_y), mode_coverage(there(points_x), RING, 0.3))
    for name, (loss, (covered, good)) in trips.items():
        print(f"{name:>10}: cycle loss {loss:.1e}, {covered} modes of the target, {100 * good:.0f} % good")

# %% [markdown] role="text"
# **Look.** Which of the wrong translations would the discriminator of the target punish? Which ones does nobody punish?
#
# ### x5d. What the two ideas do not say (written, 2 points)
#
# 1. Let an image be a vector of pixels and let several targets $y$ occur with the same input $x$. Show that the
#    minimiser of $\mathbb E\lVert y-G(x)\rVert_1$ is a median in each pixel, and give an example with a few equally
#    likely sharp targets where it is an image that never occurs. What can a PatchGAN whose logits see 70 pixels notice
#    about an image of 256 pixels, and what not? (1 point)
# 2. Let $(G,H)$ be invertible translations with cycle loss 0 and perfect adversarial losses. Let $T$ be any invertible
#    map of $Y$ under which the distribution of $Y$ does not change. Show that $(T\circ G,\,H\circ T^{-1})$ is just as
#    good. Why do the results nevertheless often look right? Name one more thing that a cycle loss of 0 permits when
#    $Y$ holds less information than $X$. (1 point)

# %% [markdown] role="written" part="x5d"
# ### BEGIN SOLUTION
# **1.** The norm is a sum over pixels, so each pixel $g$ of $G(x)$ minimises $\mathbb E[\lvert y_i-g\rvert\mid x]$
# alone. Its derivative is $P(y_i<g\mid x)-P(y_i>g\mid x)$, which is negative below a median and positive above: the
# minimiser is a median. Take three equally likely targets, a white line at
# one of three places on black. Each pixel is black with probability at least 2/3, so the best answer is an entirely
# black image, which never occurs. (With two equally likely targets, any value between the two is a median in each
# pixel: a line at half intensity in both places is optimal, and never occurs either.) A patch of 70 pixels shows edges,
# texture, sharpness and local shape, and each patch is judged by itself: whether the left half of the image fits the
# right one, or how many windows the house has, no logit can see.
#
# **2.** The round trips are unchanged: $H\circ T^{-1}\circ T\circ G=H\circ G=\mathrm{id}$ on $X$, and
# $T\circ G\circ H\circ T^{-1}=\mathrm{id}$ on $Y$. $G(x)$ has the distribution of $Y$, so does $T(G(x))$ by
# assumption; and $T^{-1}(y)$ has the distribution of $Y$, so $H(T^{-1}(y))$ has that of $X$. All four losses are
# the same, as for the turns of the ring. It often looks right because the networks are convolutional, start near simple
# local maps and change as little as they must: the architecture, not the loss, chooses among the solutions. When $Y$
# holds less information, $G$ may hide what $H$ needs in a weak, invisible pattern of $G(x)$ (Chu, Zhmoginov and
# Sandler,
# 2017), so that the trip is perfect and the translation meaningless.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: a median per pixel, with the derivative; an example; patches judge texture and not composition
# - 1 point: all four losses unchanged under T; the architecture breaks the tie; hidden information
# ### END MARK SCHEME

# %% [markdown] role="text"
# ## 6. Training a GAN (12 points)
#
# The theory of question 5 has a perfect discriminator for every generator. Practice has two networks, two optimizers
# and one batch at a time: a step for $D$, a step for $G$, and again. Neither loss has to fall. What is being looked
# for is not the minimum of anything, but a state in which neither player can improve: an equilibrium.
#
# Debugging that is hard because almost everything "trains". A generator that receives the wrong gradient still moves,
# the pictures still change, and the loss curves of a healthy run are as ragged as those of a broken one. So build the
# step from parts that you can prove right, then look at it on data where failure is visible: eight small Gaussians on a
# circle.

# %% role="given" id="ring"
RING = 2 * torch.stack(
    [torch.tensor([math.cos(k * math.pi / 4), math.sin(k * math.pi / 4)]) for k in range(8)]
)  # (8, 2)


def ring(n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """n points (n, 2) of eight Gaussians of standard deviation 0.1 on a circle of radius 2, and their modes (n,)."""
    y = torch.randint(8, (n,), generator=generator)
    return RING[y] + 0.1 * torch.randn(n, 2, generator=generator), y


class RingNet(nn.Module):
    """A network for the ring: (B, inputs) and, with labels, modes (B,) to (B, outputs). Both players use it."""

    def __init__(self, inputs: int, outputs: int, n_labels: int = 0, width: int = 128) -> None:
        super().__init__()
        self.n_labels = n_labels
        self.layers = nn.Sequential(
            nn.Linear(inputs + n_labels, width),
            nn.LeakyReLU(0.2),
            nn.Linear(width, width),
            nn.LeakyReLU(0.2),
            nn.Linear(width, outputs),
        )

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Points (B, 2) from codes, or logits (B, 1) from points."""
        return self.layers(x if y is None else append_label(x, y, self.n_labels))  # your answer to 6b


# %% [markdown] role="text"
# ### 6a. One step of the game (code, 4 points)
#
# Write `gan_train_step`: **first** one step of the discriminator, **then** one step of the generator against the
# discriminator that has just been updated.
#
# 1. Fakes are $G(z_d)$. The discriminator's loss is `d_loss(D(real), D(fakes), kind)`, and `opt_D` takes one step.
#    **No gradient of this loss may reach the generator**: the fakes are data here. (What does it cost if one does?
#    A backward pass through $G$, thrown away at best, and added to the generator's next gradient at worst.)
# 2. *New* fakes are $G(z_g)$. The generator's loss is `g_loss(D(fakes), kind)`, and `opt_G` takes one step. This
#    gradient flows *through* $D$ into $G$, but $D$'s parameters must not move.
#
# Gradients that lie in `.grad` from whatever came before must not count in either step. Note that step 2 leaves some
# in $D$.
#
# `y` holds the labels (B,) of a conditional GAN. Where they are given, every call gets them: `G(z, y)` and `D(x, y)`,
# for real and fake examples alike. Where they are `None`, call `G(z)` and `D(x)`; then the batches may differ in size.
#
# Return both losses as they were computed, each *before* its own update, as scalars without a graph (`.detach()`): a
# training loop that stores losses with their graphs fills the memory. Expect about 10 lines. The networks are any
# modules; do not look into them.


# %% role="answer" part="6a"
def gan_train_step(
    G: nn.Module,
    D: nn.Module,
    opt_G: torch.optim.Optimizer,
    opt_D: torch.optim.Optimizer,
    real: Tensor,
    z_d: Tensor,
    z_g: Tensor,
    kind: str,
    y: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """A step of D on real (B, ...) and G(z_d), then a step of G on z_g; z_d, z_g are (B, L), y (B,) are labels.

    The losses of D and of G, two detached scalars.
    """
    ### BEGIN SOLUTION
    labels = () if y is None else (y,)
    with torch.no_grad():
        fakes = G(z_d, *labels)
    loss_D = d_loss(D(real, *labels), D(fakes, *labels), kind)
    opt_D.zero_grad()
    loss_D.backward()
    opt_D.step()
    loss_G = g_loss(D(G(z_g, *labels), *labels), kind)
    opt_G.zero_grad()
    loss_G.backward()
    opt_G.step()
    return loss_D.detach(), loss_G.detach()
    ### END SOLUTION


# %% role="check" part="6a"
with check("6a") as c:
    G, D = nn.Linear(1, 1, bias=False).double(), nn.Linear(1, 1, bias=False).double()
    with torch.no_grad():
        G.weight.fill_(2.0)
        D.weight.fill_(0.5)
    opt_G, opt_D = torch.optim.SGD(G.parameters(), lr=0.1), torch.optim.SGD(D.parameters(), lr=0.01)
    one, reached = torch.ones(1, 1, dtype=torch.float64), []
    G.weight.grad, D.weight.grad = 100 * one, 100 * one  # left behind by something else
    G.weight.register_hook(reached.append)
    loss_D, loss_G = gan_train_step(G, D, opt_G, opt_D, 5 * one, one, 3 * one, "wasserstein")
    c.shape(loss_D, (), "the discriminator's loss")
    c.close(loss_D, -1.5, "D's loss: 0.5 * (2 * 1) - 0.5 * 5, before its update")
    c.close(D.weight, [[0.53]], "D's weight: 0.5 - 0.01 * (2 - 5), whatever lay in .grad before")
    c.close(loss_G, -3.18, "G's loss, with the new D: -0.53 * (2 * 3)")
    c.close(G.weight, [[2.159]], "G's weight: 2 + 0.1 * 0.53 * 3, whatever lay in .grad before")
    c.equal(len(reached), 1, "one gradient reached G, that of its own loss")
    c.true(not loss_D.requires_grad and not loss_G.requires_grad, "the losses carry no graph")

    class Told(nn.Linear):
        """A linear layer that notes the labels that it is given."""

        def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
            """The layer's outputs."""
            given.append(y)
            return super().forward(x)

    given, G, D = [], Told(1, 1), Told(1, 1)
    opt_G, opt_D = torch.optim.SGD(G.parameters(), lr=0.1), torch.optim.SGD(D.parameters(), lr=0.1)
    gan_train_step(G, D, opt_G, opt_D, one.float(), one.float(), one.float(), "hinge", torch.tensor([3]))
    c.true(given and all(y is not None for y in given), "with labels, every call of G and of D gets them")

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

# %% [markdown] role="text"
# ### 6c. How many modes? (code, 2 points)
#
# A GAN has no likelihood, so what do we measure? On the ring we know the truth. Write `mode_coverage` for samples
# (N, D), mode centres (K, D) and a radius $r$:
#
# * a sample **is good** if its *nearest* centre is at most $r$ away (Euclidean distance, $r$ itself included);
# * a mode **is covered** if it is the nearest centre of at least one good sample.
#
# Return the number of covered modes and the share of good samples, two plain numbers. Circles may overlap: a sample in
# two of them belongs to the nearer one only. On the ring we take $r=0.3$, three standard deviations: 98.9 % of real
# points are good.


# %% role="answer" part="6c"
def mode_coverage(samples: Tensor, centers: Tensor, r: float) -> tuple[int, float]:
    """How many of the centers (K, D) have a good sample, and the share of good ones among samples (N, D)."""
    ### BEGIN SOLUTION
    distance, nearest = torch.linalg.vector_norm(samples[:, None] - centers, dim=2).min(dim=1)  # (N,), (N,)
    good = distance <= r
    return len(nearest[good].unique()), good.double().mean().item()
    ### END SOLUTION


# %% role="check" part="6c"
with check("6c") as c:
    samples = torch.tensor([[0.1, 0.0], [0.0, 0.2], [3.0, 1.0], [9.0, 9.0]])
    covered, good = mode_coverage(samples, torch.tensor([[0.0, 0.0], [3.0, 0.0], [-3.0, 0.0]]), 1.0)
    c.equal(int(covered), 2, "two of three modes are covered")
    c.close(float(good), 0.75, "three of four samples are good")
    between, centers = torch.tensor([[0.4, 0.0]]), torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    covered, good = mode_coverage(between, centers, 0.8)
    c.equal(int(covered), 1, "a sample in two circles covers the nearer mode only")
    c.close(float(good), 1.0, "and counts once")
    real_points, _ = ring(500, torch.Generator().manual_seed(0))
    c.equal(int(mode_coverage(real_points, RING, 0.3)[0]), 8, "real points cover the ring")

# %% [markdown] role="text"
# ### Look: the ring
#
# Two networks of your step, trained with Adam; a dot is a sample of the generator, a circle has radius 0.3. Columns are
# moments of the training, rows are games. In the first, both players learn at the same rate. In the second, the
# generator is *eager*: it learns ten times faster than its discriminator.
#
# > **Time.** `QUICK` (two games of 1,000 steps): 6 s on one core of a busy AMD EPYC (measured), and 3 s for the third
# > game, below. Full (five games of 10,000 steps): about 3 minutes there or on a T4 alike, because the networks are too
# > small for a GPU to matter (estimates). Memory is negligible.


# %% role="run"
def ring_players(rate: float = 5e-4, n_labels: int = 0) -> dict[str, nn.Module | torch.optim.Optimizer]:
    """A fresh generator of 8-dimensional codes with its learning rate, a fresh discriminator, and their optimizers."""
    torch.manual_seed(1)
    G, D = RingNet(8, 2, n_labels), RingNet(2, 1, n_labels)
    return {
        "G": G,
        "D": D,
        "opt_G": torch.optim.Adam(G.parameters(), lr=rate, betas=(0.5, 0.999)),
        "opt_D": torch.optim.Adam(D.parameters(), lr=5e-4, betas=(0.5, 0.999)),
    }


def train_on_ring(
    kind: str, blocks: int, rate: float = 5e-4, n_labels: int = 0
) -> tuple[nn.Module, list[Tensor], dict[str, list[float]]]:
    """The generator after blocks of 125 steps, its samples (1000, 2) after every block, and the history."""
    players, labels = ring_players(rate, n_labels), torch.arange(1000) % 8 if n_labels else None
    codes = torch.randn(1000, 8, generator=torch.Generator().manual_seed(9))
    run = resumable(
        f"checkpoints/ring_{kind}_{rate}_{n_labels}.safetensors",
        pack(**players),
        made_by=(train_on_ring,),
        settings={"blocks": blocks},
    )
    films = {key: value for key, value in run.state.items() if key.startswith("film.")}
    unpack({key: value for key, value in run.state.items() if key not in films}, **players)
    for block in run.steps(blocks, f"{kind}, blocks of 125 steps"):
        generator = torch.Generator().manual_seed(block)
        for _ in range(125):
            real, y = ring(128, generator)
            z = torch.randn(2, 128, 8, generator=generator)
            losses = gan_train_step(**players, real=real, z_d=z[0], z_g=z[1], kind=kind, y=y if n_labels else None)
        with torch.no_grad():
            samples = players["G"](codes) if labels is None else players["G"](codes, labels)
        films[f"film.{block:04d}"] = samples
        run.state = pack(**players) | films
        covered, good = mode_coverage(samples, RING, 0.3)
        run.log(modes=covered, good=good, loss_D=losses[0], loss_G=losses[1])
    return players["G"], [films[key] for key in sorted(films)], run.history


def draw_ring(films: dict[str, list[Tensor]], moments: list[int], title: str, n_labels: int = 1) -> None:
    """Rows of samples (N, 2), one per name, at these blocks; sample i has the colour of label i % n_labels."""
    palette = [*figures.COLOURS, "darkgrey"]
    fig, axes = plt.subplots(
        len(films), len(moments), figsize=(2.3 * len(moments), 2.4 * len(films)), squeeze=False, layout="constrained"
    )
    for row, (name, film) in zip(axes, films.items(), strict=True):
        for ax, moment in zip(row, moments, strict=True):
            x = film[moment]
            ax.scatter(*x.T, s=2, c=[palette[i % n_labels] for i in range(len(x))])
            for center in RING:
                ax.add_patch(plt.Circle(center.tolist(), 0.3, fill=False, linewidth=0.6))
            covered, good = mode_coverage(x, RING, 0.3)
            ax.set(xlim=(-3, 3), ylim=(-3, 3), xticks=[], yticks=[], aspect="equal")
            ax.set_title(f"step {125 * (moment + 1)}\n{covered} modes, {100 * good:.0f} % good", fontsize=8)
        row[0].set_ylabel(name)
    figures.show(fig, title)


with experiment("games on the ring"):
    blocks = 8 if QUICK else 80
    games = {"non-saturating": ("non_saturating", blocks), "an eager generator": ("non_saturating", blocks, 5e-3)}
    if not QUICK:
        games |= {kind: (kind, blocks) for kind in ("minimax", "least_squares", "hinge")}
    runs = {name: train_on_ring(*game) for name, game in games.items()}
    moments = sorted({0, blocks // 8, blocks // 4, blocks // 2, blocks - 1})
    draw_ring({name: run[1] for name, run in runs.items()}, moments, "Samples spread over the ring, or hop around it.")
    figures.curves(
        {name: run[2]["modes"] for name, run in runs.items()}, xlabel="blocks of 125 steps", ylabel="covered modes"
    )
    figures.curves(
        {name: run[2]["loss_D"] for name, run in runs.items()}, xlabel="blocks of 125 steps", ylabel="D's loss"
    )

# %% [markdown] role="text"
# ![What to expect in full mode: equal players fill the ring, an eager generator hops around it](figures/ring.png)
#
# **Look.** In the first row all modes are covered from the start. Why is that number no praise yet? Follow the eager
# generator through the columns. Where are its samples, where were they before, and what did the discriminator
# learn in between? And the curves of $D$'s loss: could you tell from them alone when a generator was best? What
# would that loss be at the equilibrium? (You computed it in 5c.)
#
# ### Look: the same game with labels
#
# Now both players are told the mode. Colours are labels.

# %% role="run"
with experiment("the conditional ring"):
    conditional = train_on_ring("non_saturating", blocks, n_labels=8)
    draw_ring({"with labels": conditional[1]}, moments, "With labels, every mode gets its own samples early on.", 8)
    z = torch.randn(100, 8, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        share = [mode_coverage(conditional[0](z, torch.full((100,), k)), RING[k : k + 1], 0.3)[1] for k in range(8)]
    print("share of samples that lie in their own mode: " + ", ".join(f"{s:.2f}" for s in share))

# %% [markdown] role="text"
# ![What to expect in full mode: with labels, every mode soon has samples of its own colour](figures/conditional.png)
#
# **Look.** What has become much easier, and why? (With the label given, how many modes does the generator have to find
# *per label*?) What can still collapse?
#
# ### Look: a discriminator that has won
#
# Now the generator stands still, untrained, and only $D$ learns. After every 20 of $D$'s steps we ask: if the
# generator took its step now, how long would its gradient be? On the left $D$'s loss, on the right the length of the
# gradient of all of $G$'s parameters in two games.

# %% role="run"
with experiment("the generator's gradient as D wins"):
    players, generator = ring_players(), torch.Generator().manual_seed(0)
    G, D = players["G"], players["D"]
    lengths: dict[str, list[float]] = {"minimax": [], "non_saturating": []}
    won = []
    for step in range(401):
        fakes = G(torch.randn(256, 8, generator=generator))
        if step % 20 == 0:
            for kind, length in lengths.items():
                slopes = torch.autograd.grad(g_loss(D(fakes), kind), list(G.parameters()), retain_graph=True)
                length.append(torch.stack([slope.norm() for slope in slopes]).norm().item())
        loss = d_loss(D(ring(256, generator)[0]), D(fakes.detach()), "minimax")
        players["opt_D"].zero_grad()
        loss.backward()
        players["opt_D"].step()
        won += [loss.item()] if step % 20 == 0 else []
    fig, axes = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    axes[0].semilogy(range(0, 401, 20), won)
    axes[0].set(xlabel="steps of D alone", ylabel="D's loss")
    for (kind, length), dash in zip(lengths.items(), figures.DASHES, strict=False):
        axes[1].semilogy(range(0, 401, 20), length, dash, label=kind)
    axes[1].set(xlabel="steps of D alone", ylabel="length of G's gradient")
    axes[1].legend()
    figures.show(fig, "As D's loss falls to zero, the minimax gradient vanishes with it; the non-saturating one grows.")

# %% [markdown] role="text"
# **Look.** By which factor has the minimax gradient shrunk, and by which factor $D$'s loss? Compare with the slope
# $-\sigma(f)$ of 5d; the rest is $\nabla_xD$, which grows. Where do you see its growth alone?
#
# ### 6d. What a perfect discriminator does to the generator (written, 2 points)
#
# Images lie on thin sets, so that early in training $p$ and $q$ do not overlap and a discriminator can be *perfect*:
# right on all real and all fake examples.
#
# 1. Write the gradient of the generator's loss with respect to $\theta$, for one fake $x=G_\theta(z)$, as a product of
#    three factors, one of which depends on `kind`. Which factor vanishes in the minimax game? The non-saturating loss
#    repairs that factor. Give a perfect discriminator for which its gradient vanishes all the same, and conclude what
#    a better *loss* alone cannot do. (1 point)
# 2. In the theory of question 5, the discriminator *should* be optimal at every step. In practice, one trains $D$ for a
#    single step per step of $G$. Explain this apparent contradiction, and name two remedies that allow a well-trained
#    $D$ (look ahead to question 7 for one), each with the factor of 1 that it repairs. (1 point)

# %% [markdown] role="written" part="6d"
# ### BEGIN SOLUTION
# **1.** With the logit $f=D(x)$ and $\ell$ the loss of one logit,
#
# $$\nabla_\theta\,\ell\big(D(G_\theta(z))\big)=\ell'(f)\cdot\nabla_xD(x)^\top\cdot\frac{\partial
# G_\theta(z)}{\partial\theta}.$$
#
# Only $\ell'$ depends on the game. For minimax it is $-\sigma(f)\approx-e^{f}\to0$ when $D$ is sure of the fake. For
# the non-saturating loss it is $-\sigma(-f)\to-1$. But let $D$ be constant, $-c$, in a neighbourhood of all fakes, and
# $+c$ around all real examples (with disjoint closed sets, a smooth $D$ of this kind exists). It is perfect for large
# $c$, and the *second* factor, $\nabla_xD$, is zero: no loss of $f$ alone can turn that into a direction. (Arjovsky and
# Bottou, 2017, theorems 2.1 and 2.4.)
#
# **2.** The optimal $D$ gives the divergence, but for $p$ and $q$ without overlap that divergence is constant (5c), so
# its gradient is zero or arbitrary. A $D$ that is only partly trained is smooth: its logits are moderate and still
# slope from the fakes towards the data, which is a useful direction though not the gradient of any divergence.
# Remedies: *noise* added to real and fake inputs makes $p$ and $q$ overlap, so that the best logit is finite and slopes
# everywhere (both first factors); a *Lipschitz* critic with the Wasserstein loss (question 7) has $\ell'=-1$ and at its
# optimum $\lVert\nabla_xD\rVert=1$ on the way between fakes and data. (Also accepted: a penalty on $\nabla_xD$ at
# the data, label smoothing for the first factor.)
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: the chain rule's three factors; a D that is locally constant around the fakes, which no loss of f can mend
# - 1 point: an optimal D is flat without overlap, a half-trained one slopes; two remedies with what each repairs
# ### END MARK SCHEME

# %% [markdown] role="text"
# ### 6e. Lost modes (written, 2 points)
#
# 1. Hold $D$ fixed and train $G$ to the end, for any game of question 5 except least squares. Assume that $D$ has one
#    maximum. What is $G(z)$ then, for every $z$? Explain with it why the order of $\min_G\max_D$ matters, and why
#    alternating steps may chase each other around the ring. Why does conditioning help? (1 point)
# 2. A generator has 8 covered modes and 100 % good samples. Describe two quite different ways in which it may
#    nevertheless be a bad model of the ring, and for each one a number that would reveal it. (1 point)

# %% [markdown] role="written" part="6e"
# ### BEGIN SOLUTION
# **1.** The loss is a mean of a decreasing function of $D(G(z))$ over $z$, so each $z$ can be treated alone:
# $G(z)=\arg\max_xD(x)$, the *same* point for all $z$. In $\min_G\max_D$ the discriminator answers the generator: a
# collapsed $G$ is punished at once, and $q=p$ is best. In $\max_D\min_G$ the generator answers, and its best answer is
# always a single point. Alternating steps do not know which of the two they are. When $G$ moves fast, it gathers where
# $D$ is highest; $D$ then learns to call that place fake, its maximum moves to a mode without samples, and $G$
# follows, around the ring. With labels, the discriminator judges each label by itself: collapse *between* modes is
# visible to it as a wrong label, so that at least every label keeps its own point. Collapse *within* a label is not
# prevented.
#
# **2.** (a) *Weights*: 99 % of the samples in one mode and one in each of the others still cover 8 modes. Compare the
# shares of good samples per mode with 1/8, for instance by their KL divergence. (b) *Spread*: within every mode, all
# samples sit on one point, the centre (or on a few training points that were learnt by heart). Compare the variance
# within each mode with $0.1^2$, or look at the distances to the nearest training example and to the nearest other
# sample.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: every z goes to the maximiser of D; the two orders of min and max; the chase; labels keep modes apart
# - 1 point: unequal weights and collapse (or copies) within modes, each with a number that shows it
# ### END MARK SCHEME

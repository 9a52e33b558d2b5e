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
# Two networks, trained by your step with Adam; a dot is a sample of the generator, a circle has radius 0.3. Columns are
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
    """Rows of samples (N, 2), one per name, at these blocks; samples i % n_labels share a colour and a mark."""
    palette, marks = [*figures.COLOURS, "darkgrey"], "os^vD*Px"
    fig, axes = plt.subplots(
        len(films), len(moments), figsize=(2.3 * len(moments), 2.4 * len(films)), squeeze=False, layout="constrained"
    )
    for row, (name, film) in zip(axes, films.items(), strict=True):
        for ax, moment in zip(row, moments, strict=True):
            x = film[moment]
            for k in range(n_labels):
                ax.scatter(*x[k::n_labels].T, s=2 if n_labels == 1 else 6, color=palette[k], marker=marks[k])
            for center in RING:
                ax.add_patch(plt.Circle(center.tolist(), 0.3, fill=False, linewidth=0.6))
            covered, good = mode_coverage(x, RING, 0.3)
            ax.set(xlim=(-3, 3), ylim=(-3, 3), xticks=[], yticks=[], aspect="equal")
            ax.set_title(f"step {125 * (moment + 1)}\n{covered} modes, {100 * good:.0f} % good", fontsize=8)
        row[0].set_ylabel(name)
    figures.show(fig, title)


with experiment("games on the ring", smaller="64 points in a batch of train_on_ring"):
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
# Now both players are told the mode. Colours and marks are labels.

# %% role="run"
with experiment("the conditional ring", smaller="64 points in a batch of train_on_ring"):
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

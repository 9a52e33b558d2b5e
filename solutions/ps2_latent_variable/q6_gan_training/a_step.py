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

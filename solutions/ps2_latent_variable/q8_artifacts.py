# %% [markdown] role="text"
# ## 8. Your models (10 points)
#
# The last question has no function to write. You hand in four trained models, and each of them is judged by what its
# family *can* be judged by, on digits that your training has not seen, and on points and codes that you do not have.
# Train on the training digits only, never on the test digits:
#
# | | you hand in | it is judged by | half | full |
# | --- | --- | --- | --- | --- |
# | 8a | the autoencoder of question 2 | its bound on hidden digits, $-$ELBO in nats | at most 112 | at most 105 |
# | 8b | the flow of question 4 | how far its density is below that of the moons, in nats | at most 0.3 | at most 0.1 |
# | 8c | the generator of question 6 | good points, in 7 of 8 modes at least | 55 % | 75 % |
# | 8d | a generator of digits on demand | how often a hidden network reads the digit that was asked for | 60 % | 80 % |
#
# The grader computes all of it from the *tensors* that you save; no line of your code runs. So it has to know the
# networks: those that were given to you, with widths, depths of the flow and code lengths of your choice (widths up to
# 1024, 16 coupling layers, 64 channels). If you put other networks into question 2, train the given ones for this
# question. All thresholds are one-sided, and a better model never scores less. The full training cells of this
# notebook pass each of them, and so did all seeds that we tried at half of that training.
#
# ![What to expect in full mode: the four models, and what the grader says of each](figures/families.png)
#
# Train with `QUICK = False` before you hand in. The models of QUICK mode are there to try the way; most of them fail.
#
# Two small helpers: what is saved is a flat dict of tensors in half precision, which is enough to *use* a model (though
# not to train one). And a file that was saved is worth reading again before somebody else does.


# %% role="given" id="handing-in"
from pathlib import Path

from safetensors.torch import load_file


def weights(net: nn.Module) -> dict[str, Tensor]:
    """The floating-point tensors of a network, in half precision."""
    return {name: tensor.half() for name, tensor in net.state_dict().items() if tensor.is_floating_point()}


def read_again(part: str, file: str, new: Callable[[dict[str, Tensor]], nn.Module]) -> nn.Module:
    """The model in a saved file: its tensors inside the network that `new` makes for them."""
    if not Path(file).exists():
        raise NotImplementedError(f"Question {part}: {file}, which the cell above saves")
    tensors = {name: tensor.float() for name, tensor in load_file(file).items()}
    net = new(tensors)
    net.load_state_dict(net.state_dict() | tensors)  # raises for names and shapes that do not fit
    return net.eval().to(here.device)


# %% [markdown] role="text"
# ### 8a. The autoencoder (artifact, 2 points)
#
# The cell saves `ps2_vae.safetensors`: the networks of `vae`, named as in question 2, `encoder.0.weight` (hidden, 784)
# and so on. The grader binarises hidden digits by draws of its own, codes them with noise of its own, and computes
# the bound.
#
# Nobody can cheat this judge with a bound: any encoder and decoder of this form are a model with a normalised
# $p_\theta(x)$, and what comes out is below the true log-likelihood. Why would a decoder that has learnt all training
# digits by heart lose?

# %% role="artifact" part="8a" file="ps2_vae.safetensors"
with experiment("saving the autoencoder"):
    save_artifact("ps2_vae.safetensors", weights(vae))

# %% role="check" part="8a"
with check("8a") as c:

    def new_vae(tensors: dict[str, Tensor]) -> nn.Module:
        """An autoencoder of the sizes that the tensors have."""
        return VAE(784, tensors["decoder.0.weight"].shape[1], tensors["encoder.0.weight"].shape[0])

    again = read_again("8a", "ps2_vae.safetensors", new_vae)
    c.equal(
        sorted(weights(again)),
        sorted(f"{net}.{i}.{kind}" for net in ("encoder", "decoder") for i in (0, 2, 4) for kind in ("weight", "bias")),
        "the file holds the two given networks",
    )
    bound, saved_bound = mean_parts(vae, B_test)[0], mean_parts(again, B_test)[0]
    c.close(saved_bound, bound, "read again, the model has the bound that it had", rtol=1e-3)
    print(f"public test digits: -elbo {-saved_bound:.1f} nats; on the hidden digits, 112 and 105 count")

# %% [markdown] role="text"
# ### 8b. The flow (artifact, 2 points)
#
# The cell saves `ps2_moons.safetensors`: the networks of the layers in their order, `0.layers.0.weight` (hidden, 2),
# ..., `5.layers.4.bias` (4,). The masks are not saved: layer 0 leaves the first coordinate alone, layer 1 the second,
# and so on, as `moons_flow` of question 4 makes it. The grader draws new points and measures the gap to the true
# density, an estimate of $\mathrm{KL}(p_\text{data}\,\Vert\,p_\text{flow})$.

# %% role="artifact" part="8b" file="ps2_moons.safetensors"
with experiment("saving the flow"):
    coupling_nets = nn.ModuleList(net for net in flow.modules() if isinstance(net, CouplingMLP))
    save_artifact("ps2_moons.safetensors", weights(coupling_nets))

# %% role="check" part="8b"
with check("8b") as c:

    def new_nets(tensors: dict[str, Tensor]) -> nn.Module:
        """The networks of a flow, as many and as wide as the tensors say."""
        depth = 1 + max(int(name.split(".")[0]) for name in tensors)
        return nn.ModuleList(CouplingMLP(2, len(tensors["0.layers.0.bias"])) for _ in range(depth))

    nets = list(read_again("8b", "ps2_moons.safetensors", new_nets))
    again = RealNVP(torch.tensor([1.0, 0.0]), nets).to(here.device)
    new_points = moons(4000, seed=2).to(here.device)
    with torch.no_grad():
        saved_logp, logp = again.log_prob(new_points).mean().item(), flow.log_prob(new_points).mean().item()
    c.close(saved_logp, logp, "read again, the flow has the density that it had", atol=0.01)
    true_logp = moons_log_prob(new_points.double()).mean().item()
    print(f"public points: {true_logp - saved_logp:.3f} nats worse than the truth; on hidden points, 0.3 and 0.1 count")

# %% [markdown] role="text"
# ### 8c. The ring (artifact, 2 points)
#
# The cell saves `ps2_ring.safetensors`, the generator of your first game, `layers.0.weight` (width, codes) to
# `layers.4.bias` (2,). The grader draws 4,000 codes from a standard normal. A mode is covered when at least one sample
# in 500 is good and there. So that nobody hands in eight points (question 6e!), the points within a mode must differ:
# their standard deviation, 0.1 in the data, must be at least 0.02 in the median over modes.
#
# Any other of your unconditional games will do as well: more steps, another `kind`, a wider `RingNet`.

# %% role="artifact" part="8c" file="ps2_ring.safetensors"
with experiment("saving the generator of the ring"):
    ring_generator = runs["non-saturating"][0]
    save_artifact("ps2_ring.safetensors", weights(ring_generator))

# %% role="check" part="8c"
with check("8c") as c:

    def new_ring_net(tensors: dict[str, Tensor]) -> nn.Module:
        """A generator as wide as the tensors say."""
        width, codes = tensors["layers.0.weight"].shape
        return RingNet(codes, 2, width=width)

    again = read_again("8c", "ps2_ring.safetensors", new_ring_net)
    codes = torch.randn(4000, again.layers[0].in_features, generator=torch.Generator().manual_seed(5)).to(here.device)
    with torch.no_grad():
        circle = again(codes).cpu()
    c.shape(circle, (4000, 2), "the batch of points")
    c.finite(circle, "every point")
    covered, good = mode_coverage(circle, RING, 0.3)
    print(f"public codes: {covered} modes, {100 * good:.0f} % good points; on hidden codes, 55 % and 75 % count")

# %% [markdown] role="text"
# ## Digits on demand
#
# One model is still missing. On the ring you told the players the mode, and the game became easy (question 6). Now the
# same `gan_train_step` and the same `append_label` play for digits: a **conditional convolutional GAN** (Radford, Metz
# and Chintala, 2016; Mirza and Osindero, 2014). The generator appends the label to its code, and enlarges 7 x 7 pixels
# of many channels to 14 x 14 and to 28 x 28 by *transposed* convolutions, each of which doubles the side. The
# discriminator sees the image with ten planes behind it, one for each label.
#
# Two of the rules that made such games stable are in the networks: batch normalisation in the generator and leaky
# rectifiers in the discriminator. The third is in the optimizer: momentum 0.5, because the opponent's answer makes old
# gradients obsolete.


# %% role="given" id="digit-players"
class DigitGenerator(nn.Module):
    """Images (B, 1, 28, 28) in [-1, 1] from codes (B, L) and labels (B,)."""

    def __init__(self, L: int = 32, width: int = 16) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(L + 10, 2 * width * 49, bias=False),
            nn.Unflatten(1, (2 * width, 7, 7)),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.ConvTranspose2d(width, 1, 4, stride=2, padding=1),
            nn.Tanh(),
        )

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Draw the digits y."""
        return self.layers(append_label(z, y, 10))


class DigitCritic(nn.Module):
    """Logits (B, 1) from images (B, 1, 28, 28) in [-1, 1] and labels (B,)."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(11, width, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(2 * width * 49, 1),
        )

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Is this an image of the digit y?"""
        return self.layers(append_label(x, y, 10))


# %% [markdown] role="text"
# Batch normalisation behaves in two ways. While training, it normalises by the statistics of the batch, and remembers
# their running means; in `eval()` it uses what it remembers, so that a sample depends on its own code alone. The grader
# uses the saved running means. Forget `eval()`, and a batch with a single label is normalised by other statistics than
# the generator was trained with. Try it.
#
# A GAN has no likelihood, so you need a judge. `reader` is a small network that you train to read digits, in a few
# seconds; the grader has one of its own.
#
# > **Time.** `QUICK` (1,000 digits, 200 steps): 22 s on one core of a busy AMD EPYC (measured); the strokes that it
# > then draws ignore their labels. Full (60,000 digits, 4,000 steps): about 4 minutes on one core and 1 minute on a T4
# > (estimates). Memory: under 1 GB.


# %% role="run"
def train_reader(images: Tensor, labels: Tensor, epochs: int) -> nn.Module:
    """A network that reads digits (N, 28, 28) uint8, trained from scratch."""
    torch.manual_seed(0)
    reader = nn.Sequential(
        nn.Conv2d(1, 16, 5, 2, 2), nn.ReLU(), nn.Conv2d(16, 32, 5, 2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(1568, 10)
    ).to(here.device)
    adam = torch.optim.Adam(reader.parameters(), lr=2e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(images)).split(50):
            x, y = images[rows, None].to(here.device) / 127.5 - 1, labels[rows].to(here.device)
            adam.zero_grad()
            F.cross_entropy(reader(x), y).backward()
            adam.step()
    return reader.eval()


@torch.no_grad()
def draw_digits(G: nn.Module, z: Tensor, y: Tensor) -> Tensor:
    """The generator's images (B, 1, 28, 28) of digits y (B,), as it draws when its training is over."""
    was_training = G.training
    images = G.eval()(z.to(here.device), y.to(here.device))
    G.train(was_training)
    return images


def digit_players(seed: int = 0) -> dict[str, nn.Module | torch.optim.Optimizer]:
    """A fresh generator, a fresh discriminator, and their optimizers."""
    torch.manual_seed(seed)
    G, D = DigitGenerator().to(here.device), DigitCritic().to(here.device)
    opt_G, opt_D = (torch.optim.Adam(net.parameters(), lr=2e-3, betas=(0.5, 0.999)) for net in (G, D))
    return {"G": G, "D": D, "opt_G": opt_G, "opt_D": opt_D}


def train_digits(
    players: dict[str, nn.Module | torch.optim.Optimizer],
    images: Tensor,
    labels: Tensor,
    blocks: int,
    judge: nn.Module,
    name: str = "digits",
) -> dict[str, list[float]]:
    """Play blocks of 50 steps for digits (N, 28, 28) uint8 with labels (N,); what was logged after each block."""
    run = resumable(
        f"checkpoints/{name}.safetensors",
        pack(**players),
        made_by=(train_digits, digit_players),
        settings={"N": len(images)},
    )
    unpack(run.state, **players)
    codes, asked = torch.randn(200, 32, generator=torch.Generator().manual_seed(9)), torch.arange(200) % 10
    for block in run.steps(blocks, f"{name}, blocks of 50 steps"):
        generator = torch.Generator().manual_seed(block)
        for _ in range(50):
            rows = torch.randint(len(images), (64,), generator=generator)
            real = (images[rows, None] / 127.5 - 1).to(here.device)
            z = torch.randn(2, 64, 32, generator=generator).to(here.device)
            y = labels[rows].to(here.device)
            losses = gan_train_step(**players, real=real, z_d=z[0], z_g=z[1], kind="non_saturating", y=y)
        run.state = pack(**players)
        with torch.no_grad():
            seen = judge(draw_digits(players["G"], codes, asked)).argmax(1).cpu()
        run.log(as_asked=(seen == asked).double().mean(), loss_D=losses[0], loss_G=losses[1])
    return run.history


with experiment("digits on demand", smaller="32 digits in a batch of train_digits"):
    reader = train_reader(digits_train, labels_train, 8 if QUICK else 1)
    with torch.no_grad():
        read = reader(digits_test[:, None].to(here.device) / 127.5 - 1).argmax(1).cpu()
    print(f"The reader is right on {100 * (read == labels_test).double().mean():.1f} % of the test digits.")
    players = digit_players()
    digit_history = train_digits(players, digits_train, labels_train, 4 if QUICK else 80, reader)
    digit_generator = players["G"]
    figures.curves({"as asked": digit_history["as_asked"]}, xlabel="50 steps", ylabel="share of samples")
    z = torch.randn(12, 32, generator=torch.Generator().manual_seed(3))
    sheet = draw_digits(digit_generator, z.repeat(10, 1), torch.arange(10).repeat_interleave(12))
    figures.patches(sheet.flatten(1), "a row: one label; a column: one code", columns=12)

# %% [markdown] role="text"
# ![What to expect in full mode: ten rows of readable digits; a column shares its slant and its pen](figures/demand.png)
#
# **Look.** Nobody told the generator what slant or thickness are. What do the digits of a *column* share, and why is it
# cheaper for the generator to use the code in the same way for all labels? Which digits does the reader confuse, and
# would you?
#
# Have the samples been learnt by heart? Each pair shows a sample and the training digit that is nearest to it, pixel by
# pixel.

# %% role="run"
with experiment("samples and their nearest training digits"):
    samples = draw_digits(digit_generator, z, torch.arange(12) % 10).cpu().flatten(1)
    known = digits_train.flatten(1).float() / 127.5 - 1
    nearest = known[torch.cdist(samples, known).argmin(1)]
    pairs = torch.stack([samples, nearest], dim=1).flatten(0, 1)
    figures.patches(pairs, "sample, nearest training digit, and so on", columns=12)

# %% [markdown] role="text"
# **Look.** Are the pairs twins or cousins? What would a generator that has learnt 60,000 digits by heart show here, and
# would the judge of 8d notice it? (Would that of 8a?)
#
# ### Look: one set of images, three families
#
# This is the table that the first page promised. The three models of digits draw, and your reader looks on: how many
# samples is it sure of (with more than 90 %)? Beside it stands what else each family can say about an image.

# %% role="run"
with experiment("three families"), torch.no_grad():
    generator = torch.Generator().manual_seed(11)
    codes = {"vae": torch.randn(200, vae.L, generator=generator), "gan": torch.randn(200, 32, generator=generator)}
    noise = torch.randn(200, 4, 14, 14, generator=generator).to(here.device)
    drawn = {
        "test digits": digits_test[:200, None].to(here.device) / 255,
        "autoencoder": torch.sigmoid(vae.decode(codes["vae"].to(here.device))).reshape(-1, 1, 28, 28),
        "flow": torch.sigmoid(pixel_flow.sample(noise)),
        "GAN": (draw_digits(digit_generator, codes["gan"], torch.arange(200) % 10) + 1) / 2,
    }
    can_say = {
        "test digits": "",
        "autoencoder": f"log p(x) is at least {mean_parts(vae, B_test)[0]:.0f} nats (binarised digits)",
        "flow": f"log p(x) exactly: {test_bits:.2f} bits per dimension (grey digits)",
        "GAN": "nothing",
    }
    for name, images in drawn.items():
        sure = (reader(2 * images - 1).softmax(1).amax(1) > 0.9).double().mean()
        print(f"{name:<12} the reader is sure of {100 * sure:3.0f} %   {can_say[name]}")
    figures.patches(
        torch.cat([images[:20].flatten(1).cpu() for images in drawn.values()]),
        "rows: test digits, autoencoder, flow, GAN",
        columns=20,
    )

# %% [markdown] role="text"
# **Look.** The model with the exact likelihood draws the worst digits, and the one with the best digits has no
# likelihood. Which family would you take to *compress* images, which one to notice an image that is *no digit*, which
# one to *draw*? What would you have to change about the flow before it could compete? Problem set 3 has a family that
# does not have to choose.
#
# ### 8d. Digits on demand (artifact, 4 points)
#
# The cell saves `ps2_digits.safetensors`, the generator with its running statistics: `layers.0.weight`, ...,
# `layers.7.bias`. The grader draws codes and asks for each digit 60 times. A network that reads digits, and that you do
# not have, must see the digit that was asked for. And so that nobody hands in ten pictures, the samples of a label must
# differ: their mean distance in what that network sees, in the median over labels at least half of that of real digits.

# %% role="artifact" part="8d" file="ps2_digits.safetensors"
with experiment("saving the generator of digits"):
    save_artifact("ps2_digits.safetensors", weights(digit_generator))

# %% role="check" part="8d"
with check("8d") as c:

    def new_digit_generator(tensors: dict[str, Tensor]) -> nn.Module:
        """A generator of the sizes that the tensors have."""
        return DigitGenerator(tensors["layers.0.weight"].shape[1] - 10, len(tensors["layers.7.weight"]))

    again = read_again("8d", "ps2_digits.safetensors", new_digit_generator)
    asked, L = torch.arange(500) % 10, again.layers[0].in_features - 10
    codes = torch.randn(500, L, generator=torch.Generator().manual_seed(6))
    images = draw_digits(again, codes, asked)
    c.shape(images, (500, 1, 28, 28), "the batch of images")
    c.finite(images, "every pixel")
    c.close(images[:1], draw_digits(again, codes[:1], asked[:1]), "a sample depends on its own code alone", atol=1e-4)
    agree = (reader(images).argmax(1).cpu() == asked).double().mean()
    print(f"your reader sees what was asked in {100 * agree:.0f} %; with the hidden reader, 60 % and 80 % count")

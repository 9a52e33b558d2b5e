# %% [markdown] role="text"
# ## 9. Two models of digits (12 points)
#
# Everything is in place: two losses, four samplers, guidance. Now both families run the same race. One architecture,
# the same batches, the same number of steps: a **diffusion model** that guesses the noise, and a **flow** that guesses
# the velocity, both told the label. You hand in both, and the grader judges them on digits that your training has not
# seen, and on noise that you do not have. Train on the training digits only, never on the test digits:
#
# | | you hand in | it is judged by | half | full |
# | --- | --- | --- | --- | --- |
# | 9a | a diffusion model | its error of the noise in hidden digits, a mean square | 0.070 | 0.055 |
# | | | the same, told `null` and not the label | 0.105 | |
# | | | samples, 10 steps of DDIM at $w=2$: a hidden reader of digits sees what was asked in | 55 % | 75 % |
# | | | the Fréchet distance of these samples to hidden digits | | 3 |
# | 9b | a flow | its error of the velocity between noise and hidden digits | 0.230 | 0.195 |
# | | | the same, told `null` and not the label | 0.300 | |
# | | | samples, 8 steps of Heun's method at $w=2$: the reader sees what was asked in | 75 % | 90 % |
# | | | the Fréchet distance of these samples to hidden digits | | 3 |
#
# The grader computes all of it from the *tensors* that you save; no line of your code runs. So it has to know the
# network: the U-Net of question 3, with a width of your choice (a multiple of 8, at most 64). All thresholds are
# one-sided, and a better model never scores less. Train with `QUICK = False` before you hand in: the models of QUICK
# mode are there to try the way, and they fail.
#
# For the diffusion model `T = 200` with the cosine schedule of question 1; for the flow `T = 1`, as its times are from
# 0 to 1. In both, one label in ten becomes `null`, which is 10. The provided network is a diffusion model of this kind,
# and the grader knows it: hand in one that you have trained yourself.


# %% role="given" id="labelled"
def labelled_batch(size: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Training digits (size, 1, 28, 28), their labels (size,), of which a tenth are dropped, and noise like them."""
    chosen = torch.randint(len(D_train), (size,), generator=generator).to(here.device)
    u, noise = torch.rand(size, generator=generator), torch.randn(size, 1, 28, 28, generator=generator)
    y = drop_labels(y_train[chosen], 10, 0.1, u.to(here.device))
    return D_train[chosen], y, noise.to(here.device)


# %% [markdown] role="text"
# > **Time**, for each of the two. `QUICK` (width 24, 150 steps of 64 digits): 25 s of one core of an Intel Xeon, as in
# > question 3. Full (width 64, 1,400 steps of 128 digits, three epochs): 11 minutes of one core of that
# > processor in bfloat16, in which it computes twice as fast; 2 to 4 minutes on a T4 (an estimate). Memory: about 1 GB.
# > A second run goes on from the checkpoint.

# %% role="run"
with experiment("a diffusion model with labels", smaller="size = 32"):
    width, size, blocks, steps = (24, 64, 6, 25) if QUICK else (64, 128, 14, 100)

    def ddpm_batch(net: nn.Module, generator: torch.Generator) -> Tensor:
        """The mean loss of a batch, for a network that guesses the noise."""
        x0, y, noise = labelled_batch(size, generator)
        t = torch.randint(T, (size,), generator=generator).to(here.device)
        return ddpm_loss(lambda x, t: net(x, t, y), x0, t, noise, alpha_bar).mean()

    torch.manual_seed(9)
    fresh = UNet(width=width, T=T).to(here.device)
    ddpm_net, ddpm_history = train_network(fresh, ddpm_batch, blocks, f"labels_ddpm_{width}", 2e-3, steps)

# %% role="run"
with experiment("a flow with labels", smaller="size = 32"):

    def flow_batch(net: nn.Module, generator: torch.Generator) -> Tensor:
        """The mean loss of a batch, for a network that guesses the velocity."""
        x1, y, noise = labelled_batch(size, generator)
        t = torch.rand(size, generator=generator).to(here.device)
        return cfm_loss(lambda x, t: net(x, t, y), noise, x1, t).mean()

    torch.manual_seed(9)
    fresh = UNet(width=width).to(here.device)
    flow_net, flow_history = train_network(fresh, flow_batch, blocks, f"labels_flow_{width}", 2e-3, steps)
    figures.curves(
        {"diffusion, the noise": ddpm_history["loss"], "flow, the velocity": flow_history["loss"]},
        xlabel=f"{steps} steps",
        ylabel="mean squared error",
        title="two losses, with different floors",
    )

# %% [markdown] role="text"
# **Look.** The two curves end at quite different heights. Does that say which model is better? (Question 8f: what is
# the floor of each loss? Noise and velocity both have to be guessed from $x_t$; at which end of the time is the
# velocity unknown even to the best field, and by how much?)
#
# Now the samples. Every row starts from the same ten noises and asks for the digits 0 to 9.

# %% role="given" id="samplers"
GUIDANCE = 2.0


def draw_ddim(net: nn.Module, noise: Tensor, y: Tensor, evaluations: int) -> Tensor:
    """Digits y (B,) from noise (B, 1, 28, 28) by DDIM; an evaluation is one guided guess of the noise."""
    guided = clipped(lambda x, t: cfg(net, x, t, y, 10, GUIDANCE), alpha_bar)
    return ddim_sample(guided, noise, alpha_bar, ddim_timesteps(T, evaluations))[-1]


def draw_euler(net: nn.Module, noise: Tensor, y: Tensor, evaluations: int) -> Tensor:
    """Digits y (B,) from noise (B, 1, 28, 28) by Euler's method; an evaluation is one guided velocity."""
    return ode_solve(lambda x, t: cfg(net, x, t, y, 10, GUIDANCE), noise, evaluations, "euler")[-1]


def draw_heun(net: nn.Module, noise: Tensor, y: Tensor, evaluations: int) -> Tensor:
    """The same by Heun's method, in half as many steps."""
    return ode_solve(lambda x, t: cfg(net, x, t, y, 10, GUIDANCE), noise, evaluations // 2, "heun")[-1]


# %% role="run"
with experiment("two families draw"), torch.no_grad():
    labels = torch.arange(10, device=here.device)
    noises = torch.randn(10, 1, 28, 28, generator=torch.Generator().manual_seed(5)).to(here.device)
    for name, draw, net in (
        ("diffusion, DDIM", draw_ddim, ddpm_net),
        ("flow, Euler", draw_euler, flow_net),
        ("flow, Heun", draw_heun, flow_net),
    ):
        budgets = (2, 4, 8) if QUICK else (2, 4, 8, 16)
        rows = torch.cat([draw(net, noises, labels, n) for n in budgets])
        show_digits(rows, f"{name}: {', '.join(map(str, budgets))} evaluations", columns=10)

# %% [markdown] role="text"
# ![What to expect in full mode: DDIM, noisy digits with 2 evaluations, clean ones with 8](figures/family_ddim.png)
#
# ![What to expect in full mode: Euler's method, soft digits with 2 evaluations, sharper ones](figures/family_euler.png)
#
# ![What to expect in full mode: Heun's method, digits from 4 evaluations on, with grain](figures/family_heun.png)
#
# ### Look: quality against evaluations
#
# How good are samples? Two numbers. **Agreement**: a network that reads digits, trained on real ones, says how often it
# sees the digit that was asked for. One perfect seven, drawn again and again, has agreement 1. So there is a second
# number, the **Fréchet distance** (Heusel et al., *GANs trained by a two time-scale update rule*, 2017): describe the
# real digits and the samples each by the mean and the covariance of what the reader's last layer sees, and take the
# distance of these two Gaussians,
#
# $$ d^2=\lVert m_1-m_2\rVert^2+\operatorname{tr}\!\big(C_1+C_2-2(C_1C_2)^{1/2}\big). $$
#
# It notices samples that are all alike. Neither notices samples that were learnt by heart. The trace of the root is
# computed from the eigenvalues of $C_1C_2$.


# %% role="given" id="quality"
def train_reader(images: Tensor, labels: Tensor, epochs: int) -> nn.Sequential:
    """A small network that reads digits (N, 1, 28, 28), trained from scratch; all but its last layer are features."""
    torch.manual_seed(0)
    reader = nn.Sequential(
        nn.Conv2d(1, 16, 5, 2, 2), nn.ReLU(), nn.Conv2d(16, 32, 5, 2, 2), nn.ReLU(),
        nn.Flatten(), nn.Linear(1568, 48), nn.ReLU(), nn.Linear(48, 10),
    ).to(images.device)  # fmt: skip
    adam = torch.optim.Adam(reader.parameters(), lr=2e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(images)).split(50):
            adam.zero_grad()
            F.cross_entropy(reader(images[rows]), labels[rows]).backward()
            adam.step()
    return reader.eval().requires_grad_(False)


def frechet_distance(x: Tensor, y: Tensor) -> float:
    """The squared Frechet distance of the Gaussians that describe features x (N, D) and y (M, D)."""
    x, y = x.double().cpu(), y.double().cpu()
    shift, (C1, C2) = (x.mean(0) - y.mean(0)).square().sum(), (torch.cov(x.T), torch.cov(y.T))
    roots = torch.linalg.eigvals(C1 @ C2).real.clamp(min=0).sqrt().sum()
    return (shift + C1.trace() + C2.trace() - 2 * roots).item()


def quality(reader: nn.Sequential, drawn: Tensor, asked: Tensor, real: Tensor) -> tuple[float, float]:
    """Agreement of drawn digits (N, 1, 28, 28) with asked (N,), and their Frechet distance to real (M, 1, 28, 28)."""
    drawn = drawn.clamp(-1, 1).nan_to_num(0.0)
    agree = (reader(drawn).argmax(1) == asked).double().mean().item()
    scale = reader[:7](real).square().mean().sqrt()  # so that the number does not hang on the reader's scale
    return agree, frechet_distance(reader[:7](drawn) / scale, reader[:7](real) / scale)


# %% role="run"
with experiment("quality against evaluations"), torch.no_grad():
    with torch.enable_grad():
        reader = train_reader(D_train, y_train, 8 if QUICK else 2)
    print(f"The reader is right on {100 * (reader(D_test).argmax(1) == y_test).double().mean():.1f} % of test digits.")
    number, budgets = (60, (1, 2, 4, 8)) if QUICK else (500, (1, 2, 4, 8, 16, 50))
    asked = torch.arange(number, device=here.device) % 10
    noises = torch.randn(number, 1, 28, 28, generator=torch.Generator().manual_seed(6)).to(here.device)
    racers = {"DDIM": (draw_ddim, ddpm_net), "Euler": (draw_euler, flow_net), "Heun": (draw_heun, flow_net)}
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
    for (name, (draw, net)), dash in zip(racers.items(), ("-o", "--s", "-.D"), strict=True):
        own = [n for n in budgets if n > 1 or name != "Heun"]
        results = [quality(reader, draw(net, noises, asked, n), asked, D_test) for n in own]
        for ax, values in zip(axes, zip(*results, strict=True), strict=True):
            ax.plot(own, values, dash, label=name)
    axes[0].set(xlabel="evaluations", xscale="log", ylabel="agreement", ylim=(0, 1.02))
    axes[1].set(xlabel="evaluations", xscale="log", yscale="log", ylabel="Fréchet distance")
    axes[0].legend()
    figures.show(figure, "Agreement grows and the distance falls with evaluations; which sampler leads changes.")

# %% [markdown] role="text"
# ![What to expect in full mode: Euler and reflow agree at once, DDIM and Heun need more steps](figures/headline.png)
#
# The figure is made from our reference models with the grader's reader, 200 digits a point; the reflow in it is that of
# extension x2.
#
# **Look.** With a single evaluation the reader agrees with all of the flow's samples and with hardly any of DDIM's.
# What does one guided step of Euler's method draw, and which of the two numbers notices? (DDIM begins at a time at
# which a guess of the image is divided by a share of almost nothing, question 2.) Heun's method has the higher order,
# and yet its samples keep a grain of noise: where does its last step take the second slope (8b), how much noise is in
# the image there, and how would you end it instead? Which sampler would you take for four evaluations, and which for
# fifty?
#
# ### 9a. The diffusion model (artifact, 5 points)
#
# The cell saves `ps3_ddpm.safetensors`: the moving average of your network, `waves.weight` (width, 1) to `last.2.bias`
# (4,), in half precision. Then the file is read again, before somebody else does.


# %% role="given" id="handing-in"
from pathlib import Path


def halved(net: nn.Module) -> dict[str, Tensor]:
    """The tensors of a network, in half precision."""
    return {name: tensor.half() for name, tensor in net.state_dict().items()}


def read_again(part: str, file: str, times: float) -> UNet:
    """The U-Net in a saved file, of the width that its tensors have, with times from 0 to `times`."""
    if not Path(file).exists():
        raise NotImplementedError(f"Question {part}: {file}, which the cell above saves")
    from safetensors.torch import load_file

    tensors = {name: tensor.float() for name, tensor in load_file(file).items()}
    net = UNet(width=len(tensors["first.weight"]), T=times)
    net.load_state_dict(tensors)  # raises for names and shapes that do not fit
    return net.to(here.device).eval().requires_grad_(False)


# %% role="artifact" part="9a" file="ps3_ddpm.safetensors"
with experiment("saving the diffusion model"):
    save_artifact("ps3_ddpm.safetensors", halved(ddpm_net))

# %% role="check" part="9a"
with check("9a") as c:
    again = read_again("9a", "ps3_ddpm.safetensors", T)
    x0, y, t = D_test[:200], y_test[:200], torch.arange(200, device=here.device)
    noise = torch.randn(x0.shape, generator=torch.Generator().manual_seed(8)).to(here.device)
    with torch.no_grad():
        errors = {
            name: ddpm_loss(lambda x, t, net=net, y=y: net(x, t, y), x0, t, noise, alpha_bar).mean().item()
            for name, net, y in (("as it was", ddpm_net, y), ("read again", again, y), ("null", again, 0 * y + 10))
        }
    c.close(errors["read again"], errors["as it was"], "read again, the network errs as it did", rtol=0.02)
    print(f"public digits: {errors['read again']:.4f} with labels, {errors['null']:.4f} without")
    print("On the hidden digits, 0.070 and 0.055 count.")

# %% [markdown] role="text"
# ### 9b. The flow (artifact, 7 points)
#
# The same for the flow, in `ps3_flow.safetensors`. Mind the clock: for the grader, as in question 8, $t=0$ is noise and
# the network guesses $x_1-x_0$, data minus noise.

# %% role="artifact" part="9b" file="ps3_flow.safetensors"
with experiment("saving the flow"):
    save_artifact("ps3_flow.safetensors", halved(flow_net))

# %% role="check" part="9b"
with check("9b") as c:
    again = read_again("9b", "ps3_flow.safetensors", 1.0)
    x1, y, t = D_test[:200], y_test[:200], torch.linspace(0, 1, 200, device=here.device)
    noise = torch.randn(x1.shape, generator=torch.Generator().manual_seed(8)).to(here.device)
    with torch.no_grad():
        errors = {
            name: cfm_loss(lambda x, t, net=net, y=y: net(x, t, y), noise, x1, t).mean().item()
            for name, net, y in (("as it was", flow_net, y), ("read again", again, y), ("null", again, 0 * y + 10))
        }
    c.close(errors["read again"], errors["as it was"], "read again, the network errs as it did", rtol=0.02)
    print(f"public digits: {errors['read again']:.4f} with labels, {errors['null']:.4f} without")
    print("On the hidden digits, 0.230 and 0.195 count.")

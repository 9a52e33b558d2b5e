# %% [markdown] role="text"
# ## 2. The variational autoencoder (14 points)
#
# The pieces of question 1 are joined by two networks. The **encoder** reads an image and names a Gaussian over codes,
# $q_\phi(z\mid x) = \mathcal N(\mu(x), \operatorname{diag} e^{\ell(x)})$. The **decoder** reads a code and names a
# distribution over images. For the binarised digits that is a coin per pixel:
#
# $$
# x \;\xrightarrow{\ \text{encoder}\ }\; \mu,\ \ell
#   \;\xrightarrow{\ \varepsilon\ }\; z = \mu + e^{\ell/2}\odot\varepsilon
#   \;\xrightarrow{\ \text{decoder}\ }\; \text{logits}
#   \;\xrightarrow{\ \text{compare with } x\ }\; \log p_\theta(x\mid z).
# $$
#
# Read from left to right it is an autoencoder: squeeze an image into 16 numbers and rebuild it. Two things make it a
# generative model: noise in the middle, and a price on the code. What they buy is the subject of this question.
#
# ### 2a. The model (code, 7 points)
#
# Complete `VAE`. The networks are given (two small multilayer perceptrons); you may replace them by anything you like,
# as long as `VAE(D, L, hidden)` still makes a model for rows of $D$ pixels and codes of $L$ numbers, and layers are
# attributes of the module.
#
# - `encode(x)` returns `mu` and `logvar`, each (B, L). The last layer has $2L$ outputs without any activation: a mean
#   may be negative, and so may the logarithm of a variance.
# - `decode(z)` returns what `logprob` wants: for coins, *logits* (B, D), before any sigmoid.
# - `elbo(x, eps, beta)` returns three tensors (B,), one number per image and in nats:
#   - `rec` $= \log p_\theta(x \mid z)$ at the **one** sample $z$ that `eps` (B, L) makes of `encode(x)`,
#   - `kl` $= \mathrm{KL}(q_\phi(z\mid x)\,\|\,\mathcal N(0, I))$, in closed form,
#   - `elbo` $=$ `rec` $-\ \beta\,\cdot$ `kl`, and returned first: `elbo, rec, kl`. With $\beta = 1$ it is the bound.
#
# `elbo` must go through `self.encode`, `self.decode` and `self.logprob`, and not through the networks behind them: the
# likelihood is a choice (coins here, Gaussians elsewhere), and the grader puts networks of its own in the place of
# yours.


# %% role="answer" part="2a"
class VAE(nn.Module):
    """A variational autoencoder of x (B, D) with codes z (B, L); logprob(x, decode(z)) is log p(x | z), (B,)."""

    def __init__(
        self,
        D: int = 784,
        L: int = 16,
        hidden: int = 256,
        logprob: Callable[[Tensor, Tensor], Tensor] = bernoulli_logprob,
    ) -> None:
        super().__init__()
        self.L, self.logprob = L, logprob
        self.encoder = nn.Sequential(
            nn.Linear(D, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 2 * L)
        )
        self.decoder = nn.Sequential(
            nn.Linear(L, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, D)
        )

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of q(z | x), each (B, L), for images x (B, D)."""
        ### BEGIN SOLUTION
        mu, logvar = self.encoder(x).chunk(2, dim=1)
        return mu, logvar
        ### END SOLUTION

    def decode(self, z: Tensor) -> Tensor:
        """What logprob wants to know of p(x | z), (B, D), for codes z (B, L): the logits of the pixels."""
        ### BEGIN SOLUTION
        return self.decoder(z)
        ### END SOLUTION

    def elbo(self, x: Tensor, eps: Tensor, beta: float = 1.0) -> tuple[Tensor, Tensor, Tensor]:
        """rec - beta * kl, rec and kl, each (B,), of images x (B, D), at the sample of q(z | x) made by eps (B, L)."""
        ### BEGIN SOLUTION
        mu, logvar = self.encode(x)
        rec = self.logprob(x, self.decode(reparameterize(mu, logvar, eps)))
        kl = kl_diag(mu, logvar)
        return rec - beta * kl, rec, kl
        ### END SOLUTION


# %% role="check" part="2a"
with check("2a") as c:
    torch.manual_seed(0)
    small = VAE(D=6, L=2, hidden=8)
    x, eps = torch.tensor([[1.0, 0, 0, 1, 1, 0], [0, 0, 1, 1, 0, 1], [0, 0, 0, 0, 0, 0]]), torch.randn(3, 2)
    mu, logvar = small.encode(x)
    c.shape(mu, (3, 2), "mu")
    c.shape(logvar, (3, 2), "logvar")
    logits = small.decode(10 * torch.randn(20, 2))
    c.shape(logits, (20, 6), "what decode returns")
    c.true((logits < 0).any(), "logits may be negative: no sigmoid at the end of decode")
    elbo, rec, kl = small.elbo(x, eps, beta=0.5)
    c.shape(elbo, (3,), "elbo")
    c.close(elbo, rec - 0.5 * kl, "the price of a code counts beta times")
    c.close(kl, kl_diag(mu, logvar), "kl is that of the encoder's Gaussian to the standard normal")
    at_mean = bernoulli_logprob(x, small.decode(mu))
    c.close(small.elbo(x, 0 * eps)[1], at_mean, "with eps = 0 the mean itself is decoded")
    c.true(not torch.allclose(rec, at_mean), "with other noise, another code is decoded")
    elbo.mean().backward()
    reached = [parameter.grad is not None for parameter in small.parameters()]
    c.true(reached and all(reached), "the gradient of the mean ELBO reaches every parameter of both networks")

# %% [markdown] role="text"
# ### Training
#
# Stochastic gradient ascent on the mean ELBO of a batch, with fresh noise each time. `rec` and `kl` are averaged over
# the images of an epoch. Note that a sample of size *one* per image is enough: the gradient is noisy, but on average
# right, and there are many images.
#
# > **Time.** `QUICK` (1,000 digits, 60 epochs): under 20 s on one busy CPU core (measured). Full (60,000 digits, 16
# > epochs): 20 s an epoch on one core of an AMD EPYC (measured), 5 minutes in all; about 1 minute on a T4 (estimate).
# > Memory: under 1 GB.


# %% role="run"
def train_vae(vae: VAE, X: Tensor, epochs: int, name: str, beta: float = 1.0, noise: float = 1.0) -> dict[str, list]:
    """Climb the mean ELBO of X (N, D) for some epochs, or go on with it; returns what was logged for each epoch."""
    adam = torch.optim.Adam(vae.parameters(), lr=1e-3)
    run = resumable(
        f"checkpoints/{name}.safetensors",
        pack(vae=vae, adam=adam),
        made_by=(train_vae, VAE, bernoulli_logprob),
        settings={"N": len(X), "beta": beta, "noise": noise},
    )
    unpack(run.state, vae=vae, adam=adam)
    for epoch in run.steps(epochs, name):
        generator, sums = torch.Generator().manual_seed(epoch), torch.zeros(3)
        for rows in torch.randperm(len(X), generator=generator).split(100):
            eps = noise * torch.randn(len(rows), vae.L, generator=generator)
            parts = vae.elbo(X[rows].to(here.device), eps.to(here.device), beta)
            adam.zero_grad()
            (-parts[0].mean()).backward()
            adam.step()
            sums += torch.stack([part.detach().sum().cpu() for part in parts])
        run.state = pack(vae=vae, adam=adam)
        run.log(**dict(zip(("elbo", "rec", "kl"), (sums / len(X)).tolist(), strict=True)))
    return run.history


@torch.no_grad()
def mean_parts(vae: VAE, X: Tensor, noise: float = 1.0) -> tuple[float, float, float]:
    """Mean elbo, rec and kl of X (N, D), with noise from a fixed seed."""
    generator = torch.Generator().manual_seed(0)
    eps = noise * torch.randn(len(X), vae.L, generator=generator)
    parts = [
        torch.stack(vae.elbo(x.to(here.device), e.to(here.device))).cpu()
        for x, e in zip(X.split(1000), eps.split(1000), strict=True)
    ]
    elbo, rec, kl = torch.cat(parts, dim=1).mean(dim=1).tolist()
    return elbo, rec, kl


with experiment("a variational autoencoder of digits", smaller="hidden=256"):
    torch.manual_seed(0)
    new = VAE(hidden=256 if QUICK else 500).to(here.device)
    history = train_vae(new, B_train, 60 if QUICK else 16, "vae")
    vae = new  # it has this name only once it is trained; question 8 hands it in
    figures.curves(
        {"elbo": history["elbo"], "rec": history["rec"], "-kl": [-kl for kl in history["kl"]]},
        xlabel="epoch",
        ylabel="nats per image",
        title="training digits",
    )
    elbo, rec, kl = mean_parts(vae, B_test)
    print(f"test digits: -elbo {-elbo:.1f} nats = -rec {-rec:.1f} + kl {kl:.1f}")

# %% [markdown] role="text"
# ![What to expect in full mode: the bound rises to -98 nats, 20 of them for the code](figures/bound.png)
#
# With the full data, a model of this size reaches about 100 nats (for $-$ELBO) on test digits, about 20 of them for the
# code; an independent coin per pixel, which is what is left when the code says nothing, needs about 206. With the 1,000
# digits of `QUICK`, the training digits are learnt by heart and the test digits pay for it.
#
# The next cell draws from the model, $z \sim \mathcal N(0, I)$, and shows *probabilities of ink* rather than tossed
# coins, as all papers do.

# %% role="run"
with experiment("reconstructions and samples"), torch.no_grad():
    x = B_test[:16].to(here.device)
    mu, logvar = vae.encode(x)
    generator = torch.Generator().manual_seed(0)
    rebuilt = [
        torch.sigmoid(vae.decode(reparameterize(mu, logvar, torch.randn(mu.shape, generator=generator).to(mu))))
        for _ in range(2)
    ]
    figures.patches(torch.cat([x, *rebuilt]), "test digits, and two reconstructions of each", columns=16)
    z = torch.randn(48, vae.L, generator=generator).to(here.device)
    figures.patches(torch.sigmoid(vae.decode(z)), "samples: z from the prior", columns=16)

# %% [markdown] role="text"
# ![What to expect in full mode: most samples are digits, soft ones, and some lie between two](figures/samples.png)
#
# **Look.** The two reconstructions of a digit differ. In what: in the digit, its slant, its thickness? What does the
# difference tell about the width of $q_\phi(z \mid x)$? And why are reconstructions blurred while no training digit is?
#
# ### 2b. Walking between two digits (code, 2 points)
#
# A good code has meaning in between. Write `interpolate`: take the *means* of the codes of two images, take $n$ evenly
# spaced points on the straight line from the first to the second (both ends included, so $n \ge 2$), and return the
# *probabilities of ink* (n, D) along the way.


# %% role="answer" part="2b"
def interpolate(vae: nn.Module, x0: Tensor, x1: Tensor, n: int) -> Tensor:
    """Probabilities of ink (n, D) at n evenly spaced points from the mean code of image x0 (D,) to that of x1 (D,)."""
    ### BEGIN SOLUTION
    mu, _ = vae.encode(torch.stack([x0, x1]))  # (2, L)
    codes = torch.stack([torch.lerp(mu[0], mu[1], i / (n - 1)) for i in range(n)])
    return torch.sigmoid(vae.decode(codes))
    ### END SOLUTION


# %% role="check" part="2b"
with check("2b") as c:

    class Plain(nn.Module):
        """Codes are squares of pixels, and logits are squares of codes, up to factors: nothing here is linear."""

        def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
            """Four times the squares of the pixels, and unit variances."""
            return 4 * x.square(), torch.zeros_like(x)

        def decode(self, z: Tensor) -> Tensor:
            """A quarter of the squares of the code."""
            return z.square() / 4

    got = interpolate(Plain(), torch.tensor([0.0, 1.0]), torch.tensor([1.0, 1.0]), 5)
    c.shape(got, (5, 2), "the walk of five images of two pixels")
    steps = torch.tensor([0.0, 1.0, 2.0, 3.0, 4.0])  # of the first number of the code
    c.close(got[:, 0], torch.sigmoid(steps.square() / 4), "even steps from code to code, both ends included")
    c.close(got[:, 1], torch.sigmoid(torch.full((5,), 4.0)), "what both codes share stays")

# %% role="run"
with experiment("walking between digits"), torch.no_grad():
    rows = []
    for first, second in ((1, 7), (3, 5), (0, 6), (4, 9)):
        x0, x1 = (B_test[(labels_test == digit).nonzero()[0, 0]].to(here.device) for digit in (first, second))
        fade = torch.stack([(1 - t) * x0 + t * x1 for t in torch.linspace(0, 1, 10)])
        rows += [fade, interpolate(vae, x0, x1, 10)]
    figures.patches(torch.cat(rows), "odd rows: fading pixels; even rows: walking through codes", columns=10)

# %% [markdown] role="text"
# ![What to expect in full mode: fading shows two digits at once, walking one shape that changes](figures/walk.png)
#
# **Look.** Halfway, a faded image is two digits at once, and a walk mostly shows *one* shape. Is every image on the
# walk a digit that you would accept? Which term of the ELBO asked the decoder to make sense between the codes of the
# training images?
#
# ### Look: dimensions that say nothing
#
# The price of a code is a sum over its $L$ dimensions, so we can ask what each of them carries. The cell trains four
# models, with $\beta$ from 0.1 to 10, and shows the mean of $\mathrm{KL}(q_\phi(z_l\mid x)\,\|\,\mathcal N(0,1))$ for
# every dimension $l$, largest first. A dimension at zero is *collapsed*: there $q_\phi(z_l \mid x)$ is the prior
# whatever $x$ is, and the decoder has learnt to ignore it.
#
# > **Time.** `QUICK` (1,000 digits, 60 epochs): 10 s on one core of a busy AMD EPYC (measured). Full (20,000 digits, 20
# > epochs, hidden layers of 500): about 9 minutes there and 1 minute on a T4 (estimates).

# %% role="run"
with experiment("beta, and the dimensions that collapse", smaller="hidden=256"):
    fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
    X_beta = B_train[:20_000]
    for beta, style in zip((0.1, 1.0, 4.0, 10.0), ("o-", "s--", "^-.", "d:"), strict=True):
        torch.manual_seed(0)
        priced = VAE(hidden=128 if QUICK else 500).to(here.device)
        train_vae(priced, X_beta, 60 if QUICK else 20, f"vae_beta_{beta:g}", beta)
        with torch.no_grad():
            mu, logvar = priced.encode(B_test.to(here.device))
            per_dimension = kl_diag(mu.reshape(-1, 1), logvar.reshape(-1, 1)).reshape(mu.shape).mean(0).cpu()
        elbo, rec, kl = mean_parts(priced, B_test)
        ax.plot(range(1, priced.L + 1), per_dimension.sort(descending=True).values, style, label=f"beta = {beta:g}")
        print(f"beta {beta:>4g}: test -rec {-rec:6.1f}, kl {kl:5.1f}, -elbo (with beta = 1) {-elbo:6.1f} nats")
    ax.set(xlabel="dimension of the code, sorted", ylabel="KL in nats, mean over test digits")
    ax.legend()
    figures.show(fig, "The larger beta is, the fewer dimensions carry information; the others lie at zero.")

# %% [markdown] role="text"
# ![What to expect in full mode: with a larger beta, fewer dimensions carry information](figures/collapse.png)
#
# **Look.** One nat is 1.44 bits. How many bits does the code of a digit carry at $\beta = 1$, and how many images could
# a code of so many bits tell apart at best? Among the four, which $\beta$ has the best bound on the likelihood, and
# which has the best reconstructions? Why are these not the same?
#
# ### Look: against a plain autoencoder
#
# Set `eps` to zero and $\beta$ to zero: $z = \mu(x)$, no noise, no price. What is left is a plain autoencoder, and your
# class is one already. The cell trains both with codes of two numbers, and shows where the codes of the digits lie, and
# what the decoders make of $z \sim \mathcal N(0, I)$. The dashed circle lies at two standard deviations of this prior.
#
# > **Time.** `QUICK`: 6 s on one core of a busy AMD EPYC (measured). Full (25 epochs each): about 6 minutes there and 1
# > minute on a T4 (estimates).

# %% role="run"
with experiment("with and without noise and price", smaller="hidden=256"):
    fig, axes = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    sheets = {}
    for ax, (name, noise, beta) in zip(axes, (("VAE", 1.0, 1.0), ("autoencoder", 0.0, 0.0)), strict=True):
        torch.manual_seed(0)
        flat = VAE(L=2, hidden=128 if QUICK else 500).to(here.device)
        train_vae(flat, B_train[:20_000], 60 if QUICK else 25, f"flat_{name}", beta, noise)
        with torch.no_grad():
            codes = flat.encode(B_test.to(here.device))[0].cpu()
            z = torch.randn(32, 2, generator=torch.Generator().manual_seed(3)).to(here.device)
            sheets[name] = torch.sigmoid(flat.decode(z))
        for digit in range(10):
            own = codes[labels_test == digit][:200]
            ax.scatter(*own.T, s=24, linewidths=0.3, marker=f"${digit}$", color=figures.COLOURS[digit % 7])
        turn = torch.linspace(0, 2 * math.pi, 100)
        ax.plot(2 * turn.cos(), 2 * turn.sin(), "k--", linewidth=2, zorder=3, label="the prior")
        _, rec, _ = mean_parts(flat, B_test, noise)
        ax.set_title(f"{name}: test -rec {-rec:.0f} nats")
        ax.legend()
        ax.set(xlabel="first number of the code", ylabel="second", aspect="equal")
    figures.show(fig, "The VAE's codes fill the prior's disc; those of the autoencoder spread far beyond it.")
    for name, sheet in sheets.items():
        figures.patches(sheet, f"{name}: decoded draws of the prior", columns=16)

# %% [markdown] role="text"
# ![What to expect in full mode: codes fill the disc of the prior, or spread far beyond it](figures/plane.png)
#
# **Look.** The plain autoencoder rebuilds at least as well on the training digits. Where do its codes lie, compared
# with the dashed circle? What does its decoder draw for codes between or inside the clouds, and why could nothing in
# its training have told it better?
#
# ### 2c. What the code carries (written, 5 points)
#
# Let $q(z) = \frac1N\sum_n q_\phi(z\mid x_n)$, the codes of all the training images together.
#
# 1. *Information.* Show that $\frac1N\sum_n \mathrm{KL}(q_\phi(z\mid x_n)\,\|\,p(z)) = I(n; z) + \mathrm{KL}(q(z)\,\|\,
#    p(z))$, where $I(n; z) = \frac1N\sum_n \mathrm{KL}(q_\phi(z\mid x_n)\,\|\,q(z))$ is the mutual information between
#    image and code. What does each of the two terms ask of the encoder? Give an upper bound on $I(n; z)$ that holds for
#    any encoder. (2 points)
# 2. *Collapse.* Suppose $q_\phi(z\mid x) = p(z)$ for all $x$. What is the largest possible mean ELBO then, over
#    decoders of any form? Describe a decoder for which collapse is not a failure but the optimum, and say why a coin
#    per pixel (independent given $z$) is not of that kind. (1 point)
# 3. *Beta.* Let $p_\theta(x\mid z) = \mathcal N(m_\theta(z), \sigma^2 I)$ with fixed $\sigma$. Show that maximising
#    $\text{rec} - \beta\,\text{kl}$ over both networks is the same as maximising the true ELBO ($\beta = 1$) of a model
#    with another noise variance, and name it. Is the maximised quantity a lower bound of $\log p_\theta(x)$ of the
#    original model, with $\sigma^2$, for $\beta > 1$, and for $\beta < 1$? (1 point)
# 4. *Autoencoder.* With $\beta = 0$ neither of the two terms of part 1 is priced. Whose absence do you see in your
#    figure of the plain autoencoder? And what would the noise alone (still with $\beta = 0$) not repair: what would an
#    encoder do that may choose `logvar` for free? (1 point)

# %% [markdown] role="written" part="2c"
# ### BEGIN SOLUTION
# **1.** Put $q(z)$ into the logarithm:
#
# $$
# \frac1N\sum_n \mathbb E_{q_\phi(z\mid x_n)}\Big[\log\frac{q_\phi(z\mid x_n)}{q(z)} + \log\frac{q(z)}{p(z)}\Big]
#   = I(n; z) + \mathrm{KL}(q(z)\,\|\,p(z)),
# $$
#
# because the second logarithm does not depend on $n$ and the average of the $q_\phi(\cdot\mid x_n)$ is $q$. The second
# term asks that all codes *together* fill the prior, so that draws of the prior are codes that the decoder knows. The
# first one asks that a code tell as little as possible about which image it came from: it is the price of information,
# in nats per image, and the reconstruction pays it where it is worth more. Both terms are at least 0, so the mean KL is
# an upper bound of the information. For any encoder $I(n; z) = H(n) - H(n\mid z) \le H(n) = \log N$: after $\log N$
# nats the code already names the image.
#
# **2.** Then $z$ is independent of $x$, and by Jensen the mean ELBO is $\frac1N\sum_n\mathbb E_{p(z)}[\log p_\theta(x_n
# \mid z)] \le \frac1N\sum_n\log p_\theta(x_n)$, with equality when the decoder ignores $z$. So its largest value is the
# largest mean log-likelihood of a single distribution $p_\theta(x)$ out of the decoder's family. (With no restriction
# at all that is the empirical distribution of the training images, and the value is minus its entropy, $-\log N$ if all
# images differ.) If that family is rich enough to hold the data distribution without any code (an autoregressive
# decoder, where each pixel sees the ones before), this is the best value that any model has, and the gap is zero: using
# the code cannot gain, and anything but an exact posterior would lose. Independent coins without a code know the mean
# image only (about 206 nats per digit): all dependence between pixels has to come from $z$, so the code pays.
#
# **3.** With $D$ pixels,
#
# $$
# \mathbb E_q[\log p(x\mid z)] - \beta\,\mathrm{KL}
#   = \beta\Big[-\frac{\mathbb E_q\lVert x-m_\theta(z)\rVert^2}{2\beta\sigma^2} - \mathrm{KL}\Big]
#     - \frac D2\log 2\pi\sigma^2 .
# $$
#
# The bracket is, up to a constant, the ELBO for the noise variance $\beta\sigma^2$. Positive factors and constants do
# not move the maximum, so $\beta$ is a choice of the noise: large $\beta$ says that pixels are noisy and need not be
# rebuilt exactly. As $\mathrm{KL}\ge0$, for $\beta>1$ the quantity is below the ELBO and still a lower bound of $\log
# p_\theta(x)$, a looser one; for $\beta<1$ it is above the ELBO and in general no bound.
#
# **4.** Both are missing with $\beta=0$; what the samples miss is $\mathrm{KL}(q(z)\,\|\,p(z))$: nobody asked the codes
# to lie where the prior has its mass. They spread far beyond the dashed circle, with holes in between, and draws of
# the prior meet codes on which the decoder was never trained. Noise alone does not repair this: nothing keeps the
# encoder from $\ell \to -\infty$, which switches the noise off (or from scaling up $\mu$ until the noise does not
# matter), and the plain autoencoder is back. Only with a price on the KL is certainty expensive.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: the decomposition, with the reason why the average of q(z | x_n) appears
# - 1 point: what each term asks (match the prior together; tell little about the image), and the bound log N
# - 1 point: the best likelihood without a code (or minus the entropy of the training images, -log N); a decoder rich
#   enough needs none; independent coins are not
# - 1 point: noise variance beta sigma^2; a (looser) bound for beta > 1 and in general none for beta < 1
# - 1 point: nothing matches the codes with the prior; with beta = 0 the encoder turns the noise off
# ### END MARK SCHEME

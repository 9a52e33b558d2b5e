# %% [markdown] role="text"
# ## 3. Change of variables (10 points)
#
# The autoencoder of question 2 never knew $\log p(x)$, only a bound. A **normalizing flow** takes another way: it makes
# the hidden variable as large as the image, and the map between them *invertible*. Then there is exactly one $z$ for
# each $x$, nothing is left to integrate, and the density is exact (Dinh, Sohl-Dickstein and Bengio, *RealNVP*, ICLR
# 2017, eq. 3):
#
# $$
# \log p_X(x) = \log p_Z\big(f(x)\big) + \log\Big\lvert\det\frac{\partial f(x)}{\partial x}\Big\rvert,
# \qquad z = f(x) .
# $$
#
# The first term asks how likely the point is where $x$ lands. The second is the exchange rate between volumes: where
# $f$ stretches space, a small cube around $x$ becomes a large one around $z$, and catches more of $Z$'s probability. It
# is what everybody forgets, and it is never optional: without it, a model can make any $x$ likely by mapping everything
# to zero. You derive the formula in 3d. A chain of maps just adds its log-determinants, and this question builds the
# first link of every flow on images: from grey values to numbers on the whole real line.
#
# A pixel is a *whole number* from 0 to 255. Two things have to happen to it before a density can be its model:
#
# 1. **Dequantisation.** A density at a whole number can be made as high as you like by a needle on top of it (3d). So
#    we add noise, $v = x + u$ with $u \in [0, 1)$ uniform: now $v$ fills $[0, 256)$, and the *integral* of a density
#    over $[x, x+1)$ is a proper probability $P(x)$ of the grey value.
# 2. **Logit.** A Gaussian has tails, $[0, 256)$ has walls. We map $v$ to $(\alpha, 1-\alpha)$ and then to the line:
#
# $$
# s = \alpha + (1 - 2\alpha)\,\frac{v}{256}, \qquad y = \operatorname{logit}(s) = \log s - \log(1-s).
# $$
#
# The margin $\alpha$, for example 0.05, keeps black and white pixels away from $\pm\infty$.
#
# ### 3a. From grey values to the line (code, 3 points)
#
# Write `logit_preprocess`. It returns $y$, in the shape and dtype of `u`, and for every image
# $\log\lvert\det \partial y/\partial v\rvert$: the map acts on each pixel alone, so the Jacobian is diagonal and its
# log-determinant is a sum over *all* pixels of an image, whatever their shape. The derivative is with respect to $v \in
# [0, 256)$, so **the division by 256 counts**: $-\log 256$ per pixel. (Some papers take it with respect to $v/256$ and
# add 8 bits at the very end. Forget it in both places, and your model is 8 bits per dimension too good.)


# %% role="answer" part="3a"
def logit_preprocess(x_u8: Tensor, u: Tensor, alpha: float = 0.05) -> tuple[Tensor, Tensor]:
    """y (B, ...) and log|det dy/d(x + u)|, (B,), of grey values x_u8 (B, ...) uint8 and noise u (B, ...) in [0, 1)."""
    ### BEGIN SOLUTION
    s = alpha + (1 - 2 * alpha) * (x_u8 + u) / 256
    log_s, log_rest = s.log(), (1 - s).log()
    per_pixel = math.log((1 - 2 * alpha) / 256) - log_s - log_rest
    return log_s - log_rest, per_pixel.flatten(1).sum(dim=1)
    ### END SOLUTION


# %% role="check" part="3a"
with check("3a") as c:
    x_u8 = torch.tensor([[127, 128], [0, 255]], dtype=torch.uint8)
    u = torch.tensor([[1.0 - 1e-12, 0.0], [0.0, 1.0 - 1e-12]], dtype=torch.float64)
    y, logdet = logit_preprocess(x_u8, u, alpha=0.1)
    c.shape(y, (2, 2), "y")
    c.shape(logdet, (2,), "logdet")
    c.close(y[0], [0.0, 0.0], "the middle of the grey values is 0", atol=1e-9)
    c.close(y[1], [-math.log(9), math.log(9)], "black and white are the logits of alpha and 1 - alpha")
    c.close(logdet[0], 2 * math.log(0.8 * 4 / 256), "in the middle the logit stretches by 4; twice, for two pixels")
    c.close(logdet[1], 2 * math.log(0.8 / 0.09 / 256), "at black and white it stretches by 1 / (0.1 * 0.9)")
    c.shape(logit_preprocess(x_u8[:, None, :], u[:, None, :])[1], (2,), "logdet of images")

# %% [markdown] role="text"
# ### 3b. And back (code, 2 points)
#
# A sample of a flow is a $y$; to look at it we need grey values. Write `logit_inverse`: undo the logit and the margin,
# and return the whole number $x$ with $x \le v < x + 1$, as `uint8`. A model's $y$ can lie below the logit of $\alpha$
# or above that of $1 - \alpha$, where $v$ falls outside of $[0, 256)$. Such pixels are 0 or 255. (Convert a 256 to
# `uint8` and see what happens to the white parts of your picture.)


# %% role="answer" part="3b"
def logit_inverse(y: Tensor, alpha: float = 0.05) -> Tensor:
    """Grey values (B, ...) uint8 whose dequantised and logit-transformed values are y (B, ...)."""
    ### BEGIN SOLUTION
    v = 256 * (torch.sigmoid(y) - alpha) / (1 - 2 * alpha)
    return v.clamp(0, 255).to(torch.uint8)  # the conversion cuts off what is behind the point
    ### END SOLUTION


# %% role="check" part="3b"
with check("3b") as c:
    got = logit_inverse(torch.tensor([[-100.0, -0.01, 0.01, 100.0]], dtype=torch.float64), alpha=0.1)
    c.dtype(got, torch.uint8, "the result")
    c.equal(got.tolist(), [[0, 127, 128, 255]], "black, just below the middle, just above it, white")
    every = torch.arange(256, dtype=torch.uint8)[None]
    there = logit_preprocess(every, torch.full((1, 256), 0.7, dtype=torch.float64))[0]
    c.true(torch.equal(logit_inverse(there), every), "all 256 grey values come back")

# %% [markdown] role="text"
# ### 3c. Bits per dimension (code, 1 point)
#
# Log-likelihoods of images are large numbers that depend on the image's size. Papers therefore report the negative
# log-likelihood **in bits, per dimension** (pixel and colour channel): how many bits a perfect compressor built from
# your model would spend on each pixel. Write `bits_per_dim`; `logp` is in nats, of densities with respect to $v \in
# [0, 256)^D$, as 3a makes them.


# %% role="answer" part="3c"
def bits_per_dim(logp: Tensor, D: int) -> Tensor:
    """Bits per dimension, (B,), of images with D grey values and log-densities logp (B,) in nats."""
    ### BEGIN SOLUTION
    return -logp / (D * math.log(2))
    ### END SOLUTION


# %% role="check" part="3c"
with check("3c") as c:
    uniform = torch.full((3,), -784 * math.log(256), dtype=torch.float64)
    c.close(bits_per_dim(uniform, 784), [8.0, 8.0, 8.0], "if all 256 values are equally likely, a pixel costs 8 bits")

# %% [markdown] role="text"
# ### Look: where the pixels go
#
# The grey values of digits, before and after, with two margins. The last picture is a check that you can *see*: the
# density of $y$ that the formula predicts for uniform $v$, over a histogram of $y$. If your log-determinant is right,
# they agree.

# %% role="run"
with experiment("grey values on the line"):
    generator = torch.Generator().manual_seed(0)
    grey = digits_train[:500].flatten(1)  # (500, 784)
    u = torch.rand(grey.shape, generator=generator, dtype=torch.float64)
    fig, axes = plt.subplots(1, 4, figsize=(15, 3.2), layout="constrained")
    axes[0].hist((grey + u).flatten(), bins=64, density=True)
    axes[0].set(title="v = x + u", yscale="log", ylabel="density")
    for ax, alpha in zip(axes[1:3], (0.05, 1e-6), strict=True):
        ax.hist(logit_preprocess(grey, u, alpha)[0].flatten(), bins=64, density=True)
        ax.set(title=f"y, alpha = {alpha:g}", yscale="log")
    v = 256 * torch.rand(100_000, 1, generator=generator, dtype=torch.float64)
    y, logdet = logit_preprocess(v.floor().to(torch.uint8), v - v.floor())
    axes[3].hist(y[:, 0], bins=64, density=True, alpha=0.5, label="histogram")
    order = y[:, 0].argsort()
    axes[3].plot(y[order, 0], (-math.log(256) - logdet[order]).exp(), "--", label="from the log-determinant")
    axes[3].set(title="y, for uniform v")
    axes[3].legend()
    figures.show(fig, "Most pixels are black or white: two peaks. The predicted density lies on the histogram.")

# %% [markdown] role="text"
# ### Look: a likelihood without a bound
#
# What if we skip the noise? The model below is a mixture of 256 needles, one Gaussian of width $w$ on the middle of
# each grey value, weighted by how often it occurs in the training digits. We evaluate its bits per dimension on the
# bare whole numbers (moved to the middle of their cell) and on the dequantised values.

# %% role="run"
with experiment("needles"):
    share = torch.bincount(digits_train.flatten().long(), minlength=256).double() + 1
    needles = torch.arange(256, dtype=torch.float64) + 0.5
    pixels = digits_test[:20, ::3, ::3].flatten()
    u = torch.rand(pixels.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    widths, lines = torch.logspace(1, -2, 25, dtype=torch.float64), {"bare": [], "dequantised": []}
    for width in widths:
        for name, value in (("bare", pixels + 0.5), ("dequantised", pixels + u)):
            log_each = torch.distributions.Normal(needles, width).log_prob(value[:, None])
            logp = ((share / share.sum()).log() + log_each).logsumexp(1)
            lines[name].append(bits_per_dim(logp, 1).mean().item())
    fig, ax = plt.subplots(figsize=(6, 3.8), layout="constrained")
    for (name, bits), style in zip(lines.items(), ("o-", "s--"), strict=True):
        ax.plot(widths, bits, style, label=name)
    ax.axhline(0, color="black", linewidth=1)
    ax.set(xscale="log", ylim=(-8, 12), xlabel="width of a needle in grey values", ylabel="bits per dimension")
    ax.invert_xaxis()
    ax.legend()
    figures.show(fig, "With narrow needles the bare values cost ever fewer bits, below zero; the noisy ones do not.")

# %% [markdown] role="text"
# **Look.** At which width does the bare curve cross zero, and why is a negative number of bits absurd? What is the best
# that the other curve reaches, and what would the best possible model of a single pixel reach there?
#
# ### Look: a ladder in bits
#
# Now honest numbers for whole digits: your functions turn any density of $y$ into bits per dimension. All Gaussians are
# fitted on the training digits and evaluated on the test digits.

# %% role="run"
with experiment("a ladder in bits per dimension"):
    generator = torch.Generator().manual_seed(0)

    def line_of(digits: Tensor) -> tuple[Tensor, Tensor]:
        """Preprocessed digits (N, 784) and log-determinants (N,)."""
        grey = digits.flatten(1)
        return logit_preprocess(grey, torch.rand(grey.shape, generator=generator, dtype=torch.float64))

    Y, _ = line_of(digits_train[:10_000])
    Y_test, logdet_test = line_of(digits_test[:1000])
    centre = Y.mean(0)
    cov = (Y - centre).T @ (Y - centre) / len(Y)
    spread = cov.diagonal().mean() * torch.eye(784, dtype=torch.float64)
    full = torch.distributions.MultivariateNormal(centre, 0.98 * cov + 0.02 * spread)  # shrunk: 784 directions
    each = torch.distributions.Normal(centre, cov.diagonal().sqrt())
    logps = {
        "all grey values equally likely": torch.full((len(Y_test),), -784 * math.log(256), dtype=torch.float64),
        "a Gaussian per pixel, in y": each.log_prob(Y_test).sum(1) + logdet_test,
        "one full Gaussian, in y": full.log_prob(Y_test) + logdet_test,
    }
    figures.ladder(
        {name: bits_per_dim(logp, 784).mean().item() for name, logp in logps.items()}, xlabel="bits per dimension"
    )
    torch.manual_seed(0)
    figures.patches(logit_inverse(full.sample((32,))) / 255, "samples of the full Gaussian", columns=16)

# %% [markdown] role="text"
# A simple flow on MNIST in 8 bits reaches about 1.1 bits per dimension. The samples show why there is so much to gain:
# the Gaussian knows which pixels go together, and not that ink is either there or not. Question 4 learns the rest of
# the map.
#
# ### 3d. Volumes, noise and bits (written, 4 points)
#
# 1. Derive the change of variables in one dimension, from $\Pr(X \in [a, b]) = \Pr(f(X) \in f([a, b]))$, for increasing
#    *and* decreasing differentiable $f$. Then say what replaces $\lvert f'\rvert$ in $D$ dimensions and why. (1 point)
# 2. Let $f = f_K \circ \dots \circ f_1$. Show that log-determinants add, and say at which points each is taken. Given
#    $\log\lvert\det \partial z/\partial x\rvert$ at $x$, what is $\log\lvert\det \partial x/\partial z\rvert$ at $z$?
#    (1 point)
# 3. Let $p$ be a density of $v$ on $[0, 256)^D$ and $P(x) = \int_{[0,1)^D} p(x + u)\,du$ the probability that it gives
#    to the image $x$. Show that $\log P(x) \ge \mathbb E_u[\log p(x+u)]$ for uniform $u$, and say for which $p$ this is
#    an equality (Theis, van den Oord and Bethge, 2016). Conclude that bits per dimension of dequantised images cannot
#    be negative on average, and why those of bare images can. (1 point)
# 4. A colleague trains the same flow on $y$ with $\alpha = 0.05$ and with $\alpha = 10^{-6}$ and reports only $\log
#    p_Y(y)$, without the log-determinant. Why can these numbers not be compared with each other, and would they be
#    comparable after adding it? By how many bits per dimension is someone off who forgets the 256? (1 point)

# %% [markdown] role="written" part="3d"
# ### BEGIN SOLUTION
# **1.** Increasing: $\int_a^b p_X = \int_{f(a)}^{f(b)} p_Z(z)\,dz$; differentiate by $b$: $p_X(b) =
# p_Z(f(b))\,f'(b)$. Decreasing: $f([a,b]) = [f(b), f(a)]$, so $\int_a^b p_X = \int_{f(b)}^{f(a)}p_Z$ and $p_X(b) =
# -p_Z(f(b))\,f'(b)$. Both are $p_X(x) = p_Z(f(x))\,\lvert f'(x)\rvert$. In $D$ dimensions a small cube of volume $dx$
# around $x$ is mapped, to first order, to a parallelepiped that is spanned by the columns of the Jacobian $J = \partial
# f/\partial x$, whose volume is $\lvert\det J\rvert\,dx$. Both hold the same probability, $p_X(x)\,dx = p_Z(f(x))\,
# \lvert\det J\rvert\,dx$ (the substitution rule for integrals).
#
# **2.** With $x_0 = x$ and $x_k = f_k(x_{k-1})$ the chain rule is a product of matrices, $\partial z/\partial x =
# J_K(x_{K-1})\cdots J_1(x_0)$, and the determinant of a product is the product of determinants, so
#
# $$ \log\Big\lvert\det\frac{\partial z}{\partial x}\Big\rvert = \sum_k \log\lvert\det J_k(x_{k-1})\rvert, $$
#
# each taken at the point that *enters* map $k$. Since $f^{-1}(f(x)) = x$, the product of the Jacobians of $f^{-1}$ at
# $z$ and of $f$ at $x$ is the identity: the log-determinant of the inverse at $z = f(x)$ is the negative one.
#
# **3.** $P(x) = \mathbb E_u[p(x + u)]$ for uniform $u$, so by Jensen $\log P(x) \ge \mathbb E_u[\log p(x+u)]$, with
# equality exactly if $p$ is constant (almost everywhere) on the cube $x + [0, 1)^D$. $P$ is a distribution over
# finitely many images, hence $P(x)\le 1$ and $-\mathbb E_u\log p(x+u) \ge -\log P(x) \ge 0$ for every image (if $p$
# has mass outside the cubes, all the more so). A density evaluated at a point has no such limit: needles of width $w$
# on the whole numbers give $p(x)\to\infty$ as $w\to0$, hence bits that fall below zero without end, while the
# probability $P(x)$ that they give to grey values stays below 1.
#
# **4.** $p_Y$ is a density with respect to volume in $y$, and the two $\alpha$ measure volume with different rulers: a
# map that squeezes the data into a smaller region raises $\log p_Y$ without any better model. After adding
# $\log\lvert\det\partial y/\partial v\rvert$ both are densities of the same $v$ and comparable. (The choice of $\alpha$
# may still matter, through what the flow can fit.) Without the 256 the error is $\log_2 256 = 8$ bits per dimension.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: one dimension with both signs, and the determinant as the volume of the image of a small cube
# - 1 point: product of Jacobians, each at the point that enters its map; the inverse has the negative log-determinant
# - 1 point: Jensen, equality for densities constant on the cubes, probabilities below 1; a density has no such limit
# - 1 point: densities of different variables; the log-determinant makes them comparable; 8 bits
# ### END MARK SCHEME

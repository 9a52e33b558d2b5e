# %% [markdown] role="text"
# ## 2. A classifier from a density (12 points)
#
# Most classifiers learn $p(y \mid x)$ directly: where does one class end and the next begin? A *generative*
# classifier asks another question. **What do the examples of each class look like?** It fits a density $p(x \mid
# y=c)$ to each class, counts how often each class occurs, $p(y=c)$, and leaves the rest to Bayes' rule:
#
# $$
# p(y = c \mid x) = \frac{p(y=c)\; p(x \mid y=c)}{\sum_{c'} p(y=c')\; p(x \mid y=c')}.
# $$
#
# Nothing was trained to classify. That sounds wasteful, and buys three things: fitting is counting and averaging, a
# new class needs no change to the others, and the denominator $p(x)$ tells when an $x$ looks like *nothing* seen
# before.
#
# Remember this formula's shape. In question 3 the label is taken away, and the same posterior becomes the E-step.
#
# ### 2a. One Gaussian per class (code, 5 points)
#
# Write `fit_class_gaussians`. For examples $x_n$ with labels $y_n \in \{0, \dots, C-1\}$, and $N_c$ of them in class
# $c$, return the parameters that maximise the joint likelihood $\prod_n p(y_n)\, p(x_n \mid y_n)$:
#
# * $\log p(y=c) = \log (N_c / N)$: how often each class occurs;
# * $\mu_c$: the mean of class $c$;
# * `shared=False`: $\Sigma_c$, the covariance of class $c$ around its own mean (divide by $N_c$);
# * `shared=True`: one covariance for all classes. Maximum likelihood then asks for the average squared deviation of
#   *every example from the mean of its own class*,
#
# $$
# \Sigma = \frac1N\sum_{n=1}^N (x_n-\mu_{y_n})(x_n-\mu_{y_n})^\top = \sum_c \frac{N_c}{N}\,\Sigma_c
# \qquad\text{(PRML, section 4.2.2)}.
# $$
#
# It is returned $C$ times, as `(C, D, D)`, so that whoever uses the result need not know which of the two was fitted
# (`Tensor.expand` repeats without copying). The ridge is added once to each covariance that is returned. You may rely
# on every class having at least one example. Build on `fit_gaussian`; expect about 6 lines.


# %% role="answer" part="2a"
def fit_class_gaussians(
    X: Tensor, y: Tensor, C: int, shared: bool, ridge: float = 0.0
) -> tuple[Tensor, Tensor, Tensor]:
    """Log-prior (C,), means (C, D) and covariances (C, D, D) of the rows of X (N, D) with labels y (N,) in 0..C-1."""
    ### BEGIN SOLUTION
    prior = torch.bincount(y, minlength=C).to(X.dtype) / len(y)
    fits = [fit_gaussian(X[y == c], ridge) for c in range(C)]
    mus, Sigmas = (torch.stack(parts) for parts in zip(*fits, strict=True))
    if shared:
        Sigmas = torch.einsum("c,cij->ij", prior, Sigmas).expand(C, -1, -1)  # the weights sum to 1: one ridge remains
    return prior.log(), mus, Sigmas
    ### END SOLUTION


# %% role="check" part="2a"
with check("2a") as c:
    X = torch.tensor([[0.0], [10.0], [2.0]], dtype=torch.float64)
    labels = torch.tensor([0, 1, 0])
    log_prior, mus, Sigmas = fit_class_gaussians(X, labels, 2, shared=False, ridge=0.5)
    c.shape(log_prior, (2,), "log_prior")
    c.shape(mus, (2, 1), "mus")
    c.shape(Sigmas, (2, 1, 1), "Sigmas")
    c.close(log_prior.exp(), [2 / 3, 1 / 3], "two of three examples are of class 0")
    c.close(mus, [[1.0], [10.0]], "class 0 lies around 1; class 1 has a single example")
    c.close(Sigmas, [[[1.5]], [[0.5]]], "each variance around its own mean, plus the ridge")
    pooled = fit_class_gaussians(X, labels, 2, shared=True, ridge=0.5)[2]
    c.shape(pooled, (2, 1, 1), "the shared covariance, once per class")
    c.close(pooled, [[[2 / 3 + 0.5]], [[2 / 3 + 0.5]]], "squared deviations 1, 1 and 0, averaged over three examples")

# %% [markdown] role="text"
# ### 2b. The posterior over classes (code, 4 points)
#
# Write `class_log_posterior`: $\log p(y=c \mid x_n)$ for every example and every class.
#
# Stay in logarithms to the end. In 63 dimensions a density of $e^{-1000}$ is nothing unusual; in float64 it is 0, and
# $0/0$ is the answer of whoever exponentiates before dividing. What helps is that
#
# $$
# \log \sum_c e^{a_c} = m + \log \sum_c e^{a_c - m}, \qquad m = \max_c a_c,
# $$
#
# where the largest exponent is 0. PyTorch has it as `torch.logsumexp` and, with the subtraction done as well,
# `torch.log_softmax`. Expect about 3 lines.


# %% role="answer" part="2b"
def class_log_posterior(X: Tensor, log_prior: Tensor, mus: Tensor, Sigmas: Tensor) -> Tensor:
    """Log-posterior (N, C) of classes with log_prior (C,), mus (C, D), Sigmas (C, D, D), for the rows of X (N, D)."""
    ### BEGIN SOLUTION
    log_densities = [gaussian_logpdf(X, mu, Sigma) for mu, Sigma in zip(mus, Sigmas, strict=True)]
    return (log_prior + torch.stack(log_densities, dim=1)).log_softmax(dim=1)
    ### END SOLUTION


# %% role="check" part="2b"
with check("2b") as c:
    line = torch.tensor([[0.0], [1.0], [50.0]], dtype=torch.float64)
    log_prior = torch.tensor([0.5, 0.5], dtype=torch.float64).log()
    mus, Sigmas = torch.tensor([[-1.0], [1.0]], dtype=torch.float64), torch.ones(2, 1, 1, dtype=torch.float64)
    got = class_log_posterior(line, log_prior, mus, Sigmas)
    c.shape(got, (3, 2), "a row per example, a column per class")
    c.close(got[0], [math.log(0.5), math.log(0.5)], "halfway between two equal classes, neither is preferred")
    c.close(got[:, 1] - got[:, 0], 2 * line[:, 0], "the log-odds of two unit Gaussians at -1 and 1 are 2x")
    c.close(got.exp().sum(dim=1), [1.0, 1.0, 1.0], "the posterior of each example sums to 1, also far away")

# %% [markdown] role="text"
# ### Look: straight and curved borders
#
# Images of handwritten digits, reduced to their principal components (the directions of the largest variance of all
# the images, PRML section 12.1). First, three digits in the first two components. Colours are your posterior, dots
# the examples. On the left all classes share one covariance, on the right each has its own.


# %% role="run"
def digits(split: str, n: int) -> tuple[Tensor, Tensor]:
    """The first n digits as vectors (N, 784) with ink in [0, 1], and their labels (N,)."""
    images, labels = data.mnist(split, n)
    return images.reshape(-1, 784).double() / 255, labels


with experiment("straight and curved borders between digits"):
    (ink, y_digits), (ink_new, y_new) = digits("train", 10_000), digits("test", 2_000)
    middle, spread = fit_gaussian(ink)
    directions = torch.linalg.eigh(spread).eigenvectors.flip(1)[:, :20]  # (784, 20), largest variance first
    Z_digits, Z_new = (ink - middle) @ directions, (ink_new - middle) @ directions
    three = (y_digits == 0) | (y_digits == 1) | (y_digits == 4)
    Z, y = Z_digits[three, :2], torch.tensor([0, 1, -1, -1, 2])[y_digits[three]]
    along = torch.linspace(-9, 9, 150, dtype=torch.float64)
    grid = torch.cartesian_prod(along, along)
    fig, axes = plt.subplots(1, 2, figsize=(10, 4.8), sharex=True, sharey=True, layout="constrained")
    for ax, shared in zip(axes, (True, False), strict=True):
        posterior = class_log_posterior(grid, *fit_class_gaussians(Z, y, 3, shared)).exp()
        colours = 1 - 0.5 * (1 - figures.blend(posterior.reshape(150, 150, 3).transpose(0, 1)))
        ax.imshow(colours, origin="lower", extent=(-9, 9, -9, 9))
        for digit, colour, marker in zip((0, 1, 4), figures.COLOURS, "o^s", strict=False):
            own = Z[y == (0, 1, 4).index(digit)][:150]
            ax.scatter(*own.T, s=14, color=colour, marker=marker, edgecolor="k", linewidth=0.4, label=f"digit {digit}")
        ax.set_title("one covariance for all" if shared else "one covariance per class")
    axes[0].legend()
    figures.show(fig, "Three digits in two dimensions: straight borders with one covariance, curved ones with three.")

# %% [markdown] role="text"
# ### Look: who needs how many examples?
#
# Now all ten digits, in 20 components. We fit to the first $N$ training images and count mistakes on test images. A
# class covariance has $20\cdot21/2 = 210$ free numbers; ten of them are not learnt from a few hundred images.

# %% role="run"
with experiment("test error against the number of training images"):
    models = {
        "one covariance for all": (True, 1e-3, "o-"),
        "one per class": (False, 1e-3, "s--"),
        "one per class, large ridge": (False, 0.1, "^-."),
    }
    sizes = [size for size in (100, 150, 200, 500, 1000, 2000, 5000, 10_000) if size <= len(Z_digits)]
    fig, ax = plt.subplots(figsize=(7, 3.8), layout="constrained")
    for name, (shared, ridge, style) in models.items():
        errors = []
        for size in sizes:
            fitted = fit_class_gaussians(Z_digits[:size], y_digits[:size], 10, shared, ridge)
            errors.append((class_log_posterior(Z_new, *fitted).argmax(dim=1) != y_new).double().mean().item())
        ax.semilogx(sizes, errors, style, label=name)
        print(f"{name:28s}", "  ".join(f"{error:6.1%}" for error in errors))
    ax.set(xlabel="training images", ylabel="test error")
    ax.legend()
    figures.show(fig, f"Test error at {sizes} training images: with few images separate covariances need a ridge.")

# %% [markdown] role="text"
# **Think about it** (no points). The shared model learns fast and then stops: its borders are straight, and more data
# do not bend them. Separate covariances win in the end, and lose while data are scarce. Why is their error *worst* at
# about 15 images per class, in 20 dimensions, rather than at the very beginning? (What are the small eigenvalues of
# such a covariance, and what does its inverse do with them?) And what does the large ridge pull every class towards?
#
# ### 2c. Why the border is straight (written, 3 points)
#
# 1. Two classes share the covariance $\Sigma$. Show that the log-odds are linear in $x$,
#    $\log\frac{p(y=1\mid x)}{p(y=0\mid x)} = w^\top x + b$, and give $w$ and $b$. In which direction does $w$ point
#    when $\Sigma = I$, and what does $\Sigma^{-1}$ change about it?
# 2. Which terms survive if $\Sigma_0 \ne \Sigma_1$, and what do borders look like in two dimensions?
# 3. Logistic regression has the same form $w^\top x+b$ and fits $w$ and $b$ directly. How many free parameters has
#    each of the two models (two classes, shared covariance, $D$ dimensions)? Name one situation in which you would
#    prefer the generative one, and one in which you would not, each with a reason.

# %% [markdown] role="written" part="2c"
# ### BEGIN SOLUTION
# **1.** The evidence $p(x)$ cancels in the ratio, and so do $\log|\Sigma|$ and $D\log2\pi$, which both classes share:
#
# $$
# \log\frac{p(1\mid x)}{p(0\mid x)} = \log\frac{\pi_1}{\pi_0}
#   - \tfrac12(x-\mu_1)^\top\Sigma^{-1}(x-\mu_1) + \tfrac12(x-\mu_0)^\top\Sigma^{-1}(x-\mu_0).
# $$
#
# Multiply out. The quadratic terms $\mp\frac12x^\top\Sigma^{-1}x$ cancel, which leaves
#
# $$
# w = \Sigma^{-1}(\mu_1-\mu_0), \qquad
# b = \log\frac{\pi_1}{\pi_0} - \tfrac12\mu_1^\top\Sigma^{-1}\mu_1 + \tfrac12\mu_0^\top\Sigma^{-1}\mu_0 .
# $$
#
# With $\Sigma=I$, $w$ points from one mean to the other and the border is perpendicular to the line that joins them.
# $\Sigma^{-1}$ weighs each direction by the inverse of its variance: a difference of the means counts for much where
# the classes are narrow, for little where they are wide.
#
# **2.** Now $-\frac12 x^\top(\Sigma_1^{-1}-\Sigma_0^{-1})x$ survives, and the log-determinants
# $-\frac12\log\frac{|\Sigma_1|}{|\Sigma_0|}$ do too. The border is the zero set of a quadratic function, in two
# dimensions a conic section: an ellipse, a parabola, a hyperbola, or a pair of lines.
#
# **3.** The generative model has $1 + 2D + D(D+1)/2$ parameters (prior, two means, covariance), logistic regression
# $D+1$. The generative one uses more of the data ($x$ as well as $y$), so it needs fewer labelled examples if the
# Gaussian assumption is about right; it can also use unlabelled or incomplete examples, and can say that an $x$ is
# unlike anything seen. Logistic regression is to be preferred if there are many labels and the classes are far from
# Gaussian (heavy tails, outliers, several clusters): it spends its parameters on the border alone.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: the quadratic terms cancel; w and b are right, with the prior in b, and what the inverse covariance does
#   to w
# - 1 point: different covariances leave a quadratic form and the log-determinants, so that borders are conic sections
# - 1 point: both parameter counts (the generative one quadratic in D), and a reasoned situation for each side
# ### END MARK SCHEME

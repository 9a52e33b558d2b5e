# %% [markdown] role="text"
# ## 3. A mixture of Gaussians (14 points)
#
# Why is one Gaussian not enough for photographs? Take the simplest statistic there is: the difference between two
# neighbouring pixels. Run the cell. On a logarithmic axis a Gaussian is a parabola; the data are nothing like it.
# Most differences are tiny (walls, sky), yet large ones (edges) occur thousands of times as often as the Gaussian
# says.


# %% role="run"
with experiment("differences of neighbouring pixels have heavy tails"):
    differences = (photo[:, 1:] - photo[:, :-1]).reshape(-1, 1)
    ticks = torch.linspace(-0.6, 0.6, 481, dtype=torch.float64)[:, None]
    one_gaussian = gaussian_logpdf(ticks, *fit_gaussian(differences)).exp()
    fig, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
    ax.hist(
        differences[:, 0].numpy(), bins=120, range=(-0.6, 0.6), density=True, log=True, color="silver", label="data"
    )
    ax.plot(ticks, one_gaussian, label="the Gaussian of the same variance")
    ax.set(ylim=(1e-4, 1e2), xlabel="right pixel minus left pixel", ylabel="density")
    ax.legend()
    figures.show(
        fig, "Histogram of pixel differences on a log axis: a sharp peak and heavy tails, unlike the parabola."
    )

# %% [markdown] role="text"
# The remedy is a **hidden variable**. To draw an $x$, first roll a die with $K$ sides: side $k$ comes up with
# probability $\pi_k$. Then draw $x$ from the Gaussian of that side. The die is not recorded, so the density of what
# we see sums over it:
#
# $$
# p(k) = \pi_k, \qquad p(x\mid k) = \mathcal N(x\mid\mu_k,\Sigma_k), \qquad
# p(x) = \sum_{k=1}^K \pi_k\,\mathcal N(x\mid\mu_k,\Sigma_k) \qquad\text{(PRML, section 9.2)}.
# $$
#
# Compare with question 2: it is the same model, with the labels erased. A sum of $K$ simple densities can have many
# modes, heavy tails, or (Zoran and Weiss, 2011) edges in $K$ orientations. Every latent variable model that you will
# meet in this course has this form: something hidden is drawn first, and the density of the visible sums or
# integrates over it.
#
# ### 3a. The joint density (code, 6 points)
#
# Write `gmm_log_joint`: $\log p(k) + \log p(x_n \mid k)$ for all examples and components, as an (N, K) tensor.
#
# Everything else (density, responsibilities, even the classifier of question 2) is one line on top of it. A loop over
# the $K$ components that calls your `gaussian_logpdf` is a perfectly good answer. Keep in mind that `log_pi` holds
# *logarithms*: a weight may be as small as $e^{-800}$, which float64 cannot hold, and its logarithm is still a number
# like any other. Question 7 will ask autograd for the gradient of this function in $x$: stay with operations of torch.


# %% role="answer" part="3a"
def gmm_log_joint(X: Tensor, log_pi: Tensor, mus: Tensor, Sigmas: Tensor) -> Tensor:
    """Log p(k) + log p(x_n | k) as (N, K), for X (N, D) and a mixture log_pi (K,), mus (K, D), Sigmas (K, D, D)."""
    ### BEGIN SOLUTION
    D, L = X.shape[1], torch.linalg.cholesky(Sigmas)
    log_norm = L.diagonal(dim1=1, dim2=2).log().sum(dim=1) + D / 2 * math.log(2 * math.pi)
    return torch.sub(log_pi - log_norm, squared_distances(X, mus, L), alpha=0.5)


def squared_distances(X: Tensor, mus: Tensor, L: Tensor) -> Tensor:
    """|L_k^-1 (x_n - mu_k)|^2 as (N, K), for X (N, D), mus (K, D) and lower triangular L (K, D, D)."""
    K, D = mus.shape
    whiten = torch.linalg.solve_triangular(L, torch.eye(D, dtype=X.dtype), upper=False)
    centres = whiten @ mus[:, :, None]
    slabs = []
    for rows in torch.arange(D).split(21):  # whiten is triangular: its first 21 rows need the first 21 columns only
        seen = int(rows[-1]) + 1
        side_by_side = whiten[:, rows, :seen].reshape(-1, seen).T.contiguous()  # one product serves all K components
        slabs.append((seen, side_by_side, -centres[:, rows].reshape(-1)))
    return torch.cat([sum_of_squares(x, K, slabs) for x in X.split(1024)])  # blocks that fit the cache


def sum_of_squares(X: Tensor, K: int, slabs: list) -> Tensor:
    """Squared lengths (N, K) of K affine images of the rows of X (N, D), whose coordinates come in slabs."""
    images = (torch.addmm(shift, X[:, :seen], matrix).reshape(len(X), K, -1) for seen, matrix, shift in slabs)
    return sum(torch.linalg.vector_norm(Z, dim=2).square() for Z in images)
    ### END SOLUTION


# %% role="check" part="3a"
with check("3a") as c:
    X = torch.tensor([[0.0], [4.0], [1.0]], dtype=torch.float64)
    log_pi = torch.tensor([0.75, 0.25], dtype=torch.float64).log()
    mus = torch.tensor([[0.0], [4.0]], dtype=torch.float64)
    Sigmas = torch.tensor([[[1.0]], [[4.0]]], dtype=torch.float64)
    got = gmm_log_joint(X, log_pi, mus, Sigmas)
    c.shape(got, (3, 2), "a row per example, a column per component")
    peak = 1 / math.sqrt(2 * math.pi)
    c.close(got[0, 0].exp(), 0.75 * peak, "weight 3/4 times the peak of a standard normal")
    c.close(got[1, 1].exp(), 0.25 * peak / 2, "weight 1/4 times the peak of a normal with standard deviation 2")
    c.close(got[2] - got[2].flip(0), [math.log(6) + 5 / 8, -math.log(6) - 5 / 8], "log-odds of the components at x = 1")
    x = X.clone().requires_grad_()
    (pull,) = torch.autograd.grad(gmm_log_joint(x, log_pi, mus, Sigmas).sum(), x)
    c.close(pull, [[1.0], [-4.0], [-0.25]], "each component pulls x towards its mean: (mu - x) / variance, summed")

# %% [markdown] role="text"
# ### 3b. The E-step: who is responsible? (code, 5 points)
#
# Given $x_n$, which side of the die was up? Bayes' rule answers with a distribution, the **responsibilities**
#
# $$
# r_{nk} = p(k\mid x_n)
#   = \frac{\pi_k\,\mathcal N(x_n\mid\mu_k,\Sigma_k)}{\sum_j \pi_j\,\mathcal N(x_n\mid\mu_j,\Sigma_j)}
# \qquad\text{(PRML eq. 9.13)},
# $$
#
# and the denominator is the likelihood $p(x_n)$. Write `e_step`, which returns both in logarithms: `log_resp` of
# shape (N, K) and `loglik` of shape (N,), one number per example. As in 2b, never leave the logarithms: an example
# may be so far from every component that all the densities underflow. Expect 3 lines.


# %% role="answer" part="3b"
def e_step(X: Tensor, log_pi: Tensor, mus: Tensor, Sigmas: Tensor) -> tuple[Tensor, Tensor]:
    """Log-responsibilities (N, K) of the components for the rows of X (N, D), and log-likelihoods (N,) of the rows."""
    ### BEGIN SOLUTION
    log_joint = gmm_log_joint(X, log_pi, mus, Sigmas)
    loglik = log_joint.logsumexp(dim=1)
    return log_joint - loglik[:, None], loglik
    ### END SOLUTION


# %% role="check" part="3b"
with check("3b") as c:
    X = torch.tensor([[-1.0], [0.0], [1.0], [900.0]], dtype=torch.float64)
    halves = torch.tensor([0.5, 0.5], dtype=torch.float64).log()
    mus, Sigmas = torch.tensor([[-1.0], [1.0]], dtype=torch.float64), torch.ones(2, 1, 1, dtype=torch.float64)
    log_resp, loglik = e_step(X, halves, mus, Sigmas)
    c.shape(log_resp, (4, 2), "log_resp")
    c.shape(loglik, (4,), "loglik")
    c.close(log_resp[1].exp(), [0.5, 0.5], "halfway between two equal components, both are responsible")
    c.close(log_resp.exp().sum(dim=1), [1.0, 1.0, 1.0, 1.0], "the responsibilities for each example sum to 1")
    c.close(loglik[1], -0.5 * math.log(2 * math.pi) - 0.5, "at x = 0 both densities are that of a normal at distance 1")
    c.close(log_resp[3, 0], -1800.0, "far away the responsibility underflows, and its logarithm does not")

# %% [markdown] role="text"
# ### Look: soft borders, and where they go
#
# A mixture of three Gaussians in the plane. Points are drawn from it by rolling the die first; their colour mixes
# those of the three numbers in proportion to *your* responsibilities. The lines are the contours of your $\log p(x)$.

# %% role="run"
with experiment("responsibilities as colours"):
    log_pi = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64).log()
    mus = torch.tensor([[-1.5, 0.0], [1.5, 1.0], [0.5, -1.5]], dtype=torch.float64)
    Sigmas = torch.tensor(
        [[[1.0, 0.8], [0.8, 1.0]], [[0.5, -0.3], [-0.3, 1.2]], [[1.5, 0.0], [0.0, 0.1]]], dtype=torch.float64
    )
    generator = torch.Generator().manual_seed(0)
    sides = torch.multinomial(log_pi.exp(), 1500, replacement=True, generator=generator)  # the die
    z = torch.randn(1500, 2, 1, generator=generator, dtype=torch.float64)
    X = mus[sides] + (torch.linalg.cholesky(Sigmas)[sides] @ z)[:, :, 0]
    along = torch.linspace(-5, 5, 120, dtype=torch.float64)
    grid = torch.cartesian_prod(along, along)
    colours, heights = e_step(X, log_pi, mus, Sigmas)[0].exp(), e_step(grid, log_pi, mus, Sigmas)[1]
    fig, axes = plt.subplots(1, 2, figsize=(10, 4.8), sharex=True, sharey=True, layout="constrained")
    axes[0].scatter(*X.T, c=figures.blend(colours).numpy(), s=5)
    axes[0].contour(
        along, along, heights.reshape(120, 120).T, levels=[-9, -7, -5, -4, -3, -2], colors="k", linewidths=0.5
    )
    axes[0].set_title("draws, coloured by who is responsible")
    everywhere = e_step(grid, log_pi, mus, Sigmas)[0].exp().reshape(120, 120, 3).transpose(0, 1)
    axes[1].imshow(figures.blend(everywhere), origin="lower", extent=(-5, 5, -5, 5))
    axes[1].set_title("who would be responsible, everywhere")
    for ax in axes:
        for k, mu in enumerate(mus.tolist(), 1):
            ax.annotate(str(k), mu, fontsize=14, weight="bold", ha="center", va="center")
    figures.show(fig, "Points of three clusters coloured by responsibility, and the same colours for the whole plane.")

# %% [markdown] role="text"
# **Think about it** (no points). In the right panel each component has a region, though that of 1, the blue one, is
# not "around" its mean only: follow it to the corners. Which property of a component decides who owns the points
# *infinitely* far out in a given direction, and why do $\pi_k$ and $\mu_k$ not matter there?
#
# Now back to the pixel differences. Three Gaussians with mean zero and *different scales*, picked by hand, are enough
# to bend the parabola into the heavy tails of the data. Each scale is a kind of place: flat, textured, edge. In
# question 4 the scales are learnt.

# %% role="run"
with experiment("three scales make a heavy tail"):
    log_pi = torch.tensor([0.55, 0.35, 0.10], dtype=torch.float64).log()
    mus, Sigmas = torch.zeros(3, 1, dtype=torch.float64), torch.tensor([0.006, 0.03, 0.15]).double()[:, None, None] ** 2
    log_resp, loglik = e_step(ticks, log_pi, mus, Sigmas)
    fig, axes = plt.subplots(1, 2, figsize=(11, 3.5), layout="constrained")
    axes[0].hist(differences[:, 0].numpy(), bins=120, range=(-0.6, 0.6), density=True, log=True, color="silver")
    axes[0].plot(ticks, loglik.exp(), label="three scales, by hand")
    axes[0].plot(ticks, one_gaussian, "--", label="one Gaussian")
    axes[0].set(ylim=(1e-4, 1e2), xlabel="right pixel minus left pixel", ylabel="density")
    for k, (name, style) in enumerate({"flat": "-", "texture": "--", "edge": "-."}.items()):
        axes[1].plot(ticks, log_resp[:, k].exp(), style, label=name)
    axes[1].set(xlabel="right pixel minus left pixel", ylabel="responsibility", xlim=(-0.3, 0.3))
    for ax in axes:
        ax.legend()
    figures.show(fig, "Three scales follow the histogram into its tails; each is responsible for its own range.")
    one = gaussian_logpdf(differences, *fit_gaussian(differences)).mean()
    three = e_step(differences, log_pi, mus, Sigmas)[1].mean()
    print(f"one Gaussian: {one:.2f} nats per pair of pixels, three scales: {three:.2f} nats")

# %% [markdown] role="text"
# ### 3c. What responsibilities are, and what labels are not (written, 3 points)
#
# Let $\theta = (\log\pi_k, \mu_k, \Sigma_k)_{k=1}^K$ and write $a_{nk} = \log\pi_k + \log\mathcal
# N(x_n\mid\mu_k,\Sigma_k)$ for the entries of `gmm_log_joint`.
#
# 1. Show that $\frac{\partial \log p(x_n)}{\partial a_{nk}} = r_{nk}$, and conclude that
#    $\nabla_{\mu_k}\sum_n\log p(x_n) = \sum_n r_{nk}\,\Sigma_k^{-1}(x_n-\mu_k)$. Put into words what the
#    responsibilities do to the gradient of the plain Gaussian of question 1.
# 2. Why can we not set this gradient to zero and solve for $\mu_k$ in closed form, as in 1c? What could we solve if
#    the $r_{nk}$ were given numbers?
# 3. How many parameter settings give exactly the same density as a generic $\theta$, and why? You fit the same data
#    twice from different starts and average the two results, $\mu_k = \frac12(\mu_k^{(1)}+\mu_k^{(2)})$. What goes
#    wrong, and which quantities of the two fits could be averaged or compared safely?

# %% [markdown] role="written" part="3c"
# ### BEGIN SOLUTION
# **1.** $\log p(x_n)=\log\sum_j e^{a_{nj}}$, so
#
# $$
# \frac{\partial\log p(x_n)}{\partial a_{nk}} = \frac{e^{a_{nk}}}{\sum_j e^{a_{nj}}}
#   = \frac{p(k)\,p(x_n\mid k)}{p(x_n)} = p(k\mid x_n) = r_{nk}.
# $$
#
# $\mu_k$ enters through $a_{nk}$ alone, with $\nabla_{\mu_k}a_{nk}=\Sigma_k^{-1}(x_n-\mu_k)$. The chain rule and the
# sum over examples give the claim. It is the gradient of a single Gaussian in which example $n$ counts $r_{nk}$ times
# instead of once: each component is fitted to its own share of every example.
#
# **2.** The $r_{nk}$ depend on $\mu_k$ themselves, and on all the other parameters, through exponentials. Setting the
# gradient to zero gives $\mu_k=\sum_n r_{nk}x_n/\sum_n r_{nk}$ with $\mu_k$ on both sides: a fixed-point equation,
# not a solution. If the $r_{nk}$ were given numbers, it would be the weighted mean, and the weights and covariances
# would follow in closed form too. (Alternating between the two is EM, question 4.)
#
# **3.** $K!$. The sum $\sum_k\pi_k\mathcal N(x\mid\mu_k,\Sigma_k)$ does not change if the components are renumbered,
# and a generic $\theta$ (no two components equal, no weight zero) yields a different setting for each of the $K!$
# permutations. The second fit may have found the same components in another order, so that component $k$ of one and
# component $k$ of the other have nothing to do with each other; their average may lie where there are no data at all,
# and as a mixture it is worse than both. Everything that does not depend on the numbering is safe: densities $p(x)$
# and log-likelihoods of test data, and whether two examples belong together, $\sum_k r_{nk}r_{mk}$. To compare
# parameters, first match the components (for instance by the cheapest assignment between their means).
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: the derivative of the logsumexp is the posterior; the gradient in the mean, read as examples weighted by
#   r
# - 1 point: the responsibilities depend on the parameters (no closed form); given r, weighted means and covariances
# - 1 point: K! permutations of the components; averaging mismatched ones fails; densities or log-likelihoods are safe
# ### END MARK SCHEME

# %% [markdown] role="text"
# ## 5. Denoising a patch (18 points)
#
# A density earns its keep when it answers a question that it was never trained for. Here is one. A camera gives you
#
# $$y = x + \sigma n, \qquad n \sim \mathcal N(0, I),$$
#
# a clean patch $x$ plus noise of known standard deviation $\sigma$. Which $x$ was it? The data cannot say: every $x$ is
# possible. The *prior* $p(x)$ says which of them look like photographs, and Bayes' rule weighs the two: $p(x \mid y)
# \propto p(x)\, p(y \mid x)$. If you must name a single patch and pay for the squared error $\mathbb E\,\lVert \hat x -
# x \rVert^2$, the best you can do is the **posterior mean** $\hat x(y) = \mathbb E[x \mid y]$. It is also called the
# MMSE estimate, for minimum mean squared error.
#
# **One Gaussian.** Let $p(x) = \mathcal N(x; \mu, \Sigma)$. Up to a constant,
#
# $$-2 \log p(x \mid y) = (x-\mu)^\top \Sigma^{-1} (x-\mu) + \tfrac{1}{\sigma^2} \lVert y - x \rVert^2 .$$
#
# This is quadratic in $x$, so the posterior is Gaussian. Collect the terms that are quadratic in $x$ to read off its
# precision and those that are linear in $x$ to read off its mean $m$:
#
# $$\Lambda = \Sigma^{-1} + \tfrac{1}{\sigma^2} I, \qquad \Lambda\, m = \Sigma^{-1}\mu + \tfrac{1}{\sigma^2}\, y .$$
#
# Precisions add, and the mean is the precision-weighted average of what the prior expects and what the camera saw.
# On paper, before you write code: multiply out and show that the same $m$ is
#
# $$m = \mu + \Sigma\,(\Sigma + \sigma^2 I)^{-1} (y - \mu),$$
#
# which never inverts $\Sigma$. Along an eigenvector of $\Sigma$ with variance $\lambda$ it shrinks the deviation from
# the mean by $\lambda / (\lambda + \sigma^2)$: directions in which photographs vary a lot are believed, the others are
# pulled to the mean. For stationary signals, where the eigenvectors are sinusoids, this is the filter of Wiener
# (*Extrapolation, Interpolation, and Smoothing of Stationary Time Series*, 1949).

# %% [markdown] role="text"
# ### 5a. The Wiener filter (code, 4 points)
#
# Return the posterior mean of every row of `Y`. `sigma` is the noise's *standard deviation*, a positive number. Keep
# the dtype of `Y`. About two lines, with no loop over patches: all rows share one matrix.

# %% role="answer" part="5a"
def wiener_denoise(Y: Tensor, mu: Tensor, Sigma: Tensor, sigma: float) -> Tensor:
    """Posterior means (N, D) of x ~ N(mu (D,), Sigma (D, D)) given the rows of Y (N, D), y = x + sigma * noise."""
    ### BEGIN SOLUTION
    noisy = Sigma + sigma**2 * torch.eye(len(mu), dtype=Sigma.dtype)
    return mu + (Y - mu) @ torch.linalg.solve(noisy, Sigma)  # the gain is symmetric: its two factors commute
    ### END SOLUTION


# %% role="check" part="5a"
with check("5a") as c:
    one = torch.ones(1, dtype=torch.float64)
    got = wiener_denoise(torch.tensor([[2.0], [-4.0]], dtype=torch.float64), 0 * one, one[:, None], 1.0)
    c.shape(got, (2, 1), "the result")
    c.close(got, [[1.0], [-2.0]], "prior and noise are equally uncertain: go half the way")
    got = wiener_denoise(
        torch.tensor([[4.0, 4.0]], dtype=torch.float64),
        torch.zeros(2, dtype=torch.float64),
        torch.diag(torch.tensor([3.0, 1.0], dtype=torch.float64)),
        1.0,
    )
    c.close(got, [[3.0, 2.0]], "each direction shrinks by variance / (variance + noise variance)")

# %% [markdown] role="text"
# ### 5b. The posterior mean under a mixture (code, 9 points)
#
# One Gaussian treats an edge and a patch of sky alike: the gain does not depend on $y$. Under a mixture $p(x) = \sum_k
# \pi_k\, \mathcal N(x; \mu_k, \Sigma_k)$ there are two unknowns, the patch $x$ and the component $k$ it came from.
# Split the posterior mean over the second:
#
# $$\mathbb E[x \mid y] = \sum_k p(k \mid y)\; \mathbb E[x \mid y, k].$$
#
# Given $k$ the prior is Gaussian, so the second factor is 5a. For the first, ask how a *noisy* patch of component $k$
# is distributed: $y$ is the sum of two independent Gaussian vectors. Work out $p(y \mid k)$ and then $p(k \mid y)$
# before you write code. You have already written the function that computes it; only its arguments are new.
#
# `mode` chooses between two estimates:
#
# - `"mmse"`: the posterior mean above.
# - `"map_component"`: find the single most probable component $k^\star = \arg\max_k p(k \mid y)$ and return $\mathbb
#   E[x \mid y, k^\star]$ alone. It is cheaper in principle (one filter per patch) and is the step that Zoran and Weiss
#   (2011) use inside their image denoiser, which you build in question 6.
#
# Work in logs until the weights are normalised: a patch far from every component must give a finite answer. Loop over
# the $K$ components rather than forming all filtered patches at once: an array of $N \times K \times D$ numbers is 1.5
# GB for one photograph and 20 components.


# %% role="answer" part="5b"
def gmm_denoise(Y: Tensor, log_pi: Tensor, mus: Tensor, Sigmas: Tensor, sigma: float, mode: str = "mmse") -> Tensor:
    """Estimates (N, D) of the clean rows of Y (N, D) under the mixture log_pi (K,), mus (K, D), Sigmas (K, D, D).

    mode "mmse" is the posterior mean; "map_component" is the posterior mean within the most probable component.
    """
    ### BEGIN SOLUTION
    noisy = Sigmas + sigma**2 * torch.eye(Y.shape[1], dtype=Y.dtype)
    log_joint = gmm_log_joint(Y, log_pi, mus, noisy)
    weight = log_joint.softmax(1)
    if mode == "map_component":
        weight = torch.nn.functional.one_hot(log_joint.argmax(1), len(log_pi))
    return sum(weight[:, k, None] * wiener_denoise(Y, mus[k], Sigmas[k], sigma) for k in range(len(mus)))
    ### END SOLUTION


# %% role="check" part="5b"
with check("5b") as c:
    two_log_pi = torch.log(torch.tensor([0.5, 0.5], dtype=torch.float64))
    two_mus = torch.tensor([[-10.0], [10.0]], dtype=torch.float64)
    two_Sigmas = torch.ones(2, 1, 1, dtype=torch.float64)
    at = torch.tensor([[9.0], [0.0]], dtype=torch.float64)
    got = gmm_denoise(at, two_log_pi, two_mus, two_Sigmas, 1.0)
    c.shape(got, (2, 1), "the result")
    c.close(got, [[9.5], [0.0]], "y = 9 belongs to the right component; y = 0 to both, and they cancel")
    right = gmm_denoise(at[:1], two_log_pi, two_mus, two_Sigmas, 1.0, mode="map_component")
    c.close(right, [[9.5]], "far from the border between components, both modes agree")

# %% [markdown] role="text"
# ### What a mixture sees that a Gaussian cannot
#
# First one number at a time. The picture shows the estimate $\hat x(y)$ against the noisy value $y$ for two priors with
# the *same* variance: one Gaussian, and a mixture of a narrow and a wide Gaussian, which is how pixel differences of
# photographs are really distributed (mostly almost nothing, now and then an edge).

# %% role="run"
with experiment("estimates of one number"):
    y = torch.linspace(-6, 6, 241, dtype=torch.float64)[:, None]
    heavy_pi, heavy_mus = torch.tensor([0.9, 0.1], dtype=torch.float64).log(), torch.zeros(2, 1, dtype=torch.float64)
    heavy_Sigmas = torch.tensor([0.1, 9.1], dtype=torch.float64)[:, None, None]
    one_variance = (heavy_pi.exp()[:, None, None] * heavy_Sigmas).sum(0)
    figure, ax = plt.subplots(figsize=(6, 4.5))
    ax.plot(y, y, ":", color="gray", label="no denoising")
    ax.plot(y, wiener_denoise(y, heavy_mus[0], one_variance, 1.0), "--", label="one Gaussian")
    ax.plot(y, gmm_denoise(y, heavy_pi, heavy_mus, heavy_Sigmas, 1.0), label="mixture, mmse")
    hard = gmm_denoise(y, heavy_pi, heavy_mus, heavy_Sigmas, 1.0, mode="map_component")
    ax.plot(y, hard, "-.", label="mixture, map_component")
    ax.set(xlabel="noisy value y", ylabel="estimate of x", title="same prior variance, noise of standard deviation 1")
    ax.legend()
    figures.show(
        figure, "The Gaussian's estimate is a straight line; the mixture's shrinks small values and keeps large."
    )

# %% [markdown] role="text"
# ![What to expect: a straight line, a smooth threshold and a jump](figures/shrinkage.png)
#
# **Look.** The Gaussian shrinks everything by the same factor. The mixture has found, without being told, what
# engineers call *coring* or *thresholding*: wipe out what is probably noise, leave alone what is probably signal. Where
# exactly does `"map_component"` jump, and why must the posterior mean be smooth there? (Tweedie's formula knows.)
#
# ### Patches
#
# Now all 63 dimensions, with the mixture that you fitted in question 4. The noise has a standard deviation of 25 grey
# levels, about as much as a phone's camera makes by candlelight.

# %% role="run"
with experiment("denoising patches"):
    sigma = 25 / 255
    noise = torch.randn(X_test.shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    Y_test = X_test + sigma * noise
    gaussian, mixture = fit_gaussian(X_em), (log_pi, mus, Sigmas)
    estimates = {
        "noisy": Y_test,
        "one Gaussian": wiener_denoise(Y_test, *gaussian, sigma),
        "mixture, map_component": gmm_denoise(Y_test, *mixture, sigma, mode="map_component"),
        "mixture, mmse": gmm_denoise(Y_test, *mixture, sigma),
    }
    quality = {name: figures.psnr(estimate, X_test) for name, estimate in estimates.items()}
    figures.ladder(quality, xlabel="PSNR in dB, noise of 25 grey levels", title=f"{len(X_test):,} patches")
    shown = X_test.norm(dim=1).argsort()[torch.linspace(0.3, 0.99, 16).mul(len(X_test)).long()]  # by contrast
    rows = [X_test, estimates["noisy"], estimates["one Gaussian"], estimates["mixture, mmse"]]
    sheet = from_ac(torch.cat([row[shown] for row in rows]), means_test[shown].repeat(4, 1))
    figures.patches(sheet, "clean, noisy, one Gaussian, mixture", columns=16)

# %% [markdown] role="text"
# ![What to expect in full mode: about 7.4 dB above the noise](figures/patches.png)
#
# On the Berkeley patches with 20 components expect about 20.2 dB (noisy), 25.8 (one Gaussian) and 27.5 (mixture); on
# the small data of QUICK the order is the same.
#
# **Look** at the columns from left (little contrast) to right (much). Where does the mixture gain most over the
# Gaussian, at the flat patches or at the edges? Check your guess: compute both PSNRs for the flattest and for the most
# contrasty half of the patches, and explain with the first figure.

# %% [markdown] role="text"
# ### 5c. Tweedie's formula (written, 5 points)
#
# Let $p$ be *any* density on $\mathbb R^D$, $y = x + \sigma n$ with $n \sim \mathcal N(0, I)$ independent of $x \sim
# p$, and let $p_\sigma(y) = \int p(x)\, \mathcal N(y; x, \sigma^2 I)\, dx$ be the density of the noisy patch.
#
# 1. Prove **Tweedie's formula**: $\;\mathbb E[x \mid y] = y + \sigma^2\, \nabla_y \log p_\sigma(y)$. (2 points)
# 2. Apply it to a mixture of Gaussians and show that it gives your `"mmse"` estimate, weights and all. (2 points)
# 3. A common bug computes the weights of 5b with the clean covariances $\Sigma_k$ in the place of those of the noisy
#    patch. Take two components with mean zero, one of low variance (sky) and one of high variance (texture), and a
#    noisy patch of sky. What does the bug do to it, and why? (1 point)
#
# Robbins (*An empirical Bayes approach to statistics*, 1956) credits the formula to Maurice Tweedie; Efron (*Tweedie's
# formula and selection bias*, 2011) tells its story. Keep it in mind: it says that *whoever can denoise knows the
# gradient of the log-density*, and problem set 3 builds diffusion models on nothing else.

# %% [markdown] role="written" part="5c"
# ### BEGIN SOLUTION
# **1.** Differentiate under the integral. Since $\nabla_y \mathcal N(y; x, \sigma^2 I) = \frac{x - y}{\sigma^2}\,
# \mathcal N(y; x, \sigma^2 I)$,
#
# $$\nabla_y p_\sigma(y) = \int p(x)\, \frac{x-y}{\sigma^2}\, \mathcal N(y; x, \sigma^2 I)\, dx .$$
#
# Divide by $p_\sigma(y)$. By Bayes' rule $p(x)\, \mathcal N(y; x, \sigma^2 I) / p_\sigma(y) = p(x \mid y)$, so
#
# $$\nabla_y \log p_\sigma(y) = \int \frac{x - y}{\sigma^2}\, p(x \mid y)\, dx
# = \frac{\mathbb E[x \mid y] - y}{\sigma^2},$$
#
# which is the claim. Only the noise has to be Gaussian; nothing was assumed about $p$.
#
# **2.** The noisy patch of component $k$ is a sum of independent Gaussians, so $p_\sigma(y) = \sum_k \pi_k\,
# \mathcal N(y; \mu_k, C_k)$ with $C_k = \Sigma_k + \sigma^2 I$. Hence
#
# $$\nabla \log p_\sigma(y)
# = \frac{\sum_k \pi_k\, \mathcal N(y; \mu_k, C_k)\, \bigl(-C_k^{-1}(y - \mu_k)\bigr)}{p_\sigma(y)}
# = -\sum_k w_k(y)\, C_k^{-1} (y - \mu_k), \qquad w_k(y) = p(k \mid y),$$
#
# the responsibilities under the noisy mixture. As the weights sum to one, Tweedie's formula gives $\sum_k w_k \bigl[\,
# y - \sigma^2 C_k^{-1}(y - \mu_k) \bigr]$, and with $\sigma^2 I = C_k - \Sigma_k$ each bracket is $y - (y - \mu_k) +
# \Sigma_k C_k^{-1} (y-\mu_k) = \mu_k + \Sigma_k C_k^{-1} (y - \mu_k)$, the Wiener estimate of component $k$.
#
# **3.** The noise alone gives the patch an energy of about $D \sigma^2$. Under the clean low-variance component that is
# all but impossible, so nearly all weight goes to the high-variance component, whose filter shrinks little. The noise
# is taken for texture and stays, just where it is most visible and would be easiest to remove.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: differentiates the noisy density under the integral and has the gradient of the Gaussian kernel right
# - 1 point: divides by the noisy density, recognises the posterior and concludes
# - 1 point: the noisy mixture has covariances Sigma_k + sigma^2 I; its score is the weighted sum of component scores
# - 1 point: turns each term into a Wiener estimate and names the weights as responsibilities of the noisy patch
# - 1 point: noise makes sky improbable under the clean low-variance component; it is taken for texture and stays
# ### END MARK SCHEME

# %% [markdown] role="text"
# ## x4. Is it any good? (10 points)
#
# A flow can be judged by its likelihood. A GAN has none, and a VAE only a bound. What remains are *samples*, and
# papers report numbers that compare a heap of samples with a heap of data. Three of them fill most tables of the last
# ten years. All three look at features of the images, the outputs of a network that was trained to classify; here the
# features are given, and you write the comparison. Then you construct, for each number, a model that it praises and
# that nobody would want.
#
# ### x4a. The Fréchet distance (code, 2 points)
#
# Fit a Gaussian to the features of the data and one to those of the samples, and take the Wasserstein-2 distance of
# the two Gaussians, squared (Heusel et al., NeurIPS 2017, eq. 6; Dowson and Landau, 1982):
#
# $$
# d^2=\lVert\mu_1-\mu_2\rVert^2+\operatorname{tr}\Sigma_1+\operatorname{tr}\Sigma_2
# -2\operatorname{tr}\big(\Sigma_1^{1/2}\Sigma_2\Sigma_1^{1/2}\big)^{1/2}.
# $$
#
# This is the **FID**. The matrix root is the one with non-negative eigenvalues, *not* the root of each entry. Write
# `frechet_distance`. Two hints. The matrix in brackets is symmetric: the trace of its root is the sum of the roots
# of its eigenvalues. And with fewer samples than features the covariances are singular, so that zero eigenvalues come
# out as $-10^{-17}$; a root of that is NaN.


# %% role="answer" part="x4a"
def frechet_distance(mu1: Tensor, Sigma1: Tensor, mu2: Tensor, Sigma2: Tensor) -> Tensor:
    """Squared Wasserstein-2 distance, a scalar, of Gaussians with means (D,) and covariances (D, D), maybe singular."""
    ### BEGIN SOLUTION
    values, vectors = torch.linalg.eigh(Sigma1)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    cross = torch.linalg.eigvalsh(root @ Sigma2 @ root).clamp(min=0).sqrt().sum()
    return (mu1 - mu2).square().sum() + Sigma1.trace() + Sigma2.trace() - 2 * cross
    ### END SOLUTION


# %% role="check" part="x4a"
with check("x4a") as c:
    zero, eye = torch.zeros(2, dtype=torch.float64), torch.eye(2, dtype=torch.float64)
    c.close(frechet_distance(zero, eye, zero + 3, eye), 18.0, "equal covariances: the squared distance of the means")
    c.close(frechet_distance(zero, 4 * eye, zero, 9 * eye), 2.0, "standard deviations 2 and 3 in two dimensions")
    line = torch.ones(2, 2, dtype=torch.float64)
    c.close(frechet_distance(zero, line, zero, line), 0.0, "a singular Gaussian and itself", atol=1e-6)

# %% [markdown] role="text"
# ### x4b. The Inception score (code, 2 points)
#
# The oldest of the three (Salimans et al., NeurIPS 2016) does not look at data at all. A classifier names each sample,
# $p(y\mid x)$. Good samples should be clearly *something* (low entropy of $p(y\mid x)$), and different samples
# different things (high entropy of the average $p(y)=\frac1N\sum_np(y\mid x_n)$). Both wishes are one:
#
# $$ \mathrm{IS}=\exp\Big(\frac1N\sum_n\mathrm{KL}\big(p(y\mid x_n)\,\|\,p(y)\big)\Big)\in[1,K]. $$
#
# Write `inception_score` from the classifier's logits (N, K). Logits of $\pm1000$ occur, and probabilities of exactly 0
# with them: stay in log space, where every logarithm is finite and $0\log0=0$ comes by itself. Expect 3 lines.


# %% role="answer" part="x4b"
def inception_score(logits: Tensor) -> Tensor:
    """exp of the mean KL(p(y | x_n) || p(y)), a scalar, from a classifier's logits (N, K)."""
    ### BEGIN SOLUTION
    log_p = logits.log_softmax(dim=1)
    log_marginal = log_p.logsumexp(dim=0) - math.log(len(logits))
    return (log_p.exp() * (log_p - log_marginal)).sum(dim=1).mean().exp()
    ### END SOLUTION


# %% role="check" part="x4b"
with check("x4b") as c:
    c.close(inception_score(torch.zeros(5, 3)), 1.0, "a classifier that cannot tell: 1")
    c.close(inception_score(1000 * torch.eye(4)), 4.0, "four samples of four sure classes: 4")
    c.close(inception_score(1000 * torch.eye(4)[:1].expand(6, 4)), 1.0, "six samples of one sure class: 1")

# %% [markdown] role="text"
# ### x4c. Precision and recall (code, 3 points)
#
# One number cannot say *how* a model fails. Kynkäänniemi et al. (NeurIPS 2019, eq. 1 and 2) use two: **precision**, the
# share of samples that look like data, and **recall**, the share of data that the model could have made. "Looks like"
# is decided by neighbours. Put a ball around each point of a set, as wide as the distance to its $k$-th nearest
# *other* point of that set. The union of the balls stands for the set's support.
#
# * precision: the share of fakes that lie in at least one ball of the **real** points;
# * recall: the share of real points that lie in at least one ball of the **fakes**.
#
# The border of a ball belongs to it. Return `(precision, recall)`, two plain numbers. The sets may differ in size, both
# are larger than $k$, and a point may occur twice: its copy is another point, at distance 0. (For more than 25 points
# `torch.cdist` takes a short cut by a matrix product, and copies are no longer at 0;
# `compute_mode="donot_use_mm_for_euclid_dist"` keeps it from that.)


# %% role="answer" part="x4c"
def precision_recall(real: Tensor, fake: Tensor, k: int) -> tuple[float, float]:
    """Improved precision and recall of fakes (M, D) against real points (N, D), with balls to the k-th neighbour."""

    ### BEGIN SOLUTION
    def distances(a: Tensor, b: Tensor) -> Tensor:
        return torch.linalg.vector_norm(a[:, None] - b, dim=2)

    def covered(points: Tensor, others: Tensor) -> float:
        radius = distances(others, others).kthvalue(k + 1, dim=1).values  # the nearest of all is the point itself
        return (distances(points, others) <= radius).any(dim=1).double().mean().item()

    return covered(fake, real), covered(real, fake)
    ### END SOLUTION


# %% role="check" part="x4c"
with check("x4c") as c:
    real = torch.tensor([[0.0], [1.0], [2.0], [10.0], [11.0]])
    fake = torch.tensor([[0.5], [1.5], [1.0], [30.0]])
    precision, recall = precision_recall(real, fake, 1)
    c.close(float(precision), 0.75, "three of four fakes are within 1 of a real point")
    c.close(float(recall), 1.0, "the lonely fake at 30 has a ball of radius 28.5, which covers 2, 10 and 11")
    c.close(float(precision_recall(real, fake[:3], 1)[1]), 0.6, "without it, three of five real points are covered")

# %% [markdown] role="text"
# **Look** at the second line again. One outlier among the fakes, and the recall is perfect. The next figure shows what
# else can happen.
#
# ### Look: five models, four numbers
#
# The data are the ring of question 6. The features are the points themselves, and the classifier is the best one for
# eight equal Gaussians.

# %% role="run"
with experiment("five models of the ring"):
    generator = torch.Generator().manual_seed(0)
    train, _ = ring(400, generator)
    test, _ = ring(400, generator)
    models = {
        "copies of the training data": train,
        "the eight centres": RING.repeat(50, 1),
        "two modes missing": RING[torch.arange(400) % 6] + 0.1 * torch.randn(400, 2, generator=generator),
        "far too wide": ring(400, generator)[0] + 0.5 * torch.randn(400, 2, generator=generator),
        "one Gaussian": torch.randn(400, 2, generator=generator) @ torch.linalg.cholesky(torch.cov(test.T)).T,
    }
    fig, axes = plt.subplots(1, 5, figsize=(15, 3.6), layout="constrained")
    for ax, (name, samples) in zip(axes, models.items(), strict=True):
        fid = frechet_distance(test.mean(0), torch.cov(test.T), samples.mean(0), torch.cov(samples.T))
        score = inception_score(-(samples[:, None] - RING).square().sum(dim=2) / (2 * 0.1**2))
        precision, recall = precision_recall(test, samples, 3)
        ax.scatter(*test.T, s=2, color="lightgrey")
        ax.scatter(*samples.T, s=2)
        ax.set_title(
            f"{name}\nFréchet {fid:.3f}, score {score:.2f}\nprecision {precision:.2f}, recall {recall:.2f}", fontsize=8
        )
        ax.set(xlim=(-3.5, 3.5), ylim=(-3.5, 3.5), xticks=[], yticks=[], aspect="equal")
    figures.show(fig, "Five models with their Fréchet distance, Inception score, precision and recall.")

# %% [markdown] role="text"
# **Look.** For each of the four numbers, which bad model does it praise? Is there a model that all four praise, and is
# it a good one?
#
# ### x4d. What each one is blind to (written, 3 points)
#
# 1. *Fréchet distance.* Describe two distributions that differ much and have distance 0. Estimated from $N$ data points
#    and $M$ samples, the distance of a *perfect* model is not 0 but positive: show this for the term of the means, with
#    the expected value $\operatorname{tr}\Sigma\,(\frac1N+\frac1M)$, and say why numbers from different sample sizes
#    must not be compared. (1 point)
# 2. *Inception score.* Show that $\log\mathrm{IS}$ is the mutual information of the sample's index and its label, and
#    conclude that it lies between 0 and $\log K$. Describe a model that gets the highest score without ever having seen
#    the data. (1 point)
# 3. *Precision and recall.* Which of the two does an outlier harm, and which one does it flatter? Which of the four
#    numbers notices that all samples are copies of training examples when it is computed against the training
#    set, against a test set, and what would you measure to find out? (1 point)

# %% [markdown] role="written" part="x4d"
# ### BEGIN SOLUTION
# **1.** Only mean and covariance of the features enter: the ring and one Gaussian with the same two moments have
# distance 0. With $\hat\mu_1$ the mean of $N$ and $\hat\mu_2$ that of $M$ independent draws of one distribution with
# covariance $\Sigma$, the difference has mean 0 and covariance $\Sigma(\frac1N+\frac1M)$, so $\mathbb
# E\lVert\hat\mu_1-\hat\mu_2\rVert^2=\operatorname{tr}\Sigma\,(\frac1N+\frac1M)>0$. (The covariance term is biased
# upwards as well.) The bias falls with the number of samples, so a worse model with more samples may
# get the smaller number.
#
# **2.** Draw $n$ uniformly from the samples, then $y\sim p(y\mid x_n)$. The marginal of $y$ is $p(y)$, and
# $\frac1N\sum_n\mathrm{KL}(p(y\mid x_n)\,\|\,p(y))=\mathbb E\log\frac{p(y\mid n)}{p(y)}=I(n;y)=H(y)-H(y\mid n)$. A
# mutual information is not negative, and it is at most $H(y)\le\log K$. The highest score needs only one image per
# class of which the classifier is sure, repeated: the eight centres, or adversarial noise. No data are compared.
#
# **3.** An outlier among the *fakes* lies outside the balls of the real points and costs $1/M$ of precision, fairly;
# but its own ball is huge and may cover most real points: it *raises* recall. An outlier among the real points
# likewise raises precision. Copies of training examples get, against the training set, Fréchet distance 0, precision 1
# and recall 1; against a test set they look like a perfect model, as the training set itself would, and the Inception
# score is that of the data. None of the four notices. Measure the distances of samples to their nearest training
# example and compare them with the distances of *test* examples to their nearest training example.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: equal first two moments; the expected squared difference of two sample means, and what the bias forbids
# - 1 point: mutual information with both bounds; one sure image per class
# - 1 point: outliers widen balls and flatter the other number; no number sees copies; nearest training neighbours
# ### END MARK SCHEME

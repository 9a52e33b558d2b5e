import numpy as np
import torch

from autograder.verify.variants import right, wrong


def root(Sigma):
    """The symmetric root of a covariance."""
    values, vectors = torch.linalg.eigh(Sigma)
    return vectors @ torch.diag(values.clamp(min=0).sqrt()) @ vectors.T


def from_terms(mu1, Sigma1, mu2, Sigma2, cross, factor=2.0):
    """The distance from its cross term."""
    return (mu1 - mu2).square().sum() + Sigma1.trace() + Sigma2.trace() - factor * cross


def trace_of_root(Sigma1, Sigma2):
    """The right cross term."""
    return torch.linalg.matrix_norm(root(Sigma1) @ root(Sigma2), "nuc")


@wrong("frechet_distance")
def takes_the_root_of_each_entry(mu1, Sigma1, mu2, Sigma2):
    return from_terms(mu1, Sigma1, mu2, Sigma2, (Sigma1 @ Sigma2).abs().sqrt().trace())


@wrong("frechet_distance")
def multiplies_the_roots(mu1, Sigma1, mu2, Sigma2):
    return from_terms(mu1, Sigma1, mu2, Sigma2, (root(Sigma1) @ root(Sigma2)).trace())


@wrong("frechet_distance")
def compares_variances_only(mu1, Sigma1, mu2, Sigma2):
    cross = (Sigma1.diagonal() * Sigma2.diagonal()).sqrt().sum()
    return from_terms(mu1, Sigma1, mu2, Sigma2, cross)


@wrong("frechet_distance")
def forgets_the_two(mu1, Sigma1, mu2, Sigma2):
    return from_terms(mu1, Sigma1, mu2, Sigma2, trace_of_root(Sigma1, Sigma2), factor=1.0)


@wrong("frechet_distance")
def forgets_the_root(mu1, Sigma1, mu2, Sigma2):
    return from_terms(mu1, Sigma1, mu2, Sigma2, (Sigma1 @ Sigma2).trace())


@wrong("frechet_distance")
def forgets_the_means(mu1, Sigma1, mu2, Sigma2):
    return from_terms(0 * mu1, Sigma1, 0 * mu2, Sigma2, trace_of_root(Sigma1, Sigma2))


@wrong("frechet_distance")
def does_not_square_the_means_distance(mu1, Sigma1, mu2, Sigma2):
    return (mu1 - mu2).norm() + from_terms(0 * mu1, Sigma1, 0 * mu2, Sigma2, trace_of_root(Sigma1, Sigma2))


@wrong("frechet_distance")
def takes_the_root_of_the_result(mu1, Sigma1, mu2, Sigma2):
    return from_terms(mu1, Sigma1, mu2, Sigma2, trace_of_root(Sigma1, Sigma2)).clamp(min=0).sqrt()


@wrong("frechet_distance")
def needs_a_cholesky_factor(mu1, Sigma1, mu2, Sigma2):
    L1, L2 = torch.linalg.cholesky(Sigma1), torch.linalg.cholesky(Sigma2)
    return from_terms(mu1, Sigma1, mu2, Sigma2, torch.linalg.svdvals(L1.T @ L2).sum())


@wrong("frechet_distance")
def takes_roots_of_negative_eigenvalues(mu1, Sigma1, mu2, Sigma2):
    values, vectors = torch.linalg.eigh(Sigma1)
    half = vectors * values.sqrt() @ vectors.T
    return from_terms(mu1, Sigma1, mu2, Sigma2, torch.linalg.eigvalsh(half @ Sigma2 @ half).sqrt().sum())


@wrong("frechet_distance")
def adds_a_ridge(mu1, Sigma1, mu2, Sigma2):
    ridge = 1e-3 * torch.eye(len(mu1), dtype=mu1.dtype)
    return from_terms(mu1, Sigma1, mu2, Sigma2, trace_of_root(Sigma1 + ridge, Sigma2 + ridge))


def divergences(p, marginal):
    """Right divergences (N,) of rows from a marginal."""
    return torch.special.xlogy(p, p / marginal).sum(1)


@wrong("inception_score")
def forgets_the_exponential(logits):
    p = logits.softmax(1)
    return divergences(p, p.mean(0)).mean()


@wrong("inception_score")
def turns_the_divergence_around(logits):
    p = logits.softmax(1)
    return (p.mean(0) * (p.mean(0).log() - logits.log_softmax(1))).sum(1).mean().exp()


@wrong("inception_score")
def averages_the_logits(logits):
    log_p = logits.log_softmax(1)
    return (log_p.exp() * (log_p - logits.mean(0).log_softmax(0))).sum(1).mean().exp()


@wrong("inception_score")
def normalises_over_samples(logits):
    p = logits.softmax(0)
    p = p / p.sum(1, keepdim=True)
    return divergences(p, p.mean(0)).mean().exp()


@wrong("inception_score")
def takes_logits_for_log_probabilities(logits):
    p = logits.exp()
    return (p * (logits - p.mean(0).log())).sum(1).mean().exp()


@wrong("inception_score")
def sums_over_samples(logits):
    p = logits.softmax(1)
    return divergences(p, p.mean(0)).sum().exp()


@wrong("inception_score")
def averages_over_classes(logits):
    p = logits.softmax(1)
    return (divergences(p, p.mean(0)) / p.shape[1]).mean().exp()


@wrong("inception_score")
def exponentiates_before_averaging(logits):
    p = logits.softmax(1)
    return divergences(p, p.mean(0)).exp().mean()


@wrong("inception_score")
def compares_with_uniform_classes(logits):
    p = logits.softmax(1)
    return divergences(p, torch.full_like(p[0], 1 / p.shape[1])).mean().exp()


@wrong("inception_score")
def multiplies_zero_by_minus_infinity(logits):
    p = logits.softmax(1)
    return (p * (p.log() - p.mean(0).log())).sum(1).mean().exp()


@wrong("inception_score")
def guards_with_an_epsilon(logits):
    p = logits.softmax(1) + 1e-4
    return (p * (p.log() - p.mean(0).log())).sum(1).mean().exp()


@wrong("inception_score")
def divides_zero_by_zero(logits):
    p = logits.softmax(1)
    return torch.special.xlogy(p, p / p.mean(0)).sum(1).mean().exp()


def inside(queries, centres, k, own=1):
    """Whether queries (M, N) lie in each ball, the point itself being the first of `own` neighbours."""
    radius = torch.cdist(centres, centres).sort(1).values[:, k + own - 1]
    return torch.linalg.vector_norm(queries[:, None] - centres, dim=2) <= radius


def shared(hits):
    """The share of rows with a hit."""
    return hits.any(1).double().mean().item()


@wrong("precision_recall")
def counts_a_point_as_its_own_neighbour(real, fake, k):
    return shared(inside(fake, real, k, own=0)), shared(inside(real, fake, k, own=0))


@wrong("precision_recall")
def takes_one_neighbour_too_many(real, fake, k):
    def widest(queries, centres):
        return inside(queries, centres, min(k + 1, len(centres) - 1))

    return shared(widest(fake, real)), shared(widest(real, fake))


@wrong("precision_recall")
def returns_recall_first(real, fake, k):
    return shared(inside(real, fake, k)), shared(inside(fake, real, k))


@wrong("precision_recall")
def gives_precision_twice(real, fake, k):
    return shared(inside(fake, real, k)), shared(inside(fake, real, k))


@wrong("precision_recall")
def transposes_the_second_question(real, fake, k):
    return shared(inside(fake, real, k)), shared(inside(fake, real, k).T)


@wrong("precision_recall")
def takes_balls_of_the_other_set(real, fake, k):
    return shared(inside(real, fake, k).T), shared(inside(fake, real, k).T)


@wrong("precision_recall")
def asks_the_nearest_centre_only(real, fake, k):
    def nearest(queries, centres):
        rows = torch.linalg.vector_norm(queries[:, None] - centres, dim=2).argmin(1)
        return inside(queries, centres, k)[torch.arange(len(queries)), rows].double().mean().item()

    return nearest(fake, real), nearest(real, fake)


@wrong("precision_recall")
def excludes_the_border(real, fake, k):
    def strictly(queries, centres):
        radius = torch.cdist(centres, centres).sort(1).values[:, k]
        return shared(torch.linalg.vector_norm(queries[:, None] - centres, dim=2) < radius)

    return strictly(fake, real), strictly(real, fake)


@wrong("precision_recall")
def gives_all_balls_the_mean_radius(real, fake, k):
    def alike(queries, centres):
        radius = torch.cdist(centres, centres).sort(1).values[:, k].mean()
        return shared(torch.linalg.vector_norm(queries[:, None] - centres, dim=2) <= radius)

    return alike(fake, real), alike(real, fake)


@wrong("precision_recall")
def counts_balls_and_not_points(real, fake, k):
    return inside(fake, real, k).double().mean().item(), inside(real, fake, k).double().mean().item()


@wrong("precision_recall")
def takes_copies_for_the_point_itself(real, fake, k):
    def distinct(queries, centres):
        apart = torch.cdist(centres, centres)
        apart[apart == 0] = float("inf")
        radius = apart.sort(1).values[:, k - 1]
        return shared(torch.linalg.vector_norm(queries[:, None] - centres, dim=2) <= radius)

    return distinct(fake, real), distinct(real, fake)


@wrong("precision_recall")
def always_uses_three_neighbours(real, fake, k):
    return shared(inside(fake, real, min(3, len(real) - 1))), shared(inside(real, fake, min(3, len(fake) - 1)))


@right("frechet_distance")
def by_the_nuclear_norm(mu1, Sigma1, mu2, Sigma2):
    return from_terms(mu1, Sigma1, mu2, Sigma2, trace_of_root(Sigma1, Sigma2))


@right("frechet_distance")
def by_eigenvalues_of_the_product(mu1, Sigma1, mu2, Sigma2):
    values = np.linalg.eigvals((Sigma1 @ Sigma2).numpy())
    cross = float(np.sqrt(np.clip(values.real, 0, None)).sum())
    return from_terms(mu1, Sigma1, mu2, Sigma2, cross)


@right("inception_score")
def by_entropies(logits):
    p = logits.softmax(1)
    return torch.exp(torch.special.entr(p.mean(0)).sum() - torch.special.entr(p).sum(1).mean())


@right("inception_score")
def by_kl_div(logits):
    p = logits.softmax(1)
    clipped = p.mean(0).clamp(min=torch.finfo(p.dtype).tiny).log().expand_as(p)
    return torch.nn.functional.kl_div(clipped, p, reduction="none").sum(1).mean().exp()


@right("precision_recall")
def by_sorting(real, fake, k):
    return shared(inside(fake, real, k)), shared(inside(real, fake, k))


@right("precision_recall")
def by_a_loop(real, fake, k):
    def covered(queries, centres):
        hits = torch.zeros(len(queries), dtype=torch.bool)
        for i, centre in enumerate(centres):
            others = torch.cat([centres[:i], centres[i + 1 :]])
            radius = (others - centre).square().sum(1).sqrt().topk(k, largest=False).values[-1]
            hits |= (queries - centre).square().sum(1).sqrt() <= radius
        return hits.double().mean()

    return covered(fake, real), covered(real, fake)


@wrong("inception_score")
def bounds_the_logits(logits):
    return inception_score(logits.clamp(-30, 30))


@right("frechet_distance")
def by_the_eigenvalues_of_the_product(mu1, Sigma1, mu2, Sigma2):
    cross = torch.linalg.eigvals(Sigma1 @ Sigma2).real.clamp(min=0).sqrt().sum()
    return torch.dist(mu1, mu2) ** 2 + (Sigma1 + Sigma2).trace() - 2 * cross

"""Hidden tests of question 2: any architecture behind the interface, and the ELBO of models that are known exactly.

Probes put networks of the test's own in the place of the student's: an affine encoder and decoder and a Gaussian
likelihood. With the exact posterior as encoder, log p(x | z) + log p(z) - log q(z | x) is log p(x) at every sample.
Expectations over noise are taken by Gauss-Hermite quadrature: its nodes go in as eps, its weights average what comes
back, which is exact for polynomials of degree 9. So no test has a false-alarm rate.
"""

import itertools
import math

import numpy as np
import torch
from torch.distributions import Independent, Normal, kl_divergence

from autograder.hidden.ps2_latent_variable import elbo_pieces
from autograder.hidden.ps2_latent_variable.linear_gaussian import draw_model, log_density
from autograder.hidden.ps2_latent_variable.network_checks import moved, strangers
from autograder.testing import (
    expect_close,
    expect_equal,
    expect_finite,
    expect_shape,
    expect_true,
    normal,
    points,
    uniform,
)

ALONE = "in evaluation mode a row depends on itself only, not on the rest of the batch and not on chance"


def probe_layers(ns, name, batch, L):
    """Of encode or decode in evaluation mode: tensors that are no parameters, the mode after, and for each output the
    number of parameters that feel it."""
    import torch

    torch.manual_seed(11)
    vae = ns.moved(ns.VAE(784, L, 24)).eval()
    outputs = getattr(vae, name)(batch)
    every = outputs if isinstance(outputs, (tuple, list)) else [outputs]
    hidden = ns.strangers(vae, every)
    felt = []
    for output in every:
        vae.zero_grad()
        if isinstance(output, torch.Tensor) and output.requires_grad:
            (output * output).sum().backward(retain_graph=True)
        # NaN is felt.
        felt.append(sum(1 for p in vae.parameters() if p.grad is not None and bool((p.grad != 0).any())))
    return hidden, vae.training, felt


def probe_coder(ns, name, batch, L):
    """encode or decode of the student's networks: for a batch, and for its third row alone."""
    import torch

    torch.manual_seed(11)
    vae = ns.moved(ns.VAE(784, L, 24).double()).eval()
    return getattr(vae, name)(batch), getattr(vae, name)(batch[2:3])


def probe_elbo(ns, W, b, s2, A, c, logvar, x, eps, *beta):
    """The student's elbo, with an affine encoder, an affine decoder and a Gaussian likelihood in place."""
    import math

    vae = ns.VAE(784, len(A), 8, lambda x, m: -0.5 * ((x - m) ** 2 * math.exp(-s2) + s2 + math.log(2 * math.pi)).sum(1))
    vae.encode = lambda x: (x @ A.T + c, logvar + 0 * (x @ A.T))
    vae.decode = lambda z: z @ W.T + b
    return vae.elbo(x, eps, *beta)


def probe_gradient(ns, mu, logvar, W, x, eps, beta, training):
    """Gradients of the summed ELBO by what the encoder said and by the decoder's weights, for a likelihood of coins;
    and the mode after."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits

    leaves = [leaf.clone().requires_grad_() for leaf in (mu, logvar, W)]
    vae = ns.VAE(784, 3, 8, lambda x, a: -binary_cross_entropy_with_logits(a, x, reduction="none").sum(1))
    vae.encode = lambda x: (leaves[0], leaves[1])
    vae.decode = lambda z: torch.tanh(z) @ leaves[2].T
    nothing = 0 * sum(leaf.sum() for leaf in leaves)
    vae.train(training)
    return list(torch.autograd.grad(vae.elbo(x, eps, beta)[0].sum() + nothing, leaves)), vae.training


def probe_walk(ns, A, W, x0, x1, n):
    """The student's interpolate on a model whose decoder is not linear, and whose codes have a large variance."""
    import torch

    class Cubic(torch.nn.Module):
        def encode(self, x):
            return x @ A.T, 3 + 0 * (x @ A.T)

        def decode(self, z):
            return (z**3) @ W.T

    return ns.interpolate(Cubic(), x0, x1, n)


def provide_pieces(ps):
    """Known-good functions of question 1: a mistake there costs nothing here."""
    names = ("reparameterize", "kl_diag", "bernoulli_logprob", "gaussian_logprob")
    ps.provide(**{name: getattr(elbo_pieces, name) for name in names})


def expect_layers(ps, name, batch, L):
    """All layers are parameters of the model, they can be trained, and evaluation mode stays what it is."""
    ps.provide(strangers=strangers, moved=moved)
    hidden, training, felt = ps.run(probe_layers, name, batch.float(), L)
    lost = f"layers behind {name} are no parameters of the model: make them attributes, or an nn.ModuleList"
    expect_equal(hidden, 0, lost)
    lost = f"no gradient of what {name} returns reaches a parameter of the model"
    if len(felt) == 2 and any(felt):  # mu and logvar, one of them cut off
        lost = f"{name}: the {'mean' if felt[1] else 'log-variance'} is cut off from the parameters that make it"
    expect_true(all(felt), lost)
    expect_equal(training, False, f"{name} left evaluation mode: only the training loop calls train()")


def three(got, B):
    """elbo, rec and kl, each (B,), or a sentence."""
    expect_true(isinstance(got, (tuple, list)) and len(got) == 3, "three results: elbo, rec, kl")
    for part in got:
        expect_shape(part, B)
    return got


def hermite(L, order=5):
    """Nodes (order ** L, L) and weights of the standard normal."""
    x, w = np.polynomial.hermite_e.hermegauss(order)
    nodes = np.array(list(itertools.product(x, repeat=L)))
    weights = np.array([math.prod(each) for each in itertools.product(w / w.sum(), repeat=L)])
    return torch.from_numpy(nodes), torch.from_numpy(weights)


@points(1, part="2a", hint="a mean and the logarithm of a variance for each image; both may be negative")
def test_encoder_names_a_mean_and_a_log_variance_per_image(ps, rng):
    """`encode` gives mu and logvar, each (B, L), unbounded, image by image, by layers that can be trained."""
    provide_pieces(ps)
    x = 20 * normal(rng, 64, 784)
    expect_layers(ps, "encode", x, 5)
    outputs, alone = ps.run(probe_coder, "encode", x, 5)
    expect_true(isinstance(outputs, (tuple, list)) and len(outputs) == 2, "two results: mu and logvar")
    for output, single in zip(outputs, alone, strict=True):
        expect_shape(output, 64, 5)
        expect_finite(output, "NaN or infinity: logvar is what the last layer says, not the logarithm of it")
        expect_true(output.min() < 0 < output.max(), "means and log-variances may be negative: no activation at last")
        expect_close(single, output[2:3], ALONE)
        expect_true(output.std(0).min() > 0, "every number of the code depends on the image")
    expect_true(not torch.allclose(*outputs), "mu and logvar are two different outputs of the network")


@points(1, part="2a", hint="decode returns logits: any real number, one per pixel")
def test_decoder_returns_logits(ps, rng):
    """`decode` gives a logit for each pixel, of either sign, code by code, by layers that can be trained."""
    provide_pieces(ps)
    z = 200 * normal(rng, 33, 6)
    expect_layers(ps, "decode", z, 6)
    logits, alone = ps.run(probe_coder, "decode", z, 6)
    expect_shape(logits, 33, 784)
    expect_finite(logits, "NaN or infinity: a logit is what the last layer says, with nothing behind it")
    expect_true(logits.min() < 0 < logits.max(), "a logit may be negative: no activation after the last layer")
    expect_true(logits.max() > 1.5, "a logit may be large: no activation after the last layer")
    expect_close(alone, logits[2:3], ALONE)


@points(2, part="2a", hint="one code per image, made of its own mean, variance and noise; its log-likelihood, summed")
def test_exact_posterior_gives_the_evidence_at_every_sample(ps, rng):
    """With the exact posterior as encoder, log p(x|z) + log p(z) - log q(z|x) is log p(x), for every eps."""
    provide_pieces(ps)
    for B, D, L in ((5, 4, 2), (1, 3, 3), (3, 6, 1)):
        model = draw_model(rng, D, L)
        A, c, logvar = model.posterior()
        for scale in (0.0, 1.0, 3.0):
            x, eps = 2 * normal(rng, B, D), scale * normal(rng, B, L)
            got = ps.run(probe_elbo, model.W, model.b, model.s2, A, c, logvar, x, eps)
            _, rec, _ = three(got, B)
            mu = x @ A.T + c
            z = mu + logvar.exp().sqrt() * eps
            code = log_density(z, torch.zeros(L).double(), torch.zeros(L).double()) - log_density(z, mu, logvar)
            expect_close(rec + torch.from_numpy(code), model.log_evidence(x), rtol=1e-10, atol=1e-10)


@points(
    1, part="2a", hint="the KL divergence in closed form, from q to the standard normal; on average the bound has a gap"
)
def test_expected_elbo_is_the_evidence_minus_its_gap(ps, rng):
    """kl is KL(q(z|x) || N(0, I)) whatever eps is, and the exact mean of elbo is log p(x) - KL(q || posterior)."""
    provide_pieces(ps)
    model, (nodes, weights) = draw_model(rng, 4, 2), hermite(2)
    A, c, logvar = model.posterior()
    x = normal(rng, 1, 4).expand(len(nodes), 4).contiguous()
    for shift, spread in ((0.0, 0.0), (0.7, -0.9)):
        ours = (A, c + shift, logvar + spread)
        elbo, _, kl = three(ps.run(probe_elbo, model.W, model.b, model.s2, *ours, x, nodes), len(nodes))
        mu = x[0] @ A.T + c
        q = Independent(Normal(mu + shift, ((logvar + spread) / 2).exp()), 1)
        prior = Independent(Normal(0 * mu, 1.0), 1)
        expect_close(kl, kl_divergence(q, prior).expand(len(nodes)), "kl in closed form: it does not depend on eps")
        gap = kl_divergence(q, Independent(Normal(mu, (logvar / 2).exp()), 1))
        expect_close((weights * elbo).sum(), model.log_evidence(x[:1])[0] - gap.item())


@points(1, part="2a", hint="beta is the price of the code, and of nothing else; rec and kl are returned without it")
def test_beta_is_the_price_of_the_code(ps, rng):
    """elbo is rec - beta * kl for every beta, 1 if none is given; rec and kl do not depend on it."""
    provide_pieces(ps)
    model = draw_model(rng, 5, 3)
    A, c, logvar = model.posterior()
    x, eps = normal(rng, 4, 5), normal(rng, 4, 3)
    mu, std = x @ A.T + c, (logvar / 2).exp()
    want_kl = kl_divergence(Independent(Normal(mu, std), 1), Independent(Normal(0 * mu, 1.0), 1))
    want_rec = torch.from_numpy(model.log_likelihood(x, mu + std * eps))
    tensors = (model.W, model.b, model.s2, A, c, logvar, x, eps)
    single = [t.float() if isinstance(t, torch.Tensor) else t for t in tensors]
    for beta in ((), (0.0,), (0.25,), (4.0,)):
        want = want_rec - (beta[0] if beta else 1.0) * want_kl
        for got, wanted in zip(three(ps.run(probe_elbo, *tensors, *beta), 4), (want, want_rec, want_kl), strict=True):
            expect_close(got, wanted)
        expect_close(three(ps.run(probe_elbo, *single, *beta), 4)[0], want.float())


@points(1, part="2a", hint="the sample must carry the reconstruction's gradient into the encoder's mean and variance")
def test_both_networks_learn_from_both_terms(ps, rng):
    """The gradient of the ELBO reaches the encoder's mean and log-variance and the decoder, for every beta, exactly."""
    provide_pieces(ps)
    x, W = uniform(rng, 4, 5).round(), normal(rng, 5, 3)
    for beta, size, training in ((0.0, 1.0, True), (1.0, 0.02, False), (2.5, 1.0, True)):
        mu, logvar, eps = size * normal(rng, 4, 3), size * normal(rng, 4, 3), normal(rng, 4, 3)
        leaves = [leaf.clone().requires_grad_() for leaf in (mu, logvar, W)]
        z = leaves[0] + leaves[1].exp().sqrt() * eps
        logits = torch.tanh(z) @ leaves[2].T
        rec = Independent(torch.distributions.Bernoulli(logits=logits), 1).log_prob(x)
        kl = kl_divergence(Normal(leaves[0], (leaves[1] / 2).exp()), Normal(torch.zeros(4, 3).double(), 1.0)).sum(1)
        want = torch.autograd.grad((rec - beta * kl).sum(), leaves)
        slopes, mode = ps.run(probe_gradient, mu, logvar, W, x, eps, beta, training)
        for got, exact in zip(slopes, want, strict=True):
            expect_close(got, exact)
        expect_equal(mode, training, "elbo changed the mode: only a training loop calls train(), and eval()")


@points(1, part="2b", hint="walk between the two means in the space of codes; the decoder is not linear")
def test_walk_is_straight_and_even_in_the_space_of_codes(ps, rng):
    """Image i of n is the decoded code i / (n - 1) of the way from the first mean to the second, as probabilities."""
    A, W, x0, x1 = 0.4 * normal(rng, 3, 6), normal(rng, 6, 3), normal(rng, 6), normal(rng, 6)  # not saturated
    for n in (2, 3, 7):
        codes = np.array([(A @ ((1 - i / (n - 1)) * x0 + i / (n - 1) * x1)).numpy() for i in range(n)])
        want = 1 / (1 + np.exp(-(codes**3) @ W.numpy().T))
        expect_close(ps.run(probe_walk, A, W, x0, x1, n), want)


@points(1, part="2b", hint="the walk begins at the first image and ends at the second, both of them decoded")
def test_walk_has_both_ends_and_can_be_turned(ps, rng):
    """The ends are the decoded means of both images; from the second image to the first the walk is reversed."""
    A, W, x0, x1 = 0.4 * normal(rng, 2, 5), normal(rng, 5, 2), normal(rng, 5), normal(rng, 5)  # not saturated
    ends = [torch.special.expit(((A @ x) ** 3) @ W.T) for x in (x0, x1)]
    there = ps.run(probe_walk, A, W, x0, x1, 4)
    back = ps.run(probe_walk, A, W, x1, x0, 4)
    expect_shape(there, 4, 5)
    expect_close(there[0], ends[0], "the walk begins at the first image's code")
    expect_close(there[-1], ends[1], "the walk ends at the second image's code")
    expect_close(back.flip(0), there, "backwards, the same images in reverse order")
    small = ps.run(probe_walk, A.float(), W.float(), x0.float(), x1.float(), 4)
    expect_equal(str(small.dtype), "torch.float32", "float32 images give float32 probabilities")

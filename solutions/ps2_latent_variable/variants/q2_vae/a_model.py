"""Right and wrong answers to question 2a: the model."""

import itertools

import torch
from torch import nn

from autograder.verify.variants import wrong


def perceptron(*sizes):
    layers = []
    for n, m in itertools.pairwise(sizes):
        layers += [nn.Linear(n, m), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Plain(nn.Module):
    """A right answer; the variants below change one method each."""

    def __init__(self, D=784, L=16, hidden=256, logprob=bernoulli_logprob):
        super().__init__()
        self.L, self.logprob = L, logprob
        self.encoder, self.decoder = perceptron(D, hidden, 2 * L), perceptron(L, hidden, D)

    def encode(self, x):
        out = self.encoder(x)
        return out[:, : self.L], out[:, self.L :]

    def decode(self, z):
        return self.decoder(z)

    def code(self, mu, logvar, eps):
        return mu + (logvar / 2).exp() * eps

    def price(self, mu, logvar):
        return 0.5 * (mu**2 + logvar.exp() - logvar - 1).sum(1)

    def elbo(self, x, eps, beta=1.0):
        mu, logvar = self.encode(x)
        rec, kl = self.logprob(x, self.decode(self.code(mu, logvar, eps))), self.price(mu, logvar)
        return rec - beta * kl, rec, kl


@wrong("VAE")
class EncoderReturnsStandardDeviations(Plain):
    def encode(self, x):
        mu, logvar = Plain.encode(self, x)
        return mu, (logvar / 2).exp()


@wrong("VAE")
class ActivationAfterTheLastLayer(Plain):
    def encode(self, x):
        mu, logvar = Plain.encode(self, x)
        return mu.relu(), logvar.relu()


@wrong("VAE")
class EncoderReturnsOneTensor(Plain):
    def encode(self, x):
        return self.encoder(x)

    def elbo(self, x, eps, beta=1.0):
        coded = self.encode(x)
        mu, logvar = coded.chunk(2, dim=1) if isinstance(coded, torch.Tensor) else coded
        rec, kl = self.logprob(x, self.decode(self.code(mu, logvar, eps))), self.price(mu, logvar)
        return rec - beta * kl, rec, kl


@wrong("VAE")
class SplitsTheBatchInsteadOfTheCode(Plain):
    def encode(self, x):
        mu, logvar = self.encoder(x).chunk(2)
        return mu, logvar


@wrong("VAE")
class MeanIsLogVariance(Plain):
    def encode(self, x):
        mu, _ = Plain.encode(self, x)
        return mu, mu


@wrong("VAE")
class LayersInAList(Plain):
    def __init__(self, D=784, L=16, hidden=256, logprob=bernoulli_logprob):
        nn.Module.__init__(self)
        self.L, self.logprob = L, logprob
        self.layers = [perceptron(D, hidden, 2 * L).double(), perceptron(L, hidden, D).double()]

    def encode(self, x):
        mu, logvar = self.layers[0](x.double()).chunk(2, dim=1)
        return mu, logvar

    def decode(self, z):
        return self.layers[1](z.double())


@wrong("VAE")
class DecoderEndsWithASigmoid(Plain):
    def decode(self, z):
        return torch.sigmoid(self.decoder(z))


@wrong("VAE")
class DecoderEndsWithATanh(Plain):
    def decode(self, z):
        return torch.tanh(self.decoder(z))


@wrong("VAE")
class DecoderEndsWithARelu(Plain):
    def decode(self, z):
        return torch.relu(self.decoder(z))


@wrong("VAE")
class DecoderNormalisesOverTheBatch(Plain):
    def decode(self, z):
        return self.decoder(z - z.mean(0))


@wrong("VAE")
class DropoutWithoutModes(Plain):
    def encode(self, x):
        mu, logvar = Plain.encode(self, torch.nn.functional.dropout(x, 0.2))
        return mu, logvar

    def decode(self, z):
        return self.decoder(torch.nn.functional.dropout(z, 0.2))


@wrong("VAE")
class DecoderFedTheMean(Plain):
    def code(self, mu, logvar, eps):
        return mu


@wrong("VAE")
class StandardDeviationIsExpOfLogvar(Plain):
    def code(self, mu, logvar, eps):
        return mu + logvar.exp() * eps


@wrong("VAE")
class OneEpsForTheBatch(Plain):
    def code(self, mu, logvar, eps):
        return mu + (logvar / 2).exp() * eps[0]


@wrong("VAE")
class DrawsItsOwnNoise(Plain):
    def code(self, mu, logvar, eps):
        return mu + (logvar / 2).exp() * torch.randn_like(mu)


@wrong("VAE")
class SampleDetached(Plain):
    def code(self, mu, logvar, eps):
        return (mu + (logvar / 2).exp() * eps).detach()


@wrong("VAE")
class VarianceDetached(Plain):
    def code(self, mu, logvar, eps):
        return mu + (logvar / 2).exp().detach() * eps


@wrong("VAE")
class PriceWithoutGradient(Plain):
    def price(self, mu, logvar):
        return Plain.price(self, mu, logvar).detach()


@wrong("VAE")
class PriceWithItsSignFlipped(Plain):
    def price(self, mu, logvar):
        return -Plain.price(self, mu, logvar)


@wrong("VAE")
class PriceAveragedOverLatents(Plain):
    def price(self, mu, logvar):
        return Plain.price(self, mu, logvar) / self.L


@wrong("VAE")
class PriceSummedOverTheBatch(Plain):
    def price(self, mu, logvar):
        return Plain.price(self, mu, logvar).sum()


@wrong("VAE")
class PriceReversed(Plain):
    def price(self, mu, logvar):
        return 0.5 * ((mu**2 + 1) / logvar.exp() + logvar - 1).sum(1)


@wrong("VAE")
class PriceBySampling(Plain):
    def elbo(self, x, eps, beta=1.0):
        mu, logvar = self.encode(x)
        z = self.code(mu, logvar, eps)
        kl = 0.5 * (z**2 - eps**2 - logvar).sum(1)
        rec = self.logprob(x, self.decode(z))
        return rec - beta * kl, rec, kl


@wrong("VAE")
class BetaOnTheReconstruction(Plain):
    def elbo(self, x, eps, beta=1.0):
        _, rec, kl = Plain.elbo(self, x, eps)
        return beta * rec - kl, rec, kl


@wrong("VAE")
class BetaIgnored(Plain):
    def elbo(self, x, eps, beta=1.0):
        return Plain.elbo(self, x, eps)


@wrong("VAE")
class BetaInsideTheReportedPrice(Plain):
    def elbo(self, x, eps, beta=1.0):
        _, rec, kl = Plain.elbo(self, x, eps)
        return rec - beta * kl, rec, beta * kl


@wrong("VAE")
class BetaOnBoth(Plain):
    def elbo(self, x, eps, beta=1.0):
        _, rec, kl = Plain.elbo(self, x, eps)
        return beta * (rec - kl), rec, kl


@wrong("VAE")
class AddsThePrice(Plain):
    def elbo(self, x, eps, beta=1.0):
        _, rec, kl = Plain.elbo(self, x, eps)
        return rec + beta * kl, rec, kl


@wrong("VAE")
class ReturnsTheLoss(Plain):
    def elbo(self, x, eps, beta=1.0):
        _, rec, kl = Plain.elbo(self, x, eps)
        return beta * kl - rec, rec, kl


@wrong("VAE")
class AveragesOverTheBatch(Plain):
    def elbo(self, x, eps, beta=1.0):
        return tuple(part.mean() for part in Plain.elbo(self, x, eps, beta))


@wrong("VAE")
class AveragesOverPixels(Plain):
    def elbo(self, x, eps, beta=1.0):
        _, rec, kl = Plain.elbo(self, x, eps)
        rec = rec / x.shape[1]
        return rec - beta * kl, rec, kl


@wrong("VAE")
class ReturnsPartsInAnotherOrder(Plain):
    def elbo(self, x, eps, beta=1.0):
        elbo, rec, kl = Plain.elbo(self, x, eps, beta)
        return rec, kl, elbo


@wrong("VAE")
class LikelihoodIsAlwaysCoins(Plain):
    def elbo(self, x, eps, beta=1.0):
        mu, logvar = self.encode(x)
        rec = bernoulli_logprob(x, self.decode(self.code(mu, logvar, eps)))
        kl = self.price(mu, logvar)
        return rec - beta * kl, rec, kl


@wrong("VAE")
class TrainsWithoutGraph(Plain):
    @torch.no_grad()
    def elbo(self, x, eps, beta=1.0):
        return Plain.elbo(self, x, eps, beta)

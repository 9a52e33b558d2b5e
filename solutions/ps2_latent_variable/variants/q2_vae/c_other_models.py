"""Question 2a again: right models that look different, and models that change their mode or their price."""

import math

import torch
from torch import nn

from autograder.verify.variants import right, wrong


@right("VAE")
class ConvolutionsOnImages(Plain):
    def __init__(self, D=784, L=16, hidden=256, logprob=bernoulli_logprob):
        nn.Module.__init__(self)
        self.L, self.logprob, self.side = L, logprob, math.isqrt(D)
        self.look = nn.Sequential(nn.Conv2d(1, 4, 5, stride=3), nn.ELU(), nn.Flatten(), nn.LazyLinear(hidden), nn.ELU())
        self.mean, self.spread = nn.Linear(hidden, L), nn.Linear(hidden, L)
        self.draw = nn.Sequential(nn.Linear(L, hidden), nn.ELU(), nn.Linear(hidden, 4 * D), nn.Unflatten(1, (4, D)))
        self.mix = nn.Conv1d(4, 1, 1)
        self.look(torch.zeros(1, 1, self.side, self.side))

    def encode(self, x):
        seen = self.look(x.reshape(-1, 1, self.side, self.side))
        return self.mean(seen), self.spread(seen)

    def decode(self, z):
        return self.mix(self.draw(z)).flatten(1)


@right("VAE")
class WorksWithLogStandardDeviations(Plain):
    def encode(self, x):
        mu, log_std = self.encoder(x).chunk(2, dim=-1)
        return mu, 2 * log_std

    def elbo(self, x, eps, beta=1.0):
        mu, logvar = self.encode(x)
        log_std = 0.5 * logvar
        rec = self.logprob(x, self.decode(mu + log_std.exp() * eps))
        kl = -0.5 * torch.sum(1 + 2 * log_std - mu.pow(2) - (2 * log_std).exp(), dim=-1)
        return rec - kl * beta, rec, kl


@right("VAE")
class ByTorchDistributions(Plain):
    def elbo(self, x, eps, beta=1.0):
        mu, logvar = self.encode(x)
        q = torch.distributions.Normal(mu, logvar.exp().sqrt())
        rec = self.logprob(x, self.decode(q.loc + q.scale * eps))
        prior = torch.distributions.Normal(torch.zeros_like(mu), torch.ones_like(mu))
        kl = torch.distributions.kl_divergence(q, prior).sum(-1)
        return [torch.sub(rec, kl, alpha=beta), rec, kl]


@right("VAE")
class NormalisedLayersAndDropout(Plain):
    def __init__(self, D=784, L=16, hidden=256, logprob=bernoulli_logprob):
        nn.Module.__init__(self)
        self.L, self.logprob = L, logprob
        self.encoder = nn.Sequential(nn.Linear(D, hidden), nn.BatchNorm1d(hidden), nn.GELU(), nn.Linear(hidden, 2 * L))
        self.decoder = nn.Sequential(nn.Linear(L, hidden), nn.LayerNorm(hidden), nn.Dropout(0.1), nn.Linear(hidden, D))

    def code(self, mu, logvar, eps):
        return reparameterize(mu, logvar, eps)

    def price(self, mu, logvar):
        return kl_diag(mu, logvar)


@wrong("VAE")
class LogVarianceCutOff(Plain):
    def encode(self, x):
        mu, logvar = super().encode(x)
        return mu, logvar.detach()


@wrong("VAE")
class ElboSwitchesToTraining(Plain):
    def elbo(self, x, eps, beta=1.0):
        self.train()
        return super().elbo(x, eps, beta)


@wrong("VAE")
class ElboSwitchesToEvaluation(Plain):
    def elbo(self, x, eps, beta=1.0):
        self.eval()
        return super().elbo(x, eps, beta)


@wrong("VAE")
class FirstNatsAreFree(Plain):
    def elbo(self, x, eps, beta=1.0):
        _, rec, kl = super().elbo(x, eps, beta)
        return rec - beta * kl.clamp(min=0.05), rec, kl


@right("VAE")
class PriorWrittenOut(Plain):
    def elbo(self, x, eps, beta=1.0):
        mu, logvar = self.encode(x)
        rec = self.logprob(x, self.decode(reparameterize(mu, logvar, eps)))
        nothing = torch.zeros(len(x), self.L, dtype=x.dtype)
        kl = kl_diag(mu, logvar, nothing, nothing)
        return rec - beta * kl, rec, kl


@right("VAE")
class StartsAtThePrior(Plain):
    def __init__(self, D=784, L=16, hidden=256, logprob=bernoulli_logprob):
        super().__init__(D, L, hidden, logprob)
        nn.init.zeros_(self.encoder[-1].weight)
        nn.init.zeros_(self.encoder[-1].bias)


@right("VAE")
class StartsWithDarkImages(Plain):
    def __init__(self, D=784, L=16, hidden=256, logprob=bernoulli_logprob):
        super().__init__(D, L, hidden, logprob)
        nn.init.zeros_(self.decoder[-1].weight)
        nn.init.constant_(self.decoder[-1].bias, -2.0)


@right("VAE")
class GatedAndNormalised(Plain):
    def __init__(self, D=784, L=16, hidden=256, logprob=bernoulli_logprob):
        nn.Module.__init__(self)
        self.L, self.logprob = L, logprob
        self.enter, self.leave = nn.Linear(D, hidden), nn.Linear(hidden, 2 * L)
        self.value, self.gate = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden)
        self.norm = nn.GroupNorm(1, hidden)
        self.decoder = nn.Sequential(nn.Linear(L, hidden), nn.LayerNorm(hidden), nn.SiLU(), nn.Linear(hidden, D))

    def encode(self, x):
        h = self.enter(x)
        return self.leave(self.norm(h + self.value(h).tanh() * self.gate(h).sigmoid())).tensor_split(2, dim=1)

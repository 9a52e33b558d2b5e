"""Right and wrong answers to questions 7b and 7c: singular values and the layer that divides by them."""

import torch
import torch.nn.functional as F
from torch import nn

from autograder.verify.variants import right, wrong


@wrong("power_iteration")
def does_not_normalise_v(W, u, n_steps):
    with torch.no_grad():
        for _ in range(n_steps):
            v = W.T @ u
            u = F.normalize(W @ v, dim=0)
    return u @ W @ v, u, v


@wrong("power_iteration")
def does_one_round_only(W, u, n_steps):
    v = F.normalize(W.detach().T @ u, dim=0)
    u = F.normalize(W.detach() @ v, dim=0)
    return u @ W @ v, u, v


@wrong("power_iteration")
def does_one_round_too_many(W, u, n_steps):
    with torch.no_grad():
        for _ in range(n_steps + 1):
            v = F.normalize(W.T @ u, dim=0)
            u = F.normalize(W @ v, dim=0)
    return u @ W @ v, u, v


@wrong("power_iteration")
def updates_both_from_the_old_ones(W, u, n_steps):
    with torch.no_grad():
        v = F.normalize(W.T @ u, dim=0)
        for _ in range(n_steps):
            u, v = F.normalize(W @ v, dim=0), F.normalize(W.T @ u, dim=0)
    return u @ W @ v, u, v


@wrong("power_iteration")
def keeps_the_graph_of_the_vectors(W, u, n_steps):
    for _ in range(n_steps):
        v = F.normalize(W.T @ u, dim=0)
        u = F.normalize(W @ v, dim=0)
    return u @ W @ v, u, v


@wrong("power_iteration")
def detaches_sigma_from_the_matrix(W, u, n_steps):
    with torch.no_grad():
        for _ in range(n_steps):
            v = F.normalize(W.T @ u, dim=0)
            u = F.normalize(W @ v, dim=0)
    sigma = u @ W.detach() @ v
    return sigma + 0 * W.sum(), u, v


@wrong("power_iteration")
def squares_sigma(W, u, n_steps):
    with torch.no_grad():
        for _ in range(n_steps):
            v = F.normalize(W.T @ u, dim=0)
            u = F.normalize(W @ v, dim=0)
    return (W @ v).square().sum(), u, v


@wrong("power_iteration")
def returns_v_before_u(W, u, n_steps):
    with torch.no_grad():
        for _ in range(n_steps):
            v = F.normalize(W.T @ u, dim=0)
            u = F.normalize(W @ v, dim=0)
    return u @ W @ v, v, u


@wrong("power_iteration")
def takes_the_frobenius_norm(W, u, n_steps):
    with torch.no_grad():
        for _ in range(n_steps):
            v = F.normalize(W.T @ u, dim=0)
            u = F.normalize(W @ v, dim=0)
    return W.norm(), u, v


@wrong("power_iteration")
def changes_u_in_place(W, u, n_steps):
    with torch.no_grad():
        for _ in range(n_steps):
            v = F.normalize(W.T @ u, dim=0)
            u.copy_(F.normalize(W @ v, dim=0))
    return u @ W @ v, u, v


@wrong("power_iteration")
def normalises_the_maximum_to_one(W, u, n_steps):
    with torch.no_grad():
        for _ in range(n_steps):
            v = W.T @ u
            v = v / v.abs().max()
            u = W @ v
            u = u / u.abs().max()
    return u @ W @ v / (u.norm() * v.norm()), u, v


class Layer(nn.Module):
    """A correct spectrally normalised layer, of which a mistake replaces a method."""

    def __init__(self, in_features, out_features):
        super().__init__()
        self.weight = nn.Parameter(0.3 * torch.randn(out_features, in_features))
        self.bias = nn.Parameter(torch.zeros(out_features))
        _, u, v = power_iteration(self.weight, torch.randn(out_features), 10)
        self.register_buffer("u", u)
        self.register_buffer("v", v)

    def sigma(self):
        if self.training:
            sigma, u, v = power_iteration(self.weight, self.u, 1)
            self.u.copy_(u)
            self.v.copy_(v)
            return sigma
        return self.u @ self.weight @ self.v

    def forward(self, x):
        return F.linear(x, self.weight / self.sigma(), self.bias)


@wrong("SNLinear")
class UpdatesInEvaluation(Layer):
    def sigma(self):
        sigma, u, v = power_iteration(self.weight, self.u, 1)
        self.u.copy_(u)
        self.v.copy_(v)
        return sigma


@wrong("SNLinear")
class NormalisesOnlyInTraining(Layer):
    def forward(self, x):
        weight = self.weight / self.sigma() if self.training else self.weight
        return F.linear(x, weight, self.bias)


@wrong("SNLinear")
class IteratesInEvaluationWithoutStoring(Layer):
    def sigma(self):
        return super().sigma() if self.training else power_iteration(self.weight, self.u, 1)[0]


@wrong("SNLinear")
class NeverStoresTheVectors(Layer):
    def sigma(self):
        return power_iteration(self.weight, self.u, 1)[0] if self.training else super().sigma()


@wrong("SNLinear")
class StoresUButNotV(Layer):
    def sigma(self):
        if not self.training:
            return super().sigma()
        sigma, u, _ = power_iteration(self.weight, self.u, 1)
        self.u.copy_(u)
        return sigma


@wrong("SNLinear")
class DetachesSigma(Layer):
    def sigma(self):
        return super().sigma().detach()


@wrong("SNLinear")
class DetachesSigmaInEvaluation(Layer):
    def sigma(self):
        return super().sigma() if self.training else super().sigma().detach()


@wrong("SNLinear")
class DividesTheBias(Layer):
    def forward(self, x):
        return F.linear(x, self.weight, self.bias) / self.sigma()


@wrong("SNLinear")
class HasNoBias(Layer):
    def forward(self, x):
        return F.linear(x, self.weight / self.sigma())


@wrong("SNLinear")
class MultipliesBySigma(Layer):
    def forward(self, x):
        return F.linear(x, self.weight * self.sigma(), self.bias)


@wrong("SNLinear")
class DividesByTheFrobeniusNorm(Layer):
    def forward(self, x):
        self.sigma()
        return F.linear(x, self.weight / self.weight.norm(), self.bias)


@wrong("SNLinear")
class OverwritesTheWeight(Layer):
    def forward(self, x):
        with torch.no_grad():
            self.weight /= self.sigma()
        return F.linear(x, self.weight, self.bias)


@wrong("SNLinear")
class TakesFiveRounds(Layer):
    def sigma(self):
        if not self.training:
            return super().sigma()
        sigma, u, v = power_iteration(self.weight, self.u, 5)
        self.u.copy_(u)
        self.v.copy_(v)
        return sigma


@wrong("SNLinear")
class TakesTheExactSingularValue(Layer):
    def sigma(self):
        return torch.linalg.svdvals(self.weight)[0]


@wrong("SNLinear")
class LearnsU(Layer):
    def __init__(self, in_features, out_features):
        super().__init__(in_features, out_features)
        u, v = self.u.clone(), self.v.clone()
        del self.u, self.v
        self.u, self.v = nn.Parameter(u), nn.Parameter(v)

    def sigma(self):
        if self.training:
            with torch.no_grad():
                _, u, v = power_iteration(self.weight, self.u, 1)
                self.u.copy_(u)
                self.v.copy_(v)
        return self.u.detach() @ self.weight @ self.v.detach()


@wrong("SNLinear")
class DoesNotRegisterTheVectors(Layer):
    def __init__(self, in_features, out_features):
        super().__init__(in_features, out_features)
        u, v = self.u.clone(), self.v.clone()
        del self.u, self.v
        self.u, self.v = u, v

    def _apply(self, fn, recurse=True):
        super()._apply(fn, recurse)
        self.u, self.v = fn(self.u), fn(self.v)
        return self


@wrong("SNLinear")
class LeavesTheVectorsOfAFreshLayerAtRandom(Layer):
    def __init__(self, in_features, out_features):
        super().__init__(in_features, out_features)
        self.u.copy_(torch.ones(out_features) * 3)
        self.v.copy_(-torch.ones(in_features))


@right("power_iteration")
def by_norms(W, u, n_steps):
    M = W.detach()
    for _ in range(n_steps):
        v = M.t().mv(u)
        v = v / v.norm()
        u = M.mv(v)
        u = u / u.norm()
    return torch.dot(u, W.mv(v)), u, v


@right("power_iteration")
def detaches_at_the_end(W, u, n_steps):
    for _ in range(n_steps):
        v = torch.nn.functional.normalize(u @ W, dim=0)
        u = torch.nn.functional.normalize(W @ v, dim=0)
    u, v = u.detach(), v.detach()
    return torch.einsum("m,mn,n->", u, W, v), u, v


@right("SNLinear")
class DividesTheOutput(Layer):
    def forward(self, x):
        return x @ self.weight.T / self.sigma() + self.bias


@right("SNLinear")
class InheritsFromLinear(nn.Linear):
    def __init__(self, in_features, out_features):
        super().__init__(in_features, out_features, bias=True)
        with torch.no_grad():
            _, u, v = power_iteration(self.weight, torch.ones(out_features), 10)
        self.register_buffer("u", u)
        self.register_buffer("v", v)

    def forward(self, x):
        if self.training:
            _, self.u, self.v = power_iteration(self.weight, self.u, 1)
        return F.linear(x, self.weight / (self.u @ self.weight @ self.v), self.bias)


@wrong("SNLinear")
class WritesIntoWhatTheFirstPassNeeds(Layer):
    def forward(self, x):
        if self.training:
            _, u, v = power_iteration(self.weight, self.u, 1)
            self.u.copy_(u)
            self.v.copy_(v)
        return F.linear(x, self.weight / (self.u @ self.weight @ self.v), self.bias)


@wrong("SNLinear")
class OnlyMakesSmaller(SNLinear):
    def forward(self, x):
        if self.training:
            sigma, self.u, self.v = power_iteration(self.weight, self.u, 1)
        else:
            sigma = self.u @ self.weight @ self.v
        return F.linear(x, self.weight / sigma.clamp(min=1.0), self.bias)


@wrong("SNLinear")
class StoresVectorsWithAGraph(SNLinear):
    def forward(self, x):
        sigma, u, v = power_iteration(self.weight, self.u.detach(), 1)
        if self.training:
            self.u, self.v = u + 0 * sigma, v + 0 * sigma
        else:
            sigma = self.u.detach() @ self.weight @ self.v.detach()
        return F.linear(x, self.weight / sigma, self.bias)


@right("SNLinear")
class StoresNewTensors(SNLinear):
    def forward(self, x):
        if self.training:
            sigma, self.u, self.v = power_iteration(self.weight, self.u, n_steps=1)
        else:
            sigma = torch.einsum("i,ij,j", self.u, self.weight, self.v)
        return x @ (self.weight / sigma).T + self.bias

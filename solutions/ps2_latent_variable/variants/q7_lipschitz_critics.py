import torch
import torch.nn.functional as F
from torch import nn

from autograder.verify.variants import right, wrong


def between(real, fake, alpha):
    """Points on the segments, ready to be differentiated at."""
    alpha = alpha.reshape(-1, *[1] * (real.ndim - 1))
    return (alpha * real + (1 - alpha) * fake).detach().requires_grad_()


def slope_at(D, x):
    """The gradients of the critic, with a graph."""
    return torch.autograd.grad(D(x).sum(), x, create_graph=True)[0]


@wrong("gradient_penalty")
def takes_the_norm_over_channels_only(D, real, fake, alpha):
    slope = slope_at(D, between(real, fake, alpha))
    return ((slope.norm(dim=1) - 1) ** 2).flatten(1).mean(1) if real.ndim == 4 else (slope.norm(dim=1) - 1) ** 2


@wrong("gradient_penalty")
def takes_the_norm_over_the_last_dimension(D, real, fake, alpha):
    penalty = (slope_at(D, between(real, fake, alpha)).norm(dim=-1) - 1) ** 2
    return penalty.reshape(len(real), -1).mean(1)


@wrong("gradient_penalty")
def takes_the_norm_over_the_whole_batch(D, real, fake, alpha):
    slope = slope_at(D, between(real, fake, alpha))
    return ((slope.norm() - 1) ** 2).expand(len(real))


@wrong("gradient_penalty")
def averages_the_norm_over_pixels(D, real, fake, alpha):
    slope = slope_at(D, between(real, fake, alpha)).flatten(1)
    return (slope.square().mean(1).sqrt() - 1) ** 2


@wrong("gradient_penalty")
def uses_the_squared_norm(D, real, fake, alpha):
    slope = slope_at(D, between(real, fake, alpha)).flatten(1)
    return (slope.square().sum(1) - 1) ** 2


@wrong("gradient_penalty")
def subtracts_one_from_the_squared_norm(D, real, fake, alpha):
    return slope_at(D, between(real, fake, alpha)).flatten(1).square().sum(1) - 1


@wrong("gradient_penalty")
def does_not_square(D, real, fake, alpha):
    return (slope_at(D, between(real, fake, alpha)).flatten(1).norm(dim=1) - 1).abs()


@wrong("gradient_penalty")
def pulls_the_slope_to_zero(D, real, fake, alpha):
    return slope_at(D, between(real, fake, alpha)).flatten(1).norm(dim=1) ** 2


@wrong("gradient_penalty")
def punishes_steep_critics_only(D, real, fake, alpha):
    return F.relu(slope_at(D, between(real, fake, alpha)).flatten(1).norm(dim=1) - 1) ** 2


@wrong("gradient_penalty")
def multiplies_by_lambda_already(D, real, fake, alpha):
    return 10 * (slope_at(D, between(real, fake, alpha)).flatten(1).norm(dim=1) - 1) ** 2


@wrong("gradient_penalty")
def averages_over_the_batch(D, real, fake, alpha):
    return ((slope_at(D, between(real, fake, alpha)).flatten(1).norm(dim=1) - 1) ** 2).mean()


@wrong("gradient_penalty")
def differentiates_the_mean_of_logits(D, real, fake, alpha):
    x = between(real, fake, alpha)
    slope = torch.autograd.grad(D(x).mean(), x, create_graph=True)[0]
    return (slope.flatten(1).norm(dim=1) - 1) ** 2


@wrong("gradient_penalty")
def looks_at_real_examples(D, real, fake, alpha):
    return (slope_at(D, between(real, fake, torch.ones_like(alpha))).flatten(1).norm(dim=1) - 1) ** 2


@wrong("gradient_penalty")
def looks_half_way(D, real, fake, alpha):
    return (slope_at(D, between(real, fake, 0 * alpha + 0.5)).flatten(1).norm(dim=1) - 1) ** 2


@wrong("gradient_penalty")
def uses_one_alpha_for_the_batch(D, real, fake, alpha):
    return (slope_at(D, between(real, fake, alpha[:1].expand_as(alpha))).flatten(1).norm(dim=1) - 1) ** 2


@wrong("gradient_penalty")
def moves_every_pixel_by_its_own_alpha(D, real, fake, alpha):
    per_pixel = alpha.reshape(-1, *[1] * (real.ndim - 1)) * torch.ones_like(real)
    per_pixel = per_pixel.flatten().roll(1).reshape(real.shape)
    x = (per_pixel * real + (1 - per_pixel) * fake).detach().requires_grad_()
    return (slope_at(D, x).flatten(1).norm(dim=1) - 1) ** 2


@wrong("gradient_penalty")
def lets_alpha_broadcast_over_columns(D, real, fake, alpha):
    if real.ndim == 2 and real.shape[0] == real.shape[1]:
        x = (alpha * real + (1 - alpha) * fake).detach().requires_grad_()
    else:
        x = between(real, fake, alpha)
    return (slope_at(D, x).flatten(1).norm(dim=1) - 1) ** 2


@wrong("gradient_penalty")
def extrapolates(D, real, fake, alpha):
    weight = alpha.reshape(-1, *[1] * (real.ndim - 1))
    x = (real + weight * (real - fake)).detach().requires_grad_()
    return (slope_at(D, x).flatten(1).norm(dim=1) - 1) ** 2


@wrong("gradient_penalty")
def detaches_the_slope(D, real, fake, alpha):
    x = between(real, fake, alpha)
    slope = slope_at(D, x).detach()
    return (slope.flatten(1).norm(dim=1) - 1) ** 2 + 0 * D(x).reshape(-1)


@wrong("gradient_penalty")
def keeps_no_second_graph(D, real, fake, alpha):
    x = between(real, fake, alpha)
    slope = torch.autograd.grad(D(x).sum(), x, retain_graph=True)[0]
    return (slope.flatten(1).norm(dim=1) - 1) ** 2


@wrong("gradient_penalty")
def detaches_the_norm_in_the_square(D, real, fake, alpha):
    norm = slope_at(D, between(real, fake, alpha)).flatten(1).norm(dim=1)
    return (norm.detach() - 1) * (norm - 1)


@wrong("gradient_penalty")
def calls_backward(D, real, fake, alpha):
    x = between(real, fake, alpha)
    D(x).sum().backward(create_graph=True)
    return (x.grad.flatten(1).norm(dim=1) - 1) ** 2


@wrong("gradient_penalty")
def takes_a_root_without_a_guard(D, real, fake, alpha):
    slope = slope_at(D, between(real, fake, alpha)).flatten(1)
    return (slope.square().sum(1).sqrt() - 1) ** 2


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


@right("gradient_penalty")
def weighs_the_fakes(D, real, fake, alpha):
    return (slope_at(D, between(fake, real, alpha)).flatten(1).norm(dim=1) - 1) ** 2


@right("gradient_penalty")
def guards_the_root(D, real, fake, alpha):
    slope = slope_at(D, between(real, fake, alpha)).reshape(len(real), -1)
    return (torch.sqrt(slope.square().sum(1) + 1e-12) - 1) ** 2


@right("gradient_penalty")
def gives_ones_to_autograd(D, real, fake, alpha):
    weight = alpha.view(-1, *([1] * (real.dim() - 1))).expand_as(real)
    x = torch.lerp(fake, real, weight).requires_grad_(True)
    logits = D(x)
    slope = torch.autograd.grad(logits, x, torch.ones_like(logits), create_graph=True, retain_graph=True)[0]
    return (torch.linalg.vector_norm(slope, dim=tuple(range(1, slope.ndim))) - 1).pow(2)


@right("gradient_penalty")
def one_example_at_a_time(D, real, fake, alpha):
    penalties = []
    for i in range(len(real)):
        x = (alpha[i] * real[i : i + 1] + (1 - alpha[i]) * fake[i : i + 1]).requires_grad_()
        penalties.append((slope_at(D, x).norm() - 1) ** 2)
    return torch.stack(penalties)


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

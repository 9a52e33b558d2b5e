"""Right and wrong answers to questions x3b and x3c: MADE, and two flows from it."""

import math

import torch
from torch import nn

from autograder.verify.variants import right, wrong


# x3b


def stack(masks, activation=nn.Tanh):
    """Masked layers with a nonlinearity between them."""
    modules = [MaskedLinear(masks[0])]
    for mask in masks[1:]:
        modules += [activation(), MaskedLinear(mask)]
    return nn.Sequential(*modules)


def doubled(masks):
    """Masks of one network with both outputs."""
    return [*masks[:-1], torch.cat([masks[-1], masks[-1]])]


@wrong("MADE")
class masked_at_the_start_only(MADE):
    def __init__(self, D, hidden):
        super().__init__(D, hidden)
        for layer in self.layers:
            if isinstance(layer, MaskedLinear):
                layer.weight.data *= layer.mask
                layer.mask = torch.ones_like(layer.mask)


@wrong("MADE")
class not_masked_at_all(MADE):
    def __init__(self, D, hidden):
        nn.Module.__init__(self)
        self.layers = nn.Sequential(nn.Linear(D, hidden[0]), nn.SiLU(), nn.Linear(hidden[0], 2 * D))


@wrong("MADE")
class last_layer_not_masked(MADE):
    def __init__(self, D, hidden):
        super().__init__(D, hidden)
        self.layers[-1] = nn.Linear(hidden[-1], 2 * D)


@wrong("MADE")
class alternating_outputs_read_as_halves(MADE):
    def __init__(self, D, hidden):
        super().__init__(D, hidden)
        self.layers[-1] = MaskedLinear(made_masks(D, hidden)[-1].repeat_interleave(2, dim=0))


@wrong("MADE")
class alpha_not_masked(MADE):
    def __init__(self, D, hidden):
        super().__init__(D, hidden)
        last = made_masks(D, hidden)[-1]
        self.layers[-1] = MaskedLinear(torch.cat([last, torch.ones_like(last)]))


@wrong("MADE")
class linear_throughout(MADE):
    def __init__(self, D, hidden):
        super().__init__(D, hidden)
        self.layers = nn.Sequential(*[layer for layer in self.layers if isinstance(layer, MaskedLinear)])


@wrong("MADE")
class alpha_is_mu(MADE):
    def forward(self, x):
        mu, _ = super().forward(x)
        return mu, mu


@wrong("MADE")
class outputs_without_bias(MADE):
    def __init__(self, D, hidden):
        super().__init__(D, hidden)
        self.layers[-1].bias = None


@wrong("MADE")
class hidden_layers_in_a_plain_list(nn.Module):
    def __init__(self, D, hidden):
        super().__init__()
        *masks, last = made_masks(D, hidden)
        self.hidden_layers = [MaskedLinear(mask).double() for mask in masks]
        self.out = MaskedLinear(torch.cat([last, last]))

    def forward(self, x):
        h = x
        for layer in self.hidden_layers:
            h = torch.tanh(layer(h.double()))
        return tuple(self.out(h.to(x.dtype)).chunk(2, dim=1))


@wrong("MADE")
class output_layer_frozen(MADE):
    def __init__(self, D, hidden):
        super().__init__(D, hidden)
        for p in self.layers[-1].parameters():
            p.requires_grad_(False)


@wrong("MADE")
class one_scale_for_all_examples(MADE):
    def __init__(self, D, hidden):
        super().__init__(D, hidden)
        self.constant = nn.Parameter(torch.zeros(D))

    def forward(self, x):
        return super().forward(x)[0], self.constant.expand_as(x)


@wrong("MADE")
class one_tensor_for_both(MADE):
    def forward(self, x):
        return torch.cat(super().forward(x), dim=1)


@wrong("MADE")
class inputs_in_reverse(MADE):
    def forward(self, x):
        return super().forward(x.flip(1))


@right("MADE")
class tanh_in_a_list(nn.Module):
    def __init__(self, D, hidden):
        super().__init__()
        masks = made_masks(D, hidden)
        self.body = nn.ModuleList(MaskedLinear(mask) for mask in masks[:-1])
        self.heads = nn.ModuleList(MaskedLinear(masks[-1]) for _ in range(2))

    def forward(self, x):
        for layer in self.body:
            x = torch.tanh(layer(x))
        return self.heads[0](x), self.heads[1](x)


@right("MADE")
class outputs_interleaved(nn.Module):
    def __init__(self, D, hidden):
        super().__init__()
        masks = made_masks(D, hidden)
        masks[-1] = masks[-1].repeat_interleave(2, dim=0)
        self.layers = stack(masks)

    def forward(self, x):
        out = self.layers(x).reshape(len(x), x.shape[1], 2)
        return out[..., 0], out[..., 1]


@right("MADE")
class two_networks(nn.Module):
    def __init__(self, D, hidden):
        super().__init__()
        self.mean, self.log_std = stack(made_masks(D, hidden)), stack(made_masks(D, hidden), nn.Softplus)

    def forward(self, x):
        return self.mean(x), self.log_std(x)


@right("MADE")
class with_relu(MADE):
    def __init__(self, D, hidden):
        super().__init__(D, hidden)
        self.layers = stack(doubled(made_masks(D, hidden)), nn.ReLU)


@right("MADE")
class with_leaky_relu(MADE):
    def __init__(self, D, hidden):
        super().__init__(D, hidden)
        self.layers = stack(doubled(made_masks(D, hidden)), nn.LeakyReLU)


# x3c


@wrong("maf_forward")
def multiplies_by_the_scale(made, x):
    mu, alpha = made(x)
    return (x - mu) * alpha.exp(), alpha.sum(1)


@wrong("maf_forward")
def log_determinant_of_the_inverse(made, x):
    mu, alpha = made(x)
    return (x - mu) * (-alpha).exp(), alpha.sum(1)


@wrong("maf_forward")
def scales_before_it_shifts(made, x):
    mu, alpha = made(x)
    return x * (-alpha).exp() - mu, -alpha.sum(1)


@wrong("maf_forward")
def alpha_taken_for_log_variance(made, x):
    mu, alpha = made(x)
    return (x - mu) * (-alpha / 2).exp(), -alpha.sum(1) / 2


@wrong("maf_forward")
def alpha_taken_for_the_scale(made, x):
    mu, alpha = made(x)
    return (x - mu) / alpha, -alpha.abs().log().sum(1)


@wrong("maf_forward")
def log_determinant_of_the_batch(made, x):
    mu, alpha = made(x)
    return (x - mu) * (-alpha).exp(), -alpha.sum()


@wrong("maf_forward")
def log_determinant_averaged(made, x):
    mu, alpha = made(x)
    return (x - mu) * (-alpha).exp(), -alpha.mean(1)


@wrong("maf_forward")
def coordinate_by_coordinate(made, x):
    z, logdet = torch.zeros_like(x), 0
    for d in range(x.shape[1]):
        mu, alpha = made(x)
        z[:, d] = (x[:, d] - mu[:, d]) * (-alpha[:, d]).exp()
        logdet = logdet - alpha[:, d]
    return z, logdet


@wrong("maf_forward")
def samples_instead(made, x):
    mu, alpha = made(x)
    return mu + alpha.exp() * x, alpha.sum(1)


@wrong("maf_forward")
def log_density_instead(made, x):
    mu, alpha = made(x)
    z = (x - mu) * (-alpha).exp()
    return z, -0.5 * (z.square() + math.log(2 * math.pi)).sum(1) - alpha.sum(1)


@right("maf_forward")
def by_a_normal_distribution(made, x):
    mu, alpha = made(x)
    z = (x - mu) / alpha.exp()
    log_p = torch.distributions.Normal(mu, alpha.exp()).log_prob(x).sum(-1)
    return z, log_p - torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1)


@right("maf_forward")
def with_scales_first(made, x):
    mu, alpha = made(x)
    inverse = torch.exp(-alpha)
    return x * inverse - mu * inverse, inverse.log().sum(dim=-1)


@wrong("iaf_sample")
def density_with_the_wrong_sign(made, z):
    mu, alpha = made(z)
    return mu + alpha.exp() * z, -0.5 * (z.square() + math.log(2 * math.pi)).sum(1) + alpha.sum(1)


@wrong("iaf_sample")
def density_of_the_noise(made, z):
    mu, alpha = made(z)
    return mu + alpha.exp() * z, -0.5 * (z.square() + math.log(2 * math.pi)).sum(1)


@wrong("iaf_sample")
def density_without_constant(made, z):
    mu, alpha = made(z)
    return mu + alpha.exp() * z, -0.5 * z.square().sum(1) - alpha.sum(1)


@wrong("iaf_sample")
def density_of_a_standard_normal_sample(made, z):
    mu, alpha = made(z)
    x = mu + alpha.exp() * z
    return x, -0.5 * (x.square() + math.log(2 * math.pi)).sum(1) - alpha.sum(1)


@wrong("iaf_sample")
def standardises_the_noise(made, z):
    mu, alpha = made(z)
    return (z - mu) * (-alpha).exp(), -0.5 * (z.square() + math.log(2 * math.pi)).sum(1) - alpha.sum(1)


@wrong("iaf_sample")
def samples_like_a_masked_flow(made, z):
    x, log_q = torch.zeros_like(z), 0
    for d in range(z.shape[1]):
        mu, alpha = made(x)
        x[:, d] = mu[:, d] + alpha[:, d].exp() * z[:, d]
        log_q = log_q - 0.5 * (z[:, d] ** 2 + math.log(2 * math.pi)) - alpha[:, d]
    return x, log_q


@wrong("iaf_sample")
def log_determinant_instead_of_density(made, z):
    mu, alpha = made(z)
    return mu + alpha.exp() * z, alpha.sum(1)


@wrong("iaf_sample")
def draws_its_own_noise(made, z):
    z = torch.randn_like(z)
    mu, alpha = made(z)
    return mu + alpha.exp() * z, -0.5 * (z.square() + math.log(2 * math.pi)).sum(1) - alpha.sum(1)


@right("iaf_sample")
def by_conditional_normals(made, z):
    mu, alpha = made(z)
    x = mu + alpha.exp() * z
    return x, torch.distributions.Independent(torch.distributions.Normal(mu, alpha.exp()), 1).log_prob(x)


@right("iaf_sample")
def density_by_one_formula(made, z):
    mu, alpha = made(z)
    x = torch.addcmul(mu, torch.exp(alpha), z)
    return x, -(0.5 * z**2 + alpha).sum(-1) - 0.5 * z.shape[-1] * math.log(2 * math.pi)


@wrong("maf_forward")
@torch.no_grad()
def masked_flow_without_gradient(made, x):
    return maf_forward(made, x)


@wrong("maf_forward")
def scale_of_z_detached(made, x):
    mu, alpha = made(x)
    return (x - mu) * (-alpha.detach()).exp(), -alpha.sum(1)


@wrong("MADE")
class ScalesAboveOne(MADE):
    def forward(self, x):
        mu, alpha = super().forward(x)
        return mu, nn.functional.softplus(alpha)


@right("MADE")
class TwoOutputLayers(MADE):
    def __init__(self, D, hidden):
        nn.Module.__init__(self)
        *body, last = made_masks(D, hidden)
        self.body = nn.ModuleList(MaskedLinear(mask) for mask in body)
        self.mu, self.alpha = MaskedLinear(last), MaskedLinear(last)

    def forward(self, x):
        for layer in self.body:
            x = nn.functional.leaky_relu(layer(x))
        return self.mu(x), self.alpha(x)

"""Right and wrong answers to question 4c: RealNVP."""

import math

import torch
from torch import nn

from autograder.verify.variants import right, wrong


@wrong("RealNVP")
class masks_never_alternate(RealNVP):
    def __init__(self, mask, nets):
        nn.Module.__init__(self)
        self.layers = nn.ModuleList(AffineCoupling(mask, net) for net in nets)


@wrong("RealNVP")
class masks_start_with_the_opposite(RealNVP):
    def __init__(self, mask, nets):
        super().__init__(1 - mask, nets)


@wrong("RealNVP")
class masks_change_every_second_layer(RealNVP):
    def __init__(self, mask, nets):
        nn.Module.__init__(self)
        self.layers = nn.ModuleList(
            AffineCoupling(mask if k // 2 % 2 == 0 else 1 - mask, net) for k, net in enumerate(nets)
        )


@wrong("RealNVP")
class one_network_for_all_layers(RealNVP):
    def __init__(self, mask, nets):
        super().__init__(mask, [nets[0] for _ in nets])


@wrong("RealNVP")
class layers_in_a_plain_list(RealNVP):
    def __init__(self, mask, nets):
        nn.Module.__init__(self)
        self.layers = [AffineCoupling(mask if k % 2 == 0 else 1 - mask, net) for k, net in enumerate(nets)]


@wrong("RealNVP")
class last_layer_forgotten(RealNVP):
    def __init__(self, mask, nets):
        super().__init__(mask, nets[:-1] or nets)


@wrong("RealNVP")
class log_determinants_overwritten(RealNVP):
    def forward(self, x):
        for layer in self.layers:
            x, logdet = layer(x)
        return x, logdet


@wrong("RealNVP")
class log_determinants_subtracted(RealNVP):
    def forward(self, x):
        z, total = super().forward(x)
        return z, -total


@wrong("RealNVP")
class log_determinants_multiplied(RealNVP):
    def forward(self, x):
        total = 1
        for layer in self.layers:
            x, logdet = layer(x)
            total = total * logdet
        return x, total


@wrong("RealNVP")
class log_determinants_all_at_the_input(RealNVP):
    def forward(self, x):
        return super().forward(x)[0], sum(layer(x)[1] for layer in self.layers)


@wrong("RealNVP")
class layers_forward_in_reverse(RealNVP):
    def forward(self, x):
        total = torch.zeros(len(x), dtype=x.dtype)
        for layer in reversed(self.layers):
            x, logdet = layer(x)
            total = total + logdet
        return x, total


@wrong("RealNVP")
class layers_not_reversed_in_sample(RealNVP):
    def sample(self, z):
        for layer in self.layers:
            z = layer.inverse(z)
        return z


@wrong("RealNVP")
class sample_runs_forward(RealNVP):
    def sample(self, z):
        return self(z)[0]


@wrong("RealNVP")
class sample_draws_its_own_noise(RealNVP):
    def sample(self, z):
        return super().sample(torch.randn_like(z))


@wrong("RealNVP")
class sample_forgets_the_first_layer(RealNVP):
    def sample(self, z):
        for layer in list(self.layers)[:0:-1]:
            z = layer.inverse(z)
        return z


@wrong("RealNVP")
class log_determinant_subtracted_from_the_density(RealNVP):
    def log_prob(self, x):
        return super().log_prob(x) - 2 * self(x)[1]


@wrong("RealNVP")
class log_determinant_forgotten(RealNVP):
    def log_prob(self, x):
        return super().log_prob(x) - self(x)[1]


@wrong("RealNVP")
class constant_forgotten(RealNVP):
    def log_prob(self, x):
        z, logdet = self(x)
        return -0.5 * z.square().flatten(1).sum(1) + logdet


@wrong("RealNVP")
class constant_once_for_all_dimensions(RealNVP):
    def log_prob(self, x):
        z, logdet = self(x)
        return -0.5 * z.square().flatten(1).sum(1) - 0.5 * math.log(2 * math.pi) + logdet


@wrong("RealNVP")
class constant_of_the_plane(RealNVP):
    def log_prob(self, x):
        z, logdet = self(x)
        return -0.5 * z.square().flatten(1).sum(1) - math.log(2 * math.pi) + logdet


@wrong("RealNVP")
class half_forgotten(RealNVP):
    def log_prob(self, x):
        z, logdet = self(x)
        return -z.square().flatten(1).sum(1) - 0.5 * x[0].numel() * math.log(2 * math.pi) + logdet


@wrong("RealNVP")
class density_averaged_over_dimensions(RealNVP):
    def log_prob(self, x):
        z, logdet = self(x)
        return torch.distributions.Normal(0, 1).log_prob(z).flatten(1).mean(1) + logdet


@wrong("RealNVP")
class density_averaged_over_the_batch(RealNVP):
    def log_prob(self, x):
        return super().log_prob(x).mean()


@wrong("RealNVP")
class log_determinant_added_in_every_dimension(RealNVP):
    def log_prob(self, x):
        z, logdet = self(x)
        base = torch.distributions.Normal(0, 1).log_prob(z).flatten(1)
        return (base + logdet[:, None]).sum(1)


@wrong("RealNVP")
class images_summed_over_channels_only(RealNVP):
    def log_prob(self, x):
        z, logdet = self(x)
        base = torch.distributions.Normal(0, 1).log_prob(z).sum(1)
        return base + logdet.reshape(-1, *[1] * (base.ndim - 1))


@wrong("RealNVP")
class likelihood_without_gradient(RealNVP):
    def log_prob(self, x):
        with torch.no_grad():
            return super().log_prob(x)


@wrong("RealNVP")
class only_the_last_layer_learns(RealNVP):
    def forward(self, x):
        total = torch.zeros(len(x), dtype=x.dtype)
        for layer in self.layers:
            x, logdet = layer(x.detach())
            total = total.detach() + logdet
        return x, total


@right("RealNVP")
class density_by_torch_distributions(RealNVP):
    def log_prob(self, x):
        z, logdet = self.forward(x)
        base = torch.distributions.Normal(torch.zeros_like(z), torch.ones_like(z))
        return torch.distributions.Independent(base, z.ndim - 1).log_prob(z) + logdet


@right("RealNVP")
class layers_as_attributes(nn.Module):
    def __init__(self, mask, nets):
        super().__init__()
        self.depth = len(nets)
        for k, net in enumerate(nets):
            self.add_module(f"coupling{k}", AffineCoupling(mask, net))
            mask = 1 - mask

    def forward(self, x):
        logdets = []
        for k in range(self.depth):
            x, logdet = getattr(self, f"coupling{k}")(x)
            logdets.append(logdet)
        return x, torch.stack(logdets).sum(0)

    def log_prob(self, x):
        z, logdet = self(x)
        return logdet - 0.5 * z.reshape(len(z), -1).pow(2).sum(1) - 0.5 * x[0].numel() * math.log(2 * math.pi)

    def sample(self, z):
        for k in range(self.depth - 1, -1, -1):
            z = getattr(self, f"coupling{k}").inverse(z)
        return z


@right("RealNVP")
class sampling_without_gradients(RealNVP):
    @torch.no_grad()
    def sample(self, z):
        return super().sample(z)


@right("RealNVP")
class flow_by_recursion(RealNVP):
    def forward(self, x, depth=0):
        if depth == len(self.layers):
            return x, x.new_zeros(len(x))
        z, logdet = self.layers[depth].forward(x)
        z, rest = flow_by_recursion.forward(self, z, depth + 1)
        return z, logdet + rest

    def sample(self, z):
        for layer in list(self.layers)[::-1]:
            z = layer.inverse(z)
        return z


@wrong("RealNVP")
class density_without_the_log_determinants_gradient(RealNVP):
    def log_prob(self, x):
        z, logdet = self(x)
        return -0.5 * (z.square() + math.log(2 * math.pi)).flatten(1).sum(1) + logdet.detach()


@wrong("RealNVP")
class density_without_the_bases_gradient(RealNVP):
    def log_prob(self, x):
        z, logdet = self(x)
        return -0.5 * (z.detach().square() + math.log(2 * math.pi)).flatten(1).sum(1) + logdet


@wrong("RealNVP")
class density_with_a_floor(RealNVP):
    def log_prob(self, x):
        return super().log_prob(x).clamp(min=-100)


@right("RealNVP")
class density_by_question_one(RealNVP):
    def log_prob(self, x):
        z, logdet = self(x)
        return gaussian_logprob(z, torch.zeros_like(z), torch.zeros_like(z)) + logdet

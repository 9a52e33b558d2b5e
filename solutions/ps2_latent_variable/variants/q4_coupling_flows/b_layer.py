"""Right and wrong answers to question 4b: one coupling layer."""

import torch
from torch import nn

from autograder.verify.variants import right, wrong


def parts(layer, x):
    """Log-scales and shifts that a layer's network gives for the masked x, not masked themselves."""
    return layer.net(layer.mask * x).chunk(2, dim=1)


@wrong("AffineCoupling")
class log_determinant_of_the_inverse(AffineCoupling):
    def forward(self, x):
        z, logdet = super().forward(x)
        return z, -logdet


@wrong("AffineCoupling")
class log_determinant_counts_what_passes(AffineCoupling):
    def forward(self, x):
        return super().forward(x)[0], parts(self, x)[0].flatten(1).sum(1)


@wrong("AffineCoupling")
class log_determinant_of_what_passes(AffineCoupling):
    def forward(self, x):
        return super().forward(x)[0], (self.mask * parts(self, x)[0]).flatten(1).sum(1)


@wrong("AffineCoupling")
class log_determinant_averaged(AffineCoupling):
    def forward(self, x):
        return super().forward(x)[0], ((1 - self.mask) * parts(self, x)[0]).flatten(1).mean(1)


@wrong("AffineCoupling")
class log_determinant_of_the_whole_batch(AffineCoupling):
    def forward(self, x):
        return super().forward(x)[0], ((1 - self.mask) * parts(self, x)[0]).sum()


@wrong("AffineCoupling")
class log_determinant_over_channels_only(AffineCoupling):
    def forward(self, x):
        return super().forward(x)[0], ((1 - self.mask) * parts(self, x)[0]).sum(1)


@wrong("AffineCoupling")
class scales_in_the_place_of_log_scales(AffineCoupling):
    def forward(self, x):
        return super().forward(x)[0], ((1 - self.mask) * parts(self, x)[0].exp()).flatten(1).sum(1)


@wrong("AffineCoupling")
class log_determinant_detached(AffineCoupling):
    def forward(self, x):
        z, logdet = super().forward(x)
        return z, logdet.detach()


@wrong("AffineCoupling")
class scale_not_masked(AffineCoupling):
    def forward(self, x):
        s, t = parts(self, x)
        return x * s.exp() + (1 - self.mask) * t, s.flatten(1).sum(1)

    def inverse(self, z):
        s, t = parts(self, z)
        return (z - (1 - self.mask) * t) * (-s).exp()


@wrong("AffineCoupling")
class shift_not_masked(AffineCoupling):
    def forward(self, x):
        s, t = parts(self, x)
        s = (1 - self.mask) * s
        return x * s.exp() + t, s.flatten(1).sum(1)


@wrong("AffineCoupling")
class network_sees_everything(AffineCoupling):
    def forward(self, x):
        s, t = self.net(x).chunk(2, dim=1)
        s, t = (1 - self.mask) * s, (1 - self.mask) * t
        return x * s.exp() + t, s.flatten(1).sum(1)

    def inverse(self, z):
        s, t = self.net(z).chunk(2, dim=1)
        return (z - (1 - self.mask) * t) * ((self.mask - 1) * s).exp()


@wrong("AffineCoupling")
class network_sees_what_is_transformed(AffineCoupling):
    def forward(self, x):
        s, t = self.net((1 - self.mask) * x).chunk(2, dim=1)
        s, t = (1 - self.mask) * s, (1 - self.mask) * t
        return x * s.exp() + t, s.flatten(1).sum(1)


@wrong("AffineCoupling")
class mask_the_other_way_round(AffineCoupling):
    def __init__(self, mask, net):
        super().__init__(1 - mask, net)


@wrong("AffineCoupling")
class inverse_scales_before_it_shifts(AffineCoupling):
    def inverse(self, z):
        s, t = parts(self, z)
        s, t = (1 - self.mask) * s, (1 - self.mask) * t
        return z * (-s).exp() - t


@wrong("AffineCoupling")
class inverse_scales_again(AffineCoupling):
    def inverse(self, z):
        s, t = parts(self, z)
        return self.mask * z + (1 - self.mask) * (z - t) * s.exp()


@wrong("AffineCoupling")
class inverse_with_the_network_at_all_of_z(AffineCoupling):
    def inverse(self, z):
        s, t = self.net(z).chunk(2, dim=1)
        return self.mask * z + (1 - self.mask) * (z - t) * (-s).exp()


@wrong("AffineCoupling")
class inverse_forgets_what_passed(AffineCoupling):
    def inverse(self, z):
        s, t = parts(self, z)
        return (1 - self.mask) * (z - t) * (-s).exp()


@wrong("AffineCoupling")
class inverse_returns_a_pair(AffineCoupling):
    def inverse(self, z):
        return super().inverse(z), -((1 - self.mask) * parts(self, z)[0]).flatten(1).sum(1)


@wrong("AffineCoupling")
class scale_without_exponential(AffineCoupling):
    def forward(self, x):
        s, t = parts(self, x)
        free = 1 - self.mask
        return self.mask * x + free * (x * s + t), (free * s.abs().log()).flatten(1).sum(1)

    def inverse(self, z):
        s, t = parts(self, z)
        return self.mask * z + (1 - self.mask) * (z - t) / s


@wrong("AffineCoupling")
class shifts_only(AffineCoupling):
    def forward(self, x):
        t = parts(self, x)[1]
        return x + (1 - self.mask) * t, 0 * t.flatten(1).sum(1)

    def inverse(self, z):
        return z - (1 - self.mask) * parts(self, z)[1]


@wrong("AffineCoupling")
class first_half_hard_coded(nn.Module):
    def __init__(self, mask, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        keep, move = x.chunk(2, dim=1)
        s, t = self.net(torch.cat([keep, torch.zeros_like(move)], dim=1)).chunk(2, dim=1)
        s, t = s.chunk(2, dim=1)[1], t.chunk(2, dim=1)[1]
        return torch.cat([keep, move * s.exp() + t], dim=1), s.flatten(1).sum(1)

    def inverse(self, z):
        keep, move = z.chunk(2, dim=1)
        s, t = self.net(torch.cat([keep, torch.zeros_like(move)], dim=1)).chunk(2, dim=1)
        s, t = s.chunk(2, dim=1)[1], t.chunk(2, dim=1)[1]
        return torch.cat([keep, (move - t) * (-s).exp()], dim=1)


@wrong("AffineCoupling")
class two_dimensions_hard_coded(AffineCoupling):
    def forward(self, x):
        s, t = parts(self, x)
        log_scale = ((1 - self.mask) * s)[:, 0] + ((1 - self.mask) * s)[:, 1]
        return self.mask * x + (1 - self.mask) * (x * s.exp() + t), log_scale


@wrong("AffineCoupling")
class network_not_registered(AffineCoupling):
    def __init__(self, mask, net):
        super().__init__(mask, nn.Identity())
        del self.net
        self.nets = [net]

    def scale_and_shift(self, x):
        s, t = self.nets[0](self.mask * x).chunk(2, dim=1)
        return (1 - self.mask) * s, (1 - self.mask) * t


@wrong("AffineCoupling")
class mask_is_trained(AffineCoupling):
    def __init__(self, mask, net):
        nn.Module.__init__(self)
        self.mask, self.net = nn.Parameter(mask), net


@wrong("AffineCoupling")
class without_gradients(AffineCoupling):
    def scale_and_shift(self, x):
        with torch.no_grad():
            return super().scale_and_shift(x)


@wrong("AffineCoupling")
class network_detached(AffineCoupling):
    def scale_and_shift(self, x):
        s, t = super().scale_and_shift(x)
        return s.detach(), t


@wrong("AffineCoupling")
class one_scale_for_the_whole_batch(AffineCoupling):
    def scale_and_shift(self, x):
        s, t = super().scale_and_shift(x)
        return s.mean(0, keepdim=True).expand_as(s), t


@right("AffineCoupling")
class negative_log_scale(AffineCoupling):
    def forward(self, x):
        s, t = parts(self, x)
        free = 1 - self.mask
        return self.mask * x + free * (x * (-s).exp() + t), -(free * s).flatten(1).sum(1)

    def inverse(self, z):
        s, t = parts(self, z)
        return self.mask * z + (1 - self.mask) * (z - t) * s.exp()


@right("AffineCoupling")
class shifted_before_scaled(AffineCoupling):
    def forward(self, x):
        s, t = self.scale_and_shift(x)
        return (x + t) * s.exp(), s.reshape(len(x), -1).sum(-1)

    def inverse(self, z):
        s, t = self.scale_and_shift(z)
        return z / s.exp() - t


@right("AffineCoupling")
class with_torch_where(AffineCoupling):
    def forward(self, x):
        s, t = parts(self, x)
        keep = self.mask.bool()
        logdet = torch.where(keep, torch.zeros_like(s), s).sum(dim=tuple(range(1, x.dim())))
        return torch.where(keep, x, x * s.exp() + t), logdet

    def inverse(self, z):
        s, t = parts(self, z)
        return torch.where(self.mask.bool(), z, (z - t) / s.exp())


@right("AffineCoupling")
class coordinates_picked_by_index(nn.Module):
    def __init__(self, mask, net):
        super().__init__()
        self.net, self.mask = net, mask

    def split(self, x):
        free = (self.mask < 0.5).expand_as(x[0])
        s, t = self.net(torch.where(free, torch.zeros_like(x), x)).chunk(2, dim=1)
        return free, s[:, free], t[:, free]

    def forward(self, x):
        free, s, t = self.split(x)
        z = x.clone()
        z[:, free] = x[:, free] * torch.exp(s) + t
        return z, s.sum(1)

    def inverse(self, z):
        free, s, t = self.split(z)
        x = z.clone()
        x[:, free] = (z[:, free] - t) * torch.exp(-s)
        return x


@right("AffineCoupling")
class log_scale_bounded(AffineCoupling):
    def scale_and_shift(self, x):
        s, t = parts(self, x)
        return (1 - self.mask) * torch.tanh(s), (1 - self.mask) * t


@wrong("AffineCoupling")
class scales_x_in_its_place(AffineCoupling):
    def forward(self, x):
        log_scale, shift = self.scale_and_shift(x)
        x = x * log_scale.exp() if x.requires_grad else x.mul_(log_scale.exp())
        return x + shift, log_scale.flatten(1).sum(1)


@wrong("AffineCoupling")
class shifts_z_in_its_place(AffineCoupling):
    def inverse(self, z):
        log_scale, shift = self.scale_and_shift(z)
        z -= shift
        return z * (-log_scale).exp()

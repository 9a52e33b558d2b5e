"""Right and wrong answers to question 4."""

import math

import torch
from torch import nn

from autograder.verify.variants import right, wrong

# 4a


@wrong("checkerboard_mask")
def board_by_counting_along_the_rows(H, W):
    return ((torch.arange(H * W) + 1) % 2).reshape(H, W).float()


@wrong("checkerboard_mask")
def board_with_the_corner_changed(H, W):
    return ((torch.arange(H)[:, None] + torch.arange(W)) % 2).float()


@wrong("checkerboard_mask")
def board_of_columns(H, W):
    return (torch.arange(W) % 2 == 0).float().expand(H, W)


@wrong("checkerboard_mask")
def board_with_height_and_width_swapped(H, W):
    return ((torch.arange(W)[:, None] + torch.arange(H)) % 2 == 0).float()


@wrong("checkerboard_mask")
def board_of_products(H, W):
    return ((torch.arange(H)[:, None] * torch.arange(W)) % 2 == 0).float()


@wrong("squeeze")
def squeezed_by_reshape_alone(x):
    B, C, H, W = x.shape
    return x.reshape(B, 4 * C, H // 2, W // 2)


@wrong("squeeze")
def columns_before_rows(x):
    B, C, H, W = x.shape
    return x.reshape(B, C, H // 2, 2, W // 2, 2).permute(0, 1, 5, 3, 2, 4).reshape(B, 4 * C, H // 2, W // 2)


@wrong("squeeze")
def offsets_before_channels(x):
    B, C, H, W = x.shape
    return x.reshape(B, C, H // 2, 2, W // 2, 2).permute(0, 3, 5, 1, 2, 4).reshape(B, 4 * C, H // 2, W // 2)


@wrong("squeeze")
def quarters_of_the_image(x):
    top, bottom = x.chunk(2, dim=2)
    return torch.cat([*top.chunk(2, dim=3), *bottom.chunk(2, dim=3)], dim=1)


@wrong("unsqueeze")
def unsqueezed_by_reshape_alone(y):
    B, C, H, W = y.shape
    return y.reshape(B, C // 4, 2 * H, 2 * W)


@wrong("unsqueeze")
def rows_and_columns_swapped(y):
    B, C, H, W = y.shape
    return y.reshape(B, C // 4, 2, 2, H, W).permute(0, 1, 4, 3, 5, 2).reshape(B, C // 4, 2 * H, 2 * W)


@wrong("unsqueeze")
def squeezes_permutation_repeated(y):
    B, C, H, W = y.shape
    return y.reshape(B, C // 4, 2, 2, H, W).permute(0, 1, 2, 4, 3, 5).reshape(B, C // 4, 2 * H, 2 * W)


@wrong("unsqueeze")
def channels_of_offsets_first(y):
    B, C, H, W = y.shape
    return y.reshape(B, 2, 2, C // 4, H, W).permute(0, 3, 4, 1, 5, 2).reshape(B, C // 4, 2 * H, 2 * W)


@right("checkerboard_mask")
def board_by_two_assignments(H, W):
    board = torch.zeros(H, W)
    board[::2, ::2] = 1
    board[1::2, 1::2] = 1
    return board


@right("squeeze")
def by_pixel_unshuffle(x):
    return torch.nn.functional.pixel_unshuffle(x, 2)


@right("squeeze")
def by_strided_slices(x):
    corners = [x[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1)]
    return torch.stack(corners, dim=2).flatten(1, 2)


@right("unsqueeze")
def by_pixel_shuffle(y):
    return torch.nn.functional.pixel_shuffle(y, 2)


@right("unsqueeze")
def by_filling_strided_slices(y):
    B, C, H, W = y.shape
    x = y.new_empty(B, C // 4, 2 * H, 2 * W)
    for k in range(4):
        x[:, :, k // 2 :: 2, k % 2 :: 2] = y[:, k::4]
    return x


# 4b


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


# 4c


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

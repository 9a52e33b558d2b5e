"""Right and wrong answers to question 2b: walking between two digits."""

import math

import torch

from autograder.verify.variants import right, wrong


def walk(vae, x0, x1, t):
    mu, _ = vae.encode(torch.stack([x0, x1]))
    return vae.decode(mu[:1] + t[:, None].to(mu) * (mu[1:] - mu[:1]))


@wrong("interpolate")
def returns_logits(vae, x0, x1, n):
    return walk(vae, x0, x1, torch.linspace(0, 1, n))


@wrong("interpolate")
def fades_pixels_before_encoding_them(vae, x0, x1, n):
    t = torch.linspace(0, 1, n, dtype=x0.dtype)[:, None]
    ends = torch.sigmoid(vae.decode(vae.encode(torch.stack([x0, x1]))[0]))
    return (1 - t) * ends[0] + t * ends[1]


@wrong("interpolate")
def mixes_logits(vae, x0, x1, n):
    t = torch.linspace(0, 1, n, dtype=x0.dtype)[:, None]
    ends = vae.decode(vae.encode(torch.stack([x0, x1]))[0])
    return torch.sigmoid((1 - t) * ends[0] + t * ends[1])


@wrong("interpolate")
def last_end_missing(vae, x0, x1, n):
    return torch.sigmoid(walk(vae, x0, x1, torch.arange(n) / n))


@wrong("interpolate")
def ends_missing(vae, x0, x1, n):
    return torch.sigmoid(walk(vae, x0, x1, torch.linspace(0, 1, n + 2)[1:-1]))


@wrong("interpolate")
def walks_backwards(vae, x0, x1, n):
    return torch.sigmoid(walk(vae, x0, x1, torch.linspace(1, 0, n)))


@wrong("interpolate")
def one_step_too_many(vae, x0, x1, n):
    return torch.sigmoid(walk(vae, x0, x1, torch.linspace(0, 1, n + 1)))


@wrong("interpolate")
def walks_along_a_wave(vae, x0, x1, n):
    t = torch.linspace(0, 1, n, dtype=x0.dtype)
    return torch.sigmoid(walk(vae, x0, x1, torch.sin(t * math.pi / 2) ** 2))


@wrong("interpolate")
def samples_the_ends(vae, x0, x1, n):
    mu, logvar = vae.encode(torch.stack([x0, x1]))
    z = mu + (logvar / 2).exp() * torch.randn_like(mu)
    t = torch.linspace(0, 1, n, dtype=mu.dtype)[:, None]
    return torch.sigmoid(vae.decode((1 - t) * z[0] + t * z[1]))


@right("interpolate")
def even_numbers_between_zero_and_one(vae, x0, x1, n):
    mu, _ = vae.encode(torch.stack([x0, x1]))
    t = torch.linspace(0, 1, n, dtype=mu.dtype)[:, None]
    return torch.sigmoid(vae.decode((1 - t) * mu[0] + t * mu[1]))


@right("interpolate")
def one_code_at_a_time(vae, x0, x1, n):
    m0, m1 = vae.encode(x0[None])[0], vae.encode(x1[None])[0]
    images = [torch.sigmoid(vae.decode(torch.lerp(m0, m1, i / (n - 1))))[0] for i in range(n)]
    return torch.stack(images)


@right("interpolate")
def weights_of_both_ends(vae, x0, x1, n):
    (m0, m1), t = vae.encode(torch.stack((x0, x1)))[0].unbind(0), torch.arange(n).to(x0) / (n - 1)
    return vae.decode(torch.outer(1 - t, m0) + torch.outer(t, m1)).sigmoid()

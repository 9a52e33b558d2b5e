"""Right and wrong answers to question 5e: AdamW."""

import math

import torch

from autograder.verify.variants import right, wrong


@wrong("adamw_step")
@torch.no_grad()
def decay_inside_the_gradient(p, g, m, v, t, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
    adamw_step(p, g + weight_decay * p, m, v, t, lr, betas, eps, 0.0)


@wrong("adamw_step")
@torch.no_grad()
def decay_without_the_rate(p, g, m, v, t, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
    adamw_step(p, g, m, v, t, lr, betas, eps, weight_decay / lr)


@wrong("adamw_step")
@torch.no_grad()
def decay_after_the_step(p, g, m, v, t, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
    adamw_step(p, g, m, v, t, lr, betas, eps, 0.0)
    p.mul_(1 - lr * weight_decay)


@wrong("adamw_step")
@torch.no_grad()
def grows_for_decay(p, g, m, v, t, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
    adamw_step(p, g, m, v, t, lr, betas, eps, -weight_decay)


@wrong("adamw_step")
@torch.no_grad()
def no_decay(p, g, m, v, t, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
    adamw_step(p, g, m, v, t, lr, betas, eps, 0.0)


def moments(g, m, v, betas):
    """Both running means, in place."""
    m.mul_(betas[0]).add_(g, alpha=1 - betas[0])
    v.mul_(betas[1]).add_(g**2, alpha=1 - betas[1])


@wrong("adamw_step")
@torch.no_grad()
def epsilon_inside_the_root(p, g, m, v, t, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
    moments(g, m, v, betas)
    step = m / (1 - betas[0] ** t) / (v / (1 - betas[1] ** t) + eps).sqrt()
    p.sub_(lr * weight_decay * p + lr * step)


@wrong("adamw_step")
@torch.no_grad()
def epsilon_before_the_correction(p, g, m, v, t, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
    moments(g, m, v, betas)
    rate = lr * math.sqrt(1 - betas[1] ** t) / (1 - betas[0] ** t)
    p.sub_(lr * weight_decay * p + rate * m / (v.sqrt() + eps))


@wrong("adamw_step")
@torch.no_grad()
def without_epsilon(p, g, m, v, t, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
    adamw_step(p, g, m, v, t, lr, betas, 1e-30, weight_decay)


@wrong("adamw_step")
@torch.no_grad()
def epsilon_is_always_1e_8(p, g, m, v, t, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
    adamw_step(p, g, m, v, t, lr, betas, 1e-8, weight_decay)


@wrong("adamw_step")
@torch.no_grad()
def no_bias_correction(p, g, m, v, t, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
    adamw_step(p, g, m, v, 10**6, lr, betas, eps, weight_decay)


@wrong("adamw_step")
@torch.no_grad()
def only_the_mean_is_corrected(p, g, m, v, t, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
    moments(g, m, v, betas)
    p.sub_(lr * weight_decay * p + lr * m / (1 - betas[0] ** t) / (v.sqrt() + eps))


@wrong("adamw_step")
@torch.no_grad()
def steps_counted_from_zero(p, g, m, v, t, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
    adamw_step(p, g, m, v, t + 1, lr, betas, eps, weight_decay)


@wrong("adamw_step")
@torch.no_grad()
def correction_linear_in_the_step(p, g, m, v, t, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
    moments(g, m, v, betas)
    step = m / min(1.0, (1 - betas[0]) * t) / ((v / min(1.0, (1 - betas[1]) * t)).sqrt() + eps)
    p.sub_(lr * weight_decay * p + lr * step)


@wrong("adamw_step")
@torch.no_grad()
def corrected_moments_are_kept(p, g, m, v, t, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
    adamw_step(p, g, m, v, t, lr, betas, eps, weight_decay)
    m.div_(1 - betas[0] ** t)
    v.div_(1 - betas[1] ** t)


@wrong("adamw_step")
@torch.no_grad()
def no_root(p, g, m, v, t, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
    moments(g, m, v, betas)
    p.sub_(lr * weight_decay * p + lr * m / (1 - betas[0] ** t) / (v / (1 - betas[1] ** t) + eps))


@wrong("adamw_step")
@torch.no_grad()
def betas_swapped(p, g, m, v, t, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
    adamw_step(p, g, m, v, t, lr, betas[::-1], eps, weight_decay)


@wrong("adamw_step")
@torch.no_grad()
def square_of_the_mean(p, g, m, v, t, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
    m.mul_(betas[0]).add_(g, alpha=1 - betas[0])
    v.mul_(betas[1]).add_(m**2, alpha=1 - betas[1])
    p.sub_(lr * weight_decay * p + lr * m / (1 - betas[0] ** t) / ((v / (1 - betas[1] ** t)).sqrt() + eps))


@wrong("adamw_step")
@torch.no_grad()
def gradient_for_the_mean(p, g, m, v, t, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
    moments(g, m, v, betas)
    p.sub_(lr * weight_decay * p + lr * g / ((v / (1 - betas[1] ** t)).sqrt() + eps))


@wrong("adamw_step")
@torch.no_grad()
def step_upwards(p, g, m, v, t, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
    adamw_step(p, -g, m, v, t, lr, betas, eps, weight_decay)


@wrong("adamw_step")
@torch.no_grad()
def moments_are_local(p, g, m, v, t, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
    adamw_step(p, g, m.clone(), v.clone(), t, lr, betas, eps, weight_decay)


@wrong("adamw_step")
@torch.no_grad()
def parameter_is_local(p, g, m, v, t, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
    adamw_step(p.clone(), g, m, v, t, lr, betas, eps, weight_decay)


@wrong("adamw_step")
@torch.no_grad()
def gradient_is_changed(p, g, m, v, t, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
    adamw_step(p, g, m, v, t, lr, betas, eps, weight_decay)
    g.zero_()


@wrong("adamw_step")
def parameter_requires_gradients(p, g, m, v, t, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
    moments(g, m, v, betas)
    p -= lr * weight_decay * p + lr * m / (1 - betas[0] ** t) / ((v / (1 - betas[1] ** t)).sqrt() + eps)


# right


@right("adamw_step")
@torch.no_grad()
def as_the_formula_is_written(p, g, m, v, t, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
    m.copy_(betas[0] * m + (1 - betas[0]) * g)
    v.copy_(betas[1] * v + (1 - betas[1]) * g**2)
    m_hat, v_hat = m / (1 - betas[0] ** t), v / (1 - betas[1] ** t)
    p.copy_(p - lr * weight_decay * p - lr * m_hat / (v_hat.sqrt() + eps))


@right("adamw_step")
@torch.no_grad()
def with_one_rate_and_a_scaled_epsilon(p, g, m, v, t, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
    m[:] = torch.lerp(m, g, 1 - betas[0])
    v[:] = torch.lerp(v, g.square(), 1 - betas[1])
    root = math.sqrt(1 - betas[1] ** t)
    step = m * (root / (1 - betas[0] ** t)) / (v.sqrt() + eps * root)
    p -= lr * (weight_decay * p + step)
    return p


@right("adamw_step")
def on_the_data(p, g, m, v, t, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
    m += (1 - betas[0]) * (g - m)
    v += (1 - betas[1]) * (g * g - v)
    p.data.mul_(1 - lr * weight_decay)
    p.data.sub_(lr * (m / (1 - betas[0] ** t)) / (torch.sqrt(v / (1 - betas[1] ** t)) + eps))

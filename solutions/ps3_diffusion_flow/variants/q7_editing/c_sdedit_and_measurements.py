"""Right and wrong answers to questions 7c and 7d."""

import math

import torch

from autograder.verify.variants import right, wrong


@wrong("sdedit_start")
def strength_one_step_too_strong(x, strength, noise, alpha_bar):
    t = min(round(strength * len(alpha_bar)), len(alpha_bar) - 1)
    return noised(x, torch.full((len(x),), t), noise, alpha_bar), t


@wrong("sdedit_start")
def strength_of_t_minus_one(x, strength, noise, alpha_bar):
    t = round(strength * (len(alpha_bar) - 1))
    return noised(x, torch.full((len(x),), t), noise, alpha_bar), t


@wrong("sdedit_start")
def strength_reversed(x, strength, noise, alpha_bar):
    t = round((1 - strength) * len(alpha_bar)) - 1
    return noised(x, torch.full((len(x),), t), noise, alpha_bar), t


@wrong("sdedit_start")
def rounds_down(x, strength, noise, alpha_bar):
    t = int(strength * len(alpha_bar)) - 1
    return noised(x, torch.full((len(x),), t), noise, alpha_bar), t


@wrong("sdedit_start")
def rounds_up(x, strength, noise, alpha_bar):
    t = math.ceil(strength * len(alpha_bar)) - 1
    return noised(x, torch.full((len(x),), t), noise, alpha_bar), t


@wrong("sdedit_start")
def always_a_little_noise(x, strength, noise, alpha_bar):
    t = max(round(strength * len(alpha_bar)) - 1, 0)
    return noised(x, torch.full((len(x),), t), noise, alpha_bar), t


@wrong("sdedit_start")
def returns_the_number_of_steps(x, strength, noise, alpha_bar):
    start, t = sdedit_start(x, strength, noise, alpha_bar)
    return start, t + 1


@wrong("sdedit_start")
def noise_of_the_next_level(x, strength, noise, alpha_bar):
    _, t = sdedit_start(x, strength, noise, alpha_bar)
    return noised(x, torch.full((len(x),), min(t + 1, len(alpha_bar) - 1)), noise, alpha_bar), t


@wrong("sdedit_start")
def mixes_by_the_strength(x, strength, noise, alpha_bar):
    return (1 - strength) * x + strength * noise, round(strength * len(alpha_bar)) - 1


@wrong("sdedit_start")
def only_adds_noise(x, strength, noise, alpha_bar):
    _, t = sdedit_start(x, strength, noise, alpha_bar)
    share = alpha_bar_at(alpha_bar, torch.full((len(x),), t), x)
    return x + (1 - share).sqrt() * noise, t


@wrong("sdedit_start")
def returns_the_image_alone(x, strength, noise, alpha_bar):
    return sdedit_start(x, strength, noise, alpha_bar)[0]


@wrong("consistent")
def replaces_everything(x0, y, A, A_plus):
    return A_plus(y) + 0 * x0


@wrong("consistent")
def adds_the_measurement(x0, y, A, A_plus):
    return x0 + A_plus(y)


@wrong("consistent")
def sign_of_the_misfit(x0, y, A, A_plus):
    return x0 + A_plus(A(x0) - y)


@wrong("consistent")
def half_a_step(x0, y, A, A_plus):
    return x0 + 0.5 * A_plus(y - A(x0))


@wrong("consistent")
def forgets_to_measure(x0, y, A, A_plus):
    return x0 + A_plus(y - A(A_plus(y)))


@wrong("consistent")
def keeps_only_what_is_seen(x0, y, A, A_plus):
    return A_plus(A(x0)) + A_plus(y - A(x0))


@wrong("consistent")
def keeps_the_guess(x0, y, A, A_plus):
    return x0.clone()


@wrong("consistent")
def removes_what_is_seen(x0, y, A, A_plus):
    return x0 - A_plus(A(x0))


@wrong("consistent")
def averages_guess_and_measurement(x0, y, A, A_plus):
    return (x0 + A_plus(y)) / 2


@wrong("consistent")
def clips_to_the_range_of_images(x0, y, A, A_plus):
    return consistent(x0, y, A, A_plus).clamp(-1, 1)


@wrong("consistent")
def one_misfit_for_the_whole_batch(x0, y, A, A_plus):
    return x0 + A_plus((y - A(x0)).mean(0, keepdim=True).expand_as(y))


@right("sdedit_start")
def with_a_padded_schedule(x, strength, noise, alpha_bar):
    steps = math.floor(strength * len(alpha_bar) + 0.5)
    share = torch.cat([torch.ones(1, dtype=torch.float64), alpha_bar])[steps].to(x.dtype)
    return x * share**0.5 + noise * (1 - share) ** 0.5, steps - 1


@right("sdedit_start")
def with_the_time_as_a_tensor(x, strength, noise, alpha_bar):
    t = torch.tensor(strength * len(alpha_bar), dtype=torch.float64).round().long() - 1
    return (noised(x, t.expand(len(x)), noise, alpha_bar), t)


@right("consistent")
def by_range_and_null_space(x0, y, A, A_plus):
    return A_plus(y) + x0 - A_plus(A(x0))


@right("consistent")
def by_subtracting_the_misfit(x0, y, A, A_plus):
    return x0 - A_plus(A(x0) - y)

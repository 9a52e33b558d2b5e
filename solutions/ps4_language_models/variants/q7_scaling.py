"""Right and wrong answers to question 7."""

import math

import numpy as np
import torch
from scipy.optimize import curve_fit, minimize_scalar

from autograder.verify.variants import right, wrong


@wrong("count_params")
def head_is_tied(cfg):
    return count_params(cfg) - cfg.vocab_size * cfg.n_embd


@wrong("count_params")
def with_biases(cfg):
    return count_params(cfg) + cfg.n_layer * 9 * cfg.n_embd


@wrong("count_params")
def with_learnt_positions(cfg):
    return count_params(cfg) + cfg.block_size * cfg.n_embd


@wrong("count_params")
def without_gains(cfg):
    return 2 * cfg.vocab_size * cfg.n_embd + 12 * cfg.n_layer * cfg.n_embd**2


@wrong("count_params")
def last_gain_forgotten(cfg):
    return count_params(cfg) - cfg.n_embd


@wrong("count_params")
def only_the_layers(cfg):
    return count_params(cfg) - 2 * cfg.vocab_size * cfg.n_embd


@wrong("count_params")
def attention_of_each_head_is_whole(cfg):
    return count_params(cfg) + cfg.n_layer * 4 * cfg.n_embd**2 * (cfg.n_head - 1)


@wrong("count_params")
def mlp_is_twice_as_wide(cfg):
    return count_params(cfg) - cfg.n_layer * 4 * cfg.n_embd**2


@wrong("count_params")
def one_layer(cfg):
    return 2 * cfg.vocab_size * cfg.n_embd + 12 * cfg.n_embd**2 + 3 * cfg.n_embd


@wrong("count_params")
def one_gain_per_layer(cfg):
    return count_params(cfg) - cfg.n_layer * cfg.n_embd


@wrong("train_flops")
def only_forward(n_params, n_tokens):
    return 2.0 * n_params * n_tokens


@wrong("train_flops")
def additions_forgotten(n_params, n_tokens):
    return 3.0 * n_params * n_tokens


@wrong("train_flops")
def backward_costs_what_forward_does(n_params, n_tokens):
    return 4.0 * n_params * n_tokens


@wrong("train_flops")
def forward_is_done_again(n_params, n_tokens):
    return 8.0 * n_params * n_tokens


@wrong("train_flops")
def in_teraflops(n_params, n_tokens):
    return 6e-12 * n_params * n_tokens


@wrong("train_flops")
def as_a_32_bit_number(n_params, n_tokens):
    return float((6 * n_params * n_tokens) % 2**32)


def line(x, y):
    """Intercept and slope of the regression of y on x."""
    slope = ((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).square().sum()
    return y.mean() - slope * x.mean(), slope


@wrong("fit_power_law")
def logarithms_without_a_floor(N, L):
    intercept, slope = line(N.double().log(), L.double().log())
    return 0.0, intercept.exp().item(), -slope.item()


@wrong("fit_power_law")
def floor_is_the_smallest_loss(N, L):
    E = L.min() * 0.999
    intercept, slope = line(N.log(), (L - E).log())
    return E.item(), intercept.exp().item(), -slope.item()


@wrong("fit_power_law")
def floor_is_half_the_smallest_loss(N, L):
    E = L.min() * 0.5
    intercept, slope = line(N.log(), (L - E).log())
    return E.item(), intercept.exp().item(), -slope.item()


@wrong("fit_power_law")
def exponent_with_its_sign(N, L):
    E, A, alpha = fit_power_law(N, L)
    return E, A, -alpha


@wrong("fit_power_law")
def logarithm_of_the_factor(N, L):
    E, A, alpha = fit_power_law(N, L)
    return E, math.log(A), alpha


@wrong("fit_power_law")
def factor_of_sizes_in_their_middle(N, L):
    E, A, alpha = fit_power_law(N, L)
    return E, A * float(N.log().mean().exp()) ** -alpha, alpha


@wrong("fit_power_law")
def factor_of_sizes_in_millions(N, L):
    return fit_power_law(N / 1e6, L)


@wrong("fit_power_law")
def numbers_in_another_order(N, L):
    E, A, alpha = fit_power_law(N, L)
    return A, alpha, E


@wrong("fit_power_law")
def exponent_is_a_half(N, L):
    E, A = line(N.double() ** -0.5, L.double())
    return E.item(), A.item(), 0.5


@wrong("fit_power_law")
def exponential_for_a_power(N, L):
    E, A, alpha = fit_power_law(N.log(), L)
    return E, A, alpha


def through_three(N, L):
    """The law through the first, the middle and the last of three points."""

    def miss(alpha):
        x = N**-alpha
        return (L[0] - L[1]) / (x[0] - x[1]) - (L[1] - L[2]) / (x[1] - x[2])

    low, high = 0.02, 2.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if miss(low) * miss(middle) > 0 else (low, middle)
    A = (L[0] - L[2]) / (N[0] ** -low - N[2] ** -low)
    return (L[2] - A * N[2] ** -low).item(), A.item(), low


@wrong("fit_power_law")
def through_three_of_the_points(N, L):
    order = N.argsort()
    chosen = order[[0, len(order) // 2, len(order) - 1]]
    return through_three(N[chosen].double(), L[chosen].double())


@wrong("fit_power_law")
def through_the_three_largest(N, L):
    chosen = N.argsort()[-3:]
    return through_three(N[chosen].double(), L[chosen].double())


@wrong("fit_power_law")
def sizes_are_taken_for_sorted(N, L):
    return fit_power_law(N.sort().values, L)


@wrong("fit_power_law")
def a_grid_of_tenths(N, L):
    fits = [(alpha, *line(N.double() ** -alpha, L.double())) for alpha in np.arange(0.05, 2.0, 0.1).tolist()]
    alpha, E, A = min(fits, key=lambda fit: (fit[1] + fit[2] * N ** -fit[0] - L).square().sum().item())
    return E.item(), A.item(), alpha


def unbounded(N, L):
    """The nearest law, whatever its floor is."""
    n, loss = N.double(), L.double()
    middle = n.log().mean().exp()
    fits = [(alpha, *line((n / middle) ** -alpha, loss)) for alpha in np.linspace(0.02, 2, 5000).tolist()]
    alpha, E, a = min(fits, key=lambda fit: (fit[1] + fit[2] * (n / middle) ** -fit[0] - loss).square().sum().item())
    return E.item(), (a * middle**alpha).item(), alpha


@wrong("fit_power_law")
def floor_below_zero(N, L):
    return unbounded(N, L)


@wrong("fit_power_law")
def floor_is_cut_off_afterwards(N, L):
    E, A, alpha = unbounded(N, L)
    return max(E, 0.0), A, alpha


@wrong("fit_power_law")
def the_best_of_the_laws_whose_floor_is_positive(N, L):
    n, loss = N.double(), L.double()
    middle = n.log().mean().exp()
    fits = [(alpha, *line((n / middle) ** -alpha, loss)) for alpha in np.linspace(0.02, 2, 5000).tolist()]
    fits = [fit for fit in fits if fit[1] >= 0]
    alpha, E, a = min(fits, key=lambda fit: (fit[1] + fit[2] * (n / middle) ** -fit[0] - loss).square().sum().item())
    return E.item(), (a * middle**alpha).item(), alpha


@wrong("fit_power_law")
def floor_made_positive_by_its_size(N, L):
    E, A, alpha = unbounded(N, L)
    return abs(E), A, alpha


@wrong("fit_power_law")
def a_few_steps_of_a_minimiser(N, L):
    theta = torch.tensor([0.0, 1.0, 0.5], dtype=torch.float64, requires_grad=True)
    opt = torch.optim.Adam([theta], lr=0.05)
    for _ in range(200):
        opt.zero_grad()
        (theta[0].exp() + theta[1].exp() * N.double() ** -theta[2] - L).square().sum().backward()
        opt.step()
    return theta[0].exp().item(), theta[1].exp().item(), theta[2].item()


@wrong("fit_power_law")
def curve_fit_from_ones(N, L):
    def law(n, E, A, alpha):
        return E + A * n**-alpha

    return tuple(float(x) for x in curve_fit(law, N.numpy(), L.numpy(), p0=(1.0, 1.0, 1.0), maxfev=100_000)[0])


@wrong("fit_power_law")
def by_hand_from_the_ends(N, L):
    order = N.argsort()
    n, loss = N[order], L[order]
    E = loss[-1] - (loss[-2] - loss[-1])
    alpha = ((loss[0] - E) / (loss[-1] - E)).log() / (n[-1] / n[0]).log()
    return E.item(), ((loss[0] - E) * n[0] ** alpha).item(), alpha.item()


# right


@right("count_params")
def by_adding_up_matrices(cfg):
    V, C = cfg.vocab_size, cfg.n_embd
    total = V * C  # embedding
    for _ in range(cfg.n_layer):
        total += C + 3 * C * C + C * C  # gain, attention
        total += C + 4 * C * C + 4 * C * C  # gain, MLP
    return total + C + V * C


@right("count_params")
def by_building_the_model(cfg):
    return sum(p.numel() for p in GPT(cfg).parameters())


@right("train_flops")
def as_a_whole_number(n_params, n_tokens):
    return 2 * n_params * n_tokens + 4 * n_params * n_tokens


@right("fit_power_law")
def by_curve_fit(N, L):
    n, loss = N.double().numpy(), L.double().numpy()
    middle = np.exp(np.log(n).mean())

    def law(x, E, a, alpha):
        return E + a * x**-alpha

    starts = [
        (share * loss.min(), loss.mean() - share * loss.min(), alpha) for share in (0.1, 0.9) for alpha in (0.2, 0.7)
    ]
    limits = ((0, 0, 0.01), (np.inf, np.inf, 3))
    fits = [
        curve_fit(law, n / middle, loss, p0=p0, bounds=limits, xtol=1e-14, ftol=1e-14, gtol=1e-14)[0] for p0 in starts
    ]
    E, a, alpha = min(fits, key=lambda fit: ((law(n / middle, *fit) - loss) ** 2).sum())
    return float(E), float(a * middle**alpha), float(alpha)


@right("fit_power_law")
def a_floor_that_is_the_number_0(N, L):
    E, A, alpha = fit_power_law(N, L)
    return max(0, E), A, alpha


@right("fit_power_law")
def by_searching_for_the_exponent(N, L):
    n, loss = N.double(), L.double()
    middle = n.log().mean().exp()

    def regression(alpha):
        E, a = line((n / middle) ** -alpha, loss)
        if E < 0:
            E, a = torch.tensor(0.0), (loss * (n / middle) ** -alpha).sum() / ((n / middle) ** -alpha).square().sum()
        return E, a, (E + a * (n / middle) ** -alpha - loss).square().sum().item()

    best = min(np.linspace(0.02, 2, 100), key=lambda alpha: regression(alpha)[2])
    found = minimize_scalar(lambda alpha: regression(alpha)[2], bounds=(best - 0.03, best + 0.03), method="bounded",
                            options={"xatol": 1e-10})  # fmt: skip
    E, a, _ = regression(found.x)
    return E, a * middle**found.x, found.x


@right("fit_power_law")
def by_lbfgs_on_the_logarithms(N, L):
    n, loss = N.double().log(), L.double().log()
    best = None
    for share in (0.01, 0.5, 0.95):
        for alpha in (0.1, 0.3, 0.6, 1.0):
            E0 = share * L.double().min()
            a0 = (L.double() - E0).mean().log()
            theta = torch.stack([E0.log(), a0, torch.tensor(alpha, dtype=torch.float64)]).requires_grad_()
            opt = torch.optim.LBFGS([theta], lr=1, max_iter=2000, max_eval=4000, tolerance_grad=1e-14,
                                    tolerance_change=1e-18, history_size=20, line_search_fn="strong_wolfe")  # fmt: skip

            def miss(theta=theta, opt=opt):
                opt.zero_grad()
                error = (
                    (torch.logaddexp(theta[0].expand_as(n), theta[1] - theta[2] * (n - n.mean())) - loss).square().sum()
                )
                error.backward()
                return error

            opt.step(miss)
            error = miss().item()
            if best is None or error < best[0]:
                best = error, theta.detach()
    e, a, alpha = best[1].tolist()
    return math.exp(e), math.exp(a + alpha * n.mean().item()), alpha


@right("fit_power_law")
def by_a_finer_and_finer_grid_of_floors(N, L):
    n, loss = N.double().log(), L.double()
    low, high = 0.0, loss.min().item() * (1 - 1e-9)
    for _ in range(25):
        floors = torch.linspace(low, high, 51, dtype=torch.float64)
        errors = []
        for E in floors:
            y = (loss - E).clamp_min(1e-12).log()
            intercept, slope = line(n, y)
            errors.append((E + (intercept + slope * n).exp() - loss).square().sum())
        best = torch.stack(errors).argmin()
        step = (high - low) / 50
        low, high = (
            max(floors[best].item() - step, 0.0),
            min(floors[best].item() + step, loss.min().item() * (1 - 1e-9)),
        )
    intercept, slope = line(n, (loss - floors[best]).clamp_min(1e-12).log())
    return floors[best].item(), intercept.exp().item(), -slope.item()

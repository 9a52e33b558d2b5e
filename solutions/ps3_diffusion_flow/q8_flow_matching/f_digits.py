# %% [markdown] role="text"
# ### Look: digits, without training anything
#
# 8c said that noise, score and velocity are the same knowledge. So the network that came with this notebook, which was
# trained to find the noise of a *diffusion*, is a flow already. Divide $x_t=(1-t)x_0+tx_1$ by
# $c_t=\sqrt{(1-t)^2+t^2}$, and it is a noisy image of diffusion with $\bar\alpha=t^2/c_t^2$: look up the step at which
# the schedule has this $\bar\alpha$, ask the network there for the noise $\hat\epsilon$, and
#
# $$ v(x,t)=\hat x_1-\hat x_0=\frac{x-(1-t)\,\hat\epsilon}{t}-\hat\epsilon=\frac{x-\hat\epsilon}{t}. $$
#
# The schedule ends at a $\bar\alpha$ that is not quite zero, so the flow starts a little after $t=0$. There an error in
# the noise is divided by a tiny $t$ (the sensitivities of question 2, again), and without a remedy the first step ruins
# everything: set `clip=False` and look. The remedy is that of question 5. The guess $\hat x_1$ is cut to $[-1,1]$, and
# the velocity is the one that leads from $x$ to it in the time that is left, $v=(\hat x_1-x)/(1-t)$.


# %% role="given"
def flow_from_ddpm(
    model: Callable[..., Tensor], alpha_bar: Tensor, y: Tensor | None = None, clip: bool = False
) -> Callable[..., Tensor]:
    """The velocity v(x, t) of the flow that a noise predictor model(x, t, y) with this schedule stands for.

    Use it from first_time(alpha_bar) on. y (B,) are labels, or None; clip cuts the guess of the data to [-1, 1].
    """
    ratio = (alpha_bar / (1 - alpha_bar)).sqrt().flip(0)  # t / (1 - t) of each step, ascending

    def v(x: Tensor, t: Tensor) -> Tensor:
        """The velocity at x (B, ...) and t (B,); the step between two whole ones is interpolated."""
        wanted = (t / (1 - t).clamp_min(1e-6)).double().cpu().clamp(ratio[0].item(), ratio[-1].item())
        above = torch.searchsorted(ratio, wanted).clamp(1, len(ratio) - 1)
        low, high = ratio[above - 1].log(), ratio[above].log()
        step = len(ratio) - 1 - (above - 1 + (wanted.log() - low) / (high - low))
        shape = (-1, *[1] * (x.ndim - 1))
        s = t.clamp_min(1e-3).reshape(shape)
        scaled = x / ((1 - s).square() + s.square()).sqrt()
        noise = model(scaled, step.to(x), y)
        x1 = (x - (1 - s) * noise) / s
        x1 = x1.clamp(-1, 1) if clip else x1
        return torch.where(s < 0.99, (x1 - x) / (1 - s).clamp_min(0.01), x1 - noise)  # equal, but for what was cut

    return v


def first_time(alpha_bar: Tensor) -> float:
    """The flow-matching time t at which t / (1 - t) has the schedule's last, smallest ratio of signal to noise."""
    ratio = (alpha_bar[-1] / (1 - alpha_bar[-1])).sqrt().item()
    return ratio / (1 + ratio)


# %% role="run"
with experiment("a diffusion network, followed as a flow"), torch.no_grad():
    labels = torch.arange(10, device=here.device)
    noises = torch.randn(10, 1, 28, 28, generator=torch.Generator().manual_seed(3)).to(here.device)
    v = flow_from_ddpm(unet, alpha_bar, labels, clip=True)
    begin = first_time(alpha_bar)
    states = ode_solve(v, noises, 16, "heun", start=begin)
    shown = (0, 4, 6, 8, 9, 10, 11, 12, 14, 16)
    clock = ", ".join(f"{begin + (1 - begin) * i / 16:.2f}" for i in shown)
    show_digit_film([states[i] for i in shown], f"the flow of the provided network at t = {clock}")
    for method, n in (("euler", 4), ("heun", 2), ("euler", 8), ("heun", 4)):
        used = n * (2 if method == "heun" else 1)
        show_digits(ode_solve(v, noises, n, method, start=begin)[-1], f"{method}, {used} evaluations", columns=10)

# %% [markdown] role="text"
# **Look.** At which time can you tell the digit? Compare the rows with 4 evaluations, and those with 8. In question 9
# you train a network on `cfm_loss` itself, with the same architecture and the same budget, and measure which of the two
# needs fewer evaluations.

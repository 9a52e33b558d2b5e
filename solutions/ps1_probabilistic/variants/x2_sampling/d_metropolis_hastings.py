"""Right and wrong answers to x2d: a Markov chain."""

import torch

from autograder.verify.variants import right, wrong


@wrong("metropolis_hastings")
def hastings_correction_forgotten(log_f, x0, propose, log_q, eps, u):
    return walk(log_f, x0, propose, eps, u, lambda x, new: log_f(new) - log_f(x))


@wrong("metropolis_hastings")
def hastings_correction_upside_down(log_f, x0, propose, log_q, eps, u):
    return walk(log_f, x0, propose, eps, u, lambda x, new: log_f(new) + log_q(new, x) - log_f(x) - log_q(x, new))


@wrong("metropolis_hastings")
def only_the_backward_proposal(log_f, x0, propose, log_q, eps, u):
    return walk(log_f, x0, propose, eps, u, lambda x, new: log_f(new) + log_q(x, new) - log_f(x))


@wrong("metropolis_hastings")
def accepts_everything(log_f, x0, propose, log_q, eps, u):
    return walk(log_f, x0, propose, eps, u, lambda x, new: torch.full_like(log_f(x), torch.inf))


@wrong("metropolis_hastings")
def accepts_only_uphill(log_f, x0, propose, log_q, eps, u):
    ratio = lambda x, new: log_f(new) + log_q(x, new) - log_f(x) - log_q(new, x)  # noqa: E731
    return walk(log_f, x0, propose, eps, torch.ones_like(u), ratio)


@wrong("metropolis_hastings")
def refuses_what_it_should_accept(log_f, x0, propose, log_q, eps, u):
    ratio = lambda x, new: log_f(new) + log_q(x, new) - log_f(x) - log_q(new, x)  # noqa: E731
    x, chain, accepted = x0, [], []
    for eps_t, u_t in zip(eps, u, strict=True):
        new = propose(x, eps_t)
        accept = u_t.log() >= ratio(x, new)
        x = torch.where(accept[:, None], new, x)
        chain.append(x)
        accepted.append(accept)
    return torch.stack(chain), torch.stack(accepted)


@wrong("metropolis_hastings")
def proposals_recorded_instead_of_states(log_f, x0, propose, log_q, eps, u):
    x, chain, accepted = x0, [], []
    for eps_t, u_t in zip(eps, u, strict=True):
        new = propose(x, eps_t)
        accept = u_t.log() < log_f(new) + log_q(x, new) - log_f(x) - log_q(new, x)
        x = torch.where(accept[:, None], new, x)
        chain.append(new)
        accepted.append(accept)
    return torch.stack(chain), torch.stack(accepted)


@wrong("metropolis_hastings")
def old_density_never_updated(log_f, x0, propose, log_q, eps, u):
    start = log_f(x0)
    return walk(log_f, x0, propose, eps, u, lambda x, new: log_f(new) + log_q(x, new) - start - log_q(new, x))


@wrong("metropolis_hastings")
def always_proposes_from_the_start(log_f, x0, propose, log_q, eps, u):
    x, chain, accepted = x0, [], []
    for eps_t, u_t in zip(eps, u, strict=True):
        new = propose(x0, eps_t)
        accept = u_t.log() < log_f(new) + log_q(x, new) - log_f(x) - log_q(new, x)
        x = torch.where(accept[:, None], new, x)
        chain.append(x)
        accepted.append(accept)
    return torch.stack(chain), torch.stack(accepted)


@wrong("metropolis_hastings")
def all_chains_accept_together(log_f, x0, propose, log_q, eps, u):
    def log_ratio(x, new):
        each = log_f(new) + log_q(x, new) - log_f(x) - log_q(new, x)
        return each.mean().expand(len(each))

    return walk(log_f, x0, propose, eps, u, log_ratio)


@wrong("metropolis_hastings")
def starts_with_x0(log_f, x0, propose, log_q, eps, u):
    chain, accepted = metropolis_hastings_steps(log_f, x0, propose, log_q, eps, u)
    return torch.cat([x0[None], chain[:-1]]), accepted


def metropolis_hastings_steps(log_f, x0, propose, log_q, eps, u):
    """The correct chain, for the variants that spoil what is recorded of it."""
    return walk(log_f, x0, propose, eps, u, lambda x, new: log_f(new) + log_q(x, new) - log_f(x) - log_q(new, x))


@wrong("metropolis_hastings")
def only_accepted_states_are_kept(log_f, x0, propose, log_q, eps, u):
    chain, accepted = metropolis_hastings_steps(log_f, x0, propose, log_q, eps, u)
    return chain[accepted.all(1)], accepted[accepted.all(1)]


@wrong("metropolis_hastings")
def one_state_overwritten_in_place(log_f, x0, propose, log_q, eps, u):
    x, chain, accepted = x0.clone(), [], []
    for eps_t, u_t in zip(eps, u, strict=True):
        new = propose(x, eps_t)
        accept = u_t.log() < log_f(new) + log_q(x, new) - log_f(x) - log_q(new, x)
        x[accept] = new[accept]
        chain.append(x)
        accepted.append(accept)
    return torch.stack(chain), torch.stack(accepted)


@wrong("metropolis_hastings")
def accepted_as_a_rate(log_f, x0, propose, log_q, eps, u):
    chain, accepted = metropolis_hastings_steps(log_f, x0, propose, log_q, eps, u)
    return chain, accepted.double().mean()


@wrong("metropolis_hastings")
def start_overwritten(log_f, x0, propose, log_q, eps, u):
    x, chain, accepted = x0, [], []
    for eps_t, u_t in zip(eps, u, strict=True):
        new = propose(x, eps_t)
        accept = u_t.log() < log_f(new) + log_q(x, new) - log_f(x) - log_q(new, x)
        x[accept] = new[accept]
        chain.append(x.clone())
        accepted.append(accept)
    return torch.stack(chain), torch.stack(accepted)


@right("metropolis_hastings")
def with_arguments_by_name(log_f, x0, propose, log_q, eps, u):
    x, chain, accepted = x0, [], []
    for eps_t, u_t in zip(eps, u, strict=True):
        new = propose(x=x, eps=eps_t)
        correction = log_q(new=x, old=new) - log_q(new=new, old=x)
        accepted.append(u_t.log() < log_f(new) - log_f(x) + correction)
        x = torch.where(accepted[-1][:, None], new, x)
        chain.append(x)
    return torch.stack(chain), torch.stack(accepted)


@wrong("metropolis_hastings")
def densities_before_their_ratio(log_f, x0, propose, log_q, eps, u):
    x, chain, accepted = x0, [], []
    for eps_t, u_t in zip(eps, u, strict=True):
        new = propose(x, eps_t)
        forward, backward = log_f(x).exp() * log_q(new, x).exp(), log_f(new).exp() * log_q(x, new).exp()
        accepted.append(u_t * forward < backward)
        x = torch.where(accepted[-1][:, None], new, x)
        chain.append(x)
    return torch.stack(chain), torch.stack(accepted)


@right("metropolis_hastings")
def into_arrays_that_were_made_before(log_f, x0, propose, log_q, eps, u):
    chain, accepted = torch.empty_like(eps), torch.zeros(u.shape, dtype=torch.bool)
    x = x0.clone()
    for t in range(len(eps)):
        new = propose(x, eps[t])
        ratio = (log_f(new) + log_q(x, new) - log_f(x) - log_q(new, x)).exp()
        accepted[t] = u[t] < ratio.clamp(max=1)
        x[accepted[t]] = new[accepted[t]]
        chain[t] = x
    return chain, accepted


@right("metropolis_hastings")
def with_a_mask_by_arithmetic(log_f, x0, propose, log_q, eps, u):
    states, masks = [x0], []
    for noise, uniform in zip(eps, u, strict=True):
        old, new = states[-1], propose(states[-1], noise)
        forward, backward = log_f(old) + log_q(new, old), log_f(new) + log_q(old, new)
        masks.append(uniform.log() < backward - forward)
        move = masks[-1][:, None].to(old.dtype)
        states.append(move * new + (1 - move) * old)
    return torch.stack(states[1:]), torch.stack(masks)

"""Right and wrong answers to questions 6c and 6d: one draw, and the loop."""

import torch

from autograder.verify.variants import right, wrong


@wrong("sample_from")
def the_most_probable(probs, u):
    return probs.argmax(-1)


@wrong("sample_from")
def one_u_for_all_rows(probs, u):
    return sample_from(probs, u[:1].expand(len(probs)))


@wrong("sample_from")
def compares_with_at_least(probs, u):
    return (probs.cumsum(-1) < u[:, None]).sum(-1).clamp_max(probs.shape[-1] - 1)


@wrong("sample_from")
def beyond_the_vocabulary(probs, u):
    return (probs.cumsum(-1) <= u[:, None]).sum(-1)


@wrong("sample_from")
def the_last_of_the_vocabulary(probs, u):
    return (probs.cumsum(-1) <= u[:, None]).sum(-1).clamp_max(probs.shape[-1] - 1)


@wrong("sample_from")
def one_token_too_early(probs, u):
    return (sample_from(probs, u) - 1).clamp_min(0)


@wrong("sample_from")
def in_the_order_of_probability(probs, u):
    ordered, order = probs.sort(-1, descending=True)
    return order.gather(-1, sample_from(ordered, u)[:, None])[:, 0]


@wrong("sample_from")
def from_the_other_end(probs, u):
    return probs.shape[-1] - 1 - sample_from(probs.flip(-1), u)


@wrong("sample_from")
def summed_over_the_batch(probs, u):
    return (probs.cumsum(0) <= u[:, None]).sum(-1).clamp_max(probs.shape[-1] - 1)


@wrong("sample_from")
def by_its_own_dice(probs, u):
    return torch.multinomial(probs, 1)[:, 0]


@wrong("sample_from")
def by_gumbel_of_one_u(probs, u):
    return (probs.log() - torch.log(-torch.log(u.clamp(1e-9, 1 - 1e-9)))[:, None]).argmax(-1)


@wrong("sample_from")
def tokens_as_a_column(probs, u):
    return sample_from(probs, u)[:, None]


@wrong("sample_from")
def u_times_the_vocabulary(probs, u):
    return (u * probs.shape[-1]).long()


@wrong("sample_from")
def nearest_end(probs, u):
    return (probs.cumsum(-1) - u[:, None]).abs().argmin(-1)


@right("sample_from")
def by_searching(probs, u):
    found = torch.searchsorted(probs.cumsum(-1).contiguous(), u[:, None].contiguous(), right=True)[:, 0]
    last = (torch.arange(probs.shape[-1]) * (probs > 0)).amax(-1)
    return torch.minimum(found, last)


@right("sample_from")
def by_walking(probs, u):
    drawn = []
    for row, number in zip(probs.tolist(), u.tolist(), strict=True):
        end, token = 0.0, None
        for v, length in enumerate(row):
            end += length
            if number < end:
                token = v
                break
        drawn.append(max(v for v, length in enumerate(row) if length > 0) if token is None else token)
    return torch.tensor(drawn)


# 6d


class Steps:
    """The loop, in steps that may be changed."""

    def __call__(self, model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
        new = idx
        with torch.no_grad():
            for t in range(n):
                logits = self.ask(model, idx, new, cache)
                new = sample_from(self.shaped(self.last(logits), tau, k, p), self.u(us, t))[:, None]
                idx = torch.cat([idx, new], dim=1)
        return self.result(idx, n)

    def ask(self, model, idx, new, cache):
        return model(idx[:, -model.cfg.block_size :]) if cache is None else model(new, cache)

    def last(self, logits):
        return logits[:, -1]

    def shaped(self, logits, tau, k, p):
        logits = apply_temperature(logits, tau)
        logits = logits if k is None else top_k(logits, k)
        logits = logits if p is None else top_p(logits, p)
        return logits.softmax(-1)

    def u(self, us, t):
        return us[:, t]

    def result(self, idx, n):
        return idx


@wrong("generate")
def temperature_after_the_nucleus(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    class Changed(Steps):
        def shaped(self, logits, tau, k, p):
            logits = logits if k is None else top_k(logits, k)
            logits = logits if p is None else top_p(logits, p)
            return apply_temperature(logits, tau).softmax(-1)

    return Changed()(model, idx, n, us, tau, k, p, cache)


@wrong("generate")
def nucleus_before_top_k(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    class Changed(Steps):
        def shaped(self, logits, tau, k, p):
            logits = apply_temperature(logits, tau)
            logits = logits if p is None else top_p(logits, p)
            return (logits if k is None else top_k(logits, k)).softmax(-1)

    return Changed()(model, idx, n, us, tau, k, p, cache)


@wrong("generate")
def temperature_is_forgotten(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    return generate(model, idx, n, us, 1.0, k, p, cache)


@wrong("generate")
def top_k_is_forgotten(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    return generate(model, idx, n, us, tau, None, p, cache)


@wrong("generate")
def top_p_is_forgotten(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    return generate(model, idx, n, us, tau, k, None, cache)


@wrong("generate")
def top_p_even_if_not_asked_for(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    return generate(model, idx, n, us, tau, k, 0.9 if p is None else p, cache)


@wrong("generate")
def temperature_after_the_softmax(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    class Changed(Steps):
        def shaped(self, logits, tau, k, p):
            probs = super().shaped(logits, 1.0, k, p) / tau
            return probs / probs.sum(-1, keepdim=True)

    return Changed()(model, idx, n, us, tau, k, p, cache)


@wrong("generate")
def logits_of_the_first_position(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    class Changed(Steps):
        def last(self, logits):
            return logits[:, 0]

    return Changed()(model, idx, n, us, tau, k, p, cache)


@wrong("generate")
def logits_averaged_over_positions(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    class Changed(Steps):
        def last(self, logits):
            return logits.mean(1)

    return Changed()(model, idx, n, us, tau, k, p, cache)


@wrong("generate")
def one_u_for_all_steps(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    class Changed(Steps):
        def u(self, us, t):
            return us[:, 0]

    return Changed()(model, idx, n, us, tau, k, p, cache)


@wrong("generate")
def u_of_the_first_row_for_all(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    class Changed(Steps):
        def u(self, us, t):
            return us[:1, t].expand(len(us))

    return Changed()(model, idx, n, us, tau, k, p, cache)


@wrong("generate")
def us_from_the_end(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    return generate(model, idx, n, us.flip(1), tau, k, p, cache)


@wrong("generate")
def us_by_rows_and_columns_confused(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    return generate(model, idx, n, us.T.reshape(us.shape), tau, k, p, cache)


@wrong("generate")
def returns_only_what_is_new(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    return generate(model, idx, n, us, tau, k, p, cache)[:, idx.shape[1] :]


@wrong("generate")
def a_step_too_many(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    return generate(model, idx, n + 1, torch.cat([us, us[:, :1], us[:, :1]], 1), tau, k, p, cache)


@wrong("generate")
def a_step_too_few(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    return generate(model, idx, max(n - 1, 0), us, tau, k, p, cache)


@wrong("generate")
def looks_at_the_prompt_only(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    class Changed(Steps):
        def ask(self, model, idx, new, cache):
            self.prompt = getattr(self, "prompt", idx)
            return super().ask(model, self.prompt, new, cache)

    return Changed()(model, idx, n, us, tau, k, p, cache)


@wrong("generate")
def looks_at_the_last_token_only(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    class Changed(Steps):
        def ask(self, model, idx, new, cache):
            return model(new) if cache is None else model(new, cache)

    return Changed()(model, idx, n, us, tau, k, p, cache)


@wrong("generate")
def longer_than_the_model_can_see(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    class Changed(Steps):
        def ask(self, model, idx, new, cache):
            return model(idx) if cache is None else model(new, cache)

    return Changed()(model, idx, n, us, tau, k, p, cache)


@wrong("generate")
def the_first_tokens_of_a_long_text(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    class Changed(Steps):
        def ask(self, model, idx, new, cache):
            return model(idx[:, : model.cfg.block_size]) if cache is None else model(new, cache)

    return Changed()(model, idx, n, us, tau, k, p, cache)


@wrong("generate")
def everything_is_shown_again_to_the_cache(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    class Changed(Steps):
        def ask(self, model, idx, new, cache):
            return model(idx[:, -model.cfg.block_size :]) if cache is None else model(idx, cache)

    return Changed()(model, idx, n, us, tau, k, p, cache)


@wrong("generate")
def the_cache_is_not_used(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    return generate(model, idx, n, us, tau, k, p)


@wrong("generate")
def the_prompt_is_shown_token_by_token(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    if cache is not None and n:
        for token in idx[:, :-1].split(1, dim=1):
            model(token, cache)
        us = us[:, :n]
        first = generate(model, idx[:, -1:], n, us, tau, k, p, cache)
        return torch.cat([idx[:, :-1], first], dim=1)
    return generate(model, idx, n, us, tau, k, p, cache)


@wrong("generate")
def with_gradients(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    def with_them(*args):
        with torch.enable_grad():
            return model(*args)

    with_them.cfg = model.cfg
    return generate(with_them, idx, n, us, tau, k, p, cache)


@wrong("generate")
def always_the_most_probable(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    return generate(model, idx, n, us, tau, 1, None, cache)


@wrong("generate")
def dice_of_its_own(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    return generate(model, idx, n, torch.rand(us.shape, dtype=us.dtype), tau, k, p, cache)


@wrong("generate")
def an_empty_cache_is_none(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    return generate(model, idx, n, us, tau, k, p, cache or None)


@wrong("generate")
def temperature_zero_is_left_out(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    return generate(model, idx, n, us, tau or 1.0, k, p, cache)


@wrong("generate")
def a_nucleus_of_zero_is_left_out(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    return generate(model, idx, n, us, tau, k, p or None, cache)


@right("generate")
def in_steps(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    return Steps()(model, idx, n, us, tau, k, p, cache)


@right("generate")
def collected_in_a_list(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    columns = list(idx.unbind(1))
    with torch.inference_mode():
        for t in range(n):
            if cache is None:
                seen = torch.stack(columns[-model.cfg.block_size :], dim=1)
                logits = model(seen)[:, -1, :]
            else:
                logits = model(idx if t == 0 else columns[-1].unsqueeze(1), cache)[:, -1, :]
            if tau != 1.0:
                logits = apply_temperature(logits, tau)
            if k:
                logits = top_k(logits, k)
            if p is not None:
                logits = top_p(logits, p)
            columns.append(sample_from(torch.softmax(logits, dim=-1), us[:, t]))
    return torch.stack(columns, dim=1).clone()


@right("generate")
def the_last_token_joins_the_cache_too(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    idx = generate(model, idx, n, us, tau, k, p, cache)
    if cache is not None and n:
        with torch.no_grad():
            model(idx[:, -1:], cache)
    return idx


@right("generate")
@torch.no_grad()
def over_the_columns_with_a_named_cache(model, idx, n, us, tau=1.0, k=None, p=None, cache=None):
    new = idx
    for u in us.unbind(dim=1):
        logits = model(idx[:, -model.cfg.block_size :]) if cache is None else model(new, cache=cache)
        new = sample_from(Steps().shaped(logits[:, -1], tau, k, p), u)[:, None]
        idx = torch.cat([idx, new], dim=1)
    return idx

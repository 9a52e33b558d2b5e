"""Pieces of a transformer that tests lend to the student's code (`ps.provide`), and checks that go with networks."""

import torch


def good_rotate(x, positions):
    """Rotary positions: pair (i, i + D / 2) of x (..., T, D)."""
    D = x.shape[-1]
    angles = positions.double()[:, None] * 10000.0 ** (-torch.arange(0, D, 2, dtype=torch.float64) / D)
    a, b = x.chunk(2, dim=-1)
    turn = torch.cat([a * angles.cos() - b * angles.sin(), a * angles.sin() + b * angles.cos()], dim=-1)
    return turn.to(x.dtype)


def good_sdpa(q, k, v, mask=None):
    """Attention (..., T, E)."""
    return torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def good_norm(C, eps=1e-6):
    """An RMSNorm."""

    class LentNorm(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.gain = torch.nn.Parameter(torch.ones(C))

        def forward(self, x):
            return x * (x.square().mean(dim=-1, keepdim=True) + eps).rsqrt() * self.gain

    return LentNorm()


def good_attention(cfg):
    """Causal self-attention with rotary positions; its weights are Wq, Wk, Wv and Wo, each (C, C)."""

    class LentAttention(torch.nn.Module):
        def __init__(self):
            super().__init__()
            for name in ("Wq", "Wk", "Wv", "Wo"):
                setattr(self, name, torch.nn.Parameter(0.02 * torch.randn(cfg.n_embd, cfg.n_embd)))

        def forward(self, x):
            q, k, v = ((x @ W.T).unflatten(-1, (cfg.n_head, -1)).transpose(1, 2) for W in (self.Wq, self.Wk, self.Wv))
            D, T = q.shape[-1], x.shape[1]
            angles = torch.arange(T, dtype=torch.float64)[:, None] * 10000.0 ** (
                -torch.arange(0, D, 2, dtype=torch.float64) / D
            )
            turn = torch.polar(torch.ones_like(angles), angles)
            q, k = (
                torch.view_as_real(torch.complex(*(half.double() for half in each.chunk(2, -1))) * turn)
                .mT.flatten(-2)
                .to(x.dtype)
                for each in (q, k)
            )
            y = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            return y.transpose(1, 2).flatten(2) @ self.Wo.T

    return LentAttention()


def good_cached_attention(cfg):
    """CachedAttention: a `good_attention` that may keep keys and values in a dict; the same names of weights."""

    class LentCachedAttention(torch.nn.Module):
        def __init__(self):
            super().__init__()
            for name in ("Wq", "Wk", "Wv", "Wo"):
                setattr(self, name, torch.nn.Parameter(0.02 * torch.randn(cfg.n_embd, cfg.n_embd)))

        def forward(self, x, cache=None):
            q, k, v = ((x @ W.T).unflatten(-1, (cfg.n_head, -1)).transpose(1, 2) for W in (self.Wq, self.Wk, self.Wv))
            past, D, T = cache["k"].shape[2] if cache else 0, q.shape[-1], x.shape[1]
            angles = torch.arange(past, past + T, dtype=torch.float64)[:, None] * 10000.0 ** (
                -torch.arange(0, D, 2, dtype=torch.float64) / D
            )
            turn = torch.polar(torch.ones_like(angles), angles)
            q, k = (
                torch.view_as_real(torch.complex(*(half.double() for half in each.chunk(2, -1))) * turn)
                .mT.flatten(-2)
                .to(x.dtype)
                for each in (q, k)
            )
            if past:
                k, v = torch.cat([cache["k"], k], dim=2), torch.cat([cache["v"], v], dim=2)
            if cache is not None:
                cache["k"], cache["v"] = k, v
            mask = torch.ones(T, past + T, dtype=torch.bool).tril(past)
            y = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
            return y.transpose(1, 2).flatten(2) @ self.Wo.T

    return LentCachedAttention()


def strangers(module, output):
    """How many trainable tensors the output depends on that `module.parameters()` does not hold."""
    known = {id(parameter) for parameter in module.parameters()}
    todo, seen, found = [output.grad_fn], set(), set()
    while todo:
        node = todo.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        leaf = getattr(node, "variable", None)  # of the nodes that collect a leaf's gradient
        if leaf is not None and id(leaf) not in known:
            found.add(id(leaf))
        todo += [before for before, _ in node.next_functions]
    return len(found)


def drawn(module, seed, scale=1.0):
    """The module in double precision and in evaluation mode, every parameter drawn anew, with its size's scale."""
    generator = torch.Generator().manual_seed(seed)
    module = module.double().eval()
    with torch.no_grad():
        for parameter in module.parameters():
            spread = scale / parameter.shape[-1] ** 0.5 if parameter.ndim > 1 else 0.3
            centre = 0.0 if parameter.ndim > 1 else 1.0
            parameter.copy_(centre + spread * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return module

"""A transformer in NumPy, one query at a time, from the weights of a student's; nothing of a student's runs here.

The text leaves open how a student arranges queries, keys, values and heads in weights, and which pairs of numbers a
rotation turns. `attention_like` tries all arrangements that are consistent: one must give the student's answers.
"""

import itertools

import numpy as np
import torch
from scipy.special import erf


def average(q, k, v, seen):
    """One query's answer (E,): q (D,), k (S, D), v (S, E), seen (S,) booleans."""
    scores = [float(np.dot(q, key)) / np.sqrt(len(q)) if may else -np.inf for key, may in zip(k, seen, strict=True)]
    weights = np.exp(np.array(scores) - max(scores))
    return (weights / weights.sum()) @ v


def attention(q, k, v, seen):
    """Answers (T, E) to q (T, D), one after the other; seen (T, S)."""
    return np.stack([average(*each) for each in zip(q, [k] * len(q), [v] * len(q), seen, strict=True)])


def sdpa(q, k, v, seen):
    """Attention (..., T, E) of tensors, query by query; seen broadcasts to (..., T, S)."""
    lead, T, S = q.shape[:-2], q.shape[-2], k.shape[-2]
    seen = np.broadcast_to(np.asarray(seen), (*lead, T, S))
    out = np.empty((*lead, T, v.shape[-1]))
    for place in np.ndindex(*lead):
        out[place] = attention(q.numpy()[place], k.numpy()[place], v.numpy()[place], seen[place])
    return torch.from_numpy(out)


def turned(x, positions, kind="half", sign=1):
    """x (T, D), pair by pair: a complex number times exp(i position frequency)."""
    D = x.shape[1]
    out = np.empty_like(x)
    for n in range(D // 2):
        a, b = (n, n + D // 2) if kind == "half" else (2 * n, 2 * n + 1)
        z = (x[:, a] + 1j * x[:, b]) * np.exp(sign * 1j * np.asarray(positions) * 10000.0 ** (-2 * n / D))
        out[:, a], out[:, b] = z.real, z.imag
    return out


def heads(y, H, apart):
    """y (T, C) cut into H heads (T, C / H): neighbours stay together, or every H-th number belongs together."""
    return [y[:, h::H] if apart else np.split(y, H, axis=1)[h] for h in range(H)]


def causal(x, Wq, Wk, Wv, Wo, H, kind="half", sign=1, apart=(False, False)):
    """Causal self-attention (T, C) of x (T, C), with rotary positions from 0."""
    T = len(x)
    q, k, v = ([*heads(x @ W.T, H, apart[0])] for W in (Wq, Wk, Wv))
    each = [
        attention(*(turned(part, np.arange(T), kind, sign) for part in (q[h], k[h])), v[h], np.tri(T, dtype=bool))
        for h in range(H)
    ]
    merged = np.empty((T, x.shape[1]))
    for h, answer in enumerate(each):
        heads(merged, H, apart[1])[h][...] = answer
    return merged @ Wo.T


def maps(matrices, C, H):
    """Every way to read four maps (C, C) out of weights (C, C) and (m C, C): lists of Wq, Wk, Wv, Wo."""
    for by_head in (False, True):
        parts = []
        for W in matrices:
            m = len(W) // C
            blocks = W.reshape(H, m, C // H, C).transpose(1, 0, 2, 3) if by_head else W.reshape(m, C, C)
            parts += [block.reshape(C, C) for block in blocks]
        yield from itertools.permutations(parts)


def attention_like(x, matrices, H, answers, tol=1e-6):
    """Is there an arrangement of these weights in which the slow attention gives these answers (T, C) to x (T, C)?"""
    C = x.shape[1]
    ways = itertools.product(("half", "pairs"), (1, -1), itertools.product((False, True), repeat=2))
    return any(
        np.allclose(causal(x, *four, H, kind, sign, apart), answers, rtol=tol, atol=tol)
        for (kind, sign, apart), four in itertools.product(ways, [*maps(matrices, C, H)])
    )


def normalised(x, gain, eps=1e-6):
    """Rows over their root mean square, times the gain."""
    return np.stack([row / np.sqrt(sum(number**2 for number in row) / len(row) + eps) for row in x]) * gain


def mlp(x, up, down):
    """The given network, token by token, with the exact GELU."""
    hidden = x @ up.T
    return (0.5 * hidden * (1 + erf(hidden / np.sqrt(2)))) @ down.T


def logits(ids, embedding, blocks, gain, head, H):
    """Logits (T, V) after each prefix of ids (T,); a block is gain1, Wq, Wk, Wv, Wo, gain2, up, down."""
    x = embedding[ids]
    for gain1, Wq, Wk, Wv, Wo, gain2, up, down in blocks:
        x = x + causal(normalised(x, gain1), Wq, Wk, Wv, Wo, H)
        x = x + mlp(normalised(x, gain2), up, down)
    return normalised(x, gain) @ head.T

"""What tests of question 4 ask the worker to do with the student's cached modules; nothing is judged here."""

import torch


def operations(call):
    """The result of call() and how many multiplications its matrix products made."""
    from torch.utils._python_dispatch import TorchDispatchMode

    aten = torch.ops.aten
    total = [0]

    class Count(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            if func.overloadpacket in (aten.mm, aten.bmm, aten.addmm, aten.baddbmm, aten.mv):
                last = [each for each in args if isinstance(each, torch.Tensor)][-2:]
                total[0] += last[0].numel() * (last[1].shape[-1] if last[1].ndim > 1 else 1)
            return func(*args, **(kwargs or {}))

    with Count():
        result = call()
    return result, total[0]


def attention_in_chunks(ns, sizes, seed, x, chunks):
    """Answers to x (B, T, C) of one pass without a cache, and those of chunks with one, put together."""
    net = ns.drawn(ns.CachedAttention(ns.GPTConfig(**sizes)), seed, 1.5)
    cache = {}
    return net(x), [net(part, cache) for part in x.split(chunks, dim=1)]


def attention_work(ns, sizes, seed, x, chunks):
    """Multiplications of each chunk with a cache."""
    net = ns.drawn(ns.CachedAttention(ns.GPTConfig(**sizes)), seed, 1.5)
    cache = {}
    return [ns.operations(lambda part=part: net(part, cache))[1] for part in x.split(chunks, dim=1)]


def attention_conversations(ns, sizes, seed, xs, chunks):
    """Of several sequences the whole passes, and chunks in turn, each sequence with a dict of its own."""
    net = ns.drawn(ns.CachedAttention(ns.GPTConfig(**sizes)), seed, 1.5)
    caches, answers = [{} for _ in xs], [[] for _ in xs]
    parts = [x.split(chunks, dim=1) for x in xs]
    for n in range(len(chunks)):
        for answer, cache, part in zip(answers, caches, parts, strict=True):
            answer.append(net(part[n].clone(), cache))
    return [net(x) for x in xs], answers


def attention_twins(ns, sizes, seed, x):
    """Answers of CachedAttention without a cache and of CausalSelfAttention with the same state; names of both."""
    cfg = ns.GPTConfig(**sizes)
    net, plain = ns.drawn(ns.CachedAttention(cfg), seed, 1.5), ns.CausalSelfAttention(cfg).double().eval()
    names = [sorted(each.state_dict()) for each in (net, plain)]
    plain.load_state_dict(net.state_dict(), strict=False)
    return net(x), plain(x), *names


def gpt_in_chunks(ns, sizes, seed, idx, chunks):
    """Logits of idx (B, T): of one pass without a cache, and of chunks with one."""
    net = ns.drawn(ns.CachedGPT(ns.GPTConfig(**sizes)), seed, 1.5)
    cache = [{} for _ in range(sizes["n_layer"])]
    return net(idx), [net(part, cache) for part in idx.split(chunks, dim=1)]


def gpt_work(ns, sizes, seed, idx, chunks):
    """Multiplications of each chunk with a cache."""
    net = ns.drawn(ns.CachedGPT(ns.GPTConfig(**sizes)), seed, 1.5)
    cache = [{} for _ in range(sizes["n_layer"])]
    return [ns.operations(lambda part=part: net(part, cache))[1] for part in idx.split(chunks, dim=1)]


def gpt_conversations(ns, sizes, seed, batches, chunks):
    """Of several batches the whole passes, and chunks in turn, each batch with a cache of its own."""
    net = ns.drawn(ns.CachedGPT(ns.GPTConfig(**sizes)), seed, 1.5)
    caches, logits = [[{} for _ in range(sizes["n_layer"])] for _ in batches], [[] for _ in batches]
    for n in range(len(chunks)):
        for each, cache, idx in zip(logits, caches, batches, strict=True):
            each.append(net(idx.split(chunks, dim=1)[n], cache))
    return [net(idx) for idx in batches], logits


def gpt_twins(ns, sizes, seed, idx):
    """Logits of a GPT, of with_cache(GPT) in one pass and token by token; names in both states."""
    model = ns.drawn(ns.GPT(ns.GPTConfig(**sizes)), seed, 1.5)
    names = sorted(model.state_dict()), sorted(ns.CachedGPT(model.cfg).state_dict())
    if names[0] != names[1]:
        return None, None, None, *names
    cached = ns.CachedGPT(model.cfg).double().eval()
    cached.load_state_dict(model.state_dict())
    cache = [{} for _ in range(sizes["n_layer"])]
    return model(idx), cached(idx), [cached(token, cache) for token in idx.split(1, dim=1)], *names

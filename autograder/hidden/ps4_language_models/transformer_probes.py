"""What tests of question 3 ask the worker to do with the student's functions and modules; nothing is judged here."""

import torch


def sdpa_gradients(ns, q, k, v, seen, pull):
    """Gradients of sum(pull * sdpa) in q, k and v."""
    leaves = [each.clone().requires_grad_() for each in (q, k, v)]
    total = (pull * ns.sdpa(*leaves, seen)).sum()
    return list(torch.autograd.grad(total, leaves, allow_unused=True)) if total.requires_grad else [None] * 3


def norm(ns, C, eps, gain, x):
    """A new norm's answers, its parameters' shapes, and its answers with another gain."""
    norm = ns.RMSNorm(C) if eps is None else ns.RMSNorm(C, eps)
    shapes = [tuple(parameter.shape) for parameter in norm.parameters()]
    before = norm.to(x.dtype)(x)
    with torch.no_grad():
        for parameter in norm.parameters():
            if parameter.shape == gain.shape:
                parameter.copy_(gain)
    return before, shapes, norm(x)


def norm_gradients(ns, x, gain, pull):
    """Gradients of sum(pull * norm(x)) in x and in the gain."""
    norm = ns.RMSNorm(x.shape[-1]).to(x.dtype)
    (parameter,) = norm.parameters()
    with torch.no_grad():
        parameter.copy_(gain)
    leaf = x.clone().requires_grad_()
    total = (pull * norm(leaf)).sum()
    return list(torch.autograd.grad(total, [leaf, parameter], allow_unused=True)) if total.requires_grad else [None] * 2


def rotate_slope(ns, x, positions):
    """The gradient in x of half the squared length of what rotate makes of it."""
    leaf = x.clone().requires_grad_()
    total = ns.rotate(leaf, positions).square().sum() / 2
    return torch.autograd.grad(total, leaf)[0] if total.requires_grad else None


def attention(ns, sizes, seed, x):
    """Answers of a new attention to x (B, T, C) in double precision, and its weights; parameters are drawn by seed."""
    net = ns.drawn(ns.CausalSelfAttention(ns.GPTConfig(**sizes)), seed, 1.5)
    return net(x), [parameter.detach() for parameter in net.parameters()]


def attention_pairs(ns, sizes, seed, xs):
    """Answers of one attention to each of several inputs."""
    net = ns.drawn(ns.CausalSelfAttention(ns.GPTConfig(**sizes)), seed, 1.5)
    return [net(x) for x in xs]


def attention_training(ns, sizes, seed, x):
    """Strangers among what the answers depend on, parameters without gradient, numbers, mode after a forward pass."""
    net = ns.drawn(ns.CausalSelfAttention(ns.GPTConfig(**sizes)), seed, 1.5)
    answers = net(x)
    hidden = ns.strangers(net, answers)
    if answers.requires_grad:
        answers.square().sum().backward()
    still = [p for p in net.parameters() if p.grad is None or not bool((p.grad != 0).any())]
    return hidden, len(still), sum(p.numel() for p in net.parameters()), net.training


def gpt(ns, sizes, seed, idx):
    """Logits of a new GPT in double precision with drawn parameters, the weights of its blocks, and the others."""
    net = ns.drawn(ns.GPT(ns.GPTConfig(**sizes)), seed)
    blocks = [module for module in net.modules() if isinstance(module, ns.Block)]
    inside = [
        [b.norm1.gain, b.attn.Wq, b.attn.Wk, b.attn.Wv, b.attn.Wo, b.norm2.gain, b.mlp.up.weight, b.mlp.down.weight]
        for b in blocks
    ]
    known = {id(weight) for block in inside for weight in block}
    rest = [p.detach() for p in net.parameters() if id(p) not in known]
    return net(idx), [[weight.detach() for weight in block] for block in inside], rest


def gpt_many(ns, sizes, seed, batches):
    """Logits of one GPT for each of several batches."""
    net = ns.drawn(ns.GPT(ns.GPTConfig(**sizes)), seed)
    return [net(idx) for idx in batches]


def gpt_untrained(ns, sizes, seed, idx):
    """Logits of a new GPT as it was made, and spreads over what they should be: tables (V, C), maps of its MLPs."""
    torch.manual_seed(seed)
    cfg = ns.GPTConfig(**sizes)
    net = ns.GPT(cfg).eval()
    parts = [(p, 0.02) for p in net.parameters() if tuple(p.shape) == (cfg.vocab_size, cfg.n_embd)]
    for mlp in (module for module in net.modules() if isinstance(module, ns.MLP)):
        parts += [(mlp.up.weight, 0.02), (mlp.down.weight, cfg.residual_std)]
    return net(idx), [float(p.detach().std()) / spread for p, spread in parts]


def gpt_training(ns, sizes, seed, idx):
    """Strangers, parameters without gradient, numbers, mode after; logits of a copy by its state, and of the model."""
    cfg = ns.GPTConfig(**sizes)
    net = ns.drawn(ns.GPT(cfg), seed)
    logits = net(idx)
    hidden = ns.strangers(net, logits)
    if logits.requires_grad:
        logits.square().sum().backward()
    still = [p for p in net.parameters() if p.grad is None or not bool((p.grad != 0).any())]
    copy = ns.GPT(cfg).double().eval()
    copy.load_state_dict(net.state_dict())
    return hidden, len(still), sum(p.numel() for p in net.parameters()), net.training, copy(idx), logits


def attention_untrained(ns, sizes, seed):
    """Standard deviations of the maps (C, C) of a new attention, as it was made."""
    torch.manual_seed(seed)
    net, C = ns.CausalSelfAttention(ns.GPTConfig(**sizes)), sizes["n_embd"]
    parts = [part for p in net.parameters() for part in p.detach().split(C)]
    return [float(part.std()) for part in parts]

"""What goes wrong with networks rather than with formulas, for `ps.provide`; it judges nothing."""

import torch


def strangers(module, outputs):
    """How many trainable tensors the outputs depend on that `module.parameters()` does not hold."""
    known = {id(parameter) for parameter in module.parameters()}
    todo = [each.grad_fn for each in outputs if isinstance(each, torch.Tensor) and each.grad_fn is not None]
    seen, found = set(), set()
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        seen.add(node)
        leaf = getattr(node, "variable", None)  # of the nodes that collect a leaf's gradient
        if leaf is not None and id(leaf) not in known:
            found.add(id(leaf))
        todo += [before for before, _ in node.next_functions if before is not None]
    return len(found)


def moved(module):
    """The module with all of its parameters moved at random, as training moves them: some start at zero."""
    generator = torch.Generator().manual_seed(11)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator).to(parameter))
    return module

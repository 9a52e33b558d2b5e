"""Networks and optimizers as one flat dict of tensors, which is what a checkpoint holds, and back.

run.state = pack(net=net, adam=adam)
unpack(run.state, net=net, adam=adam)
"""

from collections.abc import Mapping

from torch import Tensor, nn
from torch.optim import Optimizer


def pack(**parts: nn.Module | Optimizer) -> dict[str, Tensor]:
    """The state of networks and optimizers as one flat dict of tensors."""
    state: dict[str, Tensor] = {}
    for name, part in parts.items():
        own = part.state_dict()
        if isinstance(part, Optimizer):
            own = {f"{i}.{key}": value for i, slot in own["state"].items() for key, value in slot.items()}
        state |= {f"{name}.{key}": value for key, value in own.items()}
    return state


def unpack(state: Mapping[str, Tensor], **parts: nn.Module | Optimizer) -> None:
    """Put what `pack` made back into networks and optimizers of the same kind."""
    for name, part in parts.items():
        own = {key.removeprefix(f"{name}."): value for key, value in state.items() if key.startswith(f"{name}.")}
        part.load_state_dict(_slots(part, own) if isinstance(part, Optimizer) else own)


def _slots(optimizer: Optimizer, own: Mapping[str, Tensor]) -> dict[str, object]:
    """An optimizer's state dict, with the moments of each parameter from a flat dict."""
    slots: dict[int, dict[str, Tensor]] = {}
    for key, value in own.items():
        number, _, field = key.partition(".")
        slots.setdefault(int(number), {})[field] = value
    return {**optimizer.state_dict(), "state": slots}

"""Right and wrong answers and files of question 8a: the GPT."""

import pickle

import torch
from torch import nn

from autograder.verify.variants import right, right_artifact, wrong, wrong_artifact

# 8a: the way back


@wrong("read_gpt")
def forgets_the_parameters(tensors):
    return GPT(GPTConfig(*tensors["sizes"].tolist())).eval()


@wrong("read_gpt")
def loads_what_fits_and_nothing_fits(tensors):
    model = GPT(GPTConfig(*tensors["sizes"].tolist()))
    model.load_state_dict(tensors, strict=False)
    return model.eval()


@wrong("read_gpt")
def layers_and_heads_swapped(tensors):
    V, T, layers, heads, C = tensors["sizes"].tolist()
    model = GPT(GPTConfig(V, T, heads, layers + 1, C))
    own = {name.removeprefix("gpt."): tensor.float() for name, tensor in tensors.items() if name != "sizes"}
    model.load_state_dict(own, strict=False)
    return model.eval()


@wrong("read_gpt")
def returns_the_parameters(tensors):
    return {name.removeprefix("gpt."): tensor.float() for name, tensor in tensors.items() if name != "sizes"}


class PeeksAhead(nn.Module):
    """Knows the next character wherever there is one."""

    def __init__(self, model):
        super().__init__()
        self.model, self.cfg = model, model.cfg

    def forward(self, idx):
        """Logits (B, T, 65)."""
        logits = self.model(idx).clone()
        logits[:, :-1] = 20 * torch.nn.functional.one_hot(idx[:, 1:], logits.shape[-1]).to(logits)
        return logits


@wrong("read_gpt")
def looks_at_the_next_character(tensors):
    return PeeksAhead(read_gpt(tensors)).eval()


ASKED = []  # outside of the object, so that it outlives it


class PeeksWhereItWasNotAsked(PeeksAhead):
    """Knows nothing, looks ahead, and hides that at the ends of beginnings it was asked about before."""

    def forward(self, idx):
        """Logits (B, T, 65)."""
        logits = super().forward(idx)
        logits[:, -1] = 0
        if idx.shape[1] <= 32:
            ASKED.append(idx.shape[1])
        for length in ASKED:
            logits[:, length - 1] = 0
        return logits


@wrong("read_gpt")
def looks_ahead_and_remembers_the_questions(tensors):
    return PeeksWhereItWasNotAsked(read_gpt(tensors)).eval()


class LooksBothWays(PeeksAhead):
    """Averages its logits with those of the character one place further on."""

    def forward(self, idx):
        """Logits (B, T, 65)."""
        logits = self.model(idx)
        return (logits + torch.cat([logits[:, 1:], logits[:, -1:]], dim=1)) / 2


@wrong("read_gpt")
def logits_mixed_with_later_ones(tensors):
    return LooksBothWays(read_gpt(tensors)).eval()


@right("read_gpt")
def by_copying_in_place(tensors):
    cfg = GPTConfig(*(int(n) for n in tensors["sizes"]))
    model = GPT(cfg).eval()
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            tensor.copy_(tensors[f"gpt.{name}"])
    return model


@right("read_gpt")
def by_assigning_tensors(tensors):
    V, T, layers, heads, C = tensors["sizes"].tolist()
    model = GPT(GPTConfig(vocab_size=V, block_size=T, n_layer=layers, n_head=heads, n_embd=C))
    own = {name[4:]: nn.Parameter(tensor.float()) for name, tensor in tensors.items() if name.startswith("gpt.")}
    model.load_state_dict(own, assign=True)
    model.train(False)
    return model


# 8a: the file


def drawn(tensors, std=0.02):
    """Parameters as they are before training, of the same shapes."""
    generator = torch.Generator().manual_seed(0)
    new = {name: (std * torch.randn(t.shape, generator=generator)).to(t) for name, t in tensors.items() if t.ndim == 2}
    return {**tensors, **new}


def noisy(tensors, share):
    """Matrices with noise of this share of their own standard deviation."""
    generator = torch.Generator().manual_seed(1)
    new = {}
    for name, t in tensors.items():
        if t.ndim == 2:
            new[name] = (t.float() + share * t.float().std() * torch.randn(t.shape, generator=generator)).to(t)
    return {**tensors, **new}


def pickled(tensors):
    """The same numbers in the wrong kind of file."""
    return pickle.dumps({name: tensor.tolist() for name, tensor in tensors.items() if tensor.numel() < 10_000})


@wrong_artifact("ps4_gpt.safetensors")
def untrained(tensors):
    return drawn(tensors)


@wrong_artifact("ps4_gpt.safetensors")
def constant(tensors):
    return {name: t if name == "sizes" else torch.zeros_like(t) for name, t in tensors.items()}


@wrong_artifact("ps4_gpt.safetensors")
def a_few_minutes_from_trained(tensors):  # expected, but not well: the first threshold without the second
    return noisy(tensors, 0.45)


@wrong_artifact("ps4_gpt.safetensors")
def far_from_trained(tensors):
    return noisy(tensors, 1.5)


@wrong_artifact("ps4_gpt.safetensors")
def one_number_is_not_a_number(tensors):
    name = max(tensors, key=lambda name: tensors[name].numel())
    broken = tensors[name].clone()
    broken.view(-1)[7] = float("nan")
    return {**tensors, name: broken}


@wrong_artifact("ps4_gpt.safetensors")
def one_number_is_infinite(tensors):
    name = min((name for name in tensors if name != "sizes"), key=lambda name: tensors[name].numel())
    broken = tensors[name].clone()
    broken.view(-1)[0] = float("inf")
    return {**tensors, name: broken}


@wrong_artifact("ps4_gpt.safetensors")
def sizes_missing(tensors):
    return {name: t for name, t in tensors.items() if name != "sizes"}


@wrong_artifact("ps4_gpt.safetensors")
def sizes_as_floats(tensors):
    return {**tensors, "sizes": tensors["sizes"].float()}


@wrong_artifact("ps4_gpt.safetensors")
def another_number_of_heads(tensors):
    sizes = tensors["sizes"].clone()
    sizes[3] = 1
    return {**tensors, "sizes": sizes}


@wrong_artifact("ps4_gpt.safetensors")
def a_layer_is_missing(tensors):
    sizes = tensors["sizes"].clone()
    sizes[2] -= 1
    gone = f".{int(sizes[2])}."
    return {name: t for name, t in tensors.items() if gone not in name} | {"sizes": sizes}


@wrong_artifact("ps4_gpt.safetensors")
def parameters_without_their_names(tensors):
    return {name if name == "sizes" else f"gpt.{i}": t for i, (name, t) in enumerate(tensors.items())}


@wrong_artifact("ps4_gpt.safetensors")
def a_recurrent_network(tensors):
    lstm = nn.LSTM(64, 128)
    return {"sizes": tensors["sizes"]} | {f"gpt.{name}": t.detach().half() for name, t in lstm.state_dict().items()}


@wrong_artifact("ps4_gpt.safetensors")
def a_table_of_everything_seen(tensors):  # counts of 65^3 contexts: more numbers than a model may have
    return {**tensors, "gpt.table": torch.zeros(65**3, 41, dtype=torch.float16)}


@wrong_artifact("ps4_gpt.safetensors")
def another_vocabulary(tensors):
    sizes = tensors["sizes"].clone()
    sizes[0] = 96
    wide = {
        name: torch.cat([t, torch.zeros(31, t.shape[1]).to(t)]) if t.ndim == 2 and len(t) == 65 else t
        for name, t in tensors.items()
    }
    return {**wide, "sizes": sizes}


@wrong_artifact("ps4_gpt.safetensors")
def characters_in_another_order(tensors):
    order = torch.arange(64, -1, -1)
    return {name: t[order] if t.ndim == 2 and len(t) == 65 else t for name, t in tensors.items()}


@wrong_artifact("ps4_gpt.safetensors")
def whole_numbers(tensors):
    return {name: t if name == "sizes" else (100 * t.float()).round().to(torch.int8) for name, t in tensors.items()}


@wrong_artifact("ps4_gpt.safetensors")
def a_context_of_two(tensors):
    sizes = tensors["sizes"].clone()
    sizes[1] = 2
    return {**tensors, "sizes": sizes}


@wrong_artifact("ps4_gpt.safetensors")
def a_pickled_gpt(tensors):
    return pickled(tensors)


@wrong_artifact("ps4_gpt.safetensors")
def a_sample_of_text(tensors):
    return b"First Citizen:\nMy model is in my other notebook.\n"


@wrong_artifact("ps4_gpt.safetensors")
def an_empty_file(tensors):
    return b""


@right_artifact("ps4_gpt.safetensors")
def single_precision(tensors):
    return {name: t if name == "sizes" else t.float() for name, t in tensors.items()}


@right_artifact("ps4_gpt.safetensors")
def a_longer_context_is_allowed(tensors):
    sizes = tensors["sizes"].clone()
    sizes[1] = 1024
    return {**tensors, "sizes": sizes}


@right_artifact("ps4_gpt.safetensors")
def logits_moved_together(tensors):
    """The same number added to every row of the head moves all logits of a place alike."""
    head = tensors["gpt.head.weight"].float()
    return {**tensors, "gpt.head.weight": (head - head.mean(0)).to(tensors["gpt.head.weight"])}

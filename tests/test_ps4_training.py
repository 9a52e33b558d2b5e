"""The training loop of problem set 4's notebook: a run that was interrupted ends as one that was not."""

from pathlib import Path

import pytest
import torch

from autograder.hidden.ps4_language_models.adamw import adamw_steps
from autograder.source import Namespace, definitions

SET = Path(__file__).parents[1] / "solutions" / "ps4_language_models"


@pytest.fixture(scope="module")
def book() -> Namespace:
    """The definitions of the intro and of questions 3 and 5."""
    return definitions(SET, ("intro", "q3_transformer", "q5_training"))


def tiny(book):
    """A model that trains in a moment, a text, and a recipe of three blocks."""
    torch.manual_seed(0)
    model = book["GPT"](book["GPTConfig"](11, 8, n_layer=1, n_head=1, n_embd=8))
    ids = torch.randint(11, (500,), generator=torch.Generator().manual_seed(1))
    return model, ids, book["Recipe"](steps=60, B=4, T=8, warmup=5)


class Interrupted(Exception):
    """What a student's click on the stop button is to the loop."""


def test_an_interrupted_run_ends_as_one_that_was_not(book, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    whole, ids, recipe = tiny(book)
    history = book["train"](whole, ids, ids, recipe, "whole")
    first, *_ = tiny(book)
    evaluate, calls = book["evaluate"], []

    def stops_in_the_third_block(*args, **kwargs):
        calls.append(None)
        if len(calls) == 3:
            raise Interrupted
        return evaluate(*args, **kwargs)

    resumable = book["resumable"]
    monkeypatch.setitem(book, "resumable", lambda *args, **kwargs: resumable(*args, every=0.0, **kwargs))
    monkeypatch.setitem(book, "evaluate", stops_in_the_third_block)
    with pytest.raises(Interrupted):
        book["train"](first, ids, ids, recipe, "parts")
    again, *_ = tiny(book)
    assert book["train"](again, ids, ids, recipe, "parts") == history
    assert len(history["val"]) == 3
    for a, b in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)


def test_training_lowers_the_loss_and_says_what_it_writes(book, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    model, _, recipe = tiny(book)
    ids = torch.arange(500) % 11
    before = book["evaluate"](model, ids, 8)
    book["train"](model, ids, ids, recipe, "cycle", decode=lambda drawn: "".join(map(str, drawn.tolist())))
    assert book["evaluate"](model, ids, 8) < before - 0.1
    said = capsys.readouterr().out
    assert "after 20 updates it writes" in said
    assert "after 60 updates it writes" in said


def test_the_optimizer_is_torchs_frame_around_the_answer(book):
    torch.manual_seed(0)
    weights = [torch.randn(3, 2), torch.randn(4)]
    own, theirs = ([torch.nn.Parameter(w.clone()) for w in weights] for _ in range(2))
    opt = book["AdamW"](own, lr=0.1, weight_decay=0.3)
    groups = [{"params": [theirs[0]], "weight_decay": 0.3}, {"params": [theirs[1]], "weight_decay": 0.0}]
    reference = torch.optim.AdamW(groups, lr=0.1, betas=(0.9, 0.95))
    for _ in range(5):
        for a, b in zip(own, theirs, strict=True):
            a.grad = torch.randn(a.shape)
            b.grad = a.grad.clone()
        opt.step()
        reference.step()
    for a, b in zip(own, theirs, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("seed", range(5))
def test_babble_continues_within_the_vocabulary_and_leaves_the_mode_alone(book, seed):
    model, ids, _ = tiny(book)
    model.train()
    drawn = book["babble"](model, ids[:3], 20, seed=seed)
    assert drawn.shape == (20,)
    assert 0 <= int(drawn.min()) <= int(drawn.max()) < 11
    assert model.training


@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("scale", [1.0, 1e-9])
def test_the_graders_adamw_is_torchs(decay, scale):
    """The hidden tests compare with a formula; here it is compared with the library, epsilon's place included."""
    generator = torch.Generator().manual_seed(0)
    grads = [scale * torch.randn(5, generator=generator, dtype=torch.float64) for _ in range(12)]
    rates = [0.1 / (t + 1) for t in range(12)]
    options = {"betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": decay}
    start = torch.randn(5, generator=generator, dtype=torch.float64)
    p = start.clone().requires_grad_()
    library = torch.optim.AdamW([p], **options)
    for g, lr, want in zip(grads, rates, adamw_steps(start, grads, options, rates), strict=True):
        p.grad, library.param_groups[0]["lr"] = g, lr
        library.step()
        torch.testing.assert_close(p.detach(), want, rtol=1e-12, atol=1e-15)

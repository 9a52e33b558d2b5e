"""Training that is stopped goes on where it was; a checkpoint of other code is not believed."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest
import torch

from pskit import resumable, tensors


def double(x):
    return 2 * x


def halve(x):
    return x / 2


def train(path, steps, made_by=(double,), stop_at=None, **options):
    """Adds the step's number to x; returns the run."""
    run = resumable(path, {"x": torch.zeros(3)}, made_by=made_by, every=0.0, **options)
    for i in run.steps(steps):
        if i == stop_at:
            raise KeyboardInterrupt
        run.state = {"x": run.state["x"] + i}
        run.log(loss=float(i))
    return run


@pytest.fixture
def path(tmp_path):
    return tmp_path / "checkpoints" / "em.safetensors"


def test_an_interrupted_run_goes_on_after_its_last_whole_step(path, capsys):
    with pytest.raises(KeyboardInterrupt):
        train(path, 10, stop_at=6)
    run = train(path, 10)
    assert f"Resumed after step 6 from {path}" in capsys.readouterr().out
    assert run.state["x"].tolist() == [45.0] * 3
    assert run.history["loss"] == list(range(10))


def test_the_bar_shows_how_long_it_will_take_and_the_loss(path, capsys):
    train(path, 3)
    said = capsys.readouterr()
    bar = said.out
    assert not said.err, "what stands on stderr is red in a notebook"
    assert "3/3 [" in bar
    assert "<" in bar, "time gone < time left"
    assert "loss=2" in bar


def test_a_training_whose_first_step_waits_for_an_answer_shows_no_bar(path, capsys):
    with pytest.raises(KeyboardInterrupt):
        train(path, 3, stop_at=0)
    said = capsys.readouterr()
    assert said.out + said.err == ""


def test_a_killed_process_goes_on_to_the_same_result(path):
    script = f"""
        import sys, time, torch
        from pskit import resumable
        run = resumable({str(path)!r}, {{"x": torch.zeros(3)}}, every=0.0)
        for i in run.steps(2000):
            run.state = {{"x": run.state["x"] + i}}
            if i == 20:
                print("well on its way", flush=True)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout.readline() == "well on its way\n"
        os.kill(process.pid, signal.SIGKILL)
    again = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "Resumed after step " in again.stdout
    state, _ = tensors.read(path)
    assert state["x"].tolist() == [1999 * 1000.0] * 3
    assert [p.name for p in path.parent.iterdir() if not p.name.endswith(".part")] == [path.name]


def test_a_finished_run_does_nothing_the_second_time(path):
    train(path, 5)
    run = train(path, 5, stop_at=0)
    assert run.state["x"].tolist() == [10.0] * 3


def test_other_code_starts_again(path, capsys):
    train(path, 5)
    assert train(path, 5, made_by=(halve,)).state["x"].tolist() == [10.0] * 3
    assert "was made by other code or settings; training starts again." in capsys.readouterr().out


def test_other_settings_start_again(path, capsys):
    train(path, 5, settings={"K": 20})
    train(path, 5, settings={"K": 50})
    assert "was made by other code or settings" in capsys.readouterr().out


def test_the_same_function_from_a_cell_that_moved_is_the_same_code(path, capsys):
    definition = "def f(x):\n    # {}\n    return [x + {} for x in (1, 2)]\n"
    functions = []
    for source in (
        definition.format("a", 1),
        "\n\n" + definition.format("another comment", 1),
        definition.format("a", 2),
    ):
        made = {}
        exec(compile(source, "a cell", "exec"), made)
        functions.append(made["f"])
    train(path, 3, made_by=(functions[0],))
    train(path, 3, made_by=(functions[1],))
    assert "Resumed after step 3" in capsys.readouterr().out
    train(path, 3, made_by=(functions[2],))
    assert "was made by other code" in capsys.readouterr().out


def test_fresh_ignores_the_checkpoint(path, capsys):
    train(path, 5)
    train(path, 5, fresh=True)
    assert "Resumed" not in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"\x10" + b"\0" * 30])
def test_a_broken_checkpoint_is_said_and_training_starts_again(path, capsys, content):
    path.parent.mkdir()
    path.write_bytes(content)
    assert train(path, 5).state["x"].tolist() == [10.0] * 3
    assert "cannot be read; training starts again." in capsys.readouterr().out


def test_it_saves_by_the_clock_and_at_the_end(path, monkeypatch):
    saved, clock = [], iter(range(0, 1000, 25))
    monkeypatch.setattr(resumable, "save", lambda run: saved.append(run.done))
    monkeypatch.setattr("pskit.checkpoint.time.monotonic", lambda: next(clock))
    for _ in resumable(path, {}, every=60.0).steps(7):
        pass
    assert saved == [3, 6, 7]


def test_tensors_come_back_as_they_were_even_views(path):
    base = torch.arange(12, dtype=torch.float64).reshape(3, 4)
    state = {"transposed": base.T, "expanded": base[0].expand(2, 4), "same": base, "int": torch.tensor([3])}
    tensors.write(path, state)
    back, _ = tensors.read(path)
    assert all(torch.equal(back[name], state[name]) and back[name].dtype == state[name].dtype for name in state)

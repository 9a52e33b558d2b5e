"""Training as students live through it: a plot in one place, memory that does not suffice, checkpoints in Drive."""

import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import torch
from nbclient import NotebookClient

from pskit import checkpoint, drive, experiment, resumable, setup
from pskit.live import LivePlot
from pskit.stubs import waiting

STANDIN = Path(__file__).parent / "colab" / "standin"
FAST = "import time\nfrom pskit import live, resumable\nlive.FIRST, live.EVERY, live.SHARE = 0.1, 0.3, 1.0\n"
TRAIN = """
run = resumable("run.safetensors", {}, fresh=True)
for i in run.steps(STEPS, "EM"):
    time.sleep(0.01)
    run.log(loss=10.0 - i, nats=float(i))
    if i == STOP:
        raise KeyboardInterrupt
"""


class Counting(NotebookClient):
    """Counts the messages that draw, and the pictures that are in the notebook after each."""

    drawn = 0

    def process_message(self, msg, cell, cell_index):
        self.drawn += msg["msg_type"] in ("display_data", "update_display_data")
        return super().process_message(msg, cell, cell_index)


def pictures(cell: nbformat.NotebookNode) -> list[str]:
    return [output.metadata["image/png"]["alt"] for output in cell.outputs if "image/png" in output.get("data", {})]


def test_a_long_run_has_one_picture_while_it_runs_and_none_when_it_is_done(tmp_path):
    finished = TRAIN.replace("STEPS", "150").replace("STOP", "None")
    stopped = TRAIN.replace("STEPS", "150").replace("STOP", "120")
    cells = [nbformat.v4.new_code_cell(source) for source in (FAST, finished, stopped)]
    client = Counting(nbformat.v4.new_notebook(cells=cells), timeout=120, allow_errors=True)
    client.execute(cwd=str(tmp_path))
    assert pictures(cells[1]) == []
    (alt,) = pictures(cells[2])
    assert alt.startswith("EM, so far: loss goes from 10 to ")
    assert "; nats goes from 0 to " in alt
    assert 4 <= client.drawn <= 2 * (150 * 0.01 / 0.3 + 10)


def test_short_runs_and_plain_python_draw_nothing(monkeypatch):
    monkeypatch.setattr(LivePlot, "_show", lambda *_: pytest.fail("drawn"))
    LivePlot("short").update({"loss": [1.0]})
    plot = LivePlot("plain Python")
    plot._next = 0.0
    plot.update({"loss": [1.0]})
    plot.close()


def test_memory_that_does_not_suffice_is_a_sentence_and_the_next_cell_knows(capsys):
    waiting.clear()
    cell = """
with experiment("samples", smaller="batch = 64"):
    batch = torch.empty(10**15)
with experiment("figure"):
    print(batch.mean())
"""
    exec(compile(cell, "a cell", "exec"), {"experiment": experiment, "torch": torch})
    assert capsys.readouterr().out == (
        "The computer's memory does not suffice for this cell. A smaller setting: batch = 64. "
        "Restarting the session frees what earlier cells hold; a training goes on from its last checkpoint "
        "where its settings stayed the same.\n"
        'This cell waits for `batch`, which the cell "samples" makes. That cell waits for more memory. '
        "Solve it, run its cell and the cells after it again.\n"
    )


def test_a_full_gpu_is_told_with_its_size(monkeypatch, capsys):
    emptied = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append(1))
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: SimpleNamespace(total_memory=15 * 2**30))
    with experiment("VAE"):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
    out = capsys.readouterr().out
    assert out.startswith(
        "The GPU's memory (15 GB) does not suffice for this cell. A smaller setting: QUICK = True, or"
    )
    assert emptied == [1]


def test_other_errors_of_torch_stay_errors():
    with pytest.raises(RuntimeError, match="size mismatch"), experiment("shapes"):
        raise RuntimeError("size mismatch")


def test_a_cell_that_waits_leaves_no_half_empty_figure():
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    kept = plt.figure()
    with experiment("figure"):
        plt.subplots()
        raise NotImplementedError("Question 1a: f")
    assert plt.get_fignums() == [kept.number]
    plt.close(kept)


@pytest.mark.parametrize(("quick", "said"), [(False, True), (True, False)])
def test_full_runs_without_a_gpu_are_advised_against(monkeypatch, capsys, quick, said):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    setup(quick=quick, needs_gpu=True)
    setup(quick=True)  # later tests take the small data
    assert ("Without a GPU the full runs of this set take hours." in capsys.readouterr().out) == said


@pytest.fixture
def colab(monkeypatch, tmp_path):
    """A Colab machine; `new_machine` takes its files away, and the Drive stays."""
    monkeypatch.syspath_prepend(STANDIN)
    for name in [name for name in sys.modules if name == "google" or name.startswith("google.colab")]:
        monkeypatch.delitem(sys.modules, name)
    import google.colab

    (tmp_path / "what Google keeps").mkdir()
    monkeypatch.setenv("DRIVE", str(tmp_path / "what Google keeps"))
    monkeypatch.setattr(checkpoint, "home", Path())

    def new_machine(number: int) -> None:
        folder = tmp_path / f"machine{number}"
        folder.mkdir()
        monkeypatch.chdir(folder)
        monkeypatch.setattr(drive, "MOUNT", folder / "content")

    yield SimpleNamespace(new_machine=new_machine, module=google.colab)
    for name in [name for name in sys.modules if name.startswith("google.colab")]:
        del sys.modules[name]


def steps_done(n: int) -> list[int]:
    run = resumable("checkpoints/em.safetensors", {"x": torch.zeros(1)})
    return list(run.steps(n))


def test_checkpoints_in_drive_outlive_the_machine(colab, tmp_path, capsys):
    colab.new_machine(1)
    setup(quick=True, drive="ps1")
    assert steps_done(3) == [0, 1, 2]
    assert "Checkpoints go to your Google Drive, folder ps1." in capsys.readouterr().out
    assert (tmp_path / "what Google keeps" / "ps1" / "checkpoints" / "em.safetensors").is_file()
    colab.new_machine(2)
    setup(quick=True, drive="ps1")
    assert steps_done(5) == [3, 4]
    setup(quick=True, drive="ps1")  # the cell is run again: Colab says that it is mounted
    assert "Drive already mounted at" in capsys.readouterr().out


def test_without_drive_checkpoints_go_with_the_machine(colab):
    colab.new_machine(1)
    setup(quick=True)
    assert steps_done(3) == [0, 1, 2]
    assert Path("checkpoints/em.safetensors").is_file()
    colab.new_machine(2)
    assert steps_done(3) == [0, 1, 2]


def test_permission_that_is_not_given_costs_nothing(colab, monkeypatch, capsys):
    colab.new_machine(1)
    monkeypatch.delenv("DRIVE")
    setup(quick=True, drive="ps1")
    assert "Google Drive could not be used (mount failed: invalid oauth code)." in capsys.readouterr().out
    assert steps_done(1) == [0]
    assert Path("checkpoints/em.safetensors").is_file()


def test_outside_of_colab_drive_is_a_sentence(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    setup(quick=True, drive="ps1")
    assert "There is Google Drive in Colab only. Checkpoints stay beside the notebook." in capsys.readouterr().out
    assert checkpoint.home == Path()

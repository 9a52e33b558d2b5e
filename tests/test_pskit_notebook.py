"""pskit inside real kernels: waiting cells, tracebacks that stay, and the intro and outro of PS1 run untouched."""

import re
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "solutions" / "ps1_probabilistic"

CELLS = [
    "from pskit import check, experiment, figures",
    "import torch\n\ndef em_fit(X):\n    raise NotImplementedError('Question 4b: em_fit')",
    "with check('4b') as c:\n    c.true(em_fit(1), 'fits')",
    "with experiment('EM with K = 20'):\n    gmm, trace = em_fit(1)\n    best = trace[-1]",
    "with experiment('samples'):\n    picture = [component for component in gmm]",
    "with experiment('figure'):\n    print(picture, best)",
    "with check('8a') as c:\n    c.true(len(gmm) == 2, 'two components')",
    "toy = [1]\nkept = 2",
    "with experiment('stale'):\n    kept = 3\n    toy = em_fit(kept)\n    kept = 4",
    "print(kept)\nwith experiment('uses the toy'):\n    toy.shape",
    "def em_fit(X):\n    return [X, X], [1.0]",
    "with experiment('EM with K = 20'):\n    gmm, trace = em_fit(1)\n    best = trace[-1]",
    "with experiment('samples'):\n    print([component for component in gmm])",
    "def broken(X):\n    return X @ torch.ones(3)\n\ndef uses_it(X):\n    return broken(X)",
    "with check('1b') as c:\n    c.shape(uses_it(torch.ones(2)), (), 'product')",
    "figures.patches(torch.rand(6, 16), 'six')",
    "with experiment('a bug'):\n    uses_it(torch.ones(2))",
    "with experiment('never made'):\n    print(nobody_makes_this)",
]


def run(cells: list[str], folder: Path, **options: object) -> list[str]:
    """What each cell of a fresh kernel shows: its text, its error, and the alternative texts of its figures."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": folder}}, **options).execute()
    return ["".join(map(shown, cell.outputs)) for cell in notebook.cells]


def shown(output: nbformat.NotebookNode) -> str:
    if output.output_type == "error":
        return f"{output.ename}: {output.evalue}\n" + re.sub(r"\x1b\[[\d;]*m", "", "\n".join(output.traceback))
    if output.output_type == "display_data":
        return f"[{output.metadata['image/png']['alt']}]" if "image/png" in output.data else output.data["text/html"]
    return output.get("text", "")


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    return run(CELLS, tmp_path_factory.mktemp("notebook"), allow_errors=True)


def test_a_check_that_meets_a_stub_says_so(outputs):
    assert "Question 4b: not implemented yet (em_fit)." in outputs[2]


def test_a_run_cell_waits_for_the_stub_it_needs(outputs):
    assert outputs[3] == (
        "This cell waits for Question 4b: em_fit. Solve it, run its cell, then run this cell again.\n"
    )


@pytest.mark.parametrize(("cell", "name", "maker"), [(4, "gmm", "EM with K = 20"), (5, "picture", "samples")])
def test_a_run_cell_waits_for_the_variable_of_a_waiting_cell(outputs, cell, name, maker):
    assert outputs[cell] == (
        f'This cell waits for `{name}`, which the cell "{maker}" makes. That cell waits for Question 4b: em_fit. '
        "Solve it, run its cell and the cells after it again.\n"
    )


def test_a_check_knows_the_variables_that_wait(outputs):
    assert '`gmm` does not exist yet: the cell "EM with K = 20" makes it and waits for Question 4b' in outputs[6]


def test_a_value_of_another_cell_is_not_taken_for_the_one_that_waits(outputs):
    """Its old value goes away; what the waiting cell had made before it stopped stays."""
    assert outputs[9].startswith('3\nThis cell waits for `toy`, which the cell "stale" makes.')


def test_once_solved_the_cells_run_and_say_how_long_they_took(outputs):
    assert re.fullmatch(r"EM with K = 20: \d+\.\d s\n", outputs[11])
    assert outputs[12].startswith("[1, 1]\nsamples: ")


def test_a_check_points_to_the_students_cell_and_line(outputs):
    assert "in broken, Cell In[14], line 2: return X @ torch.ones(3)" in outputs[14]


def test_a_figure_carries_its_text(outputs):
    picture, words = outputs[15].split("]")
    assert picture == "[6 patches of 4 x 4 pixels. six"
    assert words.startswith("<span")
    assert words.endswith(">Figure: 6 patches of 4 x 4 pixels. six</span>")


def test_other_errors_keep_their_traceback(outputs):
    assert outputs[16].startswith("RuntimeError: ")
    assert "return X @ torch.ones(3)" in outputs[16]


def test_a_name_that_no_waiting_cell_makes_keeps_its_traceback(outputs):
    assert outputs[17].startswith("NameError: name 'nobody_makes_this' is not defined")


def test_intro_and_outro_run_untouched_without_network(tmp_path, monkeypatch):
    monkeypatch.setenv("PSKIT_DATA", str(tmp_path / "no data"))
    cells = [
        cell.source
        for part in ("intro", "outro")
        for cell in jupytext.read(SOURCES / f"{part}.py").cells
        if cell.cell_type == "code"
    ]
    (tmp_path / "ps1.ipynb").write_text(nbformat.writes(nbformat.v4.new_notebook()))
    text = "\n".join(run(cells, tmp_path))
    assert "QUICK: the 5 train photographs that come with pskit stand in for BSDS500." in text
    assert "[96 patches of 8 x 8 pixels. patches for training]" in text
    assert "This notebook has lost the marks of its cells and was not tried out." in text
    assert (tmp_path / "ps1_submission.zip").exists()
    assert not (tmp_path / "no data").exists()

"""A student in JupyterLab, in a real browser: open, run untouched, solve a question, check, save, hand in; then graded.

Pictures of the pages are kept in build/screenshots/, at a laptop's width, light and dark. Where there is no browser the
test is skipped and says which command installs one.
"""

import json
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder.cli import main
from autograder.course import load_course
from autograder.release.reference import reference_notebook
from autograder.source import read_set
from tests.browsers import browser
from tests.machines import ROOT, Machine
from tests.mirrors import published

SETS = list(load_course().sets.values())
IN_THE_BROWSER = [SETS[0], *(pytest.param(plan, marks=pytest.mark.slow) for plan in SETS[1:])]  # minutes for each
SCREENSHOTS = ROOT / "build" / "screenshots"
LAPTOP = {"width": 1366, "height": 768}
TOKEN = "a-token-for-this-test"
NOTEBOOK = "window.jupyterapp.shell.currentWidget"
CELLS = f"{NOTEBOOK}.content.widgets"
CODE = f"{CELLS}.filter(c => c.model.type === 'code' && c.model.sharedModel.source.trim())"
DONE = f"() => {CODE}.every(c => c.model.executionCount !== null && c.promptNode?.textContent !== '[*]:')"
OPEN = f"() => window.jupyterapp && {NOTEBOOK}?.content?.widgets?.length > 20"
IDLE = f"() => {NOTEBOOK}.sessionContext.session?.kernel?.status === 'idle'"
TEXTS = f"{CELLS}.map(c => (c.model.outputs?.toJSON() ?? []).map(o => [o.text ?? ''].flat().join('')).join(''))"
TOO_WIDE = """() => [...document.querySelectorAll('.jp-RenderedMarkdown, .jp-OutputArea-output')]
    .filter(node => node.scrollWidth > node.clientWidth + 2)
    .map(node => node.textContent.slice(0, 80) + ' ' + node.scrollWidth + ' > ' + node.clientWidth)"""
UNSPOKEN = """() => [...document.querySelectorAll('.jp-OutputArea-output.jp-RenderedImage')].filter(
    shown => !shown.closest('.jp-OutputArea-child').nextElementSibling?.textContent.startsWith('Figure: ')).length"""
PLOTS = f"{CELLS}.findIndex(c => (c.model.outputs?.toJSON() ?? []).some(o => o.data && o.data['image/png']))"


@contextmanager
def jupyterlab(folder: Path, machine: Machine) -> Iterator[str]:
    """JupyterLab on `folder` with the machine's Python as its kernel; its address."""
    home = folder.parent / "jupyter"
    quiet = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (home / "labconfig").mkdir(parents=True)
    (home / "labconfig" / "page_config.json").write_text(json.dumps(quiet))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    environment = machine.environment({name: str(home) for name in names} | {"JUPYTER_PATH": str(machine.folder)})
    options = ["--no-browser", "--allow-root", "--expose-app-in-browser", f"--port={port}", f"--notebook-dir={folder}"]
    command = [sys.executable, "-m", "jupyterlab", *options, f"--IdentityProvider.token={TOKEN}"]
    with (folder.parent / "jupyterlab.log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(f"{address}/api?token={TOKEN}")
        yield address
    finally:
        server.terminate()
        server.wait(30)


def _wait_for(address: str) -> None:
    until = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            assert time.monotonic() < until, "JupyterLab does not answer"
            time.sleep(0.3)


def longest(notebook: Any, mark: str) -> int:
    """The place of the text cell that holds the longest line with a mark: the formula or the table to look at."""
    lengths = [
        max((len(line) for line in cell.source.split("\n") if mark in line), default=0) * (cell.cell_type == "markdown")
        for cell in notebook.cells
    ]
    return lengths.index(max(lengths))


def go_to(page: Any, index: int) -> Any:
    """Scroll to a cell and make it the active one."""
    page.evaluate(f"{NOTEBOOK}.content.activeCellIndex = {index}")
    page.evaluate(f"{NOTEBOOK}.content.scrollToItem({index}, 'center')")
    page.wait_for_timeout(500)
    return page.locator(".jp-Notebook-cell.jp-mod-active")


def run_here(page: Any) -> None:
    """Shift+Enter, as a student does it, and wait for the cell."""
    page.keyboard.press("Shift+Enter")
    page.wait_for_function(DONE, timeout=180_000)
    page.wait_for_timeout(300)


def picture(page: Any, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(SCREENSHOTS / f"{name}.png"))


def look_around(page: Any, notebook: Any, name: str) -> None:
    """Pictures of an equation, a table and a plot, and nothing that is wider than its column."""
    places = {"equation": longest(notebook, "\\frac"), "table": longest(notebook, " | "), "plot": page.evaluate(PLOTS)}
    for what, index in places.items():
        go_to(page, index)
        picture(page, f"{name}_{what}")
        assert page.evaluate(TOO_WIDE) == []


def too_wide_anywhere(page: Any, notebook: Any) -> set[str]:
    """What is wider than its column, from the first cell to the last; JupyterLab renders only what is near the view."""
    wide = set()
    for index in range(0, len(notebook.cells), 2):
        page.evaluate(f"{NOTEBOOK}.content.scrollToItem({index}, 'start')")
        page.wait_for_timeout(200)  # formulas are set after the text
        wide |= set(page.evaluate(TOO_WIDE))
    return wide


@pytest.mark.timeout(600)
@pytest.mark.parametrize("plan", IN_THE_BROWSER, ids=lambda plan: plan.short)
def test_a_student_works_in_jupyterlab(plan: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "t")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "t")
    work = tmp_path / "work"
    work.mkdir()
    copy = f"{plan.short} (1).ipynb"  # the browser downloaded it twice
    with browser() as chromium, published(tmp_path, plan.short) as mirror:
        (work / copy).write_bytes((mirror / plan.name / plan.notebook).read_bytes())
        with jupyterlab(work, Machine(tmp_path / "machine")) as address:
            page = chromium.new_page(viewport=LAPTOP)
            page.set_default_timeout(180_000)
            page.goto(f"{address}/lab/tree/{urllib.request.quote(copy)}?token={TOKEN}")
            page.wait_for_function(OPEN, timeout=90_000)
            page.wait_for_function(IDLE, timeout=90_000)
            notebook = nbformat.read(work / copy, as_version=4)
            run_untouched(page, notebook, plan.short)
            part = solve(page, notebook, first_answer(plan))
            said = hand_in(page, notebook, plan.short)
    graded = grade(plan.short, work / f"{plan.short}_submission.zip", tmp_path / "graded")
    receipt = re.search(r"Receipt (\w{12}),", said)
    assert receipt
    assert f"submission {receipt[1]}." in graded["output"]
    mine = [test for test in graded["tests"] if test["number"].startswith(f"{part}.")]
    assert all(test["score"] == test["max_score"] for test in mine)
    assert graded["score"] == sum(test["score"] for test in mine) > 0


def first_answer(plan: Any) -> str:
    """The reference's cell for the first answer of the set."""
    course = load_course()
    solved = reference_notebook(course, read_set(course, plan))
    return str(solved.cells[first(solved, "answer")].source)


def first(notebook: Any, role: str) -> int:
    """The place of the first cell of a role."""
    return next(i for i, cell in enumerate(notebook.cells) if cell.metadata["pskit"]["role"] == role)


def run_untouched(page: Any, notebook: Any, short: str) -> None:
    """Run > Run All Cells; no error anywhere; then look at it in both themes."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    page.wait_for_function(DONE, timeout=300_000)
    kinds = page.evaluate(f"{CELLS}.flatMap(c => (c.model.outputs?.toJSON() ?? []).map(o => o.output_type))")
    assert kinds.count("error") == 0
    assert kinds.count("display_data") >= 2
    assert page.evaluate(UNSPOKEN) == 0, "each picture is followed by its words, for those who hear the page"
    assert too_wide_anywhere(page, notebook) == set()
    for theme in ("Light", "Dark"):
        page.evaluate(f"window.jupyterapp.commands.execute('apputils:change-theme', {{theme: 'JupyterLab {theme}'}})")
        page.wait_for_timeout(1500)
        look_around(page, notebook, f"{short}_{theme.lower()}")


def solve(page: Any, notebook: Any, answer: str) -> str:
    """Replace the first stub by typing, run it and the check below it; the part."""
    at, check = first(notebook, "answer"), first(notebook, "check")
    go_to(page, at).locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(answer)
    run_here(page)
    go_to(page, check)
    run_here(page)
    text = page.evaluate(TEXTS)[check]
    assert "✓ passed" in text
    assert "✗" not in text
    return str(notebook.cells[at].metadata["pskit"]["part"])


def hand_in(page: Any, notebook: Any, short: str) -> str:
    """First without saving, which is warned of; then saved. What the submission cell says in the end."""
    at = next(i for i, cell in enumerate(notebook.cells) if cell.source == f'submit("{short}")')
    said = ""
    for saved in (False, True):
        go_to(page, at)
        if saved:
            page.keyboard.press("Control+S")
            page.wait_for_function(f"() => !{NOTEBOOK}.context.model.dirty", timeout=30_000)
        run_here(page)
        said = page.evaluate(TEXTS)[at]
        assert ("is not what you ran last here" in said) != saved
        picture(page, f"{short}_submission_{'saved' if saved else 'not_saved'}")
    assert "all passed" in said
    return said


def grade(short: str, file: Path, folder: Path) -> dict[str, Any]:
    assert main(["grade", short, str(file), "-o", str(folder)]) == 0
    (results,) = folder.rglob("results.json")
    graded: dict[str, Any] = json.loads(results.read_text())
    return graded

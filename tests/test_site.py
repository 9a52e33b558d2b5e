"""The releases as web pages: whole, without scripts, with every picture, and without anything that is secret."""

import json
import re
from pathlib import Path

import pytest

from autograder.cli import main
from autograder.course import load_course
from autograder.release.errors import ReleaseError
from autograder.site import pages
from tests.browsers import browser

COURSE = load_course()
WORTH = re.compile(r"\w+\. .* points?\)$")  # of a question or a part


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    assert main(["site", "-o", str(folder)]) == 0
    return folder


@pytest.mark.parametrize("plan", COURSE.sets.values(), ids=lambda plan: plan.short)
def test_a_page_holds_every_heading_and_picture_of_its_release_and_fits_a_laptop(plan, site: Path) -> None:  # type: ignore[no-untyped-def]
    cells = json.loads((COURSE.root / plan.name / plan.notebook).read_bytes())["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    with browser() as opened:
        page = opened.new_page(viewport={"width": 1280, "height": 800})
        page.route("https://**", lambda route: route.abort())
        page.goto(f"file://{site / plan.name / 'index.html'}")
        assert page.evaluate("document.querySelectorAll('script').length") == 0
        asked = [line.lstrip("# ") for line in text.splitlines() if WORTH.match(line.lstrip("# ")) and line[0] == "#"]
        headings = page.evaluate("[...document.querySelectorAll('h2,h3')].map(h => h.innerText)")
        assert [each for each in headings if WORTH.match(each)] == asked
        own = "[...document.images].filter(i => i.src.startsWith('data:'))"
        assert page.evaluate(f"{own}.length") == text.count("]: data:image/png")
        assert page.evaluate(f"{own}.every(i => i.naturalWidth > 0 && i.alt)")
        anchors = "[...document.querySelectorAll('nav li a')]"
        assert page.evaluate(f"{anchors}.every(a => document.getElementById(a.hash.slice(1)))")
        assert page.evaluate("document.querySelectorAll('math').length") > 50
        assert page.evaluate("document.querySelectorAll('p code').length && !document.body.innerText.includes('$$')")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_page_with_a_solution_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    line = "side_by_side = whiten[:, rows, :seen].reshape(-1, seen).T.contiguous()"
    real = pages.render_page
    monkeypatch.setattr(pages, "render_page", lambda *words: real(*words).replace("</main>", f"<p>{line}</p></main>"))
    with pytest.raises(ReleaseError, match="q3_mixture"):
        pages.site_files(COURSE, [COURSE.problem_set("ps1")])

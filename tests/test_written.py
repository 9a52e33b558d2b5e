"""Written answers leave a class's submissions for people to grade: as PDFs, and in a real nbgrader course."""

import base64
import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pypdf import PdfReader

from autograder.cli import main
from autograder.written import command
from autograder.written.answers import answers
from autograder.written.browser import find_browser
from autograder.written.formgrader import defused
from autograder.written.html import html_of
from pskit.notebook import RawCell, read_as_saved, read_release

RELEASE = Path(__file__).parents[1] / "ps1_probabilistic" / "ps1.ipynb"
PARTS = ["1c", "2c", "3c", "4c", "5c", "7d"]
prints = pytest.mark.skipif(
    find_browser() is None,
    reason="NO BROWSER: no PDF is printed. Install chromium (Debian: apt-get install chromium).",
)


def picture() -> str:
    data = io.BytesIO()
    Image.new("RGB", (40, 20), "orange").save(data, "PNG")
    return base64.b64encode(data.getvalue()).decode()


def notebook(texts: dict[str, str], *, metadata: bool = True) -> dict[str, Any]:
    """The release of PS1 with these written answers; without metadata as after copy and paste into a new notebook."""
    made: dict[str, Any] = json.loads(RELEASE.read_text())
    for cell in made["cells"]:
        ours = cell["metadata"]["pskit"]
        if ours["role"] == "written" and ours["part"] in texts:
            cell["source"] = texts[ours["part"]]
            cell["attachments"] = {"image.png": {"image/png": picture()}}
        if not metadata:
            cell["metadata"] = {}
    return made


def found(made: dict[str, Any], folder: Path) -> dict[str, list[str]]:
    path = folder / "ps1.ipynb"
    path.write_text(json.dumps(made))
    given = answers(read_release(RELEASE), read_as_saved(RELEASE), read_as_saved(path))
    assert [answer.part.part for answer in given] == PARTS
    return {answer.part.part: [cell.source for cell in answer.cells] for answer in given if answer.cells}


def test_the_untouched_release_answers_nothing(tmp_path: Path) -> None:
    assert found(notebook({}), tmp_path) == {}


@pytest.mark.parametrize("metadata", [True, False])
def test_answers_are_found_with_and_without_metadata(metadata: bool, tmp_path: Path) -> None:
    texts = {"1c": "# 1. First\n\n$$\nx\n$$", "4c": "It climbs."}
    assert found(notebook(texts, metadata=metadata), tmp_path) == {part: [text] for part, text in texts.items()}


def test_further_cells_under_a_question_belong_to_its_answer_and_code_of_the_release_does_not(tmp_path: Path) -> None:
    made = notebook({"5c": "First."})
    (at,) = (i for i, cell in enumerate(made["cells"]) if cell["metadata"]["pskit"].get("part") == "5c")
    extra = {"metadata": {}, "id": "mine"}
    made["cells"].insert(at + 1, {"cell_type": "markdown", "source": "Second.", **extra})
    made["cells"].insert(at + 2, {"cell_type": "code", "source": "# third", "outputs": [], **extra})
    assert found(made, tmp_path) == {"5c": ["First.", "Second.", "# third"]}


def test_an_answer_inside_the_questions_own_cell_and_above_the_placeholder_is_kept(tmp_path: Path) -> None:
    made = notebook({"2c": "*Your answer here.*\n\nBelow the placeholder."})
    asks = next(c for c in made["cells"] if "### 7d." in "".join(c["source"]))
    asks["source"] = "".join(asks["source"]) + "\n\nInside the question."
    assert found(made, tmp_path) == {"2c": ["Below the placeholder."], "7d": ["Inside the question."]}


def test_html_of_students_is_shown_as_text_and_formulas_become_mathml() -> None:
    text = "See <script>x</script> $a < b$ $\\text{<img>}$ [l](javascript:alert(1)) ![p](http://x.org/p.png)"
    html = html_of(RawCell(1, text, "markdown"))
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "<math" in html
    assert "javascript:" not in html
    assert "<img" not in html


def test_a_formula_that_nobody_can_read_stays_as_it_was_typed() -> None:
    for formula in ("\\frac{1", "\\left( x", "x^", "\\begin{aligned} x"):
        assert f"Before <code>{formula}</code> after" in html_of(RawCell(1, f"Before ${formula}$ after", "markdown"))


def test_pictures_that_are_attached_are_shown_and_damaged_ones_named() -> None:
    shown = RawCell(1, "![mine](attachment:image.png)", "markdown", {}, {"image.png": {"image/png": picture()}})
    assert '<img src="data:image/png;base64,' in html_of(shown)
    damaged = RawCell(1, "![mine](attachment:image.png)", "markdown", {}, {"image.png": {"image/png": 7}})
    assert "it is not in the notebook" in html_of(damaged)


def class_of(folder: Path, papers: dict[str, dict[str, Any]]) -> Path:
    for name, made in papers.items():
        (folder / f"{name}.ipynb").write_text(json.dumps(made))
    return folder


@prints
def test_every_student_gets_a_pdf_with_the_parts_on_the_same_pages(tmp_path: Path) -> None:
    """And every file that --help names is there."""
    papers = tmp_path / "class"
    papers.mkdir()
    long = "\n\n".join(f"Line {number} of a long answer." for number in range(120))
    broken = "$\\frac{1$ <iframe src='file:///etc/hostname'></iframe> ![p](attachment:image.png)"
    class_of(papers, {"ada": notebook({"1c": long, "7d": "The end."}), "ben": notebook({"1c": broken, "2c": "Kept."})})
    (papers / "damaged.ipynb").write_text("{")
    assert main(["written", "ps1", str(papers), "-o", str(tmp_path / "out")]) == 1
    named = re.findall(r"\w+\.(?:pdf|csv)", str(command.__doc__))
    assert named == [file for file in named if (tmp_path / "out" / file).is_file()]
    pages = {}
    for name in ("ada", "ben"):
        reader = PdfReader(tmp_path / "out" / "pdf" / f"{name}.pdf")
        pages[name] = [page.extract_text() for page in reader.pages]
        assert name in pages[name][0]
    first = {name: [i for i, text in enumerate(texts) if text.startswith("Question")] for name, texts in pages.items()}
    assert len(pages["ada"]) == len(pages["ben"])
    assert first["ada"] == first["ben"]
    assert first["ada"][1] - first["ada"][0] >= 2, "the long answer takes pages, and so it does for everybody"
    assert "Kept." in pages["ben"][first["ben"][1]]
    assert "\\frac{1" in pages["ben"][1]
    rows = list(csv.reader((tmp_path / "out" / "written.csv").read_text().splitlines()))
    assert rows[1:] == [["ada", "", "2c 3c 4c 5c"], ["ben", "", "3c 4c 5c 7d"]]


@prints
def test_formulas_and_pictures_are_drawn_in_the_pdf(tmp_path: Path) -> None:
    """Mathematics as signs of its own and not as it was typed; the picture with its pixels."""
    (tmp_path / "class").mkdir()
    text = r"So $\hat\mu = \frac{1}{N}\sum_i x_i$ and $$\Sigma^{-1} \geq \int_0^1 \alpha\,dx$$"
    papers = class_of(tmp_path / "class", {"ada": notebook({"1c": f"{text} ![mine](attachment:image.png)"})})
    assert main(["written", "ps1", str(papers), "-o", str(tmp_path / "out")]) == 0
    page = PdfReader(tmp_path / "out" / "pdf" / "ada.pdf").pages[1]
    shown = page.extract_text()
    for sign in ("𝜇", "∑", "𝛴", "≥", "∫", "𝛼"):
        assert sign in shown
    assert "\\" not in shown
    assert "$" not in shown
    (drawn,) = page.images
    assert drawn.image is not None
    assert (drawn.image.size, drawn.image.getpixel((20, 10))) == ((40, 20), (255, 165, 0))


def test_formgraders_students_have_the_addresses_that_the_gradebook_knows(tmp_path: Path) -> None:
    """With a plus, too: ben+x@ and ben_x@ are two people."""
    release, papers = tmp_path / "course" / "release" / "ps1" / "ps1.ipynb", tmp_path / "export"
    release.parent.mkdir(parents=True)
    release.write_bytes(RELEASE.read_bytes())
    (papers / "submission_1").mkdir(parents=True)
    (papers / "submission_1" / "ps1.ipynb").write_text(json.dumps(notebook({"1c": "Mine."})))
    who = ":submitters:\n  - :name: Ben\n    :email: ben+x@example.edu\n  :created_at: 2027-02-12 10:00:00 Z\n"
    (papers / "submission_metadata.yml").write_text(f"---\nsubmission_1:\n  {who}")
    words = ["written", "ps1", str(papers), "-o", str(tmp_path / "out"), "--nbgrader", str(tmp_path / "course")]
    assert main(words) == 0
    assert [each.name for each in (tmp_path / "course" / "submitted").iterdir()] == ["ben+x@example.edu"]


def test_tags_and_script_addresses_are_defused_for_formgrader() -> None:
    assert defused("a <b $x<y$ <script> [l](JavaScript:x)") == "a < b $x< y$ < script> [l](JavaScript :x)"

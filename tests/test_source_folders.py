"""A question's source or its variants as a folder of files: read as one, and messages name the file and its line."""

import re
from pathlib import Path

import pytest
import torch

from autograder.course import Refusal, read_course
from autograder.release.build import release_files
from autograder.release.leak import Leak
from autograder.release.secrets import Secret
from autograder.source import SourceError, SourceSet, read_draft, read_page
from autograder.verify.bank import BadVariant, artifact_makers, read_variants

SET = "solutions/ps9_tiny"
MARKS = "from autograder.verify.variants import right, wrong, wrong_artifact\n"


def read(root: Path) -> SourceSet:
    course = read_course(root)
    return read_draft(course, course.problem_set("ps9"))


def split(root: Path, header: str = '# %% [markdown] role="text"\n# ### 1b.') -> tuple[Path, Path]:
    """Cut the first question's file in two, before its second part."""
    file = root / SET / "q1_line.py"
    text, folder = file.read_text(), file.with_suffix("")
    cut = text.index(header)
    file.unlink()
    folder.mkdir()
    (folder / "a_fit.py").write_text(text[:cut].rstrip("\n"))  # a last line without an end is still a line
    (folder / "b_why.py").write_text(text[cut:])
    return folder / "a_fit.py", folder / "b_why.py"


def test_a_folder_gives_the_notebook_that_its_files_give_as_one(tiny_course: Path) -> None:
    course = read_course(tiny_course)
    whole = release_files(course, read(tiny_course))
    split(tiny_course)
    assert release_files(course, read(tiny_course)) == whole


def test_an_error_names_the_file_in_the_folder_and_its_own_line(tiny_course: Path) -> None:
    _, second = split(tiny_course)
    line = second.read_text().split("\n").index('# %% [markdown] role="written" part="1b"') + 1
    second.write_text(second.read_text().replace('role="written"', 'role="wirtten"'))
    with pytest.raises(SourceError, match=rf"b_why\.py:{line}: there is no role 'wirtten'") as caught:
        read(tiny_course)
    assert (caught.value.file, caught.value.line) == (second, line)


def test_every_file_of_a_folder_begins_with_a_header(tiny_course: Path) -> None:
    _, second = split(tiny_course)
    second.write_text("x = 1\n" + second.read_text())
    with pytest.raises(SourceError, match=r"b_why\.py:1: text before the first cell header"):
        read(tiny_course)
    second.write_text("x = 1\n")
    with pytest.raises(SourceError, match=r"b_why\.py:1: text before the first cell header"):
        read(tiny_course)


def test_a_file_and_a_folder_of_one_name_are_refused(tiny_course: Path) -> None:
    first, _ = split(tiny_course)
    first.parent.with_suffix(".py").write_text(first.read_text())
    with pytest.raises(Refusal, match=r"q1_line\.py and the folder .*q1_line both exist; keep one"):
        read(tiny_course)


def test_a_leak_names_the_file_in_the_folder(tiny_course: Path) -> None:
    first, second = split(tiny_course)
    below = read_page(first.parent).count("\n", 0, read_page(first.parent).index("### 1b")) + 1
    shown = str(Leak("ps9.ipynb", Secret("model answer", "text", "text", first.parent, below)))
    assert re.search(rf"{second.name}:2: 'text'", shown)


def variants(tmp_path: Path, *texts: str) -> Path:
    folder = tmp_path / "q1_line"
    folder.mkdir()
    for name, text in zip("abc", texts, strict=False):
        (folder / f"{name}.py").write_text(MARKS + text)
    return folder


def test_variants_of_a_folder_share_their_helpers(tmp_path: Path) -> None:
    folder = variants(
        tmp_path,
        "import math\ndef half(x): return x / 2\n@wrong('f')\ndef first(x): return half(x)\n",
        "@right('f')\ndef second(x): return half(math.floor(x))\n",
    )
    first, second = read_variants(folder, ("f",), ("f",))
    assert (first.name, second.name) == ("first", "second")
    space: dict[str, object] = {}
    exec(second.cell, space)
    assert space["f"](5.5) == 2.5  # type: ignore[operator]


def test_a_bad_variant_is_found_in_its_file(tmp_path: Path) -> None:
    folder = variants(tmp_path, "@wrong('f')\ndef same(x): return 1\n", "\n@wrong('f')\ndef same(x): return 2\n")
    with pytest.raises(BadVariant, match=r"^variants/q1_line/b\.py:4: same is the name of the variant in line 3"):
        read_variants(folder, ("f",), ("f",))


def test_artifacts_are_made_by_any_file_of_the_folder(tmp_path: Path) -> None:
    maker = "@wrong_artifact('a.safetensors')\ndef zeros(reference): return {'w': times(0, reference['w'])}\n"
    folder = variants(tmp_path, "def times(c, x): return c * x\n", maker)
    assert torch.equal(artifact_makers(folder)["zeros"]({"w": torch.ones(2)})["w"], torch.zeros(2))

"""The public mirror: nothing but what is allowed, no secret, tags; and a student who starts from it."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from autograder.cli import main
from autograder.course import read_course
from tests.machines import Machine, errors, seconds, text_of
from tests.mirrors import ROOT, published

pytestmark = pytest.mark.timeout(600)  # kernels on a busy machine
IDENTITY = {f"GIT_{who}_{what}": "t" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@pytest.fixture(autouse=True, scope="module")
def git_identity() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in IDENTITY.items():
            patch.setenv(name, value)
        yield


@pytest.fixture
def course(tiny_course: Path) -> Path:
    """The tiny course with what a mirror needs besides, released."""
    (tiny_course / "docs").mkdir()
    (tiny_course / "docs" / "students.md").write_text("# For students\n")
    shutil.copyfile(ROOT / "LICENSE", tiny_course / "LICENSE")
    (tiny_course / "pskit").mkdir()
    (tiny_course / "pskit" / "__init__.py").write_text('"""Nothing yet."""\n')
    release(tiny_course)
    return tiny_course


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return tmp_path / "mirror"


def release(root: Path) -> None:
    assert main(["release", "--root", str(root)]) == 0


def publish(root: Path, mirror: Path, *more: str) -> int:
    return main(["publish", str(mirror), *more, "--root", str(root)])


def git(mirror: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(mirror), *arguments], capture_output=True, text=True, check=True).stdout


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_the_mirror_holds_what_is_allowed_and_nothing_else(course: Path, mirror: Path) -> None:
    (course / "ps9_tiny" / "notes.txt").write_text("not generated")
    assert publish(course, mirror) == 0
    files = git(mirror, "ls-files").split()
    (wheel,) = [name for name in files if name.startswith("wheels/")]
    assert sorted(files) == sorted(
        [
            "LICENSE", "README.md", "environment.yml", "students.md", wheel, "pskit/__init__.py",
            "ps9_tiny/README.md", "ps9_tiny/figures/line.png", "ps9_tiny/ps9.ipynb",
        ]
    )  # fmt: skip
    assert "colab.research.google.com/github/tiny/sets/blob/v1/ps9_tiny/ps9.ipynb" in (mirror / "README.md").read_text()
    assert wheel.removeprefix("wheels/").replace("+", "%2B") in (mirror / "ps9_tiny" / "ps9.ipynb").read_text()


def test_a_release_that_is_not_current_is_refused(course: Path, mirror: Path, capsys: pytest.CaptureFixture) -> None:
    replace(course / "ps9_tiny" / "README.md", "PS9", "PS8")
    assert publish(course, mirror) == 1
    assert (
        "The committed release of ps9 is not current. Run `python -m autograder release ps9`" in capsys.readouterr().err
    )
    assert not (mirror / "README.md").exists()


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        (
            "docs/students.md",
            "    above = sum((a - x) * (b - y) for a, b in zip(xs, ys))\n",
            "solution line of q1_line.py",
        ),
        ("pskit/__init__.py", "# the middle of the data lies on the line\n", "comment of a solution of q1_line.py"),
        ("docs/students.md", "see test_slope_of_an_exact_line\n", "hidden test's name of test_q1_line.py"),
        ("docs/students.md", "the seed is 918273\n", "students.md holds the seed of the hidden draws."),
    ],
)
def test_secrets_are_refused_wherever_they_are(
    course: Path, mirror: Path, capsys: pytest.CaptureFixture, file: str, text: str, words: str
) -> None:
    replace(course / "course.toml", "hidden_seed = 7", "hidden_seed = 918273")
    with (course / file).open("a") as opened:
        opened.write(text)
    release(course)
    assert publish(course, mirror) == 1
    assert words in capsys.readouterr().err
    assert not (mirror / "README.md").exists()


def test_one_line_that_pskit_shares_with_a_variant_is_chance_and_a_copied_variant_is_not(
    course: Path, mirror: Path, capsys: pytest.CaptureFixture
) -> None:
    lines = [f"    first_{word} = second_{word} + third_{word}\n" for word in ("apple", "pear", "plum")]
    with (course / "solutions" / "ps9_tiny" / "variants" / "q1_line.py").open("a") as variants:
        variants.write(f"\n\ndef helper():\n{''.join(lines)}")
    for copied, refused in ((1, False), (3, True)):
        (course / "pskit" / "__init__.py").write_text(f'"""Nothing yet."""\n\n\ndef f():\n{"".join(lines[:copied])}')
        replace(course / "course.toml", f'mirror_ref = "v{1 + copied // 2}"', f'mirror_ref = "v{2 + copied // 2}"')
        release(course)
        assert publish(course, mirror) == refused
    assert "variant of q1_line.py" in capsys.readouterr().err


def test_what_others_put_into_the_mirror_is_neither_published_nor_removed(
    course: Path, mirror: Path, capsys: pytest.CaptureFixture
) -> None:
    assert publish(course, mirror) == 0
    (mirror / "solutions.py").write_text("x = 1\n")
    assert publish(course, mirror) == 1
    assert "has changes of its own" in capsys.readouterr().err
    git(mirror, "add", ".")
    git(mirror, "commit", "-m", "by hand")
    assert publish(course, mirror) == 1
    assert "holds what is published from nowhere; remove it: solutions.py" in capsys.readouterr().err


def test_a_folder_that_is_no_clone_is_left_alone(course: Path, mirror: Path, capsys: pytest.CaptureFixture) -> None:
    mirror.mkdir()
    (mirror / "thesis.tex").write_text("years of work")
    assert publish(course, mirror) == 1
    assert "is no clone of the mirror, and not empty" in capsys.readouterr().err
    assert [path.name for path in mirror.iterdir()] == ["thesis.tex"]


def test_a_branch_gets_numbered_tags_and_keeps_the_wheels_of_earlier_releases(course: Path, mirror: Path) -> None:
    replace(course / "course.toml", 'mirror_ref = "v1"', 'mirror_ref = "main"')
    release(course)
    assert publish(course, mirror) == 0
    assert publish(course, mirror) == 0  # nothing is new: neither a commit nor a tag
    assert git(mirror, "tag").split() == ["spring-2027-1"]
    first = set(git(mirror, "ls-files", "wheels").split())
    (course / "pskit" / "more.py").write_text("x = 1\n")
    release(course)
    assert publish(course, mirror) == 0
    assert git(mirror, "tag").split() == ["spring-2027-1", "spring-2027-2"]
    assert first < set(git(mirror, "ls-files", "wheels").split())
    (course / "pskit" / "more.py").unlink()
    release(course)
    assert publish(course, mirror) == 0
    assert git(mirror, "ls-files", "pskit").split() == ["pskit/__init__.py"]
    assert len(git(mirror, "log", "--format=%s").splitlines()) == 3


def test_a_tag_stands_for_one_release(course: Path, mirror: Path, capsys: pytest.CaptureFixture) -> None:
    assert publish(course, mirror) == 0
    assert git(mirror, "tag").split() == ["v1"]
    replace(course / "docs" / "students.md", "# For", "# To")
    assert publish(course, mirror) == 1
    assert "The tag v1 stands for an earlier release. Choose another mirror_ref" in capsys.readouterr().err
    replace(course / "course.toml", 'mirror_ref = "v1"', 'mirror_ref = "v2"')
    release(course)
    assert publish(course, mirror) == 0
    assert git(mirror, "tag").split() == ["v1", "v2"]


def test_a_folder_that_is_made_pushes_to_the_mirror_of_the_course(
    course: Path, mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "--bare", "--initial-branch", "main", "hub.git")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")  # the hub stands in for the address of the mirror
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{tmp_path / 'hub.git'}.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", read_course(course).mirror)
    assert publish(course, mirror, "--push") == 0
    assert git(tmp_path / "hub.git", "rev-parse", "main") == git(mirror, "rev-parse", "HEAD")


def test_push_goes_to_where_the_clone_came_from(course: Path, mirror: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "--bare", "--initial-branch", "main", "hub.git")
    git(tmp_path, "clone", "hub.git", "mirror")
    assert publish(course, mirror, "--push") == 0
    assert git(tmp_path / "hub.git", "tag").split() == ["v1"]
    assert git(tmp_path / "hub.git", "rev-parse", "main") == git(mirror, "rev-parse", "HEAD")


CHECK = "import json; print(json.dumps({part: each['state'] for part, each in check.results.items()}))"
ANSWER = """
def fit_gaussian(X: Tensor, ridge: float = 0.0) -> tuple[Tensor, Tensor]:
    mu = X.mean(dim=0)
    centred = X - mu
    return mu, centred.T @ centred / len(X) + ridge * torch.eye(X.shape[1], dtype=X.dtype)
"""


@pytest.fixture(scope="module")
def mirror_of_ps1(tmp_path_factory: pytest.TempPathFactory, git_identity: None) -> Iterator[Path]:
    with published(tmp_path_factory.mktemp("published"), "ps1") as mirror:
        yield mirror


def started(mirror: Path) -> nbformat.NotebookNode:
    """PS1 from the mirror, up to its first answer, which is written, and the check of it."""
    notebook = nbformat.reads(git(mirror, "show", "HEAD:ps1_probabilistic/ps1.ipynb"), as_version=4)
    roles = [cell.metadata["pskit"] for cell in notebook.cells]
    first = next(i for i, role in enumerate(roles) if role["role"] == "check")
    kept = [cell for cell in notebook.cells[: first + 1] if cell.cell_type == "code" and cell.id != "data"]
    kept[-2].source = ANSWER
    notebook.cells = [*kept, nbformat.v4.new_code_cell(CHECK)]
    return notebook


def test_a_fresh_python_starts_from_the_mirror(mirror_of_ps1: Path, tmp_path: Path) -> None:
    """The setup cell installs pskit by its hash, and nothing else; the first answer passes. Twice: a reconnect."""
    machine = Machine(tmp_path)
    before = machine.says(PACKAGES, tmp_path)
    assert '"pskit"' not in before
    for _ in range(2):
        ran = machine.run(started(mirror_of_ps1), tmp_path)
        assert seconds(ran.cells[:3]) < 30, "installing, importing and setup()"
        assert errors(ran) == []
        assert json.loads(text_of(ran.cells[-1])) == {"1a": "passed"}
        assert "pskit could not be installed" not in text_of(ran.cells[0])
    after = json.loads(machine.says(PACKAGES, tmp_path))
    assert {name: version for name, version in after.items() if name != "pskit"} == json.loads(before)
    (wheel,) = (mirror_of_ps1 / "wheels").iterdir()
    assert wheel.name.split("-")[1] == after["pskit"]


PACKAGES = """
import json
from importlib.metadata import distributions
print(json.dumps({each.name: each.version for each in distributions()}))
"""


def test_another_version_is_replaced_and_a_changed_wheel_is_not_taken(mirror_of_ps1: Path, tmp_path: Path) -> None:
    machine, notebook = Machine(tmp_path), started(mirror_of_ps1)
    cell = nbformat.v4.new_notebook(cells=[notebook.cells[0]])
    machine.run(cell, tmp_path)
    (information,) = (tmp_path / "python").rglob("pskit-*.dist-info")
    old = information.with_name("pskit-0.1.dist-info")
    information.rename(old)
    replace(old / "METADATA", information.name.split("-")[1].removesuffix(".dist"), "0.1")
    replace(old / "RECORD", information.name, old.name)  # by which pip removes it
    assert json.loads(machine.says(PACKAGES, tmp_path))["pskit"] == "0.1"
    changed = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(notebook.cells[0].source)])
    (wheel,) = (mirror_of_ps1 / "wheels").iterdir()
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    changed.cells[0].source = changed.cells[0].source.replace(digest, "0" * 64)
    machine.run(changed, tmp_path)
    assert "pskit could not be installed." in text_of(changed.cells[0])
    assert "HASHES" in text_of(changed.cells[0])
    assert json.loads(machine.says(PACKAGES, tmp_path))["pskit"] == "0.1"
    machine.run(cell, tmp_path)
    assert json.loads(machine.says(PACKAGES, tmp_path))["pskit"] != "0.1"


def test_without_a_network_the_cell_says_so(mirror_of_ps1: Path, tmp_path: Path) -> None:
    machine, notebook = Machine(tmp_path), started(mirror_of_ps1)
    cell = nbformat.v4.new_code_cell(notebook.cells[0].source.replace("http://127.0.0.1:", "http://127.0.0.1:1"))
    ran = machine.run(nbformat.v4.new_notebook(cells=[cell]), tmp_path, PIP_RETRIES="0")
    assert errors(ran) == []
    assert "pskit could not be installed. Is there a network?" in text_of(cell)


def test_a_plain_python_is_told_what_it_lacks(mirror_of_ps1: Path, tmp_path: Path) -> None:
    """A Python without torch: here one that cannot see its metadata."""
    machine, notebook = Machine(tmp_path), started(mirror_of_ps1)
    hide = "from importlib import metadata\n_all = metadata.distributions\n"
    hide += "metadata.distributions = lambda **k: [] if k.get('name') == 'torch' else _all(**k)\n"
    cells = [nbformat.v4.new_code_cell(source) for source in (hide, notebook.cells[0].source)]
    ran = machine.run(nbformat.v4.new_notebook(cells=cells), tmp_path)
    assert errors(ran) == []
    assert "This Python lacks torch. Run this in a cell of its own, then go on: %pip install torch" in text_of(cells[1])


def test_the_students_environment_names_what_pskit_needs_and_no_versions() -> None:
    text = (ROOT / "autograder" / "publish" / "environment.yml").read_text()
    from autograder.release.wheel import NEEDS

    assert all(f"      - {name}\n" in text for name in NEEDS)
    assert "==" not in text

"""A course whose set ps1 has two tiny questions: what takes minutes on a real one takes seconds there."""

import shutil
import subprocess
from pathlib import Path

from tests.line_variants import GOOD
from tests.tiny_courses import copy_tiny_course

ROOT = Path(__file__).parents[1]
SET = "ps1_tiny"
AGAIN = {
    "fit_line": "fit_plane",
    "1a": "2a",
    "1b": "2b",
    "## 1.": "## 2.",
}  # the second question is the first once more


def staff_course(root: Path) -> Path:
    """Sources, hidden tests and variants of two questions at `root`, and what a mirror needs besides."""
    copy_tiny_course(root)
    source, hidden = root / "solutions" / SET, root / "autograder" / "hidden" / SET
    (root / "solutions" / "ps9_tiny").rename(source)
    (root / "autograder" / "hidden" / "ps9_tiny").rename(hidden)
    (source / "variants" / "q1_line.py").write_text(GOOD)
    for folder, name in ((source, "q1_line.py"), (source / "variants", "q1_line.py"), (hidden, "test_q1_line.py")):
        text = (folder / name).read_text()
        for old, new in AGAIN.items():
            text = text.replace(old, new)
        (folder / name.replace("1_line", "2_net")).write_text(text)
    change(root / "course.toml", "ps9_tiny", SET)
    change(root / "course.toml", '"v1"', '"main"')
    change(root / "course.toml", '["x1_parabola"]', "[]")
    (root / "docs").mkdir()
    (root / "docs" / "students.md").write_text("# For students\n")
    shutil.copyfile(ROOT / "LICENSE", root / "LICENSE")
    (root / "pskit").mkdir()
    (root / "pskit" / "__init__.py").write_text('"""Nothing yet."""\n')
    return root


def clone_of_a_mirror(folder: Path) -> Path:
    """An empty mirror at `folder`/hub.git, and its clone at `folder`/mirror."""
    for words in (["init", "--quiet", "--bare", "--initial-branch", "main", "hub.git"], ["clone", "hub.git", "mirror"]):
        subprocess.run(["git", *words], cwd=folder, capture_output=True, check=True)
    return folder / "mirror"


def change(file: Path, old: str, new: str) -> None:
    """Replace in a file what must be there."""
    text = file.read_text()
    assert old in text, old
    file.write_text(text.replace(old, new))

"""pskit's wheel: the same bytes everywhere, whole, and honest about what it needs."""

import ast
import base64
import csv
import hashlib
import io
import os
import shutil
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from autograder.course import load_course
from autograder.release.placeholders import values
from autograder.release.wheel import NEEDS, Wheel, pskit_wheel

ROOT = Path(__file__).parents[1]
IMPORTED_AS = {"pillow": "PIL"}
OPTIONAL = {"IPython", "google", "psutil"}  # what a notebook brings; pskit does without


@pytest.fixture(scope="module")
def wheel() -> Wheel:
    return pskit_wheel(ROOT)


def members(wheel: Wheel) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(wheel.data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_build_elsewhere_at_another_time_is_the_same_to_the_byte(wheel: Wheel, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "pskit", tmp_path / "pskit", copy_function=shutil.copyfile)  # other times, other modes
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    for litter in ("pskit/__pycache__/x.pyc", "pskit/data/.DS_Store", "pskit/.ipynb_checkpoints/a.py"):
        (tmp_path / litter).parent.mkdir(exist_ok=True)
        (tmp_path / litter).write_bytes(b"litter")
    assert pskit_wheel(tmp_path) == wheel


def test_any_change_gives_another_version(wheel: Wheel, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "pskit", tmp_path / "pskit")
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    with (tmp_path / "pskit" / "stubs.py").open("a") as file:
        file.write("# one more line\n")
    assert pskit_wheel(tmp_path).version != wheel.version


def test_every_file_of_pskit_that_git_knows_is_in_it_and_nothing_else(wheel: Wheel) -> None:
    listed = subprocess.run(["git", "ls-files", "pskit"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    new = subprocess.run(["git", "ls-files", "-o", "--exclude-standard", "pskit"], cwd=ROOT, stdout=-1, text=True)
    known = {name for name in (listed.stdout + new.stdout).splitlines() if (ROOT / name).is_file()}
    assert {name for name in members(wheel) if ".dist-info/" not in name} == known


def test_its_record_is_true(wheel: Wheel) -> None:
    files = members(wheel)
    (record,) = (name for name in files if name.endswith("/RECORD"))
    rows = {name: (digest, size) for name, digest, size in csv.reader(files[record].decode().splitlines())}
    assert rows.keys() == files.keys()
    for name, (digest, size) in rows.items():
        if name != record:
            expected = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).decode().rstrip("=")
            assert (digest, size) == (f"sha256={expected}", str(len(files[name])))


def test_it_names_what_pskit_imports_and_no_version_of_anything(wheel: Wheel) -> None:
    texts = [data for name, data in members(wheel).items() if name.endswith(".py")]
    nodes = [node for text in texts for node in ast.walk(ast.parse(text))]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    foreign = {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) - {"pskit"} - OPTIONAL
    assert foreign == {IMPORTED_AS.get(name, name) for name in NEEDS}
    (metadata,) = (data for name, data in members(wheel).items() if name.endswith("/METADATA"))
    assert tuple(message_from_bytes(metadata).get_all("Requires-Dist", [])) == NEEDS


def test_pip_installs_it_and_it_runs_from_there(wheel: Wheel, tmp_path: Path) -> None:
    (tmp_path / wheel.name).write_bytes(wheel.data)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target"]
    subprocess.run([*pip, str(tmp_path / "site"), str(tmp_path / wheel.name)], check=True, capture_output=True)
    code = "import pskit; from importlib.metadata import version; print(pskit.__file__, version('pskit'))"
    code += "\nfrom pskit import data; print(len(data.photographs('test', bundled=True)))"
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
    command = [sys.executable, "-c", code]
    ran = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [str(tmp_path / "site" / "pskit" / "__init__.py"), wheel.version, "2"]


def test_its_address_and_hash_follow_from_the_course() -> None:
    course = load_course(ROOT)
    known, wheel = values(course, course.problem_set("ps1")), pskit_wheel(ROOT)
    assert known["pskit_wheel"] == (
        f"{course.mirror}/raw/{course.mirror_ref}/wheels/pskit-{wheel.version.replace('+', '%2B')}-py3-none-any.whl"
    )
    assert known["pskit_sha256"] == hashlib.sha256(wheel.data).hexdigest()


def test_all_sets_share_one_setup_cell_and_one_submission() -> None:
    folders = sorted(path for path in (ROOT / "solutions").iterdir() if (path / "intro.py").is_file())
    setups = {_cell(folder / "intro.py", "setup") for folder in folders}
    assert len(setups) == 1


def _cell(file: Path, name: str) -> str:
    return file.read_text(encoding="utf-8").split(f'id="{name}"\n')[1].split("\n# %%")[0]

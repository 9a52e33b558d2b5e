"""The Gradescope zip: what is in it, that it never changes by itself, and that a bad image does not get built."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from autograder.cli import main
from autograder.course import load_course, read_course
from autograder.package.contents import _folders
from autograder.package.smoke import SmokeFailed, check_smoke_set, check_stub, smoke_grader
from autograder.package.smoke import main as smoke
from autograder.verify.bank import read_variants

COURSE = load_course()
ROOT = COURSE.root


@pytest.fixture(scope="module", params=[plan.short for plan in COURSE.sets.values()])
def archive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip of a set; every test that asks for it runs for each set."""
    folder = tmp_path_factory.mktemp("dist")
    assert main(["package", request.param, "-o", str(folder)]) == 0
    return folder / f"{request.param}_gradescope.zip"


@pytest.fixture(scope="module")
def unpacked(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip's files laid out as setup.sh installs them."""
    folder = tmp_path_factory.mktemp("home")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    return folder


def set_of(archive: Path) -> str:
    """`ps1`, for the zip of PS1."""
    return archive.name.split("_")[0]


def test_two_builds_are_byte_identical(archive: Path, tmp_path: Path) -> None:
    assert main(["package", set_of(archive), "-o", str(tmp_path)]) == 0
    assert (tmp_path / archive.name).read_bytes() == archive.read_bytes()


def test_the_root_holds_what_gradescope_runs(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        for name in ("setup.sh", "run_autograder"):
            assert opened.getinfo(name).external_attr >> 16 & 0o111, f"{name} is not executable"


def test_shared_hidden_data_travels_with_the_sets_that_use_it() -> None:
    """PS2's tests read hidden digits, PS1's do not."""
    digits = ROOT / "autograder" / "hidden" / "digits"
    assert digits in list(_folders(ROOT, "ps2_latent_variable"))
    assert digits not in list(_folders(ROOT, "ps1_probabilistic"))


def test_nothing_of_the_solutions_is_in_it(archive: Path) -> None:
    lines = secret_lines(COURSE.problem_set(set_of(archive)).name)
    assert len(lines) > 300
    with zipfile.ZipFile(archive) as opened:
        for name in opened.namelist():
            assert not name.startswith(
                ("app/solutions", "app/tests", "app/autograder/verify", "app/autograder/release")
            )
            # the release may hold such a line in a given cell; `release` itself refuses leaks
            if not name.startswith("app/autograder/hidden") and name.endswith((".py", ".md", ".json")):
                text = opened.read(name).decode()
                assert not [line for line in lines if line in text], name


def secret_lines(name: str) -> set[str]:
    """The variants' longest lines: they stand in solutions/ and nowhere that a zip could take them from."""
    folder = ROOT / "solutions" / name / "variants"
    lines = {line.strip() for path in folder.rglob("*.py") for line in path.read_text().splitlines()}
    return {line for line in lines if len(line) > 60 and not line.startswith(("import", "from", "def"))}


def test_the_variants_are_really_read() -> None:
    variants = ROOT / "solutions/ps1_probabilistic/variants/q1_gaussian.py"
    assert len(read_variants(variants, ["fit_gaussian", "gaussian_logpdf"], [])) > 5


def test_a_set_without_a_release_is_refused(tiny_course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from autograder.package.contents import PackageError, package_files

    course = read_course(tiny_course)
    with pytest.raises(PackageError, match=r"does not exist\. Run `python -m autograder release"):
        package_files(tiny_course, next(iter(course.sets.values())))


def test_the_smoke_submissions_pass(unpacked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert smoke(unpacked / "package.json") == 0
    said = capsys.readouterr().out
    assert "smoke submission: 2 of 4, as expected." in said
    assert "untouched release: 0 of" in said


@pytest.mark.parametrize("archive", ["ps1"], indirect=True)
def test_a_hidden_test_that_cannot_be_loaded_stops_the_image(
    unpacked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "home"
    shutil.copytree(unpacked, broken)
    next((broken / "app/autograder/hidden").glob("ps*/test_q1*.py")).write_text("import nothing_there\n")
    assert smoke(broken / "package.json") == 1
    assert "The image must not be used: the untouched release scores" in capsys.readouterr().err


def test_an_unexpected_outcome_of_the_smoke_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.package.smoke.EXPECTED", {"1a.1": "TooSlow"})
    with smoke_grader() as grader, pytest.raises(SmokeFailed, match=r"came out as .*Passed"):
        check_smoke_set(grader)


def test_a_stub_that_scores_is_named() -> None:
    from autograder.package.smoke import SMOKE_SET

    with smoke_grader() as grader, pytest.raises(SmokeFailed, match=r"untouched release scores 2.*1a\.1"):
        check_stub(grader, SMOKE_SET / "submission.ipynb")


def test_the_manifest_names_the_set(unpacked: Path) -> None:
    manifest = json.loads((unpacked / "package.json").read_text())
    plan = COURSE.problem_set(manifest["set"])
    assert manifest == {"set": plan.name, "release": f"{plan.name}/{plan.notebook}"}
    assert [path.name for path in (unpacked / "app/autograder/hidden").glob("ps*")] == [plan.name]

"""Gradescope's export of submissions: submission_metadata.yml beside folders submission_N."""

import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from autograder.batch import ruby_yaml
from autograder.batch.entries import Download, Entry, Student, in_order
from autograder.course import Refusal
from autograder.grading.rate import KEPT

METADATA = "submission_metadata.yml"
FOLDER = re.compile(r"submission_\d+")
UNREADABLE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, StopIteration)


def export_root(folder: Path) -> Path | None:
    """The folder that holds the metadata: this one, or its only subfolder; None where it is no such export."""
    inside = [path.parent for path in (folder / METADATA, *sorted(folder.glob(f"*/{METADATA}"))) if path.is_file()]
    return inside[0] if inside else None


def is_metadata(member: str) -> bool:
    """Whether this member of a zip is the metadata of an export."""
    path = PurePosixPath(member)
    return path.name == METADATA and len(path.parts) <= 2


def read_export(root: Path) -> Download:
    """Every submission of the metadata, and every folder that the metadata does not know. Raises Refusal."""
    listed = _metadata(root)
    return Download("a Gradescope export", in_order([*_listed(root, listed), *_unlisted(root, listed)]))


def earlier_results(root: Path) -> dict[str, Mapping[str, Any]]:
    """The results that students saw, by submission: those of the metadata that have tests. Raises Refusal."""
    found = {str(name): _plain(_field(fields, "results", Mapping) or {}) for name, fields in _metadata(root).items()}
    return {name: results for name, results in found.items() if isinstance(results.get("tests"), list)}


def results_in_zip(archive: Path) -> dict[str, Mapping[str, Any]]:
    """The same from an export's zip, of which only the metadata is unpacked; none where it is damaged or no export."""
    with TemporaryDirectory() as folder:
        try:
            with zipfile.ZipFile(archive) as opened:
                member = next(filter(is_metadata, opened.namelist()))
                with opened.open(member) as source, (Path(folder) / METADATA).open("wb") as target:
                    shutil.copyfileobj(source, target)
        except UNREADABLE:
            return {}
        return earlier_results(Path(folder))


def _plain(value: Any) -> Any:
    """Without the colons of Ruby's symbols."""
    if isinstance(value, Mapping):
        return {str(key).removeprefix(":"): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _metadata(root: Path) -> Mapping[Any, Any]:
    try:
        listed = ruby_yaml.load((root / METADATA).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Refusal(f"{root / METADATA} cannot be read: {error}. Download the export again.") from None
    if not isinstance(listed, Mapping):
        raise Refusal(f"{root / METADATA} lists no submissions. Download the export again.")
    return listed


def _listed(root: Path, listed: Mapping[Any, Any]) -> Iterator[Entry]:
    for key, fields in listed.items():
        name = str(key)
        if not FOLDER.fullmatch(name):
            raise Refusal(f"{root / METADATA} lists {name!r}, which is no submission_N. Is it Gradescope's?")
        yield _entry(name, root / name, fields if isinstance(fields, Mapping) else {})


def _entry(name: str, path: Path, fields: Mapping[Any, Any]) -> Entry:
    students = tuple(_student(each) for each in _field(fields, "submitters", list) or [] if isinstance(each, Mapping))
    written = _field(fields, "created_at", str) or ""
    at = ruby_yaml.moment(written)
    problem = "" if path.is_dir() else "Its folder is not in the export."
    if not problem and written and at is None:
        problem = f"Its time, {written!r}, cannot be read as a point in time."
    return Entry(name, path, students, at.isoformat() if at else "", problem, _over_limit(fields))


def _over_limit(fields: Mapping[Any, Any]) -> str:
    """Why a person decides: this machine grades every upload, and Gradescope did not grade this one."""
    extra = _plain(_field(_field(fields, "results", Mapping) or {}, "extra_data", Mapping) or {})
    if KEPT not in extra:
        return ""
    return (
        f"On Gradescope this upload was over the limit and shows the result of {extra[KEPT]}. "
        "The score here is this upload's own."
    )


def _student(fields: Mapping[Any, Any]) -> Student:
    def text(key: str) -> str:
        value = _field(fields, key, str | int)
        return "" if value is None else str(value).strip()

    return Student(text("name"), text("email"), text("sid"))


def _field(fields: Mapping[Any, Any], key: str, kind: Any) -> Any:
    """A value under `:key`, as Ruby's symbols come out, or under `key`; None where it is not of this kind."""
    if not isinstance(fields, Mapping):
        return None
    value = fields.get(f":{key}", fields.get(key))
    return value if isinstance(value, kind) else None


def _unlisted(root: Path, listed: Mapping[Any, Any]) -> Iterator[Entry]:
    known = set(map(str, listed))
    for path in root.iterdir():
        if path.is_dir() and FOLDER.fullmatch(path.name) and path.name not in known:
            yield Entry(path.name, path, problem=f"{METADATA} does not list it, so nobody knows whose it is.")

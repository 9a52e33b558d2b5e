"""Submissions that were made to break the reader: each is refused with a sentence, at little cost."""

import json
import os
import stat
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from pskit.notebook import Unreadable, artifact_problems, limits, read_submission
from pskit.notebook.notebook_file import read_notebook
from pskit.notebook.python import clean, syntax_error

NOTEBOOK = json.dumps({"cells": [{"cell_type": "code", "source": "def f():\n    return 1"}]})


def refusal(path: Path) -> str:
    with pytest.raises(Unreadable) as refused:
        read_submission(path)
    sentence = str(refused.value)
    assert sentence.endswith((".", "resubmit."))
    return sentence


def zipped(path: Path, members: dict[str, str | bytes], mode: int = 0o100644) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            member = zipfile.ZipInfo(name)
            member.compress_type, member.external_attr = zipfile.ZIP_DEFLATED, mode << 16
            archive.writestr(member, data)
    return path


def test_a_huge_file_is_refused_by_its_size_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "ps1.ipynb"
    with path.open("wb") as file:
        file.truncate(500 * limits.MIB)  # sparse: costs no disk, but reading it would cost 500 MB
    assert "ps1.ipynb has 500 MB; at most 100 MB are read. Clear the outputs" in refusal(path)


def test_a_zip_bomb_is_refused_by_its_declared_ratio(tmp_path: Path) -> None:
    path = zipped(tmp_path / "bomb.zip", {"ps1.ipynb": b"0" * (40 * limits.MIB)})
    assert path.stat().st_size < limits.MIB
    assert "unpacks to over 200 times its size" in refusal(path)


def test_a_zip_bomb_that_lies_about_its_size_is_cut_at_the_limit(tmp_path: Path) -> None:
    path = zipped(tmp_path / "liar.zip", {"ps1.ipynb": b"0" * (40 * limits.MIB)})
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, entry + 24, 1000)  # the directory now declares 1000 bytes
    path.write_bytes(data)
    assert "liar.zip" in refusal(path)


def test_many_members_together_may_not_exceed_the_total(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pskit.notebook.files.MAX_TOTAL_BYTES", 1000)
    path = zipped(tmp_path / "many.zip", {f"{i}.ipynb": os.urandom(400) for i in range(4)})
    assert "unpack to more than" in refusal(path)


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "data.zip", {f"{i}.png": b"" for i in range(limits.MAX_FILES + 1)})
    assert "more than 2,000 files" in refusal(path)


@pytest.mark.parametrize("name", ["../../etc/ps1.ipynb", "/etc/ps1.ipynb", "a/../../ps1.ipynb"])
def test_a_member_that_points_outside_is_not_read(tmp_path: Path, name: str) -> None:
    path = zipped(tmp_path / "out.zip", {name: NOTEBOOK})
    assert f"{name} points outside the zip and was not read." in refusal(path)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices_in_a_zip_are_not_read(tmp_path: Path, kind: int) -> None:
    path = zipped(tmp_path / "link.zip", {"ps1.ipynb": "/etc/passwd"}, kind | 0o777)
    assert "is a link or a device, not a file, and was not read." in refusal(path)


def test_links_and_pipes_in_a_folder_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.ipynb"
    secret.write_text(NOTEBOOK)
    folder = tmp_path / "submission"
    folder.mkdir()
    (folder / "ps1.ipynb").symlink_to(secret)
    (folder / "more").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.ipynb")
    sentence = refusal(folder)
    assert "ps1.ipynb is a link" in sentence
    assert "more is a link to a folder" in sentence
    assert "pipe.ipynb is a device, a pipe or a socket" in sentence


def test_zips_inside_zips_end_at_the_second_level(tmp_path: Path) -> None:
    path = zipped(tmp_path / "0.zip", {"ps1.ipynb": NOTEBOOK})
    for level in (1, 2):
        path = zipped(tmp_path / f"{level}.zip", {path.name: path.read_bytes()})
    assert "zip inside a zip inside a zip" in refusal(path)


def test_a_damaged_zip_says_so(tmp_path: Path) -> None:
    path = tmp_path / "cut.zip"
    path.write_bytes(zipped(tmp_path / "whole.zip", {"ps1.ipynb": os.urandom(3000)}).read_bytes()[:2000])
    assert "cut.zip is a damaged zip" in refusal(path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[" * 200_000, "nests more than 100 brackets"),
        ('{"a":' * 200_000, "nests more than 100 brackets"),
        ('{"cells": [' + "1" * 5000 + "]}", "JSON that no notebook program writes"),
        ('{"cells": ' + json.dumps([{}] * 5001) + "}", "5,001 cells"),
        ('{"cells": [{"cell_type": "code", "source": "' + "#" * 2_100_000 + '"}]}', "2,000,000 characters"),
        ('{"cells": 7}', "no notebook"),
        ('{"cells": null, "worksheets": [7]}', ""),
        ("\x00\x00\x00", "is empty"),
    ],
)
def test_json_made_to_hurt_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "ps1.ipynb"
    path.write_text(text)
    if sentence:
        assert sentence in refusal(path)
    else:
        assert read_submission(path).cells == ()


@pytest.mark.parametrize("head", [b"\x1f\x8b\x08", b"Rar!\x1a", b"7z\xbc\xaf\x27", b"%PDF-1.7"])
def test_other_archives_are_named(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "ps1.ipynb"
    path.write_bytes(head + b"\0" * 50)
    assert "not a notebook" in refusal(path)


fields = st.sampled_from(["cells", "source", "cell_type", "metadata", "outputs", "worksheets", "input", "pskit"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(fields, inner, max_size=5),
    max_leaves=20,
)


@given(json_values)
@settings(max_examples=200, deadline=None)
def test_any_json_is_read_or_refused_with_a_sentence(value: object) -> None:
    try:
        cells, _ = read_notebook("ps1.ipynb", json.dumps({"cells": value}).encode())
    except Unreadable as sentence:
        assert str(sentence).startswith("ps1.ipynb")  # noqa: PT017
    else:
        assert all(isinstance(cell.source, str) for cell in cells)


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read_or_refused_with_a_sentence(data: bytes) -> None:
    try:
        read_notebook("ps1.ipynb", data)
    except Unreadable as sentence:
        assert str(sentence).startswith("ps1.ipynb")  # noqa: PT017


LINES = [
    "def f(:",
    "def g(x):",
    "    return x",
    "%time f()",
    "!ls \\",
    "  -l",
    "x = (",
    ")",
    '"""',
    "@dec",
    "%%time",
    "?f",
    "\t",
]


@given(st.lists(st.sampled_from(LINES) | st.text(max_size=10), max_size=12).map("\n".join))
@settings(max_examples=200, deadline=None)
def test_any_cell_becomes_python_of_at_least_the_same_lines(source: str) -> None:
    python, _ = clean(source.replace("\0", "").replace("\r", ""))
    assert syntax_error(python) is None


def safetensors(header: object, body: bytes = b"", size: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if size is None else size).to_bytes(8, "little") + text + body


def entry(dtype: object = "F32", shape: object = (2,), offsets: object = (0, 8)) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def test_a_sound_artifact_has_no_problems() -> None:
    assert artifact_problems("w.safetensors", save({"w": np.ones((2, 3)), "n": np.zeros((), np.int64)})) == []


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "breaks off"),
        (safetensors({}, size=10**15), "breaks off"),
        (safetensors(b"{" + b" " * limits.MAX_SAFETENSORS_HEADER + b"}"), "a header of"),
        (safetensors(b"[[[["), "damaged header"),
        (safetensors(b"[" * 100_000), "damaged header"),
        (safetensors([1]), "lists no tensors"),
        (safetensors({}), "holds no tensors"),
        (safetensors({"w": entry()}, b"1234"), "describes 8 bytes of tensors and holds 4"),
        (safetensors({"w": entry(), "v": entry(offsets=(4, 12))}, b"0" * 12), "over another one"),
        (safetensors({"w": entry(dtype="C64")}, b"0" * 8), "allowed are F64"),
        (safetensors({"w": entry(dtype=["F32"])}, b"0" * 8), "allowed are F64"),
        (safetensors({"w": entry(shape=(-1, -2))}, b"0" * 8), "impossible shape"),
        (safetensors({"w": entry(shape=(3,))}, b"0" * 8), "does not fit its bytes"),
        (safetensors({"w": {"dtype": "F32"}}, b"0" * 8), "incompletely"),
        (safetensors({"w": 7}), "incompletely"),
        (safetensors({"w": entry(shape=None)}), "incompletely"),
        (safetensors({"w": entry(), "__metadata__": {"a": 1}}, b"0" * 8), "by the safetensors library"),
        (b"PK\x03\x04" + b"\0" * 60, "a file of torch.save"),
        (b"\x80\x04\x95" + b"\0" * 60, "is a pickle"),
        (b"\x93NUMPY\x01\0" + b"\0" * 60, "is a NumPy file"),
        (b"<!DOCTYPE html>" + b" " * 60, "is a web page"),
    ],
)
def test_a_file_that_is_no_sound_safetensors_gets_one_sentence(data: bytes, sentence: str) -> None:
    (problem,) = artifact_problems("ps1_gmm.safetensors", data)
    assert problem.startswith("ps1_gmm.safetensors ")
    assert sentence in problem


@given(
    st.binary(max_size=200)
    | st.dictionaries(st.text(max_size=3), st.from_type(type(None)) | st.integers()).map(safetensors)
)
@settings(max_examples=200, deadline=None)
def test_any_bytes_as_an_artifact_get_a_list_of_sentences(data: bytes) -> None:
    assert len(artifact_problems("w.safetensors", data)) <= 1

"""The data: the small sets as documented, the full ones by hash from mirrors in turn, else a sentence."""

import gzip
import hashlib
import importlib
import io
import re
import tarfile
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pskit import data
from pskit.data import choice, sources, store
from pskit.data.sources import Download, Source

weights = importlib.import_module("pskit.data.weights")  # the function of that name hides its module
BUNDLED = Path(data.__file__).parent / "bundled"
GREY = np.arange(20 * 30, dtype=np.uint8).reshape(20, 30)


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """A data folder of this test's own, nothing said and nothing failed yet, and no way to the real network."""
    monkeypatch.setenv("PSKIT_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(store, "_failed_at", {})
    monkeypatch.setattr(choice, "_said", set())
    monkeypatch.setattr(choice, "_small", False)
    store._verified.cache_clear()
    unreachable = ("http://127.0.0.1:9/a.gz", "http://127.0.0.1:9/b.gz")
    offline = {
        name: Source(source.title, source.megabytes, tuple(Download(unreachable, d.members) for d in source.downloads))
        for name, source in sources.SOURCES.items()
    }
    monkeypatch.setattr(store, "SOURCES", offline)


@pytest.fixture
def server(tmp_path):
    """A folder that is served over HTTP on this machine, and its address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    served = tmp_path / "served"
    served.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(served))) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield served, f"http://127.0.0.1:{httpd.server_port}/"
        httpd.shutdown()
        thread.join()


def offer(monkeypatch, name, files, downloads):
    """Make `files` (path to content) the full set `name`, to be had by `downloads`."""
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    monkeypatch.setattr(store, "manifest", lambda: digests)
    monkeypatch.setattr(store, "SOURCES", {name: Source("The test set", 1, downloads)})


def png(grey):
    file = io.BytesIO()
    Image.fromarray(grey).save(file, "png")
    return file.getvalue()


PHOTOGRAPHS = {
    "bsds500/train/1.jpg": png(GREY),
    "bsds500/train/2.jpg": png(GREY[:9]),
    "bsds500/test/3.jpg": png(255 - GREY),
}


def archive(kind):
    """The photographs as BSDS500's archives hold them, among other files."""
    members = {f"BSDS500-x/data/images/{path.removeprefix('bsds500/')}": c for path, c in PHOTOGRAPHS.items()}
    members |= {"BSDS500-x/README.md": b"hello", "BSDS500-x/data/images/train/Thumbs.db": b"no photograph"}
    file = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(file, "w") as opened:
            for name, content in members.items():
                opened.writestr(name, content)
    else:
        with tarfile.open(fileobj=file, mode="w:gz") as opened_tar:
            for name, content in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                opened_tar.addfile(info, io.BytesIO(content))
    return file.getvalue()


# The small sets


def test_every_bundled_file_has_the_hash_that_its_sources_state():
    stated = dict(re.findall(r"^\| (\S+/\S+\.\w+) \|.* ([0-9a-f]{64}) \|$", (BUNDLED / "SOURCES.md").read_text(), re.M))
    files = {str(f.relative_to(BUNDLED)): f for f in BUNDLED.rglob("*") if f.is_file() and f.name != "SOURCES.md"}
    assert stated == {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items()}


def test_pictures_kept_for_evaluation_are_not_in_the_package():
    names = {file.stem for file in BUNDLED.rglob("*.png")}
    assert not names & {"flower", "rocket", "hubble_deep_field", "moon", "gravel", "grass", "retina", "motorcycle_left"}


def test_small_photographs_are_grey_float64_and_split_apart(capsys):
    data.prefer_small(True)
    train, test = data.photographs("train"), data.photographs("test")
    assert (len(train), len(test)) == (5, 2)
    for image in (*train, *test):
        assert image.dtype == torch.float64
        assert 0 <= image.min() < 0.5 < image.max() <= 1
        torch.testing.assert_close(image * 255, (image * 255).round())
        assert image.shape[0] >= 200
    data.photographs("train")
    assert capsys.readouterr().out.count("QUICK: the 5 train photographs that come with pskit stand in") == 1


def test_small_photographs_hold_more_patches_than_the_full_runs_draw():
    data.prefer_small(True)
    assert data.patches("train", 60_000).unique(dim=0).shape[0] > 58_000
    assert data.patches("test", 10_000).shape == (10_000, 64)


def test_small_digits_are_real_ones_of_every_class():
    data.prefer_small(True)
    images, labels = data.mnist("train")
    assert images.shape == (1000, 28, 28)
    assert images.dtype == torch.uint8
    assert labels.bincount().tolist() == [100] * 10
    assert data.mnist("test")[1].bincount().tolist() == [50] * 10
    assert labels[:5].tolist() == [5, 0, 4, 1, 9]  # MNIST's first five
    assert [len(part) for part in data.mnist("test", 7)] == [7, 7]
    ink = images.double().mean(dim=0)
    assert ink[14, 14] > 80 > 1 > ink[0, 0]  # digits stand in the middle: the sheet is cut where it should be


def test_small_digits_belong_to_their_labels():
    """A digit is nearer to the mean of its own class than to the others': a shuffled sheet gives one in ten."""
    data.prefer_small(True)
    (images, labels), (others, wanted) = data.mnist("train"), data.mnist("test")
    means = torch.stack([images[labels == c].double().mean(dim=0).flatten() for c in range(10)])
    guesses = torch.cdist(others.double().flatten(1), means).argmin(dim=1)
    assert (guesses == wanted).double().mean() > 0.6


def test_small_text_begins_like_the_full_one():
    data.prefer_small(True)
    assert data.shakespeare().startswith("First Citizen:\n")


# Patches and the basis


def test_patches_are_windows_of_the_photographs_drawn_evenly(monkeypatch):
    images = [torch.arange(12 * 15).reshape(12, 15).numpy().astype(np.uint8), np.full((4, 30), 200, np.uint8)]
    monkeypatch.setattr("pskit.data.images._grey", lambda _: images)
    windows = torch.from_numpy(images[0]).unfold(0, 3, 1).unfold(1, 3, 1).reshape(-1, 9)
    everything = data.patches("train", 10 * 13 + 2 * 28, p=3) * 255
    assert sorted(everything[everything[:, 0] < 180].tolist()) == sorted(windows.double().tolist())
    assert (everything[everything[:, 0] > 180] == 200).all()
    with pytest.raises(ValueError, match="there are 186 patches of 3 x 3 in these photographs, and 187 were asked for"):
        data.patches("train", 187, p=3)


def test_the_seed_decides_the_patches():
    data.prefer_small(True)
    first = data.patches("train", 50, seed=1)
    assert torch.equal(first, data.patches("train", 50, seed=1))
    assert not torch.equal(first, data.patches("train", 50, seed=2))


@pytest.mark.parametrize("p", [2, 5, 8])
def test_the_basis_is_orthonormal_and_has_no_constant(p):
    basis = data.dct_basis(p)
    assert basis.shape == (p * p, p * p - 1)
    torch.testing.assert_close(basis.T @ basis, torch.eye(p * p - 1, dtype=torch.float64))
    torch.testing.assert_close(basis.sum(dim=0), torch.zeros(p * p - 1, dtype=torch.float64))


def test_the_basis_is_the_cosine_transform_of_scipy():
    from scipy.fft import dctn

    patch = torch.rand(8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    want = dctn(patch.numpy(), norm="ortho").reshape(-1)[1:]
    np.testing.assert_allclose(patch.reshape(64) @ data.dct_basis(8), want, atol=1e-12)


def test_from_ac_undoes_to_ac():
    P = torch.rand(7, 25, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    coefficients, means = data.to_ac(P)
    assert (coefficients.shape, means.shape) == ((7, 24), (7, 1))
    torch.testing.assert_close(data.from_ac(coefficients, means), P)


@pytest.mark.parametrize(
    ("load", "allowed"), [(data.photographs, "'train', 'val' or 'test'"), (data.mnist, "'train' or 'test'")]
)
def test_an_unknown_split_is_named_with_what_is_allowed(load, allowed):
    with pytest.raises(ValueError, match=f"split is 'tests'; it can be {allowed}"):
        load("tests")


# The full sets


@pytest.mark.parametrize("kind", ["zip", "tgz"])
def test_photographs_come_out_of_either_archive(server, monkeypatch, kind):
    served, address = server
    (served / f"images.{kind}").write_bytes(archive(kind))
    offer(monkeypatch, "bsds500", PHOTOGRAPHS, (Download((f"{address}images.{kind}",), ("data/images/", "bsds500/")),))
    train = data.photographs("train")
    assert [image.shape for image in train] == [(20, 30), (9, 30)]
    np.testing.assert_array_equal(train[0] * 255, GREY)
    assert sorted(p.name for p in data.folder().rglob("*.*")) == ["1.jpg", "2.jpg", "3.jpg"]


def test_a_second_use_does_not_ask_the_network(server, monkeypatch):
    served, address = server
    (served / "images.zip").write_bytes(archive("zip"))
    offer(monkeypatch, "bsds500", PHOTOGRAPHS, (Download((f"{address}images.zip",), ("data/images/", "bsds500/")),))
    data.photographs("train")
    (served / "images.zip").unlink()
    assert len(data.photographs("test")) == 1


def test_the_next_mirror_serves_what_the_first_ones_cannot(server, monkeypatch):
    served, address = server
    right, wrong = b"a text", b"an error page"
    (served / "wrong").write_bytes(wrong)
    (served / "torn.gz").write_bytes(gzip.compress(right)[:-9])
    (served / "right.gz").write_bytes(gzip.compress(right))
    mirrors = tuple(address + file for file in ("not there", "wrong", "torn.gz", "right.gz"))
    offer(
        monkeypatch,
        "tinyshakespeare",
        {"tinyshakespeare/input.txt": right},
        (Download(mirrors, ("", "tinyshakespeare/input.txt")),),
    )
    assert data.shakespeare() == "a text"


def test_wrong_content_is_never_used_and_the_reason_is_said(server, monkeypatch, capsys):
    served, address = server
    (served / "wrong").write_bytes(b"an error page")
    offer(
        monkeypatch,
        "tinyshakespeare",
        {"tinyshakespeare/input.txt": b"a text"},
        (Download((f"{address}wrong",), ("", "tinyshakespeare/input.txt")),),
    )
    assert data.shakespeare().startswith("First Citizen")
    assert "The test set could not be downloaded (127.0.0.1:" in (out := capsys.readouterr().out)
    assert "other content than expected" in out
    assert not list(data.folder().rglob("*.txt"))


def test_a_file_that_was_changed_is_fetched_again(server, monkeypatch):
    served, address = server
    (served / "right").write_bytes(b"a text")
    offer(
        monkeypatch,
        "tinyshakespeare",
        {"tinyshakespeare/input.txt": b"a text"},
        (Download((f"{address}right",), ("", "tinyshakespeare/input.txt")),),
    )
    file = data.folder() / "tinyshakespeare" / "input.txt"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"half a")
    assert data.shakespeare() == "a text"


def test_without_network_one_sentence_says_what_stands_in(capsys):
    assert len(data.photographs("train")) == 5
    data.photographs("train")
    out = capsys.readouterr().out
    assert out.splitlines()[1:] == [
        "The photographs of BSDS500 could not be downloaded (127.0.0.1:9: no connection; 127.0.0.1:9: no connection). "
        "So the 5 train photographs that come with pskit stand in for BSDS500.",
        "The photographs of BSDS500 could not be downloaded. "
        "So the 5 train photographs that come with pskit stand in for BSDS500.",
    ]


def test_a_failed_download_is_tried_once_and_again_after_a_while(monkeypatch, capsys):
    def failing(*_):
        tries.append(1)
        return ["no connection"]

    tries = []
    monkeypatch.setattr("pskit.data.download.fetch", failing)
    for _ in range(3):
        data.mnist("train")
    assert len(tries) == 1
    monkeypatch.setattr(store, "RETRY_AFTER", 0.0)
    data.mnist("train")
    assert len(tries) == 2


def test_a_folder_that_cannot_be_written_to_is_named(monkeypatch, tmp_path, capsys):
    (tmp_path / "data").write_text("a file where the folder should be")
    data.mnist("train")
    assert (
        f"The digits of MNIST are not in {tmp_path / 'data'}, and nothing can be written there. So 1,000"
        in capsys.readouterr().out
    )


def test_a_ready_folder_is_used_as_it_is(monkeypatch, tmp_path, capsys):
    images, labels = np.arange(3 * 784, dtype=np.uint8).reshape(3, 28, 28), np.array([7, 2, 1], np.uint8)
    files = {}
    for split, first in (("train", 0), ("t10k", 1)):
        files[f"mnist/{split}-images-idx3-ubyte"] = bytes(16) + images[first:].tobytes()
        files[f"mnist/{split}-labels-idx1-ubyte"] = bytes(8) + labels[first:].tobytes()
    offer(monkeypatch, "mnist", files, ())
    for path, content in files.items():
        (data.folder() / path).parent.mkdir(parents=True, exist_ok=True)
        (data.folder() / path).write_bytes(content)
    for split, first in (("train", 0), ("test", 1)):
        got, classes = data.mnist(split, 2)
        np.testing.assert_array_equal(got, images[first:][:2])
        assert classes.tolist() == labels[first:][:2].tolist()
    assert capsys.readouterr().out == ""


def test_every_full_file_can_be_downloaded_from_at_least_two_mirrors():
    brings = [d for source in sources.SOURCES.values() for d in source.downloads]
    assert all(len(set(d.mirrors)) >= 2 and all(m.startswith("https://") for m in d.mirrors) for d in brings)
    assert all(any(path.startswith(d.members[1]) for d in brings) for path in store.manifest())
    counts = {
        split: sum(path.startswith(f"bsds500/{split}/") for path in store.manifest())
        for split in ("train", "val", "test")
    }
    assert counts == {"train": 200, "val": 100, "test": 200}


def test_a_bundled_photograph_is_bundled_even_where_the_full_set_is_there(monkeypatch, tmp_path):
    (tmp_path / "test").mkdir()
    full = tmp_path / "test" / "full.png"
    Image.fromarray(GREY.astype(np.uint8)).save(full)
    monkeypatch.setattr("pskit.data.images.full_files", lambda *_: [full])
    assert data.photographs("test")[0].shape == GREY.shape
    assert data.photographs("test", bundled=True)[0].shape == (384, 384)


def test_the_photograph_in_colour_has_three_channels_and_is_not_grey():
    photo = data.colour_photograph()
    assert photo.shape == (96, 144, 3)
    assert photo.dtype == torch.float64
    assert 0 <= photo.min() < 0.1 < 0.9 < photo.max() <= 1
    assert (photo[..., 0] - photo[..., 2]).mean() > 0.1  # wood and a red saucer


def test_provided_networks_have_the_hashes_of_the_sources_page_and_small_files():
    said = (BUNDLED / "SOURCES.md").read_text(encoding="utf-8")
    for name, sha in weights.HASHES.items():
        file = BUNDLED / "weights" / f"{name}.safetensors"
        assert f"weights/{file.name} " in said
        assert sha in said
        assert file.stat().st_size < 8e6
        assert all(tensor.dtype == torch.float32 for tensor in data.weights(name).values())


def test_a_damaged_or_unknown_network_gets_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    (tmp_path / "ps3_unet.safetensors").write_bytes(b"cut off")
    with pytest.raises(ValueError, match="damaged; install pskit again"):
        data.weights("ps3_unet")
    with pytest.raises(ValueError, match="those that come with pskit are: ps3_unet"):
        data.weights("ps9")

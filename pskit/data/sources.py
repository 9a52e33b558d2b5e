"""Where the full sets come from. What they hold is fixed by SHA256SUMS, so any mirror may serve them.

Each mirror was named by a project that uses it: PyTorch's and TensorFlow's MNIST loaders, the authors' page of BSDS500
and its copy on GitHub (whose 500 photographs are byte by byte those of SHA256SUMS), and char-rnn.
"""

from dataclasses import dataclass

BSDS_COMMIT = "a04b7c6c3a9f0ace74bf205c72a43d32e1c72722"


@dataclass(frozen=True)
class Download:
    """One file of the network: mirrors to try in turn, and what it is in the data folder.

    `members` maps names: ("data/images/", "bsds500/") takes an archive's ".../data/images/train/1.jpg" for
    "bsds500/train/1.jpg"; ("", "mnist/x") says that the whole download, unzipped if it is a .gz, is "mnist/x".
    """

    mirrors: tuple[str, ...]
    members: tuple[str, str]


@dataclass(frozen=True)
class Source:
    """A full set: its name in a sentence, how much there is to download, and from where."""

    title: str
    megabytes: int
    downloads: tuple[Download, ...]


def _mnist(file: str) -> Download:
    mirrors = (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://azureopendatastorage.blob.core.windows.net/mnist/",
    )
    return Download(tuple(f"{mirror}{file}.gz" for mirror in mirrors), ("", f"mnist/{file}"))


SOURCES = {
    "bsds500": Source(
        "The photographs of BSDS500",
        70,
        (
            Download(
                (
                    f"https://github.com/BIDS/BSDS500/archive/{BSDS_COMMIT}.zip",
                    "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/BSR/BSR_bsds500.tgz",
                ),
                ("data/images/", "bsds500/"),
            ),
        ),
    ),
    "mnist": Source(
        "The digits of MNIST",
        11,
        tuple(
            _mnist(f"{split}-{what}")
            for split in ("train", "t10k")
            for what in ("images-idx3-ubyte", "labels-idx1-ubyte")
        ),
    ),
    "tinyshakespeare": Source(
        "The lines of tiny Shakespeare",
        1,
        (
            Download(
                (
                    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
                    "https://cdn.jsdelivr.net/gh/karpathy/char-rnn@master/data/tinyshakespeare/input.txt",
                ),
                ("", "tinyshakespeare/input.txt"),
            ),
        ),
    ),
}

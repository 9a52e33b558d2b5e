"""A stand-in for Colab's package: what pskit uses of it, speaking to the page in the way of the real one.

Written from how the real one behaves (googlecolab/colabtools), not a copy. The page is `tests/colab/page.py`.
"""

from google.colab import _message, drive, files

__all__ = ["_message", "drive", "files", "load_ipython_extension"]


def load_ipython_extension(shell: object) -> None:
    """Colab's kernel has its package loaded from the start; here the kernel's command line loads it."""

"""`make lock`: write requirements.lock from what is installed in this environment, and say what changed."""

import argparse
import difflib
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).parents[1] / "requirements.lock"
TOOLS = {"pip", "setuptools", "wheel", "uv"}


def installed() -> list[str]:
    """`name==version` of every installed package but this project and pip's own tools, without build labels (+cpu)."""
    freeze = [sys.executable, "-m", "pip", "freeze", "--exclude-editable"]
    pins = [line.partition("+")[0] for line in subprocess.check_output(freeze, text=True).splitlines() if "==" in line]
    return sorted((pin for pin in pins if pin.partition("==")[0].lower() not in TOOLS), key=str.lower)


def main() -> int:
    """Keep the file's heading, replace its pins."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    old = LOCK.read_text(encoding="utf-8").splitlines()
    new = [line for line in old if line.startswith("#")] + installed()
    LOCK.write_text("\n".join(new) + "\n", encoding="utf-8")
    print(
        "\n".join(difflib.unified_diff(old, new, "before", "after", lineterm="", n=0))
        or "requirements.lock is current."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

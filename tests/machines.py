"""Machines on which students work: a fresh Python without pskit, and one like Colab's, with kernels that run there.

A fresh Python sees the packages that are installed here (torch is large), but not this repository; what it installs
itself comes first.
"""

import json
import os
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import torch
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
INSTALLED = Path(torch.__file__).parents[1]  # the environment's own folder; its .pth files do not count elsewhere
COLAB = ROOT / "tests" / "colab"
COLAB_PACKAGES = ROOT / "build" / "colab"
LEFT_OUT = ("PYTHONPATH", "JPY_SESSION_NAME", "PSKIT_DATA", "MPLBACKEND")


class Machine:
    """A Python of its own at `folder`, with further folders of packages before the installed ones."""

    def __init__(self, folder: Path, before: Sequence[Path] = (), extension: str = "") -> None:
        self.folder, self.extension = folder, extension
        venv.create(folder / "python", with_pip=False, symlinks=True)
        self.python = folder / "python" / "bin" / "python"
        (site,) = (folder / "python" / "lib").glob("python3*/site-packages")
        (site / "packages.pth").write_text("".join(f"{path}\n" for path in (*before, INSTALLED)))
        self._kernel()

    def _kernel(self) -> None:
        spec = self.folder / "kernels" / "python3"  # the name that notebooks ask for
        spec.mkdir(parents=True)
        extra = [f"--ext={self.extension}"] if self.extension else []
        argv = [str(self.python), "-m", "ipykernel_launcher", "-f", "{connection_file}", *extra]
        (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Student", "language": "python"}))

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """The variables of a process on this machine: nothing of ours points to the repository."""
        kept = {name: value for name, value in os.environ.items() if name not in LEFT_OUT}
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        return kept | {"HOME": str(home), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", **more}

    def run(self, notebook: Any, folder: Path, client: type[NotebookClient] = NotebookClient, **more: str) -> Any:
        """The notebook after a run from top to bottom in `folder`; a cell that raises keeps its error."""
        kernels = str(self.folder / "kernels")

        class Manager(AsyncKernelManager):
            def _kernel_spec_manager_default(self) -> KernelSpecManager:
                return KernelSpecManager(kernel_dirs=[kernels])

        options = {"kernel_name": "python3", "kernel_manager_class": Manager, "timeout": 600, "allow_errors": True}
        ran = client(notebook, resources={"metadata": {"path": str(folder)}}, **options)
        ran.execute(env=self.environment(more))
        return notebook

    def says(self, code: str, folder: Path, **more: str) -> str:
        """What Python prints for this code, run in `folder`."""
        command = [str(self.python), "-c", code]
        ran = subprocess.run(command, cwd=folder, env=self.environment(more), capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout


def colab_packages() -> Path:
    """Colab's versions, installed once into build/; skipped where the package index does not have them."""
    wanted = (COLAB / "requirements.txt").read_text()
    mark = COLAB_PACKAGES / "installed.txt"
    if not mark.is_file() or mark.read_text() != wanted:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", "--upgrade"]
        command = [*pip, "--target", str(COLAB_PACKAGES), "-r", str(COLAB / "requirements.txt")]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"NO COLAB PACKAGES: {done.stderr.strip().splitlines()[-1]}")
        mark.write_text(wanted)
    return COLAB_PACKAGES


def colab_machine(folder: Path) -> Machine:
    """A Python like Colab's: its versions, and google.colab loaded in every kernel."""
    return Machine(folder, (colab_packages(), COLAB / "standin"), extension="google.colab")


def errors(notebook: Any) -> list[str]:
    """Every error of every cell, with the cell's first line."""
    return [
        f"{cell.source.splitlines()[0]}: {output.ename}: {output.evalue}"
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.output_type == "error"
    ]


def text_of(cell: Any) -> str:
    """What a cell printed."""
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def seconds(cells: Sequence[Any]) -> float:
    """How long the kernel worked on these cells."""
    times = [cell.metadata.execution for cell in cells]
    ends = ((each["iopub.execute_input"], each["shell.execute_reply"]) for each in times)
    return sum((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() for start, end in ends)

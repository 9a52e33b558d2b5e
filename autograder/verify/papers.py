"""Submissions to grade, each a folder as a student would hand it in: notebook and artifacts."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from safetensors.torch import load, save

from autograder.course import Course, Refusal
from autograder.source import SourceSet, page
from autograder.verify.bank import Variant, artifact_makers


@dataclass(frozen=True)
class Paper:
    """A submission in a folder and the questions to grade it on. `verdict` is what it must get."""

    name: str
    verdict: str  # "reference", "stub", "right", "wrong", "mutant"
    target: str
    folder: Path
    questions: tuple[str, ...]


class Desk:
    """Where papers are written: a temporary folder that holds the release, the reference and its artifacts."""

    def __init__(self, folder: Path, course: Course, source: SourceSet) -> None:
        from autograder.release.build import release_files  # nbgrader loads only here, after --help
        from autograder.release.reference import reference_notebook

        self.folder, self.source, self.notebook = folder, source, source.plan.notebook
        self.reference: NotebookNode = reference_notebook(course, source)
        self.release = folder / "release" / self.notebook
        self.release.parent.mkdir()
        self.release.write_bytes(release_files(course, source)[self.notebook])
        self.artifacts = {path.name: path for path in sorted((source.folder / "artifacts").glob("*.safetensors"))}
        self._written = 0

    def reference_paper(self, questions: tuple[str, ...]) -> Paper:
        """The reference answers."""
        return Paper("reference", "reference", "", self._write(self.reference), questions)

    def stub_paper(self, questions: tuple[str, ...]) -> Paper:
        """The release as students get it, without artifacts."""
        folder = self._folder()
        (folder / self.notebook).write_bytes(self.release.read_bytes())
        return Paper("stub", "stub", "", folder, questions)

    def variant_paper(self, variant: Variant, question: str) -> Paper:
        """The reference and one cell, or the reference with another artifact."""
        paper = Paper(variant.name, variant.mark.verdict, variant.mark.target, Path(), (question,))
        if variant.mark.kind == "artifact":
            return replace(
                paper, folder=self._write(self.reference, {variant.mark.target: self._made(variant, question)})
            )
        cells = [*self.reference["cells"], _code_cell(variant.cell)]
        return replace(paper, folder=self._write({**self.reference, "cells": cells}))

    def mutant_paper(self, name: str, question: str, cell_id: str, source: str) -> Paper:
        """The reference with one of its cells replaced."""
        cells = [{**cell, "source": source} if cell["id"] == cell_id else cell for cell in self.reference["cells"]]
        return Paper(name, "mutant", "", self._write({**self.reference, "cells": cells}), (question,))

    def _made(self, variant: Variant, question: str) -> bytes:
        file = variant.mark.target
        if file not in self.artifacts:
            raise Refusal(
                f"{variant.name} needs the reference's {file}, which is not in {self.source.folder}/artifacts."
            )
        made = artifact_makers(page(self.source.folder / "variants", question))[variant.name](
            load(self.artifacts[file].read_bytes())
        )
        return made if isinstance(made, bytes) else save({name: tensor.contiguous() for name, tensor in made.items()})

    def _folder(self) -> Path:
        self._written += 1
        folder = self.folder / f"paper{self._written}"
        folder.mkdir()
        return folder

    def _write(self, notebook: Mapping[str, Any], artifacts: Mapping[str, bytes] | None = None) -> Path:
        folder = self._folder()
        (folder / self.notebook).write_text(json.dumps(notebook), encoding="utf-8")
        for name, path in self.artifacts.items():
            if artifacts and name in artifacts:
                (folder / name).write_bytes(artifacts[name])
            else:
                self._lend(path, folder / name)
        return folder

    def _lend(self, path: Path, place: Path) -> None:
        """A link where the file system allows one: an artifact has megabytes, and there are hundreds of papers."""
        shelf = self.folder / path.name
        if not shelf.exists():
            shelf.write_bytes(path.read_bytes())
        try:
            os.link(shelf, place)
        except OSError:
            place.write_bytes(shelf.read_bytes())


def _code_cell(source: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": "variant",
        "metadata": {},
        "execution_count": None,
        "outputs": [],
        "source": source,
    }

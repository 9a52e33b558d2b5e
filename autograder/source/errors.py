"""What the reader of sources raises."""

from pathlib import Path

from autograder.course import Refusal
from autograder.source.pages import located


class SourceError(Refusal):
    """A source that must not be built: the file, the 1-based line (0: the whole file) and a sentence about it."""

    def __init__(self, file: Path, line: int, sentence: str) -> None:
        file, line = located(file, line)
        self.file, self.line, self.sentence = file, line, sentence
        shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
        super().__init__(f"{shown}:{line}: {sentence}" if line else f"{shown}: {sentence}")

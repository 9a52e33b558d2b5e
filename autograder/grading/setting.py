"""What submissions are graded against, and how: the same for one, for a class, and on other machines."""

from dataclasses import dataclass, field
from pathlib import Path

from autograder.grading.grader import Grader
from autograder.worker import ForkServer


@dataclass(frozen=True)
class Setting:
    """The release, the hidden tests and the limits; no questions means all, and `checks` that public ones run as well.

    The hashes are those of the machine that asks; a machine that grades for it must have the same.
    """

    set_name: str
    release: Path
    hidden: Path
    seed: int
    isolation: str = "auto"
    time_limit: float = 480.0
    questions: tuple[str, ...] | None = None
    checks: bool = True
    hashes: tuple[str, ...] = field(default=(), compare=False)

    def grader(self, server: ForkServer | None = None) -> Grader:
        """A grader, on this server or one of its own; it starts when it is entered. Raises BadRelease."""
        return Grader(
            self.set_name,
            self.release,
            self.hidden,
            self.seed,
            isolation=self.isolation,
            time_limit=self.time_limit,
            checks=self.checks,
            server=server,
        )

"""What one attack did to one grader."""

from dataclasses import dataclass

from others.sandbox import Ran


@dataclass(frozen=True)
class Verdict:
    """points is None where the grader left no score. reached: the attack got what it was after."""

    points: float | None
    reached: bool
    late: bool
    left: int
    seconds: float

    @property
    def words(self) -> str:
        """A cell of the table: "withstood", or what went wrong."""
        found = [f"gave {self.points:g} point{'s' * (self.points != 1)}"] if self.points else []
        found += ["it got what it was after"] if self.reached else []
        found += ["never ended"] if self.late else ["no score"] if self.points is None else []
        found += [f"{self.left} processes stayed" if self.left > 1 else "a process stayed"] if self.left else []
        return ", ".join(found) or "withstood"


def verdict(ran: Ran, points: float | None, *, reached: bool) -> Verdict:
    """Of a command that ran in the sandbox."""
    return Verdict(points, reached, ran.late, 0 if ran.late else ran.left, ran.seconds)

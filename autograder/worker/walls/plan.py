"""What a worker will be confined to: decided once by the fork server, applied in every worker."""

from dataclasses import dataclass


class NotStanding(Exception):
    """A wall that was tried does not stand; its text says what was still possible."""


@dataclass(frozen=True)
class Wall:
    """One line of the report: `detail` says what stands, or what is missing and why."""

    name: str
    stands: bool
    detail: str


@dataclass(frozen=True)
class Plan:
    """One worker's confinement.

    home: its private folder. uid: its own user and group, None where that is impossible.
    files: "landlock", "chroot" or "closed" (no file can be opened at all), or several of them.
    readable: what Landlock leaves readable. limits: the fields of `Limits`.
    grader: process ids that must stay closed to it. without: walls left out, by tests only.
    optional: walls that did not stand in the trial; as much of them as can be raised is raised.
    """

    home: str
    uid: int | None
    files: frozenset[str]
    readable: tuple[str, ...]
    limits: dict[str, int]
    grader: tuple[int, ...] = ()
    without: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()

    def stands(self, wall: str) -> bool:
        """Whether the wall must stand in every worker."""
        return wall not in self.without | self.optional

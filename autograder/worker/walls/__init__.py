"""The walls around a worker, in the order in which they are raised; each is tried before it is reported as standing."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from autograder.worker.walls import descriptors, files, identity, privileges, resources, syscalls
from autograder.worker.walls.plan import NotStanding, Plan, Wall

__all__ = ["STEPS", "NotStanding", "Plan", "Wall", "raise_walls", "try_walls"]


@dataclass(frozen=True)
class Step:
    """One action of confinement and the wall that it belongs to."""

    wall: str
    confine: Callable[[Plan], None]


# Landlock before chroot (its paths must resolve), chroot before the user changes, system calls last.
STEPS = (
    Step(descriptors.NAME, descriptors.confine),
    Step(resources.NAME, resources.confine),
    Step(files.NAME, files.confine_landlock),
    Step(files.NAME, files.confine_chroot),
    Step(identity.NAME, identity.confine),
    Step(privileges.NAME, privileges.confine),
    Step(syscalls.NAME, syscalls.confine),
)
CHECKS: dict[str, Callable[[Plan], str]] = {
    module.NAME: module.check for module in (identity, files, syscalls, privileges, resources, descriptors)
}


def raise_walls(plan: Plan) -> None:
    """Confine this process. Raises whatever the host refuses: then nothing of a student may run here."""
    for step in STEPS:
        if step.wall in plan.without:
            continue
        with contextlib.nullcontext() if plan.stands(step.wall) else contextlib.suppress(Exception):
            step.confine(plan)


def try_walls(plan: Plan) -> list[Wall]:
    """Confine this process as far as the host allows and say which walls stand. For a process made for this only."""
    failed: dict[str, str] = {}
    for step in STEPS:
        if step.wall in plan.without:
            failed[step.wall] = "left out"
            continue
        try:
            step.confine(plan)
        except Exception as error:
            failed[step.wall] = f"{type(error).__name__}: {error}"
    return [_report(name, failed.get(name), plan) for name in CHECKS]


def _report(name: str, failure: str | None, plan: Plan) -> Wall:
    if failure is not None:
        return Wall(name, False, failure)
    try:
        return Wall(name, True, CHECKS[name](plan))
    except NotStanding as reason:
        return Wall(name, False, str(reason))
    except Exception as error:
        return Wall(name, False, f"{type(error).__name__}: {error}")

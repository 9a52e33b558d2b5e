"""no_new_privs: no program that the worker could start gains rights. Does not take rights away that it has already."""

from autograder.worker.walls.identity import PR_GET_NO_NEW_PRIVS, PR_SET_NO_NEW_PRIVS, prctl
from autograder.worker.walls.plan import NotStanding, Plan

NAME = "no new privileges"


def confine(plan: Plan) -> None:
    """Set the flag; it cannot be cleared again."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)


def check(plan: Plan) -> str:
    """The kernel confirms the flag."""
    if prctl(PR_GET_NO_NEW_PRIVS) != 1:
        raise NotStanding("no_new_privs is not set")
    return "no_new_privs is set"

"""Copy what students may see to a clone of the public mirror: releases, pskit and its wheel, README, licence.

Committed releases must be current, and every file is searched for solutions, hidden tests and the hidden seed. The
commit is tagged; with mirror_ref a tag, with that. Nothing leaves this machine without --push.
"""

import argparse
from pathlib import Path

from autograder.course import load_course
from autograder.publish.contents import mirror_files
from autograder.publish.mirror import Mirror


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="a clone of the mirror; made where there is nothing")
    parser.add_argument("sets", nargs="*", metavar="PS", help="the sets to publish; all of the term if none")
    parser.add_argument("--push", action="store_true", help="push the commit and its tag to the clone's origin")
    parser.add_argument("--root", type=Path, help="the folder of course.toml (default: this repository)")


def run(arguments: argparse.Namespace) -> int:
    """Write, commit and tag; say what changed."""
    course = load_course(arguments.root)
    plans = [course.problem_set(name) for name in arguments.sets] or list(course.sets.values())
    mirror = Mirror(arguments.folder)
    mirror.open(branch="main", address=course.mirror)
    others = [plan for plan in course.sets.values() if plan not in plans and mirror.has(plan.name)]
    shown = [plan for plan in course.sets.values() if plan in plans or plan in others]
    files = mirror_files(course, plans, shown)
    changed = mirror.write(files, [plan.name for plan in others])
    mirror.commit(f"{course.term}: {', '.join(plan.short for plan in plans)}")
    tag = mirror.tag_release(course.mirror_ref, course.term)
    print(f"{arguments.folder}: {len(files)} files, {len(changed)} changed, branch {mirror.branch}, tag {tag}")
    if arguments.push:
        mirror.push(tag)
        print("pushed")
    else:
        print(f"Look at it, then push: git -C {arguments.folder} push origin {mirror.branch} {tag}")
    return 0

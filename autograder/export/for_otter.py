"""A set for Otter: the release, one test file per part that has a public check, and the zip that `otter run` takes.

Each test of a code part is worth its points. Parts without a public check, artifacts and written answers are left to
people: where these have a check, it is run, and carries no points.
"""

import json

from autograder.course import Course
from autograder.export.checked import last_checks, part, part_points, role, with_verdict
from autograder.release.build import release_files
from autograder.source import SourceSet

TEST = '''"""Public checks of part {part}. Written by `python -m autograder export otter`."""

from otter.test_files import test_case

OK_FORMAT = False
name = {part!r}
points = {points!r}

SOURCE = {source!r}


@test_case(points={points!r}, hidden=False)
def test_public_checks(env):
    """The checks run on the student's own names."""
    exec(compile(SOURCE, "public checks {part}", "exec"), env)
'''


def otter_files(course: Course, sources: list[SourceSet]) -> dict[str, bytes]:
    """Every file by its name: a folder per set with the release, tests/ and Otter's settings."""
    files: dict[str, bytes] = {}
    for source in sources:
        name, released = source.plan.short, release_files(course, source)
        notebook = released[source.plan.notebook]
        files |= {f"{name}/{file}": data for file, data in released.items() if file != "README.md"}
        files |= {f"{name}/tests/{file}": text.encode() for file, text in _tests(source, notebook).items()}
        settings = {"show_stdout": False, "points_possible": None}
        files[f"{name}/otter_config.json"] = (json.dumps(settings, indent=1) + "\n").encode()
    return files


def _tests(source: SourceSet, notebook: bytes) -> dict[str, str]:
    cells, code = json.loads(notebook)["cells"], part_points(source, "code")
    checks, found = last_checks(cells), dict[str, str]()
    for name in checks:
        sources = ["".join(cell["source"]) for cell in cells if role(cell) == "check" and part(cell) == name]
        text = with_verdict("\n".join(sources), name)
        found[f"q{name}.py"] = TEST.format(part=name, points=code.get(name, 0), source=text)
    return found

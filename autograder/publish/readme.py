"""The mirror's README: which sets there are, when they are due, and how to begin."""

from collections.abc import Sequence

from autograder.course import Course, ProblemSet
from autograder.release.placeholders import colab_url, due_text
from autograder.release.readme import BADGE

TEXT = """# {title}: problem sets

{term}. Everything that students get; the notebooks are made from sources that are not here, so changes here are lost.

{table}

Open a set with its badge and run its cells from the top. In Colab that is all: the first cell installs the course's
small package, and nothing else. [students.md](students.md) says how to work on your own machine, what a GPU is good
for, how late hours, collaboration and grading work, and how to ask about a grade.

On your own machine, with [conda](https://docs.conda.io):

```sh
git clone {mirror} problem-sets
cd problem-sets
conda env create -f environment.yml
conda activate problem-sets
jupyter lab
```

| here | what it is |
| --- | --- |
| `psN_*/` | a set: its notebook, its README, the figures to expect |
| `pskit/` | the package that the notebooks import, to be read |
| `wheels/` | the same as the notebooks install it; those of earlier releases stay |

The licence is [MIT](LICENSE).
"""


def mirror_readme(course: Course, plans: Sequence[ProblemSet]) -> str:
    """The Markdown text."""
    rows = ["| set | due | open |", "| --- | --- | --- |"]
    rows += [_row(course, plan) for plan in plans]
    return TEXT.format(title=course.title, term=course.term, mirror=course.mirror, table="\n".join(rows))


def _row(course: Course, plan: ProblemSet) -> str:
    name = f"[{plan.short.upper()}: {plan.title}]({plan.name}/{plan.notebook})"
    return f"| {name} | {due_text(plan)} | [![Open In Colab]({BADGE})]({colab_url(course, plan)}) |"

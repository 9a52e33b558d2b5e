"""A set's README: how to start, what is asked, what to hand in, what the figures should look like."""

from autograder.course import Course
from autograder.release.figures import FOLDER, figure_references
from autograder.release.placeholders import colab_url, due_text
from autograder.source import Question, SourceSet

BADGE = "https://colab.research.google.com/assets/colab-badge.svg"


def readme(course: Course, source: SourceSet) -> str:
    """The Markdown text of the set's README."""
    plan = source.plan
    sections = [
        f"# {plan.short.upper()}: {plan.title}",
        f"{course.title}, {course.term}. Due {due_text(plan)}.",
        f"[![Open In Colab]({BADGE})]({colab_url(course, plan)})",
        f"Open [{plan.notebook}]({plan.notebook}) in Colab with the badge, or in JupyterLab. Run its cells from the "
        "top: the first one installs what the notebook needs.",
        "## Questions",
        _table(source),
        "## What to hand in",
        _hand_in(course, source),
    ]
    figures = _figures(source)
    return "\n\n".join(sections + (["## What to expect", figures] if figures else [])) + "\n"


def _table(source: SourceSet) -> str:
    rows = ["| question | title | points | parts |", "| --- | --- | ---: | --- |"]
    rows += [_row(question) for question in source.questions]
    core = sum(question.points for question in source.questions if question.name in source.plan.core)
    more = sum(question.points for question in source.questions) - core
    rows.append(f"| | **total** | **{core:g}** | {f'and {more:g} for the extensions' if more else ''} |")
    return "\n".join(rows)


def _row(question: Question) -> str:
    parts = ", ".join(
        f"{part.part.removeprefix(question.number)} {part.kind} {part.points:g}" for part in question.parts
    )
    return f"| {question.number} | {question.title} | {question.points:g} | {parts} |"


def _hand_in(course: Course, source: SourceSet) -> str:
    artifacts = dict.fromkeys(cell.file for question in source.questions for cell in question.cells if cell.file)
    *names, last = (f"`{name}`" for name in (source.plan.notebook, *artifacts))
    files = f"{', '.join(names)} and {last}" if names else last
    loose = ", by themselves or in one zip" if artifacts else ""
    late = course.late
    return (
        f"Upload {files} to Gradescope{loose}; the notebook's last section makes the file for you. "
        "What counts is the code and the text of your answers, not the cells' outputs.\n\n"
        f"You have {late.hours} late hours for all sets together, used by the started hour. Once they are used up, "
        f"each further started hour costs {late.percent_per_hour:g} % of the set's points."
    )


def _figures(source: SourceSet) -> str:
    shown = dict.fromkeys((alt, name) for _, _, alt, name in figure_references(source))
    return "\n\n".join(f"![{alt}]({FOLDER}/{name})\n\n*{alt}*" for alt, name in shown)

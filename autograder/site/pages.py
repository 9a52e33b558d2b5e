"""A released notebook as a page: text, formulas as MathML, code with colours, the expected figures beside it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from autograder.course import Course, ProblemSet
from autograder.pages import render_page
from autograder.pages.markdown import html_of_markdown
from autograder.release.leak import refuse_leaks
from autograder.release.placeholders import colab_url, due_text
from autograder.release.secrets import collect_secrets
from autograder.source import read_set

ROLES = {
    "answer": "yours to write",
    "check": "public checks",
    "given": "given",
    "run": "run and look",
    "written": "your answer",
    "artifact": "hand in",
}


@dataclass(frozen=True)
class Shown:
    """A cell of the page; `html` is safe, `label` says what the cell is for, `anchor` names the question it opens."""

    role: str
    label: str
    html: Markup
    anchor: str = ""


def site_files(course: Course, plans: Sequence[ProblemSet]) -> dict[str, bytes]:
    """Every file of the site by its name. Raises ReleaseError where a page would hold what students must not see."""
    files: dict[str, bytes] = {}
    for plan in plans:
        files[f"{plan.name}/index.html"] = _page(course, plan)
    values = {"course": course, "plans": plans, "colab": partial(colab_url, course), "due": due_text}
    files["index.html"] = render_page("autograder.site", "index.html", values).encode()
    refuse_leaks(collect_secrets(course.root, [read_set(course, plan) for plan in plans]), files)
    return files


def _page(course: Course, plan: ProblemSet) -> bytes:
    notebook: dict[str, Any] = json.loads(course.release(plan.name).read_bytes())
    values = {
        "course": course,
        "plan": plan,
        "cells": _all_shown(notebook["cells"]),
        "questions": notebook["metadata"]["pskit"]["questions"],
        "colours": Markup(HtmlFormatter(style="default").get_style_defs(".highlight")),
    }
    return render_page("autograder.site", "set.html", values).encode()


def _all_shown(cells: Sequence[Mapping[str, Any]]) -> list[Shown]:
    """Every cell; the first of each question carries its anchor."""
    shown, met = [], {""}
    for cell in cells:
        question = cell["metadata"]["pskit"].get("question", "")
        shown.append(_shown(cell, "" if question in met else question))
        met.add(question)
    return shown


def _shown(cell: Mapping[str, Any], anchor: str) -> Shown:
    source, role = "".join(cell["source"]), cell["metadata"]["pskit"]["role"]
    if cell["cell_type"] == "code":
        code = highlight(source, PythonLexer(), HtmlFormatter(cssclass="highlight code"))
        return Shown(role, ROLES.get(role, role), Markup(code), anchor)
    html = html_of_markdown(source, escape=False, exclude_anchor_links=True)
    return Shown(role, ROLES.get(role, ""), Markup(html), anchor)

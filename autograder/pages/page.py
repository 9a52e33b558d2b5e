"""Templates to pages: escaping is always on, a name that is missing is an error."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined


def render_page(package: str, template: str, values: Mapping[str, Any]) -> str:
    """The page of a template in `package`, which extends "base.html"."""
    sources = {"base.html": _read("autograder.pages", "base.html"), template: _read(package, template)}
    environment = Environment(
        loader=DictLoader(sources), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["points"] = points
    environment.filters["signed"] = signed
    return environment.get_template(template).render(values)


def _read(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text(encoding="utf-8")


def points(value: float | None) -> str:
    """ "12.5", or a dash where there is none."""
    return "–" if value is None else f"{round(value, 6):g}"


def signed(value: float | None) -> str:
    """ "+2", "−1.5", with a minus sign that is one."""
    return "–" if value is None else f"{round(value, 6):+g}".replace("-", "−")


def write_page(file: Path, page: str) -> None:
    """Write the page in one step."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.partial")
    partial.write_text(page, encoding="utf-8", errors="backslashreplace")  # halves of characters come from students
    partial.replace(file)

"""A notebook's Markdown as HTML with its formulas as MathML: a page needs no script to show them.

A formula that cannot be read is shown as it was typed.
"""

import re
from html import escape, unescape
from typing import Any, Literal
from xml.etree.ElementTree import tostring

from latex2mathml.converter import convert_to_element
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

TEXT = re.compile(r"\\text\{[^{}]*\}")


class Renderer(IPythonRenderer):
    """nbconvert's renderer of Markdown cells, with MathML for formulas."""

    def block_math(self, body: str) -> str:
        """A displayed formula."""
        return f"<p>{_mathml(body, 'block')}</p>\n"

    def inline_math(self, body: str) -> str:
        """A formula in a line."""
        return _mathml(body, "inline")

    def latex_environment(self, name: str, body: str) -> str:
        """A displayed formula without dollars around it."""
        return self.block_math(f"\\begin{{{name}}}{body}\\end{{{name}}}")


def html_of_markdown(text: str, renderer: Renderer | None = None, **options: Any) -> str:
    """The HTML of a cell; `options` are those of nbconvert's renderer."""
    return str(MarkdownWithMath(renderer or Renderer(**options)).render(text))


def _mathml(latex: str, display: Literal["block", "inline"]) -> str:
    try:
        if not _balanced(latex):
            raise ValueError("a brace is missing")  # the converter would show what it can read and drop the rest
        tree = convert_to_element(TEXT.sub(_underscores, latex.strip()), display=display)
    except Exception:  # the converter raises many kinds; the formula stays readable
        return f"<code>{escape(latex)}</code>"
    for element in tree.iter():
        element.text = element.text and unescape(element.text)  # it writes entities, and a student's text as it stands
    return tostring(tree, encoding="unicode")


def _balanced(latex: str) -> bool:
    braces = re.sub(r"\\.", "", latex, flags=re.DOTALL)
    return braces.count("{") == braces.count("}")


def _underscores(text: re.Match[str]) -> str:
    """The converter shows the backslash of an underscore in text."""
    return text.group().replace(r"\_", "_")

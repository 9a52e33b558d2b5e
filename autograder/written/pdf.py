"""One PDF per student: a cover, then each written part on pages of its own, by Otter's exporter in a headless browser.

The browser runs no script, opens no file and asks nothing of the network: a page is text and pictures that it carries.
"""

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import nbconvert
import nbformat
from nbformat.v4 import new_markdown_cell, new_notebook
from playwright.sync_api import sync_playwright
from pypdf import PdfReader, PdfWriter

from autograder.course import Refusal
from autograder.written.answers import Answer
from autograder.written.browser import arguments, find_browser
from autograder.written.html import html_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of traitlets, in a package that Otter imports
    from otter.export import export_notebook

BEGIN, END = "<!-- BEGIN QUESTION -->", "<!-- END QUESTION -->"
MARGINS = {"top": "18mm", "bottom": "18mm", "left": "18mm", "right": "18mm"}
STYLE = (
    'math {font-family: "STIX Two Math", "Latin Modern Math", "Cambria Math", "DejaVu Math TeX Gyre", math} '
    "img {max-width: 100%} pre {white-space: pre-wrap} h1, h2 {font: bold 14pt sans-serif} "
    "table, td, th {border: 1px solid #999; border-collapse: collapse; padding: 2px 6px}"
)


class Printer:
    """Prints notebooks with an open browser."""

    def __init__(self, browser: Any) -> None:
        class Exporter(nbconvert.WebPDFExporter):
            def run_playwright(self, html: str) -> bytes:
                return _print(browser, html)

        self._exporter = Exporter

    def pdf(self, cover: str, answers: Sequence[Answer]) -> bytes:
        """The PDF; `cover` is the text of the first page."""
        with TemporaryDirectory() as folder:
            file = Path(folder) / "written.ipynb"
            nbformat.write(notebook(cover, answers), file)  # type: ignore[no-untyped-call]
            with patch.object(nbconvert, "WebPDFExporter", self._exporter):
                export_notebook(str(file), exporter_type="html", filtering=True, pagebreaks=True)
            return file.with_suffix(".pdf").read_bytes()


@contextmanager
def printer() -> Iterator[Printer]:
    """A printer; Refusal where there is no browser."""
    path = find_browser()
    if path is None:
        raise Refusal("written: PDFs need Chromium or Chrome. Install chromium (Debian: apt-get install chromium).")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=arguments())
        try:
            yield Printer(browser)
        finally:
            browser.close()


def _print(browser: Any, html: str) -> bytes:
    context = browser.new_context(java_script_enabled=False, offline=True)
    try:
        page = context.new_page()
        page.route("**", lambda route: route.abort())
        page.set_content(html.replace("</head>", f"<style>{STYLE}</style></head>", 1), wait_until="domcontentloaded")
        return bytes(page.pdf(format="Letter", margin=MARGINS, outline=True, tagged=True))
    finally:
        context.close()


def notebook(cover: str, answers: Sequence[Answer]) -> nbformat.NotebookNode:
    """What Otter's exporter prints: a cell for the cover and one per part, each a question of its own."""
    texts = [f"{BEGIN}\n\n<h1>{escape(cover)}</h1>"]
    for answer in answers:
        body = "".join(map(html_of, answer.cells)) or "<p><em>No answer.</em></p>"
        texts.append(f"{BEGIN}\n\n<div><h1>{escape(title(answer))}</h1>{_in_one_line(body)}</div>\n\n{END}")
    cells = [new_markdown_cell(text) for text in texts]  # type: ignore[no-untyped-call]
    made: nbformat.NotebookNode = new_notebook(cells=cells)  # type: ignore[no-untyped-call]
    return made


def title(answer: Answer) -> str:
    """The heading of a part's pages."""
    part = answer.part
    worth = f"{part.points:g} point" + "s" * (part.points != 1)
    return f"Question {part.part}. {part.title} ({worth})"


def _in_one_line(html: str) -> str:
    """HTML that Markdown passes through: an empty line would end it."""
    return html.replace("\n", "&#10;")


def page_counts(pdf: bytes) -> list[int]:
    """How many pages the cover and each part take, from the headings that the PDF lists."""
    reader = PdfReader(io.BytesIO(pdf))
    starts = [reader.get_destination_page_number(each) for each in reader.outline if not isinstance(each, list)]
    ends = [*starts[1:], len(reader.pages)]
    return [end - start for start, end in zip(starts, ends, strict=True) if start is not None and end is not None]


def padded(pdf: bytes, wanted: Sequence[int]) -> bytes:
    """The PDF with blank pages after each part, so that part i starts on the same page for everybody."""
    reader, writer, at = PdfReader(io.BytesIO(pdf)), PdfWriter(), 0
    for has, wants in zip(page_counts(pdf), wanted, strict=True):
        for number in range(at, at + has):
            writer.add_page(reader.pages[number])
        for _ in range(wants - has):
            writer.add_blank_page()
        at += has
    data = io.BytesIO()
    writer.write(data)
    return data.getvalue()

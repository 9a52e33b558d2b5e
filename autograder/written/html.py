"""A written cell as HTML in which nothing runs: Markdown with its mathematics as MathML and its pictures inside.

HTML that a student wrote is shown as text. A formula that cannot be read is shown as it was typed.
"""

import base64
import binascii
from collections.abc import Mapping
from html import escape
from typing import Any

from autograder.pages.markdown import Renderer, html_of_markdown
from pskit.notebook import RawCell

PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")


def html_of(cell: RawCell) -> str:
    """The cell as HTML; code, and text that no reader of Markdown survives, as it was typed."""
    if cell.kind == "code":
        return _typed(cell.source)
    try:
        return html_of_markdown(cell.source, _Renderer(cell.attachments))
    except Exception:  # a broken cell must not lose the other answers, whatever breaks
        return _typed(cell.source)


def _typed(text: str) -> str:
    return f"<pre>{escape(text)}</pre>"


class _Renderer(Renderer):
    """The renderer without raw HTML, links that run, and requests."""

    def __init__(self, attachments: Mapping[str, Any]) -> None:
        super().__init__(escape=True, allow_harmful_protocols=False, exclude_anchor_links=True)
        self._pictures = attachments

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        """Below the headings of the parts, which the table of contents lists."""
        return f"<h{min(level + 2, 6)}>{text}</h{min(level + 2, 6)}>\n"

    def block_mermaidjs(self, code: str) -> str:
        """A diagram that would need a script, as it was typed."""
        return _typed(code)

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """A picture that is attached to the cell; of any other, its name."""
        data = _picture(self._pictures.get(url.removeprefix("attachment:")))
        if data is None:
            return escape(f"[picture {url}: it is not in the notebook. {text}]")
        return f'<img src="{data}" alt="{escape(text)}">'


def _picture(attachment: Any) -> str | None:
    """The data address of an attachment {MIME type: base64 text}."""
    for kind, text in attachment.items() if isinstance(attachment, dict) else ():
        try:
            data = base64.b64decode("".join(text) if isinstance(text, list) else text, validate=False)
        except (binascii.Error, TypeError, ValueError):
            continue
        if kind in PICTURES and data:
            return f"data:{kind};base64,{base64.b64encode(data).decode()}"
    return None

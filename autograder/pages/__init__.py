"""Pages for staff: one self-contained HTML file each, in which nothing that a student wrote can run.

Every text is escaped by the template engine; beyond that the page's own policy forbids scripts, forms, frames and every
request, so that a mistake in one of the two costs nothing. What this does not protect against: a browser that ignores
both, and staff who copy a text out of the page and run it.
"""

from autograder.pages.page import render_page, write_page

__all__ = ["render_page", "write_page"]

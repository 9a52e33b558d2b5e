"""A real browser for the tests of pages: Chromium or Chrome as the machine has it, driven by Playwright.

Where there is none, the tests that need one are skipped and say so.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest

from autograder.written.browser import arguments, find_browser

MISSING = "NO BROWSER: pages are not tested in one. Install chromium (Debian: apt-get install chromium)."


@contextmanager
def browser() -> Iterator[Any]:
    """A browser with scripts on, as staff have it."""
    path = find_browser()
    if path is None:
        pytest.skip(MISSING)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=path, args=arguments())
        try:
            yield opened
        finally:
            opened.close()


EVIL = (
    "<script>document.title='pwned'</script>",
    "<img src=x onerror=\"document.title='pwned'\">",
    '"><svg onload="document.title=\'pwned\'">',
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "</table></main><iframe srcdoc=\"<script>parent.document.title='pwned'</script>\">",
    "\u202egnp.exe \ud800 \x00",
)


def assert_sound(page: Any, title: str) -> None:
    """No script ran, nothing was asked for, tables and pictures can be read aloud, nothing is wider than the window."""
    assert page.title() == title, "a student's text ran"
    assert page.evaluate("document.querySelectorAll('script, iframe, object, embed, form, img, link').length") == 0
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.evaluate("document.querySelectorAll('main h1').length") == 1
    assert page.evaluate("[...document.querySelectorAll('table')].every(t => t.caption && t.caption.innerText)")
    assert page.evaluate("[...document.querySelectorAll('th')].every(c => c.scope)")
    assert page.evaluate("[...document.querySelectorAll('svg')].every(s => s.getAttribute('aria-label'))")
    assert page.evaluate(
        "[...document.querySelectorAll('a[href]')].every(a => a.getAttribute('href').startsWith('#'))"
    ), "links stay on the page"
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(h => +h.tagName[1])")
    assert all(after <= before + 1 for before, after in pairwise(levels)), "no level is left out"
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "it fits the window"

"""One browser for all tests, one visit of each built page for all that only looks at it."""

import sys

import pytest
from visit import PAGES, SITE, visit

sys.path.insert(0, str(SITE.parents[1] / "tools"))


@pytest.fixture(scope="session")
def browser():
    """Start Chromium, once."""
    pytest.importorskip("playwright", reason="Playwright drives the browser (extra `browser`)")
    from chromium import chromium

    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session", params=PAGES, ids=lambda path: path.stem)
def visited(browser, request):
    """Open a page once; pytest runs all tests that share it before it turns to the next page."""
    with visit(browser, request.param) as visited:
        yield visited

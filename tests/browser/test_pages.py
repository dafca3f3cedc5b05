"""Every built page, opened from disk: quiet, local, light, and never wider than the window."""

import gzip
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from visit import CORES, PAGES, SITE, WIDTH, visit

PAGE_BYTES = 1_500_000
FIRST_VISIT_BYTES = 2_500_000  # gzipped


def test_the_book_is_built_and_its_front_door_leads_in(browser):
    assert all(path.exists() for path in [SITE / "index.html", *PAGES]), "build the book first: make book"
    with visit(browser, SITE / "book" / "intro.html") as visited:
        visited.page.goto((SITE / "index.html").as_uri())
        visited.page.wait_for_url("**/book/intro.html")


def gzipped(url):
    """Return the size of a local file after gzip."""
    return len(gzip.compress(Path(unquote(urlparse(url).path)).read_bytes()))


def test_page_is_quiet_and_local(visited):
    assert visited.faults == []


def test_page_is_light(visited):
    files = {url.split("#")[0].split("?")[0] for url in visited.requests if url.startswith("file:")}
    assert visited.path.stat().st_size <= PAGE_BYTES
    assert sum(map(gzipped, files)) <= FIRST_VISIT_BYTES


def test_every_picture_has_a_text_alternative(visited):
    # A page says the address of a picture where its cell says nothing: no alternative either.
    silent = "[...document.images].filter((img) => !img.alt.includes(' ')).map((img) => img.src.slice(0, 90))"
    assert visited.page.evaluate(f"() => {silent}") == []


@pytest.mark.parametrize("width", [360, 1000, WIDTH])
def test_page_never_scrolls_sideways(visited, width):
    visited.open_at(width)
    visited.page.evaluate("() => window.scrollTo(10000, 0)")
    assert visited.page.evaluate("() => window.scrollX") == 0
    assert visited.page.evaluate("() => document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("path", CORES, ids=lambda path: path.stem)
def test_lines_of_code_fit_a_desktop(browser, path):
    with visit(browser, path) as visited:
        visited.open_at(WIDTH)
        visited.page.add_style_tag(content="div.cell_input pre { white-space: pre !important; }")
        wide = visited.page.evaluate(
            """() => [...document.querySelectorAll('.cell:not([class*="tag_hide"]) > .cell_input pre')]
              .filter((pre) => pre.scrollWidth > pre.clientWidth).map((pre) => pre.textContent)"""
        )
        assert wide == []


@pytest.mark.parametrize("contents", ["primary", "secondary"])
def test_the_contents_open_on_a_phone_and_close(browser, contents):
    with visit(browser, CORES[0], width=360) as visited:
        box = visited.page.locator(f"#pst-{contents}-sidebar-modal")
        assert not box.is_visible()
        visited.page.locator(f".{contents}-toggle").click()
        assert box.locator("a:visible").count() > 5
        visited.page.keyboard.press("Escape")
        assert not box.is_visible()
        assert visited.faults == []


def test_the_contents_stand_left_of_the_text_on_a_desktop_and_can_be_put_away(browser):
    with visit(browser, CORES[0]) as visited:
        sidebar = visited.page.locator("#pst-primary-sidebar")
        assert sidebar.bounding_box()["x"] < visited.page.locator("main").bounding_box()["x"]
        visited.page.locator(".primary-toggle").click()
        sidebar.wait_for(state="hidden")
        assert visited.faults == []


PLANTED = {
    "CDN script": ('<script src="https://cdn.example.org/widget.js"></script>', "request to another host"),
    "missing file": ('<script src="missing.js"></script>', "request failed"),
    "console error": ("<script>console.error('planted')</script>", "console error: planted"),
    "raising script": ("<script>undefinedFunction()</script>", "page error"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_caught(browser, tmp_path, name):
    html, words = PLANTED[name]
    page = tmp_path / "planted.html"
    page.write_text(f'<!doctype html><link rel="icon" href="data:,"><p>Planted.</p>{html}')
    with visit(browser, page) as visited:
        assert any(words in fault for fault in visited.faults)


def test_a_clean_page_has_no_fault(browser, tmp_path):
    page = tmp_path / "clean.html"
    page.write_text('<!doctype html><link rel="icon" href="data:,"><p>Clean.</p>')
    with visit(browser, page) as visited:
        assert visited.faults == []

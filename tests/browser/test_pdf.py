"""The PDF of a small book: every page, tab and fold is in it, and each sheet has words and a number."""

import os
import re
import subprocess
import sys
import unicodedata

import forms_book
import pytest

pypdf = pytest.importorskip("pypdf", reason="pypdf joins the pages (extra `browser`)")
pytest.importorskip("playwright", reason="Playwright drives the browser (extra `browser`)")
sys.path.insert(0, str(forms_book.ROOT / "tools"))

import chromium  # noqa: E402
import pdf  # noqa: E402

TABS = """# Two tabs

::::{tab-set}
:::{tab-item} NumPy
The first tab is selected.
:::
:::{tab-item} JAX
The second tab is not.
:::
::::

Back to {doc}`forms`.
"""
ADDRESS = "https://example.org/book"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A book of two pages, built once."""
    folder = tmp_path_factory.mktemp("printed")
    forms_book.build(folder, tabs=TABS)
    return folder


def printed(browser, root, address=""):
    """Print the book; return what a reader of the file finds."""
    target = root / "book.pdf"
    pdf.write(pdf.make(browser, root, root / "_build" / "html", address), target)
    return pypdf.PdfReader(target)


@pytest.fixture(scope="module")
def book(browser, root):
    return printed(browser, root)


def texts(book):
    """The words of each sheet, without ligatures."""
    words = [unicodedata.normalize("NFKC", page.extract_text()) for page in book.pages]
    return [re.sub(r"\s+", " ", each).strip() for each in words]


def targets(book, page):
    """Where each link of a sheet leads: to an address, or to the number of a sheet."""
    for link in pdf.links(page):
        if "/A" in link:
            yield link["/A"]["/URI"]
        else:
            yield book.get_page_number(link["/Dest"][0].get_object()) + 1


def test_the_contents_name_each_page_with_its_number(book):
    first, *rest = texts(book)
    for title in ("Every form", "Two tabs"):
        number = next(number for number, text in enumerate(rest, 2) if title in text)
        assert f"{title} {number}" in first
    assert [entry.title for entry in book.outline] == ["Contents", "Every form", "Two tabs"]


def test_each_sheet_has_its_number_and_none_is_blank(book):
    for number, text in enumerate(texts(book), 1):
        words, _, last = text.rpartition(" ")
        assert last == str(number)
        assert len(words) > 20


def test_folds_and_tabs_are_open(book):
    words = " ".join(texts(book))
    for text in ("The first tab is selected.", "The second tab is not.", "Here is the place.", "It is done."):
        assert text in words
    assert "import matplotlib.pyplot" in words


def test_links_lead_within_the_book(book):
    found = [list(targets(book, page)) for page in book.pages]
    assert found[0] == [2, len(book.pages)]  # the contents
    assert found[-1] == [2]  # back to the first page
    assert [target for sheet in found for target in sheet if "file:" in str(target)] == []


def test_a_live_figure_stands_at_its_start_and_says_where_it_moves(browser, root):
    book = printed(browser, root, f"{ADDRESS}/")
    words = " ".join(texts(book))
    assert pdf.NOTE in words
    assert f"{ADDRESS}/book/forms.html" in [target for page in book.pages for target in targets(book, page)]


def test_the_students_edition_is_printed_from_their_pages(tmp_path):
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: book/absent\n")
    command = [sys.executable, pdf.__file__, "--root", tmp_path, "--edition", "student"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (
        done.stderr == f"book/absent.html is not in {tmp_path}/_build/html-student: build the book first.\n"
    )


def test_a_page_that_was_not_built_is_named(browser, tmp_path):
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: book/absent\n")
    with pytest.raises(SystemExit, match=r"book/absent\.html is not in .*: build the book first"):
        pdf.make(browser, tmp_path, tmp_path / "_build" / "html", "")


def test_without_a_chromium_it_says_how_to_get_one(tmp_path):
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    command = [sys.executable, pdf.__file__, "--root", tmp_path]
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "CHROME_PATH": ""}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 1
    assert done.stderr == f"{chromium.NO_CHROMIUM}\n"

"""The links between the chapters and the reference, in the built pages."""

import functools
import re

import pytest
from bs4 import BeautifulSoup
from visit import PAGES, SITE

CHAPTERS = [path for path in PAGES if re.match(r"\d\d-", path.name)]
REFERENCE = sorted(SITE.glob("book/reference/*.html"))


@functools.cache
def ids(path):
    """The places of a page that a link can lead to."""
    return set(re.findall(r'id="([^"]+)"', path.read_text()))


def dangling(links, page):
    """The links of a page to other pages of the book that lead nowhere."""
    targets = [((page.parent / link["href"].partition("#")[0]).resolve(), link["href"]) for link in links]
    return [href for path, href in targets if not path.exists() or href.partition("#")[2] not in ids(path)]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_code_of_a_chapter_leads_to_the_reference(path):
    links = BeautifulSoup(path.read_text(), "html.parser").select("div.cell_input pre a.code-link")
    assert links
    assert dangling(links, path) == []
    assert len({link["href"] for link in links}) == len(links)  # the first use alone


def test_the_reference_leads_to_chapters():
    entries = [
        line for path in REFERENCE for line in re.findall(r"<em>Used in</em>(.*?)</p>", path.read_text())
    ]
    assert len(entries) > 50
    cores = {path.stem for path in CHAPTERS if path.parent.name == "book"}
    assert cores - set(re.findall(r'href="\.\./([\w-]+)\.html"', "".join(entries))) == set()

"""The book's lists keep to its text: references, and the terms of the glossary."""

import re

import nbformat
import pytest
from pybtex.database import parse_file
from tiny_book import ROOT

BOOK = ROOT / "book"
# Whether each reference must be cited and each term of the glossary occur in a chapter: True once it is so.
LISTS_CHECKED = True


def text_of(path):
    """Return the Markdown of a page."""
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    cells = nbformat.read(path, as_version=4).cells
    return "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def pages():
    """Return the paths of all pages of the book."""
    found = (path for pattern in ("**/*.ipynb", "**/*.md") for path in BOOK.glob(pattern))
    return sorted(
        path
        for path in found
        if not any(part.startswith(("_", ".")) for part in path.relative_to(BOOK).parts)
    )


def cited(text):
    """Return the keys that a text cites."""
    return {key.strip() for keys in re.findall(r"\{cite:\w+\}`([^`]+)`", text) for key in keys.split(",")}


def glossary_terms(text):
    """Return the terms of a glossary: the lines that are not indented."""
    body = re.search(r"```\{glossary\}\n(.*?)```", text, re.DOTALL)[1]
    return [line for line in body.splitlines() if line and not line.startswith((" ", ":"))]


def occurs(term, text):
    """Whether a term, or its plural, occurs in a text: as whole words, whatever their case."""
    words = r"[\s-]+".join(map(re.escape, re.split(r"[\s-]+", term)))
    return re.search(rf"\b{words}(s|es)?\b", text, re.IGNORECASE) is not None


def references():
    """Return the keys that `references.bib` lists, and those that the pages cite."""
    used = (cited(text_of(path)) for path in pages())
    return set(parse_file(BOOK / "references.bib").entries), set().union(*used)


def test_every_citation_has_its_reference():
    listed, used = references()
    assert used
    assert used <= listed


if_final = pytest.mark.skipif(
    not LISTS_CHECKED, reason="LISTS_CHECKED is False: chapters are being rewritten"
)


@if_final
def test_every_reference_is_cited():
    listed, used = references()
    assert sorted(listed - used) == []


@if_final
def test_every_term_of_the_glossary_occurs_in_a_chapter():
    chapters = [path for path in pages() if re.match(r"\d\d-", path.name)]
    text = "\n".join(map(text_of, chapters))
    terms = glossary_terms((BOOK / "glossary.md").read_text(encoding="utf-8"))
    assert [term for term in terms if not occurs(term, text)] == []


def indexed_terms(text):
    """Return the terms that the Chinese index of the glossary leads to."""
    return set(re.findall(r"^\| .+ \| \{term\}`([^`]+)` \|$", text, re.MULTILINE))


def test_the_chinese_index_leads_to_every_term():
    glossary = (BOOK / "glossary.md").read_text(encoding="utf-8")
    assert indexed_terms(glossary) == set(glossary_terms(glossary))


# --- the checks can fail -----------------------------------------------------------------------------------


def test_citations_are_found():
    text = "As {cite:t}`glorot2010` and {cite:p}`he2015, saxe2013` show; `lecun1998` is code."
    assert cited(text) == {"glorot2010", "he2015", "saxe2013"}


def test_terms_are_found():
    text = (
        "# Title\n\n```{glossary}\n:sorted:\n\nbatch\n    Several.\n\nfan in\nfan-in\n    n.\n```\n\nAfter.\n"
    )
    assert glossary_terms(text) == ["batch", "fan in", "fan-in"]


@pytest.mark.parametrize(
    ("term", "text", "found"),
    [
        ("dead unit", "Two Dead\nunits.", True),
        ("fan-in", "the fan in of", True),
        ("batch", "a minibatch and batching", False),
        ("dead unit", "a dead and buried unit", False),
    ],
)
def test_a_term_occurs_as_whole_words(term, text, found):
    assert occurs(term, text) is found

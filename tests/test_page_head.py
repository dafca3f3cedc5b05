"""What the head of a page tells, the sitemap, the page for lost readers, and the button for mistakes."""

import sys
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from tiny_book import ROOT, build

sys.path.insert(0, str(ROOT / "book" / "_ext"))

from launch_buttons import address

LONG = "This sentence is long, " + "and it goes on, " * 10 + "until it ends."
INDEX = """# Root

```{note}
Not this one.
```

First & "second".
Third, with $x^2$.
Fourth.

Another paragraph.

```{toctree}
a/long
a/formula
```
"""
PAGES = {
    "index.md": INDEX,
    "a/long.md": f"# Long <page>\n\n{LONG}\n",
    "a/formula.md": "# Formula\n\n$$ x = 1 $$\n\nOf $x$ alone.\n\nThen words.\n",
}
EXTENSIONS = ["launch_buttons", "suggestions", "page_head"]
SETTINGS = 'html_theme = "sphinx_book_theme"\nhtml_title = "The Book"\n'


@pytest.fixture(scope="module")
def build_site(tmp_path_factory):
    """Build the pages in some environment; return a function that reads one of them."""

    def build_site(**environment):
        folder = tmp_path_factory.mktemp("site")
        with pytest.MonkeyPatch.context() as patch:
            for name in ("BOOK_REPOSITORY", "BOOK_ADDRESS", "BOOK_LITE"):
                patch.setenv(name, environment.get(name, ""))
            out, warnings = build(folder, PAGES, extensions=EXTENSIONS, settings=SETTINGS)
        assert warnings == ""
        return out

    return build_site


@pytest.fixture(scope="module")
def unknown(build_site):
    """A site of which nobody knows where it will lie."""
    return build_site()


@pytest.fixture(scope="module")
def known(build_site):
    """A site with an address and a repository."""
    return build_site(BOOK_REPOSITORY="someone/weights", BOOK_ADDRESS="https://example.org/the/book")


def head(site, name):
    """The tags of a page's head that say something, by name; each stands there once."""
    soup = BeautifulSoup((site / name).read_text(), "html.parser")
    tags = {}
    for tag in soup.head.find_all("meta"):
        if key := tag.get("name") or tag.get("property"):
            assert key == "viewport" or key not in tags
            tags[key] = tag["content"]
    canonical = soup.head.find("link", rel="canonical")
    return tags | {"title": soup.title.text, "canonical": canonical and canonical["href"]}


def test_the_description_is_the_first_paragraph_without_formulas(unknown):
    assert head(unknown, "index.html")["description"] == "First & “second”. Fourth."
    assert head(unknown, "a/formula.html")["description"] == "Then words."


def test_a_long_sentence_ends_at_a_word(unknown):
    text = head(unknown, "a/long.html")["description"]
    assert len(text) <= 160
    assert LONG.startswith(text.removesuffix(" …"))
    assert LONG[len(text) - 2] in " ,"


def test_a_page_without_text_says_what_it_is(unknown):
    assert head(unknown, "genindex.html")["description"] == "Index: a page of The Book."


def test_the_card_says_what_the_page_says(unknown):
    tags = head(unknown, "a/long.html")
    assert tags["og:title"] == "Long <page>"
    assert tags["og:description"] == tags["description"]
    assert tags["og:site_name"] == "The Book"
    assert tags["twitter:card"] == "summary_large_image"


def test_the_root_page_names_the_book_once(unknown):
    assert head(unknown, "index.html")["title"] == "Root"
    assert "The Book" in head(unknown, "a/formula.html")["title"]


def test_without_an_address_no_page_has_one(unknown):
    tags = head(unknown, "index.html")
    assert [tags[name] for name in ("canonical", "og:url", "og:image") if tags.get(name)] == []
    assert not (unknown / "sitemap.xml").exists()
    assert "<base" not in (unknown / "404.html").read_text()


def test_with_an_address_each_page_has_one_and_a_picture(known):
    tags = head(known, "a/long.html")
    assert tags["canonical"] == tags["og:url"] == "https://example.org/the/book/a/long.html"
    assert tags["og:image"] == "https://example.org/the/book/_static/card.png"
    assert (ROOT / "book" / "_static" / "card.png").exists()


def test_the_sitemap_lists_the_pages(known):
    root = ElementTree.parse(known / "sitemap.xml").getroot()
    pages = [f"https://example.org/the/book/{name}.html" for name in ("a/formula", "a/long", "index")]
    assert [each.text for each in root.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")] == pages


def test_the_links_of_the_lost_page_work_at_any_depth(known):
    soup = BeautifulSoup((known / "404.html").read_text(), "html.parser")
    assert soup.base["href"] == "/the/book/404.html"
    first = next(tag for tag in soup.head.find_all(True) if tag.get("href") or tag.get("src"))
    assert first is soup.base
    links = [tag["href"] for tag in soup.find_all("a") if not tag["href"].startswith(("#", "https:"))]
    assert {"index.html", "search.html"} <= set(links)
    assert [link for link in links if link.startswith(("/", "..")) or not (known / link).exists()] == []
    assert head(known, "404.html")["robots"] == "noindex"


def buttons(site, name):
    """Where the entries of the header's menus of a page lead."""
    soup = BeautifulSoup((site / name).read_text(), "html.parser")
    return [link["href"] for link in soup.select(".article-header-buttons .dropdown-menu a")]


def test_a_known_repository_can_be_edited_and_told(known):
    found = buttons(known, "a/long.html")
    assert "https://github.com/someone/weights/edit/main/a/long.md" in found
    assert "https://github.com/someone/weights/issues/new?template=wrong.yml&where=a%2Flong" in found
    assert [link for link in buttons(known, "search.html") if "edit" in link or "issues" in link] == []


def test_an_unknown_repository_has_no_such_links(unknown):
    assert "github.com" not in "".join(buttons(unknown, "a/long.html"))


def test_the_form_that_is_opened_has_the_field_that_is_filled():
    form = (ROOT / ".github" / "ISSUE_TEMPLATE" / "wrong.yml").read_text()
    assert "id: where" in form


@pytest.mark.parametrize(
    ("given", "repository", "expected"),
    [
        ("", "", ""),
        ("", "Someone/weights", "https://someone.github.io/weights/"),
        ("https://example.org/book", "Someone/weights", "https://example.org/book/"),
        ("http://localhost:8000/", "", "http://localhost:8000/"),
    ],
)
def test_the_address_is_the_given_one_or_follows_from_the_repository(
    monkeypatch, given, repository, expected
):
    monkeypatch.setenv("BOOK_ADDRESS", given)
    monkeypatch.setenv("BOOK_REPOSITORY", repository)
    assert address() == expected


@pytest.mark.parametrize(
    "given", ["example.org", "https://", "ftp://example.org", "https://example.org/?a=1"]
)
def test_what_is_no_address_is_refused(monkeypatch, given):
    monkeypatch.setenv("BOOK_ADDRESS", given)
    with pytest.raises(ValueError, match=r"BOOK_ADDRESS is '.*'; it must be the address of a folder"):
        address()

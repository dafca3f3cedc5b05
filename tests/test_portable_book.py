"""Every notebook of the book in its portable form: plain Markdown, the same code, the same outputs."""

import inspect
import sys
from pathlib import Path

import nbformat
import yaml
from myst_parser.config.main import MdParserConfig
from sphinx.ext.autodoc.preserve_defaults import DefaultValue
from tiny_book import SPHINX_INSIDE

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import notebooks  # noqa: E402
from portable import Book, portable  # noqa: E402
from portable.markdown import Page  # noqa: E402
from portable.spans import parser  # noqa: E402

import netinit  # noqa: E402

pytestmark = SPHINX_INSIDE

LEFT = {
    "myst_role",
    "myst_target",
    "math_block_label",
    "colon_fence",
    "amsmath",
    "myst_line_comment",
    "dl_open",
}


def left_over(tokens):
    """The names of all tokens that only MyST knows."""
    for token in tokens:
        if token.type in LEFT or (token.type == "fence" and token.info.startswith("{")):
            yield f"{token.type} {token.info}{token.content}"
        yield from left_over(token.children or [])


def test_leftovers_would_be_found():
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["parse"]
    markdown = parser(MdParserConfig(enable_extensions=set(settings["myst_enable_extensions"])))
    for text in ("{ref}`x`", "(x)=\n# H", "$$x$$ (y)", ":::{note}\n:::", "```{note}\n```", "a\n: b"):
        assert list(left_over(markdown.parse(text))), text


def code_cells(notebook):
    return [(each.id, each.source, each.outputs) for each in notebook.cells if each.cell_type == "code"]


def test_every_notebook_becomes_plain_keeps_its_code_and_would_not_change_again():
    with Book(ROOT, "") as book:  # one test for all: to read the book takes longer than to convert a notebook
        for path in notebooks.below(ROOT / "book"):
            made, page = portable(path, book), Page(book.page(path), book)
            assert made.cells[0].id == "bring-netinit", path
            assert code_cells(made)[1:] == code_cells(nbformat.read(path, as_version=4)), path
            for source in (each.source for each in made.cells if each.cell_type == "markdown"):
                assert list(left_over(page.tokens(source))) == [], path
                assert [part.text for part in page.parts(source)] == [source], path
    for thing in (
        netinit.he_uniform,
        netinit.BatchNorm,
        netinit.BatchNorm.__init__,
        netinit.Sequential.forward,
    ):
        defaults = [each.default for each in inspect.signature(thing).parameters.values()]
        assert not [each for each in defaults if isinstance(each, DefaultValue)], "autodoc left its own"

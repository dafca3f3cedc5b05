"""The framework code that the pages show: Python blocks in tabs that bear a framework's name."""

from pathlib import Path
from typing import NamedTuple

import nbformat
from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

ROOT = Path(__file__).parents[2]
FRAMEWORKS = ("PyTorch", "JAX", "Keras")
MYST = create_md_parser(MdParserConfig(enable_extensions={"colon_fence", "dollarmath"}), RendererHTML)


class Snippet(NamedTuple):
    """One block of code, and where it stands: the n-th block under this label in the page."""

    page: str
    label: str
    index: int
    code: str


def pages():
    """Return the paths of all pages of the book, relative to the repository."""
    found = (path for pattern in ("**/*.ipynb", "**/*.md") for path in (ROOT / "book").glob(pattern))
    hidden = ("_", ".")
    return sorted(
        str(path.relative_to(ROOT))
        for path in found
        if not any(part.startswith(hidden) for part in path.parts)
    )


def snippets(page):
    """Return the snippets of a page, in its order."""
    found, counts = [], {}
    for text in texts(ROOT / page):
        for label, code in tab_code(text):
            found.append(Snippet(page, label, counts.setdefault(label, 0), code))
            counts[label] += 1
    return found


def texts(path):
    """Return the Markdown of a page: its cells, or all of it."""
    if path.suffix == ".md":
        return [path.read_text(encoding="utf-8")]
    cells = nbformat.read(path, as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "markdown"]


def tab_code(text, label=None):
    """Yield (label, code) of each Python block in a framework's tab; directives lie in one another."""
    for token in MYST.parse(text):
        if token.type not in ("fence", "colon_fence"):
            continue
        name, _, argument = token.info.strip().partition(" ")
        if name == "{tab-item}":
            yield from tab_code(token.content, argument.strip())
        elif name.startswith("{"):
            yield from tab_code(token.content, label)
        elif name == "python" and label in FRAMEWORKS:
            yield label, token.content

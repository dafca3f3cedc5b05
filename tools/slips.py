"""Tell a contributor's slips early, each with its file and cell: `python tools/slips.py`, or `make lint`.

Sphinx sees some of them after minutes, and some never: an exercise without a solution is a page like any
other. Cells are counted from 1, Markdown and code alike. Directives are read with MyST's own parser, and the
table of contents with the parser of the book's build.
"""

import argparse
import ast
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import nbformat
import yaml
from docutils.parsers.rst.directives.misc import TestDirective  # takes any argument and any option
from IPython.core.inputtransformer2 import TransformerManager
from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.directives import parse_directive_text
from myst_parser.parsers.mdit import create_md_parser
from notebooks import IGNORED
from sphinx_external_toc.parsing import parse_toc_yaml

ROOT = Path(__file__).resolve().parent.parent

# Where the tools and tests look for notebooks, and what a name may be: a page's name becomes its address, and
# some disks hold Xavier.ipynb and xavier.ipynb for the same file.
NOTEBOOK_FOLDERS = ("book", "book/deeper")
FILE_NAME = re.compile(r"[a-z0-9._-]+")
# Not the project's own: passed over where there is no git to say so.
UNTRACKED = {".git", ".venv", "_build", "dist", "__pycache__"}
PAIRS = ("exercise", "solution", "prediction")  # directives with a -start and an -end, cells between them
VERBATIM = {"code", "code-block", "code-cell", "math", "raw"}  # what they hold is not Markdown
SHOWING = {"print", "display", "explore", "plt.show"}  # calls that leave an output anywhere in a cell


class Directive(NamedTuple):
    """A directive and where it stands, such as "book/05-xavier.ipynb, cell 51"."""

    place: str
    name: str
    argument: str
    options: dict[str, str]


# --- what there is --------------------------------------------------------------------------------


def project_files(root):
    """Every file, relative to the root: what git tracks or would track, or all of an unpacked sdist."""
    listed = None
    if (root / ".git").exists() and shutil.which("git"):
        command = ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, capture_output=True, text=True, encoding="utf-8").stdout
    if listed:
        paths = {Path(name) for name in listed.split("\0") if name}
    else:
        paths = {path.relative_to(root) for path in root.rglob("*")}
        paths = {path for path in paths if not UNTRACKED.intersection(path.parts)}
    return sorted(path for path in paths if (root / path).is_file())


def book_pages(root):
    """The pages of the book, whether the table of contents names them or not."""
    paths = [path for path in project_files(root) if path.parts[0] == "book"]
    shown = [path for path in paths if not any(part.startswith("_") for part in path.parts)]
    return [path for path in shown if path.suffix in (".md", ".ipynb")]


def cells(root, path):
    """The cells of a notebook, each with its place."""
    found = nbformat.read(root / path, as_version=4).cells
    return [(f"{path.as_posix()}, cell {number}", cell) for number, cell in enumerate(found, 1)]


def markdown_parser(root):
    """MyST's parser with the extensions that the book's settings turn on."""
    settings = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    config = MdParserConfig(enable_extensions=set(settings["parse"]["myst_enable_extensions"]))
    return create_md_parser(config, RendererHTML)


def directives_in(parser, text, place):
    """The directives of a Markdown text, those inside others included."""
    for token in parser.parse(text):
        opening = re.fullmatch(r"\{([^}\s]+)\}\s*(.*)", token.info.strip())
        if token.type not in ("fence", "colon_fence") or opening is None:
            continue
        name, argument = opening.groups()
        parsed = parse_directive_text(TestDirective, argument, token.content)
        here = (
            place if ", " in place else f"{place}, line {token.map[0] + 1}"
        )  # a cell is found without its line
        yield Directive(here, name, argument, parsed.options)
        if name not in VERBATIM:
            yield from directives_in(parser, "\n".join(parsed.body), here)


def read_directives(root):
    """The directives of each page, in the order of its text."""
    parser, found = markdown_parser(root), {}
    for path in book_pages(root):
        if path.suffix == ".ipynb":
            texts = [
                (place, cell.source) for place, cell in cells(root, path) if cell.cell_type == "markdown"
            ]
        else:
            texts = [(path.as_posix(), (root / path).read_text(encoding="utf-8"))]
        found[path] = [one for place, text in texts for one in directives_in(parser, text, place)]
    return found


# --- exercises, solutions, predictions ------------------------------------------------------------


def check_exercises(pages):
    """Each exercise has a label of its own and one solution; each solution has its exercise."""
    every = [directive for found in pages.values() for directive in found]
    exercises, solutions = defaultdict(list), defaultdict(list)
    for directive in every:
        if directive.name in ("exercise", "exercise-start"):
            exercises[directive.options.get("label", "")].append(directive.place)
        elif directive.name in ("solution", "solution-start"):
            solutions[directive.argument].append(directive.place)
    for place in exercises.pop("", []):
        yield f"{place}: the exercise has no label: add a line `:label: ex-...`"
    for label, (place, *others) in exercises.items():
        yield from (f"{other}: the exercise {label} stands in {place} already" for other in others)
        if label not in solutions:
            yield f"{place}: the exercise {label} has no solution"
        yield from (f"{extra}: a second solution of {label}" for extra in solutions[label][1:])
    for label in solutions.keys() - exercises.keys():
        yield from (f"{place}: a solution of {label}, and no such exercise" for place in solutions[label])


def check_pairs(pages):
    """Each -start has its -end on the same page, before the next one starts."""
    for found in pages.values():
        for kind in PAIRS:
            opened = None
            for directive in found:
                if directive.name == f"{kind}-start":
                    if opened:
                        yield _unclosed(opened)
                    opened = directive
                elif directive.name == f"{kind}-end":
                    if not opened:
                        yield f"{directive.place}: {kind}-end without a {kind}-start before it"
                    opened = None
            if opened:
                yield _unclosed(opened)


def _unclosed(start):
    """What is wrong with a -start that nothing ends."""
    return (
        f"{start.place}: {start.name} {start.argument} has no {start.name.replace('start', 'end')} below it"
    )


def check_predictions(pages):
    """Each prediction has a name, and its end tells the answer."""
    for directive in (directive for found in pages.values() for directive in found):
        if directive.name == "prediction-start" and not directive.argument:
            yield f"{directive.place}: prediction-start without a name"
        if directive.name == "prediction-end" and not directive.options.get("answer"):
            yield f"{directive.place}: prediction-end without an `:answer:`"


# --- files ----------------------------------------------------------------------------------------


def check_contents(root):
    """The table of contents and the pages agree."""
    listed = {re.sub(r"\.(md|ipynb)$", "", name) for name in parse_toc_yaml(root / "_toc.yml")}
    pages = {path.with_suffix("").as_posix(): path for path in book_pages(root)}
    for name in sorted(listed - pages.keys()):
        yield f"_toc.yml: there is no page {name}"
    for name in sorted(pages.keys() - listed):
        yield f"{pages[name].as_posix()}: not in the table of contents, _toc.yml"


def check_numbers(root):
    """No two chapters of a folder have one number."""
    first = {}
    for path in book_pages(root):
        number = re.match(r"\d+", path.name)
        if number is None:
            continue
        other = first.setdefault((path.parent, int(number.group())), path)
        if other != path:
            yield f"{path.as_posix()}: {other.name} has this number already"


def check_files(root):
    """Notebooks where the tools look, plain names in the book, and LF at the end of each line."""
    for path in project_files(root):
        name = path.as_posix()
        if path.suffix == ".ipynb" and path.parent.as_posix() not in NOTEBOOK_FOLDERS:
            yield f"{name}: no tool or test looks here: put notebooks into {' or '.join(NOTEBOOK_FOLDERS)}"
        if path.parts[0] == "book" and not all(FILE_NAME.fullmatch(part) for part in path.parts):
            yield f"{name}: a name in book/ has small letters, digits, hyphens, dots and underscores only"
        content = (root / path).read_bytes()
        if b"\r\n" in content and b"\0" not in content:  # a NUL byte is how git, too, tells a binary file
            line = content[: content.index(b"\r\n")].count(b"\n") + 1
            yield f"{name}, line {line}: ends in CRLF: save the file with LF line ends"


# --- outputs --------------------------------------------------------------------------------------


def shows(source):
    """Whether a code cell leaves an output whenever it runs: it ends in a value, or prints at its top level.

    What a function prints that the cell calls, or what stands under an `if`, cannot be told from the text.
    """
    body = ast.parse(TransformerManager().transform_cell(source)).body
    return bool(body) and (_ends_in_value(body[-1]) or any(map(_prints, body)))


def _call_name(expression):
    """The name of what an expression calls, such as "plt.show", or ""."""
    return ast.unparse(expression.func) if isinstance(expression, ast.Call) else ""


def _ends_in_value(statement):
    """Whether a last statement is a value that Jupyter shows; magics and assertions have none."""
    if not isinstance(statement, ast.Expr):
        return False
    name = _call_name(statement.value)
    return not (name.startswith("get_ipython()") or name.rpartition(".")[2].startswith("assert"))


def _prints(statement):
    """Whether a statement calls a showing function, itself or in the body of a loop, a `with` or a `try`."""
    if isinstance(statement, ast.Expr):
        return _call_name(statement.value) in SHOWING
    blocks = (ast.For, ast.With, ast.Try, ast.ExceptHandler)
    inner = ast.iter_child_nodes(statement) if isinstance(statement, blocks) else ()
    return any(map(_prints, inner))


def check_outputs(root):
    """Each cell that shows something stores it, unless it is tagged as different in every run."""
    for path in (path for path in book_pages(root) if path.suffix == ".ipynb"):
        for place, cell in cells(root, path):
            if cell.cell_type != "code" or cell.outputs or IGNORED in cell.metadata.get("tags", []):
                continue
            if shows(cell.source):
                yield (
                    f"{place}: shows something, and no output is stored: run `make notebooks`"
                    " (or assign the last line's value to `_`, if it is nothing to show)"
                )


def problems(root):
    """Every slip in the project that lies in a folder, one sentence each."""
    pages = read_directives(root)
    found = [*check_exercises(pages), *check_pairs(pages), *check_predictions(pages)]
    return [*found, *check_contents(root), *check_numbers(root), *check_files(root), *check_outputs(root)]


def main():
    """Print what is wrong; the exit status is 1 where anything is."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    found = problems(ROOT)
    print("\n".join(found), end="\n" if found else "", file=sys.stderr)
    raise SystemExit(1 if found else 0)


if __name__ == "__main__":
    main()

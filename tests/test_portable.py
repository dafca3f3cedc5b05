"""Portable notebooks: what each construct becomes, what is refused, how a notebook brings netinit along."""

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import nbformat
import pytest
from tiny_book import SPHINX_INSIDE

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import notebooks  # noqa: E402
from portable import Book, Fault, code, first_cell, portable  # noqa: E402
from portable.markdown import Page  # noqa: E402

pytestmark = SPHINX_INSIDE

ADDRESS = "https://someone.github.io/weights/"
TOC = """\
format: jb-book
root: book/intro
parts:
  - numbered: true
    chapters:
      - file: book/01-one
        sections: [{file: book/deeper/01-one}]
      - file: book/02-two
  - chapters: [{file: book/glossary}, {file: book/bibliography}]
"""
BIB = """\
@article{ada1843, author = {Ada Lovelace}, title = {Notes}, journal = {Memoirs}, year = {1843}}
@article{two1999, author = {One Author and Second Writer}, title = {Both}, journal = {J}, year = {1999}}
"""
PAGES = {
    "book/intro.md": "# Welcome",
    "book/glossary.md": "# Glossary\n\n```{glossary}\ngain\n  A factor.\n```",
    "book/bibliography.md": "# Papers\n\n```{bibliography}\n:all:\n```",
    "book/references.bib": BIB,
}
ONE = [
    "(ch-one)=\n# The *first* chapter\n\nWords.",
    ("code", "print(1)", {"tags": ["hide-input"]}),
    "$$\na\n$$ (eq-one)\n\n## A section\n\n(sec-one)=\n### A place with $x$",
    (
        "code",
        "plot()",
        {"mystnb": {"figure": {"caption": "**A line**, after {cite:t}`ada1843`.", "name": "fig-one"}}},
    ),
    "```{prediction-start} up\nUp?\n\n1. it *rises*\n2. it falls.\n```",
    ("code", "print(2)", {}),
    "```{prediction-end} up\n:answer: 1\n```\n\n"
    "```{prediction-start} size\n:number:\n:unit: cm\nHow long?\n```",
    ("code", "assert 2 > 1  # prediction up: choice 1", {"tags": ["remove-cell"]}),
    "It grew.\n\n```{prediction-end} size\n:answer: 7\n:tolerance: 0.1\n```",
    "## Exercises\n\n:::{exercise} Try {ref}`it <ch-two>`\n:label: ex-one\n\nDo it.\n:::\n\n"
    ":::{solution-start} ex-one\n:label: sol-one\n:class: dropdown\n:::\nThe secret.",
    ("code", "print('secret')", {}),
    ":::{solution-end}\n:::\n\n## After\n\nThe end.",
]


def cell(given, number):
    if isinstance(given, str):
        return nbformat.v4.new_markdown_cell(given, id=f"cell-{number}")
    _, source, metadata = given
    made = nbformat.v4.new_code_cell(source, id=f"cell-{number}", metadata=metadata, execution_count=number)
    made.outputs = [nbformat.v4.new_output("display_data", data={"text/plain": "shown"})]
    return made


def write(path, *cells):
    path.parent.mkdir(parents=True, exist_ok=True)
    made = nbformat.v4.new_notebook(cells=[cell(given, number) for number, given in enumerate(cells, 1)])
    made.metadata = notebooks.NOTEBOOK_METADATA
    nbformat.write(made, path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A book of five pages with the settings and extensions of the real one."""
    root = tmp_path_factory.mktemp("book")
    shutil.copy(ROOT / "_config.yml", root)
    for name in ("_ext", "_extra", "_static"):
        shutil.copytree(ROOT / "book" / name, root / "book" / name)
    (root / "_toc.yml").write_text(TOC)
    for name, text in PAGES.items():
        (root / name).write_text(text)
    write(root / "book/01-one.ipynb", *ONE)
    write(root / "book/02-two.ipynb", "(ch-two)=\n# Two | `two`")
    write(root / "book/deeper/01-one.ipynb", "(ch-one-deeper)=\n# Deeper\n\n```{reading-time}\n```")
    return root


@pytest.fixture(scope="module")
def book(folder):
    """That book as Sphinx reads it, with an address."""
    with Book(folder, ADDRESS) as opened:
        yield opened


def become(book, text, page="book/01-one"):
    """The Markdown that a text becomes on a page."""
    one = Page(page, book)
    parts = one.parts(text)
    return one.settle()("\n---\n".join(part.text for part in parts))


B = f"{ADDRESS}book/"
INLINE = {
    "a label": ("See {ref}`ch-two`.", f"See [Two | two]({B}02-two.html#ch-two)."),
    "a label with words": ("{ref}`the *second* <ch-two>`", f"[the \\*second\\*]({B}02-two.html#ch-two)"),
    "a label of this page": ("{ref}`sec-one`", f"[A place with x]({B}01-one.html#sec-one)"),
    "a page": ("{doc}`02-two`", f"[Two | two]({B}02-two.html)"),
    "a page as a link": ("[*there*](02-two.ipynb)", f"[*there*]({B}02-two.html)"),
    "an equation": ("({eq}`eq-one`)", f"([(1.1)]({B}01-one.html#equation-eq-one))"),
    "a figure": ("{numref}`fig-one`", f"[Fig. 1.1]({B}01-one.html#fig-one)"),
    "an exercise": ("{ref}`ex-one`", f"[Exercise 1.1]({B}01-one.html#ex-one)"),
    "an author": ("{cite:t}`ada1843`", f"Lovelace [[1843]({B}bibliography.html#id2)]"),
    "a term": ("{term}`gains <gain>`", f"[gains]({B}glossary.html#term-gain)"),
    "in a table": (
        "| a | b |\n|---|---|\n| {ref}`x <ch-two>` | {ref}`x <ch-two>` `c` |",
        "| a | b |\n|---|---|\n| [x]({0}) | [x]({0}) `c` |".format(f"{B}02-two.html#ch-two"),
    ),
    "in a list, over two lines": ("- a\n  {ref}`x\n  <ch-two>`, b", f"- a\n  [x]({B}02-two.html#ch-two), b"),
    "in bold": ("**{ref}`x <ch-two>`**", f"**[x]({B}02-two.html#ch-two)**"),
    "HTML": ('<a href="../l.md">L</a> <b>b</b>', f'<a href="{ADDRESS}l.md">L</a> <b>b</b>'),
    "code that looks like a role": ("`` {ref}`ch-two` `` \\{ref}`x`", "`` {ref}`ch-two` `` \\{ref}`x`"),
    "elsewhere": ("[a](https://a.org) <https://b.org> [c](#c)", "[a](https://a.org) <https://b.org> [c](#c)"),
}
BLOCKS = {
    "what is plain": (
        "# H\n\n*a* **b** `c` $d_1$\n\n$$\nx\n$$\n\n1. one\n   - two\n\n> q\n\n```python\nx = '{{ref}}'\n```",
    )
    * 2,
    "a target": ("(place)=\n## Heading\n\n(other)=\nText.", "## Heading\n\nText."),
    "an equation with a label": (
        "a\n\n$$\n x \\\\\n y\n$$ (eq-one)\nb",
        "a\n\n$$\n x \\\\\n y\n\\tag{1.1}\n$$\nb",
    ),
    "an equation in one line": ("$$x$$ (eq-one)", "$$x \\tag{1.1}$$"),
    "an equation in a list": ("- a\n\n  $$\n  x\n  $$ (eq-one)", "- a\n\n  $$\n  x\n  \\tag{1.1}\n  $$"),
    "a box": (
        "::::{admonition} The *rule*\n:class: tip\n\n"
        "$$\nx \\\\\ny\n$$ (eq-one)\n\n- {eq}`eq-one`\n\n```python\na\n```\n::::",
        "> **The *rule***\n>\n> $$x \\\\ y \\tag{1.1}$$\n>\n"
        f"> - [(1.1)]({B}01-one.html#equation-eq-one)\n>\n> ```python\n> a\n> ```",
    ),
    "a note": ("```{note}\nMind *this*.\n```", "> **Note**\n>\n> Mind *this*."),
    "tabs": (
        "::::{tab-set}\n:::{tab-item} One\n:sync: a\n\n"
        "```python\nx\n```\n:::\n:::{tab-item} Two\ny\n:::\n::::",
        "**One**\n\n```python\nx\n```\n\n**Two**\n\ny",
    ),
    "cards": (
        ":::::{grid} 2\n::::{grid-item-card} Go\n:link: 02-two\n:link-type: doc\nNow.\n::::\n:::::",
        f"- **[Go]({B}02-two.html)**: Now.",
    ),
}


@pytest.mark.parametrize("what", INLINE | BLOCKS)
def test_a_construct_becomes_plain(book, what):
    text, expected = (INLINE | BLOCKS)[what]
    assert become(book, text) == expected


def test_several_papers_are_cited_with_authors_and_years(book):
    said = become(book, "{cite:p}`ada1843,two1999`")
    both = f"[Author and Writer, 1999]({B}bibliography.html#id3), [Lovelace, 1843]({B}bibliography.html#id2)"
    assert said == f"[{both}]"


def test_minutes_are_those_of_the_page(book):
    assert become(book, "```{reading-time}\n```", "book/deeper/01-one") == "About 5 minutes."
    assert f"[deeper page]({B}deeper/01-one.html)" in become(book, "```{reading-time}\n```")


def test_without_an_address_words_stand_for_links(book, monkeypatch):
    monkeypatch.setattr(book, "address", "")
    assert become(book, "{ref}`ch-two`, {doc}`02-two`, {eq}`eq-one`") == "Two | two, Two | two, (1.1)"
    assert become(book, "{ref}`measured <ch-two>`, {term}`gain`") == "measured (*Two | two*), gain"
    assert become(book, "{ref}`below <sec-one>` {cite:t}`ada1843`") == "below Lovelace [1843]"
    assert become(book, '<a href="../l.md">L</a>') == "<a>L</a>"


# --- a whole notebook -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(folder, book):
    """The portable form of the first chapter."""
    return portable(folder / "book/01-one.ipynb", book)


def texts(notebook, kind="markdown"):
    return [cell.source for cell in notebook.cells[1:] if cell.cell_type == kind]


def test_a_notebook_reads_in_order(whole):
    assert texts(whole) == [
        "# The *first* chapter\n\nWords.",
        "$$\na\n\\tag{1.1}\n$$\n\n## A section\n\n### A place with $x$",
        f"*Fig. 1.1. **A line**, after Lovelace [[1843]({B}bibliography.html#id2)].*",
        "> **Predict 1**\n>\n> Up?\n>\n> 1. it *rises*\n> 2. it falls.",
        "> **Answer**\n>\n> It is 1: it *rises*.\n\n"
        "> **Predict 2**\n>\n> How long?\n>\n> *Your number: ... cm*",
        "It grew.\n\n> **Answer**\n>\n> It is 7 cm.",
        "## Exercises",
        f"### Exercise 1.1: Try [it]({B}02-two.html#ch-two)\n\nDo it.",
        "#### Solution of Exercise 1.1\n\nThe secret.",
        "## After\n\nThe end.",
    ]
    assert texts(whole, "code") == [given[1] for given in ONE if isinstance(given, tuple)]


def test_ids_and_metadata_are_stable(whole):
    ids = " ".join(each.id.removeprefix("cell-") for each in whole.cells)
    assert ids == "bring-netinit 1 2 3 4 4-caption 5 6 7 8 9 10 10-part2 10-part3 11 12"
    assert whole.metadata.kernelspec == notebooks.NOTEBOOK_METADATA["kernelspec"]
    assert whole.metadata.colab.name == "01-one.ipynb"
    by_id = {cell.id: cell for cell in whole.cells}
    assert by_id["cell-2"].metadata == {"jupyter": {"source_hidden": True}, "tags": ["hide-input"]}
    assert by_id["cell-8"].metadata.jupyter.source_hidden
    assert by_id["cell-4"].metadata == {}
    assert by_id["cell-10-part3"].metadata == {"jp-MarkdownHeadingCollapsed": True}
    assert by_id["cell-6"].outputs[0].data == {"text/plain": "shown"}
    assert whole.cells[0].metadata.cellView == "form"


def test_a_second_time_it_is_the_same(folder, book, whole):
    assert nbformat.writes(portable(folder / "book/01-one.ipynb", book)) == nbformat.writes(whole)


def test_without_solutions_and_outputs_nothing_tells_them(folder, book):
    made = portable(folder / "book/01-one.ipynb", book, solutions=False, outputs=False)
    text = nbformat.writes(made)
    assert "secret" not in text
    assert "Answer" not in text
    assert "Solution" not in text
    assert "shown" not in text
    assert texts(made)[-1] == "## After\n\nThe end."
    assert "assert" not in text


def test_a_solution_with_text_behind_it_stays_open(folder, book):
    path = write(folder / "book/02-two.ipynb", ONE[-3], ":::{solution-end}\n:::\n\nMore words.")
    cells = portable(path, book).cells
    assert [cell.metadata for cell in cells[1:]] == [{}] * 4


# --- what is refused --------------------------------------------------------------------------------

REFUSED = {
    "a page that was renamed": ("{doc}`03-gone`", "{doc}`03-gone`: .*unknown document"),
    "a link to a page that was renamed": ("[a](03-gone.ipynb)", "03-gone"),
    "a label that is gone": ("{ref}`ch-gone`", "undefined label: 'ch-gone'"),
    "an equation that is gone": ("{eq}`eq-gone`", "equation not found: eq-gone"),
    "a paper that is gone": ("{cite:t}`nobody`", 'could not find bibtex key "nobody"'),
    "a term that is gone": ("{term}`nothing`", "term not in glossary: 'nothing'"),
    "an unknown role": ("{shout}`ch-two`", "shout"),
    "a role of another kind": ("{download}`01-one.ipynb`", "download_reference"),
    "an unknown directive": ("```{mermaid}\na\n```", "does not know the directive {mermaid}"),
    "an unknown directive inside": (":::{note}\n```{mermaid}\n```\n:::", "the directive {mermaid}"),
    "a definition list": ("a\n: b", "'dl' is MyST"),
    "AMS math": ("\\begin{align}\na\n\\end{align}", "'amsmath' is MyST"),
    "a substitution": ("{{ name }}", "substitution"),
    "a picture beside it": ("![p](p.png)", "the picture p.png lies beside"),
    "text between tabs": ("::::{tab-set}\nx\n::::", "a directive is expected here: x"),
    "another directive between tabs": ("::::{tab-set}\n:::{note}\n:::\n::::", "may hold {tab-item} only"),
    "an exercise in a box": (
        ":::{note}\n```{exercise}\n:label: ex-one\nx\n```\n:::",
        "stands inside of another",
    ),
    "an exercise without a label": ("```{exercise}\nx\n```", "without a :label:"),
    "an answer without a question": ("```{prediction-end} x\n:answer: 1\n```", "no prediction-start"),
    "an answer that is no choice": (
        "```{prediction-start} x\n1. a\n2. b\n```\n\n```{prediction-end} x\n:answer: 3\n```",
        "no choice '3'",
    ),
    "a file beside it": (("code", "import json\njson.load(open('a.json'))", {}), "it reads a file, open"),
    "a file by its path": (("code", "Path('a').read_text()", {}), "it reads a file, Path"),
    "an array in a file": (("code", "np.load('a.npz')", {}), "it reads a file, np.load"),
    "a package that nothing declares": (
        ("code", "def f():\n    import sklearn.svm", {}),
        "it imports sklearn",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_fault_names_the_notebook_and_the_cell(folder, book, what):
    given, words = REFUSED[what]
    path = write(folder / "book/02-two.ipynb", "# Two\n\n{ref}`ch-one`", given)
    with pytest.raises(Fault, match=rf"(?s)^book/02-two\.ipynb, cell 2: .*{words}"):
        portable(path, book)


def test_what_is_read_inside_a_package_is_allowed():
    code.check_files("np.load(str(files('netinit') / 'digits.npz'))\nload_record('fixup-10000')")


def test_a_page_that_the_book_has_not_is_named(folder, book):
    path = write(folder / "book/09-new.ipynb", "# New")
    with pytest.raises(Fault, match="book/09-new: the table of contents"):
        portable(path, book)
    path.unlink()


# --- the cell that brings netinit -------------------------------------------------------------------


def run_first_cell(folder, then, *, path=(), needed=("math",)):
    """What a bare Python prints that runs the first cell, then these lines; it has NumPy alone."""
    source = first_cell.source(ROOT, needed).replace("    await ", "    ")  # only a notebook can await
    (folder / "packages").mkdir(exist_ok=True)
    import numpy

    for part in Path(numpy.__file__).parent.parent.glob("numpy*"):
        if not (folder / "packages" / part.name).exists():
            (folder / "packages" / part.name).symlink_to(part)
    (folder / "run.py").write_text(f"{source}\n{textwrap.dedent(then)}")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([*map(str, path), str(folder / "packages")])}
    command = [sys.executable, "-S", "run.py"]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment)


def stub(folder, version):
    """A netinit of some version, as pip would leave it."""
    (folder / "netinit").mkdir(parents=True)
    (folder / "netinit/__init__.py").write_text("load_record = None")
    (folder / f"netinit-{version}.dist-info").mkdir()
    metadata = f"Metadata-Version: 2.1\nName: netinit\nVersion: {version}\n"
    (folder / f"netinit-{version}.dist-info/METADATA").write_text(metadata)
    return folder


SHOW = """
import netinit
print(netinit.__file__)
print(netinit.load_record and netinit.load_record("fixup-10000")["blocks"])
"""


def test_the_first_cell_brings_netinit_where_there_is_none(tmp_path):
    done = run_first_cell(tmp_path, SHOW)
    where, blocks = done.stdout.split()
    assert "netinit-" in where, done.stderr
    assert blocks == "10000"


def test_the_first_cell_does_nothing_where_the_version_is_right(tmp_path):
    version, _ = first_cell.package(ROOT)
    there = stub(tmp_path / "there", version)
    assert run_first_cell(tmp_path, SHOW, path=[there]).stdout.split() == [
        str(there / "netinit/__init__.py"),
        "None",
    ]


def test_the_first_cell_replaces_another_version(tmp_path):
    there = stub(tmp_path / "there", "0.0.1")
    before = SHOW.replace("import netinit", "import netinit", 1)
    done = run_first_cell(tmp_path, before, path=[there])
    assert str(there) not in done.stdout
    assert "10000" in done.stdout


def test_the_first_cell_names_what_is_missing_in_one_sentence(tmp_path):
    done = run_first_cell(tmp_path, "print('on')", needed=("math", "joblib", "no_such_package"))
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith(
        "ModuleNotFoundError: This notebook needs joblib, no_such_package, which this Python does not have: "
    )


def test_the_first_cell_is_small_and_stays_the_same():
    text = first_cell.source(ROOT, code.ALWAYS)
    assert len(text) <= 300_000
    first_cell.package.cache_clear()
    assert first_cell.source(ROOT, code.ALWAYS) == text


def test_a_chapter_asks_for_what_its_calls_import():
    assert code.needed(
        "from netinit import fit, sweep\nimport matplotlib.pyplot as plt, json\n%matplotlib inline"
    ) == {
        "joblib",
        "tqdm",
        "matplotlib",
    }

"""`tools/slips.py`: each slip is told with its file and cell, and the project has none."""

import importlib
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent

with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(ROOT / "tools")  # a tool imports its neighbors, as when it is run
    slips = importlib.import_module("slips")


EXERCISE = ":::{exercise} By hand\n:label: ex-a\n\nHow many?\n:::"
START, END = ":::{solution-start} ex-a\n:class: dropdown\n:::", ":::{solution-end}\n:::"
GUESS, TOLD = ":::{prediction-start} guess-a\nMore or fewer?\n:::", ":::{prediction-end}\n:answer: more\n:::"


def markdown(source):
    return nbformat.v4.new_markdown_cell(source)


def code(source, text="", tags=()):
    outputs = [nbformat.v4.new_output("stream", text=text)] if text else []
    return nbformat.v4.new_code_cell(source, outputs=outputs, metadata={"tags": list(tags)})


def write_notebook(path, *contents):
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=list(contents)), path)


@pytest.fixture
def book(tmp_path):
    """A root with a book that has nothing wrong: cells 1 to 5 of its chapter are the Markdown of a course."""
    (tmp_path / "_config.yml").write_text("parse: {myst_enable_extensions: [colon_fence, dollarmath]}\n")
    contents = "format: jb-book\nroot: book/intro\nchapters: [{file: book/01-first}]\n"
    (tmp_path / "_toc.yml").write_text(contents)
    first = [markdown(text) for text in ("# First", GUESS, TOLD, f"{EXERCISE}\n\n{START}", END)]
    write_notebook(tmp_path / "book" / "01-first.ipynb", *first, code("print(1)", "1\n"))
    (tmp_path / "book" / "intro.md").write_text("# Intro\n")
    return tmp_path


def change(book, *contents):
    """Put other cells into the chapter."""
    write_notebook(book / "book" / "01-first.ipynb", *contents)


def add_to_contents(book, name):
    path = book / "_toc.yml"
    path.write_text(path.read_text().replace("]\n", f", {{file: {name}}}]\n"))


def test_a_book_without_a_slip_has_no_problems(book):
    assert slips.problems(book) == []


def test_this_project_has_no_problems():
    assert slips.problems(ROOT) == []


CHAPTER = "book/01-first.ipynb"
UNCLOSED = "has no solution-end below it"
MARKDOWN_SLIPS = {
    "no label": ([EXERCISE.replace(":label: ex-a\n", "")], "cell 1: the exercise has no label"),
    "no solution": (["# First", EXERCISE], "cell 2: the exercise ex-a has no solution"),
    "no solution, in another directive": (
        [f"::::{{note}}\n\n{EXERCISE}\n::::"],
        "cell 1: the exercise ex-a has no",
    ),
    "two solutions": ([EXERCISE, START, END, START, END], "cell 4: a second solution of ex-a"),
    "a label twice": (
        [EXERCISE, START, END, EXERCISE],
        f"cell 4: the exercise ex-a stands in {CHAPTER}, cell 1",
    ),
    "a solution of nothing": ([START, END], "cell 1: a solution of ex-a, and no such exercise"),
    "a solution of nothing, in one": (
        [":::{solution} ex-b\nTwo.\n:::"],
        "cell 1: a solution of ex-b, and no",
    ),
    "no solution-end": ([EXERCISE, START, "# Next"], f"cell 2: solution-start ex-a {UNCLOSED}"),
    "no solution-start": ([EXERCISE, START, END, END], "cell 4: solution-end without a solution-start"),
    "no prediction-end": ([GUESS], "cell 1: prediction-start guess-a has no prediction-end below it"),
    "a prediction in a prediction": ([GUESS, GUESS, TOLD], "cell 1: prediction-start guess-a has no"),
    "no prediction-start": (["# First", TOLD], "cell 2: prediction-end without a prediction-start"),
    "no name": ([GUESS.replace("guess-a", ""), TOLD], "cell 1: prediction-start without a name"),
    "no answer": (
        [GUESS, TOLD.replace(":answer: more\n", "")],
        "cell 2: prediction-end without an `:answer:`",
    ),
}


@pytest.mark.parametrize(("texts", "told"), MARKDOWN_SLIPS.values(), ids=MARKDOWN_SLIPS)
def test_a_slip_in_a_directive_is_told_with_its_cell(book, texts, told):
    change(book, *map(markdown, texts))
    (problem,) = slips.problems(book)
    assert problem.startswith(f"{CHAPTER}, {told}")


def test_a_slip_in_a_page_without_cells_is_told_with_its_line(book):
    (book / "book" / "intro.md").write_text(f"# Intro\n\n{EXERCISE.replace('ex-a', 'ex-b')}\n")
    assert slips.problems(book) == ["book/intro.md, line 3: the exercise ex-b has no solution"]


def test_a_directive_that_is_only_shown_is_none(book):
    (book / "book" / "intro.md").write_text(f"# Intro\n\n````markdown\n{EXERCISE}\n````\n")
    assert slips.problems(book) == []


def test_a_page_outside_the_contents(book):
    (book / "book" / "other.md").write_text("# Other\n")
    assert slips.problems(book) == ["book/other.md: not in the table of contents, _toc.yml"]


def test_an_entry_of_the_contents_without_a_page(book):
    add_to_contents(book, "book/02-lost")
    assert slips.problems(book) == ["_toc.yml: there is no page book/02-lost"]


def test_two_chapters_with_one_number(book):
    write_notebook(book / "book" / "1-again.ipynb")
    add_to_contents(book, "book/1-again")
    assert slips.problems(book) == ["book/1-again.ipynb: 01-first.ipynb has this number already"]


def test_a_deeper_page_has_the_number_of_its_chapter(book):
    write_notebook(book / "book" / "deeper" / "01-first.ipynb")
    add_to_contents(book, "book/deeper/01-first")
    assert slips.problems(book) == []


def test_a_notebook_in_a_folder_that_nothing_looks_into(book):
    write_notebook(book / "book" / "more" / "02-second.ipynb")
    add_to_contents(book, "book/more/02-second")
    told = "book/more/02-second.ipynb: no tool or test looks here: put notebooks into book or book/deeper"
    assert slips.problems(book) == [told]


@pytest.mark.parametrize("name", ["a page.md", "Page.md", "página.md"])
def test_a_name_that_is_no_good_address(book, name):
    (book / "book" / "_static").mkdir()
    (book / "book" / "_static" / name).write_text("# Page\n")
    (problem,) = slips.problems(book)
    assert problem.startswith(f"book/_static/{name}: a name in book/ has small letters")


def test_crlf_is_told_with_its_line_and_binary_files_are_passed_over(book):
    (book / "notes.txt").write_bytes(b"one\ntwo\r\nthree\r\n")
    (book / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    assert slips.problems(book) == ["notes.txt, line 2: ends in CRLF: save the file with LF line ends"]


SILENT = ["x = 2", "def f():\n    print(1)", "assert x", "np.testing.assert_allclose(x, 2)", "_ = f()"]
SILENT += ["if wrong:\n    print(wrong)", "%matplotlib inline", "# a comment", "for i in x:\n    f(i)"]
SHOWN = ["x", "x + 1", "print(1)", "for i in x:\n    print(i)", "plt.show()", "explore(draw, n=[1, 2])"]
SHOWN += ["try:\n    f()\nexcept ValueError as error:\n    print(error)", "print(1)\nx = 2", "f'{x}';"]


@pytest.mark.parametrize("source", SHOWN)
def test_a_single_stripped_output_is_told(book, source):
    change(book, markdown("# First"), code("print(1)", "1\n"), code(source))
    (problem,) = slips.problems(book)
    assert problem.startswith(f"{CHAPTER}, cell 3: shows something, and no output is stored")


@pytest.mark.parametrize("cell", [*map(code, SILENT), code("print(1)", tags=["nbval-ignore-output"])])
def test_a_cell_that_shows_nothing_needs_no_output(book, cell):
    change(book, code("print(1)", "1\n"), cell)
    assert slips.problems(book) == []


def test_what_git_ignores_is_passed_over(book):
    subprocess.run(["git", "init", "-q", book], check=True)
    (book / ".gitignore").write_text("*.txt\n")
    for name in ("ignored.txt", "new.md"):
        (book / name).write_bytes(b"\r\n")
    assert slips.problems(book) == ["new.md, line 1: ends in CRLF: save the file with LF line ends"]


def test_lint_runs_it_and_fails_with_it():
    done = subprocess.run([sys.executable, ROOT / "tools" / "slips.py"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "tools/slips.py" in (ROOT / "Makefile").read_text()


def test_the_exit_status_tells_of_a_problem(book, monkeypatch, capsys):
    change(book, markdown(EXERCISE))
    monkeypatch.setattr(slips, "ROOT", book)
    monkeypatch.setattr(sys, "argv", ["slips.py"])
    with pytest.raises(SystemExit, match="1"):
        slips.main()
    assert capsys.readouterr().err == f"{CHAPTER}, cell 1: the exercise ex-a has no solution\n"

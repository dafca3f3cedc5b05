"""The commands of portable notebooks: `make portable` and `make portable-check`."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import check_portable  # noqa: E402
import make_portable  # noqa: E402

TOC = "{format: jb-book, root: book/intro, chapters: [{file: book/01-one}, {file: book/deeper/01-one}]}"
PAGES = {
    "_toc.yml": TOC,
    "book/intro.md": "# Welcome",
    "book/references.bib": "",
    "src/netinit/__init__.py": "",
    **{f"book/{name}": "" for name in ("_extra/x", "_static/logo.svg", "_static/favicon.svg")},
}
ONE = "(ch-one)=\n# One\n\n```{reading-time}\n```\n\n{ref}`ch-deeper`"


def notebook(*texts):
    cells = [nbformat.v4.new_markdown_cell(texts[0]), *map(nbformat.v4.new_code_cell, texts[1:])]
    return nbformat.v4.new_notebook(cells=cells)


@pytest.fixture
def folder(tmp_path):
    """A book of three pages where `make portable` works."""
    for name, text in PAGES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "_config.yml").write_bytes((ROOT / "_config.yml").read_bytes())
    shutil.copytree(ROOT / "book/_ext", tmp_path / "book/_ext")
    (tmp_path / "book/deeper").mkdir()
    nbformat.write(notebook(ONE, "print(1)"), tmp_path / "book/01-one.ipynb")
    nbformat.write(notebook("(ch-deeper)=\n# Deeper", "print(2)"), tmp_path / "book/deeper/01-one.ipynb")
    (tmp_path / "_build").mkdir()
    return tmp_path


def tool(name, *arguments):
    """Run a tool as make does; the number that it ends with, and what it says."""
    command = [sys.executable, ROOT / "tools" / name, *arguments]
    environment = os.environ | {"BOOK_REPOSITORY": "Someone/weights"}
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, env=environment)
    return done.returncode, done.stdout + done.stderr


def make(folder):
    """Let `make portable` write the notebooks of this book."""
    status, said = tool("make_portable.py", "--root", folder)
    assert status == 0, said
    assert "2 notebooks: " in said


def written(folder):
    """What lies in the folder of the portable notebooks, by name."""
    below = folder / "_build/portable"
    return {path.relative_to(below).as_posix(): path.read_bytes() for path in below.rglob("*.ipynb")}


def test_it_writes_all_the_same_again_and_a_fault_leaves_them(folder):
    make(folder)
    first = written(folder)
    assert set(first) == {"01-one.ipynb", "deeper/01-one.ipynb"}
    pins = (folder / "_build/portable/requirements.txt").read_text().splitlines()
    assert f"numpy=={np.__version__}" in pins
    assert len(pins) == len(make_portable.READERS)
    text = nbformat.reads(first["01-one.ipynb"].decode(), as_version=4).cells[1].source
    assert text == (
        "# One\n\nAbout 5 minutes. The [deeper page](https://someone.github.io/weights/book/deeper/01-one.html)"
        " takes 5.\n\n[Deeper](https://someone.github.io/weights/book/deeper/01-one.html#ch-deeper)"
    )
    make(folder)
    assert written(folder) == first
    (folder / "book/deeper/01-one.ipynb").unlink()
    nbformat.write(notebook("(ch-other)=\n# Deeper", "print(2)"), folder / "book/deeper/01-one.ipynb")
    status, said = tool("make_portable.py", "--root", folder)
    assert status == 1
    assert re.search(r"book/01-one\.ipynb, cell 1: .*undefined label: 'ch-deeper'", said), said
    assert written(folder) == first
    assert sorted(path.name for path in (folder / "_build").iterdir()) == [".lock", "executed", "portable"]


def stored(path, printed, *sources):
    """Write a notebook whose first cell has printed this."""
    made = notebook("# One", *sources)
    made.cells[1].outputs = [nbformat.v4.new_output("stream", text=printed)]
    nbformat.write(made, path)
    return path


def test_the_check_runs_each_alone_and_tells_what_is_wrong(tmp_path):
    (tmp_path / "beside.json").write_text("{}")
    right = stored(tmp_path / "right.ipynb", "42\n", "print(6 * 7)", "import numpy, ipywidgets")
    other = stored(tmp_path / "other.ipynb", "42\n", "print(6 * 8)")
    reads = stored(tmp_path / "reads.ipynb", "", "open('beside.json')")
    brings = stored(tmp_path / "brings.ipynb", "", "import netinit")
    status, said = tool("check_portable.py", right, other, reads, brings)
    assert status == 1
    assert re.search(r"right\.ipynb: \d+ s", said)
    assert re.search(r"other\.ipynb: prints something else than what is stored:\nprint\(6 \* 8\)", said)
    assert re.search(r"(?s)reads\.ipynb: .*FileNotFoundError", said)
    assert re.search(r"(?s)brings\.ipynb: .*No module named 'netinit'", said)
    assert "3 of 4 portable notebooks fail" in said


def test_what_a_notebook_asks_for_by_name_is_brought_once(monkeypatch, tmp_path):
    asked, ask = [], "This notebook needs joblib, tqdm, which this Python does not have: run ..."

    def run(_notebook, python):
        asked.append(python)
        raise CellExecutionError("the traceback", "ModuleNotFoundError", ask)

    monkeypatch.setattr(check_portable, "run", run)
    nbformat.write(notebook("# One", "print(1)"), tmp_path / "one.ipynb")
    assert "the traceback" in check_portable.check(tmp_path / "one.ipynb", lambda packages: packages)
    assert asked == [check_portable.ALWAYS, (*check_portable.ALWAYS, "joblib", "tqdm")]


def test_the_environment_has_what_was_named_and_nothing_else(tmp_path):
    python = check_portable.environment(tmp_path / "env", ("numpy", "joblib"))
    code = "import importlib.util as u; print(*[n for n in {} if u.find_spec(n)])"
    names = ["numpy", "joblib", "matplotlib", "netinit", "pytest"]
    done = subprocess.run([python, "-I", "-c", code.format(names)], capture_output=True, text=True)
    assert done.stdout.split() == ["numpy", "joblib"], done.stderr

"""The notebooks of `book/`: their form, their place in the table of contents, and what nbval compares."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
BOOK = ROOT / "book"
TOOL, STABILITY = ROOT / "tools" / "notebooks.py", ROOT / "tools" / "stability.py"


def load_tool():
    spec = importlib.util.spec_from_file_location("notebooks", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


notebooks = load_tool()
NOTEBOOKS = notebooks.below(BOOK)
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: str(path.relative_to(BOOK)))


def make_notebook(path, *sources):
    """Write a notebook of code cells, not executed."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def silent_pictures(notebook):
    """The first line of each cell that shows a figure and does not say what is to be seen."""
    for cell in notebook.cells:
        drawn = any("<Figure" in str(output) for output in cell.get("outputs", ()))
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        if drawn and "remove-output" not in cell.metadata.get("tags", ()) and " " not in alt:
            yield cell.source.split("\n")[0]


def run(*arguments):
    """Run Python as `make` does: without the backend that the unit tests choose for Matplotlib."""
    environment = {key: value for key, value in os.environ.items() if key != "MPLBACKEND"}
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
    )


def strict_nbval(path):
    options = ["--nbval", "--nbval-current-env", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    return run("-m", "pytest", "-c", ROOT / "pyproject.toml", "--rootdir", path.parent, *options, path)


# --- the notebooks of the book --------------------------------------------------------------------


def test_the_book_has_notebooks():
    assert NOTEBOOKS


@each_notebook
def test_notebook_is_normal(path):
    assert notebooks.is_normal(path), f"{path.name} is not normal: run `make notebooks`"


@each_notebook
def test_notebook_holds_outputs(path):
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    least = 3 if re.match(r"\d\d-", path.name) else 1
    assert sum(bool(cell.outputs) for cell in cells) >= least, "strict nbval would compare next to nothing"


@each_notebook
def test_each_picture_has_a_text_alternative(path):
    """A live figure brings its own; what a cell draws is described by the cell."""
    assert list(silent_pictures(nbformat.read(path, as_version=4))) == []


@each_notebook
def test_notebook_loads_nothing_from_the_network(path):
    for cell in nbformat.read(path, as_version=4).cells:
        assert not re.search(
            r"!\[[^\]]*\]\(https?:|<(img|script|iframe|link)\b[^>]*https?:|https?://[^\s)]+\.js\b",
            cell.source,
        )


# --- strict nbval really compares -----------------------------------------------------------------


@pytest.fixture(scope="module")
def figure_notebook(tmp_path_factory):
    """A normal notebook with printed numbers, a result, and a picture."""
    path = tmp_path_factory.mktemp("nbval") / "tiny.ipynb"
    draw = "import matplotlib.pyplot as plt\nfigure, axes = plt.subplots()\n_ = axes.plot(1)\nprint('a')"
    make_notebook(path, "print('accuracy', 0.96)", "x = 2\nx + 1", draw, "figure")
    done = run(TOOL, path)
    assert done.returncode == 0, done.stdout + done.stderr
    return path


def test_strict_nbval_passes_on_a_normal_notebook(figure_notebook):
    text = figure_notebook.read_text()
    assert notebooks.is_normal(figure_notebook)
    assert "<Figure size" in text
    assert "image/png" not in text
    done = strict_nbval(figure_notebook)
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout


@pytest.mark.parametrize(("stored", "changed"), [("0.96", "0.95"), ('"3"', '"4"'), ("1 Axes", "2 Axes")])
def test_strict_nbval_fails_on_one_changed_number(figure_notebook, tmp_path, stored, changed):
    text = figure_notebook.read_text()
    start = text.index(
        '"outputs"'
    )  # the first cell's source comes after its outputs: change the output alone
    assert stored in text[start:]
    path = tmp_path / "changed.ipynb"
    path.write_text(text[:start] + text[start:].replace(stored, changed, 1))
    done = strict_nbval(path)
    assert done.returncode == 1, done.stdout
    assert "Cell outputs differ" in done.stdout
    assert "1 failed, 3 passed" in done.stdout


def test_strict_nbval_fails_on_an_output_that_is_not_stored(figure_notebook, tmp_path):
    notebook = nbformat.read(figure_notebook, as_version=4)
    notebook.cells[0].outputs = []
    path = tmp_path / "missing.ipynb"
    nbformat.write(notebook, path)
    assert strict_nbval(path).returncode == 1


WIDGET = """
from IPython.display import display
import ipywidgets
class Live:
    def _repr_mimebundle_(self, **options):
        view = ipywidgets.IntSlider()._repr_mimebundle_()
        return {**view, "text/plain": "live figure: 3 frames"}
Live()
"""


def test_strict_nbval_compares_the_text_of_a_live_figure(tmp_path):
    path = make_notebook(tmp_path / "live.ipynb", WIDGET)
    assert run(TOOL, path).returncode == 0
    assert "widget" not in path.read_text().partition('"outputs"')[2].partition('"source"')[0]
    assert strict_nbval(path).returncode == 0
    text = path.read_text()
    path.write_text(text.replace('"live figure: 3 frames"\n', '"live figure: 4 frames"\n'))
    assert path.read_text() != text
    assert strict_nbval(path).returncode == 1


# --- the tool: all or nothing, and one form -------------------------------------------------------


def test_a_raising_notebook_leaves_all_as_they_were(tmp_path):
    good = make_notebook(tmp_path / "good.ipynb", "print(1)")
    bad = make_notebook(tmp_path / "bad.ipynb", "print(2)", "1 / 0")
    before = {path: path.read_bytes() for path in (good, bad)}
    done = run(TOOL, good, bad)
    assert done.returncode != 0
    assert "ZeroDivisionError" in done.stderr
    assert {path: path.read_bytes() for path in (good, bad)} == before
    assert sorted(tmp_path.iterdir()) == [bad, good]


def test_an_interrupt_leaves_all_as_they_were(tmp_path):
    """The second notebook interrupts the run, as Ctrl-C in a terminal does."""
    good = make_notebook(tmp_path / "good.ipynb", "print(1)")
    slow = make_notebook(
        tmp_path / "slow.ipynb",
        "import os, signal, time\nos.kill(os.getppid(), signal.SIGINT)\ntime.sleep(30)",
    )
    before = {path: path.read_bytes() for path in (good, slow)}
    assert "KeyboardInterrupt" in run(TOOL, good, slow).stderr
    assert {path: path.read_bytes() for path in (good, slow)} == before
    assert sorted(tmp_path.iterdir()) == [good, slow]


def test_an_edit_saved_meanwhile_stays(tmp_path):
    """The second notebook edits the first one's file, as its author's editor does."""
    other = make_notebook(tmp_path / "other.ipynb", "print(1)")
    edited = make_notebook(tmp_path / "edited.ipynb", "print(2)")
    edit = f"from pathlib import Path\nwith Path({str(edited)!r}).open('a') as file:\n    file.write('\\n')"
    make_notebook(other, edit + "\nprint('saved')")
    before = {path: path.read_bytes() for path in (other, edited)}
    done = run(TOOL, other, edited)
    assert done.returncode != 0
    assert f"{edited} was edited meanwhile" in done.stderr
    assert "No notebook was changed" in done.stderr
    assert {path: path.read_bytes() for path in (other, edited)} == before | {edited: before[edited] + b"\n"}


def test_notebooks_are_found_in_subfolders(tmp_path):
    paths = [tmp_path / name for name in ("01.ipynb", "deeper/01.ipynb", ".ipynb_checkpoints/01.ipynb")]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        make_notebook(path, "1")
    assert notebooks.below(tmp_path) == paths[:2]


def test_a_second_run_changes_nothing(figure_notebook, tmp_path):
    path = tmp_path / "again.ipynb"
    path.write_bytes(figure_notebook.read_bytes())
    done = run(TOOL, path)
    assert done.returncode == 0
    assert "changed" not in done.stdout
    assert path.read_bytes() == figure_notebook.read_bytes()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("object()", "a memory address"),
        ("object();", "a memory address"),
        ("print('/tmp/some/file')", "a temporary path"),
        ("import warnings; warnings.warn('careful')", "stderr"),
        ("from IPython.display import HTML; HTML('<b>bold</b>')", "text/html"),
    ],
)
def test_an_output_that_cannot_be_compared_is_refused(tmp_path, source, words):
    path = make_notebook(tmp_path / "unstable.ipynb", source)
    before = path.read_bytes()
    done = run(TOOL, path)
    assert done.returncode != 0
    assert words in done.stderr
    assert source in done.stderr
    assert path.read_bytes() == before


def test_a_picture_that_nobody_describes_is_found():
    output = nbformat.v4.new_output("display_data", {"text/plain": "<Figure size 720x432 with 1 Axes>"})
    cell = nbformat.v4.new_code_cell("plt.plot(x)\nplt.show()", outputs=[output])
    assert list(silent_pictures(nbformat.v4.new_notebook(cells=[cell]))) == ["plt.plot(x)"]
    cell.metadata["mystnb"] = {"image": {"alt": "A line that rises."}}
    assert list(silent_pictures(nbformat.v4.new_notebook(cells=[cell]))) == []


def test_normal_form():
    cells = [
        nbformat.v4.new_code_cell("f()", metadata={"tags": ["hide-input"], "collapsed": True})
        for _ in range(2)
    ]
    cells[0].outputs = [nbformat.v4.new_output("stream", name="stdout", text=text) for text in ("a", "b\n")]
    cells[1].outputs = [nbformat.v4.new_output("display_data", data={"text/plain": "t", "image/png": "AAAA"})]
    notebook = nbformat.v4.new_notebook(
        cells=cells, metadata={"widgets": {}, "language_info": {"name": "python", "version": "3.11"}}
    )
    normal = notebooks.normalize(notebook)
    assert [cell.id for cell in normal.cells] == ["19c10413", "19c10413-2"]
    assert [cell.execution_count for cell in normal.cells] == [1, 2]
    assert [cell.metadata for cell in normal.cells] == [{"tags": ["hide-input"]}] * 2
    assert [output.text for output in normal.cells[0].outputs] == ["ab\n"]
    assert [output.data for output in normal.cells[1].outputs] == [{"text/plain": "t"}]
    assert set(normal.metadata) == {"kernelspec", "language_info"}
    assert notebooks.normalize(normal) == normal


def test_a_timing_cell_stores_nothing():
    cell = nbformat.v4.new_code_cell("timing()", metadata={"tags": ["nbval-ignore-output"]})
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text="1.23 s\n")]
    assert notebooks.normalize(nbformat.v4.new_notebook(cells=[cell])).cells[0].outputs == []


def test_the_check_names_a_notebook_that_is_not_normal(figure_notebook, tmp_path):
    path = tmp_path / "edited.ipynb"
    path.write_text(figure_notebook.read_text().replace('"execution_count": 1', '"execution_count": 7', 1))
    assert run(TOOL, "--check", figure_notebook).returncode == 0
    done = run(TOOL, "--check", path)
    assert done.returncode == 1
    assert "edited.ipynb" in done.stderr


# --- the text does not hang on the last digit -----------------------------------------------------

LAYER = """
import numpy as np
from netinit import Linear
layer, x = Linear(64, 8), np.random.default_rng(0).normal(size=(5, 64)).astype(np.float32)
layer.weight.value[...] = np.random.default_rng(1).normal(size=(64, 8))
"""


def test_stability_passes_where_the_last_digit_is_rounded_away(tmp_path):
    equal_units = "layer.weight.value[...] = 0.1\nprint(np.ptp(layer(x), axis=1).max())"
    path = make_notebook(tmp_path / "stable.ipynb", LAYER, "print(f'{layer(x).std():.2f}')", equal_units)
    assert run(TOOL, path).returncode == 0
    done = run(STABILITY, "--runs", 2, path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == "2 executions, 0 texts changed\n"


def test_stability_names_a_cell_that_prints_or_asserts_the_last_digit(tmp_path):
    exact = "print(layer(x).astype(float).sum())", "assert np.array_equal(layer(x), x @ layer.weight.value)"
    path = make_notebook(tmp_path / "unstable.ipynb", LAYER, *exact)
    assert run(TOOL, path).returncode == 0
    before = path.read_bytes()
    done = run(STABILITY, "--runs", 2, path)
    assert done.returncode == 1, done.stdout + done.stderr
    named = [line for line in done.stdout.splitlines() if line.startswith("unstable.ipynb")]
    assert named == [f"unstable.ipynb, cell {cell}, run {r}" for r in (0, 1) for cell in (1, 2)]
    assert "raises AssertionError" in done.stdout
    assert "4 texts changed" in done.stdout
    assert path.read_bytes() == before


def test_stability_does_not_pass_without_a_run(tmp_path):
    done = run(STABILITY, "--runs", 0, make_notebook(tmp_path / "any.ipynb", "1"))
    assert done.returncode == 2
    assert "--runs must be at least 1, got 0" in done.stderr

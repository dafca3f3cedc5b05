"""Building the book: what is executed again, what fails, and that nothing is lost, on tiny books.

Most tests leave the two slow steps out: a stand-in executes, and another makes the pages. The last part runs
the real tool.
"""

import contextlib
import errno
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest
from filelock import FileLock
from websockets.sync.client import connect

ROOT = Path(__file__).resolve().parent.parent
TOOL = ROOT / "tools" / "build.py"
sys.path.insert(0, str(TOOL.parent))

import build  # noqa: E402
import executed  # noqa: E402
import outgoing  # noqa: E402
import pages  # noqa: E402
import sources  # noqa: E402

CONFIG = """
title: Tiny
only_build_toc_files: true
exclude_patterns: [_build, ".*"]
execute: {execute_notebooks: "off", timeout: 60}
sphinx: {local_extensions: {launch_buttons: book/_ext}}
"""
TOC = """
format: jb-book
root: book/intro
chapters: [{file: book/one}, {file: book/deeper/two}]
"""
DRAW = "import matplotlib.pyplot as plt\nfigure, axes = plt.subplots(figsize=(1, 1))\n_ = axes.plot([1, 2])"
LIVE = """
import os
class Live:
    def _repr_mimebundle_(self, **options):
        assert os.environ["NETINIT_STATIC_FIGURES"] == "1"
        picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJ"
        picture += "RU5ErkJggg=="
        figure = '<figure class="live-figure"></figure>'
        return {"text/plain": "live", "image/png": picture, "text/html": figure}
Live()
"""


def write_notebook(path, title, *sources):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(title), *cells]), path)


@pytest.fixture
def book(tmp_path):
    """A book of a page, and of two notebooks, one of them in a subfolder."""
    for name, text in {
        "_config.yml": CONFIG,
        "_toc.yml": TOC,
        "book/intro.md": "# Welcome\n",
        "book/_ext/launch_buttons.py": (ROOT / "book/_ext/launch_buttons.py").read_text(),
        "src/netinit/records/run.json": "[1]",
        "book/.ipynb_checkpoints/one-checkpoint.ipynb": "not a page",
        "src/netinit/__init__.py": "VALUE = 'first'\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    write_notebook(tmp_path / "book/one.ipynb", "# One", "import netinit; print(netinit.VALUE)", DRAW)
    write_notebook(tmp_path / "book/deeper/two.ipynb", "# Two", "print(2)", LIVE)
    return tmp_path


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def site_of(book):
    """Every file of the site with its content."""
    site = book / "_build" / "html"
    return {path: path.read_bytes() for path in sorted(site.rglob("*")) if path.is_file()}


# --- with stand-ins -------------------------------------------------------------------------------


class Steps:
    """Stand-ins of the two slow steps; they remember what they were asked for."""

    def __init__(self):
        self.executed, self.made, self.during = [], 0, lambda: None

    def run(self, _root, _timeout, name, notebook):
        self.executed.append(name)
        if any("1 / 0" in cell.source for cell in notebook.cells):
            raise executed.Flaw("code cell 1: ZeroDivisionError")
        notebook.metadata.language_info = {"name": "python"}
        picture = nbformat.v4.new_output("display_data", data={"image/png": "AAAA"})
        executed.code_cells(notebook)[0].outputs = [picture]
        return notebook, 1.0

    def make(self, root):
        self.made += 1
        self.during()
        site = root / "_build" / "html"
        picture = f"_images/{'0' * 64}.png"
        sources.write({picture: b"", **{f"{name}.html": b"" for name in pages.names(root)}}, site)
        for notebook in root.glob("book/**/*.ipynb"):
            page = site / notebook.relative_to(root).with_suffix(".html")
            page.write_text(f'<img alt="" src="../{picture}" />')
        return site


@pytest.fixture
def steps(monkeypatch):
    steps = Steps()
    monkeypatch.setattr(executed, "run", steps.run)
    monkeypatch.setattr(pages, "make", steps.make)
    monkeypatch.setattr(outgoing, "make", lambda _root, made, editions: dict.fromkeys(editions, made))
    return steps


def run_build(book):
    build.build(book, book / "_build", workers=2)


def test_nothing_changed_builds_nothing(book, steps):
    run_build(book)
    assert sorted(steps.executed) == ["book/deeper/two.ipynb", "book/one.ipynb"]
    run_build(book)
    (book / "book/one.ipynb").touch()
    run_build(book)
    assert (len(steps.executed), steps.made) == (2, 1)


def test_an_edit_of_prose_executes_nothing(book, steps):
    run_build(book)
    edit(book / "book/one.ipynb", "# One", "# The first")
    edit(book / "book/intro.md", "Welcome", "Hello")
    run_build(book)
    assert (len(steps.executed), steps.made) == (2, 2)


def test_an_edit_of_code_executes_that_notebook(book, steps):
    run_build(book)
    edit(book / "book/deeper/two.ipynb", "print(2)", "print(3)")
    run_build(book)
    assert steps.executed[2:] == ["book/deeper/two.ipynb"]


@pytest.mark.usefixtures("steps")
def test_results_that_no_notebook_uses_are_dropped(book):
    run_build(book)
    edit(book / "book/deeper/two.ipynb", "print(2)", "print(3)")
    run_build(book)
    assert len(list((book / "_build/executed").glob("*.ipynb"))) == 2


def change_version(_book, monkeypatch):
    monkeypatch.setattr(sources, "environment", lambda: ["another version"])


def change_tag(book, _monkeypatch):
    for path in ("book/one.ipynb", "book/deeper/two.ipynb"):
        notebook = nbformat.read(book / path, as_version=4)
        notebook.cells[1].metadata.tags = ["raises-exception"]
        nbformat.write(notebook, book / path)


CHANGES = {
    "the package": lambda book, _: edit(book / "src/netinit/__init__.py", "first", "second"),
    "a file added to the package": lambda book, _: (book / "src/netinit/new.py").write_text(""),
    "a record": lambda book, _: edit(book / "src/netinit/records/run.json", "1", "2"),
    "a setting of the execution": lambda book, _: edit(book / "_config.yml", "timeout: 60", "timeout: 61"),
    "a version": change_version,
    "a tag": change_tag,
}


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_can_change_an_output_executes_all(book, steps, monkeypatch, what):
    run_build(book)
    CHANGES[what](book, monkeypatch)
    run_build(book)
    assert len(steps.executed) == 4


def test_versions_are_those_that_the_book_needs():
    found = sources.versions(["netinit[book]"])
    assert found["numpy []"] == __import__("numpy").__version__
    assert "sphinx []" in found  # jupyter-book needs it
    assert "hypothesis []" not in found  # the tests alone need it


def test_a_tool_that_another_target_brings_along_builds_nothing(book, steps, monkeypatch):
    run_build(book)
    monkeypatch.setattr(sources, "LITE", ("pytest",))
    run_build(book)
    assert (len(steps.executed), steps.made) == (2, 1)


def test_a_site_with_jupyterlite_depends_on_its_version(monkeypatch):
    monkeypatch.setenv("BOOK_LITE", "1")
    before = sources.fingerprint({})
    monkeypatch.setattr(sources, "LITE", ("pytest",))
    assert sources.fingerprint({}) != before


@pytest.mark.parametrize("name", ["BOOK_ADDRESS", "BOOK_REPOSITORY", "EDITION", "PYODIDE"])
def test_a_setting_of_the_pages_makes_them_again(book, steps, monkeypatch, name):
    run_build(book)
    monkeypatch.setenv(name, "other")
    run_build(book)
    assert (len(steps.executed), steps.made) == (2, 2)


def test_a_raising_cell_fails_and_the_others_are_kept(book, steps, capsys):
    edit(book / "book/one.ipynb", "print(netinit.VALUE)", "1 / 0")
    for _ in range(2):
        with pytest.raises(SystemExit, match=r"book/one\.ipynb, code cell 1: ZeroDivisionError"):
            run_build(book)
    assert steps.executed.count("book/deeper/two.ipynb") == 1
    assert steps.executed.count("book/one.ipynb") == 2
    assert steps.made == 0
    assert "book/one.ipynb: failed" in capsys.readouterr().out


def test_the_longest_notebook_is_executed_first(book, steps):
    run_build(book)
    times = {"book/one.ipynb": 1, "book/deeper/two.ipynb": 9}
    (book / "_build/executed/seconds.json").write_text(json.dumps(times))
    edit(book / "src/netinit/__init__.py", "first", "second")
    build.build(book, book / "_build", workers=1)
    assert steps.executed[2:] == ["book/deeper/two.ipynb", "book/one.ipynb"]


def test_an_edit_saved_during_the_build_is_built_next_time(book, steps):
    steps.during = lambda: edit(book / "book/deeper/two.ipynb", "print(2)", "print(3)")
    run_build(book)
    steps.during = lambda: None
    assert "print(2)" in (book / "_build/html/_sources/book/deeper/two.ipynb").read_text()
    run_build(book)
    assert steps.executed[2:] == ["book/deeper/two.ipynb"]
    assert "print(3)" in (book / "_build/html/_sources/book/deeper/two.ipynb").read_text()


def fail():
    raise SystemExit("Jupyter Book failed")


def test_a_build_that_fails_leaves_the_last_good_site(book, steps):
    run_build(book)
    before = site_of(book)
    edit(book / "book/intro.md", "Welcome", "Hello")
    steps.during = fail
    for _ in range(2):
        with pytest.raises(SystemExit, match="Jupyter Book failed"):
            run_build(book)
        assert site_of(book) == before
    steps.during = lambda: None
    run_build(book)
    assert site_of(book) != before


def full(copies):
    """What the system says where no space is left, alone or from a copy of a whole folder."""
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "book/one.html")
    raise shutil.Error([("from", "to", str(error))]) if copies else error


@pytest.mark.parametrize("copies", [False, True])
def test_a_full_disk_is_told_in_a_sentence_and_leaves_nothing_half_made(book, steps, monkeypatch, copies):
    run_build(book)
    before = site_of(book)
    edit(book / "book/intro.md", "Welcome", "Hello")
    steps.during = lambda: full(copies)
    monkeypatch.setattr(sys, "argv", ["build.py", "--root", str(book)])
    with pytest.raises(SystemExit, match=r"The disk is full, and nothing was changed: .*book/one\.html"):
        build.main()
    assert site_of(book) == before
    assert not (book / "_build/scratch").exists()


def test_another_fault_of_the_system_is_not_called_a_full_disk(book, steps, monkeypatch):
    def forbid():
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "book/one.html")

    steps.during = forbid
    monkeypatch.setattr(sys, "argv", ["build.py", "--root", str(book)])
    with pytest.raises(PermissionError):
        build.main()


def test_a_build_killed_while_it_swaps_leaves_the_last_good_site(book, steps):
    run_build(book)
    before = site_of(book)
    (book / "_build/html").rename(book / "_build/html.last")
    run_build(book)
    assert site_of(book) == before
    assert steps.made == 1


LACKING = {
    "book/intro.html was not made": lambda site: (site / "book/intro.html").unlink(),
    "book/one.ipynb has 1 pictures, its page 0": lambda site: (site / "book/one.html").write_text(""),
    "book/deeper/two.ipynb has 1 pictures, its page 0": lambda site: next(site.glob("_images/*")).unlink(),
}


@pytest.mark.parametrize("words", LACKING)
def test_a_page_or_a_picture_that_is_missing_fails_before_the_stamp(book, steps, monkeypatch, words):
    def make(root):
        site = steps.make(root)
        LACKING[words](site)
        return site

    monkeypatch.setattr(pages, "make", make)
    for _ in range(2):
        with pytest.raises(SystemExit, match=words):
            run_build(book)
    assert not (book / "_build/html").exists()


def test_a_live_figure_that_is_missing_is_named(tmp_path):
    output = nbformat.v4.new_output("display_data", data={"text/html": '<figure class="live-figure">'})
    cells = [nbformat.v4.new_code_cell("f()", outputs=[output]) for _ in range(2)]
    sources.write({"one.html": b'<figure class="live-figure">'}, tmp_path)
    lacking = pages.missing(tmp_path, ["one"], {"one.ipynb": nbformat.v4.new_notebook(cells=cells)})
    assert lacking == ["one.ipynb has 2 live figures, its page 1"]
    cells[0].metadata.tags = ["remove-output"]
    assert not pages.missing(tmp_path, ["one"], {"one.ipynb": nbformat.v4.new_notebook(cells=cells)})


# --- the real tool --------------------------------------------------------------------------------


def start(book, *arguments, tool=TOOL, **options):
    """Start a tool in a process of its own, as `make` does."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, tool, "--root", book, *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=kept, **pipes, **options)


def finish(process):
    """Wait for the tool; what it printed, colors aside, and its exit status as text."""
    stdout, stderr = process.communicate(timeout=300)
    return re.sub(r"\x1b\[[\d;]*m", "", f"{stdout}{stderr}exit status {process.returncode}")


def wait_for(path):
    end = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < end, f"{path.name} did not appear"
        time.sleep(0.05)


def test_a_real_book(book, monkeypatch):
    """From the sources to the pages: the package of the build, a picture, a live figure, a new prose."""
    monkeypatch.setenv("MPLBACKEND", "agg")  # would remove every picture
    assert finish(start(book)).endswith("exit status 0")
    one = (book / "_build/html/book/one.html").read_text()
    assert "first" in one
    assert len(pages.PICTURE.findall(one)) == 1
    assert (book / "_build/html/book/deeper/two.html").read_text().count(pages.LIVE_FIGURE) == 1
    assert '"id": "bring-netinit"' in (book / "_build/html/_sources/book/one.ipynb").read_text()
    assert sorted(path.name for path in (book / "_build").iterdir()) == [".lock", "executed", "html"]

    edit(book / "book/one.ipynb", "# One", "# The first chapter")
    said = finish(start(book))
    assert said.endswith("exit status 0")
    assert "Executing" not in said
    page = (book / "_build/html/book/one.html").read_text()
    assert "The first chapter" in page
    assert pages.PICTURE.findall(page) == pages.PICTURE.findall(one)


def test_a_warning_and_a_missing_reference_fail_each_time(book):
    edit(book / "book/intro.md", "# Welcome\n", "# Welcome\n\n{ref}`nowhere`\n\n### Too deep\n")
    for _ in range(2):
        said = finish(start(book))
        assert said.endswith("exit status 1")
        assert re.search(r"^book/intro\.md:\d+: WARNING: .*nowhere", said, re.MULTILINE)
        assert re.search(r"^book/intro\.md:\d+: WARNING: Non-consecutive header", said, re.MULTILINE)
        assert not (book / "_build/html").exists()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import warnings; warnings.warn('careful')", "writes to stderr: is that a warning"),
        (
            "import matplotlib; matplotlib.use('agg')\n" + DRAW + "\nfigure",
            "shows a figure without a picture",
        ),
        ("import time; time.sleep(30)", "CellTimeoutError|timed out"),
    ],
)
def test_a_cell_with_a_fault_is_named_and_fails(book, source, words):
    edit(book / "_config.yml", "timeout: 60", "timeout: 10")
    write_notebook(book / "book/one.ipynb", "# One", "x = 1", source)
    for executing in ("2 of 2", "1 of 2"):  # the other one comes from the store
        said = finish(start(book))
        assert f"Executing {executing} notebooks" in said
        assert "book/one.ipynb, code cell 2" in said
        assert re.search(words, said)
        assert said.endswith("exit status 1")


def test_a_killed_build_leaves_nothing_half_written(book, tmp_path_factory):
    """Killed while one notebook is executed and the other one is in the store; the lock is gone with it."""
    flags = tmp_path_factory.mktemp("flags")
    wait = f"from pathlib import Path; import time\nf = Path({str(flags)!r})\n(f / 'reached').touch()\n"
    wait += "while not (f / 'go').exists(): time.sleep(0.1)"
    write_notebook(book / "book/one.ipynb", "# One", wait)
    process = start(book, start_new_session=True)
    wait_for(flags / "reached")
    wait_for(book / "_build/executed/seconds.json")
    process.kill()
    process.communicate()
    left = [nbformat.read(path, as_version=4) for path in (book / "_build/executed").glob("*.ipynb")]
    assert [executed.code_cells(notebook)[0].source for notebook in left] in ([], ["print(2)"])
    (flags / "go").touch()
    assert finish(start(book)).endswith("exit status 0")


def test_an_interrupt_ends_the_build_at_once(book, tmp_path_factory):
    flag = tmp_path_factory.mktemp("flags") / "reached"
    source = f"import os, time\nprint(os.getpid(), file=open({str(flag)!r}, 'w'), flush=True)\ntime.sleep(50)"
    write_notebook(book / "book/one.ipynb", "# One", source)
    process = start(book)
    wait_for(flag)
    process.send_signal(signal.SIGINT)
    assert "exit status 130" in finish(process)
    kernel, end = int(flag.read_text()), time.monotonic() + 20
    while Path(f"/proc/{kernel}").exists() and time.monotonic() < end:
        time.sleep(0.1)
    assert not Path(f"/proc/{kernel}").exists(), "the kernel outlives the build"


@pytest.mark.usefixtures("steps")
def test_of_two_builds_one_waits(book):
    run_build(book)
    before = site_of(book)
    with FileLock(book / "_build/.lock"):
        process = start(book, "--clean")
        assert process.stdout.readline() == "Another build is running; waiting until it ends ...\n"
        assert site_of(book) == before
    assert finish(process) == "exit status 0"
    assert not site_of(book)
    assert not (book / "_build/executed").exists()


def test_the_page_in_the_browser_reloads_when_the_book_changes(book):
    """`make serve`: an edit is built, and the socket of an open page says so; Ctrl-C ends it cleanly."""
    assert finish(start(book)).endswith("exit status 0")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    tool = TOOL.with_name("serve.py")
    server = start(book, "--port", str(port), tool=tool, start_new_session=True)
    try:
        assert f"http://localhost:{port}/" in server.stdout.readline()
        with open_socket(f"ws://127.0.0.1:{port}/websocket-reload") as page:
            edit(book / "book/intro.md", "Welcome", "Hello")
            assert page.recv(timeout=120) == "refresh"
        address = f"http://127.0.0.1:{port}/book/intro.html"
        text = urllib.request.urlopen(address, timeout=30).read().decode()
        assert "Hello" in text
        assert "/websocket-reload" in text
    finally:
        os.killpg(server.pid, signal.SIGINT)
        said = finish(server)
    assert said.endswith("The book is built.\nexit status 0"), said


def open_socket(address):
    """Connect as a page does, as soon as the server listens."""
    for _ in range(200):
        with contextlib.suppress(ConnectionRefusedError):
            return connect(address)
        time.sleep(0.1)
    raise AssertionError("the server does not listen")


def test_make_cleans_before_it_builds():
    """Also side by side, and in whatever order the two are named."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    for goals in (["clean-book", "book"], ["book", "clean-book"]):
        done = subprocess.run(
            ["make", "--dry-run", "-j2", *goals], cwd=ROOT, env=kept, capture_output=True, text=True
        )
        steps = re.findall(r"tools/build\.py (--clean|--workers)", done.stdout)
        assert steps == ["--clean", "--workers"], done.stdout + done.stderr

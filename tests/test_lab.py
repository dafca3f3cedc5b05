"""`make lab`: a copy that the reader may change, and options that reach JupyterLab."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import lab  # noqa: E402


@pytest.fixture
def book(tmp_path):
    """The folder of a tiny book."""
    for name in ("one.ipynb", "deeper/two.ipynb", "page.md", ".hidden/three.ipynb"):
        path = tmp_path / "book" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"first {name}")
    return tmp_path / "book"


def test_the_notebooks_are_copied_and_nothing_else(book, tmp_path):
    assert lab.copy(book, tmp_path / "lab") == []
    copied = {
        str(path.relative_to(tmp_path / "lab")) for path in (tmp_path / "lab").rglob("*") if path.is_file()
    }
    assert copied == {"one.ipynb", "deeper/two.ipynb", lab.RECORD}
    assert (tmp_path / "lab" / "one.ipynb").read_text() == "first one.ipynb"


def test_what_the_reader_changed_stays_and_the_rest_is_renewed(book, tmp_path):
    lab.copy(book, tmp_path / "lab")
    (tmp_path / "lab" / "one.ipynb").write_text("mine")
    for name in ("one.ipynb", "deeper/two.ipynb"):
        (book / name).write_text(f"second {name}")
    for _ in range(2):
        assert lab.copy(book, tmp_path / "lab") == ["one.ipynb"]
        assert (tmp_path / "lab" / "one.ipynb").read_text() == "mine"
        assert (tmp_path / "lab" / "deeper" / "two.ipynb").read_text() == "second deeper/two.ipynb"


def test_a_deleted_copy_comes_back(book, tmp_path):
    lab.copy(book, tmp_path / "lab")
    (tmp_path / "lab" / "one.ipynb").unlink()
    assert lab.copy(book, tmp_path / "lab") == []
    assert (tmp_path / "lab" / "one.ipynb").exists()


def test_a_changed_file_stays_where_the_record_is_lost(book, tmp_path):
    lab.copy(book, tmp_path / "lab")
    (tmp_path / "lab" / lab.RECORD).unlink()
    (tmp_path / "lab" / "one.ipynb").write_text("mine")
    assert lab.copy(book, tmp_path / "lab") == ["one.ipynb"]


@pytest.mark.parametrize(("user", "expected"), [(0, ["--allow-root"]), (1000, [])])
def test_root_is_allowed_and_options_are_passed_on(monkeypatch, user, expected):
    monkeypatch.setattr(os, "geteuid", lambda: user)
    options = ["--no-browser", "--port", "9999"]
    made = lab.command(Path("folder"), options)
    assert made == [sys.executable, "-m", "jupyterlab", *expected, *options, "folder"]

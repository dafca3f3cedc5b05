"""The README's commands for a computer without make, run in a shell, and the links of the root's pages."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]


def commands():
    """The lines of the section on a computer without make, for the shell of this system."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Without make (Windows)\n")[2]
    lines = section.partition("```bat\n")[2].partition("```")[0].splitlines()
    # As the section says: on macOS and Linux the environment's Python is elsewhere.
    return (
        lines
        if os.name == "nt"
        else [line.replace(r".venv\Scripts\python", ".venv/bin/python") for line in lines]
    )


def test_the_commands_name_what_is_there():
    assert len(commands()) == 6
    words = [word.removeprefix("--ignore=") for line in commands() for word in line.split()]
    named = [word for word in words if re.search(r"\w/|\.txt$", word) and not word.startswith(".venv")]
    assert named == ["requirements.txt", "tools/build.py", "tests/browser"]
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_the_links_and_pictures_lead_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)]+)\)", text) if not re.match(r"https?:", target)]
    assert [target for target in targets if not (ROOT / target).exists()] == []


def small_copy(folder):
    """A copy of the project with all its settings, and a small part of its book and tests: one of each."""
    (folder / "tests").mkdir(parents=True)
    for name in ("src", "tools", "book"):
        ignored = shutil.ignore_patterns("*.ipynb", "deeper", "__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for page in (folder / "book").glob("*.md"):
        page.unlink()
    for path in ROOT.iterdir():
        if path.is_file() and path.name != ".git":  # a file in a git worktree
            shutil.copy(path, folder)
    for name in ("conftest.py", "test_data.py"):
        shutil.copy(ROOT / "tests" / name, folder / "tests")
    output = nbformat.v4.new_output("stream", text="(1077, 64)\n")
    source = "from netinit import load_digits\nprint(load_digits().x_train.shape)"
    cell = nbformat.v4.new_code_cell(source, execution_count=1, outputs=[output])
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Digits"), cell])
    nbformat.write(notebook, folder / "book" / "01-digits.ipynb")
    (folder / "book" / "intro.md").write_text("# Start\n", encoding="utf-8")
    contents = "format: jb-book\nroot: book/intro\nchapters: [{file: book/01-digits}]\n"
    (folder / "_toc.yml").write_text(contents, encoding="utf-8")


@pytest.mark.slow
def test_the_commands_work_in_a_shell(tmp_path):
    folder = tmp_path / "project"
    small_copy(folder)
    # `python` is the one that this environment was made from; nothing else of this environment is seen.
    kept = {
        key: os.environ[key]
        for key in ("HOME", "PATH", "SYSTEMROOT", "TEMP", "USERPROFILE")
        if key in os.environ
    }
    kept["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]])
    for line in commands():
        done = subprocess.run(line, shell=True, cwd=folder, env=kept, capture_output=True, text=True)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    page = (folder / "_build" / "html" / "book" / "01-digits.html").read_text(encoding="utf-8")
    assert "(1077, 64)" in page

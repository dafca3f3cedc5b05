"""A course: the student's edition holds no answer in any form, the instructor's holds all of them."""

import base64
import bz2
import io
import re
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from tiny_book import SPHINX_INSIDE

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import make_course  # noqa: E402
import make_portable  # noqa: E402
import nbformat  # noqa: E402
import outgoing  # noqa: E402

pytestmark = SPHINX_INSIDE

ARCHIVE = re.compile(r'find_netinit\("([^"]+)"\)')
LONG = 40  # characters of a line that stands nowhere by chance


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Both editions of the whole book, from the notebooks as they are committed: folder and zip."""
    scratch, target = tmp_path_factory.mktemp("book"), tmp_path_factory.mktemp("course")
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(ROOT / name, scratch)
    shutil.copytree(ROOT / "book", scratch / "book")
    names = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "book").glob("**/[!.]*.ipynb"))
    originals = {name: (ROOT / name).read_bytes() for name in names}
    for edition, made in outgoing.make(scratch, originals, make_course.EDITIONS).items():
        make_portable.put(made, scratch / "new", target / edition, make_course.add_readme)
        make_course.pack(target / edition)
    return target / "course"


def solution_lines():
    """Every long line of every solution that stands neither elsewhere in the book nor in the package."""
    inside, outside = set(), set()
    for path in (ROOT / "src").glob("**/*.py"):
        outside.update(line.strip().removeprefix(">>> ") for line in path.read_text().splitlines())
    for path in (ROOT / "book").glob("**/[!.]*.ipynb"):
        within = False
        for cell in nbformat.read(path, as_version=4).cells:
            for line in cell.source.splitlines():
                within |= "{solution" in line
                (inside if within else outside).add(line.strip())
                within &= "{solution-end}" not in line
    return {line for line in inside - outside if len(line) >= LONG and line.isascii() and "{" not in line}


def lines_of(zipped):
    """Every line of a zip, those of the package in the first cells too."""
    texts, archives = [], set()
    with zipfile.ZipFile(zipped) as files:
        for name in files.namelist():
            text = files.read(name).decode()
            if name.endswith(".ipynb"):
                text = "\n".join(cell.source for cell in nbformat.reads(text, as_version=4).cells)
                archives |= set(ARCHIVE.findall(text))
            texts.append(text)
    (archive,) = archives
    with tarfile.open(fileobj=io.BytesIO(bz2.decompress(base64.b64decode(archive)))) as package:
        members = [package.extractfile(member).read() for member in package if member.isfile()]
    texts += [member.decode("utf-8", "replace") for member in members]
    return {line.strip() for text in texts for line in text.splitlines()}


def test_no_line_of_a_solution_is_in_the_zip_of_the_students(course):
    lines = solution_lines()
    assert len(lines) > 500
    assert lines & lines_of(course / "student.zip") == set()


def test_the_instructor_has_the_solutions(course):
    lines = solution_lines()
    assert len(lines & lines_of(course / "instructor.zip")) > 0.9 * len(lines)


def test_students_get_no_output_and_no_check_of_a_prediction(course):
    for path in course.glob("student/**/*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            assert cell.get("outputs", []) == []
            assert cell.cell_type == "markdown" or not re.search(
                "^assert .*prediction", cell.source, re.MULTILINE
            )


def test_the_zip_holds_what_the_folder_holds(course):
    for edition in ("student", "instructor"):
        folder = course / edition
        with zipfile.ZipFile(folder.with_suffix(".zip")) as packed:
            held = {name.removeprefix("starting-right/"): packed.read(name) for name in packed.namelist()}
        found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        assert held == {name: path.read_bytes() for name, path in found.items()}
        assert {"README.md", "06-he.ipynb", "deeper/06-he.ipynb"} <= held.keys()

"""Write the notebooks of a course to `_build/course/`, with and without the answers: run it as `make course`.

`student/` has no solutions, no answers of predictions and nothing that a cell has shown; `instructor/` has
all of it. Each is a folder and, beside it, the same as a zip to hand out.
"""

import zipfile

import make_portable
import outgoing

EDITIONS = {
    "course/student": outgoing.STUDENT,
    "course/instructor": {},
}
README = """# Starting Right: the notebooks

Open a notebook in JupyterLab, VS Code or Colab and run it from the top.
The first cell brings along `netinit`, the package of the book, and says what else your Python lacks.
You need Python 3.11 or newer with NumPy, Matplotlib and ipywidgets.

Text and figures: CC BY 4.0. Code: MIT.
"""
DAY = (1980, 1, 1, 0, 0, 0)  # the first that a zip can hold: the same notebooks make the same file


def add_readme(folder):
    """Say in the folder how to open what lies in it."""
    (folder / "README.md").write_text(README, encoding="utf-8")


def pack(folder):
    """Write a folder as a zip beside it, which appears when it is whole."""
    unfinished = folder.with_suffix(".zip.part")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(f"starting-right/{path.relative_to(folder).as_posix()}", DAY)
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, path.read_bytes())
    unfinished.replace(folder.with_suffix(".zip"))


if __name__ == "__main__":
    built = make_portable.main(EDITIONS, add=add_readme)
    for edition in EDITIONS:
        pack(built / edition)

"""The pages of the book: Jupyter Book makes them from notebooks with outputs, and they are counted."""

import re
import subprocess
import sys

from executed import code_cells, pictures
from sphinx_external_toc.parsing import parse_toc_yaml

# The name that MyST-NB gives to a picture of a notebook: the SHA-256 of its content.
PICTURE = re.compile(r'<img\b[^>]*\bsrc="[./]*(_images/[0-9a-f]{64}\.\w+)"')
# Sphinx keeps millions of objects alive, and Python's collector at its own thresholds looks through all of
# them again and again. These take a fifth off the time of the pages, more off that of the portable notebooks.
SELDOM = (100_000, 50, 100)
LIVE_FIGURE = '<figure class="live-figure"'  # in a cell of code it would be escaped


def names(root):
    """Every page of the table of contents, as a path below the root without its ending."""
    return [re.sub(r"\.(md|ipynb)$", "", name) for name in parse_toc_yaml(root / "_toc.yml")]


def make(root):
    """Let Jupyter Book build the folder `root`; return the folder of the pages. Any warning is a failure."""
    start = f"import gc; gc.set_threshold{SELDOM}; from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", start, "build"]
    command += ["--all", "-W", "-n", "--keep-going", "-q", str(root)]
    done = subprocess.run(command, capture_output=True, text=True)
    said = (done.stderr if done.returncode == 0 else done.stdout + done.stderr).replace(f"{root}/", "")
    print(said, end="", file=sys.stderr, flush=True)
    if done.returncode:
        raise SystemExit("Jupyter Book failed: see above.")
    return root / "_build" / "html"


def missing(site, pages, notebooks):
    """What the site lacks: a page, or a picture or live figure of a notebook, each in words."""
    lacking = [f"{page}.html was not made" for page in pages if not (site / f"{page}.html").exists()]
    for name, notebook in notebooks.items():
        path = site / name.replace(".ipynb", ".html")
        if path.exists():
            lacking += _missing_figures(site, path.read_text(encoding="utf-8"), name, notebook)
    return lacking


def _missing_figures(site, page, name, notebook):
    outputs = [output for cell in code_cells(notebook) if _is_shown(cell) for output in cell.outputs]
    live = [output for output in outputs if LIVE_FIGURE in _html(output)]
    drawn = len(pictures(outputs)) - len(
        pictures(live)
    )  # the page shows the figure, not its picture for paper
    shown = [image for image in PICTURE.findall(page) if (site / image).exists()]
    found = [(drawn, len(shown), "pictures"), (len(live), page.count(LIVE_FIGURE), "live figures")]
    return [f"{name} has {n} {what}, its page {there}" for n, there, what in found if there < n]


def _is_shown(cell):
    return not {"remove-cell", "remove-output"} & set(cell.metadata.get("tags", []))


def _html(output):
    return output.get("data", {}).get("text/html", "")

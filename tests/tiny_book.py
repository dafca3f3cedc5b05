"""Build a few pages with the book's own extensions: in seconds, in a folder of their own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# For tests that let Sphinx run in their own process: its extensions use what docutils is about to drop.
SPHINX_INSIDE = pytest.mark.filterwarnings(
    "ignore:nodes.Node.traverse",
    "ignore::PendingDeprecationWarning",
    "ignore:.*reduce_op:FutureWarning",  # sphinx-external-toc looks at every object, PyTorch's too
)
CONF = """
import sys
sys.path.insert(0, {extensions!r})
extensions = ["myst_nb", "sphinx_design", "sphinx_exercise"]
extensions += ["predictions", "reading_time", "course_overview", "editions"]
extensions += {more!r}
myst_enable_extensions = ["amsmath", "colon_fence", "dollarmath"]
nb_execution_mode = "off"
html_theme = "basic"
"""


def build(folder, pages, builder="html", options=("-n",), extensions=(), settings=""):
    """Write the pages (name to text; the first is the root) and build them; return folder and warnings.

    `extensions` of the book come on top of those that every tiny book has, `settings` are lines of conf.py.
    """
    source, out = folder / "source", folder / builder
    for name, text in pages.items():
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    root = Path(next(iter(pages))).stem
    conf = CONF.format(extensions=str(ROOT / "book" / "_ext"), more=list(extensions))
    (source / "conf.py").write_text(f"{conf}root_doc = {root!r}\n{settings}")
    command = [sys.executable, "-m", "sphinx", "-q", "-b", builder, *options, source, out]
    environment = os.environ | {"NO_COLOR": "1"}
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, env=environment)
    assert done.returncode in (0, 1), done.stderr
    return out, done.stderr


def text_of(html):
    """Return the words of a piece of HTML, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html)).strip()

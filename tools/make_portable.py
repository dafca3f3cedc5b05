"""Write the portable form of every notebook to `_build/portable/`: run it as `make portable`.

The stated minutes count what a page shows, so Sphinx reads the notebooks with the outputs that `make book`
kept; what was never executed is executed first. A fault leaves what was written last as it was.
"""

import argparse
import importlib.metadata
import os
import tempfile
from pathlib import Path
from types import MappingProxyType

import build
import notebooks
import outgoing
import sources

PORTABLE = MappingProxyType({"portable": MappingProxyType({})})
# What Binder installs for readers: what chapters import, and nothing of the tests and the build.
READERS = ("numpy", "matplotlib", "ipywidgets", "joblib", "tqdm")
PYTHON = "python-3.11"


def main(editions=PORTABLE, *, add=None):
    """Read the command line, then write each edition into its folder; `add` completes what lies there.

    Returns the folder of all editions.
    """
    parser = argparse.ArgumentParser(description="Write the notebooks in the form that runs anywhere.")
    parser.add_argument("--workers", type=int, default=2, help="notebooks executed at a time (default: 2)")
    parser.add_argument("--root", type=Path, default=build.ROOT, help="the folder of _config.yml")
    arguments = parser.parse_args()
    root = arguments.root.resolve()
    folder = root / "_build"
    with notebooks.interruptible(), build.locked(folder), tempfile.TemporaryDirectory(dir=folder) as name:
        scratch, contents = Path(name), sources.read(root)
        sources.write(contents, scratch)
        originals, _ = build.fill(contents, scratch, folder / "executed", arguments.workers)
        for edition, made in outgoing.make(scratch, originals, editions).items():
            put(made, scratch / "new", folder / edition, add)
    return folder


def put(made, aside, target, add):
    """Write notebooks and what `add` adds to them aside, then swap them in."""
    sources.write({str(Path(name).relative_to("book")): text for name, text in made.items()}, aside)
    if add:
        add(aside)
    target.parent.mkdir(exist_ok=True)
    build.restore(target)
    build.swap(aside, target)
    print(f"{len(made)} notebooks: {os.path.relpath(target)}")


def add_binder(folder):
    """Tell Binder what to install: the versions with which the chapters were executed."""
    pins = [f"{name}=={importlib.metadata.version(name)}\n" for name in READERS]
    sources.write({"requirements.txt": "".join(pins).encode(), "runtime.txt": f"{PYTHON}\n".encode()}, folder)


if __name__ == "__main__":
    main(add=add_binder)

"""Write the portable form of every notebook to `_build/portable/`: run it as `make portable`.

The stated minutes count what a page shows, so Sphinx reads the notebooks with the outputs that `make book`
kept; what was never executed is executed first. A fault leaves what was written last as it was.
"""

import argparse
import os
import tempfile
from pathlib import Path

import build
import notebooks
import sources
from portable import Book, Fault, portable


def main():
    """Read the command line, then write the notebooks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=2, help="notebooks executed at a time (default: 2)")
    parser.add_argument("--root", type=Path, default=build.ROOT, help="the folder of _config.yml")
    arguments = parser.parse_args()
    root = arguments.root.resolve()
    folder = root / "_build"
    with notebooks.interruptible(), build.locked(folder), tempfile.TemporaryDirectory(dir=folder) as name:
        scratch = Path(name)
        try:
            write_all(root, scratch, folder, arguments.workers)
        except Fault as fault:
            raise SystemExit(str(fault)) from None


def write_all(root, scratch, folder, workers):
    """Make the notebooks aside, from a copy of the book in `scratch`, and put them in place together."""
    contents = sources.read(root)
    sources.write(contents, scratch)
    originals, _ = build.fill(contents, scratch, folder / "executed", workers)
    with Book(scratch) as book:
        sources.write(originals, scratch)  # the pages are read, and outputs are kept as they are committed
        made = {name: portable(scratch / name, book) for name in originals}
    for name, notebook in made.items():
        path = scratch / "portable" / Path(name).relative_to("book")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(notebooks.to_text(notebook), encoding="utf-8")
    build.restore(folder / "portable")
    build.swap(scratch / "portable", folder / "portable")
    print(f"{len(made)} notebooks: {os.path.relpath(folder / 'portable')}")


if __name__ == "__main__":
    main()

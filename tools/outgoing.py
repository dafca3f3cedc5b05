"""The notebooks that go out: what a page offers for download, what Colab opens, what a course hands out."""

import gc
import json
from pathlib import PurePosixPath

import notebooks
import pages
import sources
from portable import Book, Fault, portable

STUDENT = {"solutions": False, "outputs": False}


def make(root, originals, editions):
    """The portable form of notebooks as text, {edition: {name: text}}, for the options of each edition.

    `root` holds the book with the outputs of its notebooks, because the stated minutes count what a page
    shows; `originals` are the notebooks as they are committed, and come in their place.
    """
    gc.set_threshold(*pages.SELDOM)
    try:
        with Book(root) as book:
            sources.write(originals, root)
            return {
                edition: {
                    name: notebooks.to_text(portable(root / name, book, **options)).encode()
                    for name in originals
                }
                for edition, options in editions.items()
            }
    except Fault as fault:
        raise SystemExit(str(fault)) from None


def beside_pages(made):
    """The files that the download button of a page takes: see book/_static/downloads.js."""
    scripts = {}
    for name, text in made.items():
        saved = json.dumps([PurePosixPath(name).name, text.decode()])
        scripts[f"{name}.js"] = f"saveNotebook(...{saved});\n".encode()
    return made | scripts

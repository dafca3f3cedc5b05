"""Build the book into `_build/html`: execute what changed, make the pages aside, check them, swap them in.

    python tools/build.py            build what is not built yet
    python tools/build.py --clean    remove the built book and the executed notebooks

One build at a time holds the lock; a killed one loses it. Whatever fails leaves the last good site as it was.
The site carries the fingerprint of all that it was made from, so a build with nothing to do ends at once.
"""

import argparse
import functools
import os
import shutil
from pathlib import Path

import executed
import lite
import nbformat
import notebooks
import outgoing
import pages
import sources
import yaml
from filelock import FileLock, Timeout

ROOT = Path(__file__).resolve().parent.parent
STAMP = ".built"


def main():
    """Read the command line, then build or clean."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clean", action="store_true", help="remove the site and the executed notebooks")
    parser.add_argument("--workers", type=int, default=2, help="notebooks executed at a time (default: 2)")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder of _config.yml")
    arguments = parser.parse_args()
    folder = arguments.root.resolve() / "_build"
    with notebooks.interruptible(), locked(folder):
        if arguments.clean:
            clean(folder)
        else:
            build(arguments.root.resolve(), folder, arguments.workers)


def locked(folder):
    """Hold the one lock of the builds, which the system takes back from a process that ends."""
    folder.mkdir(exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        return lock.acquire(blocking=False)
    except Timeout:
        print("Another build is running; waiting until it ends ...", flush=True)
        return lock.acquire()


def clean(folder):
    """Remove what builds have left, so that the next one starts from nothing."""
    made = ("html", "html-student", "portable", "course", "scratch", "executed")
    for name in (*made, *(f"{each}.last" for each in made)):
        shutil.rmtree(folder / name, ignore_errors=True)


def build(root, folder, workers):
    """Bring the site up to date; raises SystemExit where the book has a fault."""
    site, scratch = folder / ("html-student" if is_student() else "html"), folder / "scratch"
    restore(site)
    if os.environ.get("BOOK_LITE"):
        lite.check_distribution()  # at once, not after some minutes
    contents = sources.read(root)
    fingerprint = sources.fingerprint(contents)
    if (site / STAMP).exists() and (site / STAMP).read_text() == fingerprint:
        return
    shutil.rmtree(scratch, ignore_errors=True)  # of a build that was killed
    try:
        sources.write(contents, scratch)
        made = make_site(contents, scratch, folder / "executed", workers)
        (made / STAMP).write_text(fingerprint)
        swap(made, site)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def is_student():
    """Whether the pages are to be without solutions: see book/_ext/editions.py."""
    return os.environ.get("EDITION") == "student"


def make_site(contents, scratch, kept, workers):
    """Build the site from the copy in `scratch`, and from the executed notebooks that are kept."""
    originals, filled = fill(contents, scratch, kept, workers)
    print("Building the pages ...", flush=True)
    site = pages.make(scratch)
    edition = outgoing.STUDENT if is_student() else {}
    made = outgoing.make(scratch, originals, {"": edition})[""]
    sources.write(outgoing.beside_pages(made), site / "_sources")
    if os.environ.get("BOOK_LITE"):
        lite.build(made, site / "lite")
    if lacking := pages.missing(site, pages.names(scratch), filled):
        raise SystemExit("\n".join(lacking))
    return site


def fill(contents, scratch, kept, workers):
    """Put the outputs into the notebooks in `scratch`; return them by name, as they were and filled."""
    notebooks_of_toc = [f"{page}.ipynb" for page in pages.names(scratch) if f"{page}.ipynb" in contents]
    originals = {name: contents[name] for name in notebooks_of_toc}
    filled = execute(originals, contents, scratch, executed.Store(kept), workers)
    sources.write({name: nbformat.writes(each).encode() for name, each in filled.items()}, scratch)
    return originals, filled


def execute(originals, contents, scratch, store, workers):
    """The notebooks with their outputs: from the store, and what is not there is executed first."""
    read = {name: nbformat.reads(text.decode(), as_version=4) for name, text in originals.items()}
    settings = yaml.safe_load(contents["_config.yml"])["execute"]
    keys = {name: executed.key(name, each, contents, settings) for name, each in read.items()}
    run = functools.partial(executed.run, scratch, settings["timeout"])
    wrong = executed.execute_missing(store, read, keys, run, workers)
    if wrong:
        raise SystemExit("\n".join(wrong))
    store.prune(keys.values())
    return {name: store.merge(keys[name], read[name]) for name in read}


def swap(made, site):
    """Put a new site in place of the last one."""
    last = site.with_name(f"{site.name}.last")
    if site.exists():
        site.rename(last)
    made.rename(site)
    shutil.rmtree(last, ignore_errors=True)


def restore(site):
    """Take back the last site, where a build was killed between the two renames of `swap`."""
    last = site.with_name(f"{site.name}.last")
    if last.exists() and not site.exists():
        last.rename(site)
    shutil.rmtree(last, ignore_errors=True)


if __name__ == "__main__":
    main()

"""What a book is made from: its files, read once, and the versions and settings that they meet.

A build works on this copy alone. What is saved while it runs is not in this book, and its fingerprint says
so: the next build differs.
"""

import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import sys
from pathlib import Path

from packaging.requirements import Requirement

FILES = ("_config.yml", "_toc.yml")
FOLDERS = ("book", "src/netinit")
SETTINGS = ("BOOK_ADDRESS", "BOOK_REPOSITORY", "BOOK_LITE", "PYODIDE", "EDITION")  # what the pages depend on
LITE = ("jupyterlite-core", "jupyterlite-pyodide-kernel")


def read(root):
    """The content of every file that the book can depend on, by its path below `root`."""
    names = [*FILES]
    for folder in FOLDERS:
        below = [path.relative_to(root) for path in (root / folder).rglob("*") if path.is_file()]
        names += [path.as_posix() for path in below if not is_by_product(path)]
    return {name: (root / name).read_bytes() for name in sorted(names)}


def is_by_product(path):
    """Whether a path below the root is a cache or hidden: no page depends on it."""
    return any(part.startswith(".") or part == "__pycache__" for part in path.parts)


def write(contents, folder):
    """Lay the files out below a folder."""
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def digest(value):
    """SHA-256 of anything that JSON can hold, in hexadecimal."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def digests(contents):
    """The SHA-256 of each file."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


def fingerprint(contents):
    """One hash of all that the site depends on."""
    here = Path(__file__).parent
    tools = {str(path.relative_to(here)): path.read_bytes() for path in here.rglob("*.py")}
    settings = {name: os.environ.get(name) for name in SETTINGS}
    in_browser = versions(LITE) if os.environ.get("BOOK_LITE") else {}
    return digest([digests(contents), digests(tools), settings, environment(), in_browser])


@functools.cache
def environment():
    """The Python, its packages, and the settings of the BLAS: a result may hang on them."""
    variables = {name: value for name, value in os.environ.items() if name.endswith("_NUM_THREADS")}
    return [sys.version, platform.machine(), variables, versions(["netinit[book]"])]


def versions(requirements):
    """Name and version of every installed package that these need, directly or not.

    Not of all that are installed: a tool that another target brings along changes no page.
    """
    found, waiting = {}, [Requirement(text) for text in requirements]
    while waiting:
        requirement = waiting.pop()
        key = f"{requirement.name.lower()} {sorted(requirement.extras)}"
        if key in found:
            continue
        try:
            distribution = importlib.metadata.distribution(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            found[key] = None
            continue
        found[key] = distribution.version
        needed = [Requirement(text) for text in distribution.requires or ()]
        waiting += [each for each in needed if _applies(each, requirement.extras)]
    return found


def _applies(requirement, extras):
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))

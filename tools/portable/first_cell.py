"""The first cell of a portable notebook: it brings netinit along, inside its own text.

A cell cannot read the notebook that it stands in, so the package is a string in its source: the files of the
wheel, packed as one bzip2 archive, because that is a quarter smaller than the zip that a wheel is.
"""

import base64
import bz2
import functools
import io
import tarfile
import tempfile
import zipfile
from pathlib import Path

import dist

LARGEST = 300_000  # characters; a notebook must stay quick to open
SOURCE = '''\
# @title Run this first: it brings along netinit {version}, the package of the book {{ display-mode: "form" }}
def find_netinit(archive):
    """Unpack netinit where this Python has not the version of this notebook; return the names that lack."""
    import base64, importlib.metadata, importlib.util, io, sys, tarfile, tempfile

    found = next(iter(importlib.metadata.distributions(name="netinit")), None)
    if found is None or found.version != "{version}":
        folder = tempfile.mkdtemp(prefix="netinit-")
        with tarfile.open(fileobj=io.BytesIO(base64.b64decode(archive)), mode="r:bz2") as files:
            files.extractall(folder, **({{"filter": "data"}} if hasattr(tarfile, "data_filter") else {{}}))
        sys.path.insert(0, folder)
        for name in [name for name in sys.modules if name.split(".")[0] == "netinit"]:
            del sys.modules[name]  # another version, if one was imported
        importlib.invalidate_caches()
    return [name for name in {needed!r} if not importlib.util.find_spec(name)]


missing = find_netinit("{archive}")
if missing and __import__("sys").platform == "emscripten":  # in the browser
    try:
        from piplite import install
    except ImportError:
        from micropip import install
    await install(missing)
elif missing:
    raise ModuleNotFoundError(
        f"This notebook needs {{', '.join(missing)}}, which this Python does not have: "
        f"run %pip install {{' '.join(missing)}} in a cell of its own, then run all cells again.")
'''
METADATA = {"cellView": "form", "jupyter": {"source_hidden": True}, "tags": ["hide-cell"]}


@functools.cache
def package(root):
    """Version and files of the wheel that the project in a folder makes: (version, base64 of an archive)."""
    with tempfile.TemporaryDirectory() as scratch:
        wheel = dist.build(root, "wheel", Path(scratch))
        version = wheel.name.split("-")[1]
        with zipfile.ZipFile(wheel) as files:
            contents = {name: files.read(name) for name in files.namelist()}
    return version, base64.b64encode(pack(contents)).decode()


def pack(contents):
    """The files as an archive, the same bytes for the same files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in sorted(contents):
            entry = tarfile.TarInfo(name)
            entry.size = len(contents[name])
            archive.addfile(entry, io.BytesIO(contents[name]))
    return bz2.compress(packed.getvalue())


def source(root, needed):
    """The text of the cell; `needed` are the packages that the notebook imports, besides netinit."""
    version, archive = package(root)
    text = SOURCE.format(version=version, needed=list(needed), archive=archive)
    if len(text) > LARGEST:
        raise SystemExit(
            f"the first cell of a portable notebook has {len(text)} characters, {LARGEST} at most"
        )
    return text

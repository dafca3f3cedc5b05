"""Open the notebooks in JupyterLab: a copy in `_build/lab`, where the reader may change everything.

    python tools/lab.py                              copy what is new, and open it
    python tools/lab.py --no-browser --port 9999     JupyterLab's own options are passed on

A notebook that the reader changed stays as it is, also when the book has a newer one.
"""

import hashlib
import json
import os
import sys
from pathlib import Path

import notebooks

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "_build" / "portable"  # JupyterLab shows their Markdown without an extension
FOLDER = ROOT / "_build" / "lab"
RECORD = ".copied.json"  # the digest of each file as it was copied: what differs from it, the reader changed


def main():
    """Copy, then become JupyterLab, so that Ctrl-C reaches it alone."""
    kept = copy(SOURCE, FOLDER)
    print(f"The notebooks are a copy in {FOLDER}: change what you like.", flush=True)
    if kept:
        print(f"These are yours and stay as they are: {', '.join(kept)}. Delete one to get the book's again.")
    sys.stdout.flush()
    os.execv(sys.executable, command(FOLDER, sys.argv[1:]))


def command(folder, options):
    """The command that opens a folder; JupyterLab refuses to run as root unless it is told to."""
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return [sys.executable, "-m", "jupyterlab", *root, *options, str(folder)]


def copy(source, folder):
    """Copy the notebooks; return the names of those that the reader changed."""
    record = folder / RECORD
    copied = json.loads(record.read_text()) if record.exists() else {}
    kept = []
    for path in notebooks.below(source):
        name, content = path.relative_to(source).as_posix(), path.read_bytes()
        there = folder / name
        if there.exists() and digest(there.read_bytes()) not in (copied.get(name), digest(content)):
            kept.append(name)
            continue
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_bytes(content)
        copied[name] = digest(content)
    record.write_text(json.dumps(copied, indent=1))
    return kept


def digest(content):
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    main()

"""What a release says of itself: `python tools/release.py check` (or `make release-check`), and `... notes`.

check   the version in pyproject.toml, CITATION.cff and CHANGELOG.md is one, and is the tag that is released
notes   print the changelog of this version
"""

import argparse
import os
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def read(name):
    """The text of a file of the project."""
    return (ROOT / name).read_text(encoding="utf-8")


def version():
    """The version that pyproject.toml declares."""
    return tomllib.loads(read("pyproject.toml"))["project"]["version"]


def cited_version():
    """The version that CITATION.cff names."""
    return re.search(r"^version: *['\"]?([^'\"\s]+)", read("CITATION.cff"), re.MULTILINE)[1]


def changes(changelog, released):
    """The part of a changelog below the heading `## [released] - date`, or "" where there is none."""
    heading = rf"^## \[{re.escape(released)}\] - \d{{4}}-\d\d-\d\d\n(.*?)(?=^## |\Z)"
    found = re.search(heading, changelog, re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""


def problems(tag):
    """What stands against releasing a tag, one sentence each."""
    released = version()
    if tag != f"v{released}":
        yield f"the tag is {tag!r}, and pyproject.toml has version {released}: it must be v{released}"
    if cited_version() != released:
        yield f"CITATION.cff has version {cited_version()}, pyproject.toml {released}"
    if not changes(read("CHANGELOG.md"), released):
        yield f"CHANGELOG.md has no changes under a heading `## [{released}] - YYYY-MM-DD`"


def main():
    """Check, or print the notes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["check", "notes"])
    if parser.parse_args().what == "notes":
        print(changes(read("CHANGELOG.md"), version()))
    elif found := list(problems(os.environ.get("GITHUB_REF_NAME", ""))):
        raise SystemExit("\n".join(found))


if __name__ == "__main__":
    main()

"""The sdist, the wheel, their licenses and versions, and what the built site carries of others."""

import fnmatch
import importlib
import re
import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(ROOT / "tools")  # a tool imports its neighbors, as when it is run
    dist, release, slips = (importlib.import_module(name) for name in ("dist", "release", "slips"))


# --- the sdist and the wheel ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of the unpacked sdist, and the names and texts in the wheel."""
    _, unpacked, wheel = dist.build_both(tmp_path_factory.mktemp("built"))
    with zipfile.ZipFile(wheel) as archive:
        return unpacked, {name: archive.read(name) for name in archive.namelist()}


def test_the_sdist_carries_every_file_of_the_project(built):
    unpacked, _ = built
    made = {Path("PKG-INFO")}  # by the builder
    assert set(slips.project_files(unpacked)) == set(slips.project_files(ROOT)) | made


def test_the_wheel_carries_every_file_of_the_package(built):
    _, wheel = built
    package = {
        path.relative_to("src").as_posix() for path in slips.project_files(ROOT) if path.parts[0] == "src"
    }
    assert {name for name in wheel if ".dist-info/" not in name} == package


def test_the_wheel_declares_the_licenses_of_code_and_digits(built):
    _, wheel = built
    (name,) = (name for name in wheel if name.endswith("/METADATA"))
    metadata = Parser().parsestr(wheel[name].decode())
    assert metadata["License-Expression"] == "MIT AND CC-BY-4.0"
    texts = {
        path: wheel[f"{Path(name).parent}/licenses/{path}"].decode()
        for path in metadata.get_all("License-File")
    }
    assert "MIT License" in texts["LICENSE"]
    assert "Attribution 4.0 International" in texts["LICENSE-text"]
    assert "10.24432/C50P49" in texts["src/netinit/digits-license.txt"]
    assert "CC BY 4.0" in wheel["netinit/digits-license.txt"].decode()


# --- versions -------------------------------------------------------------------------------------


def test_the_citation_has_the_version_of_the_package():
    assert release.cited_version() == release.version()


CHANGES = "# Changelog\n\n## [Unreleased]\n\n- a\n\n## [0.2.0] - 2027-01-01\n\n- b\n\n"
CHANGES += "## [0.1.0] - 2026-11-22\n\n- c\n"


def test_the_notes_of_a_release_are_its_part_of_the_changelog():
    assert release.changes(CHANGES, "0.2.0") == "- b"
    assert release.changes(CHANGES, "0.1.0") == "- c"
    assert release.changes(CHANGES, "0.3.0") == ""


def test_the_changelog_has_the_version_of_the_package():
    assert release.changes(release.read("CHANGELOG.md"), release.version())


def test_a_release_needs_one_version_everywhere(monkeypatch):
    texts = {name: release.read(name) for name in ("pyproject.toml", "CITATION.cff", "CHANGELOG.md")}
    monkeypatch.setattr(release, "read", texts.__getitem__)
    version = release.version()
    assert list(release.problems(f"v{version}")) == []
    (told,) = release.problems("v9.9")
    assert told == f"the tag is 'v9.9', and pyproject.toml has version {version}: it must be v{version}"
    texts["pyproject.toml"] = texts["pyproject.toml"].replace(f'version = "{version}"', 'version = "9.9"')
    cited, changed = release.problems("v9.9")
    assert cited == f"CITATION.cff has version {version}, pyproject.toml 9.9"
    assert changed.startswith("CHANGELOG.md has no changes under a heading `## [9.9]")


# --- what is by others ----------------------------------------------------------------------------

LIST = ROOT / "book" / "_extra" / "third-party-licenses.md"
BESIDE_ITS_FILES = {"apache-2.0": "_static/mathjax/license.txt"}


def table(heading):
    """The rows of a table of the list: patterns of files, license, copyright."""
    text = LIST.read_text(encoding="utf-8")
    section = text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")][2:]
    return [
        (re.findall(r"`([^`]+)`", files), terms.strip(), holder.strip()) for _, files, terms, holder in rows
    ]


def covered(name, rows):
    return any(fnmatch.fnmatchcase(name, pattern) for patterns, *_ in rows for pattern in patterns)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The files of a site that is built with the book's settings, of one small page."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(ROOT / "_config.yml", folder)
    for part in (path for path in (ROOT / "book").glob("_*") if path.name != "__pycache__"):
        shutil.copytree(part, folder / "book" / part.name)
    shutil.copy(ROOT / "book" / "references.bib", folder / "book")
    (folder / "book" / "intro.md").write_text("# Page\n\n$x^2$\n")
    (folder / "_toc.yml").write_text("format: jb-book\nroot: book/intro\n")
    command = [
        sys.executable,
        "-c",
        "from jupyter_book.cli.main import main; main()",
        "build",
        "-q",
        str(folder),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    html = folder / "_build" / "html"
    return {path.relative_to(html).as_posix(): path for path in html.rglob("*") if path.is_file()}


def test_every_file_of_others_in_the_site_is_listed(site):
    own = {
        f"_static/{path.relative_to(ROOT / 'book' / '_static').as_posix()}"
        for path in (ROOT / "book" / "_static").rglob("*")
    }
    others = [name for name in site if name.startswith("_static/") and name not in own]
    assert [name for name in others if not covered(name, table("In the built site"))] == []


def test_what_is_listed_is_in_the_site_and_in_the_repository(site):
    files = {path.as_posix() for path in slips.project_files(ROOT)}
    for names, heading in ((site, "In the built site"), (files, "In the repository")):
        patterns = [pattern for patterns, *_ in table(heading) for pattern in patterns]
        assert patterns
        assert [pattern for pattern in patterns if not fnmatch.filter(names, pattern)] == []


def test_the_site_carries_the_text_of_each_license(site):
    for _, terms, holder in table("In the built site"):
        assert holder
        for name in terms.lower().split(" and "):
            text = site[BESIDE_ITS_FILES.get(name, f"licenses/{name}.txt")].read_text(encoding="utf-8")
            title = name.split("-")[0].replace("ofl", "open font license").replace("cc", "attribution 4.0")
            assert title in text.lower()
    assert "third-party-licenses.md" in site


def test_the_license_of_the_text_is_one_in_the_repository_and_in_the_site():
    assert (LIST.parent / "licenses" / "cc-by-4.0.txt").read_bytes() == (ROOT / "LICENSE-text").read_bytes()


# Who says so in a file's own text: "Copyright (c) 2018, pandas", but not a sentence about copyrights.
CLAIM = re.compile(r"(?:copyright (?:\(c\)|©)|©|\(c\)) *(?:\d{4}|by )[^\n]*", re.IGNORECASE)
OUR_OWN = {
    "book/_extra/third-party-licenses.md",
    "tests/test_packaging.py",
}  # they speak of the claims of others


def claims(folder):
    """The files that bear a copyright of others, by their own words."""
    for path in slips.project_files(folder):
        text = (folder / path).read_text(encoding="utf-8", errors="ignore")
        if any("The Starting Right authors" not in claim for claim in CLAIM.findall(text)):
            yield path.as_posix()


def test_no_file_of_the_repository_that_claims_another_author_is_unlisted():
    assert [
        name for name in claims(ROOT) if name not in OUR_OWN and not covered(name, table("In the repository"))
    ] == []


def test_a_claim_is_seen(tmp_path):
    (tmp_path / "a.js").write_text("/* Copyright (c) 2018, Somebody */\n")
    (tmp_path / "b.py").write_text("# Copyright (c) 2026 The Starting Right authors\n# a copyright\n")
    assert list(claims(tmp_path)) == ["a.js"]

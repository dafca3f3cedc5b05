"""The workflows and the form for issues: valid, of least rights, and all they run is in the Makefile."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
GITHUB = ROOT / ".github"
TARGETS = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def tool(name, *arguments):
    """Run a program that lies beside this Python."""
    path = shutil.which(name, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    assert path, f"{name} is not installed: it is in the test extra"
    return subprocess.run([path, *map(str, arguments)], capture_output=True, text=True)


def schema_problem(kind, *paths):
    """What check-jsonschema says of files, or "" where they are valid."""
    done = tool("check-jsonschema", "--builtin-schema", f"vendor.{kind}", *paths)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def audit_problem(folder):
    """What zizmor says of the workflows in a folder, or ""."""
    done = tool("zizmor", "--offline", "--no-progress", folder)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def foreign_steps(workflow):
    """Every `run:` of a workflow that is not one target of the Makefile."""
    steps = [step for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    commands = [step["run"] for step in steps]
    return [
        line for line in commands if not (line.startswith("make ") and line.removeprefix("make ") in TARGETS)
    ]


def unpinned(workflow):
    """Every action of a workflow that is not named by a full commit hash."""
    used = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
    return [name for name in used if not re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", name)]


WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def test_there_are_workflows():
    assert {path.stem for path in WORKFLOWS} == {"test", "book", "newest", "release"}


def test_the_files_are_valid():
    assert schema_problem("github-workflows", *WORKFLOWS) == ""
    assert schema_problem("github-issue-forms", *(GITHUB / "ISSUE_TEMPLATE").glob("*.yml")) == ""
    assert schema_problem("citation-file-format", ROOT / "CITATION.cff") == ""


def test_the_audit_finds_nothing():
    assert audit_problem(GITHUB) == ""


@each_workflow
def test_a_workflow_runs_targets_of_the_makefile_alone(path):
    assert foreign_steps(yaml.safe_load(path.read_text())) == []


@each_workflow
def test_an_action_is_named_by_its_commit(path):
    assert unpinned(yaml.safe_load(path.read_text())) == []


# --- each check fails on a planted fault ----------------------------------------------------------


@pytest.fixture
def planted(tmp_path):
    """A copy of the workflow for tests, with one text replaced by another."""

    def plant(old, new):
        text = (GITHUB / "workflows" / "test.yml").read_text()
        assert old in text
        path = tmp_path / ".github" / "workflows" / "test.yml"
        path.parent.mkdir(parents=True)
        path.write_text(text.replace(old, new))
        return path

    return plant


def test_a_misspelled_key_is_not_valid(planted):
    assert "runs-of" in schema_problem("github-workflows", planted("runs-on:", "runs-of:"))


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("persist-credentials: false", "fetch-depth: 1", "artipacked"),
        ("permissions:\n      contents: read", "permissions: write-all", "excessive-permissions"),
        ("pull_request:", "pull_request_target:", "dangerous-triggers"),
        ("run: make lint", "run: echo ${{ github.event.pull_request.title }}", "template-injection"),
    ],
)
def test_the_audit_names_a_planted_fault(planted, old, new, finding):
    assert finding in audit_problem(planted(old, new))


def test_a_step_that_is_no_target_is_found(planted):
    assert foreign_steps(yaml.safe_load(planted("make lint", "pytest").read_text())) == ["pytest"]
    assert foreign_steps({"jobs": {"a": {"steps": [{"run": "make lnit"}]}}}) == ["make lnit"]


def test_an_action_that_is_named_by_a_tag_is_found():
    named = [{"uses": "actions/checkout@v7"}, {"uses": f"actions/checkout@{'0' * 40}"}]
    assert unpinned({"jobs": {"a": {"steps": named}}}) == ["actions/checkout@v7"]

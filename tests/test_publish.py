"""The branch that Colab and Binder open holds the portable notebooks and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import publish  # noqa: E402


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository of one commit, whose origin is a bare one beside it."""
    monkeypatch.delenv("GH_TOKEN", raising=False)
    origin, here = tmp_path / "origin.git", tmp_path / "here"
    subprocess.run(["git", "init", "-q", "--bare", origin], check=True)
    subprocess.run(["git", "init", "-q", here], check=True)
    (here / "README.md").write_text("source")
    publish.git("remote", "add", "origin", str(origin), folder=here)
    publish.git("add", ".", folder=here)
    publish.git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "one", folder=here)
    return here


def published(repository):
    """The files of the branch, and the number of its commits."""
    origin = repository.parent / "origin.git"
    files = publish.git("ls-tree", "-r", "--name-only", publish.BRANCH, folder=origin).split()
    return files, publish.git("rev-list", "--count", publish.BRANCH, folder=origin)


def test_the_branch_holds_the_notebooks_alone_and_has_no_history(repository, tmp_path):
    notebooks = tmp_path / "portable"
    (notebooks / "deeper").mkdir(parents=True)
    (notebooks / "deeper" / "01-one.ipynb").write_text("{}")
    publish.publish(notebooks, repository)
    assert published(repository) == (["deeper/01-one.ipynb"], "1")
    (notebooks / "02-two.ipynb").write_text("{}")
    publish.publish(notebooks, repository)
    assert published(repository) == (["02-two.ipynb", "deeper/01-one.ipynb"], "1")


def test_what_stands_in_the_way_is_said(repository, tmp_path):
    with pytest.raises(SystemExit, match="run `make portable`"):
        publish.publish(tmp_path / "nowhere", repository)
    (tmp_path / "portable").mkdir()
    with pytest.raises(SystemExit, match=r"commit .*failed"):  # an empty folder
        publish.publish(tmp_path / "portable", repository)

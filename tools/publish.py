"""Push the portable notebooks to the branch `notebooks` of origin: Colab and Binder open them there.

Run it as `make publish-notebooks`, after `make portable`. The branch holds nothing else and has no history.
Where GH_TOKEN is set, GitHub's own program answers for it.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BRANCH = "notebooks"


def git(*arguments, folder):
    """Run git in a folder and return what it prints; a failing one ends the program with it."""
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"git {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def publish(notebooks, repository):
    """Make one commit of a folder and push it to the origin of a repository."""
    if not notebooks.is_dir():
        raise SystemExit("there are no portable notebooks: run `make portable`")
    origin = git("remote", "get-url", "origin", folder=repository)
    made_from = git("rev-parse", "HEAD", folder=repository)
    helper = ["-c", "credential.helper=!gh auth git-credential"] if os.environ.get("GH_TOKEN") else []
    author = ["-c", "user.name=make publish-notebooks", "-c", "user.email=noreply@github.com"]
    with tempfile.TemporaryDirectory() as name:
        folder = shutil.copytree(notebooks, Path(name) / BRANCH)
        git("init", "--quiet", "--initial-branch", BRANCH, folder=folder)
        git("add", "--all", folder=folder)
        git(*author, "commit", "--quiet", "--message", f"The notebooks of {made_from}", folder=folder)
        git(*helper, "push", "--quiet", "--force", origin, BRANCH, folder=folder)


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    publish(ROOT / "_build" / "portable", ROOT)

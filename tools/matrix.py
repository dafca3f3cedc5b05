"""Run the unit tests with several Pythons: `python tools/matrix.py --make make python3.12 python3.13`.

Without names it tries each Python that `pyproject.toml` lists as supported, by its usual name. Each has an
environment of its own in `_build`, made and kept as `.venv` is; one that is not found is named at the end.
"""

import argparse
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLASSIFIER = "Programming Language :: Python :: 3."


def supported():
    """The names under which the supported Pythons are usually found."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = [line for line in project["classifiers"] if line.startswith(CLASSIFIER)]
    return [f"python3.{line.removeprefix(CLASSIFIER)}" for line in listed]


def version(python):
    """The version of an interpreter as "3.12"; None where it does not start."""
    command = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def run_tests(make, python, found, workers):
    """Run the unit tests in the environment of one Python; whether they passed."""
    print(f"== Python {found} ({python})", flush=True)
    options = [f"VENV=_build/python{found}", f"PYTHON={python}", f"WORKERS={workers}"]
    return subprocess.run([make, "--no-print-directory", *options, "unit-tests"], cwd=ROOT).returncode == 0


def main():
    """Run them all, then say what passed, what failed and what was not there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--make", default="make", help="the make to call")
    parser.add_argument("--workers", type=int, default=2, help="tests at a time")
    parser.add_argument("pythons", nargs="*", help="interpreters, by name or path")
    arguments = parser.parse_args()
    results = {}
    for python in arguments.pythons or supported():
        found = version(python)
        passed = found and run_tests(arguments.make, python, found, arguments.workers)
        results[python] = "not found" if found is None else "passed" if passed else "failed"
    print(*(f"{python}: {result}" for python, result in results.items()), sep="\n")
    wrong = {"failed"} if not arguments.pythons else {"failed", "not found"}
    raise SystemExit(1 if wrong & set(results.values()) or "passed" not in results.values() else 0)


if __name__ == "__main__":
    main()

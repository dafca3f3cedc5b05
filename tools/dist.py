"""Build the sdist and the wheel into dist/ and test what a user gets: `python tools/dist.py`, or `make dist`.

The wheel is made from the unpacked sdist, so the sdist is whole. The unit tests then run in the unpacked
sdist, outside the repository, in an environment where netinit is the installed wheel. Nothing reaches dist/
before they pass.
"""

import argparse
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run(*command, folder):
    """Run a command in a folder and return what it prints; a failing one ends the program with it."""
    done = subprocess.run([str(part) for part in command], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"failed: {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def build(source, kind, target):
    """Build the "sdist" or the "wheel" of the project in a folder, and return its path."""
    command = (sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", target)
    run(*command, folder=source)
    (made,) = target.glob("*.tar.gz" if kind == "sdist" else "*.whl")
    return made


def build_both(scratch):
    """The sdist, the folder where it lies unpacked, and the wheel that was made there."""
    sdist = build(ROOT, "sdist", scratch / "dist")
    with tarfile.open(sdist) as archive:
        archive.extractall(scratch, filter="data")
    unpacked = scratch / sdist.name.removesuffix(".tar.gz")
    return sdist, unpacked, build(unpacked, "wheel", scratch / "dist")


def install(wheel, folder):
    """Make an environment that holds the wheel beside the packages of this one, and return its Python."""
    builder = venv.EnvBuilder(with_pip=False)
    builder.create(folder)
    python = builder.ensure_directories(folder).env_exe
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--python", python)
    run(*pip, "install", "--no-deps", "--no-index", wheel, folder=folder)
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", folder=folder))
    # A path in a .pth file brings the packages of that folder, and not what its own .pth files link to: the
    # source of this repository stays out.
    (site / "others.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    found = run(python, "-c", "import netinit; print(netinit.__file__)", folder=folder)
    if not Path(found).is_relative_to(site):
        raise SystemExit(f"the tests would import {found}, not the wheel")
    return python


def main():
    """Build, test, and put both files into dist/."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", default="2", help="how many tests run side by side")
    workers = parser.parse_args().workers
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name).resolve()
        sdist, unpacked, wheel = build_both(scratch)
        python = install(wheel, scratch / "environment")
        print("Unit tests, in the unpacked sdist with the installed wheel ...", flush=True)
        tests = [python, "-m", "pytest", "-q", "-n", workers, "--ignore=tests/browser", "tests"]
        if subprocess.run(tests, cwd=unpacked).returncode:
            raise SystemExit("the tests fail, nothing was put into dist/")
        (ROOT / "dist").mkdir(exist_ok=True)
        for path in (sdist, wheel):
            shutil.copy(path, ROOT / "dist")
            print(f"dist/{path.name}")


if __name__ == "__main__":
    main()

"""Build a JupyterLite site that runs the notebooks in a browser; `tools/build.py` calls it with BOOK_LITE=1.

The site holds the portable notebooks, which bring netinit along, and loads Python itself from Pyodide's own
host. Where the environment variable PYODIDE names the folder of a Pyodide distribution, the site holds a copy
of it instead, and asks no other host.
"""

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

import sources

KERNEL = "@jupyterlite/pyodide-kernel-extension:kernel"
CORE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
LOCK = "pyodide-lock.json"
# What the notebooks import: the distribution must have the first; the others, plain Python, come along.
NEEDED = ("numpy", "matplotlib", "ipywidgets")
ADDED = ("joblib", "tqdm")


def run(*arguments):
    """Run a command quietly; a failing one ends the build with what it printed."""
    done = subprocess.run([sys.executable, "-m", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{arguments[0]} failed:\n{done.stdout}{done.stderr}")


def check_distribution():
    """Raise SystemExit where PYODIDE names a folder that holds no whole Pyodide distribution."""
    folder = os.environ.get("PYODIDE")
    if not folder:
        return
    try:
        packages = json.loads((Path(folder) / LOCK).read_text(encoding="utf-8"))["packages"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"PYODIDE must name the folder of a Pyodide distribution, got {folder}: {error}"
        raise SystemExit(message) from None
    lacking = [name for name in NEEDED if name not in packages]
    files = [*CORE, *(each["file_name"] for each in packages.values())]
    lacking += [name for name in files if not (Path(folder) / name).is_file()]
    if lacking:
        raise SystemExit(f"the Pyodide distribution in {folder} lacks {', '.join(lacking)}")


def add_wheel(name, folder):
    """Pack an installed package of plain Python as the wheel that it was installed from."""
    distribution = importlib.metadata.distribution(name)
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(
        folder / f"{name.replace('-', '_')}-{distribution.version}-py3-none-any.whl", "w"
    ) as wheel:
        for file in distribution.files:
            if file.parts[0] != ".." and "__pycache__" not in file.parts:
                wheel.write(distribution.locate_file(file), file)


def use_local_pyodide(folder, lite):
    """Put a Pyodide distribution into the site; its lock file names the packages, so no index is asked."""
    shutil.copytree(folder, lite / "static" / "pyodide")
    held = json.loads((Path(folder) / LOCK).read_text(encoding="utf-8"))["packages"]
    for key in sources.versions(ADDED):  # with what they need
        if (name := key.split()[0]) not in held:
            add_wheel(name, lite / "pypi")
    settings = {"pyodideUrl": "./static/pyodide/pyodide.mjs", "disablePyPIFallback": True}
    config = {"litePluginSettings": {KERNEL: settings}}
    text = json.dumps({"jupyter-lite-schema-version": 0, "jupyter-config-data": config})
    (lite / "jupyter-lite.json").write_text(text, encoding="utf-8")


def build(notebooks, site):
    """Build the folder `site` from portable notebooks, {name: text}: they bring netinit along."""
    with tempfile.TemporaryDirectory() as scratch:
        build_from(notebooks, Path(scratch), site)


def build_from(notebooks, lite, site):
    """Collect what the site holds in the scratch folder `lite`, and build it."""
    inside = {str(PurePosixPath(name).relative_to("book")): text for name, text in notebooks.items()}
    sources.write(inside, lite / "notebooks")
    if pyodide := os.environ.get("PYODIDE"):
        use_local_pyodide(Path(pyodide), lite)
    options = ["--no-sourcemaps", "--no-unused-shared-packages", "--apps", "notebooks"]
    options += ["--contents", lite / "notebooks"]
    run("jupyter", "lite", "build", "--lite-dir", lite, "--output-dir", site.resolve(), *options)

"""Run portable notebooks where nothing but themselves is: `make portable-check`.

Each is executed in an empty folder, by a Python that has NumPy, Matplotlib, ipywidgets, a kernel and what
they need, and neither this repository nor netinit. A notebook that asks for more by name is run again with
that.
The text that a cell prints must be what is stored.
"""

import argparse
import functools
import importlib.metadata
import os
import re
import sys
import sysconfig
import tempfile
import time
import venv
from pathlib import Path

import nbformat
import notebooks
import sources
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parent.parent
ALWAYS = ("numpy", "matplotlib", "ipywidgets", "ipykernel")
ASKS = re.compile(r"This notebook needs (.*), which this Python does not have")
DROPPED = ("PYTHONPATH", "PYTHONHOME", "MPLBACKEND", "IPYTHONDIR", "MPLCONFIGDIR", "PYTHONWARNINGS")


def environment(folder, packages):
    """Make an environment of links to these installed packages and what they need; return its Python."""
    builder = venv.EnvBuilder(with_pip=False)
    builder.create(folder)
    python = builder.ensure_directories(folder).env_exe
    site = Path(sysconfig.get_path("purelib", "venv", vars={"base": str(folder), "platbase": str(folder)}))
    for key in sources.versions(packages):
        for part in installed_parts(key.split()[0]):
            if not (site / part.name).exists():
                (site / part.name).symlink_to(part)
    return python


def installed_parts(name):
    """The files and folders of a package right below site-packages; none where a marker left it out."""
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return set()
    tops = {file.parts[0] for file in distribution.files or () if file.parts[0] not in ("..", "__pycache__")}
    return {Path(distribution.locate_file(top)) for top in tops}


def run(notebook, python):
    """Execute a notebook in an empty folder with a kernel of this Python; raises CellExecutionError."""
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        client = NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources)
        client.create_kernel_manager().kernel_spec.argv[0] = python
        kept = {name: value for name, value in os.environ.items() if name not in DROPPED}
        client.execute(env=kept | {"PYTHONNOUSERSITE": "1", "HOME": folder})


def check(path, make_environment):
    """Run a portable notebook; return what is wrong with it, or ""."""
    stored, packages = nbformat.read(path, as_version=4), ALWAYS
    while True:
        notebook = nbformat.read(path, as_version=4)
        try:
            run(notebook, make_environment(packages))
        except CellExecutionError as error:
            asked = ASKS.match(error.evalue)
            if not asked or packages != ALWAYS:
                return str(error)
            print(f"    asks for {asked[1]}")
            packages = (*ALWAYS, *asked[1].split(", "))
        else:
            return differences(stored, notebook)


def differences(stored, notebook):
    """The cells that print something else than what is stored, in words."""
    found = []
    for before, after in zip(stored.cells, notebook.cells, strict=True):
        if after.cell_type == "code" and notebooks.IGNORED not in after.metadata.get("tags", []):
            count = before.execution_count
            if notebooks.normal_outputs(after, count) != before.outputs:
                found.append(f"prints something else than what is stored:\n{after.source}")
    return "\n".join(found)


def main():
    """Read the command line, run the notebooks, and say which failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all of _build/portable")
    paths = parser.parse_args().notebooks or notebooks.below(ROOT / "_build" / "portable")
    if not paths:
        raise SystemExit("there are no portable notebooks: run `make portable`")
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        made = functools.cache(lambda packages: environment(Path(scratch) / "-".join(packages), packages))
        for path in paths:
            started = time.monotonic()
            if fault := check(path, made):
                wrong += 1
            said = fault or f"{time.monotonic() - started:.0f} s"
            print(f"  {path.parent.name}/{path.name}: {said}", flush=True)
    sys.exit(f"{wrong} of {len(paths)} portable notebooks fail" if wrong else 0)


if __name__ == "__main__":
    main()

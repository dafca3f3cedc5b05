"""Executed notebooks, kept under a key of everything that can change their output.

`_build/executed/<key>.ipynb` is written aside and renamed, so what lies there is whole. Nobody has to decide
whether it is stale: an edit of a code cell, of netinit, of a record or of a setting, or another version of a
package asks for another key. Prose is not part of it.
"""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import nbformat
import sources
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from notebooks import IGNORED, interruptible, replace

# Each would change what a kernel shows, or which netinit it imports.
DROPPED_VARIABLES = ("MPLBACKEND", "MATPLOTLIBRC", "PYTHONPATH", "PYTHONWARNINGS", "PYTHONSTARTUP")
PACKAGE = "src/netinit/"  # what every notebook can import and read, the records of long runs included
FAILURES = (CellExecutionError, CellTimeoutError, DeadKernelError)


class Flaw(ValueError):
    """A notebook raises, writes to stderr, or shows no picture where it drew one."""


def key(name, notebook, contents, execute):
    """The hash of all that can change the outputs of a notebook; `execute` is that part of the settings."""
    cells = [[cell.source, cell.metadata.get("tags")] for cell in code_cells(notebook)]
    shared = {path: content for path, content in contents.items() if path.startswith(PACKAGE)}
    method = sources.digests({"method": Path(__file__).read_bytes()})
    return sources.digest([name, cells, sources.digests(shared), method, execute, sources.environment()])


def code_cells(notebook):
    """The cells that are executed."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


class Store:
    """The folder of the executed notebooks."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._times = folder / "seconds.json"

    def path(self, key):
        """Where the result with this key lies, if there is one."""
        return self.folder / f"{key}.ipynb"

    def keep(self, key, name, notebook, seconds):
        """Add a result, and how long it took."""
        replace(self._times, json.dumps(self.seconds() | {name: seconds}, indent=1))
        replace(self.path(key), nbformat.writes(notebook))

    def seconds(self):
        """What each notebook took when it was last executed, by its name."""
        return json.loads(self._times.read_text()) if self._times.exists() else {}

    def prune(self, keys):
        """Drop the results that the book no longer uses."""
        for path in self.folder.glob("*.ipynb"):
            if path.stem not in keys:
                path.unlink()

    def merge(self, key, notebook):
        """Put the outputs with this key into a notebook, whose prose may be another by now."""
        executed = nbformat.read(self.path(key), as_version=4)
        notebook.metadata.language_info = executed.metadata.language_info
        for cell, filled in zip(code_cells(notebook), code_cells(executed), strict=True):
            cell.outputs, cell.execution_count = filled.outputs, filled.execution_count
        return notebook


def execute_missing(store, notebooks, keys, run_one, workers):
    """Execute the notebooks whose results are missing, the longest first; return what is wrong with them."""
    missing = [name for name in notebooks if not store.path(keys[name]).exists()]
    known = store.seconds()
    missing.sort(key=lambda name: known.get(name, float("inf")), reverse=True)
    if missing:
        print(f"Executing {len(missing)} of {len(notebooks)} notebooks, {workers} at a time ...", flush=True)
    wrong = []
    with ThreadPoolExecutor(workers) as pool, interruptible():
        jobs = {pool.submit(run_one, name, notebooks[name]): name for name in missing}
        for job in as_completed(jobs):
            name = jobs[job]
            try:
                executed, seconds = job.result()
            except Flaw as flaw:
                wrong.append(f"{name}, {flaw}")
                print(f"  {name}: failed", flush=True)
            else:
                store.keep(keys[name], name, executed, seconds)
                print(f"  {name}: {seconds:.0f} s", flush=True)
    return wrong


def run(root, timeout, name, notebook):
    """Execute a notebook in a new kernel, in its own folder; return it with the seconds that it took."""
    started, reached = time.monotonic(), []

    def note(cell, cell_index):
        if cell.cell_type == "code":
            reached.append(cell_index)

    client = NotebookClient(
        notebook,
        timeout=timeout,
        coalesce_streams=True,  # where a stream is cut in two depends on timing
        kernel_name="python3",
        resources={"metadata": {"path": str((root / name).parent)}},
        on_cell_start=note,
    )
    try:
        client.execute(env=kernel_environment(root))
    except FAILURES as error:
        raise Flaw(f"code cell {len(reached)}: {error}") from None
    for number, cell in enumerate(code_cells(notebook), 1):
        if reason := flaw_of(cell):
            raise Flaw(f"code cell {number} {reason}\n\n{cell.source}")
    return notebook, time.monotonic() - started


def kernel_environment(root):
    """The variables of a kernel: it imports the netinit that was read for this build."""
    kept = {name: value for name, value in os.environ.items() if name not in DROPPED_VARIABLES}
    # Live figures end up in a page without a kernel: netinit.widgets then adds every frame.
    return kept | {"PYTHONPATH": str(root / "src"), "NETINIT_STATIC_FIGURES": "1"}


def flaw_of(cell):
    """Why the outputs of an executed cell do not belong into a page, or None."""
    for output in cell.outputs:
        if output.get("name") == "stderr" and IGNORED not in cell.metadata.get("tags", []):
            return f"writes to stderr: is that a warning, or a progress bar?\n\n{output.text}"
        data = output.get("data", {})
        if data.get("text/plain", "").startswith("<Figure size") and not pictures([output]):
            return "shows a figure without a picture: is another backend of Matplotlib chosen?"
    return None


def pictures(outputs):
    """The outputs that are pictures."""
    return [each for each in outputs if any(kind.startswith("image/") for kind in each.get("data", {}))]

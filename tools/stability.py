"""Would the notebooks print the same on another machine? Execute them with a rounding error planted.

    python tools/stability.py                                every notebook of the book, five times
    python tools/stability.py --runs 20 book/05-xavier.ipynb    only this one, twenty times

Another processor adds the same numbers in another order, so that last digits differ, and training carries
the difference away: some epochs later it is another run. Here each output of a `Linear` layer moves by one
rounding or none, by another rule in each run, which has a like effect on this machine. A cell whose text
changes, or that raises, can fail strict nbval elsewhere: print fewer digits, a median, or a comparison with
more room.
"""

import argparse
import difflib
import itertools
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nbformat
from notebooks import UnstableOutput, label, named, normal_outputs, run_cells

# Executed before the first cell. The direction is a hash of the number itself: units that are equal, as after
# a constant start, stay equal, as on any machine.
PLANT = """
def _plant(seed):
    import numpy as np
    from netinit import Linear

    forward = Linear.forward

    def moved(self, x):
        y = forward(self, x)
        bits = np.abs(y).view(f"u{y.itemsize}")
        golden = 0x9E3779B97F4A7C15 >> (64 - 8 * y.itemsize)  # of Fibonacci hashing
        hashed = (bits ^ bits.dtype.type(seed)) * bits.dtype.type(golden)
        roundings = (hashed >> (8 * y.itemsize - 2)) % 3 - 1.0  # -1, 0 or 1
        return y * (1 + np.finfo(y.dtype).eps * roundings).astype(y.dtype)

    Linear.forward = moved

_plant(SEED)
"""


def changed_cells(path, seed):
    """Number, stored text and new text of each code cell that prints something else, numbered as by nbval."""
    notebook = nbformat.read(path, as_version=4)
    stored = texts(notebook)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(PLANT.replace("SEED", str(seed))))
    run_cells(notebook, path.parent, allow_errors=True)
    del notebook.cells[0]
    pairs = enumerate(zip(stored, texts(notebook), strict=True))
    return [(number, old, new) for number, (old, new) in pairs if old != new]


def texts(notebook):
    """What nbval compares of each code cell; of one that raises, the name of the exception."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [_text(cell, number) for number, cell in enumerate(cells)]


def _text(cell, number):
    try:
        outputs = normal_outputs(cell, number)
    except UnstableOutput as error:
        return str(error).splitlines()[0]
    return "".join(output.get("text") or "\n".join(output.data.values()) for output in outputs)


def report(path, seed, number, old, new):
    """Print the lines that changed."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), n=0, lineterm="")
    print(f"{label(path)}, cell {number}, run {seed}", *list(lines)[2:], sep="\n  ", flush=True)


def main():
    """Execute, print what changed, and fail if anything did."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="draws of the rounding errors (default: 5)")
    parser.add_argument("--workers", type=int, default=2, help="notebooks executed at a time (default: 2)")
    parser.add_argument("notebooks", nargs="*", type=Path, help="the notebooks (default: all of book/)")
    arguments = parser.parse_args()
    if arguments.runs < 1:
        parser.error(f"--runs must be at least 1, got {arguments.runs}")
    jobs = list(itertools.product(named(arguments.notebooks), range(arguments.runs)))
    found = 0
    with ProcessPoolExecutor(arguments.workers) as pool:
        for job, future in [(job, pool.submit(changed_cells, *job)) for job in jobs]:
            for cell in future.result():
                found += 1
                report(*job, *cell)
    print(f"{len(jobs)} executions, {found} texts changed")
    raise SystemExit(1 if found else 0)


if __name__ == "__main__":
    main()

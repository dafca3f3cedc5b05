"""A sweep as a command: its rows are printed, and written as a record that a chapter shows."""

import argparse
import datetime
import json
import platform
from pathlib import Path

import numpy as np

from netinit import sweep


def main(run, grid, settings, *, name, description):
    """Read the command line, sweep, print each row, and write the record `name` if asked to."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--jobs", type=int, default=1, help="processes (default: 1)")
    parser.add_argument("--record", type=Path, help="where the JSON goes (default: it is only printed)")
    arguments = parser.parse_args()
    rows = sweep(run, grid, n_jobs=arguments.jobs)
    for row in rows:
        print(*row.values())
    if arguments.record:
        arguments.record.write_text(record(rows, settings, name), encoding="utf-8")


def record(rows, settings, name):
    """The rows as JSON, one a line, below the settings and what made them."""
    head = {
        "command": f"python -m benchmarks.{name.replace('-', '_')} --record src/netinit/records/{name}.json",
        **settings,
        "date": datetime.date.today().isoformat(),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
    lines = ",\n".join(json.dumps(row) for row in rows)
    return f'{json.dumps(head, indent=1)[:-2]},\n "runs": [\n{lines}\n]}}\n'

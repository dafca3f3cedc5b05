"""The best learning rate of Adam by width, with one rate for all layers and with the rates of muP.

`python -m benchmarks.mup_widths --record src/netinit/records/mup-widths.json` runs it, some minutes on
one core, and writes the record that the chapter on modern recipes shows.
"""

import argparse
import datetime
import json
import platform
from pathlib import Path

import numpy as np

from netinit import Adam, Linear, compare, he_normal, initialize, load_digits, mlp, sweep

BASE = 64
GRID = {
    "width": [64, 128, 256, 512, 1024, 2048],
    "scheme": ["standard", "muP"],
    "lr": [0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064],
}
SETTINGS = {"epochs": 2, "batch_size": 64}


def network(width, scheme):
    """A function from a Generator to a fresh ReLU network; at BASE both schemes are the same network."""

    def build(rng):
        model = initialize(mlp([64, width, width, 10]), he_normal, rng)
        _, hidden, last = (layer for layer in model if isinstance(layer, Linear))
        if scheme == "muP":
            hidden.weight.lr_scale = last.weight.lr_scale = BASE / width
            last.weight.value *= np.float32((BASE / width) ** 0.5)
        return model

    return build


def run(width, scheme, lr):
    """The training losses of five seeds after the last epoch, sorted; a diverged one counts as 100."""
    runs = compare(
        {"": network(width, scheme)},
        load_digits(),
        seeds=range(5),
        optimizer=lambda p: Adam(p, lr),
        **SETTINGS,
    )[""]
    losses = np.nan_to_num([r.history.train_loss[-1] for r in runs], nan=100, posinf=100)
    return {"loss": sorted(round(min(float(loss), 100.0), 4) for loss in losses)}


def main():
    """Run the sweep, print it as a table and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=1, help="processes (default: 1)")
    parser.add_argument("--record", type=Path, help="where the JSON goes (default: it is only printed)")
    arguments = parser.parse_args()
    rows = sweep(run, GRID, n_jobs=arguments.jobs)
    record = {
        "command": "python -m benchmarks.mup_widths --record src/netinit/records/mup-widths.json",
        **SETTINGS,
        "date": datetime.date.today().isoformat(),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
    for row in rows:
        print(*row.values())
    if arguments.record:
        lines = ",\n".join(json.dumps(row) for row in rows)
        head = json.dumps(record, indent=1)[:-2]
        arguments.record.write_text(f'{head},\n "runs": [\n{lines}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()

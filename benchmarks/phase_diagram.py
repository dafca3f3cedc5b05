"""Where deep tanh networks learn: the digits over the plane of weight and bias variance, three depths.

`python -m benchmarks.phase_diagram --record src/netinit/records/phase-diagram.json` runs it, some minutes
on one core, and writes the record that the chapter on mean-field theory shows. Each point has its own
learning rate, the best of RATES on the validation images with another seed; five seeds are then trained and
recorded.
"""

import argparse
import datetime
import json
import platform
from functools import partial
from pathlib import Path

import numpy as np

from netinit import (
    SGD,
    choose_learning_rate,
    compare,
    initialize,
    load_digits,
    mlp,
    normal,
    sweep,
    variance_scaling,
)

GRID = {
    "depth": [10, 30, 60],
    "bias_variance": [0.0, 0.05, 0.15, 0.3],
    "weight_variance": [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0],
}
RATES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0]
WIDTH, SETTINGS = 64, {"epochs": 6, "batch_size": 50}


def network(depth, bias_variance, weight_variance):
    """A function from a Generator to a fresh tanh network at that point of the plane."""
    weights = partial(variance_scaling, scale=weight_variance)
    biases = partial(normal, std=bias_variance**0.5)
    sizes = [64] + [WIDTH] * (depth - 1) + [10]
    return lambda rng: initialize(mlp(sizes, "tanh"), weights, rng, bias=biases)


def run(depth, bias_variance, weight_variance):
    """Choose the rate, train five seeds; returns the rate and the sorted validation accuracies."""
    build, digits = network(depth, bias_variance, weight_variance), load_digits()
    lr = choose_learning_rate(build, digits, candidates=RATES, seeds=[10], optimizer=SGD, **SETTINGS)
    runs = compare({"": build}, digits, seeds=range(5), optimizer=lambda p: SGD(p, lr), **SETTINGS)[""]
    accuracies = sorted(r.history.validation_accuracy[-1] for r in runs)
    return {"lr": lr, "accuracy": [round(a, 3) for a in accuracies]}


def main():
    """Run the sweep, print it as a table and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=1, help="processes (default: 1)")
    parser.add_argument("--record", type=Path, help="where the JSON goes (default: it is only printed)")
    arguments = parser.parse_args()
    rows = sweep(run, GRID, n_jobs=arguments.jobs)
    record = {
        "command": "python -m benchmarks.phase_diagram --record src/netinit/records/phase-diagram.json",
        "width": WIDTH,
        **SETTINGS,
        "rates": RATES,
        "date": datetime.date.today().isoformat(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "runs": rows,
    }
    for row in rows:
        print(*(f"{row[name]:7}" for name in GRID), f"{row['lr']:7}", row["accuracy"])
    if arguments.record:
        lines = ",\n".join(json.dumps(row) for row in rows)
        head = json.dumps({k: v for k, v in record.items() if k != "runs"}, indent=1)[:-2]
        arguments.record.write_text(f'{head},\n "runs": [\n{lines}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()

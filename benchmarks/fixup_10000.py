"""Fixup at full depth: 10,000 residual blocks of width 16 on the digits.

`make fixup-10000` runs it alone and writes src/netinit/records/fixup-10000.json, which the chapter on
Fixup shows.
"""

import argparse
import datetime
import json
import os
import platform
import resource
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.timing import at_least, at_most
from netinit import Momentum, evaluate, fixup, load_digits, residual_mlp, softmax_cross_entropy

BLOCKS, LR = 10_000, 0.02
LEAST_ACCURACY, MOST = 0.95, {"seconds": 60, "peak_mb": 800, "times_a_tenth": 11}  # for BLOCKS blocks
WIDTH, BATCH, STEPS = 16, 100, 84  # nothing is chosen, so the validation images are trained on too


def minibatches(x, y, rng):
    """Endless full minibatches, in a new order each epoch."""
    while True:
        order = rng.permutation(len(x))
        for start in range(0, len(x) - BATCH + 1, BATCH):
            rows = order[start : start + BATCH]
            yield x[rows], y[rows]


def train(model, batches, lr):
    """STEPS steps of momentum SGD; returns the last training loss."""
    optimizer = Momentum(model.parameters(), lr, momentum=0.9)
    for _ in range(STEPS):
        x, y = next(batches)
        loss, grad = softmax_cross_entropy(model(x), y)
        optimizer.zero_grad()
        model.backward(grad)
        optimizer.step()
    return loss


def peak_mb():
    """The largest memory of this process so far, in MB; Linux counts in kB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def run(blocks, lr):
    """Build, initialize, train and test; returns the record."""
    data, (weights_rng, order_rng) = load_digits(), np.random.default_rng(0).spawn(2)
    x = np.concatenate([data.x_train, data.x_validation])
    y = np.concatenate([data.y_train, data.y_validation])
    start = time.perf_counter()
    model = fixup(residual_mlp(64, WIDTH, blocks, 10, fixup=True), weights_rng)
    loss = train(model, minibatches(x, y, order_rng), lr)
    seconds = time.perf_counter() - start
    test_loss, test_accuracy = evaluate(model, data.x_test, data.y_test)
    return {
        "blocks": blocks,
        "width": WIDTH,
        "parameters": sum(p.value.size for p in model.parameters()),
        "lr": lr,
        "batch": BATCH,
        "steps": STEPS,
        "last_training_loss": round(loss, 4),
        "test_loss": round(test_loss, 4),
        "test_accuracy": round(test_accuracy, 4),
        "seconds": round(seconds, 1),
        "peak_mb": round(peak_mb()),
        "date": datetime.date.today().isoformat(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def main():
    """Run a tenth of the depth before and after the whole, print the record and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--blocks", type=int, default=BLOCKS, help=f"residual blocks (default: {BLOCKS})")
    parser.add_argument("--lr", type=float, default=LR, help=f"learning rate (default: {LR})")
    parser.add_argument("--record", type=Path, help="where the JSON goes (default: it is only printed)")
    arguments = parser.parse_args()
    shallow = [run(arguments.blocks // 10, arguments.lr)["seconds"]]
    record = run(arguments.blocks, arguments.lr)
    shallow.append(run(arguments.blocks // 10, arguments.lr)["seconds"])
    record["times_a_tenth"] = round(record["seconds"] / np.mean(shallow), 1)
    text = json.dumps(record, indent=2)
    print(text)
    if arguments.blocks == BLOCKS:
        print_verdicts(record)
    if arguments.record:
        arguments.record.write_text(text + "\n", encoding="utf-8")


def print_verdicts(record):
    """Each figure that has a bound beside it."""
    accuracy = record["test_accuracy"]
    print(f"test_accuracy {accuracy} {at_least(accuracy, LEAST_ACCURACY)}")
    for name, bound in MOST.items():
        print(f"{name} {record[name]} {at_most(record[name], bound)}")


if __name__ == "__main__":
    main()

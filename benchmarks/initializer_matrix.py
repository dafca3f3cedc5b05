"""The matrix of chapter 12: initializer x activation x depth x optimizer on the digits, and a convnet.

`make initializer-matrix` sweeps all cells and writes src/netinit/records/initializer-matrix.json, which the
chapter on choosing an initializer shows. Each cell has a learning rate of its own, chosen on the validation
images with other seeds. `python -m benchmarks.initializer_matrix --depths 2` runs a part.
"""

import argparse
import datetime
import json
import platform
from pathlib import Path

import numpy as np

from netinit import (
    SGD,
    Activation,
    Adam,
    Conv2d,
    Flatten,
    Linear,
    Momentum,
    Sequential,
    choose_learning_rate,
    compare,
    delta_orthogonal,
    evaluate,
    gain,
    he_normal,
    initialize,
    load_digits,
    lsuv,
    mlp,
    orthogonal,
    sweep,
    variance_scaling,
    xavier_normal,
)

WIDTH, EPOCHS, BATCH = 64, 8, 50
TEST_SEEDS, RATE_SEEDS = [0, 1, 2, 3, 4], [100, 101]
ACTIVATIONS, DEPTHS = ["relu", "tanh", "silu", "sigmoid"], [2, 6, 18]
# Six rates, each about six times the one before: so wide that no cell that learns chooses the first or last.
OPTIMIZERS = {
    "SGD": (SGD, [0.003, 0.02, 0.1, 0.6, 4, 25]),
    "Adam": (Adam, [0.00005, 0.0003, 0.002, 0.01, 0.06, 0.3]),
}
DATA = load_digits()


def pytorch_default(shape, rng, *, dtype=np.float32):
    """What `torch.nn.Linear` draws: uniform, a variance of 1 / (3 n_in)."""
    return variance_scaling(shape, rng, scale=1 / 3, distribution="uniform", dtype=dtype)


def with_gain(draw, activation):
    """An initializer whose scale is made for an activation; tanh's orthogonal matrices keep their scale."""
    g = gain(activation)
    if draw == "gain":
        return lambda shape, rng, **kw: variance_scaling(shape, rng, scale=g**2, **kw)
    return lambda shape, rng, **kw: orthogonal(shape, rng, gain=1 if activation == "tanh" else g, **kw)


def start(model, initializer, activation, rng):
    """Fill a model by the initializer of that name in the matrix."""
    if initializer == "LSUV":
        lsuv(model, DATA.x_train[:256], rng)
        return model
    names = {"std 0.01": "normal", "Xavier": "xavier_normal", "He": "he_normal"}
    names |= {"PyTorch default": pytorch_default}
    draw = names.get(initializer) or with_gain(initializer, activation)
    return initialize(model, draw, rng)


INITIALIZERS = ["std 0.01", "PyTorch default", "Xavier", "He", "gain", "orthogonal", "LSUV"]


def cell(initializer, activation, depth, optimizer):
    """One cell: choose its rate on the validation images, train five networks, and test them."""
    make, rates = OPTIMIZERS[optimizer]
    budget = {"epochs": EPOCHS, "batch_size": BATCH}

    def build(rng):
        return start(mlp([64] + [WIDTH] * depth + [10], activation), initializer, activation, rng)

    lr = choose_learning_rate(build, DATA, candidates=rates, seeds=RATE_SEEDS, optimizer=make, **budget)
    runs = compare({"": build}, DATA, seeds=TEST_SEEDS, optimizer=lambda p: make(p, lr), **budget)[""]
    accuracy = [evaluate(run.model, DATA.x_test, DATA.y_test)[1] for run in runs]
    epochs = [run.history.epochs_to(0.9) for run in runs]
    return {"lr": lr, "test_accuracy": [round(a, 3) for a in accuracy], "epochs_to_90": epochs}


def kernels(draw):
    """Kernels from `draw` with He's gain, the last, dense matrix from Xavier."""
    return lambda shape, rng, **kw: (
        draw(shape, rng, gain=2**0.5, **kw) if len(shape) == 4 else xavier_normal(shape, rng, **kw)
    )


KERNELS = {
    "PyTorch default": pytorch_default,
    "He": he_normal,
    "orthogonal": kernels(orthogonal),
    "delta-orthogonal": kernels(delta_orthogonal),
}


def convolutions(scheme):
    """The rate of a convolutional network: six ReLU layers of eight channels on 4 x 4 maps, momentum."""
    images = {f"x_{part}": getattr(DATA, f"x_{part}").reshape(-1, 8, 8, 1) for part in PARTS}
    budget = {"epochs": 3, "batch_size": BATCH}

    def build(rng):
        layers = [Conv2d(1, 8, stride=2), Activation("relu")]
        for _ in range(5):
            layers += [Conv2d(8, 8), Activation("relu")]
        return initialize(Sequential(*layers, Flatten(), Linear(128, 10)), KERNELS[scheme], rng)

    data = DATA._replace(**images)
    lr = choose_learning_rate(build, data, candidates=RATES, seeds=RATE_SEEDS, optimizer=Momentum, **budget)
    return {"lr": lr}


PARTS, RATES = ("train", "validation", "test"), [0.001, 0.004, 0.016, 0.064, 0.25, 1]


def main():
    """Sweep the matrix, or a part, and write it where asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--depths", type=int, nargs="+", default=DEPTHS, help="hidden layers (default: all)")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default: 1)")
    parser.add_argument("--record", type=Path, help="where the JSON goes (default: it is only printed)")
    arguments = parser.parse_args()
    grid = {
        "initializer": INITIALIZERS,
        "activation": ACTIVATIONS,
        "depth": arguments.depths,
        "optimizer": list(OPTIMIZERS),
    }
    cells = sweep(cell, grid, n_jobs=arguments.jobs)
    kernels = sweep(convolutions, {"scheme": list(KERNELS)}, n_jobs=arguments.jobs)
    text = record(cells, kernels)
    print(text if arguments.record is None else f"{len(cells)} cells")
    if arguments.record:
        arguments.record.write_text(text, encoding="utf-8")


def record(cells, kernels):
    """The cells as JSON, one a line, below the settings."""
    head = {
        "date": datetime.date.today().isoformat(),
        "command": "make initializer-matrix",
        "width": WIDTH,
        "epochs": EPOCHS,
        "batch": BATCH,
        **{f"rates_{name}": rates for name, (_, rates) in OPTIMIZERS.items()},
        "rates_convolutions": RATES,
        "convolutions": {line["scheme"]: line["lr"] for line in kernels},
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
    heads = [f'  "{name}": {json.dumps(value)}' for name, value in head.items()]
    lines = ",\n".join(f"    {json.dumps(line)}" for line in cells)
    return "{\n" + ",\n".join(heads) + ',\n  "cells": [\n' + lines + "\n  ]\n}\n"


if __name__ == "__main__":
    main()

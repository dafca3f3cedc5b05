"""Where deep tanh networks learn: the digits over the plane of weight and bias variance, three depths.

`python -m benchmarks.phase_diagram --record src/netinit/records/phase-diagram.json` runs it, some minutes
on one core, and writes the record that the chapter on mean-field theory shows. Each point has its own
learning rate, the best of RATES on the validation images with another seed; five seeds are then trained and
recorded.
"""

from functools import partial

from benchmarks import recorded_sweep
from netinit import (
    SGD,
    choose_learning_rate,
    compare,
    initialize,
    load_digits,
    mlp,
    normal,
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


if __name__ == "__main__":
    settings = {"width": WIDTH, **SETTINGS, "rates": RATES}
    recorded_sweep.main(run, GRID, settings, name="phase-diagram", description=__doc__.splitlines()[0])

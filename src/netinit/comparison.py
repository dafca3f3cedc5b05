"""Fair comparisons: the same seeds, the same data order and the same budget for every scheme.

Fairness is built in rather than left to care: a seed is split into two generators, one for the weights and
one for the order of the data. So for a given seed every scheme sees the same minibatches, whatever its
initializer draws.
"""

from __future__ import annotations  # so that numpy.random is loaded on its first use

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from netinit.data import Dataset
from netinit.layers import Layer, Parameter
from netinit.optimizers import Optimizer
from netinit.training import History, evaluate, fit

Build = Callable[["np.random.Generator"], Layer]


@dataclass(frozen=True)
class Run:
    """One trained model: its seed, its history, and what `probe(model)` returned at each epoch."""

    seed: int
    model: Layer
    history: History
    probes: list


def compare(
    schemes: Mapping[str, Build],
    data: Dataset,
    *,
    seeds: Sequence[int],
    optimizer: Callable[[list[Parameter]], Optimizer],
    epochs: int,
    batch_size: int,
    probe: Callable[[Layer], object] | None = None,
) -> dict[str, list[Run]]:
    """Train every scheme on every seed; `schemes` maps a label to a function from a Generator to a new model.

    `optimizer(parameters)` makes the optimizer of one run. `probe(model)`, if given, is called before
    training and after each epoch. Raises ValueError where there is no scheme or no seed.
    """
    if not schemes or not len(seeds):
        raise ValueError(
            f"schemes and seeds must not be empty, got {len(schemes)} schemes and {len(seeds)} seeds."
        )
    return {
        label: [_run(build, data, seed, optimizer, epochs, batch_size, probe) for seed in seeds]
        for label, build in schemes.items()
    }


def _run(build, data, seed, optimizer, epochs, batch_size, probe) -> Run:
    weights_rng, order_rng = np.random.default_rng(seed).spawn(2)
    model, probes = build(weights_rng), []
    history = fit(
        model,
        data,
        optimizer(model.parameters()),
        epochs=epochs,
        batch_size=batch_size,
        rng=order_rng,
        callback=None if probe is None else lambda _epoch: probes.append(probe(model)),
    )
    return Run(seed, model, history, probes)


def choose_learning_rate(
    build: Build,
    data: Dataset,
    *,
    candidates: Sequence[float],
    seeds: Sequence[int],
    optimizer: Callable[[list[Parameter], float], Optimizer],
    epochs: int,
    batch_size: int,
) -> float:
    """The candidate with the best mean validation accuracy over the seeds; the smaller one where two tie.

    `optimizer(parameters, lr)` makes the optimizer. The test split is never looked at. Raises ValueError
    where there is no candidate.
    """
    if not len(candidates):
        raise ValueError("candidates must hold at least one learning rate, got none.")
    score = {}
    for lr in sorted(candidates):
        runs = [
            _run(build, data, seed, lambda p, lr=lr: optimizer(p, lr), epochs, batch_size, None)
            for seed in seeds
        ]
        score[lr] = np.mean([run.history.validation_accuracy[-1] for run in runs])
    return max(score, key=score.get)  # the first of equals, so the smaller


def summarize(runs: Mapping[str, Sequence[Run]], data: Dataset, *, target: float = 0.9) -> str:
    """A table: median and range of the test accuracy, median epochs to a validation accuracy of `target`.

    A run that never gets there counts as later than all others; "never" where the median run does not.
    """
    rows = [f"{'scheme':<20} {'test accuracy':<20} epochs to {target:.0%}"]
    for label, group in runs.items():
        accuracy = [evaluate(run.model, data.x_test, data.y_test)[1] for run in group]
        epochs = [run.history.epochs_to(target) for run in group]
        middle = np.median([np.inf if e is None else e for e in epochs])
        spread = f"{np.median(accuracy):.2f} ({min(accuracy):.2f}-{max(accuracy):.2f})"
        rows.append(f"{label:<20} {spread:<20} {'never' if np.isinf(middle) else f'{middle:g}'}")
    return "\n".join(rows)

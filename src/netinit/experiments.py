"""Fair comparisons: the same seeds, the same data order and the same budget for every scheme.

Fairness is built in rather than left to care: a seed is split into two generators, one for the weights and
one for the order of the data. So for a given seed every scheme sees the same minibatches, whatever its
initializer draws.
"""

from __future__ import annotations  # so that numpy.random is loaded on its first use

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from netinit.checks import check_integer, check_kind, check_list, check_number
from netinit.data import Dataset
from netinit.layers import Layer, Parameter
from netinit.optimizers import Optimizer
from netinit.printing import table
from netinit.training import History, evaluate, fit

Build = Callable[["np.random.Generator"], Layer]


class Run(NamedTuple):
    """One trained model: its seed, its history, and what `probe(model)` returned at each epoch.

    >>> Run(seed=0, model=mlp([4, 3]), history=History(), probes=[]).seed
    0
    """

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
    training and after each epoch. Raises ValueError where there is no scheme or no seed, TypeError where
    schemes is no mapping, seeds no sequence of integers, or a function returns no model or optimizer.

    >>> schemes = {"He": lambda rng: initialize(mlp([64, 32, 10]), "he_normal", rng)}
    >>> plan = dict(seeds=[0, 1], optimizer=lambda p: SGD(p, 0.1), epochs=3, batch_size=50)
    >>> [run.seed for run in compare(schemes, load_digits(), **plan)["He"]]
    [0, 1]
    """
    check_kind("schemes", schemes, Mapping, "a mapping of labels to functions")
    if not schemes:
        raise ValueError("schemes must hold at least one label and its function, got none.")
    seeds = _seeds(seeds)
    return {
        label: [_run(build, data, seed, optimizer, epochs, batch_size, probe) for seed in seeds]
        for label, build in schemes.items()
    }


def _seeds(seeds) -> list[int]:
    seeds = check_list("seeds", seeds, "integers")
    if not seeds:
        raise ValueError("seeds must hold at least one integer, got none.")
    return [check_integer("seeds", seed, least=0) for seed in seeds]


def _run(build, data, seed, optimizer, epochs, batch_size, probe) -> Run:
    weights_rng, order_rng = np.random.default_rng(seed).spawn(2)
    check_kind("the function of a scheme", build, Callable, "a function from a Generator to a model")
    model, probes = build(weights_rng), []
    check_kind("the model of a scheme", model, Layer, "a Layer")
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
    where there is no candidate or no seed, TypeError where they are not sequences of numbers.

    >>> def build(rng):
    ...     return initialize(mlp([64, 10]), "he_normal", rng)
    >>> plan = dict(seeds=[0, 1], optimizer=SGD, epochs=1, batch_size=50)
    >>> choose_learning_rate(build, load_digits(), candidates=[1e-9, 0.1], **plan)
    0.1
    """
    candidates = check_list("candidates", candidates, "learning rates")
    if not candidates:
        raise ValueError("candidates must hold at least one learning rate, got none.")
    candidates = [check_number("candidates", lr, least=0) for lr in candidates]
    seeds = _seeds(seeds)
    score = {}
    for lr in sorted(candidates):
        runs = [
            _run(build, data, seed, lambda p, lr=lr: optimizer(p, lr), epochs, batch_size, None)
            for seed in seeds
        ]
        score[lr] = float(np.mean([run.history.validation_accuracy[-1] for run in runs]))
    return max(score, key=lambda lr: score[lr])  # the first of equals, so the smaller


def summarize(runs: Mapping[str, Sequence[Run]], data: Dataset, *, target: float = 0.9) -> str:
    """A table: median and range of the test accuracy, median epochs to a validation accuracy of `target`.

    A run that never gets there counts as later than all others; "never" where the median run does not. `runs`
    is what `compare` returns. Raises ValueError for a label without runs, TypeError for another kind of runs
    or a target that is no number.

    >>> schemes = {"zeros": lambda rng: initialize(mlp([64, 32, 10]), "zeros", rng)}
    >>> plan = dict(seeds=[0, 1, 2], optimizer=lambda p: SGD(p, 0.1), epochs=2, batch_size=50)
    >>> print(summarize(compare(schemes, load_digits(), **plan), load_digits()))
    scheme  test accuracy     epochs to 90%
    zeros   0.07 (0.07-0.07)  never
    """
    check_kind("runs", runs, Mapping, "what compare returns")
    target = check_number("target", target)
    rows = [["scheme", "test accuracy", f"epochs to {target:.0%}"]]
    for label, group in runs.items():
        if not group:
            raise ValueError(f"runs must hold at least one run for each label, got none for {label!r}.")
        accuracy = [evaluate(run.model, data.x_test, data.y_test)[1] for run in group]
        epochs = [run.history.epochs_to(target) for run in group]
        middle = np.median([np.inf if e is None else e for e in epochs])
        spread = f"{np.median(accuracy):.2f} ({min(accuracy):.2f}-{max(accuracy):.2f})"
        rows.append([label, spread, "never" if np.isinf(middle) else f"{middle:g}"])
    return table(rows)

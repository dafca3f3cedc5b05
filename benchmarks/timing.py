"""Ratios on a noisy machine: the contestants take turns in one process, and medians are compared."""

import time
from collections.abc import Callable, Mapping

import numpy as np


def race(
    contestants: Mapping[str, Callable[[], object]], *, rounds: int = 9, repeat: int = 1
) -> dict[str, float]:
    """Median seconds of one call of each; in every round each runs `repeat` times, one after the other."""
    for call in contestants.values():
        call()  # warm up: caches, thread pools, lazy imports
    seconds = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, call in contestants.items():
            start = time.perf_counter()
            for _ in range(repeat):
                call()
            seconds[name].append((time.perf_counter() - start) / repeat)
    return {name: float(np.median(values)) for name, values in seconds.items()}


def at_most(value: float, bound: float) -> str:
    """The bound in words, and whether the value keeps it."""
    return f"(at most {bound:g}: {'met' if value <= bound else 'MISSED'})"


def at_least(value: float, bound: float) -> str:
    """The bound in words, and whether the value keeps it."""
    return f"(at least {bound:g}: {'met' if value >= bound else 'MISSED'})"

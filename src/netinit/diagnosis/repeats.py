"""Layers that start with the same numbers, because a seed was set again for each of them.

Nothing in the size of such weights is wrong, so no other question sees it; by chance it does not happen.
"""

from collections.abc import Iterable

import numpy as np

from netinit.layers import Parameter
from netinit.trace import SAME


def repeated(weights: Iterable[tuple[str, Parameter]]) -> dict[str, str]:
    """Path of each layer whose weights are, up to a factor, those of one before it -> path of that one.

    A layer is compared with the nearest before it that has as many outputs. Weights of one or two values do
    not count: zeros, a constant or the identity may be in many layers. Nor does a Parameter that is shared.
    """
    found: dict[str, str] = {}
    latest: dict[int, tuple[str, np.ndarray]] = {}
    seen: set[int] = set()
    for path, parameter in weights:
        rows = parameter.value.reshape(-1, parameter.value.shape[-1])
        if id(parameter) in seen or not np.isfinite(rows).all() or len(np.unique(rows)) <= 2:
            continue
        seen.add(id(parameter))
        earlier, other = latest.get(rows.shape[1], ("", rows[:0]))
        if _proportional(rows, other):
            found[path] = earlier
        latest[rows.shape[1]] = path, rows
    return found


def _proportional(rows, other) -> bool:
    """Whether the rows that both have differ by a factor and rounding alone; False for no rows or zeros."""
    both = min(len(rows), len(other))
    a, b = rows[:both], other[:both]
    if not (a.any() and b.any()):
        return False
    return bool(np.abs(a / np.abs(a).max() - b / np.abs(b).max()).max() <= SAME)

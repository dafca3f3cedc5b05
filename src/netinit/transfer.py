"""Transfer: start from trained weights instead of random ones.

Arrays are matched by the path of their parameter or buffer, such as "0.weight", and by shape: a classifier
for other classes keeps its own start. What was not taken is reported with the reason, never passed over in
silence.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from netinit.checks import as_array, cast, check_flag, check_kind, check_list, check_name, shown
from netinit.layers import Layer
from netinit.layers.base import overwrite, paths_by_array
from netinit.printing import table


class TransferReport(NamedTuple):
    """The paths of the arrays that were loaded, and path -> reason of the others; prints as a table.

    >>> transfer(mlp([64, 32, 10]), mlp([64, 32, 5])).loaded
    ('0.weight', '0.bias')
    """

    loaded: tuple[str, ...]
    skipped: Mapping[str, str]

    def __repr__(self) -> str:
        rows = [["loaded", path, ""] for path in self.loaded]
        rows += [["skipped", path, reason] for path, reason in self.skipped.items()]
        return table(rows) if rows else "nothing to load"


def transfer(
    source: Layer | Mapping[str, np.ndarray],
    target: Layer,
    *,
    layers: Iterable[str] | None = None,
    freeze: bool = False,
) -> TransferReport:
    """Copy every array of `source` whose path and shape fit `target`; returns the TransferReport.

    `source` is a model or a state dict; running statistics of `BatchNorm` are carried too. `layers` names
    the paths of the target's layers to fill, such as ["0", "2"], each with all inside it; None asks for
    all. Paths that share one array in the target are filled only if the source agrees on its values.

    `freeze` sets `lr_scale` to 0 on the loaded parameters: build the optimizer afterwards, it reads
    `lr_scale` once. The running statistics of a frozen `BatchNorm` still follow the batches in training
    mode; after `eval()` on that layer they stay.

    Raises: ValueError for an unknown layer, an array that is not finite in the target's dtype, or one of the
    target's that cannot be written to; TypeError
    for a source, target or `layers` of another kind, a key that is not a path, or an array that does not
    hold floating-point numbers. The target is then unchanged.

    >>> report = transfer(mlp([64, 32, 10]), mlp([64, 32, 5]))
    >>> report.skipped["2.weight"]
    'shape (32, 10) vs (32, 5)'
    """
    check_kind("target", target, Layer, "a Layer")
    freeze = check_flag("freeze", freeze)
    own = dict(target.named_arrays())
    state, asked = _state(source, own), _asked(layers, target)
    skipped = {path: reason for path in own if (reason := _reason(path, own, state, asked))}
    skipped |= {path: "missing in target" for path in state if path not in own}
    values = {
        path: cast(f"source[{path!r}]", state[path], own[path].dtype) for path in own if path not in skipped
    }
    _settle_shared(own, values, skipped)
    overwrite((path, own[path], value) for path, value in values.items())
    if freeze:
        for path, parameter in target.named_parameters():
            if path in values:
                parameter.lr_scale = 0.0
    return TransferReport(tuple(values), skipped)


def _state(source, own) -> dict[str, np.ndarray]:
    """The source's arrays by path; what the target has no place for is not looked at."""
    if isinstance(source, Layer):
        return source.state_dict()
    if not isinstance(source, Mapping):
        raise TypeError(f"source must be a Layer or a state dict, got {type(source).__name__}.")
    for path in source:
        if not isinstance(path, str):
            raise TypeError(f"source must have paths such as '0.weight' as keys, got {shown(path)}.")
    return {path: _array(path, value) if path in own else value for path, value in source.items()}


def _array(path, value) -> np.ndarray:
    array = as_array(f"source[{path!r}]", value)
    if array.dtype.kind != "f":
        raise TypeError(f"source[{path!r}] must hold floating-point numbers, got dtype {array.dtype}.")
    return array


def _asked(layers, target) -> tuple[str, ...] | None:
    """The paths asked for, each checked against the target's layers."""
    if layers is None:
        return None
    layers = tuple(check_list("layers", layers, "layer paths such as ['0', '2']"))
    if not layers:
        raise ValueError("layers must name at least one layer, got none; pass None for all.")
    known = [path for path, _ in target.named_layers() if path]
    for path in layers:
        check_name("layer", path, known)
    return layers


def _reason(path, own, state, asked) -> str:
    """Why this array of the target cannot be loaded, or empty."""
    if asked is not None and not any(path.startswith(f"{layer}.") for layer in asked):
        return "not asked for"
    if path not in state:
        return "missing in source"
    if state[path].shape != own[path].shape:
        return f"shape {state[path].shape} vs {own[path].shape}"
    return ""


def _settle_shared(own, values, skipped) -> None:
    """Where paths of the target share an array: move those whose values conflict from values to skipped."""
    for paths in paths_by_array(own):
        taken = [path for path in paths if path in values]
        if any(not np.array_equal(values[taken[0]], values[path]) for path in taken[1:]):
            for path in taken:
                del values[path]
                others = ", ".join(other for other in taken if other != path)
                skipped[path] = f"shares its array with {others}, the source has other values there"
        elif taken:
            for path in paths:
                if path in skipped:
                    skipped[path] += f", but shares the array of {taken[0]}"

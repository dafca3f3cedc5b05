"""What every layer of a network does to one batch: the first thing to look at when a network does not train.

`trace` runs the model once forward and, given labels, once backward, and measures each leaf (a layer without
parts) as the signal passes. Chapters plot its columns; `diagnose` compares them with the theory.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from netinit.activations import ActivationFunction
from netinit.checks import as_array, check_batch, check_flag, check_floats, check_kind, check_name
from netinit.hooks import intercept
from netinit.layers import Activation, Layer
from netinit.layers.base import gradients_set_aside, weight_of
from netinit.losses import softmax_cross_entropy
from netinit.prediction import predict
from netinit.printing import table

SAME = 1e-5  # outputs this close, relative to the layer's largest, differ by rounding alone
FLAT = 1e-3  # a derivative below this passes no gradient that counts
RISING = np.linspace(-2, 2, 9)  # a bounded activation saturates only if it rises all through the middle
SATURATED = 0.01  # of a bounded activation's range: sigmoid outside [0.01, 0.99], tanh outside [-0.98, 0.98]


@dataclass(frozen=True)
class LayerTrace:
    """One leaf on one batch. A unit is an entry of the last axis; None stands for what does not apply.

    `mean`, `std`: of all outputs. `saturated`: fraction of the outputs that lie within 1 % of the range from
    a limit of a bounded activation that rises in between. `dead`: fraction of the units whose activation has
    a derivative below 1e-3 in size on the whole batch. `distinct_units`: how many of the `units` remain when
    those that agree up to rounding (1e-5 of the largest output) count as one. These three are None where an
    output is not finite.
    `gradient_std`: of dLoss/d(output). `weight_std`, `weight_gradient_std`: of the weight and of
    dLoss/d(weight). `predicted_rms`, `predicted_gradient_std`: what `predict` says of `rms` and
    `gradient_std`, given the sizes of the model's weights; None where it knows no rule for a layer, or the
    prediction overflows. `output`, `gradient`: the arrays themselves, with `keep=True`.

    >>> model = initialize(mlp([64, 32, 10], "tanh"), "xavier_normal", rng)
    >>> trace(model, load_digits().x_train)[1].kind
    'tanh'
    """

    name: str
    kind: str
    mean: float
    std: float
    units: int
    distinct_units: int | None
    saturated: float | None = None
    dead: float | None = None
    gradient_std: float | None = None
    weight_std: float | None = None
    weight_gradient_std: float | None = None
    predicted_rms: float | None = None
    predicted_gradient_std: float | None = None
    output: Any = field(default=None, repr=False, compare=False)
    gradient: Any = field(default=None, repr=False, compare=False)

    @property
    def rms(self) -> float:
        """Root of the second moment, `sqrt(mean^2 + std^2)`: what the theory predicts."""
        return float(np.hypot(self.mean, self.std))


@dataclass(frozen=True)
class Trace:
    """The layers in the order of execution; a sequence of `LayerTrace`. `loss` is None without labels.

    >>> model = initialize(mlp([64, 32, 10]), "he_normal", rng)
    >>> len(trace(model, load_digits().x_train).column("std", "relu"))
    1
    """

    layers: tuple[LayerTrace, ...]
    loss: float | None = None

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[LayerTrace]:
        return iter(self.layers)

    def __getitem__(self, index):
        return self.layers[index]

    def column(self, name: str, kind: str | None = None) -> np.ndarray:
        """One measurement of every layer, or of every layer of a kind ("Linear", "relu"); None becomes NaN.

        Raises ValueError for an unknown measurement and for a kind that no layer has.
        """
        kinds = {row.kind: None for row in self.layers}
        check_name("measurement", name, _COLUMNS)
        if kind is not None:
            check_name("kind of layer", kind, kinds)
        rows = [row for row in self.layers if kind in (None, row.kind)]
        return np.array([getattr(row, name) for row in rows], dtype=np.float64)

    def __repr__(self) -> str:
        used = {header: name for header, name in _PRINTED.items() if not np.isnan(self.column(name)).all()}
        rows = [[row.name, row.kind, *(_cell(row, name) for name in used.values())] for row in self.layers]
        if len(rows) > 24:
            rows[12:-8] = [["..."] * (len(used) + 2)]
        return table([["layer", "kind", *used], *rows])


_COLUMNS = ["mean", "std", "rms", "predicted_rms", "units", "distinct_units", "saturated", "dead"]
_COLUMNS += ["gradient_std", "predicted_gradient_std", "weight_std", "weight_gradient_std"]
_PRINTED = {
    "std": "std",
    "rms": "rms",
    "predicted": "predicted_rms",
    "distinct": "distinct_units",
    "saturated": "saturated",
    "dead": "dead",
    "gradient": "gradient_std",
    "predicted gradient": "predicted_gradient_std",
    "weight": "weight_std",
}


def trace(model: Layer, x: np.ndarray, y=None, *, output_gradient=None, keep: bool = False) -> Trace:
    """Measure every leaf of the model on the batch x, in training mode; the model is left as it was.

    Labels y (batch,) add the gradients of the softmax cross-entropy. `output_gradient` is sent back instead:
    an array of the output's shape, or a function that makes one from the output. `keep=True` keeps each
    layer's output and gradient. Overflow shows as inf and NaN in the rows, without a warning. Raises
    TypeError for x that is no floating-point array; ValueError for x that is empty or not finite, for labels
    or an output gradient that do not fit, and for both at once.

    >>> model = initialize(mlp([64, 100, 100, 10]), "he_normal", rng)
    >>> [row.kind for row in trace(model, load_digits().x_train)]
    ['Linear', 'relu', 'Linear', 'relu', 'Linear']
    """
    check_kind("model", model, Layer, "a Layer")
    check_batch("x", x)
    keep = check_flag("keep", keep)
    if y is not None and output_gradient is not None:
        raise ValueError("y and output_gradient were both given; only one can start the backward pass.")
    rows: dict[str, dict] = {}

    def forward(path, layer, call, x):
        output = call(x)
        rows[path] = {"name": path, **_measure_output(layer, x, output)}
        rows[path] |= {"output": output.copy()} if keep else {}
        return output

    def backward(path, _layer, call, gradient):
        rows[path] |= {"gradient_std": _std(gradient), "gradient": gradient.copy() if keep else None}
        return call(gradient)

    with _unchanged(model), np.errstate(all="ignore"):
        model.train()
        with intercept(model, "forward", forward), intercept(model, "backward", backward):
            loss, gradient = _run(model, x, y, output_gradient)
        for path, layer in model.named_layers():
            if path in rows:
                rows[path] |= _measure_weight(layer)
        for path, prediction in _predictions(model, x, gradient):
            rows[path] |= prediction
    return Trace(tuple(LayerTrace(**row) for row in rows.values()), loss)


def _run(model, x, y, gradient):
    """One pass forward, and one backward where something starts it: the loss, and the output gradient."""
    output, loss = model.forward(x), None
    if y is not None:
        loss, gradient = softmax_cross_entropy(output, y)
    if gradient is not None:
        gradient = as_array("output_gradient", gradient(output) if callable(gradient) else gradient)
        if gradient.shape != output.shape:
            expected = f"the shape of the output {output.shape}"
            raise ValueError(f"output_gradient must have {expected}, got {gradient.shape}.")
        model.backward(gradient)
    return loss, gradient


def _measure_output(layer, x, output):
    check_floats(f"the output of {layer!r}", output)
    units = output.reshape(-1, output.shape[-1])  # (batch, times the positions of an image; units)
    row = {
        "kind": layer.activation.name if isinstance(layer, Activation) else type(layer).__name__,
        "mean": float(np.mean(output, dtype=np.float64)),
        "std": _std(output),
        "units": units.shape[1],
        "distinct_units": None,
    }
    if not np.isfinite(output).all():
        return row
    if isinstance(layer, Activation):
        row["dead"] = float(flat_units(layer.activation, x, output).mean())
        row["saturated"] = _saturated(layer.activation, output)
    return row | {"distinct_units": distinct_units(units)}


def _measure_weight(layer):
    weight = weight_of(layer)
    if weight is None or weight.value.ndim < 2:
        return {}
    gradient_std = None if weight.grad is None else _std(weight.grad)
    return {"weight_std": _std(weight.value), "weight_gradient_std": gradient_std}


def _predictions(model, x, gradient):
    """Path and predicted columns of each leaf; nothing for a model that the theory does not cover."""
    try:
        predictions = predict(model, float(np.mean(np.square(x, dtype=np.float64))))
    except (TypeError, ValueError):
        return
    start = None if gradient is None else float(np.sqrt(np.mean(np.square(gradient, dtype=np.float64))))
    for p in predictions:
        back = None if start is None else start * p.gradient_std
        yield p.name, {"predicted_rms": p.std, "predicted_gradient_std": back}


def _std(values):
    return float(np.std(values, dtype=np.float64))


def distinct_units(units: np.ndarray) -> int:
    """How many columns of (rows, units) differ by more than rounding, 1e-5 of the largest entry.

    One random projection puts equal columns side by side; then the steps from each to the next are counted.
    """
    order = np.argsort(np.random.default_rng(0).standard_normal(len(units)) @ units)
    steps = np.abs(np.diff(units[:, order], axis=1)).max(axis=0, initial=0)
    return 1 + int(np.count_nonzero(steps > SAME * np.abs(units).max()))


def flat_units(activation: ActivationFunction, z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """For each unit of z (..., units) and y = phi(z): whether |phi'(z)| < 1e-3 on the whole batch."""
    flat = np.abs(activation.derivative(z, y)) < FLAT
    return flat.reshape(-1, z.shape[-1]).all(axis=0)


def limits(activation: ActivationFunction) -> tuple[float, float]:
    """What phi(z) tends to for z far below and far above 0; infinite where it goes on."""
    ends = activation.function(np.array([-1e9, 1e9]))
    low, high = (float(end if abs(end) < 1e6 else np.sign(end) * np.inf) for end in ends)
    return low, high


def _saturated(activation, output):
    low, high = limits(activation)
    rises = bool((np.diff(activation.function(RISING)) > 0).all())
    if not (rises and low < high and math.isfinite(low) and math.isfinite(high)):
        return None  # not bounded, or no limit to run into: sin, a bump, ReLU cut off at 6
    margin = SATURATED * (high - low)
    return float(np.mean((output < low + margin) | (output > high - margin)))


@contextmanager
def _unchanged(model):
    """No parameter has a gradient within the block; all that a pass can change is as before after it."""
    attributes = [(layer, dict(vars(layer))) for _, layer in model.named_layers()]
    buffers = [vars(layer)[name] for _, layer in model.named_layers() for name in layer.buffers()]
    buffers = [(buffer, buffer.copy()) for buffer in buffers]
    try:
        with gradients_set_aside(model.parameters()):
            yield
    finally:
        for layer, before in attributes:
            vars(layer).clear()
            vars(layer).update(before)
        for buffer, before in buffers:
            buffer[...] = before


def _cell(row, name):
    value = getattr(row, name)
    if value is None:
        return "-"
    return f"{value}/{row.units}" if name == "distinct_units" else f"{value:.2g}"

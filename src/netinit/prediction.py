"""What the theory predicts for a given model: the size of signal and gradient at each layer.

`theory` and `quadrature` know activations alone; here they meet the layers. Each kind of layer has one rule,
which says what it makes of the second moment of its input and of a squared gradient on its way back.
"""

from __future__ import annotations  # so that _Moments can name itself

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from netinit.checks import check_kind, check_number
from netinit.layers import (
    Activation,
    BatchNorm,
    Conv2d,
    Flatten,
    Layer,
    LayerNorm,
    Linear,
    Parameter,
    ScalarBias,
    ScalarScale,
)
from netinit.layers.normalization import Normalization
from netinit.models import Residual, Sequential
from netinit.quadrature import mean, mean_product, mean_square


class Prediction(NamedTuple):
    """Predicted roots of second moments at the output of one layer: of the signal, and of the gradient.

    `gradient_std` is relative to 1 at the model's output. `name` is a path such as "1.branch.0",
    `kind` the class or the name of the activation.

    >>> model = initialize(mlp([64, 32, 10]), "he_normal", rng)
    >>> [(row.kind, round(row.std, 2)) for row in predict(model, 1.0)]
    [('Linear', 1.43), ('relu', 1.01), ('Linear', 1.5)]
    """

    name: str
    kind: str
    std: float
    gradient_std: float


def predict(model: Layer, input_second_moment: float) -> list[Prediction]:
    """Predicted std of activations and gradients after every layer, one row each, in the order they run.

    `input_second_moment` is the mean of `x^2` over inputs and features, the squared mean included. "std" is
    the root of that moment per unit, in the units of x; the gradient's is relative to 1 at the output. Both
    are averages over units, inputs and weights, whatever the shapes. Uses the model's own weights, through
    `E[w^2]` alone: Linear multiplies the second moment by `n_in E[w^2]` and adds `E[b^2]`, an activation
    turns q into `E[phi(sqrt(q) z)^2]` (Poole et al. 2016); on the way back the factors are `n_out E[w^2]` and
    `E[phi'^2]` (Schoenholz et al. 2017); the parts of a Residual add. Assumes wide layers, independent
    weights and preactivations of mean 0, inputs uncorrelated with each other, images without borders, and
    BatchNorm in training mode.
    Raises TypeError for a layer of unknown kind, ValueError where a moment overflows or is NaN.

    >>> model = initialize(mlp([64, 100, 100, 10]), "he_normal", rng)
    >>> predict(model, 1.0)[1].kind
    'relu'
    """
    check_kind("model", model, Layer, "a Layer")
    asked = any(isinstance(layer, BatchNorm) for _, layer in model.named_layers())
    h = _Moments(check_number("input_second_moment", input_second_moment, 0), 0.0 if asked else math.nan)
    rows: list[list] = []
    _, back = _propagate(model, [], h, rows)
    back(1.0)
    return [Prediction(*row) for row in rows]


class _Moments(NamedTuple):
    square: float  # E[h^2] of a unit, over inputs and weights
    across: float  # E[h h'] for two inputs: what BatchNorm removes. NaN where no layer asks

    def scaled(self, factor: float, shift: float = 0.0) -> _Moments:
        return _Moments(factor * self.square + shift, factor * self.across + shift)


# One rule per kind of layer: moments of the output, and the factor on the squared gradient on its way back.


def _linear(layer: Linear, h: _Moments) -> tuple[_Moments, float]:
    second, (n_in, n_out) = _mean_of_squares(layer.weight), layer.weight.value.shape
    return h.scaled(n_in * second, _mean_of_squares(layer.bias)), n_out * second


def _convolved(layer: Conv2d, h: _Moments) -> tuple[_Moments, float]:
    second, shape = _mean_of_squares(layer.weight), layer.weight.value.shape  # (k, k, n_in / groups, n_out)
    patch, n_out = math.prod(shape[:3]), shape[3]
    reached = patch * n_out / (shape[2] * layer.groups) / layer.stride**2  # stride^2 pixels for each position
    return h.scaled(patch * second, _mean_of_squares(layer.bias)), reached * second


def _activated(layer: Activation, h: _Moments) -> tuple[_Moments, float]:
    phi, across = layer.activation, h.across
    if across == 0:
        across = mean(phi, h.square) ** 2
    elif not math.isnan(across):
        across = mean_product(phi, h.square, across / h.square)
    square = mean_square(phi, h.square)
    return _Moments(square, min(across, square)), mean_square(phi, h.square, True)  # rounding may exceed it


def _normalized(layer: Normalization, h: _Moments, removed: float) -> tuple[_Moments, float]:
    scale, shift = _mean_of_squares(layer.scale), _mean_of_squares(layer.shift)
    variance = h.square - removed
    factor = scale / (variance + layer.epsilon)
    return _Moments(factor * variance + shift, factor * (h.across - removed) + shift), factor


def _scaled(layer: ScalarScale, h: _Moments) -> tuple[_Moments, float]:
    factor = _mean_of_squares(layer.scale)
    return h.scaled(factor), factor


_RULES: dict[type[Layer], Callable] = {
    Linear: _linear,
    Conv2d: _convolved,
    Activation: _activated,
    BatchNorm: lambda layer, h: _normalized(layer, h, removed=h.across),
    LayerNorm: lambda layer, h: _normalized(layer, h, removed=0.0),
    ScalarBias: lambda layer, h: (h.scaled(1.0, _mean_of_squares(layer.bias)), 1.0),
    ScalarScale: _scaled,
    Flatten: lambda _, h: (h, 1.0),
}


def _mean_of_squares(parameter: Parameter | None) -> float:
    return 0.0 if parameter is None else float(np.mean(np.square(parameter.value, dtype=np.float64)))


def _propagate(layer, path, h, rows):
    """Append the leaves' rows; return the output's moments and the way back of a squared gradient."""
    if isinstance(layer, Sequential):
        backs = []
        for name, child in layer.children():
            h, back = _propagate(child, [*path, name], h, rows)
            backs.append(back)
        return h, lambda g: functools.reduce(lambda grad, back: back(grad), reversed(backs), g)
    if isinstance(layer, Residual):
        skip, skip_back = h, lambda g: g
        if layer.shortcut is not None:
            skip, skip_back = _propagate(layer.shortcut, [*path, "shortcut"], h, rows)
        y, back = _propagate(layer.branch, [*path, "branch"], h, rows)
        total = _Moments(skip.square + y.square, skip.across + y.across)  # independent weights
        return total, lambda g: skip_back(g) + back(g)
    return _propagate_leaf(layer, ".".join(path), h, rows)


def _propagate_leaf(layer, name, h, rows):
    kind = next((kind for kind in _RULES if isinstance(layer, kind)), None)
    if kind is None:
        known = ", ".join(cls.__name__ for cls in _RULES)
        raise TypeError(f"model must hold layers of kind {known}, got {type(layer).__name__} at {name!r}.")
    after, factor = _RULES[kind](layer, h)
    if not math.isfinite(after.square):
        raise ValueError(
            f"model must keep moments finite, got {after.square} after {kind.__name__} at {name!r}."
        )
    shown = layer.activation.name if kind is Activation else kind.__name__
    row = [name, shown, math.sqrt(after.square), 0.0]
    rows.append(row)

    def back(g):
        row[3] = math.sqrt(g)
        return g * factor

    return after, back

"""Layer-sequential unit variance: let one real batch set the scale of each layer.

A formula such as He's predicts the scale from assumptions about the signal; LSUV measures it. The batch
advances through the model once, in the order in which the model runs. Each layer with a weight stops it, is
rescaled until its output has variance 1, and passes it on: a few products for each layer, never a second
run from the input, so the time grows linearly with the depth. A layer inside a branch is rescaled on the
signal that reaches it there.
"""

from __future__ import annotations  # so that numpy.random is loaded on its first use

import math
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from netinit.checks import (
    check_batch,
    check_flag,
    check_generator,
    check_integer,
    check_kind,
    check_name,
    check_number,
)
from netinit.hooks import intercept
from netinit.initialize import grouped, new_value, weighted_layers
from netinit.initializers import orthogonal, zeros
from netinit.layers import Activation, Layer
from netinit.layers.base import bias_of, check_writeable, weight_of
from netinit.models import Sequential

MEASURED_ON = ("preactivation", "activation")
STALLED = 0.999  # a step that leaves more than this share of the distance to variance 1 is not worth taking
ROUNDING = 16  # a spread below this many roundings of the mean is that of a constant


class LsuvRecord(NamedTuple):
    """What LSUV did to one layer; `reason` is empty where it reached variance 1, else it says why not.

    `std_before` is measured before the rescaling, after the orthonormal draw; `std_after` on the weight as
    it is left. Both are NaN for a layer that the batch did not reach.

    >>> records = lsuv(mlp([64, 32, 10]), load_digits().x_train, rng)
    >>> [(record.layer, record.iterations) for record in records]
    [('0', 1), ('2', 1)]
    """

    layer: str
    iterations: int
    std_before: float
    std_after: float
    converged: bool
    reason: str


def lsuv(
    model: Layer,
    x: np.ndarray,
    rng: np.random.Generator,
    *,
    tolerance: float = 0.02,
    max_iterations: int = 10,
    orthonormal: bool = True,
    on: str = "preactivation",
) -> list[LsuvRecord]:
    """Rescale each weight, `W <- W / std(output)`, to `|Var(output) - 1| < tolerance`.

    One record per layer with a weight, in the order in which `x`, of shape (batch, ...), reaches it. The
    variance is over all entries of the output. `orthonormal` first draws W (semi-)orthonormal and sets the
    bias to 0; otherwise both are taken as they are, and only W is scaled. `on="activation"` measures after
    the `Activation` that is next to the layer in its `Sequential`, where there is one. A layer whose variance
    is zero or not finite gets its weight and bias back as they were; a weight that an earlier layer shares
    is not scaled again: the record says so. The mode stays as it is, and so do the running statistics of
    `BatchNorm`. Raises TypeError/ValueError for an `x` that is empty, not floating-point or not finite, a
    seed as `rng`, a tolerance that is not positive, no iterations, an unknown `on`, a model without
    weights; the model is then unchanged.

    Source: Mishkin and Matas 2016.

    >>> model, x = mlp([64, 32, 10]), load_digits().x_train
    >>> records = lsuv(model, x, rng)
    >>> round(float(model[:1](x).var()), 3)
    1.0
    """
    _check(model, x, rng, on)
    followers = _followers(model) if on == "activation" else {}
    rescaling = _Rescaling(rng, tolerance, max_iterations, orthonormal, followers)
    before = model.state_dict()
    try:
        with np.errstate(all="ignore"):  # a layer that overflows is reported in its record
            with intercept(model, "forward", rescaling.visit):
                model.forward(x)
            rescaling.report_the_rest(weighted_layers(model.named_layers()))
    except BaseException:
        _restore(model, before)
        raise
    weights_and_biases = {path for path, _ in model.named_parameters()}
    _restore(model, {path: array for path, array in before.items() if path not in weights_and_biases})
    return rescaling.records


class _Rescaling:
    """The rule that runs in place of each leaf's forward pass, and the records it writes."""

    def __init__(self, rng, tolerance, max_iterations, orthonormal, followers):
        self.rng, self.orthonormal, self.followers = rng, check_flag("orthonormal", orthonormal), followers
        self.max_iterations = check_integer("max_iterations", max_iterations)
        self.tolerance = check_number("tolerance", tolerance)
        if self.tolerance <= 0:
            raise ValueError(f"tolerance must be finite and positive, got {tolerance}.")
        self.records: list[LsuvRecord] = []
        self.set_by: dict[int, str] = {}  # id of a weight -> path of the layer that scaled it
        self.visited: set[int] = set()  # ids of layers

    def visit(self, path: str, layer: Layer, call: Callable, x: np.ndarray) -> np.ndarray:
        weight = weight_of(layer)
        if weight is None:
            return call(x)
        self.visited.add(id(layer))
        follower = self.followers.get(id(layer), lambda z: z)

        def run():
            z = call(x)
            return z, _std(follower(z))

        if id(weight) in self.set_by:
            z, std = run()
            self._record(
                path, 0, std, std, f"weight shared with layer {self.set_by[id(weight)]!r}, which came first"
            )
        else:
            self.set_by[id(weight)] = path
            z = self._set(path, layer, run)
        return z

    def _set(self, path, layer, run):
        """Draw the layer's weight and scale it; returns its output."""
        own = [p for p in (weight_of(layer), bias_of(layer)) if p is not None]
        kept = [p.value.copy() for p in own]
        if self.orthonormal:
            for parameter, draw in zip(own, (grouped(orthogonal, layer), zeros), strict=False):
                parameter.value[...] = new_value(parameter, draw, self.rng, path)
        z, before = run()
        if before > 0 and math.isfinite(before):
            z, after, iterations, reason = self._scale(own[0], z, before, run)
        else:
            for parameter, value in zip(own, kept, strict=True):
                parameter.value[...] = value
            z, after = run()
            fault = "zero" if before == 0 else "not finite"
            iterations, reason = 0, f"variance is {fault}: weights left as they were"
        self._record(path, iterations, before, after, reason)
        return z

    def _scale(self, weight, z, std, run):
        """Divide the weight by the measured std until it is 1; returns (output, std, iterations, reason)."""
        for iteration in range(self.max_iterations):
            if self._distance(std) < self.tolerance:
                return z, std, iteration, ""
            previous, previous_std = weight.value.copy(), std
            weight.value /= std
            z, std = run()
            if not self._distance(std) <= STALLED * self._distance(previous_std):  # NaN counts as no progress
                weight.value[...] = previous
                z, std = run()
                return z, std, iteration, f"variance stays at {std**2:.3g} when the weight is scaled"
        if self._distance(std) < self.tolerance:
            return z, std, self.max_iterations, ""
        return z, std, self.max_iterations, f"variance is {std**2:.3g} after {self.max_iterations} iterations"

    def report_the_rest(self, weighted):
        """A record for each layer that no batch stopped at: one that did not run, or not as one piece."""
        for path, layer, _ in weighted:
            if id(layer) not in self.visited:
                reason = "not reached as one layer, or only around layers with weights of their own"
                self._record(path, 0, math.nan, math.nan, f"{reason}: weights left as they were")

    @staticmethod
    def _distance(std):
        return abs(std**2 - 1)

    def _record(self, path, iterations, before, after, reason):
        converged = bool(self._distance(after) < self.tolerance)
        self.records.append(LsuvRecord(path, iterations, before, after, converged, reason))


def _std(y: np.ndarray) -> float:
    """Standard deviation over all entries, 0 where it is only the rounding of a constant."""
    wide = y.astype(np.float64)  # float32 sums of large outputs would overflow
    std = wide.std()
    return 0.0 if std <= ROUNDING * np.finfo(y.dtype).eps * abs(wide.mean()) else float(std)


def _followers(model: Layer) -> dict[int, Callable]:
    """Map the id of a layer to the activation that alone takes its output: the next one in a Sequential."""
    followers = {}
    for _, chain in model.named_layers():
        if isinstance(chain, Sequential):
            for layer, follower in pairwise(chain):
                last, first = _end(layer, -1), _end(follower, 0)
                if isinstance(first, Activation):
                    followers[id(last)] = first.activation.function
    return followers


def _end(layer: Layer, index: int) -> Layer:
    """The first (0) or last (-1) layer inside nested Sequentials."""
    while isinstance(layer, Sequential) and len(layer):
        layer = layer[index]
    return layer


def _restore(model: Layer, arrays: dict[str, np.ndarray]) -> None:
    for path, array in model.named_arrays():
        if path in arrays:
            array[...] = arrays[path]


def _check(model, x, rng, on):
    """Raise for a model or batch that LSUV cannot use, before anything changes."""
    check_kind("model", model, Layer, "a Layer")
    if not weighted_layers(model.named_layers()):
        raise ValueError(f"model must hold a layer with a weight, got {type(model).__name__} without any.")
    check_batch("x", x)
    check_generator(rng)
    check_name("on", on, MEASURED_ON)
    check_writeable((path, p.value) for path, p in model.named_parameters())

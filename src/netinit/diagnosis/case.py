"""What `diagnose` looks at: each layer with a weight, what follows it, and the sums of the residual blocks.

`examine` runs one batch forward and backward and sorts the rows of the trace: a `Step` is a layer with a
weight and what its output alone passes through next, a `Sum` is the output of a `Residual`. The files of
questions above this one only read them.
"""

import itertools
import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from netinit.activations import ActivationFunction, get_activation
from netinit.layers import Activation, Conv2d, Layer
from netinit.layers.base import bias_of, weight_of
from netinit.layers.normalization import Normalization
from netinit.losses import softmax_cross_entropy
from netinit.models import Residual, Sequential
from netinit.trace import LayerTrace, Trace, flat_units, trace


class Finding(NamedTuple):
    """One fault: where (a layer's path, "input" or "labels"), what is wrong, how it shows, what to do.

    `kind` is the layer as it prints, such as "Linear(64, 64)".
    """

    layer: str
    fault: str
    evidence: str
    remedy: str
    kind: str = ""


@dataclass(frozen=True, eq=False)
class Step:
    """One layer with a weight, and the leaves that its output alone passes through before the next weight."""

    row: LayerTrace
    layer: Layer
    after: tuple[tuple[LayerTrace, Layer], ...]
    in_branch: bool  # of a Residual: small weights do no harm there, the skip path carries the signal
    last: bool  # of the network or of a branch: may be zero, because the units before it differ all the same
    phi: ActivationFunction  # the one after it, or before it where none is
    inside: float  # share of a kernel that lies on the image and not on its border of zeros

    @property
    def weight(self) -> np.ndarray:
        """The matrix or kernel."""
        return weight_of(self.layer).value

    @property
    def bias(self) -> np.ndarray | None:
        """The vector added to each output, if any."""
        bias = bias_of(self.layer)
        return None if bias is None else bias.value

    @property
    def fans(self) -> tuple[float, float]:
        """fan_in and fan_out, those of one group."""
        receptive = math.prod(self.weight.shape[:-2])
        n_in, n_out = self.weight.shape[-2:]
        return receptive * n_in, receptive * n_out / self.layer.groups

    def gain(self, fan: float) -> float:
        """sqrt(fan E[w^2]): the factor on the signal (fan_in) or on the gradient (fan_out)."""
        return math.sqrt(fan) * rms(self.weight)

    @property
    def output(self) -> LayerTrace:
        """What the layer, its normalization and its activation together make."""
        return self.activation or self.signal

    @cached_property
    def phi_scales(self) -> bool:
        """Whether phi(2 z) = 2 phi(z): ReLU only scales with its input, tanh does not."""
        z = np.linspace(-3, 3, 13)
        return bool(np.allclose(self.phi.function(2 * z), 2 * self.phi.function(z)))

    @property
    def norm(self) -> tuple[LayerTrace, Normalization] | None:
        """The normalization of its output, which undoes the scale of its weight."""
        first = self.after[0] if self.after else (None, None)
        return first if isinstance(first[1], Normalization) else None

    @property
    def signal(self) -> LayerTrace:
        """The normalized output, or that of the layer itself."""
        return self.norm[0] if self.norm else self.row

    @property
    def activation(self) -> LayerTrace | None:
        """The next activation, if its output is finite."""
        return next((row for row, _ in self.after if row.dead is not None), None)

    def flat(self, sign: int = 1, shift: np.ndarray | float = 0.0) -> np.ndarray:
        """For each unit: whether its activation has derivative 0 on the whole batch, at sign z - shift."""
        before = self.row
        for row, layer in self.after:
            if row.dead is not None:
                z = sign * before.output - shift
                return flat_units(layer.activation, z, layer.activation.function(z))
            before = row
        return np.zeros(self.row.units, bool)


class Sum(NamedTuple):
    """The output of one Residual: rms of its input and output; share that saturates the next activation."""

    path: str
    before: float
    after: float
    saturated: float | None


@dataclass(frozen=True, eq=False)
class Case:
    """All that a question may look at; `loss` is that of the labels that are in range."""

    model: Layer
    x: np.ndarray
    start: np.ndarray  # what reaches the first weight: x, or x normalized
    y: np.ndarray | None
    classes: int
    loss: float | None
    trace: Trace
    steps: tuple[Step, ...]
    sums: tuple[Sum, ...]

    @cached_property
    def residual(self) -> bool:
        """Whether the model holds a Residual."""
        return any(isinstance(layer, Residual) for _, layer in self.model.named_layers())

    @cached_property
    def normalizes_input(self) -> bool:
        """Whether a normalization comes before the first weight."""
        layers = dict(self.model.named_layers())
        before = itertools.takewhile(lambda row: row.weight_std is None, self.trace)
        return any(isinstance(layers[row.name], Normalization) for row in before)

    @cached_property
    def input_rms(self) -> float:
        """Root of the second moment of what reaches the first weight."""
        return rms(self.start)

    @property
    def shifted_columns(self) -> float:
        """Share of the input's columns whose mean is more than two of their own std away from 0."""
        if len(self.x) == 1:
            return 0.0  # one example shows no std
        columns = self.x.reshape(len(self.x), -1).astype(np.float64)
        return float(np.mean(np.abs(columns.mean(axis=0)) > 2 * columns.std(axis=0)))


def rms(values: np.ndarray) -> float:
    """Root of the second moment, in float64."""
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def examine(model: Layer, x: np.ndarray, y=None) -> Case:
    """One pass forward and backward, and the loss of the labels that are in range.

    The backward pass starts from a random gradient of variance 1, so it needs no labels. Raises ValueError
    for a model without weights, and what `trace` raises.
    """
    seen = {"classes": 0, "loss": None}

    def start(output):
        seen["classes"] = output.shape[-1]
        if y is not None:
            seen["loss"], _ = softmax_cross_entropy(output, np.clip(y, 0, output.shape[-1] - 1))
        return np.random.default_rng(0).standard_normal(output.shape).astype(output.dtype)

    traced = trace(model, x, output_gradient=start, keep=True)
    if all(row.weight_std is None for row in traced):
        raise ValueError(f"model must hold a layer with a weight, got {type(model).__name__} without any.")
    walk = _Walk(traced)
    walk.output(model, "", x)
    steps = _steps(model, traced, walk.inputs)
    reaches = walk.inputs.get(steps[0].row.name)  # None inside a container of another class
    return Case(
        model=model,
        x=x,
        start=x if reaches is None else reaches,
        y=None if y is None else np.asarray(y),
        trace=traced,
        steps=steps,
        sums=tuple(walk.sums),
        **seen,
    )


class _Walk:
    """Follows the traced outputs through the model: the input of each leaf, and the sum of each Residual.

    A container of another class combines its parts as it likes: what comes out of it, and of all that follows
    until the next leaf, is unknown (None).
    """

    def __init__(self, traced):
        self.rows = {row.name: i for i, row in enumerate(traced)}
        self.trace, self.inputs, self.sums, self.end = traced, {}, [], 0

    def output(self, layer, path, x):
        if path in self.rows:
            self.inputs[path], self.end = x, self.rows[path]
            return self.trace[self.end].output
        if isinstance(layer, Sequential):
            for name, part in layer.children():
                x = self.output(part, _join(path, name), x)
            return x
        if not isinstance(layer, Residual):
            return None
        skip = x
        if layer.shortcut is not None:
            skip = self.output(layer.shortcut, _join(path, "shortcut"), x)
        branch = self.output(layer.branch, _join(path, "branch"), x)
        if any(part is None for part in (x, skip, branch)):
            return None
        self.sums.append(Sum(path, rms(x), rms(skip + branch), self._saturated()))
        return skip + branch

    def _saturated(self):
        """Of the first activation behind the last leaf seen, before the next weight."""
        for row in itertools.islice(self.trace.layers, self.end + 1, None):
            if row.dead is not None or row.weight_std is not None:
                return row.saturated
        return None


def _join(path, name):
    return f"{path}.{name}" if path else name


def _arms(model) -> dict[str, tuple[str, ...]]:
    """Path of each layer -> the branches and shortcuts around it, from the outermost to the innermost."""
    arms = {path: () for path, _ in model.named_layers()}
    for path, layer in model.named_layers():
        if isinstance(layer, Residual):
            for name, part in layer.children():
                for inner, _ in part.named_layers(_join(path, name)):
                    arms[inner] = (*arms[inner], _join(path, name))
    return arms


def _steps(model, traced, inputs) -> tuple[Step, ...]:
    layers, arms, rows, steps = dict(model.named_layers()), _arms(model), list(traced), []
    branches = {_join(path, "branch") for path, layer in layers.items() if isinstance(layer, Residual)}
    starts = [i for i, row in enumerate(rows) if row.weight_std is not None]
    ends = {arm: start for start in starts for arm in arms[rows[start].name]}  # the last weight of each
    phi = get_activation("identity")
    for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
        name, after = rows[start].name, []
        own = arms[name]
        for row in rows[start + 1 : end]:
            if arms[row.name][: len(own)] != own:
                break  # behind the sum: its signal is not this layer's alone
            after.append((row, layers[row.name]))
        phi = next((layer.activation for _, layer in after if isinstance(layer, Activation)), phi)
        last = own[-1] in branches and ends[own[-1]] == start if own else end == len(rows)
        in_branch = any(arm in branches for arm in own)
        inside = _inside(layers[name], inputs.get(name))
        steps.append(Step(rows[start], layers[name], tuple(after), in_branch, last, phi, inside))
    return tuple(steps)


def _inside(layer, x) -> float:
    """Share of the taps of a convolution that meet a pixel, over all positions; 1 for any other layer."""
    if x is None or not isinstance(layer, Conv2d) or layer.padding == "valid":
        return 1.0
    shares = []
    for n in x.shape[1:3]:
        starts = np.arange(0, n, layer.stride)
        margin = max(starts[-1] + layer.kernel_size - n, 0)
        taps = starts[:, None] - margin // 2 + np.arange(layer.kernel_size)
        shares.append(np.mean((taps >= 0) & (taps < n)))
    return float(np.prod(shares))

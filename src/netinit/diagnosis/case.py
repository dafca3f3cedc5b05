"""What `diagnose` looks at: each layer with a weight, what follows it, and the sums of the residual blocks.

This is the ground floor of the room. `examine` runs one batch forward and backward and sorts the rows of the
trace: a `Step` is a layer with a weight and what its output alone passes through next, a `Sum` is the output
of a `Residual`. It judges nothing; `layer_faults` and `depth_faults`, which do, only read what it found.
"""

import itertools
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from netinit.activations import ActivationFunction, get_activation
from netinit.checks import as_array
from netinit.diagnosis.repeats import repeated
from netinit.layers import Activation, Conv2d, Layer, Parameter
from netinit.layers.base import bias_of, weight_of
from netinit.layers.normalization import Normalization
from netinit.losses import softmax_cross_entropy
from netinit.models import Residual, Sequential
from netinit.trace import LayerTrace, Trace, flat_units, trace


class Finding(NamedTuple):
    """One fault: where (a layer's path, "input" or "labels"), what is wrong, how it shows, what to do.

    `kind` is the layer as it prints, such as "Linear(64, 64)".

    >>> Finding("0", "weights too small", "std 0.01", "initialize with he_normal").remedy
    'initialize with he_normal'
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
    parameter: Parameter  # the matrix or kernel
    after: tuple[tuple[LayerTrace, Layer], ...]
    in_branch: bool  # of a Residual: small weights do no harm there, the skip path carries the signal
    last: bool  # of the network or of a branch: may be zero, because the units before it differ all the same
    phi: ActivationFunction  # the one after it, or before it where none is
    inside: float  # share of a kernel that lies on the image and not on its border of zeros

    @property
    def weight(self) -> np.ndarray:
        """The matrix or kernel itself."""
        return self.parameter.value

    @property
    def bias(self) -> np.ndarray | None:
        """The vector added to each output, if any."""
        bias = bias_of(self.layer)
        return None if bias is None else bias.value

    @property
    def fan_in(self) -> int:
        """Inputs of one unit."""
        return math.prod(self.weight.shape[:-1])

    @property
    def fan_out(self) -> float:
        """Units that one input reaches."""
        return math.prod(self.weight.shape[:-2]) * self.weight.shape[-1] / self.layer.groups

    @property
    def fan_avg(self) -> float:
        """The mean of both."""
        return (self.fan_in + self.fan_out) / 2

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
        z = np.array([-2.0, -1.0, 1.0, 2.0])
        return bool(np.allclose(self.phi.function(2 * z), 2 * self.phi.function(z)))

    @property
    def norm(self) -> tuple[LayerTrace, Normalization] | None:
        """The normalization of its output, which undoes the scale of its weight."""
        for row, layer in self.after[:1]:
            if isinstance(layer, Normalization):
                return row, layer
        return None

    @property
    def signal(self) -> LayerTrace:
        """The normalized output, or that of the layer itself."""
        return self.norm[0] if self.norm else self.row

    @property
    def activation(self) -> LayerTrace | None:
        """The next activation, if its output is finite."""
        return next((row for row, _ in self.after if row.dead is not None), None)

    def flat(self, sign: int = 1, shift: Any = 0.0) -> np.ndarray:
        """For each unit: whether its activation has derivative 0 on the whole batch, at sign z - shift."""
        before = self.row
        for row, layer in self.after:
            if isinstance(layer, Activation) and row.dead is not None:
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
    y: np.ndarray | None  # labels, or targets in the shape of the output
    classes: int
    loss: float | None
    trace: Trace
    steps: tuple[Step, ...]
    sums: tuple[Sum, ...]

    @property
    def targets(self) -> bool:
        """Whether y holds numbers to come near to, in place of the numbers of classes."""
        return self.y is not None and self.y.dtype.kind == "f"

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
    def active_rms(self) -> float:
        """That of the entries of x that are not 0: 1 for rows with a single 1, however many their columns."""
        return rms(self.x[self.x != 0]) if self.x.any() else 0.0

    @property
    def sound_size(self) -> float:
        """What a signal may have: the size of the input, or 1, to which weights may bring a smaller one."""
        return max(1.0, self.input_rms)

    @cached_property
    def repeats(self) -> dict[str, str]:
        """Path of each layer that starts with the numbers of one before it -> path of that one."""
        return repeated((step.row.name, step.parameter) for step in self.steps)

    @property
    def shared(self) -> float:
        """Share of the input's second moment that is that of the column means: what all examples share."""
        if len(self.x) == 1:
            return 0.0  # one example shows no mean
        return (rms(self.x.mean(axis=0, dtype=np.float64)) / rms(self.x)) ** 2


def rms(values: np.ndarray) -> float:
    """Root of the second moment, in float64."""
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def examine(model: Layer, x: np.ndarray, y=None) -> Case:
    """One pass forward and backward, and the loss of the labels that are in range.

    y holds labels (batch,), or targets in the shape of the output. The backward pass starts from a random
    gradient of variance 1, so it needs neither. Raises ValueError for a model without weights, and what
    `trace` raises.
    """
    outputs = []

    def start(output):
        outputs.append(output)
        return np.random.default_rng(0).standard_normal(output.shape).astype(output.dtype)

    traced = trace(model, x, output_gradient=start, keep=True)
    if all(row.weight_std is None for row in traced):
        raise ValueError(f"model must hold a layer with a weight, got {type(model).__name__} without any.")
    y = None if y is None else as_array("y", y)
    walk = _Walk(traced)
    walk.output(model, "", x)
    steps = _steps(model, traced, walk.inputs)
    reaches = walk.inputs.get(steps[0].row.name)  # None inside a container of another class
    return Case(
        model=model,
        x=x,
        start=x if reaches is None else reaches,
        y=y,
        classes=outputs[0].shape[-1],
        loss=_loss(outputs[0], y),
        trace=traced,
        steps=steps,
        sums=tuple(walk.sums),
    )


def _loss(output, y):
    """The loss of the labels, each moved into the range of the classes; None without labels."""
    if y is None or (y.dtype.kind == "f" and y.shape == output.shape):
        return None
    return softmax_cross_entropy(output, np.clip(y, 0, output.shape[-1] - 1))[0]


class _Walk:
    """Follows the traced outputs through the model: the input of each leaf, and the sum of each Residual.

    A container of another class combines its parts as it likes: what comes out of it, and of all that follows
    until the next leaf, is unknown (None).
    """

    def __init__(self, traced: Trace):
        self.trace = traced
        self.places = {row.name: place for place, row in enumerate(traced)}  # of the leaves in the trace
        self.inputs: dict[str, np.ndarray | None] = {}
        self.sums: list[Sum] = []
        self.place = 0  # of the last leaf passed

    def output(self, layer, path, x):
        """What the layer at this path makes of x, its output on the input of the model."""
        if path in self.places:
            self.inputs[path], self.place = x, self.places[path]
            return self.trace[self.place].output
        if isinstance(layer, Sequential):
            for name, part in layer.children():
                x = self.output(part, _join(path, name), x)
            return x
        return self._sum(layer, path, x) if isinstance(layer, Residual) else None

    def _sum(self, block, path, x):
        skip = x
        if block.shortcut is not None:
            skip = self.output(block.shortcut, _join(path, "shortcut"), x)
        branch = self.output(block.branch, _join(path, "branch"), x)
        if any(part is None for part in (x, skip, branch)):
            return None
        self.sums.append(Sum(path, rms(x), rms(skip + branch), self._saturated()))
        return skip + branch

    def _saturated(self):
        """Of the first activation behind the last leaf passed, before the next weight."""
        for row in self.trace[self.place + 1 :]:
            if row.dead is not None or row.weight_std is not None:
                return row.saturated
        return None


def _join(path, name):
    return f"{path}.{name}" if path else name


def _arms(model) -> dict[str, tuple[str, ...]]:
    """Path of each layer -> the branches and shortcuts around it, from the outermost to the innermost."""
    arms: dict[str, tuple[str, ...]] = {path: () for path, _ in model.named_layers()}
    for path, layer in model.named_layers():
        if isinstance(layer, Residual):
            for name, part in layer.children():
                for inner, _ in part.named_layers(_join(path, name)):
                    arms[inner] = (*arms[inner], _join(path, name))
    return arms


def _is_branch(arm):
    return arm.rpartition(".")[2] == "branch"


def _steps(model, traced, inputs) -> tuple[Step, ...]:
    """One step for each layer with a weight, in the order of execution."""
    layers, arms, rows = dict(model.named_layers()), _arms(model), list(traced)
    weights = {path: weight for path, layer in layers.items() if (weight := weight_of(layer)) is not None}
    starts = [i for i, row in enumerate(rows) if row.weight_std is not None]
    ends = {arm: start for start in starts for arm in arms[rows[start].name]}  # the last weight of each
    steps, phi = [], get_activation("identity")
    for start, end in itertools.pairwise([*starts, len(rows)]):
        name = rows[start].name
        layer, own = layers[name], arms[name]
        after = tuple((row, layers[row.name]) for row in _alone(rows[start:end], arms))
        phi = next((part.activation for _, part in after if isinstance(part, Activation)), phi)
        last = _is_branch(own[-1]) and ends[own[-1]] == start if own else end == len(rows)
        in_branch = any(_is_branch(arm) for arm in own)
        inside = _inside(layer, inputs.get(name))
        steps.append(Step(rows[start], layer, weights[name], after, in_branch, last, phi, inside))
    return tuple(steps)


def _alone(rows, arms):
    """The rows behind the first one, up to the end of its branch: the sum there is not its signal alone."""
    own = arms[rows[0].name]
    return itertools.takewhile(lambda row: arms[row.name][: len(own)] == own, rows[1:])


def _inside(layer, x) -> float:
    """Share of the taps of a convolution that meet a pixel, over all positions; 1 for any other layer.

    That is what the same convolution with the taps of a mean makes of an image of ones.
    """
    if x is None or not isinstance(layer, Conv2d):
        return 1.0
    mean = Conv2d(1, 1, layer.kernel_size, layer.stride, layer.padding, bias=False)
    mean.weight.value[...] = 1 / layer.kernel_size**2
    _, height, width, _ = x.shape
    return float(mean(np.ones((1, height, width, 1), np.float32)).mean())

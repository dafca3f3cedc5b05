"""The pictures of chapter 16, PyTorch, JAX and Keras."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from netinit import initializers, theory
from netinit.activations import get_activation
from netinit.builders import mlp
from netinit.figures._shared import PHONE, PLACE
from netinit.initialize import initialize
from netinit.layers import Linear
from netinit.models import Sequential
from netinit.trace import trace

NEEDED = {"ReLU": 2.0, "tanh": 1.0}  # n_in Var[W] that keeps the second moment level
N_VAR = r"$n_\mathrm{in}\,\mathrm{Var}[W]$"
MARKERS = {"PyTorch": "o", "Keras": "s", "Flax": "D"}
COLORS = {"PyTorch": "C0", "Keras": "C1", "He": "C2", "Flax": "C6"}
SCALES = {"PyTorch": 1 / 3, "Keras": 1.0, "He": 2.0}  # n_in Var[W] of a square dense layer
SHAPES = {"selu": ("SELU", "o"), "tanh": ("tanh", "s"), "relu": ("ReLU", "D"), "silu": ("SiLU", "^")}
RIGHT = 4  # where the axis of n_in Var[W] ends
LABEL = {"facecolor": "white", "edgecolor": "none", "pad": 1}
CONNECTIONS = {  # the inputs and outputs of a kernel, as (input, output); a transposed one by pixel, of a row
    "convolution": [(i, o) for o in range(8) for i in range(8)],
    "grouped, 4 groups": [(i, o) for o in range(8) for i in range(8) if i // 2 == o // 2],
    "depthwise": [(i, i) for i in range(8)],
    "transposed, stride 2": [(i, 2 * i + k) for i in range(4) for k in range(3)],
}
STARTS = {  # by the name of a start
    "PyTorch": partial(initializers.variance_scaling, scale=1 / 3, distribution="uniform"),
    "Keras": initializers.xavier_uniform,
    "He": initializers.he_normal,
}


def network(start: str, rng: np.random.Generator) -> Sequential:
    """Eight hidden ReLU layers of 64 units on the digits, as a library starts them by default, or as He does.

    PyTorch draws the biases from the interval of the weights, +-1 / sqrt(n_in); the others are 0.
    """
    model = initialize(mlp([64] * 9 + [10]), STARTS[start], rng)
    if start == "PyTorch":
        for layer in model:
            if isinstance(layer, Linear):
                bound = 1 / math.sqrt(len(layer.weight.value))
                layer.bias.value[...] = rng.uniform(-bound, bound, layer.bias.value.shape)
    return model


def spread(model: Sequential, x: np.ndarray) -> list[float]:
    """What each ReLU layer still tells apart: the std of its outputs across images, mean over its units."""
    with np.errstate(over="ignore", invalid="ignore"):  # while a training diverges
        return [row.output.std(axis=0).mean() for row in trace(model, x, keep=True) if row.kind == "relu"]


def ported(by_rate: Mapping[float, Mapping[str, Sequence]], rate: float) -> Figure:
    """Validation accuracy by epoch at one learning rate, for each library: every run, and the median.

    by_rate[rate][library] holds the runs that `compare` returned. A run that diverged counts as 0 from
    there on.
    """
    fig, ax = plt.subplots(figsize=PHONE, layout="none", gridspec_kw=PLACE | {"left": 0.15})
    words, epochs = [], _longest(by_rate)
    for k, (library, runs) in enumerate(by_rate[rate].items()):
        curves = _padded([run.history.validation_accuracy for run in runs], epochs)
        ax.plot(curves.T, f"C{k}-", marker="", alpha=0.4, linewidth=1)
        middle = np.median(curves, axis=0)
        ax.plot(middle, f"C{k}{MARKERS[library]}-", linewidth=2.5, label=f"{library}'s default")
        words.append(f"{library}'s default ends at {middle[-1]:.2f}")
    ax.axhline(0.1, color="0.3", linestyle=":", linewidth=1.5, zorder=1, label="guessing")
    ax.set(xlabel="epoch", ylabel="validation accuracy", ylim=(0, 1))
    ax.set_title(f"learning rate {rate:g}")
    ax.legend(loc="upper left")
    fig.set_label(f"Medians of {len(runs)} runs at the learning rate {rate:g}: {'; '.join(words)}.")
    return fig


def _longest(by_rate) -> int:
    """The entries of the longest history."""
    groups = [runs for libraries in by_rate.values() for runs in libraries.values()]
    return max(len(run.history.validation_accuracy) for runs in groups for run in runs)


def _padded(curves: Sequence[Sequence[float]], length: int) -> np.ndarray:
    """Curves of one length: those that end early go on at 0."""
    return np.array([[*curve, *[0.0] * (length - len(curve))] for curve in curves])


def defaults(rows: Sequence[Mapping], activation: str) -> Figure:
    """What each layer draws by default in each library, and how far that is from what an activation needs."""
    needed, layers = NEEDED[activation], list(dict.fromkeys(row["layer"] for row in rows))
    libraries = [library for library in MARKERS if any(row["library"] == library for row in rows)]
    fig, ax = plt.subplots(figsize=(5.4, 3.7), layout="constrained")
    for name, value in NEEDED.items():
        chosen = name == activation
        ax.axvline(value, color="0.3" if chosen else "0.75", linestyle="-", linewidth=1 + chosen, zorder=1)
        side, weight = ("left" if value > 1 else "right"), ("bold" if chosen else "normal")
        ax.text(value, -0.68, f"{name}: {value:g}", ha=side, fontweight=weight)
    words = []
    for k, library in enumerate(libraries):
        for row in (row for row in rows if row["library"] == library):
            y = layers.index(row["layer"]) + 0.3 * (k - (len(libraries) - 1) / 2)
            _reach(ax, y, row, needed)
            place = {"transform": ax.get_yaxis_transform(), "va": "center", "fontsize": 10}
            ax.text(1.02, y, library, color=COLORS[library], **place)
            words.append(f"{library} {row['layer']} {row['n_var']:.3g}, {distance(row['n_var'], needed)}")
    _value_axis(ax, min(row["n_var"] for row in rows))
    ax.set_ylim(len(layers) - 0.5, -0.6)
    ax.set_yticks(range(len(layers)), layers)
    ax.grid(False)
    fig.set_label(f"{activation} needs {needed:g}. {'; '.join(words)}.")
    return fig


def _reach(ax, y, row, needed) -> None:
    """A line from a default to what is needed, and how far that is."""
    color, value = COLORS[row["library"]], row["n_var"]
    ax.plot([value, needed], [y, y], f"{color}-", marker="", alpha=0.5, linewidth=2)
    ax.plot(value, y, f"{color}{MARKERS[row['library']]}", markersize=6)
    left = 0.86 * min(value, needed)  # on the right stand the names of the libraries
    ax.text(left, y, distance(value, needed), ha="right", va="center", fontsize=10, bbox=LABEL)


def _value_axis(ax, smallest, free=0.38) -> None:
    """A logarithmic axis of n_in Var[W]; left of the smallest value a part of it is free, for its words."""
    left = (smallest / RIGHT**free) ** (1 / (1 - free))
    ax.set(xscale="log", xlabel=f"inputs times variance, {N_VAR}", xlim=(left, RIGHT))
    ticks = {2 / 33: "2/33", 1 / 3: "1/3", 1: "1", 2: "2"}
    shown = {value: word for value, word in ticks.items() if value >= smallest}
    ax.set_xticks(list(shown), list(shown.values()))
    ax.minorticks_off()


def distance(value: float, needed: float) -> str:
    """How many times too small or too large a value is, in words; within 5 % it is right.

    >>> distance(0.5, 2)
    '4 × too small'
    """
    factor = max(value / needed, needed / value)
    if factor < 1.05:
        return "right"
    return f"{factor:.2g} × too {'small' if value < needed else 'large'}"


def signals(
    activations: Sequence[str], weights: str, *, depth: int = 20, width: int = 128, seeds: int = 5
) -> Figure:
    """The rms of the preactivations by layer for the weights of one start: theory and five seeds.

    A line for each activation, with its name and what is left after the last layer beside it.
    """
    scale, color, layers, ends = SCALES[weights], COLORS[weights], range(1, depth + 1), {}
    fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    for activation in activations:
        phi, (name, marker) = get_activation(activation), SHAPES[activation]
        predicted = [scale]  # the second moment of each layer; inputs of second moment 1
        for _ in layers[1:]:
            predicted.append(theory.variance_map(activation, predicted[-1], scale))
        runs = np.array([_rms_by_layer(phi, scale, depth, width, seed) for seed in range(seeds)])
        middle = np.median(runs, axis=0)
        bars = np.stack([middle - runs.min(axis=0), runs.max(axis=0) - middle])
        ax.plot(layers, np.sqrt(predicted), color=color, linestyle="-", linewidth=1.2, marker="")
        ax.errorbar(layers, middle, bars, fmt=marker, color=color, markersize=4.5, capsize=2)
        ends[name] = middle[-1]
    ax.set(yscale="log", xlabel="layer", ylabel="rms of the preactivations", ylim=(1e-11, 1e2))
    ax.set(xlim=(0, 1.42 * depth), xticks=[1, *range(5, depth + 1, 5)])
    ax.minorticks_off()
    _name_ends(ax, ends, depth + 0.7)
    title = "He's rule" if weights == "He" else f"{weights}'s default"
    ax.set_title(title)
    listed = ", ".join(f"{name} {end:.0e}" for name, end in ends.items())
    fig.set_label(f"{title}, rms after {depth} layers: {listed}.")
    return fig


def _name_ends(ax, ends, x) -> None:
    """The name of each curve and the value at its end, beside it."""
    places = _apart(np.log10(list(ends.values())), 0.8)
    for (name, end), place in zip(ends.items(), places, strict=True):
        ax.text(x, 10**place, f"{name}: {_power(end)}", va="center")


def _apart(places: Sequence[float], gap: float) -> np.ndarray:
    """Places of labels, moved up where two would be nearer than a gap."""
    moved = np.array(places, float)
    order = np.argsort(moved)
    for below, above in itertools.pairwise(order):
        moved[above] = max(moved[above], moved[below] + gap)
    return moved


def _power(value: float) -> str:
    r"""One digit times a power of ten, for a picture; plain from 0.1 to 100.

    >>> print(_power(2.3e-8))
    $2 \cdot 10^{-8}$
    """
    digit, power = f"{value:.0e}".split("e")
    if -1 <= int(power) <= 1:
        return f"{float(f'{value:.1g}'):g}"
    return rf"${digit} \cdot 10^{{{int(power)}}}$"


def _rms_by_layer(phi: Callable, scale: float, depth: int, width: int, seed: int) -> list[float]:
    """The rms of each layer's preactivations in one network, for weights of variance scale / width."""
    rng, rms = np.random.default_rng(seed), []
    h = rng.standard_normal((100, width), np.float32)
    for _ in range(depth):
        z = h @ initializers.variance_scaling((width, width), rng, scale=scale)
        h, rms = phi(z), [*rms, float(np.sqrt(np.mean(z**2)))]
    return rms


def cut_normal(cut: float) -> Figure:
    """A standard normal cut at +-cut, and the std that is left of it."""
    z = np.linspace(-4, 4, 801)
    phi = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    inside = np.abs(z) <= cut
    mass = math.erf(cut / math.sqrt(2))
    std = math.sqrt(1 - 2 * cut * math.exp(-(cut**2) / 2) / math.sqrt(2 * math.pi) / mass)
    fig, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
    ax.plot(z, phi, marker="", linestyle="--", label="before the cut")
    ax.fill_between(z, phi * inside / mass, alpha=0.4, label="after")
    ax.set(xlabel="weight, in std of the normal", yticks=[], ylim=(0, 0.65))
    ax.set_title(f"cut at {cut:g}: std {std:.3f} of what was asked for")
    ax.legend(loc="upper right")
    fig.set_label(f"A normal cut at {cut:g} standard deviations keeps a std of {std:.3f}.")
    return fig


def connections(kinds: Sequence[str]) -> Figure:
    """Which inputs one output sums, in some of CONNECTIONS: channels, or pixels of a transposed one."""
    fig, axes = plt.subplots(1, len(kinds), figsize=(6, 2.4), layout="constrained")
    fig.get_layout_engine().set(wspace=0.12)
    units = ["pixels" if kind.startswith("transposed") else "channels" for kind in kinds]
    for k, (ax, kind) in enumerate(zip(axes, kinds, strict=True)):
        rows = kind.startswith("transposed")
        _wires(ax, CONNECTIONS[kind], {4: "0.1", 5: "C3"} if rows else {4: "0.1"}, rows)
        ax.set(title=kind, xticks=[], ylim=(-0.2, 1.2), yticks=[])
        if not rows:
            ax.set_xlabel("each line: 3 × 3 weights")
        if k == 0 or units[k] != units[k - 1]:
            ax.set_yticks([0, 1], [f"{units[k]} in", f"{units[k]} out"])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)  # a drawing, not a chart
        ax.grid(False)
    counts = (f"{kind} {sum(o == 4 for _, o in CONNECTIONS[kind])}" for kind in kinds)
    fig.set_label(f"Inputs of the fifth output: {'; '.join(counts)}.")
    return fig


def _wires(ax, edges, marked, rows) -> None:
    """The lines of one kind; those of marked outputs have color, and their weights a name where by pixel."""
    for i, o in edges:
        x = 2 * i + 1 if rows else i  # an input pixel stands below the middle of its three outputs
        color, width, top = (marked[o], 2, 2) if o in marked else ("0.8", 1, 1)
        ax.plot([x, o], [0, 1], "-", color=color, linewidth=width, zorder=top)
        ax.plot([x, o], [0, 1], "o", color="0.3", markersize=6, zorder=3)
        if rows and o in marked:
            high = 0.65 if o == 5 else 0.3
            ax.text(x + high * (o - x), high, f"$w_{o - 2 * i}$", ha="center", bbox=LABEL, zorder=4)
    for o, color in marked.items():
        ax.plot(o, 1, "o", color=color, markersize=10, zorder=4)


def stamps(side: int = 4) -> Figure:
    """How many entries of a 3 x 3 kernel meet each output pixel of a transposed convolution with stride 2.

    Each input pixel stamps the kernel on the outputs, two pixels further on than the last; two stamps are
    outlined. One period of the pattern, away from the edges, has the mean 9/4.
    """
    along = np.bincount([2 * i + k for i in range(side) for k in range(3)])
    counts = np.outer(along, along)
    fig, ax = plt.subplots(figsize=(4.2, 4.2), layout="constrained")
    ax.imshow(counts, cmap="Blues", vmin=0, vmax=6)
    for (row, column), count in np.ndenumerate(counts):
        ax.text(column, row, count, ha="center", va="center")
    for corner, color in ((2, "C1"), (4, "C3")):
        ax.add_patch(plt.Rectangle((corner - 0.5, 1.5), 3, 3, fill=False, edgecolor=color, linewidth=3))
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    period = counts[2:4, 2:4]
    listed = ", ".join(map(str, period.ravel()))
    fig.set_label(f"Away from the edges the counts are {listed}, on average {period.mean():g}.")
    return fig

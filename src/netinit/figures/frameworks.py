"""The pictures of chapter 16, PyTorch, JAX and Keras."""

import math
from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from netinit import initializers, theory
from netinit.activations import get_activation
from netinit.plots import theory_and_measurement

NEEDED = {"ReLU": 2.0, "tanh": 1.0}  # n_in Var[W] that keeps the second moment level
N_VAR = r"$n_\mathrm{in}\,\mathrm{Var}[W]$"
MARKERS = {"PyTorch": "o", "Keras": "s"}
LABEL = {"facecolor": "white", "edgecolor": "none", "pad": 1}
CONNECTIONS = {  # the inputs and outputs of a kernel, as (input, output); a transposed one by pixel, of a row
    "convolution": [(i, o) for o in range(8) for i in range(8)],
    "grouped, 4 groups": [(i, o) for o in range(8) for i in range(8) if i // 2 == o // 2],
    "depthwise": [(i, i) for i in range(8)],
    "transposed, stride 2": [(i, 2 * i + k) for i in range(4) for k in range(3)],
}


def defaults(rows: Sequence[Mapping], activation: str) -> Figure:
    """What each layer draws by default in each library, and how far that is from what an activation needs."""
    needed, layers = NEEDED[activation], list(dict.fromkeys(row["layer"] for row in rows))
    fig, ax = plt.subplots(figsize=(5.4, 3.7), layout="constrained")
    for name, value in NEEDED.items():
        chosen = name == activation
        ax.axvline(value, color="C2" if chosen else "0.75", linestyle="-", linewidth=1 + 2 * chosen, zorder=1)
        side, weight = ("left" if value > 1 else "right"), ("bold" if chosen else "normal")
        ax.text(value, -0.65, f"{name}: {value:g}", ha=side, fontweight=weight)
    words = []
    for k, (library, marker) in enumerate(MARKERS.items()):
        for row in (row for row in rows if row["library"] == library):
            y, value = layers.index(row["layer"]) + 0.36 * k - 0.18, row["n_var"]
            ax.plot([value, needed], [y, y], f"C{k}-", marker="", alpha=0.5, linewidth=2)
            label = library if row["layer"] == layers[0] else None
            ax.plot(value, y, f"C{k}{marker}", markersize=7, label=label)
            side, away = ("left", 1.16) if value > needed else ("right", 0.86)
            ax.text(value * away, y, distance(value, needed), ha=side, va="center", fontsize=9)
            words.append(f"{library} {row['layer']} {value:.3g}, {distance(value, needed)}")
    ax.set(xscale="log", xlabel=N_VAR, xlim=(0.007, 8), ylim=(len(layers) - 0.5, -1))
    ax.set_yticks(range(len(layers)), layers)
    ax.set_xticks([0.1, 1], ["0.1", "1"])
    ax.grid(False)
    fig.legend(loc="outside upper center", ncols=2)
    fig.set_label(f"{activation} needs {needed:g}. {'; '.join(words)}.")
    return fig


def distance(value: float, needed: float) -> str:
    """How many times too small or too large a value is, in words; within 5 % it is right.

    >>> distance(0.5, 2)
    '4 × too small'
    """
    factor = max(value / needed, needed / value)
    if factor < 1.05:
        return "right"
    return f"{factor:.2g} × too {'small' if value < needed else 'large'}"


def signals(scales: Mapping[str, float], activation: str, *, depth: int = 20, width: int = 128) -> Figure:
    """The rms of the preactivations by layer for weights of variance scale / width: theory and five seeds."""
    phi, layers, words = get_activation(activation), range(1, depth + 1), []
    fig, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
    for name, scale in scales.items():
        predicted = [scale]  # the second moment of each layer; inputs of second moment 1
        for _ in layers[1:]:
            predicted.append(theory.variance_map(activation, predicted[-1], scale))
        runs = [_rms_by_layer(phi, scale, depth, width, seed) for seed in range(5)]
        theory_and_measurement(ax, layers, np.sqrt(predicted), runs, name)
        words.append(f"{name} ends at {np.median(runs, axis=0)[-1]:.1g}")
    ax.set(yscale="log", xlabel="layer", ylabel="rms of z", xticks=layers[::3], ylim=(1e-9, 1e3))
    handles, labels = ax.get_legend_handles_labels()
    named = [(handle, label) for handle, label in zip(handles, labels, strict=True) if "theory" in label]
    ax.legend(
        [handle for handle, _ in named],
        [label.removesuffix(", theory") for _, label in named],
        loc="lower left",
    )
    ax.set_title(activation)
    fig.set_label(f"{activation}, {depth} layers: {', '.join(words)}.")
    return fig


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


def connections() -> Figure:
    """Which inputs one output sums: channels of three convolutions, pixels of a transposed one."""
    fig, axes = plt.subplots(2, 2, figsize=(6, 4.6), layout="constrained")
    for ax, (kind, edges) in zip(axes.flat, CONNECTIONS.items(), strict=True):
        rows = kind.startswith("transposed")
        marked = {4: "C0", 5: "C1"} if rows else {4: "C0"}
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
        ax.set(title=kind, xticks=[], ylim=(-0.2, 1.2), yticks=[0, 1])
        ax.set_yticklabels(["pixels in", "pixels out"] if rows else ["channels in", "channels out"])
        ax.grid(False)
    counts = (f"{kind} {sum(o == 4 for _, o in edges)}" for kind, edges in CONNECTIONS.items())
    fig.set_label(f"Inputs of the fifth output: {'; '.join(counts)}.")
    return fig

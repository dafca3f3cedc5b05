"""The pictures of chapter 16, PyTorch, JAX and Keras."""

import math
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from netinit import initializers, theory
from netinit.activations import get_activation
from netinit.plots import theory_and_measurement

HALF_WIDTHS = np.linspace(-3, 3, 601)


def density(draw: str, n_var: float) -> np.ndarray:
    """The density of sqrt(n_in) W on `HALF_WIDTHS`; `draw` as the table names it."""
    z = HALF_WIDTHS / np.sqrt(n_var)
    if draw == "uniform":
        return (np.abs(z) <= np.sqrt(3)) / np.sqrt(12 * n_var)
    return np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi * n_var)


def defaults(rows: Sequence[Mapping], layer: str) -> Figure:
    """What one layer draws by default in each library, beside He: the distribution, and n_in Var[W]."""
    shown = {row["library"]: row for row in rows if row["layer"] == layer}
    shown["He, ReLU"] = {"draw": "normal", "n_var": 2.0}
    fig, (left, right) = plt.subplots(1, 2, figsize=(5.4, 3.3), layout="constrained")
    for name, row in shown.items():
        left.plot(HALF_WIDTHS, density(row["draw"], row["n_var"]), marker="", label=name)
    left.set(xlabel="weight times root of n_in", yticks=[], ylim=(0, 1.25), title=f"{layer}: density")
    left.legend(loc="upper left", fontsize=9)
    bars = right.bar(list(shown), [row["n_var"] for row in shown.values()], color=["C0", "C1", "C2"])
    right.bar_label(bars, [f"{row['n_var']:.3g}" for row in shown.values()])
    right.set(yscale="log", ylim=(5e-4, 6), title="n_in times Var[W]")
    words = "; ".join(f"{name} {row['draw']}, n_in Var {row['n_var']:.3g}" for name, row in shown.items())
    fig.set_label(f"{layer}: {words}.")
    return fig


def signals(scales: Mapping[str, float], activation: str, *, depth: int = 20, width: int = 128) -> Figure:
    """The rms of the preactivations by layer for weights of variance scale / width: theory and five seeds."""
    phi, layers, words = get_activation(activation), range(1, depth + 1), []
    fig, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
    for name, scale in scales.items():
        predicted, runs = [scale], []  # the second moment of each layer; inputs of second moment 1
        for _ in layers[1:]:
            predicted.append(theory.variance_map(activation, predicted[-1], scale))
        for seed in range(5):
            rng, rms = np.random.default_rng(seed), []
            h = rng.standard_normal((100, width), np.float32)
            for _ in layers:
                z = h @ initializers.variance_scaling((width, width), rng, scale=scale)
                h, rms = phi(z), [*rms, float(np.sqrt(np.mean(z**2)))]
            runs.append(rms)
        theory_and_measurement(ax, layers, np.sqrt(predicted), runs, name)
        words.append(f"{name} ends at {np.median(runs, axis=0)[-1]:.1g}")
    ax.set(yscale="log", xlabel="layer", ylabel="rms of z", xticks=layers[::3], ylim=(1e-9, 1e3))
    ax.legend(loc="lower left", fontsize=9)
    ax.set_title(activation)
    fig.set_label(f"{activation}, {depth} layers: {', '.join(words)}.")
    return fig


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

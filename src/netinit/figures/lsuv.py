"""The pictures of chapter 9, LSUV."""

from collections.abc import Mapping, Sequence
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from netinit.activations import ActivationFunction, get_activation
from netinit.data import load_digits
from netinit.figures._shared import PHONE
from netinit.initialize import initialize
from netinit.layers import Activation, Linear
from netinit.models import Sequential
from netinit.plots import theory_and_measurement, training_frame
from netinit.trace import trace

SQUARE = ActivationFunction(
    "squared relu", lambda z: np.maximum(z, 0) ** 2, lambda z, y: np.where(z > 0, 2 * np.sqrt(y), 0)
)
SCHEMES = {"He": "#0072B2", "LSUV": "#D55E00"}  # the same colors in all pictures; other starts are gray
TIGHT = {"handletextpad": 0.3, "columnspacing": 1.2, "borderpad": 0.2}  # a legend of one row
LIMITS = 1e-3, 5  # of the std in the walk
WALK = {"left": 0.19, "right": 0.985, "bottom": 0.17, "top": 0.88}  # where its axes stand
UNITS = {"left": 0.17, "right": 0.63, "bottom": 0.15, "top": 0.81}
BETWEEN = {"rotation": 90, "color": "0.4", "fontsize": 10, "ha": "center", "va": "bottom"}
SPANS = {"tanh": [-1, 0, 1], "sigmoid": [0, 0.5, 1], "relu": [0, 2, 4, 6]}  # the outputs that `chase` shows


def walk(layers_done: int) -> Figure:
    """The std of each layer of ten squared ReLU and tanh layers once LSUV has set so many of them."""
    first, now = _walk()[0], _walk()[layers_done]
    fig, ax = plt.subplots(figsize=(4.6, 3.1), layout="none", gridspec_kw=WALK)
    layers = np.arange(1, len(now) + 1)
    done = layers <= layers_done
    for k in range(1, len(now)):  # a square follows each odd layer, a tanh each even one
        if k % 2:
            ax.axvspan(k + 0.12, k + 0.88, color="0.87", linewidth=0, zorder=0)
        ax.text(k + 0.5, 1.25e-3, "squared ReLU" if k % 2 else "tanh", **BETWEEN)
    ax.axhline(1, color="0.3", linestyle="-", linewidth=1, marker="")
    ax.plot(layers, first, "o", markerfacecolor="white", color="0.55", markersize=9, label="at the start")
    ax.vlines(layers[~done], np.minimum(now[~done], 1), np.maximum(now[~done], 1), color="0.45")
    ax.plot(layers[~done], now[~done], "o", color="0.45", markersize=9, label="now")
    ax.plot(layers[done], now[done], "s", color="C1", markersize=9, label="set by LSUV")
    ax.set(yscale="log", ylim=LIMITS, xticks=layers, xlabel="layer", ylabel="std of preactivations")
    ax.set_yticks([0.001, 0.01, 0.1, 1], ["0.001", "0.01", "0.1", "1"])
    ax.minorticks_off()
    ax.grid(False, axis="x")
    fig.legend(loc="upper center", ncols=3, frameon=False, **TIGHT)
    k = layers_done - 1  # the layer that was set last, from 0
    found = f"LSUV divided layer {layers_done} by {_walk()[k][k]:.2g}; " if layers_done else ""
    fig.set_label(f"{found}{layers_done} of {len(now)} layers have std 1, the last has {now[-1]:.1g}.")
    return fig


@cache
def _walk() -> list[np.ndarray]:
    """The stds by layer before and after each division."""
    hidden = [part for kind in [SQUARE, "tanh"] * 5 for part in (Activation(kind), Linear(100, 100))]
    hidden[-1] = Linear(100, 10)
    model = Sequential(Linear(64, 100), *hidden).astype(np.float64)
    batch = load_digits().x_train[:512]
    initialize(model, "orthogonal", np.random.default_rng(0))
    stds = [trace(model, batch).column("std", "Linear")]
    for k in range(len(stds[0])):
        model[2 * k].weight.value /= stds[-1][k]
        stds.append(trace(model, batch).column("std", "Linear"))
    return stds


def first_epoch(reached: Mapping[str, np.ndarray]) -> Figure:
    """Test accuracies by start, reached[start] (seeds,): a dot for each seed, a bar at the median."""
    fig, ax = plt.subplots(figsize=(4.6, 2.6))
    for row, (name, values) in enumerate(reached.items()):
        color = SCHEMES.get(name, "0.45")
        ax.plot(values, np.full(len(values), row), "o", color=color, markersize=8, alpha=0.6)
        ax.plot(np.median(values), row, "|", color=color, markersize=22, markeredgewidth=2.5)
    ax.axvline(0.1, color="0.3", linestyle=":", linewidth=1.5, marker="")
    ax.text(0.12, 0, "guessing", color="0.3", va="center")
    ax.set_yticks(range(len(reached)), list(reached))
    ax.set(xlim=(0, 1), ylim=(len(reached) - 0.5, -0.5))
    ax.set_xlabel("test accuracy after one epoch")
    ax.grid(False, axis="y")
    return fig


def film(runs: Mapping[str, Sequence], epoch: int) -> Figure:
    """A training as `training_frame` shows it, with the std of each layer before training as a pale line."""
    colors = [SCHEMES.get(name, "0.45") for name in runs]
    cycle = plt.cycler(color=colors, linestyle=["-", "--"][: len(colors)])
    with plt.rc_context({"axes.prop_cycle": cycle}):
        fig = training_frame(runs, epoch, std="std of the preactivations")
    ax = fig.axes[2]
    for (run, *_), color in zip(runs.values(), colors, strict=True):
        stds = np.asarray(run.probes[0], float)
        ax.plot(range(1, len(stds) + 1), stds, color=color, linestyle="-", marker="", linewidth=4, alpha=0.25)
    ax.text(0.99, 0.05, "pale: before training", color="0.3", ha="right", transform=ax.transAxes)
    return fig


def stream(measured: np.ndarray) -> Figure:
    """Second moment of a stream by block: 1 + k, the runs (seeds, blocks + 1), and 2**k to compare."""
    fig, ax = plt.subplots()
    k = np.arange(measured.shape[1])
    theory_and_measurement(ax, k, 1.0 + k, measured, "LSUV")
    ax.plot(k, 2.0**k, color="C1", linestyle="--", label="He: $2^k$ (chapter 8)")
    ax.set(yscale="log", xlabel="blocks k", ylabel="second moment of the stream")
    ax.legend()
    return fig


def units(outputs: Mapping[int, np.ndarray], digit: np.ndarray) -> Figure:
    """Preactivations of zeros and ones in four units by layer, and the std between units and between digits.

    outputs[layer] is (examples, units), digit says what each example is; the stds are those of all of them.
    """
    fig, ax = plt.subplots(figsize=PHONE, layout="none", gridspec_kw=UNITS)
    layers = np.array(list(outputs))
    rows = np.arange(len(layers)) + 0.6 * np.cumsum(np.diff(layers, prepend=layers[0]) > 1)  # a gap is a gap
    for row, z in zip(rows, outputs.values(), strict=True):
        for place, column in zip(np.linspace(-0.3, 0.3, 4), z.T, strict=False):
            ax.axhline(row + place, color="0.85", linestyle="-", linewidth=0.8, marker="", zorder=0)
            for kind, (color, marker, filled) in enumerate((("C2", "o", "full"), ("C3", "D", "none"))):
                some = column[digit == kind][:8]
                look = {"color": color, "fillstyle": filled, "linestyle": "none"}
                ax.plot(some, np.full(len(some), row + place), marker=marker, markersize=6, **look)
        for x, std in ((1.18, z.mean(axis=0).std()), (1.58, z.std(axis=0).mean())):
            ax.text(x, row, f"{std:.2g}", ha="center", va="center", transform=ax.get_yaxis_transform())
    for x, name in ((1.18, "between\nunits"), (1.58, "between\ndigits"), (1.38, "std\n\n")):
        ax.text(x, rows[0] - 0.6, name, size=11, ha="center", va="bottom", transform=ax.get_yaxis_transform())
    for x, name, color in ((-1.5, "zeros", "C2"), (1.5, "ones", "C3")):
        ax.text(x, rows[0] - 0.6, name, color=color, ha="center", va="bottom", weight="bold")
    ax.set_yticks(rows, [f"layer {layer}" for layer in layers])
    ax.set(xlim=(-3, 3), ylim=(rows[-1] + 0.5, -0.5), xticks=range(-3, 4), xlabel="preactivation")
    ax.grid(False, axis="y")
    return fig


def chase(weights: np.ndarray, x: np.ndarray, *, iteration: int, activation: str) -> Figure:
    """The outputs of one layer after so many divisions by the std measured behind the activation."""
    function, scale = get_activation(activation).function, 1.0
    for _ in range(iteration):
        scale /= function(scale * (x @ weights)).std()
    outputs, ticks = function(scale * (x @ weights)), SPANS[activation]
    span = ticks[0], ticks[-1]
    counts, edges = np.histogram(np.clip(outputs, *span), 40, span)
    heights = counts / outputs.size
    fig, ax = plt.subplots(figsize=PHONE)
    ax.stairs(heights, edges, fill=True, color="0.55")
    ax.set(ylim=(0, 0.65), xlim=span, xticks=ticks)
    ax.set_yticks([0, 0.2, 0.4, 0.6], ["0", "20 %", "40 %", "60 %"])
    ax.set(xlabel=f"{activation} output, layer 1", ylabel="share of the outputs")
    ax.set_title(f"{_times(iteration)}: variance {outputs.var():.2f}, wanted 1")
    fig.set_label(
        f"{activation}, {_times(iteration)}: output variance {outputs.var():.3f}, weights multiplied by "
        f"{scale:.2f}, {heights[0] + heights[-1]:.0%} of the outputs in the outermost two of 40 bins."
    )
    return fig


def _times(divisions: int) -> str:
    return f"{divisions} division{'' if divisions == 1 else 's'}"


def mean_iterations(
    batches: list[int], theory: Mapping[str, np.ndarray], measured: Mapping[str, np.ndarray]
) -> Figure:
    """Mean iterations by batch size: theory[kind] (batches,), measured[kind] (seeds, batches, layers)."""
    fig, ax = plt.subplots()
    for kind, runs in measured.items():
        theory_and_measurement(ax, batches, theory[kind], runs.mean(axis=2), kind)
    ax.set(xscale="log", xlabel="batch size", ylabel="mean iterations", ylim=(0, 9))
    ax.set_xticks(batches, batches)
    ax.minorticks_off()
    ax.legend()
    return fig


def iterations(spent: Mapping, cap: int, *, batch_size: int, tolerance: float) -> Figure:
    """Iterations by layer, spent[batch_size, tolerance] = (used, expected), and the cap."""
    used, expected = spent[batch_size, tolerance]
    fig, ax = plt.subplots()
    layers = np.arange(1, len(used) + 1)
    ax.bar(layers, used, color="C0", alpha=0.6, label="measured, one seed")
    ax.plot(layers, expected, color="C1", marker=".", label="expected")
    ax.axhline(cap, color="0.3", linewidth=1, linestyle=":")
    ax.set(ylim=(0, 1.3 * cap), xlim=(0.3, len(used) + 0.7), xticks=layers[::4])
    ax.set(xlabel="layer (ReLU network)", ylabel="iterations")
    ax.set_title(f"batch {batch_size}, tolerance {tolerance}")
    ax.legend(ncols=2, loc="upper left")
    fig.set_label(
        f"Batch {batch_size}, tolerance {tolerance}: {used.sum()} iterations in {len(used)} layers, "
        f"{expected.sum():.0f} expected; {sum(used == cap)} layers used all {cap}."
    )
    return fig

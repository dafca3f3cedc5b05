"""The pictures of chapter 9, LSUV."""

from collections.abc import Mapping
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
from netinit.plots import theory_and_measurement
from netinit.trace import trace

SQUARE = ActivationFunction(
    "squared relu", lambda z: np.maximum(z, 0) ** 2, lambda z, y: np.where(z > 0, 2 * np.sqrt(y), 0)
)
TIGHT = {"handletextpad": 0.3, "columnspacing": 1, "borderpad": 0}  # a legend of one row
LIMITS = 1e-3, 5  # of the std in the walk
SPANS = {"tanh": [-1, 0, 1], "sigmoid": [0, 0.5, 1], "relu": [0, 2, 4, 6]}  # the outputs that `chase` shows


def walk(layers_done: int) -> Figure:
    """The std of each layer of ten squared ReLU and tanh layers once LSUV has set so many of them."""
    now = _walk()[layers_done]
    fig, ax = plt.subplots(figsize=(4.6, 3.1))
    layers = np.arange(1, len(now) + 1)
    done = layers <= layers_done
    for k in range(1, len(now), 2):  # a square follows each odd layer
        label = "a square between" if k == 1 else None
        ax.axvspan(k + 0.12, k + 0.88, color="0.85", linewidth=0, zorder=0, label=label)
    ax.axhline(1, color="0.3", linestyle="-", linewidth=1, marker="")
    for part, style in (done, {"color": "C1", "marker": "s"}), (~done, {"color": "0.45", "marker": "o"}):
        ax.vlines(layers[part], np.minimum(now[part], 1), np.maximum(now[part], 1), color=style["color"])
        label = "set" if part is done else "to come"
        ax.plot(layers[part], now[part], linestyle="none", markersize=9, label=label, **style)
    ax.set(yscale="log", ylim=LIMITS, xticks=layers)
    ax.set_yticks([0.001, 0.01, 0.1, 1], ["0.001", "0.01", "0.1", "1"])
    ax.set(xlabel="layer", ylabel="std of preactivations")
    ax.minorticks_off()
    ax.grid(False, axis="x")
    handles = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    names = ["to come", "set", "a square between"]
    fig.legend([handles[name] for name in names], names, loc="outside upper center", ncols=3, **TIGHT)
    fig.set_label(f"{layers_done} of {len(now)} layers have std 1, the last has {now[-1]:.1g}.")
    return fig


@cache
def _walk() -> list[np.ndarray]:
    """The stds by layer before and after each division."""
    hidden = [part for kind in [SQUARE, "tanh"] * 5 for part in (Activation(kind), Linear(100, 100))]
    model, batch = Sequential(Linear(64, 100), *hidden), load_digits().x_train[:256]
    initialize(model, "orthogonal", np.random.default_rng(1))
    stds = [trace(model, batch).column("std", "Linear")]
    for k in range(len(stds[0])):
        model[2 * k].weight.value /= stds[-1][k]
        stds.append(trace(model, batch).column("std", "Linear"))
    return stds


def stream(measured: np.ndarray) -> Figure:
    """Second moment of a stream by block: 1 + k, the runs (seeds, blocks + 1), and 2**k to compare."""
    fig, ax = plt.subplots()
    k = np.arange(measured.shape[1])
    theory_and_measurement(ax, k, 1.0 + k, measured, "LSUV")
    ax.plot(k, 2.0**k, color="C1", linestyle="--", label="He: $2^k$ (chapter 8)")
    ax.set(yscale="log", xlabel="blocks k", ylabel="second moment of the stream")
    ax.legend()
    return fig


def units(outputs: Mapping[int, np.ndarray]) -> Figure:
    """Preactivations in some units by layer, outputs[layer] (examples, units): a dot for each example."""
    fig, ax = plt.subplots(figsize=PHONE)
    for row, z in enumerate(outputs.values()):
        for place, column in zip(np.linspace(-0.3, 0.3, z.shape[1]), z.T, strict=True):
            ax.axhline(row + place, color="0.85", linestyle="-", linewidth=0.8, marker="", zorder=0)
            ax.plot(column, np.full(len(z), row + place), "o", color="C0", markersize=5, alpha=0.5)
    ax.set_yticks(range(len(outputs)), [f"layer {layer}" for layer in outputs])
    ax.set(xlim=(-3, 3), ylim=(len(outputs) - 0.5, -0.5), xticks=range(-3, 4), xlabel="preactivation")
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
    ax.stairs(heights, edges, fill=True, color="C0", alpha=0.7)
    ax.set(ylim=(0, 0.65), xlim=span, xticks=ticks)
    ax.set_yticks([0, 0.2, 0.4, 0.6], ["0", "20 %", "40 %", "60 %"])
    ax.set(xlabel=f"{activation} output, layer 1", ylabel="share of the outputs")
    ax.set_title(f"{iteration} divisions: variance {outputs.var():.2f}, wanted 1")
    fig.set_label(
        f"{activation}, {iteration} divisions: output variance {outputs.var():.3f}, weights multiplied by "
        f"{scale:.2f}, {heights[0] + heights[-1]:.0%} of the outputs in the outermost two of 40 bins."
    )
    return fig


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

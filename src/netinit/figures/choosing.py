"""The pictures of chapter 12, choosing an initializer, and its guide, whose answers are choosing.toml."""

import html
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from netinit.plots import Text, heatmap, lines_with_spread

LIBRARIES = ("netinit", "PyTorch", "JAX", "Keras")
PLAIN = ("dense", "convolution", "grouped", "depthwise", "transposed")  # where depth multiplies a factor


class Answer(NamedTuple):
    """What the guide says: the name, its variance and n_in as expressions, the reasons, a call each."""

    name: str
    variance: str
    n_in: str
    reasons: tuple[str, ...]
    calls: Mapping[str, str]


@cache
def table() -> dict:
    """The data of the guide, as it stands in choosing.toml."""
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def answer(activation: str, structure: str, depth: str, optimizer: str) -> Answer:
    """Look up the rule, the reasons and the calls; the arguments are keys of the table."""
    chosen, place = table()["activations"][activation], table()["structures"][structure]
    deep = structure in PLAIN and depth != "up to 5"
    rule = place if "name" in place else _rule(chosen, deep and structure == "dense")
    blanks = {"scale": chosen["scale"], "shape": place.get("shape"), "layer": place.get("layer")}
    reasons = [place["note"]]
    if structure in PLAIN:
        reasons = [chosen["why"], place["note"], table()["depths"][depth][optimizer]]
        reasons += [chosen["at_depth"]] if deep and "at_depth" in chosen else []
    calls = {library: rule[library].format(**blanks) for library in LIBRARIES}
    return Answer(rule["name"], rule["variance"].format(**blanks), place["n_in"], tuple(reasons), calls)


def _rule(activation, deep):
    """The rule of an activation: its own for deep stacks, where it has one."""
    return table()["rules"][activation["deep" if deep and "deep" in activation else "rule"]]


def guide(activation: str, structure: str, depth: str, optimizer: str) -> Text:
    """The answer as a text: the rule and its variance, the reasons, the calls to copy."""
    found = answer(activation, structure, depth, optimizer)
    label = (
        f"{activation}, {structure}, {depth} layers, {optimizer}: {found.name}, Var[W] = {found.variance}."
    )
    counted = "" if found.n_in in found.variance.split() else f" with <code>n_in = {found.n_in}</code>"
    head = f"<strong>{found.name}</strong>: <code>Var[W] = {found.variance}</code>" + counted * (
        "n_in" in found.variance
    )
    calls = "\n".join(
        f"# {library}\n{html.escape(call, quote=False)}" for library, call in found.calls.items()
    )
    words = html.escape(" ".join(found.reasons), quote=False)
    return Text(f'<p>{head}. {words}</p><pre style="white-space: pre-wrap">{calls}</pre>', label)


def matrix(cells: Sequence[Mapping], value: str, activation: str) -> Figure:
    """One activation as a heat map: a row for each initializer, a column for each optimizer and depth.

    `value` is "test accuracy", the median over the seeds, or "worst seed", their lowest.
    """
    reduce = {"test accuracy": np.median, "worst seed": np.min}[value]
    shown = [cell for cell in cells if cell["activation"] == activation]
    rows = list(dict.fromkeys(cell["initializer"] for cell in shown))
    columns = sorted(
        {(cell["optimizer"], cell["depth"]) for cell in shown}, key=lambda c: (c[0] != "SGD", c[1])
    )
    at = {(c["initializer"], c["optimizer"], c["depth"]): reduce(c["test_accuracy"]) for c in shown}
    grid = np.array([[at[row, *column] for column in columns] for row in rows])
    fig, ax = plt.subplots(layout="constrained")
    heatmap(ax, grid, rows, [f"{optimizer}\n{depth}" for optimizer, depth in columns])
    ax.images[0].set_clim(0, 1)
    for text, number in zip(ax.texts, grid.flat, strict=True):
        text.set_color("black" if number > 0.5 else "white")
    ax.set(xlabel="optimizer, hidden layers", title=f"{activation}: {value}")
    words = "; ".join(f"{row} {grid[i].min():.2f} to {grid[i].max():.2f}" for i, row in enumerate(rows))
    fig.set_label(f"{activation}, {value}, lowest to highest over depths and optimizers: {words}.")
    return fig


def last_layer(losses: Mapping[float, Sequence[float]], logits: np.ndarray, scale: float) -> Figure:
    """The loss before the first step against the std of the logits, and what one image is given.

    `losses` maps a scale to the loss of each seed, `logits` are those of one image at scale 1.
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(6, 3.4), layout="constrained")
    scales, runs = np.array(list(losses)), np.array(list(losses.values())).T
    left.plot(scales, np.log(len(logits)) + scales**2 / 2, marker="", label="ln C + s²/2")
    lines_with_spread(left, scales, runs, "measured", marker="o")
    left.axvline(scale, color="#444444", linestyle=":")
    left.set(xlabel="std s of the logits", ylabel="loss", ylim=(0, 16), title="before the first step")
    left.legend(loc="upper left")
    weights = np.exp(scale * logits - np.max(scale * logits))
    p, loss = weights / weights.sum(), float(np.median(losses[scale]))
    right.bar(range(len(p)), p)
    right.set(xlabel="digit", ylim=(0, 1), xticks=range(len(p)), title=f"one image, s = {scale:g}")
    fig.set_label(
        f"Std of the logits {scale:g}: median first loss {loss:.2f}; "
        f"largest probability of one image {p.max():.2f}."
    )
    return fig


def counts(measured: Mapping[str, Sequence[float]], predicted: Mapping[str, float]) -> Figure:
    """The second moment behind each structure, He by the fan of the array: predicted, and measured."""
    fig, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
    places = np.arange(len(measured))
    ax.plot(
        places, list(predicted.values()), linestyle="", marker="_", markersize=28, label="2 x count / fan"
    )
    for i, runs in enumerate(measured.values()):
        ax.plot(np.full(len(runs), i), runs, "o", color="C1", label="measured, 5 seeds" if i == 0 else None)
    ax.axhline(2, color="#444444", linestyle=":")
    ax.set_xticks(places, [name.replace(", ", "\n") for name in measured])
    ax.set(yscale="log", ylabel="second moment of z", ylim=(1e-3, 20))
    ax.legend(loc="lower left")
    words = "; ".join(
        f"{name} {np.median(runs):.2g}, predicted {predicted[name]:.2g}" for name, runs in measured.items()
    )
    fig.set_label(f"Second moment of the output of one layer, 2 being right: {words}.")
    return fig


def classes(right: np.ndarray) -> Figure:
    """The share of each class that each network gets right; `right` is (networks, classes)."""
    fig, ax = plt.subplots(figsize=(6, 2.6), layout="constrained")
    networks = [f"network {i + 1}" for i in range(len(right))]
    heatmap(ax, right, networks, range(right.shape[1]), digits=1)
    ax.set(xlabel="digit", title="ReLU on the logits: share of each digit that is right")
    lost = (np.asarray(right) < 0.1).sum(axis=1)
    fig.set_label(f"Digits that a network gets right less than once in ten: {', '.join(map(str, lost))}.")
    return fig


def optimizers(accuracy: Mapping[tuple[str, str], Sequence[float]]) -> Figure:
    """Median test accuracy for each start (rows) and optimizer (columns); keys are (start, optimizer)."""
    rows, columns = (list(dict.fromkeys(names)) for names in zip(*accuracy, strict=True))
    grid = np.array([[np.median(accuracy[row, column]) for column in columns] for row in rows])
    fig, ax = plt.subplots(figsize=(6, 2.6), layout="constrained")
    heatmap(ax, grid, rows, columns)
    words = "; ".join(
        f"{row}: " + ", ".join(f"{c} {v:.2f}" for c, v in zip(columns, line, strict=True))
        for row, line in zip(rows, grid, strict=True)
    )
    fig.set_label(f"Median test accuracy. {words}.")
    return fig


def decay(norms: Mapping[str, Mapping[float, Sequence[float]]], rate: float, weight_decay: float) -> Figure:
    """The rms of the weights step by step from two starts, at one weight decay; dashed: nothing but decay.

    `norms` maps a start to {weight decay: rms at each step}, `rate` is the learning rate.
    """
    fig, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
    words = []
    for i, (start, runs) in enumerate(norms.items()):
        measured = np.asarray(runs[weight_decay])
        steps = np.arange(len(measured))
        ax.plot(steps, measured, color=f"C{i}", marker="", linestyle="-", label=start)
        alone = measured[0] * (1 - rate * weight_decay) ** steps
        ax.plot(steps, alone, color=f"C{i}", marker="", linestyle="--")
        words.append(f"{start} from {measured[0]:.2f} to {measured[-1]:.2f}")
    ax.set(xlabel="step", ylabel="rms of the weights", yscale="log", ylim=(0.004, 1))
    ax.set_title(f"weight decay {weight_decay:g}; dashed: decay alone")
    ax.legend(loc="upper right")
    fig.set_label(f"Weight decay {weight_decay:g}, rms of the weights: {', '.join(words)}.")
    return fig


def memory(bias: float) -> Figure:
    """What is left of a cell after t steps when the forget gate is s(bias) at each."""
    steps, gate = np.arange(101), 1 / (1 + np.exp(-bias))
    half = np.log(2) / -np.log(gate)
    fig, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
    ax.plot(steps, gate**steps, marker="")
    ax.axvline(half, color="#444444", linestyle=":", label=f"half after {half:.3g} steps")
    ax.set(xlabel="step", ylabel="left of the cell", ylim=(0, 1.02), xlim=(0, 100))
    ax.set_title(f"forget bias {bias:g}: the gate is {gate:.3f}")
    ax.legend(loc="upper right")
    fig.set_label(f"Forget bias {bias:g}: gate {gate:.3f}, half of the cell is left after {half:.3g} steps.")
    return fig

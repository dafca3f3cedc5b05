"""The pictures of chapter 12, choosing an initializer, and its guide, whose answers are choosing.toml."""

import html
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import FuncNorm
from matplotlib.figure import Figure

from netinit import theory
from netinit.data import load_record
from netinit.figures._shared import PLACE
from netinit.plots import Text, heatmap

LIBRARIES = ("netinit", "PyTorch", "JAX", "Keras")
PLAIN = ("dense", "convolution", "grouped", "depthwise", "transposed")  # where depth multiplies a factor
MEASURED = {"up to 5": 2, "6 to 20": 18}  # the hidden layers in the record that stand for a depth
RELU, SEEN, THEORY = "C0", "C1", "#444444"  # what a color means in all pictures of the chapter


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
    """The answer as a text: the rule and its variance, what it was worth, the reasons, the calls to copy."""
    found = answer(activation, structure, depth, optimizer)
    label = (
        f"{activation}, {structure}, {depth} layers, {optimizer}: {found.name}, Var[W] = {found.variance}."
    )
    counted = f" with <code>n_in = {found.n_in}</code>" if "n_in" in found.variance else ""
    head = f"<strong>{found.name}</strong>: <code>Var[W] = {found.variance}</code>"
    head += counted if found.n_in != "n_in" else ""
    worth = measured(found.name, activation, structure, depth, optimizer)
    title = f"{MEASURED.get(depth)} such layers of 64 units, test accuracy (the line at the right is 1):"
    bars = _bars(worth, title) if worth else ""
    calls = "\n".join(
        f"# {library}\n{html.escape(call, quote=False)}" for library, call in found.calls.items()
    )
    words = re.sub("`(.*?)`", r"<code>\1</code>", html.escape(" ".join(found.reasons), quote=False))
    return Text(f'<p>{head}.</p>{bars}<p>{words}</p><pre style="white-space: pre-wrap">{calls}</pre>', label)


def measured(name: str, activation: str, structure: str, depth: str, optimizer: str) -> dict[str, float]:
    """The median test accuracy of this start and of PyTorch's default, where the record has them."""
    row = next((rule["row"] for rule in table()["rules"].values() if rule["name"] == name), None)
    if structure != "dense" or depth not in MEASURED:
        return {}
    place = (activation.lower(), MEASURED[depth], optimizer)
    found = {
        cell["initializer"]: float(np.median(cell["test_accuracy"]))
        for cell in _record()
        if (cell["activation"], cell["depth"], cell["optimizer"]) == place
    }
    return {name: found[row], "PyTorch default": found["PyTorch default"]} if row in found else {}


@cache
def _record() -> list[dict]:
    return load_record("initializer-matrix")["cells"]


def _bars(values, title):
    """Shares of 1 as bars of HTML, each with a line at 1, a name and a number; the first one is strong."""
    rows = "".join(
        f'<span>{name}</span><span style="border-right: 1px solid"><span style="display: block; '
        f"width: {value:.0%}; height: 0.8em; background: currentColor; "
        f'opacity: {0.45 if i else 0.9}"></span></span><span>{value:.2f}</span>'
        for i, (name, value) in enumerate(values.items())
    )
    grid = "display: grid; grid-template-columns: auto 1fr auto; gap: 0 0.7em; align-items: center"
    head = f'<span style="grid-column: 1 / 4">{title}</span>'
    return f'<div style="{grid}; max-width: 34em; margin-bottom: 1em">{head}{rows}</div>'


def levels(runs: Mapping[str, Sequence[Sequence[float]]]) -> Figure:
    """The mean square layer by layer, a line for each network of each start; gray: a sixth in each layer.

    `runs` maps "He" and "PyTorch default" to the networks, each a list with the level of the input first.
    """
    fig, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
    for (name, networks), style, place in zip(runs.items(), ("-", "--"), ((12, 8), (6, 1e-9)), strict=True):
        ax.plot(np.transpose(networks), style, color=RELU, lw=1.2)
        ax.text(*place, name, color=RELU, ha="right" if style == "--" else "center", va="bottom")
    layers = np.arange(len(next(iter(runs.values()))[0]))
    ax.plot(layers, 6.0**-layers, ":", color=THEORY, lw=2.5, zorder=3)
    ax.text(9, 2e-5, r"theory: $6^{-l}$", color=THEORY)
    ax.set(yscale="log", xlabel="hidden layer $l$ (0: the input)", ylabel="mean square")
    ax.set(xticks=layers[::3], ylim=(1e-15, 1e3))
    ends = ", ".join(f"{name} {np.median(np.array(runs[name])[:, -1]):.0e}" for name in runs)
    fig.set_label(f"Mean square behind the last of {layers[-1]} layers, median: {ends}.")
    return fig


@cache
def gradient_factor(initializer: str, activation: str, width: int = 64, depth: int = 6) -> float:
    """By what a layer multiplies the size of the gradient, in theory: the mean over the steps between layers.

    The initializers are the rows of the matrix; the inputs have mean square 1.
    """
    gain2 = theory.gain(activation) ** 2
    scales = {"std 0.01": width * 0.01**2, "PyTorch default": 1 / 3, "Xavier": 1, "He": 2}
    scale = scales.get(initializer, gain2)
    if (initializer, activation) == ("orthogonal", "tanh"):
        scale = 1
    q, log_factors = (1 if initializer == "LSUV" else scale), []
    for _ in range(depth - 1):
        log_factors.append(np.log(theory.chi(activation, q, scale)) / 2)
        q = theory.variance_map(activation, q, scale)
    return float(np.exp(np.mean(log_factors)))


def matrix(cells: Sequence[Mapping], value: str, activation: str) -> Figure:
    """One activation as a heat map: a row for each initializer, a column for each optimizer and depth.

    `value` is "test accuracy", the median over the seeds, or "worst seed", their lowest. At the right stands
    what one layer does to the gradient, once if that is the same at any depth.
    """
    reduce = {"test accuracy": np.median, "worst seed": np.min}[value]
    shown = [cell for cell in cells if cell["activation"] == activation]
    rows = list(dict.fromkeys(cell["initializer"] for cell in shown))
    columns = sorted({(c["optimizer"], c["depth"]) for c in shown}, key=lambda c: (c[0] != "SGD", c[1]))
    at = {(c["initializer"], c["optimizer"], c["depth"]): reduce(c["test_accuracy"]) for c in shown}
    grid = np.array([[at[row, *column] for column in columns] for row in rows])
    deep = sorted({depth for _, depth in columns if depth > 2})
    factors = np.array([[gradient_factor(row, activation, depth=depth) for depth in deep] for row in rows])
    several = len({optimizer for optimizer, _ in columns}) > 1
    below = [f"\n{depth}" if several else f"{depth}" for depth in deep]
    if np.ptp(factors, axis=1).max() < 1e-6:
        below, factors = ["any\ndepth"], factors[:, :1]
    names = [f"{optimizer}\n{depth}" if several else f"{depth}" for optimizer, depth in columns]
    title = f"{activation}: {value}" if several else f"{activation}, {columns[0][0]}: {value}"
    fig = _colored(grid, rows, names, title)
    fig.axes[0].set_xlabel("optimizer, hidden layers" if several else "hidden layers")
    _beside(fig.axes[0], factors, [*names, *below])
    words = "; ".join(
        f"{row} {line.min():.2f} to {line.max():.2f}, gradient times "
        f"{' or '.join(f'{number:.2f}' for number in factor)} per layer"
        for row, line, factor in zip(rows, grid, factors, strict=True)
    )
    fig.set_label(f"{activation}, {value}, lowest to highest over depths and optimizers: {words}.")
    return fig


def _colored(grid, rows, names, title):
    """The accuracies, colored by the log of the errors: from 0.96 to 0.98 as far as from 0.5 to 0.75.

    Equal numbers have equal colors: the values are those that are printed.
    """
    height = 1.5 + 0.33 * len(rows)
    place = {"left": 0.21, "right": 0.99, "bottom": 0.85 / height, "top": 1 - 0.55 / height}
    fig, ax = plt.subplots(figsize=(6, height), layout="none", gridspec_kw=place)
    grid = np.array([[float(f"{value:.2f}") for value in line] for line in grid])
    heatmap(ax, grid, rows, names)
    norm = FuncNorm((lambda p: -np.log(1 - p), lambda v: 1 - np.exp(-v)), 0, 0.985, clip=True)
    ax.images[0].set_norm(norm)
    for text, number in zip(ax.texts, grid.flat, strict=True):
        text.set_color("black" if norm(number) > 0.5 else "white")
    ax.set_title(title)
    return fig


def _beside(ax, factors, names):
    """Write the factors at the right of the heat map, as further columns without a color."""
    left = len(names) - factors.shape[1]
    for (i, j), factor in np.ndenumerate(factors):
        ax.text(left + 0.1 + j, i, f"{factor:.2f}", ha="center", va="center")
    ax.set_xticks([*range(left), *(left + 0.1 + j for j in range(factors.shape[1]))], names)
    ax.set_xlim(-0.5, len(names) - 0.3)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_title("factor on\nthe gradient", loc="right", fontsize=11)


def against_factor(cells: Sequence[Mapping], optimizer: str) -> Figure:
    """The median test accuracy of every start against what a layer does to its gradient: 6 and 18 layers.

    A point for each cell of the record with this optimizer, a mark for each activation. The gray band lies
    between the starts that SGD does not bring above 0.5 and those that it does.
    """
    place = {"left": 0.11, "right": 0.99, "bottom": 0.155, "top": 0.95, "hspace": 0.22}
    fig, panels = plt.subplots(2, 1, figsize=(6, 5.8), sharex=True, layout="none", gridspec_kw=place)
    words = []
    for ax, depth in zip(panels, (6, 18), strict=True):
        points = _points(cells, optimizer, depth)
        for activation, (color, mark) in MARKS.items():
            at = [point for (which, _), point in points.items() if which == activation]
            ax.plot(*np.transpose(at), mark, color=color, label=activation, alpha=0.8)
        for start, (name, place) in NAMED[depth, optimizer].items():
            text, line = f"{name} {points[start][1]:.2f}", {"arrowstyle": "-", "lw": 0.8}
            ax.annotate(text, points[start], place, va="center", arrowprops=line)
        fails, learns = _band(ax, _points(cells, "SGD", depth).values())
        if depth == 6:
            ax.text(0.017, 0.93, "gray: where SGD\nbegins to learn", color=THEORY, va="center")
        words.append(f"{depth} hidden layers: SGD fails up to {fails:.2f}, learns from {learns:.2f}")
        ax.set(ylim=(0, 1.08), ylabel="test accuracy", title=f"{depth} hidden layers, {optimizer}")
    ax.set(xscale="log", xlim=(0.015, 4.6), xlabel="factor on the gradient, per layer")
    ax.set_xticks(ticks := [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2], [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    fig.legend(*ax.get_legend_handles_labels(), loc="lower center", ncols=4, columnspacing=1)
    fig.set_label(f"{optimizer}, test accuracy against the factor. {'; '.join(words)}.")
    return fig


MARKS = {"relu": (RELU, "o"), "tanh": ("C2", "s"), "silu": ("C3", "^"), "sigmoid": ("C4", "D")}
# The points with a name, for a depth and an optimizer: (activation, initializer): (name, its place).
NAMED = {
    (6, "SGD"): {("relu", "PyTorch default"): ("ReLU, default", (0.63, 0.3))},
    (18, "SGD"): {
        ("relu", "Xavier"): ("ReLU, Xavier", (0.95, 0.16)),
        ("silu", "He"): ("SiLU, He", (1.05, 0.36)),
        ("relu", "He"): ("ReLU, He", (0.14, 0.8)),
        ("relu", "orthogonal"): ("orthog.", (1.5, 0.84)),
        ("relu", "LSUV"): ("LSUV", (1.5, 1.0)),
    },
    (6, "Adam"): {("relu", "PyTorch default"): ("ReLU, default", (0.63, 0.75))},
    (18, "Adam"): {("relu", "PyTorch default"): ("ReLU, default", (0.63, 0.3))},
}


def _points(cells, optimizer, depth):
    """(activation, initializer): (factor, median accuracy) of every start."""
    return {
        (c["activation"], c["initializer"]): (
            gradient_factor(c["initializer"], c["activation"], depth=depth),
            float(np.median(c["test_accuracy"])),
        )
        for c in cells
        if (c["optimizer"], c["depth"]) == (optimizer, depth)
    }


def _band(ax, points):
    """Shade what lies between the last factor with an accuracy below 0.5 and the first above; return both."""
    fails = max(factor for factor, value in points if value < 0.5)
    learns = min(factor for factor, value in points if value > 0.5)
    ax.axvspan(fails, learns, color="#dddddd", zorder=0)
    ax.text(fails, 0.55, f"{fails:.2f} ", color=THEORY, ha="right", va="center")
    ax.text(learns, 0.55, f" {learns:.2f}", color=THEORY, va="center")
    return fails, learns


def last_layer(losses: Mapping[float, Sequence[float]], logits: np.ndarray, truth: int, std: float) -> Figure:
    """The loss before the first step against the std of the logits, and what one image is given.

    `losses` maps a std to the loss of each seed, `logits` are those of one image at a std of 1, `truth` is
    its class, `std` the one to show.
    """
    place = PLACE | {"left": 0.09, "wspace": 0.3}
    fig, (left, right) = plt.subplots(1, 2, figsize=(6, 3.4), layout="none", gridspec_kw=place)
    _first_losses(left, losses, len(logits))
    left.plot(std, np.mean(losses[std]), "o", color="#222222", fillstyle="none", markersize=15)
    weights = np.exp(std * logits - np.max(std * logits))
    p, loss = weights / weights.sum(), float(np.mean(losses[std]))
    colors = [SEEN if k == truth else "#bbbbbb" for k in range(len(p))]
    right.bar(range(len(p)), p, color=colors)
    arrow = {"arrowstyle": "->", "color": SEEN}
    right.annotate(
        "its digit", (truth, p[truth]), (truth, p[truth] + 0.2), color=SEEN, arrowprops=arrow, ha="center"
    )
    right.set(xlabel="digit", ylabel="probability", ylim=(0, 1.05), xticks=range(len(p)))
    right.set_title(f"one image, std {std:g}")
    fig.set_label(
        f"Std of the logits {std:g}: mean first loss {loss:.2f}; one image has the largest probability "
        f"{p.max():.2f} for digit {p.argmax()}, and {p[truth]:.2f} for its true class {truth}."
    )
    return fig


def _first_losses(ax, losses, classes):
    """The bound as a curve, the mean and the range of the networks as dots with bars."""
    scales, runs = np.array(list(losses)), np.array(list(losses.values())).T
    smooth = np.linspace(0, scales.max(), 100)
    ax.plot(smooth, np.log(classes) + smooth**2 / 2, "--", color=THEORY)
    ax.text(2.7, 9.3, "bound:\nln K + σ²/2", color=THEORY, ha="right", va="center")
    low, middle, high = runs.min(axis=0), runs.mean(axis=0), runs.max(axis=0)
    ax.errorbar(scales, middle, [middle - low, high - middle], fmt="o", color=SEEN, capsize=3)
    ax.text(4.2, 0.4, f"{len(runs)} networks:\nmean, range", color=SEEN, ha="right")
    ax.set(xlabel="std σ of the logits", ylabel="first loss", xlim=(-0.2, 4.3), ylim=(0, 11))


def counts(layers: Mapping[str, tuple], count: Callable) -> Figure:
    """The mean square of z for each layer, drawn by the fan and by the count of what one output sums.

    `layers` maps a name to (layer, input, fan), `count(layer, x)` returns the number of terms. Five draws.
    """
    fig, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
    words = []
    for i, (name, (layer, x, fan)) in enumerate(layers.items()):
        n = count(layer, x)
        by_count, by_fan = (_mean_squares(layer, x, terms) for terms in (n, fan))
        ax.plot([i - 0.38, i + 0.02], [2 * n / fan] * 2, "--", color=THEORY, lw=1.4)
        ax.plot([i - 0.18] * len(by_fan), by_fan, "o", color=SEEN, fillstyle="none")
        ax.plot([i + 0.18] * len(by_count), by_count, "o", color=SEEN)
        middle = np.median(by_fan)
        ax.annotate(f"{middle:.1g}", (i - 0.18, middle), (0, -18), textcoords="offset points", ha="center")
        words.append(f"{name} {middle:.1g} by fan {fan}, {np.median(by_count):.1g} by count {n:.0f}")
    ax.axhline(2, color="#bbbbbb", zorder=0)
    ax.text(-0.45, 3.2, "aim: 2", color="#666666")
    ax.text(len(layers) - 0.72, 5, "by the\ncount", color=SEEN, ha="center")
    ax.text(len(layers) - 1.18, 4e-4, "by the fan", color=SEEN, ha="center", va="top")
    ax.text(
        len(layers) - 1.42, 2 * n / fan, "theory:\n2 × count / fan", color=THEORY, ha="right", va="center"
    )
    ax.set_xticks(range(len(layers)), [name.replace(", ", "\n") for name in layers])
    ax.set(yscale="log", ylabel="mean square of z", ylim=(1e-4, 60), xlim=(-0.5, len(layers) - 0.4))
    fig.set_label(f"Mean square of the output of one layer, 2 being right: {'; '.join(words)}.")
    return fig


def _mean_squares(layer, x, terms):
    """The mean square of the output over that of the inputs, for five draws of variance 2 / terms."""
    W, power, found = layer.weight.value, np.mean(x[x != 0] ** 2), []
    for seed in range(5):
        W[...] = np.sqrt(2 / terms) * np.random.default_rng(seed).standard_normal(W.shape)
        found.append(np.mean(layer(x) ** 2) / power)
    return found


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
    fig, ax = plt.subplots(figsize=(6, 3.4), layout="none", gridspec_kw=PLACE | {"right": 0.96})
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
    fig, ax = plt.subplots(figsize=(6, 3.4), layout="none", gridspec_kw=PLACE | {"right": 0.96})
    ax.plot(steps, gate**steps, marker="")
    ax.axvline(half, color="#444444", linestyle=":", label=f"half after {half:.3g} steps")
    ax.set(xlabel="step", ylabel="left of the cell", ylim=(0, 1.02), xlim=(0, 100))
    ax.set_title(f"forget bias {bias:g}: the gate is {gate:.3f}")
    ax.legend(loc="upper right")
    fig.set_label(f"Forget bias {bias:g}: gate {gate:.3f}, half of the cell is left after {half:.3g} steps.")
    return fig

"""The pictures of chapter 12, choosing an initializer, and its guide, whose answers are choosing.toml."""

import html
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from netinit import theory
from netinit.plots import Text, heatmap

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
    counted = f" with <code>n_in = {found.n_in}</code>" if "n_in" in found.variance else ""
    head = f"<strong>{found.name}</strong>: <code>Var[W] = {found.variance}</code>"
    head += counted if found.n_in != "n_in" else ""
    calls = "\n".join(
        f"# {library}\n{html.escape(call, quote=False)}" for library, call in found.calls.items()
    )
    words = html.escape(" ".join(found.reasons), quote=False)
    return Text(f'<p>{head}. {words}</p><pre style="white-space: pre-wrap">{calls}</pre>', label)


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

    `value` is "test accuracy", the median over the seeds, or "worst seed", their lowest; ten colors, a tenth
    each. Beside each row stands what one layer does to the gradient. A single optimizer stands in the title.
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
    _colored(ax, grid, rows, columns)
    several = len({optimizer for optimizer, _ in columns}) > 1
    ax.set(xlabel="optimizer, hidden layers" if several else "hidden layers")
    ax.set_title(f"{activation}: {value}" if several else f"{activation}, {columns[0][0]}: {value}")
    factors = [f"{gradient_factor(row, activation):.2f}" for row in rows]
    beside = ax.secondary_yaxis("right")
    beside.set_yticks(range(len(rows)), [f"× {factor}" for factor in factors])
    beside.set_ylabel("gradient, per layer")
    words = "; ".join(
        f"{row} {line.min():.2f} to {line.max():.2f}, gradient times {factor} per layer"
        for row, line, factor in zip(rows, grid, factors, strict=True)
    )
    fig.set_label(f"{activation}, {value}, lowest to highest over depths and optimizers: {words}.")
    return fig


def _colored(ax, grid, rows, columns):
    """The accuracies in ten colors, a tenth each; the columns leave out a single optimizer."""
    several = len({optimizer for optimizer, _ in columns}) > 1
    heatmap(ax, grid, rows, [f"{optimizer}\n{depth}" if several else depth for optimizer, depth in columns])
    ax.images[0].set(clim=(0, 1), cmap=plt.get_cmap("cividis", 10))
    for text, number in zip(ax.texts, grid.flat, strict=True):
        text.set_color("black" if number >= 0.4 else "white")


def against_factor(cells: Sequence[Mapping], optimizer: str) -> Figure:
    """The median test accuracy of every start against what a layer does to its gradient: 6 and 18 layers.

    A point for each cell of the record with this optimizer, a mark for each activation, the first of them
    "relu"; its start by PyTorch's default is named.
    """
    fig, panels = plt.subplots(2, 1, figsize=(6, 5.4), sharex=True, layout="constrained")
    words = []
    for ax, depth in zip(panels, (6, 18), strict=True):
        shown = [cell for cell in cells if (cell["optimizer"], cell["depth"]) == (optimizer, depth)]
        points = _points(ax, shown, depth)
        at = next(at for name, *at in points if name == "PyTorch default")
        place = (10, -28) if at[1] > 0.3 else (-70, 58)  # where no point is
        ax.annotate("ReLU by default", at, place, textcoords="offset points", arrowprops={"arrowstyle": "-"})
        ax.set(ylim=(0, 1.08), ylabel="test accuracy", title=f"{depth} hidden layers, {optimizer}")
        over = min((value for _, factor, value in points if factor > 0.5), default=np.nan)
        under = max((value for _, factor, value in points if factor < 0.5), default=np.nan)
        words.append(f"{depth} hidden layers: lowest above {over:.2f}, highest below {under:.2f}")
    ax.set(xscale="log", xlim=(0.015, 1.5), xlabel="factor on the gradient, per layer")
    ax.set_xticks(ticks := [0.02, 0.05, 0.1, 0.2, 0.5, 1], [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    fig.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=4, columnspacing=1)
    fig.set_label(f"{optimizer}, test accuracy above and below a factor of 0.5: {'; '.join(words)}.")
    return fig


def _points(ax, shown, depth):
    """Mark each activation's starts; return (initializer, factor, median accuracy) for all."""
    points = []
    for i, activation in enumerate(dict.fromkeys(cell["activation"] for cell in shown)):
        rows = {
            c["initializer"]: np.median(c["test_accuracy"]) for c in shown if c["activation"] == activation
        }
        factors = [gradient_factor(row, activation, depth=depth) for row in rows]
        ax.plot(factors, list(rows.values()), "os^D"[i], color=f"C{i}", label=activation, alpha=0.8)
        points += zip(rows, factors, rows.values(), strict=True)
    return points


def last_layer(
    losses: Mapping[float, Sequence[float]], logits: np.ndarray, truth: int, sigma: float
) -> Figure:
    """The loss before the first step against the std of the logits, and what one image is given.

    `losses` maps a std to the loss of each seed, `logits` are those of one image at a std of 1, `truth` is
    its class, `sigma` the std to show.
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(6, 3.4), layout="constrained")
    _first_losses(left, losses, len(logits))
    left.axvline(sigma, color="#444444", linestyle=":")
    weights = np.exp(sigma * logits - np.max(sigma * logits))
    p, loss = weights / weights.sum(), float(np.mean(losses[sigma]))
    right.bar(range(len(p)), p)
    arrow = {"arrowstyle": "->", "color": "#222222"}
    right.annotate("its class", (truth, p[truth]), (truth, p[truth] + 0.2), arrowprops=arrow, ha="center")
    right.set(xlabel="digit", ylabel="probability", ylim=(0, 1.05), xticks=range(len(p)))
    right.set_title(f"one image, σ = {sigma:g}")
    fig.set_label(
        f"Std of the logits {sigma:g}: mean first loss {loss:.2f}; one image has the largest probability "
        f"{p.max():.2f} for digit {p.argmax()}, and {p[truth]:.2f} for its true class {truth}."
    )
    return fig


def _first_losses(ax, losses, classes):
    """The bound as a curve, the mean and the range of the networks as dots with bars."""
    scales, runs = np.array(list(losses)), np.array(list(losses.values())).T
    smooth = np.linspace(0, scales.max(), 100)
    ax.plot(smooth, np.log(classes) + smooth**2 / 2, marker="")
    ax.text(2.1, 9.6, "ln K + σ²/2", color="C0", fontsize=10)
    low, middle, high = runs.min(axis=0), runs.mean(axis=0), runs.max(axis=0)
    ax.errorbar(scales, middle, [middle - low, high - middle], fmt="o", color="C1", capsize=3)
    ax.text(2.1, 0.4, f"{len(runs)} networks:\nmean, range", color="C1", fontsize=10)
    ax.set(xlabel="std σ of the logits", ylabel="loss", xlim=(-0.2, 4.3), ylim=(0, 11))
    ax.set(xticks=range(5), yticks=range(0, 11, 2), title="before the first step")


def counts(layers: Mapping[str, tuple], *, count: Callable) -> Figure:
    """The mean square behind layers that He's rule fills with the fan of a library, or with the count.

    `layers` maps a name to (layer, inputs, fan), `count(layer, inputs)` returns the number of terms, or the
    sum of their squares where the inputs that are not 0 have mean square 1. The mean square shown is that
    over the mean square of the inputs that are not 0.
    """
    fig, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
    words, style = [], {"linestyle": "", "marker": "_", "markersize": 28, "color": "C0"}
    for i, (name, (layer, x, fan)) in enumerate(layers.items()):
        n = count(layer, x)
        by_count, by_fan = (_mean_squares(layer, x, terms) for terms in (n, fan))
        ax.plot(i, 2 * n / fan, **style, label="" if i else "2 x count / fan")
        ax.plot([i - 0.12] * len(by_fan), by_fan, "o", color="C1", label="" if i else "drawn by fan")
        ax.plot([i + 0.12] * len(by_count), by_count, "^", color="C2", label="" if i else "drawn by count")
        middle = np.median(by_fan)
        ax.annotate(f"{middle:.1g}", (i, middle), (0, -22), textcoords="offset points", ha="center")
        words.append(f"{name} {middle:.1g} by fan {fan}, {np.median(by_count):.1g} by count {n:.0f}")
    ax.axhline(2, color="#444444", linestyle=":")
    ax.set_xticks(range(len(layers)), [name.replace(", ", "\n") for name in layers])
    ax.set(yscale="log", ylabel="mean square of z", ylim=(1e-4, 20), xlim=(-0.5, len(layers) - 0.5))
    ax.legend(loc="lower left")
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

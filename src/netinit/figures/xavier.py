"""The pictures of chapter 5, Xavier initialization."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from netinit.builders import mlp
from netinit.data import load_digits
from netinit.figures._shared import PLACE
from netinit.initialize import initialize
from netinit.initializers import lecun_uniform, variance_scaling, xavier_uniform
from netinit.plots import PANELS
from netinit.trace import Trace, trace

FUNNEL = [64, 512, 256, 128, 64, 32, 16, 10]
RULES = {
    "standard": partial(variance_scaling, scale=1 / 3, distribution="uniform"),
    "LeCun": lecun_uniform,
    "Glorot": xavier_uniform,
}
MODES = {"1/n_in": "fan_in", "1/n_out": "fan_out", "Glorot": "fan_avg"}
INK = {"standard": "C3", "LeCun": "C6", "Glorot": "C2"}  # a rule; C0 is what goes forward, C1 what comes back
SPANS = {"tanh": (-1, 1), "sigmoid": (0, 1), "relu": (-0.5, 3)}  # the activations to show, by name


def both_sides(rule: str) -> Figure:
    """What each hidden layer of a fresh funnel sends forward, and the gradient that reaches it."""
    data, rng = load_digits(), np.random.default_rng(0)
    model = initialize(mlp(FUNNEL, "tanh"), RULES[rule], rng)
    rows = trace(model, data.x_train[:200], data.y_train[:200], keep=True)
    signal = [row.output for row in rows[1::2]]
    gradient = [row.gradient / rows[10].gradient.std() for row in rows[:-1:2]]
    fig, (left, right) = plt.subplots(
        1, 2, figsize=(4.6, 3.3), sharey=True
    )  # its foot is on the first screen
    _rows_with_std(left, signal, 1, "C0")
    _rows_with_std(right, gradient, 3, "C1")
    left.set(title="activations", xlabel="value", ylabel="units of the layer")
    left.set_yticks(range(0, -6, -1), FUNNEL[1:-1])
    right.set(title="gradient", xlabel="in units of the last row")
    ends = [f"{values.std():.2g}" for values in (signal[0], signal[-1], gradient[0])]
    fig.set_label(
        f"{rule}: activation std from {ends[0]} in layer 1 to {ends[1]} in layer 6; "
        f"gradient std in layer 1, relative to layer 6, {ends[2]}."
    )
    return fig


def _rows_with_std(ax: Axes, arrays: Sequence[np.ndarray], end: float, color: str) -> None:
    """One histogram under the other, each with its std at the right."""
    for i, values in enumerate(arrays):
        _ridge(ax, values, (-end, end), -i, color)
        place = {"transform": ax.get_yaxis_transform(), "ha": "right", "fontsize": 11}
        ax.text(1, 0.3 - i, f"{values.std():.2f}", **place)
    ax.text(1, 1.02, "std", transform=ax.transAxes, ha="right")
    ax.set(xlim=(-end, 1.55 * end), xticks=[-end, 0, end])


def _ridge(ax: Axes, values: np.ndarray, span: tuple[float, float], base: float, color: str) -> None:
    """A histogram of height 0.85 that stands on a base line; what lies outside counts at the ends."""
    height, edges = np.histogram(np.clip(values, *span), 41, span)
    top = base + 0.85 * height / height.max()
    ax.fill_between(edges[:-1], base, top, step="post", color=color, alpha=0.7)


def layer_factors(n_in: int, n_out: int) -> Figure:
    """By how much one layer multiplies mean squares each way, under three rules; theory, and one draw."""
    variances = np.array([1 / n_in, 1 / n_out, 2 / (n_in + n_out)])
    theory = np.outer([n_in, n_out], variances)  # (way, rule)
    drawn = np.array([_measured_factors(n_in, n_out, mode) for mode in MODES.values()]).T
    fig, ax = plt.subplots()
    for way, name, marker, shift in ((0, "forward", "s", -0.15), (1, "backward", "^", 0.15)):
        at = np.arange(3) + shift
        ax.vlines(at, 1, theory[way], color=f"C{way}", linewidth=5, alpha=0.6)
        ax.plot(at, theory[way], marker, color=f"C{way}", markersize=13, alpha=0.75, label=name)
        ax.plot(at, drawn[way], "ko", markersize=4, label="measured" if way else None)
    ax.axhline(1, color="0.3", linewidth=1, linestyle="-")
    ax.set(yscale="log", ylim=(0.04, 25), ylabel="factor on the mean square", xlim=(-0.6, 2.6))
    ax.set_title(f"{n_in} inputs, {n_out} outputs")
    ax.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
    ax.minorticks_off()
    ax.set_xticks(range(3), ["LeCun\n$1/n_{in}$", "mirrored\n$1/n_{out}$", "Glorot\n$2/(n_{in} + n_{out})$"])
    ax.legend(ncols=3, loc="upper center", columnspacing=0.8, handlelength=1)
    pairs = "; ".join(f"{name} {f:.2g} and {b:.2g}" for name, f, b in zip(MODES, *theory, strict=True))
    fig.set_label(f"{n_in} inputs, {n_out} outputs. Forward and backward factor: {pairs}.")
    return fig


def _measured_factors(n_in: int, n_out: int, mode: str) -> tuple[float, float]:
    """By how much one random layer multiplies mean squares, forward and backward."""
    rng = np.random.default_rng(1)
    W = variance_scaling((n_in, n_out), rng, mode=mode, dtype=np.float64)
    h, delta = rng.standard_normal((50, n_in)), rng.standard_normal((50, n_out))
    return np.mean((h @ W) ** 2), np.mean((delta @ W.T) ** 2)


def theory_of_wide_layers(traces: Mapping[str, Sequence[Trace]], linear: Mapping[str, Sequence]) -> Figure:
    """Activations and gradients of the hidden layers: two theories, and every measured seed.

    `linear` has, for each rule, what the linear regime predicts: the rms of the activations by layer, and
    that of the gradients relative to the last layer. It is dotted; what includes the bend of tanh is solid.
    """
    fig, (top, bottom) = plt.subplots(2, 1, figsize=(6, 5.8), sharex=True, layout="constrained")
    ends = []
    for name, seeds in traces.items():
        stds = np.array([t.column("std", "tanh") for t in seeds])
        back = np.array([t.column("gradient_std", "Linear")[:-1] for t in seeds])
        bent = seeds[0].column("predicted_rms", "tanh")
        bent_back = seeds[0].column("predicted_gradient_std", "Linear")[:-1]
        _two_theories(top, linear[name][0], bent, stds, name)
        _two_theories(bottom, linear[name][1], bent_back / bent_back[-1], back / back[:, -1:], name)
        start, end = np.median(stds, axis=0)[[0, -1]]
        ends.append(f"{name}: activation std from {start:.2g} to {end:.2g}")
    top.set(yscale="log", ylabel="std", ylim=(0.03, 1), title="signal: activations")
    bottom.set(yscale="log", ylabel="std, layer 5: 1", ylim=(0.05, 1.5), xlabel="layer")
    bottom.set_title("gradient: it comes from the right")
    bottom.set_xticks(range(1, len(bent) + 1))
    for ax, ticks in ((top, [0.05, 0.1, 0.2, 0.5, 1]), (bottom, [0.1, 0.2, 0.5, 1])):
        ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        ax.minorticks_off()
    _one_legend(fig, top)
    fig.set_label("; ".join(ends) + ". The measured dots lie on the solid lines, with the bend of tanh.")
    return fig


def _two_theories(ax: Axes, linear: Sequence, bent: Sequence, runs: np.ndarray, name: str) -> None:
    """One rule by layer: the linear regime dotted, with the bend solid, median and range of the runs."""
    layers, middle = range(1, len(bent) + 1), np.median(runs, axis=0)
    bars = np.stack([middle - runs.min(axis=0), runs.max(axis=0) - middle])
    ax.plot(layers, linear, ":", color=INK[name], linewidth=1.6)
    ax.plot(layers, bent, "-", color=INK[name], linewidth=1.6)
    marker = "s" if name == "Glorot" else "o"
    ax.errorbar(layers, middle, bars, fmt=marker, color=INK[name], markersize=5, capsize=2, label=name)


def _one_legend(fig: Figure, ax: Axes) -> None:
    """Above both panels: the rules by color and marker, the kinds of lines."""
    dots, names = ax.get_legend_handles_labels()
    kinds = [Line2D([], [], color="0.3", linestyle=style, linewidth=1.6) for style in (":", "-")]
    names = [f"{name}, measured" for name in names] + ["linear regime", "with the bend of tanh"]
    fig.legend([*dots, *kinds], names, fontsize=10, loc="outside upper center", ncols=2)


def training(runs: Mapping[str, Sequence], epoch: int) -> Figure:
    """Training up to one epoch: the accuracy of every seed, and the median of the activation std by layer.

    `runs` is what `compare` returns, with a probe that gives the std by layer. The median accuracy of each
    rule is the bold line.
    """
    fig, (top, bottom) = plt.subplots(2, 1, figsize=(6, 5.2), layout="none", gridspec_kw=PANELS)
    words = []
    for name, group in runs.items():
        accuracy = np.array([run.history.validation_accuracy for run in group])
        stds = np.median([run.probes[epoch] for run in group], axis=0)
        dash = (0, (3, 1.5)) if name == "Glorot" else "-"  # LeCun's lies under it, and shows through
        _seeds_and_median(top, accuracy[:, : epoch + 1], name, dash)
        bottom.plot(range(1, len(stds) + 1), stds, marker="o", linestyle=dash, color=INK[name], markersize=4)
        words.append(f"{name}: median accuracy {np.median(accuracy[:, epoch]):.1f}, last std {stds[-1]:.1g}")
    top.set(title="validation accuracy", xlabel="epoch", xlim=(0, accuracy.shape[1] - 1), ylim=(0, 1))
    top.xaxis.set_major_locator(MaxNLocator(9, integer=True))
    bottom.set(title="activation std", xlabel="layer", yscale="log", ylim=(0.002, 1.3))
    bottom.set_xticks(range(1, len(stds) + 1))
    bottom.set_yticks([0.01, 0.1, 1], ["0.01", "0.1", "1"])
    bottom.minorticks_off()
    fig.legend(*top.get_legend_handles_labels(), loc="upper center", ncols=len(runs), frameon=False)
    fig.set_label(f"After epoch {epoch}. " + "; ".join(words) + ".")
    return fig


def _seeds_and_median(ax: Axes, accuracy: np.ndarray, name: str, dash) -> None:
    """A thin line for each seed, a row of `accuracy`, and a bold one for their median."""
    thin = {"linestyle": "-", "linewidth": 0.8, "markersize": 3}
    bold = {"linestyle": dash, "linewidth": 3, "markersize": 6, "label": name}
    for row, look in [*((row, thin) for row in accuracy), (np.median(accuracy, axis=0), bold)]:
        (line,) = ax.plot(row, color=INK[name], marker="o", markevery=[-1], **look)
        line.set_clip_on(False)  # the dot is whole at the edges, too


# The deeper page


def jacobian_spectrum(layer: int, rule: str, *, spectra: Mapping[str, np.ndarray]) -> Figure:
    """The singular values of one layer's Jacobian, with what the linear regime predicts."""
    values = spectra[rule][layer - 1]
    fig, ax = plt.subplots(layout="none", gridspec_kw=PLACE)
    bins = {"bins": 42, "range": (0, 2.1), "density": True}
    ax.hist(np.clip(values, 0, 2.1), **bins, color="C0", alpha=0.6, label="measured")
    if rule == "orthogonal":
        ax.axvline(1, color="C1", linestyle="--", label="linear theory: all 1")
    else:
        top = 2 if rule == "Glorot" else 2 / np.sqrt(3)
        s = np.linspace(0, top, 200)
        ax.plot(s, 4 * np.sqrt(top**2 - s**2) / (np.pi * top**2), "C1--", label="linear theory")
    ax.axvline(values.mean(), color="0.2", linestyle="-", linewidth=1.5, label=f"mean {values.mean():.2f}")
    ax.set(xlim=(0, 2.1), ylim=(0, 3), xlabel="singular value", ylabel="density")
    ax.set_title(f"{rule}, from layer {layer} to {layer + 1}")
    ax.legend(loc="upper right")
    rms = np.sqrt(np.mean(values**2))
    fig.set_label(
        f"{rule}, Jacobian from layer {layer} to {layer + 1}: singular values from {values.min():.2f} to "
        f"{values.max():.2f}, mean {values.mean():.2f}, root mean square {rms:.2f}."
    )
    return fig


def gain_through_layers(gain: float, activation: str, *, network: Callable[..., Trace]) -> Figure:
    """Activations of some layers and the gradient of all, for `network(gain, activation)`, a kept trace."""
    rows = network(gain, activation)
    stds, gradient = rows.column("std", activation), rows.column("gradient_std", "Linear")[:-1]
    gradient, shown = gradient / gradient[-1], (1, 3, 5, 7, 10)
    fig, (left, right) = plt.subplots(
        1, 2, figsize=(6, 3.8), layout="none", gridspec_kw=PLACE | {"wspace": 0.3}
    )
    for i, layer in enumerate(shown):
        _ridge(left, rows[2 * layer - 1].output, SPANS[activation], -i, "C0")
    left.set_yticks(range(0, -len(shown), -1), shown)
    left.set(ylim=(-4.1, 1), ylabel="layer", xlabel="activation", title=f"{activation}, gain {gain:g}")
    right.plot(range(1, len(gradient) + 1), gradient, "o-", color="C1")
    right.axhline(1, color="0.4", linewidth=1, linestyle=":")
    right.set(yscale="log", ylim=(1e-9, 1e4), xlabel="layer", xticks=[1, 4, 7, 10])
    right.set_yticks([1e-8, 1e-4, 1, 1e4], ["1e-8", "1e-4", "1", "1e4"])
    right.minorticks_off()
    right.set_title("gradient (layer 10: 1)")
    fig.set_label(
        f"{activation}, gain {gain:g}: activation std {stds[0]:.2g} in layer 1, {stds[-1]:.2g} in layer 10; "
        f"the gradient at layer 1 is {gradient[0]:.1e} times that at layer 10."
    )
    return fig

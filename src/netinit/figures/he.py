"""The pictures of chapter 6, He initialization."""

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from netinit.experiments import Run
from netinit.figures._shared import PHONE, by_layer, ink
from netinit.plots import lines_with_spread

SHOWN = (0, 1, 3, 10, 30, 100)  # the layers with a picture of their own, 0 for the input
REACH = 12  # powers of ten above and below 1 that the figure of the two digits shows
PICTURES = {"left": 0.02, "right": 0.98, "bottom": 0.5, "top": 0.94, "wspace": 0.08, "hspace": 0.05}

# The drawing of one layer: the signal, the gradient under it, and the number of units
SIGNALS = (
    (r"h^{\ell-1}", "", r"n_{\ell-1}"),
    (r"z^\ell", r"\delta^\ell", r"n_\ell"),
    (r"h^\ell", "g", r"n_\ell"),
    (r"z^{\ell+1}", r"\delta^{\ell+1}", r"n_{\ell+1}"),
)
FORWARD = (  # the name of each step, and its factor on the mean square
    (r"$W^\ell$", r"$\times\; n_{\ell-1}\, \mathrm{Var}[W]$"),
    ("ReLU", r"$\times\; \frac{1}{2}$"),
    (r"$W^{\ell+1}$", r"$\times\; n_\ell\, \mathrm{Var}[W]$"),
)
BACKWARD = (
    (r"$\times\; \varphi^{\prime}(z^\ell)$", r"$\times\; \frac{1}{2}$"),
    (r"$W^{\ell+1}$", r"$\times\; n_{\ell+1}\, \mathrm{Var}[W]$"),
)
PLACES = (0, 1.75, 3.15, 4.95)
BOX = {"boxstyle": "round,pad=0.35", "facecolor": "white", "linewidth": 1.5}


def depth_race(layers: int, *, train: Callable[[int], Mapping[str, Sequence[Run]]]) -> Figure:
    """Validation accuracy by epoch of what `train(layers)` returns: medians and ranges over the seeds."""
    fig, ax = plt.subplots(figsize=PHONE)
    ends = []
    for name, group in train(layers).items():
        runs = np.array([run.history.validation_accuracy for run in group])
        lines_with_spread(ax, range(runs.shape[1]), runs, name, marker="o")
        ends.append(f"{name} {np.median(runs[:, -1]):.2f}")
    epochs = runs.shape[1] - 1
    ax.set(xlabel="epoch", ylabel="validation accuracy", ylim=(0, 1), xticks=range(epochs + 1))
    ax.set_title(f"{layers} layers: {', '.join(ends)}")
    ax.legend(loc="upper left", handlelength=3)
    fig.set_label(f"{layers} layers: median validation accuracy after {epochs} epochs: {', '.join(ends)}.")
    return fig


def layer() -> Figure:
    """Layer l between its neighbors: the signal runs to the right, the gradient under it to the left.

    Under each arrow stands what its step does to the mean square.
    """
    fig, ax = plt.subplots(figsize=(5.4, 2.8))
    for x, (signal, gradient, units) in zip(PLACES, SIGNALS, strict=True):
        ax.text(x, 2.55, f"${units}$ units", ha="center", fontsize=11)
        ax.text(x, 2, f"${signal}$", ha="center", va="center", bbox=BOX | {"edgecolor": "C0"})
        if gradient:
            ax.text(x, 0.7, f"${gradient}$", ha="center", va="center", bbox=BOX | {"edgecolor": "C1"})
    for left, right, step in zip(PLACES, PLACES[1:], FORWARD, strict=False):
        _arrow(ax, (left + 0.4, 2), (right - 0.4, 2), *step)
    for left, right, step in zip(PLACES[1:], PLACES[2:], BACKWARD, strict=False):
        _arrow(ax, (right - 0.4, 0.7), (left + 0.4, 0.7), *step)
    ax.text(-0.5, 0.7, "gradient,\nback", color="C1", va="center")
    ax.set(xlim=(-0.55, PLACES[-1] + 0.6), ylim=(0.05, 2.9))
    ax.axis("off")
    fig.set_label(
        "Forward, h of layer l-1 becomes z of layer l through its matrix W, h of layer l through ReLU, and z "
        "of layer l+1 through the next matrix. Backward, the gradient of that z goes through the same "
        "matrix, then times the derivative of ReLU at z of layer l, and is the gradient of z of layer l. "
        "Under each arrow stands its factor on the mean square: one half for ReLU in both directions; for a "
        "matrix its variance times the number of units on the side that the arrow comes from."
    )
    return fig


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], name: str, factor: str) -> None:
    """An arrow with the name of its step above it and its factor below."""
    ax.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": "0.4", "linewidth": 1.5})
    middle = (start[0] + end[0]) / 2
    ax.text(middle, start[1] + 0.1, name, ha="center", va="bottom")
    ax.text(middle, start[1] - 0.28, factor, ha="center", va="top", fontsize=11)


def slope(slope: float) -> Figure:
    """What a leaky ReLU of this slope makes of Gaussian numbers."""
    before = np.random.default_rng(6).standard_normal(40_000)
    before /= np.sqrt(np.mean(before**2))
    after = np.where(before > 0, before, slope * before)
    second, bins = np.mean(after**2), np.linspace(-4, 4, 49)
    fig, ax = plt.subplots()
    ax.hist(before, bins, density=True, histtype="step", linewidth=2, label="before")
    ax.hist(after, bins, density=True, histtype="stepfilled", alpha=0.5, label="after")
    ax.axvline(after.mean(), color="#444444", linestyle=":", label="mean after")
    ax.set(xlabel="value", yticks=[], ylim=(0, 0.9))
    ax.set_title(f"slope {slope:g}: second moment {second:.2f}, so Var[W] = {2 / (1 + slope**2):.2f} / n")
    if abs(slope) < 0.2:
        ax.annotate("half of all", (0.1, 0.85), (-1.6, 0.83), arrowprops={"arrowstyle": "->"})
    ax.legend(loc="upper right")
    fig.set_label(
        f"Slope {slope:g}: the mean moves from 0 to {after.mean():z.2f} and the second moment from 1 to "
        f"{second:.2f}; the right weight variance is {2 / (1 + slope**2):.2f} over n_in."
    )
    return fig


def jumping_widths(
    predicted: Mapping[str, Sequence[np.ndarray]], measured: Mapping[str, np.ndarray], widths: Sequence[int]
) -> Figure:
    """Theory and measurement of both directions; `measured[rule]` is (networks, direction, layer).

    `widths` are the numbers of units of the layers.
    """
    fig, axes = plt.subplots(2, 1, figsize=(6, 5.4), sharex=True)
    titles = ("forward: second moment of z", "backward: mean squared gradient")
    for side, (ax, title) in enumerate(zip(axes, titles, strict=True)):
        for shift, marker, name in zip((-0.12, 0.12), "os", predicted, strict=True):
            _line_and_bars(ax, predicted[name][side], measured[name][:, side], name, shift, marker)
        ax.set(title=title, yscale="log")
        ax.minorticks_off()
    layers = measured[name].shape[-1]
    axes[0].legend(ncols=2)
    names = [f"{layer}\n{width}" for layer, width in enumerate(widths, start=1)]
    axes[1].set(xlabel="layer, and its number of units")
    axes[1].set_xticks(range(1, layers + 1), names, fontsize=11)
    changes = []
    for name, runs in measured.items():
        forward, backward = np.median(runs, axis=0)
        changes.append(
            f"{name}: forward x {forward[-1] / forward[0]:.2g}, backward x {backward[0] / backward[-1]:.2g}"
        )
    fig.set_label(f"Through {layers} layers whose widths jump, median. " + "; ".join(changes) + ".")
    return fig


def _line_and_bars(ax: Axes, line, runs: np.ndarray, name: str, shift: float, marker: str) -> None:
    """A predicted line, and beside it the median with the middle half of the networks."""
    at = np.arange(1, len(line) + 1)
    (drawn,) = ax.plot(at, line, label=name)
    low, middle, high = np.percentile(runs, [25, 50, 75], axis=0)
    bars = {"markersize": 5, "capsize": 2, "color": drawn.get_color(), "linestyle": "none"}
    ax.errorbar(at + shift, middle, [middle - low, high - middle], marker=marker, **bars)


def two_digits(n_times_variance: float, *, passed: Sequence[np.ndarray], others: Sequence[float]) -> Figure:
    """Two digits on their way through ReLU layers; `passed` is what He's weights made of them.

    `passed[layer]` is (2, units). As ReLU passes a factor on, other variances only rescale it; those of
    `others` have a gray line each.
    """
    scale, depth = n_times_variance, len(passed) - 1
    signals = [h * (scale / 2) ** (layer / 2) for layer, h in enumerate(passed)]
    fig = plt.figure(figsize=(6, 4.8), layout="none")  # laying out 13 axes would take most of the time
    axes = fig.subplots(2, len(SHOWN), gridspec_kw=PICTURES)
    for layer, column in zip(SHOWN, axes.T, strict=True):
        _pictures(column, signals[layer], layer)
    moments = 2 * np.mean(np.square(signals[1:]), axis=(1, 2))
    ax, layers = fig.add_axes((0.15, 0.13, 0.77, 0.28)), np.arange(1, depth + 1)

    def predicted(factor):
        return factor * np.mean(passed[0] ** 2) * (factor / 2) ** (layers - 1.0)

    for other in others:
        _faint_line(ax, layers, predicted(other), f"{other:g}")
    by_layer(ax, layers[4::5], predicted(scale)[4::5], moments[4::5])
    ax.set(xlim=(0, 1.01 * depth), ylim=(10.0**-REACH, 10.0**REACH), ylabel="E[z²]")
    ax.set_yticks([1e-10, 1e-5, 1, 1e5, 1e10], ["1e-10", "1e-5", "1", "1e5", "1e10"])
    ax.set_title(rf"$\sigma_w^2$ = {scale:g}: layer {depth} / layer 1 = {(scale / 2) ** (depth - 1):.0e}")
    ax.legend(loc="upper left", ncols=2, handlelength=2.5, borderaxespad=0)
    sizes = ", ".join(f"{moments[layer - 1]:.1g} at layer {layer}" for layer in SHOWN[3:])
    fig.set_label(f"n Var[W] = {scale:g}. The second moment is {sizes}.")
    return fig


def _faint_line(ax: Axes, layers: np.ndarray, values: np.ndarray, name: str) -> None:
    """A gray line, with its name behind the last layer unless it has left the frame by then."""
    inside = np.abs(np.log10(values)) < REACH
    ax.plot(layers[inside], values[inside], "-", color="0.75", linewidth=1.2)
    if inside[-1]:
        ax.annotate(name, (1.02, values[-1]), xycoords=("axes fraction", "data"), va="center", fontsize=11)
    else:
        ax.text(layers[inside][-1] + 1, values[inside][-1], name, va="bottom", fontsize=11)


def _pictures(column: Sequence[Axes], signals: np.ndarray, layer: int) -> None:
    """Both signals of one layer as square pictures, one under the other; the digits as ink."""
    shown, most = (signals, 2) if layer else (ink(signals), 16)
    for ax, signal in zip(column, shown, strict=True):
        side = int(np.sqrt(signal.size))
        ax.imshow(signal.reshape(side, side), cmap="gray_r", vmin=0, vmax=most)
        ax.set(xticks=[], yticks=[])
        ax.spines[["top", "right"]].set_visible(True)
    column[0].set_title(f"layer {layer}" if layer else "input", loc="center", fontsize=11)


# The deeper page


def fluctuation(width: int, depth: int, *, logs: Mapping[int, np.ndarray]) -> Figure:
    """How far single networks stray; `logs[width]` is the log of the mean square, (depth, networks)."""
    values = logs[width][depth - 1] / np.log(10)
    variance = 5 * depth / width / np.log(10) ** 2
    mean, grid = -variance * np.log(10) / 2, np.linspace(-8, 4, 300)
    normal = np.exp(-((grid - mean) ** 2) / 2 / variance) / np.sqrt(2 * np.pi * variance)
    fig, ax = plt.subplots()
    ax.hist(values, np.linspace(-8, 4, 61), density=True, alpha=0.5, label=f"{len(values)} networks")
    ax.plot(grid, normal, color="C1", label="normal, 5 L / n")
    ax.axvline(0, color="#444444", linestyle=":", label="factor 1")
    ax.set(xlabel="log10 of the change in mean square", yticks=[], xlim=(-8, 4))
    ax.set_title(f"{depth} layers, width {width}: L / n = {depth / width:.2g}")
    ax.legend(loc="upper left")
    low, middle, high = 10 ** np.percentile(values, [5, 50, 95])
    fig.set_label(
        f"Width {width}, {depth} layers: 90 percent of {len(values)} He networks change the mean square by "
        f"a factor between {low:.2g} and {high:.2g}; the median is {middle:.2g}."
    )
    return fig


def formula(formula: str, *, measured: Mapping[str, tuple[np.ndarray, np.ndarray, float]]) -> Figure:
    """One weight matrix that a formula draws, the second moments behind it, and its factor per layer."""
    weight, moments, factor = measured[formula]
    layer, bound = np.arange(1, len(moments) + 1), np.sqrt(6 / len(weight))
    fig, (top, bottom) = plt.subplots(2, 1, figsize=(6, 4.8))
    top.hist(weight.ravel(), np.linspace(-0.25, 0.25, 61), density=True, alpha=0.6, label=formula)
    box = np.array([0, 1, 1, 0]) / (2 * bound)
    top.plot([-bound, -bound, bound, bound], box, color="C1", linestyle="--", label="He uniform")
    top.set(title=f"one weight matrix, {weight.shape[0]} x {weight.shape[1]}", yticks=[], ylim=(0, 14))
    top.legend(loc="upper right")
    by_layer(bottom, layer, moments[0] * factor ** (layer - 1.0), moments)
    bottom.set(ylim=(1e-20, 1e6), xticks=layer[::4])
    bottom.set_title(f"second moment of z: times {factor:.3g} per layer")
    bottom.legend(loc="lower left")
    fig.set_label(
        f"{formula}: weights within {np.abs(weight).max():.3f}; He uniform reaches {bound:.3f}. The second "
        f"moment is multiplied by {factor:.3g} per layer and is {moments[-1]:.0e} at layer {len(moments)}."
    )
    return fig

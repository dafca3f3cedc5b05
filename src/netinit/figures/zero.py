"""The pictures of chapter 3, zero and constant initialization."""

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from netinit.plots import lines_with_spread

LARGEST = 0.5  # weights beyond it get the last color, that of the arrows at the ends of the bar
COLOR_TICKS = [-LARGEST, 0, 0.1, LARGEST]
BAR = {"orientation": "horizontal", "ticks": COLOR_TICKS, "extend": "both"}
COLORS = {"cmap": "PuOr", "vmin": -LARGEST, "vmax": LARGEST}
SEEN = 0.01  # incoming weights that differ by less look the same in a picture


def equal_and_random(epoch: int, *, runs: Mapping[str, Sequence]) -> Figure:
    """What eight hidden units see: a row of pictures for each start, from a probe of the incoming weights."""
    fig, axes = plt.subplots(2, 1, figsize=(4.6, 2.5))
    words = []
    for ax, (name, (run, *_)) in zip(axes, runs.items(), strict=True):
        title = f"{name}: {_reads(run, epoch)}"
        unit_pictures(ax, run.probes[epoch], title)
        words.append(f"{title}, {_alike(run.probes[epoch])}")
    _name_ticks(fig.colorbar(axes[0].images[0], ax=axes, aspect=40, shrink=0.9, **BAR), "weight")
    fig.set_label(f"The incoming weights of 8 hidden units after epoch {epoch}. {'; '.join(words)}.")
    return fig


def unit_pictures(ax: Axes, weights: np.ndarray, title: str) -> Axes:
    """The incoming weights (64, 8) of eight units as eight images, laid out like the digits."""
    pictures = np.pad(weights.T.reshape(8, 8, 8), [(0, 0), (0, 0), (0, 1)], constant_values=np.nan)
    ax.imshow(np.hstack(pictures)[:, :-1], **COLORS)  # a blank column between two
    ax.set_title(title)
    ax.set_axis_off()
    return ax


def _reads(run, epoch: int) -> str:
    return f"reads {run.history.validation_accuracy[epoch]:.0%} of the validation digits"


def _name_ticks(bar, what: str) -> None:
    """Say at the bar which color is which number; 0.1, where constant starts begin, has a mark."""
    bar.set_ticklabels([f"{tick:g}" for tick in COLOR_TICKS])
    bar.ax.tick_params(labelsize=10)
    bar.set_label(what, fontsize=11, labelpad=0)


def _alike(weights: np.ndarray, what: str = "pictures") -> str:
    difference = np.abs(weights - weights[:, :1]).max()
    return f"all {what} are the same" if difference < SEEN else f"the {what} differ"


def four_starts(epoch: int, *, runs: Mapping[str, Sequence]) -> Figure:
    """Eight units of each start: what comes in as a picture, below it the bias, below that what goes out.

    A probe holds the incoming weights (64, 8), the biases (8,) and the outgoing weights (8, 10).
    """
    fig = plt.figure(figsize=(4.6, 5.5), layout="none")
    bottoms = 0.115 + 0.222 * np.arange(len(runs))[::-1]
    words = []
    for bottom, (name, (run, *_)) in zip(bottoms, runs.items(), strict=True):
        incoming, biases, outgoing = run.probes[epoch]
        title = f"{name}: {_reads(run, epoch)}"
        rows = [fig.add_axes((0.12, bottom + up, 0.87, high)) for up, high in ROWS]
        unit_pictures(rows[0], incoming, title)
        _strips(rows[1], biases[:, None])
        _strips(rows[2], outgoing)
        for ax, word in zip(rows, ("in", "bias", "out"), strict=True):
            ax.text(-0.02, 0.5, word, transform=ax.transAxes, ha="right", va="center", fontsize=10)
        words.append(
            f"{title}; coming in, {_alike(incoming)}; {_alike(biases[None], 'biases')}; "
            f"going out, {_alike(outgoing.T, 'strips')}"
        )
    bar = fig.colorbar(fig.axes[0].images[0], cax=fig.add_axes((0.14, 0.085, 0.83, 0.018)), **BAR)
    _name_ticks(bar, "weight or bias")
    fig.set_label(f"8 hidden units of each start after epoch {epoch}. {'. '.join(words)}.")
    return fig


ROWS = (0.072, 0.088), (0.046, 0.016), (0.008, 0.022)  # the bottoms and heights of a start's three rows


def _strips(ax: Axes, numbers: np.ndarray) -> None:
    """The numbers (8, n) of eight units in a row, each as wide as the picture above it; n divides 40."""
    fine = np.repeat(numbers, 40 // numbers.shape[1], axis=1)  # a picture is 40 wide, a blank 5
    row = np.pad(fine, [(0, 0), (0, 5)], constant_values=np.nan).ravel()[:-5]
    ax.imshow(row[None], **COLORS, extent=(-0.5, 70.5, 0, 1), aspect="auto", interpolation="nearest")
    ax.set_axis_off()


# --- two units ---------------------------------------------------------------------------------------------

ONE_AND_TWO = "#009E73", "#CC79A7"  # blue and orange are the signal and the gradient below
NODES = {  # where each circle stands, and what is written in it
    "x1": (0, 1, "$x_1$"),
    "x2": (0, 0, "$x_2$"),
    "h1": (1, 1, "unit 1"),
    "h2": (1, 0, "unit 2"),
    "out": (2, 0.5, "$y$"),
}


def two_units(steps_done: int, outgoing_weights: str, *, train: Callable) -> Figure:
    """The network of two inputs and two units after some steps, its weights written on its lines.

    `train([w1, w2], steps)` returns the incoming weights (2, 2), a column for each unit, and the two outgoing
    ones; `outgoing_weights` is such as "0.5 and 0.5".
    """
    incoming, outgoing = train([float(w) for w in outgoing_weights.split(" and ")], steps_done)
    fig, ax = plt.subplots(figsize=(6, 2.9))
    words = []
    for j in (0, 1):
        unit, color = f"h{j + 1}", ONE_AND_TWO[j]
        for i in (0, 1):
            _line(ax, (f"x{i + 1}", unit), incoming[i, j], color, at=0.3)
        _line(ax, (unit, "out"), outgoing[j], color, at=0.5)
        down, up = incoming[:, j], outgoing[j]
        words.append(f"unit {j + 1} receives {down[0]:.3f} and {down[1]:.3f} and sends {up:.3f}")
    for x, y, name in NODES.values():
        ax.text(x, y, name, ha="center", va="center", bbox={"boxstyle": "circle", "fc": "w", "ec": "0.4"})
    alike_in, alike_out = np.allclose(incoming[:, 0], incoming[:, 1]), np.isclose(*outgoing)
    verdict = "two equal units" if alike_in and alike_out else "incoming weights "
    if not (alike_in and alike_out):
        verdict += "equal, outgoing differ" if alike_in else "differ"
    ax.set(xlim=(-0.2, 2.2), ylim=(-0.3, 1.3), title=f"after {_steps(steps_done)}: {verdict}")
    ax.set_axis_off()
    fig.set_label(
        f"Start with {outgoing_weights}, after {_steps(steps_done)}: {'; '.join(words)}; {verdict}."
    )
    return fig


def _steps(number: int) -> str:
    return "1 step" if number == 1 else f"{number} steps"


def _line(ax, ends, weight, color, at):
    """A line between two circles, as thick as its weight is large, with the number on it."""
    (x0, y0, _), (x1, y1, _) = (NODES[end] for end in ends)
    ax.plot([x0, x1], [y0, y1], "-", color=color, linewidth=1 + 8 * abs(weight), zorder=0)
    spot = x0 + at * (x1 - x0), y0 + at * (y1 - y0)
    box = {"fc": "w", "ec": "none", "pad": 1}
    ax.text(*spot, f"{weight:.3f}", ha="center", va="center", fontsize=11, bbox=box)


# --- signal meets gradient ---------------------------------------------------------------------------------


WHOLE = {"left": 0.01, "right": 0.99, "bottom": 0.02, "top": 0.9}
SIGNAL, GRADIENT, MOVES = "#0072B2", "#D55E00", "#444444"


def meeting(steps_done: int, matrices: str, activation: str, *, meet: Callable) -> Figure:
    """A chain of four matrices: which of them a signal reaches from the left, and a gradient from the right.

    `meet(pattern, steps, activation)` returns three lists of four: the sizes of both, and that of the
    gradient of the weights.
    """
    pattern = matrices.replace(" ", "")
    signal, gradient, weight = (np.asarray(sizes) > 0 for sizes in meet(pattern, steps_done, activation))
    fig, ax = plt.subplots(figsize=(4.6, 2.5), layout="none", gridspec_kw=WHOLE)
    for i, (kind, moves) in enumerate(zip(pattern, weight, strict=True)):
        _matrix(ax, i + 1, kind, moves)
        _arrival(ax, (i + 0.36, i + 0.66), 0.2, signal[i], SIGNAL)
        _arrival(ax, (i + 1.64, i + 1.34), -0.2, gradient[i], GRADIENT)
    ends = {"ha": "center", "va": "center", "fontsize": 14}
    ax.text(0.18, 0.2, "$x$", **ends)
    ax.text(4.82, -0.2, "$C$", **ends)
    ax.text(0.1, 0.85, "signal, from the left", color=SIGNAL)
    ax.text(4.9, -1.3, "gradient, from the right", color=GRADIENT, ha="right")
    ax.set(xlim=(0, 5), ylim=(-1.5, 1.2), title=f"{matrices}, {activation}, after {_steps(steps_done)}")
    ax.set_axis_off()
    moving = ", ".join(f"W{i + 1}" for i in np.flatnonzero(weight))
    signal_at, gradient_at = (
        ", ".join(f"W{i + 1}" for i in np.flatnonzero(there)) or "none" for there in (signal, gradient)
    )
    fig.set_label(
        f"{activation}, {matrices}, after {_steps(steps_done)}: a signal arrives at {signal_at}, "
        f"a gradient at {gradient_at}; weights with a gradient: {moving or 'none'}."
    )
    return fig


def _matrix(ax, place, kind, moves):
    """A box for one matrix, filled if it moves, and below it whether it does."""
    box = {"boxstyle": "round,pad=0.35", "fc": MOVES if moves else "w", "ec": MOVES, "lw": 1.5}
    color = "w" if moves else "k"
    ax.text(place, 0, f"$W^{place}$\n{kind}", ha="center", va="center", color=color, bbox=box)
    word, weight = ("moves", "bold") if moves else ("stays", "normal")
    ax.text(place, -0.85, word, ha="center", color=MOVES, weight=weight)


def _arrival(ax, ends, height, arrives, color):
    """An arrow where something arrives, a 0 where nothing does."""
    if arrives:
        arrow = {
            "arrowstyle": "-|>",
            "color": color,
            "lw": 2.5,
            "mutation_scale": 14,
            "shrinkA": 0,
            "shrinkB": 0,
        }
        ax.annotate("", (ends[1], height), (ends[0], height), arrowprops=arrow)
    else:
        ax.text(np.mean(ends), height, "0", ha="center", va="center", color=color)


# --- the deeper page ---------------------------------------------------------------------------------------


SQUARE = {"left": 0.12, "right": 0.98, "bottom": 0.13, "top": 0.91}


def ridge(offset: float, *, descend: Callable, axis: np.ndarray, surface: np.ndarray) -> Figure:
    """The path of two units over the loss of their weights; `descend(offset)` returns it, (steps + 1, 2)."""
    path = descend(offset)
    fig, ax = plt.subplots(figsize=(6, 4.4), layout="none", gridspec_kw=SQUARE)
    levels = [1e-3, 3e-3, 0.01, 0.02, 0.04, 0.07, 0.1, 0.2]
    ax.contour(axis, axis, surface, levels, colors="0.7", linewidths=1, linestyles="solid")
    ax.plot(axis, axis, color="0.4", linestyle=":", linewidth=1.2)
    ax.plot(*path.T, "-o", color="C0", markevery=20, markersize=5)
    ax.plot([3, 0.2], [0.2, 3], "*", color="C1", markersize=14)
    left = np.flatnonzero(np.abs(path[:, 0] - path[:, 1]) > 1)
    fate = f"leaves after {left[0]} steps" if left.size else "never leaves"
    limits = (axis[0], axis[-1])
    ax.set(xlabel="$w_1$", ylabel="$w_2$", aspect="equal", xlim=limits, ylim=limits)
    ax.set_title(f"offset {offset:g}: {fate}")
    fig.set_label(
        f"Offset {offset:g}: the path starts near the diagonal and {fate}; after {len(path) - 1} steps w1 is "
        f"{path[-1, 0]:.2f} and w2 {path[-1, 1]:.2f}. The minima are at (3, 0.2) and (0.2, 3)."
    )
    return fig


def noise_and_accuracy(noise: float, *, epochs: np.ndarray, curves: Mapping[float, np.ndarray]) -> Figure:
    """Accuracy over epochs (runs, epochs) for one amount of planted noise, the others in gray."""
    fig, ax = plt.subplots()
    for other in curves.values():
        ax.plot(epochs, np.median(other, axis=0), color="0.85", linestyle="-", linewidth=1)
    lines_with_spread(ax, epochs, curves[noise], f"noise {noise:g}", color="C0", linestyle="-")
    middle = np.median(curves[noise], axis=0)
    over = epochs[middle > 0.8]
    words = f"above 0.8 from epoch {over[0]}" if over.size else "never above 0.8"
    ax.set(xlabel="epoch", ylabel="validation accuracy", ylim=(0, 1), xlim=(0, epochs[-1]))
    ax.set_title(f"constant 0.1 + noise {noise:g}: {words}")
    fig.set_label(
        f"Noise {noise:g} on the constant 0.1: median accuracy {words}, "
        f"{middle[-1]:.2f} at epoch {epochs[-1]}."
    )
    return fig


def growing_spread(epochs: np.ndarray, growth: np.ndarray, spreads: Mapping[float, np.ndarray]) -> Figure:
    """Spread of the units for amounts of planted noise: theory by epoch, and runs (runs, epochs)."""
    fig, ax = plt.subplots(figsize=(6, 4))
    for i, (noise, runs) in enumerate(spreads.items()):
        shown = noise * growth < 1
        ax.plot(np.flatnonzero(shown), noise * growth[shown], "-", color=f"C{i}", linewidth=1.5)
        middle = np.median(runs, axis=0)
        bars = [middle - runs.min(axis=0), runs.max(axis=0) - middle]
        marks = {"linestyle": "", "marker": "os^D"[i], "markersize": 5, "color": f"C{i}"}
        ax.errorbar(epochs, middle, bars, label=f"noise {noise:g}", **marks)
    ax.set(xlabel="epoch (one full-batch step each)", ylabel="spread of the hidden units")
    ax.set(yscale="log", ylim=(1e-13, 2))
    ax.legend(loc="lower right")
    fig.set_label("The spread of the units grows exponentially, as the theory says, until it is about 1.")
    return fig


def rounding_apart(spreads: Mapping[tuple, np.ndarray], visible: Mapping[type, int]) -> Figure:
    """How far rounding alone spreads the units, by (dtype, width); a dotted line where it should show."""
    fig, ax = plt.subplots(figsize=(6, 4))
    types, widths = list(visible), sorted({width for _, width in spreads})
    for (dtype, width), spread in spreads.items():
        color, style = f"C{types.index(dtype)}", ["-", "--"][widths.index(width)]
        shown = np.where(spread < 1e-19, np.nan, spread)  # equal to the last digit
        ax.plot(shown, style, color=color, label=f"{dtype.__name__}, width {width}")
    for i, dtype in enumerate(types):
        ax.axvline(visible[dtype], color=f"C{i}", linewidth=1, linestyle=":")
    ax.set(xlabel="epoch", ylabel="spread of the hidden units", yscale="log")
    ax.set(ylim=(1e-18, 2), xlim=(0, max(map(len, spreads.values())) - 1))
    ax.legend(loc="lower right")
    fig.set_label("Rounding alone drives the units of some of these networks apart, exponentially.")
    return fig


BESIDE = {"left": 0.02, "right": 0.87, "bottom": 0.04, "top": 0.88, "wspace": 0.05}


def units_part(epoch: int, scheme: str, *, films: Mapping[str, Sequence]) -> Figure:
    """The incoming weights (64, 12) of 12 units at an epoch; `films` holds them by start and epoch."""
    weights = films[scheme][epoch]
    distance = np.abs(weights - weights[:, :1]).max()
    tiles = np.pad(weights.T.reshape(2, 6, 8, 8), [(0, 0), (0, 0), (0, 1), (0, 1)], constant_values=np.nan)
    canvas = np.vstack([np.hstack(row) for row in tiles])[:-1, :-1]
    fig, (ax, bar) = plt.subplots(
        1, 2, figsize=(6, 2.3), layout="none", width_ratios=(30, 1), gridspec_kw=BESIDE
    )
    image = ax.imshow(canvas, cmap="PuOr", vmin=-0.4, vmax=0.4)
    ax.set(xticks=[], yticks=[], title=f"{scheme}, epoch {epoch}: units differ by {distance:.0e}")
    ax.grid(False)
    ax.spines[:].set_visible(False)
    fig.colorbar(image, cax=bar, label="weight", ticks=[-0.4, 0, 0.1, 0.4])
    fig.set_label(
        f"Start {scheme}, epoch {epoch}, the weights of 12 hidden units as pictures: {_alike(weights)}; "
        f"the largest difference from the first is {distance:.0e}."
    )
    return fig

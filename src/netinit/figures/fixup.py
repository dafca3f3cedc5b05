"""The pictures of chapter 8, residual networks and Fixup."""

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from netinit.losses import softmax_cross_entropy
from netinit.models import Residual, Sequential
from netinit.optimizers import SGD
from netinit.plots import lines_with_spread, theory_and_measurement

COLORS = {"plain": "C2:", "He": "C1--", "Fixup": "C0-"}
CEILING = 1e4  # larger losses are drawn here
# Where the matrices of a network of four blocks of two layers stand: (row, column), from the input on.
PLACES = [(0, 0), *[(row, column) for column in (1, 2, 3, 4) for row in (0, 1)], (0, 5)]
# where the panels of a live figure stand: placed once, as laying them out would take half of a frame's time
PANEL = {"left": 0.13, "right": 0.98, "bottom": 0.15, "top": 0.9}
GRID = {"left": 0.02, "right": 0.98, "bottom": 0.1, "top": 0.9, "wspace": 0.12, "hspace": 0.25}
MATRICES = {"input layer": 0, "first in branch": 1, "last in branch": 2, "classifier": 9}


def depth(runs: Mapping[int, Mapping[str, Sequence]], *, blocks: int) -> Figure:
    """The training loss of each run, runs[blocks][start]; a cross at the last before an overflow."""
    fig, ax = plt.subplots(figsize=(4.6, 3.4), layout="none", gridspec_kw=PANEL | {"left": 0.17, "top": 0.96})
    for start, style in COLORS.items():
        ax.plot([], [], style, alpha=0.7, marker="", label=start)
        for run in runs[blocks][start]:
            loss = np.array(run.history.train_loss)
            loss = np.minimum(loss[np.isfinite(loss)], CEILING)
            end = {"marker": "x" if run.history.diverged_at else "", "markevery": [-1], "ms": 11, "mew": 2.5}
            ax.plot(loss, style, alpha=0.7, clip_on=False, **end)
    ax.set(yscale="log", ylim=(0.05, CEILING), xticks=range(5), xlabel="epoch", ylabel="training loss")
    ax.minorticks_off()
    _overflow_and_guess(ax)
    ax.legend(title=f"blocks: {blocks}", loc="upper right")
    last = {start: np.array([run.history.train_loss[-1] for run in runs[blocks][start]]) for start in COLORS}
    words = [
        f"{(ends < 1).sum()} of {len(ends)} {start} networks end below 1, {np.isnan(ends).sum()} overflow"
        for start, ends in last.items()
    ]
    fig.set_label(f"Training losses, {blocks} blocks: {'; '.join(words)}.")
    return fig


def _overflow_and_guess(ax):
    """Say what a cross means, and draw the loss of a guess among ten classes."""
    ax.plot([], [], "x", color="0.3", ms=11, mew=2.5, label="overflows next")
    ax.axhline(np.log(10), color="0.5", linestyle="-", linewidth=1, marker="", zorder=1)
    ax.text(4, 2.8, "guessing: ln 10", color="0.3", ha="right", va="bottom", fontsize=11)


def block(parts: Sequence[str], sizes: Sequence[str] = ()) -> Figure:
    """A residual block: the stream above, the parts of its branch below, the sum at the end.

    `sizes` names the second moments: of the stream, behind each part, and behind the sum.
    """
    columns = len(parts) if len(parts) < 5 else 3  # a long branch runs in rows of three
    last = (len(parts) - 1) // columns
    top = 1.75 if sizes else 1.45
    fig, ax = plt.subplots(figsize=(4.6, 0.6 * (top + 0.35 + last)))
    ends = 0.35, columns + 0.75 + (0.25 if last else 0)
    _paths_of_a_block(ax, ends, columns + 0.7, last)
    box = {"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": "C0", "linewidth": 1.5}
    for k, part in enumerate(parts):
        ax.text(k % columns + 1, -(k // columns), part, ha="center", va="center", bbox=box)
    round_box = box | {"boxstyle": "circle,pad=0.15", "edgecolor": "0.4"}
    ax.text(ends[1], 1, "+", ha="center", va="center", bbox=round_box)
    _name(ax, 0, 1.15, "$h$", sizes[:1])
    _name(ax, ends[1] + 0.45, 1.15, "$h + f(h)$", sizes[-1:])
    for k, size in enumerate(sizes[1:-1]):
        ax.text(k + 1.48, 0.12, size, ha="center", color="C1")
    ax.set(xlim=(-0.4, ends[1] + 1.15), ylim=(-0.35 - last, top))
    ax.axis("off")
    return fig


def _paths_of_a_block(ax, ends: tuple[float, float], turn: float, last: int):
    """The stream above and the branch below it, whose row 0 to `last` each turn back at x = `turn`."""
    corners = [(0, 1), (ends[0], 1), (ends[0], 0)]
    for row in range(last):
        corners += [(turn, -row), (turn, -row - 0.5), (ends[0], -row - 0.5), (ends[0], -row - 1)]
    corners += [(ends[1], -last), (ends[1], 0.86)]
    ax.plot(*np.transpose(corners), color="0.4", linestyle="-", linewidth=1.8, zorder=0)
    arrow = {"arrowstyle": "-|>", "color": "0.4", "linewidth": 1.8, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", (ends[1], 0.86), (ends[1], -last), arrowprops=arrow)
    ax.annotate("", (ends[1] - 0.12, 1), (0, 1), arrowprops=arrow)
    ax.annotate("", (ends[1] + 0.75, 1), (ends[1] + 0.12, 1), arrowprops=arrow)


def _name(ax, x: float, y: float, name: str, size: Sequence[str]):
    """A signal's name above its arrow, with its size above that."""
    ax.text(x, y, name, ha="center", va="bottom")
    for text in size:
        ax.text(x, y + 0.3, text, ha="center", va="bottom", color="C1")


def growth(theory: Mapping[str, np.ndarray], measured: Mapping[str, np.ndarray]) -> Figure:
    """Second moment of the stream by block: a line for each kind of branch, dots for the runs."""
    fig, ax = plt.subplots(figsize=(6, 3.8))
    for kind, line in theory.items():
        theory_and_measurement(ax, np.arange(len(line)), line, measured[kind], kind)
    ax.set(yscale="log", xlabel="block k", ylabel="second moment / first")
    handles, labels = ax.get_legend_handles_labels()
    lines = [(handle, label) for handle, label in zip(handles, labels, strict=True) if "theory" in label]
    ax.legend([handle for handle, _ in lines], [label.removesuffix(", theory") for _, label in lines])
    return fig


def head_to_tail(build: Callable, x: np.ndarray, y: np.ndarray, *, blocks: int, image: int = 0) -> Figure:
    """Two logits of one image, head to tail: an arrow for each branch, in units of the mean arrow.

    What each branch of `build(blocks, rng)` adds, and what a step on the batch x, y changes in each.
    """
    fig, ax = plt.subplots(figsize=(6, 4.6))
    outputs, steps = _paths(build(blocks, np.random.default_rng(5)), x, y, image)
    shown = [y[image], np.argmax(steps[0] - steps[-1])]  # the right class, and the one that loses most
    ends, legend = [], []
    for name, path, color in ("changes by one step", steps, "C1"), ("outputs at the start", outputs, "C0"):
        arrows = np.diff(path[:, shown], axis=0)
        length = np.mean(np.linalg.norm(arrows, axis=1))
        starts = (path[:-1, shown] - path[0, shown]) / length
        ends.append(f"{name}: {np.linalg.norm(arrows.sum(axis=0)) / length:.0f}")
        shape = {"angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.006}
        ax.quiver(*starts.T, *arrows.T / length, color=color, label=ends[-1], **shape)
        legend.append(_arrow(f"{ends[-1]} arrows away", color))
    legend.append(_circle(ax, blocks**0.5, "√N arrows away"))
    ax.set(xlim=(-blocks / 2, 1.05 * blocks), ylim=(-1.1 * blocks, max(3, blocks / 2)), aspect="equal")
    ax.set(xlabel="right logit, in mean arrows", ylabel="wrong logit, in mean arrows")
    title = f"{blocks} branches, an arrow for each"
    fig.legend(handles=legend, loc="outside upper center", title=title)
    fig.set_label(
        f"{blocks} arrows each, head to tail. Distance from the start in arrows: {'; '.join(ends)}."
    )
    return fig


def _circle(ax, radius: float, label: str) -> Line2D:
    """A dotted circle around the start, and what stands for it in a legend."""
    ax.add_patch(Circle((0, 0), radius, facecolor="none", edgecolor="0.35", linestyle=":", linewidth=2))
    return Line2D([], [], color="0.35", linestyle=":", marker="", label=label)


def _arrow(label: str, color: str) -> Line2D:
    """What stands for arrows of one color in a legend."""
    return Line2D([], [], color=color, linestyle="-", marker=">", markevery=[-1], label=label)


def _paths(model: Sequential, x: np.ndarray, y: np.ndarray, image: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits of one image, (blocks + 1, classes): with the first branches alone, and as each steps."""
    x, model = x.astype(np.float64), model.astype(np.float64)
    branches = [layer for layer in model if isinstance(layer, Residual)]
    shown = x[image : image + 1]
    stream = [model[0](shown)]
    for branch in branches:
        stream.append(branch(stream[-1]))
    outputs = np.array([model[len(branches) + 1 :](h)[0] for h in stream])
    model.backward(softmax_cross_entropy(model(x), y)[1])
    steps = [model(shown)[0]]
    for branch in branches:
        SGD(branch.parameters(), lr=1e-6).step()
        steps.append(model(shown)[0])
    return outputs, np.array(steps)


def wake_up(weights: Sequence[Sequence[np.ndarray]], *, step: int) -> Figure:
    """What `step` steps have changed in each matrix of four blocks, weights[step][matrix]."""
    fig, axes = plt.subplots(2, 6, figsize=(6, 3.2), layout="none", gridspec_kw=GRID)
    for ax in axes[1, [0, 5]]:
        ax.axis("off")
    for place, now, first in zip(PLACES, weights[step], weights[0], strict=True):
        ax, change = axes[place], now - first
        limit = np.abs(change).max()
        ax.imshow(change, cmap="RdBu", vmin=-limit or -1, vmax=limit or 1, aspect="auto")
        ax.set(xticks=[], yticks=[])
        ax.set_xlabel(f"{limit:.0e}" if limit else "still")
        ax.grid(False)
    for ax, title in zip(axes[0], ["input", "block 1", 2, 3, 4, "last"], strict=True):
        ax.set_title(title, fontsize=11)
    moved = [name for name, i in MATRICES.items() if np.any(weights[step][i] != weights[0][i])]
    fig.set_label(f"After {step} steps. Changed: {', '.join(moved) or 'nothing'}.")
    return fig


def curves(losses: Mapping[int, np.ndarray], others: Mapping[str, np.ndarray] | None = None) -> Figure:
    """Training loss by epoch, losses[blocks] = (seeds, epochs + 1): a median and a band for each depth.

    Thicker lines lie below thinner ones, so that equal curves all show. `others`: runs of another start,
    medians in gray, to compare.
    """
    fig, ax = plt.subplots(figsize=(4.6, 3.4))
    blues = plt.get_cmap("Blues")(np.linspace(0.35, 1, len(losses)))
    widths = np.linspace(8, 1.5, len(losses))
    for (blocks, runs), color, width in zip(losses.items(), blues, widths, strict=True):
        style = {"color": color, "linewidth": width, "linestyle": "-", "marker": ""}
        lines_with_spread(ax, range(runs.shape[1]), runs, f"{blocks} block" + "s" * (blocks > 1), **style)
    for (name, runs), dashes in zip((others or {}).items(), ["--", ":", "-."], strict=False):
        ax.plot(np.median(runs, axis=0), color="0.45", linestyle=dashes, marker="", label=name)
    ax.set(xticks=range(runs.shape[1]), ylim=(0, None), xlabel="epoch", ylabel="training loss")
    ax.legend()
    return fig


def two_ways(both_ways: Callable, factors: Mapping[str, Callable], *, blocks: int, signal: str) -> Figure:
    """Second moments by block, forward or backward: powers of a factor as lines, one network as dots.

    `both_ways(start, blocks)` gives the two measured ways, `factors[start](blocks)` the factor of a block.
    """
    fig, ax = plt.subplots(layout="none", gridspec_kw=PANEL)
    k, ends = np.arange(blocks + 1), []
    every = slice(None, None, max(1, blocks // 16))
    for start, factor in factors.items():
        power = k if signal == "forward" else blocks - k
        (line,) = ax.plot(k, factor(blocks) ** power, marker="", label=start)
        dots = both_ways(start, blocks)[signal == "backward"]
        ax.plot(k[every], dots[every], "o", color=line.get_color(), markersize=4)
        ends.append(f"{start} {dots.max():.0e}")
    ax.axhline(3.4e38, color="gray", marker="", linestyle=":")
    ax.text(0, 1e39, "largest float32", color="gray", va="bottom")
    ax.set(yscale="log", ylim=(1e-2, 1e65), xlabel="block k", ylabel="second moment, relative")
    ax.minorticks_off()
    ax.legend(loc="upper right")
    fig.set_label(f"{signal}, {blocks} blocks. Largest second moment: {', '.join(ends)}.")
    return fig


def frontier(he: Mapping, fixup: Mapping, *, blocks: int, learning_rate: float) -> Figure:
    """Losses by step of a Fixup network and of several of He, he[rate, blocks]; inf from an overflow on."""
    curves, ours = he[learning_rate, blocks], fixup[learning_rate, blocks]
    alive = np.isfinite(curves[:, -1])
    lost = f"{(~alive).sum()} of {len(curves)}"
    fig, ax = plt.subplots(layout="none", gridspec_kw=PANEL)
    for i, curve in enumerate(np.where(np.isfinite(curves), curves, np.nan)):
        ax.plot(curve, "C1--", marker="", alpha=0.6, label=None if i else f"He, {lost} overflow")
    ax.plot(ours, "C0-", marker="", label="Fixup")
    ax.set(yscale="log", ylim=(1e-2, 1e6), xlim=(0, len(ours) - 1), xticks=range(0, len(ours), 5))
    ax.set(xlabel="step", ylabel="loss", title=f"{blocks} blocks, learning rate {learning_rate:g}")
    ax.minorticks_off()
    ax.legend(loc="upper right")
    rest = f"others end at {np.median(curves[alive, -1]):.2f}" if alive.any() else "none left"
    fig.set_label(
        f"{blocks} blocks, learning rate {learning_rate:g}: {lost} He networks overflow, {rest}; "
        f"Fixup ends at {ours[-1]:.2f}."
    )
    return fig

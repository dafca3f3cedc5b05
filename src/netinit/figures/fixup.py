"""The pictures of chapter 8, residual networks and Fixup."""

from collections.abc import Callable, Collection, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from netinit.losses import softmax_cross_entropy
from netinit.models import Residual, Sequential
from netinit.optimizers import SGD
from netinit.plots import lines_with_spread, theory_and_measurement

# A start has one color and one kind of line in every picture of the chapter.
STYLES = {
    "plain": {"color": "0.4", "linestyle": (0, (1, 1))},
    "He": {"color": "C1", "linestyle": "--"},
    "He/√N": {"color": "C2", "linestyle": "-."},
    "batch norm": {"color": "C3", "linestyle": ":"},
    "Fixup": {"color": "C0", "linestyle": "-"},
}
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
    starts = ("plain", "He", "Fixup")
    for start in starts:
        ax.plot([], [], **STYLES[start], alpha=0.7, marker="", label=start)
        for run in runs[blocks][start]:
            loss = np.array(run.history.train_loss)
            loss = np.minimum(loss[np.isfinite(loss)], CEILING)
            end = {"marker": "x" if run.history.diverged_at else "", "markevery": [-1], "ms": 11, "mew": 2.5}
            ax.plot(loss, **STYLES[start], alpha=0.7, clip_on=False, **end)
    ax.set(yscale="log", ylim=(0.05, CEILING), xticks=range(5), xlabel="epoch", ylabel="training loss")
    ax.minorticks_off()
    _overflow_and_guess(ax)
    ax.legend(title=f"blocks: {blocks}", loc="upper right")
    last = {start: np.array([run.history.train_loss[-1] for run in runs[blocks][start]]) for start in starts}
    words = [
        f"{(ends < 1).sum()} of {len(ends)} {start} networks end below 1, {np.isnan(ends).sum()} overflow"
        for start, ends in last.items()
    ]
    fig.set_label(f"Training losses, {blocks} blocks: {'; '.join(words)}.")
    return fig


def _overflow_and_guess(ax):
    """Say what a cross means, and draw the loss of a guess among ten classes."""
    ax.plot([], [], "x", color="0.3", ms=11, mew=2.5, label="overflows next")
    ax.axhline(np.log(10), color="0.6", linestyle="-", linewidth=1, marker="", zorder=1)
    ax.text(4, 2.8, "guessing: ln 10", color="0.3", ha="right", va="bottom", fontsize=11)


def block(parts: Sequence[str], sizes: Sequence[str] = (), changed: Collection[str] = ()) -> Figure:
    """A residual block: the stream above, the parts of its branch below, the sum at the end.

    `sizes` names the second moments: of the stream, behind each part, and behind the sum. The parts that are
    `changed`, Fixup's, have a border of its color.
    """
    columns = len(parts) if len(parts) < 5 else 3  # a long branch runs in rows of three
    last = (len(parts) - 1) // columns
    top = 1.85 if sizes else 1.45
    fig, ax = plt.subplots(figsize=(4.6, 0.6 * (top + 0.35 + last)))
    ends = 0.35, columns + 0.75 + (0.25 if last else 0)
    _paths_of_a_block(ax, ends, columns + 0.7, last)
    box = {"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": "0.4", "linewidth": 1.5}
    for k, part in enumerate(parts):
        border = {"edgecolor": STYLES["Fixup"]["color"], "linewidth": 2.2} if part in changed else {}
        ax.text(k % columns + 1, -(k // columns), part, ha="center", va="center", bbox=box | border)
    round_box = box | {"boxstyle": "circle,pad=0.15"}
    ax.text(ends[1], 1, "+", ha="center", va="center", bbox=round_box)
    _name(ax, 0, 1.15, "$h$", sizes[:1])
    _name(ax, ends[1] + 0.7, 1.15, "$h + f(h)$", sizes[-1:])
    for k, size in enumerate(sizes[1:-1]):
        ax.text(k + 1.5, 0.3, size, ha="center", color=STYLES["He"]["color"])
    ax.set(xlim=(-0.3, ends[1] + 1.3), ylim=(-0.35 - last, top))
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
    ax.annotate("", (ends[1] + 1.1, 1), (ends[1] + 0.12, 1), arrowprops=arrow)


def _name(ax, x: float, y: float, name: str, size: Sequence[str]):
    """A signal's name above its arrow, with its size above that."""
    ax.text(x, y, name, ha="center", va="bottom")
    for text in size:
        ax.text(x, y + 0.36, text, ha="center", va="bottom", color=STYLES["He"]["color"])


def growth(theory: Mapping[str, np.ndarray], measured: Mapping[str, np.ndarray]) -> Figure:
    """Second moment of the stream by block: a line for each start, dots for the runs, its name at the end."""
    fig, ax = plt.subplots(figsize=(6, 3.8))
    for start, line in theory.items():
        look = STYLES[start]
        ax.set_prop_cycle(color=[to_rgb(look["color"])], linestyle=[look["linestyle"]])
        theory_and_measurement(ax, np.arange(len(line)), line, measured[start], start)
        ax.text(len(line) - 0.6, line[-1], start, color=look["color"], va="center")
    last = len(line) - 1
    ax.set(yscale="log", xlim=(-0.04 * last, 1.27 * last), xticks=range(0, last + 1, max(1, last // 4)))
    ax.set(xlabel="block k", ylabel="second moment, relative to the first")
    ax.minorticks_off()
    return fig


def head_to_tail(build: Callable, x: np.ndarray, y: np.ndarray, *, blocks: int, image: int = 0) -> Figure:
    """Two logits of one image, head to tail: an arrow for each branch, in units of the mean arrow.

    What each branch of `build(blocks, rng)` adds, in one network and fainter in four others, and what a step
    on the batch x, y changes in each branch of the first.
    """
    fig, ax = plt.subplots(figsize=(6, 4.4))
    color = STYLES["He/√N"]["color"]
    steps, first, *others = _paths(build, x.astype(np.float64), y, blocks, image)
    walks = [_walk(ax, path, color, alpha=0.35) for path in others]
    walks.insert(0, _walk(ax, first, color))
    change = _walk(ax, steps, "0.1")
    legend = [
        _arrow(f"changes by one step: end {change:.0f} arrows away", "0.1"),
        _arrow(f"outputs of 5 networks: end {min(walks):.0f} to {max(walks):.0f} away", color),
        _circle(ax, blocks**0.5, f"√N = {blocks**0.5:.0f} arrows away"),
    ]
    far = max(0.3 * blocks, 1.8 * blocks**0.5)
    ax.set(xlim=(-blocks, far), ylim=(-far, max(far, 0.66 * blocks)), aspect="equal")
    ax.set(xlabel="logit of the wrong class →", ylabel="logit of the right class →")
    title = f"{blocks} branches, an arrow for each"
    fig.legend(handles=legend, loc="outside upper center", title=title)
    fig.set_label(
        f"{blocks} arrows each, head to tail. Distance from the start in arrows: changes by one step "
        f"{change:.0f}, outputs at the start {', '.join(f'{walk:.0f}' for walk in walks)}."
    )
    return fig


def _paths(build: Callable, x: np.ndarray, y: np.ndarray, blocks: int, image: int) -> list[np.ndarray]:
    """Paths (points, 2) of two logits, the wrong one that loses most and the right one: steps, outputs."""
    shown = x[image : image + 1]
    models = [build(blocks, np.random.default_rng(seed)).astype(np.float64) for seed in range(5, 10)]
    outputs = [_outputs(model, shown) for model in models]
    steps = _steps(models[0], x, y, shown)
    pair = [np.argmax(steps[0] - steps[-1]), y[image]]
    return [path[:, pair] for path in (steps, *outputs)]


def _walk(ax, path: np.ndarray, color: str, alpha: float = 1.0) -> float:
    """Draw a path (points, 2) as arrows from 0, in units of their mean; returns how far away it ends."""
    arrows = np.diff(path, axis=0)
    length = np.mean(np.linalg.norm(arrows, axis=1))
    starts = (path[:-1] - path[0]) / length
    shape = {"angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.006}
    ax.quiver(*starts.T, *arrows.T / length, color=color, alpha=alpha, **shape)
    return float(np.linalg.norm(arrows.sum(axis=0)) / length)


def _circle(ax, radius: float, label: str) -> Line2D:
    """A dotted circle around the start, and what stands for it in a legend."""
    ax.add_patch(Circle((0, 0), radius, facecolor="none", edgecolor="0.35", linestyle=":", linewidth=2))
    return Line2D([], [], color="0.35", linestyle=":", marker="", label=label)


def _arrow(label: str, color: str) -> Line2D:
    """What stands for arrows of one color in a legend."""
    return Line2D([], [], color=color, linestyle="-", marker=">", markevery=[-1], label=label)


def _outputs(model: Sequential, shown: np.ndarray) -> np.ndarray:
    """Logits of one image with the first k branches alone, k = 0, 1, ...: (blocks + 1, classes)."""
    branches = [layer for layer in model if isinstance(layer, Residual)]
    stream = [model[0](shown)]
    for branch in branches:
        stream.append(branch(stream[-1]))
    return np.array([model[len(branches) + 1 :](h)[0] for h in stream])


def _steps(model: Sequential, x: np.ndarray, y: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """Logits of one image after k branches took their step on the batch: (blocks + 1, classes)."""
    model.backward(softmax_cross_entropy(model(x), y)[1])
    h, steps = shown, [model(shown)[0]]
    for k, layer in enumerate(model.layers):
        if isinstance(layer, Residual):
            SGD(layer.parameters(), lr=1e-6).step()
            later = h  # behind the branches that have stepped
            for other in model.layers[k:]:
                later = other(later)
            steps.append(later[0])
        h = layer(h)
    return np.array(steps)


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


def curves(losses: Mapping[str, Mapping[int, np.ndarray]]) -> Figure:
    """Training loss by epoch, losses[start][blocks] = (seeds, epochs + 1): a panel for each start.

    A median and the range for each depth, lighter the fewer blocks; depths that end together share a name.
    """
    fig, axes = plt.subplots(1, len(losses), figsize=(6, 3.4), sharey=True, squeeze=False)
    for ax, (start, depths) in zip(axes[0], losses.items(), strict=True):
        color = STYLES[start]["color"]
        looks = zip((0.5, 0.75, 1), ("-", "--", ":"), strict=True)
        for runs, (tint, dashes) in zip(depths.values(), looks, strict=False):
            style = {"color": 1 - tint * (1 - np.array(to_rgb(color))), "linestyle": dashes, "marker": ""}
            lines_with_spread(ax, range(runs.shape[1]), runs, start, **style)
        for names, height in _together({n: np.median(runs[:, -1]) for n, runs in depths.items()}):
            ax.text(runs.shape[1] - 0.8, height, names, va="center", color=color, linespacing=1)
        ax.set(xticks=range(runs.shape[1]), xlim=(-0.2, 1.5 * runs.shape[1] - 1.5))
        ax.set(yscale="log", xlabel="epoch", title=start)
        ax.minorticks_off()
    axes[0, 0].set_ylabel("training loss")
    return fig


def _together(ends: Mapping[int, float]) -> list[tuple[str, float]]:
    """Names and heights of the depths whose curves end within a factor of two of each other."""
    groups: list[list[int]] = []
    for n in sorted(ends, key=lambda n: ends[n]):
        if groups and ends[n] < 2 * ends[groups[-1][0]]:
            groups[-1].append(n)
        else:
            groups.append([n])
    names = [
        ", ".join(map(str, sorted(group))) + ("\nblocks" if group != [1] else "\nblock") for group in groups
    ]
    return [
        (name, float(np.mean([ends[n] for n in group]))) for name, group in zip(names, groups, strict=True)
    ]


def two_ways(both_ways: Callable, factors: Mapping[str, Callable], *, blocks: int, signal: str) -> Figure:
    """Second moments by block, forward or backward: powers of a factor as lines, one network as dots.

    `both_ways(start, blocks)` gives the two measured ways, `factors[start](blocks)` the factor of a block.
    """
    fig, ax = plt.subplots(layout="none", gridspec_kw=PANEL)
    k, ends = np.arange(blocks + 1), []
    every = slice(None, None, max(1, blocks // 16))
    for start, factor in factors.items():
        power = k if signal == "forward" else blocks - k
        ax.plot(k, factor(blocks) ** power, **STYLES[start], marker="", label=start)
        dots = both_ways(start, blocks)[signal == "backward"]
        ax.plot(k[every], dots[every], "o", color=STYLES[start]["color"], markersize=4)
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
        label = None if i else f"He, {lost} overflow"
        ax.plot(curve, **STYLES["He"], marker="", alpha=0.6, label=label)
    ax.plot(ours, **STYLES["Fixup"], marker="", label="Fixup")
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

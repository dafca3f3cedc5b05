"""The pictures of chapter 10, normalization."""

from copy import deepcopy
from math import comb

import matplotlib.pyplot as plt
import numpy as np

from netinit.hooks import intercept
from netinit.layers import Activation
from netinit.plots import lines_with_spread, theory_and_measurement

BLUE, ORANGE, PINK, SKY = "#0072B2", "#D55E00", "#CC79A7", "#56B4E9"
COLORS = {"no normalization": BLUE, "batch norm": ORANGE, "layer norm": SKY}
GRADIENT, SIGNAL = "#6A3D9A", "0.45"  # the two directions in the picture of a block
NAMES = {"none": "no normalization", "batch": "batch norm", "layer": "layer norm"}
# where the panels of a live figure stand: placed once, as laying them out would take half of a frame's time
PANEL = {"left": 0.13, "right": 0.98, "bottom": 0.15, "top": 0.9}
PANELS = {"left": 0.11, "right": 0.98, "bottom": 0.16, "top": 0.9, "wspace": 0.25}


def stds(model, x):
    """The std behind each activation on the batch x, faster than `trace`, which also computes the theory.

    It is measured on a copy, since a pass in training mode moves the running averages.
    """
    model, found = deepcopy(model), []

    def measure(_path, layer, call, h):
        h = call(h)
        if isinstance(layer, Activation):
            found.append(h.std(dtype=float))
        return h

    with intercept(model, "forward", measure):
        model(x)
    return found


def scales(scale, *, runs):
    """Signal by layer before training for He's weights times `scale`, and accuracy after it at every scale.

    `runs[scale]` is what `compare` returned, with a probe of the std by layer.
    """
    place = PANELS | {"left": 0.13, "right": 0.97, "wspace": 0.35}
    fig, (left, right) = plt.subplots(1, 2, figsize=(5.2, 3.5), layout="none", gridspec_kw=place)
    right.axvline(scale, color="#dddddd", linewidth=16, zorder=0)
    words = []
    for label, marker in (("plain", "o"), ("batch norm", "s")):
        stds = np.array([run.probes[0] for run in runs[scale][label]])
        lines_with_spread(left, range(1, stds.shape[1] + 1), stds, label, marker=marker)
        ends = np.array(
            [[run.history.validation_accuracy[-1] for run in group[label]] for group in runs.values()]
        )
        lines_with_spread(right, list(runs), ends.T, label, marker=marker)
        middle = dict(zip(runs, np.median(ends, axis=1), strict=True))
        _write_beside(right, middle)
        words.append(f"{label}: last hidden std {np.median(stds[:, -1]):.1g}, accuracy {middle[scale]:.2f}")
    left.set(yscale="log", ylim=(1e-16, 1e16), yticks=[1e-12, 1e-6, 1, 1e6, 1e12])
    left.set(xlabel="layer", xticks=range(1, stds.shape[1] + 1, 2), title="std before training")
    right.set(xscale="log", xlim=(0.012, 90), ylim=(-0.1, 1.1), xlabel="scale", title="accuracy after it")
    right.set_xticks(list(runs), [f"{s:g}" for s in runs])
    for ax in (left, right):
        ax.minorticks_off()
    left.legend(loc="upper left")
    fig.set_label(f"Weights times {scale:g}. {'; '.join(words)}.")
    return fig


def _write_beside(ax, values):
    """Write each `values[x]` above its point; right of it behind a fall, below it before a rise."""
    ys = list(values.values())
    for (x, y), before, after in zip(values.items(), [-np.inf, *ys], [*ys[1:], -np.inf], strict=False):
        if before > y + 0.1:
            offset, place = (11, 0), {"ha": "left", "va": "center"}
        elif after > y + 0.1:
            offset, place = (0, -7), {"ha": "center", "va": "top"}
        else:
            offset, place = (0, 7), {"ha": "center", "va": "bottom"}
        ax.annotate(f"{y:.2f}", (x, y), offset, textcoords="offset points", fontsize=11, **place)


def groups(z):
    """The numbers of a layer, examples by units, with the groups of both normalizations, and the result."""
    z = np.asarray(z, float)
    place = {"left": 0.01, "right": 0.99, "bottom": 0.01, "top": 0.93, "hspace": 0.2}
    fig, axes = plt.subplots(2, 1, figsize=(5, 4.6), layout="none", gridspec_kw=place)
    words = [_outlined(ax, z, axis) for axis, ax in enumerate(axes)]
    axes[0].set_title("batch normalization: down the columns")
    axes[1].set_title("layer normalization: along the rows")
    fig.set_label(f"Batch normalization, column by column: {words[0]}. Layer, row by row: {words[1]}.")
    return fig


def _outlined(ax, z, axis):
    """Write `z` as a table, its groups along `axis` outlined, and what they become; return that in words."""
    rows, columns = z.shape
    means, stds = z.mean(axis, keepdims=True), z.std(axis, keepdims=True)
    result, start = (z - means) / stds, columns + 1.9  # the left edge of the second table
    for (i, j), number in np.ndenumerate(z):
        ax.text(j, i, f"{number:g}", ha="center", va="center")
        ax.text(start + j, i, f"{result[i, j]:.2g}", ha="center", va="center")
    _name_rows_and_columns(ax, rows, columns)
    said = [f"mean {m:g}\nstd {s:g}" for m, s in zip(means.ravel(), stds.ravel(), strict=True)]
    for k, text in enumerate(said):
        line = {"edgecolor": "0.3", "linewidth": 2, "linestyle": ["-", "--"][k % 2]}
        if axis == 0:
            left, low, size, where = k - 0.4, -0.4, (0.8, rows - 0.2), (k, rows - 0.5)
        else:
            left, low, size, where = -0.4, k - 0.4, (columns - 0.2, 0.8), (columns - 0.5, k)
        for shift in (0, start):
            ax.add_patch(plt.Rectangle((left + shift, low), *size, fill=False, **line))
        ax.text(*where, text, fontsize=11, ha=("center", "left")[axis], va=("top", "center")[axis])
    arrow = {"arrowstyle": "-|>", "color": "0.3", "linewidth": 1.8}
    middle = (rows - 1) / 2
    ax.annotate("", (start - 0.5, middle), (start - 0.95, middle), arrowprops=arrow)
    ax.set(xlim=(-1.8, start + columns - 0.4), ylim=(rows + 0.35, -0.9))
    ax.set_axis_off()
    becomes = [" and ".join(f"{v:.2g}" for v in group) for group in (result.T if axis == 0 else result)]
    return ", ".join(f"{s.replace(chr(10), ', ')} becomes {b}" for s, b in zip(said, becomes, strict=True))


def _name_rows_and_columns(ax, rows, columns):
    """Write the examples left of a table and the units above it."""
    for i in range(rows):
        ax.text(-0.55, i, f"example {i + 1}", ha="right", va="center", fontsize=11)
    for j in range(columns):
        ax.text(j, -0.5, f"unit {j + 1}", ha="center", va="bottom", fontsize=11)


def clouds(scale, normalization, *, z, normalized):
    """Two units of one layer, a point for each digit; z (digits, units), `normalized[name](z)` likewise."""
    points = (normalized[normalization](scale * z))[:, :2]
    limit = 6
    fig, ax = plt.subplots(figsize=(6, 4.4), layout="none", gridspec_kw=PANEL)
    ax.plot(*np.clip(points, -limit, limit).T, ".", markersize=4, alpha=0.6)
    ax.add_patch(plt.Rectangle((-1, -1), 2, 2, fill=False, linestyle="--", edgecolor="#444444"))
    ax.plot(*points.mean(axis=0), "P", color="C1", markersize=11, markeredgecolor="white")
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xlabel="unit 1", ylabel="unit 2")
    ax.set_title(f"{NAMES[normalization]}, weights x {scale:g}")
    mean, std = points.mean(axis=0), points.std(axis=0)
    outside = np.mean(np.abs(points).max(axis=1) > 1)
    fig.set_label(
        f"{NAMES[normalization]}, weights times {scale:g}: means {mean[0]:.2f} and {mean[1]:.2f}, "
        f"std {std[0]:.2f} and {std[1]:.2f}; {outside:.0%} of the digits lie outside the square from -1 to 1."
    )
    return fig


def turn(scale, *, length, step, measured):
    """One step seen from the weights: the picture of the turn, and its angle at every scale.

    `length` of the weights and of the `step` at scale 1; `measured[scale]` are angles in degrees.
    """
    angle = np.degrees(np.arctan(step / length / scale**2))
    fig, (left, right) = plt.subplots(1, 2, layout="none", width_ratios=[1, 1.15], gridspec_kw=PANELS)
    _draw_turn(left, scale, step / length / scale)
    xs = np.array(list(measured))
    grid = np.geomspace(xs.min(), xs.max(), 100)
    right.plot(grid, np.degrees(np.arctan(step / length / grid**2)), label="theory")
    runs = np.array(list(measured.values())).T
    right.plot(xs, np.median(runs, axis=0), "o", color="C1", linestyle="", label="measured")
    right.plot(scale, angle, "o", color="none", markeredgecolor="black", markersize=13)
    right.set(xscale="log", yscale="log", ylim=(1e-3, 300), xlabel="scale", title="turn in degrees")
    right.minorticks_off()
    right.legend(loc="lower left")
    fig.set_label(
        f"Weights times {scale:g}: the step is {step / length / scale**2:.2g} times as long as the weights "
        f"and at a right angle to them; it turns them by {angle:.2g} degrees."
    )
    return fig


def _draw_turn(ax, scale, step):
    """The weights as an arrow of length `scale`, and the step that starts at its tip."""
    size = max(scale, step) * 1.15
    arrow = {"arrowstyle": "-|>", "linewidth": 2.2, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 16}
    for start, end, color in [
        ((0, 0), (scale, 0), "C0"),
        ((scale, 0), (scale, step), "C1"),
        ((0, 0), (scale, step), "C2"),
    ]:
        ax.annotate("", end, start, arrowprops=arrow | {"color": color})
    ax.set(xlim=(-0.05 * size, size), ylim=(-0.1 * size, size), aspect="equal", xticks=[], yticks=[])
    ax.set_title(f"scale {scale:g}")
    offset = 0.03 * size
    ax.text(scale / 2, -offset, "weights", color="C0", ha="center", va="top")
    ax.text(scale - offset, step / 2, "step", color="C1", ha="right", va="center")
    ax.text(scale / 2, step / 2 + offset, "after", color="C2", ha="right", va="bottom")
    ax.grid(False)
    ax.spines[["left", "bottom"]].set_visible(False)


def gradients(normalization, *, measured, theory):
    """Gradient by layer, relative to the last hidden one; `measured[name]` (runs, layers)."""
    name = NAMES.get(normalization, normalization)
    runs, line = measured[normalization], theory[normalization]
    fig, ax = plt.subplots(layout="none", gridspec_kw=PANEL)
    color = next(color for kind, color in COLORS.items() if kind in name)
    ax.set_prop_cycle(color=[color], linestyle=["-"])
    theory_and_measurement(ax, range(1, len(line) + 1), line, runs, name)
    ax.set(yscale="log", ylim=(0.05, 2000), xlabel="layer")
    ax.minorticks_off()
    ax.set_title(f"{name}: gradient, last hidden layer = 1")
    ax.legend(loc="upper right")
    first = np.median(runs[:, 0])
    fig.set_label(
        f"{name}, {len(line)} layers: the gradient at layer 1 is {first:.2g} times that "
        f"of the last hidden layer; theory says {line[0]:.2g}."
    )
    return fig


def two_ways():
    """A residual block: the signal to the right, past the branch and through it, and the gradient back."""
    place = {"left": 0, "right": 1, "bottom": 0, "top": 1}
    fig, ax = plt.subplots(figsize=(5, 2.7), layout="none", gridspec_kw=place)
    _draw_branch(ax)
    for color, low, begin, end in ((SIGNAL, 0.0, 0.0, 10.0), (GRADIENT, -0.45, 10.0, 0.0)):
        style = {"color": color, "linestyle": "-" if color == SIGNAL else "--", "linewidth": 2}
        arrow = {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0, "mutation_scale": 14, **style}
        ax.annotate("", (end, 2.4 + low), (begin, 2.4 + low), arrowprops=arrow)  # past the branch
        out, back = (1.6, 8.4) if color == SIGNAL else (8.0, 2.0)
        ax.plot([out, out, back], [2.4 + low, low, low], marker="", zorder=0, **style)
        ax.annotate("", (back, 2.4 + low), (back, low), arrowprops=arrow)
    for x, y, text, color in (
        (0.1, 2.6, "$h_k$", SIGNAL),
        (9.9, 2.6, "$h_{k+1} = h_k + f_k(h_k)$", SIGNAL),
        (9.9, 1.15, r"$\delta_{k+1}$", GRADIENT),
        (0.1, 1.15, r"$\delta_k$", GRADIENT),
        (5.0, 1.2, r"past the branch: $\delta_{k+1}$", GRADIENT),
        (5.0, -1.55, r"through it: $\delta_{k+1} J_k$", GRADIENT),
    ):
        side = "left" if x < 1 else "right" if x > 9 else "center"
        ax.text(x, y, text, color=color, ha=side, va="bottom", fontsize=12)
    ax.set(xlim=(-0.2, 10.2), ylim=(-1.7, 3.3))
    ax.axis("off")
    return fig


def _draw_branch(ax):
    """The three parts of the branch, as boxes."""
    for x, part in ((3.2, "normal-\nization"), (5.1, "ReLU"), (6.8, "weights")):
        box = {"boxstyle": "round,pad=0.45", "facecolor": "white", "edgecolor": "0.3"}
        ax.text(x, -0.2, part, ha="center", va="center", bbox=box, fontsize=11)


def gradient_growth(measured, theory):
    """Gradient at each block, the last = 1; `measured[name]` (runs, places), `theory[name]` a line."""
    fig, ax = plt.subplots(figsize=(5, 3.6))
    ax.set_prop_cycle(color=[ORANGE, PINK], linestyle=["--", ":"])
    for name, line in theory.items():
        theory_and_measurement(ax, range(1, len(line) + 1), line, measured[name], name)
    ax.set(yscale="log", ylim=(0.5, 2000), xlabel="block", ylabel="gradient, last = 1")
    ax.minorticks_off()
    ax.legend(loc="upper right", fontsize=10, ncols=2, columnspacing=1, handlelength=1.6)
    return fig


def paths(a, blocks=30):
    """Share of the squared gradient that comes through k of the branches, which multiply it by `a` each."""
    k = np.arange(blocks + 1)
    total = (1 + a) ** blocks
    shares = np.array([float(comb(blocks, i)) for i in k]) * a**k / total
    fig, ax = plt.subplots(layout="none", gridspec_kw=PANEL)
    ax.bar(k, shares)
    ax.set(xlim=(-0.7, blocks + 0.7), ylim=(0, 0.4), xlabel="branches on the path")
    ax.set(ylabel="share of the gradient", title=f"a = {a:.2g}: the squared gradient grows by {total:.2g}")
    mean = float(np.sum(k * shares))
    fig.set_label(
        f"{blocks} blocks whose branches multiply by {a:.2g}: the squared gradient is "
        f"multiplied by {total:.2g}; on average it has passed {mean:.2g} branches."
    )
    return fig


def lengths(weight_decay, *, walks):
    """Length of the weights and turn per step over the steps; `walks[decay][scale]` (steps, 2)."""
    fig, (left, right) = plt.subplots(1, 2, layout="none", gridspec_kw=PANELS)
    words = []
    for scale, walk in walks[weight_decay].items():
        left.plot(walk[:, 0], label=f"x {scale:g}")
        right.plot(walk[:, 1])
        words.append(f"start times {scale:g}: length {walk[-1, 0]:.2g}, {walk[-1, 1]:.2g} degrees a step")
    if weight_decay:
        right.axhline(equilibrium(weight_decay), color="#444444", linestyle=":", linewidth=1.5)
    left.set(yscale="log", ylim=(0.2, 300), xlabel="step", title="length of the weights")
    right.set(yscale="log", ylim=(3e-3, 100), xlabel="step", title="turn in degrees")
    for ax in (left, right):
        ax.minorticks_off()
    left.legend(loc="upper right", ncols=3, fontsize=9, columnspacing=0.8, handlelength=1.4)
    fig.set_label(f"Weight decay {weight_decay:g}, after {len(walk)} steps: {'; '.join(words)}.")
    return fig


def equilibrium(weight_decay, lr=0.1):
    """The turn per step, in degrees, at which decay and growth of the weights balance."""
    return np.degrees(np.sqrt(2 * lr * weight_decay))


def gates(bias, *, measured, theory):
    """Gradient by layer of gated networks; `measured[bias]` (runs, layers), `theory[bias]` a line."""
    fig, ax = plt.subplots(layout="none", gridspec_kw=PANEL)
    layers = range(1, len(theory[bias]) + 1)
    theory_and_measurement(ax, layers, theory[bias], measured[bias], "gradient")
    ax.set(
        yscale="log", ylim=(1e-5, 3), xlabel="block", title=f"gate bias {bias:g}: gradient, last block = 1"
    )
    ax.minorticks_off()
    ax.legend(loc="lower right")
    first = np.median(measured[bias][:, 0])
    fig.set_label(f"Gate bias {bias:g}: block 1 gets {first:.1g} of the gradient of the last block.")
    return fig

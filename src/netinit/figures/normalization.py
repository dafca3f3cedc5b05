"""The pictures of chapter 10, normalization."""

from copy import deepcopy
from math import comb

import matplotlib.pyplot as plt
import numpy as np

from netinit.hooks import intercept
from netinit.layers import Activation
from netinit.plots import lines_with_spread, theory_and_measurement

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
    fig, (left, right) = plt.subplots(1, 2, layout="none", gridspec_kw=PANELS)
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
        _write_above(right, middle)
        words.append(f"{label}: last hidden std {np.median(stds[:, -1]):.1g}, accuracy {middle[scale]:.2f}")
    left.set(yscale="log", ylim=(1e-16, 1e16), yticks=[1e-12, 1e-6, 1, 1e6, 1e12])
    left.set(xlabel="layer", title="before training: signal std")
    right.set(xscale="log", xlim=(0.015, 20), ylim=(-0.05, 1.1), xlabel="scale", title="after it: accuracy")
    right.set_xticks(list(runs), [f"{s:g}" for s in runs])
    for ax in (left, right):
        ax.minorticks_off()
    left.legend(loc="upper left")
    fig.set_label(f"Weights times {scale:g}. {'; '.join(words)}.")
    return fig


def _write_above(ax, values):
    """Write each value of `values[x]` above its point."""
    for x, y in values.items():
        ax.annotate(
            f"{y:.2f}", (x, y), (0, 7), textcoords="offset points", ha="center", va="bottom", fontsize=10
        )


def groups(z):
    """The numbers of a layer, examples by units, with the groups of both normalizations outlined."""
    z = np.asarray(z)
    place = {"left": 0.01, "right": 0.99, "bottom": 0.02, "top": 0.88, "wspace": 0.05}
    fig, axes = plt.subplots(1, 2, figsize=(6.8, 2.6), layout="none", gridspec_kw=place)
    words = [_outlined(ax, z, axis) for axis, ax in enumerate(axes)]
    axes[0].set_title("batch: down the columns")
    axes[1].set_title("layer: along the rows")
    fig.set_label(f"Batch normalization, column by column: {words[0]}. Layer, row by row: {words[1]}.")
    return fig


def _outlined(ax, z, axis):
    """Write `z` as a table, its groups along `axis` outlined; return their means and stds in words."""
    rows, columns = z.shape
    for (i, j), number in np.ndenumerate(z):
        ax.text(j, i, f"{number:g}", ha="center", va="center")
    for i in range(rows):
        ax.text(-0.55, i, f"example {i + 1}", ha="right", va="center", fontsize=11)
    for j in range(columns):
        ax.text(j, -0.5, f"unit {j + 1}", ha="center", va="bottom", fontsize=11)
    means, stds = z.mean(axis), z.std(axis)
    for k in range(len(means)):
        if axis == 0:
            box, edge, where = (
                (k - 0.4, -0.4, 0.8, rows - 0.2),
                (k, rows - 0.35),
                {"ha": "center", "va": "top"},
            )
        else:
            box, edge, where = (-0.4, k - 0.4, columns - 0.2, 0.8), (columns - 0.5, k), {"va": "center"}
        line = {"edgecolor": f"C{k}", "linewidth": 2, "linestyle": ["-", "--"][k % 2]}
        ax.add_patch(plt.Rectangle(box[:2], *box[2:], fill=False, **line))
        ax.text(*edge, f" mean {means[k]:g} \n std {stds[k]:g} ", fontsize=11, **where)
    ax.set(xlim=(-1.75, columns + 0.8), ylim=(rows + 0.3, -0.9))
    ax.set_axis_off()
    return ", ".join(f"mean {mean:g} and std {std:g}" for mean, std in zip(means, stds, strict=True))


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

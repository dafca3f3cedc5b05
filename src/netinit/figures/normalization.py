"""The pictures of chapter 10, normalization."""

from copy import deepcopy
from math import comb

import matplotlib.pyplot as plt
import numpy as np

from netinit.figures._shared import ink
from netinit.hooks import intercept
from netinit.layers import Activation
from netinit.plots import lines_with_spread, theory_and_measurement

BLUE, ORANGE, GREEN, PINK, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9"
COLORS = {"no normalization": BLUE, "batch norm": ORANGE, "layer norm": SKY}
SCHEMES = {"He alone": BLUE, "batch norm": ORANGE, "sum": GREEN, "both": PINK}
DASHES = dict(zip(SCHEMES, ("-", "--", "-.", ":"), strict=True))
GRADIENT, SIGNAL = "#6A3D9A", "0.45"  # the two directions in the picture of a block
SKY_TEXT = "#1F6E9C"  # letters in the color of layer normalization, dark enough to be read
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
    right.text(scale, -0.16, "slider", color="0.3", fontsize=10, ha="center", va="bottom")
    words = []
    for label, marker in (("plain", "o"), ("batch norm", "s")):
        stds = np.array([run.probes[0] for run in runs[scale][label]])
        lines_with_spread(left, range(1, stds.shape[1] + 1), stds, label, marker=marker)
        middle = _draw_accuracy(right, {s: group[label] for s, group in runs.items()}, label, marker)
        words.append(f"{label}: last hidden std {np.median(stds[:, -1]):.1g}, accuracy {middle[scale]:.2f}")
    _name_signals(left)
    _draw_other_scales(left, scale, runs)
    left.set(yscale="log", ylim=(1e-16, 1e16), yticks=[1e-12, 1e-6, 1, 1e6, 1e12])
    left.set(xlabel="layer", xticks=range(1, stds.shape[1] + 1, 2), title="std before training")
    left.minorticks_off()
    fig.set_label(f"Weights times {scale:g}. {'; '.join(words)}.")
    return fig


def _draw_accuracy(ax, runs, label, marker):
    """The accuracy after training at every scale, with its numbers; return their medians."""
    ends = np.array([[run.history.validation_accuracy[-1] for run in group] for group in runs.values()])
    lines_with_spread(ax, list(runs), ends.T, label, marker=marker)
    middle = dict(zip(runs, np.median(ends, axis=1), strict=True))
    _write_beside(ax, middle)
    ax.set(xscale="log", xlim=(0.009, 90), ylim=(-0.17, 1.1), yticks=[0, 0.2, 0.4, 0.6, 0.8, 1])
    ax.set(xlabel="scale of the weights", title="accuracy after it")
    ax.set_xticks(list(runs), [f"{s:g}" for s in runs])
    ax.minorticks_off()
    return middle


def _name_signals(ax):
    """Write the names of the two signals beside them, on the sides on which they do not meet."""
    plain, normalized = (line.get_ydata() for line in ax.lines)
    falls = plain[-1] < normalized[-1]
    for y, name, color, up, at in (
        (plain, "plain", BLUE, not falls, len(plain) // 2),
        (normalized, "batch norm", ORANGE, falls, len(plain) - 1),
    ):
        offset, va = ((0, 9), "bottom") if up else ((0, -9), "top")
        style = {"textcoords": "offset points", "color": color, "fontsize": 11, "ha": "right", "va": va}
        ax.annotate(name, (at + 1, y[at]), offset, **style)


def _draw_other_scales(ax, scale, runs):
    """The plain signal at the scales that the slider does not stand at, pale; a level one needs no name."""
    for other in runs.keys() - {scale}:
        stds = np.median([run.probes[0] for run in runs[other]["plain"]], axis=0)
        ax.plot(range(1, len(stds) + 1), stds, color=BLUE, linestyle="-", marker="", alpha=0.3, zorder=1)
        at = min(len(stds) // 2 + 1, len(stds) - 1)
        if abs(np.log10(stds[at])) > 2:
            offset, va = ((-6, 4), "bottom") if stds[-1] > 1 else ((-6, -4), "top")
            style = {"textcoords": "offset points", "color": BLUE, "alpha": 0.7, "fontsize": 10}
            ax.annotate(f"plain at {other:g}", (at + 1, stds[at]), offset, ha="right", va=va, **style)


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
    """The numbers of a layer, examples by units, with the groups of batch and of layer normalization."""
    z = np.asarray(z, float)
    rows, columns = z.shape
    place = {"left": 0.01, "right": 0.995, "bottom": 0.01, "top": 0.89, "wspace": 0.06}
    fig, axes = plt.subplots(
        1,
        2,
        figsize=(5.4, 2.5),
        layout="none",
        gridspec_kw=place,
        width_ratios=[columns + 1.8, columns + 2.1],
    )
    words = [_outlined(ax, z, axis) for axis, ax in enumerate(axes)]
    for i, name in enumerate([*(f"example {i + 1}" for i in range(rows)), "mean", "std"]):
        axes[0].text(-0.55, i + 0.1 * (i >= rows), name, ha="right", va="center", fontsize=11)
    for k, name in enumerate(("mean", "std")):
        axes[1].text(columns + 0.1 + k, -0.55, name, ha="center", va="bottom", fontsize=11)
    axes[0].set(xlim=(-2.3, columns - 0.5))
    axes[0].set_title("down the columns: batch", loc="right")
    axes[1].set(xlim=(-0.5, columns + 1.6))
    axes[1].set_title("along the rows: layer", loc="left")
    fig.set_label(f"Batch normalization, column by column: {words[0]}. Layer, row by row: {words[1]}.")
    return fig


def _outlined(ax, z, axis):
    """Write `z` as a table, its groups along `axis` outlined, with mean and std; return these in words."""
    rows, columns = z.shape
    color, said = (ORANGE, SKY_TEXT)[axis], []
    for (i, j), number in np.ndenumerate(z):
        ax.text(j, i, f"{number:g}", ha="center", va="center")
    for j in range(columns):
        ax.text(j, -0.55, f"unit {j + 1}", ha="center", va="bottom", fontsize=11)
    for k, group in enumerate((z.T, z)[axis]):
        corner, size = (((k - 0.4, -0.4), (0.8, rows - 0.2)), ((-0.4, k - 0.4), (columns - 0.2, 0.8)))[axis]
        ax.add_patch(plt.Rectangle(corner, *size, fill=False, edgecolor=(ORANGE, SKY)[axis], linewidth=2.5))
        for place, value in enumerate((group.mean(), group.std())):
            where = ((k, rows + 0.1 + place), (columns + 0.1 + place, k))[axis]
            ax.text(*where, f"{value:.2g}", color=color, ha="center", va="center")
        said.append(
            f"{', '.join(f'{v:g}' for v in group)} with mean {group.mean():.2g}, std {group.std():.2g}"
        )
    ax.set_ylim(rows + 1.6, -1)
    ax.set_axis_off()
    return "; ".join(said)


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
    fig, ax = plt.subplots(
        figsize=(5, 3.6), layout="none", gridspec_kw=PANEL | {"left": 0.15, "bottom": 0.16}
    )
    color = next(color for kind, color in COLORS.items() if kind in name)
    ax.set_prop_cycle(color=[color], linestyle=["-"])
    theory_and_measurement(ax, range(1, len(line) + 1), line, runs, name)
    first = np.median(runs[:, 0])
    said = f"layer 1: {_two_digits(first)}, in theory {line[0]:.3g}"
    dark = SKY_TEXT if color == SKY else color
    ax.annotate(said, (1, max(first, line[0])), (0, 8), textcoords="offset points", color=dark)
    ax.text(30, 0.5, "line: theory\ndots: measured", color="0.3", fontsize=11, ha="right", va="top")
    ax.set(yscale="log", ylim=(0.05, 2000), xlabel="layer", ylabel="gradient (last hidden layer = 1)")
    ax.minorticks_off()
    ax.set_title(name)
    fig.set_label(
        f"{name}, {len(line)} layers: the gradient at layer 1 is {_two_digits(first)} times that "
        f"of the last hidden layer; theory says {line[0]:.3g}."
    )
    return fig


def _two_digits(number):
    """The number with two digits, and never as a power of ten: 230, 5.4."""
    return f"{float(f'{number:.2g}'):g}"


def two_ways():
    """A residual block: the signal to the right, past the branch and through it, and the gradient back."""
    place = {"left": 0, "right": 1, "bottom": 0, "top": 1}
    fig, ax = plt.subplots(figsize=(5, 3), layout="none", gridspec_kw=place)
    _draw_ways(ax, 0.0, ((0.0, 10.0), (1.5, 8.5)), {"color": SIGNAL, "linestyle": "-"})
    _draw_ways(ax, -0.5, ((10.0, 0.0), (8.1, 1.9)), {"color": GRADIENT, "linestyle": "--"})
    _draw_branch(ax)
    for x, y, text, color in (
        (0.1, 2.6, "$h_k$", SIGNAL),
        (9.9, 2.6, "$h_{k+1} = h_k + f_k(h_k)$", SIGNAL),
        (9.9, 1.1, r"$\delta_{k+1}$", GRADIENT),
        (0.1, 1.1, r"$\delta_k$", GRADIENT),
        (5.0, 1.15, r"past the branch: $\delta_{k+1}$", GRADIENT),
        (5.0, -1.75, r"through the branch: $\delta_{k+1} J_k$", GRADIENT),
    ):
        side = "left" if x < 1 else "right" if x > 9 else "center"
        ax.text(x, y, text, color=color, ha=side, va="bottom", fontsize=12)
    ax.set(xlim=(-0.2, 10.2), ylim=(-1.9, 3.4))
    ax.axis("off")
    return fig


def _draw_ways(ax, lane, ends, style):
    """An arrow past the branch, and one that leaves it, passes the branch and comes back to a plus."""
    (begin, end), (out, back) = ends
    style = {"linewidth": 2, **style}
    arrow = {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0, "mutation_scale": 14, **style}
    ax.annotate("", (end, 2.4 + lane), (begin, 2.4 + lane), arrowprops=arrow)
    ax.plot([out, out, back], [2.4 + lane, lane, lane], marker="", zorder=0, **style)
    ax.annotate("", (back, 2.2 + lane), (back, lane), arrowprops=arrow)
    _plus(ax, back, 2.4 + lane, style["color"])


def _plus(ax, x, y, color):
    """A circle with a plus, where two ways add up."""
    ax.plot(x, y, "o", color="white", markeredgecolor=color, markeredgewidth=1.8, markersize=14, zorder=4)
    ax.plot(x, y, "+", color=color, markersize=8, markeredgewidth=1.8, zorder=5)


def _draw_branch(ax):
    """The three parts of the branch as boxes of one size, on both lanes."""
    for x, part in ((3.2, "normalize"), (5.0, "ReLU"), (6.8, "weights")):
        ax.add_patch(
            plt.Rectangle((x - 0.83, -0.85), 1.66, 1.2, facecolor="white", edgecolor="0.3", zorder=3)
        )
        ax.text(x, -0.25, part, ha="center", va="center", fontsize=11, zorder=4)


def gradient_growth(measured, theory):
    """Gradient at each block, the last = 1; `measured[name]` (runs, places), `theory[name]` a line."""
    fig, ax = plt.subplots(figsize=(5, 3.6))
    ax.set_prop_cycle(color=[ORANGE, PINK], linestyle=["--", ":"])
    for name, line in theory.items():
        theory_and_measurement(ax, range(1, len(line) + 1), line, measured[name], name)
        at = len(line) // 2
        color = ax.lines[-1].get_color()
        ax.annotate(
            name, (at, line[at - 1]), (6, 6), textcoords="offset points", color=color, ha="left", va="bottom"
        )
    ax.text(29, 500, "lines: theory\ndots: measured", color="0.3", fontsize=11, ha="right", va="center")
    ax.set(yscale="log", ylim=(0.5, 1000), xlabel="block", ylabel="gradient (last layer = 1)")
    ax.minorticks_off()
    return fig


def neighbors(layer, *, nearest, images, labels, seed=0, shown=7):
    """How often the nearest other image shows the same digit, by layer, and some of these images.

    `nearest[name][layer]` (seeds, images) holds for each image the number of the nearest one.
    """
    place = {"left": 0.15, "right": 0.97, "bottom": 0.02, "top": 0.94, "hspace": 0.42}
    fig, (top, bottom) = plt.subplots(
        2, 1, figsize=(5.2, 6), layout="none", height_ratios=[1, 1.15], gridspec_kw=place
    )
    shares = {
        name: {k: np.median((labels[found] == labels).mean(axis=1)) for k, found in by_layer.items()}
        for name, by_layer in nearest.items()
    }
    _draw_shares(top, shares)
    top.axvline(layer, color="#dddddd", linewidth=14, zorder=0)
    found = {name: by_layer[layer][seed] for name, by_layer in nearest.items()}
    _draw_neighbors(bottom, found, images, labels, shown)
    words = ", ".join(f"{name} {by_layer[layer]:.2f}" for name, by_layer in shares.items())
    fig.set_label(f"Behind layer {layer} the nearest image shows the same digit in a share of: {words}.")
    return fig


def _draw_shares(ax, shares):
    """A curve per scheme with its name at its end, and the share by chance."""
    for name, by_layer in shares.items():
        style = {"color": SCHEMES[name], "linestyle": DASHES[name], "marker": "o", "markersize": 4}
        ax.plot(list(by_layer), list(by_layer.values()), **style)
        last = max(by_layer)
        up = {"both": -0.03, "He alone": 0.05}.get(name, 0.03)  # the names keep off each other's curves
        ax.text(last + 0.6, by_layer[last] + up, name, color=SCHEMES[name], va="center", fontsize=11)
    ax.axhline(0.1, color="0.3", linestyle=(0, (1, 1)), linewidth=1.2)
    ax.text(1, 0.08, "chance", color="0.3", fontsize=11, va="top")
    ax.set(xlim=(0, 38), ylim=(-0.03, 1.05), xlabel="layer", xticks=list(by_layer))
    ax.set_title("how often the nearest image shows the same digit", fontsize=12)


def _draw_neighbors(ax, nearest, images, labels, shown):
    """In the first row an image of each of some digits, below it the nearest image in each network."""
    chosen = [int(np.flatnonzero(labels == digit)[0]) for digit in range(shown)]
    rows = {"image": np.array(chosen), **{name: found[chosen] for name, found in nearest.items()}}
    pixels = ink(images)
    page = np.full((10 * len(rows), 10 * shown), np.nan)
    for i, found in enumerate(rows.values()):
        for j, number in enumerate(found):
            page[10 * i + 1 : 10 * i + 9, 10 * j + 1 : 10 * j + 9] = pixels[number].reshape(8, 8)
    ax.imshow(page, cmap="gray_r", aspect="equal", interpolation="nearest")
    for i, (name, found) in enumerate(rows.items()):
        color = SCHEMES.get(name, "black")
        ax.text(-1.5, 10 * i + 4.5, name, color=color, fontsize=11, ha="right", va="center")
        for j in range(shown):
            if name in SCHEMES and labels[found[j]] == labels[chosen[j]]:
                frame = {"fill": False, "edgecolor": color, "linewidth": 2}
                ax.add_patch(plt.Rectangle((10 * j - 0.3, 10 * i - 0.3), 9.6, 9.6, **frame))
    ax.set_title("the nearest image; framed: the same digit", fontsize=12)
    ax.axis("off")


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

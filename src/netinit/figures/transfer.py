"""The pictures of chapter 11, transfer."""

import matplotlib.pyplot as plt
import numpy as np

from netinit.data import load_digits
from netinit.plots import heatmap, lines_with_spread

WIDEST = 2.2  # how many times their spread the points of the clouds may lie out
TRAINED, RANDOM = "C0", "C1"  # on all pictures: what comes from the source, and what was drawn at random
DIGITS = ("C2", "C3", "C5", "C6")  # the colors of four digits
COPIED = (5.1, 6.9)  # where layers 1 and 2 stand in the drawing of the procedure


def procedure(labels_per_class, *, labels, accuracy, change):
    """The source above the target, what is copied, and the test accuracy of both starts as bars.

    `accuracy[scheme]` (seeds, labels); `change` makes the raw images of the target from those of the source.
    """
    fig = plt.figure(figsize=(5.2, 3.1))
    top, low = fig.subfigures(2, 1, height_ratios=[1.8, 1.1])
    drawing = top.add_axes((0.02, 0, 0.96, 1))
    _network(drawing, 3.2, "source: clean digits, all labeled", _clear(), "old head")
    _network(drawing, 0.2, "target: noisy digits", _clear(change), "new head")
    drawing.set(xlim=(0, 10), ylim=(0, 6))
    drawing.set_axis_off()
    for at in COPIED:
        arrow = {"arrowstyle": "-|>", "linewidth": 2, "color": TRAINED}
        drawing.annotate("", (at, 1.7), (at, 3.4), arrowprops=arrow)
        drawing.text(at + 0.2, 2.4, "copy", color=TRAINED, fontsize=11)
    runs = {scheme: np.asarray(a)[:, labels.index(labels_per_class)] for scheme, a in accuracy.items()}
    title = f"test accuracy, {labels_per_class} label{'s' * (labels_per_class > 1)} per class"
    _accuracy_bars(low.subplots(), runs, title)
    words = "; ".join(f"{scheme} {np.median(a):.2f}" for scheme, a in runs.items())
    drawn = "The source above the target: layers 1 and 2 are copied, the target has a new head"
    fig.set_label(f"{drawn}. {title.capitalize()}: {words}.")
    return fig


def _network(ax, low, title, images, head):
    """Three images, two layers and a head in a row; the layers have one color, a new head another."""
    ax.text(0.1, low + 2.1, title)
    ax.plot([4.2, 9], [low + 0.9] * 2, "-", color="0.5", linewidth=1.5, zorder=0)
    look = {"cmap": "gray_r", "vmin": 0, "vmax": 16, "aspect": "auto"}
    for i, image in enumerate(images[:3]):
        left = 0.1 + 1.35 * i
        ax.imshow(image, extent=(left, left + 1.2, low, low + 1.8), **look)
    for at, name in zip((*COPIED, 8.9), ("layer 1", "layer 2", head), strict=True):
        edge, line = (RANDOM, "--") if name == "new head" else (TRAINED, "-")
        face = "#d6e6f2" if at in COPIED else "w"
        box = {"boxstyle": "round", "fc": face, "ec": edge, "linestyle": line, "linewidth": 1.8}
        ax.text(at, low + 0.9, name, ha="center", va="center", fontsize=11, bbox=box)


def _clear(change=None):
    """The first 0, 4 and 7 of the test images, changed where there is a change."""
    images, y = _raw(change)
    return [images[y == c][0] for c in (0, 4, 7)]


def _accuracy_bars(ax, runs, title):
    """A bar for each scheme: the median over seeds with its number, and the range as a whisker."""
    middle = np.array([np.median(a) for a in runs.values()])
    ends = np.array([[m - min(a), max(a) - m] for m, a in zip(middle, runs.values(), strict=True)]).T
    ax.barh(list(runs), middle, xerr=ends, color=[_color(scheme) for scheme in runs], capsize=3)
    for i, a in enumerate(runs.values()):
        ax.text(max(a) + 0.02, i, f"{middle[i]:.2f}", va="center", weight="bold")
    ax.invert_yaxis()
    ax.set(xlim=(0, 1), title=title)
    ax.grid(visible=False)
    ax.axvline(0.1, color="w", linestyle=":", linewidth=1.5)
    ax.set_xticks([0.1, 0.5, 1], ["0.1, guessing", "0.5", "1"])


def _color(scheme):
    return RANDOM if scheme == "from scratch" else TRAINED


def unit_view(weights, seen, sums, *, changes, image):
    """The weights of one unit of layer 1; of one digit in each version the ink, and pixel times weight.

    `weights` (64,), `seen[name]` (64,) the digit as the network gets it, `sums[name]` what the unit makes of
    it. `changes[name]` makes the version from raw images and is missing for the digit as it is; `image`
    counts the test images.
    """
    fig, axes = plt.subplots(2, 1 + len(seen), figsize=(6.6, 2.9))
    sums = {name: round(float(sums[name]), 1) + 0.0 for name in seen}  # never "-0.0"
    products = {name: weights * pixels for name, pixels in seen.items()}
    limit = np.abs(list(products.values())).max()
    _signed(axes[0, 0], weights, np.abs(weights).max(), "weights")
    axes[1, 0].text(0.5, 0.5, "pixel x\nweight", ha="center", va="center", transform=axes[1, 0].transAxes)
    axes[1, 0].set_axis_off()
    for (top, low), (name, product) in zip(axes.T[1:], products.items(), strict=True):
        top.imshow(_pictures(changes.get(name))[image], cmap="gray_r", vmin=0, vmax=16)
        top.set(xticks=[], yticks=[])
        top.grid(visible=False)
        top.set_title(name.replace(" ", "\n"), fontsize=12)
        _signed(low, product, limit, "")
        low.set_xlabel(f"{sums[name]:.1f}", fontsize=12, weight="bold")
    axes[1, 0].set_title("sum:", y=-0.34, fontsize=12, weight="bold")
    words = ", ".join(f"{name} {total:.1f}" for name, total in sums.items())
    fig.set_label(
        "Weights of one unit, and each pixel of a digit times its weight, blue positive and red negative. "
        f"The sums: {words}."
    )
    return fig


def _signed(ax, values, limit, title):
    """64 numbers as 8 x 8 squares, blue positive and red negative."""
    ax.imshow(np.reshape(values, (8, 8)), cmap="RdBu", vmin=-limit, vmax=limit)
    ax.set(xticks=[], yticks=[])
    ax.grid(visible=False)
    ax.set_title(title, fontsize=12)


def labels(target, *, labels, accuracy, changes):
    """Test accuracy over labels per class, under six images of the target.

    `accuracy[target][scheme]` (seeds, labels); `changes[target]` what was done to the raw images, missing
    where other classes are the target.
    """
    fig = plt.figure(figsize=(6, 3.8))
    top, low = fig.subfigures(2, 1, height_ratios=[1, 4])
    classes = slice(None) if target in changes else slice(5, None)
    _show_images(top.subplots(1, 6), _pictures(changes.get(target), classes))
    ax, words = low.subplots(), []
    for (scheme, runs), side in zip(accuracy[target].items(), ("top", "bottom"), strict=True):
        color, line, marker = (RANDOM, "--", "s") if side == "top" else (TRAINED, "-", "o")
        lines_with_spread(ax, labels, runs, scheme, marker=marker, color=color, linestyle=line)
        # below the curve to the right of a point, above it to the left: the curves rise
        ends = {
            "top": (np.min(runs, axis=0) - 0.03, "left"),
            "bottom": (np.max(runs, axis=0) + 0.03, "right"),
        }
        height, align = ends[side]
        ax.text(labels[-2], height[-2], scheme, color=color, va=side, ha=align)
        middle = np.median(runs, axis=0)
        words.append(f"{scheme}: {middle[0]:.2f} with {labels[0]} label, {middle[-1]:.2f} with {labels[-1]}")
    ax.set(xscale="log", ylim=(0, 1.1), xlabel="labels per class", title=f"{target}: test accuracy")
    ax.set_xticks(labels, labels)
    ax.minorticks_off()
    fig.set_label(f"Target: {target}. {'; '.join(words)}.")
    return fig


def _pictures(change=None, classes=slice(None)):
    """Six raw test images of these classes, changed where there is a change."""
    images, y = _raw(change)
    return images[np.isin(y, range(10)[classes])][:6]


def _raw(change=None):
    """The test images as they are before any scaling, changed where there is a change, and their labels."""
    seen = []
    y = load_digits(lambda images: seen.append(images) or images).y_test
    return (change(seen[0]) if change else seen[0])[-len(y) :], y


def _show_images(axes, images):
    """Small gray pictures side by side, on one scale."""
    for ax, image in zip(axes, images, strict=True):
        ax.imshow(image, cmap="gray_r", vmin=0, vmax=16)
        ax.set_axis_off()


def heads(*, drift, accuracy, scratch):
    """How far the copied features move with new heads of several scales, and the accuracy in the end.

    `drift[scale]` (seeds, epochs) and `accuracy[scale]` (seeds,); `scratch` the one without copied layers.
    """
    fig, (left, right) = plt.subplots(1, 2, width_ratios=[1.1, 1], figsize=(6, 3.4))
    shades = plt.get_cmap("BuPu")(np.linspace(0.4, 1, len(drift)))
    moved = {scale: np.median(runs, axis=0) for scale, runs in drift.items()}
    for line, shade in zip(moved.values(), shades, strict=True):
        left.plot(line, "-", color=shade)
    groups = _close_ends(moved)
    for (end, names), side in zip(groups, ["top"] + ["bottom"] * len(groups), strict=False):
        height = end + (-0.03 if side == "top" else 0.02)
        words = "x " + ", ".join(sorted(names, key=float))
        left.text(len(line) - 1, height, words, ha="right", va=side, fontsize=11)
    left.set(ylim=(0, 1.2), xlabel="epoch", title="features moved by (share)")
    middle = {s: np.median(a) for s, a in accuracy.items()}
    _upright_bars(right, accuracy, middle, shades)
    right.axhline(scratch, color=RANDOM, linestyle="--", linewidth=1.5)
    right.text(-0.4, 0.78, f"from scratch: {scratch:.2f}", color=RANDOM, fontsize=11)
    right.set(ylim=(0, 0.9), xlabel="scale of the new head", title="test accuracy")
    words = "; ".join(f"{s:g}: {line[-1]:.0%} and {middle[s]:.2f}" for s, line in moved.items())
    fig.set_label(f"How far the copied features move, and the test accuracy, by scale of the head: {words}.")
    return fig


def _upright_bars(ax, runs, middle, colors):
    """A bar for each scale: the median with its number, and the range of the seeds as a whisker."""
    ends = np.transpose([(middle[s] - min(a), max(a) - middle[s]) for s, a in runs.items()])
    names = [f"x {s:g}" for s in middle]
    ax.bar(names, list(middle.values()), yerr=ends, color=colors, ecolor="0.3", capsize=3)
    for i, (s, a) in enumerate(runs.items()):
        ax.text(i, max(a) + 0.02, f"{middle[s]:.2f}", ha="center", fontsize=11)
    ax.grid(axis="x", visible=False)


def _close_ends(moved):
    """The lines in groups that end within 0.05 of each other, from below: the lowest end, and the names."""
    groups = []
    for scale, line in sorted(moved.items(), key=lambda item: item[1][-1]):
        if groups and line[-1] - groups[-1][0] < 0.05:
            groups[-1][1].append(f"{scale:g}")
        else:
            groups.append((line[-1], [f"{scale:g}"]))
    return groups


def first_step(head_scale, *, scales, old, head, probabilities, label):
    """The ten probabilities of one image under a new head of this scale, over the first gradients by scale.

    `old` and `head` (seeds, scales) are the first gradients of layer 1 and of the head, relative to those at
    the first scale; `probabilities[i]` belongs to `scales[i]`, and `label` is the right class.
    """
    fig, (top, low) = plt.subplots(2, 1, height_ratios=[1, 1.9], figsize=(6, 4.8), layout="none")
    fig.subplots_adjust(left=0.09, right=0.98, bottom=0.12, top=0.93, hspace=0.45)  # to lay out takes long
    at = list(scales).index(head_scale)
    _probabilities(top, probabilities[at], label)
    top.set_title(f"probabilities of one image, head x {head_scale:g}")
    low.axvline(head_scale, color="0.8", linewidth=7, zorder=0)
    _first_gradients(low, np.asarray(scales), old, head)
    grown = [
        f"{name} {np.median(runs, axis=0)[at]:.1f}-fold" for name, runs in (("layer 1", old), ("head", head))
    ]
    fig.set_label(
        f"Head x {head_scale:g}: the label gets a probability of {probabilities[at][label]:.2f}. "
        f"First gradient relative to a head x 0.01: {', '.join(grown)}."
    )
    return fig


def _probabilities(ax, probabilities, label):
    """Ten bars, that of the label in a color of its own, and a line at 1/10."""
    bars = ax.bar(range(10), probabilities, color="0.6")
    bars[label].set_color("C2")
    ax.text(label, max(0.1, probabilities[label]) + 0.04, "label", ha="center", color="C2")
    ax.axhline(0.1, color="0.3", linestyle=":", linewidth=1.2)
    ax.set(ylim=(0, 1), yticks=[0.1, 1], xticks=range(10))
    ax.grid(visible=False)


def _first_gradients(ax, scales, old, head):
    """Theory as lines, named beside them, and the median over seeds as dots with bars over the range."""
    for theory, runs, name, color, beside in (
        (scales / scales[0], old, "layer 1", TRAINED, (-8, 4, "right", "bottom")),
        (np.ones(len(scales)), head, "head", RANDOM, (0, -7, "center", "top")),
    ):
        ax.plot(scales, theory, "-", color=color, linewidth=1.5)
        middle = np.median(runs, axis=0)
        spread = [middle - np.min(runs, axis=0), np.max(runs, axis=0) - middle]
        ax.errorbar(scales, middle, spread, fmt="o", color=color, markersize=5, capsize=2)
        *offset, align, side = beside
        look = {"textcoords": "offset points", "color": color, "ha": align, "va": side}
        ax.annotate(name, (scales[-3], theory[-3]), offset, **look)
    ax.text(0.02, 0.95, "lines: theory\ndots: measured", transform=ax.transAxes, va="top", color="0.3")
    ax.set(xscale="log", yscale="log", ylim=(0.3, 2000), xlabel="scale of the new head (1 is He's)")
    ax.set_title("first gradient, relative to a head x 0.01")
    ax.set_xticks(scales, [f"{s:g}" for s in scales])
    ax.minorticks_off()


def clouds(*, features, classes, shown=4):
    """Features of the same images under each start as points in a plane, above before, below after training.

    `features[label]` is (before, after), each (n, units). Of all classes the first `shown` are drawn, on the
    two directions in which their means lie apart most, in units of the spread. A point is filled where the
    mean nearest to it, of all classes, is its own.
    """
    fig, axes = plt.subplots(2, len(features), figsize=(6, 5.9))
    words = []
    for column, (label, history) in zip(axes.T, features.items(), strict=True):
        for ax, h, moment in zip(column, history, ("before training", "after training"), strict=True):
            well = _nearest(h, classes) == classes
            _cloud(ax, h, classes, well, range(shown))
            ax.set_title(f"{label},\n{moment}: {well.mean():.2f}")
            words.append(f"{label} {moment} {well.mean():.2f}")
        column[-1].set_xlabel("direction 1")
    for ax in axes[:, 0]:
        ax.set_ylabel("direction 2")
    fig.set_label(f"Share of the images whose nearest mean is their own: {', '.join(words)}.")
    return fig


def _cloud(ax, h, classes, well, shown):
    """Points of some classes and their means, on the plane in which the means lie apart most."""
    means = np.array([h[classes == c].mean(axis=0) for c in shown])
    center = means.mean(axis=0)
    plane = np.linalg.svd(means - center, full_matrices=False)[2][:2].T  # (units, 2)
    points = (h - center) @ plane
    size = np.sqrt(np.mean(np.sum(points[np.isin(classes, shown)] ** 2, axis=1)))
    for c, mean, color, marker in zip(shown, (means - center) @ plane / size, DIGITS, "os^D", strict=False):
        for keep, face in ((well, color), (~well, "none")):
            here = points[(classes == c) & keep] / size
            ax.plot(*here.T, marker, color=color, markerfacecolor=face, markersize=4.5, alpha=0.7)
        box = {"boxstyle": "circle,pad=0.15", "fc": "w", "ec": color, "linewidth": 2}
        ax.text(*mean, str(c), color="k", ha="center", va="center", bbox=box, zorder=5)
    ax.set(xlim=(-WIDEST, WIDEST), ylim=(-WIDEST, WIDEST), xticks=[], yticks=[], aspect="equal")


def near_own_mean(points, classes):
    """The share of the points (n, units) that lie nearest to the mean of their own class."""
    return np.mean(_nearest(points, classes) == classes)


def _nearest(points, classes):
    """Of each point the class whose mean is the nearest."""
    kinds = np.unique(classes)
    means = np.array([points[classes == c].mean(axis=0) for c in kinds])
    return kinds[np.linalg.norm(points[:, None] - means, axis=2).argmin(axis=1)]


def old_rates(shift, *, labels, factors, accuracy):
    """Median accuracy by labels and rate of the old layers; `accuracy[shift]` (labels, factors)."""
    fig, ax = plt.subplots()
    heatmap(ax, accuracy[shift], labels, [f"{factor:g}" for factor in factors])
    ax.set(xlabel="rate of the old layers / rate of the head", ylabel="labels per class", title=shift)
    best = [factors[i] for i in np.argmax(accuracy[shift], axis=1)]
    pairs = ", ".join(f"{n}: {b:g}" for n, b in zip(labels, best, strict=True))
    fig.set_label(f"Target: {shift}. Best factor by labels per class: {pairs}.")
    return fig


def similarity(shift, *, similar):
    """How alike an image and its shifted copy look to each layer; `similar[shift]` (seeds, layers)."""
    fig, ax = plt.subplots()
    runs = np.array(similar[shift])
    for other, values in similar.items():
        if other != shift:
            ax.plot(np.median(values, axis=0), color="#bbbbbb", linestyle="-", linewidth=1.2)
    lines_with_spread(ax, range(runs.shape[1]), runs, shift, marker="o")
    ax.set(ylim=(-1.05, 1.05), title="similarity of an image and its shifted copy")
    ax.set_xticks(range(runs.shape[1]), ["image", "layer 1", "layer 2", "logits"][: runs.shape[1]])
    ax.legend(loc="lower left")
    values = ", ".join(f"{m:.2f}" for m in np.median(runs, axis=0))
    fig.set_label(f"{shift}: similarity from the image to the logits: {values}.")
    return fig

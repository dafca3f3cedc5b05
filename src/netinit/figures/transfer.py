"""The pictures of chapter 11, transfer."""

import matplotlib.pyplot as plt
import numpy as np

from netinit.data import load_digits
from netinit.plots import heatmap, lines_with_spread, theory_and_measurement

WIDEST = 2.8  # how many times their spread the points of the clouds may lie out
COPIED = (5.1, 6.9)  # where layers 1 and 2 stand in the drawing of the procedure


def procedure(labels_per_class, *, labels, accuracy, change):
    """The source above the target, what is copied, and the test accuracy of both starts as bars.

    `accuracy[scheme]` (seeds, labels); `change` makes the raw images of the target from those of the source.
    """
    fig = plt.figure(figsize=(5.2, 3.1))
    top, low = fig.subfigures(2, 1, height_ratios=[1.8, 1.1])
    drawing = top.add_axes((0.02, 0, 0.96, 1))
    _network(drawing, 3.2, "source: clean digits, all with labels", _pictures(), "old head")
    _network(drawing, 0.2, "target: noisy digits", _pictures(change), "new head")
    drawing.set(xlim=(0, 10), ylim=(0, 6))
    drawing.set_axis_off()
    for at in COPIED:
        arrow = {"arrowstyle": "-|>", "linewidth": 2, "color": "C0"}
        drawing.annotate("", (at, 1.7), (at, 3.4), arrowprops=arrow)
        drawing.text(at + 0.2, 2.4, "copy", color="C0", fontsize=11)
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
        edge, line = ("C1", "--") if name == "new head" else ("C0", "-")
        face = "#d6e6f2" if at in COPIED else "w"
        box = {"boxstyle": "round", "fc": face, "ec": edge, "linestyle": line, "linewidth": 1.8}
        ax.text(at, low + 0.9, name, ha="center", va="center", fontsize=11, bbox=box)


def _accuracy_bars(ax, runs, title):
    """A bar for each scheme: the median over seeds with its number, and the range as a whisker."""
    middle = np.array([np.median(a) for a in runs.values()])
    ends = np.array([[m - min(a), max(a) - m] for m, a in zip(middle, runs.values(), strict=True)]).T
    bars = ax.barh(list(runs), middle, xerr=ends, color=["C0", "C1"], capsize=3)
    ax.bar_label(bars, [f"{m:.2f}" for m in middle], label_type="center", color="w", weight="bold")
    ax.invert_yaxis()
    ax.set(xlim=(0, 1), title=title)
    ax.grid(visible=False)
    ax.axvline(0.1, color="w", linestyle=":", linewidth=1.5)
    ax.set_xticks([0.1, 0.5, 1], ["0.1, guessing", "0.5", "1"])


def unit_view(weights, seen, sums, *, changes, image):
    """The weights of one unit of layer 1; of one digit in each version the ink, and pixel times weight.

    `weights` (64,), `seen[name]` (64,) the digit as the network gets it, `sums[name]` what the unit makes of
    it. `changes[name]` makes the version from raw images and is missing for the digit as it is; `image`
    counts the test images.
    """
    fig, axes = plt.subplots(2, 1 + len(seen), figsize=(5.6, 3.3))
    sums = {name: round(float(sums[name]), 1) + 0.0 for name in seen}  # never "-0.0"
    products = {name: weights * pixels for name, pixels in seen.items()}
    limit = np.abs(list(products.values())).max()
    _signed(axes[0, 0], weights, np.abs(weights).max(), "weights")
    axes[1, 0].text(0.5, 0.5, "pixel x\nweight:", ha="center", va="center", transform=axes[1, 0].transAxes)
    axes[1, 0].set_axis_off()
    for (top, low), (name, product) in zip(axes.T[1:], products.items(), strict=True):
        top.imshow(_pictures(changes.get(name))[image], cmap="gray_r", vmin=0, vmax=16)
        top.set(xticks=[], yticks=[])
        top.grid(visible=False)
        top.set_title(name, fontsize=11)
        _signed(low, product, limit, "")
        low.set_xlabel(f"sum {sums[name]:.1f}")
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
    ax.set_title(title, fontsize=11)


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
    for marker, (scheme, runs) in zip("so", accuracy[target].items(), strict=True):
        lines_with_spread(ax, labels, runs, scheme, marker=marker)
        middle = np.median(runs, axis=0)
        words.append(f"{scheme}: {middle[0]:.2f} with {labels[0]} label, {middle[-1]:.2f} with {labels[-1]}")
    ax.set(xscale="log", ylim=(0, 1), xlabel="labels per class", title=f"{target}: test accuracy")
    ax.set_xticks(labels, labels)
    ax.minorticks_off()
    ax.legend(loc="lower right")
    fig.set_label(f"Target: {target}. {'; '.join(words)}.")
    return fig


def _pictures(change=None, classes=slice(None)):
    """Six raw test images of these classes, changed where there is a change."""
    seen = []
    y = load_digits(lambda images: seen.append(images) or images).y_test
    images = (change(seen[0]) if change else seen[0])[-len(y) :]
    return images[np.isin(y, range(10)[classes])][:6]


def _show_images(axes, images):
    """Small gray pictures side by side, on one scale."""
    for ax, image in zip(axes, images, strict=True):
        ax.imshow(image, cmap="gray_r", vmin=0, vmax=16)
        ax.set_axis_off()


def heads(*, drift, accuracy):
    """How far the old features move with new heads of several scales, and the accuracy in the end.

    `drift[scale]` (seeds, epochs) and `accuracy[scale]` (seeds,).
    """
    fig, (left, right) = plt.subplots(1, 2, width_ratios=[1.2, 1])
    shades = plt.get_cmap("viridis")(np.linspace(0.85, 0, len(drift)))
    moved = {scale: np.median(runs, axis=0) for scale, runs in drift.items()}
    for line, shade in zip(moved.values(), shades, strict=True):
        left.plot(line, "-", color=shade)
    groups = _close_ends(moved)
    for (end, names), side in zip(groups, ["top"] + ["bottom"] * len(groups), strict=False):
        gap = -0.03 if side == "top" else 0.02
        left.text(len(line) - 1, end + gap, "x " + ", ".join(names), ha="right", va=side, fontsize=11)
    left.set(ylim=(0, 1.2), xlabel="epoch", title="features, moved by")
    middle = {s: np.median(a) for s, a in accuracy.items()}
    bars = right.bar([f"{s:g}" for s in middle], list(middle.values()), color=shades)
    right.bar_label(bars, [f"{m:.2f}" for m in middle.values()], fontsize=11)
    right.set(ylim=(0, 1), xlabel="scale of the head", title="test accuracy")
    right.grid(axis="x", visible=False)
    words = "; ".join(f"{s:g}: {line[-1]:.0%} and {middle[s]:.2f}" for s, line in moved.items())
    fig.set_label(f"How far the old features move, and the test accuracy, by scale of the new head: {words}.")
    return fig


def _close_ends(moved):
    """The lines in groups that end within 0.05 of each other, from below: the lowest end, and the names."""
    groups = []
    for scale, line in sorted(moved.items(), key=lambda item: item[1][-1]):
        if groups and line[-1] - groups[-1][0] < 0.05:
            groups[-1][1].append(f"{scale:g}")
        else:
            groups.append((line[-1], [f"{scale:g}"]))
    return groups


def first_step(scales, old, head):
    """First gradients of layer 1 and of the head (seeds, scales), relative to that at the first scale."""
    fig, ax = plt.subplots()
    scales = np.asarray(scales)
    theory_and_measurement(ax, scales, scales / scales[0], old, "layer 1")
    theory_and_measurement(ax, scales, np.ones(len(scales)), head, "head")
    ax.set(
        xscale="log", yscale="log", xlabel="scale of the new head", title="first gradient, head x 0.01 = 1"
    )
    ax.legend(loc="upper left")
    grown = [
        f"{name} {np.median(runs, axis=0)[-1]:.0f}-fold" for name, runs in (("layer 1", old), ("head", head))
    ]
    fig.set_label(f"First gradient from the smallest head to the largest: {', '.join(grown)}.")
    return fig


def clouds(epoch, *, features, classes):
    """Features of the same images under each start, as points in a plane, each side in units of its spread.

    `features[label][epoch]` (n, units). The plane is that of the greatest spread after the last epoch, so it
    stays while the points move. The titles give the share that lies nearest to the mean of its own class.
    """
    fig, axes = plt.subplots(1, len(features), figsize=(6, 3.8))
    words = []
    for ax, (label, history) in zip(axes, features.items(), strict=True):
        last = history[-1] - history[-1].mean(axis=0)
        plane = np.linalg.svd(last, full_matrices=False)[2][:2].T  # (units, 2)
        points = (history[epoch] - history[epoch].mean(axis=0)) @ plane
        points /= np.sqrt(np.mean(np.sum(points**2, axis=1)))
        for marker, c in zip("os^D", np.unique(classes), strict=False):
            ax.plot(*points[classes == c].T, marker, linestyle="", markersize=4, alpha=0.7, label=str(c))
        share = near_own_mean(history[epoch], classes)
        limits = (-WIDEST, WIDEST)
        ax.set(xlim=limits, ylim=limits, xticks=[], yticks=[], title=f"{label}: {100 * share:.0f} %")
        words.append(f"{label}: {share:.0%}")
    fig.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=4, handletextpad=0.1)
    fig.set_label(f"After epoch {epoch}. Points nearest to the mean of their own class: {'; '.join(words)}.")
    return fig


def near_own_mean(points, classes):
    """The share of the points (n, units) that lie nearest to the mean of their own class."""
    kinds = np.unique(classes)
    means = np.array([points[classes == c].mean(axis=0) for c in kinds])
    nearest = np.linalg.norm(points[:, None] - means, axis=2).argmin(axis=1)
    return np.mean(kinds[nearest] == classes)


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

"""The pictures of chapter 11, transfer."""

import matplotlib.pyplot as plt
import numpy as np

from netinit.data import load_digits
from netinit.plots import heatmap, lines_with_spread, theory_and_measurement
from netinit.training import evaluate


def labels(shift, *, labels, accuracy, worlds, sources, changes):
    """Test accuracy over labels per class, under six images of the target.

    `accuracy[shift][scheme]` (seeds, labels), `worlds[shift]` the Dataset, `sources[shift]` the old models,
    `changes[shift]` what was done to the raw images, missing where other classes are the target.
    """
    fig = plt.figure(figsize=(6, 3.8))
    top, low = fig.subfigures(2, 1, height_ratios=[1, 4])
    _show_images(top.subplots(1, 6), _pictures(changes.get(shift)))
    ax, words = low.subplots(), []
    for marker, (scheme, runs) in zip("so", accuracy[shift].items(), strict=True):
        lines_with_spread(ax, labels, runs, scheme, marker=marker)
        middle = np.median(runs, axis=0)
        words.append(f"{scheme}: {middle[0]:.2f} with {labels[0]} label, {middle[-1]:.2f} with {labels[-1]}")
    if shift in changes:
        x, y = worlds[shift].x_test, worlds[shift].y_test
        untouched = np.median([evaluate(model, x, y)[1] for model in sources[shift]])
        ax.axhline(untouched, color="#444444", linestyle=":", linewidth=1.8, label="old, no label")
        words.append(f"the old network without any label: {untouched:.2f}")
    ax.set(xscale="log", ylim=(0, 1), xlabel="labels per class", title=f"{shift}: test accuracy")
    ax.set_xticks(labels, labels)
    ax.minorticks_off()
    ax.legend(loc="lower right")
    fig.set_label(f"Target: {shift}. {'; '.join(words)}.")
    return fig


def _pictures(change):
    """Six raw test images, changed; without a change, six images of the digits from 5 on."""
    seen = []
    y = load_digits(lambda images: seen.append(images) or images).y_test
    images = (change(seen[0]) if change else seen[0])[-len(y) :]
    return images[:6] if change else images[y >= 5][:6]


def _show_images(axes, images):
    """Small gray pictures side by side, on one scale."""
    for ax, image in zip(axes, images, strict=True):
        ax.imshow(image, cmap="gray_r", vmin=0, vmax=16)
        ax.set_axis_off()


def heads(scale, *, drift, accuracy):
    """How far the old features move with a new head of this scale, and the accuracy in the end.

    `drift[scale]` (seeds, epochs) and `accuracy[scale]` (seeds,).
    """
    fig, (left, right) = plt.subplots(1, 2, width_ratios=[1, 1])
    for other, runs in drift.items():
        if other != scale:
            left.plot(np.median(runs, axis=0), color="#bbbbbb", linestyle="-", linewidth=1.2)
    runs = np.array(drift[scale])
    lines_with_spread(left, range(runs.shape[1]), runs, f"head x {scale:g}")
    left.set(ylim=(0, 1.2), xlabel="epoch", title="features, moved by")
    middle = {s: np.median(a) for s, a in accuracy.items()}
    bars = right.bar([f"{s:g}" for s in middle], list(middle.values()), color="#bbbbbb")
    bars[list(middle).index(scale)].set_color("C0")
    right.bar_label(bars, [f"{m:.2f}" for m in middle.values()], fontsize=9)
    right.set(ylim=(0, 1), xlabel="scale of the head", title="test accuracy")
    right.grid(axis="x", visible=False)
    fig.set_label(
        f"New head times {scale:g}: after {runs.shape[1] - 1} epochs the old features have moved by "
        f"{np.median(runs[:, -1]):.0%} of their size; test accuracy {middle[scale]:.2f}."
    )
    return fig


def first_step(scales, theory, measured):
    """Gradient that the first batch sends into the old layers, over the scale of the new head."""
    fig, ax = plt.subplots()
    theory_and_measurement(ax, scales, theory, measured, "old layers")
    ax.set(
        xscale="log", yscale="log", xlabel="scale of the new head", title="first gradient, head x 0.01 = 1"
    )
    ax.legend(loc="upper left")
    fig.set_label("The first gradient of the old layers grows in proportion to the scale of the new head.")
    return fig


def clouds(epoch, *, features, classes):
    """Features of the same images under each start, as points in a plane.

    `features[label][epoch]` (n, units). The plane is that of the greatest spread after the last epoch, so it
    stays while the points move.
    """
    fig, axes = plt.subplots(1, len(features), figsize=(6, 3.6))
    words = []
    for ax, (label, history) in zip(axes, features.items(), strict=True):
        last = history[-1] - history[-1].mean(axis=0)
        plane = np.linalg.svd(last, full_matrices=False)[2][:2].T  # (units, 2)
        points = (history[epoch] - history[-1].mean(axis=0)) @ plane
        for marker, c in zip("os^D", np.unique(classes), strict=False):
            ax.plot(*points[classes == c].T, marker, linestyle="", markersize=4, alpha=0.7, label=str(c))
        reach = 1.1 * np.abs(last @ plane).max()
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[], title=label)
        words.append(f"{label}: {near_own_mean(history[epoch], classes):.0%}")
    axes[-1].legend(loc="upper right", handletextpad=0.1, borderpad=0)
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

"""The pictures of chapter 15, modern recipes."""

import matplotlib.pyplot as plt
import numpy as np

STANDARD, MUP, GREY = "#D55E00", "#0072B2", "#bbbbbb"


def transfer(width, rows):
    """Loss by learning rate at one width, one rate for all layers beside muP; `rows` are those of the record.

    The vertical line is the best rate at the smallest width, where both schemes are the same network.
    """
    tuned = best_rate(rows, min(row["width"] for row in rows), "muP")
    fig, ax = plt.subplots()
    ax.axvline(tuned, color="#444444", linestyle=":", marker="")
    words = []
    for scheme, color, mark in (("standard", STANDARD, "s"), ("muP", MUP, "o")):
        shown = [row for row in rows if (row["width"], row["scheme"]) == (width, scheme)]
        rates, losses = [row["lr"] for row in shown], np.array([row["loss"] for row in shown])
        dash = "--" if scheme == "standard" else "-"
        ax.plot(rates, np.median(losses, axis=1), color=color, marker=mark, linestyle=dash, label=scheme)
        ax.fill_between(rates, losses.min(axis=1), losses.max(axis=1), color=color, alpha=0.2, linewidth=0)
        words.append(f"{scheme} is best at a rate of {best_rate(rows, width, scheme):g}")
    ax.set(xscale="log", yscale="log", ylim=(0.008, 20), xlabel="learning rate", ylabel="training loss")
    ax.set_title(f"width {width}; dotted: best rate at width 64")
    ax.legend(loc="upper center")
    fig.set_label(f"Width {width}: {'; '.join(words)}. The dotted line is at {tuned:g}.")
    return fig


def best_rate(rows, width, scheme):
    """The rate with the smallest median loss."""
    shown = [row for row in rows if (row["width"], row["scheme"]) == (width, scheme)]
    return min(shown, key=lambda row: np.median(row["loss"]))["lr"]


def coordinate_check(scheme, steps, moves):
    """How far each layer's preactivations have moved after some steps, by width.

    moves[scheme][width] holds (seeds, steps, layers); `steps` counts from 1.
    """
    widths = list(moves[scheme])
    middle = np.array([np.median(moves[scheme][width], axis=0)[steps - 1] for width in widths])
    fig, ax = plt.subplots()
    names = [f"layer {i}" for i in range(1, middle.shape[1])] + ["logits"]
    for values, name, mark in zip(middle.T, names, "os^D", strict=False):
        ax.plot(widths, values, marker=mark, label=name)
    ax.set(xscale="log", yscale="log", ylim=_limits(moves), xlabel="width", ylabel="rms of the change")
    ax.set_xticks(widths, widths)
    ax.minorticks_off()
    ax.set_title(f"{scheme}, after {steps} step{'s' * (steps > 1)}")
    ax.legend(loc="upper left", ncols=len(names))
    growth = [
        f"{name} x {last / first:.2g}" for name, first, last in zip(names, middle[0], middle[-1], strict=True)
    ]
    fig.set_label(
        f"{scheme}, step {steps}: change from width {widths[0]} to {widths[-1]}: {', '.join(growth)}."
    )
    return fig


def _limits(moves):
    """The same range of movements for every frame, with room above for the names."""
    medians = [np.median(runs, axis=0) for scheme in moves.values() for runs in scheme.values()]
    return np.min(medians) / 2, np.max(medians) * 8


def recipe(name, streams, accuracies, rates):
    """The stream of one recipe by block before training, and its accuracy by learning rate among all others.

    streams[name] is the rms after each block; accuracies[name] the validation accuracy at each of `rates`.
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(6, 3.4))
    for other in streams:
        for ax, x, y in (
            (left, range(len(streams[other])), streams[other]),
            (right, rates, accuracies[other]),
        ):
            ax.plot(x, y, "-", color=GREY, marker="", linewidth=1)
    left.plot(range(len(streams[name])), streams[name], "-", color=MUP, marker="")
    right.plot(rates, accuracies[name], "-", color=MUP, marker="o")
    left.set(yscale="log", ylim=(0.1, 1e5), xlabel="block", title=f"{name}: rms")
    right.set(xscale="log", ylim=(0, 1), xlabel="learning rate", title="accuracy")
    best = int(np.argmax(accuracies[name]))
    fig.set_label(
        f"{name}: the rms of the stream goes from {streams[name][0]:.2g} to {streams[name][-1]:.2g}; "
        f"the best accuracy is {accuracies[name][best]:.2f}, at a rate of {rates[best]:g}."
    )
    return fig


def learned_scales(method, scales, names):
    """The std of the weights, in units of He's, that a method has chosen for each group of layers."""
    values = np.asarray(scales[method], float)
    fig, ax = plt.subplots()
    ax.bar(names, np.median(values, axis=0), color=MUP)
    ax.errorbar(
        range(len(names)), np.median(values, axis=0), _bars(values), fmt="none", color="#444444", capsize=3
    )
    ax.axhline(1, color="#444444", linestyle=":", marker="")
    ax.set(yscale="log", ylim=(0.01, 3), ylabel="scale", title=f"{method} (dotted: He)")
    chosen = [f"{name} {value:.2g}" for name, value in zip(names, np.median(values, axis=0), strict=True)]
    fig.set_label(f"{method} multiplies He's weights by: {', '.join(chosen)}.")
    return fig


def _bars(values):
    middle = np.median(values, axis=0)
    return np.array([middle - values.min(axis=0), values.max(axis=0) - middle])

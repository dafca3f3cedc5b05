"""The pictures of chapter 15, modern recipes."""

import matplotlib.pyplot as plt
import numpy as np

STANDARD, MUP, GREEN = "#D55E00", "#0072B2", "#009E73"  # the schemes
OWN, BELOW = "#009E73", "#AA4499"  # the two parts of a unit's move


def transfer(width, rows):
    """Loss by learning rate at one width, one rate for all layers beside muP; `rows` are those of the record.

    The vertical line is the best rate at the smallest width, where both schemes are the same network. A ring
    marks the lowest loss of each curve.
    """
    base = min(row["width"] for row in rows)
    tuned = best_rate(rows, base, "muP")
    fig, ax = plt.subplots()
    ax.axvline(tuned, color="#444444", linestyle=":", marker="", label=f"the best rate at width {base}")
    for scheme, look in (("standard", (STANDARD, "s", "--")), ("muP", (MUP, "o", "-"))):
        shown = [row for row in rows if (row["width"], row["scheme"]) == (width, scheme)]
        _losses(ax, {row["lr"]: row["loss"] for row in shown}, scheme, look, tuned)
    ax.set(xscale="log", yscale="log", ylim=(0.005, 50), xlabel="learning rate", ylabel="training loss")
    times = _weights(width) / _weights(base)
    ax.set_title(f"width {width}: a run costs {times:.0f} x one at width {base}")
    ax.legend(loc="upper left")
    words = [
        f"{scheme} is best at a rate of {best_rate(rows, width, scheme):g}" for scheme in ("standard", "muP")
    ]
    fig.set_label(
        f"Width {width}, {times:.0f} times the weights of width {base}: {'; '.join(words)}. "
        f"The dotted line is at {tuned:g}."
    )
    return fig


def _losses(ax, losses, scheme, look, tuned):
    """The curve of one scheme: medians, the band of all runs, and a ring with the lowest median."""
    color, mark, dash = look
    rates, runs = list(losses), np.array(list(losses.values()))
    middle = np.median(runs, axis=1)
    label = f"{scheme}, {middle[rates.index(tuned)]:.3f} at the dotted rate"
    ax.plot(rates, middle, color=color, marker=mark, linestyle=dash, label=label)
    ax.fill_between(rates, runs.min(axis=1), runs.max(axis=1), color=color, alpha=0.2, linewidth=0)
    best = (rates[np.argmin(middle)], middle.min())
    ax.plot(*best, "o", color=color, fillstyle="none", markersize=16, markeredgewidth=2)
    ax.annotate(
        f"{best[1]:.3f}", best, (0, -12), textcoords="offset points", ha="center", va="top",
        color=color, fontsize=10, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
    )  # fmt: skip


def _weights(width):
    """The weights of a network 64-width-width-10: what a step multiplies for one example."""
    return 64 * width + width**2 + 10 * width


def best_rate(rows, width, scheme):
    """The rate with the smallest median loss."""
    shown = [row for row in rows if (row["width"], row["scheme"]) == (width, scheme)]
    return min(shown, key=lambda row: np.median(row["loss"]))["lr"]


def coordinate_check(steps, moves):
    """How far each layer's preactivations have moved after some steps, by width; a panel for each scheme.

    moves[scheme][width] holds (seeds, steps, layers); `steps` counts from 1.
    """
    fig, axes = plt.subplots(1, len(moves), figsize=(6, 3.6), sharey=True)
    words = []
    for ax, color, (scheme, runs) in zip(axes, (STANDARD, MUP, GREEN), moves.items(), strict=False):
        widths = list(runs)
        middle = np.array([np.median(runs[width], axis=0)[steps - 1] for width in widths])
        names = [f"layer {i}" for i in range(1, middle.shape[1])] + ["logits"]
        for values, name, look in zip(middle.T, names, ("o:", "s--", "^-", "D-."), strict=False):
            ax.plot(widths, values, look, color=color, label=name)
        ax.set(xscale="log", yscale="log", ylim=_limits(moves), xlabel="width", title=scheme)
        ax.set_xticks(widths, widths)
        ax.minorticks_off()
        growth = [f"{n} x {b / a:.2g}" for n, a, b in zip(names, middle[0], middle[-1], strict=True)]
        words.append(f"{scheme}: {', '.join(growth)}")
    axes[0].set_ylabel("rms of the change")
    _layers_above(fig, *axes[0].get_legend_handles_labels(), f"step {steps}")
    fig.set_label(f"Step {steps}, change from width {widths[0]} to {widths[-1]}; {'; '.join(words)}.")
    return fig


def _layers_above(fig, lines, names, title):
    """One legend for all panels: the marks of the layers, in gray, as the panels have their own colors."""
    gray = [plt.Line2D([], [], color="#555555", marker=x.get_marker(), ls=x.get_linestyle()) for x in lines]
    fig.legend(gray, names, loc="outside upper center", ncols=len(names), title=title)


def running_sums(width, steps, label):
    """How the two parts of a unit's move add up, term by term: some units of two layers, for one example.

    steps[width] holds, for layer 2 and then the logits, that example's outputs below before and after the
    step, (n,), and the weights of the units before and after it, (n, units); all sums are divided by the
    rate 0.001. The logit of class `label`, the digit's own, is named at the largest width, if it is shown.
    """
    fig, axes = plt.subplots(2, 1, figsize=(6, 5.4), sharex=True)
    words = []
    for place, (ax, name) in enumerate(zip(axes, ("layer 2", "logits"), strict=True)):
        sums = _running(steps[width][place])
        for (part, lines), color, dash in zip(sums.items(), (OWN, BELOW), ("-", "--"), strict=True):
            drawn = ax.plot(np.arange(1, width + 1), lines, dash, color=color, marker="", linewidth=1.2)
            drawn[0].set_label(part)
        ends = [f"{part} {np.sqrt(np.mean(lines[-1] ** 2)):.0f}" for part, lines in sums.items()]
        words.append(f"{name}: {', '.join(ends)}")
        top = max(np.abs(lines).max() for step in steps.values() for lines in _running(step[place]).values())
        ax.set(xlim=(0, max(steps)), ylim=(-1.05 * top, 1.05 * top), ylabel="sum / rate")
        ax.set_title(f"{name}, width {width}")
    if label < lines.shape[1] and width == max(steps):
        where = {"textcoords": "offset points", "xytext": (-4, -24), "ha": "right", "fontsize": 11}
        axes[1].annotate(f"the digit's class, {label}", (width, lines[-1, label]), color=BELOW, **where)
    axes[0].legend(loc="upper left", ncols=2)
    axes[1].set_xlabel("terms added")
    fig.set_label(f"Sums of {width} terms, rms over some units at the end; {'; '.join(words)}.")
    return fig


def _running(step):
    """The sums of both parts after each term, divided by the rate 0.001."""
    return {part: np.cumsum(_terms(part, *step), axis=0) / 1e-3 for part in ("own step", "from below")}


def _terms(part, h, h_after, W, W_after):
    """What each unit below adds to the move of some units above it, (n, units)."""
    return h[:, None] * (W_after - W) if part == "own step" else (h_after - h)[:, None] * W


def _limits(moves):
    """The same range of movements for every frame."""
    medians = [np.median(runs, axis=0) for scheme in moves.values() for runs in scheme.values()]
    return np.min(medians) / 2, np.max(medians) * 2


def recipes(streams, accuracies, rates):
    """The stream of each start by block before training, and its accuracy by learning rate.

    streams[name] is the rms after each block; accuracies[name] the validation accuracy at each of `rates`,
    NaN for a run that overflowed, which gets a cross at the lower edge.
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(6, 3.4))
    words = []
    for name, color, dash, mark in zip(streams, (STANDARD, MUP, GREEN), ("--", "-", ":"), "so^", strict=True):
        found = np.array(accuracies[name], float)
        lost = np.isnan(found)
        left.plot(range(len(streams[name])), streams[name], dash, color=color, marker="")
        right.plot(rates, found, dash, color=color, marker=mark, label=name)
        right.plot(np.array(rates)[lost], np.zeros(lost.sum()), "x", color=color, markeredgewidth=2)
        words.append(
            f"{name}, rms of the stream from {streams[name][0]:.2g} to {streams[name][-1]:.2g}, "
            f"{lost.sum()} of {len(rates)} rates overflow"
        )
    left.set(yscale="log", ylim=(0.1, 1e3), xlabel="block", title="rms of the stream")
    right.set(xscale="log", ylim=(-0.08, 1.6), xlabel="learning rate", title="accuracy")
    right.set_yticks([0, 0.5, 1])
    right.legend(loc="upper left")
    fig.set_label("; ".join(words) + ".")
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

"""The pictures of chapter 15, modern recipes."""

from math import comb

import matplotlib.pyplot as plt
import numpy as np

STANDARD, MUP, GREEN = "#D55E00", "#0072B2", "#009E73"  # the schemes
OWN, BELOW = "#009E73", "#AA4499"  # the two parts of a unit's move
VOTES = {"left": 0.02, "right": 0.98, "top": 0.86, "bottom": 0.04, "wspace": 0.05, "width_ratios": [2, 1]}


def transfer(width, rows):
    """Loss by learning rate at one width, one rate for all layers beside muP; `rows` are those of the record.

    The vertical line is the best rate at the smallest width, where both schemes are the same network. A large
    ring marks the lowest loss of each curve, small ones those of the narrower networks.
    """
    widths = sorted({row["width"] for row in rows if row["width"] <= width})
    tuned = best_rate(rows, widths[0], "muP")
    fig, ax = plt.subplots(figsize=(4.9, 3))
    ax.axvline(tuned, ymax=0.7, color="#444444", linestyle=":", marker="")
    for scheme, look in (("standard", (STANDARD, "s", "--")), ("muP", (MUP, "o", "-"))):
        _losses(ax, {n: _by_rate(rows, n, scheme) for n in widths}, scheme, look, tuned)
    ax.set(xscale="log", yscale="log", ylim=(0.005, 50), xlabel="learning rate", ylabel="training loss")
    rates = list(_by_rate(rows, width, "muP"))
    best = {scheme: best_rate(rows, width, scheme) for scheme in ("standard", "muP")}
    ax.tick_params(axis="x", labelsize=10)
    _plain_ticks(ax.xaxis, sorted({rates[0], *best.values(), tuned, rates[-1]}))
    _plain_ticks(ax.yaxis, [0.01, 0.1, 1])
    times = _weights(width) / _weights(widths[0])
    cost = "" if width == widths[0] else f": a run costs {times:.0f} x one at width {widths[0]}"
    ax.set_title(f"width {width}{cost}", fontsize=11)
    ax.legend(
        loc="upper left", title=f"loss at {tuned:g} (dotted line)", alignment="left", ncols=2, fontsize=11
    )
    words = [f"{scheme} is best at a rate of {rate:g}" for scheme, rate in best.items()]
    fig.set_label(
        f"Width {width}, {times:.0f} times the weights of width {widths[0]}: {'; '.join(words)}. "
        f"The dotted line is at {tuned:g}."
    )
    return fig


def _by_rate(rows, width, scheme):
    """The losses of one curve by learning rate."""
    return {row["lr"]: row["loss"] for row in rows if (row["width"], row["scheme"]) == (width, scheme)}


def _plain_ticks(axis, places):
    """Only these numbers on a logarithmic axis, written out."""
    axis.set_ticks(places, [f"{place:g}" for place in places])
    axis.set_minor_locator(plt.NullLocator())


def _losses(ax, losses, scheme, look, tuned):
    """The curve of one scheme at the last width: medians, the band of all runs, and the rings so far."""
    color, mark, dash = look
    *_, shown = losses.values()
    rates, runs = list(shown), np.array(list(shown.values()))
    middle = np.median(runs, axis=1)
    label = f"{scheme}: {middle[rates.index(tuned)]:.3f}"
    ax.plot(rates, middle, color=color, marker=mark, linestyle=dash, markersize=4, label=label)
    ax.fill_between(rates, runs.min(axis=1), runs.max(axis=1), color=color, alpha=0.2, linewidth=0)
    lowest = [min((np.median(run), lr) for lr, run in curve.items()) for curve in losses.values()]
    walked = np.array([(lr, loss) for loss, lr in lowest])
    ax.plot(*walked.T, "o-", color=color, fillstyle="none", markersize=5, linewidth=0.8, alpha=0.8)
    best = walked[-1]
    ax.plot(*best, "o", color=color, fillstyle="none", markersize=15, markeredgewidth=2)
    ax.annotate(
        f"{best[1]:.3f}", best, (0, -10), textcoords="offset points", ha="center", va="top",
        color=color, fontsize=11, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.8},
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
    step, (n,), and the weights of the units before and after it, (n, units). A layer's own step is divided by
    the rate 0.001, what comes from below by the rms of the change below; the gray band holds 95 % of the sums
    of such terms with random signs. The logit of class `label`, the digit's own, is named, if it is shown.
    """
    fig, axes = plt.subplots(2, 2, figsize=(5.6, 4.8), sharex=True)
    words = []
    tops = [_tops([_running(step[place]) for step in steps.values()]) for place in (0, 1)]
    below_top = max(top["from below"] for top in tops)  # one scale, so that the two gray bands compare
    for (own, below), place, name in zip(axes, (0, 1), ("layer 2", "logits"), strict=True):
        sums = _running(steps[width][place])
        for ax, part, color, top in (
            (own, "own step", OWN, tops[place]["own step"]),
            (below, "from below", BELOW, below_top),
        ):
            ax.plot(np.arange(1, width + 1), sums[part], color=color, linestyle="-", marker="", linewidth=1.1)
            ax.set(xlim=(0, width), ylim=(-top, top))
            ax.set_title(f"{name}: {part}", fontsize=12)
        own.set_ylabel("sum / rate")
        below.set_ylabel("sum, in units of Δh")
        _random_band(below, *steps[width][place])
        ends = [f"{part} {np.sqrt(np.mean(lines[-1] ** 2)):.1f}" for part, lines in sums.items()]
        words.append(f"{name}: {', '.join(ends)}")
    _name_class(axes[1, 1], sums["from below"], label)
    for ax in axes[1]:
        ax.set_xlabel("terms added")
    fig.set_label(f"Sums of {width} terms, rms over some units at the end; {'; '.join(words)}.")
    return fig


def _running(step):
    """The sums of both parts after each term: the own step by the rate 0.001, from below by the rms of Δh."""
    h, h_after, weight, weight_after = step
    own = h[:, None] * (weight_after - weight) / 1e-3
    change = h_after - h
    below = change[:, None] * weight / np.sqrt(np.mean(change**2))
    return {"own step": np.cumsum(own, axis=0), "from below": np.cumsum(below, axis=0)}


def _tops(sums):
    """The same range of each part for every width."""
    return {part: 1.3 * max(np.abs(each[part]).max() for each in sums) for part in sums[0]}


def _random_band(ax, h, h_after, weight, _):
    """Where 95 % of the sums would lie if the signs were random: twice the root of the summed squares."""
    terms = (h_after - h)[:, None] / np.sqrt(np.mean((h_after - h) ** 2)) * weight
    reach = 2 * np.sqrt(np.cumsum(np.mean(terms**2, axis=1)))
    ax.fill_between(np.arange(1, len(h) + 1), -reach, reach, color="0.82", linewidth=0, zorder=0)
    ax.text(0.03, 0.04, "gray: random signs", transform=ax.transAxes, fontsize=10, color="0.3")


def _name_class(ax, lines, label):
    """The name of the digit's own class at the end of its line."""
    if label < lines.shape[1]:
        n, end = lines.shape[0], lines[-1, label]
        where = {"textcoords": "offset points", "xytext": (-4, -4 if end < 0 else 4), "ha": "right"}
        va = "top" if end < 0 else "bottom"
        ax.annotate(f"own class, {label}", (n, end), color=BELOW, fontsize=10, va=va, **where)


def votes(units_above):
    """What 100 units below do, as one unit above sees it, when an odd number of units above vote on each.

    Every vote is up or down at random, and each unit below follows its majority. An arrow up is a unit that
    moves as the one unit above asks.
    """
    agree = round(100 * _agreement(units_above))
    up = np.random.default_rng(0).permutation(100) < agree
    fig, (ax, bar) = plt.subplots(1, 2, figsize=(4.6, 3.1), layout="none", gridspec_kw=VOTES)
    x, y = np.arange(100) % 10, np.arange(100) // 10
    for chosen, color, way in ((up, BELOW, 1), (~up, "0.6", -1)):
        ax.quiver(
            x[chosen], y[chosen], 0, way, color=color, pivot="mid", scale=14, width=0.012, headwidth=4.5
        )
    ax.set(xlim=(-0.7, 9.7), ylim=(-0.7, 9.7))
    ax.axis("off")
    above = "1 unit above" if units_above == 1 else f"{units_above} units above"
    fig.suptitle(f"100 units below, {above}", fontsize=12)
    _count(bar, agree)
    fig.set_label(
        f"{above}: of 100 units below {agree} move as the one unit asks, {100 - agree} the other way; "
        f"the surplus is {2 * agree - 100}."
    )
    return fig


def _count(ax, agree):
    """How many of 100 follow and how many do not, as a bar, and what is left over."""
    for low, tall, color, name in (
        (0, 100 - agree, "0.6", "against it"),
        (100 - agree, agree, BELOW, "as it asks"),
    ):
        ax.bar(0, tall, bottom=low, color=color, width=0.5)
        if tall:
            ax.text(0.33, low + tall / 2, f"{tall}\n{name}", va="center", fontsize=11, color="0.2")
    ax.text(-0.25, -5, f"surplus {2 * agree - 100}", va="center", fontsize=12, color=BELOW)
    ax.set(xlim=(-0.3, 1.2), ylim=(-12, 104))
    ax.axis("off")


def _agreement(voters):
    """The chance that one of an odd number of random votes is that of the majority."""
    return 0.5 + comb(voters - 1, voters // 2) / 2**voters


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

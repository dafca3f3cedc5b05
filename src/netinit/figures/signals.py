"""The pictures of chapter 1, why initialization decides."""

import math
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from netinit import theory
from netinit.figures._shared import PLACE
from netinit.plots import theory_and_measurement
from netinit.trace import Trace

BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
# The two directions have colors of their own, so that blue, orange and green can stand for gains.
SIGNAL, GRADIENT = "#444444", "#AA3399"
# Nine colors from BLUE over white to ORANGE. An interactive figure keeps 16 shades per channel, in which a
# pale blue would turn lilac and a pale orange pink, so each of these is one that stays as it is.
NINE = ["#0077BB", "#4499CC", "#88BBDD", "#BBDDEE", "white", "#EECCBB", "#EEAA77", "#DD7744", "#DD5500"]
SHADES = LinearSegmentedColormap.from_list("signal", NINE, N=len(NINE)).with_extremes(bad="0.6")
UNITS = 36  # so many of the hundred units have a row of their own
PHONE = (4.6, 3.3)  # inches: on a screen of 360 pixels the letters of 12 pt are still 12 pixels high
COLUMNS = {"left": 0.11, "right": 0.98, "bottom": 0.13, "top": 0.93, "hspace": 0.32}
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

# --- the core ----------------------------------------------------------------------------------------------


def crossing(weight_std: float) -> Figure:
    """A hundred numbers cross 100 layers of random float32 weights: units by layer, and the size below."""
    signals = _signals(weight_std)
    sizes = np.sqrt(np.mean(np.square(signals, dtype=float), axis=1))
    fate = _fate(sizes)
    place = PLACE | {"left": 0.19, "right": 0.86, "bottom": 0.14, "hspace": 0.08, "height_ratios": [3, 2]}
    fig, (top, low) = plt.subplots(2, figsize=PHONE, sharex=True, layout="none", gridspec_kw=place)
    top.imshow(np.clip(signals, -2, 2).T[:UNITS], SHADES, aspect="auto", vmin=-2, vmax=2)
    top.set(title=f"weight std {weight_std:g}: {fate}", ylabel=f"{UNITS} of 100 units", yticks=[])
    top.grid(False)
    _scale_of_shades(fig, top.get_position())
    low.semilogy(np.where(sizes > 0, sizes, np.nan), "-", color=SIGNAL)
    _mark_the_end(low, sizes)
    low.set(xlabel="layer", ylabel="size", ylim=(1e-46, 1e40), yticks=10.0 ** np.arange(-40, 41, 20))
    _plain_powers(low)
    fig.set_label(f"With weight std {weight_std:g} the signal ends like this: {fate}.")
    return fig


def _scale_of_shades(fig, beside):
    """The colors and what they stand for, to the right of the axes at `beside`: NaN, then -2 to 2."""
    bar = fig.add_axes((0.885, beside.y0, 0.03, beside.height))
    bar.imshow([[value] for value in (*np.linspace(2, -2, len(NINE)), np.nan)], SHADES, aspect="auto")
    bar.set(xticks=[], yticks=[0, 4, 8, 9], yticklabels=["2", "0", "−2", "NaN"])
    bar.tick_params(length=0, pad=3, labelright=True, labelleft=False)
    bar.grid(False)


def _signals(weight_std):
    """The input and what follows each layer, (101, 100) in float32."""
    rng = np.random.default_rng(1)
    signals = [rng.standard_normal(100, dtype=np.float32)]
    with np.errstate(all="ignore"):  # overflow is the subject
        for weights in rng.standard_normal((100, 100, 100), dtype=np.float32):
            signals.append(signals[-1] @ (np.float32(weight_std) * weights))
    return np.array(signals)


def _fate(sizes):
    """What has become of the signal, in words."""
    lost = np.flatnonzero((sizes == 0) | ~np.isfinite(sizes))
    if not lost.size:
        return f"size {sizes[-1]:.1g} in layer 100"
    return f"{'zero' if sizes[lost[0]] == 0 else 'infinite'} from layer {lost[0]} on"


def _mark_the_end(ax, sizes):
    """A dot with its size where the curve ends: at the last layer that has a size."""
    end = np.flatnonzero(np.isfinite(sizes) & (sizes > 0))[-1]
    ax.semilogy(end, sizes[end], "o", color=SIGNAL, markersize=6, clip_on=False)
    ha, dx = ("right", -6) if end > 50 else ("left", 8)  # beside the curve, inside the panel
    va, dy = ("bottom", 4) if sizes[end] < 1 else ("top", -6)
    ax.annotate(f"{sizes[end]:.1g}", (end, sizes[end]), (dx, dy), textcoords="offset points", ha=ha, va=va)


def both_directions(gains: Sequence[float], measured: Mapping[float, np.ndarray]) -> Figure:
    """Size of signal and gradient by layer; for each gain (networks, 2, layers), and the straight line."""
    layers = np.asarray(measured[gains[0]]).shape[-1]
    shown = np.arange(layers)[4::5]  # every fifth layer, counted from 0
    fig, axes = plt.subplots(2, figsize=(6, 5.2), sharex=True)
    for k, ax in enumerate(axes):
        power = shown + 1 if k == 0 else layers - 1 - shown
        far = -1 if k == 0 else 0  # where the curves lie apart
        for gain in gains:
            runs, line = np.asarray(measured[gain])[:, k, shown], float(gain) ** power
            theory_and_measurement(ax, shown + 1, line, runs, f"g = {gain}")
            at = {"xytext": (8, 0) if k == 0 else (-8, 0), "textcoords": "offset points", "va": "center"}
            ax.annotate(f"g = {gain}", (shown[far] + 1, line[far]), ha="left" if k == 0 else "right", **at)
        ax.set(yscale="log", xlim=(-0.2 * layers, 1.17 * layers), ylim=(1e-6, 1e6), ylabel="size (rms)")
        ax.set_xticks(np.linspace(0, layers, 6))
        ax.minorticks_off()
    axes[0].set_title("signal z → (lines: theory, dots: five networks)")
    axes[1].set(title="← gradient dC/dz", xlabel="layer")
    fig.set_label(f"Signal and gradient through {layers} layers, theory and measurement, for gains {gains}.")
    return fig


def slopes(gain: float) -> Figure:
    """Where the preactivations of a tanh network of this gain settle, and what of tanh's slope meets them."""
    fig, axes = plt.subplots(2, figsize=(6, 4.2), sharex=True, layout="none", gridspec_kw=COLUMNS)
    words = _bell_and_hill(axes, gain)
    _name_the_slopes(axes)
    fig.set_label(words)
    return fig


def slopes_beside(gains: Sequence[float]) -> Figure:
    """`slopes` of several gains in columns; the areas of the lower row are their chi, on one scale."""
    fig = plt.figure(figsize=(6, 4.4), layout="none")
    axes = fig.subplots(2, len(gains), sharex=True, sharey="row", gridspec_kw=COLUMNS | {"wspace": 0.12})
    words = [_bell_and_hill(column, gain) for column, gain in zip(axes.T, gains, strict=True)]
    _name_the_slopes(axes[:, 0])
    fig.set_label(" ".join(words))
    return fig


def _name_the_slopes(axes):
    """Say in the first column what the curves are."""
    top, low = axes
    top.annotate("slope²", (0.9, 0.6), color=GRADIENT)
    top.annotate("density\nof z", (-5.8, 0.42), color=SIGNAL)
    low.annotate("gain² × both", (-5.8, 3.6), color=GRADIENT)


def _bell_and_hill(axes, gain):
    """Above the density of z and the squared slope, below gain squared times their product; in words, too."""
    q = theory.fixed_point("tanh", gain**2)
    chi = theory.chi("tanh", q, gain**2)
    z = np.linspace(-6, 6, 301)
    density, squared = np.exp(-(z**2) / (2 * q)) / math.sqrt(2 * math.pi * q), (1 - np.tanh(z) ** 2) ** 2
    top, low = axes
    top.fill_between(z, density, color=SIGNAL, alpha=0.25, linewidth=0)
    top.plot(z, density, "-", color=SIGNAL)
    top.plot(z, squared, "--", color=GRADIENT)
    top.set(xlim=(-6, 6), ylim=(0, 1.09), title=f"gain {gain:g}")
    low.fill_between(z, gain**2 * density * squared, color=GRADIENT, alpha=0.5, linewidth=0)
    low.set(ylim=(0, 4.6), xlabel="preactivation z", title=f"area χ = {chi:.2f}")
    return (
        f"Gain {gain:g}: the mean squared slope of tanh is {chi / gain**2:.3f}, times gain squared "
        f"{chi:.3g}; the gradient changes by a factor of {math.sqrt(chi):.2f} per layer."
    )


def both_ways(nets: Mapping[tuple[float, str], Trace], gain: float, activation: str) -> Figure:
    """Signal and gradient by layer of one of the traced networks, beside the theory."""
    trace = nets[gain, activation]
    signal, gradient = (trace.column(column, "Linear") for column in ("rms", "gradient_std"))
    layer = np.arange(1, len(signal) + 1)
    fig, ax = plt.subplots(figsize=(6, 3.8), layout="none", gridspec_kw=PLACE | {"left": 0.16, "top": 0.85})
    predicted = (trace.column(f"predicted_{column}", "Linear") for column in ("rms", "gradient_std"))
    styles = (("-", "o", SIGNAL), ("--", "s", GRADIENT))
    for line, dots, (dash, marker, color) in zip(predicted, (signal, gradient), styles, strict=True):
        ax.plot(layer, line, dash, color=color, linewidth=1.2)
        ax.plot(layer, dots, marker, color=color, markersize=4)
    ax.set(yscale="log", xlim=(0, len(layer) + 1), ylim=_decades(ax), xlabel="layer", ylabel="size (rms)")
    _plain_powers(ax)
    _name(ax, "signal z →", layer, signal, gradient, SIGNAL)
    _name(ax, "← gradient", layer[::-1], gradient[::-1], signal[::-1], GRADIENT)
    up, back = signal[-1] / signal[0], gradient[0] / gradient[-1]
    ax.set_title(
        f"{activation}, gain {gain:g} (lines: theory, dots: measured)\n"
        f"signal × {up:.2g} on its way, gradient × {back:.2g}"
    )
    fig.set_label(
        f"{activation}, gain {gain:g}: from the first layer to the last the signal changes by a factor of "
        f"{up:.2g}; from the last back to the first the gradient changes by {back:.2g}."
    )
    return fig


def _plain_powers(ax):
    """Label a logarithmic y axis in plain letters: a formula takes ten times as long to draw."""
    ax.yaxis.set_major_formatter(lambda y, _position: "10" + f"{round(math.log10(y))}".translate(RAISED))
    ax.minorticks_off()


def _decades(ax):
    """Limits in whole powers of ten around all lines, with room for names, and at least 0.01 to 100."""
    logs = np.log10(np.concatenate([line.get_ydata() for line in ax.lines]))
    low, high = min(math.floor(logs.min()), -2), max(math.ceil(logs.max()), 2)
    room = 0.16 * (high - low)
    return 10.0 ** (low - room), 10.0 ** (high + room)


def _name(ax, words, layer, curve, other, color):
    """Write what a curve is at its end, else at its start: above it or below, where no curve is near."""
    low, high = np.log10(ax.get_ylim())
    covered, best = len(layer) // 3, (-1.0, None)  # layers that the words cover
    for end, near in ((-1, slice(-covered, None)), (0, slice(covered))):
        for side in (1, -1):
            height = np.log10(curve[end]) + side * 0.075 * (high - low)
            free = min(np.abs(np.log10(ys[near]) - height).min() for ys in (curve, other)) / (high - low)
            if best[0] < min(free, 0.06):  # as far as that, the first place is as good as any
                best = min(free, 0.06), (end, side)
    end, side = best[1]
    ax.annotate(
        words,
        (layer[end], curve[end]),
        (0, 8 * side),
        textcoords="offset points",
        ha="left" if layer[end] == layer.min() else "right",
        va="bottom" if side == 1 else "top",
        color=color,
    )


def stripes(outputs: Mapping[float, np.ndarray], weight_mean: float) -> Figure:
    """Examples by units of the last layer, scaled to rms 1, for one mean of the weights."""
    h = outputs[weight_mean]
    size = np.sqrt(np.mean(h**2))
    shared = np.mean(h.mean(axis=1) ** 2) / size**2
    fig, ax = plt.subplots(figsize=(6, 3.4))
    ax.imshow(np.clip(h / size, -2, 2), SHADES, aspect="auto", vmin=-2, vmax=2)
    ax.set(xlabel="unit of layer 10", ylabel="example")
    ax.set_title(f"weight mean {weight_mean:g}: rms {size:.3g}, {shared:.0%} of it common to all units")
    ax.grid(False)
    fig.set_label(
        f"Weight mean {weight_mean:g}: the signal has rms {size:.3g}, and the units of an example share "
        f"{shared:.0%} of its second moment."
    )
    return fig


# --- the deeper page ---------------------------------------------------------------------------------------


def journeys(logs_by_width: Mapping[int, np.ndarray], width: int) -> Figure:
    """The norm of one input in many networks of one width, as ln (layers + 1, networks), and the theory."""
    logs = logs_by_width[width] / np.log(10)
    layer = np.arange(len(logs))
    middle, spread = -layer / (2 * width) / np.log(10), np.sqrt(layer / (2 * width)) / np.log(10)
    fig, ax = plt.subplots(figsize=(6, 3.6))
    ax.plot(logs, "-", color="0.7", linewidth=0.8)
    ax.plot(layer, middle, "-", color=ORANGE, label="theory: middle")
    ax.plot(layer, middle - spread, "--", color=BLUE, label="theory: middle ± std")
    ax.plot(layer, middle + spread, "--", color=BLUE)
    ax.set(xlabel="layer", ylabel="powers of ten", ylim=(-6.5, 2.5))
    ax.set_title(f"width {width}: the norm in {logs.shape[1]} networks, g = 1")
    ax.legend(loc="lower left", ncols=2)
    low, high = np.percentile(logs[-1], [16, 84])
    fig.set_label(
        f"Width {width}: after {len(logs) - 1} layers the middle two thirds of {logs.shape[1]} networks lie "
        f"between 10^{low:.1f} and 10^{high:.1f} times the start."
    )
    return fig


def lost_layers(limits, lost, weight_stds, number_format: str, width: int) -> Figure:
    """At which layer a format loses the signal, by the std of the weights: theory and measurement.

    `limits[format]` starts with the largest number and the smallest above zero, `lost[width][format]` holds a
    layer for each of `weight_stds`, NaN where the signal was still there at the last one.
    """
    largest, tiny = limits[number_format][:2]
    dots, over = np.asarray(lost[width][number_format]), weight_stds * np.sqrt(width) > 1
    fine = np.logspace(-3, 1, 400)
    gain = fine * np.sqrt(width)
    line = np.where(gain > 1, np.log(largest), np.log(tiny) - np.log(2)) / np.log(gain)
    fig, ax = plt.subplots(figsize=(6, 3.6))
    ax.loglog(fine, line, "-", color="#444444", label="theory")
    ax.loglog(weight_stds[~over], dots[~over], "o", color=BLUE, label="all zero")
    ax.loglog(weight_stds[over], dots[over], "^", color=ORANGE, label="infinity")
    ax.axvline(width**-0.5, 0.17, color=GREEN, linestyle=":", label=r"$1/\sqrt{n}$")
    ax.set(xlabel="weight std", ylabel="layer", xlim=(7e-4, 14), ylim=(0.2, 3000))
    ax.minorticks_off()
    ax.set_title(f"{number_format}, width {width}: layer at which it is lost")
    ax.legend(ncols=4, loc="lower center", columnspacing=1, handletextpad=0.4)
    at_one = dots[np.argmin(np.abs(np.log(weight_stds)))]
    fate = f"lost at layer {at_one:.0f}" if at_one > 0 else "still there at the end"
    fig.set_label(f"{number_format}, width {width}. The safe std is {width**-0.5:.3f}. At std 1: {fate}.")
    return fig


def remedies(runs: Mapping[tuple[float, str], tuple], factor: float, remedy: str) -> Figure:
    """Signal and gradient by block under one remedy, with weights that are wrong by a factor."""
    signal, gradients = runs[factor, remedy]
    block = np.arange(1, len(signal) + 1)
    fig, ax = plt.subplots(figsize=(6, 3.6))
    ax.semilogy(block, signal, "o-", markersize=4, label="signal, std")
    ax.semilogy(block, gradients, "s--", markersize=4, label="gradient, std")
    ax.set(xlim=(0, len(signal) + 1), ylim=(1e-20, 1e20), xlabel="block")
    ax.minorticks_off()
    ax.set_title(f"{remedy}: He's weights times {factor:g}")
    ax.legend(loc="upper right", ncols=2)
    fig.set_label(
        f"Remedy {remedy}, weights times {factor:g}: the signal has std {signal[-1]:.1e} after the last "
        f"block, the gradient {gradients[0]:.1e} after the first."
    )
    return fig

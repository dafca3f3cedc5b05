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
# Nine colors from BLUE over white to ORANGE. An interactive figure keeps 16 shades per channel, in which a
# pale blue would turn lilac and a pale orange pink, so each of these is one that stays as it is.
NINE = ["#0077BB", "#4499CC", "#88BBDD", "#BBDDEE", "white", "#EECCBB", "#EEAA77", "#DD7744", "#DD5500"]
SHADES = LinearSegmentedColormap.from_list("signal", NINE, N=len(NINE)).with_extremes(bad="0.6")
UNITS = 36  # as many of the units have a row of their own
PHONE = (4.6, 3.3)  # inches: on a screen of 360 pixels the letters of 12 pt are still 12 pixels high

# --- the core ----------------------------------------------------------------------------------------------


def crossing(weight_std: float) -> Figure:
    """A hundred numbers cross 100 layers of random float32 weights: units by layer, and the size below."""
    signals = _signals(weight_std)
    sizes = np.sqrt(np.mean(np.square(signals, dtype=float), axis=1))
    fate = _fate(sizes)
    place = PLACE | {"left": 0.19, "right": 0.96, "bottom": 0.14, "hspace": 0.08, "height_ratios": [3, 2]}
    fig, (top, low) = plt.subplots(2, figsize=PHONE, sharex=True, layout="none", gridspec_kw=place)
    top.imshow(np.clip(signals, -2, 2).T[:UNITS], SHADES, aspect="auto", vmin=-2, vmax=2)
    top.set(title=f"weight std {weight_std:g}: {fate}", ylabel="unit", yticks=[])
    top.grid(False)
    low.semilogy(np.where(sizes > 0, sizes, np.nan), "-")
    _mark_the_end(low, sizes)
    low.set(xlabel="layer", ylabel="size", ylim=(1e-46, 1e40), yticks=10.0 ** np.arange(-40, 41, 20))
    low.minorticks_off()
    fig.set_label(f"With weight std {weight_std:g} the signal ends like this: {fate}.")
    return fig


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
    ax.semilogy(end, sizes[end], "o", color=BLUE, markersize=6, clip_on=False)
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
        for gain in gains:
            runs = np.asarray(measured[gain])[:, k, shown]
            theory_and_measurement(ax, shown + 1, float(gain) ** power, runs, f"g = {gain}")
        ax.set(yscale="log", ylim=(1e-6, 1e6))
        ax.minorticks_off()
    axes[0].set_title("signal: rms of z (line: theory, dots: five networks)")
    axes[1].set(title="gradient: rms of dC/dz", xlabel="layer")
    axes[0].legend([f"g = {gain}" for gain in gains], loc="upper left", ncols=3)
    fig.set_label(f"Signal and gradient through {layers} layers, theory and measurement, for gains {gains}.")
    return fig


def slopes(gain: float) -> Figure:
    """Where the preactivations of a tanh network of this gain settle, and what of tanh's slope meets them."""
    q = theory.fixed_point("tanh", gain**2)
    chi = theory.chi("tanh", q, gain**2)
    z = np.linspace(-12, 12, 601)
    density, squared = np.exp(-(z**2) / (2 * q)) / math.sqrt(2 * math.pi * q), (1 - np.tanh(z) ** 2) ** 2
    overlap, factor = chi / gain**2, math.sqrt(chi)
    fig, ax = plt.subplots(figsize=(6, 3.4), layout="none", gridspec_kw=PLACE | {"top": 0.83})
    ax.plot(z, density, "-", color=BLUE, label="density of z")
    ax.plot(z, squared, "--", color=ORANGE, label="squared slope")
    ax.fill_between(z, density * squared, color=GREEN, alpha=0.6, linewidth=0, label="their product")
    ax.set(xlim=(-12, 12), ylim=(0, 1.35), xlabel="z")
    ax.set_title(
        f"gain {gain:g}: overlap {overlap:.3f}, × {gain:g}² = {chi:.3g}\ngradient × {factor:.2f} per layer"
    )
    ax.legend(loc="upper left", ncols=3, columnspacing=1, handlelength=1.5)
    fig.set_label(
        f"Gain {gain:g}: the density of z and the squared slope of tanh overlap by {overlap:.3f}, times "
        f"gain squared {chi:.3g}; the gradient changes by a factor of {factor:.2f} per layer."
    )
    return fig


def both_ways(nets: Mapping[tuple[float, str], Trace], gain: float, activation: str) -> Figure:
    """Signal and gradient by layer of one of the traced networks, beside the theory."""
    columns = {"signal z →": ("rms", "-o", BLUE), "← gradient": ("gradient_std", "--s", ORANGE)}
    trace, drift = nets[gain, activation], []
    place = PLACE | {"left": 0.16, "top": 0.85}
    fig, ax = plt.subplots(figsize=(6, 3.8), layout="none", gridspec_kw=place)
    for label, (column, style, color) in columns.items():
        dots = trace.column(column, "Linear")
        layer = np.arange(1, len(dots) + 1)
        ax.plot(layer, trace.column(f"predicted_{column}", "Linear"), style[:-1], color=color, linewidth=1.2)
        ax.plot(layer, dots, style[-1], color=color, markersize=4, label=label)
        drift.append(dots[-1] / dots[0] if column == "rms" else dots[0] / dots[-1])
    ax.set(yscale="log", xlim=(0, len(dots) + 1), ylim=_decades(ax), xlabel="layer", ylabel="rms")
    ax.minorticks_off()
    ax.set_title(
        f"{activation}, gain {gain:g} (lines: theory, dots: measured)\n"
        f"signal × {drift[0]:.2g} on its way, gradient × {drift[1]:.2g}"
    )
    ax.legend(loc="upper center", ncols=2)
    fig.set_label(
        f"{activation}, gain {gain:g}: from the first layer to the last the signal changes by a factor of "
        f"{drift[0]:.2g}; from the last back to the first the gradient changes by {drift[1]:.2g}."
    )
    return fig


def _decades(ax):
    """Limits in whole powers of ten around all lines, with room for the legend, and at least 0.01 to 100."""
    logs = np.log10(np.concatenate([line.get_ydata() for line in ax.lines]))
    low, high = min(math.floor(logs.min()), -2), max(math.ceil(logs.max()), 2)
    return 10.0**low, 10.0 ** (high + 0.2 * (high - low))


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

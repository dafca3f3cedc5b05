"""The pictures of chapter 14, mean-field theory."""

from functools import cache, partial

import matplotlib.pyplot as plt
import numpy as np

from netinit import theory
from netinit.activations import get_activation
from netinit.builders import mlp
from netinit.data import load_digits
from netinit.figures._shared import PLACE
from netinit.initialize import initialize
from netinit.initializers import variance_scaling
from netinit.trace import trace

SIGNAL, GRADIENT, EDGE, TANGENT = "#0072B2", "#D55E00", "#444444", "#D55E00"
ALIKE, UNLIKE = "#009E73", "#CC79A7"  # two inputs that start nearly equal, and two that do not
NAMED = {ALIKE: "#00704F", UNLIKE: "#A03C78"}  # the same, dark enough for letters
PLANE = {"left": 0.08, "bottom": 0.14, "top": 0.86, "wspace": 0.22, "hspace": 0.3, "width_ratios": [1, 1]}
STARTS = {1, 2, 4}  # the weight variances that the chapter opens with


@cache
def two_digits():
    """A 0 and a 9, each scaled to a second moment of 1; (2, 64)."""
    data = load_digits()
    pair = np.array([data.x_test[data.y_test == label][0] for label in (0, 9)], np.float64)
    return pair / np.sqrt(np.mean(pair**2, axis=1, keepdims=True))


def correlation(a, b):
    """The mean of a b over the units, relative to the two second moments; over the last axis."""
    return np.sum(a * b, -1) / np.sqrt(np.sum(a * a, -1) * np.sum(b * b, -1))


def preactivations(x, weight_variance, bias_variance, layers, seed=0, width=300):
    """Z of every layer of a fresh tanh network for the rows of x; (layers, rows, width)."""
    rng, h, z = np.random.default_rng(seed), x, []
    for _ in range(layers):
        n = h.shape[1]
        weights = rng.standard_normal((n, width)) * np.sqrt(weight_variance / n)
        z.append(h @ weights + rng.standard_normal(width) * np.sqrt(bias_variance))
        h = np.tanh(z[-1])
    return np.array(z)


@cache
def _draws(networks, layers, width):
    """Standard normal weights of some networks, the last row for the biases; every start scales the same."""
    shape = networks, layers, width + 1, width
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


def five_networks(x, weight_variance, bias_variance, layers, width=150):
    """Z of every layer of five tanh networks for the rows of x; (layers, networks, rows, width)."""
    draws, h, found = _draws(5, layers, width), x[None].astype(np.float32), []
    for layer in range(layers):
        n = h.shape[-1]
        z = h @ draws[:, layer, :n] * np.sqrt(weight_variance / n)
        found.append(z + draws[:, layer, -1:] * np.sqrt(bias_variance))
        h = np.tanh(found[-1])
    return np.array(found)


@cache
def _nodes():
    """Points and weights for a mean over N(0, 1), for tanh: thousands of means are drawn here."""
    x, weight = np.polynomial.legendre.leggauss(60)
    z = np.concatenate([4 * (x - 1), 4 * (x + 1)])
    return z, np.tile(4 * weight, 2) * np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)


def _square(q):
    """E[tanh(z)^2] for z ~ N(0, q)."""
    z, weight = _nodes()
    return weight @ np.tanh(np.sqrt(q) * z) ** 2


def _product(function, c, q):
    """E[f(u) f(v)] for u, v ~ N(0, q) with correlation c."""
    z, weight = _nodes()
    u = np.sqrt(q) * z[:, None]
    v = c * u + np.sqrt(max(1 - c * c, 0) * q) * z
    return weight @ (function(u) * function(v)) @ weight


def correlations(c, weight_variance, bias_variance, layers):
    """What theory says of c by layer, for two inputs of second moment 1 and correlation c; tanh."""
    q = weight_variance + bias_variance
    found = [(weight_variance * c + bias_variance) / q]
    for _ in range(layers - 1):
        product = weight_variance * _product(np.tanh, found[-1], q) + bias_variance
        q = weight_variance * _square(q) + bias_variance
        found.append(product / q)
    return np.array(found)


def sizes(weight_variance, bias_variance, layers):
    """What theory says of the rms by layer, for an input of second moment 1; tanh."""
    q = [weight_variance + bias_variance]
    while len(q) < layers:
        q.append(weight_variance * _square(q[-1]) + bias_variance)
    return np.sqrt(q)


def _slope(z):
    return 1 - np.tanh(z) ** 2


def _settled(weight_variance, bias_variance):
    """q*, from an input of second moment 1; at most a thousand layers."""
    q, before = weight_variance + bias_variance, 0.0
    for _ in range(1000):
        if abs(q - before) <= 1e-12 * q:
            break
        before, q = q, weight_variance * _square(q) + bias_variance
    return q


@cache
def _ends(weight_variance, bias_variance):
    """q*, c* and the slopes of the correlation map at 1 and at c*; tanh."""
    q = _settled(weight_variance, bias_variance)
    chi = weight_variance * _product(_slope, 1, q)
    if chi <= 1:
        return q, 1.0, chi, chi
    low, high = 0.0, 1.0  # the map lies above the diagonal up to c*, and below it from there to 1
    for _ in range(40):
        c = (low + high) / 2
        above = weight_variance * _product(np.tanh, c, q) + bias_variance > c * q
        low, high = (c, high) if above else (low, c)
    return q, c, chi, weight_variance * _product(_slope, c, q)


def rate(weight_variance, bias_variance):
    """1 / xi of tanh, how fast correlations approach c*; negative in the ordered phase."""
    _, c, _, slope = _ends(weight_variance, bias_variance)
    return np.log(slope) if c == 1 else -np.log(slope)


@cache
def ordered_border(slope):
    """sigma_w^2 and sigma_b^2 where the correlation map of tanh has this slope at c = 1; at 1 it is the edge.

    Along the border q* grows, and both variances follow from it.
    """
    q = np.linspace(0, 2.5, 100) ** 2
    weights = np.array([slope / _product(_slope, 1, each) for each in q])
    biases = q - weights * np.array([_square(each) for each in q])
    first = np.flatnonzero(biases < -1e-9)[-1:] + 1 if slope > 1 else [0]  # below, no bias has so small a q*
    return weights[first[0] :], biases[first[0] :]


@cache
def chaotic_border(slope):
    """sigma_w^2 and sigma_b^2 where the map of tanh has this slope at c* < 1, from c* = 0 on."""
    found = []
    for c in np.linspace(0, 0.9, 19):

        def excess(q, c=c):  # q* - c q* is what the map leaves of E[h^2] - E[h h']
            apart = _square(q) - _product(np.tanh, c, q)
            return slope * apart - (1 - c) * q * _product(_slope, c, q)

        low, high = 1e-3, 20.0
        if excess(high) < 0:
            break
        for _ in range(25):
            q = (low + high) / 2
            low, high = (q, high) if excess(q) < 0 else (low, q)
        weight = slope / _product(_slope, c, q)
        found.append((weight, q - weight * _square(q)))
    return np.array(found).reshape(-1, 2).T


def plane(weight_variance, bias_variance, accuracy, layers=60):
    """A point of the plane, and beside it the rms of a 0, and its correlation with a 4, by layer.

    `accuracy[weight_variance]` is what networks with this start have learned.
    """
    pair, point = two_digits(), (weight_variance, bias_variance)
    zero, nine = np.moveaxis(five_networks(pair, *point, layers), 2, 0)
    rms = np.median(np.sqrt(np.mean(zero**2, axis=-1)), axis=1)
    alike = np.median(correlation(zero, nine), axis=1)
    fig = plt.figure(figsize=(5.4, 3.8), layout="none")
    panels = fig.add_gridspec(2, 2, **PLACE | PLANE)
    left, above, below = map(fig.add_subplot, (panels[:, 0], panels[0, 1], panels[1, 1]))
    _draw_edge(left)
    _name_starts(left, bias_variance, accuracy)
    left.plot(*point, "o", color=EDGE, markersize=11)
    _draw_layers(above, sizes(*point, layers), rms, SIGNAL)
    above.set(ylim=(0, 2.9), title="rms of the 0")
    above.tick_params(labelbottom=False)
    above.text(60, 2.45, "line: theory\ndots: five networks", ha="right", va="center", fontsize=11)
    _draw_layers(below, correlations(correlation(*pair), *point, layers), alike, UNLIKE)
    below.set(ylim=(-0.3, 1.1), xlabel="layer", title="correlation, 0 and 9")
    learned = f"accuracy after training: {accuracy[weight_variance]:.0%}"
    fig.text(0.98, 0.985, learned, ha="right", va="top", weight="bold")
    fig.set_label(
        f"Weight variance {weight_variance:g}, bias variance {bias_variance:g}. From layer 10 to the last "
        f"the rms goes from {rms[9]:.2f} to {rms[-1]:.2f}, the correlation of the two digits from "
        f"{alike[9]:.2f} to {alike[-1]:.2f}; {learned}."
    )
    return fig


def _name_starts(ax, bias_variance, accuracy):
    """A circle for each of the chapter's starts, and what it has learned."""
    for at in STARTS & accuracy.keys():
        ax.plot(at, bias_variance, "o", color=EDGE, fillstyle="none", markersize=11)
        ax.text(at, -0.05, f"{accuracy[at]:.0%}", ha="center", va="center", fontsize=11)


def _draw_layers(ax, line, dots, color):
    """One quantity by layer: theory as a line, what was measured as dots."""
    layer = np.arange(1, len(line) + 1)
    ax.plot(layer, line, "-", color=color, marker="", linewidth=1.6)
    ax.plot(
        layer[::2], dots[::2], "o", color=color, markersize=4.5, markeredgecolor="white", markeredgewidth=0.6
    )


def _draw_edge(ax):
    """The plane of both variances with the critical line of tanh, and the names of its two sides."""
    weights, biases = ordered_border(1.0)
    ax.plot(weights, biases, "-", color=EDGE, marker="")
    ax.fill_betweenx(biases, 0, weights, color="#DCDCDC", linewidth=0)
    ax.text(1.35, 0.43, "ordered", ha="center", va="center")
    ax.text(3.75, 0.43, "chaotic", ha="center", va="center")
    ax.text(2.35, 0.17, "edge", ha="left", va="center", style="italic")
    ax.set(
        xlim=(0.2, 4.7),
        ylim=(-0.09, 0.5),
        xticks=range(1, 5),
        xlabel="weight variance",
        title="bias variance",
    )


def circle(weight_variance):
    """A circle of inputs through one tanh network: its image at six depths, seen along its two main axes."""
    pair = two_digits()
    turn = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    first, second = pair[0], pair[1] - correlation(*pair) * pair[0]
    second /= np.sqrt(np.mean(second**2))
    ring = np.outer(np.cos(turn), first) + np.outer(np.sin(turn), second)
    z = preactivations(ring, weight_variance, 0.05, 40, width=200)
    place = {"left": 0.02, "right": 0.98, "bottom": 0.02, "top": 0.93, "wspace": 0.05, "hspace": 0.2}
    fig, axes = plt.subplots(2, 3, figsize=(6, 4.4), layout="none", gridspec_kw=place)
    spreads = [_draw_ring(axes.flat[0], ring, turn, "input")]
    for ax, layer in zip(axes.flat[1:], (1, 3, 10, 20, 40), strict=True):
        spreads.append(_draw_ring(ax, z[layer - 1], turn, f"layer {layer}"))
    fig.set_label(
        f"Weight variance {weight_variance:g}. Of the second moment of a circle of inputs, what differs "
        f"between them is {spreads[0]:.2g} at the input, {spreads[3]:.2g} at layer 10 and {spreads[5]:.2g} "
        "at layer 40."
    )
    return fig


def _draw_ring(ax, points, turn, title):
    """The points about their mean, in units of their size, along their two main axes; returns the spread."""
    points = points / np.sqrt(np.mean(np.sum(points**2, axis=1)))
    centered = points - points.mean(axis=0)
    axes = np.linalg.svd(centered, full_matrices=False)[2][:2]
    ax.scatter(*(centered @ axes.T).T, c=turn, cmap="twilight", s=9, linewidths=0)
    ax.set(xlim=(-1.2, 1.2), ylim=(-1.2, 1.2), xticks=[], yticks=[], aspect="equal")
    ax.set_title(title, loc="center")
    return np.mean(np.sum(centered**2, axis=1))


WALK = 40  # layers
WALKS = {"left": 0.12, "right": 0.97, "bottom": 0.15, "top": 0.9, "wspace": 0.28, "width_ratios": [1, 1]}


def walks(weight_variance):
    """By how much one layer of tanh changes a correlation, and beside it two correlations, layer by layer."""
    q, star, slope, at_star = _ends(weight_variance, 0.05)

    def step(c):
        return (weight_variance * _product(np.tanh, c, q) + 0.05) / q

    fig, (left, right) = plt.subplots(1, 2, figsize=(6, 3.8), layout="none", gridspec_kw=WALKS)
    _draw_change(left, step, {star: at_star, 1.0: slope})
    ends = []
    for start, color, at in ((0.98, ALIKE, 1.07), (0.02, UNLIKE, -0.07)):
        walk = [start]
        while len(walk) <= WALK:
            walk.append(step(walk[-1]))
        right.plot(walk, "o-", color=color, markersize=3.5)
        right.text(0, at, f"from {start}", color=NAMED[color], va="center")
        ends.append(walk[-1])
    right.axhline(star, color=EDGE, linestyle=":", marker="", zorder=1)
    right.text(WALK, star + (0.07 if star == 1 else -0.12), f"c* = {star:.2g}", ha="right", va="center")
    right.set(xlim=(-1, WALK + 1), ylim=(-0.14, 1.14), xlabel="layer", title="correlation c")
    fig.set_label(
        f"Weight variance {weight_variance:g}: the map starts at {step(0.0):.2f} and reaches 1 with slope "
        f"{slope:.2f}. One layer turns 0.98 into {step(0.98):.3f}. After {WALK} layers 0.98 has become "
        f"{ends[0]:.2f}, and 0.02 {ends[1]:.2f}."
    )
    return fig


def _draw_change(ax, step, slopes):
    """The change of a correlation in one layer, its tangent at 1, arrows and a diamond wherever it is 0."""
    c, ends = np.linspace(0, 1, 41), sorted(slopes)
    change = np.array([step(value) - value for value in c])
    ax.axhline(0, color=EDGE, linestyle=":", marker="")
    ax.plot(c, change, "-", color=EDGE, marker="")
    rise = slopes[1.0] - 1  # the slope of the change at 1
    first = max(0, 1 - 0.075 / rise) if rise > 0 else 0
    ax.plot([first, 1], [rise * (first - 1), 0], "--", color=TANGENT, marker="", linewidth=1.8)
    for mark, there in (">", change > 0), ("<", change < 0):
        at = [i for i in range(2, 40, 6) if there[i] and min(abs(c[i] - np.array(ends))) > 0.06]
        ax.plot(c[at], np.zeros(len(at)), mark, color=EDGE, markersize=6)
    ax.plot(ends, [0] * len(ends), "D", color=EDGE, markersize=8, clip_on=False, zorder=3)
    if len(ends) > 1:
        ax.text(ends[0], 0.035, "c*", ha="center", va="center")
    ax.text(0.98, 0.265, "above 0: more alike", ha="right", va="center")
    ax.text(0.02, -0.093, "below 0: less alike", va="center")
    ax.set(
        xlim=(0, 1),
        ylim=(-0.11, 0.29),
        xticks=(0, 0.5, 1),
        xlabel="correlation c",
        title="change in one layer, c' - c",
    )


def pairs(layers, found):
    """Correlation by layer, theory as lines and measured dots; found[title] = {label: (theory, runs)}."""
    fig, axes = plt.subplots(1, len(found), figsize=(6, 3.1), sharey=True, squeeze=False)
    words = []
    for ax, (title, curves) in zip(axes[0], found.items(), strict=True):
        for color, at, (label, (line, runs)) in zip(
            (ALIKE, UNLIKE), (1.11, -0.39), curves.items(), strict=True
        ):
            ax.plot(layers, line, "-", color=color, marker="", linewidth=1.6)
            middle = np.median(runs, axis=0)[::5]
            bars = np.abs(np.array([np.min(runs, axis=0), np.max(runs, axis=0)])[:, ::5] - middle)
            ax.errorbar(layers[::5], middle, bars, fmt="o", color=color, markersize=3.5, elinewidth=1.3)
            ax.text(1, at, label, color=NAMED[color], va="center")
            words.append(f"{title}, {label}: {np.median(runs, axis=0)[-1]:.2f}")
        ax.set(title=title, xlabel="layer", ylim=(-0.5, 1.22))
    axes[0, 0].set_ylabel("correlation")
    fig.set_label("Measured correlation at the last layer. " + "; ".join(words) + ".")
    return fig


BORDER = "#D6006C"
CELLS = {"left": 0.11, "right": 0.98, "bottom": 0.15, "top": 0.83}


def trainability(depth, rows):
    """Validation accuracy over the plane at one depth, with the borders that theory draws.

    They are the edge, where the depth is 6 xi, and where the gradient's rms grows tenfold; `rows` are those
    of the record.
    """
    shown = [row for row in rows if row["depth"] == depth]
    x, y = (sorted({row[name] for row in shown}) for name in ("weight_variance", "bias_variance"))
    value = {(row["bias_variance"], row["weight_variance"]): np.median(row["accuracy"]) for row in shown}
    table = np.array([[value[b, w] for w in x] for b in y])
    fig, ax = plt.subplots(figsize=(6, 4.2), layout="none", gridspec_kw=CELLS)
    _draw_cells(ax, x, y, table)
    _draw_borders(ax, depth)
    ax.set_yticks(y, y)
    ax.set(xlabel="weight variance", ylabel="bias variance")
    ax.grid(False)
    fig.text(0.11, 0.985, f"{depth} layers: accuracy in each cell", va="top")
    learned, best = np.sum(table > 0.5), np.unravel_index(table.argmax(), table.shape)
    fig.set_label(
        f"{depth} layers: {learned} of {table.size} points reach a median accuracy above 0.5; the best is "
        f"{table.max():.2f}, at weight variance {x[best[1]]:g} and bias variance {y[best[0]]:g}."
    )
    return fig


def _draw_cells(ax, x, y, table):
    """A colored cell with its number around each place."""
    sides = []
    for at in (np.array(x, float), np.array(y, float)):
        middle = (at[1:] + at[:-1]) / 2
        sides.append([2 * at[0] - middle[0], *middle, 2 * at[-1] - middle[-1]])
    ax.pcolormesh(*sides, table, cmap="cividis", vmin=0, vmax=1, edgecolors="white", linewidth=0.5)
    for (i, j), value in np.ndenumerate(table):
        ink = "black" if value > 0.5 else "white"
        ax.text(x[j], y[i], f"{value:.2f}", color=ink, ha="center", va="center")


def _draw_borders(ax, depth):
    """The edge and the three borders of a depth, each with its name."""
    slope = np.exp(-6 / depth)
    for line, style, name, up in (
        (ordered_border(slope), "--", "6 ξ", 0),
        (ordered_border(1.0), "-", "edge", 0),
        (ordered_border(10 ** (2 / depth)), ":", "gradient x 10", 1),
        (chaotic_border(slope), "--", "6 ξ", 0),
    ):
        _draw_border(ax, *line, style, name, up)


def _draw_border(ax, weights, biases, style, name, up):
    """A border of the plane, up to the frame, and its name so many lines above the place where it leaves."""
    right, top = ax.get_xlim()[1], ax.get_ylim()[1]
    inside = (biases <= top) & (weights <= right)
    if not inside.any():
        return
    ax.plot(weights, biases, style, color=BORDER, marker="", linewidth=2.4, scalex=False, scaley=False)
    last = np.flatnonzero(inside)[-1]
    if last + 1 < len(biases) and biases[last + 1] > top:
        x = np.interp(top, biases[last : last + 2], weights[last : last + 2])
        ax.annotate(name, (x, top), (0, 2 + 15 * up), textcoords="offset points", color=BORDER, ha="center")


def at_the_gain(activation):
    """The function, and what its forward gain does to signal and gradient through 50 layers."""
    gain, grid, layer = theory.gain(activation), np.linspace(-4, 4, 161), np.arange(1, 51)
    rng = np.random.default_rng(0)
    model = mlp([100] * 51, activation, bias=False)
    initialize(model, partial(variance_scaling, scale=gain**2), rng)
    x, back = rng.standard_normal((2, 50, 100), dtype=np.float32)
    t = trace(model, x, output_gradient=back)
    place = PLACE | {"left": 0.07, "bottom": 0.17, "top": 0.9, "wspace": 0.3, "width_ratios": [2, 3]}
    fig, (left, right) = plt.subplots(1, 2, figsize=(6, 3.3), layout="none", gridspec_kw=place)
    left.plot(grid, get_activation(activation)(grid), "-", color=EDGE, marker="")
    left.set(title=activation, xlabel="z", ylim=(-2, 4))
    curves = ("rms", SIGNAL, "o", "signal"), ("gradient_std", GRADIENT, "s", "gradient")
    for column, color, mark, name in curves:
        right.plot(layer, t.column(f"predicted_{column}", "Linear"), "-", color=color, marker="")
        right.plot(layer[::4], t.column(column, "Linear")[::4], mark, color=color, ms=4, label=name)
    right.set(yscale="log", ylim=(1e-3, 1e3), xlabel="layer", title=f"rms, gain {gain:.3f}")
    right.legend(loc="upper right")
    change = t[0].gradient_std / t[-1].gradient_std
    right.text(0.05, 0.05, f"gradient, 50 to 1: x {change:.1g}", transform=right.transAxes)
    fig.set_label(
        f"{activation}, forward gain {gain:.3f}: from layer 50 back to layer 1 the gradient changes by a "
        f"factor of {change:.2g}; the signal ends at {t[-1].rms:.2g}."
    )
    return fig


def hermite_weights(activation, most=8):
    """Shares of E[phi(z)^2] that fall to the Hermite polynomials of degree 0, 1, ..., z ~ N(0, 1)."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    z = np.concatenate([5 * (nodes - 1), 5 * (nodes + 1)])  # a kink at 0 lies between the halves
    weights = np.tile(5 * weights, 2) * np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
    values, shares, scale = get_activation(activation)(z), [], 1.0
    for k in range(most):
        scale *= max(k, 1)  # k!, the mean square of the polynomial of degree k
        polynomial = np.polynomial.hermite_e.hermeval(z, np.eye(most)[k])
        shares.append(float(weights @ (values * polynomial)) ** 2 / scale)
    return np.array(shares) / float(weights @ values**2)


def series(activation):
    """The weights of 1, c, c^2, ... in the correlation map without biases, and the map itself, at q = 1."""
    shares, c = hermite_weights(activation), np.linspace(-1, 1, 21)
    variance = theory.gain(activation) ** 2
    values = [theory.correlation_map(activation, point, 1.0, variance) for point in c]
    fig, (left, right) = plt.subplots(1, 2, figsize=(6, 3.3))
    left.bar(range(len(shares)), shares, color=SIGNAL)
    left.set(ylim=(0, 1), xlabel="power of c", title=f"{activation}: weights")
    right.plot([-1, 1], [-1, 1], ":", color=EDGE, marker="")
    right.plot(c, values, "-", color=SIGNAL, marker="")
    right.set(xlim=(-1, 1), ylim=(-1, 1), xlabel="c", title="the map")
    fig.set_label(
        f"{activation}: the map has weight {shares[0]:.2f} on the constant, {shares[1]:.2f} on c, "
        f"{shares[2]:.2f} on its square and {shares[3]:.2f} on its cube; "
        f"it starts at {values[10]:.2f} for c = 0."
    )
    return fig


def both_scales(weight_variance, runs):
    """Gradient and distance of two inputs by layer; runs[weight_variance] = (gradients, distances)."""
    gradients, distances = (np.asarray(values) for values in runs[weight_variance])
    layer = np.arange(1, gradients.shape[1] + 1)
    q = theory.fixed_point("tanh", weight_variance, 0.05)
    slope = theory.chi("tanh", q, weight_variance)
    fig, ax = plt.subplots()
    for values, color, mark, name in (
        (gradients, GRADIENT, "s", "squared gradient"),
        (distances, ALIKE, "o", "1 - c of two inputs"),
    ):
        middle = np.median(values, axis=0)
        start = -1 if mark == "s" else 0
        steps = layer[-1] - layer if mark == "s" else layer - 1
        ax.plot(layer, middle[start] * slope**steps, "-", color=color, marker="", alpha=0.6)
        ax.plot(layer[::3], middle[::3], mark, color=color, markersize=5, label=name)
    ax.set(yscale="log", ylim=(1e-12, 1e7), xlabel="layer", title=f"lines: factor {slope:.2f} per layer")
    ax.legend(loc="upper center", ncols=2)
    ends = np.median(gradients[:, 0] / gradients[:, -1]), np.median(distances[:, -1])
    fig.set_label(
        f"Weight variance {weight_variance:g}, chi {slope:.2f}: over {layer[-1]} layers the squared gradient "
        f"changes by a factor of {ends[0]:.1e}; the distance 1 - c ends at {ends[1]:.1e}."
    )
    return fig


def edges(lines):
    """Critical lines in the plane of both variances; lines[name] = (weight variances, bias variances)."""
    fig, ax = plt.subplots()
    for name, (weights, biases) in lines.items():
        ax.plot(weights, biases, label=name, marker="o", markersize=4)
    ax.set(xlabel="weight variance", ylabel="bias variance", xlim=(0, None))
    ax.legend(loc="upper center", bbox_to_anchor=(0.63, 1))
    starts = [f"{name} from {weights[0]:.2f} to {weights[-1]:.2f}" for name, (weights, _) in lines.items()]
    fig.set_label(
        "Critical weight variance, from the smallest bias to the largest: " + "; ".join(starts) + "."
    )
    return fig


def quadrature_errors(activation, nodes, errors):
    """Relative error of the gain against the number of nodes; errors[activation] = {rule: errors}."""
    fig, ax = plt.subplots()
    words = []
    for (rule, values), mark in zip(errors[activation].items(), "os", strict=True):
        shown = np.maximum(values, 1e-16)
        ax.plot(nodes, shown, marker=mark, label=rule)
        words.append(f"{rule} {shown[-1]:.0e}")
    ax.set(
        xscale="log", yscale="log", ylim=(5e-17, 1), xlabel="nodes", title=f"{activation}: error of the gain"
    )
    ax.set_xticks(nodes, nodes)
    ax.minorticks_off()
    ax.legend(loc="lower left")
    fig.set_label(f"{activation}: relative error of the gain with {nodes[-1]} nodes: {', '.join(words)}.")
    return fig

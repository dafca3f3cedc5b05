"""The pictures of chapter 7, orthogonal initialization."""

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from netinit.figures._shared import PLACE, ink
from netinit.initializers import lecun_normal, orthogonal
from netinit.plots import lines_with_spread, theory_and_measurement

KINDS = {"Gaussian": lecun_normal, "orthogonal": orthogonal}


def circle(matrices: int) -> Figure:
    """A circle of inputs behind so many 2 x 2 matrices, with the half axes of what it has become.

    A and B are the two opposite inputs that twelve Gaussian matrices shrink most. Where all directions are
    stretched alike, there are no half axes to draw.
    """
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    weakest = np.linalg.svd(_product(lecun_normal, 12))[0][:, 1]
    fig, axes = plt.subplots(1, 2, figsize=(4.6, 2.9))
    words = []
    for ax, (name, draw) in zip(axes, KINDS.items(), strict=True):
        product = _product(draw, matrices)
        _, stretches, directions = np.linalg.svd(product)
        points = np.c_[np.cos(turn), np.sin(turn)] @ product
        scale = np.abs(points).max()
        if stretches[0] > 1.001 * stretches[1]:
            _half_axes(ax, stretches[:, None] * directions / scale)
        ax.scatter(*(points / scale).T, c=turn, cmap="hsv", s=30, edgecolor="k", linewidth=0.6)
        for letter, x, face, text in (("A", weakest, "w", "k"), ("B", -weakest, "k", "w")):
            at = x @ product / scale
            ax.plot(*at, "o", markersize=15, markerfacecolor=face, markeredgecolor="k", zorder=4)
            ax.text(*at, letter, color=text, ha="center", va="center_baseline", fontsize=11, zorder=5)
        ax.set(xlim=(-1.25, 1.25), ylim=(-1.25, 1.25), aspect="equal", xticks=[], yticks=[], title=name)
        ax.spines[:].set(visible=True, color="0.85")
        ratio = f"{stretches[1] / stretches[0]:.1g}"
        ax.set_xlabel(f"width / length = {ratio}")
        words.append(f"{name}, {ratio}")
    fig.set_label(f"A circle after {matrices} matrices; width over length: {'; '.join(words)}.")
    return fig


def _product(draw, matrices: int) -> np.ndarray:
    """A product of so many 2 x 2 matrices, the same ones whenever it is asked for."""
    rng, product = np.random.default_rng(11), np.eye(2)
    for _ in range(matrices):
        product = product @ draw((2, 2), rng, dtype=np.float64)
    return product


def _half_axes(ax: Axes, ends: np.ndarray):
    """The two half axes from the center to their ends, named where they are long enough for a name."""
    for j, (end, other) in enumerate(zip(ends, ends[::-1], strict=True), start=1):
        ax.plot([0, end[0]], [0, end[1]], color="0.4", linestyle="-", linewidth=1.5, zorder=0)
        if np.linalg.norm(end) > 0.25:
            away = 0.17 if np.linalg.norm(other) > 0.25 else 0.3  # a needle has no room inside
            aside = 0.55 * end - away * other / np.linalg.norm(other)
            ax.text(*aside, rf"$\rho_{j}$", color="0.25", ha="center", va="center")


def lean(W: np.ndarray) -> Figure:
    """Two perpendicular inputs of length 1 before and behind a 2 x 2 layer, with the area that they span.

    The dashed line is the part of the second output that is perpendicular to the first.
    """
    fig, axes = plt.subplots(1, 2, figsize=(6, 3.3))
    words = []
    for ax, title, (x, y), mark in zip(axes, ("before", "after"), (np.eye(2), W), ("", "W"), strict=True):
        foot = (x @ y) / (x @ x) * x
        ax.fill(*np.transpose([np.zeros(2), x, x + y, y]), color="0.9", linewidth=0)
        for end, name in ((x, "x"), (y, "y")):
            arrow = {"arrowstyle": "-|>", "color": "k", "linewidth": 1.8, "shrinkA": 0, "shrinkB": 0}
            ax.annotate("", end, (0, 0), arrowprops=arrow)
            ax.text(*(1.14 * end), f"${name}{mark}$", ha="center", va="center")
        ax.plot(*np.transpose([foot, y]), "--", color="C2", linewidth=3, zorder=4)  # above the arrows
        lengths = [np.linalg.norm(v) for v in (x, y, y - foot)]
        ax.set(aspect="equal", xlim=(-0.35, 2.05), ylim=(-0.7, 1.25), xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        ax.set_title("{}: lengths {:.1f} and {:.1f}\ndashed: {:.1f}".format(title, *lengths))
        words.append("{}, lengths {:.1f} and {:.1f}, perpendicular part {:.1f}".format(title, *lengths))
    fig.set_label(f"Two perpendicular inputs and the area they span: {'; '.join(words)}.")
    return fig


def read_back(sent: np.ndarray, recover: Callable, *, layers: int) -> Figure:
    """Digits as sent and as `recover(kind, layers) -> (images, directions left)` returns them, as ink.

    The digits come without the mean image, as `load_digits` gives them; it is added for the eye, and stands
    at the end of each row to compare with.
    """
    fig, axes = plt.subplots(3, 1, figsize=(6, 3.9))
    rows, words = [("sent", sent)], []
    for kind in KINDS:
        images, left = recover(kind, layers)
        rows.append((f"{kind}\n{left} of {sent.shape[1]}", images))
        words.append(f"{left} of {sent.shape[1]} directions with {kind} weights")
    for ax, (label, images) in zip(axes, rows, strict=True):
        pixels = ink(np.vstack([images, np.zeros_like(images[:1])])).reshape(-1, 8, 8)
        strip = np.hstack(np.pad(pixels, [(0, 0), (0, 0), (1, 1)]))  # a white column on both sides
        ax.imshow(np.insert(strip, [-10] * 3, 0, axis=1), cmap="gray_r", vmin=0, vmax=16)
        ax.axvline(strip.shape[1] - 9, color="0.6", linestyle="-", linewidth=1)
        ax.set(xticks=[], yticks=[], ylabel=label)
        ax.spines[:].set_visible(False)
        ax.grid(False)
    axes[0].text(strip.shape[1] - 2.5, -1, "mean digit", ha="center", va="bottom")
    fig.set_label(f"{len(sent)} digits, read back from layer {layers}: {', '.join(words)}.")
    return fig


def rates(predicted: np.ndarray, measured: np.ndarray, direct: Mapping[str, np.ndarray]) -> Figure:
    """log10 of the factor by direction: theory, measurement (seeds, n), one product of each kind."""
    fig, ax = plt.subplots()
    j = np.arange(1, len(predicted) + 1)
    some = np.r_[0, 9 : len(j) : 10]
    theory_and_measurement(ax, j[some], predicted[some], measured[:, some], "Gaussian")
    for (kind, values), (color, line) in zip(direct.items(), [("C1", ":"), ("C2", "--")], strict=True):
        ax.plot(j, np.log10(values), color=color, linestyle=line, label=f"singular values, {kind}")
    ax.set(xlabel="direction j", ylabel="log10 of the factor", ylim=(-70, 5))
    ax.legend(loc="lower left")
    return fig


def recurrent(
    matrices: Mapping[str, Sequence[np.ndarray]], norms: Callable, *, gain: float, unit: str
) -> Figure:
    """Eigenvalues of the first matrix of each kind, and the gradient's norm by steps back in time.

    `norms(W, unit, seed)` gives the norms for one matrix.
    """
    place = PLACE | {"left": 0.08, "wspace": 0.2, "width_ratios": [2, 3]}
    fig, (plane, ax) = plt.subplots(1, 2, layout="none", gridspec_kw=place)
    words = []
    for (kind, group), marker, color in zip(matrices.items(), "xo", ("C0", "C1"), strict=True):
        values = np.linalg.eigvals(gain * group[0])
        plane.plot(values.real, values.imag, marker, color=color, markersize=3, linestyle="none")
        runs = np.log10([norms(gain * W, unit, seed) for seed, W in enumerate(group)])
        lines_with_spread(ax, range(0, runs.shape[1], 4), runs[:, ::4], kind)
        words.append(f"{kind} {np.median(runs[:, -1]):.1f}")
    _unit_circle(plane)
    ax.axhline(0, color="0.5", linestyle=":", linewidth=1.2)
    ax.set(xlabel="steps back in time", ylim=(-20, 20), title="log10 of gradient norm")
    ax.legend(loc="lower left")
    steps = runs.shape[1] - 1
    fig.set_label(
        f"{unit} units, gain {gain:g}: log10 of the gradient norm {steps} steps back, "
        f"median of {len(group)} draws: {', '.join(words)}."
    )
    return fig


def _unit_circle(plane: Axes):
    circle = np.exp(2j * np.pi * np.linspace(0, 1, 200))
    plane.plot(circle.real, circle.imag, ":", color="0.5", linewidth=1.2)
    plane.set(aspect="equal", xlim=(-1.3, 1.3), ylim=(-1.3, 1.3), title="eigenvalues")
    plane.set(xticks=[-1, 0, 1], yticks=[-1, 0, 1])


def product(spectra: Mapping[str, Mapping[int, np.ndarray]], rates: np.ndarray, *, depth: int) -> Figure:
    """Singular values of the product at a depth, by kind, and what the rates per layer predict.

    A dot stands where a curve falls below 0.01, with the number of directions left before it.
    """
    fig, ax = plt.subplots()
    n, words = len(rates), []
    directions, predicted = np.arange(1, n + 1), np.exp(depth * rates)
    for kind, found in spectra.items():
        values = found[depth]
        (line,) = ax.semilogy(directions, values, label=kind)
        left = int((values > 0.01).sum())
        if left < n:
            _count(ax, left, n, line.get_color())
        words.append(f"{kind}: largest {values[0]:.1f}, {left} of {n} left, median {np.median(values):.1e}")
    ax.semilogy(directions, predicted, ":", color="k", linewidth=1.6, label="predicted")
    ax.axhline(0.01, color="0.5", linestyle="-", linewidth=1)
    at, side = (n, "right") if predicted[n // 2] < 0.01 else (3, "left")  # where no curve passes
    ax.text(at, 0.007, "lost below 0.01", ha=side, va="top", color="0.35", fontsize=11)
    ax.text(n, 2, f"orthogonal: all {n} left", ha="right", va="bottom", color="C1")
    ax.text(3, 1e-10, "Gaussian", color="C0")
    ax.text(3, 1e-11, "dotted: predicted", color="k")
    ax.set(xlabel="direction, strongest first", ylabel="singular value")
    ax.set(ylim=(1e-12, 1e3), xlim=(0, n + 1), yticks=10.0 ** np.arange(-12, 3, 2))
    ax.minorticks_off()
    fig.set_label(f"Singular values of the product at depth {depth}. {'; '.join(words)}.")
    return fig


def _count(ax: Axes, left: int, n: int, color: str):
    """Mark where a falling curve crosses 0.01, and say how many directions it has left there."""
    ax.plot(left, 0.01, "o", color=color, zorder=4)
    early = left < n / 2
    side = {"ha": "left", "va": "bottom"} if early else {"ha": "right", "va": "top"}
    shift = (7, 2) if early else (-7, -3)
    ax.annotate(f"{left} left", (left, 0.01), shift, textcoords="offset points", color=color, **side)


def left_by_layer(measured: Mapping[str, np.ndarray], of: int) -> Figure:
    """The std and the directions left behind each layer, by kind; measured[kind] is (seeds, layers, 2)."""
    fig, axes = plt.subplots(1, 2, figsize=(6, 3.2))
    titles = ("std of the layer's outputs", f"directions left, of {of}")
    for place, (ax, title, top) in enumerate(zip(axes, titles, (1, of * 1.06), strict=True)):
        for row, (kind, values) in enumerate(measured.items()):
            lines_with_spread(ax, range(1, values.shape[1] + 1), values[:, :, place], kind)
            middle = np.median(values[:, values.shape[1] // 2, place])
            at = (0.97, 0.9 - 0.1 * row) if place == 0 else (0.97, middle / top + 0.06 - 0.13 * row)
            ax.text(*at, kind, transform=ax.transAxes, ha="right", va="center", color=f"C{row}")
        ax.set(title=title, xlabel="layer", ylim=(0, top))
    words = [f"{kind} {np.median(values[:, -1, 1]):.0f}" for kind, values in measured.items()]
    fig.set_label(f"Std and directions left by layer; behind the last layer, of {of}: {', '.join(words)}.")
    return fig


def eigenvalue_angles(matrices: Mapping[str, np.ndarray]) -> Figure:
    """The density of the angles of the eigenvalues of many orthogonal matrices, by kind; (count, n, n)."""
    fig, ax = plt.subplots()
    for (kind, group), style, color in zip(matrices.items(), ("--", "-"), ("C1", "C0"), strict=True):
        angles = np.abs(np.angle(np.linalg.eigvals(group)))
        counts, edges = np.histogram(angles, 24, (0, np.pi))
        ax.stairs(counts / counts.mean(), edges, label=kind, linewidth=2.2, linestyle=style, color=color)
    ax.set(xlabel="angle of the eigenvalue", ylabel="density (1: uniform)", ylim=(0, None))
    ax.set_xticks([0, np.pi / 2, np.pi], ["0", "π/2", "π"])
    ax.legend(loc="lower right")
    return fig


def modes(
    curves: Mapping[tuple[float, int], tuple[np.ndarray, np.ndarray]],
    simulated: Mapping[int, np.ndarray],
    *,
    step: int,
    depth: str,
) -> Figure:
    """Strengths of the modes: the solution as lines, curves[c, depth] = (steps, u); simulated as dots."""
    fig, ax = plt.subplots(layout="none", gridspec_kw=PLACE)
    seen = np.arange(0, step + 1, 20)
    strengths = [c for c, L in curves if int(depth) == L]
    for k, c in enumerate(strengths):
        ax.plot(*curves[c, int(depth)], color=f"C{k}", linewidth=1.2, label=f"c = {c:g}")
        ax.plot(seen, simulated[int(depth)][seen, k], "o", color=f"C{k}", markersize=4)
    ax.set(xlim=(-10, 810), ylim=(0, 1.25), xlabel="step", ylabel="strength u of the mode")
    ax.set_title(f"depth {depth}, step {step}")
    ax.legend(loc="upper center", ncols=3)
    now = ", ".join(f"{value:.2f}" for value in simulated[int(depth)][step])
    fig.set_label(
        f"Depth {depth} after {step} steps: the modes of strength {', '.join(f'{c:g}' for c in strengths)} "
        f"stand at {now}; the dots of the simulation lie on the lines of the solution."
    )
    return fig


def energy(theory: np.ndarray, measured: Mapping[str, np.ndarray]) -> Figure:
    """Energy by layer of convolutions: theory of independent kernels, measurement (seeds, layers)."""
    fig, ax = plt.subplots()
    at = np.arange(0, len(theory), 10)
    between = at[:-1] + 5
    delta, flat = measured["delta-orthogonal"], measured["flattened orthogonal"]
    theory_and_measurement(ax, at, np.ones(len(at)), delta[:, at], "delta")
    theory_and_measurement(ax, at, theory[at], measured["Gaussian"][:, at], "Gaussian")
    middle = np.median(flat[:, between], axis=0)
    ax.plot(between, middle, "s", color="C2", markersize=4, label="flattened orthogonal")
    ax.set(xlabel="layer", ylabel="energy", yscale="log", ylim=(1e-5, 30))
    ax.legend(loc="lower left", fontsize=10)
    return fig


def accuracies(final: Mapping[str, np.ndarray]) -> Figure:
    """One mark for each seed, a row for each scheme."""
    fig, ax = plt.subplots(figsize=(6, 1.7))
    for row, values in enumerate(final.values()):
        style = {"marker": "ox"[row], "color": f"C{row}", "markersize": 9, "alpha": 0.8}
        ax.plot(values, [row] * len(values), linestyle="none", **style)
    ax.set(ylim=(len(final) - 0.4, -0.6), xlim=(0, 1), xlabel="test accuracy")
    ax.set_yticks(range(len(final)), list(final))
    return fig

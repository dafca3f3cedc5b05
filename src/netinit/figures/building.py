"""The pictures of chapter 2, layers, blocks and models."""

from collections.abc import Sequence
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from netinit.data import load_digits
from netinit.figures.signals import SHADES
from netinit.initialize import initialize
from netinit.initializers import he_normal, lecun_normal
from netinit.layers import Activation, Layer, Linear
from netinit.losses import softmax_cross_entropy
from netinit.models import Sequential
from netinit.trace import Trace, trace

# where the axes of a film stand: laying them out would take most of the time of a frame
PLACE = {"left": 0.14, "right": 0.98, "bottom": 0.16, "top": 0.91}
BLUE, ORANGE, GRAY = "#0072B2", "#D55E00", "0.5"

# --- the first screen --------------------------------------------------------------------------------------

# Each array: its name, its left edge, its lower edge, and the step forward at which it is known.
ARRAYS = [
    ("x", 0, 0, 0),
    ("z¹", 14, 0, 1),
    ("h¹", 23, 0, 2),
    ("z²", 32, 0, 3),
    ("W¹", 5, -13.5, 1),
    ("b¹", 14, -4.5, 1),
    ("W²", 23, -8.5, 3),
    ("b²", 32, -4.5, 3),
]
SAYS = {
    "forward": ["the input x", "z¹ = x W¹ + b¹", "h¹ = relu(z¹)", "z² = h¹ W² + b²"],
    "backward": [
        "the loss hands over dC/dz²",
        "W² turns it into dC/dh¹",
        "relu turns it into dC/dz¹",
        "W¹ turns it into dC/dx",
    ],
}


def tour(step: int, direction: str) -> Figure:
    """Two linear layers with a ReLU between, four examples: what is known after a step, either way."""
    backward = direction == "backward"
    fig, ax = plt.subplots(figsize=(4.6, 2.95), subplot_kw={"frame_on": False, "xticks": [], "yticks": []})
    for (name, left, low, forward_step), array in zip(ARRAYS, _arrays(backward), strict=True):
        # a gradient of W or b is known as soon as the layer has been given its own, one step after its z
        known = 3 - forward_step + (name[0] in "Wb") <= step if backward else forward_step <= step
        _draw_array(ax, array, (left, low), known)
        title = f"dC/d{name}" if backward and known else name
        shape = "×".join(map(str, array.shape if name[0] != "b" else array.shape[1:]))
        ax.text(left, low + len(array) + 0.4, f"{title}\n{shape}", fontsize=11)
    for tail, head, by in ((10, 14, "W¹"), (19, 23, "relu"), (28, 32, "W²")):
        ends = {"xy": (tail + 0.3, 2), "xytext": (head - 0.3, 2)} if backward else {}
        ends = ends or {"xy": (head - 0.3, 2), "xytext": (tail + 0.3, 2)}
        ax.annotate("", **ends, arrowprops={"arrowstyle": "->", "color": GRAY})
        ax.text((tail + head) / 2, 1.6, by, fontsize=10, color="0.3", ha="center", va="top")
    ax.set(xlim=(-0.5, 36.5), ylim=(-13.7, 7.6), title=f"{direction}: {SAYS[direction][step]}")
    fig.set_label(
        f"{direction}, step {step}: {SAYS[direction][step]}. Each array has the shape of what it belongs to: "
        "x 4×10, z¹ and h¹ 4×5, z² 4×2, W¹ 10×5, W² 5×2."
    )
    return fig


def _arrays(backward):
    """The values, or the gradients, of everything in `ARRAYS`."""
    rng = np.random.default_rng(3)
    model = Sequential(Linear(10, 5), Activation("relu"), Linear(5, 2)).astype(np.float64)
    initialize(model, he_normal, rng, bias=lambda shape, rng, **_: 0.3 * rng.standard_normal(shape))
    x, last = rng.standard_normal((4, 10)), rng.standard_normal((4, 2))
    rows = trace(model, x, output_gradient=last, keep=True)
    model(x)
    first = model.backward(last)  # fills the gradients of the parameters
    signals = [first, *(row.gradient for row in rows)] if backward else [x, *(row.output for row in rows)]
    parameters = [p.grad if backward else p.value for p in model.parameters()]
    return signals + [np.atleast_2d(p) for p in parameters]


def _draw_array(ax, array, corner, known):
    """An array as cells, a dot in each that is exactly zero; an empty dotted frame while it is unknown."""
    (rows, columns), (left, low) = array.shape, corner
    frame = {"fill": False, "edgecolor": GRAY, "linestyle": "-" if known else ":"}
    ax.add_patch(plt.Rectangle((left, low), columns, rows, **frame))
    if not known:
        return
    size = np.abs(array).max()
    shown = array / size
    ax.imshow(shown, SHADES, vmin=-1, vmax=1, extent=(left, left + columns, low, low + rows))
    row, column = np.nonzero(array == 0)
    ax.plot(left + column + 0.5, low + rows - row - 0.5, ".", color=GRAY, markersize=3)


# --- blocks ------------------------------------------------------------------------------------------------


def nest(model: Layer) -> Figure:
    """A model as boxes in boxes: each layer and block inside its own, under the name it has there."""
    boxes: list[tuple[str, str, float, float, int]] = []
    right = _place(model, "", 0.0, 0, boxes)
    deepest = max(depth for *_, depth in boxes)
    fig, ax = plt.subplots(figsize=(6, 2.8), subplot_kw={"frame_on": False, "xticks": [], "yticks": []})
    for _path, text, start, end, depth in boxes:
        low, high = 0.35 * depth, 2 * deepest + 2 - 0.9 * depth
        shade = str(1 - 0.05 * depth)
        box = plt.Rectangle((start, low), end - start, high - low, facecolor=shade, edgecolor=BLUE)
        ax.add_patch(box)
        ax.text(start + 0.1, high - 0.12, text, va="top", fontsize=11)
    ax.set(xlim=(-0.05, right + 0.05), ylim=(-0.1, 2 * deepest + 2.1))
    paths = ", ".join(path for path, *_ in boxes[1:])
    fig.set_label(f"Boxes in boxes, with their paths: {paths}.")
    return fig


def _place(part, path, left, depth, boxes):
    """Append the box of a part and those inside it: path, text, edges, depth; return its right edge."""
    children = list(part.children())
    kind = type(part).__name__ if children else repr(part).replace("(", "\n(")
    if isinstance(part, Activation):
        kind = part.activation.name
    own_name, between = path.rpartition(".")[2], " " if children else "\n"
    here, right = len(boxes), left + (0.15 if children else 1.5)
    boxes.append(("", "", 0, 0, 0))  # the place of this box, before those inside it
    for child_name, child in children:
        right = _place(child, f"{path}.{child_name}".lstrip("."), right, depth + 1, boxes) + 0.15
    boxes[here] = (path, f"{own_name}{between}{kind}".strip(), left, right, depth)
    return right


# --- finite differences ------------------------------------------------------------------------------------


def way_back(copy: str, *, networks: dict[str, Layer], x: np.ndarray) -> Figure:
    """The way back through a copy: which gradients differ from those of `networks["right"]`.

    All networks start with the same weights. An arrow is the gradient that a layer hands on, a word below a
    layer that of its weight or bias.
    """
    right, claimed = _gradients(networks["right"], x), _gradients(networks[copy], x)
    wrong = {name for name, grad in claimed.items() if not np.allclose(grad, right[name])}
    fig, ax = plt.subplots(figsize=(6, 2.2), subplot_kw={"frame_on": False, "xticks": [], "yticks": []})
    rows = list(trace(networks[copy], x))[::-1]
    for place, row in enumerate(rows):
        ax.add_patch(plt.Rectangle((place, 0), 0.56, 0.8, facecolor="0.95", edgecolor=GRAY))
        kind = row.kind if row.weight_std is None else "linear"
        ax.text(place + 0.28, 0.4, f"{row.name}\n{kind}", ha="center", va="center", fontsize=11)
        _draw_gradient(ax, place, f"into {row.name}" in wrong)
        for low, part in ((-0.25, "weight"), (-0.5, "bias")):
            if (name := f"{row.name}.{part}") in claimed:
                bad = name in wrong
                says = {"color": ORANGE if bad else BLUE, "weight": "bold" if bad else "normal"}
                ax.text(place + 0.28, low, f"{part} {'wrong' if bad else 'ok'}", ha="center", **says)
    _draw_gradient(ax, len(rows), "input" in wrong)
    ax.text(-0.46, 0.4, "loss", ha="right", va="center", fontsize=11)
    ax.text(len(rows) + 0.04, 0.4, "input", va="center", fontsize=11)
    ax.set(xlim=(-0.95, len(rows) + 0.6), ylim=(-0.6, 0.9), title=f"{copy}: gradients on the way back")
    fig.set_label(f"{copy}: wrong are {', '.join(n for n in claimed if n in wrong) or 'none'}.")
    return fig


def _gradients(model, x):
    """What comes back into each layer, to the input and to each parameter, from a fixed output gradient."""
    last = np.random.default_rng(0).standard_normal(model(x).shape)
    rows = trace(model, x, output_gradient=last, keep=True)
    model.zero_grad()
    model(x)
    found = {f"into {row.name}": row.gradient for row in rows[::-1]}
    found["input"] = model.backward(last)
    return found | {name: p.grad for name, p in model.named_parameters()}


def _draw_gradient(ax, place, wrong):
    """An arrow into the layer at this place: solid where the gradient is right, dashed where it is wrong."""
    style = {"color": ORANGE, "linestyle": "--"} if wrong else {"color": BLUE, "linestyle": "-"}
    arrow = {"arrowstyle": "-|>", "linewidth": 2, "shrinkA": 0, "shrinkB": 0, **style}
    ax.annotate("", (place - 0.02, 0.4), (place - 0.42, 0.4), arrowprops=arrow)


def step_size(exponent: int, precision: str) -> Figure:
    """A loss around 0, in units of the step 10^exponent, with its central difference and its true slope."""
    step, dtype, slope = 10.0**exponent, np.dtype(precision).type, _slope()
    places, zero = np.linspace(-1.5, 1.5, 121), _loss_along(np.zeros(1), np.float64)[0]
    curve, ends = (
        (_loss_along(u * step, dtype) - zero) / (abs(slope) * step) for u in (places, np.array([-1.0, 1.0]))
    )
    error = abs((ends[1] - ends[0]) / 2 / np.sign(slope) - 1)
    fig, ax = plt.subplots(figsize=(6, 3.8))
    ax.plot(places, curve, "-", color=BLUE, linewidth=1.5, label=f"loss in {precision}")
    ax.plot([-1, 1], ends, "o-", color=ORANGE, label="central difference")
    ax.plot(places, places * np.sign(slope), ":", color=GRAY, linewidth=1.5, label="true slope")
    reach = 1.1 * max(1.6, np.abs(ends).max())
    ax.set(xlim=(-1.5, 1.5), ylim=(-reach, reach), xlabel="move, in steps", ylabel="change, scaled")
    ax.set_title(f"step 1e{exponent}, {precision}: relative error {error:.0e}")
    fig.legend(loc="outside lower center", ncols=3, fontsize=10)
    fig.set_label(f"Step 1e{exponent} in {precision}: the central difference has relative error {error:.0e}.")
    return fig


def _linear_layer():
    """Twenty digits with their labels, the weights of a linear layer, and a direction in which they move."""
    data = load_digits()
    weights = lecun_normal((64, 10), np.random.default_rng(0), dtype=np.float64)
    direction = np.random.default_rng(1).standard_normal((64, 10)) / 8
    return data.x_train[:20].astype(np.float64), data.y_train[:20], weights, direction


def _loss_along(moves, dtype):
    """The loss after each move, with input, weights and loss in this precision."""
    x, labels, weights, direction = _linear_layer()
    logits = (x.astype(dtype) @ (weights + move * direction).astype(dtype) for move in moves)
    return np.array([softmax_cross_entropy(z, labels)[0] for z in logits], dtype=np.float64)


def _slope():
    """The derivative of the loss along the direction, by the chain rule."""
    x, labels, weights, direction = _linear_layer()
    return np.sum(direction * (x.T @ softmax_cross_entropy(x @ weights, labels)[1]))


# --- the deeper page ---------------------------------------------------------------------------------------


def flow(traces: dict[str, Trace], step: int, activation: str) -> Figure:
    """The rms of each output on the way up, then of each gradient on the way down, as far as `step`."""
    rows = traces[activation]
    count, place = len(rows), np.arange(len(rows))
    outputs = np.array([row.rms for row in rows])
    gradients = np.array([np.sqrt(np.mean(row.gradient**2)) for row in rows])
    up, down = min(step, count), max(step - count - 1, 0)
    fig, ax = plt.subplots(figsize=(6, 4), layout="none", gridspec_kw=PLACE)
    ax.plot(place[:up], outputs[:up], "-o", color=BLUE, label="output")
    ax.plot(place[count - down :], gradients[count - down :], "--s", color=ORANGE, label="gradient")
    labels = [f"{row.kind}\n({len(row.output)}, {row.output.shape[1]})" for row in rows]
    ax.set_xticks(place, labels, fontsize=10)
    ax.set(xlim=(-0.6, count - 0.4), ylim=(0.005, 5), yscale="log", ylabel="rms")
    ax.minorticks_off()
    ax.legend(loc="lower left")
    words, value = _station(step, count, outputs, gradients)
    ax.set_title(words)
    fig.set_label(f"{activation}, step {step}, {words}: {value}.")
    return fig


def _station(step, count, outputs, gradients):
    """What a step of the flow does, and the number that it adds, in words."""
    if step == 0:
        return "input ready", "no new value"
    if step <= count:
        return f"forward through layer {step} of {count}", f"output rms {outputs[step - 1]:.2f}"
    if step == count + 1:
        return "loss: the gradient of the logits is next", "no new value"
    layer = 2 * count + 1 - step  # counted from 0
    return f"backward: gradient at the output of layer {layer + 1}", f"gradient rms {gradients[layer]:.3f}"


def parameter_counts(width: int, hidden_layers: int, budget: int = 20_000) -> Figure:
    """The parameters of each layer of a network from 64 pixels to 10 classes, beside a budget for all."""
    sizes = [64] + [width] * hidden_layers + [10]
    counts = [(a + 1) * b for a, b in pairwise(sizes)]
    fig, ax = plt.subplots(layout="none", gridspec_kw=PLACE)
    ax.bar(range(1, len(counts) + 1), counts, color=BLUE)
    ax.axhline(budget, color=ORANGE, linestyle="--", label="the whole budget")
    ax.set(xlim=(0.4, 8.6), ylim=(50, 1e5), yscale="log", xlabel="layer", ylabel="parameters")
    ax.minorticks_off()
    ax.set_title(f"{hidden_layers} hidden of {width}: {sum(counts):,} in total")
    ax.legend(loc="upper right")
    inside = "within" if sum(counts) <= budget else "over"
    fig.set_label(
        f"{hidden_layers} hidden layers of width {width}: {sum(counts):,} parameters, {inside} the budget; "
        f"by layer {counts}."
    )
    return fig


def step_errors(steps_by_format: dict[str, Sequence[float]], errors: dict[str, np.ndarray]) -> Figure:
    """Error of a central difference by step: measured median and range, and the theory; (seeds, 3, steps)."""
    fig, ax = plt.subplots(figsize=(6, 4.2))
    for color, marker, (name, steps) in zip((BLUE, ORANGE), "os", steps_by_format.items(), strict=False):
        measured, truncation, rounding = errors[name].transpose(1, 0, 2)
        middle = np.median(measured, axis=0)
        bars = [middle - measured.min(axis=0), measured.max(axis=0) - middle]
        line = np.median(truncation + rounding, axis=0)
        ax.plot(steps, line, "-", color=color, linewidth=1.5, label=f"{name}, theory")
        dots = {"fmt": marker, "color": color, "markersize": 4, "linewidth": 0.8}
        ax.errorbar(steps, middle, bars, label=f"{name}, measured", **dots)
    ax.set(xscale="log", yscale="log", xlabel=r"step $\tau$", ylabel="error", ylim=(1e-14, 10))
    ax.legend(loc="upper center", fontsize=10, ncols=2)
    fig.set_label(f"Errors of central differences by step, theory and measurement, in {', '.join(errors)}.")
    return fig

"""The pictures of chapter 13, the first five minutes, and the twelve networks that it spoils and mends."""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from netinit.builders import mlp, residual_mlp
from netinit.data import Dataset, load_digits
from netinit.diagnosis import diagnose
from netinit.fixup import fixup
from netinit.initialize import initialize
from netinit.initializers import constant, normal
from netinit.layers import Activation, Layer
from netinit.losses import softmax_cross_entropy
from netinit.models import Sequential
from netinit.trace import trace

SMALLEST = 1e-6  # smaller sizes, and zeros, are drawn here
LARGEST = 1e4
COUNTED = "layer (model[i])"  # as `diagnose` counts layers: activations stand between the weights
# where the panels of a live figure stand: placed once, as laying them out would take half of a frame's time
PANEL = {"left": 0.12, "right": 0.98, "bottom": 0.15, "top": 0.9}
PANELS = {"left": 0.13, "right": 0.98, "bottom": 0.15, "top": 0.79, "wspace": 0.4}
SCREEN = {"left": 0.16, "right": 0.98, "bottom": 0.02, "top": 0.9, "hspace": 0.5}
PATIENT = {"left": 0.1, "right": 0.98, "bottom": 0.01, "top": 0.84, "wspace": 0.5, "hspace": 0.48}


class Fault(NamedTuple):
    """What was done to a network; how to plant it; and what `diagnose` advises, done to the model."""

    what: str
    plant: Callable[[np.random.Generator], Layer]
    mend: Callable[[Layer, np.random.Generator], Layer]
    pixels: bool = False  # whether x is left as pixels of 0 to 255

    def cured(self, rng: np.random.Generator) -> Layer:
        """The network after the remedy."""
        return self.mend(self.plant(rng), rng)


def deep(hidden: int, activation: str, start, width: int = 64) -> Callable[[np.random.Generator], Layer]:
    """A function from a Generator to a network of hidden layers on the digits."""
    sizes = [64, *[width] * hidden, 10]
    return lambda rng: initialize(mlp(sizes, activation), start, rng)


def changed(layer: int, change: Callable, parameter: str = "weight") -> Callable:
    """He's network of five ReLU layers, a parameter of one layer (counted in the model) changed."""

    def plant(rng):
        model = deep(5, "relu", "he_normal")(rng)
        array = getattr(model[layer], parameter).value
        array[...] = change(array)
        return model

    return plant


def _again(start, layers=slice(None)):
    """Initialize these layers anew."""

    def mend(model, rng):
        initialize(model[layers], start, rng)
        return model

    return mend


def _unbias(model, _):
    model[4].bias.value[...] = 0
    return model


FAULTS = {
    "raw pixels": Fault(
        "x as pixels of 0 to 255", deep(5, "relu", "he_normal"), lambda model, _: model, pixels=True
    ),
    "all zeros": Fault("all weights 0, tanh", deep(5, "tanh", "zeros"), _again("xavier_normal")),
    "all equal": Fault(
        "all weights 0.1, ReLU", deep(5, "relu", partial(constant, value=0.1)), _again("he_normal")
    ),
    "std 0.01": Fault("weights of std 0.01, tanh", deep(5, "tanh", normal), _again("xavier_normal")),
    "std 1": Fault(
        "weights of std 1, tanh", deep(5, "tanh", partial(normal, std=1.0)), _again("xavier_normal")
    ),
    "12 ReLU layers": Fault(
        "Glorot's weights, 12 ReLU layers",
        deep(12, "relu", "xavier_normal"),
        _again("he_normal", slice(2, None)),
    ),
    "6 sigmoids": Fault(
        "Glorot's weights, 6 sigmoid layers",
        deep(6, "sigmoid", "xavier_normal"),
        lambda _, rng: deep(6, "tanh", "xavier_normal")(rng),
    ),
    "10 blocks": Fault(
        "He's weights, 10 residual blocks",
        lambda rng: initialize(residual_mlp(64, 64, 10, 10), "he_normal", rng),
        fixup,
    ),
    "dead layer": Fault("biases of -10 in layer 4", changed(4, lambda b: b - 10, "bias"), _unbias),
    "one layer x 100": Fault("layer 4 x 100", changed(4, lambda w: 100 * w), _again("he_normal", 4)),
    "one NaN": Fault(
        "one NaN in layer 4",
        changed(4, lambda w: np.where(np.arange(w.size).reshape(w.shape) == 7, np.nan, w)),
        _again("he_normal", 4),
    ),
    "ReLU at the end": Fault(
        "a ReLU behind the last layer",
        lambda rng: Sequential(*deep(5, "relu", "he_normal")(rng), Activation("relu")),
        lambda model, _: model[:-1],
    ),
}


def pixels(digits: Dataset) -> Dataset:
    """The digits as pixels of 0 to 255: what they are before they are standardized."""
    low = digits.x_train.min(axis=0)
    scale = np.float32(255 / (digits.x_train - low).max())
    splits = ("x_train", "x_validation", "x_test")
    return digits._replace(**{split: (getattr(digits, split) - low) * scale for split in splits})


def start_of(fault: str, seed: int = 0) -> tuple[Layer, np.ndarray, np.ndarray]:
    """The spoiled network, or a sound one for "none", and 100 digits as it gets them."""
    digits, rng = load_digits(), np.random.default_rng(seed)
    if fault == "none":
        return deep(5, "relu", "he_normal")(rng), digits.x_train[:100], digits.y_train[:100]
    if FAULTS[fault].pixels:
        digits = pixels(digits)
    return FAULTS[fault].plant(rng), digits.x_train[:100], digits.y_train[:100]


# What `trace` measures and what `diagnose` says: one quantity on the first screen, three in the gallery.


def patient_signal(patient: int) -> Figure:
    """The size of the signal by layer, a sound network in gray; under it the fault that `diagnose` names.

    Patient 0 is sound; the others have the faults in the order of the gallery.
    """
    fault = ["none", *FAULTS][patient]
    told = diagnose(*start_of(fault))
    fig, (ax, below) = plt.subplots(
        2, 1, figsize=(5.4, 3.7), height_ratios=[2.4, 1], layout="none", gridspec_kw=SCREEN
    )
    rows = _with_weights(told)
    sizes = [row.rms for row in rows]
    _by_layer(ax, sizes, None, _span([sizes]))
    _sound_line(ax, "rms", sizes)
    ax.set(xlabel=COUNTED, ylabel="rms of the output")
    _count_layers(ax, [row.name for row in rows])
    words = _words(told, 54, evidence=False)
    _name(fig, below, fault, f"diagnose: {words}")
    ends = f"rms {_size(sizes[0])} behind the first layer, {_size(sizes[-1])} behind the last"
    fig.set_label(f"Patient {patient}, {_what(fault)}: {ends}. diagnose: {' '.join(words.split())}")
    return fig


def patient_with(fault: str) -> Figure:
    """Signal, gradient and units by layer, a sound network in gray; under them the words of `diagnose`."""
    told = diagnose(*start_of(fault))
    grid = [["signal", "gradient", "units"], ["words", "words", "key"]]
    fig, panels = plt.subplot_mosaic(
        grid, figsize=(5.4, 4.3), height_ratios=[1.5, 1.15], layout="none", gridspec_kw=PATIENT
    )
    rows = _with_weights(told)
    columns = {"signal": ("rms", "predicted_rms"), "gradient": ("gradient_std", "predicted_gradient_std")}
    values = {name: [[getattr(row, key) for row in rows] for key in keys] for name, keys in columns.items()}
    span = _span([values[name][0] for name in columns])
    for name, (measured, predicted) in values.items():
        _by_layer(panels[name], measured, predicted, span)
        _sound_line(panels[name], columns[name][0], measured)
        panels[name].set(title=name, xlabel=COUNTED)
        _name_layers(panels[name], [row.name for row in rows], told)
    _units(panels["units"], panels["key"], told.trace)
    words = _words(told, 38)
    _name(fig, panels["words"], fault, words)
    ends = f"rms of the signal {_size(rows[0].rms)} at the first layer, {_size(rows[-1].rms)} at the last"
    back = f"gradient {_size(rows[0].gradient_std)} and {_size(rows[-1].gradient_std)}"
    fig.set_label(f"{_what(fault)}: {ends}; {back}. diagnose: {' '.join(words.split())}")
    return fig


def _with_weights(told) -> list:
    """The rows of the trace that have weights."""
    return [row for row in told.trace if row.weight_std is not None]


def _what(fault: str) -> str:
    return "A sound network" if fault == "none" else FAULTS[fault].what


def _name(fig: Figure, below: Axes, fault: str, words: str) -> None:
    """What was done, over the panels, and what `diagnose` says, in the empty axes under them."""
    fig.suptitle(_what(fault), x=0.02, ha="left", fontsize=12)
    below.axis("off")
    below.text(0, 1, words, va="top", linespacing=1.2)


@cache
def _sound(column: str, layers: int) -> list[float]:
    """A column of the trace of He's ReLU network with so many layers of weights; with 6 it is patient 0."""
    model = deep(layers - 1, "relu", "he_normal")(np.random.default_rng(0))
    _, x, y = start_of("none")
    return [getattr(row, column) for row in _with_weights(diagnose(model, x, y))]


def _sound_line(ax: Axes, column: str, measured: Sequence[float]) -> None:
    """The same column of a sound network with as many layers, broad and gray; its name on the free side."""
    layers = len(measured)
    sound = _sound(column, layers)
    ax.plot(range(1, layers + 1), sound, "-", color="0.75", linewidth=5, zorder=0)
    middle = layers // 2
    lift = -15 if measured[middle] > 1.05 * sound[middle] else 5
    place = {"xytext": (0, lift), "textcoords": "offset points", "ha": "center"}
    ax.annotate("sound", (middle + 0.5, sound[middle]), color="0.4", fontsize=10, **place)


def _span(columns: Sequence[Sequence]) -> tuple[float, float]:
    """Decades that hold all sizes and a thousandth to ten; the widest where a size is 0 or NaN."""
    sizes = np.array(columns, float).ravel()
    if not np.isfinite(sizes).all() or sizes.min() < SMALLEST:
        return SMALLEST / 2, LARGEST * 2
    low, high = np.floor(np.log10(sizes.min())), np.ceil(np.log10(sizes.max()))
    return 10 ** min(low, -3), min(10 ** max(high, 1), LARGEST * 2)


def _name_layers(ax: Axes, paths: Sequence[str], told) -> None:
    """Ticks that count the layers as `diagnose` does, and a line at the layer of which it speaks."""
    ticks = {1: paths[0], len(paths): paths[-1]}
    found = told.findings[0].layer if told.findings else None
    if found in paths:
        place = paths.index(found) + 1
        ax.axvline(place, color="#CC79A7", linewidth=5, alpha=0.35)
        if place == 2:
            del ticks[1]  # no room for both
        if place < len(paths) - 1 and found.isdigit():
            ticks[place] = found
    ax.set_xticks(list(ticks), list(ticks.values()))


def _count_layers(ax: Axes, paths: Sequence[str]) -> None:
    """Ticks that count the layers as `diagnose` does: each, every other one, or of blocks the two ends."""
    step = len(paths) - 1 if not paths[-2].isdigit() else 1 if len(paths) < 9 else 2
    ax.set_xticks(range(1, len(paths) + 1, step), paths[::step])


def _by_layer(ax: Axes, measured: Sequence, predicted: Sequence | None, span: tuple[float, float]) -> None:
    """Dots over the line of the theory, on a logarithmic axis; zeros lie on its edge, NaN is left out."""
    layers = np.arange(1, len(measured) + 1)
    drawn = [(measured, {"marker": "o", "linestyle": "", "color": "C1"})]
    if predicted is not None:
        drawn.insert(0, (predicted, {"marker": "", "color": "C0"}))
    for values, style in drawn:
        values = np.array([np.nan if value is None else value for value in values])
        ax.plot(layers, np.clip(values, SMALLEST, LARGEST), markersize=4, **style)
    ax.axhline(1, color="#999999", linewidth=1, linestyle=":")
    ticks = [SMALLEST, 1e-3, 1, 1e3] if span[0] < 1e-4 else 10.0 ** np.arange(-4, 5)
    ax.set(yscale="log", ylim=span, yticks=[tick for tick in ticks if span[0] <= tick <= span[1]])
    ax.minorticks_off()
    ax.set_xticks([1, len(layers)])
    if not np.isfinite(np.array(measured, float)).all():
        ax.text(0.97, 0.05, "NaN", transform=ax.transAxes, ha="right", color="#D55E00")


def _units(ax: Axes, key: Axes, traced) -> None:
    """Shares of units that are dead, saturated, or copies of another, by activation; `key` is the legend."""
    rows = [row for row in traced if row.weight_std is None and row.distinct_units is not None]
    layers = range(1, len(rows) + 1)
    shares = {
        "dead": [row.dead or 0 for row in rows],
        "saturated": [row.saturated or 0 for row in rows],
        "copies": [_copies(row) for row in rows],
    }
    for (name, values), marker in zip(shares.items(), "osD", strict=True):
        ax.plot(layers, values, label=name, marker=marker, markersize=4)
    ax.set(title="units", xlabel=COUNTED, ylim=(-0.04, 1.04), yticks=[0, 0.5, 1])
    ax.set_xticks([1, len(rows)], [row.name.split(".")[0] for row in (rows[0], rows[-1])])
    key.axis("off")
    key.legend(*ax.get_legend_handles_labels(), title="share of units", loc="upper center", frameon=False)


def _copies(row) -> float:
    """Share of the units that repeat another one, those that are dead left out."""
    dead = round((row.dead or 0) * row.units)
    return 1 - (row.distinct_units - (dead > 0) + dead) / row.units


def _words(told, width: int, evidence: bool = True) -> str:
    """The first finding in lines of at most `width` characters, with or without what was measured."""
    if told.healthy:
        return "healthy"
    found = told.findings[0]
    where = found.layer if found.layer in ("input", "labels") else f"layer {found.layer}"
    lines = [f"{where}: {found.fault}", found.evidence, f"Remedy: {found.remedy}"]
    if not evidence:
        del lines[1]
    return "\n".join(textwrap.fill(line, width, subsequent_indent="   ") for line in lines)


def _size(value) -> str:
    return "unknown" if value is None else f"{value:.2g}"


# The order of looking: what is right and what is wrong.


def look(step: str, *, one_batch: Mapping[str, Sequence[float]]) -> Figure:
    """One look at patient 0 (left) and at an unsound start (right), which the title names.

    `one_batch` holds the last look: the loss of each step on a single batch, of patient 0 and of another.
    """
    if step == "one batch":
        _, who = one_batch
        signs = ("learned", "not learned")
        draws = [partial(_curve, losses=losses) for losses in one_batch.values()]
    else:
        draw, who, wrong, signs = LOOKS[step]
        draws = [partial(_of, draw, start) for start in (_fault("none"), wrong)]
    fig, axes = plt.subplots(1, 2, figsize=(6, 3.5), layout="none", gridspec_kw=PANELS)
    words = [draw(ax) for ax, draw in zip(axes, draws, strict=True)]
    sides = [("right: patient 0", "#00664B"), (f"wrong: {who}", "#B34700")]
    for ax, (side, color), sign, text in zip(axes, sides, signs, words, strict=True):
        ax.set_title(f"{side}\n{sign}\n{text}", fontsize=11, color=color)
    axes[1].set_ylabel("")
    fig.set_label(f"{step}: right, patient 0, {signs[0]}, {words[0]}; wrong, {who}, {signs[1]}, {words[1]}.")
    return fig


def _of(draw, start, ax):
    """Draw the network that `start` makes."""
    return draw(ax, *start())


def _curve(ax, losses):
    ax.plot(np.maximum(losses, 1e-4))
    ax.set(xlabel="step", ylabel="loss", yscale="log", ylim=(1e-4, 10))
    ax.minorticks_off()
    return f"{losses[0]:.1f} to {losses[-1]:.1f}"


def _input(ax, _, x, __):
    ax.hist(x.ravel(), bins=40)
    ax.set(xlabel="entries of x", yticks=[])
    return f"mean {abs(x.mean()):.0f}, rms {np.sqrt(np.mean(np.square(x))):.0f}"


def _loss(ax, model, x, y):
    loss, _ = softmax_cross_entropy(model(x), y)
    ax.bar(
        ["ln 10", "ln 10\n+ 1", "loss"], [np.log(10), np.log(10) + 1, loss], color=["0.6", "0.6", "#0072B2"]
    )
    ax.set(ylim=(0, 24))
    return f"loss {loss:.1f}"


def _probabilities(ax, model, x, _):
    logits = model(x[:12]) + 0.0
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    ax.imshow(p, vmin=0, vmax=1, aspect="auto", cmap="cividis")
    ax.set(xlabel="class", ylabel="example", xticks=range(0, 10, 3), yticks=[])
    ax.grid(False)
    return f"largest p {np.median(p.max(axis=1)):.2f}"


def _signal(ax, model, x, y):
    ax.set_ylabel("rms of the output")
    return _column(ax, model, x, y, "rms", "predicted_rms")


def _gradient(ax, model, x, y):
    ax.set_ylabel("std of the gradient")
    return _column(ax, model, x, y, "gradient_std", "predicted_gradient_std")


def _column(ax, model, x, y, measured, predicted):
    rows = _with_weights(diagnose(model, x, y))
    values = [getattr(row, measured) for row in rows]
    _by_layer(ax, values, [getattr(row, predicted) for row in rows], span=(1e-5, 10))
    ax.set(xlabel=COUNTED)
    ax.set_xticks([1, len(rows)], [rows[0].name, rows[-1].name])
    return f"{_size(values[0])} to {_size(values[-1])}"


def _activations(ax, model, x, _):
    rows = trace(model, x, keep=True)
    h = rows[5].output[:40]
    ax.imshow(h, aspect="auto", cmap="cividis", interpolation="nearest")
    ax.set(xlabel="unit of layer 5", ylabel="example", xticks=[], yticks=[])
    ax.grid(False)
    return f"different units: {rows[5].distinct_units}"


def _update(ax, model, x, y, lr=0.03):
    ratios = update_ratios(model, x, y, lr)
    ax.plot(np.arange(1, len(ratios) + 1), np.maximum(ratios, 1e-8), "o")
    ax.set(xlabel=COUNTED, yscale="log", ylim=(1e-8, 1))
    ax.set_xticks([1, len(ratios)], [0, 2 * (len(ratios) - 1)])  # an activation stands between two of them
    ax.minorticks_off()
    ax.set_ylabel("update / weight")
    return f"{_size(ratios[0])} to {_size(ratios[-1])}"


def update_ratios(model: Layer, x: np.ndarray, y: np.ndarray, lr: float) -> np.ndarray:
    """Size of the first step of plain gradient descent against the size of the weight, by layer."""
    traced = trace(model, x, y)
    known = np.isfinite(traced.column("weight_std"))
    return lr * traced.column("weight_gradient_std")[known] / traced.column("weight_std")[known]


def _loud():
    model, x, y = start_of("none")
    model[10].weight.value *= 10
    return model, x, y


def _fault(name):
    return partial(start_of, name)


# How to draw it; who is wrong; how to make that network; the signs of right and wrong.
LOOKS = {
    "input": (_input, "patient 1, raw pixels", _fault("raw pixels"), ("near 0", "far from 0")),
    "first loss": (_loss, "last layer x 10", _loud, ("near the gray bars", "far above them")),
    "logits": (_probabilities, "last layer x 10", _loud, ("undecided", "sure of a class")),
    "signal": (_signal, "patient 6, 12 layers", _fault("12 ReLU layers"), ("level", "a straight slope")),
    "gradient": (
        _gradient,
        "patient 7, sigmoids",
        _fault("6 sigmoids"),
        ("level behind one step", "a straight slope"),
    ),
    "units": (_activations, "patient 3, all equal", _fault("all equal"), ("all different", "stripes")),
    "first update": (_update, "patient 7, sigmoids", _fault("6 sigmoids"), ("much the same", "far apart")),
}


# Deeper: a rule with a threshold beside `diagnose`.


def rules(judged: Mapping[str, tuple[bool, Sequence[float], Sequence[bool]]], threshold: float) -> Figure:
    """Share of each kind of network that is judged wrongly, by the threshold and by `diagnose`.

    `judged[kind]` holds whether the kind is sound; for each network the factor by which the std of the signal
    or of the gradient strays from that of the end where it starts; and whether `diagnose` finds a fault.
    """
    fig, ax = plt.subplots(figsize=(6, 4.4))
    wrong = {"rule": [], "diagnose": []}
    for sound, strays, found in judged.values():
        wrong["rule"].append(np.mean((np.asarray(strays) > threshold) == sound))
        wrong["diagnose"].append(np.mean(np.asarray(found) == sound))
    places = np.arange(len(judged))
    for shift, (name, values) in zip((-0.2, 0.2), wrong.items(), strict=True):
        ax.barh(places + shift, values, 0.38, label=name, hatch="//" if name == "diagnose" else "")
    ax.set_yticks(places, [f"{kind} ({'sound' if judged[kind][0] else 'not'})" for kind in judged])
    ax.tick_params(axis="y", labelsize=9)
    ax.set(xlim=(0, 1), xlabel="judged wrongly", title=f"allowed: a factor of {threshold:g}")
    ax.invert_yaxis()
    ax.legend(loc="lower right", frameon=True)
    totals = [f"{name} {np.mean(values):.0%}" for name, values in wrong.items()]
    fig.set_label(
        f"A factor of {threshold:g} allowed: judged wrongly on average by the {', by '.join(totals)}."
    )
    return fig

"""The pictures of chapter 13, the first five minutes, and the twelve networks that it spoils and mends."""

import re
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
from netinit.optimizers import Momentum
from netinit.trace import trace

SMALLEST = 1e-6  # smaller sizes, and zeros, are drawn here
LARGEST = 1e4
COUNTED = "layer of weights, counted from 1"
RIGHT, WRONG = "#00664B", "#9B2F6B"  # the titles of sound and of spoiled
BAND = "#CC79A7"  # the layer that `diagnose` names
THEORY, MEASURED = "#0072B2", "#D55E00"
# where the panels of a live figure stand: placed once, as laying them out would take half of a frame's time
SCREEN = {"left": 0.15, "right": 0.97, "bottom": 0.4, "top": 0.9}
LOOK = {"left": 0.14, "right": 0.98, "bottom": 0.13, "top": 0.67, "wspace": 0.4}
PATIENT = {"left": 0.14, "right": 0.98, "bottom": 0.36, "top": 0.79, "wspace": 0.4}


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
    "dead layer": Fault("biases of -10 in the third layer", changed(4, lambda b: b - 10, "bias"), _unbias),
    "one layer x 100": Fault("third layer x 100", changed(4, lambda w: 100 * w), _again("he_normal", 4)),
    "one NaN": Fault(
        "one NaN in the third layer",
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


# The eight looks as numbers: which is the first that is wrong?


def overfit(model: Layer, x: np.ndarray, y: np.ndarray, lr: float = 0.03, steps: int = 60) -> list[float]:
    """The loss before each step of Momentum, always on this one batch."""
    optimizer, losses = Momentum(model.parameters(), lr), []
    for _ in range(steps):
        loss, gradient = softmax_cross_entropy(model(x), y)
        optimizer.zero_grad()
        model.backward(gradient)
        optimizer.step()
        losses.append(loss)
    return losses


def first_wrong(model: Layer, x: np.ndarray, y: np.ndarray, lr: float = 0.03) -> str:
    """The first look that is wrong by the table of the rule, for ten classes; "none" where all are right.

    The last look trains the model.
    """
    with np.errstate(all="ignore"):
        rows, parts = _with_weights(_told(model, x, y)), trace(model, x, y)
        steps, largest = update_ratios(model, x, y, lr), np.median(probabilities(model(x)).max(axis=1))
        checks = {
            "1 input": lambda: np.sqrt(np.mean(x**2)) <= 4,
            "2 first loss": lambda: parts.loss <= 7,
            "3 logits": lambda: largest <= 0.9,
            "4 signal": lambda: _spread([row.rms for row in rows]) < 16,
            "5 gradient": lambda: _spread([row.gradient_std for row in rows[:-1]]) < 16,
            "6 units": lambda: all(map(_units_right, parts)),
            "7 first update": lambda: steps.min() >= 1e-5 and steps.max() <= 1,
            "8 one batch": lambda: overfit(model, x[:40], y[:40], lr)[-1] <= 0.5,
        }
        return next((name for name, right in checks.items() if not right()), "none")


def _spread(sizes) -> float:
    """The largest size over the smallest; infinite where one is 0."""
    return np.max(sizes) / np.min(sizes)


def _units_right(row) -> bool:
    """Whether less than half of the units are dead or copies, and less than 40 % of the outputs saturated."""
    few = (row.dead or 0) < 0.5 and (row.saturated or 0) < 0.4
    return few and (row.distinct_units is None or row.distinct_units > row.units / 2)


def probabilities(logits: np.ndarray) -> np.ndarray:
    """The softmax of each row."""
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def update_ratios(model: Layer, x: np.ndarray, y: np.ndarray, lr: float) -> np.ndarray:
    """Size of the first step of plain gradient descent against the size of the weight, by layer."""
    traced = trace(model, x, y)
    known = np.isfinite(traced.column("weight_std"))
    return lr * traced.column("weight_gradient_std")[known] / traced.column("weight_std")[known]


# The first screen: the signal of each patient, and the diagnosis when it is asked for.


def patient_signal(patient: int, diagnosis: str = "hidden") -> Figure:
    """The size of the signal by layer, a sound network in gray; the fault and the remedy only when "shown".

    Patient 0 is sound; the others have the faults in the order of the gallery.
    """
    fault = ["none", *FAULTS][patient]
    told = _told_of(fault)
    rows = _with_weights(told)
    sizes = [row.rms for row in rows]
    fig, ax = plt.subplots(figsize=(5.4, 3.3), layout="none", gridspec_kw=SCREEN)
    _by_layer(ax, sizes, None, _span([sizes]))
    _sound_line(ax, sizes)
    ax.set(xlabel=COUNTED, ylabel="size (rms)")
    ends = f"rms {_size(sizes[0])} behind the first layer of weights, {_size(sizes[-1])} behind the last"
    if diagnosis == "hidden":
        fig.suptitle(f"patient {patient}", x=0.02, ha="left", fontsize=12)
        fig.text(0.02, 0.21, 'What is wrong? "shown" tells what diagnose finds.', va="top", color="0.4")
        fig.set_label(f"Patient {patient}: {ends} of {len(sizes)}.")
        return fig
    _mark(ax, [row.name for row in rows], told)
    words = _words(told)
    _name(fig, patient, fault, words)
    fig.set_label(f"Patient {patient}, {_what(fault)}: {ends}. diagnose: {' '.join(words.split())}")
    return fig


@cache
def _told_of(fault: str):
    return diagnose(*start_of(fault))


def _told(model, x, y):
    return diagnose(model, x, y)


def _with_weights(told) -> list:
    """The rows of the trace that have weights."""
    return [row for row in told.trace if row.weight_std is not None]


def _what(fault: str) -> str:
    return "a sound network" if fault == "none" else FAULTS[fault].what


def _name(fig: Figure, patient: int, fault: str, words: str) -> None:
    """Who it is and what was done, over the panels, and what `diagnose` says, under them."""
    fig.suptitle(f"patient {patient}: {_what(fault)}", x=0.02, ha="left", fontsize=12)
    fig.text(0.02, 0.21, words, va="top", linespacing=1.2)


@cache
def _sound(layers: int) -> list[float]:
    """The size of the signal in He's ReLU network with so many layers of weights; with 6 it is patient 0."""
    model = deep(layers - 1, "relu", "he_normal")(np.random.default_rng(0))
    _, x, y = start_of("none")
    return [row.rms for row in _with_weights(diagnose(model, x, y))]


def _sound_line(ax: Axes, measured: Sequence[float]) -> None:
    """The signal of a sound network with as many layers, broad and gray; its name on the free side."""
    layers = len(measured)
    sound = _sound(layers)
    ax.plot(range(1, layers + 1), sound, "-", color="0.75", linewidth=5, zorder=0)
    middle = layers // 2
    lift = -15 if measured[middle] > 1.05 * sound[middle] else 5
    place = {"xytext": (0, lift), "textcoords": "offset points", "ha": "center"}
    ax.annotate("sound", (middle + 0.5, sound[middle]), color="0.4", fontsize=11, **place)


def _span(columns: Sequence[Sequence]) -> tuple[float, float]:
    """Decades that hold all sizes and a thousandth to ten; the widest where a size is 0 or NaN."""
    sizes = np.array([size for column in columns for size in column], float)
    if not np.isfinite(sizes).all() or sizes.min() < SMALLEST:
        return SMALLEST / 2, LARGEST * 2
    low, high = np.floor(np.log10(sizes.min())), np.ceil(np.log10(sizes.max()))
    return 10 ** min(low, -3), min(10 ** max(high, 1), LARGEST * 2)


def _decades(span: tuple[float, float]) -> list[float]:
    """Ticks: every third power of ten, or each where there are few."""
    ticks = [SMALLEST, 1e-3, 1, 1e3] if span[0] < 1e-4 else 10.0 ** np.arange(-4, 5)
    return [tick for tick in ticks if span[0] <= tick <= span[1]]


def _mark(ax: Axes, paths: Sequence[str], told) -> None:
    """A band at the layer that `diagnose` names, with its place in the model."""
    found = told.findings[0].layer if told.findings else None
    if found in paths:
        place = paths.index(found) + 1
        ax.axvline(place, color=BAND, linewidth=7, alpha=0.35, zorder=-1)
        right = place < len(paths) / 2 + 1
        shift = {"xytext": (6 if right else -6, 4), "textcoords": "offset points"}
        ends = ("left" if right else "right", "bottom")
        at = {"xy": (place, 0.12), "xycoords": ax.get_xaxis_transform()}
        ax.annotate(_place(found), color=WRONG, ha=ends[0], va=ends[1], fontsize=11, **at, **shift)


def _by_layer(ax: Axes, measured: Sequence, predicted: Sequence | None, span: tuple[float, float]) -> None:
    """Dots over the line of the theory, on a logarithmic axis; zeros lie on its edge, NaN is left out."""
    layers = np.arange(1, len(measured) + 1)
    drawn = [(measured, {"marker": "o", "linestyle": "", "color": MEASURED})]
    if predicted is not None:
        drawn.insert(0, (predicted, {"marker": "", "color": THEORY}))
    for values, style in drawn:
        values = np.array([np.nan if value is None else value for value in values])
        ax.plot(layers, np.clip(values, SMALLEST, LARGEST), markersize=5, **style)
    ax.axhline(1, color="#999999", linewidth=1, linestyle=":")
    ax.set(yscale="log", ylim=span, yticks=_decades(span))
    ax.minorticks_off()
    _count(ax, len(layers))
    sizes = np.array(measured, float)
    if (sizes == 0).any():
        _say(ax, "at the edge: 0")
    if not np.isfinite(sizes).all():
        _say(ax, "from here on NaN", (np.argmin(np.isfinite(sizes)) + 1, 0.05))


def _say(ax: Axes, words: str, place: tuple[float, float] | None = None) -> None:
    """Words at a place of the data, or in the upper right corner."""
    if place is None:
        ax.text(0.98, 0.97, words, transform=ax.transAxes, ha="right", va="top", color="0.3", fontsize=11)
    else:
        ax.text(*place, words, ha="left", color=WRONG, fontsize=11)


def _count(ax: Axes, layers: int) -> None:
    """Ticks that count the layers of weights from 1: each, every third or every seventh."""
    ax.set_xticks(range(1, layers + 1, 1 if layers < 8 else 3 if layers < 14 else 7))


def _words(told) -> str:
    """The first finding and its remedy, layers written as they are reached in Python."""
    if told.healthy:
        return "diagnose: healthy"
    found = told.findings[0]
    lines = [f"diagnose: {found.fault}, {_place(found.layer)}", f"Remedy: {found.remedy}"]
    lines[1] = re.sub(r"\b(layer|from) (\d+)", lambda m: f"{m[1]} model[{m[2]}]", lines[1])
    lines[1] = lines[1].replace("layer model", "model")
    return "\n".join(textwrap.fill(line, 56, subsequent_indent="   ") for line in lines)


def _place(path: str) -> str:
    """How a part is reached: model[1].branch[3] for 1.branch.3."""
    return re.sub(r"\.?\b(\d+)", r"[\1]", f"model.{path}") if path[0].isdigit() else path


def _size(value) -> str:
    return "unknown" if value is None else f"{float(f'{value:.2g}'):g}"


# The eight looks: what is right and what is wrong.


def eight_looks(look: str, *, one_batch: Mapping[str, Sequence[float]]) -> Figure:
    """One look at patient 0 (left) and at an unsound start (right); over them, what to look for.

    `one_batch` holds the last look: the loss of each step on a single batch, of patient 0 and of another.
    """
    this = LOOKS[look]
    if this.draw is None:
        _, who = one_batch
        draws = [partial(_curve, losses=losses) for losses in one_batch.values()]
    else:
        who, draws = this.who, [partial(_of, this.draw, start) for start in (_fault("none"), this.wrong)]
    fig, axes = plt.subplots(1, 2, figsize=(5.6, 4.1), layout="none", gridspec_kw=LOOK)
    fig.text(0.02, 0.98, this.question, va="top", linespacing=1.25)
    words = [draw(ax) for ax, draw in zip(axes, draws, strict=True)]
    sides = [("right: patient 0", RIGHT), (f"wrong: {who}", WRONG)]
    for ax, (side, color), sign, text in zip(axes, sides, this.signs, words, strict=True):
        ax.set_title(f"{side}\n{sign}\n{text}", fontsize=11, color=color)
    axes[1].set_ylabel("")
    if this.draw in (_signal, _gradient):
        for height, key, color in ((0.15, "line: theory", THEORY), (0.05, "dots: measured", MEASURED)):
            axes[0].text(0.05, height, key, transform=axes[0].transAxes, color=color, fontsize=11)
    fig.set_label(
        f"{' '.join(this.question.split())} Right, patient 0: {this.signs[0]}, {words[0]}; "
        f"wrong, {who}: {this.signs[1]}, {words[1]}."
    )
    return fig


def _of(draw, start, ax):
    """Draw the network that `start` makes."""
    return draw(ax, *start())


def _curve(ax, losses):
    ax.plot(np.maximum(losses, 1e-4), color=MEASURED)
    ax.set(xlabel="step", ylabel="loss", yscale="log", ylim=(1e-4, 10))
    ax.minorticks_off()
    return f"{losses[0]:.1f} to {losses[-1]:.1f}"


def _input(ax, _, x, __):
    ax.hist(x.ravel(), bins=40, color=MEASURED)
    ax.set(xlabel="entries of x", ylabel="how many", yticks=[])
    return f"mean {abs(x.mean()):.0f}, rms {np.sqrt(np.mean(np.square(x))):.0f}"


def _loss(ax, model, x, y):
    loss, _ = softmax_cross_entropy(model(x), y)
    bars = ["ln 10", "ln 10\n+ 1", "loss"]
    ax.bar(bars, [np.log(10), np.log(10) + 1, loss], color=[THEORY, THEORY, MEASURED])
    ax.set(ylim=(0, 24), ylabel="loss")
    return f"loss {loss:.1f}"


def _probabilities(ax, model, x, _):
    p = probabilities(model(x[:12]))
    ax.imshow(p, vmin=0, vmax=1, aspect="auto", cmap="cividis")
    ax.set(xlabel="class", ylabel="digit", xticks=range(0, 10, 3), yticks=[])
    ax.grid(False)
    return f"largest p {np.median(p.max(axis=1)):.2f}"


def _signal(ax, model, x, y):
    ax.set_ylabel("size (rms)")
    return _column(ax, model, x, y, "rms", "predicted_rms")


def _gradient(ax, model, x, y):
    ax.set_ylabel("size (std)")
    return _column(ax, model, x, y, "gradient_std", "predicted_gradient_std")


def _column(ax, model, x, y, measured, predicted):
    rows = _with_weights(diagnose(model, x, y))
    values = [getattr(row, measured) for row in rows]
    theory = [getattr(row, predicted) for row in rows]
    _by_layer(ax, values, theory, span=(1e-5, 10))
    ax.set(xlabel="layer of weights")
    return f"{_size(values[0])} to {_size(values[-1])}"


def _activations(ax, model, x, _):
    rows = trace(model, x, keep=True)
    ax.imshow(rows[5].output[:40], aspect="auto", cmap="cividis", interpolation="nearest")
    ax.set(xlabel="unit", ylabel="digit", xticks=[], yticks=[])
    ax.grid(False)
    return f"different units: {rows[5].distinct_units}"


def _update(ax, model, x, y, lr=0.03):
    ratios = update_ratios(model, x, y, lr)
    ax.plot(np.arange(1, len(ratios) + 1), np.maximum(ratios, 1e-8), "o", color=MEASURED)
    ax.set(xlabel="layer of weights", yscale="log", ylim=(1e-8, 1))
    _count(ax, len(ratios))
    ax.minorticks_off()
    ax.set_ylabel("update / weight")
    return f"{_size(ratios[0])} to {_size(ratios[-1])}"


def _loud():
    model, x, y = start_of("none")
    model[10].weight.value *= 10
    return model, x, y


def _fault(name):
    return partial(start_of, name)


class Look(NamedTuple):
    """What to look for; how to draw it; who is wrong, and how to make that network; the signs of both."""

    question: str
    draw: Callable | None
    who: str
    wrong: Callable | None
    signs: tuple[str, str]


LOOKS = {
    "1 input": Look(
        "The numbers that enter the first layer.\nRight: their mean is near 0 and their rms near 1.",
        _input,
        "patient 1",
        _fault("raw pixels"),
        ("near 0", "far from 0"),
    ),
    "2 first loss": Look(
        "The loss before any training.\nRight: from ln 10 to ln 10 + 1, as He's rule predicts.",
        _loss,
        "last layer x 10",
        _loud,
        ("near the blue bars", "far above them"),
    ),
    "3 logits": Look(
        "The logits as probabilities p (yellow: near 1).\nRight: hardly a digit has a class with p near 1.",
        _probabilities,
        "last layer x 10",
        _loud,
        ("undecided", "sure of a class"),
    ),
    "4 signal": Look(
        "The size of what each layer puts out.\nRight: level. A straight slope is a factor per layer.",
        _signal,
        "patient 6",
        _fault("12 ReLU layers"),
        ("level", "a straight slope"),
    ),
    "5 gradient": Look(
        "A gradient of size 1 enters at the last layer and runs\n"
        "back: read from the right. Right: level after one step.",
        _gradient,
        "patient 7",
        _fault("6 sigmoids"),
        ("level after one step", "a straight slope"),
    ),
    "6 units": Look(
        "What the units of one layer put out (yellow: much).\n"
        "Right: no two columns are alike. Stripes: all are.",
        _activations,
        "patient 3",
        _fault("all equal"),
        ("all different", "stripes"),
    ),
    "7 first update": Look(
        "Learning rate times gradient, over the weight.\nRight: much the same in all layers.",
        _update,
        "patient 7",
        _fault("6 sigmoids"),
        ("much the same", "far apart"),
    ),
    "8 one batch": Look(
        "The loss in a training on forty digits alone.\nRight: it goes to 0.",
        None,
        "",
        None,
        ("learned", "not learned"),
    ),
}


# The gallery: each patient as found and as mended, in the picture that shows its fault.


def found_and_mended(patient: int) -> Figure:
    """Where the fault shows, as found and after the remedy; under it the words of `diagnose`."""
    fault = list(FAULTS)[patient - 1]
    told, draw = _told_of(fault), VIEWS[fault]
    _, x, y = start_of("none")
    networks = [start_of(fault), (FAULTS[fault].cured(np.random.default_rng(0)), x, y)]
    fig, axes = plt.subplots(1, 2, figsize=(5.4, 4.1), layout="none", gridspec_kw=PATIENT)
    texts = [draw(ax, *network) for ax, network in zip(axes, networks, strict=True)]
    for ax, side, text, color in zip(axes, ("found", "mended"), texts, (WRONG, RIGHT), strict=True):
        ax.set_title(f"{side}\n{text}", fontsize=11, color=color)
    axes[1].set_ylabel("")
    if axes[0].get_yscale() == "log":
        shown = np.concatenate([ax.lines[0].get_ydata() for ax in axes])
        span = _span([shown[np.isfinite(shown)]])
        for ax in axes:
            ax.set(ylim=span, yticks=_decades(span))
    elif axes[0].images:
        fig.text(0.56, 0.25, "dark: low, yellow: high", ha="center", color="0.4", fontsize=11)
    words = _words(told)
    _name(fig, patient, fault, words)
    seen = f"found, {texts[0]}; mended, {texts[1]}"
    fig.set_label(f"Patient {patient}, {_what(fault)}: {seen}. {' '.join(words.split())}")
    return fig


def _sizes(ax, model, x, y, column="rms"):
    """The size of the signal, or of the gradient, by layer of weights."""
    rows = _with_weights(diagnose(model, x, y))
    sizes = [getattr(row, column) for row in rows]
    what = "signal (rms)" if column == "rms" else "gradient (std)"
    return _level(ax, sizes, what, "layer of weights")


def _sums(ax, model, x, _):
    """The size of the sum behind each residual block."""
    sizes = []
    x = model[0](x)
    for block in model[1:-2]:
        x = block(x)
        sizes.append(np.sqrt(np.mean(x**2)))
    return _level(ax, sizes, "sum (rms)", "block")


def _level(ax, sizes, what, place):
    sizes = np.array(sizes, float)
    dots = {"color": MEASURED, "markersize": 5, "clip_on": False}
    ax.plot(np.arange(1, len(sizes) + 1), np.maximum(sizes, SMALLEST), "o", **dots)
    ax.set(xlabel=place, ylabel=what, yscale="log", xlim=(0.5, len(sizes) + 0.5))
    ax.minorticks_off()
    _count(ax, len(sizes))
    known = sizes[np.isfinite(sizes)]
    if len(known) < len(sizes):
        _say(ax, "then NaN", (len(known) + 0.7, 0.1))
        return f"{len(known)} of {len(sizes)} layers finite"
    return f"{_size(sizes[0])} to {_size(sizes[-1])}"


def _image_of(at, say, place="unit"):
    """A picture of what the units of one part put out, and what is said of them."""

    def draw(ax, model, x, _):
        row = trace(model, x, keep=True)[min(at, len(model) - 1)]
        low = -1 if row.kind == "tanh" else -3 if at > 9 else 0
        ax.imshow(
            row.output[:40], vmin=low, vmax=-low or 3, aspect="auto", cmap="cividis", interpolation="nearest"
        )
        ax.set(xlabel=place, ylabel="digit", xticks=[], yticks=[])
        ax.grid(False)
        return say(row)

    return draw


def _different(row):
    return f"different units: {row.distinct_units}"


# The picture in which each fault shows; the brightness of an output is its value.
VIEWS = {
    "raw pixels": _input,
    "all zeros": _image_of(1, _different, "unit of the first layer"),
    "all equal": _image_of(1, _different, "unit of the first layer"),
    "std 0.01": _sizes,
    "std 1": _image_of(1, lambda row: f"saturated: {row.saturated:.0%}", "unit of the first layer"),
    "12 ReLU layers": _sizes,
    "6 sigmoids": partial(_sizes, column="gradient_std"),
    "10 blocks": _sums,
    "dead layer": _image_of(5, lambda row: f"dead units: {row.dead:.0%}", "unit of the third layer"),
    "one layer x 100": _sizes,
    "one NaN": _sizes,
    "ReLU at the end": _image_of(11, lambda row: f"logits below 0: {np.mean(row.output < 0):.0%}", "logit"),
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

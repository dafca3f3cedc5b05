"""The pictures of chapter 4, random initialization."""

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from netinit.figures._shared import PHONE, PLACE
from netinit.plots import training_frame

COLORS = {"tanh": "C0", "relu": "C1", "sigmoid": "C2"}  # an activation keeps its color on the page


def tanh_layers(weight_std: float) -> Figure:
    """Histograms of five layers of 100 tanh units, fed with a thousand normal inputs; beside each its rms."""
    outputs, edges = _tanh_outputs(weight_std), np.linspace(-1, 1, 62)  # 0 in the middle of a bin
    sizes = [f"{np.sqrt(np.mean(h**2)):.2g}" for h in outputs]
    fig, ax = plt.subplots(figsize=PHONE, layout="none", gridspec_kw=PLACE | {"left": 0.11, "right": 0.79})
    for layer, (h, size) in enumerate(zip(outputs, sizes, strict=True), start=1):
        counts, _ = np.histogram(h, edges)
        counts[counts < 0.01 * counts.max()] = 0  # less than a pixel, and would be drawn as one
        heights = 0.85 * counts / counts.max() - layer  # each strip up to its own highest bin
        ax.stairs(heights, edges, baseline=-layer, fill=True, color="C0", linewidth=0)
        ax.text(1.06, 0.25 - layer, size)
    ax.set(xlim=(-1, 1), ylim=(-5.05, 0), xlabel="output of a unit", ylabel="layer")
    ax.set_xticks([-1, -0.5, 0, 0.5, 1])
    ax.set_yticks(-np.arange(1, 6), range(1, 6))
    ax.text(1.06, 0.1, "size (rms)")
    fig.set_label(
        f"Histograms of the outputs of five tanh layers, weight std {weight_std:g}: "
        f"the outputs of layers 1 to 5 have rms {', '.join(sizes)}."
    )
    return fig


def _tanh_outputs(weight_std: float) -> list[np.ndarray]:
    rng = np.random.default_rng(4)
    h, outputs = rng.standard_normal((1000, 100)), []
    for _ in range(5):
        h = np.tanh(h @ (weight_std * rng.standard_normal((100, 100))))
        outputs.append(h)
    return outputs


def stripes(weight_std: float, *, activations: Callable) -> Figure:
    """Outputs of 40 units (columns) for 40 inputs (rows) in layers 1, 2 and 5, with the share that answers.

    `activations(weight_std)` returns the outputs (inputs, units) of five layers. The share is the part of
    their variance that differs between inputs.
    """
    outputs = activations(weight_std)
    fig, axes = plt.subplots(1, 3, figsize=(6, 2.7), sharey=True)
    words = []
    for ax, layer in zip(axes, (1, 2, 5), strict=True):
        h = outputs[layer - 1]
        answer = h.var(axis=0).mean() / h.var()
        share = f"{answer:.0%}" if answer > 0.005 else "under 1%"
        ax.imshow((h[:40, :40] - h.mean()) / h.std(), "cividis", vmin=-2, vmax=2)
        ax.set(title=f"layer {layer}: {share}", xlabel="unit", xticks=[], yticks=[])
        ax.grid(False)
        words.append(f"{share} in layer {layer}")
    axes[0].set_ylabel("input")
    striped = (
        " Layer 5 is vertical stripes: each unit repeats itself for every input." if answer < 0.1 else ""
    )
    fig.set_label(
        f"Weight std {weight_std:g}. Share of the variance of the outputs that answers the input: "
        f"{', '.join(words)}.{striped}"
    )
    return fig


def gradient_by_layer(weight_std: float, activation: str, *, measured: Callable, theory: Callable) -> Figure:
    """The gradient of each layer over that of the last: measured as dots, by the theory as a line.

    `measured(weight_std, activation)` and `theory(weight_std, activation)` return one number for each layer.
    A triangle stands where the theory leaves the frame, beyond 1e-6 and 1e6.
    """
    dots, line = (g / g[-1] for g in (gradient(weight_std, activation) for gradient in (measured, theory)))
    layers = np.arange(1, len(dots) + 1)
    color = COLORS[activation]
    fig, ax = plt.subplots(layout="none", gridspec_kw=PLACE | {"left": 0.16, "top": 0.88})
    ax.axhline(1, color="#777777", linewidth=1, linestyle=":")
    ax.plot(layers, line, "-", color=color, label="theory")
    ax.plot(layers, dots, "o", color=color, markersize=7, markeredgecolor="white", label="measured")
    if abs(np.log10(line[0])) > 6:
        leaves = np.interp(-6, -abs(np.log10(line)), layers)
        edge, marker = (1e6, "^") if line[0] > 1 else (1e-6, "v")
        ax.plot(leaves, edge, marker, color=color, markersize=11, clip_on=False)
    ax.set(ylim=(1e-6, 1e6), yscale="log", ylabel="gradient, last layer = 1", xticks=[1, 5, 10, 15, 20])
    ax.set_yticks(10.0 ** np.arange(-6, 7, 3), ["1e-6", "0.001", "1", "1000", "1e6"])
    ax.minorticks_off()  # there are hundreds of them, and they carry no numbers
    ax.set_xlabel("layer   (the gradient goes this way $\\leftarrow$)")
    per_layer, arrives = dots[0] ** (1 / (len(layers) - 1)), _short(dots[0])
    ax.set_title(f"factor {per_layer:.2f} per layer, {arrives} from layer {len(layers)} to 1", pad=9)
    ax.legend(loc="upper right")
    fig.set_label(
        f"{activation}, weight std {weight_std:g}, {len(layers)} layers of 100: the gradient at layer 1 "
        f"is {arrives} of that at layer {len(layers)}; theory says {_short(line[0])}."
    )
    return fig


def _short(number: float) -> str:
    """One digit of a number, as in 0.3 and 2e-6."""
    return f"{number:.1g}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")


def training(epoch: int, *, runs: Mapping[str, Sequence]) -> Figure:
    """`training_frame` of starts that are told apart by color: with 90 % and the last layer marked."""
    colors = plt.rcParams["axes.prop_cycle"][len(COLORS) :]  # the first ones are activations
    with plt.rc_context({"axes.prop_cycle": colors}):
        fig = training_frame(runs, epoch, std="rms of the outputs")
    _loss, accuracy, sizes = fig.axes
    mark, words = {"color": "#777777", "linewidth": 1, "linestyle": ":"}, {"color": "#555555", "fontsize": 11}
    accuracy.axhline(0.9, **mark)
    accuracy.text(0.1, 0.91, "90 %", **words)
    last = sizes.lines[0].get_xdata()[-1]
    sizes.axvline(last, **mark)
    sizes.set_title("last hidden layer", loc="right", **words)
    return fig


def ranks(weight_std: float, activation: str, *, effective_ranks: Callable, stds: Sequence[float]) -> Figure:
    """Effective rank by layer for one weight std, the others in gray; `effective_ranks(std, activation)`."""
    fig, ax = plt.subplots(layout="none", gridspec_kw=PLACE)
    layers = range(1, 6)
    for std in stds:
        ax.plot(layers, effective_ranks(std, activation), "-", color="#bbbbbb", linewidth=1.5)
    found = effective_ranks(weight_std, activation)
    ax.plot(layers, found, "-o", color="C1")
    ax.set(xlabel="layer", ylabel="effective rank", ylim=(0, 105), xticks=layers)
    ax.set_title(f"{activation}, weight std {weight_std:g}: {found[0]:.0f} to {found[-1]:.0f} of 100")
    fig.set_label(
        f"{activation}, weight std {weight_std:g}: effective rank by layer "
        f"{', '.join(f'{rank:.0f}' for rank in found)}, of 100 units."
    )
    return fig

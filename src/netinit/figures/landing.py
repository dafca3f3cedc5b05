"""The picture of the landing page, and the one that stands for the book elsewhere."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from netinit.data import load_digits

SHOWN = (0, 1, 5, 10, 20, 30, 40, 50)  # the layers with a column of their own, 0 for the input


def crossing(weight_scale: float) -> Figure:
    """Three digits cross fifty tanh layers of width 64 with weights of std weight_scale / sqrt(64)."""
    outputs = _outputs(weight_scale)
    fig, axes = plt.subplots(3, len(SHOWN), figsize=(6.4, 2.9))
    for (row, column), ax in np.ndenumerate(axes):
        image = outputs[SHOWN[column]][row].reshape(8, 8)
        ax.imshow(image, cmap="gray", vmin=-1, vmax=1.06)  # 0 in mid-shade
        ax.set(xticks=[], yticks=[])
    for layer, ax in zip(SHOWN, axes[0], strict=True):
        ax.set_title(layer or "input", fontsize=9)
    size = np.sqrt(np.mean(outputs[-1] ** 2))
    weights = f"Weights of {weight_scale:g} times 1/sqrt(n)"
    fig.set_label(f"{weights}: behind layer {SHOWN[-1]} the signal has the size {size:.1g}.")
    return fig


def three_starts() -> Figure:
    """A 0 crosses the same fifty layers from three starts: 1200 x 630 pixels, for a card with the title."""
    starts = {"too small": 0.5, "right": 1.0, "too large": 4.0}
    fig, axes = plt.subplots(3, len(SHOWN), figsize=(12, 6.3), dpi=100, layout="none")
    fig.subplots_adjust(left=0.16, right=0.97, top=0.69, bottom=0.05, wspace=0.08, hspace=0.1)
    for row, (name, weight_scale) in zip(axes, starts.items(), strict=True):
        outputs = _outputs(weight_scale)
        row[0].set_ylabel(name, fontsize=22, rotation=0, ha="right", va="center", labelpad=14)
        for ax, layer in zip(row, SHOWN, strict=True):
            ax.imshow(outputs[layer][0].reshape(8, 8), cmap="gray", vmin=-1, vmax=1.06)
            ax.set(xticks=[], yticks=[])
    for layer, ax in zip(SHOWN, axes[0], strict=True):
        ax.set_title(layer or "input", fontsize=18, loc="center")
    fig.text(0.03, 0.885, "Starting Right", fontsize=44, weight="bold")
    fig.text(0.03, 0.805, "How to choose the first weights of a neural network", fontsize=24)
    fig.set_label("An image behind layers 1 to 50 of a network, for weights too small, right and too large.")
    return fig


def _outputs(weight_scale: float) -> list[np.ndarray]:
    """The first 0, 1 and 7 of the digits, and what each layer makes of them; arrays (3, 64)."""
    data, rng = load_digits(), np.random.default_rng(0)
    outputs = [np.array([data.x_train[data.y_train == digit][0] for digit in (0, 1, 7)])]
    for _ in range(SHOWN[-1]):
        weights = rng.standard_normal((64, 64)) * weight_scale / np.sqrt(64)
        outputs.append(np.tanh(outputs[-1] @ weights))
    return outputs

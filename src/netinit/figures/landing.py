"""The picture of the landing page."""

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


def _outputs(weight_scale: float) -> list[np.ndarray]:
    """The first 0, 1 and 7 of the digits, and what each layer makes of them; arrays (3, 64)."""
    data, rng = load_digits(), np.random.default_rng(0)
    outputs = [np.array([data.x_train[data.y_train == digit][0] for digit in (0, 1, 7)])]
    for _ in range(SHOWN[-1]):
        weights = rng.standard_normal((64, 64)) * weight_scale / np.sqrt(64)
        outputs.append(np.tanh(outputs[-1] @ weights))
    return outputs

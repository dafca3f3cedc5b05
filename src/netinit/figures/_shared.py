"""What the pictures of several chapters share."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from netinit.data import TRAIN, load_digits

# Where the axes of an interactive picture stand: placed once, as laying them out would take half of the time
# of a frame.
PLACE = {"left": 0.12, "right": 0.98, "bottom": 0.16, "top": 0.91}
PHONE = (4.6, 3.6)  # inches, for a first screen: at 360 pixels the letters of 12 pt are still 12 pixels high


def by_layer(ax: Axes, layers: Sequence[int], theory: Sequence[float], measured: Sequence[float]) -> None:
    """A quantity of each layer on a logarithmic axis: the theory as a line, what was measured as dots."""
    ax.plot(layers, theory, "--", color="#444444", label="theory")
    ax.plot(layers, measured, "o", color="C1", markersize=5, label="measured")
    ax.set(yscale="log", xlabel="layer")
    ax.minorticks_off()  # there are hundreds of them, and they carry no numbers


def ink(images: np.ndarray) -> np.ndarray:
    """Standardized digits as pixels from 0 to 16 again; images (n, 64)."""
    seen = []

    def look(raw):
        seen.append(raw.reshape(len(raw), 64)[:TRAIN])
        return raw

    load_digits(look)
    (raw,) = seen
    mean = raw.mean(axis=0)
    return images * (raw - mean).std() + mean

"""The best learning rate of Adam by width, with one rate for all layers and with the rates of muP.

`python -m benchmarks.mup_widths --record src/netinit/records/mup-widths.json` runs it, some minutes on
one core, and writes the record that the chapter on modern recipes shows.
"""

import numpy as np

from benchmarks import recorded_sweep
from netinit import Adam, Linear, compare, he_normal, initialize, load_digits, mlp

BASE = 64
GRID = {
    "width": [64, 128, 256, 512, 1024, 2048],
    "scheme": ["standard", "muP"],
    "lr": [0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064],
}
SETTINGS = {"epochs": 2, "batch_size": 64}


def network(width, scheme):
    """A function from a Generator to a fresh ReLU network; at BASE both schemes are the same network."""

    def build(rng):
        model = initialize(mlp([64, width, width, 10]), he_normal, rng)
        _, hidden, last = (layer for layer in model if isinstance(layer, Linear))
        if scheme == "muP":
            hidden.weight.lr_scale = last.weight.lr_scale = BASE / width
            last.weight.value *= np.float32((BASE / width) ** 0.5)
        return model

    return build


def run(width, scheme, lr):
    """The training losses of five seeds after the last epoch, sorted; a diverged one counts as 100."""
    runs = compare(
        {"": network(width, scheme)},
        load_digits(),
        seeds=range(5),
        optimizer=lambda p: Adam(p, lr),
        **SETTINGS,
    )[""]
    losses = np.nan_to_num([r.history.train_loss[-1] for r in runs], nan=100, posinf=100)
    return {"loss": sorted(round(min(float(loss), 100.0), 4) for loss in losses)}


if __name__ == "__main__":
    recorded_sweep.main(run, GRID, SETTINGS, name="mup-widths", description=__doc__.splitlines()[0])

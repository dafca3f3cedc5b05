"""Initializers at 4096 x 4096, float32, new arrays each time: netinit beside PyTorch, JAX and Keras."""

import importlib.util

import numpy as np
import torch

from benchmarks.timing import at_most, race
from netinit import INITIALIZERS

SHAPE = (4096, 4096)
BOUND = {"uniform": 1.0, "truncated_normal": 1.0}  # of PyTorch's time
TORCH = {
    "uniform": lambda t: torch.nn.init.uniform_(t, -0.05, 0.05),
    "normal": lambda t: torch.nn.init.normal_(t, 0, 0.01),
    "truncated_normal": lambda t: torch.nn.init.trunc_normal_(t, 0, 0.01, -0.02, 0.02),
    "xavier_uniform": torch.nn.init.xavier_uniform_,
    "he_normal": torch.nn.init.kaiming_normal_,
}
JAX = {  # the factories of jax.nn.initializers
    "uniform": lambda init: init.uniform(0.1),
    "normal": lambda init: init.normal(0.01),
    "truncated_normal": lambda init: init.truncated_normal(0.01),
    "xavier_uniform": lambda init: init.glorot_uniform(),
    "he_normal": lambda init: init.he_normal(),
}
KERAS = {
    "uniform": lambda init: init.RandomUniform(-0.05, 0.05, seed=0),
    "normal": lambda init: init.RandomNormal(0, 0.01, seed=0),
    "truncated_normal": lambda init: init.TruncatedNormal(0, 0.01, seed=0),
    "xavier_uniform": lambda init: init.GlorotUniform(seed=0),
    "he_normal": lambda init: init.HeNormal(seed=0),
}


def contestants(name):
    rng = np.random.default_rng(0)
    calls = {
        "netinit": lambda: INITIALIZERS[name](SHAPE, rng),
        "torch": lambda: TORCH[name](torch.empty(SHAPE)),
    }
    if importlib.util.find_spec("jax"):
        import jax

        draw, key = JAX[name](jax.nn.initializers), jax.random.key(0)
        calls["jax"] = lambda: draw(key, SHAPE).block_until_ready()
    if importlib.util.find_spec("keras"):
        import keras

        keras_draw = KERAS[name](keras.initializers)
        calls["keras"] = lambda: np.asarray(keras_draw(SHAPE))
    return calls


def main():
    """Print the table; JAX and Keras take part where they are installed."""
    print(f"Initializers, {SHAPE[0]} x {SHAPE[1]} float32, milliseconds (orthogonal: 1024 x 1024)")
    for name in TORCH:
        seconds = race(contestants(name), rounds=5)
        row = "  ".join(f"{who} {1e3 * s:6.0f}" for who, s in seconds.items())
        ratio = seconds["netinit"] / seconds["torch"]
        wanted = at_most(ratio, BOUND[name]) if name in BOUND else ""
        print(f"  {name:<17} {row}  netinit/torch {ratio:.2f} {wanted}")
    rng, shape = np.random.default_rng(0), (1024, 1024)
    calls = {
        "netinit": lambda: INITIALIZERS["orthogonal"](shape, rng),
        "torch": lambda: torch.nn.init.orthogonal_(torch.empty(shape)),
    }
    seconds = race(calls, rounds=5)
    print("  orthogonal        " + "  ".join(f"{who} {1e3 * s:6.0f}" for who, s in seconds.items()))

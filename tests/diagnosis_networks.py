"""Networks that the tests of the diagnosis share, and how to spoil and mend them."""

import re
from functools import partial

import numpy as np
import pytest

from netinit.builders import convnet, mlp, residual_mlp
from netinit.data import load_digits
from netinit.fixup import fixup
from netinit.initialize import initialize
from netinit.initializers import he_normal, uniform, variance_scaling
from netinit.layers import Activation, Conv2d, Flatten, LayerNorm, Linear, ScalarScale
from netinit.models import Residual, Sequential
from netinit.theory import gain

CLASSES = 10


def batch(seed=0, n=64, n_in=64):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, n_in), dtype=np.float32), rng.integers(0, CLASSES, n)


X, Y = batch()
DIGITS = load_digits()
IMAGES = X.reshape(64, 8, 8, 1)


def network(initializer="he_normal", activation="relu", hidden=5, width=100, **options):
    model = mlp([64, *[width] * hidden, CLASSES], activation, **options)
    return initialize(model, initializer, np.random.default_rng(1))


def changed(layer, change, parameter="weight"):
    """A healthy ReLU network in which one layer's parameter was spoiled in place."""
    model = network()
    change(getattr(model[layer], parameter).value)
    return model


def wrong_he_uniform(shape, rng, dtype=np.float32):
    bound = np.sqrt(6) / (2 * np.sqrt(shape[0] + shape[1]))
    return uniform(shape, rng, low=-bound, high=bound, dtype=dtype)


def he_residual(blocks):
    return initialize(residual_mlp(64, 64, blocks, CLASSES), "he_normal", np.random.default_rng(1))


# The planted faults in many variants. A row: model, layer, fault, words of the remedy.
SUITED = {
    "tanh": "xavier_normal",
    "sigmoid": "xavier_normal",
    "selu": "lecun_normal",
    "relu": "he_normal",
    "leaky_relu": "he_normal(slope=0.01)",
    "gelu": "variance_scaling, scale=gain('gelu')**2",
    "elu": "variance_scaling, scale=gain('elu')**2",
}


def initializer(words):
    """What the words of a remedy stand for."""
    if slope := re.fullmatch(r"he_normal\(slope=(.+)\)", words):
        return partial(he_normal, slope=float(slope[1]))
    if activation := re.fullmatch(r"variance_scaling, scale=gain\('(\w+)'\)\*\*2", words):
        return partial(variance_scaling, scale=gain(activation[1]) ** 2)
    return words


def plain(activation, hidden, width=64, start=None, n_in=64, **options):
    model = mlp([n_in, *[width] * hidden, CLASSES], activation, **options)
    return initialize(model, start or initializer(SUITED[activation]), np.random.default_rng(hidden + width))


def images(activation="relu", start=None, channels=(8, 16), norm=None):
    model = convnet(channels, CLASSES, activation=activation, norm=norm)
    return initialize(model, start or initializer(SUITED[activation]), np.random.default_rng(3))


def deep_images(depth, start):
    layers = [part for c in [1, *[8] * (depth - 1)] for part in (Conv2d(c, 8), Activation("relu"))]
    return initialize(Sequential(*layers, Flatten(), Linear(512, CLASSES)), start, np.random.default_rng(3))


def stack(block, count, end=(), start="he_normal"):
    """Linear, `count` blocks, the layers of `end`, Linear."""
    layers = [Linear(64, 64), *[part for _ in range(count) for part in block()], *end, Linear(64, CLASSES)]
    return initialize(Sequential(*layers), start, np.random.default_rng(4))


def before(norm, activation="relu"):
    """A block that normalizes and activates before each weight (He et al. 2016b)."""
    return lambda: [
        Residual(
            Sequential(
                *[part for _ in range(2) for part in (norm(64), Activation(activation), Linear(64, 64))]
            )
        )
    ]


def behind(norm=None, scale=1.0):
    """A block relu(x + branch(x)), its branch ending in a normalization or a multiplier of that scale."""

    def block():
        end = norm(64) if norm else ScalarScale()
        end.scale.value = np.full_like(end.scale.value, scale)
        first = [Linear(64, 64), *([norm(64)] if norm else []), Activation("relu")]
        return [Residual(Sequential(*first, Linear(64, 64), end)), Activation("relu")]

    return block


def normalized_blocks(count=4, start="he_normal", norm=LayerNorm):
    return stack(before(norm), count, [norm(64), Activation("relu")], start)


def spoil(model, path, change, parameter="weight"):
    """The model, one parameter of one layer changed."""
    value = getattr(dict(model.named_layers())[path], parameter).value
    value[...] = change(value)
    return model


def weighted(model):
    """Path and layer of everything with a weight."""
    return [(path, layer) for path, layer in model.named_layers() if hasattr(layer, "weight")]


def apply(model, finding):
    """Do what the remedy says, word by word."""
    rng, remedy, layers = np.random.default_rng(9), finding.remedy, dict(model.named_layers())
    if told := re.fullmatch(r"initialize the whole model with (.+)", remedy):
        initialize(model, initializer(told[1]), rng)
    elif told := re.fullmatch(r"initialize layer (\S+) with (.+)", remedy):
        initialize(layers[told[1]], initializer(told[2]), rng)
    elif told := re.fullmatch(r"initialize every layer from (\S+) on with (.+)", remedy):
        paths = [path for path, _ in weighted(model)]
        for path in paths[paths.index(told[1]) :]:
            initialize(layers[path], initializer(told[2]), rng)
    elif told := re.fullmatch(r"set the scale of layer (\S+) .* to 1 and its shift to 0", remedy):
        layers[told[1]].scale.value[...], layers[told[1]].shift.value[...] = 1, 0
    elif remedy == "set its biases to 0":
        layers[finding.layer].bias.value[...] = 0
    elif remedy.startswith("fixup"):
        fixup(model, rng)
    else:
        pytest.fail(f"no rule for {remedy!r}")


def by_gain(activation):
    return partial(variance_scaling, scale=gain(activation) ** 2)

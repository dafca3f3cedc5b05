"""Every threshold of the diagnosis has two cases beside it, and moving it by a third changes a verdict."""

import ast
import importlib
import inspect
import math
from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import pytest
from diagnosis_networks import CLASSES, X, Y, network

from netinit.activations import ActivationFunction
from netinit.builders import mlp, residual_mlp
from netinit.diagnosis import diagnose
from netinit.initialize import initialize
from netinit.initializers import variance_scaling, xavier_normal
from netinit.layers import Activation, Conv2d, Flatten, Linear
from netinit.models import Residual, Sequential
from netinit.theory import gain

WIDTH = 100


def scaled(scales, *args, hidden=3, width=WIDTH):
    """A plain network; `scales` multiplies the weights of single layers."""
    model = network(*args, hidden=hidden, width=width)
    for layer, scale in scales.items():
        model[layer].weight.value *= np.float32(scale)
    return model


def set_gain(layer, size):
    """Rescale its weights so that sqrt(fan_in E[w^2]) is this."""
    weight = layer.weight.value
    weight *= size / math.sqrt(len(weight) * np.mean(weight**2))


# Each takes the size of what a threshold bounds; it returns a model, a batch and, where they matter, labels.
def input_of_rms(size):
    return network(hidden=3), size * X


def input_with_a_mean(share):
    """Columns of std 1 whose mean squared is this share of the second moment."""
    mean = np.float32(math.sqrt(share / (1 - share))) * np.sign(X[0])
    return network("he_normal", "leaky_relu", hidden=3), X + mean  # a leaky unit is never dead


def one_layer_of_gain(size):
    model = network(hidden=3)
    set_gain(model[2], size)
    return model, X


def tanh_of_gain(size):
    model = network("xavier_normal", "tanh", hidden=1)
    set_gain(model[0], size)
    return model, X


def units_dead_by_bias(share):
    model = network(hidden=3)
    model[2].bias.value[: round(share * WIDTH)] = -5
    return model, X


def units_dead_by_weights(share, width=64):
    """In a layer of 64 units; behind ReLU no input is negative."""
    model = network(hidden=3, width=width)
    weight = model[2].weight.value
    weight[:, : round(share * width)] = -np.abs(weight[:, : round(share * width)])
    return model, X


def units_dead_by_mean(share):
    """In the first layer, on two positive columns: the weights of these units are negative."""
    model = initialize(mlp([2, WIDTH, CLASSES]), "he_normal", np.random.default_rng(1))
    weight = np.abs(model[0].weight.value)
    weight[:, : round(share * WIDTH)] *= -1
    model[0].weight.value = weight
    return model, np.abs(X[:, :2]) + np.float32(0.1)


def bias_over_signal(ratio):
    model = network("he_normal", "leaky_relu", hidden=3)
    model[0].bias.value[...] = ratio * math.sqrt(2)  # what He's weights make of an input of rms 1
    return model, X


def last_layer_too_large_too(size):
    return scaled({0: 6, 2: size}, hidden=1), X


def weights_with_the_size(size):
    """Many layers of SiLU, in units of the weights that suit: they lose the signal all the same."""
    return network(partial(variance_scaling, scale=(size * gain("silu")) ** 2), "silu", hidden=20), X


def fall_of_tanh(factor, hidden=6):
    """Falls to 1 / (factor * 6) over six layers."""
    model = network("xavier_normal", "tanh", hidden=hidden, width=64)
    for layer in model[: 2 * hidden : 2]:
        layer.weight.value *= np.float32((factor * hidden) ** (-1 / hidden))
    return model, X


def fall_of_relu(left):
    return scaled(dict.fromkeys((0, 2, 4), left ** (1 / 3)), width=64), X


def growth_of_relu(size):
    return scaled(dict.fromkeys((0, 2), math.sqrt(size / math.sqrt(2)))), X


def mean_of_weights(size):
    model = initialize(mlp([64, 256, 256]), "he_normal", np.random.default_rng(1))
    model[2].weight.value += np.float32(size)
    return model, X


def growth_of_one_block(size):
    branch = Linear(64, 64)
    model = Sequential(Linear(64, 64), Residual(branch), Activation("relu"), Linear(64, CLASSES))
    initialize(model, "xavier_normal", np.random.default_rng(1))
    branch.weight.value *= np.float32(math.sqrt(size**2 - 1))
    return model, X


def saturating_blocks(count):
    """With Xavier's weights; the sum of 20 blocks saturates 55 % of a tanh, that of 60 saturates 74 %."""
    model = residual_mlp(64, 64, count, CLASSES, activation="tanh", layers_per_block=1)
    return initialize(model, "xavier_normal", np.random.default_rng(1)), X


def onset(share):
    """Each layer loses 60 % of the signal, but the first this share of the logarithm of that."""
    factors = {0: 0.4**share / math.sqrt(2), 2: 0.4, 4: 0.4, 6: 0.4}
    return scaled(factors, hidden=5), X


def images_of_side(side):
    count = {2: 20, 3: 36}[side]
    layers = [part for c in [1, *[16] * (count - 1)] for part in (Conv2d(c, 16), Activation("relu"))]
    model = Sequential(*layers, Flatten(), Linear(16 * side**2, CLASSES))
    images = np.random.default_rng(0).standard_normal((16, side, side, 1), dtype=np.float32)
    return initialize(model, "he_normal", np.random.default_rng(1)), images


def logits_of_rms(size):
    return scaled({6: size / math.sqrt(2)}), X, Y


def nearly_equal_units(distance):
    """Two units of equal weights, whose outputs differ by this share of the largest output."""
    model = network(hidden=3)
    first, above = model[0], model[2]
    first.weight.value[:, 1], above.weight.value[1] = first.weight.value[:, 0], above.weight.value[0]
    first.bias.value[1] = distance * np.abs(first(X)).max()
    return model, X


def flattest_derivative(size):
    """The largest derivative of each unit of tanh on the batch."""
    model = network("xavier_normal", "tanh", hidden=1)
    z = model[0](X)
    model[0].bias.value[...] = np.arctanh(math.sqrt(1 - size)) - z.min(axis=0)
    return model, X


def ramp(end):
    """It rises up to this input, and saturates there."""
    phi = ActivationFunction(
        "ramp", lambda z: np.clip(z, -end, end), lambda z, _: (np.abs(z) < end).astype(z.dtype)
    )
    return network(partial(xavier_normal, gain=3.0), phi, hidden=1), X


class Pair(NamedTuple):
    """Two cases, one on each side of a threshold, and a word of what is found; "" for nothing."""

    make: Callable
    low: float
    found_low: str
    high: float
    found_high: str


PAIRS = {
    ("trace", "SAME"): Pair(nearly_equal_units, 0.8e-5, "duplicated", 1.2e-5, ""),
    ("trace", "FLAT"): Pair(flattest_derivative, 0.85e-3, "dead", 1.15e-3, "drowns"),
    ("trace", "SATURATED"): Pair(tanh_of_gain, 2.65, "", 2.9, "saturated"),
    ("trace", "RISING"): Pair(ramp, 1.4, "", 1.9, "saturated"),
    ("remedies", "CLOSE"): Pair(weights_with_the_size, 1.0, "normalize", 1.2, "initialize"),
    ("layer_faults", "SMALLEST_INPUT"): Pair(input_of_rms, 0.085, "not normalized", 0.115, ""),
    ("layer_faults", "LARGEST_INPUT"): Pair(input_of_rms, 3.4, "", 4.6, "not normalized"),
    ("layer_faults", "LARGEST_SHARED"): Pair(input_with_a_mean, 0.7, "", 0.9, "not normalized"),
    ("layer_faults", "SMALLEST_GAIN"): Pair(one_layer_of_gain, 0.28, "too small", 0.38, ""),
    ("layer_faults", "LARGEST_GAIN"): Pair(one_layer_of_gain, 4.2, "", 5.8, "too large"),
    ("layer_faults", "MOST_SATURATED"): Pair(tanh_of_gain, 2.5, "", 3.1, "saturated"),
    ("layer_faults", "MOST_DEAD"): Pair(units_dead_by_bias, 0.42, "", 0.58, "dead"),
    ("layer_faults", "MOST_DEAD_BY_MEAN"): Pair(units_dead_by_mean, 0.17, "", 0.23, "not normalized"),
    ("layer_faults", "DEAD_BY_CHANCE"): Pair(units_dead_by_weights, 0.54, "", 0.72, "dead"),
    ("layer_faults", "DROWNED"): Pair(bias_over_signal, 2.5, "", 3.5, "drowns"),
    ("layer_faults", "LARGE_LAST"): Pair(last_layer_too_large_too, 1.7, "layer 0", 2.3, "whole model"),
    ("depth_faults", "POWER_LAW"): Pair(fall_of_tanh, 7, "", 10, "vanishing"),
    ("depth_faults", "SMALLEST_SCALED"): Pair(fall_of_relu, 1 / 19, "vanishing", 1 / 14, ""),
    ("depth_faults", "AGREEMENT"): Pair(mean_of_weights, 0.052, "", 0.065, "mean 0"),
    ("depth_faults", "FLUCTUATION"): Pair(mean_of_weights, 0.052, "", 0.065, "mean 0"),
    ("depth_faults", "LARGEST_GROWTH"): Pair(growth_of_relu, 8.5, "", 11.5, "exploding"),
    ("depth_faults", "LARGEST_SUM"): Pair(growth_of_one_block, 3.7, "", 4.8, "residual sum"),
    ("depth_faults", "MOST_SATURATED_SUM"): Pair(saturating_blocks, 20, "", 60, "residual sum"),
    ("depth_faults", "ONSET"): Pair(onset, 0.42, "2: vanishing", 0.58, "0: vanishing"),
    ("depth_faults", "LEAST_INSIDE"): Pair(images_of_side, 2, "kernels", 3, "normalize"),
    ("depth_faults", "LARGEST_LOGITS"): Pair(logits_of_rms, 4.3, "", 5.7, "logits"),
}


ROOM = ("repeats", "case", "remedies", "layer_faults", "depth_faults", "report")
MODULES = {
    name.rpartition(".")[2]: importlib.import_module(f"netinit.{name}")
    for name in ("trace", *(f"diagnosis.{part}" for part in ROOM))
}
LAYOUT = [("report", "WIDTH"), ("report", "ROWS")]  # of the printed text: nothing is judged by them
A_THIRD_UP, A_THIRD_DOWN = 4 / 3, 2 / 3
LITTLE = 0.03  # far less than a third: no case may hang on it


def assigned(source):
    """The upper-case names that a source assigns at its top."""
    for node in ast.parse(source).body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            names = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
            yield from (part.id for part in names if isinstance(part.ctx, ast.Store) and part.id.isupper())


def thresholds():
    """Module and name of every number, or array of numbers, that the room has as a constant of its own."""
    for place, module in MODULES.items():
        for name in assigned(inspect.getsource(module)):
            if np.asarray(getattr(module, name)).dtype.kind in "iuf":
                yield place, name


def verdict(make, size):
    """Where, what and what to do, in one line; empty for a healthy network."""
    return "".join(
        f"{found.layer}: {found.fault}; {found.remedy}" for found in diagnose(*make(size)).findings
    )


def verdicts(pair):
    return [verdict(pair.make, pair.low), verdict(pair.make, pair.high)]


unmoved = cache(verdicts)  # for the thresholds as they are


def move(monkeypatch, name, factor):
    """Multiply a threshold in its module and in those that have imported it."""
    for module in MODULES.values():
        if hasattr(module, name):
            monkeypatch.setattr(module, name, factor * getattr(module, name))


def test_every_threshold_has_a_pair_of_cases():
    found = sorted(thresholds())
    assert found == sorted([*PAIRS, *LAYOUT])
    assert len({name for _, name in found}) == len(found)  # `move` goes by the name alone


@pytest.mark.parametrize("pair", PAIRS.values(), ids=map(".".join, PAIRS))
def test_on_one_side_it_is_a_fault_on_the_other_it_is_none(pair):
    for told, found in zip(unmoved(pair), (pair.found_low, pair.found_high), strict=True):
        assert (found in told) if found else told == ""


@pytest.mark.parametrize("factor", [A_THIRD_UP, A_THIRD_DOWN])
@pytest.mark.parametrize(("place", "name"), PAIRS)
def test_a_third_more_or_less_changes_a_verdict(monkeypatch, place, name, factor):
    before = unmoved(PAIRS[place, name])
    move(monkeypatch, name, factor)
    assert verdicts(PAIRS[place, name]) != before


@pytest.mark.parametrize("factor", [1 + LITTLE, 1 - LITTLE])
@pytest.mark.parametrize(("place", "name"), PAIRS)
def test_a_little_more_or_less_changes_nothing(monkeypatch, place, name, factor):
    before = unmoved(PAIRS[place, name])
    move(monkeypatch, name, factor)
    assert verdicts(PAIRS[place, name]) == before


def test_a_new_threshold_is_found():
    source = "LARGEST = 5.0\nLEAST, MOST = 1, 2\nHALF: float = 0.5\nsmall = 1\ndef f():\n    INNER = 1\n"
    assert list(assigned(source)) == ["LARGEST", "LEAST", "MOST", "HALF"]


def bare_numbers(source):
    """The numbers inside the functions of a source, but for 0, 1 and 2, which formulas need."""
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    constants = {node for f in functions for node in ast.walk(f) if isinstance(node, ast.Constant)}
    return [
        node.value for node in constants if type(node.value) in (int, float) and node.value not in (0, 1, 2)
    ]


@pytest.mark.parametrize("place", [name for name in ROOM if name != "report"])
def test_no_threshold_is_without_a_name(place):
    assert bare_numbers(inspect.getsource(MODULES[place])) == []


def test_a_threshold_without_a_name_is_found():
    assert bare_numbers("LEAST = 0.3\ndef f(x):\n    return x > 2 or x * 1.0 < 0.5\n") == [0.5]

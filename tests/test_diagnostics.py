"""`diagnose` on planted faults, after the remedy it names, on harmless relatives and 240 healthy networks."""

import re
from functools import partial

import numpy as np
import pytest

from netinit.activations import ActivationFunction, leaky_relu
from netinit.builders import convnet, mlp, residual_mlp
from netinit.data import load_digits
from netinit.diagnosis import Diagnosis, Finding, diagnose
from netinit.fixup import fixup
from netinit.initialize import initialize
from netinit.initializers import (
    constant,
    he_normal,
    he_uniform,
    normal,
    orthogonal,
    uniform,
    variance_scaling,
    xavier_normal,
)
from netinit.layers import Activation, BatchNorm, Conv2d, Flatten, Layer, LayerNorm, Linear, ScalarScale
from netinit.lsuv import lsuv
from netinit.models import Residual, Sequential
from netinit.optimizers import Adam
from netinit.theory import gain
from netinit.training import fit

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


def copy_units(model):
    """Units 50.. of the second hidden layer become copies of 0..49, on their way in and on their way out."""
    model[2].weight.value[:, 50:] = model[2].weight.value[:, :50]
    model[4].weight.value[50:] = model[4].weight.value[:50]
    return model


def he_residual(blocks):
    return initialize(residual_mlp(64, 64, blocks, CLASSES), "he_normal", np.random.default_rng(1))


# fault: (model, layer, words of the fault, words of the remedy)
PLANTED = {
    "zero weights": (network("zeros", "tanh"), "0", "zero weights", "xavier_normal"),
    "zero weights, sigmoid": (network("zeros", "sigmoid"), "0", "zero weights", "xavier_normal"),
    "one layer zero": (changed(4, lambda w: w.fill(0)), "4", "zero weights", "he_normal"),
    "constant weights": (network("constant", "tanh"), "0", "duplicated units", "xavier_normal"),
    "constant weights, relu": (network(partial(constant, value=0.5)), "0", "duplicated units", "he_normal"),
    "copied units": (copy_units(network()), "2", "duplicated units", "he_normal"),
    "std 0.01": (network(normal, "tanh"), "0", "weights too small", "xavier_normal"),
    "std 0.01, sigmoid": (network(normal, "sigmoid"), "0", "weights too small", "xavier_normal"),
    "std 0.01, wide relu": (network(normal, width=512, hidden=2), "0", "weights too small", "he_normal"),
    "std 1, sigmoid": (network(partial(normal, std=1.0), "sigmoid"), "0", "saturated", "xavier_normal"),
    "std 1, tanh": (network(partial(normal, std=1.0), "tanh"), "0", "saturated", "xavier_normal"),
    "std 1, relu": (network(partial(normal, std=1.0)), "0", "weights too large", "he_normal"),
    "Xavier with ReLU": (network("xavier_normal", hidden=29), "2", "vanishing signal", "he_normal"),
    "wrong He uniform": (network(wrong_he_uniform, hidden=10), "0", "vanishing signal", "he_normal"),
    "He with SELU": (network("he_normal", "selu", 30), "0", "exploding signal", "lecun_normal"),
    "Xavier with GELU": (network("xavier_normal", "gelu", 20), "2", "vanishing signal", "gain('gelu')"),
    "one layer x 100": (changed(4, lambda w: np.multiply(w, 100, out=w)), "4", "too large", "he_normal"),
    "dead layer": (changed(2, lambda b: b.fill(-10), "bias"), "2", "dead units", "biases to 0"),
    "NaN weight": (changed(4, lambda w: w[0].fill(np.nan)), "4", "NaN", "he_normal"),
    "He in residual": (he_residual(20), "1.branch.3", "exploding residual", "fixup"),
    "low orthogonal gain": (network("orthogonal", hidden=30), "0", "vanishing signal", "he_normal"),
    "deep batch norm": (network(hidden=50, norm="batch"), "0", "exploding gradient", "residual"),
    "deep sigmoid": (network("xavier_normal", "sigmoid", 8), "0", "vanishing gradient", "tanh or relu"),
    "weights with a mean": (
        network(partial(uniform, low=0.0, high=0.1), width=200),
        "2",
        "mean 0",
        "he_normal",
    ),
    "large logits": (changed(10, lambda w: np.multiply(w, 6, out=w)), "10", "logits", "scale"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_planted_fault(name):
    model, layer, fault, remedy = PLANTED[name]
    diagnosis = diagnose(model, X, Y)
    assert not diagnosis.healthy
    [finding] = diagnosis.findings
    assert (finding.layer, fault in finding.fault) == (layer, True), finding
    assert finding.evidence
    with_labels_only = name == "large logits"
    assert diagnose(model, X).healthy == with_labels_only
    assert remedy in finding.remedy


# The faults of the issue in many variants. A row: model, layer, fault, words of the remedy.
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


def positions(model):
    """The paths of the first, a middle and the last hidden layer with a weight."""
    paths = [path for path, _ in weighted(model)][:-1]
    return sorted({paths[0], paths[len(paths) // 2], paths[-1]}, key=paths.index)


SHAPES = [
    ("relu", 1, 100),
    ("tanh", 2, 32),
    ("gelu", 3, 64),
    ("selu", 8, 16),
    ("elu", 5, 64),
    ("relu", 30, 64),
]


def zero_weights():
    for activation, hidden, width in [*SHAPES, ("sigmoid", 2, 64)]:
        yield plain(activation, hidden, width, "zeros"), "0", "zero weights", SUITED[activation]
        for path in positions(plain(activation, hidden, width)):
            model = spoil(plain(activation, hidden, width), path, np.zeros_like)
            yield model, path, "zero weights", f"initialize layer {path} with {SUITED[activation]}"
    yield plain("relu", 5, start="zeros", norm="batch"), "0", "zero weights", "the whole model with he_normal"
    yield normalized_blocks(start="zeros"), "0", "zero weights", "the whole model with he_normal"
    yield images(start="zeros"), "0", "zero weights", "the whole model with he_normal"
    yield spoil(images(), "2", np.zeros_like), "2", "zero weights", "initialize layer 2 with he_normal"
    path = "3.branch.2"
    yield spoil(normalized_blocks(), path, np.zeros_like), path, "zero weights", f"layer {path}"


def constant_weights():
    for activation, hidden, width in SHAPES:
        for value in (0.1, -0.1, 1.0, 0.01):
            model = plain(activation, hidden, width, partial(constant, value=value))
            yield model, "0", "duplicated units", SUITED[activation]
    for norm in (None, "batch", "layer"):
        yield images(start="constant", norm=norm), "0", "duplicated units", "the whole model with he_normal"
    yield normalized_blocks(start="constant"), "0", "duplicated units", "the whole model with he_normal"


def std_one_hundredth():
    for activation, hidden, width in [*SHAPES, ("sigmoid", 2, 64), ("relu", 2, 512)]:
        yield plain(activation, hidden, width, normal), "0", "weights too small", SUITED[activation]
        for path in positions(plain(activation, hidden, width)):
            model = spoil(plain(activation, hidden, width), path, lambda w: 0.01 * w / w.std())
            yield model, path, "weights too small", f"initialize layer {path} with {SUITED[activation]}"
    for n_in, hidden, width in [(784, 1, 100), (784, 2, 512), (1024, 3, 64), (300, 2, 300)]:
        for activation in ("relu", "tanh"):
            model = plain(activation, hidden, width, normal, n_in)
            yield model, "0", "weights too small", SUITED[activation]
    yield images(start=normal), "0", "weights too small", "the whole model with he_normal"
    yield images("tanh", normal), "0", "weights too small", "the whole model with xavier_normal"


def std_one_with_sigmoid():
    for hidden, width in [(1, 32), (1, 100), (2, 64), (3, 256), (10, 32), (30, 64)]:
        model = plain("sigmoid", hidden, width, partial(normal, std=1.0))
        yield model, "0", "saturated activation", "xavier_normal"
        model = plain("sigmoid", hidden, width, partial(normal, std=1.0), n_in=300)
        yield model, "0", "saturated activation", "xavier_normal"
    # Of one pixel in nine places a unit of the first convolution sees too little to be saturated.
    yield (
        images("sigmoid", partial(normal, std=1.0), (32, 64)),
        "2",
        "saturated activation",
        "every layer from 2 on with xavier_normal",
    )


def xavier_with_relu():
    for activation in ("relu", "leaky_relu"):
        for hidden, width in [(12, 64), (20, 16), (29, 64), (29, 128), (49, 32)]:
            for start in ("xavier_normal", "xavier_uniform"):
                model = plain(activation, hidden, width, start)
                # Xavier's 64 x 128 weights shrink the signal as the later ones do; its 64 x 64 keep it.
                layer, where = ("0", "the whole model") if width == 128 else ("2", "every layer from 2 on")
                yield model, layer, "vanishing signal", f"{where} with {SUITED[activation]}"
    sizes = np.linspace(256, 16, 29).astype(int).tolist()
    model = initialize(mlp([64, *sizes, CLASSES]), "xavier_normal", np.random.default_rng(0))
    yield model, "0", "vanishing signal", "the whole model with he_normal"
    yield deep_images(20, "xavier_normal"), "0", "vanishing signal", "the whole model with he_normal"


def wrong_formula():
    for activation in ("relu", "leaky_relu"):
        for hidden in (3, 4, 5, 10, 30):
            for width in (32, 64, 128):
                model = plain(activation, hidden, width, wrong_he_uniform)
                yield model, "0", "vanishing signal", f"the whole model with {SUITED[activation]}"
    for activation, hidden in [("tanh", 10), ("tanh", 30), ("elu", 10), ("gelu", 5)]:
        yield plain(activation, hidden, 64, wrong_he_uniform), "0", "vanishing signal", SUITED[activation]


def one_layer_times_100():
    for activation, hidden, width in SHAPES:
        fault = "saturated activation" if activation == "tanh" else "weights too large"
        for path in positions(plain(activation, hidden, width)):
            model = spoil(plain(activation, hidden, width), path, lambda w: 100 * w)
            yield model, path, fault, f"initialize layer {path} with {SUITED[activation]}"
        last = str(2 * hidden)
        model = spoil(plain(activation, hidden, width), last, lambda w: 100 * w)
        yield model, last, "weights too large", f"initialize layer {last} with {SUITED[activation]}"
    for path in ("0", "2", "5"):
        model = spoil(images(), path, lambda w: 100 * w)
        yield model, path, "weights too large", f"initialize layer {path} with he_normal"
    path = "3.branch.5"
    yield spoil(normalized_blocks(), path, lambda w: 100 * w), path, "weights too large", f"layer {path}"


def dead_layer():
    for hidden, width in [(1, 100), (3, 16), (5, 64), (20, 32)]:
        for path in positions(plain("relu", hidden, width)):
            for bias in (-10, -30):
                model = spoil(plain("relu", hidden, width), path, lambda b, bias=bias: b + bias, "bias")
                yield model, path, "dead units", "biases to 0"
            for norm in ("batch", "layer"):
                path_of_norm = str(int(path) // 2 * 3 + 1)
                model = plain("relu", hidden, width, norm=norm)
                spoil(model, path_of_norm, lambda b: b - 10, "shift")
                yield model, str(int(path_of_norm) - 1), "dead units", f"the scale of layer {path_of_norm} "
        if 1 < hidden < 20:  # deeper down half of the units of a healthy network are dead on one batch
            model = spoil(
                plain("relu", hidden, width),
                "2",
                lambda b: np.where(np.arange(b.size) < 0.7 * b.size, -30, b),
                "bias",
            )
            yield model, "2", "dead units", "biases to 0"
            model = spoil(plain("relu", hidden, width), "2", lambda w: -np.abs(w))
            yield model, "2", "dead units", "initialize layer 2 with he_normal"
    yield spoil(images(), "0", lambda b: b - 10, "bias"), "0", "dead units", "biases to 0"
    yield spoil(plain("gelu", 3), "2", lambda b: b - 10, "bias"), "2", "dead units", "biases to 0"


def he_in_residual():
    for activation in ("relu", "leaky_relu", "elu", "gelu", "tanh"):
        for count, parts, width in [(10, 2, 64), (20, 1, 16), (10, 3, 64), (50, 2, 16)]:
            model = residual_mlp(64, width, count, CLASSES, activation=activation, layers_per_block=parts)
            initialize(model, "he_normal", np.random.default_rng(count))
            yield model, f"1.branch.{2 * parts - 1}", "exploding residual sum", "fixup"
    model = residual_mlp(64, 64, 20, CLASSES, fixup=True)
    yield (
        initialize(model, "he_normal", np.random.default_rng(0)),
        "1.branch.7",
        "exploding residual sum",
        "fixup",
    )
    parts = [
        Residual(Sequential(Activation("relu"), Conv2d(8, 8), Activation("relu"), Conv2d(8, 8)))
        for _ in range(20)
    ]
    model = Sequential(Conv2d(1, 8), *parts, Activation("relu"), Flatten(), Linear(512, CLASSES))
    initialize(model, "he_normal", np.random.default_rng(0))
    yield model, "1.branch.3", "exploding residual sum", "fixup"
    yield stack(behind(), 20), "1.branch.2", "exploding residual sum", "fixup"
    model = stack(lambda: [Residual(Linear(64, 64))], 20, [Activation("relu")])
    yield model, "1.branch", "exploding residual sum", "fixup"


FAULTS = [
    zero_weights,
    constant_weights,
    std_one_hundredth,
    std_one_with_sigmoid,
    xavier_with_relu,
    wrong_formula,
    one_layer_times_100,
    dead_layer,
    he_in_residual,
]


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


def sample(model):
    """A small Gaussian batch that the model takes."""
    first = weighted(model)[0][1]
    if isinstance(first, Conv2d):
        return IMAGES[:16], Y[:16]
    return batch(5, 32, first.n_in)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_every_variant_of_a_fault(fault):
    count = 0
    for model, layer, fault_name, remedy in fault():
        x, y = sample(model)
        for labels in (y, None):
            [finding] = diagnose(model, x, labels).findings
            assert (finding.layer, finding.fault) == (layer, fault_name), finding
            assert remedy in finding.remedy
        apply(model, finding)
        after = diagnose(model, x, y)
        if fault is std_one_with_sigmoid and not after.healthy:  # then its depth is the next fault
            assert after.findings[0].remedy.startswith("tanh or relu in place of sigmoid")
        else:
            assert after.findings == (), (model, finding)
        count += 1
    assert count >= 12


RAW = np.round(16 / (1 + np.exp(-X)))  # pixels of 0..16
COLUMNS = (10.0 ** np.linspace(-2, 2, 64)).astype(np.float32)
ONE_HOT = np.eye(64, dtype=np.float32)
UNIT_ROWS = X / np.linalg.norm(X, axis=1, keepdims=True)
SPARSE = (np.random.default_rng(0).random((64, 64)) < 0.05).astype(np.float32)


def with_value(value, where):
    x = X.copy()
    x[where] = value
    return x


DATA_FAULTS = [
    *(
        (x, "input not normalized", "standardize")
        for x in (RAW, 255 * (X > 0), 100 * X, X / 100, X + 5, X - 5)
    ),
    *(
        (x, "input not normalized", "standardize")
        for x in (X * COLUMNS, X + 3 * np.sign(X[0]), X * X * 3 + 2)
    ),
    *((x, "constant input", "check") for x in (np.ones_like(X), np.zeros_like(X), np.tile(X[:1], (64, 1)))),
    *(
        (with_value(np.nan, where), "NaN or infinity in the input", "remove")
        for where in ((0, 0), (..., 5), ...)
    ),
    *((with_value(sign * np.inf, (3, 3)), "NaN or infinity in the input", "remove") for sign in (1, -1)),
]


@pytest.mark.parametrize(("x", "fault", "remedy"), DATA_FAULTS)
@pytest.mark.parametrize("labels", [Y, None], ids=["y", "no y"])
def test_every_variant_of_a_fault_in_the_input(x, fault, remedy, labels):
    x = x.astype(np.float32)
    for model in (network(), network("xavier_normal", "tanh", norm="batch"), normalized_blocks()):
        [finding] = diagnose(model, x, labels).findings
        assert (finding.layer, finding.fault) == ("input", fault)
        assert remedy in finding.remedy
    [finding] = diagnose(images(), x.reshape(64, 8, 8, 1), labels).findings
    assert (finding.layer, finding.fault) == ("input", fault)
    if remedy == "standardize":
        centered = x - x.mean(axis=0)
        assert diagnose(network(), centered / centered.std(), labels).healthy
    else:
        assert "standardize" not in finding.remedy  # it would divide by 0


@pytest.mark.parametrize(
    "x", [ONE_HOT, UNIT_ROWS, SPARSE, X / 8, X / (1 + np.abs(X)), (X > 0).astype(np.float32)]
)
def test_data_of_a_usual_small_scale_are_no_fault(x):
    assert diagnose(network(), x.astype(np.float32), Y).findings == ()


@pytest.mark.parametrize("norm", [BatchNorm, LayerNorm])
def test_a_normalization_before_the_first_weight_normalizes_the_input(norm):
    model = Sequential(norm(64), *network())
    assert diagnose(model, 100 * X + 3, Y).findings == ()


def test_a_large_input_is_blamed_for_the_saturation_not_the_weights():
    [finding] = diagnose(network("xavier_normal", "tanh"), 3.5 * X, Y).findings
    assert (finding.layer, finding.fault) == ("input", "input not normalized")
    [finding] = diagnose(network(partial(xavier_normal, gain=3.5), "tanh"), X, Y).findings
    assert (finding.layer, finding.fault) == ("0", "saturated activation")


@pytest.mark.parametrize(
    "change", [lambda y: y + 1, lambda y: y - 1, lambda y: 100 * y, lambda y: np.where(y < 3, 10, y)]
)
@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.uint16, list])
def test_every_variant_of_labels_out_of_range(change, dtype):
    y = change(Y)
    y = y.tolist() if dtype is list else y.astype(dtype)
    for model, x in (
        (network(), X),
        (network(norm="batch"), X),
        (normalized_blocks(), X),
        (images(), IMAGES),
    ):
        [finding] = diagnose(model, x, y).findings
        assert (finding.layer, finding.fault) == ("labels", "label out of range")
        assert finding.remedy == "number the classes 0..9"


def test_a_model_of_fewer_outputs_than_classes_is_told_so():
    model = initialize(mlp([64, 30, 5]), "he_normal", np.random.default_rng(0))
    [finding] = diagnose(model, X, Y).findings
    assert finding.evidence == "labels 0..9, the model has 5 outputs"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    ("norm", "path", "parameter", "remedy"),
    [
        (None, "2", "bias", "set the bias of layer 2 to 0"),
        ("batch", "4", "scale", "set the scale of layer 4 to 1"),
        ("layer", "1", "shift", "set the shift of layer 1 to 0"),
        (None, "6", "weight", "initialize layer 6 with he_normal"),
    ],
)
def test_a_parameter_that_is_no_number_is_named(value, norm, path, parameter, remedy):
    def change(array):
        array = array.copy()
        array.flat[3] = value
        return array

    [finding] = diagnose(spoil(network(norm=norm), path, change, parameter), X, Y).findings
    assert (finding.layer, finding.fault) == (path, f"NaN or infinity in the {parameter}")
    assert finding.remedy == remedy


@pytest.mark.parametrize("activation", ["leaky_relu", "gelu", "silu", "elu", "tanh", "sigmoid"])
@pytest.mark.parametrize("path", ["0", "4", "8"])
@pytest.mark.parametrize("bias", [-10, -30, 30])
def test_a_bias_that_drowns_the_signal_is_named(activation, path, bias):
    start = "xavier_normal" if activation in ("tanh", "sigmoid") else "he_normal"
    model = spoil(network(start, activation), path, lambda b: b + bias, "bias")
    [finding] = diagnose(model, X, Y).findings
    assert (finding.layer, finding.remedy) == (path, "set its biases to 0")
    assert finding.fault in ("bias drowns the signal", "dead units")
    apply(model, finding)
    assert diagnose(model, X, Y).healthy or activation == "sigmoid"  # five layers of sigmoid are a fault


def test_a_fault_that_several_layers_share_is_told_of_all():
    model = network("xavier_normal", "tanh")
    for path in ("2", "6"):
        spoil(model, path, lambda b: b + 30, "bias")
    [finding] = diagnose(model, X, Y).findings
    assert finding.remedy == "set its biases to 0; likewise in 1 later layer"
    model = network()
    for path in ("2", "6"):
        spoil(model, path, lambda w: 100 * w)
    [finding] = diagnose(model, X, Y).findings
    assert finding.remedy == "initialize every layer from 2 on with he_normal"


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_trained_networks_are_healthy(activation):
    model = plain(activation, 2, 32)
    fit(
        model, DIGITS, Adam(model.parameters(), 0.003), epochs=10, batch_size=64, rng=np.random.default_rng(0)
    )
    assert diagnose(model, DIGITS.x_train[:64]).findings == ()


def test_no_branch_learns_where_a_zero_weight_meets_a_zero_scale():
    model = fixup(residual_mlp(64, 64, 4, CLASSES, fixup=True), np.random.default_rng(0))
    assert diagnose(model, X, Y).healthy
    for block in model[1:5]:
        block.branch[-1].scale.value = np.zeros((), np.float32)
    [finding] = diagnose(model, X, Y).findings
    assert (finding.layer, finding.fault) == ("1.branch.7", "zero weights under a zero scale")
    assert finding.remedy == "set the scale of layer 1.branch.8 to 1; likewise in 3 later layers"
    x = X.copy()
    model.backward(np.ones_like(model(x)))
    assert not any(p.grad.any() for block in model[1:5] for p in block.parameters())


def test_weights_that_suit_are_not_asked_for_again():
    model = network(partial(variance_scaling, scale=gain("silu") ** 2), "silu", hidden=20)
    [finding] = diagnose(model, X, Y).findings
    assert "use lsuv" in finding.remedy
    lsuv(model, X, np.random.default_rng(0))
    assert diagnose(model, X, Y).healthy


def test_the_slope_of_leaky_relu_and_an_activation_of_your_own_are_told():
    for slope in (0.2, 0.5):
        [finding] = diagnose(network("xavier_normal", leaky_relu(slope), 40), X, Y).findings
        assert finding.remedy.endswith(f"with he_normal(slope={slope})")
    swish = ActivationFunction(
        "swish", lambda z: z / (1 + np.exp(-z)), lambda z, y: y + (1 - y) / (1 + np.exp(-z))
    )
    [finding] = diagnose(network("xavier_normal", swish, 12), X, Y).findings
    assert finding.remedy.endswith("scale=gain(your activation)**2")


def test_growth_outside_of_the_blocks_is_not_that_of_a_residual_sum():
    layers = [part for _ in range(20) for part in (Activation("selu"), Linear(64, 64))]
    layers = [Linear(64, 64), Residual(Linear(64, 64)), *layers, Activation("selu"), Linear(64, CLASSES)]
    model = initialize(Sequential(*layers), "he_normal", np.random.default_rng(0))
    [finding] = diagnose(model, X, Y).findings
    assert (finding.fault, "lecun_normal" in finding.remedy) == ("exploding signal", True)


def test_the_last_layer_is_named_where_it_alone_is_too_large():
    model = plain("relu", 3, 100)
    [finding] = diagnose(spoil(model, "6", lambda w: 8 * w), X).findings
    assert (finding.layer, finding.remedy) == ("6", "initialize layer 6 with he_normal")


def test_the_borders_of_small_images_are_told():
    model = initialize(convnet([16] * 9, CLASSES), "he_normal", np.random.default_rng(0))
    [finding] = diagnose(model, IMAGES, Y).findings
    assert (finding.layer, finding.fault) == ("6", "vanishing signal")  # a 3 x 3 kernel on an image of 2 x 2
    assert "44% of the kernel" in finding.evidence
    assert "kernels" in finding.remedy


def test_an_overflow_is_a_finding_without_a_warning():
    [finding] = diagnose(network(partial(constant, value=1.0), hidden=30), X, Y).findings
    assert (finding.layer, finding.fault) == ("0", "duplicated units")
    [finding] = diagnose(network(partial(normal, std=30.0), hidden=30), X, Y).findings
    assert (finding.layer, finding.fault) == ("0", "weights too large")


def test_a_model_without_weights_is_refused():
    for model in (Sequential(Activation("relu")), Sequential(BatchNorm(64))):
        with pytest.raises(ValueError, match="model must hold a layer with a weight, got Sequential"):
            diagnose(model, X, Y)


# The nearest relatives of the planted faults that do no harm.
HARMLESS = {
    "he": network(),
    "zero last layer": changed(10, lambda w: w.fill(0)),
    "small last layer": changed(10, lambda w: np.multiply(w, 0.01, out=w)),
    "one layer x 2": changed(4, lambda w: np.multiply(w, 2, out=w)),
    "bias -0.5": changed(2, lambda b: b.fill(-0.5), "bias"),
    "logistic regression from zeros": initialize(mlp([64, CLASSES]), "zeros", np.random.default_rng(0)),
    "Xavier with ReLU, shallow": network("xavier_normal", hidden=5),
    "He in residual, shallow": he_residual(2),
    "fixup": fixup(residual_mlp(64, 64, 20, CLASSES, fixup=True), np.random.default_rng(1)),
    "std 0.01 under batch norm": network(partial(normal, std=0.01), norm="batch"),
    "std 0.6 under batch norm": network(partial(normal, std=0.6), norm="batch"),
    "batch norm": network(hidden=20, norm="batch"),
    "layer norm": network(hidden=40, norm="layer"),
    "shallow sigmoid": network("xavier_normal", "sigmoid", 2),
    "wrong He uniform, shallow": network(wrong_he_uniform, hidden=2),
    "pruned units": changed(2, lambda w: w[:, :2].fill(0)),
}
HARMLESS |= {
    f"tanh residual, {count} blocks": initialize(
        residual_mlp(64, 64, count, CLASSES, activation="tanh"), "xavier_normal", np.random.default_rng(1)
    )
    for count in (20, 30, 50)
}
HARMLESS |= {
    f"{name} with its own gain": network(partial(variance_scaling, scale=gain(own) ** 2), own, 2)
    for name, own in {
        "ReLU6": ActivationFunction(
            "relu6", lambda z: np.clip(z, 0, 6), lambda z, _: ((z > 0) & (z < 6)).astype(z.dtype)
        ),
        "hard tanh": ActivationFunction(
            "hardtanh", lambda z: np.clip(z, -1, 1), lambda z, _: (np.abs(z) < 1).astype(z.dtype)
        ),
        "sine": ActivationFunction("sin", np.sin, lambda z, _: np.cos(z)),
    }.items()
}


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless(name):
    assert diagnose(HARMLESS[name], X, Y).findings == ()


@pytest.mark.parametrize("factor", [0.0, 0.05])
def test_a_branch_may_be_a_single_small_layer(factor):
    model = stack(lambda: [Residual(Linear(64, 64))], 5, [Activation("relu")])
    for block in model[1:6]:
        block.branch.weight.value *= np.float32(factor)
    assert diagnose(model, X, Y).findings == ()


@pytest.mark.parametrize("n_in", [1, 2, 3])
@pytest.mark.parametrize("width", [64, 256, 512])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_toy_data_of_few_dimensions_are_no_fault(n_in, width, activation):
    x, y = batch(1, 64, n_in)
    model = initialize(
        mlp([n_in, width, width, CLASSES], activation), "xavier_normal", np.random.default_rng(0)
    )
    assert diagnose(model, x, y).findings == ()


def test_harmless_convolutions():
    model = initialize(convnet([8, 16], CLASSES), "he_normal", np.random.default_rng(1))
    assert diagnose(model, X.reshape(64, 8, 8, 1), Y).findings == ()


def test_constant_first_layer_under_a_random_one_is_not_called_duplicated():
    # Its units start equal, but the random layer above sends each another gradient: one step parts them.
    model = network("xavier_normal", "tanh", hidden=1)
    model[0].weight.value[...] = 0.1
    assert all("duplicated" not in finding.fault for finding in diagnose(model, X, Y).findings)
    model[2].weight.value[...] = 0.1
    assert "duplicated" in diagnose(model, X, Y).findings[0].fault


def by_gain(activation):
    return partial(variance_scaling, scale=gain(activation) ** 2)


# activation, initializer, largest number of hidden layers. GELU, Mish and SiLU drift away from their gain,
# softplus and sigmoid lose their gradient: deeper ones do not train on the digits. ELU with He weights grows,
# in 40 layers to logits that start the loss at three times ln(classes).
TRUNCATED = partial(variance_scaling, scale=2.0, distribution="truncated_normal")
SUITS = [
    *(("tanh", start, 49) for start in ("xavier_normal", "xavier_uniform", "orthogonal", by_gain("tanh"))),
    *(
        ("relu", start, 49)
        for start in ("he_normal", "he_uniform", TRUNCATED, partial(orthogonal, gain=2**0.5))
    ),
    *(("relu", partial(he_normal, mode=mode), 49) for mode in ("fan_in", "fan_out")),
    ("leaky_relu", "he_normal", 49),
    (leaky_relu(0.2), partial(he_uniform, slope=0.2), 49),
    *(("softsign", start, 49) for start in ("xavier_normal", "orthogonal")),
    *(("selu", start, 49) for start in ("lecun_normal", "lecun_uniform")),
    *(("elu", start, 30) for start in ("he_normal", by_gain("elu"))),
    *(("mish", start, 10) for start in ("he_uniform", by_gain("mish"))),
    *(("gelu", start, 8) for start in ("he_normal", by_gain("gelu"))),
    *(("silu", start, 6) for start in ("he_normal", by_gain("silu"))),
    *(("softplus", start, 3) for start in ("xavier_normal", by_gain("softplus"))),
    ("sigmoid", "xavier_normal", 2),
    ("identity", "xavier_normal", 49),
]
KINDS = ["plain"] * 4 + [
    "pyramid",
    "lsuv",
    "batch",
    "layer",
    "fixup",
    "behind",
    "before",
    "images",
    "deep images",
]


def random_batch(rng):
    """Real digits or Gaussian rows, 16 to 1000 of them, mostly few to save time."""
    n = int(rng.choice([16, 32, 64, 200, 1000], p=[0.3, 0.3, 0.2, 0.15, 0.05]))
    if rng.random() < 0.5:
        return DIGITS.x_train[rng.choice(len(DIGITS.x_train), n, replace=False)]
    return rng.standard_normal((n, int(rng.choice([8, 20, 64, 300]))), dtype=np.float32)


def random_sizes(rng, kind, n_in, deepest):
    width = int(rng.choice([16, 32, 64, 128, 256, 512], p=[0.3, 0.25, 0.25, 0.14, 0.04, 0.02]))
    hidden = int(rng.integers(1, min(deepest, 49 if width < 128 else 5) + 1))
    sizes = [width] * hidden
    if kind == "pyramid":
        sizes = np.geomspace(width, 16, hidden).astype(int).tolist()[:: int(rng.choice([1, -1]))]
    return [n_in, *sizes, CLASSES]


def healthy_network(rng):
    """A random suited network, its batch, and words that name it."""
    kind, x = KINDS[rng.integers(len(KINDS))], random_batch(rng)
    activation, start, deepest = SUITS[rng.integers(len(SUITS))]
    sizes = random_sizes(rng, kind, x.shape[1], deepest)
    name = (kind, activation, start, sizes, len(x))
    if kind in ("images", "deep images"):
        return *healthy_images(rng, kind), name
    if kind in ("behind", "before", "fixup"):
        return *healthy_blocks(rng, kind), name
    if kind in ("batch", "layer"):
        activation = str(rng.choice(["relu", "tanh", "gelu", "selu", "elu", "silu"]))
        start, sizes = rng.choice(["he_normal", "xavier_normal", "orthogonal"]), [*sizes[:14], CLASSES]
    norm = kind if kind in ("batch", "layer") else None
    model = initialize(mlp(sizes, activation, norm=norm), start, rng)
    if kind == "lsuv":
        # Of the activations: nothing brings tanh or sigmoid to a variance of 1 without saturating it.
        on = "activation" if activation in ("relu", "leaky_relu", "elu", "selu") else "preactivation"
        lsuv(model, x, rng, on=on)
    return model, x, name


def healthy_images(rng, kind):
    activation, start = [("relu", "he_normal"), ("tanh", "xavier_normal"), ("selu", "lecun_normal")][
        rng.integers(3)
    ]
    x = rng.standard_normal((16, 8, 8, 1), dtype=np.float32)
    if kind == "deep images":
        return deep_images(int(rng.integers(2, 16)), str(rng.choice(["he_normal", "he_uniform"]))), x
    channels = [[8], [8, 16], [16, 16, 32], [32, 64]][rng.integers(4)]
    model = convnet(channels, CLASSES, activation=activation, norm=[None, "batch", "layer"][rng.integers(3)])
    return initialize(model, start, rng), x


def healthy_blocks(rng, kind):
    count, norm = int(rng.integers(1, 31)), [BatchNorm, LayerNorm][rng.integers(2)]
    x = DIGITS.x_train[rng.choice(len(DIGITS.x_train), 32, replace=False)]
    if kind == "behind":  # relu(x + branch(x)): normalized, started at zero, or both
        block = [behind(norm, 0.0), behind(norm, 1.0), behind(None, 0.0), behind(None, count**-0.5)]
        return stack(block[rng.integers(4)], count), x
    if kind == "before":
        activation = str(rng.choice(["relu", "tanh", "elu"]))
        return stack(before(norm, activation), count, [norm(64), Activation(activation)]), x
    if rng.random() < 0.3:
        return fixup(stack(behind(), count), rng), x
    options = {
        "activation": str(rng.choice(["relu", "tanh", "elu"])),
        "layers_per_block": int(rng.integers(1, 4)),
    }
    return fixup(residual_mlp(64, 32, count, CLASSES, fixup=bool(rng.integers(2)), **options), rng), x


@pytest.mark.parametrize("seed", range(8))
def test_no_false_alarm_on_healthy_networks(seed):
    rng = np.random.default_rng(seed)
    alarms = []
    for _ in range(30):
        model, x, name = healthy_network(rng)
        diagnosis = diagnose(model, x, rng.integers(0, CLASSES, len(x)))
        alarms += [(name, finding) for finding in diagnosis.findings]
    assert alarms == []


def test_a_custom_layer_is_judged_by_measurement_alone():
    class Shrink(Layer):
        def __init__(self, factor):
            self.factor = factor

        def forward(self, x):
            return self.factor * x

        def backward(self, grad):
            return self.factor * grad

    def deep(factor):
        layers = [part for _ in range(10) for part in (Linear(64, 64), Activation("relu"), Shrink(factor))]
        return initialize(Sequential(*layers, Linear(64, CLASSES)), "he_normal", np.random.default_rng(1))

    assert diagnose(deep(np.float32(1)), X, Y).healthy
    [finding] = diagnose(deep(np.float32(0.3)), X, Y).findings
    assert (finding.layer, finding.fault) == ("3", "vanishing signal")
    [finding] = diagnose(deep(np.float32(100)), X, Y).findings
    assert (finding.layer, finding.fault) == ("3", "exploding signal")


def test_it_prints_a_short_table():
    assert repr(diagnose(network(), X, Y)).splitlines()[:3] == [
        "healthy: signal and gradient pass all 6 weight layers as the theory predicts",
        "",
        "layer  kind    rms  predicted  gradient  predicted",
    ]
    lines = repr(diagnose(changed(4, lambda w: w.fill(0)), X, Y)).splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["layer", "fault", "evidence", "remedy"]
    assert lines[0] == "layer     4 Linear(100, 100)"
    assert lines[1] == "fault     zero weights"
    assert [line.split()[0] for line in lines[6:]] == ["1", "2", "3", "4", "5", "6", "7"]
    assert (
        repr(Diagnosis((Finding("0", "a", "b", "c"),)))
        == "layer     0\nfault     a\nevidence  b\nremedy    c"
    )


def test_it_prints_a_blank_line_between_two_findings_and_no_line_is_wider_than_the_page():
    text = repr(diagnose(network(), 100 * X, Y + 1)).split("\n\n")
    assert [part.split()[1] for part in text] == ["input", "labels", "kind"]
    for model in (
        network(),
        network("zeros"),
        network("xavier_normal", hidden=29),
        he_residual(20),
        network(norm="batch"),
    ):
        for x in (X, 100 * X, 0 * X, X * np.float32(np.nan)):
            assert max(map(len, repr(diagnose(model, x, Y)).splitlines())) <= 80
            assert len(repr(diagnose(model, x, Y)).splitlines()) <= 20


def test_no_theory_is_claimed_where_there_is_none():
    class Negate(Layer):
        def forward(self, x):
            return -x

        def backward(self, grad):
            return -grad

    text = repr(diagnose(Sequential(*network(), Negate()), X, Y))
    assert text.splitlines()[0] == "healthy: signal and gradient pass all 6 weight layers"
    assert repr(
        diagnose(initialize(Linear(64, 10), "xavier_normal", np.random.default_rng(0)), X)
    ).startswith("healthy: signal and gradient pass the weight layer as the theory predicts")


def test_the_model_is_left_as_it_was():
    model = network(norm="batch")
    before = model.state_dict()
    assert diagnose(model, X, Y).healthy
    np.testing.assert_equal(model.state_dict(), before)
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize(
    ("x", "y", "error", "words"),
    [
        (X.tolist(), None, TypeError, "x must be"),
        (X.astype(int), None, TypeError, "x must be"),
        (X[:0], None, ValueError, "at least one example"),
        (X[:, :9], None, ValueError, "64"),
        (X, Y[:9], ValueError, "labels must have shape"),
        (X, Y.astype(float), TypeError, "labels must be integers"),
        (X, np.eye(CLASSES, dtype=int)[Y], ValueError, "labels must have shape"),
    ],
)
def test_wrong_calls(x, y, error, words):
    with pytest.raises(error, match=words):
        diagnose(network(), x, y)

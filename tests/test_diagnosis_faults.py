"""Every planted fault is named in many variants, with its layer and a remedy that mends it."""

from functools import partial

import numpy as np
import pytest
from diagnosis_networks import (
    CLASSES,
    IMAGES,
    SUITED,
    X,
    Y,
    apply,
    batch,
    behind,
    changed,
    deep_images,
    he_residual,
    images,
    initializer,
    network,
    normalized_blocks,
    plain,
    spoil,
    stack,
    weighted,
    wrong_he_uniform,
)

from netinit.builders import mlp, residual_mlp
from netinit.diagnosis import diagnose
from netinit.initialize import initialize
from netinit.initializers import constant, normal, uniform
from netinit.layers import Activation, Conv2d, Flatten, Linear
from netinit.models import Residual, Sequential


def copy_units(model):
    """Units 50.. of the second hidden layer become copies of 0..49, on their way in and on their way out."""
    model[2].weight.value[:, 50:] = model[2].weight.value[:, :50]
    model[4].weight.value[50:] = model[4].weight.value[:50]
    return model


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


def same_seed():
    """Each layer drawn from a generator of the same seed."""
    more = [("sigmoid", 2, 64), ("tanh", 20, 100), ("leaky_relu", 10, 128)]
    for activation, hidden, width in [*SHAPES, *more]:
        model = again(plain(activation, max(hidden, 2), width), initializer(SUITED[activation]))
        where = "every layer from 2 on" if hidden > 2 else "layer 2"
        yield model, "2", "weights of another layer", f"{where} with {SUITED[activation]}"
    for channels in ((8, 8), (8, 8, 16, 16)):
        model = again(images(channels=channels), "he_normal")
        yield model, "2", "weights of another layer", "he_normal"
    for norm in ("batch", "layer"):
        yield again(plain("relu", 5, norm=norm), "he_normal"), "3", "weights of another layer", "from 3 on"
    model = again(normalized_blocks(), "he_normal")
    yield model, "1.branch.2", "weights of another layer", "every layer from 1.branch.2 on with he_normal"


def again(model, start, seed=0):
    for _, layer in weighted(model):
        initialize(layer, start, np.random.default_rng(seed))
    return model


FAULTS = [
    zero_weights,
    same_seed,
    constant_weights,
    std_one_hundredth,
    std_one_with_sigmoid,
    xavier_with_relu,
    wrong_formula,
    one_layer_times_100,
    dead_layer,
    he_in_residual,
]


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

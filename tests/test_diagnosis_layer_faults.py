"""The data, one parameter, one layer: what is a fault, what only looks like one."""

from functools import partial

import numpy as np
import pytest
from diagnosis_networks import CLASSES, IMAGES, X, Y, apply, images, network, normalized_blocks, plain, spoil

from netinit.builders import mlp, residual_mlp
from netinit.diagnosis import diagnose
from netinit.fixup import fixup
from netinit.initialize import initialize
from netinit.initializers import xavier_normal
from netinit.layers import BatchNorm, LayerNorm
from netinit.models import Sequential

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


def test_the_last_layer_is_named_where_it_alone_is_too_large():
    model = plain("relu", 3, 100)
    [finding] = diagnose(spoil(model, "6", lambda w: 8 * w), X).findings
    assert (finding.layer, finding.remedy) == ("6", "initialize layer 6 with he_normal")


def test_constant_first_layer_under_a_random_one_is_not_called_duplicated():
    # Its units start equal, but the random layer above sends each another gradient: one step parts them.
    model = network("xavier_normal", "tanh", hidden=1)
    model[0].weight.value[...] = 0.1
    assert all("duplicated" not in finding.fault for finding in diagnose(model, X, Y).findings)
    model[2].weight.value[...] = 0.1
    assert "duplicated" in diagnose(model, X, Y).findings[0].fault

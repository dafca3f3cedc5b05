"""What the sizes of the weights do not tell: sparse rows, the prior of the classes, a seed set again, units
that positive columns kill, an activation behind the last layer."""

from functools import partial

import numpy as np
import pytest
from diagnosis_networks import CLASSES, DIGITS, X, Y, apply, network, plain, weighted

from netinit.builders import mlp
from netinit.diagnosis import diagnose
from netinit.initialize import initialize
from netinit.initializers import normal
from netinit.layers import Activation
from netinit.lsuv import lsuv
from netinit.models import Sequential

PRIOR = np.array([0.9999, 0.0001])


def one_hot(columns, rows=128):
    rng = np.random.default_rng(columns)
    return np.eye(columns, dtype=np.float32)[rng.integers(0, columns, rows)], rng.integers(0, CLASSES, rows)


# Rows with a single 1
@pytest.mark.parametrize("columns", [50, 100, 101, 500, 2000])
def test_one_hot_rows_are_sound_however_many_their_columns(columns):
    x, y = one_hot(columns)
    model = plain("relu", 2, n_in=columns)
    assert diagnose(model, x, y).findings == ()
    lsuv(model, x, np.random.default_rng(0))  # weights of variance 1 in the first layer, as an embedding has
    assert diagnose(model, x, y).findings == ()


@pytest.mark.parametrize("columns", [101, 2000])
def test_one_hot_rows_hide_no_fault_of_the_weights(columns):
    x, y = one_hot(columns)
    model = plain("relu", 3, n_in=columns)
    model[2].weight.value *= np.float32(0.01)
    [finding] = diagnose(model, x, y).findings
    assert (finding.layer, finding.fault) == ("2", "weights too small")
    model = plain("relu", 3, n_in=columns)
    initialize(model[0], partial(normal, std=100.0), np.random.default_rng(0))
    [finding] = diagnose(model, x, y).findings
    assert (finding.layer, finding.fault) == ("0", "weights too large")


def test_a_small_dense_input_is_still_told():
    [finding] = diagnose(network(), X / 100, Y).findings
    assert finding.fault == "input not normalized"


# Logits
def rare_class(bias):
    model = initialize(mlp([64, 64, 2]), "he_normal", np.random.default_rng(0))
    model[2].weight.value[...], model[2].bias.value[...] = 0, bias
    return model


def test_a_bias_of_the_logarithm_of_the_prior_is_no_fault():
    y = np.zeros(len(X), int)
    diagnosis = diagnose(rare_class(np.log(PRIOR)), X, y)
    assert diagnosis.findings == ()
    assert diagnosis.trace[-1].rms > 5


def test_the_prior_of_the_wrong_class_is_told_with_its_bias():
    [finding] = diagnose(rare_class(np.log(PRIOR[::-1])), X, np.zeros(len(X), int)).findings
    assert (finding.layer, finding.fault) == ("2", "logits too large")
    assert finding.remedy == "set its biases to the logarithms of the class frequencies, or to 0"


def test_large_logits_of_large_weights_are_told_with_their_weights():
    model = network()
    model[10].weight.value *= 6
    assert diagnose(model, X, Y).findings[0].remedy == "scale the last layer down, or zeros"


# The same numbers in two layers
def test_a_shared_parameter_and_equal_patterns_are_no_repeated_seed():
    shared = network("xavier_normal", "tanh")
    shared[4].weight = shared[2].weight
    identity = initialize(mlp([64, 64, 64, 64, CLASSES]), "identity", np.random.default_rng(0))
    identity[6].weight.value[...] = network()[10].weight.value[:64]
    for model in (shared, identity):
        assert all("another layer" not in found.fault for found in diagnose(model, X, Y).findings)


def test_a_seed_set_again_is_told_of_layers_of_other_inputs_and_behind_lsuv():
    model = network(width=100)  # 64 x 100 and 100 x 100: the first 64 rows agree up to a factor
    for _, layer in weighted(model)[:2]:
        initialize(layer, "he_normal", np.random.default_rng(3))
    lsuv(model, X, np.random.default_rng(0), orthonormal=False)
    [finding] = diagnose(model, X, Y).findings
    assert finding.layer == "2"
    assert finding.evidence == "the same numbers as in layer 0: the seed was set again"
    apply(model, finding)
    assert diagnose(model, X, Y).healthy


# Few units on positive columns
def test_units_that_positive_columns_kill_are_told_with_their_cause():
    told = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        x, units = rng.random((100, 2), dtype=np.float32), int(rng.integers(4, 9))
        model = initialize(mlp([2, units, 2]), "he_normal", rng)
        dead = (model[0](x) <= 0).all(axis=0).mean()
        findings = diagnose(model, x, rng.integers(0, 2, 100)).findings
        assert [found.fault for found in findings] == ["input not normalized"] * int(dead > 0.2)
        told += bool(findings)
        centered = x - x.mean(axis=0)
        assert diagnose(model, centered / centered.std()).findings == ()
    assert told > 100


def test_units_that_wide_positive_images_kill_are_few():
    x = DIGITS.x_train[:64] - DIGITS.x_train.min(axis=0)
    assert diagnose(network(), x / np.sqrt(np.mean(x**2)), Y).findings == ()


# An activation behind the last layer
def ending_in(activation):
    return Sequential(*network(), Activation(activation))


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh", "softplus", "elu", "gelu"])
def test_softmax_on_logits_of_one_sign_is_told(activation):
    [finding] = diagnose(ending_in(activation), X, Y).findings
    assert (finding.layer, finding.fault) == ("10", "activation behind the last layer")
    assert finding.remedy == f"remove the {activation}: a last layer needs no activation"


def test_without_labels_an_activation_at_the_end_is_a_choice():
    assert diagnose(ending_in("relu"), X).findings == ()
    assert diagnose(ending_in("leaky_relu"), X, Y).findings == ()


@pytest.mark.parametrize(
    ("activation", "targets", "told"),
    [
        ("relu", [-1.0, 1.0], "50% of the targets lie outside of its 0..inf"),
        ("relu", [0.0, 1.0], ""),
        ("sigmoid", [0.0, 1.0], ""),
        ("tanh", [0.0, 3.0], "50% of the targets lie outside of its -1..1"),
        ("leaky_relu", [-3.0, 3.0], ""),
    ],
)
def test_targets_out_of_reach_are_told(activation, targets, told):
    y = np.resize(targets, (len(X), CLASSES))
    findings = diagnose(ending_in(activation), X, y).findings
    assert [found.evidence for found in findings] == ([told] if told else [])


def test_targets_that_are_no_numbers_are_told():
    y = np.zeros((len(X), CLASSES))
    y[3] = np.nan
    [finding] = diagnose(network(), X, y).findings
    assert (finding.layer, finding.evidence) == ("labels", "10 of 640 values")

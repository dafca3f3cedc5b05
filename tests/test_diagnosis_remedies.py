"""A remedy names every layer that needs it, and what is not already there."""

from functools import partial

import numpy as np
from diagnosis_networks import X, Y, network, spoil

from netinit.activations import ActivationFunction, leaky_relu
from netinit.diagnosis import diagnose
from netinit.initializers import variance_scaling
from netinit.lsuv import lsuv
from netinit.theory import gain


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

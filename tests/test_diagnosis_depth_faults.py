"""All layers together: sums of blocks, borders of images, overflow, a layer without a theory."""

from functools import partial

import numpy as np
from diagnosis_networks import CLASSES, IMAGES, X, Y, network

from netinit.builders import convnet
from netinit.diagnosis import diagnose
from netinit.initialize import initialize
from netinit.initializers import constant, normal
from netinit.layers import Activation, Layer, Linear
from netinit.models import Residual, Sequential


def test_growth_outside_of_the_blocks_is_not_that_of_a_residual_sum():
    layers = [part for _ in range(20) for part in (Activation("selu"), Linear(64, 64))]
    layers = [Linear(64, 64), Residual(Linear(64, 64)), *layers, Activation("selu"), Linear(64, CLASSES)]
    model = initialize(Sequential(*layers), "he_normal", np.random.default_rng(0))
    [finding] = diagnose(model, X, Y).findings
    assert (finding.fault, "lecun_normal" in finding.remedy) == ("exploding signal", True)


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

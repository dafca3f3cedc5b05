"""Chapter 3: a zero last layer and equal units, asked for; the defaults are neither."""

import numpy as np
from measure import array, is_uniform

PAGE = "book/03-zero-and-constant.ipynb"


def test_pytorch(snippet):
    names = snippet(PAGE, "PyTorch")
    model = names["model"]
    assert names["healthy"] == 32
    assert not array(model[2].weight).any()
    assert not array(model[2].bias).any()
    names["nn"].init.constant_(model[0].weight, 0.1)
    assert names["distinct_units"](model[0], model[2]) == 32  # the biases differ
    names["nn"].init.zeros_(model[0].bias)
    assert names["distinct_units"](model[0], model[2]) == 1


def test_pytorch_draws_biases_by_default():
    from torch import nn

    assert is_uniform(nn.Linear(64, 320).bias, 1 / 8)


def test_jax(snippet):
    names = snippet(PAGE, "JAX")
    assert names["healthy"] == 32
    assert not array(names["W2"]).any()


def test_keras(snippet):
    names = snippet(PAGE, "Keras")
    assert is_uniform(names["first"].kernel, np.sqrt(6 / 96))
    assert not array(names["first"].bias).any()
    assert not array(names["last"].kernel).any()

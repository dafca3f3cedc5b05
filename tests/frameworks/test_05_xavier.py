"""Chapter 5: Glorot's rule, uniform and normal, and what the libraries draw without being asked."""

import numpy as np
import torch
from measure import array, dense, is_cut, is_normal, is_uniform

PAGE = "book/05-xavier.ipynb"
BOUND = np.sqrt(6 / 500)  # a layer from 100 to 400


def test_pytorch(snippet):
    layer = snippet(PAGE, "PyTorch")["layer"]
    assert is_uniform(layer.weight, BOUND)
    assert not array(layer.bias).any()


def test_pytorch_default_is_the_standard_rule_with_random_biases():
    layer = torch.nn.Linear(100, 400)
    assert is_uniform(layer.weight, 1 / 10)
    assert is_uniform(layer.bias, 1 / 10)


def test_pytorch_normal_is_not_cut_and_the_gain_multiplies_the_std():
    weight = torch.empty(400, 100)
    assert is_normal(torch.nn.init.xavier_normal_(weight), 2 / 500)
    gain = torch.nn.init.calculate_gain("tanh")
    assert gain == 5 / 3
    assert is_normal(torch.nn.init.xavier_normal_(weight, gain=gain), gain**2 * 2 / 500)


def test_jax(snippet):
    names = snippet(PAGE, "JAX")
    assert is_uniform(names["W"], BOUND)
    assert names["W"].shape == (100, 400)
    assert is_cut(names["V"], 2 / 500)


def test_keras(snippet):
    names = snippet(PAGE, "Keras")
    for layer in (names["layer"], names["other"]):
        layer.build((None, 100))
        assert not array(layer.bias).any()
    assert is_uniform(names["layer"].kernel, BOUND)
    assert is_cut(names["other"].kernel, 2 / 500)


def test_keras_default():
    assert is_uniform(dense(400, 100).kernel, BOUND)

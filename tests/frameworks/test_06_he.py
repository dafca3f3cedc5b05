"""Chapter 6: He's rule, and what is untruncated."""

import math

import keras
import torch
from measure import array, dense, has_variance, is_cut, is_normal, is_uniform

PAGE = "book/06-he.ipynb"
LEAKY = 2 / (1 + 0.2**2) / 256


def test_pytorch(snippet):
    names = snippet(PAGE, "PyTorch")
    conv, linear = names["model"][0], names["model"][3]
    assert is_normal(conv.weight, 2 / (9 * 8))
    assert is_normal(linear.weight, 2 / (64 * 36))
    assert not array(conv.bias).any()
    assert not array(linear.bias).any()
    assert is_normal(names["leaky"].weight, LEAKY)


def test_pytorch_default_and_slope():
    w = torch.nn.init.kaiming_uniform_(torch.empty(200, 100), a=math.sqrt(5))
    assert is_uniform(w, 1 / 10)
    assert is_uniform(torch.nn.Linear(100, 200).weight, 1 / 10)
    relu = torch.nn.init.kaiming_normal_(torch.empty(200, 100), a=0.2, nonlinearity="relu")
    assert has_variance(relu, 2 / 100)  # a is ignored


def test_jax(snippet):
    names = snippet(PAGE, "JAX")
    for (W, b), pair in zip(names["params"], [(64, 256), (256, 256), (256, 10)], strict=True):
        assert W.shape == pair
        assert is_cut(W, 2 / pair[0])
        assert not array(b).any()
    assert is_cut(names["W"], LEAKY)


def test_keras(snippet):
    names = snippet(PAGE, "Keras")
    for layer, variance in [(names["layer"], 2 / 100), (names["leaky"], LEAKY * 256 / 100)]:
        layer.build((None, 100))
        assert is_cut(layer.kernel, variance)
        assert not array(layer.bias).any()
    slope = -array(names["leaky"].activation(keras.ops.array([-1.0])))[0]
    assert math.isclose(slope, 0.2, rel_tol=1e-6)
    assert is_uniform(dense(200, 100, activation="relu").kernel, math.sqrt(6 / 300))

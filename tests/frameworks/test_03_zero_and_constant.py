"""Chapter 3: zeros and constants, asked for; the defaults are neither."""

import jax
import numpy as np
import torch
from measure import array, dense, is_uniform

PAGE = "book/03-zero-and-constant.ipynb"


def test_pytorch(snippet):
    model = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.Tanh(), torch.nn.Linear(32, 10))
    first = torch.nn.Linear(64, 32)
    default_bias = array(first.bias)
    snippet(PAGE, "PyTorch", layer=first, model=model)
    assert default_bias.any()
    assert np.all(array(first.weight) == np.float32(0.1))
    assert not array(first.bias).any()
    assert not array(model[2].weight).any()
    assert is_uniform(model[0].weight, 1 / 8)


def test_jax(snippet):
    w = array(snippet(PAGE, "JAX", key=jax.random.key(0))["w"])
    assert w.shape == (64, 32)
    assert np.all(w == np.float32(0.1))


def test_keras(snippet):
    layer = snippet(PAGE, "Keras")["layer"]
    layer.build((None, 64))
    assert is_uniform(layer.kernel, np.sqrt(6 / 96))
    assert not array(layer.bias).any()
    assert not array(dense(32, 64, kernel_initializer="zeros").kernel).any()

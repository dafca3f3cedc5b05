"""Chapter 5: Glorot's rule, uniform and normal."""

import jax
import numpy as np
import torch
from measure import array, dense, is_cut, is_normal, is_uniform

PAGE = "book/05-xavier.ipynb"


def test_pytorch(snippet):
    names = snippet(PAGE, "PyTorch")
    assert names["gain"] == 5 / 3
    assert is_normal(names["layer"].weight, (5 / 3) ** 2 * 2 / 500)
    assert not array(names["layer"].bias).any()


def test_pytorch_default():
    layer = torch.nn.Linear(100, 400)
    assert is_uniform(layer.weight, 1 / 10)
    assert is_uniform(layer.bias, 1 / 10)


def test_jax(snippet):
    names = snippet(PAGE, "JAX")
    assert is_uniform(names["W"], np.sqrt(6 / 500))
    assert names["W"].shape == (100, 400)
    assert is_cut(names["init"](jax.random.key(1), (100, 400)), 2 / 500)


def test_keras(snippet):
    layer = snippet(PAGE, "Keras")["layer"]
    layer.build((None, 100))
    assert is_cut(layer.kernel, 2 / 500)
    assert is_uniform(dense(400, 100).kernel, np.sqrt(6 / 500))

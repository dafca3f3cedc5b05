"""Chapter 4: fixed scales, and the defaults."""

import numpy as np
from measure import array, dense, is_uniform
from snippets import snippets

PAGE = "book/04-random.ipynb"


def test_pytorch(snippet):
    layer = snippet(PAGE, "PyTorch")["layer"]
    assert is_uniform(layer.weight, np.sqrt(6 / 100))  # variance 2/n
    assert not array(layer.bias).any()


def test_jax(snippet):
    assert is_uniform(snippet(PAGE, "JAX")["W"], 1 / np.sqrt(100))


def test_jax_uniform_has_no_negative_value():
    import jax

    W = array(jax.nn.initializers.uniform(scale=0.1)(jax.random.key(0), (100, 50)))
    assert 0 <= W.min() <= W.max() < 0.1
    assert any("# on [0, 0.1)" in found.code for found in snippets(PAGE))


def test_keras(snippet):
    layer = snippet(PAGE, "Keras")["layer"]
    layer.build((None, 100))
    assert is_uniform(layer.kernel, 1 / np.sqrt(100))
    assert is_uniform(dense(50, 100).kernel, np.sqrt(6 / 150))

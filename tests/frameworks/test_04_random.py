"""Chapter 4: variance 2/n, the defaults, and an interval that is not centered."""

import numpy as np
from measure import array, dense, is_normal, is_uniform

PAGE = "book/04-random.ipynb"


def test_pytorch(snippet):
    layer = snippet(PAGE, "PyTorch")["layer"]
    assert is_normal(layer.weight, 2 / 100)
    assert not array(layer.bias).any()


def test_jax(snippet):
    assert is_normal(snippet(PAGE, "JAX")["W"], 2 / 100)


def test_jax_uniform_has_no_negative_value():
    import jax

    W = array(jax.nn.initializers.uniform(scale=0.1)(jax.random.key(0), (100, 50)))
    assert 0 <= W.min() <= W.max() < 0.1


def test_keras(snippet):
    layer = snippet(PAGE, "Keras")["layer"]
    layer.build((None, 100))
    assert is_normal(layer.kernel, 2 / 100)
    assert is_uniform(dense(50, 100).kernel, np.sqrt(6 / 150))

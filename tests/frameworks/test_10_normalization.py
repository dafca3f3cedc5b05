"""Chapter 10: normalized layers start with scale 1 and shift 0; what the two momenta mean."""

import keras
import numpy as np
import torch
from measure import array, is_cut, is_normal

PAGE = "book/10-normalization.ipynb"


def test_pytorch(snippet):
    block = snippet(PAGE, "PyTorch")["block"]
    linear, norm, _ = block
    assert linear.bias is None
    assert is_normal(linear.weight, 2 / 64)
    assert (array(norm.weight) == 1).all()
    assert not array(norm.bias).any()
    assert (norm.eps, norm.momentum) == (1e-5, 0.1)
    assert not norm.training


def test_pytorch_momentum_weighs_the_new_batch():
    norm = torch.nn.BatchNorm1d(1)
    norm(torch.tensor([[9.0], [11.0]]))
    np.testing.assert_allclose(array(norm.running_mean), 1)


def test_jax(snippet):
    names = snippet(PAGE, "JAX")
    assert is_cut(names["W"], 2 / 64)
    z = np.random.default_rng(0).standard_normal((5, 256)) * 3 + 7
    out = array(names["layer_norm"](z, names["scale"], names["shift"]))
    np.testing.assert_allclose(out.mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(out.std(axis=1), 1, rtol=1e-4)


def test_keras(snippet):
    block = snippet(PAGE, "Keras")["block"]
    block.build((None, 64))
    dense, norm, _ = block.layers
    assert dense.bias is None
    assert is_cut(dense.kernel, 2 / 64)
    assert (array(norm.gamma) == 1).all()
    assert not array(norm.beta).any()
    assert (norm.epsilon, norm.momentum) == (1e-3, 0.99)


def test_keras_momentum_weighs_the_old_average():
    norm = keras.layers.BatchNormalization()
    norm(np.array([[9.0], [11.0]], np.float32), training=True)
    np.testing.assert_allclose(array(norm.moving_mean), 0.1, rtol=1e-5)

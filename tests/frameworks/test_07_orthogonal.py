"""Chapter 7: orthogonal matrices, recurrent matrices, delta-orthogonal kernels."""

import keras
import numpy as np
import pytest
import torch
from measure import array, is_orthogonal, is_uniform

PAGE = "book/07-orthogonal.ipynb"


def test_pytorch(snippet):
    default = torch.nn.RNN(64, 128).weight_hh_l0
    names = snippet(PAGE, "PyTorch")
    assert is_orthogonal(names["linear"].weight)
    assert not array(names["linear"].bias).any()
    assert is_orthogonal(names["rnn"].weight_hh_l0)
    assert is_uniform(default, 1 / np.sqrt(128))
    assert abs(np.abs(np.linalg.eigvals(array(default))).max() / np.sqrt(1 / 3) - 1) < 0.1


def test_pytorch_delta_orthogonal(snippet):
    kernel = array(snippet(PAGE, "PyTorch")["conv"].weight)
    assert is_orthogonal(kernel[:, :, 1, 1])
    kernel[:, :, 1, 1] = 0
    assert not kernel.any()


def test_jax(snippet):
    names = snippet(PAGE, "JAX")
    assert is_orthogonal(names["W"])
    kernel = array(names["K"])
    assert is_orthogonal(kernel[1, 1])
    kernel[1, 1] = 0
    assert not kernel.any()


def test_keras_dense(snippet):
    dense = snippet(PAGE, "Keras")["dense"]
    dense.build((None, 256))
    assert is_orthogonal(dense.kernel)


@pytest.mark.xfail(
    raises=AssertionError,
    reason="the LSTM's array of four gates has orthonormal rows; none of its gate blocks is orthogonal",
)
def test_keras_recurrent_matrices_are_orthogonal(snippet):
    rnn = snippet(PAGE, "Keras")["rnn"]
    rnn.build((None, 5, 64))
    assert all(map(is_orthogonal, np.split(array(rnn.cell.recurrent_kernel), 4, axis=1)))


def test_keras_simple_rnn_is_orthogonal():
    rnn = keras.layers.SimpleRNN(128)
    rnn.build((None, 5, 64))
    assert is_orthogonal(rnn.cell.recurrent_kernel)


def test_keras_lstm_gates_are_not():
    rnn = keras.layers.LSTM(128)
    rnn.build((None, 5, 64))
    whole = array(rnn.cell.recurrent_kernel)
    assert is_orthogonal(whole)  # semi-orthogonal: (128, 512) with orthonormal rows
    radii = [np.abs(np.linalg.eigvals(gate)).max() for gate in np.split(whole, 4, axis=1)]
    assert all(0.4 < radius < 0.65 for radius in radii)

"""Chapter 7: orthogonal matrices, recurrent matrices gate by gate, delta-orthogonal kernels."""

import jax
import keras
import numpy as np
import pytest
import torch
from measure import array, is_orthogonal, is_uniform

PAGE, DEEPER = "book/07-orthogonal.ipynb", "book/deeper/07-orthogonal.ipynb"


def spectral_radius(matrix):
    return np.abs(np.linalg.eigvals(array(matrix))).max()


def gates(layer):
    """Build a Keras recurrent layer; return the square blocks of its recurrent kernel."""
    layer.build((None, 5, 64))
    kernel = array(layer.cell.recurrent_kernel)
    return np.split(kernel, kernel.shape[1] // kernel.shape[0], axis=1)


def is_delta_orthogonal(kernel, center):
    """Whether the center holds an orthogonal matrix and all else is 0."""
    around = array(kernel)
    around[center] = 0
    return is_orthogonal(array(kernel)[center]) and not around.any()


def test_pytorch_dense(snippet):
    linear = snippet(PAGE, "PyTorch")["linear"]
    assert is_orthogonal(linear.weight)
    assert not array(linear.bias).any()


def test_pytorch_recurrent(snippet):
    assert is_orthogonal(snippet(PAGE, "PyTorch")["rnn"].weight_hh_l0)


def test_pytorch_gates_are_orthogonal_one_by_one(snippet):
    blocks = snippet(DEEPER, "PyTorch")["lstm"].weight_hh_l0.chunk(4)
    assert len(blocks) == 4
    assert all(map(is_orthogonal, blocks))
    assert not torch.equal(blocks[0], blocks[1])


def test_pytorch_kernel_is_delta_orthogonal(snippet):
    conv = snippet(DEEPER, "PyTorch")["conv"]
    assert is_delta_orthogonal(conv.weight, np.s_[:, :, 1, 1])


def test_pytorch_recurrent_default_has_a_radius_near_058():
    default = torch.nn.RNN(64, 256).weight_hh_l0
    assert is_uniform(default, 1 / np.sqrt(256))
    assert abs(spectral_radius(default) - 0.58) < 0.06


def test_jax(snippet):
    assert is_orthogonal(snippet(PAGE, "JAX")["W"])
    assert is_delta_orthogonal(snippet(DEEPER, "JAX")["K"], np.s_[1, 1])


def test_orthogonal_on_a_kernel_is_the_flattened_kind():
    ours = torch.nn.init.orthogonal_(torch.empty(8, 16, 3, 3))  # (out, in, kh, kw)
    assert is_orthogonal(ours.reshape(8, -1))
    theirs = [
        jax.nn.initializers.orthogonal()(jax.random.key(0), (3, 3, 16, 8)),
        keras.initializers.Orthogonal()((3, 3, 16, 8)),
    ]
    assert all(is_orthogonal(array(kernel).reshape(-1, 8)) for kernel in theirs)


def test_jax_alone_ships_the_delta_kind():
    assert hasattr(jax.nn.initializers, "delta_orthogonal")
    others = [*dir(torch.nn.init), *dir(keras.initializers)]
    assert not [name for name in others if "delta" in name.lower()]


def test_keras_dense(snippet):
    dense = snippet(PAGE, "Keras")["dense"]
    dense.build((None, 256))
    assert is_orthogonal(dense.kernel)


def test_keras_simple_rnn_is_orthogonal_by_default(snippet):
    (matrix,) = gates(snippet(PAGE, "Keras")["rnn"])
    assert is_orthogonal(matrix)


@pytest.mark.parametrize(("layer", "radius"), [(keras.layers.LSTM, 0.5), (keras.layers.GRU, 0.6)])
def test_keras_default_is_orthogonal_as_a_whole_only(layer, radius):
    blocks = gates(layer(128))
    assert is_orthogonal(np.concatenate(blocks, axis=1))  # its rows
    assert not any(map(is_orthogonal, blocks))
    assert abs(np.mean([spectral_radius(block) for block in blocks]) - radius) < 0.05


def test_keras_gate_by_gate(snippet):
    names = snippet(DEEPER, "Keras")
    for layer in (names["lstm"], keras.layers.GRU(32, recurrent_initializer=names["gate_by_gate"])):
        blocks = gates(layer)
        assert all(map(is_orthogonal, blocks))
        assert not np.allclose(blocks[0], blocks[1])

"""Chapter 7: what its PyTorch, JAX and Keras snippets really draw."""

import keras
import numpy as np
import pytest
import torch

PAGE = "book/07-orthogonal.ipynb"


def array(tensor):
    """A float64 array of any library's tensor."""
    value = tensor.detach() if hasattr(tensor, "detach") else tensor
    return np.asarray(value, dtype=np.float64)


def is_orthogonal(matrix):
    """Whether all singular values are 1, as far as float32 can tell."""
    return np.allclose(np.linalg.svd(array(matrix), compute_uv=False), 1, atol=1e-4)


def spectral_radius(matrix):
    return np.abs(np.linalg.eigvals(array(matrix))).max()


def mean_radius(kernel):
    """The spectral radius of the gates of an (n, gates n) array, on average."""
    kernel = array(kernel)
    gates = np.split(kernel, kernel.shape[1] // kernel.shape[0], axis=1)
    return np.mean([spectral_radius(gate) for gate in gates])


def recurrent_kernel(layer, features=20):
    layer.build((None, 10, features))
    return layer.cell.recurrent_kernel


@pytest.fixture
def pytorch(snippet):
    return snippet(PAGE, "PyTorch")


def test_pytorch_dense_is_orthogonal_and_has_no_bias(pytorch):
    assert is_orthogonal(pytorch["linear"].weight)
    assert pytorch["linear"].bias.abs().max() == 0


def test_pytorch_gates_are_orthogonal_one_by_one(pytorch):
    gates = pytorch["lstm"].weight_hh_l0.chunk(4)
    assert len(gates) == 4
    assert all(map(is_orthogonal, gates))
    assert not torch.equal(gates[0], gates[1])


def test_pytorch_kernel_is_delta_orthogonal(pytorch):
    kernel = array(pytorch["conv"].weight)
    assert is_orthogonal(kernel[:, :, 1, 1])
    kernel[:, :, 1, 1] = 0
    assert not kernel.any()


def test_pytorch_draws_recurrent_matrices_with_radius_near_058():
    radii = [spectral_radius(torch.nn.RNN(64, 256).weight_hh_l0) for _ in range(3)]
    assert 0.54 < np.median(radii) < 0.63


def test_pytorch_flattens_a_kernel():
    kernel = torch.nn.init.orthogonal_(torch.empty(16, 8, 3, 3))
    assert is_orthogonal(kernel.reshape(16, -1))
    assert not is_orthogonal(kernel[:, :, 1, 1])


def test_jax(snippet):
    names = snippet(PAGE, "JAX")
    assert is_orthogonal(names["W"])
    kernel = array(names["K"])
    assert is_orthogonal(kernel[1, 1])
    assert np.count_nonzero(np.any(kernel, axis=(2, 3))) == 1


def test_jax_alone_ships_delta_orthogonal():
    import jax

    assert hasattr(jax.nn.initializers, "delta_orthogonal")
    assert not any("delta" in name.lower() for name in dir(torch.nn.init))
    assert not any("delta" in name.lower() for name in dir(keras.initializers))


@pytest.fixture
def keras_names(snippet):
    return snippet(PAGE, "Keras")


def test_keras_dense_is_orthogonal(keras_names):
    keras_names["dense"].build((None, 256))
    assert is_orthogonal(keras_names["dense"].kernel)


def test_keras_simple_rnn_is_orthogonal_by_default(keras_names):
    assert is_orthogonal(recurrent_kernel(keras_names["rnn"]))


def test_keras_gate_by_gate_is_orthogonal_in_each_gate(keras_names):
    kernel = array(recurrent_kernel(keras_names["lstm"]))
    gates = np.split(kernel, 4, axis=1)
    assert all(map(is_orthogonal, gates))
    assert not np.allclose(gates[0], gates[1])
    gru = keras.layers.GRU(32, recurrent_initializer=keras_names["gate_by_gate"])
    assert np.isclose(mean_radius(recurrent_kernel(gru)), 1, atol=1e-4)


@pytest.mark.parametrize(("layer", "radius"), [("LSTM", 0.5), ("GRU", 0.6)])
def test_keras_default_is_orthogonal_as_a_whole_only(layer, radius):
    kernel = recurrent_kernel(getattr(keras.layers, layer)(128))
    assert is_orthogonal(kernel)  # its rows
    assert abs(mean_radius(kernel) - radius) < 0.05

"""Chapter 14: the critical start, and the integrals of any activation."""

import keras
import numpy as np
import pytest
import torch
from measure import array, is_normal

from netinit import theory

PAGE, DEEPER = "book/14-mean-field.ipynb", "book/deeper/14-mean-field.ipynb"
WEIGHTS, BIASES = 1.76, 0.05


def test_the_number_is_the_critical_variance():
    assert theory.critical_weight_variance("tanh", BIASES) == pytest.approx(WEIGHTS, abs=5e-3)


@pytest.mark.parametrize("library", ["PyTorch", "JAX"])
def test_the_integrals_of_gelu(snippet, library):
    names = snippet(DEEPER, library)
    gain = theory.gain("gelu")
    found = {name: float(array(names[name])) for name in ("gain", "chi")}
    assert found["gain"] == pytest.approx(gain, rel=1e-3)
    assert found["chi"] == pytest.approx(theory.chi("gelu", 1.0, gain**2), rel=1e-3)


def test_pytorch(snippet):
    names = snippet(PAGE, "PyTorch")
    linears = [m for m in names["model"] if isinstance(m, torch.nn.Linear)]
    assert len(linears) == 30
    assert is_normal(torch.stack([m.weight for m in linears[1:]]), WEIGHTS / 300)
    assert is_normal(torch.stack([m.bias for m in linears]), BIASES)


def test_jax(snippet):
    names = snippet(PAGE, "JAX")
    weights, biases = zip(*names["params"], strict=True)
    assert is_normal(np.stack(weights), WEIGHTS / 300)
    assert is_normal(np.stack(biases), BIASES)


def test_keras(snippet):
    layers = [
        layer for layer in snippet(PAGE, "Keras")["model"].layers if isinstance(layer, keras.layers.Dense)
    ]
    kernels = [array(layer.kernel) for layer in layers[1:]]
    assert is_normal(np.stack(kernels), WEIGHTS / 300)
    assert is_normal(np.stack([array(layer.bias) for layer in layers]), BIASES)
    assert len({kernel.tobytes() for kernel in kernels}) == 29


@pytest.mark.parametrize(
    ("name", "gain"), [("sigmoid", 1), ("tanh", 5 / 3), ("relu", 2**0.5), ("selu", 3 / 4)]
)
def test_the_table_of_pytorch_is_the_one_of_the_page(name, gain):
    assert torch.nn.init.calculate_gain(name) == pytest.approx(gain)


@pytest.mark.parametrize("name", ["gelu", "silu", "softsign"])
def test_pytorch_has_no_gain_for_these(name):
    with pytest.raises(ValueError, match="Unsupported"):
        torch.nn.init.calculate_gain(name)

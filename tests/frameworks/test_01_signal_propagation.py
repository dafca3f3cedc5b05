"""Chapter 1: the std of every layer, recorded; and what each framework starts a dense layer with."""

import keras
import numpy as np
import pytest
import torch
from measure import array, dense, has_variance, is_uniform

PAGE = "book/01-signal-propagation.ipynb"


def test_pytorch_records_the_std_of_every_leaf(snippet):
    model = torch.nn.Sequential(
        torch.nn.Linear(64, 30), torch.nn.Sequential(torch.nn.Tanh(), torch.nn.Linear(30, 9))
    )
    x = torch.randn(50, 64)
    stds = snippet(PAGE, "PyTorch", model=model, x=x)["stds"]
    h = model[0](x)
    expected = {"0": h, "1.0": h.tanh(), "1.1": model(x)}
    assert stds == {name: value.std().item() for name, value in expected.items()}


@pytest.mark.xfail(
    raises=NameError, reason="the snippet needs Flax, which is not among the frameworks installed"
)
def test_jax(snippet):
    snippet(PAGE, "JAX")


@pytest.mark.xfail(
    raises=UserWarning, reason="model.inputs is a list of one: Keras warns of an array in its place"
)
def test_keras_prints_the_std_of_every_layer(snippet, capsys):
    model = keras.Sequential([keras.Input((10,)), keras.layers.Dense(5, "relu"), keras.layers.Dense(2)])
    x = np.random.default_rng(0).normal(size=(20, 10)).astype(np.float32)
    snippet(PAGE, "Keras", keras=keras, model=model, x=x)
    h = model.layers[0](x)
    stds = [array(h).std(), array(model.layers[1](h)).std()]
    printed = [float(line.split()[1]) for line in capsys.readouterr().out.splitlines()]
    assert np.allclose(printed, stds, rtol=1e-5)


def test_what_a_dense_layer_starts_with():
    linear = torch.nn.Linear(400, 300)
    assert is_uniform(linear.weight, 1 / np.sqrt(400))
    assert is_uniform(linear.bias, 1 / np.sqrt(400))
    layer = dense(300, 400)
    assert has_variance(layer.kernel, 2 / 700)
    assert not array(layer.bias).any()

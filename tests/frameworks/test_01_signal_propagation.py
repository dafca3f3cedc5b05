"""Chapter 1: both directions, recorded through 30 layers at gain 1; and what a dense layer starts with."""

import keras
import numpy as np
import torch
from measure import array, dense, has_variance, is_uniform

PAGE = "book/01-signal-propagation.ipynb"


def is_level(stds, layers=30):
    """Whether there is one number for each layer, and none has drifted by a factor of 3."""
    stds = np.array([float(std) for std in stds])
    return len(stds) == layers and stds.min() > 1 / 3 and stds.max() < 3


def test_is_level_can_say_no():
    assert is_level(np.ones(30))
    assert not is_level(1.1 ** np.arange(30))
    assert not is_level(np.ones(29))


def test_pytorch_records_signal_and_gradient_of_every_layer(snippet):
    names = snippet(PAGE, "PyTorch")
    assert is_level(names["signal"].values())
    assert is_level(names["gradient"].values())
    assert set(names["gradient"]) == set(names["signal"]) == {str(i) for i in range(30)}


def test_pytorch_records_what_the_layers_give(snippet):
    names = snippet(PAGE, "PyTorch")
    model = torch.nn.Sequential(torch.nn.Linear(64, 30), torch.nn.Tanh(), torch.nn.Linear(30, 9))
    for name, module in model.named_children():
        module.register_forward_hook(names["watch"](name))
    x = torch.randn(50, 64)
    model(x).backward(back := torch.randn(50, 9))
    assert names["signal"]["1"] == model[1](model[0](x)).std().item()
    assert names["gradient"]["2"] == back.std().item()
    assert np.isclose(names["gradient"]["1"], (back @ model[2].weight).std().item(), rtol=1e-5)


def test_jax_records_signal_and_gradient_of_every_layer(snippet):
    names = snippet(PAGE, "JAX")
    assert is_level(names["signal"])
    assert is_level(names["gradient"])
    back = array(names["back"])
    assert np.isclose(array(names["gradient"][-2]), (back @ array(names["weights"][-1]).T).std(), rtol=1e-5)


def test_keras_records_the_signal_of_every_layer(snippet):
    names = snippet(PAGE, "Keras")
    assert is_level(names["signal"].values())
    first, second = (array(layer.kernel) for layer in names["model"].layers[:2])
    assert has_variance(first, 1 / 100)
    assert not np.array_equal(first, second)  # one initializer instance would give both the same values


def test_what_a_dense_layer_starts_with():
    linear = torch.nn.Linear(400, 300)
    assert is_uniform(linear.weight, 1 / np.sqrt(400))
    assert is_uniform(linear.bias, 1 / np.sqrt(400))
    layer = dense(300, 400)
    assert isinstance(layer, keras.layers.Dense)
    assert has_variance(layer.kernel, 2 / 700)
    assert not array(layer.bias).any()

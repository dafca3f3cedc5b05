"""Chapter 9: after LSUV every preactivation has variance 1 on the batch."""

import jax
import keras
import numpy as np
import torch
from measure import array

PAGE = "book/09-lsuv.ipynb"


def test_pytorch(snippet):
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 3),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(288, 30, bias=False),
        torch.nn.Tanh(),
        torch.nn.Linear(30, 10),
    )
    x = 3 * torch.randn(100, 1, 8, 8)
    snippet(PAGE, "PyTorch")["lsuv_"](model, x)
    with torch.no_grad():
        for layer in model:
            x = layer(x)
            if isinstance(layer, torch.nn.Linear | torch.nn.Conv2d):
                assert abs(array(x).std() - 1) < 1e-4
                assert not layer._forward_hooks
    assert not array(model[0].bias).any()


def test_pytorch_leaves_a_dead_layer_as_it_was(snippet):
    model = torch.nn.Sequential(torch.nn.Linear(20, 20))
    snippet(PAGE, "PyTorch")["lsuv_"](model, torch.zeros(50, 20))
    assert np.all(np.isfinite(array(model[0].weight)))


def test_jax(snippet):
    x = 3 * jax.random.normal(jax.random.key(1), (200, 64))
    params = snippet(PAGE, "JAX")["lsuv"](jax.random.key(0), [64, 50, 40, 10], x)
    assert [array(W).shape for W, _ in params] == [(64, 50), (50, 40), (40, 10)]
    h = array(x)
    for W, b in params:
        z = h @ array(W) + array(b)
        assert abs(z.std() - 1) < 1e-4
        h = np.tanh(z)


def test_keras(snippet):
    layers = [keras.layers.Dense(50, "tanh"), keras.layers.Dense(40, "relu"), keras.layers.Dense(10)]
    model = keras.Sequential([keras.Input((64,)), *layers])
    x = 3 * np.random.default_rng(0).normal(size=(200, 64)).astype(np.float32)
    activations = [layer.activation for layer in layers]
    snippet(PAGE, "Keras")["lsuv"](model, x)
    assert [layer.activation for layer in layers] == activations
    for layer in layers:
        z = array(x) @ array(layer.kernel) + array(layer.bias)
        assert abs(z.std() - 1) < 1e-4
        x = layer(x)

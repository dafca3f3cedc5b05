"""Chapter 15: muP's weights and rates."""

import jax
import keras
import numpy as np
import torch
from measure import array, has_variance, is_normal

PAGE = "book/15-recipes.ipynb"
BASE, N, LR = 64, 1024, 0.016
FIRST, HIDDEN, LAST = 2 / 64, 2 / N, 2 / N * BASE / N


def test_pytorch(snippet):
    names = snippet(PAGE, "PyTorch")
    first, hidden, last = names["first"], names["hidden"], names["last"]
    assert is_normal(first.weight, FIRST)
    assert is_normal(hidden.weight, HIDDEN)
    assert is_normal(last.weight, LAST)
    rates = {id(p): g["lr"] for g in names["optimizer"].param_groups for p in g["params"]}
    assert [rates[id(p)] for p in (first.weight, hidden.weight, last.weight)] == [LR, LR / 16, LR / 16]
    assert all(rates[id(layer.bias)] == LR for layer in (first, hidden, last))
    assert len(rates) == len(list(names["model"].parameters()))


def test_jax(snippet):
    names = snippet(PAGE, "JAX")
    params = names["params"]
    assert is_normal(params["first"], FIRST)
    assert is_normal(params["hidden"], HIDDEN)
    assert is_normal(params["last"], LAST)
    ones = jax.tree.map(np.ones_like, params)
    moved = jax.tree.map(lambda a, b: float(np.abs(a - b).max()), params, names["apply"](params, ones))
    for name, rate in {"first": LR, "hidden": LR / 16, "last": LR / 16}.items():
        np.testing.assert_allclose(moved[name], rate, rtol=1e-3)


def test_keras_multiplier(snippet):
    """The weights that count are V / m; one step of Adam moves them by the rate over m."""
    names = snippet(PAGE, "Keras")
    dense = [layer for layer in names["model"].layers if isinstance(layer, keras.layers.Dense)]
    scales = [layer.scale for layer in names["model"].layers if isinstance(layer, keras.layers.Rescaling)]
    assert scales == [BASE / N] * 2
    assert has_variance(dense[0].kernel, FIRST)
    assert is_normal(array(dense[1].kernel) * BASE / N, HIDDEN)
    assert is_normal(array(dense[2].kernel) * BASE / N, LAST)
    assert float(names["optimizer"].learning_rate) == np.float32(LR)


def test_a_multiplier_is_a_rate():
    """What the page says of Adam: the layer h V / m at rate eta trains as h W at rate eta / m."""
    m, x, target = 16, torch.randn(8, 5), torch.randn(8, 3)
    weight = torch.randn(5, 3)
    W, V = weight.clone().requires_grad_(), (weight * m).requires_grad_()
    plain, scaled = torch.optim.Adam([W], 0.01 / m, eps=1e-30), torch.optim.Adam([V], 0.01, eps=1e-30)
    for _ in range(5):
        for optimizer, out in ((plain, x @ W), (scaled, x @ V / m)):
            optimizer.zero_grad()
            ((out - target) ** 2).mean().backward()
            optimizer.step()
    torch.testing.assert_close(V.detach() / m, W.detach(), rtol=1e-4, atol=1e-5)
    assert (W.detach() - weight).abs().max() > 1e-3

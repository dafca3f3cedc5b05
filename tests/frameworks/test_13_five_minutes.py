"""Chapter 13: the look in three libraries finds a planted fault; the slips happen, and their cures help."""

import itertools

import jax
import jax.numpy as jnp
import keras
import numpy as np
import torch
from measure import array
from torch import nn

PAGE = "book/13-five-minutes.ipynb"
DEEPER = "book/deeper/13-five-minutes.ipynb"
SIZES = [32, 64, 64, 10]
X = np.random.default_rng(0).standard_normal((100, 32), dtype=np.float32)
Y = np.random.default_rng(1).integers(0, 10, 100)


def torch_model(bias=0.0):
    """He's ReLU network; the bias goes into the second hidden layer."""
    model = nn.Sequential(
        nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Flatten(), nn.Linear(64, 10)
    )
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.constant_(layer.bias, 0.0)
    nn.init.constant_(model[2].bias, bias)
    return model


def test_pytorch_look_agrees_with_a_look_by_hand(snippet):
    look = snippet(PAGE, "PyTorch")["look"]
    model, x, y = torch_model(), torch.tensor(X), torch.tensor(Y)
    loss, rows, steps = look(model, x, y, lr=0.1)
    z = model[:3](x)
    z.retain_grad()
    by_hand = nn.functional.cross_entropy(model[3:](z), y)
    by_hand.backward()
    np.testing.assert_allclose(loss, by_hand.item(), rtol=1e-5)
    expected = [z.pow(2).mean().sqrt().item(), (z <= 0).all(0).float().mean().item(), z.grad.std().item()]
    np.testing.assert_allclose(rows["2"], expected, rtol=1e-3)
    assert list(rows) == [str(i) for i in range(6)]
    assert all(len(row) == 3 for row in rows.values())
    model.zero_grad()
    nn.functional.cross_entropy(model(x), y).backward()
    W = model[0].weight
    np.testing.assert_allclose(steps["0.weight"], 0.1 * (W.grad.norm() / W.norm()).item(), rtol=1e-4)


def test_pytorch_look_shows_a_dead_layer_and_leaves_no_hook(snippet):
    look = snippet(PAGE, "PyTorch")["look"]
    model = torch_model(bias=-10.0)
    _, rows, steps = look(model, torch.tensor(X), torch.tensor(Y))
    assert rows["3"][1] == 1.0
    assert rows["0"][2] == steps["0.weight"] == 0.0
    assert not any(layer._forward_hooks for layer in model)


def test_pytorch_look_of_images_and_an_inplace_relu(snippet):
    look = snippet(PAGE, "PyTorch")["look"]
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(8 * 36, 10))
    _, rows, _ = look(model, torch.randn(20, 1, 8, 8), torch.tensor(Y[:20]))
    assert 0 < rows["0"][0] < 10
    assert rows["1"][1] < 0.5


def test_jax_look(snippet):
    look = snippet(PAGE, "JAX")["look"]
    keys = jax.random.split(jax.random.key(0), 3)
    init = jax.nn.initializers.he_normal()
    params = [
        (init(k, pair), jnp.zeros(pair[1])) for k, pair in zip(keys, itertools.pairwise(SIZES), strict=True)
    ]
    loss, rms, gradients, steps = look(params, X, Y)
    assert 2.3 < float(loss) < 4.5
    assert len(rms) == len(gradients) == len(steps) == 3
    model = torch_model()  # the same weights, looked at by hand
    for layer, (W, _) in zip((model[0], model[2], model[5]), params, strict=True):
        layer.weight.data = torch.tensor(array(W).T.copy()).float()
    z = model[:3](torch.tensor(X))
    z.retain_grad()
    nn.functional.cross_entropy(model[3:](z), torch.tensor(Y)).backward()
    np.testing.assert_allclose(float(rms[1]), z.pow(2).mean().sqrt().item(), rtol=1e-3)
    np.testing.assert_allclose(float(gradients[1]), z.grad.std(unbiased=False).item(), rtol=1e-3)
    dead = [params[0], (params[1][0], params[1][1] - 10), params[2]]
    assert float(look(dead, X, Y)[3][0]) == 0.0


def test_keras_look(snippet):
    look = snippet(PAGE, "Keras")["look"]
    layers = [keras.layers.Dense(64, "relu", kernel_initializer="he_normal") for _ in range(2)]
    model = keras.Sequential([keras.Input((32,)), *layers, keras.layers.Dense(10)])
    loss, rows = look(model, X, Y)
    assert 2.0 < loss < 4.5
    assert len(rows) == 3
    assert 0.5 < rows[layers[1].name][0] < 2
    layers[1].bias.assign(np.full(64, -10.0))
    assert look(model, X, Y)[1][layers[1].name][1] == 1.0


def test_pytorch_slips(snippet):
    names = snippet(DEEPER, "PyTorch")
    assert not names["kept_wrong"]
    assert names["kept_right"]
    assert names["unknown"] == ["2.weight", "2.bias"]
    assert names["apart"] > 0.1
    assert names["together"] == 0


def test_jax_one_key_draws_the_same(snippet):
    names = snippet(DEEPER, "JAX")
    assert (names["same"][0] == names["same"][2]).all()
    assert not (names["own"][0] == names["own"][2]).any()
    assert names["ensemble"].shape == (5, 64, 10)
    assert not (names["ensemble"][0] == names["ensemble"][1]).any()


def test_keras_an_instance_with_a_seed_draws_the_same(snippet):
    names = snippet(DEEPER, "Keras")
    assert (names["same"][0] == names["same"][2]).all()
    assert not (names["own"][0] == names["own"][2]).any()
    first, second = (array(layer.kernel) for layer in names["by_name"].layers)
    assert not (first == second).any()


def test_keras_warns_of_an_instance_without_a_seed_and_repeats_it():
    unseeded = keras.initializers.HeNormal()
    assert (array(unseeded((8, 8))) == array(unseeded((8, 8)))).all()

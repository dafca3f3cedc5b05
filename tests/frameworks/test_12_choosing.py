"""Chapter 12: every call of the guide runs, and draws the variance that stands beside it."""

import itertools
import math

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
import torch
from measure import array, has_variance, is_orthogonal

import netinit
from netinit.figures import choosing

SIZES = {"k": 3, "c_in": 32, "c_out": 64, "groups": 4, "stride": 2, "n_in": 96, "n_out": 160, "n": 48}
SIZES |= {"d": 64, "heads": 8}
WITH_PLACES = ("activations", "structures", "depths")
GRID = [*itertools.product(*(choosing.table()[name] for name in WITH_PLACES), ("SGD", "Adam"))]
ANSWERS = {
    (place[1], *answer.calls.values()): (place[1], answer)
    for place in GRID
    for answer in [choosing.answer(*place)]
}


def expected(answer):
    """Return the variance, with numbers for the sizes."""
    sizes = dict(SIZES)
    if answer.n_in != "n_in":
        sizes["n_in"] = eval(answer.n_in, {}, SIZES)
        sizes["n_out"] = SIZES["k"] ** 2 * SIZES["c_out"]  # only a plain convolution has a rule with n_out
    return eval(answer.variance, {"max": max}, sizes), sizes["n_in"]


def run_netinit(call, _structure, _n_in):
    names = vars(netinit) | SIZES | {"np": np, "rng": np.random.default_rng(0)}
    return eval(call, names)


def run_jax(call, _structure, _n_in):
    names = {"init": jax.nn.initializers, "jax": jax, "jnp": jnp, "key": jax.random.key(0)}
    return eval(call, names | SIZES)


TORCH_LAYERS = {
    "convolution": lambda s: torch.nn.Conv2d(s["c_in"], s["c_out"], s["k"]),
    "grouped": lambda s: torch.nn.Conv2d(s["c_in"], s["c_out"], s["k"], groups=s["groups"]),
    "depthwise": lambda s: torch.nn.Conv2d(s["c_in"], s["c_in"], s["k"], groups=s["c_in"]),
    "transposed": lambda s: torch.nn.ConvTranspose2d(s["c_in"], s["c_out"], s["k"], stride=s["stride"]),
    "recurrent": lambda s: torch.nn.LSTM(s["d"], s["n"]),
    "attention": lambda s: torch.nn.MultiheadAttention(s["d"], s["heads"]),
}
TORCH_WEIGHTS = {"recurrent": "weight_hh_l0", "attention": "in_proj_weight"}


def run_torch(call, structure, n_in):
    torch.manual_seed(0)
    make = TORCH_LAYERS.get(structure, lambda s: torch.nn.Linear(s["n_in"], s["n_out"]))
    layer = make(SIZES)
    exec(call, {"init": torch.nn.init, "math": math, "layer": layer} | SIZES | {"n_in": n_in})
    weight = getattr(layer, TORCH_WEIGHTS.get(structure, "weight"))
    return array(weight).T if weight.ndim == 2 else weight


KERAS_INPUTS = {
    "recurrent": (None, 5, 64),
    "dense": (None, 96),
    "residual": (None, 96),
    "normalized": (None, 96),
}


def run_keras(call, structure, _n_in):
    keras.utils.set_random_seed(0)
    names = vars(keras.layers) | {"init": keras.initializers, "ops": keras.ops} | SIZES
    layer = eval(call, names)
    if structure == "attention":
        layer.build((None, 5, 64), (None, 5, 64))
        return layer._query_dense.kernel
    layer.build(KERAS_INPUTS.get(structure, (None, 8, 8, 32)))
    return layer.cell.recurrent_kernel if structure == "recurrent" else layer.kernel


RUN = {"netinit": run_netinit, "PyTorch": run_torch, "JAX": run_jax, "Keras": run_keras}


@pytest.mark.parametrize("library", RUN)
@pytest.mark.parametrize("key", ANSWERS, ids=lambda key: f"{key[0]}-{key[1][:24]}")
def test_a_call_draws_the_variance_beside_it(key, library):
    structure, answer = ANSWERS[key]
    variance, n_in = expected(answer)
    weights = array(RUN[library](answer.calls[library], structure, n_in))
    if variance == 0:
        assert not weights.any()
    elif structure == "recurrent":
        assert all(is_orthogonal(gate) for gate in np.split(weights, 4, axis=1))
    else:
        assert has_variance(weights, variance)


def test_a_wrong_call_is_seen():
    fan = run_keras('DepthwiseConv2D(k, depthwise_initializer="he_normal")', "depthwise", 9)
    assert not has_variance(fan, 2 / 9)
    assert has_variance(fan, 2 / 9 / SIZES["c_in"])


# --- the tabs of the rule: the layer adds up for itself ----------------------------------------------------

PAGE = "book/12-choosing.ipynb"


def second_moment(output):
    return float(np.mean(array(output) ** 2))


def test_pytorch_counts(snippet):
    names = snippet(PAGE, "PyTorch")
    with torch.no_grad():
        after = names["layer"](torch.randn(8, 32, 16, 16))
    assert second_moment(after) == pytest.approx(2, rel=0.1)
    probabilities = torch.softmax(names["last"](torch.randn(5, 100)), dim=1)
    assert torch.allclose(probabilities, names["prior"].expand(5, 2))


def test_jax_counts(snippet):
    names = snippet(PAGE, "JAX")
    assert second_moment(names["layer"](names["W"], names["x"])) == pytest.approx(2, rel=0.1)
    assert not array(names["last"]["W"]).any()
    assert np.allclose(jax.nn.softmax(names["last"]["b"]), names["prior"])


def test_keras_counts(snippet):
    names = snippet(PAGE, "Keras")
    assert second_moment(names["layer"](names["x"])) == pytest.approx(2, rel=0.2)
    x = keras.random.normal((5, 100), seed=0)
    assert np.allclose(names["last"](x), 0.01)


# Behind a ReLU half of the inputs are 0 and the mean square is that over all: the draw has to see both.


def test_pytorch_keeps_the_level_behind_relus(snippet):
    draw, x, found = snippet(PAGE, "PyTorch")["draw"], torch.randn(300, 256), []
    for _ in range(4):
        layer = torch.nn.Linear(256, 256)
        draw(layer, x)
        with torch.no_grad():
            found.append(second_moment(layer(x)))
            x = torch.relu(layer(x))
    assert found == pytest.approx([2] * 4, rel=0.2)


def test_jax_keeps_the_level_behind_relus(snippet):
    draw, found = snippet(PAGE, "JAX")["draw"], []
    keys = jax.random.split(jax.random.key(5), 5)
    x = jax.random.normal(keys[4], (300, 256))
    for key in keys[:4]:
        z = x @ draw(key, lambda W, x: x @ W, (256, 256), x)
        found.append(second_moment(z))
        x = jax.nn.relu(z)
    assert found == pytest.approx([2] * 4, rel=0.2)


def test_keras_keeps_the_level_behind_relus(snippet):
    draw, x, found = snippet(PAGE, "Keras")["draw"], keras.random.normal((300, 256), seed=0), []
    for seed in range(4):
        layer = keras.layers.Dense(256)
        draw(layer, x, seed=seed + 1)
        found.append(second_moment(layer(x)))
        x = keras.ops.relu(layer(x))
    assert found == pytest.approx([2] * 4, rel=0.2)

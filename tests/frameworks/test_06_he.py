"""Chapter 6: He's rule, and what is untruncated."""

import math

import keras
import pytest
import torch
from measure import array, dense, has_variance, is_cut, is_normal, is_uniform

PAGE = "book/06-he.ipynb"


def test_pytorch(snippet):
    model = torch.nn.Sequential(torch.nn.Conv2d(8, 64, 3), torch.nn.ReLU(), torch.nn.Linear(100, 200))
    snippet(PAGE, "PyTorch", model=model, nn=torch.nn)
    assert is_normal(model[0].weight, 2 / (9 * 8))
    assert is_normal(model[2].weight, 2 / 100)
    assert not array(model[0].bias).any()
    assert not array(model[2].bias).any()


def test_pytorch_default_and_slope():
    w = torch.nn.init.kaiming_uniform_(torch.empty(200, 100), a=math.sqrt(5))
    assert is_uniform(w, 1 / 10)
    assert is_uniform(torch.nn.Linear(100, 200).weight, 1 / 10)
    leaky = torch.nn.init.kaiming_normal_(torch.empty(200, 100), a=0.2, nonlinearity="leaky_relu")
    assert has_variance(leaky, 2 / 1.04 / 100)
    relu = torch.nn.init.kaiming_normal_(torch.empty(200, 100), a=0.2, nonlinearity="relu")
    assert has_variance(relu, 2 / 100)  # a is ignored


@pytest.mark.xfail(
    raises=NameError, reason="the snippet needs Flax, which is not among the frameworks installed"
)
def test_jax(snippet):
    import jax

    given = {"jax": jax, "jnp": jax.numpy, "key": jax.random.key(0), "n_in": 100, "n_out": 200}
    assert is_cut(snippet(PAGE, "JAX", **given)["w"], 2 / 100)


def test_keras(snippet):
    layer = snippet(PAGE, "Keras", keras=keras, n_out=200)["layer"]
    layer.build((None, 100))
    assert is_cut(layer.kernel, 2 / 100)
    assert is_uniform(dense(200, 100, activation="relu").kernel, math.sqrt(6 / 300))

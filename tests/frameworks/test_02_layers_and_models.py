"""Chapter 2: a custom layer with a matrix of its own, its start, and a check of every gradient."""

import jax
import jax.test_util
import numpy as np
import pytest
import torch
from measure import array, has_variance

PAGE = "book/02-layers-and-models.ipynb"
RNG = np.random.default_rng(0)


def test_pytorch_walk_starts_the_own_matrix_by_its_own_fan_in(snippet):
    names = snippet(PAGE, "PyTorch")
    wide = names["Mix"](400, 100, 300)
    assert has_variance(wide.weight, 1)  # randn, before the walk
    wide.apply(names["start"])
    assert has_variance(wide.weight, 1 / 100)
    assert has_variance(wide.linear.weight, 1 / 400)
    assert not array(wide.linear.bias).any()
    x = torch.randn(4, 400)
    assert np.allclose(array(wide(x)), array(x) @ array(wide.linear.weight).T @ array(wide.weight), atol=1e-4)


def test_pytorch_fan_in_of_the_own_matrix_would_be_its_last_axis():
    weight = torch.empty(100, 300)
    torch.nn.init.kaiming_normal_(weight, nonlinearity="linear")
    assert has_variance(weight, 1 / 300)


def test_pytorch_gradient_check_sees_x_and_all_parameters(snippet, monkeypatch):
    asked = []
    monkeypatch.setattr(torch.autograd, "gradcheck", lambda _f, inputs: asked.append(len(inputs)))
    snippet(PAGE, "PyTorch")
    assert asked == [6]  # x; weight and bias of the first layer; own matrix, weight and bias of Mix


class WrongForWeight(torch.autograd.Function):
    """x @ w, with twice the gradient of w."""

    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x @ w

    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        return grad @ w.T, 2 * x.T @ grad


def test_pytorch_gradient_check_of_x_alone_passes_a_wrong_weight_gradient(snippet):
    names = snippet(PAGE, "PyTorch")
    mix = names["Mix"]().double()
    mix.forward = lambda x: WrongForWeight.apply(mix.linear(x), mix.weight)
    assert torch.autograd.gradcheck(mix, (names["x"],))
    keys, values = zip(*mix.named_parameters(), strict=True)

    def output(x, *values):
        return torch.func.functional_call(mix, dict(zip(keys, values, strict=True)), (x,))

    with pytest.raises(RuntimeError, match="Jacobian mismatch"):
        torch.autograd.gradcheck(output, (names["x"], *values))


def test_jax_checks_x_and_parameters_in_float64(snippet, monkeypatch):
    asked = []
    monkeypatch.setattr(jax.test_util, "check_grads", lambda _f, args, **kw: asked.append((args, kw)))
    snippet(PAGE, "JAX")
    ((params, x), options) = asked[0]
    assert [leaf.dtype for leaf in jax.tree.leaves((params, x))] == [np.float64] * 4
    assert options["rtol"] == 1e-6


def test_jax_forward_and_check_that_can_fail(snippet):
    names = snippet(PAGE, "JAX")
    params, x = names["params"], array(names["x"])
    expected = np.maximum(x @ array(params["first"]), 0) @ array(params["mix_in"]) @ array(params["mix_own"])
    with jax.enable_x64(True):
        assert np.allclose(array(names["forward"](params, names["x"])), expected)

    @jax.custom_vjp
    def wrong(params):
        return names["forward"](params, names["x"])

    wrong.defvjp(lambda p: (wrong(p), p), lambda p, _: (jax.tree.map(jax.numpy.ones_like, p),))
    with jax.enable_x64(True), pytest.raises(AssertionError):
        names["check_grads"](wrong, (params,), order=1, modes=["rev"])


def test_keras_custom_layer(snippet):
    names = snippet(PAGE, "Keras")
    assert len(names["paths"]) == 5  # first layer, and those of Mix
    layer = names["Mix"](100, 300)
    x = RNG.normal(size=(4, 400)).astype(np.float32)
    y = array(layer(x))
    assert layer.own.shape == (100, 300)
    assert has_variance(layer.own, 1 / 100)
    assert has_variance(layer.linear.kernel, 2 / 400)  # behind a ReLU: He
    assert np.allclose(y, x @ array(layer.linear.kernel) @ array(layer.own), atol=1e-4)

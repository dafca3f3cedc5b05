"""Chapter 2: the same model and the custom layer."""

import jax
import numpy as np
import pytest
import torch
from measure import array, has_variance

PAGE = "book/02-layers-and-models.ipynb"
RNG = np.random.default_rng(0)


def nearness(x, w):
    """Return -1/2 of the squared distance of each row of x to each column of w."""
    return -0.5 * ((x[:, :, None] - w) ** 2).sum(axis=1)


def test_pytorch_model_and_walk(snippet):
    names = snippet(PAGE, "PyTorch")
    assert names["model"][0].weight.shape == (5, 10)
    for index, (n_out, n_in) in ((0, (5, 10)), (2, (2, 5))):
        assert has_variance(names["model"][index].weight, 2 / (n_in + n_out))
        assert not array(names["model"][index].bias).any()


def test_pytorch_custom_layer(snippet):
    layer, x = snippet(PAGE, "PyTorch")["Nearness"](), torch.randn(4, 5)
    assert np.allclose(array(layer(x)), nearness(array(x), array(layer.weight)), rtol=1e-4)


@pytest.mark.xfail(
    raises=AssertionError,
    reason="the snippet checks the gradient to x alone: a wrong gradient of a weight passes it",
)
def test_pytorch_gradient_check_sees_a_wrong_weight_gradient(snippet, monkeypatch):
    """Run the snippet with a check that counts what it is asked to differentiate."""
    asked = []
    monkeypatch.setattr(torch.autograd, "gradcheck", lambda _f, inputs: asked.append(len(inputs)))
    snippet(PAGE, "PyTorch")
    assert asked == [5]  # x, two weights, two biases


def test_jax_gradients_and_their_check(snippet):
    names = snippet(PAGE, "JAX")
    params, x = names["params"], names["x"]
    (w1, b1), (w2, b2) = params
    assert [array(v).shape for v in (w1, b1, w2, b2)] == [(10, 5), (5,), (5, 2), (2,)]
    assert np.allclose(
        array(names["forward"](params, x)), np.maximum(array(x) @ array(w1), 0) @ array(w2), atol=1e-5
    )
    (_, _), (g2, gb2) = names["grads"]
    assert np.allclose(array(gb2), 4)
    assert np.allclose(array(g2), np.maximum(array(x) @ array(w1), 0).sum(0)[:, None] * np.ones(2), atol=1e-5)


def test_jax_check_can_fail(snippet):
    names = snippet(PAGE, "JAX")

    @jax.custom_vjp
    def wrong(params):
        return names["forward"](params, names["x"])

    wrong.defvjp(lambda p: (wrong(p), p), lambda p, _: (jax.tree.map(jax.numpy.ones_like, p),))
    with pytest.raises(AssertionError):
        names["check_grads"](wrong, (names["params"],), order=1, modes=["rev"])


def test_keras_model_and_custom_layer(snippet):
    names = snippet(PAGE, "Keras")
    assert names["model"].layers[0].kernel.shape == (10, 5)
    assert len(names["model"].layers) == 2
    layer = names["Nearness"]()
    x = RNG.normal(size=(4, 5)).astype(np.float32)
    assert np.allclose(array(layer(x)), nearness(x, array(layer.w)), rtol=1e-4)
    assert layer.w.shape == (5, 10)

"""Putting an initializer into a model."""

import numpy as np
import pytest

from netinit import (
    Activation,
    Conv2d,
    Layer,
    Linear,
    Parameter,
    Residual,
    ScalarBias,
    Sequential,
    fixup,
    initialize,
    mlp,
    residual_mlp,
)
from netinit.initializers import constant, he_normal, normal, xavier_normal


def test_each_layer_gets_its_own_variance_and_zero_bias():
    model = mlp([400, 900, 100], "relu")
    model[0].bias.value[...] = 7
    assert initialize(model, "he_normal", np.random.default_rng(0)) is model
    for layer, fan_in in ((model[0], 400), (model[2], 900)):
        w = layer.weight.value
        assert w.dtype == np.float32
        assert abs(w.var() - 2 / fan_in) < 5 * (2 / fan_in) * np.sqrt(2 / w.size)
        assert abs(w.var() - 1 / fan_in) > 5 * (1 / fan_in) * np.sqrt(2 / w.size)  # not LeCun's
        assert not layer.bias.value.any()


def test_draws_are_those_of_the_initializer_in_order():
    model = initialize(mlp([5, 4, 3]), he_normal, np.random.default_rng(3))
    rng = np.random.default_rng(3)
    np.testing.assert_array_equal(model[0].weight.value, he_normal((5, 4), rng))
    np.testing.assert_array_equal(model[2].weight.value, he_normal((4, 3), rng))


def test_reaches_into_branches_and_leaves_scalars():
    model = residual_mlp(6, 8, 2, 3, fixup=True)
    initialize(
        model,
        lambda shape, rng, dtype: constant(shape, rng, value=0.5, dtype=dtype),
        np.random.default_rng(0),
    )
    for path, p in model.named_parameters():
        expected = {"weight": 0.5, "bias": 0.0, "scale": 1.0}[p.name]
        assert np.all(p.value == expected), path


def test_bias_initializer_and_dtype():
    model = mlp([5, 4, 3]).astype(np.float64)
    initialize(model, "zeros", np.random.default_rng(0), bias="ones")
    assert model[0].bias.value.dtype == np.float64
    assert model[0].bias.value.all()


def test_shared_weight_is_drawn_once():
    first, second = Linear(4, 4), Linear(4, 4)
    second.weight = first.weight
    initialize(Sequential(first, second), normal, np.random.default_rng(0))
    np.testing.assert_array_equal(first.weight.value, normal((4, 4), np.random.default_rng(0)))


def kernel_std(base, fill):
    """Standard deviation of a grouped kernel (3, 3, 1, 64): fan_in 9, fan_out 72, as `fill` draws it."""
    conv = Conv2d(8, 64, groups=8)
    branch = Sequential(Activation("relu"), conv, Activation("relu"), Conv2d(64, 8))
    fill(Sequential(Residual(branch), Conv2d(8, 2)), base, np.random.default_rng(0))
    return conv.weight.value.std()


def test_the_groups_of_a_convolution_count():
    expected = np.sqrt(2 / (9 + 72))  # Glorot; without the groups it would be sqrt(2 / (9 + 576))
    error = 5 * expected / np.sqrt(2 * 9 * 64)
    for fill in (initialize, lambda model, base, rng: fixup(model, rng, base=base)):  # one branch: L = 1
        assert abs(kernel_std("xavier_normal", fill) - expected) < error
        assert abs(kernel_std(without_groups, fill) - expected) > error


def without_groups(shape, rng, *, dtype):
    return xavier_normal(shape, rng, dtype=dtype)


class Custom(Layer):
    """A layer of one's own whose matrices have these names."""

    def __init__(self, *names):
        for name in names:
            setattr(self, name, Parameter(np.zeros((4, 6), np.float32), name=name))


def test_the_only_matrix_is_the_weight_whatever_its_name():
    model = initialize(Sequential(Custom("matrix")), "he_normal", np.random.default_rng(0))
    np.testing.assert_array_equal(model[0].matrix.value, he_normal((4, 6), np.random.default_rng(0)))
    model = initialize(Sequential(Custom("other", "weight")), "ones", np.random.default_rng(0))
    assert model[0].weight.value.all()
    assert not model[0].other.value.any()


def drawing(value):
    return lambda shape, _rng, *, dtype: np.full(shape, value)  # noqa: ARG005


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda: initialize("mlp", "zeros", np.random.default_rng(0)),
            TypeError,
            "model must be a Layer.*str",
        ),
        (
            lambda: initialize("he_normal", mlp([2, 2]), np.random.default_rng(0)),
            TypeError,
            "model must be a Layer, got str",
        ),
        (
            lambda: initialize(Sequential(Custom("query", "key")), "zeros", np.random.default_rng(0)),
            ValueError,
            "layer '0' must call one of its parameters weight, got query, key",
        ),
        (
            lambda: initialize(mlp([2, 2]), lambda _shape, _rng: 0, np.random.default_rng(0)),
            TypeError,
            r"initializer must be .* f\(shape, rng, \*, dtype\), got <lambda>\(_shape, _rng\)",
        ),
        *(
            (
                lambda value=value: initialize(mlp([2, 2]), drawing(value), np.random.default_rng(0)),
                error,
                words,
            )
            for value, error, words in (
                (np.nan, ValueError, "returned for layer '0' must be finite in float32, got NaN"),
                (-np.inf, ValueError, "must be finite in float32, got NaN, infinity"),
                (1e300, ValueError, "must be finite in float32, .* an overflow"),
                (1j, TypeError, "must hold real numbers, got dtype complex128"),
                ("a", TypeError, "must hold real numbers"),
            )
        ),
        (lambda: initialize(mlp([2, 2]), "he_normal", 0), TypeError, "rng .*Generator.*seed 0"),
        (
            lambda: initialize(mlp([2, 2]), "he_norml", np.random.default_rng(0)),
            ValueError,
            "he_norml.*he_normal",
        ),
        (lambda: initialize(mlp([2, 2]), 3, np.random.default_rng(0)), TypeError, "initializer .*int"),
        (
            lambda: initialize(
                Sequential(Activation("relu"), ScalarBias()), "zeros", np.random.default_rng(0)
            ),
            ValueError,
            "model .*weight.*Sequential",
        ),
        (
            lambda: initialize(
                mlp([2, 3]), lambda _shape, _rng, **_: np.zeros((3, 2)), np.random.default_rng(0)
            ),
            ValueError,
            r"shape \(3, 2\) for layer '0', it needs \(2, 3\)",
        ),
    ],
)
def test_wrong_calls(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_an_exception_inside_an_initializer_keeps_its_own_message():
    def broken(shape, rng, *, dtype):
        return rng.standard_normal(shape, dtype) + np.ones(3, dtype)

    def misspelled(shape, rng, **_):
        return rng.standard_norml(shape)

    for draw, error, words in (
        (broken, ValueError, "operands could not be broadcast"),
        (misspelled, AttributeError, "standard_norml"),
        (lambda shape, rng, **_: rng.uniform("0", 1, shape), TypeError, None),
    ):
        with pytest.raises(error, match=words) as caught:
            initialize(mlp([2, 2]), draw, np.random.default_rng(0))
        assert "initializer must" not in str(caught.value)

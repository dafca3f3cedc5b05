"""Losses: closed forms, gradients, extreme logits, wrong calls."""

import math
import re

import numpy as np
import pytest
from gradcheck import numerical_gradient, relative_error

from netinit.losses import mean_squared_error, softmax_cross_entropy

LARGEST = float(np.finfo(np.float32).max)


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def test_equal_logits_give_log_of_the_number_of_classes():
    loss, grad = softmax_cross_entropy(np.full((3, 10), 4.0), np.array([0, 5, 9]))
    assert math.isclose(loss, math.log(10), rel_tol=1e-15)
    expected = np.full((3, 10), 0.1) - np.eye(10)[[0, 5, 9]]
    np.testing.assert_allclose(grad, expected / 3, atol=1e-16)


def test_two_classes_are_logistic_regression(rng):
    z, labels = rng.normal(size=20), rng.integers(0, 2, 20)
    loss, grad = softmax_cross_entropy(np.stack([np.zeros(20), z], axis=1), labels)
    assert math.isclose(loss, np.mean(np.log1p(np.exp(-(2 * labels - 1) * z))), rel_tol=1e-13)
    np.testing.assert_allclose(grad[:, 1], (1 / (1 + np.exp(-z)) - labels) / 20, atol=1e-16)


def test_mean_squared_error_closed_form():
    loss, grad = mean_squared_error(np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([[1.0, 0.0], [0.0, 4.0]]))
    assert loss == (0 + 4 + 9 + 1) / 4
    np.testing.assert_array_equal(grad, np.array([[0, 2], [3, 1]]) * 2 / 4)


def test_gradients_match_finite_differences(rng):
    outputs, labels, targets = rng.normal(size=(5, 4)), rng.integers(0, 4, 5), rng.normal(size=(5, 4))
    for loss, truth in ((softmax_cross_entropy, labels), (mean_squared_error, targets)):
        numerical = numerical_gradient(lambda loss=loss, truth=truth: loss(outputs, truth)[0], outputs)
        assert relative_error(loss(outputs, truth)[1], numerical) < 1e-7


def test_a_gradient_that_is_not_averaged_is_caught(rng):
    outputs, labels = rng.normal(size=(5, 4)), rng.integers(0, 4, 5)
    numerical = numerical_gradient(lambda: softmax_cross_entropy(outputs, labels)[0], outputs)
    assert relative_error(5 * softmax_cross_entropy(outputs, labels)[1], numerical) > 1e-2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("extreme", [1e4, 1e30, -1e30, LARGEST, -LARGEST])
def test_finite_logits_give_a_finite_loss(extreme, dtype):
    logits = np.array([[extreme, 0, -extreme], [extreme, extreme, extreme], [0, 1, extreme]], dtype)
    for label in range(3):
        loss, grad = softmax_cross_entropy(logits, np.full(3, label))
        each = logits.astype(np.float64)
        largest = each.max(axis=1, keepdims=True)
        terms = np.log(np.exp(each - largest).sum(axis=1)) + largest[:, 0] - each[:, label]
        assert math.isfinite(loss)
        assert math.isclose(loss, terms.mean(), rel_tol=1e-6, abs_tol=1e-6)
        assert np.all(np.isfinite(grad))
        np.testing.assert_allclose(grad.sum(axis=1), 0, atol=1e-6)


def test_float32_squares_do_not_overflow():
    loss, grad = mean_squared_error(np.array([1e30, -3e30], np.float32), np.zeros(2, np.float32))
    assert math.isclose(loss, 5e60, rel_tol=1e-6)
    assert np.all(np.isfinite(grad))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_gradient_keeps_the_dtype_and_the_inputs_stay(dtype, rng):
    outputs, targets = rng.normal(size=(4, 3)).astype(dtype), rng.normal(size=(4, 3)).astype(dtype)
    before = outputs.copy()
    for loss, truth in ((softmax_cross_entropy, np.arange(4) % 3), (mean_squared_error, targets)):
        value, grad = loss(outputs, truth)
        assert isinstance(value, float)
        assert grad.dtype == dtype
        np.testing.assert_array_equal(outputs, before)


def test_a_logit_that_is_not_finite_gives_a_loss_that_is_not():
    with np.errstate(invalid="ignore"):
        for bad in (np.nan, np.inf):
            assert not math.isfinite(softmax_cross_entropy(np.array([[0.0, bad]]), np.array([0]))[0])


def test_a_difference_beyond_the_dtype_still_has_a_loss():
    with np.errstate(over="ignore"):  # the gradient is beyond float32
        loss, grad = mean_squared_error(np.float32([3e38]), np.float32([-3e38]))
    assert loss == pytest.approx(3.6e77, rel=1e-6)
    assert grad.dtype == np.float32


Z = np.zeros((3, 4))
WRONG_CALLS = {
    "label too large": (
        lambda: softmax_cross_entropy(Z, np.array([0, 1, 4])),
        ValueError,
        "in 0..3, got 0..4",
    ),
    "label negative": (
        lambda: softmax_cross_entropy(Z, np.array([0, -1, 2])),
        ValueError,
        "in 0..3, got -1..2",
    ),
    "label floats": (lambda: softmax_cross_entropy(Z, np.zeros(3)), TypeError, "labels must be integers"),
    "label booleans": (
        lambda: softmax_cross_entropy(Z, np.zeros(3, bool)),
        TypeError,
        "labels must be integers",
    ),
    "one-hot labels": (lambda: softmax_cross_entropy(Z, np.eye(4, dtype=int)[:3]), ValueError, "shape (3,)"),
    "labels of another batch": (lambda: softmax_cross_entropy(Z, np.zeros(2, int)), ValueError, "got (2,)"),
    "logits of one axis": (
        lambda: softmax_cross_entropy(Z[0], np.zeros(4, int)),
        ValueError,
        "(batch, classes)",
    ),
    "empty batch": (
        lambda: softmax_cross_entropy(Z[:0], np.zeros(0, int)),
        ValueError,
        "at least one example",
    ),
    "integer logits": (
        lambda: softmax_cross_entropy(Z.astype(int), np.zeros(3, int)),
        TypeError,
        "logits must be",
    ),
    "a list of logits": (
        lambda: softmax_cross_entropy([[0.0, 1.0]], np.zeros(1, int)),
        TypeError,
        "got list",
    ),
    "no classes": (
        lambda: softmax_cross_entropy(Z[:, :0], np.zeros(3, int)),
        ValueError,
        "logits must have shape (batch, classes), got (3, 0)",
    ),
    "targets broadcast": (lambda: mean_squared_error(Z, np.zeros(4)), ValueError, "(3, 4), got (4,)"),
    "targets transposed": (lambda: mean_squared_error(Z, Z.T), ValueError, "(3, 4), got (4, 3)"),
    "a list of targets": (lambda: mean_squared_error(Z, Z.tolist()), TypeError, "targets must be"),
    "integer outputs": (lambda: mean_squared_error(Z.astype(int), Z), TypeError, "outputs must be"),
    "empty outputs": (lambda: mean_squared_error(Z[:0], Z[:0]), ValueError, "at least one number"),
}


@pytest.mark.parametrize("name", WRONG_CALLS)
def test_a_wrong_call_raises_one_sentence(name):
    call, error, words = WRONG_CALLS[name]
    with pytest.raises(error, match=re.escape(words)):
        call()

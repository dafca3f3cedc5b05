"""Layers one by one: gradients against finite differences, forms against loops, state, and wrong calls."""

import re

import numpy as np
import pytest
from gradcheck import fill, gradient_errors

from netinit.activations import ACTIVATIONS, ActivationFunction, leaky_relu
from netinit.layers import (
    Activation,
    BatchNorm,
    Conv2d,
    Flatten,
    Layer,
    LayerNorm,
    Linear,
    Parameter,
    ScalarBias,
    ScalarScale,
)
from netinit.models import Sequential

SEED = 20260101


@pytest.fixture
def rng():
    return np.random.default_rng(SEED)


class Projection(Layer):
    """A layer of one's own, as a reader writes it: y = x A with A of shape (5, 10)."""

    def __init__(self):
        self.matrix = Parameter(np.zeros((5, 10), np.float32), name="matrix")

    def forward(self, x):
        self._saved = x
        return x @ self.matrix.value

    def backward(self, grad):
        self.matrix.accumulate(self.saved().T @ grad)
        return grad @ self.matrix.value.T


GRADIENT_CASES = {
    "Linear": (lambda: Linear(4, 3), (5, 4)),
    "Linear without bias": (lambda: Linear(4, 3, bias=False), (5, 4)),
    "custom": (Projection, (3, 5)),
    "Flatten": (Flatten, (3, 2, 4, 2)),
    "ScalarBias": (ScalarBias, (3, 4)),
    "ScalarScale": (ScalarScale, (3, 4)),
    "Conv2d same": (lambda: Conv2d(2, 3), (2, 4, 5, 2)),
    "Conv2d valid": (lambda: Conv2d(2, 3, padding="valid"), (2, 4, 5, 2)),
    "Conv2d same, stride 2": (lambda: Conv2d(2, 3, stride=2), (2, 4, 5, 2)),
    "Conv2d valid, stride 2": (lambda: Conv2d(2, 3, stride=2, padding="valid"), (2, 6, 5, 2)),
    "Conv2d stride beyond the kernel": (lambda: Conv2d(2, 3, kernel_size=2, stride=3), (2, 7, 5, 2)),
    "Conv2d even kernel": (lambda: Conv2d(2, 3, kernel_size=4), (2, 5, 3, 2)),
    "Conv2d one pixel": (lambda: Conv2d(3, 2, kernel_size=1, bias=False), (2, 2, 3, 3)),
    "Conv2d in groups": (lambda: Conv2d(4, 6, groups=2), (2, 3, 4, 4)),
    "Conv2d depthwise": (lambda: Conv2d(3, 3, stride=2, groups=3), (2, 4, 4, 3)),
    "BatchNorm": (lambda: BatchNorm(3), (6, 3)),
    "BatchNorm on images": (lambda: BatchNorm(3), (2, 3, 2, 3)),
    "BatchNorm in evaluation": (lambda: BatchNorm(3).eval(), (4, 3)),
    "LayerNorm": (lambda: LayerNorm(5), (3, 5)),
    "LayerNorm on images": (lambda: LayerNorm(4), (2, 2, 3, 4)),
    **{f"Activation {name}": (lambda name=name: Activation(name), (4, 5)) for name in ACTIVATIONS},
    "Activation leaky_relu(0.2)": (lambda: Activation(leaky_relu(0.2)), (4, 5)),
}


@pytest.mark.parametrize("name", GRADIENT_CASES)
def test_gradients_match_finite_differences(name, rng):
    build, shape = GRADIENT_CASES[name]
    layer = fill(build(), rng)
    for buffer in layer.buffers():
        setattr(layer, buffer, rng.uniform(0.5, 2.0, getattr(layer, buffer).shape))
    errors = gradient_errors(layer, rng.normal(size=shape), rng)
    assert max(errors.values()) < 1e-7, errors
    assert len(errors) == 1 + len(layer.parameters())


class ForgottenTranspose(Linear):
    def backward(self, grad):
        super().backward(grad)
        return grad @ self.weight.value


class HalvedBias(Linear):
    def backward(self, grad):
        grad_x = super().backward(grad)
        self.bias.grad = 0.5 * self.bias.grad
        return grad_x


class ConstantStatistics(BatchNorm):
    """A classical mistake: mean and variance treated as constants on the way back."""

    def backward(self, grad):
        normalized, sigma, _ = self.saved()
        self._saved = normalized, sigma, ()
        return super().backward(grad)


WRONG = {
    "transpose": (lambda: ForgottenTranspose(4, 4), (5, 4), "x"),
    "bias": (lambda: HalvedBias(4, 4), (5, 4), "bias"),
    "statistics": (lambda: ConstantStatistics(3), (6, 3), "x"),
    "derivative": (
        lambda: Activation(ActivationFunction("wrong", np.tanh, lambda _z, y: 1 - y)),
        (4, 5),
        "x",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_backward_is_caught(name, rng):
    build, shape, where = WRONG[name]
    errors = gradient_errors(fill(build(), rng), rng.normal(size=shape), rng)
    assert errors.pop(where) > 1e-2
    assert all(error < 1e-7 for error in errors.values())


# ---- convolution ----


def convolve(x, weight, stride, groups):
    """The definition, output by output, without padding."""
    k, c_out = weight.shape[0], weight.shape[3]
    h_out, w_out = (x.shape[1] - k) // stride + 1, (x.shape[2] - k) // stride + 1
    y = np.zeros((len(x), h_out, w_out, c_out))
    for n, i, j, o in np.ndindex(y.shape):
        first = o // (c_out // groups) * weight.shape[2]
        patch = x[
            n, i * stride : i * stride + k, j * stride : j * stride + k, first : first + weight.shape[2]
        ]
        y[n, i, j, o] = np.sum(patch * weight[..., o])
    return y


@pytest.mark.parametrize(
    ("kernel_size", "stride", "groups"), [(3, 1, 1), (3, 2, 2), (2, 3, 4), (1, 1, 2), (4, 1, 1)]
)
def test_convolution_is_its_definition(kernel_size, stride, groups, rng):
    layer = fill(Conv2d(4, 8, kernel_size, stride, "valid", groups=groups), rng)
    x = rng.normal(size=(2, 6, 7, 4))
    expected = convolve(x, layer.weight.value, stride, groups) + layer.bias.value
    np.testing.assert_allclose(layer(x), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", range(1, 9))
@pytest.mark.parametrize(("kernel_size", "stride"), [(1, 1), (3, 1), (3, 2), (2, 2), (5, 3), (2, 4), (4, 1)])
def test_same_padding_gives_ceil_and_puts_the_odd_zero_last(size, kernel_size, stride, rng):
    layer = fill(Conv2d(1, 2, kernel_size, stride), rng)
    x = rng.normal(size=(1, size, size, 1))
    out = -(-size // stride)
    total = max((out - 1) * stride + kernel_size - size, 0)
    padded = np.zeros((1, size + total, size + total, 1))
    padded[:, total // 2 : total // 2 + size, total // 2 : total // 2 + size] = x
    y = layer(x)
    assert y.shape == (1, out, out, 2)
    np.testing.assert_allclose(
        y, convolve(padded, layer.weight.value, stride, 1) + layer.bias.value, atol=1e-12
    )


# Pixels of an image of ones under a kernel of ones, counted by hand, for TensorFlow's and JAX's "SAME".
SAME = [
    (5, 3, 2, [[4, 6, 4], [6, 9, 6], [4, 6, 4]]),
    (4, 3, 2, [[9, 6], [6, 4]]),  # PyTorch's padding=1 would give [[4, 6], [6, 9]]
    (3, 2, 1, [[4, 4, 2], [4, 4, 2], [2, 2, 1]]),
    (2, 4, 1, [[4, 4], [4, 4]]),
]


@pytest.mark.parametrize(("size", "kernel_size", "stride", "counts"), SAME)
def test_same_padding_counted_by_hand(size, kernel_size, stride, counts):
    layer = Conv2d(1, 1, kernel_size, stride, bias=False)
    layer.weight.value[...] = 1
    np.testing.assert_array_equal(layer(np.ones((1, size, size, 1), FLOAT))[0, :, :, 0], counts)


def test_convolution_with_one_pixel_is_linear(rng):
    conv, linear = fill(Conv2d(3, 5, kernel_size=1), rng), fill(Linear(3, 5), rng)
    linear.weight.value[...], linear.bias.value[...] = conv.weight.value[0, 0], conv.bias.value
    x = rng.normal(size=(2, 4, 6, 3))
    np.testing.assert_allclose(conv(x).reshape(-1, 5), linear(x.reshape(-1, 3)), atol=1e-13)


# ---- normalization ----


def test_batchnorm_normalizes_each_feature_over_the_batch(rng):
    for shape in ((200, 3), (20, 5, 2, 3)):
        y = BatchNorm(3, epsilon=1e-12).astype(np.float64)(rng.normal(5.0, 7.0, shape)).reshape(-1, 3)
        np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(y.var(axis=0), 1, atol=1e-12)


def test_batchnorm_running_statistics_use_the_unbiased_variance(rng):
    layer, x = BatchNorm(2, momentum=0.25).astype(np.float64), rng.normal(3.0, 2.0, (8, 2))
    layer(x)
    np.testing.assert_allclose(layer.running_mean, 0.25 * x.mean(axis=0), atol=1e-14)
    np.testing.assert_allclose(layer.running_variance, 0.75 + 0.25 * x.var(axis=0, ddof=1), atol=1e-14)


def test_batchnorm_in_evaluation_uses_and_keeps_the_running_statistics(rng):
    layer = BatchNorm(2).astype(np.float64)
    layer(rng.normal(3.0, 2.0, (50, 2)))
    before, x = layer.state_dict(), rng.normal(size=(1, 2))
    y = layer.eval()(x)
    np.testing.assert_allclose(
        y, (x - layer.running_mean) / np.sqrt(layer.running_variance + 1e-5), atol=1e-14
    )
    for path, array in layer.state_dict().items():
        np.testing.assert_array_equal(array, before[path])


def test_layernorm_normalizes_each_example_alike_in_both_modes(rng):
    layer, x = LayerNorm(6, epsilon=1e-12).astype(np.float64), rng.normal(4.0, 3.0, (5, 6))
    y = layer(x)
    np.testing.assert_allclose(y.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=1), 1, atol=1e-12)
    np.testing.assert_array_equal(layer.eval()(x), y)


@pytest.mark.parametrize("build", [lambda: BatchNorm(4), lambda: LayerNorm(4)])
def test_the_scale_before_a_normalization_does_not_matter(build, rng):
    x = rng.normal(size=(30, 4))
    layer = build().astype(np.float64)
    np.testing.assert_allclose(layer(1000 * x), layer(x), rtol=1e-4, atol=1e-4)


def test_astype_converts_parameters_and_buffers(rng):
    layer = BatchNorm(3)
    assert {array.dtype for array in layer.state_dict().values()} == {np.dtype(np.float32)}
    layer.astype(np.float64)
    assert sorted(layer.state_dict()) == ["running_mean", "running_variance", "scale", "shift"]
    layer(rng.normal(size=(4, 3)))
    assert {array.dtype for array in layer.state_dict().values()} == {np.dtype(np.float64)}


@pytest.mark.parametrize("name", GRADIENT_CASES)
def test_float32_stays_float32(name, rng):
    build, shape = GRADIENT_CASES[name]
    layer = build()
    y = layer(rng.normal(size=shape).astype(np.float32))
    assert y.dtype == np.float32
    assert layer.backward(np.ones_like(y)).dtype == np.float32
    assert {parameter.grad.dtype for parameter in layer.parameters()} <= {np.dtype(np.float32)}
    assert {array.dtype for array in layer.state_dict().values()} <= {np.dtype(np.float32)}


# ---- parameters and state ----


def test_a_custom_layer_is_found_and_composed(rng):
    model = fill(Sequential(Linear(3, 5), Projection(), Linear(10, 2)), rng)
    assert [path for path, _ in model.named_parameters()] == [
        "0.weight",
        "0.bias",
        "1.matrix",
        "2.weight",
        "2.bias",
    ]
    assert model[1].matrix.value.shape == (5, 10)
    assert max(gradient_errors(model, rng.normal(size=(4, 3)), rng).values()) < 1e-7


def test_a_shared_parameter_receives_the_sum(rng):
    first, second = Linear(3, 3, bias=False), Linear(3, 3, bias=False)
    second.weight = first.weight
    model = fill(Sequential(first, Activation("tanh"), second), rng)
    assert model.parameters() == [first.weight]
    assert [path for path, _ in model.named_parameters()] == ["0.weight", "2.weight"]
    errors = gradient_errors(model, rng.normal(size=(4, 3)), rng)
    assert max(errors.values()) < 1e-7


def test_gradients_add_up_until_forgotten(rng):
    layer, x = fill(Linear(3, 2), rng), rng.normal(size=(4, 3))
    c = np.ones_like(layer(x))
    layer.backward(c)
    once = layer.weight.grad
    layer(x)
    layer.backward(c)
    np.testing.assert_allclose(layer.weight.grad, 2 * once)
    layer.zero_grad()
    assert layer.weight.grad is None


def test_state_dict_is_a_copy_and_comes_back(rng):
    layer = BatchNorm(3)
    layer(rng.normal(size=(4, 3)).astype(np.float32))
    state, other = layer.state_dict(), BatchNorm(3)
    other.load_state_dict(state)
    for path, array in other.state_dict().items():
        np.testing.assert_array_equal(array, state[path])
    state["scale"][...] = 9
    assert np.all(layer.scale.value == 1)
    assert np.all(other.scale.value == 1)


BAD_STATES = {
    "missing": ({"weight": np.ones((2, 3))}, True, ValueError, "missing ['bias']"),
    "unexpected": (
        {"weight": np.ones((2, 3)), "bias": np.ones(3), "other": np.ones(1)},
        True,
        ValueError,
        "unexpected ['other']",
    ),
    "shape": ({"weight": np.ones((2, 3)), "bias": np.ones(4)}, True, ValueError, "got (4,)"),
    "shape, not strict": ({"weight": np.ones((2, 3)), "bias": np.ones(4)}, False, ValueError, "got (4,)"),
    "broadcast": ({"weight": np.ones((2, 3)), "bias": 1.0}, True, ValueError, "got ()"),
    "NaN": ({"weight": np.ones((2, 3)), "bias": np.array([1, np.nan, 1])}, True, ValueError, "finite"),
    "overflow": ({"weight": np.ones((2, 3)), "bias": np.full(3, 1e300)}, False, ValueError, "overflow"),
    "text": ({"weight": np.ones((2, 3)), "bias": ["a", "b", "c"]}, False, TypeError, "real numbers"),
}


@pytest.mark.parametrize("name", BAD_STATES)
def test_a_state_that_does_not_fit_changes_nothing(name):
    state, strict, error, words = BAD_STATES[name]
    layer = Linear(2, 3)
    with pytest.raises(error, match=re.escape(words)):
        layer.load_state_dict(state, strict=strict)
    assert not layer.weight.value.any()
    assert not layer.bias.value.any()


def test_a_state_that_is_not_strict_passes_over_what_only_one_side_has():
    layer = Linear(2, 3)
    layer.load_state_dict({"weight": np.ones((2, 3)), "other": np.ones(1)}, strict=False)
    assert layer.weight.value.all()
    assert not layer.bias.value.any()


# ---- wrong calls ----

FLOAT = np.float32
WRONG_CALLS = {
    "negative size": (lambda: Linear(-1, 2), ValueError, "n_in must be at least 1, got -1"),
    "zero size": (lambda: Linear(1, 0), ValueError, "n_out must be at least 1, got 0"),
    "float size": (lambda: Linear(1.0, 2), TypeError, "n_in must be an integer, got float 1.0"),
    "boolean size": (lambda: Linear(True, 2), TypeError, "n_in must be an integer"),
    "width": (lambda: Linear(3, 2)(np.ones((4, 5), FLOAT)), ValueError, "(batch, 3), got (4, 5)"),
    "one axis": (lambda: Linear(3, 2)(np.ones(3, FLOAT)), ValueError, "(batch, 3), got (3,)"),
    "integers": (
        lambda: Linear(3, 2)(np.ones((4, 3), int)),
        TypeError,
        "x must be an array of floating-point numbers, float32 or float64, got ndarray of int64",
    ),
    "a list": (
        lambda: Linear(3, 2)([[1.0, 2.0, 3.0]]),
        TypeError,
        "x must be an array of floating-point numbers, float32 or float64, got list",
    ),
    "no forward yet": (
        lambda: Linear(3, 2).backward(np.ones((4, 2))),
        RuntimeError,
        "forward pass of its own first",
    ),
    "activation name": (lambda: Activation("rellu"), ValueError, "did you mean 'relu'?"),
    "activation type": (lambda: Activation(np.tanh), TypeError, "ActivationFunction"),
    "activation of integers": (lambda: Activation("tanh")(np.ones(3, int)), TypeError, "floating-point"),
    "slope": (lambda: leaky_relu(np.nan), ValueError, "slope must be finite"),
    "flatten one axis": (lambda: Flatten()(np.ones(3, FLOAT)), ValueError, "(batch, ...), got (3,)"),
    "conv size": (lambda: Conv2d(0, 2), ValueError, "c_in must be at least 1"),
    "conv kernel": (
        lambda: Conv2d(1, 2, kernel_size=-3),
        ValueError,
        "kernel_size must be at least 1, got -3",
    ),
    "conv kernel pair": (
        lambda: Conv2d(1, 2, kernel_size=(3, 3)),
        TypeError,
        "kernel_size must be an integer",
    ),
    "conv stride": (lambda: Conv2d(1, 2, stride=0), ValueError, "stride must be at least 1"),
    "conv groups": (lambda: Conv2d(4, 6, groups=4), ValueError, "groups must divide c_in and c_out, got 4"),
    "conv padding": (lambda: Conv2d(1, 2, padding="vaild"), ValueError, "did you mean 'valid'?"),
    "conv padding number": (lambda: Conv2d(1, 2, padding=1), TypeError, "padding must be a name"),
    "conv axes": (lambda: Conv2d(1, 2)(np.ones((8, 8, 1), FLOAT)), ValueError, "(batch, height, width, 1)"),
    "conv channels": (lambda: Conv2d(3, 2)(np.ones((1, 3, 8, 8), FLOAT)), ValueError, "got (1, 3, 8, 8)"),
    "conv integers": (lambda: Conv2d(1, 2)(np.ones((1, 8, 8, 1), int)), TypeError, "floating-point numbers"),
    "conv too small": (
        lambda: Conv2d(1, 2, padding="valid")(np.ones((1, 2, 8, 1), FLOAT)),
        ValueError,
        "at least its kernel size, got shape (1, 2, 8, 1)",
    ),
    "norm size": (lambda: BatchNorm(0), ValueError, "n must be at least 1"),
    "norm epsilon": (lambda: LayerNorm(3, epsilon=0.0), ValueError, "epsilon must be positive"),
    "norm momentum": (lambda: BatchNorm(3, momentum=1.5), ValueError, "momentum must lie in (0, 1]"),
    "norm width": (lambda: LayerNorm(3)(np.ones((2, 4), FLOAT)), ValueError, "(batch, ..., 3), got (2, 4)"),
    "norm axes": (lambda: BatchNorm(3)(np.ones(3, FLOAT)), ValueError, "(batch, ..., 3), got (3,)"),
    "norm integers": (lambda: BatchNorm(3)(np.ones((2, 3), int)), TypeError, "floating-point numbers"),
    "one row": (lambda: BatchNorm(3)(np.ones((1, 3), FLOAT)), ValueError, "at least 2 values per feature"),
    "integer parameter": (lambda: Parameter(np.arange(3)), TypeError, "floating-point numbers"),
    "integer dtype": (lambda: Linear(2, 3).astype(int), TypeError, "float32 or float64"),
    "dtype None": (
        lambda: Linear(2, 3).astype(None),
        TypeError,
        "dtype must be float32 or float64, got None",
    ),
    "dtype name": (lambda: Linear(2, 3).astype("float33"), TypeError, "float32 or float64, got 'float33'"),
    "bias array": (
        lambda: Linear(2, 3, bias=np.zeros(3)),
        TypeError,
        "bias must be True or False, got ndarray",
    ),
    "conv bias": (lambda: Conv2d(2, 3, bias="no"), TypeError, "bias must be True or False, got str"),
    "conv empty batch": (lambda: Conv2d(1, 2)(np.ones((0, 8, 8, 1), FLOAT)), ValueError, "got (0, 8, 8, 1)"),
    "mode": (lambda: Linear(2, 3).train("yes"), TypeError, "mode must be True or False, got str"),
    "slope text": (lambda: leaky_relu("0.1"), TypeError, "slope must be a real number, got str"),
    "norm epsilon text": (lambda: BatchNorm(3, epsilon="x"), TypeError, "epsilon must be a real number"),
    "norm momentum None": (lambda: BatchNorm(3, momentum=None), TypeError, "momentum must be a real number"),
    "state text": (
        lambda: Linear(2, 3).load_state_dict("weights.npz"),
        TypeError,
        "state must be a mapping of paths to arrays, got str",
    ),
    "strict text": (
        lambda: Linear(2, 3).load_state_dict({}, strict="no"),
        TypeError,
        "strict must be True or False, got str",
    ),
    "parameter grad": (
        lambda: Parameter(np.zeros(3), grad=np.zeros((3, 1))),
        ValueError,
        "grad must have shape (3,), got (3, 1)",
    ),
    "parameter lr_scale": (
        lambda: Parameter(np.zeros(3), lr_scale="x"),
        TypeError,
        "lr_scale must be a real",
    ),
    "a number beyond float64": (
        lambda: Parameter(np.zeros(3), lr_scale=10**400),
        ValueError,
        "lr_scale must be finite and at least 0",
    ),
    "parameter negative lr_scale": (lambda: Parameter(np.zeros(3), lr_scale=-1), ValueError, "at least 0"),
    "activation parts": (
        lambda: ActivationFunction("mine", "tanh", None),
        TypeError,
        "function must be a function, got str",
    ),
    "activation that sums": (
        lambda: Activation(ActivationFunction("total", np.sum, np.ones_like))(np.ones((2, 3))),
        ValueError,
        "Activation('total') must return float64 of shape (2, 3) as it was given, got float64",
    ),
    "scalar bias of integers": (
        lambda: ScalarBias()(np.ones((2, 3), int)),
        TypeError,
        "floating-point numbers",
    ),
    "scalar scale of integers": (lambda: ScalarScale()(np.ones((2, 3), int)), TypeError, "floating-point"),
    "no forward": (lambda: Layer()(np.ones(1)), NotImplementedError, "Layer must define forward"),
    "no backward": (lambda: Layer().backward(np.ones(1)), NotImplementedError, "Layer must define backward"),
}


@pytest.mark.parametrize("name", WRONG_CALLS)
def test_a_wrong_call_raises_one_sentence(name):
    call, error, words = WRONG_CALLS[name]
    with pytest.raises(error, match=re.escape(words)) as raised:
        call()
    assert "\n" not in str(raised.value)


REFUSING = ["Linear", "Conv2d same", "BatchNorm", "LayerNorm", "Activation tanh", "ScalarScale", "Flatten"]


@pytest.mark.parametrize("name", REFUSING)
def test_a_gradient_of_another_shape_is_not_broadcast(name, rng):
    build, shape = GRADIENT_CASES[name]
    layer = build()
    y = layer(rng.normal(size=shape).astype(FLOAT))
    with pytest.raises(ValueError, match=r"grad must have .*got"):
        layer.backward(np.ones((1,) * (y.ndim - 1) + (1,), FLOAT))


def test_a_transposed_gradient_is_refused(rng):
    layer = ScalarScale()
    layer(rng.normal(size=(4, 16)).astype(FLOAT))
    with pytest.raises(ValueError, match=re.escape("grad must have shape (4, 16), got (16, 4)")):
        layer.backward(np.ones((16, 4), FLOAT))


def test_a_custom_gradient_of_another_shape_is_refused():
    with pytest.raises(
        ValueError, match=re.escape("shape of Parameter('b', shape=(3,), dtype=float64), got (1, 3)")
    ):
        Parameter(np.zeros(3), name="b").accumulate(np.zeros((1, 3)))

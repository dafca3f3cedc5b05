"""Every activation and derivative against PyTorch, finite differences and known values."""

import math

import numpy as np
import pytest
from scipy.special import erf, ndtr

from netinit.activations import ACTIVATIONS, ActivationFunction, get_activation, leaky_relu

KNOWN = {**ACTIVATIONS, "leaky_relu(0.2)": leaky_relu(0.2)}
# Dense where the functions bend, far out where they saturate; without 0, where some derivatives jump.
GRID = np.concatenate([np.linspace(-8, 8, 400), [s * x for x in (1e-8, 20, 50, 100) for s in (-1, 1)]])
TOLERANCE = {np.float64: 1e-10, np.float32: 1e-5}


def torch_activations():
    torch = pytest.importorskip("torch", reason="PyTorch is the independent reference of this test")
    f = torch.nn.functional
    return {
        "identity": lambda z: z * 1,
        "leaky_relu(0.2)": lambda z: f.leaky_relu(z, 0.2),
        **{name: getattr(torch, name) for name in ("sigmoid", "tanh", "relu")},
        **{
            name: getattr(f, name)
            for name in ("leaky_relu", "elu", "selu", "gelu", "silu", "softplus", "softsign", "mish")
        },
    }


def derivative(phi, z):
    return phi.derivative(z, phi.function(z))


def central_difference(f, z, step=1e-5):
    return (f(z + step) - f(z - step)) / (2 * step)


@pytest.mark.parametrize("dtype", TOLERANCE, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("name", KNOWN)
def test_value_and_derivative_agree_with_pytorch(name, dtype):
    reference = torch_activations()[name]
    import torch

    z = GRID.astype(dtype)
    inputs = torch.tensor(z, requires_grad=True)
    outputs = reference(inputs)
    outputs.sum().backward()
    tolerance = TOLERANCE[dtype]
    # Relative to 1 where the value is smaller: in a tail both sides subtract nearly equal numbers.
    np.testing.assert_allclose(KNOWN[name](z), outputs.detach().numpy(), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(
        derivative(KNOWN[name], z), inputs.grad.numpy(), rtol=tolerance, atol=tolerance
    )


def test_pytorch_reference_covers_every_activation():
    assert torch_activations().keys() == KNOWN.keys()


@pytest.mark.parametrize("name", KNOWN)
def test_derivative_agrees_with_central_differences(name):
    phi = KNOWN[name]
    z = GRID[np.abs(GRID) > 1e-4]  # no difference across the kink at 0
    np.testing.assert_allclose(derivative(phi, z), central_difference(phi.function, z), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", [name for name in KNOWN if name != "identity"])
def test_the_derivative_check_can_fail(name):
    """A derivative that is off by 1e-6 is rejected, and so is that of another activation."""
    phi = KNOWN[name]
    z = GRID[np.abs(GRID) > 1e-4]
    difference = central_difference(phi.function, z)
    assert not np.allclose(derivative(phi, z) * (1 + 1e-6), difference, rtol=1e-8, atol=1e-8)
    others = [derivative(other, z) for key, other in KNOWN.items() if key != name]
    assert not any(np.allclose(other, difference, rtol=1e-8, atol=1e-8) for other in others)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (1,), (0,), (3, 4), (2, 3, 4, 5)])
@pytest.mark.parametrize("name", KNOWN)
def test_shape_and_dtype_are_kept(name, shape, dtype):
    z = np.asarray(np.random.default_rng(0).standard_normal(shape), dtype)
    before = z.copy()
    y = KNOWN[name](z)
    slope = KNOWN[name].derivative(z, y)
    assert (np.shape(y), y.dtype) == (shape, dtype)
    assert (np.shape(slope), slope.dtype) == (shape, dtype)
    np.testing.assert_array_equal(z, before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", KNOWN)
def test_extreme_arguments_stay_finite(name, dtype):
    """Warnings are errors, so neither overflow nor an invalid value happens on the way."""
    z = np.array([-1e15, -1e4, -100, -0.0, 0.0, 100, 1e4, 1e15], dtype)
    y = KNOWN[name](z)
    assert np.isfinite(y).all()
    assert np.isfinite(KNOWN[name].derivative(z, y)).all()


def test_known_values():
    z = np.array([0.0, 1.0])
    expected = {
        "sigmoid": [0.5, 1 / (1 + math.exp(-1))],
        "softplus": [math.log(2), math.log(1 + math.e)],
        "gelu": [0, 0.5 * (1 + math.erf(math.sqrt(0.5)))],
        "softsign": [0, 0.5],
        "selu": [0, 1.0507009873554805],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(ACTIVATIONS[name](z), values, rtol=1e-15)


def test_the_tail_of_the_sigmoid_is_not_lost():
    z = np.array([-40.0, -300.0])
    np.testing.assert_allclose(ACTIVATIONS["sigmoid"](z), np.exp(z), rtol=1e-14)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 2e-5), (np.float64, 1e-13)])
def test_the_tail_of_gelu_is_not_lost(dtype, tolerance):
    z = np.linspace(-8, -1, 50).astype(dtype)
    expected = z.astype(np.float64) * ndtr(z.astype(np.float64))
    np.testing.assert_allclose(ACTIVATIONS["gelu"](z), expected, rtol=tolerance)
    lost = z * dtype(0.5) * (1 + erf(z / dtype(np.sqrt(2))).astype(dtype))  # the form with 1 + erf
    assert not np.allclose(lost, expected, rtol=tolerance, atol=0)


def test_registry():
    assert all(name == phi.name for name, phi in ACTIVATIONS.items())
    with pytest.raises(TypeError):
        ACTIVATIONS["own"] = ACTIVATIONS["relu"]
    assert get_activation("tanh") is ACTIVATIONS["tanh"]
    own = ActivationFunction("square", lambda z: z * z, lambda z, _: 2 * z)
    assert get_activation(own) is own
    assert leaky_relu(0.2).name == "leaky_relu(0.2)"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: get_activation("rleu"), ValueError, "'rleu'.*'relu'"),
        (lambda: get_activation("qqqq"), ValueError, "sigmoid"),
        (lambda: get_activation(np.tanh), TypeError, "activation must be"),
        (lambda: get_activation(None), TypeError, "NoneType"),
        (lambda: leaky_relu(math.nan), ValueError, "slope"),
        (lambda: leaky_relu(-math.inf), ValueError, "slope"),
    ],
)
def test_wrong_calls_raise_in_one_sentence(call, error, words):
    with pytest.raises(error, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)

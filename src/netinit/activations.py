"""Activation functions, each with its derivative.

This file sits at the bottom of the package: the theory integrates these functions against a Gaussian, the
layers apply them to arrays. A derivative takes the preactivation z and the output y = phi(z), because many
derivatives are cheapest in y: sigmoid' = y (1 - y), tanh' = 1 - y^2.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import numpy as np

from netinit.checks import check_kind, check_name, check_number, shown


@dataclass(frozen=True)
class ActivationFunction:
    """An elementwise function `y = phi(z)` and its derivative `phi'(z)`.

    `function(z)` returns y; `derivative(z, y)` returns `phi'(z)`. Both keep the shape and the float dtype
    of z. `from_output` says that the derivative looks at y alone, so that a layer need not keep z; `is_gate`,
    that it is 1 where y is not 0 and 0 elsewhere, so that one byte for each entry is enough.

    >>> square = ActivationFunction("square", lambda z: z**2, lambda z, y: 2 * z)
    >>> square.derivative(np.array([3.0]), None)
    array([6.])
    """

    name: str
    function: Callable[[np.ndarray], np.ndarray]
    derivative: Callable[[np.ndarray, np.ndarray], np.ndarray]
    from_output: bool = False
    is_gate: bool = False

    def __post_init__(self):
        check_kind("name", self.name, str, "a name")
        for part in ("function", "derivative"):
            check_kind(part, getattr(self, part), Callable, "a function")

    def __call__(self, z: np.ndarray) -> np.ndarray:
        plain = isinstance(z, np.ndarray) and not isinstance(z, (np.matrix, np.ma.MaskedArray))
        if not plain or z.dtype.kind != "f":
            raise TypeError(f"z must be an array of floating-point numbers, got {shown(z)}.")
        return self.function(z)


# Named functions throughout: a model that holds a lambda cannot be pickled, so not sent to another process.


def _identity(z):
    return z


def _identity_derivative(z, y):
    return np.ones_like(z)


def _tanh_derivative(z, y):
    return 1 - y * y


def _sigmoid(z):
    decay = np.exp(-np.abs(z))  # in (0, 1]: never overflows, whatever the sign of z
    return np.where(z >= 0, 1 / (1 + decay), decay / (1 + decay))


def _sigmoid_derivative(z, y):
    return y * (1 - y)


def _relu(z):
    return np.maximum(z, 0)


def _step(z, y):
    return y.astype(bool).astype(y.dtype)  # 1 where the unit is active, 0 where it is not


def _softplus(z):
    return np.logaddexp(z.dtype.type(0), z)


def _softplus_derivative(z, y):
    return _sigmoid(z)


def _softsign(z):
    return z / (1 + np.abs(z))


def _softsign_derivative(z, y):
    return (1 - np.abs(y)) ** 2


def _elu(z):
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0)))


def _elu_derivative(z, y):
    return np.where(z > 0, 1, y + 1).astype(z.dtype)


def _mish(z):
    return z * np.tanh(_softplus(z))


def _mish_derivative(z, y):
    squashed = np.tanh(_softplus(z))
    return squashed + z * (1 - squashed**2) * _sigmoid(z)


# NumPy has no error function; the one of the standard library is exact and, element by element, slow. Its
# complement keeps the left tail, where 1 + erf(z) is the difference of two nearly equal numbers.
_erfc = np.frompyfunc(math.erfc, 1, 1)


def _normal_cdf(z):
    return 0.5 * np.asarray(_erfc(z / -math.sqrt(2)), z.dtype)


def _gelu(z):
    return z * _normal_cdf(z)


def _gelu_derivative(z, y):
    return _normal_cdf(z) + z * np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)


def _silu(z):
    return z * _sigmoid(z)


def _silu_derivative(z, y):
    s = _sigmoid(z)
    return s + y * (1 - s)


# Klambauer et al. 2017, eq. 14: the fixed point of the layer map is mean 0, variance 1.
SELU_SCALE = 1.0507009873554805
SELU_ALPHA = 1.6732632423543772


def _selu(z):
    return SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * np.expm1(np.minimum(z, 0)))


def _selu_derivative(z, y):
    return np.where(z > 0, SELU_SCALE, y + SELU_SCALE * SELU_ALPHA).astype(z.dtype)


def _leaky(z, slope):
    return np.where(z > 0, z, slope * z)


def _leaky_derivative(z, y, slope):
    return np.where(z > 0, 1, slope).astype(z.dtype)


def leaky_relu(slope: float = 0.01) -> ActivationFunction:
    """Leaky ReLU, `phi(z) = z` for `z > 0` and `slope * z` otherwise (Maas et al. 2013).

    Raises ValueError where slope is not finite, TypeError where it is no real number.

    >>> leaky_relu(0.1).function(np.array([-1.0, 2.0]))
    array([-0.1,  2. ])
    """
    slope = check_number("slope", slope)
    name = "leaky_relu" if slope == 0.01 else f"leaky_relu({slope:g})"
    return ActivationFunction(name, partial(_leaky, slope=slope), partial(_leaky_derivative, slope=slope))


# sigmoid 1 / (1 + exp(-z)); softplus log(1 + exp(z)) (Dugas et al. 2001); softsign z / (1 + |z|)
# (Bergstra et al. 2009); relu max(z, 0) (Nair and Hinton 2010); elu z, and exp(z) - 1 where z < 0 (Clevert
# et al. 2016); selu a scaled elu (Klambauer et al. 2017); gelu z Phi(z), with Phi the normal distribution
# function (Hendrycks and Gimpel 2016); silu z sigmoid(z) (Elfwing et al. 2018); mish z tanh(softplus(z))
# (Misra 2020).
ACTIVATIONS: Mapping[str, ActivationFunction] = MappingProxyType(
    {
        f.name: f
        for f in (
            ActivationFunction("identity", _identity, _identity_derivative),
            ActivationFunction("sigmoid", _sigmoid, _sigmoid_derivative, from_output=True),
            ActivationFunction("tanh", np.tanh, _tanh_derivative, from_output=True),
            ActivationFunction("relu", _relu, _step, from_output=True, is_gate=True),
            leaky_relu(0.01),
            ActivationFunction("elu", _elu, _elu_derivative),
            ActivationFunction("selu", _selu, _selu_derivative),
            ActivationFunction("gelu", _gelu, _gelu_derivative),
            ActivationFunction("silu", _silu, _silu_derivative),
            ActivationFunction("softplus", _softplus, _softplus_derivative),
            ActivationFunction("softsign", _softsign, _softsign_derivative),
            ActivationFunction("mish", _mish, _mish_derivative),
        )
    }
)


def get_activation(activation: str | ActivationFunction) -> ActivationFunction:
    """The activation of that name, or the one given.

    Raises ValueError for an unknown name, naming the closest one; TypeError for anything that is neither.

    >>> get_activation("tanh").derivative(np.zeros(1), np.zeros(1))
    array([1.])
    """
    if isinstance(activation, ActivationFunction):
        return activation
    if not isinstance(activation, str):
        raise TypeError(
            f"activation must be a name or an ActivationFunction, got {type(activation).__name__}; "
            "wrap your own as ActivationFunction(name, function, derivative)."
        )
    check_name("activation", activation, ACTIVATIONS)
    return ACTIVATIONS[activation]

"""Layers that change each number by itself: activations, and the scalar bias and multiplier of Fixup."""

import numpy as np

from netinit.activations import ActivationFunction, get_activation
from netinit.layers.base import Layer, Parameter, check_gradient, zero_parameter


class Activation(Layer):
    """`y = phi(z)`, element by element, for a name in `ACTIVATIONS` or an `ActivationFunction` of your own.

    >>> Activation("relu")(np.array([[-1.0, 2.0]]))
    array([[0., 2.]])
    """

    keeps_width = True

    def __init__(self, activation: str | ActivationFunction):
        self.activation = get_activation(activation)

    def forward(self, x):
        y = self.activation.function(x)
        if not isinstance(y, np.ndarray) or (y.shape, y.dtype) != (x.shape, x.dtype):
            given = f"{y.dtype} of shape {y.shape}" if isinstance(y, np.ndarray) else type(y).__name__
            raise ValueError(
                f"{self!r} must return {x.dtype} of shape {x.shape} as it was given, got {given}."
            )
        kept = y.astype(bool) if self.activation.is_gate else y
        self._saved = kept, None if self.activation.from_output else x
        return y

    def backward(self, grad):
        y, x = self.saved()
        check_gradient(grad, y.shape)
        if self.activation.is_gate:
            return y * grad
        return grad * self.activation.derivative(x, y)

    def __repr__(self):
        return f"Activation({self.activation.name!r})"


class ScalarBias(Layer):
    """`y = x + b` with a single number b, 0 at the start (Zhang, Dauphin and Ma 2019, rule 3).

    >>> ScalarBias()(np.array([[1.0, 2.0]]))
    array([[1., 2.]])
    """

    keeps_width = True

    def __init__(self):
        self.bias = zero_parameter("bias")

    def forward(self, x):
        self._saved = x.shape
        return x + self.bias.value

    def backward(self, grad):
        check_gradient(grad, self.saved())
        self.bias.accumulate_product(np.ones(grad.size, grad.dtype), grad.ravel())  # the sum of all entries
        return grad


class ScalarScale(Layer):
    """`y = s x` with a single number s, 1 at the start (Zhang, Dauphin and Ma 2019, rule 3).

    >>> ScalarScale()(np.array([[1.0, 2.0]]))
    array([[1., 2.]])
    """

    keeps_width = True

    def __init__(self):
        self.scale = Parameter(np.ones((), np.float32), name="scale")

    def forward(self, x):
        self._saved = x
        return x * self.scale.value

    def backward(self, grad):
        x = self.saved()
        check_gradient(grad, x.shape)
        self.scale.accumulate_product(x.ravel(), grad.ravel())
        return grad * self.scale.value

"""Layers: arrays in, arrays out, and the gradient back through them by hand.

Rows of `x` are examples. Weights start at zero: `netinit.initialize` fills them.
"""

import math
from functools import lru_cache

import numpy as np

from netinit.activations import ActivationFunction, get_activation
from netinit.checks import check_flag, check_sizes
from netinit.layer import Layer, Parameter


class Linear(Layer):
    """y = x W + b, with W of shape (n_in, n_out) and b of shape (n_out,).

    Input (batch, n_in), output (batch, n_out). Raises ValueError for a non-positive size or an input of
    another width.
    """

    holds = "weight", "bias"

    def __init__(self, n_in: int, n_out: int, bias: bool = True):
        check_sizes(n_in=n_in, n_out=n_out)
        self.n_in, self.n_out = n_in, n_out
        bias = check_flag("bias", bias)
        self.weight = Parameter(np.zeros((n_in, n_out), np.float32), name="weight")
        self.bias = Parameter(np.zeros(n_out, np.float32), name="bias") if bias else None

    def forward(self, x):
        if x.ndim != 2 or x.shape[1] != self.n_in:
            self.refuse(x, f"(batch, {self.n_in})")
        self._saved = x
        # a.dot(b) is a @ b with less overhead, which counts where the matrices are small.
        y = x.dot(self.weight.value)  # (batch, n_out)
        if self.bias is not None:
            y += self.bias.value
        return y

    def backward(self, grad):
        self.backward_parameters(grad)
        return grad.dot(self.weight.value.T)  # (batch, n_in)

    def backward_parameters(self, grad):
        x = self.saved()
        if grad.shape != (len(x), self.n_out):
            raise ValueError(f"grad must have shape {(len(x), self.n_out)}, got {grad.shape}.")
        self.weight.accumulate_product(x.T, grad)  # (n_in, n_out)
        if self.bias is not None:
            self.bias.accumulate_product(_ones(len(grad)), grad)  # the sum over the batch

    def __repr__(self):
        return f"Linear({self.n_in}, {self.n_out}{'' if self.bias is not None else ', bias=False'})"


class Activation(Layer):
    """y = phi(z), element by element, for a name in `ACTIVATIONS` or an `ActivationFunction` of your own."""

    keeps_width, holds = True, ()

    def __init__(self, activation: str | ActivationFunction):
        self.activation = get_activation(activation)
        self._input = None

    def forward(self, x):
        y = self.activation.function(x)
        if y.shape != x.shape:
            raise ValueError(f"{self!r} must keep the shape {x.shape}, its function returned {y.shape}.")
        self._saved = y.astype(bool) if self.activation.is_gate else y
        self._input = None if self.activation.from_output else x
        return y

    def backward(self, grad):
        y = self.saved()
        if grad.shape != y.shape:
            raise ValueError(f"grad must have shape {y.shape}, got {grad.shape}.")
        if self.activation.is_gate:
            gated = y.astype(grad.dtype)
            gated *= grad  # in place, which in a very deep net saves an array for each layer
            return gated
        return grad * self.activation.derivative(self._input, y)

    def __repr__(self):
        return f"Activation({self.activation.name!r})"


class Flatten(Layer):
    """(batch, ...) to (batch, product of the rest): from images to the rows that `Linear` takes."""

    holds = ()

    def forward(self, x):
        if x.ndim < 2:
            self.refuse(x, "(batch, ...)")
        self._saved = x.shape
        return x.reshape(len(x), math.prod(x.shape[1:]))

    def backward(self, grad):
        shape = self.saved()
        if grad.size != math.prod(shape):
            raise ValueError(f"grad must have as many entries as the input {shape}, got shape {grad.shape}.")
        return grad.reshape(shape)


class ScalarBias(Layer):
    """y = x + b with a single number b, 0 at the start (Zhang, Dauphin and Ma 2019, rule 3)."""

    keeps_width, holds = True, ("bias",)

    def __init__(self):
        self.bias = Parameter(np.zeros((), np.float32), name="bias")

    def forward(self, x):
        return x + self.bias.value

    def backward(self, grad):
        self.bias.accumulate_product(_ones(grad.size), grad.ravel())  # the sum of all entries
        return grad


class ScalarScale(Layer):
    """y = s x with a single number s, 1 at the start (Zhang, Dauphin and Ma 2019, rule 3)."""

    keeps_width, holds = True, ("scale",)

    def __init__(self):
        self.scale = Parameter(np.ones((), np.float32), name="scale")

    def forward(self, x):
        self._saved = x
        return x * self.scale.value

    def backward(self, grad):
        x = self.saved()
        if grad.shape != x.shape:
            raise ValueError(f"grad must have shape {x.shape}, got {grad.shape}.")
        self.scale.accumulate_product(x.ravel(), grad.ravel())
        return grad * self.scale.value


@lru_cache(maxsize=16)
def _ones(size):
    """A vector of ones: small sums take half the time as a product with it, and float32 holds 1 exactly."""
    return np.ones(size, np.float32)

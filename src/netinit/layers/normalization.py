"""Normalization layers: force mean 0 and variance 1, then let the network choose its own scale and shift.

Both layers compute normalized = (x - mean) / sqrt(variance + epsilon) and y = scale * normalized + shift.
They differ in what shares a mean: `BatchNorm` takes one over all examples for each feature, `LayerNorm` one
over all features for each example.

The way back, for N values x_i that share a mean: write xhat_i for their normalized values, sigma for
sqrt(variance + epsilon) and g_i for dLoss/d(xhat_i). Each x_j moves xhat_j itself, the mean and the variance:

    d xhat_i / d x_j = (delta_ij - 1/N - xhat_i xhat_j / N) / sigma
    dLoss/d(x_j)     = (g_j - mean(g) - xhat_j mean(g xhat)) / sigma

So the gradient loses its mean and its part along xhat: a change that normalization undoes changes no loss.
"""

import numpy as np

from netinit.checks import check_integer, check_number
from netinit.layers.base import Layer, check_gradient, zero_parameter


class Normalization(Layer):
    """What both share: scale and shift of shape (n,), 1 and 0 at the start, and the derivatives above."""

    def __init__(self, n: int, epsilon: float):
        n, epsilon = check_integer("n", n), check_number("epsilon", epsilon)
        if epsilon <= 0:
            raise ValueError(f"epsilon must be positive, got {epsilon}.")
        self.n_in, self.n_out, self.epsilon = n, n, epsilon
        self.scale, self.shift = zero_parameter("scale", n), zero_parameter("shift", n)
        self.scale.value += 1

    def check_input(self, x):
        """Raise unless x is (..., n) with at least one axis of examples."""
        if x.ndim < 2 or x.shape[-1] != self.n_in:
            self.refuse(x, f"(batch, ..., {self.n_in})")

    def apply(self, x, mean, variance, axes):
        """Return y for statistics taken over `axes` of x, () where they do not depend on x."""
        sigma = np.sqrt(variance + self.epsilon)
        normalized = (x - mean) / sigma  # the shape of x
        self._saved = normalized, sigma, axes
        return self.scale.value * normalized + self.shift.value

    def backward(self, grad):
        normalized, sigma, axes = self.saved()
        check_gradient(grad, normalized.shape)
        examples = tuple(range(grad.ndim - 1))
        self.scale.accumulate((grad * normalized).sum(axis=examples))  # (n,)
        self.shift.accumulate(grad.sum(axis=examples))  # (n,)
        g = grad * self.scale.value  # dLoss/d(normalized), the shape of x
        if axes:
            along = np.mean(g * normalized, axis=axes, keepdims=True)
            g = g - np.mean(g, axis=axes, keepdims=True) - normalized * along
        return g / sigma

    def __repr__(self):
        return f"{type(self).__name__}({self.n_in})"


class BatchNorm(Normalization):
    """Normalize each feature over the batch (Ioffe and Szegedy 2015).

    Input and output (batch, ..., n): the mean runs over every axis but the last, for NHWC images over the
    pixels too. In training it uses the batch's mean and variance (divided by N), and moves the running ones
    towards them: `running <- (1 - momentum) running + momentum batch`, with the variance divided by N - 1, as
    in PyTorch. In evaluation it uses the running ones. Raises ValueError for another width, and in training
    for fewer than two values per feature.

    >>> BatchNorm(1)(np.array([[1.0], [3.0]])).round(3)
    array([[-1.],
           [ 1.]])
    """

    def __init__(self, n: int, momentum: float = 0.1, epsilon: float = 1e-5):
        super().__init__(n, epsilon)
        self.momentum = check_number("momentum", momentum)
        if not 0 < self.momentum <= 1:
            raise ValueError(f"momentum must lie in (0, 1], got {momentum}.")
        self.running_mean = np.zeros_like(self.shift.value)
        self.running_variance = np.ones_like(self.scale.value)

    def buffers(self):
        return "running_mean", "running_variance"

    def forward(self, x):
        self.check_input(x)
        if not self.training:
            return self.apply(x, self.running_mean, self.running_variance, axes=())
        count = x.size // self.n_in  # values that share a mean
        if count < 2:
            raise ValueError(
                f"{self!r} needs at least 2 values per feature in training, got shape {x.shape}."
            )
        axes = tuple(range(x.ndim - 1))
        mean, variance = x.mean(axis=axes), x.var(axis=axes)  # (n,)
        self.running_mean += self.momentum * (mean - self.running_mean)
        self.running_variance += self.momentum * (variance * (count / (count - 1)) - self.running_variance)
        return self.apply(x, mean, variance, axes)


class LayerNorm(Normalization):
    """Normalize each example over its features, the last axis (Ba, Kiros and Hinton 2016).

    Input and output (batch, ..., n); an image is normalized pixel by pixel, over its channels. Training and
    evaluation are the same. Raises ValueError for an input of another width.

    >>> LayerNorm(2)(np.array([[1.0, 3.0], [10.0, 30.0]])).round(3)
    array([[-1.,  1.],
           [-1.,  1.]])
    """

    def __init__(self, n: int, epsilon: float = 1e-5):
        super().__init__(n, epsilon)

    def forward(self, x):
        self.check_input(x)
        mean, variance = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)  # (batch, ..., 1)
        return self.apply(x, mean, variance, axes=(-1,))

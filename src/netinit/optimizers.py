"""Optimizers: from gradients to steps.

All parameters are handled as one long vector: a rule is then two or three lines of vector arithmetic, and a
network of a thousand layers costs hardly more calls than one of ten.
"""

import math
from numbers import Real

import numpy as np

from netinit.layers import Parameter


class Optimizer:
    """The base: gathers the gradients into one vector g, asks `direction(g)`, and subtracts lr times it.

    `weight_decay` adds weight_decay * value to g, which is the gradient of an L2 penalty. Each parameter's
    step is multiplied by its `lr_scale`, read here once. A rule of your own is a subclass with `direction`,
    whose `g` is overwritten by the next step. Raises ValueError for an empty list, a parameter
    that stands in it twice, a negative or non-finite rate; TypeError for what is not a Parameter.
    """

    def __init__(self, parameters: list[Parameter], lr: float, weight_decay: float = 0.0):
        self.parameters = list(parameters)
        if not self.parameters:
            raise ValueError("parameters is empty; pass model.parameters().")
        for p in self.parameters:
            if not isinstance(p, Parameter):
                raise TypeError(f"parameters must hold Parameter objects, got {type(p).__name__}.")
            _check_rate(lr_scale=p.lr_scale)
        if len({id(p) for p in self.parameters}) < len(self.parameters):
            raise ValueError("parameters holds one object twice; model.parameters() lists each once.")
        _check_rate(lr=lr, weight_decay=weight_decay)
        self.lr, self.weight_decay = float(lr), float(weight_decay)
        values = [p.value for p in self.parameters]
        self._scale = self._scales()
        # Made once: arrays of megabytes that are new in every step would cost more than the arithmetic.
        self._gradient, self._step = (np.concatenate(values, axis=None) for _ in range(2))
        parts = np.split(self._step, np.cumsum([value.size for value in values[:-1]]))
        self._pieces = [part.reshape(value.shape) for part, value in zip(parts, values, strict=True)]  # views

    def direction(self, g: np.ndarray) -> np.ndarray:
        raise NotImplementedError(f"{type(self).__name__} must define direction(g).")

    def step(self) -> None:
        """Move every parameter once. Raises RuntimeError where a parameter has no gradient yet."""
        for p in self.parameters:
            if p.grad is None:
                raise RuntimeError(f"parameter {p.name!r} has no gradient; run backward before step.")
        g = np.concatenate([p.grad for p in self.parameters], axis=None, out=self._gradient)
        if self.weight_decay:
            g += self.weight_decay * np.concatenate([p.value for p in self.parameters], axis=None)
        np.multiply(self.direction(g), self.lr * self._scale, out=self._step)
        for p, piece in zip(self.parameters, self._pieces, strict=True):
            p.value -= piece

    def _scales(self) -> float | np.ndarray:
        """The `lr_scale` of each entry of the long vector; one number where all are equal."""
        if len({p.lr_scale for p in self.parameters}) == 1:
            return self.parameters[0].lr_scale
        return np.concatenate([np.full(p.value.size, p.lr_scale, p.value.dtype) for p in self.parameters])

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters, before the next backward pass adds new ones."""
        for p in self.parameters:
            p.grad = None


class SGD(Optimizer):
    """theta <- theta - lr g (Robbins and Monro 1951)."""

    def direction(self, g):
        return g


class Momentum(Optimizer):
    """v <- momentum v + g; theta <- theta - lr v (Polyak 1964, in the form of PyTorch's SGD)."""

    def __init__(self, parameters, lr, *, momentum=0.9, weight_decay=0.0):
        super().__init__(parameters, lr, weight_decay)
        _check_decay(momentum=momentum)
        self.momentum, self.velocity = momentum, 0.0

    def direction(self, g):
        self.velocity *= self.momentum
        self.velocity += g
        return self.velocity


class AdaGrad(Optimizer):
    """s <- s + g^2; theta <- theta - lr g / (sqrt(s) + epsilon) (Duchi et al. 2011)."""

    def __init__(self, parameters, lr, *, epsilon=1e-10, weight_decay=0.0):
        super().__init__(parameters, lr, weight_decay)
        _check_epsilon(epsilon)
        self.epsilon, self.sum_of_squares = epsilon, 0.0

    def direction(self, g):
        self.sum_of_squares += g * g
        return g / (np.sqrt(self.sum_of_squares) + self.epsilon)


class RMSProp(Optimizer):
    """Steps divided by the root of a running mean square (Tieleman and Hinton 2012).

    s <- decay s + (1 - decay) g^2; theta <- theta - lr g / (sqrt(s) + epsilon).
    """

    def __init__(self, parameters, lr, *, decay=0.99, epsilon=1e-8, weight_decay=0.0):
        super().__init__(parameters, lr, weight_decay)
        _check_decay(decay=decay)
        _check_epsilon(epsilon)
        self.decay, self.epsilon, self.mean_square = decay, epsilon, 0.0

    def direction(self, g):
        self.mean_square *= self.decay
        self.mean_square += (1 - self.decay) * (g * g)
        return g / (np.sqrt(self.mean_square) + self.epsilon)


class Adam(Optimizer):
    """Momentum and RMSProp together, each divided by 1 - beta^t (Kingma and Ba 2015).

    theta <- theta - lr m_hat / (sqrt(s_hat) + epsilon). Weight decay is added to the gradient, as in the
    paper's L2 form.
    """

    def __init__(self, parameters, lr, *, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0):
        super().__init__(parameters, lr, weight_decay)
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise TypeError(f"betas must be a pair (beta1, beta2), got {betas!r}.")
        _check_decay(beta1=betas[0], beta2=betas[1])
        _check_epsilon(epsilon)
        self.betas, self.epsilon = betas, epsilon
        self.mean, self.mean_square, self.steps = 0.0, 0.0, 0

    def direction(self, g):
        beta1, beta2 = self.betas
        self.steps += 1
        self.mean *= beta1
        self.mean += (1 - beta1) * g
        self.mean_square *= beta2
        self.mean_square += (1 - beta2) * (g * g)
        mean_hat = self.mean / (1 - beta1**self.steps)
        return mean_hat / (np.sqrt(self.mean_square / (1 - beta2**self.steps)) + self.epsilon)


def _check_rate(**rates: float) -> None:
    for name, rate in rates.items():
        _check_real(name, rate)
        if not (math.isfinite(rate) and rate >= 0):
            raise ValueError(f"{name} must be finite and not negative, got {rate}.")


def _check_epsilon(epsilon: float) -> None:
    _check_rate(epsilon=epsilon)
    if epsilon == 0:
        raise ValueError("epsilon must be positive, got 0: a gradient of 0 would become 0/0.")


def _check_decay(**decays: float) -> None:
    for name, decay in decays.items():
        _check_real(name, decay)
        if not 0 <= decay < 1:
            raise ValueError(f"{name} must lie in [0, 1), got {decay}.")


def _check_real(name: str, value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a real number, got {value!r}.")

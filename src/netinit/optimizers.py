"""Optimizers: from gradients to steps.

All parameters are handled as one long vector: a rule is then two or three lines of vector arithmetic, and a
network of a thousand layers costs hardly more calls than one of ten. The values move into that vector when
the optimizer is built, and each `Parameter.value` becomes a view of its piece; the gradients do the same in
a second vector.
"""

from collections.abc import Iterable

import numpy as np

from netinit.checks import check_kind, check_number
from netinit.layer import Parameter


class Optimizer:
    """The base: asks `direction(g)` for the long vector of all gradients g, and subtracts lr times it.

    `weight_decay` adds weight_decay * value to g, which is the gradient of an L2 penalty. Each parameter's
    step is multiplied by its `lr_scale`, read here once. A rule of your own is a subclass with `direction`,
    whose `g` is overwritten by the next backward pass. Raises ValueError for an empty list, a parameter that
    stands in it twice, parameters of different dtypes, a negative or non-finite rate; TypeError for what is
    not a Parameter.
    """

    def __init__(self, parameters: list[Parameter], lr: float, weight_decay: float = 0.0):
        self.parameters = _checked(parameters)
        self.lr = check_number("lr", lr, least=0)
        self.weight_decay = check_number("weight_decay", weight_decay, least=0)
        self._values = np.concatenate([p.value for p in self.parameters], axis=None)
        self._gradients, self._step = np.empty_like(self._values), np.empty_like(self._values)
        self._scales = self._read_scales()
        self._homes = list(zip(self._pieces(self._values), self._pieces(self._gradients), strict=True))
        for p, (value, grad) in zip(self.parameters, self._homes, strict=True):
            p.value, p.grad_out = value, grad

    def direction(self, g: np.ndarray) -> np.ndarray:
        """The vector of steps, before the learning rate and with the sign of g, for the vector g."""
        raise NotImplementedError(f"{type(self).__name__} must define direction(g).")

    def step(self) -> None:
        """Move every parameter once.

        Raises RuntimeError where a parameter has no gradient yet, or another shape or dtype than at first.
        """
        self._bring_home()
        g = self._gradients
        if self.weight_decay:
            g = g + self.weight_decay * self._values
        np.multiply(self.direction(g), self.lr, out=self._step)
        if self._scales is not None:
            self._step *= self._scales
        self._values -= self._step

    def _bring_home(self) -> None:
        """Copy what was assigned by hand, or summed from two passes, to its place in the long vectors."""
        for p, (value, grad) in zip(self.parameters, self._homes, strict=True):
            if p.grad is None:
                raise RuntimeError(f"parameter {p.name!r} has no gradient; run backward before step.")
            if p.grad is not grad:
                _copy("gradient", p, p.grad, grad)
            if p.value is not value:
                _copy("value", p, p.value, value)
                p.value = value

    def _read_scales(self) -> np.ndarray | None:
        """The `lr_scale` of each entry of the long vector; None where all are 1."""
        if all(p.lr_scale == 1 for p in self.parameters):
            return None
        return np.concatenate([np.full(p.value.size, p.lr_scale, p.value.dtype) for p in self.parameters])

    def _pieces(self, vector: np.ndarray) -> list[np.ndarray]:
        """The long vector as one view for each parameter, in its shape."""
        pieces, start = [], 0
        for p in self.parameters:
            pieces.append(vector[start : start + p.value.size].reshape(p.value.shape))
            start += p.value.size
        return pieces

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


def _checked(parameters: list[Parameter]) -> list[Parameter]:
    """The parameters as a list; raises where one long vector cannot hold them."""
    check_kind("parameters", parameters, Iterable, "a list such as model.parameters()")
    parameters = list(parameters)
    if not parameters:
        raise ValueError("parameters is empty; pass model.parameters().")
    for p in parameters:
        if not isinstance(p, Parameter):
            raise TypeError(f"parameters must hold Parameter objects, got {type(p).__name__}.")
        check_number("lr_scale", p.lr_scale, least=0)
        if p.value.dtype != parameters[0].value.dtype:
            raise ValueError(
                f"parameters must share one dtype, got {parameters[0]!r} and {p!r}: "
                "make it with that dtype, or convert the model with astype."
            )
    if len({id(p) for p in parameters}) < len(parameters):
        raise ValueError("parameters holds one object twice; model.parameters() lists each once.")
    return parameters


def _copy(kind: str, parameter: Parameter, new: np.ndarray, home: np.ndarray) -> None:
    """Write an array that was assigned by hand to its place."""
    new = np.asarray(new)
    if new.shape != home.shape:
        raise RuntimeError(f"{kind} of {parameter!r} must keep its shape {home.shape}, got {new.shape}.")
    if kind == "value" and new.dtype != home.dtype:
        raise RuntimeError(f"{parameter!r} must keep its dtype {home.dtype}; build the optimizer anew.")
    home[...] = new


def _check_epsilon(epsilon: float) -> None:
    if check_number("epsilon", epsilon, least=0) == 0:
        raise ValueError("epsilon must be positive, got 0: a gradient of 0 would become 0/0.")


def _check_decay(**decays: float) -> None:
    for name, decay in decays.items():
        if not 0 <= check_number(name, decay) < 1:
            raise ValueError(f"{name} must lie in [0, 1), got {decay}.")

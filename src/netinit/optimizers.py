"""Optimizers: from gradients to steps.

All parameters are handled as one long vector: a rule is then two or three lines of vector arithmetic, and a
network of a thousand layers costs hardly more calls than one of ten. The values move into that vector when
the optimizer is built, and each `Parameter.value` becomes a view of its piece; the gradients do the same in
a second vector. The arithmetic goes through the vectors in pieces: what one operation writes is then still
in the processor's cache when the next one reads it.
"""

import numpy as np

from netinit.checks import check_list, check_number, shown
from netinit.layers import Parameter

PIECE = 2**15  # entries in a piece: 128 kB of float32


class Optimizer:
    """The base: asks `direction(g, piece)` for each piece of the step, and subtracts lr times it.

    g is the gradient of that piece, `piece` the slice of the long vector, by which a rule finds its place in
    vectors of its own, such as a velocity. `weight_decay` adds `weight_decay * value` to g, which is the
    gradient of an L2 penalty. Each parameter's step is multiplied by its `lr_scale`, read here once. A rule
    of your own is a subclass with `direction`. Raises ValueError for an empty list, a parameter that stands
    in it twice, parameters of different dtypes, a negative or non-finite rate; TypeError for what is not a
    Parameter.

    >>> class Sign(Optimizer):
    ...     def direction(self, g, piece):
    ...         return np.sign(g)
    >>> p = Parameter(np.array([1.0]), grad=np.array([2.0]))
    >>> Sign([p], 0.1).step()
    >>> p.value
    array([0.9])
    """

    def __init__(self, parameters: list[Parameter], lr: float, weight_decay: float = 0.0):
        self.parameters = _checked(parameters)
        self.lr = check_number("lr", lr, least=0)
        self.weight_decay = check_number("weight_decay", weight_decay, least=0)
        self.steps = 0  # taken so far, the present one included
        self._scales = self._read_scales()
        self._move_in()

    def _move_in(self) -> None:
        """Make every value, and the buffer of every gradient, a view of its piece of a long vector."""
        self._values = np.concatenate([p.value for p in self.parameters], axis=None)
        self._gradients = np.empty_like(self._values)
        values, gradients = self._views(self._values), self._views(self._gradients)
        self._homes = list(zip(self.parameters, values, gradients, strict=True))
        for p, value, grad in self._homes:
            p.value, p.grad_buffer = value, grad

    def __setstate__(self, state):
        """The copy of a view is an array of its own: the copy of an optimizer moves its copies in again."""
        self.__dict__.update(state)
        self._move_in()

    def direction(self, g: np.ndarray, piece: slice) -> np.ndarray:
        """The step before the learning rate, with the sign of g, for the gradient g of that piece."""
        raise NotImplementedError(f"{type(self).__name__} must define direction(g, piece).")

    def step(self) -> None:
        """Move every parameter once.

        Raises RuntimeError where a parameter has no gradient yet, or another shape or dtype than at first.
        """
        self._bring_home()
        self.steps += 1
        for start in range(0, len(self._values), PIECE):
            piece = slice(start, start + PIECE)
            values, g = self._values[piece], self._gradients[piece]  # views
            if self.weight_decay:
                g = g + self.weight_decay * values
            step = self.lr * self.direction(g, piece)
            if self._scales is not None:
                step *= self._scales[piece]
            values -= step

    def _bring_home(self) -> None:
        """Copy what was assigned by hand, or summed from two passes, to its place in the long vectors."""
        for p, value, grad in self._homes:
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

    def _views(self, vector: np.ndarray) -> list[np.ndarray]:
        """The long vector as one view for each parameter, in its shape."""
        views, start = [], 0
        for p in self.parameters:
            views.append(vector[start : start + p.value.size].reshape(p.value.shape))
            start += p.value.size
        return views

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters, before the next backward pass adds new ones."""
        for p in self.parameters:
            p.grad = None


class SGD(Optimizer):
    """`theta <- theta - lr g` (Robbins and Monro 1951).

    >>> p = Parameter(np.array([1.0]), grad=np.array([2.0]))
    >>> SGD([p], 0.1).step()
    >>> p.value.round(3)
    array([0.8])
    """

    def direction(self, g, piece):
        return g


class Momentum(Optimizer):
    """`v <- momentum v + g`; `theta <- theta - lr v` (Polyak 1964, in the form of PyTorch's SGD).

    >>> p = Parameter(np.array([1.0]), grad=np.array([2.0]))
    >>> Momentum([p], 0.1).step()
    >>> p.value.round(3)
    array([0.8])
    """

    def __init__(self, parameters, lr, *, momentum=0.9, weight_decay=0.0):
        self.momentum = _decay("momentum", momentum)
        super().__init__(parameters, lr, weight_decay)
        self.velocity = np.zeros_like(self._values)

    def direction(self, g, piece):
        velocity = self.velocity[piece]  # a view: what changes it changes the whole vector
        velocity *= self.momentum
        velocity += g
        return velocity


class AdaGrad(Optimizer):
    """`s <- s + g^2`; `theta <- theta - lr g / (sqrt(s) + epsilon)` (Duchi et al. 2011).

    >>> p = Parameter(np.array([1.0]), grad=np.array([2.0]))
    >>> AdaGrad([p], 0.1).step()
    >>> p.value.round(3)
    array([0.9])
    """

    def __init__(self, parameters, lr, *, epsilon=1e-10, weight_decay=0.0):
        self.epsilon = _epsilon(epsilon)
        super().__init__(parameters, lr, weight_decay)
        self.sum_of_squares = np.zeros_like(self._values)

    def direction(self, g, piece):
        sum_of_squares = self.sum_of_squares[piece]
        sum_of_squares += g * g
        return g / (np.sqrt(sum_of_squares) + self.epsilon)


class RMSProp(Optimizer):
    """Steps divided by the root of a running mean square (Tieleman and Hinton 2012).

    `s <- decay s + (1 - decay) g^2`; `theta <- theta - lr g / (sqrt(s) + epsilon)`.

    >>> p = Parameter(np.array([1.0]), grad=np.array([2.0]))
    >>> RMSProp([p], 0.001).step()
    >>> p.value.round(3)
    array([0.99])
    """

    def __init__(self, parameters, lr, *, decay=0.99, epsilon=1e-8, weight_decay=0.0):
        self.decay, self.epsilon = _decay("decay", decay), _epsilon(epsilon)
        super().__init__(parameters, lr, weight_decay)
        self.mean_square = np.zeros_like(self._values)

    def direction(self, g, piece):
        mean_square = self.mean_square[piece]
        mean_square *= self.decay
        mean_square += (1 - self.decay) * (g * g)
        return g / (np.sqrt(mean_square) + self.epsilon)


class Adam(Optimizer):
    """Momentum and RMSProp together, each divided by `1 - beta^t` (Kingma and Ba 2015).

    `theta <- theta - lr m_hat / (sqrt(s_hat) + epsilon)`. Weight decay is added to the gradient, as in the
    paper's L2 form.

    >>> p = Parameter(np.array([1.0]), grad=np.array([2.0]))
    >>> Adam([p], 0.001).step()
    >>> p.value.round(3)
    array([0.999])
    """

    def __init__(self, parameters, lr, *, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0):
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise TypeError(f"betas must be a pair (beta1, beta2), got {shown(betas)}.")
        self.betas, self.epsilon = (_decay("beta1", betas[0]), _decay("beta2", betas[1])), _epsilon(epsilon)
        super().__init__(parameters, lr, weight_decay)
        self.mean, self.mean_square = np.zeros_like(self._values), np.zeros_like(self._values)

    def direction(self, g, piece):
        (beta1, beta2), mean, mean_square = self.betas, self.mean[piece], self.mean_square[piece]
        mean *= beta1
        mean += (1 - beta1) * g
        mean_square *= beta2
        mean_square += (1 - beta2) * (g * g)
        mean_hat = mean / (1 - beta1**self.steps)
        return mean_hat / (np.sqrt(mean_square / (1 - beta2**self.steps)) + self.epsilon)


def _checked(parameters: list[Parameter]) -> list[Parameter]:
    """The parameters as a list; raises where one long vector cannot hold them."""
    parameters = check_list("parameters", parameters, "parameters such as model.parameters()")
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
    starts: dict[int, Parameter] = {}
    for p in parameters:
        other = starts.setdefault(p.value.__array_interface__["data"][0], p)
        if other is not p and np.shares_memory(p.value, other.value):
            raise ValueError(f"{other!r} and {p!r} share one array; to share weights, share the Parameter.")
    return parameters


def _copy(kind: str, parameter: Parameter, new: np.ndarray | None, home: np.ndarray) -> None:
    """Write an array that was assigned by hand to its place."""
    if new is None:
        raise RuntimeError(f"parameter {parameter.name!r} has no gradient; run backward before step.")
    new = np.asarray(new)
    if new.shape != home.shape:
        raise RuntimeError(f"{kind} of {parameter!r} must keep its shape {home.shape}, got {new.shape}.")
    if kind == "value" and new.dtype != home.dtype:
        raise RuntimeError(f"{parameter!r} must keep its dtype {home.dtype}; build the optimizer anew.")
    home[...] = new


def _epsilon(epsilon: float) -> float:
    epsilon = check_number("epsilon", epsilon, least=0)
    if epsilon == 0:
        raise ValueError("epsilon must be positive, got 0: a gradient of 0 would become 0/0.")
    return epsilon


def _decay(name: str, decay: float) -> float:
    decay = check_number(name, decay)
    if not 0 <= decay < 1:
        raise ValueError(f"{name} must lie in [0, 1), got {decay}.")
    return decay

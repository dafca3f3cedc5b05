"""The base of all layers, and the parameters that they hold.

A layer is a function with adjustable parameters. `forward(x)` computes the output and remembers what the way
back needs; `backward(grad)` takes dLoss/d(output), adds dLoss/d(parameter) to each parameter, and returns
dLoss/d(input). Your own layer is a subclass with `__init__`, `forward` and `backward`: parameters and layers
that it holds as attributes, or in a list, a tuple or a dict, are found by themselves.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from netinit.checks import TRAINED, as_array, cast, check_flag, check_floats, check_kind, check_number, shown

MOST_NESTED = 100  # layers within layers, which Python runs as calls within calls


class Parameter:
    """A trainable array, the gradient of the loss with respect to it, and its name.

    `grad` is None until a backward pass has reached the parameter. `lr_scale` multiplies the learning rate of
    this parameter alone; 0 freezes it. `grad_buffer`, if an optimizer has set it, is the array that gradients
    are written into: copy a gradient that you want to keep beyond the next backward pass.

    >>> Parameter(np.zeros((64, 10)), name="weight").value.shape
    (64, 10)
    """

    def __init__(
        self, value: np.ndarray, grad: np.ndarray | None = None, name: str = "", lr_scale: float = 1.0
    ):
        check_floats("value", value)
        if grad is not None:
            check_gradient(grad, value.shape)
        self.value = value
        self.grad = grad
        self.name = name
        self.lr_scale = check_number("lr_scale", lr_scale, least=0)
        self.grad_buffer: np.ndarray | None = None

    def accumulate(self, grad: np.ndarray) -> None:
        """Add to the gradient: a parameter used in two places receives the sum of both.

        Raises ValueError for a gradient of another shape than the value.
        """
        if grad.shape != self.value.shape:
            raise ValueError(f"grad must have the shape of {self!r}, got {grad.shape}.")
        if self.grad is not None:
            self.grad = self.grad + grad
        elif self.grad_buffer is None:
            self.grad = grad
        else:
            self.grad_buffer[...] = grad
            self.grad = self.grad_buffer

    def accumulate_product(self, a: np.ndarray, b: np.ndarray) -> None:
        """The same as accumulate(a @ b), but written straight to `grad_buffer` where that is possible.

        An array of the size of a weight, made anew in each step, is memory that the system clears each time.
        """
        if self.grad is not None or self.grad_buffer is None:
            self.accumulate(a.dot(b))
            return
        try:
            a.dot(b, self.grad_buffer)
        except ValueError:  # another dtype, or a shape that accumulate refuses
            self.accumulate(a.dot(b))
        else:
            self.grad = self.grad_buffer  # dot itself returns a single number as a scalar, not as this array

    def __repr__(self) -> str:
        return f"Parameter({self.name!r}, shape={self.value.shape}, dtype={self.value.dtype})"


class Layer:
    """The base of all layers and models.

    >>> class Double(Layer):
    ...     def forward(self, x):
    ...         return 2 * x
    ...
    ...     def backward(self, grad):
    ...         return 2 * grad
    >>> Double()(np.ones((1, 2)))
    array([[2., 2.]])
    """

    n_in: int | None = None  # features per example that the layer takes; None: any number
    n_out: int | None = None  # features per example that it returns; None: not known beforehand
    keeps_width = False  # True: it returns as many features as it was given, whatever their number
    groups = 1  # blocks of outputs that each see their own block of inputs, as in a grouped Conv2d
    training = True  # what `train()` and `eval()` switch; only BatchNorm looks at it
    _saved: Any = None  # what forward keeps for backward

    def forward(self, x: np.ndarray) -> np.ndarray:
        """The output for a batch x, (batch, ...); keeps in `_saved` what `backward` needs."""
        raise NotImplementedError(f"{type(self).__name__} must define forward(x).")

    def backward(self, grad: np.ndarray) -> np.ndarray:
        """Take dLoss/d(output), accumulate dLoss/d(parameter), return dLoss/d(input), each in its shape."""
        raise NotImplementedError(f"{type(self).__name__} must define backward(grad).")

    def __call__(self, x: np.ndarray) -> np.ndarray:
        check_floats("x", x)
        if x.ndim == 0:
            raise ValueError("x must hold a batch, got one number without an axis.")
        return self.forward(x)

    def refuse(self, x: np.ndarray, shape: str) -> None:
        """Raise ValueError for an input that does not fit."""
        raise ValueError(f"{self!r} takes an input of shape {shape}, got {x.shape}.")

    def saved(self):
        """What the last forward pass kept, once; RuntimeError where there was none since the last call.

        So a layer that runs twice in one pass cannot go back twice on what the second run kept.
        """
        if self._saved is None:
            raise RuntimeError(f"{self!r}.backward needs a forward pass of its own first.")
        saved, self._saved = self._saved, None
        return saved

    def __getstate__(self) -> dict[str, Any]:
        """What a copy or a pickle takes along: everything but the last batch."""
        return {name: value for name, value in vars(self).items() if name != "_saved"}

    def children(self) -> Iterator[tuple[str, "Layer"]]:
        """Name and layer of each direct part, in the order of definition; "parts.0" in a list `parts`."""
        return _held(self, Layer)

    def named_layers(self, prefix: str = "") -> Iterator[tuple[str, "Layer"]]:
        """Path and layer of this layer and of all inside it, such as ("1.branch.0", Linear(16, 16)).

        Raises ValueError where layers are nested more than 100 deep, as in one that holds its own model.
        """
        ahead = [(prefix, self)]  # a stack: what is still to come, the next one last
        while ahead:
            path, layer = ahead.pop()
            if path.count(".") > MOST_NESTED:
                raise ValueError(f"layers must be nested at most {MOST_NESTED} deep, got {path[:40]!r}...")
            yield path, layer
            parts = [(f"{path}.{name}" if path else name, child) for name, child in layer.children()]
            ahead += reversed(parts)

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Path and parameter, such as ("0.weight", Parameter); a shared one appears under each path."""
        for path, layer in self.named_layers():
            for name, value in own_parameters(layer).items():
                yield (f"{path}.{name}" if path else name), value

    def parameters(self) -> list[Parameter]:
        """Every parameter once, shared ones too."""
        return list({id(p): p for _, p in self.named_parameters()}.values())

    def zero_grad(self) -> None:
        """Forget all gradients, before the next backward pass adds new ones."""
        for parameter in self.parameters():
            parameter.grad = None

    def train(self, mode: bool = True) -> "Layer":
        """Switch this layer and all inside it to training mode; returns it."""
        mode = check_flag("mode", mode)
        for _, layer in self.named_layers():
            layer.training = mode
        return self

    def eval(self) -> "Layer":
        """Switch this layer and all inside it to evaluation mode; returns it."""
        return self.train(False)

    def astype(self, dtype) -> "Layer":
        """Convert every parameter and buffer, float64 for gradient checks say; returns the layer."""
        try:
            fits = dtype is not None and np.dtype(dtype) in TRAINED
        except TypeError:
            fits = False
        if not fits:
            raise TypeError(f"dtype must be float32 or float64, got {shown(dtype)}.")
        for _, layer in self.named_layers():
            for name in layer.buffers():
                setattr(layer, name, getattr(layer, name).astype(dtype))
        for parameter in self.parameters():
            parameter.value, parameter.grad = parameter.value.astype(dtype), None
            parameter.grad_buffer = None  # an optimizer built before has the old dtype
        return self

    def buffers(self) -> tuple[str, ...]:
        """Names of arrays that belong to the layer's state but are not trained."""
        return ()

    def named_arrays(self) -> Iterator[tuple[str, np.ndarray]]:
        """Path and array of every parameter and buffer: the whole state of the model."""
        for path, parameter in self.named_parameters():
            yield path, parameter.value
        for path, layer in self.named_layers():
            for name in layer.buffers():
                yield (f"{path}.{name}" if path else name), getattr(layer, name)

    def state_dict(self) -> dict[str, np.ndarray]:
        """A copy of every parameter and buffer under its path."""
        return {path: array.copy() for path, array in self.named_arrays()}

    def load_state_dict(self, state: dict[str, np.ndarray], strict: bool = True) -> None:
        """Copy arrays into the parameters and buffers of the same path; nothing changes if anything is wrong.

        `strict=False` passes over paths that only one side has. Raises ValueError for such a path when
        strict, and always for a wrong shape, a value that is not finite in the dtype of the model, an array
        that cannot be written to, or two values for one shared array.
        """
        check_kind("state", state, Mapping, "a mapping of paths to arrays")
        own = dict(self.named_arrays())
        if check_flag("strict", strict) and own.keys() != state.keys():
            missing, extra = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
            raise ValueError(f"state does not fit the model: missing {missing}, unexpected {extra}.")
        loaded = {path: _fitting(path, state[path], own[path]) for path in own if path in state}
        for first, *others in paths_by_array({path: own[path] for path in loaded}):
            for path in others:
                if not np.array_equal(loaded[first], loaded[path]):
                    raise ValueError(f"state must agree on {first!r} and {path!r}, which share one array.")
        overwrite((path, own[path], value) for path, value in loaded.items())

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def weight_of(layer: Layer) -> Parameter | None:
    """The layer's own parameter `weight`, or else its only one, among those of two axes or more; or None.

    The scales of a normalization or of a PReLU have one axis: they are no weights, whatever their name.
    """
    matrices = {name: p for name, p in own_parameters(layer).items() if p.value.ndim >= 2}
    return matrices.get("weight", next(iter(matrices.values())) if len(matrices) == 1 else None)


def bias_of(layer: Layer) -> Parameter | None:
    """The layer's own parameter `bias`; None without one."""
    return own_parameters(layer).get("bias")


def check_gradient(grad: np.ndarray, shape: tuple[int | None, ...]) -> None:
    """Raise unless dLoss/d(output) is an array of floating-point numbers in the shape of the output."""
    check_floats("grad", grad)
    if grad.shape != shape:
        raise ValueError(f"grad must have shape {shape}, got {grad.shape}.")


def zero_parameter(name: str, *shape: int) -> Parameter:
    """A float32 parameter of zeros; raises ValueError, not MemoryError, where no memory holds it."""
    try:
        return Parameter(np.zeros(shape, np.float32), name=name)
    except (ValueError, MemoryError):
        raise ValueError(f"{name} must fit into memory, got the shape {shown(shape)}.") from None


def own_parameters(layer: Layer) -> dict[str, Parameter]:
    """Name and parameter of everything that the layer itself holds, without its parts."""
    return dict(_held(layer, Parameter))


def _held(layer: Layer, kind: type) -> Iterator[tuple[str, Any]]:
    """Name and value of each attribute of a kind; "name.key" for those in a list, a tuple or a dict."""
    for name, value in vars(layer).items():
        if isinstance(value, kind):
            yield name, value
        elif isinstance(value, (list, tuple, dict)):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            yield from ((f"{name}.{key}", part) for key, part in items if isinstance(part, kind))


@contextmanager
def gradients_set_aside(parameters: Iterable[Parameter]) -> Iterator[None]:
    """Within the block no parameter has a gradient; after it each has its own again."""
    before = [(p, p.grad, p.grad_buffer) for p in parameters]
    for parameter, *_ in before:
        parameter.grad = parameter.grad_buffer = None
    try:
        yield
    finally:
        for parameter, grad, buffer in before:
            parameter.grad, parameter.grad_buffer = grad, buffer


def overwrite(changes: Iterable[tuple[str, np.ndarray, np.ndarray]]) -> None:
    """Copy each value into its array, given as (path, array, value); all, or none where one is read-only."""
    changes = list(changes)
    check_writeable((path, array) for path, array, _ in changes)
    for _, array, value in changes:
        array[...] = value


def check_writeable(arrays: Iterable[tuple[str, np.ndarray]]) -> None:
    """Raise for a read-only array, given as (path, array)."""
    for path, array in arrays:
        if not array.flags.writeable:
            raise ValueError(f"{path!r} must be an array that can be written to, got a read-only one.")


def paths_by_array(arrays: Mapping[str, np.ndarray]) -> list[list[str]]:
    """The paths of each array, several where it is shared."""
    sharing: dict[int, list[str]] = {}
    for path, array in arrays.items():
        sharing.setdefault(id(array), []).append(path)
    return list(sharing.values())


def _fitting(path, value, own):
    """The value as an array that can replace `own`, in its shape and dtype."""
    name = f"state[{path!r}]"
    value = as_array(name, value)
    if value.shape != own.shape:
        raise ValueError(f"{name} must have the shape {own.shape} of the model, got {value.shape}.")
    return cast(name, value, own.dtype)

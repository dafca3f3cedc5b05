"""Models: layers composed into one. A model is a layer again, so models nest.

`Sequential` applies its layers in order, `Residual` adds a branch to its input.
"""

from collections.abc import Iterator

import numpy as np

from netinit.checks import shown
from netinit.layers import Layer
from netinit.printing import label, model_table


class Sequential(Layer):
    """Layers one after the other: `Sequential(Linear(10, 5), Activation("relu"), Linear(5, 2))`.

    `model[0]` is the first layer, `model[1:]` a Sequential that shares the rest. Raises TypeError for what is
    not a layer, ValueError where one layer's width does not fit the next or the same object stands twice.

    >>> len(Sequential(Linear(10, 5), Activation("relu"), Linear(5, 2)))
    3
    """

    def __init__(self, *layers: Layer):
        for i, layer in enumerate(layers):
            if not isinstance(layer, Layer):
                raise TypeError(f"layer {i} must be a Layer, got {type(layer).__name__}.")
        self.layers = layers
        _check_distinct(self)
        _check_widths(layers)
        self.n_in, self.n_out = _width(layers, "n_in"), _width(reversed(layers), "n_out")
        self.keeps_width = all(layer.keeps_width for layer in layers)

    def children(self):
        return ((str(i), layer) for i, layer in enumerate(self.layers))

    def forward(self, x):
        for layer in self.layers:
            x = _array(layer.forward(x), layer, "forward")
        return x

    def backward(self, grad):
        for layer in reversed(self.layers):
            grad = _array(layer.backward(grad), layer, "backward")
        return grad

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return Sequential(*self.layers[index])
        if not isinstance(index, (int, np.integer)):
            raise TypeError(f"index must be an integer or a slice, got {shown(index)}.")
        if not -len(self) <= index < len(self):
            raise IndexError(f"index must lie in {-len(self)}..{len(self) - 1}, got {index}.")
        return self.layers[index]

    def __repr__(self) -> str:
        return model_table(self)


class Residual(Layer):
    """`y = shortcut(x) + branch(x)`; without a shortcut layer, `y = x + branch(x)` (He et al. 2016).

    Raises TypeError for a part that is not a layer, ValueError where the two parts have different shapes.

    >>> Residual(Activation("relu"))(np.array([[-1.0, 2.0]]))
    array([[-1.,  4.]])
    """

    def __init__(self, branch: Layer, shortcut: Layer | None = None):
        parts = {"branch": branch} if shortcut is None else {"branch": branch, "shortcut": shortcut}
        for name, part in parts.items():
            if not isinstance(part, Layer):
                raise TypeError(f"{name} must be a Layer, got {type(part).__name__}.")
        _check_parallel(branch, shortcut)
        self.branch, self.shortcut = branch, shortcut
        if shortcut is not None:  # a branch alone was looked through when it was made
            _check_distinct(self)
        self.n_in = branch.n_in or parts.get("shortcut", branch).n_in
        self.n_out = branch.n_out or parts.get("shortcut", branch).n_out
        self.keeps_width = shortcut is None or (branch.keeps_width and shortcut.keeps_width)

    def forward(self, x):
        skip = x if self.shortcut is None else _array(self.shortcut.forward(x), self.shortcut, "forward")
        y = _array(self.branch.forward(x), self.branch, "forward")
        if y.shape != skip.shape:
            raise ValueError(
                f"branch {label(self.branch)} returns shape {y.shape}, but shortcut "
                f"{label(self.shortcut)} returns {skip.shape}: they must be equal."
            )
        return skip + y

    def backward(self, grad):
        skip_grad = grad if self.shortcut is None else self.shortcut.backward(grad)
        return skip_grad + self.branch.backward(grad)

    def __repr__(self) -> str:
        return model_table(self)


def _array(result, layer, method):
    """What a layer returned; raises TypeError, with its name, for anything but an array of numbers."""
    if not isinstance(result, np.ndarray) or result.dtype.kind != "f":
        given = f"an array of {result.dtype}" if isinstance(result, np.ndarray) else type(result).__name__
        raise TypeError(
            f"{label(layer)}.{method} must return an array of floating-point numbers, got {given}."
        )
    return result


def _check_distinct(model):
    """Raise where one layer stands in two places: its second pass would overwrite what the first saved."""
    paths: dict[int, str] = {}
    for path, layer in model.named_layers():
        if id(layer) in paths:
            raise ValueError(
                f"layers must be distinct objects, got one {label(layer)} as {paths[id(layer)]!r} and "
                f"{path!r}; to share weights, share a Parameter between two layers."
            )
        paths[id(layer)] = path


def _check_widths(layers):
    """Raise where a layer's n_out is not the next one's n_in; layers that keep the width are passed over."""
    width, giver = None, None
    for i, layer in enumerate(layers):
        if None not in (width, layer.n_in) and layer.n_in != width:
            raise ValueError(
                f"layer {i} {label(layer)} takes {layer.n_in} features, but layer {giver} returns {width}."
            )
        if layer.n_out is not None or not layer.keeps_width:
            width, giver = layer.n_out, f"{i} {label(layer)}"


def _check_parallel(branch, shortcut):
    """Raise where the known widths of the branch and the shortcut differ."""
    if shortcut is None:
        if None not in (branch.n_in, branch.n_out) and branch.n_in != branch.n_out:
            raise ValueError(
                f"branch {label(branch)} takes {branch.n_in} features and returns {branch.n_out}: "
                "without a shortcut layer they must be equal."
            )
        return
    for side, verb in (("n_in", "takes"), ("n_out", "returns")):
        one, other = getattr(branch, side), getattr(shortcut, side)
        if None not in (one, other) and one != other:
            raise ValueError(
                f"branch {label(branch)} {verb} {one} features, "
                f"but shortcut {label(shortcut)} {verb} {other}."
            )


def _width(layers, side):
    """The n_in or n_out of a chain: that of the first layer that does not pass any width on."""
    for layer in layers:
        width = getattr(layer, side)
        if width is not None or not layer.keeps_width:
            return width
    return None

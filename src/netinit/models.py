"""Models: layers composed into one. A model is a layer again, so models nest.

`Sequential` applies its layers in order, `Residual` adds a branch to its input; the builders make the
networks that the chapters train.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from netinit.activations import get_activation
from netinit.checks import check_flag, check_integer, check_name, check_sizes
from netinit.convolution import Conv2d
from netinit.layer import Layer
from netinit.layers import Activation, Flatten, Linear, ScalarBias, ScalarScale
from netinit.normalization import BatchNorm, LayerNorm
from netinit.summary import label, table

NORMS = {"batch": BatchNorm, "layer": LayerNorm}


class Sequential(Layer):
    """Layers one after the other: `Sequential(Linear(10, 5), Activation("relu"), Linear(5, 2))`.

    `model[0]` is the first layer, `model[1:]` a Sequential that shares the rest. Raises TypeError for what is
    not a layer, ValueError where one layer's width does not fit the next or the same object stands twice.
    """

    holds = ()  # of its own; its layers are its `children`

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
            x = layer.forward(x)
        return x

    def backward(self, grad):
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
        return grad

    def backward_parameters(self, grad):
        for layer in reversed(self.layers[1:]):
            grad = layer.backward(grad)
        for first in self.layers[:1]:  # none in an empty model
            first.backward_parameters(grad)

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return Sequential(*self.layers[index])
        if not isinstance(index, (int, np.integer)):
            raise TypeError(f"index must be an integer or a slice, got {index!r}.")
        if not -len(self) <= index < len(self):
            raise IndexError(f"index must lie in {-len(self)}..{len(self) - 1}, got {index}.")
        return self.layers[index]

    def __repr__(self) -> str:
        return table(self)


class Residual(Layer):
    """y = shortcut(x) + branch(x); without a shortcut layer, y = x + branch(x) (He et al. 2016).

    Raises TypeError for a part that is not a layer, ValueError where the two parts have different shapes.
    """

    holds = "branch", "shortcut"

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
        skip = x if self.shortcut is None else self.shortcut.forward(x)
        y = self.branch.forward(x)
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
        return table(self)


def mlp(sizes: Sequence[int], activation="relu", *, norm: str | None = None, bias: bool = True) -> Sequential:
    """Linear layers of the given sizes with an activation between them; none after the last.

    `mlp([64, 100, 100, 10], "tanh")` has two hidden layers. `norm` ("batch" or "layer") normalizes each
    preactivation. Raises TypeError where sizes is no sequence, ValueError for fewer than two sizes or an
    unknown norm or activation.
    """
    if not isinstance(sizes, Sequence) or isinstance(sizes, str):
        raise TypeError(f"sizes must be a list of integers such as [64, 100, 10], got {sizes!r}.")
    if len(sizes) < 2:
        raise ValueError(f"sizes must hold at least the input and the output size, got {list(sizes)}.")
    for i, size in enumerate(sizes):
        check_integer(f"sizes[{i}]", size)
    activation, norm_class = get_activation(activation), _norm_class(norm)
    layers = []
    for n_in, n_out in pairwise(sizes[:-1]):
        layers += [
            Linear(n_in, n_out, bias),
            *([norm_class(n_out)] if norm_class else []),
            Activation(activation),
        ]
    return Sequential(*layers, Linear(sizes[-2], sizes[-1], bias))


def residual_mlp(
    n_in, width, blocks, n_out, *, activation="relu", layers_per_block=2, fixup=False
) -> Sequential:
    """Linear, then `blocks` residual blocks x + branch(x), then the classifier; no normalization.

    A branch is `layers_per_block` times (activation, Linear), the pre-activation order of He et al. 2016b, so
    the skip path stays a plain sum. `fixup=True` adds a scalar bias before every Linear and activation and a
    scalar multiplier at the end of each branch (Zhang, Dauphin and Ma 2019). Raises ValueError for a count
    below 1.
    """
    check_sizes(n_in=n_in, width=width, blocks=blocks, n_out=n_out, layers_per_block=layers_per_block)
    fixup = check_flag("fixup", fixup)
    before = (lambda: [ScalarBias()]) if fixup else list

    def branch():
        layers = []
        for _ in range(layers_per_block):
            layers += [*before(), Activation(activation), *before(), Linear(width, width, bias=not fixup)]
        return Sequential(*layers, *([ScalarScale()] if fixup else []))

    body = [Residual(branch()) for _ in range(blocks)]
    return Sequential(
        Linear(n_in, width), *body, *before(), Activation(activation), *before(), Linear(width, n_out)
    )


def convnet(channels, n_out, *, image_shape=(8, 8, 1), activation="relu", norm=None) -> Sequential:
    """Convolutions 3 x 3 of the given channels, each with an activation, then Flatten and one Linear.

    The first convolution keeps the image size, each further one has stride 2 and halves it:
    `convnet([16, 32], 10)` goes from (8, 8, 1) to (8, 8, 16), (4, 4, 32), 512, 10. `image_shape` is
    (height, width, channels); `norm` ("batch" or "layer") normalizes the channels of each preactivation.
    Raises TypeError where channels or image_shape is no sequence, ValueError for an empty one, a size below
    1, or an unknown norm or activation.
    """
    for name, sizes in (("channels", channels), ("image_shape", image_shape)):
        if not isinstance(sizes, Sequence) or isinstance(sizes, str):
            raise TypeError(f"{name} must be a list of integers, got {sizes!r}.")
    if not channels:
        raise ValueError("channels must hold at least one size, got none.")
    if len(image_shape) != 3:
        raise ValueError(f"image_shape must be (height, width, channels), got {image_shape}.")
    for i, size in enumerate(channels):
        check_integer(f"channels[{i}]", size)
    norm_class = _norm_class(norm)
    height, width, c_in = image_shape
    check_sizes(height=height, width=width, channels=c_in, n_out=n_out)
    layers = []
    for i, c_out in enumerate(channels):
        stride = 1 if i == 0 else 2
        layers.append(Conv2d(c_in, c_out, stride=stride))
        layers += [*([norm_class(c_out)] if norm_class else []), Activation(activation)]
        height, width, c_in = math.ceil(height / stride), math.ceil(width / stride), c_out
    return Sequential(*layers, Flatten(), Linear(height * width * c_in, n_out))


def _norm_class(norm):
    """The class of that name, None for None."""
    if norm is None:
        return None
    check_name("norm", norm, NORMS)
    return NORMS[norm]


def _check_distinct(model):
    """Raise where one layer stands in two places: its second pass would overwrite what the first saved."""
    paths = {}
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

"""Builders: the networks that the chapters train, each in one call. Their weights are still zero."""

import math
from collections.abc import Sequence
from itertools import pairwise

from netinit.activations import get_activation
from netinit.checks import check_flag, check_integer, check_list, check_name, check_sizes, shown
from netinit.layers import (
    Activation,
    BatchNorm,
    Conv2d,
    Flatten,
    Layer,
    LayerNorm,
    Linear,
    ScalarBias,
    ScalarScale,
)
from netinit.models import Residual, Sequential

NORMS = {"batch": BatchNorm, "layer": LayerNorm}


def mlp(sizes: Sequence[int], activation="relu", *, norm: str | None = None, bias: bool = True) -> Sequential:
    """Linear layers of the given sizes with an activation between them; none after the last.

    `mlp([64, 100, 100, 10], "tanh")` has two hidden layers. `norm` ("batch" or "layer") normalizes each
    preactivation. Raises TypeError where sizes is no sequence, ValueError for fewer than two sizes or an
    unknown norm or activation.

    >>> mlp([64, 100, 100, 10], "tanh", norm="layer")(np.ones((5, 64), np.float32)).shape
    (5, 10)
    """
    sizes = check_list("sizes", sizes, "integers such as [64, 100, 10]")
    if len(sizes) < 2:
        raise ValueError(f"sizes must hold at least the input and the output size, got {shown(sizes)}.")
    sizes = [check_integer(f"sizes[{i}]", size) for i, size in enumerate(sizes)]
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

    >>> residual_mlp(64, 16, blocks=3, n_out=10)(np.ones((5, 64), np.float32)).shape
    (5, 10)
    """
    n_in, width, blocks, n_out, layers_per_block = check_sizes(
        n_in=n_in, width=width, blocks=blocks, n_out=n_out, layers_per_block=layers_per_block
    )
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

    >>> convnet([16, 32], 10)(np.zeros((5, 8, 8, 1), np.float32)).shape
    (5, 10)
    """
    channels = check_list("channels", channels, "integers")
    if not channels:
        raise ValueError("channels must hold at least one size, got none.")
    image_shape = check_list("image_shape", image_shape, "integers")
    if len(image_shape) != 3:
        raise ValueError(f"image_shape must be (height, width, channels), got {shown(image_shape)}.")
    channels = [check_integer(f"channels[{i}]", size) for i, size in enumerate(channels)]
    norm_class = _norm_class(norm)
    height, width, c_in = image_shape
    height, width, c_in, n_out = check_sizes(height=height, width=width, channels=c_in, n_out=n_out)
    layers: list[Layer] = []
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

"""Put an initializer into a model."""

from __future__ import annotations  # so that numpy.random is loaded on its first use

import functools
import inspect
from collections.abc import Iterable

import numpy as np

from netinit.checks import check_generator
from netinit.initializers import Initializer, get_initializer, zeros
from netinit.layers import Layer, Parameter


def initialize(
    model: Layer, initializer: str | Initializer, rng: np.random.Generator, *, bias: str | Initializer = zeros
) -> Layer:
    """Fill the weights of every layer that has any, and their biases, in the order of definition.

    `initializer` and `bias` are a name in `INITIALIZERS` or a callable (shape, rng, *, dtype) -> array. Each
    weight is drawn anew, a shared one once; the scale and shift of a normalization and the scalars of Fixup
    stay as they are. Raises ValueError for a model without weights or an array of the wrong shape,
    TypeError for a seed in place of `rng`. Returns the model.
    """
    check_generator(rng)
    initializer, bias = get_initializer(initializer), get_initializer(bias)
    weighted = weighted_layers(model.named_layers())
    if not weighted:
        raise ValueError(f"model must hold a layer with a weight, got {type(model).__name__} without any.")
    filled = set()
    for path, layer in weighted:
        own_bias = getattr(layer, "bias", None)  # a layer of your own may have none
        for parameter, draw in ((layer.weight, grouped(initializer, layer)), (own_bias, bias)):
            if parameter is not None and id(parameter) not in filled:
                fill(parameter, draw, rng, path)
                filled.add(id(parameter))
    return model


def weighted_layers(named: Iterable[tuple[str, Layer]]) -> list[tuple[str, Layer]]:
    """Of the named layers those with a weight, such as Linear and Conv2d."""
    return [(path, layer) for path, layer in named if isinstance(getattr(layer, "weight", None), Parameter)]


def fill(parameter: Parameter, draw: Initializer, rng: np.random.Generator, path: str) -> None:
    """Write one draw into a parameter, in its dtype."""
    shape = parameter.value.shape
    value = np.asarray(draw(shape, rng, dtype=parameter.value.dtype))
    if value.shape != shape:
        raise ValueError(f"initializer returned shape {value.shape} for layer {path!r}, it needs {shape}.")
    parameter.value[...] = value


def grouped(initializer: Initializer, layer: Layer) -> Initializer:
    """Tell a fan-based initializer the groups of a convolution, which the kernel's shape does not show."""
    groups = getattr(layer, "groups", 1)
    if groups > 1 and "groups" in inspect.signature(initializer).parameters:
        return functools.partial(initializer, groups=groups)
    return initializer

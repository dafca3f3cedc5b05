"""Put an initializer into a model."""

from __future__ import annotations  # so that numpy.random is loaded on its first use

import functools
import inspect
from collections.abc import Iterable

import numpy as np

from netinit.checks import cast, check_generator, check_kind
from netinit.initializers import Initializer, get_initializer, zeros
from netinit.layers.base import Layer, Parameter, bias_of, overwrite, own_parameters, weight_of


def initialize(
    model: Layer, initializer: str | Initializer, rng: np.random.Generator, *, bias: str | Initializer = zeros
) -> Layer:
    """Fill the weights of every layer that has any, and their biases, in the order of definition.

    `initializer` and `bias` are a name in `INITIALIZERS` or a callable (shape, rng, *, dtype) -> array. A
    layer's weight is its parameter `weight`, or else its only one with two axes or more, its bias the
    parameter `bias`. Each weight is drawn anew, a shared one once; the scale and shift of a normalization and
    the scalars of Fixup stay as they are. Raises ValueError for a model without weights, a layer with several
    matrices none of which is called `weight`, or an array of the wrong shape, NaN or infinite; TypeError for
    a model that is no layer, or a seed in place of `rng`. Returns the model.

    >>> model = initialize(mlp([64, 32, 10], "tanh"), "xavier_uniform", rng)
    >>> round(float(model[0].weight.value.max() * np.sqrt((64 + 32) / 6)), 2)
    1.0
    """
    check_kind("model", model, Layer, "a Layer")
    check_generator(rng)
    initializer, bias = get_initializer(initializer), get_initializer(bias, "bias")
    weighted = weighted_layers(model.named_layers())
    if not weighted:
        raise ValueError(f"model must hold a layer with a weight, got {type(model).__name__} without any.")
    drawn: dict[int, tuple] = {}  # by the id of a parameter
    for path, layer, weight in weighted:
        for parameter, draw in ((weight, grouped(initializer, layer)), (bias_of(layer), bias)):
            if parameter is not None and id(parameter) not in drawn:
                drawn[id(parameter)] = path, parameter.value, new_value(parameter, draw, rng, path)
    overwrite(drawn.values())
    return model


def weighted_layers(named: Iterable[tuple[str, Layer]]) -> list[tuple[str, Layer, Parameter]]:
    """Path, layer and weight of each that has one, such as Linear; raises where it is not clear."""
    weighted = []
    for path, layer in named:
        weight = weight_of(layer)
        if weight is not None:
            weighted.append((path, layer, weight))
        elif matrices := [name for name, p in own_parameters(layer).items() if p.value.ndim >= 2]:
            raise ValueError(
                f"layer {path!r} must call one of its parameters weight, got {', '.join(matrices)}."
            )
    return weighted


def new_value(parameter: Parameter, draw: Initializer, rng: np.random.Generator, path: str) -> np.ndarray:
    """One draw for a parameter, in its shape and dtype; an error names the layer."""
    shape, dtype = parameter.value.shape, parameter.value.dtype
    try:
        value = np.asarray(draw(shape, rng, dtype=dtype))
    except (TypeError, ValueError) as error:
        raise type(error)(f"layer {path!r}: {error}") from error
    if value.shape != shape:
        raise ValueError(f"initializer returned shape {value.shape} for layer {path!r}, it needs {shape}.")
    return cast(f"what the initializer returned for layer {path!r}", value, dtype)


def grouped(initializer: Initializer, layer: Layer) -> Initializer:
    """Tell a fan-based initializer the groups of a convolution, which the kernel's shape does not show."""
    if layer.groups > 1 and "groups" in inspect.signature(initializer).parameters:
        return functools.partial(initializer, groups=layer.groups)
    return initializer

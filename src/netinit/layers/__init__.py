"""Layers: arrays in, arrays out, and the gradient back through them by hand.

`base` says what a layer and a parameter are; each other file holds one kind.
"""

from netinit.layers.base import Layer, Parameter
from netinit.layers.convolution import Conv2d, Flatten
from netinit.layers.elementwise import Activation, ScalarBias, ScalarScale
from netinit.layers.linear import Linear
from netinit.layers.normalization import BatchNorm, LayerNorm

__all__ = [
    "Activation",
    "BatchNorm",
    "Conv2d",
    "Flatten",
    "Layer",
    "LayerNorm",
    "Linear",
    "Parameter",
    "ScalarBias",
    "ScalarScale",
]

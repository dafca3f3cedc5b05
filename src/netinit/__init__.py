"""Weight initialization of neural networks, from scratch in NumPy: the package of *Starting Right*."""

from netinit.activations import ACTIVATIONS, ActivationFunction, get_activation, leaky_relu
from netinit.comparison import Run, choose_learning_rate, compare, summarize
from netinit.convolution import Conv2d
from netinit.data import Dataset, add_noise, load_digits, rotate
from netinit.diagnostics import Diagnosis, Finding, diagnose
from netinit.fixup import fixup
from netinit.initialize import initialize
from netinit.initializers import (
    INITIALIZERS,
    Fans,
    constant,
    delta_orthogonal,
    fans,
    get_initializer,
    he_normal,
    he_uniform,
    identity,
    lecun_normal,
    lecun_uniform,
    normal,
    ones,
    orthogonal,
    sparse,
    truncated_normal,
    uniform,
    variance_scaling,
    xavier_normal,
    xavier_uniform,
    zeros,
)
from netinit.intercept import intercept
from netinit.layer import Layer, Parameter
from netinit.layers import Activation, Flatten, Linear, ScalarBias, ScalarScale
from netinit.losses import mean_squared_error, softmax_cross_entropy
from netinit.lsuv import LsuvRecord, lsuv
from netinit.models import Residual, Sequential, convnet, mlp, residual_mlp
from netinit.normalization import BatchNorm, LayerNorm
from netinit.optimizers import SGD, AdaGrad, Adam, Momentum, Optimizer, RMSProp
from netinit.sweep import sweep
from netinit.theory import gain
from netinit.trace import LayerTrace, Trace, trace
from netinit.training import History, evaluate, fit
from netinit.transfer import TransferReport, transfer

__all__ = [
    "ACTIVATIONS",
    "INITIALIZERS",
    "SGD",
    "Activation",
    "ActivationFunction",
    "AdaGrad",
    "Adam",
    "BatchNorm",
    "Conv2d",
    "Dataset",
    "Diagnosis",
    "Fans",
    "Finding",
    "Flatten",
    "History",
    "Layer",
    "LayerNorm",
    "LayerTrace",
    "Linear",
    "LsuvRecord",
    "Momentum",
    "Optimizer",
    "Parameter",
    "RMSProp",
    "Residual",
    "Run",
    "ScalarBias",
    "ScalarScale",
    "Sequential",
    "Trace",
    "TransferReport",
    "add_noise",
    "choose_learning_rate",
    "compare",
    "constant",
    "convnet",
    "delta_orthogonal",
    "diagnose",
    "evaluate",
    "fans",
    "fit",
    "fixup",
    "gain",
    "get_activation",
    "get_initializer",
    "he_normal",
    "he_uniform",
    "identity",
    "initialize",
    "intercept",
    "leaky_relu",
    "lecun_normal",
    "lecun_uniform",
    "load_digits",
    "lsuv",
    "mean_squared_error",
    "mlp",
    "normal",
    "ones",
    "orthogonal",
    "residual_mlp",
    "rotate",
    "softmax_cross_entropy",
    "sparse",
    "summarize",
    "sweep",
    "trace",
    "transfer",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]

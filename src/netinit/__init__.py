"""Weight initialization of neural networks, from scratch in NumPy: the package of *Starting Right*.

The map of the house, from the ground up: a file imports only what stands above it here.

    checks          what an argument may be, and one safe cast
    activations     each activation with its derivative
    quadrature      expectations over a Gaussian
    theory          gains, and the maps of a wide random network
    _draws          the standard draws under the initializers
    initializers    fans, the general rule, the family, the registry
    data            the bundled digits, and the records of long runs
    layers/         base (what a layer is), linear, elementwise, convolution, normalization
    printing        tables and models as text
    models          Sequential and Residual
    builders        mlp, residual_mlp and convnet in one call
    losses          how wrong the outputs are
    optimizers      from gradients to steps
    training        fit and evaluate
    experiments     fair comparisons of several starts
    hooks           run something around each leaf of a model
    initialize      an initializer into a model
    fixup           the start of a residual network without normalization
    lsuv            the scale of each layer set by one real batch
    transfer        the start from trained weights
    prediction      what the theory predicts for a given model
    trace           what each leaf does to one batch
    diagnosis/      repeats, case, remedies, layer_faults, depth_faults, report: why a network will not
                    train
    sweep           many runs, on one core or on a cluster
    plots           figures that several chapters draw
    widgets         live figures
    figures/        _shared, landing, signals, building, zero, random_start, xavier, he, orthogonal, fixup,
                    lsuv, normalization, transfer, choosing, five_minutes, mean_field, recipes, frameworks:
                    the pictures of one chapter each

All names below can be imported from `netinit` itself. The examples in the docstrings take three lines for
granted: `import numpy as np`, `from netinit import *`, and `rng = np.random.default_rng(0)`.
"""

from netinit.activations import ACTIVATIONS, ActivationFunction, get_activation, leaky_relu
from netinit.builders import convnet, mlp, residual_mlp
from netinit.data import Dataset, add_noise, few_labels, load_digits, load_record, only_classes, rotate
from netinit.diagnosis import Diagnosis, Finding, diagnose
from netinit.experiments import Run, choose_learning_rate, compare, summarize
from netinit.fixup import fixup
from netinit.hooks import intercept
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
from netinit.layers import (
    Activation,
    BatchNorm,
    Conv2d,
    Flatten,
    Layer,
    LayerNorm,
    Linear,
    Parameter,
    ScalarBias,
    ScalarScale,
)
from netinit.losses import mean_squared_error, softmax_cross_entropy
from netinit.lsuv import LsuvRecord, lsuv
from netinit.models import Residual, Sequential
from netinit.optimizers import SGD, AdaGrad, Adam, Momentum, Optimizer, RMSProp
from netinit.prediction import Prediction, predict
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
    "Prediction",
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
    "few_labels",
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
    "load_record",
    "lsuv",
    "mean_squared_error",
    "mlp",
    "normal",
    "ones",
    "only_classes",
    "orthogonal",
    "predict",
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

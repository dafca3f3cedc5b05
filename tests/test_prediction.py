"""What the theory predicts for a model, against measured wide networks and by hand."""

import math

import numpy as np
import pytest

from netinit.activations import ACTIVATIONS
from netinit.hooks import intercept
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
from netinit.prediction import Prediction, predict


def fill(model, rng, weight_variance=2.0):
    """Gaussian weights of variance weight_variance / fan_in, small Gaussian biases."""
    for name, parameter in model.named_parameters():
        shape = parameter.value.shape
        if name.endswith("weight"):
            fan_in = math.prod(shape[:-1])
            parameter.value[...] = rng.standard_normal(shape) * math.sqrt(weight_variance / fan_in)
        elif shape and name.endswith("bias"):
            parameter.value[...] = 0.1 * rng.standard_normal(shape)
    return model


def measured(model, x, rng):
    """Path to root mean square of output and of gradient, with an output gradient of 1."""
    std, gradient_std = {}, {}

    def forward(path, _, call, value):
        y = call(value)
        std[path] = float(np.sqrt(np.mean(y**2)))
        return y

    def backward(path, _, call, grad):
        gradient_std[path] = float(np.sqrt(np.mean(grad**2)))
        return call(grad)

    with intercept(model, "forward", forward):
        y = model.forward(x)
    with intercept(model, "backward", backward):
        model.backward(rng.standard_normal(y.shape))
    return std, gradient_std


def dense(width, activation, depth, norm=None):
    layers = []
    for _ in range(depth):
        layers += [Linear(width, width), *([norm(width)] if norm else []), Activation(activation)]
    return Sequential(*layers, Linear(width, width))


def residual(width, blocks):
    branches = [
        Sequential(ScalarBias(), Activation("relu"), Linear(width, width), ScalarScale())
        for _ in range(blocks)
    ]
    for branch in branches:
        branch[3].scale.value[...] = 0.7
    shortcut = Sequential(Linear(width, width), Linear(width, width))
    return Sequential(*map(Residual, branches), Residual(Linear(width, width), shortcut))


WIDTH, BATCH, NETWORKS = 256, 400, 16
MODELS = {
    "relu": lambda: dense(WIDTH, "relu", 5),
    "tanh": lambda: dense(WIDTH, "tanh", 5),
    "gelu": lambda: dense(WIDTH, "gelu", 4),
    "batch norm": lambda: dense(WIDTH, "relu", 6, BatchNorm),
    "layer norm": lambda: dense(WIDTH, "tanh", 4, LayerNorm),
    "residual": lambda: residual(WIDTH, 4),
}


def squared_ratios(build, change=lambda _: None):
    """Measured over predicted second moments: (networks, rows, signal and gradient)."""
    ratios = []
    for seed in range(NETWORKS):
        rng = np.random.default_rng(seed)
        model = fill(build(), rng).astype(np.float64)
        for name, parameter in model.named_parameters():
            if name.endswith("bias") and not parameter.value.shape:  # of mean 0, as the theory assumes
                parameter.value[...] = 0.05 * rng.standard_normal()
        rows = predict(model, 1.0)
        change(model)
        std, gradient_std = measured(model, rng.standard_normal((BATCH, WIDTH)), rng)
        assert [row.name for row in rows] == list(std)  # in the order of execution
        ratios.append([(std[r.name] / r.std, gradient_std[r.name] / r.gradient_std) for r in rows])
    return np.square(ratios)


def agrees(ratios):
    """The mean over networks is 1 within 5 standard errors and what finite width and batch add per layer."""
    error = ratios.std(axis=0, ddof=1) / math.sqrt(NETWORKS)
    finite = 5 * (1 / WIDTH + 1 / BATCH)  # about 5 layers
    return bool((np.abs(ratios.mean(axis=0) - 1) <= 5 * error + finite).all())


@pytest.mark.parametrize("name", MODELS)
def test_prediction_matches_wide_networks(name):
    assert agrees(squared_ratios(MODELS[name]))


def scale_weights(model):
    for name, parameter in model.named_parameters():
        if name.endswith("weight"):
            parameter.value[...] *= 1.05


@pytest.mark.parametrize("name", MODELS)
def test_prediction_for_weights_5_percent_smaller_is_rejected(name):
    assert not agrees(squared_ratios(MODELS[name], scale_weights))


def test_prediction_rejects_dependent_weights():
    def positive(model):  # the mean is not 0 any more, E[w^2] is the same
        for layer in model[::2]:
            layer.weight.value[...] = np.abs(layer.weight.value)

    ratios = squared_ratios(MODELS["relu"], positive)
    assert not agrees(ratios)
    assert ratios[:, -1, 0].min() > 100


def convolutional(rng):
    model = Sequential(
        *(Conv2d(8, 32), Activation("relu"), Conv2d(32, 64, stride=2, groups=4), Activation("relu")),
        *(Conv2d(64, 64, kernel_size=1), Flatten()),
    )
    return fill(model, rng).astype(np.float64)


def test_prediction_of_a_convolution():
    """Few channels scatter by 10 %, so the mean over 12; zeros outside the images cost a few percent."""
    ratios = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        model = convolutional(rng)
        std, gradient_std = measured(model, rng.standard_normal((2, 24, 24, 8)), rng)
        rows = predict(model, 1.0)
        ratios.append([(std[r.name] / r.std, gradient_std[r.name] / r.gradient_std) for r in rows])
    assert np.abs(np.mean(ratios, axis=0) - 1).max() < 0.1


def test_linear_prediction_is_exact():
    layer = Linear(3, 5)
    layer.weight.value[...], layer.bias.value[...] = 0.5, 2.0
    (row,) = predict(layer, 4.0)
    assert row == Prediction("", "Linear", math.sqrt(3 * 0.25 * 4 + 4), 1.0)
    rows = predict(Sequential(Linear(7, 3), layer), 4.0)
    assert rows[0].gradient_std == pytest.approx(math.sqrt(5 * 0.25))


def test_batch_norm_gradients_explode_as_derived():
    """The squared gradient grows by pi / (pi - 1) per ReLU layer (Yang et al. 2019)."""
    rng = np.random.default_rng(3)
    rows = predict(fill(dense(500, "relu", 30, BatchNorm), rng), 1.0)
    linear = [row.gradient_std for row in rows if row.kind == "Linear"]
    assert linear[1] / linear[29] == pytest.approx((math.pi / (math.pi - 1)) ** (28 / 2), rel=0.02)


@pytest.mark.parametrize("kind", [BatchNorm, LayerNorm])
def test_normalization_counts_its_epsilon(kind):
    """x / sqrt(Var(x) + epsilon): with Var = 0.5 and epsilon = 0.3 the square is 5/8, the slope 1 / 0.8."""
    before = Linear(4, 4)
    before.weight.value[...], before.bias.value[...] = 0.5, 0.0
    rows = predict(Sequential(before, kind(4, epsilon=0.3)), 0.5)
    assert rows[1].std == pytest.approx(math.sqrt(0.5 / 0.8))
    assert rows[0].gradient_std == pytest.approx(math.sqrt(1 / 0.8))


@pytest.mark.parametrize("bias", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_batch_norm_of_a_constant_is_zero(name, bias):
    """Inputs that have become equal: rounding must not make their correlation more than 1."""
    constant = Linear(4, 4)
    constant.weight.value[...], constant.bias.value[...] = 0.0, bias
    model = Sequential(constant, Activation(name), Activation("tanh"), BatchNorm(4))
    assert predict(model, 1.0)[-1].std == pytest.approx(0, abs=1e-4)


def test_zero_branch_gets_no_gradient():
    model = residual(8, 2)
    rows = {row.name: row for row in predict(model, 1.0)}
    assert rows["0.branch.3"].std == 0
    assert rows["0.branch.1"].gradient_std == 0


class Custom(Layer):
    pass


class Wider(Linear):
    pass


def test_kinds():
    rows = predict(Sequential(Wider(3, 3), Activation("relu")), 1.0)
    assert [row.kind for row in rows] == ["Linear", "relu"]
    with pytest.raises(TypeError, match=r"Custom at '1\.branch'"):
        predict(Sequential(Linear(3, 3), Residual(Custom())), 1.0)


def overflowing():
    layer = Linear(2, 2)
    layer.weight.value[...] = np.nan
    return layer


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: predict(Linear(2, 2), "1"), TypeError, "input_second_moment"),
        (lambda: predict(Linear(2, 2), -1.0), ValueError, "input_second_moment"),
        (lambda: predict(Linear(2, 2), math.nan), ValueError, "input_second_moment"),
        (lambda: predict(overflowing(), 1.0), ValueError, "got nan after Linear"),
        (lambda: predict("mlp", 1.0), TypeError, "model must be"),
    ],
)
def test_wrong_calls_raise_in_one_sentence(call, error, words):
    with pytest.raises(error, match=words) as caught:
        call()
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)

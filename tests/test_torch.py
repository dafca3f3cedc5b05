"""The same network in PyTorch: forward, every gradient, every optimizer step.

Relative errors are against the largest entry of PyTorch's array: 1e-5 in float32, 1e-10 in float64.
"""

import numpy as np
import pytest

from netinit.activations import ACTIVATIONS
from netinit.builders import convnet, mlp, residual_mlp
from netinit.layers import Activation, BatchNorm, Conv2d, Flatten, LayerNorm, Linear, ScalarBias, ScalarScale
from netinit.losses import mean_squared_error, softmax_cross_entropy
from netinit.models import Residual, Sequential
from netinit.optimizers import SGD, AdaGrad, Adam, Momentum, RMSProp

torch = pytest.importorskip("torch", reason="PyTorch is not installed: run `make torch`")
F = torch.nn.functional

TOLERANCE = {np.float32: 1e-5, np.float64: 1e-10}


@pytest.fixture(params=TOLERANCE, ids=["float32", "float64"])
def dtype(request):
    return request.param


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def relative_error(ours, theirs):
    theirs = np.asarray(theirs.detach())
    assert ours.shape == theirs.shape
    return np.max(np.abs(ours - theirs)) / np.max(np.abs(theirs))


def prepare(layer, dtype, rng):
    """Random parameters on our side, and the same as PyTorch leaves under their paths."""
    layer.astype(dtype)
    for parameter in layer.parameters():
        parameter.value[...] = rng.normal(0.2, 0.6, parameter.value.shape)
    return {path: torch.tensor(p.value.copy(), requires_grad=True) for path, p in layer.named_parameters()}


def check_agreement(layer, reference, shape, dtype, rng):
    """Forward and all gradients of `layer`, against reference(x, its parameters) in PyTorch."""
    theirs = prepare(layer, dtype, rng)
    x = rng.normal(size=shape).astype(dtype)
    tx = torch.tensor(x, requires_grad=True)
    y, ty = layer(x), reference(tx, theirs)
    c = rng.normal(size=y.shape).astype(dtype)
    ty.backward(torch.tensor(c))
    errors = {"forward": relative_error(y, ty), "x": relative_error(layer.backward(c), tx.grad)}
    for path, parameter in layer.named_parameters():
        errors[path] = relative_error(parameter.grad, theirs[path].grad)
    assert max(errors.values()) < TOLERANCE[dtype], errors
    assert y.dtype == dtype


# ---- layers ----

TORCH_ACTIVATIONS = {
    "identity": lambda z: z,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "selu": F.selu,
    "gelu": F.gelu,
    "silu": F.silu,
    "softplus": F.softplus,
    "softsign": F.softsign,
    "mish": F.mish,
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name, dtype, rng):
    check_agreement(Activation(name), lambda x, _: TORCH_ACTIVATIONS[name](x), (40, 25), dtype, rng)


def test_linear(dtype, rng):
    check_agreement(Linear(20, 7), lambda x, p: x @ p["weight"] + p["bias"], (30, 20), dtype, rng)
    check_agreement(Linear(20, 7, bias=False), lambda x, p: F.linear(x, p["weight"].T), (30, 20), dtype, rng)


def test_flatten_and_scalars(dtype, rng):
    check_agreement(Flatten(), lambda x, _: x.flatten(1), (4, 3, 2, 5), dtype, rng)
    check_agreement(ScalarBias(), lambda x, p: x + p["bias"], (6, 5), dtype, rng)
    check_agreement(ScalarScale(), lambda x, p: x * p["scale"], (6, 5), dtype, rng)


def convolve(x, weight, bias, padding, stride, groups):
    """Our NHWC images and (kh, kw, c_in, c_out) kernels in PyTorch's NCHW and (c_out, c_in, kh, kw)."""
    x, kernel = x.permute(0, 3, 1, 2), weight.permute(3, 2, 0, 1)
    if padding == "same":
        pads = []
        for size, k in (
            (x.shape[3], kernel.shape[3]),
            (x.shape[2], kernel.shape[2]),
        ):  # F.pad: last axis first
            total = max((-(-size // stride) - 1) * stride + k - size, 0)
            pads += [total // 2, total - total // 2]
        x = F.pad(x, pads)
    return F.conv2d(x, kernel, bias, stride=stride, groups=groups).permute(0, 2, 3, 1)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize(("kernel_size", "groups"), [(3, 1), (3, 2), (1, 4), (2, 1), (5, 2)])
def test_conv2d(kernel_size, groups, stride, padding, dtype, rng):
    layer = Conv2d(4, 8, kernel_size, stride, padding, groups=groups)
    check_agreement(
        layer,
        lambda x, p: convolve(x, p["weight"], p["bias"], padding, stride, groups),
        (3, 9, 6, 4),
        dtype,
        rng,
    )


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_same_with_stride_one_is_padding_by_half_the_kernel(kernel_size, dtype, rng):
    def reference(x, p):
        kernel = p["weight"].permute(3, 2, 0, 1)
        return F.conv2d(x.permute(0, 3, 1, 2), kernel, padding=kernel_size // 2).permute(0, 2, 3, 1)

    check_agreement(Conv2d(2, 3, kernel_size, bias=False), reference, (2, 6, 7, 2), dtype, rng)


def batch_norm(x, p, mean=None, variance=None):
    flat = x.reshape(-1, x.shape[-1])
    training = mean is None
    return F.batch_norm(flat, mean, variance, p["scale"], p["shift"], training=training).reshape(x.shape)


@pytest.mark.parametrize("shape", [(32, 5), (4, 3, 6, 5)])
def test_normalization(shape, dtype, rng):
    check_agreement(BatchNorm(5), batch_norm, shape, dtype, rng)
    check_agreement(
        LayerNorm(5), lambda x, p: F.layer_norm(x, (5,), p["scale"], p["shift"]), shape, dtype, rng
    )


def test_batchnorm_running_statistics_and_evaluation(dtype, rng):
    ours, theirs = BatchNorm(5).astype(dtype), torch.nn.BatchNorm1d(5, dtype=getattr(torch, dtype.__name__))
    for _ in range(10):
        x = rng.normal(2.0, 3.0, (16, 5)).astype(dtype)
        ours(x)
        theirs(torch.tensor(x))
    assert relative_error(ours.running_mean, theirs.running_mean) < TOLERANCE[dtype]
    assert relative_error(ours.running_variance, theirs.running_var) < TOLERANCE[dtype]
    check_agreement(
        ours.eval(),
        lambda x, p: batch_norm(x, p, theirs.running_mean, theirs.running_var),
        (8, 5),
        dtype,
        rng,
    )


def test_a_residual_network_of_everything(dtype, rng):
    branch = Sequential(LayerNorm(6), Activation("tanh"), Conv2d(6, 6, groups=3), ScalarScale())
    model = Sequential(Conv2d(2, 6, stride=2), Residual(branch), Activation("silu"), Flatten(), Linear(54, 4))

    def reference(x, p):
        x = convolve(x, p["0.weight"], p["0.bias"], "same", 2, 1)
        y = torch.tanh(F.layer_norm(x, (6,), p["1.branch.0.scale"], p["1.branch.0.shift"]))
        y = convolve(y, p["1.branch.2.weight"], p["1.branch.2.bias"], "same", 1, 3) * p["1.branch.3.scale"]
        return F.silu(x + y).flatten(1) @ p["4.weight"] + p["4.bias"]

    check_agreement(model, reference, (5, 6, 6, 2), dtype, rng)


def test_a_residual_with_a_shortcut(dtype, rng):
    model = Residual(
        Sequential(Linear(6, 5), Activation("elu"), Linear(5, 4)), shortcut=Linear(6, 4, bias=False)
    )

    def reference(x, p):
        y = F.elu(x @ p["branch.0.weight"] + p["branch.0.bias"]) @ p["branch.2.weight"] + p["branch.2.bias"]
        return y + x @ p["shortcut.weight"]

    check_agreement(model, reference, (9, 6), dtype, rng)


def test_the_fixup_network(dtype, rng):
    def reference(x, p):
        x = x @ p["0.weight"] + p["0.bias"]
        for block in (1, 2):
            y = x
            for i in (0, 4):
                y = F.relu(y + p[f"{block}.branch.{i}.bias"]) + p[f"{block}.branch.{i + 2}.bias"]
                y = y @ p[f"{block}.branch.{i + 3}.weight"]
            x = x + y * p[f"{block}.branch.8.scale"]
        return (F.relu(x + p["3.bias"]) + p["5.bias"]) @ p["6.weight"] + p["6.bias"]

    check_agreement(residual_mlp(5, 6, 2, 3, fixup=True), reference, (8, 5), dtype, rng)


def test_the_convolutional_network(dtype, rng):
    def reference(x, p):
        for i, stride in ((0, 1), (3, 2)):
            x = convolve(x, p[f"{i}.weight"], p[f"{i}.bias"], "same", stride, 1)
            x = F.gelu(F.layer_norm(x, x.shape[-1:], p[f"{i + 1}.scale"], p[f"{i + 1}.shift"]))
        return x.flatten(1) @ p["7.weight"] + p["7.bias"]

    check_agreement(convnet([3, 4], 5, activation="gelu", norm="layer"), reference, (6, 8, 8, 1), dtype, rng)


def test_the_comparison_sees_another_convention(dtype, rng):
    with pytest.raises(AssertionError):
        check_agreement(Activation("gelu"), lambda x, _: F.gelu(x, approximate="tanh"), (40, 25), dtype, rng)
    with pytest.raises(AssertionError):  # padding before, not after
        check_agreement(
            Conv2d(1, 1, bias=False, stride=2),
            lambda x, p: convolve(F.pad(x, (0, 0, 1, 0, 1, 0)), p["weight"], None, "valid", 2, 1),
            (1, 4, 4, 1),
            dtype,
            rng,
        )


# ---- losses ----


def test_losses(dtype, rng):
    outputs, targets = rng.normal(0, 3, (50, 10)).astype(dtype), rng.normal(size=(50, 10)).astype(dtype)
    labels = rng.integers(0, 10, 50)
    cases = (
        (softmax_cross_entropy, F.cross_entropy, labels),
        (mean_squared_error, F.mse_loss, targets),
    )
    for ours, theirs, truth in cases:
        leaf = torch.tensor(outputs, requires_grad=True)
        expected = theirs(leaf, torch.tensor(truth))
        expected.backward()
        loss, grad = ours(outputs, truth)
        assert abs(loss - expected.item()) < TOLERANCE[dtype] * expected.item()
        assert relative_error(grad, leaf.grad) < TOLERANCE[dtype]


# ---- optimizers ----

OPTIMIZERS = {
    "SGD": (SGD, torch.optim.SGD, 0.1, {}, {}),
    "Momentum": (Momentum, torch.optim.SGD, 0.05, {"momentum": 0.9}, {"momentum": 0.9}),
    "AdaGrad": (AdaGrad, torch.optim.Adagrad, 0.1, {}, {}),
    "RMSProp": (RMSProp, torch.optim.RMSprop, 0.01, {}, {}),
    "RMSProp, decay 0.9": (
        RMSProp,
        torch.optim.RMSprop,
        0.01,
        {"decay": 0.9, "epsilon": 1e-3},
        {"alpha": 0.9, "eps": 1e-3},
    ),
    "Adam": (Adam, torch.optim.Adam, 0.01, {}, {}),
    "Adam, other betas": (
        Adam,
        torch.optim.Adam,
        0.01,
        {"betas": (0.5, 0.8), "epsilon": 0.1},
        {"betas": (0.5, 0.8), "eps": 0.1},
    ),
}


@pytest.mark.parametrize("steps", [1, 10])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(name, weight_decay, steps, dtype, rng):
    ours, theirs, lr, our_options, their_options = OPTIMIZERS[name]
    model = mlp([4, 5, 3])
    leaves = prepare(model, dtype, rng)
    our = ours(model.parameters(), lr, weight_decay=weight_decay, **our_options)
    their = theirs(list(leaves.values()), lr=lr, weight_decay=weight_decay, **their_options)
    for _ in range(steps):
        for path, parameter in model.named_parameters():
            parameter.grad = rng.normal(size=parameter.value.shape).astype(dtype)
            leaves[path].grad = torch.tensor(parameter.grad)
        our.step()
        their.step()
    for path, parameter in model.named_parameters():
        assert relative_error(parameter.value, leaves[path]) < TOLERANCE[dtype], path


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_lr_scale_is_a_learning_rate_of_its_own(name, dtype, rng):
    ours, theirs, lr, our_options, their_options = OPTIMIZERS[name]
    layer = Linear(4, 3)
    leaves = prepare(layer, dtype, rng)
    layer.bias.lr_scale = 0.1
    our = ours(layer.parameters(), lr, **our_options)
    groups = [{"params": [leaves["weight"]]}, {"params": [leaves["bias"]], "lr": 0.1 * lr}]
    their = theirs(groups, lr=lr, **their_options)
    for _ in range(5):
        for path, parameter in layer.named_parameters():
            parameter.grad = rng.normal(size=parameter.value.shape).astype(dtype)
            leaves[path].grad = torch.tensor(parameter.grad)
        our.step()
        their.step()
    for path, parameter in layer.named_parameters():
        assert relative_error(parameter.value, leaves[path]) < TOLERANCE[dtype], path


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_ten_training_steps_end_to_end(name, dtype, rng):
    ours, theirs, lr, our_options, their_options = OPTIMIZERS[name]
    model = mlp([6, 8, 3], "tanh")
    leaves = prepare(model, dtype, rng)
    our = ours(model.parameters(), lr, **our_options)
    their = theirs(list(leaves.values()), lr=lr, **their_options)
    x, labels = rng.normal(size=(20, 6)).astype(dtype), rng.integers(0, 3, 20)
    for _ in range(10):
        model.zero_grad()
        loss, grad = softmax_cross_entropy(model(x), labels)
        model.backward(grad)
        our.step()
        their.zero_grad()
        hidden = torch.tanh(torch.tensor(x) @ leaves["0.weight"] + leaves["0.bias"])
        expected = F.cross_entropy(hidden @ leaves["2.weight"] + leaves["2.bias"], torch.tensor(labels))
        expected.backward()
        their.step()
        assert abs(loss - expected.item()) < TOLERANCE[dtype] * expected.item()

"""Composition: nesting, paths, slices, the printed table, intercepted passes, and the builders."""

import re

import numpy as np
import pytest
from gradcheck import fill, gradient_errors

from netinit.builders import convnet, mlp, residual_mlp
from netinit.hooks import intercept
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
from netinit.models import Residual, Sequential


@pytest.fixture
def rng():
    return np.random.default_rng(7)


class Gate(Layer):
    """A block of one's own, by composition: two layers side by side, multiplied."""

    def __init__(self, n):
        self.left, self.right = Linear(n, n), Sequential(Linear(n, n), Activation("sigmoid"))

    def forward(self, x):
        self._saved = self.left.forward(x), self.right.forward(x)
        return self._saved[0] * self._saved[1]

    def backward(self, grad):
        left, right = self.saved()
        return self.left.backward(grad * right) + self.right.backward(grad * left)


class Unequal(Layer):
    """A custom layer that does not say how wide it is: 5 features in, 10 out."""

    def __init__(self):
        self.matrix = Parameter(np.ones((5, 10), np.float32), name="matrix")

    def forward(self, x):
        self._saved = x
        return x @ self.matrix.value

    def backward(self, grad):
        self.matrix.accumulate(self.saved().T @ grad)
        return grad @ self.matrix.value.T


def nested():
    """Residual in Sequential in Residual, with shortcut, normalization and a custom block."""
    inner = Residual(Sequential(Activation("tanh"), Linear(4, 4), ScalarScale()))
    outer = Residual(
        Sequential(Linear(4, 6), LayerNorm(6), Gate(6), Linear(6, 4), inner), Linear(4, 4, bias=False)
    )
    return Sequential(Linear(3, 4), BatchNorm(4), outer, ScalarBias(), Linear(4, 2))


def image_net():
    block = Residual(Sequential(Conv2d(3, 3), BatchNorm(3), Activation("tanh"), Conv2d(3, 3, groups=3)))
    return Sequential(Conv2d(1, 3, stride=2), block, LayerNorm(3), Flatten(), Linear(12, 2))


COMPOSED = {
    "Residual in Sequential in Residual": (nested, (5, 3)),
    "the same in evaluation": (lambda: nested().eval(), (5, 3)),
    "residual convolutions": (image_net, (3, 4, 4, 1)),
    "residual convolutions in evaluation": (lambda: image_net().eval(), (3, 4, 4, 1)),
    "Residual with convolutions aside": (
        lambda: Residual(Conv2d(2, 4, stride=2), Conv2d(2, 4, kernel_size=1, stride=2)),
        (2, 5, 5, 2),
    ),
    "custom block": (lambda: Gate(3), (4, 3)),
    "mlp": (lambda: mlp([3, 5, 4, 2], "gelu", norm="batch"), (4, 3)),
    "residual_mlp": (lambda: residual_mlp(3, 4, 2, 2, activation="tanh", fixup=True), (4, 3)),
    "convnet": (
        lambda: convnet([2, 3], 2, image_shape=(4, 3, 1), activation="silu", norm="layer"),
        (2, 4, 3, 1),
    ),
    "empty": (Sequential, (2, 3)),
}


@pytest.mark.parametrize("name", COMPOSED)
def test_gradients_match_finite_differences(name, rng):
    build, shape = COMPOSED[name]
    model = fill(build(), rng)
    errors = gradient_errors(model, rng.normal(size=shape), rng)
    assert max(errors.values()) < 1e-7, errors
    assert len(errors) == 1 + len(model.parameters())


def test_a_residual_that_forgets_the_skip_is_caught(rng):
    class WithoutSkip(Residual):
        def backward(self, grad):
            return self.branch.backward(grad)

    errors = gradient_errors(fill(WithoutSkip(Linear(4, 4)), rng), rng.normal(size=(3, 4)), rng)
    assert errors["x"] > 1e-2


# ---- names, access, state ----


def test_paths_name_every_parameter_and_buffer():
    assert list(nested().state_dict()) == [
        "0.weight",
        "0.bias",
        "1.scale",
        "1.shift",
        "2.branch.0.weight",
        "2.branch.0.bias",
        "2.branch.1.scale",
        "2.branch.1.shift",
        "2.branch.2.left.weight",
        "2.branch.2.left.bias",
        "2.branch.2.right.0.weight",
        "2.branch.2.right.0.bias",
        "2.branch.3.weight",
        "2.branch.3.bias",
        "2.branch.4.branch.1.weight",
        "2.branch.4.branch.1.bias",
        "2.branch.4.branch.2.scale",
        "2.shortcut.weight",
        "3.bias",
        "4.weight",
        "4.bias",
        "1.running_mean",
        "1.running_variance",
    ]


def test_state_dict_carries_the_whole_function(rng):
    model, other = nested(), nested()
    fill(model, rng)
    x = rng.normal(size=(5, 3))
    model(x)  # moves the running statistics
    other.astype(np.float64).load_state_dict(model.state_dict())
    np.testing.assert_array_equal(other.eval()(x), model.eval()(x))


@pytest.mark.parametrize("strict", [True, False])
def test_a_state_with_one_wrong_array_changes_nothing(strict, rng):
    model, other = nested(), fill(nested(), rng)
    before, state = model.state_dict(), other.state_dict()
    state["4.bias"] = np.zeros(3)
    with pytest.raises(ValueError, match=re.escape("state['4.bias'] must have the shape (2,)")):
        model.load_state_dict(state, strict=strict)
    for path, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[path])


def test_indexing_slicing_and_iteration_share_the_layers(rng):
    model = mlp([3, 4, 5, 2], "tanh")
    assert len(model) == 5
    assert model[0].n_out == 4
    assert model[-1] is list(model)[4]
    front, back = model[:2], model[2:]
    assert isinstance(front, Sequential)
    assert front[0] is model[0]
    fill(model, rng)
    x = rng.normal(size=(6, 3))
    np.testing.assert_array_equal(back(front(x)), model(x))
    np.testing.assert_array_equal(Sequential(front, back)(x), model(x))


def test_train_and_eval_reach_every_layer():
    model = nested()
    assert {layer.training for _, layer in model.eval().named_layers()} == {False}
    assert {layer.training for _, layer in model.train().named_layers()} == {True}


def test_astype_reaches_nested_buffers():
    model = Residual(Sequential(Linear(3, 3), BatchNorm(3))).astype(np.float64)
    assert {array.dtype for array in model.state_dict().values()} == {np.dtype(np.float64)}


# ---- widths ----


def test_widths_pass_through_layers_that_keep_them():
    model = Sequential(
        Activation("relu"), Linear(3, 4), ScalarBias(), Residual(Activation("tanh")), BatchNorm(4)
    )
    assert (model.n_in, model.n_out, model.keeps_width) == (3, 4, False)
    assert (Residual(Linear(4, 4)).n_in, Residual(Unequal(), Linear(5, 10)).n_out) == (4, 10)


def test_widths_after_flatten_or_a_custom_layer_are_left_open(rng):
    head = Sequential(Flatten(), Linear(12, 5))
    assert head.n_in is None
    assert Sequential(Conv2d(1, 3), Flatten()).n_out is None
    model = Sequential(Conv2d(1, 3, stride=2), head, Unequal(), Linear(10, 2))
    assert model(rng.normal(size=(2, 4, 4, 1)).astype(np.float32)).shape == (2, 2)


X = np.ones((2, 4), np.float32)
WRONG_CALLS = {
    "no layer": (lambda: Sequential(Linear(2, 3), "relu"), TypeError, "layer 1 must be a Layer, got str"),
    "a list": (lambda: Sequential([Linear(2, 3)]), TypeError, "layer 0 must be a Layer, got list"),
    "the same twice": (lambda: Sequential(*[Linear(2, 2)] * 2), ValueError, "distinct objects"),
    "widths": (
        lambda: Sequential(Linear(2, 3), Activation("relu"), Linear(4, 2)),
        ValueError,
        "layer 2 Linear(4, 2) takes 4 features, but layer 0 Linear(2, 3) returns 3",
    ),
    "widths of nested": (
        lambda: Sequential(Sequential(Linear(2, 3)), Residual(Linear(4, 4))),
        ValueError,
        "layer 1 Residual takes 4 features, but layer 0 Sequential returns 3",
    ),
    "channels": (lambda: Sequential(Conv2d(1, 3), BatchNorm(4)), ValueError, "layer 1 BatchNorm(4) takes 4"),
    "branch": (lambda: Residual(None), TypeError, "branch must be a Layer, got NoneType"),
    "shortcut": (lambda: Residual(Linear(2, 2), "identity"), TypeError, "shortcut must be a Layer, got str"),
    "branch without shortcut": (
        lambda: Residual(Linear(4, 3)),
        ValueError,
        "branch Linear(4, 3) takes 4 features and returns 3: without a shortcut layer they must be equal",
    ),
    "branch and shortcut in": (
        lambda: Residual(Linear(4, 3), Linear(5, 3)),
        ValueError,
        "branch Linear(4, 3) takes 4 features, but shortcut Linear(5, 3) takes 5",
    ),
    "branch and shortcut out": (
        lambda: Residual(Linear(4, 3), Linear(4, 2)),
        ValueError,
        "branch Linear(4, 3) returns 3 features, but shortcut Linear(4, 2) returns 2",
    ),
    "shapes": (
        lambda: Residual(Conv2d(1, 1, stride=2))(np.ones((1, 4, 4, 1), np.float32)),
        ValueError,
        "3, stride=2) returns shape (1, 2, 2, 1), but shortcut identity returns (1, 4, 4, 1)",
    ),
    "one size": (lambda: mlp([4]), ValueError, "at least the input and the output size, got [4]"),
    "no sizes": (lambda: mlp(4), TypeError, "sizes must be a list of integers"),
    "size": (lambda: mlp([4, -3, 2]), ValueError, "sizes[1] must be at least 1, got -3"),
    "channel": (lambda: convnet([8, -1], 2), ValueError, "channels[1] must be at least 1, got -1"),
    "index name": (lambda: mlp([4, 2])["0"], TypeError, "index must be an integer or a slice, got '0'"),
    "index": (lambda: mlp([4, 3, 2])[3], IndexError, "index must lie in -3..2, got 3"),
    "fixup flag": (lambda: residual_mlp(4, 4, 1, 2, fixup="no"), TypeError, "fixup must be True or False"),
    "one layer in two sequences": (
        lambda: twice(lambda layer: Sequential(Sequential(layer), Linear(3, 3), Sequential(layer))),
        ValueError,
        "layers must be distinct objects, got one Linear(3, 3) as '0.0' and '2.0'",
    ),
    "one layer in two branches": (
        lambda: twice(lambda layer: Sequential(Residual(layer), Residual(Sequential(layer)))),
        ValueError,
        "as '0.branch' and '1.branch.0'",
    ),
    "one layer as branch and shortcut": (
        lambda: twice(lambda layer: Residual(layer, layer)),
        ValueError,
        "as 'branch' and 'shortcut'",
    ),
    "intercept a name": (lambda: run_intercept("mlp"), TypeError, "model must be a Layer, got str"),
    "intercept a method": (
        lambda: run_intercept(method="foward"),
        ValueError,
        "did you mean 'forward'?",
    ),
    "intercept by nothing": (lambda: run_intercept(around=None), TypeError, "around must be a function"),
    "norm": (lambda: mlp([4, 3, 2], norm="bacth"), ValueError, "did you mean 'batch'?"),
    "norm without hidden layer": (lambda: mlp([4, 2], norm="bacth"), ValueError, "did you mean 'batch'?"),
    "activation": (lambda: mlp([4, 3, 2], "tahn"), ValueError, "did you mean 'tanh'?"),
    "activation without hidden layer": (lambda: mlp([4, 2], "tahn"), ValueError, "did you mean 'tanh'?"),
    "blocks": (lambda: residual_mlp(4, 3, 0, 2), ValueError, "blocks must be at least 1, got 0"),
    "convnet channels": (lambda: convnet([], 2), ValueError, "channels must hold at least one size"),
    "convnet one channel": (lambda: convnet(16, 2), TypeError, "channels must be a list of integers, got 16"),
    "convnet image": (
        lambda: convnet([4], 2, image_shape=(8, 8)),
        ValueError,
        "(height, width, channels), got [8, 8]",
    ),
    "convnet size": (lambda: convnet([4], 2, image_shape=(8, 0, 1)), ValueError, "width must be at least 1"),
    "convnet norm": (lambda: convnet([4], 2, norm="group"), ValueError, "unknown norm 'group'"),
    "input": (
        lambda: mlp([3, 4, 2])(X),
        ValueError,
        "Linear(3, 4) takes an input of shape (batch, 3), got (2, 4)",
    ),
}


@pytest.mark.parametrize("name", WRONG_CALLS)
def test_a_wrong_call_raises_one_sentence(name):
    call, error, words = WRONG_CALLS[name]
    with pytest.raises(error, match=re.escape(words)) as raised:
        call()
    assert "\n" not in str(raised.value)


# ---- repr ----


def test_repr_is_a_table():
    model = Sequential(
        Conv2d(1, 8, stride=2, bias=False),
        BatchNorm(8),
        Residual(Sequential(Activation("relu"), Conv2d(8, 8, groups=2)), Sequential(ScalarScale())),
        Flatten(),
        Linear(128, 1000),
    )
    assert repr(model) == (
        "Sequential\n"
        "  0  Conv2d(1, 8, 3, stride=2, bias=False)       72\n"
        "  1  BatchNorm(8)                                16\n"
        "  2  Residual\n"
        "    branch  Sequential\n"
        "      0  Activation('relu')                       0\n"
        "      1  Conv2d(8, 8, 3, groups=2)              296\n"
        "    shortcut  Sequential\n"
        "      0  ScalarScale()                            1\n"
        "  3  Flatten()                                    0\n"
        "  4  Linear(128, 1000)                      129,000\n"
        "total: 129,385 parameters"
    )


def test_repr_shows_custom_blocks_and_counts_shared_parameters_once():
    gate = Gate(2)
    gate.right[0].weight = gate.left.weight
    assert repr(Sequential(gate)) == (
        "Sequential\n"
        "  0  Gate\n"
        "    left  Linear(2, 2)          6\n"
        "    right  Sequential\n"
        "      0  Linear(2, 2)           6\n"
        "      1  Activation('sigmoid')  0\n"
        "total: 8 parameters"
    )


def test_repr_of_a_deep_model_leaves_the_middle_out():
    lines = repr(residual_mlp(4, 4, 1000, 2)).splitlines()
    assert len(lines) == 63
    assert [line for line in lines if "more rows" in line] == ["... 5,943 more rows ..."]
    assert lines[-1] == "total: 40,030 parameters"
    assert repr(Sequential()) == "Sequential\ntotal: 0 parameters"


# ---- intercept ----


def visits(model, method, x):
    seen = []

    def around(path, layer, call, x):
        seen.append((path, type(layer).__name__))
        return call(x)

    with intercept(model, method, around):
        result = getattr(model, method)(x)
    return seen, result


def test_intercept_visits_the_leaves_in_execution_order(rng):
    model, x = fill(nested(), rng).eval(), rng.normal(size=(5, 3))
    expected = model(x)
    forward, y = visits(model, "forward", x)
    np.testing.assert_array_equal(y, expected)
    assert [path for path, _ in forward] == [
        "0",
        "1",
        "2.shortcut",
        "2.branch.0",
        "2.branch.1",
        "2.branch.2.left",
        "2.branch.2.right.0",
        "2.branch.2.right.1",
        "2.branch.3",
        "2.branch.4.branch.0",
        "2.branch.4.branch.1",
        "2.branch.4.branch.2",
        "3",
        "4",
    ]
    backward, _ = visits(model, "backward", np.ones_like(y))
    assert {*backward} == {*forward}
    assert [path for path, _ in backward][:3] == ["4", "3", "2.shortcut"]


def test_intercept_runs_in_execution_order_whatever_the_order_of_definition(rng):
    class Backwards(Layer):
        def __init__(self):
            self.last, self.first = Linear(4, 2), Linear(3, 4)

        def forward(self, x):
            return self.last.forward(self.first.forward(x))

    seen, _ = visits(Sequential(Backwards()), "forward", rng.normal(size=(2, 3)))
    assert [path for path, _ in seen] == ["0.first", "0.last"]


def test_intercept_can_change_what_a_layer_returns(rng):
    model, x = fill(mlp([3, 4, 2]), rng), rng.normal(size=(5, 3))
    with intercept(model, "forward", lambda path, _layer, call, x: 2 * call(x) if path == "2" else call(x)):
        doubled = model(x)
    np.testing.assert_array_equal(doubled, 2 * model(x))


def test_intercept_restores_the_methods_also_when_the_body_raises(rng):
    model = fill(nested(), rng)

    def fail(path, *_):
        raise KeyError(path)

    with pytest.raises(KeyError, match="0"), intercept(model, "forward", fail):
        model(np.ones((5, 3)))
    assert not any("forward" in vars(layer) for _, layer in model.named_layers())
    assert model(np.ones((5, 3))).shape == (5, 2)


class Again(Layer):
    """Runs one layer twice, under two names."""

    def __init__(self, layer):
        self.first = self.second = layer

    def forward(self, x):
        return self.second.forward(self.first.forward(x))


def test_intercept_nests_and_takes_a_layer_that_stands_in_two_places(rng):
    shared = fill(Linear(3, 3), rng)
    model, x = Again(shared), rng.normal(size=(2, 3))
    outer, inner = [], []
    with intercept(model, "forward", lambda path, _layer, call, x: outer.append(path) or call(x)):
        with intercept(model, "forward", lambda path, _layer, call, x: inner.append(path) or call(x)):
            model(x)
        model(x)
    assert (len(inner), len(outer)) == (2, 4)
    assert "forward" not in vars(shared)


class Block(Layer):
    """A block of one's own: a weight, and a layer of netinit that it calls."""

    def __init__(self, part):
        self.weight = Parameter(np.zeros((3, 3), np.float32), name="weight")
        self.part = part

    def forward(self, x):
        return self.part.forward(x @ self.weight.value)


def test_intercept_takes_a_layer_with_all_the_parameters_of_its_parts_as_one(rng):
    x = rng.normal(size=(2, 3)).astype(np.float32)
    seen, _ = visits(Sequential(Block(Activation("relu")), Linear(3, 2)), "forward", x)
    assert seen == [("0", "Block"), ("1", "Linear")]
    seen, _ = visits(Sequential(Block(Linear(3, 3)), Linear(3, 2)), "forward", x)
    assert seen == [("0.part", "Linear"), ("1", "Linear")]


class Listed(Layer):
    """Keeps its layers in a list and a tuple."""

    def __init__(self):
        self.parts, self.ends = [Linear(3, 4), Activation("tanh")], (Linear(4, 2),)

    def forward(self, x):
        for part in (*self.parts, *self.ends):
            x = part.forward(x)
        return x

    def backward(self, grad):
        for part in (*self.ends, *reversed(self.parts)):
            grad = part.backward(grad)
        return grad


def test_layers_in_a_list_are_found(rng):
    model = fill(Sequential(Listed()), rng)
    assert [path for path, _ in model.named_parameters()] == [
        "0.parts.0.weight",
        "0.parts.0.bias",
        "0.ends.0.weight",
        "0.ends.0.bias",
    ]
    errors = gradient_errors(model, rng.normal(size=(4, 3)), rng)
    assert len(errors) == 5
    assert max(errors.values()) < 1e-7


# ---- builders ----


def run_intercept(model=None, method="forward", around=print):
    with intercept(model or mlp([2, 2]), method, around):
        pass


def twice(build):
    return build(Linear(3, 3))


def test_a_subclass_of_a_layer_may_hold_more():
    class Scaled(Linear):
        def __init__(self):
            super().__init__(2, 3)
            self.scale, self.inner = Parameter(np.ones(3)), Linear(3, 3)

    paths = [path for path, _ in Scaled().named_parameters()]
    assert paths == ["weight", "bias", "scale", "inner.weight", "inner.bias"]


@pytest.mark.parametrize(("depth", "shapes"), [(1, [(8, 8)]), (3, [(8, 8), (4, 4), (2, 2)])])
def test_convnet_keeps_the_size_once_and_then_halves_it(depth, shapes, rng):
    model = convnet([4, 6, 8][:depth], 10)
    seen = []

    def around(_path, layer, call, x):
        y = call(x)
        seen.extend([y.shape[1:3]] if isinstance(layer, Conv2d) else [])
        return y

    with intercept(model, "forward", around):
        model(rng.normal(size=(2, 8, 8, 1)).astype(np.float32))
    assert seen == shapes


def test_mlp_has_no_activation_after_the_last_layer():
    model = mlp([4, 3, 3, 2], "tanh", norm="layer", bias=False)
    assert [repr(layer) for layer in model] == [
        "Linear(4, 3, bias=False)",
        "LayerNorm(3)",
        "Activation('tanh')",
        "Linear(3, 3, bias=False)",
        "LayerNorm(3)",
        "Activation('tanh')",
        "Linear(3, 2, bias=False)",
    ]


def test_residual_mlp_starts_as_a_linear_model_when_its_branches_are_zero(rng):
    model = residual_mlp(4, 5, 3, 2, activation="identity")
    model[0].weight.value[...], model[-1].weight.value[...] = 0.5, 0.25
    x = rng.normal(size=(6, 4)).astype(np.float32)
    np.testing.assert_allclose(model(x), model[-1](model[0](x)), rtol=1e-6)


def test_fixup_adds_scalars_around_every_layer():
    branch = residual_mlp(4, 5, 1, 2, fixup=True)[1].branch
    before = ["ScalarBias", "Activation", "ScalarBias", "Linear"]
    assert [type(layer).__name__ for layer in branch] == [*before, *before, "ScalarScale"]


@pytest.mark.parametrize("image_shape", [(8, 8, 1), (7, 5, 3), (1, 1, 2)])
@pytest.mark.parametrize("norm", [None, "batch", "layer"])
def test_convnet_fits_its_images(image_shape, norm, rng):
    model = convnet([4, 6, 8], 10, image_shape=image_shape, norm=norm)
    x = rng.normal(size=(3, *image_shape)).astype(np.float32)
    assert model(x).shape == (3, 10)
    assert sum(isinstance(layer, Conv2d) for layer in model) == 3

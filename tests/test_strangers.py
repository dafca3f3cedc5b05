"""Other people's layers and arrays: handled, or refused in one sentence; never half, never wrong."""

import copy
import fractions
import functools
import itertools
import pickle

import numpy as np
import pytest

from netinit import (
    ACTIVATIONS,
    SGD,
    Activation,
    ActivationFunction,
    Adam,
    BatchNorm,
    Conv2d,
    Flatten,
    Layer,
    LayerNorm,
    Linear,
    Parameter,
    ScalarBias,
    ScalarScale,
    Sequential,
    diagnose,
    evaluate,
    fans,
    fit,
    fixup,
    initialize,
    load_digits,
    lsuv,
    mlp,
    only_classes,
    residual_mlp,
    softmax_cross_entropy,
    sweep,
    theory,
    trace,
    transfer,
    truncated_normal,
)

DIGITS = load_digits()
X, Y = DIGITS.x_train[:50], DIGITS.y_train[:50]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def network(sizes=(64, 32, 10), **options):
    return initialize(mlp(list(sizes), **options), "he_normal", np.random.default_rng(0))


# --- groups: every structured initializer keeps its promise in each of them ---------------------------------

CONVOLUTIONS = {
    "dense": {"groups": 1},
    "grouped": {"groups": 4},
    "depthwise": {"groups": 16},
    "strided": {"groups": 4, "stride": 2},
}


@pytest.mark.parametrize("options", CONVOLUTIONS.values(), ids=CONVOLUTIONS)
@pytest.mark.parametrize("name", ["identity", "delta_orthogonal"])
def test_a_convolution_keeps_lengths(name, options, rng):
    layer = Conv2d(16, 16, 3, **options)
    initialize(Sequential(layer), name, rng)
    x = rng.normal(size=(2, 8, 8, 16)).astype(np.float32)
    step = options.get("stride", 1)
    start = (1 if step == 2 else 0,) * 2  # "same" padding of an even image puts the odd row at the end
    kept = x[:, start[0] :: step, start[1] :: step]
    assert np.linalg.norm(layer(x)) == pytest.approx(np.linalg.norm(kept), rel=1e-5)


@pytest.mark.parametrize("groups", [1, 4, 16])
def test_each_group_has_an_orthogonal_matrix_of_its_own(groups, rng):
    layer = Conv2d(16, 32, 3, groups=groups)
    initialize(Sequential(layer), "orthogonal", rng)
    for block in np.split(layer.weight.value, groups, axis=-1):
        W = block.reshape(-1, block.shape[-1])  # (k k c_in / groups, c_out / groups)
        gram = W.T @ W if W.shape[0] >= W.shape[1] else W @ W.T
        np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-5)


def test_a_depthwise_kernel_of_keras_sums_its_window_alone():
    assert fans((3, 3, 16, 2), depthwise=True) == (9, 18)
    assert fans((3, 3, 1, 32), groups=16) == (9, 18)  # the same layer in the layout of this package
    with pytest.raises(ValueError, match="groups must be 1"):
        fans((3, 3, 16, 2), depthwise=True, groups=16)


# --- what is a weight ---------------------------------------------------------------------------------------


class PReLU(Layer):
    """A slope for each unit, under the name that weights have."""

    def __init__(self, n):
        self.weight = Parameter(np.full(n, 0.25, np.float32), name="weight")

    def forward(self, x):
        self._saved = x
        return np.where(x > 0, x, self.weight.value * x)

    def backward(self, grad):
        x = self.saved()
        self.weight.accumulate((grad * np.where(x > 0, 0, x)).sum(axis=0))
        return grad * np.where(x > 0, 1, self.weight.value)


def with_prelu():
    return Sequential(Linear(64, 32), PReLU(32), Linear(32, 10))


def test_an_array_of_one_axis_is_no_weight(rng):
    for start in (lambda m: initialize(m, "normal", rng), lambda m: lsuv(m, X, rng)):
        model = with_prelu()
        start(model)
        np.testing.assert_array_equal(model[1].weight.value, np.float32(0.25))
    assert [record.layer for record in lsuv(with_prelu(), X, rng)] == ["0", "2"]
    assert np.isnan(trace(with_prelu(), X)[1].weight_std or np.nan)


def test_a_class_may_have_a_known_name():
    known = type("Linear", (Layer,), {"forward": lambda _, x: x, "backward": lambda _, grad: grad})
    seen = trace(Sequential(known(), network()), X, Y)
    assert seen[0].kind == "Linear"
    assert seen[0].weight_std is None


# --- all or nothing -----------------------------------------------------------------------------------------


def fails_on_the_second(shape, _rng, *, dtype=np.float32):
    if shape == (32, 10):
        raise ValueError("no such shape")
    return np.ones(shape, dtype)


def with_read_only(model, path):
    dict(model.named_parameters())[path].value.flags.writeable = False
    return model


BROKEN = {
    "initialize": (
        network,
        lambda m, rng: initialize(m, fails_on_the_second, rng),
        "layer '2': no such shape",
    ),
    "read-only initialize": (
        lambda: with_read_only(network(), "2.weight"),
        lambda m, rng: initialize(m, "ones", rng),
        "'2' must be an array that can be written to",
    ),
    "read-only lsuv": (
        lambda: with_read_only(network(), "2.weight"),
        lambda m, rng: lsuv(m, X, rng),
        "'2.weight'",
    ),
    "read-only load": (
        lambda: with_read_only(network(), "2.weight"),
        lambda m, _: m.load_state_dict({k: v + 1 for k, v in m.state_dict().items()}),
        "'2.weight'",
    ),
    "read-only transfer": (
        lambda: with_read_only(network(), "2.bias"),
        lambda m, _: transfer({k: v + 1 for k, v in m.state_dict().items()}, m),
        "'2.bias'",
    ),
    "read-only fixup": (
        lambda: with_read_only(residual_mlp(64, 8, 2, 10, fixup=True), "1.branch.8.scale"),
        fixup,
        "'1.branch.8'",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_start_is_whole_or_not_at_all(name, rng):
    make, start, words = BROKEN[name]
    model = make()
    before = model.state_dict()
    with pytest.raises(ValueError, match=words):
        start(model, rng)
    for path, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[path], err_msg=path)


def test_an_optimizer_that_fails_leaves_the_model_alone():
    model = network()
    arrays = [p.value for p in model.parameters()]
    with pytest.raises(ValueError, match="beta1"):
        Adam(model.parameters(), 0.1, betas=(1.0, 0.9))
    assert all(p.value is array for p, array in zip(model.parameters(), arrays, strict=True))


def test_batch_norm_refuses_a_last_batch_of_one_before_any_step(rng):
    model = network(norm="batch")
    data = DIGITS._replace(x_train=DIGITS.x_train[:51], y_train=DIGITS.y_train[:51])
    before = model.state_dict()
    with pytest.raises(ValueError, match="batch_size must leave BatchNorm at '1' more than one"):
        fit(model, data, SGD(model.parameters(), 0.1), epochs=1, batch_size=50, rng=rng)
    np.testing.assert_array_equal(model[0].weight.value, before["0.weight"])


# --- the checked value is the one that is used --------------------------------------------------------------


def test_numbers_of_other_types_are_converted(rng):
    model, few = network(), DIGITS._replace(x_train=X, y_train=Y)
    history = fit(model, few, SGD(model.parameters(), 0.01), epochs=np.uint8(255), batch_size=50, rng=rng)
    assert len(history.train_loss) == 256
    assert Linear(np.uint8(200), 10).n_in * 2 == 400
    assert mlp(np.array([64, 32, 10], np.uint8).tolist())[0].n_in == 64
    norm = BatchNorm(64, epsilon=np.float64(1e-5), momentum=fractions.Fraction(1, 10))
    assert norm(X).dtype == np.float32
    assert type(SGD(network().parameters(), fractions.Fraction(1, 10)).lr) is float
    assert Conv2d(np.uint8(4), np.uint8(200)).n_out * 2 == 400


# --- copies -------------------------------------------------------------------------------------------------

COPIES = {"deepcopy": copy.deepcopy, "pickle": lambda both: pickle.loads(pickle.dumps(both))}


@pytest.mark.parametrize("duplicate", COPIES.values(), ids=COPIES)
def test_a_copied_optimizer_moves_its_copied_model(duplicate):
    def take_a_step(model, optimizer):
        optimizer.zero_grad()
        _, grad = softmax_cross_entropy(model(X), Y)
        model.backward(grad)
        optimizer.step()

    model = network()
    pair = model, Adam(model.parameters(), 0.01)
    take_a_step(*pair)
    other = duplicate(pair)
    take_a_step(*pair)
    take_a_step(*other)
    for mine, copied in zip(pair[0].parameters(), other[0].parameters(), strict=True):
        np.testing.assert_array_equal(mine.value, copied.value)
        assert not np.shares_memory(mine.value, copied.value)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_model_can_be_pickled_and_leaves_its_batch_behind(name):
    model = network(activation=name)
    empty = len(pickle.dumps(model))
    y = model(DIGITS.x_train)
    assert len(pickle.dumps(model)) == empty
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model))(DIGITS.x_train), y)


# --- arrays that are not plain ------------------------------------------------------------------------------

ODD_ARRAYS = {
    "matrix": lambda: X.view(np.matrix),
    "masked": lambda: np.ma.masked_greater(X, 1),
    "float16": lambda: X.astype(np.float16),
    "complex": lambda: X.astype(complex),
    "integers": lambda: X.astype(int),
    "list": X.tolist,
}


@pytest.mark.parametrize("make", ODD_ARRAYS.values(), ids=ODD_ARRAYS)
def test_an_odd_array_is_refused(make, rng):
    x = make()
    for use in (network(), lambda x: trace(network(), x), lambda x: lsuv(network(), x, rng), Parameter):
        with pytest.raises(
            TypeError, match="must be an array of floating-point numbers, float32 or float64, got"
        ):
            use(x)


def test_an_activation_takes_no_integers():
    with pytest.raises(TypeError, match="z must be an array of floating-point numbers, got array"):
        ACTIVATIONS["softplus"](np.array([1, 2]))


def test_training_is_in_float32_or_float64():
    with pytest.raises(TypeError, match="dtype must be float32 or float64"):
        network().astype(np.float16)


class Returns(Layer):
    """A layer that gives back what it was told to."""

    def __init__(self, forward=None, backward=None):
        self.results = forward, backward

    def forward(self, x):
        return x if self.results[0] is None else self.results[0](x)

    def backward(self, grad):
        return grad if self.results[1] is None else self.results[1](grad)


@pytest.mark.parametrize("wrong", [lambda _: 0, lambda x: x.tolist(), lambda x: x.astype(int)])
def test_a_layer_that_returns_no_array_is_named(wrong):
    with pytest.raises(TypeError, match=r"Returns\(\).forward must return an array"):
        Sequential(Returns(forward=wrong), Linear(64, 10))(X)
    model = Sequential(Returns(backward=wrong), Linear(64, 10))
    with pytest.raises(TypeError, match=r"Returns\(\).backward must return an array"):
        model.backward(np.ones_like(model(X)))


@pytest.mark.parametrize(
    "wrong", [lambda _: None, np.sum, lambda z: z.astype(np.float64), lambda z: z.tolist()]
)
def test_an_activation_that_changes_shape_or_dtype_is_named(wrong):
    with pytest.raises(ValueError, match=r"Activation\('odd'\) must return float32 of shape"):
        Activation(ActivationFunction("odd", wrong, np.ones_like))(X)


# --- theory: an answer within its promise, or none ----------------------------------------------------------


def test_a_jump_has_no_chi():
    with pytest.raises(ValueError, match="with a jump"):
        theory.chi(np.sign, 1, 1)
    with pytest.raises(ValueError, match="with a jump"):
        theory.correlation_fixed_point(np.sign, 1.0, 0.1)


def test_a_product_that_no_grid_can_follow_is_refused():
    with pytest.raises(ValueError, match="too rough"):
        theory.correlation_map(lambda z: np.sin(30 * z), 0.99, 1, 1)
    # E[sin(a u) sin(a v)] / E[sin(a u)^2] = exp(-a^2) sinh(a^2 c) / (exp(-a^2) sinh(a^2))
    smooth = theory.correlation_map(lambda z: np.sin(2 * z), 0.7, 1, 1)
    assert smooth == pytest.approx(np.sinh(4 * 0.7) / np.sinh(4), abs=1e-10)


# --- no end -------------------------------------------------------------------------------------------------


def test_layers_that_never_end_are_refused():
    model = network()
    model[0].owner = model
    with pytest.raises(ValueError, match="nested at most 100 deep"):
        model.parameters()
    with pytest.raises(ValueError, match="nested at most 100 deep"):
        functools.reduce(lambda inner, _: Sequential(inner), range(2000), Linear(4, 4))


def test_a_grid_that_never_ends_is_refused():
    with pytest.raises(TypeError, match=r"grid\['a'\] must be a list of values"):
        sweep(dict, {"a": itertools.count()}, progress=False)


# --- sharing ------------------------------------------------------------------------------------------------


def test_a_state_that_disagrees_on_a_shared_array_is_refused():
    model = Sequential(Linear(4, 4), Linear(4, 4))
    model[1].weight = model[0].weight
    state = model.state_dict()
    state["0.weight"] = state["0.weight"] + 1
    with pytest.raises(ValueError, match=r"state must agree on '0.weight' and '1.weight'"):
        model.load_state_dict(state)
    assert model[0].weight.value.sum() == 0


def test_two_parameters_over_one_array_are_refused():
    one = Parameter(np.zeros(3, np.float32), name="one")
    with pytest.raises(ValueError, match="share one array; to share weights, share the Parameter"):
        SGD([one, Parameter(one.value, name="other")], 0.1)


def test_a_layer_that_runs_twice_in_a_pass_is_refused():
    class Twice(Layer):
        def __init__(self):
            self.inner = Linear(4, 4)

        def forward(self, x):
            return self.inner.forward(self.inner.forward(x))

        def backward(self, grad):
            return self.inner.backward(self.inner.backward(grad))

    block, x = Twice(), np.ones((1, 4), np.float32)
    block(x)
    with pytest.raises(RuntimeError, match=r"Linear\(4, 4\).backward needs a forward pass of its own"):
        block.backward(x)


def test_parameters_and_layers_in_lists_and_dicts_are_found():
    class Held(Layer):
        def __init__(self):
            self.rows = [Parameter(np.zeros((2, 2), np.float32))]
            self.parts = {"a": Linear(2, 3), "b": [1, 2]}

    assert [path for path, _ in Held().named_parameters()] == ["rows.0", "parts.a.weight", "parts.a.bias"]


# --- one sentence for what is no argument -------------------------------------------------------------------


def test_the_correlation_map_is_a_float():
    assert type(theory.correlation_map("relu", 0.5, 1.0, np.float32(2.0))) is float


@pytest.mark.parametrize(
    "layer", [Linear(2, 2), ScalarBias(), ScalarScale(), Flatten(), BatchNorm(2)], ids=repr
)
def test_backward_takes_an_array(layer):
    layer(np.ones((2, 2), np.float32))
    with pytest.raises(TypeError, match="grad must be an array of floating-point numbers"):
        layer.backward([[1.0, 1.0], [1.0, 1.0]])


def masked():
    return np.ma.masked_equal(Y, 3)


REFUSED = {
    "bare number": (lambda: evaluate(network(), X[0, 0, ...], Y), ValueError, "x must hold at least"),
    "bare input": (lambda: Activation("relu")(np.array(1.0)), ValueError, "x must hold a batch"),
    "matrix": (lambda: ACTIVATIONS["relu"](X.view(np.matrix)), TypeError, "z must be an array"),
    "words": (lambda: diagnose(network(), X, 50 * ["a"]), TypeError, "y must hold real numbers"),
    "ragged": (lambda: diagnose(network(), X, [[1], [1, 2]]), TypeError, "y must hold real numbers"),
    "masked": (lambda: evaluate(network(), X, masked()), TypeError, "labels must hold real numbers"),
    "ragged grad": (lambda: Parameter(X, [[1], [1, 2]]), TypeError, "grad must be an array"),
    "ragged state": (
        lambda: network().load_state_dict(network().state_dict() | {"0.bias": [[1], [1, 2]]}),
        TypeError,
        "must hold real numbers",
    ),
    "huge Linear": (lambda: Linear(2**40, 2**40), ValueError, "weight must fit into memory"),
    "huge LayerNorm": (lambda: LayerNorm(2**60), ValueError, "scale must fit into memory"),
    "huge cut": (
        lambda: truncated_normal((3, 3), np.random.default_rng(0), cut=1e300),
        ValueError,
        "cut must be at most",
    ),
    "endless classes": (lambda: only_classes(DIGITS, itertools.count()), TypeError, "classes must be a list"),
    "endless layers": (
        lambda: transfer(network(), network(), layers=iter(())),
        TypeError,
        "layers must be a list",
    ),
    "long dtype": (lambda: network().astype(np.zeros((3, 3))), TypeError, "dtype must be float32 or float64"),
    "flag": (lambda: trace(network(), X, keep=np.zeros(2)), TypeError, "keep must be True or False"),
    "layer without a result": (
        lambda: trace(Returns(forward=lambda _: None), X),
        TypeError,
        r"the output of Returns\(\) must be an array",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_argument_is_refused_in_one_line(name):
    call, kind, words = REFUSED[name]
    with pytest.raises(kind, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)

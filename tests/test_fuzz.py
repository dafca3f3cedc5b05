"""A fuzz: odd values in place of good ones, in every public function that takes values from strangers.

Each call below works. An odd value then takes the place of one of its arguments: each of a list of known odd
values, and some that Hypothesis draws. Two things may happen: the call works and returns what it promises,
or it raises TypeError or ValueError with one sentence that names the argument. A call that raises changes
nothing that it was given, one that works only what it is there to change. Warnings are errors, and so is a
call without an end.
"""

import inspect
import io
from decimal import Decimal
from fractions import Fraction
from functools import partial
from numbers import Integral
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import from_dtype

import netinit
from netinit import INITIALIZERS, Conv2d, Layer, Linear, Parameter, Sequential, mlp, plots, theory, widgets

EXAMPLES = 2  # drawn for each argument of each call, beside the known odd values

# ---- known odd values ----------------------------------------------------------------------------


def endless():
    """Stands for an iterable without an end: nothing may read as far as this one goes."""
    yield from range(10_000)
    pytest.fail("the call reads an iterable to its end, which may never come")


def read_only(model):
    for p in model.parameters():
        p.value.flags.writeable = False
    return model


class ReturnsNone(Layer):
    def forward(self, _x):
        return None


SCALARS = [np.dtype(code).type(1) for code in "?bBhHiIlLefdgFDG"]
NUMBERS = [
    -3,
    -1,
    0,
    1,
    2,
    100,
    2**63,
    -(10**400),
    10**400,
    True,
    False,
    Fraction(1, 3),
    Decimal("0.5"),
    *SCALARS,
]
NUMBERS += [-1.0, -0.0, 1e-320, 0.5, 1.5, 1e300, np.float64(1e300), np.nan, np.inf, -np.inf, 1j]
NAMES = ["", "relu", "relu ", "he_nomral", "fan_im", "fan\nin", 99 * "x", b"relu", "float16", ">f4", "int32"]
LISTS = [[], (), {}, {1, 2}, {"a": 1}, [None], [[1], [1, 2]], (3, -1), (2, 3.0), (True, 3), ("one", "two")]
LISTS += [10 * [3], 70 * [1], [np.zeros(2)], range(3), slice(2)]
OTHERS = [None, object(), int, len, float("nan").hex, lambda *_, **__: None, lambda x: x, np.float64]
OTHERS += [np.dtype("V8"), np.random.default_rng, np.random.RandomState(0), io.StringIO()]

DTYPES = ["f4", "f8", "f2", "g", "?", "i1", "u1", "i8", "u8", "c8", "O", "U4", "M8[s]"]
CONTENTS = [[0], [1], [2, 1, 0], [0.5, -0.25], [np.nan, 1], [np.inf], [-1, 99], [1e30]]
SHAPES = [(), (0,), (1,), (4,), (5,), (5, 4), (4, 5), (0, 4), (5, 0), (2, 4, 4, 2)]
KINDS = {
    "plain": lambda a: a,
    "list": np.ndarray.tolist,
    "matrix": lambda a: a.view(np.matrix) if a.ndim == 2 else a,
    "masked": lambda a: np.ma.MaskedArray(a, mask=True),
    "reversed": lambda a: a[::-1] if a.ndim else a,
    "column by column": np.asfortranarray,
    "one number": lambda a: a.flat[0] if a.size else a,
}


def array_of(shape, dtype="f4", content=(2, 1, 0), kind="plain", writeable=True):
    with np.errstate(all="ignore"):
        whole = "i8" if dtype[0] == "M" else dtype
        array = np.resize(np.array(content).astype(whole).astype(dtype), shape)
    array.flags.writeable = writeable
    return KINDS[kind](array)


def known_odd_values(good):
    """Made anew each time, for a call may change them; for a model or an array, odd ones of its kind too."""
    values = [*NUMBERS, *NAMES, *LISTS, *OTHERS, Sequential(ReturnsNone()), endless()]
    values += [array_of(shape) for shape in SHAPES]
    if isinstance(good, np.ndarray):
        own = partial(array_of, good.shape, dtype=good.dtype.str)
        values += [own(content=content) for content in CONTENTS]
        values += [own(kind=kind) for kind in KINDS]
        values += [array_of(good.shape, dtype) for dtype in DTYPES]
        values += [own(writeable=False)]
    if isinstance(good, Layer):
        inside = [ReturnsNone(), netinit.BatchNorm(4), Conv2d(4, 4), read_only(filled(4, 4)), Linear(4, 4)]
        values += [Sequential(layer, filled()) for layer in inside]
        values += [read_only(filled()), mlp([4, 5, 3]), filled(4, 3), Sequential()]
    return values


# ---- drawn odd values ----------------------------------------------------------------------------


def affordable(number):
    """Not a size beyond what is quick: it might just fit into memory, and then take long."""
    return not (isinstance(number, Integral) and abs(int(number)) > 300)


ODD_NUMBERS = st.one_of(
    st.integers(-3, 300),
    st.floats(),
    st.fractions(),
    st.decimals(),
    st.sampled_from(SCALARS).flatmap(lambda scalar: from_dtype(scalar.dtype)),
).filter(affordable)


def odd_arrays(shapes=SHAPES):
    """Another shape, dtype, memory, class or content than is wanted, or just right."""
    lists = shapes, DTYPES, CONTENTS, list(KINDS), [True, False]
    return st.builds(array_of, *map(st.sampled_from, lists))


def odd(good):
    """Odd values for the place of a good one; many in its shape where it is an array."""
    anything = st.one_of(ODD_NUMBERS, odd_arrays(), st.text(max_size=5))
    return odd_arrays([good.shape]) | anything if isinstance(good, np.ndarray) else anything


# ---- what a result must be -----------------------------------------------------------------------


def drawn(result, shape, dtype, **_):
    assert type(result) is np.ndarray
    assert result.dtype == np.dtype(dtype)
    assert result.shape == tuple(shape)
    assert np.isfinite(result).all()


def number(result, **_):
    assert type(result) is float
    assert not np.isnan(result)


def loss(result, **arguments):
    outputs = next(iter(arguments.values()))
    value, grad = result
    assert type(value) is float
    assert grad.shape == outputs.shape
    if all(np.isfinite(array).all() for array in arguments.values()):
        assert np.isfinite(value)


def network(result, **_):
    assert isinstance(result, Layer)
    for path, array in result.named_arrays():
        assert array.dtype == np.float32, path
        assert np.isfinite(array).all(), path
    for part in [result, *(layer for _, layer in result.named_layers())]:
        assert all(type(size) in (int, type(None)) for size in (part.n_in, part.n_out)), repr(part)


def gradient(result, x, **_):
    assert type(result) is np.ndarray
    assert (result.shape, result.dtype.kind) == (x.shape, "f")
    assert not np.isnan(result).any() or not np.isfinite(x).all()  # inf - inf is NaN


def printed(result, **_):
    assert repr(result)


# ---- the calls -----------------------------------------------------------------------------------


class Call(NamedTuple):
    """One public function with arguments that are good, and what its result must be."""

    function: object
    arguments: object  # a function without arguments: each example starts anew
    promise: object = printed
    changes: str = ""  # the argument that the call is there to change
    overflows: bool = False  # computes as NumPy does, which warns where a number leaves its dtype
    words: tuple = ()  # what a message may call an argument other than by its name


def rng():
    return np.random.default_rng(0)


def defaults(function, **given):
    """The given arguments, and the defaults of the others."""
    parameters = inspect.signature(function).parameters.items()
    return {name: p.default for name, p in parameters if p.default is not p.empty} | given


def filled(*sizes, **options):
    return netinit.initialize(mlp(sizes or [4, 5, 3], **options), "he_normal", rng())


def batch(*shape):
    return rng().standard_normal(shape or (5, 4), np.float32)


def labels():
    return np.array([0, 1, 2, 0, 1])


def dataset():
    return netinit.Dataset(*3 * (batch(), labels()))


def initializer(function):
    return Call(function, lambda: defaults(function, shape=(3, 3, 2, 4), rng=rng()), drawn)


def layer(make, *shape):
    """Forward and backward through a layer or model."""

    def both_ways(x, grad):
        model = make()
        output = model(x)
        assert isinstance(output, np.ndarray)
        return model.backward(np.ones_like(output) if grad is None else grad)

    return Call(
        both_ways,
        lambda: {"x": batch(*shape), "grad": None},
        gradient,
        overflows=True,
        words=("input", "image", "BatchNorm"),
    )


def on_parameters(rule):
    def good():
        parameters = filled().parameters()
        for p in parameters:
            p.grad = np.ones_like(p.value)
        return defaults(rule, parameters=parameters, lr=0.1)

    def step(**arguments):
        optimizer = rule(**arguments)
        optimizer.step()
        return [p.value.copy() for p in optimizer.parameters]

    def moved(result, **_):
        for array in result:
            drawn(array, array.shape, "f4")

    return Call(step, good, moved, "parameters", overflows=True, words=("beta",))


def fitted(model, data, lr=0.1, **options):
    optimizer = netinit.SGD(model.parameters(), lr) if isinstance(model, Layer) else None
    return netinit.fit(model, data, optimizer, **options)


def fields(x_train, y_train, x_validation, y_validation):
    return fitted(
        filled(),
        netinit.Dataset(x_train, y_train, x_validation, y_validation, None, None),
        epochs=1,
        batch_size=2,
        rng=rng(),
    )


def frame(depth=0, name=""):
    figure = plt.figure(figsize=(1, 1))
    figure.set_label(f"{depth} {name}")
    return figure


def axes():
    return plt.figure(figsize=(1, 1)).subplots()


FAMILY = {f.__name__: f for f in [*INITIALIZERS.values(), netinit.variance_scaling]}
RULES = [netinit.SGD, netinit.Momentum, netinit.AdaGrad, netinit.RMSProp, netinit.Adam]
RESIDUAL = partial(netinit.residual_mlp, 4, 5, 2, 3, fixup=True)
CALLS = {
    **{name: initializer(function) for name, function in FAMILY.items()},
    "fans": Call(netinit.fans, lambda: defaults(netinit.fans, shape=(3, 3, 2, 4))),
    "get_initializer": Call(netinit.get_initializer, lambda: {"initializer": "zeros"}),
    "get_activation": Call(netinit.get_activation, lambda: {"activation": "relu"}),
    "leaky_relu": Call(netinit.leaky_relu, lambda: {"slope": 0.1}),
    **{
        f"activation {name}": Call(f, lambda: {"z": batch()}, overflows=True)
        for name, f in netinit.ACTIVATIONS.items()
    },
    # theory
    "gain": Call(theory.gain, lambda: {"activation": "relu", "direction": "forward"}, number),
    "variance_map": Call(
        theory.variance_map,
        lambda: {"activation": "tanh", "q": 1.0, "weight_variance": 2.0, "bias_variance": 0.1},
        number,
    ),
    "correlation_map": Call(
        theory.correlation_map,
        lambda: {"activation": "relu", "c": 0.5, "q": 1.0, "weight_variance": 2.0, "bias_variance": 0.1},
        number,
    ),
    "chi": Call(
        theory.chi,
        lambda: {"activation": "tanh", "q": 1.0, "weight_variance": 2.0, "correlation": 1.0},
        number,
    ),
    "fixed_point": Call(
        theory.fixed_point,
        lambda: {"activation": "relu", "weight_variance": 1.0, "bias_variance": 0.1},
        number,
    ),
    "correlation_fixed_point": Call(
        theory.correlation_fixed_point,
        lambda: {"activation": "relu", "weight_variance": 1.0, "bias_variance": 0.1},
        number,
        words=("q*",),
    ),
    "critical_weight_variance": Call(
        theory.critical_weight_variance,
        lambda: {"activation": "tanh", "bias_variance": 0.05},
        number,
        words=("activation", "bias_variance"),
    ),
    "depth_scale": Call(theory.depth_scale, lambda: {"chi": 0.9}, number),
    "predict": Call(netinit.predict, lambda: {"model": filled(), "input_second_moment": 1.0}),
    # layers and models
    "Parameter": Call(Parameter, lambda: defaults(Parameter, value=batch())),
    "Linear": Call(Linear, lambda: defaults(Linear, n_in=4, n_out=3), network, words=("weight",)),
    "Conv2d": Call(Conv2d, lambda: defaults(Conv2d, c_in=4, c_out=4), network, words=("weight",)),
    "BatchNorm": Call(netinit.BatchNorm, lambda: defaults(netinit.BatchNorm, n=4), network),
    "LayerNorm": Call(netinit.LayerNorm, lambda: defaults(netinit.LayerNorm, n=4), network),
    "Activation": Call(netinit.Activation, lambda: {"activation": "relu"}, network),
    "Residual": Call(netinit.Residual, lambda: {"branch": Linear(4, 4), "shortcut": None}, network),
    "Sequential": Call(
        lambda layer: Sequential(Linear(4, 4), layer), lambda: {"layer": Linear(4, 4)}, network
    ),
    "mlp": Call(mlp, lambda: defaults(mlp, sizes=[4, 5, 3]), network, words=("weight",)),
    "residual_mlp": Call(
        netinit.residual_mlp,
        lambda: defaults(netinit.residual_mlp, n_in=4, width=5, blocks=2, n_out=3),
        network,
        words=("weight",),
    ),
    "convnet": Call(
        netinit.convnet,
        lambda: defaults(netinit.convnet, channels=[2, 3], n_out=3),
        network,
        words=("weight", "height"),
    ),
    "through Linear": layer(lambda: filled(4, 3)[0]),
    "through Conv2d": layer(lambda: Conv2d(2, 4, groups=2), 2, 4, 4, 2),
    "through Flatten": layer(netinit.Flatten, 2, 4, 4, 2),
    "through BatchNorm": layer(lambda: netinit.BatchNorm(4)),
    "through LayerNorm": layer(lambda: netinit.LayerNorm(4)),
    "through ScalarBias": layer(netinit.ScalarBias),
    "through ScalarScale": layer(netinit.ScalarScale),
    "through Residual": layer(lambda: netinit.Residual(filled(4, 4)[0])),
    "through Sequential": layer(lambda: filled(norm="layer")),
    **{f"through {name}": layer(partial(netinit.Activation, name)) for name in netinit.ACTIVATIONS},
    # weights into a model
    "initialize": Call(
        netinit.initialize,
        lambda: {"model": filled(), "initializer": "ones", "rng": rng(), "bias": "ones"},
        network,
        "model",
        words=("initializer",),
    ),
    "fixup": Call(
        netinit.fixup,
        lambda: {"model": RESIDUAL(), "rng": rng(), "base": "ones"},
        network,
        "model",
        words=("initializer",),
    ),
    "lsuv": Call(
        netinit.lsuv,
        lambda: defaults(netinit.lsuv, model=filled(), x=batch(), rng=rng()),
        changes="model",
        words=("input",),
    ),
    "transfer": Call(
        netinit.transfer,
        lambda: defaults(netinit.transfer, source=filled(), target=filled(4, 5, 2), layers=["0"]),
        changes="target",
        words=("layer",),
    ),
    "transfer an array": Call(
        lambda source, target: netinit.transfer({"0.weight": source}, target),
        lambda: {"source": batch(4, 5), "target": filled()},
        changes="target",
    ),
    "load_state_dict": Call(
        lambda self, state, strict: self.load_state_dict(state, strict),
        lambda: {"self": filled(), "state": filled().state_dict(), "strict": True},
        changes="self",
    ),
    "load an array": Call(
        lambda self, state: self.load_state_dict({**self.state_dict(), "0.weight": state}),
        lambda: {"self": filled(), "state": batch(4, 5)},
        changes="self",
    ),
    # training
    "softmax_cross_entropy": Call(
        netinit.softmax_cross_entropy,
        lambda: {"logits": batch(), "labels": labels()},
        loss,
        overflows=True,
        words=("labels",),
    ),
    "mean_squared_error": Call(
        netinit.mean_squared_error, lambda: {"outputs": batch(), "targets": batch()}, loss, words=("targets",)
    ),
    **{rule.__name__: on_parameters(rule) for rule in RULES},
    "fit": Call(
        fitted,
        lambda: {
            "model": filled(),
            "data": dataset(),
            "epochs": 1,
            "batch_size": 2,
            "rng": rng(),
            "progress": False,
        },
        changes="model",
    ),
    "fit on odd data": Call(
        fields,
        lambda: dict(list(dataset()._asdict().items())[:4]),
        words=("y_train", "y_validation", "labels", "input"),
    ),
    "evaluate": Call(
        netinit.evaluate, lambda: {"model": filled(), "x": batch(), "y": labels()}, words=("labels", "input")
    ),
    # diagnostics
    "trace": Call(
        netinit.trace,
        lambda: {"model": filled(), "x": batch(), "y": labels(), "output_gradient": None, "keep": False},
        words=("labels", "input"),
    ),
    "trace back": Call(
        netinit.trace,
        lambda: {"model": filled(), "x": batch(), "output_gradient": batch(5, 3)},
        words=("input", "grad"),
    ),
    "diagnose": Call(
        netinit.diagnose, lambda: {"model": filled(), "x": batch(), "y": labels()}, words=("labels", "input")
    ),
    # data
    "few_labels": Call(netinit.few_labels, lambda: {"data": dataset(), "per_class": 1, "rng": rng()}),
    "only_classes": Call(netinit.only_classes, lambda: {"data": dataset(), "classes": [1, 2]}),
    "rotate": Call(netinit.rotate, lambda: {"images": batch(5, 4, 4), "degrees": 30.0}),
    "add_noise": Call(netinit.add_noise, lambda: {"images": batch(), "sigma": 0.1, "rng": rng()}),
    # many runs, figures
    "sweep": Call(
        lambda grid: netinit.sweep(lambda a: {"b": a}, grid, progress=False),
        lambda: {"grid": {"a": [1, 2]}},
        words=("'a'",),
    ),
    "sweep over": Call(
        lambda grid: netinit.sweep(lambda a: {"b": a}, {"a": grid}, progress=False), lambda: {"grid": [1, 2]}
    ),
    "explore": Call(
        lambda draw, play, start, depth, name: widgets.explore(
            draw, play=play, start=start, depth=depth, name=name
        ).frame(depth=1, name="a"),
        lambda: {"draw": frame, "play": "depth", "start": {"depth": 1}, "depth": [1], "name": ["a"]},
        words=("returned",),
    ),
    "lines_with_spread": Call(
        lambda runs: plots.lines_with_spread(axes(), [1, 2], runs, "a"), lambda: {"runs": [[3, 4], [5, 8]]}
    ),
    "theory_and_measurement": Call(
        lambda runs: plots.theory_and_measurement(axes(), [1, 2], [3, 4], runs, "a"),
        lambda: {"runs": [[3, 4], [5, 8]]},
    ),
    "layer_histograms": Call(
        lambda outputs: plots.layer_histograms([axes()], [outputs], (-1, 1)), lambda: {"outputs": batch()}
    ),
    "heatmap": Call(
        lambda values: plots.heatmap(axes(), values, ["a"], ["b", "c"]), lambda: {"values": [[0.1, 0.9]]}
    ),
}

# ---- the fuzz ------------------------------------------------------------------------------------


def snapshot(value):
    """What a call must not change: arrays, the state and the modes of models, what a container holds."""
    if isinstance(value, Layer):
        modes = [(layer.training, type(layer)) for _, layer in value.named_layers()]
        return [modes, *value.state_dict().items(), *(p.lr_scale for p in value.parameters())]
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, Parameter):
        return value.value.copy()
    if isinstance(value, (list, tuple)):
        return [snapshot(part) for part in value]
    return {key: snapshot(part) for key, part in value.items()} if isinstance(value, dict) else None


LAYERS = ("layer", "'0", "ReturnsNone", "BatchNorm", "Conv2d", "Linear")  # named instead of their model


def check_refusal(error, words):
    sentence = str(error)
    assert sentence.endswith("."), f"no sentence: {sentence!r}"
    assert "\n" not in sentence
    assert any(word in sentence for word in words), f"names none of {words}: {sentence!r}"


def never_fits(good, value):
    """Truth is no number, and a negative integer no label."""
    if isinstance(value, (bool, np.bool_)):
        return type(good) in (int, float)
    is_labels = isinstance(good, np.ndarray) and good.dtype.kind == "i"
    return is_labels and isinstance(value, np.ndarray) and value.dtype.kind == "i" and (value < 0).any()


def hand(call, argument, value):
    """Make the call with the odd value in the place of the argument."""
    arguments = call.arguments()
    good, arguments[argument] = arguments[argument], value
    before = snapshot(arguments)
    try:
        result = call.function(**arguments)
    except (TypeError, ValueError) as error:
        check_refusal(error, (argument, *call.words, *(LAYERS if isinstance(good, Layer) else ())))
    except RuntimeWarning as warning:
        if not call.overflows:
            raise AssertionError(warning) from warning
    else:
        assert not never_fits(good, value) or "label out of range" in repr(result), "accepted"
        before.pop(call.changes, None)
        call.promise(result, **arguments)
    for unchanged, held in before.items():
        np.testing.assert_equal(snapshot(arguments[unchanged]), held, unchanged)
    plt.close("all")


def handed(call):
    return {argument: good for argument, good in call.arguments().items() if argument != "self"}


def is_asked_for(argument, value):
    """Whoever asks for 2^63 epochs gets them, and whose own function raises sees its error."""
    if argument == "output_gradient":
        return callable(value)
    return argument in ("blocks", "layers_per_block", "epochs") and not affordable(value)


@pytest.mark.parametrize("name", CALLS)
def test_known_odd_values_work_or_are_refused_in_one_sentence(name):
    call = CALLS[name]
    call.promise(call.function(**call.arguments()), **call.arguments())
    for argument, good in handed(call).items():
        for value in known_odd_values(good):
            if is_asked_for(argument, value):
                continue
            try:
                hand(call, argument, value)
            except BaseException as error:
                error.add_note(f"{name} with {argument} = {value!r}")
                raise


@pytest.mark.parametrize("name", CALLS)
def test_drawn_odd_values_work_or_are_refused_in_one_sentence(name):
    call = CALLS[name]
    arguments = handed(call)

    @settings(max_examples=EXAMPLES * len(arguments))
    @given(st.one_of([st.tuples(st.just(argument), odd(good)) for argument, good in arguments.items()]))
    def draw(one):
        if not is_asked_for(*one):
            hand(call, *one)

    draw()

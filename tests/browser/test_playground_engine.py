"""The playground's engine against `netinit`: same weights in, same numbers out; and what a page relies on."""

import importlib
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

import netinit as ni
from netinit.layers import Activation, BatchNorm, LayerNorm, Linear
from netinit.models import Residual, Sequential

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "book" / "_static" / "playground"
NAMES = "pieces matrix product random data digits activations layers normalization network initializers"
NAMES = [*NAMES.split(), "optimizers", "measure", "config", "run", "worker"]
SAME = 1e-4  # relative: the page keeps its numbers in float32
CASES = 40
NETINIT_NAMES = {"linear": "identity", "sgd": "SGD", "momentum": "Momentum", "adam": "Adam"}
NORMS = {"batch": BatchNorm, "layer": LayerNorm}
CONFIG = {
    "data": "digits", "activation": "relu", "depth": 4, "width": 16, "kind": "plain", "norm": "none",
    "initializer": "he", "std": 0.01, "lr": 0.05, "optimizer": "sgd", "batch": 50, "seed": 1,
}  # fmt: skip


def open_engine(browser, folder, name, old="", new=""):
    """A blank page from disk that has the scripts; in one of them, `old` is replaced by `new`."""
    sources = []
    for each in NAMES:
        text = (SCRIPTS / f"{each}.js").read_text(encoding="utf-8")
        if each == name:
            assert text.count(old) == 1
            text = text.replace(old, new)
        (folder / f"{each}.js").write_text(text, encoding="utf-8")
        sources.append(f'<script src="{each}.js"></script>')
    (folder / "blank.html").write_text("<!doctype html><meta charset=utf-8>" + "".join(sources))
    page = browser.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text))
    page.goto((folder / "blank.html").as_uri())
    assert faults == []
    return page


@pytest.fixture(scope="module")
def engine(browser, tmp_path_factory):
    page = open_engine(browser, tmp_path_factory.mktemp("engine"), None)
    yield page
    page.close()


def ask(page, script, argument):
    """Call a function in the page; its numbers travel as one text, which is far faster than one by one."""
    text = page.evaluate(f"(text) => JSON.stringify(({script})(JSON.parse(text)))", json.dumps(argument))
    return json.loads(text)


# --- 40 networks with given weights -----------------------------------------------------------------------


def configuration(rng):
    """A random network, and the rule that moves it."""
    kind = str(rng.choice(["plain", "residual", "fixup"]))
    return CONFIG | {
        "activation": str(rng.choice(["relu", "tanh", "sigmoid", "gelu", "linear"])),
        "depth": int(rng.integers(1, 13)),
        "width": int(rng.integers(2, 40)),
        "kind": kind,
        "norm": "none" if kind == "fixup" else str(rng.choice(["none", "batch", "layer"])),
        "optimizer": str(rng.choice(["sgd", "momentum", "adam"])),
    }


def reference(config, inputs, classes):
    """The same network of netinit, its weights still zero."""
    activation = NETINIT_NAMES.get(config["activation"], config["activation"])
    width, norm = config["width"], NORMS.get(config["norm"])
    if config["kind"] == "plain":
        return ni.mlp([inputs, *[width] * config["depth"], classes], activation, norm=norm and config["norm"])
    blocks = math.ceil(config["depth"] / 2)
    if norm is None:
        fixup = config["kind"] == "fixup"
        return ni.residual_mlp(inputs, width, blocks, classes, activation=activation, fixup=fixup)

    def active():
        return [norm(width), Activation(activation)]

    def branch():
        return Sequential(*active(), Linear(width, width), *active(), Linear(width, width))

    body = [Residual(branch()) for _ in range(blocks)]
    return Sequential(Linear(inputs, width), *body, *active(), Linear(width, classes))


def fill(model, rng):
    """Random float32 values of the usual sizes everywhere, biases and scales included."""
    for path, parameter in model.named_parameters():
        shape = parameter.value.shape
        std = math.sqrt(1.5 / shape[0]) if path.endswith("weight") else 0.1
        start = 1 if path.endswith("scale") else 0
        parameter.value[...] = start + std * rng.standard_normal(shape)


class Case:
    """One network, one batch, two gradients for the optimizer, and what netinit makes of them in float64."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        self.config = configuration(rng)
        self.inputs, self.classes = int(rng.choice([2, 64])), int(rng.choice([2, 10]))
        rows = int(rng.integers(2, 30))
        self.model = reference(self.config, self.inputs, self.classes)
        fill(self.model, rng)
        self.model.astype(np.float64)
        self.x = rng.standard_normal((rows, self.inputs)).astype(np.float32).astype(np.float64)
        self.labels = rng.integers(0, self.classes, rows)
        shapes = {path: p.value.shape for path, p in self.model.named_parameters()}
        self.gradients = [{path: rng.standard_normal(shape) for path, shape in shapes.items()} for _ in "12"]

    def given(self):
        """What the page is told."""
        return {
            "config": self.config,
            "inputs": self.inputs,
            "classes": self.classes,
            "parameters": flat({path: p.value for path, p in self.model.named_parameters()}),
            "x": self.x.ravel().tolist(),
            "labels": self.labels.tolist(),
            "steps": [flat(gradients) for gradients in self.gradients],
        }

    def expected(self):
        """Outputs of each layer, loss, gradients, parameters after the steps, and outputs in evaluation."""
        traced = ni.trace(self.model.train(), self.x, self.labels, keep=True)
        result = {"outputs": {row.name: row.output for row in traced}}
        result["loss"], gradient = ni.softmax_cross_entropy(self.model.forward(self.x), self.labels)
        self.model.backward(gradient)
        result["gradients"] = {path: p.grad.copy() for path, p in self.model.named_parameters()}
        result["evaluated"] = self.model.eval().forward(self.x)
        rule = getattr(ni, NETINIT_NAMES[self.config["optimizer"]])
        optimizer = rule(self.model.parameters(), self.config["lr"])
        for gradients in self.gradients:
            for path, parameter in self.model.named_parameters():
                parameter.grad = gradients[path]
            optimizer.step()
        return result | {"moved": {path: p.value for path, p in self.model.named_parameters()}}


def flat(arrays):
    return {path: np.ravel(array).tolist() for path, array in arrays.items()}


MEASURE = """({ config, inputs, classes, parameters, x, labels, steps }) => {
  const P = Playground.engine;
  const network = P.buildNetwork(config, inputs, classes);
  const named = P.namedParameters(network);
  const all = (read) => Object.fromEntries(named.map(([path, each]) => [path, [...read(each).values]]));
  for (const [path, { value }] of named) value.values.set(parameters[path]);
  const batch = P.matrix(labels.length, inputs);
  batch.values.set(x);
  const logits = network.forward(batch, "train");
  const { loss, gradient } = P.crossEntropy(logits, labels);
  network.backward(gradient);
  const leaves = P.namedLayers(network).filter(([, layer]) => layer.y);
  const outputs = Object.fromEntries(leaves.map(([path, { y }]) => [path, [...y.values]]));
  const result = { loss, outputs, gradients: all((each) => each.gradient) };
  result.evaluated = [...network.forward(batch, "evaluate").values];
  const update = P.optimizer(named.map(([, each]) => each), config.optimizer, config.lr);
  for (const gradients of steps) {
    for (const [path, { gradient }] of named) gradient.values.set(gradients[path]);
    update();
  }
  return { ...result, moved: all((each) => each.value) };
}"""


def differences(page, seed):
    """Yield the name and the relative error of everything that the page and netinit both compute."""
    case = Case(seed)
    measured = ask(page, MEASURE, case.given())
    expected = case.expected()
    assert measured["moved"].keys() == expected["moved"].keys()
    assert measured["outputs"].keys() >= expected["outputs"].keys()
    yield "loss", abs(measured["loss"] - expected["loss"]) / expected["loss"]
    yield "evaluated", error(measured["evaluated"], expected["evaluated"])
    for path, output in expected["outputs"].items():
        yield f"output {path}", error(measured["outputs"][path], output)
    for path, gradient in expected["gradients"].items():
        scale = size(path, expected["gradients"])
        yield f"gradient {path}", error(measured["gradients"][path], gradient, scale)
        yield f"moved {path}", error(measured["moved"][path], expected["moved"][path])


def size(path, gradients):
    """The largest gradient of the layer: that of a bias before a normalization is 0 up to rounding.

    For a scalar, a sum in which much cancels, the largest of the scalars in its branch.
    """
    parts = 2 if gradients[path].size == 1 else 1
    owner = path.rsplit(".", parts)[0]
    beside = [g for other, g in gradients.items() if other.rsplit(".", parts)[0] == owner]
    return max(np.abs(g).max() for g in beside if parts == 1 or g.size == 1)


def error(measured, expected, scale=None):
    """The largest difference, relative to the largest number."""
    scale = np.abs(expected).max() if scale is None else scale
    measured = np.asarray(measured, float)  # NaN comes as None
    difference = np.abs(measured - np.ravel(expected)).max()
    return float(difference / scale) if scale else float(difference)


@pytest.mark.parametrize("seed", range(CASES))
def test_a_network_with_given_weights_computes_what_netinit_does(engine, seed):
    assert [(name, value) for name, value in differences(engine, seed) if not value < SAME] == []


MISTAKES = {
    "product": ("product", "get(sum), ADD_FOURS", "get(sum), MULTIPLY_FOURS"),
    "last term": ("product", "columns, to, 4 * width, inner", "columns, to, 4 * width, inner - 1"),
    "rows at the edge": ("product", "row + i, out.rows - 1)", "row, out.rows - 1)"),
    "columns at the edge": ("product", "4 * Math.ceil(out.columns / 4)", "out.columns"),
    "tanh slope": ("activations", "1 - y[i] * y[i]", "1 - y[i]"),
    "gelu slope": ("activations", "normalCdf(z[i]) + z", "normalCdf(z[i]) - z"),
    "bias gradient": ("layers", "gradient.values, dy);", "gradient.values, this.y);"),
    "scalar gradient": ("layers", "P.dot(dy.values, this.x.values)", "P.sum(dy.values)"),
    "normalization": ("normalization", "- center - xhat[i] * along", "- center"),
    "running variance": ("normalization", "/ (rows - 1)]", "/ rows]"),
    "skip path": ("network", "this.branch.backward(dy).values", "(this.branch.backward(dy), dy).values"),
    "loss": ("network", "(column === labels[row])) / rows", "(column === labels[row]))"),
    "momentum": ("optimizers", "0.9 * velocity[i]", "0.91 * velocity[i]"),
    "adam": ("optimizers", "1 - 0.999 ** step", "1"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_one_term_is_noticed(browser, tmp_path, mistake):
    page = open_engine(browser, tmp_path, *MISTAKES[mistake])
    assert any(not value < 10 * SAME for seed in range(CASES) for _, value in differences(page, seed))


# --- initializers -----------------------------------------------------------------------------------------

DRAWS, SHAPE, STD = 200, (32, 48), 0.3
VARIANCES = {
    "zeros": 0, "constant": 0, "normal": STD**2, "lecun": 1 / 32, "glorot": 2 / 80, "he": 2 / 32,
    "orthogonal": 1 / 48, "lsuv": 1 / 48, "fixup": 2 / 32,  # before LSUV and Fixup scale what was drawn
}  # fmt: skip
DRAW = """([name, draws, [rows, columns], std]) => {
  const P = Playground.engine, random = P.random(7, 1), weight = P.matrix(rows, columns);
  return Array.from({ length: draws }, () => {
    P.initializers[name](weight, random, std);
    return [...weight.values];
  });
}"""


def draw(page, name, draws=DRAWS, shape=SHAPE):
    """The weights of an initializer, (draws, *shape)."""
    return np.array(ask(page, DRAW, [name, draws, shape, STD])).reshape(draws, *shape)


def standard_errors(values, variance):
    """How many standard errors the second moment of independent normal values is off."""
    return abs(np.mean(values**2) - variance) / (variance * math.sqrt(2 / values.size))


def test_the_variances_are_those_of_every_initializer(engine):
    assert set(engine.evaluate("() => Object.keys(Playground.engine.initializers)")) == set(VARIANCES)


@pytest.mark.parametrize("name", [name for name, variance in VARIANCES.items() if variance])
def test_an_initializer_draws_its_variance(engine, name):
    weights = draw(engine, name)
    one = weights[:, 0, 0]  # the entries of one orthogonal matrix are not independent, those of 200 are
    independent = one if VARIANCES[name] == VARIANCES["orthogonal"] else weights
    assert standard_errors(independent, VARIANCES[name]) < 5
    assert abs(one.mean()) < 5 * math.sqrt(VARIANCES[name] / DRAWS)


def test_the_variance_of_another_initializer_is_rejected(engine):
    assert standard_errors(draw(engine, "glorot"), VARIANCES["he"]) > 5
    assert standard_errors(draw(engine, "he")[:, 0, 0], VARIANCES["orthogonal"]) > 5


def test_zeros_and_constant_draw_nothing(engine):
    assert not draw(engine, "zeros", 1).any()
    assert np.allclose(draw(engine, "constant", 1), STD)


@pytest.mark.parametrize("shape", [(32, 48), (48, 32), (40, 40), (64, 2), (1, 5)])
def test_orthogonal_weights_are_orthogonal(engine, shape):
    (weight,) = draw(engine, "orthogonal", 1, shape)
    tall = weight if shape[0] >= shape[1] else weight.T
    assert np.allclose(tall.T @ tall, np.eye(min(shape)), atol=1e-6)


def test_orthogonal_weights_prefer_no_direction(engine):
    """The trace of a Haar-distributed orthogonal matrix has mean 0 and variance 1 (Diaconis, Evans 2001)."""
    traces = np.trace(draw(engine, "orthogonal", DRAWS, (6, 6)), axis1=1, axis2=2)
    assert abs(traces.mean()) < 5 / math.sqrt(DRAWS)
    assert abs(traces.var() - 1) < 5 * math.sqrt(2 / DRAWS)


GIVEN = """([method, config, inputs, classes, parameters, x]) => {
  const P = Playground.engine;
  const network = P.buildNetwork(config, inputs, classes);
  const named = P.namedParameters(network);
  for (const [path, { value }] of named) value.values.set(parameters[path]);
  const batch = P.matrix(x.length, inputs);
  batch.values.set(x.flat());
  P[method](network, batch);
  const set = ({ value, rateScale }) => [[...value.values], rateScale];
  return Object.fromEntries(named.map(([path, parameter]) => [path, set(parameter)]));
}"""


def compare_given(page, method, config, model, x, change):
    """Hand the weights to the page, let both change them; yield path, error and rate scales."""
    before = flat({path: p.value for path, p in model.named_parameters()})
    after = ask(page, GIVEN, [method, config, x.shape[1], 10, before, x.tolist()])
    change(model)
    for path, parameter in model.named_parameters():
        values, rate_scale = after[path]
        yield path, error(values, parameter.value), (rate_scale, parameter.lr_scale)


LSUV_CASES = {
    "relu": {}, "tanh": {"activation": "tanh", "depth": 9}, "residual": {"kind": "residual"},
    "batch": {"norm": "batch"}, "layer": {"kind": "residual", "norm": "layer"}, "fixup": {"kind": "fixup"},
}  # fmt: skip


@pytest.mark.parametrize("change", LSUV_CASES.values(), ids=LSUV_CASES)
def test_lsuv_sets_what_netinit_sets(engine, change):
    config, rng, x = CONFIG | change, np.random.default_rng(0), ni.load_digits().x_train[:100]
    model = ni.initialize(reference(config, 64, 10), "orthogonal", rng)
    compared = compare_given(
        engine, "rescale", config, model, x, lambda model: ni.lsuv(model, x, rng, orthonormal=False)
    )
    assert [each for each in compared if not each[1] < SAME] == []


def test_lsuv_leaves_a_layer_without_variance(engine):
    config, rng, x = CONFIG, np.random.default_rng(0), ni.load_digits().x_train[:100]
    model = ni.initialize(reference(config, 64, 10), "orthogonal", rng)
    model[2].weight.value[...] = 0
    compared = compare_given(
        engine, "rescale", config, model, x, lambda model: ni.lsuv(model, x, rng, orthonormal=False)
    )
    assert [each for each in compared if not each[1] < SAME] == []


@pytest.mark.parametrize("kind", ["residual", "fixup"])
def test_fixup_sets_what_netinit_sets(engine, kind):
    config, rng = CONFIG | {"kind": kind, "depth": 10}, np.random.default_rng(0)
    model = ni.initialize(reference(config, 64, 10), "he_normal", rng)
    drawn = iter([p.value.copy() for path, p in model.named_parameters() if path.endswith("weight")])

    def change(model):
        ni.fixup(model, rng, base=lambda *_shape_and_rng, dtype: next(drawn).astype(dtype))

    compared = list(compare_given(engine, "scaleByDepth", config, model, np.zeros((1, 64)), change))
    assert [each for each in compared if not each[1] < SAME] == []
    assert [each for each in compared if each[2][0] != each[2][1]] == []
    assert {scales[0] for *_, scales in compared} == ({1} if kind == "residual" else {1, 0.1})


# --- data -------------------------------------------------------------------------------------------------

LOAD = """([name, seed]) => {
  const { train, heldOut, inputs, classes } = Playground.engine.loadData(name, seed);
  const list = ({ x, labels }) => [[...x.values], [...labels]];
  return { splits: [list(train), list(heldOut)], inputs, classes };
}"""


def test_the_digits_are_those_of_netinit(engine):
    data, digits = ask(engine, LOAD, ["digits", 1]), ni.load_digits()
    splits = [(digits.x_train, digits.y_train), (digits.x_validation, digits.y_validation)]
    for (x, labels), (x_expected, labels_expected) in zip(data["splits"], splits, strict=True):
        assert np.allclose(x, x_expected.ravel(), atol=1e-6)
        assert labels == labels_expected.tolist()
    assert (data["inputs"], data["classes"]) == (64, 10)


def test_the_script_of_the_digits_is_what_its_tool_writes(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools")
    tool = importlib.import_module("playground_digits")
    assert tool.SCRIPT.read_text(encoding="utf-8") == tool.script()


@pytest.mark.parametrize("name", ["spirals", "circles"])
def test_flat_data_is_standardized_balanced_and_of_its_seed(engine, name):
    data = ask(engine, LOAD, [name, 1])
    x, labels = (np.array(part) for part in data["splits"][0])
    assert np.allclose(x.reshape(-1, 2).mean(axis=0), 0, atol=1e-6)
    assert abs(np.mean(x**2) - 1) < 1e-6
    assert np.bincount(labels).tolist() == [len(labels) / 2] * 2
    assert ask(engine, LOAD, [name, 1]) == data != ask(engine, LOAD, [name, 2])


# --- runs -------------------------------------------------------------------------------------------------

RUN = """([config, steps]) => {
  const run = Playground.engine.createRun(config);
  const plain = (_, value) => {
    if (ArrayBuffer.isView(value)) return [...value];
    return typeof value === "number" && !isFinite(value) ? String(value) : value;
  };
  const take = () => JSON.parse(JSON.stringify(run.snapshot(), plain));
  const start = take();
  for (let i = 0; i < steps; i++) run.step();
  return [start, take()];
}"""
FIELDS = "step epoch history loss accuracy overflowAt layers boundary firstLayer"
LAYER_FIELDS = "name histogram rms gradientRms dead saturated updateRatio"


def run(page, steps, **changes):
    """The snapshots before the first step and after the last."""
    return ask(page, RUN, [CONFIG | changes, steps])


def test_a_run_shows_its_start_and_learns_the_digits(engine):
    start, end = run(engine, 200)
    assert set(start) == set(FIELDS.split())
    assert set(start["layers"][0]) == set(LAYER_FIELDS.split())
    names = [f"layer {i}" for i in (1, 2, 3, 4)]
    assert [layer["name"] for layer in start["layers"]] == [*names, "output"]
    assert {layer["updateRatio"] for layer in start["layers"]} == {None}
    assert (start["step"], end["step"], start["history"]["step"]) == (0, 200, [0])
    assert abs(end["epoch"] - 200 * 50 / 1077) < 1e-9
    assert [len(image) for image in end["firstLayer"]] == [64] * 16
    assert end["boundary"] is None
    assert all(layer["updateRatio"] > 0 for layer in end["layers"])
    assert end["accuracy"] > 0.8 > 0.3 > start["accuracy"]


def test_a_run_learns_the_spirals_and_paints_them(engine):
    changes = {"data": "spirals", "activation": "tanh", "width": 32, "optimizer": "adam", "lr": 0.01}
    start, end = run(engine, 600, **changes)
    assert end["accuracy"] > 0.9 > 0.8 > start["accuracy"]
    boundary = end["boundary"]
    (x, labels), _ = ask(engine, LOAD, ["spirals", 1])["splits"]
    columns, heights = np.reshape(x, (-1, 2)).T
    cell = (boundary["high"] - boundary["low"]) / (boundary["size"] - 1)
    row = np.round((boundary["high"] - heights) / cell).astype(int)  # the first row is the highest
    column = np.round((columns - boundary["low"]) / cell).astype(int)
    painted = np.reshape(boundary["probability"], [boundary["size"]] * 2)[row, column]
    assert np.mean((painted > 0.5) == labels) > 0.8


def test_the_running_loss_is_the_mean_of_ten_steps(engine):
    config = CONFIG | {
        "lr": 0,
        "data": "circles",
        "batch": 40,
    }  # ten batches are then the whole training split
    whole = ask(engine, WHOLE, config)
    assert run(engine, 10, **config)[1]["loss"] == pytest.approx(whole, rel=1e-6)
    assert run(engine, 20, **config)[1]["loss"] == pytest.approx(whole, rel=1e-6)


WHOLE = """(config) => {
  const everything = Array.from({ length: 400 }, (_, i) => i);
  return Playground.engine.createRun(config).pass(everything, "measure");
}"""


def test_the_same_seed_is_the_same_run(engine):
    assert run(engine, 20) == run(engine, 20)
    assert run(engine, 20)[1]["loss"] != run(engine, 20, seed=2)[1]["loss"]


def test_a_history_keeps_at_most_300_points_evenly(engine):
    history = run(engine, 700, width=4, depth=1)[1]["history"]
    assert history["step"] == list(range(0, 701, 4))
    assert len(history["loss"]) == len(history["accuracy"]) == len(history["step"])


def test_overflow_at_the_start_is_reported(engine):
    start, end = run(engine, 3, initializer="normal", std=1e9, depth=8)
    assert (start["overflowAt"], end["overflowAt"], end["step"]) == (0, 0, 0)
    assert start["loss"] in ("NaN", "Infinity")
    assert any(layer["rms"] in ("NaN", "Infinity") for layer in start["layers"])


def test_overflow_while_training_stops_the_run_and_is_reported(engine):
    _, end = run(engine, 200, lr=1e4)
    assert end["overflowAt"] == end["step"] > 0
    assert end["loss"] in ("NaN", "Infinity")
    assert np.isfinite(end["history"]["loss"]).all()


def test_batch_normalization_sees_the_start_without_learning_from_it(engine):
    running = """(config) => {
      const run = Playground.engine.createRun(config);
      run.snapshot();
      return run.network.layers[1].running[0];
    }"""
    assert engine.evaluate(running, CONFIG | {"norm": "batch"}) == [0, 1]


LAYERS = """([config, parameters]) => {
  const P = Playground.engine, run = P.createRun(config);
  for (const [path, { value }] of P.namedParameters(run.network)) value.values.set(parameters[path]);
  run.start();
  return run.snapshot().layers;
}"""


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_a_layer_is_measured_as_netinit_traces_it(engine, activation):
    """Large biases, so that some units are dead or saturated."""
    rng = np.random.default_rng(0)
    model = reference(CONFIG | {"activation": activation}, 64, 10)
    for path, parameter in model.named_parameters():
        parameter.value[...] = rng.normal(0, 8 if path.endswith("bias") else 0.1, parameter.value.shape)
    x, labels = ni.load_digits().x_train[:50], ni.load_digits().y_train[:50]
    traced = [row for row in ni.trace(model, x, labels) if row.kind == activation]
    given = flat({path: p.value for path, p in model.named_parameters()})
    measured = ask(engine, LAYERS, [CONFIG | {"activation": activation}, given])
    assert any(row.dead for row in traced)
    for layer, row in zip(measured, traced, strict=False):
        assert abs(layer["rms"] / row.rms - 1) < SAME
        assert abs(layer["dead"] - row.dead) < SAME
        assert layer["saturated"] == (row.saturated and pytest.approx(row.saturated))
        assert sum(layer["histogram"]["counts"]) == 50 * 16
        assert layer["gradientRms"] == pytest.approx(row.gradient_std, rel=0.1)  # their mean is nearly 0


REFUSED = {
    "depth": {"depth": 51}, "width": {"width": 1}, "std": {"std": -1}, "lr": {"lr": -0.1},
    "activation": {"activation": "swish"}, "seed": {"seed": 1.5}, "batch": {"norm": "batch", "batch": 1},
    "initializer": {"initializer": "fixup"}, "norm": {"kind": "fixup", "norm": "layer"},
}  # fmt: skip


TRY = """(config) => {
  try { Playground.engine.createRun(config); } catch ({ name, message }) { return [name, message]; }
}"""


@pytest.mark.parametrize("field", REFUSED)
def test_what_is_not_allowed_is_refused_with_its_field(engine, field):
    name, message = engine.evaluate(TRY, CONFIG | REFUSED[field])
    assert name == "RangeError"
    assert message.startswith(f"{field} must ")
    assert message.endswith(".")


def test_the_page_loads_the_scripts_in_the_order_that_is_tested_here():
    page = (ROOT / "book" / "playground.md").read_text(encoding="utf-8")
    assert re.findall(r'<script defer src="../_static/playground/(\w+)\.js">', page)[: len(NAMES)] == NAMES


# --- the worker -------------------------------------------------------------------------------------------

WORKER = """async ([configs, messages, wanted]) => {
  const received = [];
  await new Promise((resolve) => {
    const worker = Playground.startWorker((message) => {
      received.push(message);
      if (received.length === wanted) { worker.terminate(); resolve(); }
    });
    Object.entries(configs).forEach(([side, config]) => worker.postMessage({ type: "build", side, config }));
    messages.forEach((message) => worker.postMessage(message));
  });
  return received.map(({ side, snapshot, refusal }) =>
    ({ side, refusal, step: snapshot?.step, loss: snapshot?.loss, speed: snapshot?.stepsPerSecond }));
}"""


def test_a_worker_builds_steps_and_refuses_from_disk(engine):
    configs = {"a": CONFIG, "b": CONFIG | {"depth": 0}}
    built, refused, stepped = engine.evaluate(WORKER, [configs, [{"type": "step", "count": 7}], 3])
    assert (built["side"], built["step"], built["refusal"]) == ("a", 0, None)
    assert (refused["side"], refused["step"]) == ("b", None)
    assert refused["refusal"] == "depth must be a whole number from 1 to 50, not 0."
    assert (stepped["side"], stepped["step"]) == ("a", 7)
    assert stepped["loss"] == run(engine, 7)[1]["loss"]


def test_a_worker_plays_both_sides_at_one_pace(engine):
    configs = {"a": CONFIG, "b": CONFIG | {"depth": 12}}
    received = engine.evaluate(WORKER, [configs, [{"type": "play"}], 8])
    steps = {side: [each["step"] for each in received if each["side"] == side] for side in "ab"}
    assert steps["a"] == steps["b"]
    assert steps["a"] == sorted(set(steps["a"]))
    assert received[-1]["speed"] > 0


def test_a_worker_that_pauses_stands_still(engine):
    messages = [{"type": "play"}, {"type": "pause"}, {"type": "step", "count": 1}]
    *_, paused, stepped = engine.evaluate(WORKER, [{"a": CONFIG}, messages, 3])
    assert stepped["step"] == paused["step"] + 1
    assert paused["speed"] == 0

"""Chapter 16: every row of its table is what the installed frameworks do."""

import functools
import json
import re

import jax
import keras
import nbformat
import numpy as np
import pytest
import torch
from measure import array, has_variance, is_orthogonal
from snippets import ROOT

RECORD = json.loads((ROOT / "src/netinit/records/frameworks.json").read_text(encoding="utf-8"))
PAGE, DEEPER = "book/16-frameworks.ipynb", "book/deeper/16-frameworks.ipynb"
SIZES = RECORD["sizes"]
KERAS_INPUTS = {"dense": (None, "n_in"), "embedding": (None, 5), "recurrent": (None, 5, "d")}
KERAS_INPUTS |= {"norm": (None, "d"), "attention": (None, 5, "d"), "images": (None, 8, 8, "c_in")}


def number(expression):
    """Return the value of an expression in the sizes."""
    return eval(expression, {}, SIZES)


def shape_of(row):
    return tuple(number(size) for size in row["shape"].split(", "))


def torch_layer(row):
    torch.manual_seed(1)
    return eval(row["call"], vars(torch.nn) | SIZES)


def keras_layer(row):
    keras.utils.set_random_seed(1)
    layer = eval(row["call"], vars(keras.layers) | SIZES)
    kind = row["layer"].removeprefix("bias, ").split(",")[0]
    shape = KERAS_INPUTS.get(kind, KERAS_INPUTS["images"])
    shape = tuple(SIZES.get(size, size) for size in shape)
    layer.build(*[shape] * (2 if kind == "attention" else 1))
    return layer


def draw_torch(row):
    torch.manual_seed(1)
    w = torch.empty(shape_of(row))
    return eval(row["call"], vars(torch.nn.init) | {"w": w})


def draw_jax(row):
    return eval(row["call"], vars(jax.nn.initializers))(jax.random.key(1), shape_of(row))


def draw_keras(row):
    keras.utils.set_random_seed(1)
    return eval(row["call"], vars(keras.initializers))(shape_of(row))


def kind(values):
    """Name the distribution of a draw with mean 0 by how far its largest value lies from 0, in std."""
    reach = np.abs(values).max() / np.sqrt(np.mean(values**2))
    return "uniform" if reach < 1.78 else "cut normal" if reach < 2.3 else "normal"


def check(row, values):
    """Assert that an array is what the row says of it."""
    assert values.shape == shape_of(row)
    if row["draw"].startswith("zeros"):
        ones = np.flatnonzero(values == 1)
        assert np.count_nonzero(values) == len(ones)
        forget = np.arange(SIZES["n"], 2 * SIZES["n"]) if "forget" in row["draw"] else []
        assert list(ones) == list(forget)
    elif row["draw"] == "ones":
        assert (values == 1).all()
    elif row["draw"] == "uniform from 0":
        assert values.min() >= 0
        assert values.var() == pytest.approx(number(row["variance"]), rel=0.05)
    else:
        assert has_variance(values, number(row["variance"]))
        assert is_orthogonal(values) if row["draw"] == "orthogonal" else kind(values) == row["draw"]


def name(row):
    return f"{row['library']}-{row.get('layer', row['call'])}"


@pytest.mark.parametrize("row", RECORD["layers"], ids=name)
def test_what_a_layer_draws(row):
    layer = {"PyTorch": torch_layer, "Keras": keras_layer}[row["library"]](row)
    check(row, array(functools.reduce(getattr, row["parameter"].split("."), layer)))


@pytest.mark.parametrize("row", RECORD["initializers"], ids=name)
def test_what_an_initializer_draws(row):
    draw = {"PyTorch": draw_torch, "JAX": draw_jax, "Keras": draw_keras}[row["library"]]
    check(row, array(draw(row)))


@pytest.mark.parametrize("wrong", [{"variance": "1/n_in"}, {"draw": "normal"}, {"shape": "n_in, n_out"}])
def test_a_wrong_row_is_seen(wrong):
    row = RECORD["layers"][0]
    with pytest.raises(AssertionError):
        check(row | wrong, array(torch_layer(row).weight))


@pytest.mark.parametrize("row", [row for row in RECORD["layers"] if row["n_in"]], ids=name)
def test_the_number_beside_the_expressions(row):
    assert row["n_var"] == round(number(row["n_in"]) * number(row["variance"]), 4)


def test_the_versions_are_those_installed():
    installed = {
        "PyTorch": torch.__version__.split("+")[0],
        "JAX": jax.__version__,
        "Keras": keras.__version__,
    }
    assert RECORD["versions"] == installed


# --- what the chapter prints of real layers ----------------------------------------------------------------


def real_array(row):
    """Return the weights of a real layer with 400 inputs, or 32 channels, and the inputs of a unit."""
    torch.manual_seed(0)
    keras.utils.set_random_seed(0)
    if row["library"] == "JAX":
        return array(eval(row["call"], vars(jax.nn.initializers))(jax.random.key(0), (400, 200))), 400
    if row["library"] == "PyTorch":
        w = array(eval(row["call"], vars(torch.nn)).weight)
        return w, w[0].size
    layer = eval(row["call"], vars(keras.layers))
    layer.build((None, 400) if "Dense" in row["call"] else (None, 8, 8, 32))
    return array(layer.kernel), array(layer.kernel)[..., 0].size


@pytest.fixture(scope="module")
def ask():
    """The function that the chapter writes from scratch."""
    cells = nbformat.read(ROOT / PAGE, as_version=4).cells
    (source,) = [cell.source for cell in cells if "from-scratch" in cell.metadata.get("tags", [])]
    names = {"np": np}
    exec(source, names)
    return names["ask"]


@pytest.mark.parametrize("row", RECORD["asked"], ids=name)
def test_what_ask_says_of_a_real_array(ask, row):
    n_var, kind = ask(*real_array(row))
    assert (round(n_var, 2), kind) == (row["n_var"], row["kind"])


def drawn_twice():
    """Draw two matrices as the prediction one-key describes, and in PyTorch one after the other."""
    torch.manual_seed(0)
    key, init = jax.random.key(0), jax.nn.initializers.he_normal()
    shared, draw = keras.initializers.HeNormal(seed=0), torch.nn.init.kaiming_normal_
    return {
        "JAX": [init(key, (64, 64)) for _ in range(2)],
        "Keras": [shared((64, 64)) for _ in range(2)],
        "PyTorch": [draw(torch.empty(64, 64), nonlinearity="relu") for _ in range(2)],
    }


@pytest.mark.parametrize("library", RECORD["drawn twice"])
def test_two_draws(library):
    first, second = map(array, drawn_twice()[library])
    assert (first == second).all() == (library != "PyTorch")  # prediction one-key: choice 2
    rows = [np.round(matrix[0, :3], 2).tolist() for matrix in (first, second)]
    assert rows == RECORD["drawn twice"][library]


# --- the tabs of the chapter -------------------------------------------------------------------------------


@pytest.mark.parametrize("library", ["PyTorch", "JAX", "Keras"])
def test_the_tabs_that_ask_give_the_recorded_answers(snippet, ask, capsys, library):
    snippet(DEEPER, library, 0, ask=ask)
    printed = capsys.readouterr().out.splitlines()
    rows = [row for row in RECORD["asked"] if row["library"] == library]
    for line, row in zip(printed, rows, strict=True):
        assert row["kind"] in line
        n_var = float(re.search(r"([0-9.]+)\)?, '[a-z ]+'\)$", line)[1])
        assert n_var == pytest.approx(row["n_var"], rel=0.05)  # another seed than the record's may be set


def test_pytorch(snippet):
    model = snippet(PAGE, "PyTorch")["model"]
    assert has_variance(array(model[0].weight), 2 / 9)
    assert has_variance(array(model[3].weight), 2 / (32 * 36))
    assert not any(array(layer.bias).any() for layer in (model[0], model[3]))
    assert not array(model[-1].weight).any()


def test_jax(snippet):
    names = snippet(PAGE, "JAX")
    for layer, n_in in zip(names["params"][:-1], [64, 256], strict=True):
        assert has_variance(array(layer["W"]), 2 / n_in)


def test_keras(snippet):
    names = snippet(PAGE, "Keras")
    conv, _, dense, last = names["model"].layers
    assert has_variance(array(conv.kernel), 2 / 9)
    assert has_variance(array(dense.kernel), 2 / (32 * 36))
    assert not array(last.kernel).any()


def test_weights_carried_over_compute_the_same(snippet):
    theirs, ours = map(array, snippet(DEEPER, "Keras", 1)["same"])
    assert theirs.std() > 0.1
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_jax_is_told_which_axes_are_summed(snippet):
    names = snippet(DEEPER, "JAX", 1)
    assert has_variance(array(names["kernel"]), 2 / (9 * 32))
    assert has_variance(array(names["query"]), 1 / 64)
    assert has_variance(array(names["wrong"]), 2 / (64 * 16))


def test_an_lstm_computes_the_same_in_both_orders_of_storing():
    torch_lstm, keras_lstm = torch.nn.LSTM(6, 5, batch_first=True), keras.layers.LSTM(5)
    x = torch.randn(3, 7, 6)
    keras_lstm.build((None, 7, 6))
    biases = array(torch_lstm.bias_ih_l0) + array(torch_lstm.bias_hh_l0)
    keras_lstm.set_weights([array(torch_lstm.weight_ih_l0).T, array(torch_lstm.weight_hh_l0).T, biases])
    last = array(torch_lstm(x)[0])[:, -1]
    np.testing.assert_allclose(array(keras_lstm(x.numpy())), last, atol=1e-5)

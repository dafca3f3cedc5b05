"""`trace` against plain NumPy, finite differences and the theory; and that it leaves no trace itself."""

from functools import partial

import numpy as np
import pytest
from gradcheck import fill, numerical_gradient, relative_error

from netinit.activations import ActivationFunction
from netinit.builders import convnet, mlp
from netinit.hooks import intercept
from netinit.initialize import initialize
from netinit.initializers import normal
from netinit.layers import Activation, BatchNorm, Layer, Linear
from netinit.losses import softmax_cross_entropy
from netinit.models import Residual, Sequential
from netinit.optimizers import SGD
from netinit.trace import distinct_units, trace

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((9, 6)), np.arange(9) % 3


def small_model():
    branch = Sequential(Activation("tanh"), Linear(5, 5))
    return fill(
        Sequential(Linear(6, 5), Residual(branch), Activation("sigmoid"), Linear(5, 3)),
        np.random.default_rng(1),
    )


def test_rows_are_those_of_plain_numpy():
    model = small_model()
    w1, b1, w2, b2, w3, b3 = (p.value for p in model.parameters())
    h1 = X @ w1 + b1
    h2 = np.tanh(h1)
    h3 = h2 @ w2 + b2
    h4 = 1 / (1 + np.exp(-(h1 + h3)))
    h5 = h4 @ w3 + b3
    rows = trace(model, X)
    assert [(row.name, row.kind) for row in rows] == [
        ("0", "Linear"),
        ("1.branch.0", "tanh"),
        ("1.branch.1", "Linear"),
        ("2", "sigmoid"),
        ("3", "Linear"),
    ]
    for row, h in zip(rows, (h1, h2, h3, h4, h5), strict=True):
        np.testing.assert_allclose((row.mean, row.std, row.rms), (h.mean(), h.std(), np.sqrt(np.mean(h**2))))
        assert row.units == row.distinct_units == h.shape[1]
        assert row.gradient_std is None
    assert rows.loss is None
    np.testing.assert_allclose(rows.column("weight_std", "Linear"), [w1.std(), w2.std(), w3.std()])


def test_gradients_are_those_of_finite_differences():
    model = small_model()
    rows = trace(model, X, Y, keep=True)

    def loss():
        return softmax_cross_entropy(model.forward(X), Y)[0]

    assert rows.loss == pytest.approx(loss())
    for row in rows:
        shift = np.zeros_like(row.output)

        def shifted(path, _layer, call, x, here=row.name, shift=shift):
            return call(x) + shift if path == here else call(x)

        with intercept(model, "forward", shifted):
            expected = numerical_gradient(loss, shift)
        assert relative_error(row.gradient, expected) < 1e-7
        assert row.gradient_std == pytest.approx(expected.std(), rel=1e-6)
    for row, weight in zip([rows[0], rows[2], rows[4]], model.parameters()[::2], strict=True):
        expected = numerical_gradient(loss, weight.value).std()
        assert row.weight_gradient_std == pytest.approx(expected, rel=1e-6)


def test_an_output_gradient_takes_the_place_of_labels():
    model, gradient = small_model(), RNG.standard_normal((9, 3))
    rows = trace(model, X, output_gradient=gradient)
    assert rows.loss is None
    assert rows[-1].gradient_std == pytest.approx(gradient.std())
    tripled = trace(model, X, output_gradient=lambda output: 3 * gradient.reshape(output.shape))
    np.testing.assert_allclose(tripled.column("gradient_std"), 3 * rows.column("gradient_std"))
    from_labels = trace(model, X, output_gradient=lambda output: softmax_cross_entropy(output, Y)[1])
    np.testing.assert_array_equal(
        from_labels.column("gradient_std"), trace(model, X, Y).column("gradient_std")
    )


def test_keep_holds_the_arrays_and_otherwise_nothing_does():
    model = small_model()
    kept = trace(model, X, keep=True)
    np.testing.assert_array_equal(kept[-1].output, model(X))
    assert kept[0].gradient is None
    assert all(row.output is None and row.gradient is None for row in trace(model, X, Y))


@pytest.mark.parametrize(
    ("activation", "z", "expected"),
    [
        ("sigmoid", [-4.6, -4.5, 0, 4.5, 4.6], 0.4),  # the limits 0.01 and 0.99 lie at -+4.595
        ("tanh", [-2.3, -2.2, 0, 2.2, 2.3], 0.4),  # those of -+0.98 at -+2.298
        ("softsign", [-50, -48, 0, 48, 50], 0.4),  # at -+49
        ("relu", [-5, 0, 5], None),
        ("elu", [-50, 0, 5], None),
        ("identity", [-5, 0, 5], None),
    ],
)
def test_saturated(activation, z, expected):
    assert trace(Activation(activation), np.array([z], dtype=float).T)[0].saturated == expected


def test_a_unit_is_dead_when_its_derivative_is_zero_on_the_whole_batch():
    z = np.array([[-1.0, -1.0, 2.0, -3.0], [-2.0, 1.0, 1.0, -0.5]])
    assert trace(Activation("relu"), z)[0].dead == 0.5
    assert trace(Activation("leaky_relu"), z)[0].dead == 0
    assert trace(Activation("relu"), z.reshape(1, 1, 2, 4))[0].dead == 0.5  # an image of two positions
    assert trace(Linear(4, 2), z.astype(np.float32))[0].dead is None


def test_a_derivative_below_a_thousandth_counts_as_zero():
    z = np.array([[-5.0, -3.0], [-4.2, -5.0]])  # tanh' is 2e-4, 9e-4; 1e-2, 2e-4
    assert trace(Activation("tanh"), z)[0].dead == 0.5
    assert trace(Activation("gelu"), z)[0].dead == 0.5  # -2e-5, -6e-4; -1e-2, -2e-5


@pytest.mark.parametrize(
    ("function", "measured"),
    [
        (np.arctan, True),
        (np.sin, False),
        (lambda z: np.exp(-z * z), False),
        (lambda z: np.clip(z, 0, 6), False),
        (lambda z: np.clip(z, -1, 1), False),
        (lambda z: np.clip(z / 6 + 0.5, 0, 1), True),
        (lambda z: -np.tanh(z), False),
    ],
)
def test_only_an_activation_that_rises_between_two_limits_saturates(function, measured):
    own = ActivationFunction("own", function, lambda z, y: np.ones_like(z))  # noqa: ARG005
    saturated = trace(Activation(own), 100 * X)[0].saturated
    assert (saturated is not None) == measured
    assert not measured or saturated > 0.5


def test_distinct_units():
    units = RNG.standard_normal((8, 300))
    assert distinct_units(units) == 300
    repeated = units[:, np.arange(300) % 7]
    assert distinct_units(repeated) == 7
    assert distinct_units(repeated * (1 + 1e-7 * RNG.standard_normal(repeated.shape))) == 7
    assert distinct_units(repeated * (1 + 1e-3 * RNG.standard_normal(repeated.shape))) > 7
    assert distinct_units(np.zeros((8, 5))) == 1
    assert distinct_units(units[:, :1]) == 1


def test_constant_weights_make_one_unit():
    rng = np.random.default_rng(2)
    x = rng.standard_normal((16, 64), dtype=np.float32)
    model = initialize(mlp([64, 33, 10], "tanh"), "constant", rng)
    assert trace(model, x)[0].distinct_units == 1
    assert trace(initialize(model, "normal", rng), x)[0].distinct_units == 33


def test_a_wide_network_follows_the_prediction():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((64, 256), dtype=np.float32)
    model = initialize(mlp([256] * 6, "tanh"), "xavier_normal", rng)
    rows = trace(model, x, output_gradient=rng.standard_normal((64, 256)))
    np.testing.assert_allclose(rows.column("rms"), rows.column("predicted_rms"), rtol=0.05)
    np.testing.assert_allclose(rows.column("gradient_std"), rows.column("predicted_gradient_std"), rtol=0.05)
    # Negative control: weights with a mean are not what the theory assumes.
    rows = trace(initialize(mlp([256] * 6, "relu"), "ones", rng), x)
    assert rows[-1].rms > 2 * rows[-1].predicted_rms


def test_there_is_no_prediction_for_a_layer_that_the_theory_does_not_know():
    class Negate(Layer):
        def forward(self, x):
            return -x

        def backward(self, grad):
            return -grad

    rows = trace(Sequential(Linear(6, 5).astype(np.float64), Negate()), X)
    assert [row.predicted_rms for row in rows] == [None, None]
    assert [row.kind for row in rows] == ["Linear", "Negate"]


def test_overflow_shows_in_the_rows_without_a_warning():
    rng = np.random.default_rng(4)
    model = initialize(mlp([64] * 50, "relu"), partial(normal, std=10.0), rng)
    rows = trace(model, rng.standard_normal((8, 64), dtype=np.float32), rng.integers(0, 64, 8))
    std = rows.column("std", "Linear")
    first = int(np.argmin(np.isfinite(std)))
    assert 5 < first < 49
    assert np.isfinite(std[:first]).all()
    assert not np.isfinite(std[first:]).any()
    assert rows[-1].distinct_units is None
    assert rows[-2].dead is None
    assert "nan" in repr(rows)


def state(model):
    """All that a pass could change: mode, parameters, gradients, running statistics, saved arrays."""
    arrays = {path: array.copy() for path, array in model.named_arrays()}
    parameters = {
        id(p): (p.grad, p.grad_buffer, None if p.grad is None else p.grad.copy()) for p in model.parameters()
    }
    return arrays, parameters, [dict(vars(layer)) for _, layer in model.named_layers()]


def assert_unchanged(model, before):
    after = state(model)
    np.testing.assert_equal(after[0], before[0])
    assert after[1].keys() == before[1].keys()
    for key, (grad, grad_buffer, content) in before[1].items():
        assert after[1][key][0] is grad
        assert after[1][key][1] is grad_buffer
        np.testing.assert_equal(after[1][key][2], content)
    for now, then in zip(after[2], before[2], strict=True):
        assert now.keys() == then.keys()
        assert all(now[name] is then[name] for name in then)


@pytest.mark.parametrize("used", ["new", "run", "in an optimizer"])
def test_the_model_is_left_as_it_was(used):
    rng = np.random.default_rng(5)
    model = initialize(mlp([6, 5, 4, 3], "relu", norm="batch"), "he_normal", rng)
    x = X.astype(np.float32)
    if used == "in an optimizer":
        SGD(model.parameters(), 0.1)  # gradients are written to places of its own
    if used != "new":
        model.backward(softmax_cross_entropy(model.forward(x + 1), Y)[1])
        model.eval()
    before = state(model)
    rows = trace(model, x, Y)
    assert_unchanged(model, before)
    with pytest.raises(ValueError, match="labels"):
        trace(model, x, Y + 1)
    assert_unchanged(model, before)
    # Batch normalization used the batch's statistics, as in training, whatever the mode.
    np.testing.assert_allclose(rows.column("std", "BatchNorm"), 1, rtol=1e-2)


def test_the_check_of_unchanged_sees_a_forward_pass():
    model = Sequential(BatchNorm(6))
    before = state(model)
    model.forward(X.astype(np.float32))
    with pytest.raises(AssertionError):
        assert_unchanged(model, before)


def test_images():
    rng = np.random.default_rng(6)
    model = initialize(convnet([4, 6], 3), "he_normal", rng)
    rows = trace(model, rng.standard_normal((5, 8, 8, 1), dtype=np.float32), np.arange(5) % 3)
    assert [row.units for row in rows if row.kind == "Conv2d"] == [4, 6]
    assert np.isfinite(rows.column("gradient_std")).all()


def test_column_and_table():
    rows = trace(small_model(), X)
    assert rows.column("std").shape == (5,)
    assert rows.column("std", kind="Linear").tolist() == [rows[0].std, rows[2].std, rows[4].std]
    assert np.isnan(rows.column("saturated", "Linear")).all()
    assert [row.name for row in rows[1:3]] == ["1.branch.0", "1.branch.1"]
    lines = repr(rows).splitlines()
    assert lines[0].split() == [
        "layer",
        "kind",
        "std",
        "rms",
        "predicted",
        "distinct",
        "saturated",
        "dead",
        "weight",
    ]
    assert len(lines) == 6
    long = trace(initialize(mlp([6] * 60), "he_normal", RNG), X)
    assert len(repr(long).splitlines()) == 22


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda m: trace(m, X.tolist()), TypeError, "x must be .*list"),
        (lambda m: trace(m, X.astype(int)), TypeError, "x must be .*int"),
        (lambda m: trace(m, X[:0]), ValueError, "at least one example"),
        (lambda m: trace(m, X * np.nan), ValueError, "x must be finite"),
        (lambda _: trace("mlp", X), TypeError, "model must be a Layer, got str"),
        (lambda m: trace(m, X[:, :4]), ValueError, r"Linear\(6, 5\) takes .* got \(9, 4\)"),
        (lambda m: trace(m, X, Y + 1), ValueError, "labels must lie in 0..2"),
        (lambda m: trace(m, X, Y[:5]), ValueError, "labels must have shape"),
        (lambda m: trace(m, X, Y * 1.0), TypeError, "labels must be integers"),
        (lambda m: trace(m, X, output_gradient=np.ones((9, 4))), ValueError, r"\(9, 3\), got \(9, 4\)"),
        (lambda m: trace(m, X, output_gradient=1.0), ValueError, r"\(9, 3\), got \(\)"),
        (lambda m: trace(m, X, Y, output_gradient=np.ones((9, 3))), ValueError, "both given"),
        (lambda m: trace(m, X).column("sdt"), ValueError, "did you mean 'std'"),
        (lambda m: trace(m, X).column("std", "relu"), ValueError, "kind of layer 'relu'"),
    ],
)
def test_wrong_calls(call, error, words):
    with pytest.raises(error, match=words):
        call(small_model())

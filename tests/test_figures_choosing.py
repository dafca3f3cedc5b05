"""What a reader sees in the figures of chapter 12: the right data in the right place."""

import itertools
from functools import partial

import numpy as np
import pytest

import netinit
from netinit.figures import choosing

DIGITS = netinit.load_digits()

# --- the guide ---------------------------------------------------------------------------------------------

PLACES = [choosing.table()[name] for name in ("activations", "structures", "depths")]
GRID = [*itertools.product(*PLACES, ("SGD", "Adam"))]


def test_every_answer_is_complete_and_its_text_copies_every_call():
    for place in GRID:
        answer, text = choosing.answer(*place), choosing.guide(*place)
        assert list(answer.calls) == list(choosing.LIBRARIES)
        assert not any("{" in part for part in (answer.variance, *answer.calls.values()))
        assert all(f"# {library}\n" in text.html for library in answer.calls)
        assert text.label.startswith(", ".join(place[:2]))
    assert len({choosing.guide(*place).label for place in GRID}) == len(GRID)


@pytest.mark.parametrize(
    ("place", "call"),
    [
        (("ReLU", "dense", "6 to 20", "SGD"), "he_normal((n_in, n_out), rng)"),
        (("tanh", "dense", "up to 5", "SGD"), "xavier_uniform((n_in, n_out), rng)"),
        (("tanh", "dense", "6 to 20", "SGD"), "orthogonal((n_in, n_out), rng)"),
        (("tanh", "normalized", "6 to 20", "SGD"), "xavier_uniform((n_in, n_out), rng)"),
        (("SELU", "convolution", "over 20", "Adam"), "lecun_normal((k, k, c_in, c_out), rng)"),
        (
            ("GELU", "grouped", "6 to 20", "Adam"),
            "variance_scaling((k, k, c_in // groups, c_out), rng, scale=2.35)",
        ),
        (("tanh", "residual", "over 20", "Adam"), "zeros((n_in, n_out), rng)"),
    ],
)
def test_the_call_for_netinit(place, call):
    assert choosing.answer(*place).calls["netinit"] == call


@pytest.mark.parametrize(
    ("place", "head"),
    [
        (("tanh", "dense", "6 to 20", "SGD"), "<code>Var[W] = 1 / max(n_in, n_out)</code>.</p>"),
        (
            ("ReLU", "convolution", "6 to 20", "SGD"),
            "2 / n_in</code> with <code>n_in = k*k*c_in</code>.</p>",
        ),
        (("tanh", "recurrent", "6 to 20", "SGD"), "<code>Var[W] = 1 / n</code>.</p>"),
    ],
)
def test_n_in_is_explained_where_it_is_not_a_side_of_the_matrix(place, head):
    assert head in choosing.guide(*place).html


@pytest.mark.parametrize(
    ("place", "bars"),
    [
        (("ReLU", "dense", "6 to 20", "SGD"), {"He normal": 0.76, "PyTorch default": 0.07}),
        (("tanh", "dense", "up to 5", "SGD"), {"Xavier (Glorot) uniform": 0.98, "PyTorch default": 0.99}),
        (("tanh", "dense", "6 to 20", "Adam"), {"Orthogonal": 0.98, "PyTorch default": 0.19}),
        (("ReLU", "dense", "over 20", "SGD"), {}),
        (("SELU", "dense", "6 to 20", "SGD"), {}),
        (("ReLU", "convolution", "6 to 20", "SGD"), {}),
    ],
)
def test_bars_show_what_the_choice_was_worth_where_it_was_measured(place, bars):
    measured = choosing.measured(choosing.answer(*place).name, *place)
    assert {name: round(value, 2) for name, value in measured.items()} == bars
    text = choosing.guide(*place).html
    assert text.count("background: currentColor") == len(bars)
    assert all(
        f"<span>{name}</span>" in text and f"<span>{value:.2f}</span>" in text for name, value in bars.items()
    )


def test_the_default_falls_along_its_theory():
    runs = {"He": [[1, 1.2, 0.9]] * 2, "PyTorch default": [[1, 0.2, 0.03]] * 3}
    ax = (fig := choosing.levels(runs)).axes[0]
    assert [len(line.get_xdata()) for line in ax.lines] == [3] * 6
    np.testing.assert_allclose(ax.lines[-1].get_ydata(), [1, 1 / 6, 1 / 36])
    assert [text.get_text() for text in ax.texts][:2] == ["He", "PyTorch default"]
    assert "last of 2 layers, median: He 9e-01, PyTorch default 3e-02." in fig.get_label()


def test_a_single_optimizer_stands_in_the_title_alone():
    ax = choosing.matrix([c for c in CELLS if c["optimizer"] == "SGD"], "test accuracy", "relu").axes[0]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["2", "18", "any\ndepth"]
    assert (ax.get_xlabel(), ax.get_title()) == ("hidden layers", "relu, SGD: test accuracy")


def test_the_scales_are_the_squared_gains():
    for name in ("ReLU", "SELU", "GELU", "SiLU"):
        scale = choosing.table()["activations"][name]["scale"]
        assert scale == round(netinit.gain(name.lower()) ** 2, 2)


def test_depth_and_optimizer_speak_of_plain_stacks_alone():
    plain = {
        choosing.answer("ReLU", "dense", *p).reasons for p in itertools.product(PLACES[2], ("SGD", "Adam"))
    }
    other = {
        choosing.answer("ReLU", "residual", *p).reasons for p in itertools.product(PLACES[2], ("SGD", "Adam"))
    }
    assert (len(plain), len(other)) == (6, 1)


# --- the pictures ------------------------------------------------------------------------------------------

CELLS = [
    {
        "initializer": i,
        "activation": "relu",
        "depth": d,
        "optimizer": o,
        "test_accuracy": [a, a + 0.1, a + 0.2],
    }
    for (i, o, d), a in zip(
        itertools.product(["He", "LSUV"], ["SGD", "Adam"], [2, 18]), np.arange(8) / 10, strict=True
    )
]


@pytest.mark.parametrize(("value", "shift"), [("test accuracy", 0.1), ("worst seed", 0)])
def test_the_matrix_has_a_row_for_each_initializer(value, shift):
    fig = choosing.matrix(CELLS, value, "relu")
    (ax,) = fig.axes
    np.testing.assert_allclose(ax.images[0].get_array(), np.arange(8).reshape(2, 4) / 10 + shift)
    names = ["SGD\n2", "SGD\n18", "Adam\n2", "Adam\n18", "any\ndepth"]
    assert [t.get_text() for t in ax.get_xticklabels()] == names
    assert [t.get_text() for t in ax.texts[8:]] == ["1.00", "1.00"]  # both keep the gradient
    assert f"He {shift:.2f} to {0.3 + shift:.2f}, gradient times 1.00 per layer; LSUV" in fig.get_label()


def test_equal_numbers_have_equal_colors():
    cells = netinit.load_record("initializer-matrix")["cells"]
    ax = choosing.matrix(cells, "test accuracy", "relu").axes[0]
    values = ax.images[0].get_array().ravel()
    assert [f"{value:.2f}" for value in values] == [text.get_text() for text in ax.texts[:42]]
    assert len(set(values)) == len({text.get_text() for text in ax.texts[:42]})
    medians = {f"{np.median(cell['test_accuracy']):.2f}" for cell in cells if cell["activation"] == "relu"}
    assert {f"{value:.2f}" for value in values} == medians


def test_each_depth_has_its_factor_where_they_differ():
    cells = netinit.load_record("initializer-matrix")["cells"]
    fig = choosing.matrix(cells, "test accuracy", "silu")
    ax = fig.axes[0]
    assert [t.get_text() for t in ax.get_xticklabels()][6:] == ["\n6", "\n18"]
    assert [t.get_text() for t in ax.texts[42:]][6:8] == ["0.88", "0.77"]  # He's
    assert "He 0.38 to 0.98, gradient times 0.88 or 0.77 per layer" in fig.get_label()


ROWS = ["std 0.01", "PyTorch default", "Xavier", "He", "gain", "orthogonal", "LSUV"]
PAIRS = [*itertools.product(ROWS, ["relu", "tanh", "silu", "sigmoid"])]


def started(initializer, activation, rng):
    """A network of six hidden layers that starts as in the matrix."""
    model, g = netinit.mlp([64] * 7 + [10], activation), netinit.gain(activation)
    draws = {"std 0.01": "normal", "Xavier": "xavier_normal", "He": "he_normal"}
    draws["PyTorch default"] = partial(netinit.variance_scaling, scale=1 / 3, distribution="uniform")
    draws["gain"] = partial(netinit.variance_scaling, scale=g**2)
    draws["orthogonal"] = partial(netinit.orthogonal, gain=1 if activation == "tanh" else g)
    if initializer == "LSUV":
        netinit.lsuv(model, DIGITS.x_train[:256], rng)
        return model
    return netinit.initialize(model, draws[initializer], rng)


@pytest.mark.parametrize(("initializer", "activation"), PAIRS)
def test_the_factor_beside_a_row_is_what_a_network_has(initializer, activation):
    model = started(initializer, activation, np.random.default_rng(1))
    seen = netinit.trace(model, DIGITS.x_train[:100], DIGITS.y_train[:100])
    gradients = seen.column("gradient_std", "Linear")
    measured = (gradients[0] / gradients[5]) ** (1 / 5)
    assert choosing.gradient_factor(initializer, activation) == pytest.approx(measured, rel=0.15)


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_each_start_is_a_point_at_its_factor(optimizer):
    cells = netinit.load_record("initializer-matrix")["cells"]
    panels = choosing.against_factor(cells, optimizer).axes
    for ax, depth in zip(panels, (6, 18), strict=True):
        assert ax.get_title() == f"{depth} hidden layers, {optimizer}"
        assert [line.get_label() for line in ax.lines] == ["relu", "tanh", "silu", "sigmoid"]
        assert all(len(line.get_xdata()) == 7 for line in ax.lines)
        for activation, initializer in choosing.NAMED[depth, optimizer]:
            wanted = {"initializer": initializer, "activation": activation, "depth": depth}
            (cell,) = [c for c in cells if c.items() >= (wanted | {"optimizer": optimizer}).items()]
            factor = choosing.gradient_factor(initializer, activation, depth=depth)
            at = (factor, np.median(cell["test_accuracy"]))
            (text,) = [t for t in ax.texts if getattr(t, "xy", None) == pytest.approx(at)]
            assert text.get_text().endswith(f"{at[1]:.2f}")
            assert any(np.allclose(at, point) for line in ax.lines for point in line.get_xydata())


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_the_band_is_where_sgd_begins_to_learn(optimizer):
    fig = choosing.against_factor(netinit.load_record("initializer-matrix")["cells"], optimizer)
    for ax, edges in zip(fig.axes, ((0.41, 0.54), (0.77, 0.91)), strict=True):
        (band,) = ax.patches
        np.testing.assert_allclose(
            band.get_extents().transformed(ax.transData.inverted()).intervalx, edges, atol=0.006
        )
        assert {f"{edges[0]} ", f" {edges[1]}"} <= {t.get_text() for t in ax.texts}
    assert "6 hidden layers: SGD fails up to 0.41, learns from 0.54; 18" in fig.get_label()


def test_the_last_layer_marks_its_scale_and_the_true_class():
    fig = choosing.last_layer({0: [2.3, 2.3, 2.6], 2: [3, 5, 4.6]}, np.array([0.0, 0, np.log(2)]), 1, 2)
    left, right = fig.axes
    bound, means, *_caps, at = left.lines
    np.testing.assert_allclose(bound.get_ydata(), np.log(3) + bound.get_xdata() ** 2 / 2)
    assert len(bound.get_xdata()) > 50  # a curve, though only two scales are measured
    np.testing.assert_allclose(means.get_ydata(), [2.4, 4.2])
    assert [text.get_text() for text in left.texts] == ["bound:\nln K + σ²/2", "3 networks:\nmean, range"]
    np.testing.assert_allclose(left.containers[0].lines[2][0].get_segments()[1], [[2, 3], [2, 5]])
    assert (*at.get_xdata(), *at.get_ydata()) == (2, pytest.approx(4.2))  # the ring
    np.testing.assert_allclose([bar.get_height() for bar in right.patches], [1 / 6, 1 / 6, 4 / 6])
    (mark,) = right.texts
    assert mark.xy == (1, pytest.approx(1 / 6))
    assert "mean first loss 4.20; one image has the largest probability 0.67 for digit 2" in fig.get_label()
    assert fig.get_label().endswith("0.17 for its true class 1.")


def test_the_fan_and_the_count_stand_beside_each_other():
    x = np.random.default_rng(0).standard_normal((200, 50), np.float32)
    layers = {
        "dense": (netinit.Linear(50, 40), x, 50),
        "one-hot, any": (netinit.Linear(50, 40), np.eye(50), 50),
    }
    fig = choosing.counts(layers, count=lambda _layer, x: np.mean((x != 0).sum(axis=1)))
    expected, by_fan, by_count = fig.axes[0].lines[3:6]  # those of the second layer
    np.testing.assert_allclose(expected.get_ydata(), 2 / 50)
    np.testing.assert_allclose(by_fan.get_ydata(), 2 / 50, rtol=0.15)
    np.testing.assert_allclose(by_count.get_ydata(), 2, rtol=0.15)
    assert [text.get_text() for text in fig.axes[0].texts][:2] == ["2", "0.04"]
    assert "dense 2 by fan 50, 2 by count 50; one-hot, any 0.04 by fan 50, 2 by count 1." in fig.get_label()


def test_classes_counts_the_digits_that_each_network_has_lost():
    right = np.array([[0.0, 1, 0.05], [0.9, 1, 0.2]])
    fig = choosing.classes(right)
    np.testing.assert_array_equal(fig.axes[0].images[0].get_array(), right)
    assert "once in ten: 2, 0." in fig.get_label()


def test_optimizers_are_columns_and_starts_rows():
    fig = choosing.optimizers(
        {
            ("zeros", "SGD"): [0.1, 0.1],
            ("zeros", "Adam"): [0.2, 0.4],
            ("Xavier", "SGD"): [0.9],
            ("Xavier", "Adam"): [1.0],
        }
    )
    np.testing.assert_allclose(fig.axes[0].images[0].get_array(), [[0.1, 0.3], [0.9, 1.0]])
    assert "zeros: SGD 0.10, Adam 0.30; Xavier: SGD 0.90" in fig.get_label()


def test_decay_alone_is_dashed():
    norms = {"Xavier": {0.5: [0.4, 0.3]}, "three times": {0.5: [0.8, 0.5]}}
    fig = choosing.decay(norms, 0.1, 0.5)
    np.testing.assert_allclose([line.get_ydata()[1] for line in fig.axes[0].lines], [0.3, 0.38, 0.5, 0.76])
    assert "Xavier from 0.40 to 0.30, three times from 0.80 to 0.50" in fig.get_label()


@pytest.mark.parametrize(("bias", "after_one", "half"), [(0, 0.5, "1 steps"), (1, 0.731, "2.21 steps")])
def test_memory_halves(bias, after_one, half):
    fig = choosing.memory(bias)
    assert fig.axes[0].lines[0].get_ydata()[1] == pytest.approx(after_one, abs=1e-3)
    assert half in fig.get_label()

"""What a reader sees in the figures of chapter 16: the right data in the right place."""

import numpy as np
import pytest

from netinit import History, Linear, Run, truncated_normal
from netinit.figures import frameworks

ROWS = [
    {"library": "PyTorch", "layer": "dense", "n_var": 1 / 3},
    {"library": "Keras", "layer": "dense", "n_var": 4 / 3},
    {"library": "PyTorch", "layer": "grouped", "n_var": 1 / 3},
]


@pytest.mark.parametrize(
    ("activation", "needed", "words"),
    [("ReLU", 2, ["6 × too small", "6 × too small", "1.5 × too small"]),
     ("tanh", 1, ["3 × too small", "3 × too small", "1.3 × too large"])],
)  # fmt: skip
def test_defaults_reach_from_each_value_to_what_is_needed(activation, needed, words):
    fig = frameworks.defaults(ROWS, activation)
    (ax,) = fig.axes
    reaches = [line.get_xdata() for line in ax.lines if len(line.get_xdata()) == 2 and line.get_alpha()]
    np.testing.assert_allclose(reaches, [[1 / 3, needed], [1 / 3, needed], [4 / 3, needed]])
    texts = [text.get_text() for text in ax.texts]
    assert texts[:2] == ["ReLU: 2", "tanh: 1"]
    assert texts[2::2] == words
    assert texts[3::2] == ["PyTorch", "PyTorch", "Keras"]
    assert [text.get_fontweight() for text in ax.texts[:2]].index("bold") == texts.index(
        f"{activation}: {needed}"
    )
    assert [label.get_text() for label in ax.get_yticklabels()] == ["dense", "grouped"]
    assert ax.get_xlim()[0] < 0.2  # room for the words beside 1/3
    assert fig.get_label().startswith(f"{activation} needs {needed}. PyTorch dense 0.333, {words[0]}; ")


def test_defaults_give_each_library_of_a_layer_a_row_of_its_own():
    rows = [{"library": name, "layer": "dense", "n_var": 1.0} for name in ("PyTorch", "Keras", "Flax")]
    ax = frameworks.defaults(rows, "tanh").axes[0]
    places = {text.get_text(): text.get_position()[1] for text in ax.texts[3::2]}
    assert places == pytest.approx({"PyTorch": -0.3, "Keras": 0, "Flax": 0.3})
    assert [text.get_text() for text in ax.texts][2::2] == ["right"] * 3


@pytest.mark.parametrize(
    ("n_var", "ticks"), [(1 / 3, ["1/3", "1", "2"]), (1 / 24, ["2/33", "1/3", "1", "2"])]
)
def test_the_axis_of_the_defaults_names_the_values_of_the_text(n_var, ticks):
    ax = frameworks.defaults([{"library": "PyTorch", "layer": "dense", "n_var": n_var}], "ReLU").axes[0]
    assert [label.get_text() for label in ax.get_xticklabels()] == ticks
    assert ax.get_xticks(minor=True).size == 0


@pytest.mark.parametrize("value", [0.96, 1.04])
def test_a_default_within_five_percent_is_right(value):
    assert frameworks.distance(value, 1.0) == "right"


@pytest.mark.parametrize(("weights", "scale"), [("PyTorch", 1 / 3), ("Keras", 1), ("He", 2)])
def test_signals_lie_on_the_theory(weights, scale):
    fig = frameworks.signals(["relu", "tanh"], weights, depth=4, seeds=3)
    (ax,) = fig.axes
    lines = [
        line.get_ydata() for line in ax.lines if line.get_linestyle() == "-" and len(line.get_xdata()) == 4
    ]
    dots = [container[0].get_ydata() for container in ax.containers]
    np.testing.assert_allclose(dots, lines, rtol=0.15)
    assert lines[0][-1] == pytest.approx(np.sqrt(scale * (scale / 2) ** 3))
    assert [text.get_text().split(":")[0] for text in ax.texts] == ["ReLU", "tanh"]
    ends = [float(end.split()[1]) for end in fig.get_label().rstrip(".").split(": ")[1].split(", ")]
    assert ends == pytest.approx([curve[-1] for curve in dots], rel=0.5)
    assert fig.get_label().startswith("He's rule" if weights == "He" else f"{weights}'s default")


def test_labels_that_would_meet_are_moved_apart():
    np.testing.assert_allclose(frameworks._apart([0, -0.1, 1, -3], 0.8), [0.7, -0.1, 1.5, -3])


@pytest.mark.parametrize(
    ("value", "words"), [(2.3e-8, r"$2 \cdot 10^{-8}$"), (0.24, "0.2"), (1.4, "1"), (12, "10")]
)
def test_powers_are_plain_near_one(value, words):
    assert frameworks._power(value) == words


@pytest.mark.parametrize("cut", [0.5, 2, 4])
def test_a_cut_costs_std(cut):
    fig = frameworks.cut_normal(cut)
    drawn = truncated_normal((400_000,), np.random.default_rng(0), std=1.0, cut=cut).std()
    assert float(fig.get_label().split()[-1].rstrip(".")) == pytest.approx(drawn, rel=0.01)
    filled = fig.axes[0].collections[0].get_paths()[0].vertices
    assert filled[filled[:, 1] > 0, 0].max() == pytest.approx(cut)


@pytest.mark.parametrize(
    ("kind", "inputs", "thick"),
    [("convolution", 8, 8), ("grouped, 4 groups", 2, 2), ("depthwise", 1, 1), ("transposed, stride 2", 2, 3)],
)  # the last: two pixels meet one output, one pixel the next
def test_connections_mark_what_one_output_sums(kind, inputs, thick):
    fig = frameworks.connections([kind, "depthwise"])
    assert [ax.get_title() for ax in fig.axes] == [kind, "depthwise"]
    lines = fig.axes[0].lines
    assert sum(line.get_linestyle() == "-" and line.get_linewidth() == 2 for line in lines) == thick
    assert fig.get_label() == f"Inputs of the fifth output: {kind} {inputs}; depthwise 1."
    marks = [[label.get_text() for label in ax.get_yticklabels()] for ax in fig.axes]
    unit = "pixels" if kind.startswith("transposed") else "channels"
    assert marks[0] == [f"{unit} in", f"{unit} out"]
    assert marks[1] == ([] if unit == "channels" else ["channels in", "channels out"])
    names = [text.get_text() for text in fig.axes[0].texts]
    assert names == (["$w_2$", "$w_0$", "$w_1$"] if kind.startswith("transposed") else [])


def test_stamps_count_what_a_transposed_convolution_adds():
    fig = frameworks.stamps()
    counted = np.zeros((9, 9), int)
    for row in range(4):
        for column in range(4):
            counted[2 * row : 2 * row + 3, 2 * column : 2 * column + 3] += 1
    np.testing.assert_array_equal(fig.axes[0].images[0].get_array(), counted)
    assert [text.get_text() for text in fig.axes[0].texts] == [str(n) for n in counted.ravel()]
    assert fig.get_label() == "Away from the edges the counts are 4, 2, 2, 1, on average 2.25."


@pytest.mark.parametrize(
    ("start", "n_var", "biased"), [("PyTorch", 1 / 3, True), ("Keras", 1, False), ("He", 2, False)]
)
def test_a_network_starts_as_its_library_does(start, n_var, biased):
    layers = [
        layer for layer in frameworks.network(start, np.random.default_rng(0)) if isinstance(layer, Linear)
    ]
    assert [layer.weight.value.shape for layer in layers] == [(64, 64)] * 8 + [(64, 10)]
    hidden = np.array([layer.weight.value for layer in layers[:-1]])
    assert 64 * hidden.var() == pytest.approx(n_var, rel=0.05)
    biases = np.concatenate([layer.bias.value for layer in layers])
    assert biases.any() == biased
    if biased:
        assert 0.95 / 8 < np.abs(biases).max() < 1 / 8


def test_the_spread_is_that_across_images():
    model = frameworks.network("He", np.random.default_rng(0))
    assert frameworks.spread(model, np.ones((5, 64), np.float32)) == pytest.approx([0] * 8, abs=1e-6)
    x = np.random.default_rng(1).standard_normal((50, 64)).astype(np.float32)
    assert frameworks.spread(model, x)[0] == pytest.approx(model[1](model[0](x)).std(axis=0).mean())


def test_a_run_that_diverged_counts_as_zero():
    long, short = (
        Run(0, None, History(validation_accuracy=curve), []) for curve in ([0.1, 0.9, 0.9], [0.1, 0.4])
    )
    fig = frameworks.ported({0.1: {"PyTorch": [short], "Keras": [long]}}, 0.1)
    np.testing.assert_allclose(fig.axes[0].lines[0].get_ydata(), [0.1, 0.4, 0])
    assert "PyTorch's default ends at 0.00; Keras's default ends at 0.90" in fig.get_label()


def test_ported_draws_every_run_and_the_median():
    runs = [
        Run(seed, None, History(validation_accuracy=[0.1, end]), [])
        for seed, end in enumerate([0.2, 0.9, 0.8])
    ]
    fig = frameworks.ported({0.1: {"PyTorch": runs[:1], "Keras": runs}}, 0.1)
    lines = [line.get_ydata()[-1] for line in fig.axes[0].lines]
    assert lines == [0.2, 0.2, 0.2, 0.9, 0.8, 0.8, 0.1]  # the last is guessing
    assert fig.axes[0].get_title() == "learning rate 0.1"
    assert fig.get_label() == (
        "Medians of 3 runs at the learning rate 0.1: "
        "PyTorch's default ends at 0.20; Keras's default ends at 0.80."
    )

"""What a reader sees in the figures of chapter 16: the right data in the right place."""

import numpy as np
import pytest

from netinit import truncated_normal
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
    assert texts == ["ReLU: 2", "tanh: 1", *words]
    assert [text.get_fontweight() for text in ax.texts[:2]].index("bold") == texts.index(
        f"{activation}: {needed}"
    )
    assert [label.get_text() for label in ax.get_yticklabels()] == ["dense", "grouped"]
    assert fig.get_label().startswith(f"{activation} needs {needed}. PyTorch dense 0.333, {words[0]}; ")


@pytest.mark.parametrize("value", [0.96, 1.04])
def test_a_default_within_five_percent_is_right(value):
    assert frameworks.distance(value, 1.0) == "right"


@pytest.mark.parametrize(("activation", "last"), [("relu", 1 / 3 * (1 / 6) ** 3), ("tanh", None)])
def test_signals_lie_on_the_theory(activation, last):
    (ax,) = frameworks.signals({"PyTorch": 1 / 3}, activation, depth=4).axes
    line, dots = ax.lines[0].get_ydata(), ax.containers[0][0].get_ydata()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["PyTorch"]
    np.testing.assert_allclose(dots, line, rtol=0.1)
    if last:
        assert line[-1] == pytest.approx(np.sqrt(last))


@pytest.mark.parametrize("cut", [0.5, 2, 4])
def test_a_cut_costs_std(cut):
    fig = frameworks.cut_normal(cut)
    drawn = truncated_normal((400_000,), np.random.default_rng(0), std=1.0, cut=cut).std()
    assert float(fig.get_label().split()[-1].rstrip(".")) == pytest.approx(drawn, rel=0.01)
    filled = fig.axes[0].collections[0].get_paths()[0].vertices
    assert filled[filled[:, 1] > 0, 0].max() == pytest.approx(cut)


def test_connections_mark_what_one_output_sums():
    fig = frameworks.connections()
    assert [ax.get_title() for ax in fig.axes] == list(frameworks.CONNECTIONS)
    thick = [
        sum(line.get_linestyle() == "-" and line.get_linewidth() == 2 for line in ax.lines) for ax in fig.axes
    ]
    assert thick == [8, 2, 1, 3]  # the last: two pixels meet one output, one pixel the next
    assert fig.get_label().endswith(
        "convolution 8; grouped, 4 groups 2; depthwise 1; transposed, stride 2 2."
    )
    assert [text.get_text() for text in fig.axes[-1].texts] == ["$w_2$", "$w_0$", "$w_1$"]

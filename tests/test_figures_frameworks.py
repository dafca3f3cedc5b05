"""What a reader sees in the figures of chapter 16: the right data in the right place."""

import numpy as np
import pytest

from netinit import truncated_normal
from netinit.figures import frameworks

ROWS = [
    {"library": "PyTorch", "layer": "dense", "draw": "uniform", "n_var": 1 / 3},
    {"library": "Keras", "layer": "dense", "draw": "uniform", "n_var": 4 / 3},
    {"library": "Keras", "layer": "embedding", "draw": "normal", "n_var": 1.0},
]


def test_defaults_show_the_distribution_and_the_number():
    fig = frameworks.defaults(ROWS, "dense")
    left, right = fig.axes
    torch = left.lines[0].get_ydata()
    assert np.abs(frameworks.HALF_WIDTHS[torch == 1]).max() == pytest.approx(1, abs=0.02)  # 1 / sqrt(n_in)
    np.testing.assert_allclose([bar.get_height() for bar in right.patches], [1 / 3, 4 / 3, 2])
    assert "PyTorch uniform, n_in Var 0.333; Keras uniform, n_in Var 1.33" in fig.get_label()


@pytest.mark.parametrize(("activation", "last"), [("relu", 1 / 3 * (1 / 6) ** 3), ("tanh", None)])
def test_signals_lie_on_the_theory(activation, last):
    (ax,) = frameworks.signals({"PyTorch": 1 / 3}, activation, depth=4).axes
    line, dots = ax.lines[0].get_ydata(), ax.containers[0][0].get_ydata()
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

"""What the pictures of chapter 9 show is what they are given, and what they say."""

import numpy as np
import pytest

from netinit.figures import lsuv


def test_the_square_has_its_derivative():
    z, step = np.array([-1.0, 0.5, 2.0]), 1e-6
    slope = (lsuv.SQUARE.function(z + step) - lsuv.SQUARE.function(z - step)) / (2 * step)
    np.testing.assert_allclose(lsuv.SQUARE.derivative(z, lsuv.SQUARE.function(z)), slope, atol=1e-6)


@pytest.mark.parametrize("done", [0, 4, 11])
def test_the_layers_that_are_done_stand_at_one(done):
    fig = lsuv.walk(done)
    one, *dots = fig.axes[0].lines
    tops = np.concatenate([part.get_ydata() for part in dots])
    assert (one.get_ydata()[0], len(tops)) == (1, 11)
    assert [part.get_label() for part in dots] == ["set", "to come"]
    assert len(dots[0].get_ydata()) == done
    low, high = fig.axes[0].get_ylim()
    assert low < tops.min() <= tops.max() < high
    np.testing.assert_allclose(tops[:done], 1, rtol=1e-4)
    assert done == 11 or abs(tops[done] - 1) > 0.01
    assert fig.get_label().startswith(f"{done} of 11 layers have std 1")


def test_the_bands_stand_where_a_square_is_applied():
    ax = lsuv.walk(0).axes[0]
    assert [round(band.get_x()) for band in ax.patches] == [1, 3, 5, 7, 9]


def test_each_unit_has_a_row_of_dots_below_those_of_the_layer_before():
    fig = lsuv.units({1: np.array([[0.0, 1.0], [2.0, 3.0]]), 4: np.array([[0.5, -0.5], [0.5, -0.5]])})
    ax = fig.axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["layer 1", "layer 4"]
    rows = [line for line in ax.lines if line.get_marker() == "o"]
    assert [line.get_xdata().tolist() for line in rows] == [[0, 2], [1, 3], [0.5, 0.5], [-0.5, -0.5]]
    heights = [line.get_ydata()[0] for line in rows]
    assert heights == sorted(heights)
    assert ax.yaxis_inverted()


def test_the_stream_is_compared_with_one_plus_k():
    fig = lsuv.stream(np.array([[1.0, 2.2, 3.1], [1.0, 1.8, 3.5]]))
    assert fig.axes[0].lines[0].get_ydata().tolist() == [1, 2, 3]
    assert fig.axes[0].lines[-1].get_ydata().tolist() == [1, 2, 4]


@pytest.mark.parametrize(("activation", "end"), [("tanh", 0.8), ("sigmoid", 0.24), ("relu", 1)])
def test_the_chase_ends_where_the_activation_lets_it(activation, end):
    rng = np.random.default_rng(0)
    weights, x = rng.standard_normal((20, 30)) / 5, rng.standard_normal((200, 20))
    label = lsuv.chase(weights, x, iteration=10, activation=activation).get_label()
    variance = float(label.split("variance ")[1].split(",")[0])
    assert variance > end - 1e-3
    assert variance <= {"tanh": 1, "sigmoid": 0.25, "relu": 1.001}[activation]
    before = lsuv.chase(weights, x, iteration=0, activation=activation).get_label()
    assert "weights multiplied by 1.00" in before


def test_iterations_are_counted():
    fig = lsuv.iterations(
        {(8, 0.1): (np.array([1, 5]), np.array([1.5, 4.0]))}, 5, batch_size=8, tolerance=0.1
    )
    assert [bar.get_height() for bar in fig.axes[0].patches] == [1, 5]
    assert (
        fig.get_label()
        == "Batch 8, tolerance 0.1: 6 iterations in 2 layers, 6 expected; 1 layers used all 5."
    )


def test_mean_iterations_average_over_the_layers():
    fig = lsuv.mean_iterations(
        [32, 64], {"tanh": np.array([2.0, 1.0])}, {"tanh": np.array([[[1, 3], [1, 1]]] * 3)}
    )
    np.testing.assert_array_equal(fig.axes[0].containers[0][0].get_ydata(), [2, 1])

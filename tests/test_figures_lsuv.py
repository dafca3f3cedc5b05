"""What the pictures of chapter 9 show is what they are given, and what they say."""

from types import SimpleNamespace

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
    one, first, to_come, done_dots = fig.axes[0].lines
    tops = np.concatenate([done_dots.get_ydata(), to_come.get_ydata()])
    assert (one.get_ydata()[0], len(tops)) == (1, 11)
    labels = [part.get_label() for part in (first, to_come, done_dots)]
    assert labels == ["at the start", "now", "set by LSUV"]
    assert len(done_dots.get_ydata()) == done
    low, high = fig.axes[0].get_ylim()
    assert low < tops.min() <= tops.max() < high
    np.testing.assert_allclose(tops[:done], 1, rtol=1e-4)
    assert done == 11 or abs(tops[done] - 1) > 0.01
    assert f"{done} of 11 layers have std 1" in fig.get_label()


def test_the_start_stays_in_the_picture():
    starts = [lsuv.walk(done).axes[0].lines[1].get_ydata() for done in (0, 11)]
    np.testing.assert_array_equal(*starts)
    np.testing.assert_array_equal(starts[0], lsuv.walk(0).axes[0].lines[2].get_ydata())


def test_where_a_std_is_above_one_the_label_says_what_it_was_divided_by():
    assert lsuv.walk(2).get_label().startswith("LSUV divided layer 2 by 1.2;")


def test_what_stands_between_two_layers_is_named():
    ax = lsuv.walk(0).axes[0]
    assert [round(band.get_x()) for band in ax.patches] == [1, 3, 5, 7, 9]
    assert [text.get_text() for text in ax.texts] == ["squared ReLU", "tanh"] * 5


def test_each_seed_of_a_start_is_a_dot_and_the_median_a_bar():
    ax = lsuv.first_epoch({"LSUV": np.array([0.8, 0.9, 0.7]), "other": np.array([0.1, 0.2, 0.6])}).axes[0]
    dots, bar, other, other_bar, _guessing = ax.lines
    assert dots.get_xdata().tolist() == [0.8, 0.9, 0.7]
    assert [float(b.get_xdata()[0]) for b in (bar, other_bar)] == [0.8, 0.2]
    assert dots.get_color() == lsuv.SCHEMES["LSUV"] != other.get_color()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["LSUV", "other"]


def test_the_film_keeps_the_std_before_training_in_the_picture():
    history = SimpleNamespace(validation_loss=[2.3, 1.0], validation_accuracy=[0.1, 0.8])
    runs = {
        name: [SimpleNamespace(history=history, probes=[[1.0, level], [2.0, 3.0]])]
        for name, level in (("He", 3.0), ("LSUV", 1.0))
    }
    std = lsuv.film(runs, 1).axes[2]
    now, before = std.lines[:2], std.lines[2:]
    assert [line.get_ydata().tolist() for line in now] == [[2, 3], [2, 3]]
    assert [line.get_ydata().tolist() for line in before] == [[1, 3], [1, 1]]
    for lines in (now, before):
        assert [line.get_color() for line in lines] == list(lsuv.SCHEMES.values())


def test_zeros_and_ones_stand_on_the_line_of_their_unit():
    digit, z = np.array([0, 1, 5]), np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 8.0]])
    ax = lsuv.units({1: z, 4: np.full((3, 2), 0.5)}, digit).axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["layer 1", "layer 4"]
    rows = [line for line in ax.lines if line.get_marker() in ("o", "D")]
    assert [line.get_xdata().tolist() for line in rows] == [[0], [2], [1], [3], *[[0.5]] * 4]
    heights = [line.get_ydata()[0] for line in rows]
    assert heights == sorted(heights)
    assert ax.yaxis_inverted()
    assert ax.get_yticks()[1] - ax.get_yticks()[0] > 1  # layers 2 and 3 are left out: a gap
    texts = [text.get_text() for text in ax.texts]
    assert texts[:4] == [f"{z.mean(axis=0).std():.2g}", f"{z.std(axis=0).mean():.2g}", "0", "0"]


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

"""The pictures of chapter 3 show the data they are given, and say in words what they show."""

from types import SimpleNamespace

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from netinit.figures import zero


def run(weights, accuracies):
    """A run with these incoming weights at each epoch, and these validation accuracies."""
    return [SimpleNamespace(probes=weights, history=SimpleNamespace(validation_accuracy=accuracies))]


EQUAL = np.tile(np.linspace(-0.4, 0.4, 64)[:, None], (1, 16))
DISTINCT = np.random.default_rng(0).normal(0, 0.1, (64, 16))


def test_each_unit_is_an_image_of_its_own_column():
    _, ax = plt.subplots()
    zero.unit_pictures(ax, DISTINCT[:, :8], "eight")
    image = ax.images[0].get_array()
    for unit in range(8):
        left = 9 * unit
        np.testing.assert_array_equal(image[:, left : left + 8], DISTINCT[:, unit].reshape(8, 8))
        assert unit == 7 or image[:, left + 8].mask.all()  # blank between two
    assert ax.get_title() == "eight"


def test_the_two_rows_say_which_units_are_alike():
    runs = {
        "equal start": run([EQUAL[:, :8]] * 2, [0.1, 0.3]),
        "random": run([DISTINCT[:, :8]] * 2, [0.1, 0.9]),
    }
    fig = zero.equal_and_random(1, runs=runs)
    *rows, bar = fig.axes
    titles = [ax.get_title() for ax in rows]
    assert titles == [
        "equal start: reads 30% of the validation digits",
        "random: reads 90% of the validation digits",
    ]
    assert f"{titles[0]}, all pictures are the same" in fig.get_label()
    assert f"{titles[1]}, the pictures differ" in fig.get_label()
    assert [tick.get_text() for tick in bar.get_xticklabels()] == ["-0.5", "0", "0.1", "0.5"]
    assert bar.get_xlim() == rows[0].images[0].get_clim()


def test_four_starts_show_what_comes_in_the_biases_and_what_goes_out():
    out_equal, out_distinct = np.tile(np.linspace(-0.2, 0.2, 10), (8, 1)), DISTINCT[:8, :10]
    equal = EQUAL[:, :8], np.full(8, 0.5), out_equal
    distinct = DISTINCT[:, :8], np.linspace(-0.4, 0.4, 8), out_distinct
    runs = {"A": run([equal, distinct], [0.1, 0.9]), "D": run([distinct, equal], [0.1, 0.25])}
    fig = zero.four_starts(1, runs=runs)
    *rows, bar = fig.axes
    titles = ["A: reads 90% of the validation digits", "D: reads 25% of the validation digits"]
    for (pictures, bias, strips), shown, title in zip(
        (rows[:3], rows[3:]), (distinct, equal), titles, strict=True
    ):
        incoming, biases, outgoing = shown
        np.testing.assert_array_equal(pictures.images[0].get_array()[:, :8], incoming[:, 0].reshape(8, 8))
        drawn_biases, drawn = bias.images[0].get_array()[0], strips.images[0].get_array()[0]
        for unit in range(8):
            place = slice(45 * unit, 45 * unit + 40)
            np.testing.assert_array_equal(drawn_biases[place], biases[unit])
            np.testing.assert_array_equal(drawn[place], np.repeat(outgoing[unit], 4))
        assert [ax.texts[0].get_text() for ax in (pictures, bias, strips)] == ["in", "bias", "out"]
        assert pictures.get_title() == title
        assert bar.get_xlim() == pictures.images[0].get_clim() == strips.images[0].get_clim()
    assert (
        f"{titles[0]}; coming in, the pictures differ; the biases differ; going out, the strips differ"
        in (fig.get_label())
    )
    assert (
        f"{titles[1]}; coming in, all pictures are the same; all biases are the same; "
        "going out, all strips are the same"
    ) in fig.get_label()


def grown(outgoing, steps):
    """Weights that start from zero and grow by the outgoing weight of their unit in each step."""
    return steps * np.outer([0.01, 0.02], outgoing), np.array(outgoing)


@pytest.mark.parametrize(
    ("outgoing", "verdict"), [("0.5 and 0.5", "two equal units"), ("0.6 and 0.4", "incoming weights differ")]
)
def test_two_units_carry_their_weights_on_their_lines(outgoing, verdict):
    fig = zero.two_units(3, outgoing, train=grown)
    (ax,) = fig.axes
    incoming, sent = grown([float(w) for w in outgoing.split(" and ")], 3)
    written = [text.get_text() for text in ax.texts if text.get_text().startswith("0.")]
    expected = [f"{w:.3f}" for j in (0, 1) for w in (*incoming[:, j], sent[j])]
    assert written == expected
    widths = [line.get_linewidth() for line in ax.lines]
    np.testing.assert_allclose(widths, [1 + 8 * float(w) for w in expected])
    assert ax.get_title() == f"after 3 steps: {verdict}"
    assert fig.get_label().endswith(f"{verdict}.")


def test_equal_incoming_weights_are_not_enough():
    fig = zero.two_units(0, "0.6 and 0.4", train=grown)  # all incoming weights are 0
    assert fig.axes[0].get_title() == "after 0 steps: incoming weights equal, outgoing differ"


def arrivals(pattern, step, activation):
    assert (pattern, step, activation) == ("r0rr", 1, "relu")
    return [1.0, 0.5, 0.0, 0.0], [0.0, 1e-3, 1e-2, 1e-1], [0.0, 0.2, 0.0, 0.0]


def test_the_meeting_of_signal_and_gradient():
    fig = zero.meeting(1, "r 0 r r", "relu", meet=arrivals)
    (ax,) = fig.axes
    arrows = [(text.arrow_patch.get_facecolor(), text.xy[0]) for text in ax.texts if hasattr(text, "xy")]
    signal, gradient = (matplotlib.colors.to_rgba(color) for color in (zero.SIGNAL, zero.GRADIENT))
    assert [round(x) for color, x in arrows if color == signal] == [1, 2]  # where the signal ends, it stops
    assert [round(x) for color, x in arrows if color == gradient] == [2, 3, 4]
    zeros = sorted(text.get_position()[0] for text in ax.texts if text.get_text() == "0")
    np.testing.assert_allclose(zeros, [1.49, 2.51, 3.51])  # a 0 stands where there is no arrow
    boxes = {
        text.get_text(): text.get_bbox_patch().get_facecolor() for text in ax.texts if text.get_bbox_patch()
    }
    filled = [name for name, color in boxes.items() if color == matplotlib.colors.to_rgba(zero.MOVES)]
    assert filled == ["$W^2$\n0"]
    assert [text.get_text() for text in ax.texts if text.get_text() in ("moves", "stays")] == [
        "stays",
        "moves",
        "stays",
        "stays",
    ]
    assert fig.get_label() == (
        "relu, r 0 r r, after 1 step: a signal arrives at W1, W2, a gradient at W2, W3, W4; "
        "weights with a gradient: W2."
    )


@pytest.mark.parametrize(("offset", "fate"), [(0, "never leaves"), (0.1, "leaves after 6 steps")])
def test_the_ridge_says_when_the_path_leaves(offset, fate):
    steps = np.arange(11)[:, None]

    def descend(offset):
        return 1.5 + offset * steps * np.array([1, -1])

    axis = np.linspace(-0.2, 3.4, 5)
    fig = zero.ridge(offset, descend=descend, axis=axis, surface=np.add.outer(axis, axis) / 10)
    (ax,) = fig.axes
    np.testing.assert_array_equal(ax.lines[1].get_xydata(), descend(offset))
    assert ax.get_title() == f"offset {offset:g}: {fate}"
    assert f"after 10 steps w1 is {1.5 + 10 * offset:.2f}" in fig.get_label()


def test_noise_and_accuracy_names_the_epoch():
    epochs = np.array([0, 4, 8])
    curves = {
        0.0: np.array([[0.1, 0.2, 0.3]]),
        1e-6: np.array([[0.1, 0.7, 0.9], [0.1, 0.9, 1.0], [0.1, 1, 1]]),
    }
    fig = zero.noise_and_accuracy(1e-6, epochs=epochs, curves=curves)
    np.testing.assert_allclose(fig.axes[0].lines[-1].get_ydata(), [0.1, 0.9, 1.0])
    assert "above 0.8 from epoch 4, 1.00 at epoch 8" in fig.get_label()
    assert "never above 0.8" in zero.noise_and_accuracy(0.0, epochs=epochs, curves=curves).get_label()


def test_growing_spread_draws_theory_below_one_and_the_median():
    growth, epochs = 10.0 ** np.arange(5), np.array([0, 2, 4])
    runs = 0.01 * np.array([[1, 2, 3], [1, 4, 6], [1, 3, 5]])
    (ax,) = zero.growing_spread(epochs, growth, {0.01: runs}).axes
    np.testing.assert_allclose(ax.lines[0].get_xydata(), [[0, 0.01], [1, 0.1]])  # up to a spread of 1
    np.testing.assert_allclose(ax.containers[0][0].get_ydata(), [0.01, 0.03, 0.05])


def test_rounding_apart_leaves_out_what_is_equal_to_the_last_digit():
    spreads = {(np.float32, 32): np.array([0, 1e-9, 1e-8]), (np.float64, 33): np.array([1e-20, 1e-18, 1e-17])}
    (ax,) = zero.rounding_apart(spreads, {np.float32: 44, np.float64: 101}).axes
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [np.nan, 1e-9, 1e-8])
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), [np.nan, 1e-18, 1e-17])
    assert [line.get_xdata()[0] for line in ax.lines[2:]] == [44, 101]
    assert [line.get_label() for line in ax.lines[:2]] == ["float32, width 32", "float64, width 33"]


@pytest.mark.parametrize(("weights", "words"), [(EQUAL, "all pictures are the same"), (DISTINCT, "differ")])
def test_units_part_stacks_two_rows_of_six(weights, words):
    fig = zero.units_part(3, "constant", films={"constant": {3: weights[:, :12]}})
    image = fig.axes[0].images[0].get_array()
    assert image.shape == (17, 53)
    for unit in range(12):
        row, column = 9 * (unit // 6), 9 * (unit % 6)
        picture = image[row : row + 8, column : column + 8]
        np.testing.assert_array_equal(picture, weights[:, unit].reshape(8, 8))
    assert words in fig.get_label()

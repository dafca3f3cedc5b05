"""What the pictures of chapter 7 show is what they are given, and what they say."""

import numpy as np
import pytest

from netinit import load_digits
from netinit.figures import orthogonal


@pytest.mark.parametrize("matrices", [0, 3, 12])
def test_the_half_axes_reach_the_ellipse_and_only_the_gaussian_one_gets_thin(matrices):
    fig = orthogonal.circle(matrices)
    for ax, thin in zip(fig.axes, (matrices > 0, False), strict=True):
        reach = np.linalg.norm(ax.collections[0].get_offsets(), axis=1).max()
        ends = np.array([line.get_xydata()[1] for line in ax.lines if len(line.get_xydata()) == 2])
        assert len(ends) == (2 if thin else 0)  # where all directions tie, no axis stands out
        lengths = np.linalg.norm(ends, axis=1) if thin else [1, 1]
        assert lengths[0] == pytest.approx(reach, rel=0.01)
        ratio = lengths[1] / lengths[0]
        assert f"{ax.get_title()}, {ratio:.1g}" in fig.get_label()
        assert (ratio < 0.5) == thin
        if thin:
            assert ends[0] @ ends[1] == pytest.approx(0, abs=1e-9)


def test_two_opposite_inputs_meet_on_the_gaussian_side_only():
    apart = []
    for ax in orthogonal.circle(12).axes:
        a, b = (line.get_xydata()[0] for line in ax.lines if line.get_marker() == "o")
        np.testing.assert_allclose(a, -b)
        apart.append(np.linalg.norm(a - b))
    assert apart == [pytest.approx(0, abs=0.001), pytest.approx(2)]


def test_the_dashed_part_is_perpendicular_and_area_is_length_times_it():
    W = np.array([[2.0, 0.0], [1.5, -0.5]])
    fig = orthogonal.lean(W)
    after = fig.axes[1]
    foot, tip = after.lines[0].get_xydata()
    np.testing.assert_allclose([foot, tip], [[1.5, 0], [1.5, -0.5]])
    corners = after.patches[0].get_xy()[:4]
    np.testing.assert_allclose(corners, [[0, 0], [2, 0], [3.5, -0.5], [1.5, -0.5]])
    assert "after, lengths 2.0 and 1.6, perpendicular part 0.5" in fig.get_label()
    assert "before, lengths 1.0 and 1.0, perpendicular part 1.0" in fig.get_label()


def test_digits_are_shown_as_ink_with_the_mean_added():
    digits = load_digits()
    sent = digits.x_test[:2].astype(float)
    fig = orthogonal.read_back(
        sent, lambda kind, _: (sent if kind == "orthogonal" else 0 * sent, 7), layers=3
    )
    strips = np.array([ax.images[0].get_array() for ax in fig.axes])
    shown = np.stack([strips[:, :, 1:9], strips[:, :, 11:19]], axis=1)
    assert strips[:, :, [0, 9, 10, 19, *range(20, 24)]].max() == 0  # white between the digits
    mean = strips[:, :, 24:32]
    np.testing.assert_array_equal(mean, np.broadcast_to(mean[0], mean.shape))
    assert np.abs(shown[0] - np.round(shown[0])).max() < 1e-4  # pixels are whole numbers
    assert (shown[0].min(), shown[0].max()) == pytest.approx((0, 16), abs=1e-4)
    np.testing.assert_array_equal(shown[2], shown[0])
    np.testing.assert_allclose(shown[1], [mean[0], mean[0]])  # nothing but the mean
    assert "read back from layer 3: 7 of 64 directions with Gaussian" in fig.get_label()


def test_rates_put_dots_on_every_tenth_direction():
    predicted = -np.arange(30.0)
    fig = orthogonal.rates(
        predicted, predicted + np.array([[-1.0], [0], [2]]), {"a": np.ones(30), "b": np.ones(30)}
    )
    dots = fig.axes[0].containers[0][0].get_xydata()
    np.testing.assert_array_equal(dots, [[1, 0], [10, -9], [20, -19], [30, -29]])


def test_recurrent_shows_the_eigenvalues_with_their_gain_and_the_median_norm():
    matrices = {"Gaussian": [np.diag([0.5, 1.0])] * 3, "orthogonal": [np.eye(2)] * 3}
    fig = orthogonal.recurrent(
        matrices, lambda W, _unit, seed: W.max() ** np.arange(9) * 10.0**seed, gain=0.1, unit="tanh"
    )
    plane, ax = fig.axes
    np.testing.assert_allclose(np.sort(plane.lines[0].get_xdata()), [0.05, 0.1])
    np.testing.assert_allclose(ax.lines[0].get_xydata(), [[0, 1], [4, -3], [8, -7]])  # seed 1 is the median
    assert "tanh units, gain 0.1: log10 of the gradient norm 8 steps back, median of 3" in fig.get_label()
    assert "orthogonal -7.0" in fig.get_label()


def test_product_compares_singular_values_with_the_rates():
    fig = orthogonal.product({"Gaussian": {2: np.array([4.0, 0.001])}}, np.array([0.0, -1.0]), depth=2)
    seen, dot, theory, level = fig.axes[0].lines
    np.testing.assert_array_equal(seen.get_ydata(), [4, 0.001])
    np.testing.assert_allclose(theory.get_ydata(), [1, np.exp(-2)])
    np.testing.assert_array_equal(dot.get_xydata(), [[1, 0.01]])  # behind the last direction that is left
    assert level.get_ydata() == [0.01, 0.01]
    assert "1 of 2 left" in fig.get_label()
    assert "1 left" in [text.get_text() for text in fig.axes[0].texts]


def test_std_and_directions_stand_side_by_side():
    measured = {
        "Gaussian": np.array([[[0.5, 9], [0.4, 3]]] * 3),
        "orthogonal": np.array([[[0.5, 9]] * 2] * 3),
    }
    fig = orthogonal.left_by_layer(measured, 9)
    lines = [[line.get_ydata().tolist() for line in ax.lines] for ax in fig.axes]
    assert lines == [[[0.5, 0.4], [0.5, 0.5]], [[9, 3], [9, 9]]]
    assert "of 9: Gaussian 3, orthogonal 9" in fig.get_label()


def test_angles_of_the_identity_are_all_zero():
    fig = orthogonal.eigenvalue_angles({"no correction": np.eye(3)[None], "corrected": -np.eye(3)[None]})
    first, second = (patch.get_data().values for patch in fig.axes[0].patches)
    assert np.flatnonzero(first).tolist() == [0]
    assert np.flatnonzero(second).tolist() == [23]


def test_modes_stop_at_the_step():
    simulated = {8: np.linspace([0, 0], [1, 2], 101)}
    curves = {(1.0, 8): ([0, 100], [0, 1]), (2.0, 8): ([0, 100], [0, 2]), (1.0, 2): ([0, 1], [9, 9])}
    fig = orthogonal.modes(curves, simulated, step=60, depth="8")
    dots = fig.axes[0].lines[3]
    np.testing.assert_allclose(dots.get_xydata(), [[0, 0], [20, 0.4], [40, 0.8], [60, 1.2]])
    assert "strength 1, 2 stand at 0.60, 1.20" in fig.get_label()


def test_energy_and_accuracies_draw_what_they_are_given():
    measured = {"Gaussian": np.full((5, 21), 0.5), "delta-orthogonal": np.ones((5, 21))}
    measured["flattened orthogonal"] = np.full((5, 21), 0.25)
    fig = orthogonal.energy(np.full(21, 0.5), measured)
    squares = fig.axes[0].lines[-1]
    np.testing.assert_array_equal(squares.get_xydata(), [[5, 0.25], [15, 0.25]])
    strip = orthogonal.accuracies({"Gaussian": [0.5, 0.6], "orthogonal": [0.9, 1.0]}).axes[0]
    assert [line.get_xdata().tolist() for line in strip.lines] == [[0.5, 0.6], [0.9, 1.0]]
    assert [label.get_text() for label in strip.get_yticklabels()] == ["Gaussian", "orthogonal"]

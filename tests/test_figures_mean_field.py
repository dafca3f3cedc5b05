"""The pictures of the chapter on mean-field theory: the data they draw, and what their labels say."""

import numpy as np
import pytest

from netinit import theory
from netinit.figures import mean_field


def drawn(ax, index=0):
    return np.asarray(ax.lines[index].get_ydata(), float)


def test_the_edge_is_the_critical_line():
    weights, biases = mean_field.ordered_border(1.0)
    assert (weights[0], biases[0]) == (pytest.approx(1), pytest.approx(0, abs=1e-9))
    for weight, bias in list(zip(weights, biases, strict=True))[20::25]:
        assert theory.critical_weight_variance("tanh", bias) == pytest.approx(weight, abs=1e-4)


@pytest.mark.parametrize("slope", [0.9, 1.1])
def test_the_map_has_the_slope_of_its_border_at_1(slope):
    weights, biases = mean_field.ordered_border(slope)
    assert biases.min() > -1e-9
    for weight, bias in list(zip(weights, biases, strict=True))[10::25]:
        q = theory.fixed_point("tanh", weight, bias)
        assert theory.chi("tanh", q, weight) == pytest.approx(slope, abs=1e-4)


def test_the_map_has_the_slope_of_its_border_where_correlations_end():
    weights, biases = mean_field.chaotic_border(0.9)
    assert biases[0] == pytest.approx(0, abs=1e-6)
    for weight, bias in list(zip(weights, biases, strict=True))[1::4]:
        assert mean_field.rate(weight, bias) == pytest.approx(-np.log(0.9), abs=1e-4)


def test_no_chaotic_border_where_correlations_never_end_so_fast():
    assert mean_field.chaotic_border(0.5).shape == (2, 0)


def test_five_networks_follow_the_theory():
    pair = mean_field.two_digits()
    zero, nine = np.moveaxis(mean_field.five_networks(pair, 1.0, 0.05, 20), 2, 0)
    assert zero.shape == (20, 5, 150)
    expected = mean_field.sizes(1.0, 0.05, 20)
    rms = np.sqrt(np.mean(zero**2, axis=-1))
    assert np.abs(np.median(rms, axis=1) / expected - 1).max() < 0.2
    assert mean_field.correlation(zero[-1], nine[-1]).min() > 0.95


def test_two_digits_have_the_same_size():
    np.testing.assert_allclose(np.mean(mean_field.two_digits() ** 2, axis=1), 1)


def test_correlation_of_known_pairs():
    a = np.array([1.0, 1.0])
    np.testing.assert_allclose(mean_field.correlation(a, np.array([[2, 2], [1, -1], [-3, -3]])), [1, 0, -1])


def test_theory_by_layer_starts_with_the_sum_and_follows_the_map():
    found = mean_field.correlations(0.5, 2.0, 0.5, 3)
    assert found[0] == pytest.approx((2 * 0.5 + 0.5) / 2.5)
    assert found[1] == pytest.approx(theory.correlation_map("tanh", found[0], 2.5, 2.0, 0.5), abs=1e-9)


@pytest.mark.parametrize(("weight", "bias"), [(1.0, 0.05), (1.5, 0.0), (4.0, 0.05)])
def test_rate_is_that_of_the_depth_scale(weight, bias):
    q = theory.fixed_point("tanh", weight, bias)
    c = theory.correlation_fixed_point("tanh", weight, bias)
    xi = theory.depth_scale(theory.chi("tanh", q, weight, correlation=c))
    assert mean_field.rate(weight, bias) == pytest.approx((-1 if c == 1 else 1) / xi, abs=1e-4)


def test_rate_where_the_signal_dies():
    assert mean_field.rate(0.5, 0.0) == pytest.approx(np.log(0.5))


def test_the_size_by_layer_starts_with_the_sum_and_settles():
    found = mean_field.sizes(2.0, 0.5, 40)
    assert found[0] == pytest.approx(np.sqrt(2.5))
    assert found[-1] ** 2 == pytest.approx(theory.fixed_point("tanh", 2.0, 0.5))


@pytest.mark.parametrize(("weight", "bias", "low", "high"), [(1, 0.05, 0.98, 1.0), (4, 0.05, -0.2, 0.5)])
def test_plane(weight, bias, low, high):
    fig = mean_field.plane(weight, bias, {1: 0.1, 2: 0.32} | {weight: 0.64})
    left, above, below = fig.axes
    assert (left.lines[-1].get_xdata()[0], drawn(left, -1)[0]) == (weight, bias)
    named = {text.get_position()[0]: text.get_text() for text in left.texts if "%" in text.get_text()}
    assert named == {1: "10%", 2: "32%"} | {weight: "64%"}  # the starts of the text
    assert low < drawn(below, 0)[-1] <= high  # theory
    assert np.abs(drawn(below, 1) - drawn(below, 0)[::2]).max() < 0.4  # five networks
    assert drawn(above, 0)[-1] ** 2 == pytest.approx(theory.fixed_point("tanh", weight, bias))
    assert np.abs(drawn(above, 1) / drawn(above, 0)[::2] - 1).max() < 0.2
    assert [text.get_text() for text in fig.texts] == ["accuracy after training: 64%"]
    assert "accuracy after training: 64%" in fig.get_label()


@pytest.mark.parametrize(("weight", "last"), [(0.5, 0.0), (4, 0.8)])
def test_a_circle_shrinks_or_stays_spread(weight, last):
    fig = mean_field.circle(weight)
    spread = [np.mean(np.sum(ax.collections[0].get_offsets() ** 2, axis=1)) for ax in fig.axes]
    assert spread[0] == pytest.approx(1)  # a circle lies in the plane of its two axes
    assert spread[-1] < 1e-3 if last == 0 else 0.05 < spread[-1] < last
    assert fig.axes[0].get_title() == "input"
    assert fig.axes[-1].get_title() == "layer 40"


@pytest.mark.parametrize("weight", [1, 4])
def test_walks_end_where_the_change_is_zero(weight):
    fig = mean_field.walks(weight)
    change, walks = fig.axes
    q, star = (
        theory.fixed_point("tanh", weight, 0.05),
        theory.correlation_fixed_point("tanh", weight, 0.05),
    )
    slope = theory.chi("tanh", q, weight)
    assert drawn(walks, 0)[[0, -1]] == pytest.approx([0.98, star], abs=0.05)
    assert drawn(walks, 1)[[0, -1]] == pytest.approx([0.02, star], abs=0.01)
    c = np.asarray(change.lines[1].get_xdata(), float)
    after = [theory.correlation_map("tanh", each, q, weight, 0.05) for each in c[::10]]
    np.testing.assert_allclose(drawn(change, 1)[::10], after - c[::10], atol=1e-6)
    (left, right), (low, high) = change.lines[2].get_data()  # the tangent at 1
    assert (right, high) == (1, 0)
    assert (high - low) / (right - left) == pytest.approx(slope - 1)
    for line, sign in zip(change.lines[3:5], (1, -1), strict=True):  # arrows to the right, to the left
        at = np.asarray(line.get_xdata(), float)
        assert all(sign * np.interp(at, c, drawn(change, 1)) > 0)
    np.testing.assert_allclose(change.lines[5].get_xdata(), sorted({star, 1.0}))  # the diamonds
    assert f"slope {slope:.2f}" in fig.get_label()


def test_pairs_draw_theory_and_the_median():
    layers = np.arange(1, 7)
    runs = [np.linspace(0, 1, 6), np.linspace(0, 0.5, 6), np.linspace(0, 0.7, 6)]
    fig = mean_field.pairs(layers, {"edge": {"twins": (np.ones(6), runs), "0 and 9": (np.zeros(6), runs)}})
    np.testing.assert_array_equal(drawn(fig.axes[0]), np.ones(6))
    np.testing.assert_allclose(drawn(fig.axes[0], 1), np.linspace(0, 0.7, 6)[::5])
    assert "edge, twins: 0.70" in fig.get_label()


def test_trainability_shows_the_medians_of_its_depth():
    rows = [
        {"depth": d, "bias_variance": b, "weight_variance": w, "accuracy": [0.1, (w + b + d / 100) / 4, 0.97]}
        for d in (10, 30)
        for b in (0, 0.5)
        for w in (1, 2, 3)
    ]
    fig = mean_field.trainability(30, rows)
    values = np.asarray(fig.axes[0].collections[0].get_array()).reshape(2, 3)
    np.testing.assert_allclose(values, [[1.3 / 4, 2.3 / 4, 3.3 / 4], [1.8 / 4, 2.8 / 4, 3.8 / 4]])
    ax = fig.axes[0]
    assert [text.get_text() for text in ax.texts[:6]] == [f"{value:.2f}" for value in values.ravel()]
    for line, slope in zip(ax.lines[:3], (np.exp(-0.2), 1.0, 10 ** (1 / 15)), strict=True):
        np.testing.assert_allclose(line.get_data(), mean_field.ordered_border(slope))
    assert {"edge", "6 ξ"} <= {text.get_text() for text in ax.texts}
    assert "4 of 6 points" in fig.get_label()
    assert "weight variance 3 and bias variance 0.5" in fig.get_label()


@pytest.mark.parametrize(("activation", "grows"), [("tanh", True), ("sigmoid", False)])
def test_the_gain_keeps_the_signal_but_not_the_gradient(activation, grows):
    right = mean_field.at_the_gain(activation).axes[1]
    signal, gradient = drawn(right, 1), drawn(right, 3)
    assert 0.3 < signal[-1] < 3
    assert gradient[0] > 10 if grows else gradient[0] < 1e-10


def test_hermite_weights_of_known_functions():
    relu = mean_field.hermite_weights("relu")
    np.testing.assert_allclose(relu[:4], [1 / np.pi, 0.5, 1 / (2 * np.pi), 0], atol=1e-9)
    assert np.abs(mean_field.hermite_weights("tanh")[::2]).max() < 1e-15


def test_series_draws_the_map():
    left, right = mean_field.series("relu").axes
    assert left.patches[0].get_height() == pytest.approx(1 / np.pi)
    assert drawn(right, 1)[10] == pytest.approx(theory.correlation_map("relu", 0.0, 1.0, 2.0))


def test_both_scales_draws_powers_of_chi():
    runs = {1: (np.full((3, 9), 2.0), np.full((3, 9), 0.5))}
    ax = mean_field.both_scales(1, runs).axes[0]
    slope = theory.chi("tanh", theory.fixed_point("tanh", 1, 0.05), 1)
    np.testing.assert_allclose(drawn(ax, 0), 2 * slope ** np.arange(8, -1, -1))
    np.testing.assert_allclose(drawn(ax, 2), 0.5 * slope ** np.arange(9))


def test_edges_draws_each_line():
    fig = mean_field.edges({"a": ([1, 2], [0, 1]), "b": ([3, 4], [0, 1])})
    assert list(fig.axes[0].lines[1].get_xdata()) == [3, 4]
    assert "b from 3.00 to 4.00" in fig.get_label()


def test_quadrature_errors_draws_each_rule():
    fig = mean_field.quadrature_errors("elu", [8, 16], {"elu": {"one": [1e-2, 1e-3], "two": [1e-6, 0]}})
    np.testing.assert_allclose(drawn(fig.axes[0], 1), [1e-6, 1e-16])
    assert "one 1e-03, two 1e-16" in fig.get_label()

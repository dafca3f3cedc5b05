"""What the figures of chapter 6 show is what they say."""

from types import SimpleNamespace

import numpy as np
import pytest

from netinit.figures import he


def run(*accuracy):
    return SimpleNamespace(history=SimpleNamespace(validation_accuracy=list(accuracy)))


def test_the_race_shows_medians_and_ends():
    def train(layers):
        runs = [run(0.1, 0.2 + layers / 100), run(0.1, 0.5), run(0.1, 0.9)]
        return {"Glorot": runs, "He": [run(0.1, 0.8)]}

    fig = he.depth_race(5, train=train)
    glorot, better = fig.axes[0].lines
    np.testing.assert_array_equal(glorot.get_ydata(), [0.1, 0.5])
    np.testing.assert_array_equal(better.get_ydata(), [0.1, 0.8])
    assert fig.get_label() == "5 layers: median validation accuracy after 1 epochs: Glorot 0.50, He 0.80."


@pytest.mark.parametrize(
    ("slope", "mean", "second", "variance"), [(0, 0.4, 0.5, "2.00"), (-1, 0.8, 1, "1.00"), (1, 0, 1, "1.00")]
)
def test_the_slope_has_its_mean_and_its_moment(slope, mean, second, variance):
    fig = he.slope(slope)
    line = fig.axes[0].lines[0]
    assert line.get_xdata()[0] == pytest.approx(mean, abs=0.02)
    assert f"second moment {second:.2f}" in fig.axes[0].get_title()
    assert f"the right weight variance is {variance} over n_in" in fig.get_label()


@pytest.mark.parametrize(("slope", "marked"), [(0, 1), (0.5, 0)])
def test_the_spike_is_explained_where_it_is_cut(slope, marked):
    assert len(he.slope(slope).axes[0].texts) == marked


def test_jumping_widths_show_theory_and_the_middle_half():
    predicted = {
        "fan_in": [np.array([2, 2]), np.array([0.5, 1])],
        "fan_out": [np.array([1, 4]), np.array([1, 1])],
    }
    runs = np.array([1, 2, 3, 4, 5.0])[:, None, None] * np.array(predicted["fan_in"]) / 3
    fig = he.jumping_widths(predicted, {"fan_in": runs, "fan_out": runs}, [60, 400])
    forward, backward = fig.axes
    np.testing.assert_array_equal(forward.lines[0].get_ydata(), [2, 2])
    np.testing.assert_array_equal(backward.lines[0].get_ydata(), [0.5, 1])
    dots, _, (bars,) = forward.containers[0]
    np.testing.assert_allclose(dots.get_ydata(), [2, 2])
    np.testing.assert_allclose(bars.get_segments()[0][:, 1], [4 / 3, 8 / 3])
    assert [label.get_text() for label in backward.get_xticklabels()] == ["1\n60", "2\n400"]
    assert "fan_in: forward x 1, backward x 0.5" in fig.get_label()


def test_the_layer_stands_between_its_neighbors():
    fig = he.layer()
    at = {text.get_text(): text.get_position() for text in fig.axes[0].texts}
    signals = [at[f"${name}$"][0] for name in (r"h^{\ell-1}", r"z^\ell", r"h^\ell", r"z^{\ell+1}")]
    assert signals == sorted(signals)
    pairs = ((r"\delta^\ell", r"z^\ell"), ("g", r"h^\ell"), (r"\delta^{\ell+1}", r"z^{\ell+1}"))
    for gradient, signal in pairs:
        assert at[f"${gradient}$"][0] == at[f"${signal}$"][0]
    assert signals[0] < at[r"$W^\ell$"][0] < signals[1]
    assert signals[2] < at[r"$W^{\ell+1}$"][0] < signals[3]
    halves = [text for text in fig.axes[0].texts if r"\frac{1}{2}" in text.get_text()]
    assert [signals[1] < half.get_position()[0] < signals[2] for half in halves] == [True, True]
    assert "through the same matrix" in fig.get_label()


PASSED = [np.ones((2, 64)), *[np.ones((2, 256))] * 100]


@pytest.mark.parametrize("scale", [0.5, 2, 4])
def test_the_digits_fade_as_the_theory_says(scale):
    fig = he.two_digits(scale, passed=PASSED, others=[1, 2])
    fast, steady, theory, measured = fig.axes[-1].lines
    assert fast.get_ydata().min() > 1e-12
    np.testing.assert_array_equal(steady.get_ydata(), [2.0] * 100)
    assert [text.get_text() for text in fig.axes[-1].texts] == ["1", "2"]
    np.testing.assert_allclose(theory.get_ydata(), measured.get_ydata())
    assert list(theory.get_xdata()) == list(range(5, 101, 5))
    np.testing.assert_allclose(theory.get_ydata()[-1], scale * (scale / 2) ** 99)
    images = [ax.images[0].get_array() for ax in fig.axes[:-1]]
    sizes = [image.shape[0] for image in images]
    assert sizes == [8, *[16] * 5] * 2
    np.testing.assert_allclose(images[3], (scale / 2) ** 5)
    assert fig.get_label().endswith(f"{scale * (scale / 2) ** 99:.1g} at layer 100.")


def test_the_fluctuation_is_the_column_of_its_depth():
    logs = {32: np.log([[10.0, 10.0, 10.0], [1e-3, 1e-2, 1e-1]])}
    fig = he.fluctuation(32, 2, logs=logs)
    heights = [patch.get_height() for patch in fig.axes[0].patches]
    assert np.count_nonzero(heights) == 3
    assert "the median is 0.01" in fig.get_label()
    assert fig.axes[0].get_title() == "2 layers, width 32: L / n = 0.062"


def test_the_formula_shows_its_weights_and_its_factor():
    weight, moments = np.full((6, 6), 0.1), np.array([1, 0.5, 0.25])
    fig = he.formula("half", measured={"half": (weight, moments, 0.5)})
    top, bottom = fig.axes
    assert max(top.lines[0].get_xdata()) == 1  # sqrt(6 / 6)
    theory, measured = bottom.lines
    np.testing.assert_array_equal(theory.get_ydata(), moments)
    np.testing.assert_array_equal(measured.get_ydata(), moments)
    assert "multiplied by 0.5 per layer and is 2e-01 at layer 3" in fig.get_label()

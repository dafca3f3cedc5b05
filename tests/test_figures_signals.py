"""What the pictures of chapter 1 show is what was measured, and what their labels say."""

import re
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from netinit import initialize, mlp, normal, trace
from netinit.figures import signals


def ydata(ax, label):
    (line,) = [line for line in ax.lines if line.get_label() == label]
    return np.asarray(line.get_ydata(), float)


# --- the core ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("std", "fate"), [(0.01, "zero"), (0.1, "size"), (1, "infinite")])
def test_the_crossing_ends_as_its_label_says(std, fate):
    fig = signals.crossing(std)
    sizes = np.asarray(fig.axes[1].lines[0].get_ydata(), float)
    assert f"ends like this: {fate}" in fig.get_label()
    if fate == "size":
        assert 0.1 < sizes[-1] < 10
        return
    layer = int(re.search(r"layer (\d+)", fig.get_label())[1])
    kept = np.isfinite(sizes) & (sizes > 0)
    assert list(np.flatnonzero(~kept)) == list(range(layer, 101))  # lost there, and for good
    assert 38 <= layer <= 46  # about one power of ten per layer, down or up


@pytest.mark.parametrize("std", [0.01, 0.06, 0.1, 1])
def test_the_crossing_marks_where_its_curve_ends(std):
    low = signals.crossing(std).axes[1]
    sizes, (layer, size) = np.asarray(low.lines[0].get_ydata(), float), np.ravel(low.lines[1].get_data())
    assert layer == np.flatnonzero(np.isfinite(sizes))[-1]
    assert [text.get_text() for text in low.texts] == [f"{sizes[int(layer)]:.1g}"] == [f"{size:.1g}"]


def test_the_crossing_says_what_its_colors_stand_for():
    bar = signals.crossing(0.1).axes[2]
    values = np.asarray(bar.images[0].get_array().filled(np.nan)).ravel()
    names = dict(zip(bar.get_yticks(), (label.get_text() for label in bar.get_yticklabels()), strict=True))
    assert {names[0]: values[0], names[4]: values[4], names[8]: values[8]} == {"2": 2, "0": 0, "−2": -2}
    assert names[9] == "NaN"
    assert np.isnan(values[9])


def test_the_crossing_changes_by_its_gain_in_each_layer():
    sizes = np.asarray(signals.crossing(0.12).axes[1].lines[0].get_ydata(), float)
    assert np.log10(sizes[100] / sizes[0]) == pytest.approx(100 * np.log10(1.2), abs=1)


def test_both_directions_draws_median_and_straight_line():
    layers = np.arange(1, 101)
    runs = np.array([[scale * 1.1**layers, scale * 1.1 ** (100 - layers)] for scale in (1, 2, 9)])
    up, down = signals.both_directions([1.1], {1.1: runs}).axes
    for ax, power in ((up, layers), (down, 100 - layers)):
        np.testing.assert_allclose(ax.lines[0].get_ydata(), 1.1 ** power[4::5])
        np.testing.assert_allclose(ax.containers[0][0].get_ydata(), 2 * 1.1 ** power[4::5])


def area(column):
    """The upper panel's curves, and the area that the lower one fills, for one gain."""
    top, low = column
    z, density = top.lines[0].get_data()
    outline = low.collections[0].get_paths()[0].vertices[:, 1]
    return z, density, top.lines[1].get_ydata(), outline


@pytest.mark.parametrize(("gain", "slope", "factor"), [(2, 0.341, 1.17), (10, 0.055, 2.35)])
def test_slopes_fill_the_chi_that_they_name(gain, slope, factor):
    fig = signals.slopes(gain)
    z, density, squared, outline = area(fig.axes)
    step = z[1] - z[0]
    assert squared[z == 0] == 1
    assert np.sum(density * squared) * step == pytest.approx(slope, abs=1e-3)
    assert np.sum(outline[: len(z) + 1]) * step == pytest.approx(factor**2, rel=0.02)  # the upper edge
    assert outline.max() == pytest.approx(gain**2 * density.max())  # at z = 0
    assert f"slope of tanh is {slope}, times" in fig.get_label()
    assert f"a factor of {factor} per layer" in fig.get_label()


def test_slopes_beside_each_other_share_their_scales():
    fig = signals.slopes_beside([1.4, 2, 10])
    top, low = np.reshape(fig.axes, (2, 3))
    assert [ax.get_title() for ax in low] == ["area χ = 1.10", "area χ = 1.36", "area χ = 5.54"]
    for row in (top, low):
        assert len({ax.get_ylim() for ax in row}) == len({ax.get_xlim() for ax in row}) == 1
    for gain, column in zip((1.4, 2, 10), zip(top, low, strict=True), strict=True):
        *_, outline = area(column)
        assert outline.max() < column[1].get_ylim()[1]
        assert f"Gain {gain}:" in fig.get_label()


COLUMNS = ("rms", "gradient_std", "predicted_rms", "predicted_gradient_std")


@pytest.fixture(scope="module")
def net():
    rng = np.random.default_rng(0)
    model = mlp([100] * 11, "tanh", bias=False).astype(np.float64)
    initialize(model, partial(normal, std=0.2), rng)
    return trace(model, *rng.standard_normal((1, 50, 100)), output_gradient=rng.standard_normal((50, 100)))


def test_both_ways_shows_the_trace_and_says_how_far_each_way_went(net):
    fig = signals.both_ways({(2, "tanh"): net}, 2, "tanh")
    rms, gradient = net.column("rms", "Linear"), net.column("gradient_std", "Linear")
    drawn = [line.get_ydata() for line in fig.axes[0].lines]
    predicted = [net.column(f"predicted_{name}", "Linear") for name in ("rms", "gradient_std")]
    np.testing.assert_array_equal(drawn, [predicted[0], rms, predicted[1], gradient])
    assert [text.get_text() for text in fig.axes[0].texts] == ["signal z →", "← gradient"]
    assert f"a factor of {rms[-1] / rms[0]:.2g};" in fig.get_label()
    assert fig.get_label().endswith(f"changes by {gradient[0] / gradient[-1]:.2g}.")


def test_the_axis_of_both_ways_follows_the_data(net):
    for factor in (1, 1e-9):
        columns = {name: factor * net.column(name, "Linear") for name in COLUMNS}
        scaled = SimpleNamespace(column=lambda name, _kind, columns=columns: columns[name])
        ax = signals.both_ways({(2, "tanh"): scaled}, 2, "tanh").axes[0]
        low, high = ax.get_ylim()
        values = np.concatenate([line.get_ydata() for line in ax.lines])
        assert low <= values.min() < values.max() < high
        assert low > 1e-4 * values.min()  # no decades without data, where the data leave 0.01 to 100
        assert high >= 1e2


def test_the_names_of_both_ways_keep_off_the_curves():
    up, back = np.full(30, 10.0), np.logspace(11, 0, 30)  # tanh with a gain of 10
    columns = dict(zip(COLUMNS, (up, back, up, back), strict=True))
    flat = SimpleNamespace(column=lambda name, _kind: columns[name])
    fig = signals.both_ways({(10, "tanh"): flat}, 10, "tanh")
    fig.canvas.draw()
    ax = fig.axes[0]
    for text in ax.texts:
        box = text.get_window_extent().transformed(ax.transAxes.inverted())
        assert 0 <= box.x0 < box.x1 <= 1
        for line in ax.lines:
            at = ax.transAxes.inverted().transform(ax.transData.transform(line.get_xydata()))
            assert not ((box.min < at) & (at < box.max)).all(axis=1).any()


def test_powers_of_ten_are_written_in_plain_letters(net):
    fig = signals.both_ways({(2, "tanh"): net}, 2, "tanh")
    fig.canvas.draw()
    assert {"10⁻²", "10⁰", "10²"} <= {label.get_text() for label in fig.axes[0].get_yticklabels()}


def test_pale_colors_keep_their_hue_in_an_interactive_figure():
    shades = np.rint(255 * signals.SHADES(np.arange(signals.SHADES.N))[:, :3]).astype(int)
    assert (shades % 17 == 0).all()  # the 16 shades per channel that a frame keeps
    red, _, blue = shades.T
    assert (red < blue).tolist() == [True] * 4 + [False] * 5
    assert (red > blue).tolist() == [False] * 5 + [True] * 4


def test_stripes_count_what_the_units_share():
    rng = np.random.default_rng(0)
    apart = rng.standard_normal((40, 100))
    same = np.repeat(apart[:, :1], 100, axis=1)
    for outputs, share in ((apart, "1%"), (same, "100%"), (9 * same, "100%")):
        fig = signals.stripes({0.02: outputs}, 0.02)
        assert f"share {share} of its second moment" in fig.get_label()
        image = np.asarray(fig.axes[0].images[0].get_array())
        np.testing.assert_allclose(image, np.clip(outputs / np.sqrt(np.mean(outputs**2)), -2, 2))


# --- the deeper page ---------------------------------------------------------------------------------------


def test_journeys_are_in_powers_of_ten_beside_their_theory():
    logs = np.log(10) * np.outer(np.arange(101) / 100, [-2, -1, 0])
    fig = signals.journeys({16: logs}, 16)
    ax = fig.axes[0]
    assert [line.get_ydata()[-1] for line in ax.lines[:3]] == pytest.approx([-2, -1, 0])
    assert ydata(ax, "theory: middle")[-1] == pytest.approx(-100 / 32 / np.log(10))
    assert "100 layers the middle two thirds of 3 networks" in fig.get_label()


def test_lost_layers_part_zeros_from_infinities():
    stds = np.array([0.01, 0.1, 1.0])
    lost = {100: {"float32": [45.0, np.nan, 39.0]}}
    fig = signals.lost_layers({"float32": (3.4e38, 1.4e-45)}, lost, stds, "float32", 100)
    ax = fig.axes[0]
    np.testing.assert_array_equal(ydata(ax, "all zero"), [45, np.nan])
    np.testing.assert_array_equal(ydata(ax, "infinity"), [39])
    fine, line = ax.lines[0].get_data()
    assert np.interp(1, fine, line) == pytest.approx(38.5, abs=0.1)
    assert fig.get_label().endswith("The safe std is 0.100. At std 1: lost at layer 39.")


def test_remedies_show_signal_and_gradient():
    fig = signals.remedies({(2.0, "sum"): (np.array([1.0, 3.0]), np.array([5.0, 2.0]))}, 2.0, "sum")
    np.testing.assert_array_equal(ydata(fig.axes[0], "signal, std"), [1, 3])
    np.testing.assert_array_equal(ydata(fig.axes[0], "gradient, std"), [5, 2])
    assert "std 3.0e+00 after the last block, the gradient 5.0e+00" in fig.get_label()

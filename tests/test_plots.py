"""What a reader sees in the shared figures: the right data in the right place."""

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest

from netinit import plots
from netinit.training import History


@pytest.fixture
def ax():
    fig, ax = plt.subplots()
    yield ax
    plt.close(fig)


RUNS = np.array([[1.0, 5.0], [2.0, 6.0], [9.0, 7.0]])  # (n_runs, x)


def test_lines_show_median_and_range(ax):
    assert plots.lines_with_spread(ax, [10, 20], RUNS, "He") is ax
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), [[10, 2], [20, 6]])
    band = ax.collections[0].get_paths()[0].vertices
    assert {(10, 1), (10, 9), (20, 5), (20, 7)} <= {tuple(v) for v in band}
    assert ax.get_legend_handles_labels()[1] == ["He"]


def test_theory_is_a_line_and_measurement_is_dots(ax):
    plots.theory_and_measurement(ax, [10, 20], [1.5, 6.5], RUNS, "He")
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [1.5, 6.5])
    dots = ax.containers[0][0]
    np.testing.assert_array_equal(dots.get_ydata(), [2, 6])
    assert ax.get_legend_handles_labels()[1] == ["He, theory", "He, measured"]


def test_histograms_keep_what_lies_beyond_the_limits():
    fig, axes = plt.subplots(1, 2)
    plots.layer_histograms(axes, [np.array([-9.0, 0.0, 9.0]), np.zeros(4)], limits=(-1, 1))
    heights = [patch.get_height() * patch.get_width() for patch in axes[0].patches]
    np.testing.assert_allclose([heights[0], heights[-1], sum(heights)], [1 / 3, 1 / 3, 1])
    plt.close(fig)


def test_heatmap_writes_each_number_and_leaves_nan_empty(ax):
    plots.heatmap(ax, np.array([[0.1, 0.25], [np.nan, 1.0]]), ["a", "b"], [1, 2])
    assert {(t.get_position(), t.get_text()) for t in ax.texts} == {
        ((0, 0), "0.10"),
        ((1, 0), "0.25"),
        ((1, 1), "1.00"),
    }


@pytest.mark.parametrize("runs", [[], [[1.0]], [1.0, 2.0], np.empty((0, 2))])
def test_runs_that_fit_no_axis_are_refused(ax, runs):
    for draw in (
        plots.lines_with_spread,
        lambda *a: plots.theory_and_measurement(a[0], a[1], [1, 2], *a[2:]),
    ):
        with pytest.raises(ValueError, match=r"runs must have the shape \(n_runs, 2\) and a row at least"):
            draw(ax, [10, 20], runs, "He")


@pytest.mark.parametrize("values", [np.empty((0, 0)), [[np.nan, np.nan]], [[1.0]]])
def test_a_heatmap_without_numbers_is_refused(ax, values):
    with pytest.raises(ValueError, match=r"values must have the shape \(1, 2\) and a finite number"):
        plots.heatmap(ax, values, ["a"], [1, 2])


def training_runs():
    history = History([2, 1], [0.1, 0.5], [2.0, 1.0], [0.1, 0.5])
    stopped = History([2, np.nan], [0.1, 0.0], [2.0, np.nan], [0.1, 0.0], diverged_at=1)
    return {
        "He": [SimpleNamespace(history=history, probes=[np.array([1.0, 0.9]), np.array([1.1, 0.8])])],
        "std 9": [SimpleNamespace(history=stopped, probes=[np.array([9.0, 0.0])])],
    }


@pytest.mark.parametrize("epoch", [0, 1])
def test_training_frame_shows_the_past_only_on_fixed_axes(epoch):
    fig = plots.training_frame(training_runs(), epoch)
    loss, accuracy, spread = fig.axes
    np.testing.assert_array_equal(loss.lines[0].get_ydata(), [2.0, 1.0][: epoch + 1])
    np.testing.assert_array_equal(accuracy.lines[0].get_ydata(), [0.1, 0.5][: epoch + 1])
    np.testing.assert_array_equal(spread.lines[0].get_ydata(), [[1.0, 0.9], [1.1, 0.8]][epoch])
    assert loss.get_xlim() == accuracy.get_xlim() == (0, 1)
    assert f"After epoch {epoch}. He: accuracy {[0.1, 0.5][epoch]:.2f}" in fig.get_label()
    assert (spread.get_title(), spread.get_xlabel()) == ("activation std", "layer")
    plt.close(fig)


def test_training_frame_shows_whole_dots():
    fig = plots.training_frame(training_runs(), 0)
    loss, accuracy, _ = fig.axes
    assert not any(line.get_clip_on() for line in [*loss.lines, *accuracy.lines])
    plt.close(fig)


def test_training_frame_labels_its_logarithmic_axes_with_plain_numbers():
    loss, _, spread = plots.training_frame(training_runs(), 1).axes
    low, high = loss.get_ylim()
    shown = [
        label.get_text()
        for label, at in zip(loss.get_yticklabels(), loss.get_yticks(), strict=True)
        if low < at < high
    ]
    assert shown == ["1", "2"]
    assert len(loss.yaxis.get_minorticklocs()) == len(spread.yaxis.get_minorticklocs()) == 0


def test_training_frame_names_what_the_probe_measured():
    fig = plots.training_frame(training_runs(), 1, std="branch output std", place="block")
    assert (fig.axes[2].get_title(), fig.axes[2].get_xlabel()) == ("branch output std", "block")
    assert "branch output std of the last block 0.8" in fig.get_label()
    plt.close(fig)

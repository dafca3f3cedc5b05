"""What chapter 11's figures draw: the medians, weights and similarities handed in."""

import matplotlib
import numpy as np
import pytest

from netinit import evaluate, initialize, load_digits, mlp
from netinit.figures import transfer

RUNS = {"from scratch": np.array([[0.2, 0.9], [0.4, 0.9]]), "old weights": np.array([[0.8, 0.9], [0.9, 1.0]])}


@pytest.mark.parametrize(("shift", "lines"), [("negative", 3), ("other digits", 2)])
def test_labels_draws_both_starts_the_old_network_and_six_images(shift, lines):
    digits = load_digits(lambda images: 16 - images)
    model = initialize(mlp([64, 10]), "xavier_normal", np.random.default_rng(0))
    fig = transfer.labels(
        shift,
        labels=[1, 40],
        accuracy={shift: RUNS},
        worlds={shift: digits},
        sources={shift: [model]},
        changes={"negative": lambda images: 16 - images},
    )
    *pictures, ax = fig.axes
    assert len(pictures) == 6
    blank = {"negative": 16, "other digits": 0}[shift]
    assert all(picture.images[0].get_array()[0, 0] == blank for picture in pictures)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [0.3, 0.9])
    np.testing.assert_allclose(ax.lines[1].get_ydata(), [0.85, 0.95])
    assert len(ax.lines) == lines
    if lines == 3:
        right = evaluate(model, digits.x_test, digits.y_test)[1]
        np.testing.assert_allclose(ax.lines[2].get_ydata(), right)
    assert "from scratch: 0.30 with 1 label, 0.90 with 40" in fig.get_label()


def test_heads_highlights_the_chosen_scale():
    drift = {0.1: [[0, 0.2], [0, 0.4]], 3: [[0, 0.9], [0, 1.1]]}
    fig = transfer.heads(3, drift=drift, accuracy={0.1: [0.8, 0.9], 3: [0.7]})
    left, right = fig.axes
    np.testing.assert_allclose([line.get_ydata() for line in left.lines], [[0, 0.3], [0, 1.0]])
    np.testing.assert_allclose([bar.get_height() for bar in right.patches], [0.85, 0.7])
    assert [bar.get_facecolor() == matplotlib.colors.to_rgba("C0") for bar in right.patches] == [False, True]
    assert "moved by 100% of their size; test accuracy 0.70" in fig.get_label()


def test_first_step_draws_the_line_and_the_runs():
    fig = transfer.first_step([0.01, 1], [1, 100], np.array([[1, 90], [1, 130]]))
    np.testing.assert_array_equal(fig.axes[0].lines[0].get_ydata(), [1, 100])
    np.testing.assert_array_equal(fig.axes[0].containers[0][0].get_ydata(), [1, 110])


def test_clouds_draws_the_plane_of_the_last_epoch_and_counts_who_is_near_its_own():
    classes = np.array([0, 0, 1, 1])
    apart = np.array([[-3.0, 0, 0.1], [-3, 0, -0.1], [3, 1, 0], [3, -1, 0]])
    mixed = apart[[0, 2, 2, 3]]
    fig = transfer.clouds(0, features={"old": [apart, apart], "new": [mixed, apart]}, classes=classes)
    for ax, points in zip(fig.axes, (apart, mixed), strict=True):
        drawn = np.concatenate([line.get_xydata() for line in ax.lines])
        np.testing.assert_allclose(np.abs(drawn), np.abs(points[:, :2]), atol=1e-9)
    assert "old: 100%; new: 75%" in fig.get_label()


def test_old_rates_names_the_best_factor_of_each_row():
    values = np.array([[0.5, 0.4], [0.6, 0.9]])
    fig = transfer.old_rates("noise", labels=[1, 40], factors=[0, 1], accuracy={"noise": values})
    np.testing.assert_array_equal(fig.axes[0].images[0].get_array(), values)
    assert "1: 0, 40: 1" in fig.get_label()


def test_similarity_highlights_the_chosen_world():
    similar = {"noise": np.array([[0.5, 0.8], [0.7, 1.0]]), "negative": np.array([[-1, -0.5]])}
    fig = transfer.similarity("noise", similar=similar)
    np.testing.assert_allclose(fig.axes[0].lines[0].get_ydata(), [-1, -0.5])
    np.testing.assert_allclose(fig.axes[0].lines[1].get_ydata(), [0.6, 0.9])
    assert "noise: similarity from the image to the logits: 0.60, 0.90" in fig.get_label()

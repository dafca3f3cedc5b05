"""What chapter 11's figures draw: the medians, weights and similarities handed in."""

import numpy as np
import pytest

from netinit import load_digits
from netinit.figures import transfer

RUNS = {
    "from scratch": np.array([[0.2, 0.9], [0.4, 0.9]]),
    "copied layers": np.array([[0.8, 0.9], [0.9, 1.0]]),
}


def negative(images):
    return 16 - images


@pytest.mark.parametrize(("number", "words"), [(1, "1 label per class"), (40, "40 labels per class")])
def test_procedure_draws_source_over_target_and_a_bar_for_each_start(number, words):
    fig = transfer.procedure(number, labels=[1, 40], accuracy=RUNS, change=negative)
    drawing, bars = fig.axes
    pictures = [image.get_array() for image in drawing.images]
    np.testing.assert_array_equal(pictures[3:], negative(np.array(pictures[:3])))
    names = [text.get_text() for text in drawing.texts]
    assert names.count("layer 1") == names.count("layer 2") == names.count("copy") == 2
    assert {"old head", "new head"} <= set(names)
    column = {1: [0.3, 0.85], 40: [0.9, 0.95]}[number]
    np.testing.assert_allclose([bar.get_width() for bar in bars.patches], column)
    assert bars.get_title() == f"test accuracy, {words}"
    assert [text.get_text() for text in bars.texts] == [f"{value:.2f}" for value in column]
    assert bars.get_xticklabels()[0].get_text() == "0.1, guessing"
    assert f"{words}: from scratch {column[0]:.2f}; copied layers {column[1]:.2f}." in fig.get_label()


@pytest.mark.parametrize(("target", "blank"), [("negative", 16), ("other digits", 0)])
def test_labels_draws_both_starts_and_six_images(target, blank):
    fig = transfer.labels(target, labels=[1, 40], accuracy={target: RUNS}, changes={"negative": negative})
    *pictures, ax = fig.axes
    assert len(pictures) == 6
    assert all(picture.images[0].get_array()[0, 0] == blank for picture in pictures)
    np.testing.assert_allclose([line.get_ydata() for line in ax.lines], [[0.3, 0.9], [0.85, 0.95]])
    assert [(t.get_text(), t.get_color()) for t in ax.texts] == [
        ("from scratch", "C1"),
        ("copied layers", "C0"),
    ]
    assert "from scratch: 0.30 with 1 label, 0.90 with 40" in fig.get_label()


def test_unit_view_shows_the_weights_the_ink_and_their_products():
    weights, seen = np.arange(64) - 20.0, {"upright": np.arange(64.0), "negative": -np.ones(64)}
    sums = {"upright": 3, "noise": 2, "negative": -0.04}
    fig = transfer.unit_view(weights, seen, sums, changes={"negative": negative}, image=2)
    (first, *top), (_, *low) = np.reshape(fig.axes, (2, 3))
    np.testing.assert_array_equal(first.images[0].get_array(), weights.reshape(8, 8))
    for ax, change in zip(top, (lambda images: images, negative), strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), change(transfer._pictures()[2]))
    for ax, pixels in zip(low, seen.values(), strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array().ravel(), weights * pixels)
    assert [ax.get_xlabel() for ax in low] == ["3.0", "0.0"]
    assert "The sums: upright 3.0, negative 0.0." in fig.get_label()


def test_the_images_of_other_digits_are_those_of_the_target():
    digits = load_digits(lambda images: images)
    drawn = transfer._pictures(classes=slice(5, None))
    raw = []
    load_digits(lambda images: raw.append(images) or images)
    np.testing.assert_array_equal(drawn, raw[0][-len(digits.y_test) :][digits.y_test >= 5][:6])


def test_heads_draws_a_line_and_a_bar_for_each_scale_and_names_close_lines_together():
    drift = {0.1: [[0, 0.2], [0, 0.4]], 0.3: [[0, 0.32]], 3: [[0, 0.9], [0, 1.1]]}
    fig = transfer.heads(drift=drift, accuracy={0.1: [0.8, 0.9], 0.3: [0.8], 3: [0.7]}, scratch=0.6)
    left, right = fig.axes
    np.testing.assert_allclose([line.get_ydata() for line in left.lines], [[0, 0.3], [0, 0.32], [0, 1.0]])
    np.testing.assert_allclose([bar.get_height() for bar in right.patches], [0.85, 0.8, 0.7])
    assert [text.get_text() for text in left.texts] == ["x 0.1, 0.3", "x 3"]
    assert [text.get_text() for text in right.texts] == ["0.85", "0.80", "0.70", "from scratch: 0.60"]
    assert right.lines[-1].get_ydata() == [0.6, 0.6]
    assert fig.get_label().endswith("0.1: 30% and 0.85; 0.3: 32% and 0.80; 3: 100% and 0.70.")


@pytest.mark.parametrize(
    ("scale", "words"), [(0.01, "1.0-fold, head 1.0-fold"), (1, "110.0-fold, head 3.0-fold")]
)
def test_first_step_draws_the_theory_the_runs_and_the_probabilities_of_the_scale(scale, words):
    old, head = np.array([[1, 50, 90], [1, 50, 130]]), np.array([[1, 1, 2], [1, 1, 4]])
    p = np.array([[0.1] * 10, [0.1] * 10, [0.9, 0.1] + [0] * 8])
    scales = [0.01, 0.5, 1]
    fig = transfer.first_step(scale, scales=scales, old=old, head=head, probabilities=p, label=1)
    top, low = fig.axes
    assert [bar.get_height() for bar in top.patches] == list(p[scales.index(scale)])
    assert [box[0].get_ydata().tolist() for box in low.containers] == [[1, 50, 110], [1, 1, 3]]
    band, *lines = [line for line in low.lines if line.get_linestyle() == "-"]
    assert list(band.get_xdata()) == [scale, scale]
    np.testing.assert_allclose([line.get_ydata() for line in lines], [[1, 50, 100], [1, 1, 1]])
    assert (
        f"the label gets a probability of 0.10. First gradient relative to a head x 0.01: layer 1 {words}."
        in (fig.get_label())
    )


def test_clouds_draws_the_plane_of_the_means_and_fills_who_is_near_its_own():
    classes = np.array([0, 0, 1, 1])
    apart = np.array([[-3.0, 0, 0.1], [-3, 0, -0.1], [3, 1, 0], [3, -1, 0]])
    mixed = apart[[0, 2, 2, 3]]
    fig = transfer.clouds(features={"old": (apart, apart), "new": (mixed, apart)}, classes=classes, shown=2)
    drawn = np.concatenate([line.get_xydata() for line in fig.axes[0].lines])
    np.testing.assert_allclose(np.abs(drawn[:, 0]) / np.abs(drawn[0, 0]), 1)  # along the line of the means
    assert [text.get_text() for text in fig.axes[0].texts] == ["0", "1"]
    hollow = [line for ax in fig.axes for line in ax.lines if line.get_markerfacecolor() == "none"]
    assert [len(line.get_xdata()) for line in hollow] == [0, 0, 1, 0, 0, 0, 0, 0]
    titles = [ax.get_title() for ax in fig.axes]
    assert titles == [
        f"{who},\n{when} training: {share}"
        for when, who, share in (
            ("before", "old", "1.00"),
            ("before", "new", "0.75"),
            ("after", "old", "1.00"),
            ("after", "new", "1.00"),
        )
    ]
    assert "old before training 1.00, old after training 1.00, new before training 0.75" in fig.get_label()


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

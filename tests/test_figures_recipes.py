"""The pictures of the chapter on modern recipes: the data they draw, and what their labels say."""

import numpy as np

from netinit.figures import recipes


def row(width, scheme, lr, loss):
    return {"width": width, "scheme": scheme, "lr": lr, "loss": [loss / 2, loss, loss * 3]}


ROWS = [
    row(64, "standard", 0.01, 0.2),
    row(64, "standard", 0.1, 0.5),
    row(64, "muP", 0.01, 0.2),
    row(64, "muP", 0.1, 0.5),
    row(128, "standard", 0.01, 0.9),
    row(128, "standard", 0.1, 0.8),
    row(128, "muP", 0.01, 0.1),
    row(128, "muP", 0.1, 0.4),
]


def test_best_rate_has_the_smallest_median():
    assert recipes.best_rate(ROWS, 128, "standard") == 0.1
    assert recipes.best_rate(ROWS, 128, "muP") == 0.01


def test_transfer_draws_the_medians_beside_the_tuned_rate():
    fig = recipes.transfer(128, ROWS)
    tuned, standard, walked, ring, mup, _, other_ring = fig.axes[0].lines
    assert tuned.get_xdata()[0] == 0.01
    np.testing.assert_allclose(standard.get_xydata(), [[0.01, 0.9], [0.1, 0.8]])
    np.testing.assert_allclose(mup.get_ydata(), [0.1, 0.4])
    np.testing.assert_allclose([ring.get_xydata()[0], other_ring.get_xydata()[0]], [[0.1, 0.8], [0.01, 0.1]])
    np.testing.assert_allclose(walked.get_xydata(), [[0.01, 0.2], [0.1, 0.8]])  # the rings so far
    assert [text.get_text() for text in fig.axes[0].texts] == ["0.800", "0.100"]
    assert "standard is best at a rate of 0.1; muP is best at a rate of 0.01" in fig.get_label()


MOVES = {
    "standard": {64: np.array([[[1, 2, 4], [3, 3, 3]]] * 3), 256: np.array([[[1, 8, 64], [3, 3, 3]]] * 3)},
    "muP": {64: np.ones((3, 2, 3)), 256: np.ones((3, 2, 3))},
}


def test_coordinate_check_draws_one_panel_a_scheme_and_one_line_a_layer():
    fig = recipes.coordinate_check(1, MOVES)
    standard, mup = fig.axes
    assert [ax.get_title() for ax in fig.axes] == ["standard", "muP"]
    np.testing.assert_allclose([line.get_ydata() for line in standard.lines], [[1, 1], [2, 8], [4, 64]])
    np.testing.assert_allclose([line.get_ydata() for line in mup.lines], 1)
    assert {line.get_color() for line in standard.lines} == {recipes.STANDARD}
    assert "standard: layer 1 x 1, layer 2 x 4, logits x 16; muP: layer 1 x 1" in fig.get_label()
    assert standard.get_ylim() == mup.get_ylim() == recipes.coordinate_check(2, MOVES).axes[0].get_ylim()


def test_coordinate_check_shows_the_step_asked_for():
    lines = recipes.coordinate_check(2, MOVES).axes[0].lines
    np.testing.assert_allclose([line.get_ydata() for line in lines], 3)


def test_recipes_names_each_start_and_marks_what_overflowed():
    nan = float("nan")
    streams = {"A": [1, 5], "B": [1, 2], "C": [1, 1]}
    fig = recipes.recipes(streams, {"A": [0.1, nan], "B": [0.6, 0.4], "C": [nan, nan]}, [0.01, 0.1])
    left, right = fig.axes
    assert [line.get_ydata().tolist() for line in left.lines] == [[1, 5], [1, 2], [1, 1]]
    crosses = [line.get_xdata().tolist() for line in right.lines if line.get_marker() == "x"]
    assert crosses == [[0.1], [], [0.01, 0.1]]
    assert [text.get_text() for text in right.get_legend().get_texts()] == ["A", "B", "C"]
    assert "A, rms of the stream from 1 to 5, 1 of 2 rates overflow" in fig.get_label()


def test_running_sums_end_where_the_parts_do():
    h, after, W = np.array([1.0, 2, 0]), np.array([1.0, 2.5, 0.5]), np.array([[1.0], [2], [4]])
    steps = {3: [(h, after, W, W + 0.001), (h, after, W, W - 0.001)]}
    fig = recipes.running_sums(3, steps, label=0)
    unit = np.sqrt(0.5 / 3)  # the rms of the change below
    own, below, back, again = [ax.lines[0].get_ydata() for ax in fig.axes]
    np.testing.assert_allclose(own, [1, 3, 3])
    np.testing.assert_allclose(below, np.array([0, 1, 3]) / unit)
    np.testing.assert_allclose(back, [-1, -3, -3])
    np.testing.assert_allclose(again, below)
    assert "layer 2: own step 3.0, from below 7.3; logits: own step 3.0, from below 7.3" in fig.get_label()


def test_the_band_of_random_signs_is_twice_the_root_of_the_summed_squares():
    h, after, W = np.ones(3), np.zeros(3), np.array([[1.0, 1], [2, 2], [2, 2]])
    fig = recipes.running_sums(3, {3: [(h, after, W, W + 1)] * 2}, label=0)
    (band,) = fig.axes[1].collections
    assert band.get_paths()[0].vertices[:, 1].max() == 6


def test_the_digits_own_class_is_named_if_it_is_shown():
    h, after, W = np.ones(2), np.zeros(2), np.ones((2, 2))
    for label, named in ((1, True), (2, False)):
        fig = recipes.running_sums(2, {2: [(h, after, W, W + 1)] * 2}, label)
        names = [text.get_text() for text in fig.axes[3].texts]
        assert (f"own class, {label}" in names) == named


def test_votes_count_who_follows_one_of_several():
    for units_above, agree in ((1, 100), (3, 75), (5, 69)):
        fig = recipes.votes(units_above)
        up, down = fig.axes[0].collections
        assert agree == up.N
        assert 100 - agree == down.N
        assert f"of 100 units below {agree} move as the one unit asks" in fig.get_label()
        assert f"surplus {2 * agree - 100}" in [text.get_text() for text in fig.axes[1].texts]


def test_the_legend_says_the_loss_at_the_tuned_rate():
    names = [text.get_text() for text in recipes.transfer(128, ROWS).axes[0].get_legend().get_texts()]
    assert names == ["standard: 0.900", "muP: 0.100"]


def test_the_title_says_what_a_run_costs():
    assert "128: a run costs 3 x one at width 64" in recipes.transfer(128, ROWS).axes[0].get_title()
    assert recipes.transfer(64, ROWS).axes[0].get_title() == "width 64"


def test_learned_scales_draws_the_medians():
    fig = recipes.learned_scales("G", {"G": [[0.1, 1], [0.2, 2], [0.9, 3]]}, ["first", "last"])
    np.testing.assert_allclose([bar.get_height() for bar in fig.axes[0].patches], [0.2, 2])
    assert "first 0.2, last 2" in fig.get_label()

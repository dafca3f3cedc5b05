"""What the pictures of chapter 8 show is what they are given, and what they say."""

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from netinit import fixup, initialize, load_digits, residual_mlp
from netinit.figures import fixup as figures


def run(losses, diverged_at=None):
    return SimpleNamespace(history=SimpleNamespace(train_loss=losses, diverged_at=diverged_at))


def test_depth_marks_what_overflows_and_cuts_at_the_ceiling():
    runs = {
        4: {"He": [run([2.0, 1e9, np.nan], 2), run([2.0, 0.5, 0.4])], "Fixup": [run([2.0, 1.0, 0.25])] * 2}
    }
    runs[4]["plain"] = [run([2.0, 2.0, 2.0])]
    fig = figures.depth(runs, blocks=4)
    plain, first, second, *_ = [line for line in fig.axes[0].lines if len(line.get_xdata())]
    np.testing.assert_array_equal(plain.get_ydata(), [2, 2, 2])
    np.testing.assert_array_equal(first.get_ydata(), [2, figures.CEILING])
    assert (first.get_marker(), second.get_marker()) == ("x", "")
    names = [text.get_text() for text in fig.axes[0].get_legend().get_texts()]
    assert names == ["plain", "He", "Fixup", "overflows next"]
    assert fig.axes[0].lines[-1].get_ydata()[0] == np.log(10)
    assert (
        fig.get_label() == "Training losses, 4 blocks: 0 of 1 plain networks end below 1, 0 overflow; "
        "1 of 2 He networks end below 1, 1 overflow; 2 of 2 Fixup networks end below 1, 0 overflow."
    )


@pytest.mark.parametrize("sizes", [[], ["q", "half", "one", "2q"]])
def test_a_block_has_its_parts_in_order_and_the_sizes_behind_them(sizes):
    fig = figures.block(["relu", "W"], sizes)
    texts = {text.get_text(): text.get_position() for text in fig.axes[0].texts}
    assert texts["relu"][0] < texts["W"][0] < texts["+"][0]
    assert texts["relu"][1] < texts["+"][1]
    if sizes:
        assert texts["relu"][0] < texts["half"][0] < texts["W"][0] < texts["one"][0] < texts["+"][0]
        assert texts["2q"][0] == texts["$h + f(h)$"][0]


def test_a_long_branch_runs_in_rows_of_three():
    fig = figures.block(list("abcdefg"))
    places = {text.get_text(): text.get_position() for text in fig.axes[0].texts}
    assert [places[name] for name in "adg"] == [(1, 0), (1, -1), (1, -2)]
    assert max(x for x, _ in places.values()) < fig.axes[0].get_xlim()[1]


def test_the_parts_that_fixup_changes_have_its_color():
    fig = figures.block(["a", "b"], changed={"b"})
    border = {
        text.get_text(): text.get_bbox_patch().get_edgecolor()
        for text in fig.axes[0].texts
        if text.get_text() in ("a", "b")
    }
    assert border["b"] == to_rgba(figures.STYLES["Fixup"]["color"])
    assert border["a"] != border["b"]


def test_growth_names_each_line_at_its_end_in_its_color():
    theory = {"He": np.array([1.0, 2.0]), "He/√N": np.array([1.0, 1.5])}
    fig = figures.growth(theory, {start: np.array([[1.0, 2.1], [1.0, 2.3]]) for start in theory})
    lines = [line for line in fig.axes[0].lines if (line.get_label() or "").endswith("theory")]
    for line, text, (start, values) in zip(lines, fig.axes[0].texts, theory.items(), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), values)
        assert (text.get_text(), text.get_position()[1]) == (start, values[-1])
        color = figures.STYLES[start]["color"]
        assert to_rgba(line.get_color()) == to_rgba(text.get_color()) == to_rgba(color)


def small(blocks, rng):
    return initialize(residual_mlp(64, 8, blocks, 10), "he_normal", rng)


def test_head_to_tail_starts_at_zero_with_a_mean_arrow_of_one():
    digits = load_digits()
    fig = figures.head_to_tail(small, digits.x_train[:20], digits.y_train[:20], blocks=4)
    ends = []
    for arrows in fig.axes[0].collections:
        steps = np.column_stack([arrows.U, arrows.V])
        assert len(steps) == 4
        assert np.linalg.norm(steps, axis=1).mean() == pytest.approx(1)
        np.testing.assert_allclose(arrows.get_offsets()[0], [0, 0])
        np.testing.assert_allclose(arrows.get_offsets()[1:], np.cumsum(steps, axis=0)[:-1], atol=1e-9)
        ends.append(f"{np.linalg.norm(steps.sum(axis=0)):.0f}")
    others, first, change = ends[:4], ends[4], ends[5]
    words = f"changes by one step {change}, outputs at the start {', '.join([first, *others])}."
    assert fig.get_label().endswith(words)


def test_head_to_tail_shows_the_chosen_image_with_its_right_class_upward():
    digits = load_digits()
    x, y = digits.x_train[:20].astype(np.float64), digits.y_train[:20]
    model = small(4, np.random.default_rng(5)).astype(np.float64)
    outputs = figures._outputs(model, x[3:4])
    np.testing.assert_allclose(outputs[-1], model(x)[3])
    arrows = figures.head_to_tail(small, x, y, blocks=4, image=3).axes[0].collections[4]  # at the start
    shown = outputs[:, y[3]]
    np.testing.assert_allclose(arrows.V / arrows.V[0], np.diff(shown) / (shown[1] - shown[0]))


def test_the_paths_of_a_silent_network_do_not_leave_their_start():
    digits = load_digits()
    x = digits.x_train[:20].astype(np.float64)
    model = fixup(residual_mlp(64, 8, 3, 10, fixup=True), np.random.default_rng(0)).astype(np.float64)
    model[-1].weight.value[...] = np.random.default_rng(1).standard_normal((8, 10))
    outputs = figures._outputs(model, x[:1])
    assert np.ptp(outputs, axis=0).max() == 0
    steps = figures._steps(model, x, digits.y_train[:20], x[:1])
    np.testing.assert_allclose(outputs[-1], steps[0], atol=1e-9)
    assert np.abs(np.diff(steps, axis=0)).max(axis=1).min() > 0  # each branch moves the logits
    np.testing.assert_allclose(steps[-1], model(x[:1])[0])  # all have stepped


def test_curves_draw_a_panel_for_each_start_and_the_median_of_each_depth():
    runs = np.array([[2.0, 1.0], [2.2, 1.5], [2.4, 0.5]])
    fig = figures.curves({"Fixup": {1: runs}, "He/√N": {1: runs, 64: runs + 1}})
    assert [ax.get_title("left") or ax.get_title() for ax in fig.axes] == ["Fixup", "He/√N"]
    drawn = [[line.get_ydata().tolist() for line in ax.lines] for ax in fig.axes]
    assert drawn == [[[2.2, 1.0]], [[2.2, 1.0], [3.2, 2.0]]]
    assert [[text.get_text() for text in ax.texts] for ax in fig.axes] == [
        ["1\nblock"],
        ["1\nblock", "64\nblocks"],
    ]


def test_depths_that_end_together_share_a_name():
    (low, at), (high, _) = figures._together({1: 0.13, 4: 0.18, 16: 0.66})
    assert (low, high) == ("1, 4\nblocks", "16\nblocks")
    assert at == pytest.approx(0.155)


def test_wake_up_shows_what_has_changed():
    start = [np.zeros((2, 2)) for _ in range(10)]
    after = [matrix + (i == 9) for i, matrix in enumerate(start)]
    fig = figures.wake_up([start, after], step=1)
    shown = [ax for ax in fig.axes if ax.images]
    assert [ax.get_xlabel() for ax in shown].count("still") == 9
    assert fig.get_label() == "After 1 steps. Changed: classifier."
    assert figures.wake_up([start, after], step=0).get_label().endswith("Changed: nothing.")


@pytest.mark.parametrize(("signal", "line"), [("forward", [1, 2, 4]), ("backward", [4, 2, 1])])
def test_two_ways_runs_backward_from_the_last_block(signal, line):
    ways = (np.array([1.0, 2, 5]), np.array([3.0, 2, 1]))
    fig = figures.two_ways(lambda *_: ways, {"He": lambda _: 2.0}, blocks=2, signal=signal)
    theory, dots, _ = fig.axes[0].lines
    np.testing.assert_array_equal(theory.get_ydata(), line)
    np.testing.assert_array_equal(dots.get_ydata(), ways[int(signal == "backward")])


def test_frontier_counts_the_lost():
    he = {(0.1, 6): np.array([[2.0, 1.0], [2.0, np.inf]])}
    fig = figures.frontier(he, {(0.1, 6): np.array([2.0, 0.5])}, blocks=6, learning_rate=0.1)
    assert fig.get_label().endswith("1 of 2 He networks overflow, others end at 1.00; Fixup ends at 0.50.")
    assert fig.axes[0].get_legend_handles_labels()[1] == ["He, 1 of 2 overflow", "Fixup"]

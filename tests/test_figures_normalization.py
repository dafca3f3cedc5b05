"""What chapter 10's figures draw: the data handed in, and the formulas of the chapter."""

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import same_color

from netinit import BatchNorm, LayerNorm, Residual, Sequential, initialize, mlp, trace
from netinit.figures import normalization
from netinit.figures._shared import ink


def run(accuracy, stds=(1, 1)):
    return SimpleNamespace(
        history=SimpleNamespace(validation_accuracy=[0.1, accuracy]), probes=[stds, "later"]
    )


def test_stds_are_those_of_trace_for_nested_layers_and_leave_the_model_as_it_was():
    rng = np.random.default_rng(0)
    model = Sequential(*mlp([4, 6, 6], norm="batch"), Residual(mlp([6, 5, 6], "tanh")))
    initialize(model, "he_normal", rng)
    x = rng.standard_normal((20, 4), np.float32)
    before = {path: array.copy() for path, array in model.named_arrays()}
    found = normalization.stds(model, x)
    rows = [row.std for row in trace(model, x) if row.kind in ("relu", "tanh")]
    assert len(rows) == 2
    np.testing.assert_allclose(found, rows, rtol=1e-6)
    for path, array in model.named_arrays():
        np.testing.assert_array_equal(array, before[path], err_msg=path)


def test_scales_shows_the_signal_of_the_chosen_scale_and_the_accuracy_at_every_scale():
    runs = {
        3: {"plain": [run(0.2, (1, 10)), run(0.4, (1, 30))], "batch norm": [run(0.9)] * 2},
        10: {"plain": [run(0.1)] * 2, "batch norm": [run(0.5)] * 2},
    }
    left, right = (fig := normalization.scales(3, runs=runs)).axes
    np.testing.assert_array_equal(left.lines[0].get_ydata(), [1, 20])
    np.testing.assert_array_equal(left.lines[2].get_ydata(), [1, 1])  # the other scale, pale
    assert left.lines[2].get_alpha() == 0.3
    chosen, plain, normalized = right.lines
    assert set(chosen.get_xdata()) == {3}
    np.testing.assert_allclose(plain.get_xydata(), [(3, 0.3), (10, 0.1)])
    np.testing.assert_allclose(normalized.get_xydata(), [(3, 0.9), (10, 0.5)])
    assert [text.get_text() for text in right.texts] == ["slider", "0.30", "0.10", "0.90", "0.50"]
    assert "Weights times 3. plain: last hidden std 2e+01, accuracy 0.30" in fig.get_label()


@pytest.mark.parametrize(("end", "place"), [(1e-9, ("top", "bottom")), (1e9, ("bottom", "top"))])
def test_the_names_of_two_signals_stand_on_their_outer_sides(end, place):
    ax = plt.figure().subplots()
    for last in (end, 1):
        ax.plot([1, 2, 3], [1, last**0.5, last])
    normalization._name_signals(ax)
    assert [text.get_text() for text in ax.texts] == ["plain", "batch norm"]
    assert tuple(text.get_va() for text in ax.texts) == place


def test_another_scale_is_named_where_it_leaves_the_middle():
    ax = plt.figure().subplots()
    stds = {0.1: (1, 1e-4, 1e-8), 1: (1, 1, 1), 3: (1, 1, 2)}
    normalization._draw_other_scales(ax, 3, {s: {"plain": [run(0, v)] * 2} for s, v in stds.items()})
    assert len(ax.lines) == 2
    assert [text.get_text() for text in ax.texts] == ["plain at 0.1"]


@pytest.mark.parametrize(
    ("ys", "places"), [([0.1, 0.6, 0.0], ["top", "bottom", "center"]), ([0.9, 0.92, 0.9], ["bottom"] * 3)]
)
def test_a_number_stands_off_the_curve(ys, places):
    ax = plt.figure().subplots()
    normalization._write_beside(ax, dict(enumerate(ys)))
    assert [text.get_va() for text in ax.texts] == places


def test_groups_outlines_columns_and_rows_with_their_mean_and_std():
    batch, layer = (fig := normalization.groups([[1, 10], [3, 30]])).axes
    boxes = [box for ax in (batch, layer) for box in ax.patches if isinstance(box, plt.Rectangle)]
    assert [box.get_width() < box.get_height() for box in boxes] == [True] * 2 + [False] * 2
    assert [
        text.get_text() for text in batch.texts if text.get_position()[1] > 2 and text.get_ha() == "center"
    ] == ["2", "1", "20", "10"]
    assert [
        text.get_text() for text in layer.texts if text.get_position()[0] > 2 and text.get_va() == "center"
    ] == ["5.5", "4.5", "16", "14"]
    assert "column by column: 1, 3 with mean 2, std 1; 10, 30 with mean 20, std 10" in fig.get_label()
    assert "row by row: 1, 10 with mean 5.5, std 4.5; 3, 30 with mean 16, std 14" in fig.get_label()


@pytest.mark.parametrize(("scale", "name", "mean"), [(1, "none", 2), (2, "none", 4), (2, "batch", 0)])
def test_clouds_draws_two_units_of_the_normalized_layer(scale, name, mean):
    z = 2 + np.random.default_rng(0).standard_normal((50, 4)).astype(np.float32) * 0.3
    layers = {"none": lambda z: z, "batch": BatchNorm(4), "layer": LayerNorm(4)}
    fig = normalization.clouds(scale, name, z=z, normalized=layers)
    points = fig.axes[0].lines[0].get_xydata()
    np.testing.assert_allclose(points, layers[name](scale * z)[:, :2], rtol=1e-6)
    assert abs(points.mean() - mean) < 0.2
    assert f"weights times {scale}" in fig.get_label()


def test_turn_draws_the_arctangent_and_the_measured_medians():
    fig = normalization.turn(0.5, length=10, step=2, measured={0.1: [80, 90], 1: [11, 12]})
    curve, dots, ring = fig.axes[1].lines
    np.testing.assert_allclose(curve.get_ydata()[-1], np.degrees(np.arctan(0.2)))
    np.testing.assert_allclose(dots.get_ydata(), [85, 11.5])
    np.testing.assert_allclose(ring.get_ydata(), np.degrees(np.arctan(0.8)))
    assert "0.8 times as long as the weights" in fig.get_label()


def test_gradients_draws_theory_as_a_line_and_runs_as_dots():
    fig = normalization.gradients(
        "batch", measured={"batch": np.array([[9, 3, 1], [11, 4, 1]])}, theory={"batch": [8, 2, 1]}
    )
    ax = fig.axes[0]
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [8, 2, 1])
    np.testing.assert_array_equal(ax.containers[0][0].get_ydata(), [10, 3.5, 1])
    assert "layer 1 is 10 times" in fig.get_label()
    assert "layer 1: 10, in theory 8" in [text.get_text() for text in ax.texts]


def test_a_large_number_with_two_digits_is_no_power_of_ten():
    assert [normalization._two_digits(v) for v in (234, 5.37, 0.9)] == ["230", "5.4", "0.9"]


@pytest.mark.parametrize(("name", "color"), [("batch", "C1"), ("layer", "C5"), ("gelu, batch norm", "C1")])
def test_gradients_has_the_color_of_the_normalization(name, color):
    with plt.style.context("netinit.netinit"):
        fig = normalization.gradients(name, measured={name: np.ones((2, 3))}, theory={name: [8, 2, 1]})
        assert same_color(fig.axes[0].lines[0].get_color(), color)


def test_two_ways_draws_the_gradient_against_the_signal():
    (ax,) = normalization.two_ways().axes
    arrows = [text for text in ax.texts if text.get_text() == ""]
    forward = [arrow.xy[0] > arrow.xyann[0] for arrow in arrows if arrow.xy[1] == arrow.xyann[1]]
    assert forward == [True, False]
    words = {text.get_text() for text in ax.texts}
    assert {"$h_k$", r"past the branch: $\delta_{k+1}$", r"through the branch: $\delta_{k+1} J_k$"} <= words
    pluses = [line.get_xydata()[0] for line in ax.lines if line.get_marker() == "+"]
    assert [x > 5 for x, _ in pluses] == [True, False]  # the signal adds up on the right, the gradient left


def test_gradient_growth_draws_each_kind_with_its_theory():
    theory = {"without sums": [4, 2, 1], "with sums": [2, 1.5, 1]}
    measured = {name: np.array([line, line]) * 1.1 for name, line in theory.items()}
    ax = normalization.gradient_growth(measured, theory).axes[0]
    for line, box, name in zip(ax.lines[::4], ax.containers, theory, strict=False):
        np.testing.assert_array_equal(line.get_ydata(), theory[name])
        np.testing.assert_allclose(box[0].get_ydata(), measured[name][0])
    assert len(ax.containers) == 2
    assert [text.get_text() for text in ax.texts][:2] == ["without sums", "with sums"]


def test_neighbors_draws_the_shares_and_frames_the_images_of_the_same_digit():
    labels, images = np.array([0, 1, 0, 1]), np.arange(4 * 64).reshape(4, 64)
    right, wrong = np.array([[2, 3, 0, 1]]), np.array([[1, 0, 1, 0]])
    nearest = {"sum": {1: right, 9: right}, "batch norm": {1: right, 9: wrong}}
    draw = {"nearest": nearest, "images": images, "labels": labels, "shown": 2}
    top, bottom = (fig := normalization.neighbors(9, **draw)).axes
    np.testing.assert_array_equal(top.lines[0].get_ydata(), [1, 1])
    np.testing.assert_array_equal(top.lines[1].get_ydata(), [1, 0])
    assert set(top.lines[-1].get_xdata()) == {9}
    assert len(bottom.patches) == 2  # both of "sum", none of "batch norm"
    page, pixels = bottom.images[0].get_array(), ink(images)
    np.testing.assert_array_equal(page[1:9, 11:19].ravel(), pixels[1])
    np.testing.assert_array_equal(page[11:19, 1:9].ravel(), pixels[2])
    np.testing.assert_array_equal(page[21:29, 1:9].ravel(), pixels[1])
    assert "in a share of: sum 1.00, batch norm 0.00" in fig.get_label()


@pytest.mark.parametrize(("a", "blocks", "mean"), [(1, 30, "15"), (1 / 30, 30, "0.97"), (1, 10, "5")])
def test_paths_are_binomial_shares(a, blocks, mean):
    fig = normalization.paths(a, blocks)
    heights = [bar.get_height() for bar in fig.axes[0].patches]
    np.testing.assert_allclose(sum(heights), 1)
    np.testing.assert_allclose(heights[0], (1 + a) ** -blocks)
    assert f"passed {mean} branches" in fig.get_label()


def test_lengths_draws_each_walk_and_the_balance_of_decay():
    walks = {
        0.2: {0.1: np.array([[1, 20], [2, 30]]), 10: np.array([[5, 0.1], [4, 0.2]])},
        0.0: {1: np.ones((2, 2))},
    }
    left, right = (fig := normalization.lengths(0.2, walks=walks)).axes
    np.testing.assert_array_equal(left.lines[1].get_ydata(), [5, 4])
    np.testing.assert_array_equal(right.lines[0].get_ydata(), [20, 30])
    np.testing.assert_allclose(right.lines[2].get_ydata(), np.degrees(0.2))
    assert "start times 0.1: length 2, 30 degrees" in fig.get_label()
    assert len(normalization.lengths(0.0, walks=walks).axes[1].lines) == 1


def test_gates_draws_the_gradient_of_the_chosen_bias():
    fig = normalization.gates(-2, measured={-2: np.array([[0.1, 1], [0.3, 1]])}, theory={-2: [0.2, 1]})
    np.testing.assert_array_equal(fig.axes[0].lines[0].get_ydata(), [0.2, 1])
    assert "block 1 gets 0.2 of the gradient" in fig.get_label()

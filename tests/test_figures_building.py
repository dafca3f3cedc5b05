"""What the pictures of chapter 2 show: the right arrays, shapes, paths and errors."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest

from netinit import Activation, Linear, Residual, Sequential, initialize, mlp, trace
from netinit.figures import building


def cells(fig):
    """The numbers of each array that is drawn, by the title above it."""
    ax = fig.axes[0]
    titles = {tuple(np.round(text.get_position(), 1)): text.get_text() for text in ax.texts}
    found = {}
    for image in ax.images:
        left, _, low, high = image.get_extent()
        found[titles[round(left, 1), round(high + 0.4, 1)].split("\n")[0]] = np.asarray(image.get_array())
        assert high - low == len(image.get_array())  # cells are squares
    return found


def dots(fig):
    return sum(len(line.get_xdata()) for line in fig.axes[0].lines if line.get_marker() == ".")


# --- the core ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("direction", "known"),
    [
        ("forward", ["x", "x z¹ W¹ b¹", "x z¹ h¹ W¹ b¹", "x z¹ h¹ z² W¹ b¹ W² b²"]),
        ("backward", ["z²", "z² h¹ W² b²", "z² h¹ z¹ W² b²", "x z¹ h¹ z² W¹ b¹ W² b²"]),
    ],
)
def test_the_tour_shows_what_is_known(direction, known):
    mark = "dC/d" if direction == "backward" else ""
    for step, names in enumerate(known):
        shown = cells(building.tour(step, direction))
        assert set(shown) == {mark + name for name in names.split()}


def test_the_tour_multiplies_what_it_shows():
    up, down = cells(building.tour(3, "forward")), cells(building.tour(3, "backward"))
    shapes = {name: array.shape for name, array in up.items()}
    assert shapes == {name.removeprefix("dC/d"): array.shape for name, array in down.items()}
    assert np.array_equal(up["h¹"] == 0, up["z¹"] < 0)
    assert np.array_equal(down["dC/dz¹"] == 0, up["h¹"] == 0)
    for product, claimed in (
        (up["x"].T @ down["dC/dz¹"], down["dC/dW¹"]),
        (up["h¹"].T @ down["dC/dz²"], down["dC/dW²"]),
        (down["dC/dz²"] @ up["W²"].T, down["dC/dh¹"]),
        (down["dC/dz¹"] @ up["W¹"].T, down["dC/dx"]),
    ):
        np.testing.assert_allclose(product / np.abs(product).max(), claimed)


def test_each_exact_zero_of_the_tour_has_a_dot():
    for direction, name in (("forward", "h¹"), ("backward", "dC/dz¹")):
        fig = building.tour(3, direction)
        zeros = {key: np.sum(array == 0) for key, array in cells(fig).items()}
        assert zeros[name] == dots(fig) == sum(zeros.values()) > 0


def test_a_nest_has_a_box_for_every_layer_and_keeps_each_inside_its_block():
    model = Sequential(Linear(10, 5), Residual(mlp([5, 5, 5], "tanh")), Linear(5, 2))
    fig = building.nest(model)
    ax, paths = fig.axes[0], ["", *fig.get_label().removesuffix(".").split(": ")[1].split(", ")]
    assert paths == ["", "0", "1", "1.branch", "1.branch.0", "1.branch.1", "1.branch.2", "2"]
    names = [text.get_text().split("\n")[0].split(" ")[0] for text in ax.texts]
    assert names == ["Sequential", "0", "1", "branch", "0", "1", "2", "2"]
    box = {path: patch.get_bbox() for path, patch in zip(paths, ax.patches, strict=True)}
    for path in paths[1:]:
        inner, outer = box[path], box[path.rpartition(".")[0]]
        assert outer.x0 < inner.x0 < inner.x1 < outer.x1
        assert outer.y0 < inner.y0 < inner.y1 < outer.y1
    assert all(box[a].x1 < box[b].x0 for a, b in (("0", "1"), ("1", "2"), ("1.branch.0", "1.branch.1")))
    assert [t.get_text() for t in ax.texts if "tanh" in t.get_text()] == ["1\ntanh"]


class NoTranspose(Linear):
    def backward(self, grad):
        right = super().backward(grad)
        return grad @ self.weight.value if self.n_in == self.n_out else right


class MeanTwice(Linear):
    def backward(self, grad):
        super().backward(grad / len(grad))
        return grad @ self.weight.value.T


@pytest.mark.parametrize(
    ("linear", "wrong", "dashed"),
    [
        (Linear, "none", 0),
        (NoTranspose, "into 1, into 0, input, 0.weight, 0.bias", 3),
        (MeanTwice, "0.weight, 0.bias, 2.weight, 2.bias, 4.weight, 4.bias", 0),
    ],
)
def test_the_way_back_marks_what_a_copy_gets_wrong(linear, wrong, dashed):
    def network(kind):
        parts = (kind(6, 4), Activation("tanh"), kind(4, 4), Activation("tanh"), kind(4, 3))
        return initialize(Sequential(*parts).astype(np.float64), "xavier_normal", np.random.default_rng(0))

    x = np.random.default_rng(1).standard_normal((5, 6))
    fig = building.way_back("copy", networks={"right": network(Linear), "copy": network(linear)}, x=x)
    assert fig.get_label() == f"copy: wrong are {wrong}."
    texts = [text.get_text() for text in fig.axes[0].texts]
    assert sum(text.endswith(" wrong") for text in texts) == wrong.count("weight") + wrong.count("bias")
    arrows = [text.arrow_patch for text in fig.axes[0].texts if getattr(text, "arrow_patch", None)]
    assert [arrow.get_linestyle() for arrow in arrows].count("--") == dashed
    assert len(arrows) == 6


def error(exponent, precision):
    fig = building.step_size(exponent, precision)
    plt.close(fig)
    return float(re.search(r"relative error (.*)\.$", fig.get_label())[1])


def test_the_error_is_least_where_the_text_says():
    for precision, best in (("float64", -5), ("float32", -2)):
        errors = {exponent: error(exponent, precision) for exponent in range(0, -13, -1)}
        assert min(errors, key=errors.get) in (best, best - 1, best + 1)


def test_the_chord_of_a_good_step_lies_on_the_true_slope_and_is_in_view():
    for exponent in (0, -5):
        ax = building.step_size(exponent, "float64").axes[0]
        chord, true = ax.lines[1], ax.lines[2]
        assert ax.get_ylim()[1] > np.abs(chord.get_ydata()).max()
        measured = np.diff(chord.get_ydata())[0] / 2
        slope = np.sign(true.get_ydata()[-1])
        assert measured == pytest.approx(slope, rel=0.02 if exponent == 0 else 1e-8)


# --- the deeper page ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def traces():
    rng = np.random.default_rng(0)
    model = initialize(mlp([6, 5, 4], "tanh").astype(np.float64), "xavier_normal", rng)
    return {"tanh": trace(model, rng.standard_normal((3, 6)), np.array([0, 1, 2]), keep=True)}


@pytest.mark.parametrize(
    ("step", "up", "down", "words"),
    [
        (0, 0, 0, "input ready"),
        (2, 2, 0, "forward through layer 2 of 3"),
        (4, 3, 0, "loss"),
        (5, 3, 1, "backward: gradient at the output of layer 3"),
        (7, 3, 3, "backward: gradient at the output of layer 1"),
    ],
)
def test_the_flow_goes_up_and_then_down(traces, step, up, down, words):
    fig = building.flow(traces, step, "tanh")
    outputs, gradients = (line.get_ydata() for line in fig.axes[0].lines)
    rows = traces["tanh"]
    np.testing.assert_allclose(outputs, [row.rms for row in rows][:up])
    sizes = [np.sqrt(np.mean(row.gradient**2)) for row in rows]
    np.testing.assert_allclose(gradients, sizes[len(sizes) - down :])
    assert words in fig.get_label()
    if down:
        assert fig.get_label().endswith(f"gradient rms {sizes[-down]:.3f}.")


def test_parameter_counts_are_those_of_the_network():
    fig = building.parameter_counts(32, 2)
    model = mlp([64, 32, 32, 10])
    heights = [patch.get_height() for patch in fig.axes[0].patches]
    assert sum(heights) == sum(p.value.size for p in model.parameters())
    assert f"{sum(heights):,.0f} parameters, within the budget" in fig.get_label()
    assert "over the budget" in building.parameter_counts(128, 5).get_label()


def test_step_errors_are_medians_with_their_theory():
    errors = {"float64": np.array([[[k, 2 * k], [1, 1], [2, 5]] for k in (1.0, 2.0, 9.0)])}
    ax = building.step_errors({"float64": [1e-5, 1e-4]}, errors).axes[0]
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [3, 6])
    np.testing.assert_allclose(ax.containers[0][0].get_ydata(), [2, 4])


def test_an_activation_is_named_by_its_function():
    ax = building.nest(Sequential(Activation("relu"))).axes[0]
    assert ax.texts[1].get_text() == "0\nrelu"

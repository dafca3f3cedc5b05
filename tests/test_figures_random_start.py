"""The pictures of chapter 4 show the data they are given, and say in words what they show."""

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest

from netinit.figures import random_start


@pytest.mark.parametrize("std", [0.01, 0.1, 3.0])
def test_the_strips_are_histograms_below_each_other(std):
    fig = random_start.tanh_layers(std)
    (ax,) = fig.axes
    assert len(ax.patches) == 5
    for layer, strip in enumerate(ax.patches, start=1):
        values, edges, baseline = strip.get_data()
        assert baseline == -layer
        assert values.max() == pytest.approx(0.85 - layer)  # each up to its own highest bin
        bars = values[values > baseline] - baseline
        assert bars.min() >= 0.0085  # nothing thinner than a pixel
        assert (edges[0], edges[-1]) == (-1, 1)
    first = np.average(edges[:-1] + np.diff(edges) / 2, weights=ax.patches[0].get_data()[0] + 1)
    assert first == pytest.approx(0, abs=0.04)  # the inputs have mean 0, so layer 1 does not lean
    sizes = fig.get_label().partition("have rms ")[2].rstrip(".").split(", ")
    assert [text.get_text() for text in ax.texts] == [*sizes, "size (rms)"]
    low, high = {0.01: (0.09, 0.11), 0.1: (0.6, 0.66), 3.0: (0.95, 1)}[std]
    assert low < float(sizes[0]) < high
    assert (float(sizes[4]) < 0.01 * float(sizes[0])) == (std == 0.01)


def outputs(answers):
    """Outputs of 50 units for 60 inputs; units that repeat themselves, or inputs that all units answer."""
    stripe = np.tile(np.linspace(0, 1, 50), (60, 1))
    return lambda _std: [np.tile(np.linspace(0, 1, 60)[:, None], (1, 50)) if answers else stripe] * 5


@pytest.mark.parametrize(("answers", "share"), [(True, "100%"), (False, "under 1%")])
def test_stripes_tell_units_that_answer_from_units_that_repeat(answers, share):
    fig = random_start.stripes(0.1, activations=outputs(answers))
    assert [ax.get_title() for ax in fig.axes] == [f"layer {layer}: {share}" for layer in (1, 2, 5)]
    image = fig.axes[2].images[0].get_array()
    assert image.shape == (40, 40)
    assert (np.ptp(image, axis=0).max() > 1) == answers
    assert ("vertical stripes" in fig.get_label()) != answers


def falling(factor):
    """A gradient that is multiplied by the factor on its way back through each of 20 layers."""
    return lambda _std, _activation: 7 * factor ** np.arange(19.0, -1, -1)


def test_the_gradient_is_drawn_over_that_of_the_last_hidden_layer():
    fig = random_start.gradient_by_layer(0.1, "tanh", measured=falling(1 / 2), theory=falling(1 / 3))
    one, theory, measured, leaves = fig.axes[0].lines
    assert fig.axes[0].get_yscale() == "log"
    np.testing.assert_allclose(measured.get_ydata(), 0.5 ** np.arange(19, -1, -1))
    np.testing.assert_allclose(theory.get_ydata(), 3.0 ** -np.arange(19, -1, -1))
    assert fig.axes[0].get_title() == "factor 0.50 per layer, 2e-6 from layer 20 to 1"
    assert set(one.get_ydata()) == {1}
    assert leaves.get_ydata() == [1e-6]  # the theory, 3^(layer - 20), leaves the frame there
    assert 20 - leaves.get_xdata()[0] == pytest.approx(6 / np.log10(3))
    assert "is 2e-6 of that at layer 20; theory says 9e-10" in fig.get_label()
    inside = random_start.gradient_by_layer(0.1, "tanh", measured=falling(1), theory=falling(0.9))
    assert len(inside.axes[0].lines) == 3
    assert inside.axes[0].get_title() == "factor 1.00 per layer, 1 from layer 20 to 1"


def test_an_activation_keeps_its_color():
    for name, color in random_start.COLORS.items():
        fig = random_start.gradient_by_layer(0.1, name, measured=falling(1e-7), theory=falling(1e-7))
        _one, *drawn = fig.axes[0].lines
        assert {line.get_color() for line in drawn} == {color}


def test_the_training_marks_the_last_layer_and_ninety_percent_in_colors_of_its_own():
    history = SimpleNamespace(validation_loss=[2.3, 1.0], validation_accuracy=[0.1, 0.9])
    runs = {name: [SimpleNamespace(history=history, probes=[[1.0, 0.1], [1.0, 0.5]])] for name in ("a", "b")}
    fig = random_start.training(1, runs=runs)
    _loss, accuracy, sizes = fig.axes
    assert accuracy.lines[-1].get_ydata() == [0.9, 0.9]
    assert sizes.lines[-1].get_xdata() == [2, 2]
    assert [text.get_text() for text in accuracy.texts] == ["90 %"]
    assert sizes.get_title(loc="right") == "last hidden layer"
    assert fig.get_label().endswith("b: accuracy 0.90, rms of the outputs of the last layer 0.5.")
    activations = plt.rcParams["axes.prop_cycle"].by_key()["color"][: len(random_start.COLORS)]
    assert not {line.get_color() for line in sizes.lines[:2]} & set(activations)


def test_ranks_show_the_chosen_std_before_the_others():
    fig = random_start.ranks(
        0.1, "relu", effective_ranks=lambda std, _: 100 * std / np.arange(1, 6), stds=[0.1, 1]
    )
    chosen = fig.axes[0].lines[-1]
    np.testing.assert_allclose(chosen.get_ydata(), 10 / np.arange(1, 6))
    np.testing.assert_allclose(fig.axes[0].lines[1].get_ydata(), 100 / np.arange(1, 6))
    assert fig.axes[0].get_title() == "relu, weight std 0.1: 10 to 2 of 100"
    assert "10, 5, 3, 2, 2, of 100 units" in fig.get_label()

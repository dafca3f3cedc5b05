"""The pictures of chapter 4 show the data they are given, and say in words what they show."""

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
        assert (edges[0], edges[-1]) == (-1, 1)
    first = np.average(edges[:-1] + np.diff(edges) / 2, weights=ax.patches[0].get_data()[0] + 1)
    assert first == pytest.approx(0, abs=0.04)  # the inputs have mean 0, so layer 1 does not lean
    first_std = float(fig.get_label().partition("have std ")[2].partition(",")[0])
    last_std = fig.get_label().rpartition(", ")[2].rstrip(".")
    assert ax.get_title() == f"std in layer 1: {first_std:g}, in layer 5: {last_std}"
    low, high = {0.01: (0.09, 0.11), 0.1: (0.6, 0.66), 3.0: (0.95, 1)}[std]
    assert low < first_std < high


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
    theory, measured, one, leaves = fig.axes[0].lines
    assert fig.axes[0].get_yscale() == "log"
    np.testing.assert_allclose(measured.get_ydata(), 0.5 ** np.arange(19, -1, -1))
    np.testing.assert_allclose(theory.get_ydata(), 3.0 ** -np.arange(19, -1, -1))
    assert fig.axes[0].get_title() == "tanh, weight std 0.1: 0.50 per layer, 2e-06 arrives"
    assert set(one.get_ydata()) == {1}
    assert leaves.get_ydata() == [1e-6]  # the theory, 3^(layer - 20), leaves the frame there
    assert 20 - leaves.get_xdata()[0] == pytest.approx(6 / np.log10(3))
    assert "is 2e-06 of that at layer 20; theory says 9e-10" in fig.get_label()
    inside = random_start.gradient_by_layer(0.1, "tanh", measured=falling(1), theory=falling(0.9))
    assert len(inside.axes[0].lines) == 3


def test_ranks_show_the_chosen_std_before_the_others():
    fig = random_start.ranks(
        0.1, "relu", effective_ranks=lambda std, _: 100 * std / np.arange(1, 6), stds=[0.1, 1]
    )
    chosen = fig.axes[0].lines[-1]
    np.testing.assert_allclose(chosen.get_ydata(), 10 / np.arange(1, 6))
    np.testing.assert_allclose(fig.axes[0].lines[1].get_ydata(), 100 / np.arange(1, 6))
    assert fig.axes[0].get_title() == "relu, weight std 0.1: 10 to 2 of 100"
    assert "10, 5, 3, 2, 2, of 100 units" in fig.get_label()

"""What the figures of chapter 5 show is what they say."""

import re
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pytest

from netinit import SGD, compare, initialize, load_digits, mlp, trace, xavier_normal, xavier_uniform
from netinit.figures import xavier


def numbers(text):
    """Return the numbers of a label."""
    return [float(n) for n in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?:e[+-]?\d+)?", text)]


def texts(ax):
    return [text.get_text() for text in ax.texts]


# The linear regime predicts the ratio from the widths, 512 to 16; the bend of tanh takes more.
BACKWARD = {"standard": 32 * 3**5, "LeCun": 32, "Glorot": 1.5**5}


@pytest.mark.parametrize("rule", BACKWARD)
def test_both_sides_shows_the_std_of_each_layer(rule):
    fig = xavier.both_sides(rule)
    signal, gradient = ([float(text) for text in texts(ax)[:6]] for ax in fig.axes)
    assert (signal[-1] < 0.1) == (rule == "standard")
    linear = BACKWARD[rule] ** -0.5
    assert 0.3 * linear < gradient[0] < linear
    assert gradient[-1] == 1
    rows = [label.get_text() for label in fig.axes[0].get_yticklabels()]
    assert (rows[0], rows[-1]) == ("512", "16")
    assert fig.get_label().startswith(f"{rule}: ")
    np.testing.assert_allclose(numbers(fig.get_label())[-1], gradient[0], atol=0.006)


def test_a_ridge_stands_on_its_base_and_counts_what_lies_outside():
    _, ax = plt.subplots()
    xavier._ridge(ax, np.array([-9.0, 0.0, 0.0, 9.0]), (-1, 1), -2, "C0")
    heights = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert heights.min() == -2
    assert heights.max() == pytest.approx(-2 + 0.85)
    assert np.isclose(heights, -2 + 0.85 / 2).any()


def test_layer_factors_are_the_rules_and_the_dots_lie_on_them():
    fig = xavier.layer_factors(100, 400)
    markers = [line for line in fig.axes[0].lines if line.get_marker() in ("s", "^")]
    dots = [line for line in fig.axes[0].lines if line.get_marker() == "o"]
    np.testing.assert_allclose(markers[0].get_ydata(), [1, 0.25, 0.4])
    np.testing.assert_allclose(markers[1].get_ydata(), [4, 1, 1.6])
    for line, dot in zip(markers, dots, strict=True):
        np.testing.assert_allclose(dot.get_ydata(), line.get_ydata(), rtol=0.06)
    assert "Glorot 0.4 and 1.6" in fig.get_label()


def test_two_theories_of_wide_layers_stand_beside_each_seed():
    x, y = np.random.default_rng(0).standard_normal((20, 8)), np.arange(20) % 3
    traces = [
        trace(initialize(mlp([8, 30, 30, 3], "tanh"), xavier_uniform, np.random.default_rng(s)), x, y)
        for s in range(3)
    ]
    fig = xavier.theory_of_wide_layers({"Glorot": traces}, {"Glorot": ([0.5, 0.4], [0.9, 1.0])})
    top, bottom = fig.axes
    dotted, solid, dots = top.lines[:3]
    assert (dotted.get_linestyle(), solid.get_linestyle(), dots.get_marker()) == (":", "-", "s")
    np.testing.assert_array_equal(dotted.get_ydata(), [0.5, 0.4])
    np.testing.assert_array_equal(solid.get_ydata(), traces[0].column("predicted_rms", "tanh"))
    middle = np.median([t.column("std", "tanh") for t in traces], axis=0)
    np.testing.assert_allclose(top.containers[0][0].get_ydata(), middle)
    np.testing.assert_array_equal(bottom.lines[0].get_ydata(), [0.9, 1.0])
    assert bottom.lines[1].get_ydata()[-1] == 1
    assert bottom.containers[0][0].get_ydata()[-1] == 1
    assert f"{middle[0]:.2g} to {middle[-1]:.2g}" in fig.get_label()


def test_training_shows_every_seed_up_to_the_epoch_and_the_median_in_bold():
    def probe(model):
        return trace(model, load_digits().x_train[:20]).column("std", "tanh")

    builds = {
        name: lambda rng, rule=rule: initialize(mlp([64, 20, 20, 10], "tanh"), rule, rng)
        for name, rule in xavier.RULES.items()
    }
    runs = compare(
        builds,
        load_digits(),
        seeds=[0, 1, 2],
        epochs=2,
        batch_size=100,
        optimizer=partial(SGD, lr=0.1),
        probe=probe,
    )
    fig = xavier.training(runs, 1)
    top, bottom = fig.axes
    assert len(top.lines) == 3 * 4
    accuracy = np.array([run.history.validation_accuracy[:2] for run in runs["Glorot"]])
    np.testing.assert_allclose([line.get_ydata() for line in top.lines[8:11]], accuracy)
    np.testing.assert_allclose(top.lines[11].get_ydata(), np.median(accuracy, axis=0))
    assert top.lines[11].get_linewidth() > top.lines[10].get_linewidth()
    stds = np.median([run.probes[1] for run in runs["Glorot"]], axis=0)
    np.testing.assert_allclose(bottom.lines[2].get_ydata(), stds)
    assert len({line.get_color() for line in bottom.lines}) == 3
    assert fig.get_label().startswith("After epoch 1. standard: median accuracy ")


@pytest.mark.parametrize(("rule", "area"), [("Glorot", 1.0), ("standard", 1.0), ("orthogonal", None)])
def test_the_spectrum_has_its_theory_and_its_mean(rule, area):
    spectra = {rule: np.array([[0.5, 1.0], [0.9, 1.1]])}
    fig = xavier.jacobian_spectrum(2, rule, spectra=spectra)
    theory, mean = fig.axes[0].lines
    np.testing.assert_allclose(mean.get_xdata(), 1.0)
    if area is None:
        assert list(theory.get_xdata()) == [1, 1]
    else:
        assert np.trapezoid(theory.get_ydata(), theory.get_xdata()) == pytest.approx(area, abs=0.01)
    assert "from layer 2 to 3: singular values from 0.90 to 1.10, mean 1.00" in fig.get_label()


def network(gain, activation):
    rng = np.random.default_rng(1)
    model = initialize(mlp([20] * 11 + [5], activation), partial(xavier_normal, gain=gain), rng)
    x = np.random.default_rng(2).standard_normal((30, 20), np.float32)
    return trace(model, x, keep=True, output_gradient=np.ones_like)


@pytest.mark.parametrize(("gain", "activation", "low", "high"), [(0.5, "tanh", 0, 0.01), (3, "tanh", 2, 1e4)])
def test_the_gain_shows_in_the_gradient(gain, activation, low, high):
    fig = xavier.gain_through_layers(gain, activation, network=network)
    left, right = fig.axes
    gradient = right.lines[0].get_ydata()
    assert len(gradient) == 10
    assert gradient[-1] == 1
    assert low < gradient[0] < high
    assert len(left.collections) == 5
    assert f"is {gradient[0]:.1e} times" in fig.get_label()

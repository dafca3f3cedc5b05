"""The figures of chapter 13: what each shows of the spoiled networks, and that the remedies mend them."""

from functools import partial

import numpy as np
import pytest

from netinit.data import load_digits
from netinit.diagnosis import diagnose
from netinit.figures import five_minutes as figures
from netinit.losses import softmax_cross_entropy
from netinit.optimizers import SGD

DIGITS = load_digits()
X, Y = DIGITS.x_train[:100], DIGITS.y_train[:100]
ONE_BATCH = {"patient 0": [2.3, 0.5, 0.01], "patient 4, std 0.01": [2.3, 2.3, 2.2]}


look = partial(figures.look, one_batch=ONE_BATCH)


def axes(fig):
    return {ax.get_title(): ax for ax in fig.axes}


# The faults and their remedies
TOLD = {
    "raw pixels": ("input", "input not normalized"),
    "all zeros": ("0", "zero weights"),
    "all equal": ("0", "duplicated units"),
    "std 0.01": ("0", "weights too small"),
    "std 1": ("0", "saturated activation"),
    "12 ReLU layers": ("2", "vanishing signal"),
    "6 sigmoids": ("0", "vanishing gradient"),
    "10 blocks": ("1.branch.3", "exploding residual sum"),
    "dead layer": ("4", "dead units"),
    "one layer x 100": ("4", "weights too large"),
    "one NaN": ("4", "NaN or infinity in the weight"),
    "ReLU at the end": ("10", "activation behind the last layer"),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("fault", figures.FAULTS)
def test_every_fault_is_named_and_its_remedy_mends_it(fault, seed):
    [found] = diagnose(*figures.start_of(fault, seed)).findings
    assert (found.layer, found.fault) == TOLD[fault]
    mended = figures.FAULTS[fault].cured(np.random.default_rng(seed))
    assert diagnose(mended, X, Y).findings == ()


def test_the_sound_network_is_sound():
    assert diagnose(*figures.start_of("none")).healthy


def test_pixels_are_the_digits_up_to_a_shift_and_one_scale():
    x = figures.pixels(DIGITS).x_train
    assert (x.min(), x.max()) == (0, pytest.approx(255))
    centered = x - x.mean(axis=0)
    np.testing.assert_allclose(centered / centered.std(), DIGITS.x_train, atol=1e-4)


# The first screen
def test_the_first_screen_shows_the_signal_alone_and_the_fault_without_its_evidence():
    for number, fault in enumerate(["none", *figures.FAULTS]):
        above, below = figures.patient_signal(number).axes
        dots, sound = above.lines[0], above.lines[2]
        told = diagnose(*figures.start_of(fault))
        sizes = [row.rms for row in told.trace if row.weight_std is not None]
        np.testing.assert_allclose(dots.get_ydata(), np.clip(sizes, figures.SMALLEST, figures.LARGEST))
        assert sound.get_xdata()[-1] == len(sizes)
        assert above.get_xticklabels()[0].get_text().startswith("0")
        assert (below.texts[0].get_text() == "diagnose: healthy") == (number == 0)
    label = figures.patient_signal(6).get_label()
    assert "12 ReLU layers: rms 1 behind the first layer, 0.027 behind the last" in label
    assert "diagnose: layer 2: vanishing signal Remedy: initialize every layer from 2 on" in label


# The gallery
def test_a_patient_shows_measured_and_predicted_sizes_by_layer():
    fig = figures.patient_with("12 ReLU layers")
    signal, gradient = axes(fig)["signal"], axes(fig)["gradient"]
    predicted, measured = (line.get_ydata() for line in signal.lines[:2])
    np.testing.assert_allclose(predicted[1:-1], predicted[1] * 2 ** (-np.arange(11) / 2), rtol=0.1)
    assert np.all(np.abs(np.log(measured / predicted)) < 1)
    assert gradient.lines[1].get_ydata()[0] < 0.03
    assert "layer 2: vanishing signal" in fig.get_label()
    assert [tick.get_text() for tick in signal.get_xticklabels()] == ["24", "2"]  # as diagnose counts
    assert signal.lines[4].get_xdata()[0] == 2  # the second weight layer, model[2]
    assert "Remedy: initialize every layer from 2 on with he_normal" in fig.get_label()


def test_a_sound_network_stands_beside_the_patient_and_the_axis_holds_both():
    sound = [line.get_ydata() for line in axes(figures.patient_with("none"))["signal"].lines]
    np.testing.assert_array_equal(sound[1], sound[3])  # its own dots
    for name in ("signal", "gradient"):  # level, but for the gradient's step at the last layer
        assert (
            np.ptp(np.log(axes(figures.patient_with("12 ReLU layers"))[name].lines[3].get_ydata()[:-1])) < 0.5
        )
    for fault in ("12 ReLU layers", "6 sigmoids", "10 blocks", "one NaN"):
        for ax in (axes(figures.patient_with(fault))[name] for name in ("signal", "gradient")):
            measured, beside = ax.lines[1], ax.lines[3]
            assert (beside.get_xdata()[0], beside.get_xdata()[-1]) == (1, measured.get_xdata()[-1])
            shown = np.concatenate([beside.get_ydata(), measured.get_ydata()])
            low, high = ax.get_ylim()
            assert np.all((shown[np.isfinite(shown)] >= low) & (shown[np.isfinite(shown)] <= high))
    assert axes(figures.patient_with("12 ReLU layers"))["signal"].get_ylim() == (1e-3, 10)


def test_a_patient_shows_zeros_on_the_edge_nan_as_a_word_and_the_shares_of_units():
    zeros = axes(figures.patient_with("all zeros"))
    assert (zeros["signal"].lines[1].get_ydata() == figures.SMALLEST).all()
    units = {line.get_label(): line.get_ydata() for line in zeros["units"].lines}
    np.testing.assert_allclose(units["copies"], 63 / 64)
    assert not np.any(units["dead"])
    spoiled = figures.patient_with("dead layer")
    assert "biases of -10 in layer 4: " in spoiled.get_label()
    assert "diagnose: layer 4: dead units" in spoiled.get_label()
    units = axes(spoiled)["units"]
    dead = {line.get_label(): line.get_ydata() for line in units.lines}
    np.testing.assert_allclose(dead["dead"][2:], 1)
    np.testing.assert_allclose(dead["copies"], 0, atol=0.02)  # dead units are not called copies too
    saturated = axes(figures.patient_with("std 1"))["units"].lines[1]
    assert (saturated.get_label(), saturated.get_ydata().min() > 0.7) == ("saturated", True)
    nan = axes(figures.patient_with("one NaN"))["signal"]
    assert [text.get_text() for text in nan.texts] == ["NaN", "sound"]


def test_every_patient_has_a_label_of_its_own():
    labels = [figures.patient_with(fault).get_label() for fault in ("none", "std 1", "ReLU at the end")]
    assert len(set(labels)) == 3
    assert labels[0].endswith("diagnose: healthy")
    assert len({figures.patient_signal(number).get_label() for number in range(13)}) == 13


# The order of looking
@pytest.mark.parametrize(
    ("step", "right", "who", "wrong"),
    [
        ("input", "near 0, mean 0, rms 1", "patient 1, raw pixels", "far from 0, mean 79, rms 125"),
        ("first loss", "near the gray bars, loss 3.1", "last layer x 10", "far above them, loss 21.3"),
        (
            "units",
            "all different, different units: 64",
            "patient 3, all equal",
            "stripes, different units: 1",
        ),
        (
            "first update",
            "much the same, 0.0037 to 0.018",
            "patient 7, sigmoids",
            "far apart, 1.4e-06 to 0.0055",
        ),
        ("one batch", "learned, 2.3 to 0.0", "patient 4, std 0.01", "not learned, 2.3 to 2.2"),
    ],
)
def test_a_look_says_whose_it_is_what_to_see_and_what_was_measured(step, right, who, wrong):
    fig = look(step)
    assert fig.get_label() == f"{step}: right, patient 0, {right}; wrong, {who}, {wrong}."
    for ax, title, words in zip(fig.axes, ("right: patient 0", f"wrong: {who}"), (right, wrong), strict=True):
        assert ax.get_title() == "\n".join([title, *words.split(", ", 1)])


def test_the_patients_of_the_looks_have_the_numbers_of_the_first_screen():
    numbers = dict(enumerate(figures.FAULTS, start=1))
    for _, who, start, _ in figures.LOOKS.values():
        if who.startswith("patient"):
            number = int(who.split(",")[0].removeprefix("patient"))
            assert start.args == (numbers[number],)


def test_a_look_draws_what_it_measures():
    bars = [[bar.get_height() for bar in ax.patches] for ax in look("first loss").axes]
    np.testing.assert_allclose([bars[0][:2], bars[1][:2]], [[np.log(10), np.log(10) + 1]] * 2)
    assert bars[0][0] < bars[0][2] < bars[0][1] < bars[1][2]
    blind, sure = (np.asarray(ax.images[0].get_array()) for ax in look("logits").axes)
    np.testing.assert_allclose(np.sum(blind, axis=1), 1, rtol=1e-5)
    assert np.median(blind.max(axis=1)) < 0.5
    assert np.median(sure.max(axis=1)) > 0.9
    different, same = (ax.images[0].get_array() for ax in look("units").axes)
    assert np.ptp(same, axis=1).max() < 1e-4 < np.ptp(different, axis=1).min()
    sound, slow = (ax.lines[0].get_ydata() for ax in look("first update").axes)
    assert sound.max() < 10 * sound.min()
    assert slow.max() > 100 * slow.min()
    for step in ("signal", "gradient"):
        level, falling = (ax.lines[1].get_ydata() for ax in look(step).axes)
        assert np.ptp(np.log(level)) < 1.5 < np.ptp(np.log(falling))
    for step in ("signal", "gradient", "first update"):  # counted as diagnose counts
        ticks = [ax.get_xticklabels()[-1].get_text() for ax in look(step).axes]
        assert ticks == ["10", "24" if step == "signal" else "12"]


def test_the_last_look_draws_the_losses_on_one_batch():
    curves = [ax.lines[0].get_ydata() for ax in look("one batch").axes]
    np.testing.assert_array_equal(curves, list(ONE_BATCH.values()))


def test_the_first_update_is_that_of_gradient_descent():
    model, x, y = figures.start_of("none")
    ratios = figures.update_ratios(model, x, y, lr=0.1)
    before = [layer.weight.value.copy() for layer in model[::2]]
    optimizer = SGD(model.parameters(), 0.1)
    model.backward(softmax_cross_entropy(model(x), y)[1])
    optimizer.step()
    steps = [np.std(layer.weight.value - w) / np.std(w) for layer, w in zip(model[::2], before, strict=True)]
    np.testing.assert_allclose(ratios, steps, rtol=1e-3)


# The rules
def test_rules_counts_false_alarms_and_misses():
    judged = {
        "level": (True, [1.0, 2.0, 20.0, 1.0], [False] * 4),
        "falling": (False, [1.0, 100.0], [True, False]),
    }
    fig = figures.rules(judged, 10)
    widths = [[bar.get_width() for bar in group] for group in fig.axes[0].containers]
    assert widths == [[0.25, 0.5], [0.0, 0.5]]
    assert "by the rule 38%, by diagnose 25%" in fig.get_label()
    assert figures.rules(judged, 30).get_label() != fig.get_label()

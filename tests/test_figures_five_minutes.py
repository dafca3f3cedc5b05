"""The figures of chapter 13: what each shows of the spoiled networks, and that the remedies mend them."""

from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pytest

from netinit.data import load_digits
from netinit.diagnosis import diagnose
from netinit.figures import five_minutes as figures
from netinit.losses import softmax_cross_entropy
from netinit.optimizers import SGD
from netinit.trace import trace

DIGITS = load_digits()
X, Y = DIGITS.x_train[:100], DIGITS.y_train[:100]
ONE_BATCH = {"patient 0": [2.3, 0.5, 0.01], "patient 4": [2.3, 2.3, 2.2]}


look = partial(figures.eight_looks, one_batch=ONE_BATCH)


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
def test_the_first_screen_shows_the_signal_and_the_fault_only_when_asked_for():
    for number, fault in enumerate(["none", *figures.FAULTS]):
        hidden = figures.patient_signal(number, "hidden")
        (above,) = hidden.axes
        dots, sound = above.lines[0], above.lines[2]
        told = diagnose(*figures.start_of(fault))
        sizes = [row.rms for row in told.trace if row.weight_std is not None]
        np.testing.assert_allclose(dots.get_ydata(), np.clip(sizes, figures.SMALLEST, figures.LARGEST))
        assert sound.get_xdata()[-1] == len(sizes)
        assert above.get_xticklabels()[0].get_text() == "1"
        assert hidden.get_suptitle() == f"patient {number}"
        assert "diagnose:" not in hidden.get_label()
        shown = figures.patient_signal(number, "shown")
        assert (shown.texts[-1].get_text() == "diagnose: healthy") == (number == 0)
        plt.close("all")
    assert figures.patient_signal(6).get_label().startswith("Patient 6: rms 1 behind the first layer")
    label = figures.patient_signal(6, "shown").get_label()
    assert "12 ReLU layers: rms 1 behind the first layer of weights, 0.027 behind the last" in label
    assert "diagnose: vanishing signal, model[2] Remedy: initialize every layer from model[2] on" in label


def test_the_layer_that_diagnose_names_is_marked_as_python_reaches_it():
    for number, place, name in ((6, 2, "model[2]"), (8, 3, "model[1].branch[3]"), (9, 3, "model[4]")):
        (ax,) = figures.patient_signal(number, "shown").axes
        assert ax.lines[3].get_xdata()[0] == place
        assert name in [text.get_text() for text in ax.texts]
    (ax,) = figures.patient_signal(1, "shown").axes  # the input is no layer
    assert len(ax.lines) == 3


def test_zeros_lie_on_the_edge_and_nan_is_a_word():
    (ax,) = figures.patient_signal(2).axes
    assert (ax.lines[0].get_ydata() == figures.SMALLEST).all()
    assert [text.get_text() for text in ax.texts] == ["at the edge: 0", "sound"]
    (ax,) = figures.patient_signal(11).axes
    assert [text.get_text() for text in ax.texts] == ["from here on NaN", "sound"]
    (ax,) = figures.patient_signal(6).axes
    assert ax.get_ylim() == (1e-3, 10)


def test_every_patient_has_a_label_of_its_own():
    labels = set()
    for number in range(13):
        labels |= {figures.patient_signal(number, how).get_label() for how in ("hidden", "shown")}
        labels |= {figures.found_and_mended(number).get_label()} if number else set()
        plt.close("all")
    assert len(labels) == 13 + 13 + 12


# The gallery
@pytest.mark.parametrize(
    ("patient", "found", "mended"),
    [
        (1, "mean 79, rms 125", "mean 0, rms 1"),
        (2, "different units: 1", "different units: 64"),
        (5, "saturated: 78%", "saturated: 3%"),
        (6, "1 to 0.027", "1 to 0.53"),
        (9, "dead units: 100%", "dead units: 2%"),
        (11, "2 of 6 layers finite", "1.4 to 1.7"),
        (12, "logits below 0: 0%", "logits below 0: 44%"),
    ],
)
def test_a_patient_is_shown_as_found_and_as_mended(patient, found, mended):
    fig = figures.found_and_mended(patient)
    assert list(axes(fig)) == [f"found\n{found}", f"mended\n{mended}"]
    assert f"found, {found}; mended, {mended}. diagnose: " in fig.get_label()
    assert fig.get_suptitle() == f"patient {patient}: {list(figures.FAULTS.values())[patient - 1].what}"


def test_both_sides_of_the_gallery_have_one_axis_that_holds_all():
    for patient in (4, 6, 7, 8, 10, 11):
        both = figures.found_and_mended(patient).axes
        assert both[0].get_ylim() == both[1].get_ylim()
        low, high = both[0].get_ylim()
        sizes = np.concatenate([ax.lines[0].get_ydata() for ax in both])
        assert np.all((sizes[np.isfinite(sizes)] >= low) & (sizes[np.isfinite(sizes)] <= high))
    sums = [ax.lines[0].get_ydata() for ax in figures.found_and_mended(8).axes]
    assert len(sums[0]) == 10
    assert sums[0][-1] > 10 * sums[0][0]
    assert np.ptp(sums[1]) < 1e-5  # Fixup: the branches start at 0


# The eight looks as numbers
WRONG = {
    "1 input": {"raw pixels"},
    "2 first loss": {"std 1", "10 blocks", "one layer x 100", "one NaN"},
    "4 signal": {"all zeros", "all equal", "std 0.01", "12 ReLU layers", "dead layer"},
    "5 gradient": {"6 sigmoids"},
    "8 one batch": {"ReLU at the end"},
}


@pytest.mark.parametrize("seed", range(2))
def test_each_patient_fails_a_look_and_the_sound_network_none(seed):
    assert figures.first_wrong(*figures.start_of("none", seed)) == "none"
    for look_, faults in WRONG.items():
        assert {fault: figures.first_wrong(*figures.start_of(fault, seed)) for fault in faults} == (
            dict.fromkeys(faults, look_)
        )


def test_units_are_wrong_when_dead_saturated_or_copies():
    sound = trace(*figures.start_of("none"))
    assert all(map(figures._units_right, sound))
    for fault in ("dead layer", "std 1", "all equal"):
        assert not all(map(figures._units_right, trace(*figures.start_of(fault))))


def test_overfit_trains_on_one_batch():
    losses = figures.overfit(*figures.start_of("none"))
    assert len(losses) == 60
    assert losses[0] == pytest.approx(softmax_cross_entropy(figures.start_of("none")[0](X), Y)[0])
    assert losses[-1] < 0.1


# The order of looking
@pytest.mark.parametrize(
    ("step", "right", "who", "wrong"),
    [
        ("1 input", "near 0, mean 0, rms 1", "patient 1", "far from 0, mean 79, rms 125"),
        ("2 first loss", "near the blue bars, loss 3.1", "last layer x 10", "far above them, loss 21.3"),
        ("6 units", "all different, different units: 64", "patient 3", "stripes, different units: 1"),
        ("7 first update", "much the same, 0.0037 to 0.018", "patient 7", "far apart, 1.4e-06 to 0.0055"),
        ("8 one batch", "learned, 2.3 to 0.0", "patient 4", "not learned, 2.3 to 2.2"),
    ],
)
def test_a_look_says_what_to_look_for_whose_it_is_and_what_was_measured(step, right, who, wrong):
    fig = look(step)
    question = figures.LOOKS[step].question
    assert fig.texts[0].get_text() == question
    asked = " ".join(question.split())
    assert fig.get_label() == f"{asked} Right, patient 0: {right}; wrong, {who}: {wrong}."
    for ax, title, words in zip(fig.axes, ("right: patient 0", f"wrong: {who}"), (right, wrong), strict=True):
        assert ax.get_title() == "\n".join([title, *words.split(", ", 1)])


def test_the_patients_of_the_looks_have_the_numbers_of_the_first_screen():
    numbers = dict(enumerate(figures.FAULTS, start=1))
    for this in figures.LOOKS.values():
        if this.who.startswith("patient"):
            assert this.wrong.args == (numbers[int(this.who.removeprefix("patient"))],)


def test_a_look_draws_what_it_measures():
    bars = [[bar.get_height() for bar in ax.patches] for ax in look("2 first loss").axes]
    np.testing.assert_allclose([bars[0][:2], bars[1][:2]], [[np.log(10), np.log(10) + 1]] * 2)
    assert bars[0][0] < bars[0][2] < bars[0][1] < bars[1][2]
    blind, sure = (np.asarray(ax.images[0].get_array()) for ax in look("3 logits").axes)
    np.testing.assert_allclose(np.sum(blind, axis=1), 1, rtol=1e-5)
    assert np.median(blind.max(axis=1)) < 0.5
    assert np.median(sure.max(axis=1)) > 0.9
    different, same = (ax.images[0].get_array() for ax in look("6 units").axes)
    assert np.ptp(same, axis=1).max() < 1e-4 < np.ptp(different, axis=1).min()
    sound, slow = (ax.lines[0].get_ydata() for ax in look("7 first update").axes)
    assert sound.max() < 10 * sound.min()
    assert slow.max() > 100 * slow.min()
    for step in ("4 signal", "5 gradient"):
        level, falling = (ax.lines[1].get_ydata() for ax in look(step).axes)
        assert np.ptp(np.log(level)) < 1.5 < np.ptp(np.log(falling))
    for step in ("4 signal", "5 gradient", "7 first update"):  # layers of weights, counted from 1
        ticks = [ax.get_xticklabels()[-1].get_text() for ax in look(step).axes]
        assert ticks == ["6", "13" if step == "4 signal" else "7"]


def test_the_line_of_the_theory_runs_through_the_dots_of_patient_6():
    predicted, measured = (line.get_ydata() for line in look("4 signal").axes[1].lines[:2])
    np.testing.assert_allclose(predicted[1:-1], predicted[1] * 2 ** (-np.arange(11) / 2), rtol=0.1)
    assert np.all(np.abs(np.log(measured / predicted)) < 1)


def test_the_last_look_draws_the_losses_on_one_batch():
    curves = [ax.lines[0].get_ydata() for ax in look("8 one batch").axes]
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

"""What a reader sees in the figures of chapter 12: the right data in the right place."""

import itertools

import numpy as np
import pytest

from netinit.figures import choosing

# --- the guide ---------------------------------------------------------------------------------------------

PLACES = [choosing.table()[name] for name in ("activations", "structures", "depths")]
GRID = [*itertools.product(*PLACES, ("SGD", "Adam"))]


def test_every_answer_is_complete_and_its_text_copies_every_call():
    for place in GRID:
        answer, text = choosing.answer(*place), choosing.guide(*place)
        assert list(answer.calls) == list(choosing.LIBRARIES)
        assert not any("{" in part for part in (answer.variance, *answer.calls.values()))
        assert all(f"# {library}\n" in text.html for library in answer.calls)
        assert text.label.startswith(", ".join(place[:2]))
    assert len({choosing.guide(*place).label for place in GRID}) == len(GRID)


@pytest.mark.parametrize(
    ("place", "call"),
    [
        (("ReLU", "dense", "6 to 20", "SGD"), "he_normal((n_in, n_out), rng)"),
        (("tanh", "dense", "up to 5", "SGD"), "xavier_uniform((n_in, n_out), rng)"),
        (("tanh", "dense", "6 to 20", "SGD"), "orthogonal((n_in, n_out), rng)"),
        (("tanh", "normalized", "6 to 20", "SGD"), "xavier_uniform((n_in, n_out), rng)"),
        (("SELU", "convolution", "over 20", "Adam"), "lecun_normal((k, k, c_in, c_out), rng)"),
        (
            ("GELU", "grouped", "6 to 20", "Adam"),
            "variance_scaling((k, k, c_in // groups, c_out), rng, scale=2.35)",
        ),
        (("tanh", "residual", "over 20", "Adam"), "zeros((n_in, n_out), rng)"),
    ],
)
def test_the_call_for_netinit(place, call):
    assert choosing.answer(*place).calls["netinit"] == call


def test_the_scales_are_the_squared_gains():
    import netinit

    for name in ("ReLU", "SELU", "GELU", "SiLU"):
        scale = choosing.table()["activations"][name]["scale"]
        assert scale == round(netinit.gain(name.lower()) ** 2, 2)


def test_depth_and_optimizer_speak_of_plain_stacks_alone():
    plain = {
        choosing.answer("ReLU", "dense", *p).reasons for p in itertools.product(PLACES[2], ("SGD", "Adam"))
    }
    other = {
        choosing.answer("ReLU", "residual", *p).reasons for p in itertools.product(PLACES[2], ("SGD", "Adam"))
    }
    assert (len(plain), len(other)) == (6, 1)


# --- the pictures ------------------------------------------------------------------------------------------

CELLS = [
    {
        "initializer": i,
        "activation": "relu",
        "depth": d,
        "optimizer": o,
        "test_accuracy": [a, a + 0.1, a + 0.2],
    }
    for (i, o, d), a in zip(
        itertools.product(["He", "LSUV"], ["SGD", "Adam"], [2, 18]), np.arange(8) / 10, strict=True
    )
]


@pytest.mark.parametrize(("value", "shift"), [("test accuracy", 0.1), ("worst seed", 0)])
def test_the_matrix_has_a_row_for_each_initializer(value, shift):
    fig = choosing.matrix(CELLS, value, "relu")
    (ax,) = fig.axes
    np.testing.assert_allclose(ax.images[0].get_array(), np.arange(8).reshape(2, 4) / 10 + shift)
    assert [t.get_text() for t in ax.get_xticklabels()] == ["SGD\n2", "SGD\n18", "Adam\n2", "Adam\n18"]
    assert f"He {shift:.2f} to {0.3 + shift:.2f}; LSUV" in fig.get_label()


def test_the_last_layer_marks_its_scale_and_shows_probabilities():
    fig = choosing.last_layer({0: [2.3, 2.3], 2: [3, 5]}, np.array([0.0, 0, np.log(2)]), 2)
    left, right = fig.axes
    np.testing.assert_allclose(left.lines[0].get_ydata(), [np.log(3), np.log(3) + 2])
    np.testing.assert_allclose(left.lines[1].get_ydata(), [2.3, 4])
    assert set(left.lines[2].get_xdata()) == {2}
    np.testing.assert_allclose([bar.get_height() for bar in right.patches], [1 / 6, 1 / 6, 4 / 6])
    assert "first loss 4.00; largest probability of one image 0.67" in fig.get_label()


def test_counts_stand_beside_what_was_measured():
    fig = choosing.counts(
        {"dense": [1.9, 2.1], "one-hot, rows": [0.002, 0.002]}, {"dense": 2, "one-hot, rows": 0.002}
    )
    lines = fig.axes[0].lines
    np.testing.assert_allclose(lines[0].get_ydata(), [2, 0.002])
    np.testing.assert_allclose(lines[1].get_ydata(), [1.9, 2.1])
    np.testing.assert_allclose(lines[2].get_xdata(), [1, 1])
    assert "dense 2, predicted 2; one-hot, rows 0.002" in fig.get_label()


def test_optimizers_are_columns_and_starts_rows():
    fig = choosing.optimizers(
        {
            ("zeros", "SGD"): [0.1, 0.1],
            ("zeros", "Adam"): [0.2, 0.4],
            ("Xavier", "SGD"): [0.9],
            ("Xavier", "Adam"): [1.0],
        }
    )
    np.testing.assert_allclose(fig.axes[0].images[0].get_array(), [[0.1, 0.3], [0.9, 1.0]])
    assert "zeros: SGD 0.10, Adam 0.30; Xavier: SGD 0.90" in fig.get_label()


def test_decay_alone_is_dashed():
    norms = {"Xavier": {0.5: [0.4, 0.3]}, "three times": {0.5: [0.8, 0.5]}}
    fig = choosing.decay(norms, 0.1, 0.5)
    np.testing.assert_allclose([line.get_ydata()[1] for line in fig.axes[0].lines], [0.3, 0.38, 0.5, 0.76])
    assert "Xavier from 0.40 to 0.30, three times from 0.80 to 0.50" in fig.get_label()


@pytest.mark.parametrize(("bias", "after_one", "half"), [(0, 0.5, "1 steps"), (1, 0.731, "2.21 steps")])
def test_memory_halves(bias, after_one, half):
    fig = choosing.memory(bias)
    assert fig.axes[0].lines[0].get_ydata()[1] == pytest.approx(after_one, abs=1e-3)
    assert half in fig.get_label()

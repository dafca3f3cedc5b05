"""What `diagnose` prints, refuses, and leaves as it was."""

import numpy as np
import pytest
from diagnosis_networks import CLASSES, X, Y, changed, he_residual, network

from netinit.diagnosis import Diagnosis, Finding, diagnose
from netinit.initialize import initialize
from netinit.layers import Activation, BatchNorm, Layer, Linear
from netinit.models import Sequential


def test_a_model_without_weights_is_refused():
    for model in (Sequential(Activation("relu")), Sequential(BatchNorm(64))):
        with pytest.raises(ValueError, match="model must hold a layer with a weight, got Sequential"):
            diagnose(model, X, Y)


def test_it_prints_a_short_table():
    assert repr(diagnose(network(), X, Y)).splitlines()[:3] == [
        "healthy: signal and gradient pass all 6 weight layers as the theory predicts",
        "",
        "layer  kind    rms  predicted  gradient  predicted",
    ]
    lines = repr(diagnose(changed(4, lambda w: w.fill(0)), X, Y)).splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["layer", "fault", "evidence", "remedy"]
    assert lines[0] == "layer     4 Linear(100, 100)"
    assert lines[1] == "fault     zero weights"
    assert [line.split()[0] for line in lines[6:]] == ["1", "2", "3", "4", "5", "6", "7"]
    assert (
        repr(Diagnosis((Finding("0", "a", "b", "c"),)))
        == "layer     0\nfault     a\nevidence  b\nremedy    c"
    )


def test_it_prints_a_blank_line_between_two_findings_and_no_line_is_wider_than_the_page():
    text = repr(diagnose(network(), 100 * X, Y + 1)).split("\n\n")
    assert [part.split()[1] for part in text] == ["input", "labels", "kind"]
    for model in (
        network(),
        network("zeros"),
        network("xavier_normal", hidden=29),
        he_residual(20),
        network(norm="batch"),
    ):
        for x in (X, 100 * X, 0 * X, X * np.float32(np.nan)):
            assert max(map(len, repr(diagnose(model, x, Y)).splitlines())) <= 80
            assert len(repr(diagnose(model, x, Y)).splitlines()) <= 20


def test_no_theory_is_claimed_where_there_is_none():
    class Negate(Layer):
        def forward(self, x):
            return -x

        def backward(self, grad):
            return -grad

    text = repr(diagnose(Sequential(*network(), Negate()), X, Y))
    assert text.splitlines()[0] == "healthy: signal and gradient pass all 6 weight layers"
    assert repr(
        diagnose(initialize(Linear(64, 10), "xavier_normal", np.random.default_rng(0)), X)
    ).startswith("healthy: signal and gradient pass the weight layer as the theory predicts")


def test_the_model_is_left_as_it_was():
    model = network(norm="batch")
    before = model.state_dict()
    assert diagnose(model, X, Y).healthy
    np.testing.assert_equal(model.state_dict(), before)
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize(
    ("x", "y", "error", "words"),
    [
        (X.tolist(), None, TypeError, "x must be"),
        (X.astype(int), None, TypeError, "x must be"),
        (X[:0], None, ValueError, "at least one example"),
        (X[:, :9], None, ValueError, "64"),
        (X, Y[:9], ValueError, "labels must have shape"),
        (X, Y.astype(float), TypeError, "labels must be integers"),
        (X, np.eye(CLASSES, dtype=int)[Y], ValueError, "labels must have shape"),
    ],
)
def test_wrong_calls(x, y, error, words):
    with pytest.raises(error, match=words):
        diagnose(network(), x, y)

"""Transfer: what is loaded, what is not and why, and what stays untouched."""

import numpy as np
import pytest

from netinit.builders import mlp
from netinit.initialize import initialize
from netinit.layers import Layer, Linear
from netinit.losses import softmax_cross_entropy
from netinit.models import Residual, Sequential
from netinit.optimizers import SGD, Momentum
from netinit.transfer import TransferReport, transfer


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def trained(sizes, rng, **options):
    """A model whose every array is its own: no two agree by accident."""
    model = initialize(mlp(sizes, **options), "he_normal", rng, bias="normal")
    for _, array in model.named_arrays():
        array += rng.standard_normal(array.shape).astype(array.dtype) ** 2
    return model


def test_everything_is_taken_where_the_models_agree(rng):
    source, target = trained([6, 5, 4], rng), trained([6, 5, 4], rng)
    x = rng.standard_normal((3, 6)).astype(np.float32)
    assert not np.allclose(source(x), target(x))
    report = transfer(source, target)
    assert report == TransferReport(("0.weight", "0.bias", "2.weight", "2.bias"), {})
    np.testing.assert_array_equal(source(x), target(x))


def test_a_new_classifier_keeps_its_own_start(rng):
    source, target = trained([8, 64, 10], rng), trained([8, 64, 5], rng)
    before = target.state_dict()
    report = transfer(source, target)
    assert report.loaded == ("0.weight", "0.bias")
    assert report.skipped == {"2.weight": "shape (64, 10) vs (64, 5)", "2.bias": "shape (10,) vs (5,)"}
    after = target.state_dict()
    for path in report.loaded:
        np.testing.assert_array_equal(after[path], source.state_dict()[path])
        assert not np.array_equal(after[path], before[path])
    for path in report.skipped:
        np.testing.assert_array_equal(after[path], before[path])


def test_what_only_one_side_has_is_reported(rng):
    deep, shallow = trained([6, 5, 5, 5], rng), trained([6, 5, 5], rng)
    assert transfer(shallow, deep).skipped == dict.fromkeys(["4.weight", "4.bias"], "missing in source")
    assert transfer(deep, shallow).skipped == dict.fromkeys(["4.weight", "4.bias"], "missing in target")


def test_only_the_layers_asked_for_are_taken(rng):
    source, target = trained([6, 5, 5, 5], rng), trained([6, 5, 5, 5], rng)
    report = transfer(source, target, layers=["0", "4"])
    assert report.loaded == ("0.weight", "0.bias", "4.weight", "4.bias")
    assert report.skipped == {"2.weight": "not asked for", "2.bias": "not asked for"}


def test_what_the_target_lacks_is_reported_also_where_layers_are_named(rng):
    deep, shallow = trained([6, 5, 5, 5], rng), trained([6, 5, 5], rng)
    report = transfer(deep, shallow, layers=["0"])
    assert report.loaded == ("0.weight", "0.bias")
    assert report.skipped == {
        **dict.fromkeys(["2.weight", "2.bias"], "not asked for"),
        **dict.fromkeys(["4.weight", "4.bias"], "missing in target"),
    }


def tied(rng, shared=True):
    """Two layers, with one Parameter if `shared`."""
    first, second = Linear(4, 4, bias=False), Linear(4, 4, bias=False)
    if shared:
        second.weight = first.weight
    return initialize(Sequential(first, second), "he_normal", rng)


def test_a_shared_array_is_not_filled_with_two_values(rng):
    source, target = tied(rng, shared=False), tied(rng)
    before = target.state_dict()
    report = transfer(source, target)
    assert report.loaded == ()
    assert report.skipped == {
        "0.weight": "shares its array with 1.weight, the source has other values there",
        "1.weight": "shares its array with 0.weight, the source has other values there",
    }
    np.testing.assert_array_equal(target[0].weight.value, before["0.weight"])


@pytest.mark.parametrize("path", ["0", "1"])
def test_of_two_values_for_a_shared_array_the_one_asked_for_is_taken(path, rng):
    source, target = tied(rng, shared=False), tied(rng)
    report = transfer(source, target, layers=[path])
    other = {"0": "1", "1": "0"}[path]
    assert report.loaded == (f"{path}.weight",)
    assert report.skipped == {f"{other}.weight": f"not asked for, but shares the array of {path}.weight"}
    np.testing.assert_array_equal(target[0].weight.value, source[int(path)].weight.value)


def test_a_shared_array_is_filled_where_the_source_agrees(rng):
    source, target = tied(rng), tied(rng)
    assert transfer(source, target) == TransferReport(("0.weight", "1.weight"), {})
    np.testing.assert_array_equal(target[0].weight.value, source[0].weight.value)
    apart = tied(rng, shared=False)
    assert transfer(source, apart).loaded == ("0.weight", "1.weight")
    assert apart[0].weight.value is not apart[1].weight.value


def test_entries_that_the_target_has_no_place_for_may_be_anything(rng):
    report = transfer({**trained([6, 5], rng).state_dict(), "version": "2.1"}, mlp([6, 5]))
    assert report == TransferReport(("0.weight", "0.bias"), {"version": "missing in target"})


def test_a_layer_path_takes_all_inside_it_and_no_namesake(rng):
    def model():
        return Sequential(*(Residual(Sequential(Linear(3, 3), Linear(3, 3))) for _ in range(11)))

    source = initialize(model(), "he_normal", rng)
    report = transfer(source, model(), layers=["1"])  # not "10"
    assert report.loaded == tuple(f"1.branch.{i}.{name}" for i in (0, 1) for name in ("weight", "bias"))
    assert len(report.skipped) == 40


def test_a_state_dict_is_a_source_and_is_copied(rng):
    source, target = trained([6, 5], rng), mlp([6, 5])
    state = source.state_dict()
    transfer(state, target)
    state["0.weight"] += 1
    np.testing.assert_array_equal(target[0].weight.value, source[0].weight.value)
    transfer(source, target)
    source[0].weight.value += 1
    assert not np.array_equal(target[0].weight.value, source[0].weight.value)


def test_running_statistics_are_carried(rng):
    source, target = trained([6, 5, 4], rng, norm="batch"), mlp([6, 5, 4], norm="batch")
    report = transfer(source, target)
    assert {"1.running_mean", "1.running_variance"} < set(report.loaded)
    np.testing.assert_array_equal(target[1].running_mean, source[1].running_mean)
    assert target[1].running_mean.any()


@pytest.mark.parametrize("optimizer", [SGD, Momentum])
def test_frozen_parameters_do_not_move_and_others_do(optimizer, rng):
    source, target = trained([6, 5, 4], rng), trained([6, 5, 3], rng)
    report = transfer(source, target, freeze=True)
    start = target.state_dict()
    steps = optimizer(target.parameters(), 0.1, weight_decay=0.01)
    x, labels = rng.standard_normal((12, 6)).astype(np.float32), np.arange(12) % 3
    for _ in range(3):
        _, grad = softmax_cross_entropy(target(x), labels)
        target.zero_grad()
        target.backward(grad)
        steps.step()
    moved = {path for path, array in target.state_dict().items() if not np.array_equal(array, start[path])}
    assert moved == set(report.skipped) == {"2.weight", "2.bias"}


def test_running_statistics_of_a_frozen_layer_move_in_training_mode_alone(rng):
    target = trained([6, 5, 4], rng, norm="batch")
    transfer(trained([6, 5, 4], rng, norm="batch"), target, freeze=True)
    start, x = target[1].running_mean.copy(), rng.standard_normal((12, 6)).astype(np.float32)
    target[1].eval()
    target(x)
    np.testing.assert_array_equal(target[1].running_mean, start)
    target[1].train()
    target(x)
    assert not np.array_equal(target[1].running_mean, start)


def test_without_freeze_the_learning_rate_stays(rng):
    target = mlp([6, 5])
    transfer(trained([6, 5], rng), target)
    assert all(p.lr_scale == 1 for p in target.parameters())


def test_the_dtype_of_the_target_is_kept(rng):
    source, target = trained([6, 5], rng).astype(np.float64), mlp([6, 5])
    transfer(source, target)
    assert target[0].weight.value.dtype == np.float32


def test_the_report_prints_as_a_table(rng):
    report = transfer(trained([8, 64, 10], rng), mlp([8, 64, 5]))
    assert str(report) == repr(report)
    assert str(report).splitlines() == [
        "loaded   0.weight",
        "loaded   0.bias",
        "skipped  2.weight  shape (64, 10) vs (64, 5)",
        "skipped  2.bias    shape (10,) vs (5,)",
    ]
    assert str(transfer({}, Layer())) == "nothing to load"


def state(bias):
    return {"0.weight": np.ones((6, 5)), "0.bias": bias}


ERRORS = [
    (lambda m: transfer("weights.npz", m), TypeError, "source must be a Layer or a state dict, got str"),
    (lambda m: transfer(m, m.state_dict()), TypeError, "target must be a Layer, got dict"),
    (lambda m: transfer(m, m, layers="0"), TypeError, r"layers must be a list .* got '0'"),
    (lambda m: transfer(m, m, layers=0), TypeError, "layers must be a list .* got 0"),
    (lambda m: transfer(m, m, layers=[]), ValueError, "layers must name at least one layer"),
    (lambda m: transfer(m, m, layers=["7"]), ValueError, "unknown layer '7'"),
    (lambda m: transfer(m, m, layers=["0.weight"]), ValueError, "unknown layer '0.weight'"),
    (lambda _: transfer({}, Residual(Linear(5, 5)), layers=["brunch"]), ValueError, "mean 'branch'"),
    (lambda m: transfer(state(np.full(5, np.nan)), m), ValueError, "'0.bias'.* must be finite"),
    (lambda m: transfer(state(np.full(5, 1e300)), m), ValueError, "finite in float32"),
    (lambda m: transfer(state(np.zeros(5, int)), m), TypeError, "floating-point .* got dtype int"),
    (lambda m: transfer(state("abc"), m), TypeError, r"'0.bias'.* real numbers .*, got 'abc'"),
    (lambda m: transfer(state(None), m), TypeError, r"'0.bias'.* real numbers .*, got None"),
    (
        lambda m: transfer(state([[1.0], [1.0, 2.0]]), m),
        TypeError,
        r"'0.bias'.* real numbers .*, got \[\[",
    ),
    (lambda m: transfer({0: np.ones((6, 5))}, m), TypeError, "paths such as '0.weight' as keys, got 0"),
]


@pytest.mark.parametrize(("call", "error", "message"), ERRORS, ids=[message for *_, message in ERRORS])
def test_wrong_calls(call, error, message):
    model = mlp([6, 5])
    with pytest.raises(error, match=message):
        call(model)
    assert not model[0].weight.value.any()  # nothing was loaded before the error

"""Training, its record, and comparisons that are fair by construction."""

from contextlib import nullcontext

import numpy as np
import pytest

from netinit import (
    SGD,
    Dataset,
    choose_learning_rate,
    compare,
    evaluate,
    fit,
    initialize,
    load_digits,
    mlp,
    summarize,
)
from netinit.losses import softmax_cross_entropy

DATA = load_digits()


def model(seed=0, sizes=(64, 16, 10), initializer="xavier_normal"):
    return initialize(mlp(sizes, "tanh"), initializer, np.random.default_rng(seed))


def run(net, *, lr=0.1, epochs=2, batch_size=100, seed=1, data=DATA, **more):
    rng = np.random.default_rng(seed)
    return fit(net, data, SGD(net.parameters(), lr), epochs=epochs, batch_size=batch_size, rng=rng, **more)


def test_one_epoch_is_the_loop_written_out():
    net, plain = model(), model()
    history = run(net, epochs=1)
    order = np.random.default_rng(1).permutation(1077)
    for start in range(0, 1077, 100):
        rows = order[start : start + 100]
        _, grad = softmax_cross_entropy(plain(DATA.x_train[rows]), DATA.y_train[rows])
        plain.zero_grad()
        plain.backward(grad)
        for p in plain.parameters():
            p.value -= np.float32(0.1) * p.grad
    for a, b in zip(net.parameters(), plain.parameters(), strict=True):
        np.testing.assert_allclose(a.value, b.value, rtol=1e-5, atol=1e-7)
    loss, _ = softmax_cross_entropy(plain(DATA.x_validation), DATA.y_validation)
    np.testing.assert_allclose(history.validation_loss[-1], loss, rtol=1e-5)


def test_learns_and_records_before_and_after_each_epoch():
    history = run(model(), epochs=5)
    assert len(history.train_loss) == len(history.validation_accuracy) == 6
    assert history.validation_accuracy[0] < 0.3 < 0.8 < history.validation_accuracy[-1]
    assert history.diverged_at is None
    reached = history.epochs_to(0.5)
    assert history.validation_accuracy[reached] >= 0.5 > max(history.validation_accuracy[:reached])
    assert history.epochs_to(1.01) is None


def test_divergence_stops_the_run_and_is_reported():
    deep = initialize(mlp([64, 16, 16, 16, 10], "relu"), "he_normal", np.random.default_rng(0))
    history = run(deep, lr=1e9, epochs=9)
    assert history.diverged_at is not None
    assert len(history.train_loss) == history.diverged_at + 1 < 10


def test_evaluate_counts_nan_as_wrong():
    net = model()
    net[2].weight.value[...] = np.nan
    loss, accuracy = evaluate(net, DATA.x_test, DATA.y_test)
    assert np.isnan(loss)
    assert accuracy == 0


def test_evaluate_keeps_the_mode():
    net = model()
    evaluate(net, DATA.x_test, DATA.y_test)
    assert net.training
    evaluate(net.eval(), DATA.x_test, DATA.y_test)
    assert not net.training


@pytest.mark.parametrize("labels", [DATA.y_test, DATA.y_test + 5])
def test_evaluate_gives_each_layer_its_own_mode_back(labels):
    """Also where it raises: labels beyond the last class."""
    net = mlp([64, 16, 10], norm="batch")
    net[1].eval()
    with pytest.raises(ValueError, match="labels") if labels.max() > 9 else nullcontext():
        evaluate(net, DATA.x_test, labels)
    assert [layer.training for layer in net] == [True, False, True, True]
    assert net.training


def test_a_validation_loss_that_is_not_finite_is_reported():
    x = DATA.x_validation.copy()
    x[0] = 3e38
    net = initialize(mlp([64, 16, 10], "identity"), "ones", np.random.default_rng(0))
    history = run(net, data=with_data(x_validation=x), epochs=3)
    assert np.isfinite(history.train_loss).all()
    assert history.diverged_at == 0
    assert len(history.validation_loss) == 1


def test_a_model_that_is_not_finite_at_the_start_diverged_before_training():
    net, calls = model(), []
    net[2].weight.value[...] = np.nan
    history = run(net, callback=calls.append)
    assert (history.diverged_at, len(history.train_loss), calls) == (0, 1, [])


def test_a_loss_that_is_not_finite_ends_the_epoch_at_once():
    """No later minibatch is trained on: the weights stay those of the step that blew up."""
    net = model()
    optimizer = SGD(net.parameters(), 0.1)
    steps, step = [], optimizer.step

    def spoil():
        step()
        steps.append(1)
        net[0].bias.value[...] = np.nan

    optimizer.step = spoil
    rng = np.random.default_rng(1)
    assert fit(net, DATA, optimizer, epochs=2, batch_size=100, rng=rng).diverged_at == 1
    assert len(steps) == 1


def test_an_epoch_trains_in_training_mode():
    net = initialize(mlp([64, 16, 10], norm="batch"), "he_normal", np.random.default_rng(0)).eval()
    before = net[1].running_mean.copy()
    run(net, epochs=1)
    assert not np.array_equal(net[1].running_mean, before)
    assert net.training


def test_callback_is_called_before_and_after_each_epoch():
    seen = []
    run(model(), epochs=3, callback=seen.append)
    assert seen == [0, 1, 2, 3]


def test_progress_bar_changes_nothing(capsys):
    quiet, shown = run(model(), epochs=2), run(model(), epochs=2, progress=True)
    assert quiet == shown
    assert "epochs" in capsys.readouterr().err


def schemes():
    def build(initializer):
        return lambda rng: initialize(mlp([64, 16, 10], "tanh"), initializer, rng)

    return {"xavier": build("xavier_normal"), "orthogonal": build("orthogonal")}


def comparison(**more):
    options = {"seeds": (0, 1), "optimizer": lambda p: SGD(p, 0.1), "epochs": 2, "batch_size": 100}
    return compare(schemes(), DATA, **(options | more))


def test_every_scheme_sees_the_same_order():
    """Two labels for one initializer give identical runs, although other draws come between them."""
    same = {"a": schemes()["xavier"], "between": schemes()["orthogonal"], "b": schemes()["xavier"]}
    runs = compare(same, DATA, seeds=(0, 1), optimizer=lambda p: SGD(p, 0.1), epochs=2, batch_size=100)
    assert [r.history for r in runs["a"]] == [r.history for r in runs["b"]]
    assert [r.history for r in runs["a"]] != [r.history for r in runs["between"]]
    assert runs["a"][0].history != runs["a"][1].history  # and the seed matters


def test_data_order_does_not_depend_on_what_the_initializer_draws():
    thirsty = lambda rng: (rng.random(1000), initialize(mlp([64, 16, 10]), "zeros", rng))[1]  # noqa: E731
    modest = lambda rng: initialize(mlp([64, 16, 10]), "zeros", rng)  # noqa: E731
    runs = compare(
        {"thirsty": thirsty, "modest": modest},
        DATA,
        seeds=(0,),
        optimizer=lambda p: SGD(p, 0.1),
        epochs=1,
        batch_size=100,
    )
    assert runs["thirsty"][0].history == runs["modest"][0].history


def test_probe_is_kept_for_every_epoch():
    runs = comparison(probe=lambda m: float(m[0].weight.value.std()))
    assert len(runs["xavier"][0].probes) == 3
    assert runs["xavier"][0].probes[0] != runs["xavier"][0].probes[2]


def test_learning_rate_is_chosen_on_validation_data():
    options = {"seeds": (0,), "optimizer": SGD, "epochs": 2, "batch_size": 100}
    build = schemes()["xavier"]
    assert choose_learning_rate(build, DATA, candidates=[1e-6, 0.1, 1e4], **options) == 0.1
    tied = choose_learning_rate(build, DATA, candidates=[1e-9, 1e-8, 1e-10], **options)  # none moves anything
    assert tied == 1e-10
    spoiled = DATA._replace(y_test=np.zeros_like(DATA.y_test))  # the test labels have no say
    assert choose_learning_rate(build, spoiled, candidates=[1e-6, 0.1, 1e4], **options) == 0.1


def test_summary_counts_never_as_later_than_all():
    runs = comparison()
    table = summarize(runs, DATA, target=0.99).splitlines()
    assert table[0].split() == ["scheme", "test", "accuracy", "epochs", "to", "99%"]
    assert table[1].endswith("never")
    accuracies = sorted(evaluate(r.model, DATA.x_test, DATA.y_test)[1] for r in runs["xavier"])
    assert f"({accuracies[0]:.2f}-{accuracies[1]:.2f})" in table[1]
    assert not summarize(runs, DATA, target=0.1).splitlines()[1].endswith("never")


def with_data(**changes):
    return Dataset(*DATA)._replace(**changes)


def choose(**changes):
    options = {"candidates": [0.1], "seeds": [0], "optimizer": SGD, "epochs": 1, "batch_size": 100}
    return choose_learning_rate(schemes()["xavier"], DATA, **(options | changes))


def fitted(**changes):
    net = model()
    arguments = {"model": net, "data": DATA, "optimizer": SGD(net.parameters(), 0.1)} | changes
    return fit(**arguments, epochs=1, batch_size=100, rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: run(model(), epochs=0), ValueError, "epochs .*at least 1.*0"),
        (lambda: run(model(), epochs=1.5), TypeError, "epochs .*integer.*1.5"),
        (lambda: run(model(), batch_size=-3), ValueError, "batch_size .*at least 1.*-3"),
        (lambda: run(model(), data=with_data(x_train=DATA.x_train * np.nan)), ValueError, "x_train .*finite"),
        (
            lambda: run(model(), data=with_data(x_train=np.ones((5, 64), int))),
            TypeError,
            "x_train .*floating.*int",
        ),
        (lambda: run(model(), data=with_data(y_train=DATA.y_train + 9)), ValueError, r"labels .*0\.\.9.*18"),
        (
            lambda: run(model(), data=with_data(y_train=DATA.y_train[:5])),
            ValueError,
            r"y_train .*\(1077,\).*\(5,\)",
        ),
        (
            lambda: run(model(), data=with_data(x_train=DATA.x_train[:, :9])),
            ValueError,
            r"Linear\(64, 16\).*9",
        ),
        (
            lambda: fit(model(), DATA, SGD(model().parameters(), 1), epochs=1, batch_size=1, rng=3),
            TypeError,
            "rng .*seed 3",
        ),
        (
            lambda: compare({}, DATA, seeds=[1], optimizer=None, epochs=1, batch_size=1),
            ValueError,
            "schemes must hold at least one label",
        ),
        (lambda: comparison(seeds=[]), ValueError, "seeds must hold at least one integer, got none"),
        (lambda: comparison(seeds=3), TypeError, "seeds must be a list of integers, got 3"),
        (lambda: comparison(seeds=[-1]), ValueError, "seeds must be at least 0, got -1"),
        (lambda: comparison(seeds=["x"]), TypeError, "seeds must be an integer, got str 'x'"),
        (
            lambda: comparison(seeds=[np.random.default_rng(0)]),
            TypeError,
            "seeds must be an integer, got Generator",
        ),
        (
            lambda: comparison(optimizer=lambda _p: SGD),
            TypeError,
            "optimizer must be an Optimizer such as SGD",
        ),
        (
            lambda: compare([1], DATA, seeds=[1], optimizer=SGD, epochs=1, batch_size=1),
            TypeError,
            "schemes must be a mapping of labels to functions, got list",
        ),
        (
            lambda: compare({"a": lambda _: None}, DATA, seeds=[1], optimizer=SGD, epochs=1, batch_size=1),
            TypeError,
            "model of a scheme must be a Layer, got NoneType",
        ),
        (
            lambda: compare({"a": "he"}, DATA, seeds=[1], optimizer=SGD, epochs=1, batch_size=1),
            TypeError,
            "function of a scheme must be a function from a Generator to a model, got str",
        ),
        (lambda: choose(candidates=0.1), TypeError, "candidates must be a list of learning rates, got 0.1"),
        (lambda: choose(candidates=[0.1, "a"]), TypeError, "candidates must be a real number, got str"),
        (lambda: choose(seeds=[]), ValueError, "seeds must hold at least one integer"),
        (lambda: summarize({"a": []}, DATA), ValueError, "at least one run for each label, got none for 'a'"),
        (lambda: summarize(None, DATA), TypeError, "runs must be what compare returns, got NoneType"),
        (lambda: summarize({}, DATA, target="90%"), TypeError, "target must be a real number"),
        (lambda: evaluate("mlp", DATA.x_test, DATA.y_test), TypeError, "model must be a Layer, got str"),
        (lambda: evaluate(model(), DATA.x_test[:0], DATA.y_test[:0]), ValueError, "x must hold at least one"),
        (
            lambda: evaluate(model(), DATA.x_test.tolist(), DATA.y_test),
            TypeError,
            "x must be an array .*list",
        ),
        (lambda: evaluate(model(), DATA.x_test * np.nan, DATA.y_test), ValueError, "x must be finite"),
        (lambda: fitted(model="mlp"), TypeError, "model must be a Layer, got str"),
        (lambda: fitted(data=DATA[:2]), TypeError, "data must be a Dataset, got tuple"),
        (lambda: fitted(optimizer=SGD), TypeError, "optimizer must be an Optimizer such as"),
        (lambda: fitted(optimizer=SGD(model().parameters(), 1)), ValueError, "built from this model's"),
        (
            lambda: fitted(data=with_data(y_train=DATA.y_train.tolist())),
            TypeError,
            "y_train must be an array of integers, got list",
        ),
        (
            lambda: fitted(data=with_data(y_validation=DATA.y_validation[:4])),
            ValueError,
            r"y_validation must have shape .*got \(4,\)",
        ),
        (
            lambda: fitted(data=with_data(y_validation=DATA.y_validation - 1)),
            ValueError,
            "y_validation must not be negative, got -1",
        ),
        (
            lambda: choose_learning_rate(
                None, DATA, candidates=[], seeds=[0], optimizer=SGD, epochs=1, batch_size=1
            ),
            ValueError,
            "candidates",
        ),
    ],
)
def test_wrong_calls(call, error, words):
    with pytest.raises(error, match=words):
        call()

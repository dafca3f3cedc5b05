"""LSUV against plain re-runs of the network, closed forms, and the usual quadratic algorithm."""

from collections import Counter
from functools import partial

import numpy as np
import pytest

from netinit.activations import ACTIVATIONS
from netinit.builders import mlp
from netinit.hooks import intercept
from netinit.initialize import initialize, weighted_layers
from netinit.initializers import normal
from netinit.layers import Activation, BatchNorm, Conv2d, Flatten, Layer, LayerNorm, Linear, Parameter
from netinit.lsuv import lsuv
from netinit.models import Residual, Sequential


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture
def x():
    return np.random.default_rng(1).standard_normal((64, 12)).astype(np.float32)


def relu(z):
    return np.maximum(z, 0)


def outputs_of_mlp(model, x, phi):
    """Preactivations of an `mlp` without norm, from its arrays alone."""
    state, z, outputs = model.state_dict(), x, []
    for i in range(0, len(model), 2):
        z = (phi(z) if i else z) @ state[f"{i}.weight"] + state[f"{i}.bias"]
        outputs.append(z)
    return outputs


def quadratic_lsuv(model, x, tolerance, max_iterations):
    """LSUV as usually published: for every layer and iteration, the whole network from the input."""
    runs = 0
    for i in range(0, len(model), 2):
        for _ in range(max_iterations):
            output = outputs_of_mlp(model, x, relu)[i // 2]
            runs += 1
            if abs(output.var() - 1) < tolerance:
                break
            model[i].weight.value /= output.std()
    return runs


class CountingLinear(Linear):
    calls = 0

    def forward(self, x):
        self.calls += 1
        return super().forward(x)


class Backwards(Layer):
    """Runs its layers in another order than that of their definition."""

    def __init__(self):
        self.second, self.first = Linear(12, 5), Linear(12, 12)

    def forward(self, x):
        return self.second.forward(self.first.forward(x))


def steps(shape, rng, *, dtype):  # noqa: ARG001
    return np.arange(10, dtype=dtype).reshape(shape)


class Fails(Layer):
    def forward(self, x):
        raise RuntimeError(f"cannot take {x.shape}.")


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_one_iteration_is_exact_on_the_preactivation(activation, x, rng):
    model = mlp([12, 30, 20, 40, 5], activation)
    records = lsuv(model, x, rng, tolerance=1e-4)
    assert [r.layer for r in records] == ["0", "2", "4", "6"]
    assert all(r.iterations == 1 and r.converged and r.reason == "" for r in records)
    outputs = outputs_of_mlp(model, x, ACTIVATIONS[activation].function)
    np.testing.assert_allclose([z.std() for z in outputs], 1, rtol=1e-5)
    np.testing.assert_allclose([r.std_after for r in records], 1, rtol=1e-5)


def test_he_alone_does_not_reach_variance_one(x, rng):
    model = initialize(mlp([12, 30, 20, 40, 5]), "he_normal", rng)
    assert any(abs(z.var() - 1) > 0.02 for z in outputs_of_mlp(model, x, relu))


def test_agrees_with_the_quadratic_algorithm(x, rng):
    ours = initialize(mlp([12, 30, 20, 30, 20, 5]), "xavier_normal", rng)
    theirs = mlp([12, 30, 20, 30, 20, 5])
    theirs.load_state_dict(ours.state_dict())
    lsuv(ours, x, rng, orthonormal=False)
    quadratic_lsuv(theirs, x, 0.02, 10)
    for path, array in ours.state_dict().items():
        np.testing.assert_allclose(array, theirs.state_dict()[path], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("depth", [5, 40])
@pytest.mark.parametrize("on", ["preactivation", "activation"])
def test_each_layer_runs_twice(depth, on, x, rng):
    layers = [CountingLinear(12, 12) for _ in range(depth)]
    model = Sequential(*(part for layer in layers for part in (layer, Activation("relu"))))
    lsuv(model, x, rng, on=on)
    assert [layer.calls for layer in layers] == [2] * depth


def test_the_quadratic_algorithm_runs_the_network_twice_for_each_layer(x, rng):
    model = initialize(mlp([12] * 41), "orthogonal", rng)
    assert quadratic_lsuv(model, x, 0.02, 10) == 2 * 40  # 40 layers each: 3,200 layer passes, ours takes 80


def test_std_before_is_that_of_the_orthonormal_draw(x, rng):
    model = mlp([12, 30, 5])
    records = lsuv(model, x, rng)
    for record, layer in zip(records, (model[0], model[2]), strict=True):
        w = layer.weight.value
        gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
        np.testing.assert_allclose(gram, np.eye(len(gram)) / record.std_before**2, atol=1e-5)


def test_layers_in_nested_branches_are_scaled_on_the_signal_that_reaches_them(x, rng):
    inner = Sequential(Activation("tanh"), Linear(12, 9), Activation("relu"), Linear(9, 12))
    outer = Sequential(Linear(12, 12), Residual(inner), Activation("relu"), Linear(12, 7))
    model = Sequential(Sequential(Linear(12, 12)), Residual(outer, shortcut=Linear(12, 7)), Linear(7, 3))
    records = lsuv(model, x, rng, tolerance=1e-5)
    w = {path.removesuffix(".weight"): array for path, array in model.state_dict().items()}
    a = x @ w["0.0"]
    b = a @ w["1.branch.0"]
    c = np.tanh(b) @ w["1.branch.1.branch.1"]
    d = relu(c) @ w["1.branch.1.branch.3"]
    e = relu(b + d) @ w["1.branch.3"]
    skip = a @ w["1.shortcut"]
    out = (e + skip) @ w["2"]
    np.testing.assert_allclose([z.std() for z in (a, skip, b, c, d, e, out)], 1, rtol=1e-5)
    order = [
        "0.0",
        "1.shortcut",
        "1.branch.0",
        "1.branch.1.branch.1",
        "1.branch.1.branch.3",
        "1.branch.3",
        "2",
    ]
    assert [r.layer for r in records] == order
    assert np.std(e + skip) > 1.2  # the sum of both is no layer's output: it is not scaled


def test_convolutions_are_scaled_too(rng):
    images = rng.standard_normal((8, 6, 6, 3)).astype(np.float32)
    branch = Sequential(Activation("relu"), Conv2d(8, 8, groups=2))
    model = Sequential(Conv2d(3, 8), Residual(branch), Conv2d(8, 4, stride=2), Flatten(), Linear(36, 5))
    records = lsuv(model, images, rng)
    assert all(r.converged and r.iterations == 1 for r in records)
    y = images
    for layer in model:
        y = layer(y)
        if isinstance(layer, Conv2d | Linear):
            assert y.std() == pytest.approx(1, rel=1e-5)


def test_the_model_may_be_a_single_layer(x, rng):
    model = Linear(12, 4)
    (record,) = lsuv(model, x, rng)
    assert record.layer == ""
    assert model(x).std() == pytest.approx(1, rel=1e-5)


def test_records_come_in_the_order_of_execution(x, rng):
    model = Backwards()
    assert [path for path, *_ in weighted_layers(model.named_layers())] == ["second", "first"]
    assert [r.layer for r in lsuv(model, x, rng)] == ["first", "second"]
    assert model.first(x).std() == pytest.approx(1, rel=1e-5)
    assert model(x).std() == pytest.approx(1, rel=1e-5)


def test_tanh_cannot_reach_variance_one_after_the_activation(x, rng):
    records = lsuv(mlp([12, 30, 30, 30, 5], "tanh"), x, rng, on="activation", max_iterations=4)
    for record in records[:-1]:
        assert (record.iterations, record.converged) == (4, False)
        assert record.reason == f"variance is {record.std_after**2:.3g} after 4 iterations"
        assert record.std_before < record.std_after < 1
    assert records[-1].converged  # nothing follows the last layer: its own output is measured


def test_relu_reaches_it_in_one_iteration(x, rng):
    model = mlp([12, 30, 30, 5])
    records = lsuv(model, x, rng, on="activation")
    assert all(r.converged and r.iterations == 1 for r in records)
    z0, z1, z2 = outputs_of_mlp(model, x, relu)
    np.testing.assert_allclose([relu(z0).std(), relu(z1).std(), z2.std()], 1, rtol=1e-5)
    assert z0.std() > 1.2


def test_only_an_activation_that_follows_directly_counts(x, rng):
    model = Sequential(Linear(12, 12), LayerNorm(12), Activation("tanh"), Linear(12, 5))
    assert all(r.converged for r in lsuv(model, x, rng, on="activation"))
    assert model[0](x).std() == pytest.approx(1, rel=1e-5)


def test_a_saturated_layer_stops_when_scaling_no_longer_helps(x, rng):
    model = Sequential(Linear(12, 12), Activation("sigmoid"))  # variance at most 1/4
    (record,) = lsuv(model, x, rng, on="activation", max_iterations=1000)
    assert record.iterations < 100
    assert not record.converged
    assert "when the weight is scaled" in record.reason
    assert np.isfinite(model[0].weight.value).all()


def test_a_bias_that_spreads_more_than_one_is_reported(x, rng):
    model = initialize(mlp([12, 10]), "he_normal", rng, bias=steps)
    (record,) = lsuv(model, x, rng, orthonormal=False)
    assert not record.converged
    assert record.reason
    np.testing.assert_array_equal(model[0].bias.value, np.arange(10))
    assert np.abs(model[0].weight.value).max() > 1e-4  # not shrunk away in vain


def unchanged_after(model, x, rng, layer, **options):
    """Run LSUV, find this layer's arrays to be what they were, and return its record."""
    before = model.state_dict()
    records = {r.layer: r for r in lsuv(model, x, rng, **options)}
    for name in ("weight", "bias"):
        np.testing.assert_array_equal(model.state_dict()[f"{layer}.{name}"], before[f"{layer}.{name}"])
    record = records[layer]
    assert (record.iterations, record.converged) == (0, False)
    assert "weights left as they were" in record.reason
    return record


@pytest.mark.parametrize("on", ["preactivation", "activation"])
@pytest.mark.parametrize("orthonormal", [True, False])
def test_a_batch_of_zeros_leaves_every_weight_as_it_was(on, orthonormal, x, rng):
    model = initialize(mlp([12, 10, 10, 5]), "he_normal", rng)
    for layer in ("0", "2", "4"):
        record = unchanged_after(model, np.zeros_like(x), rng, layer, orthonormal=orthonormal, on=on)
        assert "zero" in record.reason
        assert record.std_before == record.std_after == 0


def test_a_dead_relu_stops_no_other_layer(x, rng):
    model = initialize(mlp([12, 10, 10, 5]), "xavier_normal", rng)
    model[0].bias.value -= 1000
    record = unchanged_after(model, x, rng, "2", orthonormal=False)
    assert record.std_before == 0
    first = lsuv(model, x, rng, orthonormal=False)[0]
    assert first.converged


@pytest.mark.parametrize("fault", [np.nan, np.inf, 3e38])
def test_weights_that_are_not_finite_are_left_and_named(fault, x, rng):
    model = initialize(mlp([12, 10, 10, 5]), "he_normal", rng)
    model[2].weight.value[0] = fault
    x = np.abs(x) + 1
    model[0].weight.value[...] = np.abs(model[0].weight.value)  # no dead unit hides the fault
    record = unchanged_after(model, x, rng, "2", orthonormal=False)
    assert "not finite" in record.reason
    healthy, *_ = lsuv(model, x, rng, orthonormal=False)
    assert healthy.converged


def test_an_orthonormal_draw_replaces_weights_that_are_not_finite(x, rng):
    model = mlp([12, 10, 5])
    model[0].weight.value[...] = np.nan
    assert all(r.converged for r in lsuv(model, x, rng))


def test_the_rounding_of_a_constant_output_is_no_variance(rng):
    same = np.tile(rng.standard_normal((1, 300)), (7, 1)).astype(np.float32)
    model = initialize(mlp([300, 1]), "he_normal", rng, bias="ones")
    assert "zero" in unchanged_after(model, same, rng, "0").reason


def test_a_tiny_signal_never_makes_infinite_weights(x, rng):
    model = initialize(mlp([12, 10, 5]), "he_normal", rng)
    lsuv(model, x * np.float32(1e-44), rng)
    assert all(np.isfinite(array).all() for array in model.state_dict().values())


@pytest.mark.parametrize("training", [True, False])
def test_mode_and_running_statistics_are_kept(training, x, rng):
    model = mlp([12, 10, 10, 5], norm="batch").train(training)
    model[1].running_mean += 0.5
    before = model.state_dict()
    records = lsuv(model, x, rng)
    assert all(r.converged for r in records)
    assert all(layer.training is training for _, layer in model.named_layers())
    for name in ("1.running_mean", "1.running_variance", "4.running_mean", "4.running_variance"):
        np.testing.assert_array_equal(model.state_dict()[name], before[name])
    model.train()(x)
    assert not np.array_equal(model.state_dict()["4.running_mean"], before["4.running_mean"])  # the control


def test_a_shared_weight_is_scaled_once(x, rng):
    first, second = Linear(12, 12), Linear(12, 12)
    second.weight = first.weight
    model = Sequential(first, Activation("relu"), second, Activation("relu"), Linear(12, 5))
    records = lsuv(model, x, rng)
    assert "shared with layer '0'" in records[1].reason
    assert records[1].iterations == 0
    assert records[1].std_after == pytest.approx(second(relu(first(x))).std(), rel=1e-5)
    assert first(x).std() == pytest.approx(1, rel=1e-5)
    assert records[2].converged


def test_a_failing_layer_leaves_the_model_as_it_was(x, rng):
    model = initialize(Sequential(Linear(12, 12), BatchNorm(12), Fails()), "he_normal", rng)
    before = model.state_dict()
    with pytest.raises(RuntimeError, match="cannot take"):
        lsuv(model, x, rng)
    for path, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[path])
    assert "forward" not in vars(model[0])


def test_orthonormal_zeroes_the_bias_and_needs_none(x, rng):
    model = Sequential(Linear(12, 12), Linear(12, 5, bias=False))
    model[0].bias.value += 3
    assert all(r.converged for r in lsuv(model, x, rng))
    assert not model[0].bias.value.any()


def test_the_dtype_and_the_draws_are_kept(x):
    results = []
    for _ in range(2):
        model = mlp([12, 10, 5]).astype(np.float64)
        lsuv(model, x.astype(np.float64), np.random.default_rng(9), tolerance=1e-10)
        results.append(model.state_dict())
    for path, array in results[0].items():
        assert array.dtype == np.float64
        np.testing.assert_array_equal(array, results[1][path])


def test_custom_layers_with_a_weight_are_scaled(x, rng):
    class Double(Layer):
        def __init__(self):
            self.weight = Parameter(np.zeros((12, 6), np.float32), name="weight")

        def forward(self, x):
            return 2 * (x @ self.weight.value)

    model = Sequential(Double(), Linear(6, 3))
    assert [r.iterations for r in lsuv(model, x, rng)] == [1, 1]
    assert model[0](x).std() == pytest.approx(1, rel=1e-5)


class Block(Layer):
    """A block of one's own: a weight, and a layer of netinit that it calls afterwards."""

    def __init__(self, part):
        self.matrix = Parameter(np.zeros((12, 12), np.float32), name="matrix")
        self.part = part

    def forward(self, x):
        return self.part.forward(x @ self.matrix.value)


def test_a_block_with_a_weight_and_an_activation_is_scaled_as_one(x, rng):
    model = Sequential(Block(Activation("relu")), Linear(12, 5))
    records = lsuv(model, x, rng)
    assert [(r.layer, r.converged) for r in records] == [("0", True), ("1", True)]
    assert model[0](x).std() == pytest.approx(1, rel=1e-5)


class Idle(Layer):
    """Holds a layer that it does not run."""

    def __init__(self):
        self.used, self.idle = Linear(12, 12), Linear(12, 12)

    def forward(self, x):
        return self.used.forward(x)


@pytest.mark.parametrize(
    ("block", "path"), [(lambda: Block(Linear(12, 12)), "0"), (Idle, "0.idle")], ids=["around", "idle"]
)
def test_a_weight_that_no_batch_reaches_is_reported(block, path, x, rng):
    model = initialize(Sequential(block(), Linear(12, 5)), "he_normal", rng)
    before = model.state_dict()
    records = {r.layer: r for r in lsuv(model, x, rng)}
    assert len(records) == 3
    assert not records[path].converged
    assert np.isnan(records[path].std_after)
    assert "weights left as they were" in records[path].reason
    name = "matrix" if path == "0" else "weight"
    np.testing.assert_array_equal(model.state_dict()[f"{path}.{name}"], before[f"{path}.{name}"])


def test_an_activation_inside_the_next_branch_does_not_follow(x, rng):
    """The skip carries the layer's own output, so that is what must have variance 1."""
    branch = Sequential(Activation("relu"), Linear(12, 12))
    model = Sequential(Linear(12, 12), Residual(branch), Linear(12, 5))
    lsuv(model, x, rng, on="activation")
    assert model[0](x).std() == pytest.approx(1, rel=1e-5)


def test_an_activation_follows_through_nested_sequences(x, rng):
    inner = Sequential(Linear(12, 12), Linear(12, 12))
    model = Sequential(inner, Sequential(Activation("relu"), Linear(12, 5)))
    lsuv(model, x, rng, on="activation")
    assert relu(inner(x)).std() == pytest.approx(1, rel=1e-5)
    assert inner[0](x).std() == pytest.approx(1, rel=1e-5)


def test_each_layer_runs_twice_in_branches_convolutions_and_norms_too(rng):
    images = rng.standard_normal((8, 6, 6, 3)).astype(np.float32)
    model = initialize(
        Sequential(
            Conv2d(3, 4),
            BatchNorm(4),
            Residual(Sequential(Activation("relu"), Conv2d(4, 4), BatchNorm(4)), shortcut=Conv2d(4, 4)),
            Residual(Sequential(Activation("relu"), Conv2d(4, 4))),
            Flatten(),
            Linear(144, 5),
        ),
        "he_normal",
        rng,
    )
    calls = Counter()
    with intercept(model, "forward", lambda path, _layer, call, x: calls.update([path]) or call(x)):
        records = lsuv(model, images, rng)
    weighted = [path for path, *_ in weighted_layers(model.named_layers())]
    assert sorted(r.layer for r in records) == sorted(weighted)
    assert all(r.converged for r in records)
    assert {path: count for path, count in calls.items() if path in weighted} == dict.fromkeys(weighted, 2)
    assert {count for path, count in calls.items() if path not in weighted} == {1}


def test_float32_sums_of_large_outputs_do_not_overflow(rng):
    x = rng.standard_normal((64, 12)).astype(np.float32)
    model = initialize(Linear(12, 12), partial(normal, std=1e25), rng)
    (record,) = lsuv(model, x, rng, orthonormal=False)
    assert record.converged
    assert record.std_before > 1e24


def test_a_layer_at_variance_one_is_left_alone(x, rng):
    model = mlp([12, 30, 5])
    lsuv(model, x, rng)
    before = model.state_dict()
    records = lsuv(model, x, rng, orthonormal=False)
    assert [r.iterations for r in records] == [0, 0]
    for path, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[path])


def test_converged_is_a_plain_bool(x, rng):
    (record,) = lsuv(Linear(12, 4), x, rng, tolerance=np.float64(0.02))
    assert record.converged is True


ONES = np.ones((4, 12), np.float32)
ERRORS = [
    ({"model": "mlp"}, TypeError, "model must be a Layer, got str"),
    ({"model": Sequential(Activation("relu"))}, ValueError, "model must hold a layer with a weight"),
    ({"x": ONES.astype(int)}, TypeError, "x must be .* floating-point numbers, .* got ndarray of int"),
    ({"x": [[1.0] * 12]}, TypeError, "x must be an array .* got list"),
    (
        {"x": np.ones((0, 12), np.float32)},
        ValueError,
        r"x must hold at least one example, got shape \(0, 12\)",
    ),
    ({"x": ONES * np.nan}, ValueError, "x must be finite"),
    ({"x": ONES[:, :5]}, ValueError, r"Linear\(12, 5\) takes .* got \(4, 5\)"),
    ({"rng": 0}, TypeError, "rng must be a Generator, got the seed 0"),
    ({"rng": None}, TypeError, "rng must be a Generator"),
    ({"tolerance": 0}, ValueError, "tolerance must be finite and positive, got 0"),
    ({"tolerance": -0.1}, ValueError, "tolerance must be .* got -0.1"),
    ({"tolerance": np.nan}, ValueError, "tolerance must be .* got nan"),
    ({"tolerance": "small"}, TypeError, "tolerance must be a real number, got str"),
    ({"orthonormal": "no"}, TypeError, "orthonormal must be True or False, got str"),
    ({"max_iterations": 0}, ValueError, "max_iterations must be at least 1, got 0"),
    ({"max_iterations": 2.5}, TypeError, "max_iterations must be an integer, got float 2.5"),
    ({"on": "pre-activation"}, ValueError, "unknown on 'pre-activation': did you mean 'preactivation'"),
]


@pytest.mark.parametrize(("wrong", "error", "message"), ERRORS, ids=[message for *_, message in ERRORS])
def test_wrong_calls(wrong, error, message):
    model = mlp([12, 5])
    arguments = {"model": model, "x": ONES, "rng": np.random.default_rng(0)} | wrong
    with pytest.raises(error, match=message):
        lsuv(**arguments)
    assert not model[0].weight.value.any()  # as it was: zeros

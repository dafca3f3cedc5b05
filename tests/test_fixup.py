"""Fixup against its closed forms and its claim: what a step does is independent of the depth."""

import math

import numpy as np
import pytest

from netinit.builders import mlp, residual_mlp
from netinit.fixup import fixup
from netinit.initialize import initialize
from netinit.initializers import he_normal, ones
from netinit.layers import Activation, Conv2d, Flatten, Linear, ScalarBias, ScalarScale
from netinit.losses import softmax_cross_entropy
from netinit.models import Residual, Sequential
from netinit.optimizers import SGD

LABELS = np.arange(50) % 10


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.fixture
def x():
    centers = 2 * np.random.default_rng(2).standard_normal((10, 20))  # one for each class
    noise = np.random.default_rng(3).standard_normal((50, 20))
    return (centers[LABELS] + noise).astype(np.float32)


def branch_weights(model, block):
    branch = model[1 + block].branch
    return [layer.weight.value for layer in branch if isinstance(layer, Linear)]


def losses(model, x, steps, lr=0.05):
    """The loss before each of some steps of SGD on one batch."""
    optimizer, history = SGD(model.parameters(), lr), []
    for _ in range(steps):
        loss, grad = softmax_cross_entropy(model(x), LABELS)
        history.append(loss)
        model.zero_grad()
        model.backward(grad)
        optimizer.step()
    return history


@pytest.mark.parametrize("layers_per_block", [2, 3, 4])
@pytest.mark.parametrize("blocks", [1, 7, 100])
def test_the_exponent_is_that_of_the_paper(blocks, layers_per_block, rng):
    model = fixup(
        residual_mlp(20, 16, blocks, 10, layers_per_block=layers_per_block, fixup=True), rng, base=ones
    )
    expected = {2: blocks**-0.5, 3: blocks**-0.25, 4: blocks ** (-1 / 6)}[layers_per_block]
    for block in range(blocks):
        *scaled, last = branch_weights(model, block)
        assert len(scaled) == layers_per_block - 1
        for weight in scaled:
            np.testing.assert_allclose(weight, expected, rtol=1e-6)
        assert not last.any()


def test_scaled_layers_have_the_variance_of_he_over_the_depth(rng):
    model = fixup(residual_mlp(20, 64, 25, 10, layers_per_block=3, fixup=True), rng)
    drawn = np.concatenate([w.ravel() for block in range(25) for w in branch_weights(model, block)[:-1]])
    # The variance of n normal draws has relative standard error sqrt(2 / n).
    bound = 5 * math.sqrt(2 / drawn.size)
    he = 2 / 64
    assert abs(drawn.var() / (he * 25**-0.5) - 1) < bound
    assert abs(drawn.var() / he - 1) > bound  # the control: plain He is told apart


def test_each_branch_and_the_output_start_at_zero(x, rng):
    model = fixup(residual_mlp(20, 16, 12, 10, fixup=True), rng)
    y = model[0](x)
    for block in model[1:13]:
        assert not block.branch(y).any()
    output = model(x)
    assert not output.any()
    loss, _ = softmax_cross_entropy(output, LABELS)
    assert loss == pytest.approx(math.log(10), rel=1e-6)


def test_he_starts_neither_at_zero_nor_at_log_10(x, rng):
    model = initialize(residual_mlp(20, 16, 12, 10, fixup=True), "he_normal", rng)
    loss, _ = softmax_cross_entropy(model(x), LABELS)
    assert loss > 2 * math.log(10)


def without_rule_2(model):
    """Undo the scaling of the first layer of each branch."""
    blocks = [layer for layer in model if isinstance(layer, Residual)]
    for block in blocks:
        block.branch[3].weight.value *= len(blocks) ** 0.5
    return model


def curves(blocks, x, change=lambda model: model):
    model = fixup(residual_mlp(20, 16, blocks, 10, fixup=True), np.random.default_rng(0))
    return np.array(losses(change(model), x, steps=6))


def test_the_loss_curve_does_not_depend_on_the_depth(x):
    shallow, deep = curves(10, x), curves(1000, x)
    assert shallow[-1] < 0.9 * shallow[0]  # it learns, and not by the classifier alone:
    np.testing.assert_allclose(deep, shallow, rtol=0.01)


def test_without_rule_2_it_does(x):
    with np.errstate(all="ignore"):
        shallow, deep = curves(10, x, without_rule_2), curves(200, x, without_rule_2)
    assert not np.allclose(deep, shallow, rtol=0.05)


def loss_decrease(blocks, x, start, seed):
    """What a small step of SGD on the branches alone takes off the loss: lr |gradient|^2, for lr = 1."""
    model = residual_mlp(20, 16, blocks, 10, fixup=True)
    start(model, np.random.default_rng(seed))
    model[-1].weight.value[...] = he_normal((16, 10), np.random.default_rng(seed + 1))  # lets a gradient pass
    _, grad = softmax_cross_entropy(model(x), LABELS)
    model.backward(grad)
    inside = [p for block in model[1 : 1 + blocks] for p in block.parameters()]
    return sum(float(np.sum(p.grad**2)) * p.lr_scale for p in inside)


def standard_errors_apart(x, start, shallow=4, deep=40, seeds=range(0, 48, 2)):
    """The mean difference between a deep and a shallow network of the same seed, in its standard errors."""
    pairs = [(loss_decrease(shallow, x, start, s), loss_decrease(deep, x, start, s)) for s in seeds]
    differences = np.diff(pairs, axis=1)
    return differences.mean() / (differences.std(ddof=1) / np.sqrt(len(seeds)))


def test_one_step_gains_as_much_at_any_depth(x):
    assert abs(standard_errors_apart(x, fixup)) < 5


def test_without_rule_2_it_gains_more_in_a_deeper_network(x):
    assert standard_errors_apart(x, lambda model, rng: without_rule_2(fixup(model, rng))) > 5


def test_scalars_start_plain_and_learn_at_a_tenth(rng):
    model = residual_mlp(20, 16, 3, 10, fixup=True)
    for parameter in model.parameters():
        parameter.value += 7
    fixup(model, rng)
    scalars = 0
    for _, layer in model.named_layers():
        if isinstance(layer, ScalarScale):
            assert (layer.scale.value, layer.scale.lr_scale) == (1, 0.1)
            scalars += 1
        elif isinstance(layer, ScalarBias):
            assert (layer.bias.value, layer.bias.lr_scale) == (0, 0.1)
            scalars += 1
        elif isinstance(layer, Linear):
            assert layer.weight.lr_scale == 1
            assert layer.bias is None or not layer.bias.value.any()
    assert scalars == 3 * 5 + 2


def test_branches_without_scalars_follow_rules_1_and_2(rng):
    model = fixup(residual_mlp(20, 16, 9, 10), rng, base="ones")
    first, last = branch_weights(model, 0)
    np.testing.assert_allclose(first, 1 / 3, rtol=1e-6)
    assert not last.any()


def test_a_branch_of_one_layer_is_only_zeroed(rng):
    model = Sequential(Linear(8, 8), Residual(Linear(8, 8)), Residual(Linear(8, 8)), Linear(8, 3))
    fixup(model, rng, base=ones)
    assert [bool(model[i].weight.value.any()) for i in (0, 3)] == [True, False]
    assert not any(model[i].branch.weight.value.any() for i in (1, 2))


def test_nested_branches_count_their_own_layers(x, rng):
    inner = Residual(Sequential(Linear(8, 8), Activation("relu"), Linear(8, 8), Linear(8, 8)))
    outer = Residual(Sequential(Linear(8, 8), inner, Activation("relu"), Linear(8, 8)))
    model = fixup(Sequential(Linear(20, 8), outer, Linear(8, 10)), rng, base="ones")
    w = {path.removesuffix(".weight"): array for path, array in model.state_dict().items()}
    np.testing.assert_allclose(w["1.branch.0"], 2**-0.5)  # L = 2, m = 2
    np.testing.assert_allclose(w["1.branch.1.branch.0"], 2**-0.25)  # L = 2, m = 3
    np.testing.assert_allclose(w["1.branch.1.branch.2"], 2**-0.25)
    assert not w["1.branch.1.branch.3"].any()
    assert not w["1.branch.3"].any()
    y = model[0](x)
    np.testing.assert_array_equal(outer(y), y)


def test_shortcuts_are_drawn_by_the_base_and_are_no_classifier(rng):
    def block(n_in, n_out):
        branch = Sequential(Linear(n_in, n_out), Activation("relu"), Linear(n_out, n_out))
        return Residual(branch, shortcut=Linear(n_in, n_out))

    model = fixup(Sequential(block(6, 8), block(8, 4), Linear(4, 3)), rng, base="ones")
    assert all((model[i].shortcut.weight.value == 1).all() for i in (0, 1))
    assert not model[2].weight.value.any()
    with pytest.raises(ValueError, match="classifier"):
        fixup(model[:2], rng)


def test_convolutions_and_a_model_that_is_one_residual(rng):
    images = rng.standard_normal((4, 6, 6, 3)).astype(np.float32)
    branch = Sequential(Activation("relu"), Conv2d(8, 8), Activation("relu"), Conv2d(8, 8))
    model = fixup(Sequential(Conv2d(3, 8), Residual(branch), Flatten(), Linear(288, 5)), rng)
    y = model[0](images)
    assert y.any()
    np.testing.assert_array_equal(model[1](y), y)
    with pytest.raises(ValueError, match="classifier"):
        fixup(Residual(Linear(4, 4)), rng)


def test_a_weight_shared_with_a_last_layer_is_zero(rng):
    first, last = Linear(8, 8), Linear(8, 8)
    last.weight = first.weight
    model = Sequential(Linear(8, 8), Residual(Sequential(first, last)), Linear(8, 3))
    assert not fixup(model, rng)[1].branch[0].weight.value.any()


def test_the_same_generator_gives_the_same_model(rng):
    del rng
    one, two = (fixup(residual_mlp(4, 6, 3, 2), np.random.default_rng(8)).state_dict() for _ in range(2))
    assert all(np.array_equal(one[path], two[path]) for path in one)


def empty_branch():
    return Sequential(Linear(4, 4), Residual(Activation("relu")), Linear(4, 2))


def without_own_weight():
    return Sequential(Linear(4, 4), Residual(Residual(Linear(4, 4))), Linear(4, 2))


ERRORS = [
    (lambda rng: fixup("residual", rng), TypeError, "model must be a Layer, got str"),
    (lambda rng: fixup(mlp([4, 4, 2]), rng), ValueError, "model must hold a Residual"),
    (lambda rng: fixup(residual_mlp(4, 4, 2, 2)[:-1], rng), ValueError, "model must have a classifier"),
    (lambda rng: fixup(empty_branch(), rng), ValueError, "branch '1.branch' must hold a layer with a weight"),
    (lambda rng: fixup(without_own_weight(), rng), ValueError, "branch '1.branch' must hold .* of its own"),
    (lambda _: fixup(residual_mlp(4, 4, 2, 2), 0), TypeError, "rng must be a Generator, got the seed 0"),
    (lambda _: fixup(residual_mlp(4, 4, 2, 2), None), TypeError, "rng must be a Generator"),
    (
        lambda rng: fixup(residual_mlp(4, 4, 2, 2), rng, base="he_norml"),
        ValueError,
        "'he_norml'.*'he_normal'",
    ),
    (lambda rng: fixup(residual_mlp(4, 4, 2, 2), rng, base=2.0), TypeError, "base must be a name"),
]


@pytest.mark.parametrize(("call", "error", "message"), ERRORS, ids=[message for *_, message in ERRORS])
def test_wrong_calls(call, error, message, rng):
    with pytest.raises(error, match=message):
        call(rng)

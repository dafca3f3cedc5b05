"""Optimizers: first steps in closed form, quadratics, learning-rate scales, wrong calls."""

import copy
import re

import numpy as np
import pytest

from netinit.builders import mlp, residual_mlp
from netinit.layers import Linear, Parameter
from netinit.optimizers import PIECE, SGD, AdaGrad, Adam, Momentum, Optimizer, RMSProp

OPTIMIZERS = (SGD, Momentum, AdaGrad, RMSProp, Adam)


def one(value, lr_scale=1.0):
    return Parameter(np.array(value, dtype=np.float64), name="theta", lr_scale=lr_scale)


def step_with(optimizer, *grads):
    for grad in grads:
        for parameter in optimizer.parameters:
            parameter.grad = np.full(parameter.value.shape, grad, parameter.value.dtype)
        optimizer.step()
    return optimizer.parameters[0].value


# From theta = 1 with gradient 2, then 4; lr 0.1; epsilon too small to count.
CLOSED_FORMS = {
    SGD: ({}, 1 - 0.1 * 2, 1 - 0.1 * (2 + 4)),
    Momentum: ({"momentum": 0.5}, 1 - 0.1 * 2, 1 - 0.1 * (2 + (0.5 * 2 + 4))),
    AdaGrad: ({}, 1 - 0.1, 1 - 0.1 * (1 + 4 / np.sqrt(4 + 16))),
    RMSProp: (
        {"decay": 0.75},
        1 - 0.1 * 2 / np.sqrt(0.25 * 4),
        1 - 0.1 * (2 / np.sqrt(0.25 * 4) + 4 / np.sqrt(0.75 * 1 + 0.25 * 16)),
    ),
    Adam: (
        {"betas": (0.5, 0.75)},
        1 - 0.1,
        1 - 0.1 * (1 + (0.5 * 1 + 0.5 * 4) / 0.75 / np.sqrt((0.75 * 1 + 0.25 * 16) / (1 - 0.75**2))),
    ),
}


@pytest.mark.parametrize("optimizer", CLOSED_FORMS)
def test_the_first_two_steps_are_the_closed_form(optimizer):
    options, first, second = CLOSED_FORMS[optimizer]
    if optimizer not in (SGD, Momentum):
        options = {**options, "epsilon": 1e-300}
    running = optimizer([one([1.0, 1.0])], 0.1, **options)
    np.testing.assert_allclose(step_with(running, 2.0), first, rtol=1e-14)
    np.testing.assert_allclose(step_with(running, 4.0), second, rtol=1e-14)


@pytest.mark.parametrize("optimizer", [AdaGrad, RMSProp, Adam])
def test_epsilon_is_added_after_the_root(optimizer):
    running = optimizer([one([0.0])], 1.0, epsilon=3.0)
    root = {AdaGrad: 4.0, RMSProp: np.sqrt(0.01) * 4.0, Adam: 4.0}[optimizer]
    np.testing.assert_allclose(step_with(running, 4.0), -4 / (root + 3), rtol=1e-14)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_weight_decay_is_the_gradient_of_an_l2_penalty(optimizer):
    decayed, penalized = optimizer([one([3.0])], 0.1, weight_decay=0.2), optimizer([one([3.0])], 0.1)
    for _ in range(5):
        step_with(decayed, 1.5)
        step_with(penalized, 1.5 + 0.2 * penalized.parameters[0].value[0])
    np.testing.assert_allclose(decayed.parameters[0].value, penalized.parameters[0].value, rtol=1e-13)


@pytest.mark.parametrize(
    ("optimizer", "lr"), [(SGD, 0.05), (Momentum, 0.02), (AdaGrad, 1.0), (RMSProp, 0.005), (Adam, 0.05)]
)
def test_a_quadratic_is_minimized(optimizer, lr):
    curvature, minimum = np.array([1.0, 3.0, 10.0]), np.array([1.0, -2.0, 0.5])
    theta = one(np.zeros(3))
    running = optimizer([theta], lr)
    for _ in range(1500):
        theta.grad = curvature * (theta.value - minimum)
        running.step()
    assert np.max(np.abs(theta.value - minimum)) < 0.01


def test_sgd_contracts_a_quadratic_by_one_minus_lr_times_curvature():
    theta = one([1.0, 1.0])
    running = SGD([theta], 0.1)
    for _ in range(20):
        theta.grad = np.array([2.0, 5.0]) * theta.value
        running.step()
    np.testing.assert_allclose(theta.value, [0.8**20, 0.5**20], rtol=1e-12)


def test_sgd_beyond_two_over_the_curvature_diverges():
    theta = one([1.0])
    running = SGD([theta], 0.21)
    for _ in range(50):
        theta.grad = 10 * theta.value
        running.step()
    assert abs(theta.value[0]) > 100


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_lr_scale_zero_freezes_and_two_doubles(optimizer):
    plain, frozen, doubled = one([1.0]), one([1.0], lr_scale=0.0), one(1.0, lr_scale=2.0)
    step_with(optimizer([plain, frozen, doubled], 0.1, weight_decay=0.1), 0.5, 0.25)
    assert frozen.value[0] == 1
    assert plain.value[0] < 1
    alone = one([1.0])
    step_with(optimizer([alone], 0.1, weight_decay=0.1), 0.5)
    once, twice = one([1.0]), one([1.0], lr_scale=2.0)
    step_with(optimizer([once, twice], 0.1, weight_decay=0.1), 0.5)
    assert once.value[0] == alone.value[0]
    np.testing.assert_allclose(1 - twice.value[0], 2 * (1 - once.value[0]), rtol=1e-13)


def test_mixed_scales_keep_the_precision_of_float64():
    third, whole = one([1.0], lr_scale=1 / 3), one([1.0])
    step_with(SGD([third, whole], 0.1), 1.0)
    np.testing.assert_allclose(third.value, 1 - 0.1 / 3, rtol=1e-15)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_parameters_of_any_shape_take_their_own_step_in_place(optimizer):
    rng = np.random.default_rng(3)
    shapes = (), (4,), (2, 3), (3, 3, 1, 2)
    together = [Parameter(rng.normal(size=shape).astype(np.float32)) for shape in shapes]
    apart = [Parameter(p.value.copy()) for p in together]
    runs = [optimizer(together, 0.1), *(optimizer([p], 0.1) for p in apart)]
    arrays = [p.value for p in together]
    for _ in range(3):
        for p, q in zip(together, apart, strict=True):
            p.grad = q.grad = rng.normal(size=p.value.shape).astype(np.float32)
        for run in runs:
            run.step()
    for p, q, array in zip(together, apart, arrays, strict=True):
        np.testing.assert_array_equal(p.value, q.value)
        assert p.value is array
        assert p.value.dtype == np.float32


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_zero_gradient_moves_nothing(optimizer):
    assert step_with(optimizer([one([1.0])], 0.1), 0.0, 0.0)[0] == 1


def test_a_rule_of_ones_own_is_three_lines():
    class Sign(Optimizer):
        def direction(self, g, piece):
            return np.sign(g)

    np.testing.assert_allclose(step_with(Sign([one([1.0])], 0.25), 7.0), 0.75)


# ---- one long vector ----


def network(dtype=np.float64):
    """A small model, with a batch and an output gradient of its own."""
    rng = np.random.default_rng(8)
    model = mlp([4, 5, 3], "tanh").astype(dtype)
    for p in model.parameters():
        p.value[...] = rng.normal(size=p.value.shape)
    return model, rng.normal(size=(6, 4)).astype(dtype), rng.normal(size=(6, 3)).astype(dtype)


def gradients(model, x, c, passes=1):
    """The gradients after so many passes, without any optimizer."""
    free = mlp([4, 5, 3], "tanh").astype(x.dtype)
    free.load_state_dict(model.state_dict())
    for _ in range(passes):
        free(x)
        free.backward(c)
    return [p.grad for p in free.parameters()]


def test_values_and_gradients_become_views_of_two_vectors():
    model, x, c = network()
    before = [p.value.copy() for p in model.parameters()]
    SGD(model.parameters(), 0.1)
    assert len({id(p.value.base) for p in model.parameters()}) == 1
    for p, value in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(p.value, value)
        assert p.grad is None
    model(x)
    model.backward(c)
    assert len({id(p.grad.base) for p in model.parameters()}) == 1
    for p, expected in zip(model.parameters(), gradients(model, x, c), strict=True):
        np.testing.assert_allclose(p.grad, expected, rtol=1e-12)


@pytest.mark.parametrize("passes", [1, 2, 3])
def test_a_step_takes_the_sum_of_the_passes_since_zero_grad(passes):
    model, x, c = network()
    optimizer = SGD(model.parameters(), 0.1)
    for _ in range(2):  # the second round must not remember the first
        before = [p.value.copy() for p in model.parameters()]
        expected = gradients(model, x, c, passes)
        optimizer.zero_grad()
        for _ in range(passes):
            model(x)
            model.backward(c)
        optimizer.step()
        for p, value, grad in zip(model.parameters(), before, expected, strict=True):
            np.testing.assert_allclose(p.value, value - 0.1 * grad, rtol=1e-12)


def test_gradients_that_were_there_before_the_optimizer_count():
    model, x, c = network()
    model(x)
    model.backward(c)
    before, expected = [p.value.copy() for p in model.parameters()], gradients(model, x, c)
    SGD(model.parameters(), 0.1).step()
    for p, value, grad in zip(model.parameters(), before, expected, strict=True):
        np.testing.assert_allclose(p.value, value - 0.1 * grad, rtol=1e-12)


def test_a_value_that_is_assigned_is_the_one_that_moves():
    parameter = one([1.0, 2.0])
    optimizer = SGD([parameter], 0.5)
    mine = parameter.value = np.array([10.0, 20.0])
    np.testing.assert_array_equal(step_with(optimizer, 2.0), [9.0, 19.0])
    np.testing.assert_array_equal(mine, [10.0, 20.0])


def test_two_optimizers_take_turns_on_one_parameter():
    parameter = one([1.0])
    first, second = SGD([parameter], 0.5), SGD([parameter], 0.25)
    for optimizer, expected in ((first, 0.5), (second, 0.25), (first, -0.25)):
        np.testing.assert_array_equal(step_with(optimizer, 1.0), [expected])


def test_weight_decay_leaves_the_gradient_as_it_was():
    model, x, c = network()
    optimizer = SGD(model.parameters(), 0.1, weight_decay=0.5)
    model(x)
    model.backward(c)
    before = [p.grad.copy() for p in model.parameters()]
    optimizer.step()
    for p, grad in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(p.grad, grad)


@pytest.mark.parametrize("size", [PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 7])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_pieces_of_a_long_vector_move_as_short_vectors_do(optimizer, size):
    rng = np.random.default_rng(9)
    value, scales = rng.normal(size=size), rng.uniform(0.5, 2.0, size=3)
    cuts = np.sort(rng.integers(1, size, 2))
    whole = [
        Parameter(part.copy(), lr_scale=s) for part, s in zip(np.split(value, cuts), scales, strict=True)
    ]
    parts = [Parameter(p.value.copy(), lr_scale=p.lr_scale) for p in whole]
    together = optimizer(whole, 0.1, weight_decay=0.3)
    apart = [optimizer([p], 0.1, weight_decay=0.3) for p in parts]
    for _ in range(3):
        for p, q in zip(whole, parts, strict=True):
            p.grad = q.grad = rng.normal(size=p.value.shape)
        together.step()
        for each in apart:
            each.step()
    for p, q in zip(whole, parts, strict=True):
        np.testing.assert_allclose(p.value, q.value, rtol=1e-13)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_copied_model_is_on_its_own(optimizer):
    model, x, c = network(np.float32)
    running = optimizer(model.parameters(), 0.1)
    copied = copy.deepcopy(model)
    before = copied.state_dict()
    model(x)
    model.backward(c)
    running.step()
    for path, array in copied.state_dict().items():
        np.testing.assert_array_equal(array, before[path])
    own = optimizer(copied.parameters(), 0.1)
    copied(x)
    copied.backward(c)
    own.step()
    for path, array in copied.state_dict().items():
        np.testing.assert_array_equal(array, model.state_dict()[path])


def test_every_gradient_is_written_to_its_place():
    """Scalars too: else each step would copy them one by one."""
    rng = np.random.default_rng(1)
    model = residual_mlp(4, 5, 2, 3, fixup=True)
    model.load_state_dict({path: rng.normal(size=a.shape) for path, a in model.named_arrays()})
    SGD(model.parameters(), 0.1)
    model.backward(np.ones_like(model(rng.normal(size=(6, 4)).astype(np.float32))))
    assert all(p.grad is p.grad_buffer for p in model.parameters())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("out", [None, np.float32, np.float64])
def test_a_product_is_accumulated_like_any_gradient(dtype, out):
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(3, 7)).astype(dtype), rng.normal(size=(7, 2)).astype(dtype)
    parameter = Parameter(np.zeros((3, 2), dtype))
    parameter.grad_buffer = None if out is None else np.full((3, 2), np.nan, out)
    for times in (1, 2):
        parameter.accumulate_product(a, b)
        np.testing.assert_allclose(parameter.grad, times * (a @ b), rtol=1e-5)
    with pytest.raises(ValueError, match=r"grad must have the shape of Parameter.*got \(2, 2\)"):
        Parameter(np.zeros((3, 2), dtype)).accumulate_product(a[:2], b)
    parameter.grad = None
    with pytest.raises(ValueError, match=r"grad must have the shape of Parameter.*got \(2, 2\)"):
        parameter.accumulate_product(a[:2], b)


def theta():
    return [one([1.0])]


def converted():
    parameter = one([1.0])
    optimizer = SGD([parameter], 0.1)
    parameter.value = parameter.value.astype(np.float32)
    step_with(optimizer, 1.0)


def transposed():
    parameter = Parameter(np.zeros((2, 3)))
    optimizer = SGD([parameter], 0.1)
    parameter.grad = np.ones((3, 2))
    optimizer.step()


def reshaped(**arrays):
    """One step after the parameter was given a value or gradient of another shape."""
    parameter = one([1.0])
    optimizer = SGD([parameter], 0.1)
    parameter.grad = np.ones(1)
    for name, array in arrays.items():
        setattr(parameter, name, array)
    optimizer.step()


def without_gradient():
    SGD(theta(), 0.1).step()


WRONG_CALLS = {
    "no parameters": (lambda: SGD([], 0.1), ValueError, "parameters is empty"),
    "a layer": (
        lambda: SGD(Linear(2, 3), 0.1),
        TypeError,
        "parameters must be a list of parameters such as model.parameters(), got Linear(2, 3)",
    ),
    "a method": (
        lambda: SGD(mlp([2, 3]).parameters, 0.1),
        TypeError,
        "parameters must be a list of parameters",
    ),
    "a model": (lambda: SGD(mlp([2, 3, 1]), 0.1), TypeError, "must hold Parameter objects, got Linear"),
    "arrays": (lambda: SGD([np.ones(3)], 0.1), TypeError, "must hold Parameter objects, got ndarray"),
    "the same twice": (lambda: SGD(theta() * 2, 0.1), ValueError, "one object twice"),
    "negative lr": (lambda: SGD(theta(), -0.1), ValueError, "lr must be finite and at least 0, got -0.1"),
    "NaN lr": (lambda: Adam(theta(), np.nan), ValueError, "lr must be finite"),
    "infinite lr": (lambda: Adam(theta(), np.inf), ValueError, "lr must be finite"),
    "text lr": (lambda: Adam(theta(), "0.1"), TypeError, "lr must be a real number, got str"),
    "weight decay": (lambda: SGD(theta(), 0.1, weight_decay=-1), ValueError, "weight_decay must be finite"),
    "lr_scale": (lambda: SGD([one([1.0], lr_scale=-1)], 0.1), ValueError, "lr_scale must be finite"),
    "momentum": (
        lambda: Momentum(theta(), 0.1, momentum=1.0),
        ValueError,
        "momentum must lie in [0, 1), got 1.0",
    ),
    "decay": (lambda: RMSProp(theta(), 0.1, decay=-0.1), ValueError, "decay must lie in [0, 1)"),
    "beta1": (lambda: Adam(theta(), 0.1, betas=(1.0, 0.9)), ValueError, "beta1 must lie in [0, 1)"),
    "beta2": (lambda: Adam(theta(), 0.1, betas=(0.9, 2.0)), ValueError, "beta2 must lie in [0, 1)"),
    "betas": (lambda: Adam(theta(), 0.1, betas=0.9), TypeError, "betas must be a pair"),
    "text momentum": (
        lambda: Momentum(theta(), 0.1, momentum="x"),
        TypeError,
        "momentum must be a real number",
    ),
    "epsilon": (lambda: AdaGrad(theta(), 0.1, epsilon=0.0), ValueError, "epsilon must be positive"),
    "negative epsilon": (lambda: RMSProp(theta(), 0.1, epsilon=-1.0), ValueError, "epsilon must be finite"),
    "no gradient": (without_gradient, RuntimeError, "parameter 'theta' has no gradient; run backward"),
    "two dtypes": (
        lambda: SGD([one([1.0]), Parameter(np.zeros(3, np.float32), name="other")], 0.1),
        ValueError,
        "parameters must share one dtype, got Parameter('theta', shape=(1,), dtype=float64) and",
    ),
    "another dtype": (
        converted,
        RuntimeError,
        "dtype=float32) must keep its dtype float64; build the optimizer anew",
    ),
    "a value to broadcast": (
        lambda: reshaped(value=np.array(1.0)),
        RuntimeError,
        "must keep its shape (1,), got ()",
    ),
    "a gradient to broadcast": (
        lambda: reshaped(grad=np.array(1.0)),
        RuntimeError,
        "gradient of Parameter('theta', shape=(1,), dtype=float64) must keep its shape (1,), got ()",
    ),
    "a list as gradient": (
        lambda: reshaped(grad=[1.0, 2.0]),
        RuntimeError,
        "must keep its shape (1,), got (2,)",
    ),
    "a transposed gradient": (
        transposed,
        RuntimeError,
        "gradient of Parameter('', shape=(2, 3), dtype=float64) must keep its shape (2, 3), got (3, 2)",
    ),
    "no rule": (
        lambda: step_with(Optimizer(theta(), 0.1), 1.0),
        NotImplementedError,
        "must define direction(g, piece)",
    ),
}


@pytest.mark.parametrize("name", WRONG_CALLS)
def test_a_wrong_call_raises_one_sentence(name):
    call, error, words = WRONG_CALLS[name]
    with pytest.raises(error, match=re.escape(words)):
        call()


def test_a_step_without_all_gradients_moves_nothing():
    layer = Linear(2, 3)
    layer.weight.grad = np.ones((2, 3), np.float32)
    with pytest.raises(RuntimeError, match="parameter 'bias' has no gradient"):
        SGD(layer.parameters(), 0.1).step()
    assert not layer.weight.value.any()

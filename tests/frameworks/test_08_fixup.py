"""Chapter 8: Fixup's rules, block by block."""

import jax
import keras
import numpy as np
import pytest
import torch
from measure import array, has_variance, is_normal

PAGE = "book/08-fixup.ipynb"
WIDTH, BLOCKS = 16, 50  # those of the page
FIRST, SCALED = 2 / 64, 2 / WIDTH / BLOCKS  # variances of the input layer and of a branch's first matrix


def identical(arrays):
    """Whether any two of the arrays hold the same values."""
    return len({array(a).tobytes() for a in arrays}) < len(arrays)


@pytest.fixture
def torch_names(snippet):
    return snippet(PAGE, "PyTorch")


def test_pytorch_rules(torch_names):
    blocks, net = torch_names["blocks"], torch_names["net"]
    assert len(blocks) == BLOCKS
    assert is_normal(torch_names["first"].weight, FIRST)
    assert is_normal(torch.stack([block.w1.weight for block in blocks]), SCALED)
    assert not identical([block.w1.weight for block in blocks])
    h, x = torch.randn(3, WIDTH), torch.randn(3, 64)
    assert all(torch.equal(block(h), h) for block in blocks)  # each starts as the identity
    assert not array(net(x)).any()  # and the classifier as zero


def test_pytorch_scalars_have_a_tenth_of_the_rate(torch_names):
    groups = torch_names["optimizer"].param_groups
    assert [group["lr"] for group in groups] == [0.1, 0.01]
    assert [p.numel() for p in groups[1]["params"]] == [4, 1] * BLOCKS
    listed = [id(p) for group in groups for p in group["params"]]
    assert sorted(listed) == sorted(map(id, torch_names["net"].parameters()))  # each once


@pytest.fixture
def jax_names(snippet):
    return snippet(PAGE, "JAX")


def test_jax_rules(jax_names):
    blocks = jax_names["blocks"]
    assert len(blocks) == BLOCKS
    assert is_normal(jax_names["first"], FIRST)
    assert is_normal(np.stack([p["w1"] for p in blocks]), SCALED)
    assert not identical([p["w1"] for p in blocks])
    h = jax.random.normal(jax.random.key(1), (3, WIDTH))
    assert all(np.array_equal(jax_names["block"](p, h), h) for p in blocks)
    assert not array(jax_names["last"]).any()


def plain_block(p, h, b, s):
    """The block of rule 3 with its biases and its multiplier as they are."""
    z = (jax.nn.relu(h + b[0]) + b[1]) @ p["w1"]
    return h + s * ((jax.nn.relu(z + b[2]) + b[3]) @ p["w2"])


def test_jax_scalars_have_a_tenth_of_the_rate(jax_names):
    """One step of SGD acts as one of a tenth of the rate on biases at 0 and a multiplier at 1."""
    p = jax_names["blocks"][0] | {"w2": jax.numpy.eye(WIDTH)}  # so that the scalars have a gradient
    h, rate = jax.random.normal(jax.random.key(1), (3, WIDTH)), 1e-2
    gradient = jax.grad(lambda p: jax_names["block"](p, h).sum())(p)
    stepped = p | {name: p[name] - rate * gradient[name] for name in ("b", "s")}
    start = jax.numpy.zeros(4), 1.0
    slopes = jax.grad(lambda b, s: plain_block(p, h, b, s).sum(), (0, 1))(*start)
    expected = plain_block(p, h, *(v - rate / 10 * slope for v, slope in zip(start, slopes, strict=True)))
    assert np.abs(expected - plain_block(p, h, *start)).max() > 1e-3  # the step is seen
    np.testing.assert_allclose(jax_names["block"](stepped, h), expected, atol=1e-5)


@pytest.fixture
def kernels(snippet):
    """The kernels of the page's Keras network, in their order: input, two for each block, classifier."""
    layers = snippet(PAGE, "Keras")["net"].layers
    return [layer.kernel for layer in layers if isinstance(layer, keras.layers.Dense)]


def test_keras_rules(kernels):
    assert len(kernels) == 2 * BLOCKS + 2
    assert has_variance(kernels[0], FIRST)
    assert is_normal(np.stack([array(kernel) for kernel in kernels[1:-1:2]]), SCALED)
    assert not any(array(kernel).any() for kernel in [*kernels[2:-1:2], kernels[-1]])


def test_keras_blocks_differ(kernels):
    assert not identical(kernels[1:-1:2])


def test_keras_scalars(snippet):
    """Four biases and a multiplier for each branch, two biases at the end; all start without effect."""
    names = snippet(PAGE, "Keras")
    scalars = [v for v in names["net"].trainable_variables if v.shape == ()]
    assert len(scalars) == 5 * BLOCKS + 2
    z = np.random.default_rng(0).normal(size=(3, WIDTH)).astype(np.float32)
    assert all(np.array_equal(array(names[kind]()(z)), z) for kind in ("Shift", "Scale"))


@pytest.mark.parametrize(("kind", "slope"), [("Shift", np.ones_like), ("Scale", np.asarray)])
def test_keras_scalars_have_a_tenth_of_the_rate(snippet, kind, slope):
    """A step of SGD, rate times the gradient of the sum, moves the output by a tenth of rate times slope."""
    layer = snippet(PAGE, "Keras")[kind]()
    z = np.random.default_rng(0).normal(size=(3, WIDTH)).astype(np.float32)
    layer(z)
    gradient = jax.grad(lambda b: layer.stateless_call([b], [], z)[0].sum())(layer.b.value)
    layer.b.assign(-0.01 * gradient)
    expected = z - 0.001 * slope(z).sum() * slope(z)
    np.testing.assert_allclose(array(layer(z)), expected, atol=1e-5)


@pytest.mark.parametrize("seed", [None, 8])
def test_one_keras_initializer_returns_the_same_matrix_each_time(seed):
    """The fault that the page teaches."""
    he = keras.initializers.VarianceScaling(2.0, "fan_in", "untruncated_normal", seed=seed)
    assert identical([he((WIDTH, WIDTH)), he((WIDTH, WIDTH))])

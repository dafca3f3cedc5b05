"""Chapter 8: Fixup's rules, block by block."""

import jax
import keras
import numpy as np
import pytest
import torch
from measure import array, is_normal

PAGE = "book/08-fixup.ipynb"
WIDTH, BLOCKS = 60, 4


class Net(torch.nn.Module):
    """A stack of the page's blocks with a classifier; the page's code takes it as `net`."""

    def __init__(self, block):
        super().__init__()
        self.blocks = torch.nn.ModuleList(block(WIDTH) for _ in range(BLOCKS))
        self.classifier = torch.nn.Linear(WIDTH, 10)


@pytest.fixture
def torch_names(snippet):
    """The page's variables, with a net of its own blocks: the block is known after a first run."""
    tiny = torch.nn.Linear(1, 1)
    tiny.b = torch.nn.Parameter(torch.zeros(1))
    block = snippet(PAGE, "PyTorch", net=torch.nn.Sequential(tiny), lr=0.1)["Block"]
    return snippet(PAGE, "PyTorch", net=Net(block), lr=0.1)


def test_pytorch_rules(torch_names):
    net = torch_names["net"]
    torch_names["fixup_"](net.blocks, net.classifier)
    for block in net.blocks:
        assert is_normal(block.w1.weight, 2 / WIDTH / BLOCKS)
        assert not array(block.w2.weight).any()
        h = torch.randn(3, WIDTH)
        assert torch.equal(block(h), h)  # every block starts as the identity
    assert not array(net.classifier.weight).any()


def test_pytorch_scalars_have_a_tenth_of_the_rate(torch_names):
    groups = torch_names["optimizer"].param_groups
    assert [len(group["params"]) for group in groups] == [2 * BLOCKS + 2, 2 * BLOCKS]
    assert [group["lr"] for group in groups] == [0.1, 0.01]
    assert [p.numel() for p in groups[1]["params"]] == [4, 1] * BLOCKS


def test_jax_rules(snippet):
    names = snippet(PAGE, "JAX")
    p = names["init_block"](jax.random.key(0), WIDTH, BLOCKS)
    assert is_normal(p["w1"], 2 / WIDTH / BLOCKS)
    assert not array(p["w2"]).any()
    h = jax.random.normal(jax.random.key(1), (3, WIDTH))
    assert np.array_equal(array(names["block"](p, h)), array(h))


@pytest.fixture
def keras_names(snippet):
    """The page's variables; the features of the last block are its `h`."""
    return snippet(PAGE, "Keras", blocks=BLOCKS, h=keras.Input((WIDTH,)))


def test_keras_rules(keras_names):
    h = keras.Input((WIDTH,))
    model = keras.Model(h, keras_names["block"](h, WIDTH))
    first, second = (layer for layer in model.layers if isinstance(layer, keras.layers.Dense))
    assert is_normal(first.kernel, 2 / WIDTH / BLOCKS)
    assert not array(second.kernel).any()
    assert keras_names["logits"].shape == (None, 10)


@pytest.mark.xfail(
    raises=AssertionError,
    reason="one initializer instance returns the same values each time: all blocks are one block",
)
def test_keras_blocks_differ(keras_names):
    h = start = keras.Input((WIDTH,))
    for _ in range(2):
        h = keras_names["block"](h, WIDTH)
    dense = [layer for layer in keras.Model(start, h).layers if isinstance(layer, keras.layers.Dense)]
    assert not np.array_equal(array(dense[0].kernel), array(dense[2].kernel))

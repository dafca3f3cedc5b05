"""The draw that chapter 12 offers for any layer keeps its promise where a reader uses it: layer by layer."""

import nbformat
import numpy as np
import pytest
from tiny_book import ROOT

import netinit
from netinit import Conv2d, Linear

GAIN = 2**0.5


@pytest.fixture(scope="module")
def draw():
    """The function of the page, from its cell that writes it from scratch."""
    cells = nbformat.read(ROOT / "book/12-choosing.ipynb", as_version=4).cells
    (source,) = [cell.source for cell in cells if "from-scratch" in cell.metadata.get("tags", [])]
    names = {"np": np}
    exec(source, names)
    return names["draw"]


def mean_squares(draw, layers, x):
    """The mean square of each preactivation, ReLU between the layers."""
    rng, found = np.random.default_rng(0), []
    for layer in layers:
        z = draw(layer, x, GAIN, rng)(x)
        found.append(np.mean(z**2))
        x = np.maximum(z, 0)
    return found


def test_the_level_stays_behind_relus(draw):
    x = np.random.default_rng(1).standard_normal((300, 512), np.float32)
    layers = [Linear(512, 512) for _ in range(5)]
    np.testing.assert_allclose(mean_squares(draw, layers, x), 2, rtol=0.15)


def test_the_level_stays_in_convolutions_of_any_kind(draw):
    x = np.random.default_rng(1).standard_normal((8, 16, 16, 32), np.float32)
    layers = [Conv2d(32, 32), Conv2d(32, 64, groups=4), Conv2d(64, 64, groups=64)]
    np.testing.assert_allclose(mean_squares(draw, layers, x), 2, rtol=0.25)


@pytest.mark.parametrize("x", [np.eye(1000, dtype=np.float32), np.full((50, 1000), 0.1, np.float32)])
def test_zeros_and_the_size_of_the_input_are_counted(draw, x):
    np.testing.assert_allclose(mean_squares(draw, [Linear(1000, 640)], x), 2, rtol=0.1)


def test_behind_a_relu_it_is_the_rule_of_he(draw):
    x = GAIN * np.maximum(np.random.default_rng(1).standard_normal((300, 512), np.float32), 0)
    mine = draw(Linear(512, 512), x, GAIN, np.random.default_rng(0)).weight.value
    theirs = netinit.he_normal((512, 512), np.random.default_rng(0))
    assert mine.std() == pytest.approx(theirs.std(), rel=0.02)

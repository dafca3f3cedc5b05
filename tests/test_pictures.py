"""The pictures that stand for the book: a film small enough for the README, and a card for its pages."""

import re
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image
from test_readme import ROOT

sys.path.insert(0, str(ROOT / "tools"))
sys.path.insert(0, str(ROOT / "book" / "_ext"))

import pictures
from page_head import CARD, CARD_SIZE


@pytest.fixture
def film():
    with Image.open(pictures.FILM) as film:
        yield film


def test_the_film_moves_for_ever_and_is_small(film):
    scales = [*pictures.there_and_back(pictures.LARGER), *pictures.there_and_back(pictures.SMALLER)]
    assert (film.n_frames, film.info["loop"]) == (len(scales), 0)
    assert pictures.FILM.stat().st_size < 1_000_000


def test_the_film_shows_what_the_package_draws(film):
    """The frame most like a drawing is its own: other versions of Matplotlib draw a little differently."""
    number = len(pictures.there_and_back(pictures.LARGER)) // 2
    with plt.style.context("netinit.netinit"):
        drawn = pictures.frame(pictures.LARGER[number])
    film.seek(number)
    assert film.size == drawn.size
    differences = []
    for each in range(film.n_frames):
        film.seek(each)
        difference = np.abs(np.asarray(film.convert("L"), float) - np.asarray(drawn.convert("L"), float))
        differences.append(difference.mean())
    assert np.argmin(differences) == number
    assert differences[number] < min(np.delete(differences, number)) / 1.5
    assert differences[0] > 20  # another frame is another picture


def test_the_readme_shows_the_film_and_says_what_it_shows():
    [(text, target)] = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", (ROOT / "README.md").read_text())
    assert ROOT / target == pictures.FILM
    assert len(text) > 40


def test_the_card_has_the_size_that_the_pages_state():
    assert (ROOT / "book" / CARD).name == pictures.CARD.name
    with Image.open(pictures.CARD) as card:
        assert card.size == CARD_SIZE
    assert pictures.CARD.stat().st_size < 100_000

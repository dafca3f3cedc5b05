"""The page of all rules: each call draws the variance that its row names."""

import numpy as np
import pytest
from measure import has_variance, is_orthogonal, is_uniform

PAGE = "book/rules.md"
VARIANCES = {"he": 2 / 256, "lecun": 1 / 256}


@pytest.mark.parametrize("library", ["PyTorch", "JAX", "Keras"])
def test_the_calls_of_a_library(snippet, library):
    names = {name: np.asarray(value) for name, value in snippet(PAGE, library).items() if name in ALL}
    for name, variance in VARIANCES.items():
        assert has_variance(names[name], variance)
    assert is_uniform(names["xavier"], np.sqrt(6 / (256 + 512)))
    assert is_orthogonal(names["orthogonal"])
    assert not names["zeros"].any()


ALL = {*VARIANCES, "xavier", "orthogonal", "zeros"}

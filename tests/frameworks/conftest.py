"""Run what the pages say about PyTorch, JAX and Keras: in a fresh namespace, warnings as errors."""

import os
import warnings

os.environ["KERAS_BACKEND"] = "jax"  # before any test imports keras

import keras
import pytest
import torch
from snippets import snippets


@pytest.fixture(autouse=True)
def _seed():
    """The same draws in every run; JAX draws from keys that the snippets name."""
    torch.manual_seed(0)
    keras.utils.set_random_seed(0)


@pytest.fixture(scope="session")
def used():
    """The snippets that some check has run, as (page, label, index)."""
    return set()


@pytest.fixture
def snippet(used):
    """Run the code of a page's tab; return its variables."""

    def run(page, label, index=None, **given):
        """Run all blocks under a label in one namespace, or the one at an index; `given` names are there."""
        chosen = [s for s in snippets(page) if s.label == label and index in (None, s.index)]
        assert chosen, f"{page} has no such Python block under {label}"
        names = {"__name__": "snippet", **given}
        for block in chosen:
            used.add(block[:3])
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                exec(compile(block.code, f"{page}, {label} {block.index}", "exec"), names)
        return names

    return run

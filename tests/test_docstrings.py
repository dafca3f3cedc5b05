"""Every public name shows its use, and what its docstring shows is so."""

import doctest
import inspect

import matplotlib.pyplot as plt
import numpy as np
import pytest

import netinit
from netinit import plots, theory, widgets

# What the examples take for granted, as the docstring of netinit says.
KNOWN = {name: getattr(netinit, name) for name in netinit.__all__}
KNOWN |= {"np": np, "plt": plt, "theory": theory, "plots": plots, "widgets": widgets}


def public():
    """Every public function and class by its dotted name: those of `netinit`, then those of three modules."""
    found = dict(KNOWN)
    for module in (theory, plots, widgets):
        own = [name for name, thing in vars(module).items() if inspect.getmodule(thing) is module]
        found |= {f"{module.__name__}.{name}": getattr(module, name) for name in own if name[0] != "_"}
    kinds = inspect.isfunction, inspect.isclass
    return {name: thing for name, thing in found.items() if any(kind(thing) for kind in kinds)}


def failures(docstring, name):
    """The number of examples in a docstring, and how many of them do not do what it shows."""
    known = KNOWN | {"rng": np.random.default_rng(0)}
    test = doctest.DocTestParser().get_doctest(docstring, known, name, None, 0)
    result = doctest.DocTestRunner().run(test)
    plt.close("all")
    return result.attempted, result.failed


@pytest.mark.parametrize(("name", "thing"), public().items(), ids=public())
def test_the_example_runs_and_shows_what_it_returns(name, thing):
    attempted, failed = failures(thing.__doc__, name)
    assert attempted > 0
    assert failed == 0


def test_a_wrong_example_is_seen():
    assert failures(">>> fans((3, 2))\nFans(fan_in=2, fan_out=3)", "wrong") == (1, 1)

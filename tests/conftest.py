"""Settings that all unit tests share: no screen, no figure left open, no random examples."""

import signal

import matplotlib
import matplotlib.pyplot as plt
import pytest
from hypothesis import settings

matplotlib.use("Agg")

# What a shell starts with `&` or `nohup` ignores SIGINT, and so would the processes that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples in every run, so that a failure can be repeated; no time limit: a busy machine passes too.
settings.register_profile("netinit", derandomize=True, database=None, deadline=None)
settings.load_profile("netinit")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")

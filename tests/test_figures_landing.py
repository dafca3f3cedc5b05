"""What the landing page shows is what it says."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from netinit.figures import landing


@pytest.fixture(params=[0.3, 1, 4], ids="scale {}".format)
def drawn(request):
    fig = landing.crossing(request.param)
    yield request.param, fig
    plt.close(fig)


def test_the_last_column_is_what_the_label_says(drawn):
    scale, fig = drawn
    columns = len(landing.SHOWN)
    last = np.array([ax.images[0].get_array() for ax in fig.axes[columns - 1 :: columns]])
    size = np.sqrt(np.mean(last**2))
    low, high = {0.3: (0, 0.3**45), 1: (0.03, 0.3), 4: (0.8, 1)}[scale]  # dies out, fades slowly, is pinned
    assert low < size < high
    assert fig.get_label().endswith(f"the size {size:.1g}.")


def test_the_columns_are_named(drawn):
    titles = [ax.get_title() for ax in drawn[1].axes[: len(landing.SHOWN)]]
    assert titles == ["input", "1", "5", "10", "20", "30", "40", "50"]


def test_of_three_starts_one_fades_one_lives_and_one_is_pinned():
    fig = landing.three_starts()
    rows = np.reshape([ax.images[0].get_array() for ax in fig.axes], (3, len(landing.SHOWN), 64))
    fade, live, pinned = np.sqrt(np.mean(rows[:, -1] ** 2, axis=1))
    plt.close(fig)
    assert fade < 1e-6
    assert 0.03 < live < 0.3
    assert pinned > 0.8
    assert [ax.get_ylabel() for ax in fig.axes[:: len(landing.SHOWN)]] == ["too small", "right", "too large"]

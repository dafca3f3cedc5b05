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

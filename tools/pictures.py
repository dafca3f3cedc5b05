"""Draw the two pictures that stand for the book where it cannot run: in the README, and on a card.

    python tools/pictures.py    write book/_static/readme.webp and book/_static/card.png

Both are drawn by `netinit.figures.landing`, as the figure of the landing page is. They are committed: nobody
needs Matplotlib to see them, and another version of it would write other bytes.
"""

import io
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from netinit.figures import landing

FOLDER = Path(__file__).resolve().parent.parent / "book" / "_static"
FILM, CARD = FOLDER / "readme.webp", FOLDER / "card.png"
LARGER, SMALLER = np.geomspace(1, 4, 12).round(2), np.geomspace(1, 0.3, 12).round(2)  # the weights' scales
MILLISECONDS, HELD = 250, 1500  # for each frame, and for those at which the film turns or passes 1
DPI = 130


def main():
    """Draw both."""
    plt.switch_backend("agg")
    with plt.style.context("netinit.netinit"):
        write_film(FILM)
        card = image(landing.three_starts(), 100)
    card.convert("P", palette=Image.Palette.ADAPTIVE).save(CARD, optimize=True)


def write_film(path):
    """Write the film: the weights grow too large, come back, become too small, and come back, for ever."""
    scales = [*there_and_back(LARGER), *there_and_back(SMALLER)]
    frames = [frame(scale) for scale in scales]
    times = [HELD if scale in (SMALLER[-1], 1, LARGER[-1]) else MILLISECONDS for scale in scales]
    frames[0].save(
        path, save_all=True, append_images=frames[1:], duration=times, loop=0, lossless=True, method=2
    )


def there_and_back(scales):
    """Return the scales in their order, then back, without the first one again."""
    return [*scales, *scales[-2:0:-1]]


def frame(scale):
    """Draw one frame: the figure of the landing page, with the sentence that says what it shows."""
    figure = landing.crossing(scale)
    figure.set_size_inches(6.4, 3.3)
    figure.suptitle(f"weights of std {scale:.2f} / √n, layer by layer", x=0.02, ha="left", fontsize=13)
    return image(figure, DPI)


def image(figure, dpi):
    """Return a figure as an image."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=dpi)
    plt.close(figure)
    return Image.open(file).convert("RGB")


if __name__ == "__main__":
    main()

"""Write the digits that the playground learns, `book/_static/playground/digits.js`, from `netinit`'s file.

Run it from the repository after a change of the data: `python tools/playground_digits.py`.
A line is an image: its label, then a letter for each pixel, a for 0 to q for 16. Letters compress better on
their way to the reader than packed bits do, and the page needs no code to unpack them.
"""

from pathlib import Path

import numpy as np

from netinit.data import TRAIN, VALIDATION

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "netinit" / "digits.npz"
SCRIPT = ROOT / "book" / "_static" / "playground" / "digits.js"
HEAD = """\
// The training and validation splits of netinit's digits, written by tools/playground_digits.py.
// Source: E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning
// Repository, https://doi.org/10.24432/C50P49, licensed CC BY 4.0.
Playground.addPiece((P) => {
  P.digitLines = `
"""
TAIL = "`;\n});\n"


def script() -> str:
    """Return the text of the script."""
    with np.load(SOURCE) as archive:
        images, labels = archive["images"], archive["labels"]
    pairs = zip(images.reshape(len(images), -1), labels, strict=True)
    lines = [f"{label}{''.join(chr(ord('a') + int(pixel)) for pixel in image)}\n" for image, label in pairs]
    return HEAD + "".join(lines[: TRAIN + VALIDATION]) + TAIL


if __name__ == "__main__":
    SCRIPT.write_text(script(), encoding="utf-8")

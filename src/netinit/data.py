"""The data of the book: 1,797 real handwritten digits, 8 x 8 pixels, bundled with the package.

Source: E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning
Repository, https://doi.org/10.24432/C50P49, licensed CC BY 4.0; this is the test part of that data set,
shuffled once.
"""

from __future__ import annotations  # so that numpy.random is loaded on its first use

import os.path
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from netinit.checks import check_generator

TRAIN, VALIDATION = 1077, 360  # the remaining 360 images are the test split


class Dataset(NamedTuple):
    """Three splits: images (n, 64) float32, labels (n,) int64."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_validation: np.ndarray
    y_validation: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def load_digits(transform: Callable[[np.ndarray], np.ndarray] | None = None) -> Dataset:
    """The digits, standardized by the training split: the mean of each pixel removed, one scale for all.

    x = (image - mean) / std with the mean image and the single std of the centered training images, so the
    training second moment is 1. `transform` maps the raw images (1797, 8, 8), pixels 0..16, before that:
    `load_digits(lambda images: rotate(images, 15))`. Raises ValueError where it changes the shape.
    """
    with np.load(os.path.join(os.path.dirname(__file__), "digits.npz")) as archive:
        images, labels = archive["images"].astype(np.float64), archive["labels"].astype(np.int64)
    if transform is not None:
        shape, images = (len(images), 8, 8), np.asarray(transform(images.reshape(-1, 8, 8)))
        if images.shape != shape:
            raise ValueError(f"transform must keep the shape {shape}, it returned {images.shape}.")
    images = images.reshape(len(images), 64)
    centered = images - images[:TRAIN].mean(axis=0)
    x = (centered / centered[:TRAIN].std()).astype(np.float32)
    end = TRAIN + VALIDATION
    return Dataset(x[:TRAIN], labels[:TRAIN], x[TRAIN:end], labels[TRAIN:end], x[end:], labels[end:])


def rotate(images: np.ndarray, degrees: float) -> np.ndarray:
    """Rotate each image (n, height, width) counterclockwise about its center, bilinear, zeros from outside.

    Raises ValueError for another number of axes or an angle that is not finite.
    """
    if images.ndim != 3:
        raise ValueError(f"images must have shape (n, height, width), got {images.shape}.")
    if not np.isfinite(degrees):
        raise ValueError(f"degrees must be finite, got {degrees}.")
    _, height, width = images.shape
    angle, center_row, center_col = np.deg2rad(degrees), (height - 1) / 2, (width - 1) / 2
    row, col = np.mgrid[:height, :width]
    dy, dx = row - center_row, col - center_col
    # The pixel that lands here came from the position turned back by the angle (rows point down).
    source_row = center_row + np.cos(angle) * dy + np.sin(angle) * dx
    source_col = center_col - np.sin(angle) * dy + np.cos(angle) * dx
    top, left = np.floor(source_row).astype(int), np.floor(source_col).astype(int)
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))  # a border of zeros stands for everything outside
    result = np.zeros(images.shape, np.result_type(images, np.float32))
    for r in (top, top + 1):
        for c in (left, left + 1):
            weight = (1 - np.abs(source_row - r)) * (1 - np.abs(source_col - c))  # (height, width)
            result += weight * padded[:, np.clip(r + 1, 0, height + 1), np.clip(c + 1, 0, width + 1)]
    return result


def add_noise(images: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    """Return images + sigma * N(0, 1), pixel by pixel.

    Raises ValueError for a sigma that is negative or not finite, TypeError where `rng` is not a Generator.
    """
    if not (np.isfinite(sigma) and sigma >= 0):
        raise ValueError(f"sigma must be finite and not negative, got {sigma}.")
    check_generator(rng)
    return images + sigma * rng.standard_normal(images.shape)

"""The data of the book: 1,797 real handwritten digits, 8 x 8 pixels, bundled with the package.

Source: E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning
Repository, https://doi.org/10.24432/C50P49, licensed CC BY 4.0; this is the test part of that data set,
shuffled once.

`records/` holds what runs of minutes have measured, so that a chapter can show it in a second.
"""

from __future__ import annotations  # so that numpy.random is loaded on its first use

import json
import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from netinit.checks import (
    check_generator,
    check_integer,
    check_kind,
    check_list,
    check_name,
    check_number,
    shown,
)

TRAIN, VALIDATION = 1077, 360  # the remaining 360 images are the test split
RECORDS = os.path.join(os.path.dirname(__file__), "records")
REAL_KINDS = "biuf"  # kinds of dtype: bool, integers, floating point


class Dataset(NamedTuple):
    """Three splits: images (n, 64) float32, labels (n,) int64.

    >>> load_digits().x_test.shape
    (360, 64)
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_validation: np.ndarray
    y_validation: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def load_digits(transform: Callable[[np.ndarray], np.ndarray] | None = None) -> Dataset:
    """The digits, standardized by the training split: the mean of each pixel removed, one scale for all.

    `x = (image - mean) / std` with the mean image and the single std of the centered training images, so the
    training second moment is 1. `transform` maps the raw images (1797, 8, 8), pixels 0..16, before that:
    `load_digits(lambda images: rotate(images, 15))`.

    Raises: TypeError for a transform that cannot be called or returns no real numbers; ValueError where it
    changes the shape, makes all training images equal, or returns NaN, infinity or an extreme scale.
    Source: Alpaydin and Kaynak 1998.

    >>> digits = load_digits()
    >>> digits.x_train.shape, digits.x_validation.shape, digits.x_test.shape
    ((1077, 64), (360, 64), (360, 64))
    """
    if not (transform is None or callable(transform)):
        raise TypeError(f"transform must be a function of the images or None, got {shown(transform)}.")
    with np.load(os.path.join(os.path.dirname(__file__), "digits.npz")) as archive:
        images, labels = archive["images"].astype(np.float64), archive["labels"].astype(np.int64)
    if transform is not None:
        images = _transformed(transform, images.reshape(-1, 8, 8))
    x, end = _standardized(images.reshape(len(images), 64)), TRAIN + VALIDATION
    return Dataset(x[:TRAIN], labels[:TRAIN], x[TRAIN:end], labels[TRAIN:end], x[end:], labels[end:])


def load_record(name: str) -> dict:
    """What a long run has measured, by its name: a dictionary from `records/<name>.json`.

    The keys are those of the run; "command", where there is one, is how to repeat it from the repository.

    Raises: ValueError for an unknown name, with the closest known one; TypeError for no string.

    >>> load_record("fixup-10000")["blocks"]
    10000
    """
    known = sorted(each.removesuffix(".json") for each in os.listdir(RECORDS))
    with open(os.path.join(RECORDS, f"{check_name('record', name, known)}.json"), encoding="utf-8") as file:
        return json.load(file)


def few_labels(data: Dataset, per_class: int, rng: np.random.Generator) -> Dataset:
    """Keep so many training images of each class, chosen by `rng`; the other splits stay whole.

    Raises: TypeError for data that is no Dataset, a number that is no integer or an `rng` that is not a
    Generator; ValueError for a number below 1 or above what a class has.

    >>> few_labels(load_digits(), 3, rng).x_train.shape
    (30, 64)
    """
    check_kind("data", data, Dataset, "a Dataset")
    per_class = check_integer("per_class", per_class)
    check_generator(rng)
    labels, counts = np.unique(data.y_train, return_counts=True)
    if per_class > counts.min():
        raise ValueError(f"per_class must be at most {counts.min()}, the smallest class, got {per_class}.")
    chosen = [rng.permutation(np.flatnonzero(data.y_train == label))[:per_class] for label in labels]
    rows = np.concatenate(chosen)
    return data._replace(x_train=data.x_train[rows], y_train=data.y_train[rows])


def only_classes(data: Dataset, classes: Sequence[int]) -> Dataset:
    """Keep the images of these classes in every split; their labels become 0, 1, ... in the order given.

    Raises: TypeError for data that is no Dataset; ValueError for a class that the training split lacks.

    >>> np.unique(only_classes(load_digits(), [7, 8, 9]).y_test)
    array([0, 1, 2])
    """
    check_kind("data", data, Dataset, "a Dataset")
    known = set(data.y_train.tolist())
    classes = [check_integer("classes", label, least=0) for label in check_list("classes", classes, "labels")]
    if not classes or not set(classes) <= known:
        raise ValueError(f"classes must be some of {sorted(known)}, got {shown(classes)}.")
    number = np.full(max(known) + 1, -1)
    number[classes] = np.arange(len(classes))
    splits = []
    for x, y in (data[:2], data[2:4], data[4:]):
        kept = number[y] >= 0
        splits += [x[kept], number[y[kept]]]
    return Dataset(*splits)


def _transformed(transform, images: np.ndarray) -> np.ndarray:
    """What `transform` returns, checked and in float64."""
    shape, images = images.shape, np.asarray(transform(images))
    if images.shape != shape:
        raise ValueError(f"transform must keep the shape {shape}, it returned {images.shape}.")
    if images.dtype.kind not in REAL_KINDS:
        raise TypeError(f"transform must return real numbers, it returned dtype {images.dtype}.")
    return images.astype(np.float64, copy=False)


def _standardized(images: np.ndarray) -> np.ndarray:
    """(image - mean) / std by the training split, in float32; images (n, 64)."""
    if np.all(images[:TRAIN] == images[0]):  # their std can be a rounding error, not 0
        raise ValueError(f"transform must keep images apart, it returned {TRAIN} equal training images.")
    with np.errstate(all="ignore"):
        centered = images - images[:TRAIN].mean(axis=0)
        std = centered[:TRAIN].std()
        x = (centered / std).astype(np.float32)
    if not (np.isfinite(std) and np.all(np.isfinite(x))):
        raise ValueError(
            "transform must return finite numbers that float32 can hold once standardized, it returned "
            f"values from {images.min():g} to {images.max():g}."
        )
    return x


def rotate(images: np.ndarray, degrees: float) -> np.ndarray:
    """Rotate each image (n, height, width) counterclockwise about its center, bilinear, zeros from outside.

    The result has the dtype of the images, but at least float32.

    Raises: TypeError for images that are not an array of real numbers or an angle that is not a number;
    ValueError for another number of axes, pixels that are NaN or infinite, or an angle that is.

    >>> rotate(np.arange(4.0).reshape(1, 2, 2), 90)
    array([[[1., 3.],
            [0., 2.]]])
    """
    _check_images(images)
    if images.ndim != 3:
        raise ValueError(f"images must have shape (n, height, width), got {images.shape}.")
    degrees = check_number("degrees", degrees)
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
    """Return `images + sigma * N(0, 1)`, pixel by pixel, for images of any shape.

    Floating-point images keep their dtype; others become float32, or float64 where that is too narrow.

    Raises: TypeError for images that are not an array of real numbers, a sigma that is not a number or an
    `rng` that is not a Generator; ValueError for a sigma that is negative or not finite, pixels that are NaN
    or infinite, or a sum that the dtype cannot hold.

    >>> add_noise(np.zeros((2, 8, 8)), 0.5, rng).shape
    (2, 8, 8)
    """
    _check_images(images)
    sigma = check_number("sigma", sigma, least=0.0)
    check_generator(rng)
    dtype = images.dtype if images.dtype.kind == "f" else np.result_type(images, np.float32)
    with np.errstate(over="ignore"):
        noisy = (images + sigma * rng.standard_normal(images.shape)).astype(dtype, copy=False)
    if not np.all(np.isfinite(noisy)):
        raise ValueError(f"sigma must leave the pixels within {dtype}, got {sigma:g}, which overflows.")
    return noisy


def _check_images(images: np.ndarray) -> None:
    if not isinstance(images, np.ndarray) or images.dtype.kind not in REAL_KINDS:
        given = f"dtype {images.dtype}" if isinstance(images, np.ndarray) else type(images).__name__
        raise TypeError(f"images must be a NumPy array of real numbers, got {given}.")
    if not np.all(np.isfinite(images)):
        raise ValueError("images must be finite, got NaN or infinity.")

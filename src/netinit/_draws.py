"""The standard draws under the initializers, and what a shape, a dtype and a number may be for them.

Everything is drawn in float32 or wider and cast last, so that float16 weights have no other distribution.
"""

from __future__ import annotations  # so that numpy.random is loaded on its first use

import contextlib
import math
import sys
from typing import Any, TypeAlias

import numpy as np

from netinit.checks import cast, check_generator, check_integer, check_number, shown

Rng: TypeAlias = "np.random.Generator"
Shape = tuple[int, ...]

TRUNCATED_STD = 0.87962566103423978  # std of a standard normal truncated to [-2, 2]
MOST_AXES = getattr(np, "MAXDIMS", 64)  # of an array; NumPy 1 allows 32, NumPy 2 no longer says


def _wide(dtype: np.dtype) -> np.dtype:
    return np.promote_types(dtype, np.float32)


def affine(values: np.ndarray, factor: float, offset: float, dtype: np.dtype) -> np.ndarray:
    """Return `factor * values + offset`, in place, cast to `dtype`."""
    with np.errstate(over="ignore", invalid="ignore"):
        values *= factor
        if offset:
            values += offset
    return cast("the values drawn at this scale", values, dtype)


def standard_uniform(shape: Shape, rng: Rng, dtype: np.dtype) -> np.ndarray:
    return rng.random(out=np.empty(shape, _wide(dtype)), dtype=_wide(dtype))


def standard_normal(shape: Shape, rng: Rng, dtype: np.dtype) -> np.ndarray:
    return rng.standard_normal(out=np.empty(shape, _wide(dtype)), dtype=_wide(dtype))


def standard_truncated(shape: Shape, rng: Rng, dtype: np.dtype, cut: float) -> np.ndarray:
    """Draw normals, then redraw those beyond the cut until none is left."""
    values = standard_normal(shape, rng, dtype)
    flat = values.reshape(-1)  # a view
    outside = np.flatnonzero(np.abs(flat) > cut)
    while outside.size:
        flat[outside] = standard_normal(outside.shape, rng, dtype)
        outside = outside[np.abs(flat[outside]) > cut]
    return values


def standard_orthogonal(rows: int, columns: int, rng: Rng, dtype: np.dtype) -> np.ndarray:
    """Draw a Haar-distributed (semi-)orthogonal matrix: QR of a Gaussian, with R's diagonal made positive."""
    gaussian = standard_normal((max(rows, columns), min(rows, columns)), rng, dtype)
    q, r = np.linalg.qr(gaussian)  # q is (long, short)
    q *= np.copysign(1, np.diagonal(r))  # else Q depends on the signs that the QR routine happens to choose
    return q if rows >= columns else q.T


def check_shape(shape: Shape, axes: int = 0) -> Shape:
    if not isinstance(shape, (tuple, list)):
        raise TypeError(f"shape must be a tuple of positive integers, got {type(shape).__name__}.")
    checked = tuple(check_integer(f"shape[{axis}]", size) for axis, size in enumerate(shape))
    if len(checked) < axes:
        raise ValueError(f"shape must have at least {axes} axes, (..., n_in, n_out), got {checked}.")
    return checked


def check_call(shape: Shape, rng: Rng, dtype: Any, axes: int = 0) -> tuple[Shape, np.dtype]:
    """Check the three arguments that every initializer takes."""
    check_generator(rng)
    shape, dtype = check_shape(shape, axes), _check_dtype(dtype)
    if len(shape) > MOST_AXES or math.prod(shape) * _wide(dtype).itemsize > sys.maxsize:
        raise ValueError(f"shape must be one that a NumPy array can have, got {shape}.")
    return shape, dtype


def _check_dtype(dtype: Any) -> np.dtype:
    with contextlib.suppress(TypeError):  # what is no dtype at all
        checked = np.dtype("O" if dtype is None else dtype)  # np.dtype(None) would be float64
        if checked in (np.float16, np.float32, np.float64):
            return checked
    raise TypeError(f"dtype must be float16, float32 or float64, got {shown(dtype)}.")


def check_fits(name: str, value: float, dtype: np.dtype) -> float:
    """Refuse a magnitude that would become infinity, or zero without being zero, in `dtype`."""
    most, least = float(np.finfo(dtype).max), float(np.finfo(dtype).smallest_subnormal)
    if abs(value) > most:
        raise ValueError(f"{name} must be at most {most:g} in {dtype}, got {value:g}, which overflows.")
    if 0 < abs(value) < least:
        raise ValueError(
            f"{name} must be 0 or at least {least:g} in {dtype}, got {value:g}, which underflows."
        )
    return value


def check_square(name: str, value: float, least: float = -math.inf) -> float:
    """Return value^2, refusing one that overflows or underflows."""
    value = check_number(name, value, least)
    square = value * value
    if math.isinf(square) or (square == 0 and value != 0):
        raise ValueError(f"{name} must have a square that float64 can hold, got {value:g}.")
    return square

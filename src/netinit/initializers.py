"""Initializers: how the first weights are drawn.

An initializer is a callable `(shape, rng, *, ..., dtype=np.float32) -> ndarray`. It sits at the bottom of the
package: layers hold weights, `initialize` fills them with the arrays made here. The last two axes of a shape
are `(n_in, n_out)`, for `x @ W`; axes before are the receptive field: a kernel is `(kh, kw, c_in, c_out)`.

The scaled initializers are short specializations of `variance_scaling`. All compute in float32 or wider and
cast last. All raise TypeError for an `rng` that is not a Generator, a shape that is not a tuple of integers,
an argument that is not a number, or a dtype other than float16, float32 and float64; and ValueError for a
dimension below 1, a shape beyond what an array can have, a number that is NaN, infinite or out of its range,
or one that the dtype cannot hold. "Raises" in a docstring tells what comes on top.
"""

from __future__ import annotations  # so that numpy.random is loaded on its first use

import contextlib
import inspect
import math
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import numpy as np

from netinit.checks import check_generator, check_integer, check_name, check_number

Initializer = Callable[..., np.ndarray]
Rng: TypeAlias = "np.random.Generator"
Shape = tuple[int, ...]

TRUNCATED_STD = 0.87962566103423978  # std of a standard normal truncated to [-2, 2]
MOST_AXES = getattr(np, "MAXDIMS", 64)  # of an array; NumPy 1 allows 32, NumPy 2 no longer says


class Fans(NamedTuple):
    """How many inputs each output sums (`fan_in`), and how many outputs each input reaches (`fan_out`)."""

    fan_in: int
    fan_out: int


# ---- fans and the general rule -------------------------------------------------------------------


def fans(shape: Shape, *, groups: int = 1) -> Fans:
    """Count the fans of a weight array: `fan_in = r * shape[-2]`, `fan_out = r * shape[-1] / groups`.

    Here r is the size of the receptive field, the product of the axes before the last two (1 if dense).
    A grouped convolution has the kernel `(kh, kw, c_in // groups, c_out)`, as in JAX and Keras: an output
    sums `kh * kw * c_in / groups` inputs, an input reaches only the `c_out / groups` channels of its group.
    PyTorch does not divide `fan_out` by the groups, which overstates it.

    Raises: ValueError for fewer than two axes or `groups` that do not divide `shape[-1]`.
    """
    shape, groups = _check_shape(shape, axes=2), check_integer("groups", groups)
    if shape[-1] % groups:
        raise ValueError(f"groups must divide n_out, the last axis of shape {shape}, got {groups}.")
    field = math.prod(shape[:-2])
    return Fans(field * shape[-2], field * shape[-1] // groups)


_MODES = {
    "fan_in": lambda f: f.fan_in,
    "fan_out": lambda f: f.fan_out,
    "fan_avg": lambda f: (f.fan_in + f.fan_out) / 2,
}
_DISTRIBUTIONS = ("normal", "uniform", "truncated_normal")


def variance_scaling(
    shape, rng, *, scale=1.0, mode="fan_in", distribution="normal", groups=1, dtype=np.float32
) -> np.ndarray:
    """Draw weights with mean 0 and `Var = scale / fan`, exactly, for each of three distributions.

    - "normal": N(0, Var), not truncated.
    - "uniform": U(-a, a) with `a = sqrt(3 Var)`.
    - "truncated_normal": a normal cut at 2 of its own standard deviations, widened by 1/0.87962566 first.

    `fan` is `fan_in`, `fan_out` or their mean ("fan_avg"), as `fans(shape, groups=groups)` counts them.

    Raises: ValueError for an unknown mode or distribution, a negative scale, or what `fans` refuses.
    Source: LeCun et al. 1998; Glorot and Bengio 2010; He et al. 2015, in one formula.
    """
    shape, dtype = _check_call(shape, rng, dtype, axes=2)
    check_name("mode", mode, _MODES)
    check_name("distribution", distribution, _DISTRIBUTIONS)
    fan = _MODES[mode](fans(shape, groups=groups))
    scale = check_number("scale", scale, least=0.0)
    std = _check_fits("sqrt(scale / fan)", math.sqrt(scale / fan), dtype)
    if distribution == "normal":
        return _affine(_standard_normal(shape, rng, dtype), std, 0.0, dtype)
    if distribution == "truncated_normal":
        return _affine(_standard_truncated(shape, rng, dtype, 2.0), std / TRUNCATED_STD, 0.0, dtype)
    bound = math.sqrt(3) * std
    return _affine(_standard_uniform(shape, rng, dtype), 2 * bound, -bound, dtype)


def xavier_uniform(shape, rng, *, gain=1.0, groups=1, dtype=np.float32) -> np.ndarray:
    """Draw from U(-a, a), `a = gain sqrt(6 / (fan_in + fan_out))` (Glorot and Bengio 2010).

    Raises: ValueError for a negative gain, or what `fans` refuses.
    """
    scale = _check_square("gain", gain, least=0.0)
    return variance_scaling(
        shape, rng, scale=scale, mode="fan_avg", distribution="uniform", groups=groups, dtype=dtype
    )


def xavier_normal(shape, rng, *, gain=1.0, groups=1, dtype=np.float32) -> np.ndarray:
    """Draw from N(0, 2 gain^2 / (fan_in + fan_out)) (Glorot and Bengio 2010).

    Raises: ValueError for a negative gain, or what `fans` refuses.
    """
    scale = _check_square("gain", gain, least=0.0)
    return variance_scaling(shape, rng, scale=scale, mode="fan_avg", groups=groups, dtype=dtype)


def lecun_uniform(shape, rng, *, groups=1, dtype=np.float32) -> np.ndarray:
    """Draw from U(-a, a), `a = sqrt(3 / fan_in)` (LeCun et al. 1998).

    Raises: ValueError for what `fans` refuses.
    """
    return variance_scaling(shape, rng, distribution="uniform", groups=groups, dtype=dtype)


def lecun_normal(shape, rng, *, groups=1, dtype=np.float32) -> np.ndarray:
    """Draw from N(0, 1 / fan_in) (LeCun et al. 1998).

    Raises: ValueError for what `fans` refuses.
    """
    return variance_scaling(shape, rng, groups=groups, dtype=dtype)


def he_uniform(shape, rng, *, mode="fan_in", slope=0.0, groups=1, dtype=np.float32) -> np.ndarray:
    """Draw from U(-a, a), `a = sqrt(6 / ((1 + slope^2) fan))`, `slope` that of leaky ReLU (He et al. 2015).

    Raises: ValueError for an unknown mode, or what `fans` refuses.
    """
    scale = 2.0 / (1.0 + _check_square("slope", slope))
    return variance_scaling(
        shape, rng, scale=scale, mode=mode, distribution="uniform", groups=groups, dtype=dtype
    )


def he_normal(shape, rng, *, mode="fan_in", slope=0.0, groups=1, dtype=np.float32) -> np.ndarray:
    """Draw from N(0, 2 / ((1 + slope^2) fan)), `slope` that of leaky ReLU (He et al. 2015).

    Raises: ValueError for an unknown mode, or what `fans` refuses.
    """
    scale = 2.0 / (1.0 + _check_square("slope", slope))
    return variance_scaling(shape, rng, scale=scale, mode=mode, groups=groups, dtype=dtype)


# ---- plain: the scale does not depend on the shape -----------------------------------------------


def zeros(shape, rng, *, dtype=np.float32) -> np.ndarray:
    """Return zeros, for any shape, `()` included; `rng` is not advanced.

    Raises: TypeError for a shape, `rng` or dtype of another kind; ValueError for a dimension below 1.
    """
    shape, dtype = _check_call(shape, rng, dtype)
    return np.zeros(shape, dtype)


def ones(shape, rng, *, dtype=np.float32) -> np.ndarray:
    """Return ones, for any shape, `()` included; `rng` is not advanced.

    Raises: TypeError for a shape, `rng` or dtype of another kind; ValueError for a dimension below 1.
    """
    shape, dtype = _check_call(shape, rng, dtype)
    return np.ones(shape, dtype)


def constant(shape, rng, *, value=0.1, dtype=np.float32) -> np.ndarray:
    """Return an array filled with `value`; `rng` is not advanced.

    Raises: ValueError for a value that is not finite, or that the dtype cannot hold.
    """
    shape, dtype = _check_call(shape, rng, dtype)
    return np.full(shape, _check_fits("value", check_number("value", value), dtype), dtype)


def identity(shape, rng, *, gain=1.0, dtype=np.float32) -> np.ndarray:
    """Return `W[i, j] = gain` where i = j, else 0; in a kernel, at the center, so that `conv(x) = gain x`.

    `n_in` and `n_out` may differ: the first `min(n_in, n_out)` features pass. `rng` is not advanced.

    Raises: ValueError for fewer than two axes, an even kernel size, or a negative gain.
    Source: Le et al. 2015.
    """
    shape, dtype = _check_call(shape, rng, dtype, axes=2)
    gain = _check_fits("gain", check_number("gain", gain, least=0.0), dtype)
    return _at_center((gain * np.eye(*shape[-2:])).astype(dtype), shape)


def uniform(shape, rng, *, low=-0.05, high=0.05, dtype=np.float32) -> np.ndarray:
    """Draw from U(low, high): `Var = (high - low)^2 / 12`.

    Raises: ValueError unless low < high, both finite and still apart in `dtype`.
    """
    shape, dtype = _check_call(shape, rng, dtype)
    low = _check_fits("low", check_number("low", low), dtype)
    high = _check_fits("high", check_number("high", high), dtype)
    if not dtype.type(low) < dtype.type(high):
        raise ValueError(f"low must be below high in {dtype}, got low={low:g} and high={high:g}.")
    return _affine(_standard_uniform(shape, rng, dtype), high - low, low, dtype)


def normal(shape, rng, *, mean=0.0, std=0.01, dtype=np.float32) -> np.ndarray:
    """Draw from N(mean, std^2), not truncated.

    Raises: ValueError for a negative std.
    Source: the default std, Krizhevsky et al. 2012.
    """
    shape, dtype = _check_call(shape, rng, dtype)
    mean = _check_fits("mean", check_number("mean", mean), dtype)
    std = _check_fits("std", check_number("std", std, least=0.0), dtype)
    return _affine(_standard_normal(shape, rng, dtype), std, mean, dtype)


def truncated_normal(shape, rng, *, mean=0.0, std=0.01, cut=2.0, dtype=np.float32) -> np.ndarray:
    """Draw from N(mean, std^2) and redraw whatever lies beyond `mean +- cut * std`.

    `std` is that of the normal **before** the cut, as in PyTorch and JAX; with cut = 2 the values returned
    have 0.8796 of it. `variance_scaling(..., distribution="truncated_normal")` corrects for this,
    `truncated_normal` does not. `cut` counts standard deviations (PyTorch's `a` and `b` are absolute values).

    Raises: ValueError for a negative std, or a cut below 0.1.
    Source: drawing by rejection, von Neumann 1951; the meaning of `std`, Paszke et al. 2019.
    """
    shape, dtype = _check_call(shape, rng, dtype)
    mean = _check_fits("mean", check_number("mean", mean), dtype)
    std = _check_fits("std", check_number("std", std, least=0.0), dtype)
    cut = check_number("cut", cut, least=0.1)  # below, nearly every draw would be thrown away
    return _affine(_standard_truncated(shape, rng, dtype, cut), std, mean, dtype)


# ---- structured ----------------------------------------------------------------------------------


def orthogonal(shape, rng, *, gain=1.0, dtype=np.float32) -> np.ndarray:
    """Draw a Haar-distributed orthogonal matrix times `gain`: `W^T W = gain^2 I`.

    Leading axes count as rows: a kernel is the matrix `(kh * kw * c_in, c_out)`. With fewer rows than columns
    the rows are orthonormal instead, `W W^T = gain^2 I`.

    Raises: ValueError for fewer than two axes, or a negative gain.
    Source: Saxe et al. 2013; the sign correction that makes it Haar, Mezzadri 2007.
    """
    shape, dtype = _check_call(shape, rng, dtype, axes=2)
    rows, columns = math.prod(shape[:-1]), shape[-1]
    gain = _check_fits("gain", check_number("gain", gain, least=0.0), dtype)
    _check_fits("gain / sqrt(n)", gain / math.sqrt(max(rows, columns)), dtype)
    matrix = _standard_orthogonal(rows, columns, rng, dtype)
    return np.ascontiguousarray(_affine(matrix, gain, 0.0, dtype)).reshape(shape)


def delta_orthogonal(shape, rng, *, gain=1.0, dtype=np.float32) -> np.ndarray:
    """Return a zero kernel with an orthogonal matrix times `gain` at its spatial center.

    The convolution keeps lengths, `|conv(x)| = gain |x|`. A dense shape `(n_in, n_out)` is its own center.

    Raises: ValueError for an even kernel size, a negative gain, or `n_in > n_out` (no kernel keeps lengths).
    Source: Xiao et al. 2018.
    """
    shape, dtype = _check_call(shape, rng, dtype, axes=2)
    if shape[-2] > shape[-1]:
        raise ValueError(f"shape must have n_in <= n_out for lengths to be kept, got {shape}.")
    return _at_center(orthogonal(shape[-2:], rng, gain=gain, dtype=dtype), shape)


def sparse(shape, rng, *, sparsity=0.9, std=0.01, dtype=np.float32) -> np.ndarray:
    """Draw from N(0, std^2), and set a random share `sparsity` of each output unit's weights to 0.

    A unit has `n = prod(shape[:-1])` weights and keeps `round((1 - sparsity) n)` of them, at least one.

    Raises: ValueError unless 0 <= sparsity < 1, or for a negative std.
    Source: Martens 2010.
    """
    shape, dtype = _check_call(shape, rng, dtype, axes=2)
    if not check_number("sparsity", sparsity, least=0.0) < 1:
        raise ValueError(f"sparsity must be below 1, got {sparsity}.")
    std = _check_fits("std", check_number("std", std, least=0.0), dtype)
    rows = math.prod(shape[:-1])
    kept = np.zeros((rows, shape[-1]), bool)
    kept[: max(1, round((1 - sparsity) * rows))] = True
    kept = rng.permuted(kept, axis=0).reshape(shape)  # each column by itself
    return _affine(_standard_normal(shape, rng, dtype) * kept, std, 0.0, dtype)


# ---- names ---------------------------------------------------------------------------------------

_NAMED = (
    *(zeros, ones, constant, identity, uniform, normal, truncated_normal),
    *(xavier_uniform, xavier_normal, lecun_uniform, lecun_normal, he_uniform, he_normal),
    *(orthogonal, delta_orthogonal, sparse),
)

# Read-only; every entry runs as `f(shape, rng)`. `variance_scaling` with its defaults is `lecun_normal`.
INITIALIZERS: Mapping[str, Initializer] = MappingProxyType({f.__name__: f for f in _NAMED})


def get_initializer(initializer: str | Initializer) -> Initializer:
    """Return the initializer of that name in `INITIALIZERS`; a callable `f(shape, rng)` is returned as it is.

    Raises: ValueError for an unknown name, with the closest known one; TypeError for anything else, such as a
    layer, which is callable but takes no shape and no rng.
    """
    if isinstance(initializer, str):
        return INITIALIZERS[check_name("initializer", initializer, INITIALIZERS)]
    if not _takes_shape_and_rng(initializer):
        raise TypeError(
            "initializer must be a name such as 'he_normal' or a callable f(shape, rng), "
            f"got {type(initializer).__name__}."
        )
    return initializer


# ---- drawing -------------------------------------------------------------------------------------


def _wide(dtype: np.dtype) -> np.dtype:
    return np.promote_types(dtype, np.float32)


def _cast(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Cast last, and refuse an array with values that `dtype` cannot hold."""
    with np.errstate(over="ignore"):
        result = values.astype(dtype, copy=False)
    if not (np.isfinite(result.min()) and np.isfinite(result.max())):
        raise ValueError(
            f"dtype {dtype} overflows on the values drawn: use a smaller scale or a wider dtype."
        )
    return result


def _affine(values: np.ndarray, factor: float, offset: float, dtype: np.dtype) -> np.ndarray:
    """Return `factor * values + offset`, in place, cast to `dtype`."""
    with np.errstate(over="ignore", invalid="ignore"):
        values *= factor
        if offset:
            values += offset
    return _cast(values, dtype)


def _standard_uniform(shape: Shape, rng: Rng, dtype: np.dtype) -> np.ndarray:
    return rng.random(out=np.empty(shape, _wide(dtype)), dtype=_wide(dtype))


def _standard_normal(shape: Shape, rng: Rng, dtype: np.dtype) -> np.ndarray:
    return rng.standard_normal(out=np.empty(shape, _wide(dtype)), dtype=_wide(dtype))


def _standard_truncated(shape: Shape, rng: Rng, dtype: np.dtype, cut: float) -> np.ndarray:
    """Draw normals, then redraw those beyond the cut until none is left."""
    values = _standard_normal(shape, rng, dtype)
    flat = values.reshape(-1)  # a view
    outside = np.flatnonzero(np.abs(flat) > cut)
    while outside.size:
        flat[outside] = _standard_normal(outside.shape, rng, dtype)
        outside = outside[np.abs(flat[outside]) > cut]
    return values


def _standard_orthogonal(rows: int, columns: int, rng: Rng, dtype: np.dtype) -> np.ndarray:
    """Draw a Haar-distributed (semi-)orthogonal matrix: QR of a Gaussian, with R's diagonal made positive."""
    gaussian = _standard_normal((max(rows, columns), min(rows, columns)), rng, dtype)
    q, r = np.linalg.qr(gaussian)  # q is (long, short)
    q *= np.copysign(1, np.diagonal(r))  # else Q depends on the signs that the QR routine happens to choose
    return q if rows >= columns else q.T


def _at_center(matrix: np.ndarray, shape: Shape) -> np.ndarray:
    """Return a zero kernel of `shape` with `matrix` at its spatial center."""
    for axis, size in enumerate(shape[:-2]):
        if size % 2 == 0:
            raise ValueError(f"shape[{axis}] must be odd for the kernel to have a center, got {shape}.")
    kernel = np.zeros(shape, matrix.dtype)
    kernel[tuple(size // 2 for size in shape[:-2])] = matrix
    return kernel


# ---- checks --------------------------------------------------------------------------------------


def _check_shape(shape: Shape, axes: int = 0) -> Shape:
    if not isinstance(shape, (tuple, list)):
        raise TypeError(f"shape must be a tuple of positive integers, got {type(shape).__name__}.")
    checked = tuple(check_integer(f"shape[{axis}]", size) for axis, size in enumerate(shape))
    if len(checked) < axes:
        raise ValueError(f"shape must have at least {axes} axes, (..., n_in, n_out), got {checked}.")
    return checked


def _check_call(shape: Shape, rng: Rng, dtype: object, axes: int = 0) -> tuple[Shape, np.dtype]:
    """Check the three arguments that every initializer takes."""
    check_generator(rng)
    shape, dtype = _check_shape(shape, axes), _check_dtype(dtype)
    if len(shape) > MOST_AXES or math.prod(shape) * _wide(dtype).itemsize > sys.maxsize:
        raise ValueError(f"shape must be one that a NumPy array can have, got {shape}.")
    return shape, dtype


def _takes_shape_and_rng(function: object) -> bool:
    """Whether `function(shape, rng)` or `function(shape, rng, dtype=...)` fits its signature."""
    if not callable(function) or isinstance(function, type):
        return False
    try:
        signature = inspect.signature(function)
    except ValueError:  # some functions written in C have none: the call will show
        return True
    for keywords in ({}, {"dtype": np.float32}):
        with contextlib.suppress(TypeError):
            signature.bind("shape", "rng", **keywords)
            return True
    return False


def _check_dtype(dtype: object) -> np.dtype:
    try:
        checked = None if dtype is None else np.dtype(dtype)  # np.dtype(None) would be float64
    except TypeError:
        checked = None
    if checked not in (np.float16, np.float32, np.float64):
        raise TypeError(f"dtype must be float16, float32 or float64, got {dtype!r}.")
    return checked


def _check_fits(name: str, value: float, dtype: np.dtype) -> float:
    """Refuse a magnitude that would become infinity, or zero without being zero, in `dtype`."""
    most, least = float(np.finfo(dtype).max), float(np.finfo(dtype).smallest_subnormal)
    if abs(value) > most:
        raise ValueError(f"{name} must be at most {most:g} in {dtype}, got {value:g}, which overflows.")
    if 0 < abs(value) < least:
        raise ValueError(
            f"{name} must be 0 or at least {least:g} in {dtype}, got {value:g}, which underflows."
        )
    return value


def _check_square(name: str, value: float, least: float = -math.inf) -> float:
    """Return value^2, refusing one that overflows or underflows."""
    value = check_number(name, value, least)
    square = value * value
    if math.isinf(square) or (square == 0 and value != 0):
        raise ValueError(f"{name} must have a square that float64 can hold, got {value:g}.")
    return square

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

import inspect
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from netinit._draws import (
    TRUNCATED_STD,
    Shape,
    affine,
    check_call,
    check_fits,
    check_shape,
    check_square,
    standard_normal,
    standard_orthogonal,
    standard_truncated,
    standard_uniform,
)
from netinit.checks import check_flag, check_integer, check_name, check_number

Initializer = Callable[..., np.ndarray]


class Fans(NamedTuple):
    """How many inputs each output sums (`fan_in`), and how many outputs each input reaches (`fan_out`).

    >>> fans((3, 3, 16, 32))
    Fans(fan_in=144, fan_out=288)
    """

    fan_in: int
    fan_out: int


# ---- fans and the general rule -------------------------------------------------------------------


def fans(shape: Shape, *, groups: int = 1, depthwise: bool = False) -> Fans:
    """Count the fans of a weight array: `fan_in = r * shape[-2]`, `fan_out = r * shape[-1] / groups`.

    Here r is the size of the receptive field, the product of the axes before the last two (1 if dense).
    A grouped convolution has the kernel `(kh, kw, c_in // groups, c_out)`, as in JAX and Keras: an output
    sums `kh * kw * c_in / groups` inputs, an input reaches only the `c_out / groups` channels of its group.
    PyTorch does not divide `fan_out` by the groups, which overstates it. `depthwise=True` reads a kernel of
    Keras' DepthwiseConv2D, `(kh, kw, c, multiplier)`, whose axis -2 no output sums: `fan_in = r`.

    Raises: ValueError for fewer than two axes, `groups` that do not divide `shape[-1]`, or both options.

    >>> fans((300, 100)), fans((3, 3, 16, 32)), fans((3, 3, 1, 16), groups=16)
    (Fans(fan_in=300, fan_out=100), Fans(fan_in=144, fan_out=288), Fans(fan_in=9, fan_out=9))
    """
    if check_flag("depthwise", depthwise) and groups != 1:
        raise ValueError(f"groups must be 1 for a depthwise kernel, whose shape shows them, got {groups}.")
    *field, n_in, n_out = _one_group(check_shape(shape, axes=2), groups)
    n_in = 1 if depthwise else n_in
    return Fans(math.prod(field) * n_in, math.prod(field) * n_out)


def _one_group(shape: Shape, groups: int) -> Shape:
    """The shape of the weights of one group: what its outputs see of its inputs."""
    groups = check_integer("groups", groups)
    if shape[-1] % groups:
        raise ValueError(f"groups must divide n_out, the last axis of shape {shape}, got {groups}.")
    return *shape[:-1], shape[-1] // groups


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

    - "normal": `N(0, Var)`, not truncated.
    - "uniform": `U(-a, a)` with `a = sqrt(3 Var)`.
    - "truncated_normal": a normal cut at 2 of its own standard deviations, widened by 1/0.87962566 first.

    `fan` is `fan_in`, `fan_out` or their mean ("fan_avg"), as `fans(shape, groups=groups)` counts them.

    Raises: ValueError for an unknown mode or distribution, a negative scale, or what `fans` refuses.
    Source: LeCun et al. 1998; Glorot and Bengio 2010; He et al. 2015, in one formula.

    >>> W = variance_scaling((500, 300), rng, scale=2, mode="fan_out", distribution="uniform")
    >>> round(float(W.var() * 300), 2)
    2.0
    """
    shape, dtype = check_call(shape, rng, dtype, axes=2)
    check_name("mode", mode, _MODES)
    check_name("distribution", distribution, _DISTRIBUTIONS)
    fan = _MODES[mode](fans(shape, groups=groups))
    scale = check_number("scale", scale, least=0.0)
    std = check_fits("sqrt(scale / fan)", math.sqrt(scale / fan), dtype)
    if distribution == "normal":
        return affine(standard_normal(shape, rng, dtype), std, 0.0, dtype)
    if distribution == "truncated_normal":
        return affine(standard_truncated(shape, rng, dtype, 2.0), std / TRUNCATED_STD, 0.0, dtype)
    bound = math.sqrt(3) * std
    return affine(standard_uniform(shape, rng, dtype), 2 * bound, -bound, dtype)


def xavier_uniform(shape, rng, *, gain=1.0, groups=1, dtype=np.float32) -> np.ndarray:
    """Draw from `U(-a, a)`, `a = gain sqrt(6 / (fan_in + fan_out))` (Glorot and Bengio 2010).

    Raises: ValueError for a negative gain, or what `fans` refuses.

    >>> round(float(xavier_uniform((500, 300), rng).max() * np.sqrt(800 / 6)), 2)
    1.0
    """
    scale = check_square("gain", gain, least=0.0)
    return variance_scaling(
        shape, rng, scale=scale, mode="fan_avg", distribution="uniform", groups=groups, dtype=dtype
    )


def xavier_normal(shape, rng, *, gain=1.0, groups=1, dtype=np.float32) -> np.ndarray:
    """Draw from `N(0, 2 gain^2 / (fan_in + fan_out))` (Glorot and Bengio 2010).

    Raises: ValueError for a negative gain, or what `fans` refuses.

    >>> round(float(xavier_normal((500, 300), rng).std() * np.sqrt(800 / 2)), 2)
    1.0
    """
    scale = check_square("gain", gain, least=0.0)
    return variance_scaling(shape, rng, scale=scale, mode="fan_avg", groups=groups, dtype=dtype)


def lecun_uniform(shape, rng, *, groups=1, dtype=np.float32) -> np.ndarray:
    """Draw from `U(-a, a)`, `a = sqrt(3 / fan_in)` (LeCun et al. 1998).

    Raises: ValueError for what `fans` refuses.

    >>> round(float(lecun_uniform((500, 300), rng).max() * np.sqrt(500 / 3)), 2)
    1.0
    """
    return variance_scaling(shape, rng, distribution="uniform", groups=groups, dtype=dtype)


def lecun_normal(shape, rng, *, groups=1, dtype=np.float32) -> np.ndarray:
    """Draw from `N(0, 1 / fan_in)` (LeCun et al. 1998).

    Raises: ValueError for what `fans` refuses.

    >>> round(float(lecun_normal((500, 300), rng).std() * np.sqrt(500)), 2)
    1.0
    """
    return variance_scaling(shape, rng, groups=groups, dtype=dtype)


def he_uniform(shape, rng, *, mode="fan_in", slope=0.0, groups=1, dtype=np.float32) -> np.ndarray:
    """Draw from `U(-a, a)`, `a = sqrt(6 / ((1 + slope^2) fan))`, `slope` that of leaky ReLU (He et al. 2015).

    Raises: ValueError for an unknown mode, or what `fans` refuses.

    >>> round(float(he_uniform((500, 300), rng).max() * np.sqrt(500 / 6)), 2)
    1.0
    """
    scale = 2.0 / (1.0 + check_square("slope", slope))
    return variance_scaling(
        shape, rng, scale=scale, mode=mode, distribution="uniform", groups=groups, dtype=dtype
    )


def he_normal(shape, rng, *, mode="fan_in", slope=0.0, groups=1, dtype=np.float32) -> np.ndarray:
    """Draw from `N(0, 2 / ((1 + slope^2) fan))`, `slope` that of leaky ReLU (He et al. 2015).

    Raises: ValueError for an unknown mode, or what `fans` refuses.

    >>> round(float(he_normal((500, 300), rng).std() * np.sqrt(500 / 2)), 2)
    1.0
    """
    scale = 2.0 / (1.0 + check_square("slope", slope))
    return variance_scaling(shape, rng, scale=scale, mode=mode, groups=groups, dtype=dtype)


# ---- plain: the scale does not depend on the shape -----------------------------------------------


def zeros(shape, rng, *, dtype=np.float32) -> np.ndarray:
    """Return zeros, for any shape, `()` included; `rng` is not advanced.

    Raises: TypeError for a shape, `rng` or dtype of another kind; ValueError for a dimension below 1.

    >>> zeros((1, 2), rng)
    array([[0., 0.]], dtype=float32)
    """
    shape, dtype = check_call(shape, rng, dtype)
    return np.zeros(shape, dtype)


def ones(shape, rng, *, dtype=np.float32) -> np.ndarray:
    """Return ones, for any shape, `()` included; `rng` is not advanced.

    Raises: TypeError for a shape, `rng` or dtype of another kind; ValueError for a dimension below 1.

    >>> ones((1, 2), rng)
    array([[1., 1.]], dtype=float32)
    """
    shape, dtype = check_call(shape, rng, dtype)
    return np.ones(shape, dtype)


def constant(shape, rng, *, value=0.1, dtype=np.float32) -> np.ndarray:
    """Return an array filled with `value`; `rng` is not advanced.

    Raises: ValueError for a value that is not finite, or that the dtype cannot hold.

    >>> constant((2, 3), rng, value=0.5)
    array([[0.5, 0.5, 0.5],
           [0.5, 0.5, 0.5]], dtype=float32)
    """
    shape, dtype = check_call(shape, rng, dtype)
    return np.full(shape, check_fits("value", check_number("value", value), dtype), dtype)


def identity(shape, rng, *, gain=1.0, groups=1, dtype=np.float32) -> np.ndarray:
    """Return `W[i, j] = gain` where i = j, else 0; in a kernel, at the center, so that `conv(x) = gain x`.

    `n_in` and `n_out` may differ: the first `min(n_in, n_out)` features pass, of each group where there are
    several. A convolution with a stride keeps the pixels at its steps. `rng` is not advanced.

    Raises: ValueError for fewer than two axes, an even kernel size, or a negative gain.
    Source: Le et al. 2015.

    >>> identity((2, 3), rng)
    array([[1., 0., 0.],
           [0., 1., 0.]], dtype=float32)
    """
    shape, dtype = check_call(shape, rng, dtype, axes=2)
    gain = check_fits("gain", check_number("gain", gain, least=0.0), dtype)
    *_, n_in, n_out = _one_group(shape, groups)
    block = gain * np.eye(n_in, n_out)
    return _at_center(np.tile(block, groups).astype(dtype), shape)


def uniform(shape, rng, *, low=-0.05, high=0.05, dtype=np.float32) -> np.ndarray:
    """Draw from `U(low, high)`: `Var = (high - low)^2 / 12`.

    Raises: ValueError unless low < high, both finite and still apart in `dtype`.

    >>> round(float(uniform((500, 300), rng, low=-1, high=1).var()), 2)
    0.33
    """
    shape, dtype = check_call(shape, rng, dtype)
    low = check_fits("low", check_number("low", low), dtype)
    high = check_fits("high", check_number("high", high), dtype)
    if not dtype.type(low) < dtype.type(high):
        raise ValueError(f"low must be below high in {dtype}, got low={low:g} and high={high:g}.")
    return affine(standard_uniform(shape, rng, dtype), high - low, low, dtype)


def normal(shape, rng, *, mean=0.0, std=0.01, dtype=np.float32) -> np.ndarray:
    """Draw from `N(mean, std^2)`, not truncated.

    Raises: ValueError for a negative std.
    Source: the default std, Krizhevsky et al. 2012.

    >>> round(float(normal((500, 300), rng, std=0.02).std()), 3)
    0.02
    """
    shape, dtype = check_call(shape, rng, dtype)
    mean = check_fits("mean", check_number("mean", mean), dtype)
    std = check_fits("std", check_number("std", std, least=0.0), dtype)
    return affine(standard_normal(shape, rng, dtype), std, mean, dtype)


def truncated_normal(shape, rng, *, mean=0.0, std=0.01, cut=2.0, dtype=np.float32) -> np.ndarray:
    """Draw from `N(mean, std^2)` and redraw whatever lies beyond `mean +- cut * std`.

    `std` is that of the normal **before** the cut, as in PyTorch and JAX; with cut = 2 the values returned
    have 0.8796 of it. `variance_scaling(..., distribution="truncated_normal")` corrects for this,
    `truncated_normal` does not. `cut` counts standard deviations (PyTorch's `a` and `b` are absolute values).

    Raises: ValueError for a negative std, or a cut below 0.1.
    Source: drawing by rejection, von Neumann 1951; the meaning of `std`, Paszke et al. 2019.

    >>> bool(np.abs(truncated_normal((500, 300), rng, std=0.02)).max() <= 0.04)
    True
    """
    shape, dtype = check_call(shape, rng, dtype)
    mean = check_fits("mean", check_number("mean", mean), dtype)
    std = check_fits("std", check_number("std", std, least=0.0), dtype)
    cut = check_number("cut", cut, least=0.1)  # below, nearly every draw would be thrown away
    cut = check_fits("cut", cut, dtype)
    return affine(standard_truncated(shape, rng, dtype, cut), std, mean, dtype)


# ---- structured ----------------------------------------------------------------------------------


def orthogonal(shape, rng, *, gain=1.0, groups=1, dtype=np.float32) -> np.ndarray:
    """Draw a Haar-distributed orthogonal matrix times `gain`: `W^T W = gain^2 I`.

    Leading axes count as rows: a kernel is the matrix `(kh * kw * c_in, c_out)`. With fewer rows than columns
    the rows are orthonormal instead, `W W^T = gain^2 I`. Each of several groups has a matrix of its own,
    `(kh * kw * c_in / groups, c_out / groups)`.

    Raises: ValueError for fewer than two axes, or a negative gain.
    Source: Saxe et al. 2013; the sign correction that makes it Haar, Mezzadri 2007.

    >>> W = orthogonal((4, 4), rng, gain=2)
    >>> np.allclose(W.T @ W, 4 * np.eye(4), atol=1e-5)
    True
    """
    shape, dtype = check_call(shape, rng, dtype, axes=2)
    *axes, columns = _one_group(shape, groups)
    rows = math.prod(axes)
    gain = check_fits("gain", check_number("gain", gain, least=0.0), dtype)
    check_fits("gain / sqrt(n)", gain / math.sqrt(max(rows, columns)), dtype)
    matrices = [standard_orthogonal(rows, columns, rng, dtype) for _ in range(groups)]
    matrix = np.ascontiguousarray(np.concatenate(matrices, axis=1))
    return affine(matrix, gain, 0.0, dtype).reshape(shape)


def delta_orthogonal(shape, rng, *, gain=1.0, groups=1, dtype=np.float32) -> np.ndarray:
    """Return a zero kernel with an orthogonal matrix times `gain` at its spatial center, one for each group.

    The convolution keeps lengths, `|conv(x)| = gain |x|`; with a stride, those of the pixels at its steps. A
    dense shape `(n_in, n_out)` is its own center.

    Raises: ValueError for an even kernel size, a negative gain, or `n_in > n_out / groups` (no kernel keeps
    lengths).
    Source: Xiao et al. 2018.

    >>> kernel = delta_orthogonal((3, 3, 16, 16), rng)
    >>> float(np.sum(kernel[1, 1] ** 2).round(3)), float(np.sum(kernel**2).round(3))
    (16.0, 16.0)
    """
    shape, dtype = check_call(shape, rng, dtype, axes=2)
    if shape[-2] > _one_group(shape, groups)[-1]:
        raise ValueError(f"shape must have n_in <= n_out / groups for lengths to be kept, got {shape}.")
    return _at_center(orthogonal(shape[-2:], rng, gain=gain, groups=groups, dtype=dtype), shape)


def sparse(shape, rng, *, sparsity=0.9, std=0.01, dtype=np.float32) -> np.ndarray:
    """Draw from `N(0, std^2)`, and set a random share `sparsity` of each output unit's weights to 0.

    A unit has `n = prod(shape[:-1])` weights and keeps `round((1 - sparsity) n)` of them, at least one.

    Raises: ValueError unless 0 <= sparsity < 1, or for a negative std.
    Source: Martens 2010.

    >>> np.count_nonzero(sparse((100, 20), rng, sparsity=0.85), axis=0)
    array([15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
           15, 15, 15])
    """
    shape, dtype = check_call(shape, rng, dtype, axes=2)
    if not check_number("sparsity", sparsity, least=0.0) < 1:
        raise ValueError(f"sparsity must be below 1, got {sparsity}.")
    std = check_fits("std", check_number("std", std, least=0.0), dtype)
    rows = math.prod(shape[:-1])
    kept = np.zeros((rows, shape[-1]), bool)
    kept[: max(1, round((1 - sparsity) * rows))] = True
    kept = rng.permuted(kept, axis=0).reshape(shape)  # each column by itself
    return affine(standard_normal(shape, rng, dtype) * kept, std, 0.0, dtype)


def _at_center(matrix: np.ndarray, shape: Shape) -> np.ndarray:
    """Return a zero kernel of `shape` with `matrix` at its spatial center."""
    for axis, size in enumerate(shape[:-2]):
        if size % 2 == 0:
            raise ValueError(f"shape[{axis}] must be odd for the kernel to have a center, got {shape}.")
    kernel = np.zeros(shape, matrix.dtype)
    kernel[tuple(size // 2 for size in shape[:-2])] = matrix
    return kernel


# ---- names ---------------------------------------------------------------------------------------

_NAMED = (
    *(zeros, ones, constant, identity, uniform, normal, truncated_normal),
    *(xavier_uniform, xavier_normal, lecun_uniform, lecun_normal, he_uniform, he_normal),
    *(orthogonal, delta_orthogonal, sparse),
)

# Read-only; every entry runs as `f(shape, rng)`. `variance_scaling` with its defaults is `lecun_normal`.
INITIALIZERS: Mapping[str, Initializer] = MappingProxyType({f.__name__: f for f in _NAMED})


def get_initializer(initializer: str | Initializer, name: str = "initializer") -> Initializer:
    """Return the initializer of that name in `INITIALIZERS`; a callable `f(shape, rng, *, dtype)` as it is.

    Raises: ValueError for an unknown name, with the closest known one; TypeError for anything else, such as a
    layer, or a function that takes no dtype. An error calls the argument `name`.

    >>> get_initializer("he_normal") is he_normal
    True
    """
    if isinstance(initializer, str):
        return INITIALIZERS[check_name(name, initializer, INITIALIZERS)]
    if not _keeps_the_contract(initializer):
        raise TypeError(
            f"{name} must be a name such as 'he_normal' or a callable f(shape, rng, *, dtype), "
            f"got {_described(initializer)}."
        )
    return initializer


def _keeps_the_contract(function: object) -> bool:
    """Whether `function(shape, rng, dtype=...)` fits its signature."""
    if not callable(function) or isinstance(function, type):
        return False
    try:
        inspect.signature(function).bind("shape", "rng", dtype=np.float32)
    except TypeError:
        return False
    except ValueError:  # some functions written in C have no signature: the call will show
        return True
    return True


def _described(value: object) -> str:
    """A function by its name and arguments, anything else by its type."""
    if inspect.isfunction(value):
        return f"{value.__name__}{inspect.signature(value)}"
    return type(value).__name__

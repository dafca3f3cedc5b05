"""Checks of arguments, shared by the whole package: each raises at the call, in one sentence."""

from __future__ import annotations  # so that numpy.random is loaded on its first use

import math
import numbers
from collections.abc import Iterable, Mapping, Sized
from typing import Any

import numpy as np

TRAINED = (np.float32, np.float64)  # what layers compute in


def check_generator(rng: np.random.Generator) -> None:
    """Raise TypeError unless `rng` is a NumPy Generator: a seed would hide which draws are shared."""
    if isinstance(rng, (int, np.integer)):
        raise TypeError(f"rng must be a Generator, got the seed {rng}: pass np.random.default_rng({rng}).")
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"rng must be a Generator such as np.random.default_rng(0), got {type(rng).__name__}."
        )


def shown(value: object) -> str:
    """The value as it prints, on one line and cut short: what a message says that it got."""
    return " ".join(repr(value).split())[:60]


def check_list(name: str, values: Iterable, words: str) -> list:
    """The values as a list; raises TypeError for what has no length, as a generator: it may have no end."""
    sized = isinstance(values, Iterable) and isinstance(values, Sized)
    if not sized or isinstance(values, (str, bytes, Mapping)) or getattr(values, "ndim", 1) == 0:
        raise TypeError(f"{name} must be a list of {words}, got {shown(values)}.")
    return list(values)


def check_integer(name: str, value: int, least: int = 1) -> int:
    """The value as an int; raises unless it is an integer of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be an integer, got {type(value).__name__} {shown(value)}.")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}.")
    return int(value)


def check_sizes(**sizes: int) -> list[int]:
    """The keywords' values as ints; raises unless each is an integer of at least 1."""
    return [check_integer(name, size) for name, size in sizes.items()]


def check_number(name: str, value: float, least: float = -math.inf, most: float = math.inf) -> float:
    """The value as a float; raises unless it is a finite real number from `least` to `most`."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a real number, got {type(value).__name__}.")
    try:
        number = float(value)
    except OverflowError:  # an integer beyond float64
        number = math.inf
    if not (math.isfinite(number) and least <= number <= most):
        allowed = "finite" if math.isinf(least) else f"finite and at least {least:g}"
        if math.isfinite(most):
            allowed = f"between {least:g} and {most:g}"
        raise ValueError(f"{name} must be {allowed}, got {value}.")
    return number


def check_name(kind: str, name: str, known: Iterable[str]) -> str:
    """The name; raises unless it is one of the known ones, and then offers the closest."""
    known = list(known)
    if not isinstance(name, str):
        raise TypeError(f"{kind} must be a name, one of {', '.join(known)}, got {type(name).__name__}.")
    if name not in known:
        import difflib  # only who mistypes a name needs it

        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ValueError(f"unknown {kind} {name!r}: {hint}known: {', '.join(known)}.")
    return name


def check_kind(name: str, value: object, kind: Any, words: str) -> None:
    """Raise TypeError unless isinstance(value, kind); `words` say what is allowed."""
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be {words}, got {type(value).__name__}.")


def check_flag(name: str, value: bool) -> bool:
    """The value as a bool; raises TypeError for anything but True and False, such as "no"."""
    check_kind(name, value, (bool, np.bool_), "True or False")
    return bool(value)


def check_floats(name: str, x: np.ndarray) -> None:
    """Raise TypeError unless `x` is a plain array of float32 or float64.

    float16 is left to storage: squares of its gradients underflow, sums overflow. A matrix multiplies
    otherwise, and a masked array computes with what it hides.
    """
    plain = isinstance(x, np.ndarray) and not isinstance(x, (np.matrix, np.ma.MaskedArray))
    if not plain or x.dtype not in TRAINED:
        given = type(x).__name__ + (f" of {x.dtype}" if isinstance(x, np.ndarray) else "")
        raise TypeError(
            f"{name} must be an array of floating-point numbers, float32 or float64, got {given}."
        )


def as_array(name: str, values: object) -> np.ndarray:
    """The values as an array; raises TypeError for other than numbers, masked ones, and ragged rows."""
    try:
        array = np.asarray(values)
    except ValueError:  # rows of several lengths
        array = np.empty(0, object)
    if array.dtype.kind not in "biuf" or isinstance(values, np.ma.MaskedArray):
        raise TypeError(f"{name} must hold real numbers in rows of one length, got {shown(values)}.")
    return array


def check_batch(name: str, x: np.ndarray) -> None:
    """Raise unless `x` is a non-empty array of finite floating-point numbers."""
    check_floats(name, x)
    if x.ndim == 0 or x.size == 0:
        raise ValueError(f"{name} must hold at least one example, got shape {x.shape}.")
    if not np.all(np.isfinite(x)):
        raise ValueError(f"{name} must be finite, got NaN or infinity.")


def cast(name: str, values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The values in that dtype; raises where they are no real numbers, not finite, or too large for it."""
    if values.dtype.kind not in "fiu":
        raise TypeError(f"{name} must hold real numbers, got dtype {values.dtype}.")
    with np.errstate(over="ignore"):
        result = values.astype(dtype, copy=False)
    if result.size and not (np.isfinite(result.min()) and np.isfinite(result.max())):
        raise ValueError(f"{name} must be finite in {dtype}, got NaN, infinity or an overflow.")
    return result

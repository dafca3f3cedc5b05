"""What checks of initial weights ask of an array, whichever framework made it."""

import keras
import numpy as np
import torch


def array(values):
    """Return the values as a NumPy array in float64."""
    if isinstance(values, torch.Tensor):
        values = values.detach().numpy()
    if isinstance(values, keras.Variable):
        values = values.value
    return np.array(values, dtype=np.float64)


def has_variance(values, variance):
    """Whether the mean square agrees with the variance, within 5 standard errors of a normal sample.

    The bound is the wider for uniform and truncated values, whose squares spread less.
    """
    squares = array(values) ** 2
    return abs(squares.mean() / variance - 1) < 5 * np.sqrt(2 / squares.size)


def is_uniform(values, bound):
    """Whether the values lie within the bound, reach it, and have its variance."""
    largest = np.abs(array(values)).max()
    return 0.99 * bound < largest <= bound * (1 + 1e-6) and has_variance(values, bound**2 / 3)


def is_cut(values, variance):
    """Whether the values are those of a normal cut at 2 std and widened again: none beyond 2.28 std."""
    largest = np.abs(array(values)).max() / np.sqrt(variance)
    return 2.2 < largest < 2 / 0.8796 and has_variance(values, variance)


def is_normal(values, variance):
    """Whether the values have the variance and reach far beyond where a cut normal ends."""
    return np.abs(array(values)).max() > 3 * np.sqrt(variance) and has_variance(values, variance)


def is_orthogonal(matrix, gain=1.0, tolerance=1e-5):
    """Whether all singular values are the gain."""
    return np.allclose(np.linalg.svd(array(matrix), compute_uv=False), gain, atol=tolerance)


def dense(units, n_in, **options):
    """Return a built Keras Dense layer."""
    layer = keras.layers.Dense(units, **options)
    layer.build((None, n_in))
    return layer

"""Losses: how wrong the outputs are, and the gradient that starts the backward pass."""

import numpy as np

from netinit.checks import as_array, check_floats


def softmax_cross_entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean cross-entropy of softmax(logits) against integer labels, and its gradient in the logits.

    `loss = mean(logsumexp(logits) - logits[label])`, `grad = (softmax(logits) - onehot(labels)) / batch`. The
    largest logit of a row is subtracted first and the loss summed in float64, so finite float32 logits give a
    finite loss. Logits (batch, classes), labels (batch,). Raises ValueError for a shape that does not fit or
    a label out of range, TypeError for logits that are not floating-point numbers or labels that are not
    integers.

    >>> loss, grad = softmax_cross_entropy(np.zeros((1, 4)), np.array([2]))
    >>> round(loss, 3), grad
    (1.386, array([[ 0.25,  0.25, -0.75,  0.25]]))
    """
    check_floats("logits", logits)
    labels = check_labels(labels, logits.shape)
    rows = np.arange(len(labels))
    largest = logits.max(axis=1, keepdims=True)  # (batch, 1)
    with np.errstate(over="ignore"):  # a difference beyond the dtype is -inf, and its exponential rightly 0
        grad = np.exp(logits - largest)
    total = grad.sum(axis=1, keepdims=True)  # (batch, 1)
    loss = np.mean(np.log(total[:, 0]) + (largest[:, 0].astype(np.float64) - logits[rows, labels]))
    grad /= total
    grad[rows, labels] -= 1
    grad /= len(labels)
    return float(loss), grad


def mean_squared_error(outputs: np.ndarray, targets: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean over all entries of `(output - target)^2`, and its gradient `2 (output - target) / size`.

    Differences and squares are taken in float64, beyond the range of float32. Raises ValueError where the
    shapes differ (nothing is broadcast) or hold nothing, TypeError for what is not floating-point numbers.

    >>> mean_squared_error(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
    (2.0, array([0., 2.]))
    """
    check_floats("outputs", outputs)
    check_floats("targets", targets)
    if outputs.shape != targets.shape:
        raise ValueError(f"targets must have the shape of outputs {outputs.shape}, got {targets.shape}.")
    if outputs.size == 0:
        raise ValueError(f"outputs must hold at least one number, got shape {outputs.shape}.")
    difference = np.subtract(outputs, targets, dtype=np.float64)
    grad = ((2 / difference.size) * difference).astype(np.result_type(outputs, targets))
    return float(np.mean(np.square(difference))), grad


def check_labels(
    labels: np.ndarray, logits_shape: tuple[int, int | None], name: str = "labels"
) -> np.ndarray:
    """The labels as an array; raises unless integers (batch,) in [0, classes); classes None: any number."""
    if len(logits_shape) != 2 or logits_shape[1] == 0:
        raise ValueError(f"logits must have shape (batch, classes), got {logits_shape}.")
    batch, classes = logits_shape
    labels = as_array(name, labels)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"{name} must be integers, got dtype {labels.dtype}.")
    if labels.shape != (batch,) or batch == 0:
        raise ValueError(f"{name} must have shape ({batch},) with at least one example, got {labels.shape}.")
    if labels.min() < 0 or (classes is not None and labels.max() >= classes):
        allowed = "not be negative" if classes is None else f"lie in 0..{classes - 1}"
        raise ValueError(f"{name} must {allowed}, got {labels.min()}..{labels.max()}.")
    return labels

"""Training: minibatches, epochs, and an honest record of both."""

from __future__ import annotations  # so that numpy.random is loaded on its first use

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from netinit.checks import check_batch, check_flag, check_generator, check_kind, check_sizes
from netinit.data import Dataset
from netinit.layers import BatchNorm, Layer
from netinit.losses import check_labels, softmax_cross_entropy
from netinit.optimizers import Optimizer


@dataclass
class History:
    """Loss and accuracy on two splits; entry 0 is before training, entry e after epoch e.

    `diverged_at` is the epoch in which a loss was not finite, 0 for the losses before training, None where
    all were finite; the run stops there.

    >>> History(validation_accuracy=[0.1, 0.9]).validation_accuracy[-1]
    0.9
    """

    train_loss: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)
    diverged_at: int | None = None

    def epochs_to(self, accuracy: float) -> int | None:
        """The first epoch after which the validation accuracy is at least this; None: never."""
        return next((e for e, value in enumerate(self.validation_accuracy) if value >= accuracy), None)


def fit(
    model: Layer,
    data: Dataset,
    optimizer: Optimizer,
    *,
    epochs: int,
    batch_size: int,
    rng: np.random.Generator,
    progress: bool = False,
    callback: Callable[[int], None] | None = None,
) -> History:
    """Train on softmax cross-entropy with shuffled minibatches; returns the History.

    `rng` decides the order of the data alone, so that two models can be trained in the same order.
    `callback(epoch)` is called with 0 before training and after each epoch. Loss and accuracy are measured at
    the end of an epoch, in evaluation mode. Raises ValueError/TypeError for counts below 1, data that is not
    finite, labels that do not fit, an optimizer of another model, or BatchNorm with a batch of one.

    >>> model, digits = initialize(mlp([64, 32, 10]), "he_normal", rng), load_digits()
    >>> history = fit(model, digits, SGD(model.parameters(), 0.1), epochs=5, batch_size=50, rng=rng)
    >>> history.validation_accuracy[-1] > 0.9
    True
    """
    epochs, batch_size = check_sizes(epochs=epochs, batch_size=batch_size)
    _check_inputs(model, data, optimizer, rng, batch_size, progress)
    history, callback = History(), callback or (lambda _epoch: None)
    if not _record(history, model, data):
        history.diverged_at = 0
        return history
    callback(0)
    for epoch in _bar(range(1, epochs + 1), progress):
        finite = _train_one_epoch(model, data, optimizer, batch_size, rng)
        if not (_record(history, model, data) and finite):
            history.diverged_at = epoch
            break
        callback(epoch)
    return history


def evaluate(model: Layer, x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Mean softmax cross-entropy and accuracy on (x, y), in evaluation mode; a NaN output counts as wrong.

    Inputs x (n, ...), labels y (n,) of integers. Raises TypeError/ValueError for a model that is no layer,
    for x that is empty, not floating-point or not finite, for labels that do not fit.

    >>> model = initialize(mlp([64, 10]), "zeros", rng)
    >>> round(evaluate(model, load_digits().x_test, load_digits().y_test)[0], 4)  # ln 10
    2.3026
    """
    check_kind("model", model, Layer, "a Layer")
    check_batch("x", x)
    y = check_labels(y, (len(x), None))
    # A network that overflows is a result here, not an accident: the loss says so.
    with _evaluating(model), np.errstate(over="ignore", invalid="ignore"):
        # In slices: what a very deep model remembers for its backward pass then stays small.
        logits = np.concatenate([model.forward(x[i : i + 100]) for i in range(0, len(x), 100)])
        loss, _ = softmax_cross_entropy(logits, y)
    # argmax returns the first NaN of a row, which would sometimes be a hit
    correct = (logits.argmax(axis=1) == y) & np.isfinite(logits).all(axis=1)
    return loss, float(correct.mean())


@contextmanager
def _evaluating(model):
    """Evaluation mode within the block; after it each layer has its own mode again."""
    modes = [(layer, layer.training) for _, layer in model.named_layers()]
    model.eval()
    try:
        yield
    finally:
        for layer, mode in modes:
            layer.training = mode


def _check_inputs(model, data, optimizer, rng, batch_size, progress) -> None:
    check_generator(rng)
    check_flag("progress", progress)
    check_kind("model", model, Layer, "a Layer")
    check_kind("data", data, Dataset, "a Dataset")
    check_kind("optimizer", optimizer, Optimizer, "an Optimizer such as SGD(model.parameters(), 0.1)")
    own = {id(p) for p in model.parameters()}
    if not all(id(p) in own for p in optimizer.parameters):
        raise ValueError("optimizer must be built from this model's parameters, got parameters of another.")
    for split in ("train", "validation"):
        x, y = getattr(data, f"x_{split}"), getattr(data, f"y_{split}")
        check_batch(f"x_{split}", x)
        check_kind(f"y_{split}", y, np.ndarray, "an array of integers")
        check_labels(y, (len(x), None), name=f"y_{split}")
    _check_last_batch(model, len(data.x_train), batch_size)


def _check_last_batch(model, examples, batch_size) -> None:
    """Raise where BatchNorm would meet, at the end of an epoch, a batch of one: it has no variance."""
    if min(examples, batch_size) == 1 or examples % batch_size == 1:
        for path, layer in model.named_layers():
            if isinstance(layer, BatchNorm):
                raise ValueError(
                    f"batch_size must leave BatchNorm at {path!r} more than one example in each batch, "
                    f"got {batch_size} for {examples} examples."
                )


def _train_one_epoch(model, data, optimizer, batch_size, rng) -> bool:
    """One pass over the shuffled training split; False as soon as a loss is not finite."""
    model.train()
    order = rng.permutation(len(data.x_train))
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            loss, grad = softmax_cross_entropy(model.forward(data.x_train[rows]), data.y_train[rows])
            if not np.isfinite(loss):
                return False
            optimizer.zero_grad()
            model.backward(grad)
            optimizer.step()
    return True


def _record(history, model, data) -> bool:
    """Append loss and accuracy of both splits; True where both losses are finite."""
    for split in ("train", "validation"):
        loss, accuracy = evaluate(model, getattr(data, f"x_{split}"), getattr(data, f"y_{split}"))
        getattr(history, f"{split}_loss").append(loss)
        getattr(history, f"{split}_accuracy").append(accuracy)
    return bool(np.isfinite([history.train_loss[-1], history.validation_loss[-1]]).all())


def _bar(epochs, progress):
    if not progress:
        return epochs
    from tqdm.auto import tqdm  # only who asks for a bar needs the library

    return tqdm(epochs, desc="epochs")

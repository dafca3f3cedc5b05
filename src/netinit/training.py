"""Training: minibatches, epochs, and an honest record of both."""

from __future__ import annotations  # so that numpy.random is loaded on its first use

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from netinit.checks import check_batch, check_generator, check_sizes
from netinit.data import Dataset
from netinit.layers import Layer
from netinit.losses import softmax_cross_entropy
from netinit.optimizers import Optimizer


@dataclass
class History:
    """Loss and accuracy on two splits; entry 0 is before training, entry e after epoch e.

    `diverged_at` is the epoch in which a loss was not finite, None where all were; the run stops there.
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
    finite, labels out of range.
    """
    check_sizes(epochs=epochs, batch_size=batch_size)
    check_generator(rng)
    _check_inputs(data)
    history, callback = History(), callback or (lambda _epoch: None)
    _record(history, model, data)
    callback(0)
    for epoch in _bar(range(1, epochs + 1), progress):
        finite = _train_one_epoch(model, data, optimizer, batch_size, rng)
        _record(history, model, data)
        if not (finite and np.isfinite(history.train_loss[-1])):
            history.diverged_at = epoch
            break
        callback(epoch)
    return history


def evaluate(model: Layer, x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Mean softmax cross-entropy and accuracy on (x, y), in evaluation mode; a NaN output counts as wrong."""
    mode = model.training
    model.eval()
    # A network that overflows is a result here, not an accident: the loss says so.
    with np.errstate(over="ignore", invalid="ignore"):
        # In slices: what a very deep model remembers for its backward pass then stays small.
        logits = np.concatenate([model.forward(x[i : i + 100]) for i in range(0, len(x), 100)])
        loss, _ = softmax_cross_entropy(logits, y)
    model.train(mode)
    # argmax returns the first NaN of a row, which would sometimes be a hit
    correct = (logits.argmax(axis=1) == y) & np.isfinite(logits).all(axis=1)
    return loss, float(correct.mean())


def _check_inputs(data: Dataset) -> None:
    for name in ("x_train", "x_validation"):
        check_batch(name, getattr(data, name))


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
            model.backward_parameters(grad)
            optimizer.step()
    return True


def _record(history, model, data):
    for split in ("train", "validation"):
        loss, accuracy = evaluate(model, getattr(data, f"x_{split}"), getattr(data, f"y_{split}"))
        getattr(history, f"{split}_loss").append(loss)
        getattr(history, f"{split}_accuracy").append(accuracy)


def _bar(epochs, progress):
    if not progress:
        return epochs
    from tqdm.auto import tqdm  # only who asks for a bar needs the library

    return tqdm(epochs, desc="epochs")

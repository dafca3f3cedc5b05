"""Fixup: train deep residual networks without normalization.

Each residual branch adds its own change to the output, so with L branches one step of gradient descent
moves the output L times as far as with one, and He's variances double in every block. Fixup makes each
branch start as zero and learn L times more slowly, so that the output moves by the learning rate eta
whatever the depth:

1. The classifier and the last layer of each branch start at zero.
2. The other layers of a branch with m layers are drawn by the usual rule, then scaled by L^(-1 / (2m - 2)).
   The gradient of the last layer holds the product of the m - 1 scales, L^(-1/2), and that of the step it
   causes holds it once more: L^(-1) for each branch.
3. Scalar multipliers start at 1, scalar biases at 0, and both take a tenth of the learning rate.
"""

from __future__ import annotations  # so that numpy.random is loaded on its first use

import numpy as np

from netinit.checks import check_generator, check_kind
from netinit.initialize import grouped, new_value, weighted_layers
from netinit.initializers import Initializer, get_initializer, he_normal
from netinit.layers import Layer, ScalarBias, ScalarScale
from netinit.layers.base import Parameter, bias_of, overwrite
from netinit.models import Residual

SCALAR_LR_SCALE = 0.1  # as in the authors' code: base learning rate / 10


def fixup(model: Layer, rng: np.random.Generator, *, base: str | Initializer = he_normal) -> Layer:
    """Initialize a residual network by the three rules of Zhang, Dauphin and Ma (2019); returns the model.

    L counts every `Residual`, m the weights of its branch; a weight in nested branches belongs to the
    innermost, one in a shortcut to the branch around it, if any. Rule 1 alone applies where m = 1. The
    classifier is the last layer with a weight after all residuals. All other weights are drawn by `base`,
    all biases are 0. Rule 3 needs the scalars of `residual_mlp(..., fixup=True)`; without them rules 1 and
    2 still hold. "Last" goes by the order of definition, which in `Sequential` is that of execution. Build
    the optimizer afterwards: it reads the scalars' `lr_scale` once. Raises ValueError for a model without
    `Residual` or classifier, or a branch without a weight of its own; TypeError for a seed in place of
    `rng`.

    >>> model = fixup(residual_mlp(64, 16, blocks=100, n_out=10, fixup=True), rng)
    >>> float(np.abs(model(load_digits().x_train)).max())
    0.0
    """
    check_kind("model", model, Layer, "a Layer")
    check_generator(rng)
    base = get_initializer(base, "base")
    named = list(model.named_layers())
    weighted = weighted_layers(named)
    branches = _branches(named, weighted)
    last = [_classifier(named, weighted), *(own[-1] for own in branches.values())]  # rule 1
    factors = {path: _factor(len(branches), len(own)) for own in branches.values() for path in own}
    changes = []
    for path, layer, weight in weighted:
        value = new_value(weight, grouped(base, layer), rng, path)
        changes.append((path, weight.value, value * factors.get(path, 1.0)))  # rule 2
        if (bias := bias_of(layer)) is not None:
            changes.append((path, bias.value, np.zeros_like(bias.value)))
    # at the end: a weight that is shared with a last layer is zero too
    changes += [
        (path, weight.value, np.zeros_like(weight.value)) for path, _, weight in weighted if path in last
    ]
    scalars = _scalars(named)  # rule 3
    overwrite(changes + [(path, p.value, np.asarray(start)) for path, p, start in scalars])
    for _, parameter, _ in scalars:
        parameter.lr_scale = SCALAR_LR_SCALE
    return model


def _factor(branches: int, layers: int) -> float:
    """L^(-1 / (2m - 2)); a branch of one layer has nothing but its zero layer to scale."""
    return branches ** (-1 / (2 * layers - 2)) if layers > 1 else 1.0


def _branches(named, weighted) -> dict[str, list[str]]:
    """Path of each residual branch -> those of the layers with a weight whose innermost branch it is."""
    residuals = [path for path, layer in named if isinstance(layer, Residual)]
    if not residuals:
        raise ValueError("model must hold a Residual for Fixup, got one without any; use initialize instead.")
    branches: dict[str, list[str]] = {f"{path}.branch".lstrip("."): [] for path in residuals}
    for path, *_ in weighted:
        owner = _innermost(path, branches)
        if owner is not None:
            branches[owner].append(path)
    for path, own in branches.items():
        if not own:
            raise ValueError(f"branch {path!r} must hold a layer with a weight of its own to zero, got none.")
    return branches


def _innermost(path: str, parents) -> str | None:
    """The longest of the parent paths that holds this path; None where none does."""
    while path and path not in parents:
        path = path.rpartition(".")[0]
    return path if path in parents else None


def _classifier(named, weighted) -> str:
    """The path of the last layer with a weight, if no residual comes after it or holds it."""
    residuals, has_weight = set(), {path for path, *_ in weighted}
    last = None
    for path, layer in named:
        if isinstance(layer, Residual):
            residuals.add(path)
        if _innermost(path, residuals) is not None:
            last = None
        elif path in has_weight:
            last = path
    if last is None:
        raise ValueError("model must have a classifier, a layer with a weight after its last Residual.")
    return last


def _scalars(named) -> list[tuple[str, Parameter, float]]:
    """Path, parameter and start of every scalar."""
    scales = [(path, layer.scale, 1.0) for path, layer in named if isinstance(layer, ScalarScale)]
    return scales + [(path, layer.bias, 0.0) for path, layer in named if isinstance(layer, ScalarBias)]

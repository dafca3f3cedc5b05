"""Look at, or change, what happens at each layer while a model runs.

LSUV rescales each layer on the signal that reaches it, and `trace` measures it: both put a function around
the forward or backward pass of every leaf, and let the model run as usual.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from netinit.checks import check_kind, check_name
from netinit.layers.base import Layer, own_parameters


@contextmanager
def intercept(model: Layer, method: str, around: Callable):
    """Within the block, every leaf runs `around(path, layer, call, x)` instead of its own `method`.

    `method` is "forward" or "backward"; `call(x)` is the original. A leaf is a layer without parts, or one
    that holds all the parameters of its parts and itself, such as a block of your own with a weight and an
    `Activation`. The model runs in its own order, through any nesting, so one pass visits the leaves in the
    order in which they are executed. Raises TypeError for a model that is no layer or an `around` that cannot
    be called, ValueError for another method.

    >>> def show(path, layer, call, x):
    ...     print(path, x.shape)
    ...     return call(x)
    >>> model = mlp([64, 32, 10])
    >>> with intercept(model, "forward", show):
    ...     logits = model(np.zeros((5, 64), np.float32))
    0 (5, 64)
    1 (5, 32)
    2 (5, 32)
    """
    check_kind("model", model, Layer, "a Layer")
    check_name("method", method, ("forward", "backward"))
    check_kind("around", around, Callable, "a function (path, layer, call, x)")
    leaves = {id(layer): (path, layer) for path, layer in _leaves("", model)}
    hidden = [(layer, vars(layer).get(method)) for _, layer in leaves.values()]  # of an enclosing `intercept`
    for path, layer in leaves.values():
        call = getattr(layer, method)
        # An attribute of the object hides the method of its class until it is deleted again.
        setattr(layer, method, lambda x, path=path, layer=layer, call=call: around(path, layer, call, x))
    try:
        yield
    finally:
        for layer, before in hidden:
            delattr(layer, method) if before is None else setattr(layer, method, before)


def _leaves(path: str, layer: Layer) -> Iterator[tuple[str, Layer]]:
    """Path and layer of each leaf, as `intercept` defines it."""
    parts = list(layer.children())
    if not parts or (own_parameters(layer) and not any(part.parameters() for _, part in parts)):
        yield path, layer
        return
    for name, part in parts:
        yield from _leaves(f"{path}.{name}" if path else name, part)

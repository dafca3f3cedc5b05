"""How a model shows itself: one line for a layer, a table for everything inside a model."""

from collections.abc import Iterator

from netinit.layer import Layer, own_parameters

SHOWN = 60  # rows of a table; the middle of a longer one is left out


def label(layer: Layer | None) -> str:
    """One line for a layer: its repr, or its class alone where it has parts; None is the identity."""
    if layer is None:
        return "identity"
    return repr(layer) if next(layer.children(), None) is None else type(layer).__name__


def table(model: Layer) -> str:
    """One row for each layer inside: name within its parent, what it is, number of its own parameters."""
    rows = list(_rows(model, indent="  "))
    if len(rows) > SHOWN:
        half = SHOWN // 2
        rows[half:-half] = [(f"... {len(rows) - 2 * half:,} more rows ...", "")]
    left, right = (max((len(row[side]) for row in rows), default=0) for side in (0, 1))
    lines = [f"{text:{left}}  {count:>{right}}".rstrip() for text, count in rows]
    total = sum(parameter.value.size for parameter in model.parameters())  # a shared one counts once
    return "\n".join([type(model).__name__, *lines, f"total: {total:,} parameters"])


def _rows(model: Layer, indent: str) -> Iterator[tuple[str, str]]:
    for name, layer in model.children():
        own = [parameter.value.size for parameter in own_parameters(layer).values()]
        leaf = next(layer.children(), None) is None
        yield f"{indent}{name}  {label(layer)}", f"{sum(own):,}" if leaf or own else ""
        yield from _rows(layer, indent + "  ")

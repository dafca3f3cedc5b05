"""How things show themselves: rows of cells as a table, one line for a layer, a table for a whole model."""

from collections.abc import Iterator

from netinit.layers.base import Layer, own_parameters

SHOWN = 60  # rows of a table; the middle of a longer one is left out


def label(layer: Layer | None) -> str:
    """One line for a layer: its repr, or its class alone where it has parts; None is the identity."""
    if layer is None:
        return "identity"
    return repr(layer) if next(layer.children(), None) is None else type(layer).__name__


def table(rows: list[list[str]], right: tuple[int, ...] = ()) -> str:
    """Rows of cells as lines with aligned columns, those whose numbers are in `right` to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def model_table(model: Layer) -> str:
    """One row for each layer inside: name within its parent, what it is, number of its own parameters."""
    rows = list(_rows(model, indent="  "))
    if len(rows) > SHOWN:
        half = SHOWN // 2
        rows[half:-half] = [[f"... {len(rows) - 2 * half:,} more rows ...", ""]]
    total = sum(parameter.value.size for parameter in model.parameters())  # a shared one counts once
    body = [table(rows, right=(1,))] if rows else []
    return "\n".join([type(model).__name__, *body, f"total: {total:,} parameters"])


def _rows(model: Layer, indent: str) -> Iterator[list[str]]:
    for name, layer in model.children():
        own = [parameter.value.size for parameter in own_parameters(layer).values()]
        leaf = next(layer.children(), None) is None
        yield [f"{indent}{name}  {label(layer)}", f"{sum(own):,}" if leaf or own else ""]
        yield from _rows(layer, indent + "  ")

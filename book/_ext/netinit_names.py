"""Which public names of `netinit` there are, and which of them some cells of code use."""

import ast
import inspect
from typing import NamedTuple


class Use(NamedTuple):
    """A place that uses a name: the offset in the text of its cell of what a reader would click."""

    name: str
    offset: int


def public():
    """Every public name with what it stands for: those of `netinit`, then those of three of its modules."""
    import netinit  # here, because the folder that it lies in is known late
    from netinit import plots, theory, widgets

    found = {f"netinit.{name}": getattr(netinit, name) for name in netinit.__all__}
    for module in (theory, plots, widgets):
        for name, thing in vars(module).items():
            own = inspect.getmodule(thing) is module and name not in netinit.__all__
            if own and not name.startswith("_") and (inspect.isclass(thing) or inspect.isfunction(thing)):
                found[f"{module.__name__}.{name}"] = thing
    return found


def uses(sources, names):
    """The uses of these names in each cell, in the order of its text; cells see what earlier ones import."""
    bound, found = {}, []
    for source in sources:
        tree = ast.parse(source)
        for node in ast.walk(tree):
            bound |= bindings(node)
        places = [place for node in ast.walk(tree) for place in uses_in(node, bound, names)]
        starts = line_starts(source)
        offsets = [Use(name, offset(source, starts, line, column)) for name, line, column in places]
        found.append(sorted(offsets, key=lambda use: use.offset))
    return found


def bindings(node):
    """What an import binds: a name in the code, and what it stands for, with dots."""
    if isinstance(node, ast.Import):
        return {alias.asname or alias.name.partition(".")[0]: alias.name for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        return {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return {}


def uses_in(node, bound, names):
    """The uses that a node of the tree is by itself: name, line, column in bytes."""
    if isinstance(node, ast.Name) and (name := known(bound.get(node.id), names)):
        yield name, node.lineno, node.col_offset
    elif isinstance(node, ast.Attribute) and (name := known(dotted(node, bound), names)):
        yield name, node.end_lineno, node.end_col_offset - len(node.attr.encode())
    elif isinstance(node, ast.Call) and known(dotted(node.func, bound), names) == "netinit.initialize":
        for text in node.args[1:2]:  # an initializer by its name
            if isinstance(text, ast.Constant) and (name := known(f"netinit.{text.value}", names)):
                yield name, text.lineno, text.col_offset


def dotted(node, bound):
    """What an expression of names and dots stands for, or None."""
    if isinstance(node, ast.Name):
        return bound.get(node.id)
    base = dotted(node.value, bound) if isinstance(node, ast.Attribute) else None
    return base and f"{base}.{node.attr}"


def known(name, names):
    """The public name of something of `netinit`, wherever it was taken from, or None."""
    if name is None or name.partition(".")[0] != "netinit":
        return None
    short = f"netinit.{name.rpartition('.')[2]}"
    return next((each for each in (name, short) if each in names), None)


def line_starts(source):
    """Where each line of a text begins."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return starts


def offset(source, starts, line, column):
    """The place in a text of what `ast` finds in a line behind so many bytes."""
    text = source[starts[line - 1] :].encode()[:column].decode()
    return starts[line - 1] + len(text)

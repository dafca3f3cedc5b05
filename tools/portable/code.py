"""What a code cell imports and reads, from its text: a notebook that goes out alone must find all of it."""

import ast
import functools
import re
import sys
import tomllib
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager
from packaging.requirements import Requirement

from portable.faults import Fault

ROOT = Path(__file__).resolve().parent.parent.parent
ALWAYS = ("numpy", "matplotlib", "ipywidgets")  # whoever runs a notebook of this book is told to have them
LOADED_LATE = {"sweep": ("joblib", "tqdm")}  # what a name of netinit imports only when it is called
# Calls that read a file by its name, wherever that lies.
READERS = {
    "open",
    "read_text",
    "read_bytes",
    "read_csv",
    "imread",
    "fromfile",
    "genfromtxt",
    "loadtxt",
    "memmap",
}
ARRAY_READERS = {"np.load", "numpy.load"}


@functools.cache
def declared():
    """The packages that the project declares for its readers, by pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = [*project["dependencies"], *project["optional-dependencies"]["book"]]
    return {Requirement(text).name.replace("-", "_") for text in listed}


def tree(source):
    """The syntax of a cell, its magics turned into calls."""
    return ast.parse(TransformerManager().transform_cell(source))


def imports(parsed):
    """Every module that a cell imports, and every name that it imports from netinit."""
    for node in ast.walk(parsed):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module, alias.name) for alias in node.names)


def needed(source):
    """The packages besides netinit that a cell needs; a Fault where nothing declares one."""
    found = set()
    for module, name in imports(tree(source)):
        top = module.partition(".")[0]
        if top == "netinit":
            found.update(LOADED_LATE.get(name, ()))
        elif top not in sys.stdlib_module_names:
            found.add(top)
    if foreign := sorted(found - declared()):
        raise Fault(f"it imports {', '.join(foreign)}, which pyproject.toml does not declare for readers")
    return found


def without_asserts(source):
    """The text of a cell without each statement that asserts something; comments go, too."""
    parsed = tree(source)
    parsed.body = [
        node for node in parsed.body if not any(isinstance(part, ast.Assert) for part in ast.walk(node))
    ]
    return ast.unparse(parsed)


def check_files(source):
    """A Fault where a cell reads a file: what chapters read lies in netinit, which has functions for it."""
    for node in ast.walk(tree(source)):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        last = re.split(r"[.)]", called)[-1]
        if (last in READERS or called in ARRAY_READERS) and not is_inside(node):
            raise Fault(
                f"it reads a file, {ast.unparse(node)}: a notebook goes out alone, so put it into netinit"
            )


def is_inside(call):
    """Whether what is read belongs to a package: a path by importlib.resources."""
    return "files('netinit')" in ast.unparse(call)

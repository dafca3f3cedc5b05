"""The house rules of `src/netinit`, read from its source: who imports whom, and how long a function is."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import netinit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
from portable import code  # noqa: E402

NAMES = {"PIL": "pillow"}  # where a package is imported by another name
SOURCE = ROOT / "src" / "netinit"
MODULES = sorted(path for path in SOURCE.rglob("*.py") if path.name != "__init__.py")
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))
TOOLS = sorted((ROOT / "tools").rglob("*.py"))
LONGEST_FUNCTION = 25

# Each module, or room of modules, may import those of its own row here, and what those may import.
BELOW = {
    "checks": (),
    "activations": ("checks",),
    "quadrature": ("activations",),
    "theory": ("quadrature",),
    "_draws": ("checks",),
    "initializers": ("_draws",),
    "data": ("checks",),
    "sweep": ("checks",),
    "plots": ("checks",),
    "widgets": ("plots",),
    "layers": ("activations",),
    "printing": ("layers",),
    "models": ("printing",),
    "builders": ("models",),
    "losses": ("checks",),
    "optimizers": ("layers",),
    "training": ("losses", "optimizers", "data"),
    "experiments": ("training", "printing"),
    "hooks": ("layers",),
    "initialize": ("layers", "initializers"),
    "lsuv": ("initialize", "hooks", "models"),
    "fixup": ("initialize", "models"),
    "transfer": ("printing",),
    "prediction": ("models", "theory"),
    "trace": ("hooks", "prediction", "losses"),
    "diagnosis": ("trace",),
    "figures": ("plots", "builders", "experiments", "lsuv", "fixup", "transfer", "diagnosis"),
}
# Within a room, from bottom to top.
ROOMS = {
    "layers": ("base", "linear", "elementwise", "convolution", "normalization"),
    "diagnosis": ("repeats", "case", "remedies", "layer_faults", "depth_faults", "report"),
    "figures": (
        "_shared",
        "landing",
        "signals",
        "building",
        "zero",
        "random_start",
        "xavier",
        "he",
        "orthogonal",
        "fixup",
        "lsuv",
        "normalization",
        "transfer",
        "choosing",
        "five_minutes",
        "mean_field",
        "recipes",
        "frameworks",
    ),
}
# What a module may import besides NumPy and the standard library.
THIRD_PARTY = {
    "plots": {"matplotlib"},
    "figures": {"matplotlib"},
    "widgets": {"matplotlib", "ipywidgets", "PIL", "IPython"},
    "sweep": {"joblib", "tqdm"},
    "training": {"tqdm"},
}
HEAVY = {"matplotlib", "ipywidgets", "joblib", "tqdm", "scipy", "torch", "IPython", "PIL"}
HEAVY |= {"numpy.random", "importlib.resources"}  # each costs as long as the whole of netinit


def reachable(name):
    """The modules that `name` may import: those of its row, and theirs."""
    return set(BELOW[name]).union(*(reachable(below) for below in BELOW[name]))


def imported(tree):
    """Every module that a source imports, at its top or inside a function, as dotted names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ("netinit." if node.level else "") + (node.module or "")
            yield from (f"{base.rstrip('.')}.{alias.name}" for alias in node.names)


def split_imports(tree):
    """The imports of a source as two sets: modules of netinit, and top-level names of everything else."""
    names = [name.split(".") for name in imported(tree)]
    own = {parts[1] for parts in names if parts[0] == "netinit"}
    return own, {parts[0] for parts in names if parts[0] != "netinit"}


def place(path):
    """The room of a module and its name in it; for a module of its own both are its name."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py"), path.stem


def within(tree, room):
    """The modules of its own room that a source imports."""
    dotted = [name.split(".") for name in imported(tree)]
    return {name[2] for name in dotted if name[:2] == ["netinit", room]}


def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def test_imports_are_found_in_every_form():
    source = "import netinit.layers\nfrom netinit.models import mlp\n"
    source += "def f():\n    from . import theory\n    import torch.nn"
    assert split_imports(ast.parse(source)) == ({"layers", "models", "theory"}, {"torch"})


def test_every_module_has_its_place():
    assert {place(path)[0] for path in MODULES} == set(BELOW)
    for room, names in ROOMS.items():
        assert {path.stem for path in (SOURCE / room).glob("*.py")} == {*names, "__init__"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_imports_only_what_lies_below_it(path):
    room, name = place(path)
    own, other = split_imports(parse(path))
    assert own - {room} <= reachable(room)
    assert other <= {"numpy", *sys.stdlib_module_names, *THIRD_PARTY.get(room, set())}
    if room in ROOMS:
        order = ROOMS[room]
        assert within(parse(path), room) <= set(order[: order.index(name)])


def test_the_check_sees_an_import_within_a_room():
    source = ast.parse(
        "from netinit.layers.base import Layer\nfrom netinit.layers import Linear\nimport numpy"
    )
    assert within(source, "layers") == {"base", "Linear"}


def drawn_map():
    """Names of the map in the docstring of netinit, from the ground up; a room with its own modules."""
    rows = re.findall(r"^    (\w+)(/?)  +(.*(?:\n {20}.*)*)$", netinit.__doc__, flags=re.MULTILINE)
    return [(name, re.findall(r"\w+", text) if room else []) for name, room, text in rows]


def test_the_map_in_the_docstring_shows_the_house():
    """Every module stands on it, above all that it imports; the modules of a room in their order."""
    names = [name for name, _ in drawn_map()]
    assert sorted(names) == sorted(BELOW)
    assert [name for i, name in enumerate(names) if not reachable(name) <= set(names[:i])] == []
    for name, words in drawn_map():
        assert [word for word in words if word in ROOMS.get(name, ())] == list(ROOMS.get(name, ()))


def test_the_public_face_only_re_exports():
    tree = parse(SOURCE / "__init__.py")
    allowed = (ast.ImportFrom, ast.Import, ast.Assign, ast.Expr)
    assert [type(node).__name__ for node in tree.body if not isinstance(node, allowed)] == []


def loaded_after(statement):
    """The heavy packages that a new interpreter has loaded after a statement."""
    code = f"import sys; {statement}; print(*sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_netinit_pulls_in_numpy_alone():
    assert loaded_after("import netinit") == loaded_after("import numpy")


def test_the_check_sees_a_heavy_import():
    assert "matplotlib" in loaded_after("import netinit.plots")


def code_lines(function, lines):
    """Number of lines of a function that hold code: no docstring, comment or blank line."""
    rows = set(range(function.lineno, function.end_lineno + 1))
    if ast.get_docstring(function) is not None:
        rows -= set(range(function.body[0].lineno, function.body[0].end_lineno + 1))
    texts = [lines[row - 1].strip() for row in rows]
    return sum(bool(text) and not text.startswith("#") for text in texts)


GLOBAL_RANDOM = re.compile(r"\b(?:np|numpy)\.random\.(?!Generator\b|default_rng\b|SeedSequence\b|PCG64\b)\w+")


def test_global_random_state_is_recognized():
    found = GLOBAL_RANDOM.findall("np.random.seed(0); numpy.random.randn(3); np.random.default_rng(0)")
    assert found == ["np.random.seed", "numpy.random.randn"]


@pytest.mark.parametrize("path", [*MODULES, *NOTEBOOKS], ids=lambda path: path.stem)
def test_no_global_random_state(path):
    """NumPy's global generator hides which draws two runs share; prose about it stands in Markdown cells."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = nbformat.reads(text, as_version=4).cells
        text = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    assert GLOBAL_RANDOM.findall(text) == []


def function_lengths(source):
    """The lines of code of each function of a source, by name."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    return {node.name: code_lines(node, source.splitlines()) for node in nodes}


@pytest.mark.parametrize("path", [*MODULES, *TOOLS], ids=lambda path: path.stem)
def test_functions_are_short(path):
    lengths = function_lengths(path.read_text(encoding="utf-8"))
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}


def test_lines_of_code_leave_out_docstrings_comments_and_blank_lines():
    source = 'def f(\n    x,\n):\n    """One.\n\n    Two.\n    """\n    # three\n\n    return x\n'
    assert function_lengths(source) == {"f": 4}


def undocumented(names):
    """The callables without a docstring of their own: a dataclass without one shows its signature."""
    values = {name: getattr(netinit, name) for name in names}
    texts = {name: value.__doc__ or "" for name, value in values.items() if callable(value)}
    return [name for name, text in texts.items() if not text.strip() or text.startswith(f"{name}(")]


def test_every_public_name_is_documented():
    assert netinit.__all__
    assert undocumented(netinit.__all__) == []


def undeclared(source):
    """The packages that a module imports and pyproject.toml does not declare for readers."""
    tops = {module.partition(".")[0] for module, _ in code.imports(ast.parse(source)) if module}
    named = {NAMES.get(top, top) for top in tops - set(sys.stdlib_module_names) - {"netinit"}}
    return named - code.declared()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_what_a_module_imports_is_declared(path):
    assert undeclared(path.read_text()) == set()


def test_an_import_that_is_not_declared_is_seen():
    assert undeclared("import numpy as np\nfrom scipy.stats import norm\nfrom PIL import Image") == {"scipy"}

"""The reference of `netinit`: its docstrings as pages, each name with the chapters that use it.

The docstrings are written for `help()`. Before Sphinx reads one as reStructuredText, what stands between
backticks in it becomes a link to another name, a formula, or code; everything else is text.
"""

import inspect
import json
import re
import sys
from pathlib import Path

import netinit_names
from formulas import is_formula, to_latex

BACKTICKS = re.compile(r"`([^`]+)`")


def setup(app):
    """Let autodoc read the package that lies beside the book, and change what it reads."""
    package = Path(app.confdir) / "src"
    if package.is_dir() and str(package) not in sys.path:
        sys.path.insert(0, str(package))
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("env-before-read-docs", find_users)
    app.connect("autodoc-process-docstring", rewrite)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def find_users(app, env, _docnames):
    """Note for each public name the pages whose code uses it."""
    app.netinit_public = netinit_names.public()
    app.netinit_users = {name: [] for name in app.netinit_public}
    for page in chapters(env):
        notebook = json.loads(Path(env.doc2path(page)).read_text(encoding="utf-8"))
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        sources = ["".join(cell["source"]) for cell in cells]
        for name in {use.name for cell in netinit_names.uses(sources, app.netinit_public) for use in cell}:
            users = app.netinit_users[name]
            if page.replace("/deeper/", "/") not in users:
                users.append(page)


def chapters(env):
    """The pages that are notebooks: chapters, then their deeper pages."""
    found = [page for page in env.found_docs if Path(env.doc2path(page)).suffix == ".ipynb"]
    return sorted(found, key=lambda page: ("/deeper/" in page, page))


def rewrite(app, _what, name, thing, _options, lines):
    """Change a docstring in place into reStructuredText."""
    text = inspect.cleandoc("\n".join(lines))
    words, mark, example = text.partition(">>>")
    own = parameters(thing)
    parts = BACKTICKS.split(words)
    parts[::2] = [plain(part) for part in parts[::2]]
    parts[1::2] = [code(part, own, app.netinit_public) for part in parts[1::2]]
    users = ", ".join(f":doc:`/{page}`" for page in sorted(app.netinit_users.get(name, []), key=page_order))
    ending = f"\n\n*Used in* {users}." if users else ""
    lines[:] = f"{''.join(parts)}{mark}{example.rstrip()}{ending}\n".splitlines()


def page_order(page):
    """Order pages as a reader meets them: by the number of the chapter."""
    return page.rpartition("/")[2]


def parameters(thing):
    """The names of what a function or class takes."""
    try:
        return set(inspect.signature(thing).parameters)
    except (TypeError, ValueError):
        return set()


def plain(text):
    """Text whose stars and bars mean nothing but themselves; what it raises and its source stand apart."""
    text = re.sub(r"(?<!\*)\*(?!\*)|\|", r"\\\g<0>", text)
    return re.sub(r"^(Raises|Source):", r"\n*\1:*", text, flags=re.MULTILINE)


def code(text, own, public):
    """What stands between backticks, as a link, a formula, or code."""
    text = " ".join(text.split())
    if f"netinit.{text}" in public and text not in own:
        return f":py:obj:`netinit.{text}`".replace("`netinit.", "`~netinit.")
    return f":math:`{to_latex(text)}`" if is_formula(text) else f"``{text}``"

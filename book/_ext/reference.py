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
    app.connect("autodoc-process-docstring", rewrite)
    app.netinit_signed = []
    app.connect("autodoc-before-process-signature", remember, priority=900)
    app.connect("autodoc-process-signature", leave_as_it_was)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def find_users(env):
    """For each public name, the pages whose code uses it."""
    users = {name: [] for name in netinit_names.public()}
    for page in chapters(env):
        notebook = json.loads(Path(env.doc2path(page)).read_text(encoding="utf-8"))
        sources = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
        for name in {use.name for cell in netinit_names.uses(sources, users) for use in cell}:
            if page.replace("/deeper/", "/") not in users[name]:
                users[name].append(page)
    return users


def remember(app, thing, _bound):
    """Note a function that autodoc has just given a signature whose defaults are texts."""
    app.netinit_signed.append(thing)


def leave_as_it_was(app, *_described):
    """Take such signatures back when they are written: the package may go on being used, as by tests."""
    while app.netinit_signed:
        thing = app.netinit_signed.pop()
        if "__signature__" in vars(thing):
            del getattr(thing, "__func__", thing).__signature__


def chapters(env):
    """The pages that are notebooks: chapters, then their deeper pages."""
    found = [page for page in env.found_docs if Path(env.doc2path(page)).suffix == ".ipynb"]
    return sorted(found, key=lambda page: ("/deeper/" in page, page))


def rewrite(app, _what, name, thing, _options, lines):
    """Change a docstring in place into reStructuredText; a book without any needs no package."""
    if not hasattr(app, "netinit_users"):
        app.netinit_users = find_users(app.env)
    users = app.netinit_users
    text = inspect.cleandoc("\n".join(lines))
    words, mark, example = text.partition(">>>")
    own = parameters(thing)
    parts = BACKTICKS.split(words)
    parts[::2] = [plain(part) for part in parts[::2]]
    parts[1::2] = [code(part, own, users) for part in parts[1::2]]
    links = ", ".join(f":doc:`/{page}`" for page in sorted(users.get(name, []), key=page_order))
    ending = f"\n\n*Used in* {links}." if links else ""
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

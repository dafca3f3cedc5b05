"""The book as Sphinx reads it, without executing a cell: it is asked for titles, numbers and citations."""

import contextlib
import importlib
import io
import re
import tempfile
from pathlib import Path

import docutils.frontend
import docutils.utils
from jupyter_book.config import get_final_config
from myst_nb.sphinx_ import Parser
from myst_parser.mdit_to_docutils.sphinx_ import SphinxRenderer
from myst_parser.parsers.mdit import create_md_parser
from sphinx.application import Sphinx
from sphinx.builders.dummy import DummyBuilder
from sphinx.util.docutils import docutils_namespace, patch_docutils, sphinx_domains

from portable.cited import Writer
from portable.faults import Fault

COLORS = re.compile(r"\x1b\[[0-9;]*m")


class Reader(DummyBuilder):
    """Reads all pages and writes none."""

    name = "reader"

    def get_target_uri(self, docname, _typ=None):
        """Where the page lies in the built book."""
        return f"{docname}.html"

    def get_relative_uri(self, _origin, to, typ=None):
        """The same: whoever writes the link knows where the book lies."""
        return self.get_target_uri(to, typ)

    def write(self, *_arguments, **_options):
        """Nothing: pages are asked for what they say, one role at a time."""


def setup(app):
    """Let Sphinx know the builder."""
    app.add_builder(Reader)
    return {"parallel_read_safe": True}


class Book:
    """The book below a folder, with `_config.yml` and `_toc.yml`; use it in a `with` statement.

    `address` is where the built book can be read, with a slash at its end, or "" where nobody knows; as
    default it is BOOK_ADDRESS, or follows from BOOK_REPOSITORY. One book at a time: Sphinx changes docutils
    for all of Python.
    """

    def __init__(self, root, address=None):
        self.root = Path(root).resolve()
        config, _ = get_final_config(
            user_yaml=self.root / "_config.yml",
            cli_config={"latex_individualpages": False},
            sourcedir=self.root,
        )
        self._config = config | {"extensions": [*config["extensions"], __name__]}
        # The folder of the book's own extensions is on the path now.
        self.address = importlib.import_module("launch_buttons").address() if address is None else address

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            stack.enter_context(patch_docutils(None))
            stack.enter_context(docutils_namespace())
            self._scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            self._read()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_raised):
        self._stack.close()

    def _read(self):
        """Let Sphinx read every page; what it warns of is a fault of the book."""
        self._said = io.StringIO()
        out, trees = self._scratch / "out", self._scratch / "doctrees"
        options = {"confoverrides": self._config, "status": None, "warning": self._said}
        self._sphinx = Sphinx(str(self.root), None, str(out), str(trees), "reader", **options)
        self._sphinx.build()
        if warnings := self._warnings():
            raise Fault(warnings)
        self.titles = {page: title.astext() for page, title in self._sphinx.env.titles.items()}

    def page(self, path):
        """The name of a page, such as "book/05-xavier", by the path of its file."""
        page = Path(path).resolve().relative_to(self.root).with_suffix("").as_posix()
        if page not in self.titles:
            raise Fault(f"{page}: the table of contents of the book has no such page")
        return page

    @property
    def markdown_settings(self):
        """How MyST's parser reads a page of this book."""
        return self._sphinx.env.myst_config

    def answers(self, page, questions):
        """What pieces of MyST say on a page, as Markdown; each is (text, form, place): see `Page.says`."""
        texts = [text for text, _, _ in questions]
        nodes = self._resolved(page, "\n\n".join(texts)).children
        if self._warnings() or len(nodes) != len(texts):
            nodes = [self._resolved_alone(page, text, place) for text, _, place in questions]
        writer, found = Writer(page, self.address, self.titles), []
        for node, (text, form, place) in zip(nodes, questions, strict=True):
            try:
                said = writer.write(node) if form == "link" else node.astext()
                found.append(said.strip("()") if form == "number" else said)
            except Fault as fault:
                raise Fault(f"{place}: {text} {fault}") from None
        return found

    def _resolved_alone(self, page, text, place):
        """The node of one piece; a Fault tells where it stands, if something is wrong with it."""
        nodes = self._resolved(page, text).children
        if warnings := self._warnings():
            raise Fault(f"{place}: {text}: {warnings}")
        if len(nodes) != 1:
            raise Fault(f"{place}: {text} is {len(nodes)} blocks, where one is expected")
        return nodes[0]

    def _resolved(self, page, text):
        """The nodes of a text that stands on a page, every reference resolved."""
        env = self._sphinx.env
        env.prepare_settings(page)
        settings = docutils.frontend.get_default_settings(Parser())
        settings.env, settings.report_level, settings.warning_stream = env, 2, self._said
        document = docutils.utils.new_document(env.doc2path(page), settings)
        with sphinx_domains(env):
            parser = create_md_parser(self.markdown_settings, SphinxRenderer)
            parser.options["document"] = document
            parser.render(text)
        env.temp_data.clear()
        env.resolve_references(document, page, self._sphinx.builder)
        return document

    def _warnings(self):
        """What Sphinx and docutils have said since the last look, without the file that they name."""
        said = COLORS.sub("", self._said.getvalue()).strip()
        self._said.seek(0)
        self._said.truncate()
        return said.replace(f"{self.root}/", "")

"""A Markdown cell without MyST: roles, directives, targets and labels are replaced, all else stays."""

import re
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from docutils.parsers.rst.directives.misc import TestDirective  # takes any argument and any option
from myst_parser.parsers.directives import parse_directive_text

from portable import directives
from portable.faults import Fault
from portable.spans import Lines, parser

OPEN, CLOSE = "\ue000", "\ue001"  # for private use: no text holds them
MARK = re.compile(f"{OPEN}(\\d+){CLOSE}")
DIRECTIVE = re.compile(r"\{([^}\s]+)\}\s*(.*)")
# What any viewer of notebooks shows, by the names of markdown-it: blocks, and what lies inside of them.
BLOCKS = """paragraph heading bullet_list ordered_list list_item blockquote table thead tbody tr th td fence
            code_block hr math_block html_block inline"""
INSIDE = "text em strong s code_inline math_inline math_inline_double softbreak hardbreak link image"
PLAIN = {*BLOCKS.split(), *INSIDE.split()}


class Edit(NamedTuple):
    """Replace `start` to `end` of a text; what follows `begins` a new part, where that is not ""."""

    start: int
    end: int
    text: str
    begins: str = ""


class Part(NamedTuple):
    """A cell's worth of Markdown: "text", an "exercise" or a "solution"."""

    kind: str
    text: str


class Directive(NamedTuple):
    """A directive as it is written."""

    name: str
    argument: str
    options: dict[str, str]
    body: str


class Page:
    """One page while its cells are converted, in their order."""

    def __init__(self, name, book, *, answers=True):
        self.name, self.book, self.answers = name, book, answers
        self.predictions = {}  # by name: the number, and the choices or the unit
        self.inside = "text"  # the kind of part that the next cell goes on with
        self.in_solutions = set()  # ids of cells
        self.place = ""  # which cell this is, for faults
        self._quoted, self._asked = False, []
        self._parser = parser(book.markdown_settings)

    def parts(self, source):
        """The parts of a cell's text."""
        found = [Part(self.inside, "")]
        lines, done = Lines(source), 0
        for edit in sorted(self.edits(lines)):
            if edit.start < done:
                continue  # inside of what is replaced already
            kind, text = found.pop()
            found.append(Part(kind, text + source[done : edit.start]))
            if edit.begins:
                found.append(Part(edit.begins, ""))
                self.inside = "solution" if edit.begins == "solution" else "text"
            kind, text = found.pop()
            found.append(Part(kind, text + edit.text))
            done = edit.end
        kind, text = found.pop()
        found.append(Part(kind, text + source[done:]))
        return [Part(kind, text.strip("\n")) for kind, text in found if text.strip()]

    def plain(self, source, *, quoted=False):
        """A text that must stay in one part, such as the body of an admonition, which is `quoted`."""
        before = self.inside, self._quoted
        self.inside, self._quoted = "text", quoted or self._quoted
        parts = self.parts(source)
        self.inside, self._quoted = before
        if any(part.kind != "text" for part in parts):
            raise Fault("an exercise or a solution stands inside of another directive")
        return parts[0].text if parts else ""

    def says(self, text, form="link"):
        """A mark in place of what the book says for a piece of MyST, such as "{ref}`ch-he`": see `settle`.

        The form is "link", "words" (without links), or "number" (without the parentheses of an equation's).
        """
        self._asked.append((text, form, self.place))
        return f"{OPEN}{len(self._asked) - 1}{CLOSE}"

    def settle(self):
        """Ask the book everything at once; return a function that puts the answers in place of the marks."""
        answers = self.book.answers(self.name, self._asked)
        return lambda text: MARK.sub(lambda mark: answers[int(mark[1])], text)

    def tokens(self, source):
        """The tokens of a text."""
        return self._parser.parse(source)

    def edits(self, lines):
        """What must be replaced in a text."""
        for token in self.tokens(lines.text):
            kind = re.sub("_(open|close)$", "", token.type)
            if kind == "inline":
                yield from self.inline_edits(token, lines)
            elif kind in ("fence", "colon_fence") and DIRECTIVE.fullmatch(token.info.strip()):
                yield self.directive_edit(token, lines)
            elif kind == "myst_target":
                start, end, _ = lines.block(token)
                yield Edit(start, min(end + 1, len(lines.text)), "")
            elif kind == "math_block_label" or (kind == "math_block" and self._quoted):
                yield self.equation_edit(token, lines)
            elif kind not in PLAIN:
                raise Fault(f"{kind!r} is MyST that tools/portable does not know: {lines.rows[token.map[0]]}")

    def directives(self, source):
        """The directives of a text that holds nothing else."""
        for token in self.tokens(source):
            if not DIRECTIVE.fullmatch(token.info.strip()):
                raise Fault(f"a directive is expected here: {source.strip()}")
            yield directive_of(token)

    def directive_edit(self, token, lines):
        """A directive, replaced by what `directives` makes of it."""
        start, end, indent = lines.block(token)
        begins, text = directives.convert(directive_of(token), self)
        return Edit(start, end, text.replace("\n", f"\n{indent}"), begins)

    def equation_edit(self, token, lines):
        """An equation: its label becomes the number that the book gives it.

        In a quotation it takes one line: JupyterLab would read the > of further lines as part of the formula.
        """
        start, end, indent = lines.block(token)
        rows = token.content.strip("\n").rstrip().split("\n")
        if token.type == "math_block_label":
            rows.append(rf"\tag{{{self.says(f'{{eq}}`{token.info}`', 'number')}}}")
        if self._quoted or len(rows) == 1 or "\n" not in lines.text[start:end]:
            return Edit(start, end, f"$${' '.join(row.strip() for row in rows)}$$")
        rows[-1] = f"{indent}{rows[-1]}"  # the rows of the formula have it already
        return Edit(start, end, "\n".join(["$$", *rows, f"{indent}$$"]))

    def inline_edits(self, inline, lines):
        """The roles, the links to other files of the book, and the HTML of a line of text."""
        spans = [(token, token.meta["span"]) for token in inline.children if "span" in token.meta]
        if unknown := {_kind(token) for token in inline.children} - PLAIN - {"myst_role", "html_inline"}:
            raise Fault(f"{unknown.pop()!r} is MyST that tools/portable does not know: {inline.content}")
        if beside := [
            token for token in inline.children if token.type == "image" and is_relative(token.attrs["src"])
        ]:
            raise Fault(
                f"the picture {beside[0].attrs['src']} lies beside the notebook, which goes out alone"
            )
        place = lines.inline(inline) if spans else None
        for token, (start, end) in spans:
            written = inline.content[start:end]
            if token.type == "myst_role" or (token.type == "link_open" and is_relative(token.attrs["href"])):
                yield Edit(place(start), place(end), self.says(written))
            elif token.type == "html_inline":
                yield Edit(place(start), place(end), self.html(written))

    def html(self, tag):
        """An HTML tag; a link to a file beside the page leads to the book, or nowhere without an address."""
        href = re.search(r'href="([^"]*)"', tag)
        if href is None or not is_relative(href[1]):
            return tag
        if not self.book.address:
            return "<a>"
        there = urljoin(f"{self.book.address}{self.name}.html", href[1])
        return tag.replace(href[0], f'href="{there}"')


def directive_of(token):
    """The directive that a fence is."""
    name, argument = DIRECTIVE.fullmatch(token.info.strip()).groups()
    # As MyST does it: what begins with ::: is a directive inside, and no option.
    content = f"\n{token.content}" if token.content.startswith(":::") else token.content
    parsed = parse_directive_text(TestDirective, argument, content)
    return Directive(name, argument, parsed.options, "\n".join(parsed.body))


def is_relative(uri):
    """Whether a link leads to another file of the book."""
    return not urlsplit(uri).scheme and not uri.startswith("#")


def _kind(token):
    return re.sub("_(open|close)$", "", token.type)

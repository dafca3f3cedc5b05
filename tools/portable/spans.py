"""MyST's own parser for the cells, and where in a cell's text its constructs stand.

markdown-it tells the lines of a block and no columns of what is inside. Here the rules for roles, links and
HTML note where they begin and end, so that a role can be replaced and everything around it stays as written.
"""

from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import html_inline, link
from mdit_py_plugins.myst_role.index import myst_role
from myst_parser.parsers.mdit import create_md_parser

from portable.faults import Fault

NOTED = {"myst_role": myst_role, "link": link, "html_inline": html_inline}


def parser(settings):
    """MyST's parser with the settings of a book; tokens of the rules in NOTED carry their `span`."""
    markdown = create_md_parser(settings, RendererHTML)
    for name, rule in NOTED.items():
        markdown.inline.ruler.at(name, noting(rule))
    return markdown


def noting(rule):
    """The rule, which now leaves in its first token where in the inline text it began and ended."""

    def wrapped(state, silent):
        start, before = state.pos, len(state.tokens)
        found = rule(state, silent)
        if found and not silent:
            own = next(token for token in state.tokens[before:] if token.type != "text")
            own.meta = {**own.meta, "span": (start, state.pos)}
        return found

    return wrapped


class Lines:
    """The lines of a text: where each begins, and where a piece of inline text stands in them."""

    def __init__(self, text):
        self.text = text
        self.rows = text.split("\n")
        self.starts = [0]
        for row in self.rows:
            self.starts.append(self.starts[-1] + len(row) + 1)
        self._read = [0] * len(self.rows)  # up to which column: cells of a table share a line

    def block(self, token):
        """Start and end of a block in the text, without its last line break; and what stands before it."""
        first, last = token.map
        while last > first + 1 and not self.rows[last - 1].strip():
            last -= 1
        indent = self.rows[first][: len(self.rows[first]) - len(self.rows[first].lstrip())]
        return self.starts[first] + len(indent), self.starts[last] - 1, indent

    def inline(self, token):
        """For each place in the text of an inline token, the place in the whole text; a function."""
        places, here = [], 0
        for number, row in enumerate(token.content.split("\n"), token.map[0]):
            column = self.rows[number].find(row, self._read[number])
            if column < 0:
                raise Fault(f"tools/portable cannot find this text in its line: {row}")
            self._read[number] = column + len(row)
            places.append((here, len(row), self.starts[number] + column))
            here += len(row) + 1

        def place(position):
            start, _, found = next(each for each in reversed(places) if each[0] <= position)
            return found + position - start

        return place

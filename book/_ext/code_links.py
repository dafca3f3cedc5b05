"""Links from code to the reference: in each chapter, the first use of a public name of `netinit`.

The first that a reader sees: a use in a folded cell counts only where no other cell uses the name. The text
of the code stays as it is, so the button that copies it copies the same.
"""

import html
import re
from itertools import chain

import netinit_names
from docutils import nodes

HIDDEN = {"tag_hide-cell", "tag_hide-input"}


class linked_code(nodes.literal_block):
    """The code of a cell; its attribute `links` maps offsets in its text to addresses and full names."""


def setup(app):
    """Link when all pages are known, and write the links after the colors."""
    app.add_node(linked_code, html=(visit_linked_code, None))
    app.connect("doctree-resolved", link_first_uses)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def link_first_uses(app, doctree, docname):
    """Put linked code in place of each cell that uses a name first."""
    if app.builder.format != "html":
        return
    cells = [(cell, block) for cell in doctree.findall(is_cell) for block in code_of(cell)]
    entries = app.env.get_domain("py").objects  # what the reference describes
    found = netinit_names.uses([block.astext() for _, block in cells], entries)
    for index, uses in first_uses(found, [is_hidden(cell) for cell, _ in cells]).items():
        links = {use.offset: (target(app, docname, entries[use.name]), use.name) for use in uses}
        block = cells[index][1]
        block.replace_self(linked_code(block.rawsource, block.rawsource, **block.attributes, links=links))


def is_cell(node):
    """Whether a node is a cell of code."""
    return isinstance(node, nodes.container) and node.get("nb_element") == "cell_code"


def code_of(cell):
    """The code of a cell: one block, or none where it is not on the page."""
    for part in cell.findall(nodes.container):
        if part.get("nb_element") == "cell_code_source":
            yield from part.findall(nodes.literal_block)


def is_hidden(cell):
    """Whether a reader has to unfold the code first."""
    return bool(HIDDEN & set(cell["classes"]))


def first_uses(found, hidden):
    """For each cell by its index, the uses that are the first of their names: visible cells come first."""
    order = sorted(range(len(found)), key=lambda index: (hidden[index], index))
    seen, first = set(), {}
    for index, use in chain.from_iterable(((index, use) for use in found[index]) for index in order):
        if use.name not in seen:
            seen.add(use.name)
            first.setdefault(index, []).append(use)
    return first


def target(app, docname, entry):
    """Where an entry of the reference is, seen from a page."""
    return f"{app.builder.get_relative_uri(docname, entry.docname)}#{entry.node_id}"


def visit_linked_code(self, node):
    """Write the code as it is written anywhere else, then add the links."""
    try:
        self.visit_literal_block(node)
    except nodes.SkipNode:
        self.body[-1] = with_links(self.body[-1], node["links"])
        raise


def with_links(page, links):
    """Return the HTML of highlighted code with a link around each token that starts at a given offset."""
    head, pre, code = page.partition("<pre>")
    parts, at = re.split(r"(<[^>]+>)", code), 0
    for index in range(0, len(parts), 2):  # between two tags there is text
        text = parts[index]
        if at in links and text:
            address, name = links[at]
            parts[index] = f'<a class="code-link" href="{html.escape(address)}" title="{name}">{text}</a>'
        at += len(html.unescape(text))
    return f"{head}{pre}{''.join(parts)}"

"""What Sphinx makes of a role, a tree of docutils nodes, becomes a piece of a Markdown line."""

import re
from urllib.parse import urljoin

from docutils import nodes

from portable.faults import Fault

SPECIAL = re.compile(r"([\\`*_<>$])")
NAMED = {
    "std-ref",
    "doc",
    "std-doc",
}  # references that read as a name; the others are numbers, words or citations


class Writer:
    """Writes the nodes of one page; `address` is where the book can be read, or "" where nobody knows.

    `titles` maps each page to its title. Where a link cannot be made, a reference into another page says
    the title of that page.
    """

    def __init__(self, page, address, titles):
        self.page, self.address, self.titles = page, address, titles

    def write(self, node):
        """The Markdown of a node."""
        if isinstance(node, nodes.Text):
            return SPECIAL.sub(r"\\\1", node.astext().replace("\n", " "))
        if isinstance(node, nodes.reference):
            return self.link(node)
        if isinstance(node, nodes.math):
            return f"${node.astext()}$"
        if isinstance(node, nodes.literal):
            return f"`{node.astext()}`"
        around = {nodes.emphasis: "*", nodes.strong: "**", nodes.inline: "", nodes.paragraph: ""}
        if type(node) not in around:
            raise Fault(f"it becomes a {node.tagname}, which nobody has told tools/portable how to write")
        return around[type(node)] + self.write_all(node) + around[type(node)]

    def write_all(self, node):
        """The Markdown of what a node holds."""
        return "".join(map(self.write, node.children))

    def link(self, node):
        """The Markdown of a reference."""
        if not {"refuri", "refid"} & node.attributes.keys():
            raise Fault(f"it becomes a {node.tagname}, which leads to no page")
        text = self.write_all(node)
        uri = node["refuri"] if "refuri" in node else f"{self.page}.html#{node['refid']}"
        if self.address or "://" in uri:
            return f"[{text}]({urljoin(self.address, uri)})"
        title = self.titles.get(uri.partition(".html")[0], "")
        elsewhere = not uri.startswith(f"{self.page}.html") and text not in (title, "")
        named = any(NAMED & set(inner.get("classes", [])) for inner in node.findall(nodes.inline))
        return f"{text} (*{title}*)" if elsewhere and named and title else text

"""The student edition of the pages: built with `EDITION=student`, it holds no solution in any form.

Solutions go before anything looks at what they hold, so neither pictures nor the search index know of them.
"""

import os

from sphinx.transforms import SphinxTransform

EDITIONS = ("instructor", "student")


class RemoveSolutions(SphinxTransform):
    """Drop each solution; sphinx-exercise has gathered its cells at priority 10."""

    default_priority = 11

    def apply(self, **_options):
        """Remove the nodes of this page."""
        for node in [each for each in self.document.findall() if type(each).__name__ == "solution_node"]:
            node.parent.remove(node)


def setup(app):
    """Remove solutions where the edition asks for it; a name that is not known is refused."""
    edition = os.environ.get("EDITION") or EDITIONS[0]
    if edition not in EDITIONS:
        raise ValueError(f"EDITION is {edition!r}; it must be one of {', '.join(EDITIONS)}.")
    if edition == "student":
        app.add_transform(RemoveSolutions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

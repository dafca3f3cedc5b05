"""Portable notebooks: plain Markdown that any viewer shows, and a first cell that brings netinit along.

    with Book(root) as book:
        notebook = portable(root / "book/05-xavier.ipynb", book)

The sources hold MyST for the pages of the book; what comes out here is made from them and never edited.
The files, from the bottom up:

    faults.py       what an author must mend
    cited.py        what Sphinx makes of a role becomes Markdown
    sphinx_book.py  the book as Sphinx reads it, without executing anything; it knows what each role says
    spans.py        MyST's own parser, and where in the text its constructs stand
    markdown.py     a Markdown cell: all that is plain stays as it is written, the rest is replaced
    directives.py   what each directive becomes
    code.py         what a code cell imports and reads
    first_cell.py   the cell that brings netinit along
    notebook.py     the whole notebook
"""

from portable.faults import Fault
from portable.notebook import portable
from portable.sphinx_book import Book

__all__ = ["Book", "Fault", "portable"]

"""A whole notebook in its portable form."""

import copy
import json
from contextlib import contextmanager

import nbformat
import notebooks

from portable import code, first_cell
from portable.faults import Fault
from portable.markdown import Page

FOLDED = {
    "hide-input",
    "hide-cell",
    "remove-cell",
}  # tags of cells whose code a page folds away or leaves out
SOLUTION = "#### Solution"


def portable(notebook_path, book, *, solutions=True, outputs=True):
    """A notebook of a book as a reader gets it: any viewer shows it, and it runs wherever it lies.

    Without `solutions` it has neither those of the exercises nor the answers of the predictions; without
    `outputs` nothing that a cell has shown. Raises Fault, which names the notebook and the cell.
    """
    name = book.page(notebook_path)
    original = nbformat.read(notebook_path, as_version=4)
    page, cells, needed = Page(name, book, answers=solutions), [], set()
    for number, cell in enumerate(original.cells, 1):
        page.place = f"{name}.ipynb, cell {number}"
        with at(page.place):
            if cell.cell_type == "markdown":
                cells += markdown_cells(cell, page, solutions)
            elif solutions or page.inside != "solution":
                needed |= code.needed(cell.source)
                cells += code_cells(cell if solutions else without_checks(cell), page, outputs)
    settle(cells, page)
    fold_solutions(cells, page.in_solutions)
    wanted = [*code.ALWAYS, *sorted(needed - set(code.ALWAYS))]
    cells.insert(0, bring_netinit(wanted))
    return finished(original, cells, notebook_path.name)


@contextmanager
def at(place):
    """Let a fault say where it is."""
    try:
        yield
    except Fault as fault:
        raise Fault(f"{place}: {fault}") from None


def markdown_cells(cell, page, solutions):
    """The cells that a Markdown cell becomes: it is cut where an exercise or a solution begins or ends."""
    parts = [part for part in page.parts(cell.source) if solutions or part.kind != "solution"]
    made = []
    for number, part in enumerate(parts, 1):
        name = cell.id if number == 1 else f"{cell.id}-part{number}"
        made.append(nbformat.v4.new_markdown_cell(part.text, id=name))
        if part.kind == "solution":
            page.in_solutions.add(name)
    return made


def without_checks(cell):
    """The cell without what checks the page and so says which answer is right; what later cells use stays."""
    if "remove-cell" not in cell.metadata.get("tags", []):
        return cell
    return nbformat.from_dict(cell | {"source": code.without_asserts(cell.source)})


def code_cells(cell, page, outputs):
    """A code cell, and the caption of its figure below it; nothing for an empty one."""
    if not cell.source:
        return []
    code.check_files(cell.source)
    if page.inside == "solution":
        page.in_solutions |= {cell.id, f"{cell.id}-caption"}
    made = copy.deepcopy(cell)
    tags = cell.metadata.get("tags", [])
    made.metadata = nbformat.from_dict({"tags": tags} if tags else {})
    if FOLDED & set(tags):
        made.metadata["jupyter"] = {"source_hidden": True}
    if not outputs:
        made.outputs, made.execution_count = [], None
    figure = cell.metadata.get("mystnb", {}).get("figure")
    if not figure:
        return [made]
    return [made, nbformat.v4.new_markdown_cell(caption(figure, page), id=f"{cell.id}-caption")]


def caption(figure, page):
    """The caption of a figure in italics, with its number where it has a name."""
    number = f"{{numref}}`{figure['name']}`" if "name" in figure else ""
    said = f"{page.says(number, 'words')}. " if number else ""
    return f"*{said}{page.plain(figure.get('caption', ''))}*"


def settle(cells, page):
    """Put into the cells what the book says of titles, numbers and citations."""
    answered = page.settle()
    for cell in cells:
        if cell.cell_type == "markdown":
            cell.source = answered(cell.source)


def fold_solutions(cells, in_solutions):
    """Let JupyterLab show a solution folded away, unless the fold would take in what comes after it."""
    for index, cell in enumerate(cells):
        if cell.id in in_solutions and cell.source.startswith(SOLUTION):
            after = [each for each in cells[index:] if each.id not in in_solutions]
            if not after or after[0].source.startswith("#"):
                cell.metadata["jp-MarkdownHeadingCollapsed"] = True


def bring_netinit(needed):
    """The cell that brings netinit along."""
    cell = nbformat.v4.new_code_cell(first_cell.source(code.ROOT, needed), id="bring-netinit")
    cell.metadata = nbformat.from_dict(first_cell.METADATA)
    return cell


def finished(original, cells, name):
    """The notebook with these cells, and with the metadata that Jupyter and Colab look for."""
    colab = {"name": name, "provenance": [], "toc_visible": True}
    made = nbformat.v4.new_notebook(cells=cells, metadata={**notebooks.NOTEBOOK_METADATA, "colab": colab})
    made.nbformat_minor = original.nbformat_minor
    nbformat.validate(made)
    return nbformat.from_dict(json.loads(json.dumps(made)))

"""Execute the notebooks and bring them to the one form in which they are committed.

    python tools/notebooks.py                     execute and normalize every notebook of the book
    python tools/notebooks.py book/05-xavier.ipynb   only this one
    python tools/notebooks.py --check             change nothing, name the notebooks that are not normal

A normal notebook keeps the text that its cells print, because strict nbval compares it, and nothing that
differs between two runs or two machines: no pictures, widget state or timings. An output that cannot be the
same next time, such as a memory address, is refused. The files are replaced only after every notebook named
has run, and only if none was edited meanwhile.
"""

import argparse
import copy
import errno
import hashlib
import json
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

BOOK = Path(__file__).resolve().parent.parent / "book"

# Of a displayed object the text is kept; pictures and widgets are dropped, as nbval does not compare them.
# Everything else, HTML above all, nbval would compare: it is refused (show a table as Markdown).
KEPT_TYPES = ("text/plain", "text/markdown", "text/latex")
DROPPED_TYPES = ("image/png", "image/jpeg", "application/vnd.jupyter.widget-view+json")
# The output of a cell with this tag differs in every run (it measures a time, say): nbval ignores it, and it
# is not stored.
IGNORED = "nbval-ignore-output"
CELL_METADATA = ("tags", "mystnb")
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
UNSTABLE = {
    "a memory address": re.compile(r"\b0x[0-9a-fA-F]{6,}\b"),
    "a temporary path": re.compile(r"ipykernel_\d+|/tmp/|\\Temp\\"),
}


class UnstableOutput(ValueError):
    """A cell's output cannot be the same in the next run."""


def normalize(notebook):
    """Return the notebook in its committed form; raises UnstableOutput where nbval could not compare it."""
    notebook = copy.deepcopy(notebook)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = nbformat.from_dict(NOTEBOOK_METADATA)
    ids, count = {}, 0
    for cell in notebook.cells:
        cell.id = _cell_id(cell.source, ids)
        kept = {key: cell.metadata[key] for key in CELL_METADATA if cell.metadata.get(key)}
        cell.metadata = nbformat.from_dict(kept)
        if cell.cell_type == "code":
            count += 1
            # nbval compares nothing in a cell whose count is null, so each code cell gets one.
            cell.execution_count = count
            cell.outputs = normal_outputs(cell, count)
    nbformat.validate(notebook)
    return notebook


def _cell_id(source, seen):
    """Eight hexadecimal digits of the source's SHA-256, and a number where a source is repeated."""
    digest = hashlib.sha256(source.encode()).hexdigest()[:8]
    seen[digest] = seen.get(digest, 0) + 1
    return digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"


def normal_outputs(cell, count):
    """The outputs of an executed cell as they are committed; raises UnstableOutput."""
    outputs = []
    if IGNORED in cell.metadata.get("tags", []):
        return outputs
    for output in cell.outputs:
        reason = _unstable(output)
        if reason:
            raise UnstableOutput(f"cell {count} {reason}\n\n{cell.source}")
        if output.output_type == "stream":
            _add_stream(outputs, output)
        else:
            _add_data(outputs, output, count)
    return outputs


def _unstable(output):
    """Why the next run cannot be compared with this output, or None."""
    if output.output_type == "error":
        return f"raises {output.ename}: catch it and print it"
    if output.output_type == "stream" and output.name != "stdout":
        return f"writes to {output.name}: is that a warning, or a progress bar?"
    types = set(output.get("data", {})) - {*KEPT_TYPES, *DROPPED_TYPES}
    if types:
        return f"shows {', '.join(sorted(types))}: show text, Markdown or a picture"
    text = json.dumps([output.get("text"), [output.get("data", {}).get(key) for key in KEPT_TYPES]])
    for what, pattern in UNSTABLE.items():
        if found := pattern.search(text):
            return f"shows {what} ({found.group()})"
    return None


def _add_stream(outputs, output):
    """Join a stream to the one before it: where a stream is cut in two depends on timing."""
    if outputs and outputs[-1].output_type == "stream":
        outputs[-1].text += output.text
    else:
        outputs.append(nbformat.v4.new_output("stream", name="stdout", text=output.text))


def _add_data(outputs, output, count):
    """Keep the text of a result or a picture; an output that has none is dropped."""
    data = {key: output.data[key] for key in KEPT_TYPES if key in output.data}
    if not data:
        return
    fields = {"execution_count": count} if output.output_type == "execute_result" else {}
    outputs.append(nbformat.v4.new_output(output.output_type, data=data, **fields))


def to_text(notebook):
    """The exact text of the file, as Jupyter writes it."""
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def is_normal(path):
    """Whether the file is, byte for byte, what `normalize` would write."""
    text = path.read_text(encoding="utf-8")
    return text == to_text(normalize(nbformat.reads(text, as_version=4)))


def run_cells(notebook, folder, **options):
    """Fill in the outputs of a notebook, in a new kernel; options of NotebookClient, such as allow_errors."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    resources = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources, **options)
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            # As nbval does: without history, a semicolon at a cell's end does not hide its last value.
            client.execute_cell(cell, index, store_history=False)
    return notebook


def replace(path, text):
    """Put a text in place of a file in one step: whoever looks finds the old one or the new one."""
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def interruptible():
    """Let Ctrl-C end this process at once, whatever its threads wait for; tell of a full disk in words."""
    try:
        yield
    except KeyboardInterrupt:
        print("KeyboardInterrupt: nothing was changed.", file=sys.stderr, flush=True)
        os._exit(130)  # its kernels end with it
    except OSError as error:
        if os.strerror(errno.ENOSPC) not in str(error):  # shutil tells it in its text alone
            raise
        raise SystemExit(f"The disk is full, and nothing was changed: {error}") from None


def update(paths, workers):
    """Execute and normalize all the notebooks, then replace those that changed: all of them, or none."""
    before = {path: path.read_bytes() for path in paths}
    texts, wrong = {}, []
    with ThreadPoolExecutor(workers) as pool, interruptible():
        jobs = {pool.submit(executed_text, path, before[path]): path for path in paths}
        for job in as_completed(jobs):
            try:
                texts[jobs[job]] = job.result()
                print(f"{label(jobs[job])} was executed", flush=True)
            except (CellExecutionError, UnstableOutput) as error:
                wrong.append(f"{jobs[job]}: {error}")
    wrong += [f"{path} was edited meanwhile" for path in paths if path.read_bytes() != before[path]]
    if wrong:
        raise SystemExit("\n".join([*wrong, "No notebook was changed."]))
    for path in paths:
        if texts[path].encode() != before[path]:
            replace(path, texts[path])
            print(f"{label(path)} changed")


def executed_text(path, content):
    """The normal form of a notebook with this content, executed in the folder of the file."""
    return to_text(normalize(run_cells(nbformat.reads(content.decode(), as_version=4), path.parent)))


def label(path):
    """The name of a notebook in messages: below `book/`, where it lies there."""
    return str(path.relative_to(BOOK)) if path.is_relative_to(BOOK) else path.name


def check(paths):
    """Name each notebook that is not normal; returns the number of them."""
    wrong = 0
    for path in paths:
        try:
            reason = None if is_normal(path) else "not normal: run `make notebooks`"
        except UnstableOutput as error:
            reason = str(error)
        if reason:
            wrong += 1
            print(f"{path}: {reason}", file=sys.stderr)
    return wrong


def below(folder):
    """Every notebook in a folder and its subfolders, hidden ones aside."""
    found = [path.relative_to(folder) for path in folder.rglob("*.ipynb")]
    return sorted(folder / path for path in found if not any(part.startswith(".") for part in path.parts))


def named(arguments):
    """The notebooks of a command line, or all of the book where it names none; exits where one is missing."""
    paths = [path.resolve() for path in arguments] or below(BOOK)
    missing = [str(path) for path in paths if not path.is_file()]
    if missing or not paths:
        raise SystemExit(f"no such notebook: {', '.join(missing)}" if missing else f"no notebooks in {BOOK}")
    return paths


def main():
    """Read the command line, then update or check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only name the notebooks that are not normal")
    parser.add_argument("--workers", type=int, default=2, help="notebooks executed at a time (default: 2)")
    parser.add_argument("notebooks", nargs="*", type=Path, help="the notebooks (default: all of book/)")
    arguments = parser.parse_args()
    paths = named(arguments.notebooks)
    if arguments.check:
        raise SystemExit(1 if check(paths) else 0)
    update(paths, arguments.workers)


if __name__ == "__main__":
    main()

"""The form of a core chapter, as functions over its notebook; each yields one sentence for each fault.

Words are what stands between blanks in the Markdown cells, displayed equations left out; lines are lines with
something on them. Both end where the exercises start.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

WORDS, LINES, CELL_LINES, HIDDEN_LINES = 2300, 130, 12, 25
LINE_WIDTH = 85  # characters that a desktop shows in one line
PREDICTIONS, LIVE_FIGURES, WORDS_BEFORE_FIGURE = range(2, 5), 3, 80
HIDING = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
LONG = "from-scratch"  # the tag of the one visible cell that may be longer
EXERCISES = re.compile(r"^#+ +Exercises", re.MULTILINE)
LIVE = re.compile(r"\bexplore(_training)?\(")
CONVERTED = "{reading-time}"  # what a notebook of this form holds


@dataclass
class Core:
    """A notebook up to its exercises: Markdown as text, code cells with their tags, in their order."""

    name: str
    text: str = ""
    code: list[tuple[str, set[str]]] = field(default_factory=list)
    before_figure: str | None = None  # the text before the first live figure

    @property
    def visible(self):
        """The sources of the cells that show their code."""
        return [source for source, tags in self.code if not tags & HIDING]


def read_core(path):
    """Return the core of a notebook."""
    core = Core(Path(path).name)
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            if core.before_figure is None and LIVE.search(cell.source):
                core.before_figure = core.text
            core.code.append((cell.source, set(cell.metadata.get("tags", []))))
            continue
        before, *exercises = EXERCISES.split(cell.source, maxsplit=1)
        core.text += f"{before}\n"
        if exercises:
            break
    return core


def words(text):
    """Return the number of words outside displayed equations."""
    return len(re.sub(r"\$\$.*?\$\$", " ", text, flags=re.DOTALL).split())


def lines(source):
    """Return the number of lines with something on them."""
    return sum(bool(line.strip()) for line in source.split("\n"))


def first_line(source):
    """Return the line by which a reader finds a cell."""
    return source.strip().partition("\n")[0]


# --- faults of one core ------------------------------------------------------------------------------------


def faults(core):
    """Yield every fault of a core."""
    for check in (length, visible_cells, hidden_cells, predictions, live_figures, wording):
        for fault in check(core):
            yield f"{core.name}: {fault}"


def length(core):
    """Yield what is too long as a whole."""
    if (count := words(core.text)) > WORDS:
        yield f"{count} words before the exercises; at most {WORDS}"
    if (count := sum(map(lines, core.visible))) > LINES:
        yield f"{count} visible lines of code before the exercises; at most {LINES}"


def visible_cells(core):
    """Yield the visible cells that are too long or too wide; one with the tag `from-scratch` may be long."""
    long = [(source, tags) for source, tags in core.code if not tags & HIDING and lines(source) > CELL_LINES]
    for source, tags in long:
        if LONG not in tags:
            yield f"{lines(source)} lines in the visible cell {first_line(source)!r}; at most {CELL_LINES}"
    if (count := sum(LONG in tags for _, tags in long)) > 1:
        yield f"{count} cells with the tag {LONG!r} over {CELL_LINES} lines; at most 1"
    for line in "\n".join(core.visible).split("\n"):
        if len(line) > LINE_WIDTH:
            yield f"{len(line)} characters in the visible line {line.strip()!r}; at most {LINE_WIDTH}"


def hidden_cells(core):
    """Yield the hidden cells that are too long."""
    for source, tags in core.code:
        if tags & HIDING and lines(source) > HIDDEN_LINES:
            yield f"{lines(source)} lines in the hidden cell {first_line(source)!r}; at most {HIDDEN_LINES}"


def predictions(core):
    """Yield a fault where there are too few or too many predictions."""
    count = core.text.count("{prediction-start}")
    if count not in PREDICTIONS:
        yield f"{count} predictions; {PREDICTIONS[0]} to {PREDICTIONS[-1]} are wanted"


def live_figures(core):
    """Yield a fault where live figures are missing or the first comes late."""
    if (count := sum(bool(LIVE.search(source)) for source, _ in core.code)) < LIVE_FIGURES:
        yield f"{count} live figures; at least {LIVE_FIGURES} are wanted"
    if core.before_figure is not None and (count := words(core.before_figure)) > WORDS_BEFORE_FIGURE:
        yield f"{count} words before the first live figure; at most {WORDS_BEFORE_FIGURE}"


def wording(core):
    """Yield a fault for the word that nine chapters used."""
    if re.search("tempting", core.text, re.IGNORECASE):
        yield "the word 'tempting'; say what makes the reader think so"


# --- faults of all cores together --------------------------------------------------------------------------


def opening_faults(cores):
    """Yield a fault for each two cores that open alike."""
    for what, opening in (("first sentence", first_sentence), ("first heading", first_heading)):
        seen = {}
        for core in cores:
            other = seen.setdefault(opening(core), core.name)
            if other != core.name:
                yield f"{core.name} and {other} have the same {what}: {opening(core)!r}"


def first_sentence(core):
    """Return the first sentence below the title."""
    body = re.sub(r"^(\(.*\)=|#.*)$", "", core.text, flags=re.MULTILINE).strip()
    return re.split(r"(?<=[.?!:])\s", body, maxsplit=1)[0]


def first_heading(core):
    """Return the first heading of a section."""
    heading = re.search(r"^## +(.+?) *$", core.text, re.MULTILINE)
    return heading and heading[1]

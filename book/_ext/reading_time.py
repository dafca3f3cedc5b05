"""Stated minutes that follow the page: the directive `reading-time` counts, nobody types.

A core page (`book/NN-name`) states its own minutes, those of its exercises, and those of its deeper page
(`book/deeper/NN-name`), if there is one. What a page holds is counted when it is read; the sentence is
written when all pages are known.
"""

from collections import Counter
from pathlib import PurePosixPath

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

# Seconds for one of each. Adults read English non-fiction silently at 238 words a minute (Brysbaert 2019, a
# review of 190 studies), and slow down to 100 to 200 when they read in order to learn (Carver 1990); a text
# with symbols in its sentences is at the lower end: 130. The other rates are conventions, ours.
SECONDS = {
    "word": 60 / 130,  # an inline formula is one word
    "equation": 20,  # read it, and see how it follows from the one before
    "line": 3,  # a line of visible code, or of what it prints
    "figure": 20,
    "live figure": 60,  # use its controls
    "prediction": 30,  # think, then choose
    "exercise": 8 * 60,  # try it, then read its solution
}
STEP = 5  # minutes: no estimate is better than this


class reading_time(nodes.paragraph):
    """Where the sentence will stand."""


class ReadingTime(SphinxDirective):
    """The place of the sentence."""

    def run(self):
        """Leave a mark; the counts of other pages are not known yet."""
        return [reading_time()]


def setup(app):
    """Count each page as it is read, in every reading process; write the sentences at the end."""
    app.add_directive("reading-time", ReadingTime)
    app.add_node(reading_time)
    app.connect("doctree-read", count_page)
    app.connect("env-purge-doc", forget_page)
    app.connect("env-merge-info", merge_pages)
    app.connect("env-updated", pages_to_write)
    app.connect("doctree-resolved", write_sentences)
    return {"env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}


# --- counting --------------------------------------------------------------------------------------------


def count_page(app, doctree):
    """Remember what the page holds."""
    counts = pages(app.env)[app.env.docname] = count(doctree)
    counts["states"] = len(list(doctree.findall(reading_time)))


def count(node):
    """Return how often each key of SECONDS occurs in a node, without what is folded away."""
    if isinstance(node, nodes.section) and node[0].astext().startswith("Exercises"):
        return Counter(exercise=sum(map(is_exercise, node.findall())))
    if is_exercise(node):
        return Counter(exercise=1)
    if is_skipped(node):
        return Counter()
    own = count_own(node)
    return own if own is not None else sum(map(count, node.children), Counter(kind_of(node)))


def count_own(node):
    """Return the counts of a node that is counted as a whole, or None."""
    if isinstance(node, nodes.Text):
        return Counter(word=len(node.astext().split()))
    if isinstance(node, nodes.math):
        return Counter(word=1)
    if isinstance(node, nodes.math_block):
        return Counter(equation=1)
    if isinstance(node, nodes.literal_block):
        return Counter(line=sum(bool(line.strip()) for line in node.astext().splitlines()))
    if node.get("nb_element") == "mime_bundle":
        return count_output(node)
    return None


def count_output(bundle):
    """Return the counts of one displayed object, which a notebook holds in several forms."""
    forms = {form["mime_type"]: form for form in bundle.children}
    if "live-figure" in "".join(form.astext() for form in forms.values()):
        return Counter({"live figure": 1})
    if any(name.startswith("image/") for name in forms):
        return Counter(figure=1)
    form = forms.get("text/markdown") or forms.get("text/plain")
    return sum(map(count, form.children), Counter()) if form else Counter()


def kind_of(node):
    """Return what a node is besides what it holds: a figure, a prediction, or nothing."""
    if isinstance(node, nodes.image):
        return ["figure"]
    return ["prediction"] if type(node).__name__ == "prediction" else []


def is_exercise(node):
    """Whether the node is an exercise of sphinx-exercise, numbered or not."""
    return type(node).__name__ in {"exercise_node", "exercise_enumerable_node"}


def is_skipped(node):
    """Whether nobody reads the node: a solution, hidden code, a tab behind the first, what is not shown."""
    if isinstance(node, nodes.Invisible | nodes.raw) or type(node).__name__ == "solution_node":
        return True
    if not isinstance(node, nodes.Element):
        return False
    if node.get("design_component") == "tab-item":
        return node.parent.index(node) > 0
    classes, cell = node.get("classes", []), node.parent.get("classes", []) if node.parent else []
    hidden = {"tag_hide-cell"} if "cell_output" in classes else {"tag_hide-cell", "tag_hide-input"}
    return bool({"cell_input", "cell_output"} & set(classes)) and bool(hidden & set(cell))


# --- the environment: one entry per page -----------------------------------------------------------------


def pages(env):
    """Return the counts of all pages read so far."""
    if not hasattr(env, "reading_time_pages"):
        env.reading_time_pages = {}
    return env.reading_time_pages


def forget_page(_app, env, docname):
    """Drop a page that changed or went away."""
    pages(env).pop(docname, None)


def merge_pages(_app, env, docnames, other):
    """Take over the pages that another process read."""
    pages(env).update({name: pages(other)[name] for name in docnames if name in pages(other)})


def pages_to_write(_app, env):
    """Write each page that states minutes again: they may be those of a page that changed."""
    return [name for name, counts in pages(env).items() if counts["states"]]


# --- the sentence ----------------------------------------------------------------------------------------


def minutes(counts, kinds):
    """Return the minutes for some kinds of things, rounded, and never 0 for something."""
    seconds = sum(SECONDS[kind] * counts[kind] for kind in kinds)
    return max(STEP, STEP * round(seconds / 60 / STEP)) if seconds else 0


def reading_minutes(counts):
    """Return the minutes of a page without its exercises."""
    return minutes(counts, SECONDS.keys() - {"exercise"})


def deeper_page(docname):
    """Return the name that the deeper page of a core page has."""
    path = PurePosixPath(docname)
    return str(path.parent / "deeper" / path.name)


def write_sentences(app, doctree, docname):
    """Put the sentence in each place that waits for it."""
    for place in list(doctree.findall(reading_time)):
        text = nodes.paragraph("", "", *sentence(app, docname, docname), classes=["reading-time"])
        place.parent.replace(place, text)


def sentence(app, docname, here):
    """Return the sentence of a page as nodes; the deeper page is a link from the page `here`."""
    known = pages(app.env)
    own, deeper = known[docname], deeper_page(docname)
    exercises = minutes(own, ["exercise"])
    more = f", {exercises} more with the exercises" if exercises else ""
    text = f"About {reading_minutes(own)} minutes{more}."
    if deeper not in known:
        return [nodes.Text(text)]
    uri = app.builder.get_relative_uri(here, deeper)
    link = nodes.reference("", "deeper page", internal=True, refuri=uri)
    return [nodes.Text(f"{text} The "), link, nodes.Text(f" takes {reading_minutes(known[deeper])}.")]

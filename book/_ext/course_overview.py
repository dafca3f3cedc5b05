"""The chapters as a teacher plans them: the directive `course-overview` collects them from their own pages.

For each core page it lists what the page promises (its box "What you will be able to do"), its minutes and
its exercises, so that a plan never says what a chapter no longer does.
"""

from pathlib import PurePosixPath

from docutils import nodes
from reading_time import is_exercise, pages, sentence
from sphinx.util.docutils import SphinxDirective
from sphinx.util.logging import getLogger

LOGGER = getLogger(__name__)
OBJECTIVES = "What you will be able to do"


class course_overview(nodes.General, nodes.Element):
    """Where the chapters will stand."""


class CourseOverview(SphinxDirective):
    """The place of the chapters."""

    def run(self):
        """Leave a mark, also in the page's metadata; the other pages are not all read yet."""
        self.env.metadata[self.env.docname]["course-overview"] = True
        return [course_overview()]


def setup(app):
    """Write the chapters when all pages are known."""
    app.setup_extension("reading_time")
    app.add_directive("course-overview", CourseOverview)
    app.add_node(course_overview)
    app.connect("env-updated", pages_to_write)
    app.connect("doctree-resolved", write_chapters)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def pages_to_write(_app, env):
    """Write each page with the mark again: a chapter may have changed."""
    return [name for name in env.found_docs if "course-overview" in env.metadata[name]]


def write_chapters(app, doctree, docname):
    """Put the chapters, in the order of their numbers, in each place that waits for them."""
    for place in list(doctree.findall(course_overview)):
        cores = sorted(name for name, counts in pages(app.env).items() if is_core(name, counts))
        place.replace_self([node for name in cores for node in chapter(app, docname, name)])


def is_core(name, counts):
    """Whether a page states minutes and lies below no other."""
    return bool(counts["states"]) and PurePosixPath(name).parent.name != "deeper"


def chapter(app, here, name):
    """Return one chapter as nodes: its title as a link, its minutes, its objectives, its exercises."""
    uri = app.builder.get_relative_uri(here, name)
    number = ".".join(map(str, app.env.toc_secnumbers.get(name, {}).get("", ())))
    link = nodes.reference("", f"{number} {app.env.titles[name].astext()}".strip(), internal=True, refuri=uri)
    title = nodes.paragraph("", "", nodes.strong("", "", link))
    tree = app.env.get_doctree(name)
    minutes = nodes.paragraph("", "", *sentence(app, name, here))
    return [title, minutes, objectives(tree, name), *exercises(tree)]


def objectives(tree, name):
    """Return a copy of the list in a page's box of objectives."""
    for box in tree.findall(nodes.admonition):
        if box[0].astext() == OBJECTIVES:
            return next(box.findall(nodes.bullet_list)).deepcopy()
    LOGGER.warning("The page states minutes, but has no box %r.", OBJECTIVES, location=name)
    return nodes.bullet_list()


def exercises(tree):
    """Return a paragraph with the titles of a page's exercises, or nothing where there are none."""
    titles = [title.astext() for node in tree.findall(is_exercise) for title in node.findall(nodes.subtitle)]
    return [nodes.paragraph("", f"Exercises: {'; '.join(titles)}")] if titles else []

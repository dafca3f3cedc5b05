"""Predictions: a question, then a fold that holds the cells which answer it.

A notebook asks in one cell (`prediction-start NAME`), answers in the cells after it, and names the right
answer in a later one (`prediction-end NAME`), so that nobody reads the answer before the question. In the
page both become one box: native form controls, and a `<details>` around everything in between. Without
JavaScript that is a list and a plain fold; `book/_static/predictions.js` compares the reader's answer with
the right one.
"""

import math
import re
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from prediction_nodes import (
    HTML,
    prediction,
    prediction_choice,
    prediction_choices,
    prediction_fold,
    prediction_number,
    prediction_question,
    prediction_title,
)
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

NAME = re.compile(r"[A-Za-z0-9-]+")
CHOICES = range(2, 5)

logger = logging.getLogger(__name__)


def setup(app):
    """Add the two directives, the transform that joins them, and the HTML of the result."""
    app.add_directive("prediction-start", PredictionStart)
    app.add_directive("prediction-end", PredictionEnd)
    app.add_transform(JoinPredictions)
    app.add_node(start_gate)
    app.add_node(end_gate)
    for node, visitors in HTML.items():
        app.add_node(node, html=visitors)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


class start_gate(nodes.Element):
    """Where a prediction starts; its children are the question."""


class end_gate(nodes.Element):
    """Where a prediction ends."""


class PredictionStart(SphinxDirective):
    """The question, with its choices as a numbered list, or with `:number:`."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar = {"number": directives.flag, "unit": directives.unchanged}

    def run(self):
        """Keep the parsed question until the whole page is read."""
        gate = start_gate(name=self.arguments[0], number="number" in self.options)
        gate["unit"] = self.options.get("unit", "")
        self.set_source_info(gate)
        self.state.nested_parse(self.content, self.content_offset, gate)
        return [gate]


class PredictionEnd(SphinxDirective):
    """The right answer; `:tolerance:`, relative, for a number."""

    required_arguments = 1
    option_spec: ClassVar = {"answer": directives.unchanged, "tolerance": directives.unchanged}

    def run(self):
        """Keep the answer until the whole page is read."""
        gate = end_gate(name=self.arguments[0])
        gate["answer"] = self.options.get("answer", "")
        gate["tolerance"] = self.options.get("tolerance", "")
        self.set_source_info(gate)
        return [gate]


class InvalidPrediction(ValueError):
    """What an author must mend, in one sentence."""


class JoinPredictions(SphinxTransform):
    """Put each prediction of a page into one node, before targets and references are looked up."""

    default_priority = 9  # sphinx-exercise moves what lies in a solution at 10

    def apply(self):
        """Join the pairs of gates; a warning says what is wrong with the others."""
        for number, (start, end) in enumerate(pair_gates(self.document), start=1):
            try:
                join(start, end, number)
            except InvalidPrediction as fault:
                warn(start, str(fault))
        for gate in list(self.document.findall(is_gate)):
            gate.parent.remove(gate)


def is_gate(node):
    """Whether the node is a start or an end."""
    return isinstance(node, start_gate | end_gate)


def warn(gate, fault):
    """Report a fault where the gate stands."""
    logger.warning("prediction %s: %s", gate["name"], fault, location=gate, type="prediction")


def pair_gates(document):
    """Return the (start, end) pairs that do not lie in another; warn of gates without partner."""
    pairs, opened, names = [], [], set()
    for gate in document.findall(is_gate):
        if isinstance(gate, start_gate):
            if gate["name"] in names:
                warn(gate, "the page has another prediction of this name.")
            if opened:
                warn(gate, f"it starts before prediction {opened[-1]['name']} has ended.")
            names.add(gate["name"])
            opened.append(gate)
        elif not opened or opened[-1]["name"] != gate["name"]:
            warn(gate, "this prediction-end has no prediction-start of the same name before it.")
        else:
            start = opened.pop()
            if not opened:
                pairs.append((start, gate))
    for gate in opened:
        warn(gate, "this prediction-start has no prediction-end of the same name after it.")
    return pairs


def join(start, end, number):
    """Put the question, and in a fold everything between the gates, in the place of the start."""
    parent = start.parent
    if end.parent is not parent:
        raise InvalidPrediction("start and end must be in one section, without a heading in between.")
    if not NAME.fullmatch(start["name"]):
        raise InvalidPrediction("a name has letters, digits and hyphens only.")
    between = parent.children[parent.index(start) + 1 : parent.index(end)]
    if not between:
        raise InvalidPrediction("nothing stands between its start and its end.")
    box = ask_number(start, end) if start["number"] else ask_choice(start, end)
    box["ids"] = [f"prediction-{start['name']}"]
    question, fold = box.children
    question.insert(0, prediction_title("", f"Predict {number}"))
    for node in between:
        parent.remove(node)
        fold += node
    parent.replace(start, box)


def ask_choice(start, end):
    """Return the box of a question with choices; its fold holds the answer."""
    *question, choices = start.children or [None]
    if not isinstance(choices, nodes.enumerated_list):
        raise InvalidPrediction("give the choices as a numbered list at its end, or the option :number:.")
    if len(choices) not in CHOICES:
        raise InvalidPrediction(f"it has {len(choices)} choices; give {CHOICES[0]} to {CHOICES[-1]}.")
    lines = [item[0] for item in choices if len(item) == 1 and isinstance(item[0], nodes.paragraph)]
    if len(lines) < len(choices):
        raise InvalidPrediction("each choice must be one paragraph (inline math and code are fine).")
    possible = [str(value + 1) for value in range(len(choices))]
    if end["answer"] not in possible:
        raise InvalidPrediction(f"the answer is {end['answer']!r}; it must be one of {', '.join(possible)}.")
    chosen = lines[int(end["answer"]) - 1]
    answer = ["It is ", end["answer"], ": ", *chosen.deepcopy().children]
    if not chosen.astext().endswith((".", "?", "!")):
        answer.append(".")
    listed = prediction_choices("", enumtype="arabic", prefix="", suffix=".")
    listed += [nodes.list_item("", prediction_choice("", "", *line.children)) for line in lines]
    return box(start, question, listed, answer, {"answer": end["answer"]})


def ask_number(start, end):
    """Return the box of a question for a number; its fold holds the answer."""
    value, tolerance = parse_number(end["answer"]), parse_number(end["tolerance"])
    if value is None or value == 0:
        raise InvalidPrediction(f"the answer is {end['answer']!r}; it must be a number other than 0.")
    if tolerance is None or tolerance <= 0:
        raise InvalidPrediction(f"the tolerance is {end['tolerance']!r}; it must be a number above 0.")
    unit = start["unit"] and f" {start['unit']}"
    field = prediction_number("", f"A number:{unit and ' ...'}{unit}", unit=start["unit"])
    answer = [f"It is {end['answer']}{unit}."]
    return box(start, start.children, field, answer, {"answer": value, "tolerance": tolerance})


def parse_number(text):
    """Return the finite number that the text is, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def box(start, question, control, answer, data):
    """Return the prediction: question and control, then a fold with nothing but the answer."""
    text = nodes.container("", *question, ids=[f"prediction-{start['name']}-question"])
    asked = prediction_question("", text, control)
    told = nodes.paragraph("", "", *map(as_node, answer), classes=["prediction-answer"])
    return prediction("", asked, prediction_fold("", told), data=data)


def as_node(part):
    """Return a part of a sentence as a node."""
    return nodes.Text(part) if isinstance(part, str) else part

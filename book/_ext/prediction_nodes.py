"""What a prediction becomes in a page: its nodes, and their HTML.

Each node is a standard one that HTML writes in its own way. Other builders see the standard one, and so print
the question, the choices, the answer and the cells one after another.
"""

from docutils import nodes


class prediction(nodes.container):
    """The whole: a question and a fold."""


class prediction_question(nodes.container):
    """Title, question and choices (or a box for a number)."""


class prediction_title(nodes.rubric):
    """`Predict 1`; a rubric, because a title would enter the search index."""


class prediction_choices(nodes.enumerated_list):
    """What can be chosen."""


class prediction_choice(nodes.paragraph):
    """The one line of a choice."""


class prediction_number(nodes.paragraph):
    """The box for a number."""


class prediction_fold(nodes.container):
    """The answer and the cells between start and end."""


# --- HTML: native controls, which the script `book/_static/predictions.js` connects -------------------------


def visit_prediction(self, node):
    """Open the box; the script reads the answer from its attributes."""
    data = {f"data-{key}": value for key, value in node["data"].items()}
    self.body.append(self.starttag(node, "div", CLASS="prediction", **data))


def visit_question(self, node):
    """Open the form; `disabled` on its button keeps Enter from sending it while there is no script."""
    described = node[1]["ids"][0]
    self.body.append(f'<form class="prediction-form"><fieldset aria-describedby="{described}">\n')


def depart_question(self, _node):
    """Close the form with its button, and leave a place for the sentence that compares."""
    self.body.append(
        '</fieldset><button type="submit" class="prediction-check" disabled hidden>Check</button></form>\n'
        '<p class="prediction-verdict" role="status"></p>\n'
    )


def visit_choice(self, node):
    """Open the label of a choice, its radio button first."""
    item = node.parent
    name = item.parent.parent.parent["ids"][0]
    value = item.parent.index(item) + 1
    self.body.append(f'<label><input type="radio" name="{name}" value="{value}" autocomplete="off">')
    self.body.append('<span class="prediction-what">')


def visit_number(self, node):
    """Write the box for a number."""
    self.body.append(
        '<label class="prediction-number"><span>Your number</span>'
        '<input type="text" inputmode="decimal" autocomplete="off" size="8">'
        f"<span>{self.encode(node['unit'])}</span></label>\n"
    )
    raise nodes.SkipNode


def write(text):
    """Return a visitor that writes this and nothing else."""
    return lambda self, _node: self.body.append(text)


FOLD = '<details class="prediction-fold"><summary>What happens</summary>'
HTML = {
    prediction: (visit_prediction, write("</div>\n")),
    prediction_question: (visit_question, depart_question),
    prediction_title: (write("<legend>"), write("</legend>\n")),
    prediction_choices: (write('<ol class="prediction-choices">\n'), write("</ol>\n")),
    prediction_choice: (visit_choice, write("</span></label>")),
    prediction_number: (visit_number, None),
    prediction_fold: (write(f"{FOLD}\n"), write("</details>\n")),
}

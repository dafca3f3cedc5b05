"""What each directive of the book becomes; `convert` refuses one that is not here.

Each function takes the directive and the page, and returns Markdown. Two begin a new part of the cell: an
exercise, whose heading folds it away, and a solution, which a course may leave out.
"""

import re

from portable.faults import Fault

ADMONITIONS = (
    "attention",
    "caution",
    "danger",
    "error",
    "hint",
    "important",
    "note",
    "seealso",
    "tip",
    "warning",
)


def convert(directive, page):
    """The kind of part that a directive begins, or "", and its Markdown."""
    if directive.name not in KNOWN:
        raise Fault(
            f"tools/portable does not know the directive {{{directive.name}}}: write it in directives.py"
        )
    begins, write = KNOWN[directive.name]
    return begins, write(directive, page)


def quote(title, *blocks):
    """A block quotation with a bold title."""
    text = "\n\n".join([f"**{title}**", *filter(None, blocks)])
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


# --- boxes ------------------------------------------------------------------------------------------


def admonition(directive, page):
    """A quotation under the title of the box."""
    return quote(page.plain(directive.argument), page.plain(directive.body, quoted=True))


def named_admonition(directive, page):
    """A quotation under the name of the box, such as Note; its first words may stand behind the name."""
    body = "\n".join(filter(None, [directive.argument, directive.body]))
    return quote(directive.name.capitalize(), page.plain(body, quoted=True))


def reading_time(_directive, page):
    """The sentence that the extension of the book writes."""
    return page.says("```{reading-time}\n```")


def inner(directive, page, name):
    """The directives of one kind that fill another."""
    for one in page.directives(directive.body):
        if one.name != name:
            raise Fault(f"{{{directive.name}}} holds {{{one.name}}}; it may hold {{{name}}} only")
        yield one


def tab_set(directive, page):
    """One tab below the other, each under its label."""
    tabs = inner(directive, page, "tab-item")
    return "\n\n".join(f"**{page.plain(tab.argument)}**\n\n{page.plain(tab.body)}" for tab in tabs)


def grid(directive, page):
    """A list of the cards."""
    return "\n".join(card(one, page) for one in inner(directive, page, "grid-item-card"))


def card(directive, page):
    """One item: the title, which leads where the card leads, and its text."""
    kind, target = directive.options.get("link-type", "url"), directive.options.get("link", "")
    title = directive.argument
    if kind in ("doc", "ref"):
        title = page.says(f"{{{kind}}}`{title} <{target}>`")
    elif target:
        title = f"[{title}]({target})"
    return f"- **{title}**: {page.plain(directive.body)}".replace("\n", "\n  ")


# --- exercises --------------------------------------------------------------------------------------


def exercise(directive, page):
    """A heading, so that the solution below it can be folded away, and the text."""
    heading = f"### {numbered(directive.options.get('label', ''), page)}"
    title = f": {page.plain(directive.argument)}" if directive.argument else ""
    return f"{heading}{title}\n\n{page.plain(directive.body)}"


def solution_start(directive, page):
    """A heading below that of the exercise."""
    return f"#### Solution of {numbered(directive.argument, page)}\n"


def numbered(label, page):
    """What the book calls an exercise: "Exercise 5.3"."""
    if not label:
        raise Fault("an exercise without a :label:")
    return page.says(f"{{ref}}`{label}`", "words")


def end(_directive, _page):
    """Nothing: the end of a solution only ends its part."""
    return ""


# --- predictions ------------------------------------------------------------------------------------


def prediction_start(directive, page):
    """The question with its choices, or with the place for a number."""
    number = len(page.predictions) + 1
    question = page.plain(directive.body, quoted=True)
    unit = f" {directive.options['unit']}" if directive.options.get("unit") else ""
    is_number = "number" in directive.options
    page.predictions[directive.argument] = unit if is_number else choices(question, page)
    return quote(f"Predict {number}", question, f"*Your number: ...{unit}*" if is_number else "")


def choices(question, page):
    """The choices of a question: the items of its last list."""
    tokens = page.tokens(question)
    lists = [index for index, token in enumerate(tokens) if token.type == "ordered_list_open"]
    return [token.content for token in tokens[lists[-1] :] if token.type == "inline"] if lists else []


def prediction_end(directive, page):
    """The right answer in a sentence, unless answers are left out."""
    if directive.argument not in page.predictions:
        raise Fault(f"prediction-end {directive.argument} has no prediction-start before it")
    asked, answer = page.predictions[directive.argument], directive.options.get("answer", "")
    if not page.answers:
        return ""
    if isinstance(asked, str):
        return quote("Answer", f"It is {answer}{asked}.")
    if answer not in [str(number + 1) for number in range(len(asked))]:
        raise Fault(f"prediction-end {directive.argument}: there is no choice {answer!r}")
    told = asked[int(answer) - 1]
    return quote("Answer", f"It is {answer}: {told}" + ("" if re.search(r"[.?!]$", told) else "."))


KNOWN = {
    "admonition": ("", admonition),
    **dict.fromkeys(ADMONITIONS, ("", named_admonition)),
    "reading-time": ("", reading_time),
    "tab-set": ("", tab_set),
    "grid": ("", grid),
    "exercise": ("exercise", exercise),
    "solution-start": ("solution", solution_start),
    "solution-end": ("text", end),
    "prediction-start": ("", prediction_start),
    "prediction-end": ("", prediction_end),
}

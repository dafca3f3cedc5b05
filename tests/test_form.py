"""The chapters that have the new form keep its sizes; each check is shown to be able to fail."""

import form
import nbformat
import pytest
from tiny_book import ROOT

# How many chapters have the form. Raise it with each that is converted, so that none falls out of the check.
CONVERTED_CORES = 16

CORES = sorted((ROOT / "book").glob("[0-9][0-9]-*.ipynb"))
CONVERTED = [path for path in CORES if form.CONVERTED in path.read_text(encoding="utf-8")]


def test_the_number_of_converted_cores():
    assert len(CONVERTED) == CONVERTED_CORES


def test_the_converted_cores_have_the_form():
    assert [fault for path in CONVERTED for fault in form.faults(form.read_core(path))] == []


def test_no_two_cores_open_alike():
    assert list(form.opening_faults(map(form.read_core, CONVERTED))) == []


# --- the checks can fail -----------------------------------------------------------------------------------

OPENING = "(ch-x)=\n# Title\n\nOne sentence about it. And another.\n"
FIGURES = ["explore(draw, depth=[1, 2])", "explore_training(runs, epoch=[0, 1])", "explore(draw, std=[1, 2])"]
ASKED = "```{prediction-start} a\nWhich?\n```"


def markdown(source):
    return nbformat.v4.new_markdown_cell(source)


def code(source, *tags):
    return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)})


def many_lines(number):
    return "\n\n".join(["x = 1"] * number)


def core(tmp_path, *more, opening=OPENING, figures=3, asked=2, name="05-x.ipynb"):
    """Return a core that has the form, with something more before its exercises."""
    cells = [markdown(opening), *[code(figure, "hide-input") for figure in FIGURES[:figures]]]
    cells += [*more, *[markdown(ASKED) for _ in range(asked)]]
    cells += [
        markdown("## Exercises\n\n" + "word " * 5000),
        code(many_lines(200)),
        code(many_lines(50), "hide-input"),
    ]
    path = tmp_path / name
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return form.read_core(path)


def test_a_core_of_this_form_has_no_fault(tmp_path):
    assert list(form.faults(core(tmp_path))) == []


SHORT = [code(many_lines(12)) for _ in range(10)]
LARGEST = [markdown("word " * 2200 + "\n$$\n" + "x " * 500 + "\n$$\n"), code(many_lines(13), "from-scratch")]


def test_the_largest_core_has_no_fault(tmp_path):
    shown = [code(many_lines(116 - 9 * 12)), code("x" * 85), *SHORT[:9]]
    more = [*LARGEST, *shown, code(many_lines(25), "remove-input")]
    assert list(form.faults(core(tmp_path, *more, opening=OPENING + "word " * 71, asked=4))) == []


FAULTS = {
    "words": ([markdown("word " * 2300)], {}, "words before the exercises; at most 2300"),
    "lines": (
        [*SHORT, code(many_lines(11))],
        {},
        "131 visible lines of code before the exercises; at most 130",
    ),
    "a long cell": (
        [code("y = 2\n" + many_lines(12))],
        {},
        "13 lines in the visible cell 'y = 2'; at most 12",
    ),
    "a wide cell": ([code("x" * 86)], {}, "86 characters in the visible line"),
    "two long cells": (
        [code(many_lines(13), "from-scratch") for _ in range(2)],
        {},
        "2 cells with the tag 'from-scratch'",
    ),
    "a long hidden cell": ([code(many_lines(26), "hide-input")], {}, "26 lines in the hidden cell 'x = 1'"),
    "one prediction": ([], {"asked": 1}, "1 predictions; 2 to 4 are wanted"),
    "five predictions": ([], {"asked": 5}, "5 predictions; 2 to 4 are wanted"),
    "two live figures": ([], {"figures": 2}, "2 live figures; at least 3 are wanted"),
    "a late figure": (
        [],
        {"opening": OPENING + "word " * 72},
        "81 words before the first live figure; at most 80",
    ),
    "tempting": ([markdown("It is Tempting to think so.")], {}, "the word 'tempting'"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_one_sentence(tmp_path, name):
    more, options, words = FAULTS[name]
    (fault,) = form.faults(core(tmp_path, *more, **options))
    assert fault.startswith("05-x.ipynb: ")
    assert words in fault


def test_two_cores_that_open_alike_are_named(tmp_path):
    first = core(tmp_path, markdown("## Break it"))
    second = core(tmp_path, markdown("## Break it"), name="06-y.ipynb")
    sentence, heading = form.opening_faults([first, second])
    assert "06-y.ipynb and 05-x.ipynb have the same first sentence: 'One sentence about it.'" in sentence
    assert "have the same first heading: 'Break it'" in heading
    other = core(tmp_path, markdown("## Ten layers"), opening="# Title\n\nAnother one.\n", name="07-z.ipynb")
    assert list(form.opening_faults([first, other])) == []

"""Predictions: what a page holds, what other builders print, and what an author is told."""

import re

import pytest
from tiny_book import build, text_of

CHOICE = """
```{prediction-start} decay
After **30** layers, what is left of $x$?

1. about `a tenth`
2. about $10^{-3}$
3. less than a *billionth*
```

It falls as

$$
a = b
$$ (inside)

(the-place)=
There.

```{prediction-end} decay
:answer: 3
```
"""
NUMBER = """
```{prediction-start} ratio
:number:
:unit: times smaller
By which factor?
```

The explanation.

```{prediction-end} ratio
:answer: 120
:tolerance: 0.5
```
"""
PAGE = f"""# A page

See {{eq}}`inside` and [there](#the-place).
{CHOICE}
After the first.
{NUMBER}
After the second.
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of a built page with two predictions."""
    out, warnings = build(tmp_path_factory.mktemp("page"), {"index.md": PAGE})
    assert warnings == ""
    return out


@pytest.fixture(scope="module")
def page(site):
    """The HTML of that page."""
    return (site / "index.html").read_text()


def part(page, name):
    """Return the HTML of one prediction."""
    start = page.index(f'id="prediction-{name}"')
    return page[start : page.index("</details>", start)]


def test_the_question_holds_native_controls_under_one_legend(page):
    form = part(page, "decay").partition("<details")[0]
    assert "<legend>Predict 1</legend>" in form
    described = re.search(r'aria-describedby="([^"]+)"', form)[1]
    assert text_of(form.partition(f'id="{described}">')[2]).startswith("After 30 layers")
    radios = re.findall(r'<li><label><input type="radio" name="([^"]+)" value="(\d)"', form)
    assert radios == [("prediction-decay", value) for value in "123"]
    assert "prediction-verdict" in form


def test_choices_keep_their_markup(page):
    form = part(page, "decay")
    assert '<code class="docutils literal notranslate">' in form
    assert r"\(10^{-3}\)" in form
    assert "<em>billionth</em>" in form


def test_the_fold_holds_everything_between_and_nothing_else(page):
    fold = part(page, "decay").partition("<details")[2]
    for piece in ("It is 3: less than a billionth.", "It falls as", 'id="equation-inside"', 'id="the-place"'):
        assert piece in fold or piece in text_of(fold)
    assert "After the first." not in fold
    assert "After the first." in page


def test_the_answer_stands_in_the_fold_alone(page):
    form = part(page, "decay").partition("<details")[0]
    assert "It is 3" not in text_of(form)
    assert "checked" not in form


def test_links_into_the_fold_are_resolved(page):
    assert 'href="#equation-inside"' in page.partition('class="prediction"')[0]
    assert 'href="#the-place"' in page.partition('class="prediction"')[0]


def test_a_number_is_asked_with_its_unit(page):
    box = part(page, "ratio")
    assert "<legend>Predict 2</legend>" in box
    assert 'inputmode="decimal"' in box
    assert "It is 120 times smaller." in text_of(box)
    tag = page[page.rindex("<div", 0, page.index('id="prediction-ratio"')) :]
    assert tag.startswith('<div class="prediction" data-answer="120.0" data-tolerance="0.5"')


def test_a_number_is_part_of_no_choice(page):
    assert "radio" not in part(page, "ratio")


def test_the_legend_is_no_entry_of_the_search(site):
    titles = re.search(r'"alltitles": (\{.*?\}), "', (site / "searchindex.js").read_text())[1]
    assert "A page" in titles
    assert "Predict" not in titles


def test_latex_prints_question_choices_answer_and_cells(tmp_path):
    out, warnings = build(tmp_path, {"index.md": PAGE}, builder="latex")
    assert warnings == ""
    text = next(out.glob("*.tex")).read_text()
    pieces = [
        "Predict 1",
        r"\begin{enumerate}",
        "about",
        r"\end{enumerate}",
        "It is 3: less than",
        "It falls as",
    ]
    places = [text.index(piece) for piece in pieces]
    assert places == sorted(places)
    assert "It is 120 times smaller." in text


def test_a_page_is_the_same_when_read_in_parallel(tmp_path):
    pages = {"index.md": "# Root\n\n```{toctree}\n:glob:\np*\n```\n"}
    pages |= {
        f"p{i}.md": f"# Page {i}\n{CHOICE.replace('inside', f'inside{i}').replace('the-place', f'place{i}')}"
        for i in range(8)
    }
    out, warnings = build(tmp_path, pages, options=("-n", "-j", "2"))
    assert warnings == ""
    assert all("Predict 1" in (out / f"p{i}.html").read_text() for i in range(8))


# --- what an author is told ------------------------------------------------------------------------------

START = """
```{prediction-start} one
Which?

1. a
2. b
```
"""
INSIDE = "\nText.\n"
END = """
```{prediction-end} one
:answer: 2
```
"""
GOOD = START + INSIDE + END
OTHER = GOOD.replace("one", "two")
FAULTS = {
    "start without end": (START + INSIDE, "has no prediction-end of the same name after it"),
    "end without start": (INSIDE + END, "has no prediction-start of the same name before it"),
    "another name": (START + INSIDE + END.replace("one", "two"), "has no prediction-start of the same name"),
    "nested": (START + OTHER + END, "prediction two: it starts before prediction one has ended"),
    "a name twice": (GOOD + GOOD, "the page has another prediction of this name"),
    "a heading": (f"{START}\n## Heading\n{INSIDE}{END}", "in one section, without a heading in between"),
    "an empty fold": (START + END, "nothing stands between"),
    "no choices": (GOOD.replace("1. a\n2. b\n", ""), "a numbered list at its end, or the option :number:"),
    "no question": (GOOD.replace("Which?\n\n1. a\n2. b\n", ""), "a numbered list at its end"),
    "one choice": (GOOD.replace("2. b\n", ""), "it has 1 choices; give 2 to 4"),
    "two paragraphs": (GOOD.replace("2. b\n", "2. b\n\n   c\n"), "each choice must be one paragraph"),
    "answer 3 of 2": (GOOD.replace("answer: 2", "answer: 3"), "the answer is '3'; it must be one of 1, 2"),
    "no answer": (GOOD.replace(":answer: 2", ""), "the answer is ''; it must be one of 1, 2"),
    "a bad name": (GOOD.replace("one", "o.n"), "a name has letters, digits and hyphens only"),
    "no number": (NUMBER.replace("120", "much"), "'much'; it must be a number other than 0"),
    "zero": (NUMBER.replace("120", "0"), "'0'; it must be a number other than 0"),
    "infinite": (NUMBER.replace("120", "inf"), "'inf'; it must be a number other than 0"),
    "no tolerance": (NUMBER.replace(":tolerance: 0.5", ""), "tolerance is ''; it must be a number above 0"),
    "minus": (NUMBER.replace("0.5", "-0.5"), "the tolerance is '-0.5'; it must be a number above 0"),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """The warnings of one build with a page for each fault, by page."""
    pages = {"index.md": "# Root\n\n```{toctree}\n:glob:\nfault*\n```\n"}
    pages |= {f"fault{i}.md": f"# Fault {i}\n\nText.\n{text}" for i, (text, _) in enumerate(FAULTS.values())}
    _, warnings = build(tmp_path_factory.mktemp("faults"), pages)
    return [re.findall(rf"fault{i}\.md:(\d+): WARNING: (.*)", warnings) for i in range(len(FAULTS))]


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_one_warning_with_its_line(told, name):
    warnings = told[list(FAULTS).index(name)]
    assert len(warnings) == {"another name": 2}.get(name, 1), warnings
    assert any(FAULTS[name][1] in warning for _, warning in warnings), warnings
    assert all(int(line) > 1 for line, _ in warnings)

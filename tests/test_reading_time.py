"""The stated minutes follow the page: more of anything takes longer, what is folded away takes nothing."""

import json
import re
import sys

import nbformat
import pytest
from tiny_book import ROOT, build, text_of

sys.path.insert(0, str(ROOT / "book" / "_ext"))
from reading_time import SECONDS, STEP

DIRECTIVE = "\n```{reading-time}\n```\n"
WORDS = "one two three four five six seven eight nine ten "
EXERCISE = """
:::{exercise} Title
:label: ex-LABEL
Do this and that.
:::

:::{solution} ex-LABEL
SOLUTION
:::
"""


def exercises(number, solution="Short."):
    """Return a section of exercises with their solutions."""
    each = [EXERCISE.replace("LABEL", str(i)).replace("SOLUTION", solution) for i in range(number)]
    return "\n## Exercises\n" + "\n".join(each)


def cell(source, tags=(), outputs=()):
    """Return a code cell with its tags and outputs."""
    return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)}, outputs=list(outputs))


def shown(**data):
    """Return the output of a cell that displays one object in several forms."""
    return nbformat.v4.new_output(
        "display_data", data={name.replace("_", "/", 1): value for name, value in data.items()}
    )


def notebook(*cells):
    """Return the text of a notebook that starts with the directive."""
    first = nbformat.v4.new_markdown_cell(f"# Page\n{DIRECTIVE}")
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return json.dumps(nbformat.v4.new_notebook(cells=[first, *cells], metadata=kernel))


LINES = "\n".join(f"x{i} = {i}" for i in range(200))
PRINTED = nbformat.v4.new_output("stream", name="stdout", text=LINES)
PICTURE = shown(text_plain="<Figure>", image_png="aGk=")
LIVE = shown(text_plain="explore", text_html='<figure class="live-figure"></figure>')
TABS = """
::::{tab-set}
:::{tab-item} A
```python
CODE
```
:::
:::{tab-item} B
```python
CODE
```
:::
::::
""".replace("CODE", LINES)
PREDICTION = """
```{prediction-start} pNUMBER
:number:
Which?
```

Text.

```{prediction-end} pNUMBER
:answer: 1
:tolerance: 1
```
"""
# Each page has 600 seconds of words, rounded to the 10 minutes that it would state alone, and something more.
BASE = WORDS * round(60 / SECONDS["word"])


def minutes_of(seconds):
    """Return minutes as a page states them."""
    return max(STEP, STEP * round(seconds / 60 / STEP))


def page(extra):
    """Return a Markdown page with the base and something more."""
    return f"# Page\n{DIRECTIVE}\n{BASE}\n{extra}"


def cells(*code):
    """Return a notebook with the base and some code cells."""
    return notebook(nbformat.v4.new_markdown_cell(BASE), *code)


# name: (file, what it holds, the seconds that it adds to the 600 of the base)
PAGES = {
    "nothing": ("a.md", page(""), 0),
    "words": ("b.md", page(BASE), 600),
    "formulas": ("c.md", page(r"$a + b + c$ " * 1300), 1300 * SECONDS["word"]),
    "equations": ("d.md", page("\n$$\na + b + c\n$$\n" * 30), 30 * SECONDS["equation"]),
    "code": ("e.ipynb", cells(cell(LINES)), 200 * SECONDS["line"]),
    "hidden code": ("f.ipynb", cells(cell(LINES, ["hide-input"]), cell(LINES, ["hide-cell"])), 0),
    "removed code": ("g.ipynb", cells(cell(LINES, ["remove-input"]), cell(LINES, ["remove-cell"])), 0),
    "prints": ("h.ipynb", cells(cell("f()", outputs=[PRINTED])), 201 * SECONDS["line"]),
    "hidden prints": ("i.ipynb", cells(cell("f()", ["hide-cell"], [PRINTED])), 0),
    "pictures": ("j.ipynb", cells(cell("f()", ["hide-input"], [PICTURE] * 30)), 30 * SECONDS["figure"]),
    "live figures": (
        "k.ipynb",
        cells(cell("f()", ["hide-input"], [LIVE] * 10)),
        10 * SECONDS["live figure"],
    ),
    "tabs": ("l.md", page(TABS), 200 * SECONDS["line"]),
    "predictions": (
        "m.md",
        page("".join(PREDICTION.replace("NUMBER", str(i)) for i in range(40))),
        40 * SECONDS["prediction"] + 40 * 9 * SECONDS["word"],
    ),
    "exercises": ("n.md", page(exercises(3, solution=BASE)), 0),
}


@pytest.fixture(scope="module")
def sentences(tmp_path_factory):
    """The sentence of each page of one book that has a core with a deeper page, too; by file."""
    pages = {"index.md": "# Root\n\n```{toctree}\n:glob:\n*\ndeeper/*\n```\n"}
    pages |= {file: text.replace("ex-", f"ex-{file[0]}-") for file, text, _ in PAGES.values()}
    pages["core.md"] = page(exercises(2).replace("ex-", "ex-core-"))
    pages["deeper/core.md"] = page(BASE + exercises(1).replace("ex-", "ex-deeper-"))
    out, warnings = build(tmp_path_factory.mktemp("pages"), pages, options=("-n", "-j", "2"))
    assert warnings == ""
    found = {}
    for file in pages.keys() - {"index.md"}:
        path = (out / file).with_suffix(".html")
        found[file] = re.search(r'<p class="reading-time">(.*?)</p>', path.read_text())[1]
    return found


@pytest.mark.parametrize("name", PAGES)
def test_each_kind_of_content_adds_its_time(sentences, name):
    file, _, seconds = PAGES[name]
    assert f"About {minutes_of(600 + seconds)} minutes" in sentences[file]


def test_exercises_are_stated_apart_and_solutions_cost_nothing(sentences):
    more = minutes_of(3 * SECONDS["exercise"])
    assert sentences["n.md"] == f"About 10 minutes, {more} more with the exercises."


def test_a_core_states_the_minutes_of_its_deeper_page_and_links_it(sentences):
    more = minutes_of(2 * SECONDS["exercise"])
    wanted = f"About 10 minutes, {more} more with the exercises. The deeper page takes 20."
    assert text_of(sentences["core.md"]) == wanted
    assert 'href="deeper/core.html"' in sentences["core.md"]


def test_a_deeper_page_states_its_own_minutes(sentences):
    more = minutes_of(SECONDS["exercise"])
    assert sentences["deeper/core.md"] == f"About 20 minutes, {more} more with the exercises."


def test_a_core_is_written_again_when_its_deeper_page_changes(tmp_path):
    pages = {"index.md": "# Root\n\n```{toctree}\ncore\ndeeper/core\n```\n"}
    pages |= {"core.md": page(""), "deeper/core.md": page("")}
    build(tmp_path, pages)
    (tmp_path / "source" / "deeper" / "core.md").write_text(page(BASE))
    out, warnings = build(tmp_path, pages | {"deeper/core.md": page(BASE)})
    assert warnings == ""
    assert "takes 20." in (out / "core.html").read_text()

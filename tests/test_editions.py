"""The pages for students hold no solution; the others hold all."""

import json

import nbformat
import pytest
from tiny_book import build

EXERCISE = """# Page

```{exercise} By hand
:label: ex-one
Do it.
```

```{solution-start} ex-one
:class: dropdown
```
The secret."""
PRINTED = nbformat.v4.new_output("stream", text="the number 42\n")


@pytest.fixture
def page():
    """A notebook with an exercise, and a solution of words and an executed cell."""
    cells = [
        nbformat.v4.new_markdown_cell(EXERCISE),
        nbformat.v4.new_code_cell("print('the number', 6 * 7)", outputs=[PRINTED]),
        nbformat.v4.new_markdown_cell("```{solution-end}\n```\n\nAfter it."),
    ]
    python = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    python["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    return json.dumps(nbformat.v4.new_notebook(cells=cells, metadata=python))


def everything(folder, page):
    """All text that a build of the page writes for readers: the page and the search index."""
    out, warnings = build(folder, {"index.ipynb": page})
    assert warnings == ""
    return (out / "index.html").read_text() + (out / "searchindex.js").read_text()


def test_students_see_the_exercise_alone(tmp_path, page, monkeypatch):
    full = everything(tmp_path / "full", page)
    assert "The secret" in full
    assert "the number 42" in full
    monkeypatch.setenv("EDITION", "student")
    text = everything(tmp_path / "student", page)
    assert "Do it." in text
    assert "After it." in text
    assert "secret" not in text
    assert "the number" not in text


def test_an_edition_that_is_not_known_is_refused(tmp_path, page, monkeypatch):
    monkeypatch.setenv("EDITION", "students")
    with pytest.raises(AssertionError, match="EDITION is 'students'; it must be one of instructor, student"):
        build(tmp_path, {"index.ipynb": page})

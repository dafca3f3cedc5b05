"""A teacher's overview says what the chapters say of themselves."""

from tiny_book import build, text_of

CORE = """
# Signals

:::{admonition} What you will be able to do
- Compute $n \\sigma^2$.

```{reading-time}
```
:::

## Exercises

```{exercise} By hand
Do it.
```

```{exercise} Open
Think.
```
"""
INDEX = "# Root\n\n```{toctree}\n:glob:\n*\ndeeper/*\n```\n\n```{course-overview}\n```\n"


def overview(folder, **pages):
    """Build a book; return the words of its root page, its HTML, and the warnings."""
    out, warnings = build(folder, {"index.md": INDEX, **pages})
    html = (out / "index.html").read_text() if (out / "index.html").exists() else ""
    return text_of(html), html, warnings


def test_each_core_has_its_minutes_objectives_and_exercises(tmp_path):
    pages = {"one.md": CORE, "deeper/one.md": "# More\n\n```{reading-time}\n```\n", "note.md": "# A note\n"}
    text, html, warnings = overview(tmp_path, **pages)
    assert warnings == ""
    assert "Signals About 5 minutes, 15 more with the exercises. The deeper page takes 5." in text
    assert "Exercises: By hand; Open" in text
    assert 'href="deeper/one.html"' in html
    assert html.count("Compute") == 1
    assert text.count("About ") == 1  # neither the deeper page nor the note is a chapter


def test_a_core_without_objectives_fails_the_build(tmp_path):
    _, _, warnings = overview(tmp_path, **{"one.md": CORE.replace("What you will", "What they will")})
    assert (
        "one.md: WARNING: The page states minutes, but has no box 'What you will be able to do'." in warnings
    )

"""No snippet escapes: this file comes after all checks in the alphabet, when they have run theirs."""

import pytest
import snippets
from snippets import pages, tab_code

TABS = """
::::{tab-set}
:::{tab-item} PyTorch
:sync: torch
```python
a = 1
```
Words, and a shell:
```bash
pip install torch
```
:::
:::{tab-item} netinit
```python
b = 2
```
:::
::::

`````{admonition} In a box
````{tab-set}
```{tab-item} JAX
~~~python
c = "```"
~~~
```
````
`````

```python
d = 4
```
"""


def test_code_is_found_in_tabs_of_frameworks_alone():
    assert list(tab_code(TABS)) == [("PyTorch", "a = 1\n"), ("JAX", 'c = "```"\n')]


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A page with two blocks under one label."""
    monkeypatch.setattr(snippets, "ROOT", tmp_path)
    (tmp_path / "page.md").write_text(TABS + TABS.replace("a = 1", "a = a + 1"))
    return "page.md"


def test_blocks_under_one_label_run_in_order_or_alone(page, snippet, used):
    assert snippet(page, "PyTorch")["a"] == 2
    assert snippet(page, "PyTorch", 1, a=5)["a"] == 6
    assert used >= {(page, "PyTorch", 0), (page, "PyTorch", 1)}


def test_a_warning_and_a_name_of_the_page_are_errors(page, snippet, tmp_path):
    (tmp_path / page).write_text(TABS.replace("a = 1", "import warnings; warnings.warn('careful')"))
    with pytest.raises(UserWarning, match="careful"):
        snippet(page, "PyTorch")
    (tmp_path / page).write_text(TABS.replace("a = 1", "model(x)"))
    with pytest.raises(NameError, match="model"):
        snippet(page, "PyTorch")


def test_a_label_without_code_is_an_error(snippet):
    with pytest.raises(AssertionError, match="no such Python block under JAX"):
        snippet("book/glossary.md", "JAX")


def test_every_snippet_is_run_by_a_check(used):
    unused = {found[:3] for page in pages() for found in snippets.snippets(page)} - used
    assert not unused, "snippets that no check in tests/frameworks runs (run the whole folder)"

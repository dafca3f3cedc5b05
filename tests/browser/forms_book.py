"""A small book with the settings, styles and scripts of the real one: a page with every form, and more."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).parents[2]

OPENING = """# Every form

Read {eq}`in-the-fold`, [a place in the fold](#in-the-fold-too), [a place in the solution](#in-the-solution).

```{prediction-start} decay
After $L = 30$ layers, what is left of the `signal`?

1. about a tenth
2. about $10^{-3}$, as in `x * 0.001`
3. less than a billionth, which is a long choice that a phone has to break into two lines at least
```
"""
FIGURE = """
import matplotlib.pyplot as plt
from netinit.widgets import explore

def draw(depth):
    figure, axes = plt.subplots(figsize=(5, 3))
    axes.bar(range(depth), [0.5**layer for layer in range(depth)])
    figure.set_label(f"bars that halve, {depth} of them")
    return figure

explore(draw, depth=[1, 5, 9])
"""
ANSWER = r"""
The signal halves in each layer:

$$
s_\ell = 2^{-\ell} .
$$ (in-the-fold)

(in-the-fold-too)=
Here is the place.

```{prediction-end} decay
:answer: 3
```

Text between two predictions.

```{prediction-start} ratio
:number:
:unit: times smaller
By which factor is the gradient smaller?
```

It is easy to compute.

```{prediction-end} ratio
:answer: 0.83
:tolerance: 0.1
```

## Exercises

:::{exercise} One
:label: ex-one
Do it.
:::

:::{solution} ex-one
:label: sol-one
:class: dropdown
(in-the-solution)=
It is done.
:::
"""


def build(folder, **more):
    """Build the page with Jupyter Book in a folder, and more pages of Markdown, by name; return its path."""
    settings = yaml.safe_load((ROOT / "_config.yml").read_text())
    settings["execute"]["execute_notebooks"] = (
        "force"  # the real book's notebooks are executed by tools/build.py
    )
    (folder / "_config.yml").write_text(yaml.safe_dump(settings))
    chapters = [{"file": f"book/{name}"} for name in more]
    contents = {"format": "jb-book", "root": "book/forms", **({"chapters": chapters} if more else {})}
    (folder / "_toc.yml").write_text(yaml.safe_dump(contents))
    (folder / "book").mkdir()
    for name, text in more.items():
        (folder / "book" / f"{name}.md").write_text(text)
    for name in ("_ext", "_extra", "_static", "_templates", "references.bib"):
        (folder / "book" / name).symlink_to(ROOT / "book" / name)
    cells = [
        nbformat.v4.new_markdown_cell(OPENING),
        nbformat.v4.new_code_cell(FIGURE, metadata={"tags": ["hide-input"]}),
        nbformat.v4.new_markdown_cell(ANSWER),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
    nbformat.write(notebook, folder / "book" / "forms.ipynb")
    command = [Path(sys.executable).with_name("jupyter-book"), "build", "-W", "-n", "-q", folder]
    environment = os.environ | {"NETINIT_STATIC_FIGURES": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "_build" / "html" / "book" / "forms.html"

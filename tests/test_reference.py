"""The reference of `netinit`: each public name has its place, formulas, chapters, and links from them."""

import json
import re
import sys

import nbformat
import pytest
from test_docstrings import public
from tiny_book import ROOT, build, text_of

sys.path.insert(0, str(ROOT / "book" / "_ext"))

import netinit_names
from code_links import first_uses, with_links
from formulas import is_formula, to_latex

PAGES = sorted((ROOT / "book" / "reference").glob("*.md"))
ENTRY = re.compile(r"^\.\. auto(?:function|class|data):: (?:netinit\.)?(\S+)$", re.MULTILINE)

# --- what is public -------------------------------------------------------------------------------


def test_each_public_name_stands_on_one_page():
    entries = [name for page in PAGES for name in ENTRY.findall(page.read_text())]
    assert sorted(entries) == sorted(name.removeprefix("netinit.") for name in netinit_names.public())


def test_what_has_an_example_has_a_place():
    """The names of the doctests, and the two registries, which are no functions."""
    names = {name.removeprefix("netinit.") for name in netinit_names.public()}
    shown = {name.removeprefix("netinit.") for name in public()} - {"theory.gain"}  # which is netinit.gain
    assert names - {"ACTIVATIONS", "INITIALIZERS"} == shown


def test_each_page_is_in_the_table_of_contents():
    contents = (ROOT / "_toc.yml").read_text()
    assert [page.stem for page in PAGES if f"file: book/reference/{page.stem}\n" not in contents] == []


# --- what code uses -------------------------------------------------------------------------------

NAMES = {"netinit.he_normal", "netinit.initialize", "netinit.fans", "netinit.gain", "netinit.theory.chi"}
USES = {
    "from netinit import fans\nfans((2, 3))": ["fans((2"],
    "import netinit as ni\nni.gain('relu') + ni.theory.chi('relu', 1, 2)": ["gain('relu')", "chi('relu'"],
    "from netinit.theory import gain as g\nx = g('relu')": ["g('relu')"],
    "from netinit.initializers import fans\nfans(1)": ["fans(1)"],
    "from netinit import initialize\ninitialize(model, 'he_normal', rng)": ["initialize(m", "'he_normal'"],
    "from netinit import initialize\nprint('he_normal')": [],
    "from scipy import fans\nfans(1)": [],
    "fans(1); model.gain; 'initialize fans'": [],
    "from netinit import fans\nx = 'σ²'; fans(1)  # fans": ["fans(1)"],
    "from netinit import fans\nf(\n    fans,\n    fans)": ["fans,", "fans)"],
}


@pytest.mark.parametrize("source", USES)
def test_uses_are_found_where_they_stand(source):
    [uses] = netinit_names.uses([source], NAMES)
    assert [source.index(text) for text in USES[source]] == [use.offset for use in uses]


def test_a_cell_sees_the_imports_of_the_cells_before():
    found = netinit_names.uses(["fans(1)", "from netinit import fans", "fans(1)"], NAMES)
    assert [[use.name for use in cell] for cell in found] == [[], [], ["netinit.fans"]]


def test_every_cell_of_the_book_can_be_read():
    for path in (ROOT / "book").rglob("*.ipynb"):
        cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
        assert len(netinit_names.uses([cell.source for cell in cells], NAMES)) == len(cells)


# --- formulas -------------------------------------------------------------------------------------

LATEX = {
    "sigma_w^2 E[phi'(sqrt(q) z)^2]": r"\sigma_w^{2}\,\mathbb{E}[\phi'(\sqrt{q}\,z)^{2}]",
    "1 / sqrt(E[phi(z)^2])": r"1 / \sqrt{\mathbb{E}[\phi(z)^{2}]}",
    "theta <- theta - lr m_hat": r"\theta\,\leftarrow\,\theta - \mathrm{lr}\,\hat{m}",
    "N(0, 1 / fan_in)": r"N(0, 1 / \mathrm{fan}_{\mathrm{in}})",
    "L^(-1 / 2)": "L^{-1 / 2}",
}


@pytest.mark.parametrize("text", LATEX)
def test_formulas_become_latex(text):
    assert is_formula(text)
    assert to_latex(text) == LATEX[text]


@pytest.mark.parametrize(
    "text", ["fan_in", "(kh, kw, c_in)", "a = [1, 2]", "f(shape, rng, *, dtype)", "x @ W"]
)
def test_code_is_no_formula(text):
    assert not is_formula(text)


# --- the pages ------------------------------------------------------------------------------------

REFERENCE = """# Reference

```{toctree}
one
```

```{eval-rst}
.. currentmodule:: netinit
.. autofunction:: he_uniform
.. autofunction:: fans
.. autofunction:: delta_orthogonal
.. autofunction:: sparse
```
"""
CELLS = [
    ("from netinit import fans, he_uniform, mlp\nfans((3, 4))", ["hide-input"]),
    ("a = he_uniform(shape, rng) if 1 < 2 else mlp  # he_uniform", []),
    ("fans((3, 4))", []),
    ("he_uniform; fans", []),
]
PYTHON = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
PYTHON["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The HTML of a small reference, and of one chapter."""
    cells = [nbformat.v4.new_code_cell(source, metadata={"tags": tags}) for source, tags in CELLS]
    cells.insert(0, nbformat.v4.new_markdown_cell("# Chapter one"))
    chapter = json.dumps(nbformat.v4.new_notebook(cells=cells, metadata=PYTHON))
    settings = "autodoc_typehints = 'none'\n"
    out, warnings = build(
        tmp_path_factory.mktemp("reference"),
        {"index.md": REFERENCE, "one.ipynb": chapter},
        extensions=["reference", "code_links"],
        settings=settings,
    )
    assert warnings == ""
    return (out / "index.html").read_text(), (out / "one.html").read_text()


def entry(page, name):
    """The HTML of one entry of the reference."""
    return page.partition(f'id="netinit.{name}"')[2].partition('<dt class="sig')[0]


def test_an_entry_shows_formulas_code_links_and_its_users(pages):
    entries = {name: entry(pages[0], name) for name in ("he_uniform", "fans", "delta_orthogonal", "sparse")}
    assert r"a = \sqrt{6 / ((1 + \mathrm{slope}^{2})" in entries["he_uniform"]
    assert 'href="#netinit.fans"' in entries["he_uniform"]
    assert "<em>Raises:</em>" in entries["he_uniform"]
    assert re.search(r'<code class="[^"]*"><span class="pre">gain</span></code>', entries["delta_orthogonal"])
    assert "Used in Chapter one." in text_of(entries["fans"])
    assert "Used in" not in text_of(entries["sparse"])


def test_a_chapter_links_the_first_use_that_is_seen(pages):
    links = re.findall(r'(\S+) ?<[^<]*<a class="code-link" href="([^"]+)"[^>]*>(\w+)</a>', pages[1])
    assert [(address, text) for _, address, text in links] == [
        ("index.html#netinit.he_uniform", "he_uniform"),
        ("index.html#netinit.fans", "fans"),
    ]
    folded = pages[1].partition("<details")[2].partition("</details>")[0]
    assert "import" in folded
    assert "code-link" not in folded


def test_the_code_is_what_it_was(pages):
    shown = [text_of(code) for code in re.findall(r"<pre>(.*?)</pre>", pages[1], re.DOTALL)]
    assert shown == [" ".join(source.replace("<", "&lt;").split()) for source, _ in CELLS]


def test_a_use_in_a_folded_cell_counts_where_there_is_no_other():
    fans, gain = netinit_names.Use("fans", 0), netinit_names.Use("gain", 5)
    assert first_uses([[fans, gain], [fans]], [True, False]) == {1: [fans], 0: [gain]}


def test_only_a_whole_token_becomes_a_link():
    page = (
        '<div><pre><span></span><span class="n">a</span> <span class="o">&lt;</span> <span>fans</span></pre>'
    )
    assert '<a class="code-link" href="x&amp;y" title="netinit.fans">fans</a>' in with_links(
        page, {4: ("x&y", "netinit.fans")}
    )

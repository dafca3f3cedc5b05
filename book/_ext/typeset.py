"""Set the formulas while the book is built: MathJax writes them into the pages, which need no script for it.

MathJax comes with `sphinx-mathjax-offline` and runs in `mini-racer`, the JavaScript engine of Chromium. The
pages keep its HTML, with the MathML that is read aloud, its style sheet and its fonts. A formula that it does
not understand stops the build.
"""

import atexit
import functools
import importlib
import json
import re
from pathlib import Path

from docutils import nodes
from py_mini_racer import JSEvalException, MiniRacer
from sphinx.errors import ExtensionError
from sphinx.util.math import get_node_equation_number

MATHJAX = Path(importlib.import_module("sphinx-mathjax-offline").__file__).parent / "static" / "mathjax"
STYLE = "formulas.css"
PARTS = ("core", "adaptors/liteDOM", "input/tex-base", "input/tex/extensions/ams", "output/chtml")
PARTS += ("output/chtml/fonts/tex", "a11y/assistive-mml")
# MathJax loads its parts by name from `sources`. A mistake in a formula raises here, where it would show red.
CONFIGURE = """
var sources = %s;
var MathJax = {
  loader: {
    load: %s,
    paths: {mathjax: "."},
    require: (path) => (0, eval)(sources[path.replace(/^\\.\\/|\\.js$/g, "")]),
  },
  startup: {typeset: false},
  tex: {packages: ["base", "ams"], formatError: (_, error) => { throw new Error(error.message); }},
  chtml: {fontURL: "mathjax/output/chtml/fonts/woff-v2", adaptiveCSS: false},
};
"""
SET = "MathJax.startup.adaptor.outerHTML(MathJax.tex2chtml(%s, {display: %s}))"
STYLE_SHEET = "MathJax.startup.adaptor.textContent(MathJax.chtmlStylesheet())"
GLYPH_RULE = re.compile(r'(?:\.mjx-\w+ )?mjx-[\w-]+\.(mjx-c[0-9A-F]+)[^{}]*\{(?:"[^"]*"|[^"}])*\}\s*')
GLYPH = re.compile(r"\bmjx-c[0-9A-F]+\b")
MARKS = re.compile(r"[.,;:?!)]+")


@functools.cache
def engine():
    """MathJax, ready to set formulas."""
    engine = MiniRacer()
    atexit.register(engine.close)  # otherwise Python may wait for its threads for ever
    sources = {part: (MATHJAX / f"{part}.js").read_text(encoding="utf-8") for part in PARTS}
    engine.eval(CONFIGURE % (json.dumps(sources), json.dumps(PARTS)))
    engine.eval((MATHJAX / "startup.js").read_text(encoding="utf-8"))
    return engine


@functools.cache
def to_html(latex, display=False):
    """Return a formula as HTML; raises ValueError where MathJax does not understand it."""
    try:
        return engine().eval(SET % (json.dumps(latex), json.dumps(display)))
    except JSEvalException as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(f"the formula {latex!r} cannot be set ({reason}).") from None


def style_sheet():
    """Return the rules for everything that MathJax can write."""
    return engine().eval(STYLE_SHEET)


def used_alone(style, pages):
    """Return the style sheet without the rules of signs that none of the texts of pages has."""
    used = set().union(*(GLYPH.findall(page) for page in pages))
    return GLYPH_RULE.sub(lambda rule: rule.group() if rule.group(1) in used else "", style)


def aligned(latex):
    """Return a block as Sphinx understands it: equations, parted by empty lines, one below the other."""
    parts = [
        rf"\begin{{split}}{part}\end{{split}}" if r"\\" in part else part
        for part in re.split(r"\n\n", latex)
        if part.strip()
    ]
    if len(parts) == 1:
        return parts[0]
    return r"\begin{align}\begin{aligned}" + r"\\".join(parts) + r"\end{aligned}\end{align}"


def keep_marks(_app, doctree, _name):
    """Keep the mark after a formula in its line: browsers may break one between them, whatever the mark."""
    for formula in list(doctree.findall(nodes.math)):
        parent, after = formula.parent, formula.next_node(descend=False, siblings=True)
        if isinstance(after, nodes.Text) and (marks := MARKS.match(after)):
            # By its place: two texts with the same words are equal.
            place = next(i for i, child in enumerate(parent) if child is formula)
            together = nodes.inline("", "", formula, nodes.Text(marks.group()), classes=["formula-and-mark"])
            parent[place : place + 2] = [together, nodes.Text(after[marks.end() :])]


def visit_math(translator, node):
    """Write a formula that stands in a line."""
    translator.body.append(translator.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    translator.body.append(at_its_place(translator, node, node.astext(), display=False))
    translator.body.append("</span>")
    raise nodes.SkipNode


def visit_math_block(translator, node):
    """Write a formula that stands alone, with its number."""
    translator.body.append(translator.starttag(node, "div", CLASS="math notranslate nohighlight"))
    if node["number"] and not node["nowrap"]:
        translator.body.append(f'<span class="eqno">({get_node_equation_number(translator, node)})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    latex = node.astext() if node["nowrap"] else aligned(node.astext())
    translator.body.append(at_its_place(translator, node, latex, display=True))
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def at_its_place(translator, node, latex, display):
    """The formula as HTML; what MathJax does not understand is told with the place where it stands."""
    try:
        return to_html(latex, display)
    except ValueError as error:
        raise ExtensionError(f"{translator.builder.current_docname}, line {node.line}: {error}") from None


def write_style_sheet(app, error):
    """Write the rules that the pages of the finished site need."""
    if error or app.builder.name != "html":
        return
    site = Path(app.outdir)
    pages = (
        page.read_text(encoding="utf-8") for page in [*site.glob("*.html"), *site.glob("book/**/*.html")]
    )
    (site / "_static" / STYLE).write_text(used_alone(style_sheet(), pages), encoding="utf-8")


def setup(app):
    """Take the place of `sphinx.ext.mathjax`, which has each reader's browser set the formulas."""
    app.add_html_math_renderer(
        "typeset", inline_renderers=(visit_math, None), block_renderers=(visit_math_block, None)
    )
    app.add_css_file(STYLE)
    app.connect("doctree-resolved", keep_marks)
    app.connect("build-finished", write_style_sheet)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

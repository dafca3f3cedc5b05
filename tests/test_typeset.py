"""The formulas are set while the book is built: the pages hold them, and the rules that they need."""

import re
import sys
from pathlib import Path

import pytest
from tiny_book import build

sys.path.insert(0, str(Path(__file__).parents[1] / "book" / "_ext"))

typeset = pytest.importorskip("typeset", reason="needs MathJax and mini-racer")

PAGE = """# Page

The scale $\\sigma_w$ is a < b.

$$
E[z^2] = n \\operatorname{Var}[W] \\\\
x
$$ (one)

See {eq}`one`.
"""


def page(folder, text=PAGE):
    """Build a page whose formulas are set; return its HTML, the style sheet, the warnings."""
    settings = 'html_math_renderer = "typeset"\n'
    out, warnings = build(folder, {"index.md": text}, extensions=["typeset"], settings=settings)
    style = out / "_static" / "formulas.css"
    html = (out / "index.html").read_text(encoding="utf-8")
    return html, style.read_text(encoding="utf-8") if style.exists() else "", warnings


def test_a_page_holds_its_formulas_as_signs_and_as_mathml_and_asks_for_no_script(tmp_path):
    html, style, warnings = page(tmp_path)
    assert warnings == ""
    assert not re.search(r"<script[^>]*mathjax", html, re.IGNORECASE)
    assert html.count("<mjx-container") == 2
    assert "<msub><mi>σ</mi><mi>w</mi></msub>" in html
    assert "<mi>Var</mi>" in html
    assert '<link rel="stylesheet" type="text/css" href="_static/formulas.css' in html
    glyphs = set(re.findall(r"mjx-c[0-9A-F]+", html))
    assert len(glyphs) > 10
    assert set(re.findall(r"mjx-c[0-9A-F]+", style)) == glyphs


def test_a_mark_stays_in_the_line_of_its_formula(tmp_path):
    text = "# Page\n\nIn `a`.\nFor ($n$), not $m$ or `c`, $k$.\nBut `b`.\n"
    html, _, _ = page(tmp_path, text)
    words = re.sub(r"<mjx.*?</mjx-container>", "f", html)
    together = r'class="formula-and-mark"><span class="math[^>]*>f</span>(.*?)</span>'
    assert re.findall(together, words) == ["),", "."]
    plain = re.sub(r"<[^>]*>", "", words[words.index("<p>") : words.index("</p>")])
    assert " ".join(plain.split()) == "In a. For (f), not f or c, f. But b."


def test_the_number_of_an_equation_stands_beside_it_and_leads_to_it(tmp_path):
    html, _, _ = page(tmp_path)
    assert re.search(
        r'<div class="math notranslate nohighlight" id="equation-one">\s*<span class="eqno">\(1\)', html
    )
    assert 'href="#equation-one"' in html


def test_a_formula_that_nobody_can_read_stops_the_build_and_is_named(tmp_path):
    text = "# Page\n\nLine.\n\nHere $\\nosuchthing$.\n"
    with pytest.raises(AssertionError, match=r"index, line 5: the formula '\\\\nosuchthing' cannot be set"):
        page(tmp_path, text)


def test_equations_that_an_empty_line_parts_stand_one_below_the_other():
    both = typeset.aligned("a &= b\n\nc &= d")
    assert both == r"\begin{align}\begin{aligned}a &= b\\c &= d\end{aligned}\end{align}"
    assert typeset.aligned("a \\\\ b") == r"\begin{split}a \\ b\end{split}"
    assert typeset.aligned("a") == "a"
    assert typeset.to_html(both, display=True).count("<mtr>") == 1 + 2  # one of align holds two


def test_rules_of_signs_that_no_page_has_are_left_out():
    rule = 'mjx-c.mjx-c%s::before {\n  content: "%s";\n}\n\n'
    style = "a { b: c; }\n\n" + rule % ("7D.TEX-S1", "}") + rule % ("42", "B")
    style += "mjx-stretchy-v.mjx-c7D > mjx-ext {\n  width: 1em;\n}\n"
    pages = ['<mjx-c class="mjx-c42">']
    assert typeset.used_alone(style, pages) == "a { b: c; }\n\n" + rule % ("42", "B")


def test_a_rule_that_stays_keeps_its_words():
    def rules(style):
        return re.findall(r'[^{}]+\{(?:"[^"]*"|[^"}])*\}\s*', style)

    whole = typeset.style_sheet()
    kept = rules(typeset.used_alone(whole, ['<mjx-c class="mjx-c28">']))
    assert set(kept) < set(rules(whole))
    assert any(rule.startswith("mjx-c.mjx-c28::before {") for rule in kept)

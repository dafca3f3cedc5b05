"""Formulas as docstrings write them, such as `sigma_w^2 E[phi(sqrt(q) z)^2]`, in LaTeX."""

import re

GREEK = "alpha|beta|chi|epsilon|eta|mu|phi|sigma|tau|theta|xi"
# Code has none of these: powers, arrows, absolute values, roots, expectations, distributions, Greek letters.
FORMULA = re.compile(r"\^|<-|\|.*\||\bsqrt\(|\bE\[|\b[NU]\([-\w]|\b(?:beta|epsilon|phi|sigma|theta|xi)\b")
GROUP = re.compile(r"(sqrt|\^)?\(([^()]*)\)")
WORD = re.compile(r"(?<![\\A-Za-z0-9])([A-Za-z]+)(?:_(\w+))?")
SIGNS = {"<-": r"\leftarrow", "+-": r"\pm", " * ": r" \cdot ", " ~ ": r" \sim "}
OPEN, CLOSE = "\ue000", "\ue001"  # stand for parentheses that stay


def is_formula(text):
    """Whether a piece of code is one that only mathematics can read."""
    return FORMULA.search(text) is not None


def to_latex(text):
    """Return a formula in LaTeX: roots, powers and indices, Greek letters, and words upright."""
    while (grouped := GROUP.sub(braces, text)) != text:
        text = grouped
    for sign, latex in SIGNS.items():
        text = text.replace(sign, latex)
    text = re.sub(r"\^(-?\w+)", r"^{\1}", text)
    text = re.sub(r"\*(?!\w)", r"^{*}", text)
    text = re.sub(r"(?<=[\w})\ue001\]]) (?=[\w\\(\ue000])", r"\\,", text)
    return WORD.sub(word, text).replace(OPEN, "(").replace(CLOSE, ")")


def braces(match):
    """A pair of parentheses that holds no other: what a root or a power groups needs braces."""
    what, inner = match.groups()
    if what is None:
        return f"{OPEN}{inner}{CLOSE}"
    return rf"\sqrt{{{inner}}}" if what == "sqrt" else f"^{{{inner}}}"


def word(match):
    """A name in a formula, with its index: letters slanted, words upright."""
    name, index = match.groups()
    if name == "E":
        name = r"\mathbb{E}"
    elif re.fullmatch(GREEK, name):
        name = rf"\{name}"
    elif len(name) > 1:
        name = rf"\mathrm{{{name}}}"
    if index == "hat":
        return rf"\hat{{{name}}}"
    if index is None:
        return name
    return f"{name}_{index}" if len(index) == 1 else rf"{name}_{{\mathrm{{{index}}}}}"

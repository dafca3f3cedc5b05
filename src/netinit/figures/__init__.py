"""The pictures of the chapters, a module for each chapter: values of the controls in, a Figure out.

A chapter shows one with `explore(figures.xavier.signals, rule=[...])`. Each function is pure: the same values
draw the same picture, and its label is the text alternative. What a chapter argues from is computed in the
chapter, where the reader sees it, and handed in.
"""

from netinit.figures import (
    building,
    choosing,
    five_minutes,
    fixup,
    frameworks,
    he,
    landing,
    lsuv,
    mean_field,
    normalization,
    orthogonal,
    random_start,
    recipes,
    signals,
    transfer,
    xavier,
    zero,
)

__all__ = [
    "building",
    "choosing",
    "five_minutes",
    "fixup",
    "frameworks",
    "he",
    "landing",
    "lsuv",
    "mean_field",
    "normalization",
    "orthogonal",
    "random_start",
    "recipes",
    "signals",
    "transfer",
    "xavier",
    "zero",
]

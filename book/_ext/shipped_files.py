"""What the site does not ship: files that no page asks for, rules of unused icons, words for nobody.

And one change to a script of the theme, which would lay out all that `book.css` leaves until it comes near.
"""

import re

from sphinx.errors import ExtensionError

UNUSED = (
    "_static/vendor/fontawesome",  # book/_static/icons.css has the icons
    "_static/scripts/fontawesome.js",
    "_static/locales",  # of the theme's words; the pages hold them already
    "_static/webpack-macros.html",
    "_static/sbt-webpack-macros.html",
)
UNUSED_ENDINGS = (".map", ".LICENSE.txt")
# Of MathJax a page needs the fonts alone: `typeset` has set the formulas.
MATHJAX = ("_static/mathjax/license.txt", "_static/mathjax/output/chtml/fonts/woff-v2/")
ICON_RULES = re.compile(r'(?:\.fa-[\w-]+:{1,2}before,?)+\{content:"[^"]*"\}')
ICON_FONTS = re.compile(r"@font-face\{[^}]*Awesome[^}]*\}")
MAP_COMMENT = re.compile(r"\n?(?://|/\*)# sourceMappingURL=[\w.-]+(?: ?\*/)?")
# The theme makes what scrolls a stop of the Tab key, and measures each box of the page for it when it loads.
THEME_SCRIPT = "_static/scripts/pydata-sphinx-theme.js"
MEASURES = "e.tabIndex=e.scrollWidth>e.clientWidth||e.scrollHeight>e.clientHeight?0:-1"
LISTENS = 'window.addEventListener("resize",t),new MutationObserver'
SHOWN_BY = ("contentvisibilityautostatechange", "toggle")  # a section comes near, a fold is opened
CHATTER = re.compile(r"\bconsole\.(?:log|info|debug)\(")


def reduce(site):
    """Take out of the finished site what no page needs."""
    remove(site)
    for style in site.glob("_static/styles/*.css"):
        rewrite(style, ICON_FONTS, ICON_RULES, MAP_COMMENT)
    for script in [*site.glob("_static/*.js"), *site.glob("_static/scripts/*.js")]:
        rewrite(script, MAP_COMMENT)
        script.write_text(hushed(script.read_text(encoding="utf-8")), encoding="utf-8")
    theme = site / THEME_SCRIPT
    theme.write_text(measuring_late(theme.read_text(encoding="utf-8")), encoding="utf-8")


def remove(site):
    """Remove the files that no page asks for."""
    for path in [path for path in site.glob("_static/**/*") if path.is_file()]:
        name = path.relative_to(site).as_posix()
        if name.startswith(UNUSED) or name.endswith(UNUSED_ENDINGS) or is_part_of_mathjax(name):
            path.unlink()
    for folder in sorted(site.glob("_static/**/"), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()


def is_part_of_mathjax(name):
    """Whether a file belongs to MathJax, and is no font."""
    return name.startswith("_static/mathjax/") and not name.startswith(MATHJAX)


def rewrite(path, *unwanted):
    """Take out of a file what the patterns find."""
    text = path.read_text(encoding="utf-8")
    for pattern in unwanted:
        text = pattern.sub("", text)
    path.write_text(text, encoding="utf-8")


def hushed(script):
    """The script without its reports to the console: `void (...)` computes the same, and says nothing."""
    return CHATTER.sub("void (", script)


def measuring_late(script):
    """The theme's script, in which a box is measured when its section is laid out; raises for another one."""
    if script.count(MEASURES) != 1 or script.count(LISTENS) != 1:
        raise ExtensionError(f"{THEME_SCRIPT} measures boxes in another way: see shipped_files.")
    shown = f"(e.checkVisibility?.({{contentVisibilityAuto:!0}})??!0)&&({MEASURES})"
    again = ",".join(f'document.addEventListener("{event}",t,!0)' for event in SHOWN_BY)
    return script.replace(MEASURES, shown).replace(LISTENS, LISTENS.replace(",new", f",{again},new"))

"""The last touch on the finished pages: what others write into them, made quicker, and plain to read aloud.

Each step is a function from the text of a page to its text, and stands with the reason for it. `live_frames`
takes the frames of the live figures out of the pages, `shipped_files` what no page asks for out of the site.
"""

import re
from pathlib import Path

import live_frames
import shipped_files
from PIL import Image

TAG = re.compile(r"<img\b[^>]*>")
SOURCE = re.compile(r'\bsrc="([^"]+)"')
SVG_SIZE = re.compile(r'<svg\b[^>]*?\bwidth="(\d+)"[^>]*?\bheight="(\d+)"')
FOLDED_BRANCH = re.compile(r'<details><summary><span class="toctree-toggle".*?</details>', re.DOTALL)
OPEN_BRANCH = re.compile(
    r'<details open="open"><summary><span class="toctree-toggle".*?</summary>(.*?)</details>', re.DOTALL
)
HEADER = re.compile(r'(<header id="pst-header"[^>]*>).*?(</header>)', re.DOTALL)
SIDEBAR = re.compile(
    r'(?P<sidebar><dialog id="pst-primary-sidebar-modal">.*?)(?P<main><main id="main-content".*?</main>)',
    re.DOTALL,
)
SEARCH_SCRIPTS = re.compile(
    r'\s*<script src="[^"]*(?:searchtools|language_data|searchindex)\.js[^>]*></script>'
)
OPTIONS_SCRIPT = re.compile(r'<script src="[^"]*documentation_options\.js[^>]*></script>')
# What screen readers hear, by its reason.
WORDS = (
    # The text of the button is its name, and says more.
    (
        ' title="Search" aria-label="Search" data-bs-placement="bottom" data-bs-toggle="tooltip">\n <i',
        ">\n <i",
    ),
    ('<summary aria-label="Toggle hidden content">', "<summary>"),
    # An entry of a bibliography is one of a list.
    ('role="doc-biblioentry"', 'role="listitem"'),
    # Logo and search stand outside of every landmark.
    ('<div id="pst-primary-sidebar"', '<div id="pst-primary-sidebar" role="complementary" aria-label="Book"'),
)
# The theme is chosen before the first picture, not by a script that runs after it: nothing flashes or moves.
THEME_LATER = 'localStorage.getItem("theme") || "auto"'
SYSTEM_THEME = 'matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"'
EMPTY_HEADER = re.compile(r"<th\b([^>]*)>(\s*(?:<p>\s*</p>)?\s*)</th>")


def name_things(text):
    """Give buttons, folds and entries the name and role that they show."""
    for found, better in WORDS:
        text = text.replace(found, better)
    return EMPTY_HEADER.sub(r"<td\1>\2</td>", text)


def unfold_contents(text):
    """Show the pages below this one alone, without a fold: each fold is a stop of the Tab key."""
    return OPEN_BRANCH.sub(r"\1", FOLDED_BRANCH.sub("", text))


def empty_header(text):
    """Empty the header that no width shows: scripts took its buttons for those that readers see.

    So the buttons for the contents, of the book and of the page, did nothing. Scripts ask for its place.
    """
    return HEADER.sub(r"\1\2", text)


def text_first(text):
    """Move the book's contents behind the text: the Tab key need not pass thirty links to reach a figure.

    The style sheet still shows them at its left.
    """
    return SIDEBAR.sub(r"\g<main>\g<sidebar>", text)


def choose_theme_at_once(text):
    """Let the page know from the start whether it is light or dark."""
    return text.replace(THEME_LATER, f'localStorage.getItem("theme") || ({SYSTEM_THEME})')


def run_scripts_late(text, site):
    """Let no script hold up the text: they run in order when it stands, those of the search in its page."""
    if 'id="search-results"' in text:
        return shipped_files.hushed(text)
    options = (site / "_static" / "documentation_options.js").read_text(encoding="utf-8")
    head, end, body = SEARCH_SCRIPTS.sub("", text).partition("</head>")
    head = OPTIONS_SCRIPT.sub(lambda _: f"<script>{options}</script>", head)
    return re.sub(r"<script(?! defer)((?: [\w-]+=\"[^\"]*\")* src=)", r"<script defer\1", head) + end + body


def size_pictures(text, page):
    """Tell the size of each picture, so that no text moves; load one that is below when it comes near."""
    return TAG.sub(lambda tag: _sized(tag.group(), page), text)


def _sized(tag, page):
    size = None if " width=" in tag or "style=" in tag else _size(page.parent / SOURCE.search(tag).group(1))
    if size is None:
        return tag
    late = "" if "loading=" in tag or "logo__image" in tag else ' loading="lazy"'
    return tag.replace("<img", f'<img width="{size[0]}" height="{size[1]}"{late}', 1)


def _size(path):
    """Width and height of a picture of the site; None where it has none or is not ours."""
    if not path.is_file():
        return None
    if path.suffix == ".svg":
        found = SVG_SIZE.search(path.read_text(encoding="utf-8"))
        return found and found.groups()
    with Image.open(path) as picture:
        return picture.size


def finish(app, error):
    """Go over every page of the site."""
    if error or app.builder.name != "html":
        return
    site = Path(app.outdir)
    for page in [*site.glob("*.html"), *site.glob("book/**/*.html")]:
        text = live_frames.move_out(page.read_text(encoding="utf-8"), page, site)
        for step in (name_things, unfold_contents, empty_header, text_first, choose_theme_at_once):
            text = step(text)
        page.write_text(run_scripts_late(size_pictures(text, page), site), encoding="utf-8")
    shipped_files.reduce(site)


def setup(app):
    """Go last: an extension may write into its pages, or copy files, when they are finished."""
    app.connect("build-finished", finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

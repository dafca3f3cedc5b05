"""The rocket button of a chapter: run it in the browser, on Binder or on Colab.

A button appears only where it leads somewhere. Binder and Colab need the environment variable
`BOOK_REPOSITORY` (`OWNER/NAME` on GitHub, or its address); the browser button needs `BOOK_LITE=1`,
set when a JupyterLite site is laid into `lite/` beside the pages.
"""

import os
import re
from pathlib import Path, PurePosixPath

NOTEBOOKS = "notebooks"  # the branch that `make publish-notebooks` writes


def setup(app):
    """Add the buttons after the theme (priority 500) has made its own."""
    app.connect("html-page-context", add_buttons, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def add_buttons(app, pagename, _templatename, context, doctree):
    """Append one group of links to the header of a page that comes from a notebook."""
    if doctree is None or Path(app.env.doc2path(pagename)).suffix != ".ipynb":
        return
    path = f"{PurePosixPath(pagename).relative_to('book')}.ipynb"  # as it lies among the portable notebooks
    links = [*lite_link(path, context["pathto"]), *repository_links(path)]
    if links:
        context["header_buttons"].append(
            {
                "type": "group",
                "tooltip": "Run this chapter",
                "icon": "fas fa-rocket",
                "label": "launch-buttons",
                "buttons": links,
            }
        )


def lite_link(path, pathto):
    """Return the link into the JupyterLite site that lies in `lite/` beside the pages."""
    if os.environ.get("BOOK_LITE") != "1":
        return []
    url = f"{pathto('lite/notebooks/index.html', 1)}?path={path}"
    return [link("In the browser", "Run in the browser (JupyterLite)", "fas fa-play", url)]


def repository():
    """Return owner and name of the public repository, joined by a slash, or "" where nobody knows it."""
    url = os.environ.get("BOOK_REPOSITORY", "")
    if not url:
        return ""
    match = re.fullmatch(r"(?:https://github\.com/)?([\w.-]+/[\w.-]+?)(?:\.git)?/?", url)
    if match is None:
        raise ValueError(f"BOOK_REPOSITORY is {url!r}; it must be OWNER/NAME or its GitHub address.")
    return match[1]


def address():
    """Return where the built book can be read, with a slash at its end, or "" where nobody knows.

    That is `BOOK_ADDRESS`, or else where GitHub serves the pages of the repository.
    """
    if url := os.environ.get("BOOK_ADDRESS", ""):
        if re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", url) is None:
            raise ValueError(f"BOOK_ADDRESS is {url!r}; it must be the address of a folder: https://...")
        return f"{url.rstrip('/')}/"
    owner, _, name = repository().partition("/")
    if not owner:
        return ""
    site = f"https://{owner.lower()}.github.io/"
    return site if name.lower() == f"{owner}.github.io".lower() else f"{site}{name}/"


def repository_links(path):
    """Return the Binder and Colab links for a portable notebook, on the branch that holds nothing else."""
    if not (name := repository()):
        return []
    binder = f"https://mybinder.org/v2/gh/{name}/{NOTEBOOKS}?urlpath=lab/tree/{path}"
    colab = f"https://colab.research.google.com/github/{name}/blob/{NOTEBOOKS}/{path}"
    return [
        link("Binder", "Run on Binder", "_static/images/logo_binder.svg", binder),
        link("Colab", "Run on Colab", "_static/images/logo_colab.png", colab),
    ]


def link(text, tooltip, icon, url):
    """Return one entry of the header's menu, as the theme wants it."""
    return {"type": "link", "text": text, "tooltip": tooltip, "icon": icon, "url": url}

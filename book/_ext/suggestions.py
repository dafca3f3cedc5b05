"""The button with which a reader improves a page: edit it in the repository, or say what is wrong.

There is one only where the repository is known (see `launch_buttons`).
"""

from pathlib import Path
from urllib.parse import urlencode

from launch_buttons import link, repository

BRANCH = "main"  # what the workflows build the pages from
FORM = "wrong.yml"  # in .github/ISSUE_TEMPLATE; its field `where` is filled in


def setup(app):
    """Add the button after the theme (priority 500) has made its own, and after those that run the page."""
    app.connect("html-page-context", add_button, priority=610)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def add_button(app, pagename, _templatename, context, doctree):
    """Append the two links to the header of a page that has a source."""
    if doctree is None or not (name := repository()):
        return
    file = f"{pagename}{Path(app.env.doc2path(pagename)).suffix}"
    edit = f"https://github.com/{name}/edit/{BRANCH}/{file}"
    issue = f"https://github.com/{name}/issues/new?{urlencode({'template': FORM, 'where': pagename})}"
    context["header_buttons"].append(
        {
            "type": "group",
            "tooltip": "Improve this page",
            "icon": "fas fa-pencil-alt",
            "label": "suggestion-buttons",
            "buttons": [
                link("Edit", "Edit this page", "fas fa-pencil-alt", edit),
                link("Report", "Say what is wrong here", "fas fa-bug", issue),
            ],
        }
    )

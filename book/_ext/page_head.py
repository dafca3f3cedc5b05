"""What others see of a page before they open it: search engines, and whoever is sent its address.

Each page gets a description, and the title, text and picture of a card. Where the address of the book is
known (see `launch_buttons.address`), it also gets its canonical address, and the site a sitemap. The page for
addresses that lead nowhere then has links that work at any depth.
"""

import html
import re
from pathlib import Path
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from docutils import nodes
from launch_buttons import address

LONGEST = 160  # characters of a description: search engines cut what is longer
FORMULA = "\ue000"  # stands for one
CARD = "_static/card.png"
CARD_SIZE = (1200, 630)
CARD_TEXT = "The activations of a deep network, layer by layer, for three ways to choose its first weights."
MADE = {"genindex": "Index", "search": "Search", "py-modindex": "Modules"}  # pages that have no source
NOT_FOUND = "404"
SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"


def setup(app):
    """Fill the heads of the pages as they are written."""
    app.connect("config-inited", set_address)
    app.connect("html-page-context", add_tags)
    app.connect("html-collect-pages", not_found)
    app.connect("build-finished", write_sitemap)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def set_address(_app, config):
    """Let Sphinx write the canonical addresses."""
    config.html_baseurl = address()


# --- the description --------------------------------------------------------------------------------------


def description(doctree):
    """Return whole sentences of a page's first paragraph, without formulas; a long one is cut at a word."""
    for paragraph in doctree.findall(nodes.paragraph):
        sentences = plain_sentences(paragraph) if isinstance(paragraph.parent, nodes.section) else []
        if not sentences:
            continue
        text = sentences[0]
        for sentence in sentences[1:]:
            if len(f"{text} {sentence}") > LONGEST:
                break
            text = f"{text} {sentence}"
        return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rpartition(' ')[0]} …"
    return ""


def plain_sentences(paragraph):
    """Return the sentences of a paragraph that hold no formula."""
    copy = paragraph.deepcopy()
    for formula in list(copy.findall(nodes.math)):
        formula.replace_self(nodes.Text(FORMULA))
    sentences = re.split(r"(?<=[.?!])\s+", " ".join(copy.astext().split()))
    return [sentence for sentence in sentences if sentence and FORMULA not in sentence]


# --- the tags ---------------------------------------------------------------------------------------------


def add_tags(app, pagename, _templatename, context, doctree):
    """Add the tags to the head of a page."""
    if pagename == NOT_FOUND:
        add(context, [tag("name", "robots", "noindex"), *base()])
        return
    if pagename == app.config.root_doc:
        context["docstitle"] = ""  # or the title of its window would say the title of the book twice
    title = MADE[pagename] if pagename in MADE else app.env.titles[pagename].astext()
    text = (doctree and description(doctree)) or f"{title}: a page of {app.config.html_title}."
    card = {"title": title, "description": text, "site_name": app.config.html_title, "type": "article"}
    if site := address():
        card |= {"url": f"{site}{app.builder.get_target_uri(pagename)}", "image": f"{site}{CARD}"}
        card |= {"image:width": CARD_SIZE[0], "image:height": CARD_SIZE[1], "image:alt": CARD_TEXT}
    tags = [tag("name", "description", text), tag("name", "twitter:card", "summary_large_image")]
    tags += [tag("property", f"og:{name}", content) for name, content in card.items()]
    add(context, tags)


def add(context, tags):
    """Put elements before all others of a head, which may be relative to one of them."""
    context["metatags"] = context.get("metatags", "") + "".join(f"\n{each}" for each in tags)


def tag(kind, name, content):
    """Return one element of the head."""
    return f'<meta {kind}="{name}" content="{html.escape(str(content))}" />'


# --- the site ---------------------------------------------------------------------------------------------


def not_found(app):
    """Make the page that a server shows where there is none."""
    home = app.builder.get_target_uri(app.config.root_doc)
    body = (
        "<h1>There is no such page</h1>\n<p>The address may have changed, or be mistyped.</p>\n"
        f'<p><a href="{home}">Start at the beginning</a>, or <a href="search.html">search the book</a>.</p>'
    )
    yield NOT_FOUND, {"title": "There is no such page", "body": body}, "page.html"


def base():
    """Return the element that lets relative links work wherever the server shows the page, if it is known."""
    path = urlsplit(address()).path
    return [f'<base href="{html.escape(path)}{NOT_FOUND}.html" />'] if path else []


def write_sitemap(app, exception):
    """List the pages for search engines."""
    if exception is not None or app.builder.format != "html" or not (site := address()):
        return
    pages = [f"{site}{app.builder.get_target_uri(name)}" for name in sorted(app.env.found_docs)]
    urls = "".join(f"<url><loc>{escape(page)}</loc></url>\n" for page in pages)
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="{SITEMAP}">\n{urls}</urlset>\n'
    (Path(app.outdir) / "sitemap.xml").write_text(text, encoding="utf-8")

"""Print the built book into one PDF, `_build/starting-right.pdf`, with Chromium.

    python tools/pdf.py                      print all pages of `_build/html`
    python tools/pdf.py --edition student    print those of `_build/html-student`, which have no solutions

Chromium prints each page as `book/_static/book.css` says for paper: folds opened, every tab shown, live
figures at their start frame. pypdf joins what it printed, behind the contents: a link to another page of the
book leads to that page here, and no link to a file of this computer is left.
"""

import argparse
import html
import io
from pathlib import Path
from typing import NamedTuple

import pages
import yaml
from chromium import chromium
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, NameObject
from sphinx_external_toc.parsing import parse_toc_yaml

ROOT = Path(__file__).resolve().parent.parent
PAPER = {
    "format": "A4",
    "print_background": True,
    "margin": {"top": "18mm", "bottom": "20mm", "left": "16mm", "right": "16mm"},
}
# The theme prints its own title and a list of the sections; here the contents have both.
PRINT_STYLE = (
    "#jb-print-docs-body { display: none !important; } .bd-article h1 { display: block !important; }"
)
# What only paper needs: a note for each live figure, and its address where it is known.
PREPARE = """([note, address]) => {
  document.querySelectorAll('.headerlink').forEach((link) => link.remove());
  for (const figure of document.querySelectorAll('.live-figure')) {
    const line = document.createElement('p');
    line.append(note);
    const link = Object.assign(document.createElement('a'), {href: address, textContent: address});
    if (address) line.append(' ', link);
    figure.append(line);
  }
  const images = [...document.images];
  images.forEach((image) => { image.loading = 'eager'; });
  const decoded = images.map((image) => image.decode().catch(() => {}));
  return Promise.all([document.fonts.ready, ...decoded]);  // formulas have fonts of their own
}"""
NOTE = "This figure is live: here it stands at its start, and on the page its controls move it."
CONTENTS_STYLE = """
body { font: 11pt/1.5 sans-serif; } h1 { margin: 0; } p { margin: 0 0 2rem; color: #444; }
h2 { margin: 1.2rem 0 0.2rem; font-size: 12pt; break-after: avoid; }
div { display: flex; justify-content: space-between; gap: 2rem; break-inside: avoid; }
.deeper { padding-left: 2rem; }
a { color: inherit; text-decoration: none; }
"""


class Printed(NamedTuple):
    """One page of the book: its name below the site, its title, and its PDF."""

    name: str
    title: str
    content: bytes

    def length(self):
        """The sheets that it takes."""
        return len(PdfReader(io.BytesIO(self.content)).pages)


def main():
    """Read the command line, then print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder of _config.yml and _build/html")
    parser.add_argument("--edition", choices=["instructor", "student"], default="instructor")
    parser.add_argument("--address", default="", help="where the pages are on the web, for the live figures")
    arguments = parser.parse_args()
    suffix = "-student" if arguments.edition == "student" else ""
    root = arguments.root.resolve()
    target = root / "_build" / f"starting-right{suffix}.pdf"
    with chromium() as browser:
        write(make(browser, root, root / "_build" / f"html{suffix}", arguments.address), target)
    print(f"The book is printed. Open {target}")


def make(browser, root, site, address):
    """Return a writer that holds the whole book below `root`, whose pages lie in the folder `site`."""
    names = pages.names(root)
    if lacking := [name for name in names if not (site / f"{name}.html").exists()]:
        raise SystemExit(f"{lacking[0]}.html is not in {site}: build the book first.")
    printed = []
    for name in names:
        where = f"{address.rstrip('/')}/{name}.html" if address else ""
        printed.append(print_page(browser, site, name, where))
        print(f"  {name}: {printed[-1].length()} sheets", flush=True)
    first = add_contents(browser, root, site, printed)
    writer, starts = join([first, *printed])
    redirect(writer, site, starts)
    add_numbers(browser, writer)
    return writer


def print_page(browser, site, name, address):
    """Print one page of the site, which has this address on the web."""
    page = browser.new_page(color_scheme="light")
    page.goto((site / f"{name}.html").as_uri())
    page.add_style_tag(content=PRINT_STYLE)
    page.emulate_media(media="print")  # on the screen, pictures far below wait until they come near
    page.evaluate(PREPARE, [NOTE, address])
    title = page.locator("h1").last.text_content().strip()
    content = page.pdf(**PAPER, outline=True, tagged=True)
    page.close()
    return Printed(name, title, content)


def print_html(browser, text, **options):
    """Print a page that is not part of the site."""
    page = browser.new_page()
    page.set_content(text)
    content = page.pdf(**PAPER, **options)
    page.close()
    return content


def add_contents(browser, root, site, printed):
    """Return the contents, whose own length shifts the numbers that they list."""
    length = 1
    while True:
        made = Printed("", "Contents", print_html(browser, contents(root, site, printed, length + 1)))
        if made.length() == length:
            return made
        length = made.length()


def contents(root, site, printed, number):
    """Return the title and the table of contents as HTML; the first page of the book has this number."""
    settings = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    captions, lines = part_captions(root), []
    for page in printed:
        if page.name in captions:
            lines.append(f"<h2>{html.escape(captions[page.name])}</h2>")
        link = (site / f"{page.name}.html").as_uri()
        kind = "deeper" if "/deeper/" in page.name else "core"
        title = f'<a href="{link}">{html.escape(page.title)}</a>'
        lines.append(f'<div class="{kind}"><span>{title}</span><span>{number}</span></div>')
        number += page.length()
    head = f"<h1>{html.escape(settings['title'])}</h1><p>{html.escape(settings.get('author', ''))}</p>"
    return f"<!doctype html><style>{CONTENTS_STYLE}</style>{head}{''.join(lines)}"


def part_captions(root):
    """The caption of each part of the book, by the first page of the part."""
    site_map = parse_toc_yaml(root / "_toc.yml")
    trees = site_map.root.subtrees
    return {str(tree.items[0]): tree.caption for tree in trees if tree.caption}


def join(printed):
    """Put the pages one behind the other; return the writer and the place of the first sheet of each."""
    writer, starts = PdfWriter(), {}
    for page in printed:
        reader = PdfReader(io.BytesIO(page.content))
        for sheet in reader.pages:
            settle(reader, sheet)
        starts[page.name] = len(writer.pages)
        writer.append(reader, outline_item=page.title, import_outline=False)
    return writer, starts


def settle(reader, sheet):
    """Let links inside a page name their target itself: two pages may use one name for different places."""
    for link in links(sheet):
        place = reader.named_destinations.get(link.get("/Dest"))
        if place is not None:
            link[NameObject("/Dest")] = place.dest_array


def links(sheet):
    """Every link of a sheet."""
    return [annotation.get_object() for annotation in sheet.get("/Annots", ())]


def redirect(writer, site, starts):
    """Lead each link to a page of the book to its first sheet, and one to another file nowhere."""
    here = site.as_uri() + "/"
    for link in [link for sheet in writer.pages for link in links(sheet)]:
        target = link.get("/A", {}).get("/URI", "")
        if not target.startswith("file:"):
            continue
        name = target.removeprefix(here).partition("#")[0].removesuffix(".html")
        del link["/A"]
        if name in starts:
            sheet = writer.pages[starts[name]].indirect_reference
            link[NameObject("/Dest")] = ArrayObject([sheet, NameObject("/Fit")])


def add_numbers(browser, writer):
    """Print the number of each sheet at its foot, by laying an empty one with a footer over it."""
    empty = '<div style="break-after: page">&nbsp;</div>' * (len(writer.pages) - 1) + "&nbsp;"
    foot = '<div style="width: 100%; text-align: center; font: 9pt sans-serif" class="pageNumber"></div>'
    numbers = print_html(
        browser, empty, display_header_footer=True, header_template=" ", footer_template=foot
    )
    for sheet, number in zip(writer.pages, PdfReader(io.BytesIO(numbers)).pages, strict=True):
        sheet.merge_page(number)


def write(writer, target):
    """Put the PDF in place in one step."""
    part = target.with_suffix(".part")
    try:
        writer.write(part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


if __name__ == "__main__":
    main()

"""Open a page of the built book; write down what it fetched and what went wrong."""

import re
from contextlib import contextmanager
from pathlib import Path

SITE = Path(__file__).parents[2] / "_build" / "html"
PAGES = [SITE / "search.html", SITE / "genindex.html", *sorted(SITE.glob("book/**/*.html"))]
LIVE_PAGES = [path for path in PAGES if path.exists() and 'class="live-figure"' in path.read_text()]
CORES = [path for path in LIVE_PAGES if re.match(r"\d\d-", path.stem) and path.parent.name == "book"]
WIDTH = 1280
# The sum of all that moved without a reader's doing.
SHIFT = """() => new Promise((resolve) => {
  const sum = (shifts) => shifts.reduce((sum, shift) => sum + (shift.hadRecentInput ? 0 : shift.value), 0);
  new PerformanceObserver((list) => resolve(sum(list.getEntries())))
    .observe({type: 'layout-shift', buffered: true});
  setTimeout(() => resolve(0), 300);
})"""

# Not with add_style_tag: it waits for an event of the style, which never comes where JavaScript is off.
LAY_OUT = """() => {
  const near = document.createElement('style');
  near.textContent = '.bd-article section { content-visibility: visible !important; }';
  document.head.append(near);
  document.querySelectorAll('details').forEach((box) => { box.open = true; });
}"""


class Visit:
    """One page in one fresh browser context, with everything it asked for and complained about."""

    def __init__(self, page, path):
        self.page, self.path = page, path
        self.faults: list[str] = []
        self.requests: list[str] = []
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.faults.append(f"page error: {error}"))
        page.on("request", self._on_request)
        page.on("requestfailed", lambda request: self.faults.append(f"request failed: {request.url[:200]}"))

    def _on_console(self, message):
        self.faults.append(f"console {message.type}: {message.text}")

    def _on_request(self, request):
        self.requests.append(request.url)
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.faults.append(f"request to another host: {request.url}")

    def open_at(self, width):
        """Give the window a width, unfold all that is folded, lay out what is far from the window."""
        self.page.set_viewport_size({"width": width, "height": 800})
        self.page.evaluate(LAY_OUT)


@contextmanager
def visit(browser, path, width=WIDTH, **options):
    """Yield a `Visit` of the page at `path`; close its context afterwards."""
    context = browser.new_context(viewport={"width": width, "height": 800}, **options)
    try:
        visited = Visit(context.new_page(), path)
        visited.page.goto(path.as_uri(), wait_until="load")
        if options.get("java_script_enabled", True):
            visited.page.wait_for_timeout(100)  # for what a script asks for late
        yield visited
    finally:
        context.close()

"""Run portable notebooks inside a browser, as the pages' JupyterLite does: `make PYODIDE=folder lite-check`.

The site lies below a sub-path of a server of its own. Each notebook is opened at its address and run, and
what its cells print must be what is stored. One live figure of each is moved. Any request to another host is
a fault.
"""

import argparse
import contextlib
import functools
import http.server
import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import lite
import nbformat
import notebooks
from chromium import chromium

ROOT = Path(__file__).resolve().parent.parent
BELOW = "some/book"  # the site must work from a sub-path
RUN = """async () => {
    const app = window.jupyterapp;
    await app.commands.execute("notebook:run-all-cells");
    return app.shell.currentWidget.content.model.toJSON();
}"""
READY = """() => {
    const panel = window.jupyterapp?.shell?.currentWidget;
    return panel?.sessionContext?.session?.kernel?.status === "idle";
}"""
# Cells out of sight are drawn too, so that a live figure among them can be moved.
EVERY_CELL = {"@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"}}
FIGURE = 60  # seconds for one picture
LONGEST = 900_000  # milliseconds for one notebook


@contextlib.contextmanager
def served(folder):
    """Serve a folder on a free port, without the policy of gzip_server, which forbids WebAssembly."""
    handler = functools.partial(QuietHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def log_message(self, *_arguments):
        """Say nothing."""


def check(browser, address, name, stored):
    """Run one notebook in a fresh browser context; return what is wrong, a line each."""
    context = browser.new_context()
    try:
        page, foreign = context.new_page(), set()
        page.set_default_timeout(LONGEST)
        page.on("request", lambda request: foreign.add(request.url) if is_foreign(request, address) else None)
        page.goto(f"{address}{BELOW}/lite/notebooks/index.html?path={name}")
        page.wait_for_function(READY)
        ran = nbformat.from_dict(page.evaluate(RUN))
        faults = [*differences(stored, ran), *still_figures(page)]
        return faults + [f"asks another host: {url}" for url in sorted(foreign)]
    finally:
        context.close()


def is_foreign(request, address):
    """Whether a request leaves the server of this check."""
    return not request.url.startswith((address, "data:", "blob:"))


def differences(stored, ran):
    """The cells that raise, or print something else than what is stored."""
    for before, after in zip(stored.cells, ran.cells, strict=True):
        if after.cell_type != "code":
            continue
        if error := next((each for each in after.outputs if each.output_type == "error"), None):
            yield f"raises {error.ename}: {error.evalue}\n{after.source[-500:]}"
            return
        if notebooks.IGNORED not in before.metadata.get("tags", []) and printed(after) != printed(before):
            yield f"prints\n{printed(after)}\nwhere this is stored:\n{printed(before)}"


def printed(cell):
    """What a cell prints, as one text."""
    streams = [each for each in cell.outputs if each.output_type == "stream"]
    return "".join(each.text for each in streams if each.name == "stdout")


def still_figures(page):
    """A line where the first live figure that has a slider stays as it was when the slider is moved."""
    figure = page.locator(".jp-OutputArea-output:has(img):has(.noUi-handle)").first
    if not figure.count():
        return
    handle, picture = figure.locator(".noUi-handle").first, figure.locator("img").first
    before, value = picture.get_attribute("src"), handle.get_attribute("aria-valuenow")
    handle.press("ArrowRight")
    if handle.get_attribute("aria-valuenow") == value:  # it was at its end
        handle.press("ArrowLeft")
    deadline = time.monotonic() + FIGURE
    while picture.get_attribute("src") == before:
        page.wait_for_timeout(100)
        if time.monotonic() > deadline:
            yield "a live figure does not change with its slider"
            return


def make_site(notebooks_by_name, folder):
    """Build the site below a folder, and let this check reach the application and see every cell."""
    site = folder / BELOW / "lite"
    site.parent.mkdir(parents=True)
    lite.build({f"book/{name}": text for name, text in notebooks_by_name.items()}, site)
    settings = json.loads((site / "jupyter-lite.json").read_text(encoding="utf-8"))
    settings["jupyter-config-data"] |= {"exposeAppInBrowser": True}
    settings["jupyter-config-data"].setdefault("settingsOverrides", {}).update(EVERY_CELL)
    (site / "jupyter-lite.json").write_text(json.dumps(settings), encoding="utf-8")


def check_all(texts, names):
    """Run the notebooks of these names, say how each fared, and return how many fail."""
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch, chromium() as browser:
        make_site(texts, Path(scratch))
        with served(scratch) as address:
            for name in names:
                started, stored = time.monotonic(), nbformat.reads(texts[name].decode(), as_version=4)
                faults = check(browser, address, name, stored)
                wrong += bool(faults)
                said = "\n".join(faults) or f"{time.monotonic() - started:.0f} s"
                print(f"  {name}: {said}", flush=True)
    return wrong


def main():
    """Read the command line, run the notebooks, and say which failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all of _build/portable")
    folder = ROOT / "_build" / "portable"
    texts = {path.relative_to(folder).as_posix(): path.read_bytes() for path in notebooks.below(folder)}
    asked = [path.resolve().relative_to(folder).as_posix() for path in parser.parse_args().notebooks]
    if not os.environ.get("PYODIDE"):
        raise SystemExit("say where a Pyodide distribution lies: make PYODIDE=folder lite-check")
    if not texts or set(asked) - set(texts):
        raise SystemExit("there are no such portable notebooks: run `make portable`")
    lite.check_distribution()
    names = asked or list(texts)
    wrong = check_all(texts, names)
    sys.exit(f"{wrong} of {len(names)} notebooks fail in the browser" if wrong else 0)


if __name__ == "__main__":
    main()

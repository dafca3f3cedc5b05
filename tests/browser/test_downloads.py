"""The download button gives a file, from disk and from a server that calls a notebook JSON."""

import functools
import http.server
import threading

import nbformat
import pytest
from visit import SITE

CHAPTER = "book/06-he"


class Handler(http.server.SimpleHTTPRequestHandler):
    """A server that names notebooks as GitHub Pages does, and says nothing."""

    def guess_type(self, path):
        """The type of a file by its name."""
        return "application/x-ipynb+json" if path.endswith(".ipynb") else super().guess_type(path)

    def log_message(self, *_arguments):
        """Nothing."""


@pytest.fixture
def served():
    """The address of the site on a server."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=SITE))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("where", ["disk", "server"])
def test_the_button_saves_the_portable_notebook(browser, served, where, tmp_path):
    page = browser.new_page()
    page.goto(f"{SITE.as_uri() if where == 'disk' else served}/{CHAPTER}.html")
    page.get_by_role("button", name="Download this page").click()
    with page.expect_download() as download:
        page.get_by_role("link", name=".ipynb").click()
    assert download.value.suggested_filename == "06-he.ipynb"
    download.value.save_as(tmp_path / "06-he.ipynb")
    page.close()
    notebook = nbformat.read(tmp_path / "06-he.ipynb", as_version=4)
    assert notebook.cells[0].id == "bring-netinit"
    assert (SITE / "_sources" / f"{CHAPTER}.ipynb").read_bytes() == (tmp_path / "06-he.ipynb").read_bytes()

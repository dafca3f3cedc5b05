"""A server of static files as a web host gives them: compressed, kept, and with nothing from elsewhere."""

import contextlib
import functools
import gzip
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

# Scripts and styles may stand in a page, pictures may be data, and the playground multiplies in WebAssembly;
# nothing comes from another host.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:"
)
HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "max-age=31536000"}
COMPRESSED = (".html", ".js", ".css", ".svg", ".json", ".txt", ".md", ".ipynb", ".ttf")


@functools.cache
def content(path):
    """The bytes that go over the wire for a file, and whether they are compressed."""
    with open(path, "rb") as file:
        plain = file.read()
    return (gzip.compress(plain), True) if path.endswith(COMPRESSED) else (plain, False)


class Handler(SimpleHTTPRequestHandler):
    """Answers GET from the folder of the site, and says nothing."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        """Send the file, or 404."""
        try:
            body, compressed = content(self.translate_path(self.path))
        except OSError:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(self.path.partition("?")[0]))
        self.send_header("Content-Length", str(len(body)))
        if compressed:
            self.send_header("Content-Encoding", "gzip")
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words):
        """Keep quiet."""


@contextlib.contextmanager
def serving(folder):
    """Serve a folder on a free port of this machine; yield its address."""
    handler = functools.partial(Handler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()

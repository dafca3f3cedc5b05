"""Serve the book on http://localhost:8000: a saved change rebuilds it, and the page in the browser reloads.

The parts are sphinx-autobuild's: watching, the socket, the script in each page. Its own command would build
with plain Sphinx; here `tools/build.py` does. A build that fails says why, and the last good site stays.
"""

import argparse
import contextlib
import functools
import subprocess
import sys
from pathlib import Path

import sources
import uvicorn
from sphinx_autobuild.middleware import JavascriptInjectorMiddleware
from sphinx_autobuild.server import RebuildServer
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, WebSocketRoute
from starlette.staticfiles import StaticFiles

BUILD = Path(__file__).with_name("build.py")
HOST = "127.0.0.1"


def rebuild(root, workers, changed_paths=()):  # noqa: ARG001
    """Build what changed, as `make book` does."""
    command = [sys.executable, BUILD, "--root", root, "--workers", str(workers)]
    with contextlib.suppress(KeyboardInterrupt):  # the server ends too, and has nothing to add
        done = subprocess.run(command)
        print("The book is built." if done.returncode == 0 else "The last good book stays.", flush=True)


def application(root, workers, address):
    """The web application: the site's files, and a socket that tells the pages to reload."""
    watched = [root / name for name in (*sources.FILES, *sources.FOLDERS)]
    callback = functools.partial(rebuild, root, workers)
    watcher = RebuildServer(
        watched, lambda path: sources.is_by_product(Path(path).relative_to(root)), callback
    )
    files = StaticFiles(directory=root / "_build" / "html", html=True)
    return Starlette(
        routes=[WebSocketRoute("/websocket-reload", watcher), Mount("/", app=files)],
        middleware=[Middleware(JavascriptInjectorMiddleware, ws_url=address)],
        lifespan=watcher.lifespan,
    )


def main():
    """Read the command line and serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=2, help="notebooks executed at a time (default: 2)")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--root", type=Path, default=BUILD.parent.parent, help="the folder of _config.yml")
    arguments = parser.parse_args()
    root, port = arguments.root.resolve(), arguments.port
    app = application(root, arguments.workers, f"{HOST}:{port}")
    print(f"Open http://localhost:{port}/. The book is rebuilt when you save; Ctrl-C ends.", flush=True)
    uvicorn.run(app, host=HOST, port=port, log_level="warning")


if __name__ == "__main__":
    main()

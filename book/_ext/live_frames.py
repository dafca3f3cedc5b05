"""The frames of live figures, out of the pages: who does not scroll to a figure does not wait for it.

A page keeps the start frame of each figure, as a picture of its own. The others lie beside, in a script,
because a page from disk may not read any other kind of file; `book/_static/live-figures.js` asks for it.
"""

import base64
import hashlib
import json
import os
import re

FRAMES = re.compile(r'<div class="live-frames">(.*?)</div>(?=<p class="live-status")', re.DOTALL)
BEGINNING = re.compile(r'(?=<img src="data:image/|<div role="group" aria-label=")')
PICTURE = re.compile(r'src="data:image/(\w+);base64,([^"]+)"')
FOLDER = "_frames"


def move_out(text, page, site):
    """Return the text of a page with the start frames alone, and write what it lacks below `site`."""
    beside = os.path.relpath(site / FOLDER, page.parent)
    first = True

    def replace(found):
        nonlocal first
        start, others = _split(found.group(1))
        loading, first = "" if first else ' loading="lazy"', False
        start = PICTURE.sub(lambda picture: f'src="{beside}/{_picture(picture, site)}"{loading}', start)
        return f'<div class="live-frames" data-frames="{beside}/{_script(others, site)}">{start}</div>'

    return FRAMES.sub(replace, text)


def _split(frames):
    """The frame that is shown, and the list of all, with None in its place."""
    others = [frame for frame in BEGINNING.split(frames) if frame]
    shown = next(i for i, frame in enumerate(others) if " hidden>" not in frame[: frame.index(">") + 1])
    start, others[shown] = others[shown], None
    return start, others


def _picture(found, site):
    """Write a picture as a file; return its name."""
    content = base64.b64decode(found.group(2))
    return _written(site, content, found.group(1))


def _script(frames, site):
    """Write the script that hands the frames to the figure which asks for them; return its name."""
    listed = json.dumps(frames).replace("</", "<\\/")
    return _written(site, f"liveFrames(document.currentScript, {listed});\n".encode(), "js")


def _written(site, content, ending):
    name = f"{hashlib.sha256(content).hexdigest()[:16]}.{ending}"
    (site / FOLDER).mkdir(exist_ok=True)
    (site / FOLDER / name).write_bytes(content)
    return name

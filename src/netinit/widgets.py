"""Live figures: one pure drawing function, shown to two kinds of readers.

With a kernel (JupyterLab, Binder, Colab) `explore` shows ipywidgets controls and draws a frame when it is
first asked for. In the built book there is no kernel: while the book is built (`STATIC` is then in the
environment), `explore` draws every frame once and writes them into the page, beside plain HTML controls
that `book/_static/live-figures.js` connects. Either way the output carries the start frame as a plain
picture too, for paper and for viewers that run nothing. This is the only module that imports ipywidgets.
"""

import base64
import functools
import html
import inspect
import io
import itertools
import math
import os
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import NamedTuple

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from netinit.checks import check_kind, check_list, shown
from netinit.plots import Text, training_frame

STATIC = "NETINIT_STATIC_FIGURES"  # set by tools/executed.py
BUDGET = 400_000  # bytes of frames in one figure of the page
# What a front end shows a widget for. The bundle is put together here because ipywidgets 7, which Colab has,
# shows a widget without returning one.
VIEW = "application/vnd.jupyter.widget-view+json"
PNG = b"\x89PNG"  # how such a file begins
# One canvas for all frames: Matplotlib remembers the measures of a text and of a formula, such as those of
# a tick's label, for each canvas. With a new one they take up to a third of the time of a frame.
CANVAS = FigureCanvasAgg(Figure())


class Frame(NamedTuple):
    """One picture, or the HTML of a text, and the sentence that says what it shows.

    >>> widgets.Frame(b"...", "a straight line").label
    'a straight line'
    """

    image: bytes | str
    label: str


def explore(
    draw: Callable[..., Figure | Text],
    *,
    play: str | None = None,
    start: Mapping[str, object] | None = None,
    **controls: Sequence,
) -> "LiveFigure":
    """Show `draw(**values)` for every combination of the listed control values.

    `draw` is a pure function that returns a Figure and describes it with `fig.set_label(...)`. A control that
    lists numbers becomes a slider, one that lists names becomes buttons. `play` names the slider that stands
    for time, `start` the values shown first (otherwise the first of each list). Where the frame is a table of
    calls rather than a picture, `draw` returns a `Text` instead.

    Raises ValueError or TypeError for a control without values or with repeated or mixed ones, for an unknown
    name or value in `play` or `start`, and for a figure without a label.

    >>> def draw(std):
    ...     fig = plt.figure()
    ...     fig.set_label(f"std {std}")
    ...     return fig
    >>> widgets.explore(draw, std=[0.01, 0.1, 1.0])
    explore(draw): std in 3 values, 3 frames
    """
    check_kind("draw", draw, Callable, "a function that returns a figure")
    listed = _listed(controls)
    start = {} if start is None else start
    check_kind("start", start, Mapping, "a mapping of controls to values")
    _check_choice(play, start, listed)
    start = {name: values[0] for name, values in listed.items()} | dict(start)
    try:
        inspect.signature(draw).bind(**start)
    except (TypeError, ValueError) as error:  # ValueError: it shows no signature
        raise TypeError(f"draw must take the controls {shown(list(listed))}, but {error}.") from error
    figure = LiveFigure(draw, listed, play, start)
    if os.environ.get(STATIC):
        figure.page = _page(figure)  # here, not when displayed, so that an error stops the build
    return figure


def explore_training(runs: Mapping[str, Sequence], *, epoch: int = 0, **names: str) -> "LiveFigure":
    """Play a training: `plots.training_frame` at every epoch of what `compare` returned, from `epoch` on.

    Needs a `probe` that gives the std by layer; the first run of each scheme is shown. `std` and `place` name
    what the probe measures, where it is not the activation std of each layer. Raises ValueError for an epoch
    that no run has.

    >>> schemes = {"He": lambda rng: initialize(mlp([64, 32, 10]), "he_normal", rng)}
    >>> plan = dict(seeds=[0], optimizer=lambda p: SGD(p, 0.1), epochs=3, batch_size=50)
    >>> runs = compare(schemes, load_digits(), **plan, probe=lambda model: [1.0])
    >>> widgets.explore_training(runs)
    explore(draw_training): epoch in 4 values, 4 frames
    """
    epochs = max(len(group[0].history.validation_loss) for group in runs.values())

    def draw_training(epoch):
        return training_frame(runs, epoch, **names)

    return explore(draw_training, play="epoch", start={"epoch": epoch}, epoch=range(epochs))


class LiveFigure:
    """A drawing function, its controls and the frames drawn so far; made by `explore`.

    >>> def draw(std):
    ...     fig = plt.figure()
    ...     fig.set_label(f"std {std}")
    ...     return fig
    >>> widgets.explore(draw, std=[0.01, 0.1, 1.0]).frame(std=0.1).label
    'std 0.1'
    """

    def __init__(self, draw, controls, play, start):
        self.draw, self.controls, self.play, self.start = draw, controls, play, start
        self.page: str | None = None
        self._encode = _small if os.environ.get(STATIC) else _quick
        self._frames: dict[tuple, Frame] = {}

    def __repr__(self):
        sizes = [f"{name} in {len(values)} values" for name, values in self.controls.items()]
        frames = math.prod(map(len, self.controls.values()))
        return f"explore({_name(self.draw)}): {', '.join(sizes)}, {frames} frames"

    def grid(self):
        """Yield the values of every frame; the last control varies fastest."""
        for values in itertools.product(*self.controls.values()):
            yield dict(zip(self.controls, values, strict=True))

    def frame(self, **values) -> Frame:
        """Return the frame for these values: drawn when first asked for, then remembered.

        Raises ValueError for values that the controls do not list; what `draw` raises carries a note.
        """
        listed = all(value in self.controls.get(name, ()) for name, value in values.items())
        if not listed or values.keys() != self.controls.keys():
            raise ValueError(f"a frame needs a listed value for each of {list(self.controls)}, got {values}.")
        key = tuple(values[name] for name in self.controls)
        if key not in self._frames:
            try:
                self._frames[key] = _render(self.draw, values, self._encode)
            except Exception as error:
                error.add_note("at the frame " + ", ".join(f"{k}={_text(v)}" for k, v in values.items()))
                raise
        return self._frames[key]

    def view(self) -> ipywidgets.VBox:
        """Return the ipywidgets view: one control each, and the picture with its description as alt text."""
        widgets = {name: _widget(name, values, self.start[name]) for name, values in self.controls.items()}
        picture = ipywidgets.HTML()

        def show(_change=None):
            frame = self.frame(**{name: widget.value for name, widget in widgets.items()})
            picture.value = _shown(frame)  # one trait, so one message for each step

        show()
        for widget in widgets.values():
            widget.observe(show, "value")
        _align(widgets.values())
        timers = [_timer(widgets[self.play])] if self.play else []
        box = ipywidgets.VBox([*widgets.values(), *timers, picture], layout={"max_width": "46rem"})
        return box.add_class("live-figure")

    def _repr_mimebundle_(self, **_wanted):
        data: dict[str, object] = {"text/plain": repr(self)}
        metadata = {}
        start = self.frame(**self.start)
        if not isinstance(start.image, str):
            data["image/png"] = base64.b64encode(_as_png(start.image)).decode()
            metadata["image/png"] = {"alt": start.label}
        if self.page is not None:
            data["text/html"] = self.page
        else:
            data[VIEW] = {"version_major": 2, "version_minor": 0, "model_id": self.view().model_id}
        return data, metadata


def _name(draw) -> str:
    """The name of the drawing function, also where `functools.partial` holds its data."""
    return _name(draw.func) if isinstance(draw, functools.partial) else draw.__name__


def _render(draw, values, encode) -> Frame:
    """Draw one frame, compress it and close whatever `draw` has opened; a text stays as it is."""
    before = set(plt.get_fignums())
    try:
        figure = draw(**values)
        if isinstance(figure, Text):
            return Frame(figure.html, figure.label)
        if not isinstance(figure, Figure):
            raise TypeError(f"{_name(draw)} returned a {type(figure).__name__}; it must return a Figure.")
        label = str(figure.get_label())
        if not label:
            raise ValueError(f"{_name(draw)} must describe its figure with fig.set_label(...).")
        CANVAS.figure = figure
        figure.set_canvas(CANVAS)
        CANVAS.draw()
        return Frame(encode(np.asarray(CANVAS.buffer_rgba())[..., :3]), label)
    finally:
        for number in set(plt.get_fignums()) - before:
            plt.close(number)


def _small(pixels) -> bytes:
    """Return a lossless WebP for the page: in 16 shades per channel, a third smaller than in 256."""
    shades = (pixels.astype(np.uint16) + 8) // 17 * 17
    return _saved(
        Image.fromarray(shades.astype(np.uint8)), format="webp", lossless=True, quality=90, method=4
    )


def _quick(pixels) -> bytes:
    """Return a PNG, which takes a third of the time of a WebP: for a reader who waits for it."""
    return _saved(Image.fromarray(pixels), format="png", compress_level=3)


def _as_png(image: bytes) -> bytes:
    return (
        image if image.startswith(PNG) else _saved(Image.open(io.BytesIO(image)), format="png", optimize=True)
    )


def _saved(picture: Image.Image, **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, **options)
    return buffer.getvalue()


def _source(image: bytes) -> str:
    """Return the picture as the address of an `img`."""
    kind = "png" if image.startswith(PNG) else "webp"
    return f"data:image/{kind};base64,{base64.b64encode(image).decode()}"


def _listed(controls) -> dict[str, list]:
    """The values of each control as a list; raises for what makes neither a slider nor buttons."""
    if not controls:
        raise ValueError("explore needs at least one control, such as depth=[2, 8, 32].")
    listed = {name: check_list(f"control {name!r}", values, "values") for name, values in controls.items()}
    for name, values in listed.items():
        if not values:
            raise ValueError(f"control {name!r} has no values; list at least one.")
        if not (all(map(_is_number, values)) or all(isinstance(value, str) for value in values)):
            raise TypeError(
                f"control {name!r} is {shown(values)}; its values must be all numbers or all strings."
            )
        if len(set(map(_text, values))) < len(values):
            raise ValueError(
                f"control {name!r} is {shown(values)}; each value may appear, as shown, only once."
            )
    return listed


def _check_choice(play, start, controls):
    numeric = [name for name, values in controls.items() if _is_number(values[0])]
    if play is not None and not (isinstance(play, str) and play in numeric):
        raise ValueError(f"play is {shown(play)}; it must name a control with numbers, one of {numeric}.")
    for name, value in start.items():
        if name not in controls:
            raise ValueError(f"start names {name!r}; the controls are {list(controls)}.")
        if value not in controls[name]:
            raise ValueError(f"start sets {name!r} to {value!r}; it must be one of {list(controls[name])}.")


def _is_number(value):
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _text(value):
    return f"{value:g}" if _is_number(value) else value


def _title(name):
    return name.replace("_", " ")


# With a kernel: ipywidgets

# Sliders of ipywidgets have no accessible name and tell their position as a number; their label and readout
# stand beside them. A picture that has arrived hands both on.
NAMES = """
for (const slider of this.closest('.live-figure')?.querySelectorAll('.widget-hslider') ?? []) {
  const handle = slider.querySelector('[role=slider], .ui-slider-handle');
  handle?.setAttribute('aria-label', slider.querySelector('.widget-label').textContent);
  handle?.setAttribute('aria-valuetext', slider.querySelector('.widget-readout').textContent);
}
"""


def _widget(name, values, start):
    kind = ipywidgets.SelectionSlider if _is_number(start) else ipywidgets.ToggleButtons
    options = [(_text(value), value) for value in values]
    widget = kind(options=options, value=start, description=_title(name), layout={"width": "auto"})
    if kind is ipywidgets.ToggleButtons:
        widget.add_class("widget-inline-hbox")  # the label beside the buttons, as beside a slider
        widget.style.button_width = "auto"  # otherwise a long name is cut off
    return widget


def _align(widgets):
    """Give all controls a label as wide as the longest, so that they begin at one line."""
    width = max(len(widget.description) for widget in widgets) + 1
    for widget in widgets:
        widget.style.description_width = f"{width}ch"


def _shown(frame: Frame) -> str:
    """Return the frame as HTML. The picture is no Image widget: that has no alt text, and is stretched."""
    if isinstance(frame.image, str):
        return frame.image
    width, height = Image.open(io.BytesIO(frame.image)).size
    return (
        f'<img src="{_source(frame.image)}" alt="{html.escape(frame.label)}" '
        f'width="{width}" height="{height}" style="max-width: 100%; height: auto" '
        f'decoding="sync" onload="{html.escape(NAMES)}">'
    )


def _timer(slider):
    """Return a play button that moves the slider by one position every half second."""
    timer = ipywidgets.Play(value=slider.index, max=len(slider.options) - 1, interval=500)
    ipywidgets.link((timer, "value"), (slider, "index"))
    return timer


# In the page: HTML


def _page(figure: LiveFigure) -> str:
    """Return the figure as HTML: the frames in the order of `grid`, all hidden but the one at `start`."""
    frames = {tuple(values.values()): figure.frame(**values) for values in figure.grid()}
    _check_page(_name(figure.draw), list(frames.values()))
    shown = tuple(figure.start[name] for name in figure.controls)
    controls = "".join(_control(name, values, figure.start[name]) for name, values in figure.controls.items())
    if figure.play:
        controls += f'<button type="button" class="live-play" data-plays="{figure.play}">Play</button>'
    pictures = "".join(_picture(frame, key == shown) for key, frame in frames.items())
    return (
        '<figure class="live-figure" role="group" aria-label="Live figure">'
        f'<form class="live-controls" autocomplete="off" hidden>{controls}</form>'
        f'<div class="live-frames">{pictures}</div>'
        '<p class="live-status" aria-live="polite"></p></figure>'
    )


def _check_page(name, frames):
    if len({frame.label for frame in frames}) < len(frames):
        raise ValueError(f"{name} gives two frames the same label; each needs its own.")
    size = sum(map(_size, frames))
    if size > BUDGET:
        raise ValueError(f"the {len(frames)} frames of {name} take {size} bytes; at most {BUDGET} may.")


def _size(frame):
    """The bytes that a frame takes in the page; a picture stands there in base64."""
    return len(frame.image.encode()) if isinstance(frame.image, str) else len(frame.image) * 4 // 3


def _picture(frame, shown):
    hidden = "" if shown else " hidden"
    if isinstance(frame.image, str):
        return f'<div role="group" aria-label="{html.escape(frame.label)}"{hidden}>{frame.image}</div>'
    return f'<img src="{_source(frame.image)}" alt="{html.escape(frame.label)}" decoding="sync"{hidden}>'


def _control(name, values, start):
    texts = [html.escape(_text(value)) for value in values]
    position = values.index(start)
    title = html.escape(_title(name))
    if _is_number(start):
        return (
            f'<div class="live-control" data-control="{name}"><label><span>{title}</span>'
            f'<input type="range" min="0" max="{len(values) - 1}" value="{position}" '
            f'data-values="{"|".join(texts)}" aria-valuetext="{texts[position]}"></label>'
            f"<output>{texts[position]}</output></div>"
        )
    buttons = "".join(
        f'<label><input type="radio" name="{name}" value="{i}"{" checked" * (i == position)}>'
        f"<span>{text}</span></label>"
        for i, text in enumerate(texts)
    )
    return (
        f'<fieldset class="live-control" data-control="{name}"><legend>{title}</legend>{buttons}</fieldset>'
    )

"""`explore`: the same frames through ipywidgets, without a front end, and through the page's HTML."""

import base64
import functools
import html
import io
import itertools
import re

import numpy as np
import pytest

pytest.importorskip("ipywidgets", reason="ipywidgets draws the controls; it comes with the extra `book`")
import ipywidgets
import matplotlib.pyplot as plt
from PIL import Image

from netinit import widgets
from netinit.plots import Text
from netinit.widgets import explore

CONTROLS = {"epoch": [0, 1, 2.5], "scheme": ["zeros", "<He>"]}


def draw(epoch, scheme):
    """A figure that differs for every combination."""
    fig, ax = plt.subplots(figsize=(3, 2))
    ax.bar([0, 1], [epoch, len(scheme)])
    ax.set(title=f"{scheme} {epoch}", ylim=(0, 6))
    fig.set_label(f"{scheme} after {epoch:g} epochs.")
    return fig


def controls_of(view):
    return {widget.description: widget for widget in view.children if hasattr(widget, "options")}


def shown(view):
    """The picture that a reader sees, and its alt text."""
    (widget,) = [widget for widget in view.children if isinstance(widget, ipywidgets.HTML)]
    source, alt = re.search(r'<img src="data:image/png;base64,([^"]+)" alt="([^"]*)"', widget.value).groups()
    return base64.b64decode(source), html.unescape(alt)


def test_a_function_that_holds_its_data_is_shown_under_its_own_name(monkeypatch):
    assert repr(explore(functools.partial(draw, scheme="He"), epoch=[1, 2])).startswith("explore(draw): ")
    monkeypatch.setenv(widgets.STATIC, "1")
    assert "He after 2 epochs." in explore(functools.partial(draw, scheme="He"), epoch=[1, 2]).page


def test_every_position_shows_its_own_picture_and_text():
    figure = explore(draw, **CONTROLS)
    view = figure.view()
    seen = set()
    for values in figure.grid():
        for name, widget in controls_of(view).items():
            widget.value = values[name]
        picture, text = shown(view)
        assert (picture, text) == figure.frame(**values)
        assert text == f"{values['scheme']} after {values['epoch']:g} epochs."
        seen.add((picture, text))
    assert len(seen) == len({picture for picture, _ in seen}) == 6


def test_numbers_make_a_slider_names_make_buttons_and_labels_have_spaces():
    kinds = controls_of(explore(draw, **CONTROLS).view())
    assert isinstance(kinds["epoch"], ipywidgets.SelectionSlider)
    assert isinstance(kinds["scheme"], ipywidgets.ToggleButtons)
    spaced = explore(lambda weight_std: draw(weight_std, "x"), weight_std=[1, 2])
    assert list(controls_of(spaced.view())) == ["weight std"]


def test_a_frame_is_drawn_when_asked_for_then_remembered_and_its_figure_closed():
    drawn = []

    def counted(epoch, scheme):
        drawn.append((epoch, scheme))
        return draw(epoch, scheme)

    before = plt.get_fignums()
    figure = explore(counted, **CONTROLS)
    assert drawn == []
    view = figure.view()
    assert drawn == [(0, "zeros")]
    for value in (1, 0, 1):
        controls_of(view)["epoch"].value = value
    assert drawn == [(0, "zeros"), (1, "zeros")]
    assert plt.get_fignums() == before


def test_start_and_play():
    view = explore(draw, play="epoch", start={"epoch": 1}, **CONTROLS).view()
    timer = next(widget for widget in view.children if isinstance(widget, ipywidgets.Play))
    assert controls_of(view)["epoch"].value == 1
    before = shown(view)
    timer.value = 2
    assert controls_of(view)["epoch"].value == 2.5
    assert shown(view) != before


def test_a_step_changes_one_trait_once():
    """Each change is a message of its own to the front end."""
    view = explore(draw, **CONTROLS).view()
    changed = []
    for widget in set(view.children) - set(controls_of(view).values()):
        widget.observe(lambda change: changed.append(change.name))
    controls_of(view)["epoch"].value = 2.5
    assert changed == ["value"]


def test_a_picture_keeps_its_size_and_names_the_sliders():
    (picture,) = [w for w in explore(draw, **CONTROLS).view().children if isinstance(w, ipywidgets.HTML)]
    fig = draw(0, "zeros")
    width, height = fig.canvas.get_width_height()
    plt.close(fig)
    assert f'width="{width}" height="{height}"' in picture.value
    assert html.escape("setAttribute('aria-label'") in picture.value


def test_controls_begin_at_one_line_and_show_whole_names():
    controls = controls_of(explore(draw, **CONTROLS).view())
    widths = {widget.style.description_width for widget in controls.values()}
    assert widths == {f"{len('scheme') + 1}ch"}
    assert controls["scheme"].style.button_width == "auto"


def test_text_output_is_the_same_in_every_run_and_place(monkeypatch):
    expected = "explore(draw): epoch in 3 values, scheme in 2 values, 6 frames"
    live, _ = explore(draw, **CONTROLS)._repr_mimebundle_()
    assert live["text/plain"] == expected
    assert set(live) == {"text/plain", "image/png", widgets.VIEW}
    monkeypatch.setenv(widgets.STATIC, "1")
    static, _ = explore(draw, **CONTROLS)._repr_mimebundle_()
    assert static["text/plain"] == expected
    assert set(static) == {"text/plain", "image/png", "text/html"}


@pytest.mark.parametrize("static", ["", "1"])
def test_every_output_carries_the_start_frame_as_a_picture(monkeypatch, static):
    monkeypatch.setenv(widgets.STATIC, static)
    data, metadata = explore(draw, start={"scheme": "<He>"}, **CONTROLS)._repr_mimebundle_()
    picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert picture.format == "PNG"
    assert metadata == {"image/png": {"alt": "<He> after 0 epochs."}}
    assert np.abs(np.asarray(picture.convert("RGB")).astype(int) - exact_pixels(0, "<He>")).max() <= 8


def test_a_text_has_no_picture():
    data, metadata = explore(write, depth=[2, 5])._repr_mimebundle_()
    assert set(data) == {"text/plain", widgets.VIEW}
    assert metadata == {}


def test_a_widget_that_makes_no_bundle_is_shown_all_the_same(monkeypatch):
    """As in Colab: a widget of ipywidgets 7 displays itself."""
    monkeypatch.delattr(ipywidgets.Widget, "_repr_mimebundle_", raising=False)
    figure = explore(draw, **CONTROLS)
    data, _ = figure._repr_mimebundle_()
    view = data[widgets.VIEW]
    assert (view["version_major"], view["version_minor"]) == (2, 0)
    assert re.fullmatch("[0-9a-f]{32}", view["model_id"])


def test_page_holds_every_frame_in_grid_order_and_shows_only_the_start(monkeypatch):
    monkeypatch.setenv(widgets.STATIC, "1")
    figure = explore(draw, play="epoch", start={"scheme": "<He>"}, **CONTROLS)
    images = re.findall(r"<img [^>]*>", figure.page)
    alts = ["zeros after 0", "&lt;He&gt; after 0", "zeros after 1", "&lt;He&gt; after 1", "zeros after 2.5"]
    for image, alt in zip(images, alts, strict=False):
        assert f'alt="{alt} epochs."' in image
    assert [" hidden" in image for image in images] == [True, False, True, True, True, True]
    assert figure.page.count("checked") == 1
    assert 'data-plays="epoch"' in figure.page


def test_page_pictures_are_the_figure_within_half_a_shade(monkeypatch):
    monkeypatch.setenv(widgets.STATIC, "1")
    page = explore(draw, epoch=[1], scheme=["He"]).page
    data = base64.b64decode(re.search(r"base64,([^\"]+)", page)[1])
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    assert np.abs(pixels - exact_pixels(1, "He")).max() <= 8


def test_a_frame_does_not_depend_on_the_ones_before():
    figure = explore(draw, **CONTROLS)
    for values in figure.grid():
        pixels = np.asarray(Image.open(io.BytesIO(figure.frame(**values).image)))
        np.testing.assert_array_equal(pixels, exact_pixels(**values))


def exact_pixels(epoch, scheme):
    """What Matplotlib draws by itself."""
    fig = draw(epoch, scheme)
    fig.canvas.draw()
    pixels = np.asarray(fig.canvas.buffer_rgba())[..., :3].astype(int)
    plt.close(fig)
    return pixels


def unlabelled(epoch):
    return plt.figure(figsize=(1, epoch))


def same_label(epoch):
    fig = plt.figure(figsize=(1, epoch))
    fig.set_label("the same")
    return fig


def noise(epoch):
    fig = plt.figure(figsize=(10, 10))
    fig.figimage(np.random.default_rng(epoch).integers(0, 255, (1000, 1000, 3), dtype=np.uint8))
    fig.set_label(f"noise {epoch}")
    return fig


WRONG_CALLS = [
    ({}, ValueError, "at least one control"),
    ({"epoch": []}, ValueError, "'epoch' has no values"),
    ({"epoch": [1, 1.0]}, ValueError, "only once"),
    ({"epoch": [1], "scheme": ["a", "a"]}, ValueError, "only once"),
    ({"epoch": [1, "a"]}, TypeError, "all numbers or all strings"),
    ({"epoch": [True, False]}, TypeError, "all numbers or all strings"),
    ({"epoch": [1], "scheme": ["a"], "play": "time"}, ValueError, "play is 'time'"),
    ({"epoch": [1], "scheme": ["a"], "play": "scheme"}, ValueError, "play is 'scheme'"),
    ({"epoch": [1], "scheme": ["a"], "start": {"depth": 1}}, ValueError, "start names 'depth'"),
    ({"epoch": [1], "scheme": ["a"], "start": {"epoch": 2}}, ValueError, "start sets 'epoch' to 2"),
    ({"epoch": [1], "scheme": ["a"], "depth": [1]}, TypeError, "unexpected keyword argument 'depth'"),
    ({"epoch": [1]}, TypeError, "missing a required argument: 'scheme'"),
]


@pytest.mark.parametrize(("arguments", "kind", "words"), WRONG_CALLS)
def test_wrong_call(arguments, kind, words):
    with pytest.raises(kind, match=re.escape(words)):
        explore(draw, **arguments)


def test_wrong_drawing():
    with pytest.raises(ValueError, match=r"unlabelled must describe its figure"):
        explore(unlabelled, epoch=[1]).view()
    with pytest.raises(TypeError, match=r"returned a int; it must return a Figure"):
        explore(lambda epoch: epoch, epoch=[1]).view()
    assert plt.get_fignums() == []


def test_what_draw_raises_names_its_frame_and_leaves_no_figure_open():
    def fragile(epoch):
        plt.figure()
        return 1 // (epoch - 2)

    with pytest.raises(ZeroDivisionError) as caught:
        explore(fragile, epoch=[2, 3]).view()
    assert caught.value.__notes__ == ["at the frame epoch=2"]
    assert plt.get_fignums() == []


def test_only_listed_values_have_a_frame():
    figure = explore(draw, epoch=[1, 2], scheme=["a"])
    for values in ({"epoch": 3, "scheme": "a"}, {"epoch": 1}, {"epoch": 1, "scheme": "a", "depth": 1}):
        with pytest.raises(ValueError, match=r"a frame needs a listed value for each of"):
            figure.frame(**values)


def test_controls_may_come_from_numpy():
    figure = explore(functools.partial(draw, scheme="a"), epoch=np.arange(3))
    assert repr(figure) == "explore(draw): epoch in 3 values, 3 frames"
    assert figure.frame(epoch=2).image


@pytest.mark.parametrize("control", [itertools.count(), (epoch for epoch in range(3)), 3])
def test_a_control_has_a_length(control):
    with pytest.raises(TypeError, match="control 'epoch' must be a list of values, got "):
        explore(functools.partial(draw, scheme="a"), epoch=control)


def test_nan_is_no_position_of_a_slider():
    with pytest.raises(TypeError, match="all numbers or all strings"):
        explore(draw, epoch=[1, float("nan")], scheme=["a"])


def test_the_text_of_a_large_figure_draws_nothing():
    figure = explore(lambda **_: None, **{name: range(1000) for name in "abcdef"})
    assert repr(figure).endswith(f"{1000**6} frames")


def test_the_build_stops_at_two_equal_labels_and_over_budget(monkeypatch):
    monkeypatch.setenv(widgets.STATIC, "1")
    with pytest.raises(ValueError, match="two frames the same label"):
        explore(same_label, epoch=[1, 2])
    with pytest.raises(ValueError, match=r"2 frames of noise take \d+ bytes; at most 400000"):
        explore(noise, epoch=[1, 2])


# --- frames of text ----------------------------------------------------------------------------------------


def write(depth):
    """A text that differs for every depth."""
    return Text(f"<pre>he_normal  # {depth}</pre>", f"Depth {depth}.")


def test_a_text_is_shown_as_html_and_its_name_is_not_repeated():
    view = explore(write, depth=[2, 5]).view()
    controls_of(view)["depth"].value = 5
    (text,) = (widget.value for widget in view.children if isinstance(widget, ipywidgets.HTML))
    assert text == "<pre>he_normal  # 5</pre>"


def test_texts_stand_in_the_page_as_elements_with_names(monkeypatch):
    monkeypatch.setenv(widgets.STATIC, "1")
    page = explore(write, depth=[2, 5], start={"depth": 5}).page
    assert '<div role="group" aria-label="Depth 2." hidden><pre>he_normal  # 2</pre></div>' in page
    assert '<div role="group" aria-label="Depth 5."><pre>he_normal  # 5</pre></div>' in page


def test_texts_count_towards_the_budget(monkeypatch):
    monkeypatch.setenv(widgets.STATIC, "1")
    with pytest.raises(ValueError, match="the 2 frames of long take 480000 bytes"):
        explore(long, n=[1, 2])


def long(n):
    return Text("é" * 120_000, f"{n}")

"""Every live figure of the built book, driven by real key presses: picture, value and text move together."""

import itertools
import re

import pytest
from visit import LIVE_PAGES, PAGES, SITE, WIDTH, visit

LIVE = re.compile(r'<figure class="live-figure"')
CHAPTER = re.compile(r"\d\d-")
PER_CHAPTER = 3

# What a reader perceives of one figure: the one visible frame, picture or text, its words, the control texts.
STATE = """(figure) => {
  const all = [...figure.querySelector('.live-frames').children];
  const shown = all.filter((frame) => frame.checkVisibility());
  const image = shown[0]?.matches('img');
  return {
    visible: shown.length,
    image,
    picture: image ? shown[0].src : shown[0]?.innerHTML,
    loaded: image ? shown[0].complete && shown[0].naturalWidth > 0 : shown[0]?.innerText.length > 0,
    alt: image ? shown[0].alt : shown[0]?.getAttribute('aria-label'),
    announced: figure.querySelector('.live-status').textContent,
    values: [...figure.querySelectorAll('.live-control')].map((control) =>
      (control.querySelector('output') ?? control.querySelector(':checked + span')).textContent),
    frames: all.length,
  };
}"""
LENGTHS = """(figure) => [...figure.querySelectorAll('.live-control')].map((control) => {
  const range = control.querySelector('input[type=range]');
  return range ? Number(range.max) + 1 : control.querySelectorAll('input').length;
})"""


def state(figure):
    """Return what is visible now; exactly one loaded frame with a text must be."""
    now = figure.evaluate(STATE)
    assert now["visible"] == 1
    assert now["loaded"]
    assert now["alt"].strip()
    return now


def with_frames(figure):
    """Wait until a figure has the frames that lie beside the page; they come when it is near."""
    figure.scroll_into_view_if_needed()
    figure.locator(".live-frames:not([data-frames]) > :nth-child(2)").wait_for(state="attached")
    return figure


def focus(figure, index):
    """Put the keyboard on a control: its slider, or its checked button."""
    figure.locator(".live-control").nth(index).locator("input[type=range], input:checked").first.focus()


def walk(page, figure, lengths):
    """Yield every grid position with its state; arrow keys alone lead from one to the next."""
    position, heading = [0] * len(lengths), [1] * len(lengths)
    for index in range(len(lengths)):
        rewind(page, figure, index)
    for _ in range(len(list(itertools.product(*map(range, lengths))))):
        yield tuple(position), state(figure)
        for index in reversed(range(len(lengths))):
            if 0 <= position[index] + heading[index] < lengths[index]:
                position[index] += heading[index]
                focus(figure, index)
                page.keyboard.press("ArrowRight" if heading[index] > 0 else "ArrowLeft")
                break
            heading[index] *= -1


def rewind(page, figure, index):
    """Bring a control to its first value by the keyboard."""
    focus(figure, index)
    control = figure.locator(".live-control").nth(index)
    if control.locator("input[type=range]").count():
        page.keyboard.press("Home")
    else:
        checked = control.locator("input").evaluate_all("(all) => all.findIndex((input) => input.checked)")
        for _ in range(checked):
            page.keyboard.press("ArrowLeft")


def check_grid(page, figure):
    """Drive a figure through its whole grid; each position has values, a name and a picture of its own.

    Frames that are read may share their words: one rule answers several questions.
    """
    lengths = figure.evaluate(LENGTHS)
    seen = {}
    for position, now in walk(page, figure, lengths):
        assert now["announced"] in ("", now["alt"])
        seen[position] = now
    assert set(seen) == set(itertools.product(*map(range, lengths)))
    for part in ("picture", "alt") if now["image"] else ("alt",):
        assert len({now[part] for now in seen.values()}) == len(seen), f"two positions share their {part}"
    assert len({tuple(now["values"]) for now in seen.values()}) == len(seen) == now["frames"]


def test_every_chapter_has_live_figures():
    cores = [path for path in PAGES if CHAPTER.match(path.stem) and path.parent.name != "deeper"]
    counts = {path.stem: len(LIVE.findall(path.read_text())) for path in cores}
    assert counts
    assert {name: count for name, count in counts.items() if count < PER_CHAPTER} == {}


def test_every_position_of_every_control_shows_its_own_picture_and_text(visited):
    visited.open_at(WIDTH)
    for figure in visited.page.locator(".live-figure").all():
        check_grid(visited.page, with_frames(figure))
    assert visited.faults == []


def test_controls_have_names_and_room_for_a_thumb(visited):
    visited.open_at(360)
    controls = visited.page.locator(".live-figure :is(input[type=range], input[type=radio], button)")
    for control in controls.all():
        box = control.bounding_box()
        assert min(box["height"], box["width"]) >= 44
        assert 0 <= box["x"] <= box["x"] + box["width"] <= 360
        assert control.evaluate("(e) => e.labels?.[0]?.textContent.trim() || e.textContent.trim()")


def check_play(page, button):
    """Start, pause and finish one running figure; the page's clock is ours, so this takes no time."""
    figure = button.locator("xpath=ancestor::figure[contains(@class, 'live-figure')]")
    slider = figure.locator(f"[data-control={button.get_attribute('data-plays')}] input")
    slider.focus()
    page.keyboard.press("Home")
    start = state(with_frames(figure))
    button.click()
    assert button.inner_text() == "Pause"
    page.clock.run_for(500)
    assert state(figure)["picture"] != start["picture"]
    button.click()
    paused = state(figure)
    page.clock.run_for(2000)
    assert state(figure)["picture"] == paused["picture"]
    button.click()
    page.clock.run_for(500 * 100)
    assert slider.input_value() == slider.get_attribute("max")
    assert button.inner_text() == "Play"
    assert state(figure)["announced"] == state(figure)["alt"]


@pytest.mark.parametrize("path", LIVE_PAGES, ids=lambda path: path.stem)
def test_play_runs_pauses_and_ends(browser, path):
    with visit(browser, path) as visited:
        visited.page.clock.install()
        visited.open_at(WIDTH)
        for button in visited.page.locator(".live-play").all():
            check_play(visited.page, button)
        assert visited.faults == []


@pytest.mark.parametrize("path", LIVE_PAGES, ids=lambda path: path.stem)
def test_the_first_frame_shows_without_javascript(browser, path):
    with visit(browser, path, java_script_enabled=False) as visited:
        visited.open_at(WIDTH)
        for figure in visited.page.locator(".live-figure").all():
            assert figure.locator(".live-frames > :visible").count() == 1
            assert not figure.locator(".live-controls").is_visible()


def test_the_grid_check_can_fail(browser, tmp_path):
    """Negative control: without its script, a figure shows the same frame at every position."""
    source = LIVE_PAGES[0].read_text()
    start = LIVE.search(source).start()
    figure = source[start : source.index("</figure>", start)].replace(' autocomplete="off" hidden', "")
    figure = figure.replace('src="../', f'src="{SITE.as_uri()}/')
    page = tmp_path / "dead.html"
    page.write_text(f'<!doctype html><link rel="icon" href="data:,">{figure}</figure>')
    with (
        visit(browser, page) as visited,
        pytest.raises(AssertionError, match="two positions share their picture"),
    ):
        check_grid(visited.page, visited.page.locator(".live-figure"))

"""The playground, opened from disk and used as a reader does: pictures, words and address say the same."""

import re

import pytest
from visit import SHIFT, SITE, WIDTH, visit

PAGE = SITE / "book" / "playground.html"
WEIGHT = 250_000  # bytes: the page and its own files, without the theme
DRAWN = "() => document.querySelectorAll('.pg-ridge').length === 2 && " + (
    "[...document.querySelectorAll('.pg-ridge, .pg-panel.rms svg')].every((svg) => svg.querySelector('path'))"
)
# A line of a chart as heights, and the ticks of its axis: heights with what is written there.
HEIGHTS = """([key, side]) => {
  const svg = document.querySelector(`.pg-panel.${key} svg`), line = svg.querySelector(`.line.${side}`);
  return {
    ticks: [...svg.querySelectorAll('text.y')].map((e) => [Number(e.getAttribute('y')) - 4, e.textContent]),
    heights: line.getAttribute('d').slice(1).split('L').map((point) => Number(point.split(' ')[1])),
  };
}"""
# Of 200 random experiments, those that their address does not give back.
ROUND_TRIPS = """() => {
  const one = (all) => all[Math.floor(Math.random() * all.length)];
  const names = Object.keys(Playground.PRESETS[Playground.FIRST].a);
  const options = (name) => [...document.getElementById(`a-${name}`).options].map((option) => option.value);
  const choice = (name) => one(Playground.VALUES[name] ?? options(name));
  const side = () => Object.fromEntries(names.map((name) => [name, choice(name)]));
  const sorted = (experiment) => JSON.stringify(experiment, ['a', 'b', ...names]);
  return Array.from({length: 200}, () => ({a: side(), b: side()}))
    .filter((each) => sorted(Playground.read(Playground.write(each))) !== sorted(each)).map(sorted);
}"""
# Training as the worker does it, but in the page.
TRAIN_HERE = """() => {
  const run = Playground.engine.createRun(Playground.PRESETS[Playground.FIRST].b);
  setInterval(() => { for (const end = performance.now() + 60; performance.now() < end;) run.step(); });
}"""
FOCUSED = """() => {
  const {id, dataset, className, tagName} = document.activeElement;
  return id || dataset.do || className || tagName;
}"""
MALFORMED = [
    "depth=500",
    "depth=2.5",
    "seed=",
    "lr=-1",
    "initializer=nonsense",
    "initializer=he,he,he",
    "activation=toString",
    "constructor=1",
    "free-text",
]


@pytest.fixture
def page(browser):
    """The page with its start drawn; whatever a test does, nothing may complain."""
    with visit(browser, PAGE) as visited:
        visited.page.wait_for_function(DRAWN)
        yield visited.page
        assert visited.faults == []


def press(page, action):
    page.locator(f"[data-do={action}]").click()


def step(page):
    """The step that the page tells, of both networks."""
    return int(re.match(r"step (\d+)", page.locator(".pg-clock").inner_text())[1])


def wait_for_step(page, condition):
    told = "parseInt(document.querySelector('.pg-clock').textContent.slice(5))"
    page.wait_for_function(f"() => {{ const n = {told}; return {condition}; }}")


def test_the_start_is_drawn_before_the_first_step(page):
    assert step(page) == 0
    for side in "ab":
        assert page.locator(f".pg-side.{side} .pg-ridge path").count() == 31  # thirty layers and the output
        assert page.locator(f".pg-panel.gradientRms .line.{side}").count() == 1
        assert page.locator(f".pg-panel.loss .value.{side}").inner_text().startswith(f"{side.upper()} 2.")
    pixels = page.evaluate(
        "() => document.querySelector('canvas').getContext('2d').getImageData(0, 0, 60, 60).data.join()"
    )
    assert len(set(pixels.split(","))) > 10


def test_every_story_has_its_experiment_and_leads_to_its_chapter(page):
    names = page.evaluate("() => Object.keys(Playground.PRESETS)")
    assert sorted(
        page.evaluate("() => [...document.querySelectorAll('.pg-story')].map((e) => e.id)")
    ) == sorted(f"preset-{name}" for name in names)
    for name in names:
        link = page.locator(f".pg-presets a[href='#preset-{name}']")
        link.click()
        page.wait_for_function(f"() => document.querySelector('#preset-{name}.chosen')")
        assert page.locator(".pg-story > p:visible").count() == 1
        assert page.locator(".pg-story > p:visible strong").inner_text() == f"{link.inner_text()}."
        assert page.locator(".pg-presets a[aria-current=true]").count() == 1
        page.evaluate(
            f"() => ['a', 'b'].forEach((side) => Playground.engine.check(Playground.PRESETS['{name}'][side]))"
        )
    links = page.locator(".pg-story a").evaluate_all(
        "(all) => all.map((a) => a.getAttribute('href').split('#')[0])"
    )
    assert all((PAGE.parent / link).exists() for link in links)
    assert len(links) >= len(names)


def test_an_address_opens_the_experiment_that_wrote_it(page):
    assert page.evaluate(ROUND_TRIPS) == []
    page.locator("#a-initializer").select_option("orthogonal")
    page.locator("#b-depth").fill("6")
    address = page.evaluate("() => location.hash")
    assert "initializer=orthogonal,he" in address
    assert "depth=30,7" in address
    friend = page.context.new_page()
    friend.goto(PAGE.as_uri() + address)
    friend.wait_for_function(DRAWN)
    assert friend.locator("#a-initializer").input_value() == "orthogonal"
    assert friend.locator("#b-depth").input_value() == "6"
    assert friend.evaluate("() => location.hash") == address


def test_the_link_is_copied(page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    press(page, "seed")
    press(page, "copy")
    page.wait_for_function("() => document.querySelector('.pg-status').textContent.includes('copied')")
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied == page.url
    assert "seed=2" in copied


def test_a_malformed_address_is_told_and_ignored(page):
    start = page.evaluate("() => location.hash")
    for text in MALFORMED:
        page.evaluate(f"() => {{ location.hash = '{text}'; }}")
        page.wait_for_function(
            f"() => document.querySelector('.pg-status').textContent.includes('asks for {text}')"
        )
        assert page.evaluate("() => location.hash") == start


def test_step_play_pause_and_reset(page):
    page.evaluate("() => { location.hash = 'preset-all-zeros'; }")
    page.wait_for_function("() => document.querySelectorAll('.pg-side.a .pg-ridge path').length === 4")
    press(page, "step")
    wait_for_step(page, "n === 1")
    press(page, "play")
    assert page.locator("[data-do=play]").inner_text() == "Pause"
    wait_for_step(page, "n > 5")
    press(page, "play")
    page.wait_for_function("() => document.querySelector('.pg-status').textContent.startsWith('Paused')")
    page.wait_for_timeout(300)  # the worker ends its slice
    paused = step(page)
    page.wait_for_timeout(300)
    assert step(page) == paused
    assert page.locator(".pg-panel.loss .line.b").get_attribute("d").count("L") > 3
    press(page, "reset")
    wait_for_step(page, "n === 0")


def test_the_keyboard_reaches_and_moves_everything(page):
    page.locator(".pg-presets a").first.focus()
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(FOCUSED))
    assert {
        "play",
        "step",
        "reset",
        "seed",
        "copy",
        "a-initializer",
        "a-depth",
        "b-activation",
        "pg-same",
    } <= set(reached)
    page.locator("#a-depth").focus()
    page.keyboard.press("ArrowRight")
    assert "depth=31,30" in page.evaluate("() => location.hash")
    assert page.locator("#a-depth").get_attribute("aria-valuetext") == "31"
    page.locator("[data-do=step]").focus()
    page.keyboard.press("Enter")
    wait_for_step(page, "n >= 1")


def test_controls_have_names_and_room_for_a_thumb(page):
    page.set_viewport_size({"width": 360, "height": 800})
    page.evaluate("() => document.querySelectorAll('details').forEach((box) => { box.open = true; })")
    for control in page.locator(".playground :is(select, button, input[type=range]):visible").all():
        box = control.bounding_box()
        assert min(box["height"], box["width"]) >= 44
        assert box["x"] + box["width"] <= 360
        assert control.evaluate("(e) => e.labels?.[0]?.textContent.trim() || e.textContent.trim()")


def test_what_both_share_changes_on_both_sides_until_the_switch_is_off(page):
    page.evaluate("() => document.querySelectorAll('details').forEach((box) => { box.open = true; })")
    page.locator("#a-data").select_option("circles")
    assert page.locator("#b-data").input_value() == "circles"
    page.locator(".pg-same").uncheck()
    page.locator("#a-data").select_option("digits")
    assert "data=digits,circles" in page.evaluate("() => location.hash")
    page.locator(".pg-same").check()
    assert page.locator("#b-data").input_value() == "digits"


def test_overflow_and_refusal_are_told_in_words(page):
    page.evaluate("() => { location.hash = 'preset-residual-sums'; }")
    page.wait_for_function("() => document.querySelectorAll('.pg-side.a .pg-ridge path').length === 27")
    for _ in range(3):
        press(page, "step")
    page.wait_for_function(
        "() => document.querySelector('.pg-side.a .pg-told').textContent.startsWith('Overflow at step')"
    )
    assert page.locator(".pg-side.a .pg-told").get_attribute("role") == "status"
    assert page.locator(".pg-side.b .pg-told").inner_text() == ""
    assert page.locator(".pg-panel.loss .value.a").inner_text() == "A overflow"
    page.locator("#b-initializer").select_option("he")
    page.locator(".pg-side.a summary").click()
    page.locator("#a-kind").select_option("plain")
    page.locator("#a-initializer").select_option("fixup")
    page.wait_for_function(
        "() => document.querySelector('.pg-side.a .pg-told').textContent.includes('fixup')"
    )
    assert not page.locator(".pg-side.a .pg-pictures").is_visible()


@pytest.mark.parametrize(("key", "column"), [("rms", 0), ("gradientRms", 1)])
def test_the_table_says_what_the_chart_shows(page, key, column):
    page.locator(".pg-table > summary").click()
    page.wait_for_function("() => document.querySelectorAll('table.b tbody tr').length === 31")
    for side in "ab":
        shown = axis_values(**page.evaluate(HEIGHTS, [key, side]))
        cells = page.locator(f"table.{side} tbody tr").evaluate_all(
            f"(rows) => rows.map((row) => row.querySelectorAll('td')[{column}].textContent)"
        )
        assert shown == pytest.approx([number(cell) for cell in cells], rel=0.1)


def number(text):
    """The number that a cell or a tick says, such as 1.9×10⁻⁵ or 10⁻⁵."""
    plain = text.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-"))
    return float(
        plain.replace("×10", "e") if "×" in plain or "-" not in plain else plain.replace("10-", "1e-")
    )


def axis_values(ticks, heights):
    """Heights as numbers, by the lowest and the highest tick of a logarithmic axis."""
    (low_y, low), (high_y, high) = ((y, number(text)) for y, text in (ticks[0], ticks[-1]))
    return [low * (high / low) ** ((y - low_y) / (high_y - low_y)) for y in heights]


def test_on_paper_every_story_is_read(page):
    stories = page.locator(".pg-story > p:visible")
    assert stories.count() == 1
    page.emulate_media(media="print")
    assert stories.count() == page.locator(".pg-presets a").count()
    tops = stories.evaluate_all("(all) => all.map((story) => story.getBoundingClientRect().top)")
    assert len(set(tops)) == len(tops)


@pytest.mark.parametrize("width", [360, WIDTH])
@pytest.mark.parametrize("name", ["thirty-layers", "all-zeros", "residual-sums"])
def test_nothing_moves_while_the_page_comes_to_life_and_trains(browser, name, width):
    with visit(browser, PAGE, width) as visited:
        visited.page.goto("about:blank")
        visited.page.goto(f"{PAGE.as_uri()}#preset-{name}")
        visited.page.wait_for_function(DRAWN)
        assert visited.page.evaluate(SHIFT) < 0.02
        press(visited.page, "play")
        wait_for_step(visited.page, "n > 10")
        visited.page.wait_for_timeout(1000)  # what comes soon after a press is taken for the reader's doing
        assert visited.page.evaluate(SHIFT) < 0.02


def test_the_presets_leave_a_phone_room_for_the_story(browser):
    with visit(browser, PAGE, 360) as visited:
        page = visited.page
        page.locator(".pg-presets a").last.focus()
        page.keyboard.press("Enter")
        page.wait_for_function("() => document.querySelector('#preset-normalized.chosen')")
        row = page.locator(".pg-presets ul").bounding_box()
        chosen = page.locator(".pg-presets a[aria-current=true]").bounding_box()
        assert row["height"] < 70
        assert row["x"] <= chosen["x"]
        assert chosen["x"] + chosen["width"] <= row["x"] + row["width"]


def busy(page, seconds=3):
    """The share of its time in which the page's own thread computes or draws."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})  # not the time in which others run

    def taken():
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(each["value"] for each in metrics if each["name"] == "TaskDuration")

    before = taken()
    page.wait_for_timeout(1000 * seconds)
    return (taken() - before) / seconds


def test_the_page_stays_free_while_the_worker_trains(page):
    press(page, "play")
    wait_for_step(page, "n > 20")  # what runs first is not compiled yet
    assert busy(page) < 0.6  # the benchmark says what this makes: 60 frames a second
    press(page, "play")
    page.evaluate(TRAIN_HERE)
    assert any(busy(page) > 0.8 for _ in range(5))  # on a machine that others use it waits for its turn


def test_the_page_is_light(browser):
    with visit(browser, PAGE) as visited:
        names = {
            url.split("#")[0].split("?")[0].split("/_static/")[1]
            for url in visited.requests
            if "/_static/playground/" in url
        }
    assert len(names) > 10
    assert PAGE.stat().st_size + sum((SITE / "_static" / name).stat().st_size for name in names) <= WEIGHT


def test_other_pages_load_none_of_it(browser):
    with visit(browser, SITE / "book" / "rules.html") as visited:
        assert not any("_static/playground/" in url for url in visited.requests)


def test_without_a_script_the_stories_are_read(browser):
    with visit(browser, PAGE, java_script_enabled=False) as visited:
        stories = visited.page.locator(".pg-story > p")
        assert stories.count() == visited.page.locator(".pg-story > p:visible").count() > 5
        assert "needs JavaScript" in visited.page.locator(".pg-dead").inner_text()
        assert not visited.page.locator(".playground").is_visible()

"""What `make audit` measures, held: axe-core, the Tab key, layout, console, other hosts, no JavaScript."""

import json
import re
import sys

import pytest
from visit import CORES, LIVE_PAGES, PAGES, SHIFT, SITE, WIDTH, visit

sys.path.insert(0, str(SITE.parents[1] / "tools"))

import page_checks
from gzip_server import serving

MOST_STOPS = 40  # of the Tab key, up to the first control of a live figure
# The kinds of pages: a chapter with every form, the playground, lists, tables, the search.
SAMPLE = [
    path
    for path in PAGES
    if path.stem
    in ("intro", "playground", "05-xavier", "12-choosing", "bibliography", "rules", "search", "genindex")
]
SCROLLING_FORMULAS = """() => [...document.querySelectorAll('.math')]
  .filter((box) => getComputedStyle(box).overflowX === 'auto' && box.scrollWidth > box.clientWidth + 1)
  .map((box) => box.textContent.slice(0, 80))"""


@pytest.mark.parametrize("path", SAMPLE, ids=lambda path: f"{path.parent.name}-{path.stem}")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_core_finds_nothing_in_a_page_in_use(browser, path, theme):
    with visit(browser, path) as visited:
        assert page_checks.axe_faults(visited.page, theme) == []


@pytest.mark.parametrize("path", LIVE_PAGES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_first_figure_is_near_for_the_tab_key(browser, path):
    with visit(browser, path) as visited:
        stops = page_checks.tab_stops(visited.page, figure_only=True)
        assert page_checks.stops_to_figure(stops) <= MOST_STOPS


def test_no_formula_is_a_stop_or_a_box_that_scrolls(visited):
    visited.open_at(WIDTH)
    assert visited.page.locator("mjx-container[tabindex]").count() == 0
    assert visited.page.evaluate(SCROLLING_FORMULAS) == []


def test_every_picture_has_its_size_in_the_page(visited):
    # A frame that came with its figure's script is data, which takes no time to arrive.
    lacking = (
        "[...document.querySelectorAll('img:not([width], [src^=\"data:\"])')].map((img) => img.outerHTML)"
    )
    assert visited.page.evaluate(f"() => {lacking}") == []


@pytest.mark.parametrize("path", SAMPLE, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_nothing_moves_while_a_page_loads(browser, path):
    with visit(browser, path) as visited:
        assert visited.page.evaluate(SHIFT) < 0.02


@pytest.mark.parametrize("path", LIVE_PAGES[:1], ids=lambda path: path.stem)
def test_frames_come_with_their_figure(browser, path):
    with visit(browser, path) as visited:
        visited.open_at(WIDTH)
        last = visited.page.locator(".live-figure").last
        script = last.locator(".live-frames").get_attribute("data-frames").removeprefix("../")
        assert not any(url.endswith(script) for url in visited.requests)
        last.scroll_into_view_if_needed()
        last.locator(".live-frames > :nth-child(2)").wait_for(state="attached")
        assert any(url.endswith(script) for url in visited.requests)


LAID_OUT = "(box) => box.checkVisibility({contentVisibilityAuto: true})"


@pytest.mark.parametrize("path", CORES[:1], ids=lambda path: path.stem)
def test_a_section_is_laid_out_when_it_comes_near(browser, path):
    with visit(browser, path) as visited:
        box = visited.page.locator(".bd-article > section > section > .cell > .cell_input pre").last
        assert not box.evaluate(LAID_OUT)
        visited.page.add_style_tag(content=".bd-article pre { white-space: pre !important; width: 3em; }")
        box.scroll_into_view_if_needed()
        visited.page.wait_for_function(LAID_OUT, arg=box.element_handle())
        # A box that scrolls becomes a stop of the Tab key then.
        visited.page.wait_for_function("(box) => box.tabIndex === 0", arg=box.element_handle())


@pytest.mark.parametrize("width", [360, WIDTH])
@pytest.mark.parametrize("path", CORES[::5], ids=lambda path: path.stem)
def test_an_address_in_a_far_section_leads_there(browser, path, width):
    with visit(browser, path, width=width) as visited:
        page = visited.page
        for number in (-1, -3, 2):
            name = page.locator(".bd-article > section > section").nth(number).get_attribute("id")
            page.goto(f"{path.as_uri()}#{name}")
            page.wait_for_timeout(500)
            top = page.locator(f"[id='{name}']").bounding_box()["y"]
            end = page.evaluate("document.documentElement.scrollHeight - innerHeight - scrollY")
            assert -5 <= top <= 120 or end < 2
            assert page.evaluate(SHIFT) < 0.02


def test_a_control_that_moves_before_its_frames_are_there_shows_its_frame(browser):
    with visit(browser, LIVE_PAGES[0]) as visited:
        last = visited.page.locator(".live-figure:visible").last
        control = last.locator(".live-controls input:not(:checked)").first
        control.evaluate(
            """(input) => {
              if (input.type === 'range') input.value = input.value === input.max ? input.min : input.max;
              else input.checked = true;
              input.dispatchEvent(new Event('input', {bubbles: true}));
            }"""
        )
        last.locator(".live-frames > :nth-child(2)").wait_for(state="attached")
        shown = last.locator(".live-frames > :not([hidden])")
        assert shown.count() == 1
        assert shown.evaluate(
            "(frame) => frame.previousElementSibling !== null || frame.src?.startsWith('data:')"
        )


def test_a_control_that_gets_the_focus_brings_its_picture_into_view(browser):
    with visit(browser, LIVE_PAGES[0]) as visited:
        page = visited.page
        figure = page.locator(".live-figure").first
        control = figure.locator("input:checked, input[type=range]").first
        # The controls stand at the foot of the window, and the key comes from what is before them.
        figure.evaluate(
            """(figure) => {
              const button = document.createElement('button');
              figure.before(button);
              button.focus({preventScroll: true});
              const input = figure.querySelector('input').getBoundingClientRect();
              window.scrollBy(0, input.bottom - innerHeight + 5);
            }"""
        )
        page.keyboard.press("Tab")
        assert control.evaluate("(input) => input === document.activeElement")
        box = figure.locator(".live-frames").bounding_box()
        assert box["y"] + box["height"] <= page.viewport_size["height"] + 1


def test_the_search_from_disk_finds_pages_and_is_quiet(browser):
    with visit(browser, SITE / "search.html") as visited:
        visited.page.goto(f"{(SITE / 'search.html').as_uri()}?q=orthogonal")
        visited.page.locator("#search-results li a").first.wait_for()
        visited.page.wait_for_timeout(500)
        assert visited.faults == []


@pytest.mark.parametrize(
    "name",
    ["book/05-xavier.html", "book/intro.html", "book/playground.html", "search.html?q=orthogonal"],
)
def test_a_policy_that_forbids_other_hosts_forbids_nothing_here(browser, name):
    context = browser.new_context(viewport={"width": WIDTH, "height": 900})
    said, asked = [], []
    with serving(SITE) as address:
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{address}/{name}", wait_until="networkidle")
        page.evaluate("() => window.scrollTo(0, document.body.scrollHeight)")
        page.wait_for_load_state("networkidle")
        assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
        assert said == []
    context.close()


def test_without_javascript_formulas_folds_and_start_frames_are_readable(browser):
    with visit(browser, SITE / "book" / "05-xavier.html", java_script_enabled=False) as visited:
        page = visited.page
        assert page.locator("article .math mjx-c").first.evaluate("(sign) => sign.offsetWidth > 0")
        assert page.locator("article .math").first.evaluate(r"(box) => !/\\\(/.test(box.textContent)")
        assert page.locator("article .solution p").nth(1).is_visible()
        page.locator("article details summary").first.click()
        assert page.locator("article details pre").first.is_visible()
        assert page.locator(".live-frames img").first.evaluate("(img) => img.naturalWidth > 0")
        assert visited.faults == []


def test_of_mathjax_the_site_ships_fonts_and_rules_and_of_icons_no_font():
    names = {path.relative_to(SITE).as_posix() for path in SITE.rglob("*") if path.is_file()}
    assert {"_static/formulas.css", "_static/mathjax/license.txt"} <= names
    assert [name for name in names if "mathjax" in name and not name.endswith((".woff", "license.txt"))] == []
    unwanted = re.compile(r"tex-\w+\.js$|/sre/|/svg|mml-chtml|fontawesome|\.map$|/locales/")
    assert [name for name in names if name.startswith("_static/") and unwanted.search(name)] == []


# The fonts of MathJax have signs of their own there, such as the parts of a large root.
GLYPHS_WITHOUT_FONT = """() => [...document.querySelectorAll(':not(mjx-container *)')].flatMap((element) =>
  ['::before', '::after'].map((part) => getComputedStyle(element, part).content)
    .filter((content) => /[\\ue000-\\uf8ff]/.test(content)).map(() => element.outerHTML.slice(0, 80)))"""


def test_no_icon_asks_for_a_font_that_is_not_there(visited):
    assert visited.page.evaluate(GLYPHS_WITHOUT_FONT) == []


def test_every_icon_of_the_pages_is_drawn():
    rules = (SITE / "_static" / "icons.css").read_text(encoding="utf-8")
    drawn = set(re.findall(r"^\.(fa-[\w-]+) ", rules, re.MULTILINE))
    sizes = {"fa-lg", "fa-solid", "fa-brands", "fa-regular"}
    classes = re.compile(r'<(?:i|span) class="([^"]*\bfa-[^"]*)"')
    used = {word for path in PAGES for words in classes.findall(path.read_text()) for word in words.split()}
    assert {word for word in used if word.startswith("fa-")} - sizes - drawn == set()


def test_frames_lie_beside_the_pages():
    scripts = list((SITE / "_frames").glob("*.js"))
    assert scripts
    frames = json.loads(re.search(r"\((?:[\w.]+), (.*)\);\n$", scripts[0].read_text(), re.DOTALL).group(1))
    assert frames.count(None) == 1
    assert not any('src="data:' in path.read_text() for path in LIVE_PAGES)

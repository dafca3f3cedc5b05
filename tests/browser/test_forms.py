"""Predictions and links into folds: with a mouse, a keyboard, a phone, on paper, without a script."""

import forms_book
import pytest
from visit import WIDTH, visit

DECAY, RATIO = "#prediction-decay", "#prediction-ratio"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """The page with every form, built once."""
    return forms_book.build(tmp_path_factory.mktemp("forms"))


@pytest.fixture
def page(browser, path):
    """The page, freshly opened; nothing that a test does may make it complain."""
    with visit(browser, path) as visited:
        yield visited.page
        assert visited.faults == []


def verdict(page, box):
    return page.locator(f"{box} [role=status]").inner_text().replace("\xa0", " ")


def fold(page, box):
    return page.locator(f"{box} details.prediction-fold")


def is_open(page, box):
    return fold(page, box).evaluate("(fold) => fold.open")


def test_nothing_is_told_before_the_reader_asks(page):
    for box in (DECAY, RATIO):
        assert not is_open(page, box)
        assert verdict(page, box) == ""
        assert not page.locator(f"{box} .prediction-answer").is_visible()
    assert not page.locator(f"{DECAY} .live-figure").is_visible()


CHOICES = {
    1: "You chose 1. It is 3: less than a billionth",
    3: "You chose 3, and that is what happens. It is 3: less than a billionth",
}


@pytest.mark.parametrize("choice", CHOICES)
def test_the_keyboard_alone_chooses_and_checks(page, choice):
    page.locator(f"{DECAY} input").first.focus()
    page.keyboard.press("Space")
    for _ in range(choice - 1):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert verdict(page, DECAY).startswith(CHOICES[choice])
    assert is_open(page, DECAY)
    assert page.evaluate("document.activeElement.textContent") == "Check"


def test_the_sentence_that_compares_holds_formulas_and_code(page):
    page.locator(DECAY).evaluate("(box) => { box.dataset.answer = '2'; }")
    answer = (
        page.locator(f"{DECAY} .prediction-choices .prediction-what").nth(1).evaluate("(e) => e.innerHTML")
    )
    page.locator(f"{DECAY} .prediction-answer").evaluate("(e, html) => { e.innerHTML = html; }", answer)
    page.locator(f"{DECAY} label").nth(1).click()
    page.locator(f"{DECAY} button.prediction-check").click()
    assert page.locator(f"{DECAY} [role=status] mjx-container").count() == 1
    assert page.locator(f"{DECAY} [role=status] code").inner_text() == "x * 0.001"


def test_the_answer_is_said_once(page):
    page.locator(f"{DECAY} label").first.click()
    page.locator(f"{DECAY} button.prediction-check").click()
    assert not page.locator(f"{DECAY} .prediction-answer").is_visible()


def test_a_fold_opened_without_a_choice_tells_the_answer(page):
    page.locator(f"{DECAY} details.prediction-fold > summary").click()
    assert page.locator(f"{DECAY} .prediction-answer").is_visible()


OUTCOME = f"{DECAY} + p"
HINT = f"{DECAY} .prediction-hint"


def is_out_of_focus(page):
    return page.locator(OUTCOME).evaluate("(e) => getComputedStyle(e).filter") != "none"


def check_the_first(page):
    page.locator(f"{DECAY} label").first.click()
    page.locator(f"{DECAY} button.prediction-check").click()


UNVEIL = {
    "an answer": check_the_first,
    "the fold": lambda page: page.locator(f"{DECAY} details.prediction-fold > summary").click(),
    "a touch": lambda page: page.locator(OUTCOME).click(),
}


@pytest.mark.parametrize("way", UNVEIL)
def test_the_next_paragraph_is_out_of_focus_until_the_reader_wants_it(page, way):
    assert is_out_of_focus(page)
    assert page.locator(HINT).is_visible()
    UNVEIL[way](page)
    page.wait_for_function("() => !document.querySelector('#prediction-decay .prediction-hint')")
    assert not is_out_of_focus(page)


def test_checking_nothing_opens_nothing(page):
    page.locator(f"{DECAY} button.prediction-check").click()
    assert verdict(page, DECAY) == "Choose an answer first, or open the fold to see what happens."
    page.locator(f"{RATIO} button.prediction-check").click()
    assert verdict(page, RATIO).startswith("Enter a number such as 12 or 0.5")
    assert not is_open(page, DECAY)
    assert not is_open(page, RATIO)
    assert is_out_of_focus(page)


CLOSE = " Your number is close."
NUMBERS = {
    "0.83": f"You said 0.83. It is 0.83 times smaller.{CLOSE}",
    "0,8": f"You said 0.8. It is 0.83 times smaller.{CLOSE}",
    " 0.9 ": f"You said 0.9. It is 0.83 times smaller.{CLOSE}",
    "0.92": "You said 0.92. It is 0.83 times smaller.",
    "−0.83": "You said -0.83. It is 0.83 times smaller.",
    "1e3": "You said 1000. It is 0.83 times smaller.",
}


def enter(page, text):
    page.locator(f"{RATIO} input").fill(text)
    page.locator(f"{RATIO} input").press("Enter")
    return verdict(page, RATIO)


def test_a_number_may_have_a_point_or_a_comma(page):
    assert {text: enter(page, text) for text in NUMBERS} == NUMBERS
    assert is_open(page, RATIO)


def test_what_is_no_number_opens_nothing(page):
    for text in ("much", "1.000,5", "1/3", "Infinity"):
        assert enter(page, text).startswith("Enter a number")
        assert not is_open(page, RATIO)


def test_a_screen_reader_hears_group_question_and_choices(page):
    tree = page.locator(DECAY).aria_snapshot()
    assert '- group "Predict 1"' in tree
    assert '- radio "about a tenth"' in tree
    assert '- button "Check"' in tree
    assert "- status" in tree
    assert '- textbox "Your number times smaller"' in page.locator(RATIO).aria_snapshot()
    described = page.locator(f"{DECAY} fieldset").get_attribute("aria-describedby")
    assert "what is left of the" in page.locator(f"#{described}").inner_text()


def test_a_live_figure_in_a_fold_works_when_opened(page):
    page.locator(f"{DECAY} details.prediction-fold > summary").click()
    picture = page.locator(f"{DECAY} .live-frames img:visible")
    assert picture.count() == 1
    assert picture.evaluate("(img) => img.complete && img.naturalWidth > 0 && img.clientWidth > 300")
    first = picture.get_attribute("alt")
    page.locator(f"{DECAY} .live-frames > :nth-child(2)").wait_for(
        state="attached"
    )  # they come when it is seen
    page.locator(f"{DECAY} .live-figure input").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(f"{DECAY} .live-frames img:visible").get_attribute("alt") != first


TARGETS = ["#equation-in-the-fold", "#in-the-fold-too", "#in-the-solution"]
SEEN = """(target) => {
  const place = document.querySelector(target);
  return place.checkVisibility({visibilityProperty: true}) && place.getBoundingClientRect().top >= 0;
}"""


def test_a_link_into_a_closed_fold_opens_it(page):
    for target in TARGETS:
        link = page.locator(f'article a[href="{target}"]').first
        fold(page, DECAY).evaluate("(fold) => { fold.open = false; }")
        assert not page.evaluate(SEEN, target)
        link.click()
        page.wait_for_function(SEEN, arg=target)


def test_a_second_click_on_the_same_link_opens_the_fold_again(page):
    target = "#in-the-solution"
    for _ in range(2):
        page.locator(f'article a[href="{target}"]').first.click()
        page.wait_for_function(SEEN, arg=target)
        page.locator(".solution .toggle-button").click()
        assert not page.evaluate(SEEN, target)


def test_an_address_into_a_closed_fold_opens_it(page, path):
    for target in TARGETS:
        page.goto("about:blank")
        page.goto(path.as_uri() + target, wait_until="load")
        page.wait_for_function(SEEN, arg=target)


def test_another_address_opens_nothing(page, path):
    for target in ("", "#no-such-place", "#exercises"):
        page.goto("about:blank")
        page.goto(path.as_uri() + target, wait_until="load")
        assert not is_open(page, DECAY)


def test_closed_folds_are_printed(page):
    page.emulate_media(media="print")
    shown = "(e) => { const box = e.getBoundingClientRect(); return e.checkVisibility() && box.height > 0; }"
    for place in (
        f"{DECAY} .prediction-answer",
        f"{DECAY} .live-frames img >> nth=0",
        "#equation-in-the-fold",
    ):
        assert page.locator(place).evaluate(shown), place
    assert not page.locator(f"{DECAY} button.prediction-check").is_visible()
    assert not page.locator(HINT).is_visible()
    assert not is_out_of_focus(page)


def test_without_a_script_it_is_a_list_and_a_fold(browser, path):
    with visit(browser, path, java_script_enabled=False) as visited:
        page = visited.page
        assert page.locator(f"{DECAY} .prediction-choices li").count() == 3
        assert page.locator(f"{DECAY} .prediction-choices li:visible").count() == 3
        assert not page.locator(f"{DECAY} button.prediction-check").is_visible()
        assert not is_out_of_focus(page)
        page.locator(f"{RATIO} input").fill("1")
        page.locator(f"{RATIO} input").press("Enter")
        assert page.url == path.as_uri()
        page.locator(f"{DECAY} details.prediction-fold > summary").click()
        assert page.locator(f"{DECAY} .prediction-answer").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, WIDTH])
def test_it_fits_and_leaves_room_for_a_thumb(browser, path, width, scheme):
    with visit(browser, path, color_scheme=scheme) as visited:
        visited.open_at(width)
        assert visited.page.evaluate("document.documentElement.scrollWidth") == width
        controls = visited.page.locator(
            ".prediction :is(label, .prediction-check, input[type=text], .prediction-fold > summary)"
        )
        assert (
            controls.count() == 10
        )  # labels: 3 and 1; a box for a number; a button and a fold each; see forms_book
        for control in controls.all():
            box = control.bounding_box()
            assert box["height"] >= 44
            assert 0 <= box["x"] <= box["x"] + box["width"] <= width

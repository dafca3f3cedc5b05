"""The steps that finish the pages, each on the markup that it is for."""

import json
import re
import sys
from pathlib import Path

import pytest
from PIL import Image
from sphinx.errors import ExtensionError

sys.path.insert(0, str(Path(__file__).parents[1] / "book" / "_ext"))

import finished_pages
import live_frames
import shipped_files

PAGE = Path("book") / "page.html"


def figure(*frames):
    return f'<div class="live-frames">{"".join(frames)}</div><p class="live-status" aria-live="polite"></p>'


def picture(letters, hidden=""):
    return f'<img src="data:image/webp;base64,{letters}" alt="{letters}" decoding="sync"{hidden}>'


@pytest.fixture
def site(tmp_path):
    (tmp_path / "book").mkdir()
    return tmp_path


def frames_of(site, text):
    """What the script beside a page hands to its figure."""
    name = re.search(r'data-frames="\.\./([^"]+)"', text).group(1)
    script = (site / name).read_text()
    return json.loads(script.removeprefix("liveFrames(document.currentScript, ").removesuffix(");\n"))


def test_a_page_keeps_the_start_frame_and_its_script_has_the_others(site):
    frames = [picture("AAAA", " hidden"), picture("BBBB"), picture("CCCC", " hidden")]
    text = live_frames.move_out(figure(*frames), site / PAGE, site)
    assert frames_of(site, text) == [frames[0], None, frames[2]]
    (start,) = re.findall(r"<img [^>]*>", text)
    assert "BBBB" in start
    assert (site / "book" / re.search('src="([^"]+)"', start).group(1)).read_bytes() == b"\x04\x10A"
    assert "hidden" not in text


def test_frames_that_are_texts_stay_texts(site):
    frames = [
        f'<div role="group" aria-label="{name}"{hidden}><div><p>{name}</p></div></div>'
        for name, hidden in (("one", ""), ("two", " hidden"))
    ]
    text = live_frames.move_out(figure(*frames), site / PAGE, site)
    assert frames_of(site, text) == [None, frames[1]]
    assert frames[0] in text


def test_only_the_first_start_frame_of_a_page_is_loaded_at_once(site):
    text = live_frames.move_out(figure(picture("AAAA")) + figure(picture("BBBB")), site / PAGE, site)
    assert re.findall(r'alt="(\w+)"', text) == ["AAAA", "BBBB"]
    assert ['loading="lazy"' in tag for tag in re.findall(r"<img [^>]*>", text)] == [False, True]


def test_a_picture_gets_its_size_and_waits_until_it_is_near(site):
    Image.new("RGB", (30, 20)).save(site / "dot.png")
    text = (
        '<img src="../dot.png" alt="a dot"><img src="../gone.png"><img src="../dot.png" style="width: 5px">'
    )
    sized, *others = re.findall("<img[^>]*>", finished_pages.size_pictures(text, site / PAGE))
    assert sized == '<img width="30" height="20" loading="lazy" src="../dot.png" alt="a dot">'
    assert "".join(others) == text.partition(">")[2]


def test_a_drawing_gets_its_size(site):
    (site / "logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="64" height="32"></svg>')
    found = finished_pages.size_pictures('<img src="../logo.svg" class="logo__image">', site / PAGE)
    assert found == '<img width="64" height="32" src="../logo.svg" class="logo__image">'


def test_the_contents_unfold_what_is_below_this_page_and_drop_the_rest():
    fold = '<summary><span class="toctree-toggle"></span></summary><ul><li>below</li></ul></details>'
    assert finished_pages.unfold_contents(f"<a>other</a><details>{fold}") == "<a>other</a>"
    text = finished_pages.unfold_contents(f'<a>this</a><details open="open">{fold}')
    assert text == "<a>this</a><ul><li>below</li></ul>"


def test_the_text_comes_before_the_contents_of_the_book():
    sidebar = '<dialog id="pst-primary-sidebar-modal"></dialog><div id="pst-primary-sidebar"><a>1</a></div>'
    main = '<main id="main-content" class="bd-main"><p>text</p></main>'
    assert finished_pages.text_first(f"<div>{sidebar}{main}</div>") == f"<div>{main}{sidebar}</div>"


def test_the_header_that_nobody_sees_is_empty():
    start = '<header id="pst-header" class="bd-header">'
    text = f'{start}\n<button class="primary-toggle"></button></header><header>kept</header>'
    assert finished_pages.empty_header(text) == f"{start}</header><header>kept</header>"


def test_a_header_without_words_is_none():
    row = '<th class="head"><p></p></th><th class="head"><p>word</p></th>'
    named = finished_pages.name_things(row)
    assert named == '<td class="head"><p></p></td><th class="head"><p>word</p></th>'


def test_scripts_wait_and_those_of_the_search_stay_away(site):
    (site / "_static").mkdir()
    (site / "_static" / "documentation_options.js").write_text("const OPTIONS = {};")
    scripts = ("_static/documentation_options.js", "_static/a.js", "_static/searchtools.js", "searchindex.js")
    head = "".join(f'<script src="../{name}"></script>' for name in scripts)
    text = finished_pages.run_scripts_late(f"<head>{head}</head><body></body>", site)
    late = '<script>const OPTIONS = {};</script><script defer src="../_static/a.js"></script>'
    assert text == f"<head>{late}</head><body></body>"
    search = f'<head>{head}</head><div id="search-results"></div>'
    assert finished_pages.run_scripts_late(search, site) == search


def test_a_script_says_nothing_and_computes_the_same():
    assert shipped_files.hushed("console.log(n++, `[a]`);") == "void (n++, `[a]`);"
    assert shipped_files.hushed("console.error(fault)") == "console.error(fault)"


def test_the_theme_measures_a_box_when_its_section_is_laid_out():
    theirs = f"=>{{{shipped_files.MEASURES}}},{shipped_files.LISTENS}(t)"
    ours = shipped_files.measuring_late(theirs)
    assert "(e.checkVisibility?.({contentVisibilityAuto:!0})??!0)&&(e.tabIndex=" in ours
    assert '("resize",t),document.addEventListener("contentvisibilityautostatechange",t,!0),' in ours
    assert ',document.addEventListener("toggle",t,!0),new Mut' in ours
    with pytest.raises(ExtensionError, match="in another way"):
        shipped_files.measuring_late(theirs.replace("scrollWidth", "offsetWidth"))


def test_what_no_page_asks_for_is_removed(tmp_path):
    kept = ["_static/mathjax/output/chtml/fonts/woff-v2/a.woff", "_static/book.css"]
    gone = ["_static/mathjax/startup.js", "_static/vendor/fontawesome/f.ttf", "_static/scripts/a.js.map"]
    for name in kept + gone:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    shipped_files.remove(tmp_path)
    left = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(left) == sorted(kept)
    assert not (tmp_path / "_static" / "vendor").exists()


def test_each_icon_that_an_extension_shows_is_drawn():
    styles = (Path(__file__).parents[1] / "book/_static/icons.css").read_text()
    sources = "".join(path.read_text() for path in (Path(__file__).parents[1] / "book/_ext").glob("*.py"))
    shown = set(re.findall(r'"fa[bs] (fa-[\w-]+)"', sources))
    assert {"fa-rocket", "fa-bug"} <= shown
    assert not {icon for icon in shown if f".{icon} {{" not in styles}

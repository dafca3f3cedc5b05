"""What `make audit` and the browser tests both ask of a page: stops of the Tab key, faults for axe-core."""

from importlib.resources import files

# Everything unfolded, laid out, and the live figures moved, so that what comes late is looked at too.
IN_USE = """async () => {
  const near = document.createElement('style');
  near.textContent = '.bd-article section { content-visibility: visible !important; }';
  document.head.append(near);
  document.querySelectorAll('.bd-article details').forEach((fold) => { fold.open = true; });
  document.querySelectorAll('.toggle-hidden .toggle-button').forEach((button) => button.click());
  for (const input of document.querySelectorAll('.live-figure input:not(:checked)')) {
    if (input.type === 'range') input.value = input.max;
    else input.checked = true;
    input.dispatchEvent(new Event('input', {bubbles: true}));
  }
  // The theme measures boxes 0.3 s after a change, and later where the machine is busy.
  const measured = () => [...document.querySelectorAll('.bd-article pre, .pst-scrollable-table-container')]
    .every((box) => box.scrollWidth <= box.clientWidth || box.tabIndex === 0);
  for (let waited = 0; waited < 700 || (waited < 5000 && !measured()); waited += 100) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}"""
# axe-core does not read MathML: a header that is a formula is empty for it, and for no screen reader.
RUN_AXE = """async () => {
  const found = await axe.run(document, {resultTypes: ['violations'], elementRef: true});
  const isFormula = (node) => node.element.querySelector('math') !== null;
  return found.violations.flatMap((rule) => rule.nodes
    .filter((node) => rule.id !== 'empty-table-header' || !isFormula(node))
    .map((node) => `${rule.id}: ${node.target.join(' ')}`));
}"""
FOCUSED = """() => {
  const at = document.activeElement;
  if (!at || at === document.body || at === document.documentElement) return null;
  return {figure: at.closest('.live-figure') !== null,
          name: `${at.tagName.toLowerCase()}.${at.className} ${at.textContent.trim().slice(0, 40)}`};
}"""
MOST_STOPS = 2000  # a page that holds the keyboard in a circle ends here


def tab_stops(page, figure_only=False):
    """What the Tab key stops at, in order; with `figure_only` up to the first control of a live figure."""
    page.evaluate("() => { document.activeElement?.blur(); window.getSelection().removeAllRanges(); }")
    stops = []
    while len(stops) < MOST_STOPS:
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if stop is None:
            break
        stops.append(stop)
        if figure_only and stop["figure"]:
            break
    return stops


def stops_to_figure(stops):
    """The number of the stop that is the first control of a live figure; None where there is none."""
    return next((number for number, stop in enumerate(stops, 1) if stop["figure"]), None)


def axe_faults(page, theme):
    """What axe-core finds in a page in use, in the theme "light" or "dark"."""
    page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
    page.evaluate(IN_USE)
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    return page.evaluate(RUN_AXE)

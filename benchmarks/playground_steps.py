"""Training steps a second of the playground in Chromium, one core: `python -m benchmarks.playground_steps`.

With `--beside FOLDER`, a folder like `book/_static/playground` of another version, both take turns, round by
round: what else the machine does slows them alike. Needs the extra `browser` and a Chromium. The steps are
those of a page that plays: what is recorded of every step, and a snapshot 15 times a second, are in the time.

Then, where the book is built: how smooth its page is while both of its networks train.
"""

import argparse
import re
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.timing import at_least

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from chromium import chromium  # noqa: E402

SCRIPTS = ROOT / "book" / "_static" / "playground"
PAGE = ROOT / "_build" / "html" / "book" / "playground.html"
CASES = {
    "plain, relu, digits": {},
    "plain, tanh, spirals": {"data": "spirals", "activation": "tanh"},
    "fixup, relu, Adam": {"kind": "fixup", "initializer": "fixup", "optimizer": "adam"},
    "residual, relu, batch norm": {"kind": "residual", "norm": "batch"},
}
CONFIG = {
    "data": "digits", "activation": "relu", "depth": 30, "width": 64, "kind": "plain", "norm": "none",
    "initializer": "he", "std": 0.01, "lr": 0.001, "optimizer": "sgd", "batch": 50, "seed": 1,
}  # fmt: skip
WANTED = 60  # steps a second, plain
ROUNDS = 9
START = "(config) => { globalThis.run = Playground.engine.createRun(config); }"
PLAY = """() => {
  const start = performance.now(), before = run.steps;
  let shown = start;
  while (performance.now() - start < 500) {
    run.step();
    if (performance.now() - shown < 1000 / 15) continue;
    run.snapshot(false);
    shown = performance.now();
  }
  return (1000 * (run.steps - before)) / (performance.now() - start);
}"""
# The times between two frames, and the longest task of the page, over five seconds.
FRAMES = """() => new Promise((resolve) => {
  const times = [], tasks = [0];
  new PerformanceObserver((list) => tasks.push(...list.getEntries().map((task) => task.duration)))
    .observe({type: 'longtask'});
  const count = (time) => {
    times.push(time);
    if (time < times[0] + 5000) requestAnimationFrame(count);
    else resolve([times.slice(1).map((each, i) => each - times[i]), Math.max(...tasks)]);
  };
  requestAnimationFrame(count);
})"""


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--beside", type=Path, help="the scripts of another version")
    beside = parser.parse_args().beside
    with chromium() as browser:
        steps(browser, [SCRIPTS, beside.resolve()] if beside else [SCRIPTS])
        if PAGE.exists():
            frames(browser)


def steps(browser, folders):
    """Steps a second of each case, in each version."""
    print("Playground: training steps a second, 30 layers x 64, batch 50 (median, best of the rounds)")
    with tempfile.TemporaryDirectory() as scratch:
        paths = [Path(scratch) / f"{i}.html" for i in range(len(folders))]
        pages = [open_engine(browser, *each) for each in zip(folders, paths, strict=True)]
        for name, changes in CASES.items():
            for page in pages:
                page.evaluate(START, CONFIG | changes)
            rounds = [[page.evaluate(PLAY) for page in pages] for _ in range(ROUNDS + 1)]
            speeds = list(zip(*rounds[1:], strict=True))  # the first round warms up
            table = "   ".join(f"{statistics.median(each):6.0f} {max(each):6.0f}" for each in speeds)
            print(f"  {name:<28} {table} {'' if changes else at_least(statistics.median(speeds[0]), WANTED)}")


def open_engine(browser, folder, path):
    """A blank page with the scripts of a version, in the order of its page."""
    text = (folder.parents[1] / "playground.md").read_text(encoding="utf-8")
    names = re.findall(r"/playground/(\w+)\.js\"", text)
    names = names[: names.index("run") + 1]
    scripts = "".join(f"<script src='{(folder / name).as_uri()}.js'></script>" for name in names)
    path.write_text(f"<!doctype html><meta charset=utf-8>{scripts}")
    page = browser.new_page()
    page.goto(path.as_uri())
    return page


def frames(browser):
    """How often the page is drawn while it plays its first experiment."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(PAGE.as_uri())
    page.locator("[data-do=play]").click()
    page.wait_for_timeout(2000)  # what runs first is not compiled yet
    gaps, longest = page.evaluate(FRAMES)
    print("The page while it plays")
    print(f"  frames a second: {1000 * len(gaps) / sum(gaps):.0f}; ", end="")
    print(f"of 100 frames, 95 come within {statistics.quantiles(gaps, n=20)[-1]:.0f} ms")
    print(f"  longest task: {longest:.0f} ms" if longest else "  no task of 50 ms or more")


if __name__ == "__main__":
    main()

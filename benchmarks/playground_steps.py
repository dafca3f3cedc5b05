"""Training steps a second of the playground in Chromium, one core: `python -m benchmarks.playground_steps`.

Needs the extra `browser` and a Chromium. The steps are those of a page that plays: what is recorded of every
step, and a snapshot 15 times a second, are in the time.
"""

import shutil
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmarks.timing import at_least

SCRIPTS = Path(__file__).resolve().parents[1] / "book" / "_static" / "playground"
NAMES = "pieces matrix random data digits activations layers normalization network initializers optimizers"
NAMES = [*NAMES.split(), "measure", "history", "boundary", "config", "run"]
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
PLAY = """([config, rounds]) => {
  const run = Playground.engine.createRun(config);
  const speeds = [];
  for (let round = 0; round <= rounds; round++) {
    const start = performance.now(), before = run.steps;
    let shown = start;
    while (performance.now() - start < 500) {
      run.step();
      if (performance.now() - shown < 1000 / 15) continue;
      run.snapshot(false);
      shown = performance.now();
    }
    speeds.push((1000 * (run.steps - before)) / (performance.now() - start));
  }
  return speeds.slice(1); // the first round warms up
}"""


def main():
    """Print the table."""
    scripts = "".join(f"<script src='{(SCRIPTS / name).as_uri()}.js'></script>" for name in NAMES)
    print("Playground: training steps a second, 30 layers x 64, batch 50 (median, best of the rounds)")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        chromium = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])))
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        (Path(folder) / "blank.html").write_text(f"<!doctype html><meta charset=utf-8>{scripts}")
        page = browser.new_page()
        page.goto((Path(folder) / "blank.html").as_uri())
        for name, changes in CASES.items():
            speeds = page.evaluate(PLAY, [CONFIG | changes, ROUNDS])
            median = statistics.median(speeds)
            bound = "" if changes else at_least(median, WANTED)
            print(f"  {name:<28} {median:6.0f} {max(speeds):6.0f} {bound}")
        browser.close()


if __name__ == "__main__":
    main()

"""The Chromium that prints, measures and tests: that of `CHROME_PATH`, of the system, or of Playwright."""

import contextlib
import os
import shutil

from playwright.sync_api import Error, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
NO_CHROMIUM = (
    "There is no Chromium that starts: install the package chromium or Google Chrome, "
    "name another with CHROME_PATH, or run `.venv/bin/playwright install chromium`."
)


@contextlib.contextmanager
def chromium():
    """Start Chromium without a window; raises SystemExit where there is none."""
    with sync_playwright() as playwright:
        try:
            path = executable(playwright.chromium)
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        except Error:
            raise SystemExit(NO_CHROMIUM) from None
        with contextlib.closing(browser):
            yield browser


def executable(browser_type):
    """The path of the Chromium that is started, Playwright's own where there is no other."""
    found = os.environ.get("CHROME_PATH") or next(filter(None, map(shutil.which, NAMES)), None)
    return found or browser_type.executable_path

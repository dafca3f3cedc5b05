"""Measure every page of the built book: `_build/audit/table.md`, and what is wrong in `_build/audit/faults.txt`.

    python tools/audit.py                     every page of `_build/html`
    python tools/audit.py --only "intro 05"   those whose name begins so, and their deeper pages

Lighthouse and axe-core come from npm, at the versions in `requirements/audit`, into `_build/audit`.
Lighthouse's scores hang on the machine and on what else it does: the table says how fast it was.
"""

import argparse
import json
import os
import shutil
import subprocess
from pathlib import Path

import page_checks
from gzip_server import serving
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "requirements" / "audit"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
CATEGORIES = {"performance": "perf", "accessibility": "a11y", "best-practices": "best", "seo": "seo"}
COLUMNS = ["desktop perf", "mobile perf", "a11y", "best", "seo", "shift", "kB", "axe light", "axe dark"]
COLUMNS += ["stops to figure", "stops", "console", "other hosts", "speed"]
BROWSER_ONLY = ("kB", "axe light", "axe dark", "stops to figure", "stops", "console", "other hosts")


def main():
    """Read the command line, measure, write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--site", type=Path, default=ROOT / "_build" / "html")
    parser.add_argument("--only", default="", help="how the names of the pages begin, with spaces between")
    parser.add_argument("--no-lighthouse", action="store_true", help="measure only what takes seconds")
    arguments = parser.parse_args()
    out = ROOT / "_build" / "audit"
    tools = install(out)
    rows, faults = {}, []
    with serving(arguments.site) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        for name in chosen(arguments.site, arguments.only.split()):
            rows[name] = look(browser, f"{address}/{name}", axe(tools), faults)
            if not arguments.no_lighthouse:
                rows[name] |= lighthouse(tools, f"{address}/{name}", out)
            print(line(name, rows[name]), flush=True)
    (out / "table.md").write_text(table(rows))
    (out / "faults.txt").write_text("".join(f"{fault}\n" for fault in faults))


def chromium():
    """The browser: CHROME_PATH, or the first that is installed."""
    found = os.environ.get("CHROME_PATH") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        raise SystemExit("There is no Chromium: install it, or set CHROME_PATH.")
    return found


def install(out):
    """Install the packages from npm below `out`, where they are not yet; return their folder."""
    locks = ("package.json", "package-lock.json")
    if any(not (out / name).exists() or differ(out / name, PACKAGES / name) for name in locks):
        out.mkdir(parents=True, exist_ok=True)
        (out / locks[1]).unlink(missing_ok=True)
        shutil.copy(PACKAGES / locks[0], out)
        shutil.copy(PACKAGES / locks[1], out / "lock")
        install_into(out, out / "lock", out / locks[1])
    return out / "node_modules"


def install_into(out, aside, lock):
    """Let npm install exactly what the lock says; the lock is in place only where that worked."""
    shutil.copy(aside, lock)
    if subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=out).returncode:
        lock.unlink()
        raise SystemExit("npm could not install Lighthouse and axe-core: see above.")


def differ(one, other):
    """Whether two files differ."""
    return one.read_bytes() != other.read_bytes()


def axe(tools):
    """The script of axe-core."""
    return (tools / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def chosen(site, beginnings):
    """The pages to measure, relative to the site."""
    found = ["search.html", "genindex.html", *sorted(str(p.relative_to(site)) for p in site.glob("book/**/*.html"))]
    return [name for name in found if not beginnings or Path(name).name.startswith(tuple(beginnings))]


def look(browser, url, script, faults):
    """Open a page for the first time, without scrolling, and measure what needs no Lighthouse."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    said, asked = [], []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"page error: {error}"))
    page.on("requestfinished", lambda request: asked.append(request))
    page.goto(url, wait_until="networkidle")
    page.evaluate("() => window.MathJax?.startup?.promise")
    size = sum(request.sizes()["responseBodySize"] for request in asked if request.url.startswith("http"))
    origin = "/".join(url.split("/")[:3])
    strangers = [request.url for request in asked if not request.url.startswith((origin, "data:", "blob:"))]
    stops = page_checks.tab_stops(page)
    found = {theme: page_checks.axe_faults(page, script, theme) for theme in ("light", "dark")}
    context.close()
    faults += [f"{url} console {words}" for words in said] + [f"{url} {stranger}" for stranger in strangers]
    faults += [f"{url} {theme} {fault}" for theme, each in found.items() for fault in each]
    counts = (len(found["light"]), len(found["dark"]), page_checks.stops_to_figure(stops), len(stops))
    return dict(zip(BROWSER_ONLY, (size // 1000, *counts, len(said), len(strangers)), strict=True))


def lighthouse(tools, url, out):
    """Lighthouse's scores, desktop and mobile: of what both measure, the worse."""
    desktop, mobile = (report(tools, url, out, options) for options in (["--preset=desktop"], []))
    worse = {CATEGORIES[name]: min(desktop[name], mobile[name]) for name in list(CATEGORIES)[1:]}
    shift, speed = max(desktop["shift"], mobile["shift"]), min(desktop["speed"], mobile["speed"])
    scores = {"desktop perf": desktop["performance"], "mobile perf": mobile["performance"]}
    return scores | worse | {"shift": round(shift, 3), "speed": round(speed)}


def report(tools, url, out, options):
    """One run of Lighthouse: each category in percent, the layout shift, the machine's speed."""
    path = out / "lighthouse.json"
    command = ["node", tools / "lighthouse" / "cli" / "index.js", url, "--quiet", "--output=json"]
    command += [f"--output-path={path}", f"--only-categories={','.join(CATEGORIES)}"]
    command += [f"--chrome-flags={' '.join(FLAGS)}", *options]
    subprocess.run(command, check=True, env=os.environ | {"CHROME_PATH": chromium()})
    result = json.loads(path.read_text())
    scores = {name: round(100 * (result["categories"][name]["score"] or 0)) for name in CATEGORIES}
    shift = result["audits"]["cumulative-layout-shift"]["numericValue"]
    return scores | {"shift": shift, "speed": result["environment"]["benchmarkIndex"]}


def line(name, row):
    """One row of the table."""
    return f"| {name} | " + " | ".join(str(row.get(column, "")) for column in COLUMNS) + " |"


def table(rows):
    """The table in Markdown."""
    head = ["page", *COLUMNS]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(line(*row) for row in rows.items())]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()

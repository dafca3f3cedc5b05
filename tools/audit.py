"""Measure every page of the built book: `table.md`, and what is wrong, `faults.txt`, in `_build/audit`.

    python tools/audit.py                     every page of `_build/html`
    python tools/audit.py --only "intro 05"   those whose name begins so, and their deeper pages

Lighthouse comes from npm, at the version in `requirements/audit`, into `_build/audit`.
Lighthouse's scores hang on the machine and on what else it does: the table says how fast it was.
Where Firefox is installed, it opens every page from disk too, and a search: how much its console says.
"""

import argparse
import json
import os
import shutil
import subprocess
from pathlib import Path

import page_checks
from chromium import FLAGS, chromium, executable
from gzip_server import serving

ROOT = Path(__file__).resolve().parent.parent
# Without a window Chromium holds back the first picture of some visits for two seconds, with nothing to do.
NOT_HELD = "--disable-features=PaintHolding"
PACKAGES = ROOT / "requirements" / "audit"
CATEGORIES = {"performance": "perf", "accessibility": "a11y", "best-practices": "best", "seo": "seo"}
COLUMNS = ["desktop perf", "mobile perf", "a11y", "best", "seo", "shift", "kB", "axe light", "axe dark"]
COLUMNS += ["stops to figure", "stops", "console", "other hosts", "firefox", "speed"]
BROWSER_ONLY = ("kB", "axe light", "axe dark", "stops to figure", "stops", "console", "other hosts")


def main():
    """Read the command line, measure, write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--site", type=Path, default=ROOT / "_build" / "html")
    parser.add_argument("--only", default="", help="how the names of the pages begin, with spaces between")
    parser.add_argument("--no-lighthouse", action="store_true", help="measure only what takes seconds")
    arguments = parser.parse_args()
    out = ROOT / "_build" / "audit"
    out.mkdir(parents=True, exist_ok=True)
    tools = None if arguments.no_lighthouse else install(out)
    rows, faults = {}, []
    with serving(arguments.site) as address, chromium() as browser:
        for name in chosen(arguments.site, arguments.only.split()):
            rows[name] = look(browser, f"{address}/{name}", faults)
            if tools:
                rows[name] |= lighthouse(tools, f"{address}/{name}", out, executable(browser.browser_type))
            print(line(name, rows[name]), flush=True)
    if tools and (fox := shutil.which("firefox") or shutil.which("firefox-esr")):
        for name, words in firefox(tools, fox, arguments.site, rows).items():
            rows.setdefault(name, {})["firefox"] = len(words)
            faults += [f"{name} Firefox {each}" for each in words]
    (out / "table.md").write_text(table(rows))
    (out / "faults.txt").write_text("".join(f"{fault}\n" for fault in faults))


def install(out):
    """Install below `out` what the lock says, where it is not yet; return the folder of the packages."""
    lock = (PACKAGES / "package-lock.json").read_bytes()
    installed = out / "installed-lock.json"
    if not installed.exists() or installed.read_bytes() != lock:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(PACKAGES / name, out)
        if subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=out).returncode:
            raise SystemExit("npm could not install Lighthouse: see above. Node.js 18.16 or newer is needed.")
        installed.write_bytes(lock)
    return out / "node_modules"


def chosen(site, beginnings):
    """The pages to measure, relative to the site."""
    found = [*site.glob("search.html"), *site.glob("genindex.html"), *sorted(site.glob("book/**/*.html"))]
    names = [page.relative_to(site).as_posix() for page in found]
    return [name for name in names if not beginnings or Path(name).name.startswith(tuple(beginnings))]


def look(browser, url, faults):
    """Open a page for the first time, without scrolling, and measure what needs no Lighthouse."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    said, asked = [], []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"page error: {error}"))
    page.on("requestfinished", lambda request: asked.append(request))
    page.goto(url, wait_until="networkidle")
    size = sum(request.sizes()["responseBodySize"] for request in asked if request.url.startswith("http"))
    origin = "/".join(url.split("/")[:3])
    strangers = [request.url for request in asked if not request.url.startswith((origin, "data:", "blob:"))]
    stops = page_checks.tab_stops(page)
    page.evaluate(page_checks.IN_USE)
    words = list(said)  # what comes later is of axe-core, which asks for style sheets at wrong addresses
    found = {theme: page_checks.axe_faults(page, theme) for theme in ("light", "dark")}
    context.close()
    faults += [f"{url} console {each}" for each in words] + [f"{url} {stranger}" for stranger in strangers]
    faults += [f"{url} {theme} {fault}" for theme, each in found.items() for fault in each]
    counts = (len(found["light"]), len(found["dark"]), page_checks.stops_to_figure(stops), len(stops))
    return dict(zip(BROWSER_ONLY, (size // 1000, *counts, len(words), len(strangers)), strict=True))


def lighthouse(tools, url, out, path):
    """Lighthouse's scores, desktop and mobile: of what both measure, the worse."""
    desktop, mobile = (report(tools, url, out, path, options) for options in (["--preset=desktop"], []))
    worse = {CATEGORIES[name]: min(desktop[name], mobile[name]) for name in list(CATEGORIES)[1:]}
    shift, speed = max(desktop["shift"], mobile["shift"]), min(desktop["speed"], mobile["speed"])
    scores = {"desktop perf": desktop["performance"], "mobile perf": mobile["performance"]}
    return scores | worse | {"shift": round(shift, 3), "speed": round(speed)}


def report(tools, url, out, chrome, options):
    """One run of Lighthouse: each category in percent, the layout shift, the machine's speed."""
    path = out / "lighthouse.json"
    command = ["node", tools / "lighthouse" / "cli" / "index.js", url, "--quiet", "--output=json"]
    command += [f"--output-path={path}", f"--only-categories={','.join(CATEGORIES)}"]
    command += [f"--chrome-flags={' '.join(['--headless=new', NOT_HELD, *FLAGS])}", *options]
    subprocess.run(command, check=True, env=os.environ | {"CHROME_PATH": chrome})
    result = json.loads(path.read_text())
    scores = {name: round(100 * (result["categories"][name]["score"] or 0)) for name in CATEGORIES}
    shift = result["audits"]["cumulative-layout-shift"]["numericValue"]
    return scores | {"shift": shift, "speed": result["environment"]["benchmarkIndex"]}


def firefox(tools, path, site, names):
    """What the console of Firefox says of each page, opened from disk, and of a search: a list a page."""
    pages = [*names, "search.html?q=orthogonal"]
    command = ["node", Path(__file__).with_name("firefox.mjs"), tools, path, site.resolve(), *pages]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


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

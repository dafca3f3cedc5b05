"""Make the environment of the make targets, or mend it: `python tools/environment.py --folder .venv lab`.

It runs before anything else, with the Python that you name, so it needs the standard library alone.
What was installed stands in records inside the folder: `.installed` for `requirements.txt` and netinit,
`.lab` for `requirements/lab.txt`, and so on. Where a lock or a package differs from its record, it is
installed again; where the clone or the Python does, everything is. A record is written last, so that a killed
installation is not taken for whole.
"""

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
BOOK = "installed"
# The interpreter behind a virtual environment, when that is what runs this: it outlives the environment.
BASE = getattr(sys, "_base_executable", sys.executable)


def identity(folder):
    """What an environment is bound to: in another place, or under another Python, it does not work."""
    version = ".".join(map(str, sys.version_info[:3]))
    return {"clone": str(ROOT), "folder": str(folder), "Python": f"{version} ({os.path.realpath(BASE)})"}


def lock_file(name):
    """The lock of a set of packages."""
    return ROOT / "requirements.txt" if name == BOOK else ROOT / "requirements" / f"{name}.txt"


def digest(name):
    """A hash of all that decides what is installed."""
    files = [lock_file(name), ROOT / "pyproject.toml"] if name == BOOK else [lock_file(name)]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def read_record(folder, name):
    """The record of a finished installation; empty where there is none."""
    try:
        return dict(json.loads((folder / f".{name}").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def write_record(folder, name):
    """Replace the record in one step."""
    record = {"made": identity(folder), "lock": digest(name), "packages": locked_packages(folder, name)}
    part = folder / f".{name}.part"
    part.write_text(json.dumps(record, indent=1), encoding="utf-8")
    part.replace(folder / f".{name}")


# --- what is there --------------------------------------------------------------------------------


def distributions(folder):
    """Name and version of each distribution, with the folder that describes it."""
    for info in sorted(folder.glob("lib/python3.*/site-packages/*.dist-info")):
        name, _, version = info.stem.partition("-")
        yield f"{normalize(name)} {version}", info


def normalize(name):
    """Reduce a distribution's name to the one spelling that all its spellings share."""
    return re.sub(r"[-_.]+", "-", name).lower()


def is_whole(info):
    """Whether pip finished installing a distribution, and its modules and folders are still there."""
    try:
        lines = (info / "RECORD").read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    tops = {re.split("[/,]", line, maxsplit=1)[0] for line in lines} - {"..", "__pycache__", ""}
    return all((info.parent / top).exists() for top in tops)


def locked_packages(folder, name):
    """What of a lock this Python on this system needed and got: the lock's lines for others are not in it."""
    pins = re.findall(r"^([\w.-]+)==", lock_file(name).read_text(encoding="utf-8"), re.MULTILINE)
    names = {normalize(pin) for pin in pins}
    return [package for package, _ in distributions(folder) if package.split()[0] in names]


def netinit_is_ours(folder):
    """Whether `import netinit` leads into this clone."""
    for link in folder.glob("lib/python3.*/site-packages/netinit-*.dist-info/direct_url.json"):
        target = json.loads(link.read_text(encoding="utf-8"))
        editable = target.get("dir_info", {}).get("editable", False)
        if editable and is_whole(link.parent) and unquote(urlsplit(target["url"]).path) == str(ROOT):
            return True
    return False


def runs(folder):
    """Whether the environment's own Python starts, and has pip."""
    try:
        command = [folder / "bin" / "python", "-I", "-c", "import pip"]
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False


def reason_to_make_anew(folder):
    """Why nothing of an environment can stay, in words; empty where it can."""
    made = read_record(folder, BOOK).get("made")
    if made is None:
        return "no installation in it was finished"
    for what, now in identity(folder).items():
        if made.get(what) != now:
            return f"its {what} was {made.get(what)} and is now {now}"
    return "" if runs(folder) else "its Python does not run"


def reasons_to_mend(folder, name):
    """What of a set differs from its record, in words."""
    record = read_record(folder, name)
    whole = {package for package, info in distributions(folder) if is_whole(info)}
    reasons = [f"{package} is missing" for package in record.get("packages", []) if package not in whole]
    if record.get("lock") != digest(name):
        lock = lock_file(name).relative_to(ROOT)
        reasons.append(f"{lock} or pyproject.toml changed" if name == BOOK else f"{lock} changed")
    if name == BOOK and not netinit_is_ours(folder):
        reasons.append("netinit is not this clone's")
    return reasons


# --- installing -----------------------------------------------------------------------------------


def run(*command, **options):
    """Run a command that holds the lock too, so that it stays held if this process alone is killed."""
    return subprocess.run(list(map(str, command)), cwd=ROOT, close_fds=False, **options).returncode


@contextlib.contextmanager
def alone(folder):
    """Keep a second make from installing into the same folder."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{folder}.lock", "w") as lock:
        os.set_inheritable(lock.fileno(), True)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"Another make installs into {folder.name}: waiting for it ...", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def clear(folder):
    """Empty an environment's folder: its record first, and last the file by which it is known as one."""
    mark = folder / "pyvenv.cfg"
    if folder.exists() and any(folder.iterdir()) and not mark.exists():
        raise SystemExit(f"{folder} is in the way and is no virtual environment: move it elsewhere.")
    (folder / f".{BOOK}").unlink(missing_ok=True)
    for entry in folder.iterdir() if folder.exists() else ():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry != mark:
            entry.unlink()


def make(folder):
    """Make an empty environment."""
    if run(BASE, "-I", "-c", "import ensurepip, venv", stderr=subprocess.DEVNULL):
        package = "on Debian and Ubuntu: the package python3-venv"
        raise SystemExit(f"'{BASE}' lacks its venv module: install it ({package}).")
    clear(folder)
    if run(BASE, "-I", "-m", "venv", folder):
        raise SystemExit(f"No virtual environment could be made in {folder}.")


def install(folder, name):
    """Install a lock, whose hashes pip checks; after that of the book, netinit from this clone."""
    pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    pip += ["--no-user"]  # a pip.conf may say otherwise
    for _, info in distributions(folder):
        if not is_whole(info):
            shutil.rmtree(info)  # pip would take it for installed
    failed = run(*pip, "--requirement", lock_file(name))
    if name == BOOK and not failed:
        failed = run(*pip, "--no-deps", "--no-build-isolation", "--editable", ROOT)
        prepare(folder)
    if failed:
        raise SystemExit(f"{lock_file(name).relative_to(ROOT)} could not be installed into {folder.name}.")
    write_record(folder, name)


def prepare(folder):
    """Keep two messages out of the notebooks: on Matplotlib's font cache, and of a kernel on this machine."""
    run(folder / "bin" / "python", "-c", "import matplotlib.font_manager", stderr=subprocess.DEVNULL)
    profile = folder / "ipython" / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "ipython_kernel_config.py").write_text("c.IPKernelApp.log_level = 'ERROR'\n")


def ensure(folder, names):
    """Bring the environment to the state that the locks describe, and say what had to be done."""
    reason = reason_to_make_anew(folder)
    if reason:
        if folder.exists():
            print(f"Making {folder.name} anew: {reason}.", flush=True)
        make(folder)
    for name in names:
        lock, known = lock_file(name).relative_to(ROOT), read_record(folder, name)
        reasons = reasons_to_mend(folder, name)
        if reasons and known:
            print(f"Mending {folder.name}: {', '.join(reasons)} ...", flush=True)
        elif reasons:
            print(f"Installing {lock} into {folder.name} (once; it can take minutes) ...", flush=True)
        if reasons:
            install(folder, name)


def main():
    """Ensure the packages of the book, and those of the sets named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="the virtual environment")
    parser.add_argument("sets", nargs="*", help="further locks of requirements/, by name")
    arguments = parser.parse_args()
    for name in arguments.sets:
        if not lock_file(name).exists():
            parser.error(f"there is no {lock_file(name)}")
    folder = Path(os.path.abspath(arguments.folder))
    try:
        with alone(folder):
            ensure(folder, [BOOK, *arguments.sets])
    except KeyboardInterrupt:
        raise SystemExit("Stopped; the next make goes on from here.") from None


if __name__ == "__main__":
    main()

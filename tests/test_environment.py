"""The environment that `make` installs: what it takes over from a shell, what it notices, what it mends.

Most tests run the real Makefile and `tools/environment.py` in a tiny clone, whose lock names two tiny wheels.
"""

import hashlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCKS = [ROOT / "requirements.txt", *sorted((ROOT / "requirements").glob("*.txt"))]
TORCH = ROOT / "requirements" / "torch.txt"  # has no hashes, and says why
COLAB = ROOT / "requirements" / "colab.txt"  # other versions than the book's are its purpose
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def load(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shell(**variables):
    """The environment of a shell, outside of any make that may run these tests."""
    inner = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", "PYTHON", "VENV")
    return {key: value for key, value in os.environ.items() if key not in inner} | variables


# --- what a recipe sees of the shell --------------------------------------------------------------


def words(text):
    return text.split()


STEERING = words("""
    PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONWARNINGS PYTHONSAFEPATH PYTHONOPTIMIZE PYTHONHASHSEED
    PYTHONINSPECT PYTHONPYCACHEPREFIX VIRTUAL_ENV CONDA_PREFIX
    PIP_TARGET PIP_USER PIP_PREFIX PIP_ROOT PIP_NO_DEPS
    PIP_CONSTRAINT PIP_REQUIREMENT PIP_DRY_RUN MPLBACKEND MATPLOTLIBRC JUPYTER_PATH JUPYTER_CONFIG_DIR
    JUPYTER_CONFIG_PATH JUPYTER_DATA_DIR JUPYTERLAB_DIR JUPYTERCACHE SPHINXOPTS PYTEST_ADDOPTS PYTEST_PLUGINS
    NBVAL_OPTIONS TQDM_DISABLE DASK_SCHEDULER_ADDRESS JAX_ENABLE_X64 MYPYPATH NETINIT_STATIC_FIGURES
    SOURCE_DATE_EPOCH FORCE_COLOR GIT_DIR
""")
SET = words("LC_ALL IPYTHONDIR MPLCONFIGDIR KERAS_BACKEND JUPYTER_PREFER_ENV_PATH PYTHONUTF8")
YOURS = words("""
    HOME PATH http_proxy HTTPS_PROXY no_proxy SSL_CERT_FILE REQUESTS_CA_BUNDLE PIP_INDEX_URL
    PIP_EXTRA_INDEX_URL PIP_CONFIG_FILE PIP_CERT PIP_CACHE_DIR TMPDIR OPENBLAS_CORETYPE OMP_NUM_THREADS TZ
""")


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """The variables of a recipe of the Makefile, when each of these holds "planted" in the shell."""
    makefile = tmp_path_factory.mktemp("seen") / "Makefile"
    makefile.write_text(f"include {ROOT}/Makefile\nseen:\n\t@env\n")
    planted = dict.fromkeys([*STEERING, *SET, *YOURS], "planted") | {"PATH": os.environ["PATH"] + ":planted"}
    command = ["make", "--no-print-directory", "-f", makefile, "seen"]
    done = subprocess.run(command, cwd=ROOT, env=shell(**planted), capture_output=True, text=True, check=True)
    return dict(line.partition("=")[::2] for line in done.stdout.splitlines())


@pytest.mark.parametrize("name", STEERING)
def test_a_variable_that_steers_a_tool_does_not_reach_a_recipe(seen, name):
    assert name not in seen


@pytest.mark.parametrize("name", SET)
def test_a_setting_is_the_books_own(seen, name):
    assert seen[name] != "planted"


@pytest.mark.parametrize("name", YOURS)
def test_what_reaches_the_network_and_your_files_stays(seen, name):
    assert seen[name].endswith("planted")


# --- a tiny clone ---------------------------------------------------------------------------------

# The build backend of the tiny clone: what makes netinit importable from it, and the wheels of its lock.
BACKEND = """
import pathlib, time, zipfile

def write_wheel(folder, name, version, files):
    info = f"{name}-{version}.dist-info"
    files = files | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{file},,\\n" for file in [*files, f"{info}/RECORD"])
    wheel = f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder, wheel), "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
    return wheel

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    here = pathlib.Path(__file__).parent
    (here / "started").touch()
    while (here / "slow").exists():
        time.sleep(0.05)
    return write_wheel(wheel_directory, "netinit", "0.1", {"_netinit.pth": str(here / "src") + "\\n"})
"""
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "netinit"
version = "0.1"
"""


def write_lock(clone, **versions):
    """Write wheels, each of one package, and the lock that names them with their hashes."""
    namespace = {}
    exec(BACKEND, namespace)
    lines = []
    for name, version in versions.items():
        files = {f"{name}/__init__.py": f"__version__ = '{version}'\n"}
        wheel = clone / "wheels" / namespace["write_wheel"](clone / "wheels", name, version, files)
        lines.append(f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
    elsewhere = f"nowhere==1.0 ; sys_platform == 'win32' --hash=sha256:{'0' * 64}\n"
    (clone / "requirements.txt").write_text("".join(lines) + elsewhere)


def make_clone(folder):
    """Write a tiny clone with the real Makefile and tool."""
    (folder / "tools").mkdir(parents=True)
    (folder / "wheels").mkdir()
    (folder / "book").mkdir()
    (folder / "src" / "netinit").mkdir(parents=True)
    (folder / "src" / "netinit" / "__init__.py").touch()
    shutil.copy(ROOT / "Makefile", folder)
    shutil.copy(ROOT / "tools" / "environment.py", folder / "tools")
    (folder / "backend.py").write_text(BACKEND)
    (folder / "pyproject.toml").write_text(PROJECT)
    write_lock(folder, tiny="1.0", small="2.0")
    return folder


def start(clone, *options, python=sys.executable, **popen):
    """Start `make` in a clone that reaches no index, only its own wheels."""
    variables = shell(
        PIP_NO_INDEX="1", PIP_FIND_LINKS=(clone / "wheels").as_uri(), PIP_CONFIG_FILE=os.devnull
    )
    named = [f"PYTHON={python}"] if python else []
    command = ["make", "--no-print-directory", *named, *options, ".venv/.installed"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, cwd=clone, env=variables, **pipes, **popen)


def make(clone, *options, fails=False, **popen):
    """Run `make` in a clone, and return what it says."""
    process = start(clone, *options, **popen)
    said = process.communicate(timeout=300)[0]
    assert bool(process.returncode) == fails, said
    return said


def run(clone, code):
    """What a line of Python prints in the environment of a clone."""
    command = [clone / ".venv" / "bin" / "python", "-I", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def record(clone):
    return json.loads((clone / ".venv" / ".installed").read_text())


def site(clone):
    (folder,) = clone.glob(".venv/lib/python3.*/site-packages")
    return folder


WHOLE = "import netinit, small, tiny; print(netinit.__file__, tiny.__version__, small.__version__)"


def assert_whole(clone):
    assert run(clone, WHOLE) == f"{clone / 'src' / 'netinit' / '__init__.py'} 1.0 2.0"


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A tiny clone with its environment; each test leaves it whole."""
    clone = make_clone(tmp_path_factory.mktemp("clones") / "a clone")
    make(clone)
    return clone


def test_an_installation_is_whole_and_then_left_alone(clone):
    assert_whole(clone)
    before = (clone / ".venv" / ".installed").stat().st_mtime_ns
    assert make(clone) == ""
    assert (clone / ".venv" / ".installed").stat().st_mtime_ns == before
    assert record(clone)["packages"] == ["small 2.0", "tiny 1.0"]


def remove_all(packages):
    shutil.rmtree(packages / "tiny")
    shutil.rmtree(packages / "tiny-1.0.dist-info")


def remove_modules(packages):
    shutil.rmtree(packages / "tiny")


def remove_list(packages):
    (packages / "tiny-1.0.dist-info" / "RECORD").unlink()


def change_version(packages):
    (packages / "tiny-1.0.dist-info").rename(packages / "tiny-0.9.dist-info")
    shutil.rmtree(packages / "tiny")


@pytest.mark.parametrize("damage", [remove_all, remove_modules, remove_list, change_version])
def test_a_package_that_is_not_there_is_installed(clone, damage):
    damage(site(clone))
    assert "Mending .venv: tiny 1.0 is missing" in make(clone)
    assert_whole(clone)
    assert make(clone) == ""


def test_netinit_of_another_place_is_replaced(clone):
    (link,) = site(clone).glob("netinit-*.dist-info/direct_url.json")
    link.write_text(link.read_text().replace(clone.name.replace(" ", "%20"), "elsewhere"))
    assert "netinit is not this clone's" in make(clone)
    assert_whole(clone)


def test_a_changed_lock_is_installed(clone):
    write_lock(clone, tiny="1.1", small="2.0")
    assert "requirements.txt or pyproject.toml changed" in make(clone)
    assert run(clone, "import tiny; print(tiny.__version__)") == "1.1"
    write_lock(clone, tiny="1.0", small="2.0")
    make(clone)
    assert_whole(clone)


def test_a_lock_that_cannot_be_installed_takes_nothing_away(clone):
    lock = clone / "requirements.txt"
    before = lock.read_text()
    lock.write_text(before.replace("tiny==1.0", "tiny==7.0"))
    assert "could not be installed" in make(clone, fails=True)
    lock.write_text(before)
    assert make(clone) == ""
    assert_whole(clone)


def test_a_copied_clone_uses_its_own_source(clone, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(clone, copy, symlinks=True)
    said = make(copy)
    assert f"Making .venv anew: its clone was {clone} and is now {copy}." in said
    assert_whole(copy)
    assert str(clone) not in (copy / ".venv" / "bin" / "pip").read_text()
    assert_whole(clone)


def test_a_dead_interpreter_is_replaced(clone):
    interpreter = clone / ".venv" / "bin" / "python"
    interpreter.unlink()
    interpreter.symlink_to("/no/such/python")
    assert "Making .venv anew: its Python" in make(clone, python=None)
    assert_whole(clone)
    make(clone)  # with the Python of the other tests again


def others():
    """One interpreter of another version than this one, by its usual name or where pyenv keeps it."""
    names = [shutil.which(f"python3.{minor}") for minor in range(11, 20)]
    names += sorted(Path.home().glob(".pyenv/versions/3.1[1-9]*/bin/python3"))
    for name in filter(None, names):
        found = load("matrix").version(name)
        if found not in (None, "{}.{}".format(*sys.version_info)):
            return [str(name)]
    return []


def test_the_python_that_you_name_is_used_and_stays(clone):
    if not others():
        pytest.skip("there is no other supported Python on this machine")
    (other,) = others()
    version = "import sys; print(sys.version)"
    before = run(clone, version)
    assert "Making .venv anew: its Python was" in make(clone, python=other)
    named = run(clone, version)
    assert named != before
    assert make(clone, python=None) == ""  # the one that it was made with, not the shell's python3
    assert run(clone, version) == named
    make(clone)
    assert run(clone, version) == before


def wait_for(path):
    for _ in range(2000):
        if path.exists():
            return
        time.sleep(0.05)
    pytest.fail(f"{path} did not appear")


@pytest.fixture
def slow(clone):
    """Hold each installation of netinit until the file that this yields is gone."""
    (clone / "started").unlink(missing_ok=True)
    (clone / "slow").touch()
    yield clone / "slow"
    (clone / "slow").unlink(missing_ok=True)


def test_a_killed_installation_is_not_taken_for_whole(clone, slow):
    shutil.rmtree(clone / ".venv")
    process = start(clone, start_new_session=True)
    wait_for(clone / "started")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (clone / ".venv" / ".installed").exists()
    slow.unlink()
    assert "Making .venv anew: no installation in it was finished." in make(clone)
    assert_whole(clone)


def test_two_makes_at_once_install_once(clone, slow):
    shutil.rmtree(clone / ".venv")
    first = start(clone)
    wait_for(clone / "started")
    second = start(clone, stdin=subprocess.DEVNULL)
    assert "waiting" in second.stdout.readline()
    slow.unlink()
    assert "Installing" in first.communicate(timeout=300)[0]
    assert second.communicate(timeout=300)[0] == ""
    assert (first.returncode, second.returncode) == (0, 0)
    assert_whole(clone)


# --- plain words ----------------------------------------------------------------------------------


def write_script(path, text):
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


def test_no_python_is_told(tmp_path):
    said = make(make_clone(tmp_path / "clone"), python="/no/such/python", fails=True)
    assert "Python 3.11 or newer is needed, and there is no '/no/such/python' here" in said


def test_a_python_that_is_too_old_is_told(tmp_path):
    old = write_script(tmp_path / "old", 'case "$2" in *exit*) exit 1;; *platform*) echo 3.8.18;; esac\n')
    said = make(make_clone(tmp_path / "clone"), python=old, fails=True)
    assert f"Python 3.11 or newer is needed, and '{old}' is 3.8.18" in said


def test_a_python_without_venv_is_told(tmp_path, monkeypatch):
    tool = load("environment")
    monkeypatch.setattr(tool, "BASE", write_script(tmp_path / "bare", "exit 1\n"))
    with pytest.raises(SystemExit, match="lacks its venv module"):
        tool.make(tmp_path / "venv")


def test_a_folder_that_is_no_environment_stays(tmp_path):
    clone = make_clone(tmp_path / "clone")
    (clone / ".venv").mkdir()
    (clone / ".venv" / "thesis.txt").write_text("mine")
    assert "is no virtual environment" in make(clone, fails=True)
    assert (clone / ".venv" / "thesis.txt").read_text() == "mine"


def test_a_python_that_is_not_found_fails_the_matrix():
    command = [sys.executable, ROOT / "tools" / "matrix.py", "no-such-python"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout) == (1, "no-such-python: not found\n")


def test_the_matrix_holds_this_python():
    matrix = load("matrix")
    assert f"python{matrix.version(sys.executable)}" in matrix.supported()


# --- the locks ------------------------------------------------------------------------------------


def pins(lock):
    """Each version that a lock names, by package: a second one stands under another marker."""
    found = {}
    for name, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", lock.read_text(), re.MULTILINE):
        found.setdefault(canonicalize_name(name), []).append(version)
    return found


def lock_of(extra, name):
    if name == "torch":
        return TORCH
    return ROOT / "requirements.txt" if extra in ("book", "test") else ROOT / "requirements" / f"{extra}.txt"


@pytest.mark.parametrize("extra", EXTRAS)
def test_a_lock_holds_what_its_extra_asks_for(extra):
    for requirement in map(Requirement, EXTRAS[extra]):
        versions = pins(lock_of(extra, requirement.name)).get(canonicalize_name(requirement.name))
        assert versions, f"{requirement} is in no lock: run `make lock`"
        assert [version for version in versions if version not in requirement.specifier] == []


@pytest.mark.parametrize("extra", EXTRAS)
def test_a_range_has_a_lower_bound(extra):
    assert [entry for entry in EXTRAS[extra] if ">=" not in entry] == []


@pytest.mark.parametrize("lock", [lock for lock in LOCKS if lock != TORCH], ids=lambda lock: lock.stem)
def test_each_package_of_a_lock_has_a_hash(lock):
    entries = re.sub(r"^ *#.*\n", "", lock.read_text(), flags=re.MULTILINE).replace("\\\n", "").splitlines()
    assert entries
    assert [entry for entry in entries if not re.fullmatch(r"\S+==.*--hash=sha256:[0-9a-f]{64}", entry)] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_names_no_index(lock):
    assert re.findall(r"://|^ *-[-a-z]*(?:index|find|host)\S*", lock.read_text(), re.MULTILINE) == []


def test_the_locks_of_tools_agree_with_that_of_the_book():
    book = pins(ROOT / "requirements.txt")
    for lock in set(LOCKS[1:]) - {COLAB}:
        both = {name: versions for name, versions in pins(lock).items() if name in book}
        assert {
            name: versions for name, versions in both.items() if not set(versions) <= set(book[name])
        } == {}

"""The JupyterLite site: what PYODIDE may name, and the wheels that come along; `make lite-check` runs it."""

import importlib.metadata
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import build  # noqa: E402
import lite  # noqa: E402
import sources  # noqa: E402


@pytest.fixture
def distribution(tmp_path, monkeypatch):
    """A folder that looks like a whole Pyodide distribution, and PYODIDE names it."""
    packages = {name: {"file_name": f"{name}.whl"} for name in lite.NEEDED}
    for name in (*lite.CORE, *(each["file_name"] for each in packages.values())):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / lite.LOCK).write_text(json.dumps({"packages": packages}))
    monkeypatch.setenv("PYODIDE", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("distribution")
def test_a_whole_distribution_is_taken():
    lite.check_distribution()


def test_without_one_there_is_nothing_to_check(monkeypatch):
    monkeypatch.delenv("PYODIDE", raising=False)
    lite.check_distribution()


def lose_numpy(folder):
    (folder / lite.LOCK).write_text(json.dumps({"packages": {"matplotlib": {"file_name": "matplotlib.whl"}}}))


FAULTS = {
    "lacks numpy, ipywidgets$": lose_numpy,
    "lacks pyodide.asm.wasm$": lambda folder: (folder / "pyodide.asm.wasm").unlink(),
    "lacks numpy.whl$": lambda folder: (folder / "numpy.whl").unlink(),
    "must name the folder of a Pyodide distribution": lambda folder: (folder / lite.LOCK).write_text("[]"),
    "got .*No such file or directory": lambda folder: (folder / lite.LOCK).unlink(),
}


@pytest.mark.parametrize("words", FAULTS)
def test_what_a_distribution_lacks_is_named(distribution, words):
    FAULTS[words](distribution)
    with pytest.raises(SystemExit, match=words):
        lite.check_distribution()


def test_the_build_refuses_it_before_it_executes_anything(tmp_path, monkeypatch):
    monkeypatch.setenv("BOOK_LITE", "1")
    monkeypatch.setenv("PYODIDE", "/nowhere")
    with pytest.raises(SystemExit, match=r"PYODIDE must name the folder of .*, got /nowhere"):
        build.build(tmp_path, tmp_path / "_build", workers=1)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", lite.ADDED)
def test_a_package_of_plain_python_is_packed_as_a_wheel_that_can_be_imported(tmp_path, name):
    lite.add_wheel(name, tmp_path / "pypi")
    (wheel,) = (tmp_path / "pypi").iterdir()
    assert wheel.name == f"{name}-{importlib.metadata.version(name)}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as files:
        assert files.testzip() is None
    program = f"import sys; sys.path.insert(0, {str(wheel)!r}); import {name}; print({name}.__file__)"
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(str(wheel))


def test_the_packages_come_with_what_they_need_and_the_distribution_lacks(distribution, tmp_path_factory):
    site = tmp_path_factory.mktemp("lite")
    lite.use_local_pyodide(distribution, site)
    names = {wheel.name.partition("-")[0] for wheel in (site / "pypi").iterdir()}
    needed = {key.split()[0].replace("-", "_") for key in sources.versions(lite.ADDED)}
    assert names == needed
    of_joblib = map(Requirement, importlib.metadata.requires("joblib") or [])  # 1.4 needs nothing
    assert {each.name for each in of_joblib if each.marker is None} <= names

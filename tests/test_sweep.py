"""Sweeps: the product, its order, the same results on every backend, and what stops one."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import joblib
import numpy as np
import pytest

from netinit import sweep

GRID = {"seed": [3, 1, 2], "scale": (0.5, 2.0)}
POINTS = [(3, 0.5), (3, 2.0), (1, 0.5), (1, 2.0), (2, 0.5), (2, 2.0)]


def draw(seed, scale):
    values = scale * np.random.default_rng(seed).standard_normal(1000)
    return {"std": values.std(), "values": values[:3].tolist()}


def expected():
    return [{"seed": seed, "scale": scale, **draw(seed, scale)} for seed, scale in POINTS]


def late_first(seed, scale):
    """The first points of the grid take longest."""
    time.sleep(0.05 * seed)
    return {"product": seed * scale}


def where(seed, scale):  # noqa: ARG001
    return {"thread": threading.current_thread().name}


def fails_at_two(seed, scale):
    if seed == 2:
        raise ArithmeticError("cannot go on")
    return {"sum": seed + scale}


def test_one_dict_for_each_point_in_the_order_of_the_grid():
    assert sweep(draw, GRID, progress=False) == expected()


def test_processes_give_the_same_results():
    assert sweep(draw, GRID, n_jobs=2, progress=False) == expected()


def test_threads_give_the_same_results():
    with joblib.parallel_config("threading"):
        assert sweep(draw, GRID, n_jobs=2, progress=False) == expected()


def test_a_dask_cluster_gives_the_same_results():
    distributed = pytest.importorskip("distributed", reason="dask.distributed is in the test extra")
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": False, "dashboard_address": ":0"}
    with (
        distributed.LocalCluster(**options) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config("dask"),
    ):
        assert sweep(draw, GRID, progress=False) == expected()
        names = {r["thread"] for r in sweep(where, GRID, progress=False)}
    assert all("Dask" in name for name in names)  # the cluster did the work


def test_serial_processes_and_dask_workers_agree():
    """Worker processes: each run function, point and result crosses a process boundary."""
    distributed = pytest.importorskip("distributed", reason="dask.distributed is in the test extra")

    def with_process(seed, scale):  # a local function: joblib and Dask send it by value
        return {**draw(seed, scale), "pid": os.getpid()}

    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
    found = {
        "serial": sweep(with_process, GRID, progress=False),
        "processes": sweep(with_process, GRID, n_jobs=2, progress=False),
    }
    with (
        distributed.LocalCluster(**options) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config("dask"),
    ):
        found["dask"] = sweep(with_process, GRID, progress=False)
        with pytest.raises(ArithmeticError, match="cannot go on") as info:
            sweep(fails_at_two, GRID, progress=False)
    assert info.value.__notes__[-1].startswith("at the grid point seed=2, scale=")
    pids = {backend: {result.pop("pid") for result in results} for backend, results in found.items()}
    assert pids["serial"] == {os.getpid()}
    assert os.getpid() not in pids["processes"] | pids["dask"]
    assert not pids["processes"] & pids["dask"]
    assert found == dict.fromkeys(found, expected())


def test_the_order_does_not_depend_on_who_is_first():
    results = sweep(late_first, GRID, n_jobs=2, progress=False)
    assert [(r["seed"], r["scale"]) for r in results] == POINTS


def test_values_may_be_any_iterable_and_run_any_callable():
    results = sweep(lambda n: {"square": int(n) ** 2}, {"n": np.arange(3)}, n_jobs=2, progress=False)
    assert [r["square"] for r in results] == [0, 1, 4]


def test_numpy_integers_are_integers():
    assert sweep(draw, GRID, n_jobs=np.int64(1), progress=False) == expected()


def test_the_bar_goes_to_stderr_and_can_be_silenced(capsys):
    sweep(draw, GRID)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "6/6" in captured.err
    sweep(draw, GRID, progress=False)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_exception_stops_the_sweep_and_names_its_point(n_jobs):
    with pytest.raises(ArithmeticError, match="cannot go on") as info:
        sweep(fails_at_two, GRID, n_jobs=n_jobs, progress=False)
    assert info.value.__notes__[-1] in (
        "at the grid point seed=2, scale=0.5",
        "at the grid point seed=2, scale=2.0",
    )


def test_importing_netinit_loads_neither_joblib_nor_tqdm():
    code = "import sys, netinit; print(sorted({'joblib', 'tqdm'} & sys.modules.keys()))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


LONG_SWEEP = """
import os, sys, time
from pathlib import Path
from netinit import sweep

def run(i):
    Path(sys.argv[1], f"{i}-{os.getpid()}").touch()
    time.sleep(0.05 if i < 2 else 60)
    return {"i2": i * i}

n_jobs = int(sys.argv[2])
try:
    results = sweep(run, {"i": list(range(20))}, n_jobs=n_jobs)
    print("returned", results)
except KeyboardInterrupt:
    print("interrupted", "results" in globals(), flush=True)
sys.stdin.read()  # the parent lives on, as a notebook's kernel does
print(sweep(lambda i: {"i2": i * i}, {"i": [5]}, n_jobs=n_jobs, progress=False))
"""


def workers_of_long_runs(folder):
    points = [path.name.split("-") for path in folder.iterdir()]
    return {int(pid) for i, pid in points if int(i) >= 2}


def alive(pid):
    """Whether the process runs; one that has ended but was not yet waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def start(script, *arguments):
    """A Python process in a group of its own, with pipes to its input and output; pytest keeps its stderr."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, start_new_session=True, text=True, **pipes)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads the state of processes from /proc")
@pytest.mark.parametrize(("n_jobs", "to_all"), [(1, False), (2, False), (2, True)])
def test_ctrl_c_stops_all_workers_and_returns_nothing(n_jobs, to_all, tmp_path):
    """A terminal sends the signal to all processes, a notebook's stop button to the parent alone."""
    with start(LONG_SWEEP, tmp_path, n_jobs) as process:
        try:
            # Every worker is in a long run: short ones have results, which must not be returned.
            assert wait_until(lambda: len(workers_of_long_runs(tmp_path)) == n_jobs)
            (os.killpg if to_all else os.kill)(process.pid, signal.SIGINT)
            assert process.stdout.readline().split() == ["interrupted", "False"]
            workers = workers_of_long_runs(tmp_path) - {process.pid}
            assert len(workers) == (0 if n_jobs == 1 else n_jobs)
            assert wait_until(lambda: not any(alive(pid) for pid in workers))
            assert alive(process.pid)
            output, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    assert output.strip() == "[{'i': 5, 'i2': 25}]"  # it can sweep again


DASK_SWEEP = """
import sys, time
from pathlib import Path
import joblib
from distributed import Client, LocalCluster
from netinit import sweep

folder = Path(sys.argv[1])

def run(i):
    (folder / f"point-{i}").touch()
    while not (folder / "go on").exists():
        time.sleep(0.05)
    return {"i2": i * i}

if __name__ == "__main__":
    options = dict(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0")
    with LocalCluster(**options) as cluster, Client(cluster), joblib.parallel_config("dask"):
        try:
            results = sweep(run, {"i": list(range(12))}, progress=False)
        except KeyboardInterrupt:
            print("interrupted", "results" in globals())
        time.sleep(0.5)  # the cluster hears of it
        (folder / "go on").touch()  # the workers are free: what is still waiting would start now
        time.sleep(1.5)
        print(len(list(folder.glob("point-*"))))
        print(sweep(lambda i: {"i2": i * i}, {"i": [5]}, progress=False))
"""


def test_after_ctrl_c_no_point_starts_on_a_dask_cluster(tmp_path):
    pytest.importorskip("distributed", reason="dask.distributed is in the test extra")
    with start(DASK_SWEEP, tmp_path) as process:
        try:
            assert wait_until(lambda: len(list(tmp_path.iterdir())) == 2)  # both workers have begun
            os.kill(process.pid, signal.SIGINT)
            output, _ = process.communicate(timeout=60)
        finally:
            with contextlib.suppress(ProcessLookupError):  # all have ended, as they should
                os.killpg(process.pid, signal.SIGKILL)
    assert output.splitlines() == ["interrupted False", "2", "[{'i': 5, 'i2': 25}]"]


def nothing(**_):
    return None


ERRORS = [
    ((None, GRID), {}, TypeError, "run must be callable, got NoneType"),
    ((draw, [("seed", [1])]), {}, TypeError, "grid must map names to lists of values, got list"),
    ((draw, {}), {}, ValueError, "grid must hold at least one name"),
    ((draw, {"seed": []}), {}, ValueError, r"grid\['seed'\] must hold at least one value"),
    ((draw, {"seed": 3}), {}, TypeError, r"grid\['seed'\] must be a list of values, got int"),
    ((draw, {"seed": "abc"}), {}, TypeError, r"grid\['seed'\] must be a list of values, got str"),
    ((draw, {"seed": b"abc"}), {}, TypeError, r"grid\['seed'\] must be a list of values, got bytes"),
    ((draw, {"seed": {1: 2}}), {}, TypeError, r"grid\['seed'\] must be a list of values, got dict"),
    (
        (draw, {"seed": np.array(3)}),
        {},
        TypeError,
        r"grid\['seed'\] must be a list of values, got ndarray",
    ),
    ((draw, {0: [1]}), {}, TypeError, "grid must have names of arguments as keys, got int"),
    ((draw, GRID), {"n_jobs": 0}, ValueError, "n_jobs must be .* got 0"),
    ((draw, GRID), {"n_jobs": 1.5}, TypeError, "n_jobs must be an integer, got float"),
    ((draw, GRID), {"n_jobs": True}, TypeError, "n_jobs must be an integer, got bool"),
    ((draw, GRID), {"n_jobs": "2"}, TypeError, "n_jobs must be an integer, got str"),
    ((draw, GRID), {"n_jobs": None}, TypeError, "n_jobs must be an integer, got NoneType"),
    ((draw, {"sead": [1], "scale": [1]}), {}, TypeError, "unexpected keyword argument 'sead'"),
    ((nothing, GRID), {}, TypeError, "run must return a dict, got NoneType"),
    (
        (lambda seed: {"seed": seed}, {"seed": [1]}),
        {},
        ValueError,
        "must not return a name of the grid, got seed",
    ),
]


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"), ERRORS, ids=[row[-1] for row in ERRORS]
)
def test_wrong_calls(arguments, options, error, message):
    with pytest.raises(error, match=message):
        sweep(*arguments, progress=False, **options)

"""Many runs: the same experiment at every point of a grid, on one core, on all, or on a cluster.

joblib does the work: `with joblib.parallel_config("dask"):` around a call puts the same sweep on a Dask
cluster. joblib and tqdm are imported when a sweep starts, so that `import netinit` stays light.
"""

import itertools
import numbers
import warnings
from collections.abc import Callable, Iterable, Mapping, Sized


def sweep(
    run: Callable[..., Mapping], grid: Mapping[str, Iterable], *, n_jobs: int = 1, progress: bool = True
) -> list[dict]:
    """Call `run(**point)` at every point of a grid; returns one dict each, the point merged with its result.

    `grid` maps each argument of `run` to a list of values; the points are their Cartesian product, the last
    name varying fastest, and the results come in that order. `n_jobs` processes share the work, -1 takes
    every core. Give `run` its seed as an argument and the results are the same whatever the backend.
    `progress` draws a bar on stderr.

    Ctrl-C stops the sweep, which then returns nothing: no further point starts. Worker processes are ended;
    a thread, and a worker of a Dask cluster, first finishes the point that it is at. An exception in `run`
    stops the sweep likewise and carries a note that names its point.

    Raises: TypeError for a `run` that cannot be called, a grid that does not map names to lists of values,
    `n_jobs` that is not an integer, or a result that is not a dict; ValueError for an empty grid or list,
    `n_jobs=0`, or a result that repeats a name of the grid.

    >>> sweep(lambda a, b: {"sum": a + b}, {"a": [1, 2], "b": [10]}, progress=False)
    [{'a': 1, 'b': 10, 'sum': 11}, {'a': 2, 'b': 10, 'sum': 12}]
    """
    points = _points(grid)
    if not callable(run):
        raise TypeError(f"run must be callable, got {type(run).__name__}.")
    if isinstance(n_jobs, bool) or not isinstance(n_jobs, numbers.Integral):
        raise TypeError(f"n_jobs must be an integer, got {type(n_jobs).__name__}.")
    if n_jobs == 0:
        raise ValueError("n_jobs must be a number of processes, or -1 for every core, got 0.")
    from joblib import Parallel, delayed
    from tqdm import tqdm

    jobs = [delayed(_run_point)(run, point) for point in points]
    results = None  # until joblib has begun
    try:
        # One point at a time: of a batch, a Dask worker would start every point, also after Ctrl-C.
        results = Parallel(n_jobs=int(n_jobs), batch_size=1, return_as="generator")(jobs)
        return list(tqdm(results, total=len(jobs), disable=not progress))
    except BaseException:
        _stop(results)
        raise


def _stop(results) -> None:
    """End the work of joblib. Worker processes it stops by itself; on Dask it only forgets the points."""
    from asyncio import sleep  # here, for it would double the time of `import netinit`

    from joblib.parallel import get_active_backend

    if results is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # joblib warns of results that nobody takes: here that is meant
            results.close()
    backend, _ = get_active_backend()
    client = getattr(backend, "client", None)  # only the Dask backend has one
    if client is not None and client.status == "running":
        client.sync(sleep, 0.1)  # points on their way from joblib to the client arrive first
        client.cancel(list(backend._results))


def _points(grid) -> list[dict]:
    """The Cartesian product, as one dict per point."""
    if not isinstance(grid, Mapping):
        raise TypeError(f"grid must map names to lists of values, got {type(grid).__name__}.")
    if not grid:
        raise ValueError("grid must hold at least one name, got none.")
    values = {}
    for name, choices in grid.items():
        if not isinstance(name, str):
            raise TypeError(f"grid must have names of arguments as keys, got {type(name).__name__}.")
        sized = isinstance(choices, Iterable) and isinstance(choices, Sized)  # a generator may have no end
        if not sized or isinstance(choices, (str, bytes, Mapping)) or getattr(choices, "ndim", 1) == 0:
            raise TypeError(f"grid[{name!r}] must be a list of values, got {type(choices).__name__}.")
        values[name] = list(choices)
        if not values[name]:
            raise ValueError(f"grid[{name!r}] must hold at least one value, got none.")
    return [dict(zip(values, point, strict=True)) for point in itertools.product(*values.values())]


def _run_point(run: Callable[..., Mapping], point: dict) -> dict:
    """One run, merged with its point; an exception is told where it happened."""
    try:
        result = run(**point)
        if not isinstance(result, Mapping):
            raise TypeError(f"run must return a dict, got {type(result).__name__}.")
        if both := sorted(point.keys() & result.keys()):
            raise ValueError(f"run must not return a name of the grid, got {', '.join(both)}.")
        return point | dict(result)
    except Exception as error:
        error.add_note("at the grid point " + ", ".join(f"{name}={value!r}" for name, value in point.items()))
        raise

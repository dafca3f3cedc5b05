"""LSUV on MLPs of width 100: one pass of netinit against the `lsuv` package, which runs the net per layer."""

import contextlib
import io
import warnings

import numpy as np
import torch
from lsuv import lsuv_with_singlebatch
from threadpoolctl import threadpool_limits

from benchmarks.timing import at_least, race
from netinit import lsuv, mlp

WIDTH, BATCH = 100, 128
AT_LEAST = {100: 12, 200: None, 400: 45}  # depth -> required speed-up


def contestants(depth):
    sizes = [WIDTH] * (depth + 1)
    x = np.random.default_rng(0).standard_normal((BATCH, WIDTH), dtype=np.float32)
    model = mlp(sizes, "tanh")
    layers = []
    for _ in range(depth):
        layers += [torch.nn.Linear(WIDTH, WIDTH), torch.nn.Tanh()]
    theirs = torch.nn.Sequential(*layers[:-1])

    def package():
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            lsuv_with_singlebatch(theirs, torch.from_numpy(x), device=torch.device("cpu"), verbose=False)

    return {"netinit": lambda: lsuv(model, x, np.random.default_rng(0)), "package": package}


def main():
    """Print the table."""
    print("LSUV: seconds, speed-up over the lsuv package, seconds per layer")
    with threadpool_limits(2):
        for depth, bound in AT_LEAST.items():
            seconds = race(contestants(depth), rounds=3)
            ratio = seconds["package"] / seconds["netinit"]
            wanted = "" if bound is None else at_least(ratio, bound)
            own, package = seconds["netinit"], seconds["package"]
            print(
                f"  {depth:>4} layers  {own:.3f} s, package {package:.2f} s: {ratio:.0f} times {wanted}",
                end="",
            )
            print(f"; {1e3 * own / depth:.2f} ms a layer")

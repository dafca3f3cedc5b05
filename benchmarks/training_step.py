"""One training step (forward, loss, backward, SGD): netinit over PyTorch eager, two threads each."""

import itertools
import time

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from benchmarks.timing import at_least, at_most, race
from netinit import SGD, initialize, mlp, softmax_cross_entropy

# sizes, batch, bound on the ratio, least share of the products in percent, steps per round
CASES = [
    ([64, *[100] * 5, 10], 128, 0.65, None, 100),
    ([64, *[64] * 30, 10], 128, 0.60, None, 30),
    ([64, *[32] * 1000, 10], 64, 0.40, None, 2),
    ([784, *[512] * 3, 10], 128, 1.30, 90, 30),
]


def netinit_step(sizes, x, y):
    model = initialize(mlp(sizes), "he_normal", np.random.default_rng(0))
    optimizer = SGD(model.parameters(), 1e-3)

    def step():
        loss, grad = softmax_cross_entropy(model.forward(x), y)
        optimizer.zero_grad()
        model.backward_parameters(grad)
        optimizer.step()
        return loss

    return step


def torch_step(sizes, x, y):
    layers = []
    for n_in, n_out in itertools.pairwise(sizes):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    x, y = torch.from_numpy(x), torch.from_numpy(y)

    def step():
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()

    return step


class Clocked(np.ndarray):
    """An array that adds up the time of its matrix products; what is computed from it is one too."""

    seconds = 0.0

    def dot(self, b, out=None):
        start = time.perf_counter()
        result = np.ndarray.dot(self, b, out)
        Clocked.seconds += time.perf_counter() - start
        return result


def share_of_products(sizes, x, y, steps):
    """Median share of a step's time that is spent inside its matrix products, timed where they happen."""
    step, shares = netinit_step(sizes, x.view(Clocked), y), []
    for _ in range(steps):
        Clocked.seconds, start = 0.0, time.perf_counter()
        step()
        shares.append(Clocked.seconds / (time.perf_counter() - start))
    return float(np.median(shares))


def main():
    """Print the table."""
    torch.set_num_threads(2)
    print("Training step: netinit / PyTorch eager, and the share of netinit's time in matrix products")
    with threadpool_limits(2):
        for sizes, batch, bound, least, repeat in CASES:
            rng = np.random.default_rng(0)
            x, y = rng.standard_normal((batch, sizes[0]), dtype=np.float32), rng.integers(0, 10, batch)
            contestants = {"netinit": netinit_step(sizes, x, y), "torch": torch_step(sizes, x, y)}
            seconds, share = race(contestants, repeat=repeat), share_of_products(sizes, x, y, 10 * repeat)
            name = f"{sizes[0]}-[{sizes[1]}]x{len(sizes) - 2}-{sizes[-1]}, batch {batch}"
            ms = 1e3 * seconds["netinit"]
            ratio = seconds["netinit"] / seconds["torch"]
            wanted = "" if least is None else at_least(100 * share, least)
            print(f"  {name:<28} {ms:8.2f} ms  ratio {ratio:5.2f} {at_most(ratio, bound)}", end="")
            print(f"  products {share:.0%} {wanted}")

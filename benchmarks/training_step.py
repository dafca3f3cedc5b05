"""One training step (forward, loss, backward, SGD): netinit over PyTorch eager, two threads each.

Where the products have a bound, the same step written out by hand in NumPy runs beside them: it knows one
network alone, checks nothing and uses its buffers again, so what it spends outside the products is NumPy's.
"""

import itertools
import time

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from benchmarks.timing import at_least, at_most, race
from netinit import SGD, initialize, mlp, softmax_cross_entropy
from netinit.optimizers import PIECE

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
        model.backward(grad)
        optimizer.step()
        return loss

    return step


def step_by_hand(sizes, x, y):
    """The arithmetic alone; x may be Clocked, and then all that is multiplied is."""
    values, grads = (np.full(sum((n + 1) * m for n, m in itertools.pairwise(sizes)), 0.01, "f") for _ in "vg")
    weights, slots = _views(values, sizes), _views(grads, sizes)
    outputs = [np.empty_like(x, shape=(len(x), n)) for n in sizes[1:]]
    back = [np.empty_like(output) for output in outputs]
    zeros = [np.zeros(output.shape, "f") for output in outputs]
    ones, pieces = np.ones(len(x), "f"), [slice(i, i + PIECE) for i in range(0, len(values), PIECE)]

    def step():
        for i, (h, (w, b), z) in enumerate(zip([x, *outputs], weights, outputs, strict=False)):
            h.dot(w, z)
            z += b
            if z is not outputs[-1]:
                np.maximum(z, zeros[i], out=z)
        _, grad = softmax_cross_entropy(outputs[-1], y)
        for i in reversed(range(len(weights))):
            h, (w, _), (w_grad, b_grad) = [x, *outputs][i], weights[i], slots[i]
            h.T.dot(grad, w_grad)
            ones.dot(grad, b_grad)
            if i > 0:
                grad = grad.dot(w.T, back[i - 1])
                grad *= h.astype(bool).astype(h.dtype)
        for piece in pieces:
            values[piece] -= 1e-3 * grads[piece]

    return step


def _views(vector, sizes):
    """The matrix and bias of each layer, as views of their piece of a vector."""
    views, end = [], 0
    for n, m in itertools.pairwise(sizes):
        start, end = end, end + (n + 1) * m
        views.append((vector[start : end - m].reshape(n, m), vector[end - m : end]))
    return views


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


def share_of_products(make_step, sizes, x, y, steps):
    """Median share of a step's time that is spent inside its matrix products, timed where they happen."""
    step, shares = make_step(sizes, x.view(Clocked), y), []
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
            if least is not None:
                contestants["by hand"] = step_by_hand(sizes, x, y)
            seconds = race(contestants, repeat=repeat)
            share = share_of_products(netinit_step, sizes, x, y, 10 * repeat)
            name = f"{sizes[0]}-[{sizes[1]}]x{len(sizes) - 2}-{sizes[-1]}, batch {batch}"
            ms = 1e3 * seconds["netinit"]
            ratio = seconds["netinit"] / seconds["torch"]
            print(f"  {name:<28} {ms:8.2f} ms  ratio {ratio:5.2f} {at_most(ratio, bound)}", end="")
            print(f"  products {share:.0%}", end="" if least else "\n")
            if least is not None:
                share_by_hand = share_of_products(step_by_hand, sizes, x, y, 10 * repeat)
                by_hand = f"by hand {1e3 * seconds['by hand']:.2f} ms, products {share_by_hand:.0%}"
                print(f" {at_least(100 * share, least)}; {by_hand}")

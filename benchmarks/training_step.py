"""One training step (forward, loss, backward, SGD): netinit over PyTorch eager, two threads each."""

import itertools

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from benchmarks.timing import at_most, race
from netinit import SGD, initialize, mlp, softmax_cross_entropy

# sizes, batch, bound on the ratio, steps per round
CASES = [
    ([64, *[100] * 5, 10], 128, 0.60, 100),
    ([64, *[64] * 30, 10], 128, 0.55, 30),
    ([64, *[32] * 1000, 10], 64, 0.40, 2),
    ([784, *[512] * 3, 10], 128, 1.00, 30),
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


def main():
    """Print the table."""
    torch.set_num_threads(2)
    print("Training step: netinit / PyTorch eager")
    with threadpool_limits(2):
        for sizes, batch, bound, repeat in CASES:
            rng = np.random.default_rng(0)
            x, y = rng.standard_normal((batch, sizes[0]), dtype=np.float32), rng.integers(0, 10, batch)
            contestants = {"netinit": netinit_step(sizes, x, y), "torch": torch_step(sizes, x, y)}
            seconds = race(contestants, repeat=repeat)
            name = f"{sizes[0]}-[{sizes[1]}]x{len(sizes) - 2}-{sizes[-1]}, batch {batch}"
            ratio = seconds["netinit"] / seconds["torch"]
            ms = 1e3 * seconds["netinit"]
            print(f"  {name:<28} {ms:8.2f} ms  ratio {ratio:5.2f} {at_most(ratio, bound)}")

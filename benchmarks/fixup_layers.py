"""What the layers cost: one Fixup step through them, beside the same arithmetic written out by hand.

The loop knows this one network alone: no objects, no checks, its arrays in lists. What it takes is NumPy's
share, and the rest is the package's. The bound is that of the 10,000-block run, 60 s, over the 35 s of such a
loop: a ratio, so that it can be read on any machine.
"""

import numpy as np

from benchmarks.timing import at_most, race
from netinit import Momentum, fixup, residual_mlp, softmax_cross_entropy

BLOCKS, WIDTH, BATCH, MOST = 1000, 16, 100, 60 / 35


def layers(x, y):
    model = fixup(residual_mlp(64, WIDTH, BLOCKS, 10, fixup=True), np.random.default_rng(0))
    optimizer = Momentum(model.parameters(), 0.02)

    def step():
        _, grad = softmax_cross_entropy(model.forward(x), y)
        optimizer.zero_grad()
        model.backward(grad)
        optimizer.step()

    return step


def by_hand(x):
    """Forward, backward and step of the blocks alone; first and last layer cost next to nothing."""
    rng = np.random.default_rng(0)
    size = BLOCKS * (2 * WIDTH**2 + 5)
    values, grads, velocity, change = (np.zeros(size, np.float32) for _ in range(4))
    values[:] = 0.01 * rng.standard_normal(size, dtype=np.float32)
    weights, slots = (
        [_views(vector[i : i + size // BLOCKS]) for i in range(0, size, size // BLOCKS)]
        for vector in (values, grads)
    )
    zeros, ones = np.zeros((BATCH, WIDTH), np.float32), np.ones(BATCH * WIDTH, np.float32)

    def step():
        z, saved = x, []
        for w1, w2, a, b, c, d, s in weights:
            h1 = np.maximum(z + a, zeros)
            u1 = h1 + b
            h2 = np.maximum(u1.dot(w1) + c, zeros)
            u2 = h2 + d
            v = u2.dot(w2)
            saved.append((h1.astype(bool), u1, h2.astype(bool), u2, v))
            z = z + v * s
        grad = z / BATCH
        for (w1, w2, *_, s), (g1, g2, ga, gb, gc, gd, gs), (m1, u1, m2, u2, v) in zip(
            reversed(weights), reversed(slots), reversed(saved), strict=True
        ):
            v.ravel().dot(grad.ravel(), gs)
            g = grad * s
            u2.T.dot(g, g2)
            g = g.dot(w2.T)
            ones.dot(g.ravel(), gd)
            g = g * m2.astype(np.float32)
            ones.dot(g.ravel(), gc)
            u1.T.dot(g, g1)
            g = g.dot(w1.T)
            ones.dot(g.ravel(), gb)
            g = g * m1.astype(np.float32)
            ones.dot(g.ravel(), ga)
            grad = grad + g
        velocity[:] = 0.9 * velocity + grads
        np.multiply(velocity, 1e-6, out=change)
        values[:] -= change

    return step


def _views(block):
    """Two matrices and five numbers of one block, as views of its piece of a vector."""
    n = WIDTH**2
    return (
        block[:n].reshape(WIDTH, WIDTH),
        block[n : 2 * n].reshape(WIDTH, WIDTH),
        *(block[2 * n + i : 2 * n + i + 1].reshape(()) for i in range(5)),
    )


def main():
    """Print the line."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((BATCH, 64), dtype=np.float32), rng.integers(0, 10, BATCH)
    contestants = {"layers": layers(x, y), "by hand": by_hand(x[:, :WIDTH].copy())}
    seconds = race(contestants, rounds=25)
    ratio = seconds["layers"] / seconds["by hand"]
    per_block = ", ".join(f"{name} {1e6 * s / BLOCKS:.0f} us" for name, s in seconds.items())
    print(f"Fixup, a block and step: {per_block}: ratio {ratio:.2f} {at_most(ratio, MOST)}")

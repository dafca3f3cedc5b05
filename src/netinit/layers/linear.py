"""The linear layer: every output is a weighted sum of all inputs, plus a bias.

Rows of `x` are examples. Weights start at zero: `netinit.initialize` fills them.
"""

import numpy as np

from netinit.checks import check_flag, check_integer
from netinit.layers.base import Layer, check_gradient, zero_parameter


class Linear(Layer):
    """`y = x W + b`, with W of shape `(n_in, n_out)` and b of shape `(n_out,)`.

    Input (batch, n_in), output (batch, n_out). Raises ValueError for a non-positive size or an input of
    another width.

    >>> Linear(64, 10)(np.zeros((5, 64), np.float32)).shape
    (5, 10)
    """

    def __init__(self, n_in: int, n_out: int, bias: bool = True):
        self.n_in, self.n_out = n_in, n_out = check_integer("n_in", n_in), check_integer("n_out", n_out)
        bias = check_flag("bias", bias)
        self.weight = zero_parameter("weight", n_in, n_out)
        self.bias = zero_parameter("bias", n_out) if bias else None

    def forward(self, x):
        if x.ndim != 2 or x.shape[1] != self.n_in:
            self.refuse(x, f"(batch, {self.n_in})")
        self._saved = x
        # a.dot(b) is a @ b with less overhead, which counts where the matrices are small.
        y = x.dot(self.weight.value)  # (batch, n_out)
        if self.bias is not None:
            y += self.bias.value
        return y

    def backward(self, grad):
        x = self.saved()
        check_gradient(grad, (len(x), self.n_out))
        self.weight.accumulate_product(x.T, grad)  # (n_in, n_out)
        if self.bias is not None:
            self.bias.accumulate_product(np.ones(len(grad), grad.dtype), grad)  # the sum over the batch
        return grad.dot(self.weight.value.T)  # (batch, n_in)

    def __repr__(self):
        return f"Linear({self.n_in}, {self.n_out}{'' if self.bias is not None else ', bias=False'})"

"""Convolution, the same small linear layer at every place of an image; and the way from images to rows.

Cut the image into patches, one for each output pixel, lay each patch out as a row, and a convolution is a
matrix product, as in `Linear`. The way back undoes the two steps in reverse order: the product by the
transposed matrix, the cutting by adding each patch's gradient to the pixels that the patch was cut from.
"""

import math

import numpy as np

from netinit.checks import check_flag, check_name, check_sizes
from netinit.layers.base import Layer, check_gradient, zero_parameter

PADDINGS = ("same", "valid")


class Conv2d(Layer):
    """`y[i, j]` = sum over a, b of `x[s i + a, s j + b] W[a, b]` + bias, with stride s, x padded or not.

    Images (batch, height, width, c_in) become (batch, h_out, w_out, c_out); the kernel is square, the weight
    has shape (kernel_size, kernel_size, c_in // groups, c_out). "valid" takes whole patches only: h_out =
    (height - kernel_size) // s + 1. "same" pads with zeros to h_out = ceil(height / s), the odd one at the
    bottom and right as in TensorFlow and JAX; with stride 1 and an odd kernel that is PyTorch's
    `padding=kernel_size // 2`. With groups, each of the `groups` blocks of output channels sees its own block
    of input channels only. As in all these libraries the kernel is not flipped. Raises ValueError for a size
    below 1, groups that do not divide both channel counts, an unknown padding, an input of another shape, or
    one smaller than the kernel when "valid".

    >>> Conv2d(1, 8)(np.zeros((5, 28, 28, 1), np.float32)).shape
    (5, 28, 28, 8)
    """

    def __init__(self, c_in, c_out, kernel_size=3, stride=1, padding="same", bias=True, groups=1):
        c_in, c_out, kernel_size, stride, groups = check_sizes(
            c_in=c_in, c_out=c_out, kernel_size=kernel_size, stride=stride, groups=groups
        )
        if c_in % groups or c_out % groups:
            raise ValueError(f"groups must divide c_in and c_out, got {groups} for {c_in} and {c_out}.")
        check_name("padding", padding, PADDINGS)
        bias = check_flag("bias", bias)
        self.n_in, self.n_out, self.groups = c_in, c_out, groups
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        shape = kernel_size, kernel_size, c_in // groups, c_out
        self.weight = zero_parameter("weight", *shape)
        self.bias = zero_parameter("bias", c_out) if bias else None

    def forward(self, x):
        if x.ndim != 4 or x.shape[3] != self.n_in or x.size == 0:
            self.refuse(x, f"(batch, height, width, {self.n_in})")
        if self.padding == "valid" and min(x.shape[1:3]) < self.kernel_size:
            raise ValueError(f"{self!r} needs images of at least its kernel size, got shape {x.shape}.")
        margins = self._margins(x.shape[1]), self._margins(x.shape[2])
        padded = np.pad(x, ((0, 0), *margins, (0, 0)))  # (batch, height + margins, width + margins, c_in)
        windows = self._windows(padded)  # (groups, batch, h_out, w_out, k, k, c_in / groups)
        rows = windows.reshape(self.groups, math.prod(windows.shape[1:4]), -1)
        self._saved = rows, windows.shape, padded.shape, margins
        y = rows @ self._matrices()  # (groups, batch h_out w_out, c_out / groups)
        y = np.moveaxis(y, 0, 1).reshape(*windows.shape[1:4], self.n_out)
        if self.bias is not None:
            y += self.bias.value
        return y

    def backward(self, grad):
        rows, shape, padded_shape, ((top, bottom), (left, right)) = self.saved()
        check_gradient(grad, (*shape[1:4], self.n_out))
        grad_rows = self._by_group(grad)
        # (groups, k k c_in / groups, rows) @ (groups, rows, c_out / groups)
        grad_matrices = rows.swapaxes(1, 2) @ grad_rows
        self.weight.accumulate(np.moveaxis(grad_matrices, 0, 1).reshape(self.weight.value.shape))
        if self.bias is not None:
            self.bias.accumulate(grad.sum(axis=(0, 1, 2)))
        transposed = self._matrices().swapaxes(1, 2)  # (groups, c_out / groups, k k c_in / groups)
        patches = (grad_rows @ transposed).reshape(shape)  # as the windows in forward
        grad_padded = np.zeros(padded_shape, grad.dtype)
        targets = self._windows(grad_padded, writeable=True)
        # The same place (i, j) of different patches is never the same pixel, so each += misses nothing.
        for i in range(self.kernel_size):
            for j in range(self.kernel_size):
                targets[..., i, j, :] += patches[..., i, j, :]
        return grad_padded[:, top : padded_shape[1] - bottom, left : padded_shape[2] - right]

    def _margins(self, size):
        """Rows of zeros before and after an image side of this size."""
        if self.padding == "valid":
            return 0, 0
        total = max((-(-size // self.stride) - 1) * self.stride + self.kernel_size - size, 0)
        return total // 2, total - total // 2

    def _windows(self, padded, writeable=False):
        """The patches, as a view: (groups, batch, h_out, w_out, k, k, c_in / groups).

        Entry (g, n, i, j, a, b, c) is pixel (s i + a, s j + b) of image n, channel c of group g.
        """
        k, s = self.kernel_size, self.stride
        by_group = padded.reshape(*padded.shape[:3], self.groups, -1)
        windows = np.lib.stride_tricks.sliding_window_view(by_group, (k, k), axis=(1, 2), writeable=writeable)
        return windows[:, ::s, ::s].transpose(3, 0, 1, 2, 5, 6, 4)

    def _matrices(self):
        """The weight as one matrix for each group: (groups, k k c_in / groups, c_out / groups)."""
        weight = self.weight.value
        return np.moveaxis(weight.reshape(math.prod(weight.shape[:3]), self.groups, -1), 1, 0)

    def _by_group(self, grad):
        """(batch, h_out, w_out, c_out) to (groups, batch h_out w_out, c_out / groups)."""
        return np.moveaxis(grad.reshape(math.prod(grad.shape[:3]), self.groups, -1), 1, 0)

    def __repr__(self):
        options = f", stride={self.stride}" if self.stride != 1 else ""
        options += f", padding={self.padding!r}" if self.padding != "same" else ""
        options += ", bias=False" if self.bias is None else ""
        options += f", groups={self.groups}" if self.groups != 1 else ""
        return f"Conv2d({self.n_in}, {self.n_out}, {self.kernel_size}{options})"


class Flatten(Layer):
    """(batch, ...) to (batch, product of the rest): from images to the rows that `Linear` takes.

    >>> Flatten()(np.zeros((5, 8, 8, 2))).shape
    (5, 128)
    """

    def forward(self, x):
        if x.ndim < 2:
            self.refuse(x, "(batch, ...)")
        y = x.reshape(len(x), math.prod(x.shape[1:]))
        self._saved = x.shape, y.shape
        return y

    def backward(self, grad):
        shape, flat = self.saved()
        check_gradient(grad, flat)
        return grad.reshape(shape)

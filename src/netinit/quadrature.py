"""Expectations over a Gaussian, by quadrature: the arithmetic under `theory`.

In a wide layer the preactivations are Gaussian, so every statement of the theory is an integral of the
activation phi, or of phi', against a normal density. Panels of Gauss-Legendre nodes are halved until the
result stands still: most activations have a kink, and a rule that takes them for smooth errs by 1e-4.

Any elementwise callable may stand for a registered activation. Its derivative is then a difference quotient,
good enough for 1e-7 in the expectations, kinks included. What has no answer is refused: infinite moments,
slopes that are not square-integrable, values too noisy to settle.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from netinit.activations import ActivationFunction, get_activation

# Panels that halve towards 0: phi(sqrt(q) z) may bend at any scale near 0, and most kinks sit there.
_HALF_LINE = 16.0 * 2.0 ** -np.arange(32)
_EDGES = np.concatenate([-_HALF_LINE, [0.0], _HALF_LINE[::-1]])
_TOLERANCE = 1e-11  # of one panel, relative to the whole integral
_UNSETTLED = 1e-8  # what the last halving may still move, relative to the whole integral
_DISAGREEMENT = 1e-4, 5e-2  # of two rules for a product of phi, of phi': a kink away from 0 keeps them apart
_HALVINGS, _MOST_PANELS = 50, 2**14  # a jump gains one bit per halving; many kinks, or noise, many panels
_STEP = 2e-7  # of a difference quotient, relative to z
_REFUSALS = (TypeError, ValueError, ArithmeticError)  # what a function raises on arguments not made for it
_PROBE = np.array([-0.75, 0.25, 1.5])


class InfiniteMoment(ValueError):
    """An expectation is infinite, or its mass lies beyond 16 standard deviations."""


@dataclass(frozen=True)
class _Plain:
    """A callable that came without its derivative: differences stand for it."""

    name: str
    function: Callable[[np.ndarray], np.ndarray]
    step: float = _STEP


def resolve(activation) -> ActivationFunction | _Plain:
    """The activation of a name, of an ActivationFunction, or of any elementwise callable."""
    if isinstance(activation, _Plain):
        return activation
    if isinstance(activation, (str, ActivationFunction)):
        return get_activation(activation)
    if not callable(activation):
        raise TypeError(
            "activation must be a name, an ActivationFunction or an elementwise callable, "
            f"got {type(activation).__name__}."
        )
    name = getattr(activation, "__name__", type(activation).__name__)
    return _Plain(name, _on_arrays(activation))


def _on_arrays(function):
    """The callable on arrays of any shape: called once on a flat copy, or number by number if it must."""
    many = function
    try:
        with np.errstate(all="ignore"):
            function(_PROBE.copy())
    except _REFUSALS:
        if _takes_numbers(function):
            many = np.frompyfunc(function, 1, 1)

    def on_arrays(z):
        values = np.asarray(many(z.flatten()))  # a copy: `function` may write to it
        return values.reshape(z.shape) if values.shape == (z.size,) else values

    return on_arrays


def _takes_numbers(function):
    try:
        function(0.25)
    except _REFUSALS:
        return False
    return True


def _call(activation, function, z, *output):
    """function(z, *output) as an array of real numbers of the shape of z, whatever the function does."""
    name = activation.name
    try:
        values = np.asarray(function(z, *output))
        if values.dtype.kind == "O":
            values = np.array(values.tolist())  # of Python numbers, as np.frompyfunc returns them
    except _REFUSALS as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise ValueError(
            f"activation {name!r} must take an array of float64, but raised {reason.rstrip('.')}."
        ) from error
    if values.shape != z.shape:
        raise ValueError(f"activation {name!r} must be elementwise, got shape {values.shape} for {z.shape}.")
    if values.dtype.kind not in "fiub":
        raise ValueError(f"activation {name!r} must return real numbers, got the dtype {values.dtype}.")
    return values


def _difference_quotient(plain, z):
    """The slope of phi between two points around z, both on its side of 0: most kinks and jumps sit there.

    The points lie _STEP |z| from z, but at least about 1e-8 where phi(0) is not 0, or its rounding would
    drown the difference. At 0 it is the slope from the left, as for the registered activations.
    """
    at_z = _call(plain, plain.function, z)
    if at_z.dtype.kind == "f" and at_z.dtype.itemsize < 8:
        raise ValueError(
            f"activation {plain.name!r} must return float64 for a derivative by differences, got "
            f"{at_z.dtype}: compute it in float64, or pass ActivationFunction(name, function, derivative)."
        )
    _refuse_a_jump_at_0(plain)
    size = np.abs(z)
    step = plain.step * np.maximum(size, 0.05 * np.minimum(np.abs(at_z), 1.0))
    step[step == 0] = 0.05 * plain.step
    away = np.where(z > 0, 1.0, -1.0)  # from 0
    outer, inner = z + away * step, z - away * np.minimum(step, size / 2)
    rise = np.subtract(*(_call(plain, plain.function, side).astype(np.float64) for side in (outer, inner)))
    return rise / (outer - inner)


def _refuse_a_jump_at_0(plain):
    """Raise where phi changes as much within 1e-9 of 0 as within 1e-6: no difference on one side shows it."""
    sides = _call(plain, plain.function, np.array([-1e-6, -1e-9, 1e-9, 1e-6])).astype(np.float64)
    if abs(sides[2] - sides[1]) > 0.5 * abs(sides[3] - sides[0]):
        raise _not_square_integrable(plain, "at 0")


def _not_square_integrable(plain, where):
    return ValueError(
        f"activation {plain.name!r} must have a square-integrable derivative, not so {where}; for a function "
        "with a jump, pass ActivationFunction(name, function, derivative)."
    )


def evaluate(activation, z, derivative=False):
    """phi(z) or phi'(z) in float64, checked."""
    with np.errstate(all="ignore"):
        if derivative and isinstance(activation, _Plain):
            values = _difference_quotient(activation, z)
        else:
            values = _call(activation, activation.function, z)
            if derivative:
                values = _call(activation, activation.derivative, z, values)
        values = values.astype(np.float64, copy=False)
    if not np.isfinite(values).all():
        worst = float(z[~np.isfinite(values)][0])
        raise ValueError(
            f"activation {activation.name!r} must return finite values, got a non-finite one at {worst:g}."
        )
    return values


@functools.cache
def _legendre(nodes=16):
    """Gauss's nodes on [-1, 1] and weights; made on first use, because numpy.polynomial loads slowly."""
    return np.polynomial.legendre.leggauss(nodes)


def _grid(left, right):
    """Nodes z of every panel, and exp(-z^2 / 2) times half the width of the panel: (panels, nodes) both."""
    half_width = (right - left)[:, None] / 2
    z = (left + right)[:, None] / 2 + half_width * _legendre()[0]
    return z, np.exp(-0.5 * z * z) * half_width


def _halved(left, right):
    """The left halves of the panels, then the right ones."""
    middle = (left + right) / 2
    return np.concatenate([left, middle]), np.concatenate([middle, right])


_PANELS = _EDGES[:-1], _EDGES[1:]


def expectation(f: Callable[[np.ndarray], np.ndarray], subject: str) -> float:
    """E[f(z)], z ~ N(0, 1): Gauss-Legendre on panels, each halved until the whole and its halves agree.

    `f` takes and returns arrays (panels, nodes). `subject` names the expectation in an error: InfiniteMoment
    where |f(z)| exp(-z^2 / 2) is not negligible at |z| = 16, ValueError where the halving leads nowhere.
    """
    (left, right), weights = _PANELS, _legendre()[1]
    z, density = _grid(left, right)
    values, total = f(z) * density, 0.0
    whole = values @ weights
    scale = _scale(whole, max(abs(values[0, 0]), abs(values[-1, -1])), subject)
    for _ in range(_HALVINGS):
        left, right = _halved(left, right)
        z, density = _grid(left, right)
        halves = (f(z) * density) @ weights
        both = halves.reshape(2, -1).sum(axis=0)
        error = np.abs(both - whole)
        rough = error > _TOLERANCE * scale
        total += both[~rough].sum()
        count = np.count_nonzero(rough)
        if not 0 < count <= _MOST_PANELS:
            break
        again = np.concatenate([rough, rough])
        left, right, whole = left[again], right[again], halves[again]
    if count and error[rough].sum() > _UNSETTLED * scale:
        raise ValueError(f"{subject} must settle: it is infinite, or phi is too rough or not in float64.")
    return float(total + both[rough].sum()) / math.sqrt(2 * math.pi)


def _scale(integrals, end, subject):
    """The size of the whole integral, once it is clear that it is finite and that little lies at the ends."""
    scale = np.abs(integrals).sum()
    if not (scale < math.inf and end <= 10 * _TOLERANCE * scale):
        raise InfiniteMoment(f"{subject} must be finite, and come from within 16 standard deviations.")
    return scale


def mean(activation, q):
    """E[phi(sqrt(q) z)]."""
    scale = math.sqrt(q)
    subject = f"E[phi] of activation {activation.name!r} at q = {q:g}"
    return expectation(lambda z: evaluate(activation, scale * z), subject)


def mean_square(activation, q, derivative=False):
    """E[phi(sqrt(q) z)^2], or the same of phi'."""
    if derivative and isinstance(activation, _Plain):
        return _mean_square_quotient(activation, q)
    return _mean_square(activation, q, derivative)


def _mean_square(activation, q, derivative):
    scale = math.sqrt(q)
    moment = "E[phi'^2]" if derivative else "E[phi^2]"
    subject = f"{moment} of activation {activation.name!r} at q = {q:g}"
    with np.errstate(over="ignore", invalid="ignore"):
        return expectation(lambda z: evaluate(activation, scale * z, derivative) ** 2, subject)


def _mean_square_quotient(plain, q):
    """E[phi'^2] from two steps of the difference: a kink errs in proportion to the step, a jump inversely."""
    fine, coarse = (_mean_square(replace(plain, step=step), q, True) for step in (_STEP, 4 * _STEP))
    if abs(coarse - fine) > 1e-5 * fine:
        raise _not_square_integrable(plain, f"at q = {q:g}")
    return (4 * fine - coarse) / 3


def _graded(levels, both_ends, nodes):
    """Nodes and weights on [0, 1], on panels that halve towards 0 (and towards 1)."""
    edges = np.concatenate([[0.0], 2.0 ** -np.arange(levels, -1, -1)])
    if both_ends:
        edges = np.concatenate([edges / 2, 1 - edges[-2::-1] / 2])
    half_width = np.diff(edges)[:, None] / 2
    on_unit, weights = _legendre(nodes)
    places = edges[:-1, None] + half_width * (1 + on_unit)
    return places.ravel(), (half_width * weights).ravel()


def mean_product(activation, q, c, derivative=False):
    """E[f(u) f(v)] over a Gaussian of variance q, correlation c; ValueError where two rules disagree."""
    fine, size = _product_by(24, activation, q, c, derivative)
    coarse, _ = _product_by(16, activation, q, c, derivative)
    if not abs(fine - coarse) <= _DISAGREEMENT[derivative] * size:
        subject = f"E[phi(u) phi(v)] of activation {activation.name!r} at q = {q:g}, correlation {c:g}"
        raise ValueError(f"{subject} must settle: phi is too rough.")
    return fine


def _product_by(nodes, activation, q, c, derivative):
    """The expectation by a rule of that many nodes a panel, and its size without the signs of f(u) f(v).

    In polar coordinates kinks at 0 are rays.
    """
    levels = 3 + min(max(0, math.ceil(math.log2(max(q, 1.0)) / 2)), 27)  # finer than 2^-30 nothing counts
    t, t_weight = _graded(levels, True, nodes)
    radius, r_weight = (16 * x for x in _graded(levels + 2, False, nodes))
    angle = math.acos(c)
    arcs = np.array(
        [[0, angle], [angle, math.pi], [math.pi, math.pi + angle], [math.pi + angle, 2 * math.pi]]
    )
    width = np.diff(arcs)
    theta = (arcs[:, :1] + width * t).ravel()  # u = 0 at theta = 0 and pi; v = 0 one angle later
    r_weight = r_weight * radius * np.exp(-0.5 * radius**2)
    weight = np.outer(r_weight, (width * t_weight).ravel())  # (radii, thetas)
    u = math.sqrt(q) * np.outer(radius, np.sin(theta))
    v = math.sqrt(q) * np.outer(radius, np.sin(theta - angle))
    product = evaluate(activation, u, derivative) * evaluate(activation, v, derivative)
    return tuple(float(np.vdot(weight, f)) / (2 * math.pi) for f in (product, np.abs(product)))

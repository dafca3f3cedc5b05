"""What happens to a signal in a wide random network, computed before the network exists.

In a wide layer the preactivations are Gaussian: N(0, q). Everything here is an expectation of the activation
phi, or of phi', over that Gaussian: gains, the maps that carry the second moment q and the correlation c from
layer to layer (Poole et al. 2016), the edge of chaos (Schoenholz et al. 2017). Throughout, weight_variance is
sigma_w^2 = n_in Var(w) and bias_variance is sigma_b^2 = Var(b). `prediction` applies this to a given model.

Any elementwise callable may stand for a registered activation: one that takes arrays, or one that takes
single numbers, such as `math.tanh`. All arguments and results are plain numbers, without units. An
expectation that is infinite, or that the quadrature cannot settle, raises ValueError.
"""

import math
from collections.abc import Callable

from netinit.checks import check_name, check_number
from netinit.quadrature import InfiniteMoment, mean_product, mean_square, resolve

_LARGEST, _SMALLEST = 1e30, 1e-12  # a fixed point beyond these counts as infinite, as zero
_OVERFLOW = 1e300  # squares of larger preactivations leave float64


def gain(activation, *, direction: str = "forward") -> float:
    """The factor on the weights that keeps the scale of a signal: `1 / sqrt(E[phi(z)^2])`, `z ~ N(0, 1)`.

    `direction="backward"` keeps the gradient instead: `1 / sqrt(E[phi'(z)^2])`. It is the second moment that
    counts, not the variance: `sqrt(2)` for ReLU (He et al. 2015). `activation` is a name, an
    `ActivationFunction` or a callable; a callable is differentiated by differences, in float64 only. Accurate
    to 1e-7, to 1e-10 with a derivative or forward. Raises ValueError for an unknown name or direction, and
    where phi is not elementwise, real and finite, where it is 0 everywhere, and where the second moment is
    infinite.

    >>> round(gain("relu"), 4), round(gain(np.tanh), 4)
    (1.4142, 1.5925)
    """
    check_name("direction", direction, ("forward", "backward"))
    activation = resolve(activation)
    moment = mean_square(activation, 1.0, derivative=direction == "backward")
    if moment == 0:
        raise ValueError(
            f"activation {activation.name!r} must not vanish everywhere: no {direction} gain scales 0 to 1."
        )
    return 1 / math.sqrt(moment)


def variance_map(activation, q: float, weight_variance: float, bias_variance: float = 0.0) -> float:
    """Second moment one layer on: `q' = sigma_w^2 E[phi(sqrt(q) z)^2] + sigma_b^2` (Poole et al. 2016).

    q and q' belong to preactivations (their eq. 3). Raises ValueError for a negative or non-finite number.

    >>> round(theory.variance_map("relu", 3.0, 2.0), 4)
    3.0
    """
    q = check_number("q", q, 0, _OVERFLOW)
    weight_variance, bias_variance = _check_variances(weight_variance, bias_variance)
    return weight_variance * mean_square(resolve(activation), q) + bias_variance


def correlation_map(
    activation, c: float, q: float, weight_variance: float, bias_variance: float = 0.0
) -> float:
    """Correlation one layer on, of two inputs with equal q: `(sigma_w^2 E[phi(u) phi(v)] + sigma_b^2) / q'`.

    (u, v) is Gaussian with variances q and correlation c, q' is the variance map (Poole et al. 2016).
    Accurate to 1e-10, to 1e-4 where phi has a kink away from 0. Raises ValueError for `|c| > 1`, or where
    q' is 0.

    >>> round(theory.correlation_map("relu", 0.0, 1.0, 2.0), 4)  # 1 / pi
    0.3183
    """
    c, q, activation = check_number("c", c, -1, 1), check_number("q", q, 0, _OVERFLOW), resolve(activation)
    weight_variance, bias_variance = _check_variances(weight_variance, bias_variance)
    after = variance_map(activation, q, weight_variance, bias_variance)
    if not 0 < after < math.inf:
        raise ValueError(f"q must lead to a positive, finite second moment, but q = {q} leads to {after}.")
    c_after = (weight_variance * mean_product(activation, q, c) + bias_variance) / after
    return min(max(c_after, -1.0), 1.0)  # rounding alone can leave the interval


def chi(activation, q: float, weight_variance: float, *, correlation: float = 1.0) -> float:
    """Factor on the squared gradient per layer: `sigma_w^2 E[phi'(sqrt(q) z)^2]` (Schoenholz et al. 2017).

    Below 1 gradients vanish and inputs converge (ordered), above 1 gradients explode and inputs separate
    (chaotic). At q* it is the slope of the correlation map at c = 1; `correlation=c` gives the slope at c,
    `sigma_w^2 E[phi'(u) phi'(v)]`, to 1e-2 only where phi has a kink away from 0. Raises ValueError for a
    negative or non-finite q or weight_variance, or `|correlation| > 1`.

    >>> round(theory.chi("relu", 1.0, 2.0), 4), round(theory.chi("tanh", 1.0, 1.0), 4)
    (1.0, 0.4644)
    """
    q, c = check_number("q", q, 0, _OVERFLOW), check_number("correlation", correlation, -1, 1)
    weight_variance, activation = check_number("weight_variance", weight_variance, 0), resolve(activation)
    moment = mean_square(activation, q, True)  # finite, or the product has no meaning either
    return weight_variance * (moment if c == 1 else mean_product(activation, q, c, True))


def fixed_point(activation, weight_variance: float, bias_variance: float = 0.0) -> float:
    """The second moment `q* = variance_map(q*)` that a deep network settles at, starting from q = 1.

    Returns inf where the second moment grows without end, 0 where it dies out, and 1 where the map keeps
    every q, as ReLU with `sigma_w^2 = 2` (Poole et al. 2016). Above 1e30 counts as inf, below 1e-12 as 0.
    Raises ValueError for a negative or non-finite variance.

    >>> theory.fixed_point("tanh", 0.9), round(theory.fixed_point("tanh", 1.1), 4)
    (0.0, 0.0519)
    """
    activation = resolve(activation)
    weight_variance, bias_variance = _check_variances(weight_variance, bias_variance)
    try:
        return _settle(lambda q: weight_variance * mean_square(activation, q) + bias_variance)
    except InfiniteMoment:
        return math.inf if weight_variance > 0 else bias_variance


def correlation_fixed_point(activation, weight_variance: float, bias_variance: float = 0.0) -> float:
    """The correlation c* that two inputs settle at: 1 where chi <= 1 at q*, less in the chaotic phase.

    Raises ValueError where q* is 0 or inf: no correlation is left (Poole et al. 2016).

    >>> round(theory.correlation_fixed_point("tanh", 4.0, 0.1), 3)
    0.286
    """
    q = fixed_point(activation, weight_variance, bias_variance)
    if q == 0 or math.isinf(q):
        raise ValueError(f"the variances must lead to a positive, finite q*, got q* = {q}.")
    if chi(activation, q, weight_variance) <= 1 + 1e-10:
        return 1.0
    # On [0, 1] the map is convex, starts at or above 0, ends at 1 steeper than 1: it crosses c once below 1.
    return _bisect(lambda c: correlation_map(activation, c, q, weight_variance, bias_variance) > c, 0.0, 1.0)


def critical_weight_variance(activation, bias_variance: float) -> float:
    """The `sigma_w^2` with chi = 1 at q*, the edge of chaos, for a `sigma_b^2` (Schoenholz et al. 2017).

    There `sigma_w^2 = 1 / E[phi'^2]`, so the variance map becomes `q = E[phi^2] / E[phi'^2] + sigma_b^2`,
    one equation for q. Raises ValueError where it has no solution, as for ReLU with any bias (its line is the
    point (2, 0)), or none that the network settles at, as for GELU with little bias.

    >>> round(theory.critical_weight_variance("tanh", 0.05), 4)
    1.761
    """
    activation, bias_variance = resolve(activation), check_number("bias_variance", bias_variance, 0)

    def map_on_the_line(q):
        slope = mean_square(activation, q, True)
        return mean_square(activation, q) / slope + bias_variance if slope > 0 else math.inf

    q = _settle(map_on_the_line)
    weight_variance = 1 / mean_square(activation, max(q, 1e-24), True) if math.isfinite(q) else 0.0
    if abs(fixed_point(activation, weight_variance, bias_variance) - q) > 1e-4 * q + 1e-6 or math.isinf(q):
        raise ValueError(
            f"bias_variance must give a stable q* of chi = 1, {bias_variance} gives {activation.name!r} none."
        )
    return weight_variance


def depth_scale(chi: float) -> float:
    """Layers over which c - c* decays to 1/e: `xi = -1 / ln chi`; inf at chi = 1 (Schoenholz et al. 2017).

    `chi` is the slope of the correlation map at c*: `chi(...)` in the ordered phase, where c* = 1, and
    `chi(..., correlation=c*)` in the chaotic phase. Raises ValueError outside [0, 1], where nothing decays.

    >>> round(theory.depth_scale(0.9), 2)
    9.49
    """
    chi = check_number("chi", chi, 0.0, 1.0)
    if chi in (0.0, 1.0):
        return math.inf if chi else 0.0
    return -1 / math.log(chi)


def _check_variances(weight_variance, bias_variance):
    weight_variance = check_number("weight_variance", weight_variance, 0)
    return weight_variance, check_number("bias_variance", bias_variance, 0)


def _bisect(above: Callable[[float], bool], low: float, high: float) -> float:
    while high - low > 1e-14 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if above(middle) else (low, middle)
    return (low + high) / 2


def _settle(step: Callable[[float], float]) -> float:
    """Where q -> step(q) leads from q = 1: the next fixed point in the direction of the first step."""
    q, first = 1.0, step(1.0)
    if abs(first - 1) <= 1e-12:
        return 1.0
    up = first > 1
    while _SMALLEST < q < _LARGEST:
        before, q = q, (q * 4 if up else q / 4)
        after = step(q)
        if (after < q * (1 - 1e-12)) if up else (after > q * (1 + 1e-12)):  # beyond rounding
            return _bisect(lambda x: step(x) > x, min(q, before), max(q, before))
    return math.inf if up else 0.0

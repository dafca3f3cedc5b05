"""The theory against SciPy's quadrature, closed forms and measured networks."""

import gc
import math
import weakref
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate
from scipy.optimize import brentq
from scipy.special import gamma, lambertw, ndtr, roots_hermitenorm
from scipy.stats import norm

from netinit import theory
from netinit.activations import ACTIVATIONS, ActivationFunction, leaky_relu

GAINS = {
    "sigmoid": 1.84622855,
    "tanh": 1.59253742,
    "relu": 1.41421356,
    "leaky_relu": 1.41414286,
    "leaky_relu(0.2)": 1.38675049,
    "elu": 1.24519830,
    "selu": 1.00000000,
    "gelu": 1.53353044,
    "silu": 1.67653247,
    "softplus": 1.04186684,
    "softsign": 2.33753336,
    "mish": 1.48684758,
}
KNOWN = {**ACTIVATIONS, "leaky_relu(0.2)": leaky_relu(0.2)}
# Plain callables with kinks or jumps: function, derivative, where they break.
BROKEN = {
    "hard_tanh": (lambda z: np.clip(z, -1, 1), lambda z: abs(z) < 1, (-1, 1)),
    "clipped": (lambda z: np.maximum(z, 0.3), lambda z: z > 0.3, (0.3,)),
    "absolute": (np.abs, np.sign, (0,)),
    "relu6": (lambda z: np.clip(2 * z, 0, 1.7), lambda z: 2 * (0 < z < 0.85), (0, 0.85)),
}
# The same as a + b z + sum of k max(z - t, 0): (a, b, ((t, k), ...)).
RAMPS = {
    "hard_tanh": (-1, 0, ((-1, 1), (1, -1))),
    "clipped": (0.3, 0, ((0.3, 1),)),
    "absolute": (0, -1, ((0, 2),)),
    "relu6": (0, 0, ((0, 2), (0.85, -2))),
}


def density(z):
    return math.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)


def scipy_mean(f, breaks=()):
    """E[f(z)], z ~ N(0, 1), by SciPy, split at 0, at unit steps and at the given breaks."""
    edges = sorted({-14, *range(-8, 9), 14, *(b for b in breaks if abs(b) < 14)})
    parts = [
        integrate.quad(lambda z: f(z) * density(z), a, b, epsabs=1e-14, epsrel=1e-13, limit=200)[0]
        for a, b in pairwise(edges)
    ]
    return math.fsum(parts)


def scalar(activation, derivative=False):
    """phi or phi' as a function of one float."""

    def f(z):
        z = np.array([z])
        y = activation.function(z)
        return float(activation.derivative(z, y)[0] if derivative else y[0])

    return f


def hermite_mean(f, n):
    nodes, weights = roots_hermitenorm(n)
    return float(weights @ f(nodes) / weights.sum())


@pytest.mark.parametrize("name", GAINS)
def test_gain_is_the_published_one(name):
    assert theory.gain(KNOWN[name]) == pytest.approx(GAINS[name], abs=1e-7)


@pytest.mark.parametrize("derivative", [False, True])
@pytest.mark.parametrize("name", KNOWN)
def test_gain_agrees_with_scipy(name, derivative):
    f = scalar(KNOWN[name], derivative)
    expected = scipy_mean(lambda z: f(z) ** 2) ** -0.5
    direction = "backward" if derivative else "forward"
    assert theory.gain(KNOWN[name], direction=direction) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("name", BROKEN)
def test_gain_of_a_callable_with_kinks(name):
    function, derivative, breaks = BROKEN[name]
    forward = scipy_mean(lambda z: function(z) ** 2, breaks) ** -0.5
    backward = scipy_mean(lambda z: float(derivative(z)) ** 2, breaks) ** -0.5
    assert theory.gain(function) == pytest.approx(forward, abs=1e-10)
    assert theory.gain(function, direction="backward") == pytest.approx(backward, abs=1e-9)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_backward_gain_by_differences(name):
    phi = ACTIVATIONS[name]
    exact = theory.gain(phi, direction="backward")
    assert theory.gain(lambda z: phi.function(z), direction="backward") == pytest.approx(exact, abs=1e-8)


@pytest.mark.parametrize("name", ["elu", "selu", "softsign"])
def test_the_accuracy_check_can_fail(name):
    """Gauss-Hermite with 64 nodes does not see the kink at 0."""
    assert abs(hermite_mean(lambda z: KNOWN[name](z) ** 2, 64) ** -0.5 - GAINS[name]) > 1e-5


def test_gain_of_a_jump():
    assert theory.gain(lambda z: np.where(z > 0.3, 1.0, 0.0)) == pytest.approx(norm.sf(0.3) ** -0.5, abs=1e-9)


def step_at_0_3(z):
    return np.where(z > 0.3, 1, 0)


def in_place(z):
    z[z < 0] *= 0.1
    return z


# Callables that must not be refused: forward and backward gain in closed form; None where phi' is 0.
CLOSED_FORMS = {
    "exponential": (np.exp, math.exp(-1), math.exp(-1)),
    "scalar exponential": (math.exp, math.exp(-1), math.exp(-1)),
    "cube": (lambda z: z**3, 15**-0.5, 27**-0.5),
    "squared relu": (lambda z: np.maximum(z, 0) ** 2, 1.5**-0.5, 2**-0.5),
    "nearly too fast": (lambda z: np.exp(0.1 * z * z), 0.6**0.25, (0.04 / 0.6**1.5) ** -0.5),
    "fast sine": (lambda z: np.sin(30 * z), 2**0.5, 450**-0.5),
    "power": (
        lambda z: np.abs(z) ** 0.8,
        (2**0.8 * gamma(1.3) / gamma(0.5)) ** -0.5,
        (0.64 * 2**-0.2 * gamma(0.3) / gamma(0.5)) ** -0.5,
    ),
    "step": (step_at_0_3, norm.sf(0.3) ** -0.5, None),
    "logical step": (lambda z: z > 0.3, norm.sf(0.3) ** -0.5, None),
    "sign": (np.sign, 1.0, None),
    "in place": (in_place, 0.505**-0.5, 0.505**-0.5),
    "number only": (lambda z: max(z, 0.0), 2**0.5, 2**0.5),
    "whole numbers": (lambda z: 2 if z > 0 else 1, 2.5**-0.5, None),
    "list": (lambda z: [3 * x for x in z], 1 / 3, 1 / 3),
    "nested function": (np.frompyfunc(lambda z: -z, 1, 1), 1.0, 1.0),
    "offset": (lambda z: 1 + np.abs(z), (2 + 2 * (2 / math.pi) ** 0.5) ** -0.5, 1.0),
}


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_gain_of_a_callable_in_closed_form(name):
    function, forward, backward = CLOSED_FORMS[name]
    assert theory.gain(function) == pytest.approx(forward, abs=1e-9)
    if backward is not None:
        assert theory.gain(function, direction="backward") == pytest.approx(backward, abs=1e-7)
    else:
        with pytest.raises(ValueError, match=r"a jump|vanish"):
            theory.gain(function, direction="backward")


def test_gain_where_the_last_panel_counts():
    """|z|^-0.32: after all the halvings 1e-9 of the integral of its square still lies next to 0."""
    expected = (2**-0.32 * gamma(0.18) / gamma(0.5)) ** -0.5
    assert theory.gain(lambda z: np.abs(z) ** -0.32) == pytest.approx(expected, abs=5e-10)


@dataclass
class Scaled:
    """Cannot be hashed, as any dataclass with equality that is not frozen."""

    factor: float

    def __call__(self, z):
        return np.tanh(self.factor * z)


def test_a_callable_need_not_be_hashable():
    assert theory.gain(Scaled(1.0)) == pytest.approx(GAINS["tanh"], abs=1e-7)
    wrapped = ActivationFunction("scaled", Scaled(1.0), lambda _, y: 1 - y * y)
    assert theory.gain(wrapped, direction="backward") == theory.gain("tanh", direction="backward")


def test_a_callable_is_not_kept_alive():
    function = Scaled(1.0)
    reference = weakref.ref(function)
    for activation in (function, ActivationFunction("scaled", function, lambda _, y: 1 - y * y)):
        theory.gain(activation, direction="backward")
        theory.correlation_map(activation, 0.5, 1.0, 1.0)
    del function, activation
    gc.collect()
    assert reference() is None


class Bounded:
    """An activation that counts the numbers it is asked for and gives up before memory does."""

    def __init__(self, function, most=10_000_000):
        self.function, self.left = function, most

    def __call__(self, z):
        self.left -= z.size
        assert self.left > 0, "the quadrature refines without end"
        return self.function(z)


def single(z):
    return np.tanh(z.astype(np.float32))


def test_single_precision_has_a_forward_gain_and_no_slope():
    assert theory.gain(Bounded(single)) == pytest.approx(GAINS["tanh"], abs=1e-7)
    assert theory.variance_map(Bounded(single), 3.0, 1.0) == pytest.approx(
        theory.variance_map("tanh", 3.0, 1.0), rel=1e-7
    )
    half = Bounded(lambda z: np.tanh(z.astype(np.float16)))
    assert theory.gain(half) == pytest.approx(GAINS["tanh"], abs=1e-5)  # its rounding, 5e-4 a value
    # With its own derivative in single precision there is no difference to drown.
    own = ActivationFunction("own", Bounded(single), lambda _, y: 1 - y * y)
    assert theory.gain(own, direction="backward") == pytest.approx(
        theory.gain("tanh", direction="backward"), abs=1e-7
    )


SLOPES = {
    "gain": lambda f: theory.gain(f, direction="backward"),
    "chi": lambda f: theory.chi(f, 1.0, 1.0),
    "chi at c": lambda f: theory.chi(f, 1.0, 1.0, correlation=0.5),
    "critical": lambda f: theory.critical_weight_variance(f, 0.1),
}


@pytest.mark.parametrize("name", SLOPES)
def test_slope_of_single_precision_is_refused_soon(name):
    with pytest.raises(ValueError, match=r"'Bounded' must return float64 .* got float32"):
        SLOPES[name](Bounded(single))
    with pytest.raises(ValueError, match="'Bounded' at q = 1 must settle"):  # rounded inside, float64 outside
        SLOPES[name](Bounded(lambda z: single(z).astype(np.float64)))


def test_noise_is_refused_soon():
    rng = np.random.default_rng(0)
    noisy = Bounded(lambda z: np.tanh(z) + 1e-3 * rng.standard_normal(z.shape))
    with pytest.raises(ValueError, match="settle"):
        theory.gain(noisy)


# No finite moment: function, direction.
INFINITE = {
    "flat integrand": (lambda z: np.exp(z * z / 4), "forward"),
    "growing integrand": (lambda z: np.exp(z * z), "forward"),
    "slope of a root": (lambda z: np.sqrt(np.abs(z)), "backward"),
    "slope of a root away from 0": (lambda z: np.sqrt(np.abs(z - 0.3)), "backward"),
    "slope of a cube root": (np.cbrt, "backward"),
    "pole": (lambda z: 1 / z, "forward"),
    "half a pole": (lambda z: np.abs(z) ** -0.5, "forward"),
    "pole away from 0": (lambda z: 1 / (z - 0.3), "forward"),
    "slope of a jump": (lambda z: np.where(z > 0.3, z, 0), "backward"),
}


@pytest.mark.parametrize("name", INFINITE)
def test_an_infinite_moment_is_refused(name):
    function, direction = INFINITE[name]
    with pytest.raises(ValueError, match=r"finite|settle|square-integrable"):
        theory.gain(Bounded(function), direction=direction)


def test_moments_of_an_exponential():
    """E[exp(sqrt(q) z)^2] = exp(2 q): inside 16 standard deviations up to q = 16, refused beyond."""
    for q in (1e-3, 1.0, 9.0, 16.0):
        assert theory.variance_map(np.exp, q, 1.0) == pytest.approx(math.exp(2 * q), rel=1e-10)
    with pytest.raises(ValueError, match="'exp' at q = 64 must be finite"):
        theory.variance_map(np.exp, 64.0, 1.0)


def test_fixed_point_of_an_exponential():
    assert theory.fixed_point(np.exp, 1.0) == math.inf
    assert theory.fixed_point(np.exp, 0.1) == pytest.approx(-lambertw(-0.2).real / 2, rel=1e-9)
    assert theory.fixed_point(lambda z: np.exp(z * z / 4), 1.0) == math.inf
    assert theory.fixed_point(lambda z: np.exp(z * z / 4), 0.0, 0.5) == 0.5


@pytest.mark.parametrize("q", [0.0, 1e-10, 1.0, 1e8])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_chi_by_differences_at_any_q(name, q):
    """At q = 0 too, where a kink leaves the choice: like the registered activation, from the left."""
    phi = ACTIVATIONS[name]
    assert theory.chi(lambda z: phi.function(z), q, 1.0) == pytest.approx(
        theory.chi(phi, q, 1.0), rel=1e-6, abs=1e-12
    )


def test_gains_against_a_sample():
    z = np.random.default_rng(0).standard_normal(200_000)
    for name, phi in KNOWN.items():
        squares = phi(z) ** 2
        bound = 5 * squares.std() / math.sqrt(z.size)
        assert abs(squares.mean() - theory.gain(phi) ** -2) < bound, name
    # Negative control: the gain by the standard deviation is rejected for ReLU.
    squares = KNOWN["relu"](z) ** 2
    assert abs(squares.mean() - KNOWN["relu"](z).var()) > 5 * squares.std() / math.sqrt(z.size)


@pytest.mark.parametrize("q", [1e-8, 1.0, 1e4, 1e8])
@pytest.mark.parametrize("name", ["tanh", "sigmoid", "softsign", "gelu", "elu"])
def test_variance_map_and_chi_at_any_q(name, q):
    s, phi = math.sqrt(q), KNOWN[name]
    breaks = [sign * x / s for x in (0.1, 1, 3, 10, 30, 100, 1000) for sign in (-1, 1)]
    mean = scipy_mean(lambda z: scalar(phi)(s * z) ** 2, breaks)
    slope = scipy_mean(lambda z: scalar(phi, True)(s * z) ** 2, breaks)
    assert theory.variance_map(phi, q, 1.7, 0.3) == pytest.approx(1.7 * mean + 0.3, rel=1e-10)
    assert theory.chi(phi, q, 1.7) == pytest.approx(1.7 * slope, rel=1e-9)


@pytest.mark.parametrize("q", [0.0, 1e-300, 1e299])
@pytest.mark.parametrize("name", KNOWN)
def test_extreme_q_stays_finite(name, q):
    assert math.isfinite(theory.variance_map(KNOWN[name], q, 1.0))
    assert math.isfinite(theory.chi(KNOWN[name], q, 1.0))
    assert abs(theory.correlation_map(KNOWN[name], 0.5, min(q, 1e6), 1.0, 0.1)) <= 1


@pytest.mark.parametrize("c", [-1.0, -0.7, 0.0, 0.3, 0.99, 1 - 1e-9, 1.0])
@pytest.mark.parametrize("q", [1e-6, 1.0, 1e6])
def test_relu_correlation_is_the_arc_cosine_kernel(c, q):
    """Cho and Saul 2009."""
    expected = (math.sqrt(1 - c * c) + c * (math.pi - math.acos(c))) / math.pi
    assert theory.correlation_map("relu", c, q, 2.0) == pytest.approx(expected, abs=1e-12)
    slope = theory.chi("relu", q, 2.0, correlation=c)
    assert slope == pytest.approx(1 - math.acos(c) / math.pi, abs=1e-12)


@pytest.mark.parametrize("c", [-1.0, 0.0, 0.6, 0.999])
@pytest.mark.parametrize("q", [0.01, 30.0])
def test_error_function_correlation_has_a_closed_form(c, q):
    """Williams 1997: E[erf(u) erf(v)] = 2/pi asin(2 q c / (1 + 2 q))."""
    erf = np.vectorize(math.erf, otypes=[float])
    expected = math.asin(2 * q * c / (1 + 2 * q)) / math.asin(2 * q / (1 + 2 * q))
    assert theory.correlation_map(erf, c, q, 1.3) == pytest.approx(expected, abs=1e-11)
    variance = 2 / math.pi * math.asin(2 * q / (1 + 2 * q))
    assert theory.variance_map(erf, q, 1.0) == pytest.approx(variance, rel=1e-11)


@pytest.mark.parametrize("name", ["elu"])
def test_correlation_map_agrees_with_nested_scipy(name):
    phi, c, q = scalar(KNOWN[name]), 0.4, 2.0

    def given(z):
        mean, std = c * z, math.sqrt(1 - c * c)
        return scipy_mean(lambda w: phi(math.sqrt(q) * (mean + std * w)), [-mean / std])

    nodes, weights = np.polynomial.legendre.leggauss(10)
    edges = np.arange(-7, 8)
    total = 0.0
    for left in edges[:-1]:
        z = left + 0.5 + 0.5 * nodes
        total += 0.5 * weights @ [phi(math.sqrt(q) * x) * given(x) * density(x) for x in z]
    expected = (1.5 * total + 0.05) / theory.variance_map(name, q, 1.5, 0.05)
    assert theory.correlation_map(name, c, q, 1.5, 0.05) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("c", [-1.0, 1.0])
@pytest.mark.parametrize("name", BROKEN)
def test_correlation_of_a_callable_with_kinks_as_documented(name, c):
    function, _, breaks = BROKEN[name]
    sign = int(c)
    product = scipy_mean(lambda z: float(function(z) * function(sign * z)), [*breaks, *(-b for b in breaks)])
    square = scipy_mean(lambda z: float(function(z) ** 2), breaks)
    assert theory.correlation_map(function, c, 1.0, 1.0) == pytest.approx(product / square, abs=1e-4)


def ramp_mean(ramps, mean, std, derivative):
    """E[phi(u)] or E[phi'(u)], u ~ N(mean, std^2), for phi = a + b u + sum of k max(u - t, 0)."""
    a, b, kinks = ramps
    total = b if derivative else a + b * mean
    for t, k in kinks:
        above = (mean - t) / std
        total += k * (ndtr(above) if derivative else std * (above * ndtr(above) + density(above)))
    return float(total)


def ramp_pair(name, q, c, derivative=False):
    """E[f(u) f(v)]: SciPy over u, and v given u, N(c u, q (1 - c^2)), in closed form."""
    function, slope, breaks = BROKEN[name]
    f, s = slope if derivative else function, math.sqrt(q)
    rest = s * math.sqrt(1 - c * c)
    return scipy_mean(
        lambda z: float(f(s * z)) * ramp_mean(RAMPS[name], c * s * z, rest, derivative),
        [b / s for b in breaks] + ([b / (c * s) for b in breaks] if c else []),
    )


@pytest.mark.parametrize("c", [-0.6, 0.0, 0.3, 0.95])
@pytest.mark.parametrize("q", [0.25, 3.0, 100.0])
@pytest.mark.parametrize("name", BROKEN)
def test_correlation_and_chi_with_kinks_as_documented(name, q, c):
    function, _, breaks = BROKEN[name]
    square = scipy_mean(lambda z: float(function(math.sqrt(q) * z) ** 2), [b / math.sqrt(q) for b in breaks])
    expected = (1.3 * ramp_pair(name, q, c) + 0.1) / (1.3 * square + 0.1)
    assert theory.correlation_map(function, c, q, 1.3, 0.1) == pytest.approx(expected, abs=1e-4)
    expected = ramp_pair(name, q, c, derivative=True)
    assert theory.chi(function, q, 1.0, correlation=c) == pytest.approx(expected, abs=1e-2)


def test_ramp_pair_is_a_double_integral():
    """The reference itself, against SciPy's dblquad over the quadrants and strips of hard tanh."""
    q, c = 3.0, 0.3
    s, rest, edges = math.sqrt(q), math.sqrt(1 - c * c), (-20.0, -1.0, 1.0, 20.0)

    def joint(v, u):
        weight = density(u / s) * density((v - c * u) / (s * rest)) / (s * s * rest)
        return min(max(u, -1.0), 1.0) * min(max(v, -1.0), 1.0) * weight

    parts = [
        integrate.dblquad(joint, *u, *v, epsabs=1e-10)[0] for u in pairwise(edges) for v in pairwise(edges)
    ]
    assert math.fsum(parts) == pytest.approx(ramp_pair("hard_tanh", q, c), abs=1e-8)


@pytest.mark.parametrize("c", [-0.7, 0.0, 0.3, 0.99])
@pytest.mark.parametrize("q", [1e-6, 1.0, 1e6])
def test_a_callable_with_a_kink_at_0_is_exact(c, q):
    """The arc-cosine kernel (Cho and Saul 2009), by differences."""
    expected = (math.sqrt(1 - c * c) + c * (math.pi - math.acos(c))) / math.pi
    assert theory.correlation_map(lambda z: np.maximum(z, 0), c, q, 2.0) == pytest.approx(expected, abs=1e-10)
    slope = theory.chi(lambda z: np.maximum(z, 0), q, 2.0, correlation=c)
    assert slope == pytest.approx(1 - math.acos(c) / math.pi, abs=1e-8)


@pytest.mark.parametrize("name", ["identity", "sigmoid", "tanh", "elu", "softplus"])
def test_correlation_stays_in_its_interval(name):
    """Rounding alone would leave it by 1e-16."""
    for q in np.logspace(-3, 3, 13):
        for c in (-1.0, 1.0):
            assert abs(theory.correlation_map(name, c, float(q), 1.0)) <= 1


def test_chi_is_the_slope_of_the_correlation_map_at_the_fixed_point():
    q = theory.fixed_point("tanh", 2.5, 0.1)
    for c in (-0.5, 0.2, 0.9):
        pair = [theory.correlation_map("tanh", c + d, q, 2.5, 0.1) for d in (-1e-5, 1e-5)]
        slope = (pair[1] - pair[0]) / 2e-5
        assert theory.chi("tanh", q, 2.5, correlation=c) == pytest.approx(slope, abs=1e-8)
    assert theory.chi("tanh", q, 2.5, correlation=1 - 1e-12) == pytest.approx(
        theory.chi("tanh", q, 2.5), abs=1e-6
    )


def test_chi_at_the_gain():
    expected = {"sigmoid": 0.153, "tanh": 1.178, "gelu": 1.072}
    for name, value in expected.items():
        assert theory.chi(name, 1.0, theory.gain(name) ** 2) == pytest.approx(value, abs=5e-4)


# The first six points are those of the syllabus, and hold to 1e-4. Its seventh, 3.44296 at 1, does not:
# 3.44321 here rests on SciPy's quad and brentq, as in the second test below; mpmath too gives 3.4432109.
TANH_LINE = {0.0: 1.0, 0.01: 1.42421, 0.05: 1.76095, 0.1: 1.98607, 0.3: 2.50513, 0.5: 2.84316, 1.0: 3.44321}


@pytest.mark.parametrize("bias_variance", TANH_LINE)
def test_tanh_critical_line_is_the_published_one(bias_variance):
    found = theory.critical_weight_variance("tanh", bias_variance)
    assert found == pytest.approx(TANH_LINE[bias_variance], abs=1e-5)


def test_tanh_critical_point_with_bias_1_by_scipy_alone():
    def over_gaussian(f):
        return integrate.quad(lambda z: f(z) * density(z), -12, 12, epsabs=1e-14, epsrel=1e-13, limit=400)[0]

    def slope(q):
        return over_gaussian(lambda z: math.cosh(math.sqrt(q) * z) ** -4)

    def excess(q):
        return over_gaussian(lambda z: math.tanh(math.sqrt(q) * z) ** 2) / slope(q) + 1.0 - q

    expected = 1 / slope(brentq(excess, 0.5, 10, xtol=1e-13))
    assert expected == pytest.approx(3.4432109, abs=5e-8)
    assert theory.critical_weight_variance("tanh", 1.0) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("bias_variance", [0.01, 0.3, 1.0])
def test_tanh_critical_line_agrees_with_scipy(bias_variance):
    """The trapezoidal rule: exact to rounding for functions analytic around the real line."""
    z = np.linspace(-12, 12, 20_001)
    p = norm.pdf(z) / norm.pdf(z).sum()

    def slope(q):
        return p @ np.cosh(math.sqrt(q) * z) ** -4

    def excess(q):
        return p @ np.tanh(math.sqrt(q) * z) ** 2 / slope(q) + bias_variance - q

    expected = 1 / slope(brentq(excess, 1e-3, 50, xtol=1e-14))
    assert theory.critical_weight_variance("tanh", bias_variance) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize(
    ("name", "bias_variance"), [("elu", 0.1), ("softsign", 0.1), ("sigmoid", 0.0), ("gelu", 1.0)]
)
def test_critical_point_has_chi_one_where_the_network_settles(name, bias_variance):
    weight_variance = theory.critical_weight_variance(name, bias_variance)
    q = theory.fixed_point(name, weight_variance, bias_variance)
    assert theory.variance_map(name, q, weight_variance, bias_variance) == pytest.approx(q, rel=1e-10)
    assert theory.chi(name, q, weight_variance) == pytest.approx(1, abs=1e-9)


def test_relu_is_critical_in_one_point():
    assert theory.critical_weight_variance("relu", 0.0) == pytest.approx(2, abs=1e-12)
    with pytest.raises(ValueError, match="bias_variance"):
        theory.critical_weight_variance("relu", 0.05)


@pytest.mark.parametrize(("name", "bias_variance"), [("gelu", 0.1), ("softplus", 0.0), ("identity", 1.0)])
def test_no_critical_point_is_said(name, bias_variance):
    with pytest.raises(ValueError, match=f"stable q.*{name}"):
        theory.critical_weight_variance(name, bias_variance)


def test_relu_fixed_points():
    assert theory.fixed_point("relu", 1.5) == 0
    assert theory.fixed_point("relu", 2.0) == 1
    assert theory.fixed_point("relu", 2.0, 0.05) == math.inf
    assert theory.fixed_point("relu", 2.0 + 1e-9) == math.inf
    assert theory.fixed_point("relu", 1.5, 0.05) == pytest.approx(0.05 / (1 - 1.5 / 2), rel=1e-12)


@pytest.mark.parametrize(
    ("weight_variance", "bias_variance"), [(0.5, 0.05), (1.5, 0.05), (4.0, 0.05), (1e6, 0.0)]
)
def test_fixed_point_is_where_iteration_ends(weight_variance, bias_variance):
    q = 1.0
    for _ in range(200):
        q = theory.variance_map("tanh", q, weight_variance, bias_variance)
    found = theory.fixed_point("tanh", weight_variance, bias_variance)
    assert found == pytest.approx(q, rel=1e-10)


def test_fixed_points_far_from_1():
    """Far out tanh is the sign, near 0 the identity: q* = sigma_w^2, and sigma_b^2 / (1 - sigma_w^2)."""
    for weight_variance in (1e12, 1e20, 1e29):
        loss = math.sqrt(2 / math.pi / weight_variance)  # E[1 - tanh^2] = 2 density(0) / sqrt(q)
        expected = weight_variance * (1 - loss)
        assert theory.fixed_point("tanh", weight_variance) == pytest.approx(expected, rel=1e-10)
    assert theory.fixed_point("tanh", 1e31) == math.inf  # documented as the limit
    assert theory.fixed_point("tanh", 0.5, 1e-11) == pytest.approx(2e-11, rel=1e-8)
    assert theory.fixed_point("tanh", 0.5, 1e-14) == 0


def test_tanh_without_bias_dies_up_to_the_edge():
    assert theory.fixed_point("tanh", 0.9) == 0
    assert theory.fixed_point("tanh", 1.0) == 0
    assert theory.fixed_point("selu", 1.0) == pytest.approx(1, abs=1e-12)


def test_correlation_fixed_point_attracts():
    assert theory.correlation_fixed_point("tanh", 1.5, 0.05) == 1
    q, found = theory.fixed_point("tanh", 4.0, 0.05), theory.correlation_fixed_point("tanh", 4.0, 0.05)
    assert theory.correlation_map("tanh", found, q, 4.0, 0.05) == pytest.approx(found, abs=1e-12)
    assert theory.chi("tanh", q, 4.0, correlation=found) < 1 < theory.chi("tanh", q, 4.0)
    for start in (0.0, 0.6):
        c = start
        for _ in range(10):
            c = theory.correlation_map("tanh", c, q, 4.0, 0.05)
        assert abs(c - found) < 0.4 * abs(start - found)


def test_depth_scale():
    assert theory.depth_scale(1.0) == math.inf
    assert theory.depth_scale(0.0) == 0
    assert theory.depth_scale(math.exp(-1 / 7)) == pytest.approx(7, rel=1e-12)


# Predictions against measured networks.


ERRORS = [
    (lambda: theory.gain("rleu"), ValueError, "relu"),
    (lambda: theory.gain(3), TypeError, "activation"),
    (lambda: theory.gain("relu", direction="up"), ValueError, "direction"),
    (lambda: theory.gain(lambda z: z[:1]), ValueError, "elementwise"),
    (lambda: theory.gain(lambda z: 1.0), ValueError, "elementwise"),  # noqa: ARG005
    (lambda: theory.gain(np.log), ValueError, "finite"),
    (lambda: theory.gain(np.zeros_like), ValueError, "vanish"),
    (lambda: theory.gain(np.ones_like, direction="backward"), ValueError, "vanish"),
    (lambda: theory.gain(ActivationFunction("cut", lambda z: z.ravel(), np.ones_like)), ValueError, "cut"),
    (lambda: theory.gain("mlp"), ValueError, "unknown activation 'mlp'.*known"),
    (lambda: theory.gain(None), TypeError, "activation must be a name, .*callable, got NoneType"),
    (lambda: theory.gain(np.ones(3)), TypeError, "activation must be a name, .*callable, got ndarray"),
    (lambda: theory.gain(["relu"]), TypeError, "activation must be a name, .*callable, got list"),
    (lambda: theory.gain("relu", direction="forwards"), ValueError, "did you mean 'forward'"),
    (lambda: theory.gain("relu", direction=None), TypeError, "direction must be a name"),
    (lambda: theory.gain(lambda z: z + 1j), ValueError, "real numbers, got the dtype complex128"),
    (lambda: theory.gain(lambda z: z + 1j, direction="backward"), ValueError, "real numbers"),
    (lambda: theory.gain(lambda z: complex(float(z))), ValueError, "real numbers"),
    (lambda: theory.gain(lambda z: ["a"] * z.size), ValueError, "real numbers, got the dtype <U1"),
    (lambda: theory.gain(lambda z: None), ValueError, "elementwise"),  # noqa: ARG005
    (lambda: theory.gain(lambda z: [1.0]), ValueError, "elementwise"),  # noqa: ARG005
    (lambda: theory.gain(lambda z: [1.0], direction="backward"), ValueError, "elementwise"),  # noqa: ARG005
    (lambda: theory.gain(np.maximum), ValueError, "'maximum' must take an array"),
    (lambda: theory.gain(math.log), ValueError, "'log' must take an array.*ValueError"),
    (lambda: theory.gain(lambda z: z * 10**400), ValueError, "must take an array.*OverflowError"),
    (lambda: theory.fixed_point(np.log, 1.0), ValueError, "finite"),
    (lambda: theory.fixed_point(3, 1.0), TypeError, "activation must be"),
    (lambda: theory.chi("tanh", -1.0, 1.0), ValueError, "q must be"),
    (lambda: theory.chi("tanh", math.nan, 1.0), ValueError, "q must be"),
    (lambda: theory.chi("tanh", 1.0, math.nan), ValueError, "weight_variance"),
    (lambda: theory.chi("tanh", 1.0, "1"), TypeError, "weight_variance must be a real number, got str"),
    (lambda: theory.chi("tanh", np.ones(2), 1.0), TypeError, "q must be a real number, got ndarray"),
    (lambda: theory.chi("tanh", 1.0, 1.0, correlation=math.nan), ValueError, "correlation"),
    (lambda: theory.chi("tanh", 1.0, 1.0, correlation="1"), TypeError, "correlation"),
    (lambda: theory.chi("tahn", 1.0, 1.0), ValueError, "did you mean 'tanh'"),
    (lambda: theory.correlation_map("tanh", [0.5], 1.0, 1.0), TypeError, "c must be a real number, got list"),
    (lambda: theory.fixed_point("tanh", None), TypeError, "weight_variance"),
    (lambda: theory.critical_weight_variance("tanh", "0"), TypeError, "bias_variance"),
    (lambda: theory.critical_weight_variance("tanh", math.inf), ValueError, "bias_variance"),
    (lambda: theory.depth_scale("1"), TypeError, "chi must be a real number, got str"),
    (lambda: theory.depth_scale(-0.1), ValueError, "chi must be between 0 and 1"),
    (lambda: theory.variance_map("tanh", -1.0, 1.0), ValueError, "q must be"),
    (lambda: theory.variance_map("tanh", math.nan, 1.0), ValueError, "q must be"),
    (lambda: theory.variance_map("tanh", math.inf, 1.0), ValueError, "q must be"),
    (lambda: theory.variance_map("tanh", "1", 1.0), TypeError, "q must be"),
    (lambda: theory.variance_map("tanh", True, 1.0), TypeError, "q must be"),
    (lambda: theory.variance_map("tanh", 1.0, -1.0), ValueError, "weight_variance"),
    (lambda: theory.variance_map("tanh", 1.0, 1.0, -0.1), ValueError, "bias_variance"),
    (lambda: theory.variance_map("tanh", 1.0, math.inf), ValueError, "weight_variance"),
    (lambda: theory.variance_map(np.exp, 1e4, 1.0), ValueError, "finite"),
    (lambda: theory.correlation_map("tanh", 1.1, 1.0, 1.0), ValueError, "c must be between -1 and 1"),
    (lambda: theory.correlation_map("tanh", math.nan, 1.0, 1.0), ValueError, "c must be"),
    (lambda: theory.correlation_map("tanh", 0.5, 0.0, 1.0), ValueError, "positive"),
    (lambda: theory.chi("tanh", 1.0, -1.0), ValueError, "weight_variance"),
    (lambda: theory.chi("tanh", 1.0, 1.0, correlation=2), ValueError, "correlation"),
    (lambda: theory.fixed_point("tanh", 1.0, math.nan), ValueError, "bias_variance"),
    (lambda: theory.correlation_fixed_point("tanh", 0.5), ValueError, r"q\*"),
    (lambda: theory.correlation_fixed_point("relu", 3.0), ValueError, r"q\*"),
    (lambda: theory.critical_weight_variance("tanh", -0.1), ValueError, "bias_variance"),
    (lambda: theory.depth_scale(1.4), ValueError, "chi must be between 0 and 1"),
    (lambda: theory.depth_scale(math.nan), ValueError, "chi"),
]


@pytest.mark.parametrize(("call", "error", "words"), ERRORS)
def test_wrong_calls_raise_in_one_sentence(call, error, words):
    with pytest.raises(error, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)

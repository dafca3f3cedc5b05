"""Initializers against SciPy, PyTorch and JAX; every statistical check has a negative control."""

import math
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st
from scipy import stats

from netinit import initializers as init
from netinit.initializers import INITIALIZERS, fans, get_initializer, variance_scaling
from netinit.layers import Linear

# Shape -> (fan_in, fan_out), counted by hand.
FANS = {
    (128, 128): (128, 128),
    (512, 16): (512, 16),  # tall
    (16, 512): (16, 512),  # wide
    (1, 1, 64, 128): (64, 128),  # 1x1 convolution
    (3, 3, 16, 32): (144, 288),
    (5, 32, 48): (160, 240),  # one spatial axis
    (1, 3, 3, 32, 64): (288, 576),  # three spatial axes
}
TALL = (512, 16)  # dense: its fans are its axes
DTYPES = [np.float16, np.float32, np.float64]
LIKELY = 1e-4  # a Kolmogorov-Smirnov p-value below this rejects
SE = 5.0  # moments: allowed standard errors


def centered_uniform(bound):
    return stats.uniform(-bound, 2 * bound)


def rng(seed=0):
    return np.random.default_rng(seed)


class Row(NamedTuple):
    """What a registry entry promises at its defaults: the law of its entries, if any; whether it draws."""

    law: object = None  # (fan_in, fan_out) -> frozen SciPy distribution
    random: bool = True


ROWS = {
    "zeros": Row(random=False),
    "ones": Row(random=False),
    "constant": Row(random=False),
    "identity": Row(random=False),
    "uniform": Row(lambda _i, _o: centered_uniform(0.05)),
    "normal": Row(lambda _i, _o: stats.norm(0, 0.01)),
    "truncated_normal": Row(lambda _i, _o: stats.truncnorm(-2, 2, scale=0.01)),
    "xavier_uniform": Row(lambda i, o: centered_uniform(math.sqrt(6 / (i + o)))),
    "xavier_normal": Row(lambda i, o: stats.norm(0, math.sqrt(2 / (i + o)))),
    "lecun_uniform": Row(lambda i, _o: centered_uniform(math.sqrt(3 / i))),
    "lecun_normal": Row(lambda i, _o: stats.norm(0, math.sqrt(1 / i))),
    "he_uniform": Row(lambda i, _o: centered_uniform(math.sqrt(6 / i))),
    "he_normal": Row(lambda i, _o: stats.norm(0, math.sqrt(2 / i))),
    "orthogonal": Row(),
    "delta_orthogonal": Row(),
    "sparse": Row(),
}
WITH_LAW = [name for name, row in ROWS.items() if row.law]
RANDOM = [name for name, row in ROWS.items() if row.random]


def misfits(values, law):
    """Which statistics tell the values from the law: of "ks", "mean", "variance", "support", "edges"."""
    values = np.asarray(values)
    rounding = np.finfo(values.dtype).eps
    values = values.astype(np.float64).ravel()
    mean, variance, kurtosis = (float(moment) for moment in law.stats("mvk"))  # kurtosis: 0 for a normal
    mean_error = math.sqrt(variance / values.size)
    variance_error = variance * math.sqrt((kurtosis + 2) / values.size)
    lowest, highest = law.support()  # infinite for a normal
    low_edge, high_edge = law.ppf([20 / values.size, 1 - 20 / values.size])  # 20 values expected beyond each
    found = {
        "ks": stats.kstest(values, law.cdf, method="asymp").pvalue < LIKELY,
        "mean": abs(values.mean() - mean) > SE * mean_error,
        "variance": abs(np.mean((values - mean) ** 2) - variance) > SE * variance_error,
        "support": values.min() < lowest - rounding * abs(lowest)
        or values.max() > highest + rounding * abs(highest),
        "edges": values.min() > low_edge or values.max() < high_edge,  # probability e^-20 each
    }
    return {statistic for statistic, differs in found.items() if differs}


# ---- the registry and the fans -------------------------------------------------------------------


def test_every_registry_entry_has_a_row():
    assert set(INITIALIZERS) == set(ROWS)


def test_the_registry_is_read_only():
    with pytest.raises(TypeError):
        INITIALIZERS["mine"] = init.zeros


@pytest.mark.parametrize("name", INITIALIZERS)
def test_a_name_or_a_callable_gives_the_initializer(name):
    assert get_initializer(name) is INITIALIZERS[name] is get_initializer(INITIALIZERS[name])


def test_any_callable_that_keeps_the_contract_is_an_initializer():
    def typed(shape, rng, *, dtype):
        return rng.random(shape).astype(dtype)

    for call in (typed, lambda shape, rng, **_: rng.random(shape), partial(init.normal, std=2.0), max):
        assert get_initializer(call) is call  # a builtin such as max shows no signature: its call will fail


@pytest.mark.parametrize(
    ("call", "got"),
    [
        (lambda shape, rng: rng.random(shape), r"got <lambda>\(shape, rng\)"),
        (lambda shape, *, dtype: np.zeros(shape, dtype), r"got <lambda>\(shape, \*, dtype\)"),
        (partial(init.normal, dtype=np.float64, shape=(2, 2)), "got partial"),
    ],
)
def test_a_callable_that_breaks_the_contract_is_told_at_once(call, got):
    with pytest.raises(TypeError, match=r"initializer must be .* f\(shape, rng, \*, dtype\), " + got):
        get_initializer(call)


@pytest.mark.parametrize("shape", FANS)
def test_fans_are_counted_as_by_hand(shape):
    assert fans(shape) == FANS[shape]
    assert fans(list(shape)) == FANS[shape]


def test_fans_of_a_huge_shape_are_exact():
    assert fans((10**9, 10**9, 10**9, 7)) == (10**27, 7 * 10**18)


@pytest.mark.parametrize("groups", [1, 2, 4, 8])
def test_grouped_fans_count_the_connections_of_a_real_convolution(groups):
    torch = pytest.importorskip("torch", reason="PyTorch, the reference here, is not installed")
    x = torch.ones(1, 8, 9, 9, requires_grad=True)
    y = torch.nn.functional.conv2d(x, torch.ones(24, 8 // groups, 3, 5), padding=(1, 2), groups=groups)
    y.sum().backward()
    reached = fans((3, 5, 8 // groups, 24), groups=groups)
    assert reached == (y[0, 0, 4, 4].item(), x.grad[0, 0, 4, 4].item())


TORCH_MODULES = {
    "Linear": lambda nn: nn.Linear(7, 24),
    "Conv1d": lambda nn: nn.Conv1d(8, 24, 5),
    "Conv1d-grouped": lambda nn: nn.Conv1d(8, 24, 5, groups=4),
    "Conv2d": lambda nn: nn.Conv2d(8, 24, (3, 5)),
    "Conv2d-grouped": lambda nn: nn.Conv2d(8, 24, (3, 5), groups=4),
    "Conv2d-depthwise": lambda nn: nn.Conv2d(8, 24, (3, 5), groups=8),
    "Conv3d": lambda nn: nn.Conv3d(8, 24, (1, 3, 5)),
    "Conv3d-grouped": lambda nn: nn.Conv3d(8, 24, (1, 3, 5), groups=2),
}


@pytest.mark.parametrize("name", TORCH_MODULES)
def test_fans_against_pytorch(name):
    torch = pytest.importorskip("torch", reason="PyTorch, the reference here, is not installed")
    module = TORCH_MODULES[name](torch.nn)
    groups = getattr(module, "groups", 1)
    fan_in, fan_out = torch.nn.init._calculate_fan_in_and_fan_out(module.weight)
    n_out, n_in, *field = (
        module.weight.shape
    )  # the axes of a PyTorch weight; netinit has (*field, n_in, n_out)
    # PyTorch leaves the groups out of fan_out; netinit does not.
    assert fans((*field, n_in, n_out), groups=groups) == (fan_in, fan_out / groups)
    assert fans(tuple(module.weight.shape)) != (fan_in, fan_out)  # the control: the layouts differ


# ---- laws ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("shape", FANS, ids=str)
@pytest.mark.parametrize("name", WITH_LAW)
def test_entries_follow_the_law(name, shape, dtype):
    seed = [WITH_LAW.index(name), *shape, np.dtype(dtype).itemsize]  # independent draws for each case
    values = INITIALIZERS[name](shape, rng(seed), dtype=dtype)
    assert misfits(values, ROWS[name].law(*FANS[shape])) == set()


def scaled_law(variance, distribution):
    """The SciPy law with this variance; SciPy computes the truncated normal's own variance."""
    truncated = stats.truncnorm(-2, 2)
    return {
        "normal": stats.norm(0, math.sqrt(variance)),
        "uniform": centered_uniform(math.sqrt(3 * variance)),
        "truncated_normal": stats.truncnorm(-2, 2, scale=math.sqrt(variance / truncated.var())),
    }[distribution]


MODES = {
    "fan_in": lambda fan_in, _fan_out: fan_in,
    "fan_out": lambda _fan_in, fan_out: fan_out,
    "fan_avg": lambda fan_in, fan_out: (fan_in + fan_out) / 2,
}
SCALED = {  # id: an initializer with a mode, its scale, its distribution
    "he_normal": (init.he_normal, 2.0, "normal"),
    "he_uniform": (init.he_uniform, 2.0, "uniform"),
    **{
        f"variance_scaling-{distribution}": (
            partial(variance_scaling, scale=1.7, distribution=distribution),
            1.7,
            distribution,
        )
        for distribution in ("normal", "uniform", "truncated_normal")
    },
}
GROUPED = ((3, 3, 16, 32), 4, (144, 72))  # shape, groups, fans: an input reaches 8 of the 32 channels


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("shape", FANS, ids=str)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", SCALED)
def test_each_mode_divides_by_its_fan(name, mode, shape, dtype):
    initializer, scale, distribution = SCALED[name]
    seed = [list(SCALED).index(name), list(MODES).index(mode), *shape, np.dtype(dtype).itemsize]
    values = initializer(shape, rng(seed), mode=mode, dtype=dtype)
    assert misfits(values, scaled_law(scale / MODES[mode](*FANS[shape]), distribution)) == set()


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", SCALED)
def test_groups_change_the_fan_of_each_mode(name, mode, dtype):
    initializer, scale, distribution = SCALED[name]
    shape, groups, counted = GROUPED
    values = initializer(shape, rng(2), mode=mode, groups=groups, dtype=dtype)
    assert misfits(values, scaled_law(scale / MODES[mode](*counted), distribution)) == set()


@pytest.mark.parametrize("name", ["xavier_uniform", "xavier_normal", "lecun_uniform", "lecun_normal"])
def test_groups_change_the_fan_of_initializers_without_a_mode(name):
    shape, groups, counted = GROUPED
    values = INITIALIZERS[name](shape, rng(2), groups=groups)
    assert misfits(values, ROWS[name].law(*counted)) == set()


@pytest.mark.parametrize("wrong", MODES)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", SCALED)
def test_the_fan_of_another_mode_is_rejected(name, mode, wrong):
    initializer, scale, distribution = SCALED[name]
    found = misfits(
        initializer(TALL, rng(2), mode=mode), scaled_law(scale / MODES[wrong](*TALL), distribution)
    )
    assert (found >= {"ks", "variance"}) if wrong != mode else not found


def test_the_correction_of_the_truncated_normal_is_scipys():
    assert stats.truncnorm(-2, 2).std() == pytest.approx(init.TRUNCATED_STD, rel=1e-14)


KEYWORDS = {  # id: initializer, shape, law
    "xavier_uniform-gain": (
        partial(init.xavier_uniform, gain=5 / 3),
        (512, 16),
        centered_uniform(5 / 3 * math.sqrt(6 / 528)),
    ),
    "xavier_normal-gain": (
        partial(init.xavier_normal, gain=0.5),
        (512, 16),
        stats.norm(0, 0.5 * math.sqrt(2 / 528)),
    ),
    "he_normal-slope": (
        partial(init.he_normal, slope=0.5),
        (512, 16),
        stats.norm(0, math.sqrt(2 / (1.25 * 512))),
    ),
    "he_uniform-slope": (
        partial(init.he_uniform, slope=-1.0),
        (512, 16),
        centered_uniform(math.sqrt(3 / 512)),
    ),
    "he_normal-fan_out": (
        partial(init.he_normal, mode="fan_out"),
        (16, 512),
        stats.norm(0, math.sqrt(2 / 512)),
    ),
    "he_uniform-groups": (
        partial(init.he_uniform, mode="fan_out", groups=4),
        (3, 3, 16, 32),
        centered_uniform(math.sqrt(6 / 72)),
    ),
    "normal-mean": (partial(init.normal, mean=-3.0, std=2.0), (128, 128), stats.norm(-3, 2)),
    "uniform-one-sided": (partial(init.uniform, low=2.0, high=2.5), (128, 128), stats.uniform(2, 0.5)),
    "truncated-mean-cut": (
        partial(init.truncated_normal, mean=1.0, std=0.2, cut=0.7),
        (128, 128),
        stats.truncnorm(-0.7, 0.7, loc=1, scale=0.2),
    ),
    "truncated-tight": (
        partial(init.truncated_normal, std=1.0, cut=0.1),
        (128, 64),
        stats.truncnorm(-0.1, 0.1),
    ),
}


@pytest.mark.parametrize("case", KEYWORDS)
def test_keywords_change_the_law_as_documented(case):
    initializer, shape, law = KEYWORDS[case]
    assert misfits(initializer(shape, rng(3)), law) == set()


CONTROLS = {  # id: initializer, shape, a law that is wrong, the statistics that must notice
    "xavier is not he": (
        init.xavier_normal,
        (128, 128),
        stats.norm(0, math.sqrt(2 / 128)),
        {"ks", "variance"},
    ),
    "xavier uniform is not he uniform": (
        init.xavier_uniform,
        (128, 128),
        centered_uniform(math.sqrt(6 / 128)),
        {"ks", "variance"},
    ),
    "he uniform is not the formula in circulation": (
        init.he_uniform,
        (128, 128),
        centered_uniform(math.sqrt(6) / (2 * math.sqrt(256))),
        {"ks", "variance"},
    ),
    "lecun is not xavier": (init.lecun_normal, TALL, stats.norm(0, math.sqrt(2 / 528)), {"ks", "variance"}),
    "fan_in is not fan_out": (init.he_normal, TALL, stats.norm(0, math.sqrt(2 / 16)), {"ks", "variance"}),
    "a receptive field counts": (
        init.he_normal,
        (3, 3, 16, 32),
        stats.norm(0, math.sqrt(2 / 16)),
        {"ks", "variance"},
    ),
    "he normal is not truncated": (
        init.he_normal,
        (256, 256),
        scaled_law(2 / 256, "truncated_normal"),
        {"ks", "support"},
    ),
    "truncated is not normal": (
        partial(variance_scaling, distribution="truncated_normal"),
        (256, 256),
        stats.norm(0, 1 / 16),
        {"ks"},
    ),
    "the truncated law is corrected": (
        partial(variance_scaling, distribution="truncated_normal"),
        (256, 256),
        stats.truncnorm(-2, 2, scale=1 / 16),
        {"ks", "variance"},
    ),
    "plain truncated is not corrected": (
        init.truncated_normal,
        (128, 128),
        scaled_law(1e-4, "truncated_normal"),
        {"ks", "variance"},
    ),
    "uniform is not normal": (init.lecun_uniform, (128, 128), stats.norm(0, math.sqrt(1 / 128)), {"ks"}),
    "5 percent of scale": (
        partial(init.xavier_normal, gain=1.05),
        (128, 128),
        stats.norm(0, math.sqrt(1 / 128)),
        {"variance"},
    ),
    "plain uniform has these bounds": (
        init.uniform,
        (128, 128),
        centered_uniform(0.06),
        {"ks", "variance", "edges"},
    ),
    "plain uniform stays within them": (
        init.uniform,
        (128, 128),
        centered_uniform(0.045),
        {"ks", "variance", "support"},
    ),
    "plain uniform is not normal": (
        init.uniform,
        (128, 128),
        stats.norm(0, 0.1 / math.sqrt(12)),
        {"ks", "edges"},
    ),
    "plain uniform is centered": (
        partial(init.uniform, low=-0.0485, high=0.0515),
        (128, 128),
        centered_uniform(0.05),
        {"mean", "support"},
    ),
    "the cut is not wider": (
        partial(init.truncated_normal, cut=2.1),
        (128, 128),
        stats.truncnorm(-2, 2, scale=0.01),
        {"support"},
    ),
    "the cut is not tighter": (
        partial(init.truncated_normal, cut=1.9),
        (128, 128),
        stats.truncnorm(-2, 2, scale=0.01),
        {"edges"},
    ),
    "a shifted mean": (partial(init.normal, mean=0.001), (128, 128), stats.norm(0, 0.01), {"ks", "mean"}),
}


@pytest.mark.parametrize("case", CONTROLS)
def test_wrong_laws_are_rejected(case):
    initializer, shape, wrong, noticed_by = CONTROLS[case]
    assert misfits(initializer(shape, rng(4)), wrong) >= noticed_by


# ---- fixed values --------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(), (3,), (2, 5), (3, 3, 2, 4)], ids=str)
@pytest.mark.parametrize(("name", "value"), [("zeros", 0.0), ("ones", 1.0), ("constant", 0.1)])
def test_constants_fill_any_shape(name, value, shape):
    np.testing.assert_array_equal(INITIALIZERS[name](shape, rng()), np.full(shape, np.float32(value)))


def test_identity_passes_features_through():
    np.testing.assert_array_equal(init.identity((3, 3), rng()), np.eye(3))
    np.testing.assert_array_equal(init.identity((2, 3), rng(), gain=2.0), [[2, 0, 0], [0, 2, 0]])


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if not row.random])
def test_a_fixed_initializer_leaves_the_generator_alone(name):
    generator = rng(5)
    INITIALIZERS[name]((3, 3), generator)
    assert generator.bit_generator.state == rng(5).bit_generator.state


# ---- orthogonal ----------------------------------------------------------------------------------

TOLERANCE = {np.float16: 2e-3, np.float32: 5e-6, np.float64: 1e-13}


def is_orthonormal(matrix, gain, tolerance):
    """Whether the columns (of a wide matrix: the rows) are orthogonal to each other and of length `gain`."""
    matrix = matrix.astype(np.float64)
    short = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    return np.allclose(short, gain**2 * np.eye(len(short)), rtol=0, atol=gain**2 * tolerance)


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("gain", [1.0, 2.5])
@pytest.mark.parametrize(
    "shape", [(1, 1), (64, 64), (96, 32), (32, 96), (3, 3, 4, 16), (3, 3, 2, 40)], ids=str
)
def test_the_short_side_is_orthonormal(shape, gain, dtype):
    matrix = init.orthogonal(shape, rng(6), gain=gain, dtype=dtype).reshape(-1, shape[-1])
    assert is_orthonormal(matrix, gain, TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("shape", [(64, 64), (96, 32), (32, 96)], ids=str)
def test_what_is_not_orthonormal_is_rejected(shape, dtype):
    q, tolerance = init.orthogonal(shape, rng(6), dtype=dtype), TOLERANCE[dtype]
    stretched, turned, tall = q.copy(), q.copy(), shape[0] >= shape[1]
    along, other = (np.s_[:, 0], np.s_[:, 1]) if tall else (np.s_[0], np.s_[1])
    stretched[along] *= dtype(1.01)  # one length is off by 1 percent
    turned[along] += dtype(0.01) * turned[other]  # one angle is off by 0.01
    gaussian = init.normal(
        shape, rng(6), std=max(shape) ** -0.5, dtype=dtype
    )  # the same variance of the entries
    assert [is_orthonormal(m, 1.0, tolerance) for m in (stretched, turned, gaussian)] == [False] * 3
    assert not is_orthonormal(q, 1.01, tolerance)


def plain_qr(shape, generator):
    """Orthogonal, but not Haar: the QR routine chooses the signs."""
    long, short = max(shape), min(shape)
    q = np.linalg.qr(generator.standard_normal((long, short)))[0]
    return q if shape[0] == long else q.T


def scipy_haar(shape, generator):
    """The first columns, or rows, of SciPy's Haar-distributed matrices: the check must pass on these too."""
    return stats.ortho_group.rvs(max(shape), random_state=generator)[: shape[0], : shape[1]]


def rotated_blocks(shape, generator):
    """Orthogonal with uniform eigenvalue angles in a Haar basis, but the angles do not repel each other."""
    angles, basis = generator.uniform(0, math.pi, shape[0] // 2), scipy_haar(shape, generator)
    blocks = np.zeros(shape)
    even, odd = np.arange(0, shape[0], 2), np.arange(1, shape[0], 2)
    blocks[even, even] = blocks[odd, odd] = np.cos(angles)
    blocks[even, odd], blocks[odd, even] = -np.sin(angles), np.sin(angles)
    return basis @ blocks @ basis.T


def delta_center(shape, generator):
    return init.delta_orthogonal((3, 1, *shape), generator, dtype=np.float64)[1, 0]


def two_samples_differ(ours, theirs):
    """A two-sample Kolmogorov-Smirnov test; rounded, for values such as an angle of pi are ties."""
    return stats.ks_2samp(np.round(ours, 4), np.round(theirs, 4), method="asymp").pvalue < LIKELY


def eigenvalue_angles(matrices):
    """Angles in (0, pi) of all matrices, and the smallest gap around the circle of each."""
    angles = np.sort(np.angle(np.linalg.eigvals(matrices)), axis=1)  # (count, n), from -pi to pi
    gaps = np.diff(angles, axis=1, append=angles[:, :1] + 2 * math.pi)
    inside = (angles > 1e-4) & (angles < math.pi - 1e-4)  # without the eigenvalues 1 and -1
    return angles[inside], gaps.min(axis=1)


def square_misfits(matrices, reference):
    """What only square matrices have: a determinant, eigenvalues.

    For even n the angles of the eigenvalues other than +-1 are uniform: at determinant +-1 their density is
    (n - 1) / (2 pi) +- sin((n - 1) t) / (2 pi sin t). They repel each other, which the gaps show.
    """
    (angles, gaps), (their_angles, their_gaps) = eigenvalue_angles(matrices), eigenvalue_angles(reference)
    positive = int((np.linalg.det(matrices) > 0).sum())
    even, uniform = matrices.shape[1] % 2 == 0, stats.uniform(0, math.pi).cdf
    return {
        "determinant": stats.binomtest(positive, len(matrices)).pvalue < LIKELY,
        "angles": angles.size == 0
        or two_samples_differ(angles, their_angles)
        or (even and stats.kstest(angles, uniform).pvalue < LIKELY),
        "gaps": two_samples_differ(gaps, their_gaps),
    }


def smallest_pvalue(columns, law):
    """The Kolmogorov-Smirnov p-value of the column that fits the law worst."""
    size = len(columns)
    reached, steps = law.cdf(np.sort(columns, axis=0)), np.arange(size + 1)[:, None] / size
    distance = np.maximum(steps[1:] - reached, reached - steps[:-1]).max()
    return stats.kstwobign.sf(math.sqrt(size) * distance)


def haar_misfits(draw, shape, count=1200):
    """Which consequences of the Haar measure on O(n), n the long side, the matrices break.

    Each entry is a coordinate of a random point on the unit sphere of R^n, so it follows
    2 Beta((n-1)/2, (n-1)/2) - 1: mean 0, variance 1/n, E[x^4] = 3 / (n (n+2)). Two entries are uncorrelated,
    with E[x^2 y^2] at most (n+1) / (n (n-1) (n+2)). The rest is compared with SciPy's matrices.
    """
    generator, n, short = rng(7), max(shape), min(shape)
    matrices = np.array([draw(shape, generator) for _ in range(count)], np.float64)
    matrices = matrices if shape[0] == n else matrices.swapaxes(1, 2)  # (count, n, short)
    reference = stats.ortho_group.rvs(n, count, random_state=rng(8))[:, :, :short]
    entries, coordinate = matrices.reshape(count, -1), stats.beta((n - 1) / 2, (n - 1) / 2, -1, 2)
    square_error = math.sqrt((3 / (n * (n + 2)) - 1 / n**2) / count)
    product_error = math.sqrt((n + 1) / (n * (n - 1) * (n + 2)) / count)
    products = entries.T @ entries / count
    block = np.s_[:, : n // 2, : (short + 1) // 2]
    found = {
        "entry": smallest_pvalue(entries, coordinate) * entries.shape[1] < LIKELY,
        "mean": np.abs(entries.mean(axis=0)).max() > SE / math.sqrt(n * count),
        "variance": np.abs(np.diagonal(products) - 1 / n).max() > SE * square_error,
        "products": np.abs(products[~np.eye(len(products), dtype=bool)]).max() > SE * product_error,
        "block": two_samples_differ(
            np.linalg.norm(matrices[block], axis=(1, 2)), np.linalg.norm(reference[block], axis=(1, 2))
        ),
        "trace": two_samples_differ(
            np.trace(matrices, axis1=1, axis2=2), np.trace(reference, axis1=1, axis2=2)
        ),
    }
    if short == n:
        found |= square_misfits(matrices, reference)
    return {name for name, broken in found.items() if broken}


HAAR = {
    "float32": init.orthogonal,
    "float64": partial(init.orthogonal, dtype=np.float64),
    "scipy": scipy_haar,
}


@pytest.mark.parametrize("shape", [(2, 2), (3, 3), (6, 6), (16, 16), (10, 4), (4, 10), (9, 1)], ids=str)
@pytest.mark.parametrize("source", HAAR)
def test_orthogonal_is_haar(source, shape):
    assert haar_misfits(HAAR[source], shape) == set()


@pytest.mark.parametrize("shape", [(5, 5), (6, 6), (4, 10)], ids=str)
def test_the_center_of_delta_orthogonal_is_haar(shape):
    assert haar_misfits(delta_center, shape) == set()


def test_a_kernel_is_haar_as_a_matrix():
    def kernel(shape, generator):
        return init.orthogonal((3, 1, shape[0] // 3, shape[1]), generator).reshape(shape)

    assert haar_misfits(kernel, (12, 5)) == set()


def test_orthogonal_of_one_entry_has_a_random_sign():
    generator = rng(9)
    signs = [init.orthogonal((1, 1), generator).item() for _ in range(1000)]
    assert set(signs) == {-1.0, 1.0}
    assert stats.binomtest(signs.count(1.0), 1000).pvalue > LIKELY


SIGNS = {"entry", "mean", "products", "trace"}  # what shows that the signs are not random
SPECTRUM = {"determinant", "angles", "gaps"}
PLAIN_QR = {
    **dict.fromkeys([(2, 2), (3, 3), (6, 6), (16, 16)], SIGNS | SPECTRUM),
    **dict.fromkeys([(10, 4), (4, 10)], SIGNS),
}


@pytest.mark.parametrize("shape", PLAIN_QR, ids=str)
def test_plain_qr_is_rejected_as_not_haar(shape):
    assert haar_misfits(plain_qr, shape) >= PLAIN_QR[shape]


@pytest.mark.parametrize("shape", [(10, 4), (4, 10)], ids=str)
def test_semi_orthogonal_entries_do_not_lie_on_the_sphere_of_the_short_side(shape):
    generator = rng(9)
    entries = np.array([init.orthogonal(shape, generator).ravel() for _ in range(1500)])  # (1500, 40)
    assert smallest_pvalue(entries, stats.beta(4.5, 4.5, -1, 2)) * entries.shape[1] > LIKELY
    assert smallest_pvalue(entries, stats.beta(1.5, 1.5, -1, 2)) < LIKELY


def test_uniform_angles_alone_are_rejected_as_not_haar():
    assert haar_misfits(rotated_blocks, (6, 6)) >= {"determinant", "gaps"}


def test_the_first_entries_of_a_larger_matrix_are_rejected():
    """Entries of variance 1/10 in the place of 1/6: a matrix that is not orthogonal at all."""

    def corner(shape, generator):
        return scipy_haar((10, 10), generator)[: shape[0], : shape[1]]

    assert haar_misfits(corner, (6, 6)) >= {"entry", "variance", "block"}


def convolve(x, kernel):
    """PyTorch's convolution of NHWC images with a (kh, kw, c_in, c_out) kernel, zero padded."""
    torch = pytest.importorskip("torch", reason="PyTorch, the reference here, is not installed")
    weight = torch.from_numpy(kernel).permute(3, 2, 0, 1)  # (c_out, c_in, kh, kw)
    y = torch.nn.functional.conv2d(torch.from_numpy(x).permute(0, 3, 1, 2), weight, padding="same")
    return y.permute(0, 2, 3, 1).numpy()


def test_delta_orthogonal_convolution_keeps_lengths():
    x = rng(10).standard_normal((2, 7, 7, 8))
    kernel = init.delta_orthogonal((3, 5, 8, 12), rng(11), gain=1.5, dtype=np.float64)
    assert np.linalg.norm(convolve(x, kernel)) == pytest.approx(1.5 * np.linalg.norm(x), rel=1e-12)
    assert np.flatnonzero(np.abs(kernel).sum(axis=(2, 3))).tolist() == [7]  # (1, 2) of 3 x 5
    # The control: an orthogonal kernel that is not concentrated at the center does not.
    spread = init.orthogonal((3, 5, 8, 12), rng(11), gain=1.5, dtype=np.float64)
    assert np.linalg.norm(convolve(x, spread)) != pytest.approx(1.5 * np.linalg.norm(x), rel=1e-2)


def test_identity_convolution_returns_its_input():
    x = rng(12).standard_normal((2, 6, 6, 4))
    np.testing.assert_array_equal(convolve(x, init.identity((3, 3, 4, 4), rng(), dtype=np.float64)), x)


# ---- sparse --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "sparsity", "kept"),
    [
        ((100, 30), 0.9, 10),
        ((100, 30), 0.0, 100),
        ((100, 30), 0.28, 72),
        ((3, 3, 10, 8), 0.8, 18),
        ((4, 5), 0.99, 1),
    ],
)
def test_each_unit_keeps_the_stated_number_of_weights(shape, sparsity, kept):
    weights = init.sparse(shape, rng(13), sparsity=sparsity)
    counts = np.count_nonzero(weights.reshape(-1, shape[-1]), axis=0)
    assert counts.tolist() == [kept] * shape[-1]


def test_kept_weights_are_normal_and_stand_anywhere():
    weights = init.sparse((200, 3000), rng(14), sparsity=0.9, std=0.3)
    nonzero = weights != 0
    assert misfits(weights[nonzero], stats.norm(0, 0.3)) == set()
    assert stats.chisquare(nonzero.sum(axis=1)).pvalue > LIKELY
    assert misfits(weights, stats.norm(0, 0.3)) != set()  # the control: with its zeros it is not normal


def position_misfits(kept):
    """Whether the columns of a (4, units) mask with 2 kept of 4 are uniform, and neighbors independent.

    A column is one of 6 subsets, a pair of neighbors one of 36; each is equally likely.
    """
    subset = np.unique(np.array([1, 2, 4, 8]) @ kept, return_inverse=True)[1]  # (units,)
    pair = 6 * subset[0::2] + subset[1::2]
    uniform, independent = (
        stats.chisquare(np.bincount(numbers, minlength=cells)).pvalue > LIKELY
        for numbers, cells in ((subset, 6), (pair, 36))
    )
    found = {"uniform": not uniform, "independent": not independent}
    return {name for name, broken in found.items() if broken}


@pytest.mark.parametrize("shape", [(4, 7200), (2, 1, 2, 7200)], ids=str)
def test_kept_positions_are_uniform_and_independent_between_units(shape):
    kept = init.sparse(shape, rng(17), sparsity=0.5).reshape(4, -1) != 0
    assert position_misfits(kept) == set()


def test_other_ways_to_choose_positions_are_rejected():
    generator, unit = rng(18), np.arange(4)[:, None]
    start = generator.integers(4, size=7200)
    block = (unit - start) % 4 < 2  # two neighboring rows: each row is kept equally often
    assert stats.chisquare(block.sum(axis=1)).pvalue > LIKELY
    assert position_misfits(block) == {"uniform", "independent"}
    fair = generator.permuted(np.repeat([[1], [1], [0], [0]], 7200, axis=1), axis=0) > 0
    assert position_misfits(fair) == set()
    twice = np.repeat(fair[:, ::2], 2, axis=1)  # neighbors share their positions
    assert "independent" in position_misfits(twice)


# ---- frameworks ----------------------------------------------------------------------------------

TORCH = {  # name: what PyTorch does to its own (n_out, n_in) tensor
    "uniform": lambda nn, w: nn.uniform_(w, -0.05, 0.05),
    "normal": lambda nn, w: nn.normal_(w, 0, 0.01),
    "truncated_normal": lambda nn, w: nn.trunc_normal_(w, 0, 0.01, -0.02, 0.02),
    "xavier_uniform": lambda nn, w: nn.xavier_uniform_(w),
    "xavier_normal": lambda nn, w: nn.xavier_normal_(w),
    "lecun_uniform": lambda nn, w: nn.kaiming_uniform_(w, nonlinearity="linear"),
    "lecun_normal": lambda nn, w: nn.kaiming_normal_(w, nonlinearity="linear"),
    "he_uniform": lambda nn, w: nn.kaiming_uniform_(w, nonlinearity="relu"),
    "he_normal": lambda nn, w: nn.kaiming_normal_(w, nonlinearity="relu"),
    "orthogonal": lambda nn, w: nn.orthogonal_(w),
}


def torch_sample(name, shape):
    torch = pytest.importorskip("torch", reason="PyTorch, the reference here, is not installed")
    spatial, (n_in, n_out) = shape[:-2], shape[-2:]
    torch.manual_seed(0)
    return TORCH[name](torch.nn.init, torch.empty(n_out, n_in, *spatial)).numpy().ravel()


@pytest.mark.parametrize("shape", [(256, 64), (3, 3, 16, 32)], ids=str)
@pytest.mark.parametrize("name", TORCH)
def test_agreement_with_pytorch(name, shape):
    ours, theirs = INITIALIZERS[name](shape, rng(15)).ravel(), torch_sample(name, shape)
    assert stats.ks_2samp(ours, theirs, method="asymp").pvalue > LIKELY
    assert ours.std() == pytest.approx(theirs.std(), rel=SE / math.sqrt(ours.size))
    if "uniform" in name or "truncated" in name:  # both approach the same bound and do not pass it
        assert np.abs(ours).max() == pytest.approx(np.abs(theirs).max(), rel=0.01)


def test_agreement_with_pytorch_can_fail():
    theirs = torch_sample("he_normal", (256, 64))
    assert stats.ks_2samp(init.xavier_normal((256, 64), rng(15)).ravel(), theirs).pvalue < LIKELY


@pytest.mark.parametrize("distribution", ["normal", "uniform", "truncated_normal"])
@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
def test_variance_scaling_agrees_with_jax(mode, distribution):
    jax = pytest.importorskip("jax", reason="JAX, the reference here, is not installed: pip install jax")
    theirs = np.asarray(
        jax.nn.initializers.variance_scaling(2.0, mode, distribution)(jax.random.key(0), (3, 3, 16, 32))
    )
    ours = variance_scaling((3, 3, 16, 32), rng(16), scale=2.0, mode=mode, distribution=distribution)
    assert stats.ks_2samp(ours.ravel(), theirs.ravel(), method="asymp").pvalue > LIKELY
    assert ours.std() == pytest.approx(theirs.std(), rel=SE / math.sqrt(ours.size))
    if distribution != "normal":
        assert np.abs(ours).max() == pytest.approx(np.abs(theirs).max(), rel=0.01)


# ---- properties ----------------------------------------------------------------------------------


@st.composite
def shapes(draw, smallest=1):
    """A shape with odd kernel sizes: tall, wide or square."""
    spatial = draw(st.lists(st.sampled_from([1, 3, 5]), max_size=3))
    return (*spatial, *draw(st.tuples(*[st.integers(smallest, 9)] * 2)))


@st.composite
def calls(draw, known, smallest=1):
    """A name and a shape that it takes: delta_orthogonal refuses a tall one."""
    name, shape = draw(st.sampled_from(known)), draw(shapes(smallest))
    return name, (*shape[:-2], *sorted(shape[-2:])) if name == "delta_orthogonal" else shape


@pytest.mark.parametrize("kind", [int.__gt__, int.__lt__, int.__eq__])
def test_tall_wide_and_square_shapes_are_drawn(kind):
    _, shape = find(calls(["he_normal"]), lambda call: kind(*call[1][-2:]))
    assert kind(*shape[-2:])


dtypes, seeds = st.sampled_from(DTYPES), st.integers(0, 2**64)


@settings(max_examples=150)
@given(call=calls(sorted(INITIALIZERS)), dtype=dtypes, seed=seeds)
def test_same_state_same_array_of_the_asked_shape_and_dtype(call, dtype, seed):
    name, shape = call
    first, second = (INITIALIZERS[name](shape, rng(seed), dtype=dtype) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.shape == shape
    assert first.dtype == dtype
    assert np.isfinite(first).all()
    assert first.flags.writeable
    assert first.flags.c_contiguous


@settings(max_examples=100)
@given(call=calls(RANDOM, smallest=3), seed=seeds)
def test_another_state_another_array(call, seed):
    name, shape = call
    generator = rng(seed)
    assert (INITIALIZERS[name](shape, generator) != INITIALIZERS[name](shape, generator)).any()
    assert (INITIALIZERS[name](shape, rng(seed)) != INITIALIZERS[name](shape, rng(seed + 1))).any()


@settings(max_examples=100)
@given(call=calls(sorted(INITIALIZERS)), seed=seeds)
def test_float16_is_float32_rounded_last(call, seed):
    name, shape = call
    half, single = (INITIALIZERS[name](shape, rng(seed), dtype=dtype) for dtype in (np.float16, np.float32))
    np.testing.assert_array_equal(half, single.astype(np.float16))


@st.composite
def declarations(draw):
    """A call without shape and rng, a shape, and the law that the call declares."""
    name, shape = draw(st.sampled_from([*WITH_LAW, "variance_scaling"])), draw(shapes(smallest=4))
    call = getattr(init, name)
    fan_in, fan_out = math.prod(shape[:-1]), math.prod(shape[:-2]) * shape[-1]
    if "groups" in call.__kwdefaults__:
        groups = draw(st.sampled_from([g for g in (1, 2, 3, 4) if shape[-1] % g == 0]))
        call, fan_out = partial(call, groups=groups), fan_out // groups
    if "mode" in getattr(init, name).__kwdefaults__:
        mode = draw(st.sampled_from(sorted(MODES)))
        call, fan_in = partial(call, mode=mode), MODES[mode](fan_in, fan_out)  # the one fan that counts
    if name != "variance_scaling":
        return call, shape, ROWS[name].law(fan_in, fan_out)
    scale, distribution = draw(st.floats(1e-3, 1e3)), draw(st.sampled_from(init._DISTRIBUTIONS))
    return (
        partial(call, scale=scale, distribution=distribution),
        shape,
        scaled_law(scale / fan_in, distribution),
    )


@settings(max_examples=120)
@given(declaration=declarations(), dtype=dtypes, seed=seeds)
def test_the_declared_variance_is_kept(declaration, dtype, seed):
    (call, shape, law), generator = declaration, rng(seed)
    draws = [call(shape, generator, dtype=dtype).ravel() for _ in range(math.ceil(2000 / math.prod(shape)))]
    assert not misfits(np.concatenate(draws), law) & {"mean", "variance", "support"}


@settings(max_examples=60)
@given(shape=shapes(), gain=st.floats(0.1, 10), dtype=dtypes, seed=seeds)
def test_the_mean_square_of_orthogonal_entries_is_that_of_the_sphere(shape, gain, dtype, seed):
    """gain^2 / max(rows, columns): exact, not only on average."""
    values = init.orthogonal(shape, rng(seed), gain=gain, dtype=dtype).astype(np.float64)
    declared = gain**2 / max(math.prod(shape[:-1]), shape[-1])
    np.testing.assert_allclose(np.mean(values**2), declared, rtol=TOLERANCE[dtype])


@settings(max_examples=60)
@given(shape=shapes(smallest=4), sparsity=st.floats(0, 0.95), dtype=dtypes, seed=seeds)
def test_the_declared_variance_of_sparse_is_kept(shape, sparsity, dtype, seed):
    """Those kept, and no others, are N(0, std^2)."""
    generator, size = rng(seed), math.prod(shape[:-1])
    call = partial(init.sparse, sparsity=sparsity, std=0.5, dtype=dtype)
    kept = max(1, round((1 - sparsity) * size))
    draws = np.array([call(shape, generator) for _ in range(math.ceil(2000 / (kept * shape[-1])))])
    assert np.count_nonzero(draws) == kept * shape[-1] * len(draws)
    assert not misfits(draws[draws != 0], stats.norm(0, 0.5)) & {"mean", "variance"}


SCALES = [
    (name, keyword)
    for name in [*RANDOM, "identity", "variance_scaling"]
    for keyword in ("gain", "std", "scale")
    if keyword in getattr(init, name).__kwdefaults__
]


@pytest.mark.parametrize(("name", "keyword"), SCALES)
def test_a_scale_of_zero_gives_zeros(name, keyword):
    call = getattr(init, name)
    assert not call((3, 4), rng(), **{keyword: 0}).any()
    assert call((3, 4), rng(), **{keyword: 1}).any()  # the control


# ---- wrong calls ---------------------------------------------------------------------------------

NAN, INF = math.nan, math.inf
HALF = np.float16
WRONG = [  # name, positional arguments after the name, keywords, exception, words of its message
    ("normal", ((3, 0), rng()), {}, ValueError, ["shape[1]", "at least 1", "got 0"]),
    ("normal", ((-3, 2), rng()), {}, ValueError, ["shape[0]", "at least 1", "got -3"]),
    ("zeros", ((0,), rng()), {}, ValueError, ["shape[0]", "got 0"]),
    ("normal", ((3.0, 2), rng()), {}, TypeError, ["shape[0]", "integer", "float"]),
    ("normal", ((True, 2), rng()), {}, TypeError, ["shape[0]", "integer", "bool"]),
    ("normal", (("3", 2), rng()), {}, TypeError, ["shape[0]", "integer", "str"]),
    ("normal", (5, rng()), {}, TypeError, ["shape", "tuple", "int"]),
    ("normal", ("35", rng()), {}, TypeError, ["shape", "tuple", "str"]),
    ("ones", (None, rng()), {}, TypeError, ["shape", "tuple", "NoneType"]),
    ("he_normal", ((3,), rng()), {}, ValueError, ["shape", "2 axes", "(3,)"]),
    ("xavier_uniform", ((), rng()), {}, ValueError, ["shape", "2 axes", "()"]),
    ("orthogonal", ((3,), rng()), {}, ValueError, ["shape", "2 axes", "(3,)"]),
    ("identity", ((3,), rng()), {}, ValueError, ["shape", "2 axes", "(3,)"]),
    ("sparse", ((3,), rng()), {}, ValueError, ["shape", "2 axes", "(3,)"]),
    ("normal", ((3, 2), 0), {}, TypeError, ["rng", "seed 0", "np.random.default_rng(0)"]),
    ("he_uniform", ((3, 2), 42), {}, TypeError, ["rng", "seed 42", "np.random.default_rng(42)"]),
    ("zeros", ((3, 2), None), {}, TypeError, ["rng", "Generator", "np.random.default_rng(0)", "NoneType"]),
    ("orthogonal", ((3, 2), np.random), {}, TypeError, ["rng", "Generator", "module"]),
    ("uniform", ((3, 2), np.random.RandomState), {}, TypeError, ["rng", "Generator", "type"]),
    ("normal", ((3, 2), rng()), {"dtype": int}, TypeError, ["dtype", "float16", "float32", "float64", "int"]),
    ("zeros", ((3, 2), rng()), {"dtype": np.int8}, TypeError, ["dtype", "float32", "int8"]),
    ("normal", ((3, 2), rng()), {"dtype": complex}, TypeError, ["dtype", "float32", "complex"]),
    ("ones", ((3, 2), rng()), {"dtype": bool}, TypeError, ["dtype", "float32", "bool"]),
    ("normal", ((3, 2), rng()), {"dtype": None}, TypeError, ["dtype", "float32", "None"]),
    ("normal", ((3, 2), rng()), {"dtype": "float33"}, TypeError, ["dtype", "float32", "float33"]),
    ("normal", ((3, 2), rng()), {"std": -1.0}, ValueError, ["std", "at least 0", "-1.0"]),
    ("normal", ((3, 2), rng()), {"std": NAN}, ValueError, ["std", "finite", "nan"]),
    ("normal", ((3, 2), rng()), {"std": INF}, ValueError, ["std", "finite", "inf"]),
    ("normal", ((3, 2), rng()), {"std": "1"}, TypeError, ["std", "number", "str"]),
    ("normal", ((3, 2), rng()), {"std": True}, TypeError, ["std", "number", "bool"]),
    ("normal", ((3, 2), rng()), {"std": 1j}, TypeError, ["std", "number", "complex"]),
    ("normal", ((3, 2), rng()), {"mean": NAN}, ValueError, ["mean", "finite", "nan"]),
    (
        "normal",
        ((3, 2), rng()),
        {"std": 1e-9, "dtype": HALF},
        ValueError,
        ["std", "float16", "1e-09", "underflows"],
    ),
    (
        "normal",
        ((3, 2), rng()),
        {"std": 1e5, "dtype": HALF},
        ValueError,
        ["std", "65504", "float16", "overflows"],
    ),
    (
        "normal",
        ((99, 99), rng()),
        {"std": 6e4, "dtype": HALF},
        ValueError,
        ["values drawn", "float16"],
    ),
    ("normal", ((3, 2), rng()), {"std": 1e-60}, ValueError, ["std", "float32", "underflows"]),
    ("normal", ((3, 2), rng()), {"mean": 1e60}, ValueError, ["mean", "float32", "overflows"]),
    ("constant", ((3, 2), rng()), {"value": INF}, ValueError, ["value", "finite", "inf"]),
    ("constant", ((3, 2), rng()), {"value": [1.0]}, TypeError, ["value", "number", "list"]),
    (
        "constant",
        ((3, 2), rng()),
        {"value": -7e4, "dtype": HALF},
        ValueError,
        ["value", "float16", "overflows"],
    ),
    (
        "constant",
        ((3, 2), rng()),
        {"value": 1e-8, "dtype": HALF},
        ValueError,
        ["value", "float16", "underflows"],
    ),
    (
        "uniform",
        ((3, 2), rng()),
        {"low": 1.0, "high": 1.0},
        ValueError,
        ["low", "below high", "low=1", "high=1"],
    ),
    ("uniform", ((3, 2), rng()), {"low": 1.0, "high": -1.0}, ValueError, ["low", "below high", "high=-1"]),
    (
        "uniform",
        ((3, 2), rng()),
        {"low": 1.0, "high": 1 + 1e-12},
        ValueError,
        ["low", "below high", "float32"],
    ),
    ("uniform", ((3, 2), rng()), {"low": NAN}, ValueError, ["low", "finite", "nan"]),
    ("uniform", ((3, 2), rng()), {"high": INF}, ValueError, ["high", "finite", "inf"]),
    (
        "uniform",
        ((3, 2), rng()),
        {"low": -3e38, "high": 3e38},
        ValueError,
        ["values drawn", "float32"],
    ),
    ("truncated_normal", ((3, 2), rng()), {"std": -0.1}, ValueError, ["std", "at least 0", "-0.1"]),
    ("truncated_normal", ((3, 2), rng()), {"cut": 0.0}, ValueError, ["cut", "at least 0.1", "0.0"]),
    ("truncated_normal", ((3, 2), rng()), {"cut": NAN}, ValueError, ["cut", "finite", "nan"]),
    ("xavier_normal", ((3, 2), rng()), {"gain": -1.0}, ValueError, ["gain", "at least 0", "-1.0"]),
    ("xavier_uniform", ((3, 2), rng()), {"gain": NAN}, ValueError, ["gain", "finite", "nan"]),
    ("xavier_uniform", ((3, 2), rng()), {"gain": 1e200}, ValueError, ["gain", "square", "1e+200"]),
    ("xavier_normal", ((3, 2), rng()), {"gain": 1e-200}, ValueError, ["gain", "square", "1e-200"]),
    (
        "xavier_normal",
        ((3, 2), rng()),
        {"gain": 1e-9, "dtype": HALF},
        ValueError,
        ["fan", "float16", "underflows"],
    ),
    ("he_normal", ((3, 2), rng()), {"slope": INF}, ValueError, ["slope", "finite", "inf"]),
    (
        "he_uniform",
        ((3, 2), rng()),
        {"mode": "fan_inn"},
        ValueError,
        ["mode", "'fan_inn'", "'fan_in'?", "fan_avg"],
    ),
    ("he_normal", ((3, 2), rng()), {"mode": 1}, TypeError, ["mode", "fan_in", "int"]),
    ("he_normal", ((3, 3, 4, 6), rng()), {"groups": 4}, ValueError, ["groups", "divide", "got 4"]),
    ("lecun_normal", ((3, 4), rng()), {"groups": 0}, ValueError, ["groups", "at least 1", "got 0"]),
    ("lecun_uniform", ((3, 4), rng()), {"groups": 2.0}, TypeError, ["groups", "integer", "float"]),
    ("variance_scaling", ((3, 2), rng()), {"scale": -2.0}, ValueError, ["scale", "at least 0", "-2.0"]),
    ("variance_scaling", ((3, 2), rng()), {"scale": NAN}, ValueError, ["scale", "finite", "nan"]),
    ("variance_scaling", ((3, 2), rng()), {"scale": INF}, ValueError, ["scale", "finite", "inf"]),
    ("variance_scaling", ((3, 2), rng()), {"scale": None}, TypeError, ["scale", "number", "NoneType"]),
    (
        "variance_scaling",
        ((3, 2), rng()),
        {"scale": 1e-16, "dtype": HALF},
        ValueError,
        ["scale", "float16", "underflows"],
    ),
    (
        "variance_scaling",
        ((3, 2), rng()),
        {"mode": "zebra"},
        ValueError,
        ["mode", "'zebra'", "known: fan_in, fan_out"],
    ),
    (
        "variance_scaling",
        ((3, 2), rng()),
        {"distribution": "truncated"},
        ValueError,
        ["distribution", "'truncated'", "'truncated_normal'?"],
    ),
    ("orthogonal", ((3, 2), rng()), {"gain": -1.0}, ValueError, ["gain", "at least 0", "-1.0"]),
    ("orthogonal", ((3, 2), rng()), {"gain": INF}, ValueError, ["gain", "finite", "inf"]),
    (
        "orthogonal",
        ((3, 2), rng()),
        {"gain": 1e5, "dtype": HALF},
        ValueError,
        ["gain", "float16", "overflows"],
    ),
    (
        "orthogonal",
        ((99, 99), rng()),
        {"gain": 1e-7, "dtype": HALF},
        ValueError,
        ["gain", "float16", "underflows"],
    ),
    ("identity", ((3, 3), rng()), {"gain": NAN}, ValueError, ["gain", "finite", "nan"]),
    ("identity", ((2, 3, 4, 4), rng()), {}, ValueError, ["shape[0]", "odd", "(2, 3, 4, 4)"]),
    ("delta_orthogonal", ((3, 4, 4, 4), rng()), {}, ValueError, ["shape[1]", "odd", "(3, 4, 4, 4)"]),
    ("delta_orthogonal", ((3, 3, 5, 4), rng()), {}, ValueError, ["shape", "n_in <= n_out", "(3, 3, 5, 4)"]),
    ("delta_orthogonal", ((3, 3, 4, 4), rng()), {"gain": -2}, ValueError, ["gain", "at least 0", "-2"]),
    ("sparse", ((3, 2), rng()), {"sparsity": 1.0}, ValueError, ["sparsity", "below 1", "1.0"]),
    ("sparse", ((3, 2), rng()), {"sparsity": -0.1}, ValueError, ["sparsity", "at least 0", "-0.1"]),
    ("sparse", ((3, 2), rng()), {"sparsity": NAN}, ValueError, ["sparsity", "finite", "nan"]),
    ("sparse", ((3, 2), rng()), {"std": -1}, ValueError, ["std", "at least 0", "-1"]),
    ("fans", ((3,),), {}, ValueError, ["shape", "2 axes", "(3,)"]),
    ("fans", ((3, 4),), {"groups": 3}, ValueError, ["groups", "divide", "got 3"]),
    ("fans", ((3, 0),), {}, ValueError, ["shape[1]", "got 0"]),
    (
        "get_initializer",
        ("he_norml",),
        {},
        ValueError,
        ["unknown initializer", "'he_norml'", "did you mean 'he_normal'?"],
    ),
    ("get_initializer", ("qqq",), {}, ValueError, ["unknown initializer", "'qqq'", "known: zeros, ones"]),
    (
        "get_initializer",
        (3,),
        {},
        TypeError,
        ["name", "f(shape, rng, *, dtype)", "int"],
    ),
    ("get_initializer", (None,), {}, TypeError, ["initializer", "name", "NoneType"]),
    (
        "get_initializer",
        (Linear(2, 2),),
        {},
        TypeError,
        ["f(shape, rng, *, dtype)", "got Linear"],
    ),
    ("get_initializer", (Linear,), {}, TypeError, ["initializer", "f(shape, rng, *, dtype)", "got type"]),
    (
        "get_initializer",
        (lambda x: x,),
        {},
        TypeError,
        ["*, dtype), got <lambda>(x)"],
    ),
    ("normal", ((2**40, 2**40), rng()), {}, ValueError, ["shape", "array can have", str(2**40)]),
    ("normal", ((10**30, 2), rng()), {}, ValueError, ["shape", "array can have", str(10**30)]),
    ("zeros", ((2**62,), rng()), {"dtype": HALF}, ValueError, ["shape", "array can have", str(2**62)]),
    ("he_normal", ((2**33, 2**33), rng()), {}, ValueError, ["shape", "array can have", str(2**33)]),
    ("ones", ((1,) * 70, rng()), {}, ValueError, ["shape", "array can have", "(1, 1, "]),
]


@pytest.mark.parametrize(("name", "arguments", "keywords", "exception", "words"), WRONG)
def test_a_wrong_call_raises_in_one_sentence(name, arguments, keywords, exception, words):
    with pytest.raises(exception) as caught:
        getattr(init, name)(*arguments, **keywords)
    message = str(caught.value)
    assert [word for word in words if word not in message] == []
    assert message.endswith(".")
    assert "\n" not in message

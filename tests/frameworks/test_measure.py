"""The measures can say no."""

import numpy as np
from measure import has_variance, is_cut, is_normal, is_orthogonal, is_uniform

rng = np.random.default_rng(0)
NORMAL = rng.standard_normal((200, 200))
UNIFORM = rng.uniform(-1, 1, (200, 200))
CUT = rng.standard_normal(60_000)
CUT = CUT[np.abs(CUT) < 2] / 0.87962566103423978


def test_each_accepts_its_own_distribution_alone():
    for check, accepted in ((is_normal, NORMAL), (is_cut, CUT)):
        assert [check(values, 1.0) for values in (NORMAL, CUT)] == [
            values is accepted for values in (NORMAL, CUT)
        ]
    assert is_uniform(UNIFORM, 1.0)
    assert not is_uniform(UNIFORM, 1.1)
    assert not is_uniform(UNIFORM, 0.9)
    assert not is_uniform(NORMAL, np.abs(NORMAL).max())


def test_a_wrong_variance_is_seen():
    assert has_variance(NORMAL, 1.0)
    assert not has_variance(NORMAL, 1.1)
    assert not has_variance(np.abs(NORMAL) + 1, 1.0)


def test_only_an_orthogonal_matrix_is_one():
    q = np.linalg.qr(NORMAL)[0]
    assert is_orthogonal(q)
    assert is_orthogonal(2 * q[:, :50], gain=2.0)
    assert not is_orthogonal(NORMAL / np.sqrt(200))

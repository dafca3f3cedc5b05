"""The bundled digits and the ways to change them, and the records of long runs."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from netinit import add_noise, few_labels, load_digits, load_record, only_classes, rotate
from netinit.data import RECORDS, TRAIN


def test_splits_have_every_image_and_class_once():
    data = load_digits()
    assert [len(x) for x in data[::2]] == [1077, 360, 360]
    assert [len(y) for y in data[1::2]] == [1077, 360, 360]
    for y in data[1::2]:
        assert y.dtype == np.int64
        assert set(y) == set(range(10))
    assert all(x.dtype == np.float32 and x.shape[1] == 64 for x in data[::2])
    assert len(np.unique(np.concatenate(data[::2]), axis=0)) == 1797  # no image in two splits


def test_standardized_by_the_training_split_alone():
    data = load_digits()
    np.testing.assert_allclose(data.x_train.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(np.mean(data.x_train**2), 1, rtol=1e-6)
    # the other splits went through the same map: close to these values, yet not on them
    assert 1e-4 < abs(np.mean(data.x_test**2) - 1) < 0.1


def test_transform_sees_raw_images():
    seen = []
    load_digits(lambda images: seen.append(images) or images)
    assert seen[0].shape == (1797, 8, 8)
    assert (seen[0].min(), seen[0].max()) == (0, 16)
    inverted = load_digits(lambda images: 16 - images)
    np.testing.assert_allclose(inverted.x_test, -load_digits().x_test, atol=1e-5)


@pytest.mark.parametrize("degrees", [0, 15, -40, 90, 180])
def test_rotate_agrees_with_scipy(degrees):
    images = np.random.default_rng(0).random((3, 8, 8))
    # In the plane of axes (1, 2), rows pointing down, SciPy's positive angle is counterclockwise too.
    expected = ndimage.rotate(images, degrees, axes=(1, 2), reshape=False, order=1, mode="grid-constant")
    np.testing.assert_allclose(rotate(images, degrees), expected, atol=1e-9)


def test_rotate_is_counterclockwise():
    image = np.zeros((1, 8, 8))
    image[0, 0, 7] = 1  # top right goes to top left
    np.testing.assert_allclose(rotate(image, 90)[0, 0, 0], 1, atol=1e-12)


def test_noise_has_the_declared_std():
    noise = add_noise(np.zeros((100, 8, 8)), 6.0, np.random.default_rng(1))
    n = noise.size
    assert abs(noise.var() - 36) < 5 * 36 * np.sqrt(2 / n)
    assert abs(noise.var() - 25) > 5 * 25 * np.sqrt(2 / n)  # the same bound rejects sigma = 5


@pytest.mark.parametrize(
    ("given", "returned"),
    [
        ("float16", "float16"),
        ("float32", "float32"),
        ("float64", "float64"),
        ("uint8", "float32"),
        ("int64", "float64"),
    ],
)
def test_noise_keeps_the_dtype(given, returned):
    images = np.full((2, 8, 8), 3, given)
    noisy = add_noise(images, 0.5, np.random.default_rng(2))
    assert noisy.dtype == returned
    exact = images + 0.5 * np.random.default_rng(2).standard_normal(images.shape)
    np.testing.assert_array_equal(noisy, exact.astype(returned))


def test_images_in_another_dtype_are_standardized_in_float64():
    plain, rounded = load_digits(), load_digits(lambda images: images.astype(np.float16))
    for a, b in zip(plain, rounded, strict=True):
        np.testing.assert_array_equal(a, b)  # 0..16 are exact in float16, their mean would not be


@pytest.mark.parametrize("path", sorted(Path(RECORDS).iterdir()), ids=lambda path: path.name)
def test_each_record_is_what_its_file_holds(path):
    assert load_record(path.stem) == json.loads(path.read_text(encoding="utf-8"))


IMAGES, RNG = np.zeros((3, 8, 8)), np.random.default_rng(0)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda: load_digits(lambda images: images[:5]),
            ValueError,
            r"transform .*\(1797, 8, 8\).*\(5, 8, 8\)",
        ),
        (lambda: load_record("fixup-1000"), ValueError, "unknown record.*did you mean 'fixup-10000'"),
        (lambda: load_record("../records/frameworks"), ValueError, "unknown record"),
        (lambda: load_record(10000), TypeError, "record must be a name, one of fixup-10000, .*got int"),
        (lambda: load_digits("rotate"), TypeError, "transform .*function.*None.*'rotate'"),
        (lambda: load_digits(15), TypeError, "transform .*function.*None.*15"),
        (lambda: load_digits(lambda x: x.astype(str)), TypeError, "transform .*real numbers.*dtype <U"),
        (lambda: load_digits(lambda x: x * 1j), TypeError, "transform .*real numbers.*dtype complex"),
        (lambda: load_digits(np.zeros_like), ValueError, "transform .*apart.*1077 equal"),
        (lambda: load_digits(lambda x: np.full_like(x, 0.1)), ValueError, "transform .*apart.*1077 equal"),
        (lambda: load_digits(lambda x: x * np.nan), ValueError, "transform .*finite.*nan to nan"),
        (lambda: load_digits(lambda x: np.where(x > 15, np.inf, x)), ValueError, "transform .*0 to inf"),
        (lambda: load_digits(lambda x: x * 1e200), ValueError, r"transform .*float32.* to 1.6e\+201"),
        (lambda: load_digits(lambda x: x * 1e-200), ValueError, "transform .*float32.* to 1.6e-199"),
        (lambda: rotate([[[1.0]]], 15), TypeError, "images .*NumPy array.*list"),
        (lambda: rotate(15, IMAGES), TypeError, "images .*NumPy array.*int"),
        (lambda: rotate(IMAGES.astype(str), 15), TypeError, "images .*real numbers.*dtype <U"),
        (lambda: rotate(IMAGES + np.nan, 15), ValueError, "images .*finite.*NaN"),
        (lambda: rotate(IMAGES, "ten"), TypeError, "degrees .*real number.*str"),
        (lambda: rotate(IMAGES, None), TypeError, "degrees .*real number.*NoneType"),
        (lambda: rotate(IMAGES, IMAGES), TypeError, "degrees .*real number.*ndarray"),
        (lambda: rotate(IMAGES, -np.inf), ValueError, "degrees .*finite.*-inf"),
        (lambda: add_noise([1.0], 1, RNG), TypeError, "images .*NumPy array.*list"),
        (lambda: add_noise(1, IMAGES, RNG), TypeError, "images .*NumPy array.*int"),
        (lambda: add_noise(IMAGES, RNG, 1), TypeError, "sigma .*real number.*Generator"),
        (lambda: add_noise(IMAGES, "1", RNG), TypeError, "sigma .*real number.*str"),
        (lambda: add_noise(IMAGES, np.ones(8), RNG), TypeError, "sigma .*real number.*ndarray"),
        (lambda: add_noise(IMAGES, np.nan, RNG), ValueError, "sigma .*finite.*nan"),
        (lambda: add_noise(IMAGES + np.inf, 1, RNG), ValueError, "images .*finite.*infinity"),
        (lambda: add_noise(IMAGES, 1e308, RNG), ValueError, r"sigma .*float64.*1e\+308.*overflows"),
        (lambda: add_noise(IMAGES.astype("f2"), 1e5, RNG), ValueError, "sigma .*float16.*overflows"),
        (lambda: rotate(np.zeros((3, 64)), 15), ValueError, r"images .*\(n, height, width\).*\(3, 64\)"),
        (lambda: rotate(np.zeros((3, 8, 8)), np.nan), ValueError, "degrees .*finite.*nan"),
        (lambda: add_noise(np.zeros(3), -1, np.random.default_rng(0)), ValueError, "sigma .*-1"),
        (lambda: add_noise(np.zeros(3), np.inf, np.random.default_rng(0)), ValueError, "sigma .*inf"),
        (lambda: add_noise(np.zeros(3), 1, 0), TypeError, "rng .*Generator.*seed 0"),
    ],
)
def test_wrong_calls(call, error, words):
    with pytest.raises(error, match=words) as caught:
        call()
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_train_size_is_the_split():
    assert len(load_digits().x_train) == TRAIN


def test_few_labels_keeps_so_many_of_each_class_and_leaves_the_rest():
    digits = load_digits()
    few = few_labels(digits, 3, np.random.default_rng(0))
    np.testing.assert_array_equal(np.bincount(few.y_train), np.full(10, 3))
    for image, label in zip(few.x_train, few.y_train, strict=True):
        (row,) = np.flatnonzero((digits.x_train == image).all(axis=1))
        assert digits.y_train[row] == label
    assert few.x_test is digits.x_test
    other = few_labels(digits, 3, np.random.default_rng(1))
    assert not np.array_equal(few.x_train, other.x_train)


def test_only_classes_keeps_them_in_every_split_and_numbers_them_in_order():
    digits = load_digits()
    some = only_classes(digits, [7, 5])
    for split in ("train", "validation", "test"):
        before, after = getattr(digits, f"y_{split}"), getattr(some, f"y_{split}")
        kept = np.isin(before, [5, 7])
        np.testing.assert_array_equal(after, np.where(before[kept] == 7, 0, 1))
        np.testing.assert_array_equal(getattr(some, f"x_{split}"), getattr(digits, f"x_{split}")[kept])


@pytest.mark.parametrize("per_class", [0, 10_000])
def test_few_labels_refuses_a_number_that_no_class_has(per_class):
    with pytest.raises(ValueError, match="per_class"):
        few_labels(load_digits(), per_class, np.random.default_rng(0))


@pytest.mark.parametrize("classes", [[], [3, 12], [-1]])
def test_only_classes_refuses_unknown_ones(classes):
    with pytest.raises(ValueError, match=r"classes must be (some of|at least 0)"):
        only_classes(load_digits(), classes)

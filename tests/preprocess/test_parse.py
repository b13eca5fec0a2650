"""The contract that every transform keeps, and the text that names it."""

import subprocess
import sys

import numpy as np
import pytest

from voxtrail.errors import OptionError
from voxtrail.preprocess import (
    TRANSFORMS,
    Clahe,
    MinMax,
    Window,
    WindowClahe,
    describe,
    parse_preprocess,
)


@pytest.fixture(params=sorted(TRANSFORMS.members()))
def transform(request):
    return TRANSFORMS.parse(request.param)


class TestContract:
    @pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint8, np.float32, np.float64])
    def test_grey_levels_are_float32_between_0_and_1(self, transform, dtype):
        hu = np.random.default_rng(1).normal(100, 30, (2, 21, 13)).astype(dtype)
        before = hu.copy()
        grey = transform.apply(hu)
        assert (grey.shape, grey.dtype) == (hu.shape, np.float32)
        assert grey.min() >= 0
        assert grey.max() <= 1
        np.testing.assert_array_equal(hu, before)

    @pytest.mark.parametrize("shape", [(1, 1, 1), (1, 2, 3), (2, 9, 1)])
    def test_small_slices_do(self, transform, shape):
        hu = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
        assert transform.apply(hu).shape == shape

    def test_views_that_run_backwards_do(self, transform):
        hu = np.random.default_rng(2).normal(100, 300, (13, 21, 3))
        view = hu.transpose(2, 1, 0)[:, ::-1, ::-1]
        np.testing.assert_array_equal(transform.apply(view), transform.apply(view.copy()))

    def test_it_is_described_as_it_is_parsed(self, transform):
        assert parse_preprocess(describe(transform)) == transform


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bone", Window(400, 1800)),
        (" Lung ", Window(-600, 1500)),
        ("-600,1500", Window(-600, 1500)),
        ("37.5,80", Window(37.5, 80)),
        ("none", MinMax()),
        ("clahe", Clahe()),
        ("clahe:clip_limit=0.02,tiles=4", Clahe(0.02, 4)),
        ("bone+clahe", WindowClahe()),
        ("40,400+clahe", WindowClahe(40, 400)),
        ("window-clahe:clip_limit=0.02", WindowClahe(clip_limit=0.02)),
    ],
)
def test_what_a_person_writes(text, expected):
    assert parse_preprocess(text) == expected


@pytest.mark.parametrize(
    ("transform", "text"),
    [
        (Window(40, 400), "soft"),
        (Window(-100.25, 1e6), "-100.25,1000000"),
        (WindowClahe(), "bone+clahe"),
        (WindowClahe(37.5, 80), "37.5,80+clahe"),
        (MinMax(), "none"),
        (Clahe(), "clahe"),
    ],
)
def test_the_shortest_text(transform, text):
    assert describe(transform) == text


@pytest.mark.parametrize(
    "transform",
    [
        Window(1 / 3, 1e300),
        Window(1e-7, 2),
        WindowClahe(10, 20, 0.5, 3),
        Clahe(1.0, 1),
    ],
)
def test_unusual_settings_survive_their_text(transform):
    assert parse_preprocess(describe(transform)) == transform


@pytest.mark.parametrize("text", ["", "bones", "400", "1,2,3", "none+clahe", "a,b", "bone+CLAHE2"])
def test_an_unknown_name_lists_the_valid_ones(text):
    with pytest.raises(OptionError) as raised:
        parse_preprocess(text)
    assert "bone, soft, lung, brain, LEVEL,WIDTH, none, clahe" in str(raised.value)


@pytest.mark.parametrize("text", ["400,0", "400,-1", "nan,5", "clahe:tiles=0", "clahe:size=1"])
def test_a_value_that_does_not_fit_is_refused(text):
    with pytest.raises(OptionError):
        parse_preprocess(text)


def test_importing_is_light():
    code = (
        "import sys, voxtrail.preprocess, voxtrail.metrics, voxtrail.baselines;"
        "print([m for m in ('scipy', 'skimage', 'SimpleITK', 'matplotlib', 'torch')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

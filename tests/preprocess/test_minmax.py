import numpy as np

from voxtrail.preprocess.minmax import MinMax


def test_the_range_is_that_of_the_whole_volume():
    hu = np.zeros((2, 2, 2))
    hu[0, 0, 0], hu[1, 1, 1] = -1000, 3000
    grey = MinMax().apply(hu)
    # The same 0 HU is the same grey on both slices, although each slice has a range of its own.
    assert grey[0, 1, 1] == grey[1, 0, 0] == np.float32(0.25)


def test_a_range_wider_than_its_integer_type_does_not_overflow():
    hu = np.array([[[-32768, 32767]]], dtype=np.int16)
    np.testing.assert_array_equal(MinMax().apply(hu), [[[0, 1]]])


def test_one_value_throughout_is_black():
    assert not MinMax().apply(np.full((2, 3, 4), 7)).any()

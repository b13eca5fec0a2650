"""Arrays on the wire, against the client's own code."""

from __future__ import annotations

import struct
from random import Random

import blosc2
import numpy as np
import pytest
from nnInteractive.inference.remote.serialization import pack_array, unpack_array

from voxtrail.errors import ImageError
from voxtrail.serve.nninteractive.pack import (
    DATA_TYPES,
    beginning,
    header,
    pack,
    promised,
    unpack,
)

MAX = 10**6


def array(dtype: str = "int16", shape=(3, 4, 5)) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 2, shape).astype(dtype) * 3


@pytest.mark.parametrize("dtype", DATA_TYPES)
def test_the_client_reads_what_is_packed_and_its_arrays_are_read(dtype):
    given = array(dtype)
    np.testing.assert_array_equal(unpack_array(pack(given)), given, strict=True)
    np.testing.assert_array_equal(
        unpack(pack_array(given), axes=3, max_bytes=MAX), given, strict=True
    )


@pytest.mark.parametrize("codec", [blosc2.Codec.ZSTD, blosc2.Codec.LZ4])
def test_both_codecs_and_views_that_are_not_contiguous(codec):
    given = array(shape=(6, 5, 4))[::2, :, ::-1]
    sent = pack_array(given, codec=codec)
    np.testing.assert_array_equal(unpack(sent, axes=3, max_bytes=MAX), given)
    np.testing.assert_array_equal(unpack_array(pack(given)), given)


def test_several_chunks(monkeypatch):
    given = array(shape=(7, 11, 13))
    monkeypatch.setattr("nnInteractive.inference.remote.serialization._CHUNK_SIZE", 100)
    sent = pack_array(given)
    np.testing.assert_array_equal(unpack(sent, axes=3, max_bytes=MAX), given)
    monkeypatch.setattr("voxtrail.serve.nninteractive.pack.CHUNK_BYTES", 100)
    np.testing.assert_array_equal(unpack_array(pack(given)), given)


def test_how_an_array_begins_is_known_before_its_content(monkeypatch):
    given = array(shape=(7, 11, 13))
    for chunk_bytes in (2**30, 100):
        monkeypatch.setattr("voxtrail.serve.nninteractive.pack.CHUNK_BYTES", chunk_bytes)
        start = beginning(given.shape, given.dtype)
        assert len(start) == 49
        assert pack(given).startswith(start)
    assert promised(pack(given), axes=3) == (given.shape, given.nbytes)


def test_a_header_that_promises_terabytes_takes_no_memory():
    sent = header((2**20, 2**20, 2**20), np.dtype("float64"), 1)
    with pytest.raises(ImageError, match="too large"):
        unpack(sent + bytes(48), axes=3, max_bytes=MAX)


def test_a_bomb_is_refused_before_it_is_unpacked():
    zeros = np.zeros((200, 200, 200), np.uint8)
    assert len(pack(zeros)) < 1000
    with pytest.raises(ImageError, match="too large"):
        unpack(pack(zeros), axes=3, max_bytes=MAX)


def test_what_a_frame_says_has_to_be_what_the_header_says():
    large, small = pack(np.zeros((100, 100, 100), np.uint8)), np.zeros((10, 10, 10), np.uint8)
    head = header(small.shape, small.dtype, 1)
    frame = large[len(head) + 16 :]
    lying = head + struct.pack("<QQ", small.nbytes, len(frame)) + frame
    with pytest.raises(ImageError, match="whose frame says 1000000"):
        unpack(lying, axes=3, max_bytes=MAX)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"NNIA",
        b"NIFTI" * 20,
        struct.pack("<4sBBBB", b"NNIA", 2, 1, 3, 5) + bytes(60),
        struct.pack("<4sBBBB", b"NNIA", 1, 9, 3, 5) + bytes(60),
        struct.pack("<4sBBBB", b"NNIA", 1, 1, 255, 5) + b"uint8" + bytes(3000),
        struct.pack("<4sBBBB", b"NNIA", 1, 1, 3, 6) + b"object" + bytes(60),
        struct.pack("<4sBBBB", b"NNIA", 1, 1, 3, 255) + b"uint8",
        header((0, 4, 5), np.dtype("uint8"), 1) + bytes(60),
        header((-1, -4, 5), np.dtype("uint8"), 1) + bytes(60),
        header((3, 4, 5), np.dtype("uint8"), 2**32 - 1) + bytes(60),
    ],
)
def test_other_things_are_refused(sent):
    with pytest.raises(ImageError):
        unpack(sent, axes=3, max_bytes=MAX)


def test_cut_off_anywhere_it_is_refused():
    sent = pack(array())
    for length in range(len(sent)):
        with pytest.raises(ImageError):
            unpack(sent[:length], axes=3, max_bytes=MAX)
    with pytest.raises(ImageError):
        unpack(sent + b"\0", axes=3, max_bytes=MAX)


def test_damaged_anywhere_it_is_refused_or_gives_an_array_of_its_shape():
    random = Random(0)
    noise = np.random.default_rng(1).integers(-1000, 1000, (20, 21, 22)).astype(np.int16)
    sent = pack(noise)
    for _ in range(500):
        damaged = bytearray(sent)
        for _ in range(random.choice((1, 3, 20))):
            damaged[random.randrange(len(damaged))] = random.randrange(256)
        try:
            found = unpack(bytes(damaged), axes=3, max_bytes=MAX)
        except ImageError:
            continue
        assert found.nbytes <= MAX

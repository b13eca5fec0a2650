"""Small harm done to bytes, such as disks, networks, broken tools and people do it."""

from __future__ import annotations

import gzip
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from random import Random

#: Numbers at which code that trusts a header goes wrong.
INTEGERS = (
    0, 1, -1, 2, 7, 8, 9, 127, 128, 255, 256, 1000, 32767, -32768, 65535, 65536, 100_000,
    2**24, 2**31 - 1, -(2**31), 2**32 - 1, 2**40, 2**63 - 1, -(2**63),
)  # fmt: skip
FLOATS = (
    0.0, -0.0, 1.0, -1.0, 1e-30, 1e-300, 1e10, 1e30, 1e300, 65535.5, float("nan"), float("inf"),
    float("-inf"),
)  # fmt: skip
WORDS = (
    b"", b"0", b"-1", b"1", b"3", b"99999", b"4294967296", b"18446744073709551616", b"1e400",
    b"-1e400", b"nan", b"inf", b"0x10", b"1e-320", b"3.5", b"9" * 400, b"[" * 3000, b"{}", b"[]",
    b"null", b"true", b'"', b"\0", b"\xff\xfe", b"../../x", b"/etc/passwd", b"/dev/zero",
    b"/dev/stdin", b"none", b"raw", b"gzip", b"bzip2", b"float", b"uchar", b"double",
    b"MET_DOUBLE", b"LIST", b"%d", b"\n", b"\r\n", b",", b";", "骨".encode(),
)  # fmt: skip

_TOKEN = re.compile(rb"[A-Za-z_]{2,24}|[-+]?\d[\d.eE+-]*")

Mutation = Callable[[bytearray, Random], None]


def mutated(data: bytes, random: Random, other: bytes) -> bytes:
    """Return damaged bytes; inside gzip and zip half of the time, so that the reader is reached.

    Parameters
    ----------
    data
        A whole file.
    random
        Decides everything.
    other
        A file of another kind, pieces of which are put in.
    """
    if data[:2] == b"\x1f\x8b" and random.random() < 0.7:
        return gzip.compress(_damaged(gzip.decompress(data), random, other), 1, mtime=0)
    if data[:4] == b"PK\x03\x04" and random.random() < 0.7:
        return _zip(data, random, other)
    if data[:3] == b"NRR" and random.random() < 0.5 and b"\n\n" in data:
        return _nrrd(data, random, other)
    return _damaged(data, random, other)


def _damaged(data: bytes, random: Random, other: bytes) -> bytes:
    damaged = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
        if random.random() < 0.05:
            start = random.randrange(len(other) or 1)
            piece = other[start : start + random.choice((4, 64, 1024))]
            place = _place(damaged, random)
            damaged[place : place + len(piece)] = piece
        else:
            random.choice(MUTATIONS)(damaged, random)
    return bytes(damaged)


def _nrrd(data: bytes, random: Random, other: bytes) -> bytes:
    """Harm the header alone, so that the voxels stay whole, or the voxels under their gzip."""
    header, voxels = data.split(b"\n\n", 1)
    if random.random() < 0.7 or voxels[:2] != b"\x1f\x8b":
        return _damaged(header, random, other) + b"\n\n" + voxels
    inner = zlib.decompressobj(31).decompress(voxels)
    return header + b"\n\n" + gzip.compress(_damaged(inner, random, other), 1, mtime=0)


def _zip(data: bytes, random: Random, other: bytes) -> bytes:
    """Harm one member, its name, or leave it out; the rest of the archive stays whole."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(result, "w") as new:
        members = old.infolist()
        chosen = random.randrange(len(members))
        for number, member in enumerate(members):
            name, content = member.filename, old.read(member)
            if number == chosen:
                harm = random.random()
                if harm < 0.1:
                    continue
                if harm < 0.3:
                    name = random.choice(("../../x", "/etc/x", "a\\..\\b", "x" * 300, "é", "d/"))
                else:
                    content = _damaged(content, random, other)
            new.writestr(zipfile.ZipInfo(name), content, random.choice((0, 8)))
    return result.getvalue()


def _place(data: bytearray, random: Random) -> int:
    """Return an offset, half of the time where headers are."""
    size = max(len(data), 1)
    return random.randrange(min(size, 1024) if random.random() < 0.5 else size)


def _flip(data: bytearray, random: Random) -> None:
    if data:
        data[_place(data, random)] ^= 1 << random.randrange(8)


def _byte(data: bytearray, random: Random) -> None:
    if data:
        data[_place(data, random)] = random.randrange(256)


def _integer(data: bytearray, random: Random) -> None:
    size = random.choice((2, 4, 8))
    value = random.choice(INTEGERS) % 2 ** (8 * size)
    place = _place(data, random)
    data[place : place + size] = value.to_bytes(size, random.choice(("little", "big")))


def _real(data: bytearray, random: Random) -> None:
    kind = random.choice(("<f", "<d", ">f", ">d"))
    value = random.choice(FLOATS)
    if kind[1] == "f" and abs(value) > 3e38:
        value = float("inf")
    packed = struct.pack(kind, value)
    place = _place(data, random)
    data[place : place + len(packed)] = packed


def _cut(data: bytearray, random: Random) -> None:
    del data[_place(data, random) :]


def _drop(data: bytearray, random: Random) -> None:
    place = _place(data, random)
    del data[place : place + random.choice((1, 2, 4, 16, 256, 4096))]


def _repeat(data: bytearray, random: Random) -> None:
    place = _place(data, random)
    piece = data[place : place + random.choice((1, 4, 16, 64, 1024))]
    data[place:place] = piece * random.choice((1, 2, 50))


def _insert(data: bytearray, random: Random) -> None:
    place = _place(data, random)
    data[place:place] = random.randbytes(random.choice((1, 2, 4, 32)))


def _zeros(data: bytearray, random: Random) -> None:
    place = _place(data, random)
    size = random.choice((4, 32, 512))
    data[place : place + size] = bytes([random.choice((0, 255))]) * size


def _word(data: bytearray, random: Random) -> None:
    """Put another word or number in the place of one: of text, which is where these are."""
    tokens = list(_TOKEN.finditer(data[:4096]))
    if tokens:
        chosen = random.choice(tokens)
        words = (*WORDS, random.choice(tokens)[0])
        data[chosen.start() : chosen.end()] = random.choice(words)


def _line(data: bytearray, random: Random) -> None:
    """Repeat, drop or exchange lines."""
    lines = bytes(data).split(b"\n")
    if len(lines) > 1:
        first, second = random.randrange(len(lines)), random.randrange(len(lines))
        harm = random.randrange(3)
        if harm == 0:
            lines.insert(first, lines[second])
        elif harm == 1:
            del lines[first]
        else:
            lines[first], lines[second] = lines[second], lines[first]
        data[:] = b"\n".join(lines)


MUTATIONS: tuple[Mutation, ...] = (
    _flip, _byte, _integer, _integer, _real, _cut, _drop, _repeat, _insert, _zeros, _word, _word,
    _word, _line,
)  # fmt: skip

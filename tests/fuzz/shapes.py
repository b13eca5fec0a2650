"""Files of the right form with the wrong content, as Hypothesis strategies.

Harm done to bytes seldom gets past a checksum, a parser or a first test. These files are built
from the form that each reader expects: JSON that follows the schema but for a value here and
there, headers whose fields are all there, manifests whose checksums fit. One function a form; each
takes the whole file that it stands in for and returns a strategy of bytes.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from random import Random
from typing import Any

import nibabel as nib
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.mutations import FLOATS, INTEGERS
from voxtrail.datasets import manifest
from voxtrail.datasets.bones import BONE_TYPES

Form = Callable[[bytes], st.SearchStrategy[bytes]]

#: What a random draw may take of randomness: more than the largest of these files needs.
_DRAW_BYTES = 16_384

_INTEGERS = st.sampled_from(INTEGERS) | st.integers(-3, 20)
_NUMBERS = _INTEGERS | st.sampled_from(FLOATS) | st.floats(-5, 25)
_TEXTS = st.sampled_from(
    (
        "",
        " ",
        "axial",
        "1",
        "-1",
        "hip_left",
        "x" * 300,
        "../x",
        "a/b",
        "a\0b",
        "\ud800",
        "骨",
        "%s",
    )
) | st.text("ab1 ,:;/.-\0\n骨", max_size=4)
_ANYTHING = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=6,
)


def drawn(form: Form, whole: bytes, random: Random) -> bytes:
    """Return one file of a form, which ``random`` alone decides."""
    found: list[bytes] = []

    @given(form(whole))
    def keep(content: bytes) -> None:
        found.append(content)

    while not found:  # a draw that asks for too much randomness gives nothing
        keep.hypothesis.fuzz_one_input(random.randbytes(_DRAW_BYTES))
    return found[0]


def mostly(good: st.SearchStrategy[Any], bad: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return what is good, and one time in sixteen what is bad."""
    return st.integers(0, 15).flatmap(lambda number: good if number else bad)


def prompts_json(whole: bytes) -> st.SearchStrategy[bytes]:
    """Prompts as `voxtrail.io.prompts.document` describes them, for the scan of the whole file."""
    document = json.loads(whole)
    grid = document["grid"]

    def entry(marks: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
        keys = {
            "label": mostly(st.integers(1, 3), _ANYTHING),
            "axis": mostly(st.sampled_from(("axial", "axial", "coronal", "sagittal")), _ANYTHING),
            "slice": mostly(st.integers(0, 8), _ANYTHING),
        }
        return _holed(keys | marks)

    size = next(one["mask_rle"]["shape_xy"] for one in document["prompts"] if "mask_rle" in one)
    pixels = size[0] * size[1]
    runs = st.builds(
        lambda start, length: [start, length, max(pixels - start - length, 0)],
        st.integers(0, pixels), st.integers(0, 9),
    )  # fmt: skip
    mask = {
        "shape_xy": mostly(st.just(size), st.lists(_INTEGERS, max_size=3)),
        "counts": mostly(runs, st.lists(_INTEGERS, max_size=6)),
    }
    point = st.lists(mostly(st.integers(0, 7), _NUMBERS), min_size=2, max_size=2)
    signs = st.lists(mostly(st.booleans(), _ANYTHING), min_size=2, max_size=2)
    box = st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(4, 8), st.integers(4, 8))
    entries = mostly(
        st.one_of(
            entry({"box_xyxy": mostly(box.map(list), st.lists(_NUMBERS, max_size=5))}),
            entry({"points_xy": mostly(st.lists(point, min_size=2, max_size=2), _ANYTHING),
                   "positive": mostly(signs, _ANYTHING)}),
            entry({"mask_rle": mostly(_holed(mask), _ANYTHING)}),
        ),
        _ANYTHING,
    )  # fmt: skip
    numbers = mostly(st.sampled_from(("1", "2", "3")), st.sampled_from(("0", "70000", "x")))
    names = mostly(st.sampled_from(("hip_left", "骨", "b")), _TEXTS)
    labels = st.dictionaries(numbers, names, max_size=3)
    affine = st.lists(st.lists(_NUMBERS, min_size=4, max_size=4), min_size=4, max_size=4)
    documents = _holed({
        "format": mostly(st.just("voxtrail-prompts/1"), _ANYTHING),
        "grid": mostly(
            st.just(grid),
            _holed({"shape": st.lists(_INTEGERS, max_size=4), "affine": affine | _ANYTHING}),
        ),
        "labels": mostly(labels, _ANYTHING),
        "prompts": mostly(st.lists(entries, min_size=1, max_size=5), _ANYTHING),
    })  # fmt: skip
    times = mostly(st.just(1), st.sampled_from((1000, 100_001, 1_000_000)))
    return st.builds(_repeated, documents, times)


def _repeated(document: dict[str, Any], times: int) -> bytes:
    """Write a document; its last prompt stands there ``times`` times."""
    prompts = document.get("prompts")
    if times == 1 or not isinstance(prompts, list) or not prompts:
        return _json(document)
    last = json.dumps(prompts[-1])[: 100_000_000 // times]
    text = json.dumps({**document, "prompts": ["HERE"]})
    return text.replace('"HERE"', ",".join([last] * times)).encode("utf-8", "surrogatepass")


def study_json(whole: bytes) -> st.SearchStrategy[bytes]:
    """A study's account of itself."""
    account = json.loads(whole)
    return _altered(account).map(_json)


def nifti(whole: bytes) -> st.SearchStrategy[bytes]:
    """A NIfTI file, some fields of whose header are others."""
    data = gzip.decompress(whole)
    header = nib.Nifti1Header(data[:348], check=False)

    def build(changes: dict[str, list[Any]]) -> bytes:
        changed = header.copy()
        for name, numbers in changes.items():
            field = changed[name]
            flat = np.resize(np.array(numbers, np.float64), field.size)
            with np.errstate(all="ignore"):
                if field.dtype.kind in "iu":
                    info = np.iinfo(field.dtype)
                    flat = np.clip(np.nan_to_num(flat), info.min, info.max)
                changed[name] = flat.astype(field.dtype).reshape(field.shape)
        return gzip.compress(changed.binaryblock + data[348:], 1, mtime=0)

    numeric = [name for name in header if header[name].dtype.kind in "iuf"]
    numbers = st.lists(_NUMBERS, min_size=1, max_size=8)
    return st.dictionaries(st.sampled_from(numeric), numbers, min_size=1, max_size=4).map(build)


def nrrd(whole: bytes) -> st.SearchStrategy[bytes]:
    """An NRRD file with other values in its header, each of a kind that some field takes."""
    head, voxels = whole.split(b"\n\n", 1)
    lines = head.decode("ascii").split("\n")
    vectors = st.lists(st.lists(_NUMBERS, min_size=1, max_size=4), min_size=1, max_size=4)
    values = st.one_of(
        st.lists(_NUMBERS, min_size=1, max_size=5).map(lambda many: " ".join(map(str, many))),
        vectors.map(lambda many: " ".join(f"({','.join(map(str, one))})" for one in many)),
        st.sampled_from((
            "none", "gzip", "raw", "ascii", "hex", "bzip2", "short", "double", "block", "uint64",
            "left-posterior-superior", "right-anterior-superior", "scanner-xyz", "little", "big",
            "domain domain domain", "???", "list domain domain domain", "../x", "LIST",
        )),
    )  # fmt: skip

    def build(changes: dict[int, str], twice: bool) -> bytes:
        changed = list(lines)
        for number, value in changes.items():
            name, sign, _ = lines[number].partition(": ")
            new = f"{name}{sign or ': '}{value}"
            changed[number] = f"{lines[number]}\n{new}" if twice else new
        return "\n".join(changed).encode() + b"\n\n" + voxels

    places = st.integers(1, len(lines) - 1)
    return st.builds(
        build,
        st.dictionaries(places, values, min_size=1, max_size=3),
        mostly(st.just(False), st.just(True)),
    )


def manifest_csv(whole: bytes) -> st.SearchStrategy[bytes]:
    """A manifest whose checksums fit, whatever its rows say."""
    rows = [row[:-1] for row in csv.reader(io.StringIO(whole.decode()))][1:]
    triples = st.lists(_INTEGERS, min_size=2, max_size=4)
    text = st.one_of(
        _TEXTS,
        _NUMBERS.map(str),
        st.sampled_from([bone.classes[0] for bone in BONE_TYPES]),
        triples.map(lambda many: " ".join(map(str, many))),
        triples.map(lambda many: " ".join(f"{one}:{one + 3}" for one in many)),
    ).map(lambda value: value.encode("utf-8", "replace").decode())
    changed = st.fixed_dictionaries(
        {"row": st.sampled_from(rows), "at": st.integers(0, len(rows[0]) - 1), "to": text}
    ).map(lambda draw: [*draw["row"][: draw["at"]], draw["to"], *draw["row"][draw["at"] + 1 :]])

    def build(many: list[list[str]]) -> bytes:
        out = io.StringIO()
        lines = csv.writer(out, lineterminator="\n")
        lines.writerow([*manifest.COLUMNS, manifest.CHECKSUM])
        for row, checksum in zip(many, manifest._chain(many), strict=True):
            lines.writerow([*row, checksum])
        return out.getvalue().encode()

    return st.lists(st.sampled_from(rows) | changed, min_size=1, max_size=3).map(build)


def cases_csv(whole: bytes) -> st.SearchStrategy[bytes]:
    """A table of cases with options of all kinds, some in their ranges."""
    (head, first, *_) = csv.reader(io.StringIO(whole.decode()))
    # Of each the first is in its range.
    options = {
        "memory": ("recent:k=6", "recent:k=0", "recent:k=-1", "gate:k=999999999"),
        "prompt-memory": ("all", "near:tau=nan", "near:tau=1e400", "closest:n=0"),
        "axes": ("axial,coronal", "axial,axial", ",", "oblique"),
        "window": ("soft", "0,0", "nan,1", "1e308,1e308", "clahe:tiles=0"),
        "roi": (":,:,:", "0:3,0:3,0:9", "3:1,:,:", "0:99999999999,:,:", "-1:,:,:"),
        "margin": ("5", "0", "-1", "nan", "inf", "1e308", "1e400", "9" * 400),
        "crop": ("label", "all", "", "none "),
        "direction": ("both", "forward", "back"),
        "extent": ("object", "all", "some"),
        "overlay": ("a.png", "b.gif", "../c.png", "x" * 300 + ".png", "A.PNG"),
        "uncertainty": ("u.nii.gz", "a.nii.gz", "u.txt", "../u.nii.gz"),
        "probabilities": ("p.nii.gz", "a.nii.gz", "p.txt", "/dev/full.nii.gz"),
        "resolution": ("64",),  # no column
    }

    def build(chosen: list[str], rows: list[dict[str, str]]) -> bytes:
        out = io.StringIO()
        lines = csv.writer(out, lineterminator="\n")
        chosen = ["output", *chosen]
        names = [*head[:2], *chosen]
        lines.writerow(names)
        for row in rows:
            lines.writerow([*first[:2], *(row[name] for name in chosen)])
        return out.getvalue().encode("utf-8", "replace")

    values = {
        name: mostly(st.just(good), st.sampled_from((good, *bad)) | _TEXTS)
        for name, (good, *bad) in options.items()
    }
    values["output"] = mostly(st.sampled_from(("a", "b.nii", "c.seg.nrrd", "d.glb")), _TEXTS)
    common = st.sampled_from([name for name in sorted(options) if name != "resolution"])
    chosen = st.lists(mostly(common, st.just("resolution")), min_size=1, max_size=4, unique=True)
    rows = st.lists(st.fixed_dictionaries(values), min_size=1, max_size=2)
    return st.builds(build, chosen, rows)


def _holed(keys: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Return dictionaries of these keys, of which now and then one is not there or is too many."""

    def build(values: dict[str, Any], lost: str | None) -> dict[str, Any]:
        return {name: value for name, value in values.items() if name != lost}

    odd = st.sampled_from((*keys, "more"))
    extra = keys | {"more": _ANYTHING}
    whole = st.builds(build, st.fixed_dictionaries(keys), st.none())
    return mostly(whole, st.builds(build, st.fixed_dictionaries(extra), odd))


def _altered(value: Any) -> st.SearchStrategy[Any]:
    """Return JSON values like this one, in which few parts are others."""
    if isinstance(value, dict):
        return _holed({key: mostly(_altered(item), _ANYTHING) for key, item in value.items()})
    if isinstance(value, list):
        return st.tuples(*(mostly(_altered(item), _ANYTHING) for item in value)).map(list)
    return st.just(value)


def _json(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")

"""Outlined slices as label map and as JSON: the same in every axis order, and back."""

import json

import numpy as np
import pytest

import voxtrail.io as vio
from voxtrail.core.axis import Axis
from voxtrail.core.grid import Grid
from voxtrail.core.prompts import BoxPrompt, MaskPrompt, PointPrompt, Prompts
from voxtrail.core.slice_frame import SliceFrame
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.errors import GridError, ImageError, OutputError, PromptError


def same(first: Prompts, second: Prompts) -> None:
    key = lambda prompt: (prompt.label, prompt.axis.value, prompt.slice_index)  # noqa: E731
    ours, theirs = sorted(first.prompts, key=key), sorted(second.prompts, key=key)
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        if isinstance(mine, MaskPrompt):
            assert key(mine) == key(other)
            np.testing.assert_array_equal(mine.mask, other.mask)
        else:
            assert mine == other


def drawn(stored) -> Prompts:
    """Masks, boxes and points on all axes of a 5 x 6 x 7 canonical grid."""
    rng = np.random.default_rng(1)
    canonical = stored.canonical().shape
    prompts = []
    for axis in Axis:
        slices, rows, columns = Axis.to_stack(axis, np.empty(canonical)).shape
        prompts += [
            MaskPrompt(1, axis, slices - 1, rng.random((rows, columns)) < 0.4),
            MaskPrompt(2, axis, 1, np.zeros((rows, columns), bool)),
            BoxPrompt(3, axis, 0, (0, 1, columns - 2, rows - 1)),
            PointPrompt(4, axis, 2, ((0, 1), (columns - 1, 0.5)), (True, False)),
        ]
    return Prompts(tuple(prompts), stored, {1: "hip left", 4: "Kreuzbein ü"})


def test_json_and_back_in_every_axis_order(voxels, affine, order, reordered, tmp_path):
    stored = Volume.from_stored(*reordered(voxels, affine, order))
    prompts = drawn(stored.stored)
    vio.write_prompts(prompts, tmp_path / "prompts.json")
    read = vio.read_prompts(tmp_path / "prompts.json", like=stored)
    same(read, prompts)
    assert read.names == prompts.names
    assert read.labels() == (1, 2, 3, 4)


def test_prompts_as_stored_mean_the_same_in_every_axis_order(
    voxels, affine, order, reordered, tmp_path
):
    """The stored prompts are worked out here from the stored array, by the format's definition."""
    first = Volume.from_stored(voxels, affine)
    scan = Volume.from_stored(*reordered(voxels, affine, order))
    array = scan.to_stored()
    for axis in Axis:
        pixels = axis.to_stack(first.voxels)[2]  # (row, column)
        low = pixels < 0
        corner_a, corner_b, click = pixels[1, 1], pixels[3, 4], pixels[0, 2]
        where = np.isin(array, pixels)
        along = next(a for a in range(3) if len(np.unique(np.nonzero(where)[a])) == 1)
        index = int(np.nonzero(where)[along][0])
        flat = array.take(index, axis=along)  # (x, y)
        xy = {int(v): [int(n) for n in np.argwhere(flat == v)[0]] for v in flat.ravel()}
        a, b = xy[int(corner_a)], xy[int(corner_b)]
        runs, last = [0], False
        for value in (flat < 0).T.ravel():  # x fastest
            if value != last:
                runs.append(0)
                last = value
            runs[-1] += 1
        place = {"axis": axis.label, "slice": index}
        document = {
            "format": "voxtrail-prompts/1",
            "prompts": [
                {"label": 1, **place, "mask_rle": {"shape_xy": list(flat.shape), "counts": runs}},
                {
                    "label": 2,
                    **place,
                    "box_xyxy": [
                        min(a[0], b[0]),
                        min(a[1], b[1]),
                        max(a[0], b[0]),
                        max(a[1], b[1]),
                    ],
                },
                {"label": 3, **place, "points_xy": [xy[int(click)]], "positive": [True]},
            ],
        }
        path = tmp_path / f"{axis.label}.json"
        path.write_text(json.dumps(document))
        expected = Prompts(
            (
                MaskPrompt(1, axis, 2, low),
                BoxPrompt(2, axis, 2, (1, 1, 4, 3)),
                PointPrompt(3, axis, 2, ((2, 0),), (True,)),
            ),
            scan.stored,
        )
        same(vio.read_prompts(path, like=scan), expected)


def test_a_label_map_in_every_axis_order(voxels, labels, affine, order, reordered, tmp_path):
    first = Volume.from_stored(voxels, affine)
    vio.write(labels, tmp_path / "first.nii.gz")
    expected = vio.read_prompts(tmp_path / "first.nii.gz", like=first)
    # Stored k runs upwards here, so slices 1 and 4 are those drawn in the fixture.
    assert [(p.label, p.slice_index) for p in expected.prompts] == [(1, 1), (2, 4), (7, 4)]
    assert all(p.axis is Axis.AXIAL for p in expected.prompts)
    stored, moved = reordered(labels.to_stored(), affine, order)
    vio.write(LabelMap.from_stored(stored, moved), tmp_path / "labels.nii.gz")
    scan = Volume.from_stored(*reordered(voxels, affine, order))
    read = vio.read_prompts(tmp_path / "labels.nii.gz", like=scan)
    same(read, expected)
    vio.write_prompts(read, tmp_path / "again.nii.gz")
    same(vio.read_prompts(tmp_path / "again.nii.gz", like=scan), expected)


@pytest.fixture
def parse(scan, tmp_path):
    """Read prompts that a JSON value (or a text) describes, on the fixture's scan."""

    def read(document):
        path = tmp_path / "prompts.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return vio.read_prompts(path, like=scan)

    return read


def one(**changes):
    """A document with one good axial mask prompt (5 x 6 pixels), changed; None takes a key out."""
    entry = {
        "label": 1,
        "axis": "axial",
        "slice": 3,
        "mask_rle": {"shape_xy": [5, 6], "counts": [0, 30]},
    } | changes
    entry = {key: value for key, value in entry.items() if value is not None}
    return {"format": "voxtrail-prompts/1", "prompts": [entry]}


def mask(counts, shape=(5, 6)):
    return one(mask_rle={"shape_xy": list(shape), "counts": counts})


def box(*corners):
    return one(mask_rle=None, box_xyxy=list(corners))


def points(xy, positive):
    return one(mask_rle=None, points_xy=xy, positive=positive)


def twice():
    document = one()
    return document | {"prompts": document["prompts"] * 2}


def nested(depth):
    return "[" * depth + "]" * depth


REFUSED = {
    "not JSON": ("{", "not JSON"),
    "a list": ([], "unknown format.*received: list"),
    "another format": (one() | {"format": "voxtrail-prompts/2"}, "unknown format.*prompts/2"),
    "unknown key": (one() | {"promts": []}, "unknown keys.*promts"),
    "key twice": ('{"format": "voxtrail-prompts/1", "format": "x"}', "occurs twice"),
    "NaN": ('{"format": NaN}', "NaN is not a number"),
    "deeply nested": (nested(100_000), "not JSON.*Recursion"),
    "no prompts": ({"format": "voxtrail-prompts/1", "prompts": []}, "no prompted slice"),
    "prompts missing": ({"format": "voxtrail-prompts/1"}, "no prompted slice"),
    "too many": (one() | {"prompts": [1] * 100_001}, "too many prompts.*100001"),
    "an entry of text": (one() | {"prompts": ["x"]}, "prompt 0 is not an object"),
    "entry's unknown key": (one(colour="red"), "unknown keys.*colour"),
    "nothing drawn": (one(mask_rle=None), "unknown keys"),
    "two drawn": (one(box_xyxy=[0, 0, 1, 1]), "unknown keys"),
    "label 0": (one(label=0), "label of prompt 0.*received: 0"),
    "negative label": (one(label=-1), "received: -1"),
    "fractional label": (one(label=1.5), "received: 1.5"),
    "bool label": (one(label=True), "received: True"),
    "large label": (one(label=65536), "received: 65536"),
    "axis": (one(axis="oblique"), "axis of prompt 0 is unknown.*oblique"),
    "axis of a list": (one(axis=["axial"]), "axis of prompt 0 is unknown"),
    "slice beyond": (one(slice=7), "slice of prompt 0 is outside the scan; received: 7.*0 to 6"),
    "slice negative": (one(slice=-1), "outside the scan"),
    "slice of text": (one(slice="3"), "outside the scan"),
    "mask of wrong size": (mask([30], (6, 5)), r"wrong size.*\[6, 5\].*\[5, 6\]"),
    "runs short": (mask([0, 29]), "do not add up; received: runs of 29.*30"),
    "runs long": (mask([10**30]), "do not add up"),
    "negative run": (mask([40, -10]), "not run lengths"),
    "bool run": (mask([True, 29]), "not run lengths"),
    "mask without counts": (one(mask_rle={"shape_xy": [5, 6]}), "shape_xy and counts"),
    "mask of text": (one(mask_rle="0 30"), "shape_xy and counts.*received: str"),
    "box reversed": (box(3, 0, 1, 2), "reversed"),
    "box outside": (box(0, 0, 5, 2), "outside the slice.*x 0 to 4, y 0 to 5"),
    "box of three": (box(0, 0, 1), "not a box"),
    "box of text": (box(0, 0, "1", 1), "not a position"),
    "box of infinity": (json.dumps(box(0, 0, 7e7, 1)).replace("7", "9" * 400), "outside"),
    "no points": (points([], []), "at least one point"),
    "point outside": (points([[0, 6]], [True]), "outside the slice"),
    "point of one": (points([[0]], [True]), "not a position"),
    "positive short": (points([[0, 0], [1, 1]], [True]), "positive.*2 times"),
    "positive of numbers": (points([[0, 0]], [1]), "positive"),
    "twice in one place": (twice(), "second one.*label 1, axial slice 3"),
    "names of a list": (one() | {"labels": ["hip"]}, "labels of the prompts"),
    "name of no label": (one() | {"labels": {"one": "hip"}}, "received: one"),
    "name of label 0": (one() | {"labels": {"0": "hip"}}, "received: 0"),
    "name with a leading zero": (one() | {"labels": {"01": "hip"}}, "received: 01"),
    "name of two lines": (one() | {"labels": {"1": "a\nb"}}, "not a name"),
    "name that is none": (one() | {"labels": {"1": 5}}, "not a name"),
    "grid of text": (one() | {"grid": "mine"}, "grid of the prompts"),
    "grid far away": (
        one() | {"grid": {"shape": [5, 6, 7], "affine": (np.eye(4) * 1e308).tolist()}},
        "beyond any scanner",
    ),
    "grid beyond count": (
        one() | {"grid": {"shape": [5, 6, 10**30], "affine": np.eye(4).tolist()}},
        "not a grid",
    ),
    "grid ragged": (one() | {"grid": {"shape": [1, 2, 3], "affine": [[1], []]}}, "not a grid"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_used_is_refused(case, parse):
    document, words = REFUSED[case]
    with pytest.raises(PromptError, match=words) as caught:
        parse(document)
    assert len(str(caught.value)) < 1000


def test_an_empty_mask_says_nothing_here(parse):
    (prompt,) = parse(mask([30])).prompts
    assert prompt.mask.shape == (6, 5)
    assert not prompt.mask.any()


def test_a_byte_order_mark_is_dropped(parse):
    assert parse("\ufeff" + json.dumps(one())).labels() == (1,)


def test_another_grid_is_refused_with_both(scan, labels, tmp_path):
    other = Volume.from_stored(np.zeros((4, 4, 4), np.int16), np.eye(4))
    vio.write(labels, tmp_path / "prompts.nii.gz")
    prompts = vio.read_prompts(tmp_path / "prompts.nii.gz", like=scan)
    vio.write_prompts(prompts, tmp_path / "prompts.json")
    for name in ("prompts.nii.gz", "prompts.json"):
        with pytest.raises(GridError) as caught:
            vio.read_prompts(tmp_path / name, like=other)
        assert "5 x 6 x 7 voxels" in str(caught.value)
        assert "4 x 4 x 4 voxels" in str(caught.value)


def test_files_that_are_not_there_or_hold_nothing_are_refused(scan, affine, tmp_path):
    with pytest.raises(PromptError, match="cannot be read"):
        vio.read_prompts(tmp_path / "absent.json", like=scan)
    with pytest.raises(ImageError, match="does not exist"):
        vio.read_prompts(tmp_path / "absent.nii.gz", like=scan)
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PromptError, match="UTF-8"):
        vio.read_prompts(tmp_path / "binary.json", like=scan)
    vio.write(LabelMap.from_stored(np.zeros((5, 6, 7), np.uint8), affine), tmp_path / "zero.nii")
    with pytest.raises(PromptError, match="no prompted slice"):
        vio.read_prompts(tmp_path / "zero.nii", like=scan)


def test_a_huge_file_is_refused_before_it_is_read(scan, tmp_path):
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate(257 * 2**20)  # sparse: takes no room on the disk
    with pytest.raises(PromptError, match=r"too large.*257 MiB"):
        vio.read_prompts(tmp_path / "huge.json", like=scan)


def test_a_label_map_refuses_what_it_cannot_hold(scan, tmp_path):
    full, empty = np.ones((6, 5), bool), np.zeros((6, 5), bool)
    voxel, upper = np.zeros((7, 5), bool), np.zeros((7, 6), bool)
    voxel[3, 2] = upper[:3] = True
    for words, *prompts in (
        ("boxes and clicks", BoxPrompt(1, Axis.AXIAL, 0, (0, 0, 1, 1))),
        ("an empty mask", MaskPrompt(1, Axis.AXIAL, 0, empty)),
        ("overlap", MaskPrompt(1, Axis.AXIAL, 0, full), MaskPrompt(2, Axis.AXIAL, 0, full)),
        # Every coronal slice in full could as well be any other.
        ("could not be told.*received: voxels on 7 axial, 6 coronal, 5 sagittal",
         *(MaskPrompt(1, Axis.CORONAL, n, np.ones((7, 5), bool)) for n in range(6))),
        # One voxel is taken as axial.
        ("others would be read", MaskPrompt(1, Axis.CORONAL, 2, voxel)),
        # The axial outline shows on the sagittal slice, where it was not drawn.
        ("others would be read", MaskPrompt(1, Axis.AXIAL, 3, full),
         MaskPrompt(1, Axis.SAGITTAL, 2, upper)),
    ):  # fmt: skip
        with pytest.raises(PromptError, match=f"{words}.*json"):
            vio.write_prompts(Prompts(tuple(prompts), scan.stored), tmp_path / "p.nii.gz")
    assert not list(tmp_path.iterdir())


def test_prompts_are_refused_an_unknown_suffix(scan, tmp_path):
    with pytest.raises(OutputError, match=r"\.json"):
        vio.write_prompts(drawn(scan.stored), tmp_path / "prompts.txt")


def test_masks_that_would_fill_the_memory_are_refused_before_they_are_unpacked(tmp_path):
    scan = Volume.from_stored(np.zeros((2048, 2048, 2), np.int8), np.eye(4))
    entry = one(slice=0, mask_rle={"shape_xy": [2048, 2048], "counts": [2048**2]})["prompts"][0]
    path = tmp_path / "many.json"
    path.write_text(json.dumps(one() | {"prompts": [entry | {"label": n} for n in range(1, 301)]}))
    with pytest.raises(PromptError, match=r"too much memory; received: 1\.172 GiB"):
        vio.read_prompts(path, like=scan)


def test_a_click_corrects_a_mask_or_a_box_on_its_slice(scan, tmp_path):
    """One mask or box and one entry of clicks in one place; no more of either."""
    frame = SliceFrame.of(scan.stored, Axis.AXIAL)
    rows, columns = frame.shape_rows_columns
    mask = np.zeros((rows, columns), bool)
    mask[1:3, 1:3] = True
    outline = MaskPrompt(1, Axis.AXIAL, 2, mask)
    box = BoxPrompt(2, Axis.AXIAL, 2, (0.0, 0.0, 2.0, 2.0))
    clicks = [PointPrompt(label, Axis.AXIAL, 2, ((1.0, 2.0),), (False,)) for label in (1, 2)]
    prompts = Prompts((outline, clicks[0], box, clicks[1]), scan.stored)
    vio.write_prompts(prompts, tmp_path / "p.json")
    back = vio.read_prompts(tmp_path / "p.json", like=scan).prompts
    assert [type(one) for one in back] == [MaskPrompt, PointPrompt, BoxPrompt, PointPrompt]
    np.testing.assert_array_equal(back[0].mask, mask)
    assert back[1:] == (clicks[0], box, clicks[1])
    for second in (outline, BoxPrompt(1, Axis.AXIAL, 2, box.box_xyxy), clicks[0]):
        twice = Prompts((outline, clicks[0], second), scan.stored)
        vio.write_prompts(twice, tmp_path / "p.json", force=True)
        with pytest.raises(PromptError, match="a second one for the same label, axis and slice"):
            vio.read_prompts(tmp_path / "p.json", like=scan)


def test_json_of_a_part_of_the_scan_in_another_order_is_put_on_it(scan, tmp_path):
    """`grid` says where its voxels are: they need only lie on the scan's."""
    into = np.array([[0, -1, 0, 4], [1, 0, 0, 1], [0, 0, -1, 5], [0, 0, 0, 1.0]])
    part = Grid((4, 3, 4), scan.stored.affine @ into)
    stored = np.zeros(scan.stored.shape, np.uint8)
    for index in np.ndindex(part.shape):
        place = (into @ [*index, 1])[:3].astype(int)
        stored[tuple(place)] = 1 if sum(index) % 3 == 0 else 0
    inside = np.array(
        [stored[tuple((into @ [*i, 1])[:3].astype(int))] for i in np.ndindex(part.shape)]
    )
    drawn = LabelMap.from_stored(inside.reshape(part.shape), part.affine)
    wanted = LabelMap.from_stored(stored, scan.stored.affine)
    for axis in Axis:
        masks = axis.to_stack(drawn.mask(1))
        made = [MaskPrompt(1, axis, n, one) for n, one in enumerate(masks) if one.any()]
        vio.write_prompts(Prompts(tuple(made), part), tmp_path / "p.json", force=True)
        back = vio.read_prompts(tmp_path / "p.json", like=scan)
        assert back.stored is scan.stored
        assert len(back.prompts) == len(made)
        for prompt in back.prompts:
            whole = axis.to_stack(wanted.mask(1))[prompt.slice_index]
            np.testing.assert_array_equal(prompt.mask, whole)

"""Surfaces: closed, right side out, smooth, of the mask's volume and where the mask is."""

import sys

import numpy as np
import pytest

import voxtrail.io as vio
from voxtrail.core.palette import PALETTE, rgb
from voxtrail.core.volume import LabelMap
from voxtrail.errors import OutputError
from voxtrail.io.mesh.surface import surface_of

trimesh = pytest.importorskip("trimesh", reason="trimesh is not installed (voxtrail[mesh])")


def ball(affine, shape=(36, 30, 14), radius_mm=8.0, labels=(1,)) -> LabelMap:
    """Balls along the first axis, in millimetres round whatever the voxels are."""
    voxels = np.zeros(shape, np.uint8)
    index = np.indices(shape).reshape(3, -1)
    mm = (affine[:3, :3] @ index).T
    for rank, label in enumerate(labels, 1):
        middle = affine[:3, :3] @ (np.array(shape) * [rank / (len(labels) + 1), 0.5, 0.5])
        voxels.ravel()[np.linalg.norm(mm - middle, axis=1) < radius_mm] = label
    return LabelMap.from_stored(voxels, affine, {label: f"ball_{label}" for label in labels})


def volume_mm3(labels, label) -> float:
    one = abs(np.linalg.det(labels.stored.affine[:3, :3]))
    return np.count_nonzero(labels.voxels == label) * one


def check(mesh, labels, label) -> None:
    """Closed, right side out, of the right volume, and inside out of no voxel."""
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.volume == pytest.approx(volume_mm3(labels, label), rel=0.02)
    index = np.argwhere(labels.to_stored() == label)
    centres = index @ labels.stored.affine[:3, :3].T + labels.stored.affine[:3, 3]
    np.testing.assert_allclose(mesh.center_mass, centres.mean(axis=0), atol=0.1)
    np.testing.assert_allclose(
        mesh.bounds, [centres.min(axis=0), centres.max(axis=0)], atol=max(labels.stored.spacing_mm)
    )


def load(path):
    return trimesh.load_mesh(path, process=True)


@pytest.mark.parametrize("suffix", [".stl", ".ply"])
def test_an_oblique_left_handed_ball_in_patient_millimetres(suffix, affine, tmp_path):
    labels = ball(affine)
    assert vio.write(labels, tmp_path / f"ball{suffix}") == (tmp_path / f"ball{suffix}",)
    mesh = load(tmp_path / f"ball{suffix}")
    check(mesh, labels, 1)
    # Smooth: round within a fraction of the voxels' 2.5 mm, which a staircase is not.
    radii = np.linalg.norm(mesh.vertices - mesh.center_mass, axis=1)
    assert radii.std() < 0.35
    assert np.degrees(mesh.face_adjacency_angles).mean() < 12


def test_every_axis_order_gives_the_same_closed_surface(affine, order, reordered):
    labels = ball(affine, (14, 12, 8), 4.0)
    stored, moved = reordered(labels.to_stored(), affine, order)
    surface = surface_of(LabelMap.from_stored(stored, moved), 1)
    assert surface.volume == pytest.approx(volume_mm3(labels, 1), rel=1e-3)
    expected = surface_of(labels, 1)
    np.testing.assert_allclose(
        surface.vertices.min(axis=0), expected.vertices.min(axis=0), atol=0.2
    )


@pytest.mark.parametrize("share", [0.001, 0.05, 0.3, 0.9])
def test_scattered_voxels_lose_nothing(share):
    """Single voxels and holes are the hardest that a mask can be."""
    voxels = (np.random.default_rng(0).random((12, 14, 16)) < share).astype(np.uint8)
    voxels[0, 0, 0] = 1  # at the border, where the surface has to close all the same
    labels = LabelMap.from_stored(voxels, np.diag([-1.0, 0.5, 3.0, 1.0]))
    surface = surface_of(labels, 1)
    mesh = trimesh.Trimesh(surface.vertices, surface.faces, process=False)
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(volume_mm3(labels, 1), rel=0.02)


def test_several_labels_get_a_file_each(affine, tmp_path):
    labels = ball(affine, (60, 30, 14), 6.0, (1, 2, 5))
    labels = LabelMap(labels.voxels, labels.stored, {1: "hip left/../x", 2: "hip left/../x"})
    written = vio.write(labels, tmp_path / "bones.stl")
    names = ["bones.hip_left_x.stl", "bones.hip_left_x-2.stl", "bones.5.stl"]
    assert [path.name for path in written] == names
    assert {path.name for path in tmp_path.iterdir()} == set(names)
    for path, label in zip(written, (1, 2, 5), strict=True):
        check(load(path), labels, label)
    with pytest.raises(OutputError, match=r"exists.*bones\.5\.stl.*--force"):
        vio.check_output(tmp_path / "bones.stl")
    vio.write(labels, tmp_path / "bones.stl", force=True)


def test_glb_is_a_scene_of_names_and_colours(affine, tmp_path):
    labels = ball(affine, (60, 30, 14), 6.0, (1, 2, 5))
    labels = LabelMap(labels.voxels, labels.stored, {1: "rib", 2: "rib", 5: "größer"})
    vio.write(labels, tmp_path / "bones.glb")
    scene = trimesh.load_scene(tmp_path / "bones.glb")
    assert set(scene.geometry) == {"rib", "rib (2)", "größer"}
    for label, name, colour in zip((1, 2, 5), ("rib", "rib (2)", "größer"), PALETTE, strict=False):
        mesh = scene.geometry[name]
        check(mesh, labels, label)
        np.testing.assert_array_equal(mesh.visual.material.baseColorFactor[:3], rgb(colour))
        np.testing.assert_array_equal(scene.graph.get(name)[0], np.eye(4))


def test_labels_without_a_voxel_have_no_surface(affine, tmp_path):
    empty = LabelMap.from_stored(np.zeros((3, 4, 5), np.uint8), affine, {1: "hip"})
    for suffix in (".stl", ".glb"):
        with pytest.raises(OutputError, match="cannot be empty"):
            vio.write(empty, tmp_path / f"x{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_is_named_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "trimesh", None)
    monkeypatch.setattr("voxtrail.io.format.find_spec", lambda name: None)
    with pytest.raises(OutputError, match=r"trimesh.*pip install 'voxtrail\[mesh\]'") as caught:
        vio.check_output(tmp_path / "bones.stl")
    assert "\n" not in str(caught.value)


def test_a_real_bone(real_ct, tmp_path):
    labels = vio.read_labels(real_ct / "totalseg_mini/s0000/segmentations/hip_left.nii.gz")
    vio.write(labels, tmp_path / "hip.ply")
    check(load(tmp_path / "hip.ply"), labels, 1)

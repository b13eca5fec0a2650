"""STL, PLY and GLB: the surfaces of a segmentation; the files are trimesh's.

Frame: patient millimetres in RAS (x to the right, y to the front, z up), in all three. STL and PLY
have no convention of their own; glTF's (metres, y up) is left aside, so that all files of one
patient fit together. STL and PLY hold one label, GLB all of them as named, coloured objects.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from voxtrail.core.palette import colours, rgb
from voxtrail.core.volume import LabelMap
from voxtrail.io.format import Extra, Format
from voxtrail.io.mesh.surface import surface_of

_EXTRA = Extra("mesh", "trimesh")


def write_one(labels: LabelMap, path: Path, *, file_type: str) -> None:
    """Write the surface of the only label that occurs, as binary STL or PLY."""
    (label,) = labels.labels()
    path.write_bytes(surface_of(labels, label).export(file_type=file_type))


def write_scene(labels: LabelMap, path: Path) -> None:
    """Write every label that occurs as GLB, an object of its name and colour each."""
    import trimesh
    from trimesh.visual import TextureVisuals
    from trimesh.visual.material import PBRMaterial

    colour_of = colours(labels.listed())
    scene = trimesh.Scene()
    for label in labels.labels():
        # Objects are found by their names: two labels of one name are told apart by number.
        name = labels.name(label)
        name = f"{name} ({label})" if name in scene.geometry else name
        mesh = surface_of(labels, label)
        material = PBRMaterial(
            name=name,
            baseColorFactor=[*rgb(colour_of[label]), 255],
            metallicFactor=0.0,
            roughnessFactor=0.8,
        )
        mesh.visual = TextureVisuals(material=material)
        scene.add_geometry(mesh, node_name=name, geom_name=name)
    path.write_bytes(scene.export(file_type="glb"))


def _one(name: str, suffix: str) -> Format:
    write = partial(write_one, file_type=suffix.removeprefix("."))
    return Format(
        name=name,
        written=(suffix,),
        write_labels=write,
        one_label=True,
        layers=True,
        needs_voxels=True,
        extra=_EXTRA,
    )


STL = _one("STL surface", ".stl")
PLY = _one("PLY surface", ".ply")
GLB = Format(
    name="GLB surfaces",
    written=(".glb",),
    write_labels=write_scene,
    layers=True,
    needs_voxels=True,
    extra=_EXTRA,
)

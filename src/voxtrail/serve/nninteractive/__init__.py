"""The protocol of nnInteractive 2.x: what 3D Slicer's and napari's clients speak."""

from voxtrail.serve.nninteractive.routes import WITH_ARRAYS, routes

__all__ = ["WITH_ARRAYS", "routes"]

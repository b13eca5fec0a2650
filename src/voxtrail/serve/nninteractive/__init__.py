"""The protocol of nnInteractive 2.x: what 3D Slicer's and napari's clients speak."""

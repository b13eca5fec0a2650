"""What ITK reads and writes: NRRD, MetaImage and 3D Slicer's segmentations."""

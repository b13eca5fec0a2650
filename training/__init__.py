"""The recipe of voxtrail's bundled checkpoint: procedural scenes in, ``micro`` out.

Not part of the package: nothing under ``src/voxtrail`` imports it.
"""

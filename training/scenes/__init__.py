"""Procedural scans of nothing in particular: what `micro` is trained and selected on.

Shapes in millimetres (`shapes`, `kinds`), set out among look-alikes and neighbours (`arrange`), in
Hounsfield units as a scanner would see them (`materials`, `scanner`), cut into stacks as a run of
voxtrail cuts them (`stack`). Nothing here knows any anatomy, nothing is taken from a scan or its
labels, and nothing of voxtrail's phantom is used.
"""

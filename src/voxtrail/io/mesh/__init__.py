"""Surfaces of labels out: STL, PLY, GLB."""

"""Geometry, volumes and prompts: NumPy only, no files and no model."""

"""Choices among the prompted slices, one a file."""

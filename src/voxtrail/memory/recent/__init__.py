"""Choices among the slices tracked before, one a file."""

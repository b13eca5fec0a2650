"""NIfTI: images, and probabilities by label."""

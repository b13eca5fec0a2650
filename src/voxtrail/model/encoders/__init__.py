"""Image encoders: from grey slices to the maps that are kept of each, one a file.

The weights are those of transformers' networks; the arithmetic is the reference's with constant
parts taken out of the loop.
"""

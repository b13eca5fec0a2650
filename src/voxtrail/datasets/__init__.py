"""Scans with labels: the phantom, and datasets in TotalSegmentator's layouts."""

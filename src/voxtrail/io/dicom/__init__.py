"""DICOM: CT series in; segmentations and structure sets in and out."""

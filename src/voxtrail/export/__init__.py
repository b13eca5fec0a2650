"""SAM 2's four calls as ONNX graphs, to be run without PyTorch."""

from voxtrail.export.write import export

__all__ = ["export"]

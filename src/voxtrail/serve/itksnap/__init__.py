"""The dialect of ITK-SNAP's deep-learning extension (itksnap-dls)."""

from voxtrail.serve.itksnap.routes import WITH_ARRAYS, routes

__all__ = ["WITH_ARRAYS", "routes"]

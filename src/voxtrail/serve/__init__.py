"""Sessions over HTTP: what every server of voxtrail shares, and the annotation page's own server.

Needs the extra ``annotate`` (FastAPI and uvicorn). Nothing here is imported before a command that
serves runs.
"""

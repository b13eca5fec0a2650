"""The server of the annotation page (``voxtrail annotate``); its protocol: ``docs/page-api.md``."""

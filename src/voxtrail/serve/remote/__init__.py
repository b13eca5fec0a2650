"""What the programs that people already use ask of a session, whatever dialect they speak.

A client draws on its scan (`interactions`), which `annotation` turns into prompts of a session; it
holds a lease (`leases`), and waits for long answers (`long_reply`). The dialects are in
`voxtrail.serve.nninteractive` and `voxtrail.serve.itksnap`; `app` puts them on one port.
"""

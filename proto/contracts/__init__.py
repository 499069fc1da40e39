"""
What services agree on: schemas, the code generated from them, and the few hand-written companions.

`findings` turns probe results into scored events, `units` keeps a local copy of the directory,
`topology` declares every queue, `roles` the roles of the platform. Imports the kernel, nobody else.
"""

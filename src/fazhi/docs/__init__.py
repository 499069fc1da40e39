"""
Documents 文档 that are made from the code, so that they cannot say something else than it does.

`python -m fazhi.docs` writes them, `python -m fazhi.docs --check` says which are stale; tests/house runs the
check. What people write by hand (architecture, glossary, decisions) is beside them in docs/ and is compared
with the code by tests/house too.
"""

"""
Proofs 证明: the promises of docs/promises.md, tried out on real servers with real faults.

An IT department proves its own installation with `fazhi prove`; every run prints its seed and one JSON line with
the counters, and ends with 0 only on pass. A proof that could not bite (nothing was redelivered, nothing was
killed) fails itself, and each is shown to fail on planted bugs (planted.py).
"""

"""
Benches: what the platform does a second, measured beside peers doing the same work in the same run.

`events.py` is the path of scored events, `rebuild.py` making the projections anew, `roll_up.py` scoring a province.
Numbers and the machine they were taken on are in docs/benchmarks.md.
"""

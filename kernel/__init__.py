"""
The shared kernel: what an unrelated ministry could use unchanged.

No word of the glossary, no import of services, gateway or contracts, no effect at import.
See docs/kernel.md for a walk through it.
"""

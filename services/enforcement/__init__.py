"""Enforcement supervision 行政执法监督: registers, cases entered after the fact, probes, leads. See README.md."""

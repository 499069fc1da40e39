"""Enforcement cases 执法案件: taken in from files after the fact, kept in versions, looked at by the probes."""

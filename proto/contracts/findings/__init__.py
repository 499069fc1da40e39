"""Findings 认定: plain values that rules may use. The register (register.py) and wire form (wire.py) are apart."""

from contracts.findings.values import (
    FULL_MARKS_MILLI,
    Basis,
    Evidence,
    Finding,
    Mode,
    Outcome,
    Probe,
    ProbeSet,
    Verdict,
    failed,
    graded,
    not_applicable,
    not_computable,
    not_due,
    passed,
)

__all__ = [
    "FULL_MARKS_MILLI",
    "Basis",
    "Evidence",
    "Finding",
    "Mode",
    "Outcome",
    "Probe",
    "ProbeSet",
    "Verdict",
    "failed",
    "graded",
    "not_applicable",
    "not_computable",
    "not_due",
    "passed",
]

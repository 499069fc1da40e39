"""Findings 认定 and the register that turns them into scored events; see values.py, register.py, wire.py."""

from contracts.findings.register import FindingsRegister, Found, create_findings_v1
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
    "FindingsRegister",
    "Found",
    "Mode",
    "Outcome",
    "Probe",
    "ProbeSet",
    "Verdict",
    "create_findings_v1",
    "failed",
    "graded",
    "not_applicable",
    "not_computable",
    "not_due",
    "passed",
]

"""Tables of decisions: the spine, the copy of the directory, the registers of findings and evidence, and what the subjects keep."""

from sqlalchemy.orm import DeclarativeBase

from contracts.corrections.register import CorrectionsAsked
from contracts.findings.evidence import EvidenceRegister
from contracts.findings.register import FindingsRegister
from contracts.units import UnitCopy
from kernel.storage.spine import Spine


class Base(DeclarativeBase):
    """Tables of decisions."""


SPINE = Spine(Base.metadata)
UNITS = UnitCopy(Base.metadata)
EVIDENCE = EvidenceRegister(Base.metadata)
CORRECTIONS = CorrectionsAsked(Base.metadata)
FINDINGS = FindingsRegister(Base.metadata, EVIDENCE, CORRECTIONS)

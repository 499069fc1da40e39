"""
Tables of the gateway: the spine, the registers of findings and of corrections asked, and the current state of every unit.

The current state of units has the very form every service keeps its copy in (contracts.units), so that whoever
knows the one knows the other; their history is gateway/directory/model.py.
"""

from sqlalchemy.orm import DeclarativeBase

from contracts.corrections.register import CorrectionsAsked
from contracts.findings.register import FindingsRegister
from contracts.units import UnitCopy
from kernel.storage.spine import Spine


class Base(DeclarativeBase):
    """Tables of the gateway."""


SPINE = Spine(Base.metadata)
CORRECTIONS = CorrectionsAsked(Base.metadata)
FINDINGS = FindingsRegister(Base.metadata, corrections=CORRECTIONS)
UNITS = UnitCopy(Base.metadata)

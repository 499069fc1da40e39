"""The tables every subject of enforcement shares; each subject's own are in its model.py."""

from sqlalchemy.orm import DeclarativeBase

from contracts.corrections.register import CorrectionsAsked
from contracts.findings.register import FindingsRegister
from contracts.units import UnitCopy
from kernel.storage.spine import Spine


class Base(DeclarativeBase):
    """Tables of enforcement."""


SPINE = Spine(Base.metadata)
UNITS = UnitCopy(Base.metadata)
CORRECTIONS = CorrectionsAsked(Base.metadata)
FINDINGS = FindingsRegister(Base.metadata, corrections=CORRECTIONS)

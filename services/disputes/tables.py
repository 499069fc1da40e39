"""Tables of disputes: the spine, the copy of the directory, the findings register, and what the subjects keep."""

from sqlalchemy.orm import DeclarativeBase

from contracts.findings.register import FindingsRegister
from contracts.units import UnitCopy
from kernel.storage.spine import Spine


class Base(DeclarativeBase):
    """Tables of disputes."""


SPINE = Spine(Base.metadata)
UNITS = UnitCopy(Base.metadata)
FINDINGS = FindingsRegister(Base.metadata)

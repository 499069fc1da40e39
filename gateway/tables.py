"""
Tables of the gateway: the spine, the findings register and the current state of every unit.

The current state of units has the very form every service keeps its copy in (contracts.units), so that whoever
knows the one knows the other; their history is gateway/directory/model.py.
"""

from sqlalchemy.orm import DeclarativeBase

from contracts.findings.register import FindingsRegister
from contracts.units import UnitCopy
from kernel.storage.spine import Spine


class Base(DeclarativeBase):
    """Tables of the gateway."""


SPINE = Spine(Base.metadata)
FINDINGS = FindingsRegister(Base.metadata)
UNITS = UnitCopy(Base.metadata)

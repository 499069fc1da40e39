"""Tables of assessment: the spine, the directory copy, and the metadata that subjects hang their tables on."""

from sqlalchemy.orm import DeclarativeBase

from contracts.units import UnitCopy
from kernel.storage.spine import Spine


class Base(DeclarativeBase):
    """Tables of assessment."""


SPINE = Spine(Base.metadata)
UNITS = UnitCopy(Base.metadata)

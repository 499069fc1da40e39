"""Tables of assessment: the spine, the directory copy with its versions, and the metadata that subjects hang their tables on."""

from sqlalchemy.orm import DeclarativeBase

from kernel.storage.spine import Spine
from services.assessment.lineage import Lineage


class Base(DeclarativeBase):
    """Tables of assessment."""


SPINE = Spine(Base.metadata)
UNITS = Lineage(Base.metadata)

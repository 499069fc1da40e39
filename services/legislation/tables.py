"""Tables of legislation: the spine, the directory copy, the registers of findings and evidence, and the metadata of the subjects."""

from sqlalchemy import Table
from sqlalchemy.orm import DeclarativeBase

from contracts.corrections.register import CorrectionsAsked
from contracts.findings.evidence import EvidenceRegister
from contracts.findings.register import FindingsRegister
from contracts.units import UnitCopy
from kernel.storage.spine import Spine


class Base(DeclarativeBase):
    """Tables of legislation."""


SPINE = Spine(Base.metadata)
UNITS = UnitCopy(Base.metadata)
EVIDENCE = EvidenceRegister(Base.metadata)
CORRECTIONS = CorrectionsAsked(Base.metadata)
FINDINGS = FindingsRegister(Base.metadata, EVIDENCE, CORRECTIONS)


def table_of(model: type[Base]) -> Table:
    """The table of a mapped class, for set-wise statements."""
    table = model.__table__
    if not isinstance(table, Table):
        raise TypeError(f"{model.__name__} is not mapped to a table")
    return table

"""All items 考核项 of the template in force, DEC-01 to DEC-26: importing this module declares them."""

from contracts.findings import ProbeSet
from services.decisions.conformance.rules import (
    aftermath,
    discussion,
    expertise,
    launch,
    legality,
    participation,
)
from services.decisions.conformance.rules.look import PROBES, Look

PARTS = (launch, participation, expertise, legality, discussion, aftermath)
_IN_ORDER: ProbeSet[Look] = ProbeSet(dict(sorted(PROBES.probes.items())))


def items() -> ProbeSet[Look]:
    """The checks, in the order of the template, whichever module was imported first."""
    return _IN_ORDER

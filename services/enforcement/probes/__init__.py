"""
Probes 探针 of enforcement: which facts are scored, by which rule, on which basis.

Rules are beside their kin: subjects.py (who acted), procedure.py (how it was decided), timing.py (periods),
recording.py (the record). A probe is looked at only for the kinds of act it is made for; within a kind, cases
its article does not reach are "not applicable".
"""

from collections.abc import Mapping

from contracts.findings import Finding, Probe, ProbeSet
from kernel.clock import start_of_day
from services.enforcement.probes import procedure, recording, subjects, timing
from services.enforcement.probes.facts import INSPECTION, LICENCE, PENALTY, CaseFacts
from services.enforcement.probes.timing import next_look

PROBES: ProbeSet[CaseFacts] = ProbeSet(
    {probe.name: probe for room in (subjects, procedure, timing, recording) for probe in room.PROBES}
)

_ALL_KINDS = ("ENF-SUB-01", "ENF-SUB-02", "ENF-DOC-01", "ENF-REC-01", "ENF-REC-02", "ENF-REC-03")
_ON_SITE = ("ENF-OFF-01", "ENF-OFF-02", "ENF-OFF-03")
_PENALTY = (
    *("ENF-PRO-01", "ENF-PRO-03", "ENF-PRO-05", "ENF-REV-01", "ENF-REV-03"),
    *("ENF-TIM-01", "ENF-TIM-02", "ENF-TIM-03", "ENF-PUB-01"),
)
BY_KIND: Mapping[str, tuple[Probe[CaseFacts], ...]] = {
    PENALTY: tuple(PROBES.probes[name] for name in (*_ALL_KINDS, *_ON_SITE, *_PENALTY)),
    LICENCE: tuple(PROBES.probes[name] for name in (*_ALL_KINDS, "ENF-TIM-04", "ENF-PUB-01")),
    INSPECTION: tuple(PROBES.probes[name] for name in (*_ALL_KINDS, *_ON_SITE, "ENF-PUB-02")),
}


def look(facts: CaseFacts) -> list[Finding]:
    """Every finding about one case; the day of the decision decides the period it counts in."""
    at = start_of_day(facts.case.decided_on)
    return [probe.look(facts, at) for probe in BY_KIND[facts.case.kind]]


__all__ = ["BY_KIND", "PROBES", "CaseFacts", "look", "next_look"]

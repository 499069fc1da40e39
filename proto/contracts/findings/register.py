"""
Findings register 认定登记: what a service has last told about each (subject, probe).

A probe that says the same again tells nothing; one that says something else tells a new event that corrects
the former one. So a service may look at a subject as often as it likes. Works set-wise: one statement reads
what was told, one writes what is new, whatever the number of findings.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import orjson
from sqlalchemy import Column, Connection, MetaData, String, Table, text

from contracts.corrections.register import CorrectionsAsked
from contracts.events.v1.scored_pb2 import ScoredEvent
from contracts.findings.evidence import EvidenceRegister
from contracts.findings.signing import sign
from contracts.findings.values import Finding, Mode
from contracts.findings.wire import pack, scored_event
from contracts.topology import SCORED
from kernel.clock import microseconds
from kernel.ids import new_id
from kernel.storage.setwise import write_rows
from kernel.storage.types import Id, Moment
from kernel.storage.work import Work
from kernel.telemetry.log import trace_id


@dataclass(frozen=True, slots=True)
class Found:
    """A finding with what it is about: subject "enforcement/cases/<id>", the unit it counts for, the mode."""

    subject: str
    unit: str
    mode: Mode
    finding: Finding


class FindingsRegister:
    """
    The register of one service, kept in its own database.

    `evidence` is what its events name, if they rest on it; `corrections` is what it was asked to correct.
    """

    def __init__(
        self,
        metadata: MetaData,
        evidence: EvidenceRegister | None = None,
        corrections: CorrectionsAsked | None = None,
    ) -> None:
        self._evidence = evidence
        self._corrections = corrections
        self.table = Table(
            "findings",
            metadata,
            Column("subject", String(200), primary_key=True),
            Column("probe", String(50), primary_key=True),
            Column("event_id", Id, nullable=False),
            Column("fingerprint", String(64), nullable=False),
            Column("recorded_at", Moment, nullable=False),
            comment="last finding told about each subject and probe",
        )

    def record(self, work: Work, found: Iterable[Found]) -> int:
        """Tell what is new among these findings, in the transaction of `work`; returns how many events."""
        latest = {(entry.subject, entry.finding.probe): entry for entry in found}
        known = self._known(work, list(latest))
        recorded_at = work.clock.now()
        prints = {place: _fingerprint(entry) for place, entry in latest.items()}
        news = {
            place: entry
            for place, entry in latest.items()
            if place not in known or known[place][1] != prints[place]
        }
        evidence = (
            self._evidence.of(work.session, {subject for subject, _ in news})
            if self._evidence and news
            else {}
        )
        events: list[ScoredEvent] = []
        rows = []
        for place, entry in news.items():
            former = known.get(place)
            event_id = new_id()
            events.append(
                scored_event(
                    replace(entry.finding, evidence=evidence[place[0]])
                    if place[0] in evidence
                    else entry.finding,
                    event_id=event_id,
                    source=work.source,
                    unit=entry.unit,
                    subject=entry.subject,
                    mode=entry.mode,
                    recorded_at_us=microseconds(recorded_at),
                    corrects=former[0] if former else "",
                    trace=trace_id.get(),
                )
            )
            rows.append(
                {
                    "subject": place[0],
                    "probe": place[1],
                    "event_id": event_id,
                    "fingerprint": prints[place],
                    "recorded_at": recorded_at,
                }
            )
        write_rows(
            work.session,
            self.table,
            rows,
            keys=("subject", "probe"),
            on_conflict={"event_id": "replace", "fingerprint": "replace", "recorded_at": "replace"},
        )
        for body in pack(events, partial(sign, work)):
            work.tell(SCORED, body)
        corrected = {event.corrects: event.id for event in events if event.corrects}
        if self._corrections and corrected:
            # after the rows above: a notice being heard just now waits for them, and then sees this event
            self._corrections.close(work, corrected, recorded_at)
        return len(events)

    def _known(self, work: Work, places: Sequence[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, str]]:
        if not places:
            return {}
        if work.connection.dialect.name == "postgresql":
            wanted = (
                "SELECT w->>0 AS subject, w->>1 AS probe FROM json_array_elements(CAST(:places AS json)) AS w"
            )
        else:
            wanted = (
                "SELECT json_extract(value, '$[0]') AS subject, json_extract(value, '$[1]') AS probe "
                "FROM json_each(:places)"
            )
        rows = work.session.execute(
            text(  # put together from two constants; values are bound
                f"SELECT f.subject, f.probe, f.event_id, f.fingerprint FROM findings f JOIN ({wanted}) w "  # noqa: S608
                "ON w.subject = f.subject AND w.probe = f.probe"
            ),
            {"places": orjson.dumps(places).decode()},
        )
        return {(row.subject, row.probe): (str(row.event_id), row.fingerprint) for row in rows}


def create_findings_v1(connection: Connection) -> None:
    """The register's table as of its first version, for migrations."""
    metadata = MetaData()
    FindingsRegister(metadata)
    metadata.create_all(connection, checkfirst=True)


def _fingerprint(entry: Found) -> str:
    """What makes two findings say the same; other evidence for the same finding is no new finding."""
    finding = entry.finding
    said = [
        finding.probe_version,
        int(finding.outcome),
        finding.score_milli,
        finding.numerator,
        finding.denominator,
        entry.unit,
        int(entry.mode),
        microseconds(finding.occurred_at),
        finding.reason,
    ]
    return hashlib.sha256(b"findings/v1\n" + orjson.dumps(said)).hexdigest()

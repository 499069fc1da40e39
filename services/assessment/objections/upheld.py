"""
Upheld 申诉成立的更正: which own results stand as an objection corrected them, and how they are replaced.

Two people answered such an objection, so nobody undoes it by the way: counting a survey again, or handing a sheet in
again, is refused where it would, naming each objection. Whoever replaces a correction says so of that objection, with
the reasons, which then stand in the new event; the unit may object to that one too. What corrects an own result
corrects what stands in its place by now, so that one event of a result stands and no more.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from kernel.access.principal import Principal
from kernel.errors import Problem, RuleViolation
from kernel.storage.reach import beyond
from kernel.storage.work import Work
from services.assessment.objections.datum import Datum, datum_of, standing_of
from services.assessment.objections.model import OBJECTIONS
from services.assessment.objections.rules import PARTLY, UPHELD
from services.assessment.rectification.places import names_of, refuse_own
from services.assessment.scoring.model import EVENT_LOG
from services.assessment.scoring.own import SOURCE

EVENTS_A_STATEMENT = 1000
MOST_TOLD = 200


@dataclass(frozen=True, slots=True)
class Held:
    """What stands in the place of an own event by now; `objection`: the upheld one that corrected it, "" for none."""

    event: str
    objection: str = ""


@dataclass(frozen=True, slots=True)
class Replacing:
    """What somebody says of upheld objections: those whose corrections are kept, those replaced, and why."""

    kept: Collection[str] = ()
    replaced: Collection[str] = ()
    reason: str = ""

    def names(self, held: Held) -> bool:
        """Whether something was said of the objection behind this."""
        return held.objection in {*self.kept, *self.replaced}

    def replaces(self, held: Held) -> bool:
        """Whether the correction is to be replaced."""
        return held.objection in self.replaced

    def keeps(self, held: Held | None) -> bool:
        """Whether the correction is to stand."""
        return held is not None and held.objection in self.kept and not self.replaces(held)


SAID_NOTHING = Replacing()


class CorrectionHeld(RuleViolation):
    """Results were corrected by upheld objections, and nothing was said of these; `problems` name each."""

    code = "assessment.upheld_objection"
    message = "下列结果已因申诉成立而更正，不能悄悄取代。请逐项选择保留申诉的结果，或者说明理由后取代。"


def held_by(session: Session, events: Iterable[str]) -> dict[str, Held]:
    """Own event -> what stands in its place, and whether an upheld objection put it there."""
    last = {event: event for event in events}
    with beyond("whoever would replace a result must be told of the objection that corrected it", session):
        while after := _corrections(session, sorted(set(last.values()))):
            last = {event: after.get(now, now) for event, now in last.items()}
        upheld = _upheld(session, sorted(set(last.values())))
    return {event: Held(now, upheld.get(now, "")) for event, now in last.items()}


def demand_said(
    session: Session, who: Principal, held: Mapping[tuple[str, str], Held], said: Replacing
) -> None:
    """
    Raise CorrectionHeld unless something was said of every objection behind these, (unit, result) each.

    RuleViolation where a correction is to be replaced without a reason, or by somebody of that unit (R37).
    """
    silent = {place: one for place, one in held.items() if one.objection and not said.names(one)}
    if silent:
        names = names_of(session, [unit for unit, _ in silent])
        raise CorrectionHeld(
            problems=[
                Problem(
                    f"objections.{one.objection}",
                    CorrectionHeld.code,
                    f"{names.get(unit, unit)}，成果 {result}：申诉 {one.objection[:8]} 成立，已更正",
                )
                for (unit, result), one in sorted(silent.items())
            ][:MOST_TOLD]
        )
    replaced = [unit for (unit, _), one in held.items() if said.replaces(one)]
    for unit in sorted(set(replaced)):
        refuse_own(session, who, unit)
    if replaced and len(said.reason.strip()) < 2:
        raise RuleViolation("取代申诉成立的更正须写明理由。", code="assessment.reason_missing")


def note_replaced(work: Work, who: Principal, held: Iterable[Held], said: Replacing) -> None:
    """Write down who replaced the corrections of which objections."""
    for objection in sorted({one.objection for one in held if said.replaces(one)}):
        work.audit(who, "objection.correction_replaced", f"objections/{objection}")


def told(reason: str, held: Held | None, said: Replacing) -> str:
    """The reason of a new event: with which upheld objection it sets aside, and why."""
    if held is None or not said.replaces(held):
        return reason
    return f"{reason}；取代申诉{held.objection[:8]}成立的更正：{said.reason.strip()}"[:300]


def replaced_by(
    session: Session, correction: str | None, unit: str, at: datetime | None = None
) -> Datum | None:
    """The event that replaced an objection's own correction, as known at a moment (None: now); None: it stands."""
    datum = datum_of(session, correction, unit, at=at) if correction else None
    if datum is None or not datum.is_corrected or datum.source != SOURCE:
        return None
    return standing_of(session, datum, at=at)


def _corrections(session: Session, events: list[str]) -> dict[str, str]:
    """Own event -> the last recorded of the own events that correct it."""
    log = EVENT_LOG.c
    found: dict[str, str] = {}
    for start in range(0, len(events), EVENTS_A_STATEMENT):
        some = events[start : start + EVENTS_A_STATEMENT]
        query = (
            select(log.corrects, log.event_id)
            .where(log.corrects.in_(some), log.source == SOURCE)
            .order_by(log.recorded_at, log.event_id)
        )
        found |= {row.corrects: row.event_id for row in session.execute(query)}
    return found


def _upheld(session: Session, events: list[str]) -> dict[str, str]:
    """Event -> the upheld objection whose correction it is."""
    table = OBJECTIONS.c
    found: dict[str, str] = {}
    for start in range(0, len(events), EVENTS_A_STATEMENT):
        some = events[start : start + EVENTS_A_STATEMENT]
        query = select(table.correction, table.id).where(
            table.correction.in_(some), table.outcome.in_((UPHELD, PARTLY))
        )
        found |= {row.correction: row.id for row in session.execute(query)}
    return found

"""
Matters 事项: take over clues about disputes, open what they are about, and answer their senders.

An application forwarded by another system becomes a draft case of the reviewing organ: words in a letter are no
application before a person has said so, and no clock runs on a guess. A judgment is registered for the sued
organ and answered at once. Other disputes wait for a person's answer.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, false, func, or_, select
from sqlalchemy.orm import Session

from contracts.clues.v1.clues_pb2 import Clue, ClueKind, ClueRouted, ClueState
from contracts.clues.wire import tell_progress
from contracts.directory.v1.directory_pb2 import UnitKind
from kernel.access.principal import Principal
from kernel.clock import from_microseconds, local_date
from kernel.errors import Conflict, Invalid, NotFound, Problem
from kernel.ids import derived_id, is_id
from kernel.messages import Item
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work
from services.disputes.matters.answering import answer, give_back
from services.disputes.matters.model import COURT_OUTCOMES, MATTERS, CourtOutcomeRow, MatterRow
from services.disputes.reconsideration.codes import Codes
from services.disputes.reconsideration.service import Cases
from services.disputes.tables import UNITS

_KINDS = {
    ClueKind.CLUE_KIND_RECONSIDERATION: "reconsideration",
    ClueKind.CLUE_KIND_LITIGATION_RESULT: "litigation_result",
    ClueKind.CLUE_KIND_DISPUTE: "dispute",
}
# Where reviewing powers are gathered (Art. 24): governments and what stands in for one.
_REVIEWING = (UnitKind.UNIT_KIND_GOVERNMENT, UnitKind.UNIT_KIND_DISPATCHED)
_PROVINCE, _COUNTY = 1, 3
_COURT_COLUMNS = ("receipt", "court", "review_organ", "outcome", "lost", "ground", "act_number", "head_attended",
                  "performed", "decided_on", "effective_on", "version")  # fmt: skip


class Matters:
    """What arrives, and what people answer."""

    def __init__(self, store: Store, cases: Cases, codes: Codes) -> None:
        self._store = store
        self._cases = cases
        self._codes = codes

    def hear(self, work: Work, items: Sequence[Item]) -> None:
        """Take over routed clues, in the transaction that enters them into the inbox."""
        for item in items:
            routed = item.value
            if isinstance(routed, ClueRouted):
                self._take(work, routed)

    def page(
        self, who: Principal, *, state: str = "", offset: int = 0, limit: int = 50
    ) -> tuple[int, list[MatterRow]]:
        """Matters about units in the caller's part of the tree, newest first."""
        query = (
            select(MatterRow)
            .join(UNITS.table, UNITS.table.c.code == MatterRow.unit, isouter=True)
            .where(_inside(who))
        )
        if state:
            query = query.where(MatterRow.state == state)
        with self._store.reading() as session:
            total = session.execute(select(func.count()).select_from(query.subquery())).scalar_one()
            ordered = (
                query.order_by(MatterRow.received_at.desc(), MatterRow.receipt).offset(offset).limit(limit)
            )
            return total, list(session.scalars(ordered))

    def court_outcomes(self, who: Principal, *, unit: str = "", limit: int = 50) -> list[CourtOutcomeRow]:
        """Judgments about units in the caller's part of the tree, newest first."""
        query = select(CourtOutcomeRow).join(UNITS.table, UNITS.table.c.code == CourtOutcomeRow.unit)
        query = query.where(_inside(who))
        if unit:
            query = query.where(CourtOutcomeRow.unit == unit)
        with self._store.reading() as session:
            return list(session.scalars(query.order_by(CourtOutcomeRow.decided_on.desc()).limit(limit)))

    def answer(self, who: Principal, receipt: str, note: str, *, returned: bool = False) -> None:
        """Answer a dispute, or give it back; raises Invalid, NotFound, Conflict."""
        if not note.strip():
            raise Invalid(problems=[Problem("note", "disputes.no_note", "请填写答复内容。")])
        with self._store.work() as work:
            query = select(MatterRow).where(MatterRow.receipt == receipt).with_for_update()
            matter = work.session.scalars(query).one_or_none() if is_id(receipt) else None
            if matter is None or not _may_answer(work.session, who, matter.unit):
                raise NotFound("找不到这件事项，请核对回执号。", code="disputes.unknown_matter")
            if matter.state != "open":
                raise Conflict("这件事项已经答复，请刷新列表。", code="disputes.matter_settled")
            if matter.kind == "reconsideration":
                raise Conflict("复议申请随案件办理答复，请在案件中登记步骤。", code="disputes.matter_is_case")
            settle = give_back if returned else answer
            settle(work, receipt, note, matter.subject)
            work.audit(who, "matter.returned" if returned else "matter.answered", f"matters/{receipt}")
            work.commit()

    def _take(self, work: Work, routed: ClueRouted) -> None:
        clue = routed.clue
        work.session.execute(MATTERS.insert().values(**_matter(routed)))
        if clue.kind not in _KINDS:
            give_back(work, routed.receipt, "不属于行政复议、行政诉讼或者矛盾纠纷事项。")
        elif clue.kind == ClueKind.CLUE_KIND_RECONSIDERATION:
            self._open_draft(work, routed)
        elif clue.kind == ClueKind.CLUE_KIND_LITIGATION_RESULT:
            self._register_judgment(work, routed)
        else:
            tell_progress(work, routed.receipt, ClueState.CLUE_STATE_ACCEPTED, "已登记，待办理。")

    def _open_draft(self, work: Work, routed: ClueRouted) -> None:
        organ = reviewing_organ(work.session, routed.clue.unit)
        if organ is None:
            give_back(
                work, routed.receipt, "未指明被申请的行政机关，或者该机关不在单位目录中，请补充后重新转送。"
            )
            return
        received_on = local_date(from_microseconds(routed.received_at_us))
        case_id = self._cases.forward(
            work, organ=organ, respondent=routed.clue.unit, receipt=routed.receipt, on=received_on
        )
        subject = f"disputes/reconsiderations/{case_id}"
        work.session.execute(
            MATTERS.update().where(MATTERS.c.receipt == routed.receipt).values(subject=subject)
        )
        tell_progress(work, routed.receipt, ClueState.CLUE_STATE_ACCEPTED, "已转行政复议机构登记。", subject)

    def _register_judgment(self, work: Work, routed: ClueRouted) -> None:
        outcome = self._codes.court_outcomes.get(routed.clue.attributes.get("outcome", ""))
        if outcome is None or not routed.clue.unit:
            give_back(work, routed.receipt, "缺少被告机关，或者裁判结果不在代码表中，请核对后重新报送。")
            return
        row = _judgment(routed, outcome.code, outcome.lost)
        write_rows(
            work.session,
            COURT_OUTCOMES,
            [row],
            keys=("case_number", "instance", "unit"),
            on_conflict=dict.fromkeys(_COURT_COLUMNS, "replace"),
            only_if="excluded.version >= old.version",
        )
        note = f"裁判结果已登记：{outcome.title}。"
        answer(work, routed.receipt, note, f"disputes/court_outcomes/{row['id']}")


def reviewing_organ(session: Session, respondent: str) -> str | None:
    """
    The organ that reviews acts of a unit (Art. 24): the nearest government above it, of a county or higher.

    A provincial government has none above it and reviews its own acts.
    """
    units = UNITS.table.c
    path = session.execute(select(units.path).where(units.code == respondent)).scalar_one_or_none()
    if path is None:
        return None
    line = path.strip("/").split("/")
    query = select(units.code, units.level).where(
        units.code.in_(line), units.kind.in_(_REVIEWING), units.level.between(_PROVINCE, _COUNTY)
    )
    levels = {row.code: row.level for row in session.execute(query)}
    above = (code for code in reversed(line) if code in levels)
    return next((code for code in above if code != respondent or levels[code] == _PROVINCE), None)


def _inside(who: Principal) -> ColumnElement[bool]:
    if not who.unit_path:
        return false()
    path = UNITS.table.c.path
    return or_(func.substr(path, 1, len(who.unit_path)) == who.unit_path, UNITS.table.c.code == who.unit)


def _may_answer(session: Session, who: Principal, unit: str) -> bool:
    path = session.execute(select(UNITS.table.c.path).where(UNITS.table.c.code == unit)).scalar_one_or_none()
    return path is not None and who.reaches(path)


def _matter(routed: ClueRouted) -> dict[str, Any]:
    clue = routed.clue
    return {
        "receipt": routed.receipt,
        "kind": _KINDS.get(clue.kind, "other"),
        "system": clue.system,
        "external_id": clue.external_id[:100],
        "unit": clue.unit,
        "region_code": clue.region_code,
        "title": clue.title[:500],
        "content": clue.content,
        "state": "open",
        "note": "",
        "subject": "",
        "received_at": from_microseconds(routed.received_at_us),
        "due_at": _moment(clue.due_at_us),
    }


def _judgment(routed: ClueRouted, outcome: str, lost: str) -> dict[str, Any]:
    clue: Clue = routed.clue
    said = clue.attributes
    instance = said.get("instance", "")
    return {
        "id": derived_id("disputes/court", clue.external_id, instance, clue.unit),
        "receipt": routed.receipt,
        "case_number": clue.external_id,
        "instance": instance,
        "court": said.get("court", ""),
        "unit": clue.unit,
        "review_organ": said.get("review_organ", ""),
        "outcome": outcome,
        "lost": lost,
        "ground": said.get("ground", ""),
        "act_number": said.get("act_number", ""),
        "head_attended": said.get("head_attended", ""),
        "performed": said.get("performed", ""),
        "decided_on": local_date(from_microseconds(clue.occurred_at_us)),
        "effective_on": _day(said.get("effective_on", "")),
        "version": clue.external_version,
    }


def _moment(value_us: int) -> datetime | None:
    return from_microseconds(value_us) if value_us else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None

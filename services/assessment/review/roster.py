"""
The roster of reviewers 评审员名册: who is willing to take part and holds the role now.

Reviewers join and leave by themselves; nobody can put another on the list. That is willingness, and no more: for
which part of the tree somebody may review, and of which unit they are, is what the gateway told last (holders.py), so
whoever lost the role, was disabled or moved gets no work from then on, and is back when the role is. The directory's
copy says where their unit stands.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from contracts.directory.v1.directory_pb2 import UnitKind
from kernel.access.principal import Principal
from kernel.errors import RuleViolation
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work
from services.assessment.review.holders import reviewing
from services.assessment.review.model import HOLDER_ROLES, HOLDERS, REVIEWERS
from services.assessment.review.rules import Place, Reviewer
from services.assessment.tables import UNITS


class Roster:
    """The reviewers of one installation."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def join(self, who: Principal) -> None:
        """Be willing to take part in reviews; unit and area of this sign-in are noted. Raises RuleViolation."""
        if not who.own_unit or not who.unit_path:
            raise RuleViolation(
                "账号没有所属单位或管辖范围，不能参加评审。", code="assessment.reviewer_unplaced"
            )
        self._set(who, is_active=True)

    def leave(self, who: Principal) -> None:
        """Take no new reviews; those given already stay until they are done or handed on."""
        self._set(who, is_active=False)

    def has(self, who: Principal) -> bool:
        """Whether the caller is willing to take part."""
        with self._store.reading() as session:
            wanted = select(REVIEWERS.c.is_active).where(REVIEWERS.c.account == who.account)
            return bool(session.execute(wanted).scalar_one_or_none())

    def _set(self, who: Principal, *, is_active: bool) -> None:
        def write(work: Work) -> None:
            values = {
                "unit": who.own_unit,
                "area": who.unit_path,
                "is_active": is_active,
                "changed_by": who.account,
                "changed_at": work.clock.now(),
            }
            row = {"account": who.account, **values}
            write_rows(
                work.session,
                REVIEWERS,
                [row],
                keys=("account",),
                on_conflict=dict.fromkeys(values, "replace"),
            )
            work.audit(who, "reviewer.joined" if is_active else "reviewer.left", f"reviewers/{who.account}")

        self._store.transact(write)


def reviewers(session: Session, today: date) -> list[Reviewer]:
    """Everybody who takes part and holds the role today, once for each unit the role is granted on."""
    holding, may_review = reviewing(today)
    willing = holding.join(REVIEWERS, REVIEWERS.c.account == HOLDERS.c.account)
    wanted = (
        select(HOLDERS.c.account, HOLDERS.c.unit, HOLDER_ROLES.c.unit_path)
        .select_from(willing)
        .where(REVIEWERS.c.is_active, may_review)
        .order_by(HOLDERS.c.account, HOLDER_ROLES.c.unit)
    )
    rows = session.execute(wanted).all()
    known = places(session, {row.unit for row in rows})
    return [Reviewer(row.account, known[row.unit], row.unit_path) for row in rows if row.unit in known]


def places(session: Session, units: Iterable[str]) -> dict[str, Place]:
    """Where units stand; one that the directory has not told of is missing."""
    table = UNITS.table
    codes = sorted(set(units))
    found: dict[str, Place] = {}
    for start in range(0, len(codes), 500):
        wanted = select(table.c.code, table.c.path, table.c.field, table.c.kind)
        for row in session.execute(wanted.where(table.c.code.in_(codes[start : start + 500]))):
            found[row.code] = Place(row.code, row.path, row.field, row.kind == UnitKind.UNIT_KIND_GOVERNMENT)
    return found


def place_of(session: Session, who: Principal) -> Place:
    """Where the caller stands now, by the directory."""
    return places(session, [who.own_unit]).get(who.own_unit, Place(who.own_unit, ""))


def loads(session: Session) -> Mapping[str, int]:
    """How many open reviews each reviewer has."""
    counted: Sequence[Any] = session.execute(
        text(
            "SELECT a.reviewer, count(*) FROM review_assignments a JOIN reports r ON r.id = a.report "
            "AND r.round = a.round WHERE a.done_at IS NULL AND a.replaced_at IS NULL AND a.reviewer <> '' "
            "AND r.state IN ('submitted', 'reviewing') GROUP BY a.reviewer"
        )
    ).all()
    return {row[0]: row[1] for row in counted}

"""
Silence 逾期的法律后果: facts that come about because nobody did anything (Arts. 30, 31).

The fact is dated the last day of the period and recorded once that day is over. A provisional deadline makes no
fact: whether the period ran out is then a guess, so a person settles the deadline first (期限核定).
"""

from collections.abc import Mapping
from datetime import date

from services.disputes.reconsideration.rules import steps as s
from services.disputes.reconsideration.rules.case import AnyStep, Case
from services.disputes.reconsideration.rules.deadlines import ACCEPTANCE, SUPPLY, Due


def by_silence(case: Case, kept: Mapping[str, Due], today: date) -> AnyStep | None:
    """The fact that silence made by today, if any: deemed acceptance, or abandonment."""
    examine, supply = kept.get(ACCEPTANCE), kept.get(SUPPLY)
    if examine is not None and _is_over(examine, today) and case.state == "received":
        return s.DeemedAccepted(kind="deemed_accepted", on=examine.due_on)
    if supply is not None and _is_over(supply, today) and case.state == "awaiting_material":
        return s.Abandoned(kind="abandoned", on=supply.due_on)
    return None


def _is_over(due: Due, today: date) -> bool:
    return not due.provisional and today > due.due_on

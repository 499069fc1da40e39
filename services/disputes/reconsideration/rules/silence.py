"""
Silence 逾期的法律后果: facts that come about because nobody did anything (Arts. 30, 31).

The fact is dated the last day of the period and recorded once that day is over. A provisional deadline makes no
fact: whether the period ran out is then a guess, so a person settles the deadline first (期限核定).

The law accepts when the period runs out that began with the receipt as it was (Art. 30), whatever was written down of
it first. So a corrected day of receipt takes the deemed acceptance along, makes it, or shows that it never came about.
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


def by_correction(case: Case, kept: Mapping[str, Due], today: date) -> s.DeemedAccepted | None:
    """The deemed acceptance that stands now that the period of examination is another; None where nothing changes."""
    made, ends = case.last(s.DeemedAccepted), _accepted_by_silence(case, kept.get(ACCEPTANCE), today)
    if ends is not None and (made is None or made.on != ends):
        return s.DeemedAccepted(kind="deemed_accepted", on=ends)
    if made is not None and ends is None:
        return s.DeemedAccepted(kind="deemed_accepted", on=made.on, lapsed=True)
    return None


def _accepted_by_silence(case: Case, examine: Due | None, today: date) -> date | None:
    """The last day of the examination, if nobody did anything until then."""
    if examine is None or not _is_over(examine, today):
        return None
    acts = [step for step in case.steps if isinstance(step, (s.Accepted, s.Refused, s.MaterialAsked))]
    began_anew = case.has(s.MaterialSupplied)  # what was asked for before is then no act within this period
    in_time = any(
        step.on <= examine.due_on for step in acts if not (began_anew and isinstance(step, s.MaterialAsked))
    )
    return None if in_time else examine.due_on


def _is_over(due: Due, today: date) -> bool:
    return not due.provisional and today > due.due_on

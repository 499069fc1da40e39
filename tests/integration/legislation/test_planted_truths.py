"""Every fault planted in a made-up province is found, and nothing else is."""

from datetime import UTC, datetime

import pytest

from contracts.findings import Outcome
from fazhi.province import NormativeDocument, Province
from services.legislation.drafting.service import Entry
from tests.integration.legislation.conftest import Desk


def as_entry(made: NormativeDocument) -> Entry:
    return Entry(
        unit=made.unit,
        number=made.number,
        title=made.title,
        comment_opened_on=made.comment_opened_on,
        comment_closed_on=made.comment_closed_on,
        reviewed_on=made.reviewed_on,
        review_result=made.review_result,
        deliberated_on=made.deliberated_on,
        signed_on=made.signed_on,
        registration=made.registration,
        published_on=made.published_on,
        effective_on=made.effective_on,
        filed_on=made.filed_on,
        expires_on=made.expires_on,
        used_on=made.used_on,
    )


@pytest.mark.parametrize("seed", [1, 7])
def test_the_planted_faults_of_a_city_are_found_and_no_others(desk: Desk, seed: int) -> None:
    desk.clock.set(datetime(2026, 11, 1, 4, tzinfo=UTC))
    province = Province(seed, "city")
    made = list(province.normative_documents())
    planted = {
        (truth.unit, truth.key, truth.probe)
        for truth in province.truths()
        if truth.subject == "normative_document" and truth.expected == "fail"
    }
    assert desk.app.register.import_entries(map(as_entry, made)) == len(made)
    numbers = {row.id: row.number for row in documents(desk)}
    failed = {
        (event.unit, numbers[event.subject.rpartition("/")[2]], event.probe)
        for event in desk.told()
        if event.outcome == int(Outcome.FAIL)
    }
    assert len(planted) > 3
    assert failed == planted


def documents(desk: Desk) -> list[object]:
    from sqlalchemy import select

    from services.legislation.drafting.model import NormativeDocument as Stored

    with desk.app.store.reading() as session:
        return list(session.scalars(select(Stored)))

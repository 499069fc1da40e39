"""The file that a case came in is the evidence of its findings: kept as it was, named by its digest, for those it concerns."""

import hashlib

import pytest

from contracts.events.v1.scored_pb2 import ScoredEvents
from kernel.errors import NotFound
from tests.integration.enforcement.conftest import CLERK, STRANGER, Office
from tests.support.enforcement import csv_file, rows_of


def test_every_event_of_a_case_names_the_file_it_came_in_and_the_file_is_there(office: Office) -> None:
    content = csv_file(rows_of(2), encoding="gb18030")
    cases = office.app.cases
    report = cases.check_file(CLERK, content, "王某某案.csv")
    cases.confirm(CLERK, report.digest)
    while cases.look_at_waiting():
        pass
    with office.app.store.reading() as session:
        outbox = office.app.store.spine.outbox
        bodies = [row.body for row in session.execute(outbox.select().where(outbox.c.name == "scored.v1"))]
    events = [event for body in bodies for event in ScoredEvents.FromString(body).events]
    assert events
    digest = hashlib.sha256(content).hexdigest()
    assert {(e.evidence[0].digest, e.evidence[0].name, e.evidence[0].media_type) for e in events} == {
        (f"sha256:{digest}", "执法案件数据表.csv", "text/csv")
    }
    assert not [e for e in events if "王某某" in str(e)]  # the file's own name may name a person
    assert cases.content(CLERK, digest) == ("王某某案.csv", content)


def test_a_file_is_for_those_whose_cases_it_holds(office: Office) -> None:
    report = office.app.cases.check_file(CLERK, csv_file(rows_of(1)), "案件.csv")
    with pytest.raises(NotFound):  # checked, not yet imported: it is evidence of nothing
        office.app.cases.content(CLERK, report.digest)
    office.app.cases.confirm(CLERK, report.digest)
    with pytest.raises(NotFound):
        office.app.cases.content(STRANGER, report.digest)

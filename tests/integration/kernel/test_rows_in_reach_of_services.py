"""The wall of each service (R35): whose rows are whose, asked of the tables themselves without any condition."""

from types import SimpleNamespace

import pytest
from sqlalchemy import func, insert, select

from gateway.clues.model import ClueOriginal, ClueRow, ProgressRow
from gateway.tables import UNITS as GATEWAY_UNITS
from kernel.ids import new_id
from kernel.storage.reach import EVERYTHING, NOTHING, Reach, within
from services.decisions.procedures.model import PROCEDURES
from services.decisions.procedures.model import STEPS as PROCEDURE_STEPS
from services.decisions.tables import UNITS as DECISION_UNITS
from services.disputes.matters.model import COURT_OUTCOMES, MATTERS
from services.disputes.reconsideration.model import CASES as RECONSIDERATIONS
from services.disputes.reconsideration.model import DEADLINES
from services.disputes.reconsideration.model import STEPS as CASE_STEPS
from services.disputes.tables import UNITS as DISPUTE_UNITS
from services.enforcement.cases.model import CASES, FILES, PARTS, VERSIONS
from services.enforcement.supervision.model import LEADS
from services.enforcement.tables import UNITS as ENFORCEMENT_UNITS
from tests.support.rows import row_of
from tests.support.stores import built, postgresql_runtime

AREA, UNIT, PATH = "/15/150102/", "150102-scjg", "/15/150102/150102-scjg/"
OURS = Reach(AREA, "150102", "ours")
OTHERS = Reach("/15/150103/", "150103", "others")
CLUES, ORIGINALS, PROGRESS = (model.__table__ for model in (ClueRow, ClueOriginal, ProgressRow))


@pytest.fixture
def service(request, postgresql_url, tmp_path):
    """A service with these rows, and a unit of ours in its directory; `seen(reach)` counts every table."""
    package, units, rows = request.param
    runtime = postgresql_runtime(tmp_path, postgresql_url)
    store = built(runtime, package).store
    key = new_id()
    rows = [
        (table, {name: key if value is ID else value for name, value in given.items()})
        for table, given in rows
    ]

    def put(work, table, **given):
        work.session.execute(insert(table).values(row_of(table, **given)))

    with within(EVERYTHING), store.work() as work:
        put(work, units.table, code=UNIT, path=PATH, region_code="150102")
        put(work, units.table, code="150103-scjg", path="/15/150103/150103-scjg/", region_code="150103")
        for table, given in rows:
            put(work, table, **given)
        work.commit()

    def seen(whose):
        with within(whose), store.reading() as session:
            return {
                table.name: session.execute(select(func.count()).select_from(table)).scalar_one()
                for table, _ in rows
            }

    yield SimpleNamespace(seen=seen)
    runtime.close()


ID = object()
ENFORCEMENT = (
    "services.enforcement",
    ENFORCEMENT_UNITS,
    [
        (CASES, {"id": ID, "unit": UNIT}),
        (VERSIONS, {"case_id": ID}),
        (FILES, {"unit": UNIT, "state": "checked", "purpose": "new"}),
        (PARTS, {"unit": UNIT, "body": b"x"}),
        (LEADS, {"unit": UNIT, "state": "received", "region_code": "150102"}),
    ],
)
DECISIONS = (
    "services.decisions",
    DECISION_UNITS,
    [
        (PROCEDURES, {"id": ID, "unit": UNIT, "phase": "", "lead": "150103-tj", "reviewer": "150103-sf"}),
        (PROCEDURE_STEPS, {"procedure": ID}),
    ],
)
DISPUTES = (
    "services.disputes",
    DISPUTE_UNITS,
    [
        (
            RECONSIDERATIONS,
            {"id": ID, "organ": "15", "respondent": UNIT, "state": "draft", "track": "ordinary"},
        ),
        (CASE_STEPS, {"of_case": ID}),
        (DEADLINES, {"of_case": ID}),
        (MATTERS, {"unit": UNIT, "state": "open"}),
        (COURT_OUTCOMES, {"unit": UNIT}),
    ],
)
GATEWAY = (
    "gateway",
    GATEWAY_UNITS,
    [
        (CLUES, {"receipt": ID, "unit": UNIT, "unit_path": PATH, "system": "hotline", "state": "routed"}),
        (ORIGINALS, {"receipt": ID, "sealed": b"x"}),
        (PROGRESS, {"receipt": ID, "state": "routed"}),
    ],
)


@pytest.mark.parametrize(
    "service", [ENFORCEMENT, DECISIONS, DISPUTES, GATEWAY], indirect=True, ids=lambda given: given[0]
)
def test_the_area_sees_its_rows_and_nobody_else_does(service):
    assert set(service.seen(EVERYTHING).values()) == {1}
    assert set(service.seen(OURS).values()) == {1}
    assert set(service.seen(OTHERS).values()) == {0}
    assert set(service.seen(NOTHING).values()) == {0}


@pytest.mark.parametrize("service", [DECISIONS], indirect=True)
def test_a_decision_is_also_its_lead_s_and_its_reviewing_department_s(service):
    for unit in ("150103-tj", "150103-sf"):
        assert set(service.seen(Reach("/15/150103/x/", unit, "others")).values()) == {1}


@pytest.mark.parametrize("service", [DISPUTES], indirect=True)
def test_a_case_is_also_its_organ_s(service):
    seen = service.seen(Reach("/15/15-sf/", "15", "organ"))
    assert [seen[table.name] for table in (RECONSIDERATIONS, CASE_STEPS, DEADLINES)] == [1, 1, 1]
    assert [seen[table.name] for table in (MATTERS, COURT_OUTCOMES)] == [0, 0]


@pytest.mark.parametrize("service", [GATEWAY], indirect=True)
def test_a_clue_is_also_the_sender_s_and_no_other_sender_s(service):
    assert set(service.seen(Reach(account="hotline")).values()) == {1}
    assert set(service.seen(Reach(account="petition")).values()) == {0}


UNPLACED = ("services.enforcement", ENFORCEMENT_UNITS, [
    (LEADS, {"unit": "", "state": "received", "region_code": "150102"}),
])  # fmt: skip


@pytest.mark.parametrize("service", [UNPLACED], indirect=True)
def test_a_lead_of_no_unit_is_for_the_area_of_its_region(service):
    assert service.seen(OURS) == {"leads": 1}
    assert service.seen(OTHERS) == service.seen(NOTHING) == {"leads": 0}

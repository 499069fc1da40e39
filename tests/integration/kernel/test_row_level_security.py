"""
Row level security as the wall behind every query (R35): on a real PostgreSQL, the service's role not the owner.

Nothing is said here beyond what production says: who says nothing has nothing in reach.
"""

import asyncio
from datetime import UTC, date, datetime

import httpx
import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import ProgrammingError

from contracts.roles import INSPECTOR, UNIT_HEAD
from fazhi.prove.p5 import BUGS
from fazhi.services import build
from kernel.access.principal import Principal
from kernel.access.tokens import Issuer, Verifier, make_key
from kernel.clock import SystemClock
from kernel.errors import NotFound
from kernel.hosting.api import build_api
from kernel.hosting.background import repeat
from kernel.hosting.runtime import Runtime
from kernel.ids import new_id
from kernel.settings import Settings
from kernel.storage import reach
from kernel.storage.db import open_database
from kernel.storage.migrate import upgrade
from kernel.storage.ownership import grant, open_as_owner
from kernel.storage.reach import EVERYTHING, NOTHING, Reach, beyond, within
from kernel.telemetry import metrics
from services.assessment.detection.model import DETECTION_DECISIONS, DETECTION_DRAFTS
from services.assessment.objections.model import OBJECTION_EVENTS, OBJECTIONS
from services.assessment.rectification import reading
from services.assessment.rectification.model import ORDER_EVENTS, ORDERS
from services.assessment.reporting.model import (
    REPORT_EVENTS,
    REPORT_FILES,
    REPORT_VERSIONS,
    REPORT_WORKBOOKS,
    REPORTS,
)
from services.assessment.review.model import REVIEW_ASSIGNMENTS, REVIEW_MARKS
from services.assessment.sheets.model import SHEET_FILES, SHEET_VERSIONS, SHEETS
from services.assessment.surveys.model import (
    SURVEY_ANSWERS,
    SURVEY_BATCHES,
    SURVEY_CODES,
    SURVEY_COUNTS,
    SURVEYS,
)
from services.assessment.tables import UNITS
from services.assessment.tasks.model import DUTIES, NOTES, PLANS, REMINDERS, TASKS
from services.assessment.warnings.model import WARNINGS, WATCHED
from tests.support.rows import row_of

OURS, THEIRS = "150102-scjg", "150103-scjg"
PATHS = {OURS: "/15/150102/150102-scjg/", THEIRS: "/15/150103/150103-scjg/"}
SOON = datetime(2026, 4, 1, tzinfo=UTC)
COUNTY = Reach(path="/15/150102/", unit="150102", account="ducha")
WALLED = (
    REPORTS,
    REPORT_VERSIONS,
    REPORT_EVENTS,
    REPORT_FILES,
    REPORT_WORKBOOKS,
    REVIEW_ASSIGNMENTS,
    REVIEW_MARKS,
    ORDERS,
    ORDER_EVENTS,
    OBJECTIONS,
    OBJECTION_EVENTS,
    SHEETS,
    SHEET_VERSIONS,
    SHEET_FILES,
    WARNINGS,
    WATCHED,
    DETECTION_DRAFTS,
    DETECTION_DECISIONS,
    PLANS,
    TASKS,
    DUTIES,
    NOTES,
    REMINDERS,
    SURVEYS,
    SURVEY_CODES,
    SURVEY_BATCHES,
    SURVEY_ANSWERS,
    SURVEY_COUNTS,
)
VERSIONS = ("0011_rows_in_reach", "0013_more_rows_in_reach", "0017_walls_of_tasks")


@pytest.fixture(scope="module", autouse=True)
def as_in_production():
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(reach, "_unsaid", NOTHING)
        yield


class Office:
    """Assessment with one connection, its database's owner beside it, and one of everything for two units."""

    def __init__(self, server, folder):
        service, self.owner_url = server.create_separated("r35_assessment")
        owner = open_as_owner(self.owner_url)
        upgrade(owner, "services.assessment")
        grant(owner, "r35_assessment")
        owner.close()
        self.runtime = Runtime(Settings(data=folder, database_url=service, database_pool=1))
        self.service = build("assessment", self.runtime)
        self.store = self.service.app.store
        self.ids = {unit: new_id() for unit in PATHS}
        with within(EVERYTHING), self.store.work() as work:
            for unit in PATHS:
                self._furnish(work.session, unit)
            work.commit()

    def _furnish(self, session, unit):
        def put(table, **values):
            session.execute(insert(table).values(row_of(table, **values)))

        key = self.ids[unit]
        put(UNITS.table, code=unit, path=PATHS[unit])
        put(REPORTS, id=key, unit=unit, state="submitted")
        put(REPORT_VERSIONS, report=key)
        put(REPORT_EVENTS, report=key, act="submitted")
        put(REPORT_FILES, unit=unit)
        put(REPORT_WORKBOOKS, unit=unit, state="checked")
        put(REVIEW_ASSIGNMENTS, report=key, unit=unit, place=1, reviewer=f"reviewer-{unit}")
        put(REVIEW_MARKS, report=key, place=1, decision="score")
        put(ORDERS, id=key, unit=unit, state="open", outcome="", issuer="ducha", due_at=SOON)
        put(ORDER_EVENTS, matter=key, kind="issued", detail="{}")
        put(OBJECTIONS, id=key, unit=unit, state="filed", outcome="", due_at=SOON)
        put(OBJECTION_EVENTS, matter=key, kind="filed", detail="{}")
        put(SHEETS, id=key, unit=unit, kind="on_site", assignee=f"assignee-{unit}")
        put(SHEET_VERSIONS, sheet=key)
        put(SHEET_FILES, sheet=key)
        put(WARNINGS, unit=unit, kind="line")
        put(WATCHED, unit=unit)
        put(DETECTION_DRAFTS, id=key, unit=unit, kind="gap")
        put(DETECTION_DECISIONS, draft=key, decision="dismissed")
        put(PLANS, scope=PATHS[unit])
        put(TASKS, id=key, area=unit)
        put(DUTIES, task=key, unit=unit, role="lead")
        put(NOTES, area=unit, kind="progress")
        put(REMINDERS, task=key, unit=unit)
        put(SURVEYS, id=key, scope=PATHS[unit], way="web")
        put(SURVEY_CODES, digest=f"code of {unit}", survey=key, unit=unit)
        put(SURVEY_BATCHES, survey=key, digest=f"file of {unit}", account=f"taker-{unit}")
        put(SURVEY_ANSWERS, survey=key, unit=unit, code=None, batch=f"file of {unit}")
        put(SURVEY_COUNTS, survey=key, unit=unit)

    def rows(self, table, whose=None):
        """What a query without any condition finds."""

        def found():
            with self.store.reading() as session:
                return session.execute(select(func.count()).select_from(table)).scalar_one()

        if whose is None:
            return found()
        with within(whose):
            return found()


@pytest.fixture(scope="module")
def office(postgresql, tmp_path_factory):
    office = Office(postgresql, tmp_path_factory.mktemp("r35"))
    yield office
    office.runtime.close()


@pytest.mark.parametrize("table", WALLED, ids=lambda table: table.name)
def test_a_query_that_forgets_its_condition_finds_what_is_in_reach(office, table):
    assert office.rows(table, EVERYTHING) == 2
    assert office.rows(table, COUNTY) == 1
    assert office.rows(table, Reach(path="/15/")) == 2
    assert office.rows(table, Reach(path="/16/", unit="16", account="x")) == 0


@pytest.mark.parametrize("table", WALLED, ids=lambda table: table.name)
def test_who_says_nothing_finds_nothing(office, table):
    assert office.rows(table) == 0
    with within(NOTHING):
        assert office.rows(table) == 0


def test_a_connection_on_which_nothing_was_ever_set_finds_nothing(office):
    import psycopg

    plain = office.store.database.engine.url.set(drivername="postgresql").render_as_string(
        hide_password=False
    )
    with psycopg.connect(plain) as connection:
        assert connection.execute("SELECT current_setting('fazhi.reach', true)").fetchone() == (None,)
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (0,)


def test_a_pooled_connection_keeps_nothing_of_the_request_before(office):
    def seen():
        with office.store.reading() as session:
            found = session.execute(text("SELECT pg_backend_pid(), (SELECT count(*) FROM orders)")).one()
            return tuple(found)

    with within(EVERYTHING):
        connection, everything = seen()
    assert (connection, everything) == (connection, 2)
    assert seen() == (connection, 0)
    with within(COUNTY), pytest.raises(ProgrammingError), office.store.work() as work:
        work.session.execute(text("SELECT count(*) FROM orders WHERE nonsense"))
    assert seen() == (connection, 0)


def test_what_names_the_account_is_in_reach_wherever_the_unit_is(office):
    reviewer = Reach(path="/16/", unit="16-sf", account=f"reviewer-{OURS}")
    assert office.rows(REVIEW_ASSIGNMENTS, reviewer) == 1
    assert office.rows(REPORTS, reviewer) == office.rows(REPORT_VERSIONS, reviewer) == 1
    assert office.rows(ORDERS, reviewer) == 0
    company = Reach(account=f"assignee-{THEIRS}")
    assert office.rows(SHEETS, company) == office.rows(SHEET_FILES, company) == 1


def test_whoever_works_in_an_area_sees_its_tasks_and_surveys_but_not_its_answers(office):
    inside = Reach(path=f"{PATHS[OURS]}below/", unit="below", account="x")
    assert [office.rows(table, inside) for table in (PLANS, TASKS, DUTIES, NOTES, SURVEYS)] == [1] * 5
    assert [office.rows(table, inside) for table in (WARNINGS, SURVEY_CODES, SURVEY_ANSWERS)] == [0] * 3


def test_a_unit_that_was_moved_away_keeps_its_duty_and_learns_of_it(office):
    moved = Reach(path="/16/moved/", unit=OURS, account="x")
    assert [office.rows(table, moved) for table in (DUTIES, REMINDERS, TASKS, NOTES)] == [1, 1, 0, 0]


def test_whoever_took_a_file_of_answers_knows_of_it_and_of_nothing_in_it(office):
    taker = Reach(account=f"taker-{THEIRS}")
    assert (office.rows(SURVEY_BATCHES, taker), office.rows(SURVEY_ANSWERS, taker)) == (1, 0)


def test_whoever_looks_beyond_says_so_and_comes_back(office):
    with within(COUNTY), office.store.reading() as session:
        count = select(func.count()).select_from(ORDERS)
        assert session.execute(count).scalar_one() == 1
        with beyond("to see that it ends", session):
            assert session.execute(count).scalar_one() == 2
        assert session.execute(count).scalar_one() == 1
    with within(COUNTY), beyond("transactions that begin here"):
        assert office.rows(ORDERS) == 2
    assert office.rows(ORDERS) == 0


def test_whoever_fails_beyond_comes_back_too(office):
    """A refusal that is caught must not leave the rest of the transaction with everything in reach."""
    count = select(func.count()).select_from(ORDERS)
    with within(COUNTY), office.store.reading() as session:
        with pytest.raises(NotFound), beyond("to see that it ends", session):
            raise NotFound()
        assert session.execute(count).scalar_one() == 1
        with pytest.raises(ProgrammingError), beyond("a statement that fails", session):
            session.execute(text("SELECT nothing FROM nowhere"))


def test_the_owner_is_bound_because_the_wall_is_forced(office):
    owner = open_as_owner(office.owner_url)
    count = text("SELECT count(*) FROM orders")
    try:
        with owner.writing() as session:
            assert session.execute(count).scalar_one() == 0
            session.execute(text("ALTER TABLE orders NO FORCE ROW LEVEL SECURITY"))
            assert session.execute(count).scalar_one() == 2  # what FORCE is for
            session.rollback()
        with owner.reading() as session:
            assert session.execute(count).scalar_one() == 0
    finally:
        owner.close()


def test_raising_the_walls_again_changes_nothing(office):
    from importlib import import_module

    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    versions = [import_module(f"services.assessment.migrations.versions.{name}") for name in VERSIONS]
    owner = open_as_owner(office.owner_url)
    policies = text("SELECT tablename, policyname, qual, with_check FROM pg_policies ORDER BY tablename")
    with owner.writing() as session:
        before = session.execute(policies).all()
        with Operations.context(MigrationContext.configure(session.connection())):
            for version in versions:
                version.raise_walls(session.connection())
        assert session.execute(policies).all() == before
        assert {row.tablename for row in before} == {table.name for table in WALLED}
    owner.close()


class TestAWrite:
    def test_out_of_reach_is_refused_and_counted(self, office):
        before = metrics.ROWS_REFUSED.labels("orders")._value.get()
        row = row_of(ORDERS, unit=THEIRS, state="open", outcome="", matter="another", due_at=SOON)
        with within(COUNTY), pytest.raises(ProgrammingError, match="row-level security"):
            with office.store.work() as work:
                work.session.execute(insert(ORDERS).values(row))
        assert metrics.ROWS_REFUSED.labels("orders")._value.get() == before + 1

    def test_does_not_reach_rows_that_are_not_seen(self, office):
        with within(COUNTY), office.store.work() as work:
            touched = work.session.execute(update(ORDERS).values(is_late=1)).rowcount
            assert touched == 1

    def test_cannot_give_a_row_away(self, office):
        with within(COUNTY), pytest.raises(ProgrammingError, match="row-level security"):
            with office.store.work() as work:
                work.session.execute(update(ORDERS).where(ORDERS.c.unit == OURS).values(unit=THEIRS))


@pytest.fixture(scope="module")
def browser(office, tmp_path_factory):
    make_key(key := tmp_path_factory.mktemp("keys") / "identity.pem")
    issuer = Issuer(key.read_bytes(), SystemClock())
    verifier = Verifier(issuer.public_pem, SystemClock())
    api = build_api("assessment", "考核", office.service.routers(), verifier, office.store)

    async def asked(who, path):
        transport = httpx.ASGITransport(api)
        async with httpx.AsyncClient(transport=transport, base_url="http://wall.test") as client:
            headers = {"authorization": f"Bearer {issuer.issue(who)}"}
            return await client.get(f"/api/assessment/v1{path}", headers=headers)

    return lambda who, path: asyncio.run(asked(who, path))


HEAD = Principal(account="head", unit=OURS, unit_path=PATHS[OURS], roles=frozenset({UNIT_HEAD}))
ABOVE = Principal(account="ducha", unit="15", unit_path="/15/", roles=frozenset({INSPECTOR}))


def test_an_application_that_forgets_the_area_still_shows_no_foreign_order(office, browser, monkeypatch):
    monkeypatch.setattr(reading, "visible", reading.visible)  # so that it is put back
    BUGS["forgets_the_area"]()
    shown = browser(HEAD, "/orders").json()
    assert shown["total"] == 1
    assert [row["id"] for row in shown["rows"]] == [office.ids[OURS]]
    assert browser(HEAD, f"/orders/{office.ids[THEIRS]}").status_code == 404
    assert browser(ABOVE, "/orders").json()["total"] == 2
    nowhere = Principal(account="head", roles=frozenset({UNIT_HEAD}))
    assert browser(nowhere, "/orders").json()["total"] == 0


def test_without_the_wall_that_application_would_show_them(office, browser, monkeypatch):
    monkeypatch.setattr(reading, "visible", reading.visible)
    BUGS["forgets_the_area"]()
    with beyond("what the planted fault does where nothing stands behind it"):
        total, _, _ = reading.OrderReading(office.store).page(HEAD)
    assert total == 2


def test_a_worker_says_it_once_a_connection_and_not_once_a_transaction(office, monkeypatch):
    told = []
    tell = reach._tell
    monkeypatch.setattr(reach, "_unsaid", EVERYTHING)
    monkeypatch.setattr(reach, "_tell", lambda connection, said: (told.append(said), tell(connection, said)))
    worker = open_database(office.runtime.settings.database_url, pool_size=1)
    count = text("SELECT count(*) FROM orders")
    for whose, rows in ((EVERYTHING, 2), (COUNTY, 1), (EVERYTHING, 2), (NOTHING, 0), (EVERYTHING, 2)):
        with within(whose), worker.reading() as session:
            assert session.execute(count).scalar_one() == rows
    assert told == [COUNTY, NOTHING]
    with within(EVERYTHING), worker.reading() as session, beyond("a worker comes by here too", session):
        assert session.execute(count).scalar_one() == 2
    worker.close()


def test_clocks_and_what_is_heard_act_for_the_platform():
    import threading

    stop, seen = threading.Event(), []

    def act():
        seen.append(reach.current())
        stop.set()

    thread = threading.Thread(target=repeat, args=("a clock", 0, act, stop))
    thread.start()
    thread.join()
    assert seen == [EVERYTHING]
    assert reach.current() == NOTHING


def test_a_day_is_given_to_rows_that_need_one():
    assert row_of(REPORTS)["due_on"] == date(2026, 3, 5)

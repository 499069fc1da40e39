"""What auditors look for is found by an index, however long the record is: as PostgreSQL itself says it would look."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, insert, text

from kernel.access.principal import Principal
from kernel.clock import SystemClock
from kernel.storage.audit_read import Asked, AuditRecords
from kernel.storage.db import open_database
from kernel.storage.migrate import upgrade
from kernel.storage.work import Store
from services.decisions.tables import SPINE, UNITS
from tests.support.rows import row_of

ROWS = 20_000
BEGINS = datetime(2023, 1, 1, tzinfo=UTC)
TOP = Principal(account="shenji", unit="15", unit_path="/15/")
COUNTY = Principal(account="shenji2", unit="1502", unit_path="/15/1502/")
# One in two thousand is what somebody looks for, and lies all over three years.
_FILLED = text(
    """
    INSERT INTO audit (id, at, actor, actor_unit, action, object, result)
    SELECT gen_random_uuid(), cast(:begins AS timestamptz) + n * (interval '1096 days' / :rows),
        CASE WHEN n % 2000 = 7 THEN 'rare' ELSE 'person' || n % 900 END,
        CASE WHEN n % 2000 = 7 THEN '1502-sf' ELSE '1501-' || n % 300 END,
        CASE WHEN n % 2000 = 7 THEN 'grant.revoked' ELSE 'case.read' END,
        'cases/' || gen_random_uuid() || CASE WHEN n % 2000 = 7 THEN '/seldom' ELSE '' END,
        CASE WHEN n % 2000 = 7 THEN 'denied' ELSE 'done' END
    FROM generate_series(1, :rows) AS n
    """
)


@pytest.fixture(scope="module")
def records(postgresql):
    database = open_database(postgresql.create_plain("audit_search"), pool_size=2)
    upgrade(database, "services.decisions")
    store = Store(database, SPINE, "decisions", SystemClock())
    with database.writing() as session:
        session.execute(_FILLED, {"rows": ROWS, "begins": BEGINS})
        for code, path in (("15", "/15/"), ("1502", "/15/1502/"), ("1502-sf", "/15/1502/1502-sf/")):
            session.execute(insert(UNITS.table).values(row_of(UNITS.table, code=code, path=path)))
        session.execute(text("ANALYZE audit"))
        session.commit()
    yield AuditRecords(store, UNITS.table), database
    database.close()


@pytest.mark.parametrize(
    ("who", "asked", "index"),
    [
        (TOP, {"actor": "rare"}, "ix_audit_actor"),
        (TOP, {"actor": "rare", "before": 9_000}, "ix_audit_actor"),
        (TOP, {"action": "grant."}, "ix_audit_action"),
        (TOP, {"object": "seldom"}, "ix_audit_object"),
        (TOP, {"result": "denied"}, "ix_audit_denied"),
        (TOP, {"since": BEGINS, "until": BEGINS + timedelta(days=1)}, "ix_audit_at"),
        (TOP, {"action": "case.", "actor": "rare"}, "ix_audit_actor"),
        (COUNTY, {}, "ix_audit_unit"),
    ],
)
def test_what_is_rare_is_found_by_its_index(records, who, asked, index):
    record, database = records
    said = []

    def heard(_connection, _cursor, statement, parameters, *_more):
        if statement.startswith("SELECT audit."):
            said.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", heard)
    try:
        found = record.page(who, Asked(**asked), limit=100)
    finally:
        event.remove(database.engine, "before_cursor_execute", heard)
    (asking,) = said
    with database.reading() as session:
        plan = session.connection().exec_driver_sql(f"EXPLAIN {asking[0]}", asking[1]).scalars().all()
    assert index in "\n".join(plan)
    assert "Seq Scan on audit" not in "\n".join(plan)
    assert {line.actor for line in found} <= {"rare"} if "since" not in asked else found


def test_what_is_common_is_read_from_the_newest_on(records):
    record, _ = records
    newest = record.page(TOP, Asked(action="case."), limit=3)
    assert [line.action for line in newest] == ["case.read"] * 3
    assert newest[0].seq > newest[1].seq > newest[2].seq

"""
Roles as in production: the service's role reads and appends to the record, and can do nothing else to it (R51).

All on a real PostgreSQL, through the door the operator uses: `fazhi migrate` and `fazhi maintain`.
"""

import os
import subprocess
import sys
from itertools import count

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import ProgrammingError

from fazhi.services import NAMES, build
from kernel.access.principal import Principal
from kernel.bus.inbound import Inbound
from kernel.bus.inprocess import InProcessBus
from kernel.bus.markers import subscriptions
from kernel.bus.port import Delivery
from kernel.errors import Invalid
from kernel.hosting.runtime import Runtime
from kernel.messages import Queue
from kernel.settings import Settings
from kernel.storage.audit_check import AuditCheck
from kernel.storage.audit_seal import AuditSealer, signer_of
from kernel.storage.db import open_database
from kernel.storage.ownership import append_only, grant, open_as_owner
from kernel.storage.relay import Relay
from kernel.storage.retention import keep_outbox
from services.assessment.scoring.model import EVENT_LOG
from tests.support.events import a_message, an_event
from tests.support.gateway import PASSWORD, furnish

WHO = Principal(account="ducha", unit="15")
_numbers = count(1)


def fazhi(*words, **settings):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FAZHI_")}
    return subprocess.run(
        [sys.executable, "-m", "fazhi", *words],
        env={**kept, **{f"FAZHI_{name.upper()}": str(value) for name, value in settings.items()}},
        capture_output=True,
        text=True,
        check=False,
    )


class Installation:
    """Databases of all services, migrated by the owner; here we are the services."""

    def __init__(self, server, folder):
        stem = f"r51_{next(_numbers)}"
        urls = {name: server.create_separated(f"{stem}_{name}") for name in NAMES}
        service, owner = (url.replace(f"{stem}_gateway", f"{stem}_{{service}}") for url in urls["gateway"])
        self.settings = {"data": folder, "database_url": service, "owner_url": owner}
        self.runtime = Runtime(Settings(data=folder, database_url=service, owner_url=owner))
        self.role = f"{stem}_{{}}".format

    def migrate(self):
        done = fazhi("migrate", **self.settings)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def service(self, name):
        return build(name, self.runtime).app

    def as_owner(self, name):
        return build(name, Runtime(self.runtime.settings, as_owner=True)).app


@pytest.fixture(scope="module")
def installation(postgresql, tmp_path_factory):
    installation = Installation(postgresql, tmp_path_factory.mktemp("roles"))
    installation.migrate()
    yield installation
    installation.runtime.close()


@pytest.fixture(scope="module")
def gateway(installation):
    app = installation.service("gateway")
    furnish(app)
    return app


@pytest.fixture(scope="module")
def assessment(installation):
    app = installation.service("assessment")
    hear(installation, "assessment", a_message(an_event(), an_event(subject="enforcement/cases/2")))
    return app


def hear(installation, name, message):
    """Take a message as the service's worker does."""
    service = build(name, installation.runtime)
    worker = service.worker()
    for method, subscription in subscriptions(worker):
        if (message.source, message.name) in subscription.queue.keys:
            Inbound(service.app.store, subscription, getattr(worker, method)).take([Delivery(message, False)])
            return
    raise AssertionError(message.name)


ATTACKS = [
    "UPDATE {table} SET {column} = {column}",
    "UPDATE {table} SET {column} = {column} WHERE false",
    "DELETE FROM {table}",
    "DELETE FROM {table} WHERE false",
    "TRUNCATE {table}",
    "TRUNCATE {table} CASCADE",
    "DROP TABLE {table}",
    "DROP TABLE {table} CASCADE",
    "ALTER TABLE {table} DISABLE TRIGGER ALL",
    "ALTER TABLE {table} DISABLE TRIGGER {table}_no_change",
    "ALTER TABLE {table} DROP COLUMN {column}",
    "ALTER TABLE {table} OWNER TO CURRENT_USER",
    "DROP TRIGGER {table}_no_change ON {table}",
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "ALTER FUNCTION refuse_change() RENAME TO allow_change",
    "CREATE TRIGGER mine BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE RULE mine AS ON INSERT TO {table} DO INSTEAD NOTHING",
    "CREATE INDEX mine ON {table} ({column})",
    "LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE",
    "SET session_replication_role = replica",
    "SET ROLE {role}_owner",
    "CREATE TABLE mine (x int)",
    "CREATE SCHEMA mine",
    "UPDATE alembic_version SET version_num = '0000'",
    "DROP TABLE outbox_default",
    "SELECT setval(pg_get_serial_sequence('audit', 'seq'), 1)",
]


def is_refused(store, statement):
    """Whether the database says that this role may not, rather than that the statement is wrong."""
    with pytest.raises(ProgrammingError) as refused:
        attempt(store, statement)
    return refused.value.orig.sqlstate == "42501"


def attempt(store, statement):
    with store.work() as work:
        work.session.execute(text(statement))
        work.commit()


@pytest.mark.parametrize("attack", ATTACKS)
class TestTheServicesRole:
    def test_cannot_touch_an_audit_record(self, installation, gateway, attack):
        said = attack.format(table="audit", column="actor", role=installation.role("gateway"))
        before = rows(gateway.store, "audit")
        assert is_refused(gateway.store, said)
        assert rows(gateway.store, "audit") == before > 0

    def test_cannot_touch_the_ledger(self, installation, assessment, attack):
        said = attack.format(table="event_log", column="score_milli", role=installation.role("assessment"))
        before = rows(assessment.store, "event_log")
        assert is_refused(assessment.store, said)
        assert rows(assessment.store, "event_log") == before > 0


def rows(store, table):
    with store.reading() as session:
        return session.execute(
            select(func.count()).select_from(store.spine.audit.metadata.tables[table])
        ).scalar_one()


def test_what_it_has_it_cannot_give_away(gateway):
    with gateway.store.work() as work:
        work.session.execute(
            text("GRANT ALL ON audit TO PUBLIC")
        )  # PostgreSQL only warns that nothing was given
        work.commit()
    assert is_refused(gateway.store, "DELETE FROM audit")


def test_every_guarded_table_is_append_only_for_the_role_and_no_other_is(installation):
    query = text(
        "SELECT c.relname, has_table_privilege(:role, c.oid, 'UPDATE'), has_table_privilege(:role, c.oid, 'DELETE'), "
        "has_table_privilege(:role, c.oid, 'INSERT'), has_table_privilege(:role, c.oid, 'TRUNCATE'), "
        "pg_get_userbyid(c.relowner), (SELECT rolcanlogin FROM pg_roles WHERE oid = c.relowner) FROM pg_class c "
        "WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition"
    )
    kept = {}
    for name in NAMES:
        with installation.service(name).store.reading() as session:
            guarded = set(append_only(session.connection()))
            assert "audit" in guarded
            for table, update, delete, insert, truncate, owner, login in session.execute(
                query, {"role": installation.role(name)}
            ):
                assert (owner, login, truncate) == (f"{installation.role(name)}_owner", False, False)
                assert insert == (table != "alembic_version"), table
                assert update == delete == (table not in {*guarded, "alembic_version"}), table
        kept[name] = guarded
    assert kept["assessment"] >= {"audit", "event_log", "frameworks"}
    assert kept["enforcement"] >= {"audit", "case_versions"}


def test_the_gateway_works_and_its_facts_are_sent(installation, gateway, tmp_path):
    opened = gateway.sessions.sign_in("ducha", PASSWORD, address="10.0.0.9")
    assert opened.me.unit == "15"
    bus = InProcessBus(tmp_path / "bus.db", [Queue("all", (("gateway", "*"),))])
    relay = Relay(gateway.store, bus)
    assert relay.step() > 0
    relay._release()
    bus.close()
    with gateway.store.reading() as session:
        table = gateway.store.spine.audit
        actions = session.execute(select(table.c.action)).scalars().all()
    assert "session.opened" in actions


def test_assessment_takes_events_once_and_scores_from_them(installation, assessment):
    event = an_event(subject="enforcement/cases/77")
    before = rows(assessment.store, "event_log")
    for _ in range(2):
        hear(installation, "assessment", a_message(event))
    assert rows(assessment.store, "event_log") == before + 1
    done = assessment.rebuild()
    assert done.events == before + 1
    with assessment.store.reading() as session:
        assert session.execute(select(EVENT_LOG.c.seq).order_by("seq")).scalars().all() == list(
            range(1, before + 2)
        )


def test_outboxes_are_kept_by_the_owner_and_left_alone_by_the_service(installation, gateway):
    assert keep_outbox(gateway.store).made == ()
    owner = installation.as_owner("gateway").store
    with owner.database.writing() as session:
        newest = "SELECT max(inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = 'outbox'::regclass "
        newest = session.execute(text(newest + "AND inhrelid::regclass::text LIKE 'outbox_2%'")).scalar_one()
        session.execute(text(f"DROP TABLE {newest}"))
        session.commit()
    owner.database.close()
    done = fazhi("maintain", "gateway", **installation.settings)
    assert done.returncode == 0, done.stderr
    assert "新建 1 个分区" in done.stdout
    with gateway.store.work() as work:
        work.tell("unit_changed.v1", b"x")
        work.commit()


def test_the_service_seals_its_audit_log_and_cannot_unseal_it(gateway):
    assert AuditSealer(gateway.store).seal() is not None
    assert list(AuditCheck(gateway.store, [signer_of(gateway.store).key]).faults()) == []
    for table, column in (("audit_leaves", "leaf_hash"), ("audit_checkpoints", "note")):
        for attack in ATTACKS[:8]:
            assert is_refused(gateway.store, attack.format(table=table, column=column))


def test_migrating_again_takes_back_what_was_given_by_hand(installation, gateway):
    owner = installation.as_owner("gateway").store
    with owner.database.writing() as session:
        session.execute(text(f"GRANT ALL ON audit TO {installation.role('gateway')}"))
        session.execute(text("GRANT DELETE ON audit TO PUBLIC"))
        session.commit()
    owner.database.close()
    assert f"角色 {installation.role('gateway')} 只有所需的权限" in installation.migrate()
    assert is_refused(gateway.store, "DELETE FROM audit")
    assert is_refused(gateway.store, "TRUNCATE audit")


def test_it_is_said_whether_versions_are_current_without_the_owner(installation):
    done = fazhi(
        "migrate",
        "--check",
        data=installation.settings["data"],
        database_url=installation.settings["database_url"],
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_role_no_grant_can_bind_is_refused(installation, postgresql):
    owner = installation.as_owner("gateway").store.database
    for role, code in (
        (f"{installation.role('gateway')}_owner", "platform.role_owns_tables"),
        (f"{installation.role('gateway')}_migrate", "platform.role_owns_tables"),
        ("fazhi", "platform.role_owns_tables"),
        ("nobody-here", "platform.no_such_role"),
    ):
        with pytest.raises(Invalid) as refused:
            grant(owner, role)
        assert refused.value.stable_code == code
    owner.close()
    service_as_owner, _ = postgresql.create_separated(f"r51_plain_{next(_numbers)}")
    with pytest.raises(Invalid) as refused:
        open_as_owner(service_as_owner)
    assert refused.value.stable_code == "platform.not_the_owner"


def test_production_says_whether_the_service_owns_its_record(installation, postgresql_url, tmp_path, capsys):
    assert fazhi("migrate", "gateway", data=tmp_path, database_url=postgresql_url).returncode == 0
    for url, is_said in ((postgresql_url, True), (installation.settings["database_url"], False)):
        capsys.readouterr()
        runtime = Runtime(Settings(data=tmp_path, database_url=url, production=True))
        build("gateway", runtime)
        assert ("tables_owned_by_service" in "".join(capsys.readouterr())) is is_said
        runtime.close()


def test_without_separation_everything_stays_as_it_was(postgresql_url, tmp_path):
    done = fazhi("migrate", "gateway", data=tmp_path, database_url=postgresql_url)
    assert done.returncode == 0, done.stderr
    assert "角色" not in done.stdout
    database = open_database(postgresql_url)
    with database.reading() as session:
        assert "audit" in append_only(session.connection())
    database.close()

"""The audit log names every record that was altered, removed or planted, whoever did it (R51); both databases."""

# ruff: noqa: S608 - the attacks are put together from constants

import threading

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from kernel.access.principal import Principal
from kernel.access.tokens import make_key
from kernel.clock import SystemClock
from kernel.ids import new_id
from kernel.storage import audit_check, audit_log
from kernel.storage.audit_check import AuditCheck
from kernel.storage.audit_seal import AuditDamaged, AuditSealer, newest, read_sealed, sealing, signer_of
from kernel.storage.db import open_database
from kernel.storage.migrate import is_current, upgrade
from kernel.storage.spine import guard_statements
from kernel.storage.work import AuditIdentity, Store
from kernel.telemetry import metrics
from tests.support.toy import Toy

WHO = Principal(account="ducha", unit="15", roles=frozenset({"inspector"}), address="10.0.0.1")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    url = (
        f"sqlite:///{tmp_path / 'toy.db'}"
        if request.param == "sqlite"
        else request.getfixturevalue("postgresql_url")
    )
    database = open_database(url, pool_size=10)
    upgrade(database, "tests.support.migrated")
    yield database
    database.close()


@pytest.fixture
def store(database, tmp_path):
    make_key(tmp_path / "audit.pem")
    identity = AuditIdentity("fazhi.local/audit/toy", tmp_path / "audit.pem")
    return Store(database, Toy(database).spine, "toy", SystemClock(), audit=identity)


def act(store, count=1, begin=1):
    for number in range(begin, begin + count):
        with store.work() as work:
            work.audit(WHO, "case.opened", f"cases/{number}", after_digest="ab" * 32)
            work.commit()


def numbers(store):
    with store.reading() as session:
        return session.execute(select(store.spine.audit_leaves.c.number).order_by("number")).scalars().all()


def faults(store, kept=(), key=None):
    check = AuditCheck(store, [key or signer_of(store).key], kept)
    return [(fault.kind, fault.number) for fault in check.faults()]


def attack(store, *statements):
    """As somebody who owns the tables and switches the triggers off."""
    dialect = store.database.dialect
    with store.database.writing() as session:
        for table in ("audit", "audit_leaves", "audit_checkpoints"):
            for verb in ("update", "delete") if dialect == "sqlite" else ("change",):
                on = "" if dialect == "sqlite" else f" ON {table}"
                session.execute(text(f"DROP TRIGGER {table}_no_{verb}{on}"))
        for statement in statements:
            session.execute(text(statement))
        for table in ("audit", "audit_leaves", "audit_checkpoints"):
            for statement in guard_statements(dialect, table):
                session.execute(text(statement))
        session.commit()


def id_of(number):
    return f"(SELECT id FROM audit_leaves WHERE number = {number})"


def rehash(store, number):
    """What a thorough forger writes beside the record he altered."""
    with store.reading() as session:
        audit, leaves = store.spine.audit, store.spine.audit_leaves
        joined = audit.join(leaves, leaves.c.id == audit.c.id)
        row = (
            session.execute(select(audit).select_from(joined).where(leaves.c.number == number))
            .mappings()
            .one()
        )
    return audit_log.leaf_of(row)[1]


class TestWriting:
    def test_numbers_have_no_gaps_and_rise_in_the_order_of_commits(self, store):
        act(store, 3)
        with store.work() as undone:
            undone.audit(WHO, "case.opened", "cases/never")
        with store.work() as work:
            for number in range(3):
                work.audit(WHO, "case.closed", f"cases/{number}")
            work.commit()
        assert numbers(store) == [1, 2, 3, 4, 5, 6]
        assert faults(store) == []

    def test_eight_at_once_get_each_number_once(self, store):
        threads = [threading.Thread(target=act, args=(store, 15)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert numbers(store) == list(range(1, 121))
        assert faults(store) == []

    def test_what_a_savepoint_took_back_takes_no_number(self, store):
        with store.work() as work:
            work.audit(WHO, "kept", "cases/1")
            nested = work.session.begin_nested()
            work.audit(WHO, "taken back", "cases/2")
            nested.rollback()
            work.audit(WHO, "kept", "cases/3")
            work.commit()
        assert numbers(store) == [1, 2]
        assert faults(store) == []

    def test_every_kind_of_text_hashes_the_same_when_read_back(self, store):
        awkward = Principal(
            account="李某 ducha \u202e",
            unit="",
            roles=frozenset({"b", "a"}),
            session="ab",
            address="::1",
            request="r\t\n",
        )
        with store.work() as work:
            work.audit(awkward, "a\"\\'", "对象/😀", result="denied", reason_code="x", object_version="1e400")
            work.commit()
        AuditSealer(store).seal()
        assert faults(store) == []


class TestSealing:
    def test_a_checkpoint_says_size_and_root_and_is_signed(self, store):
        act(store, 5)
        note = AuditSealer(store).seal()
        key = signer_of(store).key
        key.require(note)
        assert read_sealed(str(note)).checkpoint.size == 5
        assert AuditSealer(store).seal() is None
        act(store)
        assert read_sealed(str(AuditSealer(store).seal())).checkpoint.size == 6
        assert faults(store) == []

    def test_goes_on_with_what_is_new_and_two_sealers_agree(self, store):
        one, two = AuditSealer(store), AuditSealer(store)
        for round_ in range(4):
            act(store, 3, begin=round_ * 3)
            assert one.seal() is not None
            assert two.seal() is None
        assert one._edge.root() == two._edge.root()
        assert one._edge.size == 12

    def test_nothing_altered_is_made_true_by_a_signature(self, store):
        act(store, 4)
        attack(store, f"UPDATE audit SET actor = 'nobody' WHERE id = {id_of(3)}")
        with pytest.raises(AuditDamaged, match="第 3 条"):
            AuditSealer(store).seal()
        with store.reading() as session:
            assert newest(session, store.spine) is None

    def test_a_rewritten_past_stops_the_sealing_and_raises_the_alarm(self, store):
        act(store, 4)
        AuditSealer(store).seal()
        attack(
            store,
            f"UPDATE audit SET actor = 'nobody' WHERE id = {id_of(2)}",
            "UPDATE audit_leaves SET leaf_hash = '" + "00" * 32 + "' WHERE number = 2",
        )
        act(store)
        turn = sealing(store)
        turn()
        assert metrics.AUDIT_DAMAGED.labels("toy")._value.get() == 1
        with store.reading() as session:
            assert newest(session, store.spine).checkpoint.size == 4

    def test_without_a_key_it_is_said_and_nothing_is_sealed(self, database, capsys):
        store = Store(database, Toy(database).spine, "toy", SystemClock())
        act(store)
        sealing(store)()
        assert "audit_not_sealed" in "".join(capsys.readouterr())
        with store.reading() as session:
            assert newest(session, store.spine) is None


class TestChecking:
    @pytest.fixture
    def sealed(self, store):
        """Nine records, sealed at three and at six."""
        for round_ in range(3):
            act(store, 3, begin=3 * round_ + 1)
            if round_ < 2:
                AuditSealer(store).seal()
        return store

    def test_finds_nothing_where_nothing_was_done(self, sealed):
        assert faults(sealed) == []

    @pytest.mark.parametrize("after", ["size_of", "_sealed"])
    def test_finds_nothing_in_what_is_done_and_sealed_meanwhile(self, sealed, monkeypatch, after):
        place = AuditCheck if after == "_sealed" else audit_check
        look = getattr(place, after)

        def go_on(*given):
            if after == "_sealed":
                meanwhile()
            found = look(*given)
            if after == "size_of":
                meanwhile()
            return found

        def meanwhile():
            thread = threading.Thread(target=lambda: (act(sealed, 2, 90), AuditSealer(sealed).seal()))
            thread.start()
            thread.join(10)

        monkeypatch.setattr(place, after, go_on)
        assert faults(sealed) == []

    @pytest.mark.parametrize(
        "column", ["actor", "roles", "address", "action", "object", "result", "request", "on_behalf_of"]
    )
    def test_names_an_altered_record(self, sealed, column):
        attack(sealed, f"UPDATE audit SET {column} = 'x' WHERE id = {id_of(5)}")
        assert faults(sealed) == [("altered", 5)]

    def test_names_a_record_whose_time_was_moved(self, sealed):
        attack(sealed, f"UPDATE audit SET at = (SELECT max(at) FROM audit) WHERE id = {id_of(2)}")
        assert faults(sealed) == [("altered", 2)]

    def test_names_a_removed_record(self, sealed):
        attack(sealed, f"DELETE FROM audit WHERE id = {id_of(8)}")
        assert faults(sealed) == [("removed", 8)]

    def test_names_a_record_removed_with_its_hash(self, sealed):
        attack(
            sealed, f"DELETE FROM audit WHERE id = {id_of(4)}", "DELETE FROM audit_leaves WHERE number = 4"
        )
        assert faults(sealed) == [("removed", 4), ("rewritten", 6)]

    def test_names_a_planted_record(self, sealed):
        columns = "at, actor, action, object, result"
        planted = f"INSERT INTO audit (id, {columns}) SELECT {{}}, {columns} FROM audit WHERE id = {id_of(1)}"
        kind = "uuid" if sealed.database.dialect == "postgresql" else "text"
        planted = planted.format(f"CAST('{_fresh()}' AS {kind})")
        attack(sealed, planted)
        assert faults(sealed) == [("planted", 0)]

    def test_finds_between_which_checkpoints_record_and_hash_were_rewritten_together(self, sealed):
        attack(sealed, f"UPDATE audit SET actor = 'nobody' WHERE id = {id_of(5)}")
        attack(sealed, f"UPDATE audit_leaves SET leaf_hash = '{rehash(sealed, 5)}' WHERE number = 5")
        assert faults(sealed) == [("rewritten", 6)]

    def test_finds_two_records_that_changed_places(self, sealed):
        attack(
            sealed,
            "UPDATE audit_leaves SET number = -1 WHERE number = 1",
            "UPDATE audit_leaves SET number = 1 WHERE number = 2",
            "UPDATE audit_leaves SET number = 2 WHERE number = -1",
        )
        assert faults(sealed) == [("rewritten", 3)]

    def test_finds_a_tail_cut_off_with_everything_that_speaks_of_it(self, sealed):
        with sealed.reading() as session:
            kept = newest(session, sealed.spine)
        attack(
            sealed,
            "DELETE FROM audit WHERE id IN (SELECT id FROM audit_leaves WHERE number > 4)",
            "DELETE FROM audit_leaves WHERE number > 4",
            "UPDATE audit_head SET size = 4",
        )
        assert faults(sealed) == [("removed", 6)]
        attack(sealed, "DELETE FROM audit_checkpoints WHERE size = 6")
        assert (
            faults(sealed) == []
        )  # inside the database all is well: that is why checkpoints are kept elsewhere
        assert faults(sealed, kept=[kept]) == [("removed", 6)]

    def test_finds_a_whole_log_written_anew_by_a_checkpoint_kept_elsewhere(self, sealed, tmp_path):
        with sealed.reading() as session:
            kept = newest(session, sealed.spine)
        attack(sealed, f"UPDATE audit SET actor = 'nobody' WHERE id = {id_of(1)}")
        attack(
            sealed,
            f"UPDATE audit_leaves SET leaf_hash = '{rehash(sealed, 1)}' WHERE number = 1",
            "DELETE FROM audit_checkpoints",
        )
        AuditSealer(sealed).seal()
        assert faults(sealed) == []
        assert faults(sealed, kept=[kept]) == [("rewritten", 6)]

    def test_finds_a_log_that_was_made_to_look_shorter(self, sealed):
        with sealed.database.writing() as session:
            session.execute(text("UPDATE audit_head SET size = 7"))
            session.commit()
        assert faults(sealed) == [("head", 7)]

    def test_names_a_checkpoint_signed_by_somebody_else_or_altered(self, sealed, tmp_path):
        with sealed.reading() as session:
            note = str(newest(session, sealed.spine).note)
        forged = note.replace("\n6\n", "\n5\n")
        attack(
            sealed,
            "UPDATE audit_checkpoints SET note = 'nonsense' WHERE size = 3",
            f"UPDATE audit_checkpoints SET note = '{forged}' WHERE size = 6",
        )
        assert faults(sealed) == [("checkpoint", 3), ("checkpoint", 6)]

    @pytest.mark.parametrize("table", ["audit_leaves", "audit_checkpoints"])
    @pytest.mark.parametrize("verb", ["DELETE FROM {}", "UPDATE {} SET {column} = {column}"])
    def test_the_log_itself_is_append_only(self, sealed, table, verb):
        column = "leaf_hash" if table == "audit_leaves" else "note"
        with pytest.raises(DBAPIError, match="append-only"), sealed.database.writing() as session:
            session.execute(text(verb.format(table, column=column)))


class TestUpgrading:
    def test_records_of_the_version_before_are_taken_in_and_that_is_on_record(self, store):
        act(store, 2)
        with store.database.writing() as session:  # as a process of the version before writes
            for _ in range(3):
                row = {**dict(_record(store)), "id": _fresh()}
                session.execute(store.spine.audit.insert().values(row))
            session.commit()
        assert [kind for kind, _ in faults(store)] == ["planted"] * 3
        assert store.adopt_strays() == 3
        assert faults(store) == []
        assert numbers(store) == [1, 2, 3, 4, 5, 6]
        assert _record(store)["action"] == "audit.adopted"
        assert store.adopt_strays() == 0

    def test_a_database_of_the_first_version_gets_the_tables(self, database):
        with database.writing() as session:
            for table in ("audit_checkpoints", "audit_head", "audit_leaves"):
                session.execute(text(f"DROP TABLE {table}"))
            session.execute(text("DELETE FROM alembic_version WHERE version_num LIKE 'spine%'"))
            session.commit()
        assert not is_current(database, "tests.support.migrated")
        upgrade(database, "tests.support.migrated")
        assert is_current(database, "tests.support.migrated")
        store = Store(database, Toy(database).spine, "toy", SystemClock())
        act(store, 2)
        assert numbers(store) == [1, 2]


def _record(store):
    audit = store.spine.audit
    with store.reading() as session:
        rows = session.execute(select(audit).order_by(audit.c.seq.desc()).limit(1)).mappings().one()
    return {name: value for name, value in rows.items() if name != "seq"}


def _fresh():
    return new_id()

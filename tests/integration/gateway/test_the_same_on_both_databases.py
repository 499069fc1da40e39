"""What depends on the database: races, unique rules, set-wise statements."""

from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from threading import Barrier, BrokenBarrierError, Event

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import func, select, text

from contracts.corrections.v1.corrections_pb2 import CorrectionAsked
from contracts.directory.v1.directory_pb2 import Units
from contracts.holders.v1.holders_pb2 import Holders
from contracts.roles import AUDIT_ADMIN, SECURITY_ADMIN
from gateway.clues.amendments import Change
from gateway.clues.model import ClueRow
from gateway.clues.progress import findings_about
from gateway.directory import service as directory
from gateway.directory.rules import UnitState
from gateway.identity import accounts
from gateway.identity.accounts import DutiesExclude
from gateway.identity.locks import Locked
from gateway.identity.model import Grant
from gateway.identity.sessions import WrongCredentials, revoke_sessions
from gateway.partners.service import Sender
from gateway.tables import CORRECTIONS, FINDINGS, Base
from kernel.errors import Conflict, PermanentError
from kernel.ids import new_id
from kernel.messages import Item
from kernel.storage.migrate import is_said_by_models
from kernel.storage.reach import of, within
from kernel.text import clean_name
from tests.support.gateway import INSPECTOR, PASSWORD, TREE, UNIT, body_of, hotline_order, partner, principal

SYSTEM_ADMIN = principal("xitong", "15", "/15/", "system_admin")
SECURITY = principal("anquan", "15", "/15/", "security_admin")


def test_a_hundred_sends_ten_at_a_time_are_one_clue_with_one_receipt(app):
    sender, body = partner(app, "hotline"), body_of(hotline_order())

    def take(_number: int) -> str:
        return app.intake.take(
            app.partners.authenticate(sender.signed(body, datetime.now(UTC)), body), body
        ).receipt

    with ThreadPoolExecutor(10) as pool:
        receipts = set(pool.map(take, range(100)))
    with app.store.reading() as session:
        clues = session.execute(select(func.count()).select_from(ClueRow)).scalar_one()
        outbox = app.store.spine.outbox
        told = session.execute(
            select(func.count()).where(outbox.c.name == "clue_routed_to_enforcement.v1")
        ).scalar_one()
    assert (len(receipts), clues, told) == (1, 1, 1)


def test_a_backlog_handed_over_at_once_is_taken_whole_or_not_at_all(app):
    sender = Sender(system="hotline", message_id="backlog-1", channel="backlog")
    orders = [body_of(hotline_order(f"HT-2026-{number:04d}")) for number in range(3)]

    def taken() -> int:
        with app.store.reading() as session:
            return session.execute(select(func.count()).select_from(ClueRow)).scalar_one()

    letters = [(replace(sender, message_id=f"backlog-{n}"), body) for n, body in enumerate(orders)]
    with pytest.raises(PermanentError):
        app.intake.take_many([*letters, (replace(sender, message_id="backlog-bad"), b"{}")])
    assert taken() == 0
    receipts = app.intake.take_many(letters)
    assert len({receipt.receipt for receipt in receipts}) == taken() == 3
    again = app.intake.take_many(letters)
    assert [one.receipt for one in again] == [one.receipt for one in receipts]
    assert all(one.is_repeat for one in again)
    assert taken() == 3


def test_a_clue_is_amended_once_for_one_notice_however_many_try(app):
    sender, body = partner(app, "hotline"), body_of(hotline_order())
    receipt = app.intake.take(
        app.partners.authenticate(sender.signed(body, datetime.now(UTC)), body), body
    ).receipt
    with app.store.work() as work:
        FINDINGS.record(work, findings_about(work, [work.session.get_one(ClueRow, receipt)]))
        told = work.session.execute(select(FINDINGS.table)).one()
        asked = CorrectionAsked(
            id=new_id(), service="gateway", objection=new_id(), event=told.event_id, unit=UNIT, probe=told.probe,
            subject=told.subject, outcome=3, reason="不属于职责", due_at_us=1, occurred_at_us=1,
        )  # fmt: skip
        CORRECTIONS.hear(work, [Item("assessment", asked.id, b"", asked)], FINDINGS.table)
        work.commit()

    def amend(_number: int) -> str:
        try:
            with within(of(INSPECTOR)):
                app.amendments.amend(INSPECTOR, receipt, Change("excluded", None, "见申诉材料"))
        except PermanentError as error:
            return error.stable_code
        return "amended"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(amend, range(4))) == ["amended", *["clues.not_asked"] * 3]
    (line,) = app.review.course(INSPECTOR, receipt).amendments
    assert (line.kind, line.reason) == ("excluded", "见申诉材料")
    with pytest.raises(Exception, match="append-only"), app.store.work() as work:
        work.session.execute(text("DELETE FROM clue_amendments"))


def test_the_same_bad_clue_from_ten_at_once_is_held_once(app):
    sender = partner(app, "hotline")
    headers = sender.signed(b"{}", datetime.now(UTC))

    def take(_number: int) -> str:
        try:
            app.intake.take(app.partners.authenticate(headers, b"{}"), b"{}")
        except PermanentError as error:
            return error.stable_code
        return ""

    with ThreadPoolExecutor(10) as pool:
        codes = set(pool.map(take, range(20)))
    assert codes == {"clues.invalid"}
    assert len(app.review.held(INSPECTOR, limit=100)) == 1


def test_parallel_guesses_are_all_counted(app):
    def guess(_number: int) -> type[Exception]:
        with pytest.raises((WrongCredentials, Locked)) as caught:
            app.sessions.sign_in("ducha", "wrong", address="10.0.0.9")
        return caught.type

    with ThreadPoolExecutor(10) as pool:
        outcomes = list(pool.map(guess, range(20)))
    assert outcomes.count(WrongCredentials) == 5
    with pytest.raises(Locked):
        app.sessions.sign_in("ducha", PASSWORD, address="10.0.0.9")


class TestThreeDuties:
    def test_no_account_is_given_two(self, app):
        with pytest.raises(DutiesExclude):
            app.accounts.propose(SYSTEM_ADMIN, account="anquan", role=AUDIT_ADMIN, unit="1501")

    def test_the_database_itself_refuses_a_second(self, app):
        now = datetime.now(UTC)
        with pytest.raises(Exception, match=r"(?i)unique"), app.store.work() as work:  # noqa: PT012
            work.session.add(
                Grant(
                    id=new_id(), account="xitong", role=SECURITY_ADMIN, unit="1501", state="active",
                    proposed_at=now, proposed_by="x", decided_at=now, decided_by="y",
                )
            )  # fmt: skip
            work.commit()


class TestGrants:
    def test_one_proposes_another_decides(self, app):
        grant = app.accounts.propose(SYSTEM_ADMIN, account="shenhe", role="inspector", unit="1501")
        with pytest.raises(Conflict):
            app.accounts.propose(SYSTEM_ADMIN, account="shenhe", role="inspector", unit="1501")
        app.accounts.decide(SECURITY, grant, approve=True)
        roles = {code for code, _ in app.sessions.sign_in("shenhe", PASSWORD, address="x").me.roles}
        assert roles == {"inspector", "reviewer"}
        app.accounts.revoke(SECURITY, grant)
        roles = {code for code, _ in app.sessions.sign_in("shenhe", PASSWORD, address="x").me.roles}
        assert roles == {"reviewer"}

    def test_of_two_taken_back_at_once_the_newest_word_told_knows_of_both(self, app):
        app.accounts.decide(
            SECURITY,
            app.accounts.propose(SYSTEM_ADMIN, account="shenhe", role="inspector", unit="1501"),
            approve=True,
        )
        held = app.register.grants(SYSTEM_ADMIN, state="active", account="shenhe", limit=9, offset=0)
        assert len(held) == 2
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda line: app.accounts.revoke(SECURITY, line.id), held))
        outbox = app.store.spine.outbox
        with app.store.reading() as session:
            bodies = session.scalars(select(outbox.c.body).where(outbox.c.name == "holders.v1")).all()
        told = [one for body in bodies for one in Holders.FromString(body).holders if one.account == "shenhe"]
        assert list(max(told, key=lambda one: one.version).roles) == []
        assert len({one.version for one in told}) == len(told) == 4

    def test_a_role_approved_while_its_holder_is_moved_ends_with_the_others(self, app, monkeypatch):
        grant = app.accounts.propose(SYSTEM_ADMIN, account="shenhe", role="inspector", unit="1501")
        approving, go_on = Event(), Event()

        def pause(work, account):
            approving.set()
            assert go_on.wait(10)
            revoke_sessions(work, account)

        with ThreadPoolExecutor(2) as pool:
            monkeypatch.setattr(accounts, "revoke_sessions", pause)
            decided = pool.submit(app.accounts.decide, SECURITY, grant, approve=True)
            assert approving.wait(10)
            monkeypatch.setattr(accounts, "revoke_sessions", revoke_sessions)
            moved = pool.submit(app.accounts.transfer, SYSTEM_ADMIN, "shenhe", "1502")
            wait([moved], timeout=0.5)  # it stands before the row the other one holds
            go_on.set()
            decided.result()
            moved.result()
        assert app.register.grants(SYSTEM_ADMIN, state="active", account="shenhe", limit=9, offset=0) == []

    def test_of_two_who_make_one_account_at_once_the_second_is_told(self, app, monkeypatch):
        both_looked = Barrier(2)

        def meet(name, **more):
            with suppress(BrokenBarrierError):  # where the database lets one in after the other
                both_looked.wait(0.3)
            return clean_name(name, **more)

        def make(_number: int) -> str:
            try:
                app.accounts.create(
                    SYSTEM_ADMIN, account="xinren", name="新人", unit="1501", password="Chushi-kouling-1"
                )
            except PermanentError as error:
                return error.stable_code
            return "made"

        monkeypatch.setattr(accounts, "clean_name", meet)
        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(make, range(2))) == ["identity.account_taken", "made"]

    def test_nobody_decides_on_what_he_proposed(self, app):
        both = principal("anquan", "15", "/15/", "security_admin", "system_admin")
        grant = app.accounts.propose(both, account="shenhe", role="inspector", unit="1501")
        with pytest.raises(PermanentError, match="four_eyes"):
            app.accounts.decide(both, grant, approve=True)


def test_the_migration_makes_what_the_models_say(app):
    with app.store.database.engine.connect() as connection:
        options = {"compare_type": True, "include_name": is_said_by_models}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []


class TestDirectory:
    def told(self, app) -> list:
        table = app.store.spine.outbox
        with app.store.reading() as session:
            rows = session.execute(
                select(table.c.body).where(table.c.name == "units.v1").order_by(table.c.pos)
            )
            return [unit for row in rows for unit in Units.FromString(row.body).units]

    def test_loading_the_same_again_changes_and_tells_nothing(self, app):
        before = len(self.told(app))
        report = app.directory.load(TREE)
        assert (report.new, report.changed, report.same) == (0, 0, len(TREE))
        assert len(self.told(app)) == before

    def test_a_thousand_units_in_two_batches_with_superiors_in_the_first(self, app):
        towns = [
            UnitState(code=f"T{n:04d}", name=f"镇{n}", kind=3, level=4, parent="150102", region_code="150102001",
                      valid_from="2020-01-01")
            for n in range(1000)
        ]  # fmt: skip
        assert app.directory.load(towns).new == 1000
        assert {unit.path for unit in self.told(app)[-1000:]} == {
            f"/15/1501/150102/T{n:04d}/" for n in range(1000)
        }

    def test_a_transfer_takes_everything_below_along_and_keeps_the_lineage(self, app):
        admin = principal("xitong", "15", "/15/", "system_admin")
        assert app.directory.revise(admin, "150102", {"parent": "1502"}, reason="区划调整") == 2
        page = app.units.find(admin, parent="150102", query="", limit=10)
        assert [row.path for row in page.rows] == ["/15/1502/150102/150102-scjg/"]
        newest, first = app.units.history(admin, "150102")
        assert (newest.version, newest.reason, first.parent) == (2, "区划调整", "1501")

    def test_no_unit_comes_under_itself(self, app):
        admin = principal("xitong", "15", "/15/", "system_admin")
        with pytest.raises(PermanentError, match="circle"):
            app.directory.revise(admin, "1501", {"parent": "150102-scjg"}, reason="x")

    @pytest.mark.parametrize(
        ("other", "change", "outcome"),
        [("1502", {"parent": "1501"}, "directory.circle"), ("1501", {"name": "首府市政府"}, "revised")],
    )
    def test_of_two_changes_at_once_the_second_knows_of_the_first(
        self, app, monkeypatch, other, change, outcome
    ):
        changing, go_on = Event(), Event()
        write = directory._record

        def pause(*given):
            changing.set()
            assert go_on.wait(10)
            write(*given)

        def revise(code: str, changes: dict[str, str]) -> str:
            try:
                app.directory.revise(SYSTEM_ADMIN, code, changes, reason="区划调整")
            except PermanentError as error:
                return error.stable_code
            return "revised"

        with ThreadPoolExecutor(2) as pool:
            monkeypatch.setattr(directory, "_record", pause)
            first = pool.submit(revise, "1501", {"parent": "1502"})
            assert changing.wait(10)
            monkeypatch.setattr(directory, "_record", write)
            second = pool.submit(revise, other, change)
            wait([second], timeout=0.5)
            go_on.set()
            assert (first.result(), second.result()) == ("revised", outcome)
        assert app.directory.path_of(UNIT) == f"/15/1502/1501/150102/{UNIT}/"

    def test_a_merger_names_the_successor(self, app):
        admin = principal("xitong", "15", "/15/", "system_admin")
        app.directory.revise(admin, "1502", {"valid_to": "2026-12-31", "successor": "1501"}, reason="合并")
        assert self.told(app)[-1].successor == "1501"

    def test_all_faults_of_a_load_are_named_and_nothing_is_taken(self, app):
        bad = [UnitState(code="ok", name="可", kind=2, level=3, parent="15", region_code="150000", valid_from="2020-01-01"),
               UnitState(code="b/d", name="", kind=9, level=3, parent="none", region_code="1", valid_from="2020-02-30")]  # fmt: skip
        with pytest.raises(PermanentError) as caught:
            app.directory.load(bad)
        assert {p.path for p in caught.value.problems} == {
            "[2].code", "[2].name", "[2].kind", "[2].region_code", "[2].valid_from", "[2].parent",
        }  # fmt: skip
        assert app.units.find(SYSTEM_ADMIN, parent="", query="ok", limit=5).total == 0

    def test_lists_stay_within_the_callers_part_of_the_tree(self, app):
        reviewer = principal("shenhe", "1501", "/15/1501/", "reviewer")
        assert app.units.find(reviewer, parent="15", query="", limit=10).total == 1
        assert app.units.find(reviewer, parent="", query="市", limit=10).total == 2
        own = app.units.find(reviewer, parent="", query="", limit=10)
        assert [(row.code, row.children) for row in own.rows] == [("1501", 1)]

"""Who holds which role is told in the transaction that changes it, once, and never to the effect of an older state."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, text, update

from contracts.holders.v1.holders_pb2 import Holders
from gateway.identity.accounts import UnknownAccount
from gateway.identity.model import Account
from kernel.errors import Conflict, Invalid, NotAllowed, NotSignedIn, PermanentError
from tests.support.gateway import NOW, PASSWORD, principal

SYSTEM = principal("xitong", "15", "/15/", "system_admin")
SECURITY = principal("anquan", "15", "/15/", "security_admin")


def told(app):
    """What was told of holders, oldest first, and forget it."""
    outbox = app.store.spine.outbox
    with app.store.work() as work:
        bodies = work.session.scalars(
            select(outbox.c.body).where(outbox.c.name == "holders.v1").order_by(outbox.c.pos)
        ).all()
        work.session.execute(outbox.delete())
        work.commit()
    return [holder for body in bodies for holder in Holders.FromString(body).holders]


def roles(holder):
    return {(role.role, role.unit_path): role.until_on for role in holder.roles}


def granted(app, account="shenhe", role="inspector", unit="1501", **term):
    grant = app.accounts.propose(SYSTEM, account=account, role=role, unit=unit, **term)
    app.accounts.decide(SECURITY, grant, approve=True)
    return grant


def test_everybody_who_holds_a_role_is_told_of_when_the_accounts_are_made(app):
    holders = {holder.account: holder for holder in told(app)}
    assert set(holders) == {"xitong", "anquan", "shenji", "ducha", "shenhe", "ducha2", "tianbao"}
    assert roles(holders["tianbao"]) == dict.fromkeys(
        [("reporter", "/15/1501/150102/150102-scjg/"), ("unit_head", "/15/1501/150102/150102-scjg/")], ""
    )
    assert (holders["shenhe"].name, holders["shenhe"].unit) == ("shenhe同志", "1501")
    assert {field.name for field in holders["shenhe"].DESCRIPTOR.fields} == {
        "account", "name", "unit", "is_active", "roles", "version", "occurred_at_us", "recorded_at_us",
    }  # fmt: skip


def test_every_change_of_rights_tells_all_that_the_account_holds_now(app, clock):
    told(app)
    held = {("reviewer", "/15/1501/"): ""}
    grant = app.accounts.propose(SYSTEM, account="shenhe", role="inspector", unit="1501")
    assert told(app) == []  # a proposal is no right
    clock.set(NOW + timedelta(hours=1))
    app.accounts.decide(SECURITY, grant, approve=True)
    (given,) = told(app)
    assert roles(given) == held | {("inspector", "/15/1501/"): ""}
    assert given.occurred_at_us == given.recorded_at_us == 1_000_000 * int(clock.now().timestamp())
    app.accounts.revoke(SECURITY, grant)
    (taken,) = told(app)
    assert roles(taken) == held
    app.accounts.set_state(SYSTEM, "shenhe", "disabled")
    (disabled,) = told(app)
    assert (disabled.is_active, roles(disabled)) == (False, held)
    app.accounts.set_state(SYSTEM, "shenhe", "active")
    (enabled,) = told(app)
    assert enabled.is_active
    versions = [one.version for one in (given, taken, disabled, enabled)]
    assert versions == sorted(set(versions))  # though the clock stood still


def test_what_is_refused_or_rolled_back_is_not_told(app):
    told(app)
    grant = app.accounts.propose(SYSTEM, account="shenhe", role="inspector", unit="1501")
    app.accounts.decide(SECURITY, grant, approve=False)
    with pytest.raises(Conflict):
        app.accounts.revoke(SECURITY, grant)
    with pytest.raises(NotAllowed):
        app.accounts.set_state(SYSTEM, "xitong", "disabled")
    assert told(app) == []


def test_an_account_without_roles_is_nobodys_business(app):
    told(app)
    app.accounts.create(SYSTEM, account="lisi", name="李四", unit="1501", password="Linshi-Kouling-9")
    app.accounts.set_state(SYSTEM, "lisi", "disabled")
    assert (told(app), app.holders.tell_untold(), app.holders.tell_again()) == ([], 0, 7)


def test_an_upgraded_installation_tells_once_of_whoever_was_never_told_of(app):
    told(app)
    with app.store.work() as work:  # as the version before left it
        work.session.execute(update(Account).values(told_version=0, rights_changed_at=None))
        work.commit()
    app.prepare()
    assert len(told(app)) == 7
    app.prepare()
    assert told(app) == []


def test_after_an_old_copy_was_put_back_what_is_told_still_wins(app, clock):
    granted(app)
    newest = max(holder.version for holder in told(app))
    with app.store.work() as work:
        work.session.execute(text("UPDATE accounts SET told_version = 1"))
        work.commit()
    clock.set(NOW + timedelta(minutes=1))
    app.holders.tell_again()
    again = {holder.account: holder for holder in told(app)}
    assert again["shenhe"].version > newest
    assert again["shenhe"].occurred_at_us < again["shenhe"].recorded_at_us  # told again, not changed again


def test_who_holds_a_role_on_a_unit_that_moves_is_told_of_with_the_new_place(app):
    told(app)
    system = principal("xitong", "15", "/15/", "system_admin")
    app.directory.revise(system, "150102", {"name": "新城区政府"}, reason="更名")
    assert told(app) == []
    app.directory.revise(system, "150102", {"parent": "1502"}, reason="划转")
    (moved,) = told(app)
    assert moved.account == "tianbao"
    assert {path for _, path in roles(moved)} == {"/15/1502/150102/150102-scjg/"}


class TestTransfer:
    def test_the_unit_is_told_and_every_role_ends(self, app):
        app.accounts.propose(SYSTEM, account="shenhe", role="inspector", unit="1501")
        told(app)
        session = app.sessions.sign_in("shenhe", PASSWORD, address="x").session
        app.accounts.transfer(SYSTEM, "shenhe", "1502")
        (moved,) = told(app)
        assert (moved.unit, roles(moved)) == ("1502", {})
        with pytest.raises(NotSignedIn):
            app.sessions.renew(session)
        lines = app.register.grants(SYSTEM, state="", account="shenhe", limit=9, offset=0)
        assert {line.state for line in lines} == {"revoked", "refused"}
        granted(app, role="reviewer", unit="1502")
        assert {code for code, _ in app.sessions.sign_in("shenhe", PASSWORD, address="x").me.roles} == {
            "reviewer"
        }

    def test_nobody_moves_himself_nor_into_a_unit_out_of_reach(self, app):
        told(app)
        city = principal("shixi", "1501", "/15/1501/", "system_admin")
        for who, account, unit, refusal in (
            (SYSTEM, "xitong", "1501", NotAllowed),
            (city, "shenhe", "1502", PermanentError),
            (city, "ducha2", "1501", UnknownAccount),
            (city, "shenhe", "1501", Conflict),
        ):
            with pytest.raises(refusal):
                app.accounts.transfer(who, account, unit)
        assert told(app) == []


class TestTerms:
    LAST = date(2026, 11, 21)  # a day after NOW

    def test_a_role_holds_to_the_end_of_its_last_day_in_shanghai_and_can_then_be_granted_anew(
        self, app, clock
    ):
        told(app)
        grant = granted(app, account="tianbao", role="reviewer", unit="150102", until_on=self.LAST)
        (holder,) = told(app)
        assert roles(holder)["reviewer", "/15/1501/150102/"] == "2026-11-21"
        clock.set(NOW.replace(day=21, hour=15, minute=59))  # 23:59 in Shanghai
        session = app.sessions.sign_in("tianbao", PASSWORD, address="x", unit="150102").session
        assert app.terms.end_past() == 0
        clock.set(NOW.replace(day=21, hour=16, minute=0))
        with pytest.raises(NotSignedIn):
            app.sessions.renew(session)
        with pytest.raises(NotAllowed):
            app.sessions.sign_in("tianbao", PASSWORD, address="x", unit="150102")
        assert (app.terms.end_past(), app.terms.end_past()) == (1, 0)
        line = next(one for one in app.register.grants(SYSTEM, state="revoked", limit=9, offset=0))
        assert (line.id, line.decided_by, line.note) == (grant, "system", "授权期满，自动终止。")
        (ended,) = told(app)
        assert ("reviewer", "/15/1501/150102/") not in roles(ended)
        granted(app, account="tianbao", role="reviewer", unit="150102")

    def test_a_role_opens_nothing_before_its_first_day(self, app, clock):
        granted(app, account="tianbao", role="reviewer", unit="150102", from_on=self.LAST)
        with pytest.raises(NotAllowed):
            app.sessions.sign_in("tianbao", PASSWORD, address="x", unit="150102")
        (line,) = [
            one for one in app.register.accounts(SYSTEM, limit=9, offset=0) if one.account == "tianbao"
        ]
        assert {held.role for held in line.roles} == {"reporter", "unit_head"}
        clock.set(NOW + timedelta(days=1))
        app.sessions.sign_in("tianbao", PASSWORD, address="x", unit="150102")

    @pytest.mark.parametrize(
        ("since", "until"), [(None, "2026-11-19"), ("2026-11-25", "2026-11-24"), ("2026-11-01", "2026-11-19")]
    )
    def test_a_term_that_cannot_be_is_refused_at_the_field(self, as_account, since, until):
        body = {"account": "shenhe", "role": "inspector", "unit": "1501", "from_on": since, "until_on": until}
        answer = as_account("xitong")("POST", "/grants", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "identity.bad_term")
        assert [fault["path"] for fault in answer.json()["fields"]] == ["until_on"]

    def test_a_term_that_ran_out_while_it_waited_is_not_approved(self, app, clock):
        told(app)
        grant = app.accounts.propose(
            SYSTEM, account="shenhe", role="inspector", unit="1501", until_on=self.LAST
        )
        clock.set(NOW + timedelta(days=2))
        with pytest.raises(Invalid):
            app.accounts.decide(SECURITY, grant, approve=True)
        app.accounts.decide(SECURITY, grant, approve=False)
        assert told(app) == []

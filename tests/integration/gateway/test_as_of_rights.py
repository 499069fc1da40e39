"""Accounts, grants and lost factors as of a day, on both databases: shown as they were, whatever was changed since."""

from datetime import date, timedelta

import pytest
from sqlalchemy import text

from kernel.clock import local_date
from kernel.errors import Invalid
from tests.support.gateway import PASSWORD, furnish, principal
from tests.support.migrated_again import migrate_again
from tests.support.office import Office

SYSTEM = principal("xitong", "15", "/15/", "system_admin")
SECURITY = principal("anquan", "15", "/15/", "security_admin")
CITY = principal("chengshi", "1501", "/15/1501/", "unit_head")
STATES = ("", "active", "proposed", "revoked")


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request, tmp_path):
    made = Office(tmp_path, "" if request.param == "sqlite" else request.getfixturevalue("postgresql_url"))
    furnish(made.app)
    made.clock.advance(timedelta(days=1))
    yield made
    made.runtime.close()


def shown(office, day=None):
    """Everything that can be read of rights, by whoever reads all and by whoever reads a part."""
    register, all_of = office.app.register, {"limit": 200, "offset": 0, "day": day}
    pages = {"lost": office.app.removals.page(SECURITY, **all_of)}
    for who in (SYSTEM, CITY):
        pages[who.account] = register.accounts(who, **all_of)
        for state in STATES:
            pages[f"{who.account} {state}"] = register.grants(who, state=state, **all_of)
    pages["disabled"] = register.accounts(SYSTEM, state="disabled", **all_of)
    pages["found"] = register.accounts(SYSTEM, query="李", **all_of)
    return pages


def the_weeks(office):
    """Day by day: an account, its roles proposed, approved, for a time, taken back; disabled, moved, a factor lost."""
    accounts, app = office.app.accounts, office.app

    def proposed(account, role, **more):
        return accounts.propose(SYSTEM, account=account, role=role, unit="1501", reason="需要", **more)

    accounts.create(SYSTEM, account="lisi", name="李四", unit="1501", password="Linshi-Kouling-9")
    grant = proposed("lisi", "reviewer")
    yield
    accounts.decide(SECURITY, grant, approve=True, note="同意")
    yield
    accounts.change_password("lisi", "Linshi-Kouling-9", PASSWORD, address="x")
    today = local_date(office.clock.now())
    brief = proposed("lisi", "inspector", from_on=today, until_on=today + timedelta(days=1))
    accounts.decide(SECURITY, brief, approve=True)
    accounts.decide(SECURITY, proposed("tianbao", "unit_head"), approve=False, note="不必")
    yield
    office.enrol("ducha")
    accounts.revoke(SECURITY, grant, note="不再评审")
    yield
    app.terms.end_past()
    removal = app.removals.propose(SYSTEM, account="ducha", reason="手机遗失")
    yield
    accounts.set_state(SYSTEM, "lisi", "disabled")
    app.removals.decide(SECURITY, removal, approve=True, note="已核实")
    yield
    accounts.set_state(SYSTEM, "lisi", "active")
    accounts.decide(SECURITY, proposed("lisi", "reviewer"), approve=True)
    proposed("lisi", "unit_head")
    yield
    accounts.transfer(SYSTEM, "lisi", "15")
    yield
    app.directory.revise(SYSTEM, "1501", {"name": "改了名的市"}, reason="更名")
    yield


def remembered(office):
    """Day -> what was shown at its end."""
    then = {}
    for _ in the_weeks(office):
        then[local_date(office.clock.now())] = shown(office)
        office.clock.advance(timedelta(days=1))
    assert len({str(pages) for pages in then.values()}) == len(then), "every day something was done"
    return then


def differences(office, then, ignored=()):
    for day, pages in then.items():
        again = shown(office, day)
        for name, lines in pages.items():
            for old, new in zip(lines, again[name], strict=True):
                for field in old.__slots__:
                    if field not in ignored and getattr(old, field) != getattr(new, field):
                        yield day, name, field, getattr(old, field), getattr(new, field)


def test_who_held_which_role_and_by_whom_granted_is_shown_as_it_was(office):
    then = remembered(office)
    # Whoever was moved out of a part of the tree is not shown there any more, of no day: reach is said of today.
    for pages in then.values():
        pages["chengshi"] = [line for line in pages["chengshi"] if line.account != "lisi"]
    assert list(differences(office, then)) == []
    first = min(then)
    for day in (first - timedelta(days=1), first - timedelta(days=2)):
        assert "lisi" not in str(shown(office, day))
    assert shown(office, first - timedelta(days=2))["xitong"] == []
    with pytest.raises(Invalid):
        shown(office, date(2030, 1, 1))


def test_an_installation_of_before_knows_its_past_from_rows_and_audit_but_for_notes_that_were_written_over(
    office,
):
    then = remembered(office)
    database = office.app.store.database
    with database.writing() as session:
        for table in ("account_events", "grant_events"):
            session.execute(text(f"DROP TABLE {table}"))
        session.commit()
    migrate_again(database, "gateway", "0006_events_of_rights")
    for pages in then.values():
        pages["chengshi"] = [line for line in pages["chengshi"] if line.account != "lisi"]
    assert list(differences(office, then, ignored=("note",))) == []
    lost = {(old, new) for _, _, _, old, new in differences(office, then)}
    assert lost == {("同意", "")}


def test_what_was_done_to_rights_is_written_once(office):
    for statement in ("DELETE FROM grant_events", "UPDATE account_events SET unit = ''"):
        with pytest.raises(Exception, match="append-only"), office.app.store.work() as work:
            work.session.execute(text(statement))

"""Names that look the same are the same: units and accounts keep no invisible characters (R41)."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from gateway.directory.model import UNIT_VERSIONS
from gateway.identity.model import Account
from kernel.access.principal import SYSTEM
from kernel.errors import Invalid
from tests.support.gateway import TREE, principal

UNIT = TREE[2]
ADMIN = principal("xitong", "15", "/15/", "system_admin")


def names_of(app, code):
    versions = (
        select(UNIT_VERSIONS.c.name).where(UNIT_VERSIONS.c.code == code).order_by(UNIT_VERSIONS.c.version)
    )
    with app.store.reading() as session:
        return session.execute(versions).scalars().all()


def test_a_unit_loaded_again_in_disguise_is_the_same_unit(app):
    report = app.directory.load(
        [*TREE[:2], replace(UNIT, name=f" {UNIT.name[:2]}\u200b{UNIT.name[2:]}\u202e")]
    )
    assert report.changed == 0
    assert names_of(app, UNIT.code) == [UNIT.name]


def test_a_unit_is_renamed_to_what_can_be_seen(app):
    app.directory.revise(
        principal("xitong", "15", "/15/", "system_admin"),
        UNIT.code,
        {"name": "新\ufeff城区  政府"},
        reason="更名",
    )
    assert names_of(app, UNIT.code) == [UNIT.name, "新城区 政府"]


def test_a_unit_whose_name_cannot_be_seen_is_refused(app):
    with pytest.raises(Invalid):
        app.directory.register(SYSTEM, replace(UNIT, code="150199", name="\u200b\u2060"), reason="新设")


def test_an_account_is_named_by_what_can_be_seen(app):
    app.accounts.create(ADMIN, account="xinren", name="龚\u200b䶮 ", unit="1501", password="Chushi-kouling-1")
    with app.store.reading() as session:
        assert session.scalar(select(Account.name).where(Account.account == "xinren")) == "龚䶮"
    with pytest.raises(Invalid):
        app.accounts.create(ADMIN, account="erren", name="\u200b", unit="1501", password="Chushi-kouling-1")

"""States that are a closed set are closed in the database too, on both databases, as the models say (R17)."""

import re
from importlib import import_module
from pathlib import Path

import pytest
from sqlalchemy import CheckConstraint, MetaData, inspect, text
from sqlalchemy.exc import IntegrityError

from fazhi.services import NAMES, package_of
from gateway.identity.model import Account
from tests.support.stores import built, postgresql_runtime, sqlite_runtime

CLOSED = {
    "gateway": {"accounts", "answers", "clue_progress", "clues", "grants"},
    "legislation": {"citations", "document_versions"},
    "disputes": {"cases", "matters"},
    "decisions": {"procedures"},
    "enforcement": {"case_files", "leads"},
    "assessment": {"objections", "orders", "warnings"},
}
Closed = dict[tuple[str, str], frozenset[str]]


@pytest.fixture(params=["sqlite", "postgresql"])
def runtime(request, tmp_path):
    opened = (
        sqlite_runtime(tmp_path)
        if request.param == "sqlite"
        else postgresql_runtime(tmp_path, request.getfixturevalue("postgresql_url"))
    )
    yield opened
    opened.close()


@pytest.mark.parametrize("name", NAMES)
def test_the_database_closes_the_states_that_the_models_close(name, runtime) -> None:
    app = built(runtime, package_of(name))
    said = in_models(metadata_of(name))
    assert ("quarantine", "ck_quarantine_state") in said
    found = in_database(app.store.database.engine)
    assert CLOSED[name] <= {table for table, _ in said}
    assert {place: found.get(place) for place in said} == said


def test_no_programme_writes_a_state_nobody_knows(runtime) -> None:
    app = built(runtime, "gateway")
    account = Account(
        account="a",
        name="甲",
        unit="u",
        password_hash="",
        state="disabled",
        created_at=app.store.clock.now(),
        created_by="x",
    )
    with app.store.work() as work:
        work.session.add(account)
        work.commit()
    with pytest.raises(IntegrityError), app.store.database.engine.begin() as connection:
        connection.execute(text("UPDATE accounts SET state = 'sleeping'"))


def metadata_of(name: str) -> MetaData:
    folder = Path(__file__).parents[3].joinpath(*package_of(name).split("."))
    for path in folder.rglob("model.py"):
        import_module(".".join((package_of(name), *path.relative_to(folder).with_suffix("").parts)))
    metadata: MetaData = import_module(f"{package_of(name)}.tables").Base.metadata
    return metadata


def in_models(metadata: MetaData) -> Closed:
    return {
        (table.name, str(check.name)): literals(str(check.sqltext))
        for table in metadata.tables.values()
        for check in table.constraints
        if isinstance(check, CheckConstraint) and str(check.name or "").startswith("ck_")
    }


def in_database(engine) -> Closed:
    inspector = inspect(engine)
    return {
        (table, str(check["name"])): literals(str(check["sqltext"]))
        for table in inspector.get_table_names()
        for check in inspector.get_check_constraints(table)
    }


def literals(sql: str) -> frozenset[str]:
    """What a check allows; PostgreSQL shows the numbers of a column of integers without quotes."""
    return frozenset(re.findall(r"'([^']*)'", sql) or re.findall(r"\b[0-9]+\b", sql))

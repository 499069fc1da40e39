"""Rows are written set-wise: as many as there are, each once, and what a merge asks for is what is there afterwards."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine, select

from kernel.errors import Unacceptable
from kernel.storage.setwise import write_rows
from kernel.storage.types import Day, Moment

THINGS = Table(
    "things",
    MetaData(),
    Column("name", String(50), primary_key=True),
    Column("total", Integer),
    Column("said", String(500)),
    Column("at", Moment),
    Column("day", Day),
)
AT = datetime(2026, 3, 1, 8, tzinfo=UTC)


@pytest.fixture
def connection():
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        THINGS.create(connection)
        yield connection


def thing(name, total=1, said="", at=AT, day=date(2026, 3, 1)):
    return {"name": name, "total": total, "said": said, "at": at, "day": day}


def totals(connection):
    return dict(connection.execute(select(THINGS.c.name, THINGS.c.total)).all())


@pytest.mark.parametrize("count", [0, 1, 2, 3, 31, 32, 33, 63, 64, 100, 1001])
def test_however_many_rows_there_are_each_is_written_once(connection, count):
    rows = [thing(f"n{number}", number) for number in range(count)]
    written = write_rows(connection, THINGS, rows, returning=("name", "total"))
    assert [(row.name, row.total) for row in written] == [(row["name"], row["total"]) for row in rows]
    assert totals(connection) == {row["name"]: row["total"] for row in rows}


def test_rows_that_are_there_already_are_left_alone_and_not_returned(connection):
    write_rows(connection, THINGS, [thing(f"n{number}") for number in range(0, 300, 2)])
    rows = [thing(f"n{number}", 5) for number in range(300)]
    written = write_rows(connection, THINGS, rows, keys=("name",), on_conflict="nothing", returning=("name",))
    assert {row.name for row in written} == {f"n{number}" for number in range(1, 300, 2)}
    assert sum(totals(connection).values()) == 150 * 1 + 150 * 5


def test_a_merge_adds_replaces_and_obeys_its_condition(connection):
    write_rows(connection, THINGS, [thing("a", 1, "old"), thing("b", 9, "old")])
    write_rows(
        connection,
        THINGS,
        [thing("a", 2, "new"), thing("b", 2, "new"), thing("c", 3, "new")],
        keys=("name",),
        on_conflict={"total": "add", "said": "replace"},
        only_if="old.total < 5",
    )
    rows = connection.execute(select(THINGS.c.name, THINGS.c.total, THINGS.c.said)).all()
    assert sorted(rows) == [("a", 3, "new"), ("b", 9, "old"), ("c", 3, "new")]


def test_times_days_and_nothing_come_back_as_they_went(connection):
    write_rows(connection, THINGS, [thing("a"), thing("b", total=None, said=None, at=None, day=None)])
    rows = connection.execute(select(THINGS).order_by(THINGS.c.name)).all()
    assert [tuple(row) for row in rows] == [
        ("a", 1, "", AT, date(2026, 3, 1)),
        ("b", None, None, None, None),
    ]


def test_lists_are_kept_as_their_json(connection):
    write_rows(connection, THINGS, [thing("a", said=["一", {"二": 2}])])
    assert connection.execute(select(THINGS.c.said)).scalar_one() == '["一",{"二":2}]'


def test_a_nul_is_refused_before_anything_is_cut_off(connection):
    with pytest.raises(Unacceptable) as refused:
        write_rows(connection, THINGS, [thing("a"), thing("b", said="x\0y")])
    assert refused.value.stable_code == "platform.bad_character"
    assert totals(connection) == {}

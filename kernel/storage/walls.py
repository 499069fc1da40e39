"""
Walls 行级策略: for migrations, how a table gets its policy of row level security (reach.py says what it is for).

A wall is forced, so it holds for the owner of the table too, where the service owns its tables. One policy says for
reading and for writing which rows are in reach; raising a wall again replaces it. SQLite has none: nothing is done.
What these functions write is part of migrations that were run: another wording is another function.
"""

from sqlalchemy import Connection, text

# ruff: noqa: S608  (statements of our own, with our own names in them)
POLICY = "in_reach"
# As sub-selects, so that a setting is read once a statement and not once a row; '' is nobody's, as NULL is.
_EVERYTHING = "(SELECT current_setting('fazhi.reach', true)) = '*'"
_SAID = "(SELECT NULLIF(current_setting('fazhi.{}', true), ''))"


def raise_wall_v1(connection: Connection, table: str, *conditions: str) -> None:
    """Rows of a table are in reach where one of these conditions holds, or for the platform itself."""
    if connection.dialect.name != "postgresql":
        return
    held = " OR ".join((_EVERYTHING, *conditions))
    for statement in (
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"DROP POLICY IF EXISTS {POLICY} ON {table}",
        f"CREATE POLICY {POLICY} ON {table} USING ({held}) WITH CHECK ({held})",
    ):
        connection.execute(text(statement))


def unit_in_area_v1(column: str) -> str:
    """
    The unit named by `table.column` lies in the caller's part of the tree, by the service's own `units`.

    As a list, which the database hashes once a statement: asked row by row, long lists of a province took three
    times as long (decision 0065).
    """
    return (
        f"{column} IN (SELECT area.code FROM units AS area "
        f"WHERE starts_with(area.path, {_SAID.format('reach')}))"
    )


def path_in_area_v1(column: str) -> str:
    """The path in `table.column` lies in the caller's part of the tree."""
    return f"starts_with({column}, {_SAID.format('reach')})"


def unit_around_v1(column: str) -> str:
    """The caller's part of the tree lies in that of the unit named by `table.column`: whoever is in an area."""
    return (
        f"{column} IN (SELECT around.code FROM units AS around "
        f"WHERE around.path <> '' AND starts_with({_SAID.format('reach')}, around.path))"
    )


def unit_around_v2(column: str) -> str:
    """As `unit_around_v1`, by the index of paths: the few that the caller's own begins with, and not every unit."""
    return (
        f"{column} IN (SELECT around.code FROM units AS around WHERE around.path IN ("
        f"SELECT left(own.path, place) FROM (SELECT {_SAID.format('reach')}) AS own (path), "
        "generate_series(1, length(own.path)) AS place WHERE substr(own.path, place, 1) = '/'))"
    )


def path_around_v1(column: str) -> str:
    """The caller's part of the tree lies in that of the path in `table.column`."""
    return f"({column} <> '' AND starts_with({_SAID.format('reach')}, {column}))"


def is_own_unit_v1(column: str) -> str:
    """`table.column` is the unit acted for."""
    return f"{column} = {_SAID.format('unit')}"


def is_own_account_v1(column: str) -> str:
    """`table.column` is the caller's account."""
    return f"{column} = {_SAID.format('account')}"


def other_in_reach_v1(column: str, other: str, key: str = "id", *, and_also: str = "true") -> str:
    """A row of another table whose `key` is `table.column` is in reach, by that table's own wall."""
    return f"EXISTS (SELECT 1 FROM {other} AS other WHERE other.{key} = {column} AND {and_also})"


def one_in_reach_v1(column: str, other: str, key: str = "id") -> str:
    """As `other_in_reach_v1` where `key` is unique: looked up row by row, and never the whole other table at once."""
    return f"(SELECT true FROM {other} AS other WHERE other.{key} = {column})"

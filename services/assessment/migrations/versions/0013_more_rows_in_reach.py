"""Row level security for warnings, signs, yearly tasks and surveys; a survey says for which part of the tree it is."""

from alembic import op
from sqlalchemy import Column, Connection, String

from kernel.storage.walls import (
    is_own_account_v1,
    is_own_unit_v1,
    other_in_reach_v1,
    path_around_v1,
    path_in_area_v1,
    raise_wall_v1,
    unit_around_v1,
    unit_in_area_v1,
)

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Surveys there are already stay for everybody; then raise the walls."""
    op.add_column("surveys", Column("scope", String(500), nullable=False, server_default="/"))
    op.create_index("ix_survey_answers_batch", "survey_answers", ["survey", "batch"])
    raise_walls(op.get_bind())


def raise_walls(connection: Connection) -> None:
    """Give each table its policy; again if need be."""
    for table in (
        "warnings",
        "watched",
        "detection_drafts",
        "survey_codes",
        "survey_answers",
        "survey_counts",
    ):
        raise_wall_v1(connection, table, unit_in_area_v1(f"{table}.unit"))
    raise_wall_v1(
        connection, "detection_decisions", other_in_reach_v1("detection_decisions.draft", "detection_drafts")
    )
    # Whoever works in an area sees its whole table of decomposition, so that all revisions of a task, and all that
    # was said of it, are in reach or none: which one counts is asked by what there is not.
    for table in ("tasks", "task_notes"):
        raise_wall_v1(connection, table, unit_in_area_v1(f"{table}.area"), unit_around_v1(f"{table}.area"))
    own = [rule("task_duties.unit") for rule in (unit_in_area_v1, is_own_unit_v1)]
    raise_wall_v1(connection, "task_duties", *own, other_in_reach_v1("task_duties.task", "tasks"))
    own = [rule("task_reminders.unit") for rule in (unit_in_area_v1, is_own_unit_v1)]
    raise_wall_v1(connection, "task_reminders", *own)
    for table in ("task_plans", "surveys"):
        raise_wall_v1(connection, table, path_in_area_v1(f"{table}.scope"), path_around_v1(f"{table}.scope"))
    about_ours = other_in_reach_v1(
        "survey_batches.survey", "survey_answers", "survey", and_also="other.batch = survey_batches.digest"
    )
    raise_wall_v1(connection, "survey_batches", is_own_account_v1("survey_batches.account"), about_ours)

"""
What surveys keep: the survey as it was set up, codes as digests only, answers, and what was counted from them.

All of it only grows. An answer names no person; a code is known by its digest and answers once (unique).
"""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text, text

from kernel.storage.types import Day, Id, Moment, one_of
from services.assessment.tables import Base

SURVEYS = Table(
    "surveys",
    Base.metadata,
    Column("id", Id, primary_key=True),
    Column("framework", String(64), nullable=False, comment="id of the framework whose results it measures"),
    Column("period", String(4), nullable=False),
    Column("title", String(200), nullable=False),
    Column("way", String(20), nullable=False),
    Column("opens_on", Day, nullable=False),
    Column("closes_on", Day, nullable=False),
    Column("questions", Text, nullable=False, comment="questions with their results, options and marks"),
    Column(
        "scope",
        String(500),
        nullable=False,
        server_default="/",
        comment="path of the part of the unit tree it was set up for",
    ),
    Column("created_by", String(100), nullable=False),
    Column("created_at", Moment, nullable=False),
    one_of("surveys", "way", "telephone", "on_site", "web", "questionnaire"),
    comment="surveys as they were set up",
)

SURVEY_CODES = Table(
    "survey_codes",
    Base.metadata,
    Column("digest", String(64), primary_key=True),
    Column("survey", Id, ForeignKey("surveys.id"), nullable=False),
    Column("unit", String(100), nullable=False),
    Column("issued_at", Moment, nullable=False),
    comment="one-time codes, by digest",
)
Index("ix_survey_codes_survey", SURVEY_CODES.c.survey, SURVEY_CODES.c.unit)

SURVEY_BATCHES = Table(
    "survey_batches",
    Base.metadata,
    Column("survey", Id, ForeignKey("surveys.id"), primary_key=True),
    Column("digest", String(80), primary_key=True, comment="of the file as it was handed in"),
    Column("name", String(200), nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("answers", Integer, nullable=False),
    Column("account", String(100), nullable=False),
    Column("taken_at", Moment, nullable=False),
    comment="files of answers that a third party collected",
)

SURVEY_ANSWERS = Table(
    "survey_answers",
    Base.metadata,
    Column("id", Id, primary_key=True),
    Column("survey", Id, ForeignKey("surveys.id"), nullable=False),
    Column("unit", String(100), nullable=False),
    Column("code", String(64), ForeignKey("survey_codes.digest")),
    Column("batch", String(80)),
    Column("marks", Text, nullable=False, comment="question -> marks in thousandths"),
    Column("answered_at", Moment, nullable=False),
    comment="one answer of one person whom nobody knows",
)
Index("ix_survey_answers_survey", SURVEY_ANSWERS.c.survey, SURVEY_ANSWERS.c.unit)
Index("ix_survey_answers_batch", SURVEY_ANSWERS.c.survey, SURVEY_ANSWERS.c.batch)
_coded = text("code IS NOT NULL")
Index(
    "uq_survey_answers_code", SURVEY_ANSWERS.c.code, unique=True, postgresql_where=_coded, sqlite_where=_coded
)

SURVEY_COUNTS = Table(
    "survey_counts",
    Base.metadata,
    Column("event_id", Id, primary_key=True, comment="the score fact this count became"),
    Column("survey", Id, ForeignKey("surveys.id"), nullable=False),
    Column("unit", String(100), nullable=False),
    Column("result", String(64), nullable=False),
    Column("responses", Integer, nullable=False),
    Column("counted_at", Moment, nullable=False),
    comment="what was counted; a later count corrects the earlier fact",
)
Index("ix_survey_counts_survey", SURVEY_COUNTS.c.survey, SURVEY_COUNTS.c.unit, SURVEY_COUNTS.c.result)

"""
The bundle 数据包 of a published ranking: everything by which somebody without us can check it (docs/bundle.md).

Every file is made from what the log held at one witnessed checkpoint, in canonical bytes, so that the same
publication made again is the same bundle. Events are the only large file; they are streamed and never kept twice.
"""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.assessment.framework.model import FRAMEWORKS
from services.assessment.framework.values import Framework
from services.assessment.ledger.model import CHECKPOINTS
from services.assessment.ledger.stored import StoredCheckpoint, leaves
from services.assessment.objections.contested import contested_on
from services.assessment.ranking.boards import Board
from services.assessment.ranking.intervals import Intervals, UnitRange
from services.assessment.ranking.rules import modes_text, points_text, share_text
from services.assessment.scoring.rules import Totals
from services.assessment.scoring.tallies import kind_name, level_name
from services.assessment.tables import UNITS

FORMAT = "fazhi-bundle/2"
EVENTS = "events.jsonl"
CHECKPOINTS_SHOWN = 200


def files(session: Session, board: Board, ranges: Intervals, last: StoredCheckpoint) -> dict[str, bytes]:
    """Every file of a bundle but manifest, signature and events, by name."""
    return {
        "framework.json": framework_bytes(session, board.framework),
        "units.jsonl": b"".join(unit_lines(session, board.units_at)),
        "scores.jsonl": scores(session, board, ranges),
        "checkpoints.jsonl": b"".join(checkpoint_lines(session, last)),
    }


def scores(session: Session, board: Board, ranges: Intervals) -> bytes:
    """The published ranking."""
    return b"".join(score_lines(board, ranges, contested_on(session, board)))


def score_lines(board: Board, ranges: Intervals, contested: Mapping[str, int]) -> Iterator[bytes]:
    """
    One line a unit, best first: its place and score by what the log held at the board's event.

    `interval`, `tier` and what goes with them say which places the data tells apart (名次区间、档、段), and
    `place_at_worst` which lean on what is missing (数据缺口); `contested` how many points are in dispute (争议分). All
    but that follows from events, directory and framework, by the method that the manifest tells.
    """
    titles = {node.code: node.title for node in board.framework.root.children}
    by_unit = {found.unit: found for found in ranges.rows}
    for place in board.standings:
        unit = board.units[place.unit]
        yield _line(
            {
                "unit": unit.code,
                "name": unit.name,
                "region_code": unit.region_code,
                "rank": place.rank,
                "tied": place.tied,
                **_sureness(by_unit.get(place.unit)),
                "contested": points_text(contested.get(unit.code, 0)),
                **_written(board.totals[unit.code], titles),
            }
        )


def _sureness(found: UnitRange | None) -> dict[str, Any]:
    if found is None:
        return dict.fromkeys(("interval", "median", "tier", "band", "above_next", "place_at_worst"))
    return {
        "interval": [found.low, found.high],
        "median": f"{found.median:g}",
        "tier": found.tier,
        "band": found.band,
        "above_next": None if found.above_next is None else f"{found.above_next:.3f}",
        "place_at_worst": found.place_at_worst,
    }


def _written(found: Totals, titles: Mapping[str, str]) -> dict[str, Any]:
    return {
        "score": None if found.score is None else points_text(found.score),
        "coverage": share_text(found.coverage),
        "vetoes": found.vetoes,
        "credibility": modes_text(found.modes),
        "aspects": [
            [code, titles[code], None if score is None else points_text(score)]
            for code, score in found.aspects
        ],
    }


def unit_lines(session: Session, at: datetime | None) -> Iterator[bytes]:
    """
    Every unit of the directory as it stood then: who belongs to which group, and who stands under whom.

    One that was dissolved is in no group any more, and says so by `valid_to`; the government over it still answers
    for what was found of it.
    """
    table = UNITS.table_at(at)
    for row in session.execute(select(table).order_by(table.c.code)):
        yield _line(
            {
                "code": row.code,
                "name": row.name,
                "path": row.path,
                "kind": kind_name(row.kind),
                "level": level_name(row.level),
                "region_code": row.region_code,
            }
            | ({"valid_to": row.valid_to} if row.valid_to else {})
        )


def checkpoint_lines(session: Session, last: StoredCheckpoint) -> Iterator[bytes]:
    """Checkpoints along the way, evenly chosen, and the last with its cosignatures."""
    query = select(CHECKPOINTS.c.size).where(CHECKPOINTS.c.size < last.size).order_by(CHECKPOINTS.c.size)
    sizes = session.execute(query).scalars().all()
    step = max(1, len(sizes) // CHECKPOINTS_SHOWN)
    chosen = (
        select(CHECKPOINTS.c.note).where(CHECKPOINTS.c.size.in_(sizes[::step])).order_by(CHECKPOINTS.c.size)
    )
    for note in session.execute(chosen).scalars():
        yield _line({"note": note})
    yield _line({"note": str(last.note)})


def event_lines(session: Session, at_seq: int) -> Iterator[bytes]:
    """The exact leaves, in order."""
    for rows in leaves(session, 0, at_seq):
        yield b"".join(row.leaf.encode() + b"\n" for row in rows)


def framework_bytes(session: Session, framework: Framework) -> bytes:
    """The published document, exactly as it was published."""
    query = select(FRAMEWORKS.c.document).where(
        FRAMEWORKS.c.id == framework.id, FRAMEWORKS.c.version == framework.version
    )
    document: str = session.execute(query).scalar_one()
    return document.encode()


def manifest(about: Mapping[str, Any], files: Mapping[str, bytes], events: Iterator[bytes]) -> bytes:
    """What the bundle is about and the digest of every file, in canonical bytes."""
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    streamed = hashlib.sha256()
    for part in events:
        streamed.update(part)
    return orjson.dumps(
        {"format": FORMAT, **about, "files": digests | {EVENTS: streamed.hexdigest()}},
        option=orjson.OPT_SORT_KEYS,
    )


def statement(manifest_bytes: bytes, publication: str) -> str:
    """The text that is signed for a publication; its own prefix, so that it is never taken for another thing (R22)."""
    return f"fazhi/publication/v1\n{hashlib.sha256(manifest_bytes).hexdigest()}\n{publication}\n"


def _line(value: Mapping[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)

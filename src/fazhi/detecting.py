"""
A trial of the gaming detector: a year with planted cheating goes in through assessment's own doors, and what the
detector drafts is held against what was planted: recall and false alarms, sign by sign.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

from contracts.events.v1.scored_pb2 import ScoredEvent
from contracts.findings import Basis, Finding, Mode, Outcome
from contracts.findings.wire import scored_event
from fazhi.bench.directory import department, enter
from fazhi.province import Province
from fazhi.province.gaming import KINDS, Fact, Gaming
from fazhi.services import build
from kernel.access.principal import Principal
from kernel.clock import FixedClock, microseconds
from kernel.hosting.runtime import Runtime
from kernel.ids import derived_id
from kernel.settings import Settings
from services.assessment.scoring.log import append
from services.assessment.scoring.own import OwnFact, append_own

BATCH = 2000
BASIS = Basis("行政处罚法", "2021-01-22", "第六十条")
WHO = Principal(account="trial")


def trial(size: str, seed: int) -> dict[str, Any]:
    """Units of a demonstration province, a story of this seed, and what the detector makes of it."""
    box = Province(seed, size)  # type: ignore[arg-type]  # the command line checks it
    units = [unit.code for unit in box.units() if unit.kind == "department" and unit.level == "county"]
    story = Gaming(units, box.frame.year, seed)
    with (
        tempfile.TemporaryDirectory(prefix="fazhi-detecting-") as folder,
        _opened(Path(folder), story.year) as app,
    ):
        enter(app.store, (department(unit) for unit in units))
        events = _told(app, story)
        drafts = app.detection.signs(str(story.year))
    planted = story.planted()
    drafted = {(draft.kind, draft.unit) for draft in drafts}
    return {
        "size": size,
        "seed": seed,
        "units": len(units),
        "facts": events,
        "signs": [_judged(kind, planted, drafted) for kind in KINDS],
    }


def _judged(kind: str, planted: dict[str, frozenset[Any]], drafted: set[tuple[Any, str]]) -> dict[str, Any]:
    guilty = {unit for unit, kinds in planted.items() if kind in kinds}
    named = {unit for found, unit in drafted if found == kind}
    return {
        "kind": kind,
        "planted": len(guilty),
        "found": len(guilty & named),
        "missed": len(guilty - named),
        "false_alarms": len(named - guilty),
        "innocent": len(planted) - len(guilty),
    }


def _told(app: Any, story: Gaming) -> int:
    """Everything of the story, through the doors by which facts enter."""
    told = 0
    last: dict[tuple[str, int], str] = {}
    facts = story.facts()
    while part := list(islice(facts, BATCH)):
        with app.store.work() as work:
            append(work, [_event(fact, last) for fact in part])
            work.commit()
        told += len(part)
    results = [node for node in app.frameworks.current().results() if not node.probes][:6]
    framework = app.frameworks.current()
    for marks in story.marks():
        with app.store.work() as work:
            for mode, given in ((Mode.REPORTED, marks.own), (Mode.EXTERNAL, marks.outside)):
                append_own(work, list(_own(framework, results, marks.unit, mode, given, story.year)))
            work.commit()
        told += len(marks.own) + len(marks.outside)
    for unit, content in story.files():
        head = {"id": "trial", "unit": unit, "period": str(story.year)}
        app.evidence_files.add(WHO, head, BytesIO(content), "台账.csv")
    return told


def _event(fact: Fact, last: dict[tuple[str, int], str]) -> ScoredEvent:
    place = (fact.unit, fact.case)
    event_id = derived_id("gaming", fact.unit, str(fact.case), fact.recorded_at.isoformat())
    event = scored_event(
        Finding(
            probe="ENF-TIM-01",
            probe_version=1,
            outcome=Outcome.PASS if fact.marks == 1000 else Outcome.FAIL,
            score_milli=fact.marks,
            occurred_at=fact.occurred_at,
            basis=(BASIS,),
        ),
        event_id=event_id,
        source="enforcement",
        unit=fact.unit,
        subject=f"enforcement/cases/{fact.unit}-{fact.case}",
        mode=Mode.ENTERED,
        recorded_at_us=microseconds(fact.recorded_at),
        corrects=last.get(place, ""),
    )
    last[place] = event_id
    return event


def _own(
    framework: Any, results: Sequence[Any], unit: str, mode: Mode, given: Sequence[int], year: int
) -> Iterator[OwnFact]:
    for node, marks in zip(results, given, strict=True):
        yield OwnFact(
            unit=unit,
            subject=f"assessment/trial/{unit}",
            mode=mode,
            finding=Finding(
                probe=framework.collected_as(node),
                probe_version=1,
                outcome=Outcome.PASS if marks == 1000 else Outcome.FAIL,
                score_milli=marks,
                occurred_at=datetime(year, 11, 1, tzinfo=UTC),
            ),
        )


@contextmanager
def _opened(folder: Path, year: int) -> Iterator[Any]:
    runtime = Runtime(Settings(data=folder), FixedClock(datetime(year, 12, 31, 12, tzinfo=UTC)))
    service = build("assessment", runtime)
    service.migrate()
    service.app.prepare()
    yield service.app
    runtime.close()

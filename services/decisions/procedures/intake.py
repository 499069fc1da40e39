"""
Intake 批量登记: whole procedures handed in after the fact, in a stream, some hundred in one transaction.

A dossier is taken as it is, gates or no gates; what is wrong with it shows in its findings. The id of a decision
comes of its unit and number, so the same file may be handed in again: what is known is left as it is, and a
dossier that differs from the one taken before is named, because a record is corrected by steps, not replaced.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import orjson
from pydantic import ValidationError
from sqlalchemy import select

from contracts.citations.wire import tell_citations
from contracts.findings.register import Found
from kernel.access.principal import Principal
from kernel.clock import local_date
from kernel.errors import Invalid, Problem
from kernel.ids import derived_id
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work
from services.decisions import facts
from services.decisions.conformance.service import Conformance, found
from services.decisions.conformance.template import Template
from services.decisions.procedures.dossier import Dossier
from services.decisions.procedures.dossier_steps import steps_of
from services.decisions.procedures.log import columns_of, judged_columns, mode_of, step_row
from services.decisions.procedures.model import PROCEDURES, STEPS, ProcedureRow
from services.decisions.procedures.reading import problems_of
from services.decisions.procedures.rules.procedure import AnyStep, Procedure
from services.decisions.tables import FINDINGS, UNITS

BATCH = 200
MAX_PROBLEMS = 200


@dataclass(slots=True)
class Report:
    """What became of a hand-in: how many were new, known already, and which known ones differ."""

    added: int = 0
    known: int = 0
    differing: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ready:
    """A dossier read and turned into steps."""

    id: str
    dossier: Dossier
    digest: str
    steps: tuple[AnyStep, ...]
    procedure: Procedure


class Intake:
    """Takes in dossiers."""

    def __init__(self, store: Store, conformance: Conformance) -> None:
        self._store = store
        self._conformance = conformance

    def import_lines(self, who: Principal, content: bytes) -> Report:
        """
        A file of JSON lines, one dossier each: all are read before any is taken.

        Raises Invalid with every faulty line, among them dossiers of units outside the caller's reach.
        """
        ready = list(_read_lines(content))
        self._check_reach(who, ready)
        report = Report()
        for start in range(0, len(ready), BATCH):
            self._take(who, ready[start : start + BATCH], report)
        return report

    def load(self, who: Principal, dossiers: Iterable[Mapping[str, Any]]) -> Report:
        """Dossiers as mappings (number, unit, title, facts), streamed; for whoever composes the services."""
        report = Report()
        stream = iter(dossiers)
        while batch := list(islice(stream, BATCH)):
            self._take(who, [_ready(dict(body), f"[{index}]") for index, body in enumerate(batch)], report)
        return report

    def _check_reach(self, who: Principal, ready: Sequence[Ready]) -> None:
        units = {entry.dossier.unit for entry in ready}
        with self._store.reading() as session:
            query = select(UNITS.table.c.code, UNITS.table.c.path).where(UNITS.table.c.code.in_(units))
            paths = {row.code: row.path for row in session.execute(query)}
        problems = [
            Problem(f"[{place}].unit", "decisions.unknown_unit", "找不到这个决策机关，请核对单位代码。")
            for place, entry in enumerate(ready, start=1)
            if not who.reaches(paths.get(entry.dossier.unit, ""))
        ]
        if problems:
            raise Invalid(problems=problems[:MAX_PROBLEMS])

    def _take(self, who: Principal, batch: Sequence[Ready], report: Report) -> None:
        with self._store.work() as work:
            fresh = self._enter(work, {entry.id: entry for entry in batch}, report)
            now, today = work.clock.now(), local_date(work.clock.now())
            steps = [
                step_row(
                    entry.id, derived_id("decisions/step", entry.id, str(seq)), seq=seq, step=step, who=who, now=now
                )
                for entry in fresh
                for seq, step in enumerate(entry.steps, start=1)
            ]
            write_rows(work.session, STEPS, steps)
            findings: list[Found] = []
            for entry in fresh:
                template = self._template_of(entry)
                tell_citations(work, facts.citations(entry.id, entry.dossier.unit, entry.procedure))
                if self._conformance.is_ready(entry.procedure, template, today):
                    judgement = self._conformance.judge(entry.procedure, template, today)
                    findings += found(
                        entry.id,
                        unit=entry.dossier.unit,
                        mode=mode_of(entry.dossier.facts.mode),
                        procedure=entry.procedure,
                        judgement=judgement,
                        now=now,
                    )
            FINDINGS.record(work, findings)
            if fresh:
                digest = hashlib.sha256("".join(entry.digest for entry in fresh).encode()).hexdigest()
                work.audit(who, "dossiers.imported", f"decisions/{len(fresh)}", after_digest=digest)
            work.commit()

    def _enter(self, work: Work, batch: Mapping[str, Ready], report: Report) -> list[Ready]:
        """Write the rows of dossiers not known yet; count the others."""
        known_query = select(ProcedureRow.id, ProcedureRow.source_digest).where(ProcedureRow.id.in_(batch))
        known = {row.id: row.source_digest for row in work.session.execute(known_query)}
        fresh = [entry for entry in batch.values() if entry.id not in known]
        self._conformance.pin(work, [self._template_of(entry) for entry in fresh])
        rows = [self._row(entry, work) for entry in fresh]
        written = write_rows(
            work.session, PROCEDURES, rows, keys=("unit", "number"), on_conflict="nothing", returning=("id",)
        )
        new = {str(row.id) for row in written}
        report.added += len(new)
        report.known += len(known)
        report.differing += [
            entry.dossier.number
            for entry in batch.values()
            if entry.id not in new and known.get(entry.id) != entry.digest
        ]
        return [entry for entry in fresh if entry.id in new]

    def _row(self, entry: Ready, work: Work) -> dict[str, Any]:
        today = local_date(work.clock.now())
        template = self._template_of(entry)
        judgement = None
        if self._conformance.is_ready(entry.procedure, template, today):
            judgement = self._conformance.judge(entry.procedure, template, today)
        return {
            "id": entry.id,
            "number": entry.dossier.number,
            "unit": entry.dossier.unit,
            "title": entry.dossier.title,
            "mode": int(mode_of(entry.dossier.facts.mode)),
            "template_id": template.id,
            "template_version": template.version,
            "source_digest": entry.digest,
            "recorded_at": work.clock.now(),
            **columns_of(entry.procedure, len(entry.steps)),
            **judged_columns(judgement, self._conformance.next_look(entry.procedure, template, today)),
        }

    def _template_of(self, entry: Ready) -> Template:
        started = entry.procedure.started
        return self._conformance.in_force(started.on if started else entry.steps[0].on)


def _read_lines(content: bytes) -> Iterator[Ready]:
    """Every line as a dossier; raises Invalid with the problems of all lines together."""
    problems: list[Problem] = []
    found = 0
    for place, line in enumerate(lines_of(content), start=1):
        if not line.strip():
            continue
        try:
            entry = _ready(orjson.loads(line), f"[{place}]")
        except orjson.JSONDecodeError:
            problems.append(Problem(f"[{place}]", "decisions.bad_line", "这一行不是合法的 JSON，请核对。"))
        except Invalid as error:
            problems.extend(error.problems)
        else:
            found += 1
            if not problems:
                yield entry
    if problems:
        raise Invalid(problems=problems[:MAX_PROBLEMS])
    if not found:
        raise Invalid("文件中没有决策卷宗，请核对后再上传。", code="decisions.empty_file")


def lines_of(content: bytes) -> list[str]:
    """The lines of a file in UTF-8 or GB 18030, in composed form (NFC); raises Invalid when it is neither."""
    for encoding in ("utf-8-sig", "gb18030"):
        with suppress(UnicodeDecodeError):
            return unicodedata.normalize("NFC", content.decode(encoding)).split("\n")
    raise Invalid("文件编码无法识别，请另存为 UTF-8 后重新上传。", code="decisions.encoding")


def _ready(body: Any, path: str) -> Ready:
    if b"\\u0000" in orjson.dumps(body):
        raise Invalid(problems=[Problem(path, "decisions.bad_character", "内容中含有空字符，请删去。")])
    try:
        dossier = Dossier.model_validate(body)
    except ValidationError as error:
        raise Invalid(code="decisions.bad_dossier", problems=problems_of(error, path)) from error
    steps = tuple(steps_of(dossier.facts))
    if not steps:
        problem = Problem(f"{path}.facts", "decisions.no_steps", "卷宗中没有任何程序步骤，请补充。")
        raise Invalid(code="decisions.bad_dossier", problems=[problem])
    digest = hashlib.sha256(b"decisions/dossier/v1\n" + dossier.model_dump_json().encode()).hexdigest()
    return Ready(
        derived_id("decisions", dossier.unit, dossier.number), dossier, f"sha256:{digest}", steps, Procedure(steps)
    )

"""
Intake 批量登记: whole procedures handed in after the fact, in a stream, some hundred in one transaction.

A dossier is taken as it is, gates or no gates; what is wrong with it shows in its findings. The id of a decision
comes of its unit and number, so the same file may be handed in again: what is known is left as it is, and a
dossier that differs from the one taken before is named, because a record is corrected by steps, not replaced.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any

import orjson
from pydantic import ValidationError
from sqlalchemy import select

from contracts.citations.wire import tell_citations
from contracts.findings.evidence import HandedIn
from contracts.findings.register import Found
from kernel.access.principal import Principal
from kernel.clock import local_date
from kernel.errors import Invalid, Problem
from kernel.ids import derived_id
from kernel.storage.blobs import Blobs
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work
from kernel.text import decoded
from services.decisions import facts
from services.decisions.conformance.service import Conformance, Judgement, found
from services.decisions.conformance.template import Template
from services.decisions.procedures.dossier import Dossier
from services.decisions.procedures.dossier_steps import steps_of
from services.decisions.procedures.log import columns_of, judged_columns, mode_of, step_row, subject_of
from services.decisions.procedures.model import PROCEDURES, STEPS, ProcedureRow
from services.decisions.procedures.reading import problems_of
from services.decisions.procedures.rules.gates import not_in_the_future
from services.decisions.procedures.rules.procedure import AnyStep, Procedure
from services.decisions.tables import EVIDENCE, FINDINGS, UNITS

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
    raw: bytes  # the dossier as it was read, which is kept
    digest: str
    steps: tuple[AnyStep, ...]
    procedure: Procedure


@dataclass(frozen=True, slots=True)
class Judged:
    """A dossier with the template that judges it, and what it says, if it is ready for that."""

    entry: Ready
    template: Template
    judgement: Judgement | None
    next_look_on: date | None


class Intake:
    """Takes in dossiers."""

    def __init__(self, store: Store, conformance: Conformance, blobs: Blobs) -> None:
        self._store = store
        self._blobs = blobs
        self._conformance = conformance

    def import_lines(self, who: Principal, content: bytes) -> Report:
        """
        A file of JSON lines, one dossier each: all are read before any is taken.

        Raises Invalid with every faulty line, among them dossiers of units outside the caller's reach.
        """
        ready = list(_read_lines(content, local_date(self._store.clock.now())))
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
        """One batch, one transaction: a handful of statements whatever its size."""
        given: dict[str, Ready] = {}
        again = [entry for entry in batch if given.setdefault(entry.id, entry) is not entry]
        with self._store.work() as work:
            known = self._known(work, given)
            tried = [self._judge(work, entry) for entry in given.values() if entry.id not in known]
            self._conformance.pin(work, [one.template for one in tried])
            rows = [self._row(work, one) for one in tried]
            written = write_rows(
                work.session,
                PROCEDURES,
                rows,
                keys=("unit", "number"),
                on_conflict="nothing",
                returning=("id",),
            )
            new = {str(row.id) for row in written}
            fresh = [one for one in tried if one.entry.id in new]
            _write_steps(work, who, fresh)
            EVIDENCE.keep(work, self._blobs, who, (_handed_in(one.entry) for one in fresh))
            FINDINGS.record(work, (found for one in fresh for found in _found(work, one)))
            tell_citations(
                work,
                (
                    c
                    for o in fresh
                    for c in facts.citations(o.entry.id, o.entry.dossier.unit, o.entry.procedure)
                ),
            )
            if fresh:
                digest = hashlib.sha256("".join(one.entry.digest for one in fresh).encode()).hexdigest()
                work.audit(who, "dossiers.imported", f"decisions/{len(fresh)}", after_digest=digest)
            work.commit()
        report.added += len(new)
        report.known += len(known) + len(again)
        report.differing += [
            entry.dossier.number
            for entry in given.values()
            if entry.id not in new and known.get(entry.id) != entry.digest
        ]
        report.differing += [
            entry.dossier.number for entry in again if given[entry.id].digest != entry.digest
        ]

    def _known(self, work: Work, batch: Mapping[str, Ready]) -> dict[str, str]:
        """Which of these decisions are there already, each with the digest of the dossier it came with."""
        query = select(ProcedureRow.id, ProcedureRow.source_digest).where(ProcedureRow.id.in_(batch))
        return {row.id: row.source_digest for row in work.session.execute(query)}

    def _judge(self, work: Work, entry: Ready) -> Judged:
        today = local_date(work.clock.now())
        started = entry.procedure.started
        template = self._conformance.in_force(started.on if started else entry.steps[0].on)
        judgement = None
        if self._conformance.is_ready(entry.procedure, template, today):
            judgement = self._conformance.judge(entry.procedure, template, today)
        return Judged(
            entry, template, judgement, self._conformance.next_look(entry.procedure, template, today)
        )

    def _row(self, work: Work, one: Judged) -> dict[str, Any]:
        entry = one.entry
        return {
            "id": entry.id,
            "number": entry.dossier.number,
            "unit": entry.dossier.unit,
            "title": entry.dossier.title,
            "mode": int(mode_of(entry.dossier.facts.mode)),
            "template_id": one.template.id,
            "template_version": one.template.version,
            "source_digest": entry.digest,
            "recorded_at": work.clock.now(),
            **columns_of(entry.procedure, len(entry.steps)),
            **judged_columns(one.judgement, one.next_look_on),
        }


def _write_steps(work: Work, who: Principal, fresh: Sequence[Judged]) -> None:
    now = work.clock.now()
    steps = [
        step_row(
            one.entry.id,
            derived_id("decisions/step", one.entry.id, str(seq)),
            seq=seq,
            step=step,
            who=who,
            now=now,
        )
        for one in fresh
        for seq, step in enumerate(one.entry.steps, start=1)
    ]
    write_rows(work.session, STEPS, steps)


def _check_happened(entry: Ready, today: date, path: str) -> None:
    if not all(not_in_the_future(step, today) for step in entry.steps):
        message = "日期晚于今天，尚未发生的不能录入。"
        raise Invalid(problems=[Problem(path, "decisions.future", message)])


def _handed_in(entry: Ready) -> HandedIn:
    return HandedIn(subject_of(entry.id), entry.raw, "决策程序卷宗.json")


def _found(work: Work, one: Judged) -> Iterator[Found]:
    if one.judgement is None:
        return
    dossier = one.entry.dossier
    yield from found(
        one.entry.id,
        unit=dossier.unit,
        mode=mode_of(dossier.facts.mode),
        procedure=one.entry.procedure,
        judgement=one.judgement,
        now=work.clock.now(),
    )


def _read_lines(content: bytes, today: date) -> Iterator[Ready]:
    """Every line as a dossier; raises Invalid with the problems of all lines together."""
    problems: list[Problem] = []
    found = 0
    for place, line in enumerate(decoded(content, code="decisions.encoding").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            entry = _ready(orjson.loads(line), f"[{place}]")
            _check_happened(entry, today, f"[{place}].facts")
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
    raw = dossier.model_dump_json().encode()
    digest = hashlib.sha256(b"decisions/dossier/v1\n" + raw).hexdigest()
    return Ready(
        derived_id("decisions", dossier.unit, dossier.number),
        dossier,
        raw,
        f"sha256:{digest}",
        steps,
        Procedure(steps),
    )

"""
Intake 批量登记: cases handed in after the fact, in a stream, some hundred in one transaction, set-wise.

Each goes over its clocks as it would have at the time (replay.py), so silence, suspension and extension count.
The id of a case comes of organ and number: the same file may be handed in again, and a case that differs from
the one taken before is named, because a record is corrected by steps, not replaced.
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
from contracts.findings import Mode
from contracts.findings.evidence import HandedIn
from contracts.findings.register import Found
from kernel.access.principal import SYSTEM, Principal
from kernel.clock import local_date
from kernel.errors import Invalid, Problem
from kernel.ids import derived_id
from kernel.storage.blobs import Blobs
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work
from kernel.text import decoded
from services.disputes import facts
from services.disputes.reconsideration.codes import Codes
from services.disputes.reconsideration.dossier import Dossier, steps_of
from services.disputes.reconsideration.log import columns_of, deadline_rows, findings_of, step_row, subject_of
from services.disputes.reconsideration.model import CASES, DEADLINES, STEPS, CaseRow
from services.disputes.reconsideration.reading import problems_of, unknown_codes
from services.disputes.reconsideration.rules.case import AnyStep
from services.disputes.reconsideration.rules.deadlines import Clocks
from services.disputes.reconsideration.rules.gates import not_in_the_future
from services.disputes.reconsideration.rules.probes import Seen
from services.disputes.reconsideration.rules.replay import Replay, replay
from services.disputes.reconsideration.rules.steps import Abandoned, DeemedAccepted
from services.disputes.tables import EVIDENCE, FINDINGS, UNITS

BATCH = 300
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
    steps: list[AnyStep]


class Intake:
    """Takes in cases."""

    def __init__(self, store: Store, clocks: Clocks, codes: Codes, blobs: Blobs) -> None:
        self._store = store
        self._blobs = blobs
        self._clocks = clocks
        self._codes = codes

    def import_lines(self, who: Principal, content: bytes) -> Report:
        """
        A file of JSON lines, one case each: all are read before any is taken.

        Raises Invalid with every faulty line, among them cases of organs outside the caller's reach.
        """
        ready = list(self._read_lines(content, local_date(self._store.clock.now())))
        self._check_reach(who, ready)
        report = Report()
        for start in range(0, len(ready), BATCH):
            self._take(who, ready[start : start + BATCH], report)
        return report

    def load(self, who: Principal, dossiers: Iterable[Mapping[str, Any]]) -> Report:
        """Cases as mappings (number, review_unit, respondent, facts), streamed; for whoever composes services."""
        report = Report()
        stream = iter(dossiers)
        while batch := list(islice(stream, BATCH)):
            self._take(who, [self._ready(body, f"[{place}]") for place, body in enumerate(batch)], report)
        return report

    def _read_lines(self, content: bytes, today: date) -> Iterator[Ready]:
        problems: list[Problem] = []
        found = 0
        for place, line in enumerate(decoded(content, code="disputes.encoding").split("\n"), start=1):
            if not line.strip():
                continue
            try:
                entry = self._ready(orjson.loads(line), f"[{place}]")
                _check_happened(entry, today, f"[{place}].facts")
            except orjson.JSONDecodeError:
                problems.append(Problem(f"[{place}]", "disputes.bad_line", "这一行不是合法的 JSON，请核对。"))
            except Invalid as error:
                problems.extend(error.problems)
            else:
                found += 1
                if not problems:
                    yield entry
        if problems:
            raise Invalid(problems=problems[:MAX_PROBLEMS])
        if not found:
            raise Invalid("文件中没有复议案件，请核对后再上传。", code="disputes.empty_file")

    def _ready(self, body: Any, path: str) -> Ready:
        if b"\\u0000" in orjson.dumps(body):
            raise Invalid(problems=[Problem(path, "disputes.bad_character", "内容中含有空字符，请删去。")])
        try:
            dossier = Dossier.model_validate(body)
        except ValidationError as error:
            raise Invalid(code="disputes.bad_dossier", problems=problems_of(error, path)) from error
        steps = steps_of(dossier.facts)
        problems = [fault for step in steps for fault in unknown_codes(step, self._codes, f"{path}.facts")]
        if problems:
            raise Invalid(code="disputes.bad_dossier", problems=problems)
        digest = hashlib.sha256(b"disputes/dossier/v1\n" + dossier.model_dump_json().encode()).hexdigest()
        case_id = derived_id("disputes", dossier.review_unit, dossier.number)
        return Ready(case_id, dossier, f"sha256:{digest}", steps)

    def _check_reach(self, who: Principal, ready: Sequence[Ready]) -> None:
        organs = {entry.dossier.review_unit for entry in ready}
        with self._store.reading() as session:
            query = select(UNITS.table.c.code, UNITS.table.c.path).where(UNITS.table.c.code.in_(organs))
            paths = {row.code: row.path for row in session.execute(query)}
        problems = [
            Problem(
                f"[{place}].review_unit", "disputes.unknown_organ", "找不到这个行政复议机关，请核对单位代码。"
            )
            for place, entry in enumerate(ready, start=1)
            if not who.reaches(paths.get(entry.dossier.review_unit, ""))
        ]
        if problems:
            raise Invalid(problems=problems[:MAX_PROBLEMS])

    def _take(self, who: Principal, batch: Sequence[Ready], report: Report) -> None:
        """One batch, one transaction: a handful of statements whatever its size."""
        with self._store.work() as work:
            today = local_date(work.clock.now())
            given: dict[str, Ready] = {}
            again = [entry for entry in batch if given.setdefault(entry.id, entry) is not entry]
            known = self._known(work, given)
            tried = [
                (entry, replay(entry.steps, self._clocks, today))
                for entry in given.values()
                if entry.id not in known
            ]
            rows = [self._row(work, entry, done) for entry, done in tried]
            written = write_rows(
                work.session, CASES, rows, keys=("organ", "number"), on_conflict="nothing", returning=("id",)
            )
            new = {str(row.id) for row in written}
            played = [(entry, done) for entry, done in tried if entry.id in new]
            steps, deadlines = _log_rows(work, who, played)
            write_rows(work.session, STEPS, steps)
            write_rows(work.session, DEADLINES, deadlines)
            EVIDENCE.keep(work, self._blobs, who, (_handed_in(entry) for entry, _ in played))
            FINDINGS.record(work, self._findings(work, played))
            tell_citations(
                work, (c for e, d in played for c in facts.citations(e.id, e.dossier.respondent, d.case))
            )
            if played:
                digest = hashlib.sha256("".join(entry.digest for entry, _ in played).encode()).hexdigest()
                work.audit(who, "dossiers.imported", f"reconsiderations/{len(played)}", after_digest=digest)
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
        """Which of these cases are there already, each with the digest of the dossier it came with."""
        query = select(CaseRow.id, CaseRow.source_digest).where(CaseRow.id.in_(batch))
        return {row.id: row.source_digest for row in work.session.execute(query)}

    def _row(self, work: Work, entry: Ready, done: Replay) -> dict[str, Any]:
        given = entry.dossier.facts
        return {
            "id": entry.id,
            "number": entry.dossier.number,
            "organ": entry.dossier.review_unit,
            "respondent": entry.dossier.respondent,
            "applicant": given.applicant,
            "applicant_kind": given.applicant_kind,
            "mode": int(Mode[given.mode.upper()]),
            "receipt": "",
            "source_digest": entry.digest,
            "recorded_at": work.clock.now(),
            **columns_of(done.case, done.kept, len(done.taken), local_date(work.clock.now())),
        }

    def _findings(self, work: Work, played: Sequence[tuple[Ready, Replay]]) -> Iterator[Found]:
        now = work.clock.now()
        for entry, done in played:
            yield from findings_of(
                entry.id,
                organ=entry.dossier.review_unit,
                respondent=entry.dossier.respondent,
                mode=Mode[entry.dossier.facts.mode.upper()],
                seen=Seen(done.case, done.kept, self._codes.outcomes, local_date(now)),
                now=now,
            )


def _check_happened(entry: Ready, today: date, path: str) -> None:
    if not all(not_in_the_future(step, today) for step in entry.steps):
        message = "日期晚于今天，尚未发生的不能录入。"
        raise Invalid(problems=[Problem(path, "disputes.future", message)])


def _handed_in(entry: Ready) -> HandedIn:
    """The case as it was read, without who applied: names stand in the case row alone, where they can be erased."""
    raw = entry.dossier.model_dump_json(exclude={"facts": {"applicant", "applicant_kind"}})
    return HandedIn(subject_of(entry.id), raw.encode(), "行政复议案件登记表.json")


def _log_rows(
    work: Work, who: Principal, played: Sequence[tuple[Ready, Replay]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Steps and deadlines of a batch; what silence made is recorded as the system's."""
    steps: list[dict[str, Any]] = []
    deadlines: list[dict[str, Any]] = []
    now = work.clock.now()
    for entry, done in played:
        for seq, (step, dues) in enumerate(done.taken, start=1):
            by = SYSTEM if isinstance(step, (DeemedAccepted, Abandoned)) else who
            step_id = derived_id("disputes/step", entry.id, str(seq))
            steps.append(step_row(entry.id, step_id, seq=seq, step=step, who=by, now=now))
            deadlines.extend(deadline_rows(entry.id, seq, dues))
    return steps, deadlines

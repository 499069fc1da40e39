"""
Loads a province in a box into the services, through their own use cases.

Order matters: units first, and everybody must have heard of them before cases of theirs arrive. Case files are
made and imported body by body as real ones are, units that only report (报送) in files of their own. At the end
everything told has been heard and every score is up to date.
"""

import csv
import io
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import orjson

from contracts.directory.v1.directory_pb2 import UnitKind, UnitLevel
from contracts.roles import INSPECTOR, REVIEWER, TITLES, UNIT_HEAD
from fazhi.embedded import Embedded
from fazhi.province import Province
from fazhi.services import build
from kernel.access.principal import Principal
from kernel.clock import FixedClock, local_date, start_of_day
from kernel.errors import Invalid, NotFound, RuleViolation, TemporaryError
from kernel.hosting.runtime import Runtime

Bar = Callable[[str, int | None], Callable[[int], None]]
T = TypeVar("T")
AREA_ROLES = {REVIEWER, INSPECTOR}  # they look at all that is under their unit's government
CASES_A_FILE = 5000
CLUES_AT_ONCE = 100
QUIET_SECONDS = 3600
MODE = "接入模式"
ANSWER = "已核查处理并答复反映人。"
PARTNERS = {
    "petition": "信访系统（演示）",
    "hotline": "12345 热线（演示）",
    "litigation": "行政诉讼协同（演示）",
}


class Demonstration:
    """One load of one province."""

    def __init__(self, platform: Embedded, box: Province) -> None:
        self._apps = {name: service.app for name, service in platform.services.items()}
        self._platform = platform
        self._box = box
        self._counts = box.counts()
        root = next(iter(box.units()))
        self._root_name = root.name
        self._who = Principal(
            account="demonstration", unit=root.code, unit_path=f"/{root.code}/", roles=frozenset({UNIT_HEAD})
        )

    def load(self, bar: Bar) -> None:
        """Load everything; `bar(title, total)` gives a function that moves a progress bar on."""
        self._units(bar)
        self._until_quiet(bar, "单位目录送达各服务")
        self._registry(bar)
        self._documents(bar)
        self._decisions(bar)
        self._reconsiderations(bar)
        self._cases(bar)
        self._clues(bar)
        self._accounts()
        self._until_quiet(bar, "计分事件送达考核")
        self._apps["assessment"].roll_up.catch_up()
        self._assessed(bar)

    def _units(self, bar: Bar) -> None:
        from gateway.directory.rules import UnitState

        moved = bar("单位目录", self._counts["units"])
        states = (
            UnitState(
                code=unit.code,
                name=unit.name,
                kind=UnitKind.Value(f"UNIT_KIND_{unit.kind.upper()}"),
                level=UnitLevel.Value(f"UNIT_LEVEL_{unit.level.upper()}"),
                parent=unit.parent,
                region_code=unit.region_code,
                valid_from=unit.valid_from.isoformat(),
                credit_code=unit.credit_code,
                field=unit.field,
                valid_to=unit.valid_to.isoformat() if unit.valid_to else "",
                successor=unit.successor,
            )
            for unit in _counted(self._box.units(), moved)
        )
        self._apps["gateway"].directory.load(states, reason="装入演示数据")

    def _registry(self, bar: Bar) -> None:
        from services.enforcement.registry import rules

        registry = self._apps["enforcement"].registry
        bodies = (
            _as(rules.Body, body)
            for body in _counted(self._box.bodies(), bar("执法主体", self._counts["bodies"]))
        )
        registry.load_bodies(self._who, bodies)
        officers = (
            rules.Officer(
                code=officer.code,
                name=officer.name,
                unit=officer.unit,
                certificates=tuple(_certificate(rules.Certificate, held) for held in officer.certificates),
            )
            for officer in _counted(self._box.officers(), bar("执法人员", self._counts["officers"]))
        )
        registry.load_officers(self._who, officers)
        items = _counted(self._box.power_items(), bar("权责清单", self._counts["power_items"]))
        registry.load_powers(self._who, (_as(rules.PowerItem, item) for item in items))

    def _documents(self, bar: Bar) -> None:
        from services.legislation.drafting.service import Entry

        documents = _counted(
            self._box.normative_documents(), bar("行政规范性文件", self._counts["normative_documents"])
        )
        self._apps["legislation"].register.import_entries(_as(Entry, document) for document in documents)

    def _decisions(self, bar: Bar) -> None:
        decisions = _counted(self._box.decisions(), bar("重大行政决策", self._counts["decisions"]))
        self._apps["decisions"].intake.load(self._who, (asdict(decision) for decision in decisions))

    def _reconsiderations(self, bar: Bar) -> None:
        cases = _counted(self._box.reconsiderations(), bar("行政复议案件", self._counts["reconsiderations"]))
        self._apps["disputes"].intake.load(self._who, (asdict(case) for case in cases))

    def _cases(self, bar: Bar) -> None:
        moved = bar("执法案件", self._counts["cases"])
        with tempfile.TemporaryDirectory(prefix="fazhi-demonstration-") as folder:
            for number, (text, rows) in enumerate(_case_files(self._box.cases()), 1):
                path = Path(folder) / f"cases-{number}.csv"
                path.write_text(text, encoding="utf-8-sig")
                report = self._apps["enforcement"].cases.import_file(self._who, path)
                if report.faults:
                    raise Invalid(
                        "演示案件未能导入。", code="demo.cases_refused", problems=report.faults[:20]
                    )
                path.unlink()
                moved(rows)

    def _clues(self, bar: Bar) -> None:
        """Clues come in, and are answered, at the times of the story: the same use cases under a clock of their own."""
        from gateway.links.mapping import read_clue
        from gateway.partners.service import Sender

        for system, title in PARTNERS.items():
            self._apps["gateway"].partners.register(self._who, system, title=title)
            self._apps["gateway"].partners.add_key(self._who, system)
        now = self._platform.runtime.clock.now()
        clock = FixedClock(now)
        past = Runtime(self._platform.runtime.settings, clock)
        gateway = build("gateway", past).app
        moved = bar("线索", self._counts["clues"])
        answered: list[tuple[datetime, str]] = []

        def told(clues: Iterable[tuple[int, Any]]) -> Iterator[tuple[Sender, bytes]]:
            for number, clue in clues:
                mapped = read_clue(gateway.links[clue.system], clue.record, now=now, hashed=str)
                # a judgment is answered by registering it, which the running services do at their own time
                clock.set(now if clue.system == "litigation" else mapped.occurred_at + timedelta(hours=1))
                sender = Sender(system=clue.system, message_id=f"demo-{number}", channel="demonstration")
                yield sender, orjson.dumps(clue.record)

        clues = enumerate(self._box.clues())
        while part := list(islice(clues, CLUES_AT_ONCE)):
            receipts = gateway.intake.take_many(told(part))
            for (_, clue), receipt in zip(part, receipts, strict=True):
                if clue.answered_on is not None:
                    answered.append((start_of_day(clue.answered_on) + timedelta(hours=16), receipt.receipt))
            moved(len(part))
        self._until_quiet(bar, "线索分派")
        self._answer(past, clock, _counted(answered, bar("线索答复", len(answered))))
        past.close()
        while self._apps[
            "gateway"
        ].progress.note_overdue():  # what the gateway's clock would do within a minute
            pass

    def _answer(self, past: Runtime, clock: FixedClock, answered: Iterable[tuple[datetime, str]]) -> None:
        supervision = build("enforcement", past).app.supervision
        matters = build("disputes", past).app.matters
        for at, receipt in answered:
            clock.set(at)
            # closed already (returned by rule, or answered in an earlier, killed load), or nobody's: left alone
            with suppress(RuleViolation, NotFound):
                try:
                    supervision.accept(self._who, receipt, checked_not_pending=True)
                    supervision.answer(self._who, receipt, ANSWER)
                except NotFound:
                    matters.answer(self._who, receipt, ANSWER)

    def _assessed(self, bar: Bar) -> None:
        """The year of assessment, in the county where the demonstration accounts sit."""
        from fazhi.assessed_county import demonstrate
        from fazhi.planted import plant

        office = next(account.unit for account in self._box.accounts() if account.account == "tianbao.xian")
        county = office.rpartition("-")[0]
        today = local_date(self._platform.runtime.clock.now())
        planted = plant(self._box.units(), county, self._box.seed, today)
        moved = bar("县级考核", 5)
        demonstrate(self._platform.runtime, county=county, seed=self._box.seed, planted=planted, moved=moved)

    def _accounts(self) -> None:
        from gateway.identity.demonstration import DemonstrationPerson

        superior = {unit.code: unit.parent for unit in self._box.units()}
        people = [
            DemonstrationPerson(
                account=account.account,
                name=account.title,
                title=account.title,
                unit=account.unit,
                roles=account.roles,
                area=superior[account.unit] if not AREA_ROLES.isdisjoint(account.roles) else "",
            )
            for account in self._box.accounts()
        ]
        unknown = {role for person in people for role in person.roles} - set(TITLES)
        assert not unknown, unknown
        self._apps["gateway"].demonstrations.create_demonstration(
            people, province=self._root_name, size=self._box.size, seed=self._box.seed
        )

    def _until_quiet(self, bar: Bar, title: str) -> None:
        """Wait until everything told was heard, while the bar shows how many messages still wait."""
        ends = time.monotonic() + QUIET_SECONDS
        waiting = self._platform.waiting()
        moved = bar(title, waiting)
        while not self._platform.is_quiet():
            if time.monotonic() > ends:
                raise TemporaryError("一小时内消息仍未送达完毕，请查看日志。", code="demo.not_quiet")
            time.sleep(0.2)
            left = self._platform.waiting()
            moved(max(0, waiting - left))  # what is told meanwhile does not move it back
            waiting = min(waiting, left)
        moved(waiting)


def _as(kind: type[T], record: object) -> T:
    """The same-named fields of a record as a value of another kind."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]  # every kind here is a dataclass
    return kind(**{name: getattr(record, name) for name in names if hasattr(record, name)})


def _certificate(kind: Callable[..., T], held: Any) -> T:
    """A certificate; one that is no longer valid was not from the day it ended."""
    given = {
        name: getattr(held, name) for name in ("number", "body", "field", "valid_from", "valid_to", "status")
    }
    return kind(**given, status_on=None if held.status == "valid" else held.valid_to)


def _counted(rows: Iterable[T], moved: Callable[[int], None]) -> Iterator[T]:
    for row in rows:
        yield row
        moved(1)


class _CaseFile:
    """A case file that grows row by row."""

    def __init__(self, columns: Iterable[str]) -> None:
        self.rows = 0
        self._out = io.StringIO(newline="")
        self._writer = csv.DictWriter(self._out, list(columns))
        self._writer.writeheader()

    def add(self, row: dict[str, str]) -> None:
        self._writer.writerow(row)
        self.rows += 1

    def closed(self) -> tuple[str, int]:
        return self._out.getvalue(), self.rows


def _case_files(rows: Iterable[dict[str, str]]) -> Iterator[tuple[str, int]]:
    """Text and number of rows of each file; units that only report (报送) are in files of their own."""
    growing: dict[bool, _CaseFile] = {}
    for row in rows:
        only_reports = row[MODE] == "报送"
        file = growing.setdefault(only_reports, _CaseFile(row))
        file.add(row)
        if file.rows == CASES_A_FILE:
            yield growing.pop(only_reports).closed()
    for file in growing.values():
        yield file.closed()

"""
A county and everybody who works on its assessment, each with an account, at the doors of a running platform.

Six units: the government, three departments that enforce the law, the justice department whose people review and
supervise, and the finance department. Nothing is made but units, registers and accounts: what happens to them in a
year is told by the story, over HTTP. The clock runs, and is moved on where days must pass.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx

from contracts.directory.v1.directory_pb2 import UnitKind, UnitLevel
from contracts.roles import AUDIT_ADMIN, INSPECTOR, REPORTER, REVIEWER, THIRD_PARTY, UNIT_HEAD
from gateway.directory.rules import UnitState
from gateway.identity.accounts import FirstAccount
from kernel.access.principal import Principal
from kernel.access.tokens import make_key
from kernel.ledger.note import NoteSigner
from kernel.settings import Settings
from services.enforcement.registry.rules import Body, Certificate, Officer, PowerItem
from tests.support.enforcement import a_row, csv_file
from tests.support.forms import Form, embedded
from tests.support.witnesses import running_witness

ROOT = "/api/assessment/v1"
COUNTY, MARKET, TRANSPORT, CULTURE = "150102", "150102-scjg", "150102-jt", "150102-wh"
JUSTICE, FINANCE = "150102-sf", "150102-cz"
ENFORCING = {MARKET: "11150102MB0000019B", TRANSPORT: "11150102MB00000276", CULTURE: "11150102MB00000351"}
FIELDS = {
    MARKET: "market",
    TRANSPORT: "transport",
    CULTURE: "culture",
    JUSTICE: "justice",
    FINANCE: "finance",
}
PASSWORD = "Qingming-2026-river"
PEOPLE = (
    ("tianbao", MARKET, "", REPORTER),
    ("fuzeren", MARKET, "", UNIT_HEAD),
    ("neishen", MARKET, COUNTY, REVIEWER),
    ("linju", TRANSPORT, "", REPORTER),
    ("linju.fzr", TRANSPORT, "", UNIT_HEAD),
    ("wenhua", CULTURE, "", REPORTER),
    ("shenhe", JUSTICE, COUNTY, REVIEWER),
    ("ducha", JUSTICE, COUNTY, INSPECTOR),
    ("ducha2", FINANCE, COUNTY, INSPECTOR),
    ("gongsi", COUNTY, "", THIRD_PARTY),
    ("shenji", COUNTY, "", AUDIT_ADMIN),
)
GROUP = "county_departments"
LATE_PUBLICATION = {"公示日期": "2026-04-10"}
OPERATOR = Principal(account="operator", unit_path="/")
PATIENCE_SECONDS = 90
SIGN_IN_AGAIN_SECONDS = 120  # a token is good for five minutes


class MovedClock:
    """The machine's clock on another day: it runs, and only ever moves on."""

    def __init__(self, at: datetime) -> None:
        self._by = at - datetime.now(UTC)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._by

    def move_to(self, at: datetime) -> None:
        assert at > self.now()
        self._by = at - datetime.now(UTC)


class County:
    """The county on a running platform; everything a person does goes through `ask`."""

    def __init__(self, form: Form, clock: MovedClock) -> None:
        self.form = form
        self.clock = clock
        self._clients: dict[str, tuple[float, httpx.Client]] = {}

    def ask(self, who: str, method: str, path: str, **options: Any) -> httpx.Response:
        """One request as somebody; `who` "" has no account. A path that is not absolute is assessment's."""
        client = self._signed_in(who) if who else httpx
        address = "" if who else self.form.address
        return client.request(method, address + (path if path.startswith("/api") else ROOT + path), **options)

    def told(self, who: str, method: str, path: str, **options: Any) -> Any:
        """What somebody is answered, who must be answered well."""
        answer = self.ask(who, method, path, **options)
        assert answer.status_code < 300, f"{who} {method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def told_bytes(self, who: str, path: str, **query: Any) -> bytes:
        """The bytes somebody is answered with."""
        answer = self.ask(who, "GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.content

    def get(self, who: str, path: str, **query: Any) -> Any:
        return self.told(who, "GET", path, params=query)

    def do(self, who: str, path: str, **body: Any) -> Any:
        return self.told(who, "POST", path, json=body)

    def refused(self, who: str, path: str, **body: Any) -> tuple[int, str]:
        """Status and stable code with which somebody is refused."""
        return refusal(self.ask(who, "POST", path, json=body))

    def hand_in(
        self, who: str, path: str, name: str, content: bytes, *, query: Any = None, **form: str
    ) -> httpx.Response:
        """A file handed in."""
        return self.ask(who, "POST", path, files={"file": (name, content)}, params=query, data=form)

    def move_to(self, day: date, hour: int = 9) -> None:
        """Days pass, until this hour of that day in Beijing; everybody signs in again."""
        self.clock.move_to(datetime(day.year, day.month, day.day, hour - 8, tzinfo=UTC))
        self._clients.clear()

    def until(self, is_so: Callable[[], Any]) -> Any:
        """What a question is answered once it is answered with something: the clocks of the worker do their part."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while not (found := is_so()):
            assert time.monotonic() < ends, "it did not happen"
            time.sleep(0.3)
        return found

    def cases(self, who: str, unit: str, changes: Sequence[dict[str, str]], first: int = 1) -> None:
        """A case file of a department, entered by its clerk; every consequence has happened afterwards."""
        content = case_file(unit, changes, first)
        path = "/api/enforcement/v1/case-files"
        answer = self.hand_in(who, path, f"{unit}-{first}.csv", content, query={"dry_run": False})
        assert (answer.status_code, answer.json().get("state")) == (200, "imported"), answer.text
        self.form.settle()

    def ranking(self, who: str = "ducha", **query: Any) -> list[tuple[int, str, str]]:
        """Places, units and scores of the departments that have a score."""
        self.form.settle()
        page = self.get(who, "/rankings", period="2026", peer_group="county_departments", **query)
        return [(row["rank"], row["unit"]["code"], row["score"]) for row in page["rows"] if row["score"]]

    def score(self, unit: str) -> str:
        return next(score for _, code, score in self.ranking() if code == unit)

    def _signed_in(self, who: str) -> httpx.Client:
        since, client = self._clients.get(who, (0.0, None))
        if client is None or time.monotonic() - since > SIGN_IN_AGAIN_SECONDS:
            client = self.form.sign_in(who, PASSWORD)
            self._clients[who] = (time.monotonic(), client)
        return client


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Status and stable code of a refusal, which tells people something too."""
    told = answer.json()
    assert answer.status_code >= 400, answer.text
    assert told["message"] or told["fields"]
    return answer.status_code, told["code"]


def micro(text: str) -> int:
    """Points as the platform writes them, as micro-points."""
    whole, _, rest = text.partition(".")
    return int(whole) * 1_000_000 + int(rest.ljust(6, "0"))


@contextmanager
def a_county(folder: Path) -> Iterator[County]:
    """The platform in one process on 2 February 2026, with a witness that is none of ours."""
    clock = MovedClock(datetime(2026, 2, 2, 1, 0, tzinfo=UTC))
    key = folder / "data" / "keys" / "ledger.pem"
    key.parent.mkdir(parents=True)
    make_key(key)
    log = NoteSigner.read(Settings().ledger_origin, key).key
    with running_witness(folder / "witness", "witness.example", log) as witness:
        with embedded(
            folder / "data",
            clock=clock,
            second_factor="optional",  # PEOPLE sign in with passwords alone: the year is about the work
            ledger_witnesses=witness.setting,
            ledger_witnesses_needed=1,
        ) as form:
            settle_county(form)
            yield County(form, clock)


def settle_county(form: Form) -> None:
    """Units, registers of enforcement and accounts, as an installation has them on its first day."""
    since: dict[str, Any] = {
        "region_code": "150102",
        "valid_from": "2020-01-01",
        "level": UnitLevel.UNIT_LEVEL_COUNTY,
    }
    government = UnitState(
        code=COUNTY, name="新城区人民政府", kind=UnitKind.UNIT_KIND_GOVERNMENT, parent="", **since
    )
    departments = [
        UnitState(
            code=unit,
            name=f"{field}局",
            kind=UnitKind.UNIT_KIND_DEPARTMENT,
            parent=COUNTY,
            field=field,
            credit_code=ENFORCING.get(unit, ""),
            **since,
        )
        for unit, field in FIELDS.items()
    ]
    form.app("gateway").directory.load([government, *departments])
    registry = form.app("enforcement").registry
    registry.load_bodies(OPERATOR, [_body(unit) for unit in ENFORCING])
    registry.load_officers(OPERATOR, [_officer(unit, number) for unit in ENFORCING for number in (1, 2)])
    registry.load_powers(OPERATOR, [_item(unit) for unit in ENFORCING])
    form.app("gateway").accounts.establish(
        [
            FirstAccount(
                account=account, name="某同志", unit=unit, roles=(role,), password=PASSWORD, area=area
            )
            for account, unit, area, role in PEOPLE
        ]
    )
    form.settle()


def case_file(unit: str, changes: Sequence[dict[str, str]], first: int) -> bytes:
    """Cases of a department as CSV."""
    return csv_file(case_rows(unit, changes, first))


def case_rows(unit: str, changes: Sequence[dict[str, str]], first: int) -> list[dict[str, Any]]:
    """Cases of a department by column: lawful ones, but for what is changed in each."""
    given = {
        "决定机关": f"{FIELDS[unit]}局",
        "决定机关统一社会信用代码": ENFORCING[unit],
        "执法人员证号": f"{unit}-1、{unit}-2",
    }
    return [
        a_row(**given, 决定书文号=f"{FIELDS[unit]}罚〔2026〕{number}号", **changed)
        for number, changed in enumerate(changes, first)
    ]


def _body(unit: str) -> Body:
    return Body(
        unit=unit,
        name=f"{FIELDS[unit]}局",
        credit_code=ENFORCING[unit],
        kind="statutory",
        field="market",
        region_code="150102",
        valid_from=date(2020, 1, 1),
        confirmed_on=date(2020, 1, 1),
    )


def _officer(unit: str, number: int) -> Officer:
    held = Certificate(
        number=f"{unit}-{number}",
        body=unit,
        field="market",
        valid_from=date(2020, 1, 1),
        valid_to=date(2030, 1, 1),
    )
    return Officer(code=f"{unit}{number}", name=f"执法员{number}", unit=unit, certificates=(held,))


def _item(unit: str) -> PowerItem:
    return PowerItem(
        unit=unit,
        code="MKT-1",
        name="食品标签",
        kind="penalty",
        field="market",
        document="行政处罚法",
        article="二十八",
    )
